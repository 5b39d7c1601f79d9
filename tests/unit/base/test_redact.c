#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/redact.h"

#include <string.h>

static char *redacted(const char *text)
{
	struct buf out = BUF_INIT;

	redact_add(&out, text, strlen(text));
	return buf_detach(&out);
}

static char *redacted_json(const char *text)
{
	struct buf out = BUF_INIT;

	redact_json(&out, text, strlen(text));
	return buf_detach(&out);
}

static void expect(char *got, const char *wanted)
{
	ck_assert_str_eq(got, wanted);
	free(got);
}

static void add(const char *value)
{
	redact_register(value, strlen(value));
}

START_TEST(test_by_value)
{
	expect(redacted("nothing registered: hunter22"), "nothing registered: hunter22");
	add("hunter22");
	add("hunter22"); /* again changes nothing */
	expect(redacted(""), "");
	expect(redacted("hunter22"), "[secret]");
	expect(redacted("-phunter22hunter22 -x hunter2"), "-p[secret][secret] -x hunter2");
	expect(redacted("hhunter22"), "h[secret]");
	redact_forget();
	expect(redacted("hunter22"), "hunter22");
}
END_TEST

START_TEST(test_short_is_not_registered)
{
	add("12345");
	expect(redacted("12345"), "12345");
	add("123456");
	expect(redacted("123456"), "[secret]");
	redact_forget();
}
END_TEST

START_TEST(test_longest_at_one_place)
{
	add("correct horse");
	add("correct horse battery");
	add("correct");
	expect(redacted("correct horse battery staple"), "[secret] staple");
	expect(redacted("correct horse"), "[secret]");
	expect(redacted("correct hors"), "[secret] hors");
	redact_forget();
}
END_TEST

START_TEST(test_binary)
{
	struct buf out = BUF_INIT;

	redact_register("\0\1\2\xff\0\0x", 7);
	redact_add(&out, "a\0\1\2\xff\0\0xb", 9);
	ck_assert(buf_equals(&out, "a[secret]b", 10));
	buf_release(&out);
	redact_forget();
}
END_TEST

/* As part of any longer text, at each alignment and for each length: base64 of what stands around it must not give it
 * away. */
START_TEST(test_base64)
{
	static const char value[] = "s3cr3t-Passw0rd!";

	for (size_t len = 6; len <= 16; len++) {
		redact_register(value, len);
		for (size_t before = 0; before < 7; before++) {
			for (size_t after = 0; after < 4; after++) {
				char plain[40] = { 0 };
				char *encoded, *clean;
				memset(plain, 'u', before);
				memcpy(plain + before, value, len);
				memset(plain + before + len, 'v', after);
				encoded = base64_encode(plain, before + len + after);
				clean = redacted(encoded);
				/* At most a digit on either side has bits of it. */
				if (!strstr(clean, REDACT_MARK) ||
				    strlen(clean) > strlen(encoded) - (8 * len / 6 - 2) + strlen(REDACT_MARK))
					ck_abort_msg("%zu bytes at %zu: %s", len, before, clean);
				free(encoded);
				free(clean);
			}
		}
		redact_forget();
	}
}
END_TEST

START_TEST(test_buf)
{
	struct buf b;

	add("hunter22");
	buf_init(&b, 100);
	buf_adds(&b, "nothing");
	ck_assert(!redact_buf(&b));
	buf_adds(&b, " hunter22");
	ck_assert(redact_buf(&b));
	ck_assert_str_eq(buf_str(&b), "nothing [secret]");
	ck_assert_uint_eq(b.max, 100);
	buf_release(&b);
	/* Where the end was cut, the beginning of a secret goes, too. */
	buf_init(&b, 14);
	buf_adds(&b, "the end hunter22");
	ck_assert(redact_buf(&b));
	ck_assert(b.truncated);
	ck_assert_ptr_null(strstr(buf_str(&b), "hunter"));
	buf_release(&b);
	redact_forget();
}
END_TEST

START_TEST(test_cut)
{
	struct buf out = BUF_INIT;

	add("hunter22hunter22");
	redact_add_cut(&out, "x hunter22hu", 12);
	ck_assert_str_eq(buf_str(&out), "x [secret]");
	buf_clear(&out);
	redact_add_cut(&out, "x hunte", 7); /* too little to tell */
	ck_assert_str_eq(buf_str(&out), "x hunte");
	buf_clear(&out);
	redact_add(&out, "x hunter22hu", 12);
	ck_assert_str_eq(buf_str(&out), "x hunter22hu");
	buf_release(&out);
	redact_forget();
}
END_TEST

