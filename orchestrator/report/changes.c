#include "report/changes.h"

#include "base/alloc.h"

#include <jansson.h>

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static char *base64_text(const char *text)
{
	struct buf out = BUF_INIT;
	unsigned bits = 0, n = 0;

	for (; *text && base64_digit(*text) >= 0; text++) {
		bits = bits << 6 | (unsigned)base64_digit(*text);
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		buf_addc(&out, (char)(bits >> n & 0xff));
	}
	return out.data ? buf_detach(&out) : str_dup("");
}

static char *bytes_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *encoded = json_string_value(json_object_get(value, "base64"));

	if (encoded)
		return base64_text(encoded);
	return str_dup(json_is_string(value) ? json_string_value(value) : "");
}

static void parse_edits(struct change_seen *c, const json_t *edits)
{
	c->edits_n = json_array_size(edits);
	c->edits = NEW_N(struct change_edit, c->edits_n + 1);
	for (size_t i = 0; i < c->edits_n; i++) {
		const json_t *edit = json_array_get(edits, i);

		c->edits[i].offset = (int64_t)json_integer_value(json_object_get(edit, "offset"));
		c->edits[i].old_text = bytes_of(edit, "old");
		c->edits[i].new_text = bytes_of(edit, "new");
	}
}

static void parse_change(struct change_seen *c, const json_t *json)
{
	c->item = bytes_of(json, "item");
	c->what = bytes_of(json, "what");
	c->line = (int64_t)json_integer_value(json_object_get(json, "line"));
	c->old_line = bytes_of(json, "old_line");
	c->new_line = bytes_of(json, "new_line");
	c->before_sha256 = bytes_of(json, "before_sha256");
	c->after_sha256 = bytes_of(json, "after_sha256");
	parse_edits(c, json_object_get(json, "edits"));
}

/* An array's item is a string, or bytes that are none. */
static char *note_of(const json_t *note)
{
	const char *encoded = json_string_value(json_object_get(note, "base64"));

	if (encoded)
		return base64_text(encoded);
	return str_dup(json_is_string(note) ? json_string_value(note) : "");
}

void changes_parse(struct changes *out, const char *json)
{
	json_t *root = json && *json ? json_loads(json, 0, NULL) : NULL;
	const json_t *list = json_object_get(root, "changes"), *notes = json_object_get(root, "notes");

	*out = (struct changes){ .state = bytes_of(root, "state"), .text = bytes_of(root, "text") };
	out->n = json_array_size(list);
	out->at = NEW_N(struct change_seen, out->n + 1);
	for (size_t i = 0; i < out->n; i++)
		parse_change(&out->at[i], json_array_get(list, i));
	out->notes_n = json_array_size(notes);
	out->notes = NEW_N(char *, out->notes_n + 1);
	for (size_t i = 0; i < out->notes_n; i++)
		out->notes[i] = note_of(json_array_get(notes, i));
	json_decref(root);
}

static void change_release(struct change_seen *c)
{
	for (size_t i = 0; i < c->edits_n; i++) {
		free(c->edits[i].old_text);
		free(c->edits[i].new_text);
	}
	free(c->edits);
	free(c->item);
	free(c->what);
	free(c->old_line);
	free(c->new_line);
	free(c->before_sha256);
	free(c->after_sha256);
}

void changes_release(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		change_release(&c->at[i]);
	for (size_t i = 0; i < c->notes_n; i++)
		free(c->notes[i]);
	free(c->at);
	free(c->notes);
	free(c->state);
	free(c->text);
	*c = (struct changes){ 0 };
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void changes_common(const char *old_line, const char *new_line, size_t *prefix, size_t *suffix)
{
	size_t old_len = strlen(old_line), new_len = strlen(new_line), least = old_len < new_len ? old_len : new_len;
	size_t p = 0, s = 0;

	while (p < least && old_line[p] == new_line[p])
		p++;
	while (p > 0 && (is_continuation(old_line[p]) || is_continuation(new_line[p])))
		p--;
	while (s < least - p && old_line[old_len - 1 - s] == new_line[new_len - 1 - s])
		s++;
	while (s > 0 && is_continuation(old_line[old_len - s]))
		s--;
	*prefix = p;
	*suffix = s;
}

bool changes_any(const char *json)
{
	json_t *root = *json ? json_loads(json, 0, NULL) : NULL;
	bool any = json_array_size(json_object_get(root, "changes")) > 0;

	json_decref(root);
	return any;
}

static bool is_good(const char *verdict)
{
	return strcmp(verdict, "ok") == 0 || strcmp(verdict, "unchanged") == 0 || strcmp(verdict, "applied") == 0;
}

/* An outcome of the change's own item says it; a row that was verified afterwards says it, too. */
static bool says_made(const struct report_event *e, const char *item)
{
	if (e->kind == JOURNAL_OUTCOME)
		return *item && strcmp(e->item, item) == 0 && is_good(e->to);
	return e->kind == JOURNAL_STATE && (strcmp(e->to, step_state_name(STEP_VERIFIED)) == 0 ||
					    strcmp(e->to, step_state_name(STEP_APPLIED)) == 0);
}

enum change_fate changes_fate(const struct report_row *row, const struct change_seen *change)
{
	enum change_fate fate = CHANGE_PLANNED;
	size_t i = 0;

	while (i < row->events.n && row->events.at[i] != row->changes)
		i++;
	for (; i < row->events.n; i++) {
		const struct report_event *e = row->events.at[i];

		if (e->kind == JOURNAL_STATE && strcmp(e->to, step_state_name(STEP_ROLLED_BACK)) == 0)
			fate = CHANGE_UNDONE;
		else if (says_made(e, change->item))
			fate = CHANGE_MADE;
	}
	return fate;
}
