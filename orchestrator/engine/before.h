/*
 * The `before` facts on their way into the journal and back. A value that is short UTF-8 text and holds no secret stands
 * in the entry's JSON as it is; any other is a blob beside it, exact to the byte: a restore works from it.
 */
#ifndef ENGINE_BEFORE_H
#define ENGINE_BEFORE_H

#include "agents/facts.h"
#include "journal/journal.h"

#define BEFORE_INLINE_MAX_BYTES 200

/* The JSON (the caller frees) and the blobs it names (the array is the caller's to free; the bytes are the facts'). */
char *before_to_json(const struct facts *facts, struct journal_blob **blobs, size_t *blobs_n);

/* Back; the blobs come from the reader. E_NOTFOUND when one was purged, E_CORRUPT for JSON of another shape. */
int before_from_json(const char *json, struct journal_reader *reader, struct facts *out, struct err *err);

#endif
