/* The client for Active Directory with services that do not do as they are told, or are not the ones they should be. */
#include "tests/integration/agents/ad_world.h"

#include "base/alloc.h"

/* ---- services that are not as they should be ----------------------------------------------------------------------
 */

START_TEST(test_found_stopped)
{
	ad_begin("{}");
	win_service(AGENT)->state = SC_STOPPED;
	win_service(AGENT)->pid = 0;
	win_service(AGENT)->start = _i ? SC_DISABLED : SC_AUTO_START;
	ENDS(drive_plan(&ad), DRIVE_DONE);
	ck_assert(ad_has_note("is stopped already and is left so"));
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "was so before, so it was left alone");
	ck_assert_msg((strstr(ad.text, "and disabled") != NULL) == _i, "%s", ad.text);
	ck_assert(ad_file_is(CONFIG, FILE_OF(NEW_NAME)));
	ck_assert_int_eq(win_service(AGENT)->state, SC_STOPPED);
	ck_assert_int_eq(win_service(AGENT)->starts, 0);
	ad_runs_with(SERVICE, NEW_NAME);
	ck_assert_uint_eq(ad.debts_n, 0);
	/* once more: the same, and nothing is done */
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	ck_assert_int_eq(ad.kind, VERDICT_PERSON);
	ck_assert_int_eq(ad.replaced, 1);
	ck_assert_int_eq(win_service(SERVICE)->starts, 1);
	/* a person starts it: that is all that was missing */
	win_service(AGENT)->state = SC_RUNNING;
	win_service(AGENT)->start = SC_AUTO_START;
	win_service(AGENT)->pid = 77;
	ENDS(drive_run(&ad), DRIVE_DONE);
	/* and it is put back with what runs now */
	ENDS(drive_rollback(&ad), DRIVE_DONE);
	ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)));
	ad_runs_with(AGENT, OLD_NAME);
	ad_runs_with(SERVICE, OLD_NAME);
	ad_end();
}
END_TEST

START_TEST(test_both_found_stopped)
{
	ad_begin("{}");
	win_service(AGENT)->state = win_service(SERVICE)->state = SC_STOPPED;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, AGENT_NAME);
	SAYS(VERDICT_PERSON, SERVICE_NAME);
	ck_assert(ad_file_is(CONFIG, FILE_OF(NEW_NAME)));
	ck_assert_int_eq(win_service(SERVICE)->starts + win_service(AGENT)->starts, 0);
	ad_end();
}
END_TEST

/* It says that it stops, and runs on; it takes longer than a minute without a sign of life; it never ends. */
START_TEST(test_never_stops)
{
	static const int looks[] = {0, 70, -1};

	ad_begin("{}");
	win_service(SERVICE)->ignores_stop = _i == 0;
	win_service(SERVICE)->stop_looks = looks[_i];
	ENDS(drive_run(&ad), _i == 2 ? DRIVE_STUCK : DRIVE_STOPPED);
	if (_i < 2) {
		SAYS(VERDICT_FAIL, "the service \"" SERVICE_NAME "\" has not stopped in 60 s (it is ");
		SAYS(VERDICT_FAIL, "the file was not changed, and what was stopped is started again");
		ad_is_untouched();
	} else {
		/* on its way down it cannot be started: the debt stays open, the file as it was, and it is paid later
		 */
		SAYS(VERDICT_FAIL, "has not come up in 60 s (it is STOP_PENDING)");
		ck_assert_int_eq(ad.debts_n, 2);
		ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)));
		win_service(SERVICE)->pending = win_service(SERVICE)->stop_looks = 0;
		ENDS(drive_run(&ad), DRIVE_DONE);
		ad_is_changed();
	}
	ad_end();
}
END_TEST

/* So long as the inventory says, with signs of life or without; for a start the usual time stays. */
START_TEST(test_never_stops_in_its_time)
{
	ad_begin("{\"wait_s\": 5}");
	win_service(SERVICE)->stop_looks = 10;
	win_service(SERVICE)->makes_progress = _i;
	win_service(AGENT)->start_looks = 30;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "the service \"" SERVICE_NAME "\" has not stopped in 5 s (it is STOP_PENDING");
	ad_is_untouched();
	ck_assert_uint_eq(ad.debts_n, 0);
	ad_end();
	ad_begin("{\"wait_s\": 5}");
	win_service(SERVICE)->lingers = -1;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "its process 2008 is still there after 5 s; the file was not changed, and");
	ad_is_untouched();
	ad_end();
}
END_TEST

