/*
 * Reading: the journal is gone through once; each entry is folded into the rows and, where it tells something that the
 * rows forget, kept beside its row. Then what follows from all of it is worked out: states, order, debts, causes.
 */
#include "report/model.h"

#include "base/alloc.h"
#include "base/map.h"
#include "report/cause.h"
#include "report/changes.h"
#include "report/meta.h"
#include "report/tenant_state.h"

struct loading {
	struct report *report;
	struct map tenants;
	struct report_tenant *last; /* of the entry before: entries of one tenant often come together */
	bool brief;
	struct err *err;
};

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static const char *keep(char **at, const char *text)
{
	size_t len = strlen(text ? text : "") + 1;
	char *copy = *at;

	memcpy(copy, text ? text : "", len);
	*at += len;
	return copy;
}

static size_t text_bytes(const char *text)
{
	return strlen(text ? text : "") + 1;
}

/* The entry's copy: one piece of memory, its strings behind it. */
static struct report_event *event_new(const struct journal_entry *e)
{
	size_t bytes = text_bytes(e->target) + text_bytes(e->action) + text_bytes(e->item) + text_bytes(e->from) +
		       text_bytes(e->to) + text_bytes(e->code) + text_bytes(e->text) + text_bytes(e->data) +
		       text_bytes(e->blob_sha256);
	struct report_event *event = mem_new(1, sizeof(*event) + bytes);
	char *at = (char *)(event + 1);

	*event = (struct report_event){
		.kind = e->kind,
		.wall_ms = e->wall_ms,
		.run = e->run,
		.elapsed_ms = e->elapsed_ms,
		.until_ms = e->until_ms,
		.exit_code = e->exit_code,
		.attempt = e->attempt,
	};
	event->target = keep(&at, e->target);
	event->action = keep(&at, e->action);
	event->item = keep(&at, e->item);
	event->from = keep(&at, e->from);
	event->to = keep(&at, e->to);
	event->code = keep(&at, e->code);
	event->text = keep(&at, e->text);
	event->data = keep(&at, e->data);
	event->blob_sha256 = keep(&at, e->blob_sha256);
	return event;
}

static void events_add(struct report_events *events, struct report_event *event)
{
	GROW_FOR_ONE(events->at, events->n);
	events->at[events->n++] = event;
}

static void events_release(struct report_events *events)
{
	for (size_t i = 0; i < events->n; i++) {
		free(events->at[i]->excerpt);
		free(events->at[i]);
	}
	free(events->at);
}

static struct report_tenant *tenant_of(struct loading *l, const char *id)
{
	struct report *r = l->report;

	if (l->last && strcmp(l->last->id, id) == 0)
		return l->last;
	l->last = map_get(&l->tenants, id);
	if (!l->last) {
		l->last = NEW(struct report_tenant);
		l->last->id = str_dup(id);
		meta_tenant(l->last, "");
		GROW_FOR_ONE(r->tenants, r->tenants_n);
		r->tenants[r->tenants_n++] = l->last;
		map_set(&l->tenants, id, l->last);
	}
	return l->last;
}

static struct report_row *row_of(struct loading *l, struct report_tenant *tenant, const struct journal_entry *e)
{
	struct row *row = rows_find(&l->report->rows, e->tenant, e->step, e->target);
	struct report_row *mine;

	if (!row)
		return NULL;
	if (row->user)
		return row->user;
	mine = NEW(struct report_row);
	mine->row = row;
	mine->tenant = tenant;
	row->user = mine;
	GROW_FOR_ONE(tenant->rows, tenant->rows_n);
	tenant->rows[tenant->rows_n++] = mine;
	return mine;
}

