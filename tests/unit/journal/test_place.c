#include "fixture.h"

#include "base/alloc.h"
#include "base/file.h"
#include "journal/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tries to open for writing and for reading; both have to fail with `code` and `part` in the sentence, and the path. */
static void refused_as(const char *path, const char *named, int code, const char *part, bool reader_too)
{
	struct journal *j = NULL;
	struct journal_reader *r = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(journal_open(NULL, path, JOURNAL_CREATE, &j, &err), code);
	expect_err(&err, code, part);
	expect_err(&err, code, named);
	if (!reader_too)
		return;
	err = (struct err){ 0 };
	ck_assert_int_eq(journal_reader_open(path, &r, &err), code);
	expect_err(&err, code, part);
	expect_err(&err, code, named);
}

static void refused(struct fixture *f, int code, const char *part)
{
	refused_as(f->path, f->path, code, part, true);
}

static void make_one(struct fixture *f)
{
	struct journal *j = must_open(f);

	must_append(j, "acme", "x");
	must_close(f, j);
}

/* Nothing but what is named may be in the folder: a refused file gets no -wal beside it, nor anything else. */
static void only(const struct fixture *f, const char *suffix)
{
	static const char *const others[] = { "", "-wal", "-shm", "-journal", ".new", ".new-journal" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char *path = fixture_beside(f, others[i]);
		ck_assert_msg((access(path, F_OK) == 0) == (strcmp(others[i], suffix) == 0), "%s", path);
		free(path);
	}
}

START_TEST(test_not_there)
{
	struct fixture f;
	struct journal *j = NULL;
	struct journal_reader *r = NULL;
	struct err err = { 0 };
	char *lock;

	fixture_init(&f);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_MUST_EXIST, &j, &err), E_NOTFOUND);
	expect_err(&err, E_NOTFOUND, f.path);
	ck_assert_int_eq(journal_reader_open(f.path, &r, &err), E_NOTFOUND);
	only(&f, "none");
	lock = fixture_beside(&f, ".lock");
	ck_assert_int_ne(access(lock, F_OK), 0); /* not even that */
	free(lock);
	refused_as("/no/such/folder/state.db", "/no/such/folder/state.db", E_NOTFOUND, "No such file", true);
	refused_as("", "", E_INVAL, "no name", true);
	fixture_release(&f);
}
END_TEST

START_TEST(test_odd_names)
{
	struct fixture f;
	struct journal *j = NULL;
	char *odd;

	/* A name relative to the current folder, and one with what means something in a URI. */
	fixture_init(&f);
	ck_assert_int_eq(chdir(f.folder), 0);
	odd = str_fmt("%s/a b%%41?c#d'e.db", f.folder);
	ck_assert_int_eq(journal_open(NULL, "a b%41?c#d'e.db", JOURNAL_CREATE, &j, NULL), 0);
	must_append(j, "acme", "x");
	journal_close_now(j);
	ck_assert_int_eq(access(odd, F_OK), 0);
	free(f.path);
	f.path = odd;
	ck_assert_uint_eq(must_verify(&f), 1);
	ck_assert_int_eq(chdir("/"), 0);
	fixture_release(&f);
}
END_TEST

START_TEST(test_not_a_file)
{
	struct fixture f;

	fixture_init(&f);
	refused_as(f.folder, f.folder, E_INVAL, "is a folder", true);
	ck_assert_int_eq(mkfifo(f.path, 0600), 0);
	refused(&f, E_INVAL, "no regular file");
	unlink(f.path);
	ck_assert_int_eq(symlink("nothing", f.path), 0);
	refused(&f, E_NOTFOUND, "a link to nothing");
	fixture_release(&f);
}
END_TEST

START_TEST(test_not_a_state_file)
{
	struct fixture f;
	char junk[8192];

	fixture_init(&f);
	file_write(f.path, 0600, "", 0, NULL);
	refused(&f, E_CORRUPT, "is empty");
	only(&f, "");
	file_write(f.path, 0600, "{\"inventory\": 1}\n", 17, NULL);
	refused(&f, E_CORRUPT, "too short");
	only(&f, "");
	memset(junk, 'j', sizeof(junk));
	file_write(f.path, 0600, junk, sizeof(junk), NULL);
	refused(&f, E_CORRUPT, "not a database");
	only(&f, "");
	unlink(f.path);
	/* Another program's SQLite file: also one in WAL mode is left as it is. */
	file_write(f.path, 0600, "", 0, NULL);
	ck_assert_int_eq(stranger(f.path, "CREATE TABLE t (a); PRAGMA application_id = 7"), 0);
	refused(&f, E_CORRUPT, "another program");
	only(&f, "");
	unlink(f.path);
	file_write(f.path, 0600, "", 0, NULL);
	ck_assert_int_eq(stranger(f.path, "CREATE TABLE t (a); DROP TABLE t"), 0);
	refused(&f, E_CORRUPT, "another program");
	fixture_release(&f);
}
END_TEST

