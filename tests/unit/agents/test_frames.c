#include "tests/lib/unit.h"

#include "agents/frames.h"
#include "base/alloc.h"

static bool whole(const char *text)
{
	return frames_whole(text, strlen(text));
}

START_TEST(test_read)
{
	const char *text = "path 5\na\nb 3\nuser 0\n\nend 0\n\n";
	struct frame frame;
	size_t at = 0;
	char *value;

	ck_assert(whole(text));
	ck_assert(frames_next(text, strlen(text), &at, &frame));
	ck_assert(frame_is(&frame, "path"));
	value = frame_text(&frame);
	ck_assert_str_eq(value, "a\nb 3");
	free(value);
	ck_assert(frames_next(text, strlen(text), &at, &frame));
	ck_assert(frame_is(&frame, "user"));
	ck_assert_uint_eq(frame.len, 0);
	ck_assert(frames_next(text, strlen(text), &at, &frame));
	ck_assert(frame_is(&frame, "end"));
	ck_assert(!frames_next(text, strlen(text), &at, &frame));
	ck_assert(frames_find(text, strlen(text), "user", &frame));
	ck_assert(!frames_find(text, strlen(text), "use", &frame));
}
END_TEST

START_TEST(test_cut)
{
	const char *text = "path 5\na\nb 3\nuser 0\n\nend 0\n\n";

	for (size_t len = 0; len < strlen(text); len++) {
		char *exact = malloc(len ? len : 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, text, len);
		ck_assert(!frames_whole(exact, len));
		free(exact);
	}
}
END_TEST

START_TEST(test_not_frames)
{
	ck_assert(!whole(""));
	ck_assert(!whole("hello\nend 0\n\n"));
	ck_assert(!whole("end 0\n\nmore"));
	ck_assert(!whole("path -1\n\nend 0\n\n"));
	ck_assert(!whole("path 99999999999999999999\n\nend 0\n\n"));
	ck_assert(!whole("path 18446744073709551615\n\nend 0\n\n"));
	ck_assert(!whole("path\nend 0\n\n"));
	ck_assert(!whole("path 1 \nx\nend 0\n\n"));
	ck_assert(!whole("PATH 1\nx\nend 0\n\n"));
	ck_assert(!whole("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0\n\nend 0\n\n"));
	ck_assert(!whole("path 1\nxy\nend 0\n\n"));
}
END_TEST

SUITE(frames)
{
	TEST_CASE(s, test_read);
	TEST_CASE(s, test_cut);
	TEST_CASE(s, test_not_frames);
}
