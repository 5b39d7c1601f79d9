#include "report/due.h"

#include "report/words.h"

const char *due_kind_name(enum due_kind kind)
{
	static const char *const names[DUE_KINDS] = { "none", "window_opens", "window_ends", "period_ends" };

	return names[kind];
}

const char *due_kind_words(enum due_kind kind, enum report_lang lang)
{
	static const char *const words[DUE_KINDS][2] = {
		{ "", "" },
		{ "when the window opens", "作業時間帯の開始まで" },
		{ "when the window ends", "作業時間帯の終了まで" },
		{ "when the vendor's period ends", "設定変更期間の終了まで" },
	};

	return words[kind][lang];
}

/* The part of a window in which the vendor lets things be changed; empty where start_ms is not below end_ms. */
static struct report_window usable(const struct report_tenant *t, const struct report_window *w)
{
	struct report_window u = *w;

	if (u.start_ms < t->migration_ms)
		u.start_ms = t->migration_ms;
	if (t->vendor_period.end_ms && u.start_ms < t->vendor_period.start_ms)
		u.start_ms = t->vendor_period.start_ms;
	if (t->vendor_period.end_ms && u.end_ms > t->vendor_period.end_ms)
		u.end_ms = t->vendor_period.end_ms;
	return u;
}

/* The one that is open or comes next, else the last one; false: there is none at all. */
static bool find_window(const struct report_tenant *t, int64_t now_ms, struct report_window *out)
{
	bool found = false;

	for (size_t i = 0; i < t->windows_n; i++) {
		struct report_window u = usable(t, &t->windows[i]);

		if (u.start_ms >= u.end_ms)
			continue;
		*out = u;
		found = true;
		if (u.end_ms > now_ms)
			break;
	}
	return found;
}

static struct due by_period(const struct report_tenant *t)
{
	int64_t end_ms = t->vendor_period.end_ms;

	return (struct due){ .by_ms = end_ms, .kind = end_ms ? DUE_PERIOD_ENDS : DUE_NONE };
}

struct due due_of(const struct report *r, const struct report_row *row)
{
	const struct report_tenant *t = row->tenant;
	enum phase phase = row->step ? row->step->phase : PHASE_SETTLE;
	struct report_window w;
	struct due due;

	if (phase == PHASE_SETTLE || !find_window(t, r->now_ms, &w)) {
		due = by_period(t);
		due.from_ms = phase == PHASE_READY || phase == PHASE_SWITCH ? t->migration_ms : 0;
		return due;
	}
	if (phase == PHASE_SWITCH)
		return (struct due){ w.start_ms, w.end_ms, DUE_WINDOW_ENDS };
	due = (struct due){ .by_ms = w.start_ms, .kind = DUE_WINDOW_OPENS };
	if (w.start_ms <= r->now_ms && w.end_ms > r->now_ms)
		due = (struct due){ .by_ms = w.end_ms, .kind = DUE_WINDOW_ENDS };
	due.from_ms = phase == PHASE_READY ? t->migration_ms : 0;
	return due;
}
