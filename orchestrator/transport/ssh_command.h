/*
 * A connection that a command makes (`via` {command}): /bin/sh -c COMMAND, run here, whose stdin and stdout are the
 * connection. It leads a session and a process group of its own (no terminal's signals reach it), has to stay in the
 * foreground, and is ended with the connection: SIGTERM to the group, SIGKILL after COMMAND_TERM_MS. What it writes to
 * stderr is read and thrown away, but for the last line.
 *
 * In the command %h stands for the host's address, %p for its port, %r for the user, %% for %, as in ssh_config(5)
 * ProxyCommand. The address comes from the inventory, may hold letters, digits and . : _ - only where it is used, and
 * must not begin with -, so that no shell and no option can come of it.
 */
#ifndef TRANSPORT_SSH_COMMAND_H
#define TRANSPORT_SSH_COMMAND_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>
#include <uv.h>

enum { COMMAND_PATIENCE_MS = 300, COMMAND_TERM_MS = 2000 };

struct ssh_command {
	uv_process_t process;
	uv_pipe_t errors;
	uv_timer_t timer;
	int handles;  /* not yet closed */
	bool running, ending;
	int64_t exit_code;
	int signal;
	char line[200]; /* the last line of its stderr, printable */
	size_t line_len;
	bool line_ended;
	char bytes[4096]; /* read into */
	void (*gone)(void *arg);
	void *arg;
};

/* The command with its %-signs replaced. E_INVAL: an unknown one, or an address that cannot stand in a command. */
int ssh_command_expand(const char *command, const char *address, int port, const char *user, struct buf *out,
		       struct err *err);

/* *fd: our end of the connection, non-blocking, the caller's. gone(arg) comes once, behind ssh_command_end, when nothing
   of it is left but the memory. On an error nothing was started. */
int ssh_command_start(uv_loop_t *loop, const char *command, struct ssh_command **out, int *fd, void (*gone)(void *arg),
		      void *arg, struct err *err);

/* Ends it. by_itself: its stdout has ended, so it may be about to exit and is left COMMAND_PATIENCE_MS for that. Once. */
void ssh_command_end(struct ssh_command *command, bool by_itself);

static inline bool ssh_command_is_ending(const struct ssh_command *command)
{
	return command->ending;
}

static inline bool ssh_command_is_gone(const struct ssh_command *command)
{
	return !command->handles;
}

/* After gone: how it ended and what it said last, behind the sentence in *err. */
void ssh_command_explain(const struct ssh_command *command, struct err *err);

#endif
