#include "transport/ssh_key.h"

#include "base/alloc.h"
#include "base/file.h"
#include "tests/lib/unit.h"
#include "tests/unit/transport/program.h"
#include "transport/ssh_wire.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

static const struct {
	const char *type, *bits, *ssh_type;
} kinds[] = {
    {"ed25519", "256", "ssh-ed25519"},
    {"ecdsa", "256", "ecdsa-sha2-nistp256"},
    {"ecdsa", "384", "ecdsa-sha2-nistp384"},
    {"ecdsa", "521", "ecdsa-sha2-nistp521"},
    {"rsa", "2048", "ssh-rsa"},
};

/* Formats that ssh-keygen writes. An ed25519 key has the first one only. */
static const char *const formats[] = {"RFC4716", "PEM", "PKCS8"};

static char *make_key(const char *folder, const char *type, const char *bits, const char *format,
		      const char *passphrase)
{
	char *path = str_fmt("%s/%s-%s-%s", folder, type, bits, format);
	const char *argv[] = {"ssh-keygen", "-q",       "-t", type,        "-b", bits, "-m", format,
			      "-N",         passphrase, "-C", "a comment", "-f", path, NULL};

	ck_assert_int_eq(program_run(argv, NULL, NULL), 0);
	return path;
}

static struct ssh_key *parse_file(const char *path)
{
	struct ssh_key *key = NULL;
	struct buf bytes = BUF_INIT;
	struct err err = {.code = 0};

	ck_assert_int_eq(file_read(path, 1 << 20, &bytes, &err), 0);
	ck_assert_msg(ssh_key_parse(bytes.data, bytes.len, NULL, path, &key, &err) == 0, "%s", err.text);
	buf_release(&bytes);
	return key;
}

/* What ssh-keygen wrote beside it: "TYPE BASE64 COMMENT". */
static void public_blob(const char *path, struct buf *blob)
{
	char *public = str_fmt("%s.pub", path), *save = NULL, *word;
	struct buf line = BUF_INIT;

	ck_assert_int_eq(file_read(public, 1 << 20, &line, NULL), 0);
	strtok_r(line.data, " ", &save);
	word = strtok_r(NULL, " ", &save);
	ck_assert(wire_base64_decode(word, strlen(word), blob));
	buf_release(&line);
	free(public);
}

static void check_fingerprint(const char *path, const struct ssh_key *key)
{
	const char *argv[] = {"ssh-keygen", "-l", "-f", path, NULL};
	const struct buf *blob = ssh_key_blob(key, false);
	struct buf out = BUF_INIT;

	ck_assert_int_eq(program_run(argv, NULL, &out), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), ssh_key_fingerprint(key)));
	/* "3072 SHA256:… comment (RSA)" */
	ck_assert_int_eq(ssh_blob_bits(blob->data, blob->len), strtol(buf_str(&out), NULL, 10));
	buf_release(&out);
}

static void add_request(struct buf *data, const char *algorithm, const struct buf *blob)
{
	wire_put_text(data, "session id");
	buf_addc(data, 50);
	wire_put_text(data, "user");
	wire_put_text(data, "ssh-connection");
	wire_put_text(data, "publickey");
	buf_addc(data, 1);
	wire_put_text(data, algorithm);
	wire_put_string(data, blob->data, blob->len);
}

/* SSH's r and s to OpenSSL's DER. */
static void ecdsa_to_der(const struct buf *sig, struct buf *der)
{
	struct wire w = wire_over(sig->data, sig->len);
	struct wire_str r = wire_string(&w), s = wire_string(&w);
	ECDSA_SIG *ecdsa = ECDSA_SIG_new();
	unsigned char *bytes = NULL;
	int len;

	ck_assert(!w.failed && w.at == w.end);
	ECDSA_SIG_set0(ecdsa, BN_bin2bn(r.data, (int)r.len, NULL), BN_bin2bn(s.data, (int)s.len, NULL));
	len = i2d_ECDSA_SIG(ecdsa, &bytes);
	buf_add(der, bytes, (size_t)len);
	OPENSSL_free(bytes);
	ECDSA_SIG_free(ecdsa);
}

