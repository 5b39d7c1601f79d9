#include "report/html_page.h"

#include "base/alloc.h"
#include "report/changes.h"
#include "report/html_parts.h"
#include "report/words.h"

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

static size_t tenants_with(const struct report *r, enum cause_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->tenants_n; i++) {
		bool any = false;

		for (int s = 0; s < STEP_STATES; s++)
			any = any || (r->tenants[i]->by_state[s] && cause_kind_of((enum step_state)s) == kind);
		n += any;
	}
	return n;
}

static const char *verdict_class(const struct report *r)
{
	if (r->debts_n || causes_rows(r, CAUSE_FAILURE))
		return "bad";
	if (r->by_state[TENANT_HALF_SWITCHED] || causes_rows(r, CAUSE_PERSON))
		return "warn";
	if (causes_rows(r, CAUSE_RUNNING))
		return "run";
	return r->tenants_n && r->by_state[TENANT_DONE] == r->tenants_n - r->withdrawn_n ? "good" : "quiet";
}

static void verdict_failed(const struct report *r, size_t failed, size_t all, struct buf *out)
{
	size_t half = r->by_state[TENANT_HALF_SWITCHED];

	if (all == 1)
		buf_adds(out, in_lang(r->lang, "This tenant needs attention.", "このテナントは対応が必要です。"));
	else if (r->lang == REPORT_JA)
		buf_addf(out, "%zu テナント中 %zu テナントで対応が必要です。", all, failed);
	else
		buf_addf(out,
			 failed == 1 ? "%zu of %zu tenants needs attention." : "%zu of %zu tenants need attention.",
			 failed, all);
	if (half && all > 1)
		buf_addf(out,
			 in_lang(r->lang, half == 1 ? " %zu is half-switched." : " %zu are half-switched.",
				 "切替途中は %zu テナントです。"),
			 half);
}

static void verdict_debts(const struct report *r, struct buf *out)
{
	bool one = r->debts_n == 1;

	if (*r->holder)
		buf_addf(out,
			 in_lang(r->lang,
				 one ? "%zu thing is down for the moment; a controller is at work on it."
				     : "%zu things are down for the moment; a controller is at work on them.",
				 "%zu 件が一時的に停止中です。コントローラが作業しています。"),
			 r->debts_n);
	else
		buf_addf(out,
			 in_lang(r->lang,
				 one ? "%zu thing is down and must be brought up again."
				     : "%zu things are down and must be brought up again.",
				 "停止したまま復旧していないものが %zu 件あります。"),
			 r->debts_n);
}

static void verdict_say(const struct report *r, struct buf *out)
{
	size_t failed = tenants_with(r, CAUSE_FAILURE), persons = causes_rows(r, CAUSE_PERSON);
	size_t all = r->tenants_n - r->withdrawn_n;
	bool ja = r->lang == REPORT_JA;

	if (r->debts_n)
		verdict_debts(r, out);
	else if (failed)
		verdict_failed(r, failed, all, out);
	else if (r->by_state[TENANT_HALF_SWITCHED])
		buf_addf(out,
			 ja ? "失敗はありません。%zu テナントが切替途中です。"
			 : r->by_state[TENANT_HALF_SWITCHED] == 1 ? "Nothing failed. %zu tenant is half-switched."
								  : "Nothing failed. %zu tenants are half-switched.",
			 r->by_state[TENANT_HALF_SWITCHED]);
	else if (persons)
		buf_addf(out,
			 ja ? "失敗はありません。担当者の対応待ちが %zu 件あります。"
			 : persons == 1 ? "Nothing failed. %zu thing waits for a person."
					: "Nothing failed. %zu things wait for a person.",
			 persons);
	else if (all && r->by_state[TENANT_DONE] == all)
		buf_addf(out,
			 ja	    ? "全 %zu テナントが完了し、検証されました。"
			 : all == 1 ? "The tenant is done, and verified."
				    : "All %zu tenants are done, and verified.",
			 all);
	else if (!all)
		buf_adds(out, ja ? "テナントの記録はありません。" : "No tenant is recorded.");
	else
		buf_adds(out, ja ? "失敗はありません。時期を待つ作業が残っています。"
				 : "Nothing failed. Work is left that waits for its time.");
}

