/*
 * The happy path: a channel is opened when no other open is under way, exec starts its command, stdin goes out as fast as
 * the window and the socket's backlog allow, both output streams are read until there is nothing more, then it is
 * closed and freed. It fails alone when the server refuses the channel or the exec, and with its session on any other
 * error. Closing is driven by further steps, since the far side's answer is waited for; whoever has no patience leaves
 * it to the end of the session.
 */
#include "transport/ssh_channel.h"

#include "base/log.h"
#include "transport/ssh_remote.h"

enum { WINDOW_BYTES = 256 << 10, PACKET_BYTES = 32768, BACKLOG_LOW = 64 << 10, IN_MAX = 48 << 20 };

static const struct sm_state states[] = {
    [CHANNEL_IDLE] = {"idle", SM_TO(CHANNEL_OPENING) | SM_TO(CHANNEL_CLOSED)},
    [CHANNEL_OPENING] = {"opening", SM_TO(CHANNEL_STARTING) | SM_TO(CHANNEL_CLOSED)},
    [CHANNEL_STARTING] = {"starting", SM_TO(CHANNEL_OPEN) | SM_TO(CHANNEL_CLOSING)},
    [CHANNEL_OPEN] = {"open", SM_TO(CHANNEL_CLOSING)},
    [CHANNEL_CLOSING] = {"closing", SM_TO(CHANNEL_CLOSED)},
    [CHANNEL_CLOSED] = {"closed", 0},
};

static void move(struct ssh_channel *ch, enum ssh_channel_state to)
{
	if (ch->remote->opening == ch)
		ch->remote->opening = NULL;
	if (to == CHANNEL_OPENING)
		ch->remote->opening = ch;
	log_trace("%s: channel %p: %s -> %s", ch->remote->label, (void *)ch, sm_name(&ch->sm), states[to].name);
	sm_move(&ch->sm, (int)to, ch->remote->label);
}

void ssh_channel_init(struct ssh_channel *ch, struct ssh_remote *remote, const char *command,
		      const struct ssh_channel_sink *sink)
{
	*ch = (struct ssh_channel){.remote = remote, .command = command, .sink = sink};
	sm_init(&ch->sm, states, CHANNEL_IDLE);
	buf_init(&ch->in, IN_MAX);
}

void ssh_channel_release(struct ssh_channel *ch)
{
	if (ch->remote && ch->remote->opening == ch)
		ch->remote->opening = NULL;
	buf_release_secret(&ch->in);
}

void ssh_channel_start(struct ssh_channel *ch)
{
	/* An open that was given up is still libssh2's only one: its answer would be taken for this one's. */
	if (!ch->remote->opening && !ch->remote->opens_stuck && ssh_channel_is(ch, CHANNEL_IDLE))
		move(ch, CHANNEL_OPENING);
}

void ssh_channel_write(struct ssh_channel *ch, const void *bytes, size_t len)
{
	if (ch->in_at == ch->in.len) {
		if (ch->in.data)
			explicit_bzero(ch->in.data, ch->in.len);
		buf_clear(&ch->in);
		ch->in_at = 0;
	}
	buf_add(&ch->in, bytes, len);
}

void ssh_channel_write_eof(struct ssh_channel *ch)
{
	ch->eof = true;
}

static bool again(const struct ssh_channel *ch, int rc)
{
	return rc == LIBSSH2_ERROR_EAGAIN && !ch->remote->io.cut;
}

/* The server says no to this channel, and the session goes on. */
static int refused(struct ssh_channel *ch, const char *what, struct err *err)
{
	char *text = NULL;

	libssh2_session_last_error(ch->remote->session, &text, NULL, 0);
	err_set(err, E_PROTOCOL,
		"the server refuses %s (%s); MaxSessions and the account's rights in its sshd_config decide that", what,
		text ? text : "");
	return 1;
}

static int step_opening(struct ssh_channel *ch, struct err *err)
{
	int rc;

	ch->channel = libssh2_channel_open_ex(ch->remote->session, "session", 7, WINDOW_BYTES, PACKET_BYTES, NULL, 0);
	if (ch->channel) {
		move(ch, CHANNEL_STARTING);
		return 0;
	}
	rc = libssh2_session_last_errno(ch->remote->session);
	if (again(ch, rc))
		return 0;
	if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE && !ch->remote->io.cut) {
		move(ch, CHANNEL_CLOSED);
		return refused(ch, "another channel", err);
	}
	return ssh_remote_lost(ch->remote, rc, err);
}

