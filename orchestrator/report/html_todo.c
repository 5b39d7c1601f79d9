#include "report/html_page.h"

#include "base/alloc.h"
#include "report/advice.h"
#include "report/html_parts.h"
#include "report/next.h"
#include "report/words.h"

/* So many are named; the rest is counted, and stands in the list of tenants. */
#define NAMED_MAX 24

static void chip(struct buf *out, const struct report_row *row, bool target)
{
	buf_adds(out, "<a href=\"#");
	html_anchor(out, row->tenant->id);
	buf_adds(out, "\">");
	html_text(out, row->tenant->id);
	if (target && strcmp(row->row->target, "tenant") != 0) {
		buf_addc(out, ' ');
		html_text(out, row->row->target);
	}
	buf_adds(out, "</a>");
}

static void chips(const struct report *r, const struct report_cause *cause, struct buf *out)
{
	size_t n = cause->rows_n < NAMED_MAX ? cause->rows_n : NAMED_MAX;

	buf_adds(out, "<p class=\"chips\">");
	for (size_t i = 0; i < n; i++)
		chip(out, cause->rows[i], true);
	if (n < cause->rows_n) {
		buf_adds(out, "<span class=\"more\">");
		buf_addf(out, in_lang(r->lang, "and %zu more", "他 %zu 件"), cause->rows_n - n);
		buf_adds(out, "</span>");
	}
	buf_adds(out, "</p>");
}

/* ---- debts ------------------------------------------------------------------------------------------------------ */

static void debt_line(const struct report *r, const struct report_debt *d, struct buf *out)
{
	char when[WHEN_MAX], span[WHEN_MAX];

	buf_adds(out, "<tr><td class=\"fit\">");
	chip(out, d->row, false);
	buf_adds(out, "</td><td>");
	html_text(out, d->row->row->step);
	buf_addc(out, ' ');
	html_text(out, d->row->row->target);
	buf_adds(out, "</td><td>");
	html_text(out, d->debt->text && *d->debt->text ? d->debt->text : d->debt->action);
	html_wrap(out, " <code>", d->debt->item, "</code>");
	buf_adds(out, "</td><td class=\"fit\">");
	html_time(out, d->debt->wall_ms, d->row->tenant->offset_min,
		  when_day(d->debt->wall_ms, d->row->tenant->offset_min, when));
	buf_addf(out, " (%s)</td></tr>\n", span_text(r->now_ms - d->debt->wall_ms, span));
}

static void debts(const struct report *r, struct buf *out)
{
	struct buf command = BUF_INIT;
	size_t n = r->debts_n < 200 ? r->debts_n : 200;

	if (!r->debts_n)
		return;
	buf_addf(out, "<article class=\"card cause bad\"><header><span class=\"n\">%zu</span><h3>%s</h3></header>",
		 r->debts_n,
		 in_lang(r->lang, "Something was taken down and is not up again", "停止したまま復旧していないもの"));
	buf_adds(out, "<table><tbody>\n");
	for (size_t i = 0; i < n; i++)
		debt_line(r, &r->debts[i], out);
	buf_adds(out, "</tbody></table>");
	if (*r->holder) {
		buf_addf(out, "<p class=\"do\">%s</p>",
			 in_lang(r->lang, "A controller is at work and puts it up again.",
				 "実行中のコントローラが復旧します。"));
	} else {
		buf_addf(out, "<p class=\"do\"><b>%s</b> %s</p>",
			 in_lang(r->lang, "Do this first.", "最優先で対応してください。"),
			 in_lang(r->lang, "It puts back what is down before anything else; no window holds for that.",
				 "停止中のものを最初に復旧します。時間帯の制限はありません。"));
		advice_resume(r, &command);
		html_commands(out, buf_str(&command));
	}
	buf_adds(out, "</article>\n");
	buf_release(&command);
}

/* ---- half-switched ---------------------------------------------------------------------------------------------- */

static void half_switched(const struct report *r, struct buf *out)
{
	size_t shown = 0, n = r->by_state[TENANT_HALF_SWITCHED];

	if (!n)
		return;
	buf_addf(out,
		 "<article class=\"card cause half\"><header><span class=\"n\">%zu</span><h3>%s</h3></header><p "
		 "class=\"do\">%s</p><p class=\"chips\">",
		 n, in_lang(r->lang, "Half-switched", "切替途中"),
		 in_lang(r->lang,
			 "Something is switched, the last step of the switch is not: these tenants are served by "
			 "both systems at once. Finish them in their next window, or put them back.",
			 "一部を切り替え、最後の切替手順が残っています。両方のシステムが混在しているため、次の作業時間"
			 "帯に完了するか、元に戻してください。"));
	for (size_t i = 0; i < r->tenants_n && shown < NAMED_MAX; i++) {
		const struct report_row *open = next_open_last_switch(r->tenants[i]);

		if (r->tenants[i]->withdrawn || r->tenants[i]->state != TENANT_HALF_SWITCHED || !open)
			continue;
		chip(out, open, false);
		shown++;
	}
	if (shown < n) {
		buf_adds(out, "<span class=\"more\">");
		buf_addf(out, in_lang(r->lang, "and %zu more", "他 %zu 件"), n - shown);
		buf_adds(out, "</span>");
	}
	buf_adds(out, "</p></article>\n");
}

/* ---- causes ----------------------------------------------------------------------------------------------------- */

