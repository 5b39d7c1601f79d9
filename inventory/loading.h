/*
 * What one inventory_load carries along, and how a problem finds its place. Private to this folder.
 *
 * Loading goes: documents.c reads files and includes → decode_procedure.c → shape.c checks each object where it stands
 * (tables in shapes.c, rules of one value in text_check.c, of one object in rules.c) → decode.c works in defaults
 * (chain.h) and fills the model → cross.c checks what only the whole shows.
 */
#ifndef INVENTORY_LOADING_H
#define INVENTORY_LOADING_H

#include "inventory/arena.h"
#include "inventory/load.h"
#include "inventory/names.h"

/* Where a value stands: a chain of keys and indices up to its file, kept on the stack; a pointer is only written out
   when there is a problem. A place that is of a tenant or host says so. */
struct place {
	const struct place *up; /* NULL: the file itself */
	const char *key;        /* of the object above; NULL: index counts */
	size_t index;
	const char *file;   /* where up is NULL */
	const char *tenant; /* the names, where this is one; else NULL */
	const char *host;
};

static inline struct place place_key(const struct place *up, const char *key)
{
	return (struct place){ .up = up, .key = key };
}

static inline struct place place_index(const struct place *up, size_t index)
{
	return (struct place){ .up = up, .index = index };
}

const char *place_file(const struct place *place);

/* "/tenants/3/port" (RFC 6901) added to `out`. */
void place_pointer(const struct place *place, struct buf *out);

/* What is behind struct inventory: its memory. */
struct inventory_store {
	struct arena arena;
	struct names tenants; /* id → struct tenant * */
	struct names files;   /* path → struct source_file *, of a stored source */
	json_t **owned;       /* values that the model points into */
	size_t owned_n;
};

/* Keeps a reference of the value for the life of the inventory, and gives the value. */
json_t *store_keep(struct inventory_store *store, json_t *value);

/* A bastion of the inventory while it is loaded. */
struct bastion_entry {
	const json_t *json;
	size_t index;
	const struct bastion *model; /* NULL until it is decoded */
};

struct loading {
	const struct file_source *source;
	struct inventory *inv; /* being filled */
	struct inventory_store *store;
	struct arena *arena; /* of the store */
	struct problems *problems;
	struct buf reading;     /* the file that is being read */
	struct arena scratch;   /* until the end of the load */
	struct names reported;  /* problems that were said: an inherited value is wrong once, not once a tenant */
	struct names excused;   /* "object pointer/key": a key that was mistyped is not missing as well */
	struct names midnights; /* "date zone" → int64_t * */
	struct names patterns;  /* → regex_t *, compiled */
	struct names files;     /* secret files that were looked at */
	const json_t *root; /* the inventory's own file, for names that are looked up in it; NULL before it is read */
	struct place root_place, defaults_place, waves_place, templates_place;
	struct place *tenant_places; /* of inv->tenants, by index */
	struct names bastions;       /* name → struct bastion_entry * */
	struct names params;         /* of agents[] entries: their address in hex → json_t * */
	const char *real_folder;     /* the inventory's folder with its links resolved; NULL before it was asked */
	struct names included;       /* files by path */
	/* The subject of problems in values that stand elsewhere (a wave's, a template's): who is being decoded. */
	const char *tenant, *host;
	json_t *empty;
	bool agent_unknown; /* of the tenant being decoded: one of its agents was reported */
	bool unpinned;      /* host keys are not asked for: see inventory_load_unpinned */
	bool quiet;         /* problems are not kept: for --show, after a load that found none */
};

/* The inventory's own file is read: names are looked up in it from now on. */
void loading_set_root(struct loading *l, const json_t *root, const char *file);

void loading_release(struct loading *l);

/* What inventory_free does, but for a struct that somebody else holds. */
void inventory_release(struct inventory *inv);

/* One empty object for all that have none; kept by the store. */
json_t *loading_empty(struct loading *l);

/* Adds a problem. The sentence has no full stop; it never holds a value that may be a secret. */
void problem_add(struct loading *l, const struct place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A problem of a whole file, with a line where it is one of syntax. */
void problem_add_file(struct loading *l, const char *file, int line, int column, const char *text);

/* As many as are kept are there: more are counted only, so nobody has to look for hints. */
bool problems_full(const struct loading *l);

/* Remembers that `key` of this object was written otherwise, and asks. */
void problem_excuse(struct loading *l, const json_t *object, const char *key);
bool problem_excused(const struct loading *l, const json_t *object, const char *key);

#endif
