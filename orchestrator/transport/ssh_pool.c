#include "transport/ssh_pool.h"

struct tally {
	size_t usable, logging_in, full, opening_suspects;
	size_t best; /* n: none is free */
};

static bool is_free(const struct pool_session *s)
{
	return s->ready && !s->retired && !s->opening && s->tunnels < POOL_TUNNELS_MAX;
}

static struct tally count(const struct pool_view *v)
{
	struct tally t = {.best = v->n};

	for (size_t i = 0; i < v->n; i++) {
		const struct pool_session *s = &v->sessions[i];

		t.usable += !s->retired;
		t.logging_in += !s->ready && !s->retired;
		t.full += s->ready && !s->retired && s->tunnels >= POOL_TUNNELS_MAX;
		t.opening_suspects += s->opening && s->opening_suspect;
		if (is_free(s) && (t.best == v->n || s->tunnels < v->sessions[t.best].tunnels))
			t.best = i;
	}
	return t;
}

static struct pool_step wait_for(int64_t again_ms, bool held)
{
	return (struct pool_step){.move = POOL_WAIT, .again_ms = again_ms, .held = held};
}

struct pool_step pool_next(const struct pool_view *v)
{
	struct tally t = count(v);
	int64_t patience = v->proven ? POOL_GROW_MS : POOL_GROW_UNPROVEN_MS;
	bool suspect = v->waiting == v->waiting_suspects;

	if (!v->waiting)
		return wait_for(0, false);
	if (v->used >= v->level)
		return wait_for(0, true);
	if (suspect && t.opening_suspects >= POOL_SESSIONS_MAX / 2)
		return wait_for(0, false);
	if (t.best < v->n)
		return (struct pool_step){.move = POOL_OPEN, .session = t.best, .suspect = suspect};
	if (!v->may_login || t.logging_in || t.usable >= POOL_SESSIONS_MAX || v->n >= POOL_ALL_MAX)
		return wait_for(0, false);
	if (t.full < t.usable && v->quiet_ms < patience)
		return wait_for(patience - v->quiet_ms, false);
	return (struct pool_step){.move = POOL_LOGIN};
}
