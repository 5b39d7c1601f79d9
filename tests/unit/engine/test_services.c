/*
 * Targets without a host: what the controller asks by itself. Each tenant "a" has a toy host and a domain for which a
 * service is asked after the host has moved; the services answer with the value of the host (tests/lib/fake_transport.h).
 */
#include "tests/unit/engine/world.h"

#include "base/alloc.h"
#include "base/file.h"
#include "tests/lib/unit.h"

#include <unistd.h>

#define STEP "change"
#define KEY "\"web_service\": {\"account\": \"me\", \"api_key\": \"file:ws-key\"},"
#define ONE KEY "\"domains\": [{\"name\": \"d1.example\"}],"
#define D1 "domain:d1.example"

static void write_key(const struct world *w, const char *text)
{
	char *path = str_fmt("%s/ws-key", w->dir);

	ck_assert_int_eq(file_write(path, 0600, text, strlen(text), NULL), 0);
	free(path);
}

/* `extra` goes into the tenant; n hosts from 1 on. */
static void begin(struct world *w, int n, const char *extra)
{
	char *tenant = world_tenant("a", 1, n, "\"domains\": [],");

	world_init(w, tenant);
	write_key(w, "sesame-1");
	free(tenant);
	tenant = world_tenant("a", 1, n, extra);
	world_reload(w, tenant);
	free(tenant);
}

static void state_is(struct world *w, const char *target, enum step_state state, const char *part)
{
	char *text = world_text(w, "a", STEP, target);
	enum step_state is = world_state(w, "a", STEP, target);

	ck_assert_msg(is == state && strstr(text, part), "%s is %s: %s", target, step_state_name(is), text);
	free(text);
}

static void moved_once(struct world *w)
{
	ck_assert_str_eq(w->hosts.hosts[1].value, "new");
	ck_assert_int_eq(w->hosts.hosts[1].sets, 1);
	ck_assert(w->hosts.hosts[1].lamp);
	ck_assert_uint_eq(world_debts(w), 0);
}

START_TEST(test_asked_after_the_hosts)
{
	struct world w;

	begin(&w, 1, ONE);
	world_run(&w, ENGINE_RUN);
	moved_once(&w);
	state_is(&w, "host:h1", STEP_VERIFIED, "");
	state_is(&w, D1, STEP_VERIFIED, "it is new; old none, kept nothing, ran yes");
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 1);
	ck_assert_str_eq(w.hosts.hosts[1].password, "sesame-1");
	world_run(&w, ENGINE_RUN); /* again: asked again, and what was kept is there */
	state_is(&w, D1, STEP_VERIFIED, "it is new; old none, kept old, ran yes");
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 2);
	ck_assert_int_eq(w.hosts.hosts[1].pokes, 1);
	world_release(&w);
}
END_TEST

START_TEST(test_blocked_by_a_host)
{
	struct world w;

	begin(&w, 2, ONE);
	snprintf(w.hosts.hosts[2].value, sizeof(w.hosts.hosts[2].value), "other");
	world_run(&w, ENGINE_RUN);
	state_is(&w, "host:h2", STEP_DRIFT, "");
	state_is(&w, D1, STEP_BLOCKED, "waits for host:h2, which is drift");
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 0);
	world_release(&w);
}
END_TEST

/* Not new: a person's, and what was changed stays; looked at again in the next run. */
START_TEST(test_a_person_and_the_change_stays)
{
	struct world w;

	begin(&w, 1, KEY "\"domains\": [{\"name\": \"d9.example\"}],");
	world_run(&w, ENGINE_RUN);
	moved_once(&w);
	state_is(&w, "domain:d9.example", STEP_NEEDS_PERSON, "it is old");
	snprintf(w.hosts.hosts[9].value, sizeof(w.hosts.hosts[9].value), "new");
	world_run(&w, ENGINE_RUN);
	state_is(&w, "domain:d9.example", STEP_VERIFIED, "it is new");
	moved_once(&w);
	world_release(&w);
}
END_TEST

