#include "agents/edit/postfix_names.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <string.h>
#include <strings.h>

/* What says where mail is sent. */
static const char *const relays[] = { "relayhost",	     "default_transport",   "relay_transport", "smtp_fallback_relay", "fallback_relay",
				      "lmtp_fallback_relay", "fallback_transport",  "content_filter",  "local_transport",
				      "virtual_transport",   "mailbox_transport" };

/* The search at hand. */
struct search {
	const char *text;
	size_t len;
	const struct postfix_wanted *wanted;
	struct postfix_names *out;
};

/* A stretch of the text. */
struct span {
	size_t at, end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* Bytes that would make it a longer name; what is not ASCII is a letter to somebody. */
static bool is_name_byte(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_whole(const char *text, size_t len, size_t at, size_t end)
{
	if (at > 0 && (is_name_byte(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == '@'))
		return false;
	if (end < len && is_name_byte(text[end]))
		return false;
	return end + 1 >= len || text[end] != '.' || !is_name_byte(text[end + 1]);
}

static bool stands_at(const char *text, size_t len, size_t at, const char *name)
{
	size_t n = strlen(name);

	return n && n <= len - at && strncasecmp(text + at, name, n) == 0 && is_whole(text, len, at, at + n);
}

/* The length of a wanted name that stands there, or 0. */
static size_t name_at(const struct search *s, size_t at, size_t end, bool *is_new)
{
	*is_new = s->wanted->new_name && stands_at(s->text, end, at, s->wanted->new_name);
	if (*is_new)
		return strlen(s->wanted->new_name);
	for (size_t i = 0; i < s->wanted->old_n; i++) {
		if (stands_at(s->text, end, at, s->wanted->old[i]))
			return strlen(s->wanted->old[i]);
	}
	return 0;
}

static long line_of(const struct search *s, size_t offset)
{
	const struct postfix_names *out = s->out;
	size_t from = out->n ? out->at[out->n - 1].offset : 0;
	long line = out->n ? out->at[out->n - 1].line : 1;

	for (size_t i = from; i < offset; i++)
		line += s->text[i] == '\n';
	return line;
}

static void find_in(struct search *s, struct span span, bool is_relay, const char *where, size_t where_len)
{
	struct postfix_names *out = s->out;

	for (size_t at = span.at; at < span.end; at++) {
		bool is_new;
		size_t len = name_at(s, at, span.end, &is_new);
		struct postfix_name found = { .offset = at, .len = len, .is_new = is_new, .is_relay = is_relay };

		if (!len)
			continue;
		found.line = line_of(s, at);
		snprintf(found.where, sizeof(found.where), "%.*s", (int)(where_len < 1000 ? where_len : 1000), where);
		GROW_FOR_ONE(out->at, out->n);
		out->at[out->n++] = found;
		at += len - 1;
	}
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

enum line_kind { LINE_NOTHING, LINE_BEGINS, LINE_GOES_ON };

/* The next physical line from *at on, without its end; *at moves behind it. */
static enum line_kind next_line(const char *text, size_t len, size_t *at, struct span *line)
{
	const char *end = memchr(text + *at, '\n', len - *at);
	size_t first;

	line->at = *at;
	line->end = end ? (size_t)(end - text) : len;
	*at = line->end + (end != NULL);
	for (first = line->at; first < line->end && is_blank(text[first]); first++)
		;
	if (first == line->end || text[first] == '#')
		return LINE_NOTHING;
	return first > line->at ? LINE_GOES_ON : LINE_BEGINS;
}

/* ---- main.cf ---------------------------------------------------------------------------------------------------- */

/* Names of parameters: views into texts. */
struct names {
	struct span_text {
		const char *at;
		size_t len;
	} *at;
	size_t n;
};

static bool names_has(const struct names *names, const char *at, size_t len)
{
	for (size_t i = 0; i < names->n; i++) {
		if (names->at[i].len == len && memcmp(names->at[i].at, at, len) == 0)
			return true;
	}
	return false;
}

static bool is_parameter_byte(char c)
{
	return is_alnum(c) || c == '_';
}

/* What is beyond these is not followed: a name that stands there is no relay, and so a person's. */
#define REFERENCES_MAX 512
#define ROUNDS_MAX 16

/* Adds what $name, ${name…} and $(name) refer to; true when one was new. */
static bool add_references(struct names *names, const char *text, size_t len)
{
	bool added = false;

	for (size_t i = 0; i + 1 < len && names->n < REFERENCES_MAX; i++) {
		size_t at = i + 1, end;

		if (text[i] != '$')
			continue;
		if (text[at] == '{' || text[at] == '(')
			at++;
		for (end = at; end < len && is_parameter_byte(text[end]); end++)
			;
		if (end == at || names_has(names, text + at, end - at))
			continue;
		GROW_FOR_ONE(names->at, names->n);
		names->at[names->n++] = (struct span_text){ text + at, end - at };
		added = true;
	}
	return added;
}

/* The parameter that a line assigns, and where the value begins; false: no assignment. */
static bool assignment(const char *text, struct span line, struct span *name, size_t *value)
{
	const char *equals = memchr(text + line.at, '=', line.end - line.at);

	if (!equals)
		return false;
	name->at = line.at;
	name->end = (size_t)(equals - text);
	*value = name->end + 1;
	while (name->end > name->at && is_blank(text[name->end - 1]))
		name->end--;
	return name->end > name->at;
}

/* Calls each() for every piece of a value in main.cf, with its parameter. */
static void each_value(const char *text, size_t len,
		       void (*each)(void *arg, const char *name, size_t name_len, struct span value), void *arg)
{
	struct span line, name = { 0, 0 };
	size_t at = 0, value;

	while (at < len) {
		switch (next_line(text, len, &at, &line)) {
		case LINE_NOTHING:
			break;
		case LINE_BEGINS:
			if (assignment(text, line, &name, &value))
				line.at = value;
			else
				name = (struct span){ line.at, line.at };
			each(arg, text + name.at, name.end - name.at, line);
			break;
		case LINE_GOES_ON:
			each(arg, text + name.at, name.end - name.at, line);
			break;
		}
	}
}

/* What main.cf's values refer to, seen from the relays. */
struct references {
	const char *text;
	struct names names;
	bool added;
};

static void follow(void *arg, const char *name, size_t name_len, struct span value)
{
	struct references *r = arg;

	if (names_has(&r->names, name, name_len) && add_references(&r->names, r->text + value.at, value.end - value.at))
		r->added = true;
}

static void references_find(struct references *r, const struct search *s)
{
	for (size_t i = 0; i < ARRAY_LEN(relays); i++) {
		GROW_FOR_ONE(r->names.at, r->names.n);
		r->names.at[r->names.n++] = (struct span_text){ relays[i], strlen(relays[i]) };
	}
	if (s->wanted->also)
		add_references(&r->names, s->wanted->also, s->wanted->also_len);
	r->added = true;
	for (int round = 0; r->added && round < ROUNDS_MAX; round++) {
		r->added = false;
		each_value(s->text, s->len, follow, r);
	}
}

struct main_search {
	struct search *search;
	struct references references;
};

static void find_in_value(void *arg, const char *name, size_t name_len, struct span value)
{
	struct main_search *m = arg;

	find_in(m->search, value, names_has(&m->references.names, name, name_len), name, name_len);
}

static void find_in_main(struct search *s)
{
	struct main_search m = { .search = s, .references = { .text = s->text } };

	references_find(&m.references, s);
	each_value(s->text, s->len, find_in_value, &m);
	free(m.references.names.at);
}

/* ---- master.cf -------------------------------------------------------------------------------------------------- */

/* Where in a service's line we are. */
struct service {
	bool option; /* the word before was -o */
	bool braces; /* inside of { }, behind -o */
	struct span name;
};

static bool is_relay_name(const char *at, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(relays); i++) {
		if (strlen(relays[i]) == len && memcmp(relays[i], at, len) == 0)
			return true;
	}
	return false;
}

static void find_in_option(struct search *s, struct span word, struct span name)
{
	find_in(s, word, is_relay_name(s->text + name.at, name.end - name.at), s->text + name.at, name.end - name.at);
}

/* A word behind -o: NAME=VALUE, or the beginning of { NAME = VALUE }. */
static void option_word(struct search *s, struct service *service, struct span word)
{
	size_t value;

	if (s->text[word.at] == '{') {
		service->braces = true;
		service->name = (struct span){ word.at, word.at };
		word.at++;
	}
	if (assignment(s->text, word, &service->name, &value))
		word.at = value;
	else if (service->braces)
		service->name = word;
	find_in_option(s, word, service->name);
}

static void brace_word(struct search *s, struct service *service, struct span word)
{
	if (service->name.end == service->name.at && s->text[word.at] != '=')
		service->name = word;
	find_in_option(s, word, service->name);
}

static void service_word(struct search *s, struct service *service, struct span word)
{
	bool is_option = word.end - word.at == 2 && memcmp(s->text + word.at, "-o", 2) == 0;

	if (service->braces)
		brace_word(s, service, word);
	else if (service->option)
		option_word(s, service, word);
	else if (!is_option)
		find_in(s, word, false, "", 0);
	if (service->braces && s->text[word.end - 1] == '}')
		service->braces = false;
	service->option = !service->braces && is_option;
}

static void find_in_master(struct search *s)
{
	struct service service = { 0 };
	size_t at = 0;

	while (at < s->len) {
		struct span line, word;
		enum line_kind kind = next_line(s->text, s->len, &at, &line);

		if (kind == LINE_NOTHING)
			continue;
		if (kind == LINE_BEGINS)
			service = (struct service){ 0 };
		for (word.end = line.at; word.end < line.end;) {
			for (word.at = word.end; word.at < line.end && is_blank(s->text[word.at]); word.at++)
				;
			for (word.end = word.at; word.end < line.end && !is_blank(s->text[word.end]); word.end++)
				;
			if (word.end > word.at)
				service_word(s, &service, word);
		}
	}
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static size_t first_blank(const char *text, struct span line)
{
	size_t at = line.at;

	while (at < line.end && !is_blank(text[at]))
		at++;
	return at;
}

/* Where the value of a line with a pattern begins: behind the pattern, its flags and a blank; `if` and `endif` have none. A line
   that begins with another word is a key and a value like any other. */
static size_t pattern_value(const char *text, struct span line)
{
	size_t at = line.at;
	char delimiter;

	while (at < line.end && (text[at] == '!' || is_blank(text[at])))
		at++;
	if (line.end - at > 2 && strncasecmp(text + at, "if", 2) == 0 && !is_alnum(text[at + 2]))
		return line.end;
	if (at == line.end || is_alnum(text[at]))
		return first_blank(text, line);
	for (delimiter = text[at++]; at < line.end && text[at] != delimiter; at++) {
		if (text[at] == '\\' && at + 1 < line.end)
			at++;
	}
	return first_blank(text, (struct span){ at, line.end });
}

static void find_in_table(struct search *s, bool patterns)
{
	size_t at = 0;

	while (at < s->len) {
		struct span line;
		enum line_kind kind = next_line(s->text, s->len, &at, &line);

		if (kind == LINE_NOTHING)
			continue;
		if (kind == LINE_BEGINS)
			line.at = patterns ? pattern_value(s->text, line) : first_blank(s->text, line);
		find_in(s, line, true, "", 0);
	}
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

void postfix_names_find(enum postfix_file kind, const char *text, size_t len, const struct postfix_wanted *wanted,
			struct postfix_names *out)
{
	struct search s = { .text = text, .len = len, .wanted = wanted, .out = out };

	*out = (struct postfix_names){ 0 };
	switch (kind) {
	case POSTFIX_MAIN:
		find_in_main(&s);
		break;
	case POSTFIX_MASTER:
		find_in_master(&s);
		break;
	case POSTFIX_TABLE:
	case POSTFIX_PATTERNS:
		find_in_table(&s, kind == POSTFIX_PATTERNS);
		break;
	}
}

void postfix_names_release(struct postfix_names *names)
{
	free(names->at);
	*names = (struct postfix_names){ 0 };
}

bool postfix_mentions(const char *text, size_t len, const struct postfix_wanted *wanted)
{
	struct postfix_wanted old = { .old = wanted->old, .old_n = wanted->old_n };
	struct postfix_names names = { 0 };
	struct buf plain = { .max = len + 1 };
	struct search s = { .wanted = &old, .out = &names };
	bool mentions;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\\')
			buf_addc(&plain, text[i]);
	}
	s.text = buf_str(&plain);
	s.len = plain.len;
	find_in(&s, (struct span){ 0, plain.len }, false, "", 0);
	mentions = names.n > 0;
	postfix_names_release(&names);
	buf_release_secret(&plain);
	return mentions;
}
