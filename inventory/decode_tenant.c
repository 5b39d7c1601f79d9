/* A tenant with wave and defaults worked in. What only the worked-out tenant shows is checked in check_tenant.c. */
#include "inventory/decode.h"

#include "inventory/shape.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <ctype.h>

char *decode_dns_name(struct loading *l, const char *name)
{
	char *out = arena_dup(l->arena, name);
	size_t len = strlen(out);

	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (len && out[len - 1] == '.')
		out[len - 1] = '\0';
	return out;
}

struct chain chain_of_tenant(const struct loading *l, const struct place *place, const json_t *json)
{
	const json_t *defaults = json_object_get(l->root, "defaults");
	const char *wave = json_string_value(json_object_get(json, "wave"));
	struct chain chain = { .n = 0 };

	if (!wave)
		wave = json_string_value(json_object_get(defaults, "wave"));
	chain_add(&chain, json, *place, NULL);
	if (wave)
		chain_add(&chain, json_object_get(json_object_get(l->root, "waves"), wave),
			  place_key(&l->waves_place, wave), "wave");
	chain_add(&chain, defaults, l->defaults_place, "defaults");
	return chain;
}

/* ---- times ------------------------------------------------------------------------------------------------------ */

bool decode_period(const json_t *json, struct window *w, int *offset_min)
{
	const char *start = json_string_value(json_object_get(json, "start"));
	const char *end = json_string_value(json_object_get(json, "end"));

	return start && end && time_parse_rfc3339(start, &w->start_ms, offset_min, NULL) == 0 &&
	       time_parse_rfc3339(end, &w->end_ms, NULL, NULL) == 0;
}

static void decode_windows(struct loading *l, const json_t *list, struct tenant *t)
{
	size_t n = json_array_size(list) < WINDOWS_MAX ? json_array_size(list) : WINDOWS_MAX;

	t->windows = ARENA_N(l->arena, struct window, n);
	for (size_t i = 0; i < n; i++) {
		struct window w;
		int offset;
		size_t at = t->windows_n;
		if (!decode_period(json_array_get(list, i), &w, &offset))
			continue;
		for (; at && t->windows[at - 1].start_ms > w.start_ms; at--)
			t->windows[at] = t->windows[at - 1];
		t->windows[at] = w;
		t->windows_n++;
		if (at == 0)
			t->offset_min = offset;
	}
}

/* 00:00 of the day in the zone. Asking the C library means reading the zone's file, so each answer is kept. */
static bool midnight(struct loading *l, int64_t days, const char *zone, int64_t *ms)
{
	char key[128];
	int64_t *known, found;

	snprintf(key, sizeof(key), "%lld %s", (long long)days, zone);
	known = names_get(&l->midnights, key);
	if (!known) {
		if (time_midnight_in_zone(days, zone, &found, NULL) != 0)
			return false;
		known = arena_alloc(&l->scratch, 1, sizeof(*known));
		*known = found;
		names_add(&l->midnights, arena_dup(&l->scratch, key), known);
	}
	*ms = *known;
	return true;
}

static void decode_migration(struct loading *l, const struct chain *chain, struct tenant *t)
{
	const char *date = chain_text(chain, "migration_date", NULL);
	const char *zone = chain_text(chain, "time_zone", NULL);
	int64_t days;

	t->migration_date = arena_dup(l->arena, date ? date : "");
	if (!date || time_parse_date(date, &days, NULL) != 0)
		return;
	if (!zone || !midnight(l, days, zone, &t->migration_ms))
		t->migration_ms = days * 86400000 - (int64_t)t->offset_min * 60000;
}

/* ---- the parts -------------------------------------------------------------------------------------------------- */

static void decode_new_fqdn(struct loading *l, const struct chain *chain, struct tenant *t)
{
	struct found found = chain_get(chain, "new_fqdn");
	struct chain sub = chain_sub(chain, "new_fqdn");
	const char *all = json_string_value(found.value);

	t->new_relay = decode_dns_name(l, all ? all : chain_text(&sub, "relay", ""));
	t->new_web_service = decode_dns_name(l, all ? all : chain_text(&sub, "web_service", ""));
	t->new_mx = decode_dns_name(l, all ? all : chain_text(&sub, "mx", ""));
}

