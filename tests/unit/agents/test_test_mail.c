/*
 * The probe of the new MX with recorded answers: who is asked for what, and what is made of it. With real servers:
 * tests/integration/ssh_relay_probe.sh.
 */
#include "tests/unit/agents/recorded.h"

#include "base/alloc.h"

#define OK "banner 220 mx\nehlo 250 mx\nmail 250 ok\nrcpt 250 ok\nquit 221 bye\n"
#define UNKNOWN "banner 220 mx\nehlo 250 mx\nmail 250 ok\nrcpt 550 5.1.1 User unknown\nquit 221 bye\n"

static char mx[] = "mx.acme.example", name[] = "test-mail", profile_name[] = "hes-global", msp_mail[] = "noc@msp.example",
	    instruction[] = "Button \"Test\" ({test_mailbox}).";
static struct domain domain = { .name = (char[]){ "a.example" } };
static struct procedure_step step = { .name = name, .instruction = { .en = instruction } };
static struct contact contact = { .email = msp_mail };

static void begin(void)
{
	recorded_begin(&agent_test_mail, "{}");
	domain.settings = json_pack("{s:s, s:s}", "name", "a.example", "test_mailbox", "probe@a.example");
	rec.profile.name = profile_name;
	rec.tenant.new_mx = mx;
	rec.tenant.domains = &domain;
	rec.tenant.domains_n = 1;
	rec.tenant.contacts = &contact;
	rec.tenant.contacts_n = 1;
	rec.tenant.migration_ms = 500000;
	rec.ctx.host = NULL;
	rec.ctx.domain = &domain;
	rec.ctx.step = &step;
	rec.ctx.target = "domain:a.example";
}

static void end(void)
{
	json_decref(domain.settings);
	recorded_end();
}

static const struct step *asks(void)
{
	return row(agent_test_mail.observe, "ask-mx");
}

static void asks_nobody(int n)
{
	struct op op;
	char item[ITEM_MAX];

	ck_assert_int_eq(ask(asks(), n, &op, item), OP_END);
	op_release(&op);
}

static void says(int n, const char *report)
{
	is(answer(asks(), n, 0, 0, report, ""), VERDICT_OK, "");
}

START_TEST(test_asks_for_two)
{
	struct op op;
	char item[ITEM_MAX];

	begin();
	ck_assert_int_eq(ask(asks(), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_SMTP);
	ck_assert_ptr_null(op.via);
	ck_assert_str_eq(op.server, mx);
	ck_assert_int_eq(op.port, 25);
	ck_assert_str_eq(op.mail_from, msp_mail);
	ck_assert_str_eq(op.rcpt_to, "probe@a.example");
	op_release(&op);
	says(0, OK);
	ck_assert_int_eq(ask(asks(), 1, &op, item), OP_DO);
	ck_assert_ptr_nonnull(strstr(op.rcpt_to, "@a.example"));
	ck_assert_str_ne(op.rcpt_to, "probe@a.example");
	op_release(&op);
	says(1, UNKNOWN);
	asks_nobody(2);
	assess_as(ASSESS_PERSON, "mx.acme.example would take mail for probe@a.example (rcpt: 250 ok). It refuses a mailbox that does not exist. "
				 "That a mail arrives is not shown by that. Button \"Test\" (probe@a.example).");
	says(1, OK);
	assess_as(ASSESS_PERSON, "It takes mail for a mailbox that does not exist, too");
	is(answer(asks(), 1, E_TIMEOUT, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "What it does with others is not known");
	end();
}
END_TEST

START_TEST(test_not_taken)
{
	static const struct {
		const char *report, *text;
	} table[] = {
		{ UNKNOWN, "refuses mail for probe@a.example (rcpt: 550 5.1.1 User unknown): with MX there, mail of a.example would come back" },
		{ "banner 554 no\n", "does not take mail from here (banner: 554 no), so nothing is known of probe@a.example" },
		{ "banner 220 x\nehlo 250 x\nmail 550 no\n", "does not take mail from here (mail: 550 no)" },
		{ "banner 220 x\nehlo 250 x\nstarttls 220 x\ntls 000 no\n", "does not answer here" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		begin();
		says(0, table[i].report);
		asks_nobody(1);
		assess_as(ASSESS_PERSON, table[i].text);
		end();
	}
	begin();
	is(answer(asks(), 0, E_UNREACHABLE, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "does not answer here (failed so)");
	is(answer(asks(), 0, E_INVAL, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(asks(), 0, 0, 0, "banner 421 busy\n", ""), VERDICT_WAIT, "does not take mail for probe@a.example now (banner: 421 busy)");
	end();
}
END_TEST

START_TEST(test_nothing_to_ask)
{
	begin();
	rec.tenant.migration_ms = 2000000;
	asks_nobody(0);
	assess_as(ASSESS_OLD, "is asked from the migration date on");
	end();
	begin();
	rec.tenant.contacts_n = 0;
	asks_nobody(0);
	assess_as(ASSESS_PERSON, "add a contact of yours");
	end();
	begin();
	json_object_del(domain.settings, "test_mailbox");
	asks_nobody(0);
	assess_as(ASSESS_PERSON, "the inventory names no `test_mailbox` for a.example, so the new MX is not asked. Button");
	end();
}
END_TEST

SUITE(test_mail)
{
	TEST_CASE(s, test_asks_for_two);
	TEST_CASE(s, test_not_taken);
	TEST_CASE(s, test_nothing_to_ask);
}
