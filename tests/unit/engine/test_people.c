/* Rows that are a person's: what she is told stands in the journal, and a word that came too early does not count. */
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/confirm.h"
#include "tests/unit/engine/world.h"

#include <unistd.h>

/* A step of each kind that a person may have: hers by the procedure, one that only she can do, and one that an agent does
   unless `by` says otherwise. */
static const char procedure[] =
	"{\"procedure\": 1, \"name\": \"toys\", \"title\": {\"en\": \"Toys\"},"
	" \"agents\": {\"toy\": {\"scope\": [\"host\"]}, \"later\": {\"scope\": [\"tenant\"]}, \"person\": {\"scope\": [\"tenant\"]}},"
	" \"steps\": ["
	"  {\"name\": \"decide\", \"title\": {\"en\": \"Decide\"}, \"phase\": \"ready\","
	"   \"instruction\": {\"en\": \"Decide for {tenant.name}, MX {new_fqdn.mx}.\", \"ja\": \"{tenant.name} の MX {new_fqdn.mx} を確認。\"},"
	"   \"agents\": [{\"agent\": \"person\"}]},"
	"  {\"name\": \"later\", \"title\": {\"en\": \"Later\"}, \"phase\": \"prepare\","
	"   \"instruction\": {\"en\": \"By hand: {migration_date}.\"}, \"agents\": [{\"agent\": \"later\"}]},"
	"  {\"name\": \"change\", \"title\": {\"en\": \"Change\"}, \"instruction\": {\"en\": \"Change it on {host}.\"},"
	"   \"phase\": \"switch\", \"agents\": [{\"agent\": \"toy\"}]},"
	"  {\"name\": \"silent\", \"title\": {\"en\": \"Silent\"}, \"phase\": \"prepare\", \"agents\": [{\"agent\": \"person\"}]}]}";

static void begin(struct world *w, const char *extra)
{
	char *tenant = world_tenant("a", 1, 1, extra), *path;

	world_init(w, tenant);
	path = str_fmt("%s/toys.json", w->dir);
	ck_assert_int_eq(file_write(path, 0600, procedure, strlen(procedure), NULL), 0);
	world_reload(w, tenant);
	free(path);
	free(tenant);
}

/* The instruction notes of a step: how many, and the last. */
struct told {
	const char *step;
	size_t n;
	char *data;
};

static int take(const struct journal_entry *e, void *arg)
{
	struct told *t = arg;

	if (e->kind != JOURNAL_NOTE || strcmp(e->action, "instruction") != 0 || strcmp(e->step, t->step) != 0)
		return 0;
	t->n++;
	free(t->data);
	t->data = str_dup(e->data);
	return 0;
}

static struct told told(struct world *w, const char *step)
{
	struct told t = { .step = step };
	struct journal_reader *reader;

	ck_assert_int_eq(journal_reader_open(w->state, &reader, NULL), 0);
	ck_assert_int_eq(journal_read(reader, "a", 0, take, &t, NULL), 0);
	journal_reader_close(reader);
	return t;
}

static void expect_told(struct world *w, const char *step, size_t n, const char *data)
{
	struct told t = told(w, step);

	ck_assert_uint_eq(t.n, n);
	if (data)
		ck_assert_str_eq(t.data, data);
	free(t.data);
}

static void expect_state(struct world *w, const char *step, const char *target, enum step_state state, const char *text)
{
	char *said = world_text(w, "a", step, target);

	ck_assert_str_eq(step_state_name(world_state(w, "a", step, target)), step_state_name(state));
	ck_assert_str_eq(said, text);
	free(said);
}

START_TEST(test_what_she_is_told)
{
	struct world w;

	begin(&w, "\"name\": \"Anna\", \"by\": {\"change\": \"customer\"},");
	world_run(&w, ENGINE_RUN);
	expect_told(&w, "decide", 1,
		    "{\"en\":\"Decide for Anna, MX new.example.\",\"ja\":\"Anna の MX new.example を確認。\",\"who\":\"us\"}");
	expect_told(&w, "later", 1, "{\"en\":\"By hand: 2026-12-01.\",\"who\":\"us\"}");
	expect_told(&w, "change", 1, "{\"en\":\"Change it on h1.\",\"who\":\"customer\"}");
	expect_told(&w, "silent", 0, NULL);
	expect_state(&w, "decide", "tenant", STEP_NEEDS_PERSON, "Decide for Anna, MX new.example.");
	expect_state(&w, "later", "tenant", STEP_BLOCKED, "not in this version: later");
	expect_state(&w, "change", "host:h1", STEP_NEEDS_PERSON, "Change it on h1.");
	expect_state(&w, "silent", "tenant", STEP_NEEDS_PERSON,
		     "Silent: a person does it, the procedure does not say how");
	world_run(&w, ENGINE_RUN); /* nothing new is said */
	expect_told(&w, "decide", 1, NULL);
	world_release(&w);
}
END_TEST

