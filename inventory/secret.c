#include "inventory/secret.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/redact.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- form ------------------------------------------------------------------------------------------------------- */

/* The words of a command: split at blanks; quotes and backslashes as in sh, and nothing else of it. NULL when a quote
   is not closed. The words end with NULL; the caller frees them with free_words. */
static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		str_free_secret(words[i]);
	free(words);
}

/* One word from *p on, which is moved behind it. False where a quote is not closed. */
static bool read_word(const char **p, struct buf *word)
{
	char quote = 0;

	for (; **p && (quote || !isspace((unsigned char)**p)); (*p)++) {
		if (quote == '\'' || (quote && **p != '\\')) {
			if (**p == quote)
				quote = 0;
			else
				buf_addc(word, **p);
		} else if (**p == '\\' && (*p)[1]) {
			buf_addc(word, *++*p);
		} else if (**p == '\'' || **p == '"') {
			quote = **p;
		} else {
			buf_addc(word, **p);
		}
	}
	return quote == 0;
}

static char **split_words(const char *text)
{
	char **words = NEW_N(char *, strlen(text) + 2);
	size_t n = 0;

	for (const char *p = text + strspn(text, " \t"); *p; p += strspn(p, " \t")) {
		struct buf word = BUF_INIT;
		bool closed = read_word(&p, &word);
		words[n] = str_dup(buf_str(&word));
		buf_release_secret(&word);
		n++;
		if (!closed) {
			free_words(words);
			return NULL;
		}
	}
	return words;
}

static int check_env(const char *name, struct err *err)
{
	if (*name && !isdigit((unsigned char)*name) &&
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_{}.-") == strlen(name))
		return 0;
	return err_set(err, E_INVAL, "what follows \"env:\" is no name of an environment variable");
}

static int check_file_name(const char *path, struct err *err)
{
	return *path ? 0 : err_set(err, E_INVAL, "no path follows \"file:\"");
}

static int check_command(const char *command, struct err *err)
{
	char **words = split_words(command);
	int r = 0;

	if (!words)
		r = err_set(err, E_INVAL, "a quote is not closed in the command");
	else if (!words[0] || !*words[0])
		r = err_set(err, E_INVAL, "no command follows \"command:\"");
	free_words(words);
	return r;
}

static int check_credential(const char *name, struct err *err)
{
	if (*name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return 0;
	return err_set(err, E_INVAL, "what follows \"credential:\" is no name of a credential");
}

/* ---- resolving -------------------------------------------------------------------------------------------------- */

static int check_stat(const struct stat *st, const char *path, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, E_INVAL, "the secret file %s is no regular file", path);
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(err, E_PERM, "the secret file %s belongs to another user (uid %ld)", path,
			       (long)st->st_uid);
	if (st->st_mode & 077)
		return err_set(err, E_PERM, "the secret file %s can be read by others (mode %04o); chmod 600 it", path,
			       (unsigned)(st->st_mode & 07777));
	return 0;
}

int secret_check_file(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, errno, "the secret file %s cannot be used", path);
	return check_stat(&st, path, err);
}

static int read_env(const char *name, int timeout_ms, struct buf *out, struct err *err)
{
	const char *value = getenv(name);

	(void)timeout_ms;
	if (!value)
		return err_set(err, E_NOTFOUND, "the environment variable %s is not set", name);
	if (!buf_adds(out, value))
		return err_set(err, E_LIMIT, "the value of %s is larger than %zu bytes", name, SECRET_MAX_BYTES);
	return 0;
}

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char bytes[4096];
	ssize_t n;
	int r = 0;

	while (!r && (n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno != EINTR)
			r = err_errno(err, errno, "the secret file %s cannot be read", path);
		else if (n > 0 && !buf_add(out, bytes, (size_t)n))
			r = err_set(err, E_LIMIT, "the secret file %s is larger than %zu bytes", path,
				    SECRET_MAX_BYTES);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return r;
}

/* Checked by descriptor, so that the file that was looked at is the one that is read. */
static int read_file(const char *path, int timeout_ms, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	(void)timeout_ms;
	if (fd < 0)
		return err_errno(err, errno, "the secret file %s cannot be used", path);
	r = fstat(fd, &st) < 0 ? err_errno(err, errno, "the secret file %s cannot be used", path)
			       : check_stat(&st, path, err);
	if (!r)
		r = read_all(fd, path, out, err);
	close(fd);
	return r;
}

static int read_credential(const char *name, int timeout_ms, struct buf *out, struct err *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char *path;
	int r;

	(void)timeout_ms;
	if (!folder)
		return err_set(err, E_NOTFOUND,
			       "credential:%s: $CREDENTIALS_DIRECTORY is not set; systemd sets it for a service "
			       "with LoadCredential=",
			       name);
	path = str_fmt("%s/%s", folder, name);
	r = file_read(path, SECRET_MAX_BYTES, out, err);
	free(path);
	return r;
}