START_TEST(test_truncated)
{
	struct fixture f;
	struct stat st;

	fixture_init(&f);
	make_one(&f);
	ck_assert_int_eq(stat(f.path, &st), 0);
	const off_t sizes[] = { st.st_size - 4096, st.st_size - 8191, st.st_size / 2, 8192, 4096, 2000, 100, 1 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		ck_assert_int_eq(truncate(f.path, sizes[i]), 0);
		refused(&f, E_CORRUPT, "put a copy back");
	}
	fixture_release(&f);
}
END_TEST

START_TEST(test_newer)
{
	struct fixture f;

	fixture_init(&f);
	make_one(&f);
	ck_assert_int_eq(stranger(f.path, "PRAGMA user_version = 77"), 0);
	refused(&f, E_NEWER, "version 77, this program knows versions up to 1");
	ck_assert_int_eq(stranger(f.path, "PRAGMA user_version = 0"), 0);
	refused(&f, E_CORRUPT, "no version");
	ck_assert_int_eq(stranger(f.path, "PRAGMA user_version = 1"), 0);
	ck_assert_uint_eq(must_verify(&f), 1);
	fixture_release(&f);
}
END_TEST

START_TEST(test_open_to_others)
{
	static const mode_t modes[] = { 0644, 0640, 0660, 0604, 0602, 0610 };
	struct fixture f;

	fixture_init(&f);
	make_one(&f);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		ck_assert_int_eq(chmod(f.path, modes[i]), 0);
		refused(&f, E_PERM, "chmod 600");
	}
	ck_assert_int_eq(chmod(f.path, 0600), 0);
	ck_assert_uint_eq(must_verify(&f), 1);
	fixture_release(&f);
}
END_TEST

/* The mode of all that is made is 0600, whatever the umask. */
START_TEST(test_modes)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		struct fixture f;
		struct journal *j;
		struct stat st;
		fixture_init(&f);
		umask(masks[i]);
		j = must_open(&f);
		must_append(j, "acme", "x");
		for (size_t k = 0; k < ARRAY_LEN(suffixes); k++) {
			char *path = fixture_beside(&f, suffixes[k]);
			ck_assert_int_eq(stat(path, &st), 0);
			ck_assert_msg((st.st_mode & 077) == 0, "%s: %o", path, st.st_mode);
			free(path);
		}
		must_close(&f, j);
		fixture_release(&f);
	}
}
END_TEST

START_TEST(test_several_names)
{
	struct fixture f;
	struct journal *j, *second = NULL;
	struct journal_reader *r = NULL;
	struct err err = { 0 };
	char *other, *a, *b;

	fixture_init(&f);
	make_one(&f);
	other = fixture_beside(&f, ".other");
	ck_assert_int_eq(link(f.path, other), 0);
	refused(&f, E_INVAL, "2 names");
	unlink(other);
	/* A symbolic link is the same file: one lock, one socket. */
	ck_assert_int_eq(symlink(f.path, other), 0);
	j = must_open(&f);
	ck_assert_int_eq(journal_open(NULL, other, JOURNAL_MUST_EXIST, &second, &err), E_LOCKED);
	expect_err(&err, E_LOCKED, f.path);
	ck_assert_int_eq(journal_reader_open(other, &r, NULL), 0);
	journal_reader_close(r);
	a = journal_socket_path(f.path);
	b = journal_socket_path(other);
	ck_assert_str_eq(a, b);
	ck_assert_ptr_nonnull(strstr(a, "/state.db.sock"));
	free(a);
	free(b);
	free(other);
	must_close(&f, j);
	fixture_release(&f);
}
END_TEST

