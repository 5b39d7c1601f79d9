/*
 * Connections through a host. The happy path: libcurl asks for a socket (on_open) and gets one that connects to a listener
 * of ours, which exists for this one connection; what is accepted there is the near end of a tunnel (tunnel_open), and what
 * libcurl writes waits in it until the host has connected. It fails with what the pool of that host's sessions says,
 * whenever that comes. Closing withdraws the wishes; the sockets are libcurl's and the tunnels' own.
 *
 * The listener is an abstract Unix socket with a name by the kernel's choice (autobind, unix(7)), closed as soon as our own
 * socket, which has a name as well to be known by, has come: nobody else is let in. Rejected: a pair of sockets and
 * CURL_SOCKOPT_ALREADY_CONNECTED, which libcurl 7.88.1 does not heed (measured: it calls connect() all the same; 8.0 does);
 * CURLOPT_UNIX_SOCKET_PATH (a file, which a killed process leaves behind); a port on loopback (others could use it).
 */
#include "transport/http_request.h"

#include "base/alloc.h"

#include <errno.h>
#include <sys/un.h>
#include <unistd.h>

#define FOR_EVER_MS (24L * 3600 * 1000)

struct http_tunnel {
	struct list node;
	struct http_request *http;
	uv_poll_t poll; /* of the listener */
	int listener;	/* -1: closed */
	struct sockaddr_un name; /* of libcurl's socket */
	socklen_t name_len;
	struct tunnel_request request;
	bool ended;
};

/* ---- the far end ------------------------------------------------------------------------------------------------ */

static void on_done(struct tunnel_request *request, int fd, const struct err *err)
{
	struct http_tunnel *t = request->arg;

	(void)fd; /* the pair is ours */
	if (err)
		http_way_failed(t->http, err);
	else
		http_way_there(t->http);
}

/* What libcurl would see is an end of file without a reason. */
static void on_lost(struct tunnel_request *request, const struct err *why)
{
	struct http_tunnel *t = request->arg;
	struct err lost = *why;

	err_prefix(&lost, "the connection to %s went through a session that was lost: ", t->http->host);
	lost.code = E_CLOSED;
	http_way_failed(t->http, &lost);
}

static void dial(struct http_tunnel *t, int fd)
{
	struct http_request *h = t->http;

	t->request = (struct tunnel_request){ .host = h->host,
					      .port = h->port,
					      .connect_ms = HTTP_TUNNEL_MS,
					      .has_pair = true,
					      .pair_fd = fd,
					      .done = on_done,
					      .lost = on_lost,
					      .arg = t };
	tunnel_open(h->ways->hosts, h->through, &t->request);
}

/* ---- the near end ----------------------------------------------------------------------------------------------- */

static void on_listener_closed(uv_handle_t *poll)
{
	struct http_tunnel *t = poll->data;
	struct http_request *h = t->http;

	close(t->listener);
	t->listener = -1;
	if (t->ended)
		free(t);
	http_handle_closed(h);
}

static void close_listener(struct http_tunnel *t)
{
	if (!uv_is_closing((uv_handle_t *)&t->poll))
		uv_close((uv_handle_t *)&t->poll, on_listener_closed);
}

static bool is_ours(const struct http_tunnel *t, const struct sockaddr_un *peer, socklen_t len)
{
	return len == t->name_len && memcmp(peer, &t->name, len) == 0;
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
	struct http_tunnel *t = poll->data;
	struct sockaddr_un peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd;

	(void)status;
	(void)events;
	fd = accept4(t->listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (!is_ours(t, &peer, len)) {
		close(fd);
		return;
	}
	close_listener(t);
	dial(t, fd);
}

/* A Unix socket with a name of the kernel's choice. */
static int named_socket(struct sockaddr_un *name, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(*name);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)name, sizeof(name->sun_family)) == 0 && getsockname(fd, (struct sockaddr *)name, len) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool listen_for(struct http_tunnel *t, struct curl_sockaddr *address)
{
	struct sockaddr_un name;
	socklen_t len;

	t->listener = named_socket(&name, &len);
	if (t->listener < 0)
		return false;
	if (len > sizeof(address->addr) || listen(t->listener, 1) < 0 ||
	    uv_poll_init(t->http->loop, &t->poll, t->listener) < 0) {
		close(t->listener);
		return false;
	}
	t->poll.data = t;
	t->http->handles++;
	list_append(&t->http->tunnels, &t->node);
	uv_poll_start(&t->poll, UV_READABLE, on_knock);
	address->family = AF_UNIX;
	address->protocol = 0;
	address->addrlen = len;
	memcpy(&address->addr, &name, len);
	return true;
}

/* libcurl connects the socket to the address, which is ours to change (CURLOPT_OPENSOCKETFUNCTION(3), lib/cf-socket.c). */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_request *h = arg;
	struct http_tunnel *t;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	t = NEW(struct http_tunnel);
	t->http = h;
	fd = named_socket(&t->name, &t->name_len);
	if (fd >= 0 && listen_for(t, address))
		return fd;
	err_set(&h->way_err, errno == EMFILE || errno == ENFILE ? E_LIMIT : E_IO, "%s: no sockets for a connection through %s: %s%s",
		h->label, h->through->label, strerror(errno), errno == EMFILE ? "; raise LimitNOFILE" : "");
	if (fd >= 0)
		close(fd);
	free(t);
	return CURL_SOCKET_BAD;
}

/* libcurl wants an address before it wants a socket. This one is nobody's (RFC 5737). Its own deadline is put off: that of
   http.c begins when the host has connected. */
void http_tunnel_set(struct http_request *h)
{
	char *line = str_fmt("%s:%d:192.0.2.1", h->host, h->port);

	h->addresses = curl_slist_append(NULL, line);
	free(line);
	curl_easy_setopt(h->easy, CURLOPT_RESOLVE, h->addresses);
	curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, FOR_EVER_MS);
	curl_easy_setopt(h->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(h->easy, CURLOPT_OPENSOCKETDATA, h);
}

void http_tunnel_end(struct http_request *h)
{
	while (!list_empty(&h->tunnels)) {
		struct http_tunnel *t = CONTAINER_OF(list_pop(&h->tunnels), struct http_tunnel, node);

		if (t->request.arg)
			tunnel_cancel(h->ways->hosts, &t->request);
		t->ended = true;
		if (t->listener < 0)
			free(t);
		else
			close_listener(t);
	}
}
