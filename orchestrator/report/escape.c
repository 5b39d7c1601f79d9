#include "report/escape.h"

#include "base/alloc.h"
#include "base/csv.h"
#include "base/utf8.h"

#include <stdbool.h>

#define REPLACEMENT 0xfffd

/* The character at *at (before end), and *at moved behind it; U+FFFD for a byte that belongs to none. */
static uint32_t next(const char **at, const char *end)
{
	uint32_t c = REPLACEMENT;
	size_t len = utf8_next(*at, (size_t)(end - *at), &c);

	*at += len ? len : 1;
	return c;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

/* Marks, embeddings, overrides and isolates of the bidirectional algorithm; line and paragraph separators; no-width
   characters, which hide in names. */
static bool is_deceptive(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || (c >= 0x200b && c <= 0x200f) ||
	       c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0x061c;
}

/* What is shown in the place of such a character. False: it is shown as it is. */
static bool show_hidden(struct buf *out, uint32_t c)
{
	if (is_control(c))
		buf_addf(out, "\\x%02x", (unsigned)c);
	else if (is_deceptive(c))
		buf_addf(out, "\\u%04x", (unsigned)c);
	else if (c == REPLACEMENT)
		buf_adds(out, "\xef\xbf\xbd");
	else
		return false;
	return true;
}

void escape_html_n(struct buf *out, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *from = text;
		uint32_t c = next(&text, end);

		if (c == '&')
			buf_adds(out, "&amp;");
		else if (c == '<')
			buf_adds(out, "&lt;");
		else if (c == '>')
			buf_adds(out, "&gt;");
		else if (c == '"')
			buf_adds(out, "&quot;");
		else if (c == '\'')
			buf_adds(out, "&#39;");
		else if (c == '\n' || c == '\t' || !show_hidden(out, c))
			buf_add(out, from, (size_t)(text - from));
	}
}

void escape_html(struct buf *out, const char *text)
{
	escape_html_n(out, text, strlen(text));
}

void escape_json(struct buf *out, const char *text)
{
	const char *end = text + strlen(text);

	buf_addc(out, '"');
	while (text < end) {
		const char *from = text;
		uint32_t c = next(&text, end);

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", (char)c);
		else if (c == '\n')
			buf_adds(out, "\\n");
		else if (c == '\t')
			buf_adds(out, "\\t");
		else if (is_control(c) || is_deceptive(c))
			buf_addf(out, "\\u%04x", (unsigned)c);
		else if (c == REPLACEMENT)
			buf_adds(out, "\xef\xbf\xbd");
		else
			buf_add(out, from, (size_t)(text - from));
	}
	buf_addc(out, '"');
}

void escape_csv(struct buf *out, const char *text)
{
	bool formula = csv_is_formula(text);
	bool quoted = text[strcspn(text, ",\"\r\n")] != '\0' || text[0] == ' ' || formula;
	const char *end = text + strlen(text);

	buf_adds(out, quoted ? "\"" : "");
	buf_adds(out, formula ? "'" : "");
	while (text < end) {
		const char *from = text;
		uint32_t c = next(&text, end);

		if (c == '"')
			buf_adds(out, "\"\"");
		else if (c == '\n' || c == '\t' || !show_hidden(out, c))
			buf_add(out, from, (size_t)(text - from));
	}
	buf_adds(out, quoted ? "\"" : "");
}

/* ---- terminals -------------------------------------------------------------------------------------------------- */

/* East Asian Wide and Fullwidth (UAX #11), the ranges that texts here have. */
static bool is_wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0x303e) || (c >= 0x3041 && c <= 0xa4cf) ||
	       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
	       (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
	       (c >= 0x20000 && c <= 0x3fffd);
}

static bool is_combining(uint32_t c)
{
	return (c >= 0x0300 && c <= 0x036f) || (c >= 0x3099 && c <= 0x309a) || (c >= 0xfe00 && c <= 0xfe0f) ||
	       (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x20d0 && c <= 0x20ff);
}

/* Adds one character as a terminal may have it; its columns. */
static size_t line_character(struct buf *out, const char *from, size_t bytes, uint32_t c)
{
	size_t before = out->len;

	if (c == '\n' || c == '\t' || c == '\r') {
		buf_addc(out, ' ');
		return 1;
	}
	if (c == REPLACEMENT) {
		buf_adds(out, "\xef\xbf\xbd");
		return 1;
	}
	if (show_hidden(out, c))
		return out->len - before;
	buf_add(out, from, bytes);
	if (is_combining(c))
		return 0;
	return is_wide(c) ? 2 : 1;
}

void escape_line(struct buf *out, const char *text)
{
	const char *end = text + strlen(text);

	while (text < end) {
		const char *from = text;
		uint32_t c = next(&text, end);

		line_character(out, from, (size_t)(text - from), c);
	}
}

size_t text_columns(const char *text)
{
	const char *end = text + strlen(text);
	struct buf scratch = BUF_INIT;
	size_t columns = 0;

	while (text < end) {
		const char *from = text;
		uint32_t c = next(&text, end);

		columns += line_character(&scratch, from, (size_t)(text - from), c);
	}
	buf_release(&scratch);
	return columns;
}

/* As much of the text as fits into `columns`; its columns. */
static size_t cell_fill(struct buf *out, const char *text, size_t columns)
{
	const char *end = text + strlen(text);
	size_t used = 0;

	while (text < end) {
		const char *from = text;
		uint32_t c = next(&text, end);
		size_t before = out->len;
		size_t width = line_character(out, from, (size_t)(text - from), c);

		if (used + width > columns) {
			out->len = before;
			out->data[before] = '\0';
			break;
		}
		used += width;
	}
	return used;
}

void escape_cell(struct buf *out, const char *text, size_t columns, bool pad)
{
	bool cut = text_columns(text) > columns;
	size_t used = cell_fill(out, text, cut && columns ? columns - 1 : columns);

	if (cut && columns) {
		buf_adds(out, "…");
		used++;
	}
	for (; pad && used < columns; used++)
		buf_addc(out, ' ');
}

/* Japanese has no spaces: a line may be broken before any wide character. */
static size_t word_length(const char *text)
{
	const char *at = text, *end = text + strlen(text), *before = text;

	while (at < end) {
		uint32_t c;

		before = at;
		c = next(&at, end);
		if (c == ' ' || c == '\n' || c == '\t')
			return (size_t)(before - text);
		if (is_wide(c))
			return before > text ? (size_t)(before - text) : (size_t)(at - text);
	}
	return (size_t)(at - text);
}

static void new_line(struct buf *out, size_t indent)
{
	buf_addc(out, '\n');
	for (size_t i = 0; i < indent; i++)
		buf_addc(out, ' ');
}

void escape_wrapped(struct buf *out, const char *text, size_t columns, size_t indent, size_t used)
{
	bool first = true, space = false;

	while (*text) {
		size_t len = word_length(text);
		char *word = str_ndup(text, len);
		size_t width = text_columns(word);

		if (len && !first && used + width + space > columns) {
			new_line(out, indent);
			used = indent;
			space = false;
		}
		if (len) {
			buf_adds(out, space ? " " : "");
			escape_line(out, word);
			used += width + space;
			first = space = false;
		}
		free(word);
		text += len;
		for (; *text == ' ' || *text == '\n' || *text == '\t'; text++)
			space = !first;
	}
}
