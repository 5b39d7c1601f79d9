/*
 * The happy path: connect, the version lines, then a session whose RECV and SEND callbacks read the socket and queue
 * for it; each event of the poll handle calls `ready`, and the owner drives libssh2 and arms again. It fails by being
 * cut: the far side closed, an error, or more than SSH_IO_BACKLOG_MAX bytes that nobody takes; every callback then
 * returns an error. Closing stops the poll handle first and closes the descriptor in its close callback.
 */
#include "transport/ssh_io.h"

#include "base/alloc.h"
#include "transport/ssh_wipe.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static void cut(struct ssh_io *io, int error)
{
	if (io->cut)
		return;
	io->cut = true;
	io->error = error;
	buf_release(&io->out);
	io->out_at = 0;
}

/* On POLLERR libuv stops the handle and says EBADF, which is not the reason; the next read tells the real one. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ssh_io *io = poll->data;

	(void)events;
	if (status < 0)
		io->events = 0;
	io->ready(io);
}

void ssh_io_init(struct ssh_io *io, uv_loop_t *loop, void (*ready)(struct ssh_io *io))
{
	*io = (struct ssh_io){.loop = loop, .ready = ready, .fd = -1};
	buf_init(&io->out, SSH_IO_BACKLOG_MAX);
}

static void reset(struct ssh_io *io)
{
	buf_release(&io->replay);
	buf_release(&io->out);
	io->replay_at = io->out_at = io->swallow = 0;
	io->events = 0;
	io->drained = io->cut = io->by_us = io->ending = false;
	io->error = io->ending_error = 0;
	io->goodbye[0] = '\0';
	io->last_in_ms = (int64_t)uv_now(io->loop);
	io->turn_left = SSH_IO_TURN;
}

static int watch(struct ssh_io *io, int fd, int events)
{
	int r = uv_poll_init(io->loop, &io->poll, fd);

	if (r < 0) {
		close(fd);
		return r;
	}
	reset(io);
	io->fd = fd;
	io->poll.data = io;
	io->events = events;
	return uv_poll_start(&io->poll, events, on_poll);
}

int ssh_io_connect(struct ssh_io *io, const struct sockaddr *address, socklen_t len)
{
	static const int one = 1;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, address, len) < 0 && errno != EINPROGRESS) {
		r = -errno;
		close(fd);
		return r;
	}
	return watch(io, fd, UV_WRITABLE);
}

int ssh_io_adopt(struct ssh_io *io, int fd)
{
	return watch(io, fd, UV_READABLE);
}

/* 1 connected, 0 not yet, negative errno. */
int ssh_io_connected(struct ssh_io *io)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int), peer_len = sizeof(peer);
	int error = 0;

	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	if (error)
		return -error;
	if (getpeername(io->fd, (struct sockaddr *)&peer, &peer_len) == 0)
		return 1;
	return errno == ENOTCONN ? 0 : -errno;
}

/* The end of the stream is told in a turn of its own: libssh2 would throw away what it has read just before. */
static ssize_t received_none(struct ssh_io *io, int error)
{
	io->drained = true;
	if (error == EAGAIN || error == EWOULDBLOCK)
		return -EAGAIN;
	if (io->turn_left < SSH_IO_TURN) {
		io->ending = true;
		io->ending_error = error;
		return -EAGAIN;
	}
	cut(io, error);
	return -error;
}

