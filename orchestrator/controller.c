/*
 * The happy path: lock and open the state file, store the inventory's revision, begin a run, fold the rows, let the
 * engine work on the loop until it says done, write the run's end, close everything, give the exit code. Failing: what
 * is wrong before the engine starts is said and ends with its code; afterwards everything ends through the engine's
 * done. Closing: each part has its own close callback; the loop ends by itself when all are gone.
 */
#include "controller.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/control.h"
#include "engine/ledger.h"
#include "exit.h"
#include "inventory/load.h"
#include "progress.h"
#include "remote_control.h"
#include "terminal.h"
#include "transport/local.h"
#include "transport/ssh.h"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

struct controller {
	const struct controller_job *job;
	uv_loop_t loop;
	struct transport *transport, *local;
	struct journal *journal;
	struct journal_reader *reader;
	struct rows rows;
	struct events events;
	struct engine *engine;
	struct control *control;
	struct progress progress;
	uv_signal_t signals[4];
	int signals_n;
	int64_t run;
	struct engine_outcome outcome;
	bool finished;
};

/* ---- the run's own entries -------------------------------------------------------------------------------------- */

static json_t *who_json(void)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *origin = getenv("SSH_CONNECTION");
	json_t *o = json_object();

	json_object_set_new(o, "os_user", json_string(pw ? pw->pw_name : "?"));
	json_object_set_new(o, "ssh_origin", origin ? json_stringn(origin, strcspn(origin, " ")) : json_null());
	json_object_set_new(o, "pid", json_integer(getpid()));
	json_object_set_new(o, "version", json_string(CUTOVER_VERSION));
	return o;
}

static int store_revision(struct controller *c, int64_t *revision, struct err *err)
{
	const struct inventory *inv = c->job->inventory;
	struct journal_file *files = NEW_N(struct journal_file, inv->files_n);
	int r;

	for (size_t i = 0; i < inv->files_n; i++)
		files[i] = (struct journal_file){ inv->files[i].path, inv->files[i].bytes, inv->files[i].len };
	r = journal_put_revision(c->journal, inv->sha256, files, inv->files_n, clock_wall_ms(&clock_system), revision, err);
	free(files);
	return r;
}

static int begin_run(struct controller *c, struct err *err)
{
	struct journal_entry entry = { .kind = JOURNAL_RUN, .wall_ms = clock_wall_ms(&clock_system) };
	int64_t revision;
	json_t *o;
	char *data;
	int r = store_revision(c, &revision, err);

	if (r)
		return r;
	o = who_json();
	json_object_set_new(o, "command", json_string(c->job->command));
	json_object_set_new(o, "revision", json_integer(revision));
	json_object_set_new(o, "inventory", json_string(c->job->inventory->path));
	json_object_set_new(o, "inventory_sha256", json_string(c->job->inventory->sha256));
	json_object_set_new(o, "selection", selection_to_json(c->job->selection));
	json_object_set_new(o, "wait", json_boolean(c->job->wait));
	data = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	entry.procedure = c->job->inventory->procedure->name;
	entry.data = data;
	r = journal_begin_run(c->journal, &entry, &c->run, err);
	entry.run = c->run;
	if (!r)
		events_entry(&c->events, &entry);
	free(data);
	return r;
}

static void end_run(struct controller *c, int code)
{
	struct journal_entry entry = { .kind = JOURNAL_RUN_END };
	json_t *counts = json_object();
	json_t *o;
	char *data;

	for (int i = 0; i < STEP_STATES; i++)
		if (c->outcome.by_state[i])
			json_object_set_new(counts, step_state_name((enum step_state)i),
					    json_integer((json_int_t)c->outcome.by_state[i]));
	o = json_pack("{s:i, s:I, s:o, s:I}", "exit", code, "rows", (json_int_t)c->outcome.rows, "by_state", counts,
		      "open_debts", (json_int_t)c->outcome.open_debts);
	data = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	entry.text = exit_meaning(code);
	entry.data = data;
	ledger_add(engine_ledger(c->engine), &entry, NULL, 1, NULL);
	free(data);
}

