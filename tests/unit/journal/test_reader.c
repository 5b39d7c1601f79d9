#include "child.h"
#include "fixture.h"

#include "base/alloc.h"
#include "base/file.h"
#include "journal/place.h"
#include "journal/sql.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* `n` entries in one go; the tenants take turns: run-level, acme, beta, acme, … */
static void append_many(struct journal *j, int n, int first)
{
	static const char *const tenants[] = { "", "acme", "beta", "acme" };
	struct journal_entry *entries = NEW_N(struct journal_entry, (size_t)n);
	char(*all)[16] = (char(*)[16])mem_new((size_t)n, 16);

	for (int i = 0; i < n; i++) {
		snprintf(all[i], 16, "%d", first + i);
		entries[i] = note(tenants[(first + i) % 4], all[i]);
	}
	ck_assert_int_eq(journal_append_now(j, entries, NULL, (size_t)n, NULL), 0);
	free(entries);
	free(all);
}

struct seen {
	int64_t last;
	int n, stop_after, stop_with;
	const char *tenant;
};

static int look(const struct journal_entry *e, void *arg)
{
	struct seen *seen = arg;

	if (e->seq <= seen->last || strtol(e->text, NULL, 10) != e->seq - 1)
		return E_BUG;
	if (seen->tenant && *e->tenant && strcmp(e->tenant, seen->tenant) != 0)
		return E_BUG;
	seen->last = e->seq;
	seen->n++;
	return seen->n == seen->stop_after ? seen->stop_with : 0;
}

/* More entries than a page holds, at every border around one. */
START_TEST(test_pages)
{
	static const int sizes[] = { 0, 1, 999, 1, 1, 998, 1, 1500 };
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	int total = 0;

	fixture_init(&f);
	j = must_open(&f);
	r = must_read(&f);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct seen all = { 0 }, acme = { .tenant = "acme" }, later = { .last = total / 2 };
		append_many(j, sizes[i], total);
		total += sizes[i];
		ck_assert_int_eq(journal_read(r, NULL, 0, look, &all, NULL), 0);
		ck_assert_int_eq(all.n, total);
		ck_assert_int_eq(journal_read(r, "acme", 0, look, &acme, NULL), 0);
		ck_assert_int_eq(acme.n, (total + 3) / 4 + (total + 2) / 4 + total / 4);
		ck_assert_int_eq(journal_read(r, NULL, total / 2, look, &later, NULL), 0);
		ck_assert_int_eq(later.n, total - total / 2);
	}
	must_close(&f, j);
	journal_reader_close(r);
	fixture_release(&f);
}
END_TEST

START_TEST(test_each_may_stop)
{
	struct seen seen = { .stop_after = 3, .stop_with = 42 };
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;

	fixture_init(&f);
	j = must_open(&f);
	append_many(j, 10, 0);
	r = must_read(&f);
	ck_assert_int_eq(journal_read(r, NULL, 0, look, &seen, NULL), 42);
	ck_assert_int_eq(seen.n, 3);
	/* And the reader can be used on. */
	seen = (struct seen){ 0 };
	ck_assert_int_eq(journal_read(r, NULL, 0, look, &seen, NULL), 0);
	ck_assert_int_eq(seen.n, 10);
	must_close(&f, j);
	journal_reader_close(r);
	fixture_release(&f);
}
END_TEST

/* An entry that is appended while it is read is not part of what is read: it would never end. */
static int append_one(const struct journal_entry *e, void *arg)
{
	(void)e;
	must_append(arg, "acme", "more");
	return 0;
}

START_TEST(test_ends_while_a_writer_goes_on)
{
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;

	fixture_init(&f);
	j = must_open(&f);
	append_many(j, 50, 0);
	r = must_read(&f);
	ck_assert_int_eq(journal_read(r, NULL, 0, append_one, j, NULL), 0);
	journal_reader_close(r);
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), 100);
	fixture_release(&f);
}
END_TEST

/* A reader that is open but does not read keeps nobody from emptying the log; closing empties it. */
START_TEST(test_log_is_emptied_at_the_end)
{
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	struct place place;

	fixture_init(&f);
	j = must_open(&f);
	append_many(j, 50, 0);
	r = must_read(&f);
	ck_assert_int_eq(place_find(f.path, &place, NULL), 0);
	ck_assert_int_gt(place_wal_bytes(&place), 0);
	must_close(&f, j);
	ck_assert_int_eq(place_wal_bytes(&place), 0);
	place_release(&place);
	journal_reader_close(r);
	fixture_release(&f);
}
END_TEST

static int append_and_wait(void *arg)
{
	struct journal *j = NULL;

	if (journal_open(NULL, arg, JOURNAL_CREATE, &j, NULL) != 0)
		return 1;
	append_many(j, 20, 0);
	if (write(1, "x", 1) != 1)
		return 1;
	child_wait();
	return 0;
}

/* The name, size and content of all files of a folder, but for the log's index, which is not data. */
static char *picture(const char *folder)
{
	struct buf all = BUF_INIT, one = BUF_INIT;
	struct dirent **names;
	char hex[SHA256_HEX_MAX];
	int n = scandir(folder, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = str_fmt("%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && !strstr(names[i]->d_name, "-shm")) {
			buf_clear(&one);
			ck_assert_int_eq(file_read(path, 1 << 24, &one, NULL), 0);
			buf_addf(&all, "%s %zu %s\n", names[i]->d_name, one.len,
				 sha256_hex(buf_str(&one), one.len, hex));
		}
		free(path);
		free(names[i]);
	}
	free(names);
	buf_release(&one);
	return buf_detach(&all);
}

