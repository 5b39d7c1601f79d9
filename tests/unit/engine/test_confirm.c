#include "tests/lib/unit.h"

#include "engine/confirm.h"

#include <unistd.h>

#define NOW INT64_C(1796130000000)

static struct rows rows;
static struct confirmation made;
static struct err err;
static int64_t seq;

/* One entry into the rows, as a journal would hold it. */
static void fold(struct journal_entry e)
{
	e.seq = ++seq;
	e.wall_ms = NOW - 1000;
	e.procedure = "hes-1-to-2";
	memset(&err, 0, sizeof(err));
	ck_assert_msg(rows_apply(&rows, &e, &err) == 0, "%s", err.text);
}

static void move(const char *step, const char *target, enum step_state from, enum step_state to)
{
	fold((struct journal_entry){ .kind = JOURNAL_STATE,
				     .tenant = "acme",
				     .step = step,
				     .target = target,
				     .from = step_state_name(from),
				     .to = step_state_name(to),
				     .attempt = 2,
				     .text = "" });
}

/* A row of acme in that state, by legal moves. */
static void row_in(const char *step, const char *target, enum step_state state)
{
	bool direct = step_state_may(STEP_PENDING, state);

	if (state == STEP_PENDING) {
		rows_get(&rows, "acme", step, target);
		return;
	}
	if (!direct)
		move(step, target, STEP_PENDING, STEP_RUNNING);
	if (state == STEP_CONFIRMED) {
		move(step, target, STEP_RUNNING, STEP_NEEDS_PERSON);
		move(step, target, STEP_NEEDS_PERSON, STEP_CONFIRMED);
	} else {
		move(step, target, direct ? STEP_PENDING : STEP_RUNNING, state);
	}
}

static void setup(void)
{
	rows_init(&rows);
	seq = 0;
}

static void teardown(void)
{
	rows_release(&rows);
}

static struct confirm said(const char *step, enum confirm_result result)
{
	return (struct confirm){ .tenant = "acme", .step = step, .result = result, .by = "Ann", .os_user = "ops" };
}

static void refused(struct confirm c, int code, const char *part)
{
	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(confirm_apply(&rows, &c, NOW, &made, &err), code);
	ck_assert_msg(strstr(err.text, part) != NULL, "'%s' is not in '%s'", part, err.text);
	ck_assert_uint_eq(made.n, 0);
	ck_assert_ptr_null(made.summary);
}

static void accepted(struct confirm c)
{
	memset(&err, 0, sizeof(err));
	ck_assert_msg(confirm_apply(&rows, &c, NOW, &made, &err) == 0, "%s", err.text);
	ck_assert_int_eq(made.entries[0].kind, JOURNAL_PERSON);
}

/* The entries fold: each move is legal where the row stands. */
static void fold_all(void)
{
	for (size_t i = 0; i < made.n; i++)
		fold(made.entries[i]);
}

/* What the table in confirm.h says, for every state and result. */
START_TEST(test_every_state)
{
	enum step_state from = (enum step_state)(_i / CONFIRM_RESULTS);
	enum confirm_result result = (enum confirm_result)(_i % CONFIRM_RESULTS);
	bool failed = from == STEP_FAILED || from == STEP_DRIFT || from == STEP_UNREACHABLE;
	bool early = from == STEP_PENDING || from == STEP_WAITING || from == STEP_BLOCKED;
	bool may = from == STEP_NEEDS_PERSON || (failed && result != CONFIRM_WRONG) ||
		   (early && result == CONFIRM_NOT_NEEDED) || (from == STEP_BLOCKED && result == CONFIRM_OK);
	static const enum step_state after[] = { STEP_CONFIRMED, STEP_FAILED, STEP_NOT_APPLICABLE };

	row_in("sync-client", "host:sync1", from);
	if (!may) {
		refused(said("sync-client", result), E_INVAL, step_state_name(from));
		return;
	}
	accepted(said("sync-client", result));
	if (from == STEP_BLOCKED && result == CONFIRM_OK)
		ck_assert_uint_eq(made.n, 4);
	else
		ck_assert_uint_eq(made.n, from == STEP_WAITING || from == STEP_BLOCKED ? 3 : 2);
	fold_all();
	ck_assert_int_eq(rows_find(&rows, "acme", "sync-client", "host:sync1")->state, after[result]);
	confirmation_release(&made);
}
END_TEST

