/*
 * What the program says of a ruleset beside what the kernel does with it (tests/integration/firewall.sh).
 *
 *     judge say in|out FILE [SETS]      reads addresses, a line each, and prints "ADDRESS covered|missing|unknown": FILE is what nft
 *                                       printed (*.json), else what iptables-save did, with SETS of ipset
 *     judge serve                       listens on port 25 of all addresses; sends each byte back; for ever
 *     judge connect MS FROM|any TO|any  reads addresses, connects from (to, where TO is any) each of them to port 25, sends a byte
 *                                       and prints those for which it came back within MS; "any" stands for the address that was read
 */
#include "agents/firewall/coverage.h"
#include "agents/firewall/iptables.h"
#include "agents/firewall/nft.h"

#include "base/alloc.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 25
#define ADDRESSES_MAX 256

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "judge: %s\n", what);
	exit(2);
}

static char *addresses[ADDRESSES_MAX];
static size_t addresses_n;

static void read_addresses(void)
{
	char line[64];

	while (addresses_n < ADDRESSES_MAX && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		addresses[addresses_n++] = str_dup(line);
	}
}

/* ---- say ------------------------------------------------------------------------------------------------------------ */

static void read_filter(const char *path, const char *sets, const struct packet *p, struct filter *f)
{
	struct buf text = BUF_INIT, saved = BUF_INIT;
	struct err err = { 0 };
	json_t *ruleset;

	if (file_read(path, 1 << 22, &text, &err) != 0 || (sets && file_read(sets, 1 << 22, &saved, &err) != 0))
		die(err.text);
	if (!strstr(path, ".json")) {
		if (iptables_read(buf_str(&text), buf_str(&saved), p, f, &err) != 0)
			die(err.text);
	} else {
		ruleset = nft_load(text.data, text.len, &err);
		if (!ruleset)
			die(err.text);
		nft_read(ruleset, p, NULL, NULL, f);
		json_decref(ruleset);
	}
	buf_release(&text);
	buf_release(&saved);
}

static int say(const char *way, const char *path, const char *sets)
{
	struct coverage_question q = { .way = strcmp(way, "in") == 0 ? COVERAGE_IN : COVERAGE_OUT, .port = PORT, .interface = "eth0" };
	struct coverage c;
	struct range near, each;

	range_parse(&near, "192.0.2.25", NULL);
	ranges_one(&q.near, near.from, near.end);
	ranges_one(&q.needed, 0, ADDRESSES_END);
	coverage_begin(&c, &q);
	for (int i = 0; i < COVERAGE_PACKETS; i++) {
		struct packet p;
		struct filter f;
		coverage_packet(&q, i, &p);
		read_filter(path, sets, &p, &f);
		coverage_add(&c, &p, &f);
		filter_release(&f);
	}
	for (size_t i = 0; i < addresses_n; i++) {
		if (range_parse(&each, addresses[i], NULL) != 0)
			die(addresses[i]);
		printf("%s %s\n", addresses[i],
		       ranges_has(&c.covered, each.from) ? "covered" :
		       ranges_has(&c.missing, each.from) ? "missing" :
							   "unknown");
	}
	coverage_release(&c);
	ranges_release(&q.near);
	ranges_release(&q.needed);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the kernel ----------------------------------------------------------------------------------------------------- */

static int serve(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&to, sizeof(to)) != 0 || listen(listener, 128) != 0)
		die(strerror(errno));
	puts("listening");
	fflush(stdout);
	for (;;) {
		char byte;
		struct timeval soon = { .tv_usec = 300000 };
		int one = accept(listener, NULL, NULL);
		if (one < 0)
			continue;
		/* One that sends nothing holds the others for a moment only. */
		setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
		if (recv(one, &byte, 1, 0) == 1)
			send(one, &byte, 1, MSG_NOSIGNAL);
		close(one);
	}
}

static struct sockaddr_in address_of(const char *text, const char *each, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, strcmp(text, "any") == 0 ? each : text, &at.sin_addr) != 1)
		die(text);
	return at;
}

static int start(const char *from, const char *to, const char *each)
{
	struct sockaddr_in source = address_of(from, each, 0), target = address_of(to, each, PORT);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (bind(fd, (struct sockaddr *)&source, sizeof(source)) != 0)
		die(each);
	connect(fd, (struct sockaddr *)&target, sizeof(target));
	return fd;
}

/* Events of one connection: connected (then a byte is sent), answered, or over. */
static void step(struct pollfd *p, const char *address)
{
	char byte;

	if (p->events == POLLOUT) {
		p->events = POLLIN;
		if (send(p->fd, "x", 1, MSG_NOSIGNAL) == 1)
			return;
	} else if (recv(p->fd, &byte, 1, 0) == 1) {
		puts(address);
	}
	close(p->fd);
	p->fd = -1;
}

static int connect_all(int ms, const char *from, const char *to)
{
	struct pollfd fds[ADDRESSES_MAX];
	int64_t until_ms = now_ms() + ms, left_ms = ms;
	size_t open = addresses_n;

	for (size_t i = 0; i < addresses_n; i++)
		fds[i] = (struct pollfd){ .fd = start(from, to, addresses[i]), .events = POLLOUT };
	for (; open && left_ms > 0; left_ms = until_ms - now_ms()) {
		poll(fds, addresses_n, (int)left_ms);
		for (size_t i = 0; i < addresses_n; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			step(&fds[i], addresses[i]);
			open -= fds[i].fd < 0;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "serve") == 0)
		return serve();
	read_addresses();
	if (strcmp(verb, "say") == 0 && argc >= 4)
		return say(argv[2], argv[3], argv[4]);
	if (strcmp(verb, "connect") == 0 && argc == 5)
		return connect_all((int)strtol(argv[2], NULL, 10), argv[3], argv[4]);
	die("see the beginning of judge.c");
	return 2;
}
