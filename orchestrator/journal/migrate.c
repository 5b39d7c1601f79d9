#include "journal/sql.h"

#include "base/alloc.h"
#include "journal/journal.h"

#include <ctype.h>

/* "0007_more.sql" is number 7. */
static sqlite3_int64 number_of(const char *name)
{
	sqlite3_int64 n = 0;

	for (int i = 0; i < 4; i++) {
		if (!isdigit((unsigned char)name[i]))
			return -1;
		n = n * 10 + (name[i] - '0');
	}
	return name[4] == '_' ? n : -1;
}

/* Numbers run from 1 without a gap, in the order of the table; the last is the version. */
static int newest(const struct embedded *table, sqlite3_int64 *version, struct err *err)
{
	*version = 0;
	for (; table->name; table++)
		if (number_of(table->name) != ++*version)
			return err_set(err, E_BUG, "the migration %s should have the number %04lld", table->name,
				       (long long)*version);
	return 0;
}

struct found {
	sqlite3_int64 application, version, objects;
};

static int look(sqlite3 *db, struct found *found, struct err *err)
{
	int r = sql_number(db, "PRAGMA application_id", &found->application, err);

	if (!r)
		r = sql_number(db, "PRAGMA user_version", &found->version, err);
	if (!r)
		r = sql_number(db, "SELECT count(*) FROM sqlite_schema", &found->objects, err);
	return r;
}

static int judge(sqlite3 *db, const struct found *found, sqlite3_int64 newest_version, struct err *err)
{
	const char *path = sqlite3_db_filename(db, "main");

	if (found->application != JOURNAL_APPLICATION_ID)
		return err_set(err, E_CORRUPT,
			       "%s is an SQLite file of another program (application id %lld), no state file; name "
			       "another (--state FILE)",
			       path, (long long)found->application);
	if (found->version > newest_version)
		return err_set(err, E_NEWER,
			       "%s has version %lld, this program knows versions up to %lld: use the newer program "
			       "that wrote it",
			       path, (long long)found->version, (long long)newest_version);
	if (found->version < 1)
		return err_set(err, E_CORRUPT, "%s has no version; it is damaged: put a copy back", path);
	return 0;
}

static int bring_up(sqlite3 *db, const struct embedded *table, sqlite3_int64 from, struct err *err)
{
	int r = 0;
	char *sql;

	for (; table->name && !r; table++) {
		sqlite3_int64 number = number_of(table->name);
		if (number <= from)
			continue;
		r = sql_exec(db, table->data, err);
		if (r)
			err_prefix(err, "migration %s: ", table->name);
		sql = str_fmt("PRAGMA user_version=%lld", (long long)number);
		if (!r)
			r = sql_exec(db, sql, err);
		free(sql);
	}
	sql = str_fmt("PRAGMA application_id=%d", JOURNAL_APPLICATION_ID);
	if (!r)
		r = sql_exec(db, sql, err);
	free(sql);
	return r;
}

int sql_migrate(sqlite3 *db, const struct embedded *table, bool fresh, struct err *err)
{
	struct found found;
	sqlite3_int64 version;
	int r = newest(table, &version, err);

	if (!r)
		r = look(db, &found, err);
	if (r)
		return r;
	if ((!fresh || found.objects) && (r = judge(db, &found, version, err)) != 0)
		return r;
	if (found.version == version)
		return 0;
	r = sql_exec(db, "BEGIN IMMEDIATE", err);
	if (r)
		return r;
	r = bring_up(db, table, found.version, err);
	if (!r)
		r = sql_exec(db, "COMMIT", err);
	if (r && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int sql_check_version(sqlite3 *db, const struct embedded *table, struct err *err)
{
	struct found found;
	sqlite3_int64 version;
	int r = newest(table, &version, err);

	if (!r)
		r = look(db, &found, err);
	if (!r)
		r = judge(db, &found, version, err);
	if (!r && found.version < version)
		r = err_set(err, E_INVAL,
			    "%s has version %lld and is read in version %lld: `cutover resume` brings it up first",
			    sqlite3_db_filename(db, "main"), (long long)found.version, (long long)version);
	return r;
}
