#include "inventory/decode.h"

#include "base/alloc.h"
#include "base/clock.h"

/* A missing key is not said twice: it may stand there mistyped. The tenant itself is where it would go. */
static bool misses(struct loading *l, const struct chain *chain, const char *key)
{
	for (size_t i = 0; i < chain->n; i++)
		if (json_object_get(chain->at[i].object, key) || problem_excused(l, chain->at[i].object, key))
			return false;
	return true;
}

static struct place own_place(const struct chain *chain)
{
	return chain->at[0].place;
}

/* ---- what has to be there --------------------------------------------------------------------------------------- */

static void check_new_names(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	const struct {
		const char *role, *name, *answer;
		enum tri uses;
	} rows[] = {
		{ "mx", t->new_mx, NULL, TRI_TRUE },
		{ "relay", t->new_relay, "outbound_filter", t->outbound_filter },
		{ "web_service", t->new_web_service, "directory_sync", t->directory_sync },
	};
	struct chain sub = chain_sub(chain, "new_fqdn");

	for (size_t i = 0; sub.n && i < ARRAY_LEN(rows); i++) {
		if (*rows[i].name || rows[i].uses == TRI_FALSE || !misses(l, &sub, rows[i].role))
			continue;
		if (rows[i].answer)
			problem_add(l, &sub.at[0].place, "the key \"%s\" is missing (or say \"%s\": false in \"uses\")",
				    rows[i].role, rows[i].answer);
		else
			problem_add(l, &sub.at[0].place, "the key \"%s\" is missing", rows[i].role);
	}
}

static void check_required(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	struct place own = own_place(chain);

	if (misses(l, chain, "migration_date"))
		problem_add(l, &own, "the key \"migration_date\" is missing: the day of the vendor's data migration");
	if (misses(l, chain, "windows"))
		problem_add(l, &own, "the key \"windows\" is missing, here and on the wave: the agreed nights");
	if (misses(l, chain, "new_fqdn"))
		problem_add(l, &own, "the key \"new_fqdn\" is missing: the name of the vendor's notice");
	check_new_names(l, chain, t);
}

/* ---- times ------------------------------------------------------------------------------------------------------ */

/* Can anything be switched in this window? */
static bool is_usable(const struct tenant *t, const struct window *w)
{
	int64_t start = w->start_ms > t->migration_ms ? w->start_ms : t->migration_ms;
	int64_t end = w->end_ms;

	if (t->vendor_period.end_ms) {
		start = start > t->vendor_period.start_ms ? start : t->vendor_period.start_ms;
		end = end < t->vendor_period.end_ms ? end : t->vendor_period.end_ms;
	}
	return start < end;
}

/* A window that does not meet the vendor's period is a mistake in one of them. */
static void check_against_period(struct loading *l, const struct found *windows, const struct tenant *t)
{
	const struct window *period = &t->vendor_period;
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX];

	for (size_t i = 0; period->end_ms > period->start_ms && i < json_array_size(windows->value); i++) {
		struct place at = place_index(&windows->place, i);
		struct window w = { 0 };
		if (!decode_period(json_array_get(windows->value, i), &w, NULL) ||
		    (w.end_ms > period->start_ms && w.start_ms < period->end_ms))
			continue;
		problem_add(l, &at,
			    "lies outside the vendor_period of tenant %s (%s to %s): nothing may be switched in it",
			    t->id, time_format(period->start_ms, t->offset_min, start),
			    time_format(period->end_ms, t->offset_min, end));
	}
}

static void check_windows(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	struct found windows = chain_get(chain, "windows"), date = chain_get(chain, "migration_date");
	bool before = true, usable = false, outside = true;

	check_against_period(l, &windows, t);
	for (size_t i = 0; i < t->windows_n; i++) {
		const struct window *w = &t->windows[i];
		before = before && w->end_ms <= t->migration_ms;
		usable = usable || is_usable(t, w);
		outside = outside && (w->end_ms <= t->vendor_period.start_ms || w->start_ms >= t->vendor_period.end_ms);
	}
	if (t->windows_n == 0 || !t->migration_ms || usable)
		return;
	if (before)
		problem_add(l, &date.place,
			    "the migration date %s is after all windows of tenant %s: nothing could be switched",
			    t->migration_date, t->id);
	else if (!outside)
		problem_add(l, &windows.place,
			    "no window of tenant %s reaches beyond the migration date %s within its vendor_period: "
			    "nothing "
			    "could be switched",
			    t->id, t->migration_date);
}

static void check_times(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	struct found period = chain_get(chain, "vendor_period"), until = chain_get(chain, "rollback_until");
	const char *text = json_string_value(until.value);
	int64_t until_ms;

	check_windows(l, chain, t);
	if (t->vendor_period.end_ms > t->vendor_period.start_ms && t->migration_ms &&
	    t->vendor_period.end_ms <= t->migration_ms)
		problem_add(l, &period.place, "ends before the migration date %s of tenant %s", t->migration_date,
			    t->id);
	if (text && t->windows_n && time_parse_rfc3339(text, &until_ms, NULL, NULL) == 0 &&
	    until_ms <= t->windows[0].start_ms)
		problem_add(l, &until.place, "is before the first window of tenant %s", t->id);
}

static void check_retry(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	struct chain sub = chain_sub(chain, "retry");

	if (sub.n && t->retry.first_delay_ms > t->retry.max_delay_ms)
		problem_add(l, &sub.at[0].place, "first_delay_s (%.15g) is more than max_delay_s (%.15g)",
			    t->retry.first_delay_ms / 1000.0, t->retry.max_delay_ms / 1000.0);
}

