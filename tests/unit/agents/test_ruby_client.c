/*
 * The Ruby client's tables with recorded answers: what is looked at, what is made of it, and the changes in their order.
 * The same tables on real shells and files are in tests/integration/agents.
 */
#include "tests/unit/agents/ruby_host.h"

/* ---- observe ----------------------------------------------------------------------------------------------------- */

START_TEST(test_observe_asks)
{
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{\"path\": \"/opt/imhs-ws-clinet\", \"schedule\": \"crontab:sync\"}");
	ck_assert_int_eq(ask(observe("find"), 0, &op, item), OP_DO);
	runs_script(&op, "client-find.sh", true, 1);
	ck_assert_str_eq(op.args[0], "/opt/imhs-ws-clinet");
	op_release(&op);
	ck_assert_int_eq(ask(observe("find"), 1, &op, item), OP_END);
	/* nothing was found yet: nothing else is asked */
	ck_assert_int_eq(ask(observe("read"), 0, &op, item), OP_END);
	ck_assert_int_eq(ask(observe("schedule"), 0, &op, item), OP_END);
	ck_assert_int_eq(ask(observe("running"), 0, &op, item), OP_END);
	see(OLD_TEXT, TABLE_ON);
	ck_assert_int_eq(ask(observe("read"), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	ck_assert(op.elevated);
	ck_assert_str_eq(op.path, "/opt/imhs-ws-clinet/imhs-config.rb");
	ck_assert_uint_eq(op.max_out_bytes, 1 << 20);
	op_release(&op);
	ck_assert_int_eq(ask(observe("schedule"), 0, &op, item), OP_DO);
	runs_script(&op, "client-schedule.sh", true, 3);
	ck_assert_str_eq(op.args[0], "crontab:sync");
	op_release(&op);
	ck_assert_int_eq(ask(observe("running"), 0, &op, item), OP_DO);
	runs_script(&op, "client-running.sh", true, 2);
	op_release(&op);
	ck_assert_int_eq(ask(observe("ruby"), 0, &op, item), OP_DO);
	runs_script(&op, "ruby-find.sh", false, 0);
	op_release(&op);
	recorded_end();
}
END_TEST

START_TEST(test_schedule_none_is_not_looked_for)
{
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{\"schedule\": \"none\"}");
	see(OLD_TEXT, NULL);
	ck_assert_int_eq(ask(observe("schedule"), 0, &op, item), OP_END);
	recorded_end();
}
END_TEST

START_TEST(test_cut_answers)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer(observe("find"), 0, 0, 0, "folder 3\n/op", ""), VERDICT_RETRY, "not whole");
	is(answer(observe("schedule"), 0, 0, 0, "", ""), VERDICT_RETRY, "not whole");
	is(answer(observe("running"), 0, 0, 0, "pid 1\n1\n", ""), VERDICT_RETRY, "not whole");
	is(answer(observe("ruby"), 0, 0, 2, "", "sh: x"), VERDICT_FAIL, "ended with code 2: sh: x");
	recorded_end();
}
END_TEST

/* ---- assess ------------------------------------------------------------------------------------------------------ */

START_TEST(test_assess_old_and_new)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "line 2 names us.imhs-ws.trendmicro.com");
	ck_assert_uint_eq(rec.assessment.changes_n, 1);
	ck_assert_str_eq(rec.assessment.changes[0].item, "config");
	ck_assert_str_eq(rec.assessment.notes[0], "line 2 of " SPOOL " is off meanwhile: " LINE);
	ck_assert_str_eq(rec.assessment.notes[1],
			 "the client is run once: `ruby imhs-ws-client.rb` in /opt/imhs-ws-clinet as sync");
	see(NEW_TEXT, TABLE_ON);
	assess_as(ASSESS_NEW, "line 2 names ws.acme.hes2.example");
	ck_assert_uint_eq(rec.assessment.changes_n, 0);
	recorded_end();
}
END_TEST

