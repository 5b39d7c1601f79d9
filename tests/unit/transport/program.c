#include "tests/unit/transport/program.h"

#include "base/alloc.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool program_exists(const char *name)
{
	char *path = str_dup(getenv("PATH")), *save = NULL;
	bool found = false;

	for (char *dir = strtok_r(path, ":", &save); dir && !found; dir = strtok_r(NULL, ":", &save)) {
		char *file = str_fmt("%s/%s", dir, name);
		found = access(file, X_OK) == 0;
		free(file);
	}
	free(path);
	return found;
}

static void exchange(int to, int from, const struct buf *input, struct buf *out)
{
	size_t sent = 0;

	fcntl(to, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd fds[2] = {{.fd = from, .events = POLLIN}, {.fd = to, .events = POLLOUT}};
		char bytes[4096];
		ssize_t n;

		if (to >= 0 && (!input || sent == input->len)) {
			close(to);
			to = fds[1].fd = -1;
		}
		poll(fds, 2, -1);
		if (to >= 0 && fds[1].revents) {
			n = write(to, input->data + sent, input->len - sent);
			sent = n > 0 ? sent + (size_t)n : n < 0 && fds[1].revents & POLLERR ? input->len : sent;
		}
		if (!fds[0].revents)
			continue;
		n = read(from, bytes, sizeof(bytes));
		if (n <= 0)
			break;
		if (out)
			buf_add(out, bytes, (size_t)n);
	}
	if (to >= 0)
		close(to);
	close(from);
}

int program_run(const char *const *argv, const struct buf *input, struct buf *out)
{
	posix_spawn_file_actions_t actions;
	int in[2], outp[2], status;
	pid_t pid;

	ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(outp, O_CLOEXEC) == 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, outp[1], 1);
	ck_assert_int_eq(posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(outp[1]);
	exchange(in[1], outp[0], input, out);
	while (waitpid(pid, &status, 0) != pid)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *folder_make(void)
{
	char *folder = str_dup("/tmp/cutover-unit-XXXXXX");

	ck_assert_ptr_nonnull(mkdtemp(folder));
	return folder;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void folder_remove(char *folder)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(folder);
}
