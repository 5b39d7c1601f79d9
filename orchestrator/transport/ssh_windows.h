/*
 * The resident cmd.exe of a Windows host, as its files see it: ssh_windows.c (the shell itself), ssh_win_answer.c (what
 * it says), ssh_win_run.c (OP_RUN), ssh_win_file.c (OP_GET), ssh_win_replace.c and ssh_win_copy.c (OP_REPLACE),
 * ssh_win_exec.c (OP_EXEC), ssh_win_sweep.c (what killed controllers have left).
 *
 *     STARTING → FOLDER → IDLE ⇄ WORKING → TIDYING → IDLE
 *                           ├→ TIDYING (the folder is touched)
 *                           └→ ENDING → ENDED
 *
 * STARTING: cmd.exe tells where Windows is, and SFTP its version. FOLDER: the session's private folder is made, in
 * %SystemRoot%\temp: that path has no blank and nothing else that cmd.exe would look at, whoever logs in (a user's own
 * temp folder has the user's name in it), every account may make folders there, and none may list it, so that a name
 * with the nonce in it is found by nobody else. WORKING: a request. TIDYING: its files are removed, while its result is
 * on the way. ENDING: the folder is removed, and then what others have left.
 *
 * A controller that is killed, or whose line is cut, leaves its folder: scripts, and what the last one has printed (the
 * files of a request go behind it). The next session that ends on this host removes it, if it was not touched for a day
 * by the host's own clock; a session that lives touches its folder with each request, and every WIN_TOUCH_MS while it
 * has none. What an operator may find: cutover-<16 digits>, younger than that, or one that a process left running still
 * writes to, or one that the login may not list or remove. It may be removed by hand as soon as no controller runs.
 *
 * A request is a chain of steps, one at a time: a line for cmd.exe, a file by SFTP, or a pause. Each step names the
 * function that goes on when it has ended (`then`); `fault` tells it how the step ended, code 0 for well.
 */
#ifndef TRANSPORT_SSH_WINDOWS_H
#define TRANSPORT_SSH_WINDOWS_H

#include "transport/ssh_files.h"
#include "transport/ssh_shell.h"
#include "transport/ssh_win_text.h"

enum ssh_win_state { WIN_STARTING, WIN_FOLDER, WIN_IDLE, WIN_WORKING, WIN_TIDYING, WIN_ENDING, WIN_ENDED };

struct ssh_win_shell;
typedef void ssh_win_then(struct ssh_win_shell *sh);

enum { WIN_TOUCH_MS = 6 * 3600 * 1000 };

/* A script that runs in the resident shell. */
struct ssh_win_call {
	const struct embedded *script;
	char *const *args;
	int args_n;
	const struct buf *input; /* or NULL: nul */
	size_t max_out_bytes;
	bool may_be_ended; /* when time is up; else it is waited for */
	ssh_win_then *then;
	/* what came of it, when `then` is called: sh->fault, and */
	bool called, ran; /* it was begun; its line was sent */
	int32_t exit_code;
	struct buf out, err;

	unsigned number;  /* of the script */
	unsigned page;    /* 0, or the code page to go back to: it has letters that are not ASCII */
	int64_t sizes[2]; /* of both outputs */
	struct err fault;
};

struct ssh_win_replace {
	char *path, *beside, *backup, *backup_beside; /* as SFTP writes them; backup: NULL for none */
	char *windows_beside;                         /* as cmd.exe knows it */
	bool read_only;                               /* the file is, and has to be so in the end */
	bool writable;                                /* it was found not to be so behind the copy */
	bool beside_made, backup_beside_made;
	bool in_place;    /* copy cannot name the file */
	bool keep_beside; /* it is all that is left of the new content */
	struct buf old;
	int32_t copy_code;
	int pause_ms;
	char *args[3], read_only_word[2];
	char said[120];      /* by copy, when it failed */
	ssh_win_then *again; /* what is tried once more behind a pause */
	struct err fault;    /* the first one, which is the request's */
};

/* What is left of other sessions; a few, the rest is for the next one. */
struct ssh_win_sweep {
	ssh_win_then *then;
	int64_t now_s; /* by the host's clock; 0: not known */
	char *folders[8], *files[64];
	size_t folders_n, files_n; /* of the last folder */
	bool foreign;              /* there is something else in it */
};

struct ssh_win_shell {
	struct ssh_shell base;
	struct ssh_channel channel;
	struct ssh_files *files;
	struct sm sm;
	struct err *err; /* of the step that is under way */
	struct buf in;   /* the line that is being received */
	size_t noise;
	struct buf text; /* the beginning of what is not ours */
	bool up;         /* cmd.exe has said hello */
	bool hello_out;  /* it is asked to */
	unsigned hello_number;
	struct err folder_fault;
	char *folder, *sftp_folder;
	unsigned page; /* the code page; 0: not known */
	const struct embedded **scripts;
	size_t scripts_n;
	bool exec_sent; /* exec.cmd */
	struct err exec_fault;

	/* the step that is under way */
	ssh_win_then *then;
	struct buf line; /* what was sent, or waits for hello */
	unsigned line_number;
	bool line_out, line_runs, has_code;
	int32_t code;
	int64_t sizes[2];
	int sizes_n;
	struct ssh_file_job *job; /* the one that has ended, for `then` */
	int64_t pause_until_ms;
	struct err fault;

