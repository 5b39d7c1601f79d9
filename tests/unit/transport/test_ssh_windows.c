/*
 * The Windows shell against a host in memory (winhost.h): its life, OP_RUN, OP_GET, and what it makes of a host that
 * does not keep to the protocol, for each answer in turn. OP_REPLACE is in test_ssh_win_replace.c.
 */
#include "winhost.h"

#include "tests/lib/unit.h"

#define TARGET "C:\\Program Files (x86)\\it's a & b\\x.config"
#define SFTP_TARGET "/C:/Program Files (x86)/it's a & b/x.config"

/* --- life */

START_TEST(test_a_session)
{
	struct winhost host;

	winhost_ready(&host);
	ck_assert_str_eq(strrchr(host.sh->folder, '\\') + 1 + strlen("cutover-"), host.sh->base.nonce);
	ck_assert_int_eq(strncmp(host.sh->folder, "C:\\windows\\temp\\cutover-", 24), 0);
	ck_assert(winhost_find(&host, host.sh->sftp_folder)->folder);
	ck_assert_uint_eq(host.sh->page, 932);
	ssh_shell_finish(host.remote.shell);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert(ssh_shell_ended(host.remote.shell));
	ck_assert_ptr_null(winhost_find(&host, host.sh->sftp_folder));
	winhost_release(&host);
}
END_TEST

/* What cmd.exe says instead of its hello. */
static const struct {
	const char *says;
	int code;
} hellos[] = {
    {"sh: cmd.exe: not found\n", 0},
    {"@{N} 1000000001 done\r\n", E_PROTOCOL},
    {"@{N} 1000000001 root \"%SystemRoot%\"\r\n", E_PROTOCOL},
    {"@{N} 1000000001 root \"C:\\a b\"\r\n", E_PROTOCOL},
    {"@{N} 1000000001 dance\r\n", E_PROTOCOL},
    {"@{N} 7 done\r\n", E_PROTOCOL},
    {"@{N} done\r\n", E_PROTOCOL},
    {"@{N} \r\n", 0},
    {"@0000000000000000 1000000001 done\r\n", 0},
    {"echo @{N} 1000000001 done\r\n", 0},
    {"@{N} 1000000001 page xyz\r\n", 0},
};

static void strange_hello(int i)
{
	struct winhost host;
	int r;

	winhost_init(&host);
	host.sh->channel.in_at = host.sh->channel.in.len;
	r = winhost_say(&host, hellos[i].says);
	ck_assert_msg(r == hellos[i].code, "%s: %d", hellos[i].says, r);
	ck_assert(!ssh_shell_ready(host.remote.shell));
	winhost_release(&host);
}

START_TEST(test_a_strange_hello)
{
	for (int i = 0; i < (int)ARRAY_LEN(hellos); i++)
		strange_hello(i);
}
END_TEST

START_TEST(test_a_prompt_before_the_mark)
{
	struct winhost host;

	winhost_init(&host);
	host.sh->channel.in_at = host.sh->channel.in.len;
	ck_assert_int_eq(winhost_say(&host, "Welcome\r\nC:\\>@{N} 1000000001 root \"D:\\WINNT\" \r\nC:\\>"
					    "@{N} 1000000001 page 65001\nC:\\Users\\x>@{N} 1000000001 done\r\n"),
			 0);
	ck_assert(host.sh->up);
	ck_assert_uint_eq(host.sh->page, 65001);
	winhost_release(&host);
}
END_TEST

START_TEST(test_noise_without_end)
{
	struct winhost host;
	char bytes[5000];
	int r = 0, n = 0;

	winhost_ready(&host);
	memset(bytes, 'x', sizeof(bytes));
	while (!r && n++ < 1000)
		r = ssh_win_shell_take(host.sh, _i, bytes, sizeof(bytes), &host.err);
	ck_assert_int_eq(r, E_PROTOCOL);
	ck_assert_int_le(n, (SHELL_NOISE_MAX / 5000) + 2);
	winhost_release(&host);
}
END_TEST

START_TEST(test_the_folder_cannot_be_made)
{
	struct winhost host;

	winhost_init(&host);
	host.fault_at = 1;
	host.fault = _i ? ANSWER_FORBIDDEN : ANSWER_FAILURE;
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert_int_eq(host.err.code, _i ? E_PERM : E_NOSPACE);
	ck_assert(!ssh_shell_ready(host.remote.shell));
	winhost_release(&host);
}
END_TEST

