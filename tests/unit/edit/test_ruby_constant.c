#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "agents/edit/ruby_constant.h"
#include "base/alloc.h"

#define NEW_HOST "ws.acme.hes2.example"

static void describe(const struct ruby_constant *found, struct buf *out)
{
	switch (found->state) {
	case RUBY_FOUND:
		buf_addf(out, "found %ld %s\n", found->lines[0], found->shown);
		return;
	case RUBY_NONE:
		buf_adds(out, "none\n");
		return;
	case RUBY_SEVERAL:
		buf_adds(out, "several");
		for (size_t i = 0; i < found->lines_n; i++)
			buf_addf(out, " %ld", found->lines[i]);
		buf_addc(out, '\n');
		return;
	case RUBY_UNCLEAR:
		buf_addf(out, "unclear %ld %s\n", found->lines[0], found->reason);
		return;
	}
}

static struct buf replaced(const char *text, size_t len, const struct ruby_constant *found)
{
	struct buf out = BUF_INIT;

	buf_add(&out, text, found->host_offset);
	buf_adds(&out, NEW_HOST);
	buf_add(&out, text + found->host_offset + found->host_len, len - found->host_offset - found->host_len);
	return out;
}

/* What was found is what is replaced, and the new text says the new name in the same place. */
static void check_replacing(const char *text, size_t len, const struct ruby_constant *found)
{
	struct buf out = replaced(text, len, found);
	struct ruby_constant again;

	ck_assert_uint_le(found->host_offset + found->host_len, len);
	ck_assert_uint_eq(found->host_len, strlen(found->host));
	ck_assert_int_eq(memcmp(text + found->host_offset, found->host, found->host_len), 0);
	ruby_constant_find(buf_str(&out), out.len, "ROOT_URI", &again);
	ck_assert_int_eq(again.state, RUBY_FOUND);
	ck_assert_str_eq(again.host, NEW_HOST);
	ck_assert_uint_eq(again.host_offset, found->host_offset);
	ck_assert_int_eq(again.lines[0], found->lines[0]);
	/* a second time changes nothing */
	struct buf twice = replaced(buf_str(&out), out.len, &again);
	ck_assert(buf_equals(&twice, buf_str(&out), out.len));
	buf_release(&twice);
	buf_release(&out);
}

static void one_golden(const char *name, const struct buf *in)
{
	struct ruby_constant found;
	struct buf said = BUF_INIT;

	ruby_constant_find(buf_str(in), in->len, "ROOT_URI", &found);
	describe(&found, &said);
	golden_same(name, ".want", buf_str(&said), said.len);
	if (found.state == RUBY_FOUND) {
		struct buf out = replaced(buf_str(in), in->len, &found);

		golden_same(name, ".out", buf_str(&out), out.len);
		check_replacing(buf_str(in), in->len, &found);
		buf_release(&out);
	}
	buf_release(&said);
}

START_TEST(test_golden)
{
	ck_assert_int_ge(golden_each("ruby", ".rb", one_golden), 60);
}
END_TEST

/* ---- random mutations of the golden files: nothing is read beyond, and what is found is sound ------------------- */

static int mutants_found;

static void mutate(struct buf *text)
{
	static const char interesting[] = "'\"#{}()[]<>/%\\\n\r\0\x1a\x95\x5c=:;.,?@$|&~-_Aaq0 \t`";
	unsigned at = golden_random((unsigned)text->len + 1);
	char c = interesting[golden_random(sizeof(interesting) - 1)];

	switch (golden_random(3)) {
	case 0:
		if (at < text->len)
			text->data[at] = c;
		return;
	case 1:
		if (at < text->len) {
			memmove(text->data + at, text->data + at + 1, text->len - at);
			text->len--;
		}
		return;
	case 2:
		buf_addc(text, c);
		memmove(text->data + at + 1, text->data + at, text->len - 1 - at);
		text->data[at] = c;
		return;
	}
}

static void mutants(const char *name, const struct buf *in)
{
	(void)name;
	for (int i = 0; i < 150; i++) {
		struct buf text = BUF_INIT;
		struct ruby_constant found;
		/* exactly as long as the text, so that a sanitizer sees the first byte beyond */
		char *exact;

		buf_add(&text, buf_str(in), in->len);
		for (unsigned n = 1 + golden_random(4); n; n--)
			mutate(&text);
		exact = malloc(text.len ? text.len : 1);
		ck_assert_ptr_nonnull(exact);
		if (text.len)
			memcpy(exact, text.data, text.len);
		ruby_constant_find(exact, text.len, "ROOT_URI", &found);
		if (found.state == RUBY_FOUND) {
			mutants_found++;
			check_replacing(exact, text.len, &found);
		} else if (found.state == RUBY_UNCLEAR) {
			ck_assert_int_ge(found.lines[0], 1);
			ck_assert_str_ne(found.reason, "");
		}
		free(exact);
		buf_release(&text);
	}
}

START_TEST(test_mutants)
{
	golden_seed = 1107136;
	ck_assert_int_ge(golden_each("ruby", ".rb", mutants), 60);
	ck_assert_int_ge(mutants_found, 1000);
}
END_TEST

/* Each beginning of a file: the end of the text may come anywhere. */
static void prefixes(const char *name, const struct buf *in)
{
	(void)name;
	for (size_t len = 0; len <= in->len; len++) {
		struct ruby_constant found;
		char *exact = malloc(len ? len : 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, buf_str(in), len);
		ruby_constant_find(exact, len, "ROOT_URI", &found);
		free(exact);
	}
}

START_TEST(test_prefixes)
{
	ck_assert_int_ge(golden_each("ruby", ".rb", prefixes), 60);
}
END_TEST

START_TEST(test_deep)
{
	struct buf text = BUF_INIT;
	struct ruby_constant found;

	for (int i = 0; i < 100000; i++)
		buf_adds(&text, "\"#{");
	ruby_constant_find(buf_str(&text), text.len, "ROOT_URI", &found);
	ck_assert_int_eq(found.state, RUBY_UNCLEAR);
	ck_assert_str_eq(found.reason, "interpolations are nested too deeply");
	buf_release(&text);
}
END_TEST

START_TEST(test_many)
{
	struct buf text = BUF_INIT;
	struct ruby_constant found;

	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "x%d = 1; ROOT_URI = 'https://a.example/'\n", i);
	ruby_constant_find(buf_str(&text), text.len, "ROOT_URI", &found);
	ck_assert_int_eq(found.state, RUBY_SEVERAL);
	ck_assert_uint_eq(found.lines_n, RUBY_LINES_MAX);
	buf_release(&text);
}
END_TEST

SUITE(ruby_constant)
{
	TEST_CASE(s, test_golden);
	TEST_CASE(s, test_mutants);
	TEST_CASE(s, test_prefixes);
	TEST_CASE(s, test_deep);
	TEST_CASE(s, test_many);
}
