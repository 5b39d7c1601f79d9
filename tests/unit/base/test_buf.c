#include "tests/lib/unit.h"

#include "base/buf.h"

#include <string.h>

START_TEST(test_empty)
{
	struct buf b = BUF_INIT;
	char *text;

	ck_assert_str_eq(buf_str(&b), "");
	ck_assert(buf_equals(&b, "", 0));
	buf_clear(&b);
	buf_shift(&b, 0);
	ck_assert(buf_add(&b, "", 0));
	text = buf_detach(&b);
	ck_assert_str_eq(text, "");
	free(text);
	buf_release(&b);
}
END_TEST

START_TEST(test_add)
{
	struct buf b = BUF_INIT;

	ck_assert(buf_adds(&b, "ab"));
	ck_assert(buf_addc(&b, 'c'));
	ck_assert(buf_addf(&b, "%d%s", 12, "xyz"));
	ck_assert(buf_add(&b, "\0!", 2));
	ck_assert(buf_equals(&b, "abc12xyz\0!", 10));
	ck_assert(!buf_equals(&b, "abc12xyz\0?", 10));
	ck_assert(!buf_equals(&b, "abc12xyz\0!", 9));
	ck_assert_int_eq(b.data[b.len], 0);
	buf_release(&b);
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

/* Every size up to and over the maximum: the content is the beginning, the end is a NUL, and `truncated` says the
 * truth. */
START_TEST(test_max)
{
	struct buf b;

	for (size_t len = 0; len < 200; len++) {
		buf_init(&b, 100);
		for (size_t i = 0; i < len; i++)
			ck_assert_int_eq(buf_addc(&b, (char)('a' + i % 26)), i < 100);
		ck_assert_uint_eq(b.len, len < 100 ? len : 100);
		ck_assert_int_eq(b.truncated, len > 100);
		for (size_t i = 0; i < b.len; i++)
			ck_assert_int_eq(b.data[i], (char)('a' + i % 26));
		if (b.data)
			ck_assert_int_eq(b.data[b.len], 0);
		buf_release(&b);
		ck_assert_uint_eq(b.max, 100); /* it stays the same buffer */
		ck_assert(!b.truncated);
	}
}
END_TEST

START_TEST(test_partial_add)
{
	struct buf b;

	buf_init(&b, 5);
	ck_assert(buf_adds(&b, "abc"));
	ck_assert(!buf_adds(&b, "defg"));
	ck_assert_str_eq(buf_str(&b), "abcde");
	ck_assert(b.truncated);
	ck_assert_uint_eq(buf_room(&b, 10), 0);
	buf_clear(&b);
	ck_assert(!b.truncated);
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert(buf_adds(&b, "xy"));
	ck_assert_str_eq(buf_str(&b), "xy");
	buf_release(&b);
}
END_TEST

START_TEST(test_room)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_uint_eq(buf_room(&b, 300), 300);
	memset(b.data, 'r', 300);
	b.len += 300;
	ck_assert_uint_eq(buf_room(&b, 900), 700);
	memset(b.data + b.len, 's', 700);
	b.len += 700;
	b.data[b.len] = '\0';
	ck_assert_uint_eq(strlen(buf_str(&b)), 1000);
	buf_release(&b);
}
END_TEST

START_TEST(test_shift)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "0123456789");
	buf_shift(&b, 4);
	ck_assert_str_eq(buf_str(&b), "456789");
	buf_shift(&b, 0);
	buf_shift(&b, 6);
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_uint_eq(b.len, 0);
	buf_release(&b);
}
END_TEST

START_TEST(test_detach)
{
	struct buf b;
	char *text;

	buf_init(&b, 50);
	buf_adds(&b, "mine now");
	text = buf_detach(&b);
	ck_assert_str_eq(text, "mine now");
	ck_assert_uint_eq(b.len, 0);
	ck_assert_uint_eq(b.cap, 0);
	buf_adds(&b, "another");
	ck_assert_str_eq(text, "mine now");
	free(text);
	buf_release_secret(&b);
	ck_assert_ptr_null(b.data);
}
END_TEST

SUITE(buf)
{
	TEST_CASE(s, test_empty);
	TEST_CASE(s, test_add);
	TEST_CASE(s, test_max);
	TEST_CASE(s, test_partial_add);
	TEST_CASE(s, test_room);
	TEST_CASE(s, test_shift);
	TEST_CASE(s, test_detach);
}
