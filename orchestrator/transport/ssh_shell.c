/*
 * The happy path: the shell is started and says hello with its folder; each request is sent in one go (the script the
 * first time it is used, a file with arguments, the input) and answered by start, end, the outputs, done. What fails in
 * a request is its own; what does not keep to the protocol, or cannot be ended, costs the session. Closing sends EOF,
 * upon which the shell removes its folder and ends.
 */
#include "transport/ssh_shell.h"

#include "base/hash.h"
#include "base/log.h"
#include "transport/ssh_text.h"

#include <errno.h>
#include <openssl/rand.h>

extern const struct embedded embedded_transport[];

struct ssh_shell {
	struct ssh_remote *remote;
	struct ssh_channel channel;
	struct ssh_marks marks;
	struct err *err; /* of the step that is under way */
	char nonce[SSH_NONCE_MAX];
	bool ready, finishing;
	char *folder;
	char umask[8];
	int64_t own_group;
	size_t noise;
	struct buf text; /* the beginning of what is not ours */
	const struct embedded **scripts;
	size_t scripts_n;
	size_t scripts_before; /* those that were there before the request that runs */

	struct ssh_request *running;
	bool elevated, killed, ended, begun; /* of what runs; begun: its start mark came */
	int64_t pid, group;
	size_t out_left, err_left;
	int64_t kill_until_ms;
};

static int broken(struct ssh_shell *sh, const char *what)
{
	return err_set(sh->err, E_PROTOCOL, "the shell on the host does not keep to the protocol: %s%s%.200s", what,
		       sh->text.len ? "; it also said: " : "", buf_str(&sh->text));
}

bool ssh_mark_numbers(const char *text, int64_t *out, int n)
{
	for (int i = 0; i < n; i++) {
		char *end;
		if (i && *text++ != ' ')
			return false;
		if (*text != '-' && (*text < '0' || *text > '9'))
			return false;
		errno = 0;
		out[i] = strtoll(text, &end, 10);
		if (errno || end == text)
			return false;
		text = end;
	}
	return *text == '\0';
}

/* Counts what is not ours, keeps the beginning for errors, and loses patience with what never ends. */
static int take_noise(struct ssh_shell *sh, const char *bytes, size_t len)
{
	buf_add(&sh->text, bytes, len);
	sh->noise += len;
	if (sh->noise > SHELL_NOISE_MAX)
		return broken(sh, "it floods the session with what is not an answer");
	return 0;
}

/* "1 0022 4711 /tmp/.cutover.…" */
static int take_hello(struct ssh_shell *sh, const char *words)
{
	const char *folder = strchr(words, '/');
	char umask[8] = "";
	long long group = 0;

	if (sh->ready || !folder || sscanf(words, "1 %7[0-7] %lld ", umask, &group) != 2)
		return broken(sh, "a strange greeting");
	sh->folder = str_dup(folder);
	memcpy(sh->umask, umask, sizeof(umask));
	sh->own_group = group;
	sh->ready = true;
	log_debug("%s: the shell is up in %s", sh->remote->label, folder);
	return 0;
}

static int take_start(struct ssh_shell *sh, const char *words)
{
	int64_t n[2];

	if (!ssh_mark_numbers(words, n, 2) || n[0] <= 1 || n[1] < 0 || sh->begun)
		return broken(sh, "a broken start mark");
	sh->begun = true;
	sh->pid = n[0];
	/* In the group of the resident shell (there is no setsid): then the process alone is ended. */
	sh->group = n[1] > 1 && n[1] != sh->own_group ? n[1] : 0;
	if (sh->killed)
		ssh_kill(sh->remote, (long)sh->pid, (long)sh->group, sh->elevated);
	return 0;
}

