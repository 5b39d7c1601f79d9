#include "report/html_page.h"

#include "base/alloc.h"
#include "report/html_parts.h"
#include "report/next.h"
#include "report/words.h"

#include <jansson.h>

/* ---- the head ---------------------------------------------------------------------------------------------------- */

static void meta_window(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	char from[WHEN_MAX], to[WHEN_MAX];

	for (size_t i = 0; i < t->windows_n; i++)
		buf_addf(out, "<span>%s %s – %s</span>", in_lang(r->lang, "window", "作業時間帯"),
			 when_day(t->windows[i].start_ms, t->offset_min, from),
			 when_minute(t->windows[i].end_ms, t->offset_min, to));
	if (t->vendor_period.end_ms)
		buf_addf(out, "<span>%s %s</span>", in_lang(r->lang, "vendor's period until", "設定変更期間の終了"),
			 when_minute(t->vendor_period.end_ms, t->offset_min, to));
}

static void meta(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	buf_adds(out, "<p class=\"meta\">");
	html_wrap(out, in_lang(r->lang, "<span>change ", "<span>変更番号 "), t->change_id, "</span>");
	html_wrap(out, in_lang(r->lang, "<span>wave ", "<span>ウェーブ "), t->wave, "</span>");
	html_wrap(out, in_lang(r->lang, "<span>data migration ", "<span>データ移行日 "), t->migration_date, "</span>");
	meta_window(r, t, out);
	buf_adds(out, "</p>");
}

