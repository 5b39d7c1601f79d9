#include "base/redact.h"

#include "base/alloc.h"
#include "base/hash.h"


struct secret {
	char *value;
	size_t len;
};

static struct secret *secrets;
static size_t secrets_n;

static void keep(char *value, size_t len)
{
	for (size_t i = 0; i < secrets_n; i++) {
		if (secrets[i].len == len && memcmp(secrets[i].value, value, len) == 0) {
			mem_free_secret(value, len);
			return;
		}
	}
	GROW_FOR_ONE(secrets, secrets_n);
	secrets[secrets_n++] = (struct secret){ value, len };
}

void redact_register(const char *value, size_t len)
{
	char *encoded;

	if (len < REDACT_MIN_BYTES)
		return;
	keep(str_ndup(value, len), len);
	encoded = base64_encode(value, len);
	keep(encoded, strlen(encoded));
}

/* The first secret at or behind `from`: its place, and which. Of several at one place the longest. */
static const char *find_secret(const char *from, size_t len, const struct secret **which)
{
	const char *best = NULL;

	for (size_t i = 0; i < secrets_n; i++) {
		const char *at = memmem(from, len, secrets[i].value, secrets[i].len);
		if (at && (!best || at < best || (at == best && secrets[i].len > (*which)->len))) {
			best = at;
			*which = &secrets[i];
		}
	}
	return best;
}

void redact_add(struct buf *out, const char *bytes, size_t len)
{
	const struct secret *which = NULL;
	const char *at;

	while (len && (at = find_secret(bytes, len, &which)) != NULL) {
		size_t before = (size_t)(at - bytes);
		buf_add(out, bytes, before);
		buf_adds(out, REDACT_MARK);
		bytes += before + which->len;
		len -= before + which->len;
	}
	buf_add(out, bytes, len);
}

bool redact_buf(struct buf *b)
{
	const struct secret *which = NULL;
	struct buf clean = BUF_INIT;

	if (!b->len || !find_secret(b->data, b->len, &which))
		return false;
	buf_init(&clean, b->max);
	redact_add(&clean, b->data, b->len);
	clean.truncated |= b->truncated;
	buf_release_secret(b);
	*b = clean;
	return true;
}

void redact_forget(void)
{
	for (size_t i = 0; i < secrets_n; i++)
		mem_free_secret(secrets[i].value, secrets[i].len);
	free(secrets);
	secrets = NULL;
	secrets_n = 0;
}
