/*
 * The happy path: the machines to look at are listed, as many as may are opened at once, each says who it is, is closed, and
 * the next one follows. Failing: what goes wrong with one is its result, and the others go on. Closing: learn_stop closes what
 * is open; done comes when the last close callback has run.
 */
#include "engine/learn.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "base/utf8.h"
#include "engine/identity.h"
#include "engine/way.h"

#include <ctype.h>

enum { SSH_PORT = 22, SHOWN_BYTES = 200 };

/* One connection. */
struct looking {
	struct learn *learn;
	size_t at; /* of learn->results */
	struct remote *remote;
	struct op op;
	struct remote_request request;
	bool closing;
	struct list node;
};

struct learn {
	struct learn_config cfg;
	struct learned *results;
	size_t n, next, bastions_n;
	struct list open; /* looking.node */
	size_t open_n;
	bool stopped, over;
};

/* ---- which ------------------------------------------------------------------------------------------------------- */

/* Where a run would not log in, there is nothing to learn. */
static bool logs_in(const struct host *h)
{
	const struct connection *c = &h->connection;
	bool work = h->verify_n > 0;

	for (size_t i = 0; i < h->agents_n; i++)
		work = work || strcmp(h->agents[i].decl->name, "person") != 0;
	return work && *c->address && c->user && (c->identity.text || c->password.text);
}

static bool is_known(const struct learn *l, const struct connection *c)
{
	return c->host_keys.n || l->cfg.known(c, l->cfg.arg);
}

/* Takes the text, which may have a host's words in it. */
static void set_text(struct learned *r, char *text)
{
	utf8_printable(text);
	free(r->text);
	r->text = text;
}

static struct learned *add(struct learn *l, const struct tenant *t, const struct host *h)
{
	struct learned *r;

	GROW_FOR_ONE(l->results, l->n);
	r = &l->results[l->n++];
	*r = (struct learned){ .tenant = t,
			       .host = h,
			       .text = str_dup(""),
			       .key = str_dup(""),
			       .name = str_dup(""),
			       .blob = str_dup(""),
			       .banner = str_dup("") };
	return r;
}

/* The first bastion on the way whose key is not known. */
static const struct bastion *unknown_bastion(const struct learn *l, const struct connection *c)
{
	for (size_t i = 0; i < c->via_n; i++)
		if (!is_known(l, &c->via[i]->connection))
			return c->via[i];
	return NULL;
}

static bool is_listed(const struct learn *l, const struct bastion *b)
{
	for (size_t i = 0; i < l->bastions_n; i++)
		if (l->results[i].bastion == b)
			return true;
	return false;
}

/* each: for a host that is selected and to be logged in to. */
static void each_host(struct learn *l, void (*each)(struct learn *l, const struct tenant *t, const struct host *h))
{
	const struct inventory *inv = l->cfg.inventory;

	for (size_t i = 0; i < inv->tenants_n; i++) {
		const struct tenant *t = &inv->tenants[i];
		for (size_t k = 0; selection_tenant(l->cfg.selection, t) && k < t->hosts_n; k++)
			if (selection_host(l->cfg.selection, &t->hosts[k]) && logs_in(&t->hosts[k]))
				each(l, t, &t->hosts[k]);
	}
}

/* The host lends the bastion its way, and its key: a bastion that says nothing of a key takes the host's (way.c). */
static void list_bastion(struct learn *l, const struct tenant *t, const struct host *h)
{
	const struct bastion *b = unknown_bastion(l, &h->connection);

	if (!b || is_listed(l, b))
		return;
	add(l, t, h)->bastion = b;
	l->bastions_n = l->n;
}

static void list_host(struct learn *l, const struct tenant *t, const struct host *h)
{
	const struct bastion *before = unknown_bastion(l, &h->connection);
	struct learned *r = add(l, t, h);

	if (!before)
		return;
	r->result = LEARN_BEHIND;
	set_text(r, str_fmt("it is behind the bastion %s, whose key is not known: pin that one first, then learn again",
			    before->name));
}

