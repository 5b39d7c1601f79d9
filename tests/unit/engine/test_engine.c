#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "tests/unit/engine/world.h"

#define STEP "change"

static void begin(struct world *w, const char *id, int first, int n, const char *extra)
{
	char *tenant = world_tenant(id, first, n, extra);

	world_init(w, tenant);
	free(tenant);
}

static void begin_two(struct world *w, const char *a, const char *b)
{
	char *first = world_tenant("a", 1, 3, a), *second = world_tenant("b", 11, 3, b);
	char *both = str_fmt("%s, %s", first, second);

	world_init(w, both);
	free(both);
	free(first);
	free(second);
}

static void assert_verified(struct world *w, const char *tenant, const char *target)
{
	char *text = world_text(w, tenant, STEP, target);
	enum step_state state = world_state(w, tenant, STEP, target);

	ck_assert_msg(state == STEP_VERIFIED, "%s %s: %s: %s", tenant, target, step_state_name(state), text);
	free(text);
}

/* Moved once, the lamp as it was, the journal sound, nothing open. */
static void assert_moved(struct world *w, const char *tenant, int host)
{
	const struct fake_host *h = &w->hosts.hosts[host];
	char target[32];

	snprintf(target, sizeof(target), "host:h%d", host);
	assert_verified(w, tenant, target);
	ck_assert_str_eq(h->value, "new");
	ck_assert_int_eq(h->sets, 1);
	ck_assert(h->lamp);
	ck_assert_uint_eq(world_debts(w), 0);
}

static void assert_untouched(struct world *w, int host, const char *value)
{
	const struct fake_host *h = &w->hosts.hosts[host];

	ck_assert_str_eq(h->value, value);
	ck_assert_int_eq(h->sets, 0);
	ck_assert_int_eq(h->pokes, 0);
	ck_assert(h->lamp);
}

static void assert_text(struct world *w, const char *tenant, const char *target, const char *part)
{
	char *text = world_text(w, tenant, STEP, target);

	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" does not say \"%s\"", text, part);
	free(text);
}

START_TEST(test_all_verified)
{
	struct world w;

	begin(&w, "a", 1, 3, "");
	world_run(&w, ENGINE_RUN);
	for (int i = 1; i <= 3; i++) {
		assert_moved(&w, "a", i);
		ck_assert_int_eq(w.hosts.hosts[i].pokes, 1);
	}
	ck_assert_uint_eq(w.outcome.by_state[STEP_VERIFIED], 3);
	ck_assert_uint_eq(w.outcome.by_state[STEP_BLOCKED], 1);
	ck_assert_int_eq(world_state(&w, "a", "after", "tenant"), STEP_BLOCKED);
	world_release(&w);
}
END_TEST

START_TEST(test_again_changes_nothing)
{
	struct world w;

	begin(&w, "a", 1, 2, "");
	world_run(&w, ENGINE_RUN);
	world_run(&w, ENGINE_RUN);
	assert_moved(&w, "a", 1);
	ck_assert_int_eq(w.hosts.hosts[1].pokes, 1);
	/* outside the window, too: looking again needs no gate */
	w.clock.wall_ms += INT64_C(36) * 3600 * 1000;
	world_run(&w, ENGINE_RUN);
	assert_moved(&w, "a", 2);
	ck_assert_uint_eq(w.outcome.by_state[STEP_VERIFIED], 2);
	world_release(&w);
}
END_TEST

START_TEST(test_found_new_is_unchanged)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	snprintf(w.hosts.hosts[1].value, sizeof(w.hosts.hosts[1].value), "new");
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_UNCHANGED);
	assert_untouched(&w, 1, "new");
	world_release(&w);
}
END_TEST

START_TEST(test_plan_changes_nothing)
{
	struct world w;

	begin(&w, "a", 1, 3, "");
	snprintf(w.hosts.hosts[3].value, sizeof(w.hosts.hosts[3].value), "other");
	world_run(&w, ENGINE_PLAN);
	for (int i = 1; i <= 2; i++)
		assert_untouched(&w, i, "old");
	ck_assert_uint_eq(w.outcome.plan_changes, 2);
	ck_assert_uint_eq(w.outcome.plan_problems, 1);
	ck_assert_int_ne(access(w.state, F_OK), 0);
	world_release(&w);
}
END_TEST

