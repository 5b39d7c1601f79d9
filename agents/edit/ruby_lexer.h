/*
 * Inside of edit/ruby_scan.h, for its three files only: the lexer's state, and the calls between the part that cuts the
 * text into tokens (ruby_lexer.c; strings and heredocs: ruby_literal.c) and the part that watches for assignments
 * (ruby_scan.c).
 */
#ifndef AGENTS_EDIT_RUBY_LEXER_H
#define AGENTS_EDIT_RUBY_LEXER_H

#include "agents/edit/ruby_scan.h"

#include <string.h>
#include <strings.h>

#define HEREDOCS_MAX 8
#define LOCALS_MAX 64
#define DEPTH_MAX 32

/* What came before decides what `/`, `%`, `<<`, `?` and `:` mean (lex_state in parse.y, coarser). */
enum before {
	BEFORE_BEGIN, /* a value is expected: an operator, the line's beginning, a keyword */
	BEFORE_END,   /* a value has ended */
	BEFORE_NAME,  /* a name that may be a method without parentheses */
	BEFORE_DOT,   /* behind `.` or `&.` */
	BEFORE_SCOPE, /* behind `::` */
	BEFORE_DEF,   /* behind `def`, `alias`, `undef`: a name, or an operator as a name */
	BEFORE_CLASS, /* behind `class`: `<<` is no heredoc */
};

enum token {
	TOKEN_LINE, /* a newline */
	TOKEN_SEMICOLON,
	TOKEN_DOT,      /* `.` or `&.` */
	TOKEN_NAME,     /* a name or keyword: text[start, at) */
	TOKEN_STRING,   /* any literal in quotes */
	TOKEN_OPERATOR, /* anything else */
	TOKEN_END,      /* of the text */
};

enum literal_kind { LITERAL_STRING, LITERAL_OTHER }; /* %w, symbols, regular expressions, `…`, heredocs */

struct literal {
	enum literal_kind kind;
	size_t start, end; /* between the quotes */
	bool interpolated, escaped, lines;
};

/* See the diagram in ruby_scan.c. */
enum watch { WATCH_IDLE, WATCH_VALUE, WATCH_AFTER, WATCH_DOT, WATCH_FROZEN, WATCH_LINE };

struct heredoc {
	size_t id, id_len;
	bool indented, raw;
};

struct lexer {
	const char *text;
	size_t len, start, at;
	long line;
	enum ruby_encoding encoding;
	const char *name;
	size_t name_len;
	struct ruby_scan *scan;

	enum before before;
	char last;      /* first byte of the last operator, 0 when the last token was something else */
	bool statement; /* at the beginning of a statement */
	bool group;     /* behind a ( that began the statement: maybe a list that is assigned to */
	int parens;     /* open ( and [ */
	int braces;     /* open { of this level */
	int depth;      /* of interpolations */
	bool finished;  /* __END__ and the like */
	struct heredoc heredocs[HEREDOCS_MAX]; /* begun in this line */
	size_t heredocs_n;
	struct {
		size_t at, len;
	} locals[LOCALS_MAX]; /* names that were assigned to */
	size_t locals_n;

	enum watch watch;
	struct ruby_assignment *watched;
};

/* ---- characters ------------------------------------------------------------------------------------------------- */

static inline int byte_at(const struct lexer *lx, size_t at)
{
	return at < lx->len ? (unsigned char)lx->text[at] : -1;
}

/* Bytes of the character at `at`: 2 where its second byte may look like ASCII, else 1. */
static inline size_t step(const struct lexer *lx, size_t at)
{
	int lead = byte_at(lx, at), trail = byte_at(lx, at + 1);

	switch (lx->encoding) {
	case RUBY_BYTES:
		return 1;
	case RUBY_SJIS:
		if (!((lead >= 0x81 && lead <= 0x9f) || (lead >= 0xe0 && lead <= 0xfc)))
			return 1;
		return trail >= 0x40 && trail <= 0xfc && trail != 0x7f ? 2 : 1;
	case RUBY_GBK:
		return lead >= 0x81 && lead <= 0xfe && trail >= 0x40 && trail <= 0xfe && trail != 0x7f ? 2 : 1;
	}
	return 1;
}

static inline bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_name_start(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static inline bool is_name(int c)
{
	return is_name_start(c) || is_digit(c);
}

static inline bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool one_of(int c, const char *set)
{
	return c > 0 && strchr(set, c);
}

/* ---- calls between the files -------------------------------------------------------------------------------------- */

/* ruby_lexer.c: reads code to its end, or (nested) to the brace that closes the interpolation. */
void lexer_code(struct lexer *lx, bool nested);

/* ruby_literal.c: each reads one thing from lx->at on and leaves it behind that. The first reason to give up is kept. */
void lexer_fail(struct lexer *lx, const char *why, long line);
void lexer_to_line_end(struct lexer *lx);
void lexer_line_ends(struct lexer *lx);           /* a newline, and the bodies of the heredocs that began in its line */
void lexer_value_ended(struct lexer *lx);         /* what follows stands behind a value */
void lexer_quoted(struct lexer *lx);              /* at ' " or ` */
void lexer_percent(struct lexer *lx);             /* %q(…) and the like, at the % */
void lexer_regex(struct lexer *lx, bool guessed); /* at the /; guessed: it may be a division */
bool lexer_heredoc_begins(struct lexer *lx);      /* at <<: a heredoc's beginning? It is noted then */

/* ruby_scan.c: called for each token; for the constant's name, `at` being behind it; is what follows `at` an
 * assignment? */
void lexer_token(struct lexer *lx, enum token token, size_t start, const struct literal *literal);
void lexer_constant(struct lexer *lx);
bool lexer_assigns(const struct lexer *lx, size_t at);

#endif
