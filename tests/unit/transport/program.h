/*
 * Running a program from a test: ssh-keygen, a shell. No shell in between.
 */
#ifndef TESTS_UNIT_TRANSPORT_PROGRAM_H
#define TESTS_UNIT_TRANSPORT_PROGRAM_H

#include "base/buf.h"

#include <stdbool.h>
#include <sys/types.h>

/* Is there such a program on PATH? */
bool program_exists(const char *name);

/* Runs argv to its end with `input` as stdin; its stdout is added to `out` (may be NULL). The exit code; 128 + signal. */
int program_run(const char *const *argv, const struct buf *input, struct buf *out);

/* A new folder, and it with all that is in it gone. */
char *folder_make(void);
void folder_remove(char *folder);

#endif
