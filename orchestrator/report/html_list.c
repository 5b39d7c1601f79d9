#include "report/html_page.h"

#include "report/html_parts.h"
#include "report/next.h"
#include "report/words.h"

static void note(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	const struct report_row *row = next_headline(t);
	struct buf reason = BUF_INIT;

	if (t->debts_n)
		buf_addf(out, "<b class=\"badge bad\">%s</b> ", in_lang(r->lang, "down", "未復旧"));
	if (row) {
		html_text(out, report_step_title(row, t->japanese));
		if (strcmp(row->row->target, "tenant") != 0)
			html_wrap(out, " <code>", row->row->target, "</code>");
		buf_adds(out, ": ");
		next_reason(r, row, &reason);
		html_text(out, buf_str(&reason));
	}
	buf_release(&reason);
}

static void line(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	size_t all, done = html_done_rows(t, &all);
	char when[WHEN_MAX];

	buf_addf(out, "<tr data-s=\"%s\" data-a=\"", t->withdrawn ? "withdrawn" : tenant_state_name(t->state));
	html_anchor(out, t->id);
	buf_adds(out, "\"><td class=\"fit\">");
	html_tenant_badge(out, t, r->lang);
	buf_addf(out, "</td><td class=\"c-who\"%s><a class=\"who\" href=\"#", t->japanese ? " lang=\"ja\"" : "");
	html_anchor(out, t->id);
	buf_adds(out, "\">");
	html_text(out, report_tenant_name(t));
	buf_adds(out, "</a>");
	if (strcmp(report_tenant_name(t), t->id) != 0)
		html_wrap(out, "<code class=\"id\">", t->id, "</code>");
	buf_adds(out, "</td><td class=\"c-wave fit\">");
	html_text(out, t->wave);
	buf_adds(out, "</td><td class=\"c-bar fit\">");
	html_progress(out, t);
	buf_addf(out, "</td><td class=\"num fit\">%zu/%zu</td><td class=\"note\"%s>", done, all,
		 t->japanese ? " lang=\"ja\"" : "");
	note(r, t, out);
	buf_adds(out, "</td><td class=\"c-last when\">");
	html_time(out, t->last_ms, t->offset_min, when_day(t->last_ms, t->offset_min, when));
	buf_adds(out, "</td></tr>\n");
}

/* The filter: seen only where the script runs. */
static void filter(const struct report *r, struct buf *out)
{
	buf_addf(out,
		 "<div class=\"filter\"><input id=\"q\" type=\"search\" placeholder=\"%s\" aria-label=\"%s\"><select "
		 "id=\"s\" aria-label=\"%s\"><option value=\"\">%s</option>",
		 in_lang(r->lang, "Filter by any text", "テキストで絞り込み"),
		 in_lang(r->lang, "Filter by any text", "テキストで絞り込み"), in_lang(r->lang, "State", "状態"),
		 in_lang(r->lang, "every state", "すべての状態"));
	for (int s = 0; s < TENANT_STATES; s++)
		if (r->by_state[s])
			buf_addf(out, "<option value=\"%s\">%s</option>", tenant_state_name((enum tenant_state)s),
				 word_tenant_state((enum tenant_state)s, r->lang));
	buf_adds(out, "</select><output id=\"n\"></output></div>\n");
}

void html_list(const struct report *r, struct buf *out)
{
	if (r->tenants_n < 2)
		return;
	buf_addf(out, "<section id=\"all\"><h2>%s<small>%zu</small></h2><div class=\"card\">",
		 in_lang(r->lang, "All tenants", "テナント一覧"), r->tenants_n);
	filter(r, out);
	buf_addf(out,
		 "<table class=\"list\"><thead><tr><th>%s</th><th>%s</th><th class=\"c-wave\">%s</th><th "
		 "class=\"c-bar\"></th><th class=\"num\">%s</th><th>%s</th><th "
		 "class=\"c-last\">%s</th></tr></thead><tbody id=\"list\">\n",
		 in_lang(r->lang, "State", "状態"), in_lang(r->lang, "Tenant", "テナント"),
		 in_lang(r->lang, "Wave", "ウェーブ"), in_lang(r->lang, "Done", "完了"),
		 in_lang(r->lang, "What is left", "残り"), in_lang(r->lang, "Last entry", "最終記録"));
	for (size_t i = 0; i < r->tenants_n; i++)
		line(r, r->tenants[i], out);
	buf_adds(out, "</tbody></table></div></section>\n");
}
