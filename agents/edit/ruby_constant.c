#include "agents/edit/ruby_constant.h"
#include "agents/edit/ruby_scan.h"
#include "agents/edit/url_host.h"

#include <stdio.h>
#include <string.h>

static void say_unclear(struct ruby_constant *found, const char *why, long line)
{
	found->state = RUBY_UNCLEAR;
	snprintf(found->reason, sizeof(found->reason), "%s", why);
	found->lines[0] = line;
	found->lines_n = 1;
}

/* ---- the URL ---------------------------------------------------------------------------------------------------- */

static bool parse_url(struct ruby_constant *found, const char *text, size_t offset, size_t len)
{
	const char *url = text + offset;
	struct url_host at;

	if (!url_host_find(url, len, &at))
		return false;
	found->userinfo_offset = offset + at.userinfo;
	found->userinfo_len = at.userinfo_len;
	found->host_offset = offset + at.host;
	found->host_len = at.host_len;
	snprintf(found->host, sizeof(found->host), "%.*s", (int)at.host_len, url + at.host);
	url_host_show(url, &at, found->shown, sizeof(found->shown));
	return true;
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
