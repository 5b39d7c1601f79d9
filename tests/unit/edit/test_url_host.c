#include "tests/lib/unit.h"

#include "agents/edit/url_host.h"
#include "base/alloc.h"

static const struct {
	const char *url, *host, *shown; /* host NULL: no such URL */
} urls[] = {
	{ "https://a.example/x", "a.example", "https://a.example/x" },
	{ "https://a.example", "a.example", "https://a.example" },
	{ "http://a.example.", "a.example.", "http://a.example." },
	{ "HTTPS://A.Example:443/", "A.Example", "HTTPS://A.Example:443/" },
	{ "https://a.example:/", "a.example", "https://a.example:/" },
	{ "https://a.example?q=1/2", "a.example", "https://a.example" },
	{ "https://a.example#f", "a.example", "https://a.example" },
	{ "https://a.example/x?q#f", "a.example", "https://a.example/x" },
	{ "https://me:pw@a.example/x", "a.example", "https://…@a.example/x" },
	{ "https://b.example:x@a.example/", "a.example", "https://…@a.example/" },
	{ "https://@a.example/", "a.example", "https://a.example/" },
	{ "https://[2001:db8::1]:8443/x", "2001:db8::1", "https://[2001:db8::1]:8443/x" },
	{ "https://192.0.2.1/", "192.0.2.1", "https://192.0.2.1/" },
	{ "https://a.example/x\ty", "a.example", "https://a.example/x y" },
	{ "https://a.example/@b.example/", "a.example", "https://a.example/@b.example/" },
	{ "https://a.example/\\b", "a.example", "https://a.example/\\b" },
	{ "https://", NULL, NULL },
	{ "https:///x", NULL, NULL },
	{ "https:a.example", NULL, NULL },
	{ "ftp://a.example/", NULL, NULL },
	{ " https://a.example/", NULL, NULL },
	{ "https://a example/", NULL, NULL },
	{ "https://a.example:x/", NULL, NULL },
	{ "https://a.example:80:80/", NULL, NULL },
	{ "https://[2001:db8::1/", NULL, NULL },
	{ "https://[2001:db8::1]x/", NULL, NULL },
	{ "https://\xe3\x81\x82.example/", NULL, NULL },
	{ "https://a%2eexample/", NULL, NULL },
	/* read differently by different programs */
	{ "https://a.example\\@b.example/", NULL, NULL },
	{ "https://a.example\\b.example/", NULL, NULL },
	{ "https://a.example@b.example@c.example/", NULL, NULL },
};

START_TEST(test_find)
{
	const char *url = urls[_i].url;
	struct url_host found;
	char shown[512];

	ck_assert_msg(url_host_find(url, strlen(url), &found) == (urls[_i].host != NULL), "%s", url);
	if (!urls[_i].host)
		return;
	ck_assert_uint_eq(found.host_len, strlen(urls[_i].host));
	ck_assert_int_eq(strncmp(url + found.host, urls[_i].host, found.host_len), 0);
	url_host_show(url, &found, shown, sizeof(shown));
	ck_assert_str_eq(shown, urls[_i].shown);
}
END_TEST

/* Each beginning is read to its end and not beyond; a NUL byte is like any other. */
START_TEST(test_beginnings)
{
	size_t len = strlen(urls[_i].url);
	struct url_host found;

	for (size_t n = 0; n <= len; n++) {
		char *exact = mem_new(n ? n : 1, 1);

		memcpy(exact, urls[_i].url, n);
		if (url_host_find(exact, n, &found))
			ck_assert_uint_le(found.host + found.host_len, n);
		if (n)
			exact[n - 1] = '\0';
		if (url_host_find(exact, n, &found))
			ck_assert_uint_lt(found.host + found.host_len, n);
		free(exact);
	}
}
END_TEST

START_TEST(test_same)
{
	ck_assert(url_same_host("us.imhs-ws.example", "US.IMHS-ws.Example."));
	ck_assert(url_same_host("a.", "a"));
	ck_assert(!url_same_host("a..", "a"));
	ck_assert(!url_same_host("us.imhs-ws.example", "us.imhs-ws.example.org"));
	ck_assert(!url_same_host("", "a"));
}
END_TEST

SUITE(url_host)
{
	TEST_CASE_LOOP(s, test_find, 0, ARRAY_LEN(urls));
	TEST_CASE_LOOP(s, test_beginnings, 0, ARRAY_LEN(urls));
	TEST_CASE(s, test_same);
}
