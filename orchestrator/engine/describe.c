#include "engine/describe.h"

#include "base/alloc.h"
#include "base/map.h"

static json_t *title_json(const struct text *t)
{
	return json_pack("{s:s, s:s*}", "en", t->en ? t->en : "", "ja", t->ja);
}

static char *dump(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(o);
	return text;
}

/* The first agent of the step whose absence leaves something unproved, or NULL. */
static const struct procedure_agent *proving(const struct procedure_step *s)
{
	for (size_t i = 0; i < s->agents_n; i++)
		if (s->agents[i].without.en)
			return &s->agents[i];
	return NULL;
}

char *describe_procedure(const struct procedure *p)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < p->steps_n; i++) {
		const struct procedure_step *s = &p->steps[i];
		const struct procedure_agent *proof = proving(s);
		json_array_append_new(steps, json_pack("{s:s, s:s, s:s, s:o, s:o*}", "step", s->name, "vendor",
						       s->vendor_step, "phase", phase_name(s->phase), "title",
						       title_json(&s->title), "without",
						       proof ? title_json(&proof->without) : NULL));
	}
	return dump(json_pack("{s:s, s:o, s:o}", "name", p->name, "title", title_json(&p->title), "steps", steps));
}

static json_t *window_json(const struct window *w)
{
	return json_pack("{s:I, s:I}", "start_ms", (json_int_t)w->start_ms, "end_ms", (json_int_t)w->end_ms);
}

/* The steps of which something is not proved for this tenant. */
static json_t *without_json(const struct tenant *t, const struct procedure *p)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < p->steps_n; i++) {
		const struct procedure_agent *proof = proving(&p->steps[i]);
		if (proof && !roster_agent_wanted(t, proof))
			json_array_append_new(steps, json_string(p->steps[i].name));
	}
	return steps;
}

char *describe_tenant(const struct tenant *t, const struct procedure *p, size_t rows)
{
	json_t *o = json_object(), *windows = json_array(), *by = json_object();

	for (size_t i = 0; i < t->windows_n; i++)
		json_array_append_new(windows, window_json(&t->windows[i]));
	for (size_t i = 0; i < t->by_n; i++)
		json_object_set_new(by, t->by[i].step->name, json_string(who_name(t->by[i].who)));
	json_object_set_new(o, "name", json_string(t->name));
	json_object_set_new(o, "wave", t->wave ? json_string(t->wave) : json_null());
	json_object_set_new(o, "language", json_string(t->japanese ? "ja" : "en"));
	json_object_set_new(o, "offset_min", json_integer(t->offset_min));
	json_object_set_new(o, "migration_date", json_string(t->migration_date));
	json_object_set_new(o, "migration_ms", json_integer(t->migration_ms));
	json_object_set_new(o, "change_id", t->change_id ? json_string(t->change_id) : json_null());
	json_object_set_new(o, "windows", windows);
	json_object_set_new(o, "vendor_period",
			    t->vendor_period.end_ms ? window_json(&t->vendor_period) : json_null());
	json_object_set_new(o, "by", by);
	json_object_set_new(o, "without", without_json(t, p));
	json_object_set_new(o, "rows", json_integer((json_int_t)rows));
	return dump(o);
}

/* What the journal says last: "" for the procedure, the id for a tenant. */
static int remember(const struct journal_entry *entry, void *arg)
{
	struct map *known = arg;
	const char *key = entry->tenant;

	if (entry->kind != JOURNAL_NOTE || (strcmp(entry->action, "tenant") != 0 && strcmp(entry->action, "procedure") != 0))
		return 0;
	free(map_get(known, key));
	map_set(known, key, str_dup(entry->data));
	return 0;
}

static void add_if_new(struct ledger *ledger, const struct map *known, const char *tenant, const char *action, char *data)
{
	const char *old = map_get(known, tenant);
	struct journal_entry entry = { .kind = JOURNAL_NOTE, .tenant = tenant, .action = action, .data = data };

	if (!old || strcmp(old, data) != 0)
		ledger_add(ledger, &entry, NULL, 1, NULL);
	free(data);
}

static size_t rows_of(const struct roster *roster, size_t first)
{
	size_t n = 0;

	while (first + n < roster->n && roster->at[first + n].tenant == roster->at[first].tenant)
		n++;
	return n;
}

int describe_all(struct ledger *ledger, struct journal_reader *reader, const struct inventory *inv,
		 const struct roster *roster, struct err *err)
{
	struct map known = { 0 };
	int r = journal_read(reader, NULL, 0, remember, &known, err);

	if (!r) {
		add_if_new(ledger, &known, "", "procedure", describe_procedure(inv->procedure));
		for (size_t i = 0, n; i < roster->n; i += n) {
			n = rows_of(roster, i);
			add_if_new(ledger, &known, roster->at[i].tenant->id, "tenant",
				   describe_tenant(roster->at[i].tenant, inv->procedure, n));
		}
	}
	for (size_t i = 0; i < known.cap; i++)
		free(known.slots[i].value);
	map_release(&known);
	return r;
}
