/*
 * Reading and writing of the SSH data types (RFC 4251 §5): uint32, string, mpint. A cursor that has once read beyond
 * its end stays failed and gives empty values, so that a parser may read all of its fields and look once at the end.
 */
#ifndef TRANSPORT_SSH_WIRE_H
#define TRANSPORT_SSH_WIRE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that belong to somebody else. */
struct wire_str {
	const unsigned char *data;
	size_t len;
};

struct wire {
	const unsigned char *at, *end;
	bool failed;
};

static inline struct wire wire_over(const void *bytes, size_t len)
{
	return (struct wire){.at = bytes, .end = (const unsigned char *)bytes + len};
}

static inline struct wire_str wire_bytes(struct wire *w, size_t len)
{
	struct wire_str s = {w->at, len};

	if (w->failed || (size_t)(w->end - w->at) < len) {
		w->failed = true;
		return (struct wire_str){(const unsigned char *)"", 0};
	}
	w->at += len;
	return s;
}

static inline uint32_t wire_u32(struct wire *w)
{
	struct wire_str s = wire_bytes(w, 4);

	if (!s.len)
		return 0;
	return (uint32_t)s.data[0] << 24 | (uint32_t)s.data[1] << 16 | (uint32_t)s.data[2] << 8 | s.data[3];
}

static inline uint64_t wire_u64(struct wire *w)
{
	uint64_t high = wire_u32(w);

	return high << 32 | wire_u32(w);
}

static inline struct wire_str wire_string(struct wire *w)
{
	return wire_bytes(w, wire_u32(w));
}

static inline bool wire_is(struct wire_str s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

static inline void wire_put_string(struct buf *b, const void *bytes, size_t len)
{
	unsigned char head[4] = {(unsigned char)(len >> 24), (unsigned char)(len >> 16), (unsigned char)(len >> 8),
				 (unsigned char)len};

	buf_add(b, head, sizeof(head));
	buf_add(b, bytes, len);
}

static inline void wire_put_u32(struct buf *b, uint32_t v)
{
	unsigned char bytes[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8),
				  (unsigned char)v};

	buf_add(b, bytes, sizeof(bytes));
}

static inline void wire_put_text(struct buf *b, const char *text)
{
	wire_put_string(b, text, strlen(text));
}

/* Standard base64 (RFC 4648 §4) with its padding and nothing else. False: not that, or no room in `out`. */
bool wire_base64_decode(const char *text, size_t len, struct buf *out);

#endif
