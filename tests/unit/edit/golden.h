/*
 * Golden files of the edits: tests/golden/edit/FOLDER/NAME.EXT is what goes in, NAME.want what is said of it, NAME.out
 * (or .off) what comes out.
 */
#ifndef TESTS_UNIT_EDIT_GOLDEN_H
#define TESTS_UNIT_EDIT_GOLDEN_H

#include "base/buf.h"

#include <stdint.h>

/* Calls `each` for every file of FOLDER with that ending, `name` being its path without it. Returns how many. */
int golden_each(const char *folder, const char *ending, void (*each)(const char *name, const struct buf *in));

/* Reads NAME + ending; the caller releases. */
struct buf golden_read(const char *name, const char *ending);

/* Fails with the name when the bytes are not those of NAME + ending. */
void golden_same(const char *name, const char *ending, const void *bytes, size_t len);

/* Random numbers from a fixed seed: each test sets its own. */
extern uint64_t golden_seed;
unsigned golden_random(unsigned below);

#endif
