/*
 * A remote from open to close. The happy path goes through the states of ssh_remote.h, one function a state. Each state
 * has a deadline of its own; whatever fails ends in TEARDOWN, which gives every request its result, severs the socket
 * so that libssh2's calls come to an end, frees the session and closes the descriptor. Closing cancels what runs, lets
 * the resident shell remove its folder (within close_ms), and goes the same way.
 */
#include "transport/ssh_remote.h"

#include "base/log.h"
#include "transport/ssh_tunnel.h"

#include <errno.h>

#define FROM_LIVE SM_TO(REMOTE_TEARDOWN)

const struct sm_state ssh_session_states[] = {
    [REMOTE_KEY] = {"key", SM_TO(REMOTE_RESOLVE) | FROM_LIVE},
    [REMOTE_RESOLVE] = {"resolve", SM_TO(REMOTE_CONNECT) | SM_TO(REMOTE_TUNNEL) | FROM_LIVE},
    [REMOTE_TUNNEL] = {"tunnel", SM_TO(REMOTE_BANNER) | FROM_LIVE},
    [REMOTE_CONNECT] = {"connect", SM_TO(REMOTE_BANNER) | FROM_LIVE},
    [REMOTE_BANNER] = {"banner", SM_TO(REMOTE_QUEUED) | FROM_LIVE},
    [REMOTE_QUEUED] = {"queued", SM_TO(REMOTE_HANDSHAKE) | FROM_LIVE},
    [REMOTE_HANDSHAKE] = {"handshake", SM_TO(REMOTE_HOSTKEY) | FROM_LIVE},
    [REMOTE_HOSTKEY] = {"host key", SM_TO(REMOTE_AUTH) | FROM_LIVE},
    [REMOTE_AUTH] = {"auth", SM_TO(REMOTE_SHELL) | SM_TO(REMOTE_READY) | SM_TO(REMOTE_REFUSED) | FROM_LIVE},
    [REMOTE_REFUSED] = {"auth refused", SM_TO(REMOTE_PASSWORD) | FROM_LIVE},
    [REMOTE_PASSWORD] = {"auth password", SM_TO(REMOTE_SHELL) | SM_TO(REMOTE_READY) | FROM_LIVE},
    [REMOTE_SHELL] = {"shell", SM_TO(REMOTE_READY) | FROM_LIVE},
    [REMOTE_READY] = {"ready", SM_TO(REMOTE_CLOSING) | FROM_LIVE},
    [REMOTE_CLOSING] = {"closing", FROM_LIVE},
    [REMOTE_TEARDOWN] = {"teardown", SM_TO(REMOTE_CONNECT) | SM_TO(REMOTE_TUNNEL) | SM_TO(REMOTE_GONE)},
    [REMOTE_GONE] = {"gone", 0},
};

int64_t ssh_remote_now(const struct ssh_remote *r)
{
	return (int64_t)uv_now(r->transport->loop);
}

static bool is(const struct ssh_remote *r, enum ssh_remote_state state)
{
	return r->sm.now == (int)state;
}

static int budget_of(const struct ssh_remote *r, enum ssh_remote_state state)
{
	switch (state) {
	case REMOTE_RESOLVE:
		return r->budgets.resolve_ms;
	case REMOTE_CONNECT:
		return r->budgets.connect_ms;
	case REMOTE_BANNER:
		return r->budgets.banner_ms;
	case REMOTE_HANDSHAKE:
		return r->budgets.handshake_ms;
	case REMOTE_AUTH:
	case REMOTE_REFUSED:
	case REMOTE_PASSWORD:
		return r->budgets.auth_ms;
	case REMOTE_SHELL:
		return r->budgets.shell_ms;
	case REMOTE_CLOSING:
		return r->budgets.close_ms;
	case REMOTE_KEY:
	case REMOTE_TUNNEL: /* the pool has deadlines for each thing that it does */
	case REMOTE_QUEUED:
	case REMOTE_HOSTKEY:
	case REMOTE_READY:
	case REMOTE_TEARDOWN:
	case REMOTE_GONE:
		return 0;
	}
	return 0;
}

