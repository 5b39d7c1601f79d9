/*
 * A large fleet: every tenant is accounted for, and the HTML file stays within its bounds. $REPORT_TENANTS sets the
 * size (1000 unless given) and then time and size are printed:
 *
 *     REPORT_TENANTS=10000 CK_FORK=no unit_report scale
 *
 * With $REPORT_PAGES the page is left there as large.html, to be opened in a browser.
 */
#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "base/file.h"
#include "report/status.h"

#include <sys/resource.h>

static int64_t cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void say(const char *what, int64_t since_ms, size_t bytes)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	if (getenv("REPORT_TENANTS"))
		printf("%-10s %6lld ms %9.1f MB (peak memory %ld MB)\n", what, (long long)(cpu_ms() - since_ms),
		       (double)bytes / 1e6, usage.ru_maxrss / 1024);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (text = strstr(text, part); text; text = strstr(text + 1, part))
		n++;
	return n;
}

static void keep_page(const struct buf *page)
{
	char *path;

	if (!getenv("REPORT_PAGES"))
		return;
	path = file_join(getenv("REPORT_PAGES"), "large.html");
	ck_assert_int_eq(file_write(path, 0644, page->data, page->len, NULL), 0);
	free(path);
}

static void check_formats(const struct report *report, size_t tenants)
{
	struct buf out = BUF_INIT;
	int64_t since = cpu_ms();

	ck_assert_int_eq(report_html(report, &out, NULL), 0);
	say("html", since, out.len);
	keep_page(&out);
	ck_assert_uint_eq(count(buf_str(&out), "<tr data-s="), tenants);
	ck_assert_uint_le(out.len, ((size_t)17 << 20) + tenants * 900);
	out = (buf_release(&out), (struct buf){ 0 });
	since = cpu_ms();
	ck_assert_int_eq(report_json(report, &out, NULL), 0);
	say("json", since, out.len);
	ck_assert_uint_eq(count(buf_str(&out), "\"id\":\"c"), tenants);
	out = (buf_release(&out), (struct buf){ 0 });
	since = cpu_ms();
	ck_assert_int_eq(report_csv(report, &out, NULL), 0);
	say("csv", since, out.len);
	ck_assert_uint_eq(count(buf_str(&out), "\r\n"), tenants * 15 + 1);
	out = (buf_release(&out), (struct buf){ 0 });
	since = cpu_ms();
	ck_assert_int_eq(report_text(report, &out, NULL), 0);
	say("text", since, out.len);
	ck_assert_uint_eq(count(buf_str(&out), "\n== "), tenants);
	buf_release(&out);
}

START_TEST(all_of_them)
{
	const char *given = getenv("REPORT_TENANTS");
	size_t tenants = given ? strtoul(given, NULL, 10) : 1000;
	struct journal_reader *reader;
	struct report_query q;
	struct report *report;
	struct buf out = BUF_INIT;
	struct fab f;
	int64_t since;

	fab_init(&f);
	fab_fleet(&f, tenants);
	reader = fab_reader(&f);
	q = fab_query(reader);
	since = cpu_ms();
	q.verify = false;
	ck_assert_int_eq(status_text(&q, &out, NULL), 0);
	say("status", since, out.len);
	ck_assert_uint_le(out.len, 100000);
	q.verify = true;
	since = cpu_ms();
	ck_assert_int_eq(report_load(&q, &report, NULL), 0);
	say("load", since, 0);
	check_formats(report, tenants);
	report_free(report);
	journal_reader_close(reader);
	buf_release(&out);
	fab_release(&f);
}
END_TEST

SUITE(scale)
{
	TCase *c = tcase_create("all_of_them");

	tcase_set_timeout(c, 600);
	tcase_add_test(c, all_of_them);
	suite_add_tcase(s, c);
}