/* ---- names that stand for several machines ----------------------------------------------------------------------- */

static const struct connection *connection_of(const struct learned *r)
{
	return r->bastion ? &r->bastion->connection : &r->host->connection;
}

/* As a known_hosts file names it. */
static char *name_of(const struct connection *c)
{
	char *name = c->port == SSH_PORT ? str_dup(c->address) : str_fmt("[%s]:%d", c->address, c->port);

	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

static char *way_to(const struct connection *c)
{
	struct buf way = BUF_INIT;

	buf_adds(&way, "via");
	for (size_t i = 0; i < c->via_n; i++)
		buf_addf(&way, " %s", c->via[i]->name);
	buf_addf(&way, "|%s", c->via_command ? c->via_command : "");
	return buf_detach(&way);
}

/* ways: name → how that machine is reached; "" where there are several ways. */
static void note_way(struct map *ways, const struct connection *c)
{
	char *name = name_of(c), *way = way_to(c), *earlier = map_get(ways, name);

	if (!earlier) {
		map_set(ways, name, way);
	} else if (strcmp(earlier, way) != 0) {
		map_set(ways, name, str_dup(""));
		free(earlier);
		free(way);
	} else {
		free(way);
	}
	free(name);
}

/* Over the whole inventory: a known_hosts file is everybody's. */
static void mark_several_ways(struct learn *l)
{
	const struct inventory *inv = l->cfg.inventory;
	struct map ways = { 0 };

	for (size_t i = 0; i < inv->tenants_n; i++)
		for (size_t k = 0; k < inv->tenants[i].hosts_n; k++)
			note_way(&ways, &inv->tenants[i].hosts[k].connection);
	for (size_t i = 0; i < inv->bastions_n; i++)
		note_way(&ways, &inv->bastions[i].connection);
	for (size_t i = 0; i < l->n; i++) {
		char *name = name_of(connection_of(&l->results[i])), *way = map_get(&ways, name);
		if (way && !*way)
			l->results[i].ambiguous = "the inventory has another machine of this address, behind other bastions";
		free(name);
	}
	for (size_t i = 0; i < ways.cap; i++)
		free(ways.slots[i].value);
	map_release(&ways);
}

/* Two keys under one name: a balancer, two machines, or somebody in between. One of them may be wrong, so neither counts. */
static void mark_several_keys(struct learn *l)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		struct learned *r = &l->results[i], *earlier;
		if (!*r->blob)
			continue;
		earlier = map_get(&seen, r->name);
		if (!earlier)
			map_set(&seen, r->name, r);
		else if (strcmp(earlier->blob, r->blob) != 0)
			earlier->ambiguous = r->ambiguous = "different keys were shown at this address";
	}
	map_release(&seen);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static void go_on(struct learn *l);

static void on_closed(void *arg)
{
	struct looking *k = arg;
	struct learn *l = k->learn;

	list_remove(&k->node);
	l->open_n--;
	free(k);
	go_on(l);
}

static void close_it(struct looking *k)
{
	if (k->closing)
		return;
	k->closing = true;
	remote_close(k->remote, on_closed, k);
}

static void conclude(struct learn *l, struct learned *r, enum learn_result result, char *text)
{
	r->result = result;
	set_text(r, text);
	if (l->cfg.told)
		l->cfg.told(r, l->cfg.arg);
}

static void set(char **at, char *value)
{
	free(*at);
	*at = value;
}

static void take_key(const struct looking *k, struct learned *r)
{
	struct remote_info info = { 0 };

	remote_info(k->remote, &info);
	if (!info.host_key || !*info.host_key || !info.host_key_blob)
		return;
	set(&r->key, str_dup(info.host_key));
	set(&r->name, name_of(connection_of(r)));
	set(&r->blob, base64_encode(info.host_key_blob, info.host_key_blob_len));
	set(&r->banner, str_dup(info.banner ? info.banner : ""));
	utf8_printable(r->banner);
	r->bits = info.host_key_bits;
	r->wall_ms = clock_wall_ms(k->learn->cfg.clock);
}

