/*
 * The directory service's agent with recorded answers: what is asked of whom, and what is made of what it says.
 * The same against real services is in tests/integration/web_service.sh.
 */
#include "tests/unit/agents/recorded.h"

#include "base/alloc.h"

#define OLD_WS RECORDED_OLD_NAME
#define NEW_WS RECORDED_NEW_NAME
#define FOUR "a@acme.example\nb@acme.example\nc@acme.example\nd@acme.example\n"
#define OTHER_FOUR "a@acme.example\nb@acme.example\nc@acme.example\nz@acme.example\n"
#define THREE "a@acme.example\nb@acme.example\nc@acme.example\n"

static char domain_name[] = "acme.example", instruction[] = "Page [Administration] > [Web Services & Tools]. {new_fqdn.web_service}",
	    reach_name[] = "web-service-reach", sync_name[] = "sync-client", profile_name[] = "hes-global";
static struct domain domain = { .name = domain_name };
static struct procedure_step reach_step = { .name = reach_name, .instruction = { .en = instruction } },
			     sync_step = { .name = sync_name };

/* What the engine knows of other targets. */
static struct {
	struct host hosts[2];
	struct neighbour at[2]; /* of sync-client */
	size_t n;
	struct facts kept; /* by web-service-reach for the domain */
} around;

static void neighbours(const struct agent_ctx *ctx, const char *step, void (*each)(const struct neighbour *, void *), void *arg)
{
	struct neighbour own = { .target = "domain:acme.example", .state = STEP_VERIFIED, .left = &around.kept };
	static const struct facts none;

	ck_assert_str_eq(ctx->target, "domain:acme.example");
	if (strcmp(step, "web-service-reach") == 0)
		each(&own, arg);
	for (size_t i = 0; strcmp(step, "sync-client") == 0 && i < around.n; i++) {
		around.at[i].left = &none;
		around.at[i].host = &around.hosts[i];
		each(&around.at[i], arg);
	}
}

static void begin(const char *mode)
{
	bool reach = strcmp(mode, "reach") == 0;

	recorded_begin(&agent_web_service, "{}");
	around.n = 1;
	around.at[0] = (struct neighbour){ .target = "host:sync1", .state = reach ? STEP_PENDING : STEP_VERIFIED,
					   .changed = !reach };
	facts_release(&around.kept);
	json_decref((json_t *)rec.ctx.with);
	rec.ctx.with = reach ? json_pack("{s:s, s:s, s:s}", "mode", mode, "when", "web_service", "before", "sync-client") :
			       json_pack("{s:s, s:s, s:s}", "mode", mode, "when", "web_service", "baseline", "web-service-reach");
	rec.profile.name = profile_name;
	rec.profile.extra = json_pack("{s:s}", "web_service_path", "/imhs/v1.0/en/");
	rec.tenant.has_web_service = true;
	rec.tenant.web_service = json_pack("{s:s, s:s, s:i}", "account", "admin@acme.example", "api_key", "env:KEY", "tolerance", 0);
	rec.tenant.migration_ms = 500000;
	rec.ctx.host = NULL;
	rec.ctx.domain = &domain;
	rec.ctx.step = reach ? &reach_step : &sync_step;
	rec.ctx.target = "domain:acme.example";
	rec.ctx.neighbours = neighbours;
}

static void end(void)
{
	json_decref(rec.profile.extra);
	json_decref(rec.tenant.web_service);
	facts_release(&around.kept);
	recorded_end();
}

static const struct step *old_row(void)
{
	return row(agent_web_service.observe, "ask-old");
}

static const struct step *new_row(void)
{
	return row(agent_web_service.observe, "ask-new");
}

