#include "agents/firewall/filter.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16
#define RULES_MAX 100000
#define DOUBTS_MAX 256

static void rule_release(struct filter_rule *rule)
{
	belief_release(&rule->applies);
	free(rule->why);
	free(rule->place);
}

static void chain_free(struct filter_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		rule_release(&c->rules[i]);
	free(c->rules);
	free(c->family);
	free(c->table);
	free(c->name);
	free(c);
}

void filter_release(struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		chain_free(f->chains[i]);
	free(f->chains);
	*f = (struct filter){ 0 };
}

struct filter_chain *filter_chain(struct filter *f, const char *family, const char *table, const char *name)
{
	struct filter_chain *c;

	for (size_t i = 0; i < f->n; i++) {
		c = f->chains[i];
		if (strcmp(c->name, name) == 0 && strcmp(c->table, table) == 0 && strcmp(c->family, family) == 0)
			return c;
	}
	c = NEW(struct filter_chain);
	c->family = str_dup(family);
	c->table = str_dup(table);
	c->name = str_dup(name);
	GROW_FOR_ONE(f->chains, f->n);
	return f->chains[f->n++] = c;
}

struct filter_rule *filter_rule(struct filter_chain *c)
{
	GROW_FOR_ONE(c->rules, c->n);
	c->rules[c->n] = (struct filter_rule){ 0 };
	return &c->rules[c->n++];
}

void filter_end_release(struct filter_end *end)
{
	ranges_release(&end->accepted);
	ranges_release(&end->dropped);
}

void filter_doubts_release(struct filter_doubts *d)
{
	for (size_t i = 0; i < d->n; i++) {
		ranges_release(&d->at[i].of);
		free(d->at[i].why);
	}
	free(d->at);
	*d = (struct filter_doubts){ 0 };
}

/* ---- the walk ------------------------------------------------------------------------------------------------------- */

struct walk {
	struct filter_end *end;
	struct filter_doubts *doubts;
	bool over_drops; /* the policy of the base chain */
	size_t rules;	 /* met so far */
};

/* Takes `why`. One that was there already gets the addresses, too. */
static void doubt(struct walk *w, const struct ranges *of, char *why)
{
	struct filter_doubts *d = w->doubts;

	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->at[i].why, why) == 0 || i == DOUBTS_MAX - 1) {
			ranges_or(&d->at[i].of, of);
			free(why);
			return;
		}
	GROW_FOR_ONE(d->at, d->n);
	d->at[d->n] = (struct filter_doubt){ .why = why };
	ranges_copy(&d->at[d->n++].of, of);
}

/* Both ends are possible for these. */
static void not_known(struct walk *w, const struct ranges *of, char *why)
{
	ranges_or(&w->end->accepted, of);
	ranges_or(&w->end->dropped, of);
	doubt(w, of, why);
}

/* The packets of a chain: those that may be at its current rule, and those that may have come to its end. */
struct flow {
	struct ranges here, over;
};

static void walk_chain(struct walk *w, const struct filter_chain *c, struct flow *flow, int depth);

/* What comes back from the chain that a rule sends `sent` to. */
static void walk_into(struct walk *w, const struct filter_rule *rule, const struct ranges *sent, struct ranges *back, int depth)
{
	struct flow flow = { 0 };

	if (!rule->to || depth == DEPTH_MAX || w->rules >= RULES_MAX) {
		not_known(w, sent, str_fmt("%s: %s", rule->place, rule->to ? "too deep or too long to follow" :
									     "it goes to a chain that is not listed"));
		return;
	}
	ranges_copy(&flow.here, sent);
	walk_chain(w, rule->to, &flow, depth + 1);
	ranges_copy(back, &flow.over);
	ranges_release(&flow.here);
	ranges_release(&flow.over);
}

static void walk_rule(struct walk *w, const struct filter_rule *rule, struct flow *flow, int depth)
{
	struct ranges hit = { 0 }, back = { 0 };

	ranges_copy(&hit, &flow->here);
	ranges_and(&hit, &rule->applies.maybe);
	ranges_minus(&flow->here, &rule->applies.sure);
	if (!hit.n)
		return;
	if (ranges_meet(&hit, &flow->here))
		doubt(w, &hit, str_fmt("%s: %s", rule->place, rule->why ? rule->why : "it may apply"));
	switch (rule->verdict) {
	case FILTER_ACCEPT:
		ranges_or(&w->end->accepted, &hit);
		break;
	case FILTER_DROP:
		ranges_or(&w->end->dropped, &hit);
		break;
	case FILTER_RETURN:
		ranges_or(&flow->over, &hit);
		break;
	case FILTER_JUMP:
		walk_into(w, rule, &hit, &back, depth);
		ranges_or(&flow->here, &back);
		break;
	case FILTER_GOTO:
		walk_into(w, rule, &hit, &back, depth);
		ranges_or(&flow->over, &back);
		break;
	case FILTER_OTHER:
		not_known(w, &hit, str_fmt("%s: %s", rule->place, rule->why ? rule->why : "it does something else"));
		break;
	}
	ranges_release(&hit);
	ranges_release(&back);
}

static void walk_chain(struct walk *w, const struct filter_chain *c, struct flow *flow, int depth)
{
	for (size_t i = 0; i < c->n && flow->here.n; i++, w->rules++) {
		walk_rule(w, &c->rules[i], flow, depth);
		if (depth == 0 && (w->end->dropped.n || (w->over_drops && flow->over.n)) && w->end->first_drop > i)
			w->end->first_drop = i;
	}
	ranges_or(&flow->over, &flow->here);
	ranges_release(&flow->here);
}

void filter_walk(const struct filter_chain *base, const struct ranges *asked, struct filter_end *out,
		 struct filter_doubts *doubts)
{
	struct walk w = { .end = out, .doubts = doubts, .over_drops = base->policy == FILTER_DROP };
	struct flow flow = { 0 };

	*out = (struct filter_end){ .first_drop = base->n };
	ranges_copy(&flow.here, asked);
	walk_chain(&w, base, &flow, 0);
	ranges_or(base->policy == FILTER_DROP ? &out->dropped : &out->accepted, &flow.over);
	ranges_release(&flow.over);
}
