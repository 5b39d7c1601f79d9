#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "spawn.h"

#define STACK_BYTES (256 * 1024)

/*
 * The child begins by sharing the descriptors too, and takes a copy of its own of only the first few (close_range):
 * copying and closing all of 3000 sessions would cost more than all the rest. So the pipes' ends for it are put on
 * these numbers while it starts; /dev/null keeps them taken at other times.
 */
enum { CHILD_STDIO = 60, CHILD_END = CHILD_STDIO + 3 };

/* One line of the file. False: it names a path that is not allowed. */
static bool add_mount(struct mounts *mounts, const char *line, const char *root, const char *addr)
{
	line += strspn(line, "/ \t");
	if (!*line)
		return true;
	if (mounts->count == MOUNTS_MAX || strlen(line) > 250 || strstr(line, ".."))
		return false;
	snprintf(mounts->target[mounts->count], sizeof mounts->target[0], "/%s", line);
	if ((size_t)snprintf(mounts->source[mounts->count], PATH_MAX, "%s/hosts/%s/root/%s", root, addr, line) >=
	    PATH_MAX)
		return false;
	mounts->count++;
	return true;
}

bool mounts_read(struct mounts *mounts, const char *root, const char *addr)
{
	char path[PATH_MAX + 64], line[512];
	bool ok = true;
	FILE *in;

	mounts->count = 0;
	mounts->problem[0] = 0;
	snprintf(path, sizeof path, "%s/hosts/%s/mounts", root, addr);
	in = fopen(path, "re");
	if (!in && errno == ENOENT)
		return true;
	if (!in) {
		snprintf(mounts->problem, sizeof mounts->problem, "%s: %s", path, strerror(errno));
		return false;
	}
	while (ok && fgets(line, sizeof line, in)) {
		line[strcspn(line, " \t#\r\n")] = 0;
		ok = add_mount(mounts, line, root, addr);
	}
	if (!ok)
		snprintf(mounts->problem, sizeof mounts->problem, "%s: \"%s\" cannot be mounted", path, line);
	fclose(in);
	return ok;
}

/*
 * The child shares the parent's memory, and the parent waits until it has become the shell (as posix_spawn does it):
 * nothing is copied however big the server is. So from here to execve() only system calls, and no writing to what the
 * parent uses.
 */
static void complain(const char *what, const char *about)
{
	char text[PATH_MAX + 256];
	int n = snprintf(text, sizeof text, "fleet: %s %s: %s\n", what, about, strerrordesc_np(errno));

	if (n > 0 && write(STDERR_FILENO, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1) < 0)
		return;
}

/*
 * The host's folders are taken as detached mounts first, while all of them can be reached by their paths and are
 * writable; ROOT may well lie under a path that is covered then (/tmp).
 */
