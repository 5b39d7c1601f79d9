/*
 * Where everything stands: the journal's entries folded into rows, one for each (tenant, step, target). The engine folds
 * what it appends, and at its start what is in the file; `status`, `why` and `report` fold the file. So there is one
 * reading of the journal, not two.
 */
#ifndef JOURNAL_ROWS_H
#define JOURNAL_ROWS_H

#include "base/map.h"
#include "journal/journal.h"
#include "schema/state.h"

/* An intent whose outcome is not in the journal: after a crash it is indeterminate. */
struct row_intent {
	char *action, *item;
	int64_t wall_ms;
	bool since_before; /* its good outcome counts as done */
};

/* Something that is down until its restore row is done. Newest last. */
struct row_debt {
	char *action, *item;
	int64_t wall_ms;
	char *text;
};

/* A row of apply[] (and its item) that has a good outcome since `before` was written. */
struct row_done {
	char *action, *item;
	int64_t wall_ms;
};

struct row {
	char *tenant, *step, *target;
	enum step_state state;
	int64_t since_ms;   /* when it came into the state */
	int64_t first_ms;   /* its first entry */
	int64_t finished_ms; /* of the last verified/unchanged/failed … */
	int64_t run;	    /* of the last state entry */
	int attempt;
	char *code, *text;  /* of the last state entry */
	int64_t until_ms;
	bool has_before;
	char *before_json;  /* data of the `before` entry */
	char *changes_json; /* data of the last `changes` entry */
	char *facts_json;   /* data of the last evidence "facts": what the row left behind for others; or NULL */
	char *said_json;    /* data of the last `person` entry, or NULL; and when that was said */
	int64_t said_ms;
	char *instruction_json; /* data of the last note "instruction": what a person has to do, {who, en, ja}; or NULL */
	struct row_intent *intents;
	size_t intents_n;
	struct row_debt *debts;
	size_t debts_n;
	struct row_done *done;
	size_t done_n;
	void *user; /* the engine's own */
};

/* One run of the program. */
struct row_run {
	int64_t id, begin_ms, end_ms; /* end_ms 0: it did not end (yet, or it was killed) */
	char *data, *end_text, *end_data;
};

struct rows {
	struct row **at; /* in the order of their first entry */
	size_t n;
	struct row_run *runs;
	size_t runs_n;
	int64_t last_seq;
	void *index; /* a hash table */
	struct map host_keys; /* "TENANT\nTARGET" → what the host showed when it was last let in */
	struct map notes;     /* tenant, or "" for the procedure → data of the note that describes it */
};

void rows_init(struct rows *rows);
void rows_release(struct rows *rows);

/* The row, or NULL; and the row, made as `pending` where it is not there. */
struct row *rows_find(const struct rows *rows, const char *tenant, const char *step, const char *target);
struct row *rows_get(struct rows *rows, const char *tenant, const char *step, const char *target);

/* Folds one entry, in constant time; texts are copied. The rules, and what breaks them (E_CORRUPT):
 *   state     the row is in `from` and schema/state.h allows the move. A row begins as pending; its first entry may
 *             say so (from ""). rolled_back forgets before, changes and done, so that the row's next migration starts
 *             afresh.
 *   before    written once; again only after rolled_back.
 *   intent    opens (action, item); outcome closes it, and with the verdict "ok" or "unchanged" it is done, if the intent
 *             came after `before`. An outcome without an intent changes nothing.
 *   debt      owes (action, item), once; paid settles it, whoever did.
 *   evidence  with the action "facts" replaces what the row left behind; rolled_back forgets it.
 *   run-end   of a run that began.
 *   identity  tells which host key the host showed; it touches no row.
 *   person    is kept as what was said last.
 *   note      "instruction" is kept with its row, "tenant" and "procedure" for rows_note; others are for readers only.
 *   These, evidence and person name a tenant, a step and a target. */
int rows_apply(struct rows *rows, const struct journal_entry *entry, struct err *err);

/* Folds what is in the file behind last_seq: all of it at first, what is new later. */
int rows_load(struct rows *rows, struct journal_reader *reader, struct err *err);

/* The host key ("ssh-ed25519 SHA256:…") that "host:N" of the tenant showed when it was last let in, or NULL. */
const char *rows_host_key(const struct rows *rows, const char *tenant, const char *target);

/* What the inventory said of a tenant, or ("") of the procedure, when it was last looked at: the data of the note "tenant"
   or "procedure" (journal.h). NULL: nothing is known. */
const char *rows_note(const struct rows *rows, const char *tenant);

/* Has that row of apply[] a good outcome since `before`? The oldest open intent, or NULL. */
bool row_step_done(const struct row *row, const char *action, const char *item);
const struct row_intent *row_open_intent(const struct row *row);

#endif
