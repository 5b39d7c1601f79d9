/*
 * Was a file left by a copy that was cut? On Windows the new bytes are copied onto the file, which is not atomic (base/op.h):
 * a session that dies in it leaves a beginning of them. Pure.
 */
#ifndef AGENTS_CUT_COPY_H
#define AGENTS_CUT_COPY_H

#include <stdbool.h>
#include <stddef.h>

/* Was `seen` left by a copy of `to` onto `from` that was cut? Copied files are written from the beginning on: what is there
   is a beginning of `to`, then nothing, or zeros (a length that was set before the bytes came), or `from`'s rest. */
bool is_cut_copy(const char *seen, size_t len, const char *to, size_t to_len, const char *from, size_t from_len);

#endif
