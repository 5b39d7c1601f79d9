/*
 * The client opens a channel and asks for a command; a shell is started on three pipes and glued to the channel.
 * It fails when the shell cannot be started (the request is refused) or by a fault of the host.
 * Closing closes the pipes and nothing else: processes are not killed, as with sshd; but those of a Windows host.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "shell.h"
#include "windows.h"

#define CHUNK_BYTES 32768

static void exec_destroy(struct grave *grave)
{
	free(container_of(grave, struct exec, grave));
}

static void exec_bury(struct exec *exec)
{
	struct loop *loop = &exec->conn->fleet->loop;

	watch_close(loop, &exec->in);
	watch_close(loop, &exec->out);
	watch_close(loop, &exec->err);
	list_remove(&exec->node);
	if (exec->shell)
		shell_forget(exec->shell);
	loop_bury(loop, &exec->grave, exec_destroy);
}

void exec_drop(struct exec *exec)
{
	if (exec->shell && exec->conn->host->windows)
		kill(-exec->shell->pid, SIGKILL);
	exec_bury(exec);
}

/* The channel's own end: libssh closes it and frees it when the client has closed it too. */
static void exec_close(struct exec *exec)
{
	ssh_remove_channel_callbacks(exec->channel, &exec->callbacks);
	if (ssh_channel_close(exec->channel) == SSH_AGAIN) /* the EOF is on its way, the close is not yet */
		ssh_channel_close(exec->channel);
	ssh_channel_free(exec->channel);
	exec_bury(exec);
}

static void send_status(struct exec *exec, int status)
{
	const struct fault_set *faults = &exec->conn->faults;
	const char *name;

	if (fault_holds(faults, FAULT_EXIT_NONE))
		return;
	if (fault_holds(faults, FAULT_EXIT_LIE)) {
		ssh_channel_request_send_exit_status(exec->channel, 0);
	} else if (fault_holds(faults, FAULT_EXIT_32)) {
		ssh_channel_request_send_exit_status(exec->channel, (int)(uint32_t)faults->arg[FAULT_EXIT_32]);
	} else if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		ssh_channel_request_send_exit_signal(exec->channel, name ? name : "TERM", WCOREDUMP(status), "", "");
	} else if (exec->shell && exec->shell->code_file) {
		ssh_channel_request_send_exit_status(exec->channel, (int)windows_exit_code(exec->shell->code_file, status));
	} else {
		ssh_channel_request_send_exit_status(exec->channel, WEXITSTATUS(status));
	}
}

/* Writes to the channel; the caller has looked at the window. */
static void send_output(struct exec *exec, const char *data, size_t n, bool is_stderr)
{
	int written = is_stderr ? ssh_channel_write_stderr(exec->channel, data, (uint32_t)n)
				: ssh_channel_write(exec->channel, data, (uint32_t)n);

	if (written > 0)
		conn_output_done(exec->conn, (size_t)written);
}

/* How much may be written now: what the window, the socket and the faults allow. */
static size_t room(struct exec *exec)
{
	uint32_t window;

	if (exec->client_closed || exec->eof_sent || !conn_writable(exec->conn))
		return 0;
	window = ssh_channel_window_size(exec->channel);
	return conn_output_allowed(exec->conn, window < CHUNK_BYTES ? window : CHUNK_BYTES);
}

/* Fault flood: from the first byte, or after so many true ones. */
static void flood(struct exec *exec)
{
	static char lines[CHUNK_BYTES];
	size_t n = room(exec);

	for (size_t i = 0; !lines[0] && i < sizeof lines; i++)
		lines[i] = "this output does not end, whoever reads it\n"[i % 43];
	if (n)
		send_output(exec, lines, n, false);
}

static void check_flood(struct exec *exec)
{
	const struct fault_set *faults = &exec->conn->faults;

	if (!fault_holds(faults, FAULT_FLOOD) || exec->conn->bytes_out < faults->arg[FAULT_FLOOD])
		return;
	exec->flooding = true;
	watch_close(&exec->conn->fleet->loop, &exec->out);
}

/* One chunk from the child to the channel. */
static void pump_output(struct exec *exec, struct watch *pipe)
{
	static char chunk[CHUNK_BYTES];
	size_t n = room(exec);
	ssize_t got;

	if (pipe->fd < 0 || !n)
		return;
	got = read(pipe->fd, chunk, n);
	if (got > 0) {
		send_output(exec, chunk, (size_t)got, pipe == &exec->err);
		check_flood(exec);
	} else if (!got || (errno != EAGAIN && errno != EINTR)) {
		watch_close(&exec->conn->fleet->loop, pipe);
	}
}

