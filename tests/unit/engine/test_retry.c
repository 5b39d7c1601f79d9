#include "tests/lib/unit.h"

#include "base/err.h"
#include "engine/retry.h"

START_TEST(test_classes)
{
	static const struct {
		int code;
		bool connected;
		enum retry_class class;
	} cases[] = {
		{ E_REFUSED, false, RETRY_UNREACHABLE }, { E_UNREACHABLE, false, RETRY_UNREACHABLE },
		{ E_TIMEOUT, false, RETRY_UNREACHABLE }, { E_CLOSED, false, RETRY_UNREACHABLE },
		{ E_TIMEOUT, true, RETRY_PASSING },	 { E_CLOSED, true, RETRY_PASSING },
		{ E_PROTOCOL, true, RETRY_PASSING },	 { E_AUTH, false, RETRY_FINAL },
		{ E_HOSTKEY, false, RETRY_FINAL },	 { E_IDENTITY, false, RETRY_FINAL },
		{ E_SUDO, true, RETRY_FINAL },		 { E_KEX, false, RETRY_FINAL },
		{ E_SIGN, false, RETRY_FINAL },		 { E_NOSPACE, true, RETRY_FINAL },
		{ E_CANCELED, true, RETRY_FINAL },	 { E_BUG, true, RETRY_FINAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(retry_class(cases[i].code, cases[i].connected) == cases[i].class, "%s", err_name(cases[i].code));
}
END_TEST

START_TEST(test_delays)
{
	const struct retry_policy p = { .attempts = 4, .first_delay_ms = 2000, .max_delay_ms = 60000 };

	/* the middle of the jitter doubles up to the maximum */
	ck_assert_int_eq(retry_delay_ms(&p, 2, 500), 2000);
	ck_assert_int_eq(retry_delay_ms(&p, 3, 1000), 4000);
	ck_assert_int_eq(retry_delay_ms(&p, 30, 15000), 60000);
	ck_assert_int_eq(retry_delay_ms(&p, 1000000, 15000), 60000);
	for (uint32_t random = 0; random < 100000; random += 7) {
		int d = retry_delay_ms(&p, 2, random * 2654435761u);
		ck_assert_int_ge(d, 1500);
		ck_assert_int_le(d, 2500);
	}
}
END_TEST

SUITE(retry)
{
	TEST_CASE(s, test_classes);
	TEST_CASE(s, test_delays);
}