START_TEST(test_what_is_written)
{
	struct confirm c = said("sync-client", CONFIRM_OK);
	const struct journal_entry *person = &made.entries[0], *state = &made.entries[1];

	row_in("sync-client", "host:sync1", STEP_FAILED);
	c.note = "mended by \"hand\"";
	c.ssh_origin = "198.51.100.7 4711 192.0.2.1 22";
	accepted(c);
	ck_assert_str_eq(person->tenant, "acme");
	ck_assert_str_eq(person->step, "sync-client");
	ck_assert_str_eq(person->target, "host:sync1");
	ck_assert_int_eq(person->wall_ms, NOW);
	ck_assert_str_eq(person->data, "{\"result\":\"ok\",\"by\":\"Ann\",\"note\":\"mended by \\\"hand\\\"\",\"os_user\":\"ops\","
				       "\"ssh_origin\":\"198.51.100.7 4711 192.0.2.1 22\"}");
	ck_assert_str_eq(person->text, "is done, says Ann: mended by \"hand\"");
	ck_assert_int_eq(state->kind, JOURNAL_STATE);
	ck_assert_str_eq(state->from, "failed");
	ck_assert_str_eq(state->to, "confirmed");
	ck_assert_int_eq(state->attempt, 2);
	ck_assert_ptr_null(made.blobs[0].bytes);
	ck_assert_str_eq(made.summary, "acme sync-client host:sync1: confirmed, was failed");
	confirmation_release(&made);
}
END_TEST

START_TEST(test_unknown_names)
{
	struct confirm c = said("mx", CONFIRM_OK);

	row_in("sync-client", "host:sync1", STEP_FAILED);
	row_in("sync-client", "host:sync2", STEP_VERIFIED);
	row_in("template-review", "tenant", STEP_NEEDS_PERSON);
	refused(c, E_NOTFOUND, "has no step 'mx'; it has sync-client, template-review");
	c.tenant = "amce";
	refused(c, E_NOTFOUND, "did you mean 'acme'");
	c.tenant = "zzzzzz";
	refused(c, E_NOTFOUND, "no tenant 'zzzzzz'");
	c = said("sync-client", CONFIRM_OK);
	c.target = "host:sync3";
	refused(c, E_NOTFOUND, "no target 'host:sync3'; it has host:sync1 (failed), host:sync2 (verified)");
}
END_TEST

START_TEST(test_several_targets)
{
	struct confirm c = said("sync-client", CONFIRM_OK);

	row_in("sync-client", "host:sync1", STEP_FAILED);
	row_in("sync-client", "host:sync2", STEP_DRIFT);
	refused(c, E_INVAL, "--target: host:sync1 (failed), host:sync2 (drift)");
	c.target = "host:sync2";
	accepted(c);
	ck_assert_str_eq(made.entries[1].target, "host:sync2");
	confirmation_release(&made);
}
END_TEST

/* One that left the inventory is no choice. */
START_TEST(test_withdrawn_target)
{
	row_in("sync-client", "host:old", STEP_WITHDRAWN);
	refused(said("sync-client", CONFIRM_OK), E_INVAL, "no longer in the inventory");
	row_in("sync-client", "host:sync1", STEP_FAILED);
	accepted(said("sync-client", CONFIRM_OK));
	ck_assert_str_eq(made.entries[0].target, "host:sync1");
	confirmation_release(&made);
}
END_TEST

START_TEST(test_open_debt)
{
	struct journal_entry debt = { .kind = JOURNAL_DEBT,
				      .tenant = "acme",
				      .step = "sync-client",
				      .target = "host:sync1",
				      .action = "schedule-on",
				      .item = "" };

	move("sync-client", "host:sync1", STEP_PENDING, STEP_RUNNING);
	fold(debt);
	move("sync-client", "host:sync1", STEP_RUNNING, STEP_FAILED);
	refused(said("sync-client", CONFIRM_OK), E_INVAL, "schedule-on");
	refused(said("sync-client", CONFIRM_NOT_NEEDED), E_INVAL, "cutover resume");
	debt.kind = JOURNAL_PAID;
	debt.to = "ok";
	fold(debt);
	accepted(said("sync-client", CONFIRM_OK));
	confirmation_release(&made);
}
END_TEST