static int step_starting(struct ssh_channel *ch, struct err *err)
{
	const char *how = ch->subsystem ? "subsystem" : "exec";
	int rc = libssh2_channel_process_startup(ch->channel, how, (unsigned)strlen(how), ch->command,
						 (unsigned)strlen(ch->command));

	if (rc == 0) {
		move(ch, CHANNEL_OPEN);
		return 0;
	}
	if (again(ch, rc))
		return 0;
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED && !ch->remote->io.cut) {
		move(ch, CHANNEL_CLOSING);
		return refused(ch, ch->subsystem ? "to start a subsystem" : "to run a command", err);
	}
	return ssh_remote_lost(ch->remote, rc, err);
}

static int write_in(struct ssh_channel *ch, struct err *err)
{
	while (ch->in_at < ch->in.len && ssh_io_backlog(&ch->remote->io) < BACKLOG_LOW) {
		ssize_t n = libssh2_channel_write(ch->channel, ch->in.data + ch->in_at, ch->in.len - ch->in_at);
		if (again(ch, (int)n))
			return 0;
		/* The command has ended and does not read any more: its output tells the rest. */
		if (n == LIBSSH2_ERROR_CHANNEL_CLOSED || n == LIBSSH2_ERROR_CHANNEL_EOF_SENT)
			n = (ssize_t)(ch->in.len - ch->in_at);
		if (n < 0)
			return ssh_remote_lost(ch->remote, (int)n, err);
		ch->in_at += (size_t)n;
	}
	if (ch->eof && !ch->eof_sent && ch->in_at == ch->in.len) {
		int rc = libssh2_channel_send_eof(ch->channel);
		if (again(ch, rc))
			return 0;
		ch->eof_sent = true;
	}
	return 0;
}

/* Reads one stream until there is nothing more now. What one turn can bring is bounded by ssh_io. */
static int read_stream(struct ssh_channel *ch, int stream, struct err *err)
{
	static char bytes[32768]; /* one loop, one thread */

	for (;;) {
		ssize_t n =
		    libssh2_channel_read_ex(ch->channel, stream ? SSH_EXTENDED_DATA_STDERR : 0, bytes, sizeof(bytes));
		int r;

		if (n == 0 || again(ch, (int)n))
			return 0;
		if (n < 0)
			return ssh_remote_lost(ch->remote, (int)n, err);
		r = ch->sink->data(ch, stream, bytes, (size_t)n, err);
		if (r < 0 || !ssh_channel_is(ch, CHANNEL_OPEN))
			return r;
	}
}

static int step_open(struct ssh_channel *ch, struct err *err)
{
	int r = read_stream(ch, 0, err);

	if (!r && ssh_channel_is(ch, CHANNEL_OPEN))
		r = read_stream(ch, 1, err);
	if (!r && ssh_channel_is(ch, CHANNEL_OPEN))
		r = write_in(ch, err);
	if (!r && ssh_channel_is(ch, CHANNEL_OPEN) && libssh2_channel_eof(ch->channel))
		ch->ended = true;
	return r;
}

static int step_closing(struct ssh_channel *ch, struct err *err)
{
	int rc = libssh2_channel_free(ch->channel);

	(void)err;
	if (again(ch, rc))
		return 0;
	ch->channel = NULL;
	move(ch, CHANNEL_CLOSED);
	return 0;
}

static int step_once(struct ssh_channel *ch, struct err *err)
{
	switch ((enum ssh_channel_state)ch->sm.now) {
	case CHANNEL_IDLE:
		ssh_channel_start(ch);
		return 0;
	case CHANNEL_OPENING:
		return step_opening(ch, err);
	case CHANNEL_STARTING:
		return step_starting(ch, err);
	case CHANNEL_OPEN:
		return step_open(ch, err);
	case CHANNEL_CLOSING:
		return step_closing(ch, err);
	case CHANNEL_CLOSED:
		return 0;
	}
	return 0;
}

int ssh_channel_step(struct ssh_channel *ch, struct err *err)
{
	int before, r;

	do {
		before = ch->sm.now;
		r = step_once(ch, err);
	} while (!r && ch->sm.now != before);
	return r;
}

void ssh_channel_close(struct ssh_channel *ch)
{
	switch ((enum ssh_channel_state)ch->sm.now) {
	case CHANNEL_IDLE:
		move(ch, CHANNEL_CLOSED);
		return;
	case CHANNEL_OPENING:
		/* The answer is still to come, if it ever does; nobody may open before. */
		ch->remote->opens_stuck = true;
		move(ch, CHANNEL_CLOSED);
		return;
	case CHANNEL_STARTING:
	case CHANNEL_OPEN:
		move(ch, CHANNEL_CLOSING);
		return;
	case CHANNEL_CLOSING:
	case CHANNEL_CLOSED:
		return;
	}
}
