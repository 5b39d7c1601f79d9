#include "sc_rules.h"

#include <stdlib.h>
#include <wchar.h>

#define CONFIG_BYTES 8192
#define POLL_MS 50
#define DEPTH_MAX 16
#define KEY_MAX 400
#define DEPENDS_MAX 512

DWORD sc_status(struct sc *sc, const wchar_t *name, SERVICE_STATUS_PROCESS *status)
{
	DWORD needed, error = 0;

	SC_HANDLE service = OpenServiceW(sc->manager, name, SERVICE_QUERY_STATUS);
	if (!service)
		return GetLastError();
	if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)status, sizeof *status, &needed))
		error = GetLastError();
	CloseServiceHandle(service);
	return error;
}

DWORD sc_config(struct sc *sc, const wchar_t *name, QUERY_SERVICE_CONFIGW **config)
{
	DWORD needed, error = 0;

	SC_HANDLE service = OpenServiceW(sc->manager, name, SERVICE_QUERY_CONFIG);
	if (!service)
		return GetLastError();
	*config = calloc(1, CONFIG_BYTES);
	if (!*config || !QueryServiceConfigW(service, *config, CONFIG_BYTES, &needed))
		error = GetLastError();
	CloseServiceHandle(service);
	return error;
}

ENUM_SERVICE_STATUS_PROCESSW *sc_enumerate(struct sc *sc, DWORD *count)
{
	DWORD needed = 0, from = 0;

	*count = 0;
	EnumServicesStatusExW(sc->manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32 | SERVICE_DRIVER, SERVICE_STATE_ALL,
			      NULL, 0, &needed, count, &from, NULL);
	/* Some more than there are now: others may create services meanwhile. */
	DWORD size = needed + 4096;
	BYTE *all = calloc(1, size);
	from = 0;
	if (!all || !EnumServicesStatusExW(sc->manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32 | SERVICE_DRIVER,
					   SERVICE_STATE_ALL, all, size, &needed, count, &from, NULL))
		*count = 0;
	return (ENUM_SERVICE_STATUS_PROCESSW *)all;
}

static void own_key(const wchar_t *name, wchar_t *key)
{
	_snwprintf(key, KEY_MAX - 1, L"SYSTEM\\CurrentControlSet\\Services\\%ls", name);
	key[KEY_MAX - 1] = 0;
}

/* A value of the service's own registry key; 0 where there is none. */
static DWORD own_number(const wchar_t *name, const wchar_t *value)
{
	wchar_t key[KEY_MAX];
	DWORD number = 0, size = sizeof number;

	own_key(name, key);
	RegGetValueW(HKEY_LOCAL_MACHINE, key, value, RRF_RT_REG_DWORD, NULL, &number, &size);
	return number;
}

static void set_own_number(const wchar_t *name, const wchar_t *value, DWORD number)
{
	wchar_t key[KEY_MAX];

	own_key(name, key);
	RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, value, REG_DWORD, &number, sizeof number);
}

bool sc_delayed(const wchar_t *name)
{
	return own_number(name, L"DelayedAutoStart") != 0;
}

const wchar_t *sc_dependencies(const wchar_t *name)
{
	wchar_t key[KEY_MAX];
	DWORD size = (DEPENDS_MAX - 2) * sizeof(wchar_t);
	wchar_t *names = calloc(DEPENDS_MAX, sizeof(wchar_t));

	own_key(name, key);
	if (names &&
	    RegGetValueW(HKEY_LOCAL_MACHINE, key, L"DependOnService", RRF_RT_REG_MULTI_SZ, NULL, names, &size) != 0)
		names[0] = 0;
	return names ? names : L"";
}

bool sc_depends(const wchar_t *name, const wchar_t *on)
{
	for (const wchar_t *d = sc_dependencies(name); *d; d += wcslen(d) + 1)
		if (_wcsicmp(d, on) == 0)
			return true;
	return false;
}

static DWORD wait_for_running(struct sc *sc, const wchar_t *name)
{
	SERVICE_STATUS_PROCESS status;

	for (;;) {
		if (sc_status(sc, name, &status) != 0 || status.dwCurrentState == SERVICE_STOPPED)
			return ERROR_SERVICE_DEPENDENCY_FAIL;
		if (status.dwCurrentState == SERVICE_RUNNING)
			return 0;
		Sleep(POLL_MS);
	}
}

static DWORD start(struct sc *sc, const wchar_t *name, int depth)
{
	DWORD error;

	if (depth > DEPTH_MAX)
		return ERROR_CIRCULAR_DEPENDENCY;
	for (const wchar_t *d = sc_dependencies(name); *d; d += wcslen(d) + 1) {
		error = start(sc, d, depth + 1);
		if (error && error != ERROR_SERVICE_ALREADY_RUNNING)
			return ERROR_SERVICE_DEPENDENCY_FAIL;
		if (wait_for_running(sc, d) != 0)
			return ERROR_SERVICE_DEPENDENCY_FAIL;
	}
	/* Wine logs nobody on. A host says by this value that Windows could not. */
	if (own_number(name, L"WinhostLogonFails"))
		return ERROR_SERVICE_LOGON_FAILED;
	SC_HANDLE service = OpenServiceW(sc->manager, name, SERVICE_START);
	if (!service)
		return GetLastError();
	error = StartServiceW(service, 0, NULL) ? 0 : GetLastError();
	CloseServiceHandle(service);
	return error;
}

