#include "transport/ssh_key_file.h"

#include "base/alloc.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define OPENSSH_END "-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1" /* with its NUL */
#define KEY_FILE_MAX ((size_t)64 << 10)

static int encrypted(struct err *err, const char *name)
{
	return err_set(err, E_SIGN, "%s has a passphrase: say where it is by identity_passphrase in the inventory", name);
}

static int damaged(struct err *err, const char *name)
{
	return err_set(err, E_SIGN, "%s: the private key is damaged or cut off", name);
}

static bool push_bignum(OSSL_PARAM_BLD *bld, const char *param, struct wire_str bytes, BIGNUM **keep)
{
	*keep = BN_secure_new();
	return *keep && BN_bin2bn(bytes.data, (int)bytes.len, *keep) && OSSL_PARAM_BLD_push_BN(bld, param, *keep) == 1;
}

static EVP_PKEY *pkey_from(const char *algorithm, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	EVP_PKEY *pkey = NULL;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *read_ed25519(struct wire *w)
{
	struct wire_str public = wire_string(w);
	struct wire_str seed = wire_string(w); /* 32 bytes of seed, then the public key once more */

	if (w->failed || public.len != 32 || seed.len != 64)
		return NULL;
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.data, 32);
}

static EVP_PKEY *read_ec(struct wire *w, const struct ssh_key_kind *kind)
{
	struct wire_str curve = wire_string(w), point = wire_string(w), d = wire_string(w);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	BIGNUM *bn = NULL;

	if (bld && !w->failed && wire_is(curve, kind->curve) &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, kind->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) == 1 &&
	    push_bignum(bld, OSSL_PKEY_PARAM_PRIV_KEY, d, &bn))
		pkey = pkey_from("EC", bld);
	BN_clear_free(bn);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

/* d mod (prime - 1): not in the file, and without them each signature would take four times as long. */
static BIGNUM *crt_exponent(const BIGNUM *d, const BIGNUM *prime)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *less = BN_secure_new(), *out = BN_secure_new();

	if (!ctx || !less || !out || !BN_copy(less, prime) || !BN_sub_word(less, 1) || BN_is_zero(less) ||
	    !BN_mod(out, d, less, ctx)) {
		BN_clear_free(out);
		out = NULL;
	}
	BN_clear_free(less);
	BN_CTX_free(ctx);
	return out;
}

static EVP_PKEY *read_rsa(struct wire *w)
{
	enum { N, E, D, IQMP, P, Q, FIELDS };
	static const char *const param[FIELDS] = {OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,
						  OSSL_PKEY_PARAM_RSA_D,       OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
						  OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2};
	BIGNUM *bn[FIELDS] = {NULL}, *dp = NULL, *dq = NULL;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	bool ok = bld != NULL;

	for (int i = 0; ok && i < FIELDS; i++)
		ok = push_bignum(bld, param[i], wire_string(w), &bn[i]);
	ok = ok && !w->failed && !BN_is_zero(bn[P]) && !BN_is_zero(bn[Q]);
	ok = ok && (dp = crt_exponent(bn[D], bn[P])) && (dq = crt_exponent(bn[D], bn[Q]));
	if (ok && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_EXPONENT1, dp) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_EXPONENT2, dq) == 1)
		pkey = pkey_from("RSA", bld);
	for (int i = 0; i < FIELDS; i++)
		BN_clear_free(bn[i]);
	BN_clear_free(dp);
	BN_clear_free(dq);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

static EVP_PKEY *read_private(struct wire *w, const struct ssh_key_kind *kind)
{
	if (kind->curve)
		return read_ec(w, kind);
	return kind->digest ? read_rsa(w) : read_ed25519(w);
}

/* Behind the last field comes the comment, then padding 1, 2, 3 …: what shows that nothing is missing. */
static bool padding_is_right(struct wire *w)
{
	unsigned char want = 1;

	wire_string(w);
	if (w->failed)
		return false;
	for (; w->at < w->end; w->at++)
		if (*w->at != want++)
			return false;
	return true;
}

