/* Hosts and how to reach them. */
#include "inventory/decode.h"

#include "inventory/documents.h"
#include "inventory/shape.h"

#include "base/alloc.h"

#include <stdint.h>

struct strings decode_strings(struct loading *l, const json_t *value)
{
	struct strings list = { 0 };

	list.at = ARENA_N(l->arena, char *, json_is_array(value) ? json_array_size(value) : 1);
	if (json_is_string(value))
		list.at[list.n++] = arena_dup(l->arena, json_string_value(value));
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *text = json_string_value(json_array_get(value, i));
		if (text)
			list.at[list.n++] = arena_dup(l->arena, text);
	}
	return list;
}

/* ---- connections ------------------------------------------------------------------------------------------------ */

/* The hops of a `via`: those that are named; the first one's own way goes before them. */
static void decode_via(struct loading *l, const struct found *found, struct connection *c)
{
	struct strings names = decode_strings(l, found->value);
	const struct bastion *first = names.n ? bastion_named(l, names.at[0]) : NULL;
	size_t before = first ? first->connection.via_n : 0;

	c->via_command = arena_dup(l->arena, json_string_value(json_object_get(found->value, "command")));
	if (!first)
		return;
	c->via = ARENA_N(l->arena, const struct bastion *, before + names.n);
	for (size_t i = 0; i < before; i++)
		c->via[c->via_n++] = first->connection.via[i];
	for (size_t i = 0; i < names.n; i++) {
		const struct bastion *b = bastion_named(l, names.at[i]);
		for (size_t j = 0; b && j < c->via_n; j++)
			if (c->via[j] == b)
				problem_add(l, &found->place, "goes through the bastion %s twice", b->name);
		if (b)
			c->via[c->via_n++] = b;
	}
}

static void decode_login(struct loading *l, const struct chain *chain, const char *tenant, const char *host,
			 struct connection *c)
{
	struct found identity = chain_get(chain, "identity"), passphrase = chain_get(chain, "identity_passphrase");
	struct found agent = chain_get(chain, "identity_agent"), certificate = chain_get(chain, "certificate");
	struct found password = chain_get(chain, "password");

	c->user = arena_dup(l->arena, chain_text(chain, "user", NULL));
	if (passphrase.value)
		c->passphrase = decode_secret(l, &passphrase, tenant, host);
	if (identity.value)
		c->identity = decode_identity(l, &identity, tenant, host);
	if (c->identity.text && !passphrase.value)
		check_identity_unlocked(l, &identity, &c->identity);
	if (agent.value)
		c->agent_socket = decode_file(l, &agent, false);
	if (certificate.value)
		c->certificate = decode_file(l, &certificate, true);
	if (password.value)
		c->password = decode_secret(l, &password, tenant, host);
}

void decode_connection(struct loading *l, const struct chain *chain, const char *tenant, const char *host,
		       struct connection *c)
{
	struct found via = chain_get(chain, "via"), known_hosts = chain_get(chain, "known_hosts");

	c->address = arena_dup(l->arena, chain_text(chain, "address", ""));
	c->port = (int)chain_int(chain, "port", 22);
	decode_login(l, chain, tenant, host, c);
	c->host_keys = decode_strings(l, chain_get(chain, "host_key").value);
	c->host_keys_policy = strcmp(chain_text(chain, "host_keys", "pinned"), "accept-new") == 0 ? HOST_KEYS_ACCEPT_NEW
												  : HOST_KEYS_PINNED;
	/* The file of pins must be there before the first host is asked, else each one would be refused. */
	if (known_hosts.value)
		c->known_hosts = decode_file(l, &known_hosts, !l->unpinned && c->host_keys_policy != HOST_KEYS_ACCEPT_NEW);
	if (via.value)
		decode_via(l, &via, c);
	c->become = strcmp(chain_text(chain, "become", "none"), "sudo") == 0 ? BECOME_SUDO : BECOME_NONE;
}

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

static const struct agent_decl *host_agent(const struct procedure *p, const char *name)
{
	for (size_t i = 0; name && i < p->agents_n; i++)
		if (p->agents[i].scope == SCOPE_HOST && strcmp(p->agents[i].name, name) == 0)
			return &p->agents[i];
	return NULL;
}

/* The agent's own keys; one text where several may stand becomes a list of one. */
static json_t *make_params(const struct agent_decl *decl, const json_t *use)
{
	json_t *params = NULL;
	const char *key;
	json_t *type;

	json_object_foreach(decl->params, key, type) {
		json_t *value = json_object_get(use, key);
		if (value && !params)
			params = json_object();
		if (value && json_is_string(value) && strcmp(json_string_value(type), "strings") == 0)
			json_object_set_new(params, key, json_pack("[O]", value));
		else if (value)
			json_object_set(params, key, value);
	}
	return params;
}

