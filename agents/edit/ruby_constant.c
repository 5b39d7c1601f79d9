#include "agents/edit/ruby_constant.h"
#include "agents/edit/ruby_scan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void say_unclear(struct ruby_constant *found, const char *why, long line)
{
	found->state = RUBY_UNCLEAR;
	snprintf(found->reason, sizeof(found->reason), "%s", why);
	found->lines[0] = line;
	found->lines_n = 1;
}

/* ---- the URL ---------------------------------------------------------------------------------------------------- */

/* Where the authority begins, or 0: no URL. */
static size_t scheme_length(const char *url, size_t len)
{
	if (len > 8 && strncasecmp(url, "https://", 8) == 0)
		return 8;
	if (len > 7 && strncasecmp(url, "http://", 7) == 0)
		return 7;
	return 0;
}

static size_t authority_length(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("/?#", at[i]))
			return i;
	}
	return len;
}

/* Is it a host name or an address? Then nothing else can hide in it. */
static bool is_host(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		      c == '-' || c == '_' || c == ':'))
			return false;
	}
	return len > 0 && len < RUBY_HOST_MAX;
}

static bool is_port(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
	}
	return true;
}

/* Splits host and port (a colon in front of it included) of an authority without userinfo. */
static bool split_host(const char *at, size_t len, size_t *host, size_t *host_len)
{
	const char *end;

	*host = 0;
	if (len && at[0] == '[') {
		end = memchr(at, ']', len);
		if (!end)
			return false;
		*host = 1;
		*host_len = (size_t)(end - at) - 1;
		end++;
	} else {
		end = memchr(at, ':', len);
		if (!end)
			end = at + len;
		*host_len = (size_t)(end - at);
	}
	if (end < at + len && *end++ != ':')
		return false;
	return is_host(at + *host, *host_len) && is_port(end, (size_t)(at + len - end));
}

static void show(struct ruby_constant *found, const char *url, size_t scheme, size_t host_part, size_t end)
{
	int n = snprintf(found->shown, sizeof(found->shown), "%.*s%s%.*s", (int)scheme, url,
			 found->userinfo_len ? "…@" : "", (int)(end - host_part), url + host_part);

	for (char *at = found->shown; n > 0 && *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
}

static bool parse_url(struct ruby_constant *found, const char *text, size_t offset, size_t len)
{
	const char *url = text + offset, *at_sign;
	size_t scheme = scheme_length(url, len), authority, host_part, host, end;

	if (!scheme)
		return false;
	authority = authority_length(url + scheme, len - scheme);
	at_sign = memrchr(url + scheme, '@', authority);
	host_part = at_sign ? (size_t)(at_sign + 1 - url) : scheme;
	found->userinfo_offset = offset + scheme;
	found->userinfo_len = at_sign ? host_part - 1 - scheme : 0;
	if (!split_host(url + host_part, scheme + authority - host_part, &host, &found->host_len))
		return false;
	found->host_offset = offset + host_part + host;
	snprintf(found->host, sizeof(found->host), "%.*s", (int)found->host_len, text + found->host_offset);
	for (end = scheme + authority; end < len && !strchr("?#", url[end]); end++)
		;
	show(found, url, scheme, host_part, end);
	return true;
}

bool ruby_constant_same_host(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	a_len -= a_len && a[a_len - 1] == '.';
	b_len -= b_len && b[b_len - 1] == '.';
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* ---- the constant ----------------------------------------------------------------------------------------------- */

static void judge(struct ruby_constant *found, const struct ruby_scan *scan, const char *text)
{
	size_t kept = scan->n < RUBY_LINES_MAX ? scan->n : RUBY_LINES_MAX;

	if (scan->failed) {
		say_unclear(found, scan->failed, scan->failed_line);
		return;
	}
	for (size_t i = 0; i < scan->n && i < RUBY_SCAN_MAX; i++) {
		if (scan->at[i].unclear) {
			say_unclear(found, scan->at[i].unclear, scan->at[i].line);
			return;
		}
	}
	for (found->lines_n = 0; found->lines_n < kept; found->lines_n++)
		found->lines[found->lines_n] = scan->at[found->lines_n].line;
	if (scan->n != 1) {
		found->state = scan->n ? RUBY_SEVERAL : RUBY_NONE;
		return;
	}
	found->state = RUBY_FOUND;
	if (!parse_url(found, text, scan->at[0].value_offset, scan->at[0].value_len))
		say_unclear(found, "the value is not an http or https URL with a host name", scan->at[0].line);
}

static bool is_utf8(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		size_t more = at[i] < 0x80   ? 0
			      : at[i] < 0xc2 ? 9
			      : at[i] < 0xe0 ? 1
			      : at[i] < 0xf0 ? 2
			      : at[i] < 0xf5 ? 3
					     : 9;

		if (more > len - i - 1)
			return false;
		for (i++; more; more--, i++) {
			if ((at[i] & 0xc0) != 0x80)
				return false;
		}
	}
	return true;
}

static bool same(const struct ruby_constant *a, const struct ruby_constant *b)
{
	return a->state == b->state && a->host_offset == b->host_offset && a->host_len == b->host_len &&
	       a->lines_n == b->lines_n && memcmp(a->lines, b->lines, sizeof(a->lines)) == 0;
}

static void find_as(const char *text, size_t len, const char *name, enum ruby_encoding encoding,
		    struct ruby_constant *found)
{
	struct ruby_scan scan;

	*found = (struct ruby_constant){ 0 };
	ruby_scan(text, len, name, encoding, &scan);
	judge(found, &scan, text);
}

void ruby_constant_find(const char *text, size_t len, const char *name, struct ruby_constant *found)
{
	struct ruby_constant other;
	bool declared;
	enum ruby_encoding encoding = ruby_encoding_of(text, len, &declared);

	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
		*found = (struct ruby_constant){ 0 };
		say_unclear(found, "the file is UTF-16, which Ruby does not read", 1);
		return;
	}
	find_as(text, len, name, encoding, found);
	if (declared || is_utf8(text, len))
		return;
	find_as(text, len, name, RUBY_SJIS, &other);
	if (!same(found, &other))
		say_unclear(found, "the file declares no encoding, and read as Shift_JIS it says something else",
			    other.lines_n    ? other.lines[0]
			    : found->lines_n ? found->lines[0]
					     : 1);
}
