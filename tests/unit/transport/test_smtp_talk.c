#include "transport/smtp_talk.h"

#include "base/alloc.h"
#include "tests/lib/unit.h"

static const struct smtp_words words = { "[192.0.2.25]", "postmaster@a.test", "noc@msp.test" };

struct played {
	struct buf report, said; /* said: all that was sent, and <TLS> where that was made */
	int rc;
	struct err err;
	enum smtp_state end;
};

static void take_out(struct smtp_talk *t, struct buf *said)
{
	buf_add(said, t->send.data, t->send.len);
	buf_clear(&t->send);
}

/* The server's replies one after the other, each in pieces of so many bytes (0: whole). */
static void play(struct played *p, const char *const *replies, size_t piece)
{
	struct smtp_talk t;

	*p = (struct played){ 0 };
	ck_assert_int_eq(smtp_talk_begin(&t, &words, &p->report, &p->err), 0);
	for (; *replies && !p->rc && t.sm.now != SMTP_OVER; replies++) {
		size_t len = strlen(*replies);
		for (size_t at = 0, n; at < len && !p->rc; at += n) {
			n = piece && piece < len - at ? piece : len - at;
			p->rc = smtp_talk_take(&t, *replies + at, n, &p->err);
		}
		take_out(&t, &p->said);
		if (t.sm.now == SMTP_HANDSHAKE && !p->rc) {
			buf_adds(&p->said, "<TLS>");
			smtp_talk_secured(&t);
			take_out(&t, &p->said);
		}
	}
	p->end = (enum smtp_state)t.sm.now;
	smtp_talk_release(&t);
}

static void played_release(struct played *p)
{
	buf_release(&p->report);
	buf_release(&p->said);
}

#define HELLO "EHLO [192.0.2.25]\r\n"
#define ASKED "MAIL FROM:<postmaster@a.test>\r\nRCPT TO:<noc@msp.test>\r\nQUIT\r\n"

