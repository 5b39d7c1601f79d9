#include "engine/identity.h"

#include "base/alloc.h"

#include <regex.h>

bool text_matches(const char *pattern, const char *text)
{
	regex_t re;
	bool matches;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) != 0)
		return false; /* it compiled when the inventory was checked */
	matches = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return matches;
}

bool identity_agrees(const struct identity_check *check, const struct op_result *result, char **seen)
{
	const struct buf *out = &result->out;
	size_t len = out->len;

	while (len && (out->data[len - 1] == '\n' || out->data[len - 1] == '\r'))
		len--;
	*seen = str_ndup(buf_str(out), len);
	if (result->exit_code != 0)
		return false;
	return check->equals ? strcmp(*seen, check->equals) == 0 : text_matches(check->matches, *seen);
}
