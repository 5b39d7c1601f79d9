#include "base/buf.h"

#include "base/alloc.h"

static size_t limit_of(const struct buf *b)
{
	return b->max ? b->max : BUF_MAX_DEFAULT;
}

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_release(struct buf *b)
{
	size_t max = b->max;

	free(b->data);
	buf_init(b, max);
}

void buf_release_secret(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->truncated = false;
	if (b->data)
		b->data[0] = '\0';
}

size_t buf_room(struct buf *b, size_t len)
{
	size_t left = limit_of(b) - b->len;
	size_t cap = b->cap ? b->cap : 64;

	if (len > left)
		len = left;
	if (b->len + len + 1 <= b->cap)
		return len;
	while (cap < b->len + len + 1)
		cap *= 2;
	b->data = mem_grow(b->data, cap, 1);
	b->cap = cap;
	b->data[b->len] = '\0';
	return len;
}

bool buf_add(struct buf *b, const void *bytes, size_t len)
{
	size_t room = buf_room(b, len);

	if (room)
		memcpy(b->data + b->len, bytes, room);
	b->len += room;
	if (b->data)
		b->data[b->len] = '\0';
	if (room < len)
		b->truncated = true;
	return room == len;
}

bool buf_adds(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

bool buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool buf_vaddf(struct buf *b, const char *fmt, va_list args)
{
	char *text = NULL;
	bool all;

	if (vasprintf(&text, fmt, args) < 0)
		abort();
	all = buf_adds(b, text);
	free(text);
	return all;
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	bool all;

	va_start(args, fmt);
	all = buf_vaddf(b, fmt, args);
	va_end(args);
	return all;
}

void buf_shift(struct buf *b, size_t len)
{
	if (!len)
		return;
	memmove(b->data, b->data + len, b->len - len + 1);
	b->len -= len;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_detach(struct buf *b)
{
	char *data = b->data ? b->data : str_dup("");

	b->data = NULL;
	buf_release(b);
	return data;
}

bool buf_equals(const struct buf *b, const void *bytes, size_t len)
{
	return b->len == len && (!len || memcmp(b->data, bytes, len) == 0);
}
