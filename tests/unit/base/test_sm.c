#include "tests/lib/unit.h"

#include "base/sm.h"

#include <signal.h>

enum { CLOSED, OPENING, OPEN };

static const struct sm_state states[] = {
	[CLOSED] = { "closed", SM_TO(OPENING) },
	[OPENING] = { "opening", SM_TO(OPEN) | SM_TO(CLOSED) },
	[OPEN] = { "open", SM_TO(CLOSED) },
};

START_TEST(test_legal)
{
	struct sm sm;

	sm_init(&sm, states, CLOSED);
	ck_assert_str_eq(sm_name(&sm), "closed");
	ck_assert(sm_may(&sm, OPENING));
	ck_assert(!sm_may(&sm, OPEN));
	ck_assert(!sm_may(&sm, CLOSED));
	ck_assert_str_eq(sm_move(&sm, OPENING, "door"), "closed");
	ck_assert_str_eq(sm_move(&sm, OPEN, "door"), "opening");
	ck_assert_int_eq(sm.now, OPEN);
	ck_assert_str_eq(sm_name(&sm), "open");
}
END_TEST

START_TEST(test_illegal_aborts)
{
	struct sm sm;

	sm_init(&sm, states, CLOSED);
	sm_move(&sm, OPEN, "the test's door (this line belongs to the test)");
}
END_TEST

SUITE(sm)
{
	TCase *tc = tcase_create("test_illegal_aborts");

	TEST_CASE(s, test_legal);
	tcase_add_test_raise_signal(tc, test_illegal_aborts, SIGABRT);
	suite_add_tcase(s, tc);
}
