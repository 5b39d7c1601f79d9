/* Who owes what until when: dates by phase and clock, the order, the filters, and what is said. */
#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "report/todo.h"

#include <jansson.h>

#define HOUR INT64_C(3600000)
#define MIGRATION (FAB_NIGHT - 22 * HOUR)
#define PERIOD_END (FAB_NIGHT + 20 * FAB_DAY)

/* ---- due -------------------------------------------------------------------------------------------------------- */

/* A tenant migrated at MIGRATION, with a window tonight and one a week later; the period of the vendor may cut. */
static struct due due_at(enum phase phase, int64_t now_ms, size_t windows_n, int64_t period_start, int64_t period_end)
{
	struct report_window windows[] = { { FAB_NIGHT, FAB_NIGHT + 7 * HOUR },
					   { FAB_NIGHT + 7 * FAB_DAY, FAB_NIGHT + 7 * FAB_DAY + 7 * HOUR } };
	struct report_tenant t = { .migration_ms = MIGRATION,
				   .windows = windows,
				   .windows_n = windows_n,
				   .vendor_period = { period_start, period_end } };
	struct report_step step = { .phase = phase };
	struct report_row row = { .tenant = &t, .step = &step };
	struct report r = { .now_ms = now_ms };

	return due_of(&r, &row);
}

static void expect_due(struct due due, int64_t from_ms, int64_t by_ms, enum due_kind kind)
{
	ck_assert_int_eq(due.from_ms, from_ms);
	ck_assert_int_eq(due.by_ms, by_ms);
	ck_assert_str_eq(due_kind_name(due.kind), due_kind_name(kind));
}

START_TEST(test_due_by_phase)
{
	int64_t before = FAB_NIGHT - HOUR, within = FAB_NIGHT + HOUR, between = FAB_NIGHT + FAB_DAY;
	int64_t week = FAB_NIGHT + 7 * FAB_DAY, after = week + FAB_DAY;

	expect_due(due_at(PHASE_PREPARE, before, 2, 0, 0), 0, FAB_NIGHT, DUE_WINDOW_OPENS);
	expect_due(due_at(PHASE_PREPARE, within, 2, 0, 0), 0, FAB_NIGHT + 7 * HOUR, DUE_WINDOW_ENDS);
	expect_due(due_at(PHASE_PREPARE, between, 2, 0, 0), 0, week, DUE_WINDOW_OPENS);
	expect_due(due_at(PHASE_PREPARE, after, 2, 0, 0), 0, week, DUE_WINDOW_OPENS); /* overdue */
	expect_due(due_at(PHASE_READY, before, 2, 0, 0), MIGRATION, FAB_NIGHT, DUE_WINDOW_OPENS);
	expect_due(due_at(PHASE_SWITCH, before, 2, 0, 0), FAB_NIGHT, FAB_NIGHT + 7 * HOUR, DUE_WINDOW_ENDS);
	expect_due(due_at(PHASE_SWITCH, between, 2, 0, 0), week, week + 7 * HOUR, DUE_WINDOW_ENDS);
	expect_due(due_at(PHASE_SETTLE, before, 2, MIGRATION, PERIOD_END), 0, PERIOD_END, DUE_PERIOD_ENDS);
	expect_due(due_at(PHASE_SETTLE, before, 2, 0, 0), 0, 0, DUE_NONE);
	expect_due(due_at(PHASE_PREPARE, before, 0, MIGRATION, PERIOD_END), 0, PERIOD_END, DUE_PERIOD_ENDS);
	expect_due(due_at(PHASE_READY, before, 0, 0, 0), MIGRATION, 0, DUE_NONE);
}
END_TEST

/* What of a window lies outside the vendor's period is none. */
START_TEST(test_due_within_the_period)
{
	int64_t week = FAB_NIGHT + 7 * FAB_DAY;

	expect_due(due_at(PHASE_SWITCH, FAB_NIGHT - HOUR, 2, FAB_NIGHT + 2 * HOUR, FAB_NIGHT + 3 * HOUR), FAB_NIGHT + 2 * HOUR,
		   FAB_NIGHT + 3 * HOUR, DUE_WINDOW_ENDS);
	expect_due(due_at(PHASE_SWITCH, FAB_NIGHT - HOUR, 2, FAB_NIGHT + FAB_DAY, PERIOD_END), week, week + 7 * HOUR,
		   DUE_WINDOW_ENDS);
	expect_due(due_at(PHASE_PREPARE, FAB_NIGHT - HOUR, 1, FAB_NIGHT + FAB_DAY, PERIOD_END), 0, PERIOD_END, DUE_PERIOD_ENDS);
}
END_TEST

