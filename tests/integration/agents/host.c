#include "tests/integration/agents/host.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *impossible;
static enum host_shell shell;

/* ---- namespaces ------------------------------------------------------------------------------------------------- */

/* Before main: everything that follows is the first process of a process namespace. */
__attribute__((constructor)) static void enter(void)
{
	pid_t pid;
	int status;

	if (geteuid() != 0) {
		impossible = "hosts of these tests need root";
		return;
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) {
		impossible = "this machine allows no namespaces";
		return;
	}
	pid = fork();
	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pid < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		impossible = "this machine allows no mounts";
}

const char *host_possible(void)
{
	return impossible;
}

static void must_mount(const char *type, const char *on, const char *data)
{
	ck_assert_msg(mount(type, on, type, 0, data) == 0, "mount %s on %s: %s", type, on, strerror(errno));
}

/* Links for all of BusyBox's tools, which come first in PATH then. */
static void install_tools(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/bin/busybox", "busybox", "--install", "-s", "/mnt/tools", (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(host_exists("/mnt/tools/find"));
}

bool host_up(enum host_shell which)
{
	static const char *const empty[] = { "/opt", "/srv", "/home", "/root", "/var/spool/cron" };

	if (which == HOST_BUSYBOX && access("/bin/busybox", X_OK) != 0) {
		printf("SKIP: this machine has no busybox\n");
		return false;
	}
	shell = which;
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	must_mount("tmpfs", "/mnt", "mode=755");
	ck_assert_int_eq(mkdir("/mnt/upper", 0755) | mkdir("/mnt/work", 0755) | mkdir("/mnt/tools", 0755), 0);
	must_mount("overlay", "/etc", "lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work");
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		must_mount("tmpfs", empty[i], "mode=755");
	if (which == HOST_BUSYBOX)
		install_tools();
	host_append("/etc/passwd", "imhs:x:4000:4000::/home/imhs:/bin/sh\n");
	host_append("/etc/group", "imhs:x:4000:\n");
	host_write("/etc/crontab", 0, 0644, "SHELL=/bin/sh\n17 *\t* * *\troot\tcd / && run-parts /etc/cron.hourly\n");
	ck_assert_int_eq(mkdir("/var/spool/cron/crontabs", 01730), 0);
	ck_assert_int_eq(mkdir("/home/imhs", 0755), 0);
	return true;
}

void host_hide_ruby(void)
{
	static const char *const places[] = { "/usr/bin/ruby", "/usr/local/bin/ruby" };

	host_write("/mnt/no-ruby", 0, 0644, "");
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *real = realpath(places[i], NULL);

		if (real)
			ck_assert_int_eq(mount("/mnt/no-ruby", real, NULL, MS_BIND, NULL), 0);
		free(real);
	}
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

