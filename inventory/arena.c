#include "inventory/arena.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>

/* Blocks double from the first to the largest: few tenants cost little, and for many the allocator is asked seldom. */
#define BLOCK_FIRST_BYTES ((size_t)32 << 10)
#define BLOCK_LARGEST_BYTES ((size_t)4 << 20)
#define ALIGN ((size_t)16)

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(16) char bytes[];
};

void arena_release(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;
		free(a->blocks);
		a->blocks = next;
	}
	a->used = 0;
}

static void add_block(struct arena *a, size_t bytes)
{
	size_t size = a->blocks ? 2 * a->blocks->size : BLOCK_FIRST_BYTES;
	struct arena_block *block;

	size = size < BLOCK_LARGEST_BYTES ? size : BLOCK_LARGEST_BYTES;
	size = size > bytes ? size : bytes;
	block = mem_new(1, sizeof(*block) + size);
	block->size = size;
	block->next = a->blocks;
	a->blocks = block;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	char *at;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
		abort();
	bytes = (bytes + ALIGN - 1) & ~(ALIGN - 1);
	if (!a->blocks || a->blocks->size - a->used < bytes)
		add_block(a, bytes);
	at = a->blocks->bytes + a->used;
	a->used += bytes;
	return at;
}

char *arena_ndup(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_alloc(a, len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}

char *arena_dup(struct arena *a, const char *text)
{
	return text ? arena_ndup(a, text, strlen(text)) : NULL;
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *out;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		abort();
	out = arena_alloc(a, (size_t)len + 1, 1);
	va_start(args, fmt);
	vsnprintf(out, (size_t)len + 1, fmt, args);
	va_end(args);
	return out;
}
