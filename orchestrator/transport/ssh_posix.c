/*
 * The happy path: the shell is started and says hello with its folder; each request is sent in one go (the script the
 * first time it is used, a file with arguments, the input) and answered by start, end, the outputs, done. What fails in
 * a request is its own; what does not keep to the protocol, or cannot be ended, costs the session. Closing sends EOF,
 * upon which the shell removes its folder and ends.
 */
#include "transport/ssh_posix.h"

#include "base/log.h"
#include "transport/ssh_exec.h"
#include "transport/ssh_text.h"

extern const struct embedded embedded_transport[];

struct posix_shell {
	struct ssh_shell base;
	struct ssh_channel channel;
	struct ssh_marks marks;
	struct err *err; /* of the step that is under way */
	char *folder;
	char umask[8];
	int64_t own_group;
	size_t noise;
	struct buf text; /* the beginning of what is not ours */
	const struct embedded **scripts;
	size_t scripts_n;
	size_t scripts_before; /* those that were there before the request that runs */

	bool elevated, killed, ended, begun; /* of what runs; begun: its start mark came */
	int64_t pid, group;
	size_t out_left, err_left;
	int64_t kill_until_ms;
};

/* Sends `script`, and the file that follows it where there is one. */
static void start_script(struct ssh_channel *channel, const char *nonce, const char *assignments, const char *script,
			 const struct buf *file)
{
	struct buf text = BUF_INIT;

	ssh_text_start(&text, nonce, assignments, embedded_find(embedded_transport, script));
	if (file)
		ssh_text_lines(&text, nonce, file->data, file->len);
	ssh_channel_write(channel, text.data, text.len);
	ssh_channel_start(channel);
	buf_release_secret(&text);
}

/* Closing a channel without a terminal ends nothing: what has run too long is ended from another one. */
static void kill_it(struct ssh_remote *r, int64_t pid, int64_t group, bool elevated)
{
	struct ssh_exec *x = ssh_exec_killer(r);
	char *assignments = str_fmt("P=%lld G=%lld E=%d", (long long)pid, (long long)group, elevated);

	start_script(&x->channel, r->shell->nonce, assignments, "kill.sh", NULL);
	ssh_channel_write_eof(&x->channel);
	free(assignments);
}

static int broken(struct posix_shell *sh, const char *what)
{
	return err_set(sh->err, E_PROTOCOL, "the shell on the host does not keep to the protocol: %s%s%.200s", what,
		       sh->text.len ? "; it also said: " : "", buf_str(&sh->text));
}

/* Counts what is not ours, keeps the beginning for errors, and loses patience with what never ends. */
static int take_noise(struct posix_shell *sh, const char *bytes, size_t len)
{
	buf_add(&sh->text, bytes, len);
	sh->noise += len;
	if (sh->noise > SHELL_NOISE_MAX)
		return broken(sh, "it floods the session with what is not an answer");
	return 0;
}

/* "1 0022 4711 /tmp/.cutover.…" */
static int take_hello(struct posix_shell *sh, const char *words)
{
	const char *folder = strchr(words, '/');
	char umask[8] = "";
	long long group = 0;

	if (sh->base.ready || !folder || sscanf(words, "1 %7[0-7] %lld ", umask, &group) != 2)
		return broken(sh, "a strange greeting");
	sh->folder = str_dup(folder);
	memcpy(sh->umask, umask, sizeof(umask));
	sh->own_group = group;
	sh->base.ready = true;
	log_debug("%s: the shell is up in %s", sh->base.remote->label, folder);
	return 0;
}

static int take_start(struct posix_shell *sh, const char *words)
{
	int64_t n[2];

	if (!ssh_mark_numbers(words, n, 2) || n[0] <= 1 || n[1] < 0 || sh->begun)
		return broken(sh, "a broken start mark");
	sh->begun = true;
	sh->pid = n[0];
	/* In the group of the resident shell (there is no setsid): then the process alone is ended. */
	sh->group = n[1] > 1 && n[1] != sh->own_group ? n[1] : 0;
	if (sh->killed)
		kill_it(sh->base.remote, sh->pid, sh->group, sh->elevated);
	return 0;
}

/* CODE OUT SENT ERR SENT */
static int take_end(struct posix_shell *sh, const char *words)
{
	struct op_result *result = &sh->base.running->request->result;
	int64_t n[5];

	if (!ssh_mark_numbers(words, n, 5) || !ssh_mark_code(n[0]) || n[2] < 0 || n[2] > n[1] ||
	    n[4] < 0 || n[4] > n[3] || (size_t)n[2] > result->out.max || (size_t)n[4] > result->err.max)
		return broken(sh, "lengths that cannot be");
	result->exit_code = (int32_t)n[0];
	sh->out_left = (size_t)n[2];
	sh->err_left = (size_t)n[4];
	sh->ended = true;
	result->out.truncated = n[2] < n[1];
	result->err.truncated = n[4] < n[3];
	ssh_marks_raw(&sh->marks, sh->out_left + sh->err_left);
	return 0;
}

