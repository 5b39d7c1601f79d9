/*
 * A growing byte buffer with a hard maximum (the habit is curl's dynbuf). All growing memory that holds bytes from
 * outside is one of these.
 *
 * Invariants: data[len] is always a NUL byte once anything was added (data may be NULL while the buffer is empty; buf_str
 * gives "" then), so text can be used as a string; len never exceeds max. Bytes beyond max are dropped and `truncated` is set: nothing
 * else happens, and who cares looks at `truncated` (an output that is cut is marked, not an error).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* 0 stands for BUF_MAX_DEFAULT */
	bool truncated;
};

#define BUF_MAX_DEFAULT ((size_t)64 << 20)
#define BUF_INIT { 0 }

/* Life: a zeroed struct is an empty buffer. release frees and makes it empty again; clear keeps the memory. */
void buf_init(struct buf *b, size_t max_bytes);
void buf_release(struct buf *b);
void buf_release_secret(struct buf *b);
void buf_clear(struct buf *b);

/* Adding. Returns true when all of it went in. */
bool buf_add(struct buf *b, const void *bytes, size_t len);
bool buf_adds(struct buf *b, const char *text);
bool buf_addc(struct buf *b, char c);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_vaddf(struct buf *b, const char *fmt, va_list args);

/* Room for `len` more bytes at data + len, to be filled by the caller who then adds to len; fewer when max is near. */
size_t buf_room(struct buf *b, size_t len);

/* Removes bytes from the front. */
void buf_shift(struct buf *b, size_t len);

/* The content as a string (never NULL), and given away: the caller frees; the buffer is empty afterwards. */
const char *buf_str(const struct buf *b);
char *buf_detach(struct buf *b);

/* Equal bytes? */
bool buf_equals(const struct buf *b, const void *bytes, size_t len);

#endif