START_TEST(test_wait_out_of_range)
{
	static const char *const cases[] = {"{\"wait_s\": 0}", "{\"wait_s\": 601}", "{\"wait_s\": -1e300}"};

	ad_begin(cases[_i]);
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "`wait_s` is in seconds, 1 to 600");
	ad_is_untouched();
	ad_end();
}
END_TEST

/* Ten minutes with signs of life are waited for, sixty seconds without are not. */
START_TEST(test_slow_with_progress)
{
	ad_begin("{}");
	win_service(SERVICE)->stop_looks = 300;
	win_service(SERVICE)->makes_progress = true;
	win_service(AGENT)->start_looks = 300;
	win_service(AGENT)->makes_progress = true;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
}
END_TEST

START_TEST(test_stop_codes)
{
	static const struct {
		long code;
		bool passes;
		const char *says;
	} cases[] = {
	    {SC_CANNOT_ACCEPT, true, ""},
	    {SC_REQUEST_TIMEOUT, false, "has not stopped in 60 s"},
	    {SC_DATABASE_LOCKED, true, ""},
	    {SC_DEPENDENTS_RUNNING, false, "code 1051, services that depend on it are running"},
	    {SC_INVALID_CONTROL, false, "code 1052"},
	    {SC_ACCESS_DENIED, false, "member of the host's Administrators"},
	    {4711, false, "code 4711 (`net helpmsg 4711`"},
	};

	ad_begin("{}");
	win_service(SERVICE)->stop_code = cases[_i].code;
	ENDS(drive_run(&ad), cases[_i].passes ? DRIVE_DONE : DRIVE_STOPPED);
	if (cases[_i].passes) {
		ad_is_changed();
	} else {
		SAYS(VERDICT_FAIL, cases[_i].says);
		ad_is_untouched();
		ck_assert_int_eq(win_service(AGENT)->starts, 1);
	}
	ad_end();
}
END_TEST

START_TEST(test_start_codes)
{
	static const struct {
		long code;
		enum drive_end end;
		const char *says;
	} cases[] = {
	    {SC_ALREADY_RUNNING, DRIVE_STUCK, "has ended at once"},
	    {SC_DATABASE_LOCKED, DRIVE_DONE, ""},
	    {SC_CANNOT_ACCEPT, DRIVE_DONE, ""},
	    {SC_IS_DISABLED, DRIVE_STUCK, "enable it"},
	    {SC_LOGON_FAILED, DRIVE_STUCK, "give its password again"},
	    {1072, DRIVE_STUCK, "it is to be deleted"},
	};

	ad_begin("{}");
	win_service(AGENT)->start_code = cases[_i].code;
	ENDS(drive_run(&ad), cases[_i].end);
	if (cases[_i].end == DRIVE_STUCK) {
		SAYS(VERDICT_FAIL, cases[_i].says);
		SAYS(VERDICT_FAIL, AGENT_NAME);
		ck_assert_uint_eq(ad.debts_n, 1);
		ck_assert_str_eq(ad.debts[0].item, AGENT);
		/* the person has done it: the next run pays and verifies */
		ENDS(drive_run(&ad), DRIVE_DONE);
	}
	ad_is_changed();
	ad_end();
}
END_TEST

START_TEST(test_dies_when_started)
{
	ad_begin("{}");
	win_service(AGENT)->dies = 1067;
	ENDS(drive_run(&ad), DRIVE_STUCK);
	SAYS(VERDICT_FAIL,
	     "was started and has ended at once (its own code 0): code 1067, its process ended by surprise");
	ck_assert(ad_file_is(CONFIG, FILE_OF(NEW_NAME)));
	ad_runs_with(SERVICE, NEW_NAME);
	win_service(AGENT)->dies = 0;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
}
END_TEST

/* Its recovery settings start it again while it has to be down: at once, before the file is written, right behind it.
 */
START_TEST(test_revives)
{
	ad_begin("{}");
	win_service(SERVICE)->revives_after = _i;
	win_service(SERVICE)->revives = 1;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
	ad_begin("{}");
	win_service(SERVICE)->revives_after = _i;
	win_service(SERVICE)->revives = 100;
	ENDS(drive_run(&ad), _i == 2 ? DRIVE_DONE : DRIVE_STOPPED);
	if (_i == 2) {
		/* what came up behind the write was stopped once more, and runs with the new name */
		ad_is_changed();
	} else {
		SAYS(VERDICT_REREAD,
		     "was started by something else while it had to be down (it is RUNNING): a recovery setting");
		ad_is_untouched();
	}
	ad_end();
}
END_TEST

