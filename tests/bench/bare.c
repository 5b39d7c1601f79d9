/*
 * bare: the floor. The wire work of a cutover run on libssh2 and libuv alone, without any of the program: for each host
 * connect, key exchange, login with a key, one channel with a shell that echoes lines, ROUNDS lines there and back, and
 * one more channel with one command; all hosts at once, CONCURRENCY at a time. Prints one line: hosts, failures, wall
 * seconds, CPU milliseconds per host, peak memory.
 *
 *     bare --port P --first 127.a.b.c --hosts N --concurrency C --rounds R --out BYTES --in BYTES --key FILE
 *
 * OUT bytes are sent and IN bytes come back in each round. It does not look at host keys, has no deadlines, journals
 * nothing: what cutover needs on top of it is what cutover costs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libssh2.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/file.h"

enum state { CONNECT, HANDSHAKE, AUTH, OPEN, EXEC, SEND, RECEIVE, CLOSE, OPEN2, EXEC2, RECEIVE2, CLOSE2, DISCONNECT };

struct bench {
	uv_loop_t loop;
	int port, hosts, concurrency, rounds, out, in;
	uint32_t first;
	struct buf key;
	char *line, *command;
	int begun, ended, failed;
};

struct host {
	struct bench *bench;
	uv_poll_t poll;
	int fd, events;
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	enum state state;
	int round, sent, received;
};

static void begin_next(struct bench *b);
static void step(struct host *h);

static void on_closed(uv_handle_t *handle)
{
	struct host *h = handle->data;
	struct bench *b = h->bench;

	close(h->fd);
	free(h);
	begin_next(b);
}

static void end(struct host *h, bool failed)
{
	h->bench->ended++;
	h->bench->failed += failed;
	if (h->session) {
		shutdown(h->fd, failed ? SHUT_RDWR : SHUT_WR);
		libssh2_session_free(h->session);
	}
	uv_close((uv_handle_t *)&h->poll, on_closed);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	step(poll->data);
}

static void wait_for(struct host *h)
{
	int directions = libssh2_session_block_directions(h->session), events = 0;

	events |= directions & LIBSSH2_SESSION_BLOCK_INBOUND ? UV_READABLE : 0;
	events |= directions & LIBSSH2_SESSION_BLOCK_OUTBOUND ? UV_WRITABLE : 0;
	events = events ? events : UV_READABLE;
	if (events != h->events)
		uv_poll_start(&h->poll, h->events = events, on_ready);
}

/* 0: this state is through; EAGAIN; another error. */
static int do_open(struct host *h)
{
	h->channel = libssh2_channel_open_session(h->session);
	return h->channel ? 0 : libssh2_session_last_errno(h->session);
}

static int do_send(struct host *h)
{
	while (h->sent < h->bench->out) {
		ssize_t n = libssh2_channel_write(h->channel, h->bench->line + h->sent, (size_t)(h->bench->out - h->sent));
		if (n < 0)
			return (int)n;
		h->sent += (int)n;
	}
	h->sent = 0;
	return 0;
}

static int do_receive(struct host *h, int wanted)
{
	char bytes[8192];

	while (wanted < 0 || h->received < wanted) {
		ssize_t n = libssh2_channel_read(h->channel, bytes, sizeof(bytes));
		if (n < 0)
			return (int)n;
		if (n == 0)
			return wanted < 0 ? 0 : LIBSSH2_ERROR_SOCKET_RECV;
		h->received += (int)n;
	}
	h->received = 0;
	return 0;
}

static int do_connect(struct host *h)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error)
		return LIBSSH2_ERROR_SOCKET_NONE;
	h->session = libssh2_session_init();
	libssh2_session_set_blocking(h->session, 0);
	return 0;
}

static int do_close(struct host *h)
{
	int rc = libssh2_channel_free(h->channel);

	if (rc == 0)
		h->channel = NULL;
	return rc;
}

