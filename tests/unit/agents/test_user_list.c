/* Lists of users in the forms that a service might give them, and in those that are none. */
#include "tests/lib/unit.h"

#include "agents/user_list.h"

#include <stdlib.h>
#include <string.h>

#define D "acme.example"

static struct user_list read_text(const char *text)
{
	struct user_list list;

	user_list_read(text, strlen(text), D, &list);
	return list;
}

static void counts(const char *text, size_t n)
{
	struct user_list list = read_text(text);

	ck_assert_msg(list.kind == USER_LIST_COUNTED && list.n == n, "%s: kind %d, %zu", text, (int)list.kind, list.n);
}

static void is_kind(const char *text, enum user_list_kind kind)
{
	struct user_list list = read_text(text);

	ck_assert_msg(list.kind == kind && list.n == 0, "%s: kind %d, %zu", text, (int)list.kind, list.n);
}

START_TEST(test_forms)
{
	counts("a@acme.example\nb@acme.example\n", 2);
	counts("a@acme.example\r\nb@acme.example", 2);
	counts("name,mail\r\n\"Sato, K\",\"sato@acme.example\"\r\nTanaka,tanaka@acme.example,x\r\n", 2);
	counts("<users><user mail='a@acme.example'/><user><mail>b@acme.example</mail></user></users>", 2);
	counts("{\"users\":[{\"mail\":\"a@acme.example\"},{\"mail\":\"b\\u0040acme.example\"}]}", 2);
	counts("dn: x\nmail: a@acme.example\nproxyAddresses: smtp:b@acme.example\n", 2);
	counts("a&#64;acme.example b&#x40;acme.example c%40acme.example d%40ACME.example", 4);
	counts("o'brien@acme.example 'quoted@acme.example' a+tag@acme.example x_y-z.w@acme.example", 4);
	counts("\xe4\xbd\x90@acme.example", 1);
	counts("", 0);
	counts(" \r\n\t", 0);
}
END_TEST

START_TEST(test_different_ones_only)
{
	counts("a@acme.example A@ACME.EXAMPLE a@acme.example", 1);
	counts("<user href=\"/domains/acme.example/users/a@acme.example\">a@acme.example</user>", 1);
}
END_TEST

START_TEST(test_of_that_domain_only)
{
	counts("a@acme.example b@acme.example.evil c@acme.examples d@xacme.example e@sub.acme.example f@acme.example-x", 1);
	counts("a@acme.example. b@acme.example, c@acme.example; d@acme.example>", 4);
	is_kind("a@other.example b@third.example", USER_LIST_NONE);
	is_kind("@acme.example", USER_LIST_NONE);
	is_kind("...@acme.example", USER_LIST_NONE);
}
END_TEST

START_TEST(test_no_list)
{
	is_kind("<!DOCTYPE html><html>a@acme.example</html>", USER_LIST_PAGE);
	is_kind("\xef\xbb\xbf \n<HTML><body>log in</body>", USER_LIST_PAGE);
	is_kind("<users/>", USER_LIST_NONE);
	is_kind("OK", USER_LIST_NONE);
	is_kind("[]", USER_LIST_NONE);
	is_kind("@@@@@@", USER_LIST_NONE);
	is_kind("&#64;&#64", USER_LIST_NONE);
}
END_TEST

/* Order, case, repetition, other columns and the format change nothing; another address does. */
START_TEST(test_hash)
{
	struct user_list text = read_text("a@acme.example\nb@acme.example\n");
	struct user_list other = read_text("b@acme.example\nc@acme.example\n");
	static const char *const same[] = { "B@acme.example,x\nA@acme.example,y\n", "<u>b@acme.example</u><u>a@acme.example</u>",
					    "a@acme.example b@acme.example a@acme.example admin@elsewhere.example" };

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		ck_assert_str_eq(read_text(same[i]).sha256, text.sha256);
	ck_assert_str_ne(other.sha256, text.sha256);
	ck_assert_str_ne(read_text("").sha256, text.sha256);
}
END_TEST

START_TEST(test_utf16)
{
	static const char text[] = "a@acme.example\r\nb@acme.example\r\n";
	char little[2 * sizeof(text)] = "\xff\xfe", big[2 * sizeof(text)] = "\xfe\xff";
	struct user_list list;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		little[2 + 2 * i] = big[3 + 2 * i] = text[i];
		little[3 + 2 * i] = big[2 + 2 * i] = '\0';
	}
	user_list_read(little, 2 * sizeof(text), D, &list);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_str_eq(list.sha256, read_text(text).sha256);
	user_list_read(big, 2 * sizeof(text), D, &list);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_str_eq(list.sha256, read_text(text).sha256);
}
END_TEST

/* Any bytes, cut anywhere: it ends, and reads nothing beyond (the sanitizers look). */
START_TEST(test_any_bytes)
{
	static const char pieces[][16] = { "@", "acme.example", "a", "&#64;", "&#6", "%4", "%40", "\\u0040", "\\u004", ".", "'", "<html", "\xff\xfe",
					   "\xef\xbb\xbf", " ", "\n", "A@ACME.EXAMPLE" };
	unsigned seed = 1;

	for (int round = 0; round < 20000; round++) {
		char body[256];
		size_t len = 0;
		struct user_list list;
		char *exact;
		while (len < 180) {
			seed = seed * 1103515245 + 12345;
			if ((seed >> 16) % 7 == 0) {
				body[len++] = (char)(seed >> 24);
				continue;
			}
			const char *piece = pieces[(seed >> 16) % (sizeof(pieces) / sizeof(*pieces))];
			memcpy(body + len, piece, strlen(piece));
			len += strlen(piece);
		}
		len = (seed >> 8) % len;
		exact = malloc(len ? len : 1);
		memcpy(exact, body, len);
		user_list_read(exact, len, D, &list);
		ck_assert_uint_le(list.n, len);
		ck_assert(list.kind == USER_LIST_COUNTED || list.n == 0);
		free(exact);
	}
}
END_TEST

SUITE(user_list)
{
	TEST_CASE(s, test_forms);
	TEST_CASE(s, test_different_ones_only);
	TEST_CASE(s, test_of_that_domain_only);
	TEST_CASE(s, test_no_list);
	TEST_CASE(s, test_hash);
	TEST_CASE(s, test_utf16);
	TEST_CASE(s, test_any_bytes);
}
