#include "journal/rows.h"

#include "base/alloc.h"

#include <stdint.h>

/* ---- the index: open addressing, by tenant, step and target ------------------------------------------------------ */

struct rows_index {
	struct row **slots;
	size_t size; /* a power of two, at least twice the number of rows */
};

/* FNV-1a, 64 bit; the NUL that ends each part is hashed, too, so that "a","bc" and "ab","c" differ. */
static uint64_t hash_part(uint64_t h, const char *text)
{
	do
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	while (*text++);
	return h;
}

static struct row **slot_of(const struct rows_index *index, const char *tenant, const char *step, const char *target)
{
	uint64_t h = hash_part(hash_part(hash_part(UINT64_C(0xcbf29ce484222325), tenant), step), target);
	size_t at = (size_t)(h ^ (h >> 32)) & (index->size - 1);

	for (;; at = (at + 1) & (index->size - 1)) {
		const struct row *row = index->slots[at];
		if (!row || (strcmp(row->target, target) == 0 && strcmp(row->step, step) == 0 &&
			     strcmp(row->tenant, tenant) == 0))
			return &index->slots[at];
	}
}

static void grow_index(struct rows *rows)
{
	struct rows_index *index = rows->index;

	free(index->slots);
	index->size = index->size ? 2 * index->size : 256;
	index->slots = NEW_N(struct row *, index->size);
	for (size_t i = 0; i < rows->n; i++)
		*slot_of(index, rows->at[i]->tenant, rows->at[i]->step, rows->at[i]->target) = rows->at[i];
}

struct row *rows_find(const struct rows *rows, const char *tenant, const char *step, const char *target)
{
	const struct rows_index *index = rows->index;

	return index->size ? *slot_of(index, tenant, step, target) : NULL;
}

struct row *rows_get(struct rows *rows, const char *tenant, const char *step, const char *target)
{
	struct rows_index *index = rows->index;
	struct row *row = rows_find(rows, tenant, step, target);

	if (row)
		return row;
	if (2 * (rows->n + 1) > index->size)
		grow_index(rows);
	row = NEW(struct row);
	row->tenant = str_dup(tenant);
	row->step = str_dup(step);
	row->target = str_dup(target);
	row->code = str_dup("");
	row->text = str_dup("");
	GROW_FOR_ONE(rows->at, rows->n);
	rows->at[rows->n++] = row;
	*slot_of(index, tenant, step, target) = row;
	return row;
}

/* ---- life ----------------------------------------------------------------------------------------------------- */

void rows_init(struct rows *rows)
{
	*rows = (struct rows){ .index = NEW(struct rows_index) };
}

static void clear_done(struct row *row)
{
	for (size_t i = 0; i < row->done_n; i++) {
		free(row->done[i].action);
		free(row->done[i].item);
	}
	free(row->done);
	row->done = NULL;
	row->done_n = 0;
}

static void free_row(struct row *row)
{
	for (size_t i = 0; i < row->intents_n; i++) {
		free(row->intents[i].action);
		free(row->intents[i].item);
	}
	for (size_t i = 0; i < row->debts_n; i++) {
		free(row->debts[i].action);
		free(row->debts[i].item);
		free(row->debts[i].text);
	}
	clear_done(row);
	free(row->intents);
	free(row->debts);
	free(row->tenant);
	free(row->step);
	free(row->target);
	free(row->code);
	free(row->text);
	free(row->before_json);
	free(row->changes_json);
	free(row->facts_json);
	free(row->said_json);
	free(row->instruction_json);
	free(row);
}

void rows_release(struct rows *rows)
{
	struct rows_index *index = rows->index;

	for (size_t i = 0; i < rows->n; i++)
		free_row(rows->at[i]);
	for (size_t i = 0; i < rows->runs_n; i++) {
		free(rows->runs[i].data);
		free(rows->runs[i].end_text);
		free(rows->runs[i].end_data);
	}
	for (size_t i = 0; i < rows->host_keys.cap; i++)
		free(rows->host_keys.slots[i].value);
	map_release(&rows->host_keys);
	for (size_t i = 0; i < rows->notes.cap; i++)
		free(rows->notes.slots[i].value);
	map_release(&rows->notes);
	free(rows->at);
	free(rows->runs);
	if (index)
		free(index->slots);
	free(index);
	*rows = (struct rows){ 0 };
}

