/*
 * What a request's end means: the exit codes of get.sh and replace.sh, the header that get.sh puts before a file, and
 * whether sudo let anything begin at all.
 */
#include "transport/ssh_shell.h"

#include <ctype.h>
#include <inttypes.h>

enum { CODE_BASE = 100, CODE_LAST = 130, TEXT_MAX = 300 };

/* The text of stderr for an error: without blanks at its ends, "" becomes a word. */
static const char *said(const struct op_result *result, char *out)
{
	const char *text = buf_str(&result->err);
	size_t len = result->err.len;

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	while (len && isspace((unsigned char)*text))
		text++, len--;
	if (!len)
		return "it said nothing";
	snprintf(out, TEXT_MAX, "%.*s", len > TEXT_MAX - 1 ? TEXT_MAX - 1 : (int)len, text);
	return out;
}

/* MODE UID GID LINKS SIZE MTIME, OWNER, GROUP and PATH, each on a line. */
static bool take_header(struct op_result *result)
{
	struct op_file *file = &result->file;
	char *lines[4], *at = result->out.data;
	size_t left = result->out.len;

	for (int i = 0; i < 4; i++) {
		char *newline = left ? memchr(at, '\n', left) : NULL;
		if (!newline)
			return false;
		*newline = '\0';
		lines[i] = at;
		left -= (size_t)(newline + 1 - at);
		at = newline + 1;
	}
	if (sscanf(lines[0], "%o %ld %ld %lu %" SCNd64 " %" SCNd64, &file->mode, &file->uid, &file->gid, &file->links,
		   &file->size_bytes, &file->mtime_s) != 6)
		return false;
	file->owner = str_dup(lines[1]);
	file->group = str_dup(lines[2]);
	file->real_path = str_dup(lines[3]);
	buf_shift(&result->out, result->out.len - left);
	return true;
}

static void judge_get(struct ssh_remote *r, struct ssh_request *req)
{
	struct op_result *result = &req->request->result;
	const struct op *op = req->request->op;

	if (!take_header(result)) {
		ssh_request_fail(r, req, E_PROTOCOL, "%s: %s: what came back has no header", req->request->what,
				 op->path);
		return;
	}
	/* Files of /proc and /sys have no size. */
	if (result->file.size_bytes == 0)
		result->file.size_bytes = (int64_t)result->out.len;
	if (result->out.truncated || result->out.len != (size_t)result->file.size_bytes) {
		int code = result->out.truncated ? E_LIMIT : E_CHANGED;
		size_t len = result->out.len;
		buf_release_secret(&result->out);
		ssh_request_fail(r, req, code,
				 "%s: %s: %zu bytes came where it has %" PRId64
				 "; it changed while it was read, or the host's disk is full",
				 req->request->what, op->path, len, result->file.size_bytes);
		return;
	}
	ssh_request_done(r, req);
}

static void judge_file_op(struct ssh_remote *r, struct ssh_request *req)
{
	struct op_result *result = &req->request->result;
	char text[TEXT_MAX];
	int code = result->exit_code;

	if (code == 0 && req->request->op->kind == OP_GET) {
		judge_get(r, req);
		return;
	}
	if (code == 0) {
		ssh_request_done(r, req);
		return;
	}
	code = code > CODE_BASE && code < CODE_LAST ? CODE_BASE - code : E_IO;
	if (code == E_NOTFOUND || code == E_LIMIT || code == E_PERM)
		buf_release(&result->out);
	ssh_request_fail(r, req, code, "%s: %s", req->request->what, said(result, text));
}

void ssh_shell_judge(struct ssh_remote *r, struct ssh_request *req, bool elevated)
{
	struct op_result *result = &req->request->result;
	char text[TEXT_MAX];

	if (!result->started && elevated) {
		ssh_request_fail(r, req, E_SUDO,
				 "%s: sudo -n was refused for %s: %s; the account needs a NOPASSWD rule for /bin/sh in "
				 "the host's sudoers",
				 req->request->what, r->user, said(result, text));
		return;
	}
	if (!result->started) {
		ssh_request_fail(r, req, E_IO, "%s: could not be started on the host: %s", req->request->what,
				 said(result, text));
		return;
	}
	switch (req->request->op->kind) {
	case OP_RUN:
	case OP_EXEC:
	case OP_HTTP: /* not this way */
	case OP_SMTP:
		ssh_request_done(r, req);
		return;
	case OP_GET:
	case OP_REPLACE:
		judge_file_op(r, req);
		return;
	}
}
