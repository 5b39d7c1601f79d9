#include "engine/sheet.h"

#include "base/alloc.h"
#include "base/file.h"
#include "inventory/suggest.h"

/* ---- problems --------------------------------------------------------------------------------------------------- */

void sheet_problem(struct sheet_problems *p, size_t line, const struct confirm *about, const char *text)
{
	char *one;

	if (p->n == SHEET_PROBLEMS_MAX) {
		p->more++;
		return;
	}
	if (about && about->tenant && *about->tenant)
		one = str_fmt("line %zu (%s %s%s%s): %s", line, about->tenant, about->step, about->target ? " " : "",
			      about->target ? about->target : "", text);
	else
		one = str_fmt("line %zu: %s", line, text);
	GROW_FOR_ONE(p->at, p->n);
	p->at[p->n++] = one;
}

void sheet_problems_release(struct sheet_problems *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->at[i]);
	free(p->at);
	*p = (struct sheet_problems){ 0 };
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

enum column { COLUMN_TENANT, COLUMN_STEP, COLUMN_TARGET, COLUMN_RESULT, COLUMN_BY, COLUMN_NOTE, COLUMN_EVIDENCE, COLUMNS };

static const struct {
	const char *name;
	bool required;
} columns[COLUMNS] = {
	[COLUMN_TENANT] = { "tenant", true }, [COLUMN_STEP] = { "step", true },	  [COLUMN_TARGET] = { "target", false },
	[COLUMN_RESULT] = { "result", true }, [COLUMN_BY] = { "by", true },	  [COLUMN_NOTE] = { "note", false },
	[COLUMN_EVIDENCE] = { "evidence", false },
};

static const char *const for_people[] = { "name", "owner", "state", "from", "due", "instruction" };

struct reading {
	const char *folder;
	const struct confirm *who;
	struct sheet *sheet;
	struct sheet_problems *problems;
	size_t at[COLUMNS]; /* SIZE_MAX: not in this sheet */
};

static int unknown_column(const char *name, struct err *err)
{
	struct suggestion s = { .word = name };

	for (int c = 0; c < COLUMNS; c++)
		suggestion_offer(&s, columns[c].name);
	for (size_t i = 0; i < ARRAY_LEN(for_people); i++)
		suggestion_offer(&s, for_people[i]);
	if (strchr(name, ';') || strchr(name, '\t'))
		return err_set(err, E_INVAL, "line 1: the columns are not separated by commas: save the sheet as \"CSV UTF-8\"");
	return err_set(err, E_INVAL, "line 1: there is no column \"%.60s\"%s%s%s", name, s.best ? ", did you mean \"" : "",
		       s.best ? s.best : "", s.best ? "\"?" : "");
}

static bool is_for_people(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(for_people); i++)
		if (strcmp(for_people[i], name) == 0)
			return true;
	return false;
}

static int find_column(struct reading *r, const char *name, size_t at, struct err *err)
{
	for (int c = 0; c < COLUMNS; c++) {
		if (strcmp(columns[c].name, name) != 0)
			continue;
		if (r->at[c] != SIZE_MAX)
			return err_set(err, E_INVAL, "line 1: the column \"%s\" is there twice", name);
		r->at[c] = at;
		return 0;
	}
	return !*name || is_for_people(name) ? 0 : unknown_column(name, err);
}