/* ---- targets ---------------------------------------------------------------------------------------------------- */

static bool uses_agent(const struct host *h, const struct agent_decl *decl)
{
	for (size_t i = 0; i < h->agents_n; i++)
		if (h->agents[i].decl == decl)
			return true;
	return false;
}

/* Is there anything to do the step on? Where machines have a part in it, one of them, or a person for the tenant. */
static bool has_target(const struct tenant *t, const struct procedure_step *step)
{
	bool machines = false;

	for (size_t i = 0; i < step->agents_n; i++) {
		const struct agent_decl *decl = step->agents[i].decl;
		if (decl->scope != SCOPE_HOST && strcmp(decl->name, "person") == 0)
			return true;
		machines = machines || decl->scope == SCOPE_HOST;
		for (size_t j = 0; decl->scope == SCOPE_HOST && j < t->hosts_n; j++)
			if (uses_agent(&t->hosts[j], decl))
				return true;
	}
	return !machines;
}

static void check_answers(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	struct chain uses = chain_sub(chain, "uses");

	/* An agent that was mistyped may be the one. */
	for (size_t i = 0; !l->agent_unknown && i < l->inv->procedure->steps_n; i++) {
		const struct procedure_step *step = &l->inv->procedure->steps[i];
		struct found answer;
		if (!step->governed_by || tenant_uses(t, step->governed_by) != TRI_TRUE ||
		    tenant_who(t, step) != WHO_US || has_target(t, step))
			continue;
		answer = chain_get(&uses, step->governed_by);
		problem_add(l, &answer.place,
			    "is true, but tenant %s has no host with an agent of the step %s; add one, or say in "
			    "\"by\" who does it",
			    t->id, step->name);
	}
}

static void check_web_service(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	struct chain sub = chain_sub(chain, "web_service");
	struct found via = chain_get(&sub, "via");
	const char *text = json_string_value(via.value);

	if (text && strcmp(text, "host") == 0 && t->hosts_given && t->hosts_n == 0)
		problem_add(l, &via.place, "is \"host\", but tenant %s has no hosts: who asks? Say \"controller\", or add the host",
			    t->id);
}

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

/* Shall we log in? Not for what a person does, nor for steps of the customer. */
static bool has_work(const struct loading *l, const struct tenant *t, const struct host *h)
{
	const struct procedure *p = l->inv->procedure;

	if (h->verify_n)
		return true;
	for (size_t i = 0; i < p->steps_n; i++) {
		if (tenant_who(t, &p->steps[i]) != WHO_US)
			continue;
		for (size_t j = 0; j < p->steps[i].agents_n; j++) {
			const struct agent_decl *decl = p->steps[i].agents[j].decl;
			if (decl->scope == SCOPE_HOST && strcmp(decl->name, "person") != 0 && uses_agent(h, decl))
				return true;
		}
	}
	return false;
}

static void check_host(struct loading *l, const struct chain *chain, const struct tenant *t, const struct host *h)
{
	const struct connection *c = &h->connection;
	struct place own = own_place(chain);

	if (c->become == BECOME_SUDO && h->os == OS_WINDOWS) {
		struct found become = chain_get(chain, "become");
		problem_add(l, become.layer->label ? &own : &become.place,
			    "\"become\": \"sudo\" on a Windows host; write \"become\": \"none\"");
	}
	if (c->host_keys_policy == HOST_KEYS_ACCEPT_NEW && !h->identity_check.run && misses(l, chain, "identity_check"))
		problem_add(l, &own,
			    "\"host_keys\": \"accept-new\" needs an \"identity_check\": without it any machine would "
			    "do");
	if (c->host_keys_policy == HOST_KEYS_ACCEPT_NEW && c->password.text && !c->identity.text && misses(l, chain, "identity"))
		problem_add(l, &own,
			    "\"host_keys\": \"accept-new\" needs an \"identity\": a password is not given to a host whose key "
			    "nobody has confirmed");
	if (!has_work(l, t, h))
		return;
	if (misses(l, chain, "address"))
		problem_add(l, &own, "the key \"address\" is missing");
	if (misses(l, chain, "user"))
		problem_add(l, &own, "the key \"user\" is missing, here and in all defaults: who logs in?");
	if (!l->unpinned && c->host_keys_policy == HOST_KEYS_PINNED && misses(l, chain, "host_key") && misses(l, chain, "known_hosts"))
		problem_add(l, &own, "has neither \"host_key\" nor \"known_hosts\": its key could not be checked");
}

static void check_hosts(struct loading *l, const struct chain *above, const struct tenant *t)
{
	struct found hosts = chain_get(above, "hosts");

	for (size_t i = 0, at = 0; i < json_array_size(hosts.value); i++) {
		const json_t *json = json_array_get(hosts.value, i);
		struct place place = place_index(&hosts.place, i);
		struct chain chain;
		if (!json_is_object(json))
			continue;
		l->host = place.host = t->hosts[at].name;
		chain = chain_of_host(l, &place, json, above);
		check_host(l, &chain, t, &t->hosts[at++]);
		l->host = NULL;
	}
}

void check_tenant(struct loading *l, const struct chain *chain, const struct tenant *t)
{
	check_required(l, chain, t);
	check_times(l, chain, t);
	check_retry(l, chain, t);
	check_answers(l, chain, t);
	check_web_service(l, chain, t);
	check_hosts(l, chain, t);
}
