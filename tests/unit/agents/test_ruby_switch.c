/* The Ruby client's schedule: off before the change, on again after it, and looked at once more. */
#include "tests/unit/agents/ruby_host.h"

/* ---- off --------------------------------------------------------------------------------------------------------- */

START_TEST(test_somebody_was_faster)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "");
	is(answer(apply("schedule-off"), 0, 0, SCRIPT_CHANGED, "", ""), VERDICT_REREAD, "edited meanwhile");
	is(answer(apply("schedule-off"), 0, 0, SCRIPT_MISSING, "", ""), VERDICT_REREAD, "");
	is(answer(apply("write-config"), 0, E_CHANGED, 0, "", ""), VERDICT_REREAD, "edited meanwhile");
	ck_assert_str_eq(facts_text(&rec.now, "config.state", ""), "old");
	recorded_end();
}
END_TEST

/* What came after our first change is not switched off: nobody would owe it. */
START_TEST(test_new_entries_stay_on)
{
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&rec.before, &rec.now);
	see(OLD_TEXT, "1 1 * * * ruby imhs-ws-client.rb\n" LINE "\n");
	assess_as(ASSESS_OLD, "");
	ck_assert_ptr_nonnull(strstr(rec.assessment.notes[0], "is new since our first attempt and stays on"));
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(apply("schedule-off"), 1, &op, item), OP_DO);
	op_release(&op);
	recorded_end();
}
END_TEST

/* ---- on again ---------------------------------------------------------------------------------------------------- */

/* With `before` alone, as after a crash on a host that cannot be observed any more. */
START_TEST(test_restore)
{
	struct op op;
	char item[ITEM_MAX];
	const char *edited = "# new\n#CUTOVER:acme: " LINE "\nMAILTO=y";

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&rec.before, &rec.now);
	facts_release(&rec.now);
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	ck_assert_str_eq(op.path, SPOOL);
	op_release(&op);
	is(answer(restore(), 0, 0, 0, edited, ""), VERDICT_AGAIN, "");
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	installs(&op, edited, "# new\n" LINE "\nMAILTO=y");
	op_release(&op);
	/* once more edited: once more read */
	is(answer(restore(), 0, 0, SCRIPT_CHANGED, "", ""), VERDICT_AGAIN, "edited meanwhile");
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	op_release(&op);
	is(answer(restore(), 0, 0, 0, TABLE_OFF, ""), VERDICT_AGAIN, "");
	is(answer(restore(), 0, 0, 0, "", ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(restore(), 1, &op, item), OP_END);
	recorded_end();
}
END_TEST

START_TEST(test_restore_by_hand)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&rec.before, &rec.now);
	facts_release(&rec.now);
	is(answer(restore(), 0, 0, 0, TABLE_ON, ""), VERDICT_UNCHANGED, "on already");
	is(answer(restore(), 0, 0, 0, "MAILTO=x\n", ""), VERDICT_FAIL, "put it back by hand: " LINE);
	is(answer(restore(), 0, 0, 0, TABLE_ON TABLE_OFF, ""), VERDICT_FAIL, "more than once");
	is(answer(restore(), 0, E_NOTFOUND, 0, "", ""), VERDICT_FAIL, "put this line back by hand: " LINE);
	is(answer(restore(), 0, E_PERM, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(restore(), 0, 0, 0, TABLE_OFF, ""), VERDICT_AGAIN, "");
	is(answer(restore(), 0, 0, SCRIPT_FAILED, "", "disk full\n"), VERDICT_FAIL, "disk full");
	recorded_end();
}
END_TEST

START_TEST(test_restore_leaves_what_was_off)
{
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(observe("schedule"), 0,
			 frames("timer", "imhs.timer", "service", "imhs.service", "active", "inactive", "enabled",
				"enabled", NULL)),
	   VERDICT_OK, "");
	facts_copy(&rec.before, &rec.now);
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(restore(), 1, &op, item), OP_END);
	recorded_end();
}
END_TEST

/* ---- timers ------------------------------------------------------------------------------------------------------ */

