#include "inventory/select.h"

#include "inventory/suggest.h"

#include "base/alloc.h"

static void release_strings(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->at[i]);
	free(s->at);
	*s = (struct strings){ 0 };
}

void selection_release(struct selection *s)
{
	release_strings(&s->tenants);
	release_strings(&s->not_tenants);
	release_strings(&s->waves);
	release_strings(&s->labels);
	release_strings(&s->hosts);
	release_strings(&s->steps);
	*s = (struct selection){ 0 };
}

static bool has(const struct strings *list, const char *name)
{
	for (size_t i = 0; name && i < list->n; i++)
		if (strcmp(list->at[i], name) == 0)
			return true;
	return false;
}

/* ---- do the names exist? ---------------------------------------------------------------------------------------- */

/* The walks below give all names of one kind to a suggestion, one by one; true when one is the word itself. */

static bool offer(struct suggestion *s, const char *name)
{
	if (!name)
		return false;
	if (strcmp(s->word, name) == 0)
		return true;
	suggestion_offer(s, name);
	return false;
}

static bool walk_tenants(const struct inventory *inv, struct suggestion *s)
{
	for (size_t i = 0; i < inv->tenants_n; i++)
		if (offer(s, inv->tenants[i].id))
			return true;
	return false;
}

static bool walk_waves(const struct inventory *inv, struct suggestion *s)
{
	for (size_t i = 0; i < inv->tenants_n; i++)
		if (offer(s, inv->tenants[i].wave))
			return true;
	return false;
}

static bool walk_labels(const struct inventory *inv, struct suggestion *s)
{
	for (size_t i = 0; i < inv->tenants_n; i++)
		for (size_t j = 0; j < inv->tenants[i].labels.n; j++)
			if (offer(s, inv->tenants[i].labels.at[j]))
				return true;
	return false;
}

static bool walk_hosts(const struct inventory *inv, struct suggestion *s)
{
	for (size_t i = 0; i < inv->tenants_n; i++)
		for (size_t j = 0; j < inv->tenants[i].hosts_n; j++)
			if (offer(s, inv->tenants[i].hosts[j].name))
				return true;
	return false;
}

static bool walk_steps(const struct inventory *inv, struct suggestion *s)
{
	for (size_t i = 0; i < inv->procedure->steps_n; i++)
		if (offer(s, inv->procedure->steps[i].name))
			return true;
	return false;
}

static int check_names(const struct inventory *inv, const struct strings *list, const char *option, const char *what,
		       bool (*walk)(const struct inventory *, struct suggestion *), struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		struct suggestion s = { .word = list->at[i] };
		if (walk(inv, &s))
			continue;
		return err_set(err, E_INVAL, "%s %.100s: there is no such %s in the inventory%s%s%s", option,
			       list->at[i], what, s.best ? ", did you mean \"" : "", s.best ? s.best : "",
			       s.best ? "\"?" : "");
	}
	return 0;
}

int selection_check(const struct selection *s, const struct inventory *inv, struct err *err)
{
	int r = check_names(inv, &s->tenants, "--tenant", "tenant", walk_tenants, err);

	if (!r)
		r = check_names(inv, &s->not_tenants, "--not-tenant", "tenant", walk_tenants, err);
	if (!r)
		r = check_names(inv, &s->waves, "--wave", "wave", walk_waves, err);
	if (!r)
		r = check_names(inv, &s->labels, "--label", "label", walk_labels, err);
	if (!r)
		r = check_names(inv, &s->hosts, "--host", "host", walk_hosts, err);
	if (!r)
		r = check_names(inv, &s->steps, "--step", "step", walk_steps, err);
	return r;
}

/* ---- what is selected? ------------------------------------------------------------------------------------------ */

static bool has_label(const struct strings *wanted, const struct tenant *t)
{
	for (size_t i = 0; i < t->labels.n; i++)
		if (has(wanted, t->labels.at[i]))
			return true;
	return false;
}

bool selection_tenant(const struct selection *s, const struct tenant *t)
{
	return (!s->tenants.n || has(&s->tenants, t->id)) && !has(&s->not_tenants, t->id) &&
	       (!s->waves.n || has(&s->waves, t->wave)) && (!s->labels.n || has_label(&s->labels, t));
}

