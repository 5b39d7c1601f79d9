#include "agents/win_task.h"

#include "agents/edit/xml_scan.h"
#include "agents/win_text.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/utf8.h"

#include <string.h>
#include <strings.h>

#define PATH_DEPTH 5 /* Task/Actions/Exec/Arguments and one more */
#define VALUE_MAX_BYTES 8192

void win_task_release(struct win_task *task)
{
	free(task->path);
	free(task->actions);
	*task = (struct win_task){0};
}

/* ---- one definition --------------------------------------------------------------------------------------------- */

struct reading {
	struct xml_text xml;
	struct xml_span path[PATH_DEPTH]; /* names of the elements that are open */
	struct win_task *out;
	struct buf actions;
};

/* Is the element that has just begun, at that depth, the one with this path? */
static bool is_at(const struct reading *r, size_t depth, const char *const names[])
{
	size_t n = 0;

	for (; names[n]; n++) {
		if (n >= depth || !xml_span_is(&r->xml, r->path[n], names[n]))
			return false;
	}
	return n == depth;
}

/* The text that follows a start tag up to the next tag, references decoded; the caller frees. */
static char *text_behind(const struct reading *r, struct xml_span tag)
{
	size_t at = tag.at + tag.len, end = at;
	struct buf out = {.max = VALUE_MAX_BYTES};
	uint32_t code;

	while (end < r->xml.len && r->xml.bytes[end] != '<')
		end++;
	while (at < end) {
		size_t n = r->xml.bytes[at] == '&' ? xml_reference(&r->xml, at, &code) : 0;

		if (n)
			utf8_add(&out, code);
		else
			buf_addc(&out, (char)r->xml.bytes[at]);
		at += n ? n : 1;
	}
	return out.len ? buf_detach(&out) : str_dup("");
}

static bool is_action_part(const struct reading *r, size_t depth)
{
	static const char *const parts[] = {"Command", "Arguments", "WorkingDirectory"};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (is_at(r, depth, (const char *const[]){"Task", "Actions", "Exec", parts[i], NULL}))
			return true;
	}
	return false;
}

static void take(struct reading *r, size_t depth, struct xml_span tag)
{
	char *text;

	if (r->xml.bytes[tag.at + tag.len - 2] == '/')
		return;
	text = text_behind(r, tag);
	if (is_at(r, depth, (const char *const[]){"Task", "Settings", "Enabled", NULL})) {
		r->out->enabled = strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0;
	} else if (is_at(r, depth, (const char *const[]){"Task", "RegistrationInfo", "URI", NULL})) {
		if (!r->out->path && *text == '\\')
			r->out->path = str_dup(text);
	} else if (is_action_part(r, depth)) {
		buf_adds(&r->actions, text);
		buf_addc(&r->actions, '\n');
	}
	free(text);
}

/* A definition in UTF-8, or in bytes that nobody can read; without its declaration. */
static bool read_definition(const char *text, size_t len, struct win_task *out)
{
	struct reading r = {.out = out};
	struct xml_scan scan;
	enum xml_scan_event event;
	const char *why;

	if (!xml_text_open(text, len, &r.xml, &why))
		return false;
	r.xml.lenient = true;
	out->enabled = true;
	xml_scan_init(&scan, &r.xml);
	while ((event = xml_scan_next(&scan)) != XML_SCAN_EOF && event != XML_SCAN_BAD) {
		if (event != XML_SCAN_START || scan.depth > PATH_DEPTH)
			continue;
		r.path[scan.depth - 1] = scan.name;
		take(&r, scan.depth, scan.tag);
	}
	out->actions = r.actions.len ? buf_detach(&r.actions) : str_dup("");
	buf_release(&r.actions);
	return event == XML_SCAN_EOF;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

/* "<Task>" or "<Task version=…", and not "<Tasks>". */
static const char *next_definition(const char *from, const char *end)
{
	while ((from = memmem(from, (size_t)(end - from), "<Task", 5)) != NULL) {
		if (from + 5 < end && strchr("> \t\r\n", from[5]))
			return from;
		from += 5;
	}
	return NULL;
}

/* The path in the last comment between the two places: `<!-- \FOLDER\NAME -->`. */
static char *path_in_comment(const char *from, const char *to)
{
	const char *open = NULL, *at = from, *close;
	char *path, *text;

	while ((at = memmem(at, (size_t)(to - at), "<!--", 4)) != NULL)
		open = at += 4;
	close = open ? memmem(open, (size_t)(to - open), "-->", 3) : NULL;
	if (!close)
		return NULL;
	while (open < close && strchr(" \t\r\n", *open))
		open++;
	while (close > open && strchr(" \t\r\n", close[-1]))
		close--;
	text = win_text(open, (size_t)(close - open));
	path = text && *text == '\\' ? str_dup(text) : NULL;
	free(text);
	return path;
}

bool win_task_next(const char *text, size_t len, size_t *at, struct win_task *out, int *bad)
{
	const char *end = text + len, *from = text + *at, *start, *close;

	while ((start = next_definition(from, end)) != NULL) {
		char *readable;

		close = memmem(start, (size_t)(end - start), "</Task>", 7);
		if (!close)
			break;
		*out = (struct win_task){.path = path_in_comment(from, start)};
		readable = win_text(start, (size_t)(close - start) + 7);
		from = close + 7;
		*at = (size_t)(from - text);
		if (read_definition(readable ? readable : start, readable ? strlen(readable) : (size_t)(from - start),
				    out)) {
			free(readable);
			return true;
		}
		free(readable);
		win_task_release(out);
		++*bad;
	}
	/* two bytes a character, or none that is text: there is no saying what it holds */
	*bad += start != NULL || memchr(from, '\0', (size_t)(end - from)) != NULL;
	*at = len;
	return false;
}

bool win_task_only(const char *text, size_t len, struct win_task *out)
{
	struct win_task more;
	size_t at = 0;
	int bad = 0;

	if (!win_task_next(text, len, &at, out, &bad))
		return false;
	while (win_task_next(text, len, &at, &more, &bad)) {
		win_task_release(&more);
		bad++;
	}
	if (bad)
		win_task_release(out);
	return !bad;
}

bool win_task_is_path(const char *path)
{
	size_t len = strlen(path);

	return len > 1 && len <= TASK_PATH_MAX && path[0] == '\\' && path[len - 1] != '\\' && win_is_argument(path) &&
	       !strpbrk(path, "/:*?<>|");
}

/* ---- whose? ----------------------------------------------------------------------------------------------------- */

static bool is_part_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

static bool has_name(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; (at = strcasestr(at, name)) != NULL; at++) {
		if ((at == text || !is_part_of_name(at[-1])) && !is_part_of_name(at[len]))
			return true;
	}
	return false;
}

bool win_task_names(const struct win_task *task, const char *const names[])
{
	for (size_t i = 0; names[i]; i++) {
		if (*names[i] && has_name(task->actions, names[i]))
			return true;
	}
	return false;
}