static void move(struct ssh_remote *r, enum ssh_remote_state to)
{
	const char *from = sm_move(&r->sm, (int)to, r->label);
	int budget = budget_of(r, to);

	log_debug("%s: %s -> %s", r->label, from, sm_name(&r->sm));
	r->since_ms = ssh_remote_now(r);
	r->deadline_ms = budget ? r->since_ms + budget : 0;
}

static void tear_down(struct ssh_remote *r);

/* Ends the remote; the first reason counts. */
void ssh_session_fail(struct ssh_remote *r, const struct err *err)
{
	if (!r->err.code) {
		r->err = *err;
		log_debug("%s: %s (%s)", r->label, r->err.text, err_name(r->err.code));
	}
	if (!is(r, REMOTE_TEARDOWN) && !is(r, REMOTE_GONE))
		tear_down(r);
}

int ssh_remote_lost(struct ssh_remote *r, int rc, struct err *err)
{
	char *text = NULL;

	if (r->io.by_us)
		return err_set(err, E_CANCELED, "closed by us");
	if (r->io.cut || r->io.goodbye[0] || rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_SEND)
		return err_set(err, E_CLOSED, "the connection was lost (%s): %s", sm_name(&r->sm), ssh_io_why(&r->io));
	libssh2_session_last_error(r->session, &text, NULL, 0);
	if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE)
		return err_set(err, E_KEX, "the key exchange with \"%s\" failed: %s (libssh2 %s)", r->banner.version,
			       text, libssh2_version(0));
	if (rc == LIBSSH2_ERROR_HOSTKEY_INIT || rc == LIBSSH2_ERROR_HOSTKEY_SIGN)
		return err_set(err, E_HOSTKEY, "the server does not prove that it has the host key it shows: %s", text);
	if (rc == LIBSSH2_ERROR_ALLOC)
		return err_set(err, E_IO, "libssh2 has no memory");
	return err_set(err, E_PROTOCOL, "the server \"%s\" does not keep to the SSH protocol: %s (libssh2: %d)",
		       r->banner.version, text ? text : "", rc);
}

static void on_resolved(void *arg, int rc, const struct resolved *found, const struct err *err)
{
	struct ssh_remote *r = arg;

	r->resolving = NULL;
	if (rc)
		ssh_session_fail(r, err);
	else
		r->addresses = *found;
	ssh_remote_kick(r);
}

static bool step_key(struct ssh_remote *r)
{
	struct err err;
	int rc = ssh_auth_key(r, &err);

	if (rc < 0)
		ssh_session_fail(r, &err);
	else if (rc > 0)
		move(r, REMOTE_RESOLVE);
	return rc != 0;
}

static bool step_resolve(struct ssh_remote *r)
{
	struct err err;

	if (!ssh_way_is_direct(r)) {
		move(r, REMOTE_TUNNEL);
		return true;
	}
	if (r->addresses.n || resolve_numeric(r->address, r->port, &r->addresses)) {
		r->connect_until_ms = ssh_remote_now(r) + r->budgets.connect_ms;
		move(r, REMOTE_CONNECT);
		return true;
	}
	if (r->resolving)
		return false;
	r->resolving = resolve_start(r->transport->resolver, r->address, r->port, on_resolved, r, &err);
	if (!r->resolving)
		ssh_session_fail(r, &err);
	return false;
}

static void on_io_closed(struct ssh_io *io)
{
	ssh_remote_kick(CONTAINER_OF(io, struct ssh_remote, io));
}

static bool step_connect(struct ssh_remote *r)
{
	bool connected = false;

	if (!ssh_connect_step(r, &connected))
		return false;
	if (!connected)
		return true;
	ssh_login_send_version(r);
	move(r, REMOTE_BANNER);
	return true;
}

static bool step_tunnel(struct ssh_remote *r)
{
	struct err err;
	int rc = r->io.closing ? 0 : ssh_way_step(r, &err);

	if (rc == 0)
		return false;
	if (rc < 0) {
		ssh_session_fail(r, &err);
		return true;
	}
	ssh_login_send_version(r);
	move(r, REMOTE_BANNER);
	/* A command has to connect first. */
	if (r->command)
		r->deadline_ms += r->budgets.connect_ms;
	return true;
}

