/*
 * The probe of the new relay with recorded answers: who asks for which domain, and what is made of what the relay says.
 * The same with real servers is in tests/integration/ssh_relay_probe.sh.
 */
#include "tests/unit/agents/recorded.h"

#include "base/alloc.h"

#define OK "banner 220 relay\nehlo 250 relay\nmail 250 ok\nrcpt 250 ok\nquit 221 bye\n"
#define DENIED "banner 220 relay\nehlo 250 relay\nmail 250 ok\nrcpt 554 5.7.1 Relay access denied\nquit 221 bye\n"

static char relay[] = "relay.acme.example", relay_host[] = "relay-host", name[] = "outbound-registration", profile_name[] = "hes-global",
	    instruction[] = "[Administration] > [Domain Management] ({domains}): {mta.public_ips}.", identity[] = "file:key",
	    own_mail[] = "it@A.example", msp_mail[] = "noc@msp.example", public_ip[] = "203.0.113.7", inner[] = "10.0.0.5", six[] = "2001:db8::5";
static char *ips[] = { public_ip };
static struct domain domains[] = { { .name = (char[]){ "a.example" } }, { .name = (char[]){ "b.example" } } };
static struct procedure_step step = { .name = name, .instruction = { .en = instruction } };
static struct contact contacts[] = { { .email = own_mail }, { 0 }, { .email = msp_mail } };

static struct {
	struct host hosts[3];
	size_t n;
	enum step_state state;
} around;

/* Each host has two targets of the step, as one with two mail servers has. */
static void neighbours(const struct agent_ctx *ctx, const char *of, void (*each)(const struct neighbour *, void *), void *arg)
{
	static const struct facts none;

	(void)ctx;
	ck_assert_str_eq(of, relay_host);
	for (size_t i = 0; i < around.n; i++)
		for (int twice = 0; twice < 2; twice++) {
			struct neighbour n = { .target = "host:mx", .host = &around.hosts[i], .state = around.state, .left = &none };
			each(&n, arg);
		}
}

static void add_host(const char *host, char *address, size_t public_ips)
{
	struct host *h = &around.hosts[around.n++];

	*h = (struct host){ .name = (char *)(uintptr_t)host, .mta_public_ips = { ips, public_ips } };
	h->connection.address = address;
	h->connection.identity.text = identity;
}

static void begin(void)
{
	recorded_begin(&agent_relay_probe, "{}");
	around.n = 0;
	around.state = STEP_PENDING;
	add_host("mx1", inner, 1);
	add_host("mx2", six, 0);
	json_decref((json_t *)rec.ctx.with);
	rec.ctx.with = json_pack("{s:s}", "hosts", "relay-host");
	rec.profile.name = profile_name;
	rec.tenant.new_relay = relay;
	rec.tenant.domains = domains;
	rec.tenant.domains_n = 2;
	rec.tenant.domains_given = true;
	rec.tenant.contacts = contacts;
	rec.tenant.contacts_n = 3;
	rec.inventory.tenants = &rec.tenant;
	rec.inventory.tenants_n = 1;
	rec.tenant.migration_ms = 500000;
	rec.ctx.host = NULL;
	rec.ctx.step = &step;
	rec.ctx.target = "tenant";
	rec.ctx.neighbours = neighbours;
}

static void end(void)
{
	json_decref(rec.profile.extra);
	recorded_end();
}

static const struct step *asks(void)
{
	return row(agent_relay_probe.observe, "ask-relay");
}

static void says(int n, const char *report)
{
	is(answer(asks(), n, 0, 0, report, ""), VERDICT_OK, "");
}

static void all_say(const char *report)
{
	for (int n = 0; n < 4; n++)
		says(n, report);
}