START_TEST(test_process_lingers)
{
	ad_begin("{}");
	win_service(SERVICE)->lingers = 20;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ck_assert_int_ge(win.tasks_asked, 20);
	ad_is_changed();
	ad_end();
	ad_begin("{}");
	win_service(SERVICE)->lingers = -1;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "its process 2008 is still there after 60 s; the file was not changed, and");
	ad_is_untouched();
	ad_end();
	ad_begin("{}");
	win.fail_tasklist = 1;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_RETRY, "(code 1): ERROR: The RPC server is unavailable.");
	ad_is_untouched();
	ad_end();
}
END_TEST

/* Nothing is begun that could not be put back. */
START_TEST(test_not_begun)
{
	ad_begin("{}");
	win_service_add("Monitor", "Some monitor", "C:\\m.exe", SC_RUNNING)->depends_on = SERVICE;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "depend on \"" SERVICE_NAME "\" and are running: Monitor;");
	ad_is_untouched();
	win_service("Monitor")->state = SC_STOPPED;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
	ad_begin("{}");
	win_service(SERVICE)->start = SC_DISABLED;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "runs, but its start type is disabled");
	ad_is_untouched();
	ad_end();
	ad_begin("{}");
	win_service(SERVICE)->state = SC_PAUSED;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "is PAUSED: let it run or stop it");
	ck_assert_int_eq(win_service(AGENT)->stops, 0);
	ad_end();
	/* started by somebody at this moment: waited for, then stopped */
	ad_begin("{}");
	win_service(SERVICE)->state = SC_START_PENDING;
	win_service(SERVICE)->pending = 3;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
}
END_TEST

/* What depends on the other one is stopped first, whichever that is. */
START_TEST(test_other_dependency)
{
	ad_begin("{}");
	win_service(AGENT)->depends_on = NULL;
	win_service(SERVICE)->depends_on = AGENT;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
}
END_TEST

/* sc.exe itself was not run: whether it was the host's fault or its load, that is asked again. */
START_TEST(test_did_not_run)
{
	static const long codes[] = {9009, (long)(int32_t)0xc0000142, (long)(int32_t)0xc000012d};

	ad_begin("{}");
	win.fail_sc = codes[_i];
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_RETRY, "the service \"" AGENT_NAME "\" could not be looked at: code ");
	ad_is_untouched();
	win.fail_sc = 0;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
}
END_TEST

/* ---- which services -----------------------------------------------------------------------------------------------
 */

START_TEST(test_which_services)
{
	ad_begin("{}");
	win_service(SERVICE)->display = "Something else";
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "only one of the client's two services is on the host: \"" AGENT_NAME
			     "\" is, \"" SERVICE_NAME "\" is not");
	ad_is_untouched();
	win_service(AGENT)->display = "Something else";
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "neither of the client's services is on the host");
	ad_end();
	ad_begin("{\"services\": [\"" AGENT "\", \"" SERVICE "\"]}");
	win_service(SERVICE)->display = win_service(AGENT)->display = "Something else";
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
	ad_begin("{\"services\": [\"" SERVICE "\"]}");
	win_service(AGENT)->depends_on = NULL;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_runs_with(AGENT, OLD_NAME);
	ad_runs_with(SERVICE, NEW_NAME);
	ad_end();
	ad_begin("{\"services\": [\"HesSyncAgent\", \"HesSync\"]}");
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "there is no service \"HesSync\" on the host, which the inventory names");
	ad_is_untouched();
	ad_end();
	ad_begin("{\"services\": [\"a\\\" & b\"]}");
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "cannot be a service's key name");
	ad_end();
	ad_begin("{\"services\": []}");
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "names no services");
	ad_end();
}
END_TEST

SUITE(ad_sync_services)
{
	TEST_CASE_LOOP(s, test_found_stopped, 0, 2);
	TEST_CASE(s, test_both_found_stopped);
	TEST_CASE_LOOP(s, test_never_stops, 0, 3);
	TEST_CASE_LOOP(s, test_never_stops_in_its_time, 0, 2);
	TEST_CASE_LOOP(s, test_wait_out_of_range, 0, 3);
	TEST_CASE(s, test_slow_with_progress);
	TEST_CASE_LOOP(s, test_stop_codes, 0, 7);
	TEST_CASE_LOOP(s, test_start_codes, 0, 6);
	TEST_CASE(s, test_dies_when_started);
	TEST_CASE_LOOP(s, test_revives, 0, 3);
	TEST_CASE(s, test_process_lingers);
	TEST_CASE(s, test_not_begun);
	TEST_CASE(s, test_other_dependency);
	TEST_CASE_LOOP(s, test_did_not_run, 0, 3);
	TEST_CASE(s, test_which_services);
}
