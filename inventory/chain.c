#include "inventory/chain.h"

#include "base/alloc.h"

void chain_add(struct chain *c, const json_t *object, struct place place, const char *label)
{
	if (!json_is_object(object))
		return;
	if (c->n == CHAIN_MAX)
		abort();
	c->at[c->n++] = (struct layer){ object, place, label };
}

struct found chain_get(const struct chain *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++) {
		json_t *value = json_object_get(c->at[i].object, key);
		if (value)
			return (struct found){ value, &c->at[i], place_key(&c->at[i].place, key) };
	}
	return (struct found){ 0 };
}

struct chain chain_sub(const struct chain *c, const char *key)
{
	struct chain sub = { .n = 0 };

	for (size_t i = 0; i < c->n; i++) {
		json_t *value = json_object_get(c->at[i].object, key);
		if (value && !json_is_object(value))
			break;
		chain_add(&sub, value, place_key(&c->at[i].place, key), c->at[i].label);
	}
	return sub;
}

json_t *chain_merged(const struct chain *c)
{
	json_t *merged;

	if (c->n == 0)
		return NULL;
	if (c->n == 1)
		return json_incref((json_t *)c->at[0].object);
	merged = json_object();
	for (size_t i = 0; i < c->n; i++) {
		const char *key;
		json_t *value;
		json_object_foreach((json_t *)c->at[i].object, key, value) {
			struct chain sub;
			if (json_object_get(merged, key))
				continue;
			sub = json_is_object(value) ? chain_sub(c, key) : (struct chain){ .n = 0 };
			json_object_set_new(merged, key, sub.n ? chain_merged(&sub) : json_incref(value));
		}
	}
	return merged;
}

const char *chain_text(const struct chain *c, const char *key, const char *missing)
{
	const char *text = json_string_value(chain_get(c, key).value);

	return text ? text : missing;
}

int64_t chain_int(const struct chain *c, const char *key, int64_t missing)
{
	json_t *value = chain_get(c, key).value;

	return json_is_integer(value) ? json_integer_value(value) : missing;
}

bool chain_bool(const struct chain *c, const char *key, bool missing)
{
	json_t *value = chain_get(c, key).value;

	return json_is_boolean(value) ? json_is_true(value) : missing;
}

int chain_seconds_ms(const struct chain *c, const char *key, int missing_ms)
{
	json_t *value = chain_get(c, key).value;

	return json_is_number(value) ? (int)(json_number_value(value) * 1000 + 0.5) : missing_ms;
}
