/*
 * What would move a row that is not done: the sentence and the commands, in plain words. Used by why, and by the report
 * beside each open row.
 */
#ifndef REPORT_NEXT_H
#define REPORT_NEXT_H

#include "report/cause.h"

/* Why it is where it is: its own text, or what its state means where it has none. */
void next_reason(const struct report *report, const struct report_row *row, struct buf *out);

/* The same for the text formats: what a person was asked to do is told in the report's language. */
void next_told(const struct report *report, const struct report_row *row, struct buf *out);

/* What a person does of it in that language, where she is asked or no agent can and the reason does not say it already. */
void next_instruction(const struct report_row *row, bool japanese, struct buf *out);

/* "not proved: …" of a row that is done for all that; nothing else. */
void next_not_proved(const struct report *report, const struct report_row *row, struct buf *out);

/* What would move it: one or more sentences; nothing for a row that is done. */
void next_move(const struct report *report, const struct report_row *row, struct buf *out);

/* That a confirmation of it does not count yet, and from when on it does; nothing where it does. */
void next_early(const struct report *report, const struct report_row *row, struct buf *out);

/* What to type for that, a line each; nothing where nothing can be typed. */
void next_commands(const struct report *report, const struct report_row *row, struct buf *out);

/* "a window is open until …", "the next window begins …", "no window is left …", by the tenant's own time. */
void next_window(const struct report *report, const struct report_tenant *tenant, struct buf *out);

/* "not in this version: AGENT": the agent's name, or NULL for another text. */
const char *next_missing(const struct report_row *row);

/* The row of the last step of phase switch that keeps the tenant half-switched; NULL: none. */
const struct report_row *next_open_last_switch(const struct report_tenant *tenant);

/* The row that tells best where the tenant stands: the most urgent that is not done; NULL: all are. */
const struct report_row *next_headline(const struct report_tenant *tenant);

#endif
