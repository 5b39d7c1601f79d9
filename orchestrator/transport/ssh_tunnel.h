/*
 * A tunnel: one direct-tcpip channel (RFC 4254 §7.2) of a session, and a pair of sockets. One end of the pair is given
 * away as a connected descriptor; between the other end and the channel the bytes are carried in both directions, with
 * at most TUNNEL_CHUNK of them kept on the way, so that who does not read holds up who writes. Only sessions that are
 * opened for nothing else (relays, ssh_remote.relay) carry tunnels: an open that is not answered blocks its session.
 *
 *     WAITING → OPENING → OPEN → CLOSING → GONE
 *        │         │        └──────────────↑     the session is lost
 *        │         ├→ CLOSING                    opened too late, or there are no sockets for it
 *        └─────────┴→ GONE                       refused, or the session is lost
 *
 * Half-close goes through either way: what the far side ends is shut down for writing on our end of the pair, what the
 * owner of the descriptor ends is an EOF on the channel. When both have ended, or the owner has closed its descriptor
 * altogether and what it wrote is sent, the channel is closed. Nobody has to tell a tunnel more than that: close(fd).
 */
#ifndef TRANSPORT_SSH_TUNNEL_H
#define TRANSPORT_SSH_TUNNEL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/sm.h"

#include <libssh2.h>
#include <stdint.h>
#include <uv.h>

struct ssh_remote;

enum { TUNNEL_CHUNK = 32768 };

enum tunnel_state {
	TUNNEL_WAITING,
	TUNNEL_OPENING,
	TUNNEL_OPEN,
	TUNNEL_CLOSING,
	TUNNEL_GONE,
};

/* What became of the wish for a tunnel. */
enum tunnel_answer {
	TUNNEL_OPENED,
	TUNNEL_NO_CONNECTION, /* the session's far side could not connect (RFC 4254 §5.1, reason 2: connect failed) */
	TUNNEL_SILENCE,       /* no answer in time: the session can open no other one before it has come */
	TUNNEL_FORBIDDEN,     /* reasons 1 and 3: administratively prohibited, unknown channel type */
	TUNNEL_NO_ROOM,       /* reason 4: resource shortage */
	TUNNEL_LOST,          /* the session was lost meanwhile; *err says why */
	TUNNEL_NO_DESCRIPTOR, /* opened, but we have no sockets for it; *err says why */
};

/* Called from the session's pump, which is not to be entered from there. */
struct tunnel_owner {
	/* Once. fd: with TUNNEL_OPENED, non-blocking, the receiver's; else, or where the pair is the owner's, -1. */
	void (*answered)(void *arg, enum tunnel_answer answer, int fd, const struct err *err);
	/* Once, and the last: the session has room for another. `lost`: why, when it is the session's end, else NULL. */
	void (*over)(void *arg, const struct err *lost);
};

struct ssh_tunnel {
	struct list node; /* relay->tunnels */
	struct ssh_remote *relay;
	const struct tunnel_owner *owner;
	void *arg;
	bool answered;
	struct sm sm;
	int connect_ms;
	int64_t deadline_ms; /* of this state; 0: none */
	struct buf message;  /* of the channel open */
	LIBSSH2_CHANNEL *channel;
	uv_poll_t poll; /* of our end of the pair */
	int fd;         /* -1: none */
	int pair_fd;    /* one end of the owner's own pair, which becomes fd with TUNNEL_OPENED and is not ours before; or -1 */
	int events;
	bool readable, writable; /* our end, as far as is known */
	bool hung_up;            /* the owner has closed its end altogether */
	struct buf in;           /* from the owner, for the channel */
	size_t in_at;
	bool in_ended, eof_sent;
	struct buf out; /* from the channel, for the owner */
	size_t out_at;
	bool out_ended, shut;
};

/* Begins when the session has no other open under way, from the session's pump. `host` is a name or an address as the
   session's far side knows it. */
void ssh_tunnel_open(struct ssh_remote *relay, const char *host, int port, int connect_ms, int pair_fd,
		     const struct tunnel_owner *owner, void *arg);

/* All tunnels of a session, as far as they can go. 0, or negative when the session is lost. */
int ssh_tunnels_step(struct ssh_remote *relay, struct err *err);
int64_t ssh_tunnels_deadline(const struct ssh_remote *relay);

/* The session is lost: every tunnel ends. To be called with the session severed and not yet freed. */
void ssh_tunnels_abandon(struct ssh_remote *relay, const struct err *why);

#endif
