/*
 * shell: a running command of a host, from its start to its being reaped, which may be long after its connection.
 */
#ifndef FLEET_SHELL_H
#define FLEET_SHELL_H

#include "conn.h"

struct shell {
	struct list node; /* in fleet->pids */
	pid_t pid;
	struct host *host;
	char *code_file; /* of a Windows host: see windows.h */
	void *owner; /* NULL when nobody is told of its end */
	void (*ended)(void *owner, int wait_status);
};

/*
 * Runs `command` (NULL: a shell that reads commands from stdin) as the connection's host sees the machine.
 * ours: non-blocking ends of its stdin, stdout and stderr, the caller's from then on.
 * NULL: nothing was started, a message is on stderr.
 * `ended` comes once, from shells_reap(), unless shell_forget() came before.
 */
struct shell *shell_start(struct conn *, const char *command, int ours[3]);

/* Its owner goes; the shell runs on, and its end is logged and counted all the same. */
void shell_forget(struct shell *);

/* SIGCHLD came: reaps all that have ended. */
void shells_reap(struct fleet *);

#endif
