/*
 * Writing JSON straight into a buffer, so that a report of ten thousand tenants is not held twice. Keeps the commas;
 * whoever calls keeps the nesting. Every string passes escape_json.
 */
#ifndef REPORT_JSON_OUT_H
#define REPORT_JSON_OUT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json_out {
	struct buf *out;
	bool comma; /* before the next value or key */
};

/* An object or array begins ("{" or "[") or ends; key is NULL inside an array and at the top. */
void json_begin(struct json_out *j, const char *key, char bracket);
void json_end(struct json_out *j, char bracket);

void json_text(struct json_out *j, const char *key, const char *text);
/* The same, left out where it is empty. */
void json_text_if(struct json_out *j, const char *key, const char *text);
void json_number(struct json_out *j, const char *key, int64_t number);
void json_bool(struct json_out *j, const char *key, bool value);
void json_nothing(struct json_out *j, const char *key); /* null */
/* RFC 3339 with that offset; null for 0. */
void json_time(struct json_out *j, const char *key, int64_t wall_ms, int offset_min);
/* A SHA-256; "" for what is none, which no program of ours writes. */
void json_hash(struct json_out *j, const char *key, const char *sha256);
/* A text that is JSON already: read and written again, left out where it is none. */
void json_embed(struct json_out *j, const char *key, const char *json);
/* A line of its own for what comes next. */
void json_line(struct json_out *j, int indent);

#endif
