/*
 * Commands on channels of their own, REMOTE_EXECS_MAX at a time, and killers, which end a process group from another
 * channel since closing a channel without a terminal ends nothing. The happy path: remote/exec.sh says start, the
 * output streams, and both streams end with a mark; the channel is then closed without waiting for its own end. Without
 * the marks a command has not succeeded, whatever the exit status says (0 where it was killed or cut). Closing: what is
 * left goes with the session.
 */
#include "transport/ssh_exec.h"

enum {
	CLOSE_MS = 3000,
	KILLER_MS = 8000,
	OUT_MS = 5000, /* for the end of stdout, once the command has ended */
};

static const struct ssh_shell_kind *kind_of(const struct ssh_exec *x)
{
	return x->remote->shell->kind;
}

static struct op_result *result_of(struct ssh_exec *x)
{
	return &x->request->request->result;
}

int ssh_write_failure(const char *why)
{
	return strstr(why, "No space") || strstr(why, "quota exceeded") ? E_NOSPACE : E_IO;
}

static int broken(struct ssh_exec *x, const char *what)
{
	return err_set(x->err, E_PROTOCOL, "%s: the host does not keep to the protocol: %s", x->request->request->what,
		       what);
}

/* The newline before a mark is not the command's. ssh_marks takes the LF. */
static void drop_cr(struct ssh_exec *x, struct buf *b)
{
	if (kind_of(x)->crlf && b->len && !b->truncated && b->data[b->len - 1] == '\r')
		b->data[--b->len] = '\0';
}

static int take_start(struct ssh_exec *x, const char *words)
{
	if (x->begun || !kind_of(x)->exec_started(x, words))
		return broken(x, "a broken start mark");
	x->begun = true;
	/* What came before (sudo, a greeting) is not the command's. */
	buf_clear(&result_of(x)->err);
	return 0;
}

static int take_exit(struct ssh_exec *x, const char *words)
{
	int64_t code;

	if (!ssh_mark_numbers(words, &code, 1) || !ssh_mark_code(code))
		return broken(x, "a broken exit mark");
	result_of(x)->exit_code = (int32_t)code;
	drop_cr(x, &result_of(x)->err);
	x->exited = true;
	x->until_ms = ssh_remote_now(x->remote) + OUT_MS;
	return 0;
}

static int on_mark(struct ssh_marks *marks, const char *words)
{
	struct ssh_exec *x = marks->arg;
	bool is_err = marks == &x->marks[1];
	unsigned long number;
	char *after;

	if (!x->request)
		return 0;
	number = strtoul(words, &after, 10);
	if (after == words || *after != ' ' || number != x->request->number)
		return broken(x, "an answer to something that was not asked");
	words = after + 1;
	if (is_err && strncmp(words, "start", 5) == 0)
		return take_start(x, words[5] == ' ' ? words + 6 : words + 5);
	if (is_err && strncmp(words, "exit ", 5) == 0)
		return take_exit(x, words + 5);
	/* What came before is the login shell's ("Welcome"). */
	if (!is_err && strcmp(words, "begin") == 0) {
		buf_clear(&result_of(x)->out);
		return 0;
	}
	if (!is_err && strcmp(words, "out") == 0) {
		drop_cr(x, &result_of(x)->out);
		x->out_ended = true;
		return 0;
	}
	if (is_err && strncmp(words, "fail write ", 11) == 0) {
		x->refused = true;
		snprintf(x->why, sizeof(x->why), "cannot write to its folder on the host: %.110s", words + 11);
		return 0;
	}
	return broken(x, "an unknown mark");
}

/* Before the start mark stdout may hold what the login shell's files print; behind its end a daemon's. */
static int on_text(struct ssh_marks *marks, const char *bytes, size_t len)
{
	struct ssh_exec *x = marks->arg;

	if (!x->request)
		return 0;
	if (marks == &x->marks[1]) {
		if (!x->exited)
			buf_add(&result_of(x)->err, bytes, len);
	} else if (!x->out_ended) {
		buf_add(&result_of(x)->out, bytes, len);
	}
	return 0;
}

static int on_raw(struct ssh_marks *marks, const char *bytes, size_t len)
{
	return on_text(marks, bytes, len);
}

static const struct ssh_marks_sink marks_sink = {on_mark, on_text, on_raw};