void host_write_bytes(const char *path, uid_t uid, mode_t mode, const void *bytes, size_t len)
{
	char *folder = file_dirname(path);
	struct err err = { 0 };

	ck_assert_msg(file_mkdirs(folder, 0755, &err) == 0, "%s", err.text);
	ck_assert_msg(file_write(path, mode, bytes, len, &err) == 0, "%s", err.text);
	ck_assert_int_eq(chown(path, uid, uid), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	free(folder);
}

void host_write(const char *path, uid_t uid, mode_t mode, const char *text)
{
	host_write_bytes(path, uid, mode, text, strlen(text));
}

void host_append(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

char *host_read(const char *path)
{
	struct buf bytes = BUF_INIT;

	if (file_read(path, 8 << 20, &bytes, NULL) != 0)
		return NULL;
	return buf_detach(&bytes);
}

bool host_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int host_count(const char *folder)
{
	DIR *dir = opendir(folder);
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

/* ---- processes -------------------------------------------------------------------------------------------------- */

pid_t host_start(const char *folder, const char *const argv[])
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (chdir(folder) != 0 || setgroups(0, NULL) != 0 || setgid(HOST_UID) != 0 || setuid(HOST_UID) != 0)
			_exit(126);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ready[1]);
	/* the end of the pipe is closed by exec: then it is what it is to be */
	while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	return pid;
}

void host_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* ---- ops -------------------------------------------------------------------------------------------------------- */

static void read_fd(int fd, size_t max, struct buf *out)
{
	ssize_t n = 1;

	out->max = max;
	lseek(fd, 0, SEEK_SET);
	while (n > 0) {
		char piece[4096];

		n = read(fd, piece, sizeof(piece));
		if (n > 0)
			buf_add(out, piece, (size_t)n);
	}
	close(fd);
}

static int private_file(const struct buf *bytes)
{
	int fd = memfd_create("op", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	if (bytes)
		ck_assert_int_eq(write(fd, buf_str(bytes), bytes->len), (ssize_t)bytes->len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Worse than the real way: the arguments are seen in the command line, as everything that looks for the client must bear. */
static void exec_shell(const struct op *op, const char *script)
{
	const char *argv[OP_ARGS_MAX + 6];
	int n = 0;

	argv[n++] = shell == HOST_BUSYBOX ? "busybox" : "sh";
	if (shell == HOST_BUSYBOX)
		argv[n++] = "sh";
	argv[n++] = "-c";
	argv[n++] = script;
	argv[n++] = "sh";
	for (int i = 0; i < op->args_n; i++)
		argv[n++] = op->args[i];
	argv[n] = NULL;
	setenv("PATH",
	       shell == HOST_BUSYBOX ? "/mnt/tools:/usr/sbin:/usr/bin:/sbin:/bin" : "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (host_exists("/mnt/fake"))
		setenv("PATH", "/mnt/fake:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("LANG", "en_US.UTF-8", 1);
	execv(shell == HOST_BUSYBOX ? "/bin/busybox"
	      : shell == HOST_BASH  ? "/bin/bash"
				    : "/bin/dash",
	      (char *const *)argv);
	_exit(127);
}

static void run(const struct op *op, const char *script, struct op_result *result)
{
	int in = private_file(&op->input), out = private_file(NULL), err = private_file(NULL), status;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(in, 0);
		dup2(out, 1);
		dup2(err, 2);
		if (chdir("/") != 0)
			_exit(126);
		exec_shell(op, script);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result->started = true;
	close(in);
	read_fd(out, op->max_out_bytes, &result->out);
	read_fd(err, op->max_out_bytes, &result->err);
}

static void tell_about(const char *path, struct op_file *file)
{
	struct passwd *pw;
	struct group *gr;
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	pw = getpwuid(st.st_uid);
	gr = getgrgid(st.st_gid);
	*file = (struct op_file){
		.real_path = realpath(path, NULL),
		.mode = st.st_mode & 07777,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.owner = pw ? str_dup(pw->pw_name) : str_fmt("%u", st.st_uid),
		.group = gr ? str_dup(gr->gr_name) : str_fmt("%u", st.st_gid),
		.links = st.st_nlink,
		.size_bytes = st.st_size,
		.mtime_s = st.st_mtime,
	};
}

static void get(const struct op *op, struct op_result *result)
{
	result->started = true;
	result->out.max = op->max_out_bytes;
	if (file_read(op->path, op->max_out_bytes, &result->out, &result->failure) == 0)
		tell_about(op->path, &result->file);
}

static void keep_backup(const struct op *op, const char *real, const struct buf *old, const struct stat *st)
{
	char *folder = file_dirname(real), *backup = op->backup ? file_join(folder, op->backup) : NULL;

	if (backup && !host_exists(backup))
		host_write_bytes(backup, st->st_uid, st->st_mode & 07777, buf_str(old), old->len);
	free(backup);
	free(folder);
}

static void replace(const struct op *op, struct op_result *result)
{
	char *real = realpath(op->path, NULL), sha[SHA256_HEX_MAX];
	struct buf old = BUF_INIT;
	struct stat st;

	result->started = true;
	if (!real || file_read(real, 64 << 20, &old, &result->failure) != 0) {
		if (!real)
			err_set(&result->failure, E_NOTFOUND, "%s does not exist", op->path);
	} else if (stat(real, &st) != 0 || st.st_nlink > 1) {
		err_set(&result->failure, E_INVAL, "%s has several hard links", op->path);
	} else if (strcmp(sha256_hex(buf_str(&old), old.len, sha), op->expect_sha256) != 0) {
		err_set(&result->failure, E_CHANGED, "%s was changed meanwhile", op->path);
	} else {
		keep_backup(op, real, &old, &st);
		host_write_bytes(real, st.st_uid, st.st_mode & 07777, buf_str(&op->input), op->input.len);
	}
	buf_release(&old);
	free(real);
}

void host_do(const struct op *op, struct op_result *result)
{
	*result = (struct op_result){ 0 };
	switch (op->kind) {
	case OP_RUN:
		run(op, op->script->data, result);
		return;
	case OP_EXEC:
		run(op, op->command, result);
		return;
	case OP_GET:
		get(op, result);
		return;
	case OP_REPLACE:
		replace(op, result);
		return;
	case OP_HTTP: /* asks no host */
	case OP_SMTP:
		abort();
	}
}
