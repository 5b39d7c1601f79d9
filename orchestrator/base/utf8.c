#include "base/utf8.h"

/* The second byte's range keeps out overlong forms, surrogates and what is too large (RFC 3629, section 4). */
static bool second_fits(unsigned char first, unsigned char second)
{
	if (first == 0xe0)
		return second >= 0xa0 && second <= 0xbf;
	if (first == 0xed)
		return second >= 0x80 && second <= 0x9f;
	if (first == 0xf0)
		return second >= 0x90 && second <= 0xbf;
	if (first == 0xf4)
		return second >= 0x80 && second <= 0x8f;
	return second >= 0x80 && second <= 0xbf;
}

static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_next(const char *at, size_t len, uint32_t *code)
{
	const unsigned char *b = (const unsigned char *)at;
	size_t n = len ? length_of(b[0]) : 0;
	uint32_t value;

	if (!n || n > len || (n > 1 && !second_fits(b[0], b[1])))
		return 0;
	value = n == 1 ? b[0] : b[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (b[i] & 0x3f);
	}
	if (code)
		*code = value;
	return n;
}

void utf8_add(struct buf *out, uint32_t code)
{
	char bytes[4];
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
		code = 0xfffd;
		n = 3;
	}
	for (size_t i = n; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(lead[n] | code);
	buf_add(out, bytes, n);
}

void utf8_add_clean(struct buf *out, const char *text, size_t len)
{
	while (len) {
		size_t n = utf8_next(text, len, NULL);
		if (n)
			buf_add(out, text, n);
		else
			buf_add(out, "\xef\xbf\xbd", 3);
		text += n ? n : 1;
		len -= n ? n : 1;
	}
}

static bool is_cut(const char *at, size_t left)
{
	for (size_t i = 1; i < left; i++) {
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return false;
	}
	return left < length_of((unsigned char)*at);
}

void utf8_printable(char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		size_t n = utf8_next(text + i, len - i, &code);

		if (!n && is_cut(text + i, len - i)) {
			text[i] = '\0';
			return;
		}
		if (n == 1 && (code == '\n' || code == '\t'))
			text[i] = ' ';
		else if (n < 2 && (!n || code < 0x20 || code == 0x7f))
			text[i] = '?';
		else if (n == 2 && code < 0xa0)
			memset(text + i, '?', 2);
		i += n ? n : 1;
	}
}
