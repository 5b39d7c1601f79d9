#include "tests/unit/engine/toy.h"

#include "base/alloc.h"

static enum step_request one(int n, struct op *op, const char *command)
{
	if (n > 0)
		return OP_END;
	op->kind = OP_EXEC;
	op->command = str_dup(command);
	return OP_DO;
}

static enum step_request look_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	(void)ctx;
	(void)item;
	return one(n, op, "look");
}

static struct verdict look_judge(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	char value[32], lamp[32], busy[32];

	(void)n;
	if (sscanf(buf_str(&r->out), "%31s %31s %31s", value, lamp, busy) != 3)
		return verdict_fail(E_PROTOCOL, "look said \"%s\"", buf_str(&r->out));
	facts_set_text(ctx->now, "value", value);
	facts_set_text(ctx->now, "lamp", lamp);
	facts_set_text(ctx->now, "busy", busy);
	return verdict_ok();
}

static int toy_assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	const char *value = facts_text(ctx->now, "value", "");

	(void)err;
	if (strcmp(value, "old") == 0) {
		assessment_set(out, ASSESS_OLD, "the value is old");
		assessment_change(out, "value", "the value", "old", 3, 0, 3, "new", 3);
	} else if (strcmp(value, "new") == 0) {
		assessment_set(out, ASSESS_NEW, "the value is new");
	} else {
		assessment_set(out, ASSESS_DRIFT, "the value is \"%s\"", value);
	}
	return 0;
}

static enum step_request off_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	snprintf(item, ITEM_MAX, "lamp");
	return n == 0 && facts_is(ctx->now, "lamp", "off") ? OP_SKIP : one(n, op, "lamp off");
}

static struct verdict exit_judge(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	(void)ctx;
	(void)n;
	return r->exit_code == 0 ? verdict_ok() : verdict_fail(E_INVAL, "exit %d", (int)r->exit_code);
}

static struct verdict off_judge(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	facts_set_text(ctx->now, "lamp", "off");
	return exit_judge(ctx, n, r);
}

static struct verdict idle_judge(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	struct verdict v = look_judge(ctx, n, r);

	if (v.kind == VERDICT_OK && facts_is(ctx->now, "busy", "busy"))
		return verdict_again(2000, "it is busy");
	return v;
}

static enum step_request set_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	snprintf(item, ITEM_MAX, "value");
	return n == 0 && facts_is(ctx->now, "value", "new") ? OP_SKIP : one(n, op, "set new");
}

static struct verdict set_judge(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	(void)n;
	if (r->exit_code != 0)
		return verdict_reread("the value was changed meanwhile");
	facts_set_text(ctx->now, "value", "new");
	return verdict_ok();
}

static enum step_request poke_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	(void)item;
	return n == 0 && ctx->step_done(ctx, "poke", "") ? OP_SKIP : one(n, op, "poke");
}

static enum step_request on_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	snprintf(item, ITEM_MAX, "lamp");
	return n == 0 && facts_is(ctx->before, "lamp", "off") ? OP_SKIP : one(n, op, "lamp on");
}

static struct verdict verify_judge(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	struct verdict v = look_judge(ctx, n, r);

	if (v.kind == VERDICT_OK && !facts_is(ctx->now, "value", "new"))
		return verdict_fail(E_CHANGED, "the value is not new");
	if (v.kind == VERDICT_OK && facts_is(ctx->now, "lamp", "off") && !facts_is(ctx->before, "lamp", "off"))
		return verdict_fail(E_CHANGED, "the lamp is off");
	return v;
}

static enum step_request unset_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	(void)ctx;
	snprintf(item, ITEM_MAX, "value");
	return one(n, op, "unset");
}

static const struct step observe[] = { { "look", look_request, look_judge, 0, NULL, 0, 0 }, { 0 } };

static const struct step apply[] = {
	{ "lamp-off", off_request, off_judge, STEP_MUTATES | STEP_IDEMPOTENT, "lamp-on", 0, 0 },
	{ "wait-idle", look_request, idle_judge, 0, NULL, 0, 60000 },
	{ "set", set_request, set_judge, STEP_MUTATES, NULL, 0, 0 },
	{ "poke", poke_request, exit_judge, STEP_MUTATES, NULL, 0, 0 },
	{ 0 },
};

static const struct step restore[] = {
	{ "lamp-on", on_request, exit_judge, STEP_MUTATES | STEP_IDEMPOTENT, NULL, 0, 0 },
	{ 0 },
};

static const struct step verify[] = { { "look-again", look_request, verify_judge, 0, NULL, 0, 0 }, { 0 } };

static const struct step revert[] = {
	{ "lamp-off", off_request, off_judge, STEP_MUTATES | STEP_IDEMPOTENT, "lamp-on", 0, 0 },
	{ "unset", unset_request, exit_judge, STEP_MUTATES, NULL, 0, 0 },
	{ 0 },
};

static const char *const params[] = { NULL };

static const struct agent toy = {
	.name = "toy",
	.summary = "a value and a lamp",
	.scope = SCOPE_HOST,
	.os = 1u << OS_LINUX,
	.params = params,
	.observe = observe,
	.assess = toy_assess,
	.apply = apply,
	.restore = restore,
	.verify = verify,
	.revert = revert,
};

const struct agent *toy_find(const char *name)
{
	return strcmp(name, "toy") == 0 ? &toy : NULL;
}
