/*
 * sshshell: runs one exec request as OpenSSH for Windows runs it (contrib/win32/win32compat/w32-doexec.c there): the
 * default shell with the request between one pair of quotes, nothing escaped, in a job that ends with the session.
 *
 * The request is in the environment variable SSH_ORIGINAL_COMMAND (sshd's ForceCommand), and not on the command line,
 * since Wine escapes quotes when it makes a command line out of arguments. No request is a shell without a terminal.
 * SSH_RC_FILE names a file that gets the exit code with all its 32 bits.
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define SHELL L"c:\\windows\\system32\\cmd.exe"
#define LINE_MAX_CHARS 32768

static wchar_t line[LINE_MAX_CHARS];

static void build_line(void)
{
	static wchar_t request[LINE_MAX_CHARS];

	DWORD n = GetEnvironmentVariableW(L"SSH_ORIGINAL_COMMAND", request, LINE_MAX_CHARS);
	SetEnvironmentVariableW(L"SSH_ORIGINAL_COMMAND", NULL);
	if (n == 0 || n >= LINE_MAX_CHARS)
		_snwprintf(line, LINE_MAX_CHARS - 1, L"\"%ls\"", SHELL);
	else
		_snwprintf(line, LINE_MAX_CHARS - 1, L"\"%ls\" /c \"%ls\"", SHELL, request);
}

/* Everything that the request started ends with this process, however that ends. */
static void join_job(void)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
	    .BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK,
	};

	HANDLE job = CreateJobObjectW(NULL, NULL);
	SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
	AssignProcessToJobObject(job, GetCurrentProcess());
}

static void write_code(DWORD code)
{
	wchar_t path[MAX_PATH];

	DWORD n = GetEnvironmentVariableW(L"SSH_RC_FILE", path, MAX_PATH);
	if (n == 0 || n >= MAX_PATH)
		return;
	FILE *file = _wfopen(path, L"wb");
	if (!file)
		return;
	fprintf(file, "%lu\n", code);
	fclose(file);
}

int wmain(void)
{
	STARTUPINFOW start = {
	    .cb = sizeof start,
	    .dwFlags = STARTF_USESTDHANDLES,
	    .hStdInput = GetStdHandle(STD_INPUT_HANDLE),
	    .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
	    .hStdError = GetStdHandle(STD_ERROR_HANDLE),
	};
	PROCESS_INFORMATION child;
	DWORD code;

	build_line();
	if (GetEnvironmentVariableW(L"SSH_NO_JOB", NULL, 0) == 0)
		join_job();
	if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))
		return 255;
	/* The far end sees the end of a pipe when the last one who holds it lets go, and that shall be the command. */
	CloseHandle(start.hStdInput);
	CloseHandle(start.hStdOutput);
	CloseHandle(start.hStdError);
	WaitForSingleObject(child.hProcess, INFINITE);
	GetExitCodeProcess(child.hProcess, &code);
	write_code(code);
	return (int)code;
}
