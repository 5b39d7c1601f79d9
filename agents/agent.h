/*
 * The contract of an agent: what knows one kind of thing that a step changes or checks. An agent is a `const struct
 * agent` at the end of its own file and a line in registry.c. It says what to do and judges what came back; it does no
 * I/O, keeps no state of its own and never calls the engine. Everything it knows between two calls is in the facts.
 *
 * How the engine uses it, for one *target* (a host, a domain, a tenant) of one step of the procedure:
 *
 *     observe[] ─► assess() ─► apply[] ─► (debts: restore[]) ─► verify[]            `run`
 *     observe[] ─► assess()                                                         `plan`
 *     observe[] ─► assess() ─► revert[] ─► (debts: restore[]) ─► observe[], assess  `rollback`
 *
 * Each […] is a table of steps, done in order, ended by a row whose name is NULL. A row serves none, one or many ops:
 * `request` is called for n = 0, 1, 2 … and says what is to be done, that this n needs nothing (OP_SKIP), or that the
 * row is over (OP_END). `judge` is called with what came back for that n. Names of rows and items are stored in the
 * journal: renaming one is a migration.
 *
 * Failures of the way (cut, timeout, no sudo …) are the engine's; judge sees a result when the op ran, or when its
 * failure is an answer about the thing itself: E_NOTFOUND, E_CHANGED, E_LIMIT, E_INVAL, E_PERM, E_NOSPACE, E_EXISTS, E_BUSY;
 * of a service (result.beyond) whatever trying again cannot change: E_TLS, E_FORWARDING, E_BASTION.
 *
 * A target without a host has no machine: its ops are the controller's own (OP_HTTP). An agent whose apply[] is empty
 * only checks: where it says that all is as it should be the row is verified, and put back with what it is the proof of.
 * Within one step such targets come after the hosts.
 *
 * Crash rules an agent must keep:
 *   - A row that changes anything has STEP_MUTATES: its intent is durable before the op starts, together with the
 *     `before` facts when it is the first one of this target.
 *   - After a crash the engine observes and assesses again, then goes through apply[] from the start: `request` must
 *     say OP_SKIP for what `now` or step_done() shows to be done. STEP_IDEMPOTENT rows may be repeated.
 *   - A row that takes something down names in `owes` the row of restore[] that brings it up again (its debt, per item).
 *     restore rows must be idempotent and must work from `before` and `now` alone.
 */
#ifndef AGENTS_AGENT_H
#define AGENTS_AGENT_H

#include "agents/assess.h"
#include "agents/facts.h"
#include "agents/verdict.h"
#include "base/op.h"
#include "inventory/model.h"

#define ITEM_MAX 128

/* Another target of the same tenant, and what it left behind (struct agent.exports): views. */
struct neighbour {
	const char *target;
	const struct host *host; /* or NULL */
	enum step_state state;
	bool changed;   /* its first change was begun, and not rolled back */
	int64_t ran_ms; /* when one of its agent's rows `ran` had its good outcome (wall time); 0: none had */
	const struct facts *left;
};

/* What the engine hands to every call: views, all read-only for the agent but `now`. */
struct agent_ctx {
	const struct inventory *inventory;
	const struct tenant *tenant;
	const struct host *host;     /* SCOPE_HOST, else NULL */
	const struct domain *domain; /* SCOPE_DOMAIN, else NULL */
	const struct procedure_step *step;
	const char *target;	     /* its key: "domain:acme.example" */
	const json_t *params;	     /* the use's own keys; an empty object when there are none */
	const json_t *with;	     /* what the procedure's step says */
	struct facts *now;	     /* what was seen since the last observe began; judge writes here */
	const struct facts *before;  /* how it was before our first change, for ever; empty until then */
	const struct assessment *assessment; /* the last one; NULL while observing */
	int64_t wall_ms;
	/* Has this row of apply[] a good outcome since `before` was written? */
	bool (*step_done)(const struct agent_ctx *ctx, const char *step, const char *item);
	/* Calls each() for every target of a step of this tenant, in their order, itself included. */
	void (*neighbours)(const struct agent_ctx *ctx, const char *step,
			   void (*each)(const struct neighbour *neighbour, void *arg), void *arg);
};

enum step_request { OP_DO, OP_SKIP, OP_END };

enum step_flags {
	STEP_MUTATES = 1,    /* an intent comes first */
	STEP_IDEMPOTENT = 2, /* may be repeated when its outcome is unknown */
	STEP_SERVICE = 4,    /* judge also sees how a service failed (result.beyond), once what may pass was tried again */
};

struct step {
	const char *name;
	/* For n = 0, 1, 2 …: fills op (which op_init has prepared as OP_RUN) and the item's stable name ("" for none).
	   OP_END at n = 0 is a row without work. */
	enum step_request (*request)(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
	struct verdict (*judge)(const struct agent_ctx *ctx, int n, const struct op_result *result);
	unsigned flags;
	const char *owes; /* a row of restore[], or NULL */
	int deadline_ms;  /* of one op; 0: OP_TIMEOUT_DEFAULT_MS */
	int budget_ms;	  /* how long verdict_again may go on; 0: 5 minutes */
};

struct agent {
	const char *name;
	const char *summary; /* one line, what it moves */
	enum agent_scope scope;
	unsigned os; /* bit per enum os_kind that this version can serve; 0 where the scope is not a host */
	const char *const *params; /* names, ended by NULL; the same as in the procedure file (tested) */
	const struct step *observe;
	int (*assess)(const struct agent_ctx *ctx, struct assessment *out, struct err *err);
	const struct step *apply, *restore, *verify, *revert;
	/* Facts that are kept with the row, as text, for its neighbours and for later runs; ended by NULL, or NULL. A fact
	   that is not set leaves the kept one as it is; what is rolled back keeps none. */
	const char *const *exports;
	/* The rows of apply[] that use what was changed, once and to the end, so that a neighbour can look for what came of
	   it; ended by NULL, or NULL: there is none. That something was only started does not count. */
	const char *const *ran;
};

/* Does it only check? */
static inline bool agent_only_checks(const struct agent *a)
{
	return !a->apply->name;
}

/* The agent of that name, or NULL: not in this version. */
const struct agent *agent_find(const char *name);

/* All of this version, ended by NULL. */
extern const struct agent *const agents[];

/* The script of agents/remote/ with that file name; aborts where there is none (a fault of the program). */
const struct embedded *agent_script(const char *name);

#endif
