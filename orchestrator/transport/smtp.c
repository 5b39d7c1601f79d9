/*
 * The happy path: the name is looked up and an address of it connected to, or a host is asked for the connection; from then
 * on the descriptor's events drive the talk, in between over TLS, until it is over. It fails by the way there, by a
 * deadline, by an end of the stream, by what is no SMTP. Closing: TLS and the descriptor's poll handle go with the result
 * (OVER), the request itself when its handles are closed.
 */
#include "transport/smtp.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "transport/smtp_talk.h"
#include "transport/ssh_spec.h"
#include "transport/tls_peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#define CHUNK 4096

/* RESOLVE ─► CONNECT ─► TALK ─► OVER ─► GONE, or TUNNEL in the place of the first two; every one of them may be OVER next. */
enum state { RESOLVE, CONNECT, TUNNEL, TALK, OVER, GONE };

static const struct sm_state states[] = {
	[RESOLVE] = { "resolve", SM_TO(CONNECT) | SM_TO(TUNNEL) | SM_TO(OVER) },
	[CONNECT] = { "connect", SM_TO(TALK) | SM_TO(OVER) },
	[TUNNEL] = { "tunnel", SM_TO(TALK) | SM_TO(OVER) },
	[TALK] = { "talk", SM_TO(OVER) },
	[OVER] = { "over", SM_TO(GONE) },
	[GONE] = { "gone", 0 },
};

struct smtp_request {
	const struct service_ways *ways;
	char *label;
	struct remote_spec *through; /* or NULL */
	const struct op *op;
	struct op_result *result;
	void (*done)(void *arg);
	void *arg;

	struct sm sm;
	uint64_t began_ms;
	struct resolve_request *resolving;
	struct resolved addresses;
	int next_address;
	struct tunnel_request tunnel;
	uv_timer_t timer; /* the deadline of the state; OVER: now */
	uv_poll_t *poll;  /* NULL: there is no descriptor; its own memory, since it closes after the next one began */
	int fd, events;
	size_t handles; /* not yet closed */

	char own_name[UV_MAXHOSTNAMESIZE];
	struct smtp_words words;
	struct smtp_talk talk;
	bool hung_up; /* the way was cut; why is in `lost` */
	struct err lost;
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: in clear text */
	struct tls_peer peer;
};

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void handle_closed(struct smtp_request *s)
{
	if (--s->handles || s->sm.now != GONE)
		return;
	ssh_spec_free(s->through);
	free(s->label);
	free(s);
}

static void on_timer_closed(uv_handle_t *timer)
{
	handle_closed(timer->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct smtp_request *s = handle->data;

	free(handle);
	handle_closed(s);
}

/* The descriptor may be closed as soon as its poll handle is stopped (uv_poll_stop, which uv_close does). */
static void close_connection(struct smtp_request *s)
{
	if (s->poll)
		uv_close((uv_handle_t *)s->poll, on_poll_closed);
	if (s->fd >= 0)
		close(s->fd);
	s->poll = NULL;
	s->fd = -1;
	s->events = 0;
}

static void deliver(uv_timer_t *timer)
{
	struct smtp_request *s = timer->data;
	void (*done)(void *) = s->done;
	void *arg = s->arg;

	sm_move(&s->sm, GONE, s->label);
	uv_close((uv_handle_t *)timer, on_timer_closed);
	done(arg);
}

static void over(struct smtp_request *s)
{
	sm_move(&s->sm, OVER, s->label);
	if (s->resolving)
		resolve_cancel(s->resolving);
	s->resolving = NULL;
	if (s->tunnel.arg)
		tunnel_cancel(s->ways->hosts, &s->tunnel);
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	close_connection(s);
	smtp_talk_release(&s->talk);
	s->result->elapsed_ms = (int64_t)(uv_now(s->ways->loop) - s->began_ms);
	uv_timer_start(&s->timer, deliver, 0, 0);
}

/* result.failure is set, and says itself what it is about. */
static void failed_so(struct smtp_request *s)
{
	int code = s->result->failure.code;

	s->result->beyond = code != E_INVAL && code != E_CANCELED;
	over(s);
}

static void __attribute__((format(printf, 3, 4))) fail(struct smtp_request *s, int code, const char *fmt, ...)
{
	struct err *failure = &s->result->failure;
	va_list args;

	va_start(args, fmt);
	err_vset(failure, code, fmt, args);
	va_end(args);
	if (s->through && s->op->server)
		err_prefix(failure, "%s through %s: ", s->op->server, s->through->label);
	else if (s->op->server)
		err_prefix(failure, "%s: ", s->op->server);
	err_prefix(failure, "%s: ", s->label);
	failed_so(s);
}

/* ---- TLS ---------------------------------------------------------------------------------------------------------- */

static const char *trusted_by(const struct smtp_request *s)
{
	return s->op->trust_file ? s->op->trust_file : "this machine's certificates";
}

static bool set_trust(struct smtp_request *s)
{
	if (s->op->trust_file)
		return SSL_CTX_load_verify_file(s->ctx, s->op->trust_file) == 1;
	return SSL_CTX_set_default_verify_dir(s->ctx) == 1;
}

static bool tls_begin(struct smtp_request *s)
{
	s->ctx = SSL_CTX_new(TLS_client_method());
	if (!s->ctx || SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION) != 1 || tls_peer_listen(s->ctx, &s->peer, false) != 0)
		abort();
	if (!set_trust(s))
		return false;
	s->ssl = SSL_new(s->ctx);
	if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1 || SSL_set_tlsext_host_name(s->ssl, s->op->server) != 1 ||
	    SSL_set1_host(s->ssl, s->op->server) != 1)
		abort();
	return true;
}