static void check_signature(EVP_PKEY *pkey, const struct ssh_key *key, const char *algorithm, const EVP_MD *digest)
{
	struct buf data = BUF_INIT, sig = BUF_INIT, der = BUF_INIT;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct err err = {.code = 0};

	add_request(&data, algorithm, ssh_key_blob(key, false));
	ck_assert_msg(ssh_key_sign(key, data.data, data.len, &sig, &err) == 0, "%s", err.text);
	if (EVP_PKEY_is_a(pkey, "EC"))
		ecdsa_to_der(&sig, &der);
	else
		buf_add(&der, sig.data, sig.len);
	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, digest, NULL, pkey), 1);
	ck_assert_int_eq(
	    EVP_DigestVerify(ctx, (unsigned char *)der.data, der.len, (unsigned char *)data.data, data.len), 1);
	EVP_MD_CTX_free(ctx);
	buf_release(&data);
	buf_release(&sig);
	buf_release(&der);
}

/* The same key as OpenSSL reads it, which knows nothing of openssh-key-v1: the signature is checked by another way than
   it was made. */
static EVP_PKEY *pkey_of(const char *path)
{
	const char *argv[] = {"ssh-keygen", "-p", "-q", "-m", "PKCS8", "-N", "", "-f", path, NULL};
	EVP_PKEY *pkey;
	FILE *file;

	ck_assert_int_eq(program_run(argv, NULL, NULL), 0);
	file = fopen(path, "r");
	pkey = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	return pkey;
}

static const EVP_MD *digest_of(const char *ssh_type)
{
	if (strstr(ssh_type, "256"))
		return EVP_sha256();
	if (strstr(ssh_type, "384"))
		return EVP_sha384();
	return strstr(ssh_type, "521") ? EVP_sha512() : NULL;
}

START_TEST(test_each_type_and_format)
{
	char *folder = folder_make();

	for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
		char *path = make_key(folder, kinds[_i].type, kinds[_i].bits, formats[f], "");
		struct ssh_key *key = parse_file(path);
		struct buf blob = BUF_INIT;

		public_blob(path, &blob);
		ck_assert_str_eq(ssh_key_type(key), kinds[_i].ssh_type);
		ck_assert(buf_equals(ssh_key_blob(key, false), blob.data, blob.len));
		check_fingerprint(path, key);
		buf_release(&blob);
		ssh_key_free(key);
		free(path);
	}
	folder_remove(folder);
}
END_TEST

START_TEST(test_signatures)
{
	char *folder = folder_make(), *path = make_key(folder, kinds[_i].type, kinds[_i].bits, "RFC4716", "");
	struct ssh_key *key = parse_file(path);
	EVP_PKEY *pkey;

	if (strcmp(kinds[_i].type, "ed25519") == 0) {
		unsigned char public[32];
		struct wire w = wire_over(ssh_key_blob(key, false)->data, ssh_key_blob(key, false)->len);
		wire_string(&w);
		memcpy(public, wire_string(&w).data, 32);
		pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, 32);
	} else {
		pkey = pkey_of(path);
	}
	ck_assert_ptr_nonnull(pkey);
	if (strcmp(kinds[_i].type, "rsa") == 0) {
		check_signature(pkey, key, "rsa-sha2-256", EVP_sha256());
		check_signature(pkey, key, "rsa-sha2-512", EVP_sha512());
	} else {
		for (int i = 0; i < 50; i++) /* ecdsa: now and then r or s is short, or has its first bit set */
			check_signature(pkey, key, kinds[_i].ssh_type, digest_of(kinds[_i].ssh_type));
	}
	EVP_PKEY_free(pkey);
	ssh_key_free(key);
	free(path);
	folder_remove(folder);
}
END_TEST

START_TEST(test_refuses_another_algorithm)
{
	static const char *const wrong[] = {"ssh-dss", "", "ecdsa-sha2-nistp384", "rsa-sha2-25",
					    "ssh-rsa-cert-v01@openssh.com", "-cert-v01@openssh.com"};
	char *folder = folder_make(), *path = make_key(folder, "ed25519", "256", "RFC4716", "");
	struct ssh_key *key = parse_file(path);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct buf data = BUF_INIT, sig = BUF_INIT;
		struct err err = {.code = 0};
		add_request(&data, wrong[i], ssh_key_blob(key, false));
		ck_assert_int_eq(ssh_key_sign(key, data.data, data.len, &sig, &err), E_SIGN);
		ck_assert_int_eq(ssh_key_sign(key, data.data, 7, &sig, &err), E_SIGN);
		ck_assert_uint_eq(sig.len, 0);
		buf_release(&data);
	}
	ssh_key_free(key);
	free(path);
	folder_remove(folder);
}
END_TEST

