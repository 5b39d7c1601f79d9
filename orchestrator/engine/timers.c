#include "engine/timers.h"

#include "base/alloc.h"

void timers_init(struct timers *t, const struct clock *clock)
{
	*t = (struct timers){ .clock = clock };
}

void timers_release(struct timers *t)
{
	free(t->heap);
	t->heap = NULL;
	t->n = 0;
}

static void put(struct timers *t, size_t place, struct timer *timer)
{
	t->heap[place - 1] = timer;
	timer->place = place;
}

static void sift_up(struct timers *t, struct timer *timer)
{
	size_t place = timer->place;

	while (place > 1 && t->heap[place / 2 - 1]->due_ms > timer->due_ms) {
		put(t, place, t->heap[place / 2 - 1]);
		place /= 2;
	}
	put(t, place, timer);
}

static void sift_down(struct timers *t, struct timer *timer)
{
	size_t place = timer->place;

	for (size_t child; (child = place * 2) <= t->n; place = child) {
		if (child < t->n && t->heap[child]->due_ms < t->heap[child - 1]->due_ms)
			child++;
		if (t->heap[child - 1]->due_ms >= timer->due_ms)
			break;
		put(t, place, t->heap[child - 1]);
	}
	put(t, place, timer);
}

static void on_uv_timer(uv_timer_t *uv)
{
	timers_run(uv->data);
}

/* The uv_timer stands at the next deadline. */
static void arm(struct timers *t)
{
	int64_t next = timers_next(t), left;

	if (!t->uv)
		return;
	if (next == INT64_MAX) {
		uv_timer_stop(t->uv);
		return;
	}
	left = next - clock_mono_ms(t->clock);
	uv_timer_start(t->uv, on_uv_timer, left > 0 ? (uint64_t)left : 0, 0);
}

static void closed(uv_handle_t *handle)
{
	free(handle);
}

void timers_attach(struct timers *t, uv_loop_t *loop)
{
	t->uv = NEW(uv_timer_t);
	uv_timer_init(loop, t->uv);
	t->uv->data = t;
	arm(t);
}

void timers_detach(struct timers *t)
{
	if (t->uv)
		uv_close((uv_handle_t *)t->uv, closed);
	t->uv = NULL;
}

void timer_stop(struct timers *t, struct timer *timer)
{
	struct timer *last;
	size_t place = timer->place;

	if (!place)
		return;
	timer->place = 0;
	last = t->heap[--t->n];
	if (last != timer) {
		put(t, place, last);
		sift_up(t, last);
		sift_down(t, last);
	}
	arm(t);
}

void timer_set(struct timers *t, struct timer *timer, int64_t after_ms, void (*fire)(struct timer *))
{
	timer_stop(t, timer);
	timer->due_ms = clock_mono_ms(t->clock) + after_ms;
	timer->fire = fire;
	GROW_FOR_ONE(t->heap, t->n);
	t->n++;
	put(t, t->n, timer);
	sift_up(t, timer);
	arm(t);
}

int64_t timers_next(const struct timers *t)
{
	return t->n ? t->heap[0]->due_ms : INT64_MAX;
}

void timers_run(struct timers *t)
{
	int64_t now = clock_mono_ms(t->clock);

	while (t->n && t->heap[0]->due_ms <= now) {
		struct timer *timer = t->heap[0];
		timer_stop(t, timer);
		timer->fire(timer);
	}
	arm(t);
}
