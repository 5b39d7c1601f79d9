/*
 * The client's half of one SMTP session (RFC 5321), pure: the server's bytes go in, what is to be sent comes out. It asks
 * whether a mail would be taken, and hands none over: EHLO, STARTTLS where it is offered (RFC 3207), MAIL, RCPT, QUIT.
 *
 *     BANNER → EHLO → MAIL → RCPT → QUIT → OVER
 *       │      │ ↑↓    │                ↑
 *       │      │ HELO  │                │         EHLO is not known there (5xx)
 *       │      ↓       │                │
 *       │  STARTTLS → HANDSHAKE → EHLO  │         the caller makes TLS, then says so
 *       └──────┴───────┴────────────────┘         what is not taken ends it, with QUIT
 *
 * One command, one reply: nothing is pipelined. A reply of 421 is the last one (§3.8). A server that sends a byte before it
 * was its turn, STARTTLS' reply above all (whoever is on the wire could have put it there, CVE-2011-0411), is not believed
 * any further.
 *
 * What it reports: a line for each reply that decides something, `STAGE CODE TEXT`. STAGE is banner, ehlo, helo, starttls,
 * tls, certificate, mail, rcpt, quit; CODE three digits; TEXT what the server said, its lines joined by " / ", with a "?" for
 * each byte that is no printable ASCII, cut at SMTP_TEXT_MAX. tls and certificate are the caller's lines (smtp.h).
 */
#ifndef TRANSPORT_SMTP_TALK_H
#define TRANSPORT_SMTP_TALK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sm.h"

enum {
	SMTP_LINE_MAX = 2048,  /* §4.5.3.1.5 says 512; what is longer is no SMTP */
	SMTP_LINES_MAX = 100,  /* of one reply */
	SMTP_TEXT_MAX = 400,
};

enum smtp_state {
	SMTP_BANNER,
	SMTP_EHLO,
	SMTP_HELO,
	SMTP_STARTTLS,
	SMTP_HANDSHAKE,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_QUIT,
	SMTP_OVER,
};

/* Who asks, and about what; no angle brackets, blanks, control characters. */
struct smtp_words {
	const char *hello; /* a name, or an address in brackets (§4.1.3) */
	const char *from, *to;
};

struct smtp_talk {
	struct sm sm;
	const struct smtp_words *words;
	struct buf *report;
	struct buf send; /* for the caller to send and to shift */
	struct buf line; /* of the server, not yet whole */
	struct buf text; /* of the reply that is coming */
	int code, lines; /* of that */
	bool offers_tls, secure;
};

/* E_INVAL: a word that would be more than one word to a server. `words` and `report` are views for as long as it lasts. */
int smtp_talk_begin(struct smtp_talk *t, const struct smtp_words *words, struct buf *report, struct err *err);

/* E_PROTOCOL: that is no SMTP, and it is over. */
int smtp_talk_take(struct smtp_talk *t, const char *bytes, size_t n, struct err *err);

/* In HANDSHAKE: TLS is there. */
void smtp_talk_secured(struct smtp_talk *t);

/* Where it is, for sentences: "the reply to MAIL". */
const char *smtp_talk_waits_for(const struct smtp_talk *t);

void smtp_talk_release(struct smtp_talk *t);

/* A line of the report. */
void smtp_report(struct buf *report, const char *stage, int code, const char *text);

#endif
