/*
 * What every format of the report is made from: the journal folded into rows (journal/rows.h), and beside each row what
 * was seen and done in it, in order. Made by report_load, read by the formats, changed by no one afterwards. All strings
 * live as long as the struct report; none is NULL unless its comment says so. Texts are as the journal holds them:
 * redacted, not escaped (escape.h).
 */
#ifndef REPORT_MODEL_H
#define REPORT_MODEL_H

#include "journal/rows.h"
#include "report/report.h"
#include "schema/state.h"

#include <stddef.h>

/* How much of a blob (the output of a command) is shown. */
#define REPORT_EXCERPT_BYTES 2000

struct report_title {
	char *en, *ja; /* ja "" where there is none */
};

/* A step of the procedure, as the state file's "procedure" note has it. */
struct report_step {
	char *name, *vendor;
	struct report_title title;
	struct report_title without; /* what is not proved of it for the tenants that say so; en "" for nothing */
	enum phase phase;
	size_t order;
	bool last_switch; /* of the last step of phase switch: with it a tenant is over */
};

struct report_window {
	int64_t start_ms, end_ms; /* [start, end); both 0: none */
};

/* One entry of the journal that tells something of a row: a move, what was to be changed, an outcome, evidence, a
   confirmation, a debt. */
struct report_event {
	enum journal_kind kind;
	int64_t wall_ms, run, elapsed_ms, until_ms;
	int32_t exit_code;
	int attempt;
	const char *target, *action, *item, *from, *to, *code, *text, *data, *blob_sha256;
	char *excerpt; /* the blob's first bytes, or NULL */
	size_t excerpt_len;
	bool cut; /* the blob is longer */
};

struct report_events {
	struct report_event **at;
	size_t n;
};

struct report_tenant;

struct report_row {
	struct row *row;
	struct report_tenant *tenant;
	const struct report_step *step; /* NULL: the procedure does not name it (an older one) */
	struct report_title instruction; /* what a person does of it, with its values; en "" where nobody was told anything */
	char who[16];			 /* whose it is, by that; "" where it says nothing */
	struct report_events events;	 /* empty in a brief report */
	/* Of these, the last that holds changes, or NULL. The row's own changes_json is of the last look, which finds nothing
	   to change when a row is verified again. */
	const struct report_event *changes;
};

struct report_tenant {
	char *id, *name, *wave, *change_id, *migration_date;
	bool japanese;
	int offset_min;
	int64_t migration_ms;
	struct report_window *windows; /* sorted as the note has them */
	size_t windows_n;
	struct report_window vendor_period;
	char *by_json; /* {step: who}, or "" */
	char **without; /* steps of which something is not proved: the tenant has not what it takes */
	size_t without_n;

	enum tenant_state state;
	bool withdrawn; /* no longer in the inventory, with all of its rows */
	struct report_row **rows; /* in the order of the procedure, then by target */
	size_t rows_n;
	size_t by_state[STEP_STATES];
	size_t debts_n;
	int64_t last_ms; /* its last entry */
	struct report_events events; /* what belongs to no row: identities, notes */
	size_t entries_n;
	char last_hash[SHA256_HEX_MAX]; /* of its chain */
};

/* Rows that stand where they stand for the same reason (cause.h). */
struct report_cause;

/* Something that is down. */
struct report_debt {
	const struct report_row *row;
	const struct row_debt *debt;
};

/* What a run said of itself, out of its entry's data. */
struct report_run {
	const struct row_run *run;
	char *command, *os_user, *ssh_origin, *version, *selection; /* "" where it is not said */
	int64_t revision, pid, concurrency;
	int exit; /* -1: it did not end */
	bool going_on; /* it has no end, and a controller holds the file */
};

struct report_chain {
	bool checked, intact;
	uint64_t entries;
	char text[ERR_TEXT_MAX]; /* what does not fit */
};

struct report {
	/* of the query */
	int64_t now_ms;
	char *asked; /* a tenant, or "" */
	enum report_lang lang;
	char *state_file, *holder; /* "" where not given */
	int width;
	bool colour;

	struct rows rows;
	char *procedure;
	struct report_title title;
	struct report_step *steps;
	size_t steps_n;
	struct report_tenant **tenants; /* what needs a person first: half-switched, failed, … done; then by id */
	size_t tenants_n;
	size_t by_state[TENANT_STATES]; /* of tenants that are not withdrawn */
	size_t withdrawn_n;
	size_t rows_by_state[STEP_STATES];
	struct report_run *runs; /* in order */
	size_t runs_n;
	struct report_debt *debts; /* oldest first */
	size_t debts_n;
	struct report_cause *causes; /* most rows first within a kind; see cause.h */
	size_t causes_n;
	struct report_chain chain;
	int64_t revision;
	char *inventory; /* path of the inventory's first file, "" where the state file has none */
	char revision_sha256[SHA256_HEX_MAX];
	int offset_min; /* that most tenants have: for times that belong to no tenant */
};

/* brief: without events, chain and blobs, for status. */
int report_load_depth(const struct report_query *query, bool brief, struct report **out, struct err *err);

/* For a tenant that the state file does not know: E_NOTFOUND, and the names that are near. Or why it cannot be read. */
int tenant_unknown(struct journal_reader *reader, const char *tenant, struct err *err);

/* The last run, or NULL. */
const struct report_run *report_last_run(const struct report *report);

/* The title in a language; English, or the name, where there is none. */
const char *report_step_title(const struct report_row *row, bool japanese);
const char *report_title_in(const struct report_title *title, bool japanese, const char *otherwise);

/* What is not proved of a row that is verified or unchanged, for all that; NULL: nothing. */
const char *report_not_proved(const struct report_row *row, bool japanese);

/* The tenant's name, or its id where it has none. */
const char *report_tenant_name(const struct report_tenant *tenant);

/* who does the step: "us", "customer", "isp". */
const char *report_row_who(const struct report_row *row, char who[16]);

/* What a person does of the row; English where there is no other. NULL: nothing is known of it. */
const char *report_instruction(const struct report_row *row, bool japanese);

/* What a person said, out of a JOURNAL_PERSON entry's data; all "" for NULL. The evidence reads "proof.png, 9 bytes, SHA-256
   e3b0c44298fc". */
struct report_person {
	char *result, *by, *note, *os_user, *ssh_origin, *evidence;
	char *evidence_name; /* "proof.png": what its file was called */
};
void report_person_of(const struct report_event *event, struct report_person *out);
void report_person_release(struct report_person *person);

/* What the run's end says beyond its exit code's meaning; "" for nothing. */
const char *report_run_text(const struct report_run *run);

/* What an exit code of run and resume means. "" for an unknown one. */
const char *report_exit_meaning(int exit, enum report_lang lang);

#endif
