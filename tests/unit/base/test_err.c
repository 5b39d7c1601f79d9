#include "tests/lib/unit.h"

#include "base/err.h"

#include <errno.h>

START_TEST(test_set)
{
	struct err err = { 0 };

	ck_assert_int_eq(err_set(&err, E_IO, "disk %d of %s", 2, "mx1"), E_IO);
	ck_assert_int_eq(err.code, E_IO);
	ck_assert_str_eq(err.text, "disk 2 of mx1");
	ck_assert_int_eq(err_set(NULL, E_IO, "nobody looks"), E_IO);
	/* The old sentence may be part of the new one. */
	err_set(&err, E_PERM, "again: %s", err.text);
	ck_assert_str_eq(err.text, "again: disk 2 of mx1");
}
END_TEST

START_TEST(test_printable)
{
	struct err err = { 0 };

	err_set(&err, E_IO, "%s", "a\033[31mred\nnext\ttab\x7f");
	ck_assert_str_eq(err.text, "a?[31mred next tab?");
	err_set(&err, E_IO, "%s", "\xe6\x9d\xb1 caf\xc3\xa9 \xff \xc2\x9b CP932 \x93\x8c");
	ck_assert_str_eq(err.text, "\xe6\x9d\xb1 caf\xc3\xa9 ? ?? CP932 ??");
}
END_TEST

START_TEST(test_too_long_is_cut_between_characters)
{
	struct err err = { 0 };
	char text[3 * ERR_TEXT_MAX];

	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe6\x9d\xb1", 4);
		err_set(&err, E_IO, "%s", text);
		ck_assert_uint_eq((strlen(err.text) - shift) % 3, 0);
		ck_assert_uint_ge(strlen(err.text), ERR_TEXT_MAX - 4);
		ck_assert_ptr_null(strchr(err.text, '?'));
	}
}
END_TEST

START_TEST(test_errno)
{
	static const struct {
		int number, code;
	} rows[] = { { ENOSPC, E_NOSPACE }, { EDQUOT, E_NOSPACE },  { EACCES, E_PERM }, { EPERM, E_PERM },
		     { EROFS, E_PERM },     { ENOENT, E_NOTFOUND }, { EIO, E_IO },      { EMFILE, E_IO } };
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_int_eq(err_errno(&err, rows[i].number, "file %s", "x"), rows[i].code);
		ck_assert_int_eq(err.code, rows[i].code);
	}
	err_errno(&err, EACCES, "cannot open %s", "x");
	ck_assert_str_eq(err.text, "cannot open x: Permission denied");
	ck_assert_int_eq(err_errno(NULL, ENOENT, "x"), E_NOTFOUND);
}
END_TEST

START_TEST(test_prefix)
{
	struct err err = { 0 };
	char tail[ERR_TEXT_MAX];

	err_set(&err, E_HOSTKEY, "the key changed");
	ck_assert_int_eq(err_prefix(&err, "host %s: ", "mx1"), E_HOSTKEY);
	ck_assert_str_eq(err.text, "host mx1: the key changed");
	ck_assert_int_eq(err_prefix(NULL, "x"), 0);
	/* A short prefix cuts no more than it has to. */
	memset(tail, 'z', sizeof(tail) - 1);
	tail[sizeof(tail) - 1] = '\0';
	err_set(&err, E_IO, "%s", tail);
	err_prefix(&err, "ab");
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
	ck_assert_int_eq(strncmp(err.text, "abzzz", 5), 0);
}
END_TEST

START_TEST(test_names)
{
	int seen = 0;

	for (int code = -1; code > -100; code--) {
		const char *name = err_name(code);
		if (strcmp(name, "unknown") == 0)
			continue;
		ck_assert_int_eq(err_code(name), code);
		ck_assert(err_meaning(code)[0] != '\0');
		seen++;
	}
	ck_assert_int_eq(seen, 28);
	ck_assert_str_eq(err_name(0), "ok");
	ck_assert_str_eq(err_name(E_HOSTKEY), "host-key"); /* stored in journals */
	ck_assert_int_eq(err_code("no-such"), 0);
	ck_assert_str_eq(err_meaning(-999), "");
}
END_TEST

SUITE(err)
{
	TEST_CASE(s, test_set);
	TEST_CASE(s, test_printable);
	TEST_CASE(s, test_too_long_is_cut_between_characters);
	TEST_CASE(s, test_errno);
	TEST_CASE(s, test_prefix);
	TEST_CASE(s, test_names);
}
