/*
 * What is sent to cmd.exe, byte for byte; which paths, arguments and lines are refused; the way from a Windows path to
 * SFTP's and back.
 */
#include "transport/ssh_win_text.h"

#include "base/alloc.h"
#include "tests/lib/unit.h"

static const struct {
	const char *path, *fault; /* a word of it; NULL: good */
} paths[] = {
    {"C:\\x", NULL},
    {"c:\\Program Files (x86)\\Trend Micro\\it's a & b\\x.exe.config", NULL},
    {"D:\\\xe3\x83\x87\xe3\x83\xbc\xe3\x82\xbf\\a^b!c%d;e,f=g@h#i$j{k}l[m]n~o`p+q-r_s.t", NULL},
    {"C:/x/y", NULL},
    {"C:\\a.b\\.c\\...d", NULL},
    {"", "no path of a drive"},
    {"x", "no path of a drive"},
    {"\\x", "no path of a drive"},
    {"/C:/x", "no path of a drive"},
    {"C:x", "no path of a drive"},
    {"C:", "no path of a drive"},
    {"1:\\x", "no path of a drive"},
    {"\\\\server\\share\\x", "no path of a drive"},
    {"\\\\?\\C:\\x", "no path of a drive"},
    {"C:\\", "empty part"},
    {"C:\\a\\", "empty part"},
    {"C:\\a\\\\b", "empty part"},
    {"C:\\a\\.\\b", "ends with a dot"},
    {"C:\\a\\..\\b", "ends with a dot"},
    {"C:\\a.", "ends with a dot"},
    {"C:\\a \\b", "a blank"},
    {"C:\\a:stream", "no file's name"},
    {"C:\\a*", "no file's name"},
    {"C:\\a?", "no file's name"},
    {"C:\\a\"b", "no file's name"},
    {"C:\\a<b", "no file's name"},
    {"C:\\a>b", "no file's name"},
    {"C:\\a|b", "no file's name"},
    {"C:\\a\nb", "control"},
    {"C:\\a\x7f", "control"},
    {"C:\\\x83\x66", "no UTF-8"},
};

START_TEST(test_paths)
{
	struct err err = {.code = 0};
	int r = ssh_win_path_check(paths[_i].path, &err);

	ck_assert_msg(r == (paths[_i].fault ? E_INVAL : 0), "%s: %s", paths[_i].path, err.text);
	if (paths[_i].fault)
		ck_assert_msg(strstr(err.text, paths[_i].fault), "%s: %s", paths[_i].path, err.text);
}
END_TEST

START_TEST(test_a_long_path)
{
	struct err err;
	char path[WIN_PATH_MAX + 2] = "C:\\";

	memset(path + 3, 'x', WIN_PATH_MAX - 3);
	path[WIN_PATH_MAX] = '\0';
	ck_assert_int_eq(ssh_win_path_check(path, &err), 0);
	path[WIN_PATH_MAX] = 'x';
	path[WIN_PATH_MAX + 1] = '\0';
	ck_assert_int_eq(ssh_win_path_check(path, &err), E_INVAL);
	ck_assert_int_eq(ssh_win_path_check(NULL, &err), E_INVAL);
}
END_TEST

static void there_and_back(const char *windows, const char *sftp)
{
	char *there = ssh_win_path_to_sftp(windows), *back = ssh_win_path_from_sftp(there, strlen(there));

	ck_assert_str_eq(there, sftp);
	ck_assert_str_eq(back, windows);
	free(there);
	free(back);
}

START_TEST(test_the_way_to_sftp)
{
	char *other = ssh_win_path_from_sftp("/home/x", 7);

	there_and_back("C:\\a b\\it's & (x)\\\xe6\x97\xa5", "/C:/a b/it's & (x)/\xe6\x97\xa5");
	there_and_back("d:\\x", "/d:/x");
	ck_assert_str_eq(other, "/home/x");
	free(other);
}
END_TEST

START_TEST(test_names)
{
	char *beside = ssh_win_path_beside("C:\\a b\\x.config", "x.bak");

	ck_assert_str_eq(beside, "C:\\a b\\x.bak");
	ck_assert_str_eq(ssh_win_path_name("C:\\a b\\x.config"), "x.config");
	free(beside);
	beside = ssh_win_path_beside("/C:/a/x", "y");
	ck_assert_str_eq(beside, "/C:/a/y");
	free(beside);
}
END_TEST

