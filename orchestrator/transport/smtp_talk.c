/*
 * The happy path: bytes become lines, lines become a reply, a reply decides what is sent next. It fails where what comes is
 * no SMTP; what a server refuses is no failure but a line of the report.
 */
#include "transport/smtp_talk.h"

#include <string.h>
#include <strings.h>

#define TO(state) SM_TO(SMTP_##state)

static const struct sm_state states[] = {
	[SMTP_BANNER] = { "the greeting", TO(EHLO) | TO(QUIT) | TO(OVER) },
	[SMTP_EHLO] = { "the reply to EHLO", TO(HELO) | TO(STARTTLS) | TO(MAIL) | TO(QUIT) | TO(OVER) },
	[SMTP_HELO] = { "the reply to HELO", TO(MAIL) | TO(QUIT) | TO(OVER) },
	[SMTP_STARTTLS] = { "the reply to STARTTLS", TO(HANDSHAKE) | TO(MAIL) | TO(OVER) },
	[SMTP_HANDSHAKE] = { "TLS", TO(EHLO) | TO(OVER) },
	[SMTP_MAIL] = { "the reply to MAIL", TO(RCPT) | TO(QUIT) | TO(OVER) },
	[SMTP_RCPT] = { "the reply to RCPT", TO(QUIT) | TO(OVER) },
	[SMTP_QUIT] = { "the reply to QUIT", TO(OVER) },
	[SMTP_OVER] = { "nothing", 0 },
};

static const char *const stages[] = {
	[SMTP_BANNER] = "banner", [SMTP_EHLO] = "ehlo", [SMTP_HELO] = "helo", [SMTP_STARTTLS] = "starttls",
	[SMTP_MAIL] = "mail",	  [SMTP_RCPT] = "rcpt", [SMTP_QUIT] = "quit",
};

static void move(struct smtp_talk *t, enum smtp_state to)
{
	sm_move(&t->sm, (int)to, "smtp");
}

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

void smtp_report(struct buf *report, const char *stage, int code, const char *text)
{
	buf_addf(report, "%s %03d ", stage, code);
	for (size_t i = 0; text[i] && i < SMTP_TEXT_MAX; i++)
		buf_addc(report, is_printable(text[i]) ? text[i] : '?');
	buf_addc(report, '\n');
}

/* One word in a command line, and within angle brackets. */
static bool is_word(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '<' || *at == '>')
			return false;
	return *text && strlen(text) <= 320;
}

int smtp_talk_begin(struct smtp_talk *t, const struct smtp_words *words, struct buf *report, struct err *err)
{
	const char *const all[] = { words->hello, words->from, words->to };

	*t = (struct smtp_talk){ .words = words, .report = report };
	buf_init(&t->line, SMTP_LINE_MAX);
	buf_init(&t->text, (size_t)SMTP_TEXT_MAX);
	sm_init(&t->sm, states, SMTP_BANNER);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!all[i] || !is_word(all[i]))
			return err_set(err, E_INVAL, "\"%.100s\" cannot be said to a mail server", all[i] ? all[i] : "");
	return 0;
}

void smtp_talk_release(struct smtp_talk *t)
{
	buf_release(&t->send);
	buf_release(&t->line);
	buf_release(&t->text);
}

