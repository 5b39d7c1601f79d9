/*
 * The service manager for sc.c: Wine's, and what it leaves out of Windows' rules. Functions that can fail give a Win32
 * error, 0 for success.
 */
#ifndef SC_RULES_H
#define SC_RULES_H

#include <stdbool.h>
#include <windows.h>

struct sc {
	SC_HANDLE manager;
};

/* OPTION= VALUE of config and create. What is not given is NULL or SERVICE_NO_CHANGE. */
struct sc_changes {
	DWORD start;
	bool delayed;
	const wchar_t *path, *display, *account, *password;
	wchar_t depends[512]; /* as the API takes it: names one after the other, each with its NUL, and one NUL more */
	bool depends_given;
};

DWORD sc_status(struct sc *sc, const wchar_t *name, SERVICE_STATUS_PROCESS *status);
DWORD sc_config(struct sc *sc, const wchar_t *name, QUERY_SERVICE_CONFIGW **config); /* lives as long as the program */

/* All services and drivers; lives as long as the program. */
ENUM_SERVICE_STATUS_PROCESSW *sc_enumerate(struct sc *sc, DWORD *count);

/* What NAME says it depends on, from the registry, since Wine's manager does not tell: names one after the other, each
 * with its NUL, and one NUL more. Lives as long as the program. */
const wchar_t *sc_dependencies(const wchar_t *name);

/* Does NAME say that it depends on ON? Not through others. */
bool sc_depends(const wchar_t *name, const wchar_t *on);
bool sc_delayed(const wchar_t *name);

/* First what it depends on, and without waiting for itself. */
DWORD sc_start(struct sc *sc, const wchar_t *name);
DWORD sc_stop(struct sc *sc, const wchar_t *name);

bool sc_parse_changes(struct sc_changes *changes, wchar_t **words);
DWORD sc_change(struct sc *sc, const wchar_t *name, const struct sc_changes *changes);
DWORD sc_create(struct sc *sc, const wchar_t *name, const struct sc_changes *changes);

#endif
