#include "report/worksheet.h"

#include "base/clock.h"
#include "report/escape.h"
#include "report/next.h"

static const char head[] = "\xef\xbb\xbf"
			   "tenant,name,step,target,owner,state,from,due,instruction,result,by,note,evidence\r\n";

static void cell(struct buf *out, const char *text)
{
	escape_csv(out, text);
	buf_addc(out, ',');
}

static void cell_time(struct buf *out, int64_t wall_ms, int offset_min)
{
	char text[TIME_TEXT_MAX];

	cell(out, wall_ms ? time_format(wall_ms, offset_min, text) : "");
}

static void line(const struct report *r, const struct todo_item *item, struct buf *out)
{
	const struct report_row *row = item->row;
	const struct report_tenant *t = row->tenant;
	const char *instruction = report_instruction(row, t->japanese);
	struct buf reason = BUF_INIT;

	if (!instruction)
		next_reason(r, row, &reason);
	cell(out, t->id);
	cell(out, report_tenant_name(t));
	cell(out, row->row->step);
	cell(out, row->row->target);
	cell(out, item->owner);
	cell(out, step_state_name(row->row->state));
	cell_time(out, item->due.from_ms, t->offset_min);
	cell_time(out, item->due.by_ms, t->offset_min);
	cell(out, instruction ? instruction : buf_str(&reason));
	buf_adds(out, ",,,\r\n");
	buf_release(&reason);
}

static int check_step(const struct report *r, const char *step, struct err *err)
{
	struct buf known = BUF_INIT;

	for (size_t i = 0; i < r->steps_n; i++) {
		if (strcmp(r->steps[i].name, step) == 0) {
			buf_release(&known);
			return 0;
		}
		buf_addf(&known, "%s%s", i ? ", " : "", r->steps[i].name);
	}
	err_set(err, E_NOTFOUND, "there is no step '%s'; the procedure has %s", step, buf_str(&known));
	buf_release(&known);
	return E_NOTFOUND;
}

int worksheet_csv(const struct report_query *query, const struct todo_filter *f, struct buf *out, size_t *rows_n,
		  struct err *err)
{
	struct todo_filter filter = *f;
	struct report *r;
	struct todo todo;
	int rc;

	filter.confirmable = true;
	rc = todo_load(query, &filter, &r, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < f->steps_n && rc == 0; i++)
		rc = check_step(r, f->steps[i], err);
	todo_collect(r, &filter, &todo);
	buf_adds(out, head);
	for (size_t i = 0; i < todo.n; i++)
		line(r, &todo.at[i], out);
	*rows_n = todo.n;
	todo_release(&todo);
	report_free(r);
	return rc || !out->truncated ? rc : err_set(err, E_LIMIT, "the sheet is too large: ask with --tenant or --owner");
}
