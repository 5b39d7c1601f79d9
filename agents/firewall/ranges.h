/*
 * Sets of numbers as half-open intervals: IPv4 addresses (0 to 2^32) and ports (0 to 65536). Pure.
 *
 * Invariant of every set: its intervals are sorted, not empty, and do not touch each other, so that two equal sets are equal
 * byte for byte. A zeroed struct is the empty set. Arithmetic is linear in the sizes of both.
 */
#ifndef AGENTS_FIREWALL_RANGES_H
#define AGENTS_FIREWALL_RANGES_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESSES_END ((uint64_t)1 << 32)
#define PORTS_END ((uint64_t)1 << 16)

struct range {
	uint64_t from, end; /* [from, end) */
};

struct ranges {
	struct range *at;
	size_t n;
};

void ranges_release(struct ranges *r);

/* Replaced by the union of a list in any order, whose empty intervals count for nothing; the list is sorted in place. */
void ranges_of(struct ranges *r, struct range *list, size_t n);
void ranges_one(struct ranges *r, uint64_t from, uint64_t end);
void ranges_copy(struct ranges *to, const struct ranges *from); /* `to` is replaced */

/* In place: r becomes r ∪ with, r ∩ with, r without `with`. Both may be the same set. */
void ranges_or(struct ranges *r, const struct ranges *with);
void ranges_and(struct ranges *r, const struct ranges *with);
void ranges_minus(struct ranges *r, const struct ranges *with);

bool ranges_has(const struct ranges *r, uint64_t number);
bool ranges_meet(const struct ranges *a, const struct ranges *b);
bool ranges_within(const struct ranges *r, const struct ranges *outer);

/* IPv4 as firewalls write it: ADDRESS, ADDRESS/LENGTH, ADDRESS/MASK, ADDRESS-ADDRESS. Bits behind the prefix are cut off, as
   nft and iptables do without a word (measured: 216.104.0.5/19 is kept as 216.104.0.0/19). E_INVAL for anything else. */
int range_parse(struct range *out, const char *text, struct err *err);

/* As the fewest prefixes that are exactly the set, in order: "216.104.0.0/19, 54.86.63.64/26"; a single address is bare. At most
   `max` of them, then how many more there are, which it returns. "none" for the empty set. */
size_t ranges_show(const struct ranges *r, struct buf *out, size_t max);

#endif
