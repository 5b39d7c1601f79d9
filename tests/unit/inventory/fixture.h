/*
 * What the tests of this folder share: inventories from texts in memory, and folders on the disk. In texts, single
 * quotes stand for double ones.
 */
#ifndef TESTS_UNIT_INVENTORY_FIXTURE_H
#define TESTS_UNIT_INVENTORY_FIXTURE_H

#include "tests/lib/unit.h"

#include "inventory/load.h"

#include <sys/stat.h>

struct text_file {
	const char *path; /* absolute, below /m */
	const char *text; /* NULL: reading it fails with E_IO */
};

/* A source over texts; the array ends with a NULL path. */
struct file_source text_source(const struct text_file *files);

/* Loads /m/inv.json: NULL with problems, or the inventory. */
struct inventory *load_texts(const struct text_file *files, struct problems *problems);
struct inventory *load_text(const char *text, struct problems *problems);

/* The same, and it must be valid. */
struct inventory *load_good(const char *text);

/* All problems as people see them, one a line; the caller frees. */
char *problems_text(const struct problems *problems);

/* It must be refused, and `wanted` be part of what is said. */
void refused(const char *text, const char *wanted);

/* An inventory around one tenant: its keys beside id, migration date, windows, new FQDN; and keys of the root. */
char *around(const char *root_keys, const char *tenant_keys);

#define HOST_KEY "'host_key': 'SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8'"

/* A folder of the test's own; its path and name (the caller frees both), and removed with all that is in it. */
char *folder_new(void);
void folder_write(const char *folder, const char *name, mode_t mode, const char *text);
char *folder_path(const char *folder, const char *name);
void folder_remove(char *folder);

/* Single quotes to double ones; the caller frees. */
char *quoted(const char *text);

#endif
