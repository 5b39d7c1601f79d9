#include "progress.h"

#include "base/clock.h"
#include "terminal.h"

#define REDRAW_MS 250
#define PLAIN_EVERY_MS 30000
#define BAR_WIDTH 30
#define RANGE_FROM 5 /* rows that must be through before a time left is guessed */

static void add_bar(struct buf *out, const struct engine_progress *p)
{
	size_t over = p->done + p->bad;
	size_t filled = p->total ? over * BAR_WIDTH / p->total : BAR_WIDTH;

	buf_addc(out, '[');
	for (size_t i = 0; i < BAR_WIDTH; i++)
		buf_addc(out, i < filled ? '#' : '.');
	buf_addf(out, "] %zu of %zu", over, p->total);
}

/* A range, since hosts differ: half to double of what the rows so far needed. */
static void add_time_left(struct buf *out, const struct engine_progress *p, int64_t elapsed_ms)
{
	size_t over = p->done + p->bad;
	char low[TIME_TEXT_MAX], high[TIME_TEXT_MAX];
	int64_t left;

	if (over < RANGE_FROM || !p->running)
		return;
	left = elapsed_ms * (int64_t)(p->total - over - p->waiting) / (int64_t)over;
	buf_addf(out, "   %s to %s left", time_format_duration(left / 2, low), time_format_duration(left * 2, high));
}

static void add_counts(struct buf *out, const struct engine_progress *p)
{
	buf_addf(out, "%s%zu done%s, %s%zu failed%s, %zu running, %zu waiting", terminal_style(STYLE_GREEN), p->done,
		 terminal_style(STYLE_PLAIN), p->bad ? terminal_style(STYLE_RED) : "", p->bad,
		 p->bad ? terminal_style(STYLE_PLAIN) : "", p->running, p->waiting);
}

static void add_slowest(struct buf *out, const struct engine_progress *p)
{
	char age[TIME_TEXT_MAX];

	for (size_t i = 0; i < p->slowest_n; i++)
		buf_addf(out, "\n  %-20s %-24s %-14s %s", p->slowest[i].tenant, p->slowest[i].target, p->slowest[i].phase,
			 time_format_duration(p->slowest[i].age_ms, age));
}

static void picture(struct progress *p, struct buf *out)
{
	struct engine_progress now;
	char elapsed[TIME_TEXT_MAX];
	int64_t ms = clock_mono_ms(&clock_system) - p->begun_ms;

	engine_progress(p->engine, &now);
	buf_addf(out, "%s  ", p->command);
	add_bar(out, &now);
	buf_addf(out, "   %s", time_format_duration(ms, elapsed));
	add_time_left(out, &now, ms);
	buf_adds(out, "\n");
	add_counts(out, &now);
	if (p->stops)
		buf_addf(out, "   %sstopping%s", terminal_style(STYLE_YELLOW), terminal_style(STYLE_PLAIN));
	add_slowest(out, &now);
	buf_adds(out, "\n");
}

static void say_plain(struct progress *p)
{
	struct engine_progress now;
	struct buf line = BUF_INIT;

	engine_progress(p->engine, &now);
	add_counts(&line, &now);
	add_slowest(&line, &now);
	terminal_say_text(buf_str(&line), line.len);
	buf_release(&line);
}

static void tick(uv_timer_t *timer)
{
	struct progress *p = timer->data;
	int64_t now = clock_mono_ms(&clock_system);
	struct buf out = BUF_INIT;

	if (p->live) {
		picture(p, &out);
		terminal_draw(buf_str(&out), out.len);
		buf_release(&out);
	} else if (now - p->said_ms >= PLAIN_EVERY_MS) {
		p->said_ms = now;
		say_plain(p);
	}
}

void progress_start(struct progress *p, uv_loop_t *loop, struct engine *engine, const char *command)
{
	*p = (struct progress){ .engine = engine, .command = command, .open = true, .live = terminal_is_live() };
	p->begun_ms = p->said_ms = clock_mono_ms(&clock_system);
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	uv_timer_start(&p->timer, tick, REDRAW_MS, REDRAW_MS);
}

void progress_end(struct progress *p)
{
	if (p->live) {
		tick(&p->timer);
		terminal_draw_end(true);
	}
	p->live = false;
}

void progress_close(struct progress *p)
{
	if (p->open)
		uv_close((uv_handle_t *)&p->timer, NULL);
	p->open = false;
}

/* Only ends are lines; what waits or is blocked is in the summary. */
static enum terminal_style style_of(enum step_state state, bool *worth)
{
	*worth = true;
	if (step_state_is_bad(state))
		return STYLE_RED;
	if (state == STEP_VERIFIED || state == STEP_UNCHANGED)
		return STYLE_GREEN;
	*worth = state == STEP_APPLIED;
	return STYLE_YELLOW;
}

void progress_moved(const struct row *row, void *arg)
{
	enum terminal_style style;
	bool worth;

	(void)arg;
	style = style_of(row->state, &worth);
	if (worth && !terminal_is_live())
		terminal_say("%s%s%s %s %s %s%s%s", terminal_style(style), step_state_name(row->state),
			     terminal_style(STYLE_PLAIN), row->tenant, row->step, row->target,
			     row->text && *row->text ? ": " : "", row->text ? row->text : "");
}

void progress_say(struct progress *p)
{
	say_plain(p);
}

void progress_stopping(struct progress *p)
{
	p->stops++;
	if (p->stops == 1)
		terminal_say("stopping: nothing new is started, what runs is finished and put right; once more: cancel it");
	else
		terminal_say("cancelling what runs on the far side; what is down is brought up again");
}
