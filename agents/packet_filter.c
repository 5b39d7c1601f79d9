/*
 * nftables-allow, iptables-allow: may mail pass between this host and the service's address ranges, now and after a reboot? The
 * vendor's step 1, as far as it can be proved: this version changes no rule. What is missing is a person's, with the commands.
 *
 * Both look at all that filters on the host (nftables, both kinds of iptables), since each has to let a packet through, whichever
 * of them the inventory names. What agents/firewall/ does not model makes it unknown, which is a person's as well.
 *
 * What the inventory says: `direction` (in: mail from the service; out: mail to it; both if absent).
 *
 * Facts, for each WHEN (now, boot) and WAY (in, out):
 *   WHEN.WAY.kind      covered | partial | missing | unknown
 *   WHEN.WAY.missing   the ranges that are dropped, or may be
 *   WHEN.WAY.why       of unknown: the first rule that is not understood
 *   now.WAY.fix        commands that let in what is missing
 *   keeper             firewalld, ufw: who keeps the rules
 */
#include "agents/agents.h"
#include "agents/firewall/coverage.h"
#include "agents/firewall/iptables.h"
#include "agents/firewall/nft.h"
#include "agents/frames.h"
#include "agents/script.h"

#include "base/alloc.h"

#define READ "firewall-read.sh"
#define READ_MAX_BYTES ((size_t)16 << 20)
#define READ_MAX_MS 60000
#define SMTP_PORT 25
#define RANGES_SHOWN 8

static const char *const way_names[] = { "in", "out" };
static const char *const when_names[] = { "now", "boot" };

enum when { NOW, BOOT };

/* ---- what the host printed ---------------------------------------------------------------------------------------- */

/* Frames by name; a view. */
struct printed {
	const char *text;
	size_t len;
};

/* NULL: there is none; the caller frees. */
static char *printed_text(const struct printed *p, const char *name)
{
	struct frame f;

	return frames_find(p->text, p->len, name, &f) ? frame_text(&f) : NULL;
}

/* Lines of a frame as a set of addresses. */
static void near_addresses(const struct printed *p, struct ranges *out)
{
	char *text = printed_text(p, "address");
	struct ranges one = { 0 };
	struct range range;

	for (char *line = text; line && *line;) {
		size_t len = strcspn(line, "\n");
		bool more = line[len] == '\n';
		line[len] = 0;
		if (range_parse(&range, line, NULL) == 0) {
			ranges_one(&one, range.from, range.end);
			ranges_or(out, &one);
		}
		line += len + more;
	}
	ranges_release(&one);
	free(text);
}

/* The one interface of the way to all ranges; NULL: they differ, or one has none. The caller frees. */
static char *far_interface(const struct printed *p)
{
	char *text = printed_text(p, "route"), *name = NULL;
	bool differ = !text;

	for (const char *line = text; line && *line && !differ;) {
		size_t len = strcspn(line, "\n");
		differ = !len || (name && (strlen(name) != len || strncmp(name, line, len) != 0));
		if (!name)
			name = str_ndup(line, len);
		line += len + (line[len] == '\n');
	}
	free(text);
	if (!differ)
		return name;
	free(name);
	return NULL;
}

/* ---- what filters ------------------------------------------------------------------------------------------------- */

/* Everything that was read for one moment. */
struct filters {
	json_t *nft;
	char *iptables, *legacy, *sets;
	char *unread; /* why something could not be read */
	bool any;     /* there is something to read at all */
};

static void filters_release(struct filters *f)
{
	json_decref(f->nft);
	free(f->iptables);
	free(f->legacy);
	free(f->sets);
	free(f->unread);
}

static void read_nft(struct filters *f, char *text, char *failed)
{
	struct err err = { 0 };

	if (text)
		f->nft = nft_load(text, strlen(text), &err);
	if (failed)
		f->unread = str_fmt("nft cannot show the rules: %.200s", failed);
	else if (text && !f->nft)
		f->unread = str_dup(err.text);
	f->any |= text || failed;
	free(text);
	free(failed);
}

static struct filters filters_of(const struct printed *p, enum when when)
{
	struct filters f = { 0 };

