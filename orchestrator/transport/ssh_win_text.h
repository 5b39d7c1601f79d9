/*
 * The text that goes to cmd.exe on a Windows host, and the names of its files. Pure: bytes in, bytes out.
 *
 * What cmd.exe does to a line is not undone by quoting alone, so nothing of an agent's stands in a line of the resident
 * shell: arguments are in an uploaded file that runs the script without `call` (which would expand percent signs again
 * and double carets), and an operator's line is in a file that `for /f` reads, since what a loop's variable stands for
 * is not parsed again. Lines hold the private folder's name, numbers and the nonce; the folder has neither blanks nor
 * anything else that cmd.exe knows.
 */
#ifndef TRANSPORT_SSH_WIN_TEXT_H
#define TRANSPORT_SSH_WIN_TEXT_H

#include "base/op.h"

#include <stdbool.h>

/* A cmd.exe of its own in the session's: what a script does to its environment, folder or echo, or by `exit`, is gone
   with it, whatever the registry says of extensions and delayed expansion. */
#define WIN_CMD "cmd.exe /d /q /e:on /v:off /c"
#define WIN_UTF8 "chcp 65001 >nul& "

enum {
	WIN_LINE_MAX = 8000, /* cmd.exe takes 8191 characters (KB 830473) */
	WIN_PATH_MAX = 1024, /* bytes; Windows takes 260 UTF-16 units in most programs */
};

/* An absolute path of a local drive as Windows writes it, "C:\Program Files (x86)\x.config", that names one file: no
   stream, no "." or "..", no component that ends with a dot or a blank (Windows drops it), no character that no file's
   name has, UTF-8. 0 or E_INVAL. */
int ssh_win_path_check(const char *path, struct err *err);

/* "C:\a\b" as SFTP writes it, "/C:/a/b", and back; other forms are given back as they are. The caller frees. */
char *ssh_win_path_to_sftp(const char *path);
char *ssh_win_path_from_sftp(const char *path, size_t len);

/* The name `name` in the folder of the file `path` (either kind of separator). The caller frees. */
char *ssh_win_path_beside(const char *path, const char *name);
const char *ssh_win_path_name(const char *path);

/* Can this be asked of a Windows host (base/op.h)? 0, E_INVAL, or E_LIMIT where it is too long for cmd.exe. */
int ssh_win_op_check(const struct op *op, struct err *err);

/* "C:\WINDOWS" out of what `echo "%SystemRoot%"` printed, if it is a plain path: letters, digits, "_", "-". Else NULL.
   The caller frees. */
char *ssh_win_root_of(const char *words);

/* Is it the name of a session's private folder, "cutover-" and the nonce? Of a file in one? */
bool ssh_win_is_private_folder(const char *name, size_t len);
bool ssh_win_is_private_file(const char *name, size_t len);

bool ssh_win_is_ascii(const char *text);

/* A script with CR LF at the ends of its lines. */
void ssh_win_text_script(struct buf *out, const struct embedded *script);

/* The file that runs a script, `folder`\s`script`.cmd, with arguments. */
void ssh_win_text_run(struct buf *out, const char *folder, unsigned script, char *const *args, int args_n);

/* The file that holds an operator's line. */
void ssh_win_text_command(struct buf *out, const char *command);

/* Lines. All end with a mark "@NONCE LINE done" behind "@NONCE LINE code CODE". */
struct ssh_win_line {
	const char *nonce;
	unsigned number;
};

/* `text` is a command of ours. */
void ssh_win_line(struct buf *out, const struct ssh_win_line *line, const char *text);

/* Runs r`request`.cmd, its stdin from i`request` or nul, its output in o`request` and e`request`, and tells their
   sizes:
   "@NONCE LINE size BYTES" for each of both. page: 0, or it is in UTF-8, and this is the code page to go back to
   (cmd.exe reads batch files in the console's). */
void ssh_win_line_run(struct buf *out, const struct ssh_win_line *line, const char *folder, unsigned request,
		      bool input, unsigned page);

/* "@NONCE LINE root "%SystemRoot%"", and the code page: "@NONCE LINE page 932". */
void ssh_win_line_hello(struct buf *out, const struct ssh_win_line *line);

#endif
