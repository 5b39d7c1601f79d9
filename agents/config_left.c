#include "agents/config_left.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

bool config_is_neither(const struct agent_ctx *ctx, const struct buf *planned)
{
	const char *seen = facts_text(ctx->now, "config.sha256", NULL);
	char sha[SHA256_HEX_MAX];

	return seen && !facts_is(ctx->before, "config.sha256", seen) &&
	       strcmp(seen, sha256_hex(buf_str(planned), planned->len, sha)) != 0;
}

bool config_is_left(const struct agent_ctx *ctx, const char *item)
{
	return ctx->host->os == OS_WINDOWS && facts_is(ctx->now, "config.state", "new") && facts_get(ctx->now, "config.bytes") &&
	       !facts_get(ctx->now, "config.written") && facts_get(ctx->before, "config.sha256") &&
	       !ctx->step_done(ctx, "write-config", item);
}

void config_left_op(const struct agent_ctx *ctx, struct op *op, const char *path)
{
	const struct fact *bytes = facts_get(ctx->now, "config.bytes");

	op->kind = OP_REPLACE;
	op->elevated = true;
	op->path = str_dup(path);
	snprintf(op->expect_sha256, sizeof(op->expect_sha256), "%s", facts_text(ctx->before, "config.sha256", ""));
	buf_add(&op->input, bytes->value, bytes->len);
}
