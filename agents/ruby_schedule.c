#include "agents/ruby_schedule.h"
#include "agents/frames.h"
#include "agents/script.h"

#include "base/alloc.h"
#include "agents/edit/crontab.h"

#define ENTRY "schedule.entry"
#define TABLE "schedule.table"
#define TABLES_MAX_BYTES ((size_t)4 << 20)
#define TABLE_MAX_BYTES ((size_t)1 << 20)
#define MARKER_MAX 96

/* ---- facts ------------------------------------------------------------------------------------------------------ */

static const char *marker_of(const struct agent_ctx *ctx, char marker[MARKER_MAX])
{
	snprintf(marker, MARKER_MAX, "#CUTOVER:%s: ", ctx->tenant->id);
	return marker;
}

static int count(const struct facts *f, const char *key)
{
	return (int)strtol(facts_text(f, key, "0"), NULL, 10);
}

static void set_at(struct facts *f, const char *prefix, int i, const char *name, const void *value, size_t len)
{
	char key[FACT_KEY_MAX];

	facts_set(f, fact_key(key, prefix, i, name), value, len);
}

static void set_text_at(struct facts *f, const char *prefix, int i, const char *name, const char *text)
{
	set_at(f, prefix, i, name, text, strlen(text));
}

static const struct fact *get_at(const struct facts *f, const char *prefix, int i, const char *name)
{
	char key[FACT_KEY_MAX];

	return facts_get(f, fact_key(key, prefix, i, name));
}

static bool state_is(const struct facts *f, int i, const char *state)
{
	return strcmp(fact_at(f, ENTRY, i, "state"), state) == 0;
}

static bool is_timer(const struct facts *f, int i)
{
	return strcmp(fact_at(f, ENTRY, i, "kind"), "timer") == 0;
}

/* The entry with that item, or -1. */
static int entry_of(const struct facts *f, const char *item)
{
	for (int i = 0; i < count(f, "schedule.n"); i++) {
		if (strcmp(fact_at(f, ENTRY, i, "item"), item) == 0)
			return i;
	}
	return -1;
}

/* The table with that path, or -1. */
static int table_of(const struct facts *f, const char *path)
{
	for (int i = 0; i < count(f, "schedule.tables"); i++) {
		if (strcmp(fact_at(f, TABLE, i, "path"), path) == 0)
			return i;
	}
	return -1;
}

/* For people: "line 3 of crontab:sync", "timer imhs.timer". */
static const char *place(const struct facts *f, int i, char out[ITEM_MAX])
{
	if (is_timer(f, i))
		snprintf(out, ITEM_MAX, "timer %s", fact_at(f, ENTRY, i, "path"));
	else
		snprintf(out, ITEM_MAX, "line %s of %s", fact_at(f, ENTRY, i, "number"), fact_at(f, ENTRY, i, "path"));
	return out;
}

/* ---- observe ---------------------------------------------------------------------------------------------------- */

enum step_request schedule_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *where = agent_param(ctx, "schedule");

	item[0] = '\0';
	if (n > 0 || !facts_get(ctx->now, "client.real"))
		return OP_END;
	if (where && strcmp(where, "none") == 0)
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

static void forget(struct facts *f)
{
	for (size_t i = 0; i < f->n;) {
		if (strncmp(f->at[i].key, "schedule.", 9) == 0)
			facts_unset(f, f->at[i].key);
		else
			i++;
	}
}

