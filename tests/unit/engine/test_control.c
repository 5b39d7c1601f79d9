#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "engine/control.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static uv_loop_t loop;
static struct control *control;
static char path[512];

static int echo(const json_t *request, json_t *answer, void *arg, struct err *err)
{
	const char *text = json_string_value(json_object_get(request, "text"));

	(void)arg;
	if (!text)
		return err_set(err, E_INVAL, "no text");
	json_object_set_new(answer, "text", json_string(text));
	return 0;
}

static void set_up_at(const char *at)
{
	snprintf(path, sizeof(path), "%s", at);
	uv_loop_init(&loop);
	ck_assert_int_eq(control_open(&loop, path, echo, NULL, &control, NULL), 0);
}

static void set_up(void)
{
	char at[64];

	snprintf(at, sizeof(at), "/tmp/cutover-control-%ld", (long)getpid());
	set_up_at(at);
}

static void tear_down(void)
{
	control_close(control);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
}

static int client(void)
{
	int folder, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un a;

	ck_assert_int_eq(control_address(path, &a, &folder, NULL), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (folder >= 0)
		close(folder);
	return fd;
}

/* Lets the loop work until the server hangs up; what it said is in `out`. */
static void hear(int fd, struct buf *out)
{
	char bytes[4096];
	ssize_t n;

	do {
		uv_run(&loop, UV_RUN_NOWAIT);
		n = read(fd, bytes, sizeof(bytes));
		if (n > 0)
			buf_add(out, bytes, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	close(fd);
}

static void assert_answer(const char *request, const char *answer)
{
	struct buf out = BUF_INIT;
	int fd = client();

	for (const char *p = request; *p; p++) { /* byte by byte: a line may come in pieces */
		ck_assert_int_eq(write(fd, p, 1), 1);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	hear(fd, &out);
	ck_assert_str_eq(buf_str(&out), answer);
	buf_release(&out);
}

START_TEST(test_answers)
{
	struct stat st;

	set_up();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	assert_answer("{\"text\":\"hello\"}\n", "{\"text\":\"hello\",\"ok\":true}\n");
	assert_answer("{}\n", "{\"ok\":false,\"code\":\"invalid\",\"text\":\"no text\"}\n");
	assert_answer("nonsense\n", "{\"ok\":false,\"code\":\"invalid\",\"text\":\"the request is no JSON object\"}\n");
	assert_answer("[1]\n", "{\"ok\":false,\"code\":\"invalid\",\"text\":\"the request is no JSON object\"}\n");
	tear_down();
}
END_TEST

/* A line without end is cut off at its bound, and others are served meanwhile. */
START_TEST(test_endless_line)
{
	static char lump[65536];
	struct buf out = BUF_INIT;
	size_t sent = 0;
	int fd, r;

	set_up();
	fd = client();
	memset(lump, 'x', sizeof(lump));
	do {
		r = (int)send(fd, lump, sizeof(lump), MSG_NOSIGNAL);
		sent += r > 0 ? (size_t)r : 0;
		uv_run(&loop, UV_RUN_NOWAIT);
		ck_assert_uint_lt(sent, 8 * CONTROL_LINE_MAX_BYTES);
	} while (r > 0 || errno == EAGAIN);
	assert_answer("{\"text\":\"hello\"}\n", "{\"text\":\"hello\",\"ok\":true}\n");
	hear(fd, &out);
	buf_release(&out);
	tear_down();
}
END_TEST

START_TEST(test_closed_with_clients)
{
	int fds[CONTROL_CLIENTS_MAX + 2];

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = client();
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	tear_down();
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}
END_TEST

START_TEST(test_stale_socket_and_bad_folder)
{
	struct err err = { 0 };
	struct control *c;
	int fd;

	snprintf(path, sizeof(path), "/tmp/cutover-control-%ld", (long)getpid());
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	set_up();
	assert_answer("{\"text\":\"hello\"}\n", "{\"text\":\"hello\",\"ok\":true}\n");
	tear_down();
	uv_loop_init(&loop);
	ck_assert_int_eq(control_open(&loop, "/nonexistent/sock", echo, NULL, &c, &err), E_IO);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/sock"));
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

#define LONG_FOLDER "/a-folder-whose-name-is-long-so-that-four-of-them-in-each-other-are-longer-than-any-address"

/* The folder, of more than 107 bytes, and those in it; made or removed. */
static void long_folder(char *at, size_t size, bool make)
{
	int n = snprintf(at, size, "/tmp/cutover-control-%ld", (long)getpid());
	int end = n;

	for (int depth = 0; depth < 3; depth++) {
		if (make)
			ck_assert_int_eq(mkdir(at, 0700), 0);
		end += snprintf(at + end, size - (size_t)end, "%s", LONG_FOLDER);
	}
	if (make)
		ck_assert_int_eq(mkdir(at, 0700), 0);
	for (; !make && end >= n; end -= (int)strlen(LONG_FOLDER)) {
		at[end] = '\0';
		ck_assert_int_eq(rmdir(at), 0);
	}
}

START_TEST(test_long_path)
{
	char folder[400], at[512];
	struct stat st;

	long_folder(folder, sizeof(folder), true);
	snprintf(at, sizeof(at), "%s/cutover.db.sock", folder);
	set_up_at(at);
	ck_assert_int_eq(stat(at, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	assert_answer("{\"text\":\"hello\"}\n", "{\"text\":\"hello\",\"ok\":true}\n");
	tear_down();
	long_folder(folder, sizeof(folder), false);
}
END_TEST

START_TEST(test_long_name)
{
	struct err err = { 0 };
	struct control *c;
	char at[200];

	snprintf(at, sizeof(at), "/tmp/%0120d.sock", 0);
	uv_loop_init(&loop);
	ck_assert_int_eq(control_open(&loop, at, echo, NULL, &c, &err), E_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.text, "give it a shorter one"));
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

SUITE(control)
{
	TEST_CASE(s, test_long_path);
	TEST_CASE(s, test_long_name);
	TEST_CASE(s, test_answers);
	TEST_CASE(s, test_endless_line);
	TEST_CASE(s, test_closed_with_clients);
	TEST_CASE(s, test_stale_socket_and_bad_folder);
}