static int mount_all(const struct spawn *spawn)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	const struct mounts *mounts = spawn->mounts;
	int tree[MOUNTS_MAX];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		complain("cannot make the mounts private:", "/");
		return -1;
	}
	for (unsigned i = 0; i < mounts->count; i++) {
		tree[i] = open_tree(AT_FDCWD, mounts->source[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (tree[i] < 0) {
			complain("this host's", mounts->source[i]);
			return -1;
		}
	}
	if (!spawn->writable && mount_setattr(-1, "/", AT_RECURSIVE, &read_only, sizeof read_only)) {
		complain("cannot make read-only:", "/");
		return -1;
	}
	for (unsigned i = 0; i < mounts->count; i++) {
		if (move_mount(tree[i], "", AT_FDCWD, mounts->target[i], MOVE_MOUNT_F_EMPTY_PATH)) {
			complain("mount point on this machine:", mounts->target[i]);
			return -1;
		}
	}
	return 0;
}

static void reset_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	sigaction(SIGPIPE, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void enter_host(const struct spawn *spawn)
{
	if (mount_all(spawn))
		_exit(SPAWN_FAILED_CODE);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		complain("cannot mount", "/proc");
	if (spawn->hostname && *spawn->hostname && sethostname(spawn->hostname, strlen(spawn->hostname)))
		complain("cannot set the host name", spawn->hostname);
}

static int child_main(void *arg)
{
	const struct spawn *spawn = arg;
	char sh[] = "sh", c[] = "-c";
	char *argv[] = {sh, spawn->command ? c : NULL, (char *)spawn->command, NULL};

	if (close_range(CHILD_END, ~0U, CLOSE_RANGE_UNSHARE))
		_exit(SPAWN_FAILED_CODE);
	for (int i = 0; i < 3; i++)
		dup2(CHILD_STDIO + i, i);
	setsid();
	if (!spawn->outside)
		enter_host(spawn);
	if (chdir("/root") && chdir("/"))
		_exit(SPAWN_FAILED_CODE);
	setrlimit(RLIMIT_NOFILE, spawn->nofile);
	reset_signals();
	close_range(3, ~0U, 0);
	execve("/bin/sh", argv, spawn->env);
	complain("cannot run", "/bin/sh");
	_exit(SPAWN_FAILED_CODE);
}

static int dev_null = -1;

/* While the child uses it, the parent waits: one stack is enough. */
static _Alignas(64) char stack[STACK_BYTES];

/*
 * The last child's functions never returned, so their frames are still marked in the sanitizer's shadow memory, which
 * the child shared with us.
 */
static char *fresh_stack(void)
{
#ifdef __SANITIZE_ADDRESS__
	__asan_unpoison_memory_region(stack, sizeof stack);
#endif
	return stack + STACK_BYTES;
}

/* Ignored SIGCHLD stays ignored over execve(), so that the kernel reaps what falls to this process. */
static int init_main(void *arg)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	char name[] = "init", ever[] = "infinity";
	char *argv[] = {name, ever, NULL}, *env[] = {NULL};

	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	reset_signals();
	sigaction(SIGCHLD, &ignore, NULL);
	close_range(0, ~0U, CLOSE_RANGE_UNSHARE);
	execve("/bin/sleep", argv, env);
	_exit(SPAWN_FAILED_CODE);
}

pid_t spawn_init(void)
{
	return clone(init_main, fresh_stack(), CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWPID | SIGCHLD, NULL);
}

bool spawn_reserve(void)
{
	do
		dev_null = open("/dev/null", O_RDWR);
	while (dev_null >= 0 && dev_null < 3);
	if (dev_null < 0 || fcntl(dev_null, F_SETFD, FD_CLOEXEC))
		return false;
	for (int i = 0; i < 3; i++)
		if (dup3(dev_null, CHILD_STDIO + i, O_CLOEXEC) < 0)
			return false;
	return true;
}

static int open_pid_namespace(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		errno = ESRCH;
	return fd;
}

#define SPAWN_FLAGS (CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD)

static pid_t start_in_host(const struct spawn *spawn)
{
	int own = open_pid_namespace(getpid()), hosts = open_pid_namespace(spawn->init);
	pid_t pid = -1;

	if (own >= 0 && hosts >= 0 && !setns(hosts, CLONE_NEWPID)) {
		pid = clone(child_main, fresh_stack(), SPAWN_FLAGS | CLONE_NEWNS | CLONE_NEWUTS, (void *)(uintptr_t)spawn);
		int error = errno;

		if (setns(own, CLONE_NEWPID))
			abort();
		errno =
		    pid < 0 && error == ENOMEM ? ESRCH : error; /* ENOMEM: what the kernel says of a dead namespace */
	}
	if (own >= 0)
		close(own);
	if (hosts >= 0)
		close(hosts);
	return pid;
}

pid_t spawn_start(const struct spawn *spawn)
{
	pid_t pid;

	for (int i = 0; i < 3; i++)
		dup3(spawn->stdio[i], CHILD_STDIO + i, O_CLOEXEC);
	if (spawn->outside)
		pid = clone(child_main, fresh_stack(), SPAWN_FLAGS, (void *)(uintptr_t)spawn);
	else
		pid = start_in_host(spawn);
	int error = errno;
	for (int i = 0; i < 3; i++)
		dup3(dev_null, CHILD_STDIO + i, O_CLOEXEC);
	errno = error;
	return pid;
}
