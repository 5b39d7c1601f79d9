#include "engine/way.h"

#include "base/alloc.h"
#include "base/file.h"
#include "inventory/secret.h"

#define AGENT "agent:"
#define FILE_REFERENCE "file:"
#define PUBLIC_FILE_MAX_BYTES ((size_t)64 << 10)

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

/* A public file: a public key, a certificate. */
static int read_public(const char *path, const char *label, struct buf *out, struct err *err)
{
	buf_init(out, PUBLIC_FILE_MAX_BYTES);
	if (file_read(path, PUBLIC_FILE_MAX_BYTES, out, err) == 0)
		return 0;
	err_prefix(err, "%s: ", label);
	err->code = E_SIGN;
	return E_SIGN;
}

/* The key is in an ssh-agent; which one stands behind "agent:". */
static int use_agent(struct way_hop *hop, const struct connection *c, struct err *err)
{
	const char *which = c->identity.text + strlen(AGENT), *socket = c->agent_socket;

	if (!socket)
		socket = getenv("SSH_AUTH_SOCK");
	if (!socket || !*socket)
		return err_set(err, E_SIGN,
			       "%s: %s: no ssh-agent: $SSH_AUTH_SOCK is not set, and no identity_agent is given", hop->label,
			       c->identity.text);
	hop->spec.agent = socket;
	if (strncmp(which, "SHA256:", 7) == 0)
		hop->spec.agent_key = which;
	else if (*which)
		return read_public(which, hop->label, &hop->key, err);
	return 0;
}

/* Where OpenSSH looks: FILE-cert.pub beside the key FILE, which may be named by its FILE.pub. NULL: the key is no file. */
static char *beside(const char *identity)
{
	const char *path = NULL;
	size_t len;

	if (identity && strncmp(identity, FILE_REFERENCE, strlen(FILE_REFERENCE)) == 0)
		path = identity + strlen(FILE_REFERENCE);
	else if (identity && strncmp(identity, AGENT "/", strlen(AGENT) + 1) == 0)
		path = identity + strlen(AGENT);
	if (!path)
		return NULL;
	len = strlen(path);
	if (len > 4 && strcmp(path + len - 4, ".pub") == 0)
		len -= 4;
	return str_fmt("%.*s-cert.pub", (int)len, path);
}

static int use_certificate(struct way_hop *hop, const struct connection *c, struct err *err)
{
	int r = 0;

	hop->certificate_name = c->certificate ? str_dup(c->certificate) : beside(c->identity.text);
	if (c->certificate)
		r = read_public(c->certificate, hop->label, &hop->certificate, err);
	else if (!hop->certificate_name ||
		 file_read(hop->certificate_name, PUBLIC_FILE_MAX_BYTES, &hop->certificate, NULL) != 0)
		return 0;
	hop->spec.certificate = hop->certificate.data;
	hop->spec.certificate_len = hop->certificate.len;
	hop->spec.certificate_name = hop->certificate_name;
	hop->spec.certificate_beside = !c->certificate;
	return r;
}

static int use_key(struct way_hop *hop, const struct connection *c, struct err *err)
{
	bool in_agent = c->identity.text && strncmp(c->identity.text, AGENT, strlen(AGENT)) == 0;
	int r;

	if (in_agent)
		r = use_agent(hop, c, err);
	else
		r = resolve(&c->identity, hop->label, "the private key", &hop->key, err);
	if (!r && !in_agent)
		r = resolve(&c->passphrase, hop->label, "the passphrase of the private key", &hop->passphrase, err);
	if (!r)
		r = use_certificate(hop, c, err);
	hop->spec.key = hop->key.data;
	hop->spec.key_len = hop->key.len;
	hop->spec.passphrase = hop->passphrase.len ? buf_str(&hop->passphrase) : NULL;
	return r;
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
	if (use_key(hop, login, err) != 0 || resolve(&login->password, label, "the password", &hop->password, err) != 0)
		return E_SIGN;
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

void way_seen(struct way *way, const char *host_key)
{
	way->hops[way->n - 1].spec.seen_host_key = host_key;
}

void way_release(struct way *way)
{
	for (size_t i = 0; i < way->n; i++) {
		buf_release_secret(&way->hops[i].key);
		buf_release_secret(&way->hops[i].passphrase);
		buf_release(&way->hops[i].certificate);
		free(way->hops[i].certificate_name);
		buf_release_secret(&way->hops[i].password);
		free(way->hops[i].label);
	}
	way->n = 0;
}
