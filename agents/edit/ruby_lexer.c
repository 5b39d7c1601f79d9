#include "agents/edit/ruby_lexer.h"

/* ---- lines ---------------------------------------------------------------------------------------------------------- */

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

static void newline(struct lexer *lx)
{
	bool goes_on = lx->before == BEFORE_DOT || lx->before == BEFORE_SCOPE ||
		       (lx->before == BEFORE_BEGIN && lx->last && !one_of(lx->last, ";{}|"));

	lexer_line_ends(lx);
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
		lexer_to_line_end(lx);
		if (lx->at == lx->len) {
			lexer_fail(lx, "=begin without =end", first_line);
			return;
		}
		lexer_line_ends(lx);
	} while (!line_is(lx, lx->at, "=end", true));
	lexer_to_line_end(lx);
	if (lx->at < lx->len)
		lexer_line_ends(lx);
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
	lexer_value_ended(lx);
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
	lexer_value_ended(lx);
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
	lexer_value_ended(lx);
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
	lexer_value_ended(lx);
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
		lexer_value_ended(lx);
		lexer_token(lx, TOKEN_OPERATOR, lx->at - named, NULL);
	} else if (one_of(c, "\"'`")) {
		lexer_quoted(lx);
	} else if (c == '/' && literal_begins(lx, 1)) {
		lexer_regex(lx, lx->before == BEFORE_NAME);
	} else if (c == '%' && literal_begins(lx, 1)) {
		lexer_percent(lx);
	} else if (c == '<' && heredoc_may_begin(lx) && lexer_heredoc_begins(lx)) {
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
		lx->at++, lexer_line_ends(lx);
	else if (c == '#')
		lexer_to_line_end(lx);
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
		lexer_fail(lx, "a heredoc does not end", lx->line);
}
