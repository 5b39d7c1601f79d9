/*
 * The resident shell's half on this side: one request at a time, in order (remote/shell.sh is the other half).
 */
#ifndef TRANSPORT_SSH_SHELL_H
#define TRANSPORT_SSH_SHELL_H

#include "transport/ssh_remote.h"

enum {
	SHELL_NOISE_MAX = 256 << 10, /* bytes that are not ours, in a session */
	SHELL_TEXT_MAX = 400,        /* of them, kept for errors */
	KILL_GRACE_MS = 6000,        /* from TERM until it must be over */
};

/* The two halves of a step: sends a request; takes what came on stdout (stream 0) or stderr (1). take: 0, or negative
   when the shell does not keep to the protocol. */
void ssh_shell_begin(struct ssh_shell *shell, struct ssh_request *request);
int ssh_shell_take(struct ssh_shell *shell, int stream, const char *bytes, size_t len, struct err *err);

/* Numbers separated by single blanks, exactly `n` of them, up to the end of the text. */
bool ssh_mark_numbers(const char *text, int64_t *out, int n);

/* The class of what a host says when a file cannot be written. */
int ssh_write_failure(const char *why);

/* What came back, once a request's work has ended with `exit_code`: sets result.failure where it did not succeed. */
void ssh_shell_judge(struct ssh_remote *remote, struct ssh_request *request, bool elevated);

#endif