static void asks(const struct step *step, const char *host)
{
	struct op op;
	char item[ITEM_MAX] = "", url[200];

	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	snprintf(url, sizeof(url), "https://%s/imhs/v1.0/en/domains/acme.example/users", host);
	ck_assert_int_eq(op.kind, OP_HTTP);
	ck_assert_str_eq(op.url, url);
	ck_assert_str_eq(op.account, "admin@acme.example");
	ck_assert_str_eq(op.secret, "env:KEY");
	ck_assert_str_eq(item, host);
	op_release(&op);
}

static void asks_nobody(const struct step *step)
{
	struct op op;
	char item[ITEM_MAX];

	ck_assert_int_eq(ask(step, 0, &op, item), OP_END);
	op_release(&op);
}

static void see(const char *old, const char *new)
{
	if (old)
		is(answer(old_row(), 0, 0, 200, old, ""), VERDICT_OK, "");
	is(answer(new_row(), 0, 0, 200, new, ""), VERDICT_OK, "");
}

static void keep(const char *count, const char *new_list)
{
	facts_set_text(&around.kept, "old.count", count);
	facts_set_text(&around.kept, "old.at_ms", "600000");
	if (new_list) {
		char sha[SHA256_HEX_MAX];
		facts_set_text(&around.kept, "new.sha256", sha256_hex(new_list, strlen(new_list), sha));
	}
}

/* ---- reach ------------------------------------------------------------------------------------------------------- */

