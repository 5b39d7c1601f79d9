/*
 * The writer's half of the journal that says SQL: pieces of work in, one transaction. It belongs to one thread at a
 * time (journal.c's) and knows nothing of threads or of the loop.
 */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include "base/list.h"
#include "journal/chain.h"
#include "journal/journal.h"
#include "journal/place.h"

enum work_kind { WORK_ENTRIES, WORK_RUN, WORK_REVISION };

/* A blob as it is going to be stored; with its hash. Owned. */
struct work_blob {
	void *bytes;
	size_t len;
	bool exact;
	char sha256[SHA256_HEX_MAX];
};

/* A revision; borrowed from the caller, who waits. */
struct work_revision {
	const char *sha256;
	const struct journal_file *files;
	size_t n;
	int64_t wall_ms;
};

/* One piece of work, all or nothing. */
struct work {
	struct list node;
	enum work_kind kind;
	struct journal_append *append; /* NULL: a caller waits for `finished` */
	struct journal_entry *entries; /* copies, already redacted */
	size_t entries_n;
	struct work_blob *blobs;
	size_t blobs_n;
	const struct work_revision *revision;
	int64_t number; /* of the run or the revision */
	int status;
	bool finished;
};

struct work *work_new(enum work_kind kind);
void work_free(struct work *work);

/* Copies in, redacting. blobs may be NULL; blobs[i] belongs to entries[i] and sets its blob_sha256. */
void work_add_entries(struct work *work, const struct journal_entry *entries, const struct journal_blob *blobs,
		      size_t n);
void work_add_blobs(struct work *work, const struct journal_blob *blobs, size_t n);

struct writer {
	sqlite3 *db;
	sqlite3_stmt *insert_entry, *insert_blob, *last_hash, *last_run, *find_revision, *insert_revision, *insert_file;
	int64_t next_seq;
	struct map heads; /* chain_head_add */
	struct buf scratch;
};

/* The file has to be there. */
int writer_open(struct writer *writer, const struct place *place, struct err *err);

/* Empties the log into the database where no reader is in the way, and closes. */
void writer_close(struct writer *writer);

/* All of `works` (a list of struct work) in one transaction, which is durable when 0 is returned. Otherwise nothing is
   stored, and the writer must not be used but for writer_close. */
int writer_commit(struct writer *writer, struct list *works, uint64_t *entries, struct err *err);

#endif
