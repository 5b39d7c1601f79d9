/*
 * cutover report: the report in one or several formats, into files of a folder or one of them to stdout.
 */
#include "base/file.h"
#include "exit.h"
#include "reading.h"
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
	rc = reading_open(o, &r, &err);
	if (rc == 0) {
		rc = make(&r, o, &err);
		reading_close(&r);
	}
	return terminal_end(rc, &err);
}