/* A controller that was killed leaves its last entries in the -wal. They are read, and not moved: that is the next
   controller's work. */
START_TEST(test_after_a_crash)
{
	struct fixture f;
	struct child c;
	struct seen seen = { 0 };
	struct journal_reader *r;
	struct journal *j;
	char *before, *after;

	fixture_init(&f);
	child_start(&c, append_and_wait, f.path);
	ck_assert_int_eq(child_byte(&c), 'x');
	child_kill(&c);
	close(c.from);
	before = picture(f.folder);
	r = must_read(&f);
	ck_assert_int_eq(journal_read(r, NULL, 0, look, &seen, NULL), 0);
	ck_assert_int_eq(seen.n, 20);
	journal_reader_close(r);
	ck_assert_uint_eq(must_verify(&f), 20);
	after = picture(f.folder);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	j = must_open(&f);
	must_append(j, "acme", "20");
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), 21);
	fixture_release(&f);
}
END_TEST

/* The same without the log's index, as in a copy that somebody made of the two files. */
START_TEST(test_after_a_crash_copied)
{
	struct fixture f;
	struct child c;
	struct journal_reader *r = NULL;
	struct err err = { 0 };
	char *shm;

	fixture_init(&f);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(f.folder, 65534, 65534) | setresgid(65534, 65534, 65534) |
					 setresuid(65534, 65534, 65534),
				 0);
	child_start(&c, append_and_wait, f.path);
	ck_assert_int_eq(child_byte(&c), 'x');
	child_kill(&c);
	close(c.from);
	shm = fixture_beside(&f, "-shm");
	ck_assert_int_eq(unlink(shm), 0);
	/* In a folder that cannot be written it cannot be read: said, not skipped over. */
	ck_assert_int_eq(chmod(f.folder, 0500), 0);
	ck_assert_int_eq(journal_reader_open(f.path, &r, &err), E_PERM);
	expect_err(&err, E_PERM, "copy both files");
	ck_assert_int_eq(chmod(f.folder, 0700), 0);
	ck_assert_uint_eq(must_verify(&f), 20);
	free(shm);
	fixture_release(&f);
}
END_TEST

/* A reader beside a running controller of another process, again and again, sees ever longer beginnings. */
static int append_for_ever(void *arg)
{
	struct journal *j = NULL;

	if (journal_open(NULL, arg, JOURNAL_CREATE, &j, NULL) != 0)
		return 1;
	if (write(1, "x", 1) != 1)
		return 1;
	for (int i = 0;; i += 5)
		append_many(j, 5, i);
}

START_TEST(test_beside_a_controller)
{
	struct fixture f;
	struct child c;
	struct journal_reader *r;
	int last = 0;

	fixture_init(&f);
	child_start(&c, append_for_ever, f.path);
	ck_assert_int_eq(child_byte(&c), 'x');
	r = must_read(&f);
	while (last < 2000) {
		struct seen seen = { 0 };
		ck_assert_int_eq(journal_read(r, NULL, 0, look, &seen, NULL), 0);
		ck_assert_int_ge(seen.n, last);
		ck_assert_int_eq(seen.n % 5, 0); /* whole appends only */
		last = seen.n;
	}
	child_kill(&c);
	close(c.from);
	journal_reader_close(r);
	ck_assert_uint_ge(must_verify(&f), 2000);
	fixture_release(&f);
}
END_TEST

/* One tenant among many is found by the index: SQLite's own count of steps over rows says so. */
START_TEST(test_one_tenant_among_many)
{
	struct journal_entry *entries = NEW_N(struct journal_entry, 5000);
	struct fixture f;
	struct journal *j;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	char(*names)[16] = (char(*)[16])mem_new(5000, 16);

	fixture_init(&f);
	for (int i = 0; i < 5000; i++) {
		snprintf(names[i], 16, "t%d", i / 5);
		entries[i] = note(names[i], "x");
	}
	j = must_open(&f);
	ck_assert_int_eq(journal_append_now(j, entries, NULL, 5000, NULL), 0);
	must_close(&f, j);
	ck_assert_int_eq(sqlite3_open_v2(f.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db,
					    "SELECT text FROM entry WHERE tenant = 't77' AND seq > 0 UNION ALL"
					    " SELECT text FROM entry WHERE tenant = '' AND seq > 0 ORDER BY 1",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		continue;
	ck_assert_int_eq(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	free(entries);
	free(names);
	fixture_release(&f);
}
END_TEST

SUITE(reader)
{
	TEST_CASE(s, test_pages);
	TEST_CASE(s, test_each_may_stop);
	TEST_CASE(s, test_ends_while_a_writer_goes_on);
	TEST_CASE(s, test_log_is_emptied_at_the_end);
	TEST_CASE(s, test_after_a_crash);
	TEST_CASE(s, test_after_a_crash_copied);
	TEST_CASE(s, test_beside_a_controller);
	TEST_CASE(s, test_one_tenant_among_many);
}
