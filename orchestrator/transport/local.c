/*
 * The happy path: open answers from a timer, a request is one of http.h's, close waits for the last of them and answers
 * from the timer. Nothing here can fail but a request by itself.
 */
#include "transport/local.h"

#include "base/alloc.h"
#include "base/list.h"
#include "transport/http.h"
#include "transport/smtp.h"

struct local_transport {
	struct transport base;
	struct service_ways ways;
	size_t remotes;
	void (*closed)(void *arg);
	void *closed_arg;
};

struct local_remote {
	struct remote base;
	struct local_transport *transport;
	char *label;
	uv_timer_t timer;
	struct list requests;
	remote_opened_cb *opened; /* NULL: it was called */
	void *opened_arg;
	bool closing;
	remote_closed_cb *closed;
	void *closed_arg;
};

struct local_request {
	struct list node;
	struct local_remote *remote;
	struct remote_request *request;
	struct http_request *http; /* one of these; both NULL: it was refused */
	struct smtp_request *smtp;
};

static struct local_remote *remote_of(const struct remote *remote)
{
	return CONTAINER_OF((struct remote *)(uintptr_t)remote, struct local_remote, base);
}

static void pump(uv_timer_t *timer);

static void kick(struct local_remote *r)
{
	uv_timer_start(&r->timer, pump, 0, 0);
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static void request_done(void *arg)
{
	struct local_request *req = arg;
	struct local_remote *r = req->remote;
	struct remote_request *request = req->request;

	list_remove(&req->node);
	free(req);
	request->priv = NULL;
	if (r->closing)
		kick(r);
	request->done(request);
}

static bool is_refused(const struct local_request *req)
{
	return !req->http && !req->smtp;
}

static void deliver_refused(struct local_remote *r)
{
	struct list *next;

	for (struct list *n = r->requests.next; n != &r->requests; n = next) {
		struct local_request *req = CONTAINER_OF(n, struct local_request, node);
		next = n->next;
		if (is_refused(req)) {
			request_done(req);
			return; /* what it called may have changed the list */
		}
	}
}

static void start_request(struct remote *remote, struct remote_request *request)
{
	struct local_remote *r = remote_of(remote);
	struct local_request *req = NEW(struct local_request);

	req->remote = r;
	req->request = request;
	request->priv = req;
	request->result = (struct op_result){ 0 };
	list_append(&r->requests, &req->node);
	if (request->op->kind == OP_HTTP && !r->closing)
		req->http = http_start(&r->transport->ways, r->label, request->through, request->op, &request->result,
				       request_done, req);
	else if (request->op->kind == OP_SMTP && !r->closing)
		req->smtp = smtp_start(&r->transport->ways, r->label, request->through, request->op, &request->result,
				       request_done, req);
	if (!is_refused(req))
		return;
	if (r->closing)
		err_set(&request->result.failure, E_CANCELED, "%s: %s: closed already", r->label, request->what);
	else
		err_set(&request->result.failure, E_INVAL, "%s: %s: this needs a host", r->label, request->what);
	kick(r);
}

static void give_up(struct local_request *req)
{
	if (req->http)
		http_cancel(req->http);
	if (req->smtp)
		smtp_cancel(req->smtp);
}

static void cancel_request(struct remote *remote, struct remote_request *request)
{
	struct local_request *req = request->priv;

	(void)remote;
	if (req)
		give_up(req);
}

/* ---- remotes ---------------------------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
	struct local_remote *r = handle->data;
	remote_closed_cb *closed = r->closed;
	void *arg = r->closed_arg;

	r->transport->remotes--;
	free(r->label);
	free(r);
	if (closed)
		closed(arg);
}

static bool has_refused(const struct local_remote *r)
{
	for (struct list *n = r->requests.next; n != &r->requests; n = n->next)
		if (is_refused(CONTAINER_OF(n, struct local_request, node)))
			return true;
	return false;
}

static void pump(uv_timer_t *timer)
{
	struct local_remote *r = timer->data;
	remote_opened_cb *opened = r->opened;
	struct err err = { 0 };

	r->opened = NULL;
	if (opened) {
		if (r->closing)
			err_set(&err, E_CANCELED, "%s: closed before it was open", r->label);
		opened(&r->base, r->closing ? &err : NULL, r->opened_arg);
	}
	deliver_refused(r);
	if (has_refused(r))
		kick(r);
	else if (r->closing && list_empty(&r->requests) && !uv_is_closing((uv_handle_t *)timer))
		uv_close((uv_handle_t *)timer, on_timer_closed);
}

static struct remote *open_remote(struct transport *t, const struct remote_spec *spec, remote_opened_cb *cb, void *arg)
{
	struct local_remote *r = NEW(struct local_remote);

	r->base.transport = t;
	r->transport = CONTAINER_OF(t, struct local_transport, base);
	r->transport->remotes++;
	r->label = str_dup(spec->label ? spec->label : "here");
	r->opened = cb;
	r->opened_arg = arg;
	list_init(&r->requests);
	uv_timer_init(r->transport->ways.loop, &r->timer);
	r->timer.data = r;
	kick(r);
	return &r->base;
}

static void close_remote(struct remote *remote, remote_closed_cb *cb, void *arg)
{
	struct local_remote *r = remote_of(remote);

	if (r->closing) {
		fprintf(stderr, "cutover: fault: %s: closed twice\n", r->label);
		abort();
	}
	r->closing = true;
	r->closed = cb;
	r->closed_arg = arg;
	for (struct list *n = r->requests.next; n != &r->requests; n = n->next)
		give_up(CONTAINER_OF(n, struct local_request, node));
	kick(r);
}

static void info(const struct remote *remote, struct remote_info *out)
{
	const struct local_remote *r = remote_of(remote);

	*out = (struct remote_info){ .phase = r->closing ? "closing" : "ready", .banner = "", .host_key = "" };
}

static const struct transport_vtable vtable = {
	.open = open_remote,
	.start = start_request,
	.cancel = cancel_request,
	.close = close_remote,
	.info = info,
};

/* ---- the transport ---------------------------------------------------------------------------------------------- */

int local_transport_new(uv_loop_t *loop, struct transport *hosts, struct transport **out, struct err *err)
{
	struct local_transport *t;
	int r = http_library_init(err);

	if (r)
		return r;
	t = NEW(struct local_transport);
	t->base.vtable = &vtable;
	t->ways = (struct service_ways){ .loop = loop, .resolver = resolver_new(loop), .hosts = hosts };
	*out = &t->base;
	return 0;
}

static void on_resolver_closed(void *arg)
{
	struct local_transport *t = arg;
	void (*closed)(void *) = t->closed;
	void *closed_arg = t->closed_arg;

	free(t);
	http_library_exit();
	if (closed)
		closed(closed_arg);
}

void local_transport_close(struct transport *transport, void (*cb)(void *arg), void *arg)
{
	struct local_transport *t = CONTAINER_OF(transport, struct local_transport, base);

	if (t->remotes) {
		fprintf(stderr, "cutover: fault: the controller's own transport closed with %zu remotes open\n", t->remotes);
		abort();
	}
	t->closed = cb;
	t->closed_arg = arg;
	resolver_close(t->ways.resolver, on_resolver_closed, t);
}
