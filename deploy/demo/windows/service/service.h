/*
 * What the service has beside itself (files.c): its config, its log, the file that tells it what to do wrong.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <windows.h>

/* Does the control file have a line for this service with this word? Its number goes to *number where there is one. */
bool control_has(const wchar_t *key, const wchar_t *word, DWORD *number);

void log_line(const wchar_t *key, const wchar_t *text);

/* The config, open so that nobody else can open it; NULL if it cannot be opened. */
HANDLE config_hold(void);

/* Reads the config, by `held` where that is one, and writes its size and the host in WS_SERVICE_URI into the log. */
void config_log(const wchar_t *key, HANDLE held);

/* A process of its own that waits until the service is stopped and starts it. */
void start_again_later(const wchar_t *key);
int start_again(const wchar_t *key);

#endif
