#include "agents/edit/ruby_scan.h"
#include "agents/edit/ruby_lexer.h"

/* ---- the value behind the assignment ---------------------------------------------------------------------------- */

/*
 *  IDLE ──NAME =──► VALUE ──string──► AFTER ──.──► DOT ──freeze──► FROZEN
 *                     │                 │ line end                    │ line end
 *                     │                 ▼                             ▼
 *                     │               LINE ◄──────────────────────────┘   (a next line that begins with `.` goes on)
 *                     └─ anything else: unclear ──► IDLE
 */

static void unclear(struct lexer *lx, const char *why)
{
	if (lx->watched)
		lx->watched->unclear = why;
	lx->watch = WATCH_IDLE;
}

static void watch_value(struct lexer *lx, enum token token, const struct literal *literal)
{
	if (token == TOKEN_LINE)
		return;
	if (token != TOKEN_STRING || literal->kind != LITERAL_STRING) {
		unclear(lx, "the value is not one plain string");
		return;
	}
	if (literal->interpolated || literal->escaped || literal->lines) {
		unclear(lx, literal->lines     ? "the value goes over several lines"
			    : literal->escaped ? "the value has a backslash in it"
					       : "the value has an interpolation in it");
		return;
	}
	if (lx->watched) {
		lx->watched->value_offset = literal->start;
		lx->watched->value_len = literal->end - literal->start;
	}
	lx->watch = WATCH_AFTER;
}

static bool ends_statement(enum token token)
{
	return token == TOKEN_LINE || token == TOKEN_SEMICOLON || token == TOKEN_END;
}

void lexer_token(struct lexer *lx, enum token token, size_t start, const struct literal *literal)
{
	char c = start < lx->len ? lx->text[start] : '\0';

	switch (lx->watch) {
	case WATCH_IDLE:
		return;
	case WATCH_VALUE:
		watch_value(lx, token, literal);
		return;
	case WATCH_AFTER:
	case WATCH_FROZEN:
		if (token == TOKEN_LINE)
			lx->watch = WATCH_LINE;
		else if (ends_statement(token))
			lx->watch = WATCH_IDLE;
		else if (lx->watch == WATCH_AFTER && token == TOKEN_DOT)
			lx->watch = WATCH_DOT;
		else
			unclear(lx, "the value is not one plain string: something stands behind it");
		return;
	case WATCH_DOT:
		if (token == TOKEN_NAME && lx->at - start == 6 && memcmp(lx->text + start, "freeze", 6) == 0)
			lx->watch = WATCH_FROZEN;
		else
			unclear(lx, "a method is called on the value");
		return;
	case WATCH_LINE:
		if (token == TOKEN_LINE)
			return;
		if (token == TOKEN_DOT || (token == TOKEN_OPERATOR && (c == '&' || c == '|')))
			unclear(lx, "the next line goes on with the value");
		else
			lx->watch = WATCH_IDLE;
		return;
	}
}

/* ---- the assignment ----------------------------------------------------------------------------------------------*/

static size_t skip_blanks(const struct lexer *lx, size_t at)
{
	while (at < lx->len) {
		if (lx->text[at] == ' ' || lx->text[at] == '\t' || lx->text[at] == '\r')
			at++;
		else if (lx->text[at] == '\\' && at + 1 < lx->len && lx->text[at + 1] == '\n')
			at += 2;
		else
			break;
	}
	return at;
}

/* Length of an assignment operator other than `=`: "||=", "+=" …; 0 when there is none. */
static size_t operator_assign(const char *at, size_t len)
{
	static const char *const operators[] = { "||=", "&&=", "**=", "<<=", ">>=", "+=", "-=",
						 "*=",  "/=",  "%=",  "|=",  "&=",  "^=" };

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		size_t n = strlen(operators[i]);

		if (len >= n && memcmp(at, operators[i], n) == 0)
			return n;
	}
	return 0;
}

bool lexer_assigns(const struct lexer *lx, size_t at)
{
	at = skip_blanks(lx, at);
	if (at < lx->len && lx->text[at] == '=')
		return at + 1 == lx->len || !strchr("=~>", lx->text[at + 1]) || !lx->text[at + 1];
	return operator_assign(lx->text + at, lx->len - at) > 0;
}

