/*
 * The parts that the text formats share: what a person wants to know first, in the order of urgency. Each adds whole
 * lines, and nothing where there is nothing to say. Colours only where the query allows them.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "report/cause.h"

enum text_style { TEXT_PLAIN, TEXT_BOLD, TEXT_DIM, TEXT_RED, TEXT_GREEN, TEXT_YELLOW, TEXT_CYAN };

/* The sequence that begins a style, "" without colour. TEXT_PLAIN ends it. */
const char *text_style(const struct report *report, enum text_style style);

/* The colour of a state. */
enum text_style text_style_of(enum step_state state);
enum text_style text_style_of_tenant(enum tenant_state state);

/* "6 tenants: 1 half_switched, …" and "24 rows: …". */
void summary_counts(const struct report *report, struct buf *out);
/* The last run: since when, by whom, whether it goes on, how it ended and what that means. */
void summary_run(const struct report *report, size_t indent, struct buf *out);
void summary_debts(const struct report *report, struct buf *out);
void summary_half_switched(const struct report *report, struct buf *out);
/* Failures by cause with what to do; `targets`: so many are named of each. */
void summary_failures(const struct report *report, size_t targets, struct buf *out);
void summary_persons(const struct report *report, size_t targets, struct buf *out);
/* One line for each thing that is waited for. */
void summary_waiting(const struct report *report, struct buf *out);

/* A heading of its own line, in capitals where the language has them. */
void summary_heading(const struct report *report, enum text_style style, const char *text, struct buf *out);

/* "    $ command" for each line of `commands`. */
void summary_commands(const struct report *report, const char *commands, size_t indent, struct buf *out);

/* A line of one style; what does not fit into the first goes on below, at `indent` + 4. */
void summary_line(const struct report *report, enum text_style style, const char *text, size_t indent, struct buf *out);

/* A text from the journal in lines of the report's width, from column `indent` on. */
void summary_paragraph(const struct report *report, const char *text, size_t indent, struct buf *out);

/* The text of an open debt, for summary_line. */
void summary_debt_text(const struct report *report, const struct report_row *row, const struct row_debt *debt,
		       struct buf *out);

#endif