START_TEST(test_drift_stops_its_tenant_only)
{
	struct world w;

	begin_two(&w, "", "");
	w.concurrency = 1; /* one host after the other */
	snprintf(w.hosts.hosts[1].value, sizeof(w.hosts.hosts[1].value), "other");
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_DRIFT);
	assert_untouched(&w, 1, "other");
	for (int i = 2; i <= 3; i++)
		assert_untouched(&w, i, "old");
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h3"), STEP_BLOCKED);
	for (int i = 11; i <= 13; i++)
		assert_moved(&w, "b", i);
	/* the customer corrects it, the next run does the rest */
	snprintf(w.hosts.hosts[1].value, sizeof(w.hosts.hosts[1].value), "old");
	world_run(&w, ENGINE_RUN);
	for (int i = 1; i <= 3; i++)
		assert_moved(&w, "a", i);
	world_release(&w);
}
END_TEST

START_TEST(test_window_closed)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	w.clock.wall_ms -= 3600 * 1000 + 1000; /* a second before it opens */
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_WAITING);
	assert_untouched(&w, 1, "old");
	ck_assert_int_eq(w.hosts.opened, 0);
	assert_text(&w, "a", "host:h1", "2026-12-01T22:00:00Z");
	w.wait = true;
	world_run(&w, ENGINE_RUN);
	assert_moved(&w, "a", 1);
	ck_assert_int_ge(w.elapsed_ms, 1000);
	ck_assert_int_lt(w.elapsed_ms, 2000);
	world_release(&w);
}
END_TEST

START_TEST(test_no_window_left)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	w.clock.wall_ms += INT64_C(30) * 24 * 3600 * 1000;
	w.wait = true;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_WAITING);
	assert_text(&w, "a", "host:h1", "no change window is left");
	world_release(&w);
}
END_TEST

/* The window ends between two changes: what is down is brought up, the rest waits for the next night. */
static void close_window(struct world *w, struct engine *e)
{
	(void)e;
	if (!w->hosts.hosts[1].lamp && w->clock.wall_ms < INT64_C(1796180400000) + 3600000)
		w->clock.wall_ms += INT64_C(8) * 3600 * 1000;
}

START_TEST(test_window_closes_in_the_middle)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	w.poke = close_window;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_WAITING);
	assert_untouched(&w, 1, "old");
	ck_assert_uint_eq(world_debts(&w), 0);
	w.poke = NULL;
	time_parse_rfc3339("2026-12-08T23:00:00Z", &w.clock.wall_ms, NULL, NULL);
	world_run(&w, ENGINE_RUN);
	assert_moved(&w, "a", 1);
	world_release(&w);
}
END_TEST

START_TEST(test_wrong_machine)
{
	struct world w;

	begin_two(&w, "", "");
	w.concurrency = 1;
	snprintf(w.hosts.hosts[1].name, sizeof(w.hosts.hosts[1].name), "somebody-else");
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_FAILED);
	assert_text(&w, "a", "host:h1", "somebody-else");
	for (int i = 1; i <= 3; i++)
		assert_untouched(&w, i, "old");
	assert_moved(&w, "b", 11);
	world_release(&w);
}
END_TEST

START_TEST(test_unreachable_comes_back)
{
	struct world w;

	begin_two(&w, "", "");
	w.hosts.open_refused[1] = 5;
	world_run(&w, ENGINE_RUN);
	assert_moved(&w, "a", 1);
	assert_moved(&w, "a", 2);
	world_release(&w);
}
END_TEST

