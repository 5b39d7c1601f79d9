/*
 * OP_REPLACE on a Windows host, the dangerous half: the copy, and what is there behind it. Just before, the file is
 * read once more and compared with what is expected. `copy` runs by remote/replace.cmd; then the file is read, and that
 * counts, not what copy says: the new content is the happy end; the old content means that the copy could not open it
 * (held by somebody: again, as long as there is time; or not allowed); the beginning of the new content means that it
 * broke off, and the old content is put back in place. Anything else was written by somebody else, and is left alone.
 * Each way ends in ssh_win_replace_fail or ssh_win_replace_settle, which put the read-only attribute back.
 */
#include "transport/ssh_windows.h"

extern const struct embedded embedded_transport[];

enum { CANNOT_NAME = 3 /* replace.cmd */ };

static void look_behind(struct ssh_win_shell *sh);

static void restored_read(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (!sh->fault.code && ssh_win_replace_same(&sh->job->bytes, &r->old)) {
		ssh_win_replace_fail(
		    sh, E_IO,
		    "%s: the copy broke off in its middle, and the old content was put back; is the disk full?",
		    ssh_win_replace_op(sh)->path);
		return;
	}
	r->keep_beside = true;
	ssh_win_replace_fail(
	    sh, E_IO,
	    "%s IS TORN: the copy broke off in its middle, and the old content could not be put back; the new "
	    "content is in %s%s%s%s",
	    ssh_win_replace_op(sh)->path, r->windows_beside, ssh_win_replace_op(sh)->backup ? ", the old one in " : "",
	    ssh_win_replace_op(sh)->backup ? ssh_win_replace_op(sh)->backup : "",
	    ssh_win_replace_op(sh)->backup ? " beside it" : "");
}

static void restored(struct ssh_win_shell *sh)
{
	ssh_win_replace_read_file(sh, sh->replace.path, restored_read);
}

static void restore_old(struct ssh_win_shell *sh)
{
	ssh_win_replace_write_bytes(sh, sh->replace.path, &sh->replace.old, true, restored);
}

static void restore(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (!r->read_only) {
		restore_old(sh);
		return;
	}
	r->writable = true;
	ssh_win_replace_set_mode(sh, r->path, WIN_MODE_WRITABLE, restore_old);
}

/* Is this what a copy of ours leaves that broke off: the new content's beginning, then nothing, or the zeros of a
   length that was set before? Anything else is somebody's. */
static bool torn_by_us(const struct buf *now, const struct buf *new)
{
	size_t i = 0;

	if (now->len > new->len)
		return false;
	while (i < now->len && now->data[i] == new->data[i])
		i++;
	while (i < now->len && now->data[i] == '\0')
		i++;
	return i == now->len;
}

/* The copy has failed, and nothing was changed by it: why? */
static void tried(struct ssh_win_shell *sh)
{
	const struct ssh_file_job *job = sh->job;

	if (sh->fault.code == E_PERM && !sh->replace.read_only)
		ssh_win_replace_fail(sh, E_PERM, "%s may not be written by %s; nothing was changed",
				     ssh_win_replace_op(sh)->path, sh->base.remote->user);
	else if (!job->code || job->opened || job->status == SFTP_FAILURE || sh->fault.code == E_PERM)
		ssh_win_replace_wait_for_holder(sh, ssh_win_replace_check);
	else
		ssh_win_replace_fail(sh, sh->fault.code, "%s cannot be written (SFTP: %s); nothing was changed",
				     ssh_win_replace_op(sh)->path, sh->fault.text);
}

static void copied_nothing(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (r->copy_code == CANNOT_NAME && !r->in_place) {
		r->in_place = true;
		ssh_win_replace_check(sh);
	} else if (r->copy_code) {
		ssh_win_step_file(sh, FILE_TRY, r->path, tried);
	} else {
		ssh_win_replace_fail(sh, E_IO, "%s: the copy ended well and copied nothing; nothing was changed",
				     ssh_win_replace_op(sh)->path);
	}
}

