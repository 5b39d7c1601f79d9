/*
 * One run of ssh-add, which puts one key into the private ssh-agent. Used by ssh_keyholder.c only, which says what is kept
 * secret and how.
 */
#ifndef TRANSPORT_SSH_KEYADD_H
#define TRANSPORT_SSH_KEYADD_H

#include "transport/ssh_keyholder.h"

struct ssh_keyadd;

/* err NULL: it is in. E_CLOSED: the agent could not be reached, which another one might help; E_SIGN: anything else. */
typedef void ssh_keyadd_cb(void *arg, struct ssh_keyholder_add *add, const struct err *err);

/* The callback comes once, never from inside. `add` and its bytes stay the caller's and must live until then. */
struct ssh_keyadd *ssh_keyadd_start(uv_loop_t *loop, const char *folder, const char *socket,
				    struct ssh_keyholder_add *add, ssh_keyadd_cb *done, void *arg);

/* Ends it; no callback comes any more, its handles close by themselves. Gives the key that it was about. */
struct ssh_keyholder_add *ssh_keyadd_abandon(struct ssh_keyadd *run);

/* The environment of our children: PATH, HOME, a locale without messages of its own, and with `socket` what ssh-add needs.
   Ends with NULL. */
char **ssh_keyadd_environment(const char *folder, const char *socket);
void ssh_keyadd_free_environment(char **environment);

#endif
