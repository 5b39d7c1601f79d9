/*
 * The resident /bin/sh's half on this side: one request at a time, in order (remote/shell.sh is the other half).
 */
#ifndef TRANSPORT_SSH_POSIX_H
#define TRANSPORT_SSH_POSIX_H

#include "transport/ssh_shell.h"

struct posix_shell;

/* The two halves of a step: sends a request; takes what came on stdout (stream 0) or stderr (1). take: 0, or negative
   when the shell does not keep to the protocol. */
void posix_shell_begin(struct posix_shell *shell, struct ssh_request *request);
int posix_shell_take(struct posix_shell *shell, int stream, const char *bytes, size_t len, struct err *err);
struct posix_shell *posix_shell_of(struct ssh_shell *shell);
const char *posix_shell_folder(const struct posix_shell *shell);

#endif
