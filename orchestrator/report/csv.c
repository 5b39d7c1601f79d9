/*
 * A line for each row, for spreadsheets and scripts: RFC 4180 (CRLF, quotes doubled, a head line), UTF-8 without a
 * mark. Times are RFC 3339 with the tenant's offset. Several changes of a row stand in one cell, with " | " between
 * them.
 */
#include "report/report.h"

#include "base/clock.h"
#include "report/changes.h"
#include "report/escape.h"
#include "report/model.h"

static const char head[] =
	"tenant,name,wave,change_id,tenant_state,step,vendor_step,phase,target,state,attempt,code,text,"
	"first,since,finished,until,run,item,before,after,before_sha256,after_sha256,change,open_debts,"
	"confirmed_by,note,not_proved\r\n";

static void cell(struct buf *out, const char *text)
{
	escape_csv(out, text ? text : "");
	buf_addc(out, ',');
}

static void cell_time(struct buf *out, int64_t wall_ms, int offset_min)
{
	char text[TIME_TEXT_MAX];

	buf_addf(out, "%s,", wall_ms ? time_format(wall_ms, offset_min, text) : "");
}

/* ---- changes ---------------------------------------------------------------------------------------------------- */

enum part { PART_ITEM, PART_BEFORE, PART_AFTER, PART_BEFORE_SHA, PART_AFTER_SHA, PART_FATE, PARTS };

/* The value itself where it is one edit, else the line. */
static const char *value_of(const struct change_seen *c, bool after)
{
	if (c->edits_n == 1)
		return after ? c->edits[0].new_text : c->edits[0].old_text;
	return after ? c->new_line : c->old_line;
}

static const char *part_of(const struct report_row *row, const struct change_seen *c, enum part part)
{
	static const char *const fates[] = { "planned", "made", "undone" };

	switch (part) {
	case PART_ITEM:
		return *c->what ? c->what : c->item;
	case PART_BEFORE:
		return value_of(c, false);
	case PART_AFTER:
		return value_of(c, true);
	case PART_BEFORE_SHA:
		return c->before_sha256;
	case PART_AFTER_SHA:
		return c->after_sha256;
	case PART_FATE:
		return fates[changes_fate(row, c)];
	case PARTS:
		break;
	}
	return "";
}

static void change_cells(struct buf *out, const struct report_row *row)
{
	struct changes c;

	changes_parse(&c, row->changes ? row->changes->data : "");
	for (int part = 0; part < PARTS; part++) {
		struct buf joined = BUF_INIT;

		for (size_t i = 0; i < c.n; i++)
			buf_addf(&joined, "%s%s", i ? " | " : "", part_of(row, &c.at[i], (enum part)part));
		cell(out, buf_str(&joined));
		buf_release(&joined);
	}
	changes_release(&c);
}

/* ---- people ----------------------------------------------------------------------------------------------------- */

/* Who confirmed it last, and what they noted. */
static void person_cells(struct buf *out, const struct report_row *row)
{
	const struct report_event *last = NULL;
	struct report_person person;

	for (size_t i = 0; i < row->events.n; i++)
		if (row->events.at[i]->kind == JOURNAL_PERSON)
			last = row->events.at[i];
	report_person_of(last, &person);
	cell(out, person.by);
	cell(out, person.note);
	report_person_release(&person);
}

static void line(struct buf *out, const struct report_row *row)
{
	const struct report_tenant *t = row->tenant;
	const char *not_proved = report_not_proved(row, t->japanese);
	const struct row *x = row->row;

	cell(out, t->id);
	cell(out, report_tenant_name(t));
	cell(out, t->wave);
	cell(out, t->change_id);
	cell(out, tenant_state_name(t->state));
	cell(out, x->step);
	cell(out, row->step ? row->step->vendor : "");
	cell(out, row->step ? phase_name(row->step->phase) : "");
	cell(out, x->target);
	cell(out, step_state_name(x->state));
	buf_addf(out, "%d,", x->attempt);
	cell(out, x->code);
	cell(out, x->text);
	cell_time(out, x->first_ms, t->offset_min);
	cell_time(out, x->since_ms, t->offset_min);
	cell_time(out, x->finished_ms, t->offset_min);
	cell_time(out, x->until_ms, t->offset_min);
	buf_addf(out, "%lld,", (long long)x->run);
	change_cells(out, row);
	buf_addf(out, "%zu,", x->debts_n);
	person_cells(out, row);
	escape_csv(out, not_proved ? not_proved : "");
	buf_adds(out, "\r\n");
}

int report_csv(const struct report *r, struct buf *out, struct err *err)
{
	if (!out->max)
		out->max = REPORT_MAX_BYTES;
	buf_adds(out, head);
	for (size_t i = 0; i < r->tenants_n; i++)
		for (size_t k = 0; k < r->tenants[i]->rows_n; k++)
			line(out, r->tenants[i]->rows[k]);
	return out->truncated
		       ? err_set(err, E_LIMIT, "the CSV report is larger than %zu bytes: ask for one tenant at a time",
				 out->max)
		       : 0;
}
