#include "tests/integration/agents/drive.h"
#include "tests/integration/agents/host.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/opt/imhs-ws-clinet"
#define CONFIG FOLDER "/imhs-config.rb"
#define BACKUP FOLDER "/imhs-config.rb.before-cutover"
#define LOG FOLDER "/sync.log"
#define SPOOL "/var/spool/cron/crontabs"
#define TABLE SPOOL "/imhs"
#define MARKER "#CUTOVER:acme: "

#define OLD_NAME "us.imhs-ws.trendmicro.com"
#define NEW_NAME "ws.acme.hes2.example"

#define SETTINGS(host)                                                                                                 \
	"# -*- coding: utf-8 -*-\n# ROOT_URI = 'https://" OLD_NAME "/imhs/v1.0/en'\nROOT_URI = 'https://" host         \
	"/imhs/v1.0/en'\nACCOUNT = 'admin@acme.example'\nAPI_KEY = 'k-4711-secret'\n"
#define LINE "23 3 * * * cd " FOLDER " && ruby imhs-ws-client.rb"
#define CRONTAB(line) "# directory sync, each night\nMAILTO=\"\"\n" line "\n5 5 * * * /usr/bin/true"
#define SYSTEM_LINE "24 3\t* * *\timhs\t/usr/bin/ruby " FOLDER "/imhs-ws-client.rb"
#define SYSTEM_TABLE(line) "# sync\n" line "\n"
#define CLIENT                                                                                                         \
	"require_relative 'imhs-config'\nFile.open(File.join(__dir__, 'sync.log'), 'a') { |f| f.puts \"#{ROOT_URI} "   \
	"#{Process.uid}\" }\n"
#define GO "sed -n \"s/^ROOT_URI = .\\(.*\\).$/\\1 $(id -u)/p\" imhs-config.rb >>sync.log\n"

#define WITH_PATH "\"path\": \"" FOLDER "\", \"run\": \"sh go.sh\""
#define PLAIN "{" WITH_PATH "}"

/* ---- the world as it is at first -------------------------------------------------------------------------------- */

static void make_client(void)
{
	unlink(BACKUP);
	unlink(LOG);
	host_write(CONFIG, HOST_UID, 0640, SETTINGS(OLD_NAME));
	host_write(FOLDER "/imhs-ws-client.rb", HOST_UID, 0644, CLIENT);
	host_write(FOLDER "/go.sh", HOST_UID, 0644, GO);
	ck_assert_int_eq(chown(FOLDER, HOST_UID, HOST_UID), 0);
}

static void make_world(void)
{
	make_client();
	host_write(TABLE, HOST_UID, 0600, CRONTAB(LINE));
}

static void file_is(const char *path, const char *want)
{
	char *text = host_read(path);

	ck_assert_msg(text != NULL, "%s is not there", path);
	ck_assert_str_eq(text, want);
	free(text);
}

static void attributes_are(const char *path, uid_t uid, mode_t mode)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, uid);
	ck_assert_uint_eq(st.st_gid, uid);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

/* Lines of the client's own log; each says the new address and that it ran as its own user. */
static int times_run(void)
{
	char *text = host_read(LOG);
	int n = 0;

	for (char *line = text, *end; line && *line; line = end + 1, n++) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		*end = '\0';
		ck_assert_str_eq(line, "https://" NEW_NAME "/imhs/v1.0/en 4000");
	}
	free(text);
	return n;
}

static void is_changed(const struct drive *d)
{
	file_is(CONFIG, SETTINGS(NEW_NAME));
	attributes_are(CONFIG, HOST_UID, 0640);
	file_is(BACKUP, SETTINGS(OLD_NAME));
	file_is(TABLE, CRONTAB(LINE));
	attributes_are(TABLE, HOST_UID, 0600);
	ck_assert_int_eq(host_count(SPOOL), 1);
	ck_assert_uint_eq(d->debts_n, 0);
	ck_assert_int_eq(d->replaced, 1);
	ck_assert_int_ge(times_run(), 1);
}

#define HOST_OR_RETURN(shell)                                                                                          \
	do {                                                                                                           \
		if (host_possible()) {                                                                                 \
			printf("SKIP: %s\n", host_possible());                                                         \
			return;                                                                                        \
		}                                                                                                      \
		if (!host_up(shell))                                                                                   \
			return;                                                                                        \
	} while (0)

#define ENDS(end, want, d) ck_assert_msg((end) == (want), "step %s: %s", (d)->step, (d)->text)

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

/* ---- where things are ------------------------------------------------------------------------------------------- */

