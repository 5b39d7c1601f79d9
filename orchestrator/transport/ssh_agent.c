/*
 * The happy path: the first question connects, each is written, its answer read until it is whole, and handed on; then
 * the next. Failing: see ssh_agent.h; the connection is dropped (its memory lives until libuv has closed it) and the
 * state is OFF, from which the next question connects again. Closing drops the connection and waits for the handles.
 *
 *     OFF ─► CONNECTING ─► READY ◄─► BUSY       READY: connected, nothing asked
 *      ▲          │          │         │        BUSY: one question is on its way
 *      └──────────┴──────────┴─────────┘        given up by us or by the agent
 */
#include "transport/ssh_agent.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sm.h"

#include <sys/un.h>

enum agent_state { AGENT_OFF, AGENT_CONNECTING, AGENT_READY, AGENT_BUSY };

static const struct sm_state states[] = {
    [AGENT_OFF] = {"off", SM_TO(AGENT_CONNECTING)},
    [AGENT_CONNECTING] = {"connecting", SM_TO(AGENT_READY) | SM_TO(AGENT_OFF)},
    [AGENT_READY] = {"ready", SM_TO(AGENT_BUSY) | SM_TO(AGENT_OFF)},
    [AGENT_BUSY] = {"busy", SM_TO(AGENT_READY) | SM_TO(AGENT_OFF)},
};