START_TEST(test_blob_for_old_libssh2)
{
	char *folder = folder_make(), *path = make_key(folder, "rsa", "2048", "RFC4716", "");
	struct ssh_key *key = parse_file(path);
	const struct buf *old = ssh_key_blob(key, true), *blob = ssh_key_blob(key, false);
	struct wire a = wire_over(old->data, old->len), b = wire_over(blob->data, blob->len);

	ck_assert(wire_is(wire_string(&a), "rsa-sha2-256"));
	ck_assert(wire_is(wire_string(&b), "ssh-rsa"));
	ck_assert_uint_eq((size_t)(a.end - a.at), (size_t)(b.end - b.at));
	ck_assert_int_eq(memcmp(a.at, b.at, (size_t)(a.end - a.at)), 0);
	ssh_key_free(key);
	free(path);
	folder_remove(folder);
}
END_TEST

static void expect_refused(const void *bytes, size_t len, const char *text)
{
	struct err err = {.code = 0};
	struct ssh_key *key = NULL;

	ck_assert_int_eq(ssh_key_parse(bytes, len, NULL, "file:the/key", &key, &err), E_SIGN);
	ck_assert_ptr_null(key);
	ck_assert_msg(strstr(err.text, text) != NULL, "wanted \"%s\" in: %s", text, err.text);
	ck_assert_msg(strstr(err.text, "file:the/key") != NULL, "no name in: %s", err.text);
}

START_TEST(test_passphrases_are_named)
{
	char *folder = folder_make();

	for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
		char *path = make_key(folder, "ecdsa", "256", formats[f], "a passphrase");
		struct buf bytes = BUF_INIT;
		ck_assert_int_eq(file_read(path, 1 << 20, &bytes, NULL), 0);
		expect_refused(bytes.data, bytes.len, "has a passphrase");
		buf_release(&bytes);
		free(path);
	}
	folder_remove(folder);
}
END_TEST

static struct ssh_key *parse_with(const char *path, const char *passphrase, struct err *err)
{
	struct ssh_key *key = NULL;
	struct buf bytes = BUF_INIT;

	ck_assert_int_eq(file_read(path, 1 << 20, &bytes, NULL), 0);
	ssh_key_parse(bytes.data, bytes.len, passphrase, path, &key, err);
	buf_release(&bytes);
	return key;
}

/* PEM is decrypted here; of an openssh-key-v1 there is the public half, without a look at the passphrase. */
static void check_passphrase(const char *folder, int i, const char *format)
{
	char *path = make_key(folder, kinds[i].type, kinds[i].bits, format, "a passphrase"), *longer = mem_new(2000, 1);
	struct err err = {.code = 0};
	struct ssh_key *key = parse_with(path, "a passphrase", &err);
	bool pem = strcmp(format, "RFC4716") != 0;

	ck_assert_msg(key != NULL, "%s: %s", format, err.text);
	ck_assert_int_eq(ssh_key_is_private(key), pem);
	ck_assert_str_eq(ssh_key_type(key), kinds[i].ssh_type);
	check_fingerprint(path, key);
	ssh_key_free(key);
	memset(longer, 'x', 1999);
	if (pem) {
		ck_assert_ptr_null(parse_with(path, "another one", &err));
		ck_assert_ptr_nonnull(strstr(err.text, "its passphrase (identity_passphrase) is not the right one"));
		ck_assert_ptr_null(parse_with(path, "", &err));
		ck_assert_ptr_null(parse_with(path, longer, &err));
	}
	free(longer);
	free(path);
}

START_TEST(test_passphrases)
{
	char *folder = folder_make();
	bool ed25519 = strcmp(kinds[_i].type, "ed25519") == 0;

	for (size_t f = 0; f < (ed25519 ? 1 : ARRAY_LEN(formats)); f++)
		check_passphrase(folder, _i, formats[f]);
	folder_remove(folder);
}
END_TEST

