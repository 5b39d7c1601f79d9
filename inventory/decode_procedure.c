/* Procedures and profiles: from inside the program by name, or from a file by path. */
#include "inventory/decode.h"

#include "inventory/documents.h"
#include "inventory/json_text.h"
#include "inventory/rules.h"
#include "inventory/shape.h"
#include "inventory/suggest.h"

#include "base/alloc.h"
#include "base/embed.h"

extern const struct embedded embedded_inventory[];

#define PROCEDURE_STEPS_MAX 500

static bool is_path(const char *name)
{
	size_t len = strlen(name);

	return strchr(name, '/') || (len > 5 && strcmp(name + len - 5, ".json") == 0);
}

/* The names inside the program are known by their content: a procedure's file has the key "procedure". */
static json_t *parse_embedded(const struct embedded *e, const char *kind)
{
	struct json_fault fault;
	json_t *root = json_text_parse(e->data, e->len, &fault);

	if (root && json_object_get(root, kind))
		return root;
	json_decref(root);
	return NULL;
}

static void unknown_name(struct loading *l, const struct place *said, const char *kind, const char *name)
{
	struct suggestion s = { .word = name };
	const char *list = "";

	for (const struct embedded *e = embedded_inventory; e->name; e++) {
		json_t *root = parse_embedded(e, kind);
		if (root) {
			char *bare = arena_ndup(&l->scratch, e->name, strlen(e->name) - strlen(".json"));
			list = arena_fmt(&l->scratch, "%s%s%s", list, *list ? ", " : "", bare);
			suggestion_offer(&s, bare);
		}
		json_decref(root);
	}
	problem_add(l, said, "there is no %s \"%.100s\"%s (inside the program: %s; a file is named with its path)",
		    kind, name, shape_hint(l, s.best), list);
}

/* *file is how messages call it. A new reference, or NULL. */
static json_t *open_by_name(struct loading *l, const struct place *said, const char *kind, const char *name,
			    char **file)
{
	char *path = is_path(name) ? path_from(l->inv->path, name) : arena_fmt(&l->scratch, "%s.json", name);
	const struct embedded *e = is_path(name) ? NULL : embedded_find(embedded_inventory, path);
	json_t *root = NULL;

	*file = arena_fmt(&l->scratch, "%s%s", e ? name : path, e ? " (inside the program)" : "");
	if (is_path(name)) {
		document_read(l, path, said, &root, NULL);
		free(path);
	} else if (e) {
		root = parse_embedded(e, kind);
	}
	if (!root && !is_path(name))
		unknown_name(l, said, kind, name);
	return root;
}

/* ---- procedure -------------------------------------------------------------------------------------------------- */

static struct text decode_text(struct loading *l, const json_t *json)
{
	const char *en = json_string_value(json_object_get(json, "en"));

	return (struct text){ .en = arena_dup(l->arena, en ? en : ""),
			      .ja = arena_dup(l->arena, json_string_value(json_object_get(json, "ja"))) };
}

static enum agent_scope scope_of(const char *word)
{
	return strcmp(word, "host") == 0 ? SCOPE_HOST : strcmp(word, "domain") == 0 ? SCOPE_DOMAIN : SCOPE_TENANT;
}

/* Parameters: the type alone, and apart from it the pattern where one is given. */
static void decode_params(struct loading *l, const json_t *params, struct agent_decl *decl)
{
	const char *key;
	json_t *value;

	decl->params = json_object();
	decl->patterns = json_object();
	json_object_foreach((json_t *)params, key, value) {
		json_t *type = json_is_object(value) ? json_object_get(value, "type") : value;
		if (!json_is_string(type))
			continue;
		json_object_set(decl->params, key, type);
		if (json_object_get(value, "matches"))
			json_object_set(decl->patterns, key, value);
	}
	store_keep(l->store, decl->params);
	store_keep(l->store, decl->patterns);
	json_decref(decl->params);
	json_decref(decl->patterns);
}

static void decode_agents(struct loading *l, const json_t *agents, struct procedure *p)
{
	const char *name;
	json_t *json;
	size_t n = 0;

	json_object_foreach((json_t *)agents, name, json)
		n += json_array_size(json_object_get(json, "scope"));
	p->agents = ARENA_N(l->arena, struct agent_decl, n);
	json_object_foreach((json_t *)agents, name, json) {
		const json_t *scopes = json_object_get(json, "scope");
		for (size_t i = 0; i < json_array_size(scopes); i++) {
			struct agent_decl *decl = &p->agents[p->agents_n++];
			const char *scope = json_string_value(json_array_get(scopes, i));
			decl->name = arena_dup(l->arena, name);
			decl->scope = scope_of(scope ? scope : "host");
			decode_params(l, json_object_get(json, "params"), decl);
		}
	}
}

