/*
 * The common ground of the unit tests. A test file tests/unit/LAYER/test_MODULE.c defines
 *
 *     SUITE(module)                     // "module" is the suite's name in the output
 *     {
 *             TEST_CASE(s, test_one);   // each START_TEST(test_one) … END_TEST of the file
 *     }
 *
 * and is found by itself: SUITE registers the suite before main() runs.
 */
#ifndef TESTS_LIB_UNIT_H
#define TESTS_LIB_UNIT_H

#include <check.h>

/* Registers a suite; used by SUITE only. */
void unit_register(const char *name, void (*fill)(Suite *));

#define SUITE(module)                                                                                                  \
	static void suite_fill_##module(Suite *s);                                                                     \
	__attribute__((constructor)) static void suite_register_##module(void)                                         \
	{                                                                                                              \
		unit_register(#module, suite_fill_##module);                                                           \
	}                                                                                                              \
	static void suite_fill_##module(Suite *s)

/* One test case per test, so that a failure names it and a time-out is its own. */
#define TEST_CASE(suite, test)                                                                                         \
	do {                                                                                                           \
		TCase *tc_ = tcase_create(#test);                                                                      \
		tcase_set_timeout(tc_, 300);                                                                           \
		tcase_add_test(tc_, test);                                                                             \
		suite_add_tcase(suite, tc_);                                                                           \
	} while (0)

/* The same for a loop test: `_i` runs from first to last - 1. */
#define TEST_CASE_LOOP(suite, test, first, last)                                                                       \
	do {                                                                                                           \
		TCase *tc_ = tcase_create(#test);                                                                      \
		tcase_set_timeout(tc_, 300);                                                                           \
		tcase_add_loop_test(tc_, test, first, last);                                                           \
		suite_add_tcase(suite, tc_);                                                                           \
	} while (0)

#endif