START_TEST(test_plan)
{
	struct world w;

	begin(&w, 1, ONE);
	world_run(&w, ENGINE_PLAN);
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 0); /* the host comes first */
	ck_assert_uint_eq(w.outcome.plan_problems, 0);
	ck_assert_int_ne(access(w.state, F_OK), 0);
	snprintf(w.hosts.hosts[1].value, sizeof(w.hosts.hosts[1].value), "new");
	world_run(&w, ENGINE_PLAN);
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 1);
	w.hosts.hosts[1].old_failure = E_TIMEOUT;
	world_run(&w, ENGINE_PLAN);
	ck_assert_int_eq(w.hosts.hosts[1].old_asked, 2); /* a plan asks once */
	world_release(&w);
}
END_TEST

/* ---- which targets ------------------------------------------------------------------------------------------------ */

START_TEST(test_domains_none_and_unknown)
{
	struct world w;
	char *tenant;

	begin(&w, 1, KEY "\"domains\": [],");
	world_run(&w, ENGINE_RUN);
	state_is(&w, "host:h1", STEP_VERIFIED, "");
	state_is(&w, "tenant", STEP_NOT_APPLICABLE, "the tenant has no domains");
	world_release(&w);

	begin(&w, 1, ONE);
	tenant = world_tenant("a", 1, 1, ""); /* without the key there is nothing to ask */
	world_reload(&w, tenant);
	world_run(&w, ENGINE_RUN);
	state_is(&w, "host:h1", STEP_VERIFIED, "");
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 0);
	free(tenant);
	world_release(&w);
}
END_TEST

START_TEST(test_one_at_a_time_for_a_tenant)
{
	struct world w;
	char *a = world_tenant("a", 1, 1, KEY "\"domains\": [{\"name\": \"d1.example\"}, {\"name\": \"d1.test\"}, {\"name\": \"d1.demo\"}],");
	char *both = str_fmt("%s, %s", a, "{\"id\": \"b\", " KEY " \"domains\": [{\"name\": \"d2.example\"}], \"hosts\": []}");

	world_init(&w, "{\"id\": \"x\", \"hosts\": []}");
	write_key(&w, "sesame-1");
	world_reload(&w, both);
	snprintf(w.hosts.hosts[1].value, sizeof(w.hosts.hosts[1].value), "new");
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(w.hosts.local_most_open, 2); /* one for each tenant */
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 3);
	ck_assert_int_eq(w.hosts.hosts[2].new_asked, 1);
	/* they need slots as hosts do */
	w.hosts.local_most_open = 0;
	w.concurrency = 1;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(w.hosts.local_most_open, 1);
	free(both);
	free(a);
	world_release(&w);
}
END_TEST

/* ---- services that fail ------------------------------------------------------------------------------------------- */

START_TEST(test_old_service_is_judged)
{
	struct world w;

	begin(&w, 1, ONE);
	w.hosts.hosts[1].old_failure = E_UNREACHABLE;
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_VERIFIED, "it is new; old unreachable, kept nothing");
	ck_assert_int_eq(w.hosts.hosts[1].old_asked, 1);
	/* what may pass by itself is tried again as often as the policy says */
	w.hosts.hosts[1].old_failure = E_TIMEOUT;
	w.hosts.hosts[1].old_asked = 0;
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_VERIFIED, "it is new; old timeout, kept nothing");
	ck_assert_int_eq(w.hosts.hosts[1].old_asked, 4);
	/* and what was kept stays while it is gone */
	w.hosts.hosts[1].old_failure = 0;
	world_run(&w, ENGINE_RUN);
	w.hosts.hosts[1].old_failure = E_TLS;
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_VERIFIED, "it is new; old tls, kept old");
	moved_once(&w);
	world_release(&w);
}
END_TEST

START_TEST(test_new_service_unreachable)
{
	struct world w;

	begin(&w, 1, ONE);
	w.hosts.hosts[1].new_failure = E_UNREACHABLE;
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_UNREACHABLE, "the service failed (unreachable)");
	ck_assert_int_ge(w.elapsed_ms, 600 * 1000); /* give_up_s: the old one's answers do not begin it anew */
	ck_assert_int_lt(w.elapsed_ms, 700 * 1000);
	moved_once(&w);
	w.hosts.hosts[1].new_failure = 0;
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_VERIFIED, "it is new");
	world_release(&w);
}
END_TEST

