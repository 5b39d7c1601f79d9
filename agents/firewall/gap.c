#include "agents/firewall/gap.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define PORT "25"
#define BLOCK_BEGIN "# " GAP_MARK ": what the service's ranges need; made by cutover, taken out by its rollback\n"
#define BLOCK_END "# " GAP_MARK ": end\n"
#define OUR_MATCH " -p tcp -m tcp --dport " PORT " -m comment --comment " GAP_MARK " -j ACCEPT"

static const char *const nft_families[] = { "ip", "inet", "netdev", "bridge" };

/* ---- lines ---------------------------------------------------------------------------------------------------------- */

/* Both tools take more, in quotes; nobody names a chain so, and here it would be somebody else's text in a command. */
static bool is_plain(const char *name)
{
	return *name && *name != '-' && strlen(name) < GAP_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == strlen(name);
}

bool gap_is_nft(const struct gap *g)
{
	for (size_t i = 0; i < ARRAY_LEN(nft_families); i++)
		if (strcmp(nft_families[i], g->family) == 0)
			return true;
	return false;
}

bool gap_fits(const struct gap *g)
{
	return is_plain(g->table) && is_plain(g->chain) && g->before >= 0 && *g->ranges &&
	       strspn(g->ranges, "0123456789./,") == strlen(g->ranges) &&
	       (gap_is_nft(g) || strcmp(g->family, "iptables") == 0 || strcmp(g->family, "legacy") == 0);
}

void gap_add(struct buf *lines, const struct gap *g)
{
	buf_addf(lines, "%s %s %s %lld %s %s\n", g->family, g->table, g->chain, (long long)g->before, g->in ? "in" : "out", g->ranges);
}

/* The word at *at and the blank or newline behind it. */
static bool take(const char **at, char *out, size_t max)
{
	size_t len = strcspn(*at, " \n");

	if (!len || len >= max || !(*at)[len])
		return false;
	memcpy(out, *at, len);
	out[len] = 0;
	*at += len + 1;
	return true;
}

bool gap_next(const char **at, struct gap *out)
{
	char number[24], way[4];

	*out = (struct gap){ 0 };
	if (!take(at, out->family, sizeof(out->family)) || !take(at, out->table, sizeof(out->table)) ||
	    !take(at, out->chain, sizeof(out->chain)) || !take(at, number, sizeof(number)) || !take(at, way, sizeof(way)) ||
	    !take(at, out->ranges, sizeof(out->ranges)))
		return false;
	out->before = strtoll(number, NULL, 10);
	out->in = strcmp(way, "in") == 0;
	return gap_fits(out);
}

/* Is the range among those with commas between them? */
static bool has_range(const char *ranges, const char *range, size_t len)
{
	for (size_t n; *ranges; ranges += n + (ranges[n] == ',')) {
		n = strcspn(ranges, ",");
		if (n == len && memcmp(ranges, range, len) == 0)
			return true;
	}
	return false;
}

static bool has_ranges(const char *ranges, const char *wanted)
{
	for (size_t n; *wanted; wanted += n + (wanted[n] == ',')) {
		n = strcspn(wanted, ",");
		if (!has_range(ranges, wanted, n))
			return false;
	}
	return true;
}

bool gap_same_place(const struct gap *a, const struct gap *b)
{
	return a->in == b->in && strcmp(a->family, b->family) == 0 && strcmp(a->table, b->table) == 0 && strcmp(a->chain, b->chain) == 0;
}

bool gap_among(const struct gap *g, const char *lines)
{
	struct gap each;

	for (const char *at = lines; gap_next(&at, &each);)
		if (gap_same_place(&each, g) && has_ranges(each.ranges, g->ranges))
			return true;
	return false;
}

/* ---- the running filter --------------------------------------------------------------------------------------------- */

static void nft_rule(const struct gap *g, struct buf *out)
{
	buf_addf(out, " ip %s { %s } tcp dport " PORT " accept comment \"" GAP_MARK "\"\n", g->in ? "saddr" : "daddr", g->ranges);
}

