#include "tests/lib/unit.h"

#include "transport/ssh_level.h"

START_TEST(test_success_gives_one_more)
{
	struct level l;

	level_init(&l, 0);
	ck_assert_uint_eq(l.now, LEVEL_START);
	level_success(&l, LEVEL_START, 1);
	ck_assert_uint_eq(l.now, LEVEL_START + 1);
	/* where it held nobody up it says nothing */
	level_success(&l, LEVEL_START, 2);
	ck_assert_uint_eq(l.now, LEVEL_START + 1);
}
END_TEST

START_TEST(test_failure_halves_once_a_round)
{
	struct level l;
	unsigned round;

	level_init(&l, 0);
	for (int i = 0; i < 24; i++)
		level_success(&l, l.now, i);
	ck_assert_uint_eq(l.now, 32);
	round = l.round;
	ck_assert(level_failure(&l, round, 32, 100));
	ck_assert_uint_eq(l.now, 16);
	/* the others that were under way then */
	for (int i = 0; i < 10; i++)
		ck_assert(!level_failure(&l, round, 31, 101));
	ck_assert_uint_eq(l.now, 16);
	ck_assert(level_failure(&l, l.round, 16, 102));
	ck_assert_uint_eq(l.now, 8);
}
END_TEST

/* Half of what was in use: a level that nobody had reached is no measure. */
START_TEST(test_halves_what_is_used)
{
	struct level l;

	level_init(&l, 0);
	for (int i = 0; i < 92; i++)
		level_success(&l, l.now, i);
	ck_assert_uint_eq(l.now, 100);
	ck_assert(level_failure(&l, l.round, 20, 100));
	ck_assert_uint_eq(l.now, 10);
}
END_TEST

START_TEST(test_bounds)
{
	struct level l;

	level_init(&l, 0);
	for (int i = 0; i < 1000; i++)
		level_success(&l, l.now, i);
	ck_assert_uint_eq(l.now, LEVEL_MAX);
	for (int i = 0; i < 20; i++)
		level_failure(&l, l.round, l.now, 2000);
	ck_assert_uint_eq(l.now, LEVEL_MIN);
	ck_assert(level_failure(&l, l.round, 0, 2000));
	ck_assert_uint_eq(l.now, LEVEL_MIN);
}
END_TEST

START_TEST(test_probe)
{
	struct level l;
	int64_t due;

	level_init(&l, 1000);
	level_failure(&l, l.round, 8, 5000);
	ck_assert_uint_eq(l.now, 4);
	due = level_probe(&l, 6000);
	ck_assert_int_eq(due, 5000 + LEVEL_PROBE_MS);
	ck_assert_uint_eq(l.now, 4);
	due = level_probe(&l, due);
	ck_assert_uint_eq(l.now, 5);
	ck_assert_int_eq(due, 5000 + 2 * LEVEL_PROBE_MS);
}
END_TEST

/* A bastion that carries so many and refuses the rest: the level stays about there, never far above, never at nothing. */
START_TEST(test_finds_what_a_bastion_takes)
{
	const unsigned room = 37;
	struct level l;
	unsigned refused = 0;
	unsigned long sum = 0;

	level_init(&l, 0);
	for (int turn = 0; turn < 2000; turn++) {
		unsigned round = l.round, asked = l.now;

		for (unsigned used = 1; used <= asked; used++) {
			if (used <= room)
				level_success(&l, used, turn);
			else
				refused += level_failure(&l, round, used, turn);
		}
		ck_assert_uint_le(l.now, room + 1);
		sum += l.now;
	}
	ck_assert_uint_ge(sum / 2000, room / 2);
	ck_assert_uint_le(refused, 2000 / (room / 2 - 1));
}
END_TEST

SUITE(ssh_level)
{
	TEST_CASE(s, test_success_gives_one_more);
	TEST_CASE(s, test_failure_halves_once_a_round);
	TEST_CASE(s, test_halves_what_is_used);
	TEST_CASE(s, test_bounds);
	TEST_CASE(s, test_probe);
	TEST_CASE(s, test_finds_what_a_bastion_takes);
}
