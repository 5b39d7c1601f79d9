/*
 * From checked JSON to the model (model.h). What shape.c reported is skipped here, so that one run tells all problems.
 */
#ifndef INVENTORY_DECODE_H
#define INVENTORY_DECODE_H

#include "inventory/chain.h"

/* More windows of one tenant than this are a mistake, and would be compared pair by pair. */
#define WINDOWS_MAX 1000

/* The procedure or profile that the inventory names: inside the program, or a file. NULL with a problem at `said`. */
struct procedure *decode_procedure(struct loading *l, const struct place *said, const char *name);
struct profile *decode_profile(struct loading *l, const struct place *said, const char *name);

/* The bastions with their ways worked out (a bastion behind a bastion). */
#define BASTIONS_IN_A_ROW_MAX 8
void decode_bastions(struct loading *l);
const struct bastion *bastion_named(const struct loading *l, const char *name); /* or NULL */

/* How to reach a machine; tenant and host (may be NULL) are what secrets' placeholders stand for. */
void decode_connection(struct loading *l, const struct chain *chain, const char *tenant, const char *host,
		       struct connection *c);

/* One tenant. `place` is that of `json`. */
void decode_tenant(struct loading *l, const struct place *place, const json_t *json, struct tenant *out);

/* A host of it; `above` is the tenant's chain. */
void decode_host(struct loading *l, const struct place *place, const json_t *json, const struct chain *above,
		 struct host *out);

/* The layers of a tenant and of a host, the nearest first. */
struct chain chain_of_tenant(const struct loading *l, const struct place *place, const json_t *json);
struct chain chain_of_host(const struct loading *l, const struct place *place, const json_t *json,
			   const struct chain *tenant);

/* A secret reference of the model: placeholders filled in, a relative path made absolute, the file looked at. `host`
   may be NULL. */
struct secret_ref decode_secret(struct loading *l, const struct found *found, const char *tenant, const char *host);

/* The private key as the model has it (see struct connection). */
struct secret_ref decode_identity(struct loading *l, const struct found *found, const char *tenant, const char *host);

/* Says so when the key is a file with a passphrase, which nobody told. */
void check_identity_unlocked(struct loading *l, const struct found *found, const struct secret_ref *identity);

/* The absolute path of a file, NULL where the value is no text. `look`: it has to be there and readable. */
char *decode_file(struct loading *l, const struct found *found, bool look);

/* The object with its secrets (by the shape's rows) as decode_secret gives them; a new reference. */
struct shape;
json_t *decode_with_secrets(struct loading *l, const struct layer *layer, const struct shape *shape, json_t *object,
			    const char *tenant);

/* Text or texts as a list. */
struct strings decode_strings(struct loading *l, const json_t *value);

/* {start, end} as times; false where one is none. *offset_min (may be NULL): that of the start. */
bool decode_period(const json_t *json, struct window *w, int *offset_min);

/* Lower case, without the dot at the end. */
char *decode_dns_name(struct loading *l, const char *name);

/* What only the worked-out tenant shows: what is missing, times in order, answers without a target. */
void check_tenant(struct loading *l, const struct chain *chain, const struct tenant *t);

/* What only the whole shows: ids that stand twice, one domain of two tenants. */
void cross_check(struct loading *l);

#endif
