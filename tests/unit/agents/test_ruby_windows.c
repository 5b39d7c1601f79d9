/* The Ruby client on Windows with recorded answers: found, its tasks, processes of Ruby; and answers that were cut. */
#include "tests/unit/agents/recorded.h"

#include "base/alloc.h"

#define FOLDER "C:\\imhs-ws-client"
#define CONFIG FOLDER "\\imhs-config.rb"
#define FOUND "file " CONFIG "\r\nfile " FOLDER "\\imhs-ws-client.rb\r\nend\r\n"
#define TEXT(host) "ROOT_URI = 'https://" host "/imhs/v1.0/en'\r\n"
#define RUBY "path C:\\Ruby31-x64\\bin\\ruby.exe\r\nruby 3.1.4p223 [x64-mingw]\r\nend\r\n"
#define NO_RUBY "INFO: No tasks are running which match the specified criteria.\r\n"
#define TASK(enabled, folder)                                                                                          \
	"<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.2\">\r\n  <Settings>\r\n    <Enabled>"        \
	enabled "</Enabled>\r\n  </Settings>\r\n  <Actions><Exec><Command>ruby.exe</Command><WorkingDirectory>" folder   \
		"</WorkingDirectory></Exec></Actions>\r\n</Task>\r\n"
#define END "\r\nend\r\n"
#define ON TASK("true", FOLDER) END
#define OFF TASK("false", FOLDER) END
#define OTHER TASK("true", "C:\\other") END
#define LISTED(path, folder) "<!-- " path " -->\r\n" TASK("true", folder)

static char login[] = "Administrator";

static const struct step *observe(const char *name)
{
	return row(agent_ruby_client.observe, name);
}

static const struct step *apply(const char *name)
{
	return row(agent_ruby_client.apply, name);
}

static void begin(const char *params)
{
	recorded_begin(&agent_ruby_client, params);
	rec.host.os = OS_WINDOWS;
	rec.host.connection.user = login;
	rec.file = (struct op_file){.mode = 0666, .links = 1};
}

/* All of observe[] but the schedule. */
static void see_client(void)
{
	is(answer(observe("find"), 0, 0, 0, FOUND, ""), VERDICT_OK, "");
	is(answer(observe("read"), 0, 0, 0, TEXT(RECORDED_OLD_NAME), ""), VERDICT_OK, "");
	is(answer(observe("running"), 0, 0, 0, NO_RUBY NO_RUBY "end\r\n", ""), VERDICT_OK, "");
	is(answer(observe("ruby"), 0, 0, 0, RUBY, ""), VERDICT_OK, "");
}

/* The n-th op of the row runs task.cmd so; its item is that. */
static void asks(const struct step *step, int n, const char *verb, const char *path, const char *wanted)
{
	char item[ITEM_MAX];
	struct op op;

	ck_assert_int_eq(ask(step, n, &op, item), OP_DO);
	runs_script(&op, "task.cmd", true, path ? 2 : 1);
	ck_assert_str_eq(op.args[0], verb);
	if (path)
		ck_assert_str_eq(op.args[1], path);
	ck_assert_str_eq(item, wanted);
	op_release(&op);
}

static enum step_request asked(const struct step *step, int n)
{
	char item[ITEM_MAX];
	struct op op;
	enum step_request request = ask(step, n, &op, item);

	op_release(&op);
	return request;
}

static bool noted(const char *words)
{
	for (size_t i = 0; i < rec.assessment.notes_n; i++) {
		if (strstr(rec.assessment.notes[i], words))
			return true;
	}
	return false;
}

/* ---- the plain way ---------------------------------------------------------------------------------------------- */

#define NIGHTLY "\\A & B's\\夜 sync!"

