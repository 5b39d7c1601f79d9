/*
 * fleet: thousands of SSH hosts on loopback, for tests and benchmarks. See README.md.
 *
 * One listener takes all of 127.0.0.0/8; the address a client connected to says which host it meant.
 * It ends at SIGTERM or SIGINT; SIGHUP reads the hosts file again, SIGUSR1 writes the counters, SIGCHLD reaps.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn.h"
#include "raw.h"
#include "shell.h"
#include "spawn.h"

#define ACCEPTS_PER_TURN 64

static const char usage[] =
    "usage: fleet --port PORT --root DIR [--hosts FILE] [--user-key PUB]... [--log FILE] [--ready-fd N] [--writable]\n";

struct options {
	const char *port, *root, *log, *ready_fd;
	const char *user_key[USER_KEYS_MAX];
	unsigned user_keys;
};

void fleet_log(struct fleet *fleet, const char *addr, const char *format, ...)
{
	struct timespec now;
	va_list args;

	if (!fleet->log)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	fprintf(fleet->log, "%lld.%03ld %s ", (long long)now.tv_sec, now.tv_nsec / 1000000, addr);
	va_start(args, format);
	vfprintf(fleet->log, format, args);
	va_end(args);
	fputc('\n', fleet->log);
}

bool fleet_write_file(struct fleet *fleet, const char *name, const char *text, size_t length)
{
	char path[PATH_MAX + 64], part[PATH_MAX + 72];
	FILE *out;
	bool ok;

	snprintf(path, sizeof path, "%s/%s", fleet->root, name);
	snprintf(part, sizeof part, "%s.part", path);
	out = fopen(part, "we");
	if (!out)
		return false;
	ok = fwrite(text, 1, length, out) == length;
	if (fclose(out))
		ok = false;
	return ok && !rename(part, path);
}

bool fleet_write_stats(struct fleet *fleet)
{
	const struct stats *stats = &fleet->stats;
	char text[1024];
	int n = snprintf(text, sizeof text,
			 "connections_accepted %ju\nconnections_open %ju\nconnections_peak %ju\nauths %ju\n"
			 "auths_denied %ju\nchannels %ju\nexecs %ju\nchildren_running %ju\nchildren_peak %ju\n"
			 "children_reaped %ju\nbytes_out %ju\nbytes_in %ju\nfaulty_connections %ju\n",
			 (uintmax_t)stats->connections_accepted, (uintmax_t)stats->connections_open,
			 (uintmax_t)stats->connections_peak, (uintmax_t)stats->auths, (uintmax_t)stats->auths_denied,
			 (uintmax_t)stats->channels, (uintmax_t)stats->execs, (uintmax_t)stats->children_running,
			 (uintmax_t)stats->children_peak, (uintmax_t)stats->children_reaped,
			 (uintmax_t)stats->bytes_out, (uintmax_t)stats->bytes_in, (uintmax_t)stats->faulty_connections);

	return fleet_write_file(fleet, "stats", text, (size_t)n);
}

static bool accept_one(struct fleet *fleet)
{
	struct sockaddr_in peer, local;
	socklen_t length = sizeof peer, local_length = sizeof local;
	char text[INET_ADDRSTRLEN], peer_text[64];
	struct fault_set faults;
	struct host *host;
	int one = 1;
	int fd = accept4(fleet->listener.fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR;
	if (getsockname(fd, (struct sockaddr *)&local, &local_length) || ntohl(local.sin_addr.s_addr) >> 24 != 127) {
		close(fd);
		return true;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	host = host_get(fleet, ntohl(local.sin_addr.s_addr));
	faults_connect(&host->faults, &faults);
	fleet->stats.connections_accepted++;
	if (faults.bits)
		fleet->stats.faulty_connections++;
	snprintf(peer_text, sizeof peer_text, "%s %u", inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text),
		 (unsigned)ntohs(peer.sin_port));
	fleet_log(fleet, host->name, "connection %ju from %s", (uintmax_t)host->faults.connections, peer_text);
	for (int kind = 0; fleet->log && kind < FAULT_COUNT; kind++)
		if (fault_holds(&faults, (enum fault_kind)kind))
			fleet_log(fleet, host->name, "fault %s", fault_name((enum fault_kind)kind));
	if (!raw_start(fleet, fd, &faults, host->name))
		conn_start(fleet, host, fd, &faults, peer_text);
	return true;
}

static void listener_ready(struct watch *watch, uint32_t events)
{
	struct fleet *fleet = container_of(watch, struct fleet, listener);

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(fleet);)
		i++;
}

static void signals_ready(struct watch *watch, uint32_t events)
{
	struct fleet *fleet = container_of(watch, struct fleet, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD) {
			shells_reap(fleet);
		} else if (info.ssi_signo == SIGUSR1) {
			if (!fleet_write_stats(fleet))
				fprintf(stderr, "fleet: cannot write the counters: %s\n", strerror(errno));
		} else if (info.ssi_signo == SIGHUP) {
			if (hosts_load(fleet))
				fleet_write_file(fleet, "reloaded", "", 0);
		} else {
			fleet->loop.stop = 1;
		}
	}
}

static bool parse_options(struct fleet *fleet, struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
	    {"port", required_argument, NULL, 'p'},  {"root", required_argument, NULL, 'r'},
	    {"hosts", required_argument, NULL, 'h'}, {"user-key", required_argument, NULL, 'k'},
	    {"log", required_argument, NULL, 'l'},   {"ready-fd", required_argument, NULL, 'f'},
	    {"writable", no_argument, NULL, 'w'},    {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) >= 0) {
		if (c == 'p')
			o->port = optarg;
		else if (c == 'r')
			o->root = optarg;
		else if (c == 'h')
			fleet->hosts_path = optarg;
		else if (c == 'k' && o->user_keys < USER_KEYS_MAX)
			o->user_key[o->user_keys++] = optarg;
		else if (c == 'l')
			o->log = optarg;
		else if (c == 'f')
			o->ready_fd = optarg;
		else if (c == 'w')
			fleet->writable = true;
		else
			return false;
	}
	return o->port && o->root && optind == argc;
}

static bool add_user_key(struct fleet *fleet, char *line)
{
	char *save = NULL, *type = strtok_r(line, " \t\r\n", &save), *base64 = strtok_r(NULL, " \t\r\n", &save);
	enum ssh_keytypes_e kind = type ? ssh_key_type_from_name(type) : SSH_KEYTYPE_UNKNOWN;

	if (!type || *type == '#')
		return true;
	return fleet->user_keys < USER_KEYS_MAX && base64 &&
	       ssh_pki_import_pubkey_base64(base64, kind, &fleet->user_key[fleet->user_keys]) == SSH_OK &&
	       ++fleet->user_keys;
}

/* Lines as in authorized_keys, without options. */
static bool read_user_keys(struct fleet *fleet, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	bool ok = true;
	FILE *in = fopen(path, "re");

	if (!in) {
		fprintf(stderr, "fleet: %s: %s\n", path, strerror(errno));
		return false;
	}
	while (ok && getline(&line, &size, in) >= 0)
		ok = add_user_key(fleet, line);
	if (!ok)
		fprintf(stderr, "fleet: %s: a line is no public key\n", path);
	free(line);
	fclose(in);
	return ok;
}

