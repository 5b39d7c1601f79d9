#include "fixture.h"

#include "base/alloc.h"
#include "base/redact.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- appends and their callbacks -------------------------------------------------------------------------------- */

struct appended {
	struct journal_append req;
	int *order;
	int *count;
	int n, status;
	char text[256];
};

static void on_done(struct journal_append *req, int status, const struct err *err)
{
	struct appended *a = req->arg;

	a->order[(*a->count)++] = a->n;
	a->status = status;
	if (err)
		snprintf(a->text, sizeof(a->text), "%.255s", err->text);
}

START_TEST(test_create_append_read)
{
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	struct stat st;
	char *all;

	fixture_init(&f);
	j = must_open(&f);
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	must_append(j, "acme", "one");
	must_append(j, "", "two");
	must_append(j, "other", "three");
	must_append(j, "acme", "four");
	r = must_read(&f);
	all = texts(r, NULL);
	ck_assert_str_eq(all, "one two three four");
	free(all);
	all = texts(r, "acme");
	ck_assert_str_eq(all, "one two four");
	free(all);
	all = texts(r, "");
	ck_assert_str_eq(all, "two");
	free(all);
	/* A reader that is open sees what comes later. */
	must_append(j, "acme", "five");
	all = texts(r, "acme");
	ck_assert_str_eq(all, "one two four five");
	free(all);
	journal_reader_close(r);
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), 5);
	fixture_release(&f);
}
END_TEST

START_TEST(test_callbacks_come_later_in_order)
{
	enum { N = 200 };
	struct fixture f;
	struct journal *j;
	static struct appended a[N];
	int order[N], count = 0;
	struct journal_stats stats;

	fixture_init(&f);
	j = must_open(&f);
	for (int i = 0; i < N; i++) {
		struct journal_entry entry = note("acme", "x");
		a[i] = (struct appended){ .order = order, .count = &count, .n = i, .status = 1 };
		a[i].req = (struct journal_append){ .done = on_done, .arg = &a[i] };
		journal_append(j, &a[i].req, &entry, NULL, 1);
		ck_assert_int_eq(count, 0); /* never from inside */
	}
	while (count < N)
		uv_run(&f.loop, UV_RUN_ONCE);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(order[i], i);
		ck_assert_int_eq(a[i].status, 0);
	}
	journal_stats(j, &stats);
	ck_assert_uint_eq(stats.appends, N);
	ck_assert_uint_eq(stats.entries, N);
	ck_assert_uint_lt(stats.commits, N); /* group commit */
	ck_assert(!stats.broken);
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), N);
	fixture_release(&f);
}
END_TEST

/* ---- what is stored ------------------------------------------------------------------------------------------- */

static int keep_last(const struct journal_entry *e, void *arg)
{
	struct buf *line = arg;

	buf_clear(line);
	buf_addf(line, "%lld %lld %lld %s %s %s %s %s %s %s %d %s %s %s %s %lld %d %lld %s %zu", (long long)e->seq,
		 (long long)e->run, (long long)e->wall_ms, journal_kind_name(e->kind), e->procedure, e->tenant, e->step,
		 e->target, e->action, e->item, e->attempt, e->from, e->to, e->code, e->text, (long long)e->until_ms,
		 e->exit_code, (long long)e->elapsed_ms, e->data, strlen(e->blob_sha256));
	return 0;
}

static char *last_line(struct fixture *f)
{
	struct journal_reader *r = must_read(f);
	struct buf line = BUF_INIT;

	ck_assert_int_eq(journal_read(r, NULL, 0, keep_last, &line, NULL), 0);
	journal_reader_close(r);
	return buf_detach(&line);
}

START_TEST(test_all_columns)
{
	struct journal_entry entry = {
		.run = 3,
		.wall_ms = INT64_C(1796130000123),
		.kind = JOURNAL_OUTCOME,
		.procedure = "p",
		.tenant = "t",
		.step = "s",
		.target = "host:x",
		.action = "a",
		.item = "i",
		.attempt = 2,
		.from = "f",
		.to = "ok",
		.code = "c",
		.text = "caf\xc3\xa9 \xff",
		.until_ms = -5,
		.exit_code = -1073741510,
		.elapsed_ms = 77,
		.data = "{\"a\": 1}",
		.blob_sha256 = "x",
		.prev_hash = "ignored",
		.hash = "ignored",
		.seq = 99,
	};
	struct journal_entry empty = { .kind = JOURNAL_NOTE };
	struct fixture f;
	struct journal *j;
	char *line;

	fixture_init(&f);
	j = must_open(&f);
	ck_assert_int_eq(journal_append_now(j, &entry, NULL, 1, NULL), 0);
	line = last_line(&f);
	ck_assert_str_eq(
		line, "1 3 1796130000123 outcome p t s host:x a i 2 f ok c caf\xc3\xa9 \xef\xbf\xbd -5 -1073741510 77 "
		      "{\"a\": 1} 1");
	free(line);
	ck_assert_int_eq(journal_append_now(j, &empty, NULL, 1, NULL), 0);
	line = last_line(&f);
	ck_assert_str_eq(line, "2 0 0 note       0     0 0 0  0");
	free(line);
	must_close(&f, j);
	must_verify(&f);
	fixture_release(&f);
}
END_TEST

