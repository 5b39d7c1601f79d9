/*
 * Rows that are a person's: what she has to do stands in the journal beside the row, in both languages and with this
 * tenant's values, before she is asked; and a word of hers that came too early is taken back.
 *
 * The texts are the procedure's (inventory/instruction.h). They are written as a note of the row and not into its state's
 * text alone, since that has one language, and since an agent that asks for a person says there why. Kept whole rather than
 * as a template with values: so the state file shows what she was told, whatever becomes of procedure and inventory.
 */
#include "engine/internal.h"

#include "base/alloc.h"
#include "engine/confirm.h"
#include "engine/look.h"
#include "inventory/instruction.h"

static void set_text(json_t *o, const char *key, const struct task *t, bool japanese)
{
	const struct roster_row *r = t->roster;
	struct buf text = BUF_INIT;

	instruction_write_in(&text, t->engine->cfg.inventory, r->tenant, r->step, r->host, r->domain, japanese);
	json_object_set_new(o, key, json_string(buf_str(&text)));
	buf_release(&text);
}

static char *instruction_json(const struct task *t)
{
	const struct roster_row *r = t->roster;
	json_t *o = json_object();
	char *data;

	json_object_set_new(o, "who", json_string(who_name(tenant_who(r->tenant, r->step))));
	set_text(o, "en", t, false);
	if (r->step->instruction.ja)
		set_text(o, "ja", t, true);
	data = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	return data;
}

/* Written when it is not there yet, or has changed. */
void people_instruct(struct task *t)
{
	struct journal_entry note = ledger_entry(t->row, JOURNAL_NOTE, "instruction", "");
	char *data;

	if (!t->engine->cfg.journal || !*t->roster->step->instruction.en)
		return;
	data = instruction_json(t);
	note.data = data;
	if (!t->row->instruction_json || strcmp(t->row->instruction_json, data) != 0)
		ledger_add(&t->engine->ledger, &note, NULL, 1, NULL);
	free(data);
}

void people_instruct_all(struct engine *e)
{
	for (size_t i = 0; i < e->roster.n; i++)
		if (e->tasks[i].selected && e->tasks[i].roster->instructed)
			people_instruct(&e->tasks[i]);
}

/* Also of steps that are not selected: what is selected may wait for them. */
void people_take_back(struct engine *e)
{
	for (size_t i = 0; i < e->roster.n; i++) {
		struct task *t = &e->tasks[i];
		const struct roster_row *r = t->roster;
		int64_t said_ms = t->row->said_ms ? t->row->said_ms : t->row->since_ms;
		char text[ERR_TEXT_MAX];

		if (t->row->state != STEP_CONFIRMED || !confirm_is_early(r->step->phase, r->tenant->migration_ms, said_ms))
			continue;
		snprintf(text, sizeof(text),
			 "it was confirmed before the vendor's data migration (%s), which does not count: look again, then "
			 "confirm",
			 r->tenant->migration_date);
		ledger_move(&e->ledger, t->row, STEP_RUNNING, 0, text, 0);
		ledger_move(&e->ledger, t->row, STEP_PENDING, 0, text, 0);
	}
}