static void verdict_more(const struct report *r, struct buf *out)
{
	const struct report_run *run = report_last_run(r);
	char when[WHEN_MAX], span[WHEN_MAX];

	if (!run) {
		buf_adds(out, in_lang(r->lang, "No run is recorded.", "実行の記録はありません。"));
	} else if (run->run->end_ms) {
		buf_addf(out, in_lang(r->lang, "The last run ended %s", "最後の実行の終了: %s"),
			 when_minute(run->run->end_ms, r->offset_min, when));
		if (run->exit >= 0)
			buf_addf(out, in_lang(r->lang, " with exit code %d: %s.", "、終了コード %d: %s。"), run->exit,
				 report_exit_meaning(run->exit, r->lang));
	} else if (run->going_on) {
		buf_addf(out, in_lang(r->lang, "A run is going on, for %s now.", "実行中です (%s経過)。"),
			 span_text(r->now_ms - run->run->begin_ms, span));
	} else {
		buf_addf(out,
			 in_lang(r->lang,
				 "The last run, begun %s, did not end: its controller was killed, or the machine "
				 "went down. <code>cutover resume</code> goes on.",
				 "最後の実行 (開始 %s) は終了していません。コントローラが停止しました。<code>cutover "
				 "resume</code> で続行できます。"),
			 when_minute(run->run->begin_ms, r->offset_min, when));
	}
}

/* ---- counts ----------------------------------------------------------------------------------------------------- */

static const enum tenant_state order[] = { TENANT_HALF_SWITCHED, TENANT_FAILED, TENANT_ROLLED_BACK, TENANT_SWITCHING,
					   TENANT_NOT_READY,	 TENANT_READY,	TENANT_WATCHING,    TENANT_DONE };

static void tiles(const struct report *r, struct buf *out)
{
	struct html_part parts[ARRAY_LEN(order)];

	buf_adds(out, "<div class=\"tiles\">");
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		size_t n = r->by_state[order[i]];

		parts[i] = (struct html_part){ html_tenant_class(order[i]), n };
		buf_addf(out, "<div class=\"tile %s%s\" title=\"%s\"><b>%zu</b><span>%s</span></div>",
			 html_tenant_class(order[i]), n ? "" : " zero", word_tenant_state_meaning(order[i], r->lang), n,
			 word_tenant_state(order[i], r->lang));
	}
	buf_adds(out, "</div>");
	html_bar(out, "wide", parts, ARRAY_LEN(parts));
}

/* ---- facts ------------------------------------------------------------------------------------------------------- */

static void fact(struct buf *out, const char *term, const char *text)
{
	buf_addf(out, "<div><dt>%s</dt><dd>", term);
	html_text(out, text);
	buf_adds(out, "</dd></div>");
}

struct tally {
	size_t planned, made, undone;
};

static void count_changes(const struct report_row *row, struct tally *t)
{
	struct changes c;

	if (!row->changes)
		return;
	changes_parse(&c, row->changes->data);
	for (size_t i = 0; i < c.n; i++) {
		enum change_fate fate = changes_fate(row, &c.at[i]);

		t->planned += fate == CHANGE_PLANNED;
		t->made += fate == CHANGE_MADE;
		t->undone += fate == CHANGE_UNDONE;
	}
	changes_release(&c);
}

static void fact_changes(const struct report *r, struct buf *out)
{
	struct tally t = { 0 };
	char text[128];

	for (size_t i = 0; i < r->tenants_n; i++)
		for (size_t k = 0; k < r->tenants[i]->rows_n; k++)
			count_changes(r->tenants[i]->rows[k], &t);
	snprintf(text, sizeof(text), in_lang(r->lang, "%zu made, %zu put back", "変更 %zu 件、復元 %zu 件"), t.made,
		 t.undone);
	fact(out, in_lang(r->lang, "Values changed", "変更した値"), text);
}

