/*
 * Reads `nft -j list ruleset` for one packet. Pure. The format: libnftables-json(5), and what nft 1.0.6 and 1.1.3 print
 * (fixtures in tests/unit/firewall).
 *
 * Tables of the families ip, inet, netdev and bridge are read; a packet over IPv4 meets nothing of ip6 and arp.
 * Tables that iptables-nft manages are half-opaque here ("xt" objects without their data): rules with such are taken as
 * not known, and nft_is_iptables() tells which tables are better read from iptables-save.
 */
#ifndef AGENTS_FIREWALL_NFT_H
#define AGENTS_FIREWALL_NFT_H

#include "agents/firewall/filter.h"

#include <jansson.h>

/* Our own rules carry this in front of their comment. */
#define NFT_OURS "cutover"

/* A ruleset that was printed; the caller decrefs. NULL with E_INVAL where it is none. */
json_t *nft_load(const char *text, size_t len, struct err *err);

/* The filter as the packet meets it. `skip` (may be NULL): tables not to read. */
void nft_read(const json_t *ruleset, const struct packet *p, bool (*skip)(const char *family, const char *table),
	      struct filter *out);

/* Is it a table that iptables-nft keeps? By its name (those that iptables has) and family ip. */
bool nft_is_iptables(const char *family, const char *table);

/* Does it have a rule with data that only iptables-save shows? */
bool nft_is_opaque(const json_t *ruleset, const char *family, const char *table);

#endif
