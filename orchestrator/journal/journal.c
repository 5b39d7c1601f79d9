/*
 * Happy path: an append is copied into a piece of work and queued; the writer's thread takes all that is queued,
 * commits it as one transaction and moves it to the list of what is done; the loop, woken by uv_async, calls back in
 * order. How it fails: a commit that fails is rolled back and kept as `failure`; its pieces and all later ones are done
 * with it, so the order of the callbacks stays the same. Closing: the thread commits what is queued, closes the file
 * and ends; the loop delivers what is left, closes the uv_async, and in its close callback drops the lock and frees.
 */
#include "journal/journal.h"

#include "base/alloc.h"
#include "journal/sql.h"
#include "journal/writer.h"

#include <unistd.h>

struct journal {
	uv_loop_t *loop; /* NULL: only the _now calls */
	uv_async_t async;
	uv_thread_t thread;
	struct place place;
	int lock_fd;
	struct writer writer; /* the thread's, once it runs */

	uv_mutex_t mutex; /* of all that follows */
	uv_cond_t work;   /* there is something in the queue, or `closing` */
	uv_cond_t done;   /* a piece that somebody waits for is finished */
	struct list queue, finished;
	bool closing;
	bool thread_ended;
	struct err failure; /* code 0: none; written once */
	struct journal_stats stats;

	void (*close_cb)(void *arg); /* the loop's */
	void *close_arg;
	bool torn_down;
};

/* ---- the thread ----------------------------------------------------------------------------------------------- */

/* Moves all nodes of one list to the end of another. */
static void take_all(struct list *to, struct list *from)
{
	struct list *node;

	while ((node = list_pop(from)) != NULL)
		list_append(to, node);
}

/* With the mutex held: these are done, with the journal's failure if there is one. */
static void finish(struct journal *j, struct list *works)
{
	struct list *node;

	while ((node = list_pop(works)) != NULL) {
		struct work *work = CONTAINER_OF(node, struct work, node);
		work->status = j->failure.code;
		work->finished = true;
		if (work->append)
			list_append(&j->finished, node);
	}
	uv_cond_broadcast(&j->done);
	if (j->loop)
		uv_async_send(&j->async);
}

/* With the mutex held, which is given up meanwhile. */
static void commit(struct journal *j, struct list *works)
{
	struct err why = { 0 };
	uint64_t entries = 0;
	int r = j->failure.code;

	if (r)
		return;
	uv_mutex_unlock(&j->mutex);
	r = writer_commit(&j->writer, works, &entries, &why);
	uv_mutex_lock(&j->mutex);
	if (r) {
		j->failure = why;
		j->stats.broken = true;
		return;
	}
	j->stats.commits++;
	j->stats.entries += entries;
	for (struct list *node = works->next; node != works; node = node->next)
		j->stats.appends++;
}

static void thread_main(void *arg)
{
	struct journal *j = arg;
	struct list works;

	list_init(&works);
	uv_mutex_lock(&j->mutex);
	for (;;) {
		while (list_empty(&j->queue) && !j->closing)
			uv_cond_wait(&j->work, &j->mutex);
		if (list_empty(&j->queue))
			break;
		take_all(&works, &j->queue);
		commit(j, &works);
		finish(j, &works);
	}
	uv_mutex_unlock(&j->mutex);
	writer_close(&j->writer);
	uv_mutex_lock(&j->mutex);
	j->thread_ended = true;
	if (j->loop)
		uv_async_send(&j->async);
	uv_mutex_unlock(&j->mutex);
}

/* ---- the loop ------------------------------------------------------------------------------------------------- */

static void destroy_locks(struct journal *j)
{
	uv_cond_destroy(&j->done);
	uv_cond_destroy(&j->work);
	uv_mutex_destroy(&j->mutex);
}

static void release(struct journal *j)
{
	close(j->lock_fd);
	destroy_locks(j);
	place_release(&j->place);
	free(j);
}

static void on_async_closed(uv_handle_t *handle)
{
	struct journal *j = handle->data;
	void (*cb)(void *) = j->close_cb;
	void *arg = j->close_arg;

	release(j);
	if (cb)
		cb(arg);
}

static void deliver(struct journal *j, struct list *finished)
{
	struct list *node;

	while ((node = list_pop(finished)) != NULL) {
		struct work *work = CONTAINER_OF(node, struct work, node);
		struct journal_append *append = work->append;
		int status = work->status;
		work_free(work);
		append->done(append, status, status ? &j->failure : NULL);
	}
}

static void on_async(uv_async_t *async)
{
	struct journal *j = async->data;
	struct list finished;
	bool ended;

	list_init(&finished);
	uv_mutex_lock(&j->mutex);
	take_all(&finished, &j->finished);
	ended = j->thread_ended;
	uv_mutex_unlock(&j->mutex);
	deliver(j, &finished);
	/* All that the thread has done was in the list before it said that it ended. */
	if (!ended || j->torn_down)
		return;
	j->torn_down = true;
	uv_thread_join(&j->thread);
	uv_close((uv_handle_t *)&j->async, on_async_closed);
}

/* ---- opening and closing -------------------------------------------------------------------------------------- */

/* Before anything is made beside it: is there something that could be opened? */
static int check_place(const struct place *place, enum journal_open_mode mode, struct err *err)
{
	int r = 0;

	if (!place->exists && mode == JOURNAL_MUST_EXIST)
		return err_set(
			err, E_NOTFOUND,
			"there is no state file %s: `cutover run INVENTORY` makes one (or name it: --state FILE)",
			place->path);
	if (place->exists)
		r = place_check_file(place, err);
	if (!r)
		r = place_check_folder(place, err);
	if (!r)
		r = place_check_writable(place, err);
	return r;
}

