/*
 * The happy path: the first key starts the agent (a folder, its socket, "ready" on a pipe), then each key in turn is put in
 * by an ssh-add of its own (ssh_keyadd.c). An agent that cannot be started, or dies, fails what waits; the next key starts
 * another one at the same path. Closing lets go of the pipe, on which the agent's shell ends it and removes the folder,
 * and waits for that.
 *
 *     OFF ─► STARTING ─► IDLE ◄─► ADDING       IDLE: the agent runs, nothing to put in
 *      ▲         ▼         ▼         ▼         ADDING: an ssh-add runs
 *      └───────────── ENDING                   the agent has died, or could not be started; its shell cleans up
 */
#include "transport/ssh_keyholder.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sm.h"
#include "transport/ssh_keyadd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

enum holder_state { HOLDER_OFF, HOLDER_STARTING, HOLDER_IDLE, HOLDER_ADDING, HOLDER_ENDING };

static const struct sm_state states[] = {
    [HOLDER_OFF] = {"off", SM_TO(HOLDER_STARTING)},
    [HOLDER_STARTING] = {"starting", SM_TO(HOLDER_IDLE) | SM_TO(HOLDER_ENDING)},
    [HOLDER_IDLE] = {"idle", SM_TO(HOLDER_ADDING) | SM_TO(HOLDER_ENDING)},
    [HOLDER_ADDING] = {"adding", SM_TO(HOLDER_IDLE) | SM_TO(HOLDER_ENDING)},
    [HOLDER_ENDING] = {"ending", SM_TO(HOLDER_OFF)},
};

/* What ssh-agent runs, with the folder as its argument: it says that the socket is there, and ends with our end of its
   stdin. It is our child; the agent is its. */
#define WATCH "echo ready; cat >/dev/null; kill \"$SSH_AGENT_PID\"; rm -f \"$1/agent\" \"$1/askpass\"; rmdir \"$1\""

/* What ssh-add asks for the passphrase. A second question (the first answer was wrong) gets nothing, and ends it. */
#define ASKPASS "#!/bin/sh\nexec cat <&3\n"

/* The shell that the agent runs, until libuv has closed what belongs to it. */
struct agent_process {
	struct ssh_keyholder *holder;
	uv_process_t process;
	uv_pipe_t hold, said;
	char bytes[64];
	int handles;
};

