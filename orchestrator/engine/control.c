/*
 * The happy path: a client connects, sends one line, gets one line, hangs up. Failing: a line that is too long or no
 * JSON gets an error and the connection is closed; a silent client is dropped by its timer. Closing: the listener and
 * each client close their own handles, and the last close callback frees the object.
 */
#include "engine/control.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct client {
	struct control *control;
	uv_pipe_t pipe;
	uv_timer_t timer;
	struct buf line;
	char *answer;
	uv_write_t write;
	int handles;
};

struct control {
	uv_pipe_t pipe;
	char *path;
	int folder; /* of control_address */
	control_handler *handler;
	void *arg;
	int clients;
	bool closing, closed;
	struct client *open[CONTROL_CLIENTS_MAX];
};

static void maybe_free(struct control *c)
{
	if (!c->closed || c->clients)
		return;
	if (c->folder >= 0)
		close(c->folder);
	free(c->path);
	free(c);
}

static void client_handle_closed(uv_handle_t *handle)
{
	struct client *cl = handle->data;
	struct control *c = cl->control;

	if (--cl->handles)
		return;
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->open[i] == cl)
			c->open[i] = NULL;
	c->clients--;
	buf_release(&cl->line);
	free(cl->answer);
	free(cl);
	maybe_free(c);
}

static void client_close(struct client *cl)
{
	if (uv_is_closing((uv_handle_t *)&cl->pipe))
		return;
	uv_close((uv_handle_t *)&cl->pipe, client_handle_closed);
	uv_close((uv_handle_t *)&cl->timer, client_handle_closed);
}

static void answered(uv_write_t *write, int status)
{
	(void)status;
	client_close(write->data);
}

static void answer_line(struct client *cl, json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	uv_buf_t out;

	cl->answer = str_fmt("%s\n", text);
	free(text);
	out = uv_buf_init(cl->answer, (unsigned)strlen(cl->answer));
	cl->write.data = cl;
	if (uv_write(&cl->write, (uv_stream_t *)&cl->pipe, &out, 1, answered) != 0)
		client_close(cl);
}

static void handle_line(struct client *cl)
{
	struct control *c = cl->control;
	json_t *request = json_loadb(cl->line.data, cl->line.len, JSON_REJECT_DUPLICATES, NULL);
	json_t *answer = json_object();
	struct err err = { 0 };
	int r;

	uv_read_stop((uv_stream_t *)&cl->pipe);
	if (json_is_object(request))
		r = c->handler(request, answer, c->arg, &err);
	else
		r = err_set(&err, E_INVAL, "the request is no JSON object");
	json_object_set_new(answer, "ok", json_boolean(r == 0));
	if (r) {
		json_object_set_new(answer, "code", json_string(err_name(r)));
		json_object_set_new(answer, "text", json_string(err.text));
	}
	answer_line(cl, answer);
	json_decref(answer);
	json_decref(request);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct client *cl = handle->data;
	size_t room = buf_room(&cl->line, suggested); /* libuv suggests 64 KB */

	*out = uv_buf_init(cl->line.data + cl->line.len, (unsigned)room);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *data)
{
	struct client *cl = stream->data;
	char *end;

	(void)data;
	if (n < 0) {
		client_close(cl);
		return;
	}
	end = n ? memchr(cl->line.data + cl->line.len, '\n', (size_t)n) : NULL; /* what came before has none */
	cl->line.len += (size_t)n;
	if (cl->line.data)
		cl->line.data[cl->line.len] = '\0';
	if (end) {
		cl->line.len = (size_t)(end - cl->line.data);
		handle_line(cl);
	}
}

static void on_idle(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct control *c = server->data;
	struct client *cl;
	int place = 0;

	while (place < CONTROL_CLIENTS_MAX && c->open[place])
		place++;
	if (status < 0 || c->closing || place == CONTROL_CLIENTS_MAX)
		return; /* the backlog keeps it; it is asked again at the next connection */
	cl = NEW(struct client);
	cl->control = c;
	cl->handles = 2;
	buf_init(&cl->line, CONTROL_LINE_MAX_BYTES);
	uv_pipe_init(server->loop, &cl->pipe, 0);
	uv_timer_init(server->loop, &cl->timer);
	cl->pipe.data = cl->timer.data = cl;
	c->open[place] = cl;
	c->clients++;
	if (uv_accept(server, (uv_stream_t *)&cl->pipe) != 0 ||
	    uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read) != 0) {
		client_close(cl);
		return;
	}
	uv_timer_start(&cl->timer, on_idle, CONTROL_IDLE_MS, 0);
}

static void listener_closed(uv_handle_t *handle)
{
	struct control *c = handle->data;

	c->closed = true;
	maybe_free(c);
}

int control_address(const char *path, struct sockaddr_un *out, int *folder, struct err *err)
{
	const char *name = strrchr(path, '/');
	char *parent;
	int n, rc = 0;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*folder = -1;
	if (strlen(path) < sizeof(out->sun_path)) {
		memcpy(out->sun_path, path, strlen(path));
		return 0;
	}
	parent = file_dirname(path);
	*folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		rc = err_errno(err, errno, "cannot open the folder of the control socket %s", path);
	free(parent);
	if (rc)
		return rc;
	n = snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/%s", *folder, name ? name + 1 : path);
	if (n < (int)sizeof(out->sun_path))
		return 0;
	close(*folder);
	*folder = -1;
	return err_set(err, E_LIMIT,
		       "the state file's name is too long for a control socket beside it (%s): give it a shorter one",
		       name ? name + 1 : path);
}

static int listen_at(struct control *c, const char *address)
{
	mode_t mask = umask(0177); /* the socket is born with mode 0600 */
	int r;

	unlink(c->path);
	r = uv_pipe_bind(&c->pipe, address);
	umask(mask);
	return r < 0 ? r : uv_listen((uv_stream_t *)&c->pipe, CONTROL_CLIENTS_MAX, on_connection);
}

int control_open(uv_loop_t *loop, const char *path, control_handler *handler, void *arg, struct control **out,
		 struct err *err)
{
	struct control *c = NEW(struct control);
	struct sockaddr_un address;
	int rc, r;

	c->path = str_dup(path);
	c->handler = handler;
	c->arg = arg;
	uv_pipe_init(loop, &c->pipe, 0);
	c->pipe.data = c;
	rc = control_address(path, &address, &c->folder, err);
	if (!rc && (r = listen_at(c, address.sun_path)) < 0)
		rc = err_set(err, E_IO, "cannot listen on the control socket %s: %s", path, uv_strerror(r));
	if (rc) {
		uv_close((uv_handle_t *)&c->pipe, listener_closed);
		return rc;
	}
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	c->closing = true;
	unlink(c->path);
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->open[i])
			client_close(c->open[i]);
	uv_close((uv_handle_t *)&c->pipe, listener_closed);
}
