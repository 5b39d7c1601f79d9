/*
 * The first bytes of the fault are sent at once, then the connection only swallows (or, for flood:banner, writes on).
 * It cannot fail. It closes when the client does.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw.h"

#define BANNER "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n"

struct raw {
	struct fleet *fleet;
	struct watch socket;
	struct grave grave;
	bool flood;
};

static void raw_destroy(struct grave *grave)
{
	free(container_of(grave, struct raw, grave));
}

static void raw_close(struct raw *raw)
{
	watch_close(&raw->fleet->loop, &raw->socket);
	raw->fleet->stats.connections_open--;
	loop_bury(&raw->fleet->loop, &raw->grave, raw_destroy);
}

static void raw_ready(struct watch *watch, uint32_t events)
{
	static const char lines[] = "This host is under maintenance.\r\nPlease come back another time.\r\n";
	struct raw *raw = container_of(watch, struct raw, socket);
	char sink[4096];

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && recv(watch->fd, sink, sizeof sink, 0) <= 0) {
		raw_close(raw);
		return;
	}
	if (events & EPOLLOUT && raw->flood && send(watch->fd, lines, sizeof lines - 1, MSG_NOSIGNAL) < 0)
		raw_close(raw);
}

static size_t put_name_list(unsigned char *out, const char *names)
{
	size_t n = strlen(names);
	uint32_t length = htonl((uint32_t)n);

	memcpy(out, &length, 4);
	memcpy(out + 4, names, n);
	return n + 4;
}

/* An SSH_MSG_KEXINIT (RFC 4253, 7.1) that every client can agree with. `out` holds 1024 bytes. */
static size_t make_kexinit(unsigned char *out)
{
	static const char *const lists[10] = {"curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256",
					      "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256",
					      "aes128-ctr,aes256-ctr",
					      "aes128-ctr,aes256-ctr",
					      "hmac-sha2-256,hmac-sha2-512",
					      "hmac-sha2-256,hmac-sha2-512",
					      "none",
					      "none",
					      "",
					      ""};
	size_t n = 5, padding;
	uint32_t length;

	memset(out, 0, 1024);
	out[n++] = 20;
	memset(out + n, 0x5a, 16); /* the cookie need not be random: no key comes of it */
	n += 16;
	for (int i = 0; i < 10; i++)
		n += put_name_list(out + n, lists[i]);
	n += 5; /* first_kex_packet_follows and a reserved number: all 0 */
	padding = 4 + (8 - (n + 4) % 8) % 8;
	length = htonl((uint32_t)(n - 4 + padding));
	memcpy(out, &length, 4);
	out[4] = (unsigned char)padding;
	return n + padding;
}

/* The same bytes each time, none of them a banner. */
static void make_garbage(unsigned char *out, size_t n)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		out[i] = (unsigned char)(x >> 11);
	}
}

/* The bytes that the fault begins with; they fit into any fresh socket's buffer. */
static size_t first_bytes(const struct fault_set *faults, unsigned char *out, size_t size)
{
	size_t n = strlen(BANNER);

	if (fault_holds(faults, FAULT_GARBAGE)) {
		make_garbage(out, size);
		return size;
	}
	if (!fault_holds(faults, FAULT_HANG_BANNER) && !fault_holds(faults, FAULT_HANG_KEX))
		return 0;
	memcpy(out, BANNER, n);
	return fault_holds(faults, FAULT_HANG_KEX) ? n + make_kexinit(out + n) : n;
}

bool raw_start(struct fleet *fleet, int fd, const struct fault_set *faults, const char *addr)
{
	uint32_t mine = 1u << FAULT_REFUSE | 1u << FAULT_HANG_ACCEPT | 1u << FAULT_HANG_BANNER | 1u << FAULT_HANG_KEX |
			1u << FAULT_FLOOD_BANNER | 1u << FAULT_GARBAGE;
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	unsigned char first[2048];
	struct raw *raw;
	size_t n;

	if (!(faults->bits & mine))
		return false;
	if (fault_holds(faults, FAULT_REFUSE)) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(fd);
		return true;
	}
	raw = calloc(1, sizeof *raw);
	if (!raw)
		abort();
	raw->fleet = fleet;
	raw->flood = fault_holds(faults, FAULT_FLOOD_BANNER);
	raw->socket = (struct watch){.fd = fd, .ready = raw_ready};
	if (++fleet->stats.connections_open > fleet->stats.connections_peak)
		fleet->stats.connections_peak = fleet->stats.connections_open;
	n = first_bytes(faults, first, sizeof first);
	if (n && send(fd, first, n, MSG_NOSIGNAL) < 0)
		fleet_log(fleet, addr, "the client has gone already");
	watch_set(&fleet->loop, &raw->socket, raw->flood ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}
