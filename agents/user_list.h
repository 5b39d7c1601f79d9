/*
 * How many users a directory service lists for a domain, out of a body whose format nobody has written down (text, CSV,
 * XML, JSON: the vendor's page names none). Pure.
 *
 * What is counted are the different addresses at exactly that domain: a local part of the characters that addresses have in
 * practice, letters in lower case, the "@" also as &#64; &#x40; %40 or \u0040, UTF-16 by leaving out its zero bytes. The hash
 * is over these addresses, sorted, a line each: order, repetition, other columns and the format do not change it. Addresses
 * are people: nothing but the number and the hash leaves this file.
 *
 * What it cannot know: whether a service gives a list in pages.
 */
#ifndef AGENTS_USER_LIST_H
#define AGENTS_USER_LIST_H

#include "base/hash.h"

#include <stddef.h>

enum user_list_kind {
	USER_LIST_COUNTED, /* addresses, or no byte at all: then none */
	USER_LIST_NONE,	   /* something, but no address of the domain in it */
	USER_LIST_PAGE,	   /* a web page */
};

struct user_list {
	enum user_list_kind kind;
	size_t n;
	char sha256[SHA256_HEX_MAX];
};

void user_list_read(const char *body, size_t len, const char *domain, struct user_list *out);

#endif