/* ---- exit codes ------------------------------------------------------------------------------------------------- */

static size_t count(const struct engine_outcome *o, unsigned states)
{
	size_t n = 0;

	for (unsigned i = 0; i < STEP_STATES; i++)
		if (states & (1u << i))
			n += o->by_state[i];
	return n;
}

#define BAD                                                                                                            \
	(1u << STEP_FAILED | 1u << STEP_DRIFT | 1u << STEP_UNREACHABLE | 1u << STEP_INDETERMINATE | 1u << STEP_ROLLED_BACK)
#define LEFT (1u << STEP_PENDING | 1u << STEP_WAITING | 1u << STEP_BLOCKED | 1u << STEP_APPLIED | 1u << STEP_RUNNING)

static int exit_of(const struct controller *c)
{
	const struct engine_outcome *o = &c->outcome;
	int codes[5], n = 0;

	if (o->journal_broken)
		codes[n++] = EXIT_USAGE;
	switch (c->job->mode) {
	case ENGINE_PLAN:
		if (o->stopped)
			codes[n++] = EXIT_STOPPED;
		if (o->plan_problems)
			codes[n++] = EXIT_FAILED;
		if (c->job->options->detailed_exitcode && o->plan_changes)
			codes[n++] = EXIT_CHANGES;
		break;
	case ENGINE_RUN:
		if (o->stopped)
			codes[n++] = EXIT_STOPPED;
		if (count(o, BAD) || o->open_debts)
			codes[n++] = EXIT_FAILED;
		if (count(o, LEFT))
			codes[n++] = EXIT_WAITING;
		if (count(o, 1u << STEP_NEEDS_PERSON))
			codes[n++] = EXIT_PERSON;
		break;
	case ENGINE_ROLLBACK:
		if (o->stopped)
			codes[n++] = EXIT_STOPPED;
		if (o->rollback_left || o->open_debts)
			codes[n++] = EXIT_FAILED;
		break;
	}
	return exit_worst(codes, (size_t)n);
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

static void close_parts(struct controller *c)
{
	for (int i = 0; i < c->signals_n; i++)
		uv_close((uv_handle_t *)&c->signals[i], NULL);
	c->signals_n = 0;
	progress_close(&c->progress);
	if (c->control)
		control_close(c->control);
	c->control = NULL;
	if (c->transport)
		ssh_transport_close(c->transport, NULL, NULL);
	if (c->local)
		local_transport_close(c->local, NULL, NULL);
	c->transport = c->local = NULL;
	if (c->journal)
		journal_close(c->journal, NULL, NULL);
	c->journal = NULL;
}

static void engine_done(struct engine *engine, void *arg)
{
	struct controller *c = arg;

	c->finished = true;
	engine_outcome(engine, &c->outcome);
	progress_end(&c->progress);
	if (c->journal)
		end_run(c, exit_of(c));
	close_parts(c);
}

static void release(struct controller *c)
{
	close_parts(c);
	uv_run(&c->loop, UV_RUN_DEFAULT);
	if (c->engine)
		engine_free(c->engine);
	if (c->reader)
		journal_reader_close(c->reader);
	rows_release(&c->rows);
	events_close(&c->events);
	uv_loop_close(&c->loop);
}

/* ---- signals ---------------------------------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int signum)
{
	struct controller *c = handle->data;

	if (signum == SIGUSR1) {
		progress_say(&c->progress);
		return;
	}
	engine_stop(c->engine);
	progress_stopping(&c->progress);
}

static void watch_signals(struct controller *c)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		uv_signal_t *s = &c->signals[c->signals_n++];
		uv_signal_init(&c->loop, s);
		s->data = c;
		uv_signal_start(s, on_signal, wanted[i]);
	}
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* plan only reads, and only what is there. */
static int open_for_plan(struct controller *c, struct err *err)
{
	int r = journal_reader_open(c->job->options->state_path, &c->reader, err);

	if (r == E_NOTFOUND)
		return 0;
	return r ? r : rows_load(&c->rows, c->reader, err);
}

static int open_for_change(struct controller *c, struct err *err)
{
	const char *path = c->job->options->state_path;
	enum journal_open_mode mode = c->job->mode == ENGINE_RUN ? JOURNAL_CREATE : JOURNAL_MUST_EXIST;
	char *socket = journal_socket_path(path);
	int r = journal_open(&c->loop, path, mode, &c->journal, err);

	if (!r)
		r = begin_run(c, err);
	if (!r)
		r = journal_reader_open(path, &c->reader, err);
	if (!r)
		r = rows_load(&c->rows, c->reader, err);
	if (!r)
		r = control_open(&c->loop, socket, remote_control, &c->engine, &c->control, err);
	free(socket);
	return r;
}

static size_t machines_at_most(const struct inventory *inv)
{
	size_t n = 0;

	for (size_t i = 0; i < inv->tenants_n; i++)
		n += inv->tenants[i].hosts_n + inv->tenants[i].has_web_service;
	return n ? n : 1;
}

/* Of the machines that may be at work at once, those that are the controller itself need more than a socket. */
static size_t descriptors_at_most(const struct inventory *inv, size_t concurrency)
{
	size_t local = 0;

	for (size_t i = 0; i < inv->tenants_n; i++)
		local += inv->tenants[i].has_web_service;
	return concurrency + (local < concurrency ? local : concurrency) * LOCAL_REQUEST_FDS;
}

static int open_parts(struct controller *c, int concurrency, struct err *err)
{
	const struct options *o = c->job->options;
	int r = ssh_transport_reserve(descriptors_at_most(c->job->inventory, (size_t)concurrency), err);

	if (!r)
		r = ssh_transport_new(&c->loop, NULL, &c->transport, err);
	if (!r)
		r = local_transport_new(&c->loop, c->transport, &c->local, err);
	if (!r && o->events_path)
		r = events_open(&c->events, o->events_path, err);
	if (!r)
		r = c->job->mode == ENGINE_PLAN ? open_for_plan(c, err) : open_for_change(c, err);
	return r;
}

static int start_engine(struct controller *c, int concurrency, struct err *err)
{
	const struct controller_job *job = c->job;
	bool plan = job->mode == ENGINE_PLAN;
	struct engine_config cfg = {
		.mode = job->mode,
		.loop = &c->loop,
		.clock = &clock_system,
		.transport = c->transport,
		.local = c->local,
		.inventory = job->inventory,
		.selection = job->selection,
		.rows = &c->rows,
		.journal = c->journal,
		.reader = plan ? NULL : c->reader,
		.run = c->run,
		.events = job->options->events_path ? &c->events : NULL,
		.concurrency = concurrency,
		.wait = job->wait,
		.seed = (uint32_t)clock_wall_ms(&clock_system) ^ (uint32_t)getpid(),
		.done = engine_done,
		.moved = progress_moved,
		.arg = c,
	};

	c->engine = engine_new(&cfg);
	progress_start(&c->progress, &c->loop, c->engine, job->command);
	watch_signals(c);
	return engine_start(c->engine, err);
}

int controller_run(const struct controller_job *job)
{
	struct controller c = { .job = job };
	size_t machines = machines_at_most(job->inventory);
	int concurrency = job->options->concurrency ? job->options->concurrency : CONCURRENCY_DEFAULT;
	struct err err = { 0 };
	int code, r;

	if ((size_t)concurrency > machines)
		concurrency = (int)machines;
	uv_loop_init(&c.loop);
	rows_init(&c.rows);
	r = open_parts(&c, concurrency, &err);
	if (!r)
		r = start_engine(&c, concurrency, &err);
	if (!r)
		uv_run(&c.loop, UV_RUN_DEFAULT);
	if (r) {
		terminal_error("%s", err.text);
		code = exit_for(r);
	} else {
		code = exit_of(&c);
		if (c.outcome.journal_broken)
			terminal_error("the journal could not be written any more: %s; nothing was started after that, `cutover resume` goes on when the cause is gone",
				       c.outcome.journal_why.text);
		job->tell(c.engine, &c.outcome, job->arg);
	}
	release(&c);
	return code;
}

/* ---- inventories ------------------------------------------------------------------------------------------------ */

static void say_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		char *line = problem_format(&problems->at[i]);
		terminal_say("%s", line);
		free(line);
	}
	if (problems->dropped)
		terminal_say("… and %zu more", problems->dropped);
}

