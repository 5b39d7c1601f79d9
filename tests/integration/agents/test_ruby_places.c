/* The Ruby client on hosts: where it and its schedule are found, and what may stand in its settings. */
#include "tests/integration/agents/ruby_world.h"

#include "base/alloc.h"
#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- where things are ------------------------------------------------------------------------------------------- */

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

SUITE(ruby_places_on_hosts)
{
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
