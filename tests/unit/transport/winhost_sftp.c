/*
 * The SFTP server of the host in memory: winhost_serve_one answers the next question, or gets it wrong.
 */
#include "winhost.h"

#include "tests/lib/unit.h"

static void put_u32(struct buf *b, uint32_t v)
{
	unsigned char bytes[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8),
				  (unsigned char)v};

	buf_add(b, bytes, 4);
}

static void answer(struct winhost *host, int type, uint32_t id, const struct buf *body)
{
	struct buf out = BUF_INIT;

	put_u32(&out, (uint32_t)body->len + 5);
	buf_addc(&out, (char)type);
	put_u32(&out, id);
	buf_add(&out, body->data, body->len);
	if (!host->err.code)
		ssh_files_take(host->sh->files, out.data, out.len, &host->err);
	buf_release(&out);
}

static void answer_status(struct winhost *host, uint32_t id, uint32_t status)
{
	struct buf body = BUF_INIT;

	put_u32(&body, status);
	wire_put_text(&body, "said by the server");
	wire_put_text(&body, "");
	answer(host, SFTP_STATUS, id, &body);
	buf_release(&body);
}

static char *text_of(struct wire *w)
{
	struct wire_str s = wire_string(w);

	ck_assert(!w->failed);
	return str_ndup((const char *)s.data, s.len);
}

static uint32_t do_open(struct winhost *host, struct wire *w, const char *path, struct buf *body)
{
	uint32_t flags = wire_u32(w);
	struct winhost_file *f = winhost_find(host, path);
	uint32_t n = 0;

	if (!f && !(flags & SFTP_CREATE))
		return SFTP_NO_SUCH_FILE;
	if (f && ((flags & SFTP_EXCLUSIVE) || f->held))
		return SFTP_FAILURE;
	if (f && f->read_only && (flags & SFTP_FOR_WRITE))
		return SFTP_PERMISSION_DENIED;
	if (!f)
		f = winhost_put(host, path, "");
	if (flags & SFTP_TRUNCATE)
		buf_clear(&f->bytes);
	while (host->handles[n])
		ck_assert_uint_lt(++n, ARRAY_LEN(host->handles));
	host->handles[n] = f;
	put_u32(body, 4);
	put_u32(body, n);
	return SFTP_OK;
}

static struct winhost_file **handle_of(struct winhost *host, struct wire *w)
{
	struct wire h;
	uint32_t n;

	ck_assert_uint_eq(wire_u32(w), 4);
	h = *w;
	n = wire_u32(&h);
	*w = h;
	ck_assert_uint_lt(n, ARRAY_LEN(host->handles));
	ck_assert_ptr_nonnull(host->handles[n]);
	return &host->handles[n];
}

static uint64_t get_u64(struct wire *w)
{
	uint64_t high = wire_u32(w);

	return high << 32 | wire_u32(w);
}

static uint32_t do_read(struct winhost *host, struct wire *w, struct buf *body)
{
	const struct winhost_file *f = *handle_of(host, w);
	uint64_t at = get_u64(w);
	size_t len = wire_u32(w);

	if (at >= f->bytes.len)
		return SFTP_EOF;
	if (len > f->bytes.len - at)
		len = f->bytes.len - at;
	if (host->change_path && !host->copies && strcmp(f->path, host->change_path) == 0)
		host->read_at = host->answers;
	wire_put_string(body, f->bytes.data + at, len);
	return SFTP_OK;
}

static void do_write(struct winhost *host, struct wire *w)
{
	struct winhost_file *f = *handle_of(host, w);
	uint64_t at = get_u64(w);
	struct wire_str data = wire_string(w);

	ck_assert_uint_eq(at, f->bytes.len);
	buf_add(&f->bytes, data.data, data.len);
}

static uint32_t do_stat(struct winhost *host, const char *path, struct buf *body)
{
	const struct winhost_file *f = winhost_find(host, path);

	if (!f)
		return SFTP_NO_SUCH_FILE;
	put_u32(body, 1 | 4 | 8);
	put_u32(body, 0);
	put_u32(body, (uint32_t)f->bytes.len);
	put_u32(body, f->folder ? WINHOST_FOLDER_MODE : f->read_only ? 0100444 : 0100644);
	put_u32(body, 1);
	put_u32(body, f->mtime_s);
	return SFTP_OK;
}

