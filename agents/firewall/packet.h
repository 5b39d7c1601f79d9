/*
 * The packets that a firewall is asked about, and what is believed of them. Pure.
 *
 * One packet stands for one from (or to) each address of the far side at once: what is asked of a rule is for which far
 * addresses it applies. Where a rule looks at something that is not known of the packet, or that is not modelled, the
 * answer is a *belief*: for `sure` it applies, for `maybe` (a superset) it may. What is not in `maybe` it surely does not
 * touch. So nothing has to be known to be safe, and what is not known shows in the end.
 */
#ifndef AGENTS_FIREWALL_PACKET_H
#define AGENTS_FIREWALL_PACKET_H

#include "agents/firewall/ranges.h"

struct belief {
	struct ranges sure, maybe;
};

void belief_release(struct belief *b);

/* A rule applies to all, to none, may apply to each, applies to exactly these. */
struct belief belief_all(void);
struct belief belief_none(void);
struct belief belief_unsure(void);
struct belief belief_exactly(const struct ranges *r);

/* In place; `with` is released. */
void belief_and(struct belief *b, struct belief with);
void belief_or(struct belief *b, struct belief with);
void belief_not(struct belief *b);
/* They hold at times only (an element with a time-out, a rate limit). */
void belief_doubt(struct belief *b);
bool belief_is_sure(const struct belief *b);

/* Where a packet is seen; bits. */
enum hook {
	HOOK_NONE = 0,
	HOOK_INGRESS = 1,
	HOOK_PREROUTING = 2,
	HOOK_INPUT = 4,
	HOOK_FORWARD = 8,
	HOOK_OUTPUT = 16,
	HOOK_POSTROUTING = 32,
};

/* States of conntrack; bits. */
enum ct_state { CT_NEW = 1, CT_ESTABLISHED = 2, CT_RELATED = 4, CT_INVALID = 8, CT_UNTRACKED = 16 };

/* A TCP packet over IPv4. Its port is the service's, the other one any of 1024 to 65535 (RFC 6056: what mail servers connect
   from). */
struct packet {
	unsigned hooks;	      /* those that it passes */
	bool from_far;	      /* the far addresses are its source, else its destination */
	bool from_port;	      /* the service's port is its source port, else its destination port */
	unsigned port;
	bool established;     /* conntrack knows the connection; else it is the SYN that begins one */
	struct ranges near;   /* the addresses of this side, a view; empty: not known */
	const char *interface; /* on the way to the far side; NULL: not known */
};

/* `source`: is the rule about the source? Sets of addresses and ports. */
struct belief packet_address(const struct packet *p, bool source, const struct ranges *set);
struct belief packet_port(const struct packet *p, bool source, const struct ranges *set);
/* A rule that wants one of these states. */
struct belief packet_state(const struct packet *p, unsigned states);
/* Flags of TCP (RFC 9293, 3.1): of those in the mask exactly these are set. */
struct belief packet_flags(const struct packet *p, unsigned mask, unsigned set);
/* `in`: the interface it comes by, else the one it leaves by. An ending "*" or "+" stands for any ending. */
struct belief packet_interface(const struct packet *p, bool in, const char *name);

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128 };

/* The bit of a flag by its name, in either case; 0: there is none of that name. */
unsigned tcp_flag(const char *name);
/* The same for states: "new", "ESTABLISHED". */
unsigned ct_state(const char *name);

#endif
