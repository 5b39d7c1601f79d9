/*
 * The seam: everything the engine knows of the network. A *remote* is a connection to one machine (a handle in libuv's
 * sense: opened once, closed once, its memory gone after the close callback). A *request* is one op on it (caller-
 * allocated, one callback).
 *
 * Callbacks come on the loop's thread, never from inside the call that started them, and exactly once:
 *   remote_open      → opened(remote, err): err NULL when it can take requests, else why not. In both cases the remote
 *                      must be closed by the caller.
 *   remote_start     → request->done(request), whatever happens; also after remote_cancel and remote_close (E_CANCELED).
 *   remote_close     → closed(arg), after every request's callback.
 *
 * Several requests may be started on a remote at once. OP_RUN, OP_GET and OP_REPLACE are done one after the other, in
 * order; OP_EXEC run beside them, REMOTE_EXECS_MAX at a time. A request's timeout begins when it is its turn.
 *
 * A remote may be behind others (spec.via): see ssh_bastion.h. What such a remote meets on its way is told with the name
 * of the machine that it is about.
 *
 * A remote whose connection is lost fails what is running with E_CLOSED and everything after it, too; it never
 * reconnects by itself: whether that is safe is the engine's to judge.
 *
 * Implementations: transport/ssh.h (hosts), transport/local.h (the controller itself, for OP_HTTP and OP_SMTP), and
 * tests/lib/fake_transport.h.
 */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include "base/op.h"

#include <stddef.h>

#define REMOTE_EXECS_MAX 4

struct transport;
struct remote;
struct remote_request;

/* Budgets of the phases of opening and closing, each on its own; 0 stands for the default behind it. */
struct remote_budgets {
	int resolve_ms;	  /* 5000 */
	int connect_ms;	  /* 10000 */
	int banner_ms;	  /* 10000 */
	int handshake_ms; /* 15000 */
	int auth_ms;	  /* 15000 */
	int shell_ms;	  /* 15000: channel open, shell up */
	int close_ms;	  /* 3000 */
};

/* Where to connect and as whom. All of it is copied (or cached) before remote_open returns. */
struct remote_spec {
	const char *label;   /* "acme/sync1": in every error and log line */
	const char *address; /* name or address */
	int port;
	const char *user;
	const void *key; /* the private key as in its file, PEM or OpenSSH; with `agent`: its public half as in its .pub */
	size_t key_len;
	const char *key_name;	/* where it came from, for errors: "file:/etc/cutover/keys/acme" */
	const char *passphrase; /* of the key, or NULL */
	const char *agent;	/* the socket of the ssh-agent that signs, or NULL: the key is here */
	const char *agent_key;	/* which of its keys, where `key` does not say: "SHA256:…"; NULL: its only one */
	const void *certificate; /* a user certificate as in its -cert.pub, or NULL */
	size_t certificate_len;
	const char *certificate_name;
	bool certificate_beside;       /* found beside the key: if it cannot be used the key goes without */
	const char *const *host_keys;  /* pins "[TYPE ]SHA256:…" */
	size_t host_keys_n;
	const char *known_hosts; /* path, or NULL */
	/* A host of which no key is known is let in, and remote_info says so. Not where its key is known as another host's, or
	   is revoked. seen_host_key ("TYPE SHA256:…", or NULL): what it showed before; a pin, where nothing else is known. */
	bool accept_new;
	const char *seen_host_key;
	const char *password;	 /* or NULL: the last resort, after the key; never for a host that was let in as new */
	bool sudo;		 /* what `elevated` means: sudo -n */
	bool windows;		 /* cmd.exe and SFTP; else /bin/sh */
	const struct remote_spec *via; /* the bastion before it, which may have one too; NULL: direct */
	const char *via_command;       /* or a command whose stdin and stdout are the connection, run here by /bin/sh */
	struct remote_budgets budgets;
};

/* What is known of a remote while it lives: for evidence and the progress display. Strings live until it is closed. */
struct remote_info {
	const char *phase;	 /* "connect", "handshake", "auth", "shell", "ready", "run check-idle", "closing" … */
	int64_t phase_since_ms;	 /* monotonic */
	const char *banner;	 /* the server's version line, printable, or "" */
	const char *host_key;	 /* "ssh-ed25519 SHA256:…", or "" before it was seen */
	const void *host_key_blob; /* the key itself, or NULL */
	size_t host_key_blob_len;
	int host_key_bits;	 /* its length, as ssh-keygen -l says it; 0 where that is not known */
	bool host_key_new;	 /* nothing was known of this host: let in by accept_new */
};

