#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "agents/edit/crontab.h"
#include "base/alloc.h"

#define MARKER "#CUTOVER:acme: "

static const char *const folders[] = { "/opt/imhs-ws-clinet", "/data/sync client/imhs-ws-clinet", NULL };
static const char *const names[] = { "imhs-ws-clinet", "imhs-ws-client", "imhs-ws-client.rb", NULL };
static const struct crontab_client client = { folders, names };

/* ---- golden ----------------------------------------------------------------------------------------------------- */

static struct buf all_off(const struct buf *in, const struct crontab_entry *found, size_t n)
{
	struct buf text = BUF_INIT;

	buf_add(&text, buf_str(in), in->len);
	for (size_t i = 0; i < n; i++) {
		struct buf out = BUF_INIT;
		struct err err = { 0 };
		int rc = crontab_disable(buf_str(&text), text.len, in->data + found[i].body_offset, found[i].body_len,
					 MARKER, &out, &err);

		ck_assert_int_eq(rc, found[i].off ? E_EXISTS : 0);
		if (rc)
			continue;
		buf_release(&text);
		text = out;
	}
	return text;
}

static void check(const char *name, const struct buf *in, enum crontab_format format)
{
	struct crontab_entry *found;
	size_t n;
	struct buf said = BUF_INIT, off;

	crontab_find(buf_str(in), in->len, format, &client, MARKER, &found, &n);
	for (size_t i = 0; i < n; i++)
		buf_addf(&said, "%ld %s%s%s\n", found[i].line, found[i].off ? "off" : "on", found[i].user[0] ? " " : "",
			 found[i].user);
	golden_same(name, ".want", buf_str(&said), said.len);
	off = all_off(in, found, n);
	golden_same(name, ".off", buf_str(&off), off.len);
	buf_release(&said);
	buf_release(&off);
	free(found);
}

static void one_user(const char *name, const struct buf *in)
{
	check(name, in, CRONTAB_USER);
}

static void one_system(const char *name, const struct buf *in)
{
	check(name, in, CRONTAB_SYSTEM);
}

START_TEST(test_golden)
{
	ck_assert_int_ge(golden_each("crontab", ".tab", one_user), 12);
	ck_assert_int_ge(golden_each("crontab", ".sys", one_system), 1);
}
END_TEST

/* ---- off and on ------------------------------------------------------------------------------------------------- */

static int enable(const char *text, const char *line, struct buf *out)
{
	return crontab_enable(text, strlen(text), line, strlen(line), MARKER, out, NULL);
}

static int disable(const char *text, const char *line, struct buf *out)
{
	return crontab_disable(text, strlen(text), line, strlen(line), MARKER, out, NULL);
}

START_TEST(test_off_and_on)
{
	struct buf off = BUF_INIT, on = BUF_INIT;

	ck_assert_int_eq(disable("a\nb\nc", "b", &off), 0);
	ck_assert_str_eq(buf_str(&off), "a\n" MARKER "b\nc");
	ck_assert_int_eq(enable(buf_str(&off), "b", &on), 0);
	ck_assert_str_eq(buf_str(&on), "a\nb\nc");
	buf_release(&off);
	buf_release(&on);
}
END_TEST

START_TEST(test_a_second_time_changes_nothing)
{
	struct buf out = BUF_INIT;

	ck_assert_int_eq(disable("a\n" MARKER "b\n", "b", &out), E_EXISTS);
	ck_assert_int_eq(enable("a\nb\n", "b", &out), E_EXISTS);
	ck_assert_uint_eq(out.len, 0);
	buf_release(&out);
}
END_TEST