START_TEST(test_reach_asks_both)
{
	struct op op;
	char item[ITEM_MAX];

	begin("reach");
	asks(old_row(), OLD_WS);
	asks(new_row(), NEW_WS);
	json_object_set_new(rec.tenant.web_service, "ca_file", json_string("/etc/own.pem"));
	ck_assert_int_eq(ask(new_row(), 0, &op, item), OP_DO);
	ck_assert_str_eq(op.trust_file, "/etc/own.pem");
	op_release(&op);
	ck_assert_int_eq(ask(new_row(), 1, &op, item), OP_END);
	op_release(&op);
	/* one old name that lists is enough */
	is(answer(old_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
	asks_nobody(old_row());
	end();
}
END_TEST

START_TEST(test_reach_lists)
{
	begin("reach");
	see(FOUR, THREE);
	assess_as(ASSESS_NEW, NEW_WS " answers to admin@acme.example and lists 3 users of acme.example; the old service listed 4 (");
	ck_assert(facts_is(&rec.now, "old.count", "4"));
	ck_assert(facts_is(&rec.now, "new.count", "3"));
	end();
	begin("reach");
	see(FOUR, "<users/>");
	assess_as(ASSESS_NEW, "the answer of " NEW_WS " (8 bytes) holds no address of acme.example");
	end();
	begin("reach");
	see(FOUR, "");
	assess_as(ASSESS_NEW, "lists 0 users");
	end();
}
END_TEST

START_TEST(test_reach_before_the_migration)
{
	begin("reach");
	rec.tenant.migration_ms = 2000000;
	asks(old_row(), OLD_WS);
	asks_nobody(new_row());
	is(answer(old_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
	assess_as(ASSESS_OLD, "is asked from the migration date on");
	assess_as(ASSESS_OLD, "the old service listed 4");
	end();
}
END_TEST

/* A refusal is a person's task, with the step's own words. */
START_TEST(test_reach_refused)
{
	static const struct {
		int status;
		const char *out, *headers, *text;
	} cases[] = {
		{ 401, "log in", "", NEW_WS " refuses the account admin@acme.example (status 401). Page [Administration] > [Web Services & Tools]. " NEW_WS },
		{ 403, "", "", "refuses the account admin@acme.example (status 403)" },
		{ 404, "", "", NEW_WS " does not know the domain acme.example (status 404)" },
		{ 302, "", "HTTP/1.1 302 Found\r\nlocation:  https://x.example/\r\n\r\n", "sends on to https://x.example/ (status 302)" },
		{ 301, "", "HTTP/1.1 301 x\r\n\r\n", "sends on to nowhere" },
		{ 418, "", "", "answers with status 418" },
		{ 200, "<html>log in</html>", "", "answers with a web page" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin("reach");
		is(answer(old_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
		is(answer(new_row(), 0, 0, cases[i].status, cases[i].out, cases[i].headers), VERDICT_OK, "");
		assess_as(ASSESS_PERSON, cases[i].text);
		assess_as(ASSESS_PERSON, "[Web Services & Tools]");
		/* what the old one lists is kept all the same, and nothing of the new one */
		ck_assert(facts_is(&rec.now, "old.count", "4"));
		ck_assert_ptr_null(facts_get(&rec.now, "new.count"));
		end();
	}
}
END_TEST

START_TEST(test_new_service_is_ill)
{
	begin("reach");
	is(answer(new_row(), 0, 0, 503, "", ""), VERDICT_RETRY, NEW_WS " answers with status 503");
	is(answer(new_row(), 0, 0, 500, "", ""), VERDICT_RETRY, "status 500");
	is(answer(new_row(), 0, 0, 429, "", ""), VERDICT_RETRY, "status 429");
	is(answer(new_row(), 0, E_LIMIT, 0, "", ""), VERDICT_PERSON, "failed so");
	is(answer(new_row(), 0, E_INVAL, 0, "", ""), VERDICT_FAIL, "failed so");
	/* how it fails is the engine's to judge, how the old one does is ours */
	ck_assert(!(new_row()->flags & STEP_SERVICE));
	ck_assert(old_row()->flags & STEP_SERVICE);
	end();
}
END_TEST

START_TEST(test_old_service_is_gone)
{
	static const struct {
		int failure, status;
		const char *out, *text;
	} cases[] = {
		{ E_UNREACHABLE, 0, "", "what the old service listed is not known: failed so" },
		{ E_TLS, 0, "", "failed so" },
		{ E_LIMIT, 0, "", "failed so" },
		{ 0, 401, "", OLD_WS " refuses the account" },
		{ 0, 404, "", OLD_WS " does not know the domain" },
		{ 0, 503, "", OLD_WS " answers with status 503" },
		{ 0, 200, "<html>moved</html>", OLD_WS " answers with a web page" },
		{ 0, 200, "gone", "holds no address" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin("reach");
		is(answer(old_row(), 0, cases[i].failure, cases[i].status, cases[i].out, ""), VERDICT_OK, "");
		is(answer(new_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
		assess_as(ASSESS_NEW, "what the old service listed is not known: ");
		assess_as(ASSESS_NEW, cases[i].text);
		ck_assert_ptr_null(facts_get(&rec.now, "old.count"));
		end();
	}
}
END_TEST

/* Once a host was changed, what was kept stays: the old service may be emptied, the new one is filled. */
START_TEST(test_reach_after_the_change)
{
	begin("reach");
	keep("4", THREE);
	around.at[0].changed = true;
	asks_nobody(old_row());
	asks(new_row(), NEW_WS);
	is(answer(new_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
	assess_as(ASSESS_NEW, "lists 4 users of acme.example; the old service listed 4 (");
	for (const char *const *name = agent_web_service.exports; *name; name++)
		ck_assert_msg(!facts_get(&rec.now, *name), "%s would take the place of what was before", *name);
	end();
	/* and where nothing was kept, late is better than never */
	begin("reach");
	around.at[0].changed = true;
	asks(old_row(), OLD_WS);
	see(FOUR, FOUR);
	ck_assert(facts_is(&rec.now, "old.count", "4"));
	ck_assert_ptr_null(facts_get(&rec.now, "new.sha256"));
	end();
}
END_TEST

START_TEST(test_reach_again_keeps_an_earlier_number)
{
	begin("reach");
	keep("4", THREE);
	is(answer(old_row(), 0, E_REFUSED, 0, "", ""), VERDICT_OK, "");
	is(answer(new_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
	assess_as(ASSESS_NEW, "the old service listed 4 (");
	end();
}
END_TEST

/* ---- synced ------------------------------------------------------------------------------------------------------ */

START_TEST(test_synced_waits_for_the_hosts)
{
	begin("synced");
	around.at[0].state = STEP_PENDING;
	asks_nobody(old_row());
	asks_nobody(new_row());
	assess_as(ASSESS_OLD, "once the hosts of this step have moved");
	end();
}
END_TEST

START_TEST(test_synced_by_a_run)
{
	begin("synced");
	keep("4", FOUR);
	around.at[0].ran_ms = 900000;
	asks_nobody(old_row());
	asks(new_row(), NEW_WS);
	see(NULL, FOUR);
	assess_as(ASSESS_NEW, NEW_WS " lists 4 users of acme.example, the old service listed 4 (1970-01-01T00:10:00Z); the client of host:sync1 "
			      "ran to its end with the new name (1970-01-01T00:15:00Z)");
	end();
}
END_TEST

START_TEST(test_synced_by_another_list)
{
	begin("synced");
	keep("4", OTHER_FOUR);
	see(NULL, FOUR);
	assess_as(ASSESS_NEW, "the list is another one than before the change");
	around.at[0].changed = false; /* then it is none of our change */
	assess_as(ASSESS_PERSON, "nothing shows that a sync ran");
	end();
}
END_TEST

START_TEST(test_the_number_alone_shows_nothing)
{
	begin("synced");
	keep("4", FOUR);
	see(NULL, FOUR);
	assess_as(ASSESS_PERSON, "lists 4 users of acme.example, the old service listed 4 (");
	assess_as(ASSESS_PERSON, "nothing shows that a sync ran with the new name");
	/* one of two clients ran: whose domain it is nobody knows */
	around.n = 2;
	around.at[1] = (struct neighbour){ .target = "host:dc1", .state = STEP_VERIFIED, .changed = true, .ran_ms = 100000 };
	assess_as(ASSESS_PERSON, "nothing shows");
	around.at[1].state = STEP_WITHDRAWN;
	around.at[0].ran_ms = 100000;
	assess_as(ASSESS_NEW, "the client of host:sync1 ran");
	/* nothing is known of what it listed before */
	facts_unset(&around.kept, "new.sha256");
	around.at[0].ran_ms = 0;
	assess_as(ASSESS_PERSON, "nothing shows");
	end();
}
END_TEST

START_TEST(test_tolerance)
{
	begin("synced");
	keep("6", NULL);
	around.at[0].ran_ms = 50000; /* long ago: nothing is on its way */
	see(NULL, FOUR);
	assess_as(ASSESS_PERSON, "lists 4 users of acme.example, the old service listed 6 (");
	assess_as(ASSESS_PERSON, "and 0 may be the difference");
	json_object_set_new(rec.tenant.web_service, "tolerance", json_integer(1));
	assess_as(ASSESS_PERSON, "and 1 may be the difference");
	json_object_set_new(rec.tenant.web_service, "tolerance", json_integer(2));
	assess_as(ASSESS_NEW, "ran to its end");
	facts_set_text(&around.kept, "old.count", "1"); /* more than before is none either */
	assess_as(ASSESS_PERSON, "may be the difference");
	end();
}
END_TEST

/* A client that ran a moment ago: its list may still be taken in. */
START_TEST(test_on_its_way)
{
	begin("synced");
	keep("4", THREE);
	around.at[0].ran_ms = rec.ctx.wall_ms - 1000;
	is(answer(new_row(), 0, 0, 200, THREE, ""), VERDICT_AGAIN, "lists 3 users of acme.example, the old service listed 4");
	is(answer(new_row(), 0, 0, 404, "", ""), VERDICT_AGAIN, "lists no users");
	is(answer(new_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
	around.at[0].ran_ms = 1;
	rec.ctx.wall_ms = 16 * 60 * 1000;
	is(answer(new_row(), 0, 0, 200, THREE, ""), VERDICT_OK, "");
	end();
}
END_TEST

START_TEST(test_nothing_to_compare_with)
{
	begin("synced");
	around.at[0].ran_ms = 50000;
	asks(old_row(), OLD_WS);
	is(answer(old_row(), 0, E_UNREACHABLE, 0, "", ""), VERDICT_OK, "");
	see(NULL, FOUR);
	assess_as(ASSESS_PERSON, "lists 4 users of acme.example; what the old service listed is not known: failed so, so the sync is not proved");
	end();
	/* late, but it still lists */
	begin("synced");
	around.at[0].ran_ms = 50000;
	see(FOUR, FOUR);
	assess_as(ASSESS_NEW, "ran to its end");
	end();
}
END_TEST

/* Zero and zero fit, and prove nothing: the vendor may have emptied the one, and the sync never have reached the other. */
START_TEST(test_none_and_none)
{
	begin("synced");
	keep("0", NULL);
	around.at[0].ran_ms = 50000;
	see(NULL, "");
	assess_as(ASSESS_PERSON, "cutover confirm acme sync-client --target domain:acme.example --result not-needed --by NAME");
	end();
}
END_TEST

START_TEST(test_synced_refused)
{
	begin("synced");
	keep("4", NULL);
	is(answer(new_row(), 0, 0, 401, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "refuses the account admin@acme.example (status 401). nothing is proved");
	end();
	begin("synced");
	keep("4", NULL);
	see(NULL, "garbage");
	assess_as(ASSESS_PERSON, "holds no address");
	end();
}
END_TEST

START_TEST(test_profile_without_a_path)
{
	begin("reach");
	json_object_clear(rec.profile.extra);
	asks_nobody(old_row());
	asks_nobody(new_row());
	assess_as(ASSESS_PERSON, "add web_service_path");
	end();
}
END_TEST

/* ---- through the sync hosts ------------------------------------------------------------------------------------------ */

static void asks_through(const struct step *step, int n, const char *via)
{
	struct op op;
	char item[ITEM_MAX];

	ck_assert_int_eq(ask(step, n, &op, item), OP_DO);
	ck_assert_str_eq(op.via, via);
	ck_assert_ptr_nonnull(strstr(item, via));
	op_release(&op);
}

static void begin_via_host(const char *mode)
{
	static char sync1[] = "sync1", dc1[] = "dc1";

	begin(mode);
	json_object_set_new(rec.tenant.web_service, "via", json_string("host"));
	around.hosts[0].name = sync1;
	around.hosts[1].name = dc1;
	around.n = 2;
	around.at[1] = around.at[0];
	around.at[1].target = "host:dc1";
}

START_TEST(test_the_controller_asks)
{
	struct op op;
	char item[ITEM_MAX];

	begin("reach");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ask(new_row(), 0, &op, item), OP_DO);
		ck_assert_ptr_null(op.via);
		op_release(&op);
		json_object_set_new(rec.tenant.web_service, "via", json_string("controller"));
	}
	end();
}
END_TEST

/* Before the change each host has to get there; after it one is enough. */
START_TEST(test_each_host_asks)
{
	struct op op;
	char item[ITEM_MAX];

	begin_via_host("reach");
	asks_through(old_row(), 0, "sync1");
	asks_through(new_row(), 0, "sync1");
	ck_assert_int_eq(ask(new_row(), 1, &op, item), OP_END); /* the first has not answered */
	op_release(&op);
	see(FOUR, FOUR);
	asks_through(new_row(), 1, "dc1");
	is(answer(new_row(), 1, 0, 200, FOUR, ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(new_row(), 2, &op, item), OP_END);
	op_release(&op);
	assess_as(ASSESS_NEW, NEW_WS " (asked from 2 hosts, host:sync1 first) answers to admin@acme.example and lists 4 users");
	/* what one of them hears is not hidden by what another one does */
	is(answer(new_row(), 0, 0, 401, "", ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(new_row(), 1, &op, item), OP_END);
	op_release(&op);
	assess_as(ASSESS_PERSON, "refuses the account");
	end();
	begin_via_host("synced");
	keep("4", THREE);
	asks_through(new_row(), 0, "sync1");
	see(NULL, FOUR);
	ck_assert_int_eq(ask(new_row(), 1, &op, item), OP_END);
	op_release(&op);
	assess_as(ASSESS_NEW, NEW_WS " (asked from host:sync1) lists 4 users");
	end();
}
END_TEST

START_TEST(test_hosts_that_do_not_ask)
{
	struct op op;
	char item[ITEM_MAX];

	/* several clients on one machine: once */
	begin_via_host("reach");
	around.hosts[1].name = around.hosts[0].name;
	around.at[0].state = STEP_NOT_APPLICABLE;
	asks_through(new_row(), 0, "sync1");
	is(answer(new_row(), 0, 0, 200, FOUR, ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(new_row(), 1, &op, item), OP_END);
	op_release(&op);
	end();
	begin_via_host("reach");
	around.n = 0;
	asks_nobody(old_row());
	asks_nobody(new_row());
	assess_as(ASSESS_PERSON, "there is no host of the step sync-client to ask from");
	end();
}
END_TEST

/* What trying again cannot change: after the change a person's, which stays. */
START_TEST(test_the_way_is_closed)
{
	begin_via_host("reach");
	is(answer(new_row(), 0, E_FORWARDING, 0, "", ""), VERDICT_PERSON, "failed so. Allow the login there to connect to " NEW_WS " port 443");
	is(answer(new_row(), 0, E_TLS, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(new_row(), 0, E_BASTION, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(old_row(), 0, E_FORWARDING, 0, "", ""), VERDICT_OK, "");
	end();
	begin_via_host("synced");
	is(answer(new_row(), 0, E_FORWARDING, 0, "", ""), VERDICT_PERSON, "\"via\": \"controller\"");
	is(answer(new_row(), 0, E_TLS, 0, "", ""), VERDICT_PERSON, "failed so. So the sync is not proved, and the change stays");
	is(answer(new_row(), 0, E_BASTION, 0, "", ""), VERDICT_PERSON, "the change stays");
	end();
}
END_TEST

/* What the service says of itself goes to a terminal and into a report. */
START_TEST(test_hostile_words)
{
	begin("reach");
	is(answer(new_row(), 0, 0, 302, "", "HTTP/1.1 302 x\r\nLocation: https://x/\033[2J\x07\r\n"), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "sends on to https://x/");
	for (const char *at = rec.assessment.text; *at; at++)
		ck_assert((unsigned char)*at >= ' ');
	end();
}
END_TEST

SUITE(web_service)
{
	TEST_CASE(s, test_reach_asks_both);
	TEST_CASE(s, test_reach_lists);
	TEST_CASE(s, test_reach_before_the_migration);
	TEST_CASE(s, test_reach_refused);
	TEST_CASE(s, test_new_service_is_ill);
	TEST_CASE(s, test_old_service_is_gone);
	TEST_CASE(s, test_reach_after_the_change);
	TEST_CASE(s, test_reach_again_keeps_an_earlier_number);
	TEST_CASE(s, test_synced_waits_for_the_hosts);
	TEST_CASE(s, test_synced_by_a_run);
	TEST_CASE(s, test_synced_by_another_list);
	TEST_CASE(s, test_the_number_alone_shows_nothing);
	TEST_CASE(s, test_tolerance);
	TEST_CASE(s, test_on_its_way);
	TEST_CASE(s, test_nothing_to_compare_with);
	TEST_CASE(s, test_none_and_none);
	TEST_CASE(s, test_synced_refused);
	TEST_CASE(s, test_profile_without_a_path);
	TEST_CASE(s, test_the_controller_asks);
	TEST_CASE(s, test_each_host_asks);
	TEST_CASE(s, test_hosts_that_do_not_ask);
	TEST_CASE(s, test_the_way_is_closed);
	TEST_CASE(s, test_hostile_words);
}
