/*
 * The formats that keys are stored in (see ssh_key.h for which). Used by ssh_key.c only.
 */
#ifndef TRANSPORT_SSH_KEY_FILE_H
#define TRANSPORT_SSH_KEY_FILE_H

#include "base/err.h"
#include "transport/ssh_wire.h"

#include <openssl/types.h>

struct ssh_key_kind {
	const char *type;      /* SSH's name */
	const char *algorithm; /* OpenSSL's */
	const char *curve;     /* of ecdsa: SSH's name of the curve, */
	const char *group;     /* and OpenSSL's */
	const char *digest;    /* of the signature; NULL where the scheme has its own */
};

/* All of them, ended by a row whose type is NULL. */
extern const struct ssh_key_kind ssh_key_kinds[];

/* A private key; `passphrase` may be NULL. public_blob: what the file says the public key is; stays empty in formats that
   do not say. *out stays NULL, with success, where the file is an openssh-key-v1 with a passphrase, and one is given: only
   an ssh-agent can open that. The caller owns *out (EVP_PKEY_free). E_SIGN. */
int ssh_key_file_read(const void *bytes, size_t len, const char *passphrase, const char *name, EVP_PKEY **out,
		      struct buf *public_blob, struct err *err);

/* The public key of a blob (RFC 4253 §6.6); NULL: it is none, or of a kind that is not in ssh_key_kinds. */
EVP_PKEY *ssh_key_file_public(const void *blob, size_t len);

#endif
