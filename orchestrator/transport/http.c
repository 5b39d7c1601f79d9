/*
 * The happy path: the URL's host is looked up, libcurl is told the addresses (or gets connections through a host,
 * http_tunnel.c) and makes the transfer (http_loop.c), the status and what was collected are the result, and done comes from
 * a timer. It fails by libcurl's code or by our own
 * deadline, which become one of our codes and a sentence. Closing: libcurl's part goes with the result (OVER), the
 * request itself when the last handle is closed.
 */
#include "transport/http_request.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "transport/ssh_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#define HEADERS_ALL_MAX_BYTES (4 * HTTP_HEADER_MAX_BYTES) /* over all answers of one request: 401 and then 200 … */
#define SILENCE_BYTES_A_SECOND 16L

static const struct sm_state states[] = {
	[HTTP_RESOLVE] = { "resolve", SM_TO(HTTP_TUNNEL) | SM_TO(HTTP_TRANSFER) | SM_TO(HTTP_OVER) },
	[HTTP_TUNNEL] = { "tunnel", SM_TO(HTTP_TRANSFER) | SM_TO(HTTP_OVER) },
	[HTTP_TRANSFER] = { "transfer", SM_TO(HTTP_OVER) },
	[HTTP_OVER] = { "over", SM_TO(HTTP_GONE) },
	[HTTP_GONE] = { "gone", 0 },
};

int http_library_init(struct err *err)
{
	CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);

	return rc ? err_set(err, E_PERM, "libcurl cannot be initialised: %s", curl_easy_strerror(rc)) : 0;
}

void http_library_exit(void)
{
	curl_global_cleanup();
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

void http_handle_closed(struct http_request *h)
{
	if (--h->handles || h->sm.now != HTTP_GONE)
		return;
	ssh_spec_free(h->through);
	free(h->label);
	free(h->host);
	free(h);
}

static void on_timer_closed(uv_handle_t *timer)
{
	http_handle_closed(timer->data);
}

static void deliver(uv_timer_t *timer)
{
	struct http_request *h = timer->data;
	void (*done)(void *) = h->done;
	void *arg = h->arg;

	sm_move(&h->sm, HTTP_GONE, h->label);
	uv_close((uv_handle_t *)&h->deadline, on_timer_closed);
	uv_close((uv_handle_t *)&h->curl_timer, on_timer_closed);
	done(arg);
}

static void over(struct http_request *h)
{
	sm_move(&h->sm, HTTP_OVER, h->label);
	if (h->resolving)
		resolve_cancel(h->resolving);
	h->resolving = NULL;
	http_loop_detach(h);
	if (h->easy)
		curl_easy_cleanup(h->easy);
	h->easy = NULL;
	http_tunnel_end(h);
	curl_slist_free_all(h->addresses);
	h->addresses = NULL;
	h->result->elapsed_ms = (int64_t)(uv_now(h->loop) - h->began_ms);
	uv_timer_stop(&h->curl_timer);
	uv_timer_start(&h->deadline, deliver, 0, 0);
}

/* result.failure is set. */
static void failed_so(struct http_request *h)
{
	struct op_result *r = h->result;

	buf_release(&r->out);
	buf_release(&r->err);
	r->beyond = r->failure.code != E_INVAL && r->failure.code != E_CANCELED;
	over(h);
}

static void __attribute__((format(printf, 3, 4))) fail(struct http_request *h, int code, const char *fmt, ...)
{
	struct err *failure = &h->result->failure;
	va_list args;

	va_start(args, fmt);
	err_vset(failure, code, fmt, args);
	va_end(args);
	if (h->through && h->host)
		err_prefix(failure, "%s through %s: ", h->host, h->through->label);
	else if (h->host)
		err_prefix(failure, "%s: ", h->host);
	err_prefix(failure, "%s: ", h->label);
	failed_so(h);
}

/* It says itself what it is about: the host, or a bastion before it. */
void http_way_failed(struct http_request *h, const struct err *why)
{
	if (h->sm.now >= HTTP_OVER)
		return;
	h->result->failure = *why;
	failed_so(h);
}

/* ---- what went wrong -------------------------------------------------------------------------------------------- */

static bool passed(CURL *easy, CURLINFO info)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(easy, info, &us) == CURLE_OK && us > 0;
}

