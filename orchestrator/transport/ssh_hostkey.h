/*
 * Is the key that a server showed the one it should be? Known are pins ("SHA256:…", with or without a type before it)
 * and the lines of a known_hosts file; either is enough, and a key under @revoked is refused whatever else says.
 * Unknown is refused, too, unless the caller takes new hosts (accept_new): then a key is taken of a host of which nothing is
 * known, except one that the file knows as somebody else's, or revokes for anybody. What such a host showed before (`seen`)
 * is its pin, where neither pins nor lines name it.
 *
 * A server shows one key a connection, of the type that was negotiated. So before the key exchange the types are named
 * that something is known of (ssh_trust_preference). A pin without a type can be of any: another key is a mismatch only
 * after each type that the server has was looked at, which takes one connection a type (HOSTKEY_TRY_ANOTHER). Where the
 * server has none of the types that are known, one more connection shows what it has instead, for the error.
 */
#ifndef TRANSPORT_SSH_HOSTKEY_H
#define TRANSPORT_SSH_HOSTKEY_H

#include "transport/ssh_known_hosts.h"

enum { TRUST_PINS_MAX = 16 };

struct ssh_pin {
	const char *type; /* NULL: any */
	char fingerprint[52];
};

/* One host's; lives as long as its remote. */
struct ssh_trust {
	const char *address; /* not owned */
	int port;
	struct ssh_pin pins[TRUST_PINS_MAX];
	size_t pins_n;
	const struct known_hosts *hosts; /* not owned, NULL without a file */
	unsigned known;                  /* types that something is known of, a bit each */
	unsigned tried;                  /* types that were shown and were another key */
	bool any;                        /* a pin without a type */
	bool named;                      /* a line of the file is about this host, of whatever type */
	bool accept_new;                 /* a host of which nothing is known is let in */
	bool seen;                       /* the one pin is what it showed when it was let in */
	bool is_new;                     /* it was let in so */
	bool widened;                    /* none of the known types was to be had: looking what there is */
	struct buf shown;                /* what was shown until now: "ssh-ed25519 SHA256:…, …" */
};

enum ssh_trust_verdict { HOSTKEY_ACCEPTED, HOSTKEY_TRY_ANOTHER, HOSTKEY_REFUSED };

/* E_INVAL: a pin that is none (and which). address and hosts must outlive the trust. */
int ssh_trust_init(struct ssh_trust *trust, const char *const *pins, size_t pins_n, const struct known_hosts *hosts,
		   const char *address, int port, struct err *err);
/* New hosts are let in. `seen`: what this one showed before ("TYPE SHA256:…"), or NULL. E_INVAL: that is none. */
int ssh_trust_accept_new(struct ssh_trust *trust, const char *seen, struct err *err);
void ssh_trust_release(struct ssh_trust *trust);

/* The types to ask for, best first, as LIBSSH2_METHOD_HOSTKEY takes them. `rsa_sha2`: libssh2 knows it (from 1.11 on). */
void ssh_trust_preference(const struct ssh_trust *trust, bool rsa_sha2, struct buf *out);

/* Judges a key (its public blob). REFUSED: *err has E_HOSTKEY. TRY_ANOTHER: connect again, with a new preference. */
enum ssh_trust_verdict ssh_trust_judge(struct ssh_trust *trust, const void *blob, size_t len, struct err *err);

/* The key exchange found no common host key type. TRY_ANOTHER: connect again; REFUSED: *err has E_HOSTKEY, a mismatch
   that is final now; ACCEPTED: the host key types are not to blame. */
enum ssh_trust_verdict ssh_trust_no_common_type(struct ssh_trust *trust, struct err *err);

#endif
