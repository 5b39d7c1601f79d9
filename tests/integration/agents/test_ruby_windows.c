/* The Ruby client on the Windows host of win_world.h: what is left of it wherever a controller dies, tasks that are not
   switched, processes of Ruby that do not end, and files that are not what they should be. */
#include "tests/integration/agents/win_ruby_world.h"

/* ---- the plain way ---------------------------------------------------------------------------------------------- */

START_TEST(test_plain)
{
	win_ruby_begin("{}");
	win.japanese = _i;
	ENDS(drive_plan(&wr.d), DRIVE_DONE);
	ck_assert_int_eq(wr.d.assessment.state, ASSESS_OLD);
	ck_assert_uint_eq(wr.d.assessment.changes_n, 1);
	ck_assert_str_eq(wr.d.assessment.changes[0].what, CONFIG);
	ck_assert_int_eq(wr.d.assessment.changes[0].line, 3);
	ck_assert(win_ruby_has_note("task " NIGHTLY " is disabled meanwhile"));
	ck_assert(win_ruby_has_note("task " HALTED " is disabled and stays so"));
	win_ruby_is_old();
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	win_ruby_is_changed();
	ck_assert_int_eq(wr.runs, 1);
	ck_assert_int_eq(win_task_here(NIGHTLY)->switched, 2);
	/* a second run changes nothing and runs nothing */
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	ck_assert(!wr.d.mutated);
	win_ruby_is_changed();
	ck_assert_int_eq(wr.runs, 1);
	ck_assert_int_eq(wr.d.replaced, 1);
	ck_assert_int_eq(win_task_here(NIGHTLY)->switched, 2);
	ENDS(drive_rollback(&wr.d), DRIVE_DONE);
	win_ruby_is_old();
	ck_assert_int_eq(wr.runs, 1);
	/* and once more from the start: it is run again, too */
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	win_ruby_is_changed();
	ck_assert_int_eq(wr.runs, 2);
	win_ruby_end();
}
END_TEST

/* Nothing is scheduled, or it is disabled: nothing is switched. */
START_TEST(test_nothing_to_switch)
{
	win_ruby_begin("{}");
	win_task_here(NIGHTLY)->enabled = false;
	if (_i)
		wr.tasks_n = 1;
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	ck_assert(win_ruby_file_is(CONFIG, FILE_OF(NEW_NAME)));
	ENDS(drive_rollback(&wr.d), DRIVE_DONE);
	ck_assert(win_ruby_file_is(CONFIG, FILE_OF(OLD_NAME)));
	for (int i = 0; i < WIN_TASKS; i++)
		ck_assert_int_eq(wr.tasks[i].switched, 0);
	win_ruby_end();
}
END_TEST

/* ---- crashes ---------------------------------------------------------------------------------------------------- */

/* What is never allowed, at no moment: a file that is neither, a task that is off and not owed. */
static void invariants(void)
{
	bool owed = false;

	ck_assert(win_ruby_file_is(CONFIG, FILE_OF(OLD_NAME)) || win_ruby_file_is(CONFIG, FILE_OF(NEW_NAME)));
	for (size_t k = 0; k < wr.d.debts_n; k++)
		owed = owed || strcmp(wr.d.debts[k].item, "schtasks:" NIGHTLY) == 0;
	ck_assert(win_task_here(NIGHTLY)->enabled || owed);
	ck_assert_int_eq(win_task_here(HALTED)->switched + win_task_here(OTHERS)->switched, 0);
}

/* At each op, before it is done and after it; a Ruby is there at first, so that polls are among them. */
static bool crash_run(int at, bool after, enum drive_end (*first)(struct drive *))
{
	bool crashed;

	wr.rubies[0] = (struct win_ruby_here){4711, 3};
	wr.d.crash_at = at;
	wr.d.crash_after = after;
	crashed = first(&wr.d) == DRIVE_CRASHED;
	invariants();
	wr.d.crash_at = -1;
	return crashed;
}

START_TEST(test_crash_anywhere_and_run)
{
	bool crashed = true;
	int at;

	for (at = 0; crashed; at++) {
		win_ruby_begin("{}");
		crashed = crash_run(at, _i, drive_run);
		ENDS(drive_run(&wr.d), DRIVE_DONE);
		win_ruby_is_changed();
		ck_assert_int_eq(wr.d.replaced, 1);
		/* what cannot be known after a cut: it is run once more, with the new name */
		ck_assert_int_le(wr.runs, 2);
		win_ruby_end();
	}
	ck_assert_int_ge(at, 18);
}
END_TEST

