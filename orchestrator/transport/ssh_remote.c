/*
 * The outside of a remote: open, start, cancel, close, info; and the pump, which is called by the poll handle and by
 * the timer and does all the work: a new turn for the socket, the states for as long as something moves, deadlines,
 * then the callbacks, then the timer for whatever is due next. What is wrong with a spec comes by the callback. A
 * remote is freed when its timer's close callback has run.
 */
#include "transport/ssh_remote.h"

#include "base/log.h"
#include "transport/ssh_bastion.h"
#include "transport/ssh_tunnel.h"

static void on_timer(uv_timer_t *timer)
{
	ssh_remote_pump(timer->data);
}

static void on_ready(struct ssh_io *io)
{
	ssh_remote_pump(CONTAINER_OF(io, struct ssh_remote, io));
}

void ssh_remote_kick(struct ssh_remote *r)
{
	r->again = true;
	uv_timer_start(&r->timer, on_timer, 0, 0);
}

static bool is(const struct ssh_remote *r, enum ssh_remote_state state)
{
	return r->sm.now == (int)state;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct ssh_remote *r = handle->data;
	remote_closed_cb *closed = r->closed;
	void *arg = r->closed_arg;

	ssh_remote_forget(r);
	ssh_way_release(r);
	ssh_trust_release(&r->trust);
	ssh_banner_release(&r->banner);
	buf_release_secret(&r->password);
	buf_release(&r->host_key_blob);
	free(r->label);
	free(r->address);
	free(r->user);
	free(r);
	if (closed)
		closed(arg);
}

static void deliver_opened(struct ssh_remote *r)
{
	struct err err;

	if (r->opened_done || (!is(r, REMOTE_READY) && !is(r, REMOTE_GONE)))
		return;
	r->opened_done = true;
	if (is(r, REMOTE_READY)) {
		r->opened(&r->base, NULL, r->opened_arg);
		return;
	}
	err = r->err;
	if (!err.code)
		err_set(&err, E_CANCELED, "closed before the login was done");
	err_prefix(&err, "%s: ", r->label);
	r->opened(&r->base, &err, r->opened_arg);
}

static void deliver_lost(struct ssh_remote *r)
{
	if (!r->relay || !r->opened_done || r->closing || r->relay_told || !is(r, REMOTE_GONE) || !r->was_ready)
		return;
	r->relay_told = true;
	r->relay->lost(&r->base, &r->err, r->relay_arg);
}

static void earlier(int64_t *due, int64_t at)
{
	if (at && (!*due || at < *due))
		*due = at;
}

/* With input watched that nobody reads the loop would spin: while it waits for its turn, or for an agent's signature, and
   while a relay carries nothing, which libssh2 reads for only in the name of a channel. */
static bool reads(const struct ssh_remote *r)
{
	return !is(r, REMOTE_QUEUED) && !ssh_auth_signing(r) && !(r->relay && is(r, REMOTE_READY) && list_empty(&r->tunnels));
}

static void arm(struct ssh_remote *r)
{
	int64_t due = r->deadline_ms, now = ssh_remote_now(r);

	if (!is(r, REMOTE_CONNECT))
		ssh_io_arm(&r->io, reads(r));
	/* It was cut by a write that nobody looked at: the next read tells. */
	if (r->io.fd >= 0 && r->io.cut && r->sm.now < REMOTE_TEARDOWN)
		r->again = true;
	if (r->again) {
		uv_timer_start(&r->timer, on_timer, 0, 0);
		return;
	}
	if (is(r, REMOTE_HANDSHAKE) && r->admitted)
		earlier(&due, r->slot_until_ms);
	if (is(r, REMOTE_READY))
		earlier(&due, r->keepalive_ms);
	if (r->shell)
		earlier(&due, ssh_shell_deadline(r->shell));
	earlier(&due, ssh_execs_deadline(r));
	earlier(&due, ssh_tunnels_deadline(r));
	if (due)
		uv_timer_start(&r->timer, on_timer, due > now ? (uint64_t)(due - now) : 0, 0);
	else
		uv_timer_stop(&r->timer);
}

