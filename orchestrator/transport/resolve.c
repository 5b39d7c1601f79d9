/*
 * The happy path: ares_getaddrinfo, c-ares' sockets watched by one uv_poll each as its socket callback says, and the
 * answer handed on from a timer, since c-ares may have it at once (/etc/hosts). It fails with what the name servers
 * say; deadlines are the caller's, who cancels: the lookup then goes on without him and is thrown away. Closing ends
 * what is left and frees after the last handle is closed.
 */
#include "transport/resolve.h"

#include "base/alloc.h"
#include "base/list.h"

#include <ares.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

struct resolver {
	uv_loop_t *loop;
	ares_channel channel;
	bool open; /* the channel is made with the first lookup */
	uv_timer_t timer;
	struct list watches;
	struct list finished;
	size_t handles; /* not yet closed */
	void (*closed)(void *arg);
	void *closed_arg;
};

struct watch {
	struct list node;
	uv_poll_t poll;
	struct resolver *resolver;
	ares_socket_t fd;
};

struct resolve_request {
	struct list node; /* in resolver->finished once the answer is there */
	struct resolver *resolver;
	resolve_cb *cb; /* NULL: cancelled */
	void *arg;
	char *name;
	int port;
	int r;
	struct resolved found;
	struct err err;
};

static void request_free(struct resolve_request *req)
{
	list_remove(&req->node);
	free(req->name);
	free(req);
}

static void maybe_closed(struct resolver *r)
{
	void (*closed)(void *) = r->closed;
	void *arg = r->closed_arg;

	if (!closed || r->handles)
		return;
	free(r);
	closed(arg);
}

static void deliver(struct resolver *r)
{
	struct list *node;

	while ((node = list_pop(&r->finished))) {
		struct resolve_request *req = CONTAINER_OF(node, struct resolve_request, node);
		if (req->cb)
			req->cb(req->arg, req->r, &req->found, &req->err);
		request_free(req);
	}
}

static void arm_timer(struct resolver *r);

static void on_timer(uv_timer_t *timer)
{
	struct resolver *r = timer->data;

	if (r->open)
		ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	deliver(r);
	arm_timer(r);
}

/* For an answer that waits, or for c-ares' own next time-out. */
static void arm_timer(struct resolver *r)
{
	struct timeval tv, *next;

	if (uv_is_closing((uv_handle_t *)&r->timer))
		return;
	if (!list_empty(&r->finished)) {
		uv_timer_start(&r->timer, on_timer, 0, 0);
		return;
	}
	next = r->open ? ares_timeout(r->channel, NULL, &tv) : NULL;
	if (next)
		uv_timer_start(&r->timer, on_timer, (uint64_t)next->tv_sec * 1000 + (uint64_t)next->tv_usec / 1000 + 1,
			       0);
	else
		uv_timer_stop(&r->timer);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct resolver *r = w->resolver;
	bool readable = status < 0 || (events & UV_READABLE), writable = status < 0 || (events & UV_WRITABLE);

	ares_process_fd(r->channel, readable ? w->fd : ARES_SOCKET_BAD, writable ? w->fd : ARES_SOCKET_BAD);
	arm_timer(r);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;
	struct resolver *r = w->resolver;

	free(w);
	r->handles--;
	maybe_closed(r);
}

static struct watch *find_watch(struct resolver *r, ares_socket_t fd)
{
	for (struct list *n = r->watches.next; n != &r->watches; n = n->next) {
		struct watch *w = CONTAINER_OF(n, struct watch, node);
		if (w->fd == fd)
			return w;
	}
	return NULL;
}

static struct watch *add_watch(struct resolver *r, ares_socket_t fd)
{
	struct watch *w = NEW(struct watch);

	if (uv_poll_init(r->loop, &w->poll, fd) < 0) {
		free(w);
		return NULL; /* c-ares will run into its time-out */
	}
	w->poll.data = w;
	w->resolver = r;
	w->fd = fd;
	r->handles++;
	list_append(&r->watches, &w->node);
	return w;
}