static void cause_head(const struct report *r, const struct report_cause *cause, const char *title, struct buf *out)
{
	buf_addf(out, "<article class=\"card cause %s\"><header><span class=\"n\">%zu</span><h3>",
		 html_step_class(cause->state), cause->rows_n);
	html_text(out, title);
	buf_adds(out, "</h3><span>");
	html_step_badge(out, cause->state, r->lang);
	html_wrap(out, " <code>", cause->step, "</code>");
	html_wrap(out, " <code>", cause->code, "</code>");
	buf_adds(out, "</span></header>");
	html_wrap(out, "<p class=\"seen\">", cause->text, "</p>");
}

static void failure(const struct report *r, const struct report_cause *cause, struct buf *out)
{
	const struct advice *advice = advice_find(cause->state, cause->code);
	struct buf commands = BUF_INIT;

	cause_head(r, cause, advice->title[r->lang], out);
	buf_addf(out, "<p class=\"do\"><b>%s</b> ", in_lang(r->lang, "What to do.", "対処"));
	html_text(out, advice->what[r->lang]);
	buf_adds(out, "</p>");
	html_wrap(out, "<code class=\"cmd line\">", advice->line, "</code>");
	advice_commands(r, advice, cause, NULL, &commands);
	html_commands(out, buf_str(&commands));
	chips(r, cause, out);
	buf_adds(out, "</article>\n");
	buf_release(&commands);
}

static void person(const struct report *r, const struct report_cause *cause, struct buf *out)
{
	struct buf command = BUF_INIT;
	const char *title =
		cause->about ? report_title_in(&cause->about->title, r->lang == REPORT_JA, cause->step) : cause->step;

	cause_head(r, cause, title, out);
	buf_addf(out, "<p class=\"do\"><b>%s</b> %s</p>",
		 in_lang(r->lang, "A person decides or acts,", "担当者の判断または作業が必要です。"),
		 in_lang(r->lang, "then says so, for each target:", "完了後、対象ごとに記録してください:"));
	advice_confirm(r, cause->rows[0], "ok", &command);
	html_commands(out, buf_str(&command));
	chips(r, cause, out);
	buf_adds(out, "</article>\n");
	buf_release(&command);
}

void html_todo(const struct report *r, struct buf *out)
{
	if (!r->debts_n && !r->by_state[TENANT_HALF_SWITCHED] && !causes_rows(r, CAUSE_FAILURE) &&
	    !causes_rows(r, CAUSE_PERSON))
		return;
	buf_addf(out, "<section id=\"todo\"><h2>%s<small>%s</small></h2>\n", in_lang(r->lang, "What to do", "対応事項"),
		 in_lang(r->lang, "grouped by cause, most urgent first", "原因別、緊急度順"));
	debts(r, out);
	half_switched(r, out);
	for (size_t i = 0; i < r->causes_n; i++) {
		if (r->causes[i].kind == CAUSE_FAILURE)
			failure(r, &r->causes[i], out);
		else if (r->causes[i].kind == CAUSE_PERSON)
			person(r, &r->causes[i], out);
	}
	buf_adds(out, "</section>\n");
}

/* ---- what waits ------------------------------------------------------------------------------------------------- */

#define WAITING_SHOWN 40

static void waiting_line(const struct report *r, const struct report_cause *cause, struct buf *out)
{
	buf_addf(out, "<tr><td class=\"num\">%zu</td><td class=\"fit\">", cause->rows_n);
	html_step_badge(out, cause->state, r->lang);
	buf_adds(out, "</td><td>");
	html_text(out, cause->about ? report_title_in(&cause->about->title, r->lang == REPORT_JA, cause->step)
				    : cause->step);
	buf_adds(out, "</td><td>");
	html_text(out, *cause->text ? cause->text : word_step_state_meaning(cause->state, r->lang));
	buf_adds(out, "</td></tr>\n");
}

/* All that this version does not have, in one line. */
static void missing_line(const struct report *r, struct buf *out)
{
	size_t rows = 0, steps = 0;
	struct buf names = BUF_INIT;

	for (size_t i = 0; i < r->causes_n; i++) {
		const struct report_cause *c = &r->causes[i];

		if (c->kind != CAUSE_BLOCKED || !next_missing(c->rows[0]))
			continue;
		rows += c->rows_n;
		html_wrap(&names, steps++ ? in_lang(r->lang, ", ", "、") : "",
			  c->about ? report_title_in(&c->about->title, r->lang == REPORT_JA, c->step) : c->step, "");
	}
	if (rows) {
		buf_addf(out, "<tr><td class=\"num\">%zu</td><td class=\"fit\">", rows);
		html_step_badge(out, STEP_BLOCKED, r->lang);
		buf_addf(out, "</td><td>%s</td><td>%s</td></tr>\n", buf_str(&names),
			 in_lang(r->lang,
				 "not in this version of cutover: done by hand, as the vendor's procedure says",
				 "このバージョンでは実施しません。ベンダの手順に従い手作業で行います"));
	}
	buf_release(&names);
}

void html_waiting(const struct report *r, struct buf *out)
{
	size_t shown = 0, begin = out->len, body;

	buf_addf(out, "<section id=\"waiting\"><h2>%s</h2><div class=\"card\"><table><tbody>\n",
		 in_lang(r->lang, "What is left", "残りの作業"));
	body = out->len;
	for (size_t i = 0; i < r->causes_n && shown < WAITING_SHOWN; i++) {
		if (r->causes[i].kind <= CAUSE_PERSON || next_missing(r->causes[i].rows[0]))
			continue;
		waiting_line(r, &r->causes[i], out);
		shown++;
	}
	missing_line(r, out);
	if (out->len > body)
		buf_adds(out, "</tbody></table></div></section>\n");
	else
		html_cut(out, begin);
}
