/*
 * Memory that is given back all at once: the model (model.h) lives in one arena, so that decoding has nothing to undo
 * and inventory_free nothing to find.
 */
#ifndef INVENTORY_ARENA_H
#define INVENTORY_ARENA_H

#include <stddef.h>

struct arena_block;

/* A zeroed struct is an empty arena. */
struct arena {
	struct arena_block *blocks; /* the newest first */
	size_t used;                /* of the newest */
};

void arena_release(struct arena *a);

/* Zeroed memory, aligned for any type; never NULL. n 0 gives a pointer that is not to be followed. */
void *arena_alloc(struct arena *a, size_t n, size_t size);
#define ARENA_N(a, type, n) ((type *)arena_alloc((a), (n), sizeof(type)))

/* Copies of strings; NULL gives NULL. */
char *arena_dup(struct arena *a, const char *text);
char *arena_ndup(struct arena *a, const char *text, size_t len);
char *arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