static void finish(struct posix_shell *sh)
{
	struct ssh_request *req = sh->base.running;

	sh->base.running = NULL;
	req->request->result.started = sh->begun;
	if (sh->killed)
		ssh_request_fail(sh->base.remote, req, req->cancelled ? E_CANCELED : E_TIMEOUT,
				 req->cancelled ? "%s: cancelled, and ended on the host"
						: "%s: not finished in its time, and ended on the host",
				 req->request->what);
	else
		ssh_shell_judge(sh->base.remote, req, sh->elevated);
}

/* "write WHY": its private files cannot be written; "decode WHY": nor can base64 be decoded. */
static int take_fail(struct posix_shell *sh, const char *words)
{
	struct ssh_request *req = sh->base.running;
	const char *blank = strchr(words, ' '), *why = blank ? blank + 1 : "";

	sh->base.running = NULL;
	req->request->result.started = false;
	sh->scripts_n = sh->scripts_before;
	if (strncmp(words, "decode", 6) == 0 && !*why)
		ssh_request_fail(
		    sh->base.remote, req, E_IO,
		    "%s: the host has neither base64 nor openssl to take the input; install coreutils there",
		    req->request->what);
	else
		ssh_request_fail(sh->base.remote, req, ssh_write_failure(why), "%s: cannot write to %s on the host: %.200s",
				 req->request->what, sh->folder, why);
	return 0;
}

static int take_numbered(struct posix_shell *sh, const char *words)
{
	char *after;
	unsigned long number = strtoul(words, &after, 10);

	if (!sh->base.running || after == words || *after != ' ' || number != sh->base.running->number)
		return broken(sh, "an answer to something that was not asked");
	words = after + 1;
	if (strcmp(words, "done") == 0) {
		if (!sh->ended)
			return broken(sh, "it is done before its end");
		finish(sh);
		return 0;
	}
	if (sh->ended)
		return broken(sh, "a mark in the wrong place");
	if (strncmp(words, "start ", 6) == 0)
		return take_start(sh, words + 6);
	if (strncmp(words, "end ", 4) == 0)
		return take_end(sh, words + 4);
	if (strncmp(words, "fail ", 5) == 0)
		return take_fail(sh, words + 5);
	return broken(sh, "an unknown mark");
}

static int on_mark(struct ssh_marks *marks, const char *words)
{
	struct posix_shell *sh = marks->arg;

	if (strncmp(words, "hello ", 6) == 0)
		return take_hello(sh, words + 6);
	if (strcmp(words, "nofolder") == 0)
		return err_set(sh->err, E_NOSPACE,
			       "no private folder can be made on the host, in none of $TMPDIR, /tmp, /var/tmp and "
			       "$HOME: they are full or "
			       "not writable for %s",
			       sh->base.remote->user);
	return take_numbered(sh, words);
}

static int on_text(struct ssh_marks *marks, const char *bytes, size_t len)
{
	struct posix_shell *sh = marks->arg;

	/* Between the outputs and their "done" there is nothing: the lengths were a lie. */
	if (sh->base.running && sh->ended)
		return broken(sh, "more output than it announced");
	return take_noise(sh, bytes, len);
}

static int on_raw(struct ssh_marks *marks, const char *bytes, size_t len)
{
	struct posix_shell *sh = marks->arg;
	struct op_result *result = &sh->base.running->request->result;
	size_t out = len < sh->out_left ? len : sh->out_left;

	buf_add(&result->out, bytes, out);
	buf_add(&result->err, bytes + out, len - out);
	sh->out_left -= out;
	sh->err_left -= len - out;
	return 0;
}

static const struct ssh_marks_sink marks_sink = {on_mark, on_text, on_raw};

int posix_shell_take(struct posix_shell *sh, int stream, const char *bytes, size_t len, struct err *err)
{
	sh->err = err;
	return stream ? take_noise(sh, bytes, len) : ssh_marks_feed(&sh->marks, bytes, len);
}

static int on_data(struct ssh_channel *channel, int stream, const char *bytes, size_t len, struct err *err)
{
	return posix_shell_take(CONTAINER_OF(channel, struct posix_shell, channel), stream, bytes, len, err);
}

static const struct ssh_channel_sink channel_sink = {on_data};

static struct ssh_shell *make(struct ssh_remote *remote)
{
	struct posix_shell *sh = NEW(struct posix_shell);