START_TEST(test_plain)
{
	const struct step *schedule = observe("schedule"), *off = apply("schedule-off");

	begin("{}");
	see_client();
	asks(schedule, 0, "list", NULL, "");
	is(answer(schedule, 0, 0, 0,
		  LISTED("\\other", "C:\\other") LISTED(NIGHTLY, FOLDER) LISTED("\\off", FOLDER) END, ""),
	   VERDICT_OK, "");
	asks(schedule, 1, "show", NIGHTLY, NIGHTLY);
	is(answer(schedule, 1, 0, 0, ON, ""), VERDICT_OK, "");
	asks(schedule, 2, "show", "\\off", "\\off");
	is(answer(schedule, 2, 0, 0, OFF, ""), VERDICT_OK, "");
	ck_assert_int_eq(asked(schedule, 3), OP_END);
	assess_as(ASSESS_OLD, CONFIG " line 1 names " RECORDED_OLD_NAME);
	ck_assert(noted("task " NIGHTLY " is disabled meanwhile"));
	ck_assert(noted("task \\off is disabled and stays so"));
	ck_assert(noted("`\"C:\\Ruby31-x64\\bin\\ruby.exe\" imhs-ws-client.rb` in " FOLDER " as Administrator"));
	/* only what is enabled is disabled, and only that is enabled again */
	facts_copy(&rec.before, &rec.now);
	asks(off, 0, "disable", NIGHTLY, "schtasks:" NIGHTLY);
	is(answer(off, 0, 0, 0, "SUCCESS: \x8d\x82\r\n" OFF, ""), VERDICT_OK, "");
	ck_assert_int_eq(asked(off, 1), OP_SKIP);
	ck_assert_int_eq(asked(off, 2), OP_END);
	ck_assert_int_eq(asked(off, 0), OP_SKIP);
	asks(row(agent_ruby_client.restore, "schedule-on"), 0, "enable", NIGHTLY, "schtasks:" NIGHTLY);
	is(answer(row(agent_ruby_client.restore, "schedule-on"), 0, 0, 0, "SUCCESS\r\n" ON, ""), VERDICT_OK, "");
	ck_assert_int_eq(asked(row(agent_ruby_client.restore, "schedule-on"), 1), OP_SKIP);
	asks(row(agent_ruby_client.verify, "schedule-again"), 0, "show", NIGHTLY, "schtasks:" NIGHTLY);
	is(answer(row(agent_ruby_client.verify, "schedule-again"), 0, 0, 0, OFF, ""), VERDICT_FAIL,
	   "was enabled before and is not: enable it (schtasks /change /tn \"" NIGHTLY "\" /enable)");
	is(answer(row(agent_ruby_client.verify, "schedule-again"), 1, 0, 0, ON, ""), VERDICT_OK, "");
	recorded_end();
}
END_TEST

/* What schtasks says it did is looked at. */
START_TEST(test_not_as_said)
{
	const struct step *schedule = observe("schedule"), *off = apply("schedule-off");

	begin("{\"schedule\": \"schtasks:\\\\a b\"}");
	see_client();
	ck_assert_int_eq(asked(schedule, 0), OP_SKIP);
	asks(schedule, 1, "show", "\\a b", "\\a b");
	/* by its word: whatever it runs */
	is(answer(schedule, 1, 0, 0, OTHER, ""), VERDICT_OK, "");
	ck_assert_int_eq(asked(schedule, 2), OP_END);
	assess_as(ASSESS_OLD, "");
	facts_copy(&rec.before, &rec.now);
	is(answer(off, 0, 0, 0, ON, ""), VERDICT_FAIL, "the task \\a b is enabled although schtasks.exe reported no error");
	is(answer(off, 0, 0, 1, "", "\x83\x47\x83\x89\x81\x5b: \x83\x41\x83\x4e\x83\x5a\x83\x58\r\n"), VERDICT_FAIL,
	   "the task \\a b could not be disabled (code 1): エラー: アクセス");
	is(answer(off, 0, 0, -1073741502, "", ""), VERDICT_FAIL, "(code -1073741502): it said nothing");
	is(answer(off, 0, 0, 0, "SUCCESS\r\n" END, ""), VERDICT_RETRY, "of the task \\a b cannot be read");
	is(answer(off, 0, 0, 0, TASK("true", "x") ON, ""), VERDICT_RETRY, "cannot be read");
	is(answer(off, 0, E_LIMIT, 0, "", ""), VERDICT_FAIL, "could not be disabled: failed so");
	recorded_end();
}
END_TEST

/* ---- what is in the way ----------------------------------------------------------------------------------------- */