static bool step_banner(struct ssh_remote *r)
{
	struct err err;
	int rc;

	while ((rc = ssh_io_read(&r->io, &r->banner.in)) > 0) {
		rc = ssh_banner_take(&r->banner, &err);
		if (rc < 0) {
			ssh_session_fail(r, &err);
			return true;
		}
		if (rc > 0) {
			move(r, REMOTE_QUEUED);
			return true;
		}
	}
	if (rc == 0)
		return false;
	ssh_connect_hung_up(r, &err);
	ssh_session_fail(r, &err);
	return true;
}

static bool step_queued(struct ssh_remote *r)
{
	struct err err;

	if (r->io.cut) {
		ssh_remote_lost(r, LIBSSH2_ERROR_SOCKET_SEND, &err);
		ssh_session_fail(r, &err);
		return true;
	}
	if (!ssh_admit(r))
		return false;
	move(r, REMOTE_HANDSHAKE);
	return true;
}

/* What the functions of ssh_login.c return, made into the next state. */
static bool after_login_step(struct ssh_remote *r, int rc, enum ssh_remote_state next, const struct err *err)
{
	if (rc == 0)
		return false;
	if (rc > 0)
		move(r, next);
	else if (r->reconnect)
		tear_down(r);
	else
		ssh_session_fail(r, err);
	return true;
}

static bool step_handshake(struct ssh_remote *r)
{
	struct err err;

	return after_login_step(r, ssh_login_handshake(r, &err), REMOTE_HOSTKEY, &err);
}

static bool step_hostkey(struct ssh_remote *r)
{
	struct err err;

	return after_login_step(r, ssh_login_hostkey(r, &err), REMOTE_AUTH, &err);
}

/* The way in is known; the password is not needed any more, whether it was used or not. */
static bool after_auth(struct ssh_remote *r, int rc, const struct err *err)
{
	if (rc)
		buf_release_secret(&r->password);
	return after_login_step(r, rc, r->relay ? REMOTE_READY : REMOTE_SHELL, err);
}

static bool step_auth(struct ssh_remote *r)
{
	struct err err;
	int rc = ssh_auth_login(r, &err);

	if (rc != E_AUTH)
		return after_auth(r, rc, &err);
	move(r, REMOTE_REFUSED);
	return true;
}

static bool step_refused(struct ssh_remote *r)
{
	struct err err;

	return after_login_step(r, ssh_auth_refused(r, &err), REMOTE_PASSWORD, &err);
}

static bool step_password(struct ssh_remote *r)
{
	struct err err;

	return after_auth(r, ssh_auth_password(r, &err), &err);
}

static bool step_shell(struct ssh_remote *r)
{
	struct err err;
	int rc;

	if (!r->shell)
		r->shell = ssh_shell_new(r);
	rc = ssh_shell_step(r->shell, &err);
	if (rc < 0) {
		ssh_session_fail(r, &err);
		return true;
	}
	if (!ssh_shell_ready(r->shell))
		return false;
	r->keepalive_ms = ssh_remote_now(r) + r->transport->keepalive_ms;
	move(r, REMOTE_READY);
	return true;
}

/* Of several machines in a row the first that does not answer is to be found out first: the others are silent with it. */
static int keepalive_period(const struct ssh_remote *r)
{
	int depth = 1;

	for (const struct remote_spec *via = r->via; via; via = via->via)
		depth++;
	return r->relay ? r->transport->keepalive_ms / (depth + 1) * depth : r->transport->keepalive_ms;
}

/* Asks whether the host still lives when it has been silent, and gives up after three silent periods. */
static void keep_alive(struct ssh_remote *r)
{
	int64_t now = ssh_remote_now(r), silent = now - r->io.last_in_ms;
	int period = keepalive_period(r), next;
	struct err err;

	if (now < r->keepalive_ms)
		return;
	/* Nothing is read for a relay that carries nothing. */
	if (r->relay && list_empty(&r->tunnels))
		r->io.last_in_ms = now, silent = 0;
	if (silent >= 3 * (int64_t)period) {
		err_set(&err, E_CLOSED, "no answer to keepalives for %lld s; the host or the way to it is down",
			(long long)silent / 1000);
		ssh_session_fail(r, &err);
		return;
	}
	r->keepalive_ms = (silent >= period ? now : r->io.last_in_ms) + period;
	/* With nothing half sent (ssh_io.h) it cannot be "busy"; a lost connection shows in the next read. */
	if (silent >= period)
		libssh2_keepalive_send(r->session, &next);
}

