/*
 * nftables-allow, iptables-allow: may mail pass between this host and the service's address ranges, now and after a reboot? What
 * misses is let in by rules of our own (the vendor's step 1).
 *
 * Both look at all that filters on the host (nftables, both kinds of iptables), since each has to let a packet through, whichever
 * of them the inventory names. What agents/firewall/ does not model makes it unknown, and a person's; so is what firewalld, ufw or
 * a program with chains of its own keeps. Where all is understood, rules are added, and nothing else is done: one rule for a base
 * chain, marked, before the one that drops; and the same in the file that is loaded at a boot. Nothing of anybody else's is
 * removed, replaced or moved, so what lets the SSH session in stays as it is.
 *
 * The file is tried first, with its new bytes in a network of its own: what does not load, or would not let it pass, is never
 * written, and the running filter is not touched then either. Then the rules, then the file: a session that dies between the two
 * leaves a host that works and is found as half done. The other order would leave a change that nobody sees until a reboot.
 *
 * What the inventory says: `direction` (in: mail from the service; out: mail to it; both if absent). Facts: packet_filter.h.
 */
#include "agents/agents.h"
#include "agents/firewall/gap.h"
#include "agents/packet_filter.h"
#include "agents/script.h"

#include "base/alloc.h"

/* ---- assess -------------------------------------------------------------------------------------------------------- */

static const char *direction(enum coverage_way way)
{
	return way == COVERAGE_IN ? "mail from" : "mail to";
}

/* A way that is asked for and is not covered, at one moment. */
struct lack {
	enum filter_when when;
	enum coverage_way way;
};

static bool is_kind(const struct agent_ctx *ctx, const struct lack *l, const char *kind)
{
	return strcmp(filter_fact(ctx, l->when, l->way, "kind"), kind) == 0;
}

/* The first one, or the first of those that are not known; false: there is none. Where another program keeps the rules, what is
   loaded at a boot is its affair. */
static bool find_lack(const struct agent_ctx *ctx, bool unknown, struct lack *out)
{
	for (int i = 0; i < (facts_get(ctx->now, "keeper") ? 2 : 4); i++) {
		*out = (struct lack){ i < 2 ? FILTER_NOW : FILTER_BOOT, i % 2 ? COVERAGE_OUT : COVERAGE_IN };
		if (filter_asks(ctx, out->way) && !is_kind(ctx, out, "covered") && (!unknown || is_kind(ctx, out, "unknown")))
			return true;
	}
	return false;
}

/* "whether mail from … is not known: …"; the caller frees. */
static char *not_known(const struct agent_ctx *ctx, const struct lack *l)
{
	return str_fmt("whether %s %s passes %s on port 25 is not known: %s", direction(l->way),
		       filter_fact(ctx, l->when, l->way, "missing"), l->when == FILTER_NOW ? "now" : "after a reboot",
		       filter_fact(ctx, l->when, l->way, "why"));
}

/* Why it is a person's; NULL: it is ours. The caller frees. */
static char *why_not_ours(const struct agent_ctx *ctx)
{
	const char *keeper = facts_text(ctx->now, "keeper", "");
	const char *now = facts_text(ctx->now, "now.unfit", ""), *boot = facts_text(ctx->now, "boot.unfit", "");

	struct lack lack;

	if (*keeper)
		return str_fmt("%s keeps the rules here", keeper);
	if (*now)
		return str_ndup(now, strlen(now) - 2);
	if (find_lack(ctx, true, &lack))
		return not_known(ctx, &lack);
	if (*boot)
		return str_ndup(boot, strlen(boot) - 2);
	for (int n = 0; n < FILTER_FILES; n++) {
		struct buf bytes = { .max = (size_t)8 << 20 };
		struct err err = { 0 };
		int rc = files_new_bytes(ctx, n, &bytes, &err);
		buf_release(&bytes);
		if (rc < 0)
			return str_dup(err.text);
	}
	return NULL;
}

