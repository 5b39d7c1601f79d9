#include "base/hash.h"

#include "base/alloc.h"

#include <openssl/evp.h>

void sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES])
{
	if (EVP_Digest(len ? bytes : "", len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

char *hex_encode(const void *bytes, size_t len, char *out)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digit[b[i] >> 4];
		out[2 * i + 1] = digit[b[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

const char *sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX_MAX])
{
	unsigned char digest[SHA256_BYTES];

	sha256(bytes, len, digest);
	return hex_encode(digest, sizeof(digest), out);
}

char *base64_encode(const void *bytes, size_t len)
{
	char *out = mem_new(4 * ((len + 2) / 3) + 1, 1);

	EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
	return out;
}
