/*
 * The engine: does what a plan, a run or a rollback asks for, for thousands of targets at once, on one loop. It
 * interprets the agents' tables (agents/agent.h), writes the journal (ledger.h) and starts ops (transport/transport.h).
 *
 * Glossary. row: one step for one target. task: a row in this run. machine: a (bastion, address, port), or for what the
 * controller asks by itself (targets without a host) a tenant; work on it is done one task after the other. wave of
 * attention: a tenant is looked at again whenever one of its rows ends or its time comes.
 *
 * What holds:
 *   - intent before effect: no op that changes anything starts before its entry is on the disk;
 *   - a debt (something we took down) is paid before a task ends, whatever else went wrong, as long as the host answers;
 *   - a tenant is a failure domain: after a failure its started tasks finish, none is started;
 *   - one stuck host holds its own machine only.
 *
 * Life: engine_new, engine_start, the loop runs, done(engine) comes once; then engine_free.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/events.h"
#include "engine/roster.h"
#include "inventory/select.h"
#include "journal/rows.h"
#include "transport/transport.h"

#include <uv.h>

enum engine_mode { ENGINE_PLAN, ENGINE_RUN, ENGINE_ROLLBACK };

struct engine;

struct engine_config {
	enum engine_mode mode;
	uv_loop_t *loop; /* NULL: the caller calls engine_timers itself (tests) */
	const struct clock *clock;
	struct transport *transport; /* to hosts */
	struct transport *local;     /* the controller's own (transport/local.h): for targets without a host */
	agent_finder *find; /* NULL: agent_find */
	const struct inventory *inventory;
	const struct selection *selection;
	struct rows *rows; /* folded from the state file; empty where there is none */
	struct journal *journal;       /* NULL in plan */
	struct journal_reader *reader; /* for before-images; NULL in plan */
	int64_t run;
	struct events *events; /* or NULL */
	int concurrency;       /* machines at once */
	bool wait;	       /* stay until the last selected window closes */
	uint32_t seed;	       /* of the jitter */
	void (*done)(struct engine *engine, void *arg);
	void (*moved)(const struct row *row, void *arg); /* after each move of a row; or NULL */
	void *arg;
};

struct engine *engine_new(const struct engine_config *config);

/* Looks at every row and starts what may be done. done() comes later, never from inside. An error (the state file could
   not be read): nothing was started and done() will not come. */
int engine_start(struct engine *e, struct err *err);

/* First: nothing new is started, running targets finish. Second: what runs is cancelled on the far side, debts are
   tried. */
void engine_stop(struct engine *e);

void engine_free(struct engine *e);

/* A person's word reached the journal (control socket): the tenant is looked at again. */
void engine_look_again(struct engine *e, const char *tenant);

/* The pen, for entries that come from outside (a confirmation); and the clock's side of it, for tests. */
struct ledger *engine_ledger(struct engine *e);
struct timers *engine_timers(struct engine *e);

/* What came of it, after done. */
struct engine_outcome {
	size_t rows;		 /* selected */
	size_t by_state[STEP_STATES];
	size_t open_debts;
	size_t plan_changes;	 /* plan: targets that would be changed */
	size_t plan_problems;	 /* plan: what could not be looked at, or drifted */
	size_t rollback_left;	 /* rollback: rows that we changed and that are not back */
	bool stopped;		 /* by the operator */
	bool journal_broken;
	struct err journal_why;
};
void engine_outcome(const struct engine *e, struct engine_outcome *out);

/* Each selected row, after done (plan: with its assessment, or why there is none). */
struct engine_row {
	const struct roster_row *roster;
	const struct row *row;
	const struct assessment *assessment; /* plan, NULL when it was not looked at */
	const struct inventory *inventory;
};
void engine_each(const struct engine *e, void (*each)(const struct engine_row *row, void *arg), void *arg);

/* An assessment as JSON {"state", "text", "changes", "notes"}, as the journal and plan.v1 have it; the caller frees. */
char *assessment_json(const struct assessment *a);

/* For the progress display: the rows that an agent works on. */
struct engine_slow {
	const char *tenant, *target, *phase;
	int64_t age_ms;
};
struct engine_progress {
	size_t total, done, bad, running, waiting;
	struct engine_slow slowest[5];
	size_t slowest_n;
};
void engine_progress(const struct engine *e, struct engine_progress *out);

#endif
