/*
 * Rows grouped by the reason why they stand where they stand. Two hundred hosts that fail for one reason are one thing to
 * do, not two hundred. The signature of a row is its state, code and step, and its text with all that differs from
 * host to host (names, addresses, paths, quoted values, numbers, hashes) replaced by a word for it.
 */
#ifndef REPORT_CAUSE_H
#define REPORT_CAUSE_H

#include "report/model.h"

/* In the order in which a person wants to know of them. */
enum cause_kind {
	CAUSE_FAILURE, /* failed, drift, unreachable, indeterminate, rolled_back */
	CAUSE_PERSON,  /* needs_person */
	CAUSE_PROOF,   /* applied: done, not proved */
	CAUSE_WAITING, /* waiting */
	CAUSE_BLOCKED, /* blocked */
	CAUSE_PENDING, /* pending: not begun */
	CAUSE_RUNNING, /* running */
	CAUSE_KINDS
};

struct report_cause {
	enum cause_kind kind;
	enum step_state state;
	const char *code, *step; /* of the first row */
	const struct report_step *about; /* or NULL */
	char *text;		 /* the rows' text; where they differ, what they have in common */
	bool same_text;
	const struct report_row **rows; /* in the order of the tenants */
	size_t rows_n, tenants_n;
};

/* Fills report->causes. Called once, by report_load, when the tenants are in order. */
void causes_find(struct report *report);
void causes_free(struct report *report);

/* The kind of a state; CAUSE_KINDS for one that is done or withdrawn. */
enum cause_kind cause_kind_of(enum step_state state);

/* The number of rows of a kind, over all its causes. */
size_t causes_rows(const struct report *report, enum cause_kind kind);

/* The text without what differs from host to host. `tenant` and `host` are names to be replaced, "" for none. */
void cause_normalise(struct buf *out, const char *text, const char *tenant, const char *host);

#endif