static void fact_rows(const struct report *r, struct buf *out)
{
	size_t all = 0, done = 0;
	char text[128];

	for (int s = 0; s < STEP_STATES; s++) {
		all += s == STEP_WITHDRAWN ? 0 : r->rows_by_state[s];
		done += step_state_is_done((enum step_state)s) ? r->rows_by_state[s] : 0;
	}
	snprintf(text, sizeof(text), in_lang(r->lang, "%zu of %zu done", "%zu / %zu 完了"), done, all);
	fact(out, in_lang(r->lang, "Steps on targets", "手順 × 対象"), text);
}

static void fact_chain(const struct report *r, struct buf *out)
{
	char text[128];

	if (!r->chain.checked)
		return;
	snprintf(text, sizeof(text),
		 r->chain.intact ? in_lang(r->lang, "intact, all %llu entries", "一致 (全 %llu 件)")
				 : in_lang(r->lang, "BROKEN (%llu entries looked at)", "不一致 (%llu 件まで確認)"),
		 (unsigned long long)r->chain.entries);
	fact(out, in_lang(r->lang, "Hash chain", "ハッシュチェーン"), text);
}

static void fact_run(const struct report *r, struct buf *out)
{
	const struct report_run *run = report_last_run(r);
	struct buf text = BUF_INIT;
	char when[WHEN_MAX], span[WHEN_MAX];

	if (!run)
		return;
	buf_addf(&text, "%s, %s", run->command, when_minute(run->run->begin_ms, r->offset_min, when));
	if (run->run->end_ms)
		buf_addf(&text, in_lang(r->lang, ", for %s", "、%s"),
			 span_text(run->run->end_ms - run->run->begin_ms, span));
	fact(out, in_lang(r->lang, "Last run", "最後の実行"), buf_str(&text));
	buf_clear(&text);
	buf_addf(&text, "%s%s%s", run->os_user, *run->ssh_origin ? in_lang(r->lang, " from ", "、接続元 ") : "",
		 run->ssh_origin);
	if (text.len)
		fact(out, in_lang(r->lang, "By", "実施者"), buf_str(&text));
	if (*run->version)
		fact(out, in_lang(r->lang, "Program", "プログラム"),
		     (buf_clear(&text), buf_addf(&text, "cutover %s", run->version), buf_str(&text)));
	buf_release(&text);
}

static void fact_revision(const struct report *r, struct buf *out)
{
	char text[256], sha[16];

	if (!r->revision)
		return;
	snprintf(text, sizeof(text), in_lang(r->lang, "revision %lld, sha256 %s…", "版 %lld、sha256 %s…"),
		 (long long)r->revision, hash_short(r->revision_sha256, sha));
	fact(out, in_lang(r->lang, "Inventory", "インベントリ"), text);
}

static void nav(const struct report *r, struct buf *out)
{
	bool todo = r->debts_n || causes_rows(r, CAUSE_FAILURE) || causes_rows(r, CAUSE_PERSON);

	buf_adds(out, "<nav>");
	if (todo)
		buf_addf(out, "<a href=\"#todo\">%s</a>", in_lang(r->lang, "What to do", "対応事項"));
	if (r->tenants_n > 1)
		buf_addf(out, "<a href=\"#all\">%s</a>", in_lang(r->lang, "All tenants", "テナント一覧"));
	buf_addf(out, "<a href=\"#tenants\">%s</a><a href=\"#runs\">%s</a></nav>",
		 in_lang(r->lang, "Tenant by tenant", "テナント別の詳細"), in_lang(r->lang, "Runs", "実行履歴"));
}

