#include "agents/ruby_schedule.h"
#include "agents/frames.h"
#include "agents/ruby_entry.h"
#include "agents/ruby_task.h"
#include "agents/script.h"

#include "base/alloc.h"
#include "agents/edit/crontab.h"

#define TABLE_MAX_BYTES ((size_t)1 << 20)

/* ---- off -------------------------------------------------------------------------------------------------------- */

/* The op that puts `to` in the place of `from`. */
static void install_op(struct op *op, const char *path, const struct fact *from, const struct buf *to)
{
	char sha[SHA256_HEX_MAX];

	script_op(op, "cron-install.sh");
	op_arg(op, path);
	op_arg(op, sha256_hex(from->value, from->len, sha));
	buf_add(&op->input, buf_str(to), to->len);
}

static void table_op(struct op *op, const char *path)
{
	op->kind = OP_GET;
	op->elevated = true;
	op->max_out_bytes = TABLE_MAX_BYTES;
	op->path = str_dup(path);
}

static void timer_op(struct op *op, const char *verb, const char *unit)
{
	script_op(op, "timer.sh");
	op_arg(op, verb);
	op_arg(op, unit);
}

/* The table of entry i of `now` with its line off. */
static bool line_off(const struct agent_ctx *ctx, int i, struct buf *out, const struct fact **table)
{
	const struct fact *line = entry_get(ctx->now, ENTRY, i, "line");
	int at = table_find(ctx->now, fact_at(ctx->now, ENTRY, i, "path"));
	char marker[MARKER_MAX];

	*table = at >= 0 ? entry_get(ctx->now, TABLE, at, "bytes") : NULL;
	return *table && line &&
	       crontab_disable((*table)->value, (*table)->len, line->value, line->len, schedule_marker(ctx, marker),
			       out, NULL) == 0;
}

enum step_request schedule_off(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct facts *f = ctx->now;
	const struct fact *table;
	struct buf text = BUF_INIT;
	enum step_request request = OP_SKIP;

	if (n >= fact_number(f, "schedule.n"))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", fact_at(f, ENTRY, n, "item"));
	if (!entry_is(f, n, "on") || !entry_was_on(ctx, item))
		return OP_SKIP;
	if (entry_is_timer(f, n)) {
		timer_op(op, "stop", fact_at(f, ENTRY, n, "path"));
		return OP_DO;
	}
	if (entry_is_task(f, n)) {
		task_op(op, "disable", fact_at(f, ENTRY, n, "path"));
		return OP_DO;
	}
	if (line_off(ctx, n, &text, &table)) {
		install_op(op, fact_at(f, ENTRY, n, "path"), table, &text);
		request = OP_DO;
	}
	buf_release(&text);
	return request;
}

/* What timer.sh says: is it active, and was it so before? */
static bool timer_is(const struct op_result *result, const char *when)
{
	struct frame frame;

	return frames_find(buf_str(&result->out), result->out.len, when, &frame) && frame.len == 6 &&
	       memcmp(frame.value, "active", 6) == 0;
}

static struct verdict timer_judged(const struct agent_ctx *ctx, const char *unit, const char *item,
				   const struct op_result *result, bool on)
{
	int i = entry_find(ctx->now, item);
	struct verdict verdict;
	char *words;

	if (!result->failure.code && result->exit_code) {
		words = script_words(result);
		verdict = verdict_fail(E_IO, "timer %s could not be %s: %s", unit, on ? "started" : "stopped",
				       result->exit_code == SCRIPT_MISSING ? "it is not there any more" : words);
		free(words);
		return verdict;
	}
	if (!script_answered(result, "timer.sh", &verdict))
		return verdict;
	if (i >= 0)
		entry_set_text(ctx->now, ENTRY, i, "state", timer_is(result, "active") ? "on" : "off");
	if (timer_is(result, "active") != on)
		return verdict_fail(E_IO, "timer %s is %s although systemctl reported no error", unit,
				    on ? "not active" : "still active");
	if (timer_is(result, "was") == on)
		return verdict_unchanged("timer %s was %s already", unit, on ? "active" : "stopped");
	return verdict_ok();
}

static struct verdict install_failed(const struct op_result *result, const char *where, const char *what)
{
	char *words = script_words(result);
	struct verdict verdict =
		verdict_fail(result->failure.code ? result->failure.code : E_IO, "%s could not be %s: %s", where, what,
			     result->failure.code ? result->failure.text : words);

	free(words);
	return verdict;
}