static void report_certificate(struct smtp_request *s)
{
	char why[SMTP_TEXT_MAX];

	smtp_report(&s->result->out, "tls", 220, SSL_get_version(s->ssl));
	if (SSL_get_verify_result(s->ssl) == X509_V_OK) {
		smtp_report(&s->result->out, "certificate", 250, "it is good");
		return;
	}
	tls_peer_explain(&s->peer, s->op->server, trusted_by(s), why, sizeof(why));
	smtp_report(&s->result->out, "certificate", 550, why);
}

/* What OpenSSL wants to wait for; 0: it does not wait, it failed. */
static int ssl_waits_for(const struct smtp_request *s, int rc)
{
	int why = SSL_get_error(s->ssl, rc);

	if (why == SSL_ERROR_WANT_READ)
		return UV_READABLE;
	return why == SSL_ERROR_WANT_WRITE ? UV_WRITABLE : 0;
}

/* ---- the talk ------------------------------------------------------------------------------------------------------ */

enum { GO_ON = -1, FAILED = -2 }; /* else: the events to wait for */

static int no_tls(struct smtp_request *s, const char *why)
{
	smtp_report(&s->result->out, "tls", 0, why);
	over(s);
	return FAILED;
}

static int shake_hands(struct smtp_request *s)
{
	int rc, waits;

	if (!s->ssl && !tls_begin(s)) {
		fail(s, E_INVAL, "the file of trusted certificates %s cannot be used", trusted_by(s));
		return FAILED;
	}
	ERR_clear_error();
	rc = SSL_connect(s->ssl);
	waits = rc == 1 ? GO_ON : ssl_waits_for(s, rc);
	if (!waits) {
		const char *why = ERR_reason_error_string(ERR_get_error());
		return no_tls(s, why ? why : "the connection was cut in the handshake");
	}
	if (rc == 1) {
		report_certificate(s);
		smtp_talk_secured(&s->talk);
	}
	return waits;
}

static int cut(struct smtp_request *s)
{
	if (s->talk.sm.now == SMTP_QUIT)
		over(s);
	else if (s->hung_up)
		fail(s, E_CLOSED, "%s", s->lost.text);
	else
		fail(s, E_CLOSED, "it hung up before %s", smtp_talk_waits_for(&s->talk));
	return FAILED;
}

/* n bytes came or went, or an event is waited for, or it is over (0). */
static int moved(struct smtp_request *s, ssize_t n, int event)
{
	if (n > 0)
		return GO_ON;
	if (s->ssl) {
		event = ssl_waits_for(s, (int)n);
		return event ? event : cut(s);
	}
	return n < 0 && errno == EAGAIN ? event : cut(s);
}

static int send_some(struct smtp_request *s)
{
	struct buf *b = &s->talk.send;
	ssize_t n;
	int rc;

	ERR_clear_error();
	n = s->ssl ? SSL_write(s->ssl, b->data, (int)b->len) : send(s->fd, b->data, b->len, MSG_NOSIGNAL);
	rc = moved(s, n, UV_WRITABLE);
	if (n > 0)
		buf_shift(b, (size_t)n);
	return rc;
}

