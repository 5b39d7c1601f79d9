/*
 * A Windows host without a network, for unit tests of the Windows shell: an SFTP server (winhost_sftp.c) and a cmd.exe
 * (winhost.c) that understand what the transport sends, files in memory, and faults at any answer. The bytes are taken
 * from the channels' buffers and given to ssh_files_take and ssh_win_shell_take.
 */
#ifndef TESTS_TRANSPORT_WINHOST_H
#define TESTS_TRANSPORT_WINHOST_H

#include "transport/ssh_windows.h"

enum { WINHOST_FILES = 48, WINHOST_FOLDER_MODE = 0040755, WINHOST_STEPS = 2000 };

struct winhost_file {
	char *path; /* as SFTP writes it; NULL: none */
	struct buf bytes;
	uint32_t mtime_s;
	bool folder, read_only;
	bool held; /* by another process that does not share it: not to be opened */
};

/* What the N-th answer of the SFTP server (from 1) is instead of the true one. */
enum winhost_fault {
	ANSWER_FAILURE,    /* status: failure, and it is not done */
	ANSWER_FORBIDDEN,  /* status: permission denied, and it is not done */
	ANSWER_OTHER_ID,   /* of another question */
	ANSWER_OTHER_TYPE, /* a name, where none was asked for */
	ANSWER_SHORT,      /* the packet ends too early */
	ANSWER_GARBAGE,    /* no packet */
	ANSWER_TWICE,
	ANSWER_NEVER,
	ANSWER_FAULTS,
};

struct winhost {
	uv_loop_t loop;
	struct ssh_transport transport;
	struct ssh_remote remote;
	struct ssh_win_shell *sh;
	struct winhost_file files[WINHOST_FILES];
	struct winhost_file *handles[16];
	bool listed[16]; /* the folder's entries are given */
	uint32_t now_s;
	struct buf sftp_in, cmd_in;
	struct err err; /* what cost the session; code 0: nothing did */
	bool no_fsync;
	int fault_at; /* 0: never */
	enum winhost_fault fault;
	int answers, lines;

	/* what a script that is not one of the transport's own does */
	int32_t code;
	const char *out, *err_out;
	bool no_outputs; /* cmd.exe cannot make the files for them */
	bool silent;     /* it never ends */
	struct buf ran;  /* each: SCRIPT's text|arguments as they stand|input; */

	/* what copy does */
	int copy_fails;      /* so many times, and does nothing */
	int copy_tears;      /* after so many bytes it fails; -1: never */
	bool cannot_name;    /* cmd.exe does not find the file */
	bool copy_lies;      /* ends well, does nothing */
	int copies;          /* how often it was asked to */
	void (*before_copy)(struct winhost *host);

	/* Somebody writes into the file in front of that answer. read_at: the last one that gave its data. */
	int change_at, read_at;
	const char *change_path, *change_text;
};

/* With a session that is under way, and the folder C:\windows\temp. ready: pumped until it is. */
void winhost_init(struct winhost *host);
void winhost_ready(struct winhost *host);
void winhost_release(struct winhost *host);

struct winhost_file *winhost_put(struct winhost *host, const char *path, const char *text);
struct winhost_file *winhost_find(struct winhost *host, const char *path);
const char *winhost_text(struct winhost *host, const char *path); /* NULL: not there */
void winhost_remove(struct winhost_file *file);
int winhost_left(struct winhost *host); /* files in the private folder that are not scripts */

/* Goes on until nothing moves any more; `steps` at most. False: it did not come to rest. Time passes where it waits. */
bool winhost_pump(struct winhost *host, int steps);
bool winhost_serve_one(struct winhost *host); /* false: SFTP was asked nothing */

/* What the shell was sent, not yet taken: for tests that play cmd.exe themselves. */
int winhost_say(struct winhost *host, const char *text); /* {N}: the nonce, {L}: the number of the line that is out */

/* A remote_request with its op. */
struct winhost_op {
	struct op op;
	struct remote_request request;
	bool done;
};

void winhost_op_init(struct winhost_op *o, enum op_kind kind);
void winhost_op_start(struct winhost *host, struct winhost_op *o);
/* Starts it and pumps. pass_time: for a host that does not answer any more: the op's time, then the grace to end it. */
void winhost_run(struct winhost *host, struct winhost_op *o);
void winhost_pass_time(struct winhost *host, struct winhost_op *o);
void winhost_op_release(struct winhost_op *o);

#endif
