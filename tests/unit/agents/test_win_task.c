/* Definitions of tasks as schtasks.exe prints them: in UTF-8, in a console's bytes, in UTF-16, broken, huge. */
#include "tests/lib/unit.h"

#include "agents/win_task.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <iconv.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n"
#define OPEN "<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\r\n"
#define URI(path) "  <RegistrationInfo>\r\n    <URI>" path "</URI>\r\n  </RegistrationInfo>\r\n"
#define TRIGGER(enabled)                                                                                               \
	"  <Triggers><CalendarTrigger><StartBoundary>2012-06-11T03:23:00</StartBoundary><Enabled>" enabled             \
	"</Enabled></CalendarTrigger></Triggers>\r\n"
#define SETTINGS(inside) "  <Settings>\r\n    <Hidden>false</Hidden>\r\n    " inside "\r\n  </Settings>\r\n"
#define EXEC(command, arguments, folder)                                                                               \
	"<Exec><Command>" command "</Command><Arguments>" arguments "</Arguments><WorkingDirectory>" folder            \
	"</WorkingDirectory></Exec>"
#define ACTIONS(inside) "  <Actions Context=\"Author\">\r\n    " inside "\r\n  </Actions>\r\n"
#define CLOSE "</Task>\r\n"
#define PLAIN EXEC("C:\\Ruby\\bin\\ruby.exe", "imhs-ws-client.rb", "C:\\imhs")

static struct win_task the_task;

/* The one task of the text. */
static const struct win_task *reads(const char *text, size_t len)
{
	win_task_release(&the_task);
	ck_assert_msg(win_task_only(text, len, &the_task), "%.*s", (int)len, text);
	return &the_task;
}

static void is_none(const char *text)
{
	struct win_task task;

	ck_assert_msg(!win_task_only(text, strlen(text), &task), "%s", text);
}

