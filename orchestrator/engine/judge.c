/*
 * What a result means. An op that ran, or whose failure is an answer about the thing itself, is the agent's to judge;
 * a failure of the way (cut, timeout, no sudo) is the engine's. Either way the outcome of an intent is written, but for
 * one case: the way broke after the far side may have begun. Then the intent stays open, and the row is indeterminate
 * until the target was looked at again.
 */
#include "engine/internal.h"

#include "base/alloc.h"

#define BUDGET_DEFAULT_MS (5 * 60 * 1000)
#define REREADS_MAX 3

static bool is_answer(const struct op_result *r)
{
	int code = r->failure.code;

	/* A service, or the way to it: what trying again cannot change is said of it. */
	if (r->beyond && retry_class(code, true) == RETRY_FINAL)
		return true;
	return code == 0 || code == E_NOTFOUND || code == E_CHANGED || code == E_LIMIT || code == E_INVAL ||
	       code == E_PERM || code == E_NOSPACE || code == E_EXISTS || code == E_BUSY;
}

/* The outcome of the intent at hand, with what the op printed where that is worth keeping. */
static void write_outcome(struct task *t, const char *to, int code, const char *text)
{
	const struct op_result *r = t->result;
	struct journal_entry e = ledger_entry(t->row, JOURNAL_OUTCOME, t->table[t->at].name, t->work->item);
	struct journal_blob blob = { 0 };
	struct buf output = BUF_INIT;

	if (!t->intent_open)
		return;
	e.to = to;
	e.code = code ? err_name(code) : "";
	e.text = text;
	e.exit_code = r->exit_code;
	e.elapsed_ms = r->elapsed_ms;
	if (t->work->op.kind == OP_RUN || t->work->op.kind == OP_EXEC) {
		buf_add(&output, buf_str(&r->out), r->out.len);
		buf_add(&output, buf_str(&r->err), r->err.len);
		blob = (struct journal_blob){ buf_str(&output), output.len, false };
	}
	ledger_add(&t->engine->ledger, &e, blob.len ? &blob : NULL, 1, NULL);
	buf_release(&output);
	t->intent_open = false;
}

/* A change that did not end in its time was killed on the far side. Doing it once more is not ours to decide. */
static bool is_overdue_change(const struct task *t)
{
	unsigned flags = t->table[t->at].flags;

	return t->result->failure.code == E_TIMEOUT && t->result->started && (flags & STEP_MUTATES) &&
	       !(flags & STEP_IDEMPOTENT) && t->stage != STAGE_RESTORE;
}

static void way_failed(struct task *t)
{
	struct err why = t->result->failure;

	if (is_overdue_change(t)) {
		write_outcome(t, "timeout", why.code, why.text);
		stage_settle(t, STEP_FAILED, why.code, why.text, 0);
		return;
	}
	if (!t->result->started)
		write_outcome(t, "not-started", why.code, why.text);
	else if (t->intent_open)
		t->indeterminate = true;
	t->intent_open = false;
	task_way_failed(t, &why, true);
}

/* The row of the table is through for this n: what comes next. */
static void go_on(struct task *t, const char *text)
{
	t->poll_since_ms = 0;
	t->step_attempts = 0;
	if (t->stage == STAGE_RESTORE) {
		stage_debt_paid(t, text);
		return;
	}
	t->n++;
	task_next(t);
}

static void poll_again(struct task *t, const struct verdict *v)
{
	const struct step *step = &t->table[t->at];
	int64_t now = clock_mono_ms(t->engine->cfg.clock);
	int64_t budget = step->budget_ms ? step->budget_ms : BUDGET_DEFAULT_MS;
	char text[ERR_TEXT_MAX + 64], waited[TIME_TEXT_MAX];

	task_set_lost(t, false);
	if (!t->poll_since_ms)
		t->poll_since_ms = now;
	if (t->engine->stopping && t->stage != STAGE_RESTORE)
		stage_settle(t, STEP_PENDING, E_CANCELED, "stopped by the operator while waiting", 0);
	else if (now - t->poll_since_ms < budget && t->engine->cfg.mode != ENGINE_PLAN) {
		task_pause(t, v->after_ms);
	} else {
		snprintf(text, sizeof(text), "%s; waited for %s", v->text, time_format_duration(now - t->poll_since_ms, waited));
		if (t->stage == STAGE_RESTORE)
			stage_debt_stuck(t, E_TIMEOUT, text);
		else
			stage_settle(t, STEP_NEEDS_PERSON, E_TIMEOUT, text, 0);
	}
}