/* ---- folding -------------------------------------------------------------------------------------------------- */

/* Entries may have NULL for "". */
static const char *str(const char *text)
{
	return text ? text : "";
}

static void set(char **at, const char *text)
{
	free(*at);
	*at = str_dup(str(text));
}

static bool same(const char *action, const char *item, const struct journal_entry *e)
{
	return strcmp(action, str(e->action)) == 0 && strcmp(item, str(e->item)) == 0;
}

static int corrupt(const struct journal_entry *e, struct err *err, const char *what)
{
	return err_set(err, E_CORRUPT, "entry %lld of the journal (%s, tenant %s, step %s, %s): %s", (long long)e->seq,
		       journal_kind_name(e->kind), str(e->tenant), str(e->step), str(e->target), what);
}

/* Its next migration starts afresh; what it owes, it owes still. */
static void forget_migration(struct row *row)
{
	free(row->before_json);
	free(row->changes_json);
	row->before_json = row->changes_json = NULL;
	row->has_before = false;
	clear_done(row);
	for (size_t i = 0; i < row->intents_n; i++)
		row->intents[i].since_before = false;
}

static bool is_end(enum step_state state)
{
	return step_state_is_done(state) || (step_state_is_bad(state) && state != STEP_INDETERMINATE);
}

/* A row's first entry may say that it is there: "" to pending. */
static bool is_birth(const struct row *row, const struct journal_entry *e, int to)
{
	return !*str(e->from) && to == STEP_PENDING && row->state == STEP_PENDING && !row->since_ms;
}

static int fold_state(struct row *row, const struct journal_entry *e, struct err *err)
{
	int from = step_state_parse(str(e->from)), to = step_state_parse(str(e->to));

	if (!is_birth(row, e, to)) {
		if (from < 0 || to < 0)
			return corrupt(e, err, "it names a state that is none");
		if (from != (int)row->state || !step_state_may(row->state, (enum step_state)to)) {
			char what[128];
			snprintf(what, sizeof(what), "a move from %s to %s, where the row is %s", str(e->from),
				 str(e->to), step_state_name(row->state));
			return corrupt(e, err, what);
		}
	}
	row->state = (enum step_state)to;
	row->since_ms = e->wall_ms;
	row->run = e->run;
	row->attempt = e->attempt;
	row->until_ms = e->until_ms;
	set(&row->code, e->code);
	set(&row->text, e->text);
	if (is_end(row->state))
		row->finished_ms = e->wall_ms;
	if (row->state == STEP_ROLLED_BACK) {
		forget_migration(row);
		free(row->facts_json);
		row->facts_json = NULL;
	}
	return 0;
}

static int fold_before(struct row *row, const struct journal_entry *e, struct err *err)
{
	if (row->has_before)
		return corrupt(e, err, "the state before the first change is there already, and is written once");
	forget_migration(row);
	row->has_before = true;
	set(&row->before_json, e->data);
	return 0;
}

/* The same intent again (an op that may be repeated) is one intent. */
static void fold_intent(struct row *row, const struct journal_entry *e)
{
	struct row_intent *intent = NULL;

	for (size_t i = 0; i < row->intents_n && !intent; i++)
		if (same(row->intents[i].action, row->intents[i].item, e))
			intent = &row->intents[i];
	if (!intent) {
		GROW_FOR_ONE(row->intents, row->intents_n);
		intent = &row->intents[row->intents_n++];
		*intent = (struct row_intent){ .action = str_dup(str(e->action)), .item = str_dup(str(e->item)) };
	}
	intent->wall_ms = e->wall_ms;
	intent->since_before = row->has_before;
}