static struct inventory *load_from(const char *path, const struct file_source *source, bool unpinned, int *code)
{
	struct problems problems = { 0 };
	struct inventory *inv = NULL;
	struct err err = { 0 };
	int r = unpinned ? inventory_load_unpinned(path, source, &inv, &problems, &err)
			 : inventory_load(path, source, &inv, &problems, &err);

	if (r) {
		say_problems(&problems);
		terminal_error("the inventory is not valid: %zu problem%s; no host was contacted", problems.n + problems.dropped,
			       problems.n + problems.dropped == 1 ? "" : "s");
		*code = EXIT_USAGE;
	}
	problems_release(&problems);
	return r ? NULL : inv;
}

struct inventory *controller_load(const char *path, int *code)
{
	return load_from(path, &file_source_disk, false, code);
}

struct inventory *controller_load_unpinned(const char *path, int *code)
{
	return load_from(path, &file_source_disk, true, code);
}

static int keep_file(const struct journal_file *file, void *arg)
{
	struct inventory *files = arg;

	GROW_FOR_ONE(files->files, files->files_n);
	files->files[files->files_n++] =
		(struct source_file){ str_dup(file->path), str_ndup(file->bytes, file->len), file->len };
	return 0;
}

/* The newest run: a roll-back is none that could be resumed. */
static int keep_run(const struct journal_entry *entry, void *arg)
{
	json_t **run = arg, *data;

	if (entry->kind != JOURNAL_RUN)
		return 0;
	data = json_loads(entry->data, 0, NULL);
	if (strcmp(json_string_value(json_object_get(data, "command")), "run") == 0) {
		json_decref(*run);
		*run = json_incref(data);
	}
	json_decref(data);
	return 0;
}

