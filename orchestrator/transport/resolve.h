/*
 * Names to addresses, by c-ares on the loop: no thread pool, so that customers whose name servers are dead hold up
 * nobody (libuv's getaddrinfo has half of four threads for everybody, and cannot be cancelled). Numeric addresses are
 * taken as they are. /etc/hosts comes first where the machine is set up that way.
 */
#ifndef TRANSPORT_RESOLVE_H
#define TRANSPORT_RESOLVE_H

#include "base/err.h"

#include <stdbool.h>

#include <sys/socket.h>
#include <uv.h>

enum { RESOLVE_MAX = 8 };

struct resolver;

struct resolved {
	struct sockaddr_storage address[RESOLVE_MAX];
	socklen_t len[RESOLVE_MAX];
	int n;
};

/* A running lookup. Allocated by resolve_start, gone after the callback or resolve_cancel. */
struct resolve_request;

/* r: 0, or E_UNREACHABLE with *err. */
typedef void resolve_cb(void *arg, int r, const struct resolved *found, const struct err *err);

struct resolver *resolver_new(uv_loop_t *loop);

/* All lookups must be over. Frees after the loop has run its close callbacks, then calls closed(arg). */
void resolver_close(struct resolver *resolver, void (*closed)(void *arg), void *arg);

/* A numeric address: true, and *found is set. */
bool resolve_numeric(const char *name, int port, struct resolved *found);

/* The callback comes on the loop, never from inside; NULL with *err (E_IO) when there is no way to ask. */
struct resolve_request *resolve_start(struct resolver *resolver, const char *name, int port, resolve_cb *cb, void *arg,
				      struct err *err);

/* No callback comes any more. */
void resolve_cancel(struct resolve_request *request);

#endif