START_TEST(test_tasks_for_people)
{
	static const struct {
		const char *list, *text;
	} cases[] = {
	    {LISTED("\\50%", FOLDER) END, "whose path cannot be worked with (\\50%)"},
	    {TASK("true", FOLDER) END, "whose path cannot be worked with (none is said)"},
	    {LISTED("\\a", FOLDER) "<Task><X></Task>" END, "1 tasks of the host could not be read"},
	};
	const struct step *schedule = observe("schedule");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin("{}");
		see_client();
		is(answer(schedule, 0, 0, 0, cases[i].list, ""), VERDICT_OK, "");
		assess_as(ASSESS_PERSON, cases[i].text);
		recorded_end();
	}
	/* the path that is said of it is another task's */
	begin("{}");
	see_client();
	is(answer(schedule, 0, 0, 0, LISTED("\\a", FOLDER) END, ""), VERDICT_OK, "");
	is(answer(schedule, 1, 0, 0, OTHER, ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "the one of the path that is said of it, \\a, does not");
	ck_assert_int_eq(asked(apply("schedule-off"), 0), OP_END);
	recorded_end();
	begin("{}");
	see_client();
	is(answer(schedule, 0, 0, 0, LISTED("\\a", FOLDER) END, ""), VERDICT_OK, "");
	is(answer(schedule, 1, 0, 1, "", "ERROR: no.\r\n"), VERDICT_FAIL,
	   "the task \\a starts the client and could not be looked at: name it (`schedule`) (code 1): ERROR: no.");
	is(answer(schedule, 0, 0, 1, "", "ERROR: Access is denied.\r\n"), VERDICT_FAIL,
	   "say where the client's schedule is (`schedule`) (code 1): ERROR: Access is denied.");
	recorded_end();
}
END_TEST

