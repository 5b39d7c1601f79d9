/*
 * transport_probe: what its two files share. See transport_probe.c.
 */
#ifndef TESTS_TRANSPORT_PROBE_H
#define TESTS_TRANSPORT_PROBE_H

#include "transport/ssh.h"

enum { OPS_MAX = 512, PINS_MAX = 16, HOPS_MAX = 8 };

struct op_spec {
	struct op op;
	struct embedded script;
	int cancel_ms;
};

struct host {
	struct probe *probe;
	char *address, *label;
	struct remote *remote;
	struct running {
		struct remote_request request;
		struct host *host;
		uv_timer_t cancel;
		bool over;
		int n;
	} * running; /* one for each op */
	int left;
	bool open, closing;
};

/* A machine before the hosts. */
struct hop {
	struct remote_spec spec;
	char label[64];
	struct buf key;
	const char *pin;
};

struct probe {
	uv_loop_t loop;
	struct transport *transport;
	struct remote_spec spec;
	struct buf key, certificate;
	struct hop hops[HOPS_MAX];
	int hops_n;
	const char *range_first;
	const char *pins[PINS_MAX];
	struct op_spec ops[OPS_MAX];
	int ops_n;
	struct host *hosts;
	size_t hosts_n, next, active, opened, failed, ops_ok, ops_failed, resolved;
	size_t concurrency;
	bool hold, show, quiet;
	const char *tunnel; /* HOST:PORT: no hosts, one tunnel (probe_tunnel.c) */
	struct buf input;
	int slow_reader_ms;
	void (*tunnel_over)(struct probe *p, bool good);
	int close_at_ms;
	bool close_anyway;
	uv_timer_t close_timer;
	uv_signal_t usr1;
	struct ssh_transport_options options;
};

/* Fills `p` from the command line; ends the program when that cannot be understood. */
void probe_parse(struct probe *p, int argc, char **argv);

/* Opens the tunnel of --tunnel and uses it; tunnel_over then. */
void probe_tunnel_start(struct probe *p, const char *to);

/* Ends the program with 2. */
void probe_die(const char *what, const char *detail);

#endif