/* Does the entry tell what the rows forget? Intents, before and what a person is told are in the row. */
static bool is_told(const struct journal_entry *e)
{
	switch (e->kind) {
	case JOURNAL_STATE:
	case JOURNAL_OUTCOME:
	case JOURNAL_DEBT:
	case JOURNAL_PAID:
	case JOURNAL_CHANGES:
	case JOURNAL_EVIDENCE:
	case JOURNAL_IDENTITY:
	case JOURNAL_PERSON:
		return true;
	case JOURNAL_NOTE:
		return strcmp(e->action, "instruction") != 0;
	case JOURNAL_RUN:
	case JOURNAL_RUN_END:
	case JOURNAL_BEFORE:
	case JOURNAL_INTENT:
	case JOURNAL_KINDS:
		return false;
	}
	return false;
}

static void keep_event(struct report_events *events, struct report_row *row, const struct journal_entry *e)
{
	struct report_event *event = event_new(e);

	events_add(events, event);
	if (row && e->kind == JOURNAL_CHANGES && changes_any(event->data))
		row->changes = event;
}

static void fold_tenant(struct loading *l, const struct journal_entry *e)
{
	struct report_tenant *tenant = tenant_of(l, e->tenant);
	struct report_row *row = *e->step ? row_of(l, tenant, e) : NULL;

	tenant->entries_n++;
	tenant->last_ms = e->wall_ms;
	snprintf(tenant->last_hash, sizeof(tenant->last_hash), "%s", e->hash ? e->hash : "");
	if (e->kind == JOURNAL_NOTE && strcmp(e->action, "tenant") == 0)
		meta_tenant(tenant, e->data);
	else if (!l->brief && is_told(e))
		keep_event(row ? &row->events : &tenant->events, row, e);
}

static int fold(const struct journal_entry *e, void *arg)
{
	struct loading *l = arg;
	int rc = rows_apply(&l->report->rows, e, l->err);

	if (rc < 0)
		return rc;
	if (*e->tenant)
		fold_tenant(l, e);
	else if (e->kind == JOURNAL_NOTE && strcmp(e->action, "procedure") == 0)
		meta_procedure(l->report, e->data);
	return 0;
}

/* ---- what follows from it --------------------------------------------------------------------------------------- */

static const struct report_step *step_named(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->steps_n; i++)
		if (strcmp(r->steps[i].name, name) == 0)
			return &r->steps[i];
	return NULL;
}

/* "host:2" before "host:10": numbers in names count as numbers. */
static int compare_names(const char *a, const char *b)
{
	int order = strverscmp(a, b);

	return order ? order : strcmp(a, b);
}

static int compare_rows(const void *pa, const void *pb)
{
	const struct report_row *a = *(struct report_row *const *)pa, *b = *(struct report_row *const *)pb;
	size_t x = a->step ? a->step->order : SIZE_MAX, y = b->step ? b->step->order : SIZE_MAX;
	int order = (x > y) - (x < y);

	if (!order)
		order = strcmp(a->row->step, b->row->step);
	return order ? order : compare_names(a->row->target, b->row->target);
}

static void tenant_derive(struct report *r, struct report_tenant *tenant)
{
	struct tenant_state_row *states = NEW_N(struct tenant_state_row, tenant->rows_n + 1);

	for (size_t i = 0; i < tenant->rows_n; i++) {
		struct report_row *row = tenant->rows[i];

		row->step = step_named(r, row->row->step);
		if (row->row->instruction_json)
			meta_instruction(row, row->row->instruction_json);
		states[i].state = row->row->state;
		states[i].phase = row->step ? row->step->phase : PHASE_PREPARE;
		states[i].last_switch = row->step && row->step->last_switch;
		tenant->by_state[row->row->state]++;
		tenant->debts_n += row->row->debts_n;
	}
	if (tenant->rows_n)
		qsort(tenant->rows, tenant->rows_n, sizeof(struct report_row *), compare_rows);
	tenant->state = tenant_state_derive(states, tenant->rows_n);
	tenant->withdrawn = tenant->rows_n > 0 && tenant->by_state[STEP_WITHDRAWN] == tenant->rows_n;
	free(states);
}

