#include "plan_print.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/redact.h"
#include "inventory/instruction.h"

#include <jansson.h>

/* ---- text ------------------------------------------------------------------------------------------------------- */

struct printing {
	struct buf *out;
	bool colour;
	const struct tenant *tenant; /* whose heading was printed */
};

static const char *style(const struct printing *p, const char *sequence)
{
	return p->colour ? sequence : "";
}

#define RED "\033[31m"
#define GREEN "\033[32m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

/* A line of a file on a customer's host: printable, whatever is in it. */
static void add_line(struct buf *out, const char *line)
{
	for (; *line; line++)
		buf_addc(out, (unsigned char)*line < 0x20 || *line == 0x7f ? (*line == '\t' ? ' ' : '?') : *line);
}

static void add_change(struct printing *p, const struct change *c)
{
	buf_addf(p->out, "    --- %s line %ld\n    %s-", c->what, c->line, style(p, RED));
	add_line(p->out, c->old_line ? c->old_line : "");
	buf_addf(p->out, "%s\n    %s+", style(p, PLAIN), style(p, GREEN));
	add_line(p->out, c->new_line ? c->new_line : "");
	buf_addf(p->out, "%s\n", style(p, PLAIN));
}

static const char *answer(const struct engine_row *row)
{
	if (!row->assessment)
		return "cannot know";
	switch (row->assessment->state) {
	case ASSESS_OLD:
	case ASSESS_PARTIAL:
		return row->roster->disposition == ROW_WATCH ? "somebody else's to change" : "would change";
	case ASSESS_NEW:
		return "is as it should be";
	case ASSESS_DRIFT:
		return "DRIFT";
	case ASSESS_NOT_APPLICABLE:
		return "not applicable";
	case ASSESS_PERSON:
		return "needs a person";
	}
	return "";
}

/* What a person does of the row, in the tenant's language, and how she says so. Of a row that is hers from the start that is
   its text already. */
static void add_person(struct printing *p, const struct engine_row *row)
{
	const struct roster_row *r = row->roster;
	struct buf text = BUF_INIT;

	if (r->disposition != ROW_PERSON)
		instruction_write(&text, row->inventory, r->tenant, r->step, r->host, r->domain);
	if (text.len) {
		buf_addf(p->out, "    for %s: ", who_name(tenant_who(r->tenant, r->step)));
		add_line(p->out, buf_str(&text));
		buf_addc(p->out, '\n');
	}
	if (text.len || r->instructed)
		buf_addf(p->out, "    then: cutover confirm %s %s --target %s --result ok --by NAME\n", r->tenant->id,
			 r->step->name, r->target);
	buf_release(&text);
}

static bool asks_person(const struct engine_row *row)
{
	return row->assessment && (row->assessment->state == ASSESS_PERSON ||
				   (row->roster->disposition == ROW_WATCH && row->assessment->state == ASSESS_OLD));
}

static void print_row(const struct engine_row *row, void *arg)
{
	struct printing *p = arg;
	const struct assessment *a = row->assessment;

	if (!row->roster->agent)
		return;
	if (p->tenant != row->roster->tenant) {
		p->tenant = row->roster->tenant;
		buf_addf(p->out, "%s%s%s  %s\n", style(p, BOLD), p->tenant->id, style(p, PLAIN), p->tenant->name);
	}
	buf_addf(p->out, "  %s %s: %s: ", row->roster->step->name, row->roster->target, answer(row));
	add_line(p->out, a ? a->text : row->row->text ? row->row->text : "not looked at");
	buf_addc(p->out, '\n');
	for (size_t i = 0; a && i < a->changes_n; i++)
		add_change(p, &a->changes[i]);
	for (size_t i = 0; a && i < a->notes_n; i++) {
		buf_adds(p->out, "    * ");
		add_line(p->out, a->notes[i]);
		buf_addc(p->out, '\n');
	}
	if (asks_person(row))
		add_person(p, row);
}

