#include "report/status.h"

#include "base/alloc.h"
#include "report/escape.h"
#include "report/next.h"
#include "report/summary.h"
#include "report/words.h"

/* More tenants than that are not listed: what needs somebody stands first, the rest is counted. */
#define TENANTS_SHOWN 200
#define TARGETS_SHOWN 8

/* A table: what each column is called, how wide it is; the last one takes what is left of the line. */
struct column {
	const char *title;
	size_t width;
};

static size_t longest(size_t width, const char *text, size_t most)
{
	size_t columns = text_columns(text);

	if (columns > most)
		columns = most;
	return columns > width ? columns : width;
}

static void table_head(const struct report *r, const struct column *columns, size_t n, struct buf *out)
{
	buf_addf(out, "\n%s", text_style(r, TEXT_BOLD));
	for (size_t i = 0; i < n; i++) {
		escape_cell(out, columns[i].title, columns[i].width, i + 1 < n);
		buf_adds(out, i + 1 < n ? "  " : "");
	}
	buf_addf(out, "%s\n", text_style(r, TEXT_PLAIN));
}

/* What a text column is never narrower than, and what the last one shall have. */
#define NARROWEST 8
#define LAST_WIDTH 24

static size_t width_used(const struct column *columns, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i + 1 < n; i++)
		used += columns[i].width + 2;
	return used;
}

/* The last column gets what the others leave; of these the widest of the first `soft` give way. */
static void fit_last(const struct report *r, struct column *columns, size_t n, size_t soft)
{
	size_t width = (size_t)r->width;

	while (width_used(columns, n) + LAST_WIDTH > width) {
		size_t widest = 0;

		for (size_t i = 1; i < soft; i++)
			if (columns[i].width > columns[widest].width)
				widest = i;
		if (columns[widest].width <= NARROWEST)
			break;
		columns[widest].width--;
	}
	columns[n - 1].width = width_used(columns, n) < width ? width - width_used(columns, n) : 1;
}

/* On a narrow terminal the year goes without saying. */
static bool is_narrow(const struct report *r)
{
	return r->width < 100;
}

static size_t time_width(const struct report *r)
{
	return is_narrow(r) ? 11 : 16;
}

static void time_cell(const struct report *r, int64_t wall_ms, int offset_min, struct buf *out)
{
	char when[WHEN_MAX];

	when_day(wall_ms, offset_min, when);
	escape_cell(out, is_narrow(r) && wall_ms ? when + 5 : when, time_width(r), true);
	buf_adds(out, "  ");
}

static void styled_cell(const struct report *r, enum text_style style, const char *text, size_t width, struct buf *out)
{
	buf_adds(out, text_style(r, style));
	escape_cell(out, text, width, true);
	buf_addf(out, "%s  ", text_style(r, TEXT_PLAIN));
}

/* ---- tenants ---------------------------------------------------------------------------------------------------- */

/* "7/15" */
static void progress_text(const struct report_tenant *t, char *out, size_t size)
{
	size_t done = 0;

	for (int s = 0; s < STEP_STATES; s++)
		done += step_state_is_done((enum step_state)s) ? t->by_state[s] : 0;
	snprintf(out, size, "%zu/%zu", done, t->rows_n - t->by_state[STEP_WITHDRAWN]);
}

static void tenant_line(const struct report *r, const struct column *columns, const struct report_tenant *t,
			struct buf *out)
{
	const struct report_row *row = next_headline(t);
	struct buf note = BUF_INIT;
	char progress[32];

	escape_cell(out, t->id, columns[0].width, true);
	buf_adds(out, "  ");
	styled_cell(r, text_style_of_tenant(t->state), t->withdrawn ? "withdrawn" : tenant_state_name(t->state),
		    columns[1].width, out);
	progress_text(t, progress, sizeof(progress));
	escape_cell(out, progress, columns[2].width, true);
	buf_adds(out, "  ");
	time_cell(r, t->last_ms, t->offset_min, out);
	if (t->debts_n)
		buf_addf(&note, "DOWN: %zu; ", t->debts_n);
	if (row)
		buf_addf(&note, "%s %s %s: ", row->row->step, row->row->target, step_state_name(row->row->state));
	if (row)
		next_reason(r, row, &note);
	escape_cell(out, buf_str(&note), columns[4].width, false);
	buf_addc(out, '\n');
	buf_release(&note);
}

static void tenants_more(const struct report *r, size_t shown, struct buf *out)
{
	buf_addf(out,
		 in_lang(r->lang,
			 "… and %zu more tenants (`cutover status TENANT` tells of one, `cutover report` of all)\n",
			 "… 他 %zu テナント (個別には cutover status TENANT、全件は cutover report)\n"),
		 r->tenants_n - shown);
}

