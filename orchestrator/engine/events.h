/*
 * Events for machines: one JSON object a line (schema/event.v1.schema.json), in a file of its own (--events), never
 * mixed with what people read. They say what the journal says, as it happens; a line is complete or absent. Every line
 * is redacted.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "base/err.h"
#include "journal/journal.h"

#include <stdio.h>

struct events {
	FILE *file; /* line buffered; owned by who opened it */
	bool failed; /* a write failed: nothing more is written, and it was logged */
};

/* "-" is stdout. Appends to a file that is there. */
int events_open(struct events *e, const char *path, struct err *err);
void events_close(struct events *e);

/* The event of a journal entry; entries that say nothing to machines (notes, before-images) give none. */
void events_entry(struct events *e, const struct journal_entry *entry);

#endif
