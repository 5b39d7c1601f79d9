/*
 * Inside of ruby_schedule.h, for its files only: the facts of an entry (there is the list), read and written by index, and
 * small questions about them. ruby_schedule.c finds entries, ruby_switch.c switches them, ruby_task.c does both with tasks
 * of Windows.
 */
#ifndef AGENTS_RUBY_ENTRY_H
#define AGENTS_RUBY_ENTRY_H

#include "agents/script.h"

#define ENTRY "schedule.entry"
#define TABLE "schedule.table"
#define MARKER_MAX 96

/* What stands in front of a line that this tenant's cutover has switched off. */
const char *schedule_marker(const struct agent_ctx *ctx, char marker[MARKER_MAX]);

/* The fact `prefix`.I.`name`, prefix being ENTRY or TABLE. */
void entry_set(struct facts *f, const char *prefix, int i, const char *name, const void *value, size_t len);
void entry_set_text(struct facts *f, const char *prefix, int i, const char *name, const char *text);
const struct fact *entry_get(const struct facts *f, const char *prefix, int i, const char *name);

bool entry_is(const struct facts *f, int i, const char *state);
bool entry_is_timer(const struct facts *f, int i);
bool entry_is_task(const struct facts *f, int i); /* of Windows' Task Scheduler */
bool entry_is_line(const struct facts *f, int i); /* of a table: neither of these */

/* The index of the entry with that item, of the table with that path, or -1. */
int entry_find(const struct facts *f, const char *item);
int table_find(const struct facts *f, const char *path);

/* Forgets all of it; adds a sentence to one fact about what is in the way ("schedule.drift", "schedule.person"). */
void schedule_forget(struct facts *f);
void schedule_complain(struct facts *f, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* For people: "line 3 of /etc/crontab", "timer imhs.timer", "task \imhs". */
const char *entry_place(const struct facts *f, int i, char out[ITEM_MAX]);

/* Only what was on before our first change is switched off: what came later is nobody's debt, and stays on. */
bool entry_was_on(const struct agent_ctx *ctx, const char *item);

#endif
