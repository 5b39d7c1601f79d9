/*
 * A key: its public half, and its private one where it is ours to sign with.
 *
 * Read are PEM files, with or without a passphrase (by OpenSSL: PKCS#1, PKCS#8, SEC1) and openssh-key-v1 files (by a
 * small parser here, since OpenSSL does not know that format; OpenSSH's PROTOCOL.key). An openssh-key-v1 with a passphrase
 * gives its public half only: its key derivation is bcrypt, which nobody but OpenSSH has, so an ssh-agent opens it
 * (ssh_keyholder.h). Types: ssh-ed25519, ecdsa-sha2-nistp256/384/521, ssh-rsa. PuTTY's keys and public keys given by
 * mistake are refused by name.
 *
 * There is one signing path for all types and all versions of libssh2: libssh2_userauth_publickey() with our own callback.
 * The algorithm to sign with is read from the data that is to be signed, which is where the server will look for it. RSA
 * below libssh2 1.11: the library takes the algorithm's name from the public blob and knows no SHA-2, so the blob it is
 * given says "rsa-sha2-256" where "ssh-rsa" should stand; servers accept that, while they refuse the SHA-1 signature that
 * the library would offer by itself (OpenSSH from 8.8 on).
 */
#ifndef TRANSPORT_SSH_KEY_H
#define TRANSPORT_SSH_KEY_H

#include "base/buf.h"
#include "base/err.h"
#include "transport/ssh_wire.h"

#include <stdbool.h>
#include <stddef.h>

#define SSH_FINGERPRINT_MAX 52 /* "SHA256:" and 43 characters */

struct ssh_key;

/* A private key. `name` is where it came from, for errors; `passphrase` may be NULL. E_SIGN with what is wrong and what to
   do about it. */
int ssh_key_parse(const void *bytes, size_t len, const char *passphrase, const char *name, struct ssh_key **out,
		  struct err *err);

/* A public key, as its blob. E_SIGN: of a kind that cannot be used (which is said), or damaged. */
int ssh_key_from_blob(const void *blob, size_t len, const char *name, struct ssh_key **out, struct err *err);
void ssh_key_free(struct ssh_key *key);

/* Is the private half here? */
bool ssh_key_is_private(const struct ssh_key *key);

/* "ssh-ed25519", and the fingerprint as ssh-keygen -l prints it. Both live as long as the key. */
const char *ssh_key_type(const struct ssh_key *key);
const char *ssh_key_fingerprint(const struct ssh_key *key);

/* The public blob (RFC 4253 §6.6); `for_old_rsa`: as libssh2 below 1.11 needs it (see above). */
const struct buf *ssh_key_blob(const struct ssh_key *key, bool for_old_rsa);

/* Signs `data` (the SSH_MSG_USERAUTH_REQUEST behind the session id, RFC 4252 §7) with the algorithm that it names. What
   is added to `out` is what libssh2 wants back: the signature without the algorithm's name. E_SIGN. */
int ssh_key_sign(const struct ssh_key *key, const void *data, size_t len, struct buf *out, struct err *err);

/* Is `sig` (as ssh_key_sign gives it) this key's signature of `data`? Asked of what an agent gives, before a server is
   shown it: there a wrong one would count as a refused login. */
bool ssh_key_verify(const struct ssh_key *key, const void *data, size_t len, const struct buf *sig);

/* The algorithm that the data to sign names, without the suffix of certificates: "rsa-sha2-512". Empty where the data is
   none. */
struct wire_str ssh_key_algorithm(const void *data, size_t len);

/* The fingerprint of any public blob; `out` holds SSH_FINGERPRINT_MAX. */
const char *ssh_fingerprint(const void *blob, size_t len, char out[SSH_FINGERPRINT_MAX]);

/* The key's length in bits, as ssh-keygen -l says it (RFC 8709, RFC 5656, RFC 4253 §6.6); 0: of another kind, or damaged. */
int ssh_blob_bits(const void *blob, size_t len);

#endif
