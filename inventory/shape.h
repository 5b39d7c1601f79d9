/*
 * What an object may hold, as a table: every key with its type, its rule and, where it is an object, the table of that.
 * shape_check walks a value along its table and reports what does not fit: unknown keys with a suggestion, missing
 * ones, wrong types, values out of range. Tables are in shapes.c; each is sorted by name (a test looks).
 */
#ifndef INVENTORY_SHAPE_H
#define INVENTORY_SHAPE_H

#include "inventory/loading.h"

enum value_kind {
	VALUE_TEXT,
	VALUE_TEXTS,         /* an array of text */
	VALUE_TEXT_OR_TEXTS, /* one or several */
	VALUE_BOOL,
	VALUE_INT,     /* from min to max */
	VALUE_NUMBER,  /* from min to max */
	VALUE_WORD,    /* one of words */
	VALUE_WORDS,   /* an array of them */
	VALUE_OBJECT,  /* of shape */
	VALUE_OBJECTS, /* an array of them, each named by its key "name" or "id" if it has one */
	VALUE_MAP,     /* free names to objects of shape */
	VALUE_OTHER,   /* whatever `rule` says */
};

enum {
	KEY_REQUIRED = 1,
	KEY_SECRET = 2,
	KEY_FILLED = 4, /* arrays and maps: not empty */
	KEY_PATH = 8,   /* a file that is read later; relative to the file it stands in */
};

struct shape;

struct key {
	const char *name;
	enum value_kind kind;
	unsigned flags;
	int (*text)(const char *text, struct err *err); /* the rule of a text, or of each */
	const char *const *words;                       /* ended by NULL */
	double min, max;
	const struct shape *shape;
	/* A rule of the whole value, asked when its type is right. */
	void (*rule)(struct loading *l, const struct place *place, json_t *value);
};

struct key_table {
	const struct key *keys;
	size_t n;
};

#define SHAPE_TABLES_MAX 4

struct shape {
	const char *what; /* "a host" */
	struct key_table tables[SHAPE_TABLES_MAX];
	bool open;      /* other keys are looked at by `rule` */
	bool is_tenant; /* its name is the subject of problems in it */
	bool is_host;
	void (*rule)(struct loading *l, const struct place *place, json_t *object);
};

void shape_check(struct loading *l, const struct place *place, const struct shape *shape, json_t *value);

/* A single value by its row. */
void shape_check_value(struct loading *l, const struct place *place, const struct key *key, json_t *value);

const struct key *shape_key(const struct shape *shape, const char *name);

/* Offers all names of a shape to a suggestion ("did you mean"). */
struct suggestion;
void shape_offer(const struct shape *shape, struct suggestion *s);

/* `, did you mean "x"?` or "", for the end of a sentence; in the scratch memory of the load. */
const char *shape_hint(struct loading *l, const char *best);

/* The tables. */
extern const struct shape shape_root, shape_include, shape_tenant, shape_host, shape_defaults, shape_wave,
	shape_template, shape_bastion, shape_domain, shape_dns, shape_web_service, shape_agent_use, shape_new_fqdn,
	shape_via_command, shape_procedure, shape_profile;

/* Where else a key may stand: "a host, a template, defaults", or NULL. */
const char *shape_elsewhere(struct loading *l, const struct shape *shape, const char *key);

#endif
