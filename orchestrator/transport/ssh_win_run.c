/*
 * A script in the resident cmd.exe, and OP_RUN. The happy path: the script is uploaded (once a session), its input, and
 * the file that runs it with its arguments; a line runs that in a cmd.exe of its own, with its output in private files,
 * and tells the exit code and the files' sizes; what is not empty is read by SFTP. It fails at any of these, and then
 * the rest is left out. Private files and not the stream: a program that the script leaves behind keeps its output
 * open for as long as it lives, and could hold the stream or write into the next answer.
 */
#include "transport/ssh_windows.h"

void ssh_win_call_release(struct ssh_win_call *call)
{
	buf_release_secret(&call->out);
	buf_release_secret(&call->err);
	*call = (struct ssh_win_call){.script = NULL};
}

static unsigned request_of(const struct ssh_win_shell *sh)
{
	return sh->base.running->number;
}

/* The first fault counts; behind it only what has to be put back is still done. */
static void end_call(struct ssh_win_shell *sh)
{
	sh->fault = sh->call.fault;
	sh->call.then(sh);
}

static void err_read(struct ssh_win_shell *sh);
static void out_read(struct ssh_win_shell *sh);

static void read_output(struct ssh_win_shell *sh, const char *name, int64_t size, ssh_win_then *then)
{
	char *path = ssh_win_private(sh, name, request_of(sh), "");
	struct ssh_file_job *job = ssh_win_job(sh, FILE_READ, path);
	size_t max = sh->call.max_out_bytes;

	buf_init(&job->bytes, max);
	job->enough = (uint64_t)size < max ? (size_t)size : max;
	ssh_win_step_job(sh, job, then);
	free(path);
}

/* The bytes of the job that has ended; false: they cannot be had. */
static bool take_output(struct ssh_win_shell *sh, struct buf *into, int64_t size)
{
	if (sh->fault.code) {
		err_set(&sh->call.fault, E_IO, "it has run (exit code %d), but its output cannot be read: SFTP: %s",
			(int)sh->call.exit_code, sh->fault.text);
		return false;
	}
	*into = sh->job->bytes;
	sh->job->bytes = (struct buf)BUF_INIT;
	into->truncated = (uint64_t)size > into->len;
	return true;
}

static void read_err(struct ssh_win_shell *sh)
{
	if (sh->call.sizes[1] > 0)
		read_output(sh, "e", sh->call.sizes[1], err_read);
	else
		end_call(sh);
}

static void out_read(struct ssh_win_shell *sh)
{
	if (take_output(sh, &sh->call.out, sh->call.sizes[0]))
		read_err(sh);
	else
		end_call(sh);
}

static void err_read(struct ssh_win_shell *sh)
{
	take_output(sh, &sh->call.err, sh->call.sizes[1]);
	end_call(sh);
}

static void read_outputs(struct ssh_win_shell *sh)
{
	if (sh->call.fault.code)
		end_call(sh);
	else if (sh->call.sizes[0] > 0)
		read_output(sh, "o", sh->call.sizes[0], out_read);
	else
		read_err(sh);
}

static void ran(struct ssh_win_shell *sh)
{
	struct ssh_win_call *c = &sh->call;

	c->fault = sh->fault;
	c->exit_code = sh->code;
	memcpy(c->sizes, sh->sizes, sizeof(c->sizes));
	/* Where even the files for the output are missing, nothing has run. */
	if (!c->fault.code && (sh->sizes[0] < 0 || sh->sizes[1] < 0)) {
		c->ran = false;
		err_set(&c->fault, E_IO, "cmd.exe cannot write to its private folder %s; the disk may be full",
			sh->folder);
	}
	read_outputs(sh);
}

/* The next step, unless what was put there could not be, or time is up. */
static bool may_go_on(struct ssh_win_shell *sh)
{
	struct err *fault = &sh->call.fault;

	if (sh->fault.code)
		err_set(fault, sh->fault.code == E_NOTFOUND ? E_IO : sh->fault.code,
			"cannot write to the private folder %s on the host (SFTP: %s); the disk may be full",
			sh->folder, sh->fault.text);
	else if (ssh_win_stopped(sh))
		*fault = sh->fault;
	else
		return true;
	end_call(sh);
	return false;
}

