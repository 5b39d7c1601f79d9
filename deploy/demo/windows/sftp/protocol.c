#include "protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 3
#define NAMES_PER_ANSWER 50
#define ANSWER_ROOM (SFTP_DATA_MAX + NAMES_PER_ANSWER * (2 * SFTP_PATH_MAX + 64))

enum request {
	INIT = 1,
	OPEN = 3,
	CLOSE = 4,
	READ = 5,
	WRITE = 6,
	LSTAT = 7,
	FSTAT = 8,
	SETSTAT = 9,
	FSETSTAT = 10,
	OPENDIR = 11,
	READDIR = 12,
	REMOVE = 13,
	MKDIR = 14,
	RMDIR = 15,
	REALPATH = 16,
	STAT = 17,
	RENAME = 18,
	EXTENDED = 200,
};

enum answer { VERSION_IS = 2, STATUS = 101, HANDLE = 102, DATA = 103, NAME = 104, ATTRS = 105 };

/* One open file or folder; its number is what the client has. */
struct handle {
	bool used, is_dir;
	void *thing;
};

struct sftp {
	const struct sftp_files *files;
	void *self;
	void (*send)(void *to, const void *bytes, size_t size);
	void *to;
	bool begun;
	struct handle handles[SFTP_HANDLES_MAX];
	size_t in_size;
	unsigned char in[SFTP_PACKET_MAX + 4];
	unsigned char out[ANSWER_ROOM];
	size_t out_size;
	unsigned char data[SFTP_DATA_MAX];
};

/* What is left of a packet. `bad` once it ended too early; then all that is read is empty. */
struct reader {
	const unsigned char *at;
	size_t left;
	bool bad;
};

static uint32_t get_u32(struct reader *r)
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

static uint64_t get_u64(struct reader *r)
{
	uint64_t high = get_u32(r);

	return high << 32 | get_u32(r);
}

