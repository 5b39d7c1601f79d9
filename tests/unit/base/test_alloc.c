#include "tests/lib/unit.h"

#include "base/alloc.h"

#include <signal.h>
#include <stdint.h>

START_TEST(test_zeroed)
{
	unsigned char *p = mem_new(100, 3);

	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(p[i], 0);
	free(p);
	p = mem_new(0, 0);
	ck_assert_ptr_nonnull(p);
	free(p);
}
END_TEST

START_TEST(test_strings)
{
	char *a = str_dup("hello"), *b = str_ndup("hello", 2), *c = str_fmt("%s-%d", "x", 7), *d = str_ndup("", 0);

	ck_assert_str_eq(a, "hello");
	ck_assert_str_eq(b, "he");
	ck_assert_str_eq(c, "x-7");
	ck_assert_str_eq(d, "");
	ck_assert_ptr_null(str_dup(NULL));
	free(b);
	free(c);
	free(d);
	str_free_secret(a);
	str_free_secret(NULL);
	mem_free_secret(NULL, 0);
}
END_TEST

/* Elements may also be taken off the end: the room is enough all the same. */
START_TEST(test_grow_for_one)
{
	int *array = NULL;
	size_t n = 0;

	for (int round = 0; round < 3; round++) {
		while (n < 1000) {
			GROW_FOR_ONE(array, n);
			array[n] = (int)n;
			n++;
		}
		for (size_t i = 0; i < n; i++)
			ck_assert_int_eq(array[i], (int)i);
		n = (size_t)(5 + round * 100);
	}
	free(array);
}
END_TEST

START_TEST(test_container_of)
{
	struct {
		int first;
		char member;
	} object = { 1, 'x' };
	char *member = &object.member;

	ck_assert_ptr_eq(CONTAINER_OF(member, __typeof__(object), member), &object);
	ck_assert_uint_eq(ARRAY_LEN(((int[]){ 1, 2, 3 })), 3);
}
END_TEST

/* n * size overflows: not a small block, but the end. */
START_TEST(test_overflow_aborts)
{
	volatile size_t much = SIZE_MAX / 2;

	free(mem_grow(NULL, much, 4));
}
END_TEST

SUITE(alloc)
{
	TEST_CASE(s, test_zeroed);
	TEST_CASE(s, test_strings);
	TEST_CASE(s, test_grow_for_one);
	TEST_CASE(s, test_container_of);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	puts("skipped: alloc: test_overflow_aborts: the sanitizer ends the program before mem_grow can");
	(void)test_overflow_aborts;
#else
	TCase *tc = tcase_create("test_overflow_aborts");
	tcase_add_test_raise_signal(tc, test_overflow_aborts, SIGABRT);
	suite_add_tcase(s, tc);
#endif
}