START_TEST(test_redacted)
{
	struct journal_entry entries[3] = { note("acme", "login hunter22 failed"), note("acme", "b"),
					    note("acme", "c") };
	struct journal_blob blobs[3] = { { 0 }, { "exact hunter22", 14, true }, { "out hunter22", 12, false } };
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	struct buf bytes = BUF_INIT;
	char hex[SHA256_HEX_MAX], *line, *all;

	fixture_init(&f);
	redact_register("hunter22", 8);
	entries[2].data = "{\"said\": \"hunter2\\u0032\", \"n\": 3}";
	j = must_open(&f);
	ck_assert_int_eq(journal_append_now(j, entries, blobs, 3, NULL), 0);
	r = must_read(&f);
	all = texts(r, "acme");
	ck_assert_str_eq(all, "login [secret] failed b c");
	line = last_line(&f);
	ck_assert_ptr_nonnull(strstr(line, "{\"said\": \"[secret]\", \"n\": 3} 64"));
	/* The before-image is exact, the output is not, and each goes by the hash of what is stored. */
	ck_assert_int_eq(journal_blob(r, sha256_hex("exact hunter22", 14, hex), &bytes, NULL), 0);
	ck_assert_str_eq(buf_str(&bytes), "exact hunter22");
	buf_clear(&bytes);
	ck_assert_int_eq(journal_blob(r, sha256_hex("out [secret]", 12, hex), &bytes, NULL), 0);
	ck_assert_str_eq(buf_str(&bytes), "out [secret]");
	ck_assert_int_eq(journal_blob(r, sha256_hex("out hunter22", 12, hex), &bytes, NULL), E_NOTFOUND);
	buf_release(&bytes);
	free(line);
	free(all);
	journal_reader_close(r);
	must_close(&f, j);
	must_verify(&f);
	redact_forget();
	fixture_release(&f);
}
END_TEST

START_TEST(test_blobs)
{
	static char big[300000];
	struct journal_blob blobs[3] = { { "same", 4, true }, { "same", 4, false }, { "", 0, true } };
	struct journal_blob large = { big, sizeof(big), true };
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	struct appended a;
	struct buf bytes = BUF_INIT;
	struct err err = { 0 };
	char hex[SHA256_HEX_MAX];
	int order[2], count = 0;

	fixture_init(&f);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	j = must_open(&f);
	a = (struct appended){ .order = order, .count = &count, .status = 1, .req = { .done = on_done, .arg = &a } };
	journal_put_blobs(j, &a.req, blobs, 3);
	while (!count)
		uv_run(&f.loop, UV_RUN_ONCE);
	ck_assert_int_eq(a.status, 0);
	journal_put_blobs(j, &a.req, &large, 1);
	memset(big, 0, 10); /* it was copied */
	while (count < 2)
		uv_run(&f.loop, UV_RUN_ONCE);
	for (size_t i = 0; i < 10; i++)
		big[i] = (char)(i * 7);
	r = must_read(&f);
	ck_assert_int_eq(journal_blob(r, sha256_hex(big, sizeof(big), hex), &bytes, NULL), 0);
	ck_assert(buf_equals(&bytes, big, sizeof(big)));
	buf_release(&bytes);
	ck_assert_int_eq(journal_blob(r, sha256_hex("", 0, hex), &bytes, NULL), 0);
	ck_assert_uint_eq(bytes.len, 0);
	buf_release(&bytes);
	/* A buffer that is too small gets an error, never half of it. */
	buf_init(&bytes, 3);
	ck_assert_int_eq(journal_blob(r, sha256_hex("same", 4, hex), &bytes, &err), E_LIMIT);
	buf_release(&bytes);
	/* Purging takes the bytes, not the entry. */
	ck_assert_int_eq(stranger(f.path, "DELETE FROM blob WHERE bytes = x'73616d65'"), SQLITE_OK);
	ck_assert_int_eq(journal_blob(r, hex, &bytes, &err), E_NOTFOUND);
	expect_err(&err, E_NOTFOUND, hex);
	journal_reader_close(r);
	must_close(&f, j);
	must_verify(&f);
	fixture_release(&f);
}
END_TEST

