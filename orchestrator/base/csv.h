/*
 * Reading comma-separated values that people have edited: RFC 4180 as spreadsheets write it, and nothing else, so that a
 * sheet is read as its author sees it or is refused with the line.
 *
 * The dialect. UTF-8, with or without a byte order mark. Records end with CRLF or LF, the last one with or without. Fields
 * are separated by commas; spaces belong to them. A field that begins with a quote ends with one: between them "" is a quote,
 * and commas and line ends are text. Lines without any character are skipped. Refused: a quote inside a field that does not
 * begin with one, text behind a closing quote, a quote that is never closed, a return without a newline, a NUL, what is not
 * UTF-8 (UTF-16, which a spreadsheet calls Unicode text, is named), and what is larger than the limits below.
 *
 * Formulas. A cell that a spreadsheet would take for one is written with an apostrophe before it (report/escape.h), since
 * names and texts come from elsewhere; csv_unguard takes it away again. A text that begins with apostrophes and then like a
 * formula gets one more, so that the two undo each other for every text.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CSV_MAX_BYTES ((size_t)16 << 20)
#define CSV_RECORDS_MAX 20000
#define CSV_FIELDS_MAX 64
#define CSV_FIELD_MAX_BYTES 32767 /* what a spreadsheet's cell holds, in characters */

struct csv_record {
	size_t line; /* where it begins, from 1 */
	size_t first, n; /* fields[first … first + n) */
};

struct csv {
	struct csv_record *records;
	size_t records_n;
	char **fields; /* of all records, NUL-terminated; they live as long as this */
	size_t fields_n;
	char *memory;
};

/* E_INVAL "line 7: …", E_LIMIT; then there is nothing to release. The bytes are copied. */
int csv_parse(const char *bytes, size_t len, struct csv *out, struct err *err);
void csv_release(struct csv *csv);

/* The field of a record; "" where it has fewer: spreadsheets leave empty ones off at the end. */
const char *csv_field(const struct csv *csv, const struct csv_record *record, size_t column);

/* Would a spreadsheet take it for a formula, once the apostrophes before it are gone? = + - @ tab return, and the full-width
   forms of the first four (OWASP's list; those count in East Asian settings). */
bool csv_is_formula(const char *text);

/* The text behind the apostrophe that guards it, else the text itself. */
const char *csv_unguard(const char *text);

#endif
