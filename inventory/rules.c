#include "inventory/rules.h"

#include "inventory/decode.h"
#include "inventory/json_text.h"
#include "inventory/shape.h"
#include "inventory/suggest.h"
#include "inventory/text_check.h"

#include "base/alloc.h"
#include "base/clock.h"

/* ---- times ------------------------------------------------------------------------------------------------------ */

void rule_period(struct loading *l, const struct place *place, json_t *value)
{
	struct window w;

	if (decode_period(value, &w, NULL) && w.end_ms <= w.start_ms)
		problem_add(l, place, "ends (%s) before it begins (%s)",
			    json_string_value(json_object_get(value, "end")),
			    json_string_value(json_object_get(value, "start")));
}

void rule_windows(struct loading *l, const struct place *place, json_t *value)
{
	json_t *one, *other;
	size_t i, j;

	if (json_array_size(value) > WINDOWS_MAX) {
		problem_add(l, place, "has %zu windows; %d are allowed", json_array_size(value), WINDOWS_MAX);
		return;
	}
	json_array_foreach(value, i, one) {
		struct place at = place_index(place, i);
		struct window a, b;
		if (!decode_period(one, &a, NULL))
			continue;
		for (j = 0; j < i; j++) {
			other = json_array_get(value, j);
			if (decode_period(other, &b, NULL) && a.start_ms < b.end_ms && b.start_ms < a.end_ms)
				problem_add(l, &at, "overlaps window %zu (%s to %s); make it one window", j,
					    json_string_value(json_object_get(other, "start")),
					    json_string_value(json_object_get(other, "end")));
		}
	}
}

void rule_time_zone(struct loading *l, const struct place *place, json_t *value)
{
	const char *zone = json_string_value(value);
	struct err err = { 0 };
	int64_t ms;

	if (names_get(&l->midnights, zone))
		return;
	if (time_midnight_in_zone(0, zone, &ms, &err) != 0)
		problem_add(l, place, "%s", err.text);
	else
		names_add(&l->midnights, arena_dup(&l->scratch, zone), (void *)zone);
}

/* ---- names of the service --------------------------------------------------------------------------------------- */

static bool is_among(const struct strings *names, const char *name)
{
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < names->n; i++)
		if (strlen(names->at[i]) == len && strncasecmp(names->at[i], name, len) == 0)
			return true;
	return false;
}

void rule_new_name(struct loading *l, const struct place *place, json_t *value)
{
	const struct profile *profile = l->inv->profile;
	const char *name = json_string_value(value);

	if (profile && (is_among(&profile->old_relay, name) || is_among(&profile->old_web_service, name) ||
			is_among(&profile->old_mx, name)))
		problem_add(l, place,
			    "\"%s\" is a name of the old service (profile %s); write the name of the vendor's notice",
			    name, profile->name);
}

void rule_new_fqdn(struct loading *l, const struct place *place, json_t *value)
{
	static const struct key as_text = { "new_fqdn", VALUE_TEXT, .text = check_text_domain, .rule = rule_new_name };

	if (json_is_object(value))
		shape_check(l, place, &shape_new_fqdn, value);
	else if (json_is_string(value))
		shape_check_value(l, place, &as_text, value);
	else
		problem_add(l, place, "must be a name, or an object with \"relay\", \"web_service\" and \"mx\", not %s",
			    json_kind(value));
}

/* ---- the procedure's words -------------------------------------------------------------------------------------- */

static void unknown_step(struct loading *l, const struct place *place, const char *name)
{
	const struct procedure *p = l->inv->procedure;
	struct suggestion s = { .word = name };

	for (size_t i = 0; i < p->steps_n; i++)
		suggestion_offer(&s, p->steps[i].name);
	problem_add(l, place, "the procedure %s has no step \"%.*s\"%s", p->name, TEXT_QUOTED, name,
		    shape_hint(l, s.best));
}

void rule_by(struct loading *l, const struct place *place, json_t *value)
{
	static const char *const words[] = { "us", "customer", "isp", NULL };
	static const struct key who = { "by", VALUE_WORD, .words = words };
	const char *step;
	json_t *member;

	json_object_foreach(value, step, member) {
		struct place at = place_key(place, step);
		if (l->inv->procedure && !procedure_step(l->inv->procedure, step))
			unknown_step(l, &at, step);
		shape_check_value(l, &at, &who, member);
	}
}

static bool is_governing(const struct procedure *p, const char *key)
{
	for (size_t i = 0; i < p->steps_n; i++)
		if (p->steps[i].governed_by && strcmp(p->steps[i].governed_by, key) == 0)
			return true;
	return false;
}

