/*
 * The state CONNECT: the addresses of a name, one after the other, until one takes the connection. It fails with the
 * last one's reason. Between two of them the descriptor is closed by its poll handle.
 */
#include "transport/ssh_remote.h"

#include <errno.h>

#define UNWELCOME                                                                                                      \
	"it may be overloaded or refuse connections from here (MaxStartups, PerSourcePenalties, hosts.deny, a "        \
	"firewall)"

static const char *advice(int error)
{
	if (error == ECONNREFUSED)
		return "; is sshd running there?";
	return error == EMFILE ? "; raise LimitNOFILE" : "";
}

static int connect_code(int error)
{
	if (error == ECONNREFUSED)
		return E_REFUSED;
	if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
		return E_LIMIT;
	return error == EACCES || error == EPERM ? E_PERM : E_UNREACHABLE;
}

/* It was there and hung up. */
void ssh_connect_hung_up(struct ssh_remote *r, struct err *err)
{
	if (r->io.goodbye[0])
		ssh_remote_lost(r, LIBSSH2_ERROR_SOCKET_DISCONNECT, err);
	else if (r->command)
		err_set(err, E_CLOSED, "no connection to %s port %d", r->address, r->port);
	else
		err_set(err, E_CLOSED, "%s closed the connection before its version line%s%s%s; " UNWELCOME, r->address,
			r->banner.before[0] ? ", saying \"" : "", r->banner.before, r->banner.before[0] ? "\"" : "");
}

static void on_io_closed(struct ssh_io *io)
{
	ssh_remote_kick(CONTAINER_OF(io, struct ssh_remote, io));
}

/* This address does not answer: the next one, or the end. */
bool ssh_connect_failed(struct ssh_remote *r, int error)
{
	struct err err;

	/* A server that takes the connection and hangs up at once may be heard of before the connect is: EPIPE where its
	   end came before the reset (tcp_reset() in the kernel). */
	if (error == ECONNRESET || error == EPIPE)
		ssh_connect_hung_up(r, &err);
	else
		err_set(&err, connect_code(error), "cannot connect to %s port %d: %s%s", r->address, r->port,
			strerror(error), advice(error));
	if (++r->address_at >= r->addresses.n || ssh_remote_now(r) >= r->connect_until_ms) {
		ssh_session_fail(r, &err);
		return true;
	}
	if (r->io.fd >= 0 && !r->io.closing)
		ssh_io_close(&r->io, on_io_closed);
	return r->io.fd < 0;
}

/* With several addresses each gets its share of what is left of the budget. */
static bool begin_connect(struct ssh_remote *r)
{
	int at = r->address_at, left = r->addresses.n - at;
	int64_t now = ssh_remote_now(r);
	int rc = ssh_io_connect(&r->io, (const struct sockaddr *)&r->addresses.address[at], r->addresses.len[at]);

	r->deadline_ms = now + (r->connect_until_ms - now) / left;
	return rc < 0 ? ssh_connect_failed(r, -rc) : false;
}

bool ssh_connect_step(struct ssh_remote *r, bool *connected)
{
	int rc;

	if (r->io.closing)
		return false;
	if (r->io.fd < 0)
		return begin_connect(r);
	rc = ssh_io_connected(&r->io);
	*connected = rc > 0;
	return rc < 0 ? ssh_connect_failed(r, -rc) : rc > 0;
}
