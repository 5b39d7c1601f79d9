#include "transport/ssh_key.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "transport/ssh_key_file.h"
#include "transport/ssh_wire.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

enum { EC_POINT_MAX = 133 }; /* nistp521, uncompressed */

struct ssh_key {
	EVP_PKEY *pkey; /* both halves, or the public one */
	bool private;
	const struct ssh_key_kind *kind;
	struct buf blob, old_rsa_blob;
	char fingerprint[SSH_FINGERPRINT_MAX];
};

/* One row a type that we can sign with. */
const struct ssh_key_kind ssh_key_kinds[] = {
    {"ssh-ed25519", "ED25519", NULL, NULL, NULL},
    {"ecdsa-sha2-nistp256", "EC", "nistp256", "prime256v1", "SHA256"},
    {"ecdsa-sha2-nistp384", "EC", "nistp384", "secp384r1", "SHA384"},
    {"ecdsa-sha2-nistp521", "EC", "nistp521", "secp521r1", "SHA512"},
    {"ssh-rsa", "RSA", NULL, NULL, "SHA256"},
    {NULL, NULL, NULL, NULL, NULL},
};

const char *ssh_fingerprint(const void *blob, size_t len, char out[SSH_FINGERPRINT_MAX])
{
	unsigned char digest[SHA256_BYTES];
	char *encoded;

	sha256(blob, len, digest);
	encoded = base64_encode(digest, sizeof(digest));
	snprintf(out, SSH_FINGERPRINT_MAX, "SHA256:%.43s", encoded);
	free(encoded);
	return out;
}

int ssh_blob_bits(const void *blob, size_t len)
{
	static const struct {
		const char *type;
		int bits;
	} fixed[] = { { "ssh-ed25519", 256 },
		      { "ecdsa-sha2-nistp256", 256 },
		      { "ecdsa-sha2-nistp384", 384 },
		      { "ecdsa-sha2-nistp521", 521 } };
	struct wire w = wire_over(blob, len);
	struct wire_str type = wire_string(&w), n;
	int bits;

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (wire_is(type, fixed[i].type))
			return fixed[i].bits;
	if (!wire_is(type, "ssh-rsa"))
		return 0;
	wire_string(&w);
	n = wire_string(&w);
	while (n.len && !*n.data) {
		n.data++;
		n.len--;
	}
	if (!n.len)
		return 0;
	bits = (int)n.len * 8;
	for (unsigned char first = *n.data; !(first & 0x80); first = (unsigned char)(first << 1))
		bits--;
	return bits;
}

/* mpint (RFC 4251 §5): a zero byte before a leading bit that would make it negative. */
static void put_bignum(struct buf *b, const BIGNUM *n)
{
	unsigned char bytes[2049];
	int len = BN_num_bytes(n);

	if (len > (int)sizeof(bytes) - 1)
		return;
	bytes[0] = 0;
	BN_bn2bin(n, bytes + 1);
	if (len && bytes[1] & 0x80)
		wire_put_string(b, bytes, (size_t)len + 1);
	else
		wire_put_string(b, bytes + 1, (size_t)len);
}

static bool put_bignum_param(struct buf *b, const EVP_PKEY *pkey, const char *param)
{
	BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(pkey, param, &n) != 1)
		return false;
	put_bignum(b, n);
	BN_free(n);
	return true;
}

static bool put_rsa(struct buf *b, const EVP_PKEY *pkey)
{
	return put_bignum_param(b, pkey, OSSL_PKEY_PARAM_RSA_E) && put_bignum_param(b, pkey, OSSL_PKEY_PARAM_RSA_N);
}

static bool put_ed25519(struct buf *b, const EVP_PKEY *pkey)
{
	unsigned char public[32];
	size_t len = sizeof(public);

	if (EVP_PKEY_get_raw_public_key(pkey, public, &len) != 1 || len != sizeof(public))
		return false;
	wire_put_string(b, public, len);
	return true;
}

static bool put_ec(struct buf *b, EVP_PKEY *pkey, const struct ssh_key_kind *kind)
{
	unsigned char point[EC_POINT_MAX];
	size_t len = 0;

	/* A file may hold the point compressed; SSH wants it uncompressed (RFC 5656 §3.1). */
	if (EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1 ||
	    EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) != 1)
		return false;
	wire_put_text(b, kind->curve);
	wire_put_string(b, point, len);
	return true;
}

static bool put_public(struct buf *b, EVP_PKEY *pkey, const struct ssh_key_kind *kind, const char *type)
{
	buf_clear(b);
	wire_put_text(b, type);
	if (kind->curve)
		return put_ec(b, pkey, kind);
	return kind->digest ? put_rsa(b, pkey) : put_ed25519(b, pkey);
}

