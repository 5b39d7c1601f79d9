/*
 * Where the host name stands in a URL that somebody else wrote: http or https, RFC 3986. Pure. A URL that programs read
 * differently (a backslash in front of the host, more than one `@`) is none.
 */
#ifndef AGENTS_EDIT_URL_HOST_H
#define AGENTS_EDIT_URL_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define URL_HOST_MAX 256

/* Offsets from the URL's first byte. */
struct url_host {
	size_t scheme_len;             /* with "://" */
	size_t userinfo, userinfo_len; /* without the `@`; len 0: none */
	size_t host, host_len;         /* without port and brackets */
	size_t authority;              /* where host and port begin, behind the userinfo */
	size_t query;                  /* where `?` or `#` stands, or the end */
};

/* False: not an http or https URL with a host name or address in it. */
bool url_host_find(const char *url, size_t len, struct url_host *found);

/* The URL for people: userinfo and query left out, what is not printable ASCII as '?' (or as it is, from 0x80 on). */
void url_host_show(const char *url, const struct url_host *found, char *out, size_t out_size);

/* Is it a host name or an address, and nothing else? */
bool url_is_host(const char *at, size_t len);

/* Are two host names the same? Case does not count, nor one dot at the end. */
bool url_same_host(const char *a, const char *b);

#endif
