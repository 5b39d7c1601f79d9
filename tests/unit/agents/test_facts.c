#include "tests/lib/unit.h"

#include "agents/facts.h"

START_TEST(test_set_get)
{
	struct facts f = { 0 };

	ck_assert_ptr_null(facts_get(&f, "a"));
	ck_assert_str_eq(facts_text(&f, "a", "none"), "none");
	facts_set_text(&f, "b", "2");
	facts_set_text(&f, "a", "1");
	facts_setf(&f, "c", "%d", 3);
	facts_set_text(&f, "b", "two");
	ck_assert_uint_eq(f.n, 3);
	ck_assert_str_eq(f.at[0].key, "a");
	ck_assert_str_eq(f.at[2].key, "c");
	ck_assert_str_eq(facts_text(&f, "b", ""), "two");
	facts_unset(&f, "b");
	facts_unset(&f, "b");
	ck_assert_uint_eq(f.n, 2);
	ck_assert_ptr_null(facts_get(&f, "b"));
	facts_release(&f);
	ck_assert_uint_eq(f.n, 0);
}
END_TEST

START_TEST(test_any_bytes)
{
	struct facts f = { 0 };

	facts_set(&f, "x", "a\0b", 3);
	ck_assert_uint_eq(facts_get(&f, "x")->len, 3);
	ck_assert_int_eq(memcmp(facts_get(&f, "x")->value, "a\0b", 4), 0);
	ck_assert(!facts_is(&f, "x", "a"));
	facts_set(&f, "y", NULL, 0);
	ck_assert(facts_is(&f, "y", ""));
	ck_assert(!facts_is(&f, "z", ""));
	facts_release(&f);
}
END_TEST

START_TEST(test_value_of_itself)
{
	struct facts f = { 0 };

	facts_set_text(&f, "list", "a");
	facts_setf(&f, "list", "%s,b", facts_text(&f, "list", ""));
	ck_assert_str_eq(facts_text(&f, "list", ""), "a,b");
	facts_release(&f);
}
END_TEST

START_TEST(test_copy)
{
	struct facts a = { 0 }, b = { 0 };

	facts_set_text(&a, "x", "1");
	facts_set_text(&b, "y", "2");
	facts_copy(&b, &a);
	facts_set_text(&a, "x", "3");
	ck_assert_uint_eq(b.n, 1);
	ck_assert_str_eq(facts_text(&b, "x", ""), "1");
	facts_copy(&a, &a);
	ck_assert_str_eq(facts_text(&a, "x", ""), "3");
	facts_release(&a);
	facts_release(&b);
}
END_TEST

START_TEST(test_many)
{
	struct facts f = { 0 };
	char key[16];

	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "k%03d", (i * 263) % 500);
		facts_setf(&f, key, "%d", (i * 263) % 500);
	}
	ck_assert_uint_eq(f.n, 500);
	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "k%03d", i);
		ck_assert_int_eq((int)strtol(facts_text(&f, key, "-1"), NULL, 10), i);
		ck_assert_str_eq(f.at[i].key, key);
	}
	facts_release(&f);
}
END_TEST

SUITE(facts)
{
	TEST_CASE(s, test_set_get);
	TEST_CASE(s, test_any_bytes);
	TEST_CASE(s, test_value_of_itself);
	TEST_CASE(s, test_copy);
	TEST_CASE(s, test_many);
}