struct ssh_keyholder {
	uv_loop_t *loop;
	int agent_ms;
	struct sm sm;
	char *folder, *socket;	       /* NULL before the first start */
	struct ssh_agent *agent;       /* made with the folder */
	struct agent_process *running; /* NULL in OFF */
	struct ssh_keyadd *adding;     /* in ADDING */
	struct list queue;	       /* ssh_keyholder_add.node */
	uv_timer_t timer;
	size_t parts; /* not yet closed: the timer, the ssh_agent, the process */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void pump(struct ssh_keyholder *h);

static bool is(const struct ssh_keyholder *h, enum holder_state state)
{
	return h->sm.now == (int)state;
}

static void move(struct ssh_keyholder *h, enum holder_state to)
{
	const char *from = sm_move(&h->sm, (int)to, "the private ssh-agent");

	log_debug("the private ssh-agent: %s -> %s", from, sm_name(&h->sm));
}

static void on_kick(uv_timer_t *timer)
{
	pump(timer->data);
}

static void kick(struct ssh_keyholder *h)
{
	if (!h->closed && (is(h, HOLDER_OFF) || is(h, HOLDER_IDLE)))
		uv_timer_start(&h->timer, on_kick, 0, 0);
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static void on_timer_closed(uv_handle_t *handle);

static void part_closed(void *arg)
{
	struct ssh_keyholder *h = arg;
	void (*closed)(void *) = h->closed;
	void *closed_arg = h->closed_arg;

	if (--h->parts || !closed)
		return;
	free(h->folder);
	free(h->socket);
	free(h);
	closed(closed_arg);
}

/* The shell has done this, too, unless somebody killed it. */
static void remove_folder(const struct ssh_keyholder *h)
{
	char *askpass = str_fmt("%s/askpass", h->folder);

	unlink(askpass);
	unlink(h->socket);
	rmdir(h->folder);
	free(askpass);
}

static void on_process_part_closed(uv_handle_t *handle)
{
	struct agent_process *p = handle->data;
	struct ssh_keyholder *h = p->holder;

	if (--p->handles)
		return;
	free(p);
	h->running = NULL;
	remove_folder(h);
	move(h, HOLDER_OFF);
	uv_timer_stop(&h->timer);
	if (h->closed)
		uv_close((uv_handle_t *)&h->timer, on_timer_closed);
	kick(h);
	part_closed(h);
}

static void close_pipe(uv_pipe_t *pipe)
{
	if (!uv_is_closing((uv_handle_t *)pipe))
		uv_close((uv_handle_t *)pipe, on_process_part_closed);
}

static void on_end_timeout(uv_timer_t *timer)
{
	struct ssh_keyholder *h = timer->data;

	uv_kill(-h->running->process.pid, SIGKILL);
}

/* Its shell sees the end of the pipe and ends the agent, and then itself. One that does not (somebody stopped it) is killed
   with all of its group. */
static void let_go(struct ssh_keyholder *h)
{
	uv_timer_start(&h->timer, on_end_timeout, KEYHOLDER_END_MS, 0);
	close_pipe(&h->running->hold);
	close_pipe(&h->running->said);
	move(h, HOLDER_ENDING);
}

static void release_secrets(struct ssh_keyholder_add *add)
{
	buf_release_secret(&add->key);
	buf_release_secret(&add->passphrase);
}

static void end_add(struct ssh_keyholder_add *add, const struct err *err)
{
	release_secrets(add);
	add->done(add, err);
}

/* Everybody who waits is told; those that a callback adds meanwhile begin anew. */
static void fail_all(struct ssh_keyholder *h, const struct err *err)
{
	struct list waiting, *node;

	list_init(&waiting);
	while ((node = list_pop(&h->queue)))
		list_append(&waiting, node);
	while ((node = list_pop(&waiting))) {
		struct ssh_keyholder_add *add = CONTAINER_OF(node, struct ssh_keyholder_add, node);
		struct err why = *err;
		err_prefix(&why, "%s: ", add->name);
		end_add(add, &why);
	}
}

static void agent_failed(struct ssh_keyholder *h, const struct err *err)
{
	struct ssh_keyholder_add *add = h->adding ? ssh_keyadd_abandon(h->adding) : NULL;

	log_debug("the private ssh-agent: %s", err->text);
	h->adding = NULL;
	if (add)
		list_append(&h->queue, &add->node);
	let_go(h);
	fail_all(h, err);
}

static void on_agent_exit(uv_process_t *process, int64_t status, int signal)
{
	struct agent_process *p = process->data;
	struct ssh_keyholder *h = p->holder;
	struct err err;

	uv_close((uv_handle_t *)process, on_process_part_closed);
	if (is(h, HOLDER_ENDING))
		return;
	err_set(&err, E_SIGN, "the private ssh-agent, which holds keys with a passphrase, ended (%s %d)",
		signal ? "signal" : "code", signal ? signal : (int)status);
	agent_failed(h, &err);
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

/* May we make files there, and run one? The socket's path must fit. */
static bool is_usable(const char *folder)
{
	struct statvfs fs;

	return folder && *folder == '/' &&
	       strlen(folder) + sizeof("/cutover-XXXXXX/agent") < sizeof(((struct sockaddr_un *)NULL)->sun_path) &&
	       access(folder, W_OK | X_OK) == 0 && statvfs(folder, &fs) == 0 && !(fs.f_flag & ST_NOEXEC);
}

/* The folder's name is chosen once. */
static int choose_folder(struct ssh_keyholder *h, struct err *err)
{
	const char *const candidates[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp", "/var/tmp", getenv("HOME")};

	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		char *folder;
		if (!is_usable(candidates[i]))
			continue;
		folder = str_fmt("%s/cutover-XXXXXX", candidates[i]);
		if (mkdtemp(folder)) {
			h->folder = folder;
			h->socket = str_fmt("%s/agent", folder);
			h->agent = ssh_agent_new(h->loop, h->socket, h->agent_ms);
			h->parts++;
			return 0;
		}
		free(folder);
	}
	return err_set(err, E_SIGN,
		       "no folder for the private ssh-agent, which holds keys with a passphrase: none of $XDG_RUNTIME_DIR, "
		       "$TMPDIR, /tmp, /var/tmp and $HOME can be written to and run from");
}

static int make_folder(struct ssh_keyholder *h, struct err *err)
{
	char *askpass;
	int r;

	if (!h->folder) {
		r = choose_folder(h, err);
		if (r)
			return r;
	} else if (mkdir(h->folder, 0700) < 0) {
		return err_set(err, E_SIGN, "the folder %s of the private ssh-agent cannot be made again: %s", h->folder,
			       strerror(errno));
	}
	askpass = str_fmt("%s/askpass", h->folder);
	r = file_write(askpass, 0700, ASKPASS, sizeof(ASKPASS) - 1, err);
	free(askpass);
	if (r)
		err->code = E_SIGN;
	return r ? E_SIGN : 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct agent_process *p = handle->data;

	(void)suggested;
	*out = uv_buf_init(p->bytes, sizeof(p->bytes));
}

/* The first bytes of the shell say that the socket is there. */
static void on_said(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct agent_process *p = stream->data;
	struct ssh_keyholder *h = p->holder;

	(void)bytes;
	if (n < 0)
		uv_read_stop(stream); /* it ends: its exit tells */
	if (n <= 0 || !is(h, HOLDER_STARTING))
		return;
	uv_timer_stop(&h->timer);
	move(h, HOLDER_IDLE);
	pump(h);
}

static int spawn_agent(struct ssh_keyholder *h, struct agent_process *p)
{
	const char *argv[] = {"ssh-agent", "-a", h->socket, "/bin/sh", "-c", WATCH, "sh", h->folder, NULL};
	char **env = ssh_keyadd_environment(NULL, NULL);
	uv_stdio_container_t stdio[3] = {
	    {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->hold},
	    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->said},
	    {.flags = UV_IGNORE},
	};
	uv_process_options_t options = {
	    .exit_cb = on_agent_exit,
	    .file = argv[0],
	    .args = (char **)(uintptr_t)argv,
	    .env = env,
	    .flags = UV_PROCESS_DETACHED,
	    .stdio_count = 3,
	    .stdio = stdio,
	};
	int r = uv_spawn(h->loop, &p->process, &options);

	ssh_keyadd_free_environment(env);
	return r;
}

static void on_start_timeout(uv_timer_t *timer)
{
	struct ssh_keyholder *h = timer->data;
	struct err err;

	err_set(&err, E_SIGN, "the private ssh-agent did not come up within %d s", KEYHOLDER_START_MS / 1000);
	agent_failed(h, &err);
}

static struct agent_process *new_process(struct ssh_keyholder *h)
{
	struct agent_process *p = NEW(struct agent_process);

	p->holder = h;
	p->handles = 3;
	uv_pipe_init(h->loop, &p->hold, 0);
	uv_pipe_init(h->loop, &p->said, 0);
	p->hold.data = p->said.data = p->process.data = p;
	h->parts++;
	return p;
}

static void start(struct ssh_keyholder *h)
{
	struct err err = {.code = 0};
	int r;

	if (make_folder(h, &err)) {
		fail_all(h, &err);
		return;
	}
	h->running = new_process(h);
	move(h, HOLDER_STARTING);
	r = spawn_agent(h, h->running);
	if (r) {
		/* It does not exist, and yet is a handle. */
		uv_close((uv_handle_t *)&h->running->process, on_process_part_closed);
		err_set(&err, E_SIGN, "ssh-agent cannot be run (%s); keys with a passphrase need it: package openssh-client",
			uv_strerror(r));
		agent_failed(h, &err);
		return;
	}
	uv_read_start((uv_stream_t *)&h->running->said, on_alloc, on_said);
	uv_timer_start(&h->timer, on_start_timeout, KEYHOLDER_START_MS, 0);
}

/* ---- putting keys in --------------------------------------------------------------------------------------------- */

/* The agent may have died since; then another one is started, once for each key. */
static void on_added(void *arg, struct ssh_keyholder_add *add, const struct err *err)
{
	struct ssh_keyholder *h = arg;

	h->adding = NULL;
	move(h, HOLDER_IDLE);
	if (err && err->code == E_CLOSED && !add->again) {
		add->again = true;
		list_append(h->queue.next, &add->node);
		let_go(h);
		return;
	}
	if (err && err->code == E_CLOSED) {
		struct err why = *err;
		why.code = E_SIGN;
		end_add(add, &why);
	} else {
		end_add(add, err);
	}
	kick(h);
}

static void add_next(struct ssh_keyholder *h)
{
	struct list *node = list_pop(&h->queue);

	move(h, HOLDER_ADDING);
	h->adding = ssh_keyadd_start(h->loop, h->folder, h->socket,
				     CONTAINER_OF(node, struct ssh_keyholder_add, node), on_added, h);
}

static void pump(struct ssh_keyholder *h)
{
	if (h->closed || list_empty(&h->queue))
		return;
	if (is(h, HOLDER_OFF))
		start(h);
	else if (is(h, HOLDER_IDLE))
		add_next(h);
}

/* ---- outside ----------------------------------------------------------------------------------------------------- */

struct ssh_keyholder *ssh_keyholder_new(uv_loop_t *loop, int agent_ms)
{
	struct ssh_keyholder *h = NEW(struct ssh_keyholder);

	h->loop = loop;
	h->agent_ms = agent_ms;
	sm_init(&h->sm, states, HOLDER_OFF);
	list_init(&h->queue);
	uv_timer_init(loop, &h->timer);
	h->timer.data = h;
	h->parts = 1;
	return h;
}

void ssh_keyholder_add(struct ssh_keyholder *h, struct ssh_keyholder_add *add)
{
	add->again = false;
	list_append(&h->queue, &add->node);
	kick(h);
}

struct ssh_agent *ssh_keyholder_agent(struct ssh_keyholder *h)
{
	return h->agent;
}

static void on_timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

void ssh_keyholder_close(struct ssh_keyholder *h, void (*closed)(void *arg), void *arg)
{
	struct ssh_keyholder_add *add = h->adding ? ssh_keyadd_abandon(h->adding) : NULL;
	struct list *node;

	if (add)
		list_append(&h->queue, &add->node);
	h->adding = NULL;
	while ((node = list_pop(&h->queue)))
		release_secrets(CONTAINER_OF(node, struct ssh_keyholder_add, node));
	h->closed = closed;
	h->closed_arg = arg;
	if (h->running && !is(h, HOLDER_ENDING))
		let_go(h);
	if (h->agent)
		ssh_agent_close(h->agent, part_closed, h);
	if (!h->running)
		uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}
