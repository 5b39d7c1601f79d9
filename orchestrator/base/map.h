/*
 * A hash map from text to a pointer: keys are copied, values are the caller's. Nothing is ever removed from it; it is
 * built, asked and released.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>

struct map_slot {
	char *key;
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t cap; /* a power of two, or 0 */
	size_t n;
};

void map_release(struct map *m);

/* NULL when it is not there. */
void *map_get(const struct map *m, const char *key);

/* Sets; an earlier value of the key is replaced. */
void map_set(struct map *m, const char *key, void *value);

#endif
