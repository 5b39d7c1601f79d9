#include "fixture.h"

#include "base/alloc.h"

/* ---- entries, the short way ---------------------------------------------------------------------------------------
 */

static int64_t now_ms;

static struct journal_entry entry(enum journal_kind kind)
{
	return (struct journal_entry){
		.kind = kind, .run = 7, .wall_ms = ++now_ms, .tenant = "acme", .step = "sync-client", .target = "host:a"
	};
}

static struct journal_entry state(const char *from, const char *to)
{
	struct journal_entry e = entry(JOURNAL_STATE);

	e.from = from;
	e.to = to;
	return e;
}

static struct journal_entry about(enum journal_kind kind, const char *action, const char *item, const char *to)
{
	struct journal_entry e = entry(kind);

	e.action = action;
	e.item = item;
	e.to = to;
	return e;
}

static void apply(struct rows *rows, struct journal_entry e)
{
	struct err err = { 0 };

	ck_assert_msg(rows_apply(rows, &e, &err) == 0, "%s", err.text);
}

static void refuse(struct rows *rows, struct journal_entry e, const char *part)
{
	struct err err = { 0 };

	ck_assert_int_eq(rows_apply(rows, &e, &err), E_CORRUPT);
	expect_err(&err, E_CORRUPT, part);
}

static struct row *the_row(struct rows *rows)
{
	return rows_find(rows, "acme", "sync-client", "host:a");
}

/* ---- finding -------------------------------------------------------------------------------------------------- */

START_TEST(test_find_and_get)
{
	struct rows rows;
	struct row *a, *b;

	rows_init(&rows);
	ck_assert_ptr_null(rows_find(&rows, "acme", "mx", "domain:x"));
	a = rows_get(&rows, "acme", "mx", "domain:x");
	ck_assert_int_eq(a->state, STEP_PENDING);
	ck_assert_str_eq(a->code, "");
	ck_assert_str_eq(a->text, "");
	ck_assert_ptr_eq(rows_get(&rows, "acme", "mx", "domain:x"), a);
	/* The parts do not run together. */
	b = rows_get(&rows, "acm", "emx", "domain:x");
	ck_assert_ptr_ne(a, b);
	ck_assert_ptr_null(rows_find(&rows, "acme", "mxd", "omain:x"));
	ck_assert_uint_eq(rows.n, 2);
	ck_assert_ptr_eq(rows.at[0], a);
	rows_release(&rows);
}
END_TEST

START_TEST(test_many_rows)
{
	struct rows rows;
	char tenant[24], target[24];

	rows_init(&rows);
	for (int i = 0; i < 30000; i++) {
		snprintf(tenant, sizeof(tenant), "t%d", i / 3);
		snprintf(target, sizeof(target), "host:h%d", i % 3);
		rows_get(&rows, tenant, "sync-client", target)->attempt = i;
	}
	ck_assert_uint_eq(rows.n, 30000);
	for (int i = 0; i < 30000; i++) {
		snprintf(tenant, sizeof(tenant), "t%d", i / 3);
		snprintf(target, sizeof(target), "host:h%d", i % 3);
		if (rows_find(&rows, tenant, "sync-client", target)->attempt != i || rows.at[i]->attempt != i)
			ck_abort_msg("row %d", i);
	}
	rows_release(&rows);
}
END_TEST

/* ---- states --------------------------------------------------------------------------------------------------- */

START_TEST(test_states)
{
	struct journal_entry e;
	struct rows rows;
	struct row *row;

	rows_init(&rows);
	apply(&rows, state("", "pending"));
	row = the_row(&rows);
	ck_assert_int_eq(row->state, STEP_PENDING);
	ck_assert_int_eq(row->first_ms, now_ms);
	e = state("pending", "waiting");
	e.until_ms = 1234;
	e.text = "the window opens";
	apply(&rows, e);
	ck_assert_int_eq(row->until_ms, 1234);
	ck_assert_str_eq(row->text, "the window opens");
	apply(&rows, state("waiting", "pending"));
	ck_assert_int_eq(row->until_ms, 0);
	e = state("pending", "running");
	e.attempt = 2;
	apply(&rows, e);
	ck_assert_int_eq(row->state, STEP_RUNNING);
	ck_assert_int_eq(row->since_ms, now_ms);
	ck_assert_int_eq(row->attempt, 2);
	ck_assert_int_eq(row->run, 7);
	ck_assert_int_eq(row->finished_ms, 0);
	e = state("running", "failed");
	e.code = "timeout";
	e.text = "no answer";
	apply(&rows, e);
	ck_assert_int_eq(row->finished_ms, now_ms);
	ck_assert_str_eq(row->code, "timeout");
	ck_assert_str_eq(row->text, "no answer");
	apply(&rows, state("failed", "running"));
	ck_assert_str_eq(row->code, "");
	ck_assert_str_eq(row->text, "");
	apply(&rows, state("running", "indeterminate"));
	ck_assert_int_lt(row->finished_ms, now_ms);
	ck_assert_int_lt(row->first_ms, row->since_ms);
	rows_release(&rows);
}
END_TEST