START_TEST(test_new_service_fails)
{
	static const int codes[] = { E_TIMEOUT, E_CLOSED, E_PROTOCOL };
	struct world w;

	begin(&w, 1, ONE);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		w.hosts.hosts[1].new_failure = codes[i];
		w.hosts.hosts[1].new_asked = 0;
		world_run(&w, ENGINE_RUN);
		state_is(&w, D1, STEP_FAILED, "the service failed");
		ck_assert_int_eq(w.hosts.hosts[1].new_asked, 4); /* attempts */
	}
	moved_once(&w);
	world_release(&w);
}
END_TEST

START_TEST(test_certificate_is_final)
{
	struct world w;

	begin(&w, 1, ONE);
	w.hosts.hosts[1].new_failure = E_TLS;
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_FAILED, "the service failed (tls)");
	ck_assert_int_eq(w.hosts.hosts[1].new_asked, 1);
	moved_once(&w);
	world_release(&w);
}
END_TEST

/* ---- passwords ---------------------------------------------------------------------------------------------------- */

START_TEST(test_password_cannot_be_had)
{
	struct world w;
	char *path;

	begin(&w, 1, ONE);
	path = str_fmt("%s/ws-key", w.dir);
	ck_assert_int_eq(unlink(path), 0);
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_FAILED, "the password for me: ");
	ck_assert_int_eq(w.hosts.hosts[1].old_asked, 0);
	moved_once(&w);
	write_key(&w, "sesame-2");
	world_run(&w, ENGINE_RUN);
	state_is(&w, D1, STEP_VERIFIED, "it is new");
	ck_assert_str_eq(w.hosts.hosts[1].password, "sesame-2");
	free(path);
	world_release(&w);
}
END_TEST

/* A secret's command is run once for all that one tenant is asked for, not once an op. */
START_TEST(test_password_is_looked_up_once)
{
	struct world w;
	char *said, *extra;
	struct buf lines = BUF_INIT;

	begin(&w, 1, ONE);
	said = str_fmt("%s/looked-up", w.dir);
	extra = str_fmt("\"web_service\": {\"account\": \"me\", \"api_key\": \"command:/bin/sh -c 'echo x >>%s; echo sesame-3'\"},"
			"\"domains\": [{\"name\": \"d1.example\"}, {\"name\": \"d1.test\"}],",
			said);
	free(said);
	said = world_tenant("a", 1, 1, extra);
	world_reload(&w, said);
	free(said);
	world_run(&w, ENGINE_RUN);
	ck_assert_str_eq(w.hosts.hosts[1].password, "sesame-3");
	ck_assert_int_eq(w.hosts.hosts[1].new_asked + w.hosts.hosts[1].old_asked, 4);
	said = str_fmt("%s/looked-up", w.dir);
	ck_assert_int_eq(file_read(said, 100, &lines, NULL), 0);
	ck_assert_str_eq(buf_str(&lines), "x\n");
	buf_release(&lines);
	free(said);
	free(extra);
	world_release(&w);
}
END_TEST

/* ---- rollback ----------------------------------------------------------------------------------------------------- */

START_TEST(test_a_proof_goes_with_its_host)
{
	struct world w;
	char *name = str_dup("h1");

	begin(&w, 1, ONE);
	world_run(&w, ENGINE_RUN);
	world_run(&w, ENGINE_ROLLBACK);
	state_is(&w, "host:h1", STEP_ROLLED_BACK, "");
	state_is(&w, D1, STEP_ROLLED_BACK, "what this was the proof of was put back");
	ck_assert_uint_eq(w.outcome.rollback_left, 0);
	world_run(&w, ENGINE_RUN); /* so it stays */
	state_is(&w, "host:h1", STEP_ROLLED_BACK, "");
	state_is(&w, D1, STEP_ROLLED_BACK, "");
	w.selection.hosts = (struct strings){ &name, 1 };
	world_run(&w, ENGINE_RUN);
	w.selection.hosts = (struct strings){ 0 };
	state_is(&w, "host:h1", STEP_VERIFIED, "");
	world_run(&w, ENGINE_RUN); /* the check needs no naming, and has forgotten what it kept */
	state_is(&w, D1, STEP_VERIFIED, "it is new; old none, kept nothing, ran yes");
	free(name);
	world_release(&w);
}
END_TEST

