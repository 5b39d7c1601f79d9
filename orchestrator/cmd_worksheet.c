/*
 * cutover worksheet: what has to be confirmed of a step, as a sheet to fill in; `confirm --from` reads it.
 */
#include "cmd_todo.h"
#include "reading.h"
#include "report/worksheet.h"
#include "terminal.h"

static int print_sheet(const struct options *o, struct reading *r, struct err *err)
{
	struct buf sheet = { .max = REPORT_MAX_BYTES };
	struct todo_filter filter;
	size_t rows_n = 0;
	int rc;

	todo_filter_of(o, &filter);
	rc = worksheet_csv(&r->query, &filter, &sheet, &rows_n, err);
	if (rc == 0)
		rc = terminal_put(buf_str(&sheet), sheet.len, err);
	if (rc == 0 && rows_n == 0)
		terminal_say("there is nothing to confirm: the sheet has a head line only");
	buf_release(&sheet);
	return rc;
}

int cmd_worksheet(const struct options *o)
{
	struct reading r;
	struct err err = { 0 };
	int rc;

	if (!o->csv) {
		err_set(&err, E_INVAL, "which form? Add --csv (there is no other in this version)");
		return terminal_end(E_INVAL, &err);
	}
	rc = reading_open(o, &r, &err);
	if (rc == 0) {
		rc = print_sheet(o, &r, &err);
		reading_close(&r);
	}
	return terminal_end(rc, &err);
}