static void try_again(struct task *t, const struct verdict *v)
{
	const struct retry_policy *policy = &t->roster->tenant->retry;

	if (++t->step_attempts < policy->attempts && !t->engine->stopping)
		task_pause(t, retry_delay_ms(policy, t->step_attempts + 1, engine_random(t->engine)));
	else if (t->stage == STAGE_RESTORE)
		stage_debt_stuck(t, v->code, v->text);
	else
		stage_settle(t, STEP_FAILED, v->code, v->text, 0);
}

static void look_again(struct task *t, const struct verdict *v)
{
	if (++t->rereads <= REREADS_MAX)
		stage_enter(t, STAGE_OBSERVE);
	else if (t->stage == STAGE_RESTORE)
		stage_debt_stuck(t, E_CHANGED, v->text);
	else
		stage_settle(t, STEP_FAILED, E_CHANGED, v->text, 0);
}

static void final(struct task *t, enum step_state state, const struct verdict *v)
{
	if (t->stage == STAGE_RESTORE)
		stage_debt_stuck(t, v->code, v->text);
	else
		stage_settle(t, state, v->code, v->text, v->until_ms);
}

static void follow(struct task *t, const struct verdict *v)
{
	switch (v->kind) {
	case VERDICT_OK:
	case VERDICT_UNCHANGED:
		go_on(t, v->text);
		break;
	case VERDICT_APPLIED:
		snprintf(t->work->applied, sizeof(t->work->applied), "%s", v->text);
		go_on(t, v->text);
		break;
	case VERDICT_AGAIN:
		poll_again(t, v);
		break;
	case VERDICT_RETRY:
		try_again(t, v);
		break;
	case VERDICT_REREAD:
		look_again(t, v);
		break;
	case VERDICT_WAIT:
		final(t, STEP_WAITING, v);
		break;
	case VERDICT_NOT_APPLICABLE:
		final(t, STEP_NOT_APPLICABLE, v);
		break;
	case VERDICT_FAIL:
		final(t, STEP_FAILED, v);
		break;
	case VERDICT_DRIFT:
		final(t, STEP_DRIFT, v);
		break;
	case VERDICT_PERSON:
		final(t, STEP_NEEDS_PERSON, v);
		break;
	}
}

/* A service that the agent wants to hear of whatever it does: what may pass by itself is tried again first. */
static bool retry_service(struct task *t)
{
	const struct retry_policy *policy = &t->roster->tenant->retry;

	if (retry_class(t->result->failure.code, true) != RETRY_PASSING || t->engine->cfg.mode == ENGINE_PLAN ||
	    t->engine->stopping || ++t->step_attempts >= policy->attempts)
		return false;
	task_pause(t, retry_delay_ms(policy, t->step_attempts + 1, engine_random(t->engine)));
	return true;
}

/* What an agent that only checks has seen is all that there is to show. */
static bool is_proof(const struct task *t, const struct verdict *v)
{
	return t->stage == STAGE_VERIFY ||
	       (t->stage == STAGE_OBSERVE && agent_only_checks(t->roster->agent) && v->kind != VERDICT_AGAIN);
}

void judge_result(struct task *t)
{
	const struct step *step = &t->table[t->at];
	struct op_result *r = t->result;
	struct agent_ctx ctx = task_ctx(t);
	struct verdict v;

	if (r->beyond && (step->flags & STEP_SERVICE)) {
		if (retry_service(t))
			return;
	} else if (!is_answer(r)) {
		way_failed(t);
		return;
	}
	v = step->judge(&ctx, t->n, r);
	write_outcome(t, verdict_name(v.kind), v.code, v.text);
	if (is_proof(t, &v))
		evidence_look(t, step, r);
	follow(t, &v);
}
