/*
 * A private key, its public half, and signing with it.
 *
 * Read are PEM files (by OpenSSL: PKCS#1, PKCS#8, SEC1) and unencrypted openssh-key-v1 files (by a small parser here,
 * since OpenSSL does not know that format; OpenSSH's PROTOCOL.key). Types: ssh-ed25519, ecdsa-sha2-nistp256/384/521,
 * ssh-rsa. Keys with a passphrase, PuTTY's and public keys given by mistake are refused by name.
 *
 * There is one signing path for all types and all versions of libssh2: libssh2_userauth_publickey() with ssh_key_sign
 * behind its callback. The algorithm to sign with is read from the data that is to be signed, which is where the server
 * will look for it. RSA below libssh2 1.11: the library takes the algorithm's name from the public blob and knows no
 * SHA-2, so the blob it is given says "rsa-sha2-256" where "ssh-rsa" should stand; servers accept that, while they
 * refuse the SHA-1 signature that the library would offer by itself (OpenSSH from 8.8 on).
 */
#ifndef TRANSPORT_SSH_KEY_H
#define TRANSPORT_SSH_KEY_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define SSH_FINGERPRINT_MAX 52 /* "SHA256:" and 43 characters */

struct ssh_key;

/* `name` is where the key came from, for errors. E_SIGN with what is wrong and what to do about it. */
int ssh_key_parse(const void *bytes, size_t len, const char *name, struct ssh_key **out, struct err *err);
void ssh_key_free(struct ssh_key *key);

/* "ssh-ed25519", and the fingerprint as ssh-keygen -l prints it. Both live as long as the key. */
const char *ssh_key_type(const struct ssh_key *key);
const char *ssh_key_fingerprint(const struct ssh_key *key);

/* The public blob (RFC 4253 §6.6); `for_old_rsa`: as libssh2 below 1.11 needs it (see above). */
const struct buf *ssh_key_blob(const struct ssh_key *key, bool for_old_rsa);

/* Signs `data` (the SSH_MSG_USERAUTH_REQUEST behind the session id, RFC 4252 §7) with the algorithm that it names. What
   is added to `out` is what libssh2 wants back: the signature without the algorithm's name. E_SIGN. */
int ssh_key_sign(const struct ssh_key *key, const void *data, size_t len, struct buf *out, struct err *err);

/* The fingerprint of any public blob; `out` holds SSH_FINGERPRINT_MAX. */
const char *ssh_fingerprint(const void *blob, size_t len, char out[SSH_FINGERPRINT_MAX]);

#endif