static const struct {
	const char *said, *root;
} roots[] = {
    {"\"C:\\WINDOWS\"", "C:\\WINDOWS"},  {"\"D:\\Win_NT-4\\x\"", "D:\\Win_NT-4\\x"},
    {"\"%SystemRoot%\"", NULL},          {"C:\\WINDOWS", NULL},
    {"\"C:\\Program Files\"", NULL},     {"\"C:\\a&b\"", NULL},
    {"\"C:\\a%b\"", NULL},               {"\"C:\\\"", NULL},
    {"\"C:\\WINDOWS\\\"", NULL},         {"\"\"", NULL},
    {"", NULL},                          {"\"C:WINDOWS\"", NULL},
    {"\"\\\\server\\share\"", NULL},     {"\"C:\\W\\..\\x\"", NULL},
};

START_TEST(test_where_windows_is)
{
	char *root = ssh_win_root_of(roots[_i].said);

	if (roots[_i].root)
		ck_assert_pstr_eq(root, roots[_i].root);
	else
		ck_assert_msg(!root, "%s gives %s", roots[_i].said, root);
	free(root);
}
END_TEST

/* --- what is refused of an op */

static const struct embedded a_script = {"x.cmd", "echo\n", 5};

static int check_arg(const char *arg)
{
	struct op op;
	struct err err = {.code = 0};
	int r;

	op_init(&op, OP_RUN);
	op.script = &a_script;
	op_arg(&op, arg);
	r = ssh_win_op_check(&op, &err);
	op_release(&op);
	return r;
}

START_TEST(test_arguments)
{
	ck_assert_int_eq(check_arg(""), 0);
	ck_assert_int_eq(check_arg("a b&|<>()^!;,='`~ \xe6\x97\xa5 C:\\x\\"), 0);
	ck_assert_int_eq(check_arg("a\"b"), E_INVAL);
	ck_assert_int_eq(check_arg("a%b"), E_INVAL);
	ck_assert_int_eq(check_arg("a\rb"), E_INVAL);
	ck_assert_int_eq(check_arg("a\nb"), E_INVAL);
	ck_assert_int_eq(check_arg("a\x1a"), E_INVAL);
	ck_assert_int_eq(check_arg("\x93\xfa"), E_INVAL);
}
END_TEST

START_TEST(test_many_arguments)
{
	struct op op;
	struct err err;
	char *arg = mem_new(1, 1001);

	op_init(&op, OP_RUN);
	ck_assert_int_eq(ssh_win_op_check(&op, &err), E_INVAL);
	op.script = &a_script;
	memset(arg, 'x', 1000);
	for (int i = 0; i < 7; i++)
		op_arg(&op, arg);
	ck_assert_int_eq(ssh_win_op_check(&op, &err), 0);
	op_arg(&op, arg);
	ck_assert_int_eq(ssh_win_op_check(&op, &err), E_LIMIT);
	op_release(&op);
	free(arg);
}
END_TEST

static int check_command(const char *command)
{
	struct op op;
	struct err err;
	int r;

	op_init(&op, OP_EXEC);
	op.command = str_dup(command);
	r = ssh_win_op_check(&op, &err);
	op_release(&op);
	return r;
}

START_TEST(test_commands)
{
	char *command = mem_new(1, WIN_LINE_MAX + 1);

	ck_assert_int_eq(check_command("sc query \"a b\" | find \"4\" & echo %PATH% ^ \xe6\x97\xa5"), 0);
	ck_assert_int_eq(check_command(NULL), E_INVAL);
	ck_assert_int_eq(check_command(""), E_INVAL);
	ck_assert_int_eq(check_command("a\nb"), E_INVAL);
	ck_assert_int_eq(check_command("a\x1a"), E_INVAL);
	ck_assert_int_eq(check_command("\x93\xfa"), E_INVAL);
	memset(command, 'x', WIN_LINE_MAX);
	ck_assert_int_eq(check_command(command), E_LIMIT);
	free(command);
}
END_TEST

static int check_replace(const char *path, const char *backup)
{
	struct op op;
	struct err err;
	int r;

	op_init(&op, OP_REPLACE);
	op.path = str_dup(path);
	op.backup = str_dup(backup);
	r = ssh_win_op_check(&op, &err);
	op_release(&op);
	return r;
}

