#include "tests/lib/unit.h"

#include "agents/edit/xml_text.h"
#include "base/alloc.h"

#define DECLARED(encoding) "<?xml version=\"1.0\" encoding=\"" encoding "\"?>"

/* Literals with NUL bytes in them. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
	const char *bytes;
	size_t len;
	const char *label, *why; /* why NULL: it is read */
	enum xml_encoding encoding;
	size_t body;
} texts[] = {
	{ BYTES(""), "UTF-8", NULL, XML_UTF8, 0 },
	{ BYTES("<a/>"), "UTF-8", NULL, XML_UTF8, 0 },
	{ BYTES("<?xml version='1.0'?><a/>"), "UTF-8", NULL, XML_UTF8, 21 },
	{ BYTES("\xef\xbb\xbf<?xml version='1.0'?><a/>"), "UTF-8 with BOM", NULL, XML_UTF8, 24 },
	{ BYTES("<?xml\r\n version = '1.0'\tencoding\n=\"Utf-8\" standalone='no' ?>"), "Utf-8", NULL, XML_UTF8, 60 },
	{ BYTES("<?xml-stylesheet version='1.0'?><a/>"), "UTF-8", NULL, XML_UTF8, 0 },
	{ BYTES("<?xml?><a/>"), "UTF-8", NULL, XML_UTF8, 0 },
	{ BYTES("\xff\xfe<\0a\0"), "UTF-16LE with BOM", NULL, XML_UTF16LE, 2 },
	{ BYTES("\xfe\xff\0<\0a"), "UTF-16BE with BOM", NULL, XML_UTF16BE, 2 },
	{ BYTES("<\0a\0/\0>\0"), "UTF-16LE", NULL, XML_UTF16LE, 0 },
	{ BYTES("\0<\0a\0/\0>"), "UTF-16BE", NULL, XML_UTF16BE, 0 },
	{ BYTES(DECLARED("us-ascii")), "us-ascii", NULL, XML_ASCII, 41 },
	{ BYTES(DECLARED("ISO-8859-1")), "ISO-8859-1", NULL, XML_LATIN1, 43 },
	{ BYTES(DECLARED("iso-8859-15")), "iso-8859-15", NULL, XML_BYTES, 44 },
	{ BYTES(DECLARED("windows-1252")), "windows-1252", NULL, XML_BYTES, 45 },
	{ BYTES(DECLARED("EUC-JP")), "EUC-JP", NULL, XML_BYTES, 39 },
	{ BYTES(DECLARED("Shift_JIS")), "Shift_JIS", NULL, XML_SJIS, 42 },
	{ BYTES(DECLARED("Windows-31J")), "Windows-31J", NULL, XML_SJIS, 44 },
	{ BYTES(DECLARED("gb2312")), "gb2312", NULL, XML_DOUBLE, 39 },
	{ BYTES(DECLARED("big5")), "big5", NULL, XML_DOUBLE, 37 },
	{ BYTES(DECLARED("utf-16")), "utf-16", "declares UTF-16 and is not", 0, 0 },
	{ BYTES(DECLARED("UTF-16LE")), "UTF-16LE", "declares UTF-16 and is not", 0, 0 },
	{ BYTES(DECLARED("ucs-4")), "ucs-4", "declares an encoding that is not read here", 0, 0 },
	{ BYTES(DECLARED("ebcdic-cp-us")), "ebcdic-cp-us", "declares an encoding that is not read here", 0, 0 },
	{ BYTES(DECLARED("windows-1252x")), "windows-1252x", "declares an encoding that is not read here", 0, 0 },
	{ BYTES(DECLARED("iso-8859-")), "iso-8859-", "declares an encoding that is not read here", 0, 0 },
	{ BYTES("\xef\xbb\xbf" DECLARED("us-ascii")), "us-ascii with BOM",
	  "begins with UTF-8's byte order mark and declares another encoding", 0, 0 },
	{ BYTES("\xff\xfe<\0?\0x\0m\0l\0 \0v\0e\0r\0s\0i\0o\0n\0=\0'\0001\0.\0000\0'\0 "
		"\0e\0n\0c\0o\0d\0i\0n\0g\0=\0'\0x\0'\0"
		"?\0>\0"),
	  "UTF-16LE with BOM", "is UTF-16 and declares another encoding", 0, 0 },
	{ BYTES("<?xml encoding='utf-8'?>"), "UTF-8", "has an XML declaration that is not well-formed", 0, 0 },
	{ BYTES("<?xml version='1.0' encoding='ut"), "UTF-8", "has an XML declaration that is not well-formed", 0, 0 },
	{ BYTES("<?xml version='1.0' standalone='maybe'?>"), "UTF-8", "has an XML declaration that is not well-formed",
	  0, 0 },
	{ BYTES("<?xml version='1.0' standalone='yes' encoding='utf-8'?>"), "UTF-8",
	  "has an XML declaration that is not well-formed", 0, 0 },
	{ BYTES("<?xml version='1.0' encoding=''?>"), "UTF-8", "has an XML declaration that is not well-formed", 0, 0 },
	{ BYTES("<?xml version=''?>"), "UTF-8", "has an XML declaration that is not well-formed", 0, 0 },
	{ BYTES("<?xml version='1.0' standalone=''?>"), "UTF-8", "has an XML declaration that is not well-formed", 0,
	  0 },
	{ BYTES("<?xml version='1.0'encoding='utf-8'?>"), "UTF-8", "has an XML declaration that is not well-formed", 0,
	  0 },
	{ BYTES("<?xml version='1.0' x?>"), "UTF-8", "has an XML declaration that is not well-formed", 0, 0 },
	{ BYTES("<?xml version='2.0'?>"), "UTF-8", "declares a version of XML that is not 1.0", 0, 0 },
};