START_TEST(test_unreachable_for_good)
{
	struct world w;

	begin_two(&w, "", "");
	w.hosts.open_refused[1] = -1;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_UNREACHABLE);
	assert_untouched(&w, 1, "old");
	assert_moved(&w, "a", 2); /* unreachable is no failure of the tenant's */
	ck_assert_int_ge(w.elapsed_ms, 600 * 1000);
	ck_assert_int_lt(w.elapsed_ms, 700 * 1000);
	ck_assert_uint_eq(w.outcome.by_state[STEP_UNREACHABLE], 1);
	world_release(&w);
}
END_TEST

START_TEST(test_concurrency)
{
	struct world w;

	begin(&w, "a", 1, 40, "");
	w.concurrency = 3;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(w.hosts.most_open, 3);
	ck_assert_uint_eq(w.outcome.by_state[STEP_VERIFIED], 40);
	world_release(&w);
}
END_TEST

START_TEST(test_lamp_that_was_off_stays_off)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	w.hosts.hosts[1].lamp = false;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_VERIFIED);
	ck_assert(!w.hosts.hosts[1].lamp);
	world_release(&w);
}
END_TEST

START_TEST(test_busy)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	w.hosts.hosts[1].busy = 5;
	world_run(&w, ENGINE_RUN);
	assert_moved(&w, "a", 1);
	world_release(&w);
	begin(&w, "a", 1, 1, "");
	w.hosts.hosts[1].busy = 1000; /* longer than the row's budget of a minute */
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_NEEDS_PERSON);
	assert_untouched(&w, 1, "old");
	assert_text(&w, "a", "host:h1", "it is busy; waited for 1 min");
	world_release(&w);
}
END_TEST

START_TEST(test_sudo_refused_is_final)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	w.hosts.fault = FAULT_SUDO;
	w.hosts.fault_at = 3; /* opening, identity, look */
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_FAILED);
	ck_assert_int_eq(w.hosts.opened, 1);
	assert_untouched(&w, 1, "old");
	world_release(&w);
}
END_TEST

START_TEST(test_rollback)
{
	struct world w;
	char *name = str_dup("h1");

	begin(&w, "a", 1, 2, "");
	world_run(&w, ENGINE_RUN);
	snprintf(w.hosts.hosts[2].value, sizeof(w.hosts.hosts[2].value), "other"); /* somebody else's since */
	world_run(&w, ENGINE_ROLLBACK);
	ck_assert_str_eq(w.hosts.hosts[1].value, "old");
	ck_assert(w.hosts.hosts[1].lamp);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_ROLLED_BACK);
	ck_assert_str_eq(w.hosts.hosts[2].value, "other");
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h2"), STEP_DRIFT);
	ck_assert_uint_eq(w.outcome.rollback_left, 1);
	world_run(&w, ENGINE_RUN); /* what was rolled back stays so */
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_ROLLED_BACK);
	w.selection.hosts = (struct strings){ &name, 1 };
	world_run(&w, ENGINE_RUN); /* unless it is named */
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_VERIFIED);
	ck_assert_int_eq(w.hosts.hosts[1].sets, 2);
	w.selection.hosts = (struct strings){ 0 };
	free(name);
	world_release(&w);
}
END_TEST

START_TEST(test_withdrawn)
{
	struct world w;
	char *tenant = world_tenant("a", 2, 1, "");

	begin(&w, "a", 1, 2, "");
	world_run(&w, ENGINE_RUN);
	world_reload(&w, tenant);
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_WITHDRAWN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h2"), STEP_VERIFIED);
	free(tenant);
	world_release(&w);
}
END_TEST

/* ---- faults at every point -------------------------------------------------------------------------------------- */

/* Before a changing op its intent is on the disk: asked of the file itself, by another connection. */
struct intents {
	const char *state;
	size_t effects;
};

static int count_intents(const struct journal_entry *entry, void *arg)
{
	if (entry->kind == JOURNAL_INTENT)
		++*(size_t *)arg;
	return 0;
}

static void intent_is_durable(const struct op *op, void *arg)
{
	struct intents *in = arg;
	struct journal_reader *reader;
	size_t intents = 0;

	if (strcmp(op->command, "look") == 0 || strcmp(op->command, "name") == 0)
		return;
	in->effects++;
	ck_assert_int_eq(journal_reader_open(in->state, &reader, NULL), 0);
	ck_assert_int_eq(journal_read(reader, NULL, 0, count_intents, &intents, NULL), 0);
	journal_reader_close(reader);
	ck_assert_uint_eq(intents, in->effects);
}