static void state_is(const char *params, enum assess_state state, const char *text)
{
	struct drive d;

	drive_init(&d, "ruby-client", params);
	ENDS(drive_plan(&d), DRIVE_DONE, &d);
	ck_assert_msg(d.assessment.state == state, "%s: %s", assess_state_name(d.assessment.state), d.assessment.text);
	ck_assert_msg(strstr(d.assessment.text, text), "%s", d.assessment.text);
	drive_release(&d);
}

START_TEST(test_search)
{
	HOST_OR_RETURN((enum host_shell)_i);
	state_is("{}", ASSESS_DRIFT, "no imhs-config.rb was found");
	state_is(PLAIN, ASSESS_DRIFT, "there is no imhs-config.rb in " FOLDER);
	host_write("/home/imhs/tools/imhs-ws-client/imhs-config.rb", HOST_UID, 0600, SETTINGS(OLD_NAME));
	state_is("{\"run\": \"none\"}", ASSESS_OLD, "/home/imhs/tools/imhs-ws-client/imhs-config.rb line 3");
	/* a link to the same one is the same one */
	ck_assert_int_eq(symlink("/home/imhs/tools/imhs-ws-client", "/opt/imhs-ws-clinet"), 0);
	state_is("{\"run\": \"none\"}", ASSESS_OLD, "line 3 names " OLD_NAME);
	host_write("/srv/a/imhs-ws-clinet/imhs-config.rb", HOST_UID, 0600, SETTINGS(OLD_NAME));
	state_is("{}", ASSESS_PERSON, "more than one client: ");
	state_is("{}", ASSESS_PERSON, "/srv/a/imhs-ws-clinet");
	state_is("{\"run\": \"none\", \"path\": \"/srv/a/imhs-ws-clinet/\"}", ASSESS_OLD,
		 "/srv/a/imhs-ws-clinet/imhs-config.rb");
	state_is("{\"run\": \"none\", \"path\": \"/srv/a/imhs-ws-clinet/imhs-config.rb\"}", ASSESS_OLD, "line 3");
}
END_TEST

/* Names that shells stumble over. */
START_TEST(test_strange_names)
{
	static const char *const names[] = { "a b", "it's", "x\ny", "-n", "$HOME`id`\\\"*", "表" };
	struct drive d;
	json_t *params = json_object();
	char *folder = str_fmt("/srv/%s/imhs-ws-clinet", names[_i / HOST_SHELLS]),
	     *path = str_fmt("%s/imhs-config.rb", folder);
	char *line = str_fmt("1 1 * * * cd '%s' && ruby imhs-ws-client.rb", folder), *text;

	HOST_OR_RETURN((enum host_shell)(_i % HOST_SHELLS));
	host_write(path, HOST_UID, 0600, SETTINGS(OLD_NAME));
	text = str_fmt("%s/go.sh", folder);
	host_write(text, HOST_UID, 0644, GO);
	ck_assert_int_eq(chown(folder, HOST_UID, HOST_UID), 0);
	host_write(TABLE, HOST_UID, 0600, CRONTAB(LINE));
	json_object_set_new(params, "path", json_string(folder));
	json_object_set_new(params, "run", json_string("sh go.sh"));
	free(text);
	text = json_dumps(params, 0);
	drive_init(&d, "ruby-client", text);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	file_is(path, SETTINGS(NEW_NAME));
	drive_release(&d);
	json_decref(params);
	free(text);
	free(line);
	free(path);
	free(folder);
}
END_TEST

