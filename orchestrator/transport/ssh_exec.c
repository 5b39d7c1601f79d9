/*
 * Commands on channels of their own, REMOTE_EXECS_MAX at a time, and killers, which end a process group from another
 * channel since closing a channel without a terminal ends nothing. The happy path: remote/exec.sh says start, the
 * output streams, and both streams end with a mark; the channel is then closed without waiting for its own end. Without
 * the marks a command has not succeeded, whatever the exit status says (0 where it was killed or cut). Closing: what is
 * left goes with the session.
 */
#include "transport/ssh_shell.h"

#include "transport/ssh_text.h"

extern const struct embedded embedded_transport[];

enum {
	CLOSE_MS = 3000,
	KILLER_MS = 8000,
	OUT_MS = 5000, /* for the end of stdout, once the command has ended */
};

struct ssh_exec {
	struct list node;
	struct ssh_remote *remote;
	struct ssh_channel channel;
	struct ssh_request *request; /* NULL: a killer, or it has its result and the channel is being closed */
	struct ssh_marks marks[2];   /* stdout, stderr */
	struct err *err;
	bool killer, elevated, killed;
	bool begun;             /* the start mark */
	bool exited, out_ended; /* the marks at the end of stderr and of stdout */
	bool refused;           /* exec.sh could not begin: */
	char why[160];
	int64_t pid, group;
	int64_t until_ms; /* kill grace; closing; a killer's whole life */
};

static struct op_result *result_of(struct ssh_exec *x)
{
	return &x->request->request->result;
}

static int broken(struct ssh_exec *x, const char *what)
{
	return err_set(x->err, E_PROTOCOL, "%s: the host does not keep to the protocol: %s", x->request->request->what,
		       what);
}

static int take_start(struct ssh_exec *x, const char *words)
{
	int64_t n[2];

	if (!ssh_mark_numbers(words, n, 2) || n[0] <= 1 || n[1] < 0 || x->begun)
		return broken(x, "a broken start mark");
	x->begun = true;
	x->pid = n[0];
	x->group = n[1] > 1 ? n[1] : 0;
	/* What sudo says before is not the command's. */
	buf_clear(&result_of(x)->err);
	if (x->killed)
		ssh_kill(x->remote, (long)x->pid, (long)x->group, x->elevated);
	return 0;
}

static int take_exit(struct ssh_exec *x, const char *words)
{
	int64_t code;

	if (!ssh_mark_numbers(words, &code, 1) || code < INT32_MIN || code > UINT32_MAX)
		return broken(x, "a broken exit mark");
	result_of(x)->exit_code = (int32_t)code;
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
	if (is_err && strncmp(words, "start ", 6) == 0)
		return take_start(x, words + 6);
	if (is_err && strncmp(words, "exit ", 5) == 0)
		return take_exit(x, words + 5);
	/* What came before is the login shell's ("Welcome"). */
	if (!is_err && strcmp(words, "begin") == 0) {
		buf_clear(&result_of(x)->out);
		return 0;
	}
	if (!is_err && strcmp(words, "out") == 0) {
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
	ssh_channel_init(&x->channel, r, &channel_sink);
	for (int i = 0; i < 2; i++)
		ssh_marks_init(&x->marks[i], ssh_shell_nonce(r->shell), &marks_sink, x);
	list_append(&r->execs, &x->node);
	r->again = true;
	return x;
}

static void exec_free(struct ssh_exec *x)
{
	x->remote->again = true;
	list_remove(&x->node);
	ssh_channel_release(&x->channel);
	free(x);
}

static void start_script(struct ssh_exec *x, const char *assignments, const char *script, const struct buf *file)
{
	const char *nonce = ssh_shell_nonce(x->remote->shell);
	struct buf text = BUF_INIT;

	ssh_text_start(&text, nonce, assignments, embedded_find(embedded_transport, script));
	if (file)
		ssh_text_lines(&text, nonce, file->data, file->len);
	ssh_channel_write(&x->channel, text.data, text.len);
	ssh_channel_write_eof(&x->channel);
	ssh_channel_start(&x->channel);
	buf_release_secret(&text);
}

static void begin(struct ssh_remote *r, struct ssh_request *req)
{
	struct ssh_exec *x = exec_new(r);
	const struct op *op = req->request->op;
	struct ssh_prelude p = {ssh_shell_nonce(r->shell), ssh_shell_folder(r->shell), ssh_shell_umask(r->shell),
				req->number};
	struct buf file = BUF_INIT, assignments = BUF_INIT;

	x->request = req;
	x->elevated = op->elevated && r->sudo;
	req->began_ms = ssh_remote_now(r);
	req->deadline_ms = req->began_ms + (op->timeout_ms > 0 ? op->timeout_ms : OP_TIMEOUT_DEFAULT_MS);
	ssh_text_exec(&file, &p, op->command);
	buf_addf(&assignments, "X=%u E=%d D=", req->number, x->elevated);
	ssh_text_quote(&assignments, p.folder);
	start_script(x, buf_str(&assignments), "exec.sh", &file);
	buf_release(&assignments);
	buf_release_secret(&file);
}

void ssh_kill(struct ssh_remote *r, long pid, long group, bool elevated)
{
	struct ssh_exec *x = exec_new(r);
	char *assignments = str_fmt("P=%ld G=%ld E=%d", pid, group, elevated);

	x->killer = true;
	x->until_ms = ssh_remote_now(r) + KILLER_MS;
	start_script(x, assignments, "kill.sh", NULL);
	free(assignments);
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

static void give_up(struct ssh_exec *x, int code, const char *text)
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
		give_up(x, x->request->cancelled ? E_CANCELED : E_TIMEOUT, "ended on the host");
		return;
	}
	libssh2_channel_get_exit_signal(x->channel.channel, &signal, NULL, NULL, NULL, NULL, NULL);
	snprintf(text, sizeof(text), "the channel was closed before the command's end was seen%s%s",
		 signal ? "; exit signal " : "", signal ? signal : "");
	if (signal)
		libssh2_free(x->remote->session, signal);
	give_up(x, E_CLOSED, text);
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
			give_up(x, cancelled ? E_CANCELED : E_TIMEOUT,
				cancelled ? "cancelled before it began"
					  : "the host did not open a channel for it in its time");
			return;
		}
		x->killed = true;
		x->until_ms = now + KILL_GRACE_MS;
		if (x->pid)
			ssh_kill(x->remote, (long)x->pid, (long)x->group, x->elevated);
	}
	if (x->killed && now >= x->until_ms)
		give_up(x, cancelled ? E_CANCELED : E_TIMEOUT,
			"it was not possible to end it on the host; it may still run");
}

static void look(struct ssh_exec *x)
{
	if (ssh_channel_is(&x->channel, CHANNEL_OPEN))
		result_of(x)->started = !x->refused; /* may have been: see finish */
	if (x->refused)
		give_up(x, ssh_write_failure(x->why), x->why);
	else if (x->exited && x->out_ended)
		finish(x);
	else if (x->exited && x->channel.ended)
		finish(x);
	else if (x->channel.ended)
		ended_unmarked(x);
	else if (x->exited && !x->killed && ssh_remote_now(x->remote) >= x->until_ms)
		give_up(x, E_PROTOCOL, "it has ended, but its output does not");
	else
		stop(x);
}

static int step_one(struct ssh_exec *x, struct err *err)
{
	int r = ssh_channel_step(&x->channel, err);

	if (r < 0)
		return r;
	if (r > 0 && x->request)
		give_up(x, err->code, err->text);
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