/* Sentences about what is in the way are collected in one fact. */
static void __attribute__((format(printf, 3, 4))) complain(struct facts *f, const char *key, const char *fmt, ...)
{
	const char *so_far = facts_text(f, key, "");
	struct buf text = BUF_INIT;
	va_list args;

	buf_addf(&text, "%s%s", so_far, *so_far ? "; " : "");
	va_start(args, fmt);
	buf_vaddf(&text, fmt, args);
	va_end(args);
	facts_set_text(f, key, buf_str(&text));
	buf_release(&text);
}

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
	int i = count(f, "schedule.n"), twin;

	name_item(item, name, body, entry->body_len);
	twin = entry_of(f, item);
	if (twin >= 0) {
		complain(f, "schedule.drift",
			 "%s has the same line twice, lines %s and %ld: which one is meant cannot be said, remove one",
			 name, fact_at(f, ENTRY, twin, "number"), entry->line);
		return;
	}
	set_text_at(f, ENTRY, i, "item", item);
	set_at(f, ENTRY, i, "kind", seen->kind.value, seen->kind.len);
	set_text_at(f, ENTRY, i, "name", name);
	set_at(f, ENTRY, i, "path", seen->path.value, seen->path.len);
	set_at(f, ENTRY, i, "line", body, entry->body_len);
	facts_setf(f, fact_key(key, ENTRY, i, "number"), "%ld", entry->line);
	if (entry->user[0])
		set_text_at(f, ENTRY, i, "user", entry->user);
	else
		set_at(f, ENTRY, i, "user", seen->user.value, seen->user.len);
	set_text_at(f, ENTRY, i, "state", entry->off ? "off-by-us" : "on");
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
	int table = count(ctx->now, "schedule.tables");

	crontab_find(seen->bytes.value, seen->bytes.len, seen->system ? CRONTAB_SYSTEM : CRONTAB_USER, &client,
		     marker_of(ctx, marker), &found, &found_n);
	for (size_t i = 0; i < found_n; i++)
		add_line(ctx->now, seen, name, &found[i]);
	if (found_n) {
		set_at(ctx->now, TABLE, table, "path", seen->path.value, seen->path.len);
		set_at(ctx->now, TABLE, table, "bytes", seen->bytes.value, seen->bytes.len);
		facts_setf(ctx->now, "schedule.tables", "%d", table + 1);
	}
	free(found);
	free(folder);
	free(real);
	free(name);
}

static void add_timer(struct facts *f, const struct seen *seen)
{
	int i = count(f, "schedule.n");
	char item[ITEM_MAX], key[FACT_KEY_MAX];

	snprintf(item, sizeof(item), "systemd:%.*s", (int)(seen->timer.len < 110 ? seen->timer.len : 110),
		 seen->timer.value);
	if (entry_of(f, item) >= 0)
		return;
	set_text_at(f, ENTRY, i, "item", item);
	set_text_at(f, ENTRY, i, "kind", "timer");
	facts_setf(f, fact_key(key, ENTRY, i, "name"), "systemd:%.*s", (int)seen->timer.len, seen->timer.value);
	set_at(f, ENTRY, i, "path", seen->timer.value, seen->timer.len);
	set_at(f, ENTRY, i, "enabled", seen->enabled.value, seen->enabled.len);
	set_text_at(f, ENTRY, i, "state",
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
		complain(ctx->now, "schedule.person",
			 "%s names the client and may start it, and cannot be switched off by us: say where its "
			 "schedule is "
			 "(`schedule`), or `none` when it may stay on",
			 value);
	else if (frame_is(frame, "unreadable"))
		complain(ctx->now, "schedule.person",
			 "%s could not be looked into: let the login become root (`become`), or say where the schedule "
			 "is "
			 "(`schedule`)",
			 value);
	else if (frame_is(frame, "missing"))
		complain(ctx->now, "schedule.drift", "the inventory names the schedule %s, which is not there", value);
	free(value);
}

struct verdict schedule_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *text = buf_str(&result->out), *where = agent_param(ctx, "schedule");
	struct verdict verdict;
	struct frame frame;
	struct seen seen = { 0 };
	size_t at = 0;

	(void)n;
	if (!script_answered(result, "client-schedule.sh", &verdict))
		return verdict;
	forget(ctx->now);
	facts_set_text(ctx->now, "schedule.n", "0");
	while (frames_next(text, result->out.len, &at, &frame))
		add_frame(ctx, &frame, &seen);
	if (where && !count(ctx->now, "schedule.n") && !facts_get(ctx->now, "schedule.drift"))
		complain(ctx->now, "schedule.drift", "the inventory names the schedule %s, which starts no such client",
			 where);
	return verdict_ok();
}

