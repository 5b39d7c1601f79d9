#include "base/map.h"

#include "base/alloc.h"

#include <stdint.h>

/* FNV-1a (Fowler, Noll, Vo), 64 bits: keys are names from an inventory that the operator wrote. */
static uint64_t hash_of(const char *key)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return h;
}

/* The slot of the key, or the free one where it would stand. cap is never full. */
static struct map_slot *slot_of(const struct map *m, const char *key)
{
	size_t i = (size_t)hash_of(key) & (m->cap - 1);

	while (m->slots[i].key && strcmp(m->slots[i].key, key) != 0)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

void map_release(struct map *m)
{
	for (size_t i = 0; i < m->cap; i++)
		free(m->slots[i].key);
	free(m->slots);
	*m = (struct map){ 0 };
}

void *map_get(const struct map *m, const char *key)
{
	return m->cap ? slot_of(m, key)->value : NULL;
}

static void grow(struct map *m)
{
	struct map bigger = { .cap = m->cap ? 2 * m->cap : 16, .n = m->n };

	bigger.slots = NEW_N(struct map_slot, bigger.cap);
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].key)
			*slot_of(&bigger, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

void map_set(struct map *m, const char *key, void *value)
{
	struct map_slot *slot;

	if (2 * (m->n + 1) > m->cap)
		grow(m);
	slot = slot_of(m, key);
	if (!slot->key) {
		slot->key = str_dup(key);
		m->n++;
	}
	slot->value = value;
}
