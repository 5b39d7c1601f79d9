/*
 * The happy path: ssh-add starts, the key is written to its stdin and the passphrase to its descriptor 3, both are closed,
 * it exits with 0. What it prints on stderr is the reason when it does not. It has KEYHOLDER_ADD_MS, then it is killed.
 * The callback comes when the last handle is closed; giving it up kills it and lets the handles close by themselves.
 */
#include "transport/ssh_keyadd.h"

#include "base/alloc.h"
#include "base/log.h"

#include <ctype.h>
#include <signal.h>

enum { SAID_MAX = 1024, UNREACHED = 2 /* ssh-add(1), EXIT STATUS */ };

struct ssh_keyadd {
	struct ssh_keyholder_add *add; /* NULL: given up */
	ssh_keyadd_cb *done;
	void *arg;
	struct buf passphrase; /* with its newline */
	uv_process_t process;
	uv_pipe_t key_in, passphrase_in, said;
	uv_write_t key_write, passphrase_write;
	uv_timer_t timer;
	struct buf text; /* of its stderr */
	char bytes[512];
	int handles;
	int64_t status;
	int signal;
	struct err err; /* found before it ended */
};

/* ---- its end ----------------------------------------------------------------------------------------------------- */

/* The last line that it said. */
static const char *last_words(struct ssh_keyadd *run)
{
	char *text = (char *)buf_str(&run->text), *line;
	size_t len = run->text.len;

	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

static int judge(struct ssh_keyadd *run, struct err *err)
{
	const char *name = run->add->name;

	if (run->err.code)
		*err = run->err;
	else if (run->signal)
		err_set(err, E_SIGN, "%s: ssh-add was killed by signal %d", name, run->signal);
	else if (run->status == UNREACHED)
		err_set(err, E_CLOSED, "%s: ssh-add cannot reach the private ssh-agent: %s", name, last_words(run));
	else if (run->status && run->text.len)
		err_set(err, E_SIGN, "%s: ssh-add cannot read the private key: %s", name, last_words(run));
	else if (run->status)
		err_set(err, E_SIGN, "%s: its passphrase (identity_passphrase) is not the right one", name);
	return err->code;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct ssh_keyadd *run = handle->data;
	struct err err = {.code = 0};

	if (--run->handles)
		return;
	if (run->add)
		run->done(run->arg, run->add, judge(run, &err) ? &err : NULL);
	buf_release_secret(&run->passphrase);
	buf_release(&run->text);
	free(run);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_handle_closed);
}

/* All but the process, which is closed when it has ended: else nobody would wait for it, and it stayed a zombie. */
static void close_pipes(struct ssh_keyadd *run)
{
	close_handle((uv_handle_t *)&run->key_in);
	close_handle((uv_handle_t *)&run->passphrase_in);
	close_handle((uv_handle_t *)&run->said);
	close_handle((uv_handle_t *)&run->timer);
}

/* What it said may still be in the pipe, to be read to its end. */
static void on_exit_(uv_process_t *process, int64_t status, int signal)
{
	struct ssh_keyadd *run = process->data;

	run->status = status;
	run->signal = signal;
	close_handle((uv_handle_t *)process);
	close_handle((uv_handle_t *)&run->key_in);
	close_handle((uv_handle_t *)&run->passphrase_in);
	if (uv_is_closing((uv_handle_t *)&run->said))
		close_handle((uv_handle_t *)&run->timer);
}

/* It, and what it has started to ask for the passphrase. */
static void kill_group(struct ssh_keyadd *run)
{
	if (!uv_is_closing((uv_handle_t *)&run->process))
		uv_kill(-run->process.pid, SIGKILL);
}

static void on_timeout(uv_timer_t *timer)
{
	struct ssh_keyadd *run = timer->data;

	err_set(&run->err, E_SIGN, "%s: the private key was not decrypted within %d s", run->add->name,
		KEYHOLDER_ADD_MS / 1000);
	kill_group(run);
	close_pipes(run);
}

/* ---- its pipes --------------------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct ssh_keyadd *run = handle->data;

	(void)suggested;
	*out = uv_buf_init(run->bytes, sizeof(run->bytes));
}

static void on_said(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct ssh_keyadd *run = stream->data;

	if (n > 0)
		buf_add(&run->text, bytes->base, (size_t)n);
	if (n >= 0)
		return;
	close_handle((uv_handle_t *)stream);
	if (uv_is_closing((uv_handle_t *)&run->process))
		close_handle((uv_handle_t *)&run->timer);
}

/* An error is no news: ssh-add tells by its exit code what it could not read. */
static void on_written(uv_write_t *write, int status)
{
	(void)status;
	close_handle((uv_handle_t *)write->handle);
}

