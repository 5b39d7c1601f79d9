/*
 * What killed controllers have left on a Windows host (winhost.h): what is removed and what is not, whatever the host
 * answers, and that a session that lives is never taken for one that is gone.
 */
#include "winhost.h"

#include "tests/lib/unit.h"

#define TEMP "/C:/windows/temp/"
#define LEFT TEMP "cutover-0123456789abcdef"

enum { NOW_S = 1700000000, DAY_S = 24 * 3600, HOUR_MS = 3600 * 1000 };

static void put(struct winhost *host, const char *path, bool folder, uint32_t age_s)
{
	struct winhost_file *f = winhost_put(host, path, folder ? "" : "text");

	f->folder = folder;
	f->mtime_s = NOW_S - age_s;
}

/* Files that must be there in the end. */
static const struct {
	const char *path;
	bool folder;
	uint32_t age_s;
} others[] = {
    {TEMP "cutover-00000000000000aa", true, DAY_S - 1},          /* too young */
    {TEMP "cutover-00000000000000ab", true, (uint32_t)-DAY_S},   /* of tomorrow */
    {TEMP "cutover-0000000000000AAA", true, 9 * DAY_S},          /* other names */
    {TEMP "cutover-000000000000000", true, 9 * DAY_S},
    {TEMP "cutover-00000000000000000", true, 9 * DAY_S},
    {TEMP "cutover-00000000000000 .", true, 9 * DAY_S},
    {TEMP "Cutover-00000000000000ac", true, 9 * DAY_S},
    {TEMP "x-cutover-00000000000000ad", true, 9 * DAY_S},
    {TEMP "cutover-00000000000000ae", false, 9 * DAY_S},         /* no folder */
    {TEMP "cutover-00000000000000af", true, 9 * DAY_S},          /* something else is in it */
    {TEMP "cutover-00000000000000af/s0.cmd", false, 9 * DAY_S},
    {TEMP "cutover-00000000000000af/notes.txt", false, 9 * DAY_S},
    {TEMP "cutover-00000000000000b0", true, 9 * DAY_S},
    {TEMP "cutover-00000000000000b0/o1", true, 9 * DAY_S},
    {TEMP "o1", false, 9 * DAY_S},
};

static void put_others(struct winhost *host)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		put(host, others[i].path, others[i].folder, others[i].age_s);
}

static void others_are_there(struct winhost *host)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert_msg(winhost_find(host, others[i].path), "%s is gone", others[i].path);
}

static void put_left(struct winhost *host)
{
	put(host, LEFT, true, DAY_S);
	put(host, LEFT "/s0.cmd", false, DAY_S);
	put(host, LEFT "/r12.cmd", false, DAY_S);
	put(host, LEFT "/i12", false, DAY_S);
	put(host, LEFT "/o12", false, DAY_S);
	put(host, LEFT "/e12", false, DAY_S);
	put(host, LEFT "/x3.txt", false, DAY_S);
	put(host, LEFT "/exec.cmd", false, DAY_S);
	put(host, LEFT "/t", false, DAY_S);
}

START_TEST(test_what_is_left_of_others)
{
	struct winhost host;
	char *own;

	winhost_ready(&host);
	own = str_dup(host.sh->sftp_folder);
	put_left(&host);
	put(&host, TEMP "cutover-fedcba9876543210", true, 400 * DAY_S);
	put_others(&host);
	ssh_shell_finish(host.remote.shell);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert_msg(ssh_shell_ended(host.remote.shell), "%s", host.err.text);
	ck_assert_ptr_null(winhost_find(&host, own));
	ck_assert_ptr_null(winhost_find(&host, LEFT));
	ck_assert_ptr_null(winhost_find(&host, LEFT "/s0.cmd"));
	ck_assert_ptr_null(winhost_find(&host, TEMP "cutover-fedcba9876543210"));
	others_are_there(&host);
	winhost_release(&host);
	free(own);
}
END_TEST

/* A process that was left running writes to it: it stays, and the session ends all the same. */
START_TEST(test_one_that_is_held)
{
	struct winhost host;

	winhost_ready(&host);
	put_left(&host);
	winhost_find(&host, LEFT "/o12")->held = true;
	ssh_shell_finish(host.remote.shell);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert(ssh_shell_ended(host.remote.shell));
	ck_assert_ptr_nonnull(winhost_find(&host, LEFT));
	ck_assert_ptr_null(winhost_find(&host, LEFT "/s0.cmd"));
	winhost_release(&host);
}
END_TEST

/* The clock is the host's: its own folder is of 1970. */
START_TEST(test_a_clock_that_is_wrong)
{
	struct winhost host;

	winhost_init(&host);
	host.now_s = 5;
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	put_left(&host);
	ssh_shell_finish(host.remote.shell);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert(ssh_shell_ended(host.remote.shell));
	ck_assert_ptr_nonnull(winhost_find(&host, LEFT "/s0.cmd"));
	winhost_release(&host);
}
END_TEST

static bool sweep_with_fault(int at, enum winhost_fault fault)
{
	struct winhost host;
	bool met;

	winhost_ready(&host);
	put_left(&host);
	put_others(&host);
	host.fault_at = host.answers + at;
	host.fault = fault;
	ssh_shell_finish(host.remote.shell);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	met = host.answers >= host.fault_at;
	ck_assert_msg(ssh_shell_ended(host.remote.shell) || host.err.code || fault == ANSWER_NEVER,
		      "fault %d at %d: neither ended nor lost", fault, at);
	others_are_there(&host);
	winhost_release(&host);
	return met;
}

START_TEST(test_sweep_with_faults)
{
	int at = 1;

	while (sweep_with_fault(at, (enum winhost_fault)_i))
		at++;
	ck_assert_int_ge(at, 15);
}
END_TEST

START_TEST(test_a_session_that_lives)
{
	struct winhost host;
	int lines;

	winhost_ready(&host);
	for (int i = 1; i <= 5; i++) {
		lines = host.lines;
		ck_assert_int_le(ssh_shell_deadline(host.remote.shell) - (int64_t)host.loop.time, 6 * HOUR_MS);
		host.loop.time = (uint64_t)ssh_shell_deadline(host.remote.shell) - 1;
		ck_assert(winhost_pump(&host, WINHOST_STEPS));
		ck_assert_int_eq(host.lines, lines);
		host.loop.time++;
		ck_assert(winhost_pump(&host, WINHOST_STEPS));
		ck_assert_int_eq(host.lines, lines + 1);
		ck_assert(!host.err.code && ssh_shell_ready(host.remote.shell));
	}
	winhost_release(&host);
}
END_TEST

SUITE(ssh_win_sweep)
{
	TEST_CASE(s, test_what_is_left_of_others);
	TEST_CASE(s, test_one_that_is_held);
	TEST_CASE(s, test_a_clock_that_is_wrong);
	TEST_CASE_LOOP(s, test_sweep_with_faults, 0, ANSWER_FAULTS);
	TEST_CASE(s, test_a_session_that_lives);
}
