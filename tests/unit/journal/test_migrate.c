#include "fixture.h"

#include "base/embed.h"
#include "journal/sql.h"

#include <sqlite3.h>

#define FILE_OF(name, sql)                                                                                             \
	{                                                                                                              \
		name, sql, sizeof(sql) - 1                                                                             \
	}

static const struct embedded first[] = { FILE_OF("0001_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1);"),
					 { 0, 0, 0 } };
static const struct embedded second[] = { FILE_OF("0001_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1);"),
					  FILE_OF("0002_b.sql", "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1;"),
					  FILE_OF("0003_c.sql", "CREATE TABLE c (z); INSERT INTO c SELECT y FROM a;"),
					  { 0, 0, 0 } };
static const struct embedded broken[] = { FILE_OF("0001_a.sql", "CREATE TABLE a (x);"),
					  FILE_OF("0002_b.sql", "INSERT INTO a VALUES (2);"),
					  FILE_OF("0003_c.sql", "DELETE FROM a; INSERT INTO no_such_table VALUES (1);"),
					  { 0, 0, 0 } };
static const struct embedded gap[] = { FILE_OF("0001_a.sql", "CREATE TABLE a (x);"),
				       FILE_OF("0003_c.sql", "SELECT 1;"),
				       { 0, 0, 0 } };

static sqlite3 *memory(void)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	return db;
}

static long long number(sqlite3 *db, const char *sql)
{
	sqlite3_int64 n = -1;

	ck_assert_int_eq(sql_number(db, sql, &n, NULL), 0);
	return n;
}

START_TEST(test_all_at_once_or_one_after_the_other)
{
	sqlite3 *db = memory();

	ck_assert_int_eq(sql_migrate(db, second, true, NULL), 0);
	ck_assert_int_eq(number(db, "PRAGMA user_version"), 3);
	ck_assert_int_eq(number(db, "PRAGMA application_id"), JOURNAL_APPLICATION_ID);
	ck_assert_int_eq(number(db, "SELECT z FROM c"), 2);
	sql_close(db);

	db = memory();
	ck_assert_int_eq(sql_migrate(db, first, true, NULL), 0);
	ck_assert_int_eq(number(db, "PRAGMA user_version"), 1);
	ck_assert_int_eq(sql_exec(db, "UPDATE a SET x = 10", NULL), 0);
	ck_assert_int_eq(sql_migrate(db, second, false, NULL), 0);
	ck_assert_int_eq(number(db, "PRAGMA user_version"), 3);
	ck_assert_int_eq(number(db, "SELECT z FROM c"), 11);
	/* Again changes nothing. */
	ck_assert_int_eq(sql_migrate(db, second, false, NULL), 0);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM c"), 1);
	sql_close(db);
}
END_TEST

START_TEST(test_one_that_fails_leaves_nothing)
{
	sqlite3 *db = memory();
	struct err err = { 0 };

	ck_assert_int_eq(sql_migrate(db, first, true, NULL), 0);
	ck_assert_int_ne(sql_migrate(db, broken, false, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "0003_c.sql"));
	ck_assert_ptr_nonnull(strstr(err.text, "no_such_table"));
	ck_assert_int_eq(number(db, "PRAGMA user_version"), 1);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM a"), 1);
	ck_assert_int_ne(sqlite3_get_autocommit(db), 0);
	sql_close(db);
}
END_TEST

START_TEST(test_refused)
{
	sqlite3 *db = memory();
	struct err err = { 0 };

	ck_assert_int_eq(sql_migrate(db, gap, true, &err), E_BUG);
	expect_err(&err, E_BUG, "0003_c.sql should have the number 0002");
	/* Nothing in it, but it is not one that we just made. */
	ck_assert_int_eq(sql_migrate(db, second, false, &err), E_CORRUPT);
	ck_assert_int_eq(sql_migrate(db, second, true, NULL), 0);
	ck_assert_int_eq(sql_migrate(db, first, false, &err), E_NEWER);
	expect_err(&err, E_NEWER, "has version 3, this program knows versions up to 1");
	ck_assert_int_eq(sql_check_version(db, first, &err), E_NEWER);
	ck_assert_int_eq(sql_check_version(db, second, NULL), 0);
	sql_close(db);
	/* Something in it: not ours to fill. */
	db = memory();
	ck_assert_int_eq(sql_exec(db, "CREATE TABLE theirs (x)", NULL), 0);
	ck_assert_int_eq(sql_migrate(db, second, true, &err), E_CORRUPT);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM sqlite_schema"), 1);
	sql_close(db);
}
END_TEST

/* A reader cannot bring a file up, and says who does. */
START_TEST(test_older_is_not_read)
{
	sqlite3 *db = memory();
	struct err err = { 0 };

	ck_assert_int_eq(sql_migrate(db, first, true, NULL), 0);
	ck_assert_int_eq(sql_check_version(db, second, &err), E_INVAL);
	expect_err(&err, E_INVAL, "cutover resume");
	sql_close(db);
}
END_TEST

SUITE(migrate)
{
	TEST_CASE(s, test_all_at_once_or_one_after_the_other);
	TEST_CASE(s, test_one_that_fails_leaves_nothing);
	TEST_CASE(s, test_refused);
	TEST_CASE(s, test_older_is_not_read);
}