/* What needs somebody comes first. */
static int urgency(const struct report_tenant *tenant)
{
	if (tenant->withdrawn)
		return 9;
	switch (tenant->state) {
	case TENANT_HALF_SWITCHED:
		return 0;
	case TENANT_FAILED:
		return 1;
	case TENANT_ROLLED_BACK:
		return 2;
	case TENANT_SWITCHING:
		return 3;
	case TENANT_NOT_READY:
		return 4;
	case TENANT_READY:
		return 5;
	case TENANT_WATCHING:
		return 6;
	case TENANT_DONE:
	case TENANT_STATES:
		return 7;
	}
	return 8;
}

static int compare_tenants(const void *pa, const void *pb)
{
	const struct report_tenant *a = *(struct report_tenant *const *)pa, *b = *(struct report_tenant *const *)pb;
	int order = (b->debts_n > 0) - (a->debts_n > 0);

	if (!order)
		order = urgency(a) - urgency(b);
	return order ? order : compare_names(a->id, b->id);
}

static int compare_debts(const void *pa, const void *pb)
{
	const struct report_debt *a = pa, *b = pb;

	return (a->debt->wall_ms > b->debt->wall_ms) - (a->debt->wall_ms < b->debt->wall_ms);
}

static void collect_debts(struct report *r, const struct report_tenant *tenant)
{
	for (size_t i = 0; i < tenant->rows_n; i++) {
		const struct row *row = tenant->rows[i]->row;

		for (size_t k = 0; k < row->debts_n; k++) {
			GROW_FOR_ONE(r->debts, r->debts_n);
			r->debts[r->debts_n++] = (struct report_debt){ tenant->rows[i], &row->debts[k] };
		}
	}
}

/* The offset that most tenants have: what "now" is told in. */
static int usual_offset(const struct report *r)
{
	size_t best = 0;
	int offset = 0;

	for (size_t i = 0; i < r->tenants_n && i < 100; i++) {
		size_t n = 0;

		for (size_t k = 0; k < r->tenants_n; k++)
			n += r->tenants[k]->offset_min == r->tenants[i]->offset_min;
		if (n > best) {
			best = n;
			offset = r->tenants[i]->offset_min;
		}
	}
	return offset;
}

static void derive(struct report *r)
{
	for (size_t i = 0; i < r->tenants_n; i++) {
		struct report_tenant *tenant = r->tenants[i];

		tenant_derive(r, tenant);
		if (tenant->withdrawn)
			r->withdrawn_n++;
		else
			r->by_state[tenant->state]++;
		for (int s = 0; s < STEP_STATES; s++)
			r->rows_by_state[s] += tenant->by_state[s];
		collect_debts(r, tenant);
	}
	if (r->tenants_n)
		qsort(r->tenants, r->tenants_n, sizeof(struct report_tenant *), compare_tenants);
	if (r->debts_n)
		qsort(r->debts, r->debts_n, sizeof(*r->debts), compare_debts);
	r->runs_n = r->rows.runs_n;
	r->runs = NEW_N(struct report_run, r->runs_n + 1);
	for (size_t i = 0; i < r->runs_n; i++)
		meta_run(&r->runs[i], &r->rows.runs[i], *r->holder && i + 1 == r->runs_n);
	r->offset_min = usual_offset(r);
	causes_find(r);
}

/* ---- blobs, revision, chain ------------------------------------------------------------------------------------- */

/* The output that belongs to what was seen, and to what went wrong. */
static void excerpt_read(struct journal_reader *reader, struct report_event *event)
{
	struct buf bytes = BUF_INIT;

	if (!*event->blob_sha256 || (event->kind != JOURNAL_EVIDENCE && event->kind != JOURNAL_OUTCOME))
		return;
	if (journal_blob(reader, event->blob_sha256, &bytes, NULL) == 0) {
		event->excerpt_len = bytes.len < REPORT_EXCERPT_BYTES ? bytes.len : REPORT_EXCERPT_BYTES;
		event->excerpt = str_ndup(buf_str(&bytes), event->excerpt_len);
		event->cut = bytes.len > event->excerpt_len;
	}
	buf_release(&bytes);
}

