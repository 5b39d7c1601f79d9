/*
 * The rules of single texts: 0, or E_INVAL with a sentence that says what is wrong and what would be right. Each row of
 * a shape (shape.h) names one. All of them refuse control characters (C0, DEL, C1) and text beyond TEXT_MAX_BYTES.
 */
#ifndef INVENTORY_TEXT_CHECK_H
#define INVENTORY_TEXT_CHECK_H

#include "base/err.h"

#include <stdbool.h>

#define TEXT_MAX_BYTES 8192
#define TEXT_QUOTED 120 /* bytes of a value that a message repeats */

int check_text_plain(const char *text, struct err *err); /* not empty */
int check_text_id(const char *text, struct err *err);    /* of a tenant: [a-z0-9][a-z0-9._-]{0,63} */
int check_text_name(const char *text, struct err *err);  /* of a host, wave, key …: [A-Za-z0-9][A-Za-z0-9._-]{0,63} */
int check_text_domain(const char *text, struct err *err);  /* a DNS name with a dot (RFC 1123, section 2.1) */
int check_text_address(const char *text, struct err *err); /* a DNS name, IPv4 or IPv6 address */
int check_text_ip(const char *text, struct err *err);
int check_text_cidr(const char *text, struct err *err); /* no host bits */
int check_text_mailbox(const char *text, struct err *err);
int check_text_date(const char *text, struct err *err);
int check_text_time(const char *text, struct err *err);
int check_text_regex(const char *text, struct err *err);  /* POSIX extended, compiles */
int check_text_pin(const char *text, struct err *err);    /* "[TYPE ]SHA256:…" */
int check_text_secret(const char *text, struct err *err); /* never repeats the text */
int check_text_identity(const char *text, struct err *err); /* a secret, or "agent:", "agent:SHA256:…", "agent:FILE.pub" */
int check_text_imap_url(const char *text, struct err *err);

bool text_is_ip(const char *text);

#endif