/* CODE OUT SENT ERR SENT */
static int take_end(struct ssh_shell *sh, const char *words)
{
	struct op_result *result = &sh->running->request->result;
	int64_t n[5];

	if (!ssh_mark_numbers(words, n, 5) || n[0] < INT32_MIN || n[0] > UINT32_MAX || n[2] < 0 || n[2] > n[1] ||
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

static void finish(struct ssh_shell *sh)
{
	struct ssh_request *req = sh->running;

	sh->running = NULL;
	req->request->result.started = sh->begun;
	if (sh->killed)
		ssh_request_fail(sh->remote, req, req->cancelled ? E_CANCELED : E_TIMEOUT,
				 req->cancelled ? "%s: cancelled, and ended on the host"
						: "%s: not finished in its time, and ended on the host",
				 req->request->what);
	else
		ssh_shell_judge(sh->remote, req, sh->elevated);
}

int ssh_write_failure(const char *why)
{
	return strstr(why, "No space") || strstr(why, "quota exceeded") ? E_NOSPACE : E_IO;
}

/* "write WHY": its private files cannot be written; "decode WHY": nor can base64 be decoded. */
static int take_fail(struct ssh_shell *sh, const char *words)
{
	struct ssh_request *req = sh->running;
	const char *blank = strchr(words, ' '), *why = blank ? blank + 1 : "";

	sh->running = NULL;
	req->request->result.started = false;
	sh->scripts_n = sh->scripts_before;
	if (strncmp(words, "decode", 6) == 0 && !*why)
		ssh_request_fail(
		    sh->remote, req, E_IO,
		    "%s: the host has neither base64 nor openssl to take the input; install coreutils there",
		    req->request->what);
	else
		ssh_request_fail(sh->remote, req, ssh_write_failure(why), "%s: cannot write to %s on the host: %.200s",
				 req->request->what, sh->folder, why);
	return 0;
}

static int take_numbered(struct ssh_shell *sh, const char *words)
{
	char *after;
	unsigned long number = strtoul(words, &after, 10);

	if (!sh->running || after == words || *after != ' ' || number != sh->running->number)
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
	struct ssh_shell *sh = marks->arg;

	if (strncmp(words, "hello ", 6) == 0)
		return take_hello(sh, words + 6);
	if (strcmp(words, "nofolder") == 0)
		return err_set(sh->err, E_NOSPACE,
			       "no private folder can be made on the host, in none of $TMPDIR, /tmp, /var/tmp and "
			       "$HOME: they are full or "
			       "not writable for %s",
			       sh->remote->user);
	return take_numbered(sh, words);
}

static int on_text(struct ssh_marks *marks, const char *bytes, size_t len)
{
	struct ssh_shell *sh = marks->arg;

	/* Between the outputs and their "done" there is nothing: the lengths were a lie. */
	if (sh->running && sh->ended)
		return broken(sh, "more output than it announced");
	return take_noise(sh, bytes, len);
}

static int on_raw(struct ssh_marks *marks, const char *bytes, size_t len)
{
	struct ssh_shell *sh = marks->arg;
	struct op_result *result = &sh->running->request->result;
	size_t out = len < sh->out_left ? len : sh->out_left;

	buf_add(&result->out, bytes, out);
	buf_add(&result->err, bytes + out, len - out);
	sh->out_left -= out;
	sh->err_left -= len - out;
	return 0;
}

static const struct ssh_marks_sink marks_sink = {on_mark, on_text, on_raw};

int ssh_shell_take(struct ssh_shell *sh, int stream, const char *bytes, size_t len, struct err *err)
{
	sh->err = err;
	return stream ? take_noise(sh, bytes, len) : ssh_marks_feed(&sh->marks, bytes, len);
}

static int on_data(struct ssh_channel *channel, int stream, const char *bytes, size_t len, struct err *err)
{
	return ssh_shell_take(CONTAINER_OF(channel, struct ssh_shell, channel), stream, bytes, len, err);
}

static const struct ssh_channel_sink channel_sink = {on_data};

struct ssh_shell *ssh_shell_new(struct ssh_remote *remote)
{
	struct ssh_shell *sh = NEW(struct ssh_shell);
	struct buf text = BUF_INIT;
	unsigned char random[(SSH_NONCE_MAX - 1) / 2];

	if (RAND_bytes(random, sizeof(random)) != 1)
		abort();
	hex_encode(random, sizeof(random), sh->nonce);
	sh->remote = remote;
	buf_init(&sh->text, SHELL_TEXT_MAX);
	ssh_marks_init(&sh->marks, sh->nonce, &marks_sink, sh);
	ssh_channel_init(&sh->channel, remote, &channel_sink);
	ssh_text_start(&text, sh->nonce, "", embedded_find(embedded_transport, "shell.sh"));
	ssh_channel_write(&sh->channel, text.data, text.len);
	buf_release(&text);
	ssh_channel_start(&sh->channel);
	return sh;
}

void ssh_shell_free(struct ssh_shell *sh)
{
	if (!sh)
		return;
	ssh_channel_release(&sh->channel);
	buf_release(&sh->text);
	free(sh->folder);
	free(sh->scripts);
	free(sh);
}

/* The script's number in this session; the first time it is sent along. */
static unsigned script_number(struct ssh_shell *sh, const struct embedded *script, struct buf *text)
{
	for (size_t i = 0; i < sh->scripts_n; i++)
		if (sh->scripts[i] == script)
			return (unsigned)i;
	GROW_FOR_ONE(sh->scripts, sh->scripts_n);
	sh->scripts[sh->scripts_n] = script;
	buf_addf(text, "@%s put s%zu\n", sh->nonce, sh->scripts_n);
	ssh_text_lines(text, sh->nonce, script->data, script->len);
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
		break;
	}
	return NULL;
}

static void compose(struct ssh_shell *sh, const struct ssh_request *req, struct buf *text)
{
	const struct op *op = req->request->op;
	struct ssh_prelude p = {sh->nonce, sh->folder, sh->umask, req->number};
	char numbers[2][SHA256_HEX_MAX] = {""};
	char *args[OP_ARGS_MAX];
	struct buf file = BUF_INIT;
	unsigned script;
	int args_n = 0;

	script = script_number(sh, script_of(op, args, &args_n, numbers), text);
	ssh_text_run(&file, &p, args, args_n, script);
	buf_addf(text, "@%s put r%u\n", sh->nonce, req->number);
	ssh_text_lines(text, sh->nonce, file.data, file.len);
	if (op->input.len) {
		buf_addf(text, "@%s put b%u\n", sh->nonce, req->number);
		ssh_text_base64(text, sh->nonce, op->input.data, op->input.len);
	}
	buf_addf(text, "@%s run %u %d %zu %d\n", sh->nonce, req->number, sh->elevated, req->request->result.out.max,
		 op->input.len != 0);
	buf_release_secret(&file);
}

void ssh_shell_begin(struct ssh_shell *sh, struct ssh_request *req)
{
	const struct op *op = req->request->op;
	struct buf text = BUF_INIT;

	sh->running = req;
	sh->elevated = op->elevated && sh->remote->sudo;
	sh->killed = sh->ended = sh->begun = false;
	req->request->result.started = true; /* until it is known that it was not */
	sh->pid = sh->group = 0;
	sh->scripts_before = sh->scripts_n;
	req->began_ms = ssh_remote_now(sh->remote);
	req->deadline_ms = req->began_ms + (op->timeout_ms > 0 ? op->timeout_ms : OP_TIMEOUT_DEFAULT_MS);
	compose(sh, req, &text);
	ssh_channel_write(&sh->channel, text.data, text.len);
	buf_release_secret(&text);
}

/* Time is up, or it was cancelled: end it on the host. What was not started yet is ended as soon as it says so. */
static int stop_running(struct ssh_shell *sh, struct err *err)
{
	int64_t now = ssh_remote_now(sh->remote);
	struct ssh_request *req = sh->running;

	if (!sh->killed && (req->cancelled || now >= req->deadline_ms)) {
		sh->killed = true;
		sh->kill_until_ms = now + KILL_GRACE_MS;
		if (sh->pid)
			ssh_kill(sh->remote, (long)sh->pid, (long)sh->group, sh->elevated);
	}
	if (!sh->killed || now < sh->kill_until_ms)
		return 0;
	sh->running = NULL;
	ssh_request_fail(sh->remote, req, req->cancelled ? E_CANCELED : E_TIMEOUT,
			 "%s: %s, and could not be ended on the host within %d s (process %lld)", req->request->what,
			 req->cancelled ? "cancelled" : "not finished in its time", KILL_GRACE_MS / 1000,
			 (long long)sh->pid);
	return err_set(err, E_TIMEOUT, "a command could not be ended on the host; the session is given up");
}

static int shell_ended(struct ssh_shell *sh, struct err *err)
{
	if (sh->finishing)
		return 0;
	if (sh->ready)
		return err_set(err, E_CLOSED, "the shell on the host has ended (was it killed?)%s%.200s",
			       sh->text.len ? ": " : "", buf_str(&sh->text));
	return err_set(err, E_PROTOCOL,
		       "the account %s cannot run /bin/sh (its login shell or a ForceCommand ends at once)%s%.300s",
		       sh->remote->user, sh->text.len ? ": " : "", buf_str(&sh->text));
}

int ssh_shell_step(struct ssh_shell *sh, struct err *err)
{
	struct list *node = NULL;
	int r = ssh_channel_step(&sh->channel, err);

	if (r)
		return r > 0 ? err->code : r;
	if (sh->channel.ended)
		return shell_ended(sh, err);
	if (sh->running)
		return stop_running(sh, err);
	if (sh->ready && !sh->finishing)
		node = list_pop(&sh->remote->shell_queue);
	if (!node)
		return 0;
	ssh_shell_begin(sh, CONTAINER_OF(node, struct ssh_request, node));
	sh->remote->again = true;
	return 0;
}

bool ssh_shell_ready(const struct ssh_shell *sh)
{
	return sh->ready;
}

bool ssh_shell_ended(const struct ssh_shell *sh)
{
	return sh->channel.ended;
}

void ssh_shell_finish(struct ssh_shell *sh)
{
	sh->finishing = true;
	ssh_channel_write_eof(&sh->channel);
}

struct ssh_request *ssh_shell_running(const struct ssh_shell *sh)
{
	return sh->running;
}

struct ssh_request *ssh_shell_take_running(struct ssh_shell *sh)
{
	struct ssh_request *req = sh->running;

	sh->running = NULL;
	return req;
}

const char *ssh_shell_folder(const struct ssh_shell *sh)
{
	return sh->folder;
}

const char *ssh_shell_umask(const struct ssh_shell *sh)
{
	return sh->umask;
}

const char *ssh_shell_nonce(const struct ssh_shell *sh)
{
	return sh->nonce;
}

int64_t ssh_shell_deadline(const struct ssh_shell *sh)
{
	if (!sh->running)
		return 0;
	return sh->killed ? sh->kill_until_ms : sh->running->deadline_ms;
}
