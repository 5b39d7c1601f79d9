/*
 * The Ruby client's imhs-config.rb: read, its syntax checked, its one value replaced, looked at again, put back. The
 * part of ruby_client.c that knows the file; facts `config.…` and what they mean stand there.
 *
 * What a write puts into the file is always worked out from the bytes that were read (`now`) and goes out with their
 * SHA-256 as what is expected, so that it can only replace what was seen.
 */
#ifndef AGENTS_RUBY_CONFIG_H
#define AGENTS_RUBY_CONFIG_H

#include "agents/agent.h"

#define CONFIG_CONSTANT "ROOT_URI"
#define CONFIG_ITEM "config"
#define CONFIG_MAX_BYTES ((size_t)1 << 20)
#define CONFIG_BACKUP "imhs-config.rb.before-cutover"

/* The row `read` of observe[]. */
enum step_request config_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict config_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* For assess: false, with the assessment set, when the file is a person's matter. */
bool config_assess(const struct agent_ctx *ctx, struct assessment *out);

/* Adds the change of the host to the assessment. config.state is old or torn. */
void config_add_change(const struct agent_ctx *ctx, struct assessment *out);

/* The new bytes through `ruby -c`; for verify the bytes that were read again. */
enum step_request config_syntax(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request config_syntax_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict config_syntax_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);

enum step_request config_write(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict config_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

enum step_request config_read_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict config_was_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Puts the old host back: only where that gives exactly the bytes of before. */
enum step_request config_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict config_old_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

#endif
