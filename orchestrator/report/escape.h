/*
 * What comes from hosts is put into a document here and nowhere else: one function for each sink. Bytes that are no UTF-8
 * become U+FFFD. Control characters, and the characters that turn the direction of text around (they can make a line
 * read as something else), are shown as what they are: "\x1b", "\u202e".
 */
#ifndef REPORT_ESCAPE_H
#define REPORT_ESCAPE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* HTML text and attribute values in double quotes. Newlines and tabs stay. */
void escape_html(struct buf *out, const char *text);
void escape_html_n(struct buf *out, const char *text, size_t len);

/* A JSON string with its quotes. */
void escape_json(struct buf *out, const char *text);

/* A cell of RFC 4180, quoted where it must be. One that a spreadsheet would take for a formula (base/csv.h says which) gets a
   ' before it, which csv_unguard takes away again. */
void escape_csv(struct buf *out, const char *text);

/* A terminal: one line. Newlines and tabs become a space, other control characters are shown as what they are. */
void escape_line(struct buf *out, const char *text);

/* How many columns a terminal gives the text (of escape_line); wide characters are two, combining ones none. */
size_t text_columns(const char *text);

/* Adds at most `columns` of the text, with "…" as the last where it was cut, filled with spaces up to `columns` where
   `pad`. The text is escaped as by escape_line. */
void escape_cell(struct buf *out, const char *text, size_t columns, bool pad);

/* Adds the text in lines of at most `columns`, broken at spaces; lines after the first begin with `indent` spaces. The
   first one has `used` columns already. Ends without a newline. */
void escape_wrapped(struct buf *out, const char *text, size_t columns, size_t indent, size_t used);

#endif
