#include "transport/ssh_marks.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "tests/lib/unit.h"

/* Everything in the order it came: text as it is, <words> for marks, [raw]. */
struct seen {
	struct buf text;
	int fail_at; /* a mark with these many before it fails */
	int marks;
};

static int on_mark(struct ssh_marks *marks, const char *words)
{
	struct seen *seen = marks->arg;
	size_t raw;

	buf_addf(&seen->text, "<%s>", words);
	if (sscanf(words, "raw %zu", &raw) == 1)
		ssh_marks_raw(marks, raw);
	return seen->fail_at && ++seen->marks == seen->fail_at ? -99 : 0;
}

static int on_text(struct ssh_marks *marks, const char *bytes, size_t len)
{
	ck_assert_uint_gt(len, 0);
	buf_add(&((struct seen *)marks->arg)->text, bytes, len);
	return 0;
}

static int on_raw(struct ssh_marks *marks, const char *bytes, size_t len)
{
	struct seen *seen = marks->arg;

	for (size_t i = 0; i < len; i++)
		buf_addf(&seen->text, "[%c]", bytes[i]);
	return 0;
}

static const struct ssh_marks_sink sink = {on_mark, on_text, on_raw};

static const struct {
	const char *stream, *seen;
} table[] = {
    {"", ""},
    {"text", "text"},
    {"a\nb\n", "a\nb\n"},
    {"\n@N hello\n", "<hello>"},
    {"Welcome\n@N hello 1 2\n", "Welcome<hello 1 2>"},
    {"Welcome\n\n@N hello\n", "Welcome\n<hello>"},
    {"\n@N a\n\n@N b\n", "<a><b>"},
    {"\n@N a\n@N b\n", "<a>@N b\n"}, /* a mark begins with its own newline */
    {"x@N a\n", "x@N a\n"},
    {"@N a\n", "@N a\n"},
    {"\n@Na\n", "\n@Na\n"},
    {"\n@M a\n", "\n@M a\n"},
    {"\n@\n@N a\n", "\n@<a>"},
    {"\n\n\n@N a\n", "\n\n<a>"},
    {"\n@N\n@N a\n", "\n@N<a>"},
    {"\n@N raw 3\nx\n@\n@N done\n", "<raw 3>[x][\n][@]<done>"},
    {"\n@N raw 9\n\n@N no\nz\n\n@N done\n", "<raw 9>[\n][@][N][ ][n][o][\n][z][\n]<done>"},
    {"\n@N raw 0\n\n@N done\n", "<raw 0><done>"},
    {"\n@N raw 2\nab left\n@N x\n", "<raw 2>[a][b] left<x>"},
    {"\n@N ", ""}, /* unfinished: neither text nor mark */
    {"text\n@", "text\n@"},
    {"text\n", "text\n"},
    {"\n@N \n", "<>"},
};

static void run(size_t i, size_t piece)
{
	struct seen seen = {.text = BUF_INIT};
	struct ssh_marks marks;
	const char *stream = table[i].stream;
	size_t len = strlen(stream);

	ssh_marks_init(&marks, "N", &sink, &seen);
	for (size_t at = 0; at < len; at += piece)
		ck_assert_int_eq(ssh_marks_feed(&marks, stream + at, len - at < piece ? len - at : piece), 0);
	ck_assert_int_eq(ssh_marks_end(&marks), 0);
	ck_assert_msg(strcmp(buf_str(&seen.text), table[i].seen) == 0, "%zu in pieces of %zu: %s", i, piece,
		      buf_str(&seen.text));
	buf_release(&seen.text);
}

START_TEST(test_streams)
{
	for (size_t piece = 1; piece < 40; piece++)
		run((size_t)_i, piece);
}
END_TEST

START_TEST(test_endless_words_are_cut)
{
	struct seen seen = {.text = BUF_INIT};
	struct ssh_marks marks;
	char bytes[1000];

	memset(bytes, 'w', sizeof(bytes));
	ssh_marks_init(&marks, "0123456789abcdef", &sink, &seen);
	ck_assert_int_eq(ssh_marks_feed(&marks, "\n@0123456789abcdef ", 19), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(ssh_marks_feed(&marks, bytes, sizeof(bytes)), 0);
	ck_assert_uint_eq(seen.text.len, 0);
	ck_assert_int_eq(ssh_marks_feed(&marks, "\n", 1), 0);
	ck_assert_uint_eq(seen.text.len, SSH_MARK_MAX - 1 + 2);
	buf_release(&seen.text);
}
END_TEST

START_TEST(test_a_failing_callback_stops)
{
	struct seen seen = {.text = BUF_INIT, .fail_at = 2};
	struct ssh_marks marks;
	static const char stream[] = "\n@N a\n\n@N b\n\n@N c\n";

	ssh_marks_init(&marks, "N", &sink, &seen);
	ck_assert_int_eq(ssh_marks_feed(&marks, stream, sizeof(stream) - 1), -99);
	ck_assert_str_eq(buf_str(&seen.text), "<a><b>");
	buf_release(&seen.text);
}
END_TEST

/* Whatever comes in whatever pieces: the text and the raw bytes are all there, in order, and nothing else. */
START_TEST(test_random_streams)
{
	static const char *const parts[] = {"\n", "@", "N", " ", "\n@N x\n", "a", "\n@N", "@N ", "\n\n", "raw"};
	unsigned state = 4711;

	for (int round = 0; round < 3000; round++) {
		struct buf stream = BUF_INIT;
		struct seen whole = {.text = BUF_INIT}, pieces = {.text = BUF_INIT};
		struct ssh_marks a, b;

		for (int i = 0; i < 12; i++)
			buf_adds(&stream, parts[((state = state * 1103515245 + 12345) >> 16) % ARRAY_LEN(parts)]);
		ssh_marks_init(&a, "N", &sink, &whole);
		ssh_marks_init(&b, "N", &sink, &pieces);
		ssh_marks_feed(&a, stream.data, stream.len);
		ssh_marks_end(&a);
		for (size_t at = 0; at < stream.len;) {
			size_t n = 1 + (state = state * 1103515245 + 12345) % 3;
			n = n < stream.len - at ? n : stream.len - at;
			ssh_marks_feed(&b, stream.data + at, n);
			at += n;
		}
		ssh_marks_end(&b);
		ck_assert_str_eq(buf_str(&whole.text), buf_str(&pieces.text));
		buf_release(&stream);
		buf_release(&whole.text);
		buf_release(&pieces.text);
	}
}
END_TEST

SUITE(ssh_marks)
{
	TEST_CASE_LOOP(s, test_streams, 0, ARRAY_LEN(table));
	TEST_CASE(s, test_endless_words_are_cut);
	TEST_CASE(s, test_a_failing_callback_stops);
	TEST_CASE(s, test_random_streams);
}
