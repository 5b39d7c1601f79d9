/*
 * The formats as they are, against the files of tests/golden/report. What is not the report's own is replaced before:
 * the program's version, and the hashes of the journal and of the page's style and script. To write them anew after a
 * change that is wanted (and to look at the difference before it is committed):
 *
 *     GOLDEN_WRITE=1 CK_FORK=no unit_report golden
 */
#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "base/file.h"
#include "report/html_parts.h"
#include "report/status.h"
#include "report/todo.h"
#include "report/why.h"

/* ---- what is left out -------------------------------------------------------------------------------------------- */

static bool is_hex(const char *at)
{
	return strspn(at, "0123456789abcdef") == 64;
}

/* The hashes that the fixtures themselves have stay. */
static bool is_ours(const char *at)
{
	return strncmp(at, "3b7d1c0e", 8) == 0 || strncmp(at, "a41f0c2e", 8) == 0;
}

static void add_normal(struct buf *out, const char *text)
{
	const char *css = strstr(text, html_css), *script = strstr(text, html_script);

	while (*text) {
		if (text == css || text == script) {
			buf_adds(out, text == css ? "CSS" : "SCRIPT");
			text += strlen(text == css ? html_css : html_script);
		} else if (strncmp(text, "'sha256-", 8) == 0) {
			buf_adds(out, "'sha256-HASH'");
			text += 8 + strcspn(text + 8, "'") + 1;
		} else if (strncmp(text, "cutover " CUTOVER_VERSION, strlen("cutover " CUTOVER_VERSION)) == 0) {
			buf_adds(out, "cutover VERSION");
			text += strlen("cutover " CUTOVER_VERSION);
		} else if (is_hex(text) && !is_ours(text)) {
			buf_adds(out, "HASH");
			text += 64;
		} else {
			buf_addc(out, *text++);
		}
	}
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* The first line that differs, with its number. */
static void complain(const char *name, const char *seen, const char *want)
{
	size_t line = 1, from = 0;

	for (size_t i = 0; seen[i] && seen[i] == want[i]; i++)
		if (seen[i] == '\n') {
			line++;
			from = i + 1;
		}
	ck_abort_msg("%s, line %zu\nseen:   %.*s\nwanted: %.*s", name, line, (int)strcspn(seen + from, "\n"),
		     seen + from, (int)strcspn(want + from, "\n"), want + from);
}

static void check_golden(const char *name, const struct buf *out)
{
	char *path = str_fmt("%s/tests/golden/report/%s", SOURCE_DIR, name);
	struct buf seen = BUF_INIT, want = BUF_INIT;
	struct err err = { 0 };

	add_normal(&seen, buf_str(out));
	if (getenv("GOLDEN_WRITE"))
		ck_assert_msg(file_write(path, 0644, seen.data, seen.len, &err) == 0, "%s", err.text);
	ck_assert_msg(file_read(path, 4 << 20, &want, &err) == 0, "%s", err.text);
	if (!buf_equals(&seen, want.data, want.len))
		complain(name, buf_str(&seen), buf_str(&want));
	buf_release(&seen);
	buf_release(&want);
	free(path);
}

static int text_format(const struct report_query *q, struct buf *out,
		       int (*format)(const struct report *, struct buf *, struct err *))
{
	struct report *r;
	int rc = report_load(q, &r, NULL);

	if (rc == 0) {
		rc = format(r, out, NULL);
		report_free(r);
	}
	return rc;
}

static int make_todo(const struct report_query *q, struct buf *out, struct err *err)
{
	const struct todo_filter all = { 0 };

	return todo_text(q, &all, out, err);
}

static int make_html(const struct report_query *q, struct buf *out, struct err *err)
{
	(void)err;
	return text_format(q, out, report_html);
}

static int make_json(const struct report_query *q, struct buf *out, struct err *err)
{
	(void)err;
	return text_format(q, out, report_json);
}

static int make_csv(const struct report_query *q, struct buf *out, struct err *err)
{
	(void)err;
	return text_format(q, out, report_csv);
}

static int make_text(const struct report_query *q, struct buf *out, struct err *err)
{
	(void)err;
	return text_format(q, out, report_text);
}

static const struct {
	const char *file;
	int (*make)(const struct report_query *, struct buf *, struct err *);
	const char *tenant;
	enum report_lang lang;
	int width;
	bool colour;
} table[] = {
	{ "status.txt", status_text, NULL, REPORT_EN, 100, false },
	{ "status.colour.txt", status_text, NULL, REPORT_EN, 80, true },
	{ "status.ja.txt", status_text, NULL, REPORT_JA, 100, false },
	{ "status.acme.txt", status_text, "acme", REPORT_EN, 100, false },
	{ "todo.txt", make_todo, NULL, REPORT_EN, 100, false },
	{ "todo.ja.txt", make_todo, NULL, REPORT_JA, 100, false },
	{ "why.acme.txt", why_text, "acme", REPORT_EN, 100, false },
	{ "why.basil.txt", why_text, "basil", REPORT_EN, 100, false },
	{ "why.delta.txt", why_text, "delta", REPORT_EN, 100, false },
	{ "why.delta.ja.txt", why_text, "delta", REPORT_JA, 100, false },
	{ "why.echo.txt", why_text, "echo", REPORT_EN, 100, false },
	{ "why.fuji.txt", why_text, "fuji", REPORT_EN, 100, false },
	{ "why.golf.txt", why_text, "golf", REPORT_EN, 100, false },
	{ "why.hotel.txt", why_text, "hotel", REPORT_EN, 100, false },
	{ "report.txt", make_text, NULL, REPORT_EN, 100, false },
	{ "report.acme.ja.txt", make_text, "acme", REPORT_JA, 100, false },
	{ "report.csv", make_csv, NULL, REPORT_EN, 0, false },
	{ "report.fuji.json", make_json, "fuji", REPORT_EN, 0, false },
	{ "report.basil.json", make_json, "basil", REPORT_EN, 0, false },
	{ "report.delta.html", make_html, "delta", REPORT_EN, 0, false },
	{ "report.acme.ja.html", make_html, "acme", REPORT_JA, 0, false },
};

START_TEST(each)
{
	struct journal_reader *reader;
	struct buf out = BUF_INIT;
	struct report_query q;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	reader = fab_reader(&f);
	q = fab_query(reader);
	q.tenant = table[_i].tenant;
	q.lang = table[_i].lang;
	q.width = table[_i].width;
	q.colour = table[_i].colour;
	ck_assert_int_eq(table[_i].make(&q, &out, NULL), 0);
	check_golden(table[_i].file, &out);
	/* the same question gives the same bytes */
	struct buf again = BUF_INIT;
	ck_assert_int_eq(table[_i].make(&q, &again, NULL), 0);
	ck_assert(buf_equals(&again, out.data, out.len));
	buf_release(&again);
	buf_release(&out);
	journal_reader_close(reader);
	fab_release(&f);
}
END_TEST

SUITE(golden)
{
	TEST_CASE_LOOP(s, each, 0, (int)ARRAY_LEN(table));
}
