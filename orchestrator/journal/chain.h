/*
 * An entry as a row of columns, and the chain of hashes through them. The columns are listed once (entry_columns), so
 * that what is bound, what is read and what is hashed cannot differ. The encoding that is hashed is described in
 * schema/sql/0001_journal.sql, for auditors.
 */
#ifndef JOURNAL_CHAIN_H
#define JOURNAL_CHAIN_H

#include "base/buf.h"
#include "base/map.h"
#include "journal/journal.h"

#include <sqlite3.h>

#define ENTRY_COLUMNS 22
#define ENTRY_COLUMN_NAMES                                                                                             \
	"seq,run,wall_ms,kind,procedure,tenant,step,target,action,item,attempt,from_state,to_state,code,text,"         \
	"until_ms,exit_code,elapsed_ms,data,blob_sha256,prev_hash,hash"

/* A column's value: a text, or a number where text is NULL. */
struct entry_column {
	const char *text;
	int64_t number;
};

/* The columns in the order of the table. */
void entry_columns(const struct journal_entry *entry, struct entry_column out[ENTRY_COLUMNS]);

/* Binds all columns to ?1 … ?22. The texts must live until the statement is reset. SQLITE_OK or SQLite's error. */
int entry_bind(sqlite3_stmt *stmt, const struct journal_entry *entry);

/* Reads the columns of a row; its texts live until the next step. E_CORRUPT: a kind that is none. */
int entry_read(sqlite3_stmt *stmt, struct journal_entry *entry, struct err *err);

/* The hash of an entry, whose prev_hash and all else is set. `scratch` is a buffer that is used again and again. */
const char *entry_hash(const struct journal_entry *entry, struct buf *scratch, char out[SHA256_HEX_MAX]);

/* Adds one value as a netstring: "5:hello,". */
void chain_add_bytes(struct buf *out, const void *bytes, size_t len);
void chain_add_number(struct buf *out, int64_t number);

/* The data of the note that goes with a revision: it names the revision and the hash of its files (their paths and
   bytes as netstrings). */
void chain_revision_data(struct buf *out, int64_t number, const char *sha256, const struct journal_file *files,
			 size_t n);

/* The last hash of each tenant, by its name: map_get(heads, tenant) is a char[SHA256_HEX_MAX]. chain_head_add makes one
   that is "". */
char *chain_head_add(struct map *heads, const char *tenant);
void chain_heads_release(struct map *heads);

#endif
