#include "tests/unit/inventory/fixture.h"

#include "inventory/json_text.h"

#include "base/alloc.h"
#include "base/file.h"

static const char good[] =
	"{ \"a\": [1, 2.5, true, null, \"\\u30c6\\\"x\\\\\"],\n  \"//\": \"note\", \"x-y\": {\"b\": 1},"
	" \"c\": { \"//\": 1, \"d\": \"テスト\" } }";

static void fault_of(const char *bytes, size_t len, struct json_fault *fault)
{
	*fault = (struct json_fault){ 0 };
	ck_assert_ptr_null(json_text_parse(bytes, len, fault));
	ck_assert_int_ge(fault->line, 1);
	ck_assert_int_ge(fault->column, 1);
	ck_assert_str_ne(fault->text, "");
}

START_TEST(test_comments_are_gone)
{
	struct json_fault fault;
	json_t *root = json_text_parse(good, strlen(good), &fault);

	ck_assert_ptr_nonnull(root);
	ck_assert_uint_eq(json_object_size(root), 2);
	ck_assert_uint_eq(json_object_size(json_object_get(root, "c")), 1);
	json_decref(root);
}
END_TEST

/* Every way of being cut off is a fault with a place, never a value and never a crash. */
START_TEST(test_cut_anywhere)
{
	struct json_fault fault;

	for (size_t len = 0; len + 1 < strlen(good); len++)
		fault_of(good, len, &fault);
}
END_TEST

/* Any byte changed to any other: a value or a fault. Bytes that are no UTF-8 are always a fault that names them. */
START_TEST(test_any_byte)
{
	char text[sizeof(good)];

	for (size_t at = 0; at < strlen(good); at++) {
		for (int byte = 0; byte < 256; byte++) {
			struct json_fault fault = { 0 };
			json_t *root;
			memcpy(text, good, sizeof(good));
			text[at] = (char)byte;
			root = json_text_parse(text, strlen(good), &fault);
			ck_assert(root || *fault.text);
			if (byte >= 0xF5)
				ck_assert(strstr(fault.text, "not UTF-8") != NULL);
			json_decref(root);
		}
	}
}
END_TEST

START_TEST(test_utf8)
{
	static const struct {
		const char *bytes;
		bool good;
	} rows[] = {
		{ "\xC2\x80", true },
		{ "\xDF\xBF", true },
		{ "\xE0\xA0\x80", true },
		{ "\xED\x9F\xBF", true },
		{ "\xEE\x80\x80", true },
		{ "\xEF\xBF\xBF", true },
		{ "\xF0\x90\x80\x80", true },
		{ "\xF4\x8F\xBF\xBF", true },
		{ "\xC1\x80", false },
		{ "\xE0\x9F\xBF", false },
		{ "\xED\xA0\x80", false },
		{ "\xF0\x8F\xBF\xBF", false },
		{ "\xF4\x90\x80\x80", false },
		{ "\x80", false },
		{ "\xC2", false },
		{ "\xE3\x83", false },
		{ "\xF0\x90\x80", false },
		{ "\xFE", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = str_fmt("[\"%s\"]", rows[i].bytes);
		struct json_fault fault = { 0 };
		json_t *root = json_text_parse(text, strlen(text), &fault);
		ck_assert_msg((root != NULL) == rows[i].good, "row %zu: %s", i, fault.text);
		ck_assert(root || (strstr(fault.text, "not UTF-8: byte 0x") && fault.column == 3));
		json_decref(root);
		free(text);
	}
}
END_TEST

START_TEST(test_depth)
{
	char text[400];
	struct json_fault fault;

	for (int depth = INVENTORY_DEPTH_MAX; depth <= INVENTORY_DEPTH_MAX + 1; depth++) {
		json_t *root;
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		root = json_text_parse(text, 2 * (size_t)depth, &fault);
		ck_assert_int_eq(root != NULL, depth == INVENTORY_DEPTH_MAX);
		json_decref(root);
	}
	ck_assert_int_eq(fault.column, INVENTORY_DEPTH_MAX + 1);
	snprintf(text, sizeof(text),
		 "{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"}");
	json_decref(json_text_parse(text, strlen(text), &fault));
}
END_TEST

START_TEST(test_places)
{
	struct json_fault fault;

	fault_of("\xEF\xBB\xBF{\n \"a\": x }", 13, &fault);
	ck_assert_int_eq(fault.line, 2);
	fault_of("{\"a\": 1,\n\"テ\": 2, \"テ\": 3}", 27, &fault);
	ck_assert_int_eq(fault.line, 2);
	ck_assert_str_eq(fault.text, "duplicate key \"テ\": a key stands once in an object");
	fault_of("\"text\"", 6, &fault);
	ck_assert_str_eq(fault.text, "not JSON: '[' or '{' expected");
	fault_of("{ \"password\" \"hunter22\" }", 25, &fault);
	ck_assert_ptr_null(strstr(fault.text, "hunter22"));
}
END_TEST

START_TEST(test_shipped_files_cut)
{
	struct buf bytes = BUF_INIT;
	struct json_fault fault;

	ck_assert_int_eq(file_read(SOURCE_DIR "/inventory/procedures/hes-1-to-2.json", 1 << 20, &bytes, NULL), 0);
	for (size_t len = 1; len + 2 < bytes.len; len += 397)
		fault_of(bytes.data, len, &fault);
	buf_release(&bytes);
}
END_TEST

SUITE(json_text)
{
	TEST_CASE(s, test_comments_are_gone);
	TEST_CASE(s, test_cut_anywhere);
	TEST_CASE(s, test_any_byte);
	TEST_CASE(s, test_utf8);
	TEST_CASE(s, test_depth);
	TEST_CASE(s, test_places);
	TEST_CASE(s, test_shipped_files_cut);
}