/* Entries without their database: to begin anew beside them would mix two files. */
START_TEST(test_orphaned_log)
{
	struct fixture f;
	struct err err = { 0 };
	struct journal *j = NULL;
	char *wal, *left;

	fixture_init(&f);
	wal = fixture_beside(&f, "-wal");
	file_write(wal, 0600, "frames", 6, NULL);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, &err), E_EXISTS);
	expect_err(&err, E_EXISTS, wal);
	only(&f, "-wal");
	/* Empty, as a closed journal leaves it, it is no reason. */
	file_write(wal, 0600, "", 0, NULL);
	/* Nor is what a crash left in the middle of making one. */
	left = fixture_beside(&f, ".new");
	file_write(left, 0644, "half a file", 11, NULL);
	make_one(&f);
	ck_assert_int_ne(access(left, F_OK), 0);
	ck_assert_uint_eq(must_verify(&f), 1);
	free(left);
	free(wal);
	fixture_release(&f);
}
END_TEST

/* As somebody who is not root, since root may write everything. */
static bool become_nobody(struct fixture *f)
{
	if (geteuid() != 0)
		return true;
	return chown(f->folder, 65534, 65534) == 0 && setresgid(65534, 65534, 65534) == 0 &&
	       setresuid(65534, 65534, 65534) == 0;
}

START_TEST(test_read_only)
{
	struct fixture f;
	struct journal *j = NULL;
	struct journal_reader *r = NULL;
	struct err err = { 0 };
	char *all, *wal;

	fixture_init(&f);
	ck_assert(become_nobody(&f));
	make_one(&f);
	ck_assert_int_eq(chmod(f.path, 0400), 0);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, &err), E_PERM);
	expect_err(&err, E_PERM, f.path);
	/* It can be read, in a folder that cannot be written, too. */
	ck_assert_int_eq(journal_reader_open(f.path, &r, NULL), 0);
	journal_reader_close(r);
	ck_assert_int_eq(chmod(f.path, 0600), 0);
	ck_assert_int_eq(chmod(f.folder, 0500), 0);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, &err), E_PERM);
	expect_err(&err, E_PERM, f.folder);
	r = must_read(&f);
	all = texts(r, NULL);
	ck_assert_str_eq(all, "x");
	free(all);
	journal_reader_close(r);
	/* Also without what the writer left beside it: a copy of the one file is enough. */
	ck_assert_int_eq(chmod(f.folder, 0700), 0);
	wal = fixture_beside(&f, "-wal");
	unlink(wal);
	free(wal);
	wal = fixture_beside(&f, "-shm");
	unlink(wal);
	free(wal);
	ck_assert_int_eq(chmod(f.folder, 0500), 0);
	ck_assert_uint_eq(must_verify(&f), 1);
	only(&f, "");
	/* A new one cannot be made there. */
	free(f.path);
	f.path = str_fmt("%s/another.db", f.folder);
	ck_assert_int_eq(journal_open(NULL, f.path, JOURNAL_CREATE, &j, &err), E_PERM);
	expect_err(&err, E_PERM, f.folder);
	fixture_release(&f);
}
END_TEST

START_TEST(test_network_file_systems)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} rows[] = { { 0x6969, "NFS" },
		     { 0xff534d42, "CIFS" },
		     { 0x65735546, "FUSE" },
		     { 0x01021997, "9P" },
		     { 0xffffffffff534d42, "CIFS" } /* f_type is signed */ };
	static const unsigned long local[] = { 0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_str_eq(place_network_fs(rows[i].magic), rows[i].name);
	/* ext4, xfs, btrfs, tmpfs, overlayfs, zfs */
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		ck_assert_ptr_null(place_network_fs(local[i]));
}
END_TEST

/* /proc and /sys are no place either; the error is the system's. */
START_TEST(test_no_place_for_files)
{
	struct journal *j = NULL;
	struct err err = { 0 };

	ck_assert_int_ne(journal_open(NULL, "/proc/state.db", JOURNAL_CREATE, &j, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "/proc"));
}
END_TEST

SUITE(place)
{
	TEST_CASE(s, test_not_there);
	TEST_CASE(s, test_odd_names);
	TEST_CASE(s, test_not_a_file);
	TEST_CASE(s, test_not_a_state_file);
	TEST_CASE(s, test_truncated);
	TEST_CASE(s, test_newer);
	TEST_CASE(s, test_open_to_others);
	TEST_CASE(s, test_modes);
	TEST_CASE(s, test_several_names);
	TEST_CASE(s, test_orphaned_log);
	TEST_CASE(s, test_read_only);
	TEST_CASE(s, test_network_file_systems);
	TEST_CASE(s, test_no_place_for_files);
}