static void run_put(struct ssh_win_shell *sh)
{
	if (!may_go_on(sh))
		return;
	sh->call.ran = true;
	/* Whatever becomes of the session now: it may have begun. */
	sh->base.running->request->result.started = true;
	ssh_win_step_run(sh, ran);
}

static void put_bytes(struct ssh_win_shell *sh, const char *name, unsigned number, const char *suffix,
		      struct buf *bytes, ssh_win_then *then)
{
	char *path = ssh_win_private(sh, name, number, suffix);
	struct ssh_file_job *job = ssh_win_job(sh, FILE_WRITE, path);

	job->bytes = *bytes;
	*bytes = (struct buf)BUF_INIT;
	ssh_win_step_job(sh, job, then);
	free(path);
}

static void put_run(struct ssh_win_shell *sh)
{
	struct ssh_win_call *c = &sh->call;
	struct buf text = BUF_INIT;

	if (!may_go_on(sh))
		return;
	ssh_win_text_run(&text, sh->folder, c->number, c->args, c->args_n);
	if (text.len <= WIN_LINE_MAX) {
		put_bytes(sh, "r", request_of(sh), ".cmd", &text, run_put);
		return;
	}
	buf_release_secret(&text);
	err_set(&c->fault, E_LIMIT, "its arguments are longer than the %d characters that cmd.exe takes in a line",
		WIN_LINE_MAX);
	end_call(sh);
}

static void put_input(struct ssh_win_shell *sh)
{
	struct buf bytes = BUF_INIT;

	if (!sh->call.input) {
		put_run(sh);
		return;
	}
	if (!may_go_on(sh))
		return;
	buf_add(&bytes, sh->call.input->data, sh->call.input->len);
	put_bytes(sh, "i", request_of(sh), "", &bytes, put_run);
}

static void script_put(struct ssh_win_shell *sh)
{
	if (!sh->fault.code) {
		GROW_FOR_ONE(sh->scripts, sh->scripts_n);
		sh->scripts[sh->scripts_n++] = sh->call.script;
	}
	put_input(sh);
}

static bool is_wide(const struct ssh_win_call *c)
{
	for (int i = 0; i < c->args_n; i++)
		if (!ssh_win_is_ascii(c->args[i]))
			return true;
	return false;
}

void ssh_win_call(struct ssh_win_shell *sh)
{
	struct ssh_win_call *c = &sh->call;
	struct buf text = BUF_INIT;

	c->called = true;
	c->page = is_wide(c) && sh->page != 65001 ? sh->page : 0;
	sh->fault.code = c->fault.code = 0;
	for (c->number = 0; c->number < sh->scripts_n; c->number++)
		if (sh->scripts[c->number] == c->script)
			break;
	if (c->number < sh->scripts_n) {
		put_input(sh);
		return;
	}
	ssh_win_text_script(&text, c->script);
	put_bytes(sh, "s", c->number, ".cmd", &text, script_put);
}

static void script_ended(struct ssh_win_shell *sh)
{
	struct op_result *result = &sh->base.running->request->result;
	struct ssh_win_call *c = &sh->call;

	result->started = c->ran;
	if (sh->fault.code) {
		ssh_win_fail(sh, sh->fault.code, "%s%s", sh->fault.text,
			     c->ran && sh->stopped ? ", and ended on the host" : "");
		return;
	}
	result->exit_code = c->exit_code;
	result->out = c->out;
	result->err = c->err;
	c->out = c->err = (struct buf)BUF_INIT;
	ssh_win_done(sh);
}

void ssh_win_run_begin(struct ssh_win_shell *sh)
{
	const struct remote_request *request = sh->base.running->request;
	const struct op *op = request->op;

	sh->call = (struct ssh_win_call){
	    .script = op->script,
	    .args = op->args,
	    .args_n = op->args_n,
	    .input = op->input.len ? &op->input : NULL,
	    .max_out_bytes = request->result.out.max,
	    .may_be_ended = true,
	    .then = script_ended,
	};
	ssh_win_call(sh);
}
