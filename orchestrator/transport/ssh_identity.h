/*
 * What logs in: a key, where its private half is, and maybe a certificate. One object for all hosts that say the same of
 * it, kept by the transport, so that a key file is read and decrypted once, and an agent asked once whether it has the key.
 *
 *     LOADING ─► READY         LOADING: the private ssh-agent, or the operator's, is asked
 *       ▲  ▼                   FAILED: kept for IDENTITY_FAILED_MS, so that hosts that come next are told at once instead
 *      FAILED                  of waiting one after the other for an agent that hangs; then it is loaded anew
 */
#ifndef TRANSPORT_SSH_IDENTITY_H
#define TRANSPORT_SSH_IDENTITY_H

#include "base/list.h"
#include "transport/ssh_agent.h"
#include "transport/ssh_cert.h"
#include "transport/ssh_key.h"
#include "transport/transport.h"

enum { IDENTITY_FAILED_MS = 30000 };

enum identity_state { IDENTITY_LOADING, IDENTITY_READY, IDENTITY_FAILED };

struct ssh_identities; /* all of a transport */
struct ssh_identity;   /* one; lives as long as they do */

/* all_certs: libssh2 can use certificates of every kind (ssh_cert.h). agent_ms: see ssh_agent_new. failed_ms: 0 stands for
   IDENTITY_FAILED_MS. */
struct ssh_identities *ssh_identities_new(uv_loop_t *loop, bool all_certs, int agent_ms, int failed_ms);

/* Nobody may wait for one or sign. closed(arg) when the private ssh-agent is gone and all handles are closed. */
void ssh_identities_close(struct ssh_identities *all, void (*closed)(void *arg), void *arg);

/* What a spec says of key, passphrase, agent and certificate; the secrets in it are not kept beyond LOADING. NULL: E_SIGN, it
   cannot be used (and what to do). */
struct ssh_identity *ssh_identity_get(struct ssh_identities *all, const struct remote_spec *spec, struct err *err);

/* FAILED: *err says why. */
enum identity_state ssh_identity_state(const struct ssh_identity *id, struct err *err);

/* Waiting for the end of LOADING. done() comes from the loop, once; ssh_identity_forget: not any more. */
struct ssh_identity_wait {
	struct list node;
	void (*done)(struct ssh_identity_wait *wait);
};
void ssh_identity_await(struct ssh_identity *id, struct ssh_identity_wait *wait);
void ssh_identity_forget(struct ssh_identity_wait *wait);

/* READY. The certificate to show first, or NULL. E_SIGN: one is named that cannot be used now. `note`: why the one beside
   the key is not used, empty where there is nothing to say. */
int ssh_identity_certificate(const struct ssh_identity *id, int64_t wall_ms, const struct ssh_cert **out, struct err *note,
			     struct err *err);
const struct ssh_key *ssh_identity_key(const struct ssh_identity *id);

/* ---- signing ----------------------------------------------------------------------------------------------------- */

/* One signature in the making; zeroed by its owner, who sets `ready`. */
struct ssh_signing {
	void (*ready)(struct ssh_signing *signing); /* ask once more: an agent has answered */
	enum { SIGNING_NONE, SIGNING_ASKED, SIGNING_DONE, SIGNING_FAILED } state;
	struct ssh_identity *id;
	struct ssh_agent_call call;
	char algorithm[64];
	struct buf signature;
	struct err err;
};

/* Called with the same data until it is over: 1, the signature (as ssh_key_sign gives it) was added to `out`; 0, an agent is
   asked and ready() will come, never from inside; E_SIGN. An agent's signature is verified before it is given. */
int ssh_signing_step(struct ssh_signing *signing, struct ssh_identity *id, const void *data, size_t len, struct buf *out,
		     struct err *err);

/* Gives it up; fine at any time. */
void ssh_signing_cancel(struct ssh_signing *signing);

#endif