/* ---- the list --------------------------------------------------------------------------------------------------- */

struct list {
	struct fab fab;
	struct journal_reader *reader;
	struct report_query query;
	struct todo_filter filter;
	struct buf out;
	struct err err;
};

static void begin(struct list *l)
{
	*l = (struct list){ 0 };
	fab_init(&l->fab);
	fab_procedure(&l->fab);
	fab_run(&l->fab, "run");
	fab_tenant(&l->fab, &(struct fab_tenant){ .id = "acme", .name = "Acme", .by = "{\"mx\":\"customer\"}" });
	fab_tenant(&l->fab, &(struct fab_tenant){
				    .id = "basil", .name = "Basil", .japanese = true, .window_start = FAB_NIGHT - 20 * HOUR });
	fab_move(&l->fab, "acme", "mx", "domain:acme.example", STEP_NEEDS_PERSON, NULL, "set MX");
	fab_instruct(&l->fab, "acme", "template-change", "tenant", "customer", "Set the template.", "テンプレートを設定。");
	fab_move(&l->fab, "acme", "template-change", "tenant", STEP_NEEDS_PERSON, NULL, "Set the template.");
	fab_instruct(&l->fab, "acme", "spf-contract", "domain:acme.example", "us", "Remove the old service.", NULL);
	fab_move(&l->fab, "acme", "spf-contract", "domain:acme.example", STEP_BLOCKED, NULL, "not in this version: spf");
	fab_move(&l->fab, "acme", "clean-up", "tenant", STEP_BLOCKED, NULL, "waits for mx of domain:acme.example");
	fab_client(&l->fab, "acme", "host:sync1", FAB_DRIFT);
	fab_client(&l->fab, "acme", "host:sync2", FAB_ROLLED_BACK);
	fab_client(&l->fab, "acme", "host:sync3", FAB_WAITING);
	fab_instruct(&l->fab, "basil", "firewall", "tenant", "us", "Allow the ranges.", "許可してください。");
	fab_move(&l->fab, "basil", "firewall", "tenant", STEP_NEEDS_PERSON, NULL, "許可してください。");
}

static json_t *items(struct list *l)
{
	json_t *root;

	if (!l->reader) {
		l->reader = fab_reader(&l->fab);
		l->query = fab_query(l->reader);
		l->query.now_ms = FAB_NIGHT - HOUR;
	}
	buf_clear(&l->out);
	ck_assert_msg(todo_json(&l->query, &l->filter, &l->out, &l->err) == 0, "%s", l->err.text);
	root = json_loads(buf_str(&l->out), 0, NULL);
	ck_assert_ptr_nonnull(root);
	return root;
}

static void end(struct list *l)
{
	journal_reader_close(l->reader);
	buf_release(&l->out);
	fab_release(&l->fab);
}

/* "basil firewall us overdue, acme template-change customer, …" */
static void expect_items(struct list *l, const char *wanted)
{
	json_t *root = items(l), *item;
	struct buf seen = BUF_INIT;
	size_t i;

	json_array_foreach(json_object_get(root, "items"), i, item)
		buf_addf(&seen, "%s%s %s %s%s", i ? ", " : "", json_string_value(json_object_get(item, "tenant")),
			 json_string_value(json_object_get(item, "step")), json_string_value(json_object_get(item, "owner")),
			 json_is_true(json_object_get(item, "overdue")) ? " overdue" : "");
	ck_assert_str_eq(buf_str(&seen), wanted);
	buf_release(&seen);
	json_decref(root);
}