/* The declaration that a step means; without a scope it must be the only one of that name. */
static const struct agent_decl *find_decl(struct loading *l, const struct place *place, const struct procedure *p,
					  const char *name, const char *scope)
{
	struct suggestion s = { .word = name };
	const struct agent_decl *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->agents_n; i++) {
		suggestion_offer(&s, p->agents[i].name);
		if (strcmp(p->agents[i].name, name) != 0 || (scope && p->agents[i].scope != scope_of(scope)))
			continue;
		found = &p->agents[i];
		n++;
	}
	if (!found)
		problem_add(l, place, "\"agents\" does not declare \"%.100s\"%s%s%s", name,
			    scope ? " for the scope " : "", scope ? scope : "",
			    strcmp(s.best ? s.best : name, name) == 0 ? "" : shape_hint(l, s.best));
	else if (n > 1)
		problem_add(l, place, "the agent %s has several scopes; say which (\"scope\")", name);
	return found;
}

static void decode_step_agents(struct loading *l, const struct place *step_place, const json_t *list,
			       const struct procedure *p, struct procedure_step *step)
{
	struct place agents = place_key(step_place, "agents");

	step->agents = ARENA_N(l->arena, struct procedure_agent, json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *json = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(json, "agent"));
		const char *scope = json_string_value(json_object_get(json, "scope"));
		json_t *with = json_object_get(json, "with");
		struct place at = place_index(&agents, i), with_place = place_key(&at, "with");
		const struct agent_decl *decl = name ? find_decl(l, &at, p, name, scope) : NULL;
		if (!decl)
			continue;
		if (with)
			params_check(l, &with_place, decl, with, NULL);
		with = with ? json_incref(with) : json_object();
		step->agents[step->agents_n] = (struct procedure_agent){ decl, store_keep(l->store, with), { 0 } };
		if (json_object_get(json, "without"))
			step->agents[step->agents_n].without = decode_text(l, json_object_get(json, "without"));
		step->agents_n++;
		json_decref(with);
	}
}

static void decode_step(struct loading *l, const struct place *place, const json_t *json, const struct procedure *p,
			struct procedure_step *step)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *vendor = json_string_value(json_object_get(json, "vendor_step"));
	const char *phase = json_string_value(json_object_get(json, "phase"));
	int number = phase ? phase_parse(phase) : 0;

	step->name = arena_dup(l->arena, name ? name : "");
	step->vendor_step = arena_dup(l->arena, vendor ? vendor : "");
	step->title = decode_text(l, json_object_get(json, "title"));
	step->instruction = decode_text(l, json_object_get(json, "instruction"));
	step->phase = number < 0 ? PHASE_PREPARE : (enum phase)number;
	step->governed_by = arena_dup(l->arena, json_string_value(json_object_get(json, "governed_by")));
	step->per_domain = json_is_true(json_object_get(json, "per_domain"));
	decode_step_agents(l, place, json_object_get(json, "agents"), p, step);
}

static const struct procedure_step **decode_links(struct loading *l, const struct place *step_place, const json_t *json,
						  const struct procedure *p, const char *key, size_t *n)
{
	const json_t *list = json_object_get(json, key);
	const struct procedure_step **links = ARENA_N(l->arena, const struct procedure_step *, json_array_size(list));
	struct place place = place_key(step_place, key);

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct place at = place_index(&place, i);
		const char *name = json_string_value(json_array_get(list, i));
		const struct procedure_step *step = name ? procedure_step(p, name) : NULL;
		struct suggestion s = { .word = name ? name : "" };
		for (size_t j = 0; j < p->steps_n; j++)
			suggestion_offer(&s, p->steps[j].name);
		if (step)
			links[(*n)++] = step;
		else if (name)
			problem_add(l, &at, "there is no step \"%.100s\"%s", name, shape_hint(l, s.best));
	}
	return links;
}

