#include "agents/edit/xml_text.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <stdio.h>
#include <strings.h>

#define DECLARED_MAX 40

/* ---- characters ------------------------------------------------------------------------------------------------- */

static size_t wide_char(const struct xml_text *text, size_t at, uint32_t *code)
{
	const unsigned char *b = text->bytes + at;
	int low = text->encoding == XML_UTF16BE;
	uint32_t unit, second;

	if (text->len - at < 2) {
		*code = XML_CHAR_BAD;
		return 1;
	}
	unit = (uint32_t)b[1 - low] << 8 | b[low];
	*code = unit;
	if (unit < 0xd800 || unit > 0xdfff)
		return 2;
	*code = XML_CHAR_UNKNOWN;
	if (unit >= 0xdc00 || text->len - at < 4)
		return 2;
	second = (uint32_t)b[3 - low] << 8 | b[2 + low];
	if (second < 0xdc00 || second > 0xdfff)
		return 2;
	*code = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
	return 4;
}

static bool is_lead(enum xml_encoding encoding, unsigned char c)
{
	if (encoding == XML_SJIS)
		return (c >= 0x81 && c <= 0x9f) || (c >= 0xe0 && c <= 0xfc);
	return c >= 0x81 && c <= 0xfe;
}

/* No decoder agrees with the other one on what becomes of a second byte that is none. */
static size_t double_char(const struct xml_text *text, size_t at, uint32_t *code)
{
	const unsigned char *b = text->bytes + at;
	size_t left = text->len - at;

	*code = XML_CHAR_UNKNOWN;
	if (!is_lead(text->encoding, b[0]))
		return 1;
	if (left >= 2 && b[1] >= 0x40 && b[1] != 0x7f && b[1] != 0xff)
		return 2;
	/* GB18030 has characters of four bytes; the digits delimit nothing. */
	if (text->encoding == XML_DOUBLE && left >= 4 && b[1] >= '0' && b[1] <= '9' && is_lead(XML_DOUBLE, b[2]) &&
	    b[3] >= '0' && b[3] <= '9')
		return 4;
	if (!text->lenient)
		*code = XML_CHAR_BAD;
	return 1;
}

size_t xml_char(const struct xml_text *text, size_t at, uint32_t *code)
{
	unsigned char c;
	size_t n;

	if (at >= text->len) {
		*code = XML_CHAR_END;
		return 0;
	}
	c = text->bytes[at];
	*code = c;
	if (text->encoding == XML_UTF16LE || text->encoding == XML_UTF16BE)
		return wide_char(text, at, code);
	if (c < 0x80 || text->encoding == XML_LATIN1)
		return 1;
	if (text->encoding == XML_SJIS || text->encoding == XML_DOUBLE)
		return double_char(text, at, code);
	n = text->encoding == XML_UTF8 ? utf8_next((const char *)text->bytes + at, text->len - at, code) : 0;
	if (n)
		return n;
	*code = XML_CHAR_UNKNOWN;
	return 1;
}

size_t xml_looking_at(const struct xml_text *text, size_t at, const char *ascii)
{
	size_t start = at;
	uint32_t code;

	for (; *ascii; ascii++) {
		at += xml_char(text, at, &code);
		if (code != (unsigned char)*ascii)
			return 0;
	}
	return at - start;
}

bool xml_span_is(const struct xml_text *text, struct xml_span span, const char *ascii)
{
	return span.len && xml_looking_at(text, span.at, ascii) == span.len;
}

bool xml_is_space(uint32_t code)
{
	return code == ' ' || code == '\t' || code == '\r' || code == '\n';
}

/* ---- the declaration -------------------------------------------------------------------------------------------- */

static size_t skip_space(const struct xml_text *text, size_t at)
{
	uint32_t code;

	for (;;) {
		size_t n = xml_char(text, at, &code);

		if (!xml_is_space(code))
			return at;
		at += n;
	}
}

/* `NAME = "VALUE"` behind white space at *at. The value is not empty, and holds no white space, quote or `<`,
   and only ASCII. False: *at is where it was. */
