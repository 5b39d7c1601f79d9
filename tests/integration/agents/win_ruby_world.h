/*
 * The Ruby client as it is at first on the Windows host of win_world.h: its folder with a file that names the old host, Ruby,
 * and two tasks of the Task Scheduler that run it, one of them disabled. For the tests of it, test_ruby_windows.c.
 *
 * Time passes by being asked: each look at the processes is one step of it.
 */
#ifndef TESTS_INTEGRATION_AGENTS_WIN_RUBY_WORLD_H
#define TESTS_INTEGRATION_AGENTS_WIN_RUBY_WORLD_H

#include "tests/integration/agents/drive.h"
#include "tests/integration/agents/win_world.h"
#include "tests/lib/unit.h"

#define OLD_NAME "us.imhs-ws.trendmicro.com"
#define NEW_NAME "ws.acme.hes2.example"
#define FOLDER "C:\\imhs & co's"
#define CONFIG FOLDER "\\imhs-config.rb"
#define BACKUP CONFIG ".before-cutover"
#define NIGHTLY "\\Sync\\夜 & day"
#define HALTED "\\halted"
#define OTHERS "\\GoogleUpdate"

#define FILE_OF(host)                                                                                                  \
	"# -*- coding: utf-8 -*-\r\n# ROOT_URI = 'https://" OLD_NAME "/imhs/v1.0/en'\r\nROOT_URI = 'https://" host     \
	"/imhs/v1.0/en'\r\nAPI_KEY = 'k-4711-secret'\r\n"

#define ENDS(end, want) ck_assert_msg((end) == (want), "step %s: %s", wr.d.step, wr.d.text)
#define SAYS(want, words)                                                                                              \
	ck_assert_msg(wr.d.kind == (want) && strstr(wr.d.text, words), "step %s: %s: %s", wr.d.step,                   \
		      verdict_name(wr.d.kind), wr.d.text)

#define WIN_TASKS 4
#define WIN_RUBIES 4

struct win_task_here {
	const char *path, *folder;
	bool enabled, stubborn; /* stubborn: says SUCCESS and stays as it is */
	long code;		/* what each change ends with; 0: it works */
	int switched;		/* changes that were made */
};

struct win_ruby_here {
	unsigned pid;
	int looks; /* looks at it that are left; -1: for ever */
};

struct win_ruby {
	struct drive d;
	struct win_task_here tasks[WIN_TASKS];
	int tasks_n;
	struct win_ruby_here rubies[WIN_RUBIES];
	bool no_ruby;
	int runs;	  /* times that the client was run */
	long run_code;	  /* and what it ends with */
	char ran_with[128]; /* the host in the file, the last time */
	bool ran_scheduled; /* it was run by us while a task could have started it, too */
};

extern struct win_ruby wr;

/* The world, with an inventory's entry (JSON); and the end of it. */
void win_ruby_begin(const char *params);
void win_ruby_end(void);

struct win_task_here *win_task_here(const char *path);
bool win_ruby_file_is(const char *path, const char *want);
bool win_ruby_has_note(const char *words); /* the last assessment */

void win_ruby_is_changed(void); /* the new name once, the old file beside it, run with it, tasks as they were, no debt */
void win_ruby_is_old(void);	/* the old name, tasks as they were, no debt */

#endif
