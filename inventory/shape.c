#include "inventory/shape.h"

#include "inventory/json_text.h"
#include "inventory/suggest.h"

#include "base/alloc.h"

#include <math.h>

static int compare_key(const void *name, const void *row)
{
	return strcmp(name, ((const struct key *)row)->name);
}

const struct key *shape_key(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < SHAPE_TABLES_MAX && shape->tables[i].keys; i++) {
		const struct key *row =
			bsearch(name, shape->tables[i].keys, shape->tables[i].n, sizeof(struct key), compare_key);
		if (row)
			return row;
	}
	return NULL;
}

void shape_offer(const struct shape *shape, struct suggestion *s)
{
	for (size_t i = 0; i < SHAPE_TABLES_MAX && shape->tables[i].keys; i++)
		for (size_t j = 0; j < shape->tables[i].n; j++)
			suggestion_offer(s, shape->tables[i].keys[j].name);
}

const char *shape_hint(struct loading *l, const char *best)
{
	return best ? arena_fmt(&l->scratch, ", did you mean \"%s\"?", best) : "";
}

static void unknown_key(struct loading *l, const struct place *object_place, const struct shape *shape, json_t *object,
			const char *key)
{
	struct suggestion s = { .word = key };
	struct place place = place_key(object_place, key);
	const char *elsewhere = problems_full(l) ? NULL : shape_elsewhere(l, shape, key);

	if (problems_full(l)) {
		problem_add(l, &place, "unknown key");
		return;
	}
	if (elsewhere) {
		problem_add(l, &place, "key \"%s\" does not belong in %s; it goes into %s", key, shape->what,
			    elsewhere);
		return;
	}
	shape_offer(shape, &s);
	if (s.best) {
		problem_add(l, &place, "unknown key \"%s\", did you mean \"%s\"?", key, s.best);
		problem_excuse(l, object, s.best);
	} else {
		problem_add(l, &place, "unknown key \"%s\" in %s (a key of your own begins with \"x-\")", key,
			    shape->what);
	}
}

static bool wrong_type(struct loading *l, const struct place *place, const char *wanted, const json_t *value)
{
	problem_add(l, place, "must be %s, not %s", wanted, json_kind(value));
	return false;
}

static bool check_text(struct loading *l, const struct place *place, const struct key *key, const json_t *value)
{
	struct err err = { 0 };

	if (!json_is_string(value))
		return wrong_type(l, place,
				  key->flags & KEY_SECRET ? "a reference to a secret (\"env:NAME\", \"file:PATH\", …)"
							  : "text",
				  value);
	if (!key->text || key->text(json_string_value(value), &err) == 0)
		return true;
	problem_add(l, place, "%s", err.text);
	return false;
}

