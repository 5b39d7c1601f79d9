/* Processes of the tests: a function run in a child, which says what it did by lines in a pipe. */
#ifndef TESTS_UNIT_JOURNAL_CHILD_H
#define TESTS_UNIT_JOURNAL_CHILD_H

#include <sys/types.h>

struct child {
	pid_t pid;
	int from; /* the child's words */
	int to;   /* closed by the parent: the child's stdin ends */
};

/* Runs fn(arg) in a child; its return value is the exit status. fd 1 of the child is the pipe, fd 0 waits for the
 * parent. */
void child_start(struct child *c, int (*fn)(void *arg), void *arg);

/* Reads one byte, -1 at the end. */
int child_byte(struct child *c);

/* Kills it with SIGKILL, or lets it end; the status as of waitpid. */
int child_kill(struct child *c);
int child_end(struct child *c);

/* In the child: blocks until the parent lets it end. */
void child_wait(void);

#endif
