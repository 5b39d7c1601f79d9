/*
 * cutover todo: who owes what until when, over all tenants.
 */
#include "cmd_todo.h"
#include "reading.h"
#include "terminal.h"

void todo_filter_of(const struct options *o, struct todo_filter *filter)
{
	static const char *const owners[] = { NULL, "us", "customer", "isp" };

	*filter = (struct todo_filter){ .owner = owners[o->owner],
					.tenants = o->selection.tenants.at,
					.tenants_n = o->selection.tenants.n,
					.steps = o->selection.steps.at,
					.steps_n = o->selection.steps.n };
}

static int print_todo(const struct options *o, struct reading *r, struct err *err)
{
	struct buf text = { .max = REPORT_MAX_BYTES };
	struct todo_filter filter;
	int rc;

	todo_filter_of(o, &filter);
	r->query.width = terminal_width_out();
	r->query.colour = terminal_colour_out();
	rc = o->json ? todo_json(&r->query, &filter, &text, err) : todo_text(&r->query, &filter, &text, err);
	if (rc == 0)
		rc = terminal_put(buf_str(&text), text.len, err);
	buf_release(&text);
	return rc;
}

int cmd_todo(const struct options *o)
{
	struct reading r;
	struct err err = { 0 };
	int rc = reading_open(o, &r, &err);

	if (rc == 0) {
		rc = print_todo(o, &r, &err);
		reading_close(&r);
	}
	return terminal_end(rc, &err);
}