void gaps_nft(const char *lines, struct buf *out)
{
	struct gap g;

	for (const char *at = lines; gap_next(&at, &g);) {
		if (!gap_is_nft(&g))
			continue;
		buf_addf(out, "%s rule %s %s %s", g.before ? "insert" : "add", g.family, g.table, g.chain);
		if (g.before)
			buf_addf(out, " handle %lld", (long long)g.before);
		nft_rule(&g, out);
	}
}

void gaps_nft_remove(const char *lines, struct buf *out)
{
	struct gap g;

	for (const char *at = lines; gap_next(&at, &g);)
		if (gap_is_nft(&g) && g.before)
			buf_addf(out, "delete rule %s %s %s handle %lld\n", g.family, g.table, g.chain, (long long)g.before);
}

/* One rule for each range, as iptables itself makes of a list. */
static void rules_of(const struct gap *g, const char *begin, struct buf *out)
{
	for (const char *range = g->ranges; *range;) {
		size_t len = strcspn(range, ",");
		buf_addf(out, "%s -%s %.*s" OUR_MATCH "\n", begin, g->in ? "s" : "d", (int)len, range);
		range += len + (range[len] == ',');
	}
}

static void restore_rules(const struct gap *g, bool take_out, struct buf *out)
{
	char *begin = take_out	? str_fmt("-D %s", g->chain) :
		      g->before ? str_fmt("-I %s %lld", g->chain, (long long)g->before) :
				  str_fmt("-A %s", g->chain);

	rules_of(g, begin, out);
	free(begin);
}

void gaps_restore(const char *lines, const char *family, bool take_out, struct buf *out)
{
	char table[GAP_NAME_MAX] = "";
	struct gap g;

	for (const char *at = lines; gap_next(&at, &g);) {
		if (strcmp(g.family, family) != 0)
			continue;
		if (strcmp(g.table, table) != 0) {
			buf_addf(out, "%s*%s\n", *table ? "COMMIT\n" : "", g.table);
			snprintf(table, sizeof(table), "%s", g.table);
		}
		restore_rules(&g, take_out, out);
	}
	if (*table)
		buf_adds(out, "COMMIT\n");
}

/* ---- the file of nftables ------------------------------------------------------------------------------------------- */

int gaps_to_nft_file(const char *lines, const char *bytes, size_t len, struct buf *out, struct err *err)
{
	size_t begin;
	struct gap g;

	buf_add(out, bytes, len);
	if (len && bytes[len - 1] != '\n')
		buf_addc(out, '\n');
	buf_adds(out, BLOCK_BEGIN);
	begin = out->len;
	for (const char *at = lines; gap_next(&at, &g);) {
		if (!gap_is_nft(&g))
			continue;
		buf_addf(out, "insert rule %s %s %s", g.family, g.table, g.chain);
		nft_rule(&g, out);
	}
	if (out->len == begin)
		return err_set(err, E_INVAL, "there is nothing to put into the file");
	buf_adds(out, BLOCK_END);
	return 0;
}

bool gaps_from_nft_file(const char *bytes, size_t len, struct buf *out)
{
	const char *begin = memmem(bytes, len, BLOCK_BEGIN, strlen(BLOCK_BEGIN)), *end;

	if (!begin)
		return false;
	end = memmem(begin, len - (size_t)(begin - bytes), BLOCK_END, strlen(BLOCK_END));
	if (!end)
		return false;
	end += strlen(BLOCK_END);
	buf_add(out, bytes, (size_t)(begin - bytes));
	buf_add(out, end, len - (size_t)(end - bytes));
	return true;
}

/* ---- the file of iptables ------------------------------------------------------------------------------------------- */

/* A line of a text, without its newline. */
struct line {
	const char *at;
	size_t len;
};

static bool next_line(const char *bytes, size_t len, size_t *at, struct line *out)
{
	const char *newline;

	if (*at >= len)
		return false;
	newline = memchr(bytes + *at, '\n', len - *at);
	*out = (struct line){ bytes + *at, newline ? (size_t)(newline - bytes) - *at : len - *at };
	*at += out->len + (newline != NULL);
	return true;
}

