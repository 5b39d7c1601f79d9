/* The client for Active Directory with a file that is elsewhere, held, edited, or not what it should be. */
#include "tests/integration/agents/ad_world.h"

#include "base/alloc.h"

/* ---- the file ------------------------------------------------------------------------------------------------------
 */

START_TEST(test_where_the_file_is)
{
	static const struct {
		const char *params, *command, *path;
	} cases[] = {
	    {"{}", "\"D:\\Apps\\HES & Co's\\PluginService.exe\" /service",
	     "D:\\Apps\\HES & Co's\\PluginService.exe.config"},
	    {"{}", "D:\\Apps\\HES Client\\PluginService.exe -x", "D:\\Apps\\HES Client\\PluginService.exe.config"},
	    {"{}", "\\??\\D:\\HES\\PluginService.exe", "D:\\HES\\PluginService.exe.config"},
	    /* D:\アプリ in CP932 */
	    {"{}", "\"D:\\\x83\x41\x83\x76\x83\x8a\\PluginService.exe\"", "D:\\アプリ\\PluginService.exe.config"},
	    {"{\"path\": \"E:\\\\HES\"}", "\"D:\\HES\\PluginService.exe\"", "E:\\HES\\PluginService.exe.config"},
	    {"{\"path\": \"E:\\\\HES\\\\\"}", "\"D:\\HES\\PluginService.exe\"", "E:\\HES\\PluginService.exe.config"},
	    {"{\"path\": \"E:\\\\HES\\\\PluginService.exe.config\"}", "", "E:\\HES\\PluginService.exe.config"},
	};

	ad_begin(cases[_i].params);
	win_service(AGENT)->command_line = win_service(SERVICE)->command_line = cases[_i].command;
	win_file(CONFIG)->there = false;
	win_write(cases[_i].path, FILE_OF(OLD_NAME), strlen(FILE_OF(OLD_NAME)));
	win.config = cases[_i].path;
	ENDS(drive_plan(&ad), DRIVE_DONE);
	ck_assert_int_eq(
	    ad_has_note("the inventory names E:\\HES (`path`); the service \"" AGENT_NAME "\" runs from D:\\HES"),
	    _i == 4 || _i == 5);
	ENDS(drive_run(&ad), DRIVE_DONE);
	ck_assert(ad_file_is(cases[_i].path, FILE_OF(NEW_NAME)));
	ad_end();
}
END_TEST

START_TEST(test_where_the_file_is_not)
{
	ad_begin("{}");
	win_service(AGENT)->command_line = "\"D:\\A\\PluginService.exe\"";
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "the services run from different folders");
	/* the vendor's default folder may hold a copy that nobody runs */
	win_service(AGENT)->command_line = "%ProgramFiles%\\HES\\PluginService.exe";
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "where the services' program is cannot be told from what Windows says of it");
	ad_is_untouched();
	/* a helper of another name does not count */
	win_service(AGENT)->command_line = "\"D:\\A\\Wrapper.exe\"";
	ENDS(drive_plan(&ad), DRIVE_DONE);
	win_service(AGENT)->command_line = win_service(SERVICE)->command_line = "\"D:\\A\\PluginService.exe\"";
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "D:\\A\\PluginService.exe.config is not there: name the client's folder");
	ad_end();
}
END_TEST

START_TEST(test_bad_files)
{
	struct buf huge = {.max = 200 << 20};

	ad_begin("{}");
	win_write(CONFIG, "", 0);
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "PluginService.exe.config is empty");
	while (huge.len < 100 << 20)
		buf_add(&huge, FILE_OF(OLD_NAME), strlen(FILE_OF(OLD_NAME)));
	win_write(CONFIG, huge.data, huge.len);
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "is larger than 1 MiB");
	buf_release(&huge);
	buf_adds(&huge, "<configuration><appSettings>");
	for (int i = 0; i < 1000; i++)
		buf_addf(&huge, "<add key=\"K%d\" value=\"v\"/>\n", i);
	buf_adds(&huge, "</appSettings></configuration>");
	win_write(CONFIG, huge.data, huge.len);
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	ck_assert_int_eq(ad.kind, VERDICT_DRIFT);
	buf_release(&huge);
	win_write(CONFIG, FILE_OF("ws.other.example"), strlen(FILE_OF("ws.other.example")));
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, CONFIG " line 6 ");
	SAYS(VERDICT_DRIFT, "ws.other.example");
	ck_assert_int_eq(win_service(AGENT)->stops, 0);
	ck_assert_int_eq(win_service(SERVICE)->stops, 0);
	ad_end();
}
END_TEST

START_TEST(test_already_new)
{
	ad_begin("{}");
	win_write(CONFIG, FILE_OF(NEW_NAME), strlen(FILE_OF(NEW_NAME)));
	ENDS(drive_run(&ad), DRIVE_DONE);
	ck_assert_ptr_nonnull(strstr(ad.assessment.text, "already and the services run"));
	ck_assert_int_eq(ad.replaced, 0);
	ck_assert_int_eq(win_service(AGENT)->stops, 0);
	win_service(AGENT)->state = SC_STOPPED;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_PERSON, "already, but the service \"" AGENT_NAME "\" is STOPPED: start it if it should run");
	ad_end();
}
END_TEST

