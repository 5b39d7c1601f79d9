/*
 * Secret references: "env:NAME", "file:PATH", "command:PROGRAM ARG…", "credential:NAME" (systemd's
 * $CREDENTIALS_DIRECTORY, systemd.exec(5)). Anything else is a literal secret, which is an error.
 */
#ifndef INVENTORY_SECRET_H
#define INVENTORY_SECRET_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

#define SECRET_MAX_BYTES ((size_t)64 << 10)
#define SECRET_COMMAND_TIMEOUT_MS 10000

/* Is the text a reference of a known form? The sentence says what is wrong and never repeats a literal secret. */
int secret_check(const char *text, struct err *err);

/* The key file of a "file:" reference: a regular file of ours or root's that group and others cannot read. E_PERM,
   E_NOTFOUND, E_INVAL, E_IO; its content is not looked at. */
int secret_check_file(const char *path, struct err *err);

/* The value. A trailing newline is removed; a value shorter than REDACT_MIN_BYTES is refused; it is registered for
   redaction before it is handed out. file: must be a regular file of ours or root's that group and others cannot read
   (E_PERM otherwise). command: is run without a shell (words split at spaces, quotes as in sh), its stdout is the
   value; not zero or too slow: E_IO, E_TIMEOUT. Blocks. Release `out` with buf_release_secret. */
int secret_resolve(const char *text, struct buf *out, struct err *err);

/* The same with another time for a command. What a command leaves running in its process group is killed when the time
   is over; it counts as running for as long as something of it holds its output open. */
int secret_resolve_within(const char *text, int command_timeout_ms, struct buf *out, struct err *err);

#endif
