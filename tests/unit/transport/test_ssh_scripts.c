/*
 * The scripts that run on a host, under each /bin/sh that may be there, with the text that the transport sends and
 * without a network: stdin is written whole, stdout is read to its end.
 */
#include "base/alloc.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/hash.h"
#include "tests/lib/unit.h"
#include "tests/unit/transport/program.h"
#include "transport/ssh_marks.h"
#include "transport/ssh_text.h"

#include <sys/stat.h>
#include <unistd.h>

extern const struct embedded embedded_transport[];

#define NONCE "0123456789abcdef"

/* The command of ssh_channel.c, with another shell in the place of /bin/sh. */
static const char *const shells[][6] = {
    {"dash", "-c", "IFS= read -r l; eval \"$l\"", NULL},
    {"bash", "--posix", "-c", "IFS= read -r l; eval \"$l\"", NULL},
    {"busybox", "sh", "-c", "IFS= read -r l; eval \"$l\"", NULL},
};

/* What the shell answered: <marks>, and the raw bytes as they are. */
struct answer {
	struct buf log, raw;
	char folder[256];
};

static int on_mark(struct ssh_marks *marks, const char *words)
{
	struct answer *a = marks->arg;
	unsigned long n[6];

	buf_addf(&a->log, "<%s>", words);
	sscanf(words, "hello 1 %*s %*s %255s", a->folder);
	if (sscanf(words, "%lu end %lu %lu %lu %lu %lu", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]) == 6)
		ssh_marks_raw(marks, n[3] + n[5]);
	return 0;
}

static int on_text(struct ssh_marks *marks, const char *bytes, size_t len)
{
	buf_add(&((struct answer *)marks->arg)->log, bytes, len);
	return 0;
}

static int on_raw(struct ssh_marks *marks, const char *bytes, size_t len)
{
	buf_add(&((struct answer *)marks->arg)->raw, bytes, len);
	return 0;
}

static const struct ssh_marks_sink sink = {on_mark, on_text, on_raw};

static void answer_release(struct answer *a)
{
	buf_release(&a->log);
	buf_release(&a->raw);
}

/* Requests for the resident shell, to be played to it at once. */
struct session {
	char *folder; /* where it makes its own: $TMPDIR */
	struct buf in;
	unsigned number;
};

static char *shell_folder(const struct session *s)
{
	return str_fmt("%s/.cutover." NONCE, s->folder);
}

static void session_init(struct session *s)
{
	*s = (struct session){.folder = folder_make()};
	ssh_text_start(&s->in, NONCE, "", embedded_find(embedded_transport, "shell.sh"));
}

static void add_run(struct session *s, const char *script, char *const *args, int args_n, const struct buf *input,
		    size_t cap)
{
	char *folder = shell_folder(s);
	struct ssh_prelude p = {NONCE, folder, "0022", ++s->number};
	struct buf file = BUF_INIT;

	buf_addf(&s->in, "@" NONCE " put s%u\n", p.number);
	ssh_text_lines(&s->in, NONCE, script, strlen(script));
	ssh_text_run(&file, &p, args, args_n, p.number);
	buf_addf(&s->in, "@" NONCE " put r%u\n", p.number);
	ssh_text_lines(&s->in, NONCE, file.data, file.len);
	if (input) {
		buf_addf(&s->in, "@" NONCE " put b%u\n", p.number);
		ssh_text_base64(&s->in, NONCE, input->data, input->len);
	}
	buf_addf(&s->in, "@" NONCE " run %u 0 %zu %d\n", p.number, cap, input != NULL);
	buf_release(&file);
	free(folder);
}

/* Plays it, and checks that the shell's folder is gone afterwards. */
static int session_play(struct session *s, int shell, struct answer *a)
{
	struct buf out = BUF_INIT;
	struct ssh_marks marks;
	int code;

	*a = (struct answer){.folder = ""};
	setenv("TMPDIR", s->folder, 1);
	code = program_run(shells[shell], &s->in, &out);
	unsetenv("TMPDIR");
	ssh_marks_init(&marks, NONCE, &sink, a);
	ssh_marks_feed(&marks, buf_str(&out), out.len);
	ssh_marks_end(&marks);
	if (a->folder[0])
		ck_assert_msg(access(a->folder, F_OK) < 0, "%s was left behind", a->folder);
	buf_release(&out);
	return code;
}

static void session_release(struct session *s)
{
	buf_release(&s->in);
	folder_remove(s->folder);
}

static bool has(const struct answer *a, const char *text)
{
	return strstr(buf_str(&a->log), text) != NULL;
}

