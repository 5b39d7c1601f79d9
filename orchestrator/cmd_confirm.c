/*
 * cutover confirm: a person's word about a step, or (--from) a whole sheet of them. Who writes it down is said.h's affair;
 * both sides judge by engine/confirm.h.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "cmd.h"
#include "confirm_sheet.h"
#include "engine/confirm.h"
#include "exit.h"
#include "said.h"
#include "terminal.h"

#include <errno.h>

static enum confirm_result result_of(enum option_result result)
{
	switch (result) {
	case RESULT_OK:
		return CONFIRM_OK;
	case RESULT_WRONG:
		return CONFIRM_WRONG;
	case RESULT_NOT_NEEDED:
		return CONFIRM_NOT_NEEDED;
	case RESULT_NONE:
		break;
	}
	return CONFIRM_RESULTS;
}

static int write_word(struct said *said, struct journal *j, struct journal_reader *reader, struct err *err)
{
	const struct confirm *c = said->arg;
	struct rows rows;
	struct confirmation made = { 0 };
	char *procedure = NULL;
	int rc;

	rows_init(&rows);
	rc = rows_load(&rows, reader, err);
	if (rc == 0)
		rc = said_procedure(reader, c->tenant, &procedure, err);
	if (rc == 0)
		rc = confirm_apply(&rows, c, clock_wall_ms(&clock_system), &made, err);
	for (size_t i = 0; rc == 0 && i < made.n; i++)
		made.entries[i].procedure = procedure;
	if (rc == 0)
		rc = journal_append_now(j, made.entries, made.blobs, made.n, err);
	if (rc == 0)
		said->summary = str_dup(made.summary);
	confirmation_release(&made);
	rows_release(&rows);
	free(procedure);
	return rc;
}

static int say(const struct options *o, struct said *said, const char *evidence_path, struct err *err)
{
	struct confirm c = { .tenant = o->tenant,
			     .step = o->step,
			     .target = o->target,
			     .result = result_of(o->result),
			     .by = o->by,
			     .note = o->note,
			     .os_user = said->os_user,
			     .ssh_origin = said->ssh_origin,
			     .evidence_path = evidence_path };

	said->request = confirm_to_json(&c);
	said->write = write_word;
	said->arg = &c;
	return said_pass_on(said, err);
}

static int confirm_one(const struct options *o, struct err *err)
{
	char *evidence_path = o->evidence_path ? realpath(o->evidence_path, NULL) : NULL;
	struct said said;
	int rc;

	if (o->evidence_path && !evidence_path)
		return err_errno(err, errno, "the evidence %s cannot be read", o->evidence_path);
	said_init(&said, o->state_path);
	rc = say(o, &said, evidence_path, err);
	if (rc == 0)
		terminal_say("%s", said.summary);
	said_release(&said);
	free(evidence_path);
	return rc;
}

int cmd_confirm(const struct options *o)
{
	struct err err = { 0 };
	int rc = o->from_path ? confirm_sheet(o, &err) : confirm_one(o, &err);

	if (rc)
		terminal_error("%s", err.text);
	/* The controller holds the state file and does not answer: the same as a lock. */
	return rc == E_TIMEOUT || rc == E_PROTOCOL ? EXIT_LOCKED : exit_for(rc);
}