static uint32_t do_open_folder(struct winhost *host, const char *path, struct buf *body)
{
	struct winhost_file *f = winhost_find(host, path);
	uint32_t n = 0;

	if (!f || !f->folder)
		return SFTP_NO_SUCH_FILE;
	while (host->handles[n])
		ck_assert_uint_lt(++n, ARRAY_LEN(host->handles));
	host->handles[n] = f;
	host->listed[n] = false;
	put_u32(body, 4);
	put_u32(body, n);
	return SFTP_OK;
}

static void put_entry(struct winhost *host, struct buf *body, const char *name, const char *path)
{
	wire_put_text(body, name);
	wire_put_text(body, "drwx as ls -l writes it");
	ck_assert_uint_eq(do_stat(host, path, body), SFTP_OK);
}

/* All at once, then the end. */
static uint32_t do_list(struct winhost *host, struct wire *w, struct buf *body)
{
	struct winhost_file **h = handle_of(host, w);
	const char *folder = (*h)->path, *path;
	size_t len = strlen(folder);
	struct buf entries = BUF_INIT;
	uint32_t n = 2;

	if (host->listed[h - host->handles])
		return SFTP_EOF;
	host->listed[h - host->handles] = true;
	put_entry(host, &entries, ".", folder);
	put_entry(host, &entries, "..", folder);
	for (int i = 0; i < WINHOST_FILES; i++) {
		path = host->files[i].path;
		if (!path || strncmp(path, folder, len) != 0 || path[len] != '/' || strchr(path + len + 1, '/'))
			continue;
		put_entry(host, &entries, path + len + 1, path);
		n++;
	}
	put_u32(body, n);
	buf_add(body, entries.data, entries.len);
	buf_release(&entries);
	return SFTP_OK;
}

static bool is_empty(const struct winhost *host, const char *folder)
{
	size_t len = strlen(folder);

	for (int i = 0; i < WINHOST_FILES; i++)
		if (host->files[i].path && strncmp(host->files[i].path, folder, len) == 0 &&
		    host->files[i].path[len] == '/')
			return false;
	return true;
}

static uint32_t do_rename(struct winhost *host, const char *from, const char *to)
{
	struct winhost_file *f = winhost_find(host, from);

	if (!f || winhost_find(host, to))
		return f ? SFTP_FAILURE : SFTP_NO_SUCH_FILE;
	free(f->path);
	f->path = str_dup(to);
	return SFTP_OK;
}

static uint32_t do_remove(struct winhost_file *f)
{
	if (f->read_only)
		return SFTP_PERMISSION_DENIED;
	winhost_remove(f);
	return SFTP_OK;
}

static uint32_t do_set_mode(struct winhost_file *f, struct wire *w)
{
	ck_assert_uint_eq(wire_u32(w), 4);
	f->read_only = !(wire_u32(w) & 0200);
	return SFTP_OK;
}

static uint32_t do_path(struct winhost *host, int type, const char *path, struct wire *w, struct buf *body)
{
	struct winhost_file *f = winhost_find(host, path);
	uint32_t status;
	char *to;

	if (type == SFTP_STAT)
		return do_stat(host, path, body);
	if (type == SFTP_OPENDIR)
		return do_open_folder(host, path, body);
	if (type == SFTP_OPEN)
		return do_open(host, w, path, body);
	if (type == SFTP_REALPATH) {
		put_u32(body, 1);
		wire_put_text(body, path);
		return SFTP_OK;
	}
	if (type == SFTP_MKDIR) {
		winhost_put(host, path, "")->folder = true;
		return SFTP_OK;
	}
	if (type == SFTP_RENAME) {
		to = text_of(w);
		status = do_rename(host, path, to);
		free(to);
		return status;
	}
	ck_assert(type == SFTP_REMOVE || type == SFTP_RMDIR || type == SFTP_SETSTAT);
	if (!f)
		return SFTP_NO_SUCH_FILE;
	if (type != SFTP_SETSTAT && (f->folder != (type == SFTP_RMDIR) || !is_empty(host, path) || f->held))
		return SFTP_FAILURE;
	return type == SFTP_SETSTAT ? do_set_mode(f, w) : do_remove(f);
}

