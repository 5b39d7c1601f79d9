/*
 * A packet filter as one packet meets it: chains of rules, and what becomes of each far address. Pure; nft.h and iptables.h
 * read one out of what a host prints.
 *
 * For each address there is the set of ends that are possible: it may be let through, it may be dropped. An address for which
 * only one is possible is known; one for which both are is not, whatever the reason was. A rule that surely applies takes its
 * addresses out of what the rules behind it see; one that may apply gives them its verdict as a possibility and leaves them
 * there. So whatever is not modelled can only make an answer unknown.
 */
#ifndef AGENTS_FIREWALL_FILTER_H
#define AGENTS_FIREWALL_FILTER_H

#include "agents/firewall/packet.h"

/* The comment that our own rules bear. */
#define FILTER_MARK "cutover"

enum filter_verdict {
	FILTER_ACCEPT, /* lets through: this base chain is over */
	FILTER_DROP,   /* for good; a reject is one, too */
	FILTER_JUMP,   /* to a chain, and back to the next rule at its end */
	FILTER_GOTO,   /* to a chain, whose end is this one's */
	FILTER_RETURN, /* this chain is over */
	FILTER_OTHER,  /* something else becomes of it (queue, a new destination): either end is possible */
};

struct filter_rule {
	struct belief applies;
	enum filter_verdict verdict;
	struct filter_chain *to; /* JUMP, GOTO; NULL: no such chain, which is as OTHER */
	char *why;		 /* what of it is not modelled, in words; NULL where `applies` is sure */
	char *place;		 /* "inet filter input, handle 12" */
	int64_t handle;		 /* nftables: its handle; iptables: its number in the chain, from 1 */
	bool marked;		 /* its comment says that it is ours (FILTER_MARK), and nothing else */
};

struct filter_chain {
	char *family, *table, *name;
	enum hook hook; /* HOOK_NONE: reached by a jump only */
	int64_t priority;
	bool nat;       /* sees the first packet of a connection only */
	enum filter_verdict policy; /* of a base chain: FILTER_ACCEPT or FILTER_DROP */
	struct filter_rule *rules;
	size_t n;
};

struct filter {
	struct filter_chain **chains; /* in the order they were listed */
	size_t n;
};

void filter_release(struct filter *f);

/* The chain of that name, made where there is none yet (jumps name chains that come later). */
struct filter_chain *filter_chain(struct filter *f, const char *family, const char *table, const char *name);
/* A zeroed rule at the end of the chain, valid until the next call. */
struct filter_rule *filter_rule(struct filter_chain *c);

/* What becomes of the asked addresses in one base chain. */
struct filter_end {
	struct ranges accepted, dropped; /* that may be; their intersection is not known */
	/* The rule of the base chain itself at which the first of them may be dropped (the number of its rules: by its policy);
	   valid where `dropped` is not empty. What shall be let through goes before it. */
	size_t first_drop;
};

void filter_end_release(struct filter_end *end);

/* Why something is not known: the rules that may apply, for which addresses. */
struct filter_doubt {
	struct ranges of;
	char *why; /* "inet filter input, handle 12: the interface eth1" */
};

struct filter_doubts {
	struct filter_doubt *at;
	size_t n;
};

void filter_doubts_release(struct filter_doubts *d);

/* Jumps are followed 16 deep (NFT_JUMP_STACK_SIZE of linux/netfilter/nf_tables.h) and a hundred thousand rules in all; beyond it the
   rest is not known, and a doubt says so. */
void filter_walk(const struct filter_chain *base, const struct ranges *asked, struct filter_end *out,
		 struct filter_doubts *doubts);

#endif
