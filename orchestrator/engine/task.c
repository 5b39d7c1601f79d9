/*
 * One task from its start to its end. The happy path: the machine connects, the tables of the agent are worked through
 * op by op (task_next), each changing op after its intent is on the disk, and task_end writes the row's last state. A
 * failure of the way (task_way_failed) puts the task into RETRY with the machine released, or ends it. Closing: a task
 * ends only through task_end, which also is the only place that releases the machine for good.
 */
#include "engine/internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/before.h"

#define ITEMS_MAX 1000 /* of one row of a table: more is an agent that never says OP_END */

const struct sm_state task_states[] = {
	[TASK_IDLE] = { "idle", SM_TO(TASK_QUEUED) | SM_TO(TASK_DONE) },
	[TASK_QUEUED] = { "queued", SM_TO(TASK_CONNECT) | SM_TO(TASK_DONE) | SM_TO(TASK_IDLE) },
	[TASK_CONNECT] = { "connect", SM_TO(TASK_TABLE) | SM_TO(TASK_RETRY) | SM_TO(TASK_DONE) },
	[TASK_TABLE] = { "table", SM_TO(TASK_TABLE) | SM_TO(TASK_JOURNAL) | SM_TO(TASK_OP) | SM_TO(TASK_PAUSE) |
					  SM_TO(TASK_COMMANDS) | SM_TO(TASK_RETRY) | SM_TO(TASK_DONE) },
	[TASK_JOURNAL] = { "journal", SM_TO(TASK_OP) | SM_TO(TASK_TABLE) | SM_TO(TASK_DONE) },
	[TASK_OP] = { "op", SM_TO(TASK_TABLE) | SM_TO(TASK_RETRY) | SM_TO(TASK_DONE) },
	[TASK_PAUSE] = { "pause", SM_TO(TASK_TABLE) | SM_TO(TASK_JOURNAL) | SM_TO(TASK_OP) | SM_TO(TASK_DONE) },
	[TASK_COMMANDS] = { "commands", SM_TO(TASK_TABLE) | SM_TO(TASK_RETRY) | SM_TO(TASK_DONE) },
	[TASK_RETRY] = { "retry", SM_TO(TASK_QUEUED) | SM_TO(TASK_DONE) },
	[TASK_DONE] = { "done", SM_TO(TASK_IDLE) },
};

static bool is_active(int state)
{
	return state != TASK_IDLE && state != TASK_DONE;
}

void task_move(struct task *t, enum task_state to)
{
	bool was = is_active(t->sm.now);
	const char *from = sm_move(&t->sm, (int)to, t->roster->target);

	log_trace("%s/%s %s: task %s -> %s", t->row->tenant, t->row->step, t->row->target, from, sm_name(&t->sm));
	if (!was && is_active((int)to)) {
		t->begun_ms = clock_mono_ms(t->engine->cfg.clock);
		t->engine->active++;
	} else if (was && !is_active((int)to)) {
		/* Counted out first: one that gives up must not begin the others' quiet time (give_up_ms) anew. */
		t->engine->active--;
		task_set_lost(t, false);
	}
	engine_counted(t->engine);
}

void task_set_lost(struct task *t, bool lost)
{
	if (t->lost == lost)
		return;
	t->lost = lost;
	t->engine->lost += lost ? 1 : (size_t)-1;
	engine_counted(t->engine);
}

void task_init(struct task *t, struct engine *e, struct tenant_run *tr, const struct roster_row *r, struct row *row)
{
	*t = (struct task){ .engine = e, .tenant = tr, .roster = r, .row = row };
	sm_init(&t->sm, task_states, TASK_IDLE);
}

void task_release(struct task *t)
{
	facts_release(&t->now);
	facts_release(&t->before);
	if (!t->work)
		return;
	op_release(&t->work->op);
	op_result_release(&t->work->request.result);
	assessment_release(&t->work->assessment);
	free(t->work);
	t->work = NULL;
}

/* ---- what agents see -------------------------------------------------------------------------------------------- */