START_TEST(test_crash_anywhere_and_roll_back)
{
	bool crashed = true;

	for (int at = 0; crashed; at++) {
		win_ruby_begin("{}");
		crashed = crash_run(at, _i, drive_run);
		ENDS(drive_rollback(&wr.d), DRIVE_DONE);
		win_ruby_is_old();
		win_ruby_end();
	}
}
END_TEST

START_TEST(test_crash_in_the_roll_back)
{
	bool crashed = true;

	for (int at = 0; crashed; at++) {
		win_ruby_begin("{}");
		ENDS(drive_run(&wr.d), DRIVE_DONE);
		crashed = crash_run(at, _i, drive_rollback);
		if (crashed)
			ENDS(drive_rollback(&wr.d), DRIVE_DONE);
		win_ruby_is_old();
		win_ruby_end();
	}
}
END_TEST

/* ---- a file that is torn ---------------------------------------------------------------------------------------- */

/* The session dies in the copy onto the file: nothing of it is there, some, all but a byte; with and without the rest
   of the old file. */
START_TEST(test_torn_file)
{
	long len = (long)strlen(FILE_OF(NEW_NAME));

	for (long tear = 0; tear < len; tear += tear < 8 ? 1 : 7) {
		win_ruby_begin("{}");
		win.tear_at = tear;
		win.tear_keeps_rest = _i & 1;
		ENDS(drive_run(&wr.d), DRIVE_CRASHED);
		ck_assert_uint_eq(wr.d.debts_n, 1);
		if (_i & 2) {
			ENDS(drive_rollback(&wr.d), DRIVE_DONE);
			win_ruby_is_old();
		} else {
			ENDS(drive_run(&wr.d), DRIVE_DONE);
			win_ruby_is_changed();
		}
		win_ruby_end();
	}
}
END_TEST

START_TEST(test_torn_by_the_roll_back)
{
	long len = (long)strlen(FILE_OF(OLD_NAME));

	for (long tear = 0; tear < len; tear += 5) {
		win_ruby_begin("{}");
		ENDS(drive_run(&wr.d), DRIVE_DONE);
		win.tear_at = tear;
		win.tear_keeps_rest = _i & 1;
		ENDS(drive_rollback(&wr.d), DRIVE_CRASHED);
		ENDS(drive_rollback(&wr.d), DRIVE_DONE);
		win_ruby_is_old();
		win_ruby_end();
	}
}
END_TEST

/* Somebody else's work is no torn file of ours, and is left alone; the task is on again. */
START_TEST(test_not_ours_to_repair)
{
	const char *others = "# nothing\r\n";

	win_ruby_begin("{}");
	win.tear_at = 40;
	ENDS(drive_run(&wr.d), DRIVE_CRASHED);
	win_write(CONFIG, others, strlen(others));
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "assigns no ROOT_URI: find out where the client has its address from; as it was before our change it "
			    "is kept beside it as imhs-config.rb.before-cutover");
	ck_assert(win_ruby_file_is(CONFIG, others));
	ck_assert(win_task_here(NIGHTLY)->enabled);
	ck_assert_uint_eq(wr.d.debts_n, 0);
	win_ruby_end();
	/* no backup, or one of another day: nothing proves that it was us */
	for (int i = 0; i < 2; i++) {
		win_ruby_begin("{}");
		if (i)
			win_write(BACKUP, others, strlen(others));
		win.tear_at = 40;
		ENDS(drive_run(&wr.d), DRIVE_CRASHED);
		if (!i)
			win_file(BACKUP)->there = false;
		ENDS(drive_run(&wr.d), DRIVE_STOPPED);
		SAYS(VERDICT_DRIFT, "assigns no ROOT_URI");
		ck_assert_ptr_null(strstr(wr.d.text, "beside it"));
		ck_assert_int_eq(wr.d.replaced, 0);
		ck_assert(win_task_here(NIGHTLY)->enabled);
		win_ruby_end();
	}
}
END_TEST

/* ---- Ruby that is running --------------------------------------------------------------------------------------- */

