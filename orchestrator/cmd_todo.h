/* What todo and worksheet share: which rows are asked for. */
#ifndef ORCHESTRATOR_CMD_TODO_H
#define ORCHESTRATOR_CMD_TODO_H

#include "cmd.h"
#include "report/todo.h"

void todo_filter_of(const struct options *o, struct todo_filter *filter);

#endif