START_TEST(test_illegal_moves)
{
	struct rows rows;
	struct journal_entry e;

	rows_init(&rows);
	refuse(&rows, state("pending", "verified"), "from pending to verified");
	refuse(&rows, state("running", "verified"), "where the row is pending");
	refuse(&rows, state("", "running"), "none");
	refuse(&rows, state("pending", "done"), "none");
	e = state("pending", "running");
	e.seq = 77;
	e.target = "";
	refuse(&rows, e, "entry 77");
	e.target = NULL;
	refuse(&rows, e, "a step and a target");
	apply(&rows, state("pending", "running"));
	refuse(&rows, state("pending", "running"), "where the row is running");
	refuse(&rows, state("", "pending"), "none");
	rows_release(&rows);
}
END_TEST

/* ---- before, intents, done ------------------------------------------------------------------------------------------
 */

START_TEST(test_before_is_written_once)
{
	struct journal_entry before = entry(JOURNAL_BEFORE), changes = entry(JOURNAL_CHANGES);
	struct rows rows;
	struct row *row;

	rows_init(&rows);
	before.data = "{\"uri\": \"old\"}";
	changes.data = "{\"changes\": []}";
	apply(&rows, state("pending", "running"));
	apply(&rows, before);
	row = the_row(&rows);
	ck_assert(row->has_before);
	ck_assert_str_eq(row->before_json, "{\"uri\": \"old\"}");
	apply(&rows, changes);
	changes.data = "{\"changes\": [1]}";
	apply(&rows, changes);
	ck_assert_str_eq(row->changes_json, "{\"changes\": [1]}");
	refuse(&rows, before, "written once");
	apply(&rows, about(JOURNAL_INTENT, "write-config", "", NULL));
	apply(&rows, about(JOURNAL_OUTCOME, "write-config", "", "ok"));
	apply(&rows, about(JOURNAL_DEBT, "start-service", "", NULL));
	apply(&rows, state("running", "rolled_back"));
	/* All of the last migration is forgotten, but not what is down. */
	ck_assert(!row->has_before);
	ck_assert_ptr_null(row->before_json);
	ck_assert_ptr_null(row->changes_json);
	ck_assert(!row_step_done(row, "write-config", ""));
	ck_assert_uint_eq(row->debts_n, 1);
	before.data = "{\"uri\": \"other\"}";
	apply(&rows, state("rolled_back", "running"));
	apply(&rows, before);
	ck_assert_str_eq(row->before_json, "{\"uri\": \"other\"}");
	rows_release(&rows);
}
END_TEST

START_TEST(test_intents_and_outcomes)
{
	struct rows rows;
	struct row *row;

	rows_init(&rows);
	/* Before `before`: it ran, but that is not part of the migration. */
	apply(&rows, about(JOURNAL_INTENT, "stop", "svc", NULL));
	row = the_row(&rows);
	ck_assert_str_eq(row_open_intent(row)->action, "stop");
	ck_assert_str_eq(row_open_intent(row)->item, "svc");
	apply(&rows, about(JOURNAL_OUTCOME, "stop", "svc", "ok"));
	ck_assert_ptr_null(row_open_intent(row));
	ck_assert(!row_step_done(row, "stop", "svc"));

	apply(&rows, about(JOURNAL_INTENT, "early", "", NULL));
	apply(&rows, entry(JOURNAL_BEFORE));
	apply(&rows, about(JOURNAL_OUTCOME, "early", "", "ok"));
	ck_assert(!row_step_done(row, "early", ""));

	/* Several at once, closed in another order, each by its action and item. */
	apply(&rows, about(JOURNAL_INTENT, "stop", "a", NULL));
	apply(&rows, about(JOURNAL_INTENT, "stop", "b", NULL));
	apply(&rows, about(JOURNAL_INTENT, "write", "a", NULL));
	apply(&rows, about(JOURNAL_INTENT, "stop", "a", NULL)); /* again: the same one */
	ck_assert_uint_eq(row->intents_n, 3);
	apply(&rows, about(JOURNAL_OUTCOME, "stop", "b", "unchanged"));
	apply(&rows, about(JOURNAL_OUTCOME, "write", "a", "fail"));
	apply(&rows, about(JOURNAL_OUTCOME, "write", "b", "ok")); /* of no intent */
	ck_assert_uint_eq(row->intents_n, 1);
	ck_assert_str_eq(row_open_intent(row)->action, "stop");
	ck_assert_str_eq(row_open_intent(row)->item, "a");
	ck_assert(row_step_done(row, "stop", "b"));
	ck_assert(!row_step_done(row, "stop", "a"));
	ck_assert(!row_step_done(row, "write", "a"));
	ck_assert(!row_step_done(row, "write", "b"));
	apply(&rows, about(JOURNAL_OUTCOME, "stop", "a", "ok"));
	ck_assert(row_step_done(row, "stop", "a"));
	/* Done once is done. */
	apply(&rows, about(JOURNAL_INTENT, "stop", "a", NULL));
	apply(&rows, about(JOURNAL_OUTCOME, "stop", "a", "ok"));
	ck_assert_uint_eq(row->done_n, 2);
	rows_release(&rows);
}
END_TEST

