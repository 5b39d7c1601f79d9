/*
 * An op: one piece of work on a far side, and what came back. It is the one word that agents, engine and transport
 * share: an agent says it (agents/agent.h), the engine journals and starts it, the transport does it
 * (transport/transport.h), the agent judges the result. It knows nothing of what the work is for.
 *
 * OP_RUN      runs one of our scripts (a file of agents/remote/, embedded) with arguments and an input, under /bin/sh on
 *             Linux, in a process group of its own with stdin from the input. Arguments and input are never part of a
 *             command line that others can see in `ps`.
 * OP_EXEC     runs an operator's command as it stands, by /bin/sh -c, on a channel of its own, so that several can run at
 *             once and none can hold or pollute the others.
 * OP_GET      reads a whole regular file (links followed): its bytes in `out`, its metadata in `file`. Not there:
 *             E_NOTFOUND. Larger than max_out_bytes: E_LIMIT, nothing is returned.
 * OP_REPLACE  replaces a file's bytes, compare-and-set: only if its content's SHA-256 is `expect_sha256` (else
 *             E_CHANGED, and nothing was done). Atomic for whoever reads it; owner, group, mode, ACL, xattrs and a
 *             symlink to it are kept; it is on disk before the op ends. A file with several hard links is refused
 *             (E_INVAL): atomic and linked exclude each other. `backup`: the old file is kept under that name in the
 *             same folder, unless one is there already (the first one is the one that counts).
 * OP_HTTP     asks a web service: GET of `url`, which is https: and nothing else, from the controller, or with `via`
 *             through that host's session (transport/http.h): as the host sees it. Whatever way of HTTP authentication
 *             the service asks for (RFC 7617, RFC 7616, NTLM), with `account` and `password`; neither leaves before the
 *             server's certificate was found good. exit_code is the status: every status is an answer, a redirection
 *             too, and none is followed. `out` is the body, `err` the answer's header lines. A body larger than
 *             max_out_bytes: E_LIMIT, nothing is returned.
 * OP_SMTP     asks a mail server whether it would take a mail, and hands none over: from the controller, or with `via` through
 *             that host's session, so that the server sees the host's address (transport/smtp.h). Connect, EHLO `hello` (NULL:
 *             this machine's name), STARTTLS where it is offered, MAIL `mail_from`, RCPT `rcpt_to`, QUIT. Every reply is an
 *             answer: `out` has a line `STAGE CODE TEXT` for each (transport/smtp_talk.h), also those before a failure.
 *
 * On a Windows host the first four mean:
 *
 * OP_RUN      the script is a .cmd file. It is put, with CR LF, into a folder of the session whose path has no space, and
 *             run by `call "…\name.cmd" "arg" …` in the resident cmd.exe, its stdin from the input, or from nul where there
 *             is none. exit_code has all 32 bits. An argument is UTF-8 and holds no quote, percent sign, CR or LF
 *             (E_INVAL). A child that has not ended when the time is over is ended with the session's cmd.exe, and so are
 *             all that it started; what asked the service manager to work goes on.
 * OP_EXEC     the line as it stands, by a cmd.exe of its own.
 * OP_GET      by SFTP. `path` as Windows writes it (C:\Program Files (x86)\…). `mode` has the write bits of a file that is
 *             not read-only, and that is all that is known: owner and group are "", links is 1. A file that another
 *             process holds without sharing: E_BUSY.
 * OP_REPLACE  compare-and-set by what is read before; the new bytes are written beside the file, read back, then copied
 *             onto it (`copy /b /y`: ACL, owner and creation time stay the file's own), which is not atomic: a session that
 *             dies in it can leave the file torn, with the new bytes and the backup beside it. What is there afterwards is
 *             read and compared before the op ends well. A read-only attribute is taken off for the copy and put back,
 *             whatever happens. A file that has the new bytes already is not written: what a session left that died behind
 *             its copy (the file beside, the attribute taken off) is put right, and the op ends well. A sharing violation is
 *             waited for until the op's time is over, then E_BUSY, and nothing
 *             was changed.
 */
#ifndef BASE_OP_H
#define BASE_OP_H

#include "base/buf.h"
#include "base/embed.h"
#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define OP_OUT_MAX_DEFAULT ((size_t)256 << 10)
#define OP_TIMEOUT_DEFAULT_MS 30000
#define OP_ARGS_MAX 16

enum op_kind { OP_RUN, OP_EXEC, OP_GET, OP_REPLACE, OP_HTTP, OP_SMTP };

struct op {
	enum op_kind kind;
	bool elevated;	      /* with the host's `become`; without effect where that is none */
	int timeout_ms;	      /* of the work itself, once it is its turn; then it is killed on the far side */
	size_t max_out_bytes; /* of stdout, and of stderr; beyond it `truncated` is set */
	const struct embedded *script; /* OP_RUN */
	char *args[OP_ARGS_MAX];       /* OP_RUN: owned copies, $1 … */
	int args_n;
	struct buf input; /* OP_RUN: stdin; OP_REPLACE: the new bytes */
	char *command;	  /* OP_EXEC */
	char *path;	  /* OP_GET, OP_REPLACE: absolute */
	char expect_sha256[SHA256_HEX_MAX]; /* OP_REPLACE */
	char *backup;			    /* OP_REPLACE: a file name, or NULL */
	char *url;			    /* OP_HTTP */
	char *account;			    /* OP_HTTP: or NULL */
	char *secret;	     /* OP_HTTP: where the password is found, as the inventory says it; the engine looks it up */
	struct buf password; /* OP_HTTP: filled in just before the start */
	char *via;	     /* OP_HTTP, OP_SMTP: the name of the tenant's host that it goes through; NULL: the controller asks */
	char *trust_file;    /* OP_HTTP, OP_SMTP: the only certificates to trust (PEM); NULL: the system's */
	char *server;	     /* OP_SMTP: a name or an address; a name is looked up where the connection is made */
	int port;	     /* OP_SMTP */
	char *hello, *mail_from, *rcpt_to; /* OP_SMTP */
};

/* Metadata of a file that was read. */
struct op_file {
	char *real_path; /* after links */
	unsigned mode;	 /* permission bits */
	long uid, gid;
	char *owner, *group; /* names, or numbers where there is no name */
	unsigned long links;
	int64_t size_bytes;
	int64_t mtime_s;
};

/* err.code 0: it ran to its end, and exit_code is known. Else how it failed:
 *   E_TIMEOUT (killed on the far side, as far as could be), E_CANCELED, E_CLOSED (cut: whether it had an effect is not
 *   known), E_SUDO, E_PROTOCOL, E_PERM, E_NOTFOUND, E_LIMIT, E_CHANGED, E_INVAL, E_NOSPACE, E_BUSY, E_IO; of a service
 *   also E_UNREACHABLE, E_REFUSED, E_TLS, and of the way through a host E_FORWARDING, E_BASTION.
 * `started` tells whether the far side may have begun: false means surely not. out and err hold what came until then.
 * `beyond`: what failed is the service that was asked, or the way to it; the remote itself is as good as before. */
struct op_result {
	struct err failure;
	bool started;
	bool beyond;
	int32_t exit_code;
	struct buf out, err;
	struct op_file file;
	int64_t elapsed_ms;
};

void op_init(struct op *op, enum op_kind kind);
void op_release(struct op *op); /* overwrites the input and the password */
void op_arg(struct op *op, const char *arg);
void op_argf(struct op *op, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void op_result_release(struct op_result *result);

#endif
