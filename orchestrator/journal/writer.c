#include "journal/writer.h"

#include "base/alloc.h"
#include "journal/sql.h"

static const char insert_entry_sql[] =
	"INSERT INTO entry (" ENTRY_COLUMN_NAMES ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
static const char insert_blob_sql[] = "INSERT INTO blob (sha256, exact, bytes) VALUES (?,?,?)"
				      " ON CONFLICT (sha256) DO NOTHING";
static const char last_hash_sql[] = "SELECT hash FROM entry WHERE tenant = ? ORDER BY seq DESC LIMIT 1";
static const char last_run_sql[] = "SELECT coalesce(max(run), 0) FROM entry WHERE kind IN ('run', 'run-end')";
static const char find_revision_sql[] = "SELECT number FROM revision WHERE sha256 = ?";
static const char insert_revision_sql[] =
	"INSERT INTO revision (number, sha256, wall_ms, entry)"
	" VALUES ((SELECT coalesce(max(number), 0) + 1 FROM revision), ?, ?, ?) RETURNING number";
static const char insert_file_sql[] = "INSERT INTO revision_file (revision, place, path, bytes) VALUES (?,?,?,?)";

int writer_open(struct writer *w, const struct place *place, struct err *err)
{
	sqlite3_int64 last = 0;
	int r;

	*w = (struct writer){ 0 };
	buf_init(&w->scratch, (size_t)1 << 31);
	r = sql_open_writer(place, &w->db, err);
	if (!r)
		r = sql_number(w->db, "SELECT coalesce(max(seq), 0) FROM entry", &last, err);
	w->next_seq = last + 1;
	if (r)
		writer_close(w);
	return r;
}