START_TEST(test_what_is_replaced)
{
	ck_assert_int_eq(check_replace("C:\\x", NULL), 0);
	ck_assert_int_eq(check_replace("C:\\x", "x.bak"), 0);
	ck_assert_int_eq(check_replace("C:\\x", "a\\b"), E_INVAL);
	ck_assert_int_eq(check_replace("C:\\x", "a/b"), E_INVAL);
	ck_assert_int_eq(check_replace("C:\\x", ""), E_INVAL);
	ck_assert_int_eq(check_replace("C:\\x", "..\\b"), E_INVAL);
	ck_assert_int_eq(check_replace("C:\\x", "b:c"), E_INVAL);
	ck_assert_int_eq(check_replace("C:\\100%\\x", NULL), E_INVAL);
	ck_assert_int_eq(check_replace("x", NULL), E_INVAL);
}
END_TEST

/* --- text */

START_TEST(test_scripts)
{
	static const struct embedded scripts[] = {
	    {"a", "@echo off\necho 1\n", 17}, {"b", "a\r\nb", 4}, {"c", "", 0}, {"d", "\n\n", 2}};
	static const char *const wanted[] = {"@echo off\r\necho 1\r\n", "a\r\nb\r\n", "", "\r\n\r\n"};

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct buf out = BUF_INIT;
		ssh_win_text_script(&out, &scripts[i]);
		ck_assert_str_eq(buf_str(&out), wanted[i]);
		buf_release(&out);
	}
}
END_TEST

START_TEST(test_the_file_that_runs)
{
	char *args[] = {(char *)"a b&c", (char *)"", (char *)"^!(x)", (char *)"100%"};
	struct buf out = BUF_INIT;

	ssh_win_text_run(&out, "C:\\W\\temp\\c-1", 3, args, 4);
	ck_assert_str_eq(buf_str(&out), "@C:\\W\\temp\\c-1\\s3.cmd \"a b&c\" \"\" \"^!(x)\" \"100%%\"\r\n");
	buf_clear(&out);
	ssh_win_text_command(&out, "; echo %x%");
	ck_assert_str_eq(buf_str(&out), " ; echo %x%\r\n");
	buf_release(&out);
}
END_TEST

START_TEST(test_lines)
{
	struct ssh_win_line line = {"N", 7};
	struct buf out = BUF_INIT;

	ssh_win_line(&out, &line, "del x");
	ck_assert_str_eq(buf_str(&out), "del x& call echo @N 7 code %^errorlevel%& echo @N 7 done\r\n");
	buf_clear(&out);
	ssh_win_line_run(&out, &line, "C:\\f", 5, false, 0);
	ck_assert_str_eq(buf_str(&out),
			 "cmd.exe /d /q /e:on /v:off /c C:\\f\\r5.cmd <nul >C:\\f\\o5 2>C:\\f\\e5"
			 "& call echo @N 7 code %^errorlevel%"
			 "& (for %f in (C:\\f\\o5 C:\\f\\e5) do @echo @N 7 size %~zf)& echo @N 7 done\r\n");
	buf_clear(&out);
	ssh_win_line_run(&out, &line, "C:\\f", 5, true, 932);
	ck_assert_str_eq(buf_str(&out),
			 "chcp 65001 >nul& cmd.exe /d /q /e:on /v:off /c C:\\f\\r5.cmd <C:\\f\\i5 >C:\\f\\o5 2>C:\\f\\e5"
			 "& call echo @N 7 code %^errorlevel%"
			 "& (for %f in (C:\\f\\o5 C:\\f\\e5) do @echo @N 7 size %~zf)& chcp 932 >nul& echo @N 7 done\r\n");
	buf_clear(&out);
	ssh_win_line_hello(&out, &line);
	ck_assert_str_eq(buf_str(&out),
			 "echo @N 7 root \"%SystemRoot%\"& (for /f \"tokens=2 delims=:.\" %c in ('chcp') do "
			 "@echo @N 7 page %c)& echo @N 7 done\r\n");
	buf_release(&out);
}
END_TEST

SUITE(ssh_win_text)
{
	TEST_CASE_LOOP(s, test_paths, 0, (int)ARRAY_LEN(paths));
	TEST_CASE(s, test_a_long_path);
	TEST_CASE(s, test_the_way_to_sftp);
	TEST_CASE(s, test_names);
	TEST_CASE_LOOP(s, test_where_windows_is, 0, (int)ARRAY_LEN(roots));
	TEST_CASE(s, test_arguments);
	TEST_CASE(s, test_many_arguments);
	TEST_CASE(s, test_commands);
	TEST_CASE(s, test_what_is_replaced);
	TEST_CASE(s, test_scripts);
	TEST_CASE(s, test_the_file_that_runs);
	TEST_CASE(s, test_lines);
}
