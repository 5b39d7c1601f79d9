/*
 * A remote of the SSH transport, as the files of this folder see it. Nobody else includes this.
 *
 *                        ┌→ TUNNEL ┐                                    ┌──────────────┐ (a relay)
 *     KEY → RESOLVE → CONNECT → BANNER → QUEUED → HANDSHAKE → HOSTKEY → AUTH → SHELL → READY → CLOSING ┐
 *                        ↑                            │          │       │ └→ REFUSED → PASSWORD → SHELL
 *                        └────────────────────────────┴──────────┘       ↓       ↓                    ↓
 *                              (another host key type)            TEARDOWN ←─ any of these fails ─────┘
 *                                                                     │
 *                                                                   GONE  (waits for remote_close, then frees)
 *
 * KEY waits until it is known that there is something to log in with: nobody is connected to for nothing.
 *
 * TUNNEL waits for a descriptor: from a bastion's pool (ssh_bastion.h), or of a command (ssh_command.h). A relay is a
 * remote that belongs to such a pool: it has tunnels (ssh_tunnel.h) in the place of a shell, and takes no requests.
 *
 * QUEUED waits for its turn among all remotes (transport->handshakes_max key exchanges at once). REFUSED asks the
 * server which ways to log in it allows, for PASSWORD and for the error. CLOSING lets the resident shell remove its
 * folder. TEARDOWN frees the session and the descriptor; all requests have their result by then.
 *
 * One timer and one poll handle a remote; everything is done in one pump (ssh_remote.c), which both of them call: calls
 * from outside only note what is wanted and kick the timer. So callbacks never come from inside a call, and nothing in
 * here is entered twice.
 */
#ifndef TRANSPORT_SSH_REMOTE_H
#define TRANSPORT_SSH_REMOTE_H

#include "base/alloc.h"
#include "base/list.h"
#include "base/sm.h"
#include "transport/resolve.h"
#include "transport/ssh.h"
#include "transport/ssh_banner.h"
#include "transport/ssh_channel.h"
#include "transport/ssh_hostkey.h"
#include "transport/ssh_io.h"
#include "transport/ssh_identity.h"
#include "transport/ssh_marks.h"

struct ssh_transport {
	struct transport base;
	uv_loop_t *loop;
	struct resolver *resolver;
	int handshakes_max, keepalive_ms;
	bool rsa_sha2;       /* libssh2 knows it: from 1.11 on */
	int handshakes;      /* under way */
	struct list waiting; /* ssh_remote.admission, in the state QUEUED */
	struct ssh_identities *identities;
	struct list known_hosts;
	struct list bastions, sites; /* ssh_bastion.c */
	size_t remotes, relays; /* relays: of these, those that are ours */
	bool closing;
	int parts; /* that are not closed yet */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* A request while it is ours. */
struct ssh_request {
	struct list node;
	struct remote_request *request;
	unsigned number; /* unique in its session, in the marks */
	bool cancelled;
	int64_t began_ms; /* it was its turn */
	int64_t deadline_ms;
};

enum ssh_remote_state {
	REMOTE_KEY,
	REMOTE_RESOLVE,
	REMOTE_TUNNEL,
	REMOTE_CONNECT,
	REMOTE_BANNER,
	REMOTE_QUEUED,
	REMOTE_HANDSHAKE,
	REMOTE_HOSTKEY,
	REMOTE_AUTH,
	REMOTE_REFUSED,
	REMOTE_PASSWORD,
	REMOTE_SHELL,
	REMOTE_READY,
	REMOTE_CLOSING,
	REMOTE_TEARDOWN,
	REMOTE_GONE,
};

struct ssh_shell;
struct ssh_command;
struct ssh_tunnel;

/* Who has a relay: told from its pump. */
struct relay_owner {
	remote_opened_cb *opened;
	void (*lost)(struct remote *relay, const struct err *err, void *arg); /* it was open; it must be closed now */
};

struct ssh_remote {
	struct remote base;
	struct ssh_transport *transport;
	char *label, *address, *user;
	int port;
	bool sudo, windows;
	struct remote_budgets budgets;
	struct ssh_identity *identity; /* the transport's; NULL: a password alone */
	struct ssh_identity_wait key_wait;
	const struct ssh_cert *cert; /* to be shown before the plain key; NULL when it was refused */
	struct err cert_note;	     /* why there is none, though one lies beside the key */
	struct ssh_signing signing;
	struct buf password; /* overwritten as soon as the login is over */
	bool by_prompt;	     /* it is asked for by keyboard-interactive, */
	unsigned prompts;    /* and that many questions have come */
	struct ssh_trust trust;

