#include "transport/ssh_sftp.h"

#include "base/alloc.h"

enum {
	ATTR_SIZE = 1,
	ATTR_OWNER = 2,
	ATTR_MODE = 4,
	ATTR_TIMES = 8,
	ATTR_EXTENDED_MAX = 64, /* of them, in one file's attributes */
	MODE_TYPE = 0170000,
	MODE_FOLDER = 0040000,
	MODE_REGULAR = 0100000,
};

#define ATTR_EXTENDED 0x80000000u
#define FSYNC "fsync@openssh.com"

static void put_u32(struct buf *out, uint32_t v)
{
	unsigned char bytes[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8),
				  (unsigned char)v};

	buf_add(out, bytes, sizeof(bytes));
}

static void put_u64(struct buf *out, uint64_t v)
{
	put_u32(out, (uint32_t)(v >> 32));
	put_u32(out, (uint32_t)v);
}

/* The length comes before it is known: `len` counts what follows the id. */
static void put_head(struct buf *out, enum sftp_type type, uint32_t id, size_t len)
{
	put_u32(out, (uint32_t)(len + 5));
	buf_addc(out, (char)type);
	put_u32(out, id);
}

static void put_str(struct buf *out, struct wire_str s)
{
	wire_put_string(out, s.data, s.len);
}

void sftp_put_init(struct buf *out)
{
	put_head(out, SFTP_INIT, 3, 0);
}

void sftp_put_path(struct buf *out, enum sftp_type type, uint32_t id, const char *path)
{
	put_head(out, type, id, 4 + strlen(path));
	wire_put_text(out, path);
}

void sftp_put_mode(struct buf *out, enum sftp_type type, uint32_t id, const char *path, unsigned mode)
{
	put_head(out, type, id, 4 + strlen(path) + 8);
	wire_put_text(out, path);
	put_u32(out, ATTR_MODE);
	put_u32(out, mode);
}

void sftp_put_rename(struct buf *out, uint32_t id, const char *from, const char *to)
{
	put_head(out, SFTP_RENAME, id, 4 + strlen(from) + 4 + strlen(to));
	wire_put_text(out, from);
	wire_put_text(out, to);
}

void sftp_put_open(struct buf *out, uint32_t id, const char *path, unsigned flags, unsigned mode)
{
	bool creates = flags & SFTP_CREATE;

	put_head(out, SFTP_OPEN, id, 4 + strlen(path) + (creates ? 12 : 8));
	wire_put_text(out, path);
	put_u32(out, flags);
	put_u32(out, creates ? ATTR_MODE : 0);
	if (creates)
		put_u32(out, mode);
}

void sftp_put_handle(struct buf *out, enum sftp_type type, uint32_t id, struct wire_str handle)
{
	put_head(out, type, id, 4 + handle.len);
	put_str(out, handle);
}

void sftp_put_read(struct buf *out, uint32_t id, struct wire_str handle, uint64_t at, uint32_t len)
{
	put_head(out, SFTP_READ, id, 4 + handle.len + 12);
	put_str(out, handle);
	put_u64(out, at);
	put_u32(out, len);
}

void sftp_put_write(struct buf *out, uint32_t id, struct wire_str handle, uint64_t at, const void *bytes, size_t len)
{
	put_head(out, SFTP_WRITE, id, 4 + handle.len + 8 + 4 + len);
	put_str(out, handle);
	put_u64(out, at);
	wire_put_string(out, bytes, len);
}

void sftp_put_fsync(struct buf *out, uint32_t id, struct wire_str handle)
{
	put_head(out, SFTP_EXTENDED, id, 4 + strlen(FSYNC) + 4 + handle.len);
	wire_put_text(out, FSYNC);
	put_str(out, handle);
}

int sftp_next(const struct buf *in, struct sftp_packet *packet, size_t *len)
{
	struct wire w = wire_over(in->data, in->len);
	uint32_t n;

	if (in->len < 4)
		return 0;
	n = wire_u32(&w);
	if (n < 5 || n > SFTP_PACKET_MAX)
		return -1;
	if (in->len - 4 < n)
		return 0;
	w = wire_over(in->data + 4, n);
	packet->type = *wire_bytes(&w, 1).data;
	packet->id = wire_u32(&w);
	packet->body = w;
	*len = 4 + n;
	return 1;
}

/* Servers of version 3 send a text and a language; some old ones leave both off. */
bool sftp_get_status(struct wire *body, uint32_t *code, struct wire_str *text)
{
	*code = wire_u32(body);
	*text = (struct wire_str){(const unsigned char *)"", 0};
	if (body->failed)
		return false;
	if (body->at < body->end)
		*text = wire_string(body);
	return !body->failed;
}

/* A number, and so many pairs of strings. */
static bool skip_extended(struct wire *body)
{
	uint32_t n = wire_u32(body);

	if (n > ATTR_EXTENDED_MAX)
		return false;
	while (n-- && !body->failed) {
		wire_string(body);
		wire_string(body);
	}
	return !body->failed;
}

bool sftp_get_attrs(struct wire *body, struct sftp_attrs *attrs)
{
	uint32_t flags = wire_u32(body), mode;

	*attrs = (struct sftp_attrs){.known = false};
	if (flags & ATTR_SIZE) {
		attrs->size = (uint64_t)wire_u32(body) << 32;
		attrs->size |= wire_u32(body);
		attrs->has_size = true;
	}
	if (flags & ATTR_OWNER)
		wire_bytes(body, 8);
	if (flags & ATTR_MODE) {
		mode = wire_u32(body);
		attrs->known = true;
		attrs->regular = (mode & MODE_TYPE) == MODE_REGULAR;
		attrs->folder = (mode & MODE_TYPE) == MODE_FOLDER;
		attrs->mode = mode & 07777;
	}
	if (flags & ATTR_TIMES) {
		wire_u32(body);
		attrs->mtime = wire_u32(body);
		attrs->has_mtime = true;
	}
	return !body->failed && (!(flags & ATTR_EXTENDED) || skip_extended(body));
}

bool sftp_get_name(struct wire *body, struct wire_str *name)
{
	uint32_t count = wire_u32(body);

	*name = wire_string(body);
	return count >= 1 && !body->failed && name->len && !memchr(name->data, '\0', name->len);
}

bool sftp_get_entry(struct wire *body, struct wire_str *name, struct sftp_attrs *attrs)
{
	*name = wire_string(body);
	wire_string(body); /* as `ls -l` would write it */
	return sftp_get_attrs(body, attrs);
}

bool sftp_has_extension(struct wire body, const char *name)
{
	while (body.at < body.end && !body.failed) {
		struct wire_str found = wire_string(&body);
		wire_string(&body);
		if (!body.failed && wire_is(found, name))
			return true;
	}
	return false;
}

const char *sftp_status_text(uint32_t status)
{
	static const char *const texts[] = {
	    [SFTP_OK] = "no error",
	    [SFTP_EOF] = "the end of the file",
	    [SFTP_NO_SUCH_FILE] = "there is no such file",
	    [SFTP_PERMISSION_DENIED] = "permission denied",
	    [SFTP_FAILURE] = "failure",
	    [SFTP_UNSUPPORTED] = "the server cannot do that",
	};

	return status < ARRAY_LEN(texts) && texts[status] ? texts[status] : "an unknown error";
}