static bool is_rsa(const struct ssh_key *key)
{
	return key->kind->digest && !key->kind->curve;
}

static const struct ssh_key_kind *kind_of(const EVP_PKEY *pkey)
{
	char group[64] = "";

	EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL);
	for (const struct ssh_key_kind *k = ssh_key_kinds; k->type; k++)
		if (EVP_PKEY_is_a(pkey, k->algorithm) && (!k->group || strcmp(group, k->group) == 0))
			return k;
	return NULL;
}

/* What all of a key follows from: its kind and its blobs. `claimed`: what the blob has to be, where it is known. */
static int work_out(struct ssh_key *key, const struct buf *claimed, const char *name, struct err *err)
{
	key->kind = kind_of(key->pkey);
	if (!key->kind)
		return err_set(
		    err, E_SIGN,
		    "%s: a key of the type %s cannot be used; ed25519, ecdsa (nistp256, 384, 521) and rsa can", name,
		    EVP_PKEY_get0_type_name(key->pkey) ? EVP_PKEY_get0_type_name(key->pkey) : "?");
	if (!put_public(&key->blob, key->pkey, key->kind, key->kind->type) ||
	    (is_rsa(key) && !put_public(&key->old_rsa_blob, key->pkey, key->kind, "rsa-sha2-256")) ||
	    (claimed->len && !buf_equals(&key->blob, claimed->data, claimed->len)))
		return err_set(err, E_SIGN, "%s: %s; the file is damaged", name,
			       key->private ? "the private key does not belong to the public key beside it"
					    : "the public key is not as it is written");
	ssh_fingerprint(key->blob.data, key->blob.len, key->fingerprint);
	return 0;
}

int ssh_key_from_blob(const void *blob, size_t len, const char *name, struct ssh_key **out, struct err *err)
{
	struct ssh_key *key = NEW(struct ssh_key);
	struct buf claimed = BUF_INIT;
	struct wire w = wire_over(blob, len);
	struct wire_str type = wire_string(&w);
	int r;

	buf_add(&claimed, blob, len);
	key->pkey = ssh_key_file_public(blob, len);
	if (key->pkey)
		r = work_out(key, &claimed, name, err);
	else
		r = err_set(err, E_SIGN,
			    "%s: a key of the type \"%.*s\" cannot be used, or is damaged; ed25519, ecdsa (nistp256, 384, "
			    "521) and rsa can",
			    name, type.len > 64 ? 64 : (int)type.len, (const char *)type.data);
	buf_release(&claimed);
	if (r)
		ssh_key_free(key);
	else
		*out = key;
	return r;
}

int ssh_key_parse(const void *bytes, size_t len, const char *passphrase, const char *name, struct ssh_key **out,
		  struct err *err)
{
	struct ssh_key *key = NEW(struct ssh_key);
	struct buf claimed = BUF_INIT;
	int r = ssh_key_file_read(bytes, len, passphrase, name, &key->pkey, &claimed, err);

	if (!r && !key->pkey) {
		r = ssh_key_from_blob(claimed.data, claimed.len, name, out, err);
	} else if (!r) {
		key->private = true;
		r = work_out(key, &claimed, name, err);
		if (!r)
			*out = key;
		key = r ? key : NULL;
	}
	buf_release(&claimed);
	ssh_key_free(key);
	return r;
}

void ssh_key_free(struct ssh_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	buf_release(&key->blob);
	buf_release(&key->old_rsa_blob);
	free(key);
}

bool ssh_key_is_private(const struct ssh_key *key)
{
	return key->private;
}

const char *ssh_key_type(const struct ssh_key *key)
{
	return key->kind->type;
}

const char *ssh_key_fingerprint(const struct ssh_key *key)
{
	return key->fingerprint;
}

const struct buf *ssh_key_blob(const struct ssh_key *key, bool for_old_rsa)
{
	return for_old_rsa && is_rsa(key) ? &key->old_rsa_blob : &key->blob;
}

/* Session id, 50, user, service, "publickey", TRUE, algorithm, blob (RFC 4252 §7). */
struct wire_str ssh_key_algorithm(const void *data, size_t len)
{
	static const char suffix[] = "-cert-v01@openssh.com";
	const size_t suffix_len = sizeof(suffix) - 1;
	struct wire w = wire_over(data, len);
	struct wire_str algorithm;

	wire_string(&w);
	wire_bytes(&w, 1);
	wire_string(&w);
	wire_string(&w);
	wire_string(&w);
	wire_bytes(&w, 1);
	algorithm = wire_string(&w);
	if (algorithm.len > suffix_len && memcmp(algorithm.data + algorithm.len - suffix_len, suffix, suffix_len) == 0)
		algorithm.len -= suffix_len;
	return w.failed ? (struct wire_str){NULL, 0} : algorithm;
}

