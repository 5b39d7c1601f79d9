/*
 * The happy path: the subsystem is started and says its version; a job sends its question and gets its answer; files
 * are opened, read by one question after the other or written by WRITES_MAX at once, synced, closed. A job fails by a
 * status that is not OK; what has been opened is closed all the same. An answer that was not asked for, or does not
 * fit, costs the session. Closing is the session's: nothing is sent, and jobs that are left are freed.
 */
#include "transport/ssh_files.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "transport/ssh_remote.h"

enum { WRITES_MAX = 16 };

static const struct sm_state states[] = {
    [FILES_STARTING] = {"starting", SM_TO(FILES_IDLE)},
    [FILES_IDLE] = {"idle", SM_TO(FILES_ASKED) | SM_TO(FILES_OPENING)},
    [FILES_ASKED] = {"asked", SM_TO(FILES_IDLE)},
    [FILES_OPENING] = {"opening", SM_TO(FILES_READING) | SM_TO(FILES_WRITING) | SM_TO(FILES_IDLE)},
    [FILES_READING] = {"reading", SM_TO(FILES_CLOSING)},
    [FILES_WRITING] = {"writing", SM_TO(FILES_SYNCING) | SM_TO(FILES_CLOSING)},
    [FILES_SYNCING] = {"syncing", SM_TO(FILES_CLOSING)},
    [FILES_CLOSING] = {"closing", SM_TO(FILES_IDLE)},
};

struct ssh_files {
	struct ssh_remote *remote;
	struct ssh_channel channel;
	struct sm sm;
	struct err *err; /* of the step that is under way */
	struct buf in;
	struct list queue;
	struct ssh_file_job *job; /* the one that is done; NULL while its file is closed behind it, too */
	bool has_fsync;
	uint32_t next_id;
	uint32_t asked; /* the question that is answered next */
	unsigned char handle[SFTP_HANDLE_MAX];
	size_t handle_len;
	uint64_t at;     /* READ: bytes that came; WRITE: bytes that were sent */
	unsigned writes; /* sent, not answered */
};

struct ssh_file_job *ssh_file_job_new(enum ssh_file_verb verb, const char *path, void (*done)(struct ssh_file_job *job),
				      void *arg)
{
	struct ssh_file_job *job = NEW(struct ssh_file_job);

	job->verb = verb;
	job->path = str_dup(path);
	job->mode = 0600;
	job->done = done;
	job->arg = arg;
	return job;
}

static void job_free(struct ssh_file_job *job)
{
	if (!job)
		return;
	list_remove(&job->node);
	buf_release_secret(&job->bytes);
	free(job->path);
	free(job->new_path);
	free(job);
}

void ssh_file_job_disown(struct ssh_file_job *job)
{
	job->done = NULL;
}

static void move(struct ssh_files *files, enum ssh_files_state to)
{
	sm_move(&files->sm, (int)to, files->remote->label);
	files->remote->again = true;
}

static bool is(const struct ssh_files *files, enum ssh_files_state state)
{
	return files->sm.now == (int)state;
}

static int broken(struct ssh_files *files, const char *what)
{
	return err_set(files->err, E_PROTOCOL, "the SFTP server on the host does not keep to the protocol: %s", what);
}

static void send_out(struct ssh_files *files, struct buf *out)
{
	ssh_channel_write(&files->channel, out->data, out->len);
	buf_release_secret(out);
}

static uint32_t ask(struct ssh_files *files)
{
	return files->asked = files->next_id++;
}

static struct wire_str handle_of(const struct ssh_files *files)
{
	return (struct wire_str){files->handle, files->handle_len};
}

/* The job has come to its end; its maker may start others from `done`. */
static void finish(struct ssh_files *files)
{
	struct ssh_file_job *job = files->job;

	files->job = NULL;
	if (job && job->done)
		job->done(job);
	job_free(job);
}

static int code_of(uint32_t status)
{
	if (status == SFTP_NO_SUCH_FILE)
		return E_NOTFOUND;
	return status == SFTP_PERMISSION_DENIED ? E_PERM : E_IO;
}

/* The first thing that fails counts. */
static void failed(struct ssh_files *files, uint32_t status, struct wire_str text)
{
	struct ssh_file_job *job = files->job;
	int len = text.len > 100 ? 100 : (int)text.len;

	if (!job || job->code)
		return;
	job->code = code_of(status);
	job->status = status;
	snprintf(job->said, sizeof(job->said), "%s%s%.*s", sftp_status_text(status), len ? ": " : "", len, text.data);
	utf8_printable(job->said);
}

