#include "base/alloc.h"

#include <stdarg.h>
#include <unistd.h>

static void out_of_memory(void)
{
	static const char text[] = "cutover: out of memory; `cutover run` again goes on where it stopped\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(70);
	abort();
}

void *mem_new(size_t n, size_t size)
{
	void *ptr = calloc(n ? n : 1, size ? size : 1);

	if (!ptr)
		out_of_memory();
	return ptr;
}

void *mem_grow(void *ptr, size_t n, size_t size)
{
	void *grown = reallocarray(ptr, n ? n : 1, size ? size : 1);

	if (!grown)
		out_of_memory();
	return grown;
}

char *str_dup(const char *text)
{
	return text ? str_ndup(text, strlen(text)) : NULL;
}

char *str_ndup(const char *text, size_t len)
{
	char *copy = mem_new(len + 1, 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

char *str_fmt(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		out_of_memory();
	va_end(args);
	return text;
}

void mem_free_secret(void *ptr, size_t len)
{
	if (ptr)
		explicit_bzero(ptr, len);
	free(ptr);
}

void str_free_secret(char *text)
{
	mem_free_secret(text, text ? strlen(text) : 0);
}