START_TEST(test_debts)
{
	struct journal_entry e;
	struct rows rows;
	struct row *row;

	rows_init(&rows);
	e = about(JOURNAL_DEBT, "enable-schedule", "cron", NULL);
	e.text = "the schedule is off";
	apply(&rows, e);
	row = the_row(&rows);
	apply(&rows, about(JOURNAL_DEBT, "start", "svc", NULL));
	apply(&rows, about(JOURNAL_DEBT, "enable-schedule", "cron", NULL)); /* it is down already */
	ck_assert_uint_eq(row->debts_n, 2);
	ck_assert_str_eq(row->debts[0].action, "enable-schedule");
	ck_assert_str_eq(row->debts[0].text, "the schedule is off");
	ck_assert_int_lt(row->debts[0].wall_ms, row->debts[1].wall_ms);
	apply(&rows, about(JOURNAL_PAID, "start", "other", "ok"));
	ck_assert_uint_eq(row->debts_n, 2);
	apply(&rows, about(JOURNAL_PAID, "enable-schedule", "cron", "ok"));
	ck_assert_uint_eq(row->debts_n, 1);
	ck_assert_str_eq(row->debts[0].action, "start");
	apply(&rows, about(JOURNAL_PAID, "start", "svc", "person"));
	ck_assert_uint_eq(row->debts_n, 0);
	rows_release(&rows);
}
END_TEST

/* ---- runs, and what touches no row ----------------------------------------------------------------------------------
 */

START_TEST(test_runs)
{
	struct journal_entry e = { .kind = JOURNAL_RUN, .run = 1, .wall_ms = 10, .data = "{\"command\": \"run\"}" };
	struct rows rows;

	rows_init(&rows);
	apply(&rows, e);
	e.run = 2;
	e.wall_ms = 20;
	apply(&rows, e);
	e.kind = JOURNAL_RUN_END;
	e.wall_ms = 30;
	e.text = "all done";
	e.data = "{\"exit\": 0}";
	apply(&rows, e);
	ck_assert_uint_eq(rows.runs_n, 2);
	ck_assert_int_eq(rows.runs[0].end_ms, 0); /* it was killed */
	ck_assert_str_eq(rows.runs[0].data, "{\"command\": \"run\"}");
	ck_assert_int_eq(rows.runs[1].end_ms, 30);
	ck_assert_str_eq(rows.runs[1].end_text, "all done");
	ck_assert_str_eq(rows.runs[1].end_data, "{\"exit\": 0}");
	e.run = 3;
	refuse(&rows, e, "did not begin");
	e = (struct journal_entry){ .kind = JOURNAL_NOTE, .tenant = "acme", .seq = 9 };
	apply(&rows, e);
	e = (struct journal_entry){ .kind = JOURNAL_IDENTITY, .tenant = "acme", .target = "host:a", .seq = 8 };
	apply(&rows, e);
	ck_assert_uint_eq(rows.n, 0);
	ck_assert_int_eq(rows.last_seq, 9);
	rows_release(&rows);
}
END_TEST

/* ---- the fold of the file is the fold of what was appended --------------------------------------------------------
 */

#define NAMES 3
#define RANDOM_ENTRIES 400

static const char *const tenants[] = { "acme", "beta", "gamma" }, *const steps[] = { "firewall", "mx", "sync-client" },
			 *const targets[] = { "host:a", "host:b", "tenant" },
			 *const actions[] = { "stop", "write", "start" }, *const items[] = { "", "svc1", "svc2" },
			 *const verdicts[] = { "ok", "unchanged", "fail", "person" };

