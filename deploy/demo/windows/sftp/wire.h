/*
 * The numbers and strings of SFTP's packets, for protocol.c. All big-endian; a string is its length and its bytes.
 */
#ifndef SFTP_WIRE_H
#define SFTP_WIRE_H

#include "protocol.h"

/* What is left of a packet. `bad` once it ended too early, or a text in it is none; what is read then is 0 or empty. */
struct sftp_reader {
	const unsigned char *at;
	size_t left;
	bool bad;
};

uint32_t sftp_get_u32(struct sftp_reader *r);
uint64_t sftp_get_u64(struct sftp_reader *r);
const unsigned char *sftp_get_bytes(struct sftp_reader *r, size_t *size); /* within the packet */
void sftp_get_text(struct sftp_reader *r, char text[SFTP_PATH_MAX]);
void sftp_get_attrs(struct sftp_reader *r, struct sftp_attrs *a);

/* An answer that is being put together; what has no room is left out. */
struct sftp_writer {
	unsigned char *bytes;
	size_t size, room;
};

void sftp_put_u8(struct sftp_writer *w, unsigned value);
void sftp_put_u32(struct sftp_writer *w, uint32_t value);
void sftp_put_u64(struct sftp_writer *w, uint64_t value);
void sftp_put_bytes(struct sftp_writer *w, const void *bytes, size_t size);
void sftp_put_text(struct sftp_writer *w, const char *text);
void sftp_put_attrs(struct sftp_writer *w, const struct sftp_attrs *a);

#endif
