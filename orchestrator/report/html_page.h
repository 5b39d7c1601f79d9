/*
 * The sections of the HTML file, one file of code each. Each adds a whole section, or nothing where there is nothing to
 * tell.
 */
#ifndef REPORT_HTML_PAGE_H
#define REPORT_HTML_PAGE_H

#include "report/model.h"

/* html_summary.c: verdict, counts, who and when, runs. */
void html_summary(const struct report *report, struct buf *out);
void html_runs(const struct report *report, struct buf *out);

/* html_todo.c: what is down, what failed and why, what waits. */
void html_todo(const struct report *report, struct buf *out);
void html_waiting(const struct report *report, struct buf *out);

/* html_list.c: a line for each tenant. */
void html_list(const struct report *report, struct buf *out);

/* html_tenant.c: one tenant with everything that was done for it. */
void html_tenant(const struct report *report, const struct report_tenant *tenant, struct buf *out);

/* html_events.c: what happened in a row, and what proves it. `japanese`: of the tenant. */
void html_changes(const struct report *report, const struct report_row *row, struct buf *out);
void html_proof(const struct report *report, const struct report_row *row, struct buf *out);
void html_log(const struct report *report, const struct report_row *row, struct buf *out);

#endif
