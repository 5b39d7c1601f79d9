#include "tests/lib/unit.h"

#include "schema/state.h"

#include <string.h>

/* The legal moves once more, as they are decided on: an entry of the table that is changed by mistake is seen here. */
static const struct {
	const char *from, *to;
} moves[] = {
	{ "pending", "waiting blocked running not_applicable needs_person withdrawn" },
	{ "waiting", "pending withdrawn" },
	{ "blocked", "pending withdrawn" },
	{ "running", "verified unchanged applied failed drift unreachable indeterminate needs_person rolled_back "
		     "not_applicable waiting pending" },
	{ "applied", "running verified failed indeterminate needs_person waiting rolled_back" },
	{ "verified", "running rolled_back withdrawn" },
	{ "unchanged", "running rolled_back withdrawn" },
	{ "not_applicable", "pending withdrawn" },
	{ "needs_person", "confirmed failed running not_applicable withdrawn" },
	{ "confirmed", "running rolled_back withdrawn" },
	{ "failed", "running withdrawn rolled_back needs_person confirmed not_applicable" },
	{ "drift", "running withdrawn rolled_back needs_person confirmed not_applicable" },
	{ "unreachable", "running withdrawn rolled_back needs_person confirmed not_applicable" },
	{ "indeterminate", "running" },
	{ "rolled_back", "running withdrawn" },
	{ "withdrawn", "pending" },
};

static bool in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

START_TEST(test_moves)
{
	ck_assert_uint_eq(sizeof(moves) / sizeof(*moves), STEP_STATES);
	for (int from = 0; from < STEP_STATES; from++) {
		ck_assert_str_eq(step_state_name((enum step_state)from), moves[from].from);
		for (int to = 0; to < STEP_STATES; to++)
			ck_assert_msg(step_state_may((enum step_state)from, (enum step_state)to) ==
					      in_list(moves[from].to, moves[to].from),
				      "%s -> %s", moves[from].from, moves[to].from);
	}
}
END_TEST

START_TEST(test_names)
{
	for (int i = 0; i < STEP_STATES; i++) {
		ck_assert_int_eq(step_state_parse(step_state_name((enum step_state)i)), i);
		ck_assert_str_ne(step_state_meaning((enum step_state)i), "");
	}
	ck_assert_int_eq(step_state_parse("Verified"), -1);
	ck_assert_int_eq(step_state_parse(""), -1);
	ck_assert_str_eq(tenant_state_name(TENANT_HALF_SWITCHED), "half_switched");
	ck_assert_str_eq(tenant_state_name(TENANT_FAILED), "failed");
	for (int i = 0; i < PHASES; i++)
		ck_assert_int_eq(phase_parse(phase_name((enum phase)i)), i);
	ck_assert_int_eq(phase_parse("later"), -1);
}
END_TEST

START_TEST(test_classes)
{
	for (int i = 0; i < STEP_STATES; i++) {
		enum step_state state = (enum step_state)i;
		const char *name = step_state_name(state);
		ck_assert_int_eq(step_state_is_done(state),
				 in_list("verified unchanged confirmed not_applicable", name));
		ck_assert_int_eq(step_state_is_bad(state),
				 in_list("failed drift unreachable indeterminate rolled_back", name));
	}
}
END_TEST

/* From every state there is a way to verified, and none is its own: otherwise a row could be stuck for ever. */
START_TEST(test_no_dead_end)
{
	bool reaches[STEP_STATES] = { [STEP_VERIFIED] = true };

	for (int round = 0; round < STEP_STATES; round++)
		for (int from = 0; from < STEP_STATES; from++)
			for (int to = 0; to < STEP_STATES; to++)
				if (reaches[to] && step_state_may((enum step_state)from, (enum step_state)to))
					reaches[from] = true;
	for (int i = 0; i < STEP_STATES; i++)
		ck_assert_msg(reaches[i], "%s", step_state_name((enum step_state)i));
}
END_TEST

SUITE(state)
{
	TEST_CASE(s, test_moves);
	TEST_CASE(s, test_names);
	TEST_CASE(s, test_classes);
	TEST_CASE(s, test_no_dead_end);
}
