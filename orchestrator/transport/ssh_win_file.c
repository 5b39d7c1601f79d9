/*
 * OP_GET on a Windows host, by SFTP alone: what the file is, its real path, its bytes. Nothing is changed. It fails
 * when the file is none, too large, may not be read, or is held by a process that does not share it.
 */
#include "transport/ssh_windows.h"

#include <inttypes.h>

/* Win32-OpenSSH tells ERROR_ACCESS_DENIED as "permission denied", and what it has no number for (among it
   ERROR_SHARING_VIOLATION) as "failure" (contrib/win32/win32compat/fileio.c, errno_from_Win32Error). So a file that is
   there, and cannot be opened by a mere "failure", is held by another process. */
int ssh_win_open_fault(const struct ssh_file_job *job)
{
	if (!job->code || job->opened || job->status != SFTP_FAILURE)
		return job->code;
	return E_BUSY;
}

/* `attrs` are those of a file that can be dealt with here; else the fault, in words. */
const char *ssh_win_file_fault(const struct sftp_attrs *attrs)
{
	if (!attrs->known || !attrs->has_size)
		return "the host does not tell what it is";
	if (attrs->folder)
		return "it is a folder";
	return attrs->regular ? NULL : "it is no regular file";
}

static void fail_by(struct ssh_win_shell *sh, int code)
{
	const char *path = sh->base.running->request->op->path;

	if (code == E_NOTFOUND)
		ssh_win_fail(sh, code, "%s does not exist", path);
	else if (code == E_PERM)
		ssh_win_fail(sh, code, "%s may not be read by %s", path, sh->base.remote->user);
	else if (code == E_BUSY)
		ssh_win_fail(sh, code, "%s is held open by another process that does not share it", path);
	else
		ssh_win_fail(sh, code, "%s cannot be read (SFTP: %s)", path, sh->fault.text);
}

static void bytes_read(struct ssh_win_shell *sh)
{
	struct op_result *result = &sh->base.running->request->result;
	struct ssh_file_job *job = sh->job;

	if (sh->fault.code) {
		fail_by(sh, ssh_win_open_fault(job));
		return;
	}
	if (job->more || (int64_t)job->bytes.len != result->file.size_bytes) {
		ssh_win_fail(sh, job->more ? E_LIMIT : E_CHANGED,
			     "%s: %zu bytes came where it has %" PRId64 "; it was changed while it was read",
			     sh->base.running->request->op->path, job->bytes.len, result->file.size_bytes);
		return;
	}
	result->out = job->bytes;
	job->bytes = (struct buf)BUF_INIT;
	ssh_win_done(sh);
}

static size_t max_bytes(const struct op *op)
{
	return op->max_out_bytes ? op->max_out_bytes : OP_OUT_MAX_DEFAULT;
}

static void path_found(struct ssh_win_shell *sh)
{
	const struct op *op = sh->base.running->request->op;
	struct op_file *file = &sh->base.running->request->result.file;
	struct ssh_file_job *job;
	char *path;

	/* A server that does not know it has said enough by `stat`. */
	if (sh->fault.code)
		file->real_path = str_dup(op->path);
	else
		file->real_path = ssh_win_path_from_sftp(sh->job->bytes.data, sh->job->bytes.len);
	if (ssh_win_stopped(sh)) {
		ssh_win_fail(sh, sh->fault.code, "%s", sh->fault.text);
		return;
	}
	path = ssh_win_path_to_sftp(op->path);
	job = ssh_win_job(sh, FILE_READ, path);
	buf_init(&job->bytes, max_bytes(op));
	ssh_win_step_job(sh, job, bytes_read);
	free(path);
}

static void looked(struct ssh_win_shell *sh)
{
	const struct op *op = sh->base.running->request->op;
	struct op_file *file = &sh->base.running->request->result.file;
	const struct sftp_attrs *attrs = &sh->job->attrs;
	const char *fault;
	char *path;

	if (sh->fault.code) {
		fail_by(sh, sh->fault.code);
		return;
	}
	fault = ssh_win_file_fault(attrs);
	if (fault) {
		ssh_win_fail(sh, E_INVAL, "%s: %s", op->path, fault);
		return;
	}
	if (attrs->size > max_bytes(op)) {
		ssh_win_fail(sh, E_LIMIT, "%s has %" PRIu64 " bytes, more than the %zu that are asked for", op->path,
			     attrs->size, max_bytes(op));
		return;
	}
	file->mode = attrs->mode & 0200 ? 0666 : 0444;
	file->owner = str_dup("");
	file->group = str_dup("");
	file->links = 1;
	file->size_bytes = (int64_t)attrs->size;
	file->mtime_s = attrs->mtime;
	path = ssh_win_path_to_sftp(op->path);
	ssh_win_step_file(sh, FILE_REAL_PATH, path, path_found);
	free(path);
}

void ssh_win_get_begin(struct ssh_win_shell *sh)
{
	char *path = ssh_win_path_to_sftp(sh->base.running->request->op->path);

	sh->base.running->request->result.started = true;
	ssh_win_step_file(sh, FILE_STAT, path, looked);
	free(path);
}
