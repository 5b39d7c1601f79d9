#include "agents/ruby_task.h"

#include "agents/ruby_entry.h"
#include "agents/win_task.h"
#include "agents/win_text.h"

#include "base/alloc.h"

#define FOUND "schedule.task"
#define LIST_MAX_BYTES ((size_t)8 << 20) /* a machine has some hundred tasks of some KB */
#define DEFINITION_MAX_BYTES ((size_t)512 << 10)
#define LIST_TIMEOUT_MS 120000
#define PREFIX "schtasks:"

void task_op(struct op *op, const char *verb, const char *path)
{
	script_op(op, "task.cmd");
	op->max_out_bytes = DEFINITION_MAX_BYTES;
	op_arg(op, verb);
	op_arg(op, path);
}

/* ---- observe ---------------------------------------------------------------------------------------------------- */

static const char *named(const struct agent_ctx *ctx)
{
	const char *where = agent_param(ctx, "schedule");

	return where && strncmp(where, PREFIX, strlen(PREFIX)) == 0 ? where + strlen(PREFIX) : NULL;
}

/* The n-th task to be looked at, from 1 on; NULL behind the last. */
static const char *candidate(const struct agent_ctx *ctx, int n)
{
	if (named(ctx))
		return n == 1 ? named(ctx) : NULL;
	return n <= fact_number(ctx->now, "schedule.task_n") ? fact_at(ctx->now, FOUND, n - 1, "path") : NULL;
}

enum step_request task_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *path = candidate(ctx, n);

	item[0] = '\0';
	if (n == 0 && agent_param(ctx, "schedule"))
		return OP_SKIP;
	if (n == 0) {
		script_op(op, "task.cmd");
		op->max_out_bytes = LIST_MAX_BYTES;
		op->timeout_ms = LIST_TIMEOUT_MS;
		op_arg(op, "list");
		return OP_DO;
	}
	if (!path)
		return OP_END;
	snprintf(item, ITEM_MAX, "%.*s", ITEM_MAX - 1, path);
	if (!win_task_is_path(path))
		return OP_SKIP;
	task_op(op, "show", path);
	return OP_DO;
}

static void add_found(const struct agent_ctx *ctx, const struct win_task *task)
{
	int n = fact_number(ctx->now, "schedule.task_n");
	char key[FACT_KEY_MAX];

	if (!task->path || !win_task_is_path(task->path)) {
		schedule_complain(
		    ctx->now, "schedule.person",
		    "a task starts the client whose path cannot be worked with (%s): say where its schedule is "
		    "(`schedule`), or `none` when it may stay on",
		    task->path ? task->path : "none is said");
		return;
	}
	facts_set_text(ctx->now, fact_key(key, FOUND, n, "path"), task->path);
	facts_setf(ctx->now, "schedule.task_n", "%d", n + 1);
}

/* Do the actions name the client, by its folder or by its program? */
static bool starts_client(const struct agent_ctx *ctx, const struct win_task *task)
{
	const char *const names[] = {facts_text(ctx->now, "client.real", ""), "imhs-ws-client", "imhs-ws-clinet", NULL};

	return win_task_names(task, names);
}

static struct verdict list_seen(const struct agent_ctx *ctx, const struct op_result *result)
{
	struct verdict verdict;
	struct win_task task;
	size_t at = 0;
	int bad = 0;

	schedule_forget(ctx->now);
	facts_set_text(ctx->now, "schedule.n", "0");
	if (!script_lines_answered(result, "the tasks could not be listed: say where the client's schedule is (`schedule`)",
				   &verdict))
		return verdict;
	while (win_task_next(buf_str(&result->out), result->out.len, &at, &task, &bad)) {
		if (starts_client(ctx, &task))
			add_found(ctx, &task);
		win_task_release(&task);
	}
	if (bad)
		schedule_complain(
		    ctx->now, "schedule.person",
		    "%d tasks of the host could not be read: say where the client's schedule is (`schedule`), or "
		    "`none`",
		    bad);
	return verdict_ok();
}

static void name_item(char item[ITEM_MAX], const char *path)
{
	char sha[SHA256_HEX_MAX];

	if (strlen(path) + strlen(PREFIX) < ITEM_MAX)
		snprintf(item, ITEM_MAX, PREFIX "%s", path);
	else
		snprintf(item, ITEM_MAX, PREFIX "%.80s~%.12s", path, sha256_hex(path, strlen(path), sha));
}

