#include "report/words.h"

#include "base/clock.h"

const char *word_step_state(enum step_state state, enum report_lang lang)
{
	static const char *const words[STEP_STATES][2] = {
		[STEP_PENDING] = { "not begun", "未着手" },
		[STEP_WAITING] = { "waiting", "時期待ち" },
		[STEP_BLOCKED] = { "blocked", "保留" },
		[STEP_RUNNING] = { "running", "実行中" },
		[STEP_APPLIED] = { "not proved", "未検証" },
		[STEP_VERIFIED] = { "verified", "検証済み" },
		[STEP_UNCHANGED] = { "unchanged", "変更不要" },
		[STEP_NOT_APPLICABLE] = { "not needed", "対象外" },
		[STEP_NEEDS_PERSON] = { "needs a person", "要対応" },
		[STEP_CONFIRMED] = { "confirmed", "確認済み" },
		[STEP_FAILED] = { "failed", "失敗" },
		[STEP_DRIFT] = { "drift", "差異" },
		[STEP_UNREACHABLE] = { "unreachable", "到達不能" },
		[STEP_INDETERMINATE] = { "indeterminate", "結果不明" },
		[STEP_ROLLED_BACK] = { "rolled back", "復元済み" },
		[STEP_WITHDRAWN] = { "withdrawn", "取り下げ" },
	};

	return words[state][lang];
}

const char *word_step_state_meaning(enum step_state state, enum report_lang lang)
{
	static const char *const ja[STEP_STATES] = {
		[STEP_PENDING] = "まだ始まっていません",
		[STEP_WAITING] = "時期を待っています",
		[STEP_BLOCKED] = "先に済ませるべきことがあります",
		[STEP_RUNNING] = "作業中です",
		[STEP_APPLIED] = "実施しましたが、証明がまだです",
		[STEP_VERIFIED] = "実施し、改めて確認しました",
		[STEP_UNCHANGED] = "最初から正しい状態でした",
		[STEP_NOT_APPLICABLE] = "ここでは不要です",
		[STEP_NEEDS_PERSON] = "担当者の判断または作業が必要です",
		[STEP_CONFIRMED] = "担当者が実施を確認しました",
		[STEP_FAILED] = "実行できませんでした",
		[STEP_DRIFT] = "旧値でも新値でもないため、変更していません",
		[STEP_UNREACHABLE] = "ホストが応答しません",
		[STEP_INDETERMINATE] = "結果がまだ分かりません",
		[STEP_ROLLED_BACK] = "元に戻しました",
		[STEP_WITHDRAWN] = "インベントリから外れました",
	};

	return lang == REPORT_JA ? ja[state] : step_state_meaning(state);
}

const char *word_tenant_state(enum tenant_state state, enum report_lang lang)
{
	static const char *const words[TENANT_STATES][2] = {
		[TENANT_NOT_READY] = { "not ready", "準備中" },
		[TENANT_READY] = { "ready", "準備完了" },
		[TENANT_SWITCHING] = { "switching", "切替中" },
		[TENANT_HALF_SWITCHED] = { "half-switched", "切替途中" },
		[TENANT_WATCHING] = { "watching", "監視中" },
		[TENANT_DONE] = { "done", "完了" },
		[TENANT_ROLLED_BACK] = { "rolled back", "復元済み" },
		[TENANT_FAILED] = { "failed", "失敗" },
	};

	return words[state][lang];
}

const char *word_tenant_state_meaning(enum tenant_state state, enum report_lang lang)
{
	static const char *const words[TENANT_STATES][2] = {
		[TENANT_NOT_READY] = { "something has to be done before the switch", "切替前の作業が残っています" },
		[TENANT_READY] = { "all is prepared, nothing is switched", "準備が整い、まだ何も切り替えていません" },
		[TENANT_SWITCHING] = { "being switched now", "切替作業中です" },
		[TENANT_HALF_SWITCHED] = { "something is switched, the last step of the switch is not",
					   "一部を切り替え、最後の切替手順が残っています" },
		[TENANT_WATCHING] = { "switched; what follows is not over yet",
				      "切替済みで、後続の手順が残っています" },
		[TENANT_DONE] = { "all steps are done", "すべての手順が完了しました" },
		[TENANT_ROLLED_BACK] = { "put back as it was", "元に戻しました" },
		[TENANT_FAILED] = { "a step did not work", "実行できなかった手順があります" },
	};

	return words[state][lang];
}

const char *word_phase(enum phase phase, enum report_lang lang)
{
	static const char *const words[PHASES][2] = {
		[PHASE_PREPARE] = { "prepare", "準備" },
		[PHASE_READY] = { "ready", "事前確認" },
		[PHASE_SWITCH] = { "switch", "切替" },
		[PHASE_SETTLE] = { "settle", "後処理" },
	};

	return words[phase][lang];
}

const char *word_who(const char *who, enum report_lang lang)
{
	if (strcmp(who, "customer") == 0)
		return in_lang(lang, "the customer", "お客様");
	if (strcmp(who, "isp") == 0)
		return in_lang(lang, "the customer's ISP", "ISP");
	return in_lang(lang, "us", "当社");
}

/* RFC 3339 with a space for the T, and the first `keep` characters of date and time. */
static const char *when(int64_t wall_ms, int offset_min, size_t skip, size_t keep, bool zone, char out[WHEN_MAX])
{
	char text[TIME_TEXT_MAX];

	if (wall_ms == 0) {
		snprintf(out, WHEN_MAX, "–");
		return out;
	}
	time_format(wall_ms, offset_min, text);
	text[10] = ' ';
	snprintf(out, WHEN_MAX, "%.*s%s%s", (int)(keep - skip), text + skip, zone ? " " : "",
		 !zone		   ? ""
		 : offset_min == 0 ? "UTC"
				   : text + 19);
	return out;
}

const char *when_full(int64_t wall_ms, int offset_min, char out[WHEN_MAX])
{
	return when(wall_ms, offset_min, 0, 19, true, out);
}

const char *when_minute(int64_t wall_ms, int offset_min, char out[WHEN_MAX])
{
	return when(wall_ms, offset_min, 0, 16, true, out);
}

const char *when_clock(int64_t wall_ms, int offset_min, char out[WHEN_MAX])
{
	return when(wall_ms, offset_min, 11, 19, false, out);
}

const char *when_day(int64_t wall_ms, int offset_min, char out[WHEN_MAX])
{
	return when(wall_ms, offset_min, 0, 16, false, out);
}

const char *span_text(int64_t ms, char out[WHEN_MAX])
{
	char text[TIME_TEXT_MAX];
	int64_t hours = ms / 3600000;

	if (hours >= 48)
		snprintf(out, WHEN_MAX, "%lld days %lld h", (long long)(hours / 24), (long long)(hours % 24));
	else
		snprintf(out, WHEN_MAX, "%s", time_format_duration(ms < 0 ? 0 : ms, text));
	return out;
}

const char *hash_short(const char *sha256, char out[16])
{
	snprintf(out, 16, "%.12s", sha256);
	return out;
}
