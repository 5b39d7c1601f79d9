/*
 * OP_REPLACE on a Windows host. The happy path: the file is read and compared with what is expected; the new content is
 * written beside it (NAME.cutover-new), synced and read back; the backup likewise, unless there is one; the file is
 * read once more; `copy` puts the new content onto it (remote/replace.cmd); what is there then is read and compared;
 * the file beside is removed. It fails with nothing changed up to the copy. Behind a copy that failed the file is
 * looked at: unchanged means that somebody holds it (then the copy is tried again until time is over) or that it may
 * not be written; torn by the copy means that the old content is put back. What the file is then is said in the error.
 *
 * Where cmd.exe cannot name the file (Wine reads batch files in the OEM code page, whatever chcp says), SFTP writes
 * onto it in place, which keeps the same things.
 *
 * A stale NAME.cutover-new is a dead session's, and is written over. It has the read-only attribute where the file had
 * it: so the attribute comes back even if that session died between taking it off and putting it back. Where the file has
 * the new content already and the one beside has it, too, a session died behind its copy: what it left to do is done, and
 * the file is not written again.
 */
#include "transport/ssh_windows.h"

#include "base/hash.h"

#include <stdarg.h>

enum {
	PAUSE_FIRST_MS = 250,
	PAUSE_MAX_MS = 2000,
	RESERVE_MS = 2000, /* kept back of the op's time for putting things back */
};

#define BESIDE ".cutover-new"

const struct op *ssh_win_replace_op(const struct ssh_win_shell *sh)
{
	return sh->base.running->request->op;
}

void ssh_win_replace_release(struct ssh_win_replace *r)
{
	free(r->path);
	free(r->beside);
	free(r->windows_beside);
	free(r->backup);
	free(r->backup_beside);
	buf_release_secret(&r->old);
	*r = (struct ssh_win_replace){.path = NULL};
}

/* --- the end: what was put beside is removed, then the request gets its result */

static void ended(struct ssh_win_shell *sh)
{
	struct err fault = sh->replace.fault;

	if (fault.code)
		ssh_win_fail(sh, fault.code, "%s", fault.text);
	else
		ssh_win_done(sh);
}

static void backup_beside_removed(struct ssh_win_shell *sh)
{
	ended(sh);
}

static void beside_removed(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (r->backup_beside_made)
		ssh_win_step_file(sh, FILE_REMOVE, r->backup_beside, backup_beside_removed);
	else
		ended(sh);
}

static void remove_beside(struct ssh_win_shell *sh)
{
	ssh_win_step_file(sh, FILE_REMOVE, sh->replace.beside, beside_removed);
}

void ssh_win_replace_set_mode(struct ssh_win_shell *sh, const char *path, unsigned mode, ssh_win_then *then)
{
	struct ssh_file_job *job = ssh_win_job(sh, FILE_SET_MODE, path);

	job->mode = mode;
	ssh_win_step_job(sh, job, then);
}

static void clean_up(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (!r->beside_made || r->keep_beside)
		beside_removed(sh);
	else if (r->read_only)
		ssh_win_replace_set_mode(sh, r->beside, WIN_MODE_WRITABLE, remove_beside);
	else
		remove_beside(sh);
}

static void put_back(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (sh->fault.code && !r->fault.code)
		r->fault = sh->fault;
	if (sh->fault.code)
		err_prefix(&r->fault, "%s: the read-only attribute could not be put back, set it by hand; ",
			   ssh_win_replace_op(sh)->path);
	clean_up(sh);
}

/* The content is settled, one way or the other; so is the read-only attribute now. */
void ssh_win_replace_settle(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (r->read_only && r->writable)
		ssh_win_replace_set_mode(sh, r->path, WIN_MODE_READ_ONLY, put_back);
	else
		clean_up(sh);
}

/* The first fault is the one that is told. */
void ssh_win_replace_fail(struct ssh_win_shell *sh, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!sh->replace.fault.code)
		err_vset(&sh->replace.fault, code, fmt, args);
	va_end(args);
	ssh_win_replace_settle(sh);
}

bool ssh_win_replace_stopped(struct ssh_win_shell *sh)
{
	if (!ssh_win_stopped(sh))
		return false;
	ssh_win_replace_fail(sh, sh->fault.code, "%s: %s; nothing was changed", ssh_win_replace_op(sh)->path,
			     sh->fault.text);
	return true;
}

/* --- somebody holds the file: again, as long as there is time */

static void try_again(struct ssh_win_shell *sh)
{
	if (!ssh_win_replace_stopped(sh))
		sh->replace.again(sh);
}

