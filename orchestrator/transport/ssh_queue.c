/*
 * The requests of a remote: taken in, cancelled, ended, delivered. Everything that is wrong with a request itself is
 * found here, so that the shell and the commands get good ones only. Results are delivered from the pump, one after the
 * other; a callback may start, cancel and close whatever it likes.
 */
#include "transport/ssh_remote.h"
#include "transport/ssh_win_text.h"

#include <stdarg.h>

enum { INPUT_MAX = 16 << 20, HEADER_ROOM = 8192 };

static const char *what_is_wrong(const struct op *op)
{
	switch (op->kind) {
	case OP_RUN:
		return op->script ? NULL : "no script";
	case OP_EXEC:
		return op->command && *op->command ? NULL : "no command";
	case OP_GET:
	case OP_REPLACE:
		return op->path && *op->path == '/' ? NULL : "no absolute path";
	case OP_HTTP:
		return "a host is not asked for a web page";
	case OP_SMTP:
		return "a host is not asked for its mail";
	}
	return "an unknown kind";
}

static int check(const struct ssh_remote *r, const struct op *op, struct err *err)
{
	const char *wrong;

	if (op->input.truncated || op->input.len > INPUT_MAX)
		return err_set(err, E_LIMIT, "more than 16 MB of input");
	if (r->windows)
		return ssh_win_op_check(op, err);
	wrong = what_is_wrong(op);
	return wrong ? err_set(err, E_INVAL, "%s", wrong) : 0;
}

static void prepare_result(struct remote_request *request)
{
	const struct op *op = request->op;
	size_t max = op->max_out_bytes ? op->max_out_bytes : OP_OUT_MAX_DEFAULT;

	/* A file comes behind its header, and the words of an error are not what the caller's limit is about. */
	if (op->kind == OP_GET || op->kind == OP_REPLACE)
		max += HEADER_ROOM;
	request->result = (struct op_result){.started = false};
	buf_init(&request->result.out, max);
	buf_init(&request->result.err, max);
}

void ssh_request_start(struct ssh_remote *r, struct remote_request *request)
{
	struct ssh_request *req = NEW(struct ssh_request);
	struct err wrong = {.code = 0};

	req->request = request;
	req->number = ++r->next_number;
	req->began_ms = ssh_remote_now(r);
	request->priv = req;
	r->requests_n++;
	prepare_result(request);
	if (check(r, request->op, &wrong))
		ssh_request_fail(r, req, wrong.code, "%s: %s", request->what, wrong.text);
	else if (r->closing)
		ssh_request_fail(r, req, E_CANCELED, "%s: the connection is being closed", request->what);
	else if (r->err.code)
		ssh_request_fail(r, req, E_CLOSED, "%s: the connection was lost before (%s)", request->what,
				 r->err.text);
	else
		list_append(request->op->kind == OP_EXEC ? &r->exec_queue : &r->shell_queue, &req->node);
	ssh_remote_kick(r);
}

void ssh_request_cancel(struct ssh_remote *r, struct remote_request *request)
{
	struct ssh_request *req = request->priv;

	if (!req || req->cancelled)
		return;
	req->cancelled = true;
	ssh_remote_kick(r);
}

void ssh_request_done(struct ssh_remote *r, struct ssh_request *req)
{
	req->request->result.elapsed_ms = ssh_remote_now(r) - req->began_ms;
	list_remove(&req->node);
	list_append(&r->done, &req->node);
	r->again = true;
}

void ssh_request_fail(struct ssh_remote *r, struct ssh_request *req, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_vset(&req->request->result.failure, code, fmt, args);
	va_end(args);
	err_prefix(&req->request->result.failure, "%s: ", r->label);
	ssh_request_done(r, req);
}

static void fail_list(struct ssh_remote *r, struct list *queue, int code, const char *text)
{
	struct list *node;

	while ((node = list_pop(queue))) {
		struct ssh_request *req = CONTAINER_OF(node, struct ssh_request, node);
		ssh_request_fail(r, req, code, "%s: %s", req->request->what, text);
	}
}

void ssh_request_fail_queued(struct ssh_remote *r, int code, const char *text)
{
	fail_list(r, &r->shell_queue, code, text);
	fail_list(r, &r->exec_queue, code, text);
}

static void drop_cancelled(struct ssh_remote *r, struct list *queue)
{
	struct list *next;

	for (struct list *n = queue->next; n != queue; n = next) {
		struct ssh_request *req = CONTAINER_OF(n, struct ssh_request, node);
		next = n->next;
		if (req->cancelled)
			ssh_request_fail(r, req, E_CANCELED, "%s: cancelled before it began", req->request->what);
	}
}

void ssh_request_drop_cancelled(struct ssh_remote *r)
{
	drop_cancelled(r, &r->shell_queue);
	drop_cancelled(r, &r->exec_queue);
}

void ssh_request_deliver(struct ssh_remote *r)
{
	struct list *node;

	while ((node = list_pop(&r->done))) {
		struct ssh_request *req = CONTAINER_OF(node, struct ssh_request, node);
		struct remote_request *request = req->request;

		request->priv = NULL;
		r->requests_n--;
		free(req);
		request->done(request);
	}
}