/* Only what was on before our first change is switched off: what came later is nobody's debt, and stays on. */
static bool was_on(const struct agent_ctx *ctx, const char *item)
{
	int i = entry_of(ctx->before, item);

	return !ctx->before->n || (i >= 0 && state_is(ctx->before, i, "on"));
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

bool schedule_held(const struct agent_ctx *ctx)
{
	for (int i = 0; i < count(ctx->now, "schedule.n"); i++) {
		if (state_is(ctx->now, i, "off-by-us"))
			return true;
	}
	for (int i = 0; i < count(ctx->before, "schedule.n"); i++) {
		int now = entry_of(ctx->now, fact_at(ctx->before, ENTRY, i, "item"));

		if (is_timer(ctx->before, i) && state_is(ctx->before, i, "on") && now >= 0 &&
		    state_is(ctx->now, now, "off"))
			return true;
	}
	return false;
}

static void note_entry(const struct agent_ctx *ctx, int i, struct assessment *out)
{
	const struct facts *f = ctx->now;
	char where[ITEM_MAX];

	if (is_timer(f, i) && !state_is(f, i, "on"))
		assessment_note(out, "%s is not active and stays so", place(f, i, where));
	else if (!was_on(ctx, fact_at(f, ENTRY, i, "item")))
		assessment_note(out, "%s is new since our first attempt and stays on: %.160s", place(f, i, where),
				fact_at(f, ENTRY, i, "line"));
	else if (is_timer(f, i))
		assessment_note(out, "%s is stopped meanwhile", place(f, i, where));
	else
		assessment_note(out, "%s is off meanwhile: %.160s", place(f, i, where), fact_at(f, ENTRY, i, "line"));
}

bool schedule_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct facts *f = ctx->now;
	char where[ITEM_MAX];

	for (int i = 0; !ctx->before->n && i < count(f, "schedule.n"); i++) {
		if (!state_is(f, i, "off-by-us"))
			continue;
		assessment_set(
			out, ASSESS_DRIFT,
			"%s was switched off by a cutover that this state file knows nothing of: use the state file "
			"of that run, or take the marker away by hand",
			place(f, i, where));
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
	for (int i = 0; i < count(f, "schedule.n"); i++)
		note_entry(ctx, i, out);
	if (facts_is(f, "schedule.n", "0"))
		assessment_note(out, "nothing was found that starts the client by the clock; nothing is switched off");
	return true;
}

const char *schedule_user(const struct facts *f)
{
	const char *user = NULL;

	for (int i = 0; i < count(f, "schedule.n"); i++) {
		const char *this = fact_at(f, ENTRY, i, "user");

		if (!*this || (user && strcmp(user, this) != 0))
			return NULL;
		user = this;
	}
	return user;
}

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
	const struct fact *line = get_at(ctx->now, ENTRY, i, "line");
	int at = table_of(ctx->now, fact_at(ctx->now, ENTRY, i, "path"));
	char marker[MARKER_MAX];

	*table = at >= 0 ? get_at(ctx->now, TABLE, at, "bytes") : NULL;
	return *table && line &&
	       crontab_disable((*table)->value, (*table)->len, line->value, line->len, marker_of(ctx, marker), out,
			       NULL) == 0;
}

