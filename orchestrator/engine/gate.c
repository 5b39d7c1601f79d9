#include "engine/gate.h"

#include "base/clock.h"

static void later(struct gate *g, const struct tenant *t, int64_t until_ms, const char *why)
{
	char when[TIME_TEXT_MAX];

	g->answer = GATE_LATER;
	g->until_ms = until_ms;
	snprintf(g->text, sizeof(g->text), "%s %s", why, time_format(until_ms, t->offset_min, when));
}

static void never(struct gate *g, const char *why)
{
	g->answer = GATE_NEVER;
	snprintf(g->text, sizeof(g->text), "%s", why);
}

static int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The part of a window in which the step may be done: after the migration date, within the vendor's period. */
static struct window usable(const struct tenant *t, const struct window *w)
{
	struct window u = { latest(w->start_ms, t->migration_ms), w->end_ms };

	if (t->vendor_period.end_ms) {
		u.start_ms = latest(u.start_ms, t->vendor_period.start_ms);
		if (u.end_ms > t->vendor_period.end_ms)
			u.end_ms = t->vendor_period.end_ms;
	}
	return u;
}

static void gate_switch(const struct tenant *t, int64_t now_ms, struct gate *g)
{
	for (size_t i = 0; i < t->windows_n; i++) {
		struct window u = usable(t, &t->windows[i]);
		if (u.end_ms <= u.start_ms || u.end_ms <= now_ms)
			continue;
		if (now_ms >= u.start_ms) {
			g->answer = GATE_OPEN;
			g->until_ms = u.end_ms;
			return;
		}
		later(g, t, u.start_ms, "the next change window opens at");
		return;
	}
	if (t->vendor_period.end_ms && now_ms >= t->vendor_period.end_ms)
		never(g, "the vendor's period for changes is over: ask the vendor, then correct vendor_period");
	else
		never(g, "no change window is left: agree a new one with the customer and add it to `windows`");
}

void gate_time(const struct tenant *t, enum phase phase, int64_t now_ms, struct gate *g)
{
	*g = (struct gate){ .answer = GATE_OPEN, .until_ms = INT64_MAX };
	switch (phase) {
	case PHASE_PREPARE:
	case PHASE_SETTLE: /* its condition is a step's, see engine/look.c */
	case PHASES:
		break;
	case PHASE_READY:
		if (now_ms < t->migration_ms)
			later(g, t, t->migration_ms, "the vendor migrates the data at");
		break;
	case PHASE_SWITCH:
		gate_switch(t, now_ms, g);
		break;
	}
}

int64_t gate_last_window_end(const struct tenant *t, int64_t now_ms)
{
	int64_t end = 0;

	for (size_t i = 0; i < t->windows_n; i++)
		if (t->windows[i].end_ms > now_ms)
			end = latest(end, t->windows[i].end_ms);
	return end;
}
