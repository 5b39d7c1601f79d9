/* The client for Active Directory on the Windows host of win_world.h: what is left of it, wherever a controller dies.
 */
#include "tests/integration/agents/ad_world.h"

#include "base/alloc.h"

/* ---- the plain way ---------------------------------------------------------------------------------------------- */

/* While the file is written both are down. */
static void down_while_written(struct drive *drive, const char *step, const struct op *op, bool after)
{
	(void)op;
	if (strcmp(step, "write-config") == 0 && !after) {
		ck_assert_int_eq(win_service(AGENT)->state, SC_STOPPED);
		ck_assert_int_eq(win_service(SERVICE)->state, SC_STOPPED);
		drive->arg = drive;
	}
}

START_TEST(test_plain)
{
	ad_begin("{}");
	win.japanese = _i;
	ad.on_op = down_while_written;
	ENDS(drive_plan(&ad), DRIVE_DONE);
	ck_assert_int_eq(ad.assessment.state, ASSESS_OLD);
	ck_assert_uint_eq(ad.assessment.changes_n, 1);
	ck_assert_str_eq(ad.assessment.changes[0].what, CONFIG);
	ck_assert_int_eq(ad.assessment.changes[0].line, 6);
	ck_assert_str_eq(ad.assessment.changes[0].old_line,
			 "<add key=\"WS_SERVICE_URI\" value=\"https://" OLD_NAME "/imhs/v1.0/en/\" />");
	ck_assert_str_eq(ad.assessment.changes[0].new_line,
			 "<add key=\"WS_SERVICE_URI\" value=\"https://" NEW_NAME "/imhs/v1.0/en/\" />");
	ck_assert(ad_has_note("the service \"" AGENT_NAME "\" (" AGENT ", start type automatic) is stopped meanwhile"));
	ad_is_untouched();
	ENDS(drive_run(&ad), DRIVE_DONE);
	ck_assert_ptr_nonnull(ad.arg);
	ad_is_changed();
	ck_assert_int_eq(win_service(AGENT)->stops, 1);
	ck_assert_int_eq(win_service(SERVICE)->stops, 1);
	/* a second run changes nothing and restarts nothing */
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ck_assert_int_eq(ad.replaced, 1);
	ck_assert_int_eq(win_service(AGENT)->starts, 1);
	ENDS(drive_rollback(&ad), DRIVE_DONE);
	ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)));
	ad_runs_with(AGENT, OLD_NAME);
	ad_runs_with(SERVICE, OLD_NAME);
	ck_assert_uint_eq(ad.debts_n, 0);
	/* and once more from the start */
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
}
END_TEST

/* Nothing of what is in the file besides is ever said. */
START_TEST(test_no_secret_is_said)
{
	ad_begin("{}");
	ENDS(drive_plan(&ad), DRIVE_DONE);
	for (size_t i = 0; i < ad.assessment.notes_n; i++)
		ck_assert_ptr_null(strstr(ad.assessment.notes[i], "secret"));
	ck_assert_ptr_null(strstr(ad.assessment.changes[0].old_line, "secret"));
	ck_assert_ptr_null(strstr(ad.assessment.text, "secret"));
	ad_end();
}
END_TEST

/* ---- crashes ---------------------------------------------------------------------------------------------------- */

/* What is never allowed, at no moment: a file that is neither, a service that is down and not owed. */
static void invariants(void)
{
	ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)) || ad_file_is(CONFIG, FILE_OF(NEW_NAME)));
	for (int i = 0; i < win.services_n; i++) {
		const struct win_service *s = &win.services[i];
		bool owed = false;

		for (size_t k = 0; k < ad.debts_n; k++)
			owed = owed || strcmp(ad.debts[k].item, s->key) == 0;
		ck_assert_msg(s->state == SC_RUNNING || owed, "%s is down and not owed", s->key);
	}
}

/* At each op, before it is done and after it; the services are slow, so that the polls are among them. */
static bool crash_run(int at, bool after, enum drive_end (*first)(struct drive *))
{
	bool crashed;

	ad.crash_at = at;
	ad.crash_after = after;
	crashed = first(&ad) == DRIVE_CRASHED;
	invariants();
	ad.crash_at = -1;
	return crashed;
}

static void slow(void)
{
	win_service(AGENT)->stop_looks = 2;
	win_service(SERVICE)->stop_looks = 1;
	win_service(AGENT)->start_looks = 1;
	win_service(SERVICE)->start_looks = 2;
	win_service(SERVICE)->lingers = 2;
}

START_TEST(test_crash_anywhere_and_run)
{
	bool crashed = true;
	int at;

	for (at = 0; crashed; at++) {
		ad_begin("{}");
		slow();
		crashed = crash_run(at, _i, drive_run);
		ENDS(drive_run(&ad), DRIVE_DONE);
		ad_is_changed();
		/* its outcome may be lost, but it is never written twice */
		ck_assert_int_eq(ad.replaced, 1);
		ad_end();
	}
	ck_assert_int_ge(at, 30);
}
END_TEST