	read_nft(&f, printed_text(p, when == NOW ? "nft" : "boot-nft"), printed_text(p, when == NOW ? "nft-failed" : "boot-nft-failed"));
	f.iptables = printed_text(p, when == NOW ? "iptables" : "boot-iptables");
	f.legacy = when == NOW ? printed_text(p, "legacy") : NULL;
	f.sets = printed_text(p, when == NOW ? "sets" : "boot-sets");
	f.any |= f.iptables || f.legacy;
	return f;
}

/* What iptables shows whole is better read there. */
static bool shown_by_iptables(void *arg, const char *family, const char *table)
{
	const struct filters *f = arg;

	return f->iptables && strcmp(family, "ip") == 0 && iptables_shows(f->iptables, table);
}

static void add_iptables(struct coverage *c, const struct packet *p, const char *saved, const char *sets)
{
	struct filter filter;
	struct err err = { 0 };

	if (!saved)
		return;
	if (iptables_read(saved, sets ? sets : "", p, &filter, &err) != 0) {
		coverage_unread(c, err.text);
		return;
	}
	coverage_add(c, p, &filter);
	filter_release(&filter);
}

static void cover(struct coverage *c, const struct coverage_question *q, const struct filters *f)
{
	coverage_begin(c, q);
	for (int i = 0; i < COVERAGE_PACKETS; i++) {
		struct filter filter;
		struct packet p;
		coverage_packet(q, i, &p);
		if (f->nft) {
			nft_read(f->nft, &p, shown_by_iptables, (void *)f, &filter);
			coverage_add(c, &p, &filter);
			filter_release(&filter);
		}
		add_iptables(c, &p, f->iptables, f->sets);
		add_iptables(c, &p, f->legacy, f->sets);
	}
	if (f->unread)
		coverage_unread(c, f->unread);
}

/* ---- facts -------------------------------------------------------------------------------------------------------- */

static void set_fact(const struct agent_ctx *ctx, enum when when, enum coverage_way way, const char *name, const char *value)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.%s.%s", when_names[when], way_names[way], name);
	facts_set_text(ctx->now, key, value);
}

static const char *fact(const struct agent_ctx *ctx, enum when when, enum coverage_way way, const char *name)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.%s.%s", when_names[when], way_names[way], name);
	return facts_text(ctx->now, key, "");
}

/* iptables takes a list with commas and no blanks. */
static void write_iptables(struct buf *out, const struct coverage_hole *hole, const char *side, const char *ranges)
{
	if (hole->before)
		buf_addf(out, "iptables -t %s -I %s %lld -%s '", hole->table, hole->chain, (long long)hole->before, side);
	else
		buf_addf(out, "iptables -t %s -A %s -%s '", hole->table, hole->chain, side);
	for (; *ranges; ranges++)
		if (*ranges != ' ')
			buf_addc(out, *ranges);
	buf_adds(out, "' -p tcp --dport 25 -j ACCEPT");
}

/* A command that lets in what one chain drops. It has to be whole: where what is dropped is too much to write down, all that is
   needed is let in, and where that is, too, a person finds the words. */
static void write_fix(struct buf *out, const struct coverage_hole *hole, const struct ranges *wanted, enum coverage_way way)
{
	struct buf some = BUF_INIT, all = BUF_INIT;
	bool few = ranges_show(&hole->missing, &some, RANGES_SHOWN) == 0;
	bool whole = few || ranges_show(wanted, &all, RANGES_SHOWN) == 0;
	const char *ranges = few ? buf_str(&some) : buf_str(&all), *side = way == COVERAGE_IN ? "s" : "d";

	if (out->len)
		buf_adds(out, "; ");
	if (!hole->first || !whole)
		buf_addf(out, "let %s pass in the chain %s of the %s table %s",
			 hole->first ? "the service's ranges" : "packets of established connections", hole->chain,
			 *hole->family ? hole->family : "iptables", hole->table);
	else if (*hole->family && hole->before)
		buf_addf(out, "nft insert rule %s %s %s handle %lld ip %saddr '{ %s }' tcp dport 25 accept comment cutover", hole->family,
			 hole->table, hole->chain, (long long)hole->before, side, ranges);
	else if (*hole->family)
		buf_addf(out, "nft add rule %s %s %s ip %saddr '{ %s }' tcp dport 25 accept comment cutover", hole->family, hole->table,
			 hole->chain, side, ranges);
	else
		write_iptables(out, hole, side, ranges);
	buf_release(&some);
	buf_release(&all);
}

