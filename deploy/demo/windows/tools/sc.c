/*
 * sc.exe: the parts of Windows' sc that scripts use, on Wine's service manager; with the texts and exit codes of
 * Windows, which Wine's own sc has not (its errors are silent and all 1). The exit code is the Win32 error.
 *
 *     sc [\\ignored] query|queryex [NAME]   qc NAME   getkeyname DISPLAY   getdisplayname NAME   enumdepend NAME
 *     sc start NAME   stop NAME   config NAME OPTION= VALUE...   create NAME OPTION= VALUE...   delete NAME
 *
 * What Wine's manager leaves out and Windows' has is done here (sc_rules.c): a service does not stop while services
 * that depend on it run (1051), one that has to log on with a password that is no longer right does not start (1069),
 * what it depends on is started first.
 */
#include "lib_text.h"
#include "sc_rules.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const words_of_state[] = {"",        "STOPPED",          "START_PENDING", "STOP_PENDING",
					     "RUNNING", "CONTINUE_PENDING", "PAUSE_PENDING", "PAUSED"};

static int failed(const wchar_t *call, DWORD error)
{
	say(L"[SC] %ls FAILED %lu:\n\n%ls\n\n", call, error, error_text(error));
	return (int)error;
}

static const wchar_t *type_words(DWORD type)
{
	switch (type & 0x3f) {
	case SERVICE_KERNEL_DRIVER:
		return L"KERNEL_DRIVER";
	case SERVICE_FILE_SYSTEM_DRIVER:
		return L"FILE_SYSTEM_DRIVER";
	case SERVICE_WIN32_OWN_PROCESS:
		return L"WIN32_OWN_PROCESS";
	case SERVICE_WIN32_SHARE_PROCESS:
		return L"WIN32_SHARE_PROCESS";
	}
	return L"ERROR";
}

static void print_status(const wchar_t *name, const wchar_t *display, const SERVICE_STATUS_PROCESS *s, bool with_pid)
{
	DWORD accepts = s->dwControlsAccepted;

	say(L"\nSERVICE_NAME: %ls%ls\n", name, display ? L"" : L" ");
	if (display)
		say(L"DISPLAY_NAME: %ls\n", display);
	say(L"        TYPE               : %lx  %ls  %ls\n", s->dwServiceType, type_words(s->dwServiceType),
	    s->dwServiceType & SERVICE_INTERACTIVE_PROCESS ? L"(interactive)" : L"");
	say(L"        STATE              : %lu  %hs \n", s->dwCurrentState,
	    words_of_state[s->dwCurrentState <= SERVICE_PAUSED ? s->dwCurrentState : 0]);
	if (s->dwCurrentState != SERVICE_STOPPED)
		say(L"                                (%ls, %ls, %ls)\n",
		    accepts & SERVICE_ACCEPT_STOP ? L"STOPPABLE" : L"NOT_STOPPABLE",
		    accepts & SERVICE_ACCEPT_PAUSE_CONTINUE ? L"PAUSABLE" : L"NOT_PAUSABLE",
		    accepts & SERVICE_ACCEPT_SHUTDOWN ? L"ACCEPTS_SHUTDOWN" : L"IGNORES_SHUTDOWN");
	say(L"        WIN32_EXIT_CODE    : %lu  (0x%lx)\n", s->dwWin32ExitCode, s->dwWin32ExitCode);
	say(L"        SERVICE_EXIT_CODE  : %lu  (0x%lx)\n", s->dwServiceSpecificExitCode, s->dwServiceSpecificExitCode);
	say(L"        CHECKPOINT         : 0x%lx\n        WAIT_HINT          : 0x%lx\n", s->dwCheckPoint,
	    s->dwWaitHint);
	if (with_pid)
		say(L"        PID                : %lu\n        FLAGS              : \n", s->dwProcessId);
}

static int query_all(struct sc *sc, bool with_pid)
{
	DWORD n;

	ENUM_SERVICE_STATUS_PROCESSW *all = sc_enumerate(sc, &n);
	for (DWORD i = 0; i < n; i++)
		if (all[i].ServiceStatusProcess.dwCurrentState != SERVICE_STOPPED &&
		    (all[i].ServiceStatusProcess.dwServiceType & SERVICE_WIN32))
			print_status(all[i].lpServiceName, all[i].lpDisplayName, &all[i].ServiceStatusProcess,
				     with_pid);
	return 0;
}

