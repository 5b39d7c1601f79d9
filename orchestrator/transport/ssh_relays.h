/*
 * A bastion as its two files see it: ssh_bastion.c (who waits, places, answers) and ssh_relays.c (the sessions to it).
 * Nobody else includes this.
 *
 * Everything happens in bastion_turn, from the bastion's timer: what comes in (a wish, an answer, an ended session) only
 * notes itself and kicks the timer. So pumps of other objects never run inside one another.
 */
#ifndef TRANSPORT_SSH_RELAYS_H
#define TRANSPORT_SSH_RELAYS_H

#include "base/map.h"
#include "transport/ssh_bastion.h"
#include "transport/ssh_level.h"
#include "transport/ssh_pool.h"
#include "transport/ssh_remote.h"
#include "transport/ssh_spec.h"
#include "transport/ssh_tunnel.h"

/* What is true of a machine whoever logs in there: tenants often come to one bastion each with a key of its own, which are
   as many pools. */
struct site {
	struct list node; /* transport->sites */
	char digest[SHA256_HEX_MAX];
	struct level level;
	unsigned used;          /* places: connections that are being opened or open */
	unsigned logins;        /* under way */
	bool proven;            /* it has answered an open */
	unsigned silent_n;      /* opens that it did not answer, before it was proven */
	struct map suspects;    /* "host:port" → non-NULL: did not answer the last time */
	unsigned failures;      /* logins that failed since the last that did not */
	struct err hold;        /* why nobody may log in before hold_until_ms */
	int64_t hold_until_ms;
	unsigned pauses;        /* in a row */
	int64_t pause_until_ms; /* it had no room */
};

/* One login there. */
struct ssh_bastion {
	struct list node; /* transport->bastions */
	struct ssh_transport *transport;
	struct site *site;
	char digest[SHA256_HEX_MAX];
	struct remote_spec *spec;
	uv_timer_t timer;
	struct list relays;  /* relay.node */
	struct list waiting; /* passage.node */
	int64_t login_ms;    /* when the last login began */
	bool carries;        /* it has opened a connection for this login */
	struct err barred;   /* why it is not tried again; code 0: it may be */
	bool closing;
};

/* One session to it. */
struct relay {
	struct list node;
	struct ssh_bastion *bastion;
	struct remote *remote;
	bool logging_in, ready, retired, closing;
	unsigned tunnels; /* open ones */
	struct passage *opening;
	unsigned round;       /* of the level, when the login began */
	int64_t idle_since_ms; /* without a tunnel since */
};

/* One wish, and the connection that came of it. */
struct passage {
	struct list node; /* bastion->waiting while it has no relay */
	struct ssh_bastion *bastion;
	struct tunnel_request *request; /* NULL: nobody wants to know any more */
	char *host, *target;            /* target: "host:port" */
	int port, connect_ms;
	int pair_fd; /* of the request, until a tunnel has taken it; or -1 */
	int64_t since_ms; /* it waits, or is being opened */
	struct relay *relay; /* while it has a tunnel */
	unsigned round, tries;
	bool suspect, open, once_more;
};

static inline struct ssh_remote *relay_remote(const struct relay *r)
{
	return CONTAINER_OF(r->remote, struct ssh_remote, base);
}

/* It can carry tunnels. One that was lost is known to be so before its owner is told. */
static inline bool relay_is_ready(const struct relay *r)
{
	return r->ready && relay_remote(r)->sm.now == REMOTE_READY;
}

int64_t bastion_now(const struct ssh_bastion *b);
void bastion_kick(struct ssh_bastion *b);
void site_kick(struct ssh_bastion *b); /* all that share its site: there is a place, or a turn to log in */

/* Everybody who waits gets this answer. */
void bastion_fail_waiting(struct ssh_bastion *b, const struct err *err);

/* No login for a while, because of this. */
void relays_hold(struct ssh_bastion *b, const struct err *err);
/* Why nobody may log in now, or NULL. */
const struct err *relays_held(const struct ssh_bastion *b);
bool relays_may_log_in(const struct ssh_bastion *b); /* and there is a turn for it */
bool relays_usable(const struct ssh_bastion *b);     /* one is ready, or logs in */
void relays_log_in(struct ssh_bastion *b);

/* Closes those that have retired or idled; when the next one will have idled, or 0. */
int64_t relays_tidy(struct ssh_bastion *b);
void relays_close_all(struct ssh_bastion *b);

/* What was begun in `round` was refused, with so many places in use. */
void bastion_halve(struct ssh_bastion *b, unsigned round, unsigned used, const char *why);

#endif
