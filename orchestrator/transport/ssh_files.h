/*
 * Files of a host by SFTP (ssh_sftp.h), on a channel of its own in the remote's session: jobs, done one after the
 * other in the order they come.
 *
 *     STARTING → IDLE ⇄ ASKED                            (all but reading and writing)
 *                  │ ↖────────── CLOSING ←──┐
 *                  └→ OPENING → READING ─────┤
 *                        └────→ WRITING → SYNCING
 *
 * A job is made by its maker, given away with ssh_files_start, and freed when its `done` has come back. What the server
 * refuses is the job's own failure; what does not keep to the protocol costs the session.
 */
#ifndef TRANSPORT_SSH_FILES_H
#define TRANSPORT_SSH_FILES_H

#include "base/list.h"
#include "transport/ssh_channel.h"
#include "transport/ssh_sftp.h"

enum ssh_file_verb {
	FILE_STAT,
	FILE_REAL_PATH,
	FILE_MKDIR,
	FILE_REMOVE,
	FILE_REMOVE_FOLDER, /* an empty one */
	FILE_LIST,          /* a folder's entries, to `entry` */
	FILE_RENAME, /* fails where there is one of the new name already */
	FILE_SET_MODE,
	FILE_READ,
	FILE_WRITE,
	FILE_TRY, /* may it be opened for writing? Nothing is written */
};

enum { FILE_LIST_BYTES_MAX = 512 << 10 };

struct ssh_file_job {
	struct list node;
	enum ssh_file_verb verb;
	char *path;              /* as SFTP writes it: "/C:/…" */
	char *new_path;          /* RENAME: owned, too */
	unsigned mode;           /* SET_MODE; WRITE, MKDIR: of what is made */
	bool exclusive;          /* WRITE: only if there is none (else it is emptied first) */
	bool in_place;           /* WRITE: only if there is one */
	bool durable;            /* WRITE: synced, where the server can do that */
	struct buf bytes;        /* WRITE: what; READ: what came, as far as bytes.max; REAL_PATH: the path */
	size_t enough;           /* READ: after so many bytes the file's end is not asked for; 0: it is */
	bool more;               /* READ: there is more than bytes.max; LIST: than FILE_LIST_BYTES_MAX of answers */
	struct sftp_attrs attrs; /* STAT */
	/* LIST: an entry; the name is the server's and may be anything. Called while the answers come. */
	void (*entry)(struct ssh_file_job *job, struct wire_str name, const struct sftp_attrs *attrs);
	void (*done)(struct ssh_file_job *job);
	void *arg;

	/* how it ended: 0, E_NOTFOUND, E_PERM, or E_IO for all else; `status` is the server's (enum sftp_status) */
	int code;
	uint32_t status;
	bool opened;    /* READ, WRITE, TRY: it came so far */
	char said[160]; /* the status in words, with the server's own text */
};

enum ssh_files_state {
	FILES_STARTING,
	FILES_IDLE,
	FILES_ASKED,
	FILES_OPENING,
	FILES_READING,
	FILES_WRITING,
	FILES_SYNCING,
	FILES_CLOSING,
};

struct ssh_files;

struct ssh_file_job *ssh_file_job_new(enum ssh_file_verb verb, const char *path, void (*done)(struct ssh_file_job *job),
				      void *arg);

/* Its channel is under way. free: jobs that are left are freed without their `done`. */
struct ssh_files *ssh_files_new(struct ssh_remote *remote);
void ssh_files_free(struct ssh_files *files);

/* 0, or negative when the session is of no use any more. */
int ssh_files_step(struct ssh_files *files, struct err *err);
bool ssh_files_up(const struct ssh_files *files);

/* Takes the job over. `done` is called from a later step. */
void ssh_files_start(struct ssh_files *files, struct ssh_file_job *job);

/* Nobody waits for it any more: it comes to its end without `done`. */
void ssh_file_job_disown(struct ssh_file_job *job);

/* What a step is made of: takes what came from the server; begins the next job, if none is under way. What is to be
   sent waits in ssh_files_channel()->in. */
int ssh_files_take(struct ssh_files *files, const char *bytes, size_t len, struct err *err);
void ssh_files_turn(struct ssh_files *files);
struct ssh_channel *ssh_files_channel(struct ssh_files *files);

#endif
