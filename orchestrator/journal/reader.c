#include "journal/reader.h"

#include "base/alloc.h"

/* Entries read in one transaction: a reader that takes its time must not keep the log from being emptied. Entries are
   only added, so several short transactions read the same as one long one. */
#define PAGE 1000

static const char read_all_sql[] = "SELECT " ENTRY_COLUMN_NAMES " FROM entry"
				   " WHERE seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4";
/* SQLite merges the two in order, each from the index on tenant. */
static const char read_tenant_sql[] =
	"SELECT " ENTRY_COLUMN_NAMES " FROM entry"
	" WHERE tenant = ?1 AND seq > ?2 AND seq <= ?3"
	" UNION ALL SELECT " ENTRY_COLUMN_NAMES " FROM entry"
	" WHERE tenant = '' AND ?1 <> '' AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4";
static const char last_seq_sql[] = "SELECT coalesce(max(seq), 0) FROM entry";
static const char blob_sql[] = "SELECT bytes FROM blob WHERE sha256 = ?";
static const char revision_sql[] = "SELECT number, sha256 FROM revision"
				   " WHERE number = ?1 OR (?1 = 0 AND number = (SELECT max(number) FROM revision))";
static const char files_sql[] = "SELECT path, bytes FROM revision_file WHERE revision = ? ORDER BY place";

int journal_reader_open(const char *path, struct journal_reader **out, struct err *err)
{
	struct journal_reader *reader = NEW(struct journal_reader);
	int r = place_find(path, &reader->place, err);

	if (!r && !reader->place.exists)
		r = err_set(err, E_NOTFOUND,
			    "there is no state file %s: `cutover run INVENTORY` makes one (or name it: --state FILE)",
			    reader->place.path);
	if (!r)
		r = place_check_file(&reader->place, err);
	if (!r)
		r = place_check_folder(&reader->place, err);
	if (!r)
		r = sql_open_reader(&reader->place, &reader->db, err);
	if (r) {
		journal_reader_close(reader);
		return r;
	}
	*out = reader;
	return 0;
}

void journal_reader_close(struct journal_reader *reader)
{
	if (!reader)
		return;
	sql_close(reader->db);
	place_release(&reader->place);
	free(reader);
}

int reader_fail(struct journal_reader *reader, int rc, struct err *err)
{
	return sql_fail(reader->db, rc, "cannot read", err);
}

static int last_seq(struct journal_reader *reader, int64_t *seq, struct err *err)
{
	int r = sql_prepare(reader->db, &reader->last_seq, last_seq_sql, err), rc;

	if (r)
		return r;
	rc = sqlite3_step(reader->last_seq);
	if (rc == SQLITE_ROW)
		*seq = sqlite3_column_int64(reader->last_seq, 0);
	sqlite3_reset(reader->last_seq);
	return rc == SQLITE_ROW ? 0 : reader_fail(reader, rc, err);
}

/* One page: *after is moved on, *rows counts them. */
static int read_page(struct journal_reader *reader, sqlite3_stmt *stmt, int64_t *after, int *rows,
		     int (*each)(const struct journal_entry *, void *), void *arg, struct err *err)
{
	int r = 0, rc = SQLITE_DONE;

	*rows = 0;
	while (!r && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct journal_entry entry;
		r = entry_read(stmt, &entry, err);
		if (!r)
			r = each(&entry, arg);
		*after = entry.seq;
		++*rows;
	}
	sqlite3_reset(stmt);
	if (!r && rc != SQLITE_DONE)
		r = reader_fail(reader, rc, err);
	return r;
}

int journal_read(struct journal_reader *reader, const char *tenant, int64_t after,
		 int (*each)(const struct journal_entry *, void *), void *arg, struct err *err)
{
	sqlite3_stmt **stmt = tenant ? &reader->read_tenant : &reader->read_all;
	int64_t last = 0;
	int rows = PAGE;
	int r = last_seq(reader, &last, err);

	while (!r && rows == PAGE) {
		r = sql_prepare(reader->db, stmt, tenant ? read_tenant_sql : read_all_sql, err);
		if (r)
			break;
		if (tenant)
			sqlite3_bind_text(*stmt, 1, tenant, -1, SQLITE_STATIC);
		sqlite3_bind_int64(*stmt, 2, after);
		sqlite3_bind_int64(*stmt, 3, last);
		sqlite3_bind_int(*stmt, 4, PAGE);
		r = read_page(reader, *stmt, &after, &rows, each, arg, err);
	}
	return r;
}

int journal_blob(struct journal_reader *reader, const char *sha256, struct buf *out, struct err *err)
{
	int r = sql_prepare(reader->db, &reader->blob, blob_sql, err), rc;

	if (r)
		return r;
	sqlite3_bind_text(reader->blob, 1, sha256, -1, SQLITE_STATIC);
	rc = sqlite3_step(reader->blob);
	if (rc == SQLITE_DONE)
		r = err_set(err, E_NOTFOUND,
			    "the journal does not hold the bytes of %.64s (any more): purged, or never stored", sha256);
	else if (rc != SQLITE_ROW)
		r = reader_fail(reader, rc, err);
	else if (!buf_add(out, sqlite3_column_blob(reader->blob, 0), (size_t)sqlite3_column_bytes(reader->blob, 0)))
		r = err_set(err, E_LIMIT, "the blob %.64s has more bytes than there is room for", sha256);
	sqlite3_reset(reader->blob);
	return r;
}

/* Finds the revision: its number and hash. */
static int find_revision(struct journal_reader *reader, int64_t wanted, int64_t *number, char sha256[SHA256_HEX_MAX],
			 struct err *err)
{
	int r = sql_prepare(reader->db, &reader->revision, revision_sql, err), rc;

	if (r)
		return r;
	sqlite3_bind_int64(reader->revision, 1, wanted);
	rc = sqlite3_step(reader->revision);
	if (rc == SQLITE_ROW) {
		*number = sqlite3_column_int64(reader->revision, 0);
		snprintf(sha256, SHA256_HEX_MAX, "%s", (const char *)sqlite3_column_text(reader->revision, 1));
	} else if (rc == SQLITE_DONE && wanted) {
		r = err_set(err, E_NOTFOUND, "the journal holds no revision %lld of the inventory", (long long)wanted);
	} else if (rc == SQLITE_DONE) {
		r = err_set(err, E_NOTFOUND, "the journal holds no inventory yet");
	} else {
		r = reader_fail(reader, rc, err);
	}
	sqlite3_reset(reader->revision);
	return r;
}

int journal_revision(struct journal_reader *reader, int64_t revision, int64_t *number, char sha256[SHA256_HEX_MAX],
		     int (*each)(const struct journal_file *, void *), void *arg, struct err *err)
{
	int r = find_revision(reader, revision, number, sha256, err), rc;

	if (!r)
		r = sql_prepare(reader->db, &reader->files, files_sql, err);
	if (r)
		return r;
	sqlite3_bind_int64(reader->files, 1, *number);
	while (!r && (rc = sqlite3_step(reader->files)) == SQLITE_ROW) {
		struct journal_file file = {
			.path = (const char *)sqlite3_column_text(reader->files, 0),
			.bytes = sqlite3_column_blob(reader->files, 1),
			.len = (size_t)sqlite3_column_bytes(reader->files, 1),
		};
		if (!file.bytes)
			file.bytes = "";
		r = each(&file, arg);
	}
	sqlite3_reset(reader->files);
	if (!r && rc != SQLITE_DONE)
		r = reader_fail(reader, rc, err);
	return r;
}