static int find_columns(struct reading *r, const struct csv_record *head, struct err *err)
{
	int rc = 0;

	for (int c = 0; c < COLUMNS; c++)
		r->at[c] = SIZE_MAX;
	for (size_t i = 0; i < head->n && rc == 0; i++)
		rc = find_column(r, csv_field(&r->sheet->csv, head, i), i, err);
	for (int c = 0; c < COLUMNS && rc == 0; c++)
		if (columns[c].required && r->at[c] == SIZE_MAX && !(c == COLUMN_BY && r->who->by))
			rc = err_set(err, E_INVAL, "line 1: the column \"%s\" is missing; `cutover worksheet` makes a sheet",
				     columns[c].name);
	return rc;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* What stands there, without the spaces around it and without its guard; NULL: nothing. */
static const char *cell(struct reading *r, const struct csv_record *record, enum column column)
{
	const char *field = r->at[column] == SIZE_MAX ? "" : csv_field(&r->sheet->csv, record, r->at[column]);
	char *text = (char *)(uintptr_t)csv_unguard(field); /* it is the sheet's own memory */
	size_t len;

	text += strspn(text, " \t\r\n");
	for (len = strlen(text); len && strchr(" \t\r\n", text[len - 1]); len--)
		text[len - 1] = '\0';
	return *text ? text : NULL;
}

static bool take_result(const char *text, enum confirm_result *out)
{
	for (int i = 0; i < CONFIRM_RESULTS; i++) {
		if (strcasecmp(text, confirm_result_name((enum confirm_result)i)) == 0) {
			*out = (enum confirm_result)i;
			return true;
		}
	}
	return false;
}

static const char *keep_path(struct reading *r, const char *name)
{
	struct sheet *s = r->sheet;

	GROW_FOR_ONE(s->paths, s->paths_n);
	s->paths[s->paths_n] = file_join(r->folder, name);
	return s->paths[s->paths_n++];
}

/* NULL: all is there. */
static const char *what_is_missing(const struct confirm *c)
{
	if (!c->tenant)
		return "it names no tenant";
	if (!c->step)
		return "it names no step";
	return c->by ? NULL : "who says so? `by` is empty";
}

static void take_row(struct reading *r, const struct csv_record *record, struct confirm *c)
{
	const char *evidence = cell(r, record, COLUMN_EVIDENCE), *by = cell(r, record, COLUMN_BY);

	*c = *r->who;
	c->tenant = cell(r, record, COLUMN_TENANT);
	c->step = cell(r, record, COLUMN_STEP);
	c->target = cell(r, record, COLUMN_TARGET);
	c->by = by ? by : c->by;
	c->note = cell(r, record, COLUMN_NOTE);
	c->evidence_path = evidence ? keep_path(r, evidence) : NULL;
	c->sheet_line = (int)record->line;
}

/* One row; *answered: it is among r->sheet->at then. */
static void read_row(struct reading *r, const struct csv_record *record)
{
	const char *result = cell(r, record, COLUMN_RESULT), *missing;
	struct confirm *c = &r->sheet->at[r->sheet->n];

	take_row(r, record, c);
	if (!result && !c->note && !c->evidence_path) {
		r->sheet->unanswered += c->tenant || c->step;
		return;
	}
	missing = what_is_missing(c);
	if (!result)
		sheet_problem(r->problems, record->line, c, "it has a note or evidence, but no result");
	else if (!take_result(result, &c->result))
		sheet_problem(r->problems, record->line, c, "its result is none of ok, wrong, not-needed");
	else if (missing)
		sheet_problem(r->problems, record->line, c->step ? c : NULL, missing);
	else
		r->sheet->n++;
}

int sheet_read(const char *path, const char *bytes, size_t len, const struct confirm *who, struct sheet *out,
	       struct sheet_problems *problems, struct err *err)
{
	char *folder = file_dirname(path);
	struct confirm base = *who;
	struct reading r = { .folder = folder, .who = &base, .sheet = out, .problems = problems };
	int rc;

	*out = (struct sheet){ 0 };
	rc = csv_parse(bytes, len, &out->csv, err);
	if (rc == 0 && out->csv.records_n == 0)
		rc = err_set(err, E_INVAL, "it is empty; `cutover worksheet` makes a sheet");
	if (rc == 0)
		rc = find_columns(&r, &out->csv.records[0], err);
	if (rc == 0 && out->csv.records_n - 1 > SHEET_ROWS_MAX)
		rc = err_set(err, E_LIMIT, "it has more than %d rows: divide it", SHEET_ROWS_MAX);
	if (rc == 0) {
		sha256_hex(bytes, len, out->sha256);
		base.sheet_path = path;
		base.sheet_sha256 = out->sha256;
		out->at = NEW_N(struct confirm, out->csv.records_n);
		for (size_t i = 1; i < out->csv.records_n; i++)
			read_row(&r, &out->csv.records[i]);
	}
	free(folder);
	if (rc)
		sheet_release(out);
	return rc;
}

void sheet_release(struct sheet *s)
{
	for (size_t i = 0; i < s->paths_n; i++)
		free(s->paths[i]);
	free(s->paths);
	free(s->at);
	csv_release(&s->csv);
	*s = (struct sheet){ 0 };
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

struct judging {
	const struct rows *rows;
	int64_t wall_ms;
	struct sheet_word *out;
	struct sheet_problems *problems;
	struct map lines; /* the row → the line that was about it */
	size_t evidence_bytes;
};

/* Is there another line about the same row? */
static bool is_second(struct judging *j, const struct row *row, const struct confirm *c)
{
	char *key = str_fmt("%s\x1f%s\x1f%s", row->tenant, row->step, row->target);
	size_t first = (size_t)(uintptr_t)map_get(&j->lines, key);
	char text[64];

	map_set(&j->lines, key, (void *)(uintptr_t)c->sheet_line);
	free(key);
	if (!first)
		return false;
	snprintf(text, sizeof(text), "it is about the same as line %zu", first);
	sheet_problem(j->problems, (size_t)c->sheet_line, c, text);
	return true;
}

static void judge_one(struct judging *j, const struct confirm *c)
{
	struct sheet_word *out = j->out;
	const struct row *row = NULL;
	struct err err = { 0 };
	int rc = confirm_row(j->rows, c, &row, &err);

	if (rc == 0 && is_second(j, row, c))
		return;
	if (rc == 0 && confirm_is_said(row, c)) {
		out->same++;
		return;
	}
	if (rc == 0)
		rc = confirm_apply(j->rows, c, j->wall_ms, &out->made[out->made_n], &err);
	if (rc == 0) {
		j->evidence_bytes += out->made[out->made_n].evidence.len;
		out->made_n++;
		out->by_result[c->result]++;
	}
	if (rc == 0 && j->evidence_bytes > SHEET_EVIDENCE_MAX_BYTES)
		rc = err_set(&err, E_LIMIT, "the evidence of all rows up to here is larger than %zu bytes: divide the sheet",
			     SHEET_EVIDENCE_MAX_BYTES);
	if (rc)
		sheet_problem(j->problems, (size_t)c->sheet_line, c, err.text);
}

static void collect(struct sheet_word *out)
{
	out->entries = NEW_N(struct journal_entry, out->made_n * CONFIRM_ENTRIES_MAX + 1);
	out->blobs = NEW_N(struct journal_blob, out->made_n * CONFIRM_ENTRIES_MAX + 1);
	for (size_t i = 0; i < out->made_n; i++) {
		const struct confirmation *made = &out->made[i];
		for (size_t k = 0; k < made->n; k++) {
			out->entries[out->n] = made->entries[k];
			out->blobs[out->n++] = made->blobs[k];
		}
	}
}

void sheet_judge(const struct rows *rows, const struct confirm *said, size_t n, int64_t wall_ms, struct sheet_word *out,
		 struct sheet_problems *problems)
{
	struct judging j = { .rows = rows, .wall_ms = wall_ms, .out = out, .problems = problems };

	*out = (struct sheet_word){ .made = NEW_N(struct confirmation, n + 1) };
	for (size_t i = 0; i < n && j.evidence_bytes <= SHEET_EVIDENCE_MAX_BYTES; i++)
		judge_one(&j, &said[i]);
	map_release(&j.lines);
	if (problems->n == 0)
		collect(out);
}

void sheet_word_release(struct sheet_word *w)
{
	for (size_t i = 0; i < w->made_n; i++)
		confirmation_release(&w->made[i]);
	free(w->made);
	free(w->entries);
	free(w->blobs);
	*w = (struct sheet_word){ 0 };
}

char *sheet_summary(const struct sheet_word *w)
{
	char *same = w->same ? str_fmt(", %zu were said before", w->same) : str_dup("");
	char *text = str_fmt("%zu taken (ok %zu, wrong %zu, not-needed %zu)%s", w->made_n, w->by_result[CONFIRM_OK],
			     w->by_result[CONFIRM_WRONG], w->by_result[CONFIRM_NOT_NEEDED], same);

	free(same);
	return text;
}

/* ---- the request of the control socket --------------------------------------------------------------------------- */

json_t *sheet_to_json(const struct confirm *said, size_t n)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *one = confirm_to_json(&said[i]);
		if (!one) {
			json_decref(rows);
			return NULL;
		}
		json_array_append_new(rows, one);
	}
	return json_pack("{s:s, s:o}", "cmd", "confirm-all", "rows", rows);
}

int sheet_from_json(const json_t *request, struct confirm **out, size_t *n, struct err *err)
{
	const json_t *rows = json_object_get(request, "rows");
	int rc = 0;

	*n = json_array_size(rows);
	if (!json_is_array(rows) || *n > SHEET_ROWS_MAX)
		return err_set(err, E_INVAL, "the request has no rows, or too many");
	*out = NEW_N(struct confirm, *n + 1);
	for (size_t i = 0; i < *n && rc == 0; i++)
		rc = confirm_from_json(json_array_get(rows, i), &(*out)[i], err);
	if (rc) {
		free(*out);
		*out = NULL;
	}
	return rc;
}
