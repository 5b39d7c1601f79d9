/*
 * The happy path: when no other open of the session is under way the channel is opened, a pair of sockets is made, and
 * from then on each pump of the session, and each event of our end of the pair, moves what can be moved. It fails alone
 * when the far side refuses the channel, and with its session. Closing sends what the owner wrote (LINGER_MS), closes
 * the channel (CLOSE_MS), then our end of the pair in its poll handle's close callback, which frees the tunnel. An open
 * that is not answered stays with the session until it is answered after all, libssh2 gives it up, or the session is
 * closed.
 */
#include "transport/ssh_tunnel.h"

#include "base/log.h"
#include "transport/ssh_remote.h"
#include "transport/ssh_wire.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* A tunnel carries WINDOW_BYTES a round trip, and no more than that waits for its owner within libssh2. */
enum {
	WINDOW_BYTES = 256 << 10,
	PACKET_BYTES = 32768,
	BACKLOG_LOW = 64 << 10,
	LINGER_MS = 3000,
	CLOSE_MS = 5000,
};

/* step: it goes on, waits, or was freed. Negative: the session is lost. */
enum { STEP_WAIT, STEP_GONE };

static const struct sm_state states[] = {
    [TUNNEL_WAITING] = {"waiting", SM_TO(TUNNEL_OPENING) | SM_TO(TUNNEL_GONE)},
    [TUNNEL_OPENING] = {"opening", SM_TO(TUNNEL_OPEN) | SM_TO(TUNNEL_CLOSING) | SM_TO(TUNNEL_GONE)},
    [TUNNEL_OPEN] = {"open", SM_TO(TUNNEL_CLOSING) | SM_TO(TUNNEL_GONE)},
    [TUNNEL_CLOSING] = {"closing", SM_TO(TUNNEL_GONE)},
    [TUNNEL_GONE] = {"gone", 0},
};

static bool is(const struct ssh_tunnel *t, enum tunnel_state state)
{
	return t->sm.now == (int)state;
}

static void move(struct ssh_tunnel *t, enum tunnel_state to, int budget_ms)
{
	struct ssh_remote *r = t->relay;
	const char *from = sm_move(&t->sm, (int)to, r->label);

	if (r->tunnel_opening == t)
		r->tunnel_opening = NULL;
	if (to == TUNNEL_OPENING)
		r->tunnel_opening = t;
	t->deadline_ms = budget_ms ? ssh_remote_now(r) + budget_ms : 0;
	log_trace("%s: tunnel %p: %s -> %s", r->label, (void *)t, from, sm_name(&t->sm));
}

/* RFC 4254 §7.2: host, port, and the originator's address and port, which decide nothing. */
static void make_message(struct buf *out, const char *host, int port)
{
	unsigned char to[4] = {0, 0, (unsigned char)(port >> 8), (unsigned char)port};
	unsigned char from[4] = {0, 0, 0, 0};

	wire_put_text(out, host);
	buf_add(out, to, sizeof(to));
	wire_put_text(out, "127.0.0.1");
	buf_add(out, from, sizeof(from));
}

void ssh_tunnel_open(struct ssh_remote *relay, const char *host, int port, int connect_ms, int pair_fd,
		     const struct tunnel_owner *owner, void *arg)
{
	struct ssh_tunnel *t = NEW(struct ssh_tunnel);

	t->relay = relay;
	t->owner = owner;
	t->arg = arg;
	t->connect_ms = connect_ms;
	t->fd = -1;
	t->pair_fd = pair_fd;
	buf_init(&t->message, 1024);
	buf_init(&t->in, TUNNEL_CHUNK);
	buf_init(&t->out, TUNNEL_CHUNK);
	make_message(&t->message, host, port);
	sm_init(&t->sm, states, TUNNEL_WAITING);
	list_append(&relay->tunnels, &t->node);
	ssh_remote_kick(relay);
}

static void answer(struct ssh_tunnel *t, enum tunnel_answer what, int fd, const struct err *err)
{
	if (t->answered)
		return;
	t->answered = true;
	t->owner->answered(t->arg, what, fd, err);
}

static void release(struct ssh_tunnel *t)
{
	buf_release(&t->message);
	buf_release(&t->in);
	buf_release(&t->out);
	free(t);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct ssh_tunnel *t = handle->data;

	close(t->fd);
	release(t);
}

