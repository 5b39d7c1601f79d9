/*
 * An OpenSSH user certificate (OpenSSH's PROTOCOL.certkeys): what a .pub line of one says, and whether it can be used with
 * a key here and now, so that what is wrong with it is said before a server refuses it without a reason.
 *
 * With libssh2 from 1.11 on every kind can be used. Below, it writes the certificate's type into the signature where the
 * plain type belongs, but for ECDSA (measured, 1.10.0), so others cannot.
 */
#ifndef TRANSPORT_SSH_CERT_H
#define TRANSPORT_SSH_CERT_H

#include "transport/ssh_key.h"

#include <stdint.h>

struct ssh_cert {
	struct buf blob; /* all of it, as a server is shown it */
	struct buf key;	 /* the blob of the plain key that it certifies */
	bool ecdsa;
	uint32_t kind;
	char id[128];		/* "key id", printable */
	struct buf principals;	/* "cutover, root", printable; empty: none are named */
	uint64_t from_s, until_s; /* seconds since 1970; UINT64_MAX: for ever */
};

/* One line "TYPE BASE64 COMMENT"; `name` for errors. E_SIGN. */
int ssh_cert_parse(const void *bytes, size_t len, const char *name, struct ssh_cert **out, struct err *err);
void ssh_cert_free(struct ssh_cert *cert);

/* Can it be used with this key at that time, with a libssh2 that knows certificates (`all_kinds`) or only those of ECDSA?
   E_SIGN says why not. */
int ssh_cert_check(const struct ssh_cert *cert, const struct ssh_key *key, int64_t wall_ms, bool all_kinds,
		   const char *name, struct err *err);

/* The blob of a line "TYPE BASE64 COMMENT" (a public key file); comments and empty lines before it are skipped. False: there
   is none. */
bool ssh_public_line(const char *bytes, size_t len, struct buf *blob);

#endif
