/*
 * The text that goes to /bin/sh on a host: how a script of ours is started on a fresh channel, and what stands before
 * the work of a request. Pure: bytes in, bytes out.
 */
#ifndef TRANSPORT_SSH_TEXT_H
#define TRANSPORT_SSH_TEXT_H

#include "base/buf.h"
#include "base/embed.h"

/* 'text' for a POSIX shell; whatever is in it stands for itself. */
void ssh_text_quote(struct buf *out, const char *text);

/* The lines that start `script` (of transport/remote/) behind the channel's command (ssh_channel.c): a loader, then
   `assignments` ("X='1' E='0'"), the script without its comment lines, and the line that runs it. */
void ssh_text_start(struct buf *out, const char *nonce, const char *assignments, const struct embedded *script);

/* Lines up to the one that ends them. A last line without its newline gets one. */
void ssh_text_lines(struct buf *out, const char *nonce, const char *bytes, size_t len);

/* Bytes as lines of base64, ended likewise. */
void ssh_text_base64(struct buf *out, const char *nonce, const void *bytes, size_t len);

/* What the far side needs for a request. */
struct ssh_prelude {
	const char *nonce, *folder, *umask;
	unsigned number;
};

/* The file rNUMBER: says that it has begun, sends its output to the private files, sets $1 …, and reads the script in. */
void ssh_text_run(struct buf *out, const struct ssh_prelude *p, char *const *args, int args_n, unsigned script);

/* The file xNUMBER: says on both streams that it has begun, then the command as it stands. */
void ssh_text_exec(struct buf *out, const struct ssh_prelude *p, const char *command);

#endif
