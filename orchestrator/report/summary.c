#include "report/summary.h"

#include "base/alloc.h"
#include "report/advice.h"
#include "report/escape.h"
#include "report/next.h"
#include "report/words.h"

const char *text_style(const struct report *r, enum text_style style)
{
	if (!r->colour)
		return "";
	switch (style) {
	case TEXT_PLAIN:
		return "\x1b[0m";
	case TEXT_BOLD:
		return "\x1b[1m";
	case TEXT_DIM:
		return "\x1b[2m";
	case TEXT_RED:
		return "\x1b[1;31m";
	case TEXT_GREEN:
		return "\x1b[32m";
	case TEXT_YELLOW:
		return "\x1b[33m";
	case TEXT_CYAN:
		return "\x1b[36m";
	}
	return "";
}

enum text_style text_style_of(enum step_state state)
{
	if (step_state_is_bad(state))
		return TEXT_RED;
	if (state == STEP_NEEDS_PERSON || state == STEP_APPLIED)
		return TEXT_YELLOW;
	if (state == STEP_RUNNING)
		return TEXT_CYAN;
	if (state == STEP_VERIFIED || state == STEP_CONFIRMED)
		return TEXT_GREEN;
	return TEXT_DIM;
}

enum text_style text_style_of_tenant(enum tenant_state state)
{
	switch (state) {
	case TENANT_HALF_SWITCHED:
	case TENANT_FAILED:
	case TENANT_ROLLED_BACK:
		return TEXT_RED;
	case TENANT_SWITCHING:
		return TEXT_CYAN;
	case TENANT_DONE:
	case TENANT_WATCHING:
		return TEXT_GREEN;
	case TENANT_READY:
	case TENANT_NOT_READY:
	case TENANT_STATES:
		return TEXT_PLAIN;
	}
	return TEXT_PLAIN;
}

static void add_spaces(struct buf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addc(out, ' ');
}

void summary_paragraph(const struct report *r, const char *text, size_t indent, struct buf *out)
{
	add_spaces(out, indent);
	escape_wrapped(out, text, (size_t)r->width, indent, indent);
	buf_addc(out, '\n');
}

void summary_line(const struct report *r, enum text_style style, const char *text, size_t indent, struct buf *out)
{
	add_spaces(out, indent);
	buf_adds(out, style == TEXT_PLAIN ? "" : text_style(r, style));
	escape_wrapped(out, text, (size_t)r->width, indent + 4, indent);
	buf_addf(out, "%s\n", style == TEXT_PLAIN ? "" : text_style(r, TEXT_PLAIN));
}

void summary_heading(const struct report *r, enum text_style style, const char *text, struct buf *out)
{
	buf_addc(out, '\n');
	summary_line(r, style, text, 0, out);
}

/* Commands are not broken: they are copied with the mouse. */
void summary_commands(const struct report *r, const char *commands, size_t indent, struct buf *out)
{
	while (*commands) {
		size_t len = strcspn(commands, "\n");
		struct buf line = BUF_INIT;

		buf_add(&line, commands, len);
		add_spaces(out, indent);
		buf_addf(out, "%s$ ", text_style(r, TEXT_BOLD));
		escape_line(out, buf_str(&line));
		buf_addf(out, "%s\n", text_style(r, TEXT_PLAIN));
		buf_release(&line);
		commands += len + (commands[len] == '\n');
	}
}

/* ---- counts ----------------------------------------------------------------------------------------------------- */

/* Worst first. */
static const enum tenant_state by_urgency[] = { TENANT_HALF_SWITCHED, TENANT_FAILED,	TENANT_ROLLED_BACK,
						TENANT_SWITCHING,     TENANT_NOT_READY, TENANT_READY,
						TENANT_WATCHING,      TENANT_DONE };

static void count_tenants(const struct report *r, struct buf *line)
{
	size_t all = r->tenants_n - r->withdrawn_n;
	const char *comma = ": ";

	buf_addf(line, "%zu %s", all, in_lang(r->lang, all == 1 ? "tenant" : "tenants", "テナント"));
	for (size_t i = 0; i < ARRAY_LEN(by_urgency); i++) {
		if (!r->by_state[by_urgency[i]])
			continue;
		buf_addf(line, "%s%zu %s", comma, r->by_state[by_urgency[i]], tenant_state_name(by_urgency[i]));
		comma = ", ";
	}
	if (r->withdrawn_n)
		buf_addf(line, "%s%zu withdrawn", comma, r->withdrawn_n);
}