static int on_data(struct ssh_channel *channel, int stream, const char *bytes, size_t len, struct err *err)
{
	struct ssh_exec *x = CONTAINER_OF(channel, struct ssh_exec, channel);

	x->err = err;
	return ssh_marks_feed(&x->marks[stream], bytes, len);
}

static const struct ssh_channel_sink channel_sink = {on_data};

static struct ssh_exec *exec_new(struct ssh_remote *r)
{
	struct ssh_exec *x = NEW(struct ssh_exec);

	x->remote = r;
	ssh_channel_init(&x->channel, r, r->shell->kind->command, &channel_sink);
	for (int i = 0; i < 2; i++)
		ssh_marks_init(&x->marks[i], r->shell->nonce, &marks_sink, x);
	list_append(&r->execs, &x->node);
	r->again = true;
	return x;
}

static void exec_free(struct ssh_exec *x)
{
	kind_of(x)->exec_gone(x);
	x->remote->again = true;
	list_remove(&x->node);
	ssh_channel_release(&x->channel);
	free(x);
}

static void begin(struct ssh_remote *r, struct ssh_request *req)
{
	struct ssh_exec *x = exec_new(r);

	x->request = req;
	x->elevated = req->request->op->elevated && r->sudo;
	ssh_shell_clock(r, req);
	kind_of(x)->exec_begin(x);
}

struct ssh_exec *ssh_exec_killer(struct ssh_remote *r)
{
	struct ssh_exec *x = exec_new(r);

	x->killer = true;
	x->until_ms = ssh_remote_now(r) + KILLER_MS;
	return x;
}

static size_t running(const struct ssh_remote *r)
{
	size_t n = 0;

	for (const struct list *node = r->execs.next; node != &r->execs; node = node->next)
		n += !CONTAINER_OF((struct list *)node, struct ssh_exec, node)->killer;
	return n;
}

void ssh_execs_start(struct ssh_remote *r)
{
	struct list *node;

	while (running(r) < REMOTE_EXECS_MAX && (node = list_pop(&r->exec_queue))) {
		struct ssh_request *req = CONTAINER_OF(node, struct ssh_request, node);
		if (r->opens_stuck)
			ssh_request_fail(r, req, E_TIMEOUT, "%s: the host has stopped to open channels",
					 req->request->what);
		else
			begin(r, req);
	}
}

/* Its channel is closed in the background; whoever waits for that too long leaves it to the end of the session. */
static struct ssh_request *let_go(struct ssh_exec *x)
{
	struct ssh_request *req = x->request;

	x->request = NULL;
	x->until_ms = ssh_remote_now(x->remote) + CLOSE_MS;
	ssh_channel_close(&x->channel);
	x->remote->again = true;
	return req;
}

void ssh_exec_give_up(struct ssh_exec *x, int code, const char *text)
{
	struct ssh_request *req = let_go(x);

	ssh_request_fail(x->remote, req, code, "%s: %s", req->request->what, text);
}

/* The channel has ended without the marks: it did not succeed, whatever exit status there is. */
static void ended_unmarked(struct ssh_exec *x)
{
	char *signal = NULL;
	char text[160];

	if (x->killed) {
		ssh_exec_give_up(x, x->request->cancelled ? E_CANCELED : E_TIMEOUT, "ended on the host");
		return;
	}
	libssh2_channel_get_exit_signal(x->channel.channel, &signal, NULL, NULL, NULL, NULL, NULL);
	snprintf(text, sizeof(text), "the channel was closed before the command's end was seen%s%s",
		 signal ? "; exit signal " : "", signal ? signal : "");
	if (signal)
		libssh2_free(x->remote->session, signal);
	ssh_exec_give_up(x, E_CLOSED, text);
}

static void finish(struct ssh_exec *x)
{
	struct ssh_request *req;
	bool killed = x->killed, elevated = x->elevated;

	ssh_marks_end(&x->marks[0]);
	ssh_marks_end(&x->marks[1]);
	result_of(x)->started = x->begun;
	req = let_go(x);
	if (killed)
		ssh_request_fail(x->remote, req, req->cancelled ? E_CANCELED : E_TIMEOUT,
				 req->cancelled ? "%s: cancelled, and ended on the host"
						: "%s: not finished in its time, and ended on the host",
				 req->request->what);
	else
		ssh_shell_judge(x->remote, req, elevated);
}