	bool stopped; /* its time is over, or it was cancelled */
	bool killed;
	int64_t stop_until_ms;
	struct ssh_win_call call;
	struct ssh_win_replace replace;
	int64_t touch_at_ms;
	struct ssh_win_sweep sweep;
};

/* Steps. file: the job's outcome is in sh->job (and in sh->fault) when `then` is called. */
void ssh_win_step_line(struct ssh_win_shell *sh, const char *text, ssh_win_then *then);
void ssh_win_step_run(struct ssh_win_shell *sh, ssh_win_then *then); /* what sh->call says */
void ssh_win_step_file(struct ssh_win_shell *sh, enum ssh_file_verb verb, const char *path, ssh_win_then *then);
void ssh_win_step_job(struct ssh_win_shell *sh, struct ssh_file_job *job, ssh_win_then *then);
void ssh_win_step_pause(struct ssh_win_shell *sh, int ms, ssh_win_then *then);

/* A job to be filled in before it is given to ssh_win_step_job. */
struct ssh_file_job *ssh_win_job(struct ssh_win_shell *sh, enum ssh_file_verb verb, const char *path);

/* "FOLDER/NAMENUMBER.SUFFIX" of the private folder as SFTP writes it. The caller frees. */
char *ssh_win_private(const struct ssh_win_shell *sh, const char *name, unsigned number, const char *suffix);

/* Ends the request that runs, well or not. */
void ssh_win_done(struct ssh_win_shell *sh);
void ssh_win_fail(struct ssh_win_shell *sh, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ssh_windows.c for ssh_win_answer.c: the step that was under way has ended; cmd.exe can take the line that waits. */
void ssh_win_go_on(struct ssh_win_shell *sh);
void ssh_win_send_line(struct ssh_win_shell *sh);

/* Is its time over (E_TIMEOUT) or was it cancelled (E_CANCELED)? Sets sh->fault and returns true. */
bool ssh_win_stopped(struct ssh_win_shell *sh);

/* ssh_win_run.c */
void ssh_win_run_begin(struct ssh_win_shell *sh);
void ssh_win_call(struct ssh_win_shell *sh);
void ssh_win_call_release(struct ssh_win_call *call);

/* ssh_win_sweep.c: removes the session's folder, then what is left of others. */
void ssh_win_sweep_begin(struct ssh_win_shell *sh, ssh_win_then *then);
void ssh_win_sweep_release(struct ssh_win_sweep *sweep);

/* ssh_win_file.c, ssh_win_replace.c */
void ssh_win_get_begin(struct ssh_win_shell *sh);
int ssh_win_open_fault(const struct ssh_file_job *job);
const char *ssh_win_file_fault(const struct sftp_attrs *attrs);
void ssh_win_replace_begin(struct ssh_win_shell *sh);
void ssh_win_replace_release(struct ssh_win_replace *replace);

/* OP_REPLACE, shared by ssh_win_replace.c (what is put beside the file, and the end) and ssh_win_copy.c (the copy). */
enum { WIN_FILE_BYTES_MAX = 16 << 20, WIN_MODE_WRITABLE = 0666, WIN_MODE_READ_ONLY = 0444 };

const struct op *ssh_win_replace_op(const struct ssh_win_shell *sh);
void ssh_win_replace_check(struct ssh_win_shell *sh); /* the copy begins with it */

/* The end: puts the read-only attribute back, removes what is beside, and then the request has its result: the first
   fault, or none. */
void ssh_win_replace_settle(struct ssh_win_shell *sh);
void ssh_win_replace_fail(struct ssh_win_shell *sh, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Is time over? Then it has been ended. Only where nothing was changed yet. */
bool ssh_win_replace_stopped(struct ssh_win_shell *sh);

/* Somebody holds the file: `again` behind a pause, or the end with E_BUSY. */
void ssh_win_replace_wait_for_holder(struct ssh_win_shell *sh, ssh_win_then *again);

void ssh_win_replace_set_mode(struct ssh_win_shell *sh, const char *path, unsigned mode, ssh_win_then *then);
void ssh_win_replace_read_file(struct ssh_win_shell *sh, const char *path, ssh_win_then *then);
void ssh_win_replace_write_bytes(struct ssh_win_shell *sh, const char *path, const struct buf *bytes, bool in_place,
				 ssh_win_then *then);
bool ssh_win_replace_same(const struct buf *a, const struct buf *b);

/* ssh_win_exec.c, and what it needs: the order to end a channel's process. False: it cannot be given. */
void ssh_win_exec_begin(struct ssh_exec *x);
bool ssh_win_exec_started(struct ssh_exec *x, const char *words);
void ssh_win_exec_kill(struct ssh_exec *x);
void ssh_win_exec_gone(struct ssh_exec *x);
bool ssh_win_send_kill(LIBSSH2_CHANNEL *channel);

/* What a step is made of: takes what came on stdout (stream 0) or stderr (1); does what is due. */
int ssh_win_shell_take(struct ssh_win_shell *sh, int stream, const char *bytes, size_t len, struct err *err);
int ssh_win_shell_turn(struct ssh_win_shell *sh, struct err *err);
struct ssh_win_shell *ssh_win_shell_of(struct ssh_shell *shell);

#endif
