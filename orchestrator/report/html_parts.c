#include "report/html_parts.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "report/escape.h"
#include "report/words.h"

#include <jansson.h>

void html_text(struct buf *out, const char *text)
{
	escape_html(out, text ? text : "");
}

void html_wrap(struct buf *out, const char *before, const char *text, const char *after)
{
	if (!text || !*text)
		return;
	buf_adds(out, before);
	html_text(out, text);
	buf_adds(out, after);
}

void html_time(struct buf *out, int64_t wall_ms, int offset_min, const char *shown)
{
	char text[TIME_TEXT_MAX];

	if (!wall_ms) {
		buf_adds(out, "–");
		return;
	}
	buf_addf(out, "<time datetime=\"%s\">%s</time>", time_format(wall_ms, offset_min, text), shown);
}

/* ---- states ----------------------------------------------------------------------------------------------------- */

const char *html_step_class(enum step_state state)
{
	switch (state) {
	case STEP_FAILED:
	case STEP_DRIFT:
	case STEP_UNREACHABLE:
	case STEP_INDETERMINATE:
		return "bad";
	case STEP_ROLLED_BACK:
		return "back";
	case STEP_NEEDS_PERSON:
	case STEP_APPLIED:
		return "warn";
	case STEP_RUNNING:
		return "run";
	case STEP_VERIFIED:
	case STEP_CONFIRMED:
	case STEP_UNCHANGED:
		return "good";
	case STEP_NOT_APPLICABLE:
	case STEP_WITHDRAWN:
		return "none";
	case STEP_PENDING:
	case STEP_WAITING:
	case STEP_BLOCKED:
	case STEP_STATES:
		return "quiet";
	}
	return "quiet";
}

const char *html_tenant_class(enum tenant_state state)
{
	switch (state) {
	case TENANT_HALF_SWITCHED:
		return "half";
	case TENANT_FAILED:
		return "bad";
	case TENANT_ROLLED_BACK:
		return "back";
	case TENANT_SWITCHING:
		return "run";
	case TENANT_READY:
		return "ready";
	case TENANT_WATCHING:
	case TENANT_DONE:
		return "good";
	case TENANT_NOT_READY:
	case TENANT_STATES:
		return "quiet";
	}
	return "quiet";
}

void html_step_badge(struct buf *out, enum step_state state, enum report_lang lang)
{
	buf_addf(out, "<b class=\"badge %s\">%s</b>", html_step_class(state), word_step_state(state, lang));
}

void html_tenant_badge(struct buf *out, const struct report_tenant *t, enum report_lang lang)
{
	if (t->withdrawn)
		buf_addf(out, "<b class=\"badge none\">%s</b>", word_step_state(STEP_WITHDRAWN, lang));
	else
		buf_addf(out, "<b class=\"badge %s\">%s</b>", html_tenant_class(t->state),
			 word_tenant_state(t->state, lang));
}

/* Ids are [a-z0-9._-]; whatever else is in a damaged file becomes its bytes' numbers. */
void html_anchor(struct buf *out, const char *id)
{
	buf_adds(out, "t-");
	for (; *id; id++) {
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", *id))
			buf_addc(out, *id);
		else
			buf_addf(out, "_%02x", (unsigned char)*id);
	}
}

/* ---- bars ------------------------------------------------------------------------------------------------------- */

#define BAR_UNITS 1000

void html_bar(struct buf *out, const char *class, const struct html_part *parts, size_t n)
{
	size_t all = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		all += parts[i].size;
	buf_addf(out, "<svg class=\"bar %s\" viewBox=\"0 0 %d 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
		 class, BAR_UNITS);
	for (size_t i = 0; i < n && all; i++) {
		size_t from = at * BAR_UNITS / all, to;

		at += parts[i].size;
		to = at * BAR_UNITS / all;
		if (parts[i].size && to == from) /* what is there is seen, however little */
			to = from + 1;
		if (parts[i].size)
			buf_addf(out, "<rect class=\"f-%s\" x=\"%zu\" width=\"%zu\" height=\"10\"/>", parts[i].class,
				 from, to - from);
	}
	buf_adds(out, "</svg>");
}

void html_cut(struct buf *out, size_t len)
{
	out->len = len;
	out->data[len] = '\0';
}

size_t html_done_rows(const struct report_tenant *t, size_t *all)
{
	size_t done = 0;

	for (int s = 0; s < STEP_STATES; s++)
		done += step_state_is_done((enum step_state)s) ? t->by_state[s] : 0;
	*all = t->rows_n - t->by_state[STEP_WITHDRAWN];
	return done;
}

void html_progress(struct buf *out, const struct report_tenant *t)
{
	struct html_part parts[] = { { "good", 0 }, { "none", 0 }, { "run", 0 },  { "warn", 0 },
				     { "bad", 0 },  { "back", 0 }, { "quiet", 0 } };

	for (int s = 0; s < STEP_STATES; s++)
		for (size_t i = 0; i < ARRAY_LEN(parts); i++)
			if (s != STEP_WITHDRAWN && strcmp(parts[i].class, html_step_class((enum step_state)s)) == 0)
				parts[i].size += t->by_state[s];
	html_bar(out, "small", parts, ARRAY_LEN(parts));
}

/* ---- commands and data ------------------------------------------------------------------------------------------ */

void html_commands(struct buf *out, const char *commands)
{
	while (*commands) {
		size_t len = strcspn(commands, "\n");

		buf_adds(out, "<code class=\"cmd\">");
		escape_html_n(out, commands, len);
		buf_adds(out, "</code>");
		commands += len + (commands[len] == '\n');
	}
}

/* As people write it; permission bits in octal. */
static char *value_text(const char *key, const json_t *value)
{
	if (json_is_string(value))
		return str_dup(json_string_value(value));
	if (json_is_integer(value) && strcmp(key, "mode") == 0)
		return str_fmt("%04o", (unsigned)json_integer_value(value));
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static bool is_skipped(const char *key, const char *const *skip)
{
	for (; *skip; skip++)
		if (strcmp(*skip, key) == 0)
			return true;
	return false;
}

void html_data(struct buf *out, const char *json, const char *const *skip)
{
	json_t *root = *json ? json_loads(json, 0, NULL) : NULL;
	const char *key;
	json_t *value;

	json_object_foreach (root, key, value) {
		char *text = value_text(key, value);

		if (text && *text && !is_skipped(key, skip)) {
			html_wrap(out, "<span class=\"kv\"><i>", key, "</i> ");
			html_wrap(out, "<code>", text, "</code></span> ");
		}
		free(text);
	}
	json_decref(root);
}