/* recv with what it means for us: bytes, -EAGAIN, 0 at the end, or a negative errno. */
static ssize_t receive(struct ssh_io *io, void *into, size_t len)
{
	ssize_t n;

	if (io->cut)
		return io->error ? -io->error : 0;
	if (io->ending && io->turn_left == SSH_IO_TURN) {
		cut(io, io->ending_error);
		return -io->error;
	}
	if (io->drained || !io->turn_left)
		return -EAGAIN;
	if (len > io->turn_left)
		len = io->turn_left;
	do {
		n = recv(io->fd, into, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		io->turn_left -= (size_t)n;
		/* Less than there was room for: that was all. It saves every second system call. */
		io->drained = (size_t)n < len;
		io->last_in_ms = (int64_t)uv_now(io->loop);
		return n;
	}
	return received_none(io, n < 0 ? errno : 0);
}

int ssh_io_read(struct ssh_io *io, struct buf *in)
{
	size_t room = buf_room(in, 4096);
	ssize_t n = receive(io, in->data + in->len, room);

	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	in->len += (size_t)n;
	in->data[in->len] = '\0';
	return 1;
}

static void flush(struct ssh_io *io)
{
	while (!io->cut && io->out_at < io->out.len) {
		ssize_t n = send(io->fd, io->out.data + io->out_at, io->out.len - io->out_at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			cut(io, errno);
			return;
		}
		io->out_at += (size_t)n;
	}
	buf_clear(&io->out);
	io->out_at = 0;
}

void ssh_io_send(struct ssh_io *io, const void *bytes, size_t len)
{
	if (io->cut)
		return;
	if (io->out_at > (size_t)SSH_IO_TURN) {
		buf_shift(&io->out, io->out_at);
		io->out_at = 0;
	}
	if (!buf_add(&io->out, bytes, len)) {
		cut(io, ENOBUFS);
		return;
	}
	if (io->out.len - io->out_at == len)
		flush(io);
}

static ssize_t on_recv(libssh2_socket_t fd, void *into, size_t len, int flags, void **abstract)
{
	struct ssh_io *io = *abstract;
	size_t left = io->replay.len - io->replay_at;

	(void)fd;
	(void)flags;
	if (!left)
		return receive(io, into, len);
	if (len > left)
		len = left;
	memcpy(into, io->replay.data + io->replay_at, len);
	io->replay_at += len;
	if (len == left) {
		buf_release(&io->replay);
		io->replay_at = 0;
	}
	return (ssize_t)len;
}

static ssize_t on_send(libssh2_socket_t fd, const void *bytes, size_t len, int flags, void **abstract)
{
	struct ssh_io *io = *abstract;
	size_t skip = io->swallow < len ? io->swallow : len;

	(void)fd;
	(void)flags;
	if (io->cut)
		return -EPIPE;
	io->swallow -= skip;
	if (len > skip)
		ssh_io_send(io, (const char *)bytes + skip, len - skip);
	return io->cut ? -EPIPE : (ssize_t)len;
}

static void on_disconnect(LIBSSH2_SESSION *session, int reason, const char *message, int message_len,
			  const char *language, int language_len, void **abstract)
{
	struct ssh_io *io = *abstract;

	(void)session;
	(void)reason;
	(void)language;
	(void)language_len;
	if (message_len > 0)
		snprintf(io->goodbye, sizeof(io->goodbye), "%.*s", message_len, message);
}

static void set_callbacks(LIBSSH2_SESSION *session)
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
	libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)on_recv);
	libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)on_send);
	libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_DISCONNECT, (libssh2_cb_generic *)on_disconnect);
#else
	libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)on_recv);
	libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, (void *)on_send);
	libssh2_session_callback_set(session, LIBSSH2_CALLBACK_DISCONNECT, (void *)on_disconnect);
#endif
}

LIBSSH2_SESSION *ssh_io_session(struct ssh_io *io, const char *version, struct buf *replay)
{
	LIBSSH2_SESSION *session = io->wipes
				       ? libssh2_session_init_ex(ssh_wipe_alloc, ssh_wipe_free, ssh_wipe_realloc, io)
				       : libssh2_session_init_ex(NULL, NULL, NULL, io);

	if (!session)
		return NULL;
	libssh2_session_set_blocking(session, 0);
	libssh2_session_banner_set(session, version);
	io->swallow = strlen(version) + 2;
	buf_release(&io->replay);
	io->replay = *replay;
	io->replay_at = 0;
	*replay = (struct buf)BUF_INIT;
	set_callbacks(session);
	return session;
}

void ssh_io_turn(struct ssh_io *io)
{
	if (io->fd < 0 || io->closing)
		return;
	io->turn_left = SSH_IO_TURN;
	io->drained = false;
	flush(io);
}

void ssh_io_arm(struct ssh_io *io, bool input)
{
	int events = (input ? UV_READABLE : 0) | (ssh_io_backlog(io) ? UV_WRITABLE : 0);

	if (io->fd < 0 || io->closing)
		return;
	if (io->cut)
		events = 0;
	if (events == io->events)
		return;
	io->events = events;
	if (!events)
		uv_poll_stop(&io->poll);
	else if (uv_poll_start(&io->poll, events, on_poll) < 0)
		cut(io, EBADF);
}

size_t ssh_io_backlog(const struct ssh_io *io)
{
	return io->out.len - io->out_at;
}

void ssh_io_sever(struct ssh_io *io)
{
	if (io->fd < 0)
		return;
	if (!io->cut)
		io->by_us = true;
	cut(io, ECONNABORTED);
	shutdown(io->fd, SHUT_RDWR);
	buf_release(&io->replay);
	io->replay_at = 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct ssh_io *io = handle->data;

	close(io->fd);
	io->fd = -1;
	io->closing = false;
	buf_release(&io->out);
	buf_release(&io->replay);
	io->closed(io);
}

void ssh_io_close(struct ssh_io *io, void (*closed)(struct ssh_io *io))
{
	io->closed = closed;
	io->closing = true;
	uv_close((uv_handle_t *)&io->poll, on_poll_closed);
}

const char *ssh_io_why(const struct ssh_io *io)
{
	if (io->goodbye[0])
		return io->goodbye;
	if (!io->error)
		return "the host closed the connection";
	if (io->error == ENOBUFS)
		return "the host takes nothing any more";
	return strerror(io->error);
}