static void timed_out(struct http_request *h)
{
	char after[TIME_TEXT_MAX];

	time_format_duration((int64_t)(uv_now(h->loop) - h->began_ms), after);
	if (!h->connected)
		fail(h, E_UNREACHABLE, "no answer on port %d in %s", h->port, after);
	else if (!passed(h->easy, CURLINFO_APPCONNECT_TIME_T))
		fail(h, E_TIMEOUT, "it took the connection, but no TLS came about in %s", after);
	else if (!passed(h->easy, CURLINFO_STARTTRANSFER_TIME_T))
		fail(h, E_TIMEOUT, "it was asked and had not answered after %s", after);
	else
		fail(h, E_TIMEOUT, "its answer had not come to its end after %s (%zu bytes until then)", after, h->result->out.len);
}

static void could_not_connect(struct http_request *h)
{
	long number = 0;

	curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &number);
	if (number == ECONNREFUSED)
		fail(h, E_REFUSED, "nobody listens on port %d", h->port);
	else if (number)
		fail(h, E_UNREACHABLE, "no connection to port %d: %s", h->port, strerror((int)number));
	else
		fail(h, E_UNREACHABLE, "no connection to port %d: %s", h->port, h->said);
}

static void certificate_refused(struct http_request *h)
{
	char why[ERR_TEXT_MAX / 2];

	http_tls_explain(h, why, sizeof(why));
	fail(h, E_TLS, "its certificate %s; nothing was asked", why);
}

/* A call-back of ours refused bytes. */
static void too_much(struct http_request *h)
{
	if (h->header_bytes <= HEADERS_ALL_MAX_BYTES && !h->result->err.truncated)
		fail(h, E_LIMIT, "its answer is larger than %zu bytes", h->result->out.max);
	else
		fail(h, E_PROTOCOL, "its answer has more than %zu KB of header lines", HTTP_HEADER_MAX_BYTES >> 10);
}

static void failed(struct http_request *h, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		timed_out(h);
		break;
	case CURLE_COULDNT_CONNECT:
		if (h->way_err.code)
			http_way_failed(h, &h->way_err);
		else
			could_not_connect(h);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		certificate_refused(h);
		break;
	case CURLE_SSL_CACERT_BADFILE:
		fail(h, E_INVAL, "the file of trusted certificates %s cannot be used: %s",
		     h->op->trust_file ? h->op->trust_file : "", h->said);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		fail(h, E_PROTOCOL, "no TLS came about: %s", h->said);
		break;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		fail(h, E_CLOSED, "it cut the connection before its answer was there");
		break;
	case CURLE_PARTIAL_FILE:
		fail(h, E_CLOSED, "it cut the connection in the middle of its answer (%zu bytes until then)", h->result->out.len);
		break;
	case CURLE_WRITE_ERROR:
	case CURLE_FILESIZE_EXCEEDED:
		too_much(h);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: the URL's own was looked at */
	case CURLE_WEIRD_SERVER_REPLY:
		fail(h, E_PROTOCOL, "what it answers is no HTTP");
		break;
	default: /* a code of libcurl's, of which there are a hundred */
		fail(h, E_PROTOCOL, "%s", h->said[0] ? h->said : curl_easy_strerror(code));
		break;
	}
}

void http_ended(struct http_request *h, CURLcode code)
{
	long status = 0;

	if (h->sm.now != HTTP_TRANSFER && h->sm.now != HTTP_TUNNEL)
		return;
	if (code == CURLE_OK && h->result->out.truncated)
		code = CURLE_WRITE_ERROR;
	if (code != CURLE_OK) {
		failed(h, code);
		return;
	}
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	h->result->exit_code = (int32_t)status;
	over(h);
}

