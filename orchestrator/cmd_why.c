/*
 * cutover why: why each step of a tenant that is not done is where it is, and what would move it.
 */
#include "reading.h"
#include "report/why.h"
#include "terminal.h"

static int print_why(struct reading *r, struct err *err)
{
	struct buf text = { .max = REPORT_MAX_BYTES };
	int rc;

	r->query.width = terminal_width_out();
	r->query.colour = terminal_colour_out();
	rc = why_text(&r->query, &text, err);
	if (rc == 0)
		rc = terminal_put(buf_str(&text), text.len, err);
	buf_release(&text);
	return rc;
}

int cmd_why(const struct options *o)
{
	struct reading r;
	struct err err = { 0 };
	int rc = reading_open(o, &r, &err);

	if (rc == 0) {
		rc = print_why(&r, &err);
		reading_close(&r);
	}
	return terminal_end(rc, &err);
}