START_TEST(test_intent_before_effect)
{
	struct world w;
	struct intents in = { 0 };

	begin(&w, "a", 1, 1, "");
	in.state = w.state;
	w.hosts.before_op = intent_is_durable;
	w.hosts.before_arg = &in;
	world_run(&w, ENGINE_RUN);
	ck_assert_uint_eq(in.effects, 4); /* lamp off, set, poke, lamp on */
	world_release(&w);
}
END_TEST

/* Things that happen in one host's run: opening, name, look, off, look, set, poke, on, look. */
#define THINGS 9

/* One fault at each thing: the run itself, or the one after it, ends well. */
static void fault_everywhere(enum fake_fault fault)
{
	for (int at = 1; at <= THINGS + 1; at++) {
		struct world w;
		begin(&w, "a", 1, 1, "");
		w.hosts.fault = fault;
		w.hosts.fault_at = at;
		world_run(&w, ENGINE_RUN);
		ck_assert_uint_eq(world_debts(&w), 0);
		ck_assert(w.hosts.hosts[1].lamp);
		ck_assert_int_le(w.hosts.hosts[1].sets, 1);
		if (fault != FAULT_TIMEOUT && fault != FAULT_SUDO)
			assert_moved(&w, "a", 1);
		w.hosts.fault_at = 0;
		world_run(&w, ENGINE_RUN);
		assert_moved(&w, "a", 1);
		/* the poke is the one op that may be repeated, since nobody can know */
		ck_assert_int_ge(w.hosts.hosts[1].pokes, 1);
		ck_assert_int_le(w.hosts.hosts[1].pokes, 2);
		world_release(&w);
	}
}

START_TEST(test_fault_everywhere)
{
	static const enum fake_fault faults[] = { FAULT_OPEN_REFUSED, FAULT_CUT_BEFORE, FAULT_CUT_BEFORE_UNKNOWN,
						  FAULT_CUT_AFTER,    FAULT_TIMEOUT };

	fault_everywhere(faults[_i]);
}
END_TEST

/*
 * The line is cut each time that the value is set, with the lamp off: when all attempts are spent the lamp goes on again,
 * and the run ends.
 */
START_TEST(test_cut_each_time)
{
	struct world w;

	begin(&w, "a", 1, 1, "");
	w.hosts.fault = _i ? FAULT_CUT_BEFORE_UNKNOWN : FAULT_CUT_BEFORE;
	w.hosts.fault_on = "set new";
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_FAILED);
	assert_text(&w, "a", "host:h1", "given up after 4 attempts: ");
	assert_untouched(&w, 1, "old");
	ck_assert_uint_eq(world_debts(&w), 0);
	ck_assert_int_eq(w.hosts.opened, 5);
	w.hosts.fault_on = NULL;
	world_run(&w, ENGINE_RUN);
	assert_moved(&w, "a", 1);
	world_release(&w);
}
END_TEST

/* The controller is killed at each thing, before and after it was done; the next life puts everything right. */
static void kill_everywhere(enum fake_fault fault)
{
	for (int at = 1; at <= THINGS; at++) {
		struct world w;
		begin(&w, "a", 1, 1, "");
		w.hosts.fault = fault;
		w.hosts.fault_at = at;
		ck_assert(!world_run_in_child(&w, ENGINE_RUN));
		w.hosts.fault_at = 0;
		world_run(&w, ENGINE_RUN);
		assert_moved(&w, "a", 1);
		ck_assert_int_ge(w.hosts.hosts[1].pokes, 1);
		ck_assert_int_le(w.hosts.hosts[1].pokes, 2);
		world_release(&w);
	}
}

START_TEST(test_kill_everywhere)
{
	kill_everywhere(_i ? FAULT_KILL_AFTER : FAULT_KILL);
}
END_TEST

