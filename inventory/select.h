/*
 * Which tenants, hosts and steps a command is about: the filters of plan, run, resume and rollback.
 * All kinds given must match (tenant AND wave AND …), any value of one kind suffices (wave a OR b). Nothing given
 * selects all.
 */
#ifndef INVENTORY_SELECT_H
#define INVENTORY_SELECT_H

#include "base/err.h"
#include "inventory/model.h"

enum select_only { ONLY_ALL = 0, ONLY_FAILED = 1, ONLY_UNREACHABLE = 2, ONLY_UNFINISHED = 4 };

struct selection {
	struct strings tenants, not_tenants, waves, labels, hosts, steps;
	unsigned phases; /* bit per enum phase; 0: all */
	unsigned only;	 /* bits of enum select_only; looked at by the engine, which knows states */
};

void selection_release(struct selection *s);

/* Every name must exist in the inventory (a typing mistake must not select nothing): E_INVAL with a suggestion. */
int selection_check(const struct selection *s, const struct inventory *inv, struct err *err);

bool selection_tenant(const struct selection *s, const struct tenant *t);
bool selection_step(const struct selection *s, const struct procedure_step *step);
/* host is NULL for a row that has none; such a row is selected only when no host is named. */
bool selection_host(const struct selection *s, const struct host *host);

/* True when the row's tenant, host or step is named (what brings a rolled-back row to run again). */
bool selection_names(const struct selection *s, const struct tenant *t, const struct procedure_step *step,
		     const struct host *host);

/* As JSON for the journal, and back (what an older version does not know is an error). */
json_t *selection_to_json(const struct selection *s);
int selection_from_json(const json_t *json, struct selection *s, struct err *err);

#endif
