#include "agents/ruby_schedule.h"
#include "agents/frames.h"
#include "agents/ruby_entry.h"
#include "agents/ruby_task.h"
#include "agents/script.h"

#include "base/alloc.h"
#include "agents/edit/crontab.h"

#define TABLES_MAX_BYTES ((size_t)4 << 20)

/* ---- observe ---------------------------------------------------------------------------------------------------- */

enum step_request schedule_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *where = agent_param(ctx, "schedule");

	item[0] = '\0';
	if (!facts_get(ctx->now, "client.real") || (where && strcmp(where, "none") == 0))
		return OP_END;
	if (ctx->host->os == OS_WINDOWS)
		return task_look(ctx, n, op, item);
	if (n > 0)
		return OP_END;
	script_op(op, "client-schedule.sh");
	op->max_out_bytes = TABLES_MAX_BYTES;
	op->timeout_ms = 60000;
	op_arg(op, where ? where : "");
	op_arg(op, facts_text(ctx->now, "client.folder", ""));
	op_arg(op, facts_text(ctx->now, "client.real", ""));
	return OP_DO;
}

/* One table or timer of the answer; views into it. */
struct seen {
	bool system;
	struct frame kind, name, user, path, bytes;
	struct frame timer, active, enabled;
};

static void name_item(char item[ITEM_MAX], const char *name, const void *line, size_t len)
{
	char sha[SHA256_HEX_MAX], of_name[SHA256_HEX_MAX];

	sha256_hex(line, len, sha);
	if (strlen(name) <= 100)
		snprintf(item, ITEM_MAX, "%s#%.12s", name, sha);
	else
		snprintf(item, ITEM_MAX, "%.80s~%.12s#%.12s", name, sha256_hex(name, strlen(name), of_name), sha);
}

static void add_line(struct facts *f, const struct seen *seen, const char *name, const struct crontab_entry *entry)
{
	const char *body = seen->bytes.value + entry->body_offset;
	char item[ITEM_MAX], key[FACT_KEY_MAX];
	int i = fact_number(f, "schedule.n"), twin;

	name_item(item, name, body, entry->body_len);
	twin = entry_find(f, item);
	if (twin >= 0) {
		schedule_complain(f, "schedule.drift",
			 "%s has the same line twice, lines %s and %ld: which one is meant cannot be said, remove one",
			 name, fact_at(f, ENTRY, twin, "number"), entry->line);
		return;
	}
	entry_set_text(f, ENTRY, i, "item", item);
	entry_set(f, ENTRY, i, "kind", seen->kind.value, seen->kind.len);
	entry_set_text(f, ENTRY, i, "name", name);
	entry_set(f, ENTRY, i, "path", seen->path.value, seen->path.len);
	entry_set(f, ENTRY, i, "line", body, entry->body_len);
	facts_setf(f, fact_key(key, ENTRY, i, "number"), "%ld", entry->line);
	if (entry->user[0])
		entry_set_text(f, ENTRY, i, "user", entry->user);
	else
		entry_set(f, ENTRY, i, "user", seen->user.value, seen->user.len);
	entry_set_text(f, ENTRY, i, "state", entry->off ? "off-by-us" : "on");
	facts_setf(f, "schedule.n", "%d", i + 1);
}

static void add_table(const struct agent_ctx *ctx, const struct seen *seen)
{
	char *folder = str_dup(facts_text(ctx->now, "client.folder", "")), *name = frame_text(&seen->name);
	char *real = str_dup(facts_text(ctx->now, "client.real", ""));
	const char *const folders[] = { folder, real, NULL };
	const char *const names[] = { "imhs-ws-clinet", "imhs-ws-client", "imhs-ws-client.rb", "imhs-ws-clinet.rb",
				      NULL };
	const struct crontab_client client = { folders, names };
	char marker[MARKER_MAX];
	struct crontab_entry *found;
	size_t found_n;
	int table = fact_number(ctx->now, "schedule.tables");

	crontab_find(seen->bytes.value, seen->bytes.len, seen->system ? CRONTAB_SYSTEM : CRONTAB_USER, &client,
		     schedule_marker(ctx, marker), &found, &found_n);
	for (size_t i = 0; i < found_n; i++)
		add_line(ctx->now, seen, name, &found[i]);
	if (found_n) {
		entry_set(ctx->now, TABLE, table, "path", seen->path.value, seen->path.len);
		entry_set(ctx->now, TABLE, table, "bytes", seen->bytes.value, seen->bytes.len);
		facts_setf(ctx->now, "schedule.tables", "%d", table + 1);
	}
	free(found);
	free(folder);
	free(real);
	free(name);
}

static void add_timer(struct facts *f, const struct seen *seen)
{
	int i = fact_number(f, "schedule.n");
	char item[ITEM_MAX], key[FACT_KEY_MAX];

	snprintf(item, sizeof(item), "systemd:%.*s", (int)(seen->timer.len < 110 ? seen->timer.len : 110),
		 seen->timer.value);
	if (entry_find(f, item) >= 0)
		return;
	entry_set_text(f, ENTRY, i, "item", item);
	entry_set_text(f, ENTRY, i, "kind", "timer");
	facts_setf(f, fact_key(key, ENTRY, i, "name"), "systemd:%.*s", (int)seen->timer.len, seen->timer.value);
	entry_set(f, ENTRY, i, "path", seen->timer.value, seen->timer.len);
	entry_set(f, ENTRY, i, "enabled", seen->enabled.value, seen->enabled.len);
	entry_set_text(f, ENTRY, i, "state",
		       seen->active.len == 6 && memcmp(seen->active.value, "active", 6) == 0 ? "on" : "off");
	facts_setf(f, "schedule.n", "%d", i + 1);
}