START_TEST(test_runs)
{
	struct journal_entry run = { .kind = JOURNAL_NOTE, .wall_ms = 5, .data = "{\"command\": \"run\"}" };
	struct fixture f;
	struct journal *j;
	int64_t id = 0;
	char *line;

	fixture_init(&f);
	for (int64_t i = 1; i <= 3; i++) {
		j = must_open(&f);
		ck_assert_int_eq(journal_begin_run(j, &run, &id, NULL), 0);
		ck_assert_int_eq(id, i);
		must_close(&f, j);
	}
	line = last_line(&f);
	ck_assert_str_eq(line, "3 3 5 run       0     0 0 0 {\"command\": \"run\"} 0");
	free(line);
	fixture_release(&f);
}
END_TEST

static int add_file(const struct journal_file *file, void *arg)
{
	buf_addf(arg, "%s=", file->path);
	buf_add(arg, file->bytes, file->len);
	buf_addc(arg, ';');
	return 0;
}

START_TEST(test_revisions)
{
	static const struct journal_file one[] = { { "inventory.json", "{}", 2 },
						   { "b.json", "", 0 },
						   { "a.json", "x\0y", 3 } };
	static const struct journal_file two[] = { { "inventory.json", "[]", 2 } };
	char sha1[SHA256_HEX_MAX], sha2[SHA256_HEX_MAX], found[SHA256_HEX_MAX];
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	struct buf all = BUF_INIT;
	struct err err = { 0 };
	int64_t n = 0;

	fixture_init(&f);
	sha256_hex("1", 1, sha1);
	sha256_hex("2", 1, sha2);
	j = must_open(&f);
	r = must_read(&f);
	ck_assert_int_eq(journal_revision(r, 0, &n, found, add_file, &all, &err), E_NOTFOUND);
	ck_assert_int_eq(journal_put_revision(j, sha1, one, 3, 10, &n, NULL), 0);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(journal_put_revision(j, sha2, two, 1, 20, &n, NULL), 0);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(journal_put_revision(j, sha1, one, 3, 30, &n, NULL), 0);
	ck_assert_int_eq(n, 1); /* it is there already */
	ck_assert_int_eq(journal_revision(r, 0, &n, found, add_file, &all, NULL), 0);
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(found, sha2);
	ck_assert_str_eq(buf_str(&all), "inventory.json=[];");
	buf_clear(&all);
	ck_assert_int_eq(journal_revision(r, 1, &n, found, add_file, &all, NULL), 0);
	ck_assert(buf_equals(&all, "inventory.json={};b.json=;a.json=x\0y;", 37));
	ck_assert_int_eq(journal_revision(r, 3, &n, found, add_file, &all, &err), E_NOTFOUND);
	buf_release(&all);
	journal_reader_close(r);
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), 2); /* a note for each */
	fixture_release(&f);
}
END_TEST

/* ---- order, closing ------------------------------------------------------------------------------------------- */

struct closing {
	int *count, at_close;
	bool closed;
};

static void note_close(void *arg)
{
	struct closing *c = arg;

	c->at_close = *c->count;
	c->closed = true;
}

START_TEST(test_close_drains)
{
	enum { N = 300 };
	static struct appended a[N];
	int order[N], count = 0;
	struct closing c = { .count = &count };
	struct fixture f;
	struct journal *j;

	fixture_init(&f);
	j = must_open(&f);
	for (int i = 0; i < N; i++) {
		struct journal_entry entry = note("acme", "x");
		a[i] = (struct appended){ .order = order, .count = &count, .n = i, .status = 1 };
		a[i].req = (struct journal_append){ .done = on_done, .arg = &a[i] };
		journal_append(j, &a[i].req, &entry, NULL, 1);
	}
	journal_close(j, note_close, &c);
	ck_assert(!c.closed);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	ck_assert(c.closed);
	ck_assert_int_eq(c.at_close, N);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(a[i].status, 0);
	ck_assert_uint_eq(must_verify(&f), N);
	fixture_release(&f);
}
END_TEST

struct again {
	struct journal_append req;
	struct journal *j;
	int left;
	struct closing *closing;
};

static void append_again(struct journal_append *req, int status, const struct err *err)
{
	struct again *again = req->arg;
	struct journal_entry entry = note("acme", "again");

	(void)err;
	ck_assert_int_eq(status, 0);
	if (again->left-- > 0)
		journal_append(again->j, &again->req, &entry, NULL, 1);
	else
		journal_close(again->j, note_close, again->closing);
}

