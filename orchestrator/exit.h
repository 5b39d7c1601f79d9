/*
 * The exit codes: what scripts go by. They are fixed; adding one is a line in the changelog. `run` and `resume` tell by
 * them how the rows stand; `validate`, `status`, `why`, `todo`, `report` give EXIT_DONE when they could answer, whatever the
 * answer is; `plan` gives EXIT_FAILED for what it could not look at or found drifted, never EXIT_WAITING or EXIT_PERSON;
 * `rollback` gives EXIT_DONE when all that was selected is back.
 */
#ifndef ORCHESTRATOR_EXIT_H
#define ORCHESTRATOR_EXIT_H

#include <stddef.h>

enum exit_code {
	EXIT_DONE = 0,	    /* all that was asked is done and verified; plan: looked at everything */
	EXIT_FAILED = 1,    /* at least one target failed, drifted, is unreachable, indeterminate or was rolled back */
	EXIT_USAGE = 2,	    /* bad usage, or a bad inventory, plan or state file */
	EXIT_THRESHOLD = 3, /* stopped by a failure threshold */
	EXIT_STOPPED = 4,   /* stopped by the operator; `resume` goes on */
	EXIT_WAITING = 5,   /* nothing failed, work is left that has to wait */
	EXIT_LOCKED = 6,    /* another controller holds the state file */
	EXIT_PERSON = 7,    /* nothing failed, a person is waited for */
	EXIT_CHANGES = 10,  /* only plan --detailed-exitcode: there are changes to make */
	EXIT_BUG = 70,	    /* a fault of the program itself */
};

/* The one that applies where several do: the first of 70, 2, 6, 4, 3, 1, 5, 7, 10, 0 that is among them. None: EXIT_DONE.
   A number that is no exit code is a fault of the program: EXIT_BUG. */
int exit_worst(const int *codes, size_t n);

/* What a command ends with that could not do its work: by the code of the error (base/err.h). E_LOCKED is EXIT_LOCKED,
   E_BUG is EXIT_BUG, E_CANCELED is EXIT_STOPPED; all else is about what the command was given, EXIT_USAGE. 0 is EXIT_DONE. */
int exit_for(int err_code);

/* The row of the man page: "all that was asked is done and verified". NULL for what is no exit code. */
const char *exit_meaning(int code);

#endif