void ssh_remote_pump(struct ssh_remote *r)
{
	r->again = false;
	ssh_io_turn(&r->io);
	if (r->closing && r->sm.now < REMOTE_READY)
		ssh_session_cancel(r);
	while (ssh_session_step(r))
		;
	if (r->deadline_ms && ssh_remote_now(r) >= r->deadline_ms) {
		ssh_session_timeout(r);
		r->again = true;
	}
	deliver_opened(r);
	deliver_lost(r);
	ssh_request_deliver(r);
	if (is(r, REMOTE_GONE) && r->closing && r->opened_done && !r->requests_n) {
		uv_close((uv_handle_t *)&r->timer, on_timer_closed);
		return;
	}
	arm(r);
}

static int with_default(int ms, int standard)
{
	return ms > 0 ? ms : standard;
}

static void set_budgets(struct ssh_remote *r, const struct remote_budgets *b)
{
	r->budgets = (struct remote_budgets){
	    .resolve_ms = with_default(b->resolve_ms, 5000),
	    .connect_ms = with_default(b->connect_ms, 10000),
	    .banner_ms = with_default(b->banner_ms, 10000),
	    .handshake_ms = with_default(b->handshake_ms, 15000),
	    .auth_ms = with_default(b->auth_ms, 15000),
	    .shell_ms = with_default(b->shell_ms, 15000),
	    .close_ms = with_default(b->close_ms, 3000),
	};
}

static void on_key_known(struct ssh_identity_wait *wait)
{
	ssh_remote_kick(CONTAINER_OF(wait, struct ssh_remote, key_wait));
}

static void on_signed(struct ssh_signing *signing)
{
	ssh_remote_kick(CONTAINER_OF(signing, struct ssh_remote, signing));
}

static int take_key(struct ssh_remote *r, const struct remote_spec *spec, struct err *err)
{
	r->key_wait.done = on_key_known;
	r->signing.ready = on_signed;
	if (spec->password)
		buf_adds(&r->password, spec->password);
	r->io.wipes = r->password.len > 0;
	if (!spec->key_len && !spec->agent)
		return spec->password ? 0
				      : err_set(err, E_SIGN,
						"there is nothing to log in with; name a private key as identity, or a password");
	r->identity = ssh_identity_get(r->transport->identities, spec, err);
	return r->identity ? 0 : err->code;
}

static int take_spec(struct ssh_remote *r, const struct remote_spec *spec, struct err *err)
{
	const struct known_hosts *hosts = NULL;
	int rc = 0;

	if (!*r->address || !*r->user || r->port < 1 || r->port > 65535)
		return err_set(err, E_INVAL, "an address, a port from 1 to 65535 and a user are needed");
	if (spec->known_hosts)
		rc = ssh_transport_known_hosts(r->transport, spec->known_hosts, &hosts, err);
	/* Where new hosts are taken the file may have to be written yet. */
	if (rc == E_NOTFOUND && spec->accept_new)
		rc = 0;
	if (!rc)
		rc = ssh_trust_init(&r->trust, spec->host_keys, spec->host_keys_n, hosts, r->address, r->port, err);
	if (!rc && spec->accept_new)
		rc = ssh_trust_accept_new(&r->trust, spec->seen_host_key, err);
	if (!rc)
		rc = take_key(r, spec, err);
	return rc;
}

static void init_lists(struct ssh_remote *r)
{
	list_init(&r->execs);
	list_init(&r->shell_queue);
	list_init(&r->exec_queue);
	list_init(&r->done);
	list_init(&r->tunnels);
}

static struct ssh_remote *open_any(struct transport *t, const struct remote_spec *spec, remote_opened_cb *cb, void *arg)
{
	struct ssh_remote *r = NEW(struct ssh_remote);
	struct err err;