static void count_rows(const struct report *r, struct buf *line)
{
	const char *comma = ": ";
	size_t rows = 0;

	for (int s = 0; s < STEP_STATES; s++)
		rows += r->rows_by_state[s];
	buf_addf(line, "%zu %s", rows, in_lang(r->lang, rows == 1 ? "row" : "rows", "行"));
	for (int s = 0; s < STEP_STATES; s++) {
		if (!r->rows_by_state[s])
			continue;
		buf_addf(line, "%s%zu %s", comma, r->rows_by_state[s], step_state_name((enum step_state)s));
		comma = ", ";
	}
}

void summary_counts(const struct report *r, struct buf *out)
{
	struct buf line = BUF_INIT;

	count_tenants(r, &line);
	summary_line(r, TEXT_BOLD, buf_str(&line), 0, out);
	buf_clear(&line);
	count_rows(r, &line);
	summary_line(r, TEXT_PLAIN, buf_str(&line), 0, out);
	buf_release(&line);
}

/* ---- the last run ----------------------------------------------------------------------------------------------- */

static void run_over(const struct report *r, const struct report_run *run, struct buf *line)
{
	char when[WHEN_MAX], span[WHEN_MAX];

	buf_addf(line, " – %s (%s)", when_minute(run->run->end_ms, r->offset_min, when),
		 span_text(run->run->end_ms - run->run->begin_ms, span));
	if (run->exit >= 0)
		buf_addf(line, in_lang(r->lang, ", exit %d: %s", "、終了コード %d: %s"), run->exit,
			 report_exit_meaning(run->exit, r->lang));
}

static void run_killed(const struct report *r, struct buf *line)
{
	buf_adds(line, in_lang(r->lang, ", did not end: the controller was killed, or the machine went down; `",
			       ", 終了記録なし: コントローラが停止しました。`"));
	advice_resume(r, line);
	buf_adds(line, in_lang(r->lang, "` goes on", "` で続行できます"));
}

static void run_going_on(const struct report *r, const struct report_run *run, struct buf *line)
{
	char span[WHEN_MAX];

	buf_addf(line, in_lang(r->lang, ", going on for %s: ", "、実行中 (%s経過): "),
		 span_text(r->now_ms - run->run->begin_ms, span));
	buf_adds(line, r->holder);
}

void summary_run(const struct report *r, size_t indent, struct buf *out)
{
	const struct report_run *run = report_last_run(r);
	struct buf line = BUF_INIT;
	char when[WHEN_MAX];
	bool killed = run && !run->run->end_ms && !run->going_on;

	if (!run) {
		summary_line(r, TEXT_PLAIN, in_lang(r->lang, "no run is recorded", "実行の記録はありません"), indent,
			     out);
		return;
	}
	buf_addf(&line, in_lang(r->lang, "run %lld", "実行 %lld"), (long long)run->run->id);
	if (*run->command)
		buf_addf(&line, " (%s)", run->command);
	if (*run->os_user)
		buf_addf(&line, in_lang(r->lang, " by %s", " 担当 %s"), run->os_user);
	buf_addf(&line, ", %s", when_minute(run->run->begin_ms, r->offset_min, when));
	if (killed)
		run_killed(r, &line);
	else if (run->going_on)
		run_going_on(r, run, &line);
	else
		run_over(r, run, &line);
	summary_line(r, killed ? TEXT_RED : TEXT_PLAIN, buf_str(&line), indent, out);
	if (*report_run_text(run))
		summary_paragraph(r, report_run_text(run), indent + 2, out);
	buf_release(&line);
}

/* ---- debts ------------------------------------------------------------------------------------------------------ */

void summary_debt_text(const struct report *r, const struct report_row *row, const struct row_debt *debt,
		       struct buf *line)
{
	char when[WHEN_MAX], span[WHEN_MAX];

