/*
 * Text and paths as Windows has them. Pure.
 *
 * What a program of Windows prints is in the console's code page: UTF-8 where the session could set it (chcp 65001),
 * else the machine's own, which on Japanese machines is CP932. Decisions are made on numbers and exit codes only; the
 * few names that are needed (a service's key name, the path of its program) are read as UTF-8, else as CP932, and only
 * ever used to ask the same host again, so that a wrong guess ends in "no such thing" and changes nothing.
 */
#ifndef AGENTS_WIN_TEXT_H
#define AGENTS_WIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define WIN_PATH_MAX 1024

/* Bytes as UTF-8, or NULL where they are neither UTF-8 nor CP932, or hold a NUL byte. The caller frees. */
char *win_text(const char *bytes, size_t len);

/* For people: like win_text, what cannot be read as '?', no control characters. Never NULL; the caller frees. */
char *win_text_shown(const char *bytes, size_t len);

/* The next line of text from *at on, without its CR LF and blanks at its end; false behind the last. A view. */
bool win_line(const char *text, size_t len, size_t *at, const char **line, size_t *line_len);

/* Is the last line `end`? Our cmd scripts print it when they have said all: without it the answer was cut. */
bool win_ended(const char *text, size_t len);

/* Can it be an argument of a script (base/op.h)? No quote, percent sign or control character; no caret either, which
   cmd.exe's `call` doubles, and not empty. */
bool win_is_argument(const char *text);

/* An absolute path (C:\… or \\SERVER\SHARE\…) that can be an argument, of at most WIN_PATH_MAX bytes? */
bool win_is_path(const char *path);

/* FOLDER\NAME; FOLDER of a path without the separator at its end ("C:\" stays); the name behind the last separator.
   All but the last are the caller's to free. */
char *win_join(const char *folder, const char *name);
char *win_folder(const char *path);
const char *win_name(const char *path);

/* The same path or name: ASCII letters without case, '/' as '\', one separator at the end left out. Short names
   (PROGRA~2), junctions and other letters without case are not known to be the same. */
bool win_same(const char *a, const char *b);

/* The program of a command line as services have it (ImagePath): "D:\A B\x.exe" -k y, or without quotes up to the first
   .exe that a blank or the end follows; \??\ in front is left out. NULL where it is no absolute path; the caller frees.
 */
char *win_program(const char *command_line);

#endif
