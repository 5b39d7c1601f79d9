#include "winhost.h"

#include "tests/lib/unit.h"

#include <inttypes.h>

#define DONE "& echo @"

/* --- files */

struct winhost_file *winhost_find(struct winhost *host, const char *path)
{
	for (int i = 0; i < WINHOST_FILES; i++)
		if (host->files[i].path && strcmp(host->files[i].path, path) == 0)
			return &host->files[i];
	return NULL;
}

struct winhost_file *winhost_put(struct winhost *host, const char *path, const char *text)
{
	struct winhost_file *f = winhost_find(host, path);

	for (int i = 0; !f; i++) {
		ck_assert_int_lt(i, WINHOST_FILES);
		if (!host->files[i].path)
			f = &host->files[i];
	}
	if (!f->path)
		f->path = str_dup(path);
	f->mtime_s = host->now_s;
	buf_clear(&f->bytes);
	buf_adds(&f->bytes, text);
	return f;
}

const char *winhost_text(struct winhost *host, const char *path)
{
	struct winhost_file *f = winhost_find(host, path);

	return f ? buf_str(&f->bytes) : NULL;
}

void winhost_remove(struct winhost_file *f)
{
	free(f->path);
	buf_release(&f->bytes);
	*f = (struct winhost_file){.path = NULL};
}

int winhost_left(struct winhost *host)
{
	size_t len = strlen(host->sh->sftp_folder);
	int n = 0;

	for (int i = 0; i < WINHOST_FILES; i++) {
		const char *path = host->files[i].path;
		if (path && strncmp(path, host->sh->sftp_folder, len) == 0 && path[len] == '/' && path[len + 1] != 's')
			n++;
	}
	return n;
}

/* --- cmd.exe */

static char *sftp_path(const char *windows, size_t len)
{
	char *path = str_ndup(windows, len), *sftp = ssh_win_path_to_sftp(path);

	free(path);
	return sftp;
}

static void say(struct winhost *host, const char *text)
{
	if (!host->err.code)
		ssh_win_shell_take(host->sh, 0, text, strlen(text), &host->err);
}

__attribute__((format(printf, 3, 4))) static void mark(struct winhost *host, const char *number, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list args;

	buf_addf(&text, "@%s %s ", host->sh->base.nonce, number);
	va_start(args, fmt);
	buf_vaddf(&text, fmt, args);
	va_end(args);
	buf_adds(&text, "\r\n");
	say(host, buf_str(&text));
	buf_release(&text);
}

/* The next argument in quotes, two percent signs for one. */
static char *argument(const char **at)
{
	struct buf text = BUF_INIT;

	if (strncmp(*at, " \"", 2) != 0)
		return NULL;
	for (*at += 2; **at != '"'; (*at)++) {
		ck_assert(**at);
		buf_addc(&text, **at);
		if (**at == '%')
			ck_assert_int_eq(*++*at, '%');
	}
	(*at)++;
	return text.len ? buf_detach(&text) : str_dup("");
}

static int32_t copy(struct winhost *host, const char *args)
{
	char *to = argument(&args), *from = argument(&args), *read_only = argument(&args), *path[2];
	struct winhost_file *f[2];
	int32_t code = 1;

	ck_assert(to && from && read_only && !argument(&args));
	path[0] = sftp_path(to, strlen(to));
	path[1] = sftp_path(from, strlen(from));
	host->copies++;
	if (host->before_copy)
		host->before_copy(host);
	f[0] = winhost_find(host, path[0]);
	f[1] = winhost_find(host, path[1]);
	if (!f[0] || !f[1] || host->cannot_name)
		code = 3;
	else if (host->copy_lies)
		code = 0;
	else if (host->copy_fails > 0)
		host->copy_fails--;
	else if (!f[0]->held && (!f[0]->read_only || *read_only == 'r')) {
		buf_clear(&f[0]->bytes);
		code = host->copy_tears >= 0;
		buf_add(&f[0]->bytes, f[1]->bytes.data, code ? (size_t)host->copy_tears : f[1]->bytes.len);
	}
	for (int i = 0; i < 2; i++)
		free(path[i]);
	free(to);
	free(from);
	free(read_only);
	return code;
}

static int32_t run_script(struct winhost *host, const char *run, const char *input, struct winhost_file *out,
			  struct winhost_file *err)
{
	const char *blank = strchr(run, '.') + 4;
	char *path = sftp_path(run + 1, (size_t)(blank - run) - 1);
	const char *script = winhost_text(host, path);