static void check_verified(const struct ssh_key *key, const struct ssh_key *other, const char *algorithm)
{
	struct buf data = BUF_INIT, sig = BUF_INIT, wrong = BUF_INIT;
	struct ssh_key *public = NULL;
	struct err err = {.code = 0};
	const struct buf *blob = ssh_key_blob(key, false);

	ck_assert_int_eq(ssh_key_from_blob(blob->data, blob->len, "public", &public, &err), 0);
	ck_assert_str_eq(ssh_key_fingerprint(public), ssh_key_fingerprint(key));
	ck_assert(!ssh_key_is_private(public));
	add_request(&data, algorithm, blob);
	ck_assert_int_eq(ssh_key_sign(key, data.data, data.len, &sig, &err), 0);
	ck_assert(ssh_key_verify(public, data.data, data.len, &sig));
	ck_assert(ssh_key_verify(key, data.data, data.len, &sig));
	ck_assert_int_eq(ssh_key_sign(other, data.data, data.len, &wrong, &err), 0);
	ck_assert(!ssh_key_verify(public, data.data, data.len, &wrong));
	for (size_t i = 0; i < sig.len; i += 7) {
		sig.data[i] ^= 4;
		ck_assert(!ssh_key_verify(public, data.data, data.len, &sig));
		sig.data[i] ^= 4;
	}
	for (sig.len--; sig.len; sig.len--)
		ck_assert(!ssh_key_verify(public, data.data, data.len, &sig));
	ck_assert(!ssh_key_verify(public, data.data, data.len, &sig));
	buf_release(&data);
	buf_release(&sig);
	buf_release(&wrong);
	ssh_key_free(public);
}

/* A signature is one of this key, of this data, whole; what an agent gives is looked at so. */
START_TEST(test_verify)
{
	char *one = folder_make(), *two = folder_make();
	char *path = make_key(one, kinds[_i].type, kinds[_i].bits, "RFC4716", "");
	char *path_other = make_key(two, kinds[_i].type, kinds[_i].bits, "RFC4716", "");
	struct ssh_key *key = parse_file(path), *other = parse_file(path_other);

	if (strcmp(kinds[_i].type, "rsa") == 0) {
		check_verified(key, other, "rsa-sha2-256");
		check_verified(key, other, "rsa-sha2-512");
		check_verified(key, other, "rsa-sha2-512-cert-v01@openssh.com");
	} else {
		check_verified(key, other, kinds[_i].ssh_type);
	}
	ssh_key_free(key);
	ssh_key_free(other);
	free(path);
	free(path_other);
	folder_remove(one);
	folder_remove(two);
}
END_TEST

/* A public blob that is cut, longer, or of nobody's type. */
START_TEST(test_blobs)
{
	char *folder = folder_make(), *path = make_key(folder, kinds[_i].type, kinds[_i].bits, "RFC4716", "");
	struct ssh_key *key = parse_file(path), *none = NULL;
	const struct buf *blob = ssh_key_blob(key, false);
	struct buf other = BUF_INIT;
	struct err err;

	for (size_t len = 0; len < blob->len; len++)
		ck_assert_int_eq(ssh_key_from_blob(blob->data, len, "cut", &none, &err), E_SIGN);
	buf_add(&other, blob->data, blob->len);
	buf_addc(&other, 'x');
	ck_assert_int_eq(ssh_key_from_blob(other.data, other.len, "longer", &none, &err), E_SIGN);
	buf_clear(&other);
	wire_put_text(&other, "sk-ssh-ed25519@openssh.com");
	wire_put_string(&other, blob->data, blob->len);
	ck_assert_int_eq(ssh_key_from_blob(other.data, other.len, "file:token", &none, &err), E_SIGN);
	ck_assert_ptr_nonnull(strstr(err.text, "file:token: a key of the type \"sk-ssh-ed25519@openssh.com\" cannot be used"));
	ck_assert_ptr_null(none);
	buf_release(&other);
	ssh_key_free(key);
	free(path);
	folder_remove(folder);
}
END_TEST