/* The channel was closed, was never there, or goes with the session. */
static int end(struct ssh_tunnel *t, const struct err *lost)
{
	t->relay->again = true;
	move(t, TUNNEL_GONE, 0);
	list_remove(&t->node);
	t->owner->over(t->arg, lost);
	if (t->fd >= 0)
		uv_close((uv_handle_t *)&t->poll, on_poll_closed);
	else
		release(t);
	return STEP_GONE;
}

static bool again(const struct ssh_tunnel *t, ssize_t rc)
{
	return rc == LIBSSH2_ERROR_EAGAIN && !t->relay->io.cut;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ssh_tunnel *t = poll->data;

	if (status < 0)
		t->events = 0;
	t->readable |= status < 0 || (events & UV_READABLE);
	t->writable |= status < 0 || (events & UV_WRITABLE);
	t->hung_up |= status < 0 || (events & UV_PRIORITIZED);
	ssh_remote_pump(t->relay);
}

/* ours, theirs: the end to give away, -1 where the owner has it already. */
static int make_pair(const struct ssh_tunnel *t, int pair[2], struct err *err)
{
	pair[0] = t->pair_fd;
	pair[1] = -1;
	if (t->pair_fd >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno == EMFILE || errno == ENFILE ? E_LIMIT : E_IO,
			       "no pair of sockets for a tunnel: %s%s", strerror(errno),
			       errno == EMFILE ? "; raise LimitNOFILE" : "");
	return 0;
}

/* *theirs: the end to give away. */
static int take_pair(struct ssh_tunnel *t, int *theirs, struct err *err)
{
	int pair[2], rc = make_pair(t, pair, err);

	if (rc < 0)
		return rc;
	rc = uv_poll_init(t->relay->transport->loop, &t->poll, pair[0]);
	if (rc < 0) {
		if (t->pair_fd < 0) {
			close(pair[0]);
			close(pair[1]);
		}
		return err_set(err, E_IO, "a tunnel's socket cannot be watched: %s", uv_strerror(rc));
	}
	t->poll.data = t;
	t->fd = pair[0];
	t->readable = t->writable = true;
	*theirs = pair[1];
	return 0;
}

static void opened(struct ssh_tunnel *t)
{
	struct err err = {.code = 0};
	int theirs = -1;

	/* It was given up before. */
	if (t->answered) {
		move(t, TUNNEL_CLOSING, CLOSE_MS);
	} else if (take_pair(t, &theirs, &err) != 0) {
		move(t, TUNNEL_CLOSING, CLOSE_MS);
		answer(t, TUNNEL_NO_DESCRIPTOR, -1, &err);
	} else {
		move(t, TUNNEL_OPEN, 0);
		answer(t, TUNNEL_OPENED, theirs, NULL);
	}
}

/* libssh2 tells the reason as a text only. */
static enum tunnel_answer reason(LIBSSH2_SESSION *session)
{
	char *text = NULL;

	libssh2_session_last_error(session, &text, NULL, 0);
	if (!text)
		return TUNNEL_NO_CONNECTION;
	if (strstr(text, "prohibited") || strstr(text, "unknown channel"))
		return TUNNEL_FORBIDDEN;
	return strstr(text, "resource shortage") ? TUNNEL_NO_ROOM : TUNNEL_NO_CONNECTION;
}

static LIBSSH2_CHANNEL *try_open(struct ssh_tunnel *t)
{
	return libssh2_channel_open_ex(t->relay->session, "direct-tcpip", sizeof("direct-tcpip") - 1, WINDOW_BYTES,
				       PACKET_BYTES, t->message.data, (unsigned)t->message.len);
}

static int step_opening(struct ssh_tunnel *t, struct err *err)
{
	struct ssh_remote *r = t->relay;
	int rc;

	t->channel = try_open(t);
	if (t->channel) {
		opened(t);
		return STEP_WAIT;
	}
	rc = libssh2_session_last_errno(r->session);
	if (again(t, rc)) {
		if (t->deadline_ms && ssh_remote_now(r) >= t->deadline_ms) {
			t->deadline_ms = 0;
			answer(t, TUNNEL_SILENCE, -1, NULL);
		}
		return STEP_WAIT;
	}
	if (r->io.cut || (rc != LIBSSH2_ERROR_CHANNEL_FAILURE && rc != LIBSSH2_ERROR_TIMEOUT))
		return ssh_remote_lost(r, rc, err);
	/* After 60 s (LIBSSH2_READ_TIMEOUT) libssh2 gives the open up by itself; others' tunnels in the session live on. */
	answer(t, rc == LIBSSH2_ERROR_TIMEOUT ? TUNNEL_SILENCE : reason(r->session), -1, NULL);
	return end(t, NULL);
}