static void add_frame(const struct agent_ctx *ctx, const struct frame *frame, struct seen *seen)
{
	char *value = frame_text(frame);

	if (frame_is(frame, "kind"))
		*seen = (struct seen){ .kind = *frame, .system = strcmp(value, "system") == 0 };
	else if (frame_is(frame, "name"))
		seen->name = *frame;
	else if (frame_is(frame, "user"))
		seen->user = *frame;
	else if (frame_is(frame, "path"))
		seen->path = *frame;
	else if (frame_is(frame, "bytes")) {
		seen->bytes = *frame;
		add_table(ctx, seen);
	} else if (frame_is(frame, "timer"))
		*seen = (struct seen){ .timer = *frame };
	else if (frame_is(frame, "active"))
		seen->active = *frame;
	else if (frame_is(frame, "enabled")) {
		seen->enabled = *frame;
		add_timer(ctx->now, seen);
	} else if (frame_is(frame, "other"))
		schedule_complain(ctx->now, "schedule.person",
			 "%s names the client and may start it, and cannot be switched off by us: say where its "
			 "schedule is "
			 "(`schedule`), or `none` when it may stay on",
			 value);
	else if (frame_is(frame, "unreadable"))
		schedule_complain(ctx->now, "schedule.person",
			 "%s could not be looked into: let the login become root (`become`), or say where the schedule "
			 "is "
			 "(`schedule`)",
			 value);
	else if (frame_is(frame, "missing"))
		schedule_complain(ctx->now, "schedule.drift", "the inventory names the schedule %s, which is not there", value);
	free(value);
}

struct verdict schedule_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *text = buf_str(&result->out), *where = agent_param(ctx, "schedule");
	struct verdict verdict;
	struct frame frame;
	struct seen seen = { 0 };
	size_t at = 0;

	if (ctx->host->os == OS_WINDOWS)
		return task_seen(ctx, n, result);
	if (!script_answered(result, "client-schedule.sh", &verdict))
		return verdict;
	schedule_forget(ctx->now);
	facts_set_text(ctx->now, "schedule.n", "0");
	while (frames_next(text, result->out.len, &at, &frame))
		add_frame(ctx, &frame, &seen);
	if (where && !fact_number(ctx->now, "schedule.n") && !facts_get(ctx->now, "schedule.drift"))
		schedule_complain(ctx->now, "schedule.drift", "the inventory names the schedule %s, which starts no such client",
			 where);
	return verdict_ok();
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

bool schedule_held(const struct agent_ctx *ctx)
{
	for (int i = 0; i < fact_number(ctx->now, "schedule.n"); i++) {
		if (entry_is(ctx->now, i, "off-by-us"))
			return true;
	}
	for (int i = 0; i < fact_number(ctx->before, "schedule.n"); i++) {
		int now = entry_find(ctx->now, fact_at(ctx->before, ENTRY, i, "item"));

		if (!entry_is_line(ctx->before, i) && entry_is(ctx->before, i, "on") && now >= 0 &&
		    entry_is(ctx->now, now, "off"))
			return true;
	}
	return false;
}

static void note_entry(const struct agent_ctx *ctx, int i, struct assessment *out)
{
	const struct facts *f = ctx->now;
	char where[ITEM_MAX];

	if (!entry_is_line(f, i) && !entry_is(f, i, "on"))
		assessment_note(out, "%s is %s and stays so", entry_place(f, i, where),
				entry_is_task(f, i) ? "disabled" : "not active");
	else if (!entry_was_on(ctx, fact_at(f, ENTRY, i, "item")))
		assessment_note(out, "%s is new since our first attempt and stays on: %.160s", entry_place(f, i, where),
				fact_at(f, ENTRY, i, "line"));
	else if (!entry_is_line(f, i))
		assessment_note(out, "%s is %s meanwhile", entry_place(f, i, where),
				entry_is_task(f, i) ? "disabled" : "stopped");
	else
		assessment_note(out, "%s is off meanwhile: %.160s", entry_place(f, i, where),
				fact_at(f, ENTRY, i, "line"));
}

bool schedule_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct facts *f = ctx->now;
	char where[ITEM_MAX];

	if (ctx->host->os == OS_WINDOWS && !task_assess(ctx, out))
		return false;
	for (int i = 0; !ctx->before->n && i < fact_number(f, "schedule.n"); i++) {
		if (!entry_is(f, i, "off-by-us"))
			continue;
		assessment_set(
			out, ASSESS_DRIFT,
			"%s was switched off by a cutover that this state file knows nothing of: use the state file "
			"of that run, or take the marker away by hand",
			entry_place(f, i, where));
		return false;
	}
	if (facts_get(f, "schedule.drift")) {
		assessment_set(out, ASSESS_DRIFT, "%s", facts_text(f, "schedule.drift", ""));
		return false;
	}
	if (facts_get(f, "schedule.person")) {
		assessment_set(out, ASSESS_PERSON, "%s", facts_text(f, "schedule.person", ""));
		return false;
	}
	for (int i = 0; i < fact_number(f, "schedule.n"); i++)
		note_entry(ctx, i, out);
	if (facts_is(f, "schedule.n", "0"))
		assessment_note(out, "nothing was found that starts the client by the clock; nothing is switched off");
	return true;
}

const char *schedule_user(const struct facts *f)
{
	const char *user = NULL;

	for (int i = 0; i < fact_number(f, "schedule.n"); i++) {
		const char *this = fact_at(f, ENTRY, i, "user");

		if (!*this || (user && strcmp(user, this) != 0))
			return NULL;
		user = this;
	}
	return user;
}