START_TEST(test_what_is_no_private_key)
{
	static const struct {
		const char *bytes, *says;
	} table[] = {
	    {"", "no private key"},
	    {"hello\n", "no private key"},
	    {"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "puttygen"},
	    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== me@here\n", "public key"},
	    {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ== me@here\n", "public key"},
	    {"ecdsa-sha2-nistp256 AAAAE2VjZHNh me\n", "public key"},
	    {"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "public key"},
	    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"},
	    {"-----BEGIN OPENSSH PRIVATE KEY-----\n", "damaged"},
	    {"-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n", "damaged"},
	    {"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n-----END OPENSSH PRIVATE KEY-----\n", "damaged"},
	    {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "damaged"},
	};
	char *large = mem_new(100000, 1);

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		expect_refused(table[i].bytes, strlen(table[i].bytes), table[i].says);
	memset(large, 'x', 99999);
	expect_refused(large, 99999, "too large");
	free(large);
}
END_TEST

START_TEST(test_other_types_are_named)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &bytes);
	expect_refused(bytes, (size_t)len, "ED448");
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}
END_TEST

/* Cut at each byte, and with each byte changed: an error or a key, never more than that (the sanitizers look on). */
START_TEST(test_damage)
{
	char *folder = folder_make(), *path = make_key(folder, kinds[_i].type, kinds[_i].bits, "RFC4716", "");
	struct buf bytes = BUF_INIT;
	int errors = 0;

	ck_assert_int_eq(file_read(path, 1 << 20, &bytes, NULL), 0);
	for (size_t i = 0; i + 10 < bytes.len; i++) {
		struct ssh_key *key = NULL;
		char *copy = mem_new(i + 1, 1);
		memcpy(copy, bytes.data, i);
		ck_assert_int_eq(ssh_key_parse(copy, i, NULL, "key", &key, NULL), E_SIGN);
		free(copy);
	}
	for (size_t i = 0; i < bytes.len; i++) {
		struct ssh_key *key = NULL;
		char saved = bytes.data[i];
		bytes.data[i] = saved == 'A' ? 'B' : 'A';
		errors += ssh_key_parse(bytes.data, bytes.len, NULL, "key", &key, NULL) != 0;
		bytes.data[i] = saved;
		ssh_key_free(key);
	}
	ck_assert_int_gt(errors, (int)bytes.len / 2);
	buf_release(&bytes);
	free(path);
	folder_remove(folder);
}
END_TEST

START_TEST(test_base64)
{
	static const struct {
		const char *text, *bytes;
	} good[] = {{"", ""}, {"YQ==", "a"}, {"YWI=", "ab"}, {"YWJj", "abc"}, {"YWJjZA==", "abcd"}};
	static const char *const bad[] = {
	    "Y", "YQ", "YQ=", "YQ===", "Y===", "====", "YW Jj", "YWJ\n", "YWJ-", "=YWJ", "Y=JW"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct buf out = BUF_INIT;
		ck_assert(wire_base64_decode(good[i].text, strlen(good[i].text), &out));
		ck_assert_str_eq(buf_str(&out), good[i].bytes);
		buf_release(&out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf out = BUF_INIT;
		ck_assert_msg(!wire_base64_decode(bad[i], strlen(bad[i]), &out), "%s", bad[i]);
		buf_release(&out);
	}
}
END_TEST

SUITE(ssh_key)
{
	TEST_CASE(s, test_base64);
	if (!program_exists("ssh-keygen")) {
		printf("SKIP ssh_key: there is no ssh-keygen here\n");
		return;
	}
	TEST_CASE_LOOP(s, test_each_type_and_format, 0, ARRAY_LEN(kinds));
	TEST_CASE_LOOP(s, test_signatures, 0, ARRAY_LEN(kinds));
	TEST_CASE(s, test_refuses_another_algorithm);
	TEST_CASE(s, test_blob_for_old_libssh2);
	TEST_CASE(s, test_passphrases_are_named);
	TEST_CASE_LOOP(s, test_passphrases, 0, ARRAY_LEN(kinds));
	TEST_CASE_LOOP(s, test_verify, 0, ARRAY_LEN(kinds));
	TEST_CASE_LOOP(s, test_blobs, 0, ARRAY_LEN(kinds));
	TEST_CASE(s, test_what_is_no_private_key);
	TEST_CASE(s, test_other_types_are_named);
	TEST_CASE_LOOP(s, test_damage, 0, ARRAY_LEN(kinds));
}