static int answer_type(int type)
{
	static const int types[] = {
	    [SFTP_STAT] = SFTP_ATTRS, [SFTP_REALPATH] = SFTP_NAME, [SFTP_OPEN] = SFTP_HANDLE, [SFTP_READ] = SFTP_DATA,
	    [SFTP_OPENDIR] = SFTP_HANDLE, [SFTP_READDIR] = SFTP_NAME};

	return type < (int)ARRAY_LEN(types) && types[type] ? types[type] : SFTP_STATUS;
}

static void serve(struct winhost *host, struct sftp_packet *p)
{
	struct wire w = p->body;
	struct buf body = BUF_INIT;
	uint32_t status = SFTP_OK;
	char *path;

	if (p->type == SFTP_READ) {
		status = do_read(host, &w, &body);
	} else if (p->type == SFTP_READDIR) {
		status = do_list(host, &w, &body);
	} else if (p->type == SFTP_WRITE) {
		do_write(host, &w);
	} else if (p->type == SFTP_CLOSE) {
		*handle_of(host, &w) = NULL;
	} else if (p->type == SFTP_EXTENDED) {
		path = text_of(&w);
		ck_assert_str_eq(path, "fsync@openssh.com");
		ck_assert(!host->no_fsync);
		free(path);
	} else {
		path = text_of(&w);
		status = do_path(host, p->type, path, &w, &body);
		free(path);
	}
	if (status != SFTP_OK || answer_type(p->type) == SFTP_STATUS)
		answer_status(host, p->id, status);
	else
		answer(host, answer_type(p->type), p->id, &body);
	buf_release(&body);
}

static void serve_badly(struct winhost *host, struct sftp_packet *p)
{
	static const char garbage[] = "\xff\xff\xff\xffSSH-2.0-not";
	struct buf name = BUF_INIT;

	switch (host->fault) {
	case ANSWER_FAILURE:
		/* Not even a handle is closed; a file that was opened stays open. */
		answer_status(host, p->id, SFTP_FAILURE);
		return;
	case ANSWER_FORBIDDEN:
		answer_status(host, p->id, SFTP_PERMISSION_DENIED);
		return;
	case ANSWER_OTHER_ID:
		answer_status(host, p->id + 100, SFTP_OK);
		return;
	case ANSWER_OTHER_TYPE:
		put_u32(&name, 0);
		answer(host, SFTP_NAME, p->id, &name);
		buf_release(&name);
		return;
	case ANSWER_SHORT:
		answer(host, answer_type(p->type), p->id, &name);
		return;
	case ANSWER_GARBAGE:
		ssh_files_take(host->sh->files, garbage, sizeof(garbage), &host->err);
		return;
	case ANSWER_TWICE:
		serve(host, p);
		answer_status(host, p->id, SFTP_OK);
		return;
	case ANSWER_NEVER:
	case ANSWER_FAULTS:
		return;
	}
}

static void serve_version(struct winhost *host)
{
	struct buf body = BUF_INIT;

	wire_put_text(&body, "posix-rename@openssh.com");
	wire_put_text(&body, "1");
	if (!host->no_fsync) {
		wire_put_text(&body, "fsync@openssh.com");
		wire_put_text(&body, "1");
	}
	answer(host, SFTP_VERSION, 3, &body);
	buf_release(&body);
}

bool winhost_serve_one(struct winhost *host)
{
	struct ssh_channel *ch = ssh_files_channel(host->sh->files);
	struct sftp_packet p;
	size_t used;

	buf_add(&host->sftp_in, ch->in.data + ch->in_at, ch->in.len - ch->in_at);
	ch->in_at = ch->in.len;
	if (sftp_next(&host->sftp_in, &p, &used) <= 0 || host->err.code)
		return false;
	if (p.type != SFTP_INIT && ++host->answers == host->change_at)
		winhost_put(host, host->change_path, host->change_text);
	if (p.type == SFTP_INIT)
		serve_version(host);
	else if (host->answers == host->fault_at)
		serve_badly(host, &p);
	else
		serve(host, &p);
	buf_shift(&host->sftp_in, used);
	return true;
}
