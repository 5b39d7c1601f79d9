#include "child.h"
#include "fault_vfs.h"
#include "fixture.h"

#include "base/alloc.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- the N-th operation fails, for every N ------------------------------------------------------------------------
 */

#define APPENDS 5

struct attempt {
	struct journal_append req;
	int status;
};

static void on_done(struct journal_append *req, int status, const struct err *err)
{
	((struct attempt *)req->arg)->status = status;
	ck_assert((status == 0) == (err == NULL));
	if (err)
		ck_assert_int_eq(err->code, status);
}

/* Appends a pair of entries and a blob that fills pages, by the loop. The texts say which append they are of. */
static void append_pair(struct journal *j, struct attempt *a, int i)
{
	static char bytes[9000];
	char text[16];
	struct journal_entry pair[2];
	struct journal_blob blobs[2] = { { bytes, sizeof(bytes), true }, { 0 } };

	snprintf(text, sizeof(text), "%d", i);
	memset(bytes, 'a' + i, sizeof(bytes));
	pair[0] = note("acme", text);
	pair[1] = note(i % 2 ? "" : "beta", text);
	*a = (struct attempt){ .status = 1, .req = { .done = on_done, .arg = a } };
	journal_append(j, &a->req, pair, blobs, 2);
}

static int look(const struct journal_entry *e, void *arg)
{
	int *seen = arg;

	seen[strtol(e->text, NULL, 10)]++;
	return 0;
}

/* What was called back with 0 is there, twice; the rest wholly or not at all, and never before something that is
 * missing. */
static void check_file(struct fixture *f, const int *status, bool at_all)
{
	int seen[APPENDS] = { 0 };
	struct journal_reader *r;
	bool gone = false;

	if (!at_all && access(f->path, F_OK) != 0)
		return;
	must_verify(f);
	r = must_read(f);
	ck_assert_int_eq(journal_read(r, NULL, 0, look, seen, NULL), 0);
	journal_reader_close(r);
	for (int i = 0; i < APPENDS; i++) {
		ck_assert_msg(seen[i] == 2 || (seen[i] == 0 && status[i] != 0), "append %d: status %d, %d entries", i,
			      status[i], seen[i]);
		ck_assert(!gone || !seen[i]);
		gone |= !seen[i];
	}
}

/* Opens, appends, closes, with the fault wherever it hits; the statuses. False: it could not be opened. */
static bool work(struct fixture *f, int *status, struct err *err)
{
	struct attempt a[APPENDS];
	struct journal *j = NULL;
	struct journal_stats stats;
	int first_bad = 0;

	for (int i = 0; i < APPENDS; i++)
		status[i] = 1;
	if (journal_open(&f->loop, f->path, JOURNAL_CREATE, &j, err) != 0)
		return false;
	for (int i = 0; i < APPENDS; i++) {
		append_pair(j, &a[i], i);
		/* Some alone, some together in a commit. */
		while (i % 3 == 0 && a[i].status == 1)
			uv_run(&f->loop, UV_RUN_ONCE);
	}
	for (int i = 0; i < APPENDS; i++)
		while (a[i].status == 1)
			uv_run(&f->loop, UV_RUN_ONCE);
	for (int i = 0; i < APPENDS; i++) {
		status[i] = a[i].status;
		/* Broken once, broken for good. */
		ck_assert(!first_bad || status[i] == first_bad);
		first_bad = first_bad ? first_bad : status[i];
	}
	journal_stats(j, &stats);
	ck_assert_int_eq(stats.broken, first_bad != 0);
	must_close(f, j);
	if (first_bad)
		err->code = first_bad;
	return true;
}

static void fail_each(enum fault_kind kind, bool sticky, int expect)
{
	int failed = 0, n;

	for (n = 0;; n++) {
		int status[APPENDS];
		struct fixture f;
		struct err err = { 0 };
		fixture_init(&f);
		fault_arm(kind, n, sticky);
		work(&f, status, &err);
		failed += err.code != 0;
		if (err.code)
			ck_assert_msg(err.code == expect, "%s: %s", err_name(err.code), err.text);
		bool hit = fault_happened();
		fault_arm(kind, -1, false);
		check_file(&f, status, false);
		/* And life goes on. */
		must_close(&f, must_open(&f));
		check_file(&f, status, true);
		fixture_release(&f);
		if (!hit)
			break;
	}
	ck_assert_int_gt(n, kind == FAULT_TRUNCATE ? 0 : 3);
	if (kind != FAULT_TRUNCATE)
		ck_assert_int_gt(failed, 0);
	printf("faults: kind %d%s: %d places, %d of them seen by the caller\n", (int)kind, sticky ? ", for good" : "",
	       n, failed);
}

static const struct {
	enum fault_kind kind;
	bool sticky;
	int expect;
} cases[] = { { FAULT_WRITE, false, E_IO },   { FAULT_WRITE, true, E_IO }, { FAULT_FULL, false, E_NOSPACE },
	      { FAULT_TRUNCATE, true, E_IO }, { FAULT_SYNC, false, E_IO }, { FAULT_SYNC, true, E_IO },
	      { FAULT_READ, false, E_IO },    { FAULT_READ, true, E_IO } };

START_TEST(test_each_operation_fails)
{
	fault_vfs_install();
	fail_each(cases[_i].kind, cases[_i].sticky, cases[_i].expect);
}
END_TEST

/* ---- a reader on such a disk: all of it, or an error ---------------------------------------------------------------
 */

static int count(const struct journal_entry *e, void *arg)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

