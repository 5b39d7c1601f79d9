/*
 * Tasks of the Task Scheduler out of what `schtasks /query … /xml` prints: one definition (`<Task …>…</Task>`), or all
 * of them one behind the other, each with its path in a comment in front of it. Pure.
 *
 * The declaration of each says UTF-16, and the bytes are the console's (MicrosoftDocs, schtasks-query.md): it is not
 * looked at. Names of elements and values are the same in every language. What is no well-formed definition is left
 * out, and counted; so is what holds NUL bytes. Task/Settings/Enabled is true where it is absent (win32, TaskSchd,
 * settingsType); the Enabled of a trigger is another thing.
 */
#ifndef AGENTS_WIN_TASK_H
#define AGENTS_WIN_TASK_H

#include <stdbool.h>
#include <stddef.h>

#define TASK_PATH_MAX 260

struct win_task {
	char *path; /* \FOLDER\NAME, of the comment in front, which schtasks.exe writes; else of RegistrationInfo/URI, which is
		       whatever the author wrote there. NULL: not known */
	bool enabled;
	char *actions; /* command, arguments and working folder of each action, a line each, in UTF-8 */
};

/* The next task from *at on; false at the end. *bad is counted up by what could not be read on the way. Release it. */
bool win_task_next(const char *text, size_t len, size_t *at, struct win_task *out, int *bad);
void win_task_release(struct win_task *task);

/* The task of a text that holds one, and nothing else that could be one; false, and nothing to release, otherwise. */
bool win_task_only(const char *text, size_t len, struct win_task *out);

/* Can it be the path of one task, and an argument (win_is_argument)? `\` and names that Windows allows. */
bool win_task_is_path(const char *path);

/* Do the actions name one of these, a folder or a program? Without case, and not as a part of a longer name. A name counts
   wherever it stands: short names and junctions cannot be told from other folders here. */
bool win_task_names(const struct win_task *task, const char *const names[]);

#endif
