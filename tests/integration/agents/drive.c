#include "tests/integration/agents/drive.h"
#include "tests/integration/agents/host.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"

static struct drive *running;

static char old_us[] = "us.imhs-ws.trendmicro.com", old_eu[] = "imhs-ws.trendmicro.eu";
static char *old_names[] = { old_us, old_eu };
static char new_name[] = "ws.acme.hes2.example", tenant_id[] = "acme", host_name[] = "sync1", login[] = "Administrator";
static char range_a[] = "216.104.0.0/19", range_b[] = "150.70.0.0/16";
static char *ranges[] = { range_a, range_b };
static struct profile profile;
static struct inventory inventory;
static struct tenant tenant;
static struct host host;

static bool step_done(const struct agent_ctx *ctx, const char *step, const char *item)
{
	(void)ctx;
	for (size_t i = 0; i < running->done_n; i++) {
		if (strcmp(running->done[i].step, step) == 0 && strcmp(running->done[i].item, item) == 0)
			return true;
	}
	return false;
}

void drive_init(struct drive *d, const char *agent, const char *params)
{
	profile.old_web_service = (struct strings){ old_names, ARRAY_LEN(old_names) };
	profile.ranges = (struct strings){ ranges, ARRAY_LEN(ranges) };
	inventory.profile = &profile;
	tenant.id = tenant_id;
	tenant.new_web_service = new_name;
	host.name = host_name;
	*d = (struct drive){ .agent = agent_find(agent), .crash_at = -1 };
	ck_assert_ptr_nonnull(d->agent);
	for (host.os = OS_UNKNOWN; !(d->agent->os & 1u << host.os);)
		host.os++;
	d->ctx = (struct agent_ctx){
		.inventory = &inventory,
		.tenant = &tenant,
		.host = &host,
		.params = json_loads(params, 0, NULL),
		.with = json_object(),
		.wall_ms = 1448323200000,
		.step_done = step_done,
	};
	ck_assert_ptr_nonnull(d->ctx.params);
}

void drive_on_windows(struct drive *d)
{
	ck_assert(d->agent->os & 1u << OS_WINDOWS);
	host.os = OS_WINDOWS;
	host.connection.user = login;
}

void drive_release(struct drive *d)
{
	facts_release(&d->now);
	facts_release(&d->before);
	assessment_release(&d->assessment);
	json_decref((json_t *)d->ctx.params);
	json_decref((json_t *)d->ctx.with);
}

/* ---- marks ------------------------------------------------------------------------------------------------------ */

static void mark(struct drive_mark *marks, size_t *n, const char *step, const char *item)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(marks[i].step, step) == 0 && strcmp(marks[i].item, item) == 0)
			return;
	}
	ck_assert_uint_lt(*n, DRIVE_MANY);
	snprintf(marks[*n].step, sizeof(marks[*n].step), "%s", step);
	snprintf(marks[(*n)++].item, ITEM_MAX, "%s", item);
}

/* ---- one op ----------------------------------------------------------------------------------------------------- */

enum went { WENT_ON, WENT_REREAD, WENT_STOPPED, WENT_CRASHED };

static void intent(struct drive *d, const struct step *step, const char *item)
{
	if (!(step->flags & STEP_MUTATES))
		return;
	if (!d->before.n)
		facts_copy(&d->before, &d->now);
	if (step->owes)
		mark(d->debts, &d->debts_n, step->owes, item);
	d->mutated = true;
}

static void say(struct drive *d, const struct step *step, const struct verdict *v)
{
	d->kind = v->kind;
	snprintf(d->text, sizeof(d->text), "%s", v->text);
	snprintf(d->step, sizeof(d->step), "%s", step->name);
}

/* Begins the op, and judges what came back unless the controller dies. */
static bool perform(struct drive *d, const struct step *step, int n, struct op *op, const char *item, struct verdict *v)
{
	struct op_result result = { 0 };
	bool dies = d->ops++ == d->crash_at;

	intent(d, step, item);
	if (dies && !d->crash_after)
		return false;
	if (d->on_op)
		d->on_op(d, step->name, op, false);
	(d->does ? d->does : host_do)(op, &result);
	if (op->kind == OP_REPLACE && !result.failure.code && result.started)
		d->replaced++;
	dies = dies || result.failure.code == E_CLOSED; /* a cut line: not judged either, and looked at again */
	if (d->on_op)
		d->on_op(d, step->name, op, true);
	if (!dies)
		*v = step->judge(&d->ctx, n, &result);
	op_result_release(&result);
	return !dies;
}

/* The op of row and n, asked again for as long as the agent says so. WENT_ON also where there is nothing to do. */
static enum went one(struct drive *d, const struct step *step, int n, enum step_request *request, const char *only)
{
	struct verdict v;