void html_summary(const struct report *r, struct buf *out)
{
	if (r->chain.checked && !r->chain.intact) {
		buf_addf(out, "<p class=\"card alarm\">%s ",
			 in_lang(r->lang,
				 "The hash chain is broken: the state file was changed after it was written. This "
				 "report proves nothing until that is explained.",
				 "ハッシュチェーンが一致しません。状態ファイルが書き換えられています。原因が判明するま"
				 "で、本書は証拠になりません。"));
		html_wrap(out, "<code>", r->chain.text, "</code>");
		buf_adds(out, "</p>\n");
	}
	buf_addf(out, "<section class=\"card verdict %s\"><p class=\"say\">", verdict_class(r));
	verdict_say(r, out);
	buf_adds(out, "</p><p class=\"more\">");
	verdict_more(r, out);
	buf_adds(out, "</p></section>\n<section class=\"card\">");
	if (r->tenants_n > 1)
		tiles(r, out);
	buf_adds(out, "<dl class=\"facts\">");
	fact_run(r, out);
	fact_rows(r, out);
	fact_changes(r, out);
	fact_chain(r, out);
	fact_revision(r, out);
	buf_adds(out, "</dl>");
	nav(r, out);
	buf_adds(out, "</section>\n");
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

#define RUNS_SHOWN 50

static void run_line(const struct report *r, const struct report_run *run, struct buf *out)
{
	char when[WHEN_MAX], span[WHEN_MAX];

	buf_addf(out, "<tr><td class=\"num\">%lld</td><td>", (long long)run->run->id);
	html_text(out, run->command);
	html_wrap(out, " <code>", run->selection, "</code>");
	buf_adds(out, "</td><td>");
	html_text(out, run->os_user);
	html_wrap(out, in_lang(r->lang, " from ", "、接続元 "), run->ssh_origin, "");
	buf_adds(out, "</td><td class=\"fit\">");
	html_time(out, run->run->begin_ms, r->offset_min, when_minute(run->run->begin_ms, r->offset_min, when));
	buf_adds(out, "</td><td class=\"fit\">");
	if (run->run->end_ms)
		buf_adds(out, span_text(run->run->end_ms - run->run->begin_ms, span));
	else
		buf_adds(out, run->going_on ? in_lang(r->lang, "going on", "実行中")
					    : in_lang(r->lang, "<b class=\"badge bad\">killed</b>",
						      "<b class=\"badge bad\">強制終了</b>"));
	buf_adds(out, "</td><td>");
	if (run->exit >= 0)
		buf_addf(out, "<b>%d</b> %s", run->exit, report_exit_meaning(run->exit, r->lang));
	html_wrap(out, run->exit >= 0 ? "<br>" : "", report_run_text(run), "");
	buf_adds(out, "</td><td>");
	html_text(out, run->version);
	buf_adds(out, "</td></tr>\n");
}

void html_runs(const struct report *r, struct buf *out)
{
	size_t from = r->runs_n > RUNS_SHOWN ? r->runs_n - RUNS_SHOWN : 0;

	if (!r->runs_n)
		return;
	buf_addf(out, "<section id=\"runs\"><h2>%s", in_lang(r->lang, "Runs", "実行履歴"));
	if (from)
		buf_addf(out, in_lang(r->lang, "<small>the last %d of %zu</small>", "<small>直近 %d / %zu</small>"),
			 RUNS_SHOWN, r->runs_n);
	buf_addf(out,
		 "</h2><div class=\"card\"><table><thead><tr><th "
		 "class=\"num\">#</th><th>%s</th><th>%s</th><th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr></"
		 "thead><tbody>\n",
		 in_lang(r->lang, "Command", "コマンド"), in_lang(r->lang, "By", "実施者"),
		 in_lang(r->lang, "Begun", "開始"), in_lang(r->lang, "Took", "所要"),
		 in_lang(r->lang, "Exit", "終了コード"), in_lang(r->lang, "Version", "版"));
	for (size_t i = r->runs_n; i-- > from;)
		run_line(r, &r->runs[i], out);
	buf_adds(out, "</tbody></table></div></section>\n");
}
