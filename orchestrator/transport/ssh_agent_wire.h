/*
 * What is said to an ssh-agent and what it answers (draft-ietf-sshm-ssh-agent, OpenSSH's PROTOCOL.agent), as bytes and
 * nothing else. An agent is untrusted like any other process: an answer is bounded, has to be the one that was asked for,
 * and has to end where it says.
 */
#ifndef TRANSPORT_SSH_AGENT_WIRE_H
#define TRANSPORT_SSH_AGENT_WIRE_H

#include "base/err.h"
#include "transport/ssh_wire.h"

enum {
	AGENT_FRAME_MAX = 256 << 10, /* as OpenSSH's (authfd.c, MAX_AGENT_REPLY_LEN) */
	AGENT_KEYS_MAX = 2048,	     /* as OpenSSH's (MAX_AGENT_IDENTITIES) */
};

/* Requests, with their length before them, added to `out`. */
void agent_put_list(struct buf *out);

/* `algorithm`: "rsa-sha2-512" and "rsa-sha2-256" ask for these by flag; others need none. */
void agent_put_sign(struct buf *out, const struct buf *blob, const void *data, size_t len, struct wire_str algorithm);

/* The first answer in `in`: 1 with *body (which points into it) and its length with the head in *len; 0: not whole yet;
   E_SIGN: no answer of an agent can begin so. */
int agent_take(const struct buf *in, struct wire_str *body, size_t *len, struct err *err);

/* The answer to agent_put_list. each() is called for every key (comment: bytes, not a string) until it returns false. E_SIGN:
   refused, or not what an agent says; what each() saw until then counts for nothing. */
int agent_read_keys(struct wire_str body, bool (*each)(struct wire_str blob, struct wire_str comment, void *arg), void *arg,
		    struct err *err);

/* The answer to agent_put_sign: adds the signature without its algorithm's name to `out`. E_SIGN: refused, of another
   algorithm than was asked for, or not what an agent says. */
int agent_read_signature(struct wire_str body, struct wire_str algorithm, struct buf *out, struct err *err);

#endif