	ck_assert_msg(script, "%s is not there", path);
	free(path);
	if (strstr(script, "copy /b /y"))
		return copy(host, blank);
	buf_addf(&host->ran, "%s|%.*s|%s;", script, (int)strcspn(blank, "\r"), blank, input);
	buf_adds(&out->bytes, host->out ? host->out : "");
	buf_adds(&err->bytes, host->err_out ? host->err_out : "");
	return host->code;
}

/* "… /c F\rN.cmd <… >F\oN 2>F\eN& …" */
static void run_line(struct winhost *host, const char *line, const char *number)
{
	const char *at = strstr(line, " /c ") + 4, *lt = strchr(at, '<'), *gt = strchr(lt, '>'), *gt2 = strchr(gt + 1, '>');
	char *run = sftp_path(at, (size_t)(lt - at) - 1), *in = sftp_path(lt + 1, (size_t)(gt - lt) - 2);
	char *out = sftp_path(gt + 1, (size_t)(gt2 - gt) - 3), *err = sftp_path(gt2 + 1, strcspn(gt2 + 1, "&"));
	int32_t code;

	if (host->silent)
		goto out;
	if (host->no_outputs) {
		mark(host, number, "code 1");
		mark(host, number, "size");
		mark(host, number, "size ");
		goto out;
	}
	code = run_script(host, winhost_text(host, run), strcmp(in, "/nul") == 0 ? "(nul)" : winhost_text(host, in),
			  winhost_put(host, out, ""), winhost_put(host, err, ""));
	mark(host, number, "code %" PRId32, code);
	mark(host, number, "size %zu", winhost_find(host, out)->bytes.len);
	mark(host, number, "size %zu", winhost_find(host, err)->bytes.len);
out:
	free(run);
	free(in);
	free(out);
	free(err);
}

static void remove_words(struct winhost *host, const char *line)
{
	for (const char *at = strstr(line, " C:"); at; at = strstr(at + 1, " C:")) {
		char *path = sftp_path(at + 1, strcspn(at + 1, " "));
		struct winhost_file *f = winhost_find(host, path);
		if (f)
			winhost_remove(f);
		free(path);
	}
}

static void remove_folder(struct winhost *host)
{
	size_t len = strlen(host->sh->sftp_folder);

	for (int i = 0; i < WINHOST_FILES; i++)
		if (host->files[i].path && strncmp(host->files[i].path, host->sh->sftp_folder, len) == 0)
			winhost_remove(&host->files[i]);
}

static void do_line(struct winhost *host, const char *line)
{
	const char *last = strstr(line, DONE), *next;
	char number[16];

	while ((next = strstr(last + 1, DONE)))
		last = next;
	snprintf(number, sizeof(number), "%.*s", (int)strcspn(strchr(last + strlen(DONE), ' ') + 1, " "),
		 strchr(last + strlen(DONE), ' ') + 1);
	host->lines++;
	if (strstr(line, "%SystemRoot%")) {
		say(host, "Microsoft Windows [Version 10.0.20348.2340]\r\n(c) Microsoft Corporation.\r\n\r\n");
		mark(host, number, "root \"C:\\windows\"");
		mark(host, number, "page  932");
	} else if (strstr(line, WIN_CMD)) {
		run_line(host, line, number);
		if (host->silent)
			return;
	} else {
		if (strncmp(line, "del ", 4) == 0)
			remove_words(host, line);
		else if (strncmp(line, "rmdir ", 6) == 0)
			remove_folder(host);
		mark(host, number, "code 0");
	}
	mark(host, number, "done");
}

static bool do_one(struct winhost *host)
{
	struct ssh_channel *ch = &host->sh->channel;
	char *end, *line;

	buf_add(&host->cmd_in, ch->in.data + ch->in_at, ch->in.len - ch->in_at);
	ch->in_at = ch->in.len;
	end = host->cmd_in.len ? strstr(host->cmd_in.data, "\r\n") : NULL;
	if (!end || host->err.code)
		return false;
	/* Never a second line before the first is answered. */
	ck_assert_uint_eq((size_t)(end + 2 - host->cmd_in.data), host->cmd_in.len);
	line = str_ndup(host->cmd_in.data, (size_t)(end - host->cmd_in.data));
	buf_clear(&host->cmd_in);
	do_line(host, line);
	free(line);
	return true;
}

/* --- the outside */