void ssh_win_replace_wait_for_holder(struct ssh_win_shell *sh, ssh_win_then *again)
{
	struct ssh_win_replace *r = &sh->replace;
	const struct ssh_request *req = sh->base.running;
	int64_t left = req->deadline_ms - ssh_remote_now(sh->base.remote), reserve = RESERVE_MS;

	if (reserve > (req->deadline_ms - req->began_ms) / 5)
		reserve = (req->deadline_ms - req->began_ms) / 5;
	if (left - r->pause_ms < reserve) {
		ssh_win_replace_fail(
		    sh, E_BUSY,
		    "%s is held open by another process that does not share it%s; nothing was changed; stop what uses "
		    "it, then try again%s%s",
		    ssh_win_replace_op(sh)->path, r->read_only ? " (or may not be written)" : "",
		    *r->said ? "; copy says: " : "", r->said);
		return;
	}
	r->again = again;
	ssh_win_step_pause(sh, r->pause_ms, try_again);
	r->pause_ms = r->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : r->pause_ms * 2;
}

/* --- steps of both files */

bool ssh_win_replace_same(const struct buf *a, const struct buf *b)
{
	return buf_equals(a, b->data, b->len);
}

void ssh_win_replace_read_file(struct ssh_win_shell *sh, const char *path, ssh_win_then *then)
{
	struct ssh_file_job *job = ssh_win_job(sh, FILE_READ, path);

	buf_init(&job->bytes, WIN_FILE_BYTES_MAX);
	ssh_win_step_job(sh, job, then);
}

void ssh_win_replace_write_bytes(struct ssh_win_shell *sh, const char *path, const struct buf *bytes, bool in_place,
				 ssh_win_then *then)
{
	struct ssh_file_job *job = ssh_win_job(sh, FILE_WRITE, path);

	buf_add(&job->bytes, bytes->data, bytes->len);
	job->durable = true;
	job->in_place = in_place;
	ssh_win_step_job(sh, job, then);
}

/* --- the backup */

static void cannot_back_up(struct ssh_win_shell *sh)
{
	ssh_win_replace_fail(sh, sh->fault.code ? sh->fault.code : E_IO,
			     "the backup %s cannot be made beside %s (SFTP: %s); nothing was changed",
			     ssh_win_replace_op(sh)->backup, ssh_win_replace_op(sh)->path,
			     sh->fault.code ? sh->fault.text : "what was written is not what is there");
}

/* A name that has come up meanwhile is the first one, and counts. */
static void backup_looked_again(struct ssh_win_shell *sh)
{
	if (sh->fault.code)
		cannot_back_up(sh);
	else
		ssh_win_replace_check(sh);
}

static void backup_named(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (sh->fault.code) {
		ssh_win_step_file(sh, FILE_STAT, r->backup, backup_looked_again);
		return;
	}
	r->backup_beside_made = false;
	ssh_win_replace_check(sh);
}

static void backup_read(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;
	struct ssh_file_job *job;

	if (sh->fault.code || !ssh_win_replace_same(&sh->job->bytes, &r->old)) {
		cannot_back_up(sh);
		return;
	}
	if (ssh_win_replace_stopped(sh))
		return;
	job = ssh_win_job(sh, FILE_RENAME, r->backup_beside);
	job->new_path = str_dup(r->backup);
	ssh_win_step_job(sh, job, backup_named);
}

static void backup_written(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	r->backup_beside_made = sh->job->opened;
	if (sh->fault.code)
		cannot_back_up(sh);
	else
		ssh_win_replace_read_file(sh, r->backup_beside, backup_read);
}

static void backup_looked(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (!sh->fault.code)
		ssh_win_replace_check(sh);
	else if (sh->fault.code != E_NOTFOUND)
		cannot_back_up(sh);
	else if (!ssh_win_replace_stopped(sh))
		ssh_win_replace_write_bytes(sh, r->backup_beside, &r->old, false, backup_written);
}

/* --- the new content, beside */

static void beside_read(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (sh->fault.code || !ssh_win_replace_same(&sh->job->bytes, &ssh_win_replace_op(sh)->input))
		ssh_win_replace_fail(sh, sh->fault.code ? sh->fault.code : E_IO,
				     "%s: the new content did not arrive whole in %s (SFTP: %s); nothing was changed",
				     ssh_win_replace_op(sh)->path, r->windows_beside,
				     sh->fault.code ? sh->fault.text : "other bytes are there");
	else if (r->backup)
		ssh_win_step_file(sh, FILE_STAT, r->backup, backup_looked);
	else
		ssh_win_replace_check(sh);
}

static void beside_written(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	r->beside_made = sh->job->opened;
	if (sh->fault.code)
		ssh_win_replace_fail(sh, ssh_win_open_fault(sh->job),
				     "%s cannot be written (SFTP: %s); %s; nothing was changed", r->windows_beside,
				     sh->fault.text,
				     sh->job->opened ? "is the disk full?" : "may files be made in that folder?");
	else if (!ssh_win_replace_stopped(sh))
		ssh_win_replace_read_file(sh, r->beside, beside_read);
}

static void write_beside(struct ssh_win_shell *sh)
{
	if (!ssh_win_replace_stopped(sh))
		ssh_win_replace_write_bytes(sh, sh->replace.beside, &ssh_win_replace_op(sh)->input, false,
					    beside_written);
}

