/*
 * Which certificates libcurl trusts, and what is said of one that it refused (tls_peer.h). Needs a libcurl on OpenSSL; with
 * another one the check is the same, and the sentence says less.
 */
#include "transport/http_request.h"

static CURLcode on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	struct http_request *h = arg;

	(void)easy;
	return tls_peer_listen(ctx, &h->certificate, true) == 0 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* The hashed folder is looked into for the one certificate that is needed (1 ms); reading the system's one large file takes
   30 ms a request (measured, OpenSSL 3.0), which is only done where there is no such folder. */
static void use_system_certificates(CURL *easy)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if (info->age >= CURLVERSION_SEVENTH && info->capath && *info->capath)
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
}

CURLcode http_tls_set(struct http_request *h)
{
	CURLcode rc;

	curl_easy_setopt(h->easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (h->op->trust_file) {
		curl_easy_setopt(h->easy, CURLOPT_CAINFO, h->op->trust_file);
		curl_easy_setopt(h->easy, CURLOPT_CAPATH, NULL);
	} else {
		use_system_certificates(h->easy);
	}
	curl_easy_setopt(h->easy, CURLOPT_SSL_CTX_DATA, h);
	rc = curl_easy_setopt(h->easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	return rc == CURLE_NOT_BUILT_IN ? CURLE_OK : rc;
}

static const char *trusted_by(const struct http_request *h)
{
	return h->op->trust_file ? h->op->trust_file : "this machine's certificates";
}

void http_tls_explain(const struct http_request *h, char *text, size_t size)
{
	if (h->certificate.seen)
		tls_peer_explain(&h->certificate, h->host, trusted_by(h), text, size);
	else
		snprintf(text, size, "was refused: %.200s", h->said);
}
