#include "inventory/key_file.h"

#include <string.h>

/* base64 of "openssh-key-v1", NUL; and of the same followed by the cipher's name "none". */
#define OPENSSH_MAGIC "b3BlbnNzaC1rZXktdjEA"
#define OPENSSH_PLAIN OPENSSH_MAGIC "AAAABG5vbmUA"

static const char *find(const char *bytes, size_t len, const char *text)
{
	return len ? memmem(bytes, len, text, strlen(text)) : NULL;
}

/* How many characters of `text` the base64 from `at` on has; line breaks may stand anywhere in it. *other: then came
   another one, and not the end. */
static size_t common(const char *at, const char *end, const char *text, bool *other)
{
	size_t n = 0;

	*other = false;
	for (; at < end && text[n] && !*other; at++) {
		if (*at == '\n' || *at == '\r' || *at == ' ' || *at == '\t')
			continue;
		*other = *at != text[n];
		n += !*other;
	}
	return n;
}

bool key_file_is_locked(const char *bytes, size_t len)
{
	static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	const char *body = find(bytes, len, openssh);
	bool other;

	if (body)
		return common(body + strlen(openssh), bytes + len, OPENSSH_PLAIN, &other) >= strlen(OPENSSH_MAGIC) && other;
	return find(bytes, len, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
	       (find(bytes, len, " PRIVATE KEY-----") && find(bytes, len, "Proc-Type: 4,ENCRYPTED"));
}