/* A plan writes nothing; what is a machine's has no instruction. */
START_TEST(test_what_a_machine_does)
{
	struct world w;

	begin(&w, "");
	world_run(&w, ENGINE_PLAN);
	ck_assert_int_ne(access(w.state, F_OK), 0);
	world_run(&w, ENGINE_RUN);
	expect_told(&w, "change", 0, NULL);
	world_release(&w);
}
END_TEST

/* Says so into the state file, as `cutover confirm` does without a controller. */
static int say(struct world *w, const char *step, enum confirm_result result, int64_t wall_ms, struct err *err)
{
	struct confirm c = { .tenant = "a", .step = step, .result = result, .by = "Ann", .os_user = "ops" };
	struct journal *j;
	struct journal_reader *reader;
	struct confirmation made;
	struct rows rows;
	int rc;

	rows_init(&rows);
	ck_assert_int_eq(journal_open(NULL, w->state, JOURNAL_MUST_EXIST, &j, NULL), 0);
	ck_assert_int_eq(journal_reader_open(w->state, &reader, NULL), 0);
	ck_assert_int_eq(rows_load(&rows, reader, NULL), 0);
	rc = confirm_apply(&rows, &c, wall_ms, &made, err);
	if (rc == 0) {
		ck_assert_int_eq(journal_append_now(j, made.entries, made.blobs, made.n, NULL), 0);
		confirmation_release(&made);
	}
	rows_release(&rows);
	journal_reader_close(reader);
	journal_close_now(j);
	return rc;
}

#define HOUR INT64_C(3600000)

/* The customer's data is migrated on 2026-12-01, 00:00 by the window's offset (Z). */
START_TEST(test_too_early)
{
	struct err err = { 0 };
	struct world w;
	int64_t midnight;

	begin(&w, "");
	ck_assert_int_eq(time_parse_rfc3339("2026-12-01T00:00:00Z", &midnight, NULL, NULL), 0);
	w.clock.wall_ms = midnight - 48 * HOUR;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(say(&w, "decide", CONFIRM_OK, midnight - 1, &err), E_INVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "before the vendor's data migration (2026-12-01T00:00:00"));
	expect_state(&w, "decide", "tenant", STEP_NEEDS_PERSON, "Decide for a, MX new.example.");
	/* Another phase, and another word. */
	ck_assert_int_eq(say(&w, "silent", CONFIRM_OK, midnight - 1, &err), 0);
	ck_assert_int_eq(say(&w, "decide", CONFIRM_OK, midnight, &err), 0);
	ck_assert_int_eq(world_state(&w, "a", "decide", "tenant"), STEP_CONFIRMED);
	world_release(&w);
}
END_TEST

START_TEST(test_not_needed_is_never_too_early)
{
	struct err err = { 0 };
	struct world w;

	begin(&w, "");
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(say(&w, "decide", CONFIRM_NOT_NEEDED, w.clock.wall_ms - 4800 * HOUR, &err), 0);
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", "decide", "tenant"), STEP_NOT_APPLICABLE);
	world_release(&w);
}
END_TEST

/* The vendor postponed it: what was confirmed before the new date is open again, and stays so until it is said anew. */
START_TEST(test_the_date_moves)
{
	struct err err = { 0 };
	struct world w;
	char *tenant = world_tenant("a", 1, 1, "\"migration_date\": \"2026-12-05\",");
	int64_t now;

	begin(&w, "");
	now = w.clock.wall_ms;
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(say(&w, "decide", CONFIRM_OK, now, &err), 0);
	ck_assert_int_eq(say(&w, "silent", CONFIRM_OK, now, &err), 0);
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", "decide", "tenant"), STEP_CONFIRMED);
	world_reload(&w, tenant);
	world_run(&w, ENGINE_RUN);
	expect_state(&w, "decide", "tenant", STEP_NEEDS_PERSON, "Decide for a, MX new.example.");
	ck_assert_int_eq(world_state(&w, "a", "silent", "tenant"), STEP_CONFIRMED);
	ck_assert_int_eq(say(&w, "decide", CONFIRM_OK, now, &err), E_INVAL);
	ck_assert_int_eq(say(&w, "decide", CONFIRM_OK, now + 96 * HOUR, &err), 0);
	world_run(&w, ENGINE_RUN);
	ck_assert_int_eq(world_state(&w, "a", "decide", "tenant"), STEP_CONFIRMED);
	free(tenant);
	world_release(&w);
}
END_TEST

SUITE(people)
{
	TEST_CASE(s, test_what_she_is_told);
	TEST_CASE(s, test_what_a_machine_does);
	TEST_CASE(s, test_too_early);
	TEST_CASE(s, test_not_needed_is_never_too_early);
	TEST_CASE(s, test_the_date_moves);
}
