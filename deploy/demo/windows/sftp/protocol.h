/*
 * SFTP version 3 (draft-ietf-secsh-filexfer-02), the server's half: bytes in, bytes out. What a file is it does not
 * know: it asks a `struct sftp_files`. win32.c has one that is Win32's calls (sftp-server.exe of the Windows hosts);
 * the test server of tests/fleet has one that plays Windows on Linux's files.
 *
 * Pure C without I/O, so that both compilers take it. All input is distrusted: a packet that is larger than
 * SFTP_PACKET_MAX or cannot be understood ends the session (sftp_input says so), as OpenSSH's server ends.
 */
#ifndef SFTP_PROTOCOL_H
#define SFTP_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SFTP_PACKET_MAX (256u << 10)
#define SFTP_DATA_MAX (64u << 10)
#define SFTP_PATH_MAX 4096
#define SFTP_HANDLES_MAX 100 /* OpenSSH's limit on Windows */

/* SSH_FX_… */
enum sftp_status {
	SFTP_OK = 0,
	SFTP_EOF = 1,
	SFTP_NO_SUCH_FILE = 2,
	SFTP_PERMISSION_DENIED = 3,
	SFTP_FAILURE = 4,
	SFTP_BAD_MESSAGE = 5,
	SFTP_UNSUPPORTED = 8,
};

/* SSH_FXF_… of an open. */
#define SFTP_READ 0x01u
#define SFTP_WRITE 0x02u
#define SFTP_APPEND 0x04u
#define SFTP_CREATE 0x08u
#define SFTP_TRUNCATE 0x10u
#define SFTP_EXCLUSIVE 0x20u

/* SSH_FILEXFER_ATTR_… */
#define SFTP_HAS_SIZE 0x01u
#define SFTP_HAS_OWNER 0x02u
#define SFTP_HAS_MODE 0x04u
#define SFTP_HAS_TIMES 0x08u

struct sftp_attrs {
	uint32_t has;
	uint64_t size;
	uint32_t uid, gid, mode, atime, mtime; /* mode with the file's type, as in struct stat */
};

/*
 * The files behind the protocol. Paths are UTF-8 as the client wrote them, at most SFTP_PATH_MAX bytes with their NUL.
 * Each function gives an enum sftp_status. `file` and `dir` are the backend's own and end with close and closedir.
 *
 *   realpath  `out` has SFTP_PATH_MAX bytes
 *   read      *size: room, then what was read; SFTP_EOF where nothing was left
 *   readdir   the next entry into `name` (SFTP_PATH_MAX bytes); SFTP_EOF behind the last
 *   posix_rename, hardlink, fsync  NULL: not advertised, and unsupported
 */
struct sftp_files {
	enum sftp_status (*realpath)(void *self, const char *path, char *out);
	enum sftp_status (*stat)(void *self, const char *path, struct sftp_attrs *attrs);
	enum sftp_status (*setstat)(void *self, const char *path, const struct sftp_attrs *attrs);
	enum sftp_status (*open)(void *self, const char *path, uint32_t flags, void **file);
	enum sftp_status (*close)(void *self, void *file);
	enum sftp_status (*read)(void *self, void *file, uint64_t offset, void *bytes, size_t *size);
	enum sftp_status (*write)(void *self, void *file, uint64_t offset, const void *bytes, size_t size);
	enum sftp_status (*fstat)(void *self, void *file, struct sftp_attrs *attrs);
	enum sftp_status (*fsetstat)(void *self, void *file, const struct sftp_attrs *attrs);
	enum sftp_status (*opendir)(void *self, const char *path, void **dir);
	enum sftp_status (*readdir)(void *self, void *dir, char *name, struct sftp_attrs *attrs);
	void (*closedir)(void *self, void *dir);
	enum sftp_status (*remove)(void *self, const char *path);
	enum sftp_status (*mkdir)(void *self, const char *path);
	enum sftp_status (*rmdir)(void *self, const char *path);
	enum sftp_status (*rename)(void *self, const char *from, const char *to);
	enum sftp_status (*posix_rename)(void *self, const char *from, const char *to);
	enum sftp_status (*hardlink)(void *self, const char *from, const char *to);
	enum sftp_status (*fsync)(void *self, void *file);
};

struct sftp;

/* `send` gets each answer whole and has to take it; called only from within sftp_input. Allocation failure aborts. */
struct sftp *sftp_new(const struct sftp_files *files, void *self,
		      void (*send)(void *to, const void *bytes, size_t size), void *to);

/* Some bytes from the client, cut anywhere. False: the session is over (the client broke the protocol). */
bool sftp_input(struct sftp *sftp, const void *bytes, size_t size);

/* Closes what is open. */
void sftp_free(struct sftp *sftp);

#endif
