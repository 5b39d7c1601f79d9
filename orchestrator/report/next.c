#include "report/next.h"

#include "report/advice.h"
#include "report/words.h"

void next_reason(const struct report *r, const struct report_row *row, struct buf *out)
{
	if (row->row->text && *row->row->text)
		buf_adds(out, row->row->text);
	else
		buf_adds(out, word_step_state_meaning(row->row->state, r->lang));
}

/* Is the instruction the reason itself, in the tenant's language? */
static bool is_instructed(const struct report_row *row)
{
	const char *text = row->row->text ? row->row->text : "";

	return report_instruction(row, false) &&
	       (strcmp(text, row->instruction.en) == 0 || strcmp(text, row->instruction.ja) == 0);
}

void next_told(const struct report *r, const struct report_row *row, struct buf *out)
{
	if (is_instructed(row))
		buf_adds(out, report_instruction(row, r->lang == REPORT_JA));
	else
		next_reason(r, row, out);
}

void next_instruction(const struct report_row *row, bool japanese, struct buf *out)
{
	bool asked = row->row->state == STEP_NEEDS_PERSON || (row->row->state == STEP_BLOCKED && next_missing(row));

	if (asked && report_instruction(row, japanese) && !is_instructed(row))
		buf_adds(out, report_instruction(row, japanese));
}

void next_not_proved(const struct report *r, const struct report_row *row, struct buf *out)
{
	const char *what = report_not_proved(row, r->lang == REPORT_JA);

	if (what)
		buf_addf(out, in_lang(r->lang, "not proved: %s", "未証明: %s"), what);
}

/* ---- windows ---------------------------------------------------------------------------------------------------- */

/* The window that is open now, else the next one; NULL: none is left. */
static const struct report_window *window_now(const struct report_tenant *t, int64_t now_ms)
{
	const struct report_window *best = NULL;

	for (size_t i = 0; i < t->windows_n; i++)
		if (t->windows[i].end_ms > now_ms && (!best || t->windows[i].start_ms < best->start_ms))
			best = &t->windows[i];
	return best;
}

static void add_when(struct buf *out, const struct report_tenant *t, int64_t wall_ms)
{
	char when[WHEN_MAX];

	buf_adds(out, when_minute(wall_ms, t->offset_min, when));
}

static void window_known(const struct report *r, const struct report_tenant *t, const struct report_window *w,
			 struct buf *out)
{
	char span[WHEN_MAX];

	if (w->start_ms <= r->now_ms) {
		buf_adds(out, in_lang(r->lang, "a window is open until ", "作業時間帯: "));
		add_when(out, t, w->end_ms);
		buf_addf(out, in_lang(r->lang, " (%s left)", " まで (残り %s)"),
			 span_text(w->end_ms - r->now_ms, span));
		return;
	}
	buf_adds(out, in_lang(r->lang, "the next window begins ", "次の作業時間帯: "));
	add_when(out, t, w->start_ms);
	buf_addf(out, in_lang(r->lang, " (in %s)", " から (%s後)"), span_text(w->start_ms - r->now_ms, span));
}

void next_window(const struct report *r, const struct report_tenant *t, struct buf *out)
{
	const struct report_window *w = window_now(t, r->now_ms);

	if (w) {
		window_known(r, t, w, out);
	} else if (t->windows_n == 0) {
		buf_adds(out, in_lang(r->lang, "no window is known of", "作業時間帯が登録されていません"));
	} else {
		buf_adds(out, in_lang(r->lang, "no window is left: the last one ended ",
				      "作業時間帯は残っていません。最後の時間帯の終了: "));
		add_when(out, t, t->windows[t->windows_n - 1].end_ms);
		buf_adds(out, in_lang(r->lang, "; agree on another night and put it into the inventory",
				      "。新しい時間帯を合意し、インベントリに追加してください"));
	}
	if (t->vendor_period.end_ms && t->vendor_period.end_ms <= r->now_ms) {
		buf_adds(out, in_lang(r->lang, "; the vendor's period ended ", "。設定変更期間の終了: "));
		add_when(out, t, t->vendor_period.end_ms);
	}
}

/* ---- moves ------------------------------------------------------------------------------------------------------ */

static bool is_switch(const struct report_row *row)
{
	return row->step && row->step->phase == PHASE_SWITCH;
}

static bool before_migration(const struct report *r, const struct report_row *row)
{
	return row->tenant->migration_ms > r->now_ms && row->step && row->step->phase != PHASE_PREPARE;
}