	struct sm sm;
	int64_t since_ms;    /* in this state since */
	int64_t deadline_ms; /* of this state; 0: none */
	uv_timer_t timer;
	bool again; /* pump once more as soon as the loop turns */

	struct resolve_request *resolving;
	struct resolved addresses;
	int address_at;
	int64_t connect_until_ms;
	struct err connect_err; /* of the address before */

	struct remote_spec *via; /* the machine before it, a copy; NULL: none */
	char *via_command;       /* or NULL */
	bool way_begun;
	struct tunnel_request way;
	struct err way_err;
	struct ssh_command *command;

	const struct relay_owner *relay; /* NULL: it is none */
	void *relay_arg;
	bool was_ready;
	bool relay_told; /* its owner knows that it is lost */
	struct list tunnels;
	struct ssh_tunnel *tunnel_opening; /* the one open that is under way */

	struct ssh_io io;
	struct ssh_banner banner;
	LIBSSH2_SESSION *session;
	bool in_handshake; /* libssh2's handshake has begun and not ended */
	struct list admission;
	bool admitted;
	int64_t slot_until_ms; /* a handshake that waits longer on the far side gives its place to another */
	bool reconnect;        /* after TEARDOWN: once more, for another host key type */
	struct err sign_err;
	char auth_detail[256]; /* what was refused until now, and how */
	char host_key[96];
	struct buf host_key_blob;
	int64_t keepalive_ms; /* when to ask next whether the host lives */

	struct ssh_channel *opening; /* the one channel open that is under way */
	bool opens_stuck;            /* one was given up: no other can be opened in this session */
	struct ssh_shell *shell;
	struct list execs;                         /* ssh_exec.node: running ones, and killers */
	struct list shell_queue, exec_queue, done; /* ssh_request.node */
	unsigned requests_n;                       /* all that are not delivered */
	unsigned next_number;
	char phase[96];

