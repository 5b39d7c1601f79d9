/*
 * Secrets never leave: every text that is written anywhere (journal, log, events, report, terminal) passes redact_add,
 * which replaces each registered secret value by "[secret]". By value, so that it does not matter who printed it or
 * where: a password that a host echoes back is caught too. Values are registered when a secret reference is resolved
 * (inventory/secret.h). Values shorter than REDACT_MIN_BYTES are refused there, since they would blacken half a report.
 * Other forms of a value are replaced, too: base64 (by itself, and as part of "user:value"), and as it is written inside
 * a JSON string. The cost of a text does not grow with the number of values.
 *
 * One registry a process. Registering is for the main thread, while no other thread redacts: the journal and the log
 * redact on the thread that calls them, which is the main one.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define REDACT_MIN_BYTES 6
#define REDACT_MARK "[secret]"

void redact_register(const char *value, size_t len);

/* Adds `len` bytes to `out` with each secret replaced. */
void redact_add(struct buf *out, const char *bytes, size_t len);

/* The same for text that may have been cut (an output that was too long): what its end has of a secret's beginning, six
   bytes or more, is replaced, too. */
void redact_add_cut(struct buf *out, const char *bytes, size_t len);

/* The same for JSON text, which stays JSON: strings are compared as what they stand for ("\u0061b" is "ab"), and written
   anew where something was replaced. Numbers and names outside of strings stay. */
void redact_json(struct buf *out, const char *json, size_t len);

/* Redacts what is in the buffer already, as cut where its `truncated` is set. True when something was replaced. */
bool redact_buf(struct buf *b);

/* Forgets all values (they are overwritten): at the end of the program, and between tests. */
void redact_forget(void);

#endif
