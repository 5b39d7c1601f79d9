#include "engine/look.h"

#include "base/alloc.h"
#include "engine/gate.h"

bool look_selected(const struct engine *e, const struct task *t)
{
	const struct selection *s = e->cfg.selection;
	enum step_state state = t->row->state;

	if (!roster_selected(t->roster, s))
		return false;
	if (!s->only)
		return true;
	return ((s->only & ONLY_FAILED) && (state == STEP_FAILED || state == STEP_DRIFT || state == STEP_INDETERMINATE)) ||
	       ((s->only & ONLY_UNREACHABLE) && state == STEP_UNREACHABLE) ||
	       ((s->only & ONLY_UNFINISHED) && !step_state_is_done(state));
}

void look_recover(struct engine *e)
{
	struct rows *rows = e->cfg.rows;

	for (size_t i = 0; i < rows->n; i++) {
		struct row *row = rows->at[i];
		if (row->state != STEP_RUNNING)
			continue;
		if (row->intents_n || row->debts_n)
			ledger_move(&e->ledger, row, STEP_INDETERMINATE, 0,
				    "the controller ended in the middle of a change: it is looked at again before anything else", 0);
		else
			ledger_move(&e->ledger, row, STEP_PENDING, 0, "the controller ended before anything was changed", 0);
	}
}

void look_enrol(struct engine *e)
{
	for (size_t i = 0; i < e->roster.n; i++) {
		struct task *t = &e->tasks[i];
		struct journal_entry note = ledger_entry(t->row, JOURNAL_NOTE, "row", "");
		if (t->selected && !t->row->first_ms && t->roster->agent)
			ledger_add(&e->ledger, &note, NULL, 1, NULL);
	}
}

void look_withdraw(struct engine *e)
{
	struct map known = { 0 };

	for (size_t i = 0; i < e->roster.n; i++) {
		char *key = str_fmt("%s|%s|%s", e->tasks[i].row->tenant, e->tasks[i].row->step, e->tasks[i].row->target);
		map_set(&known, key, &e->tasks[i]);
		free(key);
	}
	for (size_t i = 0; i < e->cfg.rows->n; i++) {
		struct row *row = e->cfg.rows->at[i];
		const struct tenant *t = inventory_tenant(e->cfg.inventory, row->tenant);
		char *key = str_fmt("%s|%s|%s", row->tenant, row->step, row->target);
		bool gone = (!t || selection_tenant(e->cfg.selection, t)) && !map_get(&known, key);
		if (gone && !row->debts_n && step_state_may(row->state, STEP_WITHDRAWN))
			ledger_move(&e->ledger, row, STEP_WITHDRAWN, 0, "it is no longer in the inventory", 0);
		free(key);
	}
	map_release(&known);
}

/* ---- one row ---------------------------------------------------------------------------------------------------- */

/* Says a state and why, once: repeated runs add no entry that says the same. */
static void say(struct task *t, enum step_state state, const char *text, int64_t until_ms)
{
	struct row *row = t->row;

	if (row->state == state && strcmp(row->text ? row->text : "", text) == 0)
		return;
	if (row->state == state ? step_state_may(state, STEP_PENDING) :
				  step_state_may(row->state, state) || (step_state_may(row->state, STEP_PENDING) &&
									step_state_may(STEP_PENDING, state)))
		ledger_move(&t->engine->ledger, row, state, 0, text, until_ms);
}

static bool steps_done(struct task *t, const struct procedure_step *const *steps, size_t n, char *why, size_t size)
{
	struct tenant_run *tr = t->tenant;

	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < tr->n; i++) {
			const struct task *other = &tr->tasks[i];
			if (other->roster->step != steps[k] || step_state_is_done(other->row->state))
				continue;
			snprintf(why, size, "waits for %s of %s, which is %s", steps[k]->name, other->roster->target,
				 step_state_name(other->row->state));
			return false;
		}
	}
	return true;
}

/* Within a step the hosts come first (in the procedure, too): what is asked for a domain or a tenant shows what came of
   it. The first host of the step of which `is` holds, or NULL. */
static const struct task *host_that(const struct task *t, bool (*is)(const struct task *host))
{
	const struct tenant_run *tr = t->tenant;

	for (size_t i = 0; i < tr->n && !t->roster->host; i++) {
		const struct task *other = &tr->tasks[i];
		if (other->roster->step == t->roster->step && other->roster->host && is(other))
			return other;
	}
	return NULL;
}

static bool is_at_work(const struct task *t)
{
	return t->sm.now != TASK_IDLE && t->sm.now != TASK_DONE;
}

static bool is_left(const struct task *t)
{
	return is_at_work(t) || !step_state_is_done(t->row->state);
}

static bool is_put_back(const struct task *t)
{
	return t->row->state == STEP_ROLLED_BACK;
}

static bool hosts_done(const struct task *t, char *why, size_t size)
{
	const struct task *host = host_that(t, is_left);

	if (host)
		snprintf(why, size, "waits for %s, which is %s", host->roster->target,
			 is_at_work(host) ? "looked at" : step_state_name(host->row->state));
	return !host;
}

/* What the step needs, and what the tenant wants it to wait for (mx_waits_for). */
static bool needs_open(struct task *t, char *why, size_t size)
{
	const struct procedure_step *step = t->roster->step;
	size_t n;
	const struct procedure_step *const *waits = tenant_waits_for(t->roster->tenant, step, &n);

	return hosts_done(t, why, size) && steps_done(t, step->needs, step->needs_n, why, size) && steps_done(t, waits, n, why, size);
}