/* Its own process group, so that all of it can be killed; stdin is empty, stderr is ours. */
static int start(char **words, int stdout_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, stdout_fd, 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	r = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Reads until the end or the deadline. */
static int drain(int fd, int64_t deadline_ms, struct buf *out, struct err *err)
{
	char bytes[4096];
	int r = 0;

	while (!r) {
		int64_t left = deadline_ms - clock_mono_ms(&clock_system);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
		ssize_t n = ready > 0 ? read(fd, bytes, sizeof(bytes)) : -1;
		if (ready == 0)
			r = err_set(err, E_TIMEOUT, "the secret command did not end in time");
		else if (n == 0)
			break;
		else if (n < 0 && errno != EINTR)
			r = err_errno(err, errno, "the output of the secret command cannot be read");
		else if (n > 0 && !buf_add(out, bytes, (size_t)n))
			r = err_set(err, E_LIMIT, "the secret command gave more than %zu bytes", SECRET_MAX_BYTES);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return r;
}

/* Waits until the deadline; then the whole group is killed. */
static int reap(pid_t pid, int64_t deadline_ms, bool kill_now, int *status)
{
	while (!kill_now) {
		pid_t r = waitpid(pid, status, WNOHANG);
		if (r == pid)
			return 0;
		if ((r < 0 && errno != EINTR) || clock_mono_ms(&clock_system) >= deadline_ms)
			break;
		poll(NULL, 0, 5);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return E_TIMEOUT;
}

static int run_words(char **words, int timeout_ms, struct buf *out, struct err *err)
{
	int64_t deadline = clock_mono_ms(&clock_system) + timeout_ms;
	int fds[2], status = 0, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, errno, "no pipe for the secret command");
	r = start(words, fds[1], &pid);
	close(fds[1]);
	if (r) {
		close(fds[0]);
		return err_errno(err, r, "the secret command %s cannot be run", words[0]);
	}
	r = drain(fds[0], deadline, out, err);
	close(fds[0]);
	if (reap(pid, deadline, r != 0, &status) != 0 && !r)
		r = err_set(err, E_TIMEOUT, "the secret command %s did not end in time", words[0]);
	if (r)
		return r;
	if (WIFSIGNALED(status))
		return err_set(err, E_IO, "the secret command %s was killed by signal %d", words[0], WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, E_IO, "the secret command %s ended with %d", words[0], WEXITSTATUS(status));
	return 0;
}

static int read_command(const char *command, int timeout_ms, struct buf *out, struct err *err)
{
	char **words = split_words(command);
	int r = words && words[0] ? run_words(words, timeout_ms, out, err)
				  : err_set(err, E_INVAL, "no command follows \"command:\"");

	free_words(words);
	return r;
}

static const struct form {
	const char *prefix;
	int (*check)(const char *rest, struct err *err);
	int (*read)(const char *rest, int timeout_ms, struct buf *out, struct err *err);
} forms[] = {
	{ "env:", check_env, read_env },
	{ "file:", check_file_name, read_file },
	{ "command:", check_command, read_command },
	{ "credential:", check_credential, read_credential },
};

static const struct form *form_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strncmp(text, forms[i].prefix, strlen(forms[i].prefix)) == 0)
			return &forms[i];
	return NULL;
}

int secret_check(const char *text, struct err *err)
{
	const struct form *form = form_of(text);

	if (form)
		return form->check(text + strlen(form->prefix), err);
	return err_set(err, E_INVAL,
		       "a secret does not stand in the inventory itself; write where it is: \"env:NAME\", "
		       "\"file:PATH\", "
		       "\"command:…\" or \"credential:NAME\"");
}

static void trim_newline(struct buf *out)
{
	if (out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	if (out->len && out->data[out->len - 1] == '\r')
		out->data[--out->len] = '\0';
}

int secret_resolve(const char *text, struct buf *out, struct err *err)
{
	return secret_resolve_within(text, SECRET_COMMAND_TIMEOUT_MS, out, err);
}

int secret_resolve_within(const char *text, int command_timeout_ms, struct buf *out, struct err *err)
{
	const struct form *form = form_of(text);
	int r = secret_check(text, err);

	if (r)
		return r;
	buf_init(out, SECRET_MAX_BYTES);
	r = form->read(text + strlen(form->prefix), command_timeout_ms, out, err);
	if (r)
		goto out;
	trim_newline(out);
	if (out->len < REDACT_MIN_BYTES)
		r = err_set(err, E_INVAL,
			    "the secret behind %.*s has %zu bytes; at least %d are needed, since shorter ones could "
			    "not "
			    "be kept out of reports",
			    form->read == read_command ? 7 : 200, text, out->len, REDACT_MIN_BYTES);
	else
		redact_register(out->data, out->len);
out:
	if (r)
		buf_release_secret(out);
	return r;
}
