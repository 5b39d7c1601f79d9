#include "base/sm.h"

void sm_init(struct sm *sm, const struct sm_state *states, int first)
{
	sm->states = states;
	sm->now = first;
}

bool sm_may(const struct sm *sm, int to)
{
	return (sm->states[sm->now].to & SM_TO(to)) != 0;
}

const char *sm_move(struct sm *sm, int to, const char *what)
{
	const char *from = sm->states[sm->now].name;

	if (!sm_may(sm, to)) {
		fprintf(stderr, "cutover: fault: %s: illegal move %s -> %s\n", what, from, sm->states[to].name);
		abort();
	}
	sm->now = to;
	return from;
}

const char *sm_name(const struct sm *sm)
{
	return sm->states[sm->now].name;
}