/* settle: once the tenant's last switch step is done. */
static bool switched(const struct task *t, char *why, size_t size)
{
	struct tenant_run *tr = t->tenant;

	if (t->roster->step->phase != PHASE_SETTLE)
		return true;
	for (size_t i = 0; i < tr->n; i++) {
		const struct task *other = &tr->tasks[i];
		if (other->roster->step->phase != PHASE_SWITCH || step_state_is_done(other->row->state))
			continue;
		snprintf(why, size, "waits until all is switched: %s of %s is %s", other->roster->step->name,
			 other->roster->target, step_state_name(other->row->state));
		return false;
	}
	return true;
}

static void start(struct task *t)
{
	if (!t->engine->stopping)
		task_queue(t);
}

static void wake_tenant(struct timer *timer)
{
	struct tenant_run *tr = CONTAINER_OF(timer, struct tenant_run, timer);

	for (size_t i = 0; i < tr->n; i++)
		if (tr->tasks[i].sm.now == TASK_DONE && tr->tasks[i].row->state == STEP_WAITING)
			task_move(&tr->tasks[i], TASK_IDLE);
	engine_look_at(tr->engine, tr);
}

/* --wait: the tenant is looked at again when the gate opens, if one of its windows is still to come then. */
static void wait_for(struct task *t, int64_t until_ms)
{
	struct engine *e = t->engine;
	int64_t now = clock_wall_ms(e->cfg.clock), after = until_ms - now;
	struct timer *timer = &t->tenant->timer;

	if (!e->cfg.wait || e->stopping || until_ms >= gate_last_window_end(t->roster->tenant, now))
		return;
	if (!timer_is_set(timer) || timer->due_ms > clock_mono_ms(e->cfg.clock) + after)
		timer_set(&e->timers, timer, after, wake_tenant);
}

/* May the row be begun? Says why not. What is open from before needs no gate: it is looked at, and brought up. */
static void look_gates(struct task *t)
{
	struct row *row = t->row;
	struct gate gate;
	char why[512];

	if (row->state == STEP_VERIFIED || row->state == STEP_UNCHANGED || row->state == STEP_INDETERMINATE || row->debts_n) {
		if (!host_that(t, is_at_work)) /* the end of each is looked at */
			start(t);
		return;
	}
	if (!needs_open(t, why, sizeof(why)) || !switched(t, why, sizeof(why))) {
		say(t, STEP_BLOCKED, why, 0);
		return;
	}
	if (t->tenant->failed) {
		snprintf(why, sizeof(why), "not begun, since something else of this tenant failed: %s", t->tenant->why);
		say(t, STEP_BLOCKED, why, 0);
		return;
	}
	gate_time(t->roster->tenant, t->roster->step->phase, clock_wall_ms(t->engine->cfg.clock), &gate);
	if (gate.answer == GATE_OPEN) {
		start(t);
		return;
	}
	say(t, STEP_WAITING, gate.text, gate.answer == GATE_LATER ? gate.until_ms : 0);
	if (gate.answer == GATE_LATER)
		wait_for(t, gate.until_ms);
}

static void look_run(struct task *t)
{
	const struct roster_row *r = t->roster;

	if (t->row->state == STEP_CONFIRMED)
		return; /* a person's word stands */
	switch (r->disposition) {
	case ROW_BLOCKED:
		say(t, STEP_BLOCKED, r->text, 0);
		break;
	case ROW_NOT_APPLICABLE:
		say(t, STEP_NOT_APPLICABLE, r->text, 0);
		break;
	case ROW_PERSON:
		if (t->row->state != STEP_NOT_APPLICABLE) /* she may have said so */
			say(t, STEP_NEEDS_PERSON, r->text, 0);
		break;
	case ROW_DO:
	case ROW_WATCH:
		/* Put back, or said not to be needed: so it stays unless it is named. A check goes with its hosts. */
		if (((t->row->state == STEP_ROLLED_BACK && !agent_only_checks(r->agent)) ||
		     t->row->state == STEP_NOT_APPLICABLE) &&
		    !selection_names(t->engine->cfg.selection, r->tenant, r->step, r->host))
			break;
		look_gates(t);
		break;
	}
}

static void look_plan(struct task *t)
{
	if (t->roster->disposition != ROW_DO && t->roster->disposition != ROW_WATCH)
		look_run(t);
	else if (!host_that(t, is_at_work))
		start(t);
}

/* A host of the step was put back: what was the proof that it had moved is none any more. */
static bool proof_is_void(const struct task *t)
{
	return t->roster->agent && agent_only_checks(t->roster->agent) && step_state_may(t->row->state, STEP_ROLLED_BACK) &&
	       host_that(t, is_put_back);
}

/* Only what we changed can be put back. */
static void look_rollback(struct task *t)
{
	if (proof_is_void(t))
		ledger_move(&t->engine->ledger, t->row, STEP_ROLLED_BACK, 0,
			    "what this was the proof of was put back", 0);
	else if (t->roster->agent && (t->row->has_before || t->row->debts_n) && t->row->state != STEP_ROLLED_BACK)
		start(t);
}

static void look(struct task *t)
{
	if (!t->selected || t->sm.now != TASK_IDLE)
		return;
	switch (t->engine->cfg.mode) {
	case ENGINE_PLAN:
		look_plan(t);
		break;
	case ENGINE_RUN:
		look_run(t);
		break;
	case ENGINE_ROLLBACK:
		look_rollback(t);
		break;
	}
}

void look_at_tenant(struct engine *e, struct tenant_run *tr)
{
	bool newest_first = e->cfg.mode == ENGINE_ROLLBACK;

	for (size_t i = 0; i < tr->n; i++)
		look(&tr->tasks[newest_first ? tr->n - 1 - i : i]);
}