START_TEST(test_the_line_is_gone)
{
	struct buf out = BUF_INIT;

	ck_assert_int_eq(disable("a\n", "b", &out), E_NOTFOUND);
	ck_assert_int_eq(enable("a\n" MARKER "b \n", "b", &out), E_NOTFOUND);
	ck_assert_int_eq(enable("a\n" MARKER "b\r\n", "b", &out), E_NOTFOUND);
	ck_assert_int_eq(enable("a\n #CUTOVER:acme: b\n", "b", &out), E_NOTFOUND);
	ck_assert_int_eq(enable("a\n#CUTOVER:acme2: b\n", "b", &out), E_NOTFOUND);
	ck_assert_int_eq(enable("", "b", &out), E_NOTFOUND);
	ck_assert_uint_eq(out.len, 0);
	buf_release(&out);
}
END_TEST

START_TEST(test_which_one_is_not_clear)
{
	struct buf out = BUF_INIT;

	ck_assert_int_eq(disable("b\nb\n", "b", &out), E_INVAL);
	ck_assert_int_eq(disable("b\n" MARKER "b\n", "b", &out), E_INVAL);
	ck_assert_int_eq(enable("b\n" MARKER "b\n", "b", &out), E_INVAL);
	ck_assert_int_eq(enable(MARKER "b\n" MARKER "b\n", "b", &out), E_INVAL);
	ck_assert_uint_eq(out.len, 0);
	buf_release(&out);
}
END_TEST

START_TEST(test_marker)
{
	ck_assert(crontab_has_marker(MARKER "b", strlen(MARKER "b"), MARKER));
	ck_assert(crontab_has_marker("a\n" MARKER "b", strlen("a\n" MARKER "b"), MARKER));
	ck_assert(!crontab_has_marker("a " MARKER "b", strlen("a " MARKER "b"), MARKER));
	ck_assert(!crontab_has_marker("#CUTOVER:acme2: b", 17, MARKER));
	ck_assert(!crontab_has_marker("", 0, MARKER));
}
END_TEST

START_TEST(test_folder_with_blanks)
{
	const char *text = "1 1 * * * cd '/data/sync client/imhs-ws-clinet' && ./go\n";
	struct crontab_entry *found;
	size_t n;

	crontab_find(text, strlen(text), CRONTAB_USER, &client, MARKER, &found, &n);
	ck_assert_uint_eq(n, 1);
	free(found);
}
END_TEST

/* ---- properties, on tables put together at random --------------------------------------------------------------- */

static void random_line(struct buf *out, int unique)
{
	static const char *const pieces[] = {
		"# comment %d",
		"",
		"   ",
		"MAILTO=x%d",
		"%d 3 * * * /usr/bin/backup",
		"@daily ruby /opt/imhs-ws-clinet/imhs-ws-client.rb %d",
		"%d 3 * * * cd /opt/imhs-ws-clinet && ruby imhs-ws-client.rb",
		"\t%d 3 * * * ruby imhs-ws-client.rb \\%% x %% y\r",
		"#CUTOVER:other: %d 3 * * * cd /opt/imhs-ws-clinet",
		"#%d 3 * * * cd /opt/imhs-ws-clinet && ruby imhs-ws-client.rb",
		"\x95\x5c %d",
	};
	unsigned which = golden_random(ARRAY_LEN(pieces));
	char *text = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	ck_assert_int_ge(asprintf(&text, pieces[which], unique), 0);
#pragma GCC diagnostic pop
	buf_adds(out, text);
	free(text);
}

static struct buf random_table(void)
{
	struct buf text = BUF_INIT;
	unsigned lines = golden_random(9);

	for (unsigned i = 0; i < lines; i++) {
		random_line(&text, (int)i);
		if (i + 1 < lines || golden_random(4))
			buf_addc(&text, '\n');
	}
	return text;
}

/* Somebody edits other lines: puts one in, in front, at the end, or between. */
static struct buf edited(const struct buf *text, size_t *inserted_at, size_t *inserted_len)
{
	struct buf out = BUF_INIT, line = BUF_INIT;
	size_t at = golden_random((unsigned)text->len + 1);

	while (at && text->data[at - 1] != '\n')
		at--;
	random_line(&line, 1000 + (int)golden_random(1000));
	buf_addc(&line, '\n');
	buf_add(&out, buf_str(text), at);
	buf_add(&out, buf_str(&line), line.len);
	buf_add(&out, buf_str(text) + at, text->len - at);
	*inserted_at = at;
	*inserted_len = line.len;
	buf_release(&line);
	return out;
}

