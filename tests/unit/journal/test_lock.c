#include "child.h"
#include "fixture.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int hold(void *arg)
{
	struct journal *j = NULL;

	if (journal_open(NULL, arg, JOURNAL_CREATE, &j, NULL) != 0)
		return 1;
	if (write(1, "x", 1) != 1)
		return 1;
	child_wait();
	journal_close_now(j);
	return 0;
}

START_TEST(test_second_controller)
{
	struct fixture f;
	struct child c;
	struct journal *j = NULL;
	struct err err = { 0 };
	char who[256], pid[32];

	fixture_init(&f);
	ck_assert_int_eq(journal_lock_holder(f.path, who, sizeof(who), &err), E_NOTFOUND);
	child_start(&c, hold, f.path);
	ck_assert_int_eq(child_byte(&c), 'x');
	snprintf(pid, sizeof(pid), "pid %ld (", (long)c.pid);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, &err), E_LOCKED);
	expect_err(&err, E_LOCKED, pid);
	expect_err(&err, E_LOCKED, "), since 20");
	ck_assert_int_eq(journal_lock_holder(f.path, who, sizeof(who), NULL), 0);
	ck_assert_int_eq(strncmp(who, pid, strlen(pid)), 0);
	/* Readers need no lock. */
	must_verify(&f);
	ck_assert_int_eq(child_end(&c), 0);
	ck_assert_int_eq(journal_lock_holder(f.path, who, sizeof(who), &err), E_NOTFOUND);
	j = must_open(&f);
	must_close(&f, j);
	fixture_release(&f);
}
END_TEST

START_TEST(test_released_when_killed)
{
	struct fixture f;
	struct child c;
	struct journal *j;
	char who[256];

	fixture_init(&f);
	child_start(&c, hold, f.path);
	ck_assert_int_eq(child_byte(&c), 'x');
	ck_assert_int_eq(WTERMSIG(child_kill(&c)), SIGKILL);
	ck_assert_int_eq(journal_lock_holder(f.path, who, sizeof(who), NULL), E_NOTFOUND);
	j = must_open(&f);
	/* And it says who holds it now, not who did. */
	ck_assert_int_eq(journal_lock_holder(f.path, who, sizeof(who), NULL), 0);
	ck_assert_int_eq(strncmp(who, "pid ", 4), 0);
	ck_assert_int_eq(strtol(who + 4, NULL, 10), getpid());
	must_close(&f, j);
	close(c.from);
	fixture_release(&f);
}
END_TEST

/* Neither looking at the lock nor reading in the same process drops it. */
START_TEST(test_held_whatever_is_closed)
{
	struct fixture f;
	struct journal *j, *second = NULL;
	char who[256], *lock;
	int fd;

	fixture_init(&f);
	j = must_open(&f);
	ck_assert_int_eq(journal_lock_holder(f.path, who, sizeof(who), NULL), 0);
	journal_reader_close(must_read(&f));
	lock = fixture_beside(&f, ".lock");
	fd = open(lock, O_RDWR);
	ck_assert_int_ge(fd, 0);
	close(fd);
	free(lock);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &second, NULL), E_LOCKED);
	must_append(j, "acme", "x");
	must_close(&f, j);
	fixture_release(&f);
}
END_TEST

/* An open that failed leaves no lock behind. */
START_TEST(test_not_held_after_a_failure)
{
	struct fixture f;
	struct journal *j = NULL;
	char who[256];

	fixture_init(&f);
	must_close(&f, must_open(&f));
	ck_assert_int_eq(stranger(f.path, "PRAGMA user_version = 77"), 0);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, NULL), E_NEWER);
	ck_assert_int_eq(journal_lock_holder(f.path, who, sizeof(who), NULL), E_NOTFOUND);
	fixture_release(&f);
}
END_TEST

SUITE(lock)
{
	TEST_CASE(s, test_second_controller);
	TEST_CASE(s, test_released_when_killed);
	TEST_CASE(s, test_held_whatever_is_closed);
	TEST_CASE(s, test_not_held_after_a_failure);
}