/* Is there a chain that drops it, though it has a rule that bears our mark? */
static bool marks_fail(const struct agent_ctx *ctx)
{
	const char *gaps = facts_text(ctx->now, "now.gaps", "");
	struct gap gap, mark;

	for (const char *at = gaps; gap_next(&at, &gap);)
		for (const char *marks = facts_text(ctx->now, "marks", ""); gap_next(&marks, &mark);)
			if (gap_same_place(&gap, &mark))
				return true;
	return *gaps && !facts_is(ctx->now, "marks.odd", "0");
}

/* False: there is none, or it is not about that. */
static bool assess_marks(const struct agent_ctx *ctx, struct assessment *out, const char *lack)
{
	if (!marks_fail(ctx))
		return false;
	if (ctx->before->n)
		assessment_set(out, ASSESS_DRIFT, "%s though our own rules are there: somebody has changed the rules since, or the profile's "
						  "ranges have changed; look at them: where it is the ranges, roll the step back, then run "
						  "it again", lack);
	else
		assessment_set(out, ASSESS_PERSON, "%s, and there are rules that bear the mark " GAP_MARK " already, from another run or by "
						   "hand: take them out, or complete them, then run again", lack);
	return true;
}

static void assess_person(const struct agent_ctx *ctx, struct assessment *out, const struct lack *l, const char *why)
{
	const char *missing = filter_fact(ctx, l->when, l->way, "missing");

	if (l->when == FILTER_NOW)
		assessment_set(out, ASSESS_PERSON, "%s %s is dropped on port 25, and left to a person: %s. As root on %s: %s. Put the same into "
						   "what loads the rules at a boot, then run again",
			       direction(l->way), missing, why, ctx->host->name, filter_fact(ctx, l->when, l->way, "fix"));
	else
		assessment_set(out, ASSESS_PERSON, "%s %s passes now, but is dropped after a reboot, and left to a person: %s. Put what lets it "
						   "pass into the file that is loaded at a boot, then run again", direction(l->way), missing, why);
}

/* ---- the changes, for plans ------------------------------------------------------------------------------------------ */

static void add_rules(const struct agent_ctx *ctx, struct assessment *out)
{
	for (int n = 0; n < RULES_TOOLS; n++) {
		struct buf text = BUF_INIT;
		rules_text(ctx, n, &text);
		if (text.len)
			assessment_change(out, rules_tools[n], n == 0 ? "the running rules of nftables" :
							       n == 1 ? "the running rules of iptables" :
									"the running rules of iptables-legacy",
					  "", 0, 0, 0, buf_str(&text), text.len);
		buf_release(&text);
	}
}

/* From the first byte that differs to the last: what is between two places is in it, as far as it is one edit. */
static void add_file(const struct agent_ctx *ctx, struct assessment *out, int n)
{
	const struct fact *old = files_fact(ctx->now, n, "bytes"), *path = files_fact(ctx->now, n, "path");
	struct buf bytes = { .max = (size_t)8 << 20 };
	size_t from = 0, same = 0;
	char *item;

	if (files_new_bytes(ctx, n, &bytes, NULL) != 0) {
		buf_release(&bytes);
		return;
	}
	while (from < old->len && old->value[from] == bytes.data[from])
		from++;
	while (same < old->len - from && old->value[old->len - same - 1] == bytes.data[bytes.len - same - 1])
		same++;
	item = str_fmt("%s-file", filter_files[n]);
	assessment_change(out, item, path->value, old->value, old->len, from, old->len - same - from, bytes.data + from,
			  bytes.len - same - from);
	free(item);
	buf_release(&bytes);
}

