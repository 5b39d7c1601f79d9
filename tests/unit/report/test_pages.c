/*
 * Writes the pages that tests/browser/report.sh looks at, into $REPORT_PAGES; without that variable each is only made.
 *
 *     REPORT_PAGES=/tmp/pages unit_report pages
 */
#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "base/file.h"
#include "report/status.h"
#include "report/todo.h"
#include "report/why.h"

static void write_page(const char *name, const struct buf *page)
{
	const char *folder = getenv("REPORT_PAGES");
	struct err err = { 0 };
	char *path;

	if (!folder)
		return;
	path = file_join(folder, name);
	ck_assert_msg(file_write(path, 0644, page->data, page->len, &err) == 0, "%s", err.text);
	free(path);
}

static void write_todo(struct report_query *q, const char *name)
{
	char *file = str_fmt("%s.todo", name);
	const struct todo_filter all = { 0 };
	struct buf out = BUF_INIT;

	ck_assert_int_eq(todo_json(q, &all, &out, NULL), 0);
	write_page(file, &out);
	buf_release(&out);
	free(file);
}

/* Every format of a state file. The shortest page there is has its head, its style and its foot. */
static void write_formats(struct fab *f, const char *tenant, enum report_lang lang, const char *name)
{
	struct journal_reader *reader = fab_reader(f);
	struct report_query q = fab_query(reader);
	struct buf out = BUF_INIT;
	struct report *report;
	static const struct {
		const char *suffix;
		int (*make)(const struct report *, struct buf *, struct err *);
	} formats[] = {
		{ "html", report_html }, { "json", report_json }, { "csv", report_csv }, { "txt", report_text }
	};

	q.tenant = tenant;
	q.lang = lang;
	ck_assert_int_eq(report_load(&q, &report, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		char *file = str_fmt("%s.%s", name, formats[i].suffix);

		out = (struct buf){ 0 };
		ck_assert_int_eq(formats[i].make(report, &out, NULL), 0);
		ck_assert_uint_gt(out.len, 100);
		write_page(file, &out);
		buf_release(&out);
		free(file);
	}
	report_free(report);
	write_todo(&q, name);
	journal_reader_close(reader);
}

START_TEST(night)
{
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	write_formats(&f, NULL, REPORT_EN, "night");
	write_formats(&f, NULL, REPORT_JA, "night.ja");
	write_formats(&f, "acme", REPORT_JA, "acme.ja");
	fab_release(&f);
}
END_TEST

START_TEST(fleet)
{
	struct fab f;

	fab_init(&f);
	fab_fleet(&f, 200);
	write_formats(&f, NULL, REPORT_EN, "fleet");
	fab_release(&f);
}
END_TEST

START_TEST(hostile)
{
	struct fab f;

	fab_init(&f);
	fab_hostile(&f);
	write_formats(&f, NULL, REPORT_EN, "hostile");
	write_formats(&f, NULL, REPORT_JA, "hostile.ja");
	fab_release(&f);
}
END_TEST

SUITE(pages)
{
	TEST_CASE(s, night);
	TEST_CASE(s, fleet);
	TEST_CASE(s, hostile);
}