/* Looks again now that nobody else can make or remove it. */
static int open_locked(struct journal *j, const char *path, enum journal_open_mode mode, struct err *err)
{
	int r;

	place_release(&j->place);
	r = place_find(path, &j->place, err);
	if (!r)
		r = check_place(&j->place, mode, err);
	if (!r && !j->place.exists)
		r = sql_create(&j->place, err);
	if (!r)
		r = writer_open(&j->writer, &j->place, err);
	return r;
}

static void ask_to_end(struct journal *j)
{
	uv_mutex_lock(&j->mutex);
	j->closing = true;
	uv_cond_signal(&j->work);
	uv_mutex_unlock(&j->mutex);
}

/* The thread first: it can be ended on the spot, a handle could not be closed. It sees `loop` with its first work. */
static int start(struct journal *j, uv_loop_t *loop, struct err *err)
{
	int r;

	list_init(&j->queue);
	list_init(&j->finished);
	if (uv_mutex_init(&j->mutex) || uv_cond_init(&j->work) || uv_cond_init(&j->done))
		abort();
	r = uv_thread_create(&j->thread, thread_main, j);
	if (r == 0 && loop && (r = uv_async_init(loop, &j->async, on_async)) != 0) {
		ask_to_end(j);
		uv_thread_join(&j->thread);
	}
	if (r) {
		destroy_locks(j);
		return err_set(err, E_LIMIT, "cannot begin the journal's thread: %s", uv_strerror(r));
	}
	j->async.data = j;
	j->loop = loop;
	return 0;
}

int journal_open(uv_loop_t *loop, const char *path, enum journal_open_mode mode, struct journal **out, struct err *err)
{
	struct journal *j = NEW(struct journal);
	int r;

	j->lock_fd = -1;
	r = place_find(path, &j->place, err);
	if (!r)
		r = check_place(&j->place, mode, err);
	if (!r)
		r = place_lock(&j->place, &j->lock_fd, err);
	if (!r)
		r = open_locked(j, path, mode, err);
	if (!r)
		r = start(j, loop, err);
	if (r) {
		writer_close(&j->writer);
		if (j->lock_fd >= 0)
			close(j->lock_fd);
		place_release(&j->place);
		free(j);
		return r;
	}
	*out = j;
	return 0;
}

void journal_close(struct journal *j, void (*cb)(void *arg), void *arg)
{
	j->close_cb = cb;
	j->close_arg = arg;
	ask_to_end(j);
}

void journal_close_now(struct journal *j)
{
	/* A loop would still hold the handle. */
	if (j->loop)
		abort();
	ask_to_end(j);
	uv_thread_join(&j->thread);
	release(j);
}

/* ---- appending ------------------------------------------------------------------------------------------------ */

static void enqueue(struct journal *j, struct work *work)
{
	uv_mutex_lock(&j->mutex);
	/* An append after closing began would be lost: a fault of the caller. */
	if (j->closing)
		abort();
	list_append(&j->queue, &work->node);
	uv_cond_signal(&j->work);
	uv_mutex_unlock(&j->mutex);
}

static void start_append(struct journal *j, struct journal_append *append, struct work *work)
{
	if (!j->loop)
		abort();
	work->append = append;
	append->priv = work;
	enqueue(j, work);
}

void journal_append(struct journal *j, struct journal_append *append, const struct journal_entry *entries,
		    const struct journal_blob *blobs, size_t n)
{
	struct work *work = work_new(WORK_ENTRIES);

	work_add_entries(work, entries, blobs, n);
	start_append(j, append, work);
}

void journal_put_blobs(struct journal *j, struct journal_append *append, const struct journal_blob *blobs, size_t n)
{
	struct work *work = work_new(WORK_ENTRIES);

	work_add_blobs(work, blobs, n);
	start_append(j, append, work);
}

/* Queues and waits; frees the work. */
static int do_now(struct journal *j, struct work *work, int64_t *number, struct err *err)
{
	int status;

	enqueue(j, work);
	uv_mutex_lock(&j->mutex);
	while (!work->finished)
		uv_cond_wait(&j->done, &j->mutex);
	status = work->status;
	if (status)
		err_set(err, status, "%s", j->failure.text);
	else if (number)
		*number = work->number;
	uv_mutex_unlock(&j->mutex);
	work_free(work);
	return status;
}

int journal_append_now(struct journal *j, const struct journal_entry *entries, const struct journal_blob *blobs,
		       size_t n, struct err *err)
{
	struct work *work = work_new(WORK_ENTRIES);

	work_add_entries(work, entries, blobs, n);
	return do_now(j, work, NULL, err);
}

int journal_put_revision(struct journal *j, const char *sha256, const struct journal_file *files, size_t n,
			 int64_t wall_ms, int64_t *revision, struct err *err)
{
	struct work_revision rev = { .sha256 = sha256, .files = files, .n = n, .wall_ms = wall_ms };
	struct work *work = work_new(WORK_REVISION);

	work->revision = &rev;
	return do_now(j, work, revision, err);
}

int journal_begin_run(struct journal *j, const struct journal_entry *entry, int64_t *run, struct err *err)
{
	struct work *work = work_new(WORK_RUN);

	work_add_entries(work, entry, NULL, 1);
	work->entries[0].kind = JOURNAL_RUN;
	return do_now(j, work, run, err);
}

void journal_stats(const struct journal *j, struct journal_stats *out)
{
	struct journal *locked = (struct journal *)j;

	uv_mutex_lock(&locked->mutex);
	*out = j->stats;
	uv_mutex_unlock(&locked->mutex);
}
