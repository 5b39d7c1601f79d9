/*
 * What follows what. The tables of an agent are stages:
 *
 *     run       OBSERVE ─ assess ─► APPLY ─► RESTORE ─► VERIFY ─► verify commands ─► end
 *     rollback  OBSERVE ─ assess ─► REVERT ─► RESTORE ─► PROVE ─ assess ─► end
 *     plan      OBSERVE ─ assess ─► end
 *
 * Whatever goes wrong settles how the task is to end (stage_settle) and passes through RESTORE first, where debts are
 * paid newest first. A debt that cannot be paid turns the ending into a failure that names it, and stays open.
 */
#include "engine/internal.h"

#include "base/alloc.h"

const char *stage_name(enum stage stage)
{
	switch (stage) {
	case STAGE_OBSERVE:
		return "look";
	case STAGE_APPLY:
		return "change";
	case STAGE_RESTORE:
		return "restore";
	case STAGE_VERIFY:
		return "verify";
	case STAGE_REVERT:
		return "revert";
	case STAGE_PROVE:
		return "prove";
	}
	return "";
}

static const struct step *table_of(const struct task *t, enum stage stage)
{
	const struct agent *a = t->roster->agent;

	switch (stage) {
	case STAGE_OBSERVE:
	case STAGE_PROVE:
		return a->observe;
	case STAGE_APPLY:
		return a->apply;
	case STAGE_RESTORE:
		return a->restore;
	case STAGE_VERIFY:
		return a->verify;
	case STAGE_REVERT:
		return a->revert;
	}
	return NULL;
}

void stage_enter(struct task *t, enum stage stage)
{
	t->stage = stage;
	t->table = table_of(t, stage);
	t->at = t->n = 0;
	t->poll_since_ms = 0;
	t->step_attempts = 0;
	switch (stage) {
	case STAGE_OBSERVE:
	case STAGE_PROVE:
		facts_release(&t->now);
		t->assessed = false;
		task_next(t);
		break;
	case STAGE_APPLY:
	case STAGE_VERIFY:
	case STAGE_REVERT:
		task_next(t);
		break;
	case STAGE_RESTORE:
		t->debt = t->row->debts_n;
		stage_next_debt(t);
		break;
	}
}

/* ---- endings ---------------------------------------------------------------------------------------------------- */

void stage_settle(struct task *t, enum step_state state, int code, const char *text, int64_t until_ms)
{
	struct ending *e = &t->work->ending;

	/* The first reason is the one that counts; what goes wrong behind it must not hide it. */
	if (!e->set) {
		*e = (struct ending){ .set = true, .state = state, .code = code, .until_ms = until_ms };
		snprintf(e->text, sizeof(e->text), "%s", text);
	}
	if (t->row->debts_n && t->stage != STAGE_RESTORE && t->engine->cfg.mode != ENGINE_PLAN)
		stage_enter(t, STAGE_RESTORE);
	else
		task_end(t, e->state, e->code, e->text, e->until_ms);
}

/* What was changed in this run; a row that is only verified again keeps what the look said. */
static void say_changed(const struct task *t, char *text, size_t size)
{
	const struct assessment *a = &t->work->assessment;

	if (a->changes_n && t->mutated)
		snprintf(text, size, "changed %s line %ld, and looked at again", a->changes[0].what, a->changes[0].line);
	else
		snprintf(text, size, "%s", a->text);
}

static void succeed(struct task *t)
{
	char text[ERR_TEXT_MAX];

	say_changed(t, text, sizeof(text));
	if (t->work->applied[0])
		stage_settle(t, STEP_APPLIED, 0, t->work->applied, 0);
	else if (t->row->has_before || agent_only_checks(t->roster->agent))
		stage_settle(t, STEP_VERIFIED, 0, text, 0);
	else
		stage_settle(t, STEP_UNCHANGED, 0, t->work->assessment.text, 0);
}

/* ---- debts ------------------------------------------------------------------------------------------------------ */