START_TEST(test_settings_are_a_link)
{
	struct drive d;
	struct stat st;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	unlink(CONFIG);
	host_write("/srv/real.rb", HOST_UID, 0640, SETTINGS(OLD_NAME));
	ck_assert_int_eq(symlink("/srv/real.rb", CONFIG), 0);
	drive_init(&d, "ruby-client", PLAIN);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert_int_eq(lstat(CONFIG, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	file_is("/srv/real.rb", SETTINGS(NEW_NAME));
	attributes_are("/srv/real.rb", HOST_UID, 0640);
	drive_release(&d);
}
END_TEST

START_TEST(test_hard_links)
{
	HOST_OR_RETURN(HOST_DASH);
	make_world();
	ck_assert_int_eq(link(CONFIG, FOLDER "/other.rb"), 0);
	state_is(PLAIN, ASSESS_PERSON, "one of 2 names");
}
END_TEST

START_TEST(test_too_large)
{
	char *text = mem_new(3 << 20, 1);

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	memset(text, '#', (3 << 20) - 1);
	host_write(CONFIG, HOST_UID, 0640, text);
	state_is(PLAIN, ASSESS_PERSON, "cannot be read");
	free(text);
}
END_TEST

/* ---- schedules -------------------------------------------------------------------------------------------------- */

/* One place: off while the client runs, then on as it was; nothing is left beside it. */
struct schedule_case {
	const char *path, *line, *table, *params;
	uid_t uid;
	mode_t mode;
};

static const struct schedule_case schedules[] = {
	{ TABLE, LINE, "\n\n" LINE "\n", PLAIN, HOST_UID, 0600 },
	{ TABLE, LINE "\r", LINE "\r\n# \x95\x5c\n", "{" WITH_PATH ", \"schedule\": \"crontab:imhs\"}", HOST_UID,
	  0600 },
	{ TABLE, LINE, LINE, PLAIN, HOST_UID, 0600 },
	{ "/etc/cron.d/imhs", SYSTEM_LINE, "\n" SYSTEM_LINE "\n", PLAIN, 0, 0644 },
	{ "/etc/cron.d/imhs", SYSTEM_LINE, "\n" SYSTEM_LINE "\n", "{" WITH_PATH ", \"schedule\": \"cron.d:imhs\"}", 0,
	  0600 },
	{ "/etc/crontab", SYSTEM_LINE, "# all\n1 1 * * * root x\n" SYSTEM_LINE "\n2 2 * * * root y\n", PLAIN, 0, 0644 },
	{ "/etc/crontab", SYSTEM_LINE, SYSTEM_LINE "\n", "{" WITH_PATH ", \"schedule\": \"/etc/crontab\"}", 0, 0644 },
};

static void line_is_off(struct drive *d, const char *step, const struct op *op, bool after)
{
	const struct schedule_case *c = d->arg;
	char *text, *wanted;

	(void)op;
	if (after || strcmp(step, "run-client") != 0)
		return;
	text = host_read(c->path);
	wanted = str_fmt("%s%s", MARKER, c->line);
	ck_assert_msg(strstr(text, wanted), "%s", text);
	ck_assert_uint_eq(strlen(text), strlen(c->table) + strlen(MARKER));
	attributes_are(c->path, c->uid, c->mode);
	free(text);
	free(wanted);
}

START_TEST(test_schedules)
{
	struct schedule_case c = schedules[_i / HOST_SHELLS];
	char *folder = file_dirname(c.path);
	struct drive d;
	int files;

	HOST_OR_RETURN((enum host_shell)(_i % HOST_SHELLS));
	make_client();
	host_write(c.path, c.uid, c.mode, c.table);
	files = host_count(folder);
	drive_init(&d, "ruby-client", c.params);
	d.on_op = line_is_off;
	d.arg = &c;
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	file_is(c.path, c.table);
	attributes_are(c.path, c.uid, c.mode);
	ck_assert_int_eq(host_count(folder), files);
	ck_assert_int_eq(times_run(), 1);
	drive_release(&d);
	free(folder);
}
END_TEST

START_TEST(test_schedules_that_stand_in_the_way)
{
	HOST_OR_RETURN(HOST_DASH);
	make_world();
	state_is("{" WITH_PATH ", \"schedule\": \"crontab:gone\"}", ASSESS_DRIFT, "which is not there");
	state_is("{" WITH_PATH ", \"schedule\": \"/etc/crontab\"}", ASSESS_DRIFT, "starts no such client");
	state_is("{" WITH_PATH ", \"schedule\": \"none\"}", ASSESS_OLD, "line 3");
	host_write("/etc/cron.daily/sync", 0, 0755, "#!/bin/sh\ncd " FOLDER " && ./go\n");
	state_is(PLAIN, ASSESS_PERSON, "/etc/cron.daily/sync names the client");
	unlink("/etc/cron.daily/sync");
	host_write(TABLE, HOST_UID, 0600, CRONTAB(LINE "\n" LINE));
	state_is(PLAIN, ASSESS_DRIFT, "the same line twice");
	host_write(TABLE, HOST_UID, 0600, CRONTAB(MARKER LINE));
	state_is(PLAIN, ASSESS_DRIFT, "this state file knows nothing of");
	host_write(CONFIG, HOST_UID, 0640, SETTINGS(NEW_NAME));
	state_is(PLAIN, ASSESS_DRIFT, "this state file knows nothing of");
}
END_TEST

/* Disabled by its owner: it is nobody's to switch on. */
START_TEST(test_schedule_off_before)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_client();
	host_write(TABLE, HOST_UID, 0600, CRONTAB("#" LINE));
	drive_init(&d, "ruby-client", "{" WITH_PATH ", \"run_as\": \"imhs\"}");
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	file_is(TABLE, CRONTAB("#" LINE));
	ck_assert_int_eq(times_run(), 1);
	drive_release(&d);
}
END_TEST

/* ---- values ----------------------------------------------------------------------------------------------------- */

START_TEST(test_values)
{
	HOST_OR_RETURN(HOST_DASH);
	make_world();
	host_write(CONFIG, HOST_UID, 0640, SETTINGS("hes-proxy.acme.example:8443"));
	state_is(PLAIN, ASSESS_DRIFT, "line 3 names hes-proxy.acme.example, which is neither");
	host_write(CONFIG, HOST_UID, 0640, SETTINGS("IMHS-WS.trendmicro.eu"));
	state_is(PLAIN, ASSESS_OLD, "names IMHS-WS.trendmicro.eu");
	host_write(CONFIG, HOST_UID, 0640, "X = 1\n");
	state_is(PLAIN, ASSESS_DRIFT, "assigns no ROOT_URI");
	host_write(CONFIG, HOST_UID, 0640, "ROOT_URI = 'https://a.example/'\nROOT_URI = 'https://b.example/'\n");
	state_is(PLAIN, ASSESS_DRIFT, "more than once (lines 1, 2)");
	host_write(CONFIG, HOST_UID, 0640, "\nROOT_URI = ENV['X']\n");
	state_is(PLAIN, ASSESS_DRIFT, "line 2: the value is not one plain string");
}
END_TEST

START_TEST(test_passwords_are_not_shown)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	host_write(CONFIG, HOST_UID, 0640, "ROOT_URI = 'https://admin:s3cret@" OLD_NAME "/x?key=k3y'\n");
	drive_init(&d, "ruby-client", PLAIN);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert_str_eq(d.assessment.changes[0].old_line, "ROOT_URI = 'https://…@" OLD_NAME "/x?key=k3y'");
	ck_assert_str_eq(facts_text(&d.now, "config.url", ""), "https://…@" NEW_NAME "/x");
	file_is(CONFIG, "ROOT_URI = 'https://admin:s3cret@" NEW_NAME "/x?key=k3y'\n");
	drive_release(&d);
}
END_TEST