/* ---- the transfer ----------------------------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct http_request *h = arg;

	return buf_add(&h->result->out, bytes, one * n) ? one * n : 0;
}

/* Of the last answer: one that asked for a login first is forgotten. */
static size_t on_header(char *bytes, size_t one, size_t n, void *arg)
{
	struct http_request *h = arg;
	struct buf *lines = &h->result->err;
	size_t len = one * n;

	if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		buf_clear(lines);
		buf_clear(&h->result->out);
	}
	h->header_bytes += len;
	return h->header_bytes <= HEADERS_ALL_MAX_BYTES && buf_add(lines, bytes, len) ? len : 0;
}

static void set_limits(struct http_request *h)
{
	CURL *c = h->easy;

	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* NTLM needs it */
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SILENCE_BYTES_A_SECOND);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)HTTP_SILENCE_MS / 1000);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)h->result->out.max);
}

static void set_login(struct http_request *h)
{
	if (!h->op->account)
		return;
	curl_easy_setopt(h->easy, CURLOPT_USERNAME, h->op->account);
	curl_easy_setopt(h->easy, CURLOPT_PASSWORD, buf_str(&h->op->password));
	curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)(CURLAUTH_ANY & ~CURLAUTH_NEGOTIATE));
}

static void set_callbacks(struct http_request *h)
{
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->said);
}

/* "HOST:PORT:ADDRESS,[ADDRESS]…" (CURLOPT_RESOLVE(3)): libcurl looks nothing up itself. */
static void set_addresses(struct http_request *h, const struct resolved *found)
{
	struct buf line = BUF_INIT;

	buf_addf(&line, "%s:%d:", h->host, h->port);
	for (int i = 0; i < found->n; i++) {
		const struct sockaddr_storage *a = &found->address[i];
		char text[INET6_ADDRSTRLEN] = "";
		if (a->ss_family == AF_INET6)
			inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, text, sizeof(text));
		else
			inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, text, sizeof(text));
		buf_addf(&line, a->ss_family == AF_INET6 ? "%s[%s]" : "%s%s", i ? "," : "", text);
	}
	h->addresses = curl_slist_append(NULL, buf_str(&line));
	buf_release(&line);
}

static void on_deadline(uv_timer_t *timer);

static void arm_deadline(struct http_request *h, int ms)
{
	int left = h->op->timeout_ms - (int)(uv_now(h->loop) - h->began_ms);

	if (left < 1)
		left = 1;
	uv_timer_start(&h->deadline, on_deadline, (uint64_t)(ms && ms < left ? ms : left), 0);
}

static void on_deadline(uv_timer_t *timer)
{
	struct http_request *h = timer->data;
	bool all = uv_now(h->loop) - h->began_ms >= (uint64_t)h->op->timeout_ms;

	if (h->sm.now == HTTP_RESOLVE)
		fail(h, E_UNREACHABLE, "the name servers did not answer in %d s", HTTP_RESOLVE_MS / 1000);
	else if (!all && passed(h->easy, CURLINFO_APPCONNECT_TIME_T)) /* through a host: the deadline of TLS */
		arm_deadline(h, 0);
	else
		timed_out(h);
}

static void transfer(struct http_request *h)
{
	h->easy = curl_easy_init();
	if (!h->easy)
		abort();
	curl_easy_setopt(h->easy, CURLOPT_URL, h->op->url);
	set_limits(h);
	set_login(h);
	set_callbacks(h);
	if (h->through)
		http_tunnel_set(h);
	else
		curl_easy_setopt(h->easy, CURLOPT_RESOLVE, h->addresses);
	if (http_tls_set(h) != CURLE_OK || http_loop_attach(h) != 0)
		fail(h, E_PROTOCOL, "libcurl cannot be used");
}

