#include "base/file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	size_t start = out->len;
	char one;

	for (;;) {
		size_t room = buf_room(out, 65536);
		ssize_t n = room ? read(fd, out->data + out->len, room) : read(fd, &one, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "cannot read %s", path);
		if (n == 0)
			return 0;
		if (!room)
			return err_set(err, E_LIMIT, "%s has more bytes than the %zu there is room for", path,
				       out->len - start);
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len - start > max_bytes)
			return err_set(err, E_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
	}
}

int file_read(const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	struct stat st;
	int r = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, errno, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		r = err_errno(err, errno, "cannot look at %s", path);
	else if (!S_ISREG(st.st_mode))
		r = err_set(err, E_INVAL, "%s is no regular file", path);
	else if ((uint64_t)st.st_size > max_bytes)
		r = err_set(err, E_LIMIT, "%s has %lld bytes, more than the %zu that are allowed", path,
			    (long long)st.st_size, max_bytes);
	else
		r = read_all(fd, path, max_bytes, out, err);
	close(fd);
	return r;
}

static int write_fd(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

/* The new name is only durable once its folder is (fsync(2)). A folder that cannot be opened is no error of ours. */
static void sync_folder(const char *path)
{
	char *folder = file_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

/* The bytes, on the disk, under another name beside it. */
static int write_beside(const char *temp, mode_t mode, const void *bytes, size_t len, struct err *err)
{
	int r = 0, fd;

	/* What an earlier crash left could have another mode, or be a link. */
	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_errno(err, errno, "cannot write %s", temp);
	if (write_fd(fd, bytes, len) < 0)
		r = err_errno(err, errno, "cannot write %s", temp);
	if (close(fd) < 0 && !r)
		r = err_errno(err, errno, "cannot write %s", temp);
	return r;
}

int file_write(const char *path, mode_t mode, const void *bytes, size_t len, struct err *err)
{
	char *temp = str_fmt("%s.%ld.tmp", path, (long)getpid());
	int r = write_beside(temp, mode, bytes, len, err);

	if (!r && rename(temp, path) < 0)
		r = err_errno(err, errno, "cannot rename %s to %s", temp, path);
	if (r)
		unlink(temp);
	else
		sync_folder(path);
	free(temp);
	return r;
}

int file_create(const char *path, mode_t mode, const void *bytes, size_t len, struct err *err)
{
	char *temp = str_fmt("%s.%ld.tmp", path, (long)getpid());
	int r = write_beside(temp, mode, bytes, len, err);

	/* link(2) is what rename(2) is not: it fails where the name is taken. */
	if (!r && link(temp, path) < 0)
		r = errno == EEXIST ? err_set(err, E_EXISTS, "%s is there already, and is left as it is", path)
				    : err_errno(err, errno, "cannot make %s", path);
	unlink(temp);
	if (!r)
		sync_folder(path);
	free(temp);
	return r;
}

static int make_folder(const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return err_errno(err, errno, "cannot make the folder %s", path);
	if (stat(path, &st) < 0)
		return err_errno(err, errno, "cannot look at %s", path);
	return S_ISDIR(st.st_mode) ? 0 : err_set(err, E_EXISTS, "%s is there and is no folder", path);
}

int file_mkdirs(const char *path, mode_t mode, struct err *err)
{
	char *copy = str_dup(path);
	int r = *path ? 0 : err_set(err, E_INVAL, "a folder's name is empty");

	for (char *slash = *copy ? strchr(copy + 1, '/') : NULL; !r; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		r = make_folder(copy, mode, err);
		if (!slash)
			break;
		*slash = '/';
	}
	free(copy);
	return r;
}

char *file_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return str_dup(".");
	return slash == path ? str_dup("/") : str_ndup(path, (size_t)(slash - path));
}

char *file_join(const char *folder, const char *name)
{
	if (*name == '/' || strcmp(folder, ".") == 0)
		return str_dup(name);
	return str_fmt("%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
}
