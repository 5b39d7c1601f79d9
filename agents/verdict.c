#include "agents/verdict.h"

#include "base/utf8.h"

#include <stdarg.h>

const char *verdict_name(enum verdict_kind kind)
{
	switch (kind) {
	case VERDICT_OK:
		return "ok";
	case VERDICT_UNCHANGED:
		return "unchanged";
	case VERDICT_AGAIN:
		return "again";
	case VERDICT_RETRY:
		return "retry";
	case VERDICT_REREAD:
		return "reread";
	case VERDICT_WAIT:
		return "wait";
	case VERDICT_NOT_APPLICABLE:
		return "not-applicable";
	case VERDICT_APPLIED:
		return "applied";
	case VERDICT_FAIL:
		return "fail";
	case VERDICT_DRIFT:
		return "drift";
	case VERDICT_PERSON:
		return "person";
	}
	abort();
}

/* Text from hosts may be in it: made printable here as err_set does it, so that no caller has to think of it. */
static struct verdict made(enum verdict_kind kind, const char *fmt, va_list args)
{
	struct verdict v = { .kind = kind };

	vsnprintf(v.text, sizeof(v.text), fmt, args);
	utf8_printable(v.text);
	return v;
}

struct verdict verdict_ok(void)
{
	return (struct verdict){ .kind = VERDICT_OK };
}

struct verdict verdict_unchanged(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_UNCHANGED, fmt, args);
	va_end(args);
	return v;
}

struct verdict verdict_again(int after_ms, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_AGAIN, fmt, args);
	va_end(args);
	v.after_ms = after_ms;
	return v;
}

struct verdict verdict_retry(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_RETRY, fmt, args);
	va_end(args);
	v.code = code;
	return v;
}

struct verdict verdict_reread(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_REREAD, fmt, args);
	va_end(args);
	return v;
}

struct verdict verdict_wait(int64_t until_ms, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_WAIT, fmt, args);
	va_end(args);
	v.until_ms = until_ms;
	return v;
}

struct verdict verdict_not_applicable(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_NOT_APPLICABLE, fmt, args);
	va_end(args);
	return v;
}

struct verdict verdict_applied(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_APPLIED, fmt, args);
	va_end(args);
	return v;
}

struct verdict verdict_fail(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_FAIL, fmt, args);
	va_end(args);
	v.code = code;
	return v;
}

struct verdict verdict_drift(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_DRIFT, fmt, args);
	va_end(args);
	return v;
}

struct verdict verdict_person(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct verdict v = made(VERDICT_PERSON, fmt, args);
	va_end(args);
	return v;
}