static bool step_relay(struct ssh_remote *r)
{
	struct err err;

	if (r->closing) {
		move(r, REMOTE_CLOSING);
		tear_down(r);
		return true;
	}
	r->was_ready = true;
	if (ssh_tunnels_step(r, &err) < 0)
		ssh_session_fail(r, &err);
	else
		keep_alive(r);
	return !is(r, REMOTE_READY);
}

static bool step_ready(struct ssh_remote *r)
{
	struct err err;
	int rc;

	if (r->relay)
		return step_relay(r);
	if (r->closing) {
		ssh_request_fail_queued(r, E_CANCELED, "the connection is being closed");
		move(r, REMOTE_CLOSING);
		return true;
	}
	ssh_request_drop_cancelled(r);
	rc = ssh_shell_step(r->shell, &err);
	if (!rc) {
		ssh_execs_start(r);
		rc = ssh_execs_step(r, &err);
	}
	if (rc < 0)
		ssh_session_fail(r, &err);
	else
		keep_alive(r);
	return !is(r, REMOTE_READY);
}

static bool step_closing(struct ssh_remote *r)
{
	struct err err;
	struct ssh_request *running = ssh_shell_running(r->shell);

	if (running)
		running->cancelled = true;
	ssh_execs_cancel(r);
	if (!running && !ssh_execs_running(r))
		ssh_shell_finish(r->shell);
	if (ssh_shell_step(r->shell, &err) < 0 || ssh_execs_step(r, &err) < 0 || ssh_shell_ended(r->shell)) {
		tear_down(r);
		return true;
	}
	return false;
}

/* Every request gets its result. What ran is told why; what waited, that nothing was done. */
static void end_requests(struct ssh_remote *r)
{
	bool by_us = r->closing || r->err.code == E_CANCELED;
	int code = by_us ? E_CANCELED : r->err.code ? r->err.code : E_CLOSED;
	const char *text = by_us ? "the connection was closed while it ran" : r->err.text;
	struct ssh_request *running = r->shell ? ssh_shell_take_running(r->shell) : NULL;

	if (running)
		ssh_request_fail(r, running, code, "%s: %s", running->request->what, text);
	ssh_execs_abandon(r, code, text);
	ssh_request_fail_queued(r, by_us ? E_CANCELED : E_CLOSED, by_us ? "the connection was closed" : text);
}

/* With the socket severed nothing returns EAGAIN any more, so that each call comes to its end at once and frees what it
   holds: a handshake that is left in its middle leaks 82 KB in libssh2 below 1.11.2. */
static void free_session(struct ssh_remote *r)
{
	if (!r->session)
		return;
	if (r->in_handshake)
		libssh2_session_handshake(r->session, r->io.fd);
	r->in_handshake = false;
	for (int tries = 0; tries < 100 && libssh2_session_free(r->session) == LIBSSH2_ERROR_EAGAIN; tries++)
		;
	r->session = NULL;
}

static void end_tunnels(struct ssh_remote *r)
{
	struct err err = r->err;

	if (!err.code)
		err_set(&err, E_CANCELED, "the session was closed");
	err_prefix(&err, "%s: ", r->label);
	ssh_tunnels_abandon(r, &err);
}

static void tear_down(struct ssh_remote *r)
{
	bool orderly = is(r, REMOTE_CLOSING) && r->session;

	if (!r->reconnect)
		end_requests(r);
	ssh_way_end(r);
	move(r, REMOTE_TEARDOWN);
	if (r->resolving)
		resolve_cancel(r->resolving);
	r->resolving = NULL;
	ssh_identity_forget(&r->key_wait);
	ssh_signing_cancel(&r->signing);
	ssh_release_admission(r);
	if (orderly) {
		libssh2_session_disconnect(r->session, "done");
		ssh_io_turn(&r->io);
	}
	ssh_io_sever(&r->io);
	ssh_shell_free(r->shell);
	r->shell = NULL;
	end_tunnels(r);
	free_session(r);
	r->opening = NULL;
	ssh_banner_release(&r->banner);
	if (r->io.fd >= 0 && !r->io.closing)
		ssh_io_close(&r->io, on_io_closed);
}