START_TEST(test_json)
{
	add("pass\"word\\");
	add("caf\xc3\xa9-\xf0\x9f\x94\x91");
	add("123456");
	add("line1\nline2");
	/* However it is escaped. */
	expect(redacted_json("{\"a\": \"x pass\\\"word\\\\ y\"}"), "{\"a\": \"x [secret] y\"}");
	expect(redacted_json("{\"a\": \"p\\u0061ss\\u0022word\\u005C\"}"), "{\"a\": \"[secret]\"}");
	expect(redacted_json("{\"a\": \"caf\\u00e9-\\uD83D\\uDD11\"}"), "{\"a\": \"[secret]\"}");
	expect(redacted_json("{\"a\": \"caf\xc3\xa9-\xf0\x9f\x94\x91\"}"), "{\"a\": \"[secret]\"}");
	expect(redacted_json("[\"line1\\nline2\"]"), "[\"[secret]\"]");
	/* What is around it in the same string stays valid. */
	expect(redacted_json("[\"\\\"pass\\\"word\\\\\\\"\\u0001\"]"), "[\"\\\"[secret]\\\"\\u0001\"]");
	/* Names are strings, too; numbers stay. */
	expect(redacted_json("{\"123456\": 123456, \"n\": \"123456\"}"), "{\"[secret]\": 123456, \"n\": \"[secret]\"}");
	/* JSON inside of a JSON string. */
	expect(redacted_json("[\"{\\\"p\\\": \\\"pass\\\\\\\"word\\\\\\\\\\\"}\"]"),
	       "[\"{\\\"p\\\": \\\"[secret]\\\"}\"]");
	/* Untouched where there is nothing, byte for byte. */
	expect(redacted_json("{\"a\":\"\\u0041\\/\\ud800\\x\", \"b\" : [1.0,true,null]}"),
	       "{\"a\":\"\\u0041\\/\\ud800\\x\", \"b\" : [1.0,true,null]}");
	/* JSON in plain text. */
	expect(redacted("said {\"p\":\"pass\\\"word\\\\\"}"), "said {\"p\":\"[secret]\"}");
	redact_forget();
}
END_TEST

/* Not JSON at all: nothing is lost, nothing is read beyond the end, and what can be found is. */
START_TEST(test_json_broken)
{
	add("hunter22");
	expect(redacted_json("\"hunter22"), "\"[secret]");
	expect(redacted_json("\"abc\\"), "\"abc\\");
	expect(redacted_json("\""), "\"");
	expect(redacted_json("\"\\u12"), "\"\\u12");
	expect(redacted_json("\"\\ud83d\\u\""), "\"\\ud83d\\u\"");
	expect(redacted_json(""), "");
	redact_forget();
}
END_TEST

/* Against the plain way to do it, on random text over a small alphabet, so that secrets overlap often. */
static char *slow(const char *text, char values[][12], int n)
{
	struct buf out = BUF_INIT;

	while (*text) {
		size_t best = 0;
		for (int i = 0; i < n; i++) {
			size_t len = strlen(values[i]);
			if (len >= REDACT_MIN_BYTES && len > best && strncmp(text, values[i], len) == 0)
				best = len;
		}
		if (best)
			buf_adds(&out, REDACT_MARK);
		else
			buf_addc(&out, *text);
		text += best ? best : 1;
	}
	return buf_detach(&out);
}

START_TEST(test_same_as_the_plain_way)
{
	unsigned seed = 4711;

	for (int round = 0; round < 300; round++) {
		char values[20][12] = { 0 }, text[400] = { 0 }, *want;
		for (int i = 0; i < 20; i++) {
			int len = rand_r(&seed) % 11;
			for (int k = 0; k < len; k++)
				values[i][k] = (char)('!' + rand_r(&seed) % 2);
			add(values[i]);
		}
		for (int k = 0; k < 399; k++)
			text[k] = (char)('!' + rand_r(&seed) % 2);
		/* '!' and '"': the JSON form of a value is another one, so it is in the list, too. */
		char all[40][12] = { 0 };
		memcpy(all, values, sizeof(values));
		want = slow(text, all, 40);
		expect(redacted(text), want);
		free(want);
		redact_forget();
	}
}
END_TEST

/* Twenty thousand secrets do not make a text slower than ten do: measured against itself in CPU time, with room to
 * spare. */
START_TEST(test_cost_does_not_grow)
{
	char *text = mem_new(200001, 1), value[32];
	clock_t took[2];

	memset(text, '.', 200000);
	for (int round = 0; round < 2; round++) {
		clock_t begin;
		for (int i = round * 10; i < (round ? 20000 : 10); i++)
			redact_register(value, (size_t)snprintf(value, sizeof(value), "%08x-secret",
								(unsigned)i * 2654435761u));
		begin = clock();
		for (int i = 0; i < 50; i++)
			free(redacted(text));
		took[round] = clock() - begin;
	}
	ck_assert_msg(took[1] < 20 * (took[0] + CLOCKS_PER_SEC / 50), "%ld, then %ld", (long)took[0], (long)took[1]);
	free(text);
	redact_forget();
}
END_TEST

SUITE(redact)
{
	TEST_CASE(s, test_by_value);
	TEST_CASE(s, test_short_is_not_registered);
	TEST_CASE(s, test_longest_at_one_place);
	TEST_CASE(s, test_binary);
	TEST_CASE(s, test_base64);
	TEST_CASE(s, test_buf);
	TEST_CASE(s, test_cut);
	TEST_CASE(s, test_json);
	TEST_CASE(s, test_json_broken);
	TEST_CASE(s, test_same_as_the_plain_way);
	TEST_CASE(s, test_cost_does_not_grow);
}