static void head(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	size_t all, done = html_done_rows(t, &all);

	buf_adds(out, "<header><div class=\"line\">");
	buf_addf(out, "<h3%s>", t->japanese ? " lang=\"ja\"" : "");
	html_text(out, report_tenant_name(t));
	buf_adds(out, "</h3>");
	if (strcmp(report_tenant_name(t), t->id) != 0)
		html_wrap(out, "<code class=\"sub\">", t->id, "</code>");
	html_tenant_badge(out, t, r->lang);
	html_progress(out, t);
	buf_addf(out,
		 in_lang(r->lang, "<span class=\"sub\">%zu of %zu done</span>",
			 "<span class=\"sub\">%zu / %zu 完了</span>"),
		 done, all);
	buf_adds(out, "</div>");
	meta(r, t, out);
	buf_adds(out, "</header>");
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Nothing happened in it but that its state was set: its reason is all there is to tell. */
static bool is_quiet(const struct report_row *row)
{
	if (cause_kind_of(row->row->state) == CAUSE_FAILURE || row->row->debts_n || row->row->attempt ||
	    row->row->state == STEP_NEEDS_PERSON || (next_missing(row) && report_instruction(row, false)))
		return false;
	for (size_t i = 0; i < row->events.n; i++)
		if (row->events.at[i]->kind != JOURNAL_STATE)
			return false;
	return true;
}

static void title(const struct report *r, const struct report_row *row, struct buf *out)
{
	bool ja = row->tenant->japanese || r->lang == REPORT_JA;
	const char *main_title = report_step_title(row, ja), *english = report_step_title(row, false);

	html_wrap(out, ja ? "<span class=\"title\" lang=\"ja\">" : "<span class=\"title\">", main_title, "</span>");
	if (strcmp(row->row->target, "tenant") != 0)
		html_wrap(out, " <code class=\"target\">", row->row->target, "</code>");
	buf_adds(out, "<div class=\"sub\">");
	if (r->lang == REPORT_EN && strcmp(main_title, english) != 0)
		html_wrap(out, "", english, " · ");
	html_wrap(out, "<code>", row->row->step, "</code>");
	if (row->step)
		html_wrap(out, in_lang(r->lang, " · vendor's step ", " · ベンダ手順 "), row->step->vendor, "");
	buf_adds(out, "</div>");
}

/* Prose and commands for what is open. */
static void next(const struct report *r, const struct report_row *row, struct buf *out)
{
	struct buf text = BUF_INIT;

	next_move(r, row, &text);
	html_wrap(out, "<p class=\"next\">", buf_str(&text), "</p>");
	buf_clear(&text);
	next_commands(r, row, &text);
	html_commands(out, buf_str(&text));
	buf_release(&text);
}

static void row_debts(const struct report *r, const struct report_row *row, struct buf *out)
{
	char when[WHEN_MAX];

	for (size_t i = 0; i < row->row->debts_n; i++) {
		const struct row_debt *d = &row->row->debts[i];

		buf_addf(out, "<p class=\"down\">%s ", in_lang(r->lang, "Down:", "未復旧:"));
		html_text(out, d->text && *d->text ? d->text : d->action);
		html_wrap(out, " <code>", d->item, "</code>");
		buf_addf(out, in_lang(r->lang, " since %s", " (%s から)"),
			 when_minute(d->wall_ms, row->tenant->offset_min, when));
		buf_adds(out, "</p>");
	}
	for (size_t i = 0; i < row->row->intents_n && row->row->state != STEP_RUNNING; i++) {
		buf_addf(out, "<p class=\"down\">%s ",
			 in_lang(r->lang, "Begun, and its outcome is not known:", "開始後、結果不明:"));
		html_text(out, row->row->intents[i].action);
		html_wrap(out, " <code>", row->row->intents[i].item, "</code>");
		buf_adds(out, "</p>");
	}
}

static void row_when(const struct report *r, const struct report_row *row, struct buf *out)
{
	const struct row *x = row->row;
	char when[WHEN_MAX];

	buf_adds(out, "<td class=\"when\">");
	html_time(out, x->since_ms, row->tenant->offset_min, when_day(x->since_ms, row->tenant->offset_min, when));
	if (x->attempt > 1)
		buf_addf(out, in_lang(r->lang, "<br>%d attempts", "<br>試行 %d 回"), x->attempt);
	buf_adds(out, "</td>");
}

/* What a person does of it, in the tenant's language; and in the report's where that is another one. */
static void instruction(const struct report *r, const struct report_row *row, struct buf *out)
{
	bool ja = row->tenant->japanese, open = row->row->state == STEP_NEEDS_PERSON || next_missing(row);
	struct buf text = BUF_INIT;

	next_instruction(row, ja, &text);
	html_wrap(out, ja ? "<p class=\"reason\" lang=\"ja\">" : "<p class=\"reason\">", buf_str(&text), "</p>");
	if (open && report_instruction(row, false) && ja != (r->lang == REPORT_JA))
		html_wrap(out, ja ? "<p class=\"reason\">" : "<p class=\"reason\" lang=\"ja\">",
			  report_instruction(row, !ja), "</p>");
	buf_release(&text);
}

static void row_full(const struct report *r, const struct report_row *row, struct buf *out)
{
	struct buf reason = BUF_INIT;

	buf_adds(out, "<tr class=\"nb\"><td>");
	html_step_badge(out, row->row->state, r->lang);
	buf_adds(out, "</td><td>");
	title(r, row, out);
	next_reason(r, row, &reason);
	html_wrap(out, row->tenant->japanese ? "<p class=\"reason\" lang=\"ja\">" : "<p class=\"reason\">",
		  buf_str(&reason), "</p>");
	instruction(r, row, out);
	buf_clear(&reason);
	next_not_proved(r, row, &reason);
	html_wrap(out, "<p class=\"unproved\">", buf_str(&reason), "</p>");
	buf_release(&reason);
	buf_adds(out, "</td>");
	row_when(r, row, out);
	buf_adds(out, "</tr><tr class=\"detail\"><td colspan=\"3\">");
	row_debts(r, row, out);
	if (!step_state_is_done(row->row->state) && row->row->state != STEP_WITHDRAWN)
		next(r, row, out);
	html_changes(r, row, out);
	html_proof(r, row, out);
	html_log(r, row, out);
	buf_adds(out, "</td></tr>\n");
}

/* ---- what there is little to tell of ------------------------------------------------------------------------------
 */

static bool same_reason(const struct report_row *a, const struct report_row *b)
{
	const char *x = a->row->text ? a->row->text : "", *y = b->row->text ? b->row->text : "";

	if (a->row->state != b->row->state)
		return false;
	return (next_missing(a) && next_missing(b)) || strcmp(x, y) == 0;
}

static void quiet_name(const struct report *r, const struct report_row *row, bool first, struct buf *out)
{
	buf_adds(out, first ? "" : row->tenant->japanese ? "、" : ", ");
	html_wrap(out, row->tenant->japanese ? "<span lang=\"ja\">" : "<span>",
		  report_step_title(row, row->tenant->japanese || r->lang == REPORT_JA), "</span>");
	if (strcmp(row->row->target, "tenant") != 0)
		html_wrap(out, " <code>",
			  strchr(row->row->target, ':') ? strchr(row->row->target, ':') + 1 : row->row->target,
			  "</code>");
}

/* One line for all quiet rows from `first` on that stand there for the same reason, within the phase. */
static void quiet_group(const struct report *r, const struct report_tenant *t, size_t first, size_t end, bool *told,
			struct buf *out)
{
	const struct report_row *row = t->rows[first];

	buf_adds(out, "<tr class=\"quietrow\"><td>");
	html_step_badge(out, row->row->state, r->lang);
	buf_adds(out, "</td><td>");
	for (size_t i = first; i < end; i++) {
		if (told[i] || !is_quiet(t->rows[i]) || !same_reason(row, t->rows[i]))
			continue;
		told[i] = true;
		quiet_name(r, t->rows[i], i == first, out);
	}
	if (next_missing(row))
		buf_addf(out, "<p class=\"reason\">%s</p>",
			 in_lang(r->lang, "not in this version of cutover: done by hand",
				 "このバージョンでは実施しません (手作業)"));
	else
		html_wrap(out, "<p class=\"reason\">", row->row->text, "</p>");
	buf_adds(out, "</td>");
	row_when(r, row, out);
	buf_adds(out, "</tr>\n");
}

/* ---- phases ------------------------------------------------------------------------------------------------------ */

static int phase_of(const struct report_row *row)
{
	return row->step ? (int)row->step->phase : -1;
}

static void phase_head(const struct report *r, const struct report_row *row, struct buf *out)
{
	buf_addf(out, "<tr class=\"phase\"><td colspan=\"3\"><h4>%s</h4></td></tr>\n",
		 row->step ? word_phase(row->step->phase, r->lang)
			   : in_lang(r->lang, "not in the procedure", "手順外"));
}

static void steps(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	bool *told = NEW_N(bool, t->rows_n + 1);
	size_t end;

	buf_adds(out, "<table class=\"steps\"><tbody>\n");
	for (size_t from = 0; from < t->rows_n; from = end) {
		for (end = from; end < t->rows_n && phase_of(t->rows[end]) == phase_of(t->rows[from]); end++)
			;
		phase_head(r, t->rows[from], out);
		for (size_t i = from; i < end; i++)
			if (!is_quiet(t->rows[i]))
				row_full(r, t->rows[i], out);
		for (size_t i = from; i < end; i++)
			if (is_quiet(t->rows[i]) && !told[i])
				quiet_group(r, t, i, end, told, out);
	}
	buf_adds(out, "</tbody></table>");
	free(told);
}

/* ---- the foot: who was talked to, and the seal ---------------------------------------------------------------------
 */

static bool is_later_seen(const struct report_tenant *t, size_t at)
{
	for (size_t i = at + 1; i < t->events.n; i++)
		if (t->events.at[i]->kind == JOURNAL_IDENTITY &&
		    strcmp(t->events.at[i]->target, t->events.at[at]->target) == 0)
			return true;
	return false;
}

static void identities(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	static const char *const nothing[] = { NULL };

	for (size_t i = 0; i < t->events.n; i++) {
		const struct report_event *e = t->events.at[i];

		if (e->kind != JOURNAL_IDENTITY || is_later_seen(t, i))
			continue;
		buf_addf(out, "<div>%s ", in_lang(r->lang, "Seen as", "接続先"));
		html_wrap(out, "<code>", e->target, "</code> ");
		html_data(out, e->data, nothing);
		html_text(out, e->text);
		buf_adds(out, "</div>");
	}
}

void html_tenant(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	struct buf window = BUF_INIT;

	buf_adds(out, "<article class=\"card tenant\" id=\"");
	html_anchor(out, t->id);
	buf_adds(out, "\">");
	head(r, t, out);
	buf_adds(out, "<div class=\"in\">");
	if (!t->withdrawn && t->state != TENANT_DONE) {
		next_window(r, t, &window);
		html_wrap(out, "<p class=\"sub\">", buf_str(&window), "</p>");
	}
	steps(r, t, out);
	buf_adds(out, "</div><div class=\"foot\">");
	identities(r, t, out);
	buf_addf(out,
		 in_lang(r->lang, "<div>%zu entries of the journal; the hash of the last: <code>",
			 "<div>記録 %zu 件、末尾のハッシュ: <code>"),
		 t->entries_n);
	html_text(out, t->last_hash);
	buf_adds(out, "</code></div></div></article>\n");
	buf_release(&window);
}
