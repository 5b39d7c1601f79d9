/*
 * What our stand-ins for Windows' programs print: in English or Japanese, in the host's OEM code page (437 or 932), CR
 * LF at the ends of lines, as the programs of Windows do when their output is no console.
 *
 * Which language it is says what says it on Windows: HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language,
 * InstallLanguage, 0409 or 0411.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <wchar.h>
#include <windows.h>

bool japanese(void);

/* The one of the two in the host's language. */
const wchar_t *in_language(const wchar_t *english, const wchar_t *in_japanese);

/* To stdout and stderr; \n becomes CR LF. 8,000 characters a call at most; what is longer is cut. */
void say(const wchar_t *format, ...);
void complain(const wchar_t *format, ...);

/* Bytes as they are. */
void say_bytes(const char *bytes, size_t size);

/* The system's text for a Win32 error, in the host's language, without a line's end. */
const wchar_t *error_text(DWORD error);

#endif