enum step_request schedule_off(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct facts *f = ctx->now;
	const struct fact *table;
	struct buf text = BUF_INIT;
	enum step_request request = OP_SKIP;

	if (n >= count(f, "schedule.n"))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", fact_at(f, ENTRY, n, "item"));
	if (!state_is(f, n, "on") || !was_on(ctx, item))
		return OP_SKIP;
	if (is_timer(f, n)) {
		timer_op(op, "stop", fact_at(f, ENTRY, n, "path"));
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
	int i = entry_of(ctx->now, item);
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
		set_text_at(ctx->now, ENTRY, i, "state", timer_is(result, "active") ? "on" : "off");
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
	if (is_timer(ctx->now, n))
		return timer_judged(ctx, fact_at(ctx->now, ENTRY, n, "path"), item, result, false);
	place(ctx->now, n, where);
	if (!result->failure.code && (result->exit_code == SCRIPT_CHANGED || result->exit_code == SCRIPT_MISSING))
		return verdict_reread("%s: the table was edited meanwhile", where);
	if (result->failure.code || result->exit_code)
		return install_failed(result, where, "switched off");
	if (line_off(ctx, n, &text, &table))
		set_at(ctx->now, TABLE, table_of(ctx->now, fact_at(ctx->now, ENTRY, n, "path")), "bytes",
		       buf_str(&text), text.len);
	buf_release(&text);
	set_text_at(ctx->now, ENTRY, n, "state", "off-by-us");
	return verdict_ok();
}

/* ---- on again --------------------------------------------------------------------------------------------------- */

static int line_on(const struct agent_ctx *ctx, const struct fact *line, const char *text, size_t len, struct buf *out)
{
	char marker[MARKER_MAX];

	if (!line)
		return E_BUG;
	return crontab_enable(text, len, line->value, line->len, marker_of(ctx, marker), out, NULL);
}

/* All is in `before`: a target that cannot be observed any more can still be put back. */
enum step_request schedule_on(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct facts *f = ctx->before;
	const struct fact *fresh = facts_get(ctx->now, "schedule.fresh.bytes");
	struct buf text = BUF_INIT;

	if (n >= count(f, "schedule.n"))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", fact_at(f, ENTRY, n, "item"));
	if (!state_is(f, n, "on"))
		return OP_SKIP;
	if (is_timer(f, n)) {
		timer_op(op, "start", fact_at(f, ENTRY, n, "path"));
		return OP_DO;
	}
	if (fresh && facts_is(ctx->now, "schedule.fresh", item) &&
	    line_on(ctx, get_at(f, ENTRY, n, "line"), fresh->value, fresh->len, &text) == 0)
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
	int i = entry_of(ctx->now, item);

	no_longer_fresh(ctx->now);
	if (i >= 0)
		set_text_at(ctx->now, ENTRY, i, "state", "on");
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
	rc = line_on(ctx, get_at(ctx->before, ENTRY, i, "line"), buf_str(&result->out), result->out.len, &text);
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
	if (is_timer(ctx->before, n))
		return timer_judged(ctx, path, item, result, true);
	if (!facts_is(ctx->now, "schedule.fresh", item))
		return table_read(ctx, n, item, result);
	if (!result->failure.code && (result->exit_code == SCRIPT_CHANGED || result->exit_code == SCRIPT_MISSING)) {
		no_longer_fresh(ctx->now);
		return verdict_again(1, "%s was edited meanwhile", path);
	}
	if (result->failure.code || result->exit_code) {
		no_longer_fresh(ctx->now);
		return install_failed(result, place(ctx->before, n, where), "switched on again");
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
	for (int i = 0; i < count(f, "schedule.n"); i++) {
		bool first = true;

		for (int k = 0; k < i && first; k++)
			first = is_timer(f, i) ||
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
	if (is_timer(f, i))
		timer_op(op, "show", fact_at(f, ENTRY, i, "path"));
	else
		table_op(op, fact_at(f, ENTRY, i, "path"));
	return OP_DO;
}

/* Is the line of entry i, which was on, on in this table, once? By asking what switching it off would say. */
static struct verdict line_again(const struct agent_ctx *ctx, int i, const char *text, size_t len)
{
	const struct facts *f = reference(ctx);
	const struct fact *line = get_at(f, ENTRY, i, "line");
	struct buf unused = BUF_INIT;
	char marker[MARKER_MAX], where[ITEM_MAX];
	int rc = crontab_disable(text, len, line->value, line->len, marker_of(ctx, marker), &unused, NULL);

	buf_release(&unused);
	place(f, i, where);
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
	for (int i = place_of; verdict.kind == VERDICT_OK && i < count(f, "schedule.n"); i++) {
		if (strcmp(fact_at(f, ENTRY, i, "path"), path) == 0 && state_is(f, i, "on"))
			verdict = line_again(ctx, i, buf_str(&result->out), result->out.len);
	}
	if (verdict.kind == VERDICT_OK &&
	    crontab_has_marker(buf_str(&result->out), result->out.len, marker_of(ctx, marker)))
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
	if (!is_timer(f, i))
		return table_again(ctx, i, result);
	if (!result->failure.code && result->exit_code == SCRIPT_MISSING)
		return verdict_fail(E_CHANGED, "timer %s is not there any more", fact_at(f, ENTRY, i, "path"));
	if (!script_answered(result, "timer.sh", &verdict))
		return verdict;
	if (state_is(f, i, "on") && !timer_is(result, "active"))
		return verdict_fail(E_CHANGED, "timer %s was active before and is not: start it (systemctl start)",
				    fact_at(f, ENTRY, i, "path"));
	return verdict_ok();
}
