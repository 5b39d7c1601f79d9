/*
 * What killed controllers have left in %SystemRoot%\temp, removed when a session ends (nobody waits for it then, and its
 * own folder is gone before). The happy path: the time on its own folder, which is the host's clock; the entries of
 * temp; of each folder of ours that was not touched for a day, the entries; each file by its name; the folder. It fails
 * at any of these quietly: then it stays for another session. A host that does not answer loses the session, as anywhere.
 *
 * Why not `rmdir /s /q`: every account may make folders in temp, so the name proves nothing of who made one, and what
 * cmd.exe removes below a folder of somebody else's that is a junction a moment later is anybody's file, removed with an
 * administrator's rights. Here only files are removed that have the names of ours, and a folder that is empty then; one
 * that holds anything else is left as it is.
 */
#include "transport/ssh_windows.h"

#include "base/log.h"

enum { STALE_S = 24 * 3600 };

static void next_folder(struct ssh_win_shell *sh);
static void next_file(struct ssh_win_shell *sh);

static void strings_release(char **strings, size_t *n)
{
	while (*n)
		free(strings[--*n]);
}

void ssh_win_sweep_release(struct ssh_win_sweep *sweep)
{
	strings_release(sweep->folders, &sweep->folders_n);
	strings_release(sweep->files, &sweep->files_n);
}

static void ended(struct ssh_win_shell *sh)
{
	ssh_win_sweep_release(&sh->sweep);
	sh->sweep.then(sh);
}

static void folder_ended(struct ssh_win_shell *sh)
{
	struct ssh_win_sweep *s = &sh->sweep;

	strings_release(s->files, &s->files_n);
	free(s->folders[--s->folders_n]);
	next_folder(sh);
}

static void folder_removed(struct ssh_win_shell *sh)
{
	const char *path = sh->sweep.folders[sh->sweep.folders_n - 1];

	if (sh->fault.code)
		log_debug("%s: %s of a session that is gone cannot be removed (SFTP: %s)", sh->base.remote->label, path,
			  sh->fault.text);
	else
		log_info("%s: removed %s, which a session that is gone had left", sh->base.remote->label, path);
	folder_ended(sh);
}

static void file_removed(struct ssh_win_shell *sh)
{
	struct ssh_win_sweep *s = &sh->sweep;

	free(s->files[--s->files_n]);
	next_file(sh);
}

/* One that cannot be removed keeps its folder there. */
static void next_file(struct ssh_win_shell *sh)
{
	struct ssh_win_sweep *s = &sh->sweep;

	if (s->files_n)
		ssh_win_step_file(sh, FILE_REMOVE, s->files[s->files_n - 1], file_removed);
	else
		ssh_win_step_file(sh, FILE_REMOVE_FOLDER, s->folders[s->folders_n - 1], folder_removed);
}

static bool is_dots(struct wire_str name)
{
	return wire_is(name, ".") || wire_is(name, "..");
}

static void on_file(struct ssh_file_job *job, struct wire_str name, const struct sftp_attrs *attrs)
{
	struct ssh_win_shell *sh = job->arg;
	struct ssh_win_sweep *s = &sh->sweep;

	if (is_dots(name))
		return;
	if (!attrs->regular || !ssh_win_is_private_file((const char *)name.data, name.len) ||
	    s->files_n == ARRAY_LEN(s->files)) {
		s->foreign = true;
		return;
	}
	s->files[s->files_n++] = str_fmt("%s/%.*s", job->path, (int)name.len, (const char *)name.data);
}

static void files_listed(struct ssh_win_shell *sh)
{
	if (sh->fault.code || sh->job->more || sh->sweep.foreign)
		folder_ended(sh);
	else
		next_file(sh);
}

static void next_folder(struct ssh_win_shell *sh)
{
	struct ssh_win_sweep *s = &sh->sweep;
	struct ssh_file_job *job;

	if (!s->folders_n) {
		ended(sh);
		return;
	}
	s->foreign = false;
	job = ssh_win_job(sh, FILE_LIST, s->folders[s->folders_n - 1]);
	job->entry = on_file;
	ssh_win_step_job(sh, job, files_listed);
}

static void on_folder(struct ssh_file_job *job, struct wire_str name, const struct sftp_attrs *attrs)
{
	struct ssh_win_shell *sh = job->arg;
	struct ssh_win_sweep *s = &sh->sweep;

	if (!attrs->folder || !attrs->has_mtime || (int64_t)attrs->mtime + STALE_S > s->now_s ||
	    !ssh_win_is_private_folder((const char *)name.data, name.len) || s->folders_n == ARRAY_LEN(s->folders))
		return;
	s->folders[s->folders_n++] = str_fmt("%s/%.*s", job->path, (int)name.len, (const char *)name.data);
}

/* Where it could not all be listed, what was seen is as good. */
static void listed(struct ssh_win_shell *sh)
{
	next_folder(sh);
}

static void own_folder_removed(struct ssh_win_shell *sh)
{
	char *temp = str_ndup(sh->sftp_folder, (size_t)(strrchr(sh->sftp_folder, '/') - sh->sftp_folder));
	struct ssh_file_job *job;

	if (sh->sweep.now_s) {
		job = ssh_win_job(sh, FILE_LIST, temp);
		job->entry = on_folder;
		ssh_win_step_job(sh, job, listed);
	} else {
		ended(sh);
	}
	free(temp);
}

static void own_folder_seen(struct ssh_win_shell *sh)
{
	const struct sftp_attrs *attrs = &sh->job->attrs;
	char *text = str_fmt("rmdir /s /q %s >nul 2>nul", sh->folder);

	sh->sweep.now_s = !sh->fault.code && attrs->has_mtime ? attrs->mtime : 0;
	ssh_win_step_line(sh, text, own_folder_removed);
	free(text);
}

void ssh_win_sweep_begin(struct ssh_win_shell *sh, ssh_win_then *then)
{
	sh->sweep.then = then;
	ssh_win_step_file(sh, FILE_STAT, sh->sftp_folder, own_folder_seen);
}