static const unsigned char *get_bytes(struct reader *r, size_t *size)
{
	*size = get_u32(r);
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
static void get_text(struct reader *r, char text[SFTP_PATH_MAX])
{
	size_t size;
	const unsigned char *p = get_bytes(r, &size);

	text[0] = 0;
	if (size >= SFTP_PATH_MAX || memchr(p, 0, size)) {
		r->bad = true;
		return;
	}
	memcpy(text, p, size);
	text[size] = 0;
}

static void get_attrs(struct reader *r, struct sftp_attrs *a)
{
	*a = (struct sftp_attrs){.has = get_u32(r)};
	if (a->has & SFTP_HAS_SIZE)
		a->size = get_u64(r);
	if (a->has & SFTP_HAS_OWNER) {
		a->uid = get_u32(r);
		a->gid = get_u32(r);
	}
	if (a->has & SFTP_HAS_MODE)
		a->mode = get_u32(r);
	if (a->has & SFTP_HAS_TIMES) {
		a->atime = get_u32(r);
		a->mtime = get_u32(r);
	}
}

static void put_u8(struct sftp *s, unsigned value)
{
	if (s->out_size < ANSWER_ROOM)
		s->out[s->out_size++] = (unsigned char)value;
}

static void put_u32(struct sftp *s, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		put_u8(s, value >> shift & 0xff);
}

static void put_u64(struct sftp *s, uint64_t value)
{
	put_u32(s, (uint32_t)(value >> 32));
	put_u32(s, (uint32_t)value);
}

static void put_bytes(struct sftp *s, const void *bytes, size_t size)
{
	put_u32(s, (uint32_t)size);
	if (size <= ANSWER_ROOM - s->out_size) {
		memcpy(s->out + s->out_size, bytes, size);
		s->out_size += size;
	}
}

static void put_text(struct sftp *s, const char *text)
{
	put_bytes(s, text, strlen(text));
}

static void put_attrs(struct sftp *s, const struct sftp_attrs *a)
{
	put_u32(s, a->has);
	if (a->has & SFTP_HAS_SIZE)
		put_u64(s, a->size);
	if (a->has & SFTP_HAS_OWNER) {
		put_u32(s, a->uid);
		put_u32(s, a->gid);
	}
	if (a->has & SFTP_HAS_MODE)
		put_u32(s, a->mode);
	if (a->has & SFTP_HAS_TIMES) {
		put_u32(s, a->atime);
		put_u32(s, a->mtime);
	}
}

/* An answer is put together between these two; its length is filled in at its end. */
static void begin(struct sftp *s, enum answer type, uint32_t id)
{
	s->out_size = 4;
	put_u8(s, type);
	if (type != VERSION_IS)
		put_u32(s, id);
}

static void end(struct sftp *s)
{
	size_t size = s->out_size;

	s->out_size = 0;
	put_u32(s, (uint32_t)(size - 4));
	s->send(s->to, s->out, size);
}

/* The texts are OpenSSH's. */
static const char *status_text(enum sftp_status status)
{
	switch (status) {
	case SFTP_OK:
		return "Success";
	case SFTP_EOF:
		return "End of file";
	case SFTP_NO_SUCH_FILE:
		return "No such file";
	case SFTP_PERMISSION_DENIED:
		return "Permission denied";
	case SFTP_FAILURE:
		return "Failure";
	case SFTP_BAD_MESSAGE:
		return "Bad message";
	case SFTP_UNSUPPORTED:
		return "Operation unsupported";
	}
	return "Unknown";
}

static void answer_status(struct sftp *s, uint32_t id, enum sftp_status status)
{
	begin(s, STATUS, id);
	put_u32(s, status);
	put_text(s, status_text(status));
	put_text(s, "");
	end(s);
}

static void answer_attrs(struct sftp *s, uint32_t id, enum sftp_status status, const struct sftp_attrs *a)
{
	if (status) {
		answer_status(s, id, status);
		return;
	}
	begin(s, ATTRS, id);
	put_attrs(s, a);
	end(s);
}

static void answer_handle(struct sftp *s, uint32_t id, bool is_dir, void *thing)
{
	uint32_t n = 0;

	while (s->handles[n].used)
		n++;
	s->handles[n] = (struct handle){.used = true, .is_dir = is_dir, .thing = thing};
	begin(s, HANDLE, id);
	put_u32(s, 4);
	put_u32(s, n);
	end(s);
}

static bool has_free_handle(const struct sftp *s)
{
	for (int i = 0; i < SFTP_HANDLES_MAX; i++)
		if (!s->handles[i].used)
			return true;
	return false;
}

static struct handle *get_handle(struct sftp *s, struct reader *r)
{
	size_t size;
	const unsigned char *p = get_bytes(r, &size);
	struct reader number = {p, size, false};
	uint32_t n = get_u32(&number);

	return size == 4 && n < SFTP_HANDLES_MAX && s->handles[n].used ? &s->handles[n] : NULL;
}

static struct handle *get_file(struct sftp *s, struct reader *r)
{
	struct handle *h = get_handle(s, r);

	return h && !h->is_dir ? h : NULL;
}

static void on_init(struct sftp *s)
{
	s->begun = true;
	begin(s, VERSION_IS, 0);
	put_u32(s, VERSION);
	if (s->files->posix_rename) {
		put_text(s, "posix-rename@openssh.com");
		put_text(s, "1");
	}
	if (s->files->hardlink) {
		put_text(s, "hardlink@openssh.com");
		put_text(s, "1");
	}
	if (s->files->fsync) {
		put_text(s, "fsync@openssh.com");
		put_text(s, "1");
	}
	end(s);
}

static void on_open(struct sftp *s, uint32_t id, struct reader *r)
{
	char path[SFTP_PATH_MAX];
	struct sftp_attrs ignored;
	void *file;

	get_text(r, path);
	uint32_t flags = get_u32(r);
	get_attrs(r, &ignored);
	if (r->bad)
		return;
	enum sftp_status status = has_free_handle(s) ? s->files->open(s->self, path, flags, &file) : SFTP_FAILURE;
	if (status)
		answer_status(s, id, status);
	else
		answer_handle(s, id, false, file);
}

static void on_opendir(struct sftp *s, uint32_t id, struct reader *r)
{
	char path[SFTP_PATH_MAX];
	void *dir;

	get_text(r, path);
	if (r->bad)
		return;
	enum sftp_status status = has_free_handle(s) ? s->files->opendir(s->self, path, &dir) : SFTP_FAILURE;
	if (status)
		answer_status(s, id, status);
	else
		answer_handle(s, id, true, dir);
}

static enum sftp_status close_handle(struct sftp *s, struct handle *h)
{
	enum sftp_status status = SFTP_OK;

	if (h->is_dir)
		s->files->closedir(s->self, h->thing);
	else
		status = s->files->close(s->self, h->thing);
	*h = (struct handle){0};
	return status;
}

static void on_close(struct sftp *s, uint32_t id, struct reader *r)
{
	struct handle *h = get_handle(s, r);

	answer_status(s, id, h ? close_handle(s, h) : SFTP_FAILURE);
}

static void on_read(struct sftp *s, uint32_t id, struct reader *r)
{
	struct handle *h = get_file(s, r);
	uint64_t offset = get_u64(r);
	size_t size = get_u32(r);

	if (size > SFTP_DATA_MAX)
		size = SFTP_DATA_MAX;
	enum sftp_status status = h ? s->files->read(s->self, h->thing, offset, s->data, &size) : SFTP_FAILURE;
	if (status) {
		answer_status(s, id, status);
		return;
	}
	begin(s, DATA, id);
	put_bytes(s, s->data, size);
	end(s);
}

static void on_write(struct sftp *s, uint32_t id, struct reader *r)
{
	struct handle *h = get_file(s, r);
	uint64_t offset = get_u64(r);
	size_t size;
	const unsigned char *bytes = get_bytes(r, &size);

	if (!r->bad)
		answer_status(s, id, h ? s->files->write(s->self, h->thing, offset, bytes, size) : SFTP_FAILURE);
}

/* `ls -l`, as far as anybody looks at it. */
static void put_name(struct sftp *s, const char *name, const struct sftp_attrs *a)
{
	char line[SFTP_PATH_MAX + 64];

	put_text(s, name);
	snprintf(line, sizeof line, "%c%c%c%c------ 1 0 0 %llu %s", (a->mode & 0170000) == 0040000 ? 'd' : '-',
		 a->mode & 0400 ? 'r' : '-', a->mode & 0200 ? 'w' : '-', a->mode & 0100 ? 'x' : '-',
		 (unsigned long long)a->size, name);
	put_text(s, line);
	put_attrs(s, a);
}

static void on_readdir(struct sftp *s, uint32_t id, struct reader *r)
{
	struct handle *h = get_handle(s, r);
	char name[SFTP_PATH_MAX];
	struct sftp_attrs attrs;
	uint32_t count = 0;
	enum sftp_status status = h && h->is_dir ? SFTP_OK : SFTP_FAILURE;

	begin(s, NAME, id);
	size_t at = s->out_size;
	put_u32(s, 0);
	while (!status && count < NAMES_PER_ANSWER) {
		status = s->files->readdir(s->self, h->thing, name, &attrs);
		if (status)
			break;
		put_name(s, name, &attrs);
		count++;
	}
	if (count == 0) {
		answer_status(s, id, status);
		return;
	}
	size_t size = s->out_size;
	s->out_size = at;
	put_u32(s, count);
	s->out_size = size;
	end(s);
}

static void on_realpath(struct sftp *s, uint32_t id, struct reader *r)
{
	char path[SFTP_PATH_MAX], real[SFTP_PATH_MAX];

	get_text(r, path);
	if (r->bad)
		return;
	enum sftp_status status = s->files->realpath(s->self, path[0] ? path : ".", real);
	if (status) {
		answer_status(s, id, status);
		return;
	}
	begin(s, NAME, id);
	put_u32(s, 1);
	put_text(s, real);
	put_text(s, real);
	put_u32(s, 0);
	end(s);
}

/* The requests that are one path, or two, and whose answer is a status. */
static void on_path(struct sftp *s, uint32_t id, struct reader *r,
		    enum sftp_status (*act)(void *self, const char *path))
{
	char path[SFTP_PATH_MAX];

	get_text(r, path);
	if (!r->bad)
		answer_status(s, id, act(s->self, path));
}

static void on_two_paths(struct sftp *s, uint32_t id, struct reader *r,
			 enum sftp_status (*act)(void *self, const char *from, const char *to))
{
	char from[SFTP_PATH_MAX], to[SFTP_PATH_MAX];

	get_text(r, from);
	get_text(r, to);
	if (!r->bad)
		answer_status(s, id, act ? act(s->self, from, to) : SFTP_UNSUPPORTED);
}

static void on_stat(struct sftp *s, uint32_t id, struct reader *r)
{
	char path[SFTP_PATH_MAX];
	struct sftp_attrs attrs;

	get_text(r, path);
	if (!r->bad)
		answer_attrs(s, id, s->files->stat(s->self, path, &attrs), &attrs);
}

static void on_fstat(struct sftp *s, uint32_t id, struct reader *r)
{
	struct handle *h = get_file(s, r);
	struct sftp_attrs attrs;

	answer_attrs(s, id, h ? s->files->fstat(s->self, h->thing, &attrs) : SFTP_FAILURE, &attrs);
}

static void on_setstat(struct sftp *s, uint32_t id, struct reader *r)
{
	char path[SFTP_PATH_MAX];
	struct sftp_attrs attrs;

	get_text(r, path);
	get_attrs(r, &attrs);
	if (!r->bad)
		answer_status(s, id, s->files->setstat(s->self, path, &attrs));
}

static void on_fsetstat(struct sftp *s, uint32_t id, struct reader *r)
{
	struct handle *h = get_file(s, r);
	struct sftp_attrs attrs;

	get_attrs(r, &attrs);
	if (!r->bad)
		answer_status(s, id, h ? s->files->fsetstat(s->self, h->thing, &attrs) : SFTP_FAILURE);
}

static void on_extended(struct sftp *s, uint32_t id, struct reader *r)
{
	char word[SFTP_PATH_MAX];

	get_text(r, word);
	if (strcmp(word, "posix-rename@openssh.com") == 0) {
		on_two_paths(s, id, r, s->files->posix_rename);
	} else if (strcmp(word, "hardlink@openssh.com") == 0) {
		on_two_paths(s, id, r, s->files->hardlink);
	} else if (strcmp(word, "fsync@openssh.com") == 0 && s->files->fsync) {
		struct handle *h = get_file(s, r);
		answer_status(s, id, h ? s->files->fsync(s->self, h->thing) : SFTP_FAILURE);
	} else {
		answer_status(s, id, SFTP_UNSUPPORTED);
	}
}

static void on_request(struct sftp *s, unsigned type, uint32_t id, struct reader *r)
{
	switch (type) {
	case OPEN:
		return on_open(s, id, r);
	case CLOSE:
		return on_close(s, id, r);
	case READ:
		return on_read(s, id, r);
	case WRITE:
		return on_write(s, id, r);
	case LSTAT:
	case STAT:
		return on_stat(s, id, r);
	case FSTAT:
		return on_fstat(s, id, r);
	case SETSTAT:
		return on_setstat(s, id, r);
	case FSETSTAT:
		return on_fsetstat(s, id, r);
	case OPENDIR:
		return on_opendir(s, id, r);
	case READDIR:
		return on_readdir(s, id, r);
	case REMOVE:
		return on_path(s, id, r, s->files->remove);
	case MKDIR:
		return on_path(s, id, r, s->files->mkdir);
	case RMDIR:
		return on_path(s, id, r, s->files->rmdir);
	case REALPATH:
		return on_realpath(s, id, r);
	case RENAME:
		return on_two_paths(s, id, r, s->files->rename);
	case EXTENDED:
		return on_extended(s, id, r);
	}
	answer_status(s, id, SFTP_UNSUPPORTED);
}

/* A whole packet without its length. */
static bool on_packet(struct sftp *s, const unsigned char *bytes, size_t size)
{
	struct reader r = {bytes + 1, size - 1, false};

	if (!s->begun) {
		if (bytes[0] != INIT || size < 5)
			return false;
		on_init(s);
		return true;
	}
	uint32_t id = get_u32(&r);
	if (r.bad)
		return false;
	on_request(s, bytes[0], id, &r);
	return !r.bad;
}

struct sftp *sftp_new(const struct sftp_files *files, void *self,
		      void (*send)(void *to, const void *bytes, size_t size), void *to)
{
	struct sftp *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->files = files;
	s->self = self;
	s->send = send;
	s->to = to;
	return s;
}

bool sftp_input(struct sftp *s, const void *bytes, size_t size)
{
	const unsigned char *from = bytes;

	while (size > 0) {
		size_t n = sizeof s->in - s->in_size < size ? sizeof s->in - s->in_size : size;
		memcpy(s->in + s->in_size, from, n);
		s->in_size += n;
		from += n;
		size -= n;
		for (;;) {
			struct reader r = {s->in, s->in_size, false};
			uint32_t length = get_u32(&r);
			if (r.bad)
				break;
			if (length < 1 || length > SFTP_PACKET_MAX)
				return false;
			if (r.left < length)
				break;
			if (!on_packet(s, r.at, length))
				return false;
			s->in_size -= 4 + length;
			memmove(s->in, s->in + 4 + length, s->in_size);
		}
	}
	return true;
}

void sftp_free(struct sftp *s)
{
	for (int i = 0; s && i < SFTP_HANDLES_MAX; i++)
		if (s->handles[i].used)
			close_handle(s, &s->handles[i]);
	free(s);
}
