/*
 * host: one 127.a.b.c address: its host key, its faults, its files.
 *
 * A host exists from the moment it is named in the hosts file or first connected to. Its key lies in ROOT/keys/ADDR
 * (a changed key, for the fault hostkey:change, in ROOT/keys/ADDR.changed), so that the same root means the same key.
 */
#ifndef FLEET_HOST_H
#define FLEET_HOST_H

#include <libssh/server.h>
#include <stdbool.h>

#include "fault.h"
#include "fleet.h"

struct host {
	uint32_t addr; /* host byte order */
	char name[16]; /* dotted */
	enum ssh_keytypes_e key_type;
	bool windows;       /* os=windows: see windows.h */
	struct list listed; /* in fleet->listed while the hosts file names it */
	char *line;         /* its line of the hosts file, to see whether it changed */
	struct faults faults;
	ssh_bind bind, bind_changed;
	pid_t init;          /* of its process namespace; 0: nothing has run there yet */
	unsigned generation; /* of the hosts file that named it last */
};

/* Made when it does not exist. Never NULL: no memory ends the program. `addr` must be in 127/8. */
struct host *host_get(struct fleet *, uint32_t addr);

/*
 * Reads the hosts file (also again, later: a host whose line is as it was keeps its counts; one that is gone from the
 * file has no faults any more), makes missing keys, and writes ROOT/known_hosts and ROOT/fingerprints.
 * False: a message is on stderr, and lines that were understood hold.
 */
bool hosts_load(struct fleet *);

/* The libssh acceptor with this host's key (the changed one on demand); NULL with a message on stderr. */
ssh_bind host_bind(struct fleet *, struct host *, bool changed);

void hosts_free(struct fleet *);

#endif
