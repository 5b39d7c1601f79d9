/*
 * An imhs-config.rb that our own copy has left half written (Windows). Inside of ruby_config.h; the facts stand in
 * ruby_client.c.
 *
 * It is *torn* when a change of ours has begun, the backup beside it is the file of before, byte for byte, and what is there
 * was left by a copy of one of the two onto the other that was cut (cut_copy.h). Then it is written anew, out of the bytes of
 * before, which the journal has. Anything else that is neither of the two is somebody's work, and left alone.
 */
#ifndef AGENTS_RUBY_TORN_H
#define AGENTS_RUBY_TORN_H

#include "agents/agent.h"

/* The row `read-backup` of observe[]: asks only where the file is neither the one of before nor the one to be. */
enum step_request torn_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict torn_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);

bool config_is_torn(const struct agent_ctx *ctx);

/* The bytes that a change is made for: what was seen, or of a torn file what was there before. NULL: none are known. */
const struct fact *config_base(const struct agent_ctx *ctx);

#endif