static const char *word_list(struct loading *l, const char *const *words)
{
	const char *list = "";

	for (size_t i = 0; words[i]; i++)
		list = arena_fmt(&l->scratch, "%s%s\"%s\"", list, i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
	return list;
}

static bool check_word(struct loading *l, const struct place *place, const struct key *key, const json_t *value)
{
	const char *word = json_string_value(value);
	struct suggestion s = { .word = word };

	if (!word)
		return wrong_type(l, place, word_list(l, key->words), value);
	for (size_t i = 0; key->words[i]; i++) {
		if (strcmp(word, key->words[i]) == 0)
			return true;
		suggestion_offer(&s, key->words[i]);
	}
	problem_add(l, place, "must be %s, not \"%.100s\"%s", word_list(l, key->words), word, shape_hint(l, s.best));
	return false;
}

static bool check_number(struct loading *l, const struct place *place, const struct key *key, const json_t *value)
{
	const char *what = key->kind == VALUE_INT ? "a whole number" : "a number";
	double number = json_number_value(value);

	if (!json_is_number(value) || (key->kind == VALUE_INT && !json_is_integer(value)))
		return wrong_type(l, place, arena_fmt(&l->scratch, "%s from %.15g to %.15g", what, key->min, key->max),
				  value);
	if (isfinite(number) && number >= key->min && number <= key->max)
		return true;
	problem_add(l, place, "must be %s from %.15g to %.15g, not %.15g", what, key->min, key->max, number);
	return false;
}

/* Arrays whose elements are checked one by one. */
static bool check_array(struct loading *l, const struct place *place, const struct key *key, json_t *value)
{
	bool good = true;
	json_t *element;
	size_t i;

	if (!json_is_array(value))
		return wrong_type(l, place, "an array", value);
	if (key->flags & KEY_FILLED && json_array_size(value) == 0) {
		problem_add(l, place, "must not be empty");
		return false;
	}
	json_array_foreach(value, i, element) {
		struct place at = place_index(place, i);
		if (key->kind == VALUE_OBJECTS)
			shape_check(l, &at, key->shape, element);
		else if (key->kind == VALUE_WORDS)
			good &= check_word(l, &at, key, element);
		else
			good &= check_text(l, &at, key, element);
	}
	return good;
}

static bool check_map(struct loading *l, const struct place *place, const struct key *key, json_t *value)
{
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return wrong_type(l, place, "an object", value);
	json_object_foreach(value, name, member) {
		struct place at = place_key(place, name);
		struct err err = { 0 };
		if (key->text && key->text(name, &err) != 0)
			problem_add(l, &at, "%s", err.text);
		shape_check(l, &at, key->shape, member);
	}
	return true;
}

static bool check_kind(struct loading *l, const struct place *place, const struct key *key, json_t *value)
{
	switch (key->kind) {
	case VALUE_TEXT:
		return check_text(l, place, key, value);
	case VALUE_TEXT_OR_TEXTS:
		return json_is_array(value) ? check_array(l, place, key, value) : check_text(l, place, key, value);
	case VALUE_TEXTS:
	case VALUE_WORDS:
	case VALUE_OBJECTS:
		return check_array(l, place, key, value);
	case VALUE_BOOL:
		return json_is_boolean(value) || wrong_type(l, place, "true or false", value);
	case VALUE_INT:
	case VALUE_NUMBER:
		return check_number(l, place, key, value);
	case VALUE_WORD:
		return check_word(l, place, key, value);
	case VALUE_OBJECT:
		shape_check(l, place, key->shape, value);
		return json_is_object(value);
	case VALUE_MAP:
		return check_map(l, place, key, value);
	case VALUE_OTHER:
		return true;
	}
	return false;
}

void shape_check_value(struct loading *l, const struct place *place, const struct key *key, json_t *value)
{
	if (check_kind(l, place, key, value) && key->rule)
		key->rule(l, place, value);
}

static void check_required(struct loading *l, const struct place *place, const struct shape *shape,
			   const json_t *object)
{
	for (size_t i = 0; i < SHAPE_TABLES_MAX && shape->tables[i].keys; i++) {
		for (size_t j = 0; j < shape->tables[i].n; j++) {
			const struct key *key = &shape->tables[i].keys[j];
			if (key->flags & KEY_REQUIRED && !json_object_get(object, key->name) &&
			    !problem_excused(l, object, key->name))
				problem_add(l, place, "the key \"%s\" is missing", key->name);
		}
	}
}

void shape_check(struct loading *l, const struct place *up, const struct shape *shape, json_t *value)
{
	struct place place = *up;
	const char *name;
	json_t *member;

	if (!json_is_object(value)) {
		wrong_type(l, up, "an object", value);
		return;
	}
	if (shape->is_tenant)
		place.tenant = json_string_value(json_object_get(value, "id"));
	if (shape->is_host)
		place.host = json_string_value(json_object_get(value, "name"));
	json_object_foreach(value, name, member) {
		const struct key *key = shape_key(shape, name);
		struct place at = place_key(&place, name);
		if (key)
			shape_check_value(l, &at, key, member);
		else if (!shape->open)
			unknown_key(l, &place, shape, value, name);
	}
	check_required(l, &place, shape, value);
	if (shape->rule)
		shape->rule(l, &place, value);
}
