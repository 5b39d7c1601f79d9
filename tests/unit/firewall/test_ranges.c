#include "tests/lib/unit.h"

#include "agents/firewall/ranges.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	uint64_t from, size; /* size 0: none */
} parsed[] = {
	{ "0.0.0.0", 0, 1 },
	{ "255.255.255.255", 0xffffffff, 1 },
	{ "216.104.0.0/19", 0xd8680000, 8192 },
	{ "216.104.0.5/19", 0xd8680000, 8192 }, /* nft and iptables cut it off, too */
	{ "216.104.0.0/255.255.224.0", 0xd8680000, 8192 },
	{ "0.0.0.0/0", 0, ADDRESSES_END },
	{ "1.2.3.4/0.0.0.0", 0, ADDRESSES_END },
	{ "1.2.3.4/32", 0x01020304, 1 },
	{ "54.86.63.64-54.86.63.191", 0x36563f40, 128 },
	{ "1.2.3.4-1.2.3.4", 0x01020304, 1 },
	{ "1.2.3.4-1.2.3.3", 0, 0 },
	{ "1.2.3.4/33", 0, 0 },
	{ "1.2.3.4/-1", 0, 0 },
	{ "1.2.3.4/", 0, 0 },
	{ "1.2.3.4/255.0.255.0", 0, 0 },
	{ "1.2.3", 0, 0 },
	{ "1.2.3.256", 0, 0 },
	{ "1.2.3.4.5", 0, 0 },
	{ "01.2.3.4x", 0, 0 },
	{ "2001:db8::/32", 0, 0 },
	{ "", 0, 0 },
	{ "any", 0, 0 },
	{ "1.2.3.4 ", 0, 0 },
	{ "1.2.3.4-", 0, 0 },
	{ "1.2.3.4/24/24", 0, 0 },
};

START_TEST(test_parse)
{
	struct range r;
	struct err err = { 0 };
	int rc = range_parse(&r, parsed[_i].text, &err);

	ck_assert_msg((rc == 0) == (parsed[_i].size != 0), "%s", parsed[_i].text);
	if (rc) {
		ck_assert_int_eq(rc, E_INVAL);
		return;
	}
	ck_assert_msg(r.from == parsed[_i].from && r.end - r.from == parsed[_i].size, "%s", parsed[_i].text);
}
END_TEST

START_TEST(test_show)
{
	static const struct {
		uint64_t from, end;
		const char *text;
	} cases[] = {
		{ 0, 0, "none" },
		{ 0, ADDRESSES_END, "0.0.0.0/0" },
		{ 0xd8680000, 0xd8680000 + 8192, "216.104.0.0/19" },
		{ 1, 5, "0.0.0.1, 0.0.0.2/31, 0.0.0.4" },
		{ 1, 17, "0.0.0.1, 0.0.0.2/31, 0.0.0.4/30 and 2 more" },
		{ 0xffffffff, ADDRESSES_END, "255.255.255.255" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ranges r = { 0 };
		struct buf text = BUF_INIT;
		ranges_one(&r, cases[i].from, cases[i].end);
		ranges_show(&r, &text, 3);
		ck_assert_str_eq(buf_str(&text), cases[i].text);
		buf_release(&text);
		ranges_release(&r);
	}
}
END_TEST

/* ---- properties: against bits -------------------------------------------------------------------------------------- */

#define WORLD 48

static struct ranges random_set(uint64_t *bits)
{
	struct range list[8];
	struct ranges r = { 0 };
	size_t n = (size_t)rand() % 8;

	*bits = 0;
	for (size_t i = 0; i < n; i++) {
		list[i].from = (uint64_t)rand() % WORLD;
		list[i].end = list[i].from + (uint64_t)rand() % 9;
		if (list[i].end > WORLD)
			list[i].end = WORLD;
		for (uint64_t k = list[i].from; k < list[i].end; k++)
			*bits |= UINT64_C(1) << k;
	}
	ranges_of(&r, list, n);
	return r;
}

static void check_bits(const struct ranges *r, uint64_t bits)
{
	for (uint64_t k = 0; k < WORLD; k++)
		ck_assert_int_eq(ranges_has(r, k), (int)(bits >> k & 1));
	for (size_t i = 0; i < r->n; i++) {
		ck_assert_uint_lt(r->at[i].from, r->at[i].end);
		if (i)
			ck_assert_uint_gt(r->at[i].from, r->at[i - 1].end);
	}
}

START_TEST(test_arithmetic)
{
	srand(7);
	for (int i = 0; i < 20000; i++) {
		uint64_t x, y;
		struct ranges a = random_set(&x), b = random_set(&y), c = { 0 };
		check_bits(&a, x);
		ck_assert_int_eq(ranges_meet(&a, &b), (x & y) != 0);
		ck_assert_int_eq(ranges_within(&a, &b), (x & ~y) == 0);
		ranges_copy(&c, &a);
		ranges_or(&c, &b);
		check_bits(&c, x | y);
		ranges_copy(&c, &a);
		ranges_and(&c, &b);
		check_bits(&c, x & y);
		ranges_copy(&c, &a);
		ranges_minus(&c, &b);
		check_bits(&c, x & ~y);
		ranges_minus(&c, &c);
		ck_assert_uint_eq(c.n, 0);
		ranges_release(&a);
		ranges_release(&b);
		ranges_release(&c);
	}
}
END_TEST

SUITE(ranges)
{
	TEST_CASE_LOOP(s, test_parse, 0, (int)ARRAY_LEN(parsed));
	TEST_CASE(s, test_show);
	TEST_CASE(s, test_arithmetic);
}