/* After a crash: before says how it was. */
START_TEST(test_assess_partial)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&rec.before, &rec.now);
	see(OLD_TEXT, TABLE_OFF);
	assess_as(ASSESS_PARTIAL, "still, and the schedule is off by us");
	ck_assert_uint_eq(rec.assessment.changes_n, 1);
	see(NEW_TEXT, TABLE_OFF);
	assess_as(ASSESS_PARTIAL, "the schedule is off by us");
	see(NEW_TEXT, TABLE_ON);
	assess_as(ASSESS_PARTIAL, "the client has not run yet");
	rec.done = "run-client";
	assess_as(ASSESS_NEW, "");
	recorded_end();
}
END_TEST

START_TEST(test_assess_other_values)
{
	recorded_begin(&agent_ruby_client, "{}");
	see("ROOT_URI = 'https://a:b@proxy.example/'\n", TABLE_ON);
	assess_as(ASSESS_DRIFT, "line 1 names proxy.example, which is neither");
	ck_assert_ptr_null(strstr(rec.assessment.text, "a:b"));
	see("X = 1\n", TABLE_ON);
	assess_as(ASSESS_DRIFT, "assigns no ROOT_URI");
	see("ROOT_URI ||= 'https://us.imhs-ws.trendmicro.com/'\n", TABLE_ON);
	assess_as(ASSESS_DRIFT, "line 1: it is assigned only under a condition");
	see(OLD_TEXT, "#CUTOVER:acme: " LINE "\n");
	assess_as(ASSESS_DRIFT, "knows nothing of");
	see(OLD_TEXT, LINE "\n" LINE "\n");
	assess_as(ASSESS_DRIFT, "the same line twice, lines 1 and 2");
	recorded_end();
}
END_TEST

START_TEST(test_assess_as_whom)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, NULL);
	assess_as(ASSESS_OLD, "");
	facts_set_text(&rec.now, "client.owner", "root");
	assess_as(ASSESS_PERSON, "run_as");
	see(OLD_TEXT, TABLE_ON);
	facts_set_text(&rec.now, "client.owner", "root");
	assess_as(ASSESS_OLD, "");
	recorded_end();
	recorded_begin(&agent_ruby_client, "{\"run\": \"none\"}");
	see(OLD_TEXT, NULL);
	facts_set_text(&rec.now, "client.owner", "root");
	assess_as(ASSESS_OLD, "");
	ck_assert_str_eq(rec.assessment.notes[1], "the client is not run: the inventory says so (run: none)");
	recorded_end();
}
END_TEST

START_TEST(test_assess_what_could_not_be_read)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer(observe("read"), 0, E_NOTFOUND, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_DRIFT, "is not there any more");
	is(answer(observe("read"), 0, E_LIMIT, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "cannot be read: failed so");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(observe("schedule"), 0, frames("unreadable", "/var/spool/cron/crontabs", NULL)), VERDICT_OK,
	   "");
	assess_as(ASSESS_PERSON, "/var/spool/cron/crontabs could not be looked into");
	is(answer_frames(observe("find"), 0, frames("complete", "no", NULL)), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "took too long");
	recorded_end();
}
END_TEST

/* ---- apply ------------------------------------------------------------------------------------------------------- */

