#include "fixture.h"

#include "base/alloc.h"
#include "journal/chain.h"

#include <sqlite3.h>

/* A journal of three tenants whose entries are mixed; also a blob and a revision. */
static void fill(struct fixture *f)
{
	static const char *const tenants[] = { "", "acme", "beta", "acme", "gamma", "beta", "acme", "", "acme" };
	static const struct journal_file files[] = { { "inventory.json", "{}", 2 }, { "more.json", "[]", 2 } };
	struct journal_blob blob = { "before", 6, true };
	struct journal *j = must_open(f);
	char sha[SHA256_HEX_MAX];
	int64_t n;

	for (size_t i = 0; i < ARRAY_LEN(tenants); i++) {
		struct journal_entry e = note(tenants[i], "text");
		e.data = "{}";
		e.wall_ms = (int64_t)i;
		e.exit_code = -1;
		ck_assert_int_eq(journal_append_now(j, &e, i == 3 ? &blob : NULL, 1, NULL), 0);
	}
	ck_assert_int_eq(journal_put_revision(j, sha256_hex("r", 1, sha), files, 2, 7, &n, NULL), 0);
	must_close(f, j);
}

/* ---- the triggers --------------------------------------------------------------------------------------------- */

START_TEST(test_nothing_is_changed_or_deleted)
{
	static const char *const refused[] = {
		"UPDATE entry SET text = 'x' WHERE seq = 3",
		"DELETE FROM entry WHERE seq = 3",
		"DELETE FROM entry",
		"INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE seq = 3",
		"INSERT INTO entry SELECT 20, run, wall_ms, kind, procedure, tenant, step, target, action, item, "
		"attempt,"
		" from_state, to_state, code, text, until_ms, exit_code, elapsed_ms, data, blob_sha256, prev_hash, hash"
		" FROM entry WHERE seq = 3",
		"UPDATE blob SET bytes = x'00'",
		"UPDATE revision SET wall_ms = 0",
		"DELETE FROM revision",
		"INSERT OR REPLACE INTO revision SELECT * FROM revision",
		"UPDATE revision_file SET bytes = x'00'",
		"DELETE FROM revision_file",
		"INSERT OR REPLACE INTO revision_file SELECT * FROM revision_file",
	};
	struct fixture f;

	fixture_init(&f);
	fill(&f);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		ck_assert_msg(stranger(f.path, refused[i]) == SQLITE_CONSTRAINT, "%s", refused[i]);
	ck_assert_int_eq(stranger(f.path, "DELETE FROM blob"), SQLITE_OK);
	ck_assert_uint_eq(must_verify(&f), 10);
	fixture_release(&f);
}
END_TEST

/* ---- the hash, once more and by other means -----------------------------------------------------------------------
 */

/* The encoding as the comment in the SQL describes it, made by SQL itself. */
static const char encode_sql[] = "SELECT CAST(length(CAST(seq AS BLOB)) AS TEXT) || ':' || seq || ','"
				 " || length(CAST(run AS BLOB)) || ':' || run || ','"
				 " || length(CAST(wall_ms AS BLOB)) || ':' || wall_ms || ','"
				 " || length(CAST(kind AS BLOB)) || ':' || kind || ','"
				 " || length(CAST(procedure AS BLOB)) || ':' || procedure || ','"
				 " || length(CAST(tenant AS BLOB)) || ':' || tenant || ','"
				 " || length(CAST(step AS BLOB)) || ':' || step || ','"
				 " || length(CAST(target AS BLOB)) || ':' || target || ','"
				 " || length(CAST(action AS BLOB)) || ':' || action || ','"
				 " || length(CAST(item AS BLOB)) || ':' || item || ','"
				 " || length(CAST(attempt AS BLOB)) || ':' || attempt || ','"
				 " || length(CAST(from_state AS BLOB)) || ':' || from_state || ','"
				 " || length(CAST(to_state AS BLOB)) || ':' || to_state || ','"
				 " || length(CAST(code AS BLOB)) || ':' || code || ','"
				 " || length(CAST(text AS BLOB)) || ':' || text || ','"
				 " || length(CAST(until_ms AS BLOB)) || ':' || until_ms || ','"
				 " || length(CAST(exit_code AS BLOB)) || ':' || exit_code || ','"
				 " || length(CAST(elapsed_ms AS BLOB)) || ':' || elapsed_ms || ','"
				 " || length(CAST(data AS BLOB)) || ':' || data || ','"
				 " || length(CAST(blob_sha256 AS BLOB)) || ':' || blob_sha256 || ','"
				 " || length(CAST(prev_hash AS BLOB)) || ':' || prev_hash || ',',"
				 " hash, prev_hash,"
				 " coalesce((SELECT hash FROM entry AS b WHERE b.tenant = a.tenant AND b.seq < a.seq "
				 "ORDER BY b.seq DESC LIMIT 1), '')"
				 " FROM entry AS a ORDER BY seq";