/* Rows that no agent of this version looks at, by what is said of them. */
static void print_other(const struct engine_row *row, void *arg)
{
	struct printing *p = arg;

	if (row->roster->agent && row->roster->disposition != ROW_BLOCKED)
		return;
	if (row->roster->disposition == ROW_NOT_APPLICABLE)
		return;
	buf_addf(p->out, "  %s %s %s: ", row->roster->tenant->id, row->roster->step->name, row->roster->target);
	add_line(p->out, row->roster->text ? row->roster->text : "");
	buf_addc(p->out, '\n');
	if (row->roster->instructed)
		add_person(p, row);
}

void plan_print(struct engine *engine, bool colour, struct buf *out)
{
	struct printing p = { out, colour, NULL };
	size_t heading;

	engine_each(engine, print_row, &p);
	heading = out->len;
	engine_each(engine, print_other, &p);
	if (out->len > heading) {
		struct buf rest = BUF_INIT;
		buf_adds(&rest, out->data + heading);
		out->len = heading;
		buf_addf(out, "%sleft to people, or to a later version%s\n", style(&p, BOLD), style(&p, PLAIN));
		buf_add(out, rest.data, rest.len);
		buf_release(&rest);
	}
}

void plan_print_summary(const struct engine_outcome *o, const char *inventory, struct buf *out)
{
	buf_addf(out, "\n%zu rows: %zu would change, %zu are as they should be, %zu cannot be done as it is. Nothing was changed.\n",
		 o->rows, o->plan_changes, o->by_state[STEP_UNCHANGED], o->plan_problems);
	if (inventory)
		buf_addf(out, "next: cutover run %s\n", inventory);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

struct writing {
	const char *dir;
	const struct tenant *tenant;
	json_t *rows;
	struct buf diff;
	struct err *err;
	int r;
};

static int write_one(const struct writing *w, const char *suffix, const char *bytes, size_t len)
{
	char *path = str_fmt("%s/%s%s", w->dir, w->tenant->id, suffix);
	struct buf clean = BUF_INIT;
	int r;

	redact_add(&clean, bytes, len);
	r = file_write(path, 0600, buf_str(&clean), clean.len, w->err);
	buf_release(&clean);
	free(path);
	return r;
}

static void flush_tenant(struct writing *w)
{
	json_t *plan;
	char *text;

	if (!w->tenant || w->r)
		return;
	plan = json_pack("{s:i, s:s, s:s, s:O}", "plan", 1, "tenant", w->tenant->id, "name", w->tenant->name, "rows", w->rows);
	text = json_dumps(plan, JSON_INDENT(1) | JSON_SORT_KEYS);
	w->r = write_one(w, ".json", text, strlen(text));
	if (!w->r)
		w->r = write_one(w, ".diff", buf_str(&w->diff), w->diff.len);
	free(text);
	json_decref(plan);
	json_array_clear(w->rows);
	buf_clear(&w->diff);
}

static json_t *row_json(const struct engine_row *row)
{
	char *assessment = row->assessment ? assessment_json(row->assessment) : NULL;
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "step", row->roster->step->name, "target", row->roster->target, "phase",
			      phase_name(row->roster->step->phase), "state", step_state_name(row->row->state));
	json_t *text = json_string(row->row->text ? row->row->text : "");

	json_object_set_new(o, "text", text ? text : json_string("(not UTF-8)"));
	if (assessment)
		json_object_set_new(o, "assessment", json_loads(assessment, 0, NULL));
	free(assessment);
	return o;
}

static void write_row(const struct engine_row *row, void *arg)
{
	struct writing *w = arg;
	struct printing p = { &w->diff, false, NULL };

	if (w->tenant != row->roster->tenant) {
		flush_tenant(w);
		w->tenant = row->roster->tenant;
	}
	json_array_append_new(w->rows, row_json(row));
	for (size_t i = 0; row->assessment && i < row->assessment->changes_n; i++)
		add_change(&p, &row->assessment->changes[i]);
}

int plan_write(struct engine *engine, const char *dir, struct err *err)
{
	struct writing w = { .dir = dir, .rows = json_array(), .err = err };

	engine_each(engine, write_row, &w);
	flush_tenant(&w);
	json_decref(w.rows);
	buf_release(&w.diff);
	return w.r;
}
