/*
 * One match of an nftables rule, as JSON: for which far addresses does it hold? Pure; used by nft.c.
 */
#ifndef AGENTS_FIREWALL_NFT_MATCH_H
#define AGENTS_FIREWALL_NFT_MATCH_H

#include "agents/firewall/packet.h"

#include <jansson.h>

struct nft_match {
	const struct packet *packet;
	/* The elements of a named set or map of the table that the rule stands in (NULL: it is empty); false: there is none of that
	   name. *fleeting: its elements come and go by themselves. */
	bool (*set)(void *arg, const char *name, const json_t **elements, bool *fleeting);
	void *arg;
	/* What was not modelled, in words; the first one of a rule. The caller frees. */
	char *why;
};

/* {"op", "left", "right"} */
struct belief nft_match(struct nft_match *m, const json_t *match);

/* Is `left` this element of a set, or key of a map? */
struct belief nft_match_element(struct nft_match *m, const json_t *left, const json_t *element);

/* Something that is not modelled: unsure, and it is said why. */
struct belief nft_match_unknown(struct nft_match *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