START_TEST(test_invalid_ruby)
{
	struct drive d;

	HOST_OR_RETURN(HOST_DASH);
	make_world();
	host_write(CONFIG, HOST_UID, 0640, "KEY = 's3cret'\nROOT_URI = 'https://" OLD_NAME "/'\ndef x(\n");
	drive_init(&d, "ruby-client", PLAIN);
	if (drive_plan(&d) == DRIVE_DONE && !facts_get(&d.now, "ruby.path")) {
		printf("SKIP: there is no Ruby\n");
		return;
	}
	ENDS(drive_run(&d), DRIVE_STOPPED, &d);
	ck_assert_int_eq(d.kind, VERDICT_DRIFT);
	ck_assert_msg(strstr(d.text, "is no valid Ruby") && !strstr(d.text, "s3cret"), "%s", d.text);
	ck_assert_int_eq(d.replaced, 0);
	file_is(TABLE, CRONTAB(LINE));
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
	TEST_CASE_LOOP(s, test_crontab_edited, 0, 3);
	TEST_CASE(s, test_crontab_never_still);
	TEST_CASE(s, test_line_removed);
	TEST_CASE(s, test_table_removed);
	TEST_CASE(s, test_line_switched_on_by_somebody);
	TEST_CASE(s, test_line_added_again);
	TEST_CASE(s, test_settings_edited_before_the_write);
	TEST_CASE(s, test_settings_edited_after_the_write);
	TEST_CASE(s, test_mode_changed);
	TEST_CASE(s, test_run_fails);
	TEST_CASE_LOOP(s, test_run_as_somebody, 0, HOST_SHELLS);
	TEST_CASE(s, test_run_as_nobody_known);
	TEST_CASE_LOOP(s, test_running, 0, HOST_SHELLS);
	TEST_CASE_LOOP(s, test_search, 0, HOST_SHELLS);
	TEST_CASE_LOOP(s, test_strange_names, 0, 6 * HOST_SHELLS);
	TEST_CASE(s, test_settings_are_a_link);
	TEST_CASE(s, test_hard_links);
	TEST_CASE(s, test_too_large);
	TEST_CASE_LOOP(s, test_schedules, 0, 7 * HOST_SHELLS);
	TEST_CASE(s, test_schedules_that_stand_in_the_way);
	TEST_CASE(s, test_schedule_off_before);
	TEST_CASE(s, test_values);
	TEST_CASE(s, test_passwords_are_not_shown);
	TEST_CASE(s, test_invalid_ruby);
}
