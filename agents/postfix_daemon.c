#include "agents/postfix_daemon.h"
#include "agents/frames.h"
#include "agents/postfix_file.h"
#include "agents/postfix_keys.h"
#include "agents/postfix_read.h"
#include "agents/script.h"

#include "base/alloc.h"

#define ACTIVATE "postfix-activate.sh"

/* What may have been changed: files, then tables with keys, under one number. */
struct part {
	const char *prefix; /* "file", "key" */
	int k;
};

static int parts_n(const struct agent_ctx *ctx)
{
	return fact_number(ctx->now, "file.n") + fact_number(ctx->now, "key.n");
}

static struct part part_of(const struct agent_ctx *ctx, int n)
{
	int files = fact_number(ctx->now, "file.n");

	return n < files ? (struct part){ "file", n } : (struct part){ "key", n - files };
}

static const char *part_fact(const struct agent_ctx *ctx, struct part p, const char *name)
{
	return fact_at(ctx->now, p.prefix, p.k, name);
}

static bool was_old(const struct agent_ctx *ctx, struct part p)
{
	return strcmp(p.prefix, "file") == 0 ? postfix_file_was_old(ctx, p.k) : postfix_key_was_old(ctx, p.k);
}

/* Is `what` (indexed, active) still to be done with the bytes it has? */
static bool is_open(const struct agent_ctx *ctx, struct part p, const char *what)
{
	return strcmp(part_fact(ctx, p, what), part_fact(ctx, p, "sha256")) != 0;
}

/* The same, of what was changed by us: now, or before a crash. */
static bool is_due(const struct agent_ctx *ctx, struct part p, const char *what)
{
	return (was_old(ctx, p) || *part_fact(ctx, p, "written")) && is_open(ctx, p, what);
}

static void set_done(const struct agent_ctx *ctx, struct part p, const char *what)
{
	char key[FACT_KEY_MAX], *sha = str_dup(part_fact(ctx, p, "sha256"));

	facts_set_text(ctx->now, fact_key(key, p.prefix, p.k, what), sha);
	free(sha);
}

/* Has Postfix to be told? What is keyed is read through its index, and Postfix itself sees that this has changed. */
static bool needs_reload(const struct agent_ctx *ctx, struct part p)
{
	return strcmp(p.prefix, "file") == 0 || !*part_fact(ctx, p, "map");
}

static void activate_op(struct op *op, const struct facts *of, const char *pf, const char *map,
			bool reload, bool flush)
{
	script_op(op, ACTIVATE);
	op->timeout_ms = 120000;
	op_arg(op, postfix_instance(of, (int)strtol(pf, NULL, 10), "dir"));
	op_arg(op, map);
	op_arg(op, reload ? "yes" : "no");
	op_arg(op, flush ? "yes" : "no");
}

/* Did it work? Else *verdict says what. */
static bool worked(const struct op_result *result, const char *dir, struct verdict *verdict)
{
	struct frame reload;
	char *words;

	if (!result->failure.code && result->exit_code == SCRIPT_FAILED) {
		words = script_words(result);
		*verdict = verdict_fail(E_IO, "Postfix (%s) does not use the changed files yet: %s", dir, words);
		free(words);
		return false;
	}
	if (!script_answered(result, ACTIVATE, verdict))
		return false;
	if (frames_find(buf_str(&result->out), result->out.len, "reload", &reload) && reload.len == 3 && memcmp(reload.value, "old", 3) == 0) {
		*verdict = verdict_retry(E_TIMEOUT, "Postfix (%s) was told to read its files again, but its queue manager is still the "
						    "process of before", dir);
		return false;
	}
	return true;
}

static struct verdict said(const struct op_result *result, const char *dir)
{
	struct frame reload;

