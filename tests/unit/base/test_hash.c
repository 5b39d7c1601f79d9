#include "tests/lib/unit.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* FIPS 180-4, the examples; a million "a". */
START_TEST(test_sha256)
{
	char hex[SHA256_HEX_MAX];
	char *million = malloc(1000000);

	ck_assert_str_eq(sha256_hex("", 0, hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_str_eq(sha256_hex(NULL, 0, hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_str_eq(sha256_hex("abc", 3, hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	memset(million, 'a', 1000000);
	ck_assert_str_eq(sha256_hex(million, 1000000, hex),
			 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}
END_TEST

START_TEST(test_hex)
{
	char out[9];

	ck_assert_str_eq(hex_encode("\x00\x0f\xf0\xff", 4, out), "000ff0ff");
	ck_assert_str_eq(hex_encode("", 0, out), "");
}
END_TEST

/* RFC 4648, section 10. */
START_TEST(test_base64)
{
	static const char *const rows[][2] = { { "", "" },
					       { "f", "Zg==" },
					       { "fo", "Zm8=" },
					       { "foo", "Zm9v" },
					       { "foob", "Zm9vYg==" },
					       { "fooba", "Zm9vYmE=" },
					       { "foobar", "Zm9vYmFy" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text = base64_encode(rows[i][0], strlen(rows[i][0]));
		ck_assert_str_eq(text, rows[i][1]);
		free(text);
	}
}
END_TEST

SUITE(hash)
{
	TEST_CASE(s, test_sha256);
	TEST_CASE(s, test_hex);
	TEST_CASE(s, test_base64);
}
