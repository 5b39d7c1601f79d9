/*
 * The commands of the table, so that the command line can be tested without the engine: each notes that it was called.
 */
#include "tests/unit/program/commands.h"

const char *command_called;

#define COMMAND(name)                                                                                                  \
	int name(const struct options *o)                                                                              \
	{                                                                                                              \
		command_called = o ? #name : NULL;                                                                     \
		return 0;                                                                                              \
	}

COMMAND(cmd_validate)
COMMAND(cmd_plan)
COMMAND(cmd_run)
COMMAND(cmd_resume)
COMMAND(cmd_status)
COMMAND(cmd_why)
COMMAND(cmd_todo)
COMMAND(cmd_worksheet)
COMMAND(cmd_confirm)
COMMAND(cmd_rollback)
COMMAND(cmd_report)
