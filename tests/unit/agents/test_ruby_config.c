/* The Ruby client's settings: read again after the change, and put back. */
#include "tests/unit/agents/ruby_host.h"

/* ---- verify ------------------------------------------------------------------------------------------------------ */

START_TEST(test_verify_file)
{
	recorded_begin(&agent_ruby_client, "{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&rec.before, &rec.now);
	see(NEW_TEXT, TABLE_ON);
	is(answer(verify("read-again"), 0, 0, 0, NEW_TEXT, ""), VERDICT_OK, "");
	is(answer(verify("read-again"), 0, 0, 0, NEW_TEXT "X = 1\n", ""), VERDICT_UNCHANGED, "edited something else");
	ck_assert_ptr_nonnull(facts_get(&rec.now, "verify.note"));
	is(answer(verify("read-again"), 0, 0, 0, OLD_TEXT, ""), VERDICT_FAIL, "does not name ws.acme.hes2.example");
	is(answer(verify("read-again"), 0, E_NOTFOUND, 0, "", ""), VERDICT_FAIL, "(it is: missing)");
	facts_set_text(&rec.before, "config.owner", "root");
	is(answer(verify("read-again"), 0, 0, 0, NEW_TEXT, ""), VERDICT_FAIL,
	   "another owner than before: sync, was root");
	recorded_end();
}
END_TEST

/* ---- revert ------------------------------------------------------------------------------------------------------ */

START_TEST(test_revert)
{
	const struct step *step = row(agent_ruby_client.revert, "revert-config");
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_ruby_client, "{}");
	ck_assert_int_eq(ask(step, 0, &op, item), OP_END);
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&rec.before, &rec.now);
	/* the bytes of before are not needed: they may have been purged */
	facts_unset(&rec.before, "config.bytes");
	ck_assert_int_eq(ask(step, 0, &op, item), OP_SKIP);
	see(NEW_TEXT, TABLE_ON);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	replaces(&op, CONFIG, NEW_TEXT, OLD_TEXT, NULL);
	op_release(&op);
	is(answer(step, 0, E_CHANGED, 0, "", ""), VERDICT_REREAD, "edited meanwhile");
	is(answer(step, 0, 0, 0, "", ""), VERDICT_OK, "");
	ck_assert_str_eq(facts_text(&rec.now, "config.state", ""), "old");
	/* edited since: only looked at, and left to a person */
	see(NEW_TEXT "X = 1\n", TABLE_ON);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	op_release(&op);
	is(answer(step, 0, 0, 0, NEW_TEXT "X = 1\n", ""), VERDICT_DRIFT, "put us.imhs-ws.trendmicro.com back by hand");
	recorded_end();
}
END_TEST

SUITE(ruby_config)
{
	TEST_CASE(s, test_verify_file);
	TEST_CASE(s, test_revert);
}
