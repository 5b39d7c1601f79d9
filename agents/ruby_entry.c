#include "agents/ruby_entry.h"

#include <stdarg.h>

const char *schedule_marker(const struct agent_ctx *ctx, char marker[MARKER_MAX])
{
	snprintf(marker, MARKER_MAX, "#CUTOVER:%s: ", ctx->tenant->id);
	return marker;
}

void entry_set(struct facts *f, const char *prefix, int i, const char *name, const void *value, size_t len)
{
	char key[FACT_KEY_MAX];

	facts_set(f, fact_key(key, prefix, i, name), value, len);
}

void entry_set_text(struct facts *f, const char *prefix, int i, const char *name, const char *text)
{
	entry_set(f, prefix, i, name, text, strlen(text));
}

const struct fact *entry_get(const struct facts *f, const char *prefix, int i, const char *name)
{
	char key[FACT_KEY_MAX];

	return facts_get(f, fact_key(key, prefix, i, name));
}

bool entry_is(const struct facts *f, int i, const char *state)
{
	return strcmp(fact_at(f, ENTRY, i, "state"), state) == 0;
}

bool entry_is_timer(const struct facts *f, int i)
{
	return strcmp(fact_at(f, ENTRY, i, "kind"), "timer") == 0;
}

bool entry_is_task(const struct facts *f, int i)
{
	return strcmp(fact_at(f, ENTRY, i, "kind"), "task") == 0;
}

bool entry_is_line(const struct facts *f, int i)
{
	return !entry_is_timer(f, i) && !entry_is_task(f, i);
}

int entry_find(const struct facts *f, const char *item)
{
	for (int i = 0; i < fact_number(f, "schedule.n"); i++) {
		if (strcmp(fact_at(f, ENTRY, i, "item"), item) == 0)
			return i;
	}
	return -1;
}

int table_find(const struct facts *f, const char *path)
{
	for (int i = 0; i < fact_number(f, "schedule.tables"); i++) {
		if (strcmp(fact_at(f, TABLE, i, "path"), path) == 0)
			return i;
	}
	return -1;
}

const char *entry_place(const struct facts *f, int i, char out[ITEM_MAX])
{
	if (entry_is_timer(f, i))
		snprintf(out, ITEM_MAX, "timer %s", fact_at(f, ENTRY, i, "path"));
	else if (entry_is_task(f, i))
		snprintf(out, ITEM_MAX, "task %s", fact_at(f, ENTRY, i, "path"));
	else
		snprintf(out, ITEM_MAX, "line %s of %s", fact_at(f, ENTRY, i, "number"), fact_at(f, ENTRY, i, "path"));
	return out;
}

bool entry_was_on(const struct agent_ctx *ctx, const char *item)
{
	int i = entry_find(ctx->before, item);

	return !ctx->before->n || (i >= 0 && entry_is(ctx->before, i, "on"));
}

void schedule_forget(struct facts *f)
{
	for (size_t i = 0; i < f->n;) {
		if (strncmp(f->at[i].key, "schedule.", 9) == 0)
			facts_unset(f, f->at[i].key);
		else
			i++;
	}
}

/* Sentences about what is in the way are collected in one fact. */
void schedule_complain(struct facts *f, const char *key, const char *fmt, ...)
{
	const char *so_far = facts_text(f, key, "");
	struct buf text = BUF_INIT;
	va_list args;

	buf_addf(&text, "%s%s", so_far, *so_far ? "; " : "");
	va_start(args, fmt);
	buf_vaddf(&text, fmt, args);
	va_end(args);
	facts_set_text(f, key, buf_str(&text));
	buf_release(&text);
}