static bool begins(const struct line *l, const char *with)
{
	return l->len >= strlen(with) && memcmp(l->at, with, strlen(with)) == 0;
}

static bool is_line(const struct line *l, const char *text)
{
	return l->len == strlen(text) && begins(l, text);
}

/* Where the walk through the file is. */
struct place {
	bool table; /* in the gap's one */
	int64_t n;  /* of the chain's rules that have passed, this one too */
};

/* Does the gap's rule go before this line? */
static bool goes_before(const struct gap *g, const struct line *l, struct place *p)
{
	struct line rule = *l;
	char begin[GAP_NAME_MAX + 8];
	const char *counted;

	if (l->len && *l->at == '*')
		*p = (struct place){ .table = l->len - 1 == strlen(g->table) && memcmp(l->at + 1, g->table, l->len - 1) == 0 };
	if (!p->table)
		return false;
	if (is_line(l, "COMMIT"))
		return !g->before;
	/* "[packets:bytes] -A …" of iptables-save -c */
	if (begins(l, "[") && (counted = memchr(l->at, ' ', l->len)))
		rule = (struct line){ counted + 1, l->len - (size_t)(counted + 1 - l->at) };
	snprintf(begin, sizeof(begin), "-A %s ", g->chain);
	return begins(&rule, begin) && ++p->n == g->before;
}

/* Offset of the line that the gap's rule goes before; `len`: there is none. */
static size_t offset_of(const struct gap *g, const char *bytes, size_t len)
{
	struct place p = { 0 };
	struct line l;

	for (size_t at = 0; next_line(bytes, len, &at, &l);)
		if (goes_before(g, &l, &p))
			return (size_t)(l.at - bytes);
	return len;
}

/* A gap of the file and where its rule goes. */
struct spot {
	struct gap gap;
	size_t offset;
};

struct spots {
	struct spot *at;
	size_t n;
};

static int find_spots(const char *lines, const char *bytes, size_t len, struct spots *out, struct err *err)
{
	struct gap g;

	for (const char *at = lines; gap_next(&at, &g);) {
		size_t offset;
		if (gap_is_nft(&g))
			continue;
		offset = offset_of(&g, bytes, len);
		if (offset == len)
			return err_set(err, E_INVAL, "the file has no rule %lld in the chain %s of its table %s", (long long)g.before,
				       g.chain, g.table);
		GROW_FOR_ONE(out->at, out->n);
		out->at[out->n++] = (struct spot){ g, offset };
	}
	return out->n ? 0 : err_set(err, E_INVAL, "there is nothing to put into the file");
}

static void put_rules(const struct spots *spots, size_t offset, struct buf *out)
{
	char *begin;

	for (size_t i = 0; i < spots->n; i++) {
		if (spots->at[i].offset != offset)
			continue;
		begin = str_fmt("-A %s", spots->at[i].gap.chain);
		rules_of(&spots->at[i].gap, begin, out);
		free(begin);
	}
}

int gaps_to_rules_file(const char *lines, const char *bytes, size_t len, struct buf *out, struct err *err)
{
	struct spots spots = { 0 };
	struct line l;
	int rc = find_spots(lines, bytes, len, &spots, err);

	for (size_t at = 0; rc == 0 && next_line(bytes, len, &at, &l);) {
		put_rules(&spots, (size_t)(l.at - bytes), out);
		buf_add(out, l.at, (size_t)(bytes + at - l.at));
	}
	free(spots.at);
	return rc;
}

bool gaps_from_rules_file(const char *bytes, size_t len, struct buf *out)
{
	struct line l;
	bool found = false;

	for (size_t at = 0; next_line(bytes, len, &at, &l);) {
		if (begins(&l, "-A ") && memmem(l.at, l.len, OUR_MATCH, strlen(OUR_MATCH)))
			found = true;
		else
			buf_add(out, l.at, (size_t)(bytes + at - l.at));
	}
	return found;
}
