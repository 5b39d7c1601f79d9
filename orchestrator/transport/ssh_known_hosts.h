/*
 * A known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), parsed and matched by our own code.
 *
 * libssh2's own is not used: it accepts a key under @revoked that has a plain line too, does not know wildcards and
 * @cert-authority, takes a bare name for any port, stops at the first bad line and calls a line that ends in CR LF a
 * mismatch.
 *
 * Here: plain names, patterns with * and ?, negation (!), |1| hashed names, [name]:port, several lines and types a
 * host, comments, CR LF, lines of any length. A name without port is for port 22 only. @revoked refuses,
 * @cert-authority is skipped. A line that cannot be understood is skipped, logged once, and named in `skipped`, so that
 * an error can say so. Keys are compared as raw bytes.
 */
#ifndef TRANSPORT_SSH_KNOWN_HOSTS_H
#define TRANSPORT_SSH_KNOWN_HOSTS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define KNOWN_HOSTS_MAX_BYTES ((size_t)64 << 20)

enum known_host_mark { KNOWN_HOST_KEY, KNOWN_HOST_REVOKED, KNOWN_HOST_AUTHORITY };

struct known_host {
	enum known_host_mark mark;
	int line;
	char *names; /* as written: comma list of patterns, or |1|salt|hash */
	char *type;  /* "ssh-ed25519" */
	struct buf blob;
	struct buf salt, hash; /* of a hashed name; empty otherwise */
};

struct known_hosts {
	char *path;
	struct known_host *hosts;
	size_t n;
	struct buf skipped; /* "line 3 (no key), line 9 (bad base64)", at most some */
	size_t skipped_n;
};

/* E_NOTFOUND, E_PERM, E_IO, E_LIMIT: the file cannot be read. Bad lines are no error. */
int known_hosts_read(const char *path, struct known_hosts **out, struct err *err);
struct known_hosts *known_hosts_parse(const char *path, const char *bytes, size_t len);
void known_hosts_free(struct known_hosts *hosts);

/* Is this line about that host? `name` is a name or address as in the inventory, in any case. */
bool known_host_is_for(const struct known_host *host, const char *name, int port);

/* Would it be, if it named the port? For a hint only. */
bool known_host_is_for_other_port(const struct known_host *host, const char *name, int port);

#endif
