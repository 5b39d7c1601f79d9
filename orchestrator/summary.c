#include "summary.h"

#include "terminal.h"

#define SHOWN_MAX 20

struct listing {
	size_t shown, more;
	bool (*wanted)(const struct row *row);
};

static void list_row(const struct engine_row *r, void *arg)
{
	struct listing *l = arg;

	if (!l->wanted(r->row))
		return;
	if (l->shown == SHOWN_MAX) {
		l->more++;
		return;
	}
	l->shown++;
	terminal_say("  %s %s %s: %s: %s", r->row->tenant, r->row->step, r->row->target, step_state_name(r->row->state),
		     r->row->text ? r->row->text : "");
}

static bool is_down(const struct row *row)
{
	return row->debts_n > 0;
}

static bool is_bad(const struct row *row)
{
	return step_state_is_bad(row->state) && !row->debts_n && row->state != STEP_ROLLED_BACK;
}

static void list(struct engine *engine, const char *heading, bool (*wanted)(const struct row *row), const char *style)
{
	struct listing count = { .wanted = wanted };

	terminal_say("%s%s%s", style, heading, terminal_style(STYLE_PLAIN));
	engine_each(engine, list_row, &count);
	if (count.more)
		terminal_say("  … and %zu more: `cutover status` groups them by cause", count.more);
}

static void say_counts(const struct engine_outcome *outcome)
{
	struct buf line = BUF_INIT;

	buf_addf(&line, "%zu rows:", outcome->rows);
	for (int i = 0; i < STEP_STATES; i++)
		if (outcome->by_state[i])
			buf_addf(&line, " %zu %s,", outcome->by_state[i], step_state_name((enum step_state)i));
	line.data[line.len - 1] = '.';
	terminal_say("%s", buf_str(&line));
	buf_release(&line);
}

void summary_say(struct engine *engine, const struct engine_outcome *outcome, const struct options *o)
{
	size_t bad = 0;

	for (int i = 0; i < STEP_STATES; i++)
		if (step_state_is_bad((enum step_state)i) && i != STEP_ROLLED_BACK)
			bad += outcome->by_state[i];
	terminal_say_text("\n", 1);
	say_counts(outcome);
	if (outcome->open_debts)
		list(engine, "STILL DOWN, bring these up first:", is_down, terminal_style(STYLE_RED));
	if (bad)
		list(engine, "Not done:", is_bad, terminal_style(STYLE_RED));
	if (outcome->stopped)
		terminal_say("Stopped by the operator: `cutover resume --state %s` goes on.", o->state_path);
	terminal_say("next: cutover status --state %s, cutover why TENANT, cutover report --format html --out DIR", o->state_path);
}
