/* Bastions. There may be thousands (one a customer), so they are found by hash; a way leads through few of them. */
#include "inventory/decode.h"

#include "base/alloc.h"

const struct bastion *bastion_named(const struct loading *l, const char *name)
{
	const struct bastion_entry *entry = name ? names_get(&l->bastions, name) : NULL;

	return entry ? entry->model : NULL;
}

/* The first bastion on the way to this one, or NULL. Only the first hop of a way has a way of its own. */
static struct bastion_entry *before(const struct loading *l, const struct bastion_entry *entry)
{
	const json_t *via = json_object_get(entry->json, "via");
	const char *name = json_string_value(json_is_array(via) ? json_array_get(via, 0) : via);

	return name ? names_get(&l->bastions, name) : NULL;
}

/* How many bastions stand before this one; BASTIONS_IN_A_ROW_MAX and more: too many, or it leads back to itself. */
static size_t depth_of(const struct loading *l, const struct bastion_entry *entry)
{
	const struct bastion_entry *b = before(l, entry);
	size_t depth = 0;

	for (; b && depth < BASTIONS_IN_A_ROW_MAX; depth++)
		b = before(l, b);
	return depth;
}

static bool is_on_loop(const struct loading *l, const struct bastion_entry *entry)
{
	const struct bastion_entry *b = before(l, entry);

	for (size_t i = 0; b && i < BASTIONS_IN_A_ROW_MAX; i++, b = before(l, b))
		if (b == entry)
			return true;
	return false;
}

static void decode_one(struct loading *l, const struct place *list, struct bastion_entry *entry)
{
	struct place at = place_index(list, entry->index), via = place_key(&at, "via");
	struct bastion *b = &l->inv->bastions[entry->index];
	struct bastion_entry *first = before(l, entry);
	struct chain chain = { .n = 0 };

	if (entry->model)
		return;
	entry->model = b;
	chain_add(&chain, entry->json, at, NULL);
	b->name = arena_dup(l->arena, chain_text(&chain, "name", ""));
	if (is_on_loop(l, entry)) {
		problem_add(l, &via, "the way to the bastion %s leads back to itself", b->name);
		return;
	}
	if (depth_of(l, entry) >= BASTIONS_IN_A_ROW_MAX) {
		problem_add(l, &via, "the way to the bastion %s leads through %d others or more, or in a circle",
			    b->name, BASTIONS_IN_A_ROW_MAX);
		return;
	}
	if (first)
		decode_one(l, list, first);
	decode_connection(l, &chain, NULL, NULL, &b->connection);
}

void decode_bastions(struct loading *l)
{
	const json_t *list = json_object_get(l->root, "bastions");
	struct place place = place_key(&l->root_place, "bastions");
	size_t n = json_array_size(list);

	l->inv->bastions = ARENA_N(l->arena, struct bastion, n);
	l->inv->bastions_n = n;
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_object_get(json_array_get(list, i), "name"));
		struct bastion_entry *entry = name ? names_get(&l->bastions, name) : NULL;
		l->inv->bastions[i].name = arena_dup(l->arena, name ? name : "");
		if (entry && entry->index == i)
			decode_one(l, &place, entry);
	}
}
