/*
 * What a mail server said to OP_SMTP (transport/smtp_talk.h), and what that means. By stage and class of the code, never by
 * words, which are another's (and another language's):
 *
 *   accepted        RCPT 2xx
 *   refused         RCPT 5xx
 *   unknown-sender  MAIL 5xx
 *   shut-out        5xx before that: it does not talk to who asks at all
 *   later           4xx, 421: not now
 *   silent          no connection, no TLS, no SMTP: what lets no port 25 out looks like this, too
 *   forbidden       a host that should have connected does not do that
 */
#ifndef AGENTS_SMTP_SAID_H
#define AGENTS_SMTP_SAID_H

#include "base/op.h"

#define SMTP_PORT 25
#define SMTP_TALK_MAX_MS 120000
#define SMTP_LATER_MS (5 * 60 * 1000) /* greylisting's usual delay */
#define SMTP_SAID_MAX 300

struct smtp_said {
	const char *state; /* one of the above */
	char text[SMTP_SAID_MAX]; /* "rcpt: 554 5.7.1 Relay access denied", or why there is no answer */
};

struct smtp_said smtp_said(const struct op_result *result);

/* An address outside, to ask in the name of or about: of no domain of any tenant of the inventory, nor below one. The service may
   be the MX of all of these, and then it takes their mail whoever brings it, which would look like a registration. The profile's
   `probe_recipient`, else the first such one of the tenant's contacts; NULL: nobody is known. That none of another provider's
   customers on the same service is meant is the inventory's to see to. */
struct inventory;
struct tenant;
const char *smtp_outsider(const struct inventory *inventory, const struct tenant *tenant);

#endif
