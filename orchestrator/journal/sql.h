/*
 * What is said to SQLite by all files of this folder: opening a connection the one right way, running a statement, and
 * turning SQLite's result codes into ours.
 */
#ifndef JOURNAL_SQL_H
#define JOURNAL_SQL_H

#include "base/embed.h"
#include "base/err.h"
#include "journal/place.h"

#include <sqlite3.h>

/* Opens the one writing connection: the file must be there. WAL, synchronous=FULL and no mmap are set and read back.
   The caller closes with sql_close. Errors as journal_open. */
int sql_open_writer(const struct place *place, sqlite3 **db, struct err *err);

/* Opens a reading connection, which never writes and never checkpoints. */
int sql_open_reader(const struct place *place, sqlite3 **db, struct err *err);

/* Makes a new state file, all of it or nothing: under another name, then renamed. */
int sql_create(const struct place *place, struct err *err);

/* Does the migrations of `table` that the file does not have, in one transaction. Only a `fresh` file may hold nothing.
   E_NEWER, E_CORRUPT (another program's file). */
int sql_migrate(sqlite3 *db, const struct embedded *table, bool fresh, struct err *err);

/* Is it a state file of the version that this program knows? `table` as above. */
int sql_check_version(sqlite3 *db, const struct embedded *table, struct err *err);

void sql_close(sqlite3 *db);

/* Sets err from the connection's last error; `rc` is the result code at hand, `what` begins the sentence. */
int sql_fail(sqlite3 *db, int rc, const char *what, struct err *err);

/* Runs SQL that gives no rows. */
int sql_exec(sqlite3 *db, const char *sql, struct err *err);

/* Runs a statement that gives one number. */
int sql_number(sqlite3 *db, const char *sql, sqlite3_int64 *number, struct err *err);

/* Prepares into *stmt where that is NULL; else resets it and unbinds. */
int sql_prepare(sqlite3 *db, sqlite3_stmt **stmt, const char *sql, struct err *err);

#endif
