#include "tests/lib/unit.h"

#include "agents/firewall/coverage.h"
#include "agents/firewall/iptables.h"
#include "agents/firewall/nft.h"
#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/*
 * Rulesets as the tools print them (tests/golden/firewall: NAME.nft is the source of NAME.json), and what is to be said of
 * them (NAME.txt): may the service's five ranges reach this mail server, and it them? It is 192.0.2.25 on eth0.
 */
#define GOLDEN SOURCE_DIR "/tests/golden/firewall/"

static const char *const needed[] = { "216.104.0.0/19", "216.99.128.0/20", "150.70.0.0/16", "54.219.191.0/25",
				      "54.86.63.64/26" };

static struct ranges ranges_from(const char *const *texts, size_t n)
{
	struct range list[8];
	struct ranges r = { 0 };

	ck_assert_uint_le(n, ARRAY_LEN(list));
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(range_parse(&list[i], texts[i], NULL), 0);
	ranges_of(&r, list, n);
	return r;
}

static struct coverage_question question(enum coverage_way way)
{
	static const char *const near[] = { "192.0.2.25" };

	return (struct coverage_question){
		.way = way,
		.port = 25,
		.needed = ranges_from(needed, ARRAY_LEN(needed)),
		.near = ranges_from(near, 1),
		.interface = "eth0",
	};
}

static void question_release(struct coverage_question *q)
{
	ranges_release(&q->needed);
	ranges_release(&q->near);
}

static void show_set(struct buf *out, const char *what, const struct ranges *r)
{
	struct buf text = BUF_INIT;

	if (r->n) {
		ranges_show(r, &text, 20);
		buf_addf(out, "\t%s %s\n", what, buf_str(&text));
	}
	buf_release(&text);
}

static void show(struct buf *out, const char *way, const struct coverage *c)
{
	buf_addf(out, "%s: %s\n", way, coverage_kind_name(coverage_kind(c)));
	show_set(out, "covered", &c->covered);
	show_set(out, "missing", &c->missing);
	show_set(out, "unknown", &c->unknown);
	for (size_t i = 0; i < c->holes_n; i++) {
		const struct coverage_hole *h = &c->holes[i];
		char *what = str_fmt("%s dropped by %s %s %s before %lld:", h->first ? "first packet" : "later packet", h->family,
				     h->table, h->chain, (long long)h->before);
		show_set(out, what, &h->missing);
		free(what);
	}
	for (size_t i = 0; i < c->doubts.n; i++)
		show_set(out, c->doubts.at[i].why, &c->doubts.at[i].of);
}

/* Reads the filter for a packet, from either tool's text. */
static int read_filter(const struct buf *text, const char *sets, const struct packet *p, struct filter *f, struct err *err)
{
	json_t *ruleset;

	if (sets)
		return iptables_read(buf_str(text), sets, p, f, err);
	ruleset = nft_load(text->data, text->len, err);
	if (!ruleset)
		return err->code;
	nft_read(ruleset, p, NULL, NULL, f);
	json_decref(ruleset);
	return 0;
}

static void answer(const struct buf *text, const char *sets, enum coverage_way way, struct coverage *c)
{
	struct coverage_question q = question(way);
	struct err err = { 0 };

	coverage_begin(c, &q);
	for (int i = 0; i < COVERAGE_PACKETS; i++) {
		struct packet p;
		struct filter f;
		coverage_packet(&q, i, &p);
		ck_assert_msg(read_filter(text, sets, &p, &f, &err) == 0, "%s", err.text);
		coverage_add(c, &p, &f);
		filter_release(&f);
	}
	/* Each address is in exactly one of the three. */
	struct ranges all = { 0 };
	ck_assert(!ranges_meet(&c->covered, &c->missing) && !ranges_meet(&c->covered, &c->unknown) &&
		  !ranges_meet(&c->missing, &c->unknown));
	ranges_copy(&all, &c->covered);
	ranges_or(&all, &c->missing);
	ranges_or(&all, &c->unknown);
	ck_assert(ranges_within(&all, &q.needed) && ranges_within(&q.needed, &all));
	ck_assert(!c->unknown.n || c->doubts.n);
	ranges_release(&all);
	question_release(&q);
}

/* CUTOVER_GOLDEN=write makes the files anew, to be looked at before they are committed. */
static void check_golden(const char *path, const struct buf *text, const char *sets)
{
	static const char *const names[] = { "in", "out" };
	const char *mode = getenv("CUTOVER_GOLDEN");
	struct buf got = BUF_INIT, want = BUF_INIT;
	char *file = str_fmt("%s.txt", path);

	for (int way = 0; way < 2; way++) {
		struct coverage c;
		answer(text, sets, (enum coverage_way)way, &c);
		show(&got, names[way], &c);
		coverage_release(&c);
	}
	if (mode && strcmp(mode, "write") == 0)
		ck_assert_int_eq(file_write(file, 0644, got.data, got.len, NULL), 0);
	ck_assert_int_eq(file_read(file, 1 << 16, &want, NULL), 0);
	ck_assert_msg(strcmp(buf_str(&got), buf_str(&want)) == 0, "%s: wanted\n%s\ngot\n%s", file, buf_str(&want), buf_str(&got));
	buf_release(&got);
	buf_release(&want);
	free(file);
}