static void add_done(struct row *row, const struct journal_entry *e)
{
	if (row_step_done(row, str(e->action), str(e->item)))
		return;
	GROW_FOR_ONE(row->done, row->done_n);
	row->done[row->done_n++] = (struct row_done){ .action = str_dup(str(e->action)),
						      .item = str_dup(str(e->item)),
						      .wall_ms = e->wall_ms };
}

static void fold_outcome(struct row *row, const struct journal_entry *e)
{
	for (size_t i = 0; i < row->intents_n; i++) {
		struct row_intent intent = row->intents[i];
		if (!same(intent.action, intent.item, e))
			continue;
		if (intent.since_before && (strcmp(str(e->to), "ok") == 0 || strcmp(str(e->to), "unchanged") == 0))
			add_done(row, e);
		free(intent.action);
		free(intent.item);
		row->intents_n--;
		memmove(&row->intents[i], &row->intents[i + 1], (row->intents_n - i) * sizeof(*row->intents));
		return;
	}
}

/* What is down already is owed once, since the first time. */
static void fold_debt(struct row *row, const struct journal_entry *e)
{
	for (size_t i = 0; i < row->debts_n; i++)
		if (same(row->debts[i].action, row->debts[i].item, e))
			return;
	GROW_FOR_ONE(row->debts, row->debts_n);
	row->debts[row->debts_n++] = (struct row_debt){ .action = str_dup(str(e->action)),
							.item = str_dup(str(e->item)),
							.wall_ms = e->wall_ms,
							.text = str_dup(str(e->text)) };
}

static void fold_paid(struct row *row, const struct journal_entry *e)
{
	for (size_t i = 0; i < row->debts_n; i++) {
		struct row_debt debt = row->debts[i];
		if (!same(debt.action, debt.item, e))
			continue;
		free(debt.action);
		free(debt.item);
		free(debt.text);
		row->debts_n--;
		memmove(&row->debts[i], &row->debts[i + 1], (row->debts_n - i) * sizeof(*row->debts));
		return;
	}
}

/* ---- runs ----------------------------------------------------------------------------------------------------- */

static int fold_run(struct rows *rows, const struct journal_entry *e)
{
	struct row_run run = { .id = e->run, .begin_ms = e->wall_ms, .data = str_dup(str(e->data)) };

	run.end_text = str_dup("");
	run.end_data = str_dup("");
	GROW_FOR_ONE(rows->runs, rows->runs_n);
	rows->runs[rows->runs_n++] = run;
	return 0;
}

static int fold_run_end(struct rows *rows, const struct journal_entry *e, struct err *err)
{
	for (size_t i = rows->runs_n; i-- > 0;) {
		struct row_run *run = &rows->runs[i];
		if (run->id != e->run)
			continue;
		run->end_ms = e->wall_ms;
		set(&run->end_text, e->text);
		set(&run->end_data, e->data);
		return 0;
	}
	return corrupt(e, err, "the end of a run that did not begin");
}

/* ---- hosts ---------------------------------------------------------------------------------------------------- */

/* Entries of the first versions have no item. */
static void fold_identity(struct rows *rows, const struct journal_entry *e)
{
	char *name;

	if (!*str(e->item))
		return;
	name = str_fmt("%s\n%s", str(e->tenant), str(e->target));
	free(map_get(&rows->host_keys, name));
	map_set(&rows->host_keys, name, str_dup(e->item));
	free(name);
}

const char *rows_host_key(const struct rows *rows, const char *tenant, const char *target)
{
	char *name = str_fmt("%s\n%s", tenant, target);
	const char *key = map_get(&rows->host_keys, name);

	free(name);
	return key;
}

/* ---- notes ---------------------------------------------------------------------------------------------------- */

static void fold_note(struct rows *rows, const struct journal_entry *e)
{
	const char *action = str(e->action), *tenant = str(e->tenant);
	bool of_tenant = *tenant && strcmp(action, "tenant") == 0;

	if (of_tenant || (!*tenant && strcmp(action, "procedure") == 0)) {
		free(map_get(&rows->notes, tenant));
		map_set(&rows->notes, tenant, str_dup(str(e->data)));
	} else if (*tenant && *str(e->step) && *str(e->target) && strcmp(action, "instruction") == 0) {
		struct row *row = rows_get(rows, tenant, e->step, e->target);
		if (!row->first_ms)
			row->first_ms = e->wall_ms;
		set(&row->instruction_json, e->data);
	}
}

