#include "tests/unit/inventory/fixture.h"

#include "inventory/arena.h"
#include "inventory/names.h"

#include "base/alloc.h"

#include <stdint.h>

START_TEST(test_many)
{
	struct arena arena = { 0 };
	struct names t = { 0 };
	int values[2000];

	ck_assert_ptr_null(names_get(&t, "a"));
	for (int i = 0; i < 2000; i++) {
		values[i] = i;
		ck_assert(names_add(&t, arena_fmt(&arena, "tenant-%d", i), &values[i]));
	}
	ck_assert(!names_add(&t, "tenant-7", &values[0]));
	ck_assert_uint_eq(t.n, 2000);
	for (int i = 0; i < 2000; i++) {
		int *found = names_get(&t, arena_fmt(&arena, "tenant-%d", i));
		ck_assert_ptr_eq(found, &values[i]);
	}
	ck_assert_ptr_null(names_get(&t, "tenant-2000"));
	ck_assert_ptr_null(names_get(&t, ""));
	names_release(&t);
	arena_release(&arena);
}
END_TEST

SUITE(names)
{
	TEST_CASE(s, test_many);
}
