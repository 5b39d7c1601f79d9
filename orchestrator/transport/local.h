/*
 * The transport of the controller itself: what it asks the network for without being on any host. Its remotes are no
 * machines: they are open at once, take OP_HTTP (transport/http.h) and OP_SMTP (transport/smtp.h), as many at a time as are
 * started, refuse every other op with E_INVAL, and their connection cannot be lost. Of the spec only the label counts. A
 * request may say that a host's session is to make the connection (remote_request.through): then the transport to hosts is
 * asked for it.
 */
#ifndef TRANSPORT_LOCAL_H
#define TRANSPORT_LOCAL_H

#include "transport/transport.h"

#include <uv.h>

/* How many descriptors one request may need: two addresses are tried at once, or a pair of sockets for a connection through
   a host, the session to that host and a pair for a bastion before it; and libcurl keeps a pair to wake itself. */
#define LOCAL_REQUEST_FDS 7

/* hosts: the transport to hosts, which is closed after the last remote of this one; NULL: no request goes through a host
   (E_INVAL). E_PERM where the libraries cannot be initialised. */
int local_transport_new(uv_loop_t *loop, struct transport *hosts, struct transport **out, struct err *err);

/* All remotes must be closed before. Frees after the loop has run its close callbacks; cb(arg), where given, then. */
void local_transport_close(struct transport *t, void (*cb)(void *arg), void *arg);

#endif
