/*
 * Reads `nft -j list ruleset` for one packet. Pure. The format: libnftables-json(5), and what nft 1.0.6 and 1.1.3 print
 * (fixtures in tests/unit/firewall).
 *
 * Tables of the families ip, inet, netdev and bridge are read; a packet over IPv4 meets nothing of ip6 and arp.
 * Tables that iptables-nft keeps are half-opaque here ("xt" objects without their data), so rules with such are not known: what
 * iptables-save shows of them is to be read from there (iptables.h), and left out here.
 */
#ifndef AGENTS_FIREWALL_NFT_H
#define AGENTS_FIREWALL_NFT_H

#include "agents/firewall/filter.h"

#include <jansson.h>

/* A ruleset that was printed; the caller decrefs. NULL with E_INVAL where it is none. */
json_t *nft_load(const char *text, size_t len, struct err *err);

/* The filter as the packet meets it, without the tables for which `skip` (may be NULL) says so. */
void nft_read(const json_t *ruleset, const struct packet *p, bool (*skip)(void *arg, const char *family, const char *table),
	      void *arg, struct filter *out);

#endif
