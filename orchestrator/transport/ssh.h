/*
 * The SSH transport: libssh2 on a libuv loop (see transport.h for what it promises).
 *
 * One transport a process. Keys and known_hosts files are read once and kept (ssh_identity.h). At most `handshakes_max` key exchanges
 * are under way at once (they are CPU work in the loop, 3 ms each; more only makes everybody's deadline pass).
 */
#ifndef TRANSPORT_SSH_H
#define TRANSPORT_SSH_H

#include "base/clock.h"
#include "transport/transport.h"

#include <uv.h>

struct ssh_transport_options {
	int handshakes_max; /* 0: 64 */
	int keepalive_s;    /* 0: 30; how often an idle or waiting session is asked whether it lives */
	int agent_ms;	    /* 0: AGENT_ANSWER_MS; how long an ssh-agent may take for one answer */
};

/* E_PERM where the libraries cannot be initialised. */
int ssh_transport_new(uv_loop_t *loop, const struct ssh_transport_options *options, struct transport **out,
		      struct err *err);

/* All remotes must be closed before. Frees after the loop has run its close callbacks; cb(arg) then. */
void ssh_transport_close(struct transport *t, void (*cb)(void *arg), void *arg);

/* How many descriptors `remotes` connections need beside what the program uses; raises RLIMIT_NOFILE to that, up to the
   hard limit. E_LIMIT with the number that is possible and what to raise. */
int ssh_transport_reserve(size_t remotes, struct err *err);

/* Does that known_hosts file (NULL, or one that is not there: no) name a key of this host? */
bool ssh_transport_knows(struct transport *t, const char *known_hosts, const char *address, int port);

/* The version of libssh2 that runs ("1.10.0"): what it can do differs. */
const char *ssh_transport_library(void);

#endif
