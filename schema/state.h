/*
 * The states of a step and the moves between them. The names are stored in state files and printed everywhere
 * (contract: `status`, `report`, events), so renaming one is a migration.
 *
 * A *row* is one step for one target of one tenant ("sync-client of host:sync1 of acme"). Its moves:
 *
 *     pending ──► running ──► verified | unchanged | applied | failed | drift | unreachable | indeterminate | …
 *        ▲           ▲
 *        └ waiting, blocked        (see state_table in state.c: it is the only list of legal moves)
 *
 * verified        done by us and looked at again
 * unchanged       it was as it should be before we came
 * applied         done, but the proof is missing (its text says what)
 * waiting         nothing wrong: a window, a date or another step has to come first (until when: its text)
 * blocked         something else must be settled first, or this version does not have the step
 * needs_person    a person has to decide or act; confirmed: she did
 * indeterminate   the outcome of a change is unknown (a crash, a cut line): looked at again before anything else
 */
#ifndef SCHEMA_STATE_H
#define SCHEMA_STATE_H

#include <stdbool.h>

/* Do not renumber: add at the end. */
enum step_state {
	STEP_PENDING,
	STEP_WAITING,
	STEP_BLOCKED,
	STEP_RUNNING,
	STEP_APPLIED,
	STEP_VERIFIED,
	STEP_UNCHANGED,
	STEP_NOT_APPLICABLE,
	STEP_NEEDS_PERSON,
	STEP_CONFIRMED,
	STEP_FAILED,
	STEP_DRIFT,
	STEP_UNREACHABLE,
	STEP_INDETERMINATE,
	STEP_ROLLED_BACK,
	STEP_WITHDRAWN,
	STEP_STATES
};

/* The stored name; and back, -1 for an unknown one. */
const char *step_state_name(enum step_state state);
int step_state_parse(const char *name);

/* May a row go from one to the other? A move to the same state is legal only where the table says so. */
bool step_state_may(enum step_state from, enum step_state to);

/* verified, unchanged, confirmed, not_applicable: nothing is left to do, and what needs this step may go on. */
bool step_state_is_done(enum step_state state);

/* failed, drift, unreachable, indeterminate, rolled_back: exit code 1. */
bool step_state_is_bad(enum step_state state);

/* What the state means, in a few words for people. */
const char *step_state_meaning(enum step_state state);

/* The states of a tenant, derived from its rows (engine/tenant_state.h). */
enum tenant_state {
	TENANT_NOT_READY,
	TENANT_READY,
	TENANT_SWITCHING,
	TENANT_HALF_SWITCHED,
	TENANT_WATCHING,
	TENANT_DONE,
	TENANT_ROLLED_BACK,
	TENANT_FAILED,
	TENANT_STATES
};

const char *tenant_state_name(enum tenant_state state);

/* The phases of a procedure. */
enum phase { PHASE_PREPARE, PHASE_READY, PHASE_SWITCH, PHASE_SETTLE, PHASES };

const char *phase_name(enum phase phase);
int phase_parse(const char *name);

#endif
