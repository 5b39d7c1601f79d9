#include "base/clock.h"

#include "base/alloc.h"

#include <ctype.h>
#include <unistd.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall_ms(const struct clock *c)
{
	(void)c;
	return read_ms(CLOCK_REALTIME);
}

static int64_t system_mono_ms(const struct clock *c)
{
	(void)c;
	return read_ms(CLOCK_MONOTONIC);
}

const struct clock clock_system = { system_wall_ms, system_mono_ms };

/* Days since 1970-01-01 of a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era;
	int64_t yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t z, int *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

/* `n` digits at *p as a number; -1 when there are not so many. */
static int digits(const char **p, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* YYYY-MM-DD at *p, a day that exists. */
static bool parse_day(const char **p, int64_t *days)
{
	int y, m, d, y2, m2, d2;

	y = digits(p, 4);
	if (y < 0 || !skip(p, '-'))
		return false;
	m = digits(p, 2);
	if (m < 1 || m > 12 || !skip(p, '-'))
		return false;
	d = digits(p, 2);
	if (d < 1)
		return false;
	*days = days_from_civil(y, m, d);
	civil_from_days(*days, &y2, &m2, &d2);
	return y2 == y && m2 == m && d2 == d;
}

/* HH:MM at *p as minutes, -1 otherwise. */
static int parse_hour_minute(const char **p)
{
	int h = digits(p, 2), m;

	if (h < 0 || h > 23 || !skip(p, ':'))
		return -1;
	m = digits(p, 2);
	return m < 0 || m > 59 ? -1 : h * 60 + m;
}

static bool parse_offset(const char **p, int *minutes)
{
	int sign, m;

	if (skip(p, 'Z') || skip(p, 'z')) {
		*minutes = 0;
		return true;
	}
	sign = **p == '-' ? -1 : **p == '+' ? 1 : 0;
	if (!sign)
		return false;
	(*p)++;
	m = parse_hour_minute(p);
	*minutes = sign * m;
	return m >= 0;
}

int time_parse_rfc3339(const char *text, int64_t *wall_ms, int *offset_min, struct err *err)
{
	const char *p = text;
	int64_t days;
	int minutes, seconds, offset;

	if (!parse_day(&p, &days) || !(*p == 'T' || *p == 't' || *p == ' '))
		goto bad;
	p++;
	minutes = parse_hour_minute(&p);
	if (minutes < 0 || !skip(&p, ':'))
		goto bad;
	seconds = digits(&p, 2);
	if (seconds < 0 || seconds > 59)
		goto bad;
	if (skip(&p, '.')) {
		if (!isdigit((unsigned char)*p))
			goto bad;
		while (isdigit((unsigned char)*p))
			p++;
	}
	if (*p == '\0')
		return err_set(err, E_INVAL, "\"%s\" has no offset; write for example \"%s+09:00\" or \"%sZ\"", text, text,
			       text);
	if (!parse_offset(&p, &offset) || *p)
		goto bad;
	*wall_ms = ((days * 1440 + minutes - offset) * 60 + seconds) * 1000;
	if (offset_min)
		*offset_min = offset;
	return 0;
bad:
	return err_set(err, E_INVAL, "\"%s\" is no time like \"2026-12-01T22:00:00+09:00\" (RFC 3339)", text);
}

int time_parse_date(const char *text, int64_t *days, struct err *err)
{
	const char *p = text;

	if (parse_day(&p, days) && !*p)
		return 0;
	return err_set(err, E_INVAL, "\"%s\" is no date like \"2026-12-01\"", text);
}

static bool zone_exists(const char *zone)
{
	char path[256];

	if (!*zone || *zone == '/' || strstr(zone, ".."))
		return false;
	if (strcmp(zone, "UTC") == 0)
		return true;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
	return access(path, R_OK) == 0;
}

int time_midnight_in_zone(int64_t days, const char *zone, int64_t *wall_ms, struct err *err)
{
	struct tm tm = { .tm_isdst = -1 };
	char *saved;

	if (!zone_exists(zone))
		return err_set(err, E_NOTFOUND,
			       "no time zone \"%s\" (a name like \"Asia/Tokyo\"; the zones come with the package tzdata)",
			       zone);
	saved = str_dup(getenv("TZ"));
	setenv("TZ", zone, 1);
	tzset();
	civil_from_days(days, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*wall_ms = (int64_t)mktime(&tm) * 1000;
	if (saved)
		setenv("TZ", saved, 1);
	else
		unsetenv("TZ");
	tzset();
	free(saved);
	return 0;
}

const char *time_format(int64_t wall_ms, int offset_min, char out[TIME_TEXT_MAX])
{
	int64_t local = wall_ms + (int64_t)offset_min * 60000;
	int64_t days = local / 86400000 - (local % 86400000 < 0);
	int64_t ms = local - days * 86400000;
	int y, m, d, abs_offset = offset_min < 0 ? -offset_min : offset_min;
	int n;

	civil_from_days(days, &y, &m, &d);
	n = snprintf(out, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", y % 10000, m, d, (int)(ms / 3600000),
		     (int)(ms / 60000 % 60), (int)(ms / 1000 % 60));
	if (offset_min == 0)
		snprintf(out + n, (size_t)(TIME_TEXT_MAX - n), "Z");
	else
		snprintf(out + n, (size_t)(TIME_TEXT_MAX - n), "%c%02d:%02d", offset_min < 0 ? '-' : '+',
			 abs_offset / 60 % 100, abs_offset % 60);
	return out;
}

const char *time_format_duration(int64_t ms, char out[TIME_TEXT_MAX])
{
	int64_t s = ms / 1000;

	if (ms < 10000)
		snprintf(out, TIME_TEXT_MAX, "%.1f s", (double)ms / 1000);
	else if (s < 60)
		snprintf(out, TIME_TEXT_MAX, "%d s", (int)s);
	else if (s < 3600)
		snprintf(out, TIME_TEXT_MAX, "%d min %02d s", (int)(s / 60), (int)(s % 60));
	else
		snprintf(out, TIME_TEXT_MAX, "%lld h %02d min", (long long)(s / 3600), (int)(s / 60 % 60));
	return out;
}