static void debts_over(struct task *t)
{
	if (t->work->ending.set)
		task_end(t, t->work->ending.state, t->work->ending.code, t->work->ending.text, t->work->ending.until_ms);
	else if (t->reverting)
		stage_enter(t, STAGE_PROVE);
	else
		stage_enter(t, STAGE_VERIFY);
}

/* Points the task at the row of restore[] and the n whose item the debt names. False when the agent has nothing to do
   for it any more. */
static bool find_restore(struct task *t, const struct row_debt *debt)
{
	struct agent_ctx ctx = task_ctx(t);

	for (t->at = 0; t->table[t->at].name && strcmp(t->table[t->at].name, debt->action) != 0; t->at++)
		;
	if (!t->table[t->at].name)
		return false;
	for (t->n = 0;; t->n++) {
		enum step_request request;
		op_release(&t->work->op);
		op_init(&t->work->op, OP_RUN);
		t->work->item[0] = '\0';
		request = t->table[t->at].request(&ctx, t->n, &t->work->op, t->work->item);
		if (request == OP_END)
			return false;
		if (request == OP_DO && strcmp(t->work->item, debt->item) == 0)
			return true;
	}
}

void stage_same_debt(struct task *t)
{
	const struct row_debt *debt = &t->row->debts[t->debt - 1];

	if (find_restore(t, debt)) {
		task_start_op(t);
		return;
	}
	snprintf(t->work->item, sizeof(t->work->item), "%s", debt->item);
	stage_debt_paid(t, "it is up again already");
}

void stage_next_debt(struct task *t)
{
	if (t->debt > t->row->debts_n)
		t->debt = t->row->debts_n;
	if (t->debt == 0)
		debts_over(t);
	else
		stage_same_debt(t);
}

static void write_paid(struct task *t, const char *to, const char *text)
{
	const struct row_debt *debt = &t->row->debts[t->debt - 1];
	char *action = str_dup(debt->action), *item = str_dup(debt->item); /* folding frees the debt */
	struct journal_entry e = ledger_entry(t->row, JOURNAL_PAID, action, item);

	e.to = to;
	e.text = text;
	ledger_add(&t->engine->ledger, &e, NULL, 1, NULL);
	free(action);
	free(item);
}

void stage_debt_paid(struct task *t, const char *text)
{
	write_paid(t, "ok", text);
	t->debt--;
	stage_next_debt(t);
}

void stage_debt_stuck(struct task *t, int code, const char *text)
{
	const struct row_debt *debt = &t->row->debts[t->debt - 1];
	struct ending was = t->work->ending;

	t->work->ending = (struct ending){ .set = true, .state = STEP_FAILED, .code = code };
	snprintf(t->work->ending.text, sizeof(t->work->ending.text), "STILL DOWN: %s%s%s: %.500s%s%.300s", debt->action,
		 debt->item[0] ? " of " : "", debt->item, text, was.set ? "; before that: " : "", was.set ? was.text : "");
	t->debt--;
	stage_next_debt(t);
}

/* ---- deciding --------------------------------------------------------------------------------------------------- */

/* Intents of an earlier run, or of a cut connection: the target was looked at, so they are known now. */
static void close_stale_intents(struct task *t)
{
	while (t->row->intents_n) {
		const struct row_intent *intent = &t->row->intents[0];
		char *action = str_dup(intent->action), *item = str_dup(intent->item);
		struct journal_entry e = ledger_entry(t->row, JOURNAL_OUTCOME, action, item);
		e.to = "seen";
		e.text = t->work->assessment.text;
		ledger_add(&t->engine->ledger, &e, NULL, 1, NULL);
		free(action);
		free(item);
	}
	t->indeterminate = false;
}

static void decide_plan(struct task *t)
{
	const struct assessment *a = &t->work->assessment;

	switch (a->state) {
	case ASSESS_OLD:
	case ASSESS_PARTIAL:
		task_end(t, STEP_PENDING, 0, a->text, 0);
		break;
	case ASSESS_NEW:
		task_end(t, STEP_UNCHANGED, 0, a->text, 0);
		break;
	case ASSESS_DRIFT:
		task_end(t, STEP_DRIFT, 0, a->text, 0);
		break;
	case ASSESS_NOT_APPLICABLE:
		task_end(t, STEP_NOT_APPLICABLE, 0, a->text, 0);
		break;
	case ASSESS_PERSON:
		task_end(t, STEP_NEEDS_PERSON, 0, a->text, 0);
		break;
	}
}