/* Steps that need each other would wait for ever. `path` marks the steps above. */
static bool loops(const struct procedure *p, const struct procedure_step *step, char *state)
{
	size_t at = (size_t)(step - p->steps);

	if (state[at])
		return state[at] == 1;
	state[at] = 1;
	for (size_t i = 0; i < step->needs_n; i++)
		if (loops(p, step->needs[i], state))
			return true;
	for (size_t i = 0; i < step->waits_for_n; i++)
		if (loops(p, step->waits_for[i], state))
			return true;
	state[at] = 2;
	return false;
}

static void decode_steps(struct loading *l, const struct place *root, const json_t *list, struct procedure *p)
{
	struct place steps = place_key(root, "steps");
	char *state;

	p->steps_n = json_array_size(list) < PROCEDURE_STEPS_MAX ? json_array_size(list) : PROCEDURE_STEPS_MAX;
	if (json_array_size(list) > PROCEDURE_STEPS_MAX)
		problem_add(l, &steps, "there are %zu steps; %d are allowed", json_array_size(list),
			    PROCEDURE_STEPS_MAX);
	p->steps = ARENA_N(l->arena, struct procedure_step, p->steps_n);
	for (size_t i = 0; i < p->steps_n; i++) {
		struct place at = place_index(&steps, i);
		decode_step(l, &at, json_array_get(list, i), p, &p->steps[i]);
		for (size_t j = 0; j < i; j++)
			if (strcmp(p->steps[i].name, p->steps[j].name) == 0)
				problem_add(l, &at, "the name \"%s\" is taken by step %zu", p->steps[i].name, j);
	}
	for (size_t i = 0; i < p->steps_n; i++) {
		struct procedure_step *step = &p->steps[i];
		const json_t *json = json_array_get(list, i);
		struct place at = place_index(&steps, i);
		step->needs = decode_links(l, &at, json, p, "needs", &step->needs_n);
		step->waits_for = decode_links(l, &at, json, p, "waits_for", &step->waits_for_n);
	}
	state = arena_alloc(&l->scratch, p->steps_n, 1);
	for (size_t i = 0; i < p->steps_n; i++) {
		struct place at = place_index(&steps, i);
		if (!state[i] && loops(p, &p->steps[i], state)) {
			problem_add(l, &at, "the needs of step \"%s\" lead back to itself", p->steps[i].name);
			break;
		}
	}
}

struct procedure *decode_procedure(struct loading *l, const struct place *said, const char *name)
{
	size_t before = l->problems->n + l->problems->dropped;
	struct procedure *p = ARENA_N(l->arena, struct procedure, 1);
	char *file;
	json_t *root = open_by_name(l, said, "procedure", name, &file);
	struct place place = { .file = file };

	if (!root)
		return NULL;
	shape_check(l, &place, &shape_procedure, root);
	p->name = arena_dup(l->arena, json_string_value(json_object_get(root, "name")));
	p->title = decode_text(l, json_object_get(root, "title"));
	decode_agents(l, json_object_get(root, "agents"), p);
	decode_steps(l, &place, json_object_get(root, "steps"), p);
	json_decref(root);
	return l->problems->n + l->problems->dropped == before && p->name ? p : NULL;
}

/* ---- profile ---------------------------------------------------------------------------------------------------- */

static struct strings dns_names(struct loading *l, const json_t *list)
{
	struct strings names = { 0 };

	names.at = ARENA_N(l->arena, char *, json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		if (name)
			names.at[names.n++] = decode_dns_name(l, name);
	}
	return names;
}

struct profile *decode_profile(struct loading *l, const struct place *said, const char *name)
{
	struct profile *p = ARENA_N(l->arena, struct profile, 1);
	char *file;
	json_t *root = open_by_name(l, said, "profile", name, &file);
	const json_t *old = json_object_get(root, "old");
	struct place place = { .file = file };
	json_t *extra;

	if (!root)
		return NULL;
	shape_check(l, &place, &shape_profile, root);
	p->name = arena_dup(l->arena, json_string_value(json_object_get(root, "name")));
	p->old_relay = dns_names(l, json_object_get(old, "relay"));
	p->old_web_service = dns_names(l, json_object_get(old, "web_service"));
	p->old_mx = dns_names(l, json_object_get(old, "mx"));
	p->ranges = decode_strings(l, json_object_get(root, "ranges"));
	p->spf_includes = dns_names(l, json_object_get(root, "spf_includes"));
	extra = json_object_get(root, "extra");
	extra = extra ? json_incref(extra) : json_object();
	p->extra = store_keep(l->store, extra);
	json_decref(extra);
	json_decref(root);
	return p->name ? p : NULL;
}
