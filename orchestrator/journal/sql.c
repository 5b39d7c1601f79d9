#include "journal/sql.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct embedded embedded_schema[];

/* How long a statement waits for someone who has the file locked: another program, since our own lock keeps controllers
 * out. */
#define WRITER_BUSY_MS 30000
#define READER_BUSY_MS 10000

/* ---- errors --------------------------------------------------------------------------------------------------- */

/* The class of an I/O error is errno's: SQLite has one code for a full disk and several that may hide one. */
static int io_class(int system_errno)
{
	if (system_errno == ENOSPC || system_errno == EDQUOT)
		return E_NOSPACE;
	if (system_errno == EACCES || system_errno == EPERM || system_errno == EROFS)
		return E_PERM;
	return E_IO;
}

static int class_of(sqlite3 *db, int rc)
{
	int primary = rc & 0xff;

	if (primary == SQLITE_FULL)
		return E_NOSPACE;
	if (primary == SQLITE_NOTADB || primary == SQLITE_CORRUPT || primary == SQLITE_FORMAT)
		return E_CORRUPT;
	if (primary == SQLITE_READONLY || primary == SQLITE_PERM || primary == SQLITE_AUTH)
		return E_PERM;
	if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
		return E_LOCKED;
	if (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR)
		return io_class(db ? sqlite3_system_errno(db) : 0);
	if (primary == SQLITE_TOOBIG)
		return E_LIMIT;
	return E_BUG;
}

static const char *advice(int code)
{
	if (code == E_NOSPACE)
		return "; make room, then `cutover run` again";
	if (code == E_CORRUPT)
		return "; it is no state file, or it is damaged: put a copy back, or name another file (--state FILE)";
	if (code == E_LOCKED)
		return "; another program (sqlite3?) has it locked: end that one";
	return "";
}

int sql_fail(sqlite3 *db, int rc, const char *what, struct err *err)
{
	int code = class_of(db, rc), primary = rc & 0xff;
	bool from_system = db && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL);
	int system_errno = from_system ? sqlite3_system_errno(db) : 0;
	const char *path = db ? sqlite3_db_filename(db, "main") : NULL;

	if (primary == SQLITE_NOMEM)
		abort();
	return err_set(err, code, "%s %s: %s%s%s%s%s", what, path ? path : "the state file",
		       db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), system_errno ? " (" : "",
		       system_errno ? strerror(system_errno) : "", system_errno ? ")" : "", advice(code));
}

/* ---- statements ----------------------------------------------------------------------------------------------- */

int sql_exec(sqlite3 *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : sql_fail(db, rc, "the state file", err);
}

int sql_prepare(sqlite3 *db, sqlite3_stmt **stmt, const char *sql, struct err *err)
{
	int rc;

	if (*stmt) {
		sqlite3_reset(*stmt);
		sqlite3_clear_bindings(*stmt);
		return 0;
	}
	rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	return rc == SQLITE_OK ? 0 : sql_fail(db, rc, "the state file", err);
}

int sql_number(sqlite3 *db, const char *sql, sqlite3_int64 *number, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, &stmt, sql, err), rc;

	if (r)
		return r;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*number = sqlite3_column_int64(stmt, 0);
	else
		r = sql_fail(db, rc, "the state file", err);
	sqlite3_finalize(stmt);
	return r;
}

void sql_close(sqlite3 *db)
{
	sqlite3_stmt *left;

	/* A statement that was forgotten would leave the file open. */
	while (db && (left = sqlite3_next_stmt(db, NULL)) != NULL)
		sqlite3_finalize(left);
	sqlite3_close(db);
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

/* Sets a pragma, and believes only what is read back. */
static int set_pragma(sqlite3 *db, const char *name, const char *value, const char *expect, struct err *err)
{
	char *set = str_fmt("PRAGMA %s=%s", name, value), *get = str_fmt("PRAGMA %s", name);
	sqlite3_stmt *stmt = NULL;
	int r = sql_exec(db, set, err), rc;

	if (!r)
		r = sql_prepare(db, &stmt, get, err);
	if (!r) {
		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW)
			r = sql_fail(db, rc, "the state file", err);
		else if (strcmp((const char *)sqlite3_column_text(stmt, 0), expect) != 0)
			r = err_set(err, E_IO, "%s: SQLite keeps %s at %s where %s is needed",
				    sqlite3_db_filename(db, "main"), name, (const char *)sqlite3_column_text(stmt, 0),
				    expect);
	}
	sqlite3_finalize(stmt);
	free(get);
	free(set);
	return r;
}

/* Before anything of the file is used: its text could be made by somebody to do harm. */
static void distrust(sqlite3 *db)
{
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
}

static int open_connection(const char *path, int flags, int busy_ms, sqlite3 **db, struct err *err)
{
	int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK) {
		rc = sql_fail(*db, rc, "cannot open", err);
		sql_close(*db);
		*db = NULL;
		return rc;
	}
	distrust(*db);
	sqlite3_busy_timeout(*db, busy_ms);
	return 0;
}

/* One writing connection alone checkpoints, and none maps the file: SQLite 3.7.0 to 3.51.2 can lose pages when two
   connections write or checkpoint at the same time ("WAL-reset bug", fixed in 3.51.3). */