struct remote_request {
	/* set by the caller, who keeps op and request alive until done was called */
	const struct op *op;
	const char *what; /* for logs and info.phase: "sync-client/write-config" */
	/* OP_HTTP, OP_SMTP: the host whose session makes the connection (transport/http.h), copied before remote_start returns; or
	   NULL: this machine itself. */
	const struct remote_spec *through;
	void (*done)(struct remote_request *request);
	void *arg;
	/* filled before done; released by the caller with op_result_release */
	struct op_result result;
	/* the transport's own */
	void *priv;
};

/* A wish for a connection that another machine makes: direct-tcpip through its SSH session. Caller-allocated. */
struct tunnel_request {
	/* set by the caller; host (a name or an address as the machine in between knows it) is copied */
	const char *host;
	int port;
	int connect_ms; /* from when that machine is asked; 0: 10000; at most 50000 */
	/* Or the caller makes the pair of sockets itself, to have its end before the connection is there: then pair_fd is
	   the other end, non-blocking, the transport's from tunnel_open on, and done comes with -1 and err NULL. */
	bool has_pair;
	int pair_fd;
	/* Once, never from inside tunnel_open. fd: connected, non-blocking, the receiver's: closing it ends the
	   connection, EOF and shutdown work as on a socket. -1 with err: it says why not. */
	void (*done)(struct tunnel_request *request, int fd, const struct err *err);
	/* NULL, or: the way was cut (the descriptor reads EOF then). Only behind done, at most once. */
	void (*lost)(struct tunnel_request *request, const struct err *why);
	void *arg;
	/* the transport's own */
	void *priv;
};

typedef void remote_opened_cb(struct remote *remote, const struct err *err, void *arg);
typedef void remote_closed_cb(void *arg);

struct transport_vtable {
	struct remote *(*open)(struct transport *t, const struct remote_spec *spec, remote_opened_cb *cb, void *arg);
	void (*start)(struct remote *remote, struct remote_request *request);
	void (*cancel)(struct remote *remote, struct remote_request *request);
	void (*close)(struct remote *remote, remote_closed_cb *cb, void *arg);
	void (*info)(const struct remote *remote, struct remote_info *info);
	void (*tunnel_open)(struct transport *t, const struct remote_spec *through, struct tunnel_request *request);
	void (*tunnel_cancel)(struct transport *t, struct tunnel_request *request);
};

/* The first member of every implementation's own struct, of the transport and of a remote. */
struct transport {
	const struct transport_vtable *vtable;
};

struct remote {
	struct transport *transport;
};

/* Never NULL: what is wrong with the spec comes by the callback. */
static inline struct remote *remote_open(struct transport *t, const struct remote_spec *spec, remote_opened_cb *cb,
					 void *arg)
{
	return t->vtable->open(t, spec, cb, arg);
}

static inline void remote_start(struct remote *r, struct remote_request *request)
{
	r->transport->vtable->start(r, request);
}

/* Gives a request up: its process group is killed on the far side, done comes with E_CANCELED (or with the true result,
   when that was faster). */
static inline void remote_cancel(struct remote *r, struct remote_request *request)
{
	r->transport->vtable->cancel(r, request);
}

/* Legal at any time after open, once. */
static inline void remote_close(struct remote *r, remote_closed_cb *cb, void *arg)
{
	r->transport->vtable->close(r, cb, arg);
}

static inline void remote_info(const struct remote *r, struct remote_info *info)
{
	r->transport->vtable->info(r, info);
}

/* Connects to request->host from the machine that `through` describes, a bastion or a host, over a session to it that
   does nothing else and is shared with all who go through the same machine. E_UNREACHABLE: that machine cannot connect
   to there. E_FORWARDING: it does not allow it. E_BASTION: it cannot be logged into, and will not be tried again; other
   codes: it cannot be reached now. Before `done` it may wait for its turn without a limit while others make progress.
   The request is the transport's until done with an error, tunnel_cancel, or, if `lost` is set, its call; with `lost`
   NULL until done. */
static inline void tunnel_open(struct transport *t, const struct remote_spec *through, struct tunnel_request *request)
{
	t->vtable->tunnel_open(t, through, request);
}

/* Before done: gives up; done does not come. After it: `lost` does not come. The descriptor is not touched. Legal also
   when everything is over, or was never begun with a zeroed request. */
static inline void tunnel_cancel(struct transport *t, struct tunnel_request *request)
{
	t->vtable->tunnel_cancel(t, request);
}

#endif
