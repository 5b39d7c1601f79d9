/*
 * Files that are inside the program (deploy/cmake/embed.cmake): procedures, profiles, SQL, the scripts that run on a
 * host. Each layer has one table, `extern const struct embedded embedded_LAYER[]`, that ends with a row whose name is
 * NULL. data is followed by a NUL byte that len does not count.
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include <stddef.h>

struct embedded {
	const char *name; /* the file's name without its folder: "hes-1-to-2.json" */
	const char *data;
	size_t len;
};

/* The row of that name, or NULL. */
const struct embedded *embedded_find(const struct embedded *table, const char *name);

#endif
