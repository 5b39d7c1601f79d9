#include "engine/ledger.h"

#include "base/alloc.h"

static void settle(struct ledger *l, int status, const struct err *err)
{
	if (status && !l->broken) {
		l->broken = true;
		if (err)
			l->broken_why = *err;
	}
	l->pending--;
	if (l->changed && (l->pending == 0 || status))
		l->changed(l);
}

struct unwaited {
	struct journal_append append;
	struct ledger *ledger;
};

static void unwaited_done(struct journal_append *append, int status, const struct err *err)
{
	struct unwaited *u = CONTAINER_OF(append, struct unwaited, append);

	settle(u->ledger, status, err);
	free(u);
}

static void waited_done(struct journal_append *append, int status, const struct err *err)
{
	struct ledger_waiter *w = CONTAINER_OF(append, struct ledger_waiter, append);
	struct ledger *l = w->ledger;

	w->done(w, status);
	settle(l, status, err);
}

/* A fold that does not work is a fault of ours: the entry must not be stored. */
static void fold(struct ledger *l, const struct journal_entry *entry)
{
	struct err err = { 0 };

	if (rows_apply(l->rows, entry, &err) != 0) {
		fprintf(stderr, "cutover: fault: %s\n", err.text);
		abort();
	}
}

static struct journal_append *unwaited_new(struct ledger *l)
{
	struct unwaited *u = NEW(struct unwaited);

	u->ledger = l;
	u->append.done = unwaited_done;
	return &u->append;
}

void ledger_put_blobs(struct ledger *l, const struct journal_blob *blobs, size_t n)
{
	if (!l->journal || !n)
		return;
	l->pending++;
	journal_put_blobs(l->journal, unwaited_new(l), blobs, n);
}

static void complete(struct ledger *l, struct journal_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		entries[i].run = l->run;
		entries[i].procedure = l->procedure;
		if (!entries[i].wall_ms)
			entries[i].wall_ms = clock_wall_ms(l->clock);
	}
}

static void fold_all(struct ledger *l, const struct journal_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fold(l, &entries[i]);
		if (l->events)
			events_entry(l->events, &entries[i]);
	}
}

int ledger_add_now(struct ledger *l, struct journal_entry *entries, const struct journal_blob *blobs, size_t n,
		   struct err *err)
{
	int r;

	complete(l, entries, n);
	r = journal_append_now(l->journal, entries, blobs, n, err);
	if (!r)
		fold_all(l, entries, n);
	return r;
}

void ledger_add(struct ledger *l, struct journal_entry *entries, const struct journal_blob *blobs, size_t n,
		struct ledger_waiter *waiter)
{
	struct journal_append *append;

	complete(l, entries, n);
	fold_all(l, entries, n);
	if (!l->journal)
		return;
	if (waiter) {
		waiter->ledger = l;
		waiter->append = (struct journal_append){ .done = waited_done };
		append = &waiter->append;
	} else {
		append = unwaited_new(l);
	}
	l->pending++;
	journal_append(l->journal, append, entries, blobs, n);
}

struct journal_entry ledger_entry(const struct row *row, enum journal_kind kind, const char *action, const char *item)
{
	return (struct journal_entry){ .kind = kind,
				       .tenant = row->tenant,
				       .step = row->step,
				       .target = row->target,
				       .action = action,
				       .item = item,
				       .attempt = row->attempt };
}

static void move(struct ledger *l, struct row *row, enum step_state to, int code, const char *text, int64_t until_ms)
{
	struct journal_entry e = ledger_entry(row, JOURNAL_STATE, NULL, NULL);

	e.from = step_state_name(row->state);
	e.to = step_state_name(to);
	e.code = code ? err_name(code) : "";
	e.text = text;
	e.until_ms = until_ms;
	e.attempt = to == STEP_RUNNING ? row->attempt + 1 : row->attempt;
	ledger_add(l, &e, NULL, 1, NULL);
	if (l->moved)
		l->moved(row, l->moved_arg);
}

void ledger_move(struct ledger *l, struct row *row, enum step_state to, int code, const char *text, int64_t until_ms)
{
	if (!step_state_may(row->state, to) && step_state_may(row->state, STEP_PENDING) &&
	    step_state_may(STEP_PENDING, to))
		move(l, row, STEP_PENDING, 0, "", 0);
	if (!step_state_may(row->state, to)) {
		fprintf(stderr, "cutover: fault: %s %s %s: illegal move %s -> %s\n", row->tenant, row->step, row->target,
			step_state_name(row->state), step_state_name(to));
		abort();
	}
	move(l, row, to, code, text, until_ms);
}