/* Time is up, or it was cancelled. An open that is not answered cannot be taken back: see opens_stuck. */
static void stop(struct ssh_exec *x)
{
	int64_t now = ssh_remote_now(x->remote);
	bool cancelled = x->request->cancelled;

	if (!x->killed && (cancelled || now >= x->request->deadline_ms)) {
		if (x->channel.sm.now < CHANNEL_OPEN) {
			ssh_exec_give_up(x, cancelled ? E_CANCELED : E_TIMEOUT,
				cancelled ? "cancelled before it began"
					  : "the host did not open a channel for it in its time");
			return;
		}
		x->killed = true;
		x->until_ms = now + KILL_GRACE_MS;
		kind_of(x)->exec_kill(x);
	}
	if (x->killed && now >= x->until_ms)
		ssh_exec_give_up(x, cancelled ? E_CANCELED : E_TIMEOUT,
			"it was not possible to end it on the host; it may still run");
}

static void look(struct ssh_exec *x)
{
	if (ssh_channel_is(&x->channel, CHANNEL_OPEN))
		result_of(x)->started = !x->refused; /* may have been: see finish */
	if (x->refused)
		ssh_exec_give_up(x, ssh_write_failure(x->why), x->why);
	else if (x->exited && x->out_ended)
		finish(x);
	else if (x->exited && x->channel.ended)
		finish(x);
	else if (x->channel.ended)
		ended_unmarked(x);
	else if (x->exited && !x->killed && ssh_remote_now(x->remote) >= x->until_ms)
		ssh_exec_give_up(x, E_PROTOCOL, "it has ended, but its output does not");
	else
		stop(x);
}

static int step_one(struct ssh_exec *x, struct err *err)
{
	int r = ssh_channel_step(&x->channel, err);

	if (r < 0)
		return r;
	if (r > 0 && x->request)
		ssh_exec_give_up(x, err->code, err->text);
	else if (x->request)
		look(x);
	else if (x->killer && x->channel.ended)
		ssh_channel_close(&x->channel);
	if (ssh_channel_is(&x->channel, CHANNEL_CLOSED) || (!x->request && ssh_remote_now(x->remote) >= x->until_ms)) {
		if (x->killer && x->channel.sm.now == CHANNEL_OPENING)
			ssh_channel_close(&x->channel);
		exec_free(x);
	}
	return 0;
}

int ssh_execs_step(struct ssh_remote *r, struct err *err)
{
	struct list *next;

	for (struct list *n = r->execs.next; n != &r->execs; n = next) {
		int rc;
		next = n->next;
		rc = step_one(CONTAINER_OF(n, struct ssh_exec, node), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int64_t ssh_execs_deadline(const struct ssh_remote *r)
{
	int64_t due = 0;

	for (const struct list *n = r->execs.next; n != &r->execs; n = n->next) {
		const struct ssh_exec *x = CONTAINER_OF((struct list *)n, struct ssh_exec, node);
		int64_t at = x->request && !x->killed && !x->exited ? x->request->deadline_ms : x->until_ms;
		if (!due || at < due)
			due = at;
	}
	return due;
}

/* A killer goes on by itself once it has its text. */
bool ssh_execs_running(const struct ssh_remote *r)
{
	for (const struct list *n = r->execs.next; n != &r->execs; n = n->next) {
		const struct ssh_exec *x = CONTAINER_OF((struct list *)n, struct ssh_exec, node);
		if (x->request || (x->killer && !x->channel.eof_sent))
			return true;
	}
	return false;
}

void ssh_execs_cancel(struct ssh_remote *r)
{
	for (struct list *n = r->execs.next; n != &r->execs; n = n->next) {
		struct ssh_exec *x = CONTAINER_OF(n, struct ssh_exec, node);
		if (x->request)
			x->request->cancelled = true;
	}
}

void ssh_execs_abandon(struct ssh_remote *r, int code, const char *text)
{
	struct list *node;

	while ((node = list_pop(&r->execs))) {
		struct ssh_exec *x = CONTAINER_OF(node, struct ssh_exec, node);
		struct ssh_request *req = x->request;
		if (req)
			ssh_request_fail(r, req, code, "%s: %s", req->request->what, text);
		exec_free(x);
	}
}