struct verdict schedule_is_off(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const struct fact *table;
	struct buf text = BUF_INIT;
	char where[ITEM_MAX], item[ITEM_MAX];

	snprintf(item, sizeof(item), "%s", fact_at(ctx->now, ENTRY, n, "item"));
	if (entry_is_timer(ctx->now, n))
		return timer_judged(ctx, fact_at(ctx->now, ENTRY, n, "path"), item, result, false);
	if (entry_is_task(ctx->now, n))
		return task_judged(ctx, fact_at(ctx->now, ENTRY, n, "path"), item, result, false);
	entry_place(ctx->now, n, where);
	if (!result->failure.code && (result->exit_code == SCRIPT_CHANGED || result->exit_code == SCRIPT_MISSING))
		return verdict_reread("%s: the table was edited meanwhile", where);
	if (result->failure.code || result->exit_code)
		return install_failed(result, where, "switched off");
	if (line_off(ctx, n, &text, &table))
		entry_set(ctx->now, TABLE, table_find(ctx->now, fact_at(ctx->now, ENTRY, n, "path")), "bytes",
			  buf_str(&text), text.len);
	buf_release(&text);
	entry_set_text(ctx->now, ENTRY, n, "state", "off-by-us");
	return verdict_ok();
}

/* ---- on again --------------------------------------------------------------------------------------------------- */

static int line_on(const struct agent_ctx *ctx, const struct fact *line, const char *text, size_t len, struct buf *out)
{
	char marker[MARKER_MAX];

	if (!line)
		return E_BUG;
	return crontab_enable(text, len, line->value, line->len, schedule_marker(ctx, marker), out, NULL);
}

/* All is in `before`: a target that cannot be observed any more can still be put back. */
enum step_request schedule_on(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct facts *f = ctx->before;
	const struct fact *fresh = facts_get(ctx->now, "schedule.fresh.bytes");
	struct buf text = BUF_INIT;

	if (n >= fact_number(f, "schedule.n"))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", fact_at(f, ENTRY, n, "item"));
	if (!entry_is(f, n, "on"))
		return OP_SKIP;
	if (entry_is_timer(f, n)) {
		timer_op(op, "start", fact_at(f, ENTRY, n, "path"));
		return OP_DO;
	}
	if (entry_is_task(f, n)) {
		task_op(op, "enable", fact_at(f, ENTRY, n, "path"));
		return OP_DO;
	}
	if (fresh && facts_is(ctx->now, "schedule.fresh", item) &&
	    line_on(ctx, entry_get(f, ENTRY, n, "line"), fresh->value, fresh->len, &text) == 0)
		install_op(op, fact_at(f, ENTRY, n, "path"), fresh, &text);
	else
		table_op(op, fact_at(f, ENTRY, n, "path"));
	buf_release(&text);
	return OP_DO;
}

static void no_longer_fresh(struct facts *f)
{
	facts_unset(f, "schedule.fresh");
	facts_unset(f, "schedule.fresh.bytes");
}

/* `now` follows, so that what comes later sees it on. */
static void mark_on(const struct agent_ctx *ctx, const char *item)
{
	int i = entry_find(ctx->now, item);

	no_longer_fresh(ctx->now);
	if (i >= 0)
		entry_set_text(ctx->now, ENTRY, i, "state", "on");
}

/* The table as it is now: is our line in it, and as what? */
static struct verdict table_read(const struct agent_ctx *ctx, int i, const char *item, const struct op_result *result)
{
	const char *path = fact_at(ctx->before, ENTRY, i, "path"), *line = fact_at(ctx->before, ENTRY, i, "line");
	struct buf text = BUF_INIT;
	int rc;

	if (result->failure.code == E_NOTFOUND)
		return verdict_fail(E_CHANGED, "%s is gone meanwhile: put this line back by hand: %s", path, line);
	if (result->failure.code)
		return install_failed(result, path, "read");
	rc = line_on(ctx, entry_get(ctx->before, ENTRY, i, "line"), buf_str(&result->out), result->out.len, &text);
	buf_release(&text);
	if (rc == E_EXISTS) {
		mark_on(ctx, item);
		return verdict_unchanged("the line is on already in %s", path);
	}
	if (rc == E_INVAL)
		return verdict_fail(E_CHANGED,
				    "%s holds this line more than once, on or off: leave one of them, on: %s", path,
				    line);
	if (rc)
		return verdict_fail(E_CHANGED,
				    "the line that we switched off is not in %s any more: put it back by hand: %s",
				    path, line);
	facts_set_text(ctx->now, "schedule.fresh", item);
	facts_set(ctx->now, "schedule.fresh.bytes", buf_str(&result->out), result->out.len);
	return verdict_again(1, "%s was read, the line is switched on next", path);
}

struct verdict schedule_is_on(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *path = fact_at(ctx->before, ENTRY, n, "path");
	char item[ITEM_MAX], where[ITEM_MAX];

	snprintf(item, sizeof(item), "%s", fact_at(ctx->before, ENTRY, n, "item"));
	if (entry_is_timer(ctx->before, n))
		return timer_judged(ctx, path, item, result, true);
	if (entry_is_task(ctx->before, n))
		return task_judged(ctx, path, item, result, true);
	if (!facts_is(ctx->now, "schedule.fresh", item))
		return table_read(ctx, n, item, result);
	if (!result->failure.code && (result->exit_code == SCRIPT_CHANGED || result->exit_code == SCRIPT_MISSING)) {
		no_longer_fresh(ctx->now);
		return verdict_again(1, "%s was edited meanwhile", path);
	}
	if (result->failure.code || result->exit_code) {
		no_longer_fresh(ctx->now);
		return install_failed(result, entry_place(ctx->before, n, where), "switched on again");
	}
	mark_on(ctx, item);
	return verdict_ok();
}

