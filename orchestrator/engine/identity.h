/*
 * Is it the right machine? The identity check of the inventory, judged. Pure.
 */
#ifndef ENGINE_IDENTITY_H
#define ENGINE_IDENTITY_H

#include "base/op.h"
#include "inventory/model.h"

/* Does what the command gave (it ran to its end) agree with the inventory? *seen: its output without the newlines at its end;
   the caller frees. */
bool identity_agrees(const struct identity_check *check, const struct op_result *result, char **seen);

/* A POSIX extended regular expression that was compiled once, when the inventory was checked. */
bool text_matches(const char *pattern, const char *text);

#endif
