/*
 * agent_liar: an ssh-agent that does what the real one behind it does, and lies when it is asked to sign.
 *
 *	agent_liar SOCKET REAL-SOCKET MODE
 *
 * Prints "ready" when SOCKET can be connected to, then one line for each request ("list", "sign"), and goes on until it is
 * killed. One connection at a time, which is what is to be shown: whoever opens a second one waits for ever.
 *
 *	honest		no lie			failure		refuses to sign
 *	other		a good signature of other data		sha1	with RSA and SHA-1, whatever is asked for
 *	garbage		bytes that are none	long		announces 1 GB
 *	empty		an empty answer		cut		half of the answer, then hangs up
 *	hangup		hangs up		hang		never answers
 *	extra		a byte more		drip		the right answer, byte by byte
 *	once		hangs up before every second signature, then behaves
 *	mute		does not even say which keys it has
 */
#include "base/alloc.h"
#include "transport/ssh_agent_wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LIST = 11, SIGN = 13 };

static const char *mode;
static unsigned signatures;

static bool is(const char *name)
{
	return strcmp(mode, name) == 0;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static bool read_all(int fd, void *into, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, (char *)into + at, len - at);
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* One frame, with its head. */
static bool read_frame(int fd, struct buf *frame)
{
	unsigned char head[4];
	struct wire w;
	uint32_t len;

	buf_clear(frame);
	if (!read_all(fd, head, sizeof(head)))
		return false;
	w = wire_over(head, sizeof(head));
	len = wire_u32(&w);
	buf_add(frame, head, sizeof(head));
	if (len > AGENT_FRAME_MAX || buf_room(frame, len) != len || !read_all(fd, frame->data + frame->len, len))
		return false;
	frame->len += len;
	return true;
}

static bool send_bytes(int fd, const void *bytes, size_t len)
{
	return write(fd, bytes, len) == (ssize_t)len;
}

/* What the real one answers. */
static void ask_real(const char *path, const struct buf *request, struct buf *answer)
{
	struct sockaddr_un a = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || !send_bytes(fd, request->data, request->len) ||
	    !read_frame(fd, answer))
		die(path);
	close(fd);
}

/* The request with one bit of the data changed, or without its flags. */
static void falsify(struct buf *request)
{
	if (is("sha1"))
		memset(request->data + request->len - 4, 0, 4);
	else if (is("other"))
		request->data[request->len - 10] ^= 1;
}

static bool drip(int fd, const struct buf *answer)
{
	for (size_t i = 0; i < answer->len; i++)
		if (!send_bytes(fd, answer->data + i, 1))
			return false;
	return true;
}

/* False: hang up. */
static bool lie(int fd, const struct buf *answer)
{
	static const char failure[] = "\0\0\0\1\5", garbage[] = "\0\0\0\10\16\0\0\0\1xyz",
			  huge[] = "\100\0\0\0\16", empty[] = "\0\0\0\0";

	if (is("hang"))
		for (;;)
			pause();
	if (is("hangup") || (is("once") && ++signatures % 2 == 1))
		return false;
	if (is("failure"))
		return send_bytes(fd, failure, 5);
	if (is("garbage"))
		return send_bytes(fd, garbage, 12);
	if (is("long"))
		return send_bytes(fd, huge, 5);
	if (is("empty"))
		return send_bytes(fd, empty, 4);
	if (is("cut"))
		return send_bytes(fd, answer->data, answer->len / 2) && false;
	if (is("drip"))
		return drip(fd, answer);
	return send_bytes(fd, answer->data, answer->len) && (!is("extra") || send_bytes(fd, "x", 1));
}

static void serve(int fd, const char *real)
{
	struct buf request = BUF_INIT, answer = BUF_INIT;
	bool good = true;

	while (good && read_frame(fd, &request)) {
		bool sign = request.len > 4 && request.data[4] == SIGN;
		puts(sign ? "sign" : "list");
		if (sign)
			falsify(&request);
		ask_real(real, &request, &answer);
		if (!sign && is("mute"))
			for (;;)
				pause();
		good = sign ? lie(fd, &answer) : send_bytes(fd, answer.data, answer.len);
	}
	buf_release(&request);
	buf_release(&answer);
}

int main(int argc, char **argv)
{
	struct sockaddr_un a;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 4)
		return 2;
	a = address_of(argv[1]);
	mode = argv[3];
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	unlink(argv[1]);
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 64) < 0)
		die(argv[1]);
	puts("ready");
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		serve(fd, argv[2]);
		close(fd);
	}
}
