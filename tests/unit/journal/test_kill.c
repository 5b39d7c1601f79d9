#include "child.h"
#include "fixture.h"

#include "base/alloc.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the controller is killed -------------------------------------------------------------------------------------
 */

#define AT_ONCE 8

/* Appends for ever, AT_ONCE of them in flight, and writes a byte for each that was called back. */
struct appender {
	struct journal_append req;
	struct journal *j;
	int *next;
};

static void append_next(struct appender *a)
{
	char text[16];
	struct journal_entry pair[2];

	snprintf(text, sizeof(text), "%d", (*a->next)++);
	pair[0] = note("acme", text);
	pair[1] = note("", text);
	journal_append(a->j, &a->req, pair, NULL, 2);
}

static void tell_and_go_on(struct journal_append *req, int status, const struct err *err)
{
	(void)err;
	if (status || write(1, "x", 1) != 1)
		_exit(1);
	append_next(req->arg);
}

static int count(const struct journal_entry *e, void *arg)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

/* How many appends the file holds. */
static int appends_in(struct fixture *f)
{
	struct journal_reader *r = must_read(f);
	int n = 0;

	ck_assert_int_eq(journal_read(r, NULL, 0, count, &n, NULL), 0);
	journal_reader_close(r);
	ck_assert_int_eq(n % 2, 0);
	return n / 2;
}

static int append_until_killed(void *arg)
{
	struct appender a[AT_ONCE];
	struct fixture f = { .path = arg };
	struct journal *j = NULL;
	int next;

	if (uv_loop_init(&f.loop) != 0 || journal_open(&f.loop, arg, JOURNAL_CREATE, &j, NULL) != 0)
		return 1;
	next = appends_in(&f);
	for (int i = 0; i < AT_ONCE; i++) {
		a[i] = (struct appender){ .j = j, .next = &next, .req = { .done = tell_and_go_on, .arg = &a[i] } };
		append_next(&a[i]);
	}
	uv_run(&f.loop, UV_RUN_DEFAULT);
	return 1;
}

/* Pairs in order, none missing. */
static int in_order(const struct journal_entry *e, void *arg)
{
	int *n = arg;

	return strtol(e->text, NULL, 10) == (*n)++ / 2 ? 0 : E_BUG;
}

/* Killed at random moments, twenty times over, on one file: all that was called back is there each time. */
START_TEST(test_killed_at_random)
{
	struct fixture f;
	unsigned seed = 42;
	int before = 0;

	fixture_init(&f);
	for (int round = 0; round < 20; round++) {
		struct child c;
		struct journal_reader *r;
		int told = 0, wait_for = rand_r(&seed) % 150, n = 0;
		child_start(&c, append_until_killed, f.path);
		while (told < wait_for && child_byte(&c) == 'x')
			told++;
		ck_assert_int_eq(told, wait_for);
		ck_assert_int_eq(WTERMSIG(child_kill(&c)), SIGKILL);
		while (child_byte(&c) == 'x')
			told++;
		close(c.from);
		if (access(f.path, F_OK) != 0)
			continue; /* killed before it was made */
		must_verify(&f);
		r = must_read(&f);
		ck_assert_int_eq(journal_read(r, NULL, 0, in_order, &n, NULL), 0);
		journal_reader_close(r);
		ck_assert_int_ge(n / 2, before + told);
		ck_assert_int_le(n / 2, before + told + AT_ONCE);
		before = n / 2;
	}
	ck_assert_int_gt(before, 100);
	fixture_release(&f);
}
END_TEST

/* ---- the disk is full -----------------------------------------------------------------------------------------------
 */

static struct journal_entry fat(const char *text, char *filler, size_t len)
{
	struct journal_entry e = note("acme", text);

	memset(filler, 'f', len - 1);
	filler[len - 1] = '\0';
	e.data = filler;
	return e;
}

/* A small tmpfs of this process alone; false where that is not allowed. */
static bool small_disk(const char *folder, const char *size)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", folder, "tmpfs", 0, size) == 0;
}

/* Fills it up: the append that does not fit, and all after it, fail and say so. Then room is made. */
static void fill_up(struct fixture *f)
{
	static char filler[3000];
	struct journal_reader *r;
	struct journal *j = must_open(f);
	struct err err = { 0 }, again = { 0 };
	int n = 0, seen = 0;

	for (;; n++) {
		char text[16];
		struct journal_entry e;
		snprintf(text, sizeof(text), "%d", n);
		e = fat(text, filler, sizeof(filler));
		if (journal_append_now(j, &e, NULL, 1, &err) != 0)
			break;
		ck_assert_int_lt(n, 2000);
	}
	expect_err(&err, E_NOSPACE, f->path);
	expect_err(&err, E_NOSPACE, "make room");
	struct journal_entry small = note("acme", "small");
	ck_assert_int_eq(journal_append_now(j, &small, NULL, 1, &again), E_NOSPACE);
	ck_assert_str_eq(again.text, err.text);
	/* What was there before can be read, now and later. */
	r = must_read(f);
	ck_assert_int_eq(journal_read(r, NULL, 0, count, &seen, NULL), 0);
	ck_assert_int_eq(seen, n);
	journal_reader_close(r);
	must_close(f, j);
	ck_assert_uint_eq(must_verify(f), n);
	ck_assert_int_eq(mount("tmpfs", f->folder, "tmpfs", MS_REMOUNT, "size=8m"), 0);
	j = must_open(f);
	must_append(j, "acme", "there is room again");
	must_close(f, j);
	ck_assert_uint_eq(must_verify(f), n + 1);
}

START_TEST(test_full)
{
	struct fixture f;

	fixture_init(&f);
	if (small_disk(f.folder, "size=600k")) {
		fill_up(&f);
		ck_assert_int_eq(umount(f.folder), 0);
	} else {
		puts("skipped: kill: test_full: a file system of its own needs root (CAP_SYS_ADMIN)");
	}
	fixture_release(&f);
}
END_TEST

/* No room for the file itself, or for the log beside it: an error, no half of a file, and once there is room it goes
 * on. */
START_TEST(test_full_from_the_beginning)
{
	static const char *const sizes[] = { "size=4k", "size=16k", "size=40k", "size=64k" };
	struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct journal *j = NULL;
		struct err err = { 0 };
		char *left;
		if (!small_disk(f.folder, sizes[i])) {
			puts("skipped: kill: test_full_from_the_beginning: a file system of its own needs root "
			     "(CAP_SYS_ADMIN)");
			break;
		}
		ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, &err), E_NOSPACE);
		expect_err(&err, E_NOSPACE, f.folder);
		left = fixture_beside(&f, ".new");
		ck_assert_int_ne(access(left, F_OK), 0);
		free(left);
		ck_assert_int_eq(mount("tmpfs", f.folder, "tmpfs", MS_REMOUNT, "size=8m"), 0);
		must_close(&f, must_open(&f));
		ck_assert_uint_eq(must_verify(&f), 0);
		ck_assert_int_eq(umount(f.folder), 0);
	}
	fixture_release(&f);
}
END_TEST

SUITE(kill)
{
	TCase *killed = tcase_create("test_killed_at_random");

	/* Twenty processes, one after the other: with sanitizers, on a busy machine, that takes its time. */
	tcase_set_timeout(killed, 240);
	tcase_add_test(killed, test_killed_at_random);
	suite_add_tcase(s, killed);
	TEST_CASE(s, test_full);
	TEST_CASE(s, test_full_from_the_beginning);
}
