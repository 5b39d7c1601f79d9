/*
 * The happy path: the first host with a key makes its identity; keys that we can sign with are READY at once, the others
 * when an agent has said that it has them. It fails with E_SIGN; nothing is tried again but by the next host. Closing
 * closes the agents and the keyholder, then frees.
 */
#include "transport/ssh_identity.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include "transport/ssh_keyholder.h"

struct ssh_identities {
	uv_loop_t *loop;
	bool all_certs;
	int agent_ms, failed_ms;
	struct list all;    /* ssh_identity.node */
	struct list agents; /* kept_agent.node */
	struct ssh_keyholder *holder; /* NULL: no key needed it yet */
	size_t closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

struct kept_agent {
	struct list node;
	struct ssh_agent *agent;
};

struct ssh_identity {
	struct list node;
	struct ssh_identities *of;
	char digest[SHA256_HEX_MAX];
	char *name;
	enum identity_state state;
	struct err err; /* FAILED */
	int64_t failed_ms;
	struct ssh_key *key;	 /* NULL: an agent has to say what it is */
	struct ssh_agent *agent; /* who signs; NULL: we do */
	bool held;		 /* by the private ssh-agent */
	char *wanted;		 /* "SHA256:…" of the agent's key, or NULL: its only one */
	struct ssh_cert *cert;	 /* or NULL */
	char *cert_name;
	bool cert_beside;
	struct ssh_agent_call call;
	struct ssh_keyholder_add add;
	struct list waiting; /* ssh_identity_wait.node */
};

/* ---- its state --------------------------------------------------------------------------------------------------- */

static int64_t now_of(const struct ssh_identity *id)
{
	return (int64_t)uv_now(id->of->loop);
}

static void tell(struct ssh_identity *id)
{
	struct list *node;

	while ((node = list_pop(&id->waiting))) {
		struct ssh_identity_wait *wait = CONTAINER_OF(node, struct ssh_identity_wait, node);
		wait->done(wait);
	}
}

static void set_failed(struct ssh_identity *id, const struct err *err)
{
	id->err = *err;
	id->failed_ms = now_of(id);
	id->state = IDENTITY_FAILED;
	log_debug("%s", err->text);
	tell(id);
}

static void set_ready(struct ssh_identity *id)
{
	id->state = IDENTITY_READY;
	tell(id);
}

/* ---- in the operator's agent ------------------------------------------------------------------------------------- */

/* The search through an agent's keys. */
struct search {
	const struct ssh_identity *id;
	struct buf blob;
	size_t found;
	struct buf others; /* what it has, for the error */
};

static bool is_wanted(const struct ssh_identity *id, struct wire_str blob, const char *fingerprint)
{
	if (id->key)
		return buf_equals(ssh_key_blob(id->key, false), blob.data, blob.len);
	return !id->wanted || strcmp(id->wanted, fingerprint) == 0;
}

/* Certificates are keys of their own to an agent; what is looked for is a plain one. */
static bool look_at_key(struct wire_str blob, struct wire_str comment, void *arg)
{
	struct search *s = arg;
	struct wire w = wire_over(blob.data, blob.len);
	struct wire_str type = wire_string(&w);
	char fingerprint[SSH_FINGERPRINT_MAX];

	(void)comment;
	if (type.len > 8 && memmem(type.data, type.len, "-cert-v0", 8))
		return true;
	ssh_fingerprint(blob.data, blob.len, fingerprint);
	buf_addf(&s->others, "%s%s", s->others.len ? ", " : "", fingerprint);
	if (is_wanted(s->id, blob, fingerprint) && !s->found++)
		buf_add(&s->blob, blob.data, blob.len);
	return true;
}

static int not_found(const struct ssh_identity *id, const struct search *s, struct err *err)
{
	const char *path = ssh_agent_path(id->agent);

	if (!s->others.len)
		return err_set(err, E_SIGN, "%s: the ssh-agent %s has no keys; add it there with ssh-add", id->name, path);
	if (s->found > 1)
		return err_set(err, E_SIGN,
			       "%s: the ssh-agent %s has several keys (%s%s); say which by \"agent:SHA256:…\", since trying all "
			       "of them gets this machine banned",
			       id->name, path, buf_str(&s->others), s->others.truncated ? " …" : "");
	return err_set(err, E_SIGN, "%s: the ssh-agent %s does not have that key; it has %s%s; add it there with ssh-add", id->name,
		       path, buf_str(&s->others), s->others.truncated ? " …" : "");
}

static int take_list(struct ssh_identity *id, struct wire_str body, struct err *err)
{
	struct search s = {.id = id};
	int r;

	buf_init(&s.others, 400);
	r = agent_read_keys(body, look_at_key, &s, err);
	if (r)
		err_prefix(err, "%s: %s: ", id->name, ssh_agent_path(id->agent));
	else if (s.found != 1 && !(id->key && s.found))
		r = not_found(id, &s, err);
	else if (!id->key)
		r = ssh_key_from_blob(s.blob.data, s.blob.len, id->name, &id->key, err);
	buf_release(&s.blob);
	buf_release(&s.others);
	return r;
}

static void on_list(struct ssh_agent_call *call, struct wire_str body, const struct err *err)
{
	struct ssh_identity *id = call->arg;
	struct err why = {.code = 0};

	if (err) {
		why = *err;
		err_prefix(&why, "%s: ", id->name);
	} else {
		take_list(id, body, &why);
	}
	if (why.code)
		set_failed(id, &why);
	else
		set_ready(id);
}

static struct ssh_agent *agent_at(struct ssh_identities *all, const char *path)
{
	struct kept_agent *k;

