#include "engine/events.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/redact.h"

#include <errno.h>
#include <jansson.h>

int events_open(struct events *e, const char *path, struct err *err)
{
	*e = (struct events){ .file = strcmp(path, "-") == 0 ? stdout : fopen(path, "ae") };
	if (!e->file)
		return err_errno(err, errno, "cannot write events to %s", path);
	setvbuf(e->file, NULL, _IOLBF, 65536);
	return 0;
}

void events_close(struct events *e)
{
	if (e->file && e->file != stdout)
		fclose(e->file);
	e->file = NULL;
}

static bool wanted(enum journal_kind kind)
{
	switch (kind) {
	case JOURNAL_RUN:
	case JOURNAL_RUN_END:
	case JOURNAL_STATE:
	case JOURNAL_INTENT:
	case JOURNAL_OUTCOME:
	case JOURNAL_DEBT:
	case JOURNAL_PAID:
	case JOURNAL_IDENTITY:
	case JOURNAL_PERSON:
		return true;
	case JOURNAL_BEFORE:
	case JOURNAL_CHANGES:
	case JOURNAL_EVIDENCE:
	case JOURNAL_NOTE:
	case JOURNAL_KINDS:
		break;
	}
	return false;
}

static void set_text(json_t *o, const char *key, const char *text)
{
	json_t *value = text && *text ? json_string(text) : NULL;

	if (text && *text && !value)
		value = json_string("(not UTF-8)");
	if (value)
		json_object_set_new(o, key, value);
}

static void set_number(json_t *o, const char *key, int64_t number)
{
	if (number)
		json_object_set_new(o, key, json_integer(number));
}

static json_t *entry_json(const struct journal_entry *entry)
{
	char stamp[TIME_TEXT_MAX];
	json_t *o = json_object();

	json_object_set_new(o, "event", json_integer(1));
	set_text(o, "time", time_format(entry->wall_ms, 0, stamp));
	set_text(o, "kind", journal_kind_name(entry->kind));
	set_number(o, "run", entry->run);
	set_text(o, "tenant", entry->tenant);
	set_text(o, "step", entry->step);
	set_text(o, "target", entry->target);
	set_text(o, "action", entry->action);
	set_text(o, "item", entry->item);
	set_number(o, "attempt", entry->attempt);
	set_text(o, "from", entry->from);
	set_text(o, "to", entry->to);
	set_text(o, "code", entry->code);
	set_text(o, "text", entry->text);
	if (entry->until_ms)
		set_text(o, "until", time_format(entry->until_ms, 0, stamp));
	if (entry->kind == JOURNAL_OUTCOME) {
		json_object_set_new(o, "exit_code", json_integer(entry->exit_code));
		json_object_set_new(o, "elapsed_ms", json_integer(entry->elapsed_ms));
	}
	return o;
}

void events_entry(struct events *e, const struct journal_entry *entry)
{
	struct buf line = BUF_INIT;
	json_t *o;
	char *text;

	if (!e->file || e->failed || !wanted(entry->kind))
		return;
	o = entry_json(entry);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	redact_add(&line, text, strlen(text));
	buf_addc(&line, '\n');
	free(text);
	if (fwrite(line.data, 1, line.len, e->file) != line.len) {
		e->failed = true;
		log_error("events cannot be written any more (%s); the journal has them all", strerror(errno));
	}
	buf_release(&line);
}
