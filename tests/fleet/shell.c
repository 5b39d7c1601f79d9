/*
 * Three pipes are made, the host's init is started if it has none yet, and a shell joins it (spawn.h).
 * It fails when the machine has no more processes or descriptors.
 * It ends when the command does: nothing here kills it. The end of the server takes the hosts' inits with it, and
 * with them everything that still runs on the hosts.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shell.h"
#include "spawn.h"
#include "windows.h"

/* Three pipes; ours do not block, the shell's do. */
static bool open_pipes(int ours[3], int theirs[3])
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		for (int i = 0; i < 2 && in[i] >= 0; i++)
			close(in[i]);
		for (int i = 0; i < 2 && out[i] >= 0; i++)
			close(out[i]);
		return false;
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	memcpy(ours, (int[3]){in[1], out[0], err[0]}, sizeof(int[3]));
	memcpy(theirs, (int[3]){in[0], out[1], err[1]}, sizeof(int[3]));
	return true;
}

static void close_all(const int fds[3])
{
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void read_hostname(const struct fleet *fleet, const struct host *host, char *out, size_t size)
{
	char path[PATH_MAX + 64];
	FILE *in;

	out[0] = 0;
	snprintf(path, sizeof path, "%s/hosts/%s/hostname", fleet->root, host->name);
	in = fopen(path, "re");
	if (!in)
		return;
	if (fgets(out, (int)size, in))
		out[strcspn(out, " \t\r\n")] = 0;
	fclose(in);
}

/* A Windows host: a program on this machine gets the command in its environment. */
static pid_t spawn_windows(struct conn *conn, const char *command, const int theirs[3], char **code_file)
{
	struct windows_command what;
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/root";
	char *original = NULL, *code = NULL;
	pid_t pid;

	windows_command(&what, conn->fleet, conn->host, command);
	if (asprintf(&original, "SSH_ORIGINAL_COMMAND=%s", command ? command : "") < 0 ||
	    asprintf(&code, "WINHOST_CODE_FILE=%s", what.code_file) < 0)
		abort();
	char *env[] = {home, path, original, code, NULL};
	pid = spawn_start(&(struct spawn){.outside = true,
					  .command = what.line,
					  .env = env,
					  .nofile = &conn->fleet->nofile,
					  .stdio = {theirs[0], theirs[1], theirs[2]}});
	free(original);
	free(code);
	*code_file = pid < 0 ? NULL : strdup(what.code_file);
	return pid;
}

/* In the host's process namespace; an init that somebody killed is replaced. */
static pid_t spawn_at(struct host *host, struct spawn *spawn)
{
	for (int i = 0; i < 2; i++) {
		if (host->init <= 0)
			host->init = spawn_init();
		if (host->init < 0)
			return -1;
		spawn->init = host->init;
		pid_t pid = spawn_start(spawn);

		if (pid >= 0 || errno != ESRCH)
			return pid;
		host->init = 0;
	}
	return -1;
}

static pid_t spawn_shell(struct conn *conn, const char *command, const int theirs[3])
{
	static struct mounts mounts;
	char hostname[65], connection[128], client[128], fleet_host[32];
	char home[] = "HOME=/root", user[] = "USER=root", logname[] = "LOGNAME=root", shell[] = "SHELL=/bin/sh";
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = {home, user, logname, shell, path, connection, client, fleet_host, NULL};
	struct spawn spawn = {.mounts = &mounts,
			      .hostname = hostname,
			      .command = command,
			      .env = env,
			      .nofile = &conn->fleet->nofile,
			      .writable = conn->fleet->writable,
			      .stdio = {theirs[0], theirs[1], theirs[2]}};

	if (!mounts_read(&mounts, conn->fleet->root, conn->host->name)) {
		fprintf(stderr, "fleet: %s: %s\n", conn->host->name, mounts.problem);
		errno = EINVAL;
		return -1;
	}
	read_hostname(conn->fleet, conn->host, hostname, sizeof hostname);
	snprintf(connection, sizeof connection, "SSH_CONNECTION=%s %s %u", conn->peer, conn->host->name,
		 (unsigned)conn->fleet->port);
	snprintf(client, sizeof client, "SSH_CLIENT=%s %u", conn->peer, (unsigned)conn->fleet->port);
	snprintf(fleet_host, sizeof fleet_host, "FLEET_HOST=%s", conn->host->name);
	return spawn_at(conn->host, &spawn);
}

struct shell *shell_start(struct conn *conn, const char *command, int ours[3])
{
	struct fleet *fleet = conn->fleet;
	struct shell *shell = calloc(1, sizeof *shell);
	int theirs[3];

	if (!shell)
		abort();
	if (!open_pipes(ours, theirs)) {
		fprintf(stderr, "fleet: no pipes: %s\n", strerror(errno));
		free(shell);
		return NULL;
	}
	shell->pid = conn->host->windows ? spawn_windows(conn, command, theirs, &shell->code_file)
					 : spawn_shell(conn, command, theirs);
	if (shell->pid < 0) {
		fprintf(stderr, "fleet: %s: no shell: %s\n", conn->host->name, strerror(errno));
		close_all(ours);
		close_all(theirs);
		free(shell);
		return NULL;
	}
	close_all(theirs);
	shell->host = conn->host;
	list_append(&fleet->pids[(unsigned)shell->pid % PID_BUCKETS], &shell->node);
	if (++fleet->stats.children_running > fleet->stats.children_peak)
		fleet->stats.children_peak = fleet->stats.children_running;
	fleet_log(fleet, conn->host->name, "exec pid=%d %.300s", (int)shell->pid, command ? command : "(shell)");
	return shell;
}

void shell_forget(struct shell *shell)
{
	shell->owner = NULL;
}

static struct shell *shell_of(struct fleet *fleet, pid_t pid)
{
	struct list *bucket = &fleet->pids[(unsigned)pid % PID_BUCKETS];

	for (struct list *node = bucket->next; node != bucket; node = node->next) {
		struct shell *shell = container_of(node, struct shell, node);

		if (shell->pid == pid)
			return shell;
	}
	return NULL;
}

void shells_reap(struct fleet *fleet)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct shell *shell = shell_of(fleet, pid);

		if (!shell)
			continue; /* a host's init, killed by somebody */
		list_remove(&shell->node);
		fleet->stats.children_running--;
		fleet->stats.children_reaped++;
		fleet_log(fleet, shell->host->name, "exit pid=%d status=%d", (int)pid,
			  WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
		if (shell->owner)
			shell->ended(shell->owner, status);
		if (shell->code_file)
			unlink(shell->code_file);
		free(shell->code_file);
		free(shell);
	}
}