	for (struct list *n = all->agents.next; n != &all->agents; n = n->next) {
		k = CONTAINER_OF(n, struct kept_agent, node);
		if (strcmp(ssh_agent_path(k->agent), path) == 0)
			return k->agent;
	}
	k = NEW(struct kept_agent);
	k->agent = ssh_agent_new(all->loop, path, all->agent_ms);
	list_append(&all->agents, &k->node);
	return k->agent;
}

static int load_from_agent(struct ssh_identity *id, const struct remote_spec *spec, struct err *err)
{
	struct buf blob = BUF_INIT;
	int r = 0;

	if (spec->key && !id->key) {
		if (ssh_public_line(spec->key, spec->key_len, &blob))
			r = ssh_key_from_blob(blob.data, blob.len, id->name, &id->key, err);
		else
			r = err_set(err, E_SIGN, "%s is no public key file: one line \"TYPE BASE64 COMMENT\" is needed", id->name);
		buf_release(&blob);
	}
	if (r)
		return r;
	id->agent = agent_at(id->of, spec->agent);
	agent_put_list(&id->call.frame);
	id->call.done = on_list;
	id->call.arg = id;
	return ssh_agent_ask(id->agent, &id->call, err);
}

/* ---- in our own -------------------------------------------------------------------------------------------------- */

static void on_held(struct ssh_keyholder_add *add, const struct err *err)
{
	struct ssh_identity *id = add->arg;

	if (err) {
		set_failed(id, err);
		return;
	}
	id->agent = ssh_keyholder_agent(id->of->holder);
	set_ready(id);
}

static int give_to_holder(struct ssh_identity *id, const struct remote_spec *spec, struct err *err)
{
	size_t len = strlen(spec->passphrase);

	if (len > KEYHOLDER_PASSPHRASE_MAX || strpbrk(spec->passphrase, "\r\n"))
		return err_set(err, E_SIGN, "%s: a passphrase has one line of at most %d bytes", id->name,
			       KEYHOLDER_PASSPHRASE_MAX);
	if (!id->of->holder)
		id->of->holder = ssh_keyholder_new(id->of->loop, id->of->agent_ms);
	id->held = true;
	id->add = (struct ssh_keyholder_add){.name = id->name, .done = on_held, .arg = id};
	buf_add(&id->add.key, spec->key, spec->key_len);
	buf_add(&id->add.passphrase, spec->passphrase, len);
	ssh_keyholder_add(id->of->holder, &id->add);
	return 0;
}

static int load_from_file(struct ssh_identity *id, const struct remote_spec *spec, struct err *err)
{
	int r = 0;

	/* Loaded anew it is the same key, and somebody may be logging in with it. */
	if (!id->key)
		r = ssh_key_parse(spec->key, spec->key_len, spec->passphrase, id->name, &id->key, err);
	if (r)
		return r;
	if (!ssh_key_is_private(id->key))
		return give_to_holder(id, spec, err);
	id->state = IDENTITY_READY;
	return 0;
}

/* ---- one for all hosts that say the same ------------------------------------------------------------------------- */

static void digest_of(const struct remote_spec *spec, char out[SHA256_HEX_MAX])
{
	struct buf all = BUF_INIT;

	wire_put_string(&all, spec->key ? spec->key : "", spec->key ? spec->key_len : 0);
	wire_put_text(&all, spec->passphrase ? spec->passphrase : "");
	wire_put_text(&all, spec->agent ? spec->agent : "");
	wire_put_text(&all, spec->agent_key ? spec->agent_key : "");
	wire_put_string(&all, spec->certificate ? spec->certificate : "", spec->certificate ? spec->certificate_len : 0);
	wire_put_text(&all, spec->certificate_beside ? "beside" : "");
	sha256_hex(all.data, all.len, out);
	buf_release_secret(&all);
}

static void identity_free(struct ssh_identity *id)
{
	ssh_key_free(id->key);
	ssh_cert_free(id->cert);
	free(id->name);
	free(id->wanted);
	free(id->cert_name);
	free(id);
}

static struct ssh_identity *new_identity(struct ssh_identities *all, const struct remote_spec *spec, const char *digest)
{
	struct ssh_identity *id = NEW(struct ssh_identity);

