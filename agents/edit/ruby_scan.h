/*
 * The lexer behind edit/ruby_constant.h: reads Ruby source and reports each place that assigns a certain constant, with
 * the literal behind the `=`. It follows Ruby's own lexer (parse.y) in what decides where strings, comments and
 * heredocs begin and end; it does not parse. What it cannot tell apart as Ruby would (a `/` behind a name may divide or
 * begin a regular expression) it takes as Ruby takes it for a method's name, and gives up where the result runs over
 * the line.
 */
#ifndef AGENTS_EDIT_RUBY_SCAN_H
#define AGENTS_EDIT_RUBY_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define RUBY_SCAN_MAX 16

enum ruby_encoding {
	RUBY_BYTES, /* UTF-8, ASCII, EUC, ISO-8859: no second byte is an ASCII character */
	RUBY_SJIS,
	RUBY_GBK, /* and Big5, GB18030, CP949 */
};

struct ruby_assignment {
	long line;
	const char *unclear;            /* why it is not understood, or NULL */
	size_t value_offset, value_len; /* understood: what is between the quotes */
};

struct ruby_scan {
	struct ruby_assignment at[RUBY_SCAN_MAX]; /* the first ones */
	size_t n;                                 /* how many there are; may be more than are kept */
	const char *failed;                       /* why the file could not be read to its end, or NULL */
	long failed_line;
};

/* What the magic comment in the first line (the second after `#!`) declares; *declared tells whether there is one that
   is known, or a UTF-8 mark at the beginning. */
enum ruby_encoding ruby_encoding_of(const char *text, size_t len, bool *declared);

void ruby_scan(const char *text, size_t len, const char *name, enum ruby_encoding encoding, struct ruby_scan *scan);

#endif
