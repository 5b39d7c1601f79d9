/*
 * The files of an inventory, read and parsed: the inventory itself, then its includes in their order, depth first. An
 * include is {"tenants": […]} (perhaps with includes of its own) or one tenant object. Paths start at the file they
 * stand in, and none may leave the inventory's folder, by ".." or by a link. A file that two patterns match is read
 * once; one that includes itself, directly or by others, is an error.
 */
#ifndef INVENTORY_DOCUMENTS_H
#define INVENTORY_DOCUMENTS_H

#include "inventory/loading.h"

#define DOCUMENTS_NESTED_MAX 8
#define DOCUMENTS_TOTAL_MAX_BYTES ((size_t)256 << 20)

struct document {
	const char *path;     /* absolute */
	const char *identity; /* the path with its links resolved */
	json_t *root;
	bool is_tenant;            /* one tenant object; else it may have "tenants" */
	const struct document *by; /* which file includes it; NULL: the inventory */
};

struct documents {
	struct document **at; /* in the load's scratch memory */
	size_t n;
	size_t bytes;
};

/* Reads and parses one file, keeps its bytes in the inventory's files (model.h), and adds a problem where that fails.
 *root is NULL then, and the code is that of the failure. */
int document_read(struct loading *l, const char *path, const struct place *said, json_t **root, struct err *err);

/* The inventory's own file is read; the documents behind its includes are added. E_…: that file cannot be read. */
int documents_open(struct loading *l, const char *path, struct documents *docs, struct err *err);
void documents_include(struct loading *l, struct documents *docs);
void documents_release(struct documents *docs);

/* A path as it is meant: relative to the file `from` (absolute), "." and ".." worked out. The caller frees. */
char *path_from(const char *from, const char *path);
char *path_absolute(const char *path);

/* Its shape and place: an include that is one tenant is one, else an object with "tenants". */
const json_t *document_tenants(const struct document *d, size_t *n);
struct place document_place(const struct document *d);

#endif