static void feed(uv_write_t *write, uv_pipe_t *pipe, const struct buf *bytes)
{
	uv_buf_t b = uv_buf_init(bytes->data, (unsigned)bytes->len);

	if (uv_write(write, (uv_stream_t *)pipe, &b, 1, on_written) != 0)
		close_handle((uv_handle_t *)pipe);
}

/* ---- its start --------------------------------------------------------------------------------------------------- */

char **ssh_keyadd_environment(const char *folder, const char *socket)
{
	const char *path = getenv("PATH"), *home = getenv("HOME");
	char **env = NEW_N(char *, 8);
	size_t n = 0;

	env[n++] = str_fmt("PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
	env[n++] = str_fmt("HOME=%s", home ? home : "/");
	env[n++] = str_dup("LC_ALL=C");
	if (socket) {
		env[n++] = str_fmt("SSH_AUTH_SOCK=%s", socket);
		env[n++] = str_fmt("SSH_ASKPASS=%s/askpass", folder);
		env[n++] = str_dup("SSH_ASKPASS_REQUIRE=force");
	}
	return env;
}

void ssh_keyadd_free_environment(char **environment)
{
	for (size_t i = 0; environment[i]; i++)
		free(environment[i]);
	free(environment);
}

static int spawn(struct ssh_keyadd *run, uv_loop_t *loop, const char *folder, const char *socket)
{
	const char *argv[] = {"ssh-add", "-q", "-", NULL};
	char **env = ssh_keyadd_environment(folder, socket);
	uv_stdio_container_t stdio[4] = {
	    {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&run->key_in},
	    {.flags = UV_IGNORE},
	    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&run->said},
	    {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&run->passphrase_in},
	};
	uv_process_options_t options = {
	    .exit_cb = on_exit_,
	    .file = argv[0],
	    .args = (char **)(uintptr_t)argv,
	    .env = env,
	    .flags = UV_PROCESS_DETACHED,
	    .stdio_count = ARRAY_LEN(stdio),
	    .stdio = stdio,
	};
	int r = uv_spawn(loop, &run->process, &options);

	ssh_keyadd_free_environment(env);
	return r;
}

static struct ssh_keyadd *new_run(uv_loop_t *loop, struct ssh_keyholder_add *add, ssh_keyadd_cb *done, void *arg)
{
	struct ssh_keyadd *run = NEW(struct ssh_keyadd);

	run->add = add;
	run->done = done;
	run->arg = arg;
	buf_add(&run->passphrase, add->passphrase.data, add->passphrase.len);
	buf_addc(&run->passphrase, '\n');
	buf_init(&run->text, SAID_MAX);
	uv_pipe_init(loop, &run->key_in, 0);
	uv_pipe_init(loop, &run->passphrase_in, 0);
	uv_pipe_init(loop, &run->said, 0);
	uv_timer_init(loop, &run->timer);
	run->handles = 5;
	run->process.data = run->timer.data = run->key_in.data = run->passphrase_in.data = run->said.data = run;
	return run;
}

struct ssh_keyadd *ssh_keyadd_start(uv_loop_t *loop, const char *folder, const char *socket,
				    struct ssh_keyholder_add *add, ssh_keyadd_cb *done, void *arg)
{
	struct ssh_keyadd *run = new_run(loop, add, done, arg);
	int r = spawn(run, loop, folder, socket);

	if (r) {
		err_set(&run->err, E_SIGN, "%s: ssh-add cannot be run (%s); keys with a passphrase need it: package openssh-client",
			add->name, uv_strerror(r));
		close_handle((uv_handle_t *)&run->process);
		close_pipes(run);
		return run;
	}
	log_debug("%s: decrypted by ssh-add, once", add->name);
	feed(&run->key_write, &run->key_in, &add->key);
	feed(&run->passphrase_write, &run->passphrase_in, &run->passphrase);
	uv_read_start((uv_stream_t *)&run->said, on_alloc, on_said);
	uv_timer_start(&run->timer, on_timeout, KEYHOLDER_ADD_MS, 0);
	return run;
}

struct ssh_keyholder_add *ssh_keyadd_abandon(struct ssh_keyadd *run)
{
	struct ssh_keyholder_add *add = run->add;

	run->add = NULL;
	kill_group(run);
	close_pipes(run);
	return add;
}
