/*
 * The worksheet: what has to be confirmed of some steps, as one sheet for spreadsheets, a row for each target, that
 * `cutover confirm --from` reads when it is filled in (engine/sheet.h). RFC 4180 with a head line, CRLF, UTF-8 with a byte
 * order mark: without one Excel takes the file for the code page of the machine, and Japanese is lost; the reader does not
 * mind. (report.csv has none: it is for scripts.) Cells that a spreadsheet would take for formulas are guarded (base/csv.h).
 *
 *   tenant, name        the customer's id and name
 *   step, target        what it is about
 *   owner               us, customer, isp
 *   state               as it stands now
 *   from, due           from when on and by when (due.h), RFC 3339 with the tenant's offset; empty: any time, no date
 *   instruction         what to do, in the tenant's language
 *   result, by, note, evidence   to be filled in: ok, wrong or not-needed; who says so; free text; a file beside the sheet
 *
 * tenant, step and target say which row it is and have to stay as they are.
 */
#ifndef REPORT_WORKSHEET_H
#define REPORT_WORKSHEET_H

#include "report/todo.h"

/* filter->steps says which steps; *rows_n is how many rows it has. E_NOTFOUND: a tenant or a step is not in the state file. */
int worksheet_csv(const struct report_query *query, const struct todo_filter *filter, struct buf *out, size_t *rows_n,
		  struct err *err);

#endif
