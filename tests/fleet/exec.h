/*
 * exec: one session channel and the shell that runs its command, as sshd does it without a terminal.
 *
 *   stdin   what the client sends; the channel's window grows only as the shell reads
 *   stdout, stderr
 *           are read only as far as the channel's window and the socket take it
 *   the shell ends
 *           exit-status or exit-signal is sent at once, what the client sends further is thrown away
 *   all writers of stdout and stderr have gone
 *           EOF; and the channel is closed when the shell has ended too: a daemon that keeps stdout keeps the channel
 *   the channel or the connection ends
 *           the pipes are closed; the shell and its children are not killed and get no signal. A channel that the
 *           client closed while the shell ran is closed from this side when the shell ends, after its exit-status
 */
#ifndef FLEET_EXEC_H
#define FLEET_EXEC_H

#include "conn.h"

struct shell;

struct exec {
	struct conn *conn;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	struct list node;    /* in conn->execs */
	struct shell *shell; /* while it runs */
	struct watch in, out, err;
	struct grave grave;
	bool started;          /* a command was asked for: a second one is refused */
	bool input_held;       /* libssh holds input that the pipe did not take */
	bool client_eof;       /* the client will send no more */
	bool client_closed;    /* the client closed the channel */
	bool eof_sent, exited; /* the shell has been reaped */
	bool flooding;         /* fault: endless output that no child writes */
};

/* The channel-open callback: a new channel of this connection, or NULL. */
ssh_channel exec_open(ssh_session, void *conn);

/* Moves a chunk each way, as the events of its descriptors would. */
void exec_pump(struct exec *);

/* From conn_settle(): moves what can be moved, ends what has ended. */
void exec_settle(struct exec *);

/* Sets what its descriptors wait for now. True: it wants to be settled again when the socket takes more. */
bool exec_watch(struct exec *);

/* The connection ends; libssh frees the channel itself. */
void exec_drop(struct exec *);

#endif