/* Put back without the check being asked (--host): it does not go on saying that all is well. */
START_TEST(test_a_proof_of_what_is_not_there)
{
	struct world w;

	begin(&w, 1, ONE);
	world_run(&w, ENGINE_RUN);
	snprintf(w.hosts.hosts[1].value, sizeof(w.hosts.hosts[1].value), "other");
	world_run(&w, ENGINE_RUN);
	state_is(&w, "host:h1", STEP_DRIFT, "");
	state_is(&w, D1, STEP_PENDING, "the hosts come first");
	world_release(&w);
}
END_TEST

/* ---- at every point ----------------------------------------------------------------------------------------------- */

/* Things that happen: nine of the host's (each of them is test_engine.c's), then opening, ask-old, ask-new. */
#define FIRST 9
#define THINGS 12

START_TEST(test_fault_everywhere)
{
	static const enum fake_fault faults[] = { FAULT_OPEN_REFUSED, FAULT_CUT_BEFORE, FAULT_CUT_BEFORE_UNKNOWN, FAULT_CUT_AFTER,
						  FAULT_TIMEOUT,      FAULT_SUDO };

	for (int at = FIRST; at <= THINGS + 1; at++) {
		struct world w;
		begin(&w, 1, ONE);
		w.hosts.fault = faults[_i];
		w.hosts.fault_at = at;
		world_run(&w, ENGINE_RUN);
		ck_assert_int_le(w.hosts.hosts[1].sets, 1);
		w.hosts.fault_at = 0;
		world_run(&w, ENGINE_RUN);
		state_is(&w, D1, STEP_VERIFIED, "it is new; old none");
		moved_once(&w);
		world_release(&w);
	}
}
END_TEST

START_TEST(test_kill_everywhere)
{
	for (int at = FIRST; at <= THINGS; at++) {
		struct world w;
		begin(&w, 1, ONE);
		w.hosts.fault = _i ? FAULT_KILL_AFTER : FAULT_KILL;
		w.hosts.fault_at = at;
		ck_assert(!world_run_in_child(&w, ENGINE_RUN));
		w.hosts.fault_at = 0;
		world_run(&w, ENGINE_RUN);
		state_is(&w, D1, STEP_VERIFIED, "ran yes");
		moved_once(&w);
		world_release(&w);
	}
}
END_TEST

static int stop_at, stop_times;

static void stop_now(struct world *w, struct engine *e)
{
	if (w->turns >= stop_at && w->turns < stop_at + stop_times)
		engine_stop(e);
}

START_TEST(test_stop_everywhere)
{
	stop_times = _i + 1;
	for (stop_at = _i; stop_at < 60; stop_at += 3) {
		struct world w;
		begin(&w, 1, ONE);
		w.hosts.hosts[1].new_failure = stop_at % 2 ? E_TIMEOUT : 0; /* also while it waits for the next try */
		w.poke = stop_now;
		world_run(&w, ENGINE_RUN);
		ck_assert_uint_eq(world_debts(&w), 0);
		w.poke = NULL;
		w.hosts.hosts[1].new_failure = 0;
		world_run(&w, ENGINE_RUN);
		state_is(&w, D1, STEP_VERIFIED, "it is new");
		moved_once(&w);
		world_release(&w);
	}
}
END_TEST

SUITE(services)
{
	TEST_CASE(s, test_asked_after_the_hosts);
	TEST_CASE(s, test_blocked_by_a_host);
	TEST_CASE(s, test_a_person_and_the_change_stays);
	TEST_CASE(s, test_plan);
	TEST_CASE(s, test_domains_none_and_unknown);
	TEST_CASE(s, test_one_at_a_time_for_a_tenant);
	TEST_CASE(s, test_old_service_is_judged);
	TEST_CASE(s, test_new_service_unreachable);
	TEST_CASE(s, test_new_service_fails);
	TEST_CASE(s, test_certificate_is_final);
	TEST_CASE(s, test_password_cannot_be_had);
	TEST_CASE(s, test_password_is_looked_up_once);
	TEST_CASE(s, test_a_proof_goes_with_its_host);
	TEST_CASE(s, test_a_proof_of_what_is_not_there);
	TEST_CASE_LOOP(s, test_fault_everywhere, 0, 6);
	TEST_CASE_LOOP(s, test_kill_everywhere, 0, 2);
	TEST_CASE_LOOP(s, test_stop_everywhere, 0, 2);
}
