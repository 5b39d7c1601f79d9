/*
 * Loading an inventory: reading its files, checking every rule, working in defaults, and the model (model.h) at the end.
 *
 * Problems are collected, not thrown: a syntax error or duplicate key stops a file at its first ("FILE: line N column
 * M: …"); all other problems come together, each with the file, a JSON pointer, tenant and host by name, and a hint.
 * No host is contacted, no secret is resolved (their references are checked: form, and for file: that it exists and that
 * others cannot read it), no database is opened.
 */
#ifndef INVENTORY_LOAD_H
#define INVENTORY_LOAD_H

#include "base/buf.h"
#include "base/err.h"
#include "inventory/model.h"

#define INVENTORY_FILE_MAX_BYTES ((size_t)64 << 20)
#define INVENTORY_DEPTH_MAX 64
#define INVENTORY_PROBLEMS_MAX 200 /* more are counted, not kept */

struct problem {
	char *file;
	char *pointer; /* "/tenants/3/hosts/0/port", "" for the whole file */
	char *subject; /* "tenant acme, host dc1", or "" */
	char *text;    /* one sentence, with the hint */
	int line, column; /* of a syntax error, else 0 */
};

struct problems {
	struct problem *at;
	size_t n;
	size_t dropped;
};

void problems_release(struct problems *p);

/* "FILE: /tenants/3/hosts/0 (tenant acme, host dc1): text" or "FILE: line N column M: text"; the caller frees. */
char *problem_format(const struct problem *p);

/* Where files come from: the disk, or a revision in the state file. */
struct file_source {
	/* Adds the bytes of an absolute path; errors as file_read. */
	int (*read)(void *arg, const char *path, size_t max_bytes, struct buf *out, struct err *err);
	/* Paths that match a glob (absolute), sorted; an empty list is fine. The caller frees strings and array. */
	int (*glob)(void *arg, const char *pattern, struct strings *out, struct err *err);
	void *arg;
	bool is_disk; /* real files: modes and links are checked too */
};

extern const struct file_source file_source_disk;

/* A source over files that were read before: those of a loaded inventory, or of a zeroed struct inventory that
   inventory_add_file filled (and inventory_free releases). It must outlive the source's use and is not to grow then.
   Secret files are not looked at with such a source: they are no part of a revision. */
struct file_source file_source_stored(struct inventory *files);

/* Adds a file to inv->files; path (absolute) and bytes are copied. */
void inventory_add_file(struct inventory *inv, const char *path, const void *bytes, size_t len);

/* Loads. Returns 0 with *out set, or E_INVAL with at least one problem (and *out NULL), or another code with err set
   when the inventory itself could not be read (that is a problem, too, so that one list says it all). */
int inventory_load(const char *path, const struct file_source *source, struct inventory **out, struct problems *problems,
		   struct err *err);

/* The same for somebody who is about to learn host keys: hosts and bastions may be without one, and a known_hosts file need
   not be there yet. */
int inventory_load_unpinned(const char *path, const struct file_source *source, struct inventory **out,
			    struct problems *problems, struct err *err);

#endif
