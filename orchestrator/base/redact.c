#include "base/redact.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"

#include <stdint.h>

/*
 * Ten thousand tenants bring tens of thousands of values, and every text passes here, so the cost of a text must not
 * grow with their number: values are found by their first KEY_BYTES bytes, which each of them has, in a hash table.
 * Before that, one bit for each hash says "surely none" for nearly all places.
 */
#define KEY_BYTES REDACT_MIN_BYTES
#define FILTER_BITS 20

struct secret {
	char *value;
	size_t len;
	size_t next; /* in the same slot: index + 1, 0 ends */
};

static struct secret *secrets;
static size_t secrets_n;
static size_t *slots; /* heads: index + 1 */
static size_t slots_n;
static uint32_t *filter;

/* Of the first KEY_BYTES bytes; multiplication spreads them over the upper bits. */
static uint64_t key_hash(const char *at)
{
	uint64_t key = 0;

	memcpy(&key, at, KEY_BYTES);
	return key * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t filter_bit(uint64_t hash)
{
	return (size_t)(hash >> (64 - FILTER_BITS));
}

static void link_secret(size_t i)
{
	uint64_t hash = key_hash(secrets[i].value);
	size_t *slot = &slots[(size_t)(hash >> 20) & (slots_n - 1)];

	secrets[i].next = *slot;
	*slot = i + 1;
	filter[filter_bit(hash) / 32] |= UINT32_C(1) << filter_bit(hash) % 32;
}

static void grow_slots(void)
{
	slots_n = slots_n ? 2 * slots_n : 256;
	free(slots);
	slots = NEW_N(size_t, slots_n);
	if (!filter)
		filter = NEW_N(uint32_t, ((size_t)1 << FILTER_BITS) / 32);
	for (size_t i = 0; i < secrets_n; i++)
		link_secret(i);
}

/* Does `s` begin at `at`? In a text that was cut also when only its beginning is left. */
static bool begins(const struct secret *s, const char *at, size_t len, bool cut)
{
	if (s->len <= len)
		return memcmp(s->value, at, s->len) == 0;
	return cut && memcmp(s->value, at, len) == 0;
}

/* The longest secret that begins at `at`, or NULL; len is at least KEY_BYTES. */
static const struct secret *secret_at(const char *at, size_t len, bool cut)
{
	const struct secret *best = NULL;
	uint64_t hash = key_hash(at);

	if (!(filter[filter_bit(hash) / 32] >> filter_bit(hash) % 32 & 1))
		return NULL;
	for (size_t i = slots[(size_t)(hash >> 20) & (slots_n - 1)]; i; i = secrets[i - 1].next) {
		const struct secret *s = &secrets[i - 1];
		if ((!best || s->len > best->len) && begins(s, at, len, cut))
			best = s;
	}
	return best;
}

/* The first secret at or behind `from`. */
static const char *find_secret(const char *from, size_t len, bool cut, const struct secret **which)
{
	if (!secrets_n)
		return NULL;
	for (; len >= KEY_BYTES; from++, len--)
		if ((*which = secret_at(from, len, cut)) != NULL)
			return from;
	return NULL;
}

/* ---- registering ---------------------------------------------------------------------------------------------- */

static void keep(const char *value, size_t len)
{
	const struct secret *known;

	if (len < REDACT_MIN_BYTES)
		return;
	known = secrets_n ? secret_at(value, len, false) : NULL;
	if (known && known->len == len)
		return;
	GROW_FOR_ONE(secrets, secrets_n);
	secrets[secrets_n++] = (struct secret){ .value = str_ndup(value, len), .len = len };
	if (2 * secrets_n > slots_n)
		grow_slots();
	else
		link_secret(secrets_n - 1);
}

/* In base64 a value looks different after 0, 1 or 2 bytes that stand before it ("user:password"). Only the digits that
   are made of nothing but its own bits can be looked for: the first ones are mixed with what stands before, the last
   one with what follows. */
static void keep_base64(const char *value, size_t len)
{
	char *padded = mem_new(len + 2, 1);

	for (size_t before = 0; before < 3; before++) {
		size_t first = before ? before + 1 : 0, digits = (8 * (before + len)) / 6;
		char *encoded;
		memcpy(padded + before, value, len);
		encoded = base64_encode(padded, before + len);
		keep(encoded + first, digits - first);
		if (!before)
			keep(encoded, strlen(encoded));
		str_free_secret(encoded);
	}
	mem_free_secret(padded, len + 2);
}

static void add_json_string(struct buf *out, const char *bytes, size_t len)
{
	static const char special[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		const char *at = c ? strchr(special, c) : NULL;
		if (at) {
			buf_addc(out, '\\');
			buf_addc(out, letter[at - special]);
		} else if (c < 0x20) {
			buf_addf(out, "\\u%04x", c);
		} else {
			buf_addc(out, (char)c);
		}
	}
}

void redact_register(const char *value, size_t len)
{
	struct buf json = BUF_INIT;

	if (len < REDACT_MIN_BYTES)
		return;
	keep(value, len);
	keep_base64(value, len);
	add_json_string(&json, value, len);
	keep(buf_str(&json), json.len);
	buf_release_secret(&json);
}

/* ---- redacting ------------------------------------------------------------------------------------------------ */

static void add(struct buf *out, const char *bytes, size_t len, bool cut)
{
	const struct secret *which = NULL;
	const char *at;

	while ((at = find_secret(bytes, len, cut, &which)) != NULL) {
		size_t before = (size_t)(at - bytes), of_it = which->len < len - before ? which->len : len - before;
		buf_add(out, bytes, before);
		buf_adds(out, REDACT_MARK);
		bytes += before + of_it;
		len -= before + of_it;
	}
	buf_add(out, bytes, len);
}

void redact_add(struct buf *out, const char *bytes, size_t len)
{
	add(out, bytes, len, false);
}

void redact_add_cut(struct buf *out, const char *bytes, size_t len)
{
	add(out, bytes, len, true);
}

bool redact_buf(struct buf *b)
{
	const struct secret *which = NULL;
	struct buf clean;

	if (!b->len || !find_secret(b->data, b->len, b->truncated, &which))
		return false;
	buf_init(&clean, b->max);
	add(&clean, b->data, b->len, b->truncated);
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
	free(slots);
	free(filter);
	secrets = NULL;
	slots = NULL;
	filter = NULL;
	secrets_n = slots_n = 0;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

/* Four hex digits; -1 where there are none. */
static int hex4(const char *at, size_t len)
{
	int value = 0;

	if (len < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit = c >= '0' && c <= '9'                 ? c - '0'
			    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
								 : -1;
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* \uXXXX at at[0 … len), behind the backslash: adds its bytes, returns how many characters were used, 0 when it is
 * none. */
static size_t add_unicode(struct buf *out, const char *at, size_t len)
{
	int high = hex4(at + 1, len - 1), low;

	if (high < 0)
		return 0;
	if (high < 0xd800 || high > 0xdbff) {
		utf8_add(out, (uint32_t)high);
		return 5;
	}
	low = len >= 11 && at[5] == '\\' && at[6] == 'u' ? hex4(at + 7, len - 7) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	utf8_add(out, 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
	return 11;
}

/* What a string stands for; `len` bytes between its quotes. What is no escape is taken as it is. */
static void decode_string(struct buf *out, const char *at, size_t len)
{
	static const char letter[] = "\"\\/bfnrt", value[] = "\"\\/\b\f\n\r\t";

	for (size_t i = 0; i < len; i++) {
		const char *known;
		size_t used;
		if (at[i] != '\\' || i + 1 == len) {
			buf_addc(out, at[i]);
			continue;
		}
		i++;
		known = at[i] ? strchr(letter, at[i]) : NULL;
		if (known)
			buf_addc(out, value[known - letter]);
		else if (at[i] == 'u' && (used = add_unicode(out, at + i, len - i)) != 0)
			i += used - 1;
		else
			buf_add(out, at + i - 1, 2);
	}
}

/* The length of the string that begins behind a quote, up to its closing quote; len when there is none. */
static size_t string_length(const char *at, size_t len)
{
	size_t i = 0;

	while (i < len && at[i] != '"')
		i += at[i] == '\\' ? 2 : 1;
	return i < len ? i : len;
}

static void redact_string(struct buf *out, const char *at, size_t len)
{
	struct buf plain;

	buf_init(&plain, len + 1);
	decode_string(&plain, at, len);
	plain.max = 2 * len + 64;
	if (redact_buf(&plain))
		add_json_string(out, plain.data, plain.len);
	else
		buf_add(out, at, len);
	buf_release_secret(&plain);
}

void redact_json(struct buf *out, const char *json, size_t len)
{
	if (!secrets_n) {
		buf_add(out, json, len);
		return;
	}
	while (len) {
		const char *quote = memchr(json, '"', len);
		size_t before = quote ? (size_t)(quote - json) + 1 : len, inside;
		buf_add(out, json, before);
		json += before;
		len -= before;
		if (!quote)
			break;
		inside = string_length(json, len);
		redact_string(out, json, inside);
		json += inside;
		len -= inside;
		if (!len)
			break;
		buf_addc(out, '"');
		json++;
		len--;
	}
}
