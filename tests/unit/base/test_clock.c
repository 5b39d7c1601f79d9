#include "tests/lib/unit.h"

#include "base/clock.h"

START_TEST(test_rfc3339)
{
	int64_t ms;
	int offset;
	char text[TIME_TEXT_MAX];

	ck_assert_int_eq(time_parse_rfc3339("2026-12-01T22:00:00+09:00", &ms, &offset, NULL), 0);
	ck_assert_int_eq(ms, INT64_C(1796130000000));
	ck_assert_int_eq(offset, 540);
	ck_assert_str_eq(time_format(ms, offset, text), "2026-12-01T22:00:00+09:00");
	ck_assert_str_eq(time_format(ms, 0, text), "2026-12-01T13:00:00Z");
	ck_assert_int_eq(time_parse_rfc3339("1969-12-31T23:59:59Z", &ms, NULL, NULL), 0);
	ck_assert_int_eq(ms, -1000);
	ck_assert_str_eq(time_format(ms, 0, text), "1969-12-31T23:59:59Z");
}
END_TEST

START_TEST(test_rfc3339_bad)
{
	static const char *const bad[] = { "",
					   "2026-12-01",
					   "2026-12-01T22:00:00",
					   "2026-02-29T22:00:00Z",
					   "2026-13-01T22:00:00Z",
					   "2026-12-01T24:00:00Z",
					   "2026-12-01T22:60:00Z",
					   "2026-12-01T22:00:00+9:00",
					   "2026-12-01T22:00:00Zx",
					   "tomorrow" };
	int64_t ms;
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(time_parse_rfc3339(bad[i], &ms, NULL, &err) == E_INVAL, "%s", bad[i]);
	time_parse_rfc3339("2026-12-01T22:00:00", &ms, NULL, &err);
	ck_assert_ptr_nonnull(strstr(err.text, "no offset"));
}
END_TEST

START_TEST(test_midnight)
{
	int64_t days, ms;
	char text[TIME_TEXT_MAX];
	struct err err = { 0 };

	ck_assert_int_eq(time_parse_date("2026-12-01", &days, NULL), 0);
	ck_assert_int_eq(time_midnight_in_zone(days, "Asia/Tokyo", &ms, NULL), 0);
	ck_assert_str_eq(time_format(ms, 540, text), "2026-12-01T00:00:00+09:00");
	ck_assert_int_eq(time_midnight_in_zone(days, "Europe/Berlin", &ms, NULL), 0);
	ck_assert_str_eq(time_format(ms, 60, text), "2026-12-01T00:00:00+01:00");
	ck_assert_int_eq(time_midnight_in_zone(days, "Asia/Atlantis", &ms, &err), E_NOTFOUND);
	ck_assert_int_eq(time_midnight_in_zone(days, "../../etc/passwd", &ms, &err), E_NOTFOUND);
	ck_assert_int_eq(time_parse_date("2026-02-30", &days, &err), E_INVAL);
}
END_TEST

START_TEST(test_durations)
{
	char text[TIME_TEXT_MAX];

	ck_assert_str_eq(time_format_duration(320, text), "0.3 s");
	ck_assert_str_eq(time_format_duration(41000, text), "41 s");
	ck_assert_str_eq(time_format_duration(310000, text), "5 min 10 s");
	ck_assert_str_eq(time_format_duration(10920000, text), "3 h 02 min");
}
END_TEST

SUITE(clock)
{
	TEST_CASE(s, test_rfc3339);
	TEST_CASE(s, test_rfc3339_bad);
	TEST_CASE(s, test_midnight);
	TEST_CASE(s, test_durations);
}