START_TEST(test_order_and_filters)
{
	char a[] = "acme", b[] = "basil", z[] = "bazil", m[] = "mx";
	char *acme[] = { a }, *both[] = { b, a }, *wrong[] = { a, z }, *step[] = { m };
	struct list l;

	begin(&l);
	expect_items(&l, "basil firewall us overdue, acme template-change customer, acme sync-client us, acme mx customer, "
			 "acme spf-contract us");
	l.filter.owner = "customer";
	expect_items(&l, "acme template-change customer, acme mx customer");
	l.filter = (struct todo_filter){ .tenants = acme, .tenants_n = 1, .owner = "us" };
	expect_items(&l, "acme sync-client us, acme spf-contract us");
	l.filter = (struct todo_filter){ .tenants = both, .tenants_n = 2, .steps = step, .steps_n = 1 };
	expect_items(&l, "acme mx customer");
	l.filter = (struct todo_filter){ .confirmable = true, .tenants = acme, .tenants_n = 1 };
	expect_items(&l, "acme template-change customer, acme mx customer, acme spf-contract us");
	l.filter = (struct todo_filter){ .owner = "isp" };
	expect_items(&l, "");
	l.filter = (struct todo_filter){ .tenants = wrong, .tenants_n = 2 };
	ck_assert_int_eq(todo_json(&l.query, &l.filter, &l.out, &l.err), E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(l.err.text, "basil"));
	end(&l);
}
END_TEST

#define HAS(part) ck_assert_msg(strstr(buf_str(&l.out), (part)), "no \"%s\" in:\n%s", (part), buf_str(&l.out))
#define LACKS(part) ck_assert_msg(!strstr(buf_str(&l.out), (part)), "\"%s\" in:\n%s", (part), buf_str(&l.out))

static void text(struct list *l, enum report_lang lang, int64_t now_ms)
{
	l->query.lang = lang;
	l->query.now_ms = now_ms;
	l->query.width = 1000;
	buf_clear(&l->out);
	ck_assert_msg(todo_text(&l->query, &l->filter, &l->out, &l->err) == 0, "%s", l->err.text);
}

START_TEST(test_what_is_said)
{
	struct list l;

	begin(&l);
	json_decref(items(&l));
	text(&l, REPORT_EN, FAB_NIGHT - HOUR);
	HAS("5 to do, 3 for us, 2 for the customer; 1 overdue\n");
	HAS("basil firewall tenant: needs_person, for us, by 2026-12-01 02:00 +09:00, when the window opens (OVERDUE for 19 h 00 min)");
	HAS("    Allow the ranges.\n"); /* in the language that was asked for, not the tenant's */
	LACKS("許可");
	HAS("    $ cutover confirm acme template-change --target tenant --result ok --by NAME\n");
	HAS("    not in this version: spf\n    Remove the old service.\n");
	LACKS("A confirmation counts from");
	text(&l, REPORT_JA, MIGRATION - HOUR);
	HAS("    許可してください。\n");
	HAS("    テンプレートを設定。\n");
	HAS("    確認は 2026-12-01 00:00 +09:00 (データ移行) 以降に有効です。");
	text(&l, REPORT_EN, MIGRATION - HOUR);
	HAS("    A confirmation counts from 2026-12-01 00:00 +09:00 on, the vendor's data migration;");
	end(&l);
}
END_TEST

START_TEST(test_nothing)
{
	struct list l;

	begin(&l);
	json_decref(items(&l));
	l.filter.owner = "isp";
	text(&l, REPORT_EN, FAB_NOW);
	ck_assert_str_eq(buf_str(&l.out), "nothing to do for anybody\n");
	end(&l);
}
END_TEST

/* With many of one step the sheet is named. */
START_TEST(test_many)
{
	struct list l = { 0 };

	fab_init(&l.fab);
	fab_procedure(&l.fab);
	fab_run(&l.fab, "run");
	for (int i = 1; i <= 12; i++) {
		char id[16];

		snprintf(id, sizeof(id), "t%d", i);
		fab_tenant(&l.fab, &(struct fab_tenant){ .id = id, .name = id });
		fab_move(&l.fab, id, "template-review", "tenant", STEP_NEEDS_PERSON, NULL, "decide");
	}
	expect_items(&l, "t1 template-review us, t2 template-review us, t3 template-review us, t4 template-review us, "
			 "t5 template-review us, t6 template-review us, t7 template-review us, t8 template-review us, "
			 "t9 template-review us, t10 template-review us, t11 template-review us, t12 template-review us");
	text(&l, REPORT_EN, FAB_NOW);
	HAS("12 × template-review: as one sheet to fill in:\n    $ cutover worksheet --step template-review --csv\n");
	end(&l);
}
END_TEST

SUITE(todo)
{
	TEST_CASE(s, test_due_by_phase);
	TEST_CASE(s, test_due_within_the_period);
	TEST_CASE(s, test_order_and_filters);
	TEST_CASE(s, test_what_is_said);
	TEST_CASE(s, test_nothing);
	TEST_CASE(s, test_many);
}
