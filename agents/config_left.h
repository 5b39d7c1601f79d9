/*
 * A configuration file on a Windows host that is as it should be, while the write of it has no outcome: its session may have
 * died behind the copy, and have left what it put beside, and the read-only attribute taken off. The op that finds the new
 * bytes puts that right and writes nothing (OP_REPLACE in base/op.h), so the write is asked for once more.
 *
 * For agents whose file is in the facts `config.bytes`, `config.sha256` and `config.state`, and whose row of apply[] that
 * writes it is "write-config".
 */
#ifndef AGENTS_CONFIG_LEFT_H
#define AGENTS_CONFIG_LEFT_H

#include "agents/agent.h"

/* Is it neither the file of before nor `planned`, the one that our change makes of it, though a change has begun? It may be a
   mixture of the two (cut_copy.h). */
bool config_is_neither(const struct agent_ctx *ctx, const struct buf *planned);

bool config_is_left(const struct agent_ctx *ctx, const char *item);
void config_left_op(const struct agent_ctx *ctx, struct op *op, const char *path);

#endif
