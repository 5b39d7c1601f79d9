#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "report/escape.h"

static const struct {
	const char *text, *html, *json, *csv, *line;
} table[] = {
	{ "", "", "\"\"", "", "" },
	{ "plain", "plain", "\"plain\"", "plain", "plain" },
	{ "<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;", "\"<a href=\\\"x\\\">&'\"",
	  "\"<a href=\"\"x\"\">&'\"", "<a href=\"x\">&'" },
	{ "a,b", "a,b", "\"a,b\"", "\"a,b\"", "a,b" },
	{ "a\nb", "a\nb", "\"a\\nb\"", "\"a\nb\"", "a b" },
	{ "a\tb", "a\tb", "\"a\\tb\"", "a\tb", "a b" },
	{ "=1+1", "=1+1", "\"=1+1\"", "\"'=1+1\"", "=1+1" },
	{ "+1", "+1", "\"+1\"", "\"'+1\"", "+1" },
	{ "-1", "-1", "\"-1\"", "\"'-1\"", "-1" },
	{ "@x", "@x", "\"@x\"", "\"'@x\"", "@x" },
	{ "\tx", "\tx", "\"\\tx\"", "\"'\tx\"", " x" },
	{ "＝1", "＝1", "\"＝1\"", "\"'＝1\"", "＝1" },
	{ "a=1", "a=1", "\"a=1\"", "a=1", "a=1" },
	{ "\x1b[31m", "\\x1b[31m", "\"\\u001b[31m\"", "\\x1b[31m", "\\x1b[31m" },
	{ "\x7f", "\\x7f", "\"\\u007f\"", "\\x7f", "\\x7f" },
	{ "\xc2\x9b", "\\x9b", "\"\\u009b\"", "\\x9b", "\\x9b" },
	{ "\xe2\x80\xae", "\\u202e", "\"\\u202e\"", "\\u202e", "\\u202e" },
	{ "\xe2\x80\x8b", "\\u200b", "\"\\u200b\"", "\\u200b", "\\u200b" },
	{ "caf\xc3\xa9 \xe6\x97\xa5", "café 日", "\"café 日\"", "café 日", "café 日" },
	{ "\xe9", "\xef\xbf\xbd", "\"\xef\xbf\xbd\"", "\xef\xbf\xbd", "\xef\xbf\xbd" },
	{ "a\xe6\x97", "a\xef\xbf\xbd\xef\xbf\xbd", "\"a\xef\xbf\xbd\xef\xbf\xbd\"", "a\xef\xbf\xbd\xef\xbf\xbd",
	  "a\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\\", "\\", "\"\\\\\"", "\\", "\\" },
};

START_TEST(each)
{
	void (*const escapes[])(struct buf *, const char *) = { escape_html, escape_json, escape_csv, escape_line };
	const char *const want[] = { table[_i].html, table[_i].json, table[_i].csv, table[_i].line };

	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		struct buf out = BUF_INIT;

		escapes[i](&out, table[_i].text);
		ck_assert_str_eq(buf_str(&out), want[i]);
		buf_release(&out);
	}
}
END_TEST

static const struct {
	const char *text;
	size_t columns;
	const char *want;
} cells[] = {
	{ "abc", 5, "abc  " },	 { "abcdef", 5, "abcd…" },    { "abcde", 5, "abcde" },
	{ "", 2, "  " },	 { "日本語", 6, "日本語" },   { "日本語", 5, "日本…" },
	{ "日本語", 4, "日… " }, { "a\x1b", 8, "a\\x1b   " }, { "x", 0, "" },
};

START_TEST(cell)
{
	struct buf out = BUF_INIT;

	escape_cell(&out, cells[_i].text, cells[_i].columns, true);
	ck_assert_str_eq(buf_str(&out), cells[_i].want);
	ck_assert_uint_eq(text_columns(buf_str(&out)), cells[_i].columns);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *text;
	size_t columns, indent, used;
	const char *want;
} wraps[] = {
	{ "one two three", 8, 2, 0, "one two\n  three" },
	{ "one two", 80, 2, 0, "one two" },
	{ "a-very-long-word b", 6, 1, 0, "a-very-long-word\n b" },
	{ "one two", 8, 4, 5, "one\n    two" },
	{ "  one   two ", 80, 0, 0, "one two" },
	{ "日本語の文", 6, 0, 0, "日本語\nの文" },
	{ "", 8, 2, 0, "" },
};

START_TEST(wrap)
{
	struct buf out = BUF_INIT;

	escape_wrapped(&out, wraps[_i].text, wraps[_i].columns, wraps[_i].indent, wraps[_i].used);
	ck_assert_str_eq(buf_str(&out), wraps[_i].want);
	buf_release(&out);
}
END_TEST

SUITE(escape)
{
	TEST_CASE_LOOP(s, each, 0, (int)ARRAY_LEN(table));
	TEST_CASE_LOOP(s, cell, 0, (int)ARRAY_LEN(cells));
	TEST_CASE_LOOP(s, wrap, 0, (int)ARRAY_LEN(wraps));
}