START_TEST(test_an_auditor_gets_the_same)
{
	struct fixture f;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	char hex[SHA256_HEX_MAX];
	int n = 0;

	fixture_init(&f);
	fill(&f);
	ck_assert_int_eq(sqlite3_open_v2(f.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, encode_sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);
		n++;
		ck_assert_str_eq(sha256_hex(text, strlen(text), hex), (const char *)sqlite3_column_text(stmt, 1));
		ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 2),
				 (const char *)sqlite3_column_text(stmt, 3));
	}
	ck_assert_int_eq(n, 10);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	fixture_release(&f);
}
END_TEST

/* A known value, so that the encoding cannot change without notice: every file that exists depends on it. */
START_TEST(test_known_hash)
{
	struct journal_entry e = { .seq = 4,
				   .run = 2,
				   .wall_ms = 1796130000000,
				   .kind = JOURNAL_STATE,
				   .procedure = "hes-1-to-2",
				   .tenant = "acme",
				   .step = "sync-client",
				   .target = "host:sync1",
				   .attempt = 1,
				   .from = "pending",
				   .to = "running",
				   .exit_code = -1,
				   .prev_hash = "" };
	static const char encoded[] =
		"1:4,1:2,13:1796130000000,5:state,10:hes-1-to-2,4:acme,11:sync-client,10:host:sync1,0:,0:,1:1,"
		"7:pending,7:running,0:,0:,1:0,2:-1,1:0,0:,0:,0:,";
	struct buf scratch = BUF_INIT;
	char hex[SHA256_HEX_MAX], want[SHA256_HEX_MAX];

	entry_hash(&e, &scratch, hex);
	ck_assert_str_eq(buf_str(&scratch), encoded);
	ck_assert_str_eq(hex, sha256_hex(encoded, sizeof(encoded) - 1, want));
	buf_release(&scratch);
}
END_TEST

/* ---- what somebody could do who has the file -------------------------------------------------------------------- */

/* Changes the file with all triggers gone, and expects that it is seen. */
static void tamper(const char *sql, const char *expect)
{
	char *all = str_fmt(
		"DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete; DROP TRIGGER entry_in_order;"
		"DROP TRIGGER blob_no_update; DROP TRIGGER revision_no_update; DROP TRIGGER revision_file_no_update;"
		"DROP TRIGGER revision_no_delete; DROP TRIGGER revision_file_no_delete; %s",
		sql);
	struct journal_reader *r;
	struct fixture f;
	struct err err = { 0 };
	uint64_t entries;

	fixture_init(&f);
	fill(&f);
	ck_assert_msg(stranger(f.path, all) == SQLITE_OK, "%s", sql);
	r = must_read(&f);
	ck_assert_msg(journal_verify(r, &entries, &err) == E_CORRUPT, "not seen: %s", sql);
	ck_assert_msg(strstr(err.text, expect) != NULL, "%s: %s", sql, err.text);
	journal_reader_close(r);
	free(all);
	fixture_release(&f);
}

