/* Text from hosts, customers and names in every field, and what each sink makes of it. */
#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "report/status.h"
#include "report/why.h"

#include <jansson.h>

struct hostile {
	struct fab fab;
	struct report *report;
};

static void setup(struct hostile *h)
{
	fab_init(&h->fab);
	fab_hostile(&h->fab);
	h->report = fab_report(&h->fab, NULL);
}

static void teardown(struct hostile *h)
{
	report_free(h->report);
	fab_release(&h->fab);
}

/* Markup is the source's own: what is between < and > in the file begins with one of these names. */
static const char *const tags[] = { "!doctype", "html",	  "head",    "meta",   "title",	  "style",   "body",
				    "header",	"main",	  "section", "div",    "span",	  "h1",	     "h2",
				    "h3",	"h4",	  "p",	     "b",      "i",	  "code",    "dl",
				    "dt",	"dd",	  "svg",     "rect",   "nav",	  "a",	     "article",
				    "table",	"tbody",  "thead",   "tr",     "td",	  "th",	     "small",
				    "input",	"select", "option",  "output", "time",	  "figure",  "figcaption",
				    "mark",	"pre",	  "ul",	     "li",     "details", "summary", "br",
				    "footer",	"script" };

static bool is_tag(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (strlen(tags[i]) == len && strncmp(tags[i], name, len) == 0)
			return true;
	return false;
}

START_TEST(html)
{
	struct buf out = BUF_INIT;
	struct hostile h;
	size_t scripts = 0, looked = 0;

	setup(&h);
	ck_assert_int_eq(report_html(h.report, &out, NULL), 0);
	for (const char *at = strchr(buf_str(&out), '<'); at; at = strchr(at + 1, '<')) {
		const char *name = at + 1 + (at[1] == '/');
		size_t len = strcspn(name, " >/\n");
		const char *end = strchr(at, '>'), *handler = strstr(at, " on");

		if (strncmp(at, "<script>", 8) == 0) {
			scripts++;
			at = strstr(at, "</script>") - 1;
			continue;
		}
		ck_assert_msg(is_tag(name, len), "a tag of somebody else: %.60s", at);
		ck_assert_msg(!handler || handler > end, "an event handler: %.80s", at);
		ck_assert_msg(strncmp(name, "style", 5) != 0 || strncmp(name, "style>", 6) == 0, "%.60s", at);
		looked++;
	}
	ck_assert_uint_gt(looked, 1000);
	ck_assert_uint_eq(scripts, 1);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "script-src 'sha256-"));
	ck_assert_ptr_null(strstr(buf_str(&out), "unsafe-inline"));
	ck_assert_ptr_null(strstr(buf_str(&out), "href=\"javascript:"));
	ck_assert_ptr_null(strstr(buf_str(&out), "\xe2\x80\xae"));
	ck_assert_ptr_null(strchr(buf_str(&out), '\x1b'));
	buf_release(&out);
	teardown(&h);
}
END_TEST

/* Reads one cell of RFC 4180 into `cell`; what follows it. Fails the test where the file is none. */
static const char *cell_read(const char *at, struct buf *cell)
{
	buf_clear(cell);
	if (*at != '"') {
		size_t len = strcspn(at, ",\r\n\"");

		buf_add(cell, at, len);
		ck_assert_msg(at[len] != '"', "a quote within a plain cell: %.40s", at);
		return at + len;
	}
	for (at++; *at != '"' || at[1] == '"'; at++) {
		ck_assert_msg(*at, "a cell that does not end");
		at += *at == '"';
		buf_addc(cell, *at);
	}
	return at + 1;
}

START_TEST(csv)
{
	struct buf out = BUF_INIT, cell = BUF_INIT;
	size_t lines = 0, cells = 0, width = 0;
	struct hostile h;

	setup(&h);
	ck_assert_int_eq(report_csv(h.report, &out, NULL), 0);
	for (const char *at = buf_str(&out); *at; at++) {
		at = cell_read(at, &cell);
		cells++;
		ck_assert_msg(!strchr("=+-@\t\r", *buf_str(&cell)) || !*buf_str(&cell), "a formula: %s",
			      buf_str(&cell));
		ck_assert_ptr_null(strchr(buf_str(&cell), '\x1b'));
		if (*at == ',')
			continue;
		ck_assert_msg(at[0] == '\r' && at[1] == '\n', "what follows a cell: %.10s", at);
		at++;
		width = width ? width : cells;
		ck_assert_uint_eq(cells, width);
		cells = 0;
		lines++;
	}
	ck_assert_uint_eq(width, 28);
	ck_assert_uint_eq(lines, h.report->rows.n + 1);
	buf_release(&cell);
	buf_release(&out);
	teardown(&h);
}
END_TEST

START_TEST(json)
{
	struct buf out = BUF_INIT;
	json_error_t error;
	struct hostile h;
	json_t *root;

	setup(&h);
	ck_assert_int_eq(report_json(h.report, &out, NULL), 0);
	root = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(root, "%s at %d", error.text, error.line);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "report")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(root, "tenants")), h.report->tenants_n);
	/* what was said arrives as it was said */
	for (size_t i = 0; i < h.report->tenants_n; i++) {
		const json_t *tenant = json_array_get(json_object_get(root, "tenants"), i);
		const json_t *step = json_array_get(json_object_get(tenant, "steps"), 0);

		ck_assert_str_eq(json_string_value(json_object_get(step, "text")),
				 h.report->tenants[i]->rows[0]->row->text);
		ck_assert_str_eq(json_string_value(json_object_get(tenant, "name")), h.report->tenants[i]->name);
	}
	json_decref(root);
	buf_release(&out);
	teardown(&h);
}
END_TEST

/* A terminal gets letters, newlines and nothing that moves its cursor, changes its title or turns text around. */
static void check_terminal(const struct buf *out)
{
	const char *text = buf_str(out);

	ck_assert_uint_gt(out->len, 100);
	for (size_t i = 0; i < out->len; i++) {
		unsigned char c = (unsigned char)text[i], next = (unsigned char)text[i + 1];

		ck_assert_msg((c >= 0x20 && c != 0x7f) || c == '\n', "byte %02x after: %.40s", c,
			      text + (i > 40 ? i - 40 : 0));
		ck_assert_msg(c != 0xc2 || next >= 0xa0, "a C1 control");
	}
	ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
}

START_TEST(terminal)
{
	struct hostile h;
	struct buf out = BUF_INIT;
	struct journal_reader *reader;
	struct report_query q;

	setup(&h);
	ck_assert_int_eq(report_text(h.report, &out, NULL), 0);
	check_terminal(&out);
	buf_clear(&out);
	reader = fab_reader(&h.fab);
	q = fab_query(reader);
	ck_assert_int_eq(status_text(&q, &out, NULL), 0);
	check_terminal(&out);
	for (size_t i = 0; i < h.report->tenants_n; i++) {
		buf_clear(&out);
		q.tenant = h.report->tenants[i]->id;
		ck_assert_int_eq(status_text(&q, &out, NULL), 0);
		ck_assert_int_eq(why_text(&q, &out, NULL), 0);
		check_terminal(&out);
	}
	journal_reader_close(reader);
	buf_release(&out);
	teardown(&h);
}
END_TEST

SUITE(hostile)
{
	TEST_CASE(s, html);
	TEST_CASE(s, csv);
	TEST_CASE(s, json);
	TEST_CASE(s, terminal);
}
