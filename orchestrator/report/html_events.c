#include "report/html_page.h"

#include "base/alloc.h"
#include "report/changes.h"
#include "report/escape.h"
#include "report/html_parts.h"
#include "report/words.h"

/* ---- what was changed -------------------------------------------------------------------------------------------- */

/* A line with what differs marked. */
static void diff_line(struct buf *out, char side, const char *line, size_t prefix, size_t suffix)
{
	size_t len = strlen(line);

	buf_addf(out, "<code class=\"l %c\">", side);
	escape_html_n(out, line, prefix);
	if (len > prefix + suffix) {
		buf_adds(out, "<mark>");
		escape_html_n(out, line + prefix, len - prefix - suffix);
		buf_adds(out, "</mark>");
	}
	escape_html_n(out, line + len - suffix, suffix);
	buf_adds(out, "</code>");
}

/* Is its outcome still to come? A crash leaves it so, until the target was looked at again. */
static bool is_under_way(const struct report_row *row, const struct change_seen *c)
{
	for (size_t i = 0; i < row->row->intents_n; i++)
		if (strcmp(row->row->intents[i].item, c->item) == 0)
			return true;
	return false;
}

static const char *fate_word(const struct report *r, const struct report_row *row, const struct change_seen *c)
{
	switch (changes_fate(row, c)) {
	case CHANGE_MADE:
		return in_lang(r->lang, "Changed", "変更");
	case CHANGE_UNDONE:
		return in_lang(r->lang, "Changed and put back", "変更後に復元");
	case CHANGE_PLANNED:
		break;
	}
	if (is_under_way(row, c))
		return in_lang(r->lang, "Begun, outcome not known:", "変更開始後、結果不明:");
	return in_lang(r->lang, "Would change", "変更予定");
}

static void change(const struct report *r, const struct report_row *row, const struct change_seen *c, struct buf *out)
{
	size_t prefix, suffix;

	changes_common(c->old_line, c->new_line, &prefix, &suffix);
	buf_addf(out, "<figure class=\"diff\"><figcaption><b>%s</b> <code>", fate_word(r, row, c));
	html_text(out, *c->what ? c->what : c->item);
	buf_adds(out, "</code>");
	if (c->line)
		buf_addf(out, in_lang(r->lang, ", line %lld", "、%lld 行目"), (long long)c->line);
	buf_adds(out, "</figcaption>");
	diff_line(out, 'o', c->old_line, prefix, suffix);
	diff_line(out, 'i', c->new_line, prefix, suffix);
	if (*c->before_sha256 || *c->after_sha256) {
		buf_addf(out, "<div class=\"sha\"><span>%s</span><code>",
			 in_lang(r->lang, "sha256 before", "変更前 sha256"));
		html_text(out, c->before_sha256);
		buf_addf(out, "</code><span>%s</span><code>", in_lang(r->lang, "sha256 after", "変更後 sha256"));
		html_text(out, c->after_sha256);
		buf_adds(out, "</code></div>");
	}
	buf_adds(out, "</figure>");
}

void html_changes(const struct report *r, const struct report_row *row, struct buf *out)
{
	struct changes c;

	if (!row->changes)
		return;
	changes_parse(&c, row->changes->data);
	for (size_t i = 0; i < c.n; i++)
		change(r, row, &c.at[i], out);
	changes_release(&c);
}

/* ---- what proves it ---------------------------------------------------------------------------------------------- */

/* Of a look: said elsewhere or of no use to a reader. */
static const char *const shown_apart[] = { "op", "stdout", "good", "truncated", "script", "stdout_matches", NULL };

static void output(const struct report *r, const struct report_event *e, struct buf *out)
{
	if (!e->excerpt || !e->excerpt_len)
		return;
	buf_adds(out, "<pre class=\"out\">");
	escape_html_n(out, e->excerpt, e->excerpt_len);
	buf_adds(out, e->cut ? in_lang(r->lang, "\n… (cut)", "\n… (以下省略)") : "");
	buf_adds(out, "</pre>");
}

static void evidence(const struct report *r, const struct report_event *e, struct buf *out)
{
	char span[WHEN_MAX];

	buf_addf(out, "<li%s>", strcmp(e->to, "fail") == 0 ? " class=\"not\"" : "");
	html_text(out, *e->item ? e->item : e->action);
	buf_adds(out, " ");
	html_data(out, e->data, shown_apart);
	if (e->elapsed_ms)
		buf_addf(out, "<span class=\"kv\"><i>%s</i></span>", span_text(e->elapsed_ms, span));
	html_wrap(out, " ", e->text, "");
	output(r, e, out);
	buf_adds(out, "</li>");
}

static void person(const struct report *r, const struct report_row *row, const struct report_event *e, struct buf *out)
{
	struct report_person p;
	char when[WHEN_MAX];

	report_person_of(e, &p);
	buf_addf(out, "<li class=\"who\">%s <b>", in_lang(r->lang, "said by", "確認者:"));
	html_text(out, p.by);
	buf_adds(out, "</b> ");
	html_wrap(out, "<code>", p.result, "</code> ");
	html_time(out, e->wall_ms, row->tenant->offset_min, when_minute(e->wall_ms, row->tenant->offset_min, when));
	html_wrap(out, ": ", p.note, "");
	html_wrap(out, in_lang(r->lang, " (login ", " (ログイン "), p.os_user, "");
	html_wrap(out, *p.os_user ? in_lang(r->lang, " from ", "、接続元 ") : " (", p.ssh_origin, "");
	buf_adds(out, *p.os_user || *p.ssh_origin ? ")" : "");
	html_wrap(out, in_lang(r->lang, ", evidence ", "、証跡 "), p.evidence, "");
	buf_adds(out, "</li>");
	report_person_release(&p);
}

