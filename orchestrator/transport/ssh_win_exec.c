/*
 * OP_EXEC on a Windows host: the operator's line is uploaded into the session's folder, and exec.cmd runs it in a
 * cmd.exe that is on a channel of its own. ssh_exec.c does the rest. Time is up: the channel's process is ended where
 * that can be told, else it goes with the session.
 */
#include "transport/ssh_windows.h"

#include "transport/ssh_exec.h"

extern const struct embedded embedded_transport[];

static void exec_script_sent(struct ssh_file_job *job)
{
	struct ssh_win_shell *sh = job->arg;

	if (!job->code)
		return;
	sh->exec_sent = false;
	err_set(&sh->exec_fault, E_IO,
		"cannot write to the private folder %s on the host (SFTP: %s); the disk may be full", sh->folder,
		job->said);
}

static void send_exec_script(struct ssh_win_shell *sh)
{
	char *path = str_fmt("%s/exec.cmd", sh->sftp_folder);
	struct ssh_file_job *job = ssh_file_job_new(FILE_WRITE, path, exec_script_sent, sh);

	ssh_win_text_script(&job->bytes, embedded_find(embedded_transport, "exec.cmd"));
	ssh_files_start(sh->files, job);
	sh->exec_sent = true;
	sh->exec_fault.code = 0;
	free(path);
}

static void line_sent(struct ssh_file_job *job)
{
	struct ssh_exec *x = job->arg;
	struct ssh_win_shell *sh = ssh_win_shell_of(x->remote->shell);
	char *text;

	x->priv = NULL;
	if (!x->request)
		return;
	if (job->code || sh->exec_fault.code) {
		if (job->code)
			snprintf(x->why, sizeof(x->why), "cannot write to its folder on the host (SFTP: %.80s)",
				 job->said);
		else
			snprintf(x->why, sizeof(x->why), "%.159s", sh->exec_fault.text);
		x->refused = true;
		x->remote->again = true;
		return;
	}
	text = str_fmt("%s" WIN_CMD " %s\\exec.cmd %s %u <nul\r\n",
		       ssh_win_is_ascii(x->request->request->op->command) ? "" : WIN_UTF8, sh->folder, sh->base.nonce,
		       x->request->number);
	ssh_channel_write(&x->channel, text, strlen(text));
	x->remote->again = true;
	free(text);
}

void ssh_win_exec_begin(struct ssh_exec *x)
{
	struct ssh_win_shell *sh = ssh_win_shell_of(x->remote->shell);
	char *path = ssh_win_private(sh, "x", x->request->number, ".txt");
	struct ssh_file_job *job = ssh_file_job_new(FILE_WRITE, path, line_sent, x);

	if (!sh->exec_sent)
		send_exec_script(sh);
	ssh_win_text_command(&job->bytes, x->request->request->op->command);
	x->priv = job;
	ssh_files_start(sh->files, job);
	ssh_channel_start(&x->channel);
	free(path);
}

bool ssh_win_exec_started(struct ssh_exec *x, const char *words)
{
	(void)x;
	return *words == '\0';
}

void ssh_win_exec_kill(struct ssh_exec *x)
{
	ssh_win_send_kill(x->channel.channel);
}

void ssh_win_exec_gone(struct ssh_exec *x)
{
	if (x->priv)
		ssh_file_job_disown(x->priv);
}
