/*
 * What tasklist.exe says with /fo csv /nh: `"NAME.exe","PID",…`, a line for each process. Where there is none it says
 * so in a sentence, in the machine's language, and ends with 0 all the same: a line that does not begin with a quote is
 * no process. Pure.
 */
#ifndef AGENTS_WIN_TASKLIST_H
#define AGENTS_WIN_TASKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TASK_NAME_MAX 260

struct tasklist_process {
	char name[TASK_NAME_MAX]; /* of its program; bytes in the host's code page */
	uint32_t pid;
};

/* The next process from *at on; false at the end. */
bool tasklist_next(const char *text, size_t len, size_t *at, struct tasklist_process *out);

#endif
