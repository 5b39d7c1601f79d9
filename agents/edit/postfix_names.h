/*
 * Where host names stand in Postfix's configuration: main.cf, master.cf, and tables in text. Pure; what is found are offsets,
 * so that whoever replaces a name changes its bytes and no others: brackets, a port, a transport in front of it stay.
 *
 * A name is found where it stands whole, in any case: not as a part of a longer one, nor behind an `@` (an address), nor in a
 * comment. A dot at its end stays outside.
 *
 * main.cf (postconf(5)): a line that begins with white space goes on with the line before, over comments and empty lines too; a
 * `#` behind a value is part of the value; of several assignments the last one counts, and all are found. master.cf (master(5)):
 * the same lines. Tables: the same lines again, a key and its value; in tables of patterns (regexp_table(5), pcre_table(5),
 * cidr_table(5)) the key may be a pattern with blanks in it. Only values are looked at: a key of a table of this kind is a
 * recipient or a sender, which is no relay. Tables that are keyed by a relay are agents/postfix_keys.h's.
 */
#ifndef AGENTS_EDIT_POSTFIX_NAMES_H
#define AGENTS_EDIT_POSTFIX_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum postfix_file {
	POSTFIX_MAIN,	  /* main.cf */
	POSTFIX_MASTER,	  /* master.cf */
	POSTFIX_TABLE,	  /* a key, white space, a value */
	POSTFIX_PATTERNS, /* regexp, pcre */
};

#define POSTFIX_WHERE_MAX 64

struct postfix_name {
	size_t offset, len;
	long line;   /* 1-based */
	bool is_new; /* it is the new name; else one of the old */
	/* Does it say where mail is sent, so that it can be replaced? In main.cf: relayhost and the like, and what these refer to
	   by $name; in master.cf: -o with one of them. Anything else is for a person to understand. */
	bool is_relay;
	char where[POSTFIX_WHERE_MAX]; /* the parameter, cut; "" in a table, and in master.cf outside of -o */
};

struct postfix_names {
	struct postfix_name *at;
	size_t n;
};

struct postfix_wanted {
	const char *const *old;
	size_t old_n;
	const char *new_name;
	/* main.cf: text of another file, master.cf's, whose $name count as references, too; or NULL */
	const char *also;
	size_t also_len;
};

/* Everything in the order of the text; the caller releases. */
void postfix_names_find(enum postfix_file kind, const char *text, size_t len, const struct postfix_wanted *wanted,
			struct postfix_names *out);
void postfix_names_release(struct postfix_names *names);

/* Does the text hold one of the old names anywhere, a backslash in front of its dots or not (as in a pattern)? */
bool postfix_mentions(const char *text, size_t len, const struct postfix_wanted *wanted);

#endif
