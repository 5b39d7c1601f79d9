/* Hosts that are let in as new, hosts that are somebody else, and logins that our own side cannot make. */
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "journal/journal.h"
#include "tests/unit/engine/world.h"

#define STEP "change"
#define NEW_HOSTS "\"host_keys\": \"accept-new\","

static void begin(struct world *w, const char *extra)
{
	char *tenant = world_tenant("a", 1, 2, extra);

	world_init(w, tenant);
	free(tenant);
}

static void assert_state(struct world *w, const char *target, enum step_state wanted, const char *says)
{
	char *text = world_text(w, "a", STEP, target);
	enum step_state state = world_state(w, "a", STEP, target);

	ck_assert_msg(state == wanted && strstr(text, says), "%s: %s: %s", target, step_state_name(state), text);
	free(text);
}

struct seen {
	const char *target;
	size_t entries, accepted;
	char key[64], text[256];
};

static int take(const struct journal_entry *e, void *arg)
{
	struct seen *s = arg;

	if (e->kind != JOURNAL_IDENTITY || strcmp(e->target, s->target) != 0)
		return 0;
	s->entries++;
	s->accepted += strcmp(e->action, "accepted") == 0;
	snprintf(s->key, sizeof(s->key), "%s", e->item);
	snprintf(s->text, sizeof(s->text), "%s", e->text);
	return 0;
}

/* What the journal has of that host. */
static struct seen seen(struct world *w, const char *target)
{
	struct journal_reader *reader;
	struct seen s = { .target = target };
	struct err err = { 0 };

	ck_assert_int_eq(journal_reader_open(w->state, &reader, &err), 0);
	ck_assert_int_eq(journal_read(reader, "a", 0, take, &s, &err), 0);
	journal_reader_close(reader);
	return s;
}

static void show(struct world *w, int host, const char *key)
{
	snprintf(w->hosts.hosts[host].host_key, sizeof(w->hosts.hosts[host].host_key), "%s", key);
}

START_TEST(test_accepted_and_recorded)
{
	struct world w;
	struct seen s;

	begin(&w, NEW_HOSTS);
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_VERIFIED, "");
	s = seen(&w, "host:h1");
	ck_assert_uint_eq(s.entries, 1);
	ck_assert_uint_eq(s.accepted, 1);
	ck_assert_str_eq(s.key, "ssh-ed25519 SHA256:fake1");
	ck_assert_ptr_nonnull(strstr(s.text, "SHA256:fake1 was not known; it was accepted after the identity check"));
	/* The next run knows it. */
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_VERIFIED, "");
	s = seen(&w, "host:h1");
	ck_assert_uint_eq(s.entries, 2);
	ck_assert_uint_eq(s.accepted, 1);
	ck_assert_str_eq(s.text, "");
	world_release(&w);
}
END_TEST

/* Another key later on, in another run of the program: the tenant is stopped, nothing is touched. */
START_TEST(test_another_key_is_refused)
{
	struct world w;

	begin(&w, NEW_HOSTS "\"retry\": {\"attempts\": 1},");
	world_run(&w, ENGINE_RUN);
	snprintf(w.hosts.hosts[1].value, sizeof(w.hosts.hosts[1].value), "old");
	show(&w, 1, "ssh-ed25519 SHA256:other");
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_FAILED, "host key mismatch: it shows ssh-ed25519 SHA256:other, not ssh-ed25519 SHA256:fake1");
	ck_assert_str_eq(w.hosts.hosts[1].value, "old");
	ck_assert_uint_eq(seen(&w, "host:h1").entries, 1);
	/* Its own key again, and all is well. */
	show(&w, 1, "ssh-ed25519 SHA256:fake1");
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_VERIFIED, "");
	world_release(&w);
}
END_TEST

