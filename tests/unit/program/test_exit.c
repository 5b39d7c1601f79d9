#include "tests/lib/unit.h"

#include "base/err.h"
#include "exit.h"

/* The contract: the first that applies of 70, 2, 6, 4, 3, 1, 5, 7, 0; 10 comes just before 0. */
static const int precedence[] = { 70, 2, 6, 4, 3, 1, 5, 7, 10, 0 };
#define N (int)(sizeof(precedence) / sizeof(*precedence))

START_TEST(test_each_wins_over_those_behind)
{
	for (int behind = _i; behind < N; behind++) {
		const int codes[] = { precedence[behind], precedence[_i], precedence[N - 1] };
		ck_assert_int_eq(exit_worst(codes, 3), precedence[_i]);
	}
	ck_assert_ptr_nonnull(exit_meaning(precedence[_i]));
}
END_TEST

START_TEST(test_none_is_done)
{
	ck_assert_int_eq(exit_worst(NULL, 0), EXIT_DONE);
}
END_TEST

START_TEST(test_no_exit_code_is_a_fault)
{
	const int codes[] = { 0, 8 };

	ck_assert_int_eq(exit_worst(codes, 2), EXIT_BUG);
	ck_assert_ptr_null(exit_meaning(8));
}
END_TEST

START_TEST(test_errors)
{
	ck_assert_int_eq(exit_for(0), EXIT_DONE);
	ck_assert_int_eq(exit_for(E_INVAL), EXIT_USAGE);
	ck_assert_int_eq(exit_for(E_CORRUPT), EXIT_USAGE);
	ck_assert_int_eq(exit_for(E_NEWER), EXIT_USAGE);
	ck_assert_int_eq(exit_for(E_NOTFOUND), EXIT_USAGE);
	ck_assert_int_eq(exit_for(E_NOSPACE), EXIT_USAGE);
	ck_assert_int_eq(exit_for(E_LOCKED), EXIT_LOCKED);
	ck_assert_int_eq(exit_for(E_CANCELED), EXIT_STOPPED);
	ck_assert_int_eq(exit_for(E_BUG), EXIT_BUG);
}
END_TEST

SUITE(exit)
{
	TEST_CASE_LOOP(s, test_each_wins_over_those_behind, 0, N);
	TEST_CASE(s, test_none_is_done);
	TEST_CASE(s, test_no_exit_code_is_a_fault);
	TEST_CASE(s, test_errors);
}