/* An entry of a template or of defaults is the same for thousands of hosts, so each is made once. */
static json_t *params_of(struct loading *l, const struct agent_decl *decl, const json_t *use)
{
	char *name = arena_fmt(&l->scratch, "%jx", (uintmax_t)(uintptr_t)use);
	json_t *params = names_get(&l->params, name);

	if (params)
		return params;
	params = make_params(decl, use);
	if (!params)
		return loading_empty(l);
	store_keep(l->store, params);
	json_decref(params);
	names_add(&l->params, name, params);
	return params;
}

static void decode_agents(struct loading *l, const json_t *list, struct host *h)
{
	size_t n = json_array_size(list);

	h->agents = ARENA_N(l->arena, struct agent_use, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *json = json_array_get(list, i);
		const char *key = json_string_value(json_object_get(json, "key"));
		const struct agent_decl *decl =
			host_agent(l->inv->procedure, json_string_value(json_object_get(json, "agent")));
		l->agent_unknown = l->agent_unknown || !decl;
		if (decl)
			h->agents[h->agents_n++] =
				(struct agent_use){ decl, arena_dup(l->arena, key ? key : decl->name),
						    params_of(l, decl, json) };
	}
}

static void decode_verify(struct loading *l, const struct found *found, struct host *h)
{
	size_t n = json_array_size(found->value);

	h->verify = ARENA_N(l->arena, struct verify_command, n);
	for (size_t i = 0; i < n; i++) {
		struct chain one = { .n = 0 };
		struct verify_command *v = &h->verify[h->verify_n];
		chain_add(&one, json_array_get(found->value, i), place_index(&found->place, i), NULL);
		if (one.n == 0)
			continue;
		v->name = arena_dup(l->arena, chain_text(&one, "name", ""));
		v->run = arena_dup(l->arena, chain_text(&one, "run", ""));
		v->exit = (int)chain_int(&one, "exit", 0);
		v->stdout_matches = arena_dup(l->arena, chain_text(&one, "stdout_matches", NULL));
		v->timeout_ms = chain_seconds_ms(&one, "timeout_s", 30000);
		h->verify_n++;
	}
}

static void decode_identity_check(struct loading *l, const struct chain *chain, struct identity_check *check)
{
	struct chain sub = chain_sub(chain, "identity_check");

	if (sub.n == 0)
		return;
	check->run = arena_dup(l->arena, chain_text(&sub, "run", NULL));
	check->equals = arena_dup(l->arena, chain_text(&sub, "equals", NULL));
	check->matches = arena_dup(l->arena, chain_text(&sub, "matches", NULL));
	if (!check->run)
		problem_add(l, &sub.at[0].place, "the key \"run\" is missing: the command whose output is compared");
	else if (!check->equals == !check->matches)
		problem_add(l, &sub.at[0].place, "has %s \"equals\" %s \"matches\": it needs one of them",
			    check->equals ? "both" : "neither", check->equals ? "and" : "nor");
}

static enum os_kind os_of(const char *word)
{
	return !word ? OS_UNKNOWN : strcmp(word, "windows") == 0 ? OS_WINDOWS : OS_LINUX;
}

struct chain chain_of_host(const struct loading *l, const struct place *place, const json_t *json,
			   const struct chain *tenant)
{
	struct chain chain = { .n = 0 };
	const char *like = json_string_value(json_object_get(json, "like"));

	chain_add(&chain, json, *place, NULL);
	if (like)
		chain_add(&chain, json_object_get(json_object_get(l->root, "templates"), like),
			  place_key(&l->templates_place, like), "template");
	for (size_t i = 0; i < tenant->n; i++)
		chain_add(&chain, tenant->at[i].object, tenant->at[i].place, tenant->at[i].label);
	return chain;
}

void decode_host(struct loading *l, const struct place *place, const json_t *json, const struct chain *above,
		 struct host *h)
{
	struct chain chain = chain_of_host(l, place, json, above);
	struct found verify = chain_get(&chain, "verify");
	struct chain mta = chain_sub(&chain, "mta");
	const char *name = json_string_value(json_object_get(json, "name"));

	h->name = arena_dup(l->arena, name ? name : "");
	l->host = h->name;
	h->os = os_of(chain_text(&chain, "os", NULL));
	h->gateway = strcmp(chain_text(&chain, "role", "host"), "gateway") == 0;
	decode_connection(l, &chain, l->tenant, h->name, &h->connection);
	decode_agents(l, chain_get(&chain, "agents").value, h);
	decode_verify(l, &verify, h);
	decode_identity_check(l, &chain, &h->identity_check);
	h->mta_public_ips = decode_strings(l, chain_get(&mta, "public_ips").value);
	h->mta_log = arena_dup(l->arena, chain_text(&mta, "log", NULL));
	l->host = NULL;
}