START_TEST(test_edits_are_seen)
{
	static const char *const texts_[] = { "procedure",  "step",     "target", "action", "item",
					      "from_state", "to_state", "code",   "text",   "data" };
	static const char *const numbers[] = { "run", "wall_ms", "attempt", "until_ms", "exit_code", "elapsed_ms" };

	for (size_t i = 0; i < ARRAY_LEN(texts_); i++) {
		char *sql = str_fmt("UPDATE entry SET %s = %s || '.' WHERE seq = 4", texts_[i], texts_[i]);
		tamper(sql, "entry 4");
		free(sql);
		/* What C would not see. */
		sql = str_fmt("UPDATE entry SET %s = %s || char(0) || 'x' WHERE seq = 4", texts_[i], texts_[i]);
		tamper(sql, "entry 4");
		free(sql);
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char *sql = str_fmt("UPDATE entry SET %s = %s + 4294967296 WHERE seq = 4", numbers[i], numbers[i]);
		tamper(sql, "entry 4");
		free(sql);
	}
	tamper("UPDATE entry SET kind = 'paid' WHERE seq = 4", "entry 4");
	tamper("UPDATE entry SET kind = 'none' WHERE seq = 4", "entry 4");
	tamper("UPDATE entry SET blob_sha256 = '' WHERE seq = 4", "entry 4");
	tamper("UPDATE entry SET tenant = 'beta' WHERE seq = 4", "entry 4");
	tamper("UPDATE entry SET hash = substr(hash, 2) || 'x' WHERE seq = 4", "entry 4");
	tamper("UPDATE entry SET prev_hash = '' WHERE seq = 4", "entry 4");
	/* A text moved over the border of its column: the encoding tells them apart. */
	tamper("UPDATE entry SET action = 'te', item = 'xt', text = '' WHERE seq = 4", "entry 4");
}
END_TEST

START_TEST(test_deletions_are_seen)
{
	tamper("DELETE FROM entry WHERE seq = 1", "entry 1 is missing");
	tamper("DELETE FROM entry WHERE seq = 4", "entry 4 is missing");
	/* The tenant's last, where nothing of its own chain follows. */
	tamper("DELETE FROM entry WHERE seq = 5", "entry 5 is missing");
	/* Closing the gap does not help. */
	tamper("DELETE FROM entry WHERE seq = 4; UPDATE entry SET seq = seq - 1 WHERE seq > 4", "entry 4");
	/* All of one tenant, with the gaps closed. */
	tamper("DELETE FROM entry WHERE tenant = 'gamma'; UPDATE entry SET seq = seq - 1 WHERE seq > 5", "entry 5");
}
END_TEST

START_TEST(test_reorders_are_seen)
{
	tamper("UPDATE entry SET seq = -1 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 7;"
	       "UPDATE entry SET seq = 7 WHERE seq = -1",
	       "entry 4");
	/* Entries of two tenants, whose chains do not touch. */
	tamper("UPDATE entry SET seq = -1 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 5;"
	       "UPDATE entry SET seq = 5 WHERE seq = -1",
	       "entry 4");
}
END_TEST

START_TEST(test_blobs_and_revisions_too)
{
	tamper("UPDATE blob SET bytes = x'00'", "the blob ");
	tamper("UPDATE revision_file SET bytes = x'00' WHERE place = 1", "revision 1 ");
	tamper("UPDATE revision_file SET path = 'other.json' WHERE place = 1", "revision 1 ");
	tamper("DELETE FROM revision_file WHERE place = 1", "revision 1 ");
	tamper("UPDATE revision SET sha256 = (SELECT hash FROM entry LIMIT 1)", "revision 1 ");
}
END_TEST

/* The chain goes on over a new start of the program. */
START_TEST(test_goes_on_after_a_new_start)
{
	struct fixture f;

	fixture_init(&f);
	for (int i = 0; i < 4; i++) {
		struct journal *j = must_open(&f);
		must_append(j, "acme", "x");
		must_append(j, i % 2 ? "" : "beta", "y");
		must_close(&f, j);
	}
	ck_assert_uint_eq(must_verify(&f), 8);
	fixture_release(&f);
}
END_TEST

START_TEST(test_kind_names)
{
	/* Stored in files. */
	static const char *const names[JOURNAL_KINDS] = { "run",      "run-end", "state", "before",  "intent",
							  "outcome",  "debt",    "paid",  "changes", "evidence",
							  "identity", "person",  "note" };

	for (int i = 0; i < JOURNAL_KINDS; i++)
		ck_assert_str_eq(journal_kind_name((enum journal_kind)i), names[i]);
}
END_TEST

SUITE(chain)
{
	TEST_CASE(s, test_nothing_is_changed_or_deleted);
	TEST_CASE(s, test_an_auditor_gets_the_same);
	TEST_CASE(s, test_known_hash);
	TEST_CASE(s, test_edits_are_seen);
	TEST_CASE(s, test_deletions_are_seen);
	TEST_CASE(s, test_reorders_are_seen);
	TEST_CASE(s, test_blobs_and_revisions_too);
	TEST_CASE(s, test_goes_on_after_a_new_start);
	TEST_CASE(s, test_kind_names);
}
