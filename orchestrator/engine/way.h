/*
 * The way to a host: what the transport has to know of it and of the bastions before it, out of the inventory, with the
 * secrets resolved. Resolving blocks for as long as a secret's command runs (SECRET_COMMAND_TIMEOUT_MS).
 */
#ifndef ENGINE_WAY_H
#define ENGINE_WAY_H

#include "inventory/model.h"
#include "transport/transport.h"

#define WAY_HOPS_MAX 8

/* One machine on the way, with what its spec points at. */
struct way_hop {
	struct remote_spec spec;
	char *label;
	struct buf key, passphrase, password, certificate;
	char *certificate_name;
};

/* The spec to open is way.hops[way.n - 1].spec; each one's `via` is the one before it. Everything lives until
   way_release, and the transport copies what it needs. */
struct way {
	struct way_hop hops[WAY_HOPS_MAX];
	size_t n;
};

/* E_SIGN: a key, passphrase or password could not be had; E_LIMIT: more than WAY_HOPS_MAX machines. Fills nothing then. */
int way_make(struct way *way, const struct tenant *tenant, const struct host *host, struct err *err);
const struct remote_spec *way_spec(const struct way *way);

/* What the host showed when it was last let in (rows_host_key), or NULL; counts under "accept-new" alone. Not copied. */
void way_seen(struct way *way, const char *host_key);
void way_release(struct way *way); /* overwrites the secrets */

#endif
