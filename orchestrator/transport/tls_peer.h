/*
 * Who the server says it is. OpenSSL checks the certificate; this only listens (SSL_CTX_set_verify(3)), so that the sentence
 * about a refused one can say what it names, who signed it and until when it is good.
 */
#ifndef TRANSPORT_TLS_PEER_H
#define TRANSPORT_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* The server's own certificate, as OpenSSL saw it, and its verdict on the chain. */
struct tls_peer {
	bool seen;
	int verdict; /* X509_V_…, 0: nothing is wrong with the chain */
	int depth;   /* whom the verdict is about: 0 its own, else one above it */
	char names[256];
	char issuer[160];
	char not_before[32], not_after[32]; /* as people read it, UTC */
};

/* *peer is emptied, and filled during the handshakes of `ctx`, which it has to outlive. strict: what is wrong with the
   certificate ends the handshake; else it is only heard. 0, or -1: there is no memory. */
int tls_peer_listen(SSL_CTX *ctx, struct tls_peer *peer, bool strict);

/* Why the certificate that was seen is no good for `host`, behind "the certificate": "names a.example, b.example and …".
   trusted_by: whose certificates are trusted, for people. */
void tls_peer_explain(const struct tls_peer *peer, const char *host, const char *trusted_by, char *text, size_t size);

#endif