/* It has answered, and as the one it should be, as far as can be told. */
static void end_well(struct looking *k, enum learn_result result, char *text)
{
	struct learned *r = &k->learn->results[k->at];

	take_key(k, r);
	if (!*r->key)
		conclude(k->learn, r, LEARN_FAILED, str_fmt("it showed no key; %s", text));
	else
		conclude(k->learn, r, result, str_dup(text));
	free(text);
	close_it(k);
}

static void end_badly(struct looking *k, enum learn_result result, char *text)
{
	conclude(k->learn, &k->learn->results[k->at], result, text);
	close_it(k);
}

/* Addresses get swapped: who would have said that? NULL: nobody. */
static char *whose_identity(const struct learn *l, const struct learned *r, const struct op_result *said)
{
	const struct inventory *inv = l->cfg.inventory;

	for (size_t i = 0; i < inv->tenants_n; i++) {
		for (size_t k = 0; k < inv->tenants[i].hosts_n; k++) {
			const struct host *h = &inv->tenants[i].hosts[k];
			const struct identity_check *other = &h->identity_check;
			char *seen;
			bool agrees;
			if (h == r->host || !other->run || strcmp(other->run, r->host->identity_check.run) != 0)
				continue;
			agrees = identity_agrees(other, said, &seen);
			free(seen);
			if (agrees)
				return str_fmt("%s/%s", inv->tenants[i].id, h->name);
		}
	}
	return NULL;
}

static char *describe_wrong(const struct learn *l, const struct learned *r, const struct op_result *said, const char *seen)
{
	const struct identity_check *check = &r->host->identity_check;
	char *whose = whose_identity(l, r, said);
	char *text = str_fmt("`%s` says \"%.*s\" (exit %d), identity_check wants %s\"%s\"%s%s%s", check->run, SHOWN_BYTES, seen,
			     (int)said->exit_code, check->equals ? "" : "a match of ",
			     check->equals ? check->equals : check->matches,
			     whose ? ": that is what " : ": check its address, port and bastion", whose ? whose : "",
			     whose ? " should say; are the addresses swapped?" : "");

	free(whose);
	return text;
}

static void judge(struct looking *k, const struct op_result *said)
{
	struct learn *l = k->learn;
	struct learned *r = &l->results[k->at];
	const struct identity_check *check = &r->host->identity_check;
	bool known = is_known(l, &r->host->connection);
	char *seen = NULL;

	if (identity_agrees(check, said, &seen))
		end_well(k, known ? LEARN_KNOWN : LEARN_PROVED,
			 str_fmt("`%s` says \"%.*s\", as identity_check wants", check->run, SHOWN_BYTES, seen));
	else
		end_badly(k, LEARN_WRONG, describe_wrong(l, r, said, seen));
	free(seen);
}

static void on_said(struct remote_request *request)
{
	struct looking *k = request->arg;
	const struct err *failure = &request->result.failure;

	if (k->learn->stopped)
		close_it(k);
	else if (failure->code)
		end_badly(k, LEARN_FAILED, str_fmt("identity_check: %s", failure->text));
	else
		judge(k, &request->result);
	op_release(&k->op);
	op_result_release(&request->result);
}

static void ask_who(struct looking *k)
{
	const struct learned *r = &k->learn->results[k->at];
	const struct identity_check *check = &r->host->identity_check;

	if (check->run) {
		op_init(&k->op, OP_EXEC);
		k->op.command = str_dup(check->run);
		k->request = (struct remote_request){ .op = &k->op, .what = "identity_check", .done = on_said, .arg = k };
		remote_start(k->remote, &k->request);
	} else if (is_known(k->learn, &r->host->connection)) {
		end_well(k, LEARN_KNOWN, str_dup("it has no identity_check"));
	} else {
		end_well(k, LEARN_UNPROVED, str_dup("it has no identity_check: nothing shows that it is the right machine"));
	}
}

