/*
 * What a person said, on its way into the state file: while a controller runs it is told by the control socket, so that it
 * reacts at once; else it is written here. Used by `confirm`, for one word and for a whole sheet.
 */
#ifndef ORCHESTRATOR_SAID_H
#define ORCHESTRATOR_SAID_H

#include "base/err.h"
#include "journal/journal.h"

#include <jansson.h>

#define SAID_DEADLINE_MS 5000 /* for one word: a controller answers within a turn of its loop */

struct said {
	const char *state_path;
	int deadline_ms;
	json_t *request; /* for the controller; NULL: a text of it is no UTF-8. Its own */
	/* Judges and writes where no controller runs; sets summary. */
	int (*write)(struct said *said, struct journal *journal, struct journal_reader *reader, struct err *err);
	void *arg;
	/* What came of it. */
	char *summary;	/* one sentence, after 0 */
	json_t *answer; /* the controller's, whether it took it or not; or NULL */
	/* Who is at the keyboard, and where from (or NULL). */
	char *os_user, *ssh_origin;
};

void said_init(struct said *said, const char *state_path);
void said_release(struct said *said);

/* 0: it is in the journal. E_TIMEOUT, E_PROTOCOL: the controller that runs did not answer, and nothing is known. Else nothing
   was written: the controller's refusal, or that of `write`. */
int said_pass_on(struct said *said, struct err *err);

/* The procedure that the tenant's entries (NULL: the file's) are of; the caller frees. */
int said_procedure(struct journal_reader *reader, const char *tenant, char **name, struct err *err);

#endif