static int read_it(const char *path, int *n, struct err *err)
{
	struct journal_reader *r = NULL;
	uint64_t entries;
	int rc = journal_reader_open(path, &r, err);

	if (!rc)
		rc = journal_read(r, "acme", 0, count, n, err);
	if (!rc)
		rc = journal_verify(r, &entries, err);
	journal_reader_close(r);
	return rc;
}

START_TEST(test_reader)
{
	struct fixture f;
	struct journal *j;
	int failed = 0;

	fault_vfs_install();
	fixture_init(&f);
	j = must_open(&f);
	for (int i = 0; i < 30; i++)
		must_append(j, "acme", "some text");
	must_close(&f, j);
	for (int n = 0;; n++) {
		struct err err = { 0 };
		int seen = 0, rc;
		fault_arm(FAULT_READ, n, false);
		rc = read_it(f.path, &seen, &err);
		ck_assert_int_eq(rc, err.code);
		ck_assert_msg(rc == 0 ? seen == 30 : rc == E_IO || rc == E_CORRUPT, "%s", err.text);
		failed += rc != 0;
		if (!fault_happened())
			break;
	}
	fault_arm(FAULT_READ, -1, false);
	ck_assert_int_gt(failed, 3);
	fixture_release(&f);
}
END_TEST

/* ---- the power goes off -------------------------------------------------------------------------------------------
 */

#define SEEDS 4
#define POWER_APPENDS 24

struct power {
	char folder[80]; /* one image after the other: folder/0, folder/1, … */
	int images;
	int confirmed; /* appends that were called back; the writer reads it while the appender waits for it */
	int at[4000];  /* what it was when the image was made */
	uint64_t at_least_opened;
};

static void take_images(void *arg)
{
	struct power *p = arg;
	char folder[128];

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		if (p->images == (int)ARRAY_LEN(p->at))
			abort();
		snprintf(folder, sizeof(folder), "%s/%d", p->folder, p->images);
		if (mkdir(folder, 0700) < 0)
			abort();
		fault_power_off(folder, seed < 2 ? seed : (unsigned)p->images * 7919 + 2);
		p->at[p->images++] = p->confirmed;
	}
}

struct texts_seen {
	int n;
};

static int in_order(const struct journal_entry *e, void *arg)
{
	struct texts_seen *seen = arg;

	return strtol(e->text, NULL, 10) == seen->n++ ? 0 : E_BUG;
}

static void remove_image(const char *folder)
{
	static const char *const names[] = { "state.db",     "state.db-wal",         "state.db-shm", "state.db-journal",
					     "state.db.new", "state.db.new-journal", "state.db.lock" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = str_fmt("%s/%s", folder, names[i]);
		unlink(path);
		free(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

/* Everything that was called back before the power went off is there, in order; what is there beyond it is whole. */
static void check_image(struct power *p, int i)
{
	struct texts_seen seen = { 0 };
	struct fixture f = { 0 };
	struct journal_reader *r;
	char folder[128];

	snprintf(folder, sizeof(folder), "%s/%d", p->folder, i);
	f.path = str_fmt("%s/state.db", folder);
	if (access(f.path, F_OK) == 0) {
		must_verify(&f);
		r = must_read(&f);
		ck_assert_int_eq(journal_read(r, NULL, 0, in_order, &seen, NULL), 0);
		journal_reader_close(r);
		p->at_least_opened++;
	}
	ck_assert_msg(seen.n >= p->at[i] && seen.n <= p->at[i] + 1, "image %d: %d confirmed, %d there", i, p->at[i],
		      seen.n);
	free(f.path);
	remove_image(folder);
}

START_TEST(test_power_off)
{
	static struct power p;
	static char bytes[30000];
	struct fixture f;
	struct journal *j;

	snprintf(p.folder, sizeof(p.folder), "%s/power-test-XXXXXX", fixture_root());
	ck_assert_ptr_nonnull(mkdtemp(p.folder));
	fixture_init(&f);
	fault_vfs_install();
	fault_on_change(take_images, &p);
	j = must_open(&f);
	for (int i = 0; i < POWER_APPENDS; i++) {
		char text[16];
		struct journal_entry e;
		struct journal_blob blob = { bytes, 200, true };
		snprintf(text, sizeof(text), "%d", i);
		snprintf(bytes, sizeof(bytes), "%d", i);
		e = note(i % 3 ? "acme" : "", text);
		ck_assert_int_eq(journal_append_now(j, &e, i % 5 == 0 ? &blob : NULL, 1, NULL), 0);
		p.confirmed++;
	}
	must_close(&f, j);
	fault_on_change(NULL, NULL);
	for (int i = 0; i < p.images; i++)
		check_image(&p, i);
	printf("power off: %d images, %d of them with a state file\n", p.images, (int)p.at_least_opened);
	ck_assert_int_gt(p.images, 400);
	ck_assert_uint_gt(p.at_least_opened, 300);
	ck_assert_int_eq(rmdir(p.folder), 0);
	fixture_release(&f);
}
END_TEST

SUITE(faults)
{
	TCase *each = tcase_create("test_each_operation_fails"), *power = tcase_create("test_power_off");

	/* Hundreds of files are made: with sanitizers, on a busy machine, that takes its time. */
	tcase_set_timeout(each, 240);
	tcase_add_loop_test(each, test_each_operation_fails, 0, (int)ARRAY_LEN(cases));
	suite_add_tcase(s, each);
	TEST_CASE(s, test_reader);
	tcase_set_timeout(power, 240);
	tcase_add_test(power, test_power_off);
	suite_add_tcase(s, power);
}