void writer_close(struct writer *w)
{
	/* Not at the price of waiting for a slow reader: what is left is emptied the next time. */
	if (w->db) {
		sqlite3_busy_timeout(w->db, 100);
		sqlite3_wal_checkpoint_v2(w->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	sql_close(w->db);
	chain_heads_release(&w->heads);
	buf_release(&w->scratch);
	*w = (struct writer){ 0 };
}

/* Steps a statement that gives no row. */
static int run(struct writer *w, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : sql_fail(w->db, rc, "cannot write", err);
}

/* The tenant's last hash, from the file the first time. */
static int head_of(struct writer *w, const char *tenant, char **head, struct err *err)
{
	int rc, r;

	*head = map_get(&w->heads, tenant);
	if (*head)
		return 0;
	r = sql_prepare(w->db, &w->last_hash, last_hash_sql, err);
	if (r)
		return r;
	sqlite3_bind_text(w->last_hash, 1, tenant, -1, SQLITE_STATIC);
	rc = sqlite3_step(w->last_hash);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		*head = chain_head_add(&w->heads, tenant);
	if (rc == SQLITE_ROW)
		snprintf(*head, SHA256_HEX_MAX, "%s", (const char *)sqlite3_column_text(w->last_hash, 0));
	sqlite3_reset(w->last_hash);
	return *head ? 0 : sql_fail(w->db, rc, "cannot read", err);
}

/* Gives the entry its place and its hash, and stores it. */
static int add_entry(struct writer *w, struct journal_entry *e, struct err *err)
{
	char prev[SHA256_HEX_MAX], *head;
	int r = head_of(w, e->tenant, &head, err), rc;

	if (!r)
		r = sql_prepare(w->db, &w->insert_entry, insert_entry_sql, err);
	if (r)
		return r;
	memcpy(prev, head, sizeof(prev));
	e->seq = w->next_seq++;
	e->prev_hash = prev;
	e->hash = entry_hash(e, &w->scratch, head);
	rc = entry_bind(w->insert_entry, e);
	r = rc == SQLITE_OK ? run(w, w->insert_entry, err) : sql_fail(w->db, rc, "cannot write", err);
	e->prev_hash = e->hash = NULL;
	return r;
}

static int add_blob(struct writer *w, const struct work_blob *blob, struct err *err)
{
	int r = sql_prepare(w->db, &w->insert_blob, insert_blob_sql, err), rc;

	if (r)
		return r;
	sqlite3_bind_text(w->insert_blob, 1, blob->sha256, -1, SQLITE_STATIC);
	sqlite3_bind_int(w->insert_blob, 2, blob->exact);
	rc = sqlite3_bind_blob64(w->insert_blob, 3, blob->bytes, blob->len, SQLITE_STATIC);
	return rc == SQLITE_OK ? run(w, w->insert_blob, err) : sql_fail(w->db, rc, "cannot write", err);
}

static int add_work(struct writer *w, struct work *work, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < work->blobs_n && !r; i++)
		r = add_blob(w, &work->blobs[i], err);
	for (size_t i = 0; i < work->entries_n && !r; i++)
		r = add_entry(w, &work->entries[i], err);
	return r;
}

static int add_run(struct writer *w, struct work *work, struct err *err)
{
	int r = sql_prepare(w->db, &w->last_run, last_run_sql, err), rc;

	if (r)
		return r;
	rc = sqlite3_step(w->last_run);
	if (rc == SQLITE_ROW)
		work->number = sqlite3_column_int64(w->last_run, 0) + 1;
	sqlite3_reset(w->last_run);
	if (rc != SQLITE_ROW)
		return sql_fail(w->db, rc, "cannot read", err);
	work->entries[0].run = work->number;
	return add_work(w, work, err);
}

/* ---- revisions ------------------------------------------------------------------------------------------------ */

/* The number of a revision that is there already, else 0. */
static int find_revision(struct writer *w, const char *sha256, int64_t *number, struct err *err)
{
	int r = sql_prepare(w->db, &w->find_revision, find_revision_sql, err), rc;

	if (r)
		return r;
	sqlite3_bind_text(w->find_revision, 1, sha256, -1, SQLITE_STATIC);
	rc = sqlite3_step(w->find_revision);
	*number = rc == SQLITE_ROW ? sqlite3_column_int64(w->find_revision, 0) : 0;
	sqlite3_reset(w->find_revision);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : sql_fail(w->db, rc, "cannot read", err);
}

static int insert_revision(struct writer *w, const struct work_revision *rev, int64_t entry, int64_t *number,
			   struct err *err)
{
	int r = sql_prepare(w->db, &w->insert_revision, insert_revision_sql, err), rc;

	if (r)
		return r;
	sqlite3_bind_text(w->insert_revision, 1, rev->sha256, -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->insert_revision, 2, rev->wall_ms);
	sqlite3_bind_int64(w->insert_revision, 3, entry);
	rc = sqlite3_step(w->insert_revision);
	if (rc == SQLITE_ROW) {
		*number = sqlite3_column_int64(w->insert_revision, 0);
		rc = sqlite3_step(w->insert_revision);
	}
	sqlite3_reset(w->insert_revision);
	return rc == SQLITE_DONE ? 0 : sql_fail(w->db, rc, "cannot write", err);
}

static int insert_file(struct writer *w, int64_t number, size_t place, const struct journal_file *file, struct err *err)
{
	int r = sql_prepare(w->db, &w->insert_file, insert_file_sql, err), rc;

	if (r)
		return r;
	sqlite3_bind_int64(w->insert_file, 1, number);
	sqlite3_bind_int64(w->insert_file, 2, (int64_t)place);
	sqlite3_bind_text(w->insert_file, 3, file->path, -1, SQLITE_STATIC);
	rc = sqlite3_bind_blob64(w->insert_file, 4, file->len ? file->bytes : "", file->len, SQLITE_STATIC);
	return rc == SQLITE_OK ? run(w, w->insert_file, err) : sql_fail(w->db, rc, "cannot write", err);
}

/* A revision goes with a note, so that the chain of hashes covers the inventory's files, too. */
static int add_revision(struct writer *w, struct work *work, struct err *err)
{
	const struct work_revision *rev = work->revision;
	struct journal_entry note = { .kind = JOURNAL_NOTE, .wall_ms = rev->wall_ms, .tenant = "" };
	struct buf data = BUF_INIT;
	int r = find_revision(w, rev->sha256, &work->number, err);

	if (r || work->number)
		return r;
	r = insert_revision(w, rev, w->next_seq, &work->number, err);
	for (size_t i = 0; i < rev->n && !r; i++)
		r = insert_file(w, work->number, i, &rev->files[i], err);
	note.text = "a new revision of the inventory";
	chain_revision_data(&data, work->number, rev->sha256, rev->files, rev->n);
	note.data = buf_str(&data);
	if (!r)
		r = add_entry(w, &note, err);
	buf_release(&data);
	return r;
}

/* ---- transactions --------------------------------------------------------------------------------------------- */

static int add(struct writer *w, struct work *work, struct err *err)
{
	switch (work->kind) {
	case WORK_ENTRIES:
		return add_work(w, work, err);
	case WORK_RUN:
		return add_run(w, work, err);
	case WORK_REVISION:
		return add_revision(w, work, err);
	}
	return E_BUG;
}

int writer_commit(struct writer *w, struct list *works, uint64_t *entries, struct err *err)
{
	int64_t first = w->next_seq;
	int r = sql_exec(w->db, "BEGIN IMMEDIATE", err);

	for (struct list *node = works->next; node != works && !r; node = node->next)
		r = add(w, CONTAINER_OF(node, struct work, node), err);
	if (!r)
		r = sql_exec(w->db, "COMMIT", err);
	if (r && !sqlite3_get_autocommit(w->db))
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	*entries = r ? 0 : (uint64_t)(w->next_seq - first);
	return r;
}
