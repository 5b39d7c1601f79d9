/*
 * An assessment: what a target is, judged from facts alone, and what would be changed, as data. A plan is these
 * changes; apply does exactly the changes it was given, so plan and run cannot differ.
 */
#ifndef AGENTS_ASSESS_H
#define AGENTS_ASSESS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

#include <stddef.h>

enum assess_state {
	ASSESS_OLD,		/* to be changed */
	ASSESS_NEW,		/* as it should be */
	ASSESS_PARTIAL,		/* some of it changed: only where an intent is open */
	ASSESS_DRIFT,		/* neither: a person decides */
	ASSESS_NOT_APPLICABLE,	/* proved that there is nothing to do here */
	ASSESS_PERSON,		/* a person has to decide or say something first */
};

/* Bytes at an offset of the old file, replaced. Edits of one change are sorted and do not overlap. */
struct edit {
	size_t offset;
	char *old_bytes;
	size_t old_len;
	char *new_bytes;
	size_t new_len;
};

struct change {
	char *item; /* stable name, "config" */
	char *what; /* for people: the path, the record … */
	char before_sha256[SHA256_HEX_MAX], after_sha256[SHA256_HEX_MAX];
	struct edit *edits;
	size_t edits_n;
	/* The changed lines, for diffs: only these, since the lines around may hold what nobody should read. */
	char *old_line, *new_line;
	long line; /* 1-based */
};

struct assessment {
	enum assess_state state;
	char text[1024]; /* one sentence: why it is that */
	struct change *changes;
	size_t changes_n;
	char **notes; /* what else will happen for a while or be looked at: "the crontab line of sync is off meanwhile" */
	size_t notes_n;
};

const char *assess_state_name(enum assess_state state);

void assessment_release(struct assessment *a);
void assessment_set(struct assessment *a, enum assess_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void assessment_note(struct assessment *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds a change (its lines and hashes are worked out here) for `old` with one edit. Returns it for more. */
struct change *assessment_change(struct assessment *a, const char *item, const char *what, const void *old,
				 size_t old_len, size_t offset, size_t replaced_len, const void *new_bytes,
				 size_t new_len);

/* The same for several places of one file, sorted and apart from each other, that all become the same bytes. The lines for diffs
   are all that are changed, " ⏎ " between them, CHANGE_LINES_SHOWN at most. */
#define CHANGE_LINES_SHOWN 8

struct change_spot {
	size_t offset, len;
};

struct change *assessment_change_spots(struct assessment *a, const char *item, const char *what, const void *old, size_t old_len,
				       const struct change_spot *spots, size_t spots_n, const void *new_bytes, size_t new_len);

/* The file after the change. E_CHANGED when `old` is not what the change was made for; E_BUG when the result's hash is
   not after_sha256. */
int change_apply(const struct change *c, const void *old, size_t old_len, struct buf *out, struct err *err);

#endif
