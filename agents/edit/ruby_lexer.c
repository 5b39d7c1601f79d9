#include "agents/edit/ruby_lexer.h"

static void fail(struct lexer *lx, const char *why, long line)
{
	if (lx->scan->failed)
		return;
	lx->scan->failed = why;
	lx->scan->failed_line = line;
}

/* ---- characters ------------------------------------------------------------------------------------------------- */

static int byte_at(const struct lexer *lx, size_t at)
{
	return at < lx->len ? (unsigned char)lx->text[at] : -1;
}

/* Bytes of the character at `at`: 2 where its second byte may look like ASCII, else 1. */
static size_t step(const struct lexer *lx, size_t at)
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

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_name(int c)
{
	return is_name_start(c) || is_digit(c);
}

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool one_of(int c, const char *set)
{
	return c > 0 && strchr(set, c);
}

static bool at_line_start(const struct lexer *lx)
{
	return lx->at == lx->start || lx->text[lx->at - 1] == '\n';
}

/* Does the line at `at` begin with `word` and end there, or (tail) go on with a blank? */
static bool line_is(const struct lexer *lx, size_t at, const char *word, bool tail)
{
	size_t n = strlen(word);
	int next;

	if (lx->len - at < n || memcmp(lx->text + at, word, n) != 0)
		return false;
	next = byte_at(lx, at + n);
	if (next == '\r' && !tail)
		next = byte_at(lx, at + n + 1) == '\n' ? '\n' : 'x';
	return next == -1 || next == '\n' || (tail && (is_space(next) || next == 0));
}

static void to_line_end(struct lexer *lx)
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
		fail(lx, "interpolations are nested too deeply", lx->line);
		return;
	}
	lexer_code(lx, true);
	if (lx->finished || byte_at(lx, lx->at) != '}')
		fail(lx, "an interpolation does not end", saved.line);
	if (lx->heredocs_n)
		fail(lx, "a heredoc begins in an interpolation", lx->line);
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
		fail(lx, "a string goes over the line in which a heredoc begins", lx->line - 1);
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
	fail(lx, "a string or regular expression does not end", first_line);
}

static void value_ended(struct lexer *lx)
{
	lx->before = BEFORE_END;
	lx->statement = false;
	lx->last = 0;
}

static void quoted(struct lexer *lx)
{
	size_t start = lx->at;
	int quote = byte_at(lx, lx->at++);
	struct literal lit = { .kind = quote == '`' ? LITERAL_OTHER : LITERAL_STRING };

	delimited(lx, quote, quote, quote != '\'', &lit);
	value_ended(lx);
	lexer_token(lx, TOKEN_STRING, start, &lit);
}

static int closing(int open)
{
	return open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : open == '<' ? '>' : open;
}

/* `%q(…)` and the like, at the `%`. */
static void percent(struct lexer *lx)
{
	size_t start = lx->at++;
	int type = 'Q', open = byte_at(lx, lx->at);
	struct literal lit = { .kind = LITERAL_STRING };

	if (open < 0x80 && is_name(open) && open != '_') {
		type = open;
		open = byte_at(lx, ++lx->at);
	}
	if (open < 0 || open >= 0x80 || is_name(open) || !one_of(type, "qQwWiIrsx")) {
		fail(lx, "a % is not understood", lx->line);
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
	value_ended(lx);
	lexer_token(lx, TOKEN_STRING, start, &lit);
}

static void regex(struct lexer *lx, bool guessed)
{
	size_t start = lx->at++;
	struct literal lit = { .kind = LITERAL_OTHER };
	long line = lx->line;

	delimited(lx, '/', '/', true, &lit);
	if (guessed && lit.lines)
		fail(lx, "a / is not understood: it may divide or begin a regular expression", line);
	while (is_name_start(byte_at(lx, lx->at)))
		lx->at++;
	value_ended(lx);
	lexer_token(lx, TOKEN_STRING, start, &lit);
}

/* ---- heredocs --------------------------------------------------------------------------------------------------- */

/* At `<<`: a heredoc's beginning? Then it is noted, and its body is read when the line ends. */
static bool heredoc_begins(struct lexer *lx)
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
		fail(lx, "too many heredocs begin in one line", lx->line);
		return true;
	}
	lx->heredocs[lx->heredocs_n++] = doc;
	lx->at = at;
	value_ended(lx);
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
			to_line_end(lx);
		else
			heredoc_line(lx);
		if (lx->at < lx->len) {
			lx->at++;
			lx->line++;
		}
		if (last)
			return;
	}
	fail(lx, "a heredoc does not end", first_line - 1);
}

