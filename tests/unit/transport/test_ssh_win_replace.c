/*
 * OP_REPLACE on a Windows host in memory (winhost.h): each way that it can go, and, for each answer in turn, what is
 * left when that one goes wrong or time is over there.
 */
#include "winhost.h"

#include "base/hash.h"
#include "tests/lib/unit.h"

#define TARGET "C:\\Program Files (x86)\\it's a & b\\x.config"
#define SFTP_TARGET "/C:/Program Files (x86)/it's a & b/x.config"
#define BESIDE SFTP_TARGET ".cutover-new"
#define BACKUP "/C:/Program Files (x86)/it's a & b/x.bak"

static const char old_text[] = "old\r\n", new_text[] = "new content\r\n";

static void replace_init(struct winhost_op *o, const char *backup)
{
	winhost_op_init(o, OP_REPLACE);
	o->op.path = str_dup(TARGET);
	o->op.backup = str_dup(backup);
	buf_adds(&o->op.input, new_text);
	sha256_hex(old_text, strlen(old_text), o->op.expect_sha256);
}

static int replace(struct winhost *host, struct winhost_op *o, const char *backup)
{
	replace_init(o, backup);
	winhost_run(host, o);
	ck_assert_msg(o->done || host->err.code, "neither done nor lost");
	return o->request.result.failure.code;
}

static void only_files(struct winhost *host, const char *target, const char *backup)
{
	ck_assert_pstr_eq(winhost_text(host, SFTP_TARGET), target);
	ck_assert_pstr_eq(winhost_text(host, BACKUP), backup);
	ck_assert_ptr_null(winhost_find(host, BESIDE));
	ck_assert_ptr_null(winhost_find(host, BACKUP ".cutover-new"));
	ck_assert_int_eq(winhost_left(host), 0);
}

static void replace_twice(int i)
{
	struct winhost host;
	struct winhost_op o;
	bool read_only = i & 1, no_fsync = i & 2, in_place = i & 4;

	winhost_init(&host);
	host.no_fsync = no_fsync;
	host.cannot_name = in_place;
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	winhost_put(&host, SFTP_TARGET, old_text)->read_only = read_only;
	ck_assert_msg(replace(&host, &o, "x.bak") == 0, "%s", o.request.result.failure.text);
	ck_assert(o.request.result.started);
	only_files(&host, new_text, old_text);
	ck_assert_int_eq(winhost_find(&host, SFTP_TARGET)->read_only, read_only);
	ck_assert_int_eq(host.copies, 1);
	winhost_op_release(&o);

	/* Once more, from the new content: the first backup counts. */
	winhost_op_init(&o, OP_REPLACE);
	o.op.path = str_dup(TARGET);
	o.op.backup = str_dup("x.bak");
	sha256_hex(new_text, strlen(new_text), o.op.expect_sha256);
	winhost_run(&host, &o);
	ck_assert_int_eq(o.request.result.failure.code, 0);
	only_files(&host, "", old_text);
	winhost_op_release(&o);
	winhost_release(&host);
}

START_TEST(test_replace)
{
	for (int i = 0; i < 8; i++)
		replace_twice(i);
}
END_TEST

static void change(struct winhost *host)
{
	winhost_put(host, SFTP_TARGET, "somebody else's");
}

START_TEST(test_replace_what_was_changed)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, "other");
	ck_assert_int_eq(replace(&host, &o, "x.bak"), E_CHANGED);
	ck_assert(!o.request.result.started);
	only_files(&host, "other", NULL);
	winhost_op_release(&o);

	/* In the very moment of a copy that fails: it is left alone. */
	winhost_put(&host, SFTP_TARGET, old_text);
	host.before_copy = change;
	host.copy_fails = 1;
	ck_assert_int_eq(replace(&host, &o, "x.bak"), E_CHANGED);
	only_files(&host, "somebody else's", old_text);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

/* Somebody writes into it at any moment before the last look at it, which is just before the copy. False: it was too late
   for that. */
static bool replace_what_changes(int at)
{
	struct winhost host;
	struct winhost_op o;
	bool early;
	int code;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text);
	host.change_at = host.answers + at;
	host.change_path = SFTP_TARGET;
	host.change_text = "somebody else's";
	code = replace(&host, &o, "x.bak");
	early = host.change_at <= host.read_at;
	if (early) {
		ck_assert_msg(code == E_CHANGED, "changed at %d: %d", at, code);
		ck_assert(!o.request.result.started);
		only_files(&host, "somebody else's", winhost_text(&host, BACKUP));
	}
	winhost_op_release(&o);
	winhost_release(&host);
	return early;
}

START_TEST(test_replace_what_changes)
{
	int at = 1;

	while (replace_what_changes(at))
		at++;
	ck_assert_int_ge(at, 20);
}
END_TEST