/* ---- looked at again -------------------------------------------------------------------------------------------- */

/* What has to be as it was: as it was before us, or as it was seen where we changed nothing. */
static const struct facts *reference(const struct agent_ctx *ctx)
{
	return ctx->before->n ? ctx->before : ctx->now;
}

/* The n-th thing to look at: each table once, at its first entry, and each timer. -1 behind the last. */
static int nth_place(const struct facts *f, int n)
{
	for (int i = 0; i < fact_number(f, "schedule.n"); i++) {
		bool first = true;

		for (int k = 0; k < i && first; k++)
			first = !entry_is_line(f, i) ||
				strcmp(fact_at(f, ENTRY, k, "path"), fact_at(f, ENTRY, i, "path")) != 0;
		if (first && n-- == 0)
			return i;
	}
	return -1;
}

enum step_request schedule_look_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct facts *f = reference(ctx);
	int i = nth_place(f, n);

	if (i < 0)
		return OP_END;
	snprintf(item, ITEM_MAX, "%.*s", ITEM_MAX - 1, fact_at(f, ENTRY, i, "name"));
	if (entry_is_timer(f, i))
		timer_op(op, "show", fact_at(f, ENTRY, i, "path"));
	else if (entry_is_task(f, i))
		task_op(op, "show", fact_at(f, ENTRY, i, "path"));
	else
		table_op(op, fact_at(f, ENTRY, i, "path"));
	return OP_DO;
}

/* Is the line of entry i, which was on, on in this table, once? By asking what switching it off would say. */
static struct verdict line_again(const struct agent_ctx *ctx, int i, const char *text, size_t len)
{
	const struct facts *f = reference(ctx);
	const struct fact *line = entry_get(f, ENTRY, i, "line");
	struct buf unused = BUF_INIT;
	char marker[MARKER_MAX], where[ITEM_MAX];
	int rc = crontab_disable(text, len, line->value, line->len, schedule_marker(ctx, marker), &unused, NULL);

	buf_release(&unused);
	entry_place(f, i, where);
	if (rc == E_EXISTS)
		return verdict_fail(E_CHANGED, "%s is still switched off by us", where);
	if (rc == E_INVAL)
		return verdict_fail(E_CHANGED, "%s is there more than once now: leave one of them, on: %s", where,
				    line->value);
	if (rc)
		return verdict_fail(E_CHANGED, "%s was on before and is not there any more: put it back by hand: %s",
				    where, line->value);
	return verdict_ok();
}

static struct verdict table_again(const struct agent_ctx *ctx, int place_of, const struct op_result *result)
{
	const struct facts *f = reference(ctx);
	const char *path = fact_at(f, ENTRY, place_of, "path");
	struct verdict verdict = verdict_ok();
	char marker[MARKER_MAX];

	if (result->failure.code == E_NOTFOUND)
		return verdict_fail(E_CHANGED, "%s is gone meanwhile: put the client's line back by hand: %s", path,
				    fact_at(f, ENTRY, place_of, "line"));
	if (result->failure.code)
		return install_failed(result, path, "read");
	for (int i = place_of; verdict.kind == VERDICT_OK && i < fact_number(f, "schedule.n"); i++) {
		if (strcmp(fact_at(f, ENTRY, i, "path"), path) == 0 && entry_is(f, i, "on"))
			verdict = line_again(ctx, i, buf_str(&result->out), result->out.len);
	}
	if (verdict.kind == VERDICT_OK &&
	    crontab_has_marker(buf_str(&result->out), result->out.len, schedule_marker(ctx, marker)))
		return verdict_fail(E_CHANGED,
				    "%s has a line that begins with our marker (%s): see what it was, and take the "
				    "marker away by hand",
				    path, marker);
	return verdict;
}

struct verdict schedule_seen_again(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const struct facts *f = reference(ctx);
	int i = nth_place(f, n);
	struct verdict verdict;

	if (i < 0)
		return verdict_fail(E_BUG, "there is no place %d", n);
	if (entry_is_task(f, i))
		return task_again(fact_at(f, ENTRY, i, "path"), entry_is(f, i, "on"), result);
	if (entry_is_line(f, i))
		return table_again(ctx, i, result);
	if (!result->failure.code && result->exit_code == SCRIPT_MISSING)
		return verdict_fail(E_CHANGED, "timer %s is not there any more", fact_at(f, ENTRY, i, "path"));
	if (!script_answered(result, "timer.sh", &verdict))
		return verdict;
	if (entry_is(f, i, "on") && !timer_is(result, "active"))
		return verdict_fail(E_CHANGED, "timer %s was active before and is not: start it (systemctl start)",
				    fact_at(f, ENTRY, i, "path"));
	return verdict_ok();
}
