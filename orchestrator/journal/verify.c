#include "journal/reader.h"

#include "base/alloc.h"

struct audit {
	struct map heads;
	struct buf scratch;
	int64_t seq;
	struct err *err;
};

static int audit_entry(const struct journal_entry *e, void *arg)
{
	struct audit *a = arg;
	char *head = map_get(&a->heads, e->tenant);
	char hash[SHA256_HEX_MAX];

	if (e->seq != a->seq + 1)
		return err_set(a->err, E_CORRUPT, "the journal's entry %lld is missing: it was deleted",
			       (long long)a->seq + 1);
	if (!head)
		head = chain_head_add(&a->heads, e->tenant);
	if (strcmp(e->prev_hash, head) != 0)
		return err_set(a->err, E_CORRUPT,
			       "the journal's entry %lld (tenant \"%s\") does not follow the tenant's entry before it: "
			       "something "
			       "was changed, inserted or taken out there",
			       (long long)e->seq, e->tenant);
	if (strcmp(e->hash, entry_hash(e, &a->scratch, hash)) != 0)
		return err_set(a->err, E_CORRUPT,
			       "the journal's entry %lld (tenant \"%s\") was changed: its hash does not fit",
			       (long long)e->seq, e->tenant);
	memcpy(head, hash, sizeof(hash));
	a->seq = e->seq;
	return 0;
}

/* Runs each() on the rows of a statement. */
static int each_row(struct journal_reader *reader, const char *sql,
		    int (*each)(struct journal_reader *, sqlite3_stmt *, struct err *), struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(reader->db, &stmt, sql, err), rc = SQLITE_DONE;

	while (!r && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = each(reader, stmt, err);
	if (!r && rc != SQLITE_DONE)
		r = reader_fail(reader, rc, err);
	sqlite3_finalize(stmt);
	return r;
}

static int audit_blob(struct journal_reader *reader, sqlite3_stmt *stmt, struct err *err)
{
	const char *stored = (const char *)sqlite3_column_text(stmt, 0);
	char hash[SHA256_HEX_MAX];
	const void *bytes = sqlite3_column_blob(stmt, 1);

	(void)reader;
	sha256_hex(bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, 1), hash);
	if (strcmp(hash, stored) == 0)
		return 0;
	return err_set(err, E_CORRUPT, "the blob %s was changed: its bytes have the hash %s", stored, hash);
}

/* ---- revisions ------------------------------------------------------------------------------------------------ */

struct files {
	struct journal_file *at;
	size_t n;
};

static int collect_file(const struct journal_file *file, void *arg)
{
	struct files *files = arg;

	GROW_FOR_ONE(files->at, files->n);
	files->at[files->n++] = (struct journal_file){ .path = str_dup(file->path),
						       .bytes = str_ndup(file->bytes, file->len),
						       .len = file->len };
	return 0;
}

/* The note that went with a revision must say what would be said of it now. */
static int audit_revision(struct journal_reader *reader, sqlite3_stmt *stmt, struct err *err)
{
	int64_t number = sqlite3_column_int64(stmt, 0), found;
	const char *note = (const char *)sqlite3_column_text(stmt, 1);
	char sha256[SHA256_HEX_MAX];
	struct files files = { 0 };
	struct buf data = BUF_INIT;
	int r = journal_revision(reader, number, &found, sha256, collect_file, &files, err);

	if (!r) {
		chain_revision_data(&data, number, sha256, files.at, files.n);
		if (!note || strcmp(note, buf_str(&data)) != 0)
			r = err_set(err, E_CORRUPT,
				    "revision %lld of the inventory was changed: it is not what the journal noted",
				    (long long)number);
	}
	for (size_t i = 0; i < files.n; i++) {
		free((char *)files.at[i].path);
		free((void *)files.at[i].bytes);
	}
	free(files.at);
	buf_release(&data);
	return r;
}

/* SQLite's own check: pages, and whether the indexes hold what the tables hold. */
static int audit_pages(struct journal_reader *reader, sqlite3_stmt *stmt, struct err *err)
{
	const char *text = (const char *)sqlite3_column_text(stmt, 0);

	if (strcmp(text, "ok") == 0)
		return 0;
	return err_set(err, E_CORRUPT, "%s is damaged: %s; put a copy back", reader->place.path, text);
}

int journal_verify(struct journal_reader *reader, uint64_t *entries, struct err *err)
{
	struct audit audit = { .err = err };
	int r;

	buf_init(&audit.scratch, (size_t)1 << 31);
	r = each_row(reader, "PRAGMA integrity_check(1)", audit_pages, err);
	if (!r)
		r = journal_read(reader, NULL, 0, audit_entry, &audit, err);
	if (!r)
		r = each_row(reader, "SELECT sha256, bytes FROM blob", audit_blob, err);
	if (!r)
		r = each_row(reader, "SELECT number, (SELECT data FROM entry WHERE seq = revision.entry) FROM revision",
			     audit_revision, err);
	*entries = (uint64_t)audit.seq;
	chain_heads_release(&audit.heads);
	buf_release(&audit.scratch);
	return r;
}
