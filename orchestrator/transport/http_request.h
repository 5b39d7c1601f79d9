/*
 * A request, as the files http*.c see it. Nobody else includes this.
 *
 *     RESOLVE ─► TRANSFER ─► OVER ─► GONE        TUNNEL: libcurl works, the host's session has not connected yet
 *      │   │        ▲         ▲                   OVER: the result is set, libcurl's part is closed; done comes next
 *      │   └─► TUNNEL ───────►│                   GONE: done was called; freed when the handles are closed
 *      └─────────────────────►┘
 */
#ifndef TRANSPORT_HTTP_REQUEST_H
#define TRANSPORT_HTTP_REQUEST_H

#include "base/list.h"
#include "base/sm.h"
#include "transport/http.h"
#include "transport/tls_peer.h"

#include <curl/curl.h>

enum http_state { HTTP_RESOLVE, HTTP_TUNNEL, HTTP_TRANSFER, HTTP_OVER, HTTP_GONE };

struct http_request {
	const struct service_ways *ways;
	uv_loop_t *loop;
	char *label;
	struct remote_spec *through; /* or NULL */
	const struct op *op;
	struct op_result *result;
	void (*done)(void *arg);
	void *arg;

	struct sm sm;
	char *host; /* of the URL */
	int port;
	uint64_t began_ms;
	struct resolve_request *resolving;
	uv_timer_t deadline;   /* RESOLVE, TRANSFER: when it is given up; OVER: now */
	uv_timer_t curl_timer; /* libcurl's own */
	size_t handles;	       /* not yet closed */

	CURLM *multi;
	CURL *easy;
	struct curl_slist *addresses;
	struct list polls;
	bool connected; /* TCP is; libcurl 7.88 tells only when TLS is, too */
	char said[CURL_ERROR_SIZE];
	size_t header_bytes;
	struct tls_peer certificate;

	struct list tunnels; /* one for each connection through a host */
	struct err way_err;  /* why libcurl got no socket */
};

/* http.c */
void http_ended(struct http_request *h, CURLcode code);
void http_way_there(struct http_request *h); /* TUNNEL: the first connection is */
void http_way_failed(struct http_request *h, const struct err *why);
void http_handle_closed(struct http_request *h); /* one of its handles is */

/* http_loop.c: libcurl's sockets and its timer on the loop. detach: no callback of libcurl's comes to us any more, but
   closesocket. */
int http_loop_attach(struct http_request *h);
void http_loop_detach(struct http_request *h);

/* http_tunnel.c: connections through a host. set: libcurl takes its sockets from here; http_way_there or http_way_failed
   comes, not from inside. end: behind http_loop_detach. */
void http_tunnel_set(struct http_request *h);
void http_tunnel_end(struct http_request *h);

/* http_tls.c */
CURLcode http_tls_set(struct http_request *h);
/* Why the certificate was refused, behind "the certificate": "names a.example, b.example and …". */
void http_tls_explain(const struct http_request *h, char *text, size_t size);

#endif