static void judge(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;
	const struct buf *now = &sh->job->bytes;

	if (sh->fault.code && ssh_win_open_fault(sh->job) == E_BUSY && r->copy_code)
		ssh_win_replace_wait_for_holder(sh, look_behind);
	else if (sh->fault.code)
		ssh_win_replace_fail(
		    sh, ssh_win_open_fault(sh->job),
		    "%s cannot be read behind the copy (exit code %d; SFTP: %s): look at it before anything else; "
		    "the new content is %s",
		    ssh_win_replace_op(sh)->path, (int)r->copy_code, sh->fault.text, r->windows_beside);
	else if (ssh_win_replace_same(now, &ssh_win_replace_op(sh)->input))
		ssh_win_replace_settle(sh);
	else if (ssh_win_replace_same(now, &r->old))
		copied_nothing(sh);
	else if (r->copy_code && torn_by_us(now, &ssh_win_replace_op(sh)->input))
		restore(sh);
	else
		ssh_win_replace_fail(sh, E_CHANGED,
				     "%s: what is there behind the copy is neither the old nor the new content",
				     ssh_win_replace_op(sh)->path);
}

static void looked_behind(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (!sh->fault.code && sh->job->attrs.known)
		r->writable = sh->job->attrs.mode & 0200;
	ssh_win_replace_read_file(sh, r->path, judge);
}

static void look_behind(struct ssh_win_shell *sh)
{
	ssh_win_step_file(sh, FILE_STAT, sh->replace.path, looked_behind);
}

/* What copy says of a failure is in the host's language; only plain text is of use in an error. */
static void keep_words(struct ssh_win_shell *sh)
{
	const struct buf *b = sh->call.err.len ? &sh->call.err : &sh->call.out;
	size_t len = strcspn(buf_str(b), "\r\n");

	sh->replace.said[0] = '\0';
	if (sh->call.exit_code && ssh_win_is_ascii(buf_str(b)))
		snprintf(sh->replace.said, sizeof(sh->replace.said), "%.*s", (int)len, buf_str(b));
}

static void copied(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	keep_words(sh);
	r->copy_code = sh->call.exit_code;
	if (sh->fault.code && !sh->call.ran) {
		ssh_win_replace_fail(sh, sh->fault.code, "%s: %s; nothing was changed", ssh_win_replace_op(sh)->path,
				     sh->fault.text);
		return;
	}
	if (sh->fault.code && !r->copy_code)
		r->copy_code = -1;
	look_behind(sh);
}

static void written_in_place(struct ssh_win_shell *sh)
{
	sh->replace.copy_code = sh->fault.code ? -1 : 0;
	look_behind(sh);
}

static void write_in_place(struct ssh_win_shell *sh)
{
	ssh_win_replace_write_bytes(sh, sh->replace.path, &ssh_win_replace_op(sh)->input, true, written_in_place);
}

static void copy(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (ssh_win_replace_stopped(sh))
		return;
	sh->base.running->request->result.started = true;
	if (r->in_place && r->read_only) {
		ssh_win_replace_set_mode(sh, r->path, WIN_MODE_WRITABLE, write_in_place);
		return;
	}
	if (r->in_place) {
		write_in_place(sh);
		return;
	}
	ssh_win_call_release(&sh->call);
	r->args[0] = ssh_win_replace_op(sh)->path;
	r->args[1] = r->windows_beside;
	r->args[2] = r->read_only_word;
	snprintf(r->read_only_word, sizeof(r->read_only_word), "%s", r->read_only ? "r" : "");
	sh->call = (struct ssh_win_call){
	    .script = embedded_find(embedded_transport, "replace.cmd"),
	    .args = r->args,
	    .args_n = 3,
	    .max_out_bytes = 4096,
	    .then = copied,
	};
	ssh_win_call(sh);
}

static void checked(struct ssh_win_shell *sh)
{
	struct ssh_win_replace *r = &sh->replace;

	if (sh->fault.code && ssh_win_open_fault(sh->job) == E_BUSY)
		ssh_win_replace_wait_for_holder(sh, ssh_win_replace_check);
	else if (sh->fault.code)
		ssh_win_replace_fail(sh, sh->fault.code, "%s cannot be read any more (SFTP: %s); nothing was changed",
				     ssh_win_replace_op(sh)->path, sh->fault.text);
	else if (!ssh_win_replace_same(&sh->job->bytes, &r->old))
		ssh_win_replace_fail(sh, E_CHANGED, "%s was changed meanwhile; nothing was replaced",
				     ssh_win_replace_op(sh)->path);
	else if (r->read_only)
		ssh_win_replace_set_mode(sh, r->beside, WIN_MODE_READ_ONLY, copy);
	else
		copy(sh);
}

/* Just before: it may have taken long to come here. */
void ssh_win_replace_check(struct ssh_win_shell *sh)
{
	if (!ssh_win_replace_stopped(sh))
		ssh_win_replace_read_file(sh, sh->replace.path, checked);
}
