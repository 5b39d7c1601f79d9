#include "tests/unit/agents/recorded.h"

#include "base/alloc.h"

#include <stdarg.h>

static char old_name[] = RECORDED_OLD_NAME, new_name[] = RECORDED_NEW_NAME, acme[] = "acme";
static char old_relay[] = RECORDED_OLD_RELAY, new_relay[] = RECORDED_NEW_RELAY;
static char *old_names[] = { old_name }, *old_relays[] = { old_relay };

struct recorded rec;

static bool step_done(const struct agent_ctx *ctx, const char *step, const char *item)
{
	(void)ctx;
	(void)item;
	return rec.done && strcmp(step, rec.done) == 0;
}

void recorded_begin(const struct agent *agent, const char *params)
{
	rec = (struct recorded){ .agent = agent };
	rec.profile.old_web_service.at = old_names;
	rec.profile.old_web_service.n = 1;
	rec.profile.old_relay.at = old_relays;
	rec.profile.old_relay.n = 1;
	rec.inventory.profile = &rec.profile;
	rec.tenant.id = acme;
	rec.tenant.new_web_service = new_name;
	rec.tenant.new_relay = new_relay;
	while (agent->os && !(agent->os & 1u << rec.host.os))
		rec.host.os++;
	rec.ctx = (struct agent_ctx){
		.inventory = &rec.inventory,
		.tenant = &rec.tenant,
		.host = &rec.host,
		.params = json_loads(params, 0, NULL),
		.with = json_object(),
		.now = &rec.now,
		.before = &rec.before,
		.wall_ms = 1000000,
		.step_done = step_done,
	};
	ck_assert_ptr_nonnull(rec.ctx.params);
}

void recorded_end(void)
{
	facts_release(&rec.now);
	facts_release(&rec.before);
	assessment_release(&rec.assessment);
	json_decref((json_t *)rec.ctx.params);
	json_decref((json_t *)rec.ctx.with);
}

const struct step *row(const struct step *table, const char *name)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	ck_assert_msg(table->name != NULL, "there is no row %s", name);
	return table;
}

enum step_request ask(const struct step *step, int n, struct op *op, char item[ITEM_MAX])
{
	op_init(op, OP_RUN);
	return step->request(&rec.ctx, n, op, item);
}

static char *copy(const char *text)
{
	return text ? str_dup(text) : NULL;
}

struct verdict answer(const struct step *step, int n, int failure, int32_t code, const char *out, const char *err)
{
	struct op_result r = { .started = true, .exit_code = code, .file = rec.file };
	struct verdict v;

	buf_adds(&r.out, out);
	buf_adds(&r.err, err);
	if (failure)
		err_set(&r.failure, failure, "failed so");
	r.file.real_path = copy(rec.file.real_path);
	r.file.owner = copy(rec.file.owner);
	r.file.group = copy(rec.file.group);
	v = step->judge(&rec.ctx, n, &r);
	op_result_release(&r);
	return v;
}

struct verdict answer_frames(const struct step *step, int n, char *text)
{
	struct verdict v = answer(step, n, 0, 0, text, "");

	free(text);
	return v;
}

char *frames(const char *first, ...)
{
	struct buf out = BUF_INIT;
	va_list args;

	va_start(args, first);
	for (const char *name = first; name; name = va_arg(args, const char *)) {
		const char *value = va_arg(args, const char *);

		buf_addf(&out, "%s %zu\n%s\n", name, strlen(value), value);
	}
	va_end(args);
	buf_adds(&out, "end 0\n\n");
	return buf_detach(&out);
}

void is(struct verdict v, enum verdict_kind kind, const char *text)
{
	ck_assert_msg(v.kind == kind && strstr(v.text, text), "%s: %s", verdict_name(v.kind), v.text);
}

void assess_as(enum assess_state state, const char *text)
{
	struct err err = { 0 };

	assessment_release(&rec.assessment);
	ck_assert_int_eq(rec.agent->assess(&rec.ctx, &rec.assessment, &err), 0);
	ck_assert_msg(rec.assessment.state == state && strstr(rec.assessment.text, text), "%s: %s",
		      assess_state_name(rec.assessment.state), rec.assessment.text);
	rec.ctx.assessment = &rec.assessment;
}

void runs_script(const struct op *op, const char *script, bool elevated, int args)
{
	ck_assert_int_eq(op->kind, OP_RUN);
	ck_assert_str_eq(op->script->name, script);
	ck_assert_int_eq(op->elevated, elevated);
	ck_assert_int_eq(op->args_n, args);
}

void replaces(const struct op *op, const char *path, const char *from, const char *to, const char *backup)
{
	char sha[SHA256_HEX_MAX];

	ck_assert_int_eq(op->kind, OP_REPLACE);
	ck_assert(op->elevated);
	ck_assert_str_eq(op->path, path);
	ck_assert_str_eq(op->expect_sha256, sha256_hex(from, strlen(from), sha));
	ck_assert_str_eq(buf_str(&op->input), to);
	if (backup)
		ck_assert_str_eq(op->backup, backup);
	else
		ck_assert_ptr_null(op->backup);
}
