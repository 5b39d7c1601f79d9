/* Rules of hosts, domains and bastions: names that stand twice, names that must exist, agents. */
#include "inventory/rules.h"

#include "inventory/json_text.h"
#include "inventory/shape.h"
#include "inventory/suggest.h"
#include "inventory/text_check.h"

#include "base/alloc.h"

#include <regex.h>

/* ---- names that stand twice ------------------------------------------------------------------------------------- */

/* Small arrays are compared pair by pair: most have one to three elements. */
#define PAIRS_MAX 8

static const char *name_at(const json_t *array, size_t i)
{
	return json_string_value(json_object_get(json_array_get(array, i), "name"));
}

static void said_twice(struct loading *l, const struct place *place, size_t i, const char *what)
{
	struct place at = place_index(place, i), name = place_key(&at, "name");

	problem_add(l, &name, "another %s of this list has the same name; give each a name of its own", what);
}

static bool is_taken(const json_t *array, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (name_at(array, i) && strcmp(name_at(array, i), name) == 0)
			return true;
	return false;
}

static void unique_names(struct loading *l, const struct place *place, const json_t *array, const char *what)
{
	size_t n = json_array_size(array);
	struct names seen = { 0 };

	for (size_t i = 0; i < n; i++) {
		const char *name = name_at(array, i);
		if (!name)
			continue;
		if (n <= PAIRS_MAX ? is_taken(array, i, name) : !names_add(&seen, name, (void *)name))
			said_twice(l, place, i, what);
	}
	names_release(&seen);
}

void rule_hosts(struct loading *l, const struct place *place, json_t *value)
{
	unique_names(l, place, value, "host");
}

void rule_verify(struct loading *l, const struct place *place, json_t *value)
{
	unique_names(l, place, value, "command");
}

void rule_domains(struct loading *l, const struct place *place, json_t *value)
{
	unique_names(l, place, value, "domain");
}

void rule_bastions(struct loading *l, const struct place *place, json_t *value)
{
	unique_names(l, place, value, "bastion");
}

/* ---- names that must exist -------------------------------------------------------------------------------------- */

static void unknown_member(struct loading *l, const struct place *place, const char *what, const char *name,
			   const json_t *object)
{
	struct suggestion s = { .word = name };
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)object, key, member)
		suggestion_offer(&s, key);
	problem_add(l, place, "there is no %s \"%.*s\"%s", what, TEXT_QUOTED, name, shape_hint(l, s.best));
}

static void check_member(struct loading *l, const struct place *place, const char *what, const char *map,
			 const json_t *value)
{
	const json_t *object = json_object_get(l->root, map);

	if (!json_is_string(value))
		problem_add(l, place, "must be the name of a %s, not %s", what, json_kind(value));
	else if (!json_object_get(object, json_string_value(value)))
		unknown_member(l, place, what, json_string_value(value), object);
}

void rule_like(struct loading *l, const struct place *place, json_t *value)
{
	check_member(l, place, "template", "templates", value);
}

void rule_wave(struct loading *l, const struct place *place, json_t *value)
{
	check_member(l, place, "wave", "waves", value);
}

static void check_bastion(struct loading *l, const struct place *place, const json_t *value)
{
	struct suggestion s = { .word = json_string_value(value) };

	if (!json_is_string(value)) {
		problem_add(l, place, "must be the name of a bastion, not %s", json_kind(value));
		return;
	}
	if (names_get(&l->bastions, s.word))
		return;
	for (size_t i = 0; i < l->bastions.cap; i++)
		if (l->bastions.slots[i].key)
			suggestion_offer(&s, l->bastions.slots[i].key);
	problem_add(l, place, "there is no bastion \"%.*s\"%s", TEXT_QUOTED, s.word, shape_hint(l, s.best));
}

void rule_via(struct loading *l, const struct place *place, json_t *value)
{
	json_t *element;
	size_t i;

	if (json_is_object(value)) {
		shape_check(l, place, &shape_via_command, value);
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, element) {
			struct place at = place_index(place, i);
			check_bastion(l, &at, element);
		}
	} else if (json_is_string(value)) {
		check_bastion(l, place, value);
	} else {
		problem_add(l, place, "must be the name of a bastion, an array of them, or {\"command\": …}, not %s",
			    json_kind(value));
	}
}

