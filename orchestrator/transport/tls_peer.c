#include "transport/tls_peer.h"

#include <openssl/x509v3.h>

static int place_in_ctx(void)
{
	static int place = -1;

	if (place < 0)
		place = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return place;
}

static void add_name(char *text, size_t size, const char *name, size_t len)
{
	size_t at = strlen(text);

	if (at + 2 + len + 1 < size)
		snprintf(text + at, size - at, "%s%.*s", at ? ", " : "", (int)len, name);
	else if (at + 6 < size)
		snprintf(text + at, size - at, ", …");
}

static void read_subject(X509 *x, struct tls_peer *c)
{
	char name[128];
	int len = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name));

	if (len > 0)
		add_name(c->names, sizeof(c->names), name, strlen(name));
}

/* The names of RFC 6125: subjectAltName where there is one, else the subject's common name. */
static void read_names(X509 *x, struct tls_peer *c)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DNS)
			add_name(c->names, sizeof(c->names), (const char *)ASN1_STRING_get0_data(name->d.dNSName),
				 (size_t)ASN1_STRING_length(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	if (!c->names[0])
		read_subject(x, c);
}

static void read_time(const ASN1_TIME *time, char text[32])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(text, 32, "%Y-%m-%d %H:%M UTC", &tm);
}

static void read_certificate(X509 *x, struct tls_peer *c)
{
	X509_NAME *issuer = X509_get_issuer_name(x);

	c->seen = true;
	c->names[0] = '\0';
	read_names(x, c);
	if (X509_NAME_get_text_by_NID(issuer, NID_commonName, c->issuer, sizeof(c->issuer)) < 0 &&
	    X509_NAME_get_text_by_NID(issuer, NID_organizationName, c->issuer, sizeof(c->issuer)) < 0)
		snprintf(c->issuer, sizeof(c->issuer), "somebody without a name");
	read_time(X509_get0_notBefore(x), c->not_before);
	read_time(X509_get0_notAfter(x), c->not_after);
}

/* Called for each certificate of the chain, and once more for each fault. The answer stays OpenSSL's own. */
static int on_verify(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_peer *peer = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place_in_ctx());
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	if (leaf && !peer->seen)
		read_certificate(leaf, peer);
	if (!good && !peer->verdict) {
		peer->verdict = X509_STORE_CTX_get_error(store);
		peer->depth = X509_STORE_CTX_get_error_depth(store);
	}
	return good;
}

int tls_peer_listen(SSL_CTX *ctx, struct tls_peer *peer, bool strict)
{
	*peer = (struct tls_peer){ 0 };
	if (SSL_CTX_set_ex_data(ctx, place_in_ctx(), peer) != 1)
		return -1;
	SSL_CTX_set_verify(ctx, strict ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, on_verify);
	return 0;
}

static bool is_untrusted(int verdict)
{
	return verdict == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || verdict == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       verdict == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE || verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
}

void tls_peer_explain(const struct tls_peer *c, const char *host, const char *trusted_by, char *text, size_t size)
{
	const char *names = c->names[0] ? c->names : "nobody";

	if (!c->verdict || c->verdict == X509_V_ERR_HOSTNAME_MISMATCH)
		snprintf(text, size, "names %s and not %s (by \"%s\", until %s): another machine answers for it", names, host,
			 c->issuer, c->not_after);
	else if (c->verdict == X509_V_ERR_CERT_HAS_EXPIRED && c->depth == 0)
		snprintf(text, size, "is out of date: it names %s, by \"%s\", and was good until %s", names, c->issuer,
			 c->not_after);
	else if (c->verdict == X509_V_ERR_CERT_NOT_YET_VALID && c->depth == 0)
		snprintf(text, size, "is good only from %s on: it names %s, by \"%s\"; is this machine's clock right?",
			 c->not_before, names, c->issuer);
	else if (is_untrusted(c->verdict))
		snprintf(text, size, "names %s until %s and is signed by \"%s\", which is not among those trusted (%s)", names,
			 c->not_after, c->issuer, trusted_by);
	else
		snprintf(text, size, "was refused (%s): it names %s, by \"%s\", until %s",
			 X509_verify_cert_error_string(c->verdict), names, c->issuer, c->not_after);
}