struct ssh_agent {
	uv_loop_t *loop;
	char *path;
	int answer_ms;
	struct sm sm;
	struct agent_connection *connection; /* NULL when OFF */
	struct list queue;		     /* ssh_agent_call.node */
	size_t queue_n;
	struct ssh_agent_call *asked; /* BUSY: whose answer is awaited; NULL: nobody's any more */
	uv_timer_t timer;
	size_t handles; /* not yet closed: the timer, and connections */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Outlives its agent's interest: libuv closes later. */
struct agent_connection {
	struct ssh_agent *agent;
	uv_pipe_t pipe;
	uv_connect_t connect;
	struct buf in;
	size_t answers;
	bool dropped;
};

struct agent_write {
	uv_write_t write;
	struct agent_connection *connection;
	struct buf frame;
};

static void pump(struct ssh_agent *a);

static bool is(const struct ssh_agent *a, enum agent_state state)
{
	return a->sm.now == (int)state;
}

static void move(struct ssh_agent *a, enum agent_state to)
{
	const char *from = sm_move(&a->sm, (int)to, a->path);

	log_trace("ssh-agent %s: %s -> %s", a->path, from, sm_name(&a->sm));
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static void maybe_closed(struct ssh_agent *a)
{
	void (*closed)(void *) = a->closed;
	void *arg = a->closed_arg;

	if (!closed || a->handles)
		return;
	free(a->path);
	free(a);
	closed(arg);
}

static void on_pipe_closed(uv_handle_t *handle)
{
	struct agent_connection *c = handle->data;
	struct ssh_agent *a = c->agent;

	buf_release(&c->in);
	free(c);
	a->handles--;
	maybe_closed(a);
}

static void drop(struct ssh_agent *a)
{
	struct agent_connection *c = a->connection;

	uv_timer_stop(&a->timer);
	if (!c)
		return;
	c->dropped = true;
	uv_close((uv_handle_t *)&c->pipe, on_pipe_closed);
	a->connection = NULL;
	move(a, AGENT_OFF);
}

static void end(struct ssh_agent_call *call, struct wire_str body, const struct err *err)
{
	buf_release(&call->frame);
	call->done(call, body, err);
}

static void end_asked(struct ssh_agent *a, struct wire_str body, const struct err *err)
{
	struct ssh_agent_call *call = a->asked;

	a->asked = NULL;
	if (call)
		end(call, body, err);
}

/* Those that a callback adds meanwhile are not of this failure. */
static void end_queue(struct ssh_agent *a, const struct err *err)
{
	struct list *node;

	for (size_t n = a->queue_n; n && (node = list_pop(&a->queue)); n--) {
		a->queue_n--;
		end(CONTAINER_OF(node, struct ssh_agent_call, node), (struct wire_str){NULL, 0}, err);
	}
}

/* The connection is of no use any more. `all`: nor would a new one be, so everybody is told. */
static void failed(struct ssh_agent *a, const struct err *err, bool all)
{
	struct agent_connection *c = a->connection;
	struct ssh_agent_call *call = a->asked;
	bool again = call && c && c->answers && !call->again && !all;
	struct err why = *err;

	err_prefix(&why, "%s: ", a->path);
	log_debug("ssh-agent %s", why.text);
	drop(a);
	if (again) {
		a->asked = NULL;
		call->again = true;
		list_append(a->queue.next, &call->node);
		a->queue_n++;
	}
	end_asked(a, (struct wire_str){NULL, 0}, &why);
	if (all)
		end_queue(a, &why);
	pump(a);
}

static void on_timeout(uv_timer_t *timer)
{
	struct ssh_agent *a = timer->data;
	struct err err;

	err_set(&err, E_SIGN, "the ssh-agent did not answer within %.1f s (does it hang, or wait for somebody to confirm?)",
		a->answer_ms / 1000.0);
	failed(a, &err, true);
}

/* ---- asking and hearing ------------------------------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct agent_connection *c = handle->data;
	size_t room = buf_room(&c->in, suggested < 4096 ? suggested : 4096);

	*out = uv_buf_init(c->in.data + c->in.len, (unsigned)room);
}

/* An answer that is whole: to whom it belongs, with the connection ready for the next question. */
static void answered(struct ssh_agent *a, struct wire_str body)
{
	struct agent_connection *c = a->connection;
	struct buf answer = c->in;

	c->in = (struct buf)BUF_INIT;
	buf_init(&c->in, answer.max);
	c->answers++;
	uv_timer_stop(&a->timer);
	move(a, AGENT_READY);
	end_asked(a, body, NULL);
	buf_release(&answer);
	pump(a);
}

static void hear(struct ssh_agent *a)
{
	struct agent_connection *c = a->connection;
	struct wire_str body;
	struct err err = {.code = 0};
	size_t len = 0;
	int r = agent_take(&c->in, &body, &len, &err);

	if (r == 0)
		return;
	if (r > 0 && (!is(a, AGENT_BUSY) || len != c->in.len))
		r = err_set(&err, E_SIGN, "the ssh-agent says more than it was asked for");
	if (r < 0)
		failed(a, &err, false);
	else
		answered(a, body);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct agent_connection *c = stream->data;
	struct err err;

	(void)bytes;
	if (c->dropped || n == 0)
		return;
	if (n > 0) {
		c->in.len += (size_t)n;
		c->in.data[c->in.len] = '\0';
		hear(c->agent);
		return;
	}
	err_set(&err, E_SIGN, "the ssh-agent hung up%s%s", n == UV_EOF ? "" : ": ", n == UV_EOF ? "" : uv_strerror((int)n));
	failed(c->agent, &err, false);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct agent_connection *c = connect->data;
	struct ssh_agent *a = c->agent;
	struct err err;

	if (c->dropped)
		return;
	if (!status)
		status = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
	if (status) {
		err_set(&err, E_SIGN, "the ssh-agent cannot be reached: %s; is it running, and is that its socket?",
			uv_strerror(status));
		failed(a, &err, true);
		return;
	}
	uv_timer_stop(&a->timer);
	move(a, AGENT_READY);
	pump(a);
}

static void connect_to(struct ssh_agent *a)
{
	struct agent_connection *c = NEW(struct agent_connection);

	c->agent = a;
	buf_init(&c->in, AGENT_FRAME_MAX + 4096);
	uv_pipe_init(a->loop, &c->pipe, 0);
	c->pipe.data = c->connect.data = c;
	a->handles++;
	a->connection = c;
	move(a, AGENT_CONNECTING);
	uv_timer_start(&a->timer, on_timeout, (uint64_t)a->answer_ms, 0);
	uv_pipe_connect(&c->connect, &c->pipe, a->path, on_connected);
}

static void on_written(uv_write_t *write, int status)
{
	struct agent_write *w = write->data;

	/* What went wrong is told by the read, or by the timer. */
	if (status && status != UV_ECANCELED)
		log_debug("ssh-agent: %s", uv_strerror(status));
	buf_release(&w->frame);
	free(w);
}

static void ask(struct ssh_agent *a, struct ssh_agent_call *call)
{
	struct agent_write *w = NEW(struct agent_write);
	uv_buf_t bytes;
	struct err err;
	int r;

	buf_add(&w->frame, call->frame.data, call->frame.len);
	w->write.data = w;
	bytes = uv_buf_init(w->frame.data, (unsigned)w->frame.len);
	a->asked = call;
	move(a, AGENT_BUSY);
	uv_timer_start(&a->timer, on_timeout, (uint64_t)a->answer_ms, 0);
	r = uv_write(&w->write, (uv_stream_t *)&a->connection->pipe, &bytes, 1, on_written);
	if (!r)
		return;
	buf_release(&w->frame);
	free(w);
	err_set(&err, E_SIGN, "the ssh-agent cannot be written to: %s", uv_strerror(r));
	failed(a, &err, false);
}

static void pump(struct ssh_agent *a)
{
	struct list *node;

	if (list_empty(&a->queue) || a->closed)
		return;
	if (is(a, AGENT_OFF)) {
		connect_to(a);
	} else if (is(a, AGENT_READY)) {
		node = list_pop(&a->queue);
		a->queue_n--;
		ask(a, CONTAINER_OF(node, struct ssh_agent_call, node));
	}
}

/* ---- outside ----------------------------------------------------------------------------------------------------- */

struct ssh_agent *ssh_agent_new(uv_loop_t *loop, const char *path, int answer_ms)
{
	struct ssh_agent *a = NEW(struct ssh_agent);

	a->loop = loop;
	a->path = str_dup(path);
	a->answer_ms = answer_ms > 0 ? answer_ms : AGENT_ANSWER_MS;
	sm_init(&a->sm, states, AGENT_OFF);
	list_init(&a->queue);
	uv_timer_init(loop, &a->timer);
	a->timer.data = a;
	a->handles = 1;
	return a;
}

const char *ssh_agent_path(const struct ssh_agent *agent)
{
	return agent->path;
}

static void on_kick(uv_timer_t *timer)
{
	struct ssh_agent *a = timer->data;
	pump(a);
}

int ssh_agent_ask(struct ssh_agent *a, struct ssh_agent_call *call, struct err *err)
{
	int r = 0;

	if (strlen(a->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		r = err_set(err, E_SIGN, "%s: the path of the ssh-agent's socket is too long for a socket", a->path);
	else if (a->queue_n >= AGENT_QUEUE_MAX)
		r = err_set(err, E_SIGN, "%s: more than %d questions wait for the ssh-agent", a->path, AGENT_QUEUE_MAX);
	if (r) {
		buf_release(&call->frame);
		return r;
	}
	call->again = false;
	list_append(&a->queue, &call->node);
	a->queue_n++;
	/* Not from inside: what fails at once would call back at once. When it is busy the answer goes on. */
	if (is(a, AGENT_OFF) || is(a, AGENT_READY))
		uv_timer_start(&a->timer, on_kick, 0, 0);
	return 0;
}

void ssh_agent_cancel(struct ssh_agent *a, struct ssh_agent_call *call)
{
	if (a->asked == call) {
		a->asked = NULL;
	} else if (list_linked(&call->node)) {
		list_remove(&call->node);
		a->queue_n--;
	}
	buf_release(&call->frame);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct ssh_agent *a = handle->data;

	a->handles--;
	maybe_closed(a);
}

void ssh_agent_close(struct ssh_agent *a, void (*closed)(void *arg), void *arg)
{
	a->closed = closed;
	a->closed_arg = arg;
	a->asked = NULL;
	drop(a);
	uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}