/* What was looked at in the last run that looked; earlier looks stand in the log. */
static int64_t last_look(const struct report_row *row)
{
	int64_t run = -1;

	for (size_t i = 0; i < row->events.n; i++)
		if (row->events.at[i]->kind == JOURNAL_EVIDENCE)
			run = row->events.at[i]->run;
	return run;
}

void html_proof(const struct report *r, const struct report_row *row, struct buf *out)
{
	int64_t run = last_look(row);
	size_t begin = out->len, body;

	buf_adds(out, "<ul class=\"proof\">");
	body = out->len;
	for (size_t i = 0; i < row->events.n; i++) {
		const struct report_event *e = row->events.at[i];

		if (e->kind == JOURNAL_PERSON)
			person(r, row, e, out);
		else if (e->kind == JOURNAL_EVIDENCE && e->run == run)
			evidence(r, e, out);
	}
	if (out->len == body) {
		html_cut(out, begin);
		return;
	}
	buf_adds(out, "</ul>");
}

/* ---- what happened ----------------------------------------------------------------------------------------------- */

static const char *kind_word(const struct report *r, enum journal_kind kind)
{
	switch (kind) {
	case JOURNAL_STATE:
		return in_lang(r->lang, "state", "状態");
	case JOURNAL_OUTCOME:
		return in_lang(r->lang, "did", "実施");
	case JOURNAL_DEBT:
		return in_lang(r->lang, "down", "停止");
	case JOURNAL_PAID:
		return in_lang(r->lang, "up again", "復旧");
	case JOURNAL_CHANGES:
		return in_lang(r->lang, "assessed", "判定");
	case JOURNAL_EVIDENCE:
		return in_lang(r->lang, "looked", "確認");
	case JOURNAL_PERSON:
		return in_lang(r->lang, "person", "担当者");
	case JOURNAL_IDENTITY:
	case JOURNAL_NOTE:
	case JOURNAL_RUN:
	case JOURNAL_RUN_END:
	case JOURNAL_BEFORE:
	case JOURNAL_INTENT:
	case JOURNAL_KINDS:
		return in_lang(r->lang, "note", "記録");
	}
	return "";
}

static bool is_failure(const struct report_event *e)
{
	int state = e->kind == JOURNAL_STATE ? step_state_parse(e->to) : -1;

	if (e->kind == JOURNAL_OUTCOME)
		return strcmp(e->to, "fail") == 0 || strcmp(e->to, "drift") == 0;
	return state >= 0 && step_state_is_bad((enum step_state)state);
}

static void log_what(const struct report *r, const struct report_event *e, struct buf *out)
{
	int state = e->kind == JOURNAL_STATE ? step_state_parse(e->to) : -1;
	struct changes c;

	html_text(out, e->action);
	html_wrap(out, *e->action ? " <code>" : "<code>", e->item, "</code>");
	if (state >= 0) {
		html_step_badge(out, (enum step_state)state, r->lang);
		if (e->attempt && state == STEP_RUNNING)
			buf_addf(out, in_lang(r->lang, " attempt %d", " 試行 %d"), e->attempt);
	} else if (*e->to) {
		html_wrap(out, " <b>", e->to, "</b>");
	}
	html_wrap(out, " <code>", e->code, "</code>");
	if (e->kind == JOURNAL_OUTCOME && e->exit_code)
		buf_addf(out, in_lang(r->lang, " exit %d", " 終了コード %d"), (int)e->exit_code);
	html_wrap(out, " ", e->text, "");
	if (e->kind != JOURNAL_CHANGES)
		return;
	changes_parse(&c, e->data);
	html_wrap(out, "<b>", c.state, "</b> ");
	html_text(out, c.text);
	for (size_t i = 0; i < c.notes_n; i++)
		html_wrap(out, "; ", c.notes[i], "");
	changes_release(&c);
}

static void log_line(const struct report *r, const struct report_row *row, const struct report_event *e,
		     struct buf *out)
{
	char when[WHEN_MAX], span[WHEN_MAX];

	buf_addf(out, "<tr%s><td class=\"when\">", is_failure(e) ? " class=\"fail\"" : "");
	html_time(out, e->wall_ms, row->tenant->offset_min, when_clock(e->wall_ms, row->tenant->offset_min, when));
	buf_addf(out, "</td><td class=\"fit\">%s</td><td>", kind_word(r, e->kind));
	log_what(r, e, out);
	if (e->kind == JOURNAL_OUTCOME)
		output(r, e, out);
	buf_addf(out, "</td><td class=\"when\">%s</td></tr>", e->elapsed_ms ? span_text(e->elapsed_ms, span) : "");
}

/* A day of its own stands before its first line. */
static void log_day(const struct report_row *row, const struct report_event *e, char day[16], struct buf *out)
{
	char when[WHEN_MAX];

	when_minute(e->wall_ms, row->tenant->offset_min, when);
	when[10] = '\0';
	if (strcmp(day, when) == 0)
		return;
	snprintf(day, 16, "%.10s", when);
	buf_addf(out, "<tr><td colspan=\"4\"><b>%s</b></td></tr>", day);
}

void html_log(const struct report *r, const struct report_row *row, struct buf *out)
{
	char day[16] = "";

	if (row->events.n < 2)
		return;
	buf_addf(out,
		 in_lang(r->lang,
			 "<details><summary>What happened, in %zu entries</summary><table class=\"log\"><tbody>",
			 "<details><summary>経過 (%zu 件)</summary><table class=\"log\"><tbody>"),
		 row->events.n);
	for (size_t i = 0; i < row->events.n; i++) {
		log_day(row, row->events.at[i], day, out);
		log_line(r, row, row->events.at[i], out);
	}
	buf_adds(out, "</tbody></table></details>");
}
