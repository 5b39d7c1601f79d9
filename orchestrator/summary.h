/*
 * The last lines of run, resume and rollback: what an operator wants to read at 02:13. Debts first, then failures by
 * their text, then what waits and for whom, then what to type next.
 */
#ifndef ORCHESTRATOR_SUMMARY_H
#define ORCHESTRATOR_SUMMARY_H

#include "controller.h"

void summary_say(struct engine *engine, const struct engine_outcome *outcome, const struct options *o);

#endif
