/*
 * Errors. Every function that can fail returns an int: 0, or one of the negative codes below. A function that takes a
 * `struct err *err` (always its last parameter, may be NULL) also leaves the code and one plain sentence in it; on
 * success *err is untouched, so that calls can be chained and only the end looks.
 *
 * The sentence says what, where and what to do next; it ends without a full stop, so that a caller can put a prefix
 * before it ("tenant acme: …") or more behind it. Text from hosts may be in it: it is made printable by err_set
 * (control bytes become '?'), and redacted where it is written (base/redact.h).
 *
 * The codes are also the error classes that retries go by (engine/retry.h) and are stored in the journal by name
 * (err_name): renaming one is a migration, adding one is not.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#define ERR_TEXT_MAX 1024

/*   code           value  name            meaning */
#define ERR_CODES(X)                                                                                                   \
	X(E_BUG, -1, "bug", "a fault of the program itself")                                                           \
	X(E_INVAL, -2, "invalid", "bad input: it breaks a rule that is written down")                                  \
	X(E_NOTFOUND, -3, "not-found", "something that was named does not exist")                                      \
	X(E_EXISTS, -4, "exists", "something is there that must not be")                                               \
	X(E_LIMIT, -5, "limit", "larger, longer or deeper than is allowed")                                            \
	X(E_PERM, -6, "permission", "not allowed, on this machine or on the far side")                                 \
	X(E_IO, -7, "io", "reading or writing failed")                                                                 \
	X(E_NOSPACE, -8, "no-space", "the disk is full")                                                               \
	X(E_TIMEOUT, -9, "timeout", "the deadline of a phase has passed")                                              \
	X(E_CANCELED, -10, "canceled", "given up by us")                                                               \
	X(E_REFUSED, -11, "refused", "the connection was refused")                                                     \
	X(E_UNREACHABLE, -12, "unreachable", "no route, no such name, no answer")                                      \
	X(E_CLOSED, -13, "closed", "the far side closed or cut the connection")                                        \
	X(E_KEX, -14, "key-exchange", "no common algorithms, or the key exchange failed")                              \
	X(E_HOSTKEY, -15, "host-key", "the host's key is unknown, another one, or revoked")                            \
	X(E_AUTH, -16, "authentication", "the login was refused")                                                      \
	X(E_SUDO, -17, "sudo", "sudo -n was refused")                                                                  \
	X(E_PROTOCOL, -18, "protocol", "the far side does not keep to the protocol")                                   \
	X(E_LOCKED, -19, "locked", "another controller holds it")                                                      \
	X(E_NEWER, -20, "newer", "made by a newer version of the program")                                             \
	X(E_CORRUPT, -21, "corrupt", "a stored file is damaged")                                                       \
	X(E_CHANGED, -22, "changed", "it changed between looking and doing (compare-and-set)")                         \
	X(E_IDENTITY, -23, "identity", "the host is not the one it should be")                                         \
	X(E_SIGN, -24, "signing", "the private key could not be used")                                                 \
	X(E_BUSY, -25, "busy", "another process holds the file open (a sharing violation)")        \
	X(E_FORWARDING, -26, "forwarding", "a bastion does not allow connections to be forwarded")                     \
	X(E_BASTION, -27, "bastion", "the login to a bastion before the host was refused or is not safe")              \
	X(E_TLS, -28, "tls", "the server's certificate is not trusted, or is another server's")

enum err_code {
#define X(code, value, name, meaning) code = value,
	ERR_CODES(X)
#undef X
};

struct err {
	int code; /* 0: nothing is set */
	char text[ERR_TEXT_MAX];
};

/* Sets code and sentence and returns code, so that a caller can `return err_set(err, E_INVAL, …)`. err may be NULL. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_vset(struct err *err, int code, const char *fmt, va_list args);

/* Adds errno's text: "…: Permission denied". ENOSPC, EACCES, EPERM and ENOENT give their own code, all else E_IO. */
int err_errno(struct err *err, int saved_errno, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts a prefix before the sentence that is there ("host mx1: "). The code stays and is returned. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The stored name of a code ("host-key"), "ok" for 0; and back: 0 for an unknown name. */
const char *err_name(int code);
int err_code(const char *name);

/* What the class means, in a few words. */
const char *err_meaning(int code);

#endif
