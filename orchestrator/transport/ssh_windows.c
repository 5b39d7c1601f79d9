/*
 * The happy path: cmd.exe says hello and the SFTP server its version, a private folder is made; each request is a chain
 * of lines for cmd.exe, files by SFTP and pauses, one at a time; its files are removed behind it. A line is sent when
 * the mark of the one before it has come: lines that are sent ahead are lost (measured with Wine). What fails in a
 * request is its own; what does not keep to the protocol, or cannot be ended in its time, costs the session, upon which
 * Windows ends what the session has started (its processes are in a job that goes with it). Closing removes the folder.
 */
#include "transport/ssh_windows.h"

#include "base/log.h"
#include "transport/ssh_exec.h"

#include <stdarg.h>

extern const struct embedded embedded_transport[];

static const struct sm_state states[] = {
    [WIN_STARTING] = {"starting", SM_TO(WIN_FOLDER)},
    [WIN_FOLDER] = {"folder", SM_TO(WIN_IDLE)},
    [WIN_IDLE] = {"idle", SM_TO(WIN_WORKING) | SM_TO(WIN_TIDYING) | SM_TO(WIN_ENDING)},
    [WIN_WORKING] = {"working", SM_TO(WIN_TIDYING)},
    [WIN_TIDYING] = {"tidying", SM_TO(WIN_IDLE)},
    [WIN_ENDING] = {"ending", SM_TO(WIN_ENDED)},
    [WIN_ENDED] = {"ended", 0},
};

static bool is(const struct ssh_win_shell *sh, enum ssh_win_state state)
{
	return sh->sm.now == (int)state;
}

static void move(struct ssh_win_shell *sh, enum ssh_win_state to)
{
	sm_move(&sh->sm, (int)to, sh->base.remote->label);
	sh->base.remote->again = true;
}

struct ssh_win_shell *ssh_win_shell_of(struct ssh_shell *shell)
{
	return CONTAINER_OF(shell, struct ssh_win_shell, base);
}

/* --- steps */

void ssh_win_go_on(struct ssh_win_shell *sh)
{
	ssh_win_then *then = sh->then;

	sh->then = NULL;
	if (then)
		then(sh);
}

/* Sends the line that waits, if cmd.exe is there to take it. */
void ssh_win_send_line(struct ssh_win_shell *sh)
{
	if (!sh->up || !sh->line.len)
		return;
	ssh_channel_write(&sh->channel, sh->line.data, sh->line.len);
	buf_clear(&sh->line);
}

static struct ssh_win_line next_line(struct ssh_win_shell *sh)
{
	return (struct ssh_win_line){sh->base.nonce, ++sh->line_number};
}

static void line_sent(struct ssh_win_shell *sh, bool runs, ssh_win_then *then)
{
	sh->fault.code = 0;
	sh->then = then;
	sh->line_out = true;
	sh->line_runs = runs;
	sh->has_code = false;
	sh->code = 0;
	sh->sizes_n = 0;
	ssh_win_send_line(sh);
}

void ssh_win_step_line(struct ssh_win_shell *sh, const char *text, ssh_win_then *then)
{
	struct ssh_win_line line = next_line(sh);

	ssh_win_line(&sh->line, &line, text);
	line_sent(sh, false, then);
}

void ssh_win_step_run(struct ssh_win_shell *sh, ssh_win_then *then)
{
	struct ssh_win_line line = next_line(sh);

	ssh_win_line_run(&sh->line, &line, sh->folder, sh->base.running->number, sh->call.input != NULL, sh->call.page);
	line_sent(sh, true, then);
}

static void on_job(struct ssh_file_job *job)
{
	struct ssh_win_shell *sh = job->arg;

	sh->job = job;
	if (job->code)
		err_set(&sh->fault, job->code, "%s", job->said);
	ssh_win_go_on(sh);
	sh->job = NULL;
}

struct ssh_file_job *ssh_win_job(struct ssh_win_shell *sh, enum ssh_file_verb verb, const char *path)
{
	return ssh_file_job_new(verb, path, on_job, sh);
}

void ssh_win_step_job(struct ssh_win_shell *sh, struct ssh_file_job *job, ssh_win_then *then)
{
	sh->fault.code = 0;
	sh->then = then;
	ssh_files_start(sh->files, job);
}

void ssh_win_step_file(struct ssh_win_shell *sh, enum ssh_file_verb verb, const char *path, ssh_win_then *then)
{
	ssh_win_step_job(sh, ssh_win_job(sh, verb, path), then);
}

