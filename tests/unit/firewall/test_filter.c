#include "tests/lib/unit.h"

#include "agents/firewall/filter.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/*
 * The walk against a simulation that takes one address at a time through the same chains, once for each way in which the
 * rules that may apply do or do not: the ends that are possible are exactly those that some way leads to, or more; for rules
 * that surely apply they are exactly the one.
 */
#define WORLD 12
#define CHAINS 4
#define RULES 5

struct toy_rule {
	unsigned sure, maybe; /* bits of addresses */
	enum filter_verdict verdict;
	int to;
};

struct toy {
	struct toy_rule rules[CHAINS][RULES];
	enum filter_verdict policy;
	int unsure; /* rules that may apply, in all chains */
};

static struct ranges set_of(unsigned bits)
{
	struct range list[WORLD];
	struct ranges r = { 0 };
	size_t n = 0;

	for (unsigned i = 0; i < WORLD; i++)
		if (bits >> i & 1)
			list[n++] = (struct range){ i, i + 1 };
	ranges_of(&r, list, n);
	return r;
}

/* Jumps go to later chains only: nftables and iptables refuse loops. */
static void make_toy(struct toy *t, bool unsure)
{
	static const enum filter_verdict verdicts[] = { FILTER_ACCEPT, FILTER_DROP, FILTER_JUMP, FILTER_GOTO, FILTER_RETURN };

	*t = (struct toy){ .policy = rand() % 2 ? FILTER_ACCEPT : FILTER_DROP };
	for (int c = 0; c < CHAINS; c++)
		for (int i = 0; i < RULES; i++) {
			struct toy_rule *r = &t->rules[c][i];
			r->maybe = (unsigned)rand() % (1U << WORLD) & (unsigned)rand();
			r->sure = r->maybe;
			if (unsure && t->unsure < 6 && rand() % 3 == 0) {
				r->sure &= (unsigned)rand();
				t->unsure++;
			}
			r->verdict = verdicts[rand() % (c == CHAINS - 1 ? 2 : 5)];
			r->to = c + 1 < CHAINS ? c + 1 + rand() % (CHAINS - c - 1) : 0;
		}
}

static void make_filter(const struct toy *t, struct filter *f)
{
	char name[2] = "0";

	for (int c = 0; c < CHAINS; c++) {
		name[0] = (char)('0' + c);
		filter_chain(f, "inet", "t", name)->policy = t->policy;
	}
	for (int c = 0; c < CHAINS; c++)
		for (int i = 0; i < RULES; i++) {
			const struct toy_rule *from = &t->rules[c][i];
			struct filter_rule *r = filter_rule(f->chains[c]);
			r->applies.sure = set_of(from->sure);
			r->applies.maybe = set_of(from->maybe);
			r->verdict = from->verdict;
			r->to = f->chains[from->to];
			r->place = str_fmt("chain %d, rule %d", c, i);
		}
}

/* FILTER_RETURN: it came to the chain's end. `way`: a bit for each unsure rule, whether it applies. */
static enum filter_verdict simulate(const struct toy *t, int chain, unsigned address, unsigned way)
{
	int bit = 0;

	for (int c = 0; c < chain; c++)
		for (int i = 0; i < RULES; i++)
			bit += t->rules[c][i].sure != t->rules[c][i].maybe;
	for (int i = 0; i < RULES; i++) {
		const struct toy_rule *r = &t->rules[chain][i];
		bool is_unsure = r->sure != r->maybe, chosen = is_unsure && (way >> bit & 1);
		enum filter_verdict end;
		bit += is_unsure;
		if (!(r->sure >> address & 1) && !(chosen && (r->maybe >> address & 1)))
			continue;
		if (r->verdict != FILTER_JUMP && r->verdict != FILTER_GOTO)
			return r->verdict;
		end = simulate(t, r->to, address, way);
		if (end != FILTER_RETURN || r->verdict == FILTER_GOTO)
			return end;
	}
	return FILTER_RETURN;
}

