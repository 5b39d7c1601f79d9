/*
 * Time. Everything that asks for the time is handed a `struct clock`, so that tests have time in their hand. Two times:
 * wall (milliseconds since 1970 UTC, may jump; windows, dates and what people read) and monotonic (milliseconds since
 * some moment, never jumps; deadlines, durations, back-off).
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(const struct clock *);
	int64_t (*mono_ms)(const struct clock *);
};

/* The machine's. */
extern const struct clock clock_system;

static inline int64_t clock_wall_ms(const struct clock *c)
{
	return c->wall_ms(c);
}

static inline int64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_ms(c);
}

/* RFC 3339 with an offset ("2026-12-01T22:00:00+09:00", "Z" too) to wall milliseconds; *offset_min (may be NULL) is the
   offset as written. A time without offset, a leap second, a day that does not exist: E_INVAL. */
int time_parse_rfc3339(const char *text, int64_t *wall_ms, int *offset_min, struct err *err);

/* "2026-12-01": checked, to days since 1970-01-01. */
int time_parse_date(const char *text, int64_t *days, struct err *err);

/* 00:00 of that day in an IANA time zone ("Asia/Tokyo"), as wall milliseconds. E_NOTFOUND: no such zone here.
   Not for threads: it sets TZ for the length of the call. */
int time_midnight_in_zone(int64_t days, const char *zone, int64_t *wall_ms, struct err *err);

/* RFC 3339 with the given offset, seconds precision; `out` holds TIME_TEXT_MAX. */
#define TIME_TEXT_MAX 32
const char *time_format(int64_t wall_ms, int offset_min, char out[TIME_TEXT_MAX]);

/* A duration as people say it: "0.3 s", "41 s", "5 min 10 s", "3 h 02 min". */
const char *time_format_duration(int64_t ms, char out[TIME_TEXT_MAX]);

#endif