START_TEST(test_enabled)
{
	static const struct {
		const char *text;
		bool enabled;
	} cases[] = {
	    {HEAD OPEN TRIGGER("false") SETTINGS("<Enabled>true</Enabled>") CLOSE, true},
	    {HEAD OPEN TRIGGER("true") SETTINGS("<Enabled>false</Enabled>") CLOSE, false},
	    {OPEN SETTINGS("<Enabled>0</Enabled>") CLOSE, false},
	    {OPEN SETTINGS("<Enabled>1</Enabled>") CLOSE, true},
	    /* the schema's default */
	    {OPEN TRIGGER("false") SETTINGS("") CLOSE, true},
	    {OPEN TRIGGER("false") CLOSE, true},
	    {"<Task></Task>", true},
	    /* settings that are not the task's, a setting that is not Enabled, a task within something */
	    {OPEN "<Settings><X><Enabled>false</Enabled></X></Settings>" CLOSE, true},
	    {OPEN "<X><Settings><Enabled>false</Enabled></Settings></X>" CLOSE, true},
	    {OPEN SETTINGS("<!-- <Enabled>false</Enabled> -->") CLOSE, true},
	    {OPEN SETTINGS("<enabled>false</enabled>") CLOSE, true},
	    {"<Tasks><Task><Settings><Enabled>false</Enabled></Settings></Task></Tasks>", false},
	    /* what schtasks says of a change stands in front */
	    {"SUCCESS: The parameters of scheduled task \"\\x\" have been changed.\r\n" HEAD OPEN
		 SETTINGS("<Enabled>false</Enabled>") CLOSE,
	     false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(reads(cases[i].text, strlen(cases[i].text))->enabled == cases[i].enabled, "%zu", i);
	win_task_release(&the_task);
}
END_TEST

START_TEST(test_actions)
{
	const char *text = HEAD OPEN URI("\\Nightly sync") SETTINGS("")
	    ACTIONS(EXEC("&quot;C:\\A &amp; B&apos;s\\ruby.exe&quot;", "-x &lt;in &#x3e;out", "C:\\imhs") "\r\n"
		    "<ComHandler><ClassId>{X}</ClassId></ComHandler><Exec><Command/></Exec>" PLAIN) CLOSE;
	const struct win_task *task = reads(text, strlen(text));

	ck_assert_str_eq(task->path, "\\Nightly sync");
	ck_assert_str_eq(task->actions, "\"C:\\A & B's\\ruby.exe\"\n-x <in >out\nC:\\imhs\n"
					"C:\\Ruby\\bin\\ruby.exe\nimhs-ws-client.rb\nC:\\imhs\n");
	/* not the description, nor what is in another place */
	text = OPEN "<RegistrationInfo><Description>imhs-ws-client</Description></RegistrationInfo>"
		    "<Actions><X><Exec><Command>imhs-ws-client</Command></Exec></X></Actions>" CLOSE;
	task = reads(text, strlen(text));
	ck_assert_ptr_null(task->path);
	ck_assert_str_eq(task->actions, "");
	win_task_release(&the_task);
}
END_TEST

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static struct buf encoded(const char *text, const char *encoding)
{
	iconv_t convert = iconv_open(encoding, "UTF-8");
	size_t in_left = strlen(text), room = 4 * strlen(text), out_left = room;
	char *in = str_dup(text), *from = in, *bytes = mem_new(room, 1), *to = bytes;
	struct buf out = {.max = room};

	ck_assert(convert != (iconv_t)-1);
	ck_assert_uint_ne(iconv(convert, &from, &in_left, &to, &out_left), (size_t)-1);
	iconv_close(convert);
	buf_add(&out, bytes, room - out_left);
	free(bytes);
	free(in);
	return out;
}

START_TEST(test_bytes)
{
	/* ソ, 能 and 表 end with the byte of a back slash in CP932, ダ with that of a '_' */
	static const char text[] = "<!-- \\同期 表\\ソ ダ -->\r\n" HEAD OPEN SETTINGS("<Enabled>false</Enabled>")
	    ACTIONS(EXEC("D:\\アプリ\\ruby.exe", "能 表.rb", "D:\\ソフト")) CLOSE;
	static const char *const encodings[] = {"UTF-8", "CP932"};

	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		struct buf bytes = encoded(text, encodings[i]);
		const struct win_task *task = reads(buf_str(&bytes), bytes.len);

		ck_assert_str_eq(task->path, "\\同期 表\\ソ ダ");
		ck_assert_str_eq(task->actions, "D:\\アプリ\\ruby.exe\n能 表.rb\nD:\\ソフト\n");
		ck_assert(!task->enabled);
		ck_assert(win_task_names(task, (const char *const[]){"d:\\アプリ", NULL}));
		buf_release(&bytes);
	}
	win_task_release(&the_task);
}
END_TEST

/* Another console's bytes: what is ASCII of it is read, and the definition counts. */
START_TEST(test_other_bytes)
{
	const char *text = "<!-- \\T\x84glich\xff -->" HEAD OPEN SETTINGS("<Enabled>false</Enabled>")
	    ACTIONS(EXEC("C:\\Gr\x81\xe1\x65\xff\\ruby.exe", "imhs-ws-client.rb", "C:\\imhs")) CLOSE;
	const struct win_task *task = reads(text, strlen(text));

	ck_assert_ptr_null(task->path); /* rather none than a wrong one */
	ck_assert(!task->enabled);
	ck_assert(win_task_names(task, (const char *const[]){"imhs-ws-client", NULL}));
	win_task_release(&the_task);
}
END_TEST

/* Not believed, but not taken for "no tasks" either. */
START_TEST(test_utf16)
{
	static const char *const encodings[] = {"UTF-16LE", "UTF-16BE"};
	struct win_task task;

	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		struct buf bytes = encoded(HEAD OPEN SETTINGS("") ACTIONS(PLAIN) CLOSE, encodings[i]);
		size_t at = 0;
		int bad = 0;

		ck_assert(!win_task_next(buf_str(&bytes), bytes.len, &at, &task, &bad));
		ck_assert_int_eq(bad, 1);
		ck_assert(!win_task_next(buf_str(&bytes), bytes.len, &at, &task, &bad));
		ck_assert_int_eq(bad, 1);
		ck_assert(!win_task_only(buf_str(&bytes), bytes.len, &task));
		buf_release(&bytes);
	}
}
END_TEST

/* ---- lists ------------------------------------------------------------------------------------------------------ */

static int read_all(const char *text, size_t len, char *paths, size_t size, int *bad)
{
	struct win_task task;
	size_t at = 0;
	int n = 0;

	*bad = 0;
	*paths = '\0';
	for (; win_task_next(text, len, &at, &task, bad); n++) {
		size_t used = strlen(paths);

		snprintf(paths + used, size - used, "%s%s%s", n ? " " : "", task.path ? task.path : "?",
			 task.enabled ? "" : "-");
		win_task_release(&task);
	}
	return n;
}

