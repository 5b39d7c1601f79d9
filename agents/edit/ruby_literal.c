#include "agents/edit/ruby_lexer.h"

void lexer_fail(struct lexer *lx, const char *why, long line)
{
	if (lx->scan->failed)
		return;
	lx->scan->failed = why;
	lx->scan->failed_line = line;
}

void lexer_to_line_end(struct lexer *lx)
{
	const char *end = memchr(lx->text + lx->at, '\n', lx->len - lx->at);

	lx->at = end ? (size_t)(end - lx->text) : lx->len;
}

/* ---- literals --------------------------------------------------------------------------------------------------- */

/* `#{` … `}`: what is in it is code like any other; what was being watched goes on behind it. */
static void interpolation(struct lexer *lx)
{
	struct lexer saved = *lx;

	lx->at += 2;
	lx->watch = WATCH_IDLE;
	lx->before = BEFORE_BEGIN;
	lx->statement = true;
	lx->last = 0;
	lx->braces = lx->parens = 0;
	lx->heredocs_n = 0;
	if (++lx->depth > DEPTH_MAX) {
		lexer_fail(lx, "interpolations are nested too deeply", lx->line);
		return;
	}
	lexer_code(lx, true);
	if (lx->finished || byte_at(lx, lx->at) != '}')
		lexer_fail(lx, "an interpolation does not end", saved.line);
	if (lx->heredocs_n)
		lexer_fail(lx, "a heredoc begins in an interpolation", lx->line);
	lx->at++;
	lx->depth--;
	lx->watch = saved.watch;
	lx->watched = saved.watched;
	lx->before = saved.before;
	lx->statement = saved.statement;
	lx->last = saved.last;
	lx->braces = saved.braces;
	lx->parens = saved.parens;
	lx->heredocs_n = saved.heredocs_n;
}

/* At a `#` in a literal with interpolation: `#{…}`, `#@x`, `#$x`; `#$"` names a variable, and its quote ends nothing.
 */
static void hash_sign(struct lexer *lx, struct literal *lit)
{
	int next = byte_at(lx, lx->at + 1);

	if (next == '{') {
		lit->interpolated = true;
		interpolation(lx);
		return;
	}
	if (next == '@' || next == '$')
		lit->interpolated = true;
	lx->at++;
	if (next == '$' && one_of(byte_at(lx, lx->at + 1), "~*$?!@/\\;,.=:<>\"&`'+"))
		lx->at += 2;
}

/* A newline in a literal. With a heredoc begun in the same line its body would come first: nobody writes that. */
static void literal_line(struct lexer *lx, struct literal *lit)
{
	lit->lines = true;
	lx->line++;
	if (lx->heredocs_n)
		lexer_fail(lx, "a string goes over the line in which a heredoc begins", lx->line - 1);
}

/* Behind the opening delimiter: to behind the closing one. Delimiters that are pairs nest. */
static void delimited(struct lexer *lx, int open, int close, bool interpolates, struct literal *lit)
{
	long first_line = lx->line;
	int nested = 0;

	for (lit->start = lx->at; lx->at < lx->len && !lx->scan->failed;) {
		size_t bytes = step(lx, lx->at);
		int c = byte_at(lx, lx->at);

		if (bytes == 1 && c == close && !nested--) {
			lit->end = lx->at++;
			return;
		}
		if (bytes == 1 && c == open && open != close)
			nested++;
		if (bytes == 1 && c == '#' && interpolates) {
			hash_sign(lx, lit);
			continue;
		}
		if (bytes == 1 && c == '\\') {
			lit->escaped = true;
			lx->at++;
			bytes = step(lx, lx->at);
			c = byte_at(lx, lx->at);
		}
		if (bytes == 1 && c == '\n')
			literal_line(lx, lit);
		lx->at += bytes;
	}
	lexer_fail(lx, "a string or regular expression does not end", first_line);
}

void lexer_value_ended(struct lexer *lx)
{
	lx->before = BEFORE_END;
	lx->statement = false;
	lx->last = 0;
}

void lexer_quoted(struct lexer *lx)
{
	size_t start = lx->at;
	int quote = byte_at(lx, lx->at++);
	struct literal lit = { .kind = quote == '`' ? LITERAL_OTHER : LITERAL_STRING };

	delimited(lx, quote, quote, quote != '\'', &lit);
	lexer_value_ended(lx);
	lexer_token(lx, TOKEN_STRING, start, &lit);
}

static int closing(int open)
{
	return open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : open == '<' ? '>' : open;
}