static int set_up_writer(sqlite3 *db, struct err *err)
{
	int keep = 1;
	int r = set_pragma(db, "journal_mode", "WAL", "wal", err);

	if (!r)
		r = set_pragma(db, "synchronous", "FULL", "2", err);
	if (!r)
		r = set_pragma(db, "mmap_size", "0", "0", err);
	if (!r)
		r = set_pragma(db, "foreign_keys", "ON", "1", err);
	if (!r)
		r = set_pragma(db, "secure_delete", "ON", "1", err); /* a purged before-image is gone */
	if (!r)
		r = set_pragma(db, "journal_size_limit", "4194304", "4194304", err);
	/* The empty -wal and the -shm stay after the end, so that a reader never has to make them. */
	if (!r)
		sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	return r;
}

int sql_open_writer(const struct place *place, sqlite3 **db, struct err *err)
{
	int r = open_connection(place->path, SQLITE_OPEN_READWRITE, WRITER_BUSY_MS, db, err);

	if (r)
		return r;
	r = sql_migrate(*db, embedded_schema, false, err);
	if (!r)
		r = set_up_writer(*db, err);
	if (r) {
		sql_close(*db);
		*db = NULL;
	}
	return r;
}

/* "file:…?immutable=1": for a file in a folder that cannot be written, with nobody writing. SQLite then wants no -shm.
 */
static char *immutable_uri(const char *path)
{
	struct buf uri = BUF_INIT;

	buf_adds(&uri, "file:");
	for (const char *c = path; *c; c++)
		if (*c == '%' || *c == '?' || *c == '#')
			buf_addf(&uri, "%%%02x", (unsigned char)*c);
		else
			buf_addc(&uri, *c);
	buf_adds(&uri, "?immutable=1");
	return buf_detach(&uri);
}

/* Reading a WAL needs its index, PATH-shm, which SQLite makes where it is not there. */
static int open_read_only(const struct place *place, sqlite3 **db, struct err *err)
{
	bool can_make = faccessat(AT_FDCWD, place->folder, W_OK | X_OK, AT_EACCESS) == 0;
	char holder[256], *uri;
	int r;

	if (can_make || place_wal_bytes(place) > 0 || place_lock_holder(place, holder, sizeof(holder), NULL) == 0)
		return open_connection(place->path, SQLITE_OPEN_READONLY, READER_BUSY_MS, db, err);
	uri = immutable_uri(place->path);
	r = open_connection(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, READER_BUSY_MS, db, err);
	free(uri);
	return r;
}

int sql_open_reader(const struct place *place, sqlite3 **db, struct err *err)
{
	struct err why = { 0 };
	int r = open_read_only(place, db, err);

	if (r)
		return r;
	sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	r = set_pragma(*db, "mmap_size", "0", "0", &why);
	if (!r)
		r = sql_check_version(*db, embedded_schema, &why);
	if (!r)
		return 0;
	sql_close(*db);
	*db = NULL;
	if (r != E_CORRUPT && place_wal_bytes(place) > 0 && place_check_writable(place, NULL) != 0)
		return err_set(err, E_PERM,
			       "%s: its newest entries are in %s, which cannot be read in a folder that cannot be "
			       "written: copy "
			       "both files to another folder and read them there",
			       place->path, place->wal);
	return err_set(err, r, "%s", why.text);
}

/* ---- making --------------------------------------------------------------------------------------------------- */

/* Empty and private from its first moment on. */
static int make_empty(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fchmod(fd, 0600) < 0) {
		err_errno(err, errno, "cannot make the state file %s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int fill(const char *path, struct err *err)
{
	sqlite3 *db = NULL;
	int r = open_connection(path, SQLITE_OPEN_READWRITE, WRITER_BUSY_MS, &db, err);

	if (!r)
		r = set_pragma(db, "synchronous", "FULL", "2", err);
	if (!r)
		r = sql_migrate(db, embedded_schema, true, err);
	/* Here already: under its real name the switch would need a rollback journal, and a crash within it would leave
	   a file that no reader can open. */
	if (!r)
		r = set_pragma(db, "journal_mode", "WAL", "wal", err);
	sql_close(db);
	return r;
}

/* What an attempt under that name leaves. */
static void remove_temp(const char *temp)
{
	static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *path = str_fmt("%s%s", temp, suffixes[i]);
		unlink(path);
		free(path);
	}
}

int sql_create(const struct place *place, struct err *err)
{
	char *temp = str_fmt("%s.new", place->path);
	struct err why = { 0 };

	if (place_wal_bytes(place) > 0) {
		err_set(&why, E_EXISTS,
			"%s is not there, but %s is, with entries in it; put the two together again, or move it away",
			place->path, place->wal);
		goto out;
	}
	/* A crash of an earlier attempt may have left something; we hold the lock. */
	remove_temp(temp);
	unlink(place->wal);
	if (make_empty(temp, &why) || fill(temp, &why) || place_sync_folder(place, &why))
		goto out;
	if (rename(temp, place->path) < 0)
		err_errno(&why, errno, "cannot make the state file %s", place->path);
	else
		place_sync_folder(place, &why);
out:
	if (why.code) {
		remove_temp(temp);
		err_set(err, why.code, "%s", why.text);
	}
	free(temp);
	return why.code;
}
