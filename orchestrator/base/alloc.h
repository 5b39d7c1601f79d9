/*
 * Memory. An allocation that fails ends the program with a message: the journal makes that safe, and no caller has to
 * carry a path that is never tested. What comes from outside is bounded by its buffer (base/buf.h), not by malloc.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* Zeroed memory; never NULL. */
void *mem_new(size_t n, size_t size);
#define NEW(type) ((type *)mem_new(1, sizeof(type)))
#define NEW_N(type, n) ((type *)mem_new((n), sizeof(type)))

/* Grows an array; old bytes stay, new ones are not set. Never NULL. */
void *mem_grow(void *ptr, size_t n, size_t size);

/* Makes room for one more element in an array of `n`: doubles at powers of two. `array` is the array itself. */
#define GROW_FOR_ONE(array, n)                                                                                         \
	do {                                                                                                           \
		if (((n) & ((n) - 1)) == 0)                                                                            \
			(array) = mem_grow((array), (n) ? 2 * (size_t)(n) : 1, sizeof(*(array)));                      \
	} while (0)

/* Copies of strings; NULL gives NULL. */
char *str_dup(const char *text);
char *str_ndup(const char *text, size_t len);
char *str_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Overwrites before it frees: for secrets. NULL is fine. */
void mem_free_secret(void *ptr, size_t len);
void str_free_secret(char *text);

/* The object that a member is embedded in. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof(*(array)))

#endif