/* false: not an algorithm of this key. *digest is NULL where the signature scheme has its own (ed25519). */
static bool digest_for(const struct ssh_key *key, struct wire_str algorithm, const EVP_MD **digest)
{
	*digest = NULL;
	if (!is_rsa(key)) {
		if (key->kind->digest)
			*digest = EVP_get_digestbyname(key->kind->digest);
		return wire_is(algorithm, key->kind->type);
	}
	if (wire_is(algorithm, "rsa-sha2-512"))
		*digest = EVP_sha512();
	else if (wire_is(algorithm, "rsa-sha2-256"))
		*digest = EVP_sha256();
	else if (wire_is(algorithm, "ssh-rsa")) /* libssh2 from 1.11 on chooses it only where a server knows no other */
		*digest = EVP_sha1();
	return *digest != NULL;
}

/* OpenSSL's DER sequence of r and s becomes SSH's two mpints (RFC 5656 §3.1.2). */
static bool ecdsa_to_ssh(const unsigned char *der, size_t len, struct buf *out)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

	if (!sig)
		return false;
	put_bignum(out, ECDSA_SIG_get0_r(sig));
	put_bignum(out, ECDSA_SIG_get0_s(sig));
	ECDSA_SIG_free(sig);
	return true;
}

static bool sign_raw(EVP_PKEY *pkey, const EVP_MD *digest, const void *data, size_t len, struct buf *raw)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t sig_len = 0;
	bool ok;

	ok = ctx && EVP_DigestSignInit(ctx, NULL, digest, NULL, pkey) == 1 &&
	     EVP_DigestSign(ctx, NULL, &sig_len, data, len) == 1 && buf_room(raw, sig_len) == sig_len &&
	     EVP_DigestSign(ctx, (unsigned char *)raw->data, &sig_len, data, len) == 1;
	if (ok)
		raw->len = sig_len;
	EVP_MD_CTX_free(ctx);
	return ok;
}

int ssh_key_sign(const struct ssh_key *key, const void *data, size_t len, struct buf *out, struct err *err)
{
	struct wire_str algorithm = ssh_key_algorithm(data, len);
	const EVP_MD *digest;
	struct buf raw = BUF_INIT;
	bool ok;

	if (!digest_for(key, algorithm, &digest))
		return err_set(err, E_SIGN, "a %s key cannot sign with \"%.*s\"", key->kind->type, (int)algorithm.len,
			       algorithm.data ? (const char *)algorithm.data : "");
	ok = sign_raw(key->pkey, digest, data, len, &raw);
	if (ok && key->kind->curve)
		ok = ecdsa_to_ssh((const unsigned char *)raw.data, raw.len, out);
	else if (ok)
		ok = buf_add(out, raw.data, raw.len);
	buf_release(&raw);
	return ok ? 0 : err_set(err, E_SIGN, "signing with the key %s failed", key->fingerprint);
}

/* SSH's two mpints become OpenSSL's DER sequence. */
static bool ecdsa_to_der(const struct buf *sig, struct buf *der)
{
	struct wire w = wire_over(sig->data, sig->len);
	struct wire_str r = wire_string(&w), s = wire_string(&w);
	ECDSA_SIG *ecdsa = ECDSA_SIG_new();
	BIGNUM *bn_r = BN_bin2bn(r.data, (int)r.len, NULL), *bn_s = BN_bin2bn(s.data, (int)s.len, NULL);
	unsigned char *bytes = NULL;
	int len = -1;

	if (!w.failed && w.at == w.end && ecdsa && bn_r && bn_s && ECDSA_SIG_set0(ecdsa, bn_r, bn_s) == 1) {
		bn_r = bn_s = NULL;
		len = i2d_ECDSA_SIG(ecdsa, &bytes);
	}
	if (len > 0)
		buf_add(der, bytes, (size_t)len);
	OPENSSL_free(bytes);
	BN_free(bn_r);
	BN_free(bn_s);
	ECDSA_SIG_free(ecdsa);
	return len > 0;
}

bool ssh_key_verify(const struct ssh_key *key, const void *data, size_t len, const struct buf *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buf der = BUF_INIT;
	const struct buf *raw = sig;
	const EVP_MD *digest;
	bool ok = ctx && digest_for(key, ssh_key_algorithm(data, len), &digest);

	if (ok && key->kind->curve) {
		ok = ecdsa_to_der(sig, &der);
		raw = &der;
	}
	ok = ok && EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key->pkey) == 1 &&
	     EVP_DigestVerify(ctx, (const unsigned char *)buf_str(raw), raw->len, data, len) == 1;
	ERR_clear_error();
	EVP_MD_CTX_free(ctx);
	buf_release(&der);
	return ok;
}
