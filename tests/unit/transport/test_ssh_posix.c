/*
 * The resident shell's protocol against hosts that keep to it and hosts that do not: no network, no session; the bytes
 * are given to posix_shell_take as a channel would.
 */
#include "tests/lib/unit.h"
#include "transport/ssh_posix.h"

#define HELLO "\n@{N} hello 1 0022 77 /tmp/.cutover.x\n"

struct fixture {
	uv_loop_t loop;
	struct ssh_transport transport;
	struct ssh_remote remote;
	struct op op;
	struct embedded script;
	struct remote_request request;
	bool done;
};

static void on_done(struct remote_request *request)
{
	((struct fixture *)request->arg)->done = true;
}

static void setup(struct fixture *f, enum op_kind kind)
{
	*f = (struct fixture){.done = false};
	uv_loop_init(&f->loop);
	f->transport.loop = &f->loop;
	f->remote.transport = &f->transport;
	f->remote.label = str_dup("acme/sync1");
	f->remote.user = str_dup("admin");
	f->remote.sudo = true;
	list_init(&f->remote.execs);
	list_init(&f->remote.shell_queue);
	list_init(&f->remote.exec_queue);
	list_init(&f->remote.done);
	uv_timer_init(&f->loop, &f->remote.timer);
	f->remote.shell = ssh_shell_new(&f->remote);
	op_init(&f->op, kind);
	f->op.max_out_bytes = 20;
	f->script = (struct embedded){"x.sh", "echo\n", 5};
	f->op.script = &f->script;
	f->op.path = str_dup("/etc/x");
	f->request = (struct remote_request){.op = &f->op, .what = "step", .done = on_done, .arg = f};
}

static void teardown(struct fixture *f)
{
	ssh_execs_abandon(&f->remote, E_CLOSED, "over");
	ssh_shell_free(f->remote.shell);
	ssh_request_deliver(&f->remote);
	op_result_release(&f->request.result);
	op_release(&f->op);
	free(f->remote.label);
	free(f->remote.user);
	uv_close((uv_handle_t *)&f->remote.timer, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&f->loop), 0);
}

/* {N} is the session's nonce; one byte after the other. */
static int take(struct fixture *f, const char *text, struct err *err)
{
	struct buf bytes = BUF_INIT;
	int r = 0;

	for (; *text; text++) {
		if (strncmp(text, "{N}", 3) == 0) {
			buf_adds(&bytes, f->remote.shell->nonce);
			text += 2;
		} else {
			buf_addc(&bytes, *text);
		}
	}
	for (size_t i = 0; i < bytes.len && !r; i++)
		r = posix_shell_take(posix_shell_of(f->remote.shell), 0, bytes.data + i, 1, err);
	buf_release(&bytes);
	return r;
}

/* Says hello, starts the request, which gets the number 1. */
static void begin(struct fixture *f)
{
	struct err err = {.code = 0};
	struct list *node;

	ck_assert_msg(take(f, "MOTD\nWelcome! " HELLO, &err) == 0, "%s", err.text);
	ck_assert(ssh_shell_ready(f->remote.shell));
	ck_assert_str_eq(posix_shell_folder(posix_shell_of(f->remote.shell)), "/tmp/.cutover.x");
	ssh_request_start(&f->remote, &f->request);
	node = list_pop(&f->remote.shell_queue);
	ck_assert_ptr_nonnull(node);
	posix_shell_begin(posix_shell_of(f->remote.shell), CONTAINER_OF(node, struct ssh_request, node));
}

