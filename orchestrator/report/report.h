/*
 * The report: what was done for whom, when, with what outcome, and what is left to do. Everything is made from the state
 * file alone (journal/journal.h), beside a running controller too; no host is contacted and nothing is written to it.
 *
 *     journal ──report_load──► struct report ──► report_text    for the terminal and for mail
 *                                            ──► report_json    schema/report.v1.schema.json
 *                                            ──► report_csv     RFC 4180, a line for each row
 *                                            ──► report_html    one self-contained file
 *                                            ──► status_text    (status.h)    ──► why_text (why.h)
 *
 * Texts in the journal are redacted already (base/redact.h) but come from hosts: each format escapes for its own sink
 * (escape.h). The same report gives the same bytes: what is "now" is part of the query.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/buf.h"
#include "base/err.h"
#include "journal/journal.h"

#include <stdbool.h>
#include <stdint.h>

/* What a report may grow to: ten thousand tenants of fifteen rows need about 115 MB of JSON, 25 MB of HTML. */
#define REPORT_MAX_BYTES ((size_t)1 << 30)

/* The language of headings and advice. Titles of steps follow the tenant's own language. */
enum report_lang { REPORT_EN, REPORT_JA };

/* What is asked. A zeroed query with reader and now_ms asks for everything, in English. Nothing is kept of it. */
struct report_query {
	struct journal_reader *reader;
	int64_t now_ms;		/* what "next window" and "for 3 min" are counted from */
	const char *tenant;	/* one tenant, or NULL: all */
	enum report_lang lang;
	const char *state_file; /* its path as the operator typed it, for the commands that are shown; or NULL: "cutover.db" */
	const char *holder;	/* journal_lock_holder's text while a controller holds the file, else NULL: then a run without
				   an end was killed */
	bool verify;		/* recompute the hash chains (report yes; status no: it reads each byte of the file) */
	int width;		/* columns of the terminal for status; 0: 120 */
	bool colour;		/* ANSI colours in text */
};

struct report;

/* Reads the state file. E_NOTFOUND: no such tenant in it (the text names the nearest ones); E_CORRUPT: it cannot be
   folded; else what journal_read says. A broken hash chain is no error here: it is in the report, in its first lines. */
int report_load(const struct report_query *query, struct report **out, struct err *err);
void report_free(struct report *report);

/* Each adds the whole document to `out`. A buffer whose max is 0 gets REPORT_MAX_BYTES. E_LIMIT: it did not fit, and
   what is in the buffer is not to be used. */
int report_text(const struct report *report, struct buf *out, struct err *err);
int report_json(const struct report *report, struct buf *out, struct err *err);
int report_csv(const struct report *report, struct buf *out, struct err *err);
int report_html(const struct report *report, struct buf *out, struct err *err);

#endif
