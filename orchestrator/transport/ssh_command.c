/*
 * The happy path: a pair of sockets, one end of which becomes stdin and stdout of the child. Its stderr is a pipe that
 * is read all the time, so that a talkative command never blocks on it. It fails by exiting, which its connection's end
 * tells. Ending signals the group, waits for the exit, closes the three handles and calls `gone` behind the last.
 */
#include "transport/ssh_command.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_plain(const char *address)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-";

	return *address && *address != '-' && strspn(address, allowed) == strlen(address);
}

static int expand_one(char sign, const char *address, int port, const char *user, struct buf *out, struct err *err)
{
	switch (sign) {
	case '%':
		buf_addc(out, '%');
		return 0;
	case 'p':
		buf_addf(out, "%d", port);
		return 0;
	case 'h':
	case 'r':
		if (!is_plain(sign == 'h' ? address : user))
			return err_set(err, E_INVAL,
				       "\"%s\" cannot stand for %%%c in the command of `via`: letters, digits and . : _ - only",
				       sign == 'h' ? address : user, sign);
		buf_adds(out, sign == 'h' ? address : user);
		return 0;
	default: /* a byte is no enum */
		return err_set(err, E_INVAL,
			       "the command of `via` holds an unknown %%-sign: known are %%h, %%p, %%r, and %%%% for %%");
	}
}

int ssh_command_expand(const char *command, const char *address, int port, const char *user, struct buf *out,
		       struct err *err)
{
	for (const char *at = command; *at; at++) {
		int rc;

		if (*at != '%') {
			buf_addc(out, *at);
			continue;
		}
		rc = expand_one(*++at, address, port, user, out, err);
		if (rc)
			return rc;
	}
	if (out->truncated)
		return err_set(err, E_LIMIT, "the command of `via` is too long");
	return 0;
}

/* ---- its stderr ------------------------------------------------------------------------------------------------- */

static void take_error_byte(struct ssh_command *c, char byte)
{
	if (byte == '\n' || byte == '\r') {
		c->line_ended = true;
		return;
	}
	if (c->line_ended)
		c->line_len = 0;
	c->line_ended = false;
	if (c->line_len + 1 < sizeof(c->line))
		c->line[c->line_len++] = (unsigned char)byte < 0x20 || (unsigned char)byte > 0x7e ? '?' : byte;
	c->line[c->line_len] = '\0';
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct ssh_command *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init(c->bytes, sizeof(c->bytes));
}

static void on_error_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ssh_command *c = stream->data;

	for (ssize_t i = 0; i < n; i++)
		take_error_byte(c, buf->base[i]);
	if (n < 0)
		uv_read_stop(stream);
}

/* ---- its end ---------------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct ssh_command *c = handle->data;

	if (--c->handles == 0)
		c->gone(c->arg);
}

/* What the pipe still holds is what it said last. */
static void read_rest(struct ssh_command *c)
{
	uv_os_fd_t fd;
	ssize_t n;

	uv_read_stop((uv_stream_t *)&c->errors);
	if (uv_fileno((uv_handle_t *)&c->errors, &fd) != 0)
		return;
	for (int i = 0; i < 16 && (n = read(fd, c->bytes, sizeof(c->bytes))) > 0; i++)
		for (ssize_t k = 0; k < n; k++)
			take_error_byte(c, c->bytes[k]);
}

