/*
 * The transport object: what all remotes share. known_hosts files are parsed once and kept; key exchanges are admitted in
 * the order in which the remotes came to them. Nothing here fails but reading a file. Closing waits for the handles of the
 * resolver and of the identities.
 */
#include "transport/ssh_bastion.h"
#include "transport/ssh_remote.h"

#include "base/log.h"

#include <dirent.h>
#include <libssh2.h>
#include <sys/resource.h>

enum {
	HANDSHAKES_DEFAULT = 64,
	KEEPALIVE_DEFAULT_S = 30,
	FDS_SPARE = 64, /* what the program opens while it runs: state file, control socket, reports, name servers */
};

struct kept_hosts {
	struct list node;
	struct known_hosts *hosts;
};

int ssh_transport_new(uv_loop_t *loop, const struct ssh_transport_options *options, struct transport **out,
		      struct err *err)
{
	struct ssh_transport *t;
	int rc = libssh2_init(0); /* counted: each transport's close does libssh2_exit */

	if (rc)
		return err_set(err, E_PERM, "libssh2 cannot be initialised (%d)", rc);
	t = NEW(struct ssh_transport);
	t->base.vtable = &ssh_remote_vtable;
	t->loop = loop;
	t->handshakes_max = options && options->handshakes_max ? options->handshakes_max : HANDSHAKES_DEFAULT;
	t->keepalive_ms = 1000 * (options && options->keepalive_s ? options->keepalive_s : KEEPALIVE_DEFAULT_S);
	t->rsa_sha2 = libssh2_version(0x010b00) != NULL;
	t->resolver = resolver_new(loop);
	t->identities = ssh_identities_new(loop, t->rsa_sha2, options ? options->agent_ms : 0, 0);
	list_init(&t->waiting);
	list_init(&t->bastions);
	list_init(&t->sites);
	list_init(&t->known_hosts);
	*out = &t->base;
	return 0;
}

static void on_part_closed(void *arg)
{
	struct ssh_transport *t = arg;
	void (*closed)(void *) = t->closed;
	void *closed_arg = t->closed_arg;
	struct list *node;

	if (--t->parts)
		return;
	while ((node = list_pop(&t->known_hosts))) {
		struct kept_hosts *k = CONTAINER_OF(node, struct kept_hosts, node);
		known_hosts_free(k->hosts);
		free(k);
	}
	free(t);
	libssh2_exit();
	if (closed)
		closed(closed_arg);
}

/* The pools of the bastions have gone, and with them all remotes. */
void ssh_transport_empty(struct ssh_transport *t)
{
	t->parts = 2;
	resolver_close(t->resolver, on_part_closed, t);
	ssh_identities_close(t->identities, on_part_closed, t);
}

void ssh_transport_close(struct transport *transport, void (*cb)(void *arg), void *arg)
{
	struct ssh_transport *t = CONTAINER_OF(transport, struct ssh_transport, base);

	if (t->remotes > t->relays) {
		fprintf(stderr, "cutover: fault: ssh transport closed with %zu remotes open\n", t->remotes - t->relays);
		abort();
	}
	t->closed = cb;
	t->closed_arg = arg;
	t->closing = true;
	ssh_bastions_close(t);
}

int ssh_transport_known_hosts(struct ssh_transport *t, const char *path, const struct known_hosts **out,
			      struct err *err)
{
	struct kept_hosts *k;
	struct known_hosts *hosts;
	int r;

	for (struct list *n = t->known_hosts.next; n != &t->known_hosts; n = n->next) {
		k = CONTAINER_OF(n, struct kept_hosts, node);
		if (strcmp(k->hosts->path, path) == 0) {
			*out = k->hosts;
			return 0;
		}
	}
	r = known_hosts_read(path, &hosts, err);
	if (r)
		return r;
	k = NEW(struct kept_hosts);
	k->hosts = hosts;
	list_append(&t->known_hosts, &k->node);
	*out = hosts;
	return 0;
}

bool ssh_transport_knows(struct transport *transport, const char *known_hosts, const char *address, int port)
{
	struct ssh_transport *t = CONTAINER_OF(transport, struct ssh_transport, base);
	const struct known_hosts *hosts = NULL;

	if (!known_hosts || ssh_transport_known_hosts(t, known_hosts, &hosts, NULL))
		return false;
	for (size_t i = 0; i < hosts->n; i++)
		if (hosts->hosts[i].mark == KNOWN_HOST_KEY && known_host_is_for(&hosts->hosts[i], address, port))
			return true;
	return false;
}

bool ssh_admit(struct ssh_remote *remote)
{
	struct ssh_transport *t = remote->transport;

	if (remote->admitted)
		return true;
	if (t->handshakes < t->handshakes_max) {
		t->handshakes++;
		remote->admitted = true;
		return true;
	}
	if (!list_linked(&remote->admission))
		list_append(&t->waiting, &remote->admission);
	return false;
}

void ssh_release_admission(struct ssh_remote *remote)
{
	struct ssh_transport *t = remote->transport;
	struct list *node;

	list_remove(&remote->admission);
	if (!remote->admitted)
		return;
	remote->admitted = false;
	t->handshakes--;
	node = list_pop(&t->waiting);
	if (node) {
		struct ssh_remote *next = CONTAINER_OF(node, struct ssh_remote, admission);
		t->handshakes++;
		next->admitted = true;
		ssh_remote_kick(next);
	}
}

void ssh_remote_forget(struct ssh_remote *remote)
{
	ssh_release_admission(remote);
	remote->transport->remotes--;
	remote->transport->relays -= remote->relay != NULL;
}

static size_t open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	if (!dir)
		return FDS_SPARE;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

int ssh_transport_reserve(size_t remotes, struct err *err)
{
	size_t beside = open_fds() + FDS_SPARE;
	rlim_t needed = (rlim_t)(remotes + beside);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_set(err, E_IO, "the limit of open files cannot be read");
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
		return err_set(err, E_LIMIT,
			       "%zu hosts at once need %llu open files, and the hard limit is %llu, enough for %llu "
			       "hosts; raise it "
			       "(ulimit -Hn, or LimitNOFILE= of the unit) or lower --concurrency",
			       remotes, (unsigned long long)needed, (unsigned long long)limit.rlim_max,
			       (unsigned long long)(limit.rlim_max > beside ? limit.rlim_max - beside : 0));
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_set(err, E_LIMIT, "the limit of open files cannot be raised to %llu",
			       (unsigned long long)needed);
	return 0;
}

const char *ssh_transport_library(void)
{
	return libssh2_version(0);
}
