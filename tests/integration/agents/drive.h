/*
 * The engine in small: goes through an agent's tables by the rules of agents/agent.h, on the host of host.h or whatever
 * `does` is, and can stop dead at any op, as a controller that is killed does. What the journal would keep (before, what is
 * done, debts) outlives such a stop; what was seen (now) does not.
 */
#ifndef TESTS_INTEGRATION_AGENTS_DRIVE_H
#define TESTS_INTEGRATION_AGENTS_DRIVE_H

#include "agents/agent.h"

#define DRIVE_MANY 64

enum drive_end {
	DRIVE_DONE,    /* verified, or unchanged */
	DRIVE_STOPPED, /* the assessment or a verdict ended it: kind, text and step say how; debts were paid */
	DRIVE_STUCK,   /* a debt could not be paid */
	DRIVE_CRASHED,
};

struct drive_mark {
	char step[64], item[ITEM_MAX];
};

struct drive {
	const struct agent *agent;
	struct agent_ctx ctx;
	/* kept over a crash */
	struct facts before;
	struct drive_mark done[DRIVE_MANY], debts[DRIVE_MANY];
	size_t done_n, debts_n;
	int replaced;  /* OP_REPLACE that wrote */
	bool was_done; /* it was verified once: then it is only verified again */
	/* of one run */
	struct facts now;
	struct assessment assessment;
	bool assessed;
	int ops; /* ops begun in this run */
	int rereads;
	bool mutated;
	enum verdict_kind kind;
	char text[VERDICT_TEXT_MAX], step[64];
	/* set by the test */
	int crash_at;     /* the op of that number, from 0, is the last one begun; -1: none */
	bool crash_after; /* it is done, and its result lost; else it is not done */
	void (*does)(const struct op *op, struct op_result *result); /* NULL: host_do */
	/* called before each op and, with after set, when it is done and not yet judged */
	void (*on_op)(struct drive *d, const char *step, const struct op *op, bool after);
	void *arg;
};

/* For one tenant "acme" whose new web service is ws.acme.hes2.example, on a host of the first system that the agent can
   serve. `params` is JSON. */
void drive_init(struct drive *d, const char *agent, const char *params);
/* The host is a Windows one, and its login's name is Administrator. */
void drive_on_windows(struct drive *d);
void drive_release(struct drive *d);

enum drive_end drive_plan(struct drive *d); /* observe and assess only; DRIVE_DONE */
enum drive_end drive_run(struct drive *d);
enum drive_end drive_rollback(struct drive *d);

#endif
