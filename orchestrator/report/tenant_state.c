#include "report/tenant_state.h"

/* What is asked of the rows, each counted once. */
struct tally {
	size_t rows, open;		 /* all of them; not done */
	size_t open_early;		 /* of prepare and ready, not done */
	size_t switch_rows, open_switch; /* of switch */
	size_t open_last;		 /* of the last step of switch, not done */
	size_t moved;			 /* of switch, moved by us or by a person */
	size_t running;			 /* of switch, under way */
	size_t bad, rolled_back;
};

static void tally_switch(struct tally *t, const struct tenant_state_row *row, bool open)
{
	t->switch_rows++;
	t->open_switch += open;
	t->open_last += open && row->last_switch;
	t->running += row->state == STEP_RUNNING;
	/* "unchanged" is no move: it was so before we came. */
	t->moved += row->state == STEP_VERIFIED || row->state == STEP_APPLIED || row->state == STEP_CONFIRMED;
}

static void tally_row(struct tally *t, const struct tenant_state_row *row)
{
	bool open = !step_state_is_done(row->state);

	if (row->state == STEP_WITHDRAWN)
		return;
	t->rows++;
	t->open += open;
	t->open_early += open && (row->phase == PHASE_PREPARE || row->phase == PHASE_READY);
	t->rolled_back += row->state == STEP_ROLLED_BACK;
	t->bad += step_state_is_bad(row->state) && row->state != STEP_ROLLED_BACK;
	if (row->phase == PHASE_SWITCH)
		tally_switch(t, row, open);
}

enum tenant_state tenant_state_derive(const struct tenant_state_row *rows, size_t n)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < n; i++)
		tally_row(&t, &rows[i]);
	if (t.rows == 0)
		return TENANT_NOT_READY;
	if (t.moved > 0 && t.open_last > 0)
		return TENANT_HALF_SWITCHED;
	if (t.bad > 0)
		return TENANT_FAILED;
	if (t.rolled_back > 0)
		return TENANT_ROLLED_BACK;
	if (t.open == 0)
		return TENANT_DONE;
	if (t.switch_rows > 0 && t.open_switch == 0)
		return TENANT_WATCHING;
	if (t.running > 0)
		return TENANT_SWITCHING;
	return t.open_early == 0 ? TENANT_READY : TENANT_NOT_READY;
}