DWORD sc_start(struct sc *sc, const wchar_t *name)
{
	SERVICE_STATUS_PROCESS status;
	DWORD error = sc_status(sc, name, &status);

	if (error)
		return error;
	return status.dwCurrentState == SERVICE_STOPPED ? start(sc, name, 0) : ERROR_SERVICE_ALREADY_RUNNING;
}

DWORD sc_stop(struct sc *sc, const wchar_t *name)
{
	SERVICE_STATUS status;
	DWORD n, error;

	ENUM_SERVICE_STATUS_PROCESSW *all = sc_enumerate(sc, &n);
	for (DWORD i = 0; i < n; i++)
		if (all[i].ServiceStatusProcess.dwCurrentState != SERVICE_STOPPED &&
		    sc_depends(all[i].lpServiceName, name))
			return ERROR_DEPENDENT_SERVICES_RUNNING;
	SC_HANDLE service = OpenServiceW(sc->manager, name, SERVICE_STOP);
	if (!service)
		return GetLastError();
	error = ControlService(service, SERVICE_CONTROL_STOP, &status) ? 0 : GetLastError();
	CloseServiceHandle(service);
	return error;
}

static bool parse_start(struct sc_changes *changes, const wchar_t *value)
{
	static const wchar_t *const all[] = {L"boot", L"system", L"auto", L"demand", L"disabled"};

	changes->delayed = _wcsicmp(value, L"delayed-auto") == 0;
	if (changes->delayed)
		changes->start = SERVICE_AUTO_START;
	for (DWORD i = 0; i < 5; i++)
		if (_wcsicmp(value, all[i]) == 0)
			changes->start = i;
	return changes->start != SERVICE_NO_CHANGE;
}

/* a/b/c; a single / takes all dependencies away, as sc's manual has it. */
static void parse_depends(struct sc_changes *changes, const wchar_t *value)
{
	size_t n = 0;

	changes->depends_given = true;
	for (; *value && n < 510; value++)
		changes->depends[n++] = *value == L'/' ? 0 : *value;
	if (n > 0 && changes->depends[n - 1] != 0)
		n++;
	changes->depends[n] = 0;
}

/* `start= auto`, and `start=auto`, which newer versions take too. */
bool sc_parse_changes(struct sc_changes *changes, wchar_t **words)
{
	*changes = (struct sc_changes){.start = SERVICE_NO_CHANGE};
	while (*words) {
		wchar_t *option = *words++, *value = wcschr(option, L'=');
		if (!value)
			return false;
		*value++ = 0;
		if (*value == 0) {
			if (!*words)
				return false;
			value = *words++;
		}
		if (_wcsicmp(option, L"start") == 0) {
			if (!parse_start(changes, value))
				return false;
		} else if (_wcsicmp(option, L"depend") == 0)
			parse_depends(changes, value);
		else if (_wcsicmp(option, L"binpath") == 0)
			changes->path = value;
		else if (_wcsicmp(option, L"displayname") == 0)
			changes->display = value;
		else if (_wcsicmp(option, L"obj") == 0)
			changes->account = value;
		else if (_wcsicmp(option, L"password") == 0)
			changes->password = value;
		else if (_wcsicmp(option, L"type") != 0 && _wcsicmp(option, L"error") != 0)
			return false;
	}
	return true;
}

/* A password that is given is taken as the right one. */
static void after_change(const wchar_t *name, const struct sc_changes *changes)
{
	if (changes->start != SERVICE_NO_CHANGE)
		set_own_number(name, L"DelayedAutoStart", changes->delayed);
	if (changes->password)
		set_own_number(name, L"WinhostLogonFails", 0);
}

DWORD sc_change(struct sc *sc, const wchar_t *name, const struct sc_changes *changes)
{
	DWORD error = 0;

	SC_HANDLE service = OpenServiceW(sc->manager, name, SERVICE_CHANGE_CONFIG);
	if (!service)
		return GetLastError();
	if (!ChangeServiceConfigW(service, SERVICE_NO_CHANGE, changes->start, SERVICE_NO_CHANGE, changes->path, NULL,
				  NULL, changes->depends_given ? changes->depends : NULL, changes->account,
				  changes->password, changes->display))
		error = GetLastError();
	else
		after_change(name, changes);
	CloseServiceHandle(service);
	return error;
}

DWORD sc_create(struct sc *sc, const wchar_t *name, const struct sc_changes *changes)
{
	DWORD start_type = changes->start == SERVICE_NO_CHANGE ? SERVICE_DEMAND_START : changes->start;

	SC_HANDLE service =
	    CreateServiceW(sc->manager, name, changes->display ? changes->display : name, SERVICE_ALL_ACCESS,
			   SERVICE_WIN32_OWN_PROCESS, start_type, SERVICE_ERROR_NORMAL, changes->path, NULL, NULL,
			   changes->depends_given ? changes->depends : NULL, changes->account, changes->password);
	if (!service)
		return GetLastError();
	CloseServiceHandle(service);
	after_change(name, changes);
	return 0;
}
