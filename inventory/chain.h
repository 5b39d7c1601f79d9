/*
 * Defaults: nearest wins. A chain lists the objects that may say something about one tenant or host, the nearest first
 * (host, its template, tenant, wave, defaults). Objects merge key by key, arrays and scalars replace. Nothing is
 * copied: the answer says which layer it came from, which is also what `validate --show` prints.
 */
#ifndef INVENTORY_CHAIN_H
#define INVENTORY_CHAIN_H

#include "inventory/loading.h"

#define CHAIN_MAX 5

struct layer {
	const json_t *object;
	struct place place;
	const char
		*label; /* "template", "wave" (place.key is its name), "defaults"; NULL: the tenant's or host's own */
};

struct chain {
	struct layer at[CHAIN_MAX];
	size_t n;
};

/* A value and where it stands; value is NULL when no layer has the key. */
struct found {
	json_t *value;
	const struct layer *layer;
	struct place place; /* of the value; points into the chain, so it lives as long */
};

/* Adds a layer behind those there are; what is no object is left out. */
void chain_add(struct chain *c, const json_t *object, struct place place, const char *label);

struct found chain_get(const struct chain *c, const char *key);

/* The chain of a key whose value is an object: the layers of it down to the first one that is no object (it replaces
   all behind it). Empty when the nearest is none. Valid as long as `c`. */
struct chain chain_sub(const struct chain *c, const char *key);

/* The objects of a chain merged, deeply, into a new value that the caller releases; for a single layer that layer
   itself. NULL for an empty chain. */
json_t *chain_merged(const struct chain *c);

/* Getters for checked values: what is missing or of another type gives the default. */
const char *chain_text(const struct chain *c, const char *key, const char *missing);
int64_t chain_int(const struct chain *c, const char *key, int64_t missing);
bool chain_bool(const struct chain *c, const char *key, bool missing);
/* Seconds, perhaps with a fraction, as milliseconds. */
int chain_seconds_ms(const struct chain *c, const char *key, int missing_ms);

#endif
