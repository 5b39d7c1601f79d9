#include "tasks.h"

#include <stdio.h>
#include <stdlib.h>

#define RESULTS L"Software\\Winhost\\Tasks"
#define STARTER L"WinhostSchedule"
#define HAS_NOT_RUN 0x41303
#define START_TRIES 200
#define POLL_MS 50
#define STARTED_MS 30000

/* An object's name has no back slash. */
static void event_name(const struct task *task, const wchar_t *what, wchar_t *name)
{
	_snwprintf(name, MAX_PATH - 1, L"winhost-task-%ls%ls", what, task->name);
	name[MAX_PATH - 1] = 0;
	for (wchar_t *c = name; *c; c++)
		if (*c == L'\\')
			*c = L'_';
}

static HANDLE open_event(const struct task *task, const wchar_t *what)
{
	wchar_t name[MAX_PATH];

	event_name(task, what, name);
	return OpenEventW(SYNCHRONIZE | EVENT_MODIFY_STATE, FALSE, name);
}

bool task_is_running(const struct task *task)
{
	HANDLE event = open_event(task, L"end");

	if (event)
		CloseHandle(event);
	return event != NULL;
}

/* No window, and not DETACHED_PROCESS: what a detached cmd.exe starts ends at once under Wine. */
static bool spawn(wchar_t *line, const wchar_t *folder, PROCESS_INFORMATION *child)
{
	STARTUPINFOW start = {.cb = sizeof start};

	return CreateProcessW(NULL, line, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, folder && *folder ? folder : NULL,
			      &start, child);
}

/* Whoever starts a task must not be its parent: a session's job ends all that began in it (Wine does not know
 * CREATE_BREAKAWAY_FROM_JOB). So a service does it, as on Windows. It runs for a moment only, for one task. */
bool task_start(const struct task *task)
{
	const wchar_t *name = task->name;
	wchar_t event[MAX_PATH];

	event_name(task, L"started", event);
	HANDLE started = CreateEventW(NULL, TRUE, FALSE, event);
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = manager ? OpenServiceW(manager, STARTER, SERVICE_START) : NULL;
	bool asked = false;
	for (int i = 0; service && !asked && i < START_TRIES; i++) {
		asked = StartServiceW(service, 1, &name);
		if (!asked && GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
			break;
		if (!asked)
			Sleep(POLL_MS);
	}
	return asked && WaitForSingleObject(started, STARTED_MS) == WAIT_OBJECT_0;
}

static SERVICE_STATUS_HANDLE starter;

static void starter_is(DWORD state)
{
	SERVICE_STATUS status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = state};

	SetServiceStatus(starter, &status);
}

static void WINAPI starter_control(DWORD control)
{
	(void)control;
}

static void WINAPI starter_main(DWORD count, wchar_t **words)
{
	wchar_t line[MAX_PATH + 64];
	PROCESS_INFORMATION child;

	starter = RegisterServiceCtrlHandlerW(STARTER, starter_control);
	starter_is(SERVICE_RUNNING);
	_snwprintf(line, MAX_PATH + 63, L"schtasks.exe /runner /tn \"%ls\"", count > 1 ? words[1] : L"");
	if (spawn(line, NULL, &child)) {
		CloseHandle(child.hProcess);
		CloseHandle(child.hThread);
	}
	starter_is(SERVICE_STOPPED);
}

int task_starter(void)
{
	SERVICE_TABLE_ENTRYW table[] = {{STARTER, starter_main}, {NULL, NULL}};

	return StartServiceCtrlDispatcherW(table) ? 0 : 1;
}

static void set_result(const struct task *task, DWORD code)
{
	RegSetKeyValueW(HKEY_LOCAL_MACHINE, RESULTS, task->name, REG_DWORD, &code, sizeof code);
}

int task_runner(const struct task *task)
{
	wchar_t name[MAX_PATH], line[32767];
	PROCESS_INFORMATION child;
	DWORD code = 1;

	event_name(task, L"end", name);
	HANDLE end = CreateEventW(NULL, TRUE, FALSE, name), started = open_event(task, L"started");
	bool quoted = task->command[0] == L'"';
	_snwprintf(line, 32766, quoted ? L"%ls %ls" : L"\"%ls\" %ls", task->command, task->arguments);
	if (!spawn(line, task->folder, &child)) {
		set_result(task, GetLastError());
		SetEvent(started);
		return 1;
	}
	SetEvent(started);
	HANDLE either[2] = {child.hProcess, end};
	if (WaitForMultipleObjects(2, either, FALSE, INFINITE) == WAIT_OBJECT_0 + 1)
		TerminateProcess(child.hProcess, 0x41306);
	WaitForSingleObject(child.hProcess, 5000);
	GetExitCodeProcess(child.hProcess, &code);
	set_result(task, code);
	return 0;
}

void task_end(const struct task *task)
{
	HANDLE event = open_event(task, L"end");

	if (!event)
		return;
	SetEvent(event);
	CloseHandle(event);
}

DWORD task_last_result(const struct task *task)
{
	DWORD code = HAS_NOT_RUN, size = sizeof code;

	RegGetValueW(HKEY_LOCAL_MACHINE, RESULTS, task->name, RRF_RT_REG_DWORD, NULL, &code, &size);
	return code;
}