/* What a bastion is for is forwarding: many let nobody in beyond that. Its key was shown before. */
static void bastion_opened(struct looking *k, const struct err *err)
{
	const char *nobody = "a bastion has no identity_check: nothing shows that it is the right machine";
	struct remote_info info = { 0 };

	remote_info(k->remote, &info);
	if (err && (!info.host_key || !*info.host_key))
		end_badly(k, LEARN_FAILED, str_dup(err->text));
	else if (err)
		end_well(k, LEARN_UNPROVED, str_fmt("%s; and it lets nobody in: %s", nobody, err->text));
	else
		end_well(k, LEARN_UNPROVED, str_dup(nobody));
}

static void on_opened(struct remote *remote, const struct err *err, void *arg)
{
	struct looking *k = arg;

	(void)remote;
	if (k->learn->stopped)
		close_it(k);
	else if (err && err->code == E_HOSTKEY)
		end_badly(k, LEARN_REFUSED, str_dup(err->text));
	else if (k->learn->results[k->at].bastion)
		bastion_opened(k, err);
	else if (err)
		end_badly(k, LEARN_FAILED, str_dup(err->text));
	else
		ask_who(k);
}

/* The spec of a bastion is that of its place on the way to the host. */
static const struct remote_spec *spec_for(const struct learned *r, const struct way *way)
{
	for (size_t i = 0; r->bastion && i < r->host->connection.via_n; i++)
		if (r->host->connection.via[i] == r->bastion)
			return &way->hops[i].spec;
	return way_spec(way);
}

static void look(struct learn *l, size_t at)
{
	struct learned *r = &l->results[at];
	char *target = str_fmt("host:%s", r->host->name);
	struct remote_spec spec;
	struct looking *k;
	struct way way;
	struct err err = { 0 };

	if (way_make(&way, r->tenant, r->host, &err) != 0) {
		conclude(l, r, LEARN_FAILED, str_dup(err.text));
		free(target);
		return;
	}
	spec = *spec_for(r, &way);
	/* Lets in only that of which nothing is known. */
	spec.accept_new = true;
	if (l->cfg.rows && !r->bastion)
		spec.seen_host_key = rows_host_key(l->cfg.rows, r->tenant->id, target);
	k = NEW(struct looking);
	k->learn = l;
	k->at = at;
	list_append(&l->open, &k->node);
	l->open_n++;
	k->remote = remote_open(l->cfg.transport, &spec, on_opened, k);
	way_release(&way);
	free(target);
}

static void go_on(struct learn *l)
{
	while (!l->stopped && l->next < l->n && l->open_n < (size_t)l->cfg.concurrency) {
		size_t at = l->next++;
		if (l->results[at].result == LEARN_NONE)
			look(l, at);
		else if (l->cfg.told)
			l->cfg.told(&l->results[at], l->cfg.arg);
	}
	if (l->open_n || l->over || (!l->stopped && l->next < l->n))
		return;
	l->over = true;
	mark_several_keys(l);
	l->cfg.done(l, l->cfg.arg);
}

/* ---- outside ----------------------------------------------------------------------------------------------------- */

struct learn *learn_new(const struct learn_config *config)
{
	struct learn *l = NEW(struct learn);

	l->cfg = *config;
	list_init(&l->open);
	each_host(l, list_bastion);
	each_host(l, list_host);
	mark_several_ways(l);
	return l;
}

void learn_start(struct learn *l)
{
	go_on(l);
}

void learn_stop(struct learn *l)
{
	l->stopped = true;
	for (struct list *n = l->open.next; n != &l->open; n = n->next)
		close_it(CONTAINER_OF(n, struct looking, node));
}

void learn_free(struct learn *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct learned *r = &l->results[i];
		free(r->text);
		free(r->key);
		free(r->name);
		free(r->blob);
		free(r->banner);
	}
	free(l->results);
	free(l);
}

const struct learned *learn_results(const struct learn *l, size_t *n)
{
	*n = l->n;
	return l->results;
}

size_t learn_count(const struct learn *l, enum learn_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->results[i].result == result;
	return n;
}