/* Who asks for what, the item, is in the evidence. */
static void pair_is(int n, const char *item, const char *via, const char *hello, const char *from)
{
	struct op op;
	char seen[ITEM_MAX] = "";

	ck_assert_int_eq(ask(asks(), n, &op, seen), OP_DO);
	ck_assert_int_eq(op.kind, OP_SMTP);
	ck_assert_str_eq(seen, item);
	ck_assert_str_eq(op.via, via);
	ck_assert_str_eq(op.server, relay);
	ck_assert_int_eq(op.port, 25);
	ck_assert_str_eq(op.hello, hello);
	ck_assert_str_eq(op.mail_from, from);
	ck_assert_str_eq(op.rcpt_to, msp_mail);
	op_release(&op);
}

static void asks_nobody(int n)
{
	struct op op;
	char item[ITEM_MAX];

	ck_assert_int_eq(ask(asks(), n, &op, item), OP_END);
	op_release(&op);
}

START_TEST(test_each_host_for_each_domain)
{
	begin();
	pair_is(0, "mx1 for a.example", "mx1", "[203.0.113.7]", "postmaster@a.example");
	pair_is(1, "mx1 for b.example", "mx1", "[203.0.113.7]", "postmaster@b.example");
	pair_is(2, "mx2 for a.example", "mx2", "[IPv6:2001:db8::5]", "postmaster@a.example");
	pair_is(3, "mx2 for b.example", "mx2", "[IPv6:2001:db8::5]", "postmaster@b.example");
	asks_nobody(4);
	all_say(OK);
	assess_as(ASSESS_NEW, "takes mail of 2 domains from 2 sending servers (nothing was sent): mx1 for a.example, rcpt: 250 ok");
	end();
}
END_TEST

START_TEST(test_before_the_migration)
{
	begin();
	rec.tenant.migration_ms = 2000000;
	asks_nobody(0);
	assess_as(ASSESS_OLD, "is asked from the migration date on");
	end();
}
END_TEST

static const struct {
	const char *report, *text;
} bad[] = {
	{ DENIED, "refuses mail: the public address it is sent from is probably not registered there" },
	{ DENIED, "(rcpt: 554 5.7.1 Relay access denied). [Administration] > [Domain Management] (a.example, b.example): " },
	{ "banner 220 r\nehlo 250 r\nmail 550 5.7.1 Sender address rejected\nquit 221 x\n", "does not know the domain as a sender (mail: 550" },
	{ "banner 554 no\nquit 221 bye\n", "does not talk to this host (banner: 554 no)" },
	{ "banner 220 r\nehlo 502 no\nhelo 502 no\n", "does not talk to this host (helo: 502" },
	{ "banner 220 r\nehlo 250 r\nstarttls 220 go\ntls 000 wrong version number\n", "does not answer" },
	{ "", "(it said nothing)" },
};

START_TEST(test_refused)
{
	begin();
	says(0, OK);
	says(1, OK);
	says(2, bad[_i].report);
	says(3, OK);
	assess_as(ASSESS_PERSON, bad[_i].text);
	assess_as(ASSESS_PERSON, "asked from mx2 for a.example");
	end();
}
END_TEST

/* What a person has to see to goes before what has to be waited for; waiting is no verdict on the registration. */
START_TEST(test_later)
{
	static const char grey[] = "banner 220 r\nehlo 250 r\nmail 250 ok\nrcpt 450 4.2.0 Greylisted\nquit 221 x\n";
	struct verdict v;

	begin();
	says(0, OK);
	says(1, grey);
	says(2, OK);
	v = answer(asks(), 3, 0, 0, OK, "");
	is(v, VERDICT_WAIT, "does not take mail of mx1 for b.example now (rcpt: 450 4.2.0 Greylisted)");
	ck_assert_int_eq(v.until_ms, rec.ctx.wall_ms + 300000);
	end();
	begin();
	says(0, grey);
	says(1, DENIED);
	says(2, OK);
	says(3, OK);
	assess_as(ASSESS_PERSON, "refuses mail");
	end();
	begin();
	around.n = 1;
	says(0, "banner 421 busy\n");
	is(answer(asks(), 1, 0, 0, "banner 220 r\nehlo 250 r\nmail 250 ok\nrcpt 421 4.7.0 slow down\n", ""), VERDICT_WAIT, "mx1 for a.example");
	end();
}
END_TEST