static void tenants_table(const struct report *r, struct buf *out)
{
	struct column columns[] = {
		{ in_lang(r->lang, "TENANT", "テナント"), 8 },	 { in_lang(r->lang, "STATE", "状態"), 5 },
		{ in_lang(r->lang, "DONE", "完了"), 5 },	 { in_lang(r->lang, "LAST", "最終"), time_width(r) },
		{ in_lang(r->lang, "WHAT IS LEFT", "残り"), 0 },
	};
	size_t n = r->tenants_n < TENANTS_SHOWN ? r->tenants_n : TENANTS_SHOWN;

	for (size_t i = 0; i < n; i++) {
		const struct report_tenant *t = r->tenants[i];
		const char *state = t->withdrawn ? "withdrawn" : tenant_state_name(t->state);

		columns[0].width = longest(columns[0].width, t->id, 24);
		columns[1].width = longest(columns[1].width, state, 16);
	}
	fit_last(r, columns, ARRAY_LEN(columns), 1);
	table_head(r, columns, ARRAY_LEN(columns), out);
	for (size_t i = 0; i < n; i++)
		tenant_line(r, columns, r->tenants[i], out);
	if (n < r->tenants_n)
		tenants_more(r, n, out);
}

/* ---- one tenant's rows ------------------------------------------------------------------------------------------ */

static void row_line(const struct report *r, const struct column *columns, const struct report_row *row,
		     struct buf *out)
{
	const struct row *x = row->row;
	char attempt[16];

	escape_cell(out, x->step, columns[0].width, true);
	buf_adds(out, "  ");
	escape_cell(out, x->target, columns[1].width, true);
	buf_adds(out, "  ");
	styled_cell(r, text_style_of(x->state), step_state_name(x->state), columns[2].width, out);
	snprintf(attempt, sizeof(attempt), "%d", x->attempt);
	escape_cell(out, x->attempt ? attempt : "–", columns[3].width, true);
	buf_adds(out, "  ");
	time_cell(r, x->since_ms, row->tenant->offset_min, out);
	escape_cell(out, x->text ? x->text : "", columns[5].width, false);
	buf_addc(out, '\n');
	for (size_t i = 0; i < x->debts_n; i++) {
		struct buf line = BUF_INIT;

		buf_addf(&line, "%s ", in_lang(r->lang, "DOWN:", "未復旧:"));
		summary_debt_text(r, row, &x->debts[i], &line);
		summary_line(r, TEXT_RED, buf_str(&line), 2, out);
		buf_release(&line);
	}
}

static void rows_table(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	struct column columns[] = {
		{ in_lang(r->lang, "STEP", "手順"), 4 },
		{ in_lang(r->lang, "TARGET", "対象"), 6 },
		{ in_lang(r->lang, "STATE", "状態"), 5 },
		{ in_lang(r->lang, "TRY", "試行"), 4 },
		{ in_lang(r->lang, "SINCE", "時刻"), time_width(r) },
		{ in_lang(r->lang, "WHAT", "内容"), 0 },
	};

	for (size_t i = 0; i < t->rows_n; i++) {
		columns[0].width = longest(columns[0].width, t->rows[i]->row->step, 22);
		columns[1].width = longest(columns[1].width, t->rows[i]->row->target, 28);
		columns[2].width = longest(columns[2].width, step_state_name(t->rows[i]->row->state), 14);
	}
	fit_last(r, columns, ARRAY_LEN(columns), 2);
	table_head(r, columns, ARRAY_LEN(columns), out);
	for (size_t i = 0; i < t->rows_n; i++)
		row_line(r, columns, t->rows[i], out);
}

static void tenant_head(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	struct buf line = BUF_INIT;

	buf_adds(&line, t->id);
	if (strcmp(report_tenant_name(t), t->id) != 0)
		buf_addf(&line, "  %s", t->name);
	buf_addf(&line, ": %s (%s)", t->withdrawn ? "withdrawn" : tenant_state_name(t->state),
		 t->withdrawn ? word_step_state_meaning(STEP_WITHDRAWN, r->lang)
			      : word_tenant_state_meaning(t->state, r->lang));
	summary_line(r, text_style_of_tenant(t->state), buf_str(&line), 0, out);
	buf_clear(&line);
	next_window(r, t, &line);
	summary_paragraph(r, buf_str(&line), 0, out);
	buf_release(&line);
}

int status_text(const struct report_query *query, struct buf *out, struct err *err)
{
	struct report *r;
	int rc = report_load_depth(query, true, &r, err);

	if (rc < 0)
		return rc;
	summary_counts(r, out);
	summary_run(r, 0, out);
	summary_debts(r, out);
	summary_half_switched(r, out);
	summary_failures(r, TARGETS_SHOWN, out);
	summary_persons(r, TARGETS_SHOWN, out);
	if (query->tenant) {
		buf_addc(out, '\n');
		tenant_head(r, r->tenants[0], out);
		rows_table(r, r->tenants[0], out);
	} else if (r->tenants_n) {
		tenants_table(r, out);
	}
	report_free(r);
	return 0;
}
