#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/csv.h"

#include <string.h>

static struct csv csv;
static struct err err;

static int parse(const char *text, size_t len)
{
	memset(&err, 0, sizeof(err));
	return csv_parse(text, len, &csv, &err);
}

/* "1<a|b>3<c>": each record with its line. */
static void expect(const char *text, const char *wanted)
{
	struct buf seen = BUF_INIT;

	ck_assert_msg(parse(text, strlen(text)) == 0, "%s: %s", text, err.text);
	for (size_t i = 0; i < csv.records_n; i++) {
		buf_addf(&seen, "%zu<", csv.records[i].line);
		for (size_t k = 0; k < csv.records[i].n; k++)
			buf_addf(&seen, "%s%s", k ? "|" : "", csv_field(&csv, &csv.records[i], k));
		buf_addc(&seen, '>');
	}
	ck_assert_str_eq(buf_str(&seen), wanted);
	buf_release(&seen);
	csv_release(&csv);
}

START_TEST(test_good)
{
	expect("", "");
	expect("\xef\xbb\xbf", "");
	expect("a", "1<a>");
	expect("a,b\nc,d", "1<a|b>2<c|d>");
	expect("a,b\r\nc,d\r\n", "1<a|b>2<c|d>");
	expect("\xef\xbb\xbf\"a\",b\n", "1<a|b>");
	expect("a,\n,b\n", "1<a|>2<|b>");
	expect(",\n", "1<|>");
	expect("\n\r\na\n\n", "3<a>");
	expect("\"\"\n\"\",\"\"\n", "2<|>"); /* a lone empty cell is an empty line */
	expect("\"a,\"\"b\"\"\r\nc\",d\ne", "1<a,\"b\"\r\nc|d>3<e>");
	expect("\"\"\"\"", "1<\">");
	expect(" a , b ", "1< a | b >");
	expect("表,\"、\"\n", "1<表|、>");
	ck_assert_int_eq(parse("a,b\n", 4), 0);
	ck_assert_str_eq(csv_field(&csv, &csv.records[0], 1), "b");
	ck_assert_str_eq(csv_field(&csv, &csv.records[0], 2), "");
	csv_release(&csv);
}
END_TEST

static void refuse_n(const char *text, size_t len, const char *part)
{
	int rc = parse(text, len);

	ck_assert_msg(rc == E_INVAL || rc == E_LIMIT, "%s was taken", text);
	ck_assert_msg(strstr(err.text, part) != NULL, "'%s' is not in '%s'", part, err.text);
	ck_assert_ptr_null(csv.memory);
}

static void refuse(const char *text, const char *part)
{
	refuse_n(text, strlen(text), part);
}

START_TEST(test_bad)
{
	refuse("a\nb\"c\n", "line 2: a quote inside a field");
	refuse("a\n\"b\"c\n", "line 2: text behind a closing quote");
	refuse("a\n\nb,\"c\nd\ne", "line 3: the quote that opens here is never closed");
	refuse("\"", "line 1: the quote that opens here");
	refuse("a\rb\n", "line 1: a return without a newline");
	refuse("a\r", "a return without a newline");
	refuse("a\n\x83\x65\n", "line 2: it is not UTF-8: save the sheet as \"CSV UTF-8\"");
	refuse_n("a\nb\0c", 5, "line 2: it has a NUL byte");
	refuse_n("\xff\xfe" "a\0,\0", 6, "UTF-16");
	refuse_n("\xfe\xff\0a", 4, "UTF-16");
}
END_TEST

START_TEST(test_limits)
{
	struct buf text = BUF_INIT;

	for (int i = 0; i < CSV_FIELDS_MAX - 1; i++)
		buf_addc(&text, ',');
	ck_assert_int_eq(parse(text.data, text.len), 0);
	csv_release(&csv);
	buf_addc(&text, ',');
	refuse_n(text.data, text.len, "too many fields");
	buf_clear(&text);
	for (int i = 0; i < CSV_FIELD_MAX_BYTES; i++)
		buf_addc(&text, 'x');
	ck_assert_int_eq(parse(text.data, text.len), 0);
	csv_release(&csv);
	buf_addc(&text, 'x');
	refuse_n(text.data, text.len, "longer than a cell");
	buf_clear(&text);
	for (int i = 0; i < CSV_RECORDS_MAX; i++)
		buf_adds(&text, "a\n");
	ck_assert_int_eq(parse(text.data, text.len), 0);
	ck_assert_uint_eq(csv.records_n, CSV_RECORDS_MAX);
	ck_assert_uint_eq(csv.records[CSV_RECORDS_MAX - 1].line, CSV_RECORDS_MAX);
	csv_release(&csv);
	buf_adds(&text, "a");
	refuse_n(text.data, text.len, "more than 20000 lines");
	buf_release(&text);
	refuse_n("", CSV_MAX_BYTES + 1, "larger than"); /* seen from its size, before a byte is read */
}
END_TEST

START_TEST(test_formulas)
{
	static const char *const formulas[] = { "=1", "+1", "-", "@a", "\tx", "\rx", "＝1", "＋1", "－1", "＠a", "'=1", "''-x" };
	static const char *const plain[] = { "", "a", "'", "''", "'a", "1=1", " =1", "表" };

	for (size_t i = 0; i < ARRAY_LEN(formulas); i++)
		ck_assert_msg(csv_is_formula(formulas[i]), "%s", formulas[i]);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		ck_assert_msg(!csv_is_formula(plain[i]), "%s", plain[i]);
		ck_assert_str_eq(csv_unguard(plain[i]), plain[i]);
	}
	ck_assert_str_eq(csv_unguard("'=1"), "=1");
	ck_assert_str_eq(csv_unguard("''=1"), "'=1");
	ck_assert_str_eq(csv_unguard("=1"), "=1");
}
END_TEST

/* Any bytes: read or refused, never read beyond; what was read once is the same when it is written and read again. */
START_TEST(test_random)
{
	static const char alphabet[] = ",,\"\"\n\r\n'=ab\xc3\xa9";
	unsigned seed = (unsigned)_i + 1;

	for (int turn = 0; turn < 3000; turn++) {
		size_t len = (size_t)rand_r(&seed) % 24;
		char *text = mem_new(len + 1, 1); /* no byte more: a sanitizer sees each that is read too far */
		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		if (parse(text, len) == 0) {
			size_t fields = 0;
			for (size_t i = 0; i < csv.records_n; i++)
				fields += csv.records[i].n;
			ck_assert_uint_eq(fields, csv.fields_n);
			csv_release(&csv);
		}
		free(text);
	}
}
END_TEST

SUITE(csv)
{
	TEST_CASE(s, test_good);
	TEST_CASE(s, test_bad);
	TEST_CASE(s, test_limits);
	TEST_CASE(s, test_formulas);
	TEST_CASE_LOOP(s, test_random, 0, 5);
}