static void beside_looked(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;
	bool writable = sh->job->attrs.mode & 0200;

	if (sh->fault.code == E_NOTFOUND) {
		write_beside(sh);
	} else if (sh->fault.code || ssh_win_file_fault(&sh->job->attrs)) {
		ssh_win_replace_fail(sh, sh->fault.code ? sh->fault.code : E_EXISTS,
				     "%s is in the way, and is no file of ours; nothing was changed",
				     r->windows_beside);
	} else if (!writable) {
		r->read_only = true;
		ssh_win_replace_set_mode(sh, r->beside, WIN_MODE_WRITABLE, write_beside);
	} else {
		write_beside(sh);
	}
}

/* --- a session died behind its copy */

static void left_read(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	r->beside_made = !sh->fault.code && ssh_win_replace_same(&sh->job->bytes, &ssh_win_replace_op(sh)->input);
	r->writable &= r->beside_made;
	ssh_win_replace_settle(sh);
}

static void left_looked(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;
	const struct sftp_attrs *attrs = &sh->job->attrs;

	if (sh->fault.code || ssh_win_file_fault(attrs) || attrs->size > WIN_FILE_BYTES_MAX) {
		ssh_win_replace_settle(sh);
		return;
	}
	r->writable = !r->read_only;
	r->read_only = !(attrs->mode & 0200);
	ssh_win_replace_read_file(sh, r->beside, left_read);
}

/* --- the file as it is */

static void read_old(struct ssh_win_shell *sh);

static void old_read(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;
	char sha256[SHA256_HEX_MAX];

	if (sh->fault.code && ssh_win_open_fault(sh->job) == E_BUSY) {
		ssh_win_replace_wait_for_holder(sh, read_old);
		return;
	}
	if (sh->fault.code || sh->job->more) {
		ssh_win_replace_fail(sh, sh->fault.code ? sh->fault.code : E_LIMIT,
				     "%s cannot be read (SFTP: %s); nothing was changed", ssh_win_replace_op(sh)->path,
				     sh->fault.code ? sh->fault.text : "it grows without an end");
		return;
	}
	r->old = sh->job->bytes;
	sh->job->bytes = (struct buf)BUF_INIT;
	sha256_hex(r->old.len ? r->old.data : "", r->old.len, sha256);
	if (ssh_win_replace_same(&r->old, &ssh_win_replace_op(sh)->input))
		ssh_win_step_file(sh, FILE_STAT, r->beside, left_looked);
	else if (strcmp(sha256, ssh_win_replace_op(sh)->expect_sha256) != 0)
		ssh_win_replace_fail(sh, E_CHANGED,
				     "%s was changed meanwhile: its SHA-256 is %s, not %s; nothing was replaced",
				     ssh_win_replace_op(sh)->path, sha256, ssh_win_replace_op(sh)->expect_sha256);
	else
		ssh_win_step_file(sh, FILE_STAT, r->beside, beside_looked);
}

static void read_old(struct ssh_win_shell *sh)
{
	if (!ssh_win_replace_stopped(sh))
		ssh_win_replace_read_file(sh, sh->replace.path, old_read);
}

static void looked(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;
	const struct sftp_attrs *attrs = &sh->job->attrs;

	if (sh->fault.code == E_NOTFOUND)
		ssh_win_replace_fail(sh, E_NOTFOUND, "%s does not exist", ssh_win_replace_op(sh)->path);
	else if (sh->fault.code)
		ssh_win_replace_fail(sh, sh->fault.code, "%s cannot be looked at (SFTP: %s)",
				     ssh_win_replace_op(sh)->path, sh->fault.text);
	else if (ssh_win_file_fault(attrs))
		ssh_win_replace_fail(sh, E_INVAL, "%s: %s", ssh_win_replace_op(sh)->path, ssh_win_file_fault(attrs));
	else if (attrs->size > WIN_FILE_BYTES_MAX)
		ssh_win_replace_fail(sh, E_LIMIT, "%s has more than %d MB", ssh_win_replace_op(sh)->path,
				     WIN_FILE_BYTES_MAX >> 20);
	else {
		r->read_only = !(attrs->mode & 0200);
		read_old(sh);
	}
}

void ssh_win_replace_begin(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;
	const struct op *op = ssh_win_replace_op(sh);
	char *backup = op->backup ? ssh_win_path_beside(op->path, op->backup) : NULL;

	r->pause_ms = PAUSE_FIRST_MS;
	r->path = ssh_win_path_to_sftp(op->path);
	r->beside = str_fmt("%s" BESIDE, r->path);
	r->windows_beside = str_fmt("%s" BESIDE, op->path);
	r->backup = backup ? ssh_win_path_to_sftp(backup) : NULL;
	r->backup_beside = backup ? str_fmt("%s" BESIDE, r->backup) : NULL;
	free(backup);
	ssh_win_step_file(sh, FILE_STAT, r->path, looked);
}
