/*
 * What starts the Ruby client by the clock on Windows: tasks of the Task Scheduler. Inside of ruby_schedule.h, which
 * calls this where an entry is, or may be, a task; the entries' facts stand there.
 *
 * The inventory's `schedule: schtasks:\PATH` is taken by its word, whatever that task runs. Else all tasks are listed,
 * and those whose action names the client's folder or its program are looked at one by one, by the path that the list
 * says of them: where that one does not run the client, a person is asked. Only what is enabled is disabled.
 *
 * Facts of its own: schedule.task_n, schedule.task.J.path   the tasks that the search found
 */
#ifndef AGENTS_RUBY_TASK_H
#define AGENTS_RUBY_TASK_H

#include "agents/agent.h"

/* The row `schedule` of observe[] on Windows: n 0 lists, each further one looks at what was found. */
enum step_request task_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict task_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* For assess: false, with the assessment set, when the inventory's `schedule` is none that Windows can have. */
bool task_assess(const struct agent_ctx *ctx, struct assessment *out);

/* The op task.cmd VERB PATH. */
void task_op(struct op *op, const char *verb, const char *path);

/* What became of a task that was enabled (on) or disabled. */
struct verdict task_judged(const struct agent_ctx *ctx, const char *path, const char *item,
			   const struct op_result *result, bool on);

/* Is the task, looked at again, as it should be? */
struct verdict task_again(const char *path, bool on, const struct op_result *result);

#endif