START_TEST(test_open)
{
	char *exact = mem_new(texts[_i].len + 1, 1);
	struct xml_text text;
	const char *why = NULL;
	bool good;

	memcpy(exact, texts[_i].bytes, texts[_i].len);
	exact = mem_grow(exact, texts[_i].len ? texts[_i].len : 1, 1);
	good = xml_text_open(exact, texts[_i].len, &text, &why);
	ck_assert_msg(good == !texts[_i].why, "%s", why);
	ck_assert_str_eq(text.label, texts[_i].label);
	if (good) {
		ck_assert_int_eq(text.encoding, texts[_i].encoding);
		ck_assert_uint_eq(text.body, texts[_i].body);
	} else {
		ck_assert_str_eq(why, texts[_i].why);
	}
	free(exact);
}
END_TEST

#define UNKNOWN XML_CHAR_UNKNOWN
#define BAD XML_CHAR_BAD

static const struct {
	enum xml_encoding encoding;
	bool lenient;
	const char *bytes;
	size_t len;
	struct {
		uint32_t code;
		size_t size;
	} want[6];
} runs[] = {
	{ XML_ASCII, false, BYTES("a\x80"), { { 'a', 1 }, { UNKNOWN, 1 } } },
	{ XML_LATIN1, false, BYTES("a\xe9"), { { 'a', 1 }, { 0xe9, 1 } } },
	{ XML_BYTES, false, BYTES("\xe9<"), { { UNKNOWN, 1 }, { '<', 1 } } },
	{ XML_UTF8,
	  false,
	  BYTES("\xc3\xa9\xe8\xa1\xa8\xf0\x9f\x97\xbe"),
	  { { 0xe9, 2 }, { 0x8868, 3 }, { 0x1f5fe, 4 } } },
	{ XML_UTF8, false, BYTES("\x95\x5c\xe8<"), { { UNKNOWN, 1 }, { '\\', 1 }, { UNKNOWN, 1 }, { '<', 1 } } },
	{ XML_UTF8, false, BYTES("\xe8\xa1"), { { UNKNOWN, 1 }, { UNKNOWN, 1 } } },
	{ XML_SJIS, false, BYTES("\x95\x5c|\xb1\x5c"), { { UNKNOWN, 2 }, { '|', 1 }, { UNKNOWN, 1 }, { '\\', 1 } } },
	{ XML_SJIS, false, BYTES("\x83<"), { { BAD, 1 }, { '<', 1 } } },
	{ XML_SJIS, true, BYTES("\x83<"), { { UNKNOWN, 1 }, { '<', 1 } } },
	{ XML_SJIS, false, BYTES("\x83"), { { BAD, 1 } } },
	{ XML_SJIS, false, BYTES("\x83\x7f"), { { BAD, 1 }, { 0x7f, 1 } } },
	{ XML_DOUBLE, false, BYTES("\xaa\x5d]"), { { UNKNOWN, 2 }, { ']', 1 } } },
	{ XML_DOUBLE,
	  false,
	  BYTES("\x81\x30\x81\x30"
		"a"),
	  { { UNKNOWN, 4 }, { 'a', 1 } } },
	{ XML_DOUBLE, false, BYTES("\x81\x30\x81>"), { { BAD, 1 }, { '0', 1 }, { BAD, 1 }, { '>', 1 } } },
	{ XML_DOUBLE, false, BYTES("\x80"), { { UNKNOWN, 1 } } },
	{ XML_UTF16LE, false, BYTES("<\0\x68\x88\x3c\xd8\xfe\xdd"), { { '<', 2 }, { 0x8868, 2 }, { 0x1f1fe, 4 } } },
	{ XML_UTF16BE, false, BYTES("\0<\x88\x68\xd8\x3c\xdd\xfe"), { { '<', 2 }, { 0x8868, 2 }, { 0x1f1fe, 4 } } },
	{ XML_UTF16LE,
	  false,
	  BYTES("\xfe\xdd<\0\x3c\xd8<\0"),
	  { { UNKNOWN, 2 }, { '<', 2 }, { UNKNOWN, 2 }, { '<', 2 } } },
	{ XML_UTF16LE, false, BYTES("\x3c\xd8"), { { UNKNOWN, 2 } } },
	{ XML_UTF16LE, false, BYTES("\xfe\xdd\xfe\xdd"), { { UNKNOWN, 2 }, { UNKNOWN, 2 } } },
	{ XML_UTF16LE, false, BYTES("<\0<"), { { '<', 2 }, { BAD, 1 } } },
};