static void add_list(struct buf *out, const char *name, const char *action, const char *item, int64_t at)
{
	buf_addf(out, " %s:%s/%s@%lld", name, action, item, (long long)at);
}

/* All that is known of all rows, as text. */
static char *picture(const struct rows *rows)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = rows->at[i];
		buf_addf(&out, "%s %s %s %s %lld %lld %lld %lld %d '%s' '%s' %lld %d '%s' '%s'", r->tenant, r->step,
			 r->target, step_state_name(r->state), (long long)r->since_ms, (long long)r->first_ms,
			 (long long)r->finished_ms, (long long)r->run, r->attempt, r->code, r->text,
			 (long long)r->until_ms, r->has_before, r->before_json ? r->before_json : "-",
			 r->changes_json ? r->changes_json : "-");
		for (size_t k = 0; k < r->intents_n; k++)
			add_list(&out, r->intents[k].since_before ? "INTENT" : "intent", r->intents[k].action,
				 r->intents[k].item, r->intents[k].wall_ms);
		for (size_t k = 0; k < r->debts_n; k++)
			add_list(&out, r->debts[k].text, r->debts[k].action, r->debts[k].item, r->debts[k].wall_ms);
		for (size_t k = 0; k < r->done_n; k++)
			add_list(&out, "done", r->done[k].action, r->done[k].item, r->done[k].wall_ms);
		buf_addc(&out, '\n');
	}
	for (size_t i = 0; i < rows->runs_n; i++)
		buf_addf(&out, "run %lld %lld %lld %s %s %s\n", (long long)rows->runs[i].id,
			 (long long)rows->runs[i].begin_ms, (long long)rows->runs[i].end_ms, rows->runs[i].data,
			 rows->runs[i].end_text, rows->runs[i].end_data);
	return buf_detach(&out);
}

#define PICK(list) ((list)[(size_t)rand_r(seed) % ARRAY_LEN(list)])

static struct journal_entry random_move(const struct rows *rows, unsigned *seed)
{
	struct journal_entry e = {
		.kind = JOURNAL_STATE, .tenant = PICK(tenants), .step = PICK(steps), .target = PICK(targets)
	};
	const struct row *row = rows_find(rows, e.tenant, e.step, e.target);
	enum step_state from = row ? row->state : STEP_PENDING, to;

	do
		to = (enum step_state)(rand_r(seed) % STEP_STATES);
	while (!step_state_may(from, to));
	e.from = step_state_name(from);
	e.to = step_state_name(to);
	e.until_ms = rand_r(seed) % 2;
	e.text = PICK(verdicts);
	e.code = PICK(items);
	return e;
}

/* Something that a journal may say next. */
static struct journal_entry random_entry(const struct rows *rows, unsigned *seed)
{
	static const enum journal_kind kinds[] = { JOURNAL_STATE,    JOURNAL_STATE,    JOURNAL_STATE,   JOURNAL_BEFORE,
						   JOURNAL_INTENT,   JOURNAL_INTENT,   JOURNAL_DEBT,    JOURNAL_OUTCOME,
						   JOURNAL_OUTCOME,  JOURNAL_PAID,     JOURNAL_CHANGES, JOURNAL_NOTE,
						   JOURNAL_EVIDENCE, JOURNAL_IDENTITY, JOURNAL_PERSON,  JOURNAL_RUN,
						   JOURNAL_RUN_END };
	struct journal_entry e = {
		.kind = PICK(kinds), .tenant = PICK(tenants), .step = PICK(steps), .target = PICK(targets)
	};
	const struct row *row = rows_find(rows, e.tenant, e.step, e.target);

	if (e.kind == JOURNAL_STATE || (e.kind == JOURNAL_BEFORE && row && row->has_before))
		return random_move(rows, seed);
	e.run = 1 + rand_r(seed) % 2;
	if (e.kind == JOURNAL_RUN || (e.kind == JOURNAL_RUN_END && rows->runs_n == 0)) {
		e.kind = JOURNAL_RUN;
		e.run = (int64_t)rows->runs_n + 1;
	}
	if (e.kind == JOURNAL_RUN_END)
		e.run = rows->runs[(size_t)rand_r(seed) % rows->runs_n].id;
	if (e.kind == JOURNAL_RUN || e.kind == JOURNAL_RUN_END)
		e.tenant = e.step = e.target = NULL;
	e.action = PICK(actions);
	e.item = PICK(items);
	e.to = PICK(verdicts);
	e.text = PICK(actions);
	e.data = PICK(verdicts);
	e.attempt = rand_r(seed) % 4;
	return e;
}

