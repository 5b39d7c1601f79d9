/*
 * Crontabs as bytes: which entries start a certain client, and how one of them is switched off and on again while every
 * other byte stays as it is. Pure: bytes in, bytes out.
 *
 * A line is what stands between newlines; a CR before the newline belongs to the line, as it does for cron. An entry
 * is switched off by putting the *marker* in front of it, at the very beginning of its line, and on again by taking
 * exactly that away. The marker is "#CUTOVER:ID: ", ID being the tenant's, so that everyone who opens the crontab
 * sees who did it, and so that nobody's own comments are ever taken for ours.
 *
 * Everything is compare-and-set by the line's bytes, not by its number: what stands around it may have been edited
 * meanwhile and is kept.
 *
 * Syntax: crontab(5) of Debian's cron and of cronie. Entries are five time fields or an @word, in system crontabs then
 * a user, then the command up to the end of the line; an unescaped `%` ends the command and begins its input. Lines
 * `NAME = value` set the environment; a command that uses a variable whose value names the client starts it, too.
 */
#ifndef AGENTS_EDIT_CRONTAB_H
#define AGENTS_EDIT_CRONTAB_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CRONTAB_USER_MAX 64

enum crontab_format {
	CRONTAB_USER,   /* /var/spool/cron/crontabs/USER: no user column */
	CRONTAB_SYSTEM, /* /etc/crontab, /etc/cron.d/FILE */
};

/* What a client is called. Lists end with NULL; the strings are the caller's. */
struct crontab_client {
	const char *const *folders; /* absolute, without a slash at the end: as it was named, and with links resolved */
	const char *const *names;   /* its folder's and its programs' names: "imhs-ws-clinet", "imhs-ws-client.rb" */
};

struct crontab_entry {
	size_t offset, len;           /* the whole line, marker and CR included, newline excluded */
	size_t body_offset, body_len; /* the line without our marker */
	long line;                    /* 1-based */
	bool off;                     /* our marker is in front of it */
	char user[CRONTAB_USER_MAX];  /* of a system crontab's entry; else "" */
};

/*
 * The entries that start the client, in their order: *found is an array of *found_n, which the caller frees. Entries
 * behind `marker` are among them (`off`); comments, other people's markers, environment lines and lines that cron does
 * not take for entries are not.
 *
 * A command starts the client when it names one of its folders, or one of its names where that is not part of another
 * absolute path (so that a second client in another folder is not taken for this one).
 */
void crontab_find(const char *text, size_t len, enum crontab_format format, const struct crontab_client *client,
		  const char *marker, struct crontab_entry **found, size_t *found_n);

/*
 * Switches the entry `line` (the whole line as it is when it is on) off, or on; the new text is added to `out`.
 *   E_EXISTS    it is so already: nothing is added
 *   E_NOTFOUND  no line is that any more, neither on nor off
 *   E_INVAL     more than one line is: which one is meant cannot be said
 */
int crontab_disable(const char *text, size_t len, const char *line, size_t line_len, const char *marker,
		    struct buf *out, struct err *err);
int crontab_enable(const char *text, size_t len, const char *line, size_t line_len, const char *marker, struct buf *out,
		   struct err *err);

/* Does a line begin with this marker? For looking whether something of ours was left. */
bool crontab_has_marker(const char *text, size_t len, const char *marker);

#endif
