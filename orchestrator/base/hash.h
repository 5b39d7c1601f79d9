/*
 * SHA-256 (FIPS 180-4), by libcrypto. Hashes are compared, journaled and shown as 64 lower-case hex digits.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

#define SHA256_BYTES 32
#define SHA256_HEX_MAX 65 /* with the NUL */

void sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES]);
const char *sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX_MAX]);

/* Bytes as lower-case hex; `out` holds 2 * len + 1. */
char *hex_encode(const void *bytes, size_t len, char *out);

/* Standard base64 with padding, no line breaks; the caller frees. */
char *base64_encode(const void *bytes, size_t len);

#endif