/* --- OP_RUN */

START_TEST(test_run)
{
	struct winhost host;
	struct winhost_op o;
	const struct op_result *r = &o.request.result;
	int answers;

	winhost_ready(&host);
	winhost_op_init(&o, OP_RUN);
	op_arg(&o.op, "a b&c");
	op_arg(&o.op, "");
	buf_adds(&o.op.input, "in\nput");
	host.code = -1073741510;
	host.out = "\x83\x66 out\r\n";
	host.err_out = "err";
	winhost_run(&host, &o);
	ck_assert_msg(o.done && !r->failure.code, "%s", r->failure.text);
	ck_assert(r->started);
	ck_assert_int_eq(r->exit_code, -1073741510);
	ck_assert_str_eq(buf_str(&r->out), "\x83\x66 out\r\n");
	ck_assert_str_eq(buf_str(&r->err), "err");
	ck_assert(!r->out.truncated && !r->err.truncated);
	ck_assert_str_eq(buf_str(&host.ran), "@rem x\r\n| \"a b&c\" \"\"|in\nput;");
	ck_assert_int_eq(winhost_left(&host), 0);
	op_result_release(&o.request.result);

	/* The second time the script is there, and nothing has to be read: open, write, close. */
	answers = host.answers;
	o.done = false;
	buf_clear(&o.op.input);
	host.out = host.err_out = NULL;
	host.code = 1060;
	buf_clear(&host.ran);
	winhost_run(&host, &o);
	ck_assert_int_eq(r->exit_code, 1060);
	ck_assert_str_eq(buf_str(&host.ran), "@rem x\r\n| \"a b&c\" \"\"|(nul);");
	ck_assert_int_eq(host.answers, answers + 3);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

START_TEST(test_more_output_than_asked_for)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_op_init(&o, OP_RUN);
	o.op.max_out_bytes = 4;
	host.out = "123456789";
	host.err_out = "1234";
	winhost_run(&host, &o);
	ck_assert_str_eq(buf_str(&o.request.result.out), "1234");
	ck_assert(o.request.result.out.truncated);
	ck_assert_str_eq(buf_str(&o.request.result.err), "1234");
	ck_assert(!o.request.result.err.truncated);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

START_TEST(test_nothing_can_be_written_for_the_output)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_op_init(&o, OP_RUN);
	host.no_outputs = true;
	winhost_run(&host, &o);
	ck_assert_int_eq(o.request.result.failure.code, E_IO);
	ck_assert(!o.request.result.started);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

/* What cmd.exe says to the line that runs a script, and how that ends; 1: it has not. */
static const struct {
	const char *name, *says;
	int returns, failure;
	int32_t code;
} answers[] = {
    {"good", "@{N} {L} code 7\r\n@{N} {L} size 0\r\n@{N} {L} size 0\r\n@{N} {L} done\r\n", 0, 0, 7},
    {"32 bits", "@{N} {L} code 4294966236\r\n@{N} {L} size 0\r\n@{N} {L} size 0\r\n@{N} {L} done\r\n", 0, 0, -1060},
    {"nothing yet", "@{N} {L} code 7\r\n", 0, 1, 0},
    {"half a line", "@{N} {L} code 7\r\n@{N} {L} si", 0, 1, 0},
    {"noise", "What?\r\nC:\\> What? @{N} {L} done\r\n", 0, 1, 0},
    {"no code", "@{N} {L} size 0\r\n@{N} {L} size 0\r\n@{N} {L} done\r\n", E_PROTOCOL, 1, 0},
    {"two codes", "@{N} {L} code 7\r\n@{N} {L} code 7\r\n", E_PROTOCOL, 1, 0},
    {"no sizes", "@{N} {L} code 7\r\n@{N} {L} done\r\n", E_PROTOCOL, 1, 0},
    {"one size", "@{N} {L} code 7\r\n@{N} {L} size 0\r\n@{N} {L} done\r\n", E_PROTOCOL, 1, 0},
    {"three sizes", "@{N} {L} size 0\r\n@{N} {L} size 0\r\n@{N} {L} size 0\r\n", E_PROTOCOL, 1, 0},
    {"a negative size", "@{N} {L} size -1\r\n", E_PROTOCOL, 1, 0},
    {"a huge size", "@{N} {L} size 99999999999999999999\r\n", E_PROTOCOL, 1, 0},
    {"a size that is none", "@{N} {L} size x\r\n", E_PROTOCOL, 1, 0},
    {"a huge code", "@{N} {L} code 99999999999\r\n", E_PROTOCOL, 1, 0},
    {"no number for a code", "@{N} {L} code %errorlevel%\r\n", E_PROTOCOL, 1, 0},
    {"another line", "@{N} 4000 code 7\r\n", E_PROTOCOL, 1, 0},
    {"the hello once more", "@{N} 1000000001 done\r\n", E_PROTOCOL, 1, 0},
    {"an unknown word", "@{N} {L} dance\r\n", E_PROTOCOL, 1, 0},
    {"no word", "@{N} {L}\r\n", E_PROTOCOL, 1, 0},
    {"no number", "@{N} done\r\n", E_PROTOCOL, 1, 0},
};

static void answer_once(int i)
{
	struct winhost host;
	struct winhost_op o;
	int r;

	winhost_ready(&host);
	winhost_op_init(&o, OP_RUN);
	host.silent = true;
	winhost_op_start(&host, &o);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert_int_eq(host.sh->line_out, 1);
	ck_assert(o.request.result.started);
	r = winhost_say(&host, answers[i].says);
	ck_assert_msg(r == answers[i].returns, "%s: %d: %s", answers[i].name, r, host.err.text);
	ssh_request_deliver(&host.remote);
	ck_assert_msg(o.done == (answers[i].failure != 1), "%s: done %d", answers[i].name, o.done);
	ck_assert_int_eq(o.request.result.exit_code, answers[i].code);
	winhost_release(&host);
	winhost_op_release(&o);
}

START_TEST(test_answers)
{
	for (int i = 0; i < (int)ARRAY_LEN(answers); i++)
		answer_once(i);
}
END_TEST

START_TEST(test_letters)
{
	struct winhost host;
	struct winhost_op o;

	winhost_ready(&host);
	winhost_op_init(&o, OP_RUN);
	op_arg(&o.op, "\xe6\x97\xa5");
	host.silent = true;
	winhost_op_start(&host, &o);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert_uint_eq(host.sh->call.page, 932);
	winhost_release(&host);
	winhost_op_release(&o);
}
END_TEST

/* Without a way to end it: with the session; what it is told is that it may have had an effect. */
START_TEST(test_a_script_without_end)
{
	struct winhost host;
	struct winhost_op o, next;

	winhost_ready(&host);
	winhost_op_init(&o, OP_RUN);
	winhost_op_init(&next, OP_RUN);
	host.silent = true;
	winhost_op_start(&host, &o);
	winhost_op_start(&host, &next);
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	if (_i)
		ssh_request_cancel(&host.remote, &o.request);
	else
		host.loop.time += 10001;
	ck_assert(winhost_pump(&host, WINHOST_STEPS));
	ck_assert_int_eq(host.err.code, E_TIMEOUT);
	ssh_request_deliver(&host.remote);
	ck_assert(o.done && o.request.result.started && !next.done);
	ck_assert_int_eq(o.request.result.failure.code, _i ? E_CANCELED : E_TIMEOUT);
	winhost_release(&host);
	ck_assert(next.done && !next.request.result.started);
	winhost_op_release(&o);
	winhost_op_release(&next);
}
END_TEST

/* --- OP_GET */

static void get(struct winhost *host, struct winhost_op *o, const char *path, size_t max)
{
	winhost_op_init(o, OP_GET);
	o->op.path = str_dup(path);
	o->op.max_out_bytes = max;
	winhost_run(host, o);
	ck_assert(o->done);
}

START_TEST(test_get)
{
	struct winhost host;
	struct winhost_op o;
	const struct op_file *file = &o.request.result.file;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, "old\r\n")->read_only = _i;
	get(&host, &o, TARGET, 5);
	ck_assert_msg(!o.request.result.failure.code, "%s", o.request.result.failure.text);
	ck_assert_str_eq(buf_str(&o.request.result.out), "old\r\n");
	ck_assert_str_eq(file->real_path, TARGET);
	ck_assert_uint_eq(file->mode, _i ? 0444 : 0666);
	ck_assert_str_eq(file->owner, "");
	ck_assert_str_eq(file->group, "");
	ck_assert_uint_eq(file->links, 1);
	ck_assert_int_eq(file->size_bytes, 5);
	ck_assert_int_eq(file->mtime_s, 1700000000);
	winhost_op_release(&o);
	winhost_release(&host);
}
END_TEST