static void output_ready(struct exec *exec, struct watch *pipe)
{
	if (!conn_may_act(exec->conn))
		return;
	pump_output(exec, pipe);
	conn_settle(exec->conn);
}

static void out_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	output_ready(container_of(watch, struct exec, out), watch);
}

static void err_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	output_ready(container_of(watch, struct exec, err), watch);
}

/* Fault cut:input: so much of n bytes of input is let through, then the connection is cut. */
static size_t input_allowed(struct conn *conn, size_t n)
{
	uint64_t left;

	if (!fault_holds(&conn->faults, FAULT_CUT_INPUT))
		return n;
	left = conn->faults.arg[FAULT_CUT_INPUT] - conn->bytes_in;
	return left < n ? (size_t)left : n;
}

static void input_done(struct conn *conn, size_t n)
{
	conn->bytes_in += n;
	conn->fleet->stats.bytes_in += n;
	if (fault_holds(&conn->faults, FAULT_CUT_INPUT) && conn->bytes_in >= conn->faults.arg[FAULT_CUT_INPUT])
		conn->cut = true;
}

/*
 * From libssh: what the client sent and the shell has not had yet. What is not taken stays with libssh, which lets the
 * client's window grow only as it is taken.
 */
static int data_came(ssh_session session, ssh_channel channel, void *data, uint32_t n, int is_stderr, void *arg)
{
	struct exec *exec = arg;
	ssize_t put;

	(void)session;
	(void)channel;
	if (is_stderr)
		return (int)n;
	if (exec->in.fd < 0)
		return (int)n; /* nobody reads it any more */
	put = write(exec->in.fd, data, input_allowed(exec->conn, n));
	if (put < 0 && errno != EAGAIN && errno != EINTR) {
		watch_close(&exec->conn->fleet->loop, &exec->in);
		return (int)n;
	}
	if (put < 0)
		put = 0;
	input_done(exec->conn, (size_t)put);
	exec->input_held = (size_t)put < n;
	return (int)put;
}

/*
 * The pipe takes more: what libssh has kept is moved on. A pipe that polls writable takes PIPE_BUF bytes whole, so that
 * nothing that was read from libssh is left over.
 */
static void pump_input(struct exec *exec)
{
	char chunk[PIPE_BUF];

	for (int i = 0; i < 16 && exec->in.fd >= 0; i++) {
		struct pollfd pipe = {.fd = exec->in.fd, .events = POLLOUT};
		size_t n = input_allowed(exec->conn, sizeof chunk);
		int got;

		if (poll(&pipe, 1, 0) <= 0)
			return;
		got = ssh_channel_read_nonblocking(exec->channel, chunk, (uint32_t)n, 0);
		if (got <= 0) {
			exec->input_held = false;
			return;
		}
		if (write(exec->in.fd, chunk, (size_t)got) < 0)
			watch_close(&exec->conn->fleet->loop, &exec->in);
		input_done(exec->conn, (size_t)got);
		if (exec->conn->cut)
			return;
	}
}

static void in_ready(struct watch *watch, uint32_t events)
{
	struct exec *exec = container_of(watch, struct exec, in);

	(void)events;
	if (!conn_may_act(exec->conn))
		return;
	pump_input(exec);
	conn_settle(exec->conn);
}

void exec_pump(struct exec *exec)
{
	if (exec->input_held)
		pump_input(exec);
	pump_output(exec, &exec->out);
	pump_output(exec, &exec->err);
}

static void eof_came(ssh_session session, ssh_channel channel, void *arg)
{
	struct exec *exec = arg;

	(void)session;
	(void)channel;
	exec->client_eof = exec->conn->dirty = true;
}

static void close_came(ssh_session session, ssh_channel channel, void *arg)
{
	struct exec *exec = arg;

	(void)session;
	(void)channel;
	exec->client_closed = exec->conn->dirty = true;
}

/* The "signal" request: to the shell's process group, as sshd does it. */
static void signal_came(ssh_session session, ssh_channel channel, const char *name, void *arg)
{
	struct exec *exec = arg;

	(void)session;
	(void)channel;
	for (int sig = 1; name && exec->shell && sig < 32; sig++)
		if (sigabbrev_np(sig) && !strcmp(sigabbrev_np(sig), name))
			kill(-exec->shell->pid, sig);
}

static void shell_ended(void *arg, int status)
{
	struct exec *exec = arg;

	exec->exited = true;
	watch_close(&exec->conn->fleet->loop, &exec->in);
	if (!exec->conn->silent)
		send_status(exec, status);
	exec->shell = NULL;
	if (!exec->conn->silent)
		conn_settle(exec->conn);
}

