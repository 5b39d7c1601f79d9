/*
 * What is let in where: the one rule that a base chain lacks, and the texts that put it there and take it out again, for the
 * running filter and for the file that is loaded at a boot. Pure.
 *
 * Gaps are kept as lines, so that they can be a fact: FAMILY TABLE CHAIN BEFORE WAY RANGES, the ranges with commas between them.
 * Each rule of ours bears the comment GAP_MARK, by which it is found again. All of these texts only add, but those that take our
 * own rules out.
 *
 * In the running filter a rule goes before the first one that drops. In a file of nftables it is inserted at the top of its chain
 * once everything was loaded: the file is not parsed, since includes, variables and loops can write a chain in many ways. Its
 * place could be said there as an index; that was rejected, because an index that is out of range when somebody takes a rule away
 * makes the whole file fail, and with it the host's firewall at the next boot.
 */
#ifndef AGENTS_FIREWALL_GAP_H
#define AGENTS_FIREWALL_GAP_H

#include "agents/firewall/coverage.h"

#define GAP_MARK FILTER_MARK
#define GAP_NAME_MAX 64
#define GAP_RANGES_MAX 256

struct gap {
	char family[16]; /* nftables: ip, inet, netdev, bridge; else iptables, legacy */
	char table[GAP_NAME_MAX], chain[GAP_NAME_MAX];
	int64_t before; /* a handle, or the number of a rule; 0: at the end */
	bool in;	/* from the ranges, else to them */
	char ranges[GAP_RANGES_MAX]; /* "216.104.0.0/19,150.70.0.0/16" */
};

/* False: a name that is none of nft(8)'s or iptables(8)'s plain ones, or too long. */
bool gap_fits(const struct gap *g);
void gap_add(struct buf *lines, const struct gap *g);
/* The next one of *at, which moves; false at the end, or where it is no gap. */
bool gap_next(const char **at, struct gap *out);
bool gap_is_nft(const struct gap *g);
/* Are both at the same chain, the same way? */
bool gap_same_place(const struct gap *a, const struct gap *b);
/* Is all of it let in at the same chain, the same way (whatever the place), by one of these lines? */
bool gap_among(const struct gap *g, const char *lines);

/* For `nft -f -`: adds the rules of nftables in one transaction; nothing where there are none. */
void gaps_nft(const char *lines, struct buf *out);
/* Takes out the rules whose handles these lines name. */
void gaps_nft_remove(const char *lines, struct buf *out);
/* For `iptables-restore --noflush`: adds those of that family (iptables, legacy), or takes them out again. */
void gaps_restore(const char *lines, const char *family, bool take_out, struct buf *out);

/* A file of nftables with our block at its end; one of iptables-save with our rules before those that drop. E_INVAL: a chain or
   rule of a gap is not in it. Gaps of the other kind are passed over. */
int gaps_to_nft_file(const char *lines, const char *bytes, size_t len, struct buf *out, struct err *err);
int gaps_to_rules_file(const char *lines, const char *bytes, size_t len, struct buf *out, struct err *err);

/* The file without what these two put into it; the caller compares its hash with what was there before. False: nothing of ours is
   in it. A newline that was put behind the last line stays. */
bool gaps_from_nft_file(const char *bytes, size_t len, struct buf *out);
bool gaps_from_rules_file(const char *bytes, size_t len, struct buf *out);

#endif
