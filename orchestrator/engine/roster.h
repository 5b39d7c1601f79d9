/*
 * The roster: every row that an inventory stands for, in the order of tenants, steps and targets, and what is to become
 * of it before any host is asked. Inventory × procedure, pure; nothing is left out, so that at the end of a run every
 * row is accounted for.
 *
 * Target keys (contract): "host:NAME", or "host:NAME/KEY" where a host has several agents of one step, "domain:NAME",
 * "tenant".
 */
#ifndef ENGINE_ROSTER_H
#define ENGINE_ROSTER_H

#include "agents/agent.h"
#include "inventory/model.h"
#include "inventory/select.h"

enum disposition {
	ROW_DO,		    /* an agent of this version does it */
	ROW_WATCH,	    /* somebody else does it (`by`); the agent looks, and changes nothing */
	ROW_BLOCKED,	    /* not in this version */
	ROW_NOT_APPLICABLE, /* text is the proof */
	ROW_PERSON,	    /* text is the instruction */
};

struct roster_row {
	const struct tenant *tenant;
	const struct procedure_step *step;
	char *target;
	const struct agent *agent; /* ROW_DO and ROW_WATCH, else NULL */
	const struct host *host;
	const struct domain *domain;
	const struct agent_use *use;
	const json_t *with; /* of the procedure, or NULL */
	enum disposition disposition;
	char *text; /* for the last three */
	bool instructed; /* it is a person's by the inventory, or since no agent here can: the step's instruction is for her */
};

struct roster {
	struct roster_row *at;
	size_t n;
};

/* Where agents come from: agent_find, or a test's own. */
typedef const struct agent *agent_finder(const char *name);

/* Rows of the tenants that the selection selects (its steps and hosts are not looked at: needs reach across them). */
void roster_make(struct roster *roster, const struct inventory *inv, const struct selection *selection,
		 agent_finder *find);
void roster_release(struct roster *roster);

/* Is this row selected (tenant, step, host)? */
bool roster_selected(const struct roster_row *row, const struct selection *selection);

/* false: "with": {"when": "web_service"} keeps the agent from this tenant, who has none. */
bool roster_agent_wanted(const struct tenant *tenant, const struct procedure_agent *agent);

#endif
