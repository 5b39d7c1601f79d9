#include "tests/lib/unit.h"

#include "base/log.h"
#include "base/redact.h"
#include "terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int said; /* where stderr or stdout goes */

/* Each test is a process of its own, so nothing is put back. */
static void catch(int fd)
{
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	said = fileno(file);
	ck_assert_int_eq(dup2(said, fd), fd);
}

/* What came since the last time. */
static const char *caught(void)
{
	static char text[65536];
	ssize_t n = pread(said, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	ck_assert_int_eq(ftruncate(said, 0), 0);
	lseek(said, 0, SEEK_SET);
	return text;
}

START_TEST(test_say)
{
	catch(STDERR_FILENO);
	terminal_init(false);
	ck_assert(!terminal_is_live() && !terminal_colour() && !terminal_can_ask());
	terminal_say("a %d", 1);
	ck_assert_str_eq(caught(), "a 1\n");
	terminal_error("no such thing");
	ck_assert_str_eq(caught(), "cutover: no such thing\n");
	terminal_draw("picture", 7);
	ck_assert_str_eq(caught(), "");
	ck_assert_str_eq(terminal_style(STYLE_RED), "");
	ck_assert_int_eq(terminal_width(), 80);
}
END_TEST

/* Words of hosts cannot move the cursor, ring the bell or name the window. */
START_TEST(test_control_bytes)
{
	catch(STDERR_FILENO);
	terminal_init(false);
	terminal_say("x\x1b[2Jy\x07z\x1b]0;title\x07\x7f\r\xc2\x9b" "1A \xe3\x81\x82");
	ck_assert_str_eq(caught(), "x?[2Jy?z?]0;title????1A \xe3\x81\x82\n");
}
END_TEST

START_TEST(test_secrets)
{
	struct err err = { 0 };

	catch(STDERR_FILENO);
	terminal_init(false);
	redact_register("hunter2hunter2", 14);
	terminal_say("the password is hunter2hunter2");
	ck_assert_str_eq(caught(), "the password is [secret]\n");
	catch(STDOUT_FILENO);
	ck_assert_int_eq(terminal_put("{\"p\":\"hunter2hunter2\"}", 22, &err), 0);
	ck_assert_str_eq(caught(), "{\"p\":\"[secret]\"}");
	redact_forget();
}
END_TEST

START_TEST(test_output_fails)
{
	struct err err = { 0 };
	int pipes[2], full = open("/dev/full", O_WRONLY);

	ck_assert_int_ge(full, 0);
	signal(SIGPIPE, SIG_IGN);
	dup2(full, STDOUT_FILENO);
	ck_assert_int_eq(terminal_put("x", 1, &err), E_NOSPACE);
	ck_assert_int_eq(pipe(pipes), 0);
	dup2(pipes[1], STDOUT_FILENO);
	close(pipes[0]);
	ck_assert_int_eq(terminal_put("x", 1, &err), E_CLOSED);
}
END_TEST

/* A terminal of 20 columns and 5 lines on stderr; returns its other end. */
static int small_terminal(void)
{
	struct winsize size = { .ws_row = 5, .ws_col = 20 };
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(slave, 0);
	ck_assert_int_eq(ioctl(slave, TIOCSWINSZ, &size), 0);
	dup2(slave, STDERR_FILENO);
	dup2(slave, STDIN_FILENO);
	setenv("TERM", "xterm", 1);
	fcntl(master, F_SETFL, O_NONBLOCK);
	return master;
}

/* What has come to the terminal; the line discipline made "\r\n" of "\n". */
static const char *shown(int master)
{
	static char text[8192];
	struct pollfd p = { .fd = master, .events = POLLIN };
	size_t n = 0;
	ssize_t got;

	/* What is written on the one end comes out of the other by the kernel's own thread, which may wait for its turn. */
	poll(&p, 1, 20000);
	while (n < sizeof(text) - 1 && poll(&p, 1, 50) > 0 && (got = read(master, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return text;
}

START_TEST(test_picture)
{
	int master = small_terminal();

	terminal_init(true);
	ck_assert(terminal_is_live() && terminal_can_ask() && !terminal_colour());
	ck_assert_int_eq(terminal_width(), 20);
	ck_assert_int_eq(terminal_height(), 5);
	terminal_draw("one\ntwo\n", 8);
	ck_assert_str_eq(shown(master), "\x1b[?25lone\x1b[K\r\ntwo\x1b[K\r\n\x1b[J");
	terminal_draw("three\n", 6);
	ck_assert_str_eq(shown(master), "\r\x1b[2Athree\x1b[K\r\n\x1b[J");
	terminal_say("hello"); /* takes the picture away */
	ck_assert_str_eq(shown(master), "\r\x1b[1A\x1b[Jhello\r\n");
	terminal_draw("four\n", 5);
	ck_assert_str_eq(shown(master), "four\x1b[K\r\n\x1b[J");
	log_error("x");
	ck_assert_ptr_nonnull(strstr(shown(master), "\r\x1b[1A\x1b[J"));
	terminal_draw_end(true);
	ck_assert_str_eq(shown(master), "\x1b[?25h");
}
END_TEST

START_TEST(test_picture_is_cut)
{
	int master = small_terminal();
	const char *text;

	terminal_init(false);
	/* 22 columns of wide characters, then lines that do not fit. */
	text = "あいうえおかきくけこさ\n2\n3\n4\n5\n6\n";
	terminal_draw(text, strlen(text));
	ck_assert_str_eq(shown(master), "\x1b[?25lあいうえおかきくけこ\x1b[0m\x1b[K\r\n2\x1b[0m\x1b[K\r\n3\x1b[0m\x1b[K\r\n"
					"4\x1b[0m\x1b[K\r\n\x1b[J");
	text = "\x1b[31m12345678901234567890\x1b[0m";
	terminal_draw(text, strlen(text));
	ck_assert_str_eq(shown(master), "\r\x1b[4A\x1b[31m12345678901234567890\x1b[0m\x1b[0m\x1b[K\r\n\x1b[J");
	terminal_draw_end(false);
	ck_assert_str_eq(shown(master), "\r\x1b[1A\x1b[J\x1b[?25h");
}
END_TEST

static bool answer(int master, const char *typed)
{
	bool yes;

	ck_assert_int_eq(write(master, typed, strlen(typed)), (ssize_t)strlen(typed));
	yes = terminal_ask("Go on?");
	ck_assert_ptr_nonnull(strstr(shown(master), "Go on? [y/N] "));
	return yes;
}

START_TEST(test_ask)
{
	int master = small_terminal();

	terminal_init(false);
	ck_assert(answer(master, "y\n"));
	ck_assert(answer(master, "YES\n"));
	ck_assert(!answer(master, "\n"));
	ck_assert(!answer(master, "n\n"));
	ck_assert(!answer(master, "yes, but not this one please, nor that one over there\n"));
	ck_assert(!answer(master, "\x04")); /* end of input */
}
END_TEST

START_TEST(test_dumb)
{
	small_terminal();
	setenv("TERM", "dumb", 1);
	terminal_init(false);
	ck_assert(!terminal_is_live() && !terminal_colour() && terminal_can_ask());
}
END_TEST

SUITE(terminal)
{
	TEST_CASE(s, test_say);
	TEST_CASE(s, test_control_bytes);
	TEST_CASE(s, test_secrets);
	TEST_CASE(s, test_output_fails);
	TEST_CASE(s, test_picture);
	TEST_CASE(s, test_picture_is_cut);
	TEST_CASE(s, test_ask);
	TEST_CASE(s, test_dumb);
}
