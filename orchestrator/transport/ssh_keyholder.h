/*
 * A private ssh-agent, for keys that only OpenSSH can decrypt (openssh-key-v1 with a passphrase: bcrypt). It is started with
 * the first such key, each key is put into it once, by ssh-add, and signs from then on for all hosts: one key derivation
 * (130 to 560 ms) a key and not a host.
 *
 * What keeps the key and its passphrase to ourselves: the agent's socket is in a new folder that only this account may
 * enter; ssh-add reads the key from its stdin, and the passphrase goes to the one question that it asks (SSH_ASKPASS)
 * through an inherited descriptor. So neither is ever in an argument, in an environment or in a file. Children get no more
 * of our environment than PATH and HOME: secrets of the inventory may be in it (env:NAME).
 *
 * The agent lives no longer than we do, whatever ends us: it runs under a shell that waits for the end of a pipe which we
 * hold, then ends the agent and removes the folder. It is in a session of its own, so that Ctrl-C at a terminal, which
 * means "stop in order", does not take the keys away. (Rejected: PR_SET_PDEATHSIG, which the kernel drops where ssh-agent
 * is setgid, as Debian's is.)
 */
#ifndef TRANSPORT_SSH_KEYHOLDER_H
#define TRANSPORT_SSH_KEYHOLDER_H

#include "base/list.h"
#include "transport/ssh_agent.h"

enum {
	KEYHOLDER_START_MS = 10000,
	KEYHOLDER_END_MS = 3000,
	KEYHOLDER_ADD_MS = 60000, /* one with many rounds (ssh-keygen -a) takes its time */
	KEYHOLDER_PASSPHRASE_MAX = 1000, /* ssh-add takes 1023 bytes of an answer (readpass.c) */
};

struct ssh_keyholder;

/* One key to be put in. A request: zeroed by its owner, who sets the first five. */
struct ssh_keyholder_add {
	const char *name;      /* for errors */
	struct buf key;	       /* the file; taken, and overwritten when it is over */
	struct buf passphrase; /* the same */
	/* err NULL: the key is in the agent. */
	void (*done)(struct ssh_keyholder_add *add, const struct err *err);
	void *arg;
	/* the keyholder's own */
	struct list node;
	bool again;
};

/* agent_ms: how long a signature may take (ssh_agent_new). */
struct ssh_keyholder *ssh_keyholder_new(uv_loop_t *loop, int agent_ms);

/* done() will come, never from inside. What is wrong comes by it: E_SIGN. */
void ssh_keyholder_add(struct ssh_keyholder *holder, struct ssh_keyholder_add *add);

/* The agent that signs, once a key is in it. It lives until the keyholder is closed; where the process has died, asking it
   fails, and the next key that is put in starts another one, empty, at the same socket. NULL before the first key. */
struct ssh_agent *ssh_keyholder_agent(struct ssh_keyholder *holder);

/* What waits is forgotten, without a callback. Ends the agent; closed(arg) when it and its folder are gone. */
void ssh_keyholder_close(struct ssh_keyholder *holder, void (*closed)(void *arg), void *arg);

#endif