const char *smtp_talk_waits_for(const struct smtp_talk *t)
{
	return sm_name(&t->sm);
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

static void say(struct smtp_talk *t, enum smtp_state next)
{
	const struct smtp_words *w = t->words;

	move(t, next);
	switch (next) {
	case SMTP_EHLO:
		buf_addf(&t->send, "EHLO %s\r\n", w->hello);
		break;
	case SMTP_HELO:
		buf_addf(&t->send, "HELO %s\r\n", w->hello);
		break;
	case SMTP_STARTTLS:
		buf_adds(&t->send, "STARTTLS\r\n");
		break;
	case SMTP_MAIL:
		buf_addf(&t->send, "MAIL FROM:<%s>\r\n", w->from);
		break;
	case SMTP_RCPT:
		buf_addf(&t->send, "RCPT TO:<%s>\r\n", w->to);
		break;
	case SMTP_QUIT:
		buf_adds(&t->send, "QUIT\r\n");
		break;
	case SMTP_BANNER:
	case SMTP_HANDSHAKE:
	case SMTP_OVER:
		break;
	}
}

void smtp_talk_secured(struct smtp_talk *t)
{
	t->secure = true;
	t->offers_tls = false;
	say(t, SMTP_EHLO);
}

/* What follows a reply. STARTTLS that is offered and then refused is what a server without a certificate does: the mail
   server that is asked for here would go on without it as well. */
static enum smtp_state after(const struct smtp_talk *t)
{
	bool good = t->code / 100 == 2;

	switch ((enum smtp_state)t->sm.now) {
	case SMTP_BANNER:
		return good ? SMTP_EHLO : SMTP_QUIT;
	case SMTP_EHLO:
		if (!good)
			return t->code / 100 == 5 && !t->secure ? SMTP_HELO : SMTP_QUIT;
		return t->offers_tls && !t->secure ? SMTP_STARTTLS : SMTP_MAIL;
	case SMTP_HELO:
		return good ? SMTP_MAIL : SMTP_QUIT;
	case SMTP_STARTTLS:
		return t->code == 220 ? SMTP_HANDSHAKE : SMTP_MAIL;
	case SMTP_MAIL:
		return good ? SMTP_RCPT : SMTP_QUIT;
	case SMTP_RCPT:
		return SMTP_QUIT;
	case SMTP_HANDSHAKE:
	case SMTP_QUIT:
	case SMTP_OVER:
		break;
	}
	return SMTP_OVER;
}

static void take_reply(struct smtp_talk *t)
{
	smtp_report(t->report, stages[t->sm.now], t->code, buf_str(&t->text));
	say(t, t->code == 421 ? SMTP_OVER : after(t));
	buf_clear(&t->text);
	t->lines = 0;
}

/* ---- what comes --------------------------------------------------------------------------------------------------- */

static int no_smtp(struct smtp_talk *t, struct err *err, const char *why)
{
	int rc = err_set(err, E_PROTOCOL, "%s came, and that is no SMTP: %s", smtp_talk_waits_for(t), why);

	move(t, SMTP_OVER);
	return rc;
}

static int code_of(const char *line)
{
	int code = 0;

	for (int i = 0; i < 3; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -1;
		code = code * 10 + (line[i] - '0');
	}
	return code >= 200 && code <= 599 && (line[3] == ' ' || line[3] == '-' || !line[3]) ? code : -1;
}

/* "250-STARTTLS": a keyword of EHLO's reply, which may stand in any case (§2.4), not in its first line. */
static bool is_starttls(const struct smtp_talk *t, const char *text)
{
	return t->sm.now == SMTP_EHLO && t->lines > 0 && strncasecmp(text, "STARTTLS", 8) == 0 && (text[8] == ' ' || !text[8]);
}

/* §4.2.1: each line begins with the code; "-" behind it: there is another line. */
static int take_line(struct smtp_talk *t, struct err *err)
{
	const char *line = buf_str(&t->line), *text;
	int code = strlen(line) < 3 ? -1 : code_of(line);

	if (code < 0)
		return no_smtp(t, err, "a line without a code");
	if (t->lines && code != t->code)
		return no_smtp(t, err, "two codes in one reply");
	if (t->lines == SMTP_LINES_MAX)
		return no_smtp(t, err, "a reply of more than 100 lines");
	text = line[3] ? line + 4 : "";
	t->offers_tls = t->offers_tls || is_starttls(t, text);
	t->code = code;
	buf_addf(&t->text, "%s%s", t->lines++ ? " / " : "", text);
	if (line[3] != '-')
		take_reply(t);
	return 0;
}

int smtp_talk_take(struct smtp_talk *t, const char *bytes, size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		if (t->sm.now == SMTP_OVER)
			return 0;
		if (t->send.len || t->sm.now == SMTP_HANDSHAKE)
			return no_smtp(t, err, "it went on talking before it was asked");
		if (bytes[i] != '\n') {
			if (!buf_addc(&t->line, bytes[i]))
				return no_smtp(t, err, "a line of more than 2048 bytes");
			continue;
		}
		if (t->line.len && t->line.data[t->line.len - 1] == '\r')
			t->line.data[--t->line.len] = '\0';
		rc = take_line(t, err);
		buf_clear(&t->line);
	}
	return rc;
}