/* The newline at lx->at, and the bodies of the heredocs that began in the line. */
static void line_ends(struct lexer *lx)
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

static void newline(struct lexer *lx)
{
	bool goes_on = lx->before == BEFORE_DOT || lx->before == BEFORE_SCOPE ||
		       (lx->before == BEFORE_BEGIN && lx->last && !one_of(lx->last, ";{}|"));

	line_ends(lx);
	if (lx->before != BEFORE_DOT && lx->before != BEFORE_SCOPE && lx->before != BEFORE_DEF)
		lx->before = BEFORE_BEGIN;
	lx->statement = !goes_on;
	if (!goes_on)
		lx->last = 0;
	lx->group = lx->group && lx->parens;
	lexer_token(lx, TOKEN_LINE, lx->at - 1, NULL);
}

static void block_comment(struct lexer *lx)
{
	long first_line = lx->line;

	do {
		to_line_end(lx);
		if (lx->at == lx->len) {
			fail(lx, "=begin without =end", first_line);
			return;
		}
		line_ends(lx);
	} while (!line_is(lx, lx->at, "=end", true));
	to_line_end(lx);
	if (lx->at < lx->len)
		line_ends(lx);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static bool listed(const struct lexer *lx, size_t start, size_t len, const char *const *words)
{
	for (; *words; words++) {
		if (strlen(*words) == len && memcmp(lx->text + start, *words, len) == 0)
			return true;
	}
	return false;
}

static bool is_local(const struct lexer *lx, size_t start, size_t len)
{
	for (size_t i = 0; i < lx->locals_n; i++) {
		if (lx->locals[i].len == len && memcmp(lx->text + lx->locals[i].at, lx->text + start, len) == 0)
			return true;
	}
	return false;
}

static enum before before_of_word(const struct lexer *lx, size_t start, size_t len)
{
	static const char *const begin[] = { "if",     "unless", "while", "until", "and",    "or",   "not",   "return",
					     "when",   "in",     "case",  "then",  "do",     "else", "elsif", "begin",
					     "ensure", "rescue", "break", "next",  "module", "for",  NULL };
	static const char *const end[] = { "end",   "self",     "nil",      "true",         "false", "redo",
					   "retry", "__FILE__", "__LINE__", "__ENCODING__", NULL };
	static const char *const def[] = { "def", "alias", "undef", NULL };
	static const char *const class[] = { "class", NULL };

	if (lx->before == BEFORE_DEF)
		return BEFORE_END;
	if (lx->before == BEFORE_DOT || lx->before == BEFORE_SCOPE)
		return BEFORE_NAME;
	if (listed(lx, start, len, begin))
		return BEFORE_BEGIN;
	if (listed(lx, start, len, end) || is_local(lx, start, len))
		return BEFORE_END;
	if (listed(lx, start, len, def))
		return BEFORE_DEF;
	return listed(lx, start, len, class) ? BEFORE_CLASS : BEFORE_NAME;
}

static void name(struct lexer *lx)
{
	size_t start = lx->at, len;
	enum before before;
	bool method = lx->before == BEFORE_DOT || lx->before == BEFORE_DEF;

	while (is_name(byte_at(lx, lx->at)))
		lx->at += step(lx, lx->at);
	if (one_of(byte_at(lx, lx->at), "?!") && byte_at(lx, lx->at + 1) != '=')
		lx->at++;
	len = lx->at - start;
	if (byte_at(lx, lx->at) == ':' && byte_at(lx, lx->at + 1) != ':' && lx->before != BEFORE_DOT) {
		lexer_token(lx, TOKEN_NAME, start, NULL);
		lx->at++;
		lx->before = BEFORE_BEGIN;
		lx->statement = false;
		lx->last = ':';
		return;
	}
	before = before_of_word(lx, start, len);
	lexer_token(lx, TOKEN_NAME, start, NULL);
	if (!method && len == lx->name_len && memcmp(lx->text + start, lx->name, len) == 0)
		lexer_constant(lx);
	if (lx->watch == WATCH_VALUE && lx->last == '=')
		return;
	if (!method && lexer_assigns(lx, lx->at) && lx->locals_n < LOCALS_MAX) {
		lx->locals[lx->locals_n].at = start;
		lx->locals[lx->locals_n++].len = len;
	}
	lx->statement = before == BEFORE_BEGIN;
	lx->before = before;
	lx->last = 0;
}

static void number(struct lexer *lx)
{
	size_t start = lx->at;

	while (is_name(byte_at(lx, lx->at)) || (byte_at(lx, lx->at) == '.' && is_digit(byte_at(lx, lx->at + 1))) ||
	       (one_of(byte_at(lx, lx->at), "+-") && one_of(byte_at(lx, lx->at - 1), "eE") &&
		is_digit(byte_at(lx, lx->at + 1)) && byte_at(lx, start + 1) != 'x'))
		lx->at++;
	value_ended(lx);
	lexer_token(lx, TOKEN_OPERATOR, start, NULL);
}

/* `$x`, `$"`, `$-w`, `@x`, `@@x` */
static void variable(struct lexer *lx)
{
	size_t start = lx->at;
	bool global = byte_at(lx, lx->at) == '$';

	while (one_of(byte_at(lx, lx->at), global ? "$" : "@") && lx->at - start < (global ? 1 : 2))
		lx->at++;
	if (global && byte_at(lx, lx->at) == '-')
		lx->at++;
	if (is_name(byte_at(lx, lx->at))) {
		while (is_name(byte_at(lx, lx->at)))
			lx->at += step(lx, lx->at);
	} else if (global && one_of(byte_at(lx, lx->at), "~*$?!@/\\;,.=:<>\"&`'+")) {
		lx->at++;
	}
	value_ended(lx);
	lexer_token(lx, TOKEN_OPERATOR, start, NULL);
}

/* ---- operators -------------------------------------------------------------------------------------------------- */

static void operator(struct lexer *lx, size_t bytes)
{
	size_t start = lx->at;
	int c = byte_at(lx, start);

	lx->at += bytes;
	lx->group = (lx->group && c != ';') || (c == '(' && lx->statement);
	lx->parens += one_of(c, "([") ? 1 : one_of(c, ")]") && lx->parens ? -1 : 0;
	lx->braces += c == '{' ? 1 : c == '}' && lx->braces ? -1 : 0;
	lx->before = one_of(c, ")]}") ? BEFORE_END : BEFORE_BEGIN;
	lx->last = (char)c;
	lx->statement = one_of(c, ";{|");
	lexer_token(lx, c == ';' ? TOKEN_SEMICOLON : TOKEN_OPERATOR, start, NULL);
}

static void dot(struct lexer *lx, size_t bytes)
{
	size_t start = lx->at;

	if (bytes == 1 && byte_at(lx, start + 1) == '.') {
		operator(lx, byte_at(lx, start + 2) == '.' ? 3 : 2);
		return;
	}
	lx->at += bytes;
	lx->before = BEFORE_DOT;
	lx->statement = false;
	lx->last = '.';
	lexer_token(lx, TOKEN_DOT, start, NULL);
}

/* An operator's name behind `def`, `.` or `:`; the longest first. */
static size_t operator_name(const struct lexer *lx, size_t at)
{
	static const char *const names[] = { "[]=", "<=>", "===", "[]", "**", "==", "=~", "!=", "!~", "<<",
					     ">>",  "<=",  ">=",  "+@", "-@", "~@", "!@", "+",  "-",  "*",
					     "/",   "%",   "<",   ">",  "!",  "~",  "^",  "&",  "|",  "`" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (lx->len - at >= n && memcmp(lx->text + at, names[i], n) == 0)
			return n;
	}
	return 0;
}

static void colon(struct lexer *lx)
{
	size_t start = lx->at;
	int next = byte_at(lx, start + 1);

	if (next == ':') {
		bool statement = lx->statement;

		operator(lx, 2);
		lx->before = BEFORE_SCOPE;
		lx->statement = statement;
		return;
	}
	if (lx->before == BEFORE_END || is_space(next) || next == '#' || one_of(next, "\"'") ||
	    (!is_name_start(next) && !operator_name(lx, start + 1))) {
		operator(lx, 1);
		return;
	}
	lx->at++;
	if (is_name_start(next)) {
		while (is_name(byte_at(lx, lx->at)))
			lx->at += step(lx, lx->at);
		if (one_of(byte_at(lx, lx->at), "?!=") && !one_of(byte_at(lx, lx->at + 1), "=~>"))
			lx->at++;
	} else {
		lx->at += operator_name(lx, lx->at);
	}
	value_ended(lx);
	lexer_token(lx, TOKEN_OPERATOR, start, NULL);
}

/* `?x` is a character where a value may begin; `a ? b : c` is not. */
static void question(struct lexer *lx)
{
	size_t start = lx->at;
	int c = byte_at(lx, start + 1);

	if (lx->before == BEFORE_END || c < 0 || is_space(c) ||
	    (c < 0x80 && is_name(c) && is_name(byte_at(lx, start + 2)))) {
		operator(lx, 1);
		return;
	}
	lx->at++;
	while (byte_at(lx, lx->at) == '\\') {
		lx->at++;
		if (byte_at(lx, lx->at + 1) == '-' && one_of(byte_at(lx, lx->at), "CM"))
			lx->at += 2;
		else if (byte_at(lx, lx->at) == 'c')
			lx->at++;
		else
			break;
	}
	lx->line += byte_at(lx, lx->at) == '\n';
	lx->at += step(lx, lx->at);
	value_ended(lx);
	lexer_token(lx, TOKEN_OPERATOR, start, NULL);
}

/* ---- code ------------------------------------------------------------------------------------------------------- */

/* May a literal begin here? Behind a name only with a blank before it and none (nor `=`) behind: `f /x/`, `a / b`. */
static bool literal_begins(const struct lexer *lx, size_t bytes)
{
	int next = byte_at(lx, lx->at + bytes), before = lx->at ? byte_at(lx, lx->at - 1) : ' ';

	if (lx->before == BEFORE_NAME)
		return is_space(before) && !is_space(next) && next != '=';
	return lx->before == BEFORE_BEGIN || lx->before == BEFORE_CLASS;
}

static bool heredoc_may_begin(const struct lexer *lx)
{
	if (byte_at(lx, lx->at + 1) != '<')
		return false;
	return lx->before == BEFORE_BEGIN || (lx->before == BEFORE_NAME && lx->at && is_space(byte_at(lx, lx->at - 1)));
}

static void symbol(struct lexer *lx, int c)
{
	bool names = lx->before == BEFORE_DEF || lx->before == BEFORE_DOT || lx->before == BEFORE_SCOPE;
	size_t named = names ? operator_name(lx, lx->at) : 0;

	if (named) {
		lx->at += named;
		value_ended(lx);
		lexer_token(lx, TOKEN_OPERATOR, lx->at - named, NULL);
	} else if (one_of(c, "\"'`")) {
		quoted(lx);
	} else if (c == '/' && literal_begins(lx, 1)) {
		regex(lx, lx->before == BEFORE_NAME);
	} else if (c == '%' && literal_begins(lx, 1)) {
		percent(lx);
	} else if (c == '<' && heredoc_may_begin(lx) && heredoc_begins(lx)) {
		return;
	} else if (c == '.' || (c == '&' && byte_at(lx, lx->at + 1) == '.')) {
		dot(lx, c == '.' ? 1 : 2);
	} else if (c == ':') {
		colon(lx);
	} else if (c == '?') {
		question(lx);
	} else {
		operator(lx, 1);
	}
}

static void one_token(struct lexer *lx)
{
	int c = byte_at(lx, lx->at);

	if (at_line_start(lx) && line_is(lx, lx->at, "=begin", true))
		block_comment(lx);
	else if (c == 0 || c == 4 || c == 26 || (at_line_start(lx) && line_is(lx, lx->at, "__END__", false)))
		lx->finished = true;
	else if (c == '\n')
		newline(lx);
	else if (is_space(c))
		lx->at++;
	else if (c == '\\' && byte_at(lx, lx->at + 1) == '\n')
		lx->at++, line_ends(lx);
	else if (c == '#')
		to_line_end(lx);
	else if (is_name_start(c))
		name(lx);
	else if (is_digit(c))
		number(lx);
	else if (c == '$' || c == '@')
		variable(lx);
	else
		symbol(lx, c);
}

void lexer_code(struct lexer *lx, bool nested)
{
	while (lx->at < lx->len && !lx->finished && !lx->scan->failed) {
		if (nested && lx->text[lx->at] == '}' && !lx->braces)
			return;
		one_token(lx);
	}
	if (!nested && lx->heredocs_n && !lx->scan->failed)
		fail(lx, "a heredoc does not end", lx->line);
}