static int get_fails(struct winhost *host, const char *path, size_t max)
{
	struct winhost_op o;
	int code;

	get(host, &o, path, max);
	code = o.request.result.failure.code;
	ck_assert_uint_eq(o.request.result.out.len, 0);
	winhost_op_release(&o);
	return code;
}

START_TEST(test_get_fails)
{
	struct winhost host;

	winhost_ready(&host);
	ck_assert_int_eq(get_fails(&host, TARGET, 100), E_NOTFOUND);
	ck_assert_int_eq(get_fails(&host, "/etc/passwd", 100), E_INVAL);
	winhost_put(&host, SFTP_TARGET, "12345")->held = true;
	ck_assert_int_eq(get_fails(&host, TARGET, 5), E_BUSY);
	ck_assert_int_eq(get_fails(&host, TARGET, 4), E_LIMIT);
	ck_assert_int_eq(get_fails(&host, "C:\\windows\\temp", 4), E_INVAL);
	winhost_release(&host);
}
END_TEST

START_TEST(test_a_large_file)
{
	struct winhost host;
	struct winhost_op o;
	struct winhost_file *f;
	char *bytes = mem_new(1, 3 * SFTP_CHUNK + 1);

	winhost_ready(&host);
	memset(bytes, 'x', 3 * SFTP_CHUNK);
	f = winhost_put(&host, SFTP_TARGET, bytes);
	get(&host, &o, TARGET, 1 << 20);
	ck_assert(buf_equals(&o.request.result.out, bytes, f->bytes.len));
	winhost_op_release(&o);
	winhost_release(&host);
	free(bytes);
}
END_TEST

