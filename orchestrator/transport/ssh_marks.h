/*
 * Our lines in a stream that others write to, too. A mark is a line
 *
 *     NEWLINE @NONCE SPACE words NEWLINE
 *
 * where a CR before the last newline does not count. The newline before it ends what somebody left unfinished ("Welcome! " without one) and is not part of anybody's text.
 * All else is text: banners, messages of the day, the echo in somebody's .bashrc, or a command's own output. A mark may
 * announce bytes that follow it and are not looked at (ssh_marks_raw), so that an output may hold anything.
 *
 * The nonce is new for each session; it keeps apart what is ours by accident from what is not. A host that lies can
 * read it, of course: what a mark says is checked by whoever takes it.
 */
#ifndef TRANSPORT_SSH_MARKS_H
#define TRANSPORT_SSH_MARKS_H

#include <stdbool.h>
#include <stddef.h>

enum { SSH_NONCE_MAX = 17, SSH_MARK_MAX = 2048 };

struct ssh_marks;

/* Called from inside ssh_marks_feed. A mark's words are ended by NUL; a longer one than SSH_MARK_MAX is given as far as
   that. A negative return stops the feeding, which returns it. */
struct ssh_marks_sink {
	int (*mark)(struct ssh_marks *marks, const char *words);
	int (*text)(struct ssh_marks *marks, const char *bytes, size_t len);
	int (*raw)(struct ssh_marks *marks, const char *bytes, size_t len);
};

struct ssh_marks {
	const struct ssh_marks_sink *sink;
	void *arg;                      /* the owner's */
	char prefix[SSH_NONCE_MAX + 3]; /* "\n@NONCE " */
	size_t prefix_len;
	size_t matched; /* bytes of the prefix seen, all of it while a mark's words are read */
	char words[SSH_MARK_MAX];
	size_t words_len;
	size_t raw_left;
};

void ssh_marks_init(struct ssh_marks *marks, const char *nonce, const struct ssh_marks_sink *sink, void *arg);

/* To be called by a mark callback: the next `len` bytes are raw. */
void ssh_marks_raw(struct ssh_marks *marks, size_t len);

/* 0, or what a callback returned. */
int ssh_marks_feed(struct ssh_marks *marks, const char *bytes, size_t len);

/* The stream has ended: what was held back as the possible beginning of a mark was text after all. */
int ssh_marks_end(struct ssh_marks *marks);

#endif
