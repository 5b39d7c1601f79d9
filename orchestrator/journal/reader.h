/* The inside of a journal_reader, for the files of this folder. */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include "journal/chain.h"
#include "journal/journal.h"
#include "journal/sql.h"

struct journal_reader {
	sqlite3 *db;
	struct place place;
	sqlite3_stmt *read_all, *read_tenant, *last_seq, *blob, *revision, *files; /* made when first used, and kept */
};

int reader_fail(struct journal_reader *reader, int rc, struct err *err);

#endif
