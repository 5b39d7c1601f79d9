#include "transport/ssh_wire.h"

static int digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool wire_base64_decode(const char *text, size_t len, struct buf *out)
{
	size_t padding = 0;

	if (len % 4)
		return false;
	while (padding < 2 && padding < len && text[len - padding - 1] == '=')
		padding++;
	for (size_t i = 0; i < len; i += 4) {
		size_t n = i + 4 == len ? 3 - padding : 3;
		unsigned char bytes[3];
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = k > n ? 0 : digit_of(text[i + k]);
			if (d < 0)
				return false;
			v = v << 6 | (uint32_t)d;
		}
		bytes[0] = (unsigned char)(v >> 16);
		bytes[1] = (unsigned char)(v >> 8);
		bytes[2] = (unsigned char)v;
		if (!buf_add(out, bytes, n))
			return false;
	}
	return true;
}