	buf_addf(line, "%s: %s %s: %s", row->tenant->id, row->row->step, row->row->target,
		 debt->action ? debt->action : "");
	if (debt->item && *debt->item)
		buf_addf(line, " %s", debt->item);
	buf_addf(line, in_lang(r->lang, ", since %s (%s)", "、%s から (%s)"),
		 when_day(debt->wall_ms, row->tenant->offset_min, when), span_text(r->now_ms - debt->wall_ms, span));
	if (debt->text && *debt->text)
		buf_addf(line, ": %s", debt->text);
}

#define DEBTS_SHOWN 50

void summary_debts(const struct report *r, struct buf *out)
{
	struct buf line = BUF_INIT;

	if (!r->debts_n)
		return;
	buf_addf(&line,
		 in_lang(r->lang, "OPEN DEBTS (%zu): something was taken down and is not up again",
			 "未復旧 (%zu): 停止したまま復旧していないものがあります"),
		 r->debts_n);
	summary_heading(r, TEXT_RED, buf_str(&line), out);
	for (size_t i = 0; i < r->debts_n && i < DEBTS_SHOWN; i++) {
		buf_clear(&line);
		summary_debt_text(r, r->debts[i].row, r->debts[i].debt, &line);
		summary_line(r, TEXT_PLAIN, buf_str(&line), 2, out);
	}
	if (r->debts_n > DEBTS_SHOWN)
		buf_addf(out, in_lang(r->lang, "  … and %zu more\n", "  … 他 %zu 件\n"), r->debts_n - DEBTS_SHOWN);
	if (*r->holder) {
		buf_adds(out, in_lang(r->lang, "  the controller that holds the file puts them back\n",
				      "  実行中のコントローラが復旧します\n"));
		buf_release(&line);
		return;
	}
	buf_adds(out, in_lang(r->lang, "  to put them back, at any time:\n", "  復旧するには (時間帯の制限なし):\n"));
	buf_clear(&line);
	advice_resume(r, &line);
	summary_commands(r, buf_str(&line), 4, out);
	buf_release(&line);
}

/* ---- half-switched ---------------------------------------------------------------------------------------------- */

#define HALF_SHOWN 50

static void half_line(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	const struct report_row *open = next_open_last_switch(t);
	struct buf line = BUF_INIT;

	buf_adds(&line, t->id);
	if (open)
		buf_addf(&line, ": %s %s: %s", open->row->step, open->row->target, step_state_name(open->row->state));
	if (open && open->row->text && *open->row->text)
		buf_addf(&line, ", %s", open->row->text);
	summary_line(r, TEXT_PLAIN, buf_str(&line), 2, out);
	buf_release(&line);
}

void summary_half_switched(const struct report *r, struct buf *out)
{
	size_t shown = 0, n = r->by_state[TENANT_HALF_SWITCHED];
	struct buf line = BUF_INIT;

	if (!n)
		return;
	buf_addf(&line,
		 in_lang(r->lang, "HALF-SWITCHED (%zu): something is switched, the last step of the switch is not",
			 "切替途中 (%zu): 一部を切り替え、最後の切替手順が残っています"),
		 n);
	summary_heading(r, TEXT_RED, buf_str(&line), out);
	for (size_t i = 0; i < r->tenants_n && shown < HALF_SHOWN; i++) {
		const struct report_tenant *t = r->tenants[i];

		if (t->withdrawn || t->state != TENANT_HALF_SWITCHED)
			continue;
		half_line(r, t, out);
		shown++;
	}
	if (shown < n)
		buf_addf(out, in_lang(r->lang, "  … and %zu more\n", "  … 他 %zu 件\n"), n - shown);
	buf_release(&line);
}

/* ---- causes ----------------------------------------------------------------------------------------------------- */

/* "at: acme host:sync1, basil host:sync1, … (12 more)" */
static void cause_targets(const struct report *r, const struct report_cause *cause, size_t limit, struct buf *out)
{
	struct buf line = BUF_INIT;
	size_t n = cause->rows_n < limit ? cause->rows_n : limit;

	buf_adds(&line, in_lang(r->lang, "at: ", "対象: "));
	for (size_t i = 0; i < n; i++)
		buf_addf(&line, "%s%s %s", i ? ", " : "", cause->rows[i]->tenant->id, cause->rows[i]->row->target);
	if (n < cause->rows_n)
		buf_addf(&line, in_lang(r->lang, ", … and %zu more", "、… 他 %zu 件"), cause->rows_n - n);
	summary_paragraph(r, buf_str(&line), 6, out);
	buf_release(&line);
}