bool winhost_pump(struct winhost *host, int steps)
{
	while (steps-- > 0 && !host->err.code) {
		host->remote.again = false;
		if (!host->err.code)
			ssh_win_shell_turn(host->sh, &host->err);
		ssh_files_turn(host->sh->files);
		if (host->err.code || winhost_serve_one(host) || do_one(host) || host->remote.again)
			continue;
		if (!host->sh->pause_until_ms)
			return true;
		host->loop.time = (uint64_t)host->sh->pause_until_ms;
	}
	return host->err.code != 0;
}

int winhost_say(struct winhost *host, const char *text)
{
	struct buf out = BUF_INIT;
	int r = 0;

	for (; *text; text++) {
		if (strncmp(text, "{N}", 3) == 0)
			buf_adds(&out, host->sh->base.nonce);
		else if (strncmp(text, "{L}", 3) == 0)
			buf_addf(&out, "%u", host->sh->line_number);
		else {
			buf_addc(&out, *text);
			continue;
		}
		text += 2;
	}
	/* One byte after the other. */
	for (size_t i = 0; i < out.len && !r; i++)
		r = ssh_win_shell_take(host->sh, 0, out.data + i, 1, &host->err);
	buf_release(&out);
	return r;
}

void winhost_init(struct winhost *host)
{
	*host = (struct winhost){.copy_tears = -1, .now_s = 1700000000};
	uv_loop_init(&host->loop);
	host->transport.loop = &host->loop;
	host->remote.transport = &host->transport;
	host->remote.label = str_dup("acme/sync1");
	host->remote.user = str_dup("admin");
	host->remote.windows = true;
	list_init(&host->remote.execs);
	list_init(&host->remote.shell_queue);
	list_init(&host->remote.exec_queue);
	list_init(&host->remote.done);
	uv_timer_init(&host->loop, &host->remote.timer);
	host->remote.shell = ssh_shell_new(&host->remote);
	host->sh = ssh_win_shell_of(host->remote.shell);
	winhost_put(host, "/C:/windows/temp", "")->folder = true;
}

void winhost_release(struct winhost *host)
{
	struct ssh_request *left = ssh_shell_take_running(host->remote.shell);

	if (left)
		ssh_request_fail(&host->remote, left, E_CLOSED, "over");
	ssh_execs_abandon(&host->remote, E_CLOSED, "over");
	ssh_request_fail_queued(&host->remote, E_CLOSED, "over");
	ssh_shell_free(host->remote.shell);
	ssh_request_deliver(&host->remote);
	for (int i = 0; i < WINHOST_FILES; i++)
		winhost_remove(&host->files[i]);
	buf_release(&host->sftp_in);
	buf_release(&host->cmd_in);
	buf_release(&host->ran);
	free(host->remote.label);
	free(host->remote.user);
	uv_close((uv_handle_t *)&host->remote.timer, NULL);
	uv_run(&host->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&host->loop), 0);
}

static void on_done(struct remote_request *request)
{
	struct winhost_op *o = request->arg;

	ck_assert(!o->done);
	o->done = true;
}

void winhost_op_init(struct winhost_op *o, enum op_kind kind)
{
	static const struct embedded script = {"x.cmd", "@rem x\n", 7};

	*o = (struct winhost_op){.done = false};
	op_init(&o->op, kind);
	o->op.script = &script;
	o->op.timeout_ms = 10000;
	o->request = (struct remote_request){.op = &o->op, .what = "step", .done = on_done, .arg = o};
}

void winhost_op_start(struct winhost *host, struct winhost_op *o)
{
	ssh_request_start(&host->remote, &o->request);
	host->remote.again = true;
}

void winhost_op_release(struct winhost_op *o)
{
	op_result_release(&o->request.result);
	op_release(&o->op);
}

void winhost_ready(struct winhost *host)
{
	winhost_init(host);
	ck_assert(winhost_pump(host, WINHOST_STEPS));
	ck_assert_msg(!host->err.code, "%s", host->err.text);
	ck_assert(ssh_shell_ready(host->remote.shell));
}

void winhost_run(struct winhost *host, struct winhost_op *o)
{
	winhost_op_start(host, o);
	ck_assert(winhost_pump(host, WINHOST_STEPS));
	ssh_request_deliver(&host->remote);
}

void winhost_pass_time(struct winhost *host, struct winhost_op *o)
{
	host->loop.time += 10001;
	ck_assert(winhost_pump(host, WINHOST_STEPS));
	host->loop.time += KILL_GRACE_MS;
	ck_assert(winhost_pump(host, WINHOST_STEPS));
	ssh_request_deliver(&host->remote);
	ck_assert_int_eq(host->err.code, E_TIMEOUT);
	ck_assert(o->done || !host->remote.shell->running);
}
