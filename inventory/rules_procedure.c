/* Rules of procedure files. */
#include "inventory/rules.h"

#include "inventory/instruction.h"
#include "inventory/json_text.h"
#include "inventory/suggest.h"
#include "inventory/text_check.h"

#include "base/alloc.h"

static const char *const types[] = { "string", "strings", "number", "boolean", "object" };

static void check_type(struct loading *l, const struct place *place, const json_t *value)
{
	const char *type = json_string_value(value);
	const char *best;

	for (size_t i = 0; type && i < ARRAY_LEN(types); i++)
		if (strcmp(type, types[i]) == 0)
			return;
	best = type ? suggest(type, types, ARRAY_LEN(types)) : NULL;
	problem_add(l, place, "must be a type: \"string\", \"strings\", \"number\", \"boolean\" or \"object\"%s%s%s",
		    best ? ", did you mean \"" : "", best ? best : "", best ? "\"?" : "");
}

static void check_typed(struct loading *l, const struct place *place, const json_t *value)
{
	const json_t *type = json_object_get(value, "type");
	struct place matches = place_key(place, "matches"), hint = place_key(place, "hint");
	const char *key;
	json_t *member;

	if (!type)
		problem_add(l, place, "the key \"type\" is missing");
	json_object_foreach((json_t *)value, key, member) {
		struct place at = place_key(place, key);
		if (strcmp(key, "type") == 0)
			check_type(l, &at, member);
		else if (strcmp(key, "matches") == 0 && json_is_string(member))
			rule_pattern(l, &matches, member);
		else if (strcmp(key, "hint") != 0 || !json_is_string(member))
			problem_add(l, strcmp(key, "hint") == 0 ? &hint : &at,
				    "a parameter has \"type\", \"matches\" (a pattern) and \"hint\" (text)");
	}
}

void rule_params(struct loading *l, const struct place *place, json_t *value)
{
	const char *key;
	json_t *member;

	if (!json_is_object(value)) {
		problem_add(l, place, "must be an object, not %s", json_kind(value));
		return;
	}
	json_object_foreach(value, key, member) {
		struct place at = place_key(place, key);
		if (json_is_object(member))
			check_typed(l, &at, member);
		else
			check_type(l, &at, member);
	}
}

void rule_instruction(struct loading *l, const struct place *place, json_t *value)
{
	const char *language;
	json_t *text;

	json_object_foreach(value, language, text) {
		struct place at = place_key(place, language);
		struct err err = { 0 };
		if (json_is_string(text) && instruction_check(json_string_value(text), &err) != 0)
			problem_add(l, &at, "%s", err.text);
	}
}
