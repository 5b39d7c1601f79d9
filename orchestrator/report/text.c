/*
 * The report as plain text, for the terminal, a mail or a ticket: the summary of status, then each tenant with its
 * rows, the changed lines and what proves them. Lines of the report's width but for commands and changed lines, which
 * are copied.
 */
#include "report/report.h"

#include "report/changes.h"
#include "report/escape.h"
#include "report/next.h"
#include "report/summary.h"
#include "report/words.h"

#define TARGETS_SHOWN 20

/* ---- a row ------------------------------------------------------------------------------------------------------ */

static void changed_line(const struct report *r, enum text_style style, char sign, const char *line, struct buf *out)
{
	buf_addf(out, "        %s%c ", text_style(r, style), sign);
	escape_line(out, line);
	buf_addf(out, "%s\n", text_style(r, TEXT_PLAIN));
}

static void change(const struct report *r, const struct report_row *row, const struct change_seen *c, struct buf *out)
{
	static const char *const fates[][2] = { { "would change", "変更予定" },
						{ "changed", "変更" },
						{ "put back", "復元" } };

	buf_addf(out, "      %s ", fates[changes_fate(row, c)][r->lang]);
	escape_line(out, *c->what ? c->what : c->item);
	if (c->line)
		buf_addf(out, in_lang(r->lang, ", line %lld", "、%lld 行目"), (long long)c->line);
	buf_addc(out, '\n');
	changed_line(r, TEXT_RED, '-', c->old_line, out);
	changed_line(r, TEXT_GREEN, '+', c->new_line, out);
	buf_adds(out, "        sha256 ");
	escape_line(out, c->before_sha256);
	buf_adds(out, " -> ");
	escape_line(out, c->after_sha256);
	buf_addc(out, '\n');
}

static void person(const struct report *r, const struct report_row *row, const struct report_event *e, struct buf *out)
{
	struct report_person p;
	char when[WHEN_MAX];

	report_person_of(e, &p);
	buf_addf(out, "      %s  ", when_full(e->wall_ms, row->tenant->offset_min, when));
	escape_line(out, p.result);
	buf_adds(out, in_lang(r->lang, " by ", " 担当 "));
	escape_line(out, p.by);
	if (*p.note) {
		buf_adds(out, ": ");
		escape_line(out, p.note);
	}
	if (*p.evidence) {
		buf_adds(out, in_lang(r->lang, " (evidence: ", " (証跡: "));
		escape_line(out, p.evidence);
		buf_addc(out, ')');
	}
	buf_addc(out, '\n');
	report_person_release(&p);
}

static bool is_shown(const struct report_event *e)
{
	return (e->kind == JOURNAL_OUTCOME && strcmp(e->to, "unchanged") != 0) || e->kind == JOURNAL_EVIDENCE ||
	       e->kind == JOURNAL_DEBT || e->kind == JOURNAL_PAID;
}

static void event(const struct report_row *row, const struct report_event *e, struct buf *out)
{
	char when[WHEN_MAX], span[WHEN_MAX];

	buf_addf(out, "      %s  %-8s ", when_clock(e->wall_ms, row->tenant->offset_min, when),
		 journal_kind_name(e->kind));
	escape_line(out, e->action);
	if (*e->item) {
		buf_addc(out, ' ');
		escape_line(out, e->item);
	}
	if (*e->to) {
		buf_adds(out, ": ");
		escape_line(out, e->to);
	}
	if (e->exit_code)
		buf_addf(out, " (exit %d)", (int)e->exit_code);
	if (e->elapsed_ms)
		buf_addf(out, " %s", span_text(e->elapsed_ms, span));
	if (*e->text) {
		buf_adds(out, "  ");
		escape_line(out, e->text);
	}
	buf_addc(out, '\n');
}