START_TEST(test_characters)
{
	char *exact = mem_grow(NULL, runs[_i].len, 1);
	struct xml_text text = { .len = runs[_i].len, .encoding = runs[_i].encoding, .lenient = runs[_i].lenient };
	size_t at = 0, n = 0;
	uint32_t code;

	memcpy(exact, runs[_i].bytes, runs[_i].len);
	text.bytes = (unsigned char *)exact;
	for (; at < text.len; n++) {
		ck_assert_uint_lt(n, 6);
		ck_assert_uint_eq(xml_char(&text, at, &code), runs[_i].want[n].size);
		ck_assert_uint_eq(code, runs[_i].want[n].code);
		at += runs[_i].want[n].size;
	}
	ck_assert_uint_eq(at, text.len);
	ck_assert(n == 6 || !runs[_i].want[n].size);
	ck_assert_uint_eq(xml_char(&text, at, &code), 0);
	ck_assert_uint_eq(code, XML_CHAR_END);
	free(exact);
}
END_TEST

START_TEST(test_looking_at)
{
	struct xml_text text = { .bytes = (const unsigned char *)"\0a\0b\0c", .len = 6, .encoding = XML_UTF16BE };

	ck_assert_uint_eq(xml_looking_at(&text, 0, "abc"), 6);
	ck_assert_uint_eq(xml_looking_at(&text, 2, "bc"), 4);
	ck_assert_uint_eq(xml_looking_at(&text, 2, "bcd"), 0);
	ck_assert(xml_span_is(&text, (struct xml_span){ 0, 4 }, "ab"));
	ck_assert(!xml_span_is(&text, (struct xml_span){ 0, 4 }, "abc"));
	ck_assert(!xml_span_is(&text, (struct xml_span){ 0, 4 }, "a"));
	ck_assert(!xml_span_is(&text, (struct xml_span){ 0, 0 }, ""));
}
END_TEST

SUITE(xml_text)
{
	TEST_CASE_LOOP(s, test_open, 0, ARRAY_LEN(texts));
	TEST_CASE_LOOP(s, test_characters, 0, ARRAY_LEN(runs));
	TEST_CASE(s, test_looking_at);
}
