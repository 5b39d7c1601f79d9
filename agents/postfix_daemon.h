/*
 * What makes Postfix use its files once they are changed: postmap for tables that have an index, and a reload. The part of
 * postfix_relay.c that knows the daemon.
 *
 * A changed file is a debt (row `activate` of restore[], its item the file's path) until this was done for the bytes it has: a
 * controller that dies between the write and the reload pays it when it comes back. A Postfix that does not run is left so: it
 * reads its files when somebody starts it.
 */
#ifndef AGENTS_POSTFIX_DAEMON_H
#define AGENTS_POSTFIX_DAEMON_H

#include "agents/agent.h"

/* Row of apply[] and revert[]: the index of each table that was changed, before anything sends to where it is asked for. */
enum step_request postfix_index(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_indexed(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Row of apply[] and revert[]: a reload of each instance that has something to read, and its waiting mail tried again. */
enum step_request postfix_reload(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_reloaded(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* The row of restore[]: both, for one file. */
enum step_request postfix_activate(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_activated(const struct agent_ctx *ctx, int n, const struct op_result *result);

#endif
