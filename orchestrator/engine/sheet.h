/*
 * A filled-in worksheet (report/worksheet.h): many confirmations at once, all or nothing.
 *
 *     bytes ──sheet_read──► struct confirm for each answered row ──sheet_judge──► entries for one append
 *
 * Columns are found by their names in the first line, in any order. `tenant`, `step`, `result` and `by` have to be there;
 * `target`, `note` and `evidence` may be; those that the worksheet has for people (name, owner, state, from, due,
 * instruction) are not read; any other is an error, since it is mostly a typing mistake. A row without a result is not
 * answered yet and is skipped, unless it has a note or evidence: then the result was forgotten. `by` may be left out where
 * the caller has a name for all. Evidence is a path from the sheet's folder.
 *
 * Each row is judged as one confirmation is (confirm.h), against the rows as they stand. A row that says what the journal
 * has already as the last word (result, by, note and evidence the same, and the row where that word brought it) is the same
 * sheet once more and changes nothing. Two rows about one target are an error. All problems are collected, each with its
 * line; with any of them nothing is to be written.
 */
#ifndef ENGINE_SHEET_H
#define ENGINE_SHEET_H

#include "base/csv.h"
#include "engine/confirm.h"

#define SHEET_PROBLEMS_MAX 200	/* told one by one; the rest is counted */
#define SHEET_ROWS_MAX 10000	/* answered */
#define SHEET_EVIDENCE_MAX_BYTES ((size_t)64 << 20) /* of all rows together */

struct sheet_problems {
	char **at; /* "line 7 (acme template-review tenant): …" */
	size_t n, more;
};
void sheet_problem(struct sheet_problems *problems, size_t line, const struct confirm *about, const char *text);
void sheet_problems_release(struct sheet_problems *problems);

/* What was read. Strings belong to this. */
struct sheet {
	struct confirm *at; /* the answered rows, sheet_line says where */
	size_t n;
	size_t unanswered;
	/* its own */
	struct csv csv;
	char **paths;
	size_t paths_n;
	char sha256[SHA256_HEX_MAX];
};

/* `path` is absolute and is journaled with the sheet's hash; os_user, ssh_origin and by (or NULL) are of who hands it in;
   these strings have to live as long. 0 also with problems. E_INVAL, E_LIMIT: it is no sheet. */
int sheet_read(const char *path, const char *bytes, size_t len, const struct confirm *who, struct sheet *out,
	       struct sheet_problems *problems, struct err *err);
void sheet_release(struct sheet *sheet);

/* What to append. entries and blobs as in struct confirmation; run and procedure are set by who appends. */
struct sheet_word {
	struct journal_entry *entries;
	struct journal_blob *blobs;
	size_t n;
	size_t by_result[CONFIRM_RESULTS], same;
	struct confirmation *made;
	size_t made_n;
};

/* Judges all. 0 with or without problems (then there are no entries). `rows` is not changed. */
void sheet_judge(const struct rows *rows, const struct confirm *said, size_t n, int64_t wall_ms, struct sheet_word *out,
		 struct sheet_problems *problems);
void sheet_word_release(struct sheet_word *word);

/* "240 confirmed (ok 200, wrong 3, not-needed 37), 10 were said before"; the caller frees. */
char *sheet_summary(const struct sheet_word *word);

/* The request of the control socket, {"cmd":"confirm-all","rows":[…]}: a new object, NULL: a text is no UTF-8. And back:
   `out` is an array of *n, the caller frees; its strings are those of the request. */
json_t *sheet_to_json(const struct confirm *said, size_t n);
int sheet_from_json(const json_t *request, struct confirm **out, size_t *n, struct err *err);

#endif