static void cause_head(const struct report *r, const struct report_cause *cause, const char *title, struct buf *out)
{
	struct buf line = BUF_INIT;

	buf_addf(&line, "%zu × %s %s", cause->rows_n, cause->step, step_state_name(cause->state));
	if (*cause->code)
		buf_addf(&line, " (%s)", cause->code);
	buf_addf(&line, "%s%s", *title ? ": " : "", title);
	summary_line(r, text_style_of(cause->state), buf_str(&line), 2, out);
	if (*cause->text)
		summary_paragraph(r, cause->text, 6, out);
	buf_release(&line);
}

static void failure(const struct report *r, const struct report_cause *cause, size_t targets, struct buf *out)
{
	const struct advice *advice = advice_find(cause->state, cause->code);
	struct buf text = BUF_INIT;

	cause_head(r, cause, advice->title[r->lang], out);
	buf_addf(&text, "%s%s", in_lang(r->lang, "do: ", "対処: "), advice->what[r->lang]);
	summary_paragraph(r, buf_str(&text), 6, out);
	if (advice->line)
		buf_addf(out, "        %s\n", advice->line);
	buf_clear(&text);
	advice_commands(r, advice, cause, NULL, &text);
	summary_commands(r, buf_str(&text), 6, out);
	cause_targets(r, cause, targets, out);
	buf_release(&text);
}

static size_t causes_of(const struct report *r, enum cause_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->causes_n; i++)
		n += r->causes[i].kind == kind;
	return n;
}

void summary_failures(const struct report *r, size_t targets, struct buf *out)
{
	size_t n = causes_of(r, CAUSE_FAILURE);
	struct buf line = BUF_INIT;

	if (!n)
		return;
	buf_addf(&line, in_lang(r->lang, "FAILURES: %zu %s, %zu %s", "失敗: %zu%s、原因 %zu%s"),
		 causes_rows(r, CAUSE_FAILURE),
		 in_lang(r->lang, causes_rows(r, CAUSE_FAILURE) == 1 ? "row" : "rows", " 行"), n,
		 in_lang(r->lang, n == 1 ? "cause" : "causes", " 件"));
	summary_heading(r, TEXT_RED, buf_str(&line), out);
	for (size_t i = 0; i < r->causes_n; i++)
		if (r->causes[i].kind == CAUSE_FAILURE)
			failure(r, &r->causes[i], targets, out);
	buf_release(&line);
}

void summary_persons(const struct report *r, size_t targets, struct buf *out)
{
	struct buf command = BUF_INIT;

	if (!causes_of(r, CAUSE_PERSON))
		return;
	summary_heading(r, TEXT_YELLOW, in_lang(r->lang, "FOR A PERSON TO DO", "担当者の対応待ち"), out);
	for (size_t i = 0; i < r->causes_n; i++) {
		if (r->causes[i].kind != CAUSE_PERSON)
			continue;
		cause_head(r, &r->causes[i], "", out);
		cause_targets(r, &r->causes[i], targets, out);
		buf_clear(&command);
		advice_confirm(r, r->causes[i].rows[0], "ok", &command);
		summary_commands(r, buf_str(&command), 6, out);
	}
	buf_release(&command);
}

#define WAITING_SHOWN 30

void summary_waiting(const struct report *r, struct buf *out)
{
	struct buf line = BUF_INIT;
	size_t shown = 0;

	for (size_t i = 0; i < r->causes_n && shown < WAITING_SHOWN; i++) {
		const struct report_cause *c = &r->causes[i];

		if (c->kind == CAUSE_FAILURE || c->kind == CAUSE_PERSON)
			continue;
		if (shown++ == 0)
			summary_heading(r, TEXT_BOLD, in_lang(r->lang, "THE REST", "その他"), out);
		buf_clear(&line);
		buf_addf(&line, "%zu × %s %s%s%s", c->rows_n, c->step, step_state_name(c->state), *c->text ? ": " : "",
			 c->text);
		summary_line(r, TEXT_PLAIN, buf_str(&line), 2, out);
	}
	buf_release(&line);
}