static void row_text(const struct report *r, const struct report_row *row, struct buf *out)
{
	const struct row *x = row->row;
	struct buf unproved = BUF_INIT;
	char when[WHEN_MAX];
	struct changes c;

	buf_adds(out, "  ");
	escape_line(out, x->step);
	buf_addc(out, ' ');
	escape_line(out, x->target);
	buf_addf(out, ": %s%s%s  %s", text_style(r, text_style_of(x->state)), step_state_name(x->state),
		 text_style(r, TEXT_PLAIN), when_full(x->since_ms, row->tenant->offset_min, when));
	if (x->attempt > 1)
		buf_addf(out, in_lang(r->lang, "  attempt %d", "  試行 %d 回"), x->attempt);
	buf_addc(out, '\n');
	if (x->text && *x->text)
		summary_paragraph(r, x->text, 6, out);
	next_instruction(row, row->tenant->japanese, &unproved);
	if (unproved.len)
		summary_paragraph(r, buf_str(&unproved), 6, out);
	buf_clear(&unproved);
	next_not_proved(r, row, &unproved);
	if (unproved.len)
		summary_line(r, TEXT_YELLOW, buf_str(&unproved), 6, out);
	buf_release(&unproved);
	changes_parse(&c, row->changes ? row->changes->data : "");
	for (size_t i = 0; i < c.n; i++)
		change(r, row, &c.at[i], out);
	changes_release(&c);
	for (size_t i = 0; i < row->events.n; i++) {
		if (row->events.at[i]->kind == JOURNAL_PERSON)
			person(r, row, row->events.at[i], out);
		else if (is_shown(row->events.at[i]))
			event(row, row->events.at[i], out);
	}
}

/* ---- a tenant --------------------------------------------------------------------------------------------------- */

static void tenant_facts(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	struct buf line = BUF_INIT;

	if (*t->wave)
		buf_addf(&line, in_lang(r->lang, "wave %s; ", "ウェーブ %s; "), t->wave);
	if (*t->change_id)
		buf_addf(&line, in_lang(r->lang, "change %s; ", "変更番号 %s; "), t->change_id);
	if (*t->migration_date)
		buf_addf(&line, in_lang(r->lang, "data migration %s; ", "データ移行日 %s; "), t->migration_date);
	next_window(r, t, &line);
	summary_paragraph(r, buf_str(&line), 2, out);
	buf_release(&line);
}

static void tenant_text(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	buf_addf(out, "\n%s== ", text_style(r, TEXT_BOLD));
	escape_line(out, t->id);
	if (strcmp(report_tenant_name(t), t->id) != 0) {
		buf_adds(out, "  ");
		escape_line(out, t->name);
	}
	buf_addf(out, ": %s%s\n", t->withdrawn ? "withdrawn" : tenant_state_name(t->state), text_style(r, TEXT_PLAIN));
	tenant_facts(r, t, out);
	for (size_t i = 0; i < t->rows_n; i++)
		row_text(r, t->rows[i], out);
	buf_addf(out,
		 in_lang(r->lang, "  %zu entries of the journal, the last with hash %s\n",
			 "  記録 %zu 件、末尾のハッシュ %s\n"),
		 t->entries_n, t->last_hash);
}

static void chain_text(const struct report *r, struct buf *out)
{
	if (!r->chain.checked)
		return;
	if (r->chain.intact) {
		buf_addf(out,
			 in_lang(r->lang, "hash chains: all %llu entries of the state file fit\n",
				 "ハッシュチェーン: 全 %llu 件が一致\n"),
			 (unsigned long long)r->chain.entries);
		return;
	}
	buf_addf(out, "%s%s", text_style(r, TEXT_RED),
		 in_lang(r->lang, "HASH CHAIN BROKEN: the state file was changed after it was written: ",
			 "ハッシュチェーン不一致: 状態ファイルが書き換えられています: "));
	escape_line(out, r->chain.text);
	buf_addf(out, "%s\n", text_style(r, TEXT_PLAIN));
}

int report_text(const struct report *r, struct buf *out, struct err *err)
{
	char when[WHEN_MAX];

	if (!out->max)
		out->max = REPORT_MAX_BYTES;
	buf_addf(out, "%s: ", in_lang(r->lang, "cutover report", "cutover 報告書"));
	escape_line(out, report_title_in(&r->title, r->lang == REPORT_JA, r->procedure));
	buf_addf(out, "  %s\n", when_full(r->now_ms, r->offset_min, when));
	summary_counts(r, out);
	summary_run(r, 0, out);
	chain_text(r, out);
	summary_debts(r, out);
	summary_half_switched(r, out);
	summary_failures(r, TARGETS_SHOWN, out);
	summary_persons(r, TARGETS_SHOWN, out);
	summary_waiting(r, out);
	for (size_t i = 0; i < r->tenants_n; i++)
		tenant_text(r, r->tenants[i], out);
	return out->truncated
		       ? err_set(err, E_LIMIT, "the text report is larger than %zu bytes: ask for one tenant at a time",
				 out->max)
		       : 0;
}
