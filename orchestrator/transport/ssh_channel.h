/*
 * One session channel: opened, a command started by exec, its stdin fed from a queue, its stdout and stderr given to a
 * sink, closed. What the bytes mean is its owner's affair (ssh_posix.c, ssh_windows.c, ssh_exec.c).
 *
 *     IDLE → OPENING → STARTING → OPEN → CLOSING → CLOSED
 *
 * ssh_channel_step drives it and is called whenever something may have come. libssh2 has one state for all channel
 * opens of a session, so that opens are done one after the other (remote->opening), and an open that is never answered
 * makes the session unable to open any other (remote->opens_stuck).
 */
#ifndef TRANSPORT_SSH_CHANNEL_H
#define TRANSPORT_SSH_CHANNEL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sm.h"

#include <libssh2.h>

struct ssh_remote;
struct ssh_channel;

enum ssh_channel_state {
	CHANNEL_IDLE,
	CHANNEL_OPENING,
	CHANNEL_STARTING,
	CHANNEL_OPEN,
	CHANNEL_CLOSING,
	CHANNEL_CLOSED,
};

struct ssh_channel_sink {
	/* Bytes of stdout (stream 0) or stderr (1). A negative return is the owner's finding that the session is of no
	   use any more, and is returned by ssh_channel_step. */
	int (*data)(struct ssh_channel *channel, int stream, const char *bytes, size_t len, struct err *err);
};

struct ssh_channel {
	struct ssh_remote *remote;
	const struct ssh_channel_sink *sink;
	const char *command; /* what is run */
	bool subsystem;      /* `command` is the name of one */
	struct sm sm;
	LIBSSH2_CHANNEL *channel;
	struct buf in; /* for the command's stdin */
	size_t in_at;
	bool eof; /* no more stdin after what is queued */
	bool eof_sent;
	bool ended; /* the far side has closed both streams, all was given to the sink */
};

/* `command` is not copied. */
void ssh_channel_init(struct ssh_channel *channel, struct ssh_remote *remote, const char *command,
		      const struct ssh_channel_sink *sink);

/* Frees what is ours. The LIBSSH2_CHANNEL is freed with the session unless it came to CLOSED. */
void ssh_channel_release(struct ssh_channel *channel);

/* Begins. What is written before it is open waits. */
void ssh_channel_start(struct ssh_channel *channel);
void ssh_channel_write(struct ssh_channel *channel, const void *bytes, size_t len);
void ssh_channel_write_eof(struct ssh_channel *channel);

/* Goes on as far as it can. 0: fine. 1: this channel was refused by the server, *err says how, it is CLOSED.
   Negative: the session is lost, *err says why. */
int ssh_channel_step(struct ssh_channel *channel, struct err *err);

/* Begins to close, without waiting for the far side's output. It is done when the state is CLOSED. */
void ssh_channel_close(struct ssh_channel *channel);

static inline bool ssh_channel_is(const struct ssh_channel *channel, enum ssh_channel_state state)
{
	return channel->sm.now == (int)state;
}

#endif
