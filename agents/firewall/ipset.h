/*
 * The sets of `ipset save`, for one packet. Pure. Kinds that are modelled: hash:ip, hash:net, bitmap:ip, hash:ip,port and
 * hash:net,port over IPv4.
 */
#ifndef AGENTS_FIREWALL_IPSET_H
#define AGENTS_FIREWALL_IPSET_H

#include "agents/firewall/packet.h"

/* -m set --match-set NAME DIRECTIONS ("src", "dst", "src,dst" …). *why is set to what is not modelled, where something is (the
   caller frees). */
struct belief ipset_match(const char *saved, const struct packet *p, const char *name, const char *directions, char **why);

#endif
