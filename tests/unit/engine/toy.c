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

static const char *const ran[] = { "poke", NULL };

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
	.ran = ran,
};

/* ---- check: asks two services for a domain "dN.example", whose number is that of the host that they stand for ---- */

struct seen {
	size_t hosts, done;
	int64_t ran_ms;
	struct facts own;
	const struct agent_ctx *ctx;
};

static void see_neighbour(const struct neighbour *n, void *arg)
{
	struct seen *s = arg;

	s->hosts += n->host != NULL;
	s->done += n->host && step_state_is_done(n->state);
	s->ran_ms = n->ran_ms > s->ran_ms ? n->ran_ms : s->ran_ms;
	if (strcmp(n->target, s->ctx->target) == 0)
		facts_copy(&s->own, n->left);
}

static struct seen see_neighbours(const struct agent_ctx *ctx)
{
	struct seen s = { .ctx = ctx };

	ctx->neighbours(ctx, ctx->step->name, see_neighbour, &s);
	return s;
}

static enum step_request ask_service(const struct agent_ctx *ctx, int n, struct op *op, const char *host)
{
	struct seen s = see_neighbours(ctx);
	bool ready = s.done == s.hosts;

	facts_release(&s.own);
	if (n > 0 || !ready)
		return OP_END;
	op->kind = OP_HTTP;
	op->url = str_fmt("https://%s.example/%ld", host, strtol(ctx->domain->name + 1, NULL, 10));
	op->account = str_dup("me");
	op->secret = str_dup(json_string_value(json_object_get(ctx->tenant->web_service, "api_key")));
	return OP_DO;
}

static enum step_request ask_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	snprintf(item, ITEM_MAX, "old");
	return ask_service(ctx, n, op, "old");
}

static enum step_request ask_new(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	snprintf(item, ITEM_MAX, "new");
	return ask_service(ctx, n, op, "new");
}

static struct verdict judge_old(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	(void)n;
	facts_set_text(ctx->now, "old.failure", r->failure.code ? err_name(r->failure.code) : "none");
	if (!r->failure.code)
		facts_set_text(ctx->now, "old.value", buf_str(&r->out));
	return verdict_ok();
}

static struct verdict judge_new(const struct agent_ctx *ctx, int n, const struct op_result *r)
{
	(void)n;
	if (r->failure.code)
		return verdict_fail(r->failure.code, "%s", r->failure.text);
	facts_set_text(ctx->now, "new.value", buf_str(&r->out));
	return verdict_ok();
}

static int check_assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	struct seen s = see_neighbours(ctx);
	const char *value = facts_text(ctx->now, "new.value", NULL);

	(void)err;
	if (!value)
		assessment_set(out, ASSESS_OLD, "the hosts come first");
	else if (strcmp(value, "new") == 0)
		assessment_set(out, ASSESS_NEW, "it is new; old %s, kept %s, ran %s", facts_text(ctx->now, "old.failure", "?"),
			       facts_text(&s.own, "old.value", "nothing"), s.ran_ms ? "yes" : "no");
	else
		assessment_set(out, ASSESS_PERSON, "it is %s", value);
	facts_release(&s.own);
	return 0;
}

static const struct step check_observe[] = {
	{ "ask-old", ask_old, judge_old, STEP_SERVICE, NULL, 0, 0 },
	{ "ask-new", ask_new, judge_new, 0, NULL, 0, 0 },
	{ 0 },
};
static const struct step nothing[] = { { 0 } };
static const char *const check_params[] = { "when", NULL };
static const char *const check_exports[] = { "old.value", NULL };

static const struct agent check = {
	.name = "check",
	.summary = "asks services",
	.scope = SCOPE_DOMAIN,
	.params = check_params,
	.observe = check_observe,
	.assess = check_assess,
	.apply = nothing,
	.restore = nothing,
	.verify = nothing,
	.revert = nothing,
	.exports = check_exports,
};

const struct agent *toy_find(const char *name)
{
	return strcmp(name, "toy") == 0 ? &toy : strcmp(name, "check") == 0 ? &check : NULL;
}