#define CHECK_HAS(answer, text) ck_assert_msg(has(answer, text), "wanted %s in: %s", text, buf_str(&(answer)->log))

static bool shell_missing(int shell)
{
	if (program_exists(shells[shell][0]))
		return false;
	printf("SKIP ssh_scripts: there is no %s here\n", shells[shell][0]);
	return true;
}

START_TEST(test_hello)
{
	struct session s;
	struct answer a;
	char *hello;

	if (shell_missing(_i))
		return;
	session_init(&s);
	session_play(&s, _i, &a);
	hello = shell_folder(&s);
	CHECK_HAS(&a, "<hello 1 0022 ");
	ck_assert_str_eq(a.folder, hello);
	free(hello);
	answer_release(&a);
	session_release(&s);
}
END_TEST

/* Each byte comes through, in arguments, input and output. */
START_TEST(test_bytes)
{
	static const char script[] = "printf '%s|' \"$#\" \"$@\"; cat; printf e >&2; exit 200";
	char *args[] = {str_dup("it's"), str_dup(""), str_dup("$HOME `x` \"y\" \\n *"), str_dup("a\nb"),
			str_dup("\xff\xfe \xe3\x81\x82")};
	struct buf input = BUF_INIT, wanted = BUF_INIT;
	struct session s;
	struct answer a;

	if (shell_missing(_i))
		return;
	for (int i = 0; i < 20000; i++)
		buf_addc(&input, (char)(i * 7 + i / 256));
	session_init(&s);
	add_run(&s, script, args, 5, &input, 100000);
	session_play(&s, _i, &a);
	buf_addf(&wanted, "5|it's||$HOME `x` \"y\" \\n *|a\nb|\xff\xfe \xe3\x81\x82|");
	buf_add(&wanted, input.data, input.len);
	buf_addc(&wanted, 'e');
	ck_assert(buf_equals(&a.raw, wanted.data, wanted.len));
	CHECK_HAS(&a, "<1 start ");
	CHECK_HAS(&a, "<1 end 200 ");
	CHECK_HAS(&a, "<1 done>");
	for (int i = 0; i < 5; i++)
		free(args[i]);
	buf_release(&input);
	buf_release(&wanted);
	answer_release(&a);
	session_release(&s);
}
END_TEST

START_TEST(test_caps_and_codes)
{
	struct session s;
	struct answer a;

	if (shell_missing(_i))
		return;
	session_init(&s);
	add_run(&s, "i=0; while [ $i -lt 300 ]; do echo 0123456789; i=$((i + 1)); done; exit 3", NULL, 0, NULL, 100);
	add_run(&s, "exit 0", NULL, 0, NULL, 100);
	add_run(&s, "kill -9 $$", NULL, 0, NULL, 100);
	add_run(&s, "if", NULL, 0, NULL, 1000);
	add_run(&s, "read x || echo no stdin; echo @" NONCE " 5 end 0 0 0 0 0", NULL, 0, NULL, 1000);
	session_play(&s, _i, &a);
	CHECK_HAS(&a, "<1 end 3 3300 100 0 0><1 done>");
	CHECK_HAS(&a, "<2 end 0 0 0 0 0><2 done>");
	CHECK_HAS(&a, "<3 end 137 0 0 0 0><3 done>");
	CHECK_HAS(&a, "<4 end 2 ");
	CHECK_HAS(&a, "<5 done>");
	ck_assert_ptr_nonnull(strstr(buf_str(&a.raw), "no stdin"));
	answer_release(&a);
	session_release(&s);
}
END_TEST

/* A daemon that keeps its outputs open holds nobody, and what it writes later is in nobody's output. */
START_TEST(test_daemon)
{
	struct session s;
	struct answer a;
	char *fifo;

	if (shell_missing(_i))
		return;
	session_init(&s);
	fifo = str_fmt("%s/fifo", s.folder);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	setenv("FIFO", fifo, 1);
	add_run(&s, "(read x <\"$FIFO\"; echo late; echo late >&2; echo over >\"$FIFO\") & echo early", NULL, 0, NULL,
		1000);
	add_run(&s, "echo go >\"$FIFO\"; read x <\"$FIFO\"; echo $x", NULL, 0, NULL, 1000);
	session_play(&s, _i, &a);
	unsetenv("FIFO");
	ck_assert_str_eq(buf_str(&a.raw), "early\nover\n");
	free(fifo);
	answer_release(&a);
	session_release(&s);
}
END_TEST