bool selection_step(const struct selection *s, const struct procedure_step *step)
{
	return (!s->steps.n || has(&s->steps, step->name)) && (!s->phases || (s->phases >> step->phase & 1));
}

bool selection_host(const struct selection *s, const struct host *host)
{
	return !s->hosts.n || (host && has(&s->hosts, host->name));
}

bool selection_names(const struct selection *s, const struct tenant *t, const struct procedure_step *step,
		     const struct host *host)
{
	return has(&s->tenants, t->id) || has(&s->steps, step->name) || (host && has(&s->hosts, host->name));
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static const struct list_row {
	const char *key;
	size_t at;
} list_rows[] = {
	{ "tenants", offsetof(struct selection, tenants) }, { "not_tenants", offsetof(struct selection, not_tenants) },
	{ "waves", offsetof(struct selection, waves) },     { "labels", offsetof(struct selection, labels) },
	{ "hosts", offsetof(struct selection, hosts) },     { "steps", offsetof(struct selection, steps) },
};

static const struct {
	const char *name;
	unsigned bit;
} only_rows[] = { { "failed", ONLY_FAILED }, { "unreachable", ONLY_UNREACHABLE }, { "unfinished", ONLY_UNFINISHED } };

json_t *selection_to_json(const struct selection *s)
{
	json_t *json = json_object(), *phases = json_array(), *only = json_array();

	for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
		const struct strings *list = (const struct strings *)((const char *)s + list_rows[i].at);
		json_t *array = json_array();
		for (size_t j = 0; j < list->n; j++)
			json_array_append_new(array, json_string(list->at[j]));
		json_object_set_new(json, list_rows[i].key, array);
	}
	for (unsigned i = 0; i < PHASES; i++)
		if (s->phases >> i & 1)
			json_array_append_new(phases, json_string(phase_name((enum phase)i)));
	for (size_t i = 0; i < ARRAY_LEN(only_rows); i++)
		if (s->only & only_rows[i].bit)
			json_array_append_new(only, json_string(only_rows[i].name));
	json_object_set_new(json, "phases", phases);
	json_object_set_new(json, "only", only);
	return json;
}

static int bad(struct err *err, const char *key)
{
	return err_set(err, E_CORRUPT, "the stored selection has \"%.60s\", which this version does not know", key);
}

static int read_word(struct selection *s, const char *key, const char *word, struct err *err)
{
	int phase = phase_parse(word);

	if (strcmp(key, "phases") == 0) {
		if (phase < 0)
			return bad(err, word);
		s->phases |= 1u << phase;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(only_rows); i++) {
		if (strcmp(word, only_rows[i].name) == 0) {
			s->only |= only_rows[i].bit;
			return 0;
		}
	}
	return bad(err, word);
}

static int read_list(struct selection *s, const char *key, const json_t *value, struct err *err)
{
	struct strings *list = NULL;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(list_rows); i++)
		if (strcmp(key, list_rows[i].key) == 0)
			list = (struct strings *)((char *)s + list_rows[i].at);
	if (!json_is_array(value) || (!list && strcmp(key, "phases") != 0 && strcmp(key, "only") != 0))
		return bad(err, key);
	for (size_t i = 0; !r && i < json_array_size(value); i++) {
		const char *word = json_string_value(json_array_get(value, i));
		if (!word) {
			r = bad(err, key);
		} else if (list) {
			GROW_FOR_ONE(list->at, list->n);
			list->at[list->n++] = str_dup(word);
		} else {
			r = read_word(s, key, word, err);
		}
	}
	return r;
}

int selection_from_json(const json_t *json, struct selection *s, struct err *err)
{
	const char *key;
	json_t *value;
	int r = json_is_object(json) ? 0 : bad(err, "no object");

	*s = (struct selection){ 0 };
	json_object_foreach((json_t *)json, key, value)
		if (!r)
			r = read_list(s, key, value, err);
	if (r)
		selection_release(s);
	return r;
}