static void transfer_to(struct http_request *h, const struct resolved *found)
{
	sm_move(&h->sm, HTTP_TRANSFER, h->label);
	h->result->started = true;
	arm_deadline(h, 0);
	set_addresses(h, found);
	transfer(h);
}

void http_way_there(struct http_request *h)
{
	if (h->sm.now != HTTP_TUNNEL)
		return;
	sm_move(&h->sm, HTTP_TRANSFER, h->label);
	h->result->started = h->connected = true;
	h->began_ms = uv_now(h->loop);
	arm_deadline(h, HTTP_CONNECT_MS);
}

/* ---- start and cancel ------------------------------------------------------------------------------------------- */

static void on_resolved(void *arg, int r, const struct resolved *found, const struct err *err)
{
	struct http_request *h = arg;

	h->resolving = NULL;
	if (r)
		fail(h, r, "%s", err->text);
	else
		transfer_to(h, found);
}

/* The host and the port of the URL; user:password@ in it is refused. */
static int read_url(struct http_request *h)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
	bool good = h->op->url && curl_url_set(url, CURLUPART_URL, h->op->url, 0) == CURLUE_OK &&
		    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && strcmp(scheme, "https") == 0 &&
		    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_OK;

	if (good) {
		size_t len = strlen(host);
		bool brackets = len > 2 && host[0] == '[';
		h->host = brackets ? str_ndup(host + 1, len - 2) : str_dup(host);
		h->port = (int)strtol(port, NULL, 10);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(user);
	curl_url_cleanup(url);
	return good ? 0 : -1;
}

static void begin(uv_timer_t *timer)
{
	struct http_request *h = timer->data;
	struct resolved found;
	struct err err = { 0 };

	if (read_url(h) != 0) {
		fail(h, E_INVAL, "this is no https: URL without a login in it: %.200s", h->op->url ? h->op->url : "");
		return;
	}
	if (h->through && !h->ways->hosts) {
		fail(h, E_INVAL, "nobody here connects to hosts");
		return;
	}
	if (h->through) {
		sm_move(&h->sm, HTTP_TUNNEL, h->label);
		transfer(h);
		return;
	}
	if (resolve_numeric(h->host, h->port, &found)) {
		transfer_to(h, &found);
		return;
	}
	arm_deadline(h, HTTP_RESOLVE_MS);
	h->resolving = resolve_start(h->ways->resolver, h->host, h->port, on_resolved, h, &err);
	if (!h->resolving)
		fail(h, err.code, "%s", err.text);
}

struct http_request *http_start(const struct service_ways *ways, const char *label, const struct remote_spec *through,
				const struct op *op, struct op_result *result, void (*done)(void *arg), void *arg)
{
	struct http_request *h = NEW(struct http_request);

	*h = (struct http_request){
		.ways = ways, .loop = ways->loop, .label = str_dup(label), .op = op, .result = result, .done = done, .arg = arg
	};
	h->through = through ? ssh_spec_copy(through) : NULL;
	list_init(&h->tunnels);
	*result = (struct op_result){ 0 };
	buf_init(&result->out, op->max_out_bytes ? op->max_out_bytes : OP_OUT_MAX_DEFAULT);
	buf_init(&result->err, HTTP_HEADER_MAX_BYTES);
	sm_init(&h->sm, states, HTTP_RESOLVE);
	h->began_ms = uv_now(h->loop);
	uv_timer_init(h->loop, &h->deadline);
	uv_timer_init(h->loop, &h->curl_timer);
	h->deadline.data = h->curl_timer.data = h;
	h->handles = 2;
	uv_timer_start(&h->deadline, begin, 0, 0);
	return h;
}

void http_cancel(struct http_request *h)
{
	if (h->sm.now < HTTP_OVER)
		fail(h, E_CANCELED, "given up");
}