static int read_private_section(struct wire_str section, const char *name, EVP_PKEY **out, struct err *err)
{
	struct wire w = wire_over(section.data, section.len);
	uint32_t check = wire_u32(&w);
	struct wire_str type;

	if (check != wire_u32(&w) || w.failed)
		return damaged(err, name);
	type = wire_string(&w);
	for (const struct ssh_key_kind *k = ssh_key_kinds; k->type; k++) {
		if (!wire_is(type, k->type))
			continue;
		*out = read_private(&w, k);
		return *out && padding_is_right(&w) ? 0 : damaged(err, name);
	}
	return err_set(err, E_SIGN,
		       "%s: a key of the type \"%.*s\" cannot be used; ed25519, ecdsa (nistp256, 384, 521) and rsa can",
		       name, type.len > 64 ? 64 : (int)type.len, (const char *)type.data);
}

/* openssh-key-v1 (OpenSSH, PROTOCOL.key): magic, cipher, kdf, its options, number of keys, public blobs, private ones. */
static int read_openssh(struct wire_str file, const char *passphrase, const char *name, EVP_PKEY **out,
			struct buf *public_blob, struct err *err)
{
	struct wire w = wire_over(file.data, file.len);
	struct wire_str cipher, public, private;
	uint32_t n;

	if (!wire_is(wire_bytes(&w, sizeof(OPENSSH_MAGIC) - 1), OPENSSH_MAGIC))
		return damaged(err, name);
	wire_bytes(&w, 1);
	cipher = wire_string(&w);
	wire_string(&w);
	wire_string(&w);
	n = wire_u32(&w);
	public = wire_string(&w);
	private = wire_string(&w);
	if (w.failed)
		return damaged(err, name);
	if (n != 1)
		return err_set(err, E_SIGN, "%s holds %u keys; one is needed", name, (unsigned)n);
	buf_add(public_blob, public.data, public.len);
	if (!wire_is(cipher, "none"))
		return passphrase ? 0 : encrypted(err, name);
	return read_private_section(private, name, out, err);
}

/* The base64 between the armour's lines, decoded. */
static bool unarmour(const char *from, const char *to, struct buf *out)
{
	struct buf text = BUF_INIT;
	bool ok;

	for (; from < to; from++)
		if (!strchr(" \t\r\n", *from))
			buf_addc(&text, *from);
	ok = text.len && wire_base64_decode(text.data, text.len, out);
	buf_release_secret(&text);
	return ok;
}

static int read_armoured(const char *begin, const char *end, const char *passphrase, const char *name, EVP_PKEY **out,
			 struct buf *public_blob, struct err *err)
{
	const char *from = begin + sizeof(OPENSSH_BEGIN) - 1;
	const char *to = memmem(from, (size_t)(end - from), OPENSSH_END, sizeof(OPENSSH_END) - 1);
	struct buf file = BUF_INIT;
	int r;

	if (!to || !unarmour(from, to, &file))
		r = damaged(err, name);
	else
		r = read_openssh((struct wire_str){(unsigned char *)file.data, file.len}, passphrase, name, out, public_blob,
				 err);
	buf_release_secret(&file);
	return r;
}

struct passphrase {
	const char *text; /* or NULL */
	bool asked;
};

/* OpenSSL's question. Too long for its buffer: as good as none, and said so by `asked`. */
static int give_passphrase(char *into, int size, int rwflag, void *arg)
{
	struct passphrase *p = arg;
	size_t len = p->text ? strlen(p->text) : 0;

	(void)rwflag;
	p->asked = true;
	if (!p->text || len > (size_t)size)
		return -1;
	memcpy(into, p->text, len);
	return (int)len;
}

