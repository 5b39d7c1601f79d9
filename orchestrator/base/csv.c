#include "base/csv.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <string.h>

struct reader {
	struct csv *csv;
	char *at, *end; /* what is left of csv->memory */
	size_t line;
	struct err *err;
};

/* ---- the bytes -------------------------------------------------------------------------------------------------- */

static size_t count_lines(const char *from, const char *to)
{
	size_t n = 1;

	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

static int check_text(const char *bytes, size_t len, struct err *err)
{
	const char *end = bytes + len;

	if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
		return err_set(err, E_INVAL, "it is UTF-16 (\"Unicode text\"): save the sheet as \"CSV UTF-8\"");
	for (const char *at = bytes; at < end;) {
		size_t n = utf8_next(at, (size_t)(end - at), NULL);
		if (n == 0 || *at == '\0')
			return err_set(err, E_INVAL, "line %zu: %s", count_lines(bytes, at),
				       n ? "it has a NUL byte: this is no CSV file"
					 : "it is not UTF-8: save the sheet as \"CSV UTF-8\"");
		at += n;
	}
	return 0;
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

static int fault(struct reader *r, const char *what)
{
	return err_set(r->err, E_INVAL, "line %zu: %s", r->line, what);
}

/* Behind a field: ',' and '\n' for what ends it, 0 for the end of the file, else an error. Moves behind it. */
static int take_end(struct reader *r, char *ended)
{
	*ended = 0;
	if (r->at == r->end)
		return 0;
	if (*r->at == '\r') {
		if (r->at + 1 == r->end || r->at[1] != '\n')
			return fault(r, "a return without a newline behind it");
		r->at++;
	}
	*ended = *r->at++;
	return *ended == ',' || *ended == '\n' ? 0 : fault(r, "text behind a closing quote");
}

/* The text between quotes, put together in its place: it only becomes shorter. */
static int take_quoted(struct reader *r, char **field, char **field_end)
{
	char *to = ++r->at;
	size_t opened = r->line;

	*field = to;
	while (r->at < r->end) {
		if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"'))
			break;
		if (*r->at == '"')
			r->at++;
		r->line += *r->at == '\n';
		*to++ = *r->at++;
	}
	*field_end = to;
	if (r->at == r->end) {
		r->line = opened;
		return fault(r, "the quote that opens here is never closed");
	}
	r->at++;
	return 0;
}

static int take_plain(struct reader *r, char **field, char **field_end)
{
	*field = r->at;
	while (r->at < r->end && !strchr(",\r\n\"", *r->at))
		r->at++;
	*field_end = r->at;
	return r->at < r->end && *r->at == '"' ? fault(r, "a quote inside a field that does not begin with one") : 0;
}

static int take_field(struct reader *r, struct csv_record *record, char *ended)
{
	struct csv *csv = r->csv;
	char *field, *field_end;
	bool quoted = r->at < r->end && *r->at == '"';
	int rc = quoted ? take_quoted(r, &field, &field_end) : take_plain(r, &field, &field_end);

	if (rc == 0)
		rc = take_end(r, ended);
	if (rc)
		return rc;
	*field_end = '\0'; /* the end is read already, or memory's own last byte */
	if (field_end - field > CSV_FIELD_MAX_BYTES)
		return fault(r, "a field is longer than a cell can be");
	if (record->n == CSV_FIELDS_MAX)
		return fault(r, "there are too many fields");
	GROW_FOR_ONE(csv->fields, csv->fields_n);
	csv->fields[csv->fields_n++] = field;
	record->n++;
	return 0;
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

static int take_record(struct reader *r)
{
	struct csv *csv = r->csv;
	struct csv_record record = { .line = r->line, .first = csv->fields_n };
	char ended = ',';
	int rc = 0;

	while (rc == 0 && ended == ',')
		rc = take_field(r, &record, &ended);
	if (rc)
		return rc;
	r->line += ended == '\n';
	if (record.n == 1 && !*csv->fields[record.first]) {
		csv->fields_n = record.first; /* an empty line */
		return 0;
	}
	if (csv->records_n == CSV_RECORDS_MAX)
		return err_set(r->err, E_LIMIT, "it has more than %d lines: divide it", CSV_RECORDS_MAX);
	GROW_FOR_ONE(csv->records, csv->records_n);
	csv->records[csv->records_n++] = record;
	return 0;
}

int csv_parse(const char *bytes, size_t len, struct csv *out, struct err *err)
{
	struct reader r = { .csv = out, .line = 1, .err = err };
	int rc;

	*out = (struct csv){ 0 };
	if (len > CSV_MAX_BYTES)
		return err_set(err, E_LIMIT, "it is larger than %zu bytes: divide it", CSV_MAX_BYTES);
	rc = check_text(bytes, len, err);
	if (rc)
		return rc;
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	out->memory = str_ndup(len ? bytes : "", len);
	r.at = out->memory;
	r.end = out->memory + len;
	while (rc == 0 && r.at < r.end)
		rc = take_record(&r);
	if (rc)
		csv_release(out);
	return rc;
}

void csv_release(struct csv *csv)
{
	free(csv->records);
	free(csv->fields);
	free(csv->memory);
	*csv = (struct csv){ 0 };
}

const char *csv_field(const struct csv *csv, const struct csv_record *record, size_t column)
{
	return column < record->n ? csv->fields[record->first + column] : "";
}

/* ---- formulas --------------------------------------------------------------------------------------------------- */

bool csv_is_formula(const char *text)
{
	uint32_t c = 0;

	text += strspn(text, "'");
	utf8_next(text, strlen(text), &c);
	return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r' || c == 0xff1d || c == 0xff0b ||
	       c == 0xff0d || c == 0xff20;
}

const char *csv_unguard(const char *text)
{
	return *text == '\'' && csv_is_formula(text) ? text + 1 : text;
}