START_TEST(test_apply_in_order)
{
	struct op op;
	char item[ITEM_MAX], first[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "");
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, first), OP_DO);
	ck_assert_int_eq(strncmp(first, "crontab:sync#", 13), 0);
	installs(&op, TABLE_ON, TABLE_OFF);
	op_release(&op);
	ck_assert_int_eq(ask(apply("schedule-off"), 1, &op, item), OP_END);
	facts_copy(&rec.before, &rec.now);
	is(answer(apply("schedule-off"), 0, 0, 0, "", ""), VERDICT_OK, "");
	/* it is off now: a second time there is nothing to do */
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	ck_assert_str_eq(item, first);
	is(answer_frames(apply("wait-idle"), 0, frames(NULL)), VERDICT_OK, "");
	ck_assert_int_eq(ask(apply("check-syntax"), 0, &op, item), OP_DO);
	runs_script(&op, "ruby-syntax.sh", false, 0);
	ck_assert_str_eq(buf_str(&op.input), NEW_TEXT);
	op_release(&op);
	ck_assert_int_eq(ask(apply("write-config"), 0, &op, item), OP_DO);
	ck_assert_str_eq(item, "config");
	replaces(&op, CONFIG, OLD_TEXT, NEW_TEXT, "imhs-config.rb.before-cutover");
	op_release(&op);
	is(answer(apply("write-config"), 0, 0, 0, "", ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(apply("write-config"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(apply("check-syntax"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(apply("run-client"), 0, &op, item), OP_DO);
	runs_script(&op, "client-run.sh", true, 4);
	ck_assert_str_eq(op.args[0], "/opt/imhs-ws-clinet");
	ck_assert_str_eq(op.args[1], "sync");
	ck_assert_str_eq(op.args[3], "ruby imhs-ws-client.rb");
	op_release(&op);
	recorded_end();
}
END_TEST

START_TEST(test_what_fails)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "");
	is(answer(apply("schedule-off"), 0, 0, SCRIPT_FAILED, "", "no space\n"), VERDICT_FAIL,
	   "could not be switched off: no space");
	is(answer(apply("write-config"), 0, E_NOSPACE, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(apply("run-client"), 0, 0, 1, "", "bad list\n"), VERDICT_FAIL, "ended with code 1: bad list");
	is(answer(apply("run-client"), 0, 0, 124, "", ""), VERDICT_FAIL, "did not end in 15 minutes");
	is(answer(apply("run-client"), 0, 0, 120, "", "no user\n"), VERDICT_FAIL, "could not be run");
	is(answer_frames(apply("check-syntax"), 0, frames("syntax", "bad", "line", "7", NULL)), VERDICT_DRIFT,
	   "(line 7)");
	is(answer_frames(apply("check-syntax"), 0, frames("syntax", "none", NULL)), VERDICT_UNCHANGED, "no Ruby");
	is(answer_frames(apply("check-syntax"), 0, frames(NULL)), VERDICT_RETRY, "no answer");
	recorded_end();
}
END_TEST

START_TEST(test_waits)
{
	const char *command = "ruby imhs-ws-client.rb --every 3600";

	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(apply("wait-idle"), 0, frames("pid", "4711", "user", "sync", "command", command, NULL)),
	   VERDICT_AGAIN, "process 4711 (sync) ruby imhs-ws-client.rb");
	rec.ctx.wall_ms += 599999;
	is(answer_frames(apply("wait-idle"), 0, frames("pid", "4711", "user", "sync", "command", command, NULL)),
	   VERDICT_AGAIN, "");
	rec.ctx.wall_ms += 1;
	is(answer_frames(apply("wait-idle"), 0, frames("pid", "4711", "user", "sync", "command", command, NULL)),
	   VERDICT_PERSON, "4711");
	is(answer_frames(apply("wait-idle"), 0, frames(NULL)), VERDICT_OK, "");
	recorded_end();
}
END_TEST

SUITE(ruby_client)
{
	TEST_CASE(s, test_observe_asks);
	TEST_CASE(s, test_schedule_none_is_not_looked_for);
	TEST_CASE(s, test_cut_answers);
	TEST_CASE(s, test_assess_old_and_new);
	TEST_CASE(s, test_assess_partial);
	TEST_CASE(s, test_assess_other_values);
	TEST_CASE(s, test_assess_as_whom);
	TEST_CASE(s, test_assess_what_could_not_be_read);
	TEST_CASE(s, test_apply_in_order);
	TEST_CASE(s, test_what_fails);
	TEST_CASE(s, test_waits);
}
