/*
 * Deadlines for the engine, by an injected clock: thousands at once, one uv_timer at most behind them. A heap ordered by
 * due time. In the program timers_attach lets the loop call timers_run; a test calls it itself, after it has moved its
 * clock to timers_next.
 */
#ifndef ENGINE_TIMERS_H
#define ENGINE_TIMERS_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/* Embedded in its owner, zeroed before first use. `fire` is called once; the timer is not in the heap any more then. */
struct timer {
	int64_t due_ms; /* monotonic */
	size_t place;	/* in the heap, 1-based; 0: not set */
	void (*fire)(struct timer *timer);
};

struct timers {
	const struct clock *clock;
	struct timer **heap;
	size_t n;
	uv_timer_t *uv; /* NULL: not attached */
};

void timers_init(struct timers *t, const struct clock *clock);
void timers_release(struct timers *t);

/* Lets the loop drive them. Detach stops and closes the uv_timer. */
void timers_attach(struct timers *t, uv_loop_t *loop);
void timers_detach(struct timers *t);

/* (Re)sets; stopping one that is not set does nothing. */
void timer_set(struct timers *t, struct timer *timer, int64_t after_ms, void (*fire)(struct timer *));
void timer_stop(struct timers *t, struct timer *timer);
static inline bool timer_is_set(const struct timer *timer)
{
	return timer->place != 0;
}

/* When the next is due, INT64_MAX when none is set; and firing what is due. */
int64_t timers_next(const struct timers *t);
void timers_run(struct timers *t);

#endif