static void close_handle(struct ssh_files *files)
{
	struct buf out = BUF_INIT;

	sftp_put_handle(&out, SFTP_CLOSE, ask(files), handle_of(files));
	send_out(files, &out);
	move(files, FILES_CLOSING);
}

static void ask_read(struct ssh_files *files)
{
	struct buf out = BUF_INIT;

	if (files->job->verb == FILE_LIST)
		sftp_put_handle(&out, SFTP_READDIR, ask(files), handle_of(files));
	else
		sftp_put_read(&out, ask(files), handle_of(files), files->at, SFTP_CHUNK);
	send_out(files, &out);
}

static void after_writing(struct ssh_files *files)
{
	struct buf out = BUF_INIT;

	if (files->job->code || !files->job->durable || !files->has_fsync) {
		close_handle(files);
		return;
	}
	sftp_put_fsync(&out, ask(files), handle_of(files));
	send_out(files, &out);
	move(files, FILES_SYNCING);
}

/* Keeps WRITES_MAX writes on their way; with the last answer it goes on. */
static void write_more(struct ssh_files *files)
{
	struct ssh_file_job *job = files->job;
	struct buf out = BUF_INIT;

	while (!job->code && files->writes < WRITES_MAX && files->at < job->bytes.len) {
		size_t n = job->bytes.len - files->at;
		if (n > SFTP_CHUNK)
			n = SFTP_CHUNK;
		sftp_put_write(&out, files->next_id++, handle_of(files), files->at, job->bytes.data + files->at, n);
		files->at += n;
		files->writes++;
	}
	send_out(files, &out);
	if (!files->writes)
		after_writing(files);
}

static void begin(struct ssh_files *files, struct ssh_file_job *job)
{
	struct buf out = BUF_INIT;
	uint32_t id = ask(files);
	enum ssh_files_state next = FILES_ASKED;
	unsigned how = SFTP_FOR_WRITE;

	files->job = job;
	switch (job->verb) {
	case FILE_STAT:
		sftp_put_path(&out, SFTP_STAT, id, job->path);
		break;
	case FILE_REAL_PATH:
		sftp_put_path(&out, SFTP_REALPATH, id, job->path);
		break;
	case FILE_REMOVE:
		sftp_put_path(&out, SFTP_REMOVE, id, job->path);
		break;
	case FILE_REMOVE_FOLDER:
		sftp_put_path(&out, SFTP_RMDIR, id, job->path);
		break;
	case FILE_LIST:
		sftp_put_path(&out, SFTP_OPENDIR, id, job->path);
		next = FILES_OPENING;
		break;
	case FILE_RENAME:
		sftp_put_rename(&out, id, job->path, job->new_path);
		break;
	case FILE_MKDIR:
		sftp_put_mode(&out, SFTP_MKDIR, id, job->path, job->mode);
		break;
	case FILE_SET_MODE:
		sftp_put_mode(&out, SFTP_SETSTAT, id, job->path, job->mode);
		break;
	case FILE_READ:
		sftp_put_open(&out, id, job->path, SFTP_FOR_READ, 0);
		next = FILES_OPENING;
		break;
	case FILE_WRITE:
		how |= job->in_place ? SFTP_TRUNCATE : SFTP_CREATE;
		how |= job->exclusive ? SFTP_EXCLUSIVE : SFTP_TRUNCATE;
		sftp_put_open(&out, id, job->path, how, job->mode);
		next = FILES_OPENING;
		break;
	case FILE_TRY:
		sftp_put_open(&out, id, job->path, SFTP_FOR_WRITE, 0);
		next = FILES_OPENING;
		break;
	}
	send_out(files, &out);
	move(files, next);
}

/* A status: an error, or the end of something that has no other answer. */
static int take_status(struct ssh_files *files, struct sftp_packet *p, uint32_t *status)
{
	struct wire_str text;

	if (!sftp_get_status(&p->body, status, &text))
		return broken(files, "a broken status");
	if (*status != SFTP_OK && !(is(files, FILES_READING) && *status == SFTP_EOF) &&
	    !(is(files, FILES_SYNCING) && *status == SFTP_UNSUPPORTED))
		failed(files, *status, text);
	return 0;
}

static int take_version(struct ssh_files *files, const struct sftp_packet *p)
{
	if (p->type != SFTP_VERSION || p->id < 3)
		return broken(files, "another version than 3");
	files->has_fsync = sftp_has_extension(p->body, "fsync@openssh.com");
	move(files, FILES_IDLE);
	return 0;
}