/* c-ares says what it waits for; both false: it will close the socket. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = arg;
	struct watch *w = find_watch(r, fd);

	if (!readable && !writable) {
		if (!w)
			return;
		list_remove(&w->node);
		uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		return;
	}
	if (!w)
		w = add_watch(r, fd);
	if (w)
		uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_poll);
}

struct resolver *resolver_new(uv_loop_t *loop)
{
	struct resolver *r = NEW(struct resolver);

	r->loop = loop;
	list_init(&r->watches);
	list_init(&r->finished);
	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	r->handles = 1;
	return r;
}

static int open_channel(struct resolver *r, struct err *err)
{
	struct ares_options options = {.sock_state_cb = on_socket, .sock_state_cb_data = r};
	int rc;

	if (r->open)
		return 0;
	rc = ares_library_init(ARES_LIB_INIT_ALL);
	if (rc == ARES_SUCCESS)
		rc = ares_init_options(&r->channel, &options, ARES_OPT_SOCK_STATE_CB);
	if (rc != ARES_SUCCESS)
		return err_set(err, E_IO, "names cannot be looked up: %s", ares_strerror(rc));
	r->open = true;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct resolver *r = handle->data;

	r->handles--;
	maybe_closed(r);
}

void resolver_close(struct resolver *r, void (*closed)(void *arg), void *arg)
{
	struct list *node;

	if (r->open) {
		ares_destroy(r->channel);
		ares_library_cleanup();
	}
	r->open = false;
	while ((node = list_pop(&r->finished)))
		request_free(CONTAINER_OF(node, struct resolve_request, node));
	r->closed = closed;
	r->closed_arg = arg;
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

static void add_address(struct resolved *found, const struct sockaddr *sa, size_t len, int port)
{
	struct sockaddr_storage *to = &found->address[found->n];

	if (found->n == RESOLVE_MAX || len > sizeof(*to))
		return;
	memcpy(to, sa, len);
	if (sa->sa_family == AF_INET)
		((struct sockaddr_in *)to)->sin_port = htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)to)->sin6_port = htons((uint16_t)port);
	found->len[found->n++] = (socklen_t)len;
}

bool resolve_numeric(const char *name, int port, struct resolved *found)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const char *percent = strchr(name, '%');
	char *address = percent ? str_ndup(name, (size_t)(percent - name)) : str_dup(name);
	bool ok = true;

	found->n = 0;
	if (!percent && inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
		add_address(found, (struct sockaddr *)&v4, sizeof(v4), port);
	} else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
		if (percent)
			v6.sin6_scope_id = if_nametoindex(percent + 1);
		add_address(found, (struct sockaddr *)&v6, sizeof(v6), port);
	} else {
		ok = false;
	}
	free(address);
	return ok;
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *answer)
{
	struct resolve_request *req = arg;

	(void)timeouts;
	for (struct ares_addrinfo_node *n = answer ? answer->nodes : NULL; n; n = n->ai_next)
		add_address(&req->found, n->ai_addr, n->ai_addrlen, req->port);
	ares_freeaddrinfo(answer);
	if (!req->cb) {
		request_free(req);
		return;
	}
	if (!req->found.n)
		req->r = err_set(&req->err, E_UNREACHABLE, "the name %s has no address: %s", req->name,
				 status == ARES_SUCCESS ? "no record" : ares_strerror(status));
	list_append(&req->resolver->finished, &req->node);
}

struct resolve_request *resolve_start(struct resolver *r, const char *name, int port, resolve_cb *cb, void *arg,
				      struct err *err)
{
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct resolve_request *req;

	if (open_channel(r, err))
		return NULL;
	req = NEW(struct resolve_request);
	req->resolver = r;
	req->cb = cb;
	req->arg = arg;
	req->name = str_dup(name);
	req->port = port;
	ares_getaddrinfo(r->channel, name, NULL, &hints, on_answer, req);
	arm_timer(r);
	return req;
}

void resolve_cancel(struct resolve_request *req)
{
	req->cb = NULL;
	if (list_linked(&req->node))
		request_free(req);
}