	ssh_shell_init(&sh->base, &ssh_posix_kind, remote);
	buf_init(&sh->text, SHELL_TEXT_MAX);
	ssh_marks_init(&sh->marks, sh->base.nonce, &marks_sink, sh);
	ssh_channel_init(&sh->channel, remote, ssh_posix_kind.command, &channel_sink);
	start_script(&sh->channel, sh->base.nonce, "", "shell.sh", NULL);
	return &sh->base;
}

struct posix_shell *posix_shell_of(struct ssh_shell *shell)
{
	return CONTAINER_OF(shell, struct posix_shell, base);
}

static void free_shell(struct ssh_shell *shell)
{
	struct posix_shell *sh = posix_shell_of(shell);

	ssh_channel_release(&sh->channel);
	buf_release(&sh->text);
	free(sh->folder);
	free(sh->scripts);
	free(sh);
}

/* The script's number in this session; the first time it is sent along. */
static unsigned script_number(struct posix_shell *sh, const struct embedded *script, struct buf *text)
{
	for (size_t i = 0; i < sh->scripts_n; i++)
		if (sh->scripts[i] == script)
			return (unsigned)i;
	GROW_FOR_ONE(sh->scripts, sh->scripts_n);
	sh->scripts[sh->scripts_n] = script;
	buf_addf(text, "@%s put s%zu\n", sh->base.nonce, sh->scripts_n);
	ssh_text_lines(text, sh->base.nonce, script->data, script->len);
	return (unsigned)sh->scripts_n++;
}

/* A request as a script with arguments: OP_GET and OP_REPLACE are scripts of our own. */
static const struct embedded *script_of(const struct op *op, char **args, int *args_n, char numbers[2][SHA256_HEX_MAX])
{
	switch (op->kind) {
	case OP_RUN:
		memcpy(args, op->args, sizeof(*args) * (size_t)op->args_n);
		*args_n = op->args_n;
		return op->script;
	case OP_GET:
		snprintf(numbers[0], SHA256_HEX_MAX, "%zu", op->max_out_bytes ? op->max_out_bytes : OP_OUT_MAX_DEFAULT);
		args[0] = op->path;
		args[1] = numbers[0];
		*args_n = 2;
		return embedded_find(embedded_transport, "get.sh");
	case OP_REPLACE:
		snprintf(numbers[0], SHA256_HEX_MAX, "%s", op->expect_sha256);
		sha256_hex(op->input.len ? op->input.data : "", op->input.len, numbers[1]);
		args[0] = op->path;
		args[1] = numbers[0];
		args[2] = numbers[1];
		args[3] = op->backup ? op->backup : numbers[0] + SHA256_HEX_MAX - 1;
		*args_n = 4;
		return embedded_find(embedded_transport, "replace.sh");
	case OP_EXEC:
	case OP_HTTP:
	case OP_SMTP:
		break;
	}
	return NULL;
}

static void compose(struct posix_shell *sh, const struct ssh_request *req, struct buf *text)
{
	const struct op *op = req->request->op;
	struct ssh_prelude p = {sh->base.nonce, sh->folder, sh->umask, req->number};
	char numbers[2][SHA256_HEX_MAX] = {""};
	char *args[OP_ARGS_MAX];
	struct buf file = BUF_INIT;
	unsigned script;
	int args_n = 0;

	script = script_number(sh, script_of(op, args, &args_n, numbers), text);
	ssh_text_run(&file, &p, args, args_n, script);
	buf_addf(text, "@%s put r%u\n", sh->base.nonce, req->number);
	ssh_text_lines(text, sh->base.nonce, file.data, file.len);
	if (op->input.len) {
		buf_addf(text, "@%s put b%u\n", sh->base.nonce, req->number);
		ssh_text_base64(text, sh->base.nonce, op->input.data, op->input.len);
	}
	buf_addf(text, "@%s run %u %d %zu %d\n", sh->base.nonce, req->number, sh->elevated, req->request->result.out.max,
		 op->input.len != 0);
	buf_release_secret(&file);
}

void posix_shell_begin(struct posix_shell *sh, struct ssh_request *req)
{
	const struct op *op = req->request->op;
	struct buf text = BUF_INIT;

	sh->base.running = req;
	sh->elevated = op->elevated && sh->base.remote->sudo;
	sh->killed = sh->ended = sh->begun = false;
	req->request->result.started = true; /* until it is known that it was not */
	sh->pid = sh->group = 0;
	sh->scripts_before = sh->scripts_n;
	ssh_shell_clock(sh->base.remote, req);
	compose(sh, req, &text);
	ssh_channel_write(&sh->channel, text.data, text.len);
	buf_release_secret(&text);
}