static bool step_teardown(struct ssh_remote *r)
{
	if (r->io.fd >= 0 || r->io.closing || !ssh_way_ended(r))
		return false;
	if (r->reconnect && !r->closing) {
		r->reconnect = false;
		r->connect_until_ms = ssh_remote_now(r) + r->budgets.connect_ms;
		ssh_banner_init(&r->banner);
		move(r, ssh_way_is_direct(r) ? REMOTE_CONNECT : REMOTE_TUNNEL);
		return true;
	}
	ssh_way_explain(r);
	move(r, REMOTE_GONE);
	return true;
}

bool ssh_session_step(struct ssh_remote *r)
{
	switch ((enum ssh_remote_state)r->sm.now) {
	case REMOTE_KEY:
		return step_key(r);
	case REMOTE_RESOLVE:
		return step_resolve(r);
	case REMOTE_TUNNEL:
		return step_tunnel(r);
	case REMOTE_CONNECT:
		return step_connect(r);
	case REMOTE_BANNER:
		return step_banner(r);
	case REMOTE_QUEUED:
		return step_queued(r);
	case REMOTE_HANDSHAKE:
		return step_handshake(r);
	case REMOTE_HOSTKEY:
		return step_hostkey(r);
	case REMOTE_AUTH:
		return step_auth(r);
	case REMOTE_REFUSED:
		return step_refused(r);
	case REMOTE_PASSWORD:
		return step_password(r);
	case REMOTE_SHELL:
		return step_shell(r);
	case REMOTE_READY:
		return step_ready(r);
	case REMOTE_CLOSING:
		return step_closing(r);
	case REMOTE_TEARDOWN:
		return step_teardown(r);
	case REMOTE_GONE:
		return false;
	}
	return false;
}

/* A state's deadline has passed. What is not answered at all is "unreachable"; a host that was there and stopped
   talking is a time-out. */
void ssh_session_timeout(struct ssh_remote *r)
{
	enum ssh_remote_state state = (enum ssh_remote_state)r->sm.now;
	double seconds = (double)(ssh_remote_now(r) - r->since_ms) / 1000;
	struct err err = {.code = 0};

	switch (state) {
	case REMOTE_RESOLVE:
		err_set(&err, E_UNREACHABLE, "no answer from the name servers for %s within %.1f s", r->address,
			seconds);
		break;
	case REMOTE_CONNECT:
		ssh_connect_failed(r, ETIMEDOUT);
		return;
	case REMOTE_BANNER:
		err_set(&err, r->banner.in.len + r->banner.skipped ? E_PROTOCOL : E_TIMEOUT,
			"%s port %d accepts connections, but sent no SSH version line within %.1f s (%zu bytes of "
			"something else)",
			r->address, r->port, seconds, r->banner.in.len + r->banner.skipped);
		break;
	case REMOTE_HANDSHAKE:
		err_set(&err, E_TIMEOUT, "the key exchange was not finished within %.1f s", seconds);
		break;
	case REMOTE_AUTH:
	case REMOTE_REFUSED:
	case REMOTE_PASSWORD:
		err_set(&err, E_TIMEOUT,
			"the login as %s was not answered within %.1f s (PAM, a directory or DNS on the host may hang)",
			r->user, seconds);
		break;
	case REMOTE_SHELL:
		err_set(&err, E_TIMEOUT,
			"%s did not come up within %.1f s; what the login shell or its profile does may hang",
			ssh_shell_name(r), seconds);
		break;
	case REMOTE_CLOSING:
		tear_down(r);
		return;
	case REMOTE_KEY:
	case REMOTE_TUNNEL:
	case REMOTE_QUEUED:
	case REMOTE_HOSTKEY:
	case REMOTE_READY:
	case REMOTE_TEARDOWN:
	case REMOTE_GONE:
		return;
	}
	ssh_session_fail(r, &err);
}

/* Closed before it was ready. */
void ssh_session_cancel(struct ssh_remote *r)
{
	struct err err = {.code = 0};

	err_set(&err, E_CANCELED, "closed before the login was done");
	ssh_session_fail(r, &err);
}