static void unknown_answer(struct loading *l, const struct place *place, const json_t *uses, const char *key)
{
	const struct procedure *p = l->inv->procedure;
	struct suggestion s = { .word = key };

	for (size_t i = 0; i < p->steps_n; i++)
		if (p->steps[i].governed_by)
			suggestion_offer(&s, p->steps[i].governed_by);
	problem_add(l, place, "unknown key \"%s\"%s", key,
		    s.best ? shape_hint(l, s.best) : ": no step of the procedure asks for it");
	if (s.best)
		problem_excuse(l, uses, s.best);
}

void rule_uses(struct loading *l, const struct place *place, json_t *value)
{
	const struct procedure *p = l->inv->procedure;
	const char *key;
	json_t *member;

	json_object_foreach(value, key, member) {
		struct place at = place_key(place, key);
		if (p && !is_governing(p, key))
			unknown_answer(l, &at, value, key);
		if (!json_is_boolean(member) &&
		    !(json_is_string(member) && strcmp(json_string_value(member), "unknown") == 0))
			problem_add(l, &at, "must be true, false or \"unknown\"");
	}
}

/* Does `step` need `what`, directly or by others? `seen` marks the steps that were asked. */
static bool needs(const struct procedure *p, const struct procedure_step *step, const struct procedure_step *what,
		  char *seen)
{
	if (seen[step - p->steps])
		return false;
	seen[step - p->steps] = 1;
	for (size_t i = 0; i < step->needs_n; i++)
		if (step->needs[i] == what || needs(p, step->needs[i], what, seen))
			return true;
	return false;
}

void rule_mx_waits_for(struct loading *l, const struct place *place, json_t *value)
{
	const struct procedure *p = l->inv->procedure;
	const struct procedure_step *mx = p ? procedure_step(p, "mx") : NULL;
	json_t *element;
	size_t i;

	if (p && !mx)
		problem_add(l, place, "the procedure %s has no step \"mx\"", p->name);
	json_array_foreach(value, i, element) {
		struct place at = place_index(place, i);
		const char *name = json_string_value(element);
		const struct procedure_step *step = p ? procedure_step(p, name) : NULL;
		if (p && !step)
			unknown_step(l, &at, name);
		else if (mx && (step == mx || needs(p, step, mx, arena_alloc(&l->scratch, p->steps_n, 1))))
			problem_add(l, &at, "mx cannot wait for \"%s\", which comes after it", name);
	}
}

/* ---- small shapes ----------------------------------------------------------------------------------------------- */

void rule_threshold(struct loading *l, const struct place *place, json_t *value)
{
	const char *text = json_string_value(value);
	char *end = NULL;
	long percent;

	if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= 1000000)
		return;
	percent = text && *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
	if (percent < 0 || percent > 100 || strcmp(end, "%") != 0)
		problem_add(l, place, "must be a number of targets (10) or a share of them (\"5%%\")");
}

void rule_refs(struct loading *l, const struct place *place, json_t *value)
{
	static const struct key ref = { "refs", VALUE_TEXT, .text = check_text_plain };
	const char *name;
	json_t *member;

	json_object_foreach(value, name, member) {
		struct place at = place_key(place, name);
		shape_check_value(l, &at, &ref, member);
	}
}

void rule_object(struct loading *l, const struct place *place, json_t *value)
{
	if (!json_is_object(value))
		problem_add(l, place, "must be an object, not %s", json_kind(value));
}

void rule_version(struct loading *l, const struct place *place, json_t *value)
{
	if (json_is_integer(value) && json_integer_value(value) == 1)
		return;
	if (json_is_integer(value) && json_integer_value(value) > 1)
		problem_add(l, place,
			    "is %lld: a format that is newer than this program, which knows 1; use a newer program",
			    (long long)json_integer_value(value));
	else
		problem_add(l, place, "must be 1, the version of the format");
}

void rule_dns(struct loading *l, const struct place *place, json_t *value)
{
	static const struct {
		const char *key, *provider;
		bool required;
	} rows[] = {
		{ "server", "rfc2136", true },       { "tsig_key", "rfc2136", true },
		{ "api_token", "cloudflare", true }, { "access_key", "route53", true },
		{ "secret_key", "route53", true },   { "service_account", "google", true },
	};
	const char *provider = json_string_value(json_object_get(value, "provider"));

	for (size_t i = 0; provider && i < ARRAY_LEN(rows); i++) {
		bool ours = strcmp(provider, rows[i].provider) == 0;
		if (ours && rows[i].required && !json_object_get(value, rows[i].key) &&
		    !problem_excused(l, value, rows[i].key))
			problem_add(l, place, "the provider %s needs the key \"%s\"", provider, rows[i].key);
		if (!ours && json_object_get(value, rows[i].key)) {
			struct place at = place_key(place, rows[i].key);
			problem_add(l, &at, "is for the provider %s, not for %s", rows[i].provider, provider);
		}
	}
}