/* What people give instead of a private key, by its first bytes. */
static int explain(const void *bytes, size_t len, const char *name, struct err *err)
{
	static const struct {
		const char *has, *text;
	} known[] = {
	    {"PuTTY-User-Key-File", "is a PuTTY key; convert it with: puttygen FILE -O private-openssh -o NEW"},
	    {"PUBLIC KEY-----", "is a public key; the private one is needed"},
	    {"SSH2 PUBLIC KEY", "is a public key; the private one is needed"},
	    {"BEGIN CERTIFICATE", "is a certificate; the private key is needed"},
	    {"SSH PRIVATE KEY FILE FORMAT 1.1", "is a key of SSH version 1, which nobody accepts any more"},
	    {"-cert-v01@openssh.com ", "is a certificate; the private key is needed"},
	    {"ssh-ed25519 AAAA", "is a public key; the private one is needed"},
	    {"ssh-rsa AAAA", "is a public key; the private one is needed"},
	    {"ecdsa-sha2-nistp", "is a public key; the private one is needed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (memmem(bytes, len, known[i].has, strlen(known[i].has)))
			return err_set(err, E_SIGN, "%s %s", name, known[i].text);
	return err_set(err, E_SIGN, "%s is no private key that can be read (PEM or OpenSSH)",
		       name);
}

static int read_pem(const void *bytes, size_t len, const char *text, const char *name, EVP_PKEY **out, struct err *err)
{
	struct passphrase passphrase = {text, false};
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);

	if (bio)
		*out = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
	BIO_free(bio);
	ERR_clear_error();
	if (*out)
		return 0;
	if (passphrase.asked && text)
		return err_set(err, E_SIGN, "%s: its passphrase (identity_passphrase) is not the right one", name);
	if (passphrase.asked)
		return encrypted(err, name);
	return explain(bytes, len, name, err);
}

int ssh_key_file_read(const void *bytes, size_t len, const char *passphrase, const char *name, EVP_PKEY **out,
		      struct buf *public_blob, struct err *err)
{
	const char *begin = len ? memmem(bytes, len, OPENSSH_BEGIN, sizeof(OPENSSH_BEGIN) - 1) : NULL;

	if (len > KEY_FILE_MAX)
		return err_set(err, E_SIGN, "%s is too large to be a private key", name);
	if (begin)
		return read_armoured(begin, (const char *)bytes + len, passphrase, name, out, public_blob, err);
	return read_pem(bytes, len, passphrase, name, out, err);
}

/* ---- public keys ------------------------------------------------------------------------------------------------- */

static EVP_PKEY *public_from(const char *algorithm, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	EVP_PKEY *pkey = NULL;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *public_ec(struct wire *w, const struct ssh_key_kind *kind)
{
	struct wire_str curve = wire_string(w), point = wire_string(w);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;

	if (bld && !w->failed && wire_is(curve, kind->curve) &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, kind->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) == 1)
		pkey = public_from("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

static EVP_PKEY *public_rsa(struct wire *w)
{
	struct wire_str e = wire_string(w), n = wire_string(w);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *bn_e = NULL, *bn_n = NULL;
	EVP_PKEY *pkey = NULL;

	/* OpenSSL takes no modulus beyond 16384 bits, and one that is as long as a frame would cost seconds. */
	if (bld && !w->failed && e.len <= 512 && n.len <= 2049 && push_bignum(bld, OSSL_PKEY_PARAM_RSA_N, n, &bn_n) &&
	    push_bignum(bld, OSSL_PKEY_PARAM_RSA_E, e, &bn_e))
		pkey = public_from("RSA", bld);
	BN_free(bn_e);
	BN_free(bn_n);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

static EVP_PKEY *public_ed25519(struct wire *w)
{
	struct wire_str point = wire_string(w);

	return w->failed || point.len != 32 ? NULL
					    : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.data, point.len);
}

EVP_PKEY *ssh_key_file_public(const void *blob, size_t len)
{
	struct wire w = wire_over(blob, len);
	struct wire_str type = wire_string(&w);
	EVP_PKEY *pkey = NULL;

	for (const struct ssh_key_kind *k = ssh_key_kinds; k->type && !pkey; k++) {
		if (!wire_is(type, k->type))
			continue;
		if (k->curve)
			pkey = public_ec(&w, k);
		else
			pkey = k->digest ? public_rsa(&w) : public_ed25519(&w);
	}
	ERR_clear_error();
	return pkey;
}
