#include <sys/wait.h>
#include <unistd.h>

#include "windows.h"

/* Beside this program. */
static void path_of_sftp(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	path[n > 0 ? n : 0] = 0;
	slash = strrchr(path, '/');
	if (slash)
		snprintf(slash + 1, size - (size_t)(slash + 1 - path), "win_sftp");
}

void windows_command(struct windows_command *out, const struct fleet *fleet, const struct host *host,
		     const char *command)
{
	static unsigned serial;
	char path[PATH_MAX], sftp[PATH_MAX];

	snprintf(out->code_file, sizeof out->code_file, "%.3000s/hosts/%s/code.%u", fleet->root, host->name, ++serial);
	snprintf(path, sizeof path, "%.3000s/hosts/%s/session", fleet->root, host->name);
	path_of_sftp(sftp, sizeof sftp);
	if (!access(path, X_OK))
		snprintf(out->line, sizeof out->line, "exec '%s'", path);
	else if (command && !strcmp(command, WINDOWS_SFTP))
		snprintf(out->line, sizeof out->line, "cd '%.3000s/hosts/%s' && exec '%s' c held", fleet->root,
			 host->name, sftp);
	else
		snprintf(out->line, sizeof out->line,
			 "echo 'fleet: this Windows host runs no commands: there is no %s' >&2; exit 1", path);
}

uint32_t windows_exit_code(const char *code_file, int wait_status)
{
	FILE *in = fopen(code_file, "re");
	char text[32] = "";
	uint64_t code = (uint64_t)WEXITSTATUS(wait_status);

	if (!in)
		return (uint32_t)code;
	if (fgets(text, sizeof text, in)) {
		text[strcspn(text, "\r\n")] = 0;
		number_parse(text, &code);
	}
	fclose(in);
	unlink(code_file);
	return (uint32_t)code;
}