static bool pseudo_attribute(const struct xml_text *text, size_t *at, const char *name, char *value, size_t value_size)
{
	size_t here = skip_space(text, *at), n = xml_looking_at(text, here, name), len = 0;
	uint32_t quote, code;

	if (!n || here == *at)
		return false;
	here = skip_space(text, here + n);
	n = xml_looking_at(text, here, "=");
	here = skip_space(text, here + n);
	here += xml_char(text, here, &quote);
	if (!n || (quote != '"' && quote != '\''))
		return false;
	for (;;) {
		here += xml_char(text, here, &code);
		if (code == quote)
			break;
		if (code <= ' ' || code >= 0x7f || code == '<' || len + 1 >= value_size)
			return false;
		value[len++] = (char)code;
	}
	value[len] = '\0';
	if (len)
		*at = here;
	return len > 0;
}

/* The declaration, where there is one; `encoding` is "" without one. */
static bool declaration(struct xml_text *text, char encoding[DECLARED_MAX], const char **why)
{
	size_t at = text->start, n = xml_looking_at(text, at, "<?xml");
	char version[8], standalone[8];
	uint32_t code;

	text->body = at;
	xml_char(text, at + n, &code);
	if (!n || !xml_is_space(code))
		return true;
	at += n;
	*why = "has an XML declaration that is not well-formed";
	if (!pseudo_attribute(text, &at, "version", version, sizeof(version)))
		return false;
	text->declared = pseudo_attribute(text, &at, "encoding", encoding, DECLARED_MAX);
	if (pseudo_attribute(text, &at, "standalone", standalone, sizeof(standalone)) &&
	    strcmp(standalone, "yes") != 0 && strcmp(standalone, "no") != 0)
		return false;
	at = skip_space(text, at);
	n = xml_looking_at(text, at, "?>");
	if (!n)
		return false;
	text->body = at + n;
	*why = "declares a version of XML that is not 1.0";
	return strcmp(version, "1.0") == 0;
}

/* ---- the encoding ----------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum xml_encoding encoding;
} encodings[] = {
	{ "utf-8", XML_UTF8 },
	{ "utf8", XML_UTF8 },
	{ "us-ascii", XML_ASCII },
	{ "ascii", XML_ASCII },
	{ "ansi_x3.4-1968", XML_ASCII },
	{ "iso646-us", XML_ASCII },
	{ "iso-8859-1", XML_LATIN1 },
	{ "iso8859-1", XML_LATIN1 },
	{ "iso_8859-1", XML_LATIN1 },
	{ "latin1", XML_LATIN1 },
	{ "tis-620", XML_BYTES },
	{ "windows-874", XML_BYTES },
	{ "koi8-r", XML_BYTES },
	{ "koi8-u", XML_BYTES },
	{ "euc-jp", XML_BYTES },
	{ "x-euc-jp", XML_BYTES },
	{ "euc-kr", XML_BYTES },
	{ "euc-cn", XML_BYTES },
	{ "gb2312", XML_DOUBLE }, /* .NET reads it as GBK */
	{ "shift_jis", XML_SJIS },
	{ "shift-jis", XML_SJIS },
	{ "sjis", XML_SJIS },
	{ "x-sjis", XML_SJIS },
	{ "ms_kanji", XML_SJIS },
	{ "csshiftjis", XML_SJIS },
	{ "windows-31j", XML_SJIS },
	{ "cswindows31j", XML_SJIS },
	{ "windows-932", XML_SJIS },
	{ "cp932", XML_SJIS },
	{ "ms932", XML_SJIS },
	{ "gbk", XML_DOUBLE },
	{ "cp936", XML_DOUBLE },
	{ "windows-936", XML_DOUBLE },
	{ "gb18030", XML_DOUBLE },
	{ "big5", XML_DOUBLE },
	{ "cp950", XML_DOUBLE },
	{ "ks_c_5601-1987", XML_DOUBLE },
	{ "cp949", XML_DOUBLE },
	{ "windows-949", XML_DOUBLE },
};