static bool make_root(struct fleet *fleet, const char *root)
{
	char keys[PATH_MAX + 8];

	if ((mkdir(root, 0755) && errno != EEXIST) || !realpath(root, fleet->root)) {
		fprintf(stderr, "fleet: %s: %s\n", root, strerror(errno));
		return false;
	}
	snprintf(keys, sizeof keys, "%s/keys", fleet->root);
	if (mkdir(keys, 0700) && errno != EEXIST) {
		fprintf(stderr, "fleet: %s: %s\n", keys, strerror(errno));
		return false;
	}
	return true;
}

/* Binds, so that the port is known; listens later, when the keys are there. */
static bool bind_port(struct fleet *fleet, const char *port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
	socklen_t length = sizeof any;
	uint64_t number;
	char text[16];
	int one = 1, n;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!number_parse(port, &number) || number > 65535) {
		fprintf(stderr, "fleet: \"%s\" is no port\n", port);
		return false;
	}
	any.sin_port = htons((uint16_t)number);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    bind(fd, (struct sockaddr *)&any, sizeof any) || getsockname(fd, (struct sockaddr *)&any, &length)) {
		fprintf(stderr, "fleet: port %s: %s\n", port, strerror(errno));
		return false;
	}
	fleet->port = ntohs(any.sin_port);
	fleet->listener = (struct watch){.fd = fd, .ready = listener_ready};
	n = snprintf(text, sizeof text, "%u\n", (unsigned)fleet->port);
	return fleet_write_file(fleet, "port", text, (size_t)n);
}

