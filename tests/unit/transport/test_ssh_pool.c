#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "transport/ssh_pool.h"

#include <string.h>

/* Sessions as letters: l logs in, r is ready, o opens, s opens for a suspect, x has retired (and opens), f is full. */
static size_t sessions_of(const char *text, struct pool_session *out)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		out[i] = (struct pool_session){
			.ready = text[i] != 'l',
			.retired = text[i] == 'x',
			.opening = strchr("osx", text[i]) != NULL,
			.opening_suspect = text[i] == 's',
			.tunnels = text[i] == 'f' ? POOL_TUNNELS_MAX : 3,
		};
	return n;
}

static const struct pool_case {
	const char *name, *sessions;
	unsigned waiting, suspects, level, used;
	bool proven, held_off;
	int64_t quiet_ms;
	const char *wanted; /* "wait", "wait MS", "held", "open N", "suspect N", "login" */
} cases[] = {
	{ "nobody waits", "", 0, 0, 8, 0, false, false, 0, "wait" },
	{ "the first login is at once", "", 1, 0, 8, 0, false, false, 0, "login" },
	{ "one login at a time", "l", 300, 0, 8, 0, false, false, 60000, "wait" },
	{ "a free session", "r", 300, 0, 8, 0, false, false, 0, "open 0" },
	{ "one pending open a session", "o", 299, 0, 8, 1, true, false, 0, "wait 50" },
	{ "another session after a while", "o", 299, 0, 8, 1, true, false, 50, "login" },
	{ "not so fast before it has answered", "o", 299, 0, 8, 1, false, false, 50, "wait 950" },
	{ "but then", "o", 299, 0, 8, 1, false, false, 1000, "login" },
	{ "at once when all are full", "ff", 1, 0, 100, 40, true, false, 0, "login" },
	{ "a full one is not asked", "fr", 1, 0, 100, 40, true, false, 0, "open 1" },
	{ "the level holds", "rr", 1, 0, 8, 8, true, false, 60000, "held" },
	{ "no login while it is held off", "o", 9, 0, 8, 1, true, true, 60000, "wait" },
	{ "but sessions that are there are used", "or", 9, 0, 8, 1, true, true, 0, "open 1" },
	{ "a retired one takes nothing", "x", 1, 0, 8, 3, true, false, 0, "login" },
	{ "as many as may be", "oooooooooooooooo", 9, 0, 100, 16, true, false, 60000, "wait" },
	{ "retired ones do not count", "xxxxooooooooooooooo", 9, 0, 100, 16, true, false, 50, "login" },
	{ "but not without end", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxo", 9, 0, 100, 16, true, false, 50, "wait" },
	{ "others before suspects", "r", 2, 1, 8, 0, true, false, 0, "open 0" },
	{ "suspects at last", "r", 2, 2, 8, 0, true, false, 0, "suspect 0" },
	{ "suspects leave half", "ssssssssr", 2, 2, 100, 8, true, false, 60000, "wait" },
	{ "to the others", "ssssssssr", 3, 2, 100, 8, true, false, 60000, "open 8" },
	{ "suspects make the pool grow, too", "sss", 2, 2, 100, 3, true, false, 50, "login" },
};

START_TEST(test_cases)
{
	const struct pool_case *c = &cases[_i];
	struct pool_session sessions[64];
	struct pool_view view = {
		.sessions = sessions,
		.n = sessions_of(c->sessions, sessions),
		.waiting = c->waiting,
		.waiting_suspects = c->suspects,
		.level = c->level,
		.used = c->used,
		.proven = c->proven,
		.may_login = !c->held_off,
		.quiet_ms = c->quiet_ms,
	};
	struct pool_step step = pool_next(&view);
	char seen[40] = "";

	switch (step.move) {
	case POOL_OPEN:
		snprintf(seen, sizeof(seen), "%s %zu", step.suspect ? "suspect" : "open", step.session);
		break;
	case POOL_LOGIN:
		snprintf(seen, sizeof(seen), "login");
		break;
	case POOL_WAIT:
		if (step.again_ms)
			snprintf(seen, sizeof(seen), "wait %d", (int)step.again_ms);
		else
			snprintf(seen, sizeof(seen), "%s", step.held ? "held" : "wait");
		break;
	}
	ck_assert_msg(strcmp(seen, c->wanted) == 0, "%s: %s, wanted %s", c->name, seen, c->wanted);
}
END_TEST

/* The one that carries least. */
START_TEST(test_spreads)
{
	struct pool_session sessions[3] = { { .ready = true, .tunnels = 5 },
					    { .ready = true, .tunnels = 2 },
					    { .ready = true, .tunnels = 9 } };
	struct pool_view view = { .sessions = sessions, .n = 3, .waiting = 1, .level = 100, .used = 16, .may_login = true };

	ck_assert_uint_eq(pool_next(&view).session, 1);
}
END_TEST

/* A simulated bastion: each open of a dead target takes ten seconds, each other one a millisecond, a login a tenth of a
   second. No live target waits long, whatever stands before it in the queue. */
enum { LIVE = POOL_TUNNELS_MAX, STEP_MS = 1, OPEN_MS = 1, LOGIN_MS = 100, DEAD_MS = 10000 };

struct world {
	struct pool_session sessions[POOL_ALL_MAX];
	int64_t free_at[POOL_ALL_MAX];
	bool dead_open[POOL_ALL_MAX];
	size_t n;
	bool proven;
	int64_t login_ms, now;
	unsigned live, dead; /* that wait */
	unsigned used;
	size_t most;
};

static void drop_session(struct world *w, size_t i)
{
	w->n--;
	memmove(&w->sessions[i], &w->sessions[i + 1], (w->n - i) * sizeof(*w->sessions));
	memmove(&w->free_at[i], &w->free_at[i + 1], (w->n - i) * sizeof(*w->free_at));
	memmove(&w->dead_open[i], &w->dead_open[i + 1], (w->n - i) * sizeof(*w->dead_open));
}

static void finish_what_is_due(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct pool_session *s = &w->sessions[i];

		if (w->now < w->free_at[i])
			continue;
		if (s->opening && w->dead_open[i]) {
			w->used--;
			drop_session(w, i--);
			continue;
		}
		w->proven |= s->opening;
		s->opening = false;
		s->ready = true;
	}
}