/* Each answer in turn, for a script and for a file that is read. */
static bool op_with_fault(int at, enum winhost_fault fault, bool file)
{
	struct winhost host;
	struct winhost_op o;
	bool met;

	winhost_ready(&host);
	winhost_put(&host, SFTP_TARGET, "old\r\n");
	winhost_op_init(&o, file ? OP_GET : OP_RUN);
	o.op.path = str_dup(TARGET);
	buf_adds(&o.op.input, "input");
	host.out = "out";
	host.err_out = "err";
	host.fault_at = host.answers + at;
	host.fault = fault;
	winhost_run(&host, &o);
	met = host.answers >= host.fault_at;
	if (fault == ANSWER_NEVER && met && !o.done) {
		winhost_pass_time(&host, &o);
		ck_assert(o.done);
		ck_assert_int_eq(o.request.result.failure.code, E_TIMEOUT);
	}
	ck_assert(o.done || host.err.code);
	if (o.done && !o.request.result.failure.code)
		ck_assert_str_eq(buf_str(&o.request.result.out), file ? "old\r\n" : "out");
	if (!file && host.ran.len)
		ck_assert(o.request.result.started);
	winhost_release(&host);
	winhost_op_release(&o);
	return met;
}

START_TEST(test_ops_with_faults)
{
	int at = 1;

	while (op_with_fault(at, (enum winhost_fault)(_i % ANSWER_FAULTS), _i >= ANSWER_FAULTS))
		at++;
	ck_assert_int_ge(at, 5);
}
END_TEST

SUITE(ssh_windows)
{
	TEST_CASE(s, test_a_session);
	TEST_CASE(s, test_a_strange_hello);
	TEST_CASE(s, test_a_prompt_before_the_mark);
	TEST_CASE_LOOP(s, test_noise_without_end, 0, 2);
	TEST_CASE_LOOP(s, test_the_folder_cannot_be_made, 0, 2);
	TEST_CASE(s, test_run);
	TEST_CASE(s, test_more_output_than_asked_for);
	TEST_CASE(s, test_nothing_can_be_written_for_the_output);
	TEST_CASE(s, test_answers);
	TEST_CASE(s, test_letters);
	TEST_CASE_LOOP(s, test_a_script_without_end, 0, 2);
	TEST_CASE_LOOP(s, test_get, 0, 2);
	TEST_CASE(s, test_get_fails);
	TEST_CASE(s, test_a_large_file);
	TEST_CASE_LOOP(s, test_ops_with_faults, 0, 2 * ANSWER_FAULTS);
}
