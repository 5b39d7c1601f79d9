/*
 * What was (or would be) changed: the data of a row's last `changes` entry, as the engine writes it from an assessment.
 * Lines that are no UTF-8 are stored as {"base64": …} and come back as their bytes.
 */
#ifndef REPORT_CHANGES_H
#define REPORT_CHANGES_H

#include "report/model.h"

#include <stddef.h>

struct change_edit {
	int64_t offset;
	char *old_text, *new_text;
};

struct change_seen {
	char *item, *what; /* stable name; the path, the record … */
	int64_t line;	   /* 1-based; 0: not given */
	char *old_line, *new_line;
	char *before_sha256, *after_sha256; /* "" where not given */
	struct change_edit *edits;
	size_t edits_n;
};

struct changes {
	char *state, *text; /* of the assessment */
	struct change_seen *at;
	size_t n;
	char **notes; /* what happens meanwhile: "the crontab line of sync is off" */
	size_t notes_n;
};

/* Empty for a row without changes, or with data that is not of that form. */
void changes_parse(struct changes *out, const char *json);
void changes_release(struct changes *c);

/* Where two lines differ: the bytes that both begin and end with, cut at characters. */
void changes_common(const char *old_line, const char *new_line, size_t *prefix, size_t *suffix);

/* Does that data name a change at all? */
bool changes_any(const char *json);

enum change_fate {
	CHANGE_PLANNED, /* it would be made; nothing tells that it was */
	CHANGE_MADE,	/* the new value was put in place */
	CHANGE_UNDONE,	/* and the old one was put back */
};

/* What became of a change of row->changes, by what stands in the journal behind it. */
enum change_fate changes_fate(const struct report_row *row, const struct change_seen *change);

#endif