static void add_entry(const struct agent_ctx *ctx, const char *path, bool enabled)
{
	int i = fact_number(ctx->now, "schedule.n");
	char item[ITEM_MAX], key[FACT_KEY_MAX];

	name_item(item, path);
	if (entry_find(ctx->now, item) >= 0)
		return;
	entry_set_text(ctx->now, ENTRY, i, "item", item);
	entry_set_text(ctx->now, ENTRY, i, "kind", "task");
	facts_setf(ctx->now, fact_key(key, ENTRY, i, "name"), PREFIX "%s", path);
	entry_set_text(ctx->now, ENTRY, i, "path", path);
	entry_set_text(ctx->now, ENTRY, i, "state", enabled ? "on" : "off");
	facts_setf(ctx->now, "schedule.n", "%d", i + 1);
}

/* The one task that a whole answer shows; else *verdict says what is wrong. Release it. */
static bool shown(const char *path, const char *what, const struct op_result *result, struct win_task *task,
		  struct verdict *verdict)
{
	if (!script_lines_answered(result, what, verdict))
		return false;
	if (win_task_only(buf_str(&result->out), result->out.len, task))
		return true;
	*verdict = verdict_retry(E_PROTOCOL, "what schtasks.exe says of the task %s cannot be read", path);
	return false;
}

static struct verdict named_seen(const struct agent_ctx *ctx, const char *path, const struct op_result *result)
{
	struct verdict verdict;
	struct win_task task;
	char *words;

	schedule_forget(ctx->now);
	facts_set_text(ctx->now, "schedule.n", "0");
	if (!result->failure.code && result->exit_code) {
		words = script_words_windows(result);
		schedule_complain(ctx->now, "schedule.drift",
				  "the inventory names the task %s, and schtasks.exe cannot show it (code %d: %s)",
				  path, (int)result->exit_code, words);
		free(words);
		return verdict_ok();
	}
	if (!shown(path, "the task that the inventory names could not be looked at", result, &task, &verdict))
		return verdict;
	add_entry(ctx, path, task.enabled);
	win_task_release(&task);
	return verdict_ok();
}

/* The path may have been read wrongly, or be another task's: it is ours to switch only if it runs the client. */
static struct verdict found_seen(const struct agent_ctx *ctx, const char *path, const struct op_result *result)
{
	struct verdict verdict;
	struct win_task task;
	char what[ITEM_MAX + 128];

	snprintf(what, sizeof(what), "the task %.120s starts the client and could not be looked at: name it (`schedule`)",
		 path);
	if (!shown(path, what, result, &task, &verdict))
		return verdict;
	if (starts_client(ctx, &task))
		add_entry(ctx, path, task.enabled);
	else
		schedule_complain(
		    ctx->now, "schedule.person",
		    "a task starts the client, and the one of the path that is said of it, %s, does not: say where "
		    "the client's schedule is (`schedule`), or `none`",
		    path);
	win_task_release(&task);
	return verdict_ok();
}

struct verdict task_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *path = candidate(ctx, n);

	if (n == 0)
		return list_seen(ctx, result);
	return named(ctx) ? named_seen(ctx, path, result) : found_seen(ctx, path, result);
}

bool task_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *where = agent_param(ctx, "schedule");

	if (!where || strcmp(where, "none") == 0 || (named(ctx) && win_task_is_path(named(ctx))))
		return true;
	assessment_set(
	    out, ASSESS_PERSON,
	    "`schedule` names %s, which can be no schedule of a Windows host: name a task (schtasks:\\PATH, without "
	    "wildcards, quotes, percent signs and carets), or `none`",
	    where);
	return false;
}

/* ---- off, on, looked at again ----------------------------------------------------------------------------------- */

struct verdict task_judged(const struct agent_ctx *ctx, const char *path, const char *item,
			   const struct op_result *result, bool on)
{
	int i = entry_find(ctx->now, item);
	char what[ITEM_MAX + 64];
	struct verdict verdict;
	struct win_task task;
	bool enabled;

	snprintf(what, sizeof(what), "the task %.120s could not be %s", path, on ? "enabled again" : "disabled");
	if (!shown(path, what, result, &task, &verdict))
		return verdict;
	enabled = task.enabled;
	win_task_release(&task);
	if (i >= 0)
		entry_set_text(ctx->now, ENTRY, i, "state", enabled ? "on" : "off");
	if (enabled != on)
		return verdict_fail(E_IO, "the task %s is %s although schtasks.exe reported no error", path,
				    enabled ? "enabled" : "disabled");
	return verdict_ok();
}

struct verdict task_again(const char *path, bool on, const struct op_result *result)
{
	struct verdict verdict;
	struct win_task task;
	char what[ITEM_MAX + 64];
	bool enabled;

	snprintf(what, sizeof(what), "the task %.120s was there before and cannot be looked at", path);
	if (!shown(path, what, result, &task, &verdict))
		return verdict;
	enabled = task.enabled;
	win_task_release(&task);
	if (on && !enabled)
		return verdict_fail(E_CHANGED,
				    "the task %s was enabled before and is not: enable it (schtasks /change /tn "
				    "\"%s\" /enable)",
				    path, path);
	return verdict_ok();
}