/* What the host says it is decides: a key that came with another name is not kept. */
START_TEST(test_wrong_identity_is_not_kept)
{
	struct world w;

	begin(&w, NEW_HOSTS);
	snprintf(w.hosts.hosts[1].name, sizeof(w.hosts.hosts[1].name), "somebody");
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_FAILED, "this is not the host it should be");
	ck_assert_uint_eq(seen(&w, "host:h1").entries, 0);
	snprintf(w.hosts.hosts[1].name, sizeof(w.hosts.hosts[1].name), "host1");
	show(&w, 1, "ssh-ed25519 SHA256:right");
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_VERIFIED, "");
	ck_assert_str_eq(seen(&w, "host:h1").key, "ssh-ed25519 SHA256:right");
	world_release(&w);
}
END_TEST

/* A plan lets nobody in for good. */
START_TEST(test_a_plan_keeps_nothing)
{
	struct world w;

	begin(&w, NEW_HOSTS);
	world_run(&w, ENGINE_PLAN);
	ck_assert_uint_eq(w.outcome.plan_changes, 2);
	show(&w, 1, "ssh-ed25519 SHA256:other");
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_VERIFIED, "");
	ck_assert_uint_eq(seen(&w, "host:h1").accepted, 1);
	/* What a run has kept, a plan knows. */
	show(&w, 1, "ssh-ed25519 SHA256:third");
	world_run(&w, ENGINE_PLAN);
	ck_assert_uint_eq(w.outcome.plan_problems, 1);
	world_release(&w);
}
END_TEST

/* A host that was pinned first and is to be let in as new later is still the one that it was. */
START_TEST(test_pinned_before)
{
	struct world w;
	char *tenant;

	begin(&w, "");
	world_run(&w, ENGINE_RUN);
	ck_assert_uint_eq(seen(&w, "host:h1").accepted, 0);
	tenant = world_tenant("a", 1, 2, NEW_HOSTS);
	world_reload(&w, tenant);
	free(tenant);
	show(&w, 1, "ssh-ed25519 SHA256:other");
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_FAILED, "host key mismatch");
	world_release(&w);
}
END_TEST

/* The agent hangs: the step fails by that name, the host is not barred, and the next run does the work. */
START_TEST(test_signing)
{
	struct world w;

	begin(&w, "");
	w.hosts.open_unsigned[1] = 1;
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_FAILED, "the ssh-agent did not answer");
	assert_state(&w, "host:h2", STEP_BLOCKED, "something else of this tenant failed");
	world_run(&w, ENGINE_RUN);
	assert_state(&w, "host:h1", STEP_VERIFIED, "");
	assert_state(&w, "host:h2", STEP_VERIFIED, "");
	world_release(&w);
}
END_TEST

/* With the lamp off the agent is waited for: the line is cut after each op in turn, and then signing fails twice. */
START_TEST(test_signing_with_a_debt)
{
	int signed_late = 0;

	for (int at = 1; at <= 20; at++) {
		struct world w;
		begin(&w, "");
		w.hosts.fault = FAULT_CUT_AFTER;
		w.hosts.fault_at = at;
		w.hosts.unsigned_after_fault = 2;
		world_run(&w, ENGINE_RUN);
		ck_assert_uint_eq(world_debts(&w), 0);
		ck_assert(w.hosts.hosts[1].lamp && w.hosts.hosts[2].lamp);
		signed_late += w.outcome.by_state[STEP_VERIFIED] == 2;
		world_release(&w);
	}
	ck_assert_int_gt(signed_late, 0);
}
END_TEST

SUITE(hosts)
{
	TEST_CASE(s, test_accepted_and_recorded);
	TEST_CASE(s, test_another_key_is_refused);
	TEST_CASE(s, test_wrong_identity_is_not_kept);
	TEST_CASE(s, test_a_plan_keeps_nothing);
	TEST_CASE(s, test_pinned_before);
	TEST_CASE(s, test_signing);
	TEST_CASE(s, test_signing_with_a_debt);
}
