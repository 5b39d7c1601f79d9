/*
 * One ssh-agent, spoken to over its Unix socket. One connection for everybody, one question at a time, the others in a
 * queue. libssh2's own agent calls are not used: they block, for ever if the agent hangs up.
 *
 * What holds whatever the agent does: each call that was taken ends with its callback, exactly once and never from inside
 * the call that started it; the loop never waits; an answer's size is bounded. A question that is not answered within the
 * agent's time ends with E_SIGN, and so does everything that waits behind it, since it would wait as long. An agent that
 * hangs up is connected to again: what it was asked on a connection that had worked before is asked once more (it may
 * have been restarted), else it ends with E_SIGN. After garbage the connection is given up.
 */
#ifndef TRANSPORT_SSH_AGENT_H
#define TRANSPORT_SSH_AGENT_H

#include "base/list.h"
#include "transport/ssh_agent_wire.h"

#include <uv.h>

enum { AGENT_QUEUE_MAX = 16384, AGENT_ANSWER_MS = 15000 };

struct ssh_agent;

/* One question: a frame of agent_put_…, and who wants the answer. A request in libuv's sense; zeroed by its owner. */
struct ssh_agent_call {
	struct buf frame; /* released by the agent when it is over */
	/* body: the answer, for as long as the callback runs; or err, and no body. The call is the owner's again. */
	void (*done)(struct ssh_agent_call *call, struct wire_str body, const struct err *err);
	void *arg;
	/* the agent's own */
	struct list node;
	bool again;
};

/* `path`: of the socket; copied. answer_ms: 0 stands for AGENT_ANSWER_MS. */
struct ssh_agent *ssh_agent_new(uv_loop_t *loop, const char *path, int answer_ms);
const char *ssh_agent_path(const struct ssh_agent *agent);

/* 0: done() will come. E_SIGN (more than AGENT_QUEUE_MAX wait): it will not, the frame is released. */
int ssh_agent_ask(struct ssh_agent *agent, struct ssh_agent_call *call, struct err *err);

/* The callback does not come any more. A call that is not under way is none. */
void ssh_agent_cancel(struct ssh_agent *agent, struct ssh_agent_call *call);

/* Nothing may be under way. Frees after the loop has run its close callbacks; closed(arg) then. */
void ssh_agent_close(struct ssh_agent *agent, void (*closed)(void *arg), void *arg);

#endif
