/*
 * A person's word about a row: `cutover confirm`. It becomes a `person` entry (who, what, why, the evidence) and the
 * `state` entries that follow from it. confirm_apply only judges and writes them down; whoever holds the journal appends
 * them: a running controller when its control socket asks, else the command itself.
 *
 *   result       from                                                      to
 *   ok           needs_person, failed, drift, unreachable, and blocked     confirmed
 *                (over pending and needs_person: done by hand, or early)
 *   not-needed   the same, and pending, waiting (over pending)             not_applicable
 *   wrong        needs_person                                              failed
 *
 * ok does not count for a step of phase ready before the vendor's data migration: what was looked at or set then is of the
 * old service, or is overwritten (vendor's steps 6 and 7; steps 2 and 5 are done in the new console). It is refused, by what
 * the journal's notes say of the tenant and the procedure; a word that is in the journal already is taken back by the next
 * run when the date was moved (people.c).
 *
 * Nothing is confirmed while something that was taken down for it is not up again (an open debt): what a person says of
 * the value says nothing of that.
 */
#ifndef ENGINE_CONFIRM_H
#define ENGINE_CONFIRM_H

#include "base/buf.h"
#include "journal/rows.h"

#include <jansson.h>

#define CONFIRM_EVIDENCE_MAX_BYTES ((size_t)8 << 20)
#define CONFIRM_NAME_MAX_BYTES 200
#define CONFIRM_NOTE_MAX_BYTES 2000
#define CONFIRM_ENTRIES_MAX 4

enum confirm_result { CONFIRM_OK, CONFIRM_WRONG, CONFIRM_NOT_NEEDED, CONFIRM_RESULTS };

/* "ok", "wrong", "not-needed". */
const char *confirm_result_name(enum confirm_result result);

/* What is said. Strings are the caller's; NULL where nothing was said. */
struct confirm {
	const char *tenant, *step;
	const char *target; /* NULL: the step's only one */
	enum confirm_result result;
	const char *by;		   /* UTF-8, CONFIRM_NAME_MAX_BYTES */
	const char *note;	   /* UTF-8, CONFIRM_NOTE_MAX_BYTES; or NULL */
	const char *os_user;	   /* who is logged in here */
	const char *ssh_origin;	   /* where from (SSH_CONNECTION), or NULL */
	const char *evidence_path; /* absolute, or NULL */
	/* Of the worksheet that it stands in (sheet.h): absolute path, hash and line; or NULL and 0. */
	const char *sheet_path, *sheet_sha256;
	int sheet_line;
};

/* Is a word of that time about a step of that phase too early to count? migration_ms 0: the date is not known. */
bool confirm_is_early(enum phase phase, int64_t migration_ms, int64_t said_ms);

/* As a request of the control socket ({"cmd":"confirm",…}); a new object. NULL: a text is no UTF-8. And back: the strings
   are those of `request`, which must live as long. E_INVAL names what is missing or of the wrong type. */
json_t *confirm_to_json(const struct confirm *c);
int confirm_from_json(const json_t *request, struct confirm *c, struct err *err);

/* What to append: entries[0 … n), with blobs[i] for entries[i], in one append. procedure and run are NULL and 0: set by
   who appends. All else belongs to this struct and lives until confirmation_release. */
struct confirmation {
	struct journal_entry entries[CONFIRM_ENTRIES_MAX];
	struct journal_blob blobs[CONFIRM_ENTRIES_MAX];
	size_t n;
	char *summary; /* one sentence for who asked */
	/* its own */
	char *state_text, *data;
	struct buf evidence;
};

/* Judges. 0, or E_NOTFOUND (no such tenant, step or target: the text lists what there is), E_INVAL (several targets, a row
   in another state, an open debt, a text that is too long), or why the evidence could not be read. `rows` is not changed. */
int confirm_apply(const struct rows *rows, const struct confirm *c, int64_t wall_ms, struct confirmation *out,
		  struct err *err);

/* The row that it is about; errors as confirm_apply. */
int confirm_row(const struct rows *rows, const struct confirm *c, const struct row **out, struct err *err);

/* Is it the word that was said last of the row (result, by, note, evidence), and is the row where that brought it? Evidence
   that cannot be read any more counts by its path: the journal has it. */
bool confirm_is_said(const struct row *row, const struct confirm *c);

void confirmation_release(struct confirmation *c);

#endif
