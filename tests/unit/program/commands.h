#ifndef TESTS_UNIT_PROGRAM_COMMANDS_H
#define TESTS_UNIT_PROGRAM_COMMANDS_H

#include "cmd.h"

/* The function that was called last: "cmd_run". */
extern const char *command_called;

#endif