START_TEST(test_evidence)
{
	char path[] = "/tmp/evidence-XXXXXX", sha256[SHA256_HEX_MAX];
	const char bytes[] = "\x89PNG\r\n\0binary";
	struct confirm c = said("template-review", CONFIRM_OK);
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
	row_in("template-review", "tenant", STEP_NEEDS_PERSON);
	c.evidence_path = path;
	accepted(c);
	ck_assert_uint_eq(made.blobs[0].len, sizeof(bytes));
	ck_assert(memcmp(made.blobs[0].bytes, bytes, sizeof(bytes)) == 0);
	ck_assert(made.blobs[0].exact);
	ck_assert_ptr_nonnull(strstr(made.entries[0].data, sha256_hex(bytes, sizeof(bytes), sha256)));
	ck_assert_ptr_nonnull(strstr(made.entries[0].data, path));
	confirmation_release(&made);
	unlink(path);
	refused(c, E_NOTFOUND, path);
	c.evidence_path = "evidence.png";
	refused(c, E_INVAL, "not absolute");
	c.evidence_path = "/tmp";
	memset(&err, 0, sizeof(err));
	ck_assert_int_ne(confirm_apply(&rows, &c, NOW, &made, &err), 0);
}
END_TEST

START_TEST(test_texts)
{
	struct confirm c = said("template-review", CONFIRM_OK);
	char long_text[CONFIRM_NOTE_MAX_BYTES + 2];

	row_in("template-review", "tenant", STEP_NEEDS_PERSON);
	c.by = "";
	refused(c, E_INVAL, "name is empty");
	c.by = "Ann\x1b[2J";
	refused(c, E_INVAL, "control characters");
	c.by = "Ann\xff";
	refused(c, E_INVAL, "UTF-8");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	c.by = "Ann";
	c.note = long_text;
	refused(c, E_INVAL, "longer than");
	long_text[CONFIRM_NOTE_MAX_BYTES] = '\0';
	accepted(c);
	confirmation_release(&made);
}
END_TEST

/* What goes through the control socket comes out the same. */
START_TEST(test_request)
{
	struct confirm c = said("sync-client", CONFIRM_NOT_NEEDED), back;
	json_t *request;

	c.target = "host:sync1";
	c.note = "n";
	c.evidence_path = "/e";
	request = confirm_to_json(&c);
	ck_assert_ptr_nonnull(request);
	ck_assert_str_eq(json_string_value(json_object_get(request, "cmd")), "confirm");
	ck_assert_int_eq(confirm_from_json(request, &back, &err), 0);
	ck_assert_str_eq(back.tenant, "acme");
	ck_assert_str_eq(back.step, "sync-client");
	ck_assert_str_eq(back.target, "host:sync1");
	ck_assert_int_eq(back.result, CONFIRM_NOT_NEEDED);
	ck_assert_str_eq(back.by, "Ann");
	ck_assert_str_eq(back.note, "n");
	ck_assert_str_eq(back.os_user, "ops");
	ck_assert_ptr_null(back.ssh_origin);
	ck_assert_str_eq(back.evidence_path, "/e");
	json_object_set_new(request, "result", json_string("maybe"));
	ck_assert_int_eq(confirm_from_json(request, &back, &err), E_INVAL);
	json_object_set_new(request, "result", json_integer(1));
	ck_assert_int_eq(confirm_from_json(request, &back, &err), E_INVAL);
	json_object_del(request, "result");
	ck_assert_int_eq(confirm_from_json(request, &back, &err), E_INVAL);
	json_decref(request);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test, int n)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test, 0, n);
	suite_add_tcase(s, tc);
}

SUITE(confirm)
{
	add(s, "every_state", test_every_state, STEP_STATES * CONFIRM_RESULTS);
	add(s, "what_is_written", test_what_is_written, 1);
	add(s, "unknown_names", test_unknown_names, 1);
	add(s, "several_targets", test_several_targets, 1);
	add(s, "withdrawn_target", test_withdrawn_target, 1);
	add(s, "open_debt", test_open_debt, 1);
	add(s, "evidence", test_evidence, 1);
	add(s, "texts", test_texts, 1);
	add(s, "request", test_request, 1);
}
