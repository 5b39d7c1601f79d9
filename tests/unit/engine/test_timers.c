#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "engine/timers.h"

static int64_t now_ms;

static int64_t fake(const struct clock *c)
{
	(void)c;
	return now_ms;
}

static const struct clock clock_fake = { fake, fake };

struct alarm {
	struct timer timer;
	int64_t fired_ms;
	int times;
};

static int64_t last_due;

static void ring(struct timer *timer)
{
	struct alarm *a = CONTAINER_OF(timer, struct alarm, timer);

	ck_assert_int_ge(timer->due_ms, last_due);
	last_due = timer->due_ms;
	a->fired_ms = now_ms;
	a->times++;
}

START_TEST(test_order)
{
	struct alarm alarms[500] = { 0 };
	struct timers t;
	unsigned seed = 1;

	now_ms = last_due = 0;
	timers_init(&t, &clock_fake);
	for (int i = 0; i < 500; i++) {
		seed = seed * 1103515245u + 12345u;
		timer_set(&t, &alarms[i].timer, seed % 10000, ring);
	}
	for (int i = 0; i < 500; i += 3)
		timer_stop(&t, &alarms[i].timer);
	for (int i = 1; i < 500; i += 5)
		timer_set(&t, &alarms[i].timer, 5000 + i, ring);
	while (timers_next(&t) != INT64_MAX) {
		now_ms = timers_next(&t);
		timers_run(&t);
	}
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(alarms[i].times, i % 3 != 0 || i % 5 == 1);
	for (int i = 1; i < 500; i += 5)
		ck_assert_int_eq(alarms[i].fired_ms, 5000 + i);
	timers_release(&t);
}
END_TEST

START_TEST(test_stop_what_is_not_set)
{
	struct alarm a = { 0 };
	struct timers t;

	timers_init(&t, &clock_fake);
	timer_stop(&t, &a.timer);
	ck_assert(!timer_is_set(&a.timer));
	ck_assert_int_eq(timers_next(&t), INT64_MAX);
	timers_run(&t);
	timers_release(&t);
}
END_TEST

static void ring_and_stop_loop(struct timer *timer)
{
	CONTAINER_OF(timer, struct alarm, timer)->times++;
}

START_TEST(test_on_a_loop)
{
	struct alarm a = { 0 };
	struct timers t;
	uv_loop_t loop;

	uv_loop_init(&loop);
	timers_init(&t, &clock_system);
	timers_attach(&t, &loop);
	timer_set(&t, &a.timer, 5, ring_and_stop_loop);
	while (!a.times)
		uv_run(&loop, UV_RUN_ONCE);
	timers_detach(&t);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	timers_release(&t);
}
END_TEST

SUITE(timers)
{
	TEST_CASE(s, test_order);
	TEST_CASE(s, test_stop_what_is_not_set);
	TEST_CASE(s, test_on_a_loop);
}
