#include "report/why.h"

#include "base/alloc.h"
#include "report/advice.h"
#include "report/escape.h"
#include "report/next.h"
#include "report/summary.h"
#include "report/words.h"

/* Nothing to say of these: done, or no longer there. */
static bool is_over(const struct report_row *row)
{
	return step_state_is_done(row->row->state) || row->row->state == STEP_WITHDRAWN;
}

static void head(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	struct buf window = BUF_INIT;

	buf_adds(out, text_style(r, TEXT_BOLD));
	escape_line(out, t->id);
	if (*t->name && strcmp(t->name, t->id) != 0) {
		buf_adds(out, "  ");
		escape_line(out, t->name);
	}
	buf_addf(out, ": %s%s\n", t->withdrawn ? "withdrawn" : tenant_state_name(t->state), text_style(r, TEXT_PLAIN));
	summary_paragraph(r,
			  t->withdrawn ? word_step_state_meaning(STEP_WITHDRAWN, r->lang)
				       : word_tenant_state_meaning(t->state, r->lang),
			  2, out);
	next_window(r, t, &window);
	summary_paragraph(r, buf_str(&window), 2, out);
	buf_release(&window);
	summary_run(r, 2, out);
}

static void row_head(const struct report *r, const struct report_row *row, struct buf *out)
{
	const struct row *x = row->row;
	char when[WHEN_MAX];

	buf_addf(out, "\n%s", text_style(r, text_style_of(x->state)));
	escape_line(out, x->step);
	buf_addc(out, ' ');
	escape_line(out, x->target);
	buf_addf(out, ": %s%s", step_state_name(x->state), text_style(r, TEXT_PLAIN));
	buf_addf(out, in_lang(r->lang, " since %s", " %s から"), when_full(x->since_ms, row->tenant->offset_min, when));
	if (x->attempt > 1)
		buf_addf(out, in_lang(r->lang, ", attempt %d", "、試行 %d 回"), x->attempt);
	buf_addc(out, '\n');
}

static void row_title(const struct report *r, const struct report_row *row, struct buf *out)
{
	const char *title = report_step_title(row, r->lang == REPORT_JA);

	if (strcmp(title, row->row->step) == 0)
		return;
	buf_adds(out, "  ");
	escape_line(out, title);
	if (row->step && *row->step->vendor) {
		buf_adds(out, in_lang(r->lang, " (the vendor's step ", " (ベンダ手順 "));
		escape_line(out, row->step->vendor);
		buf_addc(out, ')');
	}
	buf_addc(out, '\n');
}

static void explain(const struct report *r, const struct report_row *row, struct buf *out)
{
	struct buf text = BUF_INIT;

	row_head(r, row, out);
	row_title(r, row, out);
	next_told(r, row, &text);
	summary_paragraph(r, buf_str(&text), 2, out);
	buf_clear(&text);
	next_instruction(row, r->lang == REPORT_JA, &text);
	if (text.len)
		summary_paragraph(r, buf_str(&text), 2, out);
	buf_clear(&text);
	next_move(r, row, &text);
	if (text.len)
		summary_paragraph(r, buf_str(&text), 2, out);
	buf_clear(&text);
	next_commands(r, row, &text);
	summary_commands(r, buf_str(&text), 4, out);
	buf_release(&text);
}

/* What stands where it stands for the same words is said once; so is all that this version does not have. */
static bool same_reason(const struct report_row *a, const struct report_row *b)
{
	const char *x = a->row->text ? a->row->text : "", *y = b->row->text ? b->row->text : "";

	if (a->row->state != b->row->state)
		return false;
	return (next_missing(a) && next_missing(b)) || strcmp(x, y) == 0;
}

/* Blocked, waiting and not begun: a line each, but for what a person can do with what she is told. */
static bool is_short(const struct report_row *row)
{
	if (next_missing(row) && report_instruction(row, false))
		return false;
	return row->row->state == STEP_BLOCKED || row->row->state == STEP_WAITING || row->row->state == STEP_PENDING;
}

/* The names of a group's rows, and what to type for those that are a person's to do: of the others one command moves
   all. Marks them as told. */
