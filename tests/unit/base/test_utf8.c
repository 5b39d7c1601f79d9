#include "tests/lib/unit.h"

#include "base/utf8.h"

#include <string.h>

START_TEST(test_every_code_point_there_and_back)
{
	struct buf b = BUF_INIT;

	for (uint32_t code = 0; code <= 0x110005; code++) {
		bool is_none = code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
		uint32_t back = 1;
		buf_clear(&b);
		utf8_add(&b, code);
		if (utf8_next(b.data, b.len, &back) != b.len || back != (is_none ? 0xfffd : code))
			ck_abort_msg("U+%04X", code);
		/* Less than all of it is none. */
		for (size_t len = 0; len < b.len; len++)
			if (utf8_next(b.data, len, NULL) != 0)
				ck_abort_msg("U+%04X, %zu bytes of it", code, len);
	}
	buf_release(&b);
}
END_TEST

START_TEST(test_not_utf8)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xe6\x9d",
		"\xe6\x41\xb1",
		"\xc3(",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(utf8_next(bad[i], strlen(bad[i]), NULL) == 0, "row %zu", i);
}
END_TEST

START_TEST(test_clean)
{
	static const char text[] = "a\xe6\x9d\xb1\xff\xe6\x9d.";
	struct buf b = BUF_INIT;

	utf8_add_clean(&b, text, sizeof(text) - 1);
	ck_assert_str_eq(buf_str(&b), "a\xe6\x9d\xb1\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.");
	buf_release(&b);
}
END_TEST

START_TEST(test_printable)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "23 3\t* * *\n", "23 3 * * * " },
		{ "\033[31m\x7f\x01", "?[31m??" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "caf\xe9!", "caf?!" },
		{ "\xc2\x9b" "31m", "??31m" },
		{ "cut \xe5\xae", "cut " },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s", cases[i].from);
		utf8_printable(text);
		ck_assert_str_eq(text, cases[i].to);
	}
}
END_TEST

SUITE(utf8)
{
	TEST_CASE(s, test_printable);
	TEST_CASE(s, test_every_code_point_there_and_back);
	TEST_CASE(s, test_not_utf8);
	TEST_CASE(s, test_clean);
}
