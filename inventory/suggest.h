/*
 * "did you mean": the nearest of some names to one that was mistyped.
 */
#ifndef INVENTORY_SUGGEST_H
#define INVENTORY_SUGGEST_H

#include <stddef.h>

struct suggestion {
	const char *word; /* as it was written */
	const char *best; /* the nearest name so far, or NULL */
	size_t distance;
};

/* Offers one name. It is taken when it is near enough and nearer than the best so far. Distance: insertions, deletions,
   replacements and swaps of neighbours count one each; letter case, and '-' against '_', count nothing. Near enough:
   at most a third of the longer one's length. */
void suggestion_offer(struct suggestion *s, const char *name);

/* Like suggestion_offer for each of `names`; gives the best, or NULL. */
const char *suggest(const char *word, const char *const *names, size_t n);

/* The distance, or a number above `limit` when it is more than `limit`. */
size_t edit_distance(const char *a, const char *b, size_t limit);

#endif