static int query(struct sc *sc, wchar_t **words, bool with_pid)
{
	SERVICE_STATUS_PROCESS status;

	if (!words[0])
		return query_all(sc, with_pid);
	DWORD error = sc_status(sc, words[0], &status);
	if (error)
		return failed(L"EnumQueryServicesStatus:OpenService", error);
	print_status(words[0], NULL, &status, with_pid);
	return 0;
}

static int cmd_query(struct sc *sc, wchar_t **words)
{
	return query(sc, words, false);
}

static int cmd_queryex(struct sc *sc, wchar_t **words)
{
	return query(sc, words, true);
}

static const wchar_t *start_words(DWORD type)
{
	static const wchar_t *const all[] = {L"BOOT_START", L"SYSTEM_START", L"AUTO_START", L"DEMAND_START",
					     L"DISABLED"};

	return type < 5 ? all[type] : L"";
}

static int cmd_qc(struct sc *sc, wchar_t **words)
{
	QUERY_SERVICE_CONFIGW *c;

	DWORD error = sc_config(sc, words[0], &c);
	if (error)
		return failed(L"OpenService", error);
	say(L"[SC] QueryServiceConfig SUCCESS\n\nSERVICE_NAME: %ls\n", words[0]);
	say(L"        TYPE               : %lx  %ls %ls\n", c->dwServiceType, type_words(c->dwServiceType),
	    c->dwServiceType & SERVICE_INTERACTIVE_PROCESS ? L"(interactive)" : L"");
	say(L"        START_TYPE         : %lu   %ls%ls\n", c->dwStartType, start_words(c->dwStartType),
	    sc_delayed(words[0]) ? L"  (DELAYED)" : L"");
	say(L"        ERROR_CONTROL      : %lu   NORMAL\n", c->dwErrorControl);
	say(L"        BINARY_PATH_NAME   : %ls\n", c->lpBinaryPathName);
	say(L"        LOAD_ORDER_GROUP   : %ls\n", c->lpLoadOrderGroup ? c->lpLoadOrderGroup : L"");
	say(L"        TAG                : %lu\n        DISPLAY_NAME       : %ls\n", c->dwTagId, c->lpDisplayName);
	const wchar_t *d = sc_dependencies(words[0]);
	say(L"        DEPENDENCIES       : %ls\n", d);
	while (*d && *(d += wcslen(d) + 1))
		say(L"                           : %ls\n", d);
	say(L"        SERVICE_START_NAME : %ls\n", c->lpServiceStartName ? c->lpServiceStartName : L"");
	return 0;
}

static int cmd_getkeyname(struct sc *sc, wchar_t **words)
{
	wchar_t name[257];
	DWORD size = 256;

	if (!GetServiceKeyNameW(sc->manager, words[0], name, &size))
		return failed(L"GetServiceKeyName", GetLastError());
	say(L"[SC] GetServiceKeyName SUCCESS\nName = %ls\n", name);
	return 0;
}

static int cmd_getdisplayname(struct sc *sc, wchar_t **words)
{
	wchar_t name[257];
	DWORD size = 256;

	if (!GetServiceDisplayNameW(sc->manager, words[0], name, &size))
		return failed(L"GetServiceDisplayName", GetLastError());
	say(L"[SC] GetServiceDisplayName SUCCESS\nName = %ls\n", name);
	return 0;
}

static int cmd_enumdepend(struct sc *sc, wchar_t **words)
{
	SERVICE_STATUS_PROCESS status;
	DWORD n, count = 0;

	DWORD error = sc_status(sc, words[0], &status);
	if (error)
		return failed(L"OpenService", error);
	ENUM_SERVICE_STATUS_PROCESSW *all = sc_enumerate(sc, &n);
	for (DWORD i = 0; i < n; i++)
		count += sc_depends(all[i].lpServiceName, words[0]);
	say(L"[SC] EnumDependentServices: entriesread = %lu\n", count);
	for (DWORD i = 0; i < n; i++)
		if (sc_depends(all[i].lpServiceName, words[0]))
			print_status(all[i].lpServiceName, all[i].lpDisplayName, &all[i].ServiceStatusProcess, false);
	return 0;
}