	struct err err; /* why it failed; code 0: it did not */
	remote_opened_cb *opened;
	void *opened_arg;
	bool opened_done;
	bool closing; /* remote_close was called */
	remote_closed_cb *closed;
	void *closed_arg;
};

/* ssh.c: places for key exchanges. ssh_admit: true, or the remote waits in the list and will be kicked. */
bool ssh_admit(struct ssh_remote *remote);
void ssh_release_admission(struct ssh_remote *remote);
void ssh_remote_forget(struct ssh_remote *remote);
void ssh_transport_empty(struct ssh_transport *t); /* its bastions are gone: the rest of closing */
int ssh_transport_known_hosts(struct ssh_transport *t, const char *path, const struct known_hosts **out,
			      struct err *err);

/* ssh_remote.c: what the vtable does, the pump, the timer. */
extern const struct transport_vtable ssh_remote_vtable;
void ssh_remote_kick(struct ssh_remote *remote);
void ssh_remote_pump(struct ssh_remote *remote); /* from callbacks of the loop only */
struct remote *ssh_relay_open(struct ssh_transport *t, const struct remote_spec *spec, const struct relay_owner *owner,
			      void *arg);

/* ssh_session.c: the states. step: true when the state has changed, so that there may be more to do. */
extern const struct sm_state ssh_session_states[];
bool ssh_session_step(struct ssh_remote *remote);
void ssh_session_timeout(struct ssh_remote *remote);
void ssh_session_cancel(struct ssh_remote *remote);
void ssh_session_fail(struct ssh_remote *remote, const struct err *err);
int64_t ssh_remote_now(const struct ssh_remote *remote);

/* libssh2 returned `rc`, and with it the session is lost: the code and the sentence for it. Returns the code. */
int ssh_remote_lost(struct ssh_remote *remote, int rc, struct err *err);

/* ssh_connect.c: CONNECT. step: true when there may be more to do; *connected: there is a connection. failed: this
   address's time is over, or it refused; true when the remote has failed. hung_up: the sentence for a server that takes
   the connection and closes it before its version line. */
bool ssh_connect_step(struct ssh_remote *remote, bool *connected);
bool ssh_connect_failed(struct ssh_remote *remote, int error);
void ssh_connect_hung_up(struct ssh_remote *remote, struct err *err);

/* ssh_way.c: TUNNEL. Is there something before the host? step: 1 there is a descriptor, 0 wait, or negative with *err. */
void ssh_way_init(struct ssh_remote *remote, const struct remote_spec *spec);
void ssh_way_release(struct ssh_remote *remote);
bool ssh_way_is_direct(const struct ssh_remote *remote);
int ssh_way_step(struct ssh_remote *remote, struct err *err);
void ssh_way_end(struct ssh_remote *remote); /* the connection is over */
bool ssh_way_ended(const struct ssh_remote *remote);
void ssh_way_explain(struct ssh_remote *remote); /* adds what the command says to remote->err */
/* What TUNNEL waits for, into remote->phase. */
void ssh_way_phase(struct ssh_remote *remote, struct remote_info *info);

/* ssh_login.c: HANDSHAKE, HOSTKEY; ssh_auth.c: KEY, AUTH, REFUSED, PASSWORD. Each returns 1 done, 0 wait, or negative
   with *err. */
void ssh_login_send_version(struct ssh_remote *remote);
int ssh_login_handshake(struct ssh_remote *remote, struct err *err);
int ssh_login_hostkey(struct ssh_remote *remote, struct err *err);
int ssh_auth_key(struct ssh_remote *remote, struct err *err);
int ssh_auth_login(struct ssh_remote *remote, struct err *err);
int ssh_auth_refused(struct ssh_remote *remote, struct err *err);
int ssh_auth_password(struct ssh_remote *remote, struct err *err);

/* An agent is asked for the signature of this login: there is nothing to be read from the host until it has answered. */
bool ssh_auth_signing(const struct ssh_remote *remote);

/* ssh_queue.c: the requests of a remote. */
void ssh_request_start(struct ssh_remote *remote, struct remote_request *request);
void ssh_request_cancel(struct ssh_remote *remote, struct remote_request *request);

/* Ends a request with result.failure as it is set, or as `code` and the text say. It is delivered by the next
   ssh_request_deliver, from the pump. */
void ssh_request_done(struct ssh_remote *remote, struct ssh_request *request);
void ssh_request_fail(struct ssh_remote *remote, struct ssh_request *request, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void ssh_request_drop_cancelled(struct ssh_remote *remote);
void ssh_request_fail_queued(struct ssh_remote *remote, int code, const char *text);
void ssh_request_deliver(struct ssh_remote *remote);

/* ssh_shell.h: the resident shell, of whichever kind. step: 0, or negative when the session is of no use any more. */
struct ssh_shell *ssh_shell_new(struct ssh_remote *remote);
void ssh_shell_free(struct ssh_shell *shell);
int ssh_shell_step(struct ssh_shell *shell, struct err *err);
bool ssh_shell_ready(const struct ssh_shell *shell);
bool ssh_shell_ended(const struct ssh_shell *shell);
void ssh_shell_finish(struct ssh_shell *shell);
struct ssh_request *ssh_shell_running(const struct ssh_shell *shell);
struct ssh_request *ssh_shell_take_running(struct ssh_shell *shell);
const char *ssh_shell_name(const struct ssh_remote *remote); /* what it is, for errors */
int64_t ssh_shell_deadline(const struct ssh_shell *shell);

/* ssh_exec.h: commands on channels of their own, and the killers that end what has run too long. */
int ssh_execs_step(struct ssh_remote *remote, struct err *err);
void ssh_execs_start(struct ssh_remote *remote);
int64_t ssh_execs_deadline(const struct ssh_remote *remote);
bool ssh_execs_running(const struct ssh_remote *remote);
void ssh_execs_cancel(struct ssh_remote *remote);

/* Gives up all of them at once, because the session is: results by `code` and `text`. */
void ssh_execs_abandon(struct ssh_remote *remote, int code, const char *text);

#endif