	for (int polls = 0;; polls++) {
		char item[ITEM_MAX] = "";
		struct op op;
		bool lives = true;

		ck_assert_int_lt(polls, 1000);
		op_init(&op, OP_RUN);
		*request = step->request(&d->ctx, n, &op, item);
		if (*request == OP_DO && (!only || strcmp(only, item) == 0))
			lives = perform(d, step, n, &op, item, &v);
		else
			v = verdict_ok();
		op_release(&op);
		if (!lives)
			return WENT_CRASHED;
		say(d, step, &v);
		if (v.kind == VERDICT_AGAIN) {
			d->ctx.wall_ms += v.after_ms;
			continue;
		}
		if (v.kind != VERDICT_OK && v.kind != VERDICT_UNCHANGED && v.kind != VERDICT_APPLIED)
			return v.kind == VERDICT_REREAD ? WENT_REREAD : WENT_STOPPED;
		if (*request == OP_DO && !only)
			mark(d->done, &d->done_n, step->name, item);
		return WENT_ON;
	}
}

static enum went table(struct drive *d, const struct step *step)
{
	for (; step->name; step++) {
		enum step_request request = OP_DO;

		for (int n = 0; request != OP_END; n++) {
			enum went went = one(d, step, n, &request, NULL);

			if (went != WENT_ON)
				return went;
		}
	}
	return WENT_ON;
}

/* ---- a run ------------------------------------------------------------------------------------------------------ */

static enum went observe(struct drive *d)
{
	struct err err = { 0 };
	enum went went;

	running = d;
	facts_release(&d->now);
	assessment_release(&d->assessment);
	d->ctx.now = &d->now;
	d->ctx.before = &d->before;
	d->ctx.assessment = NULL;
	went = table(d, d->agent->observe);
	if (went != WENT_ON)
		return went;
	ck_assert_int_eq(d->agent->assess(&d->ctx, &d->assessment, &err), 0);
	d->ctx.assessment = &d->assessment;
	snprintf(d->text, sizeof(d->text), "%s", d->assessment.text);
	return WENT_ON;
}

/* Newest first. */
static enum drive_end pay_debts(struct drive *d)
{
	char text[VERDICT_TEXT_MAX];
	enum verdict_kind kind = d->kind;

	snprintf(text, sizeof(text), "%s", d->text);
	while (d->debts_n) {
		const struct drive_mark *debt = &d->debts[d->debts_n - 1];
		const struct step *step = d->agent->restore;
		enum step_request request = OP_DO;
		enum went went = WENT_ON;

		while (step->name && strcmp(step->name, debt->step) != 0)
			step++;
		ck_assert_ptr_nonnull(step->name);
		for (int n = 0; request != OP_END && went == WENT_ON; n++)
			went = one(d, step, n, &request, debt->item);
		if (went == WENT_CRASHED)
			return DRIVE_CRASHED;
		if (went != WENT_ON)
			return DRIVE_STUCK;
		d->debts_n--;
	}
	d->kind = kind;
	snprintf(d->text, sizeof(d->text), "%s", text);
	return DRIVE_DONE;
}

static enum drive_end stopped(struct drive *d)
{
	enum drive_end end = pay_debts(d);

	return end == DRIVE_DONE ? DRIVE_STOPPED : end;
}

static enum drive_end end_of(struct drive *d, enum went went)
{
	return went == WENT_CRASHED ? DRIVE_CRASHED : stopped(d);
}

static enum drive_end apply(struct drive *d, const struct step *rows)
{
	enum went went = WENT_REREAD;
	enum assess_state state;

	for (d->rereads = 0; went == WENT_REREAD; d->rereads++) {
		if (d->rereads > 3)
			return stopped(d);
		went = observe(d);
		if (went != WENT_ON)
			return end_of(d, went);
		state = d->assessment.state;
		if (state == ASSESS_DRIFT || state == ASSESS_PERSON || state == ASSESS_NOT_APPLICABLE) {
			d->kind = state == ASSESS_DRIFT ? VERDICT_DRIFT : VERDICT_PERSON;
			return stopped(d);
		}
		if (rows != d->agent->apply ? state != ASSESS_OLD
					    : state != ASSESS_NEW || (d->before.n && !d->was_done))
			went = table(d, rows);
	}
	return went == WENT_ON ? pay_debts(d) : end_of(d, went);
}

static void begin(struct drive *d)
{
	d->ops = 0;
	d->mutated = false;
}

enum drive_end drive_plan(struct drive *d)
{
	begin(d);
	return observe(d) == WENT_ON ? DRIVE_DONE : DRIVE_STOPPED;
}

enum drive_end drive_run(struct drive *d)
{
	enum drive_end end;
	enum went went;

	begin(d);
	end = apply(d, d->agent->apply);
	if (end != DRIVE_DONE)
		return end;
	went = table(d, d->agent->verify);
	d->was_done = d->was_done || went == WENT_ON;
	return went == WENT_ON ? DRIVE_DONE : end_of(d, went);
}

enum drive_end drive_rollback(struct drive *d)
{
	enum drive_end end;
	enum went went;

	begin(d);
	end = apply(d, d->agent->revert);
	if (end != DRIVE_DONE)
		return end;
	went = observe(d);
	if (went != WENT_ON)
		return end_of(d, went);
	if (d->assessment.state != ASSESS_OLD)
		return DRIVE_STOPPED;
	facts_release(&d->before);
	d->done_n = 0;
	d->was_done = false;
	return DRIVE_DONE;
}
