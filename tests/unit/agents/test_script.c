#include "tests/lib/unit.h"

#include "agents/script.h"

static struct op_result result_of(const char *out, const char *err, int code)
{
	struct op_result r = { .started = true, .exit_code = code };

	buf_adds(&r.out, out);
	buf_adds(&r.err, err);
	return r;
}

static void words_are(const char *out, const char *err, const char *want)
{
	struct op_result r = result_of(out, err, 1);
	char *words = script_words(&r);

	ck_assert_str_eq(words, want);
	free(words);
	op_result_release(&r);
}

START_TEST(test_words)
{
	words_are("", "", "it said nothing");
	words_are("out\n", "", "out");
	words_are("out\n", "one\ntwo\nthree\nfour\r\n\n", "two three four");
	words_are("a\tb\x1b[1m", "", "a b?[1m");
}
END_TEST

START_TEST(test_words_are_few)
{
	struct op_result r = { 0 };
	char *words;

	for (int i = 0; i < 10000; i++)
		buf_addc(&r.err, 'x');
	words = script_words(&r);
	ck_assert_uint_eq(strlen(words), 300);
	free(words);
	op_result_release(&r);
}
END_TEST

START_TEST(test_answered)
{
	struct verdict v;
	struct op_result r = result_of("end 0\n\n", "", 0);

	ck_assert(script_answered(&r, "x.sh", &v));
	r.out.truncated = true;
	ck_assert(!script_answered(&r, "x.sh", &v));
	ck_assert_int_eq(v.kind, VERDICT_RETRY);
	op_result_release(&r);
	r = result_of("path 3\n", "", 0);
	ck_assert(!script_answered(&r, "x.sh", &v));
	ck_assert_int_eq(v.kind, VERDICT_RETRY);
	ck_assert_int_eq(v.code, E_PROTOCOL);
	op_result_release(&r);
	r = result_of("", "x.sh: 3: stat: not found\n", 127);
	ck_assert(!script_answered(&r, "x.sh", &v));
	ck_assert_int_eq(v.kind, VERDICT_FAIL);
	ck_assert_str_eq(v.text, "x.sh ended with code 127: x.sh: 3: stat: not found");
	op_result_release(&r);
	err_set(&r.failure, E_PERM, "not allowed");
	ck_assert(!script_answered(&r, "x.sh", &v));
	ck_assert_int_eq(v.code, E_PERM);
}
END_TEST

START_TEST(test_facts_by_index)
{
	struct facts f = { 0 };
	char key[FACT_KEY_MAX];

	facts_set_text(&f, fact_key(key, "schedule.entry", 12, "line"), "x");
	ck_assert_str_eq(key, "schedule.entry.12.line");
	ck_assert_str_eq(fact_at(&f, "schedule.entry", 12, "line"), "x");
	ck_assert_str_eq(fact_at(&f, "schedule.entry", 1, "line"), "");
	facts_set_text(&f, "n", "7");
	ck_assert_int_eq(fact_number(&f, "n"), 7);
	ck_assert_int_eq(fact_number(&f, "m"), 0);
	facts_release(&f);
}
END_TEST

SUITE(script)
{
	TEST_CASE(s, test_words);
	TEST_CASE(s, test_words_are_few);
	TEST_CASE(s, test_answered);
	TEST_CASE(s, test_facts_by_index);
}
