/*
 * Looking at rows: what is to become of them now. The engine's eyes; it decides nothing but this.
 */
#ifndef ENGINE_LOOK_H
#define ENGINE_LOOK_H

#include "engine/internal.h"

/* Is the task in this run (selection, and --only by the state its row has now)? */
bool look_selected(const struct engine *e, const struct task *t);

/* Rows that a controller left running when it died: indeterminate where something was begun, else pending. */
void look_recover(struct engine *e);

/* Every row that an agent is to work on is in the journal before the first one begins, so that a report accounts for it
   whatever happens next. The others get their state at the first look. */
void look_enrol(struct engine *e);

/* Rows of tenants, steps or targets that are no longer in the inventory: withdrawn. */
void look_withdraw(struct engine *e);

/* Starts what may be done of this tenant, and says of the rest why not. */
void look_at_tenant(struct engine *e, struct tenant_run *tr);

/* engine.c */
void engine_look_at(struct engine *e, struct tenant_run *tr);

#endif
