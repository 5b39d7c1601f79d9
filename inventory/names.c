#include "inventory/names.h"

#include "base/alloc.h"

#include <stdint.h>

void names_release(struct names *t)
{
	free(t->slots);
	*t = (struct names){ 0 };
}

/* FNV-1a (Fowler, Noll, Vo). Names come from an operator's own file: nobody attacks her own table. */
static uint64_t hash_of(const char *key)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

/* The slot of the key, or the free one where it would go. */
static struct name_slot *slot_of(const struct names *t, const char *key)
{
	size_t at = (size_t)hash_of(key) & (t->cap - 1);

	while (t->slots[at].key && strcmp(t->slots[at].key, key) != 0)
		at = (at + 1) & (t->cap - 1);
	return &t->slots[at];
}

static void grow(struct names *t)
{
	struct names bigger = { .cap = t->cap ? 2 * t->cap : 32 };

	bigger.slots = NEW_N(struct name_slot, bigger.cap);
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].key)
			*slot_of(&bigger, t->slots[i].key) = t->slots[i];
	bigger.n = t->n;
	free(t->slots);
	*t = bigger;
}

void *names_get(const struct names *t, const char *key)
{
	return t->cap ? slot_of(t, key)->value : NULL;
}

bool names_add(struct names *t, const char *key, void *value)
{
	struct name_slot *slot;

	if (2 * (t->n + 1) > t->cap)
		grow(t);
	slot = slot_of(t, key);
	if (slot->key)
		return false;
	*slot = (struct name_slot){ key, value };
	t->n++;
	return true;
}
