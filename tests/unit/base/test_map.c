#include "tests/lib/unit.h"

#include "base/map.h"

#include <stdio.h>

static int values[5000];

START_TEST(test_empty)
{
	struct map m = { 0 };

	ck_assert_ptr_null(map_get(&m, ""));
	ck_assert_ptr_null(map_get(&m, "x"));
	map_release(&m);
}
END_TEST

START_TEST(test_set_and_replace)
{
	struct map m = { 0 };
	char key[] = "acme";

	map_set(&m, key, &values[0]);
	key[0] = 'X'; /* it was copied */
	ck_assert_ptr_eq(map_get(&m, "acme"), &values[0]);
	ck_assert_ptr_null(map_get(&m, "Xcme"));
	map_set(&m, "acme", &values[1]);
	ck_assert_ptr_eq(map_get(&m, "acme"), &values[1]);
	ck_assert_uint_eq(m.n, 1);
	map_set(&m, "", &values[2]);
	ck_assert_ptr_eq(map_get(&m, ""), &values[2]);
	ck_assert_uint_eq(m.n, 2);
	map_release(&m);
	ck_assert_ptr_null(map_get(&m, "acme"));
}
END_TEST

START_TEST(test_many)
{
	struct map m = { 0 };
	char key[24];

	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "tenant-%d", i);
		map_set(&m, key, &values[i]);
	}
	ck_assert_uint_eq(m.n, 5000);
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "tenant-%d", i);
		if (map_get(&m, key) != (i < 5000 ? &values[i] : NULL))
			ck_abort_msg("%s", key);
	}
	map_release(&m);
}
END_TEST

SUITE(map)
{
	TEST_CASE(s, test_empty);
	TEST_CASE(s, test_set_and_replace);
	TEST_CASE(s, test_many);
}