START_TEST(test_failures)
{
	static const int silent[] = { E_UNREACHABLE, E_REFUSED, E_TIMEOUT, E_CLOSED, E_PROTOCOL };

	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		begin();
		all_say(OK);
		is(answer(asks(), 1, silent[i], 0, "banner 220 r\n", ""), VERDICT_OK, "");
		assess_as(ASSESS_PERSON, "a provider that lets no port 25 out does the same, so nothing is known of the registration (failed so)");
		end();
	}
	begin();
	all_say(OK);
	is(answer(asks(), 3, E_FORWARDING, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "asked from mx2 for b.example, cannot be asked: let the login there connect to port 25");
	is(answer(asks(), 0, E_INVAL, 0, "", ""), VERDICT_FAIL, "failed so");
	end();
}
END_TEST

START_TEST(test_nobody_to_ask)
{
	begin();
	rec.tenant.domains_given = false;
	rec.tenant.domains_n = 0;
	asks_nobody(0);
	assess_as(ASSESS_PERSON, "does not say which domains send");
	end();
	begin();
	around.state = STEP_NOT_APPLICABLE;
	asks_nobody(0);
	assess_as(ASSESS_PERSON, "no host of the inventory is a sending server");
	end();
	begin();
	rec.tenant.contacts_n = 2; /* the customer's own */
	asks_nobody(0);
	assess_as(ASSESS_PERSON, "add a contact of yours with an `email`, or `probe_recipient`");
	rec.profile.extra = json_pack("{s:s}", "probe_recipient", "x@Mail.B.example");
	asks_nobody(0);
	json_object_set_new(rec.profile.extra, "probe_recipient", json_string(msp_mail));
	pair_is(0, "mx1 for a.example", "mx1", "[203.0.113.7]", "postmaster@a.example");
	end();
}
END_TEST

/* A relay that is another tenant's MX takes mail for him from everybody: nobody of any tenant is asked about. */
START_TEST(test_another_tenant_is_not_outside)
{
	char msp[] = "msp.example", sp[] = "sp.example";
	struct domain operators[] = { { .name = msp } };
	struct tenant two[2];

	begin();
	two[0] = rec.tenant;
	two[1] = (struct tenant){ .domains = operators, .domains_n = 1 };
	rec.inventory.tenants = two;
	rec.inventory.tenants_n = 2;
	asks_nobody(0);
	assess_as(ASSESS_PERSON, "nobody outside all tenants' domains is known");
	operators[0].name = sp;
	pair_is(0, "mx1 for a.example", "mx1", "[203.0.113.7]", "postmaster@a.example");
	end();
}
END_TEST

/* An Exchange server that nobody here logs in to: the others ask, and a person looks after that one. */
START_TEST(test_a_host_without_a_login)
{
	begin();
	around.hosts[0].connection.identity.text = NULL;
	pair_is(0, "mx2 for a.example", "mx2", "[IPv6:2001:db8::5]", "postmaster@a.example");
	asks_nobody(2);
	says(0, OK);
	says(1, OK);
	assess_as(ASSESS_PERSON, "nobody logs in to mx1, so nothing is known of that one");
	end();
}
END_TEST

SUITE(relay_probe)
{
	TEST_CASE(s, test_each_host_for_each_domain);
	TEST_CASE(s, test_before_the_migration);
	TEST_CASE_LOOP(s, test_refused, 0, ARRAY_LEN(bad));
	TEST_CASE(s, test_later);
	TEST_CASE(s, test_failures);
	TEST_CASE(s, test_nobody_to_ask);
	TEST_CASE(s, test_another_tenant_is_not_outside);
	TEST_CASE(s, test_a_host_without_a_login);
}
