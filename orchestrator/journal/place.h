/*
 * Where a state file is, and whether it may be used: its real path (so that two names of one file have one lock), its
 * mode, its kind, the file system under it, and the lock beside it. No SQL here.
 *
 * Nothing here opens the state file itself: closing any descriptor of it would drop SQLite's locks in this process
 * (POSIX locks belong to the process, fcntl(2)).
 */
#ifndef JOURNAL_PLACE_H
#define JOURNAL_PLACE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct place {
	char *path;   /* real: absolute, without links */
	char *folder; /* of path */
	char *wal;    /* path + "-wal" */
	bool exists;
};

/* Finds and fills; the folder has to exist. E_NOTFOUND (no such folder, a link to nothing), E_PERM, E_INVAL, E_IO. */
int place_find(const char *path, struct place *place, struct err *err);
void place_release(struct place *place);

/* Refuses what is no regular file of one name, empty, or open to others. What the errors are: journal_open. */
int place_check_file(const struct place *place, struct err *err);

/* May it be written here? E_PERM with the reason. place_check_folder also refuses network file systems (E_INVAL). */
int place_check_writable(const struct place *place, struct err *err);
int place_check_folder(const struct place *place, struct err *err);

/* Bytes in the write-ahead log beside it, 0 when there is none. */
long long place_wal_bytes(const struct place *place);

/* The name of a file system on which SQLite's shared memory or locks do not hold, or NULL; `magic` as of statfs(2). */
const char *place_network_fs(unsigned long magic);

/* fsync of the folder: a new name is durable only then. */
int place_sync_folder(const struct place *place, struct err *err);

/* Takes the lock PATH.lock for this process: *fd. Released by close(fd), and by the kernel when the process dies.
   E_LOCKED names the holder. */
int place_lock(const struct place *place, int *fd, struct err *err);

/* The holder's text; E_NOTFOUND when nobody holds it. */
int place_lock_holder(const struct place *place, char *text, size_t size, struct err *err);

#endif