static void arm(struct smtp_request *s, int ms);

static int take_some(struct smtp_request *s)
{
	char bytes[CHUNK];
	struct err err = { 0 };
	ssize_t n;
	int rc;

	ERR_clear_error();
	n = s->ssl ? SSL_read(s->ssl, bytes, sizeof(bytes)) : recv(s->fd, bytes, sizeof(bytes), 0);
	rc = moved(s, n, UV_READABLE);
	if (n <= 0)
		return rc;
	if (smtp_talk_take(&s->talk, bytes, (size_t)n, &err) != 0) {
		fail(s, err.code, "%s", err.text);
		return FAILED;
	}
	if (s->talk.sm.now == SMTP_QUIT)
		arm(s, SMTP_QUIT_MS);
	return GO_ON;
}

static void on_event(uv_poll_t *poll, int status, int events);

static void talk(struct smtp_request *s)
{
	int what = GO_ON;

	while (what == GO_ON) {
		if (s->talk.sm.now == SMTP_OVER) {
			over(s);
			return;
		}
		if (s->talk.sm.now == SMTP_HANDSHAKE)
			what = shake_hands(s);
		else
			what = s->talk.send.len ? send_some(s) : take_some(s);
	}
	if (what != FAILED && what != s->events) {
		s->events = what;
		uv_poll_start(s->poll, what, on_event);
	}
}

/* ---- the connection ------------------------------------------------------------------------------------------------ */

static void on_deadline(uv_timer_t *timer);

static void arm(struct smtp_request *s, int ms)
{
	uv_timer_start(&s->timer, on_deadline, (uint64_t)ms, 0);
}

/* Takes the descriptor over. */
static void watch(struct smtp_request *s, int fd, int events)
{
	s->fd = fd;
	s->poll = NEW(uv_poll_t);
	if (uv_poll_init(s->ways->loop, s->poll, fd) != 0)
		abort();
	s->poll->data = s;
	s->handles++;
	s->events = events;
	uv_poll_start(s->poll, events, on_event);
}

static void connected(struct smtp_request *s)
{
	sm_move(&s->sm, TALK, s->label);
	s->result->started = true;
	s->began_ms = uv_now(s->ways->loop);
	arm(s, s->op->timeout_ms);
}

static bool try_address(struct smtp_request *s, int i, int *why)
{
	const struct sockaddr_storage *a = &s->addresses.address[i];
	int fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		*why = errno;
		return false;
	}
	if (connect(fd, (const struct sockaddr *)a, s->addresses.len[i]) != 0 && errno != EINPROGRESS) {
		*why = errno;
		close(fd);
		return false;
	}
	watch(s, fd, UV_WRITABLE);
	return true;
}

/* why: how the one before ended, an errno; in the order the resolver gave. */
static void next_address(struct smtp_request *s, int why)
{
	close_connection(s);
	while (s->next_address < s->addresses.n)
		if (try_address(s, s->next_address++, &why))
			return;
	if (why == ECONNREFUSED)
		fail(s, E_REFUSED, "nobody listens on port %d", s->op->port);
	else
		fail(s, E_UNREACHABLE, "no connection to port %d: %s", s->op->port, strerror(why));
}

static void on_connect(struct smtp_request *s)
{
	int why = 0;
	socklen_t len = sizeof(why);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &why, &len) != 0)
		why = errno;
	if (why) {
		next_address(s, why);
		return;
	}
	connected(s);
	talk(s);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct smtp_request *s = poll->data;

	(void)status; /* what is wrong is seen by whoever reads or writes */
	(void)events;
	if (s->sm.now == CONNECT)
		on_connect(s);
	else
		talk(s);
}

static void on_tunnel(struct tunnel_request *request, int fd, const struct err *err)
{
	struct smtp_request *s = request->arg;

	if (err) {
		s->result->failure = *err;
		failed_so(s);
		return;
	}
	connected(s);
	watch(s, fd, UV_READABLE);
}

/* What can be read is an end of file, and this says why. */
static void on_tunnel_lost(struct tunnel_request *request, const struct err *why)
{
	struct smtp_request *s = request->arg;

	s->lost = *why;
	err_prefix(&s->lost, "the connection went through a session that was lost: ");
	s->hung_up = true;
}