START_TEST(test_ruby_ends)
{
	win_ruby_begin("{}");
	wr.rubies[0] = (struct win_ruby_here){4711, 100};
	wr.rubies[2] = (struct win_ruby_here){88, 5};
	ENDS(drive_plan(&wr.d), DRIVE_DONE);
	ck_assert(win_ruby_has_note("Ruby is running now and is waited for, 10 minutes at most"));
	ck_assert(win_ruby_has_note("process 4711 (ruby.exe), 88 (rubyw.exe)"));
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	win_ruby_is_changed();
	win_ruby_end();
}
END_TEST

/* Whose it is cannot be told: waited for, then a person's; the file is as it was, and the task is on again. */
START_TEST(test_ruby_stays)
{
	int64_t began;

	win_ruby_begin("{}");
	if (_i)
		ENDS(drive_run(&wr.d), DRIVE_DONE);
	wr.rubies[0] = (struct win_ruby_here){4711, -1};
	wr.rubies[1] = (struct win_ruby_here){4712, -1};
	began = wr.d.ctx.wall_ms;
	ENDS(_i ? drive_rollback(&wr.d) : drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "Ruby has been running for 10 minutes, and whether it is the client cannot be told from here: process "
			     "4711 (ruby.exe), 4712 (rubyw.exe); see what they are");
	ck_assert_int_ge(wr.d.ctx.wall_ms - began, 600000);
	ck_assert_int_le(wr.d.ctx.wall_ms - began, 610000);
	ck_assert(win_ruby_file_is(CONFIG, _i ? FILE_OF(NEW_NAME) : FILE_OF(OLD_NAME)));
	ck_assert_int_eq(wr.d.replaced, _i);
	ck_assert(win_task_here(NIGHTLY)->enabled);
	ck_assert_uint_eq(wr.d.debts_n, 0);
	/* a person has ended it */
	wr.rubies[0].looks = wr.rubies[1].looks = 0;
	ENDS(_i ? drive_rollback(&wr.d) : drive_run(&wr.d), DRIVE_DONE);
	if (_i)
		win_ruby_is_old();
	else
		win_ruby_is_changed();
	win_ruby_end();
}
END_TEST

/* ---- tasks that are not as they should be ----------------------------------------------------------------------- */

START_TEST(test_task_cannot_be_disabled)
{
	win_ruby_begin("{}");
	win.japanese = _i;
	win_task_here(NIGHTLY)->code = 1;
	ENDS(drive_run(&wr.d), DRIVE_STUCK);
	ck_assert_ptr_nonnull(strstr(wr.d.text, _i ? "could not be enabled again (code 1): エラー: アクセス"
						    : "could not be enabled again (code 1): ERROR: Access is denied."));
	ck_assert(win_ruby_file_is(CONFIG, FILE_OF(OLD_NAME)));
	ck_assert_int_eq(wr.runs, 0);
	win_task_here(NIGHTLY)->code = 0;
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	win_ruby_is_changed();
	win_ruby_end();
}
END_TEST

/* It says that it did and did not: the file is not touched. */
START_TEST(test_task_is_stubborn)
{
	win_ruby_begin("{}");
	win_task_here(NIGHTLY)->stubborn = true;
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "the task " NIGHTLY " is enabled although schtasks.exe reported no error");
	win_ruby_is_old();
	win_ruby_end();
}
END_TEST

static void stays_off(struct drive *d, const char *step, const struct op *op, bool after)
{
	(void)d;
	(void)op;
	if (strcmp(step, "run-client-windows") == 0 && after)
		win_task_here(NIGHTLY)->code = 1;
}

/* The debt stays open until it is paid. */
START_TEST(test_task_cannot_be_enabled)
{
	win_ruby_begin("{}");
	wr.d.on_op = stays_off;
	ENDS(drive_run(&wr.d), DRIVE_STUCK);
	ck_assert_uint_eq(wr.d.debts_n, 1);
	ck_assert(!win_task_here(NIGHTLY)->enabled);
	wr.d.on_op = NULL;
	win_task_here(NIGHTLY)->code = 0;
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	win_ruby_is_changed();
	ck_assert_int_eq(wr.runs, 1);
	win_ruby_end();
}
END_TEST

/* Somebody has disabled it since: that is seen, and nothing is done about it. */
START_TEST(test_task_disabled_since)
{
	win_ruby_begin("{}");
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	win_task_here(NIGHTLY)->enabled = false;
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "the task " NIGHTLY " was enabled before and is not");
	ck_assert_int_eq(win_task_here(NIGHTLY)->switched, 2);
	win_ruby_end();
}
END_TEST