static void gather(const struct report *r, const struct report_tenant *t, size_t first, bool *told, struct buf *names,
		   struct buf *commands)
{
	const struct report_row *row = t->rows[first];

	for (size_t i = first; i < t->rows_n; i++) {
		if (told[i] || is_over(t->rows[i]) || !same_reason(row, t->rows[i]))
			continue;
		told[i] = true;
		buf_addf(names, "%s%s", i == first ? "" : ", ", t->rows[i]->row->step);
		if (strcmp(t->rows[i]->row->target, "tenant") != 0)
			buf_addf(names, " %s", t->rows[i]->row->target);
		if (next_missing(row))
			buf_addf(names, " (%s)", next_missing(t->rows[i]));
		if (next_missing(row) || i == first)
			next_commands(r, t->rows[i], commands);
	}
}

static void group(const struct report *r, const struct report_tenant *t, size_t first, bool *told, struct buf *out)
{
	const struct report_row *row = t->rows[first];
	struct buf text = BUF_INIT, commands = BUF_INIT;

	buf_addf(&text, "%s: ", step_state_name(row->row->state));
	gather(r, t, first, told, &text, &commands);
	buf_addc(out, '\n');
	summary_paragraph(r, buf_str(&text), 0, out);
	buf_clear(&text);
	if (!next_missing(row))
		next_reason(r, row, &text);
	if (text.len)
		summary_paragraph(r, buf_str(&text), 2, out);
	buf_clear(&text);
	next_move(r, row, &text);
	if (text.len)
		summary_paragraph(r, buf_str(&text), 2, out);
	summary_commands(r, buf_str(&commands), 4, out);
	buf_release(&text);
	buf_release(&commands);
}

static void done_line(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	size_t done = 0, all = t->rows_n - t->by_state[STEP_WITHDRAWN];
	const char *comma = ": ";

	for (int s = 0; s < STEP_STATES; s++)
		done += step_state_is_done((enum step_state)s) ? t->by_state[s] : 0;
	buf_addf(out, in_lang(r->lang, "\n%zu of %zu rows are done", "\n%zu / %zu 行が完了"), done, all);
	for (int s = 0; s < STEP_STATES; s++) {
		if (!step_state_is_done((enum step_state)s) || !t->by_state[s])
			continue;
		buf_addf(out, "%s%zu %s", comma, t->by_state[s], step_state_name((enum step_state)s));
		comma = ", ";
	}
	buf_addc(out, '\n');
}

/* Done for all that, so it is told last; once for what is said of several targets. */
static void not_proved(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	const struct report_step *said = NULL;

	for (size_t i = 0; i < t->rows_n; i++) {
		struct buf text = BUF_INIT;

		if (!report_not_proved(t->rows[i], false) || t->rows[i]->step == said)
			continue;
		said = t->rows[i]->step;
		buf_addf(&text, "%s: ", said->name);
		next_not_proved(r, t->rows[i], &text);
		summary_line(r, TEXT_YELLOW, buf_str(&text), 0, out);
		buf_release(&text);
	}
}

static void explain_tenant(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	bool *told = NEW_N(bool, t->rows_n + 1);

	head(r, t, out);
	summary_debts(r, out);
	for (int kind = 0; kind < CAUSE_KINDS; kind++)
		for (size_t i = 0; i < t->rows_n; i++)
			if (!is_short(t->rows[i]) && (int)cause_kind_of(t->rows[i]->row->state) == kind)
				explain(r, t->rows[i], out);
	for (size_t i = 0; i < t->rows_n; i++)
		if (!is_over(t->rows[i]) && is_short(t->rows[i]) && !told[i])
			group(r, t, i, told, out);
	done_line(r, t, out);
	not_proved(r, t, out);
	free(told);
}

int why_text(const struct report_query *query, struct buf *out, struct err *err)
{
	struct report *r;
	int rc;

	if (!query->tenant || !*query->tenant)
		return err_set(err, E_INVAL, "which tenant? `cutover why TENANT`");
	rc = report_load_depth(query, true, &r, err);
	if (rc < 0)
		return rc;
	explain_tenant(r, r->tenants[0], out);
	report_free(r);
	return 0;
}
