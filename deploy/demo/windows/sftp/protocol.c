#include "protocol.h"

#include "wire.h"

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
	struct sftp_writer out;
	unsigned char answer[ANSWER_ROOM];
	unsigned char data[SFTP_DATA_MAX];
};

/* An answer is put together between these two; its length is filled in at its end. */
static void begin(struct sftp *s, enum answer type, uint32_t id)
{
	s->out.size = 4;
	sftp_put_u8(&s->out, type);
	if (type != VERSION_IS)
		sftp_put_u32(&s->out, id);
}

static void end(struct sftp *s)
{
	size_t size = s->out.size;

	s->out.size = 0;
	sftp_put_u32(&s->out, (uint32_t)(size - 4));
	s->send(s->to, s->answer, size);
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
	sftp_put_u32(&s->out, status);
	sftp_put_text(&s->out, status_text(status));
	sftp_put_text(&s->out, "");
	end(s);
}

static void answer_attrs(struct sftp *s, uint32_t id, enum sftp_status status, const struct sftp_attrs *a)
{
	if (status) {
		answer_status(s, id, status);
		return;
	}
	begin(s, ATTRS, id);
	sftp_put_attrs(&s->out, a);
	end(s);
}

static void answer_handle(struct sftp *s, uint32_t id, bool is_dir, void *thing)
{
	uint32_t n = 0;

	while (s->handles[n].used)
		n++;
	s->handles[n] = (struct handle){.used = true, .is_dir = is_dir, .thing = thing};
	begin(s, HANDLE, id);
	sftp_put_u32(&s->out, 4);
	sftp_put_u32(&s->out, n);
	end(s);
}

static bool has_free_handle(const struct sftp *s)
{
	for (int i = 0; i < SFTP_HANDLES_MAX; i++)
		if (!s->handles[i].used)
			return true;
	return false;
}

static struct handle *get_handle(struct sftp *s, struct sftp_reader *r)
{
	size_t size;
	const unsigned char *p = sftp_get_bytes(r, &size);
	struct sftp_reader number = {p, size, false};
	uint32_t n = sftp_get_u32(&number);

	return size == 4 && n < SFTP_HANDLES_MAX && s->handles[n].used ? &s->handles[n] : NULL;
}

static struct handle *get_file(struct sftp *s, struct sftp_reader *r)
{
	struct handle *h = get_handle(s, r);

	return h && !h->is_dir ? h : NULL;
}

static void on_init(struct sftp *s)
{
	s->begun = true;
	begin(s, VERSION_IS, 0);
	sftp_put_u32(&s->out, VERSION);
	if (s->files->posix_rename) {
		sftp_put_text(&s->out, "posix-rename@openssh.com");
		sftp_put_text(&s->out, "1");
	}
	if (s->files->hardlink) {
		sftp_put_text(&s->out, "hardlink@openssh.com");
		sftp_put_text(&s->out, "1");
	}
	if (s->files->fsync) {
		sftp_put_text(&s->out, "fsync@openssh.com");
		sftp_put_text(&s->out, "1");
	}
	end(s);
}

static void on_open(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	char path[SFTP_PATH_MAX];
	struct sftp_attrs ignored;
	void *file;

	sftp_get_text(r, path);
	uint32_t flags = sftp_get_u32(r);
	sftp_get_attrs(r, &ignored);
	if (r->bad)
		return;
	enum sftp_status status = has_free_handle(s) ? s->files->open(s->self, path, flags, &file) : SFTP_FAILURE;
	if (status)
		answer_status(s, id, status);
	else
		answer_handle(s, id, false, file);
}

