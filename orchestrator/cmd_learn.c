/*
 * cutover plan --learn-keys FILE: logs in to the hosts, compares identity_check, and writes the keys that are new as a
 * known_hosts file, mode 0600, for a person to review. The happy path: the transport is made, engine/learn.c looks at the
 * hosts, the file is written at the end, at once and only where no file is. It trusts nothing and changes nothing else, the
 * state file neither. Ctrl-C: what is open is closed, and no file is written.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/redact.h"
#include "controller.h"
#include "engine/learn.h"
#include "exit.h"
#include "terminal.h"
#include "transport/ssh.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

struct learning {
	const struct options *options;
	const struct inventory *inventory;
	uv_loop_t loop;
	uv_signal_t signals[3];
	struct transport *transport;
	struct rows rows;
	struct learn *learn;
	bool stopped;
};

static bool known(const struct connection *c, void *arg)
{
	const struct learning *l = arg;

	return ssh_transport_knows(l->transport, c->known_hosts, c->address, c->port);
}

static void told(const struct learned *r, void *arg)
{
	static const enum terminal_style styles[LEARN_RESULTS] = {
		[LEARN_NONE] = STYLE_DIM,     [LEARN_PROVED] = STYLE_GREEN, [LEARN_UNPROVED] = STYLE_YELLOW,
		[LEARN_KNOWN] = STYLE_DIM,    [LEARN_WRONG] = STYLE_RED,    [LEARN_REFUSED] = STYLE_RED,
		[LEARN_FAILED] = STYLE_RED,   [LEARN_BEHIND] = STYLE_YELLOW,
	};
	struct buf name = BUF_INIT;

	(void)arg;
	learned_name(r, &name);
	terminal_say("%s: %s%s%s: %s%s%s", buf_str(&name), terminal_style(styles[r->result]), learn_result_word(r->result),
		     terminal_style(STYLE_PLAIN), r->key, *r->key ? ": " : "", r->text);
	buf_release(&name);
}

static void on_done(struct learn *learn, void *arg)
{
	struct learning *l = arg;

	(void)learn;
	for (size_t i = 0; i < ARRAY_LEN(l->signals); i++)
		uv_close((uv_handle_t *)&l->signals[i], NULL);
	ssh_transport_close(l->transport, NULL, NULL);
	l->transport = NULL;
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct learning *l = handle->data;

	(void)signum;
	l->stopped = true;
	learn_stop(l->learn);
}

/* What hosts showed before, where there is a state file. */
static int load_rows(struct learning *l, struct err *err)
{
	struct journal_reader *reader = NULL;
	int r = journal_reader_open(l->options->state_path, &reader, err);

	if (r == E_NOTFOUND)
		return 0;
	if (!r)
		r = rows_load(&l->rows, reader, err);
	if (reader)
		journal_reader_close(reader);
	return r;
}

static void watch_signals(struct learning *l)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		uv_signal_init(&l->loop, &l->signals[i]);
		l->signals[i].data = l;
		uv_signal_start(&l->signals[i], on_signal, wanted[i]);
	}
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static int write_file(const struct learning *l, struct err *err)
{
	struct buf text = BUF_INIT;
	int r;

	learn_write(l->learn, l->options->inventory, &text);
	redact_buf(&text);
	r = file_create(l->options->learn_keys, 0600, buf_str(&text), text.len, err);
	buf_release(&text);
	return r;
}

static void say_next(const struct learning *l, size_t proved, size_t unproved)
{
	terminal_say("%s: %zu proved%s%.0zu%s. Review it, then name it as known_hosts in the inventory: nothing trusts it yet",
		     l->options->learn_keys, proved, unproved ? ", " : "", unproved,
		     unproved ? " unproved (as comments)" : "");
}

static int conclude(const struct learning *l)
{
	size_t proved = learn_count(l->learn, LEARN_PROVED), unproved = learn_count(l->learn, LEARN_UNPROVED);
	size_t missing = learn_count(l->learn, LEARN_WRONG) + learn_count(l->learn, LEARN_REFUSED) +
			 learn_count(l->learn, LEARN_FAILED) + learn_count(l->learn, LEARN_BEHIND);
	struct err err = { 0 };

	if (l->stopped) {
		terminal_error("stopped: nothing was written");
		return EXIT_STOPPED;
	}
	if (proved + unproved == 0) {
		terminal_say("no new key was learned, nothing was written");
	} else if (write_file(l, &err) != 0) {
		terminal_error("%s", err.text);
		return EXIT_USAGE;
	} else {
		say_next(l, proved, unproved);
	}
	if (missing)
		terminal_say("%zu gave no key: see above", missing);
	return missing ? EXIT_FAILED : EXIT_DONE;
}

static int learn(struct learning *l)
{
	int concurrency = l->options->concurrency ? l->options->concurrency : CONCURRENCY_DEFAULT, code, r;
	struct learn_config cfg = { .clock = &clock_system,
				    .inventory = l->inventory,
				    .selection = &l->options->selection,
				    .rows = &l->rows,
				    .concurrency = concurrency,
				    .known = known,
				    .told = told,
				    .done = on_done,
				    .arg = l };
	struct err err = { 0 };

	uv_loop_init(&l->loop);
	rows_init(&l->rows);
	r = load_rows(l, &err);
	if (!r)
		r = ssh_transport_reserve((size_t)concurrency, &err);
	if (!r)
		r = ssh_transport_new(&l->loop, NULL, &l->transport, &err);
	if (!r) {
		cfg.transport = l->transport;
		l->learn = learn_new(&cfg);
		watch_signals(l);
		learn_start(l->learn);
		uv_run(&l->loop, UV_RUN_DEFAULT);
		code = conclude(l);
		learn_free(l->learn);
	} else {
		terminal_error("%s", err.text);
		code = exit_for(r);
	}
	rows_release(&l->rows);
	uv_loop_close(&l->loop);
	return code;
}

/* What is about a plan has no meaning here, and what is taken and not done would be trusted. */
static const char *meaningless(const struct options *o)
{
	if (o->out_dir)
		return "--out";
	if (o->detailed_exitcode)
		return "--detailed-exitcode";
	if (o->events_path)
		return "--events";
	if (o->selection.steps.n)
		return "--step";
	if (o->selection.phases)
		return "--phase";
	return o->selection.only ? "--only" : NULL;
}

/* Said before the first host is asked, and not after the last one. */
static int check_options(const struct options *o, struct err *err)
{
	const char *unfit = meaningless(o);
	char *folder = file_dirname(o->learn_keys);
	struct stat st;
	int r = 0;

	if (unfit)
		r = err_set(err, E_INVAL, "--learn-keys plans nothing: leave %s away", unfit);
	else if (lstat(o->learn_keys, &st) == 0)
		r = err_set(err, E_EXISTS, "%s is there already, and is left as it is: name another file for --learn-keys",
			    o->learn_keys);
	else if (access(folder, W_OK | X_OK) != 0)
		r = err_errno(err, errno, "cannot write into %s", folder);
	free(folder);
	return r;
}

int cmd_learn(const struct options *o)
{
	struct learning l = { .options = o };
	int code = EXIT_USAGE, r;
	struct err err = { 0 };
	struct inventory *inv;

	if (check_options(o, &err) != 0) {
		terminal_error("%s", err.text);
		return EXIT_USAGE;
	}
	inv = controller_load_unpinned(o->inventory, &code);
	if (!inv)
		return code;
	l.inventory = inv;
	r = selection_check(&o->selection, inv, &err);
	if (r)
		terminal_error("%s", err.text);
	code = r ? exit_for(r) : learn(&l);
	inventory_free(inv);
	return code;
}
