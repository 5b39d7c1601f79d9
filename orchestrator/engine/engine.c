/*
 * A run as a whole. Work is found by looking at tenants: at the start at all of them, later at one whenever one of its
 * rows ends, its time comes, or a person says something. Everything that may start something happens in the *turn*, a
 * zero timer, so that no callback of a machine or of the journal starts the next thing from inside itself.
 *
 * The run is over when nothing is active, every connection is closed and every entry is on the disk.
 */
#include "engine/engine.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/describe.h"
#include "engine/gate.h"
#include "engine/internal.h"
#include "engine/look.h"

static void turn(struct timer *timer);

void engine_turn_soon(struct engine *e)
{
	if (!timer_is_set(&e->turn) && !e->finished)
		timer_set(&e->timers, &e->turn, 0, turn);
}

uint32_t engine_random(struct engine *e)
{
	/* xorshift32 (Marsaglia 2003): jitter needs no better one, and tests want the same again */
	e->random ^= e->random << 13;
	e->random ^= e->random >> 17;
	e->random ^= e->random << 5;
	return e->random;
}

/* ---- made and freed --------------------------------------------------------------------------------------------- */

static void make_tasks(struct engine *e)
{
	struct tenant_run *tr = NULL;

	e->tasks = NEW_N(struct task, e->roster.n);
	e->tenants = NEW_N(struct tenant_run, e->roster.n);
	for (size_t i = 0; i < e->roster.n; i++) {
		const struct roster_row *r = &e->roster.at[i];
		struct row *row = rows_get(e->cfg.rows, r->tenant->id, r->step->name, r->target);
		if (!tr || tr->tenant != r->tenant) {
			tr = &e->tenants[e->tenants_n++];
			*tr = (struct tenant_run){ .tenant = r->tenant, .tasks = &e->tasks[i], .engine = e };
		}
		tr->n++;
		task_init(&e->tasks[i], e, tr, r, row);
		e->tasks[i].selected = look_selected(e, &e->tasks[i]);
		if (r->agent)
			e->tasks[i].machine = machine_for(e, r);
	}
}

static void ledger_changed(struct ledger *l)
{
	struct engine *e = l->arg;

	if (l->broken && !e->broken_said)
		log_error("the journal cannot be written: %s; nothing new is started", l->broken_why.text);
	e->broken_said = l->broken;
	engine_turn_soon(e);
}

struct engine *engine_new(const struct engine_config *config)
{
	struct engine *e = NEW(struct engine);

	e->cfg = *config;
	e->random = config->seed ? config->seed : 2463534242u;
	e->ledger = (struct ledger){ .journal = config->journal,
				     .rows = config->rows,
				     .clock = config->clock,
				     .events = config->events,
				     .procedure = config->inventory->procedure->name,
				     .run = config->run,
				     .changed = ledger_changed,
				     .moved = config->moved,
				     .moved_arg = config->arg,
				     .arg = e };
	list_init(&e->hungry);
	list_init(&e->to_look);
	timers_init(&e->timers, config->clock);
	if (config->loop)
		timers_attach(&e->timers, config->loop);
	roster_make(&e->roster, config->inventory, config->selection, config->find ? config->find : agent_find);
	make_tasks(e);
	return e;
}