START_TEST(test_replace_waits_for_the_holder)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text)->read_only = _i;
	host.copy_fails = 3;
	ck_assert_msg(replace(&host, &o, NULL) == 0, "%s", o.request.result.failure.text);
	ck_assert_int_eq(host.copies, 4);
	only_files(&host, new_text, NULL);
	ck_assert_int_eq(winhost_find(&host, SFTP_TARGET)->read_only, _i);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

START_TEST(test_replace_gives_up_waiting)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text)->read_only = _i == 1;
	winhost_find(&host, SFTP_TARGET)->held = _i == 2;
	host.copy_fails = 1000;
	ck_assert_int_eq(replace(&host, &o, "x.bak"), E_BUSY);
	ck_assert_int_le(o.request.result.elapsed_ms, 10000);
	ck_assert_int_ge(o.request.result.elapsed_ms, 5000);
	ck_assert_ptr_nonnull(strstr(o.request.result.failure.text, "nothing was changed"));
	winhost_find(&host, SFTP_TARGET)->held = false;
	only_files(&host, old_text, _i == 2 ? NULL : old_text);
	ck_assert_int_eq(winhost_find(&host, SFTP_TARGET)->read_only, _i == 1);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

static void torn_once(int i)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text)->read_only = i & 1;
	host.copy_tears = i / 2;
	ck_assert_int_eq(replace(&host, &o, "x.bak"), E_IO);
	ck_assert(o.request.result.started);
	ck_assert_ptr_nonnull(strstr(o.request.result.failure.text, "the old content was put back"));
	only_files(&host, old_text, old_text);
	ck_assert_int_eq(winhost_find(&host, SFTP_TARGET)->read_only, i & 1);
	winhost_op_release(&o);
	winhost_release(&host);
}

START_TEST(test_replace_is_torn)
{
	for (int i = 0; i < 10; i++)
		torn_once(i);
}
END_TEST

static void hold(struct winhost *host)
{
	/* Behind the copy: stat, open, read, its end, close, and then the open that would put the old content back. */
	host->fault_at = host->answers + 6;
}

START_TEST(test_replace_is_torn_for_good)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text);
	host.copy_tears = 2;
	host.before_copy = hold;
	host.fault = ANSWER_FAILURE;
	ck_assert_int_eq(replace(&host, &o, "x.bak"), E_IO);
	ck_assert_ptr_nonnull(strstr(o.request.result.failure.text, "IS TORN"));
	ck_assert_str_eq(winhost_text(&host, SFTP_TARGET), "ne");
	/* Both contents are there for whoever has to look at it. */
	ck_assert_str_eq(winhost_text(&host, BESIDE), new_text);
	ck_assert_str_eq(winhost_text(&host, BACKUP), old_text);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

START_TEST(test_replace_by_a_copy_that_lies)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text);
	host.copy_lies = true;
	ck_assert_int_eq(replace(&host, &o, NULL), E_IO);
	only_files(&host, old_text, NULL);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

START_TEST(test_what_a_dead_session_left)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text);
	winhost_put(&host, BESIDE, "half of so")->read_only = _i;
	winhost_put(&host, BACKUP ".cutover-new", "half of an o");
	ck_assert_msg(replace(&host, &o, "x.bak") == 0, "%s", o.request.result.failure.text);
	only_files(&host, new_text, old_text);
	/* It had the attribute since the file had it. */
	ck_assert_int_eq(winhost_find(&host, SFTP_TARGET)->read_only, _i);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

/* A session died behind its copy, before it had removed what it put beside, or put the read-only attribute back: all of the
   rest is done, and the file is not written again. What is beside and is not the same is left. */
START_TEST(test_what_a_session_left_that_died_behind_its_copy)
{
	bool read_only = _i & 1, other = _i & 2, none = _i & 4;
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, new_text);
	if (!none)
		winhost_put(&host, BESIDE, other ? "other" : new_text)->read_only = read_only;
	ck_assert_msg(replace(&host, &o, "x.bak") == 0, "%s", o.request.result.failure.text);
	ck_assert_int_eq(host.copies, 0);
	ck_assert_str_eq(winhost_text(&host, SFTP_TARGET), new_text);
	ck_assert_int_eq(winhost_find(&host, SFTP_TARGET)->read_only, read_only && !other && !none);
	ck_assert_pstr_eq(winhost_text(&host, BESIDE), other && !none ? "other" : NULL);
	ck_assert_ptr_null(winhost_find(&host, BACKUP));
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

START_TEST(test_replace_refuses)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	ck_assert_int_eq(replace(&host, &o, NULL), E_NOTFOUND);
	winhost_op_release(&o);
	winhost_put(&host, SFTP_TARGET, old_text);
	winhost_put(&host, BESIDE, "")->folder = true;
	ck_assert_int_eq(replace(&host, &o, NULL), E_EXISTS);
	ck_assert_str_eq(winhost_text(&host, SFTP_TARGET), old_text);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

/*
 * Each answer of the SFTP server in turn is wrong, in each way, for a file with and without the read-only attribute.
 * What must hold: the file is the old one or the new one; success means the new one; what is told as "nothing was
 * changed" is the old one; as long as the session lives, the attribute is as it was; a backup is whole; and whatever
 * was answered, it comes to an end.
 */