static void step_waiting(struct ssh_tunnel *t)
{
	if (!t->relay->tunnel_opening)
		move(t, TUNNEL_OPENING, t->connect_ms);
}

/* ---- carrying --------------------------------------------------------------------------------------------------- */

/* The owner's end is closed altogether, not only shut down for writing. */
static bool owner_is_gone(const struct ssh_tunnel *t)
{
	struct pollfd p = {.fd = t->fd};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* From the owner, one chunk; the next when the session has taken it. */
static void read_owner(struct ssh_tunnel *t)
{
	size_t room = buf_room(&t->in, TUNNEL_CHUNK);
	ssize_t n = recv(t->fd, t->in.data, room, 0);

	if (n > 0) {
		t->in.len = (size_t)n;
		/* Less than there was room for: that was all. It saves every second system call. */
		t->readable = (size_t)n == room;
		return;
	}
	t->readable = n < 0 && errno == EINTR;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	t->in_ended = true;
	t->hung_up = n < 0 || owner_is_gone(t);
}

/* 1: all is sent, 0: there is no room now, negative: the session is lost. */
static int send_in(struct ssh_tunnel *t, struct err *err)
{
	while (t->in_at < t->in.len) {
		ssize_t n;

		if (ssh_io_backlog(&t->relay->io) >= BACKLOG_LOW)
			return 0;
		n = libssh2_channel_write(t->channel, t->in.data + t->in_at, t->in.len - t->in_at);
		if (n == 0 || again(t, n))
			return 0;
		/* The far side takes nothing more: it is thrown away. */
		if (n == LIBSSH2_ERROR_CHANNEL_CLOSED || n == LIBSSH2_ERROR_CHANNEL_EOF_SENT)
			n = (ssize_t)(t->in.len - t->in_at);
		if (n < 0)
			return ssh_remote_lost(t->relay, (int)n, err);
		t->in_at += (size_t)n;
	}
	buf_clear(&t->in);
	t->in_at = 0;
	return 1;
}

static int carry_in(struct ssh_tunnel *t, struct err *err)
{
	int rc;

	while ((rc = send_in(t, err)) > 0 && !t->in_ended && t->readable)
		read_owner(t);
	if (rc <= 0 || !t->in_ended || t->eof_sent)
		return rc < 0 ? rc : 0;
	rc = libssh2_channel_send_eof(t->channel);
	t->eof_sent = !again(t, rc);
	return 0;
}

/* To the owner. True: all is written. */
static bool write_owner(struct ssh_tunnel *t)
{
	while (t->out_at < t->out.len) {
		ssize_t n = send(t->fd, t->out.data + t->out_at, t->out.len - t->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			t->writable = false;
			t->hung_up |= errno != EAGAIN && errno != EWOULDBLOCK;
			return false;
		}
		t->out_at += (size_t)n;
	}
	buf_clear(&t->out);
	t->out_at = 0;
	return true;
}

static int carry_out(struct ssh_tunnel *t, struct err *err)
{
	while (t->writable && !t->hung_up && write_owner(t) && !t->out_ended) {
		size_t room = buf_room(&t->out, TUNNEL_CHUNK);
		ssize_t n = libssh2_channel_read(t->channel, t->out.data, room);

		if (again(t, n))
			return 0;
		if (n < 0)
			return ssh_remote_lost(t->relay, (int)n, err);
		t->out.len = (size_t)n;
		t->out_ended = n == 0 && libssh2_channel_eof(t->channel);
		if (n == 0 && !t->out_ended)
			return 0;
	}
	if (t->out_ended && !t->out.len && !t->shut) {
		shutdown(t->fd, SHUT_WR);
		t->shut = true;
	}
	return 0;
}

/* Nobody reads any more; what was written before still goes out, for LINGER_MS at most. */
static void linger(struct ssh_tunnel *t)
{
	if (!t->deadline_ms)
		t->deadline_ms = ssh_remote_now(t->relay) + LINGER_MS;
	t->readable = !t->in_ended;
	buf_clear(&t->out);
	t->out_at = 0;
}

static int step_open(struct ssh_tunnel *t, struct err *err)
{
	int rc = carry_out(t, err);

	if (!rc && t->hung_up)
		linger(t);
	if (!rc)
		rc = carry_in(t, err);
	if (rc < 0)
		return rc;
	if ((t->eof_sent && (t->hung_up || t->shut)) ||
	    (t->deadline_ms && ssh_remote_now(t->relay) >= t->deadline_ms))
		move(t, TUNNEL_CLOSING, CLOSE_MS);
	return STEP_WAIT;
}

/* Asks the far side to close, waits for its answer, and frees. One that does not answer keeps its channel. */
static int step_closing(struct ssh_tunnel *t)
{
	if (again(t, libssh2_channel_free(t->channel)) && ssh_remote_now(t->relay) < t->deadline_ms)
		return STEP_WAIT;
	return end(t, NULL);
}

/* What the poll handle is for. That the owner has closed its end is told with any event that is watched; with
   UV_PRIORITIZED, which nothing else ever is here, it is told also while nothing else is wanted. */
static void watch(struct ssh_tunnel *t)
{
	bool want_in = !t->in_ended && !t->readable;
	bool want_out = t->out_at < t->out.len;
	int events = UV_PRIORITIZED | (want_in ? UV_READABLE : 0) | (want_out ? UV_WRITABLE : 0);

	if (!is(t, TUNNEL_OPEN) || t->hung_up)
		events = 0;
	if (t->fd < 0 || events == t->events)
		return;
	t->events = events;
	if (!events)
		uv_poll_stop(&t->poll);
	else if (uv_poll_start(&t->poll, events, on_poll) < 0)
		t->hung_up = t->relay->again = true;
}

static int step(struct ssh_tunnel *t, struct err *err)
{
	switch ((enum tunnel_state)t->sm.now) {
	case TUNNEL_WAITING:
		step_waiting(t);
		return STEP_WAIT;
	case TUNNEL_OPENING:
		return step_opening(t, err);
	case TUNNEL_OPEN:
		return step_open(t, err);
	case TUNNEL_CLOSING:
		return step_closing(t);
	case TUNNEL_GONE:
		return STEP_WAIT;
	}
	return STEP_WAIT;
}

static int step_all(struct ssh_tunnel *t, struct err *err)
{
	int before, rc;

	do {
		before = t->sm.now;
		rc = step(t, err);
		if (rc != STEP_WAIT)
			return rc;
	} while (t->sm.now != before);
	watch(t);
	return STEP_WAIT;
}

/* Takes in what has come, for whomever: otherwise the socket would not be read while all owners are busy, and window
   adjustments would wait behind their data. The queue is bounded by the channels' windows. */
static void take_in(struct ssh_remote *relay)
{
	char none;

	for (struct list *n = relay->tunnels.next; n != &relay->tunnels; n = n->next) {
		struct ssh_tunnel *t = CONTAINER_OF(n, struct ssh_tunnel, node);

		if (!is(t, TUNNEL_OPEN))
			continue;
		/* It returns at once when this channel has ended; a read, which may widen its window, does no harm then. */
		if (libssh2_channel_wait_eof(t->channel) == 0)
			libssh2_channel_read(t->channel, &none, 0);
		return;
	}
}

int ssh_tunnels_step(struct ssh_remote *relay, struct err *err)
{
	struct list *next;
	int rc = 0;

	take_in(relay);
	for (struct list *n = relay->tunnels.next; n != &relay->tunnels && rc >= 0; n = next) {
		next = n->next;
		rc = step_all(CONTAINER_OF(n, struct ssh_tunnel, node), err);
	}
	return rc < 0 ? rc : 0;
}

int64_t ssh_tunnels_deadline(const struct ssh_remote *relay)
{
	int64_t due = 0;

	for (struct list *n = relay->tunnels.next; n != &relay->tunnels; n = n->next) {
		const struct ssh_tunnel *t = CONTAINER_OF(n, struct ssh_tunnel, node);

		if (t->deadline_ms && (!due || t->deadline_ms < due))
			due = t->deadline_ms;
	}
	return due;
}

void ssh_tunnels_abandon(struct ssh_remote *relay, const struct err *why)
{
	while (!list_empty(&relay->tunnels)) {
		struct ssh_tunnel *t = CONTAINER_OF(relay->tunnels.next, struct ssh_tunnel, node);

		/* So libssh2 frees what it holds for the open. */
		if (is(t, TUNNEL_OPENING) && relay->session)
			try_open(t);
		if (is(t, TUNNEL_OPEN))
			write_owner(t);
		answer(t, TUNNEL_LOST, -1, why);
		end(t, why);
	}
}
