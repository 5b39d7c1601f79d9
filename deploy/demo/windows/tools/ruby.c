/*
 * ruby.exe: the machine's own Ruby under the name that Windows gives it, so that the Ruby client of a Windows host
 * really runs, and is seen by tasklist while it does. It starts /run/winhost/ruby.sh on the Linux side with its own
 * arguments, shows what that wrote, and ends with its exit code.
 *
 * Wine starts a program of Linux but gives no handle of it, so the two speak by files, C:\windows\temp\ruby-PID.*: out,
 * err, code (written last), and alive, which this program writes again and again: when it is killed, ruby.sh sees that
 * and ends Ruby.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define POLL_MS 20
#define ALIVE_MS 200
#define LINE_CHARS 32767

static void path_of(const wchar_t *suffix, wchar_t path[MAX_PATH])
{
	_snwprintf(path, MAX_PATH - 1, L"C:\\windows\\temp\\ruby-%lu.%ls", GetCurrentProcessId(), suffix);
}

static void still_alive(void)
{
	wchar_t path[MAX_PATH];

	path_of(L"alive", path);
	FILE *file = _wfopen(path, L"wb");
	if (file)
		fclose(file);
}

/* What is behind the program's name, which may be in quotes. */
static const wchar_t *arguments(void)
{
	const wchar_t *line = GetCommandLineW();

	if (*line == L'"') {
		const wchar_t *quote = wcschr(line + 1, L'"');
		return quote ? quote + 1 : L"";
	}
	return line + wcscspn(line, L" \t");
}

static bool start(void)
{
	static wchar_t line[LINE_CHARS];
	STARTUPINFOW info = {.cb = sizeof info};
	PROCESS_INFORMATION child = {0};

	_snwprintf(line, LINE_CHARS - 1, L"sh /run/winhost/ruby.sh %lu %ls", GetCurrentProcessId(), arguments());
	return CreateProcessW(L"\\\\?\\unix\\bin\\sh", line, NULL, NULL, FALSE, 0, NULL, NULL, &info, &child);
}

static bool read_code(int *code)
{
	wchar_t path[MAX_PATH];

	path_of(L"code", path);
	FILE *file = _wfopen(path, L"rb");
	if (!file)
		return false;
	bool whole = fscanf(file, "%d.", code) == 1;
	fclose(file);
	return whole;
}

static void show(const wchar_t *suffix, DWORD which)
{
	wchar_t path[MAX_PATH];
	char bytes[4096];
	DWORD written;

	path_of(suffix, path);
	FILE *file = _wfopen(path, L"rb");
	for (size_t n; file && (n = fread(bytes, 1, sizeof bytes, file)) > 0;)
		WriteFile(GetStdHandle(which), bytes, (DWORD)n, &written, NULL);
	if (file)
		fclose(file);
}

static void clean_up(void)
{
	static const wchar_t *const all[] = {L"out", L"err", L"code", L"alive"};
	wchar_t path[MAX_PATH];

	for (size_t i = 0; i < 4; i++) {
		path_of(all[i], path);
		DeleteFileW(path);
	}
}

int wmain(void)
{
	int code = 0;

	clean_up();
	still_alive();
	if (!start()) {
		fprintf(stderr, "ruby.exe: /bin/sh cannot be started, error %lu\r\n", GetLastError());
		return 127;
	}
	for (DWORD since = GetTickCount(); !read_code(&code); Sleep(POLL_MS)) {
		if (GetTickCount() - since < ALIVE_MS)
			continue;
		still_alive();
		since = GetTickCount();
	}
	show(L"out", STD_OUTPUT_HANDLE);
	show(L"err", STD_ERROR_HANDLE);
	clean_up();
	return code;
}