/* 0: the request is granted. */
static int exec_start(struct exec *exec, const char *command)
{
	int ours[3];

	exec->shell = shell_start(exec->conn, command, ours);
	if (!exec->shell)
		return 1;
	exec->shell->owner = exec;
	exec->shell->ended = shell_ended;
	exec->in.fd = ours[0];
	exec->out.fd = ours[1];
	exec->err.fd = ours[2];
	return 0;
}

/* A command or a shell was asked for: the faults of this phase, or the thing itself. */
static int exec_requested(struct exec *exec, const char *command)
{
	struct conn *conn = exec->conn;
	int rc = 0;

	if (exec->started)
		return 1;
	exec->started = conn->dirty = true;
	conn->exec_count++;
	conn->fleet->stats.execs++;
	if (fault_holds(&conn->faults, FAULT_HANG_EXEC))
		return 0;
	if (fault_holds(&conn->faults, FAULT_FLOOD) && !conn->faults.arg[FAULT_FLOOD]) {
		exec->flooding = true;
		return 0;
	}
	rc = exec_start(exec, command);
	if (rc)
		exec->started = false;
	if (fault_holds(&conn->faults, FAULT_CUT_EXEC) && conn->exec_count == conn->faults.arg[FAULT_CUT_EXEC])
		conn->cut = true;
	return rc;
}

static int exec_request(ssh_session session, ssh_channel channel, const char *command, void *arg)
{
	(void)session;
	(void)channel;
	return exec_requested(arg, command);
}

static int shell_request(ssh_session session, ssh_channel channel, void *arg)
{
	(void)session;
	(void)channel;
	return exec_requested(arg, NULL);
}

static int subsystem_request(ssh_session session, ssh_channel channel, const char *name, void *arg)
{
	(void)session;
	(void)channel;
	struct exec *exec = arg;

	if (strcmp(name, "sftp") != 0)
		return 1;
	if (exec->conn->host->windows)
		return exec_requested(exec, WINDOWS_SFTP);
	if (access("/usr/lib/openssh/sftp-server", X_OK))
		return 1;
	return exec_requested(arg, "exec /usr/lib/openssh/sftp-server");
}

/* The client closed the channel: sshd closes the pipes at once, its own side when the shell has ended. */
static void settle_closed(struct exec *exec)
{
	struct loop *loop = &exec->conn->fleet->loop;

	watch_close(loop, &exec->in);
	watch_close(loop, &exec->out);
	watch_close(loop, &exec->err);
	if (exec->started && !exec->flooding && !exec->exited)
		return; /* also a command that hangs by its fault: it never ends */
	exec_close(exec);
}

void exec_settle(struct exec *exec)
{
	if (exec->client_closed) {
		settle_closed(exec);
		return;
	}
	if (exec->flooding)
		flood(exec);
	if (exec->client_eof && !exec->input_held)
		watch_close(&exec->conn->fleet->loop, &exec->in);
	if (!(exec->shell || exec->exited) || exec->flooding || exec->out.fd >= 0 || exec->err.fd >= 0)
		return;
	if (!exec->eof_sent)
		ssh_channel_send_eof(exec->channel);
	exec->eof_sent = true;
	if (exec->exited)
		exec_close(exec);
}

bool exec_watch(struct exec *exec)
{
	struct loop *loop = &exec->conn->fleet->loop;
	uint32_t out = !exec->conn->paused && room(exec) ? EPOLLIN : 0;

	watch_set(loop, &exec->in, !exec->conn->paused && exec->input_held ? EPOLLOUT : 0);
	watch_set(loop, &exec->out, out);
	watch_set(loop, &exec->err, out);
	return exec->flooding && out;
}

ssh_channel exec_open(ssh_session session, void *arg)
{
	struct exec *exec = calloc(1, sizeof *exec);
	struct conn *conn = arg;

	if (!exec)
		abort();
	exec->conn = conn;
	exec->channel = ssh_channel_new(session);
	exec->in = (struct watch){.fd = -1, .ready = in_ready};
	exec->out = (struct watch){.fd = -1, .ready = out_ready};
	exec->err = (struct watch){.fd = -1, .ready = err_ready};
	ssh_callbacks_init(&exec->callbacks);
	exec->callbacks.userdata = exec;
	exec->callbacks.channel_data_function = data_came;
	exec->callbacks.channel_eof_function = eof_came;
	exec->callbacks.channel_close_function = close_came;
	exec->callbacks.channel_signal_function = signal_came;
	exec->callbacks.channel_exec_request_function = exec_request;
	exec->callbacks.channel_shell_request_function = shell_request;
	exec->callbacks.channel_subsystem_request_function = subsystem_request;
	ssh_set_channel_callbacks(exec->channel, &exec->callbacks);
	list_append(&conn->execs, &exec->node);
	conn->fleet->stats.channels++;
	return exec->channel;
}