	if (frames_find(buf_str(&result->out), result->out.len, "reload", &reload) && reload.len && *reload.value == 's')
		return verdict_unchanged("Postfix (%s) does not run and was not started: it reads its files when it is", dir);
	return verdict_ok();
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

enum step_request postfix_index(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct part p;

	item[0] = '\0';
	if (n >= parts_n(ctx) || !ctx->before->n)
		return OP_END;
	p = part_of(ctx, n);
	snprintf(item, ITEM_MAX, "%s", part_fact(ctx, p, "path"));
	if (!*part_fact(ctx, p, "map") || !is_due(ctx, p, "indexed"))
		return OP_SKIP;
	activate_op(op, ctx->now, part_fact(ctx, p, "pf"), part_fact(ctx, p, "map"), false, false);
	return OP_DO;
}

struct verdict postfix_indexed(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct part p = part_of(ctx, n);
	struct verdict verdict;

	if (!worked(result, part_fact(ctx, p, "path"), &verdict))
		return verdict;
	set_done(ctx, p, "indexed");
	if (!needs_reload(ctx, p))
		set_done(ctx, p, "active");
	return verdict_ok();
}

enum step_request postfix_reload(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	char pf[16];
	bool due = false;

	item[0] = '\0';
	if (n >= fact_number(ctx->now, "pf.n") || !ctx->before->n)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", postfix_instance(ctx->now, n, "dir"));
	snprintf(pf, sizeof(pf), "%d", n);
	for (int i = 0; i < parts_n(ctx) && !due; i++)
		due = needs_reload(ctx, part_of(ctx, i)) && is_due(ctx, part_of(ctx, i), "active") &&
		      strcmp(part_fact(ctx, part_of(ctx, i), "pf"), pf) == 0;
	if (!due)
		return OP_SKIP;
	activate_op(op, ctx->now, pf, "", true, true);
	return OP_DO;
}

/* All that needed the reload only is active now. */
static void set_reloaded(const struct agent_ctx *ctx, const char *pf)
{
	for (int i = 0; i < parts_n(ctx); i++) {
		struct part p = part_of(ctx, i);
		const char *sha = part_fact(ctx, p, "sha256");

		if (strcmp(part_fact(ctx, p, "pf"), pf) == 0 && needs_reload(ctx, p) &&
		    (!*part_fact(ctx, p, "map") || strcmp(part_fact(ctx, p, "indexed"), sha) == 0))
			set_done(ctx, p, "active");
	}
}

struct verdict postfix_reloaded(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *dir = postfix_instance(ctx->now, n, "dir");
	struct verdict verdict;
	char pf[16];

	snprintf(pf, sizeof(pf), "%d", n);
	if (!worked(result, dir, &verdict))
		return verdict;
	set_reloaded(ctx, pf);
	return said(result, dir);
}

/* A new look may have ended before it saw what we changed: what only `before` knows is a debt too. */
static bool is_unseen(const struct agent_ctx *ctx, struct part p)
{
	const char *path = fact_at(ctx->before, p.prefix, p.k, "path");
	char n[FACT_KEY_MAX];

	snprintf(n, sizeof(n), "%s.n", p.prefix);
	for (int i = 0; i < fact_number(ctx->now, n); i++)
		if (strcmp(fact_at(ctx->now, p.prefix, i, "path"), path) == 0)
			return false;
	return *path && !*fact_at(ctx->now, "restored", p.k, p.prefix);
}

/* Part n of `now`, and after these part n of `before`; false: there is none. */
static bool restore_part(const struct agent_ctx *ctx, int n, struct part *p, const struct facts **of)
{
	int files = fact_number(ctx->before, "file.n"), k = n - parts_n(ctx);

	*of = k < 0 ? ctx->now : ctx->before;
	if (k < 0)
		*p = part_of(ctx, n);
	else
		*p = k < files ? (struct part){ "file", k } : (struct part){ "key", k - files };
	return k < files + fact_number(ctx->before, "key.n");
}

/* Bytes that nobody could read are open until Postfix was told once. */
static bool is_owed(const struct agent_ctx *ctx, struct part p, const struct facts *of)
{
	if (of == ctx->before)
		return is_unseen(ctx, p);
	return *part_fact(ctx, p, "sha256") ? is_open(ctx, p, "active") : !*fact_at(ctx->now, p.prefix, p.k, "told");
}

enum step_request postfix_activate(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct facts *of;
	const char *map;
	struct part p;

	item[0] = '\0';
	if (!restore_part(ctx, n, &p, &of))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", fact_at(of, p.prefix, p.k, "path"));
	if (!is_owed(ctx, p, of))
		return OP_SKIP;
	map = fact_at(of, p.prefix, p.k, "map");
	activate_op(op, of, fact_at(of, p.prefix, p.k, "pf"), map, strcmp(p.prefix, "file") == 0 || !*map, false);
	return OP_DO;
}

struct verdict postfix_activated(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	char key[FACT_KEY_MAX];
	const struct facts *of;
	struct verdict verdict;
	const char *dir;
	struct part p;

	restore_part(ctx, n, &p, &of);
	dir = postfix_instance(of, (int)strtol(fact_at(of, p.prefix, p.k, "pf"), NULL, 10), "dir");
	if (!worked(result, dir, &verdict))
		return verdict;
	if (of == ctx->before) {
		facts_set_text(ctx->now, fact_key(key, "restored", p.k, p.prefix), "yes");
		return said(result, dir);
	}
	facts_set_text(ctx->now, fact_key(key, p.prefix, p.k, "told"), "yes");
	set_done(ctx, p, "indexed");
	set_done(ctx, p, "active");
	if (needs_reload(ctx, p))
		set_reloaded(ctx, part_fact(ctx, p, "pf"));
	return said(result, dir);
}