/* The request may be used again, and the journal closed, from inside a callback. */
START_TEST(test_from_inside_a_callback)
{
	struct journal_entry entry = note("acme", "first");
	int count = 0;
	struct closing c = { .count = &count };
	struct again again = { .left = 20, .closing = &c };
	struct fixture f;

	fixture_init(&f);
	again.j = must_open(&f);
	again.req = (struct journal_append){ .done = append_again, .arg = &again };
	journal_append(again.j, &again.req, &entry, NULL, 1);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	ck_assert(c.closed);
	ck_assert_uint_eq(must_verify(&f), 21);
	fixture_release(&f);
}
END_TEST

/* One queue: what is appended at once comes behind what was queued before. */
START_TEST(test_now_keeps_the_order)
{
	struct journal_entry entry = note("acme", "queued");
	struct appended a;
	int order[1], count = 0;
	struct fixture f;
	struct journal *j;
	struct journal_reader *r;
	char *all;

	fixture_init(&f);
	j = must_open(&f);
	a = (struct appended){ .order = order, .count = &count, .req = { .done = on_done, .arg = &a } };
	journal_append(j, &a.req, &entry, NULL, 1);
	must_append(j, "acme", "now");
	ck_assert_int_eq(count, 0);
	r = must_read(&f);
	all = texts(r, NULL);
	ck_assert_str_eq(all, "queued now");
	free(all);
	journal_reader_close(r);
	must_close(&f, j);
	ck_assert_int_eq(count, 1);
	fixture_release(&f);
}
END_TEST

START_TEST(test_without_a_loop)
{
	struct fixture f;
	struct journal *j = NULL;

	fixture_init(&f);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, NULL), 0);
	must_append(j, "acme", "one");
	journal_close_now(j);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_MUST_EXIST, &j, NULL), 0);
	must_append(j, "acme", "two");
	journal_close_now(j);
	ck_assert_uint_eq(must_verify(&f), 2);
	fixture_release(&f);
}
END_TEST

/* An append of many entries is one transaction: the chain goes on within it and over several tenants. */
START_TEST(test_many_entries_in_one_append)
{
	struct journal_entry entries[100];
	struct fixture f;
	struct journal *j;
	struct journal_stats stats;

	fixture_init(&f);
	for (int i = 0; i < 100; i++)
		entries[i] = note(i % 3 ? "acme" : i % 2 ? "other" : "", "x");
	j = must_open(&f);
	ck_assert_int_eq(journal_append_now(j, entries, NULL, 100, NULL), 0);
	ck_assert_int_eq(journal_append_now(j, entries, NULL, 0, NULL), 0);
	journal_stats(j, &stats);
	ck_assert_uint_eq(stats.entries, 100);
	ck_assert_uint_eq(stats.appends, 2);
	must_close(&f, j);
	ck_assert_uint_eq(must_verify(&f), 100);
	fixture_release(&f);
}
END_TEST

/* What the file is set to, seen by somebody else. */
START_TEST(test_settings)
{
	struct fixture f;
	struct journal *j;
	sqlite3 *db;
	sqlite3_stmt *stmt;

	fixture_init(&f);
	j = must_open(&f);
	must_append(j, "acme", "x");
	ck_assert_int_eq(sqlite3_open_v2(f.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_prepare_v2(db, "SELECT * FROM pragma_journal_mode, pragma_user_version, pragma_application_id",
				   -1, &stmt, NULL),
		SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), "wal");
	ck_assert_int_eq(sqlite3_column_int(stmt, 1), 1);
	ck_assert_int_eq(sqlite3_column_int(stmt, 2), JOURNAL_APPLICATION_ID);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	must_close(&f, j);
	fixture_release(&f);
}
END_TEST

SUITE(journal)
{
	TEST_CASE(s, test_create_append_read);
	TEST_CASE(s, test_callbacks_come_later_in_order);
	TEST_CASE(s, test_all_columns);
	TEST_CASE(s, test_redacted);
	TEST_CASE(s, test_blobs);
	TEST_CASE(s, test_runs);
	TEST_CASE(s, test_revisions);
	TEST_CASE(s, test_close_drains);
	TEST_CASE(s, test_from_inside_a_callback);
	TEST_CASE(s, test_now_keeps_the_order);
	TEST_CASE(s, test_without_a_loop);
	TEST_CASE(s, test_many_entries_in_one_append);
	TEST_CASE(s, test_settings);
}
