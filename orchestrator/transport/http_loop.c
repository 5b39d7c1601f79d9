/*
 * libcurl's multi interface on libuv (libcurl-multi(3)), one multi a request. libcurl says which socket to watch for what
 * (on_socket) and when it wants to be called (on_timeout); we call curl_multi_socket_action and look whether the transfer
 * has ended. curl's own example multi-uv.c fails in three ways that are avoided here: an error of the poll handle becomes
 * CURL_CSELECT_ERR and not silence, a socket is not closed below a running poll handle, and a time-out of zero does not
 * call libcurl from inside its own callback.
 */
#include "transport/http_request.h"

#include "base/alloc.h"

#include <unistd.h>

struct watched {
	struct list node;
	uv_poll_t poll;
	struct http_request *request;
	curl_socket_t fd;
};

static void look_for_the_end(struct http_request *h)
{
	CURLMsg *message;
	int left;

	while (h->multi && (message = curl_multi_info_read(h->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			http_ended(h, message->data.result);
}

static void act(struct http_request *h, curl_socket_t fd, int flags)
{
	int running;

	if (!h->multi)
		return;
	if (curl_multi_socket_action(h->multi, fd, flags, &running) != CURLM_OK)
		http_ended(h, CURLE_FAILED_INIT);
	else
		look_for_the_end(h);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watched *w = poll->data;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	if (!w->request->connected)
		w->request->connected = getpeername(w->fd, (struct sockaddr *)&peer, &len) == 0;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	act(w->request, w->fd, flags);
}

static void on_watched_closed(uv_handle_t *handle)
{
	struct watched *w = handle->data;
	struct http_request *h = w->request;

	free(w);
	http_handle_closed(h);
}

static struct watched *find(const struct http_request *h, curl_socket_t fd)
{
	for (struct list *n = h->polls.next; n != &h->polls; n = n->next) {
		struct watched *w = CONTAINER_OF(n, struct watched, node);
		if (w->fd == fd)
			return w;
	}
	return NULL;
}

static void forget(struct watched *w)
{
	list_remove(&w->node);
	uv_close((uv_handle_t *)&w->poll, on_watched_closed);
}

static struct watched *watch(struct http_request *h, curl_socket_t fd)
{
	struct watched *w = NEW(struct watched);

	if (uv_poll_init_socket(h->loop, &w->poll, fd) < 0) {
		free(w);
		return NULL; /* the deadline ends it */
	}
	w->poll.data = w;
	w->request = h;
	w->fd = fd;
	h->handles++;
	list_append(&h->polls, &w->node);
	return w;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct http_request *h = arg;
	struct watched *w = find(h, fd);
	int events = 0;

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			forget(w);
		return 0;
	}
	if (!w)
		w = watch(h, fd);
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	if (w)
		uv_poll_start(&w->poll, events, on_poll);
	return 0;
}

/* libcurl may close a socket without having it removed before. */
static int on_close(void *arg, curl_socket_t fd)
{
	struct watched *w = find(arg, fd);

	if (w)
		forget(w);
	return close(fd);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_request *h = arg;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&h->curl_timer);
	else
		uv_timer_start(&h->curl_timer, on_timer, timeout_ms ? (uint64_t)timeout_ms : 1, 0);
	return 0;
}

int http_loop_attach(struct http_request *h)
{
	list_init(&h->polls);
	h->multi = curl_multi_init();
	if (!h->multi)
		return -1;
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(h->easy, CURLOPT_CLOSESOCKETDATA, h);
	return curl_multi_add_handle(h->multi, h->easy) == CURLM_OK ? 0 : -1;
}

void http_loop_detach(struct http_request *h)
{
	CURLM *multi = h->multi;

	h->multi = NULL;
	if (!multi)
		return;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, NULL);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, NULL);
	curl_multi_remove_handle(multi, h->easy);
	curl_multi_cleanup(multi); /* closes the connections */
	while (!list_empty(&h->polls))
		forget(CONTAINER_OF(h->polls.next, struct watched, node));
}