/* Stat, real path, and what is answered by a status alone. */
static int take_answer(struct ssh_files *files, struct sftp_packet *p)
{
	struct ssh_file_job *job = files->job;
	struct wire_str name;
	uint32_t status = SFTP_OK;
	bool good = true;

	if (p->type == SFTP_STATUS) {
		if (take_status(files, p, &status))
			return E_PROTOCOL;
		good = status != SFTP_OK || (job->verb != FILE_STAT && job->verb != FILE_REAL_PATH);
	} else if (p->type == SFTP_ATTRS && job->verb == FILE_STAT) {
		good = sftp_get_attrs(&p->body, &job->attrs);
	} else if (p->type == SFTP_NAME && job->verb == FILE_REAL_PATH) {
		good = sftp_get_name(&p->body, &name);
		if (good)
			buf_add(&job->bytes, name.data, name.len);
	} else {
		good = false;
	}
	if (!good)
		return broken(files, "an answer to something else");
	move(files, FILES_IDLE);
	finish(files);
	return 0;
}

static int take_handle(struct ssh_files *files, struct sftp_packet *p)
{
	struct wire_str handle;
	uint32_t status;

	if (p->type == SFTP_STATUS) {
		if (take_status(files, p, &status))
			return E_PROTOCOL;
		if (status == SFTP_OK)
			return broken(files, "a file is opened, and has no handle");
		move(files, FILES_IDLE);
		finish(files);
		return 0;
	}
	handle = wire_string(&p->body);
	if (p->type != SFTP_HANDLE || p->body.failed || !handle.len || handle.len > SFTP_HANDLE_MAX)
		return broken(files, "a broken handle");
	memcpy(files->handle, handle.data, handle.len);
	files->handle_len = handle.len;
	files->job->opened = true;
	files->at = 0;
	files->writes = 0;
	if (files->job->verb == FILE_READ || files->job->verb == FILE_LIST) {
		move(files, FILES_READING);
		ask_read(files);
		return 0;
	}
	move(files, FILES_WRITING);
	write_more(files);
	return 0;
}

/* What was read is whole before the file is closed: nobody waits for that. */
static int end_reading(struct ssh_files *files)
{
	close_handle(files);
	finish(files);
	return 0;
}

/* A folder is asked for until it says that this was all. */
static int take_entries(struct ssh_files *files, struct sftp_packet *p)
{
	struct ssh_file_job *job = files->job;
	const unsigned char *begin = p->body.at;
	struct sftp_attrs attrs;
	struct wire_str name;
	uint32_t n = wire_u32(&p->body);

	if (p->type != SFTP_NAME || p->body.failed || !n)
		return broken(files, "a broken list");
	for (; n; n--) {
		if (!sftp_get_entry(&p->body, &name, &attrs))
			return broken(files, "a broken list");
		if (job->entry)
			job->entry(job, name, &attrs);
	}
	files->at += (uint64_t)(p->body.at - begin);
	job->more = files->at > FILE_LIST_BYTES_MAX;
	if (job->more)
		return end_reading(files);
	ask_read(files);
	return 0;
}

static int take_data(struct ssh_files *files, struct sftp_packet *p)
{
	struct ssh_file_job *job = files->job;
	struct wire_str data;
	uint32_t status;

	if (p->type == SFTP_STATUS) {
		if (take_status(files, p, &status))
			return E_PROTOCOL;
		return status == SFTP_OK ? broken(files, "no data, and no end") : end_reading(files);
	}
	if (job->verb == FILE_LIST)
		return take_entries(files, p);
	data = wire_string(&p->body);
	if (p->type != SFTP_DATA || p->body.failed || !data.len || data.len > SFTP_CHUNK)
		return broken(files, "broken data");
	files->at += data.len;
	if (!buf_add(&job->bytes, data.data, data.len))
		job->more = true;
	if (job->more || (job->enough && files->at >= job->enough))
		return end_reading(files);
	ask_read(files);
	return 0;
}

static int take_written(struct ssh_files *files, struct sftp_packet *p)
{
	uint32_t status;

	/* How many are still to come is what counts: what was written is read again by whoever wrote it. */
	if (p->type != SFTP_STATUS || files->next_id - p->id > WRITES_MAX || !files->writes)
		return broken(files, "an answer to a write that was none");
	if (take_status(files, p, &status))
		return E_PROTOCOL;
	files->writes--;
	if (!files->writes || !files->job->code)
		write_more(files);
	return 0;
}

