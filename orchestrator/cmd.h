/*
 * A command's side of the command line: what it is handed (struct options, checked and typed by opt.h) and what it gives
 * back (an exit code of exit.h). One file a command, cmd_NAME.c. A command says what it has to say itself: human text
 * by terminal_say (stderr), machine output by terminal_put (stdout).
 */
#ifndef ORCHESTRATOR_CMD_H
#define ORCHESTRATOR_CMD_H

#include "base/err.h"
#include "base/log.h"
#include "inventory/select.h"

#include <stdbool.h>

enum option_lang { LANG_EN, LANG_JA };

/* Bits of --format. */
enum option_format { FORMAT_TEXT = 1, FORMAT_JSON = 2, FORMAT_CSV = 4, FORMAT_HTML = 8, FORMAT_EVIDENCE = 16 };

enum option_owner { OWNER_ANY, OWNER_US, OWNER_CUSTOMER, OWNER_ISP };

enum option_result { RESULT_NONE, RESULT_OK, RESULT_WRONG, RESULT_NOT_NEEDED };

#define CONCURRENCY_MAX 10000

/* What was asked. Made by opt_parse, released by options_release; strings are its own. A field that does not belong to
   the command is zero (NULL, false); so is one that was not given, unless its comment says otherwise. */
struct options {
	/* Arguments. */
	char *inventory; /* validate, plan, run: a path as it was given */
	char *tenant;	 /* status, why, report, confirm. rollback's TENANT is in selection.tenants */
	char *step;	 /* confirm */

	/* What all commands that look at the fleet or at the journal take. */
	char *state_path;  /* never NULL: --state, else CUTOVER_STATE, else cutover.db in the inventory's folder, else in the
			      current one */
	bool state_given;  /* by --state or CUTOVER_STATE */
	enum log_level log_level; /* LOG_WARN unless given */
	bool no_color;	   /* --no-color, or NO_COLOR is set and not empty */
	enum option_lang lang;

	/* plan, run, resume, rollback. */
	struct selection selection;
	bool selection_given; /* at least one filter (or rollback's TENANT) was given */
	int concurrency;      /* 1 … CONCURRENCY_MAX; 0: not given */
	bool wait;
	bool yes;
	char *events_path;
	bool detailed_exitcode; /* plan */
	char *learn_keys;	/* plan */

	/* validate --show, status --watch, plan and report --out, report --format. */
	char *show;
	bool watch;
	char *out_dir;
	unsigned formats; /* bits of enum option_format; FORMAT_TEXT unless given */

	/* todo, worksheet. */
	enum option_owner owner;
	bool json, csv;

	/* confirm. */
	char *target; /* NULL: the step's only one */
	enum option_result result;
	char *by;
	char *note;
	char *evidence_path;
	char *from_path; /* a sheet of them: then none of the others is given, but perhaps `by` */
};

int cmd_validate(const struct options *o);
int cmd_plan(const struct options *o);
/* plan --learn-keys. */
int cmd_learn(const struct options *o);
int cmd_run(const struct options *o);
int cmd_resume(const struct options *o);
int cmd_status(const struct options *o);
int cmd_why(const struct options *o);
int cmd_todo(const struct options *o);
int cmd_worksheet(const struct options *o);
int cmd_confirm(const struct options *o);
int cmd_rollback(const struct options *o);
int cmd_report(const struct options *o);

#endif