/* The context is the agent's view of one task; step_done finds its task again through `now`. */
bool task_step_done(const struct agent_ctx *ctx, const char *step, const char *item)
{
	const struct task *t = CONTAINER_OF(ctx->now, struct task, now);

	return row_step_done(t->row, step, item);
}

struct agent_ctx task_ctx(struct task *t)
{
	static json_t *none;

	if (!none)
		none = json_object();
	return (struct agent_ctx){
		.inventory = t->engine->cfg.inventory,
		.tenant = t->roster->tenant,
		.host = t->roster->host,
		.domain = t->roster->domain,
		.step = t->roster->step,
		.target = t->roster->target,
		.params = t->roster->use && t->roster->use->params ? t->roster->use->params : none,
		.with = t->roster->with ? t->roster->with : none,
		.now = &t->now,
		.before = &t->before,
		.assessment = t->assessed ? &t->work->assessment : NULL,
		.wall_ms = clock_wall_ms(t->engine->cfg.clock),
		.step_done = task_step_done,
		.neighbours = task_neighbours,
	};
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

void task_queue(struct task *t)
{
	task_move(t, TASK_QUEUED);
	machine_add(t->machine, t);
}

void task_begin(struct task *t)
{
	t->was_done = t->was_done || t->row->state == STEP_VERIFIED || t->row->state == STEP_UNCHANGED;
	if (!t->work)
		t->work = NEW(struct task_work);
	ledger_move(&t->engine->ledger, t->row, STEP_RUNNING, 0, "", 0);
	task_move(t, TASK_CONNECT);
}

void task_connected(struct task *t)
{
	struct err err = { 0 };

	if (t->roster->host) /* for what is no host it says nothing that the controller itself is there */
		task_set_lost(t, false);
	task_move(t, TASK_TABLE);
	if (t->row->has_before && !t->before.n && t->engine->cfg.reader &&
	    before_from_json(t->row->before_json, t->engine->cfg.reader, &t->before, &err) != 0) {
		err_prefix(&err, "what was there before cannot be read from the state file: ");
		task_end(t, STEP_FAILED, err.code, err.text, 0);
		return;
	}
	stage_enter(t, STAGE_OBSERVE);
}

/* ---- the interpreter -------------------------------------------------------------------------------------------- */

void task_next(struct task *t)
{
	for (;;) {
		const struct step *step = &t->table[t->at];
		struct agent_ctx ctx = task_ctx(t);
		enum step_request request;

		if (!step->name) {
			stage_table_over(t);
			return;
		}
		if (t->n > ITEMS_MAX) {
			fprintf(stderr, "cutover: fault: agent %s: %s never ends\n", t->roster->agent->name, step->name);
			abort();
		}
		op_release(&t->work->op);
		op_init(&t->work->op, OP_RUN);
		t->work->item[0] = '\0';
		request = step->request(&ctx, t->n, &t->work->op, t->work->item);
		if (request == OP_DO) {
			task_start_op(t);
			return;
		}
		t->at += request == OP_END;
		t->n = request == OP_END ? 0 : t->n + 1;
		t->poll_since_ms = 0;
		t->step_attempts = 0;
	}
}

static void op_done(struct remote_request *request)
{
	struct task *t = request->arg;

	/* Judging may start the next op on this very request, or end the task, and the request with it. */
	struct op_result result = request->result;

	request->result = (struct op_result){ 0 };
	t->result = &result;
	task_move(t, TASK_TABLE);
	judge_result(t);
	t->result = NULL;
	op_result_release(&result);
	engine_turn_soon(t->engine);
}

/* Not even begun: the result says why, as if it had come from the transport. */
static void op_impossible(struct task *t, const struct err *why)
{
	struct op_result result = { .failure = *why };

	task_move(t, TASK_TABLE);
	t->result = &result;
	judge_result(t);
	t->result = NULL;
	engine_turn_soon(t->engine);
}

static void begin_op(struct task *t)
{
	const struct step *step = &t->table[t->at];
	const struct remote_spec *through = NULL;
	struct op *op = &t->work->op;
	struct err err = { 0 };

	if (machine_unlock(t->machine, op, &err) != 0 ||
	    (op->via && machine_through(t->machine, t->roster->tenant, op, &through, &err) != 0)) {
		op_impossible(t, &err);
		return;
	}
	if (step->deadline_ms)
		op->timeout_ms = step->deadline_ms;
	t->work->request =
		(struct remote_request){ .op = op, .what = step->name, .through = through, .done = op_done, .arg = t };
	task_move(t, TASK_OP);
	remote_start(t->machine->remote, &t->work->request);
}

/* The intent is on the disk (or cannot be written: then only what brings things up again may still be done). */
static void intent_durable(struct ledger_waiter *w, int status)
{
	struct task *t = CONTAINER_OF(w, struct task, waiter);

	if (status == 0 || t->stage == STAGE_RESTORE) {
		begin_op(t);
	} else {
		task_move(t, TASK_TABLE);
		t->intent_open = false;
		stage_settle(t, STEP_FAILED, status, "nothing more is changed: the journal cannot be written", 0);
	}
	engine_turn_soon(t->engine);
}

static char *intent_data(const struct task *t)
{
	static const char *const kinds[] = { "run", "exec", "get", "replace", "http" };
	char sha[SHA256_HEX_MAX];
	json_t *o = json_object();
	char *text;

	json_object_set_new(o, "op", json_string(kinds[t->work->op.kind]));
	if (t->work->op.script)
		json_object_set_new(o, "script", json_string(t->work->op.script->name));
	if (t->work->op.path)
		json_object_set_new(o, "path", json_string(t->work->op.path));
	if (t->work->op.url)
		json_object_set_new(o, "url", json_string(t->work->op.url));
	if (t->work->op.kind == OP_REPLACE)
		json_object_set_new(o, "before_sha256", json_string(t->work->op.expect_sha256));
	if (t->work->op.input.len)
		json_object_set_new(o, "input_sha256",
				    json_string(sha256_hex(t->work->op.input.data, t->work->op.input.len, sha)));
	json_object_set_new(o, "elevated", json_boolean(t->work->op.elevated));
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	return text;
}

/* The first change of a row: what was there before is kept for ever, and what apply works from. */
static size_t first_change_entries(struct task *t, struct journal_entry *entries, char **before, char **changes)
{
	struct engine *e = t->engine;
	struct journal_blob *blobs;
	size_t blobs_n, n = 0;

	*before = *changes = NULL;
	if (!t->row->has_before) {
		facts_copy(&t->before, &t->now);
		*before = before_to_json(&t->before, &blobs, &blobs_n);
		ledger_put_blobs(&e->ledger, blobs, blobs_n);
		free(blobs);
		entries[n] = ledger_entry(t->row, JOURNAL_BEFORE, NULL, NULL);
		entries[n++].data = *before;
	}
	if (t->stage == STAGE_APPLY && !t->mutated && t->work->assessment.changes_n) {
		*changes = assessment_json(&t->work->assessment);
		entries[n] = ledger_entry(t->row, JOURNAL_CHANGES, NULL, NULL);
		entries[n++].data = *changes;
	}
	return n;
}

static void write_intent(struct task *t, const struct step *step)
{
	struct journal_entry entries[4];
	char *before, *changes, *data = intent_data(t);
	size_t n = first_change_entries(t, entries, &before, &changes);

	entries[n] = ledger_entry(t->row, JOURNAL_INTENT, step->name, t->work->item);
	entries[n++].data = data;
	if (step->owes) {
		entries[n] = ledger_entry(t->row, JOURNAL_DEBT, step->owes, t->work->item);
		entries[n++].text = step->name;
	}
	t->mutated = true;
	t->intent_open = true;
	t->waiter.done = intent_durable;
	task_move(t, TASK_JOURNAL);
	ledger_add(&t->engine->ledger, entries, NULL, n, &t->waiter);
	free(before);
	free(changes);
	free(data);
}

/* t->work->op is made: start it, after its intent where it changes something. */
void task_start_op(struct task *t)
{
	const struct step *step = &t->table[t->at];
	struct ending ending = { 0 };

	if (!(step->flags & STEP_MUTATES)) {
		begin_op(t);
	} else if ((t->stage == STAGE_APPLY || t->stage == STAGE_REVERT) && !engine_may_change(t, &ending)) {
		if (t->sm.now != TASK_TABLE)
			task_move(t, TASK_TABLE);
		stage_settle(t, ending.state, ending.code, ending.text, ending.until_ms);
	} else {
		write_intent(t, step);
	}
}

static void pause_over(struct timer *timer)
{
	struct task *t = CONTAINER_OF(timer, struct task, timer);

	task_move(t, TASK_TABLE);
	if (t->stage == STAGE_RESTORE)
		stage_same_debt(t);
	else
		task_next(t);
	engine_turn_soon(t->engine);
}

void task_pause(struct task *t, int after_ms)
{
	task_move(t, TASK_PAUSE);
	timer_set(&t->engine->timers, &t->timer, after_ms, pause_over);
}

/* ---- failures of the way ---------------------------------------------------------------------------------------- */

static bool half_done(const struct task *t)
{
	return t->indeterminate || t->row->debts_n > 0;
}

static void retry_over(struct timer *timer)
{
	struct task *t = CONTAINER_OF(timer, struct task, timer);

	task_queue(t);
	engine_turn_soon(t->engine);
}

/* What the row says while the task waits for its next try. */
static void say_retry(struct task *t, enum retry_class class, const struct err *err, int delay_ms)
{
	enum step_state state = half_done(t) ? STEP_INDETERMINATE :
				class == RETRY_UNREACHABLE ? STEP_UNREACHABLE : STEP_PENDING;
	char text[ERR_TEXT_MAX + 64], delay[TIME_TEXT_MAX];

	snprintf(text, sizeof(text), "%s; tried again in %s", err->text, time_format_duration(delay_ms, delay));
	if (t->row->state == STEP_RUNNING)
		ledger_move(&t->engine->ledger, t->row, state, err->code, text, 0);
}

static void retry_later(struct task *t, enum retry_class class, const struct err *err, int attempt)
{
	struct engine *e = t->engine;
	int delay = retry_delay_ms(&t->roster->tenant->retry, attempt + 1, engine_random(e));

	say_retry(t, class, err, delay);
	task_move(t, TASK_RETRY);
	task_set_lost(t, class == RETRY_UNREACHABLE);
	timer_set(&e->timers, &t->timer, delay, retry_over);
	machine_release(t->machine, t, true);
}

/* No more tries. What is down stays down, and the row says so. */
static void give_up(struct task *t, enum retry_class class, const struct err *err)
{
	enum step_state state = half_done(t) ? STEP_INDETERMINATE :
				class == RETRY_UNREACHABLE ? STEP_UNREACHABLE : STEP_FAILED;

	task_end(t, state, err->code, err->text, 0);
}

static bool tries_left(struct task *t, enum retry_class class)
{
	const struct retry_policy *policy = &t->roster->tenant->retry;
	bool plan = t->engine->cfg.mode == ENGINE_PLAN;

	if (t->engine->stopping > (t->row->debts_n ? 1 : 0))
		return false;
	switch (class) {
	case RETRY_FINAL:
		return false;
	case RETRY_PASSING:
		t->attempts++;
		return t->attempts < policy->attempts || (t->row->debts_n && !engine_gives_up(t));
	case RETRY_UNREACHABLE:
		t->way_attempts++;
		return plan ? t->way_attempts < policy->attempts : !engine_gives_up(t);
	}
	return false;
}

/*
 * A line that is cut each time at the same place, while something is down: all attempts are spent. What is down is not
 * tried to be changed any more, but put up again (observed() in stage.c), which takes less talk.
 */
static void come_back_for_debts(struct task *t, const struct err *why)
{
	struct ending *e = &t->work->ending;

	if (t->attempts < t->roster->tenant->retry.attempts || !t->row->debts_n || t->stage == STAGE_RESTORE || e->set)
		return;
	*e = (struct ending){ .set = true, .state = STEP_FAILED, .code = why->code };
	snprintf(e->text, sizeof(e->text), "given up after %d attempts: %.900s", t->attempts, why->text);
}

void task_way_failed(struct task *t, const struct err *err, bool connected)
{
	enum retry_class class = retry_class(err->code, connected);
	struct err why = *err;

	log_info("%s %s %s: %s", t->row->tenant, t->row->step, t->row->target, why.text);
	/* Our own side could not sign: the host has refused nothing. What is down there is worth waiting for an agent. */
	if (why.code == E_SIGN && t->row->debts_n)
		class = RETRY_PASSING;
	if (class == RETRY_FINAL && !connected && why.code != E_SIGN)
		engine_bar(t->engine, t->roster->host, &why);
	if (why.code == E_IDENTITY || why.code == E_HOSTKEY)
		engine_fail_tenant(t->engine, t->tenant, why.text);
	if (tries_left(t, class)) {
		if (connected && class == RETRY_PASSING)
			come_back_for_debts(t, &why);
		retry_later(t, class, &why, class == RETRY_PASSING ? t->attempts : t->way_attempts);
	} else if (connected && class == RETRY_FINAL && t->stage != STAGE_RESTORE && why.code != E_CANCELED) {
		stage_settle(t, STEP_FAILED, why.code, why.text, 0);
	} else if (why.code == E_CANCELED && !half_done(t)) {
		task_end(t, STEP_PENDING, why.code, "stopped by the operator", 0);
	} else {
		give_up(t, class, &why);
	}
}

void task_cancel(struct task *t)
{
	struct err err = { 0 };

	err_set(&err, E_CANCELED, "stopped by the operator");
	switch ((enum task_state)t->sm.now) {
	case TASK_OP:
		remote_cancel(t->machine->remote, &t->work->request);
		break;
	case TASK_COMMANDS:
		check_commands_cancel(t);
		break;
	case TASK_PAUSE:
		timer_stop(&t->engine->timers, &t->timer);
		task_move(t, TASK_TABLE);
		stage_settle(t, t->indeterminate ? STEP_FAILED : STEP_PENDING, E_CANCELED, err.text, 0);
		break;
	case TASK_RETRY:
		timer_stop(&t->engine->timers, &t->timer);
		task_end(t, t->row->state, E_CANCELED, err.text, 0);
		break;
	case TASK_IDLE:
	case TASK_QUEUED:
	case TASK_CONNECT:
	case TASK_TABLE:
	case TASK_JOURNAL:
	case TASK_DONE:
		break;
	}
}

/* ---- end -------------------------------------------------------------------------------------------------------- */

/* What a task knew is not needed any more, and there may be thousands. A plan is made of the assessments. */
static void forget(struct task *t)
{
	if (t->engine->cfg.mode == ENGINE_PLAN && t->assessed) {
		op_release(&t->work->op);
		facts_release(&t->now);
		facts_release(&t->before);
	} else {
		task_release(t);
		t->assessed = false;
	}
}

void task_end(struct task *t, enum step_state state, int code, const char *text, int64_t until_ms)
{
	struct engine *e = t->engine;
	bool lost = code == E_CLOSED || code == E_TIMEOUT || code == E_PROTOCOL || code == E_CANCELED;

	if (!step_state_is_bad(state))
		task_leave_facts(t);
	if (state == STEP_NEEDS_PERSON)
		people_instruct(t);
	if (t->row->state != state)
		ledger_move(&e->ledger, t->row, state, code, text, until_ms);
	if (e->cfg.mode == ENGINE_RUN && step_state_is_bad(state) && state != STEP_UNREACHABLE)
		engine_fail_tenant(e, t->tenant, text);
	task_move(t, TASK_DONE);
	if (t->machine)
		machine_release(t->machine, t, lost);
	forget(t);
	engine_task_ended(t);
}
