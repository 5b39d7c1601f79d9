#include "agents/firewall/packet.h"

#include "base/alloc.h"

#include <string.h>
#include <strings.h>

void belief_release(struct belief *b)
{
	ranges_release(&b->sure);
	ranges_release(&b->maybe);
}

struct belief belief_none(void)
{
	return (struct belief){ 0 };
}

struct belief belief_unsure(void)
{
	struct belief b = { 0 };

	ranges_one(&b.maybe, 0, ADDRESSES_END);
	return b;
}

struct belief belief_all(void)
{
	struct belief b = belief_unsure();

	ranges_one(&b.sure, 0, ADDRESSES_END);
	return b;
}

struct belief belief_exactly(const struct ranges *r)
{
	struct belief b = { 0 };

	ranges_copy(&b.sure, r);
	ranges_copy(&b.maybe, r);
	return b;
}

void belief_and(struct belief *b, struct belief with)
{
	ranges_and(&b->sure, &with.sure);
	ranges_and(&b->maybe, &with.maybe);
	belief_release(&with);
}

void belief_or(struct belief *b, struct belief with)
{
	ranges_or(&b->sure, &with.sure);
	ranges_or(&b->maybe, &with.maybe);
	belief_release(&with);
}

void belief_not(struct belief *b)
{
	struct belief all = belief_all();

	ranges_minus(&all.sure, &b->maybe);
	ranges_minus(&all.maybe, &b->sure);
	belief_release(b);
	*b = all;
}

void belief_doubt(struct belief *b)
{
	ranges_release(&b->sure);
}

bool belief_is_sure(const struct belief *b)
{
	return ranges_within(&b->maybe, &b->sure);
}

static struct belief when(bool holds)
{
	return holds ? belief_all() : belief_none();
}

/* Of something that is one of `known`, a rule wants one of `set`. */
static struct belief one_of(const struct ranges *known, const struct ranges *set)
{
	if (ranges_within(known, set))
		return belief_all();
	return ranges_meet(known, set) ? belief_unsure() : belief_none();
}

struct belief packet_address(const struct packet *p, bool source, const struct ranges *set)
{
	struct ranges any = { .at = &(struct range){ 0, ADDRESSES_END }, .n = 1 };

	if (source == p->from_far)
		return belief_exactly(set);
	return one_of(p->near.n ? &p->near : &any, set);
}

struct belief packet_port(const struct packet *p, bool source, const struct ranges *set)
{
	struct ranges any = { .at = &(struct range){ 1024, PORTS_END }, .n = 1 };

	return source == p->from_port ? when(ranges_has(set, p->port)) : one_of(&any, set);
}

struct belief packet_state(const struct packet *p, unsigned states)
{
	return when(states & (p->established ? CT_ESTABLISHED : CT_NEW));
}

/* A packet of a connection may be any but its first: ACK is set, SYN only in the answer to the first, RST never. */
struct belief packet_flags(const struct packet *p, unsigned mask, unsigned set)
{
	if (!p->established)
		return when((TCP_SYN & mask) == set);
	if (((set & TCP_ACK) == 0 && (mask & TCP_ACK)) || (set & TCP_RST) || (set & ~mask))
		return belief_none();
	return (mask & ~(unsigned)(TCP_ACK | TCP_RST)) ? belief_unsure() : belief_all();
}

struct belief packet_interface(const struct packet *p, bool in, const char *name)
{
	size_t len = strlen(name);
	bool open = len && (name[len - 1] == '*' || name[len - 1] == '+');

	if (open && len == 1)
		return in == p->from_far ? belief_all() : belief_unsure();
	/* Nothing that comes from another machine comes by the loopback interface. */
	if (strcmp(name, "lo") == 0)
		return belief_none();
	if (in != p->from_far || !p->interface)
		return belief_unsure();
	return when(open ? strncmp(p->interface, name, len - 1) == 0 : strcmp(p->interface, name) == 0);
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static unsigned bit_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(names[i], name) == 0)
			return 1U << i;
	return 0;
}

unsigned tcp_flag(const char *name)
{
	static const char *const names[] = { "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr" };

	if (strcasecmp(name, "ecn") == 0)
		return TCP_ECE;
	return bit_of(names, ARRAY_LEN(names), name);
}

unsigned ct_state(const char *name)
{
	static const char *const names[] = { "new", "established", "related", "invalid", "untracked" };

	return bit_of(names, ARRAY_LEN(names), name);
}