	r->base.transport = t;
	r->transport = CONTAINER_OF(t, struct ssh_transport, base);
	r->transport->remotes++;
	r->label = str_dup(spec->label ? spec->label : "host");
	r->address = str_dup(spec->address ? spec->address : "");
	r->user = str_dup(spec->user ? spec->user : "");
	r->port = spec->port;
	r->sudo = spec->sudo;
	r->windows = spec->windows;
	r->opened = cb;
	r->opened_arg = arg;
	set_budgets(r, &spec->budgets);
	init_lists(r);
	ssh_way_init(r, spec);
	uv_timer_init(r->transport->loop, &r->timer);
	r->timer.data = r;
	ssh_io_init(&r->io, r->transport->loop, on_ready);
	ssh_banner_init(&r->banner);
	sm_init(&r->sm, ssh_session_states, REMOTE_KEY);
	r->since_ms = ssh_remote_now(r);
	if (take_spec(r, spec, &err))
		ssh_session_fail(r, &err);
	ssh_remote_kick(r);
	return r;
}

static struct remote *open_remote(struct transport *t, const struct remote_spec *spec, remote_opened_cb *cb, void *arg)
{
	return &open_any(t, spec, cb, arg)->base;
}

struct remote *ssh_relay_open(struct ssh_transport *t, const struct remote_spec *spec, const struct relay_owner *owner,
			      void *arg)
{
	struct ssh_remote *r = open_any(&t->base, spec, owner->opened, arg);

	r->relay = owner;
	r->relay_arg = arg;
	t->relays++;
	return &r->base;
}

static struct ssh_remote *remote_of(const struct remote *remote)
{
	return CONTAINER_OF((struct remote *)remote, struct ssh_remote, base);
}

static void start_request(struct remote *remote, struct remote_request *request)
{
	ssh_request_start(remote_of(remote), request);
}

static void cancel_request(struct remote *remote, struct remote_request *request)
{
	ssh_request_cancel(remote_of(remote), request);
}

static void close_remote(struct remote *remote, remote_closed_cb *cb, void *arg)
{
	struct ssh_remote *r = remote_of(remote);

	if (r->closing) {
		fprintf(stderr, "cutover: fault: %s: closed twice\n", r->label);
		abort();
	}
	r->closing = true;
	r->closed = cb;
	r->closed_arg = arg;
	ssh_remote_kick(r);
}

static void info(const struct remote *remote, struct remote_info *out)
{
	struct ssh_remote *r = remote_of(remote);
	struct ssh_request *running = r->shell ? ssh_shell_running(r->shell) : NULL;

	out->phase = sm_name(&r->sm);
	out->phase_since_ms = r->since_ms;
	if (is(r, REMOTE_TUNNEL))
		ssh_way_phase(r, out);
	if (is(r, REMOTE_READY) && running) {
		snprintf(r->phase, sizeof(r->phase), "run %s", running->request->what);
		out->phase = r->phase;
		out->phase_since_ms = running->began_ms;
	}
	out->banner = r->banner.version;
	out->host_key = r->host_key;
	out->host_key_blob = r->host_key_blob.len ? r->host_key_blob.data : NULL;
	out->host_key_blob_len = r->host_key_blob.len;
	out->host_key_bits = ssh_blob_bits(r->host_key_blob.data, r->host_key_blob.len);
	out->host_key_new = r->trust.is_new;
}

static void open_tunnel(struct transport *t, const struct remote_spec *through, struct tunnel_request *request)
{
	ssh_bastion_open(CONTAINER_OF(t, struct ssh_transport, base), through, request);
}

static void cancel_tunnel(struct transport *t, struct tunnel_request *request)
{
	(void)t;
	ssh_bastion_cancel(request);
}

const struct transport_vtable ssh_remote_vtable = {
    .open = open_remote,
    .start = start_request,
    .cancel = cancel_request,
    .close = close_remote,
    .info = info,
    .tunnel_open = open_tunnel,
    .tunnel_cancel = cancel_tunnel,
};
