#include "inventory/loading.h"

#include "base/alloc.h"

#include <regex.h>

json_t *store_keep(struct inventory_store *store, json_t *value)
{
	GROW_FOR_ONE(store->owned, store->owned_n);
	return store->owned[store->owned_n++] = json_incref(value);
}

/* The names of bastions, before anything asks for one. */
static void index_bastions(struct loading *l)
{
	const json_t *list = json_object_get(l->root, "bastions");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *bastion = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(bastion, "name"));
		struct bastion_entry *entry;
		if (!name)
			continue;
		entry = arena_alloc(&l->scratch, 1, sizeof(*entry));
		*entry = (struct bastion_entry){ bastion, i, NULL };
		names_add(&l->bastions, name, entry);
	}
}

void loading_set_root(struct loading *l, const json_t *root, const char *file)
{
	l->root = root;
	l->root_place = (struct place){ .file = file };
	l->defaults_place = place_key(&l->root_place, "defaults");
	l->waves_place = place_key(&l->root_place, "waves");
	l->templates_place = place_key(&l->root_place, "templates");
	index_bastions(l);
}

json_t *loading_empty(struct loading *l)
{
	if (!l->empty) {
		l->empty = json_object();
		store_keep(l->store, l->empty);
		json_decref(l->empty);
	}
	return l->empty;
}

void loading_release(struct loading *l)
{
	names_release(&l->reported);
	names_release(&l->excused);
	names_release(&l->midnights);
	for (size_t i = 0; i < l->patterns.cap; i++)
		if (l->patterns.slots[i].key)
			regfree(l->patterns.slots[i].value);
	names_release(&l->patterns);
	names_release(&l->files);
	names_release(&l->bastions);
	names_release(&l->params);
	names_release(&l->included);
	buf_release(&l->reading);
	arena_release(&l->scratch);
}