static int do_state(struct host *h)
{
	struct bench *b = h->bench;

	switch (h->state) {
	case CONNECT:
		return do_connect(h);
	case HANDSHAKE:
		return libssh2_session_handshake(h->session, h->fd);
	case AUTH:
		return libssh2_userauth_publickey_frommemory(h->session, "root", 4, NULL, 0, b->key.data, b->key.len, NULL);
	case OPEN:
	case OPEN2:
		return do_open(h);
	case EXEC:
		return libssh2_channel_exec(h->channel, b->command);
	case EXEC2:
		return libssh2_channel_exec(h->channel, "hostname");
	case SEND:
		return do_send(h);
	case RECEIVE:
		return do_receive(h, b->in);
	case RECEIVE2:
		return do_receive(h, -1);
	case CLOSE:
	case CLOSE2:
		return do_close(h);
	case DISCONNECT:
		return libssh2_session_disconnect(h->session, "bye");
	}
	return -1;
}

static void step(struct host *h)
{
	for (;;) {
		int rc = do_state(h);
		if (rc == LIBSSH2_ERROR_EAGAIN) {
			wait_for(h);
			return;
		}
		if (rc || h->state == DISCONNECT) {
			end(h, rc != 0);
			return;
		}
		h->state = h->state == RECEIVE && ++h->round < h->bench->rounds ? SEND : h->state + 1;
	}
}

static void begin_next(struct bench *b)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)b->port) };
	struct host *h;
	int one = 1;

	if (b->begun == b->hosts)
		return;
	h = NEW(struct host);
	h->bench = b;
	a.sin_addr.s_addr = htonl(b->first + (uint32_t)b->begun++);
	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(h->fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != EINPROGRESS)
		abort();
	uv_poll_init(&b->loop, &h->poll, h->fd);
	h->poll.data = h;
	uv_poll_start(&h->poll, h->events = UV_WRITABLE, on_ready);
}

static void report(const struct bench *b, double wall_s)
{
	struct rusage r;
	double cpu_ms;

	getrusage(RUSAGE_SELF, &r);
	cpu_ms = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
	printf("hosts %d failed %d wall_s %.2f cpu_ms_per_host %.2f peak_kib %ld\n", b->ended, b->failed, wall_s,
	       cpu_ms / b->hosts, r.ru_maxrss);
}

static void parse(struct bench *b, int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' },	{ "first", 1, NULL, 'f' },
						 { "hosts", 1, NULL, 'h' },	{ "concurrency", 1, NULL, 'c' },
						 { "rounds", 1, NULL, 'r' },	{ "out", 1, NULL, 'o' },
						 { "in", 1, NULL, 'i' },	{ "key", 1, NULL, 'k' },
						 { NULL, 0, NULL, 0 } };
	struct err err = { 0 };
	int *const numbers[256] = { ['p'] = &b->port,	['h'] = &b->hosts, ['c'] = &b->concurrency,
				    ['r'] = &b->rounds, ['o'] = &b->out,   ['i'] = &b->in };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) > 0) {
		if (c == 'f')
			b->first = ntohl(inet_addr(optarg));
		else if (c == 'k' && file_read(optarg, 65536, &b->key, &err) != 0)
			fprintf(stderr, "bare: %s\n", err.text);
		else if (c < 256 && numbers[c])
			*numbers[c] = (int)strtol(optarg, NULL, 10);
	}
	if (!b->first || !b->key.len || b->hosts < 1 || b->out < 2 || b->in < 1) {
		fprintf(stderr, "usage: see the head of tests/bench/bare.c\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct bench b = { .concurrency = 200, .rounds = 1 };
	uint64_t begun;

	parse(&b, argc, argv);
	b.line = mem_new((size_t)b.out, 1);
	memset(b.line, 'x', (size_t)b.out);
	b.line[b.out - 1] = '\n';
	b.command = str_fmt("exec /bin/sh -c 'while read -r l; do printf %%0%dd 0; done'", b.in);
	uv_loop_init(&b.loop);
	libssh2_init(0);
	begun = uv_hrtime();
	for (int i = 0; i < b.concurrency && i < b.hosts; i++)
		begin_next(&b);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	report(&b, (double)(uv_hrtime() - begun) / 1e9);
	buf_release_secret(&b.key);
	free(b.line);
	free(b.command);
	return b.failed != 0;
}
