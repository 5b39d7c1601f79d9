#include "fixture.h"

#include "base/alloc.h"
#include "base/redact.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- appends and their callbacks -------------------------------------------------------------------------------- */

struct appended {
	struct journal_append req;
	int *order;
	int *count;
	int n, status;
	char text[256];
};

static void on_done(struct journal_append *req, int status, const struct err *err)
{
	struct appended *a = req->arg;

	a->order[(*a->count)++] = a->n;
	a->status = status;
	if (err)
		snprintf(a->text, sizeof(a->text), "%.255s", err->text);
}

START_TEST(test_create_append_read)
{
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	struct stat st;
	char *all;

	fixture_init(&f);
	j = must_open(&f);
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	must_append(j, "acme", "one");
	must_append(j, "", "two");
	must_append(j, "other", "three");
	must_append(j, "acme", "four");
	r = must_read(&f);
	all = texts(r, NULL);
	ck_assert_str_eq(all, "one two three four");
	free(all);
	all = texts(r, "acme");
	ck_assert_str_eq(all, "one two four");
	free(all);
	all = texts(r, "");
	ck_assert_str_eq(all, "two");
	free(all);
	/* A reader that is open sees what comes later. */
	must_append(j, "acme", "five");
	all = texts(r, "acme");
	ck_assert_str_eq(all, "one two four five");
	free(all);
	journal_reader_close(r);
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), 5);
	fixture_release(&f);
}
END_TEST

START_TEST(test_callbacks_come_later_in_order)
{
	enum { N = 200 };
	struct fixture f;
	struct journal *j;
	static struct appended a[N];
	int order[N], count = 0;
	struct journal_stats stats;

	fixture_init(&f);
	j = must_open(&f);
	for (int i = 0; i < N; i++) {
		struct journal_entry entry = note("acme", "x");
		a[i] = (struct appended){ .order = order, .count = &count, .n = i, .status = 1 };
		a[i].req = (struct journal_append){ .done = on_done, .arg = &a[i] };
		journal_append(j, &a[i].req, &entry, NULL, 1);
		ck_assert_int_eq(count, 0); /* never from inside */
	}
	while (count < N)
		uv_run(&f.loop, UV_RUN_ONCE);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(order[i], i);
		ck_assert_int_eq(a[i].status, 0);
	}
	journal_stats(j, &stats);
	ck_assert_uint_eq(stats.appends, N);
	ck_assert_uint_eq(stats.entries, N);
	ck_assert_uint_lt(stats.commits, N); /* group commit */
	ck_assert(!stats.broken);
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), N);
	fixture_release(&f);
}
END_TEST

SUITE(journal)
{
	TEST_CASE(s, test_create_append_read);
	TEST_CASE(s, test_callbacks_come_later_in_order);
}