/* What lets the first packet in lets in the later ones of the same chain, too. */
static bool is_let_in(const struct coverage *c, const struct coverage_hole *hole)
{
	for (const struct coverage_hole *h = c->holes; h < hole; h++)
		if (h->first && !hole->first && strcmp(h->chain, hole->chain) == 0 && strcmp(h->table, hole->table) == 0 &&
		    strcmp(h->family, hole->family) == 0 && ranges_within(&hole->missing, &h->missing))
			return true;
	return false;
}

static void keep(const struct agent_ctx *ctx, enum when when, const struct coverage_question *q, const struct coverage *c)
{
	struct buf text = BUF_INIT, fix = BUF_INIT;
	struct ranges lost = { 0 };

	ranges_copy(&lost, &c->missing);
	ranges_or(&lost, &c->unknown);
	if (lost.n)
		ranges_show(&lost, &text, RANGES_SHOWN);
	for (size_t i = 0; i < c->holes_n; i++)
		if (!is_let_in(c, &c->holes[i]))
			write_fix(&fix, &c->holes[i], &q->needed, q->way);
	set_fact(ctx, when, q->way, "kind", coverage_kind_name(coverage_kind(c)));
	set_fact(ctx, when, q->way, "missing", buf_str(&text));
	set_fact(ctx, when, q->way, "why", c->doubts.n ? c->doubts.at[0].why : "");
	if (when == NOW)
		set_fact(ctx, when, q->way, "fix", buf_str(&fix));
	ranges_release(&lost);
	buf_release(&text);
	buf_release(&fix);
}

/* Nothing that loads rules at a boot is known of: then what filters now may be gone or be another one. */
static void boot_unknown(struct filters *boot, const struct filters *now)
{
	if (!boot->any && now->any && !boot->unread)
		boot->unread = str_dup("nothing is known of that loads the rules at a boot (nftables.service, netfilter-persistent, "
				       "iptables.service)");
}

/* ---- observe ------------------------------------------------------------------------------------------------------- */

/* The profile's ranges as a set; false: one of them is not IPv4. */
static bool needed(const struct agent_ctx *ctx, struct ranges *out, struct verdict *verdict)
{
	const struct strings *texts = &ctx->inventory->profile->ranges;
	struct ranges one = { 0 };
	struct range range;
	struct err err = { 0 };

	for (size_t i = 0; i < texts->n; i++) {
		if (range_parse(&range, texts->at[i], &err) != 0) {
			*verdict = verdict_person("the ranges of the profile %s: %s; this version knows IPv4 only, look at the firewall by hand",
						  ctx->inventory->profile->name, err.text);
			return false;
		}
		ranges_one(&one, range.from, range.end);
		ranges_or(out, &one);
	}
	ranges_release(&one);
	return true;
}

static enum step_request read_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct strings *ranges = &ctx->inventory->profile->ranges;

	(void)item;
	if (n > 0)
		return OP_END;
	script_op(op, READ);
	op->max_out_bytes = READ_MAX_BYTES;
	for (size_t i = 0; i < ranges->n && i < OP_ARGS_MAX; i++)
		op_argf(op, "%.*s", (int)strcspn(ranges->at[i], "/-"), ranges->at[i]);
	return OP_DO;
}

static void look(const struct agent_ctx *ctx, const struct printed *p, const struct ranges *wanted)
{
	struct filters now = filters_of(p, NOW), boot = filters_of(p, BOOT);
	char *interface = far_interface(p), *keeper = printed_text(p, "keeper");
	struct coverage_question q = { .gateway = ctx->host->gateway, .port = SMTP_PORT, .needed = *wanted, .interface = interface };
	struct coverage c;

	if (!ctx->host->gateway)
		near_addresses(p, &q.near);
	if (!now.any && !now.unread)
		now.unread = str_dup("neither nft nor iptables is there to show what the kernel filters");
	boot_unknown(&boot, &now);
	for (int way = COVERAGE_IN; way <= COVERAGE_OUT; way++) {
		q.way = (enum coverage_way)way;
		cover(&c, &q, &now);
		keep(ctx, NOW, &q, &c);
		coverage_release(&c);
		cover(&c, &q, &boot);
		keep(ctx, BOOT, &q, &c);
		coverage_release(&c);
	}
	if (keeper)
		facts_set_text(ctx->now, "keeper", keeper);
	ranges_release(&q.near);
	filters_release(&now);
	filters_release(&boot);
	free(interface);
	free(keeper);
}

