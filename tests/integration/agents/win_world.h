/*
 * A Windows host in memory, for the tables of agents that work on one: a service manager, processes, files and a task
 * scheduler that answer as sc.exe, tasklist.exe and the transport do, in English or in Japanese (CP932), and that can
 * be told to misbehave. What it cannot show is whether the .cmd files do what their heads say: that is for the hosts
 * behind a real sshd (tests/integration/ssh_kill_mixed.sh).
 *
 * Time passes by being asked: each look at a service that is on its way is one step of it.
 */
#ifndef TESTS_INTEGRATION_AGENTS_WIN_WORLD_H
#define TESTS_INTEGRATION_AGENTS_WIN_WORLD_H

#include "agents/win_sc.h"
#include "base/buf.h"
#include "base/op.h"

#define WIN_SERVICES 4
#define WIN_FILES 8

struct win_service {
	const char *key, *display, *command_line;
	enum sc_state state;
	enum sc_start start;
	uint32_t pid;
	const char *depends_on; /* key, or NULL */
	/* how it behaves */
	int stop_looks, start_looks; /* how many looks it is pending for; -1: for ever */
	bool ignores_stop;           /* says that it stops, and runs on */
	bool makes_progress;         /* its checkpoint grows while it is pending */
	int lingers;                 /* its process outlives it by so many looks; -1: for ever */
	int revives_after;           /* looks after which it is started by its recovery settings; 0: never */
	int revives;                 /* how often it does so */
	long stop_code, start_code;  /* what sc stop and sc start end with, once; 0: they work */
	long dies;                   /* code with which it ends as soon as it was started; 0: it lives */
	/* what became of it */
	int starts, stops;
	int pending; /* looks left */
	int down;    /* looks since it stopped */
	uint32_t checkpoint;
	char read[128]; /* the host in the file that the running process has read at its start; "torn" where there is
			   none */
};

struct win_file {
	char path[300];
	struct buf bytes;
	bool there, read_only;
	int busy; /* so many tries to open it fail */
};

struct win_world {
	bool japanese;
	struct win_service services[WIN_SERVICES];
	int services_n;
	struct win_file files[WIN_FILES];
	int files_n;
	uint32_t next_pid;
	const char *config; /* what the services read */
	/* the session dies in the copy of the next replacement: so many bytes of the new file are there; -1: it does
	 * not */
	long tear_at;
	bool tear_keeps_rest; /* the old file's rest is behind them */
	void (*more)(const struct op *op, struct op_result *result);
	int tasks_asked;
	int fail_tasklist;
	long fail_sc; /* what sc.exe ends with, whatever it is asked; 0: it runs */
};

extern struct win_world win;

/* An empty machine. */
void win_begin(void);
void win_end(void);

/* Adds one; with state RUNNING it has a process that has read the file as it is. */
struct win_service *win_service_add(const char *key, const char *display, const char *command_line,
				    enum sc_state state);
struct win_service *win_service(const char *key);

struct win_file *win_file(const char *path); /* made when it is not there */
void win_write(const char *path, const void *bytes, size_t len);

/* The op, done; for struct drive's `does`. What it does not know (a script, a command) is handed to `more` where the test
   has set it, and is else a failure of the test. */
void win_do(const struct op *op, struct op_result *result);

#endif
