#include "transport/ssh_level.h"

static void set(struct level *level, unsigned to, int64_t now_ms)
{
	level->now = to < LEVEL_MIN ? LEVEL_MIN : to > LEVEL_MAX ? LEVEL_MAX : to;
	level->changed_ms = now_ms;
}

void level_init(struct level *level, int64_t now_ms)
{
	*level = (struct level){.round = 0};
	set(level, LEVEL_START, now_ms);
}

void level_success(struct level *level, unsigned used, int64_t now_ms)
{
	/* Where it holds nobody up, nothing was learnt about it. */
	if (used >= level->now)
		set(level, level->now + 1, now_ms);
}

bool level_failure(struct level *level, unsigned round, unsigned used, int64_t now_ms)
{
	if (round != level->round)
		return false;
	level->round++;
	set(level, (used < level->now ? used : level->now) / 2, now_ms);
	return true;
}

int64_t level_probe(struct level *level, int64_t now_ms)
{
	if (now_ms - level->changed_ms >= LEVEL_PROBE_MS)
		set(level, level->now + 1, now_ms);
	return level->changed_ms + LEVEL_PROBE_MS;
}
