/*
 * One machine: at most one connection, one task at a time. What a tenant's targets without a host ask for is a machine as
 * well, whose connection is the controller itself: so slots, retries, cancelling and the end are the same for both, and
 * one service is not asked for all of a tenant's domains at once. The happy path: a task comes into the queue, the engine gives
 * a slot, the connection is opened and its identity checked, the task works, the next one follows on the same connection
 * when it is for the same host; with the queue empty the connection is closed and the slot given back. A connection that
 * cannot be opened, or is dropped, fails the task at hand only; the task decides when it comes again. Closing waits for
 * the remote's close callback before anything new is opened.
 */
#include "engine/internal.h"

#include "base/alloc.h"
#include "engine/way.h"
#include "inventory/secret.h"

static char *key_of(const struct roster_row *row)
{
	const struct connection *c;
	struct buf key = BUF_INIT;

	if (!row->host)
		return str_fmt("%s|", row->tenant->id);
	c = &row->host->connection;
	for (size_t i = 0; i < c->via_n; i++)
		buf_addf(&key, "%s>", c->via[i]->name);
	buf_addf(&key, "%s|%s:%d", c->via_command ? c->via_command : "", c->address, c->port);
	return buf_detach(&key);
}

struct machine *machine_for(struct engine *e, const struct roster_row *row)
{
	char *key = key_of(row);
	struct machine *m = map_get(&e->machine_index, key);

	if (!m) {
		m = NEW(struct machine);
		m->engine = e;
		m->key = key;
		list_init(&m->queue);
		GROW_FOR_ONE(e->machines, e->machines_n);
		e->machines[e->machines_n++] = m;
		map_set(&e->machine_index, key, m);
	} else {
		free(key);
	}
	return m;
}

static void forget_password(struct machine *m)
{
	free(m->secret);
	m->secret = NULL;
	buf_release_secret(&m->password);
}

static void forget_way(struct machine *m)
{
	if (m->through)
		way_release(m->through);
	free(m->through);
	m->through = NULL;
	m->through_host = NULL;
}

void machine_free(struct machine *m)
{
	forget_password(m);
	forget_way(m);
	free(m->key);
	free(m);
}

bool machine_is_quiet(const struct machine *m)
{
	return !m->current && !m->remote && list_empty(&m->queue) && !m->has_slot;
}

/* The engine's next turn pumps it, when a slot is free. */
static void want(struct machine *m)
{
	if (!list_linked(&m->node))
		list_append(&m->engine->hungry, &m->node);
	engine_turn_soon(m->engine);
}

void machine_add(struct machine *m, struct task *t)
{
	list_append(&m->queue, &t->node);
	want(m);
}

/* ---- the connection --------------------------------------------------------------------------------------------- */

static void on_closed(void *arg)
{
	struct machine *m = arg;

	m->closing = false;
	m->remote = NULL;
	want(m);
}

static void disconnect(struct machine *m)
{
	m->ready = false;
	forget_password(m);
	forget_way(m);
	if (m->closing || !m->remote)
		return;
	m->closing = true;
	remote_close(m->remote, on_closed, m);
}

static void connection_failed(struct machine *m, const struct err *err)
{
	struct err why = *err;

	task_way_failed(m->current, &why, false);
	engine_turn_soon(m->engine);
}

static void identity_checked(struct machine *m, const struct err *err)
{
	if (err) {
		connection_failed(m, err);
		return;
	}
	m->ready = true;
	task_connected(m->current);
}

static void on_opened(struct remote *remote, const struct err *err, void *arg)
{
	struct machine *m = arg;

	(void)remote;
	if (err)
		connection_failed(m, err);
	else
		check_identity(m, identity_checked);
	engine_turn_soon(m->engine);
}

/* What the host showed when it was last let in. */
static void add_seen(const struct engine *e, struct way *way, const struct tenant *tenant, const struct host *host)
{
	char *target = str_fmt("host:%s", host->name);

	way_seen(way, rows_host_key(e->cfg.rows, tenant->id, target));
	free(target);
}

static void open_remote(struct machine *m)
{
	const struct roster_row *row = m->current->roster;
	struct way way;
	struct err err = { 0 };

	m->host = row->host;
	m->host_tenant = row->tenant;
	if (!row->host) {
		m->remote = remote_open(m->engine->cfg.local, &(struct remote_spec){ .label = row->tenant->id }, on_opened, m);
		return;
	}
	if (way_make(&way, row->tenant, row->host, &err) != 0) {
		connection_failed(m, &err);
		return;
	}
	add_seen(m->engine, &way, row->tenant, row->host);
	m->remote = remote_open(m->engine->cfg.transport, way_spec(&way), on_opened, m);
	way_release(&way);
}

int machine_unlock(struct machine *m, struct op *op, struct err *err)
{
	if (!op->secret)
		return 0;
	if (!m->secret || strcmp(m->secret, op->secret) != 0) {
		forget_password(m);
		buf_init(&m->password, SECRET_MAX_BYTES);
		if (secret_resolve(op->secret, &m->password, err) != 0) {
			forget_password(m);
			err_prefix(err, "the password for %s: ", op->account ? op->account : op->url);
			err->code = E_SIGN;
			return E_SIGN;
		}
		m->secret = str_dup(op->secret);
	}
	buf_init(&op->password, SECRET_MAX_BYTES);
	buf_add(&op->password, buf_str(&m->password), m->password.len);
	return 0;
}

int machine_through(struct machine *m, const struct tenant *tenant, const struct op *op, const struct remote_spec **spec,
		    struct err *err)
{
	const struct host *host = tenant_host(tenant, op->via);
	const struct err *barred = host ? engine_barred(m->engine, host) : NULL;

	if (!host)
		return err_set(err, E_INVAL, "%s: no host %s to go through", tenant->id, op->via);
	if (barred) {
		*err = *barred;
		return err->code;
	}
	if (m->through_host != host) {
		forget_way(m);
		m->through = NEW(struct way);
		if (way_make(m->through, tenant, host, err) != 0)
			return err->code;
		m->through_host = host;
	}
	add_seen(m->engine, m->through, tenant, host);
	*spec = way_spec(m->through);
	return 0;
}

/* ---- one task after the other ----------------------------------------------------------------------------------- */

static void give_slot_back(struct machine *m)
{
	if (!m->has_slot)
		return;
	m->has_slot = false;
	m->engine->slots_used--;
	engine_turn_soon(m->engine);
}

static void serve(struct machine *m, struct task *t)
{
	const struct err *barred = engine_barred(m->engine, t->roster->host);

	if (barred)
		connection_failed(m, barred);
	else if (m->ready && m->host == t->roster->host)
		task_connected(t);
	else if (m->remote)
		disconnect(m); /* on_closed pumps again, with current set */
	else
		open_remote(m);
}

/* Called by the engine's turn, with a slot. */
void machine_pump(struct machine *m)
{
	struct list *node;

	if (m->closing)
		return;
	if (m->current) {
		if (m->current->sm.now == TASK_CONNECT && !m->remote)
			serve(m, m->current);
		return;
	}
	node = list_pop(&m->queue);
	if (node) {
		m->current = CONTAINER_OF(node, struct task, node);
		task_begin(m->current);
		serve(m, m->current);
	} else if (m->remote) {
		disconnect(m);
	} else {
		give_slot_back(m);
	}
}

void machine_release(struct machine *m, struct task *t, bool drop)
{
	if (m->current == t) {
		m->current = NULL;
		if (drop || !m->ready)
			disconnect(m);
	} else {
		list_remove(&t->node);
	}
	want(m);
}