/* The time that the row or its phase waits for. */
static void move_waiting(const struct report *r, const struct report_row *row, struct buf *out)
{
	char span[WHEN_MAX];

	if (row->row->until_ms > r->now_ms) {
		buf_adds(out, in_lang(r->lang, "It goes on at ", "再開時刻: "));
		add_when(out, row->tenant, row->row->until_ms);
		buf_addf(out,
			 in_lang(r->lang, " (in %s): run again then, or run with --wait now.",
				 " (%s後)。その時刻以降に再実行するか、--wait を付けて実行してください。"),
			 span_text(row->row->until_ms - r->now_ms, span));
		return;
	}
	if (before_migration(r, row)) {
		buf_addf(out,
			 in_lang(r->lang,
				 "The vendor's data migration is on %s; nothing but preparation is done before.",
				 "データ移行日は %s です。それまでは準備作業のみ行います。"),
			 row->tenant->migration_date);
		return;
	}
	if (row->row->until_ms) {
		buf_adds(out, in_lang(r->lang, "What it waited for has come: run again.",
				      "待っていた時刻を過ぎました。再実行してください。"));
		return;
	}
	if (is_switch(row)) {
		next_window(r, row->tenant, out);
		buf_adds(out, in_lang(r->lang, ". Run again then, or run with --wait.",
				      "。その時間帯に再実行してください。"));
		return;
	}
	buf_adds(out, in_lang(r->lang, "Run again when that has come.", "条件が整ったら再実行してください。"));
}

static void move_pending(const struct report *r, const struct report_row *row, struct buf *out)
{
	if (before_migration(r, row) || is_switch(row)) {
		move_waiting(r, row, out);
		return;
	}
	buf_adds(out, in_lang(r->lang, "It was not begun: run again.", "まだ始まっていません。再実行してください。"));
}

static void move_running(const struct report *r, const struct report_row *row, struct buf *out)
{
	char span[WHEN_MAX];

	span_text(r->now_ms - row->row->since_ms, span);
	if (*r->holder)
		buf_addf(out, in_lang(r->lang, "It is being worked on, for %s now.", "作業中です (%s経過)。"), span);
	else
		buf_addf(out,
			 in_lang(r->lang,
				 "The controller that worked on it is gone (it began %s ago). Run again: the host "
				 "is looked at before anything is done.",
				 "作業していたコントローラは停止しています (開始は "
				 "%s前)。再実行してください。最初に状態を確認します。"),
			 span);
}

const char *next_missing(const struct report_row *row)
{
	static const char prefix[] = "not in this version: ";
	const char *text = row->row->text ? row->row->text : "";

	return strncmp(text, prefix, sizeof(prefix) - 1) == 0 ? text + sizeof(prefix) - 1 : NULL;
}

/* The rule is engine/confirm.h's: the journal's reader must not know the engine, so it stands here once more. */
static bool is_early(const struct report *r, const struct report_row *row)
{
	return row->step && row->step->phase == PHASE_READY && row->tenant->migration_ms > r->now_ms;
}

void next_early(const struct report *r, const struct report_row *row, struct buf *out)
{
	if (!is_early(r, row))
		return;
	buf_adds(out, in_lang(r->lang, "A confirmation counts from ", "確認は "));
	add_when(out, row->tenant, row->tenant->migration_ms);
	buf_adds(out, in_lang(r->lang, " on, the vendor's data migration; what is looked at or set before does not count.",
			      " (データ移行) 以降に有効です。それより前の確認や設定は有効と見なしません。"));
}

/* The same behind another sentence. */
static void add_early(const struct report *r, const struct report_row *row, struct buf *out)
{
	if (is_early(r, row))
		buf_addc(out, ' ');
	next_early(r, row, out);
}

static void move_by_hand(const struct report *r, const struct report_row *row, struct buf *out)
{
	buf_adds(out, in_lang(r->lang, "This version of cutover does not do it: do it by hand, as the vendor's "
				       "procedure says, then say so; the name is kept. What is not needed is said "
				       "with --result not-needed.",
			      "このバージョンでは実施しません。ベンダの手順に従って手作業で行い、"
			      "担当者名とともに記録してください。不要なものは --result not-needed "
			      "で記録します。"));
	add_early(r, row, out);
}

static void move_blocked(const struct report *r, const struct report_row *row, struct buf *out)
{
	if (next_missing(row))
		move_by_hand(r, row, out);
	else
		buf_adds(out, in_lang(r->lang, "It goes on by itself with the next run once that is settled.",
				      "解消後の次回実行時に続行します。"));
}

static void move_person(const struct report *r, const struct report_row *row, struct buf *out)
{
	char who[16];

	report_row_who(row, who);
	if (strcmp(who, "us") != 0)
		buf_addf(out, in_lang(r->lang, "This is for %s to do. ", "%sの作業です。"), word_who(who, r->lang));
	buf_adds(out, in_lang(r->lang, "When it is done and looked at, say so; the name is kept.",
			      "完了を確認したら、担当者名とともに記録してください。"));
	add_early(r, row, out);
}