static void check_address(const struct toy *t, const struct filter_end *end, unsigned address)
{
	bool accepted = false, dropped = false;

	for (unsigned way = 0; way < 1U << t->unsure; way++) {
		enum filter_verdict v = simulate(t, 0, address, way);
		if (v == FILTER_RETURN)
			v = t->policy;
		accepted |= v == FILTER_ACCEPT;
		dropped |= v == FILTER_DROP;
	}
	ck_assert(!accepted || ranges_has(&end->accepted, address));
	ck_assert(!dropped || ranges_has(&end->dropped, address));
	if (t->unsure == 0)
		ck_assert_int_eq(ranges_has(&end->accepted, address) + ranges_has(&end->dropped, address), 1);
}

static void check_toy(const struct toy *t)
{
	struct filter f = { 0 };
	struct filter_end end;
	struct filter_doubts doubts = { 0 };
	struct ranges asked = set_of((unsigned)rand() % (1U << WORLD)), got = { 0 };

	make_filter(t, &f);
	filter_walk(f.chains[0], &asked, &end, &doubts);
	for (unsigned a = 0; a < WORLD; a++)
		if (ranges_has(&asked, a))
			check_address(t, &end, a);
	ranges_copy(&got, &end.accepted);
	ranges_or(&got, &end.dropped);
	ck_assert(ranges_within(&got, &asked) && ranges_within(&asked, &got));
	/* What is not known has a reason. */
	ranges_copy(&got, &end.accepted);
	ranges_and(&got, &end.dropped);
	ck_assert(!got.n || doubts.n);
	ranges_release(&got);
	ranges_release(&asked);
	filter_end_release(&end);
	filter_doubts_release(&doubts);
	filter_release(&f);
}

START_TEST(test_simulation)
{
	srand(11);
	for (int i = 0; i < 1000; i++) {
		struct toy t;
		make_toy(&t, i % 3 != 0);
		check_toy(&t);
	}
}
END_TEST

/* An accept that is put before first_drop is met by all that may be dropped. */
START_TEST(test_first_drop)
{
	srand(12);
	for (int i = 0; i < 2000; i++) {
		struct toy t;
		struct filter f = { 0 };
		struct filter_end end;
		struct filter_doubts doubts = { 0 };
		struct ranges asked = set_of((1U << WORLD) - 1);
		struct filter_chain *base;

		make_toy(&t, i % 2);
		make_filter(&t, &f);
		base = f.chains[0];
		filter_walk(base, &asked, &end, &doubts);
		if (end.dropped.n) {
			struct filter_rule *last = filter_rule(base), accept = { .verdict = FILTER_ACCEPT };
			ranges_copy(&accept.applies.sure, &end.dropped);
			ranges_copy(&accept.applies.maybe, &end.dropped);
			accept.place = str_dup("ours");
			memmove(&base->rules[end.first_drop + 1], &base->rules[end.first_drop],
				(size_t)(last - &base->rules[end.first_drop]) * sizeof(accept));
			base->rules[end.first_drop] = accept;
			filter_end_release(&end);
			filter_walk(base, &asked, &end, &doubts);
			ck_assert_uint_eq(end.dropped.n, 0);
		}
		ranges_release(&asked);
		filter_end_release(&end);
		filter_doubts_release(&doubts);
		filter_release(&f);
	}
}
END_TEST

/* A loop, which no kernel takes but a liar can print, and chains that multiply. */
START_TEST(test_bounds)
{
	struct filter f = { 0 };
	struct filter_end end;
	struct filter_doubts doubts = { 0 };
	struct ranges asked = set_of(6);

	for (int i = 0; i < 300; i++) {
		struct filter_rule *r = filter_rule(filter_chain(&f, "ip", "t", "loop"));
		r->applies = belief_all();
		r->verdict = FILTER_JUMP;
		r->to = f.chains[0];
		r->place = str_dup("here");
	}
	filter_walk(f.chains[0], &asked, &end, &doubts);
	ck_assert(ranges_within(&asked, &end.accepted) && ranges_within(&asked, &end.dropped));
	ck_assert_str_eq(doubts.at[0].why, "here: too deep or too long to follow");
	ranges_release(&asked);
	filter_end_release(&end);
	filter_doubts_release(&doubts);
	filter_release(&f);
}
END_TEST

SUITE(filter)
{
	TEST_CASE(s, test_simulation);
	TEST_CASE(s, test_first_drop);
	TEST_CASE(s, test_bounds);
}
