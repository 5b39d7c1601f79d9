/* The Ruby client on hosts: the plain way, controllers that are killed, and how the client itself behaves. */
#include "tests/integration/agents/ruby_world.h"

#include <signal.h>

/* ---- the plain way ---------------------------------------------------------------------------------------------- */

/* While the client runs its job is off. */
static void off_while_it_runs(struct drive *d, const char *step, const struct op *op, bool after)
{
	(void)op;
	if (strcmp(step, "run-client") == 0 && !after) {
		file_is(TABLE, CRONTAB(MARKER LINE));
		attributes_are(TABLE, HOST_UID, 0600);
		d->arg = d;
	}
}

START_TEST(test_plain)
{
	struct drive d;

	HOST_OR_RETURN((enum host_shell)_i);
	make_world();
	drive_init(&d, "ruby-client", PLAIN);
	d.on_op = off_while_it_runs;
	ENDS(drive_plan(&d), DRIVE_DONE, &d);
	ck_assert_int_eq(d.assessment.state, ASSESS_OLD);
	ck_assert_uint_eq(d.assessment.changes_n, 1);
	ck_assert_str_eq(d.assessment.changes[0].old_line, "ROOT_URI = 'https://" OLD_NAME "/imhs/v1.0/en'");
	ck_assert_str_eq(d.assessment.changes[0].new_line, "ROOT_URI = 'https://" NEW_NAME "/imhs/v1.0/en'");
	ck_assert_int_eq(d.assessment.changes[0].line, 3);
	file_is(CONFIG, SETTINGS(OLD_NAME));
	file_is(TABLE, CRONTAB(LINE));
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert_ptr_nonnull(d.arg);
	is_changed(&d);
	ck_assert_int_eq(times_run(), 1);
	/* a second run changes nothing */
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert_int_eq(d.assessment.state, ASSESS_NEW);
	ck_assert(!d.mutated);
	is_changed(&d);
	ck_assert_int_eq(times_run(), 1);
	drive_release(&d);
}
END_TEST

/* Nothing said in the inventory: found, run by the Ruby of this machine. */
START_TEST(test_nothing_said)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	drive_init(&d, "ruby-client", "{}");
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	if (facts_get(&d.now, "ruby.path")) {
		is_changed(&d);
	} else {
		printf("SKIP: there is no Ruby to run the client with\n");
		file_is(CONFIG, SETTINGS(NEW_NAME));
	}
	drive_release(&d);
}
END_TEST

START_TEST(test_found_new)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	host_write(CONFIG, HOST_UID, 0640, SETTINGS(NEW_NAME));
	drive_init(&d, "ruby-client", PLAIN);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert_int_eq(d.assessment.state, ASSESS_NEW);
	ck_assert(!d.mutated);
	ck_assert_int_eq(times_run(), 0);
	ck_assert(!host_exists(BACKUP));
	drive_release(&d);
}
END_TEST

/* ---- a controller that is killed -------------------------------------------------------------------------------- */

static void make_both(void)
{
	make_world();
	host_write("/etc/cron.d/imhs", 0, 0644, SYSTEM_TABLE(SYSTEM_LINE));
}

static void both_are_back(void)
{
	file_is("/etc/cron.d/imhs", SYSTEM_TABLE(SYSTEM_LINE));
	attributes_are("/etc/cron.d/imhs", 0, 0644);
}

#define KILLS 26 /* more than a run has ops */

static void kill_at(struct drive *d, int i)
{
	d->crash_at = i / 2;
	d->crash_after = i % 2;
}

/* Killed at the k-th op of a run, before it or behind it, for every k: the next run ends as if nothing had been. */
START_TEST(test_killed_at_each_op)
{
	enum drive_end end;
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	host_hide_ruby();
	make_both();
	drive_init(&d, "ruby-client", PLAIN);
	kill_at(&d, _i);
	end = drive_run(&d);
	d.crash_at = -1;
	if (end == DRIVE_CRASHED)
		ENDS(drive_run(&d), DRIVE_DONE, &d);
	else
		ck_assert(end == DRIVE_DONE && _i / 2 >= 17);
	is_changed(&d);
	both_are_back();
	drive_release(&d);
}
END_TEST

/* The same for a roll-back. */
START_TEST(test_killed_in_a_rollback)
{
	enum drive_end end;
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	host_hide_ruby();
	make_both();
	drive_init(&d, "ruby-client", PLAIN);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	kill_at(&d, _i);
	end = drive_rollback(&d);
	d.crash_at = -1;
	if (end == DRIVE_CRASHED)
		ENDS(drive_rollback(&d), DRIVE_DONE, &d);
	else
		ck_assert(end == DRIVE_DONE && _i / 2 >= 16);
	file_is(CONFIG, SETTINGS(OLD_NAME));
	attributes_are(CONFIG, HOST_UID, 0640);
	file_is(TABLE, CRONTAB(LINE));
	both_are_back();
	ck_assert_uint_eq(d.debts_n, 0);
	drive_release(&d);
}
END_TEST

/* Killed again and again, anywhere. */
START_TEST(test_killed_often)
{
	uint32_t random = 4711 + 97 * (uint32_t)_i;
	enum drive_end end = DRIVE_CRASHED;
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	host_hide_ruby();
	make_both();
	drive_init(&d, "ruby-client", PLAIN);
	for (int tries = 0; end == DRIVE_CRASHED && tries < 6; tries++) {
		random = random * 1664525 + 1013904223;
		d.crash_at = tries < 5 ? (int)(random >> 16) % 22 : -1;
		d.crash_after = (random >> 8) & 1;
		end = drive_run(&d);
	}
	ENDS(end, DRIVE_DONE, &d);
	is_changed(&d);
	both_are_back();
	drive_release(&d);
}
END_TEST