static void move_advised(const struct report *r, const struct advice *advice, struct buf *out)
{
	buf_adds(out, advice->what[r->lang]);
	if (advice->line)
		buf_addf(out, in_lang(r->lang, " The line: %s", " 追加する行: %s"), advice->line);
}

void next_move(const struct report *r, const struct report_row *row, struct buf *out)
{
	switch (row->row->state) {
	case STEP_PENDING:
		move_pending(r, row, out);
		return;
	case STEP_WAITING:
		move_waiting(r, row, out);
		return;
	case STEP_BLOCKED:
		move_blocked(r, row, out);
		return;
	case STEP_RUNNING:
		move_running(r, row, out);
		return;
	case STEP_APPLIED:
		buf_adds(out, in_lang(r->lang, "The change is made; the proof is missing. Run again to look once more.",
				      "変更済みですが証明がありません。再実行すると改めて確認します。"));
		return;
	case STEP_NEEDS_PERSON:
		move_person(r, row, out);
		return;
	case STEP_FAILED:
	case STEP_DRIFT:
	case STEP_UNREACHABLE:
	case STEP_INDETERMINATE:
	case STEP_ROLLED_BACK:
		move_advised(r, advice_find(row->row->state, row->row->code ? row->row->code : ""), out);
		return;
	case STEP_VERIFIED:
	case STEP_UNCHANGED:
	case STEP_NOT_APPLICABLE:
	case STEP_CONFIRMED:
	case STEP_WITHDRAWN:
	case STEP_STATES:
		return;
	}
}

static void person_commands(const struct report *r, const struct report_row *row, struct buf *out)
{
	advice_confirm(r, row, "ok", out);
	buf_addc(out, '\n');
	advice_confirm(r, row, "not-needed", out);
	buf_addc(out, '\n');
}

void next_commands(const struct report *r, const struct report_row *row, struct buf *out)
{
	const struct report_cause about = { .step = row->row->step, .rows = &row, .rows_n = 1, .tenants_n = 1 };

	switch (row->row->state) {
	case STEP_NEEDS_PERSON:
		person_commands(r, row, out);
		return;
	case STEP_FAILED:
	case STEP_DRIFT:
	case STEP_UNREACHABLE:
	case STEP_INDETERMINATE:
	case STEP_ROLLED_BACK:
		advice_commands(r, advice_find(row->row->state, row->row->code ? row->row->code : ""), &about, row,
				out);
		return;
	case STEP_RUNNING:
		if (*r->holder)
			return;
		advice_resume(r, out);
		buf_addc(out, '\n');
		return;
	case STEP_PENDING:
	case STEP_APPLIED:
	case STEP_WAITING:
		advice_resume(r, out);
		buf_adds(out, row->row->state == STEP_WAITING ? " --wait\n" : "\n");
		return;
	case STEP_BLOCKED:
		if (!next_missing(row))
			return;
		advice_confirm(r, row, "ok", out);
		buf_addc(out, '\n');
		return;
	case STEP_VERIFIED:
	case STEP_UNCHANGED:
	case STEP_NOT_APPLICABLE:
	case STEP_CONFIRMED:
	case STEP_WITHDRAWN:
	case STEP_STATES:
		return;
	}
}

const struct report_row *next_open_last_switch(const struct report_tenant *t)
{
	for (size_t i = 0; i < t->rows_n; i++) {
		const struct report_row *row = t->rows[i];

		if (row->step && row->step->last_switch && row->row->state != STEP_WITHDRAWN &&
		    !step_state_is_done(row->row->state))
			return row;
	}
	return NULL;
}

/* Lower is more urgent. What is under way comes before what has time. */
static int weight(const struct report_row *row)
{
	enum cause_kind kind = cause_kind_of(row->row->state);

	if (row->row->debts_n)
		return -1;
	return kind == CAUSE_FAILURE || kind == CAUSE_KINDS ? (int)kind : kind == CAUSE_RUNNING ? 1 : (int)kind + 1;
}

const struct report_row *next_headline(const struct report_tenant *t)
{
	const struct report_row *best = NULL, *half = next_open_last_switch(t);
	int best_weight = CAUSE_KINDS;

	for (size_t i = 0; i < t->rows_n; i++) {
		int w = weight(t->rows[i]);

		if (w >= best_weight)
			continue;
		best = t->rows[i];
		best_weight = w;
	}
	/* A failure or work under way says more than that the last step is open; a question to a person says less. */
	return t->state == TENANT_HALF_SWITCHED && half && best_weight > 1 ? half : best;
}
