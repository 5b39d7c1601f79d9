/*
 * What a session does its requests by: one shell on the host, started when the login is done and there for as long as
 * the session, and commands on channels of their own beside it (ssh_exec.h). There are two kinds, /bin/sh
 * (ssh_posix.c) and cmd.exe (ssh_windows.c); ssh_session.c and ssh_exec.c know neither. The functions that they call
 * are in ssh_remote.h.
 */
#ifndef TRANSPORT_SSH_SHELL_H
#define TRANSPORT_SSH_SHELL_H

#include "transport/ssh_remote.h"

enum {
	SHELL_NOISE_MAX = 256 << 10, /* bytes that are not ours, in a session */
	SHELL_TEXT_MAX = 400,        /* of them, kept for errors */
	KILL_GRACE_MS = 6000,        /* from the order to end until it must be over */
};

struct ssh_exec;

struct ssh_shell_kind {
	const char *name;    /* for errors */
	const char *command; /* what a channel is asked to run: the shell's own, and those of OP_EXEC */
	bool crlf;           /* the newline before a mark is CR LF */
	struct ssh_shell *(*make)(struct ssh_remote *remote); /* its channel is under way */
	void (*free)(struct ssh_shell *shell);
	int (*step)(struct ssh_shell *shell, struct err *err);
	void (*finish)(struct ssh_shell *shell); /* may be called often */
	int64_t (*deadline)(const struct ssh_shell *shell);

	/* OP_EXEC: puts x->request on its way on x->channel. */
	void (*exec_begin)(struct ssh_exec *x);
	/* The words of the mark that says that it has begun; false: they are broken. */
	bool (*exec_started)(struct ssh_exec *x, const char *words);
	/* Time is up: ends it on the host as far as that can be done from here. It is called once. */
	void (*exec_kill)(struct ssh_exec *x);
	/* Nobody waits for it any more: it is about to be freed. */
	void (*exec_gone)(struct ssh_exec *x);
};

/* The first member of each kind's own struct. */
struct ssh_shell {
	const struct ssh_shell_kind *kind;
	struct ssh_remote *remote;
	char nonce[SSH_NONCE_MAX];
	bool ready, finishing;
	bool ended; /* nothing comes any more */
	struct ssh_request *running;
};

extern const struct ssh_shell_kind ssh_posix_kind, ssh_windows_kind;

void ssh_shell_init(struct ssh_shell *shell, const struct ssh_shell_kind *kind, struct ssh_remote *remote);

/* It is a request's turn: the time that it has begins now. */
void ssh_shell_clock(struct ssh_remote *remote, struct ssh_request *request);

/* Numbers separated by single blanks, exactly `n` of them, up to the end of the text. */
bool ssh_mark_numbers(const char *text, int64_t *out, int n);

/* An exit code, as far as 32 bits go: signed or unsigned. */
bool ssh_mark_code(int64_t number);

/* What came back, once a request's work has ended with `exit_code`: sets result.failure where it did not succeed. */
void ssh_shell_judge(struct ssh_remote *remote, struct ssh_request *request, bool elevated);

#endif
