/* The Ruby client on hosts where somebody edits the same files at the same time. */
#include "tests/integration/agents/ruby_world.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- somebody edits meanwhile ----------------------------------------------------------------------------------- */

/* What is done once, before the op of that step. */
struct meddling {
	const char *step;
	void (*act)(void);
	bool done;
};

static void meddle(struct drive *d, const char *step, const struct op *op, bool after)
{
	struct meddling *m = d->arg;

	(void)op;
	if (after || m->done || strcmp(step, m->step) != 0)
		return;
	m->done = true;
	m->act();
}

static enum drive_end run_with(struct drive *d, struct meddling *m)
{
	enum drive_end end;

	drive_init(d, "ruby-client", PLAIN);
	d->on_op = meddle;
	d->arg = m;
	end = drive_run(d);
	ck_assert(m->done);
	return end;
}

static void append_to_crontab(void)
{
	host_append(TABLE, "\n1 1 * * * /usr/bin/new\n");
}

START_TEST(test_crontab_edited)
{
	/* before it is off, while it is off, between the reading and the writing that put it on */
	static const char *const steps[] = { "schedule-off", "run-client", "schedule-on" };
	struct meddling m = { steps[_i], append_to_crontab, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_DONE, &d);
	file_is(TABLE, CRONTAB(LINE) "\n1 1 * * * /usr/bin/new\n");
	ck_assert_int_eq(d.replaced, 1);
	drive_release(&d);
}
END_TEST

/* Edited each time that it was read: it is given up, with what is to be done by hand. */
static void append_always(struct drive *d, const char *step, const struct op *op, bool after)
{
	(void)d;
	if (strcmp(step, "schedule-off") == 0 && op->kind == OP_RUN && !after)
		append_to_crontab();
}

START_TEST(test_crontab_never_still)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	drive_init(&d, "ruby-client", PLAIN);
	d.on_op = append_always;
	ENDS(drive_run(&d), DRIVE_STOPPED, &d);
	ck_assert_int_eq(d.kind, VERDICT_REREAD);
	file_is(CONFIG, SETTINGS(OLD_NAME));
	drive_release(&d);
}
END_TEST

static void remove_line(void)
{
	host_write(TABLE, HOST_UID, 0600, CRONTAB("# nothing"));
}

START_TEST(test_line_removed)
{
	struct meddling m = { "run-client", remove_line, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_STUCK, &d);
	ck_assert_msg(strstr(d.text, "put it back by hand: " LINE), "%s", d.text);
	file_is(TABLE, CRONTAB("# nothing"));
	file_is(CONFIG, SETTINGS(NEW_NAME));
	ck_assert_uint_eq(d.debts_n, 1);
	/* a person does so, and the next run is content */
	host_write(TABLE, HOST_UID, 0600, CRONTAB(LINE));
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	is_changed(&d);
	drive_release(&d);
}
END_TEST

static void remove_table(void)
{
	unlink(TABLE);
}

START_TEST(test_table_removed)
{
	struct meddling m = { "wait-idle", remove_table, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_STUCK, &d);
	ck_assert_msg(strstr(d.text, "put this line back by hand: " LINE), "%s", d.text);
	ck_assert(!host_exists(TABLE));
	drive_release(&d);
}
END_TEST

static void put_line_back(void)
{
	host_write(TABLE, HOST_UID, 0600, CRONTAB(LINE));
}

START_TEST(test_line_switched_on_by_somebody)
{
	struct meddling m = { "run-client", put_line_back, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_DONE, &d);
	is_changed(&d);
	drive_release(&d);
}
END_TEST

static void line_twice(void)
{
	host_write(TABLE, HOST_UID, 0600, CRONTAB(MARKER LINE "\n" LINE));
}

START_TEST(test_line_added_again)
{
	struct meddling m = { "run-client", line_twice, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_STUCK, &d);
	ck_assert_msg(strstr(d.text, "more than once"), "%s", d.text);
	file_is(TABLE, CRONTAB(MARKER LINE "\n" LINE));
	drive_release(&d);
}
END_TEST

static void edit_settings(void)
{
	host_append(CONFIG, "EDITED = true\n");
}

START_TEST(test_settings_edited_before_the_write)
{
	struct meddling m = { "write-config", edit_settings, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_DONE, &d);
	file_is(CONFIG, SETTINGS(NEW_NAME) "EDITED = true\n");
	ck_assert_int_eq(d.replaced, 1);
	file_is(TABLE, CRONTAB(LINE));
	drive_release(&d);
}
END_TEST

START_TEST(test_settings_edited_after_the_write)
{
	struct meddling m = { "read-again", edit_settings, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_DONE, &d);
	ck_assert_ptr_nonnull(facts_get(&d.now, "verify.note"));
	file_is(CONFIG, SETTINGS(NEW_NAME) "EDITED = true\n");
	/* what is not as we left it is not rolled back */
	d.on_op = NULL;
	ENDS(drive_rollback(&d), DRIVE_STOPPED, &d);
	ck_assert_int_eq(d.kind, VERDICT_DRIFT);
	file_is(CONFIG, SETTINGS(NEW_NAME) "EDITED = true\n");
	file_is(TABLE, CRONTAB(LINE));
	drive_release(&d);
}
END_TEST

static void change_mode(void)
{
	ck_assert_int_eq(chmod(CONFIG, 0644), 0);
}

START_TEST(test_mode_changed)
{
	struct meddling m = { "read-again", change_mode, false };
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ENDS(run_with(&d, &m), DRIVE_STOPPED, &d);
	ck_assert_msg(strstr(d.text, "another mode than before: 0644, was 0640"), "%s", d.text);
	drive_release(&d);
}
END_TEST

SUITE(ruby_edits_on_hosts)
{
	TEST_CASE_LOOP(s, test_crontab_edited, 0, 3);
	TEST_CASE(s, test_crontab_never_still);
	TEST_CASE(s, test_line_removed);
	TEST_CASE(s, test_table_removed);
	TEST_CASE(s, test_line_switched_on_by_somebody);
	TEST_CASE(s, test_line_added_again);
	TEST_CASE(s, test_settings_edited_before_the_write);
	TEST_CASE(s, test_settings_edited_after_the_write);
	TEST_CASE(s, test_mode_changed);
}