static const struct {
	const char *replies[9];
	const char *said, *report;
	enum smtp_state end;
} table[] = {
	{ { "220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "221 bye\r\n" }, HELLO ASKED,
	  "banner 220 mx\nehlo 250 mx\nmail 250 ok\nrcpt 250 ok\nquit 221 bye\n", SMTP_OVER },
	/* a bare LF; a code without a text; RCPT's other good code */
	{ { "220\n", "250-a\n250-b\n250\n", "250\n", "251 will forward\n", "221\n" }, HELLO ASKED,
	  "banner 220 \nehlo 250 a / b / \nmail 250 \nrcpt 251 will forward\nquit 221 \n", SMTP_OVER },
	{ { "220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n", "250-mx\r\n250 STARTTLS\r\n", "250 ok\r\n", "550 no\r\n", "221 bye\r\n" },
	  HELLO "STARTTLS\r\n<TLS>" HELLO ASKED,
	  "banner 220 mx\nehlo 250 mx / STARTTLS\nstarttls 220 go\nehlo 250 mx / STARTTLS\nmail 250 ok\nrcpt 550 no\nquit 221 bye\n",
	  SMTP_OVER },
	/* the keyword counts from the second line on, and whole */
	{ { "220 mx\r\n", "250-STARTTLS\r\n250-STARTTLSX\r\n250 XSTARTTLS\r\n" }, HELLO "MAIL FROM:<postmaster@a.test>\r\n",
	  "banner 220 mx\nehlo 250 STARTTLS / STARTTLSX / XSTARTTLS\n", SMTP_MAIL },
	{ { "220 mx\r\n", "250-mx\r\n250 starttls\r\n", "454 no\r\n" }, HELLO "STARTTLS\r\nMAIL FROM:<postmaster@a.test>\r\n",
	  "banner 220 mx\nehlo 250 mx / starttls\nstarttls 454 no\n", SMTP_MAIL },
	{ { "220 mx\r\n", "502 what\r\n", "250 mx\r\n" }, HELLO "HELO [192.0.2.25]\r\nMAIL FROM:<postmaster@a.test>\r\n",
	  "banner 220 mx\nehlo 502 what\nhelo 250 mx\n", SMTP_MAIL },
	{ { "220 mx\r\n", "502 what\r\n", "501 what\r\n", "221 bye\r\n" }, HELLO "HELO [192.0.2.25]\r\nQUIT\r\n",
	  "banner 220 mx\nehlo 502 what\nhelo 501 what\nquit 221 bye\n", SMTP_OVER },
	{ { "220 mx\r\n", "451 later\r\n" }, HELLO "QUIT\r\n", "banner 220 mx\nehlo 451 later\n", SMTP_QUIT },
	{ { "554 no\r\n" }, "QUIT\r\n", "banner 554 no\n", SMTP_QUIT },
	{ { "421 busy\r\n" }, "", "banner 421 busy\n", SMTP_OVER },
	{ { "220 mx\r\n", "250 mx\r\n", "421 down\r\n" }, HELLO "MAIL FROM:<postmaster@a.test>\r\n",
	  "banner 220 mx\nehlo 250 mx\nmail 421 down\n", SMTP_OVER },
	{ { "220 mx\r\n", "250 mx\r\n", "550 5.1.8 who?\r\n", "221 bye\r\n" }, HELLO "MAIL FROM:<postmaster@a.test>\r\nQUIT\r\n",
	  "banner 220 mx\nehlo 250 mx\nmail 550 5.1.8 who?\nquit 221 bye\n", SMTP_OVER },
	/* what would be obeyed by a terminal, or be no line of a report any more */
	{ { "220 \033[2J\t\x80\xff mx\r\n" }, HELLO, "banner 220 ?[2J??? mx\n", SMTP_EHLO },
	/* 354 is no answer to MAIL, and no yes */
	{ { "220 mx\r\n", "250 mx\r\n", "354 go on\r\n" }, HELLO "MAIL FROM:<postmaster@a.test>\r\nQUIT\r\n",
	  "banner 220 mx\nehlo 250 mx\nmail 354 go on\n", SMTP_QUIT },
};

START_TEST(test_talks)
{
	for (size_t piece = 0; piece < 4; piece++) {
		struct played p;
		play(&p, table[_i].replies, piece);
		ck_assert_int_eq(p.rc, 0);
		ck_assert_str_eq(buf_str(&p.said), table[_i].said);
		ck_assert_str_eq(buf_str(&p.report), table[_i].report);
		ck_assert_int_eq(p.end, table[_i].end);
		played_release(&p);
	}
}
END_TEST

static const struct {
	const char *replies[4];
	const char *why;
} wrong[] = {
	{ { "SSH-2.0-OpenSSH\r\n" }, "the greeting came, and that is no SMTP: a line without a code" },
	{ { "\r\n" }, "a line without a code" },
	{ { "22\r\n" }, "a line without a code" },
	{ { "220:mx\r\n" }, "a line without a code" },
	{ { "2200 mx\r\n" }, "a line without a code" },
	{ { "120 mx\r\n" }, "a line without a code" },
	{ { "620 mx\r\n" }, "a line without a code" },
	{ { "220-mx\r\n250 mx\r\n" }, "two codes in one reply" },
	{ { "220 mx\r\n250 mx\r\n" }, "it went on talking before it was asked" },
	{ { "220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n250 x\r\n" }, "TLS came, and that is no SMTP: it went on talking" },
};

START_TEST(test_no_smtp)
{
	struct played p;

	play(&p, wrong[_i].replies, 0);
	ck_assert_int_eq(p.rc, E_PROTOCOL);
	ck_assert_msg(strstr(p.err.text, wrong[_i].why) != NULL, "%s", p.err.text);
	ck_assert_int_eq(p.end, SMTP_OVER);
	played_release(&p);
}
END_TEST

/* A line without an end, a reply without an end: bounded, and over at the bound. */
START_TEST(test_endless)
{
	struct buf line = BUF_INIT, report = BUF_INIT;
	struct smtp_talk t;
	struct err err;
	int lines = 0;

	buf_adds(&line, "220 ");
	while (line.len <= SMTP_LINE_MAX)
		buf_addc(&line, 'x');
	ck_assert_int_eq(smtp_talk_begin(&t, &words, &report, &err), 0);
	ck_assert_int_eq(smtp_talk_take(&t, line.data, SMTP_LINE_MAX, &err), 0);
	ck_assert_int_eq(smtp_talk_take(&t, "x", 1, &err), E_PROTOCOL);
	smtp_talk_release(&t);
	ck_assert_int_eq(smtp_talk_begin(&t, &words, &report, &err), 0);
	while (smtp_talk_take(&t, "220-x\r\n", 7, &err) == 0)
		lines++;
	ck_assert_int_eq(lines, SMTP_LINES_MAX);
	smtp_talk_release(&t);
	buf_release(&line);
	buf_release(&report);
}
END_TEST

/* A text is cut in the report, not the talk. */
START_TEST(test_long_text)
{
	struct buf reply = BUF_INIT;
	const char *replies[3] = { 0 };
	struct played p;

	for (int i = 0; i < 50; i++)
		buf_addf(&reply, "220%c%0100d\r\n", i < 49 ? '-' : ' ', i);
	replies[0] = buf_str(&reply);
	play(&p, replies, 7);
	ck_assert_int_eq(p.rc, 0);
	ck_assert_uint_le(p.report.len, SMTP_TEXT_MAX + 20);
	ck_assert_str_eq(buf_str(&p.said), HELLO);
	played_release(&p);
	buf_release(&reply);
}
END_TEST

START_TEST(test_words)
{
	static const char *const bad[] = { "", "a b", "a\r\nRSET", "<a@b>", "a@b>", "\x80@b", "a\tb" };
	struct buf report = BUF_INIT;
	struct smtp_talk t;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct smtp_words w = words;
		*(i % 3 == 0 ? &w.hello : i % 3 == 1 ? &w.from : &w.to) = bad[i];
		ck_assert_int_eq(smtp_talk_begin(&t, &w, &report, &err), E_INVAL);
		smtp_talk_release(&t);
	}
}
END_TEST