void rule_bastion(struct loading *l, const struct place *place, json_t *value)
{
	if (!l->unpinned && !json_object_get(value, "host_key") && !json_object_get(value, "known_hosts") &&
	    !problem_excused(l, value, "host_key") && !problem_excused(l, value, "known_hosts"))
		problem_add(l, place, "has neither \"host_key\" nor \"known_hosts\": its key could not be checked");
}

/* ---- patterns --------------------------------------------------------------------------------------------------- */

/* Compiled once a load: the same pattern stands in hundreds of hosts, and regcomp is slow. */
static const regex_t *compiled(struct loading *l, const char *pattern, struct err *err)
{
	regex_t *regex = names_get(&l->patterns, pattern);

	if (regex)
		return regex;
	if (check_text_regex(pattern, err) != 0)
		return NULL;
	regex = arena_alloc(&l->scratch, 1, sizeof(*regex));
	if (regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return NULL;
	names_add(&l->patterns, arena_dup(&l->scratch, pattern), regex);
	return regex;
}

void rule_pattern(struct loading *l, const struct place *place, json_t *value)
{
	struct err err = { 0 };

	if (!compiled(l, json_string_value(value), &err))
		problem_add(l, place, "%s", err.text);
}

/* ---- agents ----------------------------------------------------------------------------------------------------- */

static const struct agent_decl *agent_of_host(const struct procedure *p, const char *name)
{
	for (size_t i = 0; i < p->agents_n; i++)
		if (p->agents[i].scope == SCOPE_HOST && strcmp(p->agents[i].name, name) == 0)
			return &p->agents[i];
	return NULL;
}

static void unknown_agent(struct loading *l, const struct place *object_place, const char *name)
{
	const struct procedure *p = l->inv->procedure;
	struct place place = place_key(object_place, "agent");
	struct suggestion s = { .word = name };

	for (size_t i = 0; i < p->agents_n; i++) {
		if (strcmp(p->agents[i].name, name) == 0) {
			problem_add(l, &place,
				    "the agent %s works for a %s, not on a host: leave it out, the procedure calls it",
				    name, p->agents[i].scope == SCOPE_DOMAIN ? "domain" : "tenant");
			return;
		}
		if (p->agents[i].scope == SCOPE_HOST)
			suggestion_offer(&s, p->agents[i].name);
	}
	problem_add(l, &place, "the procedure %s has no agent \"%.*s\"%s", p->name, TEXT_QUOTED, name,
		    shape_hint(l, s.best));
}

static bool has_type(const json_t *value, const char *type)
{
	json_t *element;
	size_t i;

	if (strcmp(type, "string") == 0)
		return json_is_string(value);
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(type, "object") == 0)
		return json_is_object(value);
	if (json_is_string(value))
		return true;
	json_array_foreach((json_t *)value, i, element)
		if (!json_is_string(element))
			return false;
	return json_is_array(value);
}

static const char *type_in_words(const char *type)
{
	static const struct {
		const char *type, *words;
	} rows[] = {
		{ "string", "text" },           { "strings", "text or an array of text" },
		{ "boolean", "true or false" }, { "number", "a number" },
		{ "object", "an object" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].type, type) == 0)
			return rows[i].words;
	return type;
}

/* One text of a parameter: what all texts keep to, and the pattern that the procedure gives. */
static void check_param_text(struct loading *l, const struct place *place, const json_t *rule, const char *text)
{
	const char *hint = json_string_value(json_object_get(rule, "hint"));
	const char *pattern = json_string_value(json_object_get(rule, "matches"));
	const regex_t *regex = pattern ? compiled(l, pattern, NULL) : NULL;
	struct err err = { 0 };

	if (check_text_plain(text, &err) != 0)
		problem_add(l, place, "%s", err.text);
	else if (regex && regexec(regex, text, 0, NULL, 0) != 0)
		problem_add(l, place, "\"%.*s\" is not right here%s%s", TEXT_QUOTED, text, hint ? ": " : "",
			    hint ? hint : "");
}

