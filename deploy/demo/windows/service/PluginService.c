/*
 * PluginService.exe: a Windows service as the AD sync client's two are: it reads PluginService.exe.config once, at its
 * start, and works with what it read. It is real where it matters to a migration: a process under the service manager,
 * with a file that others change while it is down.
 *
 * The same program is both services; the manager tells it which one it is. Beside the program it writes
 * PluginService.exe.log, a line an event, UTC:
 *
 *     2026-01-31T01:02:03.004Z ImhsAdSyncAgent start pid 52
 *     2026-01-31T01:02:03.005Z ImhsAdSyncAgent config 812 bytes, us.imhs-ws.trendmicro.com
 *     2026-01-31T01:02:03.006Z ImhsAdSyncAgent running
 *     2026-01-31T01:02:09.000Z ImhsAdSyncAgent stop
 *     2026-01-31T01:02:09.001Z ImhsAdSyncAgent stopped
 *
 * PluginService.exe.control, where it is there, says what is wrong with it: lines `KEY WORD [NUMBER]`, KEY being the
 * service's key name or *. Read at each event, so that a test can change it while a service runs:
 *
 *     start-takes MS     START_PENDING for so long, with checkpoints
 *     start-fails CODE   stops at once with this Win32 exit code
 *     start-hangs        START_PENDING until the line is gone
 *     never-connects     does not answer the service manager (which gives up with 1053)
 *     dies-after MS      the process ends so long after its start, without a word
 *     stop-takes MS      STOP_PENDING for so long, with checkpoints
 *     stop-hangs         STOP_PENDING until the line is gone
 *     stop-refused       runs without accepting a stop (1052)
 *     process-stays MS   says STOPPED, and its process ends only so long after
 *     holds-config       has its config open without sharing while its process lives
 *     restarts           is started again by a program of its own when it was stopped
 */
#include "service.h"

#include <stdio.h>
#include <wchar.h>

#define POLL_MS 50

static struct {
	wchar_t key[64];
	SERVICE_STATUS_HANDLE handle;
	SERVICE_STATUS status;
	HANDLE stop, config;
} self;

static void report(DWORD state, DWORD exit_code)
{
	DWORD refused;

	self.status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
	self.status.dwCurrentState = state;
	self.status.dwControlsAccepted = 0;
	if (state == SERVICE_RUNNING && !control_has(self.key, L"stop-refused", &refused))
		self.status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN;
	self.status.dwWin32ExitCode = exit_code;
	self.status.dwWaitHint = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING ? 3000 : 0;
	if (self.status.dwWaitHint == 0)
		self.status.dwCheckPoint = 0;
	SetServiceStatus(self.handle, &self.status);
}

/* Stays in a pending state for as long as the control file says. */
static void pend(DWORD state, const wchar_t *takes, const wchar_t *hangs)
{
	DWORD ms = 0, since = GetTickCount(), ignored;

	report(state, NO_ERROR);
	while ((control_has(self.key, takes, &ms) && GetTickCount() - since < ms) ||
	       control_has(self.key, hangs, &ignored)) {
		Sleep(POLL_MS);
		self.status.dwCheckPoint++;
		report(state, NO_ERROR);
	}
}

static void WINAPI on_control(DWORD control)
{
	if (control != SERVICE_CONTROL_STOP && control != SERVICE_CONTROL_SHUTDOWN)
		return;
	report(SERVICE_STOP_PENDING, NO_ERROR);
	log_line(self.key, L"stop");
	SetEvent(self.stop);
}

/* The config is held, if so, from before it is read. */
static void read_config(void)
{
	DWORD ignored;

	if (control_has(self.key, L"holds-config", &ignored))
		self.config = config_hold();
	config_log(self.key, self.config);
}

static void run(void)
{
	DWORD ms = INFINITE, ignored;

	read_config();
	report(SERVICE_RUNNING, NO_ERROR);
	log_line(self.key, L"running");
	control_has(self.key, L"dies-after", &ms);
	if (WaitForSingleObject(self.stop, ms) == WAIT_TIMEOUT)
		ExitProcess(1);
	pend(SERVICE_STOP_PENDING, L"stop-takes", L"stop-hangs");
	log_line(self.key, L"stopped");
	if (control_has(self.key, L"restarts", &ignored))
		start_again_later(self.key);
	report(SERVICE_STOPPED, NO_ERROR);
}

static void WINAPI service_main(DWORD count, wchar_t **words)
{
	wchar_t text[64];
	DWORD code;

	if (count > 0)
		_snwprintf(self.key, 63, L"%ls", words[0]);
	self.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	self.handle = RegisterServiceCtrlHandlerW(self.key, on_control);
	_snwprintf(text, 63, L"start pid %lu", GetCurrentProcessId());
	log_line(self.key, text);
	pend(SERVICE_START_PENDING, L"start-takes", L"start-hangs");
	if (control_has(self.key, L"start-fails", &code)) {
		log_line(self.key, L"failed");
		report(SERVICE_STOPPED, code);
		return;
	}
	run();
}

int wmain(int count, wchar_t **words)
{
	SERVICE_TABLE_ENTRYW table[] = {{self.key, service_main}, {NULL, NULL}};
	DWORD ignored, ms;

	if (count == 3 && wcscmp(words[1], L"start-again") == 0)
		return start_again(words[2]);
	/* Which service it is the manager says only to those who connect. */
	if (control_has(L"*", L"never-connects", &ignored))
		Sleep(120000);
	if (!StartServiceCtrlDispatcherW(table))
		return (int)GetLastError();
	/* Here, and not where it says STOPPED: with that word the process is at its end. */
	if (control_has(self.key, L"process-stays", &ms))
		Sleep(ms);
	log_line(self.key, L"process ends");
	return 0;
}
