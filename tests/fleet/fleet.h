/*
 * fleet: what the parts of the server share. One process, one thread, one struct fleet.
 */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include <libssh/libssh.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "loop.h"

#define USER_KEYS_MAX 16
#define PID_BUCKETS 8192 /* a power of two */

struct host;

/* Written to ROOT/stats, one `name value` a line, in this order. */
struct stats {
	uint64_t connections_accepted, connections_open, connections_peak;
	uint64_t auths, auths_denied, channels, execs, children_running, children_peak, children_reaped;
	uint64_t bytes_out, bytes_in, faulty_connections;
};

struct fleet {
	char root[PATH_MAX]; /* absolute */
	const char *hosts_path;
	uint16_t port;
	bool writable; /* the machine outside a host's mounts is not made read-only */
	FILE *log;
	struct loop loop;
	struct watch listener, signals;
	struct stats stats;
	struct rlimit nofile; /* as it was at the start: what the children get */
	ssh_key user_key[USER_KEYS_MAX];
	unsigned user_keys;
	struct host **by_b[256];       /* 127.a.b.c: by_b[a][b * 256 + c], filled as hosts appear */
	struct list listed;            /* hosts of the hosts file */
	struct list pids[PID_BUCKETS]; /* running children by process id */
};

/* One line to the log, with a time in front: "ADDR text". Nothing without --log. */
__attribute__((format(printf, 3, 4))) void fleet_log(struct fleet *, const char *addr, const char *format, ...);

/* Writes ROOT/NAME whole: beside it first, then renamed. False with errno. */
bool fleet_write_file(struct fleet *, const char *name, const char *text, size_t length);

/* ROOT/stats as it is now. */
bool fleet_write_stats(struct fleet *);

#endif