static void assess_ours(const struct agent_ctx *ctx, struct assessment *out, const char *lack)
{
	bool begun = ctx->before->n && (rules_are_ours(ctx) || files_differ(ctx));

	add_rules(ctx, out);
	for (int n = 0; n < FILTER_FILES; n++)
		add_file(ctx, out, n);
	assessment_note(out, "rules are only added: each before the first one that drops, marked " GAP_MARK);
	assessment_set(out, begun ? ASSESS_PARTIAL : ASSESS_OLD, "%s", lack);
}

static void assess_covered(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *keeper = facts_text(ctx->now, "keeper", NULL);

	if (keeper)
		assessment_set(out, ASSESS_PERSON, "port 25 passes now; %s keeps the rules here, and whether it also keeps these is not "
						   "looked at by this version: look, then confirm the step", keeper);
	else
		assessment_set(out, ASSESS_NEW, "port 25 passes for all %zu ranges of the service, now and after a reboot",
			       ctx->inventory->profile->ranges.n);
}

static void assess_lack(const struct agent_ctx *ctx, struct assessment *out, const struct lack *l)
{
	char *lack = str_fmt("%s %s is dropped on port 25%s", direction(l->way), filter_fact(ctx, l->when, l->way, "missing"),
			     l->when == FILTER_NOW ? "" : " after a reboot");
	char *why = why_not_ours(ctx);

	if (!assess_marks(ctx, out, lack)) {
		if (why)
			assess_person(ctx, out, l, why);
		else
			assess_ours(ctx, out, lack);
	}
	free(lack);
	free(why);
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	struct lack lack;
	char *text;

	(void)err;
	if (!find_lack(ctx, false, &lack)) {
		assess_covered(ctx, out);
	} else if (is_kind(ctx, &lack, "unknown")) {
		text = not_known(ctx, &lack);
		assessment_set(out, ASSESS_PERSON, "%s; look at it, then confirm the step", text);
		free(text);
	} else {
		assess_lack(ctx, out, &lack);
	}
	return 0;
}

/* ---- the work ------------------------------------------------------------------------------------------------------- */

static const struct step observe[] = {
	{ .name = "read-filters", .request = filters_read, .judge = filters_were_read, .deadline_ms = FILTER_READ_MAX_MS },
	{ .name = "read-files", .request = files_read, .judge = files_were_read },
	{ 0 },
};

static const struct step apply[] = {
	{ .name = "try-files", .request = files_try, .judge = files_were_tried, .deadline_ms = FILTER_READ_MAX_MS },
	{ .name = "add-rules", .request = rules_add, .judge = rules_added, .flags = STEP_MUTATES | STEP_IDEMPOTENT },
	{ .name = "write-files", .request = files_write, .judge = files_were_written, .flags = STEP_MUTATES | STEP_IDEMPOTENT },
	{ 0 },
};

static const struct step restore[] = { { 0 } };

static const struct step verify[] = {
	{ .name = "read-filters-again", .request = filters_read, .judge = filters_were_read_again, .deadline_ms = FILTER_READ_MAX_MS },
	{ 0 },
};

static const struct step revert[] = {
	{ .name = "revert-files", .request = files_write_old, .judge = old_files_were_written, .flags = STEP_MUTATES | STEP_IDEMPOTENT },
	{ .name = "remove-rules", .request = rules_remove, .judge = rules_removed, .flags = STEP_MUTATES | STEP_IDEMPOTENT },
	{ 0 },
};

static const char *const params[] = { "direction", NULL };

/* The same for both: each of the host's filters has to let it through. */
#define ALLOWS(is_called)                                                                                               \
	{                                                                                                                \
		.name = is_called, .summary = "the service's ranges on port 25 in the host's packet filter",             \
		.scope = SCOPE_HOST, .os = 1u << OS_LINUX, .params = params, .observe = observe, .assess = assess,       \
		.apply = apply, .restore = restore, .verify = verify, .revert = revert,                                  \
	}

const struct agent agent_nftables_allow = ALLOWS("nftables-allow");
const struct agent agent_iptables_allow = ALLOWS("iptables-allow");