/* Killed again and again, each time one thing later: still written once. */
START_TEST(test_kill_every_time)
{
	struct world w;
	int lives = 0;

	begin(&w, "a", 1, 2, "");
	w.hosts.fault = FAULT_KILL_AFTER;
	do {
		*w.hosts.clock_of_ops = 0;
		w.hosts.fault_at = 3 + lives;
		ck_assert_int_lt(++lives, 60);
	} while (!world_run_in_child(&w, ENGINE_RUN));
	assert_moved(&w, "a", 1);
	assert_moved(&w, "a", 2);
	world_release(&w);
}
END_TEST

/* In the roll-back, too. */
START_TEST(test_kill_in_rollback)
{
	for (int at = 1; at <= 8; at++) {
		struct world w;
		begin(&w, "a", 1, 1, "");
		world_run(&w, ENGINE_RUN);
		*w.hosts.clock_of_ops = 0;
		w.hosts.fault = _i ? FAULT_KILL_AFTER : FAULT_KILL;
		w.hosts.fault_at = at;
		world_run_in_child(&w, ENGINE_ROLLBACK);
		w.hosts.fault_at = 0;
		world_run(&w, ENGINE_ROLLBACK);
		ck_assert_str_eq(w.hosts.hosts[1].value, "old");
		ck_assert(w.hosts.hosts[1].lamp);
		ck_assert_uint_eq(world_debts(&w), 0);
		ck_assert_int_eq(world_state(&w, "a", STEP, "host:h1"), STEP_ROLLED_BACK);
		world_release(&w);
	}
}
END_TEST

/* The operator stops at each turn: nothing is left down, and the next run does the rest. */
static int stop_at;

static void stop_now(struct world *w, struct engine *e)
{
	if (w->turns == stop_at)
		engine_stop(e);
}

START_TEST(test_stop_everywhere)
{
	for (stop_at = 0; stop_at < 60; stop_at++) {
		struct world w;
		begin(&w, "a", 1, 2, "");
		w.concurrency = 1;
		w.poke = stop_now;
		world_run(&w, ENGINE_RUN);
		ck_assert_uint_eq(world_debts(&w), 0);
		for (int i = 1; i <= 2; i++) {
			ck_assert(w.hosts.hosts[i].lamp);
			ck_assert_int_eq(w.hosts.hosts[i].sets, w.hosts.hosts[i].pokes); /* begun is finished */
		}
		w.poke = NULL;
		world_run(&w, ENGINE_RUN);
		assert_moved(&w, "a", 1);
		assert_moved(&w, "a", 2);
		world_release(&w);
	}
}
END_TEST

SUITE(engine)
{
	TEST_CASE(s, test_all_verified);
	TEST_CASE(s, test_again_changes_nothing);
	TEST_CASE(s, test_found_new_is_unchanged);
	TEST_CASE(s, test_plan_changes_nothing);
	TEST_CASE(s, test_drift_stops_its_tenant_only);
	TEST_CASE(s, test_window_closed);
	TEST_CASE(s, test_no_window_left);
	TEST_CASE(s, test_window_closes_in_the_middle);
	TEST_CASE(s, test_wrong_machine);
	TEST_CASE(s, test_unreachable_comes_back);
	TEST_CASE(s, test_unreachable_for_good);
	TEST_CASE(s, test_concurrency);
	TEST_CASE(s, test_lamp_that_was_off_stays_off);
	TEST_CASE(s, test_busy);
	TEST_CASE(s, test_sudo_refused_is_final);
	TEST_CASE(s, test_rollback);
	TEST_CASE(s, test_withdrawn);
	TEST_CASE(s, test_intent_before_effect);
	TEST_CASE_LOOP(s, test_fault_everywhere, 0, 5);
	TEST_CASE_LOOP(s, test_cut_each_time, 0, 2);
	TEST_CASE_LOOP(s, test_kill_everywhere, 0, 2);
	TEST_CASE(s, test_kill_every_time);
	TEST_CASE_LOOP(s, test_kill_in_rollback, 0, 2);
	TEST_CASE(s, test_stop_everywhere);
}
