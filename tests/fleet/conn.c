/*
 * A connection is accepted, libssh exchanges keys, checks the login against the user keys and opens channels (exec.c).
 * It fails by the client's going away, by libssh's refusing what it got, or by a fault of the host that cuts it.
 * Closing takes the socket without a farewell, closes the pipes of its commands, leaves their processes alone, and
 * frees it after the loop's batch.
 */
#include <sys/timerfd.h>
#include <unistd.h>

#include "conn.h"
#include "exec.h"

#define TURNS_MAX 64 /* reads and writes of one session before the others get their turn */

static void conn_destroy(struct grave *grave)
{
	free(container_of(grave, struct conn, grave));
}

static void conn_close(struct conn *conn, const char *why)
{
	struct list *node;

	if (conn->closed)
		return;
	conn->closed = true;
	fleet_log(conn->fleet, conn->host->name, "closed: %s", why);
	while ((node = list_pop(&conn->execs)))
		exec_drop(container_of(node, struct exec, node));
	if (ssh_get_fd(conn->session) >= 0)
		watch_set(&conn->fleet->loop, &conn->socket, 0);
	watch_forget(&conn->socket);
	watch_close(&conn->fleet->loop, &conn->timer);
	ssh_event_remove_session(conn->event, conn->session);
	ssh_silent_disconnect(conn->session);
	ssh_event_free(conn->event);
	ssh_free(conn->session);
	conn->fleet->stats.connections_open--;
	loop_bury(&conn->fleet->loop, &conn->grave, conn_destroy);
}

/* Lets libssh read and write until there is nothing left to do now. False: the session is over. */
static bool conn_turn(struct conn *conn)
{
	int rc = SSH_OK;

	for (int i = 0; i < TURNS_MAX && rc != SSH_AGAIN; i++) {
		rc = ssh_event_dopoll(conn->event, 0);
		if (rc == SSH_ERROR || !ssh_is_connected(conn->session))
			return false;
		if (conn->cut || conn->silent)
			break;
	}
	return true;
}

bool conn_writable(const struct conn *conn)
{
	return !conn->cut && !conn->cut_when_flushed && !conn->silent &&
	       !(ssh_get_poll_flags(conn->session) & SSH_WRITE_PENDING);
}

static uint64_t output_limit(const struct conn *conn)
{
	if (fault_holds(&conn->faults, FAULT_CUT_AFTER))
		return conn->faults.arg[FAULT_CUT_AFTER];
	if (fault_holds(&conn->faults, FAULT_HANG_AFTER))
		return conn->faults.arg[FAULT_HANG_AFTER];
	return UINT64_MAX;
}

size_t conn_output_allowed(struct conn *conn, size_t n)
{
	uint64_t left = output_limit(conn) - conn->bytes_out;

	return left < n ? (size_t)left : n;
}

void conn_output_done(struct conn *conn, size_t n)
{
	conn->bytes_out += n;
	conn->fleet->stats.bytes_out += n;
	if (conn->bytes_out >= output_limit(conn))
		conn->cut_when_flushed = true;
}

static void conn_watch(struct conn *conn)
{
	uint32_t events = EPOLLIN;

	if (ssh_get_poll_flags(conn->session) & SSH_WRITE_PENDING)
		events |= EPOLLOUT;
	for (struct list *node = conn->execs.next; node != &conn->execs; node = node->next)
		if (exec_watch(container_of(node, struct exec, node)))
			events |= EPOLLOUT;
	if (conn->paused)
		events = conn->silent ? EPOLLRDHUP : 0;
	watch_set(&conn->fleet->loop, &conn->socket, events);
}

/* The faults that end or freeze a connection in mid-command. True: it is closed. */
static bool conn_apply_cuts(struct conn *conn)
{
	bool flushed = !(ssh_get_poll_flags(conn->session) & SSH_WRITE_PENDING);

	if (conn->cut_when_flushed && flushed) {
		conn->silent = fault_holds(&conn->faults, FAULT_HANG_AFTER);
		conn->cut = !conn->silent;
	}
	if (conn->cut)
		conn_close(conn, "cut by its fault");
	if (conn->silent)
		conn->paused = true;
	return conn->closed;
}

static void settle_execs(struct conn *conn)
{
	struct list *next;

	for (struct list *node = conn->execs.next; node != &conn->execs; node = next) {
		next = node->next;
		exec_settle(container_of(node, struct exec, node));
	}
}

void conn_settle(struct conn *conn)
{
	if (conn->closed)
		return;
	do {
		conn->dirty = false;
		settle_execs(conn);
		if (!conn_turn(conn)) {
			conn_close(conn, "by the client");
			return;
		}
	} while (conn->dirty && !conn->cut);
	if (!conn_apply_cuts(conn))
		conn_watch(conn);
}

bool conn_may_act(struct conn *conn)
{
	uint64_t ms = conn->faults.arg[FAULT_SLOW];
	struct itimerspec due = {.it_value = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000}};

	if (conn->timer.fd < 0)
		return true;
	conn->paused = true;
	conn_watch(conn);
	timerfd_settime(conn->timer.fd, 0, &due, NULL);
	watch_set(&conn->fleet->loop, &conn->timer, EPOLLIN);
	return false;
}

