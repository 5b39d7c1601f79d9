/* A folder of its own for each test, a loop, and short ways to say what is said often. */
#ifndef TESTS_UNIT_JOURNAL_FIXTURE_H
#define TESTS_UNIT_JOURNAL_FIXTURE_H

#include "journal/journal.h"
#include "journal/rows.h"
#include "tests/lib/unit.h"

struct fixture {
	char folder[64];
	char *path; /* of the state file, in the folder */
	uv_loop_t loop;
};

void fixture_init(struct fixture *f);
const char *fixture_root(void);

/* Fails where the loop still has a handle. Removes the folder. */
void fixture_release(struct fixture *f);

/* The folder's PATH with something behind it: "-wal". The caller frees. */
char *fixture_beside(const struct fixture *f, const char *suffix);

/* Opens and closes, or fails the test. */
struct journal *must_open(struct fixture *f);
void must_close(struct fixture *f, struct journal *j);
struct journal_reader *must_read(struct fixture *f);

/* An entry of kind note for a tenant. */
struct journal_entry note(const char *tenant, const char *text);

/* Appends one note without a loop running, or fails the test. */
void must_append(struct journal *j, const char *tenant, const char *text);

/* The texts of the entries of a tenant (NULL: all), joined by spaces; the caller frees. */
char *texts(struct journal_reader *r, const char *tenant);

/* Opens, verifies the chains, counts the entries of the file; fails the test when something does not fit. */
uint64_t must_verify(struct fixture *f);

/* Checks that `err` has that code and that its text has `part` in it. */
void expect_err(const struct err *err, int code, const char *part);

/* Runs SQL on the file with a connection of its own, as a stranger would; SQLite's result code. */
int stranger(const char *path, const char *sql);

#endif