	id->of = all;
	memcpy(id->digest, digest, sizeof(id->digest));
	id->name = str_dup(spec->key_name ? spec->key_name : "the private key");
	id->wanted = str_dup(spec->agent_key);
	id->cert_name = str_dup(spec->certificate_name ? spec->certificate_name : "the certificate");
	id->cert_beside = spec->certificate_beside;
	list_init(&id->waiting);
	return id;
}

static int load(struct ssh_identity *id, const struct remote_spec *spec, struct err *err)
{
	int r = 0;

	id->state = IDENTITY_LOADING;
	if (spec->certificate && !id->cert)
		r = ssh_cert_parse(spec->certificate, spec->certificate_len, id->cert_name, &id->cert, err);
	if (r)
		return r;
	return spec->agent ? load_from_agent(id, spec, err) : load_from_file(id, spec, err);
}

/* One that failed is loaded anew after a while, and at once where the private ssh-agent has lost it. */
static int load_again(struct ssh_identity *id, const struct remote_spec *spec, struct err *err)
{
	int r;

	if (id->state != IDENTITY_FAILED || now_of(id) < id->failed_ms + id->of->failed_ms)
		return 0;
	r = load(id, spec, err);
	if (r)
		set_failed(id, err);
	return r;
}

struct ssh_identity *ssh_identity_get(struct ssh_identities *all, const struct remote_spec *spec, struct err *err)
{
	char digest[SHA256_HEX_MAX];
	struct ssh_identity *id;

	digest_of(spec, digest);
	for (struct list *n = all->all.next; n != &all->all; n = n->next) {
		id = CONTAINER_OF(n, struct ssh_identity, node);
		if (strcmp(id->digest, digest) == 0)
			return load_again(id, spec, err) ? NULL : id;
	}
	id = new_identity(all, spec, digest);
	if (load(id, spec, err)) {
		identity_free(id);
		return NULL;
	}
	list_append(&all->all, &id->node);
	return id;
}

enum identity_state ssh_identity_state(const struct ssh_identity *id, struct err *err)
{
	if (id->state == IDENTITY_FAILED)
		*err = id->err;
	return id->state;
}

void ssh_identity_await(struct ssh_identity *id, struct ssh_identity_wait *wait)
{
	if (!list_linked(&wait->node))
		list_append(&id->waiting, &wait->node);
}

void ssh_identity_forget(struct ssh_identity_wait *wait)
{
	list_remove(&wait->node);
}

const struct ssh_key *ssh_identity_key(const struct ssh_identity *id)
{
	return id->key;
}

int ssh_identity_certificate(const struct ssh_identity *id, int64_t wall_ms, const struct ssh_cert **out, struct err *note,
			     struct err *err)
{
	struct err why = {.code = 0};

	*out = NULL;
	note->code = 0;
	if (!id->cert)
		return 0;
	ssh_cert_check(id->cert, id->key, wall_ms, id->of->all_certs, id->cert_name, &why);
	if (!why.code)
		*out = id->cert;
	else if (id->cert_beside)
		*note = why;
	else
		*err = why;
	return why.code && !id->cert_beside ? why.code : 0;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

struct ssh_identities *ssh_identities_new(uv_loop_t *loop, bool all_certs, int agent_ms, int failed_ms)
{
	struct ssh_identities *all = NEW(struct ssh_identities);