static int take_synced(struct ssh_files *files, struct sftp_packet *p)
{
	uint32_t status;

	if (p->type != SFTP_STATUS)
		return broken(files, "an answer to something else");
	if (take_status(files, p, &status))
		return E_PROTOCOL;
	close_handle(files);
	return 0;
}

static int take_closed(struct ssh_files *files, struct sftp_packet *p)
{
	uint32_t status;

	if (p->type != SFTP_STATUS)
		return broken(files, "an answer to something else");
	if (take_status(files, p, &status))
		return E_PROTOCOL;
	move(files, FILES_IDLE);
	finish(files);
	return 0;
}

static int take_packet(struct ssh_files *files, struct sftp_packet *p)
{
	enum ssh_files_state state = (enum ssh_files_state)files->sm.now;

	if (state != FILES_STARTING && state != FILES_WRITING && p->id != files->asked)
		return broken(files, "an answer to something that was not asked");
	switch (state) {
	case FILES_STARTING:
		return take_version(files, p);
	case FILES_IDLE:
		return broken(files, "an answer, and nothing was asked");
	case FILES_ASKED:
		return take_answer(files, p);
	case FILES_OPENING:
		return take_handle(files, p);
	case FILES_READING:
		return take_data(files, p);
	case FILES_WRITING:
		return take_written(files, p);
	case FILES_SYNCING:
		return take_synced(files, p);
	case FILES_CLOSING:
		return take_closed(files, p);
	}
	return 0;
}

int ssh_files_take(struct ssh_files *files, const char *bytes, size_t len, struct err *err)
{
	struct sftp_packet packet;
	size_t used;
	int r;

	files->err = err;
	buf_add(&files->in, bytes, len);
	while ((r = sftp_next(&files->in, &packet, &used)) > 0) {
		r = take_packet(files, &packet);
		if (r)
			return r;
		buf_shift(&files->in, used);
	}
	return r < 0 || files->in.truncated ? broken(files, "a packet without an end") : 0;
}

/* Nothing that is said on stderr counts. */
static int on_data(struct ssh_channel *channel, int stream, const char *bytes, size_t len, struct err *err)
{
	struct ssh_files *files = CONTAINER_OF(channel, struct ssh_files, channel);

	return stream ? 0 : ssh_files_take(files, bytes, len, err);
}

static const struct ssh_channel_sink sink = {on_data};

struct ssh_files *ssh_files_new(struct ssh_remote *remote)
{
	struct ssh_files *files = NEW(struct ssh_files);
	struct buf out = BUF_INIT;

	files->remote = remote;
	sm_init(&files->sm, states, FILES_STARTING);
	list_init(&files->queue);
	/* A packet, and what one read of the channel brings behind it. */
	buf_init(&files->in, SFTP_PACKET_MAX + (64 << 10));
	ssh_channel_init(&files->channel, remote, "sftp", &sink);
	files->channel.subsystem = true;
	sftp_put_init(&out);
	send_out(files, &out);
	ssh_channel_start(&files->channel);
	return files;
}

void ssh_files_free(struct ssh_files *files)
{
	struct list *node;

	if (!files)
		return;
	job_free(files->job);
	while ((node = list_pop(&files->queue)))
		job_free(CONTAINER_OF(node, struct ssh_file_job, node));
	ssh_channel_release(&files->channel);
	buf_release_secret(&files->in);
	free(files);
}

void ssh_files_turn(struct ssh_files *files)
{
	struct list *node = is(files, FILES_IDLE) ? list_pop(&files->queue) : NULL;

	if (node)
		begin(files, CONTAINER_OF(node, struct ssh_file_job, node));
}

int ssh_files_step(struct ssh_files *files, struct err *err)
{
	int r = ssh_channel_step(&files->channel, err);

	if (r > 0)
		return err_prefix(err, "no SFTP (is there a Subsystem line in its sshd_config?): ");
	if (r < 0)
		return r;
	if (files->channel.ended)
		return err_set(err, E_CLOSED, "the SFTP server on the host has ended");
	ssh_files_turn(files);
	return 0;
}

bool ssh_files_up(const struct ssh_files *files)
{
	return !is(files, FILES_STARTING);
}

void ssh_files_start(struct ssh_files *files, struct ssh_file_job *job)
{
	list_append(&files->queue, &job->node);
	files->remote->again = true;
}

struct ssh_channel *ssh_files_channel(struct ssh_files *files)
{
	return &files->channel;
}