/* `%q(…)` and the like, at the `%`. */
void lexer_percent(struct lexer *lx)
{
	size_t start = lx->at++;
	int type = 'Q', open = byte_at(lx, lx->at);
	struct literal lit = { .kind = LITERAL_STRING };

	if (open < 0x80 && is_name(open) && open != '_') {
		type = open;
		open = byte_at(lx, ++lx->at);
	}
	if (open < 0 || open >= 0x80 || is_name(open) || !one_of(type, "qQwWiIrsx")) {
		lexer_fail(lx, "a % is not understood", lx->line);
		return;
	}
	if (open == '\n')
		lx->line++;
	lx->at++;
	if (!one_of(type, "qQ"))
		lit.kind = LITERAL_OTHER;
	delimited(lx, open, closing(open), one_of(type, "QWIrx"), &lit);
	while (type == 'r' && is_name_start(byte_at(lx, lx->at)))
		lx->at++;
	lexer_value_ended(lx);
	lexer_token(lx, TOKEN_STRING, start, &lit);
}

void lexer_regex(struct lexer *lx, bool guessed)
{
	size_t start = lx->at++;
	struct literal lit = { .kind = LITERAL_OTHER };
	long line = lx->line;

	delimited(lx, '/', '/', true, &lit);
	if (guessed && lit.lines)
		lexer_fail(lx, "a / is not understood: it may divide or begin a regular expression", line);
	while (is_name_start(byte_at(lx, lx->at)))
		lx->at++;
	lexer_value_ended(lx);
	lexer_token(lx, TOKEN_STRING, start, &lit);
}

/* ---- heredocs --------------------------------------------------------------------------------------------------- */

/* At `<<`: a heredoc's beginning? Then it is noted, and its body is read when the line ends. */
bool lexer_heredoc_begins(struct lexer *lx)
{
	struct heredoc doc = { 0 };
	size_t start = lx->at, at = lx->at + 2;
	int c = byte_at(lx, at);
	struct literal lit = { .kind = LITERAL_OTHER };

	if (c == '-' || c == '~') {
		doc.indented = true;
		c = byte_at(lx, ++at);
	}
	if (one_of(c, "\"'`")) {
		doc.raw = c == '\'';
		for (doc.id = ++at; at < lx->len && byte_at(lx, at) != c && byte_at(lx, at) != '\n'; at++)
			doc.id_len++;
		if (byte_at(lx, at++) != c)
			return false;
	} else {
		for (doc.id = at; is_name(byte_at(lx, at)); at++)
			doc.id_len++;
		if (!doc.id_len)
			return false;
	}
	if (lx->heredocs_n == HEREDOCS_MAX) {
		lexer_fail(lx, "too many heredocs begin in one line", lx->line);
		return true;
	}
	lx->heredocs[lx->heredocs_n++] = doc;
	lx->at = at;
	lexer_value_ended(lx);
	lexer_token(lx, TOKEN_STRING, start, &lit);
	return true;
}

/* Is the line at lx->at the heredoc's last one? */
static bool heredoc_ends(const struct lexer *lx, const struct heredoc *doc)
{
	size_t at = lx->at;

	while (doc->indented && is_space(byte_at(lx, at)) && byte_at(lx, at) != '\n')
		at++;
	if (lx->len - at < doc->id_len || memcmp(lx->text + at, lx->text + doc->id, doc->id_len) != 0)
		return false;
	at += doc->id_len;
	if (byte_at(lx, at) == '\r')
		at++;
	return at == lx->len || byte_at(lx, at) == '\n';
}

/* One line of a body with interpolation; an escaped newline does not end it. */
static void heredoc_line(struct lexer *lx)
{
	struct literal unused = { 0 };

	while (lx->at < lx->len && !lx->scan->failed) {
		size_t bytes = step(lx, lx->at);
		int c = byte_at(lx, lx->at);

		if (bytes == 1 && c == '#') {
			hash_sign(lx, &unused);
			continue;
		}
		if (bytes == 1 && c == '\n')
			return;
		if (bytes == 1 && c == '\\') {
			lx->at++;
			bytes = step(lx, lx->at);
			lx->line += byte_at(lx, lx->at) == '\n';
		}
		lx->at += bytes;
	}
}

static void heredoc_body(struct lexer *lx, const struct heredoc *doc)
{
	long first_line = lx->line;

	while (lx->at < lx->len && !lx->scan->failed) {
		bool last = heredoc_ends(lx, doc);

		if (last || doc->raw)
			lexer_to_line_end(lx);
		else
			heredoc_line(lx);
		if (lx->at < lx->len) {
			lx->at++;
			lx->line++;
		}
		if (last)
			return;
	}
	lexer_fail(lx, "a heredoc does not end", first_line - 1);
}

/* The newline at lx->at, and the bodies of the heredocs that began in the line. */
void lexer_line_ends(struct lexer *lx)
{
	struct heredoc docs[HEREDOCS_MAX];
	size_t n = lx->heredocs_n;

	memcpy(docs, lx->heredocs, sizeof(docs));
	lx->heredocs_n = 0;
	lx->at++;
	lx->line++;
	for (size_t i = 0; i < n && !lx->scan->failed; i++)
		heredoc_body(lx, &docs[i]);
}
