/*
 * A server that takes the connection and hangs up, at each moment that the client may notice: it was there, so it is
 * `closed`, with the same sentence, whether the kernel tells it as a failed connect, a reset or an end. The moment is
 * chosen where the client asks the kernel whether it is connected (getsockopt SO_ERROR), which this program answers.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "tests/lib/unit.h"
#include "tests/unit/transport/program.h"
#include "transport/ssh.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void (*before_connected)(void); /* once */

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	void (*act)(void) = before_connected;

	if (act && level == SOL_SOCKET && name == SO_ERROR) {
		before_connected = NULL;
		act();
	}
	return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}

/* ---- a server ---------------------------------------------------------------------------------------------------- */

static int listener, port;

static void listen_somewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	port = ntohs(a.sin_port);
}

static void reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static int take(void)
{
	int fd = accept(listener, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void take_and_reset(void)
{
	reset(take());
}

/* The client's side was told of the end already: a reset is EPIPE there then. */
static void take_end_and_reset(void)
{
	int fd = take();

	shutdown(fd, SHUT_WR);
	reset(fd);
}

static void take_and_end(void)
{
	close(take());
}

/* ---- the client -------------------------------------------------------------------------------------------------- */

struct client {
	uv_loop_t loop;
	struct transport *transport;
	struct err err;
	bool opened;
};

static void closed(void *arg)
{
	struct client *c = arg;

	ssh_transport_close(c->transport, NULL, NULL);
}

static void opened(struct remote *remote, const struct err *err, void *arg)
{
	struct client *c = arg;

	c->opened = true;
	if (err)
		c->err = *err;
	remote_close(remote, closed, c);
}

static void make_key(struct buf *key)
{
	char *folder = folder_make(), *path = str_fmt("%s/key", folder);
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL };

	ck_assert_int_eq(program_run(argv, NULL, NULL), 0);
	ck_assert_int_eq(file_read(path, 1 << 20, key, NULL), 0);
	free(path);
	folder_remove(folder);
}

static void open_to_its_end(struct client *c)
{
	const char *pin = "SHA256:1aB2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1U";
	struct buf key = BUF_INIT;
	struct err err = { 0 };

	make_key(&key);
	uv_loop_init(&c->loop);
	ck_assert_msg(ssh_transport_new(&c->loop, NULL, &c->transport, &err) == 0, "%s", err.text);
	remote_open(c->transport,
		    &(struct remote_spec){ .label = "acme/sync1",
					   .address = "127.0.0.1",
					   .port = port,
					   .user = "ops",
					   .key = key.data,
					   .key_len = key.len,
					   .key_name = "the test's key",
					   .host_keys = &pin,
					   .host_keys_n = 1 },
		    opened, c);
	uv_run(&c->loop, UV_RUN_DEFAULT);
	ck_assert(c->opened);
	ck_assert_int_eq(uv_loop_close(&c->loop), 0);
	buf_release(&key);
}

START_TEST(test_hung_up_on)
{
	static void (*const ways[])(void) = { take_and_reset, take_end_and_reset, take_and_end };
	struct client c = { .opened = false };

	listen_somewhere();
	before_connected = ways[_i];
	open_to_its_end(&c);
	ck_assert_ptr_null(before_connected);
	ck_assert_msg(c.err.code == E_CLOSED, "%s: %s", err_name(c.err.code), c.err.text);
	ck_assert_msg(strstr(c.err.text, "127.0.0.1 closed the connection before its version line"), "%s", c.err.text);
	ck_assert_msg(strstr(c.err.text, "MaxStartups"), "%s", c.err.text);
	close(listener);
}
END_TEST

START_TEST(test_nobody_there)
{
	struct client c = { .opened = false };

	listen_somewhere();
	close(listener);
	open_to_its_end(&c);
	ck_assert_msg(c.err.code == E_REFUSED, "%s: %s", err_name(c.err.code), c.err.text);
	ck_assert_msg(strstr(c.err.text, "is sshd running there?"), "%s", c.err.text);
}
END_TEST

SUITE(ssh_session)
{
	TEST_CASE_LOOP(s, test_hung_up_on, 0, 3);
	TEST_CASE(s, test_nobody_there);
}