void ssh_win_step_pause(struct ssh_win_shell *sh, int ms, ssh_win_then *then)
{
	sh->fault.code = 0;
	sh->then = then;
	sh->pause_until_ms = ssh_remote_now(sh->base.remote) + ms;
}

char *ssh_win_private(const struct ssh_win_shell *sh, const char *name, unsigned number, const char *suffix)
{
	return str_fmt("%s/%s%u%s", sh->sftp_folder, name, number, suffix);
}

/* --- the end of a request */

static void tidied(struct ssh_win_shell *sh)
{
	sh->touch_at_ms = ssh_remote_now(sh->base.remote) + WIN_TOUCH_MS;
	move(sh, WIN_IDLE);
}

static void tidy(struct ssh_win_shell *sh, unsigned number)
{
	bool called = sh->call.called;
	const char *f = sh->folder;
	char *text;

	ssh_win_call_release(&sh->call);
	ssh_win_replace_release(&sh->replace);
	sh->stopped = false;
	sh->stop_until_ms = ssh_remote_now(sh->base.remote) + KILL_GRACE_MS;
	move(sh, WIN_TIDYING);
	if (!called) {
		tidied(sh);
		return;
	}
	text = str_fmt("del /f /q %s\\r%u.cmd %s\\i%u %s\\o%u %s\\e%u >nul 2>nul", f, number, f, number, f, number, f,
		       number);
	ssh_win_step_line(sh, text, tidied);
	free(text);
}

void ssh_win_done(struct ssh_win_shell *sh)
{
	struct ssh_request *req = ssh_shell_take_running(&sh->base);
	unsigned number = req->number;

	ssh_request_done(sh->base.remote, req);
	tidy(sh, number);
}

void ssh_win_fail(struct ssh_win_shell *sh, int code, const char *fmt, ...)
{
	struct ssh_request *req = ssh_shell_take_running(&sh->base);
	unsigned number = req->number;
	struct err err = {.code = 0};
	va_list args;

	va_start(args, fmt);
	err_vset(&err, code, fmt, args);
	va_end(args);
	ssh_request_fail(sh->base.remote, req, code, "%s: %s", req->request->what, err.text);
	tidy(sh, number);
}

bool ssh_win_stopped(struct ssh_win_shell *sh)
{
	if (!sh->stopped || !sh->base.running)
		return false;
	if (sh->base.running->cancelled)
		err_set(&sh->fault, E_CANCELED, "cancelled");
	else
		err_set(&sh->fault, E_TIMEOUT, "not finished in its time");
	return true;
}

/* --- life */

static int on_data(struct ssh_channel *channel, int stream, const char *bytes, size_t len, struct err *err)
{
	return ssh_win_shell_take(CONTAINER_OF(channel, struct ssh_win_shell, channel), stream, bytes, len, err);
}

static const struct ssh_channel_sink sink = {on_data};

static void start_channel(struct ssh_win_shell *sh)
{
	struct buf text = BUF_INIT;
	struct ssh_win_line line;

	ssh_channel_init(&sh->channel, sh->base.remote, ssh_windows_kind.command, &sink);
	line = (struct ssh_win_line){sh->base.nonce, ++sh->hello_number};
	ssh_win_line_hello(&text, &line);
	ssh_channel_write(&sh->channel, text.data, text.len);
	buf_release(&text);
	sh->up = sh->killed = false;
	sh->hello_out = true;
	ssh_channel_start(&sh->channel);
}

static struct ssh_shell *make(struct ssh_remote *remote)
{
	struct ssh_win_shell *sh = NEW(struct ssh_win_shell);

	ssh_shell_init(&sh->base, &ssh_windows_kind, remote);
	sm_init(&sh->sm, states, WIN_STARTING);
	buf_init(&sh->text, SHELL_TEXT_MAX);
	buf_init(&sh->in, SSH_MARK_MAX);
	/* Apart from those of other lines. */
	sh->hello_number = 1000000000;
	start_channel(sh);
	sh->files = ssh_files_new(remote);
	return &sh->base;
}

static void free_shell(struct ssh_shell *shell)
{
	struct ssh_win_shell *sh = ssh_win_shell_of(shell);

	ssh_files_free(sh->files);
	ssh_channel_release(&sh->channel);
	ssh_win_call_release(&sh->call);
	ssh_win_replace_release(&sh->replace);
	buf_release(&sh->text);
	buf_release(&sh->in);
	buf_release(&sh->line);
	free(sh->folder);
	free(sh->sftp_folder);
	free(sh->scripts);
	ssh_win_sweep_release(&sh->sweep);
	free(sh);
}

