/*
 * A filled-in worksheet: read, judged against the state file as it is (so that all that is wrong is told at once, whoever
 * is to write it down), then passed on whole. Who writes it judges again: the file may have moved on meanwhile.
 */
#include "confirm_sheet.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "engine/sheet.h"
#include "said.h"
#include "terminal.h"

#include <errno.h>

#define DEADLINE_MS 60000 /* thousands of rows with their evidence */

struct work {
	const char *name; /* as the operator typed it */
	struct sheet sheet;
	struct sheet_problems problems;
};

static int refuse(const struct work *w, struct err *err)
{
	for (size_t i = 0; i < w->problems.n; i++)
		terminal_say("%s: %s", w->name, w->problems.at[i]);
	return err_set(err, E_INVAL, "%s: nothing was written, %zu of its rows cannot be taken", w->name,
		       w->problems.n + w->problems.more);
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static int judge(struct work *w, struct journal_reader *reader, struct sheet_word *word, struct rows *rows, struct err *err)
{
	int rc = rows_load(rows, reader, err);

	if (rc == 0)
		sheet_judge(rows, w->sheet.at, w->sheet.n, clock_wall_ms(&clock_system), word, &w->problems);
	return rc;
}

static int judge_first(const struct options *o, struct work *w, struct err *err)
{
	struct journal_reader *reader;
	struct sheet_word word = { 0 };
	struct rows rows;
	int rc = journal_reader_open(o->state_path, &reader, err);

	if (rc)
		return rc;
	rows_init(&rows);
	rc = judge(w, reader, &word, &rows, err);
	sheet_word_release(&word);
	rows_release(&rows);
	journal_reader_close(reader);
	return rc || !w->problems.n ? rc : refuse(w, err);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int write_all(struct said *said, struct journal *j, struct journal_reader *reader, struct err *err)
{
	struct work *w = said->arg;
	struct sheet_word word = { 0 };
	char *procedure = NULL;
	struct rows rows;
	int rc;

	rows_init(&rows);
	rc = judge(w, reader, &word, &rows, err);
	if (rc == 0 && w->problems.n)
		rc = refuse(w, err);
	if (rc == 0)
		rc = said_procedure(reader, NULL, &procedure, err);
	for (size_t i = 0; rc == 0 && i < word.n; i++)
		word.entries[i].procedure = procedure;
	if (rc == 0 && word.n)
		rc = journal_append_now(j, word.entries, word.blobs, word.n, err);
	if (rc == 0)
		said->summary = sheet_summary(&word);
	sheet_word_release(&word);
	rows_release(&rows);
	free(procedure);
	return rc;
}

/* The controller's own rows were newer than what was judged first. */
static void take_problems(struct work *w, const json_t *answer)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "problems"), i, one)
		if (json_is_string(one))
			terminal_say("%s: %s", w->name, json_string_value(one));
}

static int pass_on(const struct options *o, struct work *w, struct said *said, struct err *err)
{
	int rc = judge_first(o, w, err);

	if (rc)
		return rc;
	said->deadline_ms = DEADLINE_MS;
	said->request = sheet_to_json(w->sheet.at, w->sheet.n);
	said->write = write_all;
	said->arg = w;
	rc = said_pass_on(said, err);
	if (rc)
		take_problems(w, said->answer);
	return rc;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int read_sheet(const struct options *o, const char *path, const struct said *said, struct work *w, struct err *err)
{
	struct confirm who = { .by = o->by, .os_user = said->os_user, .ssh_origin = said->ssh_origin };
	struct buf bytes = { .max = CSV_MAX_BYTES };
	struct err why = { 0 };
	int rc = file_read(path, CSV_MAX_BYTES, &bytes, err);

	if (rc == 0) {
		rc = sheet_read(path, buf_str(&bytes), bytes.len, &who, &w->sheet, &w->problems, &why);
		if (rc)
			err_set(err, rc, "%s: %s", w->name, why.text);
	}
	buf_release(&bytes);
	return rc;
}

static void tell(const struct work *w, const struct said *said)
{
	if (w->sheet.unanswered)
		terminal_say("%s: %s; %zu rows have no result yet", w->name, said->summary, w->sheet.unanswered);
	else
		terminal_say("%s: %s", w->name, said->summary);
}

int confirm_sheet(const struct options *o, struct err *err)
{
	struct work w = { .name = o->from_path };
	char *path = realpath(o->from_path, NULL);
	struct said said;
	int rc;

	if (!path)
		return err_errno(err, errno, "the sheet %s cannot be read", o->from_path);
	said_init(&said, o->state_path);
	rc = read_sheet(o, path, &said, &w, err);
	if (rc == 0)
		rc = pass_on(o, &w, &said, err);
	if (rc == 0)
		tell(&w, &said);
	sheet_release(&w.sheet);
	sheet_problems_release(&w.problems);
	said_release(&said);
	free(path);
	return rc;
}