/* Another process holds the file when it is written. */
static void hold(struct drive *drive, const char *step, const struct op *op, bool after)
{
	(void)op;
	if (strcmp(step, "write-config") == 0 && !after && !drive->arg) {
		win_file(CONFIG)->busy = (int)drive->ctx.before->n ? 10000 : 0;
		drive->arg = drive;
	}
}

static void hold_briefly(struct drive *drive, const char *step, const struct op *op, bool after)
{
	hold(drive, step, op, after);
	if (win_file(CONFIG)->busy > 3)
		win_file(CONFIG)->busy = 3;
}

START_TEST(test_held_file)
{
	ad_begin("{}");
	ad.on_op = hold_briefly;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ck_assert_ptr_null(facts_get(ad.ctx.now, "config.busy_ms"));
	ad_end();
	ad_begin("{}");
	ad.on_op = hold_briefly;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	ad_end();
	ad_begin("{}");
	ad.on_op = hold;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "was not changed: another process of the host has held it open for 18");
	win_file(CONFIG)->busy = 0;
	ad_is_untouched();
	ad_end();
	ad_begin("{}");
	win_file(CONFIG)->busy = 1;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_RETRY, "is held open by another process");
	ad_is_untouched();
	ad_end();
}
END_TEST

/* Somebody edits the file while the services go down. */
static void edit(struct drive *drive, const char *step, const struct op *op, bool after)
{
	(void)op;
	if (strcmp(step, "wait-gone") == 0 && after && !drive->arg) {
		const struct win_file *file = win_file(CONFIG);
		char *text = str_fmt("%s<!-- x -->\r\n", buf_str(&file->bytes));

		win_write(CONFIG, text, strlen(text));
		free(text);
		drive->arg = drive;
	}
}

START_TEST(test_edited_meanwhile)
{
	ad_begin("{}");
	ad.on_op = edit;
	ENDS(drive_run(&ad), DRIVE_DONE);
	ck_assert(ad_file_is(CONFIG, FILE_OF(NEW_NAME) "<!-- x -->\r\n"));
	ck_assert(ad_file_is(BACKUP, FILE_OF(OLD_NAME) "<!-- x -->\r\n"));
	ad_runs_with(AGENT, NEW_NAME);
	/* what was there before is not what would come out of a roll-back: a person's matter, and nothing is stopped */
	ENDS(drive_rollback(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "was edited since we changed it: put us.imhs-ws.trendmicro.com back by hand");
	ck_assert_ptr_null(strstr(ad.text, "beside it"));
	ck_assert_int_eq(win_service(AGENT)->stops, 1);
	ck_assert_int_eq(win_service(SERVICE)->stops, 1);
	ck_assert(ad_file_is(CONFIG, FILE_OF(NEW_NAME) "<!-- x -->\r\n"));
	ad_runs_with(AGENT, NEW_NAME);
	ad_runs_with(SERVICE, NEW_NAME);
	ck_assert_uint_eq(ad.debts_n, 0);
	ad_end();
}
END_TEST

/* Edited behind us: the same, and the file of before is beside it. */
START_TEST(test_edited_since)
{
	const char *edited = FILE_OF(NEW_NAME) "<!-- x -->\r\n";

	ad_begin("{}");
	ENDS(drive_run(&ad), DRIVE_DONE);
	win_write(CONFIG, edited, strlen(edited));
	ENDS(drive_rollback(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_DRIFT, "put us.imhs-ws.trendmicro.com back by hand; as it was before our change it is kept beside "
			    "it as PluginService.exe.config.before-cutover");
	ck_assert(ad_file_is(CONFIG, edited));
	ck_assert_int_eq(win_service(AGENT)->stops, 1);
	ck_assert_int_eq(win_service(SERVICE)->stops, 1);
	ad_end();
}
END_TEST

START_TEST(test_read_only)
{
	ad_begin("{}");
	win_file(CONFIG)->read_only = true;
	ENDS(drive_plan(&ad), DRIVE_DONE);
	ck_assert(ad_has_note(
	    "PluginService.exe.config is read-only: the attribute is taken off for the change and put back"));
	ENDS(drive_run(&ad), DRIVE_DONE);
	ad_is_changed();
	win_file(CONFIG)->read_only = false;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "is writable, and was not before");
	ad_end();
	ad_begin("{}");
	ENDS(drive_run(&ad), DRIVE_DONE);
	win_file(CONFIG)->read_only = true;
	ENDS(drive_run(&ad), DRIVE_STOPPED);
	SAYS(VERDICT_FAIL, "is read-only, and was not before");
	ad_end();
}
END_TEST

SUITE(ad_sync_file)
{
	TEST_CASE_LOOP(s, test_where_the_file_is, 0, 7);
	TEST_CASE(s, test_where_the_file_is_not);
	TEST_CASE(s, test_bad_files);
	TEST_CASE(s, test_already_new);
	TEST_CASE(s, test_held_file);
	TEST_CASE(s, test_edited_meanwhile);
	TEST_CASE(s, test_edited_since);
	TEST_CASE(s, test_read_only);
}
