#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "report/tenant_state.h"

/* Rows as words: phase letter (p r s S=last of switch, e=settle), ':' and the state's name. */
static const struct {
	const char *rows;
	enum tenant_state want;
} table[] = {
	{ "", TENANT_NOT_READY },
	{ "p:withdrawn S:withdrawn", TENANT_NOT_READY },
	{ "p:pending S:pending", TENANT_NOT_READY },
	{ "p:verified r:needs_person S:blocked", TENANT_NOT_READY },
	{ "p:verified r:confirmed s:waiting S:blocked", TENANT_READY },
	{ "p:not_applicable s:pending S:pending e:pending", TENANT_READY },
	{ "p:verified s:running S:blocked", TENANT_SWITCHING },
	{ "p:pending s:running S:blocked", TENANT_SWITCHING },
	/* moved by us or by a person, and the last step open */
	{ "p:verified s:verified S:waiting", TENANT_HALF_SWITCHED },
	{ "s:applied S:blocked", TENANT_HALF_SWITCHED },
	{ "s:confirmed S:needs_person", TENANT_HALF_SWITCHED },
	{ "S:verified S:pending", TENANT_HALF_SWITCHED },
	{ "s:verified S:failed", TENANT_HALF_SWITCHED },
	{ "s:verified S:rolled_back", TENANT_HALF_SWITCHED },
	{ "p:failed s:verified S:pending", TENANT_HALF_SWITCHED },
	/* it was so before we came: nothing was moved */
	{ "p:verified s:unchanged S:waiting", TENANT_READY },
	{ "s:not_applicable S:waiting", TENANT_READY },
	/* the last step is done, others are not */
	{ "s:failed S:verified", TENANT_FAILED },
	{ "s:verified S:verified s:drift", TENANT_FAILED },
	{ "p:unreachable S:pending", TENANT_FAILED },
	{ "s:indeterminate S:pending", TENANT_FAILED },
	{ "s:rolled_back s:drift S:pending", TENANT_FAILED },
	{ "s:rolled_back S:pending", TENANT_ROLLED_BACK },
	{ "s:rolled_back S:rolled_back e:pending", TENANT_ROLLED_BACK },
	{ "p:verified s:verified S:verified e:waiting", TENANT_WATCHING },
	{ "s:unchanged S:confirmed e:blocked", TENANT_WATCHING },
	{ "p:verified s:verified S:verified e:unchanged", TENANT_DONE },
	{ "p:confirmed s:not_applicable S:verified e:withdrawn", TENANT_DONE },
	{ "p:verified", TENANT_DONE },
};

static struct tenant_state_row row_of(const char *word, size_t len)
{
	char name[32];
	int state;

	snprintf(name, sizeof(name), "%.*s", (int)len - 2, word + 2);
	state = step_state_parse(name);
	ck_assert_msg(state >= 0, "%s", name);
	return (struct tenant_state_row){
		.state = (enum step_state)state,
		.phase = *word == 'p'	? PHASE_PREPARE
			 : *word == 'r' ? PHASE_READY
			 : *word == 'e' ? PHASE_SETTLE
					: PHASE_SWITCH,
		.last_switch = *word == 'S',
	};
}

START_TEST(each)
{
	struct tenant_state_row rows[8];
	size_t n = 0;

	for (const char *at = table[_i].rows; *at; n++) {
		size_t len = strcspn(at, " ");

		rows[n] = row_of(at, len);
		at += len + (at[len] == ' ');
	}
	ck_assert_msg(tenant_state_derive(rows, n) == table[_i].want, "%s: %s", table[_i].rows,
		      tenant_state_name(tenant_state_derive(rows, n)));
}
END_TEST

/* The order of the rows says nothing. */
START_TEST(any_order)
{
	struct tenant_state_row rows[] = { row_of("s:verified", 10), row_of("S:waiting", 9), row_of("p:failed", 8) };

	for (int i = 0; i < 3; i++) {
		struct tenant_state_row first = rows[0];

		ck_assert_int_eq(tenant_state_derive(rows, 3), TENANT_HALF_SWITCHED);
		memmove(rows, rows + 1, 2 * sizeof(*rows));
		rows[2] = first;
	}
}
END_TEST

SUITE(tenant_state)
{
	TEST_CASE_LOOP(s, each, 0, (int)ARRAY_LEN(table));
	TEST_CASE(s, any_order);
}