/* After the request was sent: what comes; what take returns in the end; how the request ends (1: it has not). */
static const struct {
	const char *name, *comes;
	int returns, failure;
	bool started;
	int exit_code;
	const char *out, *err;
} table[] = {
    {"good", "\n@{N} 1 start 500 500\n\n@{N} 1 end 7 3 3 2 2\nabcde\n@{N} 1 done\n", 0, 0, true, 7, "abc", "de"},
    {"noise between", "x\ny\n\n@{N} 1 start 500 500\nz\n@{N} 1 end 0 0 0 0 0\n\n@{N} 1 done\n", 0, 0, true, 0, "", ""},
    {"32 bits", "\n@{N} 1 start 5 5\n\n@{N} 1 end 4294966236 0 0 0 0\n\n@{N} 1 done\n", 0, 0, true, -1060, "", ""},
    {"negative", "\n@{N} 1 start 5 5\n\n@{N} 1 end -2 0 0 0 0\n\n@{N} 1 done\n", 0, 0, true, -2, "", ""},
    {"a mark in the output", "\n@{N} 1 start 5 5\n\n@{N} 1 end 0 9 9 0 0\n\n@{N} 9\n\n@{N} 1 done\n", E_PROTOCOL, 1,
     true, 0, NULL, NULL},
    {"not started", "\n@{N} 1 end 1 0 0 3 3\nwhy\n@{N} 1 done\n", 0, E_IO, false, 1, "", "why"},
    {"no room", "\n@{N} 1 fail write head: error writing: No space left on device\n", 0, E_NOSPACE, false, 0, "", ""},
    {"not writable", "\n@{N} 1 fail write sh: cannot create: Permission denied\n", 0, E_IO, false, 0, "", ""},
    {"no base64", "\n@{N} 1 fail decode \n", 0, E_IO, false, 0, "", ""},
    {"truncated there", "\n@{N} 1 start 5 5\n\n@{N} 1 end 0 99 3 0 0\nabc\n@{N} 1 done\n", 0, 0, true, 0, "abc", ""},
    {"nothing yet", "\n@{N} 1 start 5 5\n", 0, 1, true, 0, NULL, NULL},
    {"half an output", "\n@{N} 1 start 5 5\n\n@{N} 1 end 0 9 9 0 0\nabc", 0, 1, true, 0, NULL, NULL},
    {"another number", "\n@{N} 2 start 5 5\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"another nonce", "\n@0000000000000000 1 end 0 0 0 0 0\n", 0, 1, true, 0, NULL, NULL},
    {"hello again", HELLO, E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"start twice", "\n@{N} 1 start 5 5\n\n@{N} 1 start 5 5\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"start of init", "\n@{N} 1 start 1 1\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"start of all", "\n@{N} 1 start -1 5\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"start, a negative group", "\n@{N} 1 start 5 -1\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"start without numbers", "\n@{N} 1 start x y\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"done before end", "\n@{N} 1 start 5 5\n\n@{N} 1 done\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"end twice", "\n@{N} 1 end 0 0 0 0 0\n\n@{N} 1 end 0 0 0 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"more than asked for", "\n@{N} 1 end 0 99 99 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"sent more than it has", "\n@{N} 1 end 0 1 2 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"negative length", "\n@{N} 1 end 0 -1 -1 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"huge length", "\n@{N} 1 end 0 99999999999999999999 3 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"huge code", "\n@{N} 1 end 99999999999 0 0 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"too few numbers", "\n@{N} 1 end 0 0 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"too many numbers", "\n@{N} 1 end 0 0 0 0 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"two blanks", "\n@{N} 1 end 0  0 0 0 0\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"more output than announced", "\n@{N} 1 end 0 1 1 0 0\nabc", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"an unknown word", "\n@{N} 1 dance\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"nothing at all", "\n@{N} \n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"no number", "\n@{N} x done\n", E_PROTOCOL, 1, true, 0, NULL, NULL},
    {"after its end", "\n@{N} 1 end 0 0 0 0 0\n\n@{N} 1 done\n\n@{N} 1 done\n", E_PROTOCOL, E_IO, false, 0, "", ""},
};

START_TEST(test_answers)
{
	struct fixture f;
	struct err err = {.code = 0};
	const struct op_result *r = &f.request.result;
	int returned;

	setup(&f, OP_RUN);
	begin(&f);
	returned = take(&f, table[_i].comes, &err);
	ssh_request_deliver(&f.remote);
	ck_assert_msg(returned == table[_i].returns, "%s: returned %d: %s", table[_i].name, returned, err.text);
	ck_assert_msg(f.done == (table[_i].failure != 1), "%s: done %d", table[_i].name, f.done);
	if (f.done) {
		ck_assert_msg(r->failure.code == table[_i].failure, "%s: %s", table[_i].name, r->failure.text);
		ck_assert_str_eq(buf_str(&r->out), table[_i].out);
		ck_assert_str_eq(buf_str(&r->err), table[_i].err);
		ck_assert_int_eq(r->exit_code, table[_i].exit_code);
	} else {
		struct ssh_request *left = ssh_shell_take_running(f.remote.shell);
		ssh_request_fail(&f.remote, left, E_CLOSED, "over");
		ssh_request_deliver(&f.remote);
	}
	ck_assert_msg(r->started == table[_i].started, "%s: started %d", table[_i].name, r->started);
	teardown(&f);
}
END_TEST

/* Before the request: greetings that are none. */
static const struct {
	const char *comes;
	int returns;
} greetings[] = {
    {HELLO, 0},
    {"\n@{N} hello 2 0022 77 /tmp/x\n", E_PROTOCOL},
    {"\n@{N} hello 1 0022 77\n", E_PROTOCOL},
    {"\n@{N} hello 1 rm 77 /tmp/x\n", E_PROTOCOL},
    {"\n@{N} hello 1 0022;reboot 77 /tmp/x\n", E_PROTOCOL},
    {"\n@{N} hello \n", E_PROTOCOL},
    {"\n@{N} nofolder\n", E_NOSPACE},
    {"\n@{N} 1 done\n", E_PROTOCOL},
    {"\n@{N} 0 done\n", E_PROTOCOL},
    {"\n@0000000000000000 hello 1 0022 77 /tmp/x\n", 0},
};

START_TEST(test_greetings)
{
	struct fixture f;
	struct err err = {.code = 0};

	setup(&f, OP_RUN);
	ck_assert_int_eq(take(&f, greetings[_i].comes, &err), greetings[_i].returns);
	ck_assert_int_eq(err.code, greetings[_i].returns);
	ck_assert_int_eq(ssh_shell_ready(f.remote.shell), _i == 0);
	teardown(&f);
}
END_TEST

/* Endless lines, endless text without one, on either stream: patience ends. */
START_TEST(test_floods)
{
	char bytes[4096];

	for (int stream = 0; stream < 2; stream++) {
		for (int newlines = 0; newlines < 2; newlines++) {
			struct fixture f;
			struct err err = {.code = 0};
			size_t given = 0;
			int r = 0;

			setup(&f, OP_RUN);
			memset(bytes, 'x', sizeof(bytes));
			for (size_t i = 0; newlines && i < sizeof(bytes); i += 64)
				bytes[i] = '\n';
			while (!r && given < 10 * SHELL_NOISE_MAX) {
				r = posix_shell_take(posix_shell_of(f.remote.shell), stream, bytes, sizeof(bytes), &err);
				given += sizeof(bytes);
			}
			ck_assert_int_eq(r, E_PROTOCOL);
			ck_assert_ptr_nonnull(strstr(err.text, "floods"));
			ck_assert_uint_le(given, SHELL_NOISE_MAX + 2 * sizeof(bytes));
			teardown(&f);
		}
	}
}
END_TEST

/* Elevated, and nothing began: sudo's own words. */
START_TEST(test_sudo_refused)
{
	struct fixture f;
	struct err err = {.code = 0};

	setup(&f, OP_RUN);
	f.op.elevated = true;
	f.op.max_out_bytes = 100;
	begin(&f);
	ck_assert_int_eq(take(&f, "\n@{N} 1 end 1 0 0 29 29\nsudo: a password is required\n\n@{N} 1 done\n", &err), 0);
	ssh_request_deliver(&f.remote);
	ck_assert_int_eq(f.request.result.failure.code, E_SUDO);
	ck_assert(!f.request.result.started);
	ck_assert_ptr_nonnull(strstr(f.request.result.failure.text,
				     "acme/sync1: step: sudo -n was refused for admin: sudo: a password is required;"));
	teardown(&f);
}
END_TEST

/* The exit codes of get.sh and replace.sh, and get.sh's header. */
static const struct {
	enum op_kind kind;
	const char *comes;
	int failure;
	const char *out;
} files[] = {
    {OP_GET, "\n@{N} 1 end 0 44 44 0 0\n644 0 10 1 4 1700000000\nroot\nadm\n/etc/x\nabcd\n@{N} 1 done\n", 0, "abcd"},
    {OP_GET, "\n@{N} 1 end 0 44 44 0 0\n644 0 10 1 9 1700000000\nroot\nadm\n/etc/x\nabcd\n@{N} 1 done\n", E_CHANGED,
     ""},
    {OP_GET, "\n@{N} 1 end 0 3 3 0 0\nabc\n@{N} 1 done\n", E_PROTOCOL, NULL},
    {OP_GET, "\n@{N} 1 end 0 10 10 0 0\na\nb\nc\nd\nee\n@{N} 1 done\n", E_PROTOCOL, NULL},
    {OP_GET, "\n@{N} 1 end 103 0 0 3 3\nwhy\n@{N} 1 done\n", E_NOTFOUND, ""},
    {OP_GET, "\n@{N} 1 end 105 0 0 3 3\nwhy\n@{N} 1 done\n", E_LIMIT, ""},
    {OP_GET, "\n@{N} 1 end 106 0 0 3 3\nwhy\n@{N} 1 done\n", E_PERM, ""},
    {OP_GET, "\n@{N} 1 end 102 0 0 3 3\nwhy\n@{N} 1 done\n", E_INVAL, ""},
    {OP_GET, "\n@{N} 1 end 2 0 0 3 3\nwhy\n@{N} 1 done\n", E_IO, ""},
    {OP_REPLACE, "\n@{N} 1 end 0 0 0 0 0\n\n@{N} 1 done\n", 0, ""},
    {OP_REPLACE, "\n@{N} 1 end 122 0 0 3 3\nwhy\n@{N} 1 done\n", E_CHANGED, ""},
    {OP_REPLACE, "\n@{N} 1 end 108 0 0 3 3\nwhy\n@{N} 1 done\n", E_NOSPACE, ""},
    {OP_REPLACE, "\n@{N} 1 end 137 0 0 0 0\n\n@{N} 1 done\n", E_IO, ""},
};

START_TEST(test_file_ops)
{
	struct fixture f;
	struct err err = {.code = 0};
	char *comes = str_fmt("\n@{N} 1 start 5 5\n%s", files[_i].comes);

	setup(&f, files[_i].kind);
	begin(&f);
	ck_assert_msg(take(&f, comes, &err) == 0, "%s", err.text);
	ssh_request_deliver(&f.remote);
	ck_assert(f.done);
	ck_assert_msg(f.request.result.failure.code == files[_i].failure, "%s", f.request.result.failure.text);
	if (files[_i].out)
		ck_assert_str_eq(buf_str(&f.request.result.out), files[_i].out);
	if (_i == 0) {
		ck_assert_str_eq(f.request.result.file.real_path, "/etc/x");
		ck_assert_str_eq(f.request.result.file.group, "adm");
		ck_assert_uint_eq(f.request.result.file.mode, 0644);
		ck_assert_int_eq(f.request.result.file.gid, 10);
	}
	free(comes);
	teardown(&f);
}
END_TEST

START_TEST(test_bad_requests)
{
	static const struct {
		enum op_kind kind;
		int code;
	} bad[] = {{OP_RUN, E_INVAL}, {OP_EXEC, E_INVAL}, {OP_GET, E_INVAL}, {OP_REPLACE, E_LIMIT}};
	struct fixture f;

	setup(&f, bad[_i].kind);
	f.op.script = NULL;
	f.op.path[0] = bad[_i].kind == OP_GET ? 'x' : '/';
	f.op.input.truncated = bad[_i].kind == OP_REPLACE;
	ssh_request_start(&f.remote, &f.request);
	ck_assert(!f.done);
	ssh_request_deliver(&f.remote);
	ck_assert(f.done);
	ck_assert_int_eq(f.request.result.failure.code, bad[_i].code);
	ck_assert(!f.request.result.started);
	teardown(&f);
}
END_TEST

SUITE(ssh_posix)
{
	TEST_CASE_LOOP(s, test_answers, 0, ARRAY_LEN(table));
	TEST_CASE_LOOP(s, test_greetings, 0, ARRAY_LEN(greetings));
	TEST_CASE(s, test_floods);
	TEST_CASE(s, test_sudo_refused);
	TEST_CASE_LOOP(s, test_file_ops, 0, ARRAY_LEN(files));
	TEST_CASE_LOOP(s, test_bad_requests, 0, 4);
}
