/*
 * May mail pass between this host and the service's addresses? The answer out of all that filters on the way. Pure.
 *
 * A connection is more than its first packet: asked are the SYN, what follows it, and the answers, in every base chain of every
 * hook that they pass. Only an address that all of them let through is covered (nft(8): accept ends one base chain only, a later
 * one can still drop; drop is final).
 */
#ifndef AGENTS_FIREWALL_COVERAGE_H
#define AGENTS_FIREWALL_COVERAGE_H

#include "agents/firewall/filter.h"

enum coverage_way {
	COVERAGE_IN,  /* the service connects to this side */
	COVERAGE_OUT, /* this side connects to the service */
};

struct coverage_question {
	enum coverage_way way;
	bool gateway;		/* it forwards to the mail server, else it is the mail server */
	unsigned port;		/* 25 */
	struct ranges needed;	/* a view: the service's addresses */
	struct ranges near;	/* a view: addresses of the mail server; empty: not known */
	const char *interface;	/* the one that packets to all of the needed addresses leave by; NULL: not known */
};

/* A base chain that stands in the way: what it may drop, and before which of its rules an accept has to stand. */
struct coverage_hole {
	char *family, *table, *chain; /* nftables; family "" for iptables */
	struct ranges missing;
	int64_t before; /* handle or number of that rule; 0: at the end, before its policy */
	bool first;	/* the packet that begins the connection; else a later one, or an answer */
	bool legacy;	/* for the reader of several filters: it stands in iptables-legacy; false as it is made */
};

struct coverage {
	struct ranges covered, missing, unknown; /* together what is needed */
	struct coverage_hole *holes;
	size_t holes_n;
	struct filter_doubts doubts; /* those that touch what is unknown */
};

void coverage_release(struct coverage *c);

/* Begins an answer: everything needed is covered as long as nothing was asked. */
void coverage_begin(struct coverage *c, const struct coverage_question *q);

/* The packets of a question, 0 to COVERAGE_PACKETS - 1. */
#define COVERAGE_PACKETS 3
void coverage_packet(const struct coverage_question *q, int i, struct packet *out);

/* Adds what a filter, read for that packet, does with it. A host can have several filters (nftables, both kinds of iptables): each
   one is added, and each has to let it through. */
void coverage_add(struct coverage *c, const struct packet *p, const struct filter *f);

/* The whole for something that cannot be read at all: everything that was covered is unknown, for that reason. */
void coverage_unread(struct coverage *c, const char *why);

enum coverage_kind { COVERAGE_COVERED, COVERAGE_PARTIAL, COVERAGE_MISSING, COVERAGE_UNKNOWN };

/* One word for it: unknown where anything is, partial where some of the rest is missing. */
enum coverage_kind coverage_kind(const struct coverage *c);
const char *coverage_kind_name(enum coverage_kind kind);

#endif