static void close_handles(struct ssh_command *c)
{
	read_rest(c);
	uv_close((uv_handle_t *)&c->process, on_handle_closed);
	uv_close((uv_handle_t *)&c->errors, on_handle_closed);
	uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

/* The rest of its group goes with it. */
static void on_command_exit(uv_process_t *process, int64_t exit_code, int term_signal)
{
	struct ssh_command *c = process->data;

	kill(-process->pid, SIGKILL);
	c->running = false;
	c->exit_code = exit_code;
	c->signal = term_signal;
	if (c->ending)
		close_handles(c);
}

static void on_kill_time(uv_timer_t *timer)
{
	struct ssh_command *c = timer->data;

	kill(-c->process.pid, SIGKILL);
}

static void on_term_time(uv_timer_t *timer)
{
	struct ssh_command *c = timer->data;

	kill(-c->process.pid, SIGTERM);
	uv_timer_start(timer, on_kill_time, COMMAND_TERM_MS, 0);
}

void ssh_command_end(struct ssh_command *c, bool by_itself)
{
	c->ending = true;
	if (!c->running)
		close_handles(c);
	else if (by_itself)
		uv_timer_start(&c->timer, on_term_time, COMMAND_PATIENCE_MS, 0);
	else
		on_term_time(&c->timer);
}

void ssh_command_explain(const struct ssh_command *c, struct err *err)
{
	char how[64], text[ERR_TEXT_MAX];

	if (c->signal)
		snprintf(how, sizeof(how), "ended by signal %d", c->signal);
	else
		snprintf(how, sizeof(how), "exited with %lld", (long long)c->exit_code);
	snprintf(text, sizeof(text), "%s", err->text);
	err_set(err, err->code, "%.700s; the command of `via` %s%s%s%s", text, how, c->line[0] ? " and said \"" : "",
		c->line, c->line[0] ? "\"" : "");
}

/* ---- its start -------------------------------------------------------------------------------------------------- */

static void init_handles(struct ssh_command *c, uv_loop_t *loop)
{
	uv_pipe_init(loop, &c->errors, 0);
	uv_timer_init(loop, &c->timer);
	c->process.data = c->errors.data = c->timer.data = c;
	c->handles = 3;
}

static void on_failed_closed(uv_handle_t *handle)
{
	struct ssh_command *c = handle->data;

	if (--c->handles == 0)
		free(c);
}

/* uv_spawn leaves a handle that has to be closed also where it fails. */
static int not_started(struct ssh_command *c, int rc, struct err *err)
{
	uv_close((uv_handle_t *)&c->process, on_failed_closed);
	uv_close((uv_handle_t *)&c->errors, on_failed_closed);
	uv_close((uv_handle_t *)&c->timer, on_failed_closed);
	return err_set(err, rc == UV_EMFILE || rc == UV_EAGAIN ? E_LIMIT : E_IO,
		       "the command of `via` cannot be started: %s", uv_strerror(rc));
}

static int spawn(struct ssh_command *c, uv_loop_t *loop, const char *command, int theirs)
{
	char *args[] = {(char *)"/bin/sh", (char *)"-c", (char *)command, NULL};
	uv_stdio_container_t stdio[3] = {
	    {.flags = UV_INHERIT_FD, .data.fd = theirs},
	    {.flags = UV_INHERIT_FD, .data.fd = theirs},
	    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->errors},
	};
	uv_process_options_t options = {
	    .exit_cb = on_command_exit,
	    .file = "/bin/sh",
	    .args = args,
	    .flags = UV_PROCESS_DETACHED,
	    .stdio = stdio,
	    .stdio_count = 3,
	};

	return uv_spawn(loop, &c->process, &options);
}

int ssh_command_start(uv_loop_t *loop, const char *command, struct ssh_command **out, int *fd, void (*gone)(void *arg),
		      void *arg, struct err *err)
{
	struct ssh_command *c;
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno == EMFILE ? E_LIMIT : E_IO, "no pair of sockets for the command of `via`: %s",
			       strerror(errno));
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	c = NEW(struct ssh_command);
	c->gone = gone;
	c->arg = arg;
	init_handles(c, loop);
	rc = spawn(c, loop, command, pair[1]);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return not_started(c, rc, err);
	}
	c->running = true;
	uv_read_start((uv_stream_t *)&c->errors, on_alloc, on_error_bytes);
	*out = c;
	*fd = pair[0];
	return 0;
}
