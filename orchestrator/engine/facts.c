/*
 * What rows leave behind for their neighbours and for later runs: facts that the agent names (struct agent.exports), kept
 * in the journal as evidence with the action "facts". A row's newest entry holds all of them.
 */
#include "engine/internal.h"

#include "base/alloc.h"

static void load(const char *json, struct facts *out)
{
	json_t *o = json ? json_loads(json, 0, NULL) : NULL, *value;
	const char *key;

	json_object_foreach(o, key, value)
		if (json_is_string(value))
			facts_set(out, key, json_string_value(value), json_string_length(value));
	json_decref(o);
}

static char *dump(const struct facts *facts)
{
	json_t *o = json_object();
	char *text;

	for (size_t i = 0; i < facts->n; i++)
		json_object_set_new(o, facts->at[i].key, json_stringn(facts->at[i].value, facts->at[i].len));
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	return text;
}

void task_leave_facts(struct task *t)
{
	const char *const *names = t->roster->agent->exports;
	struct journal_entry entry = ledger_entry(t->row, JOURNAL_EVIDENCE, "facts", "");
	struct facts left = { 0 };
	char *text;

	if (!names)
		return;
	load(t->row->facts_json, &left);
	for (; *names; names++) {
		const struct fact *fact = facts_get(&t->now, *names);
		if (fact)
			facts_set(&left, fact->key, fact->value, fact->len);
	}
	text = dump(&left);
	entry.data = text;
	if (left.n && (!t->row->facts_json || strcmp(t->row->facts_json, text) != 0))
		ledger_add(&t->engine->ledger, &entry, NULL, 1, NULL);
	free(text);
	facts_release(&left);
}

static int64_t ran_ms(const struct task *t)
{
	const char *const *ran = t->roster->agent ? t->roster->agent->ran : NULL;
	int64_t ms = 0;

	for (; ran && *ran; ran++) {
		for (size_t i = 0; i < t->row->done_n; i++)
			if (strcmp(t->row->done[i].action, *ran) == 0 && t->row->done[i].wall_ms > ms)
				ms = t->row->done[i].wall_ms;
	}
	return ms;
}

void task_neighbours(const struct agent_ctx *ctx, const char *step,
		     void (*each)(const struct neighbour *neighbour, void *arg), void *arg)
{
	const struct task *me = CONTAINER_OF(ctx->now, struct task, now);
	const struct tenant_run *tr = me->tenant;

	for (size_t i = 0; i < tr->n; i++) {
		const struct task *t = &tr->tasks[i];
		struct neighbour n = { .target = t->roster->target,
				       .host = t->roster->host,
				       .state = t->row->state,
				       .changed = t->row->has_before,
				       .ran_ms = ran_ms(t) };
		struct facts left = { 0 };
		if (strcmp(t->roster->step->name, step) != 0)
			continue;
		load(t->row->facts_json, &left);
		n.left = &left;
		each(&n, arg);
		facts_release(&left);
	}
}