static struct verdict read_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct printed p = { buf_str(&result->out), result->out.len };
	struct ranges wanted = { 0 };
	struct verdict verdict = verdict_ok();

	(void)n;
	if (!script_answered(result, READ, &verdict))
		return verdict;
	if (needed(ctx, &wanted, &verdict))
		look(ctx, &p, &wanted);
	ranges_release(&wanted);
	return verdict;
}

/* ---- assess -------------------------------------------------------------------------------------------------------- */

static bool asked(const struct agent_ctx *ctx, const char *way)
{
	const json_t *list = json_object_get(ctx->params, "direction");
	size_t i;
	json_t *each;

	if (json_is_string(list))
		return strcmp(json_string_value(list), way) == 0;
	json_array_foreach (list, i, each)
		if (json_is_string(each) && strcmp(json_string_value(each), way) == 0)
			return true;
	return !list;
}

static const char *direction(enum coverage_way way)
{
	return way == COVERAGE_IN ? "mail from" : "mail to";
}

/* False: this one is as it should be. */
static bool assess_way(const struct agent_ctx *ctx, enum when when, enum coverage_way way, struct assessment *out)
{
	const char *kind = fact(ctx, when, way, "kind"), *missing = fact(ctx, when, way, "missing");
	const char *moment = when == NOW ? "now" : "after a reboot";

	if (strcmp(kind, "covered") == 0)
		return false;
	if (strcmp(kind, "unknown") == 0)
		assessment_set(out, ASSESS_PERSON, "whether %s %s passes %s on port 25 is not known: %s; look at it, then confirm the step",
			       direction(way), missing, moment, fact(ctx, when, way, "why"));
	else if (when == NOW)
		assessment_set(out, ASSESS_PERSON, "%s %s is dropped on port 25. As root on %s: %s. Put the same into what loads the rules at "
						   "a boot, then run again", direction(way), missing, ctx->host->name, fact(ctx, when, way, "fix"));
	else
		assessment_set(out, ASSESS_PERSON, "%s %s passes now, but is dropped after a reboot: put what lets it pass into the file that "
						   "is loaded at a boot, then run again", direction(way), missing);
	return true;
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	const char *keeper = facts_text(ctx->now, "keeper", "");

	(void)err;
	for (int when = NOW; when <= BOOT; when++) {
		if (when == BOOT && *keeper) {
			assessment_set(out, ASSESS_PERSON, "port 25 passes now; %s keeps the rules here, and whether it also keeps these is not "
							   "looked at by this version: look, then confirm the step", keeper);
			return 0;
		}
		for (int way = COVERAGE_IN; way <= COVERAGE_OUT; way++)
			if (asked(ctx, way_names[way]) && assess_way(ctx, (enum when)when, (enum coverage_way)way, out))
				return 0;
	}
	assessment_set(out, ASSESS_NEW, "port 25 passes for all %zu ranges of the service, now and after a reboot",
		       ctx->inventory->profile->ranges.n);
	return 0;
}

static const struct step observe[] = {
	{ .name = "read-filters", .request = read_request, .judge = read_judge, .deadline_ms = READ_MAX_MS },
	{ 0 },
};

static const struct step nothing[] = { { 0 } };
static const char *const params[] = { "direction", NULL };

/* The same for both: each of the host's filters has to let it through. */
#define LOOKS(is_called)                                                                                                \
	{                                                                                                                \
		.name = is_called, .summary = "may mail pass the host's packet filter? (changes nothing)",               \
		.scope = SCOPE_HOST, .os = 1u << OS_LINUX, .params = params, .observe = observe, .assess = assess,       \
		.apply = nothing, .restore = nothing, .verify = nothing, .revert = nothing,                              \
	}

const struct agent agent_nftables_allow = LOOKS("nftables-allow");
const struct agent agent_iptables_allow = LOOKS("iptables-allow");