static void folder_made(struct ssh_win_shell *sh)
{
	if (!sh->fault.code) {
		sh->base.ready = true;
		tidied(sh);
		log_debug("%s: cmd.exe is up in %s", sh->base.remote->label, sh->folder);
		return;
	}
	err_set(&sh->folder_fault, sh->fault.code == E_PERM ? E_PERM : E_NOSPACE,
		"the private folder %s cannot be made on the host (SFTP: %.160s); the disk may be full, or %s may not "
		"write "
		"there",
		sh->folder, sh->fault.text, sh->base.remote->user);
}

static int step_starting(struct ssh_win_shell *sh)
{
	struct ssh_file_job *job;

	if (!sh->up || !ssh_files_up(sh->files))
		return 0;
	move(sh, WIN_FOLDER);
	job = ssh_win_job(sh, FILE_MKDIR, sh->sftp_folder);
	job->mode = 0700;
	ssh_win_step_job(sh, job, folder_made);
	return 0;
}

static void begin_request(struct ssh_win_shell *sh, struct ssh_request *req)
{
	sh->base.running = req;
	sh->stopped = false;
	req->request->result.started = false;
	ssh_shell_clock(sh->base.remote, req);
	move(sh, WIN_WORKING);
	switch (req->request->op->kind) {
	case OP_RUN:
		ssh_win_run_begin(sh);
		return;
	case OP_GET:
		ssh_win_get_begin(sh);
		return;
	case OP_REPLACE:
		ssh_win_replace_begin(sh);
		return;
	case OP_EXEC:
	case OP_HTTP:
	case OP_SMTP:
		return;
	}
}

/* Nobody takes it for one that was left. */
static void touch(struct ssh_win_shell *sh)
{
	char *text = str_fmt("type nul >%s\\t& del /f /q %s\\t >nul 2>nul", sh->folder, sh->folder);

	sh->stop_until_ms = ssh_remote_now(sh->base.remote) + KILL_GRACE_MS;
	move(sh, WIN_TIDYING);
	ssh_win_step_line(sh, text, tidied);
	free(text);
}

static void swept(struct ssh_win_shell *sh)
{
	move(sh, WIN_ENDED);
	sh->base.ended = true;
}

static void step_idle(struct ssh_win_shell *sh)
{
	struct list *node;

	if (sh->base.finishing) {
		move(sh, WIN_ENDING);
		ssh_win_sweep_begin(sh, swept);
		return;
	}
	node = list_pop(&sh->base.remote->shell_queue);
	if (node)
		begin_request(sh, CONTAINER_OF(node, struct ssh_request, node));
	else if (ssh_remote_now(sh->base.remote) >= sh->touch_at_ms)
		touch(sh);
}

/* Only from libssh2 1.11 on; and a server need not obey (a ForceCommand in sshd_config forbids it). Win32-OpenSSH ends
   the channel's first process, and with it the job that holds what it has started. */
bool ssh_win_send_kill(LIBSSH2_CHANNEL *channel)
{
#if LIBSSH2_VERSION_NUM >= 0x010b00
	return channel && libssh2_channel_signal_ex(channel, "KILL", 4) == 0;
#else
	(void)channel;
	return false;
#endif
}

/* What runs is ended with cmd.exe, if that can be told from here; then another one takes its place. Else with the
   session. */
static int kill_line(struct ssh_win_shell *sh, struct err *err)
{
	struct ssh_request *req = sh->base.running;

	sh->killed = ssh_win_send_kill(sh->channel.channel);
	if (sh->killed)
		return 0;
	ssh_shell_take_running(&sh->base);
	ssh_request_fail(sh->base.remote, req, req->cancelled ? E_CANCELED : E_TIMEOUT,
			 "%s: %s; the session is ended, and with it what it has started", req->request->what,
			 req->cancelled ? "cancelled" : "not finished in its time");
	return err_set(err, E_TIMEOUT, "a script did not end in its time, and is ended with the session");
}

static int give_up(struct ssh_win_shell *sh, struct err *err)
{
	struct ssh_request *req = ssh_shell_take_running(&sh->base);

	if (req)
		ssh_request_fail(sh->base.remote, req, req->cancelled ? E_CANCELED : E_TIMEOUT,
				 "%s: %s, and could not be ended on the host within %d s", req->request->what,
				 req->cancelled ? "cancelled" : "not finished in its time", KILL_GRACE_MS / 1000);
	return err_set(err, E_TIMEOUT, "the host does not answer any more; the session is given up");
}

