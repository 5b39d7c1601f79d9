/*
 * The operator's own checks of a host: the identity check before anything else on a new connection, and the verify
 * commands at the end. Both are her commands, run as they stand on channels of their own; what counts is the exit code
 * and what stdout says.
 */
#include "engine/internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/identity.h"

#define SHOWN_BYTES 200

struct command_run {
	struct task *task;
	const struct verify_command *command;
	struct op op;
	struct remote_request request;
	bool running;
	bool good;
	struct err way; /* the way failed */
	char text[ERR_TEXT_MAX];
};

/* ---- identity --------------------------------------------------------------------------------------------------- */

struct identity_wait {
	struct machine *machine;
	void (*then)(struct machine *m, const struct err *err);
};

/* Fills *seen; the caller frees. */
static int judge_identity(const struct machine *m, const struct op_result *r, char **seen, struct err *err)
{
	const struct identity_check *check = &m->host->identity_check;

	if (identity_agrees(check, r, seen))
		return 0;
	return err_set(err, E_IDENTITY,
		       "this is not the host it should be: `%s` says \"%.*s\" (exit %d), the inventory expects %s\"%s\"; check address, bastion and port of %s, nothing was changed",
		       check->run, SHOWN_BYTES, *seen, (int)r->exit_code, check->equals ? "" : "a match of ",
		       check->equals ? check->equals : check->matches, m->host->name);
}

/* From now on its key is known: a connection that shows another one is refused (rows_host_key). A plan is not kept, so its
   reader is told at once. */
static void tell_accepted(const struct machine *m, struct journal_entry *entry, char *text, size_t size)
{
	snprintf(text, size,
		 "its host key %s was not known; it was accepted after the identity check (host_keys: accept-new) and is pinned from now on",
		 entry->item);
	entry->action = "accepted";
	entry->text = text;
	if (m->engine->cfg.mode == ENGINE_PLAN)
		log_warn("%s/%s: host key %s is not known; the identity check agrees, a run would accept and keep it", entry->tenant,
			 m->host->name, entry->item);
}

static void journal_identity(struct machine *m, const char *seen)
{
	struct engine *e = m->engine;
	struct remote_info info;
	json_t *o = json_object();
	char *data, *target = str_fmt("host:%s", m->host->name), text[256];
	struct journal_entry entry = { .kind = JOURNAL_IDENTITY, .tenant = m->host_tenant->id, .target = target };

	remote_info(m->remote, &info);
	entry.item = info.host_key;
	if (info.host_key_new)
		tell_accepted(m, &entry, text, sizeof(text));
	json_object_set_new(o, "host_key", json_string(info.host_key));
	json_object_set_new(o, "banner", json_string(info.banner));
	json_object_set_new(o, "address", json_string(m->host->connection.address));
	if (seen && json_object_set_new(o, "identity", json_string(seen)) != 0)
		json_object_set_new(o, "identity", json_string("(not UTF-8)"));
	data = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	entry.data = data;
	ledger_add(&e->ledger, &entry, NULL, 1, NULL);
	json_decref(o);
	free(data);
	free(target);
}

static void identity_done(struct remote_request *request)
{
	struct identity_wait *w = request->arg;
	struct machine *m = w->machine;
	void (*then)(struct machine *, const struct err *) = w->then;
	struct err err = request->result.failure;
	char *seen = NULL;

	free(w);
	if (!err.code)
		judge_identity(m, &request->result, &seen, &err);
	if (!err.code)
		journal_identity(m, seen);
	free(seen);
	op_release(&m->identity_op);
	op_result_release(&request->result);
	then(m, err.code ? &err : NULL);
	engine_turn_soon(m->engine);
}

/* Without a check any machine would do: one whose key nobody knows is not let in (validate says so before). */
static void unchecked(struct machine *m, void (*then)(struct machine *m, const struct err *err))
{
	struct remote_info info = { 0 };
	struct err err = { 0 };

	if (m->host)
		remote_info(m->remote, &info);
	if (info.host_key_new)
		err_set(&err, E_HOSTKEY, "%s/%s: unknown host key %s, and no identity_check to tell whether it is the right host",
			m->host_tenant->id, m->host->name, info.host_key);
	else if (m->host)
		journal_identity(m, NULL);
	then(m, err.code ? &err : NULL);
}