const char *rows_note(const struct rows *rows, const char *tenant)
{
	return map_get(&rows->notes, tenant);
}

/* ---- one entry ------------------------------------------------------------------------------------------------ */

static int fold_row(struct rows *rows, const struct journal_entry *e, struct err *err)
{
	struct row *row;
	int r = 0;

	if (!*str(e->tenant) || !*str(e->step) || !*str(e->target))
		return corrupt(e, err, "it has to name a tenant, a step and a target");
	row = rows_get(rows, e->tenant, e->step, e->target);
	if (!row->first_ms)
		row->first_ms = e->wall_ms;
	switch (e->kind) {
	case JOURNAL_STATE:
		r = fold_state(row, e, err);
		break;
	case JOURNAL_BEFORE:
		r = fold_before(row, e, err);
		break;
	case JOURNAL_INTENT:
		fold_intent(row, e);
		break;
	case JOURNAL_OUTCOME:
		fold_outcome(row, e);
		break;
	case JOURNAL_DEBT:
		fold_debt(row, e);
		break;
	case JOURNAL_PAID:
		fold_paid(row, e);
		break;
	case JOURNAL_CHANGES:
		set(&row->changes_json, e->data);
		break;
	case JOURNAL_EVIDENCE:
		if (strcmp(str(e->action), "facts") == 0)
			set(&row->facts_json, e->data);
		break;
	case JOURNAL_PERSON:
		set(&row->said_json, e->data);
		row->said_ms = e->wall_ms;
		break;
	case JOURNAL_RUN:
	case JOURNAL_RUN_END:
	case JOURNAL_IDENTITY:
	case JOURNAL_NOTE:
	case JOURNAL_KINDS:
		break;
	}
	return r;
}

int rows_apply(struct rows *rows, const struct journal_entry *e, struct err *err)
{
	int r = 0;

	switch (e->kind) {
	case JOURNAL_RUN:
		r = fold_run(rows, e);
		break;
	case JOURNAL_RUN_END:
		r = fold_run_end(rows, e, err);
		break;
	case JOURNAL_STATE:
	case JOURNAL_BEFORE:
	case JOURNAL_INTENT:
	case JOURNAL_OUTCOME:
	case JOURNAL_DEBT:
	case JOURNAL_PAID:
	case JOURNAL_CHANGES:
	case JOURNAL_EVIDENCE:
	case JOURNAL_PERSON:
		r = fold_row(rows, e, err);
		break;
	case JOURNAL_IDENTITY:
		fold_identity(rows, e);
		break;
	case JOURNAL_NOTE:
		fold_note(rows, e);
		break;
	case JOURNAL_KINDS:
		break;
	}
	if (!r && e->seq > rows->last_seq)
		rows->last_seq = e->seq;
	return r;
}

struct loading {
	struct rows *rows;
	struct err *err;
};

static int load_one(const struct journal_entry *entry, void *arg)
{
	struct loading *loading = arg;

	return rows_apply(loading->rows, entry, loading->err);
}

int rows_load(struct rows *rows, struct journal_reader *reader, struct err *err)
{
	struct loading loading = { rows, err };

	return journal_read(reader, NULL, rows->last_seq, load_one, &loading, err);
}

/* ---- questions ------------------------------------------------------------------------------------------------ */

bool row_step_done(const struct row *row, const char *action, const char *item)
{
	for (size_t i = 0; i < row->done_n; i++)
		if (strcmp(row->done[i].action, action) == 0 && strcmp(row->done[i].item, item) == 0)
			return true;
	return false;
}

const struct row_intent *row_open_intent(const struct row *row)
{
	return row->intents_n ? &row->intents[0] : NULL;
}