static enum tri tri_of(const json_t *value)
{
	return json_is_true(value) ? TRI_TRUE : json_is_false(value) ? TRI_FALSE : TRI_UNKNOWN;
}

static void decode_uses(struct loading *l, const struct chain *chain, struct tenant *t)
{
	struct chain sub = chain_sub(chain, "uses");
	const struct procedure *p = l->inv->procedure;

	t->uses = ARENA_N(l->arena, struct answer, p->steps_n);
	for (size_t i = 0; i < p->steps_n; i++) {
		const char *key = p->steps[i].governed_by;
		bool known = !key;
		for (size_t j = 0; !known && j < t->uses_n; j++)
			known = strcmp(t->uses[j].key, key) == 0;
		if (!known)
			t->uses[t->uses_n++] = (struct answer){ key, tri_of(chain_get(&sub, key).value) };
	}
	t->restricted_firewall = tenant_uses(t, "restricted_firewall");
	t->outbound_filter = tenant_uses(t, "outbound_filter");
	t->directory_sync = tenant_uses(t, "directory_sync");
	t->quarantine_notification = tenant_uses(t, "quarantine_notification");
}

static enum who who_of(const char *word)
{
	return !word || strcmp(word, "us") == 0 ? WHO_US : strcmp(word, "customer") == 0 ? WHO_CUSTOMER : WHO_ISP;
}

static void decode_by(struct loading *l, const struct chain *chain, struct tenant *t)
{
	struct chain sub = chain_sub(chain, "by");
	const struct procedure *p = l->inv->procedure;

	t->by = sub.n ? ARENA_N(l->arena, struct assigned, p->steps_n) : NULL;
	for (size_t i = 0; sub.n && i < p->steps_n; i++) {
		const char *word = chain_text(&sub, p->steps[i].name, NULL);
		if (word)
			t->by[t->by_n++] = (struct assigned){ &p->steps[i], who_of(word) };
	}
}

static void decode_waits_for(struct loading *l, const struct chain *chain, struct tenant *t)
{
	const json_t *list = chain_get(chain, "mx_waits_for").value;

	t->waits_for_given = json_is_array(list);
	t->waits_for = ARENA_N(l->arena, const struct procedure_step *, json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		const struct procedure_step *step = name ? procedure_step(l->inv->procedure, name) : NULL;
		if (step)
			t->waits_for[t->waits_for_n++] = step;
	}
}

static void decode_contacts(struct loading *l, const json_t *list, struct tenant *t)
{
	t->contacts = ARENA_N(l->arena, struct contact, json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct chain one = { .n = 0 };
		chain_add(&one, json_array_get(list, i), (struct place){ 0 }, NULL);
		t->contacts[t->contacts_n++] = (struct contact){ arena_dup(l->arena, chain_text(&one, "name", "")),
								 arena_dup(l->arena, chain_text(&one, "email", "")),
								 arena_dup(l->arena, chain_text(&one, "role", "")) };
	}
}

static void decode_retry(const struct chain *chain, struct retry_policy *retry)
{
	struct chain sub = chain_sub(chain, "retry");

	retry->attempts = (int)chain_int(&sub, "attempts", 4);
	retry->first_delay_ms = chain_seconds_ms(&sub, "first_delay_s", 2000);
	retry->max_delay_ms = chain_seconds_ms(&sub, "max_delay_s", 120000);
	retry->give_up_ms = chain_seconds_ms(&sub, "give_up_s", 900000);
}

static unsigned decode_phases(const json_t *list)
{
	unsigned bits = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		int phase = name ? phase_parse(name) : -1;
		if (phase >= 0)
			bits |= 1u << phase;
	}
	return bits;
}

/* Each layer's paths start at its own file, so they are worked out before the layers are merged. */
static void decode_web_service(struct loading *l, const struct chain *chain, struct tenant *t)
{
	struct chain sub = chain_sub(chain, "web_service"), worked_out = sub;
	json_t *merged;

	if (sub.n == 0)
		return;
	for (size_t i = 0; i < sub.n; i++)
		worked_out.at[i].object =
			decode_with_secrets(l, &sub.at[i], &shape_web_service, (json_t *)sub.at[i].object, t->id);
	merged = chain_merged(&worked_out);
	t->has_web_service = true;
	t->web_service = store_keep(l->store, merged);
	json_decref(merged);
	for (size_t i = 0; i < sub.n; i++)
		json_decref((json_t *)worked_out.at[i].object);
}

