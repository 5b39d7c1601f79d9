/*
 * The SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02), as far as a Windows host needs it: packets
 * made and taken apart. Pure: bytes in, bytes out; who asks what is ssh_files.h.
 *
 * Why not libssh2's SFTP: a server that ends in the middle of a packet makes 1.10 spin for ever (sftp_packet_read reads
 * 0 bytes again and again), and with it the whole program; packets that nobody asked for are kept without a limit, and
 * a REALPATH answer is copied by the length it claims. Hosts are not trusted that far. Here a packet has a maximum
 * length, there is at most one question whose answer is waited for (writes: a few), and every length is checked.
 */
#ifndef TRANSPORT_SSH_SFTP_H
#define TRANSPORT_SSH_SFTP_H

#include "base/buf.h"
#include "transport/ssh_wire.h"

enum {
	SFTP_CHUNK = 32 << 10,       /* of data in a packet: every server takes and gives that much (§3) */
	SFTP_PACKET_MAX = 256 << 10, /* what a server may send */
	SFTP_HANDLE_MAX = 256,       /* bytes of a handle (§6.2) */
};

enum sftp_type {
	SFTP_INIT = 1,
	SFTP_VERSION = 2,
	SFTP_OPEN = 3,
	SFTP_CLOSE = 4,
	SFTP_READ = 5,
	SFTP_WRITE = 6,
	SFTP_SETSTAT = 9,
	SFTP_OPENDIR = 11,
	SFTP_READDIR = 12,
	SFTP_REMOVE = 13,
	SFTP_MKDIR = 14,
	SFTP_RMDIR = 15,
	SFTP_REALPATH = 16,
	SFTP_STAT = 17,
	SFTP_RENAME = 18,
	SFTP_STATUS = 101,
	SFTP_HANDLE = 102,
	SFTP_DATA = 103,
	SFTP_NAME = 104,
	SFTP_ATTRS = 105,
	SFTP_EXTENDED = 200,
};

enum sftp_status {
	SFTP_OK = 0,
	SFTP_EOF = 1,
	SFTP_NO_SUCH_FILE = 2,
	SFTP_PERMISSION_DENIED = 3,
	SFTP_FAILURE = 4,
	SFTP_UNSUPPORTED = 8,
};

enum sftp_open { SFTP_FOR_READ = 1, SFTP_FOR_WRITE = 2, SFTP_CREATE = 8, SFTP_TRUNCATE = 16, SFTP_EXCLUSIVE = 32 };

/* What a server tells of a file; `known` false: not even its type. */
struct sftp_attrs {
	bool known, regular, folder;
	bool has_size, has_mtime;
	unsigned mode; /* permission bits */
	uint64_t size;
	uint32_t mtime;
};

struct sftp_packet {
	uint8_t type;
	uint32_t id; /* of a VERSION: the version */
	struct wire body;
};

/* Questions, added to `out`. `mode` is for what is made. */
void sftp_put_init(struct buf *out);
/* STAT, REMOVE, REALPATH, OPENDIR, RMDIR */
void sftp_put_path(struct buf *out, enum sftp_type type, uint32_t id, const char *path);
void sftp_put_mode(struct buf *out, enum sftp_type type, uint32_t id, const char *path,
		   unsigned mode); /* MKDIR, SETSTAT */
void sftp_put_rename(struct buf *out, uint32_t id, const char *from, const char *to);
void sftp_put_open(struct buf *out, uint32_t id, const char *path, unsigned flags, unsigned mode);
void sftp_put_handle(struct buf *out, enum sftp_type type, uint32_t id, struct wire_str handle); /* CLOSE, READDIR */
void sftp_put_read(struct buf *out, uint32_t id, struct wire_str handle, uint64_t at, uint32_t len);
void sftp_put_write(struct buf *out, uint32_t id, struct wire_str handle, uint64_t at, const void *bytes, size_t len);
void sftp_put_fsync(struct buf *out, uint32_t id, struct wire_str handle); /* fsync@openssh.com */

/* The first packet of `in`: 1 and how long it is, 0 when it is not all there, -1 when it is none: too long or too
   short. The packet points into `in`. */
int sftp_next(const struct buf *in, struct sftp_packet *packet, size_t *len);

/* The bodies of answers; false: broken. status: the code and the server's text. */
bool sftp_get_status(struct wire *body, uint32_t *code, struct wire_str *text);
bool sftp_get_attrs(struct wire *body, struct sftp_attrs *attrs);
bool sftp_get_name(struct wire *body, struct wire_str *name);

/* The next of a folder's entries, behind their number. */
bool sftp_get_entry(struct wire *body, struct wire_str *name, struct sftp_attrs *attrs);

/* Does the VERSION packet's list of extensions name it? */
bool sftp_has_extension(struct wire body, const char *name);

/* What a status means, in words. */
const char *sftp_status_text(uint32_t status);

#endif