static bool replace_with_fault(int at, enum winhost_fault fault, bool read_only)
{
	struct winhost host;
	struct winhost_op o;
	struct winhost_file *f;
	const char *now, *backup;
	bool met;
	int code;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text)->read_only = read_only;
	host.fault_at = host.answers + at;
	host.fault = fault;
	replace_init(&o, "x.bak");
	winhost_run(&host, &o);
	met = host.answers >= host.fault_at;
	if (fault == ANSWER_NEVER && met && !o.done)
		winhost_pass_time(&host, &o);
	ck_assert_msg(o.done || host.err.code, "fault %d at %d: neither done nor lost", fault, at);
	code = o.request.result.failure.code;
	f = winhost_find(&host, SFTP_TARGET);
	ck_assert_ptr_nonnull(f);
	now = buf_str(&f->bytes);
	backup = winhost_text(&host, BACKUP);
	ck_assert_msg(strcmp(now, old_text) == 0 || strcmp(now, new_text) == 0, "fault %d at %d: torn: %s", fault, at, now);
	ck_assert_msg(!backup || strcmp(backup, old_text) == 0, "fault %d at %d: the backup is %s", fault, at, backup);
	if (o.done && !code)
		ck_assert_msg(strcmp(now, new_text) == 0, "fault %d at %d: done, and it is the old one", fault, at);
	if (o.done && strstr(o.request.result.failure.text, "nothing was"))
		ck_assert_msg(strcmp(now, old_text) == 0, "fault %d at %d: %s", fault, at, o.request.result.failure.text);
	if (o.done && !host.err.code && !strstr(o.request.result.failure.text, "could not be put back"))
		ck_assert_msg(f->read_only == read_only, "fault %d at %d: the attribute", fault, at);
	if (!o.request.result.started)
		ck_assert_msg(strcmp(now, old_text) == 0, "fault %d at %d: not started, and changed", fault, at);
	winhost_release(&host);
	winhost_op_release(&o);
	return met;
}

START_TEST(test_replace_with_faults)
{
	bool read_only = _i >= ANSWER_FAULTS;
	int at = 1;

	while (replace_with_fault(at, (enum winhost_fault)(_i % ANSWER_FAULTS), read_only))
		at++;
	ck_assert_int_ge(at, 30);
}
END_TEST

/* The same with time that is over, or a cancel, behind each answer; a host that answers all the same. */
static bool replace_stopped(int at, bool cancel)
{
	struct winhost host;
	struct winhost_op o;
	const char *now;
	bool met;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, old_text)->read_only = true;
	replace_init(&o, "x.bak");
	winhost_op_start(&host, &o);
	met = !winhost_pump(&host, at);
	if (cancel)
		ssh_request_cancel(&host.remote, &o.request);
	ssh_request_deliver(&host.remote);
	if (!cancel && !o.done)
		host.loop.time += 10001;
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ssh_request_deliver(&host.remote);
	ck_assert_msg(o.done && !host.err.code, "at %d: %s", at, host.err.text);
	now = winhost_text(&host, SFTP_TARGET);
	if (o.request.result.failure.code) {
		ck_assert_int_eq(o.request.result.failure.code, cancel ? E_CANCELED : E_TIMEOUT);
		ck_assert_str_eq(now, old_text);
	} else {
		ck_assert_str_eq(now, new_text);
	}
	ck_assert(winhost_find(&host, SFTP_TARGET)->read_only);
	only_files(&host, now, winhost_text(&host, BACKUP));
	winhost_release(&host);
	winhost_op_release(&o);
	return met;
}

START_TEST(test_replace_is_stopped)
{
	int at = 1;

	while (replace_stopped(at, _i))
		at++;
	ck_assert_int_ge(at, 30);
}
END_TEST

SUITE(ssh_win_replace)
{
	TEST_CASE(s, test_replace);
	TEST_CASE(s, test_replace_what_was_changed);
	TEST_CASE(s, test_replace_what_changes);
	TEST_CASE_LOOP(s, test_replace_waits_for_the_holder, 0, 2);
	TEST_CASE_LOOP(s, test_replace_gives_up_waiting, 0, 3);
	TEST_CASE(s, test_replace_is_torn);
	TEST_CASE(s, test_replace_is_torn_for_good);
	TEST_CASE(s, test_replace_by_a_copy_that_lies);
	TEST_CASE_LOOP(s, test_what_a_dead_session_left, 0, 2);
	TEST_CASE_LOOP(s, test_what_a_session_left_that_died_behind_its_copy, 0, 8);
	TEST_CASE(s, test_replace_refuses);
	TEST_CASE_LOOP(s, test_replace_with_faults, 0, 2 * ANSWER_FAULTS);
	TEST_CASE_LOOP(s, test_replace_is_stopped, 0, 2);
}
