#include "tests/unit/inventory/fixture.h"

#include "inventory/text_check.h"

#include "base/alloc.h"

static const struct {
	const char *name;
	int (*check)(const char *text, struct err *err);
	const char *good[10], *bad[14];
} rows[] = {
	{ "id", check_text_id, { "a", "0", "acme-1.b_c" }, { "", "A", "-a", ".a", "a b", "a/b", "ä", "a\n" } },
	{ "name", check_text_name, { "DC1", "a", "x-1.y_Z" }, { "", "-", "a:b", "a/b", "a b", "a\t", "ä" } },
	{ "plain",
	  check_text_plain,
	  { "x", "テスト", "a b", "\xC3\x80" },
	  { "", "a\nb", "\x7f", "a\x1b[0m", "\xC2\x85" } },
	{ "domain",
	  check_text_domain,
	  { "a.b", "mail.example.com", "mail.example.com.", "xn--r8jz45g.example", "_dmarc.example.com", "1.example",
	    "a-b.c" },
	  { "", "a", "a.", ".", ".a.b", "a..b", "-a.b", "a-.b", "a.b-", "a b.c", "1.2.3.4", "::1", "http://a.b",
	    "a.b:1" } },
	{ "address",
	  check_text_address,
	  { "a", "dc1", "1.2.3.4", "::1", "2001:db8::1", "dc1.acme.example", "fe80::1" },
	  { "", "1.2.3", "1.2.3.4.5", "1.2.3.400", "a:22", "[::1]", "u@a", "ssh://a", "a b", "a_b-", "-a", "a/b",
	    "fe80::1%eth0" } },
	{ "ip", check_text_ip, { "1.2.3.4", "::1" }, { "", "a", "1.2.3.4/24", "1.2.3" } },
	{ "cidr",
	  check_text_cidr,
	  { "216.104.0.0/19", "0.0.0.0/0", "1.2.3.4/32", "2001:db8::/32", "::/0" },
	  { "", "1.2.3.4", "1.2.3.4/33", "1.2.3.4/24", "1.2.3.0/", "1.2.3.0/ 8", "1.2.3.0/-1", "a/8", "1.2.3.0/24x",
	    "2001:db8::1/64", "::/129" } },
	{ "mailbox",
	  check_text_mailbox,
	  { "a@b", "a.b+c@d.example", "ä@d.example" },
	  { "", "a", "@b", "a@", "a@b@c", "a b@c", "<a@b>", "a@b,c@d", "a@1.2.3.4", "a@b c", "a@-b" } },
	{ "date",
	  check_text_date,
	  { "2026-12-01", "2028-02-29" },
	  { "", "2026-02-29", "26-12-01", "2026-12-01T", "2026-13-01", "1.12.2026" } },
	{ "time",
	  check_text_time,
	  { "2026-12-01T22:00:00+09:00", "2026-12-01T22:00:00Z", "2026-12-01 22:00:00.5-03:30" },
	  { "", "2026-12-01T22:00:00", "2026-12-01T22:00Z", "2026-12-01T24:00:00Z", "2026-12-01T22:00:00+0900",
	    "22:00" } },
	{ "regex", check_text_regex, { "a", "^(a|b)+$", "[[:digit:]]{2}" }, { "", "(", "[a", "a{2", "*(" } },
	{ "pin",
	  check_text_pin,
	  { "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
	    "ssh-ed25519 SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
	    "ecdsa-sha2-nistp521 SHA256:+/hbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8" },
	  { "", "SHA256:", "nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
	    "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8=", "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY",
	    "sha256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
	    "ssh-dss SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8", "MD5:aa", "ssh-ed25519 AAAAC3",
	    "ssh-ed25519  SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8", "2048 SHA256:x a (RSA)" } },
	{ "secret",
	  check_text_secret,
	  { "env:A", "file:a b", "command:pass show x", "credential:a" },
	  { "", "x", "file:a\nb", "env:a b", "command:'" } },
	{ "imap url",
	  check_text_imap_url,
	  { "imaps://a", "imap://a:143" },
	  { "", "imaps://", "a", "http://a", "imaps://u:p@a", "imaps://a\n" } },
};

START_TEST(test_row)
{
	for (size_t i = 0; i < ARRAY_LEN(rows[_i].good) && rows[_i].good[i]; i++) {
		struct err err = { 0 };
		int r = rows[_i].check(rows[_i].good[i], &err);
		ck_assert_msg(r == 0, "%s: \"%s\": %s", rows[_i].name, rows[_i].good[i], err.text);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows[_i].bad) && rows[_i].bad[i]; i++) {
		struct err err = { 0 };
		int r = rows[_i].check(rows[_i].bad[i], &err);
		ck_assert_msg(r == E_INVAL && *err.text, "%s: \"%s\" was taken", rows[_i].name, rows[_i].bad[i]);
		ck_assert_msg(err.text[strlen(err.text) - 1] != '.', "a full stop: %s", err.text);
	}
}
END_TEST

START_TEST(test_lengths)
{
	char text[TEXT_MAX_BYTES + 2];

	memset(text, 'a', sizeof(text) - 1);
	text[TEXT_MAX_BYTES + 1] = '\0';
	ck_assert_int_eq(check_text_plain(text, NULL), E_INVAL);
	text[TEXT_MAX_BYTES] = '\0';
	ck_assert_int_eq(check_text_plain(text, NULL), 0);
	text[65] = '\0';
	ck_assert_int_eq(check_text_id(text, NULL), E_INVAL);
	text[64] = '\0';
	ck_assert_int_eq(check_text_id(text, NULL), 0);
	ck_assert_int_eq(check_text_address(text, NULL), E_INVAL);
	text[63] = '\0';
	ck_assert_int_eq(check_text_address(text, NULL), 0);
}
END_TEST

SUITE(text_check)
{
	TEST_CASE_LOOP(s, test_row, 0, (int)ARRAY_LEN(rows));
	TEST_CASE(s, test_lengths);
}