/* Off, then an edit by somebody, then on: the table is what it would be with the edit alone. */
static void round_trip(const struct buf *table, const struct crontab_entry *entry)
{
	const char *line = table->data + entry->body_offset;
	struct buf off = BUF_INIT, on = BUF_INIT, after;
	size_t at, len;

	ck_assert_int_eq(crontab_disable(table->data, table->len, line, entry->body_len, MARKER, &off, NULL), 0);
	ck_assert_uint_eq(off.len, table->len + strlen(MARKER));
	ck_assert_int_eq(memcmp(off.data, table->data, entry->offset), 0);
	ck_assert_int_eq(memcmp(off.data + entry->offset, MARKER, strlen(MARKER)), 0);
	ck_assert_int_eq(memcmp(off.data + entry->offset + strlen(MARKER), line, table->len - entry->offset), 0);
	after = edited(&off, &at, &len);
	ck_assert_int_eq(crontab_enable(after.data, after.len, line, entry->body_len, MARKER, &on, NULL), 0);
	/* without what was put in, it is the first table */
	if (at > entry->offset)
		at -= strlen(MARKER);
	memmove(on.data + at, on.data + at + len, on.len - at - len);
	ck_assert(buf_equals(table, on.data, on.len - len));
	buf_release(&off);
	buf_release(&on);
	buf_release(&after);
}

START_TEST(test_round_trips)
{
	int trips = 0;

	golden_seed = 20151119;
	for (int i = 0; i < 4000; i++) {
		struct buf table = random_table();
		struct crontab_entry *found;
		size_t n;

		crontab_find(buf_str(&table), table.len, CRONTAB_USER, &client, MARKER, &found, &n);
		for (size_t k = 0; k < n; k++, trips++)
			round_trip(&table, &found[k]);
		free(found);
		buf_release(&table);
	}
	ck_assert_int_ge(trips, 4000);
}
END_TEST

/* Any bytes at all: nothing is read beyond the end, and each entry is a whole line of the text. */
START_TEST(test_random_bytes)
{
	static const char alphabet[] = "123 * @d=#\n\n\r\t%\\$A{}'\"/opt/imhs-ws-clinet\0\xff";

	golden_seed = 4711;
	for (int i = 0; i < 6000; i++) {
		size_t len = golden_random(120), n;
		char *text = malloc(len ? len : 1);
		struct crontab_entry *found;

		ck_assert_ptr_nonnull(text);
		for (size_t k = 0; k < len;) {
			if (golden_random(8) == 0 && len - k > 40) {
				memcpy(text + k, "\n1 1 * * * ruby imhs-ws-client.rb", 33);
				k += 33;
			} else {
				text[k++] = alphabet[golden_random(sizeof(alphabet) - 1)];
			}
		}
		crontab_find(text, len, i % 2 ? CRONTAB_USER : CRONTAB_SYSTEM, &client, MARKER, &found, &n);
		for (size_t k = 0; k < n; k++) {
			ck_assert(found[k].offset == 0 || text[found[k].offset - 1] == '\n');
			ck_assert(found[k].offset + found[k].len == len ||
				  text[found[k].offset + found[k].len] == '\n');
			ck_assert_ptr_null(memchr(text + found[k].offset, '\n', found[k].len));
		}
		free(found);
		free(text);
	}
}
END_TEST

SUITE(crontab)
{
	TEST_CASE(s, test_golden);
	TEST_CASE(s, test_off_and_on);
	TEST_CASE(s, test_a_second_time_changes_nothing);
	TEST_CASE(s, test_the_line_is_gone);
	TEST_CASE(s, test_which_one_is_not_clear);
	TEST_CASE(s, test_marker);
	TEST_CASE(s, test_folder_with_blanks);
	TEST_CASE(s, test_round_trips);
	TEST_CASE(s, test_random_bytes);
}