/* No folder can be made anywhere. $HOME and $TMPDIR are no folders; /tmp and /var/tmp are taken by a file of that name. */
START_TEST(test_no_folder)
{
	struct session s;
	struct answer a;
	static const char *const taken[] = {"/tmp/.cutover." NONCE, "/var/tmp/.cutover." NONCE};

	if (shell_missing(_i))
		return;
	session_init(&s);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		ck_assert_int_eq(file_write(taken[i], 0600, "x", 1, NULL), 0);
	folder_remove(s.folder);
	s.folder = str_dup("/nonexistent");
	setenv("HOME", "/nonexistent", 1);
	ck_assert_int_eq(session_play(&s, _i, &a), 1);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		unlink(taken[i]);
	ck_assert_str_eq(buf_str(&a.log), "<nofolder>");
	answer_release(&a);
	session_release(&s);
}
END_TEST

/* A script that is cut off is not run, nor a request. */
START_TEST(test_cut_off)
{
	struct session s;
	struct answer a;
	size_t whole;

	if (shell_missing(_i))
		return;
	session_init(&s);
	whole = s.in.len;
	s.in.len = whole - 4;
	session_play(&s, _i, &a);
	ck_assert_str_eq(buf_str(&a.log), "");
	answer_release(&a);
	s.in.len = whole;
	add_run(&s, "echo ran >&2", NULL, 0, NULL, 100);
	s.in.len -= 12;
	session_play(&s, _i, &a);
	ck_assert(!has(&a, "start"));
	answer_release(&a);
	session_release(&s);
}
END_TEST

/* exec.sh: the streams end with marks; stderr is looked at by sending it to stdout. */
START_TEST(test_exec)
{
	char *folder = folder_make(), *file;
	struct ssh_prelude p = {NONCE, folder, "0022", 7};
	struct buf text = BUF_INIT, command = BUF_INIT, out = BUF_INIT;
	const char *argv[7] = {NULL};
	char *assignments = str_fmt("exec 2>&1; X=7 E=0 D='%s'", folder);

	if (shell_missing(_i))
		return;
	for (int i = 0; shells[_i][i]; i++)
		argv[i] = shells[_i][i];
	ssh_text_start(&text, NONCE, assignments, embedded_find(embedded_transport, "exec.sh"));
	ssh_text_exec(&command, &p, "echo out; echo err >&2; umask; read x || echo no stdin\nexit 9");
	ssh_text_lines(&text, NONCE, command.data, command.len);
	ck_assert_int_eq(program_run(argv, &text, &out), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\n@" NONCE " 7 start "));
	ck_assert_ptr_nonnull(
	    strstr(buf_str(&out), "out\nerr\n0022\nno stdin\n\n@" NONCE " 7 exit 9\n\n@" NONCE " 7 out\n"));
	file = str_fmt("%s/x7", folder);
	ck_assert_int_lt(access(file, F_OK), 0);
	free(file);
	free(assignments);
	buf_release(&text);
	buf_release(&command);
	buf_release(&out);
	folder_remove(folder);
}
END_TEST

START_TEST(test_quote)
{
	static const char *const texts[] = {
	    "", "a", "it's", "''", "$x `y` \\", "a\nb", "-n", "\xff", "!*?[]{}~#&;|<>()"};

	if (shell_missing(_i))
		return;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct buf script = BUF_INIT, out = BUF_INIT;
		const char *argv[7] = {NULL};
		int n = 0;

		for (; strcmp(shells[_i][n], "-c") != 0; n++)
			argv[n] = shells[_i][n];
		buf_adds(&script, "printf %s ");
		ssh_text_quote(&script, texts[i]);
		argv[n] = "-c";
		argv[n + 1] = buf_str(&script);
		ck_assert_int_eq(program_run(argv, NULL, &out), 0);
		ck_assert_str_eq(buf_str(&out), texts[i]);
		buf_release(&script);
		buf_release(&out);
	}
}
END_TEST

SUITE(ssh_scripts)
{
	TEST_CASE_LOOP(s, test_quote, 0, ARRAY_LEN(shells));
	TEST_CASE_LOOP(s, test_hello, 0, ARRAY_LEN(shells));
	TEST_CASE_LOOP(s, test_bytes, 0, ARRAY_LEN(shells));
	TEST_CASE_LOOP(s, test_caps_and_codes, 0, ARRAY_LEN(shells));
	TEST_CASE_LOOP(s, test_daemon, 0, ARRAY_LEN(shells));
	TEST_CASE_LOOP(s, test_no_folder, 0, ARRAY_LEN(shells));
	TEST_CASE_LOOP(s, test_cut_off, 0, ARRAY_LEN(shells));
	TEST_CASE_LOOP(s, test_exec, 0, ARRAY_LEN(shells));
}
