/*
 * tasklist.exe: the processes of the host, as Windows' tasklist prints them (Wine's prints nothing and says 0).
 *
 *     tasklist [/fo csv|table|list] [/nh] [/fi "imagename eq|ne NAME"] [/fi "pid eq|ne|gt|lt NUMBER"]...
 *
 * Exit code 0 also where no process fits: then a line that begins with INFO: says so, on stdout, as on Windows.
 */
#include "lib_text.h"

#include <psapi.h>
#include <stdlib.h>
#include <tlhelp32.h>

#define FILTERS_MAX 8
#define PATTERN_CHARS 260

enum format { TABLE, CSV, LIST };

struct filter {
	bool by_name;
	wchar_t op[3];
	wchar_t value[PATTERN_CHARS];
};

static struct {
	enum format format;
	bool no_header;
	struct filter filters[FILTERS_MAX];
	int count;
} options;

/* A name may end with *, as tasklist allows it. */
static bool name_fits(const wchar_t *name, const wchar_t *pattern)
{
	size_t n = wcslen(pattern);

	if (n > 0 && pattern[n - 1] == L'*')
		return _wcsnicmp(name, pattern, n - 1) == 0;
	return _wcsicmp(name, pattern) == 0;
}

static bool filter_fits(const struct filter *f, const PROCESSENTRY32W *process)
{
	bool equal;

	if (f->by_name) {
		equal = name_fits(process->szExeFile, f->value);
	} else {
		DWORD pid = wcstoul(f->value, NULL, 10);
		if (_wcsicmp(f->op, L"gt") == 0)
			return process->th32ProcessID > pid;
		if (_wcsicmp(f->op, L"lt") == 0)
			return process->th32ProcessID < pid;
		equal = process->th32ProcessID == pid;
	}
	return equal == (_wcsicmp(f->op, L"eq") == 0);
}

static bool fits(const PROCESSENTRY32W *process)
{
	for (int i = 0; i < options.count; i++)
		if (!filter_fits(&options.filters[i], process))
			return false;
	return true;
}

/* "5,432" */
static void with_commas(unsigned long n, wchar_t *text)
{
	if (n >= 1000000)
		_snwprintf(text, 31, L"%lu,%03lu,%03lu", n / 1000000, n / 1000 % 1000, n % 1000);
	else if (n >= 1000)
		_snwprintf(text, 31, L"%lu,%03lu", n / 1000, n % 1000);
	else
		_snwprintf(text, 31, L"%lu", n);
	text[31] = 0;
}

static void header(void)
{
	if (options.format == CSV)
		say(in_language(L"\"Image Name\",\"PID\",\"Session Name\",\"Session#\",\"Mem Usage\"\n",
				L"\"イメージ名\",\"PID\",\"セッション名\",\"セッション#\",\"メモリ使用量\"\n"));
	if (options.format == TABLE)
		say(in_language(L"\nImage Name                     PID Session Name        Session#    Mem Usage\n"
				L"========================= ======== ================ =========== ============\n",
				L"\nイメージ名                     PID セッション名     セッション# メモリ使用量\n"
				L"========================= ======== ================ =========== ============\n"));
}

static void print(const PROCESSENTRY32W *process)
{
	PROCESS_MEMORY_COUNTERS memory = {0};
	wchar_t kilobytes[32];

	HANDLE handle = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, process->th32ProcessID);
	if (handle) {
		K32GetProcessMemoryInfo(handle, &memory, sizeof memory);
		CloseHandle(handle);
	}
	with_commas((unsigned long)(memory.WorkingSetSize / 1024), kilobytes);
	switch (options.format) {
	case CSV:
		say(L"\"%ls\",\"%lu\",\"Services\",\"0\",\"%ls K\"\n", process->szExeFile, process->th32ProcessID,
		    kilobytes);
		break;
	case TABLE:
		say(L"%-25.25ls %8lu %-16ls %11d %10ls K\n", process->szExeFile, process->th32ProcessID, L"Services", 0,
		    kilobytes);
		break;
	case LIST:
		say(in_language(L"\nImage Name:   %ls\nPID:          %lu\nSession Name: Services\nSession#:     0\nMem "
				L"Usage:    %ls K\n",
				L"\nイメージ名:     %ls\nPID:            %lu\nセッション名:   Services\nセッション#:   "
				L" 0\nメモリ使用量:   %ls K\n"),
		    process->szExeFile, process->th32ProcessID, kilobytes);
		break;
	}
}

static int list_processes(void)
{
	PROCESSENTRY32W process = {.dwSize = sizeof process};
	int printed = 0;

	HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
	for (BOOL more = Process32FirstW(all, &process); more; more = Process32NextW(all, &process)) {
		if (!fits(&process))
			continue;
		if (printed++ == 0 && !options.no_header)
			header();
		print(&process);
	}
	if (printed == 0)
		say(in_language(L"INFO: No tasks are running which match the specified criteria.\n",
				L"情報: 指定された条件に一致するタスクは実行されていません。\n"));
	return 0;
}

static bool parse_filter(const wchar_t *text)
{
	wchar_t what[16];

	if (options.count == FILTERS_MAX)
		return false;
	struct filter *f = &options.filters[options.count++];
	if (swscanf(text, L"%15ls %2ls %259l[^\n]", what, f->op, f->value) != 3)
		return false;
	f->by_name = _wcsicmp(what, L"imagename") == 0;
	bool known_op = _wcsicmp(f->op, L"eq") == 0 || _wcsicmp(f->op, L"ne") == 0;
	if (f->by_name)
		return known_op;
	return _wcsicmp(what, L"pid") == 0 && (known_op || _wcsicmp(f->op, L"gt") == 0 || _wcsicmp(f->op, L"lt") == 0);
}

static bool parse_format(const wchar_t *text)
{
	if (_wcsicmp(text, L"csv") == 0)
		options.format = CSV;
	else if (_wcsicmp(text, L"list") == 0)
		options.format = LIST;
	else
		return _wcsicmp(text, L"table") == 0;
	return true;
}

static bool parse(wchar_t **words)
{
	while (*++words) {
		if (_wcsicmp(*words, L"/nh") == 0)
			options.no_header = true;
		else if (_wcsicmp(*words, L"/fo") == 0 && words[1]) {
			if (!parse_format(*++words))
				return false;
		} else if (_wcsicmp(*words, L"/fi") == 0 && words[1]) {
			if (!parse_filter(*++words))
				return false;
		} else
			return false;
	}
	return true;
}

int wmain(int count, wchar_t **words)
{
	(void)count;
	if (!parse(words)) {
		complain(in_language(L"ERROR: Invalid argument/option.\nType \"TASKLIST /?\" for usage.\n",
				     L"エラー: 無効な引数またはオプションです。\n使用方法を表示するには、\"TASKLIST "
				     L"/?\" と入力してください。\n"));
		return 1;
	}
	return list_processes();
}