/* dead_first: the dead stand in front of the queue, which is the worst. */
static void act(struct world *w)
{
	for (;;) {
		struct pool_view view = { .sessions = w->sessions, .n = w->n, .waiting = w->live + w->dead, .level = 256,
					  .used = w->used, .proven = w->proven, .may_login = true,
					  .quiet_ms = w->now - w->login_ms };
		struct pool_step step = pool_next(&view);

		if (step.move == POOL_WAIT)
			return;
		if (step.move == POOL_LOGIN) {
			w->free_at[w->n] = w->now + LOGIN_MS;
			w->sessions[w->n++] = (struct pool_session){ .ready = false };
			w->login_ms = w->now;
			w->most = w->n > w->most ? w->n : w->most;
			continue;
		}
		w->used++;
		w->sessions[step.session].opening = true;
		w->dead_open[step.session] = w->dead > 0;
		w->free_at[step.session] = w->now + (w->dead ? DEAD_MS : OPEN_MS);
		w->sessions[step.session].tunnels += !w->dead;
		w->dead -= w->dead > 0;
		w->live -= !w->dead_open[step.session];
	}
}

START_TEST(test_dead_targets_delay_no_other)
{
	const unsigned dead = (unsigned)_i;
	struct world w = { .live = LIVE, .dead = dead };

	while (w.live && w.now < 100000) {
		finish_what_is_due(&w);
		act(&w);
		w.now += STEP_MS;
	}
	/* Fifteen dead at once stand in the way of a bastion that is not known yet a second each; later ones do not. */
	ck_assert_msg(w.now < 1500 + 1100 * (int64_t)dead, "%u dead targets before %d others: %lld ms", dead, LIVE,
		      (long long)w.now);
	ck_assert_uint_le(w.most, POOL_ALL_MAX);
}
END_TEST

SUITE(ssh_pool)
{
	TEST_CASE_LOOP(s, test_cases, 0, (int)ARRAY_LEN(cases));
	TEST_CASE(s, test_spreads);
	TEST_CASE_LOOP(s, test_dead_targets_delay_no_other, 0, POOL_SESSIONS_MAX);
}
