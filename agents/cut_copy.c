#include "agents/cut_copy.h"

#include <string.h>

static size_t common_length(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = 0;

	while (n < a_len && n < b_len && a[n] == b[n])
		n++;
	return n;
}

static bool all_zero(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

bool is_cut_copy(const char *seen, size_t len, const char *to, size_t to_len, const char *from, size_t from_len)
{
	size_t done = common_length(seen, len, to, to_len);

	if (done == len || all_zero(seen + done, len - done))
		return len <= (to_len > from_len ? to_len : from_len);
	return len == from_len && memcmp(seen + done, from + done, len - done) == 0;
}