void check_identity(struct machine *m, void (*then)(struct machine *m, const struct err *err))
{
	const struct identity_check *check = m->host ? &m->host->identity_check : NULL;
	struct identity_wait *w;

	if (!check || !check->run) {
		unchecked(m, then);
		return;
	}
	w = NEW(struct identity_wait);
	*w = (struct identity_wait){ m, then };
	op_init(&m->identity_op, OP_EXEC);
	m->identity_op.command = str_dup(check->run);
	m->identity_request = (struct remote_request){
		.op = &m->identity_op, .what = "identity_check", .done = identity_done, .arg = w
	};
	remote_start(m->remote, &m->identity_request);
}

/* ---- verify commands -------------------------------------------------------------------------------------------- */

static void judge_command(struct command_run *c, const struct op_result *r)
{
	const struct verify_command *v = c->command;

	c->good = false;
	if (r->failure.code == E_TIMEOUT)
		snprintf(c->text, sizeof(c->text), "verify command \"%s\": no end after %d s: `%s`", v->name,
			 v->timeout_ms / 1000, v->run);
	else if (r->failure.code)
		c->way = r->failure;
	else if (r->exit_code != v->exit)
		snprintf(c->text, sizeof(c->text), "verify command \"%s\": exit %d instead of %d: `%s` said \"%.*s\"", v->name,
			 (int)r->exit_code, v->exit, v->run, SHOWN_BYTES,
			 r->err.len ? buf_str(&r->err) : buf_str(&r->out));
	else if (v->stdout_matches && !text_matches(v->stdout_matches, buf_str(&r->out)))
		snprintf(c->text, sizeof(c->text), "verify command \"%s\": its output does not match \"%s\": `%s` said \"%.*s\"%s",
			 v->name, v->stdout_matches, v->run, SHOWN_BYTES, buf_str(&r->out),
			 r->out.truncated ? " (output cut)" : "");
	else
		c->good = true;
}

static void release_commands(struct task *t)
{
	for (size_t i = 0; i < t->roster->host->verify_n; i++)
		op_release(&t->commands[i].op);
	free(t->commands);
	t->commands = NULL;
}

/* All are through: the first that was not good says so. */
static void commands_over(struct task *t)
{
	char bad[ERR_TEXT_MAX] = "";
	struct err way = { 0 };

	for (size_t i = 0; i < t->roster->host->verify_n; i++) {
		struct command_run *c = &t->commands[i];
		if (c->way.code && !way.code)
			way = c->way;
		if (!c->good && !c->way.code && !bad[0])
			snprintf(bad, sizeof(bad), "%s", c->text);
	}
	release_commands(t);
	task_move(t, TASK_TABLE);
	if (bad[0] || !way.code)
		stage_commands_over(t, bad[0] ? bad : NULL);
	else
		task_way_failed(t, &way, true);
}

static void command_done(struct remote_request *request)
{
	struct command_run *c = request->arg;
	struct task *t = c->task;

	c->running = false;
	judge_command(c, &request->result);
	if (!c->way.code)
		evidence_command(t, c->command, &request->result, c->good, c->text);
	op_result_release(&request->result);
	if (--t->commands_left == 0)
		commands_over(t);
	engine_turn_soon(t->engine);
}

void check_commands(struct task *t)
{
	const struct host *host = t->roster->host;

	if (!host || !host->verify_n) {
		stage_commands_over(t, NULL);
		return;
	}
	t->commands = NEW_N(struct command_run, host->verify_n);
	t->commands_left = host->verify_n;
	task_move(t, TASK_COMMANDS);
	for (size_t i = 0; i < host->verify_n; i++) {
		struct command_run *c = &t->commands[i];
		c->task = t;
		c->command = &host->verify[i];
		op_init(&c->op, OP_EXEC);
		c->op.command = str_dup(c->command->run);
		c->op.timeout_ms = c->command->timeout_ms;
		c->running = true;
		c->request = (struct remote_request){ .op = &c->op, .what = c->command->name, .done = command_done, .arg = c };
		remote_start(t->machine->remote, &c->request);
	}
}

void check_commands_cancel(struct task *t)
{
	for (size_t i = 0; i < t->roster->host->verify_n; i++)
		if (t->commands[i].running)
			remote_cancel(t->machine->remote, &t->commands[i].request);
}
