/*
 * A command on a channel of its own, and killers, which end such a command or one of the shell's from another channel
 * (only /bin/sh needs them). What is common to the kinds of shell is in ssh_exec.c: how many at a time, the marks,
 * deadlines, how it ends.
 *
 *	stderr: @N X start …, the command's stderr, @N X exit CODE, or @N X fail write WHY
 *	stdout: @N X begin, the command's stdout, @N X out
 */
#ifndef TRANSPORT_SSH_EXEC_H
#define TRANSPORT_SSH_EXEC_H

#include "transport/ssh_shell.h"

struct ssh_exec {
	struct list node;
	struct ssh_remote *remote;
	struct ssh_channel channel;
	struct ssh_request *request; /* NULL: a killer, or it has its result and the channel is being closed */
	struct ssh_marks marks[2];   /* stdout, stderr */
	struct err *err;
	bool killer, elevated, killed;
	bool begun;             /* the start mark */
	bool exited, out_ended; /* the marks at the end of stderr and of stdout */
	bool refused;           /* it could not begin on the host: */
	char why[160];
	int64_t pid, group; /* /bin/sh */
	void *priv;         /* the kind's */
	int64_t until_ms;   /* kill grace; closing; a killer's whole life */
};

/* A killer: the caller writes to its channel what it does, and starts it. */
struct ssh_exec *ssh_exec_killer(struct ssh_remote *remote);

/* It cannot be done: the request ends so, the channel is closed. */
void ssh_exec_give_up(struct ssh_exec *x, int code, const char *text);

/* The class of what a host says when a file cannot be written. */
int ssh_write_failure(const char *why);

#endif