START_TEST(test_lists)
{
	static const struct {
		const char *text, *paths;
		int bad;
	} cases[] = {
	    {"", "", 0},
	    {"INFO: There are no scheduled tasks presently available at your access level.\r\n", "", 0},
	    {HEAD "<Tasks>\r\n<!-- \\A -->\r\n" OPEN CLOSE "<!-- \\F\\B b -->\r\n" OPEN
		  SETTINGS("<Enabled>false</Enabled>") CLOSE "</Tasks>\r\n",
	     "\\A \\F\\B b-", 0},
	    {"<!-- \\A -->" HEAD OPEN CLOSE "<!-- \\B -->" HEAD OPEN CLOSE, "\\A \\B", 0},
	    /* the list's own word counts: an author may have copied a URI */
	    {"<!-- \\A -->" OPEN URI("\\Other") CLOSE HEAD OPEN URI("\\B") CLOSE OPEN URI("none") CLOSE, "\\A \\B ?", 0},
	    /* the last comment before it */
	    {"<!-- \\A --> <!-- \\B -->" OPEN CLOSE, "\\B", 0},
	    {"<!-- hello -->" OPEN CLOSE, "?", 0},
	    {"<!-- \\A " OPEN CLOSE, "?", 0},
	    /* what is not well-formed is counted, and hides no other */
	    {"<!-- \\A --><Task><X></Task><!-- \\B -->" OPEN CLOSE, "\\B", 1},
	    {"<!-- \\A --><Task><Settings></Task><Task a=></Task>" OPEN CLOSE, "?", 2},
	    {"<!-- \\A -->" OPEN CLOSE "<!-- \\B --><Task><Settings>", "\\A", 1},
	    {"<Task><Task></Task></Task>", "", 1},
	    {"<TaskX></TaskX><Taskbar/>", "", 0},
	};
	char paths[200];
	int bad;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		read_all(cases[i].text, strlen(cases[i].text), paths, sizeof(paths), &bad);
		ck_assert_msg(strcmp(paths, cases[i].paths) == 0 && bad == cases[i].bad, "%zu: \"%s\" %d", i, paths, bad);
	}
}
END_TEST

/* One, and nothing else. */
START_TEST(test_only)
{
	is_none("");
	is_none("ERROR: The system cannot find the file specified.\r\n");
	is_none(OPEN CLOSE OPEN CLOSE);
	is_none(OPEN CLOSE "<Task>");
	is_none("<Task><X></Task>" OPEN CLOSE);
	is_none(OPEN SETTINGS("<Enabled>false</Enabled"));
}
END_TEST

/* ---- whose ------------------------------------------------------------------------------------------------------ */

