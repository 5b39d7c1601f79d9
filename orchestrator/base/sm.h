/*
 * A checked state machine (the idea is dqlite's lib/sm): states are a small enum, a constant table gives each its name
 * and the states it may go to, and sm_move ends the program on an illegal move. The one who owns the object wraps
 * sm_move in one function of its own, the only place that changes the state.
 */
#ifndef BASE_SM_H
#define BASE_SM_H

#include <stdbool.h>
#include <stdint.h>

struct sm_state {
	const char *name;
	uint32_t to; /* bit n: may go to state n */
};

#define SM_TO(state) (UINT32_C(1) << (state))

struct sm {
	const struct sm_state *states;
	int now;
};

void sm_init(struct sm *sm, const struct sm_state *states, int first);
bool sm_may(const struct sm *sm, int to);

/* Moves, or aborts with both names and `what` (the object) on stderr. Returns the name of the state left. */
const char *sm_move(struct sm *sm, int to, const char *what);
const char *sm_name(const struct sm *sm);

#endif