START_TEST(test_crash_anywhere_and_roll_back)
{
	bool crashed = true;

	for (int at = 0; crashed; at++) {
		ad_begin("{}");
		slow();
		crashed = crash_run(at, _i, drive_run);
		ENDS(drive_rollback(&ad), DRIVE_DONE);
		ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)));
		ad_runs_with(AGENT, OLD_NAME);
		ad_runs_with(SERVICE, OLD_NAME);
		ck_assert_uint_eq(ad.debts_n, 0);
		ad_end();
	}
}
END_TEST

START_TEST(test_crash_in_the_roll_back)
{
	bool crashed = true;

	for (int at = 0; crashed; at++) {
		ad_begin("{}");
		slow();
		ENDS(drive_run(&ad), DRIVE_DONE);
		crashed = crash_run(at, _i, drive_rollback);
		if (crashed)
			ENDS(drive_rollback(&ad), DRIVE_DONE);
		ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)));
		ad_runs_with(AGENT, OLD_NAME);
		ad_runs_with(SERVICE, OLD_NAME);
		ck_assert_uint_eq(ad.debts_n, 0);
		ad_end();
	}
}
END_TEST

/* The machine starts its services by itself while nobody looks: what ran with the old file meanwhile does not stay. */
START_TEST(test_crash_and_the_services_came_up)
{
	bool crashed = true;

	for (int at = 0; crashed; at++) {
		ad_begin("{}");
		slow();
		crashed = crash_run(at, _i, drive_run);
		for (int i = 0; crashed && i < win.services_n; i++) {
			struct win_service *s = &win.services[i];
			bool written = ad_file_is(CONFIG, FILE_OF(NEW_NAME));

			if (s->state != SC_STOPPED)
				continue;
			/* it read the file just before it was written, when that was what the crash hid */
			s->state = SC_RUNNING;
			s->pid = win.next_pid += 4;
			snprintf(s->read, sizeof(s->read), "%s",
				 written && strcmp(ad.step, "write-config") == 0 ? OLD_NAME
				 : written                                       ? NEW_NAME
										 : OLD_NAME);
		}
		ENDS(drive_run(&ad), DRIVE_DONE);
		ad_is_changed();
		ad_end();
	}
}
END_TEST

/* The session dies in the copy onto the file: nothing of it is there, some, all but a byte; with and without the rest
   of the old file. */
START_TEST(test_torn_file)
{
	long len = (long)strlen(FILE_OF(NEW_NAME));

	for (long tear = 0; tear < len; tear += tear < 8 ? 1 : 7) {
		ad_begin("{}");
		win.tear_at = tear;
		win.tear_keeps_rest = _i & 1;
		ENDS(drive_run(&ad), DRIVE_CRASHED);
		ck_assert_uint_eq(ad.debts_n, 2);
		if (_i & 2) {
			ENDS(drive_rollback(&ad), DRIVE_DONE);
			ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)));
			ad_runs_with(AGENT, OLD_NAME);
			ad_runs_with(SERVICE, OLD_NAME);
		} else {
			ENDS(drive_run(&ad), DRIVE_DONE);
			ad_is_changed();
		}
		ck_assert_uint_eq(ad.debts_n, 0);
		ad_end();
	}
}
END_TEST

/* Somebody else's work is no torn file of ours, and is left alone; the services run again. */
START_TEST(test_not_ours_to_repair)
{
	const char *others = "<configuration><appSettings/></configuration>\r\n";

	ad_begin("{}");
	win.tear_at = 40;
	ENDS(drive_run(&ad), DRIVE_CRASHED);
	win_write(CONFIG, others, strlen(others));
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT,
	     "as it was before our change it is kept beside it as PluginService.exe.config.before-cutover");
	ck_assert(ad_file_is(CONFIG, others));
	ad_runs_with(AGENT, "torn");
	ck_assert_uint_eq(ad.debts_n, 0);
	ad_end();
	/* no backup: nothing proves that it was us */
	ad_begin("{}");
	win.tear_at = 40;
	ENDS(drive_run(&ad), DRIVE_CRASHED);
	win_file(BACKUP)->there = false;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	ck_assert_int_eq(ad.kind, VERDICT_DRIFT);
	ck_assert_ptr_null(strstr(ad.text, "beside it"));
	ad_end();
	/* a backup of another day */
	ad_begin("{}");
	win_write(BACKUP, others, strlen(others));
	win.tear_at = 40;
	ENDS(drive_run(&ad), DRIVE_CRASHED);
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	ck_assert_int_eq(ad.kind, VERDICT_DRIFT);
	ck_assert_int_eq(ad.replaced, 0);
	ad_end();
}
END_TEST

SUITE(ad_sync_client)
{
	TEST_CASE_LOOP(s, test_plain, 0, 2);
	TEST_CASE(s, test_no_secret_is_said);
	TEST_CASE_LOOP(s, test_crash_anywhere_and_run, 0, 2);
	TEST_CASE_LOOP(s, test_crash_anywhere_and_roll_back, 0, 2);
	TEST_CASE_LOOP(s, test_crash_in_the_roll_back, 0, 2);
	TEST_CASE_LOOP(s, test_crash_and_the_services_came_up, 0, 2);
	TEST_CASE_LOOP(s, test_torn_file, 0, 4);
	TEST_CASE(s, test_not_ours_to_repair);
}
