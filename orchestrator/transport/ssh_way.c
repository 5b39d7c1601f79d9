/*
 * The way of a remote that is not reached directly: the state TUNNEL. The happy path is a descriptor, from the pool of
 * the machine before it (ssh_bastion.h) or of a command that is started (ssh_command.h); from then on it is a socket
 * like any other. It fails as these do. At the end the wish for a tunnel is withdrawn, or the command is ended and
 * waited for, so that nothing of it runs on.
 */
#include "transport/ssh_bastion.h"
#include "transport/ssh_command.h"
#include "transport/ssh_remote.h"
#include "transport/ssh_spec.h"

#include <unistd.h>

void ssh_way_init(struct ssh_remote *r, const struct remote_spec *spec)
{
	r->via = spec->via ? ssh_spec_copy(spec->via) : NULL;
	r->via_command = str_dup(spec->via_command);
}

void ssh_way_release(struct ssh_remote *r)
{
	ssh_spec_free(r->via);
	free(r->via_command);
	free(r->command);
}

bool ssh_way_is_direct(const struct ssh_remote *r)
{
	return !r->via && !r->via_command;
}

static int adopt(struct ssh_remote *r, int fd, struct err *err)
{
	int rc = ssh_io_adopt(&r->io, fd);

	return rc < 0 ? err_set(err, E_IO, "the connection cannot be watched: %s", uv_strerror(rc)) : 0;
}

/* ---- through another machine ------------------------------------------------------------------------------------ */

static void on_tunnel(struct tunnel_request *request, int fd, const struct err *err)
{
	struct ssh_remote *r = request->arg;

	if (fd >= 0)
		adopt(r, fd, &r->way_err);
	else
		r->way_err = *err;
	ssh_remote_kick(r);
}

/* The descriptor's end says only that it has ended. */
static void on_lost(struct tunnel_request *request, const struct err *why)
{
	struct ssh_remote *r = request->arg;

	if (!r->io.goodbye[0])
		snprintf(r->io.goodbye, sizeof(r->io.goodbye), "%.199s", why->text);
	ssh_remote_kick(r);
}

static void begin_tunnel(struct ssh_remote *r)
{
	r->way = (struct tunnel_request){
	    .host = r->address,
	    .port = r->port,
	    .connect_ms = r->budgets.connect_ms,
	    .done = on_tunnel,
	    .lost = on_lost,
	    .arg = r,
	};
	ssh_bastion_open(r->transport, r->via, &r->way);
}

/* ---- through a command ------------------------------------------------------------------------------------------ */

static void on_command_gone(void *arg)
{
	ssh_remote_kick(arg);
}

static int begin_command(struct ssh_remote *r, struct err *err)
{
	struct buf command;
	int fd, rc;

	free(r->command); /* of the connection before, for another host key type */
	r->command = NULL;
	buf_init(&command, 16384);
	rc = ssh_command_expand(r->via_command, r->address, r->port, r->user, &command, err);
	if (!rc)
		rc = ssh_command_start(r->transport->loop, buf_str(&command), &r->command, &fd, on_command_gone, r, err);
	if (!rc)
		rc = adopt(r, fd, err);
	buf_release_secret(&command);
	return rc;
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

int ssh_way_step(struct ssh_remote *r, struct err *err)
{
	if (!r->way_begun) {
		r->way_begun = true;
		r->way_err.code = 0;
		if (!r->via)
			return begin_command(r, err) ? err->code : 1;
		begin_tunnel(r);
	}
	if (r->way_err.code) {
		*err = r->way_err;
		return err->code;
	}
	return r->io.fd >= 0;
}

void ssh_way_end(struct ssh_remote *r)
{
	ssh_bastion_cancel(&r->way);
	r->way_begun = false;
	if (r->command && !ssh_command_is_ending(r->command))
		ssh_command_end(r->command, r->io.cut && !r->io.by_us);
}

bool ssh_way_ended(const struct ssh_remote *r)
{
	return !r->command || ssh_command_is_gone(r->command);
}

/* What the command says is of use where the host itself has not answered. */
void ssh_way_explain(struct ssh_remote *r)
{
	if (r->command && !r->opened_done && r->err.code == E_CLOSED)
		ssh_command_explain(r->command, &r->err);
	free(r->command);
	r->command = NULL;
}

void ssh_way_phase(struct ssh_remote *r, struct remote_info *info)
{
	if (r->way.priv)
		ssh_bastion_phase(&r->way, r->phase, sizeof(r->phase), &info->phase_since_ms);
	info->phase = r->way.priv ? r->phase : "tunnel";
}
