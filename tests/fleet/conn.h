/*
 * conn: one accepted connection that is served by libssh: key exchange, login, channels.
 *
 * libssh does its own I/O on the socket, but only when conn lets it (conn_turn): each session has a libssh event of
 * its own with one descriptor in it, and the descriptor is watched by our loop. So a turn costs the same with 3000
 * sessions as with one, and a session that is not given its turn hangs as a dead host does.
 *
 * libssh calls back from inside its reading and writing. The callbacks only note what happened; conn_settle() acts on
 * it when libssh has returned. After conn_settle() the connection may be gone.
 */
#ifndef FLEET_CONN_H
#define FLEET_CONN_H

#include <libssh/callbacks.h>

#include "fault.h"
#include "fleet.h"
#include "host.h"

struct conn {
	struct fleet *fleet;
	struct host *host;
	ssh_session session;
	ssh_event event;
	struct ssh_server_callbacks_struct callbacks;
	struct watch socket, timer; /* timer: only for the fault slow */
	struct list execs;
	struct grave grave;
	struct fault_set faults;
	uint64_t exec_count, bytes_out, bytes_in; /* of the commands of this connection */
	bool paused;                              /* no descriptor of it is watched */
	bool cut, cut_when_flushed, silent;       /* decided; conn_settle() does it */
	bool dirty;                               /* a callback has noted something that conn_settle() has to see */
	bool closed;
	char peer[64]; /* for SSH_CONNECTION: "client-address client-port" */
};

/* Takes an accepted, non-blocking socket. */
void conn_start(struct fleet *, struct host *, int fd, const struct fault_set *, const char *peer);

/*
 * Before an event of one of its descriptors is handled: false when it has to wait (fault slow), and then no descriptor
 * is watched until the time has come and everything is tried again.
 */
bool conn_may_act(struct conn *);

/* Acts on what the callbacks have noted, and watches what is to be watched. The connection may be gone afterwards. */
void conn_settle(struct conn *);

/* Whether more may be written now; false while the socket takes nothing or the connection is about to be cut. */
bool conn_writable(const struct conn *);

/* How many of `n` bytes of a command's output may go out before a fault cuts in; notes the fault when they all have. */
size_t conn_output_allowed(struct conn *, size_t n);
void conn_output_done(struct conn *, size_t n);

#endif