/* Time is up, or it was cancelled: end it on the host. What was not started yet is ended as soon as it says so. */
static int stop_running(struct posix_shell *sh, struct err *err)
{
	int64_t now = ssh_remote_now(sh->base.remote);
	struct ssh_request *req = sh->base.running;

	if (!sh->killed && (req->cancelled || now >= req->deadline_ms)) {
		sh->killed = true;
		sh->kill_until_ms = now + KILL_GRACE_MS;
		if (sh->pid)
			kill_it(sh->base.remote, sh->pid, sh->group, sh->elevated);
	}
	if (!sh->killed || now < sh->kill_until_ms)
		return 0;
	sh->base.running = NULL;
	ssh_request_fail(sh->base.remote, req, req->cancelled ? E_CANCELED : E_TIMEOUT,
			 "%s: %s, and could not be ended on the host within %d s (process %lld)", req->request->what,
			 req->cancelled ? "cancelled" : "not finished in its time", KILL_GRACE_MS / 1000,
			 (long long)sh->pid);
	return err_set(err, E_TIMEOUT, "a command could not be ended on the host; the session is given up");
}

static int shell_ended(struct posix_shell *sh, struct err *err)
{
	if (sh->base.finishing) {
		sh->base.ended = true;
		return 0;
	}
	if (sh->base.ready)
		return err_set(err, E_CLOSED, "the shell on the host has ended (was it killed?)%s%.200s",
			       sh->text.len ? ": " : "", buf_str(&sh->text));
	return err_set(err, E_PROTOCOL,
		       "the account %s cannot run /bin/sh (its login shell or a ForceCommand ends at once)%s%.300s",
		       sh->base.remote->user, sh->text.len ? ": " : "", buf_str(&sh->text));
}

static int step(struct ssh_shell *shell, struct err *err)
{
	struct posix_shell *sh = posix_shell_of(shell);
	struct list *node = NULL;
	int r = ssh_channel_step(&sh->channel, err);

	if (r)
		return r > 0 ? err->code : r;
	if (sh->channel.ended)
		return shell_ended(sh, err);
	if (shell->running)
		return stop_running(sh, err);
	if (shell->ready && !shell->finishing)
		node = list_pop(&shell->remote->shell_queue);
	if (!node)
		return 0;
	posix_shell_begin(sh, CONTAINER_OF(node, struct ssh_request, node));
	shell->remote->again = true;
	return 0;
}

static void finish_shell(struct ssh_shell *shell)
{
	shell->finishing = true;
	ssh_channel_write_eof(&posix_shell_of(shell)->channel);
}

const char *posix_shell_folder(const struct posix_shell *sh)
{
	return sh->folder;
}

static int64_t deadline(const struct ssh_shell *shell)
{
	const struct posix_shell *sh = posix_shell_of((struct ssh_shell *)shell);

	if (!shell->running)
		return 0;
	return sh->killed ? sh->kill_until_ms : shell->running->deadline_ms;
}

static void exec_begin(struct ssh_exec *x)
{
	const struct posix_shell *sh = posix_shell_of(x->remote->shell);
	struct ssh_prelude p = {sh->base.nonce, sh->folder, sh->umask, x->request->number};
	struct buf file = BUF_INIT, assignments = BUF_INIT;

	ssh_text_exec(&file, &p, x->request->request->op->command);
	buf_addf(&assignments, "X=%u E=%d D=", x->request->number, x->elevated);
	ssh_text_quote(&assignments, p.folder);
	start_script(&x->channel, p.nonce, buf_str(&assignments), "exec.sh", &file);
	ssh_channel_write_eof(&x->channel);
	buf_release(&assignments);
	buf_release_secret(&file);
}

static void exec_kill(struct ssh_exec *x)
{
	if (x->pid)
		kill_it(x->remote, x->pid, x->group, x->elevated);
}

static bool exec_started(struct ssh_exec *x, const char *words)
{
	int64_t n[2];

	if (!ssh_mark_numbers(words, n, 2) || n[0] <= 1 || n[1] < 0)
		return false;
	x->pid = n[0];
	x->group = n[1] > 1 ? n[1] : 0;
	if (x->killed)
		exec_kill(x);
	return true;
}

static void exec_gone(struct ssh_exec *x)
{
	(void)x;
}

/* The command works the same under every login shell (bash, dash, zsh, csh, fish …): one pair of single quotes, no
   variable of theirs. The shell that counts is /bin/sh, and what it runs comes as lines on stdin, seen by nobody in
   `ps`. */
const struct ssh_shell_kind ssh_posix_kind = {
    .name = "/bin/sh",
    .command = "exec /bin/sh -c 'IFS= read -r l; eval \"$l\"'",
    .make = make,
    .free = free_shell,
    .step = step,
    .finish = finish_shell,
    .deadline = deadline,
    .exec_begin = exec_begin,
    .exec_started = exec_started,
    .exec_kill = exec_kill,
    .exec_gone = exec_gone,
};
