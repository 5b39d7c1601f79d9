/*
 * The bytes between libssh2 and the network: one socket, one uv_poll, and libssh2's RECV and SEND callbacks.
 *
 * SEND takes everything: what the kernel does not, waits here and goes out when the socket is writable. So libssh2
 * never sees a packet half sent, and the rules that follow from one do not arise: no call has to be repeated before
 * another one may be made, a window adjustment that goes out while reading cannot break a write, and a keepalive cannot
 * spoil the stream (libssh2 1.10 answers -39 there, 1.11.0 corrupts; its keepalive forgets a half-sent packet in every
 * version). EAGAIN means one thing: wait for the far side. Writers look at ssh_io_backlog, so that the queue stays
 * short.
 *
 * RECV gives at most SSH_IO_TURN bytes a turn of the loop. Within libssh2 a read goes on for as long as the socket has
 * something; this is what keeps a host that floods, with data or with packets of no use, from holding up all others.
 * poll is level-triggered, so that the rest comes next turn.
 *
 * The first bytes that RECV gives are those that were read before the session was there (ssh_banner.h). The first bytes
 * that SEND gets are libssh2's version line, which was sent already: a server that waits for it answers a round trip
 * earlier.
 */
#ifndef TRANSPORT_SSH_IO_H
#define TRANSPORT_SSH_IO_H

#include "base/buf.h"
#include "base/err.h"

#include <libssh2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

enum { SSH_IO_TURN = 128 << 10, SSH_IO_BACKLOG_MAX = 4 << 20 };

struct ssh_io {
	uv_loop_t *loop;
	uv_poll_t poll;
	void (*ready)(struct ssh_io *io); /* readable, writable or broken: look */
	void (*closed)(struct ssh_io *io);
	int fd;       /* -1: none */
	bool closing; /* ssh_io_close was called and has not called back */
	int events;
	struct buf replay;
	size_t replay_at;
	struct buf out; /* not yet taken by the kernel */
	size_t out_at;
	size_t swallow; /* bytes of libssh2's version line to come */
	size_t turn_left;
	bool drained; /* the kernel has nothing more, this turn */
	bool cut;     /* nothing goes in or out any more: end, error, or severed by us */
	bool by_us;   /* severed by us */
	int error;    /* errno of what cut it; 0: the far side closed */
	bool ending;  /* the end was seen, and is told next turn */
	int ending_error;
	int64_t last_in_ms;
	bool wipes;   /* what libssh2 frees is overwritten (ssh_wipe.h): set before the session is made */
	char goodbye[200]; /* the text of the server's SSH_MSG_DISCONNECT */
};

void ssh_io_init(struct ssh_io *io, uv_loop_t *loop, void (*ready)(struct ssh_io *io));

/* Begins to connect; `ready` comes when ssh_io_connected can tell. 0, or an errno (negative). */
int ssh_io_connect(struct ssh_io *io, const struct sockaddr *address, socklen_t len);
int ssh_io_connected(struct ssh_io *io);

/* Takes a connected, non-blocking descriptor, which is closed here also on an error. 0, or an errno (negative). */
int ssh_io_adopt(struct ssh_io *io, int fd);

/* Before the session: reads into `in` what is there. 1 something came, 0 nothing now; otherwise it is cut, negative. */
int ssh_io_read(struct ssh_io *io, struct buf *in);

/* Sends, or queues. */
void ssh_io_send(struct ssh_io *io, const void *bytes, size_t len);

/* Makes a session whose traffic goes through here, with `version` (without line end) as our version line, which is
   expected to be sent already, and `replay` to be read first (taken over). NULL: no memory. */
LIBSSH2_SESSION *ssh_io_session(struct ssh_io *io, const char *version, struct buf *replay);

/* A new turn of the loop: the allowance is full again, and what is queued goes out as far as possible. */
void ssh_io_turn(struct ssh_io *io);

/* Watches for what is needed: what is queued, and input if `input`. Cheap when nothing changes. */
void ssh_io_arm(struct ssh_io *io, bool input);

size_t ssh_io_backlog(const struct ssh_io *io);

/* Shuts the socket down: every read and write fails from now on, so that libssh2's calls come to their end. */
void ssh_io_sever(struct ssh_io *io);

/* Closes the poll handle, then the descriptor, then calls io->closed, never at once. The io can be connected again. */
void ssh_io_close(struct ssh_io *io, void (*closed)(struct ssh_io *io));

/* Why it is cut, in words. */
const char *ssh_io_why(const struct ssh_io *io);

#endif
