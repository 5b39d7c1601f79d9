#include "agents/firewall/gap.h"
#include "agents/packet_filter.h"
#include "agents/script.h"

#include "base/alloc.h"

#include <strings.h>

#define RANGES_SHOWN 8 /* by name; the others are counted */

const char *const filter_way_names[] = { "in", "out" };
const char *const filter_when_names[] = { "now", "boot" };

/* ---- facts -------------------------------------------------------------------------------------------------------- */

static void set_fact(const struct agent_ctx *ctx, enum filter_when when, enum coverage_way way, const char *name, const char *value)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.%s.%s", filter_when_names[when], filter_way_names[way], name);
	facts_set_text(ctx->now, key, value);
}

const char *filter_fact(const struct agent_ctx *ctx, enum filter_when when, enum coverage_way way, const char *name)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.%s.%s", filter_when_names[when], filter_way_names[way], name);
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
		buf_addf(out, "nft insert rule %s %s %s handle %lld ip %saddr '{ %s }' tcp dport 25 accept", hole->family,
			 hole->table, hole->chain, (long long)hole->before, side, ranges);
	else if (*hole->family)
		buf_addf(out, "nft add rule %s %s %s ip %saddr '{ %s }' tcp dport 25 accept", hole->family, hole->table,
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

/* Facts of the whole moment: what was said of one way goes behind what was said of the other. */
static void add_fact(const struct agent_ctx *ctx, enum filter_when when, const char *name, const char *text)
{
	char key[FACT_KEY_MAX], *both;

	snprintf(key, sizeof(key), "%s.%s", filter_when_names[when], name);
	both = str_fmt("%s%s", facts_text(ctx->now, key, ""), text);
	facts_set_text(ctx->now, key, both);
	free(both);
}

/* Chains and tables that a program writes anew whenever it likes: a rule of ours in them is gone one day, or in its way. */
static bool is_kept_by_a_program(const char *name)
{
	static const char *const begins[] = { "docker", "kube", "cni", "cali", "cilium", "netavark", "libvirt", "firewalld", "ufw",
					      "f2b", "crowdsec", "lxc", "lxd", "podman" };

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (strncasecmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* "a, b" as "a,b"; false: it is longer than a gap can be. */
static bool set_ranges(struct gap *g, const char *text)
{
	size_t n = 0;

	for (; *text && n < sizeof(g->ranges) - 1; text++)
		if (*text != ' ')
			g->ranges[n++] = *text;
	g->ranges[n] = 0;
	return !*text;
}

/* What misses, or where that is too much to write down, all that is needed. False: that is too much as well. */
static bool gap_ranges(struct gap *g, const struct ranges *missing, const struct ranges *wanted)
{
	const struct ranges *from[] = { missing, wanted };
	bool whole = false;

	for (size_t i = 0; i < ARRAY_LEN(from) && !whole; i++) {
		struct buf text = BUF_INIT;
		whole = ranges_show(from[i], &text, RANGES_SHOWN) == 0 && set_ranges(g, buf_str(&text));
		buf_release(&text);
	}
	return whole;
}

/* The place of a gap; false: its names are none that we write. */
static bool gap_place(struct gap *g, const char *family, const char *table, const char *chain)
{
	snprintf(g->family, sizeof(g->family), "%s", family);
	snprintf(g->table, sizeof(g->table), "%s", table);
	snprintf(g->chain, sizeof(g->chain), "%s", chain);
	return strlen(table) < sizeof(g->table) && strlen(chain) < sizeof(g->chain);
}

/* What a rule of ours would let in there; else why it is not ours to make. */
static void keep_gap(const struct agent_ctx *ctx, enum filter_when when, const struct coverage_question *q,
		     const struct coverage_hole *hole)
{
	const char *family = *hole->family ? hole->family : hole->legacy ? "legacy" : "iptables";
	struct gap g = { .before = hole->before, .in = q->way == COVERAGE_IN };
	struct buf line = BUF_INIT, why = BUF_INIT;
	bool fits = gap_place(&g, family, hole->table, hole->chain) && gap_ranges(&g, &hole->missing, &q->needed);

	if (!hole->first)
		buf_addf(&why, "packets of established connections are dropped in the chain %s; ", hole->chain);
	else if (is_kept_by_a_program(hole->table) || is_kept_by_a_program(hole->chain))
		buf_addf(&why, "the chain %s of the table %s is kept by a program of its own; ", hole->chain, hole->table);
	else if (!fits || !gap_fits(&g))
		buf_addf(&why, "a rule for the chain %s of the table %s is not written by this version; ", hole->chain, hole->table);
	else
		gap_add(&line, &g);
	add_fact(ctx, when, line.len ? "gaps" : "unfit", line.len ? buf_str(&line) : buf_str(&why));
	buf_release(&line);
	buf_release(&why);
}

static void keep_holes(const struct agent_ctx *ctx, enum filter_when when, const struct coverage_question *q, const struct coverage *c)
{
	struct buf fix = BUF_INIT;

	for (size_t i = 0; i < c->holes_n; i++) {
		if (is_let_in(c, &c->holes[i]))
			continue;
		write_fix(&fix, &c->holes[i], &q->needed, q->way);
		if (filter_asks(ctx, q->way))
			keep_gap(ctx, when, q, &c->holes[i]);
	}
	if (when == FILTER_NOW)
		set_fact(ctx, when, q->way, "fix", buf_str(&fix));
	buf_release(&fix);
}

void filter_keep(const struct agent_ctx *ctx, enum filter_when when, const struct coverage_question *q, const struct coverage *c)
{
	struct buf text = BUF_INIT;
	struct ranges lost = { 0 };

	ranges_copy(&lost, &c->missing);
	ranges_or(&lost, &c->unknown);
	if (lost.n)
		ranges_show(&lost, &text, RANGES_SHOWN);
	set_fact(ctx, when, q->way, "kind", coverage_kind_name(coverage_kind(c)));
	set_fact(ctx, when, q->way, "missing", buf_str(&text));
	set_fact(ctx, when, q->way, "why", c->doubts.n ? c->doubts.at[0].why : "");
	keep_holes(ctx, when, q, c);
	ranges_release(&lost);
	buf_release(&text);
}

/* ---- our own rules -------------------------------------------------------------------------------------------------- */

/* The filter was read for the first packet of that way: only of a rule about the far side it is sure then whether it applies. */
static void mark(struct filter_marks *m, const struct filter_chain *c, const struct filter_rule *rule, const char *family, bool in)
{
	struct gap g = { .before = rule->handle, .in = in };

	m->all += in;
	if (rule->verdict == FILTER_ACCEPT && belief_is_sure(&rule->applies) && rule->applies.sure.n &&
	    gap_place(&g, *c->family ? c->family : family, c->table, c->name) &&
	    gap_ranges(&g, &rule->applies.sure, &rule->applies.sure) && gap_fits(&g)) {
		gap_add(&m->lines, &g);
		m->known++;
	}
}

void filter_marks_find(struct filter_marks *m, const struct filter *f, const char *family, bool in)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct filter_chain *c = f->chains[i];
		m->forwards |= is_kept_by_a_program(c->name) || is_kept_by_a_program(c->table);
		for (size_t k = 0; k < c->n; k++)
			if (c->rules[k].marked)
				mark(m, c, &c->rules[k], family, in);
	}
}

void filter_marks_keep(const struct agent_ctx *ctx, const struct filter_marks *m)
{
	facts_set_text(ctx->now, "marks", buf_str(&m->lines));
	facts_setf(ctx->now, "marks.odd", "%zu", m->all > m->known ? m->all - m->known : 0);
	if (m->forwards && ctx->host->gateway)
		add_fact(ctx, FILTER_NOW, "unfit", "a program keeps chains of its own for what is forwarded (containers, virtual machines); ");
}
