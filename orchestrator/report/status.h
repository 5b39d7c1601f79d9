/*
 * `cutover status`: where everything stands, while a run goes on or after it, for somebody who has ten seconds. First the
 * counts in one line, then what must not be missed (open debts, half-switched tenants, failures by cause with what to
 * do), then a line for each tenant; with query->tenant the rows of that one. Plain text, no line wider than query->width.
 */
#ifndef REPORT_STATUS_H
#define REPORT_STATUS_H

#include "report/report.h"

/* Reads and adds the text to `out`. Errors as report_load. */
int status_text(const struct report_query *query, struct buf *out, struct err *err);

#endif
