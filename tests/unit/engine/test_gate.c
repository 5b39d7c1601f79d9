#include "tests/lib/unit.h"

#include "base/clock.h"
#include "engine/gate.h"

static int64_t at(const char *text)
{
	int64_t ms = 0;

	ck_assert_int_eq(time_parse_rfc3339(text, &ms, NULL, NULL), 0);
	return ms;
}

/* Two nights, migrated on the first day at 23:00 local time, the vendor's period ends in the second night. */
static struct window nights[2];
static struct tenant tenant;

static void set_up(void)
{
	nights[0] = (struct window){ at("2026-12-01T22:00:00+09:00"), at("2026-12-02T05:00:00+09:00") };
	nights[1] = (struct window){ at("2026-12-08T22:00:00+09:00"), at("2026-12-09T05:00:00+09:00") };
	tenant = (struct tenant){ .windows = nights, .windows_n = 2, .offset_min = 540 };
	tenant.migration_ms = at("2026-12-01T23:00:00+09:00");
	tenant.vendor_period = (struct window){ at("2026-12-01T00:00:00+09:00"), at("2026-12-09T01:00:00+09:00") };
}

static void assert_gate(enum phase phase, const char *now, enum gate_answer answer, const char *until)
{
	struct gate g;
	char text[TIME_TEXT_MAX];

	gate_time(&tenant, phase, at(now), &g);
	ck_assert_msg(g.answer == answer, "%s %s: %s", phase_name(phase), now, g.text);
	if (until)
		ck_assert_str_eq(time_format(g.until_ms, 540, text), until);
}

START_TEST(test_switch)
{
	set_up();
	assert_gate(PHASE_SWITCH, "2026-11-01T00:00:00Z", GATE_LATER, "2026-12-01T23:00:00+09:00");
	/* inside the window, but not yet migrated */
	assert_gate(PHASE_SWITCH, "2026-12-01T22:30:00+09:00", GATE_LATER, "2026-12-01T23:00:00+09:00");
	assert_gate(PHASE_SWITCH, "2026-12-01T23:00:00+09:00", GATE_OPEN, "2026-12-02T05:00:00+09:00");
	assert_gate(PHASE_SWITCH, "2026-12-02T04:59:59+09:00", GATE_OPEN, NULL);
	/* the end is not part of it */
	assert_gate(PHASE_SWITCH, "2026-12-02T05:00:00+09:00", GATE_LATER, "2026-12-08T22:00:00+09:00");
	/* the vendor's period cuts the second night short */
	assert_gate(PHASE_SWITCH, "2026-12-09T00:59:59+09:00", GATE_OPEN, "2026-12-09T01:00:00+09:00");
	assert_gate(PHASE_SWITCH, "2026-12-09T01:00:00+09:00", GATE_NEVER, NULL);
	assert_gate(PHASE_SWITCH, "2027-01-01T00:00:00+09:00", GATE_NEVER, NULL);
}
END_TEST

START_TEST(test_texts)
{
	struct gate g;

	set_up();
	gate_time(&tenant, PHASE_SWITCH, at("2026-12-03T00:00:00Z"), &g);
	ck_assert_str_eq(g.text, "the next change window opens at 2026-12-08T22:00:00+09:00");
	tenant.vendor_period = (struct window){ 0 };
	gate_time(&tenant, PHASE_SWITCH, at("2027-01-01T00:00:00Z"), &g);
	ck_assert_ptr_nonnull(strstr(g.text, "no change window is left"));
}
END_TEST

START_TEST(test_other_phases)
{
	set_up();
	assert_gate(PHASE_PREPARE, "2026-01-01T00:00:00Z", GATE_OPEN, NULL);
	assert_gate(PHASE_SETTLE, "2026-01-01T00:00:00Z", GATE_OPEN, NULL);
	assert_gate(PHASE_READY, "2026-12-01T22:59:59+09:00", GATE_LATER, "2026-12-01T23:00:00+09:00");
	assert_gate(PHASE_READY, "2026-12-01T23:00:00+09:00", GATE_OPEN, NULL);
	assert_gate(PHASE_READY, "2027-12-01T23:00:00+09:00", GATE_OPEN, NULL);
}
END_TEST

START_TEST(test_last_window)
{
	set_up();
	ck_assert_int_eq(gate_last_window_end(&tenant, at("2026-12-01T00:00:00Z")), nights[1].end_ms);
	ck_assert_int_eq(gate_last_window_end(&tenant, at("2027-12-01T00:00:00Z")), 0);
}
END_TEST

SUITE(gate)
{
	TEST_CASE(s, test_switch);
	TEST_CASE(s, test_texts);
	TEST_CASE(s, test_other_phases);
	TEST_CASE(s, test_last_window);
}