static void on_deadline(uv_timer_t *timer)
{
	struct smtp_request *s = timer->data;
	char after[TIME_TEXT_MAX];

	time_format_duration((int64_t)(uv_now(s->ways->loop) - s->began_ms), after);
	if (s->sm.now == RESOLVE)
		fail(s, E_UNREACHABLE, "the name servers did not answer in %d s", SMTP_RESOLVE_MS / 1000);
	else if (s->sm.now == CONNECT)
		fail(s, E_UNREACHABLE, "no answer on port %d in %s", s->op->port, after);
	else if (s->talk.sm.now == SMTP_QUIT)
		over(s);
	else
		fail(s, E_TIMEOUT, "it took the connection, but %s had not come after %s", smtp_talk_waits_for(&s->talk), after);
}

/* ---- start and cancel ----------------------------------------------------------------------------------------------- */

static void connect_to(struct smtp_request *s, const struct resolved *found)
{
	sm_move(&s->sm, CONNECT, s->label);
	s->addresses = *found;
	arm(s, SMTP_CONNECT_MS);
	next_address(s, EHOSTUNREACH);
}

static void on_resolved(void *arg, int r, const struct resolved *found, const struct err *err)
{
	struct smtp_request *s = arg;

	s->resolving = NULL;
	if (r)
		fail(s, r, "%s", err->text);
	else
		connect_to(s, found);
}

static void go_through(struct smtp_request *s)
{
	if (!s->ways->hosts) {
		fail(s, E_INVAL, "nobody here connects to hosts");
		return;
	}
	sm_move(&s->sm, TUNNEL, s->label);
	s->tunnel = (struct tunnel_request){ .host = s->op->server,
					     .port = s->op->port,
					     .connect_ms = SMTP_CONNECT_MS,
					     .done = on_tunnel,
					     .lost = on_tunnel_lost,
					     .arg = s };
	tunnel_open(s->ways->hosts, s->through, &s->tunnel);
}

static void begin(uv_timer_t *timer)
{
	struct smtp_request *s = timer->data;
	struct resolved found;
	struct err err = { 0 };

	if (smtp_talk_begin(&s->talk, &s->words, &s->result->out, &err) != 0 || !s->op->server || s->op->port <= 0) {
		fail(s, E_INVAL, "%s", err.code ? err.text : "no server is named");
	} else if (s->through) {
		go_through(s);
	} else if (resolve_numeric(s->op->server, s->op->port, &found)) {
		connect_to(s, &found);
	} else {
		arm(s, SMTP_RESOLVE_MS);
		s->resolving = resolve_start(s->ways->resolver, s->op->server, s->op->port, on_resolved, s, &err);
		if (!s->resolving)
			fail(s, err.code, "%s", err.text);
	}
}

/* Without a domain where the machine has none: then it is named all the same (RFC 5321 §4.1.4 asks for the best there is). */
static const char *own_name(struct smtp_request *s)
{
	size_t size = sizeof(s->own_name);

	return uv_os_gethostname(s->own_name, &size) == 0 && *s->own_name ? s->own_name : "localhost";
}

struct smtp_request *smtp_start(const struct service_ways *ways, const char *label, const struct remote_spec *through,
				const struct op *op, struct op_result *result, void (*done)(void *arg), void *arg)
{
	struct smtp_request *s = NEW(struct smtp_request);

	*s = (struct smtp_request){
		.ways = ways, .label = str_dup(label), .op = op, .result = result, .done = done, .arg = arg, .fd = -1
	};
	s->through = through ? ssh_spec_copy(through) : NULL;
	s->words = (struct smtp_words){ .hello = op->hello ? op->hello : own_name(s), .from = op->mail_from, .to = op->rcpt_to };
	*result = (struct op_result){ 0 };
	buf_init(&result->out, op->max_out_bytes ? op->max_out_bytes : OP_OUT_MAX_DEFAULT);
	sm_init(&s->sm, states, RESOLVE);
	s->began_ms = uv_now(ways->loop);
	uv_timer_init(ways->loop, &s->timer);
	s->timer.data = s;
	s->handles = 1;
	uv_timer_start(&s->timer, begin, 0, 0);
	return s;
}

void smtp_cancel(struct smtp_request *s)
{
	if (s->sm.now < OVER)
		fail(s, E_CANCELED, "given up");
}
