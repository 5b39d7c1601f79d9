/*
 * The value of a constant in a Ruby file, as bytes: where the host of the URL stands that is assigned to it. Pure. The
 * file is read as Ruby's own lexer reads it, so that comments, =begin/=end, what follows __END__ (or a ^Z, ^D or NUL,
 * which end a script, too), heredocs, strings, regular expressions and their interpolations do not count, in the
 * encoding that the file's first line declares: the second byte of a Shift_JIS or GBK character may be a backslash. A
 * file that declares none but is no UTF-8 either is read both as bytes (as Ruby 1.8 does) and as Shift_JIS (`ruby
 * -Ks`); where the two differ, nothing is said of it.
 *
 * What is understood is one assignment of one literal and nothing behind it but `.freeze`, `;` and a comment:
 *
 *     ROOT_URI = 'http[s]://[userinfo@]HOST[:PORT][/PATH]'       also "…", %q(…), %Q(…), %(…), with any delimiters
 *
 * Everything else that may change the constant (`||=`, an interpolation, an escape, a concatenation, ENV[…], a heredoc,
 * a modifier `if`) is RUBY_UNCLEAR with its line: a person looks at it, and nothing is changed. `X::ROOT_URI = …`
 * counts as an assignment; `x.ROOT_URI = …`, `def ROOT_URI=`, `ROOT_URI == …` and a hash key do not.
 */
#ifndef AGENTS_EDIT_RUBY_CONSTANT_H
#define AGENTS_EDIT_RUBY_CONSTANT_H

#include "agents/edit/url_host.h"

#include <stdbool.h>
#include <stddef.h>

#define RUBY_LINES_MAX 8
#define RUBY_HOST_MAX URL_HOST_MAX
#define RUBY_SHOWN_MAX 512
#define RUBY_REASON_MAX 128

enum ruby_constant_state {
	RUBY_FOUND,   /* one assignment, understood */
	RUBY_NONE,    /* no assignment that counts */
	RUBY_SEVERAL, /* more than one: the last one would win, but which one is meant is a person's to say */
	RUBY_UNCLEAR, /* something that is not understood: `reason` and lines[0] say what and where */
};

struct ruby_constant {
	enum ruby_constant_state state;
	long lines[RUBY_LINES_MAX]; /* 1-based, of the assignments (the first ones) */
	size_t lines_n;
	char reason[RUBY_REASON_MAX]; /* RUBY_UNCLEAR: "the value is not one plain string" */
	/* RUBY_FOUND only */
	size_t host_offset, host_len;         /* in the file; without port, userinfo and brackets */
	char host[RUBY_HOST_MAX];             /* as written */
	char shown[RUBY_SHOWN_MAX];           /* the URL for people: userinfo and query left out, printable */
	size_t userinfo_offset, userinfo_len; /* len 0: none. For hiding it where the line is shown */
};

void ruby_constant_find(const char *text, size_t len, const char *name, struct ruby_constant *found);

#endif
