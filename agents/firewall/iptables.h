/*
 * Reads `iptables-save` (either kind, also /etc/iptables/rules.v4) and `ipset save` for one packet. Pure. The grammar:
 * iptables(8), iptables-extensions(8), ipset(8), and what iptables 1.8.9 and ipset 7.17 print (fixtures in
 * tests/unit/firewall).
 */
#ifndef AGENTS_FIREWALL_IPTABLES_H
#define AGENTS_FIREWALL_IPTABLES_H

#include "agents/firewall/filter.h"

/* The filter as the packet meets it; `sets` is what ipset saved, "" where there is none. E_INVAL: a line that is none of
   iptables-save's, with its number. */
int iptables_read(const char *saved, const char *sets, const struct packet *p, struct filter *out, struct err *err);

/* Does it show all of that table? Of one that iptables-nft cannot show it says so in a comment, and lists empty chains (measured,
   1.8.9: "# Table `filter' contains incompatible base-chains, use 'nft' tool to list them."). */
bool iptables_shows(const char *saved, const char *table);

#endif
