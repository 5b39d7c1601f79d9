/*
 * report.v1: schema/report.v1.schema.json says what each member is. Times are RFC 3339 with the tenant's offset. What
 * is not known is left out, or null where a reader would otherwise have to guess.
 */
#include "report/report.h"

#include "base/alloc.h"
#include "report/advice.h"
#include "report/changes.h"
#include "report/json_out.h"
#include "report/words.h"

/* ---- the head --------------------------------------------------------------------------------------------------- */

static void procedure(struct json_out *j, const struct report *r)
{
	json_begin(j, "procedure", '{');
	json_text(j, "name", r->procedure);
	json_begin(j, "title", '{');
	json_text(j, "en", r->title.en);
	json_text_if(j, "ja", r->title.ja);
	json_end(j, '}');
	json_end(j, '}');
}

static void summary(struct json_out *j, const struct report *r)
{
	size_t rows = 0;

	for (int s = 0; s < STEP_STATES; s++)
		rows += r->rows_by_state[s];
	json_begin(j, "summary", '{');
	json_number(j, "tenants", (int64_t)(r->tenants_n - r->withdrawn_n));
	json_number(j, "withdrawn", (int64_t)r->withdrawn_n);
	json_number(j, "rows", (int64_t)rows);
	json_number(j, "open_debts", (int64_t)r->debts_n);
	json_begin(j, "tenants_by_state", '{');
	for (int s = 0; s < TENANT_STATES; s++)
		json_number(j, tenant_state_name((enum tenant_state)s), (int64_t)r->by_state[s]);
	json_end(j, '}');
	json_begin(j, "rows_by_state", '{');
	for (int s = 0; s < STEP_STATES; s++)
		json_number(j, step_state_name((enum step_state)s), (int64_t)r->rows_by_state[s]);
	json_end(j, '}');
	json_end(j, '}');
}

static void chain(struct json_out *j, const struct report *r)
{
	json_begin(j, "chain", '{');
	json_bool(j, "checked", r->chain.checked);
	if (r->chain.checked) {
		json_bool(j, "intact", r->chain.intact);
		json_number(j, "entries", (int64_t)r->chain.entries);
		json_text_if(j, "text", r->chain.text);
	}
	json_end(j, '}');
}

static void run(struct json_out *j, const struct report *r, const struct report_run *run)
{
	json_line(j, 2);
	json_begin(j, NULL, '{');
	json_number(j, "run", run->run->id);
	json_text(j, "command", run->command);
	json_time(j, "begin", run->run->begin_ms, r->offset_min);
	json_time(j, "end", run->run->end_ms, r->offset_min);
	json_text(j, "ended", run->run->end_ms ? "finished" : run->going_on ? "going_on" : "killed");
	if (run->exit >= 0) {
		json_number(j, "exit", run->exit);
		json_text(j, "meaning", report_exit_meaning(run->exit, r->lang));
	}
	json_text_if(j, "text", run->run->end_text);
	json_text_if(j, "os_user", run->os_user);
	json_text_if(j, "ssh_origin", run->ssh_origin);
	json_text_if(j, "version", run->version);
	if (run->revision)
		json_number(j, "revision", run->revision);
	if (run->concurrency)
		json_number(j, "concurrency", run->concurrency);
	json_text_if(j, "selection", run->selection);
	json_end(j, '}');
}