/* Folded while it is appended, from the file at the end, and from the file piece by piece: three times the same. */
START_TEST(test_fold_is_the_same)
{
	struct rows live, pieces, whole;
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	unsigned seed = (unsigned)_i + 1;
	char *a, *b, *c;

	fixture_init(&f);
	rows_init(&live);
	rows_init(&pieces);
	rows_init(&whole);
	j = must_open(&f);
	r = must_read(&f);
	for (int n = 0; n < RANDOM_ENTRIES;) {
		struct journal_entry batch[8];
		int size = 1 + rand_r(&seed) % 8;
		for (int i = 0; i < size; i++) {
			batch[i] = random_entry(&live, &seed);
			batch[i].wall_ms = 1000 + n++;
			apply(&live, batch[i]);
		}
		ck_assert_int_eq(journal_append_now(j, batch, NULL, (size_t)size, NULL), 0);
		if (rand_r(&seed) % 4 == 0)
			ck_assert_int_eq(rows_load(&pieces, r, NULL), 0);
	}
	ck_assert_int_eq(rows_load(&pieces, r, NULL), 0);
	ck_assert_int_eq(rows_load(&whole, r, NULL), 0);
	a = picture(&live);
	b = picture(&pieces);
	c = picture(&whole);
	ck_assert_str_eq(a, b);
	ck_assert_str_eq(a, c);
	ck_assert_int_eq(whole.last_seq, pieces.last_seq);
	free(a);
	free(b);
	free(c);
	journal_reader_close(r);
	must_close(&f, j);
	must_verify(&f);
	rows_release(&live);
	rows_release(&pieces);
	rows_release(&whole);
	fixture_release(&f);
}
END_TEST

/* What the file says is judged like what the engine says. */
START_TEST(test_illegal_move_in_the_file)
{
	struct journal_entry moves[2] = { state("pending", "running"), state("pending", "running") };
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	struct rows rows;
	struct err err = { 0 };

	fixture_init(&f);
	rows_init(&rows);
	j = must_open(&f);
	ck_assert_int_eq(journal_append_now(j, moves, NULL, 2, NULL), 0);
	r = must_read(&f);
	ck_assert_int_eq(rows_load(&rows, r, &err), E_CORRUPT);
	expect_err(&err, E_CORRUPT, "entry 2 of the journal (state, tenant acme, step sync-client, host:a)");
	journal_reader_close(r);
	must_close(&f, j);
	rows_release(&rows);
	fixture_release(&f);
}
END_TEST

/* What people said and are told, and what the inventory said of a tenant and of the procedure: the last counts. */
START_TEST(test_people)
{
	struct journal_entry said = entry(JOURNAL_PERSON), note = entry(JOURNAL_NOTE);
	struct rows rows;

	rows_init(&rows);
	ck_assert_ptr_null(rows_note(&rows, "acme"));
	note.action = "instruction";
	note.data = "{\"en\":\"one\"}";
	apply(&rows, note);
	ck_assert_int_eq(the_row(&rows)->state, STEP_PENDING);
	ck_assert_ptr_null(the_row(&rows)->said_json);
	note.data = "{\"en\":\"two\"}";
	apply(&rows, note);
	said.data = "{\"by\":\"Ann\"}";
	said.wall_ms = 4711;
	apply(&rows, said);
	ck_assert_str_eq(the_row(&rows)->instruction_json, "{\"en\":\"two\"}");
	ck_assert_str_eq(the_row(&rows)->said_json, "{\"by\":\"Ann\"}");
	ck_assert_int_eq(the_row(&rows)->said_ms, 4711);
	note.action = "tenant";
	note.step = note.target = NULL;
	apply(&rows, note);
	ck_assert_str_eq(rows_note(&rows, "acme"), note.data);
	ck_assert_ptr_null(rows_note(&rows, ""));
	note.tenant = NULL;
	note.action = "procedure";
	apply(&rows, note);
	ck_assert_str_eq(rows_note(&rows, ""), note.data);
	ck_assert_uint_eq(rows.n, 1);
	rows_release(&rows);
}
END_TEST

SUITE(rows)
{
	TEST_CASE(s, test_people);
	TEST_CASE(s, test_find_and_get);
	TEST_CASE(s, test_many_rows);
	TEST_CASE(s, test_states);
	TEST_CASE(s, test_illegal_moves);
	TEST_CASE(s, test_before_is_written_once);
	TEST_CASE(s, test_intents_and_outcomes);
	TEST_CASE(s, test_debts);
	TEST_CASE(s, test_runs);
	TEST_CASE_LOOP(s, test_fold_is_the_same, 0, 12);
	TEST_CASE(s, test_illegal_move_in_the_file);
}