void engine_free(struct engine *e)
{
	for (size_t i = 0; i < e->roster.n; i++)
		task_release(&e->tasks[i]);
	for (size_t i = 0; i < e->machines_n; i++)
		machine_free(e->machines[i]);
	map_release(&e->machine_index);
	free(e->machines);
	free(e->tasks);
	free(e->tenants);
	free(e->barred);
	roster_release(&e->roster);
	timers_release(&e->timers);
	free(e);
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

void engine_look_at(struct engine *e, struct tenant_run *tr)
{
	if (!tr->look) {
		tr->look = true;
		list_append(&e->to_look, &tr->node);
	}
	engine_turn_soon(e);
}

void engine_look_again(struct engine *e, const char *tenant)
{
	for (size_t i = 0; i < e->tenants_n; i++)
		if (strcmp(e->tenants[i].tenant->id, tenant) == 0)
			engine_look_at(e, &e->tenants[i]);
}

int engine_start(struct engine *e, struct err *err)
{
	int r = 0;

	if (e->cfg.reader)
		r = describe_all(&e->ledger, e->cfg.reader, e->cfg.inventory, &e->roster, err);
	if (r)
		return r;
	look_recover(e);
	if (e->cfg.mode == ENGINE_RUN) {
		look_enrol(e);
		look_withdraw(e);
		people_take_back(e);
		people_instruct_all(e);
	}
	for (size_t i = 0; i < e->tenants_n; i++)
		engine_look_at(e, &e->tenants[i]);
	engine_turn_soon(e);
	return 0;
}

/* ---- turns ------------------------------------------------------------------------------------------------------ */

static void serve_machines(struct engine *e)
{
	struct list waiting;

	list_init(&waiting);
	for (struct list *node; (node = list_pop(&e->hungry)) != NULL;) {
		struct machine *m = CONTAINER_OF(node, struct machine, node);
		if (!m->has_slot && list_empty(&m->queue))
			continue;
		if (!m->has_slot && e->slots_used >= e->cfg.concurrency) {
			list_append(&waiting, &m->node);
			continue;
		}
		e->slots_used += !m->has_slot;
		m->has_slot = true;
		machine_pump(m);
	}
	while (!list_empty(&waiting))
		list_append(&e->hungry, list_pop(&waiting));
}

static bool all_quiet(const struct engine *e)
{
	if (e->active || e->slots_used || e->ledger.pending || !list_empty(&e->to_look))
		return false;
	for (size_t i = 0; i < e->tenants_n; i++)
		if (timer_is_set(&e->tenants[i].timer))
			return false;
	return true;
}

static void finish(struct engine *e)
{
	e->finished = true;
	timers_detach(&e->timers);
	e->cfg.done(e, e->cfg.arg);
}

static void turn(struct timer *timer)
{
	struct engine *e = CONTAINER_OF(timer, struct engine, turn);

	for (struct list *node; (node = list_pop(&e->to_look)) != NULL;) {
		struct tenant_run *tr = CONTAINER_OF(node, struct tenant_run, node);
		tr->look = false;
		look_at_tenant(e, tr);
	}
	serve_machines(e);
	if (!e->finished && all_quiet(e))
		finish(e);
}

/* ---- what tasks ask --------------------------------------------------------------------------------------------- */

void engine_counted(struct engine *e)
{
	if (e->active != e->lost)
		e->quiet_since_ms = 0;
	else if (!e->quiet_since_ms)
		e->quiet_since_ms = clock_mono_ms(e->cfg.clock);
}

bool engine_gives_up(const struct task *t)
{
	const struct engine *e = t->engine;
	int64_t quiet = e->quiet_since_ms ? clock_mono_ms(e->cfg.clock) - e->quiet_since_ms : 0;
	struct gate gate;

	gate_time(t->roster->tenant, t->roster->step->phase, clock_wall_ms(e->cfg.clock), &gate);
	if (gate.answer != GATE_OPEN && !t->row->debts_n)
		return true;
	return quiet >= t->roster->tenant->retry.give_up_ms;
}

void engine_task_ended(struct task *t)
{
	engine_look_at(t->engine, t->tenant);
}

const struct err *engine_barred(const struct engine *e, const struct host *host)
{
	for (size_t i = 0; i < e->barred_n; i++)
		if (e->barred[i].host == host)
			return &e->barred[i].why;
	return NULL;
}

void engine_bar(struct engine *e, const struct host *host, const struct err *why)
{
	if (!host || engine_barred(e, host))
		return;
	GROW_FOR_ONE(e->barred, e->barred_n);
	e->barred[e->barred_n++] = (struct barred){ host, *why };
}

void engine_fail_tenant(struct engine *e, struct tenant_run *tr, const char *why)
{
	if (tr->failed || e->cfg.mode != ENGINE_RUN)
		return;
	tr->failed = true;
	snprintf(tr->why, sizeof(tr->why), "%.255s", why);
}

static bool no(struct ending *ending, enum step_state state, int code, const char *text, int64_t until_ms)
{
	*ending = (struct ending){ .set = true, .state = state, .code = code, .until_ms = until_ms };
	snprintf(ending->text, sizeof(ending->text), "%s", text);
	return false;
}

bool engine_may_change(struct task *t, struct ending *ending)
{
	struct engine *e = t->engine;
	struct gate gate;

	if (e->ledger.broken)
		return no(ending, STEP_FAILED, e->ledger.broken_why.code, e->ledger.broken_why.text, 0);
	if (t->stage == STAGE_REVERT)
		return true;
	if (!t->mutated && e->stopping)
		return no(ending, STEP_PENDING, E_CANCELED, "stopped by the operator before anything was changed", 0);
	if (!t->mutated && t->tenant->failed)
		return no(ending, STEP_BLOCKED, 0, "not begun, since something else of this tenant failed", 0);
	gate_time(t->roster->tenant, t->roster->step->phase, clock_wall_ms(e->cfg.clock), &gate);
	if (gate.answer == GATE_OPEN)
		return true;
	return no(ending, STEP_WAITING, 0, gate.text, gate.answer == GATE_LATER ? gate.until_ms : 0);
}

/* ---- stop ------------------------------------------------------------------------------------------------------- */

/* It waits for the far side and nothing is lost by giving up: a poll, or the next try with nothing down. */
static bool is_idle_wait(const struct task *t)
{
	return (t->sm.now == TASK_PAUSE && t->stage != STAGE_RESTORE) || (t->sm.now == TASK_RETRY && !t->row->debts_n);
}

void engine_stop(struct engine *e)
{
	e->stopping++;
	for (size_t i = 0; i < e->tenants_n; i++)
		timer_stop(&e->timers, &e->tenants[i].timer);
	for (size_t i = 0; i < e->roster.n; i++) {
		struct task *t = &e->tasks[i];
		if (t->sm.now == TASK_QUEUED) {
			list_remove(&t->node);
			task_move(t, TASK_IDLE);
		} else if (e->stopping > 1 || is_idle_wait(t)) {
			task_cancel(t);
		}
	}
	engine_turn_soon(e);
}

/* ---- for others ------------------------------------------------------------------------------------------------- */

struct ledger *engine_ledger(struct engine *e)
{
	return &e->ledger;
}

struct timers *engine_timers(struct engine *e)
{
	return &e->timers;
}

void engine_outcome(const struct engine *e, struct engine_outcome *out)
{
	*out = (struct engine_outcome){ .stopped = e->stopping > 0,
					.journal_broken = e->ledger.broken,
					.journal_why = e->ledger.broken_why };
	for (size_t i = 0; i < e->roster.n; i++) {
		const struct task *t = &e->tasks[i];
		if (!t->selected)
			continue;
		out->rows++;
		out->by_state[t->row->state]++;
		out->open_debts += t->row->debts_n;
		out->plan_changes += t->assessed && t->work->assessment.changes_n > 0;
		out->rollback_left += t->row->has_before && t->row->state != STEP_ROLLED_BACK;
		out->plan_problems += t->roster->agent && step_state_is_bad(t->row->state);
	}
}

void engine_each(const struct engine *e, void (*each)(const struct engine_row *row, void *arg), void *arg)
{
	for (size_t i = 0; i < e->roster.n; i++) {
		const struct task *t = &e->tasks[i];
		struct engine_row row = { t->roster, t->row, t->assessed ? &t->work->assessment : NULL,
					  e->cfg.inventory };
		if (t->selected)
			each(&row, arg);
	}
}