static void debt(struct json_out *j, const struct row_debt *debt, const struct report_row *row, bool named)
{
	json_begin(j, NULL, '{');
	if (named) {
		json_text(j, "tenant", row->tenant->id);
		json_text(j, "step", row->row->step);
		json_text(j, "target", row->row->target);
	}
	json_text(j, "action", debt->action ? debt->action : "");
	json_text_if(j, "item", debt->item);
	json_time(j, "since", debt->wall_ms, row->tenant->offset_min);
	json_text_if(j, "text", debt->text);
	json_end(j, '}');
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

static void command_lines(struct json_out *j, const char *lines)
{
	json_begin(j, "commands", '[');
	while (*lines) {
		size_t len = strcspn(lines, "\n");
		char *line = str_ndup(lines, len);

		json_text(j, NULL, line);
		free(line);
		lines += len + (lines[len] == '\n');
	}
	json_end(j, ']');
}

static void failure(struct json_out *j, const struct report *r, const struct report_cause *cause)
{
	const struct advice *advice = advice_find(cause->state, cause->code);
	struct buf commands = BUF_INIT;

	json_line(j, 2);
	json_begin(j, NULL, '{');
	json_text(j, "state", step_state_name(cause->state));
	json_text(j, "code", cause->code);
	json_text(j, "step", cause->step);
	json_text(j, "title", advice->title[r->lang]);
	json_text(j, "text", cause->text);
	json_text(j, "what_to_do", advice->what[r->lang]);
	json_text_if(j, "line", advice->line);
	advice_commands(r, advice, cause, NULL, &commands);
	command_lines(j, buf_str(&commands));
	buf_release(&commands);
	json_number(j, "count", (int64_t)cause->rows_n);
	json_begin(j, "targets", '[');
	for (size_t i = 0; i < cause->rows_n; i++) {
		json_begin(j, NULL, '{');
		json_text(j, "tenant", cause->rows[i]->tenant->id);
		json_text(j, "target", cause->rows[i]->row->target);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void change(struct json_out *j, const struct report_row *row, const struct change_seen *c)
{
	static const char *const fates[] = { "planned", "made", "undone" };

	json_begin(j, NULL, '{');
	json_text(j, "item", c->item);
	json_text(j, "what", c->what);
	json_text(j, "fate", fates[changes_fate(row, c)]);
	if (c->line)
		json_number(j, "line", c->line);
	json_text(j, "old_line", c->old_line);
	json_text(j, "new_line", c->new_line);
	json_hash(j, "before_sha256", c->before_sha256);
	json_hash(j, "after_sha256", c->after_sha256);
	json_begin(j, "edits", '[');
	for (size_t i = 0; i < c->edits_n; i++) {
		json_begin(j, NULL, '{');
		json_number(j, "offset", c->edits[i].offset);
		json_text(j, "old", c->edits[i].old_text);
		json_text(j, "new", c->edits[i].new_text);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}

static void changes(struct json_out *j, const struct report_row *row)
{
	struct changes c;

	changes_parse(&c, row->changes ? row->changes->data : row->row->changes_json);
	json_begin(j, "changes", '[');
	for (size_t i = 0; i < c.n; i++)
		change(j, row, &c.at[i]);
	json_end(j, ']');
	json_begin(j, "notes", '[');
	for (size_t i = 0; i < c.notes_n; i++)
		json_text(j, NULL, c.notes[i]);
	json_end(j, ']');
	changes_release(&c);
}

static void event(struct json_out *j, const struct report_event *e, int offset_min)
{
	json_line(j, 8);
	json_begin(j, NULL, '{');
	json_time(j, "at", e->wall_ms, offset_min);
	json_number(j, "run", e->run);
	json_text(j, "kind", journal_kind_name(e->kind));
	json_text_if(j, "target", e->kind == JOURNAL_IDENTITY ? e->target : "");
	json_text_if(j, "action", e->action);
	json_text_if(j, "item", e->item);
	json_text_if(j, "from", e->from);
	json_text_if(j, "to", e->to);
	json_text_if(j, "code", e->code);
	json_text_if(j, "text", e->text);
	if (e->attempt)
		json_number(j, "attempt", e->attempt);
	if (e->until_ms)
		json_time(j, "until", e->until_ms, offset_min);
	if (e->kind == JOURNAL_OUTCOME || e->kind == JOURNAL_EVIDENCE) {
		json_number(j, "exit_code", e->exit_code);
		json_number(j, "elapsed_ms", e->elapsed_ms);
	}
	if (e->kind != JOURNAL_CHANGES)
		json_embed(j, "data", e->data);
	if (*e->blob_sha256)
		json_hash(j, "blob_sha256", e->blob_sha256);
	if (e->excerpt) {
		json_text(j, "output", e->excerpt);
		json_bool(j, "output_cut", e->cut);
	}
	json_end(j, '}');
}

static void events(struct json_out *j, const char *key, const struct report_events *list, int offset_min)
{
	json_begin(j, key, '[');
	for (size_t i = 0; i < list->n; i++)
		event(j, list->at[i], offset_min);
	json_end(j, ']');
}

static void row_debts(struct json_out *j, const struct report_row *row)
{
	json_begin(j, "open_debts", '[');
	for (size_t i = 0; i < row->row->debts_n; i++)
		debt(j, &row->row->debts[i], row, false);
	json_end(j, ']');
	json_begin(j, "open_intents", '[');
	for (size_t i = 0; i < row->row->intents_n; i++) {
		json_begin(j, NULL, '{');
		json_text(j, "action", row->row->intents[i].action);
		json_text_if(j, "item", row->row->intents[i].item);
		json_time(j, "since", row->row->intents[i].wall_ms, row->tenant->offset_min);
		json_end(j, '}');
	}
	json_end(j, ']');
}

/* What a person does of it, in both languages. */
static void instruction(struct json_out *j, const struct report_row *row)
{
	char who[16];

	if (!report_instruction(row, false))
		return;
	json_begin(j, "instruction", '{');
	json_text(j, "who", report_row_who(row, who));
	json_text(j, "en", row->instruction.en);
	json_text_if(j, "ja", row->instruction.ja);
	json_end(j, '}');
}

static void step_head(struct json_out *j, const struct report_row *row)
{
	const struct row *x = row->row;
	const char *not_proved = report_not_proved(row, row->tenant->japanese);
	int offset = row->tenant->offset_min;

	json_text(j, "step", x->step);
	json_text(j, "target", x->target);
	json_text(j, "state", step_state_name(x->state));
	json_text_if(j, "phase", row->step ? phase_name(row->step->phase) : "");
	json_text_if(j, "vendor_step", row->step ? row->step->vendor : "");
	json_text_if(j, "title", report_step_title(row, row->tenant->japanese));
	json_text(j, "code", x->code ? x->code : "");
	json_text(j, "text", x->text ? x->text : "");
	instruction(j, row);
	json_text_if(j, "not_proved", not_proved ? not_proved : "");
	json_number(j, "attempt", x->attempt);
	json_number(j, "run", x->run);
	json_time(j, "first", x->first_ms, offset);
	json_time(j, "since", x->since_ms, offset);
	json_time(j, "finished", x->finished_ms, offset);
	json_time(j, "until", x->until_ms, offset);
}

static void step(struct json_out *j, const struct report_row *row)
{
	json_line(j, 6);
	json_begin(j, NULL, '{');
	step_head(j, row);
	changes(j, row);
	json_embed(j, "before", row->row->before_json);
	row_debts(j, row);
	events(j, "events", &row->events, row->tenant->offset_min);
	json_end(j, '}');
}

/* ---- tenants ---------------------------------------------------------------------------------------------------- */

static void window(struct json_out *j, const char *key, const struct report_window *w, int offset_min)
{
	if (!w->start_ms && !w->end_ms) {
		json_nothing(j, key);
		return;
	}
	json_begin(j, key, '{');
	json_time(j, "start", w->start_ms, offset_min);
	json_time(j, "end", w->end_ms, offset_min);
	json_end(j, '}');
}

static void tenant_head(struct json_out *j, const struct report_tenant *t)
{
	json_text(j, "id", t->id);
	json_text(j, "state", tenant_state_name(t->state));
	json_bool(j, "withdrawn", t->withdrawn);
	json_text(j, "name", report_tenant_name(t));
	json_text_if(j, "wave", t->wave);
	json_text(j, "language", t->japanese ? "ja" : "en");
	json_number(j, "offset_min", t->offset_min);
	json_text_if(j, "change_id", t->change_id);
	json_text_if(j, "migration_date", t->migration_date);
	json_begin(j, "windows", '[');
	for (size_t i = 0; i < t->windows_n; i++)
		window(j, NULL, &t->windows[i], t->offset_min);
	json_end(j, ']');
	window(j, "vendor_period", &t->vendor_period, t->offset_min);
	json_embed(j, "by", t->by_json);
	json_number(j, "entries", (int64_t)t->entries_n);
	json_hash(j, "hash", t->last_hash);
}

static void tenant(struct json_out *j, const struct report_tenant *t)
{
	json_line(j, 4);
	json_begin(j, NULL, '{');
	tenant_head(j, t);
	events(j, "events", &t->events, t->offset_min);
	json_begin(j, "steps", '[');
	for (size_t i = 0; i < t->rows_n; i++)
		step(j, t->rows[i]);
	json_end(j, ']');
	json_end(j, '}');
}

static void head(struct json_out *j, const struct report *r)
{
	json_number(j, "report", 1);
	json_time(j, "made_at", r->now_ms, r->offset_min);
	json_text(j, "version", CUTOVER_VERSION);
	json_text_if(j, "state_file", r->state_file);
	json_text_if(j, "tenant", r->asked);
	if (r->revision) {
		json_begin(j, "inventory", '{');
		json_number(j, "revision", r->revision);
		json_hash(j, "sha256", r->revision_sha256);
		json_text_if(j, "path", r->inventory);
		json_end(j, '}');
	}
	procedure(j, r);
	json_line(j, 0);
	summary(j, r);
	json_line(j, 0);
	chain(j, r);
}

int report_json(const struct report *r, struct buf *out, struct err *err)
{
	struct json_out j = { .out = out };

	if (!out->max)
		out->max = REPORT_MAX_BYTES;
	json_begin(&j, NULL, '{');
	head(&j, r);
	json_begin(&j, "runs", '[');
	for (size_t i = 0; i < r->runs_n; i++)
		run(&j, r, &r->runs[i]);
	json_end(&j, ']');
	json_begin(&j, "open_debts", '[');
	for (size_t i = 0; i < r->debts_n; i++)
		debt(&j, r->debts[i].debt, r->debts[i].row, true);
	json_end(&j, ']');
	json_begin(&j, "failures", '[');
	for (size_t i = 0; i < r->causes_n; i++)
		if (r->causes[i].kind == CAUSE_FAILURE)
			failure(&j, r, &r->causes[i]);
	json_end(&j, ']');
	json_begin(&j, "tenants", '[');
	for (size_t i = 0; i < r->tenants_n; i++)
		tenant(&j, r->tenants[i]);
	json_end(&j, ']');
	json_end(&j, '}');
	buf_addc(out, '\n');
	return out->truncated
		       ? err_set(err, E_LIMIT, "the JSON report is larger than %zu bytes: ask for one tenant at a time",
				 out->max)
		       : 0;
}