/* Named by the inventory: only that one, whatever it runs; and one that is not there. */
START_TEST(test_named_task)
{
	win_ruby_begin("{\"schedule\": \"schtasks:\\\\googleUPDATE\"}");
	win_task_here(NIGHTLY)->enabled = false;
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	ck_assert_int_eq(win_task_here(OTHERS)->switched, 2);
	ck_assert(win_task_here(OTHERS)->enabled);
	ck_assert_int_eq(win_task_here(NIGHTLY)->switched, 0);
	win_ruby_end();
	win_ruby_begin("{\"schedule\": \"schtasks:\\\\gone\"}");
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "the inventory names the task \\gone, and schtasks.exe cannot show it");
	win_ruby_is_old();
	win_ruby_end();
}
END_TEST

/* ---- drift ------------------------------------------------------------------------------------------------------ */

START_TEST(test_drift)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
	    {"ROOT_URI = 'https://hes-proxy.acme.example/imhs/v1.0/en'\r\n", "names hes-proxy.acme.example, which is neither"},
	    {"API_KEY = 'k'\r\n", "assigns no ROOT_URI"},
	    {"ROOT_URI = 'https://" OLD_NAME "/'\r\nROOT_URI = 'https://" OLD_NAME "/'\r\n", "more than once (lines 1, 2)"},
	    {"ROOT_URI = ENV['X']\r\n", "line 1: "},
	};

	win_ruby_begin("{\"path\": \"C:\\\\imhs & co's\"}");
	win_write(CONFIG, cases[_i].bytes, strlen(cases[_i].bytes));
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, cases[_i].text);
	ck_assert(win_ruby_file_is(CONFIG, cases[_i].bytes));
	ck_assert_int_eq(win_task_here(NIGHTLY)->switched, 0);
	win_ruby_end();
}
END_TEST

/* Held open when it is read; edited between the look and the write; bad Ruby; a client that fails. */
START_TEST(test_what_else_goes_wrong)
{
	win_ruby_begin("{}");
	win_file(CONFIG)->busy = 1;
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_RETRY, "is held open by another process of the host");
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	win_ruby_is_changed();
	win_ruby_end();
	win_ruby_begin("{}");
	win_write(CONFIG, "ROOT_URI = 'https://" OLD_NAME "/'\r\n", strlen("ROOT_URI = 'https://" OLD_NAME "/'\r\n"));
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "is no valid Ruby for the Ruby of this host");
	ck_assert_int_eq(wr.d.replaced, 0);
	ck_assert(win_task_here(NIGHTLY)->enabled);
	win_ruby_end();
	win_ruby_begin("{}");
	wr.run_code = 7;
	ENDS(drive_run(&wr.d), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "the client ended with code 7");
	win_ruby_is_changed();
	wr.run_code = 0;
	ENDS(drive_run(&wr.d), DRIVE_DONE);
	ck_assert_int_eq(wr.runs, 2);
	ck_assert_int_eq(wr.d.replaced, 1);
	win_ruby_is_changed();
	win_ruby_end();
}
END_TEST

SUITE(ruby_on_windows)
{
	TEST_CASE_LOOP(s, test_plain, 0, 2);
	TEST_CASE_LOOP(s, test_nothing_to_switch, 0, 2);
	TEST_CASE_LOOP(s, test_crash_anywhere_and_run, 0, 2);
	TEST_CASE_LOOP(s, test_crash_anywhere_and_roll_back, 0, 2);
	TEST_CASE_LOOP(s, test_crash_in_the_roll_back, 0, 2);
	TEST_CASE_LOOP(s, test_torn_file, 0, 4);
	TEST_CASE_LOOP(s, test_torn_by_the_roll_back, 0, 2);
	TEST_CASE(s, test_not_ours_to_repair);
	TEST_CASE(s, test_ruby_ends);
	TEST_CASE_LOOP(s, test_ruby_stays, 0, 2);
	TEST_CASE_LOOP(s, test_task_cannot_be_disabled, 0, 2);
	TEST_CASE(s, test_task_is_stubborn);
	TEST_CASE(s, test_task_cannot_be_enabled);
	TEST_CASE(s, test_task_disabled_since);
	TEST_CASE(s, test_named_task);
	TEST_CASE_LOOP(s, test_drift, 0, 4);
	TEST_CASE(s, test_what_else_goes_wrong);
}
