/*
 * cutover report: the report in one or several formats, into files of a folder or one of them to stdout.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "exit.h"
#include "reading.h"
#include "report/model.h"
#include "terminal.h"

#define FILE_MODE 0640
#define FOLDER_MODE 0750

static const struct {
	unsigned bit;
	const char *file;
	int (*write)(const struct report *report, struct buf *out, struct err *err);
} formats[] = {
	{ FORMAT_TEXT, "report.txt", report_text },
	{ FORMAT_JSON, "report.json", report_json },
	{ FORMAT_CSV, "report.csv", report_csv },
	{ FORMAT_HTML, "report.html", report_html },
};
#define FORMATS (sizeof(formats) / sizeof(*formats))

static int write_file(const struct report *report, size_t format, const char *folder, struct err *err)
{
	struct buf document = { .max = REPORT_MAX_BYTES }, line = BUF_INIT;
	char *path = file_join(folder, formats[format].file);
	int rc = formats[format].write(report, &document, err);

	if (rc == 0)
		rc = file_write(path, FILE_MODE, buf_str(&document), document.len, err);
	if (rc == 0) {
		buf_addf(&line, "%s\n", path);
		rc = terminal_put(buf_str(&line), line.len, err);
	}
	buf_release(&line);
	buf_release(&document);
	free(path);
	return rc;
}

/* ---- evidence ---------------------------------------------------------------------------------------------------- */

#define EVIDENCE_MODE 0600 /* as the state file that it comes out of */

/* "3b0c44298fc1-proof.png": a name of the journal's that is a name of a file anywhere, and the same for the same bytes. */
static char *evidence_file(const char *folder, const char *sha256, const char *name)
{
	char *file = str_fmt("%.12s-%.100s", sha256, name), *path;

	for (char *c = file; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *c))
			*c = '_';
	path = file_join(folder, file);
	free(file);
	return path;
}

static int write_one_evidence(struct journal_reader *reader, const struct report_event *event, const char *folder,
			      struct err *err)
{
	struct buf bytes = BUF_INIT, line = BUF_INIT;
	struct report_person person;
	char *path;
	int rc;

	report_person_of(event, &person);
	path = evidence_file(folder, event->blob_sha256, person.evidence_name);
	rc = journal_blob(reader, event->blob_sha256, &bytes, err);
	if (rc == 0)
		rc = file_write(path, EVIDENCE_MODE, buf_str(&bytes), bytes.len, err);
	buf_addf(&line, "%s\n", path);
	if (rc == 0)
		rc = terminal_put(buf_str(&line), line.len, err);
	report_person_release(&person);
	buf_release(&bytes);
	buf_release(&line);
	free(path);
	return rc;
}

static int write_row_evidence(struct journal_reader *reader, const struct report_row *row, const char *folder, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < row->events.n && rc == 0; i++)
		if (row->events.at[i]->kind == JOURNAL_PERSON && *row->events.at[i]->blob_sha256)
			rc = write_one_evidence(reader, row->events.at[i], folder, err);
	return rc;
}

static int write_evidence(struct journal_reader *reader, const struct report *report, const char *out_dir, struct err *err)
{
	char *folder = file_join(out_dir, "evidence");
	int rc = file_mkdirs(folder, 0700, err);

	for (size_t i = 0; i < report->tenants_n; i++)
		for (size_t k = 0; k < report->tenants[i]->rows_n && rc == 0; k++)
			rc = write_row_evidence(reader, report->tenants[i]->rows[k], folder, err);
	free(folder);
	return rc;
}

static int write_files(const struct report *report, const struct options *o, struct err *err)
{
	int rc = file_mkdirs(o->out_dir, FOLDER_MODE, err);

	for (size_t i = 0; i < FORMATS && rc == 0; i++)
		if (o->formats & formats[i].bit)
			rc = write_file(report, i, o->out_dir, err);
	return rc;
}

static int print_one(const struct report *report, const struct options *o, struct err *err)
{
	struct buf document = { .max = REPORT_MAX_BYTES };
	size_t i = 0;
	int rc;

	while (!(o->formats & formats[i].bit))
		i++;
	rc = formats[i].write(report, &document, err);
	if (rc == 0)
		rc = terminal_put(buf_str(&document), document.len, err);
	buf_release(&document);
	return rc;
}

static int make(struct reading *r, const struct options *o, struct err *err)
{
	struct report *report = NULL;
	int rc;

	r->query.verify = true;
	r->query.width = o->out_dir ? 0 : terminal_width_out();
	r->query.colour = !o->out_dir && terminal_colour_out();
	rc = report_load(&r->query, &report, err);
	if (rc)
		return rc;
	rc = o->out_dir ? write_files(report, o, err) : print_one(report, o, err);
	if (rc == 0 && (o->formats & FORMAT_EVIDENCE))
		rc = write_evidence(r->query.reader, report, o->out_dir, err);
	report_free(report);
	return rc;
}

int cmd_report(const struct options *o)
{
	struct reading r;
	struct err err = { 0 };
	int rc;

	if (!o->out_dir && (o->formats & (o->formats - 1))) {
		terminal_error("several formats need a folder: add --out DIR");
		return EXIT_USAGE;
	}
	if (!o->out_dir && (o->formats & FORMAT_EVIDENCE)) {
		terminal_error("evidence needs a folder: add --out DIR");
		return EXIT_USAGE;
	}
	rc = reading_open(o, &r, &err);
	if (rc == 0) {
		rc = make(&r, o, &err);
		reading_close(&r);
	}
	return terminal_end(rc, &err);
}