static void timer_ready(struct watch *watch, uint32_t events)
{
	struct conn *conn = container_of(watch, struct conn, timer);
	uint64_t expirations;

	(void)events;
	if (read(watch->fd, &expirations, sizeof expirations) < 0)
		return;
	watch_set(&conn->fleet->loop, watch, 0);
	conn->paused = false;
	if (!conn_turn(conn))
		conn_close(conn, "by the client");
	for (struct list *node = conn->execs.next; node != &conn->execs; node = node->next)
		exec_pump(container_of(node, struct exec, node));
	conn_settle(conn);
}

static void socket_ready(struct watch *watch, uint32_t events)
{
	struct conn *conn = container_of(watch, struct conn, socket);

	(void)events;
	if (conn->silent) {
		conn_close(conn, "by the client");
		return;
	}
	if (!conn_may_act(conn))
		return;
	if (!conn_turn(conn))
		conn_close(conn, "by the client");
	conn_settle(conn);
}

static int auth_pubkey(ssh_session session, const char *user, struct ssh_key_struct *key, char state, void *arg)
{
	struct conn *conn = arg;
	bool known = false;

	(void)session;
	for (unsigned i = 0; i < conn->fleet->user_keys && !known; i++)
		known = !ssh_key_cmp(key, conn->fleet->user_key[i], SSH_KEY_CMP_PUBLIC);
	if (!known || fault_holds(&conn->faults, FAULT_AUTH_DENY) ||
	    (state != SSH_PUBLICKEY_STATE_NONE && state != SSH_PUBLICKEY_STATE_VALID)) {
		conn->fleet->stats.auths_denied++;
		fleet_log(conn->fleet, conn->host->name, "denied %s", user);
		return SSH_AUTH_DENIED;
	}
	if (state == SSH_PUBLICKEY_STATE_VALID) {
		conn->fleet->stats.auths++;
		fleet_log(conn->fleet, conn->host->name, "login %s", user);
	}
	return SSH_AUTH_SUCCESS;
}

/* What no callback takes comes here; 1 asks libssh for its usual answer, 0 leaves the client without one. */
static int message(ssh_session session, ssh_message msg, void *arg)
{
	struct conn *conn = arg;
	int type = ssh_message_type(msg);

	(void)session;
	if (type == SSH_REQUEST_AUTH && fault_holds(&conn->faults, FAULT_HANG_AUTH))
		return 0;
	if (type == SSH_REQUEST_CHANNEL_OPEN && fault_holds(&conn->faults, FAULT_HANG_OPEN))
		return 0;
	return 1;
}

static void conn_set_callbacks(struct conn *conn)
{
	ssh_callbacks_init(&conn->callbacks);
	conn->callbacks.userdata = conn;
	if (!fault_holds(&conn->faults, FAULT_HANG_AUTH))
		conn->callbacks.auth_pubkey_function = auth_pubkey;
	if (!fault_holds(&conn->faults, FAULT_HANG_OPEN))
		conn->callbacks.channel_open_request_session_function = exec_open;
	ssh_set_server_callbacks(conn->session, &conn->callbacks);
	ssh_set_message_callback(conn->session, message, conn);
	ssh_set_auth_methods(conn->session, SSH_AUTH_METHOD_PUBLICKEY);
}

void conn_start(struct fleet *fleet, struct host *host, int fd, const struct fault_set *faults, const char *peer)
{
	ssh_bind bind = host_bind(fleet, host, fault_holds(faults, FAULT_HOSTKEY_CHANGE));
	struct conn *conn = calloc(1, sizeof *conn);

	if (!conn || !(conn->session = ssh_new()) || !(conn->event = ssh_event_new()))
		abort();
	conn->fleet = fleet;
	conn->host = host;
	conn->faults = *faults;
	conn->socket = (struct watch){.fd = fd, .ready = socket_ready};
	conn->timer = (struct watch){.fd = -1, .ready = timer_ready};
	list_init(&conn->execs);
	snprintf(conn->peer, sizeof conn->peer, "%s", peer);
	if (!bind || ssh_bind_accept_fd(bind, conn->session, fd) != SSH_OK) {
		fprintf(stderr, "fleet: %s: cannot serve: %s\n", host->name, bind ? ssh_get_error(bind) : "no key");
		ssh_free(conn->session);
		ssh_event_free(conn->event);
		close(fd);
		free(conn);
		return;
	}
	if (++fleet->stats.connections_open > fleet->stats.connections_peak)
		fleet->stats.connections_peak = fleet->stats.connections_open;
	if (fault_holds(faults, FAULT_SLOW))
		conn->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	conn_set_callbacks(conn);
	ssh_set_blocking(conn->session, 0);
	ssh_handle_key_exchange(conn->session);
	ssh_event_add_session(conn->event, conn->session);
	conn_settle(conn);
}