/* Whatever comes: it never says what was not asked for, ends or waits, and the report holds printable lines only. */
START_TEST(test_random_servers)
{
	static const char *const parts[] = { "220 mx\r\n", "250 ok\r\n", "250-STARTTLS\r\n", "250 STARTTLS\n", "421 no\r\n", "550 no\r\n",
					     "450-x\r\n",  "450 x\r\n",  "502\r\n",	     "\r\n",	       "25",	      "\x01\xff", "354 go\r\n" };
	unsigned state = 7;

	for (int round = 0; round < 20000; round++) {
		struct played p;
		const char *replies[10] = { 0 };
		for (int i = 0; i < 9; i++)
			replies[i] = parts[((state = state * 1103515245 + 12345) >> 16) % ARRAY_LEN(parts)];
		play(&p, replies, (state >> 20) % 3);
		ck_assert(p.rc == 0 || p.rc == E_PROTOCOL);
		ck_assert_ptr_null(strstr(buf_str(&p.said), "DATA"));
		for (const char *at = buf_str(&p.report); *at; at++)
			ck_assert(*at == '\n' || (*at >= ' ' && *at <= '~'));
		played_release(&p);
	}
}
END_TEST

SUITE(smtp_talk)
{
	TEST_CASE_LOOP(s, test_talks, 0, ARRAY_LEN(table));
	TEST_CASE_LOOP(s, test_no_smtp, 0, ARRAY_LEN(wrong));
	TEST_CASE(s, test_endless);
	TEST_CASE(s, test_long_text);
	TEST_CASE(s, test_words);
	TEST_CASE(s, test_random_servers);
}