static void add(struct lexer *lx, const char *why)
{
	struct ruby_scan *scan = lx->scan;

	lx->watched = scan->n < RUBY_SCAN_MAX ? &scan->at[scan->n] : NULL;
	scan->n++;
	if (lx->watched)
		*lx->watched = (struct ruby_assignment){ .line = lx->line, .unclear = why };
}

void lexer_constant(struct lexer *lx)
{
	size_t at = skip_blanks(lx, lx->at);
	bool listed = lx->last == ',' || lx->last == '*' || lx->last == '(';
	char next = at < lx->len ? lx->text[at] : '\0';

	if ((next == ',' && lx->statement && !lx->parens) || (lx->group && (next == ',' || next == ')'))) {
		add(lx, "it is assigned together with others");
	} else if (lexer_assigns(lx, lx->at)) {
		if (lx->text[at] != '=') {
			add(lx, "it is assigned only under a condition, or changed in place");
			return;
		}
		add(lx, listed ? "it is assigned together with others" : NULL);
		if (listed)
			return;
		for (; lx->at <= at; lx->at++)
			lx->line += lx->text[lx->at] == '\n';
		lx->before = BEFORE_BEGIN;
		lx->last = '=';
		lx->watch = WATCH_VALUE;
	}
}

void ruby_scan(const char *text, size_t len, const char *name, enum ruby_encoding encoding, struct ruby_scan *scan)
{
	struct lexer lx = {
		.text = text,
		.len = len,
		.line = 1,
		.encoding = encoding,
		.name = name,
		.name_len = strlen(name),
		.scan = scan,
		.statement = true,
	};

	*scan = (struct ruby_scan){ 0 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		lx.at = 3;
	lx.start = lx.at;
	lexer_code(&lx, false);
	if (!scan->failed)
		lexer_token(&lx, TOKEN_END, len, NULL);
}

/* ---- encodings -------------------------------------------------------------------------------------------------- */

static bool starts_with(const char *at, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && strncasecmp(at, word, n) == 0;
}

static enum ruby_encoding encoding_named(const char *at, size_t len)
{
	static const char *const sjis[] = {
		"shift_jis", "sjis", "windows-31j", "cp932", "cswindows31j", "macjap", "pck"
	};
	static const char *const gbk[] = { "gb", "cp936", "big5", "cp950", "cp951", "cp949", "euc-tw" };

	for (size_t i = 0; i < sizeof(sjis) / sizeof(*sjis); i++) {
		if (starts_with(at, len, sjis[i]))
			return RUBY_SJIS;
	}
	for (size_t i = 0; i < sizeof(gbk) / sizeof(*gbk); i++) {
		if (starts_with(at, len, gbk[i]))
			return RUBY_GBK;
	}
	return RUBY_BYTES;
}

/* `coding: NAME` or `coding=NAME` in the comment at[0, len). */
static enum ruby_encoding magic_comment(const char *at, size_t len, bool *declared)
{
	for (size_t i = 0; i + 7 <= len; i++) {
		size_t from = i + 6;

		if (strncasecmp(at + i, "coding", 6) != 0)
			continue;
		while (from < len && (at[from] == ' ' || at[from] == '\t'))
			from++;
		if (from == len || (at[from] != ':' && at[from] != '='))
			continue;
		from++;
		while (from < len && (at[from] == ' ' || at[from] == '\t'))
			from++;
		if (from == len)
			continue;
		*declared = true;
		return encoding_named(at + from, len - from);
	}
	return RUBY_BYTES;
}

enum ruby_encoding ruby_encoding_of(const char *text, size_t len, bool *declared)
{
	size_t at = 0;

	*declared = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
	if (*declared)
		return RUBY_BYTES;
	for (int line = 0; line < 2 && at < len; line++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_end = end ? (size_t)(end - text) : len, from = at;

		while (from < line_end && (text[from] == ' ' || text[from] == '\t'))
			from++;
		if (from == line_end || text[from] != '#')
			return RUBY_BYTES;
		if (line == 1 || !(line_end - at >= 2 && text[at + 1] == '!'))
			return magic_comment(text + from, line_end - from, declared);
		at = end ? line_end + 1 : len;
	}
	return RUBY_BYTES;
}
