/*
 * JSON from outside: bytes become jansson values, or one fault with its line and column. Beyond jansson's own checks
 * (RFC 8259, duplicate keys): UTF-8 (RFC 3629) with the byte named, NUL bytes, nesting, an empty text; a UTF-8 byte
 * order mark is skipped. Comments, keys "//" and "x-…", are removed from every object.
 */
#ifndef INVENTORY_JSON_TEXT_H
#define INVENTORY_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

struct json_fault {
	int line, column; /* from 1; the column counts characters */
	char text[200];
};

/* The value (an object or array; the caller releases), or NULL with the fault. The fault never quotes a value of the
   text, since that might be a secret; a duplicate key is quoted. */
json_t *json_text_parse(const char *bytes, size_t len, struct json_fault *fault);

/* The length of the UTF-8 sequence at `at` (RFC 3629, section 4), 0 when there is none before `end`. */
size_t utf8_len(const unsigned char *at, const unsigned char *end);

/* "text", "a number", "an object", … for messages. */
const char *json_kind(const json_t *value);

#endif