static void check_param(struct loading *l, const struct place *place, const struct agent_decl *decl, const char *key,
			const json_t *value)
{
	const char *type = json_string_value(json_object_get(decl->params, key));
	const json_t *rule = json_object_get(decl->patterns, key);
	json_t *element;
	size_t i;

	if (!has_type(value, type)) {
		bool mixed = strcmp(type, "strings") == 0 && json_is_array(value);
		problem_add(l, place, "must be %s, not %s", type_in_words(type),
			    mixed ? "an array with something else in it" : json_kind(value));
		return;
	}
	if (json_is_string(value))
		check_param_text(l, place, rule, json_string_value(value));
	json_array_foreach((json_t *)value, i, element) {
		struct place at = place_index(place, i);
		check_param_text(l, &at, rule, json_string_value(element));
	}
}

static void unknown_param(struct loading *l, const struct place *place, const struct agent_decl *decl, const char *key)
{
	struct suggestion s = { .word = key };
	const char *param;
	json_t *type;

	suggestion_offer(&s, "agent");
	suggestion_offer(&s, "key");
	json_object_foreach(decl->params, param, type)
		suggestion_offer(&s, param);
	problem_add(l, place, "unknown key \"%s\" for the agent %s%s", key, decl->name, shape_hint(l, s.best));
}

void params_check(struct loading *l, const struct place *place, const struct agent_decl *decl, const json_t *object,
		  const struct shape *besides)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		struct place at = place_key(place, key);
		if (besides && shape_key(besides, key))
			continue;
		if (json_object_get(decl->params, key))
			check_param(l, &at, decl, key, value);
		else
			unknown_param(l, &at, decl, key);
	}
}

void rule_agent_use(struct loading *l, const struct place *place, json_t *value)
{
	const char *name = json_string_value(json_object_get(value, "agent"));
	const struct agent_decl *decl;

	if (!name || !l->inv->procedure)
		return;
	decl = agent_of_host(l->inv->procedure, name);
	if (decl)
		params_check(l, place, decl, value, &shape_agent_use);
	else
		unknown_agent(l, place, name);
}

/* Do the two agents work in one step? Their targets are told apart by their keys (contract: host:NAME/KEY). */
static bool share_step(const struct procedure *p, const char *one, const char *other)
{
	for (size_t i = 0; i < p->steps_n; i++) {
		bool has_one = false, has_other = false;
		for (size_t j = 0; j < p->steps[i].agents_n; j++) {
			const struct agent_decl *decl = p->steps[i].agents[j].decl;
			has_one |= decl->scope == SCOPE_HOST && strcmp(decl->name, one) == 0;
			has_other |= decl->scope == SCOPE_HOST && strcmp(decl->name, other) == 0;
		}
		if (has_one && has_other)
			return true;
	}
	return false;
}

static const char *use_key(const json_t *use)
{
	const char *key = json_string_value(json_object_get(use, "key"));

	return key ? key : json_string_value(json_object_get(use, "agent"));
}

void rule_agents(struct loading *l, const struct place *place, json_t *value)
{
	size_t n = json_array_size(value);

	for (size_t i = 0; l->inv->procedure && i < n; i++) {
		const json_t *one = json_array_get(value, i);
		const char *agent = json_string_value(json_object_get(one, "agent"));
		struct place at = place_index(place, i);
		for (size_t j = 0; agent && j < i; j++) {
			const json_t *other = json_array_get(value, j);
			const char *other_agent = json_string_value(json_object_get(other, "agent"));
			if (other_agent && use_key(one) && use_key(other) &&
			    strcmp(use_key(one), use_key(other)) == 0 &&
			    share_step(l->inv->procedure, agent, other_agent)) {
				problem_add(l, &at,
					    "the key \"%s\" is taken by agent %zu of this host; give one of them a "
					    "\"key\" of its own",
					    use_key(one), j);
				break;
			}
		}
	}
}
