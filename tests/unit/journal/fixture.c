#include "fixture.h"

#include "base/alloc.h"

#include <dirent.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

/* In memory where that can be: what fsync does is tested by the disk that fails, not by waiting for a real one. */
const char *fixture_root(void)
{
	return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

void fixture_init(struct fixture *f)
{
	snprintf(f->folder, sizeof(f->folder), "%s/journal-test-XXXXXX", fixture_root());
	ck_assert_ptr_nonnull(mkdtemp(f->folder));
	f->path = str_fmt("%s/state.db", f->folder);
	ck_assert_int_eq(uv_loop_init(&f->loop), 0);
}

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		char *path = str_fmt("%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

void fixture_release(struct fixture *f)
{
	ck_assert_int_eq(uv_loop_close(&f->loop), 0);
	chmod(f->folder, 0700);
	remove_folder(f->folder);
	free(f->path);
}

char *fixture_beside(const struct fixture *f, const char *suffix)
{
	return str_fmt("%s%s", f->path, suffix);
}

struct journal *must_open(struct fixture *f)
{
	struct journal *j = NULL;
	struct err err = { 0 };

	ck_assert_msg(journal_open(&f->loop, f->path, JOURNAL_CREATE, &j, &err) == 0, "%s", err.text);
	return j;
}

static void on_closed(void *arg)
{
	*(bool *)arg = true;
}

void must_close(struct fixture *f, struct journal *j)
{
	bool closed = false;

	journal_close(j, on_closed, &closed);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	ck_assert(closed);
}

struct journal_reader *must_read(struct fixture *f)
{
	struct journal_reader *r = NULL;
	struct err err = { 0 };

	ck_assert_msg(journal_reader_open(f->path, &r, &err) == 0, "%s", err.text);
	return r;
}

struct journal_entry note(const char *tenant, const char *text)
{
	return (struct journal_entry){ .kind = JOURNAL_NOTE, .tenant = tenant, .text = text, .wall_ms = 1000 };
}

void must_append(struct journal *j, const char *tenant, const char *text)
{
	struct journal_entry entry = note(tenant, text);
	struct err err = { 0 };

	ck_assert_msg(journal_append_now(j, &entry, NULL, 1, &err) == 0, "%s", err.text);
}

static int add_text(const struct journal_entry *entry, void *arg)
{
	struct buf *all = arg;

	if (all->len)
		buf_addc(all, ' ');
	buf_adds(all, entry->text);
	return 0;
}

char *texts(struct journal_reader *r, const char *tenant)
{
	struct buf all = BUF_INIT;
	struct err err = { 0 };

	ck_assert_msg(journal_read(r, tenant, 0, add_text, &all, &err) == 0, "%s", err.text);
	return buf_detach(&all);
}

uint64_t must_verify(struct fixture *f)
{
	struct journal_reader *r = must_read(f);
	uint64_t entries = 0;
	struct err err = { 0 };

	ck_assert_msg(journal_verify(r, &entries, &err) == 0, "%s", err.text);
	journal_reader_close(r);
	return entries;
}

void expect_err(const struct err *err, int code, const char *part)
{
	ck_assert_msg(err->code == code, "expected %s, got %s: %s", err_name(code), err_name(err->code), err->text);
	ck_assert_msg(strstr(err->text, part) != NULL, "no \"%s\" in: %s", part, err->text);
}

int stranger(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}
