/*
 * The Ruby client on a Windows host, as far as it is another thing there than on Linux: found, running, run. The rows
 * are those of ruby_client.c, which calls this for a host whose system is Windows; the facts stand there. Its schedule
 * is in ruby_task.h, its file in ruby_config.h.
 *
 * What cannot be had there: whose a process of Ruby is (tasklist.exe does not say what it runs), so each one is waited
 * for; and a run as another user than the login, which would need a password.
 */
#ifndef AGENTS_RUBY_WINDOWS_H
#define AGENTS_RUBY_WINDOWS_H

#include "agents/agent.h"

/* One client that was found, with its program ("" for none) and the owner of that: adds it to the facts. */
void client_add(struct facts *f, const char *folder, const char *real, const char *script, const char *owner);

enum step_request win_find_look(const struct agent_ctx *ctx, struct op *op);
struct verdict win_found(const struct agent_ctx *ctx, const struct op_result *result);
struct verdict win_running(const struct agent_ctx *ctx, const struct op_result *result);
struct verdict win_ruby_found(const struct agent_ctx *ctx, const struct op_result *result);

/* The op that runs the client once, by a cmd.exe of its own in its folder. */
void win_run_op(const struct agent_ctx *ctx, struct op *op, const char *command);
struct verdict win_was_run(const struct agent_ctx *ctx, const struct op_result *result, const char *command);

/* For assess: false, with the assessment set, when the inventory asks for what Windows does not have. */
bool win_assess(const struct agent_ctx *ctx, struct assessment *out);

#endif