static int read_last_run(struct journal_reader *reader, struct inventory *files, struct selection *selection, bool *wait,
			 struct err *err)
{
	json_t *run = NULL;
	int64_t number;
	char sha[SHA256_HEX_MAX];
	int r = journal_read(reader, "", 0, keep_run, &run, err);

	if (!r && !run)
		r = err_set(err, E_NOTFOUND, "the state file knows of no run yet: begin with `cutover run INVENTORY`");
	if (!r) {
		number = json_integer_value(json_object_get(run, "revision"));
		r = journal_revision(reader, number, &number, sha, keep_file, files, err);
	}
	if (!r && selection) {
		*wait = json_is_true(json_object_get(run, "wait"));
		r = selection_from_json(json_object_get(run, "selection"), selection, err);
	}
	json_decref(run);
	return r;
}

struct inventory *controller_load_stored(const struct options *o, struct selection *selection, bool *wait, int *code)
{
	struct journal_reader *reader = NULL;
	struct inventory files = { 0 }, *inv = NULL;
	struct file_source source = file_source_stored(&files);
	struct err err = { 0 };
	int r = journal_reader_open(o->state_path, &reader, &err);

	if (!r)
		r = read_last_run(reader, &files, selection, wait, &err);
	if (r) {
		terminal_error("%s", err.text);
		*code = exit_for(r);
	} else {
		inv = load_from(files.files[0].path, &source, false, code);
	}
	inventory_release(&files);
	if (reader)
		journal_reader_close(reader);
	return inv;
}

bool controller_may_begin(const struct options *o, const char *question, int *code)
{
	if (o->yes)
		return true;
	if (!terminal_can_ask()) {
		terminal_error("there is no terminal to ask at: add --yes to begin");
		*code = EXIT_USAGE;
		return false;
	}
	*code = EXIT_STOPPED;
	return terminal_ask(question);
}