START_TEST(test_timer)
{
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, NULL);
	is(answer_frames(observe("schedule"), 0,
			 frames("timer", "imhs.timer", "service", "imhs.service", "active", "active", "enabled",
				"enabled", NULL)),
	   VERDICT_OK, "");
	assess_as(ASSESS_OLD, "");
	ck_assert_str_eq(rec.assessment.notes[0], "timer imhs.timer is stopped meanwhile");
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_DO);
	ck_assert_str_eq(item, "systemd:imhs.timer");
	runs_script(&op, "timer.sh", true, 2);
	ck_assert_str_eq(op.args[0], "stop");
	ck_assert_str_eq(op.args[1], "imhs.timer");
	op_release(&op);
	facts_copy(&rec.before, &rec.now);
	is(answer_frames(apply("schedule-off"), 0, frames("was", "active", "active", "inactive", NULL)), VERDICT_OK,
	   "");
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	assess_as(ASSESS_PARTIAL, "");
	facts_release(&rec.now);
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	ck_assert_str_eq(op.args[0], "start");
	op_release(&op);
	is(answer_frames(restore(), 0, frames("was", "inactive", "active", "active", NULL)), VERDICT_OK, "");
	is(answer_frames(restore(), 0, frames("was", "active", "active", "active", NULL)), VERDICT_UNCHANGED,
	   "already");
	is(answer_frames(restore(), 0, frames("was", "inactive", "active", "inactive", NULL)), VERDICT_FAIL,
	   "not active");
	is(answer(restore(), 0, 0, SCRIPT_MISSING, "", ""), VERDICT_FAIL, "not there any more");
	is(answer(restore(), 0, 0, SCRIPT_FAILED, "", "masked\n"), VERDICT_FAIL, "could not be started: masked");
	recorded_end();
}
END_TEST

/* ---- verify ------------------------------------------------------------------------------------------------------ */

START_TEST(test_verify_schedule)
{
	const struct step *step = verify("schedule-again");
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&rec.before, &rec.now);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	/* a file's bytes are no evidence, so it is fetched as one */
	ck_assert_int_eq(op.kind, OP_GET);
	ck_assert_str_eq(op.path, SPOOL);
	ck_assert_str_eq(item, "crontab:sync");
	op_release(&op);
	ck_assert_int_eq(ask(step, 1, &op, item), OP_END);
	is(answer(step, 0, 0, 0, "x\n" TABLE_ON, ""), VERDICT_OK, "");
	is(answer(step, 0, 0, 0, TABLE_OFF, ""), VERDICT_FAIL, "still switched off by us");
	is(answer(step, 0, 0, 0, TABLE_ON "#CUTOVER:acme: 1 1 * * * y\n", ""), VERDICT_FAIL, "begins with our marker");
	is(answer(step, 0, 0, 0, TABLE_ON TABLE_ON, ""), VERDICT_FAIL, "more than once");
	is(answer(step, 0, 0, 0, "", ""), VERDICT_FAIL, "not there any more");
	is(answer(step, 0, E_NOTFOUND, 0, "", ""), VERDICT_FAIL, "is gone");
	recorded_end();
}
END_TEST

START_TEST(test_verify_several_places)
{
	const struct step *step = verify("schedule-again");
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(observe("schedule"), 0,
			 frames("kind", "user", "name", "crontab:sync", "user", "sync", "path", SPOOL, "bytes",
				"1 1 * * * ruby imhs-ws-client.rb\n" LINE "\n", "kind", "system", "name", "cron.d:x",
				"user", "", "path", "/etc/cron.d/x", "bytes", "2 2 * * * sync ruby imhs-ws-client.rb\n",
				"timer", "t.timer", "service", "t.service", "active", "active", "enabled", "static",
				NULL)),
	   VERDICT_OK, "");
	ck_assert_int_eq(fact_number(&rec.now, "schedule.n"), 4);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	ck_assert_str_eq(item, "crontab:sync");
	op_release(&op);
	ck_assert_int_eq(ask(step, 1, &op, item), OP_DO);
	ck_assert_str_eq(item, "cron.d:x");
	op_release(&op);
	ck_assert_int_eq(ask(step, 2, &op, item), OP_DO);
	ck_assert_str_eq(item, "systemd:t.timer");
	ck_assert_str_eq(op.args[0], "show");
	op_release(&op);
	ck_assert_int_eq(ask(step, 3, &op, item), OP_END);
	is(answer_frames(step, 2, frames("was", "active", "active", "active", NULL)), VERDICT_OK, "");
	is(answer_frames(step, 2, frames("was", "failed", "active", "failed", NULL)), VERDICT_FAIL,
	   "was active before");
	is(answer(step, 1, 0, 0, "# empty\n", ""), VERDICT_FAIL, "put it back by hand");
	recorded_end();
}
END_TEST

SUITE(ruby_switch)
{
	TEST_CASE(s, test_somebody_was_faster);
	TEST_CASE(s, test_new_entries_stay_on);
	TEST_CASE(s, test_restore);
	TEST_CASE(s, test_restore_by_hand);
	TEST_CASE(s, test_restore_leaves_what_was_off);
	TEST_CASE(s, test_timer);
	TEST_CASE(s, test_verify_schedule);
	TEST_CASE(s, test_verify_several_places);
}
