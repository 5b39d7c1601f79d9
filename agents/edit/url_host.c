#include "agents/edit/url_host.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Where the authority begins, or 0: no URL. */
static size_t scheme_length(const char *url, size_t len)
{
	if (len > 8 && strncasecmp(url, "https://", 8) == 0)
		return 8;
	if (len > 7 && strncasecmp(url, "http://", 7) == 0)
		return 7;
	return 0;
}

/* The first of the characters at or behind `at`, or len. */
static size_t find_any(const char *url, size_t at, size_t len, const char *characters)
{
	while (at < len && (!url[at] || !strchr(characters, url[at])))
		at++;
	return at;
}

bool url_is_host(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		      c == '-' || c == '_' || c == ':'))
			return false;
	}
	return len > 0 && len < URL_HOST_MAX;
}

static bool is_port(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
	}
	return true;
}

/* Host and port of an authority without userinfo. */
static bool split_host(const char *url, size_t end, struct url_host *found)
{
	const char *at = url + found->authority, *stop = url + end, *host_end;

	found->host = found->authority;
	if (at < stop && *at == '[') {
		host_end = memchr(at, ']', (size_t)(stop - at));
		if (!host_end)
			return false;
		found->host++;
		found->host_len = (size_t)(host_end - at) - 1;
		host_end++;
	} else {
		host_end = memchr(at, ':', (size_t)(stop - at));
		if (!host_end)
			host_end = stop;
		found->host_len = (size_t)(host_end - at);
	}
	if (host_end < stop && *host_end++ != ':')
		return false;
	return url_is_host(url + found->host, found->host_len) && is_port(host_end, (size_t)(stop - host_end));
}

bool url_host_find(const char *url, size_t len, struct url_host *found)
{
	size_t scheme = scheme_length(url, len), end, at_sign;

	*found = (struct url_host){ .scheme_len = scheme };
	if (!scheme)
		return false;
	end = find_any(url, scheme, len, "/?#");
	at_sign = find_any(url, scheme, end, "@");
	/* Windows takes a backslash for a slash. Not everybody takes the last of several `@`: behind the first one
	   here, another is no part of a host name. */
	if (find_any(url, scheme, end, "\\") < end)
		return false;
	found->userinfo = scheme;
	found->userinfo_len = at_sign < end ? at_sign - scheme : 0;
	found->authority = at_sign < end ? at_sign + 1 : scheme;
	found->query = find_any(url, end, len, "?#");
	return split_host(url, end, found);
}

void url_host_show(const char *url, const struct url_host *found, char *out, size_t out_size)
{
	snprintf(out, out_size, "%.*s%s%.*s", (int)found->scheme_len, url, found->userinfo_len ? "…@" : "",
		 (int)(found->query - found->authority), url + found->authority);
	utf8_printable(out);
}

bool url_same_host(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	a_len -= a_len && a[a_len - 1] == '.';
	b_len -= b_len && b[b_len - 1] == '.';
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}