	all->loop = loop;
	all->all_certs = all_certs;
	all->agent_ms = agent_ms;
	all->failed_ms = failed_ms > 0 ? failed_ms : IDENTITY_FAILED_MS;
	list_init(&all->all);
	list_init(&all->agents);
	return all;
}

static void part_closed(void *arg)
{
	struct ssh_identities *all = arg;
	void (*closed)(void *) = all->closed;
	void *closed_arg = all->closed_arg;
	struct list *node;

	if (--all->closing)
		return;
	while ((node = list_pop(&all->all)))
		identity_free(CONTAINER_OF(node, struct ssh_identity, node));
	while ((node = list_pop(&all->agents)))
		free(CONTAINER_OF(node, struct kept_agent, node));
	free(all);
	closed(closed_arg);
}

static void stop_loading(struct ssh_identity *id)
{
	if (id->state == IDENTITY_LOADING && id->agent)
		ssh_agent_cancel(id->agent, &id->call);
}

/* Nobody waits, so what is still loading ends here. */
void ssh_identities_close(struct ssh_identities *all, void (*closed)(void *arg), void *arg)
{
	all->closed = closed;
	all->closed_arg = arg;
	all->closing = 1;
	for (struct list *n = all->all.next; n != &all->all; n = n->next)
		stop_loading(CONTAINER_OF(n, struct ssh_identity, node));
	for (struct list *n = all->agents.next; n != &all->agents; n = n->next) {
		all->closing++;
		ssh_agent_close(CONTAINER_OF(n, struct kept_agent, node)->agent, part_closed, all);
	}
	if (all->holder) {
		all->closing++;
		ssh_keyholder_close(all->holder, part_closed, all);
	}
	part_closed(all);
}

/* ---- signing ----------------------------------------------------------------------------------------------------- */

/* The private ssh-agent has lost a key, or itself: the next host puts it in again. */
static void lose(struct ssh_identity *id, const struct err *err)
{
	if (!id->held || id->state != IDENTITY_READY)
		return;
	set_failed(id, err);
	id->failed_ms -= id->of->failed_ms;
}

static void on_signature(struct ssh_agent_call *call, struct wire_str body, const struct err *err)
{
	struct ssh_signing *s = call->arg;
	struct wire_str algorithm = {(const unsigned char *)s->algorithm, strlen(s->algorithm)};

	if (err)
		s->err = *err;
	else if (agent_read_signature(body, algorithm, &s->signature, &s->err))
		err_prefix(&s->err, "%s: ", ssh_agent_path(s->id->agent));
	s->state = s->err.code ? SIGNING_FAILED : SIGNING_DONE;
	if (s->err.code)
		lose(s->id, &s->err);
	s->ready(s);
}

static int ask(struct ssh_signing *s, struct ssh_identity *id, const void *data, size_t len, struct err *err)
{
	struct wire_str algorithm = ssh_key_algorithm(data, len);
	int r;

	snprintf(s->algorithm, sizeof(s->algorithm), "%.*s", algorithm.len > 60 ? 60 : (int)algorithm.len,
		 (const char *)algorithm.data);
	s->id = id;
	s->err.code = 0;
	buf_clear(&s->signature);
	agent_put_sign(&s->call.frame, ssh_key_blob(id->key, false), data, len, algorithm);
	s->call.done = on_signature;
	s->call.arg = s;
	r = ssh_agent_ask(id->agent, &s->call, err);
	s->state = r ? SIGNING_NONE : SIGNING_ASKED;
	return r;
}

/* An agent that gives something else than this key's signature of this data is told by name, and no server sees it. */
static int give(struct ssh_signing *s, const void *data, size_t len, struct buf *out, struct err *err)
{
	if (!ssh_key_verify(s->id->key, data, len, &s->signature))
		return err_set(err, E_SIGN, "%s: the ssh-agent's signature is not one of the key %s", ssh_agent_path(s->id->agent),
			       ssh_key_fingerprint(s->id->key));
	buf_add(out, s->signature.data, s->signature.len);
	return 1;
}

int ssh_signing_step(struct ssh_signing *s, struct ssh_identity *id, const void *data, size_t len, struct buf *out,
		     struct err *err)
{
	int r;

	if (!id->agent)
		r = ssh_key_sign(id->key, data, len, out, err);
	else if (s->state == SIGNING_NONE)
		return ask(s, id, data, len, err);
	else if (s->state == SIGNING_ASKED)
		return 0;
	else if (s->state == SIGNING_FAILED)
		r = err_set(err, s->err.code, "%s", s->err.text);
	else
		r = give(s, data, len, out, err);
	ssh_signing_cancel(s);
	return r < 0 ? r : 1;
}

void ssh_signing_cancel(struct ssh_signing *s)
{
	if (s->state == SIGNING_ASKED)
		ssh_agent_cancel(s->id->agent, &s->call);
	s->state = SIGNING_NONE;
	buf_release(&s->signature);
}
