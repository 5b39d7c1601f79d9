#include "engine/way.h"

#include "base/alloc.h"
#include "inventory/secret.h"

static int resolve(const struct secret_ref *ref, const char *label, const char *what, struct buf *out, struct err *err)
{
	buf_init(out, SECRET_MAX_BYTES);
	if (!ref->text)
		return 0;
	if (secret_resolve(ref->text, out, err) == 0)
		return 0;
	err_prefix(err, "%s: %s: ", label, what);
	err->code = E_SIGN;
	return E_SIGN;
}

/* Takes the label. login: whose key or password. */
static int add_hop(struct way *way, char *label, const struct connection *c, const struct connection *login,
		   bool windows, struct err *err)
{
	struct way_hop *hop = &way->hops[way->n++];

	*hop = (struct way_hop){ .label = label };
	hop->spec = (struct remote_spec){
		.label = hop->label,
		.address = c->address,
		.port = c->port,
		.user = c->user,
		.key_name = login->identity.text,
		.host_keys = (const char *const *)c->host_keys.at,
		.host_keys_n = c->host_keys.n,
		.known_hosts = c->known_hosts,
		.accept_new = c->host_keys_policy == HOST_KEYS_ACCEPT_NEW,
		.sudo = c->become == BECOME_SUDO,
		.windows = windows,
		.via = way->n > 1 ? &way->hops[way->n - 2].spec : NULL,
		.via_command = way->n > 1 ? NULL : c->via_command,
	};
	if (resolve(&login->identity, label, "the private key", &hop->key, err) != 0 ||
	    resolve(&login->password, label, "the password", &hop->password, err) != 0)
		return E_SIGN;
	hop->spec.key = hop->key.data;
	hop->spec.key_len = hop->key.len;
	hop->spec.password = hop->password.len ? buf_str(&hop->password) : NULL;
	return 0;
}

static int add_hops(struct way *way, const struct tenant *tenant, const struct host *host, struct err *err)
{
	const struct connection *c = &host->connection;

	if (c->via_n >= WAY_HOPS_MAX)
		return err_set(err, E_LIMIT, "%s/%s: more than %d bastions", tenant->id, host->name, WAY_HOPS_MAX - 1);
	for (size_t i = 0; i < c->via_n; i++) {
		const struct connection *bastion = &c->via[i]->connection;
		/* A bastion that says nothing of a key takes the host's, as with ssh -J. */
		bool own = bastion->identity.text || bastion->password.text;
		char *label = str_fmt("bastion %s", c->via[i]->name);

		if (add_hop(way, label, bastion, own ? bastion : c, false, err) != 0)
			return err->code;
	}
	return add_hop(way, str_fmt("%s/%s", tenant->id, host->name), c, c, host->os == OS_WINDOWS, err);
}

int way_make(struct way *way, const struct tenant *tenant, const struct host *host, struct err *err)
{
	way->n = 0;
	if (add_hops(way, tenant, host, err) == 0)
		return 0;
	way_release(way);
	return err->code;
}

const struct remote_spec *way_spec(const struct way *way)
{
	return &way->hops[way->n - 1].spec;
}

void way_release(struct way *way)
{
	for (size_t i = 0; i < way->n; i++) {
		buf_release_secret(&way->hops[i].key);
		buf_release_secret(&way->hops[i].password);
		free(way->hops[i].label);
	}
	way->n = 0;
}
