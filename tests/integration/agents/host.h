/*
 * A host for one test: a private mount namespace of this machine, in which /etc is an overlay and /opt, /srv, /home,
 * /root, /mnt and cron's spool are new and empty, with a process namespace that holds nothing but the test. It ends with
 * the test's process. Ops are done in it as the transport would do them on a real one, by a shell of choice.
 *
 * Needs root; where namespaces are not to be had, host_possible says why, and the tests are skipped.
 */
#ifndef TESTS_INTEGRATION_AGENTS_HOST_H
#define TESTS_INTEGRATION_AGENTS_HOST_H

#include "base/op.h"

#include <stdbool.h>
#include <sys/types.h>

#define HOST_UID 4000 /* the user imhs, whose client it is */

enum host_shell { HOST_DASH, HOST_BASH, HOST_BUSYBOX }; /* the last with all of BusyBox's tools in front */
#define HOST_SHELLS 3

/* NULL, or why there can be no host here. */
const char *host_possible(void);

/* Makes the host; call it once in a test. False: this machine has no such shell (said on stdout). */
bool host_up(enum host_shell shell);

/* A host without Ruby. */
void host_hide_ruby(void);

/* Files, missing folders are made. Owner (and group of the same number) and mode as given. */
void host_write(const char *path, uid_t uid, mode_t mode, const char *text);
void host_write_bytes(const char *path, uid_t uid, mode_t mode, const void *bytes, size_t len);
void host_append(const char *path, const char *text);
/* The whole file; the caller frees. NULL when it is not there. */
char *host_read(const char *path);
bool host_exists(const char *path);
/* How many names a folder holds, "." and ".." not counted. */
int host_count(const char *folder);

/* Starts a program in the folder as imhs; ends it and waits for it. */
pid_t host_start(const char *folder, const char *const argv[]);
void host_stop(pid_t pid);

/* Does the op and waits for it. */
void host_do(const struct op *op, struct op_result *result);

#endif
