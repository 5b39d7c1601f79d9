/*
 * What the resident cmd.exe says: lines; the ones with our nonce are marks, all else is noise (the version banner, a
 * prompt, what the login does), which is counted and of which the beginning is kept for errors. A mark that does not
 * fit costs the session.
 */
#include "transport/ssh_windows.h"

static int broken(struct ssh_win_shell *sh, const char *what)
{
	return err_set(sh->err, E_PROTOCOL, "cmd.exe on the host does not keep to the protocol: %s%s%.200s", what,
		       sh->text.len ? "; it also said: " : "", buf_str(&sh->text));
}

static int take_noise(struct ssh_win_shell *sh, const char *bytes, size_t len)
{
	buf_add(&sh->text, bytes, len);
	sh->noise += len;
	if (sh->noise > SHELL_NOISE_MAX)
		return broken(sh, "it floods the session with what is not an answer");
	return 0;
}

/* Where Windows is: the private folder's name. */
static int take_root(struct ssh_win_shell *sh, const char *words)
{
	char *root = ssh_win_root_of(words);

	if (!root)
		return err_set(sh->err, E_PROTOCOL,
			       "cmd.exe on the host says that Windows is in %.100s, which is no plain path", words);
	free(sh->folder);
	free(sh->sftp_folder);
	sh->folder = str_fmt("%s\\temp\\cutover-%s", root, sh->base.nonce);
	sh->sftp_folder = ssh_win_path_to_sftp(sh->folder);
	free(root);
	return 0;
}

/* "code N", "size N" of what ran; "page N" of hello; a file that is not there has no size. */
static int take_value(struct ssh_win_shell *sh, const char *words)
{
	int64_t n = -1;

	if (strncmp(words, "page ", 5) == 0) {
		words += 5 + strspn(words + 5, " ");
		sh->page = ssh_mark_numbers(words, &n, 1) && n > 0 && n < 65536 ? (unsigned)n : 0;
		return 0;
	}
	if (strncmp(words, "code ", 5) == 0) {
		if (sh->has_code || !ssh_mark_numbers(words + 5, &n, 1) || !ssh_mark_code(n))
			return broken(sh, "a broken code");
		sh->has_code = true;
		sh->code = (int32_t)n;
		return 0;
	}
	if (strncmp(words, "size", 4) == 0 && sh->line_runs && sh->sizes_n < 2) {
		if (words[4] && (!ssh_mark_numbers(words + 5, &n, 1) || n < 0))
			return broken(sh, "a broken size");
		sh->sizes[sh->sizes_n++] = n;
		return 0;
	}
	return broken(sh, "an unknown mark");
}

static int take_hello_done(struct ssh_win_shell *sh)
{
	if (!sh->folder)
		return broken(sh, "it does not say where Windows is");
	sh->up = true;
	sh->hello_out = false;
	ssh_win_send_line(sh);
	return 0;
}

static int take_done(struct ssh_win_shell *sh)
{
	if (!sh->has_code || (sh->line_runs && sh->sizes_n != 2))
		return broken(sh, "a line is done, and its code is missing");
	sh->line_out = false;
	ssh_win_go_on(sh);
	return 0;
}

static int take_mark(struct ssh_win_shell *sh, const char *words)
{
	char *after;
	unsigned long number = strtoul(words, &after, 10);
	bool hello = sh->hello_out && number == sh->hello_number;

	if (after == words || *after != ' ' || (!hello && !(sh->line_out && number == sh->line_number && sh->up)))
		return broken(sh, "an answer to something that was not asked");
	words = after + 1;
	if (strcmp(words, "done") == 0)
		return hello ? take_hello_done(sh) : take_done(sh);
	if (hello && strncmp(words, "root ", 5) == 0)
		return sh->folder ? 0 : take_root(sh, words + 5);
	return take_value(sh, words);
}

/* A mark may stand behind a prompt, or what somebody left unfinished; behind a blank it is the echo of our own line. */
static const char *mark_in(const struct ssh_win_shell *sh, const char *line)
{
	char prefix[SSH_NONCE_MAX + 3];
	const char *at;

	snprintf(prefix, sizeof(prefix), "@%s ", sh->base.nonce);
	at = strstr(line, prefix);
	return at && (at == line || at[-1] != ' ') ? at + strlen(prefix) : NULL;
}

static int take_line(struct ssh_win_shell *sh)
{
	struct buf line = sh->in;
	const char *words;
	int r;

	while (line.len && strchr("\r\n ", line.data[line.len - 1]))
		line.data[--line.len] = '\0';
	words = line.len ? mark_in(sh, line.data) : NULL;
	if (words)
		r = take_mark(sh, words);
	else
		r = line.len ? take_noise(sh, line.data, line.len) : 0;
	buf_clear(&sh->in);
	return r;
}

int ssh_win_shell_take(struct ssh_win_shell *sh, int stream, const char *bytes, size_t len, struct err *err)
{
	int r = 0;

	sh->err = err;
	if (stream)
		return take_noise(sh, bytes, len);
	while (len && !r) {
		const char *newline = memchr(bytes, '\n', len);
		size_t n = newline ? (size_t)(newline + 1 - bytes) : len;
		if (!buf_add(&sh->in, bytes, n)) {
			r = take_noise(sh, bytes, n);
			buf_clear(&sh->in);
			sh->in.truncated = false;
		} else if (newline) {
			r = take_line(sh);
		}
		bytes += n;
		len -= n;
	}
	return r;
}
