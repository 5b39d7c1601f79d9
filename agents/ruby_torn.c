#include "agents/ruby_torn.h"

#include "agents/config_left.h"
#include "agents/cut_copy.h"
#include "agents/ruby_config.h"
#include "agents/script.h"
#include "agents/win_text.h"

#include "agents/edit/ruby_constant.h"
#include "base/alloc.h"

/* The bytes of before with the new host; false where they were not old or are not known any more. */
static bool planned_bytes(const struct agent_ctx *ctx, struct buf *out)
{
	const struct fact *bytes = facts_get(ctx->before, "config.bytes");
	struct ruby_constant found;

	if (!bytes || !facts_is(ctx->before, "config.state", "old"))
		return false;
	ruby_constant_find(bytes->value, bytes->len, CONFIG_CONSTANT, &found);
	if (found.state != RUBY_FOUND)
		return false;
	buf_add(out, bytes->value, found.host_offset);
	buf_adds(out, ctx->tenant->new_web_service);
	buf_add(out, bytes->value + found.host_offset + found.host_len,
		bytes->len - found.host_offset - found.host_len);
	return true;
}

/* A mixture of the two may well name the new host or the old one. */
static bool is_neither(const struct agent_ctx *ctx)
{
	struct buf planned = BUF_INIT;
	bool neither = planned_bytes(ctx, &planned) && config_is_neither(ctx, &planned);

	buf_release_secret(&planned);
	return neither;
}

enum step_request torn_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	char *folder;

	item[0] = '\0';
	if (n > 0 || ctx->host->os != OS_WINDOWS || !is_neither(ctx))
		return OP_END;
	folder = win_folder(facts_text(ctx->now, "client.config", ""));
	op->kind = OP_GET;
	op->elevated = true;
	op->max_out_bytes = CONFIG_MAX_BYTES;
	op->path = win_join(folder, CONFIG_BACKUP);
	free(folder);
	return OP_DO;
}

static bool is_torn(const struct agent_ctx *ctx)
{
	const struct fact *seen = facts_get(ctx->now, "config.bytes"), *old = facts_get(ctx->before, "config.bytes");
	struct buf planned = BUF_INIT;
	bool torn;

	torn = seen && planned_bytes(ctx, &planned) &&
	       (is_cut_copy(seen->value, seen->len, buf_str(&planned), planned.len, old->value, old->len) ||
		is_cut_copy(seen->value, seen->len, old->value, old->len, buf_str(&planned), planned.len));
	buf_release_secret(&planned);
	return torn;
}

struct verdict torn_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	char sha[SHA256_HEX_MAX];

	(void)n;
	if (result->failure.code == E_BUSY)
		return verdict_retry(E_BUSY, "%s beside %s is held open by another process of the host: end that",
				     CONFIG_BACKUP, facts_text(ctx->now, "client.config", ""));
	if (result->failure.code ||
	    !facts_is(ctx->before, "config.sha256", sha256_hex(buf_str(&result->out), result->out.len, sha)))
		return verdict_ok();
	facts_set_text(ctx->now, "config.backup", "before");
	if (is_torn(ctx))
		facts_set_text(ctx->now, "config.state", "torn");
	return verdict_ok();
}

bool config_is_torn(const struct agent_ctx *ctx)
{
	return facts_is(ctx->now, "config.state", "torn");
}

const struct fact *config_base(const struct agent_ctx *ctx)
{
	return facts_get(config_is_torn(ctx) ? ctx->before : ctx->now, "config.bytes");
}
