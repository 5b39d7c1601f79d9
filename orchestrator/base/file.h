/*
 * Files on this machine. Reads are bounded; a directory, a device or a FIFO is refused, so that nothing hangs.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Adds the file's bytes to `out`. E_NOTFOUND, E_PERM, E_IO; E_LIMIT when it is larger than max_bytes, which is seen
   from its size before a byte is read, or than `out` may become; E_INVAL for what is no regular file. */
int file_read(const char *path, size_t max_bytes, struct buf *out, struct err *err);

/* Writes a whole file so that a crash leaves the old or the new one: beside it, fsync, rename, fsync of the folder. A
   link of that name is replaced, not followed. */
int file_write(const char *path, mode_t mode, const void *bytes, size_t len, struct err *err);

/* The same for a file that must not be there: E_EXISTS, and what is there stays as it is, whoever made it and when. */
int file_create(const char *path, mode_t mode, const void *bytes, size_t len, struct err *err);

/* Like `mkdir -p`. E_EXISTS: something on the way is there and is no folder. */
int file_mkdirs(const char *path, mode_t mode, struct err *err);

/* The folder of a path ("." for a bare name); folder and name joined, an absolute name as it is. The caller frees. */
char *file_dirname(const char *path);
char *file_join(const char *folder, const char *name);

#endif
