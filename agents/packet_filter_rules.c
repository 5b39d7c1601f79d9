#include "agents/firewall/gap.h"
#include "agents/packet_filter.h"
#include "agents/script.h"

#include "base/alloc.h"

#define CHANGE "firewall-change.sh"

const char *const rules_tools[RULES_TOOLS] = { "nft", "iptables", "legacy" };

/* ---- adding --------------------------------------------------------------------------------------------------------- */

void rules_text(const struct agent_ctx *ctx, int n, struct buf *out)
{
	const char *gaps = facts_text(ctx->now, "now.gaps", "");

	if (n == 0)
		gaps_nft(gaps, out);
	else
		gaps_restore(gaps, rules_tools[n], false, out);
}

static enum step_request change_op(struct op *op, int n, const char *what, const struct buf *text)
{
	if (!text->len)
		return OP_SKIP;
	script_op(op, CHANGE);
	op_arg(op, rules_tools[n]);
	op_arg(op, what);
	buf_add(&op->input, buf_str(text), text->len);
	return OP_DO;
}

enum step_request rules_add(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf text = BUF_INIT;
	enum step_request request;

	if (n >= RULES_TOOLS)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", rules_tools[n]);
	rules_text(ctx, n, &text);
	request = change_op(op, n, "add", &text);
	buf_release(&text);
	return request;
}

/* Exit 3 is that what it names has moved meanwhile: nothing was done, and it is looked at again. */
static struct verdict changed(const struct op_result *result, int n)
{
	struct verdict verdict = verdict_ok();
	char *words;

	if (result->failure.code || result->exit_code != SCRIPT_CHANGED) {
		script_answered(result, CHANGE, &verdict);
		return verdict;
	}
	words = script_words(result);
	verdict = verdict_reread("%s does not take the change, so nothing was changed: %s", rules_tools[n], words);
	free(words);
	return verdict;
}

struct verdict rules_added(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	(void)ctx;
	return changed(result, n);
}

/* ---- removing ------------------------------------------------------------------------------------------------------- */

/* Was it put there by us: is it what we had to let in, now or by the file, and was it not there before? */
static bool is_ours(const struct agent_ctx *ctx, const struct gap *g)
{
	const struct facts *was = ctx->before;

	return !gap_among(g, facts_text(was, "marks", "")) &&
	       (gap_among(g, facts_text(was, "now.gaps", "")) || gap_among(g, facts_text(was, "boot.gaps", "")));
}

/* Those of our rules that this tool has to take out, as gaps. */
static void ours(const struct agent_ctx *ctx, int n, struct buf *out)
{
	struct gap g;

	for (const char *at = facts_text(ctx->now, "marks", ""); gap_next(&at, &g);)
		if ((n == 0 ? gap_is_nft(&g) : strcmp(g.family, rules_tools[n]) == 0) && is_ours(ctx, &g))
			gap_add(out, &g);
}

bool rules_are_ours(const struct agent_ctx *ctx)
{
	bool any = false;

	for (int n = 0; n < RULES_TOOLS && !any; n++) {
		struct buf lines = BUF_INIT;
		ours(ctx, n, &lines);
		any = lines.len > 0;
		buf_release(&lines);
	}
	return any;
}

enum step_request rules_remove(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf lines = BUF_INIT, text = BUF_INIT;
	enum step_request request;

	if (n >= RULES_TOOLS)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", rules_tools[n]);
	ours(ctx, n, &lines);
	if (n == 0)
		gaps_nft_remove(buf_str(&lines), &text);
	else
		gaps_restore(buf_str(&lines), rules_tools[n], true, &text);
	request = change_op(op, n, "remove", &text);
	buf_release(&lines);
	buf_release(&text);
	return request;
}

struct verdict rules_removed(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	(void)ctx;
	return changed(result, n);
}
