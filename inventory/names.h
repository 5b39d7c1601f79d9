/*
 * A table of names: text to pointer, by hash. Keys are not copied and must outlive the table; a value is never NULL.
 */
#ifndef INVENTORY_NAMES_H
#define INVENTORY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct is an empty table. */
struct names {
	struct name_slot {
		const char *key;
		void *value;
	} * slots;
	size_t n, cap;
};

void names_release(struct names *t);

/* The value, or NULL. */
void *names_get(const struct names *t, const char *key);

/* False, and nothing is changed, when the name is there already. */
bool names_add(struct names *t, const char *key, void *value);

#endif
