#include "tests/lib/unit.h"

#include "base/log.h"
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

static char last[8192];
static int lines;
static enum log_level last_level;

static void sink(enum log_level level, const char *line)
{
	snprintf(last, sizeof(last), "%s", line);
	last_level = level;
	lines++;
}

static void begin(enum log_level level)
{
	log_set_sink(sink);
	log_set_level(level);
	lines = 0;
}

START_TEST(test_levels)
{
	enum log_level level;

	ck_assert(log_level_parse("debug", &level));
	ck_assert_int_eq(level, LOG_DEBUG);
	ck_assert(log_level_parse("error", &level));
	ck_assert_int_eq(level, LOG_ERROR);
	ck_assert(!log_level_parse("loud", &level));
	begin(LOG_INFO);
	log_debug("not this");
	log_trace("nor this");
	ck_assert_int_eq(lines, 0);
	log_info("this %d", 1);
	log_error("and this");
	ck_assert_int_eq(lines, 2);
	ck_assert_int_eq(last_level, LOG_ERROR);
	ck_assert(log_wants(LOG_INFO) && !log_wants(LOG_DEBUG));
}
END_TEST

START_TEST(test_line)
{
	begin(LOG_WARN);
	log_warn("host %s said: %s", "mx1", "a\nb\033[31m\x7f");
	/* "2026-12-01T22:00:00Z warn …", one newline, at its end */
	ck_assert_int_eq(last[10], 'T');
	ck_assert_ptr_nonnull(strstr(last, "Z warn host mx1 said: a b [31m \n"));
	ck_assert_ptr_eq(strchr(last, '\n'), last + strlen(last) - 1);
}
END_TEST

START_TEST(test_redacted_also_where_it_is_cut)
{
	char text[8000];

	begin(LOG_WARN);
	redact_register("hunter2hunter2", 14);
	log_warn("password=hunter2hunter2.");
	ck_assert_ptr_nonnull(strstr(last, "password=[secret]."));
	for (size_t at = 4000; at < 4100; at++) {
		memset(text, '.', sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		memcpy(text + at, "hunter2hunter2", 14);
		log_warn("%s", text);
		if (strstr(last, "hunter") || strlen(last) != 4097)
			ck_abort_msg("at %zu: %s", at, last);
	}
	redact_forget();
}
END_TEST

SUITE(log)
{
	TEST_CASE(s, test_levels);
	TEST_CASE(s, test_line);
	TEST_CASE(s, test_redacted_also_where_it_is_cut);
}
