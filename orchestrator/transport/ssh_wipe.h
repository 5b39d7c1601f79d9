/*
 * Memory for a libssh2 session that a password passes through: overwritten before it is freed, since the library does not
 * (it keeps answers to questions, and packets, in what it allocates).
 */
#ifndef TRANSPORT_SSH_WIPE_H
#define TRANSPORT_SSH_WIPE_H

#include <libssh2.h>

LIBSSH2_ALLOC_FUNC(ssh_wipe_alloc);
LIBSSH2_FREE_FUNC(ssh_wipe_free);
LIBSSH2_REALLOC_FUNC(ssh_wipe_realloc);

#endif
