#include "tests/unit/inventory/fixture.h"

#include "inventory/arena.h"

#include "base/alloc.h"

#include <stdint.h>

/* Sizes around the blocks' ends: what was handed out is zeroed, aligned, and does not overlap. */
START_TEST(test_blocks)
{
	struct arena a = { 0 };
	unsigned char *at[400];
	size_t size[400];

	srand(3);
	for (size_t i = 0; i < 400; i++) {
		size[i] = (size_t)rand() % (i % 50 ? 3000 : 9000000) + 1;
		at[i] = arena_alloc(&a, size[i], 1);
		ck_assert_uint_eq((uintptr_t)at[i] % 16, 0);
		ck_assert_uint_eq(at[i][0] | at[i][size[i] - 1], 0);
		memset(at[i], (int)(i % 250) + 1, size[i]);
	}
	for (size_t i = 0; i < 400; i++)
		for (size_t j = 0; j<size[i]; j += size[i]> 64 ? size[i] / 64 : 1)
			ck_assert_uint_eq(at[i][j], i % 250 + 1);
	arena_release(&a);
	ck_assert_ptr_null(a.blocks);
}
END_TEST

START_TEST(test_text)
{
	struct arena a = { 0 };

	ck_assert_ptr_null(arena_dup(&a, NULL));
	ck_assert_str_eq(arena_dup(&a, ""), "");
	ck_assert_str_eq(arena_ndup(&a, "abc", 2), "ab");
	ck_assert_str_eq(arena_fmt(&a, "%s-%d", "x", 7), "x-7");
	ck_assert_ptr_nonnull(arena_alloc(&a, 0, 8));
	arena_release(&a);
}
END_TEST

SUITE(arena)
{
	TEST_CASE(s, test_blocks);
	TEST_CASE(s, test_text);
}
