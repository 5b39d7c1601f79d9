/*
 * A plan for people (text with diffs) and for machines (plan.v1: one canonical JSON file a tenant).
 */
#ifndef ORCHESTRATOR_PLAN_PRINT_H
#define ORCHESTRATOR_PLAN_PRINT_H

#include "base/buf.h"
#include "engine/engine.h"

/* Every selected row that an agent looked at, by tenant, then what is not for an agent of this version, counted. */
void plan_print(struct engine *engine, bool colour, struct buf *out);
void plan_print_summary(const struct engine_outcome *outcome, const char *inventory, struct buf *out);

/* Writes DIR/TENANT.json (schema/plan.v1.schema.json) and DIR/TENANT.diff, mode 0600: the same looks give the same
   bytes, so that a digest stands for a plan. */
int plan_write(struct engine *engine, const char *dir, struct err *err);

#endif