static void decode_domains(struct loading *l, const struct found *found, struct tenant *t)
{
	size_t n = json_array_size(found->value);

	t->domains_given = json_is_array(found->value);
	t->domains = ARENA_N(l->arena, struct domain, n);
	for (size_t i = 0; i < n; i++) {
		json_t *json = json_array_get(found->value, i);
		const char *name = json_string_value(json_object_get(json, "name"));
		struct layer layer = { json, place_index(&found->place, i), NULL };
		json_t *settings;
		if (!name)
			continue;
		settings = decode_with_secrets(l, &layer, &shape_domain, json, t->id);
		t->domains[t->domains_n++] =
			(struct domain){ decode_dns_name(l, name), store_keep(l->store, settings) };
		json_decref(settings);
	}
}

static void decode_hosts(struct loading *l, const struct found *found, const struct chain *chain, struct tenant *t)
{
	size_t n = json_array_size(found->value);

	t->hosts_given = json_is_array(found->value);
	t->hosts = ARENA_N(l->arena, struct host, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *json = json_array_get(found->value, i);
		struct place place = place_index(&found->place, i);
		place.host = json_string_value(json_object_get(json, "name"));
		l->agent_unknown = l->agent_unknown || !json_is_object(json);
		if (json_is_object(json))
			decode_host(l, &place, json, chain, &t->hosts[t->hosts_n++]);
	}
}

/* Keys that agents of later versions look at; they are merged and kept as they are. */
static json_t *decode_rest(struct loading *l, const struct chain *chain)
{
	static const char *const keys[] = {
		"mx_waits_for", "rollback_until", "retain", "thresholds", "dead_man", "refs"
	};
	json_t *rest = NULL;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct found found = chain_get(chain, keys[i]);
		struct chain sub = { .n = 0 };
		if (!found.value)
			continue;
		if (!rest)
			rest = json_object();
		sub = chain_sub(chain, keys[i]);
		json_object_set_new(rest, keys[i], sub.n ? chain_merged(&sub) : json_incref(found.value));
	}
	if (!rest)
		return loading_empty(l);
	store_keep(l->store, rest);
	json_decref(rest);
	return rest;
}

static void decode_names(struct loading *l, const struct place *place, const json_t *json, const struct chain *chain,
			 struct tenant *t)
{
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *name = json_string_value(json_object_get(json, "name"));

	t->id = arena_dup(l->arena, id ? id : "");
	t->name = arena_dup(l->arena, name ? name : t->id);
	t->wave = arena_dup(l->arena, chain_text(chain, "wave", NULL));
	t->labels = decode_strings(l, chain_get(chain, "labels").value);
	t->japanese = strcmp(chain_text(chain, "language", "en"), "ja") == 0;
	t->change_id = arena_dup(l->arena, chain_text(chain, "change_id", NULL));
	t->file = arena_dup(l->arena, place_file(place));
}

void decode_tenant(struct loading *l, const struct place *place, const json_t *json, struct tenant *t)
{
	struct chain chain = chain_of_tenant(l, place, json);
	struct found domains = chain_get(&chain, "domains"), hosts = chain_get(&chain, "hosts");

	decode_names(l, place, json, &chain, t);
	l->tenant = t->id;
	l->agent_unknown = false;
	decode_contacts(l, chain_get(&chain, "contacts").value, t);
	decode_windows(l, chain_get(&chain, "windows").value, t);
	decode_migration(l, &chain, t);
	decode_period(chain_get(&chain, "vendor_period").value, &t->vendor_period, NULL);
	decode_new_fqdn(l, &chain, t);
	decode_uses(l, &chain, t);
	decode_by(l, &chain, t);
	decode_waits_for(l, &chain, t);
	decode_retry(&chain, &t->retry);
	t->at_window_end =
		strcmp(chain_text(&chain, "at_window_end", "stay"), "rollback") == 0 ? END_ROLLBACK : END_STAY;
	t->require_approval = decode_phases(chain_get(&chain, "require_approval").value);
	decode_web_service(l, &chain, t);
	decode_domains(l, &domains, t);
	decode_hosts(l, &hosts, &chain, t);
	t->rest = decode_rest(l, &chain);
	check_tenant(l, &chain, t);
	l->tenant = NULL;
}