static void on_opendir(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	char path[SFTP_PATH_MAX];
	void *dir;

	sftp_get_text(r, path);
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

static void on_close(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	struct handle *h = get_handle(s, r);

	answer_status(s, id, h ? close_handle(s, h) : SFTP_FAILURE);
}

static void on_read(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	struct handle *h = get_file(s, r);
	uint64_t offset = sftp_get_u64(r);
	size_t size = sftp_get_u32(r);

	if (size > SFTP_DATA_MAX)
		size = SFTP_DATA_MAX;
	enum sftp_status status = h ? s->files->read(s->self, h->thing, offset, s->data, &size) : SFTP_FAILURE;
	if (status) {
		answer_status(s, id, status);
		return;
	}
	begin(s, DATA, id);
	sftp_put_bytes(&s->out, s->data, size);
	end(s);
}

static void on_write(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	struct handle *h = get_file(s, r);
	uint64_t offset = sftp_get_u64(r);
	size_t size;
	const unsigned char *bytes = sftp_get_bytes(r, &size);

	if (!r->bad)
		answer_status(s, id, h ? s->files->write(s->self, h->thing, offset, bytes, size) : SFTP_FAILURE);
}

/* `ls -l`, as far as anybody looks at it. */
static void put_name(struct sftp *s, const char *name, const struct sftp_attrs *a)
{
	char line[SFTP_PATH_MAX + 64];

	sftp_put_text(&s->out, name);
	snprintf(line, sizeof line, "%c%c%c%c------ 1 0 0 %llu %s", (a->mode & 0170000) == 0040000 ? 'd' : '-',
		 a->mode & 0400 ? 'r' : '-', a->mode & 0200 ? 'w' : '-', a->mode & 0100 ? 'x' : '-',
		 (unsigned long long)a->size, name);
	sftp_put_text(&s->out, line);
	sftp_put_attrs(&s->out, a);
}

static void on_readdir(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	struct handle *h = get_handle(s, r);
	char name[SFTP_PATH_MAX];
	struct sftp_attrs attrs;
	uint32_t count = 0;
	enum sftp_status status = h && h->is_dir ? SFTP_OK : SFTP_FAILURE;

	begin(s, NAME, id);
	size_t at = s->out.size;
	sftp_put_u32(&s->out, 0);
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
	size_t size = s->out.size;
	s->out.size = at;
	sftp_put_u32(&s->out, count);
	s->out.size = size;
	end(s);
}

static void on_realpath(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	char path[SFTP_PATH_MAX], real[SFTP_PATH_MAX];

	sftp_get_text(r, path);
	if (r->bad)
		return;
	enum sftp_status status = s->files->realpath(s->self, path[0] ? path : ".", real);
	if (status) {
		answer_status(s, id, status);
		return;
	}
	begin(s, NAME, id);
	sftp_put_u32(&s->out, 1);
	sftp_put_text(&s->out, real);
	sftp_put_text(&s->out, real);
	sftp_put_u32(&s->out, 0);
	end(s);
}

/* The requests that are one path, or two, and whose answer is a status. */
static void on_path(struct sftp *s, uint32_t id, struct sftp_reader *r,
		    enum sftp_status (*act)(void *self, const char *path))
{
	char path[SFTP_PATH_MAX];

	sftp_get_text(r, path);
	if (!r->bad)
		answer_status(s, id, act(s->self, path));
}

static void on_two_paths(struct sftp *s, uint32_t id, struct sftp_reader *r,
			 enum sftp_status (*act)(void *self, const char *from, const char *to))
{
	char from[SFTP_PATH_MAX], to[SFTP_PATH_MAX];

	sftp_get_text(r, from);
	sftp_get_text(r, to);
	if (!r->bad)
		answer_status(s, id, act ? act(s->self, from, to) : SFTP_UNSUPPORTED);
}

static void on_stat(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	char path[SFTP_PATH_MAX];
	struct sftp_attrs attrs;

	sftp_get_text(r, path);
	if (!r->bad)
		answer_attrs(s, id, s->files->stat(s->self, path, &attrs), &attrs);
}

static void on_fstat(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	struct handle *h = get_file(s, r);
	struct sftp_attrs attrs;

	answer_attrs(s, id, h ? s->files->fstat(s->self, h->thing, &attrs) : SFTP_FAILURE, &attrs);
}

static void on_setstat(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	char path[SFTP_PATH_MAX];
	struct sftp_attrs attrs;

	sftp_get_text(r, path);
	sftp_get_attrs(r, &attrs);
	if (!r->bad)
		answer_status(s, id, s->files->setstat(s->self, path, &attrs));
}

static void on_fsetstat(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	struct handle *h = get_file(s, r);
	struct sftp_attrs attrs;

	sftp_get_attrs(r, &attrs);
	if (!r->bad)
		answer_status(s, id, h ? s->files->fsetstat(s->self, h->thing, &attrs) : SFTP_FAILURE);
}

static void on_extended(struct sftp *s, uint32_t id, struct sftp_reader *r)
{
	char word[SFTP_PATH_MAX];

	sftp_get_text(r, word);
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

static void on_request(struct sftp *s, unsigned type, uint32_t id, struct sftp_reader *r)
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
	struct sftp_reader r = {bytes + 1, size - 1, false};

	if (!s->begun) {
		if (bytes[0] != INIT || size < 5)
			return false;
		on_init(s);
		return true;
	}
	uint32_t id = sftp_get_u32(&r);
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
	s->out = (struct sftp_writer){s->answer, 0, sizeof s->answer};
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
			struct sftp_reader r = {s->in, s->in_size, false};
			uint32_t length = sftp_get_u32(&r);
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
