/*
 * From when on, and by when, something of a row can and has to be done: what todo and worksheet sort by. Worked out from
 * what the journal's notes say of the tenant: migration date, windows, the vendor's period.
 *
 *   phase     from                  by
 *   prepare   any time              the next window opens; while one is open, it ends
 *   ready     the migration date    the same
 *   switch    the next window       it ends
 *   settle    any time              the vendor's period ends
 *
 * Of a window only the part counts in which the vendor lets things be changed (from the migration date on, within the
 * vendor's period). Where no window is left, it should have been done by the last one: it is overdue. What no window and no
 * period says has no date.
 */
#ifndef REPORT_DUE_H
#define REPORT_DUE_H

#include "report/model.h"

enum due_kind { DUE_NONE, DUE_WINDOW_OPENS, DUE_WINDOW_ENDS, DUE_PERIOD_ENDS, DUE_KINDS };

struct due {
	int64_t from_ms; /* 0: any time */
	int64_t by_ms;	 /* 0 for DUE_NONE */
	enum due_kind kind;
};

struct due due_of(const struct report *report, const struct report_row *row);

/* "window_opens" …: for machines; "none" for DUE_NONE. And "when the window opens": for people, "" for DUE_NONE. */
const char *due_kind_name(enum due_kind kind);
const char *due_kind_words(enum due_kind kind, enum report_lang lang);

#endif
