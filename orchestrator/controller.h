/*
 * The controller: one process that holds a state file and works on a fleet, from opening to closing. plan, run, resume
 * and rollback are the same controller with another mode; each command file says what it is about, prints what is its
 * own, and gets an exit code.
 */
#ifndef ORCHESTRATOR_CONTROLLER_H
#define ORCHESTRATOR_CONTROLLER_H

#include "cmd.h"
#include "engine/engine.h"

#define CONCURRENCY_DEFAULT 200

struct controller_job {
	enum engine_mode mode;
	const char *command; /* "run", for the journal */
	const struct options *options;
	const struct inventory *inventory;
	const struct selection *selection;
	bool wait;
	/* After the work, before the exit code: what the command prints of it. */
	void (*tell)(struct engine *engine, const struct engine_outcome *outcome, void *arg);
	void *arg;
};

/* Does the job and gives the exit code; every error was said. */
int controller_run(const struct controller_job *job);

/* The inventory of the command line, its problems printed; NULL and the exit code in *code when it is not valid. */
struct inventory *controller_load(const char *path, int *code);

/* The same for somebody who is about to learn host keys (inventory_load_unpinned). */
struct inventory *controller_load_unpinned(const char *path, int *code);

/* The inventory and the selection of the last run, from the state file alone. NULL and *code on error. With
   `selection` NULL only the inventory. */
struct inventory *controller_load_stored(const struct options *o, struct selection *selection, bool *wait, int *code);

/* Asks once before the first change; false: do not. Without a terminal --yes is needed, and *code says so. */
bool controller_may_begin(const struct options *o, const char *question, int *code);

#endif
