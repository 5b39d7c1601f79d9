#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define CONFIG_MAX_BYTES (4 << 20)
#define CONTROL_MAX_BYTES 4096
#define POLL_MS 20

static void beside(wchar_t *path, const wchar_t *suffix)
{
	wchar_t program[MAX_PATH];

	GetModuleFileNameW(NULL, program, MAX_PATH);
	_snwprintf(path, MAX_PATH - 1, L"%ls%ls", program, suffix);
	path[MAX_PATH - 1] = 0;
}

/* Up to max bytes and a NUL of two bytes behind them; NULL where there is no such file. To be freed. */
static char *read_all(HANDLE file, size_t max, DWORD *size)
{
	char *bytes = calloc(1, max + 2);

	*size = 0;
	SetFilePointer(file, 0, NULL, FILE_BEGIN);
	for (DWORD n = 1; bytes && n > 0 && *size < max; *size += n)
		if (!ReadFile(file, bytes + *size, (DWORD)max - *size, &n, NULL))
			break;
	return bytes;
}

static HANDLE open_shared(const wchar_t *path)
{
	return CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
			   OPEN_EXISTING, 0, NULL);
}

static bool same(const char *seen, const wchar_t *wanted)
{
	for (; *seen && (wchar_t)*seen == *wanted; seen++)
		wanted++;
	return *seen == 0 && *wanted == 0;
}

bool control_has(const wchar_t *key, const wchar_t *word, DWORD *number)
{
	wchar_t path[MAX_PATH];
	DWORD size;
	bool found = false;

	beside(path, L".control");
	HANDLE file = open_shared(path);
	if (file == INVALID_HANDLE_VALUE)
		return false;
	char *text = read_all(file, CONTROL_MAX_BYTES, &size);
	CloseHandle(file);
	for (char *line = text; line; line = strchr(line, '\n')) {
		char line_key[64] = "", line_word[64] = "";
		unsigned long n = 0;
		line += *line == '\n';
		int fields = sscanf(line, "%63s %63s %lu", line_key, line_word, &n);
		if (fields < 2 || !same(line_word, word) || (!same(line_key, L"*") && !same(line_key, key)))
			continue;
		found = true;
		if (fields == 3)
			*number = n;
	}
	free(text);
	return found;
}

/* Both services write it, so each line is one write at the file's end. */
void log_line(const wchar_t *key, const wchar_t *text)
{
	wchar_t path[MAX_PATH];
	char line[512];
	SYSTEMTIME t;
	DWORD n;

	GetSystemTime(&t);
	int size = snprintf(line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %ls %ls\r\n", t.wYear, t.wMonth,
			    t.wDay, t.wHour, t.wMinute, t.wSecond, t.wMilliseconds, key, text);
	beside(path, L".log");
	HANDLE file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
				  OPEN_ALWAYS, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return;
	WriteFile(file, line, (DWORD)min((size_t)size, sizeof line - 1), &n, NULL);
	CloseHandle(file);
}

HANDLE config_hold(void)
{
	wchar_t path[MAX_PATH];

	beside(path, L".config");
	HANDLE file = CreateFileW(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
	return file == INVALID_HANDLE_VALUE ? NULL : file;
}

/* UTF-16LE becomes bytes, in place: what we look for is ASCII. */
static void narrow(char *text, DWORD size)
{
	if ((unsigned char)text[0] != 0xff || (unsigned char)text[1] != 0xfe)
		return;
	for (DWORD i = 2; i < size; i += 2)
		text[i / 2 - 1] = text[i + 1] ? '?' : text[i];
	text[size / 2 - 1] = 0;
}

static void blank_comments(char *text)
{
	for (char *from; (from = strstr(text, "<!--"));) {
		char *to = strstr(from, "-->");
		size_t n = to ? (size_t)(to + 3 - from) : strlen(from);
		memset(from, ' ', n);
	}
}

/* The host in the value of <add key="WS_SERVICE_URI" …>; false where there is none. */
static bool service_host(char *text, char *host, size_t size)
{
	blank_comments(text);
	for (char *tag = text; (tag = strstr(tag, "<add ")); tag++) {
		char *end = strchr(tag, '>'), *uri;
		if (!end)
			return false;
		*end = 0;
		bool ours = strstr(tag, "WS_SERVICE_URI") && (uri = strstr(tag, "://"));
		if (ours)
			snprintf(host, size, "%.*s", (int)strcspn(uri + 3, "/:\"'"), uri + 3);
		*end = '>';
		if (ours)
			return true;
	}
	return false;
}

void config_log(const wchar_t *key, HANDLE held)
{
	wchar_t path[MAX_PATH], text[400];
	char host[256];
	DWORD size;

	beside(path, L".config");
	HANDLE file = held ? held : open_shared(path);
	if (file == INVALID_HANDLE_VALUE) {
		_snwprintf(text, 399, L"config cannot be opened, error %lu", GetLastError());
		log_line(key, text);
		return;
	}
	char *bytes = read_all(file, CONFIG_MAX_BYTES, &size);
	if (bytes)
		narrow(bytes, size);
	if (bytes && service_host(bytes, host, sizeof host))
		_snwprintf(text, 399, L"config %lu bytes, %hs", size, host);
	else
		_snwprintf(text, 399, L"config %lu bytes, no WS_SERVICE_URI", size);
	log_line(key, text);
	free(bytes);
	if (!held)
		CloseHandle(file);
}

void start_again_later(const wchar_t *key)
{
	wchar_t program[MAX_PATH], line[MAX_PATH + 128];
	STARTUPINFOW start = {.cb = sizeof start};
	PROCESS_INFORMATION child;

	GetModuleFileNameW(NULL, program, MAX_PATH);
	_snwprintf(line, MAX_PATH + 127, L"\"%ls\" start-again %ls", program, key);
	if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &start, &child))
		return;
	CloseHandle(child.hProcess);
	CloseHandle(child.hThread);
}

int start_again(const wchar_t *key)
{
	SERVICE_STATUS status = {0};

	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, key, SERVICE_START | SERVICE_QUERY_STATUS);
	while (QueryServiceStatus(service, &status) && status.dwCurrentState != SERVICE_STOPPED)
		Sleep(POLL_MS);
	bool started = StartServiceW(service, 0, NULL);
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	return started ? 0 : 1;
}
