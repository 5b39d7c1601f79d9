/*
 * The tasks of the host, for schtasks.c: their files, and how they run.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdbool.h>
#include <windows.h>

/* name: \NAME, with its folders. xml: the file's text without its byte order mark. The other texts are what the first
 * <Exec> says, entities resolved. All live as long as the program. */
struct task {
	wchar_t name[MAX_PATH], path[MAX_PATH];
	wchar_t *xml;
	wchar_t *command, *arguments, *folder;
};

/* Sorted by name; the number is the result. */
int tasks_load(struct task **tasks);

/* With or without the leading back slash, in any case. */
bool task_named(const struct task *task, const wchar_t *name);

/* <Enabled> in <Settings>; true where there is none, as the schema has it. */
bool task_enabled(const struct task *task);
bool task_set_enabled(struct task *task, bool enabled);

bool task_create(const wchar_t *name, const wchar_t *file);

/* In the OEM code page, characters that it has not as ?. */
void say_task_xml(const struct task *task);

/* The same as one of a list: its path in a comment, and no declaration. */
void say_listed_task_xml(const struct task *task);

/* Running is known by an event that the runner holds; a runner that was killed runs no more. */
bool task_is_running(const struct task *task);
bool task_start(const struct task *task); /* by the service; returns when the task runs */
int task_starter(void);                   /* what the service does: `schtasks.exe /starter` */
int task_runner(const struct task *task); /* what a task's own process does: `schtasks.exe /runner /tn NAME` */
void task_end(const struct task *task);
DWORD task_last_result(const struct task *task); /* 267011 (0x41303): has not run */

#endif