static void read_golden(const char *path, struct buf *out)
{
	struct err err = { 0 };

	ck_assert_msg(file_read(path, 1 << 20, out, &err) == 0, "%s", err.text);
}

typedef void golden_check(const char *path, const struct buf *text, const char *sets);

/* Each file with that ending, its path without it. */
static int each_golden(const char *folder, const char *ending, const char *sets, golden_check *check)
{
	char *root = str_fmt(GOLDEN "%s", folder);
	DIR *dir = opendir(root);
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), tail = strlen(ending);
		struct buf text = BUF_INIT;
		if (len <= tail || strcmp(entry->d_name + len - tail, ending) != 0)
			continue;
		char *path = str_fmt("%s/%s", root, entry->d_name);
		read_golden(path, &text);
		path[strlen(path) - tail] = 0;
		check(path, &text, sets);
		buf_release(&text);
		free(path);
		n++;
	}
	closedir(dir);
	free(root);
	return n;
}

START_TEST(test_nft)
{
	ck_assert_int_ge(each_golden("nft", ".json", NULL, check_golden), 13);
}
END_TEST

START_TEST(test_iptables)
{
	struct buf sets = BUF_INIT;

	read_golden(GOLDEN "iptables/ipset.save", &sets);
	ck_assert_int_ge(each_golden("iptables", ".rules", buf_str(&sets), check_golden), 6);
	buf_release(&sets);
}
END_TEST

/* Several filters: each has to let it through; what cannot be read leaves nothing covered. */
START_TEST(test_several)
{
	struct coverage_question q = question(COVERAGE_IN);
	struct coverage c;
	struct packet p;
	struct filter f = { 0 };

	coverage_begin(&c, &q);
	coverage_packet(&q, 0, &p);
	coverage_add(&c, &p, &f);
	ck_assert_int_eq(coverage_kind(&c), COVERAGE_COVERED);
	filter_chain(&f, "", "filter", "INPUT")->hook = HOOK_INPUT;
	f.chains[0]->policy = FILTER_DROP;
	coverage_add(&c, &p, &f);
	ck_assert_int_eq(coverage_kind(&c), COVERAGE_MISSING);
	ck_assert_int_eq(c.holes[0].before, 0);
	f.chains[0]->policy = FILTER_ACCEPT;
	coverage_add(&c, &p, &f);
	ck_assert_int_eq(coverage_kind(&c), COVERAGE_MISSING);
	coverage_release(&c);
	coverage_begin(&c, &q);
	coverage_unread(&c, "nft: Operation not permitted");
	ck_assert_int_eq(coverage_kind(&c), COVERAGE_UNKNOWN);
	ck_assert_str_eq(c.doubts.at[0].why, "nft: Operation not permitted");
	coverage_release(&c);
	filter_release(&f);
	question_release(&q);
}
END_TEST

/* A ruleset that is cut off anywhere, or with a byte changed, is an error or some answer; never a fault of ours. */
static void check_damaged(const char *path, const struct buf *text, const char *sets)
{
	(void)path;
	for (size_t i = 0; i < text->len; i += 1 + text->len / 60) {
		for (int flip = 0; flip < 2; flip++) {
			struct coverage_question q = question(COVERAGE_IN);
			struct buf damaged = BUF_INIT;
			struct packet p;
			struct filter f;
			struct err err = { 0 };
			buf_add(&damaged, text->data, flip ? text->len : i);
			if (flip)
				damaged.data[i] ^= (char)(1 << (i % 7));
			coverage_packet(&q, 0, &p);
			if (read_filter(&damaged, sets, &p, &f, &err) == 0)
				filter_release(&f);
			buf_release(&damaged);
			question_release(&q);
		}
	}
}

START_TEST(test_damaged)
{
	ck_assert_int_gt(each_golden("nft", ".json", NULL, check_damaged), 0);
	ck_assert_int_gt(each_golden("iptables", ".rules", "create hes hash:net family inet\nadd hes", check_damaged), 0);
}
END_TEST

START_TEST(test_bad_lines)
{
	static const char *const bad[] = { "-A INPUT -j ACCEPT\n", "*filter\n-A NONE -j ACCEPT\n", "*filter\n:INPUT DROP [0:0]\nhello\n",
					   "*filter\n:INPUT DROP [0:0]\n-A INPUT -m comment --comment \"open\n" };
	struct coverage_question q = question(COVERAGE_IN);
	struct packet p;
	struct filter f;

	coverage_packet(&q, 0, &p);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = { 0 };
		ck_assert_int_eq(iptables_read(bad[i], "", &p, &f, &err), E_INVAL);
		ck_assert_ptr_nonnull(strstr(err.text, "iptables-save, line "));
	}
	question_release(&q);
}
END_TEST

SUITE(coverage)
{
	TEST_CASE(s, test_nft);
	TEST_CASE(s, test_iptables);
	TEST_CASE(s, test_several);
	TEST_CASE(s, test_damaged);
	TEST_CASE(s, test_bad_lines);
}
