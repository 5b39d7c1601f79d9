#include "tests/lib/unit.h"

#include "base/embed.h"

static const struct embedded table[] = { { "a.sql", "AAA", 3 }, { "b.sql", "", 0 }, { 0, 0, 0 } };

START_TEST(test_find)
{
	ck_assert_ptr_eq(embedded_find(table, "a.sql"), &table[0]);
	ck_assert_ptr_eq(embedded_find(table, "b.sql"), &table[1]);
	ck_assert_ptr_null(embedded_find(table, "c.sql"));
	ck_assert_ptr_null(embedded_find(table, ""));
	ck_assert_ptr_null(embedded_find(&table[2], "a.sql"));
}
END_TEST

SUITE(embed)
{
	TEST_CASE(s, test_find);
}