static void decide_run(struct task *t)
{
	const struct assessment *a = &t->work->assessment;
	bool watch = t->roster->disposition == ROW_WATCH;

	switch (a->state) {
	case ASSESS_OLD:
	case ASSESS_PARTIAL:
		if (watch)
			stage_settle(t, STEP_NEEDS_PERSON, 0, t->roster->text, 0);
		else if (agent_only_checks(t->roster->agent))
			stage_settle(t, STEP_PENDING, 0, a->text, 0);
		else
			stage_enter(t, STAGE_APPLY);
		break;
	case ASSESS_NEW:
		/* Found new, but a change of ours was never finished: its table is gone through, and skips what is done. */
		stage_enter(t, t->row->has_before && !t->was_done && !watch ? STAGE_APPLY : STAGE_VERIFY);
		break;
	case ASSESS_DRIFT:
		stage_settle(t, STEP_DRIFT, 0, a->text, 0);
		break;
	case ASSESS_NOT_APPLICABLE:
		stage_settle(t, STEP_NOT_APPLICABLE, 0, a->text, 0);
		break;
	case ASSESS_PERSON:
		stage_settle(t, STEP_NEEDS_PERSON, 0, a->text, 0);
		break;
	}
}

static void decide_rollback(struct task *t)
{
	const struct assessment *a = &t->work->assessment;
	char text[ERR_TEXT_MAX];

	switch (a->state) {
	case ASSESS_NEW:
	case ASSESS_PARTIAL:
		t->reverting = true;
		stage_enter(t, STAGE_REVERT);
		break;
	case ASSESS_OLD:
		stage_settle(t, STEP_ROLLED_BACK, 0, "it is as it was before", 0);
		break;
	case ASSESS_DRIFT:
	case ASSESS_NOT_APPLICABLE:
	case ASSESS_PERSON:
		snprintf(text, sizeof(text), "not rolled back, it was changed since by somebody else: %.800s", a->text);
		stage_settle(t, STEP_DRIFT, 0, text, 0);
		break;
	}
}

static void decide_proved(struct task *t)
{
	if (t->work->assessment.state == ASSESS_OLD)
		stage_settle(t, STEP_ROLLED_BACK, 0, "put back as it was before, and looked at again", 0);
	else
		stage_settle(t, STEP_FAILED, E_CHANGED, "the roll-back was done, but the old value is not there", 0);
}

static void observed(struct task *t)
{
	struct agent_ctx ctx = task_ctx(t);
	struct err err = { 0 };

	task_set_lost(t, false);
	assessment_release(&t->work->assessment);
	if (t->roster->agent->assess(&ctx, &t->work->assessment, &err) != 0) {
		stage_settle(t, STEP_FAILED, err.code, err.text, 0);
		return;
	}
	t->assessed = true;
	if (t->engine->cfg.mode == ENGINE_PLAN) {
		decide_plan(t);
		return;
	}
	close_stale_intents(t);
	if (t->work->ending.set)
		stage_enter(t, STAGE_RESTORE); /* we came back for the debts only */
	else if (t->stage == STAGE_PROVE)
		decide_proved(t);
	else if (t->engine->cfg.mode == ENGINE_ROLLBACK)
		decide_rollback(t);
	else
		decide_run(t);
}

void stage_commands_over(struct task *t, const char *bad)
{
	if (bad)
		stage_settle(t, STEP_FAILED, E_INVAL, bad, 0);
	else
		succeed(t);
}

void stage_table_over(struct task *t)
{
	switch (t->stage) {
	case STAGE_OBSERVE:
	case STAGE_PROVE:
		observed(t);
		break;
	case STAGE_APPLY:
	case STAGE_REVERT:
		stage_enter(t, STAGE_RESTORE);
		break;
	case STAGE_VERIFY:
		check_commands(t);
		break;
	case STAGE_RESTORE:
		debts_over(t);
		break;
	}
}
