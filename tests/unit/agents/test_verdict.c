#include "tests/lib/unit.h"

#include "agents/verdict.h"
#include "base/err.h"

START_TEST(test_kinds)
{
	ck_assert_int_eq(verdict_ok().kind, VERDICT_OK);
	ck_assert_int_eq(verdict_unchanged("x").kind, VERDICT_UNCHANGED);
	ck_assert_int_eq(verdict_again(7, "x").after_ms, 7);
	ck_assert_int_eq(verdict_again(7, "x").kind, VERDICT_AGAIN);
	ck_assert_int_eq(verdict_retry(E_IO, "x").code, E_IO);
	ck_assert_int_eq(verdict_retry(E_IO, "x").kind, VERDICT_RETRY);
	ck_assert_int_eq(verdict_reread("x").kind, VERDICT_REREAD);
	ck_assert_int_eq(verdict_wait(99, "x").until_ms, 99);
	ck_assert_int_eq(verdict_wait(99, "x").kind, VERDICT_WAIT);
	ck_assert_int_eq(verdict_not_applicable("x").kind, VERDICT_NOT_APPLICABLE);
	ck_assert_int_eq(verdict_applied("x").kind, VERDICT_APPLIED);
	ck_assert_int_eq(verdict_fail(E_PERM, "x").code, E_PERM);
	ck_assert_int_eq(verdict_fail(E_PERM, "x").kind, VERDICT_FAIL);
	ck_assert_int_eq(verdict_drift("x").kind, VERDICT_DRIFT);
	ck_assert_int_eq(verdict_person("x").kind, VERDICT_PERSON);
}
END_TEST

START_TEST(test_text)
{
	char longer[VERDICT_TEXT_MAX + 100];

	ck_assert_str_eq(verdict_drift("line %d of %s", 3, "a\nb\x1b[0m").text, "line 3 of a b?[0m");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_uint_eq(strlen(verdict_drift("%s", longer).text), VERDICT_TEXT_MAX - 1);
}
END_TEST

START_TEST(test_names)
{
	for (int kind = VERDICT_OK; kind <= VERDICT_PERSON; kind++) {
		for (int other = VERDICT_OK; other < kind; other++)
			ck_assert_str_ne(verdict_name((enum verdict_kind)kind), verdict_name((enum verdict_kind)other));
	}
	/* they are stored in the journal */
	ck_assert_str_eq(verdict_name(VERDICT_NOT_APPLICABLE), "not-applicable");
	ck_assert_str_eq(verdict_name(VERDICT_FAIL), "fail");
}
END_TEST

SUITE(verdict)
{
	TEST_CASE(s, test_kinds);
	TEST_CASE(s, test_text);
	TEST_CASE(s, test_names);
}
