#include "inventory/json_text.h"

#include "inventory/load.h"

#include <stdarg.h>
#include <stdbool.h>

/* A walk over the bytes before jansson sees them. */
struct scan {
	const unsigned char *at, *end;
	int line, column; /* of `at` */
	int depth;
	bool in_string;
	struct json_fault *fault;
};

__attribute__((format(printf, 2, 3))) static bool fault_at(struct scan *s, const char *fmt, ...)
{
	va_list args;

	s->fault->line = s->line;
	s->fault->column = s->column;
	va_start(args, fmt);
	vsnprintf(s->fault->text, sizeof(s->fault->text), fmt, args);
	va_end(args);
	return false;
}

size_t utf8_len(const unsigned char *p, const unsigned char *end)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t len = *p < 0x80                  ? 1
		     : *p >= 0xC2 && *p <= 0xDF ? 2
		     : *p >= 0xE0 && *p <= 0xEF ? 3
		     : *p >= 0xF0 && *p <= 0xF4 ? 4
						: 0;

	if (len == 0 || (size_t)(end - p) < len)
		return 0;
	if (*p == 0xE0)
		low = 0xA0;
	else if (*p == 0xED)
		high = 0x9F; /* surrogates */
	else if (*p == 0xF0)
		low = 0x90;
	else if (*p == 0xF4)
		high = 0x8F;
	for (size_t i = 1; i < len; i++) {
		if (p[i] < low || p[i] > high)
			return 0;
		low = 0x80;
		high = 0xBF;
	}
	return len;
}

static bool not_utf8(struct scan *s, const unsigned char *start)
{
	const char *hint = "";

	if (s->at == start && s->end - start > 1 && (start[0] ^ start[1]) == 1 && start[0] >= 0xFE)
		hint = "; this looks like UTF-16: save the file as UTF-8";
	else if (*s->at >= 0x80)
		hint = "; save the file as UTF-8 (it may be in Shift_JIS or Windows-1252)";
	return fault_at(s, "not UTF-8: byte 0x%02X at offset %zu%s", *s->at, (size_t)(s->at - start), hint);
}

/* Nesting, outside of strings. */
static bool scan_structure(struct scan *s)
{
	switch (*s->at) {
	case '"':
		s->in_string = true;
		return true;
	case '{':
	case '[':
		if (++s->depth > INVENTORY_DEPTH_MAX)
			return fault_at(s, "nested more than %d levels deep", INVENTORY_DEPTH_MAX);
		return true;
	case '}':
	case ']':
		s->depth--;
		return true;
	}
	return true;
}

static bool scan_text(struct scan *s)
{
	const unsigned char *start = s->at;

	while (s->at < s->end) {
		size_t len = utf8_len(s->at, s->end);
		if (len == 0)
			return not_utf8(s, start);
		if (*s->at == '\0')
			return fault_at(s, "a NUL byte at offset %zu: this is no JSON text", (size_t)(s->at - start));
		if (s->in_string && *s->at == '\\' && s->end - s->at > 1 && s->at[1] < 0x80 && s->at[1] != '\n' &&
		    s->at[1]) {
			s->at += 2;
			s->column += 2;
			continue;
		}
		if (s->in_string && *s->at == '"')
			s->in_string = false;
		else if (!s->in_string && !scan_structure(s))
			return false;
		if (*s->at == '\n') {
			s->line++;
			s->column = 0;
		}
		s->column++;
		s->at += len;
	}
	return true;
}

static bool is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", bytes[i]) || !bytes[i])
			return false;
	return true;
}

/* jansson says "… near 'TOKEN'": the token may be a secret, so only that of a duplicate key, near '"KEY"', is kept. */
static void take_fault(const json_error_t *error, struct json_fault *fault)
{
	const char *near = strstr(error->text, " near ");
	const char *token = near ? near + strlen(" near '") : "";
	int len = (int)(near ? (size_t)(near - error->text) : strlen(error->text));

	fault->line = error->line < 1 ? 1 : error->line;
	fault->column = error->column < 1 ? 1 : error->column;
	switch ((int)json_error_code(error)) {
	case json_error_duplicate_key:
		snprintf(fault->text, sizeof(fault->text), "duplicate key %.*s: a key stands once in an object",
			 (int)strnlen(token, 100) - (strnlen(token, 100) < 100), token);
		return;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		snprintf(fault->text, sizeof(fault->text), "\\u0000 is not allowed in text");
		return;
	case json_error_premature_end_of_input:
		snprintf(fault->text, sizeof(fault->text), "the text ends too early: a bracket or quote is not closed");
		return;
	}
	snprintf(fault->text, sizeof(fault->text), "not JSON: %.*s", len, error->text);
}

static bool is_comment(const char *key)
{
	return strcmp(key, "//") == 0 || strncmp(key, "x-", 2) == 0;
}

/* Depth is bounded: scan_text counted it. */
static void strip_comments(json_t *value)
{
	const char *key;
	json_t *member;
	void *next;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, member)
			strip_comments(member);
		return;
	}
	if (!json_is_object(value))
		return;
	json_object_foreach_safe(value, next, key, member) {
		if (is_comment(key))
			json_object_del(value, key);
		else
			strip_comments(member);
	}
}

json_t *json_text_parse(const char *bytes, size_t len, struct json_fault *fault)
{
	struct scan s = { .line = 1, .column = 1, .fault = fault };
	json_error_t error;
	json_t *value;

	if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	s.at = (const unsigned char *)bytes;
	s.end = s.at + len;
	if (is_blank(bytes, len)) {
		fault_at(&s, "the file is empty");
		return NULL;
	}
	if (!scan_text(&s))
		return NULL;
	value = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		take_fault(&error, fault);
	else
		strip_comments(value);
	return value;
}

const char *json_kind(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		return "null";
	}
	return "?";
}
