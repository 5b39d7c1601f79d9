#include "tests/lib/unit.h"

#include "agents/win_text.h"

#include <stdlib.h>
#include <string.h>

static void reads(const char *bytes, const char *want)
{
	char *text = win_text(bytes, strlen(bytes));

	if (want)
		ck_assert_str_eq(text, want);
	else
		ck_assert_ptr_null(text);
	free(text);
}

START_TEST(test_text)
{
	reads("", "");
	reads("plain", "plain");
	reads("\xe3\x82\xa2", "ア"); /* UTF-8 */
	reads("\x83\x41", "ア");     /* CP932 */
	reads("\x8f\xee\x95\xf1: \x96\xbc\x91\x4f", "情報: 名前");
	reads("\xb1\xb2", "ｱｲ"); /* half width */
	reads("\x83", NULL);     /* cut in a character */
	reads("a\x81\x20", NULL);
	ck_assert_ptr_null(win_text("a\0b", 3));
}
END_TEST

START_TEST(test_text_shown)
{
	char *text = win_text_shown("a\x83\r\n\x1b[1m", 8);

	ck_assert_str_eq(text, "a????[1m");
	free(text);
	text = win_text_shown("\x83\x41", 2);
	ck_assert_str_eq(text, "ア");
	free(text);
}
END_TEST

START_TEST(test_lines)
{
	const char *text = "one \r\n\r\n\ttwo\t\n\x83\x5c=1\r\nlast", *line;
	static const char *const want[] = {"one", "", "\ttwo", "\x83\x5c=1", "last"};
	size_t at = 0, len, n = 0;

	for (; win_line(text, strlen(text), &at, &line, &len); n++) {
		ck_assert_uint_eq(len, strlen(want[n]));
		ck_assert_int_eq(memcmp(line, want[n], len), 0);
	}
	ck_assert_uint_eq(n, 5);
	at = 0;
	ck_assert(!win_line("", 0, &at, &line, &len));
}
END_TEST

START_TEST(test_ended)
{
	static const char *const good[] = {"end", "end\r\n", "a\r\nend \r\n", "\r\nend\n"};
	static const char *const bad[] = {"", "en", "a end\r\n", "ended\r\n", "end\r\na", "end\r\n\r\n", "</Task>end\r\n"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(win_ended(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!win_ended(bad[i], strlen(bad[i])), "%s", bad[i]);
}
END_TEST

START_TEST(test_arguments_and_paths)
{
	ck_assert(win_is_argument("a b & c' (x86)"));
	ck_assert(!win_is_argument(""));
	ck_assert(!win_is_argument("a\"b"));
	ck_assert(!win_is_argument("100%"));
	ck_assert(!win_is_argument("a^b"));
	ck_assert(!win_is_argument("a\nb"));
	ck_assert(win_is_path("C:\\"));
	ck_assert(win_is_path("d:/x/y"));
	ck_assert(win_is_path("\\\\server\\share\\x"));
	ck_assert(win_is_path("C:\\Program Files (x86)\\A & B\\アプリ"));
	ck_assert(!win_is_path("C:"));
	ck_assert(!win_is_path("C:x"));
	ck_assert(!win_is_path("\\x"));
	ck_assert(!win_is_path("/etc"));
	ck_assert(!win_is_path("C:\\a:stream"));
	ck_assert(!win_is_path("C:\\a*"));
	ck_assert(!win_is_path("C:\\%PATH%"));
	ck_assert(!win_is_path("\\\\"));
}
END_TEST

static void joins(const char *folder, const char *name, const char *want)
{
	char *path = win_join(folder, name), *back = win_folder(path);

	ck_assert_str_eq(path, want);
	ck_assert(win_same(back, folder));
	ck_assert_str_eq(win_name(path), name);
	free(path);
	free(back);
}

START_TEST(test_folders)
{
	joins("C:\\", "x.exe", "C:\\x.exe");
	joins("C:\\a b", "x.exe", "C:\\a b\\x.exe");
	joins("C:\\a\\", "x.exe", "C:\\a\\x.exe");
	joins("\\\\s\\t", "x", "\\\\s\\t\\x");
	ck_assert(win_same("C:\\Program Files\\", "c:/PROGRAM FILES"));
	ck_assert(!win_same("C:\\a", "C:\\ab"));
	ck_assert(!win_same("", "C:\\"));
	ck_assert(win_same("", ""));
}
END_TEST

static void program_is(const char *command_line, const char *want)
{
	char *program = win_program(command_line);

	if (want)
		ck_assert_str_eq(program, want);
	else
		ck_assert_ptr_null(program);
	free(program);
}

START_TEST(test_programs)
{
	program_is("\"D:\\A B\\x.exe\" -k \"y z\"", "D:\\A B\\x.exe");
	program_is("\"D:\\A B\\x.exe\"", "D:\\A B\\x.exe");
	program_is("\"D:\\A B\\x.exe", "D:\\A B\\x.exe");
	program_is("D:\\A B\\x.exe -k y", "D:\\A B\\x.exe");
	program_is("C:\\Program Files (x86)\\T\\x.EXE", "C:\\Program Files (x86)\\T\\x.EXE");
	program_is("C:\\a.exe.d\\b.exe /c", "C:\\a.exe.d\\b.exe");
	program_is("\\??\\C:\\x.exe", "C:\\x.exe");
	program_is("C:\\tools\\run -x", "C:\\tools\\run");
	program_is("  C:\\x.exe", "C:\\x.exe");
	program_is("\\SystemRoot\\System32\\x.sys", NULL);
	program_is("system32\\x.exe", NULL);
	program_is("%ProgramFiles%\\x.exe", NULL);
	program_is("", NULL);
	program_is("\"", NULL);
	program_is("\\??\\", NULL);
}
END_TEST

SUITE(win_text)
{
	TEST_CASE(s, test_text);
	TEST_CASE(s, test_text_shown);
	TEST_CASE(s, test_lines);
	TEST_CASE(s, test_ended);
	TEST_CASE(s, test_arguments_and_paths);
	TEST_CASE(s, test_folders);
	TEST_CASE(s, test_programs);
}
