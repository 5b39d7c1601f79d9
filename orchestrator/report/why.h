/*
 * `cutover why TENANT`: why each row that is not done is where it is, and what would move it, in plain words: the window
 * that comes next by the tenant's own time, the person and the exact command, the failure and what to do about it.
 */
#ifndef REPORT_WHY_H
#define REPORT_WHY_H

#include "report/report.h"

/* Reads and adds the text to `out`. query->tenant is required (E_INVAL without); else errors as report_load. */
int why_text(const struct report_query *query, struct buf *out, struct err *err);

#endif
