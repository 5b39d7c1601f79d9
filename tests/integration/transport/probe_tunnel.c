/*
 * transport_probe --tunnel: a connection through the last --via to HOST:PORT. What --input names is sent and ended; what
 * comes is counted and hashed until it ends. One line: tunnel err=NAME sent=N got=N sha256=… lost="…".
 */
#include "base/alloc.h"
#include "base/hash.h"
#include "probe.h"

struct tunnel_run {
	struct probe *probe;
	struct tunnel_request request;
	char host[256];
	uv_pipe_t pipe;
	uv_write_t write;
	uv_shutdown_t shutdown;
	uv_timer_t slow; /* the reader rests between two reads: --slow-reader MS */
	int handles;
	size_t sent;
	struct buf got;
	char lost[200];
};

static void finish(struct tunnel_run *run, const char *name, const char *text)
{
	char sha[SHA256_HEX_MAX];

	printf("tunnel err=%s sent=%zu got=%zu sha256=%s lost=\"%s\" text=\"%s\"\n", name, run->sent, run->got.len,
	       sha256_hex(run->got.data ? run->got.data : "", run->got.len, sha), run->lost, text);
	if (run->probe->show)
		printf("  got: %s\n", buf_str(&run->got));
	run->probe->tunnel_over(run->probe, strcmp(name, "ok") == 0);
}

static void on_closed(uv_handle_t *handle)
{
	struct tunnel_run *run = handle->data;

	if (--run->handles)
		return;
	buf_release(&run->got);
	free(run);
}

static void end(struct tunnel_run *run)
{
	tunnel_cancel(run->probe->transport, &run->request);
	finish(run, run->lost[0] ? "closed" : "ok", "");
	run->handles = 2;
	uv_close((uv_handle_t *)&run->pipe, on_closed);
	uv_close((uv_handle_t *)&run->slow, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char bytes[16384];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(bytes, sizeof(bytes));
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_rested(uv_timer_t *timer)
{
	struct tunnel_run *run = timer->data;

	uv_read_start((uv_stream_t *)&run->pipe, on_alloc, on_bytes);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct tunnel_run *run = stream->data;

	if (n < 0) {
		end(run);
		return;
	}
	buf_add(&run->got, buf->base, (size_t)n);
	if (!run->probe->slow_reader_ms)
		return;
	uv_read_stop(stream);
	uv_timer_start(&run->slow, on_rested, (uint64_t)run->probe->slow_reader_ms, 0);
}

static void on_written(uv_write_t *write, int status)
{
	struct tunnel_run *run = write->handle->data;

	run->sent = status < 0 ? 0 : run->probe->input.len;
	if (status == 0)
		uv_shutdown(&run->shutdown, write->handle, NULL);
}

static void on_tunnel(struct tunnel_request *request, int fd, const struct err *err)
{
	struct tunnel_run *run = request->arg;
	uv_buf_t all = uv_buf_init(run->probe->input.data, (unsigned)run->probe->input.len);

	if (fd < 0) {
		finish(run, err_name(err->code), err->text);
		free(run);
		return;
	}
	uv_pipe_init(&run->probe->loop, &run->pipe, 0);
	uv_timer_init(&run->probe->loop, &run->slow);
	run->pipe.data = run->slow.data = run;
	uv_pipe_open(&run->pipe, fd);
	uv_read_start((uv_stream_t *)&run->pipe, on_alloc, on_bytes);
	uv_write(&run->write, (uv_stream_t *)&run->pipe, &all, 1, on_written);
}

static void on_lost(struct tunnel_request *request, const struct err *why)
{
	struct tunnel_run *run = request->arg;

	snprintf(run->lost, sizeof(run->lost), "%.199s", why->text);
}

void probe_tunnel_start(struct probe *p, const char *to)
{
	struct tunnel_run *run = NEW(struct tunnel_run);
	const char *colon = strrchr(to, ':');

	if (!colon || !p->spec.via)
		probe_die("--tunnel HOST:PORT, with --via: ", to);
	run->probe = p;
	snprintf(run->host, sizeof(run->host), "%.*s", (int)(colon - to), to);
	buf_init(&run->got, 64 << 20);
	run->request = (struct tunnel_request){
	    .host = run->host,
	    .port = (int)strtol(colon + 1, NULL, 10),
	    .connect_ms = p->spec.budgets.connect_ms,
	    .done = on_tunnel,
	    .lost = on_lost,
	    .arg = run,
	};
	tunnel_open(p->transport, p->spec.via, &run->request);
}