/* ---- the client itself ------------------------------------------------------------------------------------------ */

START_TEST(test_run_fails)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	host_write(FOLDER "/go.sh", HOST_UID, 0644, "echo one; echo bad list, line 3 >&2; exit 7\n");
	drive_init(&d, "ruby-client", PLAIN);
	ENDS(drive_run(&d), DRIVE_STOPPED, &d);
	ck_assert_int_eq(d.kind, VERDICT_FAIL);
	ck_assert_msg(strstr(d.text, "ended with code 7: bad list, line 3;"), "%s", d.text);
	file_is(CONFIG, SETTINGS(NEW_NAME));
	file_is(TABLE, CRONTAB(LINE));
	ck_assert_uint_eq(d.debts_n, 0);
	/* put right, it is run again, and the file is not written a second time */
	host_write(FOLDER "/go.sh", HOST_UID, 0644, GO);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	is_changed(&d);
	ck_assert_int_eq(times_run(), 1);
	drive_release(&d);
}
END_TEST

START_TEST(test_run_as_somebody)
{
	struct drive d;

	HOST_OR_RETURN((enum host_shell)_i);
	make_world();
	host_write(FOLDER "/go.sh", HOST_UID, 0644, GO "env >env.txt; pwd >>env.txt\n");
	drive_init(&d, "ruby-client", "{" WITH_PATH ", \"run_as\": \"imhs\", \"schedule\": \"none\"}");
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert_int_eq(times_run(), 1);
	char *env = host_read(FOLDER "/env.txt");
	ck_assert_ptr_nonnull(strstr(env, "HOME=/home/imhs\n"));
	ck_assert_ptr_nonnull(strstr(env, "USER=imhs\n"));
	ck_assert_ptr_nonnull(strstr(env, FOLDER "\n"));
	ck_assert_ptr_null(strstr(env, "LC_ALL"));
	free(env);
	attributes_are(FOLDER "/env.txt", HOST_UID, 0644);
	/* the schedule is not ours to touch */
	file_is(TABLE, CRONTAB(LINE));
	drive_release(&d);
}
END_TEST

START_TEST(test_run_as_nobody_known)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	drive_init(&d, "ruby-client", "{" WITH_PATH ", \"run_as\": \"gone\"}");
	ENDS(drive_run(&d), DRIVE_STOPPED, &d);
	ck_assert_msg(strstr(d.text, "there is no user gone on this host"), "%s", d.text);
	file_is(TABLE, CRONTAB(LINE));
	drive_release(&d);
}
END_TEST

/* Minutes go by with each look. */
static void time_flies(struct drive *d, const char *step, const struct op *op, bool after)
{
	(void)op;
	if (after && strcmp(step, "wait-idle") == 0)
		d->ctx.wall_ms += 200000;
}

START_TEST(test_running)
{
	static const char *const by_folder[] = { "/usr/bin/sleep", "1000", NULL };
	static const char *const by_argument[] = { "/usr/bin/tail", "-f", FOLDER "/users.csv", NULL };
	static const char *const other[] = { "/usr/bin/tail", "-f", "/dev/null", FOLDER "2/x", "/srv" FOLDER, NULL };
	struct drive d;
	pid_t a, b, c;

	HOST_OR_RETURN((enum host_shell)_i);
	make_world();
	host_write(FOLDER "/users.csv", HOST_UID, 0644, "");
	drive_init(&d, "ruby-client", PLAIN);
	d.on_op = time_flies;
	c = host_start("/", other);
	ENDS(drive_plan(&d), DRIVE_DONE, &d);
	ck_assert_str_eq(facts_text(&d.now, "running.list", ""), "");
	a = host_start(FOLDER, by_folder);
	b = host_start("/", by_argument);
	ENDS(drive_run(&d), DRIVE_STOPPED, &d);
	ck_assert_int_eq(d.kind, VERDICT_PERSON);
	ck_assert_msg(strstr(d.text, "sleep 1000") && strstr(d.text, "tail -f"), "%s", d.text);
	ck_assert_str_eq(facts_text(&d.now, "running.n", ""), "2");
	/* neither was stopped, nothing was written, the schedule is on */
	ck_assert_int_eq(kill(a, 0) | kill(b, 0), 0);
	file_is(CONFIG, SETTINGS(OLD_NAME));
	file_is(TABLE, CRONTAB(LINE));
	host_stop(a);
	host_stop(b);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	is_changed(&d);
	host_stop(c);
	drive_release(&d);
}
END_TEST

SUITE(ruby_client_on_hosts)
{
	TEST_CASE_LOOP(s, test_plain, 0, HOST_SHELLS);
	TEST_CASE(s, test_nothing_said);
	TEST_CASE(s, test_found_new);
	TEST_CASE_LOOP(s, test_killed_at_each_op, 0, 2 * KILLS);
	TEST_CASE_LOOP(s, test_killed_in_a_rollback, 0, 2 * KILLS);
	TEST_CASE_LOOP(s, test_killed_often, 0, 10);
	TEST_CASE(s, test_run_fails);
	TEST_CASE_LOOP(s, test_run_as_somebody, 0, HOST_SHELLS);
	TEST_CASE(s, test_run_as_nobody_known);
	TEST_CASE_LOOP(s, test_running, 0, HOST_SHELLS);
}
