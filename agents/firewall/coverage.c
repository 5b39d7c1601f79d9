#include "agents/firewall/coverage.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void hole_release(struct coverage_hole *hole)
{
	free(hole->family);
	free(hole->table);
	free(hole->chain);
	ranges_release(&hole->missing);
}

void coverage_release(struct coverage *c)
{
	for (size_t i = 0; i < c->holes_n; i++)
		hole_release(&c->holes[i]);
	free(c->holes);
	ranges_release(&c->covered);
	ranges_release(&c->missing);
	ranges_release(&c->unknown);
	filter_doubts_release(&c->doubts);
	*c = (struct coverage){ 0 };
}

void coverage_begin(struct coverage *c, const struct coverage_question *q)
{
	*c = (struct coverage){ 0 };
	ranges_copy(&c->covered, &q->needed);
}

/* The hooks on the way from the far side to the mail server, and back. */
static unsigned hooks_of(bool gateway, bool towards)
{
	if (gateway)
		return HOOK_INGRESS | HOOK_PREROUTING | HOOK_FORWARD | HOOK_POSTROUTING;
	return towards ? HOOK_INGRESS | HOOK_PREROUTING | HOOK_INPUT : HOOK_OUTPUT | HOOK_POSTROUTING;
}

/* 0: the first one of the connection; 1: later ones the same way; 2: the answers. */
void coverage_packet(const struct coverage_question *q, int i, struct packet *out)
{
	bool from_far = (q->way == COVERAGE_IN) == (i < 2);

	*out = (struct packet){
		.hooks = hooks_of(q->gateway, from_far),
		.from_far = from_far,
		.from_port = i == 2,
		.port = q->port,
		.established = i > 0,
		.near = q->near,
		.interface = q->interface,
	};
}

/* Moves what may be dropped out of what is covered: it is missing where it is surely dropped, else unknown. */
static void take_away(struct coverage *c, const struct filter_end *end)
{
	struct ranges lost = { 0 }, surely = { 0 };

	ranges_copy(&surely, &end->dropped);
	ranges_minus(&surely, &end->accepted);
	ranges_copy(&lost, &end->dropped);
	ranges_minus(&lost, &surely);
	ranges_minus(&c->covered, &end->dropped);
	ranges_or(&c->missing, &surely);
	ranges_or(&c->unknown, &lost);
	ranges_minus(&c->unknown, &c->missing);
	ranges_release(&lost);
	ranges_release(&surely);
}

static void add_hole(struct coverage *c, const struct packet *p, const struct filter_chain *chain, const struct filter_end *end)
{
	struct coverage_hole *hole;

	GROW_FOR_ONE(c->holes, c->holes_n);
	hole = &c->holes[c->holes_n++];
	*hole = (struct coverage_hole){
		.family = str_dup(chain->family),
		.table = str_dup(chain->table),
		.chain = str_dup(chain->name),
		.before = end->first_drop < chain->n ? chain->rules[end->first_drop].handle : 0,
		.first = !p->established,
	};
	ranges_copy(&hole->missing, &end->dropped);
}

/* The same rule is met by several packets: it is one doubt. Takes it. */
static void keep_doubt(struct coverage *c, struct filter_doubt *d)
{
	for (size_t i = 0; i < c->doubts.n; i++)
		if (strcmp(c->doubts.at[i].why, d->why) == 0) {
			ranges_or(&c->doubts.at[i].of, &d->of);
			return;
		}
	GROW_FOR_ONE(c->doubts.at, c->doubts.n);
	c->doubts.at[c->doubts.n++] = *d;
	*d = (struct filter_doubt){ 0 };
}

/* Those that touch what is not known. */
static void keep_doubts(struct coverage *c, const struct filter_end *end, struct filter_doubts *doubts)
{
	struct ranges both = { 0 };

	ranges_copy(&both, &end->accepted);
	ranges_and(&both, &end->dropped);
	for (size_t i = 0; i < doubts->n; i++) {
		ranges_and(&doubts->at[i].of, &both);
		if (doubts->at[i].of.n)
			keep_doubt(c, &doubts->at[i]);
	}
	ranges_release(&both);
}

static bool passes(const struct packet *p, const struct filter_chain *chain)
{
	return (chain->hook & p->hooks) && !(chain->nat && p->established);
}

void coverage_add(struct coverage *c, const struct packet *p, const struct filter *f)
{
	struct ranges asked = { 0 };

	ranges_copy(&asked, &c->covered);
	ranges_or(&asked, &c->missing);
	ranges_or(&asked, &c->unknown);
	for (size_t i = 0; i < f->n; i++) {
		struct filter_doubts doubts = { 0 };
		struct filter_end end;
		if (!passes(p, f->chains[i]))
			continue;
		filter_walk(f->chains[i], &asked, &end, &doubts);
		if (end.dropped.n)
			add_hole(c, p, f->chains[i], &end);
		take_away(c, &end);
		keep_doubts(c, &end, &doubts);
		filter_doubts_release(&doubts);
		filter_end_release(&end);
	}
	ranges_release(&asked);
}

void coverage_unread(struct coverage *c, const char *why)
{
	GROW_FOR_ONE(c->doubts.at, c->doubts.n);
	c->doubts.at[c->doubts.n] = (struct filter_doubt){ .why = str_dup(why) };
	ranges_copy(&c->doubts.at[c->doubts.n++].of, &c->covered);
	ranges_or(&c->unknown, &c->covered);
	ranges_release(&c->covered);
}

enum coverage_kind coverage_kind(const struct coverage *c)
{
	if (c->unknown.n)
		return COVERAGE_UNKNOWN;
	if (!c->missing.n)
		return COVERAGE_COVERED;
	return c->covered.n ? COVERAGE_PARTIAL : COVERAGE_MISSING;
}

const char *coverage_kind_name(enum coverage_kind kind)
{
	switch (kind) {
	case COVERAGE_COVERED:
		return "covered";
	case COVERAGE_PARTIAL:
		return "partial";
	case COVERAGE_MISSING:
		return "missing";
	case COVERAGE_UNKNOWN:
		return "unknown";
	}
	return "?";
}