/* Families of which each member is ASCII and one byte a character. */
static const char *const families[] = { "iso-8859-", "iso8859-", "windows-125", "cp125" };

static bool encoding_named(const char *name, enum xml_encoding *encoding)
{
	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		if (strcasecmp(name, encodings[i].name) != 0)
			continue;
		*encoding = encodings[i].encoding;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		size_t len = strlen(families[i]);

		if (strncasecmp(name, families[i], len) == 0 && name[len] && strspn(name + len, "0123456789") <= 2 &&
		    !name[len + strspn(name + len, "0123456789")]) {
			*encoding = XML_BYTES;
			return true;
		}
	}
	return false;
}

static bool is_utf16_name(const char *name, bool little)
{
	return strcasecmp(name, "utf-16") == 0 || strcasecmp(name, "utf16") == 0 || strcasecmp(name, "ucs-2") == 0 ||
	       strcasecmp(name, "iso-10646-ucs-2") == 0 || strcasecmp(name, "unicode") == 0 ||
	       strcasecmp(name, little ? "utf-16le" : "utf-16be") == 0;
}

static bool is_any_utf16_name(const char *name)
{
	return is_utf16_name(name, true) || is_utf16_name(name, false);
}

/* What the first bytes say. */
static void sniff(struct xml_text *text)
{
	const unsigned char *b = text->bytes;
	size_t len = text->len;

	text->encoding = XML_UTF8;
	if (len >= 3 && memcmp(b, "\xef\xbb\xbf", 3) == 0) {
		text->start = 3;
	} else if (len >= 2 && b[0] == 0xff && b[1] == 0xfe) {
		text->encoding = XML_UTF16LE;
		text->start = 2;
	} else if (len >= 2 && b[0] == 0xfe && b[1] == 0xff) {
		text->encoding = XML_UTF16BE;
		text->start = 2;
	} else if (len >= 4 && b[0] && !b[1] && b[2] && !b[3]) {
		text->encoding = XML_UTF16LE;
	} else if (len >= 4 && !b[0] && b[1] && !b[2] && b[3]) {
		text->encoding = XML_UTF16BE;
	}
	text->mark = text->start > 0;
}

static bool is_clean(const struct xml_text *text)
{
	uint32_t code = 0;

	for (size_t at = text->start; at < text->len;) {
		at += xml_char(text, at, &code);
		if (code == XML_CHAR_UNKNOWN || code == XML_CHAR_BAD)
			return false;
	}
	return true;
}

/* What the bytes say, and what is declared. */
static bool reconcile(struct xml_text *text, const char *declared, const char **why)
{
	bool wide = text->encoding != XML_UTF8;

	if (wide) {
		*why = "is UTF-16 and declares another encoding";
		return !text->declared || is_utf16_name(declared, text->encoding == XML_UTF16LE);
	}
	if (!text->declared)
		return true;
	*why = "declares UTF-16 and is not";
	if (is_any_utf16_name(declared))
		return false;
	*why = "declares an encoding that is not read here";
	if (!encoding_named(declared, &text->encoding))
		return false;
	*why = "begins with UTF-8's byte order mark and declares another encoding";
	return !text->mark || text->encoding == XML_UTF8;
}

static void set_label(struct xml_text *text, const char *declared)
{
	const char *name = text->declared ? declared : "UTF-8";

	if (text->encoding == XML_UTF16LE)
		name = "UTF-16LE";
	else if (text->encoding == XML_UTF16BE)
		name = "UTF-16BE";
	snprintf(text->label, sizeof(text->label), "%s%s", name, text->mark ? " with BOM" : "");
}

bool xml_text_open(const void *bytes, size_t len, struct xml_text *text, const char **why)
{
	char declared[DECLARED_MAX] = "";
	bool good;

	*text = (struct xml_text){ .bytes = bytes, .len = len };
	sniff(text);
	good = declaration(text, declared, why) && reconcile(text, declared, why);
	set_label(text, declared);
	text->clean = good && is_clean(text);
	return good;
}