START_TEST(test_named_schedule)
{
	static const struct {
		const char *params, *text;
	} cases[] = {
	    {"{\"schedule\": \"crontab:root\"}", "crontab:root, which can be no schedule of a Windows host"},
	    {"{\"schedule\": \"schtasks:\\\\*\"}", "schtasks:\\*, which can be no"},
	    {"{\"schedule\": \"schtasks:\\\\f\\\\\"}", "schtasks:\\f\\, which can be no"},
	    {"{\"run_as\": \"sync\"}", "can only be run as the login (Administrator), not as sync (`run_as`)"},
	    {"{\"path\": \"C:\\\\50%\"}", "\"C:\\50%\" cannot be worked with as a path"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(cases[i].params);
		see_client();
		assess_as(ASSESS_PERSON, cases[i].text);
		ck_assert_int_ne(asked(observe("schedule"), 1), OP_DO);
		recorded_end();
	}
	begin("{\"schedule\": \"schtasks:\\\\gone\"}");
	see_client();
	is(answer(observe("schedule"), 1, 0, 1, "", "ERROR: The system cannot find the file specified.\r\n"), VERDICT_OK, "");
	assess_as(ASSESS_DRIFT, "the inventory names the task \\gone, and schtasks.exe cannot show it (code 1: ERROR: The");
	recorded_end();
	begin("{\"schedule\": \"none\"}");
	see_client();
	ck_assert_int_eq(asked(observe("schedule"), 0), OP_END);
	assess_as(ASSESS_OLD, "");
	recorded_end();
}
END_TEST

START_TEST(test_find)
{
	static const struct {
		const char *out;
		enum assess_state state;
		const char *text;
	} cases[] = {
	    {"end\r\n", ASSESS_DRIFT, "no imhs-config.rb was found"},
	    {"file C:\\a\\imhs-config.rb\r\nfile D:\\b\\imhs-config.rb\r\nend\r\n", ASSESS_PERSON,
	     "more than one client: C:\\a, D:\\b;"},
	    {"file C:\\a^b\\imhs-config.rb\r\nend\r\n", ASSESS_PERSON, "whose path cannot be read"},
	    {"file C:\\\xff\\imhs-config.rb\r\nend\r\n", ASSESS_PERSON, "whose path cannot be read"},
	    /* another file is none, nor is another line */
	    {"file C:\\a\\my-imhs-config.rb\r\nfiles C:\\a\\imhs-config.rb\r\nend\r\n", ASSESS_DRIFT, "no imhs-config.rb"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin("{}");
		is(answer(observe("find"), 0, 0, 0, cases[i].out, ""), VERDICT_OK, "");
		assess_as(cases[i].state, cases[i].text);
		recorded_end();
	}
	begin("{}");
	/* D:\アプリ in CP932 */
	is(answer(observe("find"), 0, 0, 0, "file D:\\\x83\x41\x83\x76\x83\x8a\\imhs-config.rb\r\nend\r\n", ""), VERDICT_OK, "");
	ck_assert_str_eq(facts_text(&rec.now, "client.config", ""), "D:\\アプリ\\imhs-config.rb");
	recorded_end();
}
END_TEST

/* ---- running ---------------------------------------------------------------------------------------------------- */

START_TEST(test_running)
{
	const struct step *wait = apply("wait-idle");
	struct buf many = BUF_INIT;

	begin("{\"schedule\": \"none\"}");
	see_client();
	is(answer(wait, 0, 0, 0,
		  "\"ruby.exe\",\"4711\",\"Services\",\"0\",\"12,345 K\"\r\n\"rubyw.exe\",\"88\",\"Console\",\"1\",\"9 K\"\r\nend\r\n",
		  ""),
	   VERDICT_AGAIN, "process 4711 (ruby.exe), 88 (rubyw.exe)");
	rec.ctx.wall_ms += 599999;
	is(answer(wait, 0, 0, 0, "\"ruby.exe\",\"4711\",\"\",\"0\",\"\"\r\nend\r\n", ""), VERDICT_AGAIN, "4711");
	rec.ctx.wall_ms += 1;
	is(answer(wait, 0, 0, 0, "\"ruby.exe\",\"4711\",\"\",\"0\",\"\"\r\nend\r\n", ""), VERDICT_PERSON,
	   "Ruby has been running for 10 minutes, and whether it is the client cannot be told from here: process 4711 (ruby.exe);");
	/* none: the sentence is in any language */
	is(answer(wait, 0, 0, 0, "\x8f\xee\x95\xf1: \x8e\x77\x92\xe8\r\n\x8f\xee\x95\xf1: \x8e\x77\x92\xe8\r\nend\r\n", ""),
	   VERDICT_OK, "");
	ck_assert_ptr_null(facts_get(&rec.now, "idle.since_ms"));
	for (int i = 0; i < 25; i++)
		buf_addf(&many, "\"ruby.exe\",\"%d\",\"Services\",\"0\",\"1 K\"\r\n", 1000 + i);
	buf_adds(&many, "end\r\n");
	is(answer(wait, 0, 0, 0, buf_str(&many), ""), VERDICT_AGAIN, "1009 (ruby.exe) and 15 more");
	buf_release(&many);
	is(answer(wait, 0, 0, 1, "", "ERROR: Class not registered\r\n"), VERDICT_FAIL,
	   "tasklist.exe cannot say whether Ruby is running (code 1): ERROR: Class not registered");
	is(answer(wait, 0, 0, 0, "", ""), VERDICT_RETRY, "the answer is not whole");
	recorded_end();
}
END_TEST

/* ---- cut -------------------------------------------------------------------------------------------------------- */

/* No beginning of an answer that ends before its last line is one. */
static void no_cut_is_good(const struct step *step, int n, const char *whole)
{
	size_t len = strlen(whole);
	char *text = str_dup(whole);

	ck_assert_int_eq(strcmp(text + len - 5, "end\r\n"), 0);
	for (size_t cut = 0; cut < len - 2; cut++) {
		struct verdict v;

		memcpy(text, whole, len);
		text[cut] = '\0';
		v = answer(step, n, 0, 0, text, "");
		ck_assert_msg(v.kind == VERDICT_RETRY, "%s: %zu of %zu: %s", step->name, cut, len, verdict_name(v.kind));
	}
	free(text);
}

START_TEST(test_every_cut)
{
	begin("{}");
	no_cut_is_good(observe("find"), 0, FOUND);
	see_client();
	no_cut_is_good(observe("running"), 0, "\"ruby.exe\",\"4711\",\"Services\",\"0\",\"1 K\"\r\n" NO_RUBY "end\r\n");
	no_cut_is_good(apply("wait-idle"), 0, "\"ruby.exe\",\"4711\",\"Services\",\"0\",\"1 K\"\r\n" NO_RUBY "end\r\n");
	no_cut_is_good(observe("ruby"), 0, RUBY);
	no_cut_is_good(observe("schedule"), 0, LISTED("\\a", FOLDER) LISTED("\\b", FOLDER) END);
	is(answer(observe("schedule"), 0, 0, 0, LISTED("\\a", FOLDER) END, ""), VERDICT_OK, "");
	no_cut_is_good(observe("schedule"), 1, ON);
	is(answer(observe("schedule"), 1, 0, 0, ON, ""), VERDICT_OK, "");
	assess_as(ASSESS_OLD, "");
	facts_copy(&rec.before, &rec.now);
	no_cut_is_good(apply("schedule-off"), 0, "SUCCESS: \"\\a\"\r\n" OFF);
	no_cut_is_good(row(agent_ruby_client.restore, "schedule-on"), 0, "SUCCESS: \"\\a\"\r\n" ON);
	no_cut_is_good(row(agent_ruby_client.verify, "schedule-again"), 0, ON);
	recorded_end();
}
END_TEST

/* ---- syntax, run ------------------------------------------------------------------------------------------------ */

START_TEST(test_syntax_and_run)
{
	char item[ITEM_MAX];
	struct op op;

	begin("{\"schedule\": \"none\"}");
	see_client();
	assess_as(ASSESS_OLD, "");
	ck_assert_int_eq(ask(apply("check-syntax"), 0, &op, item), OP_DO);
	runs_script(&op, "ruby-syntax.cmd", true, 2);
	ck_assert_str_eq(op.args[0], "C:\\Ruby31-x64\\bin\\ruby.exe");
	ck_assert_str_eq(op.args[1], CONFIG);
	op_release(&op);
	is(answer(apply("check-syntax"), 0, 0, 0, "", ""), VERDICT_OK, "");
	is(answer(apply("check-syntax"), 0, 0, 1, "", ""), VERDICT_DRIFT, "is no valid Ruby for the Ruby of this host");
	is(answer(apply("check-syntax"), 0, 0, 3221225781u, "", ""), VERDICT_UNCHANGED, "could not be checked");
	ck_assert_int_eq(ask(apply("write-config"), 0, &op, item), OP_DO);
	replaces(&op, CONFIG, TEXT(RECORDED_OLD_NAME), TEXT(RECORDED_NEW_NAME), "imhs-config.rb.before-cutover");
	op_release(&op);
	ck_assert_int_eq(asked(apply("run-client"), 0), OP_END);
	ck_assert_int_eq(ask(apply("run-client-windows"), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_EXEC);
	ck_assert_str_eq(op.command, "cd /d \"" FOLDER "\" && \"C:\\Ruby31-x64\\bin\\ruby.exe\" imhs-ws-client.rb");
	op_release(&op);
	is(answer(apply("run-client-windows"), 0, 0, 0, "", ""), VERDICT_OK, "");
	is(answer(apply("run-client-windows"), 0, 0, 5, "", "\x8e\xb8\x94\x73\r\nconnection refused\r\n"), VERDICT_FAIL,
	   "the client ended with code 5: 失敗  connection refused; the new name is in its file: try `\"C:\\Ruby31");
	/* it has run for the value that is in the file */
	facts_copy(&rec.before, &rec.now);
	facts_set_text(&rec.now, "config.state", "new");
	rec.done = "run-client-windows";
	assess_as(ASSESS_NEW, "");
	ck_assert_int_eq(asked(apply("run-client-windows"), 0), OP_SKIP);
	rec.done = "run-client";
	assess_as(ASSESS_PARTIAL, "the client has not run yet");
	ck_assert_int_eq(asked(apply("run-client-windows"), 0), OP_DO);
	recorded_end();
}
END_TEST

START_TEST(test_run_or_not)
{
	static const struct {
		const char *params, *found, *ruby, *note;
	} cases[] = {
	    {"{\"schedule\": \"none\", \"run\": \"none\", \"run_as\": \"sync\"}", FOUND, RUBY, "the client is not run: the inventory says so"},
	    {"{\"schedule\": \"none\"}", FOUND, "end\r\n", "the client is not run: there is no Ruby on the host"},
	    {"{\"schedule\": \"none\"}", FOUND, "path C:\\Ruby\\bin\\ruby.exe\r\nend\r\n", "there is no Ruby on the host"},
	    {"{\"schedule\": \"none\"}", "file " CONFIG "\r\nend\r\n", RUBY, "its folder holds no imhs-ws-client.rb"},
	    {"{\"schedule\": \"none\", \"run\": \"go.bat\"}", FOUND, "end\r\n", "the client is run once: `go.bat` in " FOLDER},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(cases[i].params);
		is(answer(observe("find"), 0, 0, 0, cases[i].found, ""), VERDICT_OK, "");
		is(answer(observe("read"), 0, 0, 0, TEXT(RECORDED_OLD_NAME), ""), VERDICT_OK, "");
		is(answer(observe("running"), 0, 0, 0, "end\r\n", ""), VERDICT_OK, "");
		is(answer(observe("ruby"), 0, 0, 0, cases[i].ruby, ""), VERDICT_OK, "");
		assess_as(ASSESS_OLD, "");
		ck_assert_msg(noted(cases[i].note), "%s", cases[i].note);
		ck_assert_int_eq(asked(apply("run-client-windows"), 0), i < 4 ? OP_END : OP_DO);
		recorded_end();
	}
}
END_TEST

SUITE(ruby_windows)
{
	TEST_CASE(s, test_plain);
	TEST_CASE(s, test_not_as_said);
	TEST_CASE(s, test_tasks_for_people);
	TEST_CASE(s, test_named_schedule);
	TEST_CASE(s, test_find);
	TEST_CASE(s, test_running);
	TEST_CASE(s, test_every_cut);
	TEST_CASE(s, test_syntax_and_run);
	TEST_CASE(s, test_run_or_not);
}