START_TEST(test_names)
{
	static const struct {
		const char *actions, *name;
		bool is;
	} cases[] = {
	    {"C:\\IMHS-WS-CLIENT\\go.bat", "C:\\imhs-ws-client", true},
	    {"cmd /c \"cd C:\\imhs-ws-client & ruby x.rb\"", "C:\\imhs-ws-client", true},
	    {"ruby imhs-ws-client.rb", "imhs-ws-client", true},
	    {"C:\\imhs-ws-client2\\go.bat", "C:\\imhs-ws-client", false},
	    {"C:\\imhs-ws-client_old\\go.bat", "C:\\imhs-ws-client", false},
	    {"xC:\\imhs-ws-client\\go.bat", "C:\\imhs-ws-client", false},
	    {"x-imhs-ws-client2 imhs-ws-client", "imhs-ws-client", true},
	    {"D:\\\xe3\x82\xa2\xe3\x82\xa4\\go.bat", "D:\\\xe3\x82\xa2", false},
	    {"", "x", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *actions = str_dup(cases[i].actions);
		const struct win_task task = {.actions = actions};

		ck_assert_msg(win_task_names(&task, (const char *const[]){"", "no such", cases[i].name, NULL}) == cases[i].is,
			      "%s", cases[i].actions);
		free(actions);
	}
}
END_TEST

START_TEST(test_paths)
{
	static const char *const good[] = {"\\a", "\\imhs-ws-client sync", "\\A & B's (1)!", "\\Ordner\\Täglich",
					   "\\同期\\表", "\\{3F2504E0}\\x"};
	static const char *const bad[] = {"", "\\", "a", "/delete", "\\a\\", "\\a/b", "\\a*", "\\?", "\\a\"b", "\\%PATH%",
					  "\\a^b", "\\a\nb", "\\a<b", "\\a|b", "C:\\a"};
	char longest[TASK_PATH_MAX + 2] = "\\";

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(win_task_is_path(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!win_task_is_path(bad[i]), "%s", bad[i]);
	memset(longest + 1, 'x', TASK_PATH_MAX - 1);
	ck_assert(win_task_is_path(longest));
	longest[TASK_PATH_MAX] = 'x';
	ck_assert(!win_task_is_path(longest));
}
END_TEST

/* ---- whatever comes --------------------------------------------------------------------------------------------- */

/* No beginning of it is the task. */
START_TEST(test_every_cut)
{
	static const char text[] = HEAD OPEN URI("\\A") TRIGGER("true") SETTINGS("<Enabled>false</Enabled>")
	    ACTIONS(PLAIN) "</Task>";
	struct win_task task;

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		ck_assert_msg(!win_task_only(text, n, &task), "%zu", n);
	reads(text, sizeof(text) - 1);
	win_task_release(&the_task);
}
END_TEST

/* Bytes that are others, gone or doubled: nothing worse than a task or none, and at most as many as there are. */
START_TEST(test_random_bytes)
{
	static const char text[] = "<!-- \\A -->" HEAD OPEN URI("\\A") SETTINGS("<Enabled>false</Enabled>")
	    ACTIONS(PLAIN) CLOSE "<!-- \\B -->" OPEN TRIGGER("true") CLOSE;
	uint32_t random = 20121;
	char bytes[sizeof(text)], paths[4000];
	int bad;

	for (int round = 0; round < 20000; round++) {
		size_t len = sizeof(text) - 1;

		memcpy(bytes, text, len);
		for (int k = 0; k <= round % 5; k++) {
			random = random * 1664525 + 1013904223;
			bytes[(random >> 8) % len] = "<>/!-&;\\\"\0 T\x83\xff"[random % 14];
		}
		ck_assert_int_le(read_all(bytes, len, paths, sizeof(paths), &bad), 2);
	}
}
END_TEST

/* Eight megabytes of tasks, of beginnings and of one value: bounded, and soon done. */
START_TEST(test_huge)
{
	struct buf text = {.max = 16 << 20};
	struct win_task task;
	char paths[100];
	size_t at = 0;
	int bad = 0, n = 0, want = 0;

	for (; text.len < 8 << 20; want++)
		buf_adds(&text, "<!-- \\A -->" OPEN ACTIONS(PLAIN) CLOSE);
	for (; win_task_next(buf_str(&text), text.len, &at, &task, &bad); n++)
		win_task_release(&task);
	ck_assert_int_eq(n, want);
	ck_assert_int_eq(bad, 0);
	buf_clear(&text);
	while (text.len < 8 << 20)
		buf_adds(&text, "<!-- \\A --><Task>");
	ck_assert_int_eq(read_all(buf_str(&text), text.len, paths, sizeof(paths), &bad), 0);
	ck_assert_int_eq(bad, 1);
	buf_clear(&text);
	buf_adds(&text, OPEN "<Actions><Exec><Command>imhs-ws-client ");
	while (text.len < 8 << 20)
		buf_adds(&text, "0123456789");
	buf_adds(&text, "</Command></Exec></Actions>" CLOSE);
	reads(buf_str(&text), text.len);
	ck_assert(win_task_names(&the_task, (const char *const[]){"imhs-ws-client", NULL}));
	ck_assert_uint_lt(strlen(the_task.actions), 10000);
	win_task_release(&the_task);
	buf_release(&text);
}
END_TEST

SUITE(win_task)
{
	TEST_CASE(s, test_enabled);
	TEST_CASE(s, test_actions);
	TEST_CASE(s, test_bytes);
	TEST_CASE(s, test_other_bytes);
	TEST_CASE(s, test_utf16);
	TEST_CASE(s, test_lists);
	TEST_CASE(s, test_only);
	TEST_CASE(s, test_names);
	TEST_CASE(s, test_paths);
	TEST_CASE(s, test_every_cut);
	TEST_CASE(s, test_random_bytes);
	TEST_CASE(s, test_huge);
}