/* Time is up, or it was cancelled. A step that is under way comes to its end, if it does so soon. */
static int look_at_clock(struct ssh_win_shell *sh, struct err *err)
{
	int64_t now = ssh_remote_now(sh->base.remote);
	struct ssh_request *req = sh->base.running;

	if (sh->pause_until_ms && (now >= sh->pause_until_ms || sh->stopped)) {
		sh->pause_until_ms = 0;
		ssh_win_go_on(sh);
		req = sh->base.running;
	}
	if (req && !sh->stopped && (req->cancelled || now >= req->deadline_ms)) {
		sh->stopped = true;
		sh->stop_until_ms = now + KILL_GRACE_MS;
		sh->base.remote->again = true;
		if (sh->line_out && sh->line_runs && sh->call.may_be_ended)
			return kill_line(sh, err);
	}
	if ((sh->stopped || is(sh, WIN_TIDYING)) && now >= sh->stop_until_ms)
		return give_up(sh, err);
	return 0;
}

/* cmd.exe has ended: by our order, or not. */
static int shell_gone(struct ssh_win_shell *sh, struct err *err)
{
	if (is(sh, WIN_ENDING) || is(sh, WIN_ENDED)) {
		sh->base.ended = true;
		return 0;
	}
	if (sh->killed) {
		ssh_channel_close(&sh->channel);
		return 0;
	}
	if (sh->base.ready)
		return err_set(err, E_CLOSED, "cmd.exe on the host has ended (was it killed?)%s%.200s",
			       sh->text.len ? ": " : "", buf_str(&sh->text));
	return err_set(
	    err, E_PROTOCOL,
	    "the account %s cannot run cmd.exe (is it a Windows host? its default shell or a ForceCommand may "
	    "end at once)%s%.300s",
	    sh->base.remote->user, sh->text.len ? ": " : "", buf_str(&sh->text));
}

/* The one that was ended is closed: another one, and what waited for the line goes on. */
static void replace_shell(struct ssh_win_shell *sh)
{
	ssh_channel_release(&sh->channel);
	start_channel(sh);
	buf_clear(&sh->in);
	sh->line_out = false;
	ssh_win_stopped(sh);
	ssh_win_go_on(sh);
}

int ssh_win_shell_turn(struct ssh_win_shell *sh, struct err *err)
{
	int r = 0;

	if (sh->folder_fault.code) {
		*err = sh->folder_fault;
		return err->code;
	}
	if (is(sh, WIN_STARTING))
		r = step_starting(sh);
	if (!r)
		r = look_at_clock(sh, err);
	if (!r && is(sh, WIN_IDLE))
		step_idle(sh);
	return r;
}

static int step(struct ssh_shell *shell, struct err *err)
{
	struct ssh_win_shell *sh = ssh_win_shell_of(shell);
	int r = ssh_channel_step(&sh->channel, err);

	if (!r)
		r = ssh_files_step(sh->files, err);
	if (r)
		return r > 0 ? err->code : r;
	if (ssh_channel_is(&sh->channel, CHANNEL_OPEN) && sh->channel.ended)
		r = shell_gone(sh, err);
	if (!r && sh->killed && ssh_channel_is(&sh->channel, CHANNEL_CLOSED))
		replace_shell(sh);
	return r ? r : ssh_win_shell_turn(sh, err);
}

static void finish_shell(struct ssh_shell *shell)
{
	shell->finishing = true;
}

static int64_t deadline(const struct ssh_shell *shell)
{
	const struct ssh_win_shell *sh = ssh_win_shell_of((struct ssh_shell *)shell);
	int64_t due = sh->stopped || is(sh, WIN_TIDYING) ? sh->stop_until_ms : 0;

	if (!due && shell->running)
		due = shell->running->deadline_ms;
	if (!due && is(sh, WIN_IDLE))
		due = sh->touch_at_ms;
	return sh->pause_until_ms && sh->pause_until_ms < due ? sh->pause_until_ms : due;
}

/* No quotes: the same under each default shell that sshd may have. No terminal. */
const struct ssh_shell_kind ssh_windows_kind = {
    .name = "cmd.exe",
    .command = "cmd.exe /d /q",
    .crlf = true,
    .make = make,
    .free = free_shell,
    .step = step,
    .finish = finish_shell,
    .deadline = deadline,
    .exec_begin = ssh_win_exec_begin,
    .exec_started = ssh_win_exec_started,
    .exec_kill = ssh_win_exec_kill,
    .exec_gone = ssh_win_exec_gone,
};