static void excerpts_read(struct report *r, struct journal_reader *reader)
{
	for (size_t i = 0; i < r->tenants_n; i++)
		for (size_t k = 0; k < r->tenants[i]->rows_n; k++) {
			struct report_events *events = &r->tenants[i]->rows[k]->events;

			for (size_t n = 0; n < events->n; n++)
				excerpt_read(reader, events->at[n]);
		}
}

/* Stored first is the inventory itself. */
static int first_file(const struct journal_file *file, void *arg)
{
	struct report *r = arg;

	if (!*r->inventory) {
		free(r->inventory);
		r->inventory = str_dup(file->path);
	}
	return 0;
}

static int chain_check(struct report *r, struct journal_reader *reader)
{
	struct err err = { 0 };
	int rc = journal_verify(reader, &r->chain.entries, &err);

	if (rc < 0 && rc != E_CORRUPT)
		return rc;
	r->chain.checked = true;
	r->chain.intact = rc == 0;
	snprintf(r->chain.text, sizeof(r->chain.text), "%s", err.text);
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static struct report *report_new(const struct report_query *q)
{
	struct report *r = NEW(struct report);

	r->now_ms = q->now_ms;
	r->asked = str_dup(q->tenant ? q->tenant : "");
	r->lang = q->lang;
	r->state_file = str_dup(q->state_file ? q->state_file : "");
	r->holder = str_dup(q->holder ? q->holder : "");
	r->width = q->width > 0 ? q->width : 120;
	r->colour = q->colour;
	r->inventory = str_dup("");
	rows_init(&r->rows);
	meta_procedure(r, "");
	return r;
}

static void tenant_free(struct report_tenant *tenant)
{
	for (size_t i = 0; i < tenant->rows_n; i++) {
		events_release(&tenant->rows[i]->events);
		meta_instruction_clear(tenant->rows[i]);
		free(tenant->rows[i]);
	}
	events_release(&tenant->events);
	free(tenant->rows);
	free(tenant->id);
	meta_tenant_clear(tenant);
	free(tenant);
}

void report_free(struct report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->tenants_n; i++)
		tenant_free(r->tenants[i]);
	for (size_t i = 0; i < r->runs_n; i++)
		meta_run_clear(&r->runs[i]);
	causes_free(r);
	meta_procedure_clear(r);
	rows_release(&r->rows);
	free(r->tenants);
	free(r->runs);
	free(r->debts);
	free(r->asked);
	free(r->state_file);
	free(r->holder);
	free(r->inventory);
	free(r);
}

int report_load_depth(const struct report_query *q, bool brief, struct report **out, struct err *err)
{
	struct report *r = report_new(q);
	struct loading l = { .report = r, .brief = brief, .err = err };
	int rc = journal_read(q->reader, q->tenant, 0, fold, &l, err);

	if (rc == 0 && q->tenant && !map_get(&l.tenants, q->tenant))
		rc = tenant_unknown(q->reader, q->tenant, err);
	if (rc < 0)
		goto out;
	journal_revision(q->reader, 0, &r->revision, r->revision_sha256, first_file, r, NULL);
	derive(r);
	if (!brief)
		excerpts_read(r, q->reader);
	if (q->verify)
		rc = chain_check(r, q->reader);
	if (rc < 0)
		err_set(err, rc, "the hash chains of the state file cannot be read");
out:
	map_release(&l.tenants);
	if (rc < 0)
		report_free(r);
	else
		*out = r;
	return rc;
}

int report_load(const struct report_query *query, struct report **out, struct err *err)
{
	return report_load_depth(query, false, out, err);
}
