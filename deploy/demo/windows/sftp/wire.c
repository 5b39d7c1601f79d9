#include "wire.h"

#include <string.h>

uint32_t sftp_get_u32(struct sftp_reader *r)
{
	if (r->left < 4) {
		r->bad = true;
		r->left = 0;
		return 0;
	}
	const unsigned char *p = r->at;
	r->at += 4;
	r->left -= 4;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t sftp_get_u64(struct sftp_reader *r)
{
	uint64_t high = sftp_get_u32(r);

	return high << 32 | sftp_get_u32(r);
}

const unsigned char *sftp_get_bytes(struct sftp_reader *r, size_t *size)
{
	*size = sftp_get_u32(r);
	if (*size > r->left) {
		r->bad = true;
		*size = 0;
	}
	const unsigned char *p = r->at;
	r->at += *size;
	r->left -= *size;
	return p;
}

/* A path or a word; with a NUL in it, or too long, it is no path of anything. */
void sftp_get_text(struct sftp_reader *r, char text[SFTP_PATH_MAX])
{
	size_t size;
	const unsigned char *p = sftp_get_bytes(r, &size);

	text[0] = 0;
	if (size >= SFTP_PATH_MAX || memchr(p, 0, size)) {
		r->bad = true;
		return;
	}
	memcpy(text, p, size);
	text[size] = 0;
}

void sftp_get_attrs(struct sftp_reader *r, struct sftp_attrs *a)
{
	*a = (struct sftp_attrs){.has = sftp_get_u32(r)};
	if (a->has & SFTP_HAS_SIZE)
		a->size = sftp_get_u64(r);
	if (a->has & SFTP_HAS_OWNER) {
		a->uid = sftp_get_u32(r);
		a->gid = sftp_get_u32(r);
	}
	if (a->has & SFTP_HAS_MODE)
		a->mode = sftp_get_u32(r);
	if (a->has & SFTP_HAS_TIMES) {
		a->atime = sftp_get_u32(r);
		a->mtime = sftp_get_u32(r);
	}
}

void sftp_put_u8(struct sftp_writer *w, unsigned value)
{
	if (w->size < w->room)
		w->bytes[w->size++] = (unsigned char)value;
}

void sftp_put_u32(struct sftp_writer *w, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		sftp_put_u8(w, value >> shift & 0xff);
}

void sftp_put_u64(struct sftp_writer *w, uint64_t value)
{
	sftp_put_u32(w, (uint32_t)(value >> 32));
	sftp_put_u32(w, (uint32_t)value);
}

void sftp_put_bytes(struct sftp_writer *w, const void *bytes, size_t size)
{
	sftp_put_u32(w, (uint32_t)size);
	if (size <= w->room - w->size) {
		memcpy(w->bytes + w->size, bytes, size);
		w->size += size;
	}
}

void sftp_put_text(struct sftp_writer *w, const char *text)
{
	sftp_put_bytes(w, text, strlen(text));
}

void sftp_put_attrs(struct sftp_writer *w, const struct sftp_attrs *a)
{
	sftp_put_u32(w, a->has);
	if (a->has & SFTP_HAS_SIZE)
		sftp_put_u64(w, a->size);
	if (a->has & SFTP_HAS_OWNER) {
		sftp_put_u32(w, a->uid);
		sftp_put_u32(w, a->gid);
	}
	if (a->has & SFTP_HAS_MODE)
		sftp_put_u32(w, a->mode);
	if (a->has & SFTP_HAS_TIMES) {
		sftp_put_u32(w, a->atime);
		sftp_put_u32(w, a->mtime);
	}
}
