#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static char *in_folder(const char *name)
{
	return str_fmt("%s/%s", folder, name);
}

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/file-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Fails where more than `expect` names are left: a temporary file was forgotten. */
static void remove_folder(int expect)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)) != NULL) {
		char *path = in_folder(entry->d_name);
		if (entry->d_name[0] != '.' && ++n)
			remove(path);
		free(path);
	}
	closedir(dir);
	rmdir(folder);
	ck_assert_int_eq(n, expect);
}

START_TEST(test_write_and_read)
{
	struct buf b = BUF_INIT;
	struct stat st;
	char *path, *target;

	make_folder();
	path = in_folder("a");
	ck_assert_int_eq(file_write(path, 0600, "one\0two", 7, NULL), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(file_read(path, 7, &b, NULL), 0);
	ck_assert(buf_equals(&b, "one\0two", 7));
	ck_assert_int_eq(file_write(path, 0600, "", 0, NULL), 0);
	buf_clear(&b);
	ck_assert_int_eq(file_read(path, 7, &b, NULL), 0);
	ck_assert_uint_eq(b.len, 0);
	/* A link is replaced, what it leads to stays. */
	target = in_folder("b");
	ck_assert_int_eq(file_write(target, 0600, "target", 6, NULL), 0);
	unlink(path);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(file_write(path, 0600, "new", 3, NULL), 0);
	buf_clear(&b);
	ck_assert_int_eq(file_read(target, 100, &b, NULL), 0);
	ck_assert_str_eq(buf_str(&b), "target");
	buf_release(&b);
	free(path);
	free(target);
	remove_folder(2);
}
END_TEST

/* The mode asked for holds, whatever a crashed attempt left under the temporary name. */
START_TEST(test_leftover_temporary)
{
	char *path, *temp;
	struct stat st;
	int fd;

	make_folder();
	path = in_folder("a");
	temp = str_fmt("%s.%ld.tmp", path, (long)getpid());
	fd = open(temp, O_CREAT | O_WRONLY, 0666);
	ck_assert_int_ge(fd, 0);
	fchmod(fd, 0666);
	close(fd);
	ck_assert_int_eq(file_write(path, 0600, "secret", 6, NULL), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	free(temp);
	free(path);
	remove_folder(1);
}
END_TEST

/* What is there stays as it is, whatever it is, and nothing of ours is left beside it. */
START_TEST(test_create)
{
	struct buf b = BUF_INIT;
	struct err err = { 0 };
	struct stat st;
	char *path, *link;

	make_folder();
	path = in_folder("a");
	link = in_folder("b");
	ck_assert_int_eq(file_create(path, 0600, "first", 5, &err), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(file_create(path, 0600, "second", 6, &err), E_EXISTS);
	ck_assert_ptr_nonnull(strstr(err.text, "is there already"));
	ck_assert_int_eq(file_read(path, 100, &b, NULL), 0);
	ck_assert_str_eq(buf_str(&b), "first");
	ck_assert_int_eq(symlink("nowhere", link), 0);
	ck_assert_int_eq(file_create(link, 0600, "x", 1, &err), E_EXISTS);
	ck_assert_int_eq(lstat(link, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	free(link);
	link = in_folder("no/such");
	ck_assert_int_eq(file_create(link, 0600, "x", 1, &err), E_NOTFOUND);
	free(link);
	free(path);
	buf_release(&b);
	remove_folder(2);
}
END_TEST

START_TEST(test_read_limits)
{
	struct buf b = BUF_INIT;
	struct err err = { 0 };
	char *path;

	make_folder();
	path = in_folder("big");
	file_write(path, 0600, "0123456789", 10, NULL);
	ck_assert_int_eq(file_read(path, 9, &b, &err), E_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.text, "10 bytes"));
	ck_assert_uint_eq(b.len, 0);
	/* The buffer's own maximum is an error, too, and never half a file. */
	buf_init(&b, 9);
	ck_assert_int_eq(file_read(path, 100, &b, &err), E_LIMIT);
	buf_release(&b);
	buf_init(&b, 10);
	ck_assert_int_eq(file_read(path, 100, &b, &err), 0);
	ck_assert(buf_equals(&b, "0123456789", 10));
	buf_release(&b);
	/* A file that has no size and never ends is stopped at the maximum. */
	ck_assert_int_eq(file_read("/proc/kmsg-no-such", 10, &b, &err), E_NOTFOUND);
	ck_assert_int_eq(file_read("/proc/self/maps", 10, &b, &err), E_LIMIT);
	buf_release(&b);
	free(path);
	remove_folder(1);
}
END_TEST

/* A sparse gigabyte is refused by its size, without being read. */
START_TEST(test_huge_is_seen_from_its_size)
{
	struct buf b = BUF_INIT;
	char *path;

	make_folder();
	path = in_folder("huge");
	file_write(path, 0600, "", 0, NULL);
	ck_assert_int_eq(truncate(path, (off_t)1 << 40), 0);
	ck_assert_int_eq(file_read(path, (size_t)16 << 20, &b, NULL), E_LIMIT);
	ck_assert_ptr_null(b.data);
	free(path);
	remove_folder(1);
}
END_TEST

START_TEST(test_not_regular)
{
	struct buf b = BUF_INIT;
	struct err err = { 0 };
	char *fifo;

	make_folder();
	fifo = in_folder("fifo");
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(file_read(fifo, 10, &b, &err), E_INVAL); /* and does not hang */
	ck_assert_int_eq(file_read(folder, 10, &b, &err), E_INVAL);
	ck_assert_int_eq(file_read("/dev/zero", 10, &b, &err), E_INVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "/dev/zero"));
	free(fifo);
	remove_folder(1);
}
END_TEST

START_TEST(test_write_fails)
{
	struct err err = { 0 };
	char *path, *sub;

	make_folder();
	path = in_folder("no/such/folder");
	ck_assert_int_eq(file_write(path, 0600, "x", 1, &err), E_NOTFOUND);
	sub = in_folder("sub");
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	ck_assert_int_ne(file_write(sub, 0600, "x", 1, &err), 0); /* a folder has that name */
	free(path);
	free(sub);
	remove_folder(1);
}
END_TEST

START_TEST(test_mkdirs)
{
	struct err err = { 0 };
	struct stat st;
	char *deep, *file, *under;

	make_folder();
	deep = in_folder("a/b//c/");
	ck_assert_int_eq(file_mkdirs(deep, 0700, &err), 0);
	ck_assert_int_eq(file_mkdirs(deep, 0700, &err), 0);
	ck_assert_int_eq(stat(deep, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	file = in_folder("file");
	file_write(file, 0600, "x", 1, NULL);
	ck_assert_int_eq(file_mkdirs(file, 0700, &err), E_EXISTS);
	under = in_folder("file/sub");
	ck_assert_int_eq(file_mkdirs(under, 0700, &err), E_EXISTS);
	ck_assert_int_eq(file_mkdirs("", 0700, &err), E_INVAL);
	ck_assert_int_eq(file_mkdirs("/", 0700, &err), 0);
	remove(deep);
	free(deep);
	deep = in_folder("a/b");
	remove(deep);
	free(deep);
	free(file);
	free(under);
	remove_folder(2);
}
END_TEST

START_TEST(test_names)
{
	static const char *const dirs[][2] = { { "a", "." }, { "/a", "/" }, { "a/b", "a" }, { "/a/b/c", "/a/b" } };
	static const char *const joins[][3] = { { ".", "x", "x" },
						{ "a", "x", "a/x" },
						{ "a", "/x", "/x" },
						{ "/", "x", "/x" },
						{ "/a/b", "c/d", "/a/b/c/d" } };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *dir = file_dirname(dirs[i][0]);
		ck_assert_str_eq(dir, dirs[i][1]);
		free(dir);
	}
	for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
		char *path = file_join(joins[i][0], joins[i][1]);
		ck_assert_str_eq(path, joins[i][2]);
		free(path);
	}
}
END_TEST

SUITE(file)
{
	TEST_CASE(s, test_write_and_read);
	TEST_CASE(s, test_leftover_temporary);
	TEST_CASE(s, test_create);
	TEST_CASE(s, test_read_limits);
	TEST_CASE(s, test_huge_is_seen_from_its_size);
	TEST_CASE(s, test_not_regular);
	TEST_CASE(s, test_write_fails);
	TEST_CASE(s, test_mkdirs);
	TEST_CASE(s, test_names);
}
