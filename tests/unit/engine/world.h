/*
 * A whole little world for tests of the engine: an inventory (made of JSON and really loaded), a state file, hosts in
 * memory and a clock in the hand. world_run is one life of a controller: it opens the state file, runs the engine until
 * it is done, moving the clock only when nothing else can happen, and closes everything.
 */
#ifndef TESTS_UNIT_ENGINE_WORLD_H
#define TESTS_UNIT_ENGINE_WORLD_H

#include "base/buf.h"
#include "engine/engine.h"
#include "inventory/load.h"
#include "tests/lib/fake_transport.h"

struct world_clock {
	struct clock clock;
	int64_t wall_ms, mono_ms;
};

struct world {
	char dir[64];
	char state[96];
	struct inventory *inv;
	struct fake_transport hosts;
	struct world_clock clock;
	struct selection selection;
	bool wait;
	int concurrency;
	/* Called at each turn of the world, before anything is delivered. */
	void (*poke)(struct world *w, struct engine *e);
	int turns;

	/* of the last life */
	struct engine_outcome outcome;
	int64_t elapsed_ms;
};

/* `tenants` is the JSON of the array "tenants". Window: 2026-12-01T22:00Z to 05:00Z; the clock stands at 23:00Z. */
void world_init(struct world *w, const char *tenants);
void world_release(struct world *w);

/* The tenants' JSON again, as if the operator had edited the inventory. */
void world_reload(struct world *w, const char *tenants);

void world_run(struct world *w, enum engine_mode mode);

/* The same in a child process, which a fault may kill: true when it ended by itself. */
bool world_run_in_child(struct world *w, enum engine_mode mode);

/* What the state file says of a row. */
enum step_state world_state(struct world *w, const char *tenant, const char *step, const char *target);
size_t world_debts(struct world *w);
char *world_text(struct world *w, const char *tenant, const char *step, const char *target); /* the caller frees */

/* JSON of a tenant with n toy hosts from `first` on; the caller frees. extra: more keys ("" or "\"k\": v,"). */
char *world_tenant(const char *id, int first, int n, const char *extra);

#endif