static int cmd_start(struct sc *sc, wchar_t **words)
{
	SERVICE_STATUS_PROCESS status;

	DWORD error = sc_status(sc, words[0], &status);
	if (error)
		return failed(L"StartService: OpenService", error);
	error = sc_start(sc, words[0]);
	if (error)
		return failed(L"StartService", error);
	sc_status(sc, words[0], &status);
	print_status(words[0], NULL, &status, true);
	return 0;
}

static int cmd_stop(struct sc *sc, wchar_t **words)
{
	SERVICE_STATUS_PROCESS status;

	DWORD error = sc_status(sc, words[0], &status);
	if (error)
		return failed(L"OpenService", error);
	error = sc_stop(sc, words[0]);
	if (error)
		return failed(L"ControlService", error);
	sc_status(sc, words[0], &status);
	print_status(words[0], NULL, &status, false);
	return 0;
}

static int cmd_config(struct sc *sc, wchar_t **words)
{
	struct sc_changes changes;
	SERVICE_STATUS_PROCESS status;

	if (!sc_parse_changes(&changes, words + 1))
		return failed(L"ChangeServiceConfig", ERROR_INVALID_PARAMETER);
	DWORD error = sc_status(sc, words[0], &status);
	if (error)
		return failed(L"OpenService", error);
	error = sc_change(sc, words[0], &changes);
	if (error)
		return failed(L"ChangeServiceConfig", error);
	say(L"[SC] ChangeServiceConfig SUCCESS\n");
	return 0;
}

static int cmd_create(struct sc *sc, wchar_t **words)
{
	struct sc_changes changes;

	if (!sc_parse_changes(&changes, words + 1) || !changes.path)
		return failed(L"CreateService", ERROR_INVALID_PARAMETER);
	DWORD error = sc_create(sc, words[0], &changes);
	if (error)
		return failed(L"CreateService", error);
	say(L"[SC] CreateService SUCCESS\n");
	return 0;
}

static int cmd_delete(struct sc *sc, wchar_t **words)
{
	SC_HANDLE service = OpenServiceW(sc->manager, words[0], DELETE);

	if (!service)
		return failed(L"OpenService", GetLastError());
	if (!DeleteService(service))
		return failed(L"DeleteService", GetLastError());
	CloseServiceHandle(service);
	say(L"[SC] DeleteService SUCCESS\n");
	return 0;
}

static const struct {
	const wchar_t *word;
	int words_min;
	int (*run)(struct sc *, wchar_t **);
} commands[] = {
    {L"query", 0, cmd_query},
    {L"queryex", 0, cmd_queryex},
    {L"qc", 1, cmd_qc},
    {L"getkeyname", 1, cmd_getkeyname},
    {L"getdisplayname", 1, cmd_getdisplayname},
    {L"enumdepend", 1, cmd_enumdepend},
    {L"start", 1, cmd_start},
    {L"stop", 1, cmd_stop},
    {L"config", 1, cmd_config},
    {L"create", 1, cmd_create},
    {L"delete", 1, cmd_delete},
};

int wmain(int count, wchar_t **words)
{
	struct sc sc = {.manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS)};

	if (!sc.manager)
		return failed(L"OpenSCManager", GetLastError());
	words++;
	count--;
	if (count > 0 && wcsncmp(words[0], L"\\\\", 2) == 0) {
		words++;
		count--;
	}
	for (size_t i = 0; count > 0 && i < sizeof commands / sizeof *commands; i++)
		if (_wcsicmp(words[0], commands[i].word) == 0 && count > commands[i].words_min)
			return commands[i].run(&sc, words + 1);
	say(L"DESCRIPTION:\n        SC is a command line program used for communicating with the\n"
	    L"        Service Control Manager and services.\nUSAGE:\n"
	    L"        sc <server> [command] [service name] <option1> <option2>...\n");
	return ERROR_INVALID_COMMAND_LINE;
}