static bool open_signals(struct fleet *fleet)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	fleet->signals = (struct watch){.fd = fd, .ready = signals_ready};
	return fd >= 0;
}

/* 3000 sessions with their commands' pipes need some 12,000 descriptors. */
static void raise_nofile(struct fleet *fleet)
{
	struct rlimit more;

	getrlimit(RLIMIT_NOFILE, &fleet->nofile);
	more = fleet->nofile;
	more.rlim_cur = more.rlim_max < 65536 ? 65536 : more.rlim_max;
	more.rlim_max = more.rlim_cur;
	if (!setrlimit(RLIMIT_NOFILE, &more))
		return;
	more = fleet->nofile;
	more.rlim_cur = more.rlim_max;
	setrlimit(RLIMIT_NOFILE, &more);
}

static bool say_ready(struct fleet *fleet, const char *ready_fd)
{
	char pid[32];
	uint64_t fd;
	int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());

	if (listen(fleet->listener.fd, 4096)) {
		fprintf(stderr, "fleet: cannot listen: %s\n", strerror(errno));
		return false;
	}
	watch_set(&fleet->loop, &fleet->listener, EPOLLIN);
	watch_set(&fleet->loop, &fleet->signals, EPOLLIN);
	if (!fleet_write_file(fleet, "pid", pid, (size_t)n) || !fleet_write_file(fleet, "ready", pid, (size_t)n))
		return false;
	if (ready_fd && number_parse(ready_fd, &fd)) {
		if (write((int)fd, "ready\n", 6) < 0)
			return false;
		close((int)fd);
	}
	return true;
}

static void finish(struct fleet *fleet)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof path, "%s/ready", fleet->root);
	unlink(path);
	if (!fleet_write_stats(fleet))
		fprintf(stderr, "fleet: cannot write the counters: %s\n", strerror(errno));
	for (unsigned i = 0; i < fleet->user_keys; i++)
		ssh_key_free(fleet->user_key[i]);
	hosts_free(fleet);
	loop_release(&fleet->loop);
	if (fleet->log)
		fclose(fleet->log);
}

int main(int argc, char **argv)
{
	static struct fleet fleet;
	struct options options = {.port = NULL};

	if (!parse_options(&fleet, &options, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	if (!spawn_reserve()) {
		fprintf(stderr, "fleet: /dev/null: %s\n", strerror(errno));
		return 1;
	}
	list_init(&fleet.listed);
	for (unsigned i = 0; i < PID_BUCKETS; i++)
		list_init(&fleet.pids[i]);
	if (options.log && !(fleet.log = fopen(options.log, "ae"))) {
		fprintf(stderr, "fleet: %s: %s\n", options.log, strerror(errno));
		return 1;
	}
	if (fleet.log)
		setvbuf(fleet.log, NULL, _IOLBF, 0);
	raise_nofile(&fleet);
	if (loop_init(&fleet.loop) || !open_signals(&fleet) || ssh_init() || !make_root(&fleet, options.root))
		return 1;
	for (unsigned i = 0; i < options.user_keys; i++)
		if (!read_user_keys(&fleet, options.user_key[i]))
			return 1;
	if (!bind_port(&fleet, options.port) || !hosts_load(&fleet) || !say_ready(&fleet, options.ready_fd))
		return 1;
	if (loop_run(&fleet.loop))
		fprintf(stderr, "fleet: the loop failed: %s\n", strerror(errno));
	finish(&fleet);
	return 0;
}
