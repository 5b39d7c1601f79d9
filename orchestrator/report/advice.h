/*
 * What to do about a failure, for an operator at 02:13: one table, a row for each class (state and code). Plain
 * sentences, and the commands to type. The classes are those of base/err.h; nothing here knows a vendor.
 */
#ifndef REPORT_ADVICE_H
#define REPORT_ADVICE_H

#include "report/cause.h"

/* What can be typed; advice_commands fills the names in. */
enum advice_command {
	ADVICE_NONE,
	ADVICE_RUN_FAILED,	/* cutover resume --only failed … */
	ADVICE_RUN_UNREACHABLE, /* cutover resume --only unreachable … */
	ADVICE_RUN_EDITED,	/* cutover run INVENTORY --only failed …: after the inventory was corrected */
	ADVICE_RESUME,		/* cutover resume */
	ADVICE_RUN_NAMED,	/* cutover resume --tenant … --step …: brings what was rolled back to run again */
	ADVICE_CONFIRM,		/* cutover confirm TENANT STEP --target KEY --result ok --by NAME */
};

#define ADVICE_COMMANDS_MAX 2

struct advice {
	int state;	  /* enum step_state, or -1: any */
	const char *code; /* err_name, or NULL: any */
	const char *title[2]; /* by enum report_lang */
	const char *what[2];
	const char *line; /* of a file, to be copied as it stands; or NULL */
	enum advice_command commands[ADVICE_COMMANDS_MAX];
};

/* The row that fits best; never NULL. code may be "". */
const struct advice *advice_find(enum step_state state, const char *code);

/* The commands of an advice, one a line ("\n" ends each), for the rows of a cause; for one tenant where it is given. */
void advice_commands(const struct report *report, const struct advice *advice, const struct report_cause *cause,
		     const struct report_row *row, struct buf *out);

/* "cutover resume", with --state where the operator has to say it. Adds no newline. */
void advice_resume(const struct report *report, struct buf *out);

/* " --state FILE" where the operator has to say it. */
void advice_state(const struct report *report, struct buf *out);

/* "cutover confirm acme mx --target domain:acme.example --result ok --by NAME" */
void advice_confirm(const struct report *report, const struct report_row *row, const char *result, struct buf *out);

/* A word as a shell takes it: quoted where it must be. */
void advice_quote(struct buf *out, const char *word);

#endif
