/*
 * win_sftp DRIVE [HELD]: SFTP on stdin and stdout that plays a Windows host on the Linux folder DRIVE, its C:, where no
 * Wine is: the rules of OpenSSH for Windows 9.8 as deploy/demo/windows/sftp/win32.c has them, but decided here and not
 * by Windows' calls.
 *
 * Names have no case: /C:/x, C:/x, C:\x, or relative to C:/Users/Administrator; / lists the drives, and there is no other.
 * HELD is a file with a path a line (C:/x), read at each request: another process has it open without sharing, so that it
 * cannot be opened (FAILURE) or removed (PERMISSION_DENIED). A file without write bits is read-only, for root too:
 * PERMISSION_DENIED. A rename onto what exists fails (FAILURE). stat: uid and gid 0, nothing for group and others.
 *
 * Not there: posix-rename and hardlink (as in versions before 8.x), sharing between its own handles. Links are not
 * followed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "protocol.h"

#define HOME "/Users/Administrator"
#define DRIVE_MODE 0040700

static int drive = -1;
static const char *held_path;

/*
 * A path below the drive: as the client wrote it but for "." and ".." ("/Program Files/x", "" for the drive itself),
 * the folder that it is in, open, and its name there, as it is on the disk where it is.
 */
struct place {
	char path[SFTP_PATH_MAX];
	bool is_drives;
	int folder;
	char name[NAME_MAX + 1];
	bool exists;
	struct stat st;
};

static enum sftp_status status_of(int error)
{
	switch (error) {
	case 0:
		return SFTP_OK;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return SFTP_NO_SUCH_FILE;
	case EACCES:
	case EPERM:
		return SFTP_PERMISSION_DENIED;
	}
	return SFTP_FAILURE;
}

static enum sftp_status last(bool ok)
{
	return ok ? SFTP_OK : status_of(errno);
}

static bool same_name(const char *a, const char *b)
{
	static wchar_t wide_a[SFTP_PATH_MAX], wide_b[SFTP_PATH_MAX];

	/* What is no UTF-8 is (size_t)-1. */
	if (mbstowcs(wide_a, a, SFTP_PATH_MAX) >= SFTP_PATH_MAX || mbstowcs(wide_b, b, SFTP_PATH_MAX) >= SFTP_PATH_MAX)
		return strcasecmp(a, b) == 0;
	return wcscasecmp(wide_a, wide_b) == 0;
}

/* The name as it is in the folder, if one that differs in case only is there. */
static bool find_name(int folder, char name[NAME_MAX + 1])
{
	struct stat st;
	bool found = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	DIR *dir = found ? NULL : fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	for (struct dirent *e; dir && !found && (e = readdir(dir));) {
		found = same_name(e->d_name, name);
		if (found)
			snprintf(name, NAME_MAX + 1, "%s", e->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Takes "." and ".." away, as Windows does, without looking at the disk. `out` begins with "/" or is empty. */
static bool add_component(char *out, const char *from, size_t n)
{
	size_t length = strlen(out);

	if (n == 0 || (n == 1 && from[0] == '.'))
		return true;
	if (n == 2 && from[0] == '.' && from[1] == '.') {
		char *slash = strrchr(out, '/');
		if (slash)
			*slash = 0;
		return true;
	}
	if (n > NAME_MAX || length + n + 2 > SFTP_PATH_MAX)
		return false;
	snprintf(out + length, SFTP_PATH_MAX - length, "/%.*s", (int)n, from);
	return true;
}

/* False: it is no path that Windows would know. */
static bool parse(const char *path, struct place *place)
{
	const char *p = path;

	*place = (struct place){.folder = -1};
	if (strcmp(p, "/") == 0 || strcmp(p, "\\") == 0) {
		place->is_drives = true;
		return true;
	}
	if (*p == '/' && isalpha((unsigned char)p[1]) && p[2] == ':')
		p++;
	if (isalpha((unsigned char)*p) && p[1] == ':') {
		if (toupper((unsigned char)*p) != 'C')
			return false;
		p += 2;
	} else if (*p != '/' && *p != '\\') {
		snprintf(place->path, sizeof place->path, HOME);
	}
	while (*p) {
		size_t n = strcspn(p, "/\\");
		if (!add_component(place->path, p, n))
			return false;
		p += n + (p[n] != 0);
	}
	return !strpbrk(place->path, "<>:\"|?*");
}

/* Walks to the folder; the last component may be missing. The folder is the caller's to close. */
static enum sftp_status find(const char *path, struct place *place)
{
	if (!parse(path, place))
		return SFTP_NO_SUCH_FILE;
	place->folder = dup(drive);
	snprintf(place->name, sizeof place->name, ".");
	for (const char *p = place->path; *p;) {
		size_t n = strcspn(++p, "/");
		int next = openat(place->folder, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(place->folder);
		place->folder = next;
		if (next < 0)
			return SFTP_NO_SUCH_FILE;
		snprintf(place->name, sizeof place->name, "%.*s", (int)n, p);
		find_name(place->folder, place->name);
		p += n;
	}
	place->exists = fstatat(place->folder, place->name, &place->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (place->exists && !S_ISREG(place->st.st_mode) && !S_ISDIR(place->st.st_mode))
		return SFTP_FAILURE;
	return SFTP_OK;
}

static void leave(struct place *place)
{
	if (place->folder >= 0)
		close(place->folder);
}

static bool is_read_only(const struct place *place)
{
	return place->exists && S_ISREG(place->st.st_mode) && !(place->st.st_mode & 0222);
}

static bool is_held(const struct place *place)
{
	char line[SFTP_PATH_MAX];
	bool held = false;
	FILE *in = held_path ? fopen(held_path, "re") : NULL;

	while (in && !held && fgets(line, sizeof line, in)) {
		struct place other;
		line[strcspn(line, "\r\n")] = 0;
		held = *line && parse(line, &other) && same_name(other.path, place->path);
	}
	if (in)
		fclose(in);
	return held;
}

static enum sftp_status win_realpath(void *self, const char *path, char *out)
{
	struct place place;

	(void)self;
	if (!parse(path, &place) || strlen(place.path) + 5 > SFTP_PATH_MAX)
		return SFTP_BAD_MESSAGE;
	if (place.is_drives)
		snprintf(out, SFTP_PATH_MAX, "/");
	else
		snprintf(out, SFTP_PATH_MAX, "/C:%.4000s%s", place.path, *place.path ? "" : "/");
	return SFTP_OK;
}

static void fill_attrs(struct sftp_attrs *a, const struct stat *st)
{
	*a = (struct sftp_attrs){.has = SFTP_HAS_SIZE | SFTP_HAS_OWNER | SFTP_HAS_MODE | SFTP_HAS_TIMES};
	a->size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size;
	a->mode = S_ISDIR(st->st_mode) ? DRIVE_MODE : 0100400 | (st->st_mode & 0222 ? 0200 : 0);
	a->atime = (uint32_t)st->st_atime;
	a->mtime = (uint32_t)st->st_mtime;
}

static enum sftp_status win_stat(void *self, const char *path, struct sftp_attrs *attrs)
{
	struct place place;
	enum sftp_status status = find(path, &place);

	(void)self;
	if (!status && place.is_drives)
		*attrs = (struct sftp_attrs){.has = SFTP_HAS_OWNER | SFTP_HAS_MODE, .mode = 0040777};
	else if (!status && place.exists)
		fill_attrs(attrs, &place.st);
	else if (!status)
		status = SFTP_NO_SUCH_FILE;
	leave(&place);
	return status;
}

static enum sftp_status set_times(int fd, const struct sftp_attrs *attrs)
{
	struct timespec times[2] = {{.tv_sec = attrs->atime}, {.tv_sec = attrs->mtime}};

	return last(futimens(fd, times) == 0);
}

static enum sftp_status set_open(int fd, const struct sftp_attrs *attrs)
{
	enum sftp_status status = SFTP_OK;

	if (attrs->has & SFTP_HAS_SIZE)
		status = last(ftruncate(fd, (off_t)attrs->size) == 0);
	if (attrs->has & SFTP_HAS_MODE)
		status = last(fchmod(fd, attrs->mode & 0200 ? 0644 : 0444) == 0);
	if (attrs->has & SFTP_HAS_TIMES)
		status = set_times(fd, attrs);
	return attrs->has & SFTP_HAS_OWNER ? SFTP_FAILURE : status;
}

static enum sftp_status win_setstat(void *self, const char *path, const struct sftp_attrs *attrs)
{
	struct place place;
	enum sftp_status status = find(path, &place);
	bool writes = attrs->has & (SFTP_HAS_SIZE | SFTP_HAS_TIMES);

	(void)self;
	if (!status && !place.exists)
		status = SFTP_NO_SUCH_FILE;
	if (!status && writes && is_read_only(&place))
		status = SFTP_PERMISSION_DENIED;
	if (!status && writes && is_held(&place))
		status = SFTP_FAILURE;
	if (!status) {
		int mode = attrs->has & SFTP_HAS_SIZE ? O_WRONLY : O_RDONLY;
		int fd = openat(place.folder, place.name, mode | O_NOFOLLOW | O_CLOEXEC);
		status = fd < 0 ? status_of(errno) : set_open(fd, attrs);
		if (fd >= 0)
			close(fd);
	}
	leave(&place);
	return status;
}

static int open_flags(uint32_t flags)
{
	int mode = flags & SFTP_WRITE ? (flags & SFTP_READ ? O_RDWR : O_WRONLY) : O_RDONLY;

	if (flags & SFTP_APPEND)
		mode |= O_APPEND;
	if (flags & SFTP_CREATE)
		mode |= O_CREAT;
	if (flags & SFTP_TRUNCATE)
		mode |= O_TRUNC;
	if (flags & SFTP_EXCLUSIVE)
		mode |= O_EXCL;
	return mode | O_NOFOLLOW | O_CLOEXEC;
}

static enum sftp_status win_open(void *self, const char *path, uint32_t flags, void **file)
{
	struct place place;
	enum sftp_status status = flags & (SFTP_READ | SFTP_WRITE) ? find(path, &place) : SFTP_BAD_MESSAGE;

	(void)self;
	if (status == SFTP_BAD_MESSAGE)
		return status;
	if (!status && (place.is_drives || (place.exists && S_ISDIR(place.st.st_mode) && flags & SFTP_WRITE)))
		status = SFTP_PERMISSION_DENIED;
	if (!status && flags & SFTP_WRITE && is_read_only(&place))
		status = SFTP_PERMISSION_DENIED;
	if (!status && is_held(&place))
		status = SFTP_FAILURE;
	if (!status) {
		int fd = openat(place.folder, place.name, open_flags(flags), 0644);
		status = last(fd >= 0);
		*file = (void *)(intptr_t)fd;
	}
	leave(&place);
	return status;
}

static int fd_of(void *file)
{
	return (int)(intptr_t)file;
}

static enum sftp_status win_close(void *self, void *file)
{
	(void)self;
	return last(close(fd_of(file)) == 0);
}

static enum sftp_status win_read(void *self, void *file, uint64_t offset, void *bytes, size_t *size)
{
	ssize_t n = pread(fd_of(file), bytes, *size, (off_t)offset);

	(void)self;
	if (n < 0)
		return status_of(errno);
	*size = (size_t)n;
	return n == 0 ? SFTP_EOF : SFTP_OK;
}

static enum sftp_status win_write(void *self, void *file, uint64_t offset, const void *bytes, size_t size)
{
	const char *from = bytes;

	(void)self;
	for (ssize_t n; size > 0; from += n, size -= (size_t)n, offset += (uint64_t)n) {
		n = pwrite(fd_of(file), from, size, (off_t)offset);
		if (n <= 0)
			return status_of(errno);
	}
	return SFTP_OK;
}

static enum sftp_status win_fstat(void *self, void *file, struct sftp_attrs *attrs)
{
	struct stat st;

	(void)self;
	if (fstat(fd_of(file), &st) < 0)
		return status_of(errno);
	fill_attrs(attrs, &st);
	return SFTP_OK;
}

static enum sftp_status win_fsetstat(void *self, void *file, const struct sftp_attrs *attrs)
{
	(void)self;
	return set_open(fd_of(file), attrs);
}

static enum sftp_status win_fsync(void *self, void *file)
{
	(void)self;
	return last(fsync(fd_of(file)) == 0);
}

/* A folder that is being listed, or the list of drives, which is C:. */
struct listing {
	DIR *dir;
	bool drives_told;
};

static enum sftp_status win_opendir(void *self, const char *path, void **dir)
{
	struct place place;
	struct listing *listing = calloc(1, sizeof *listing);
	enum sftp_status status = find(path, &place);

	(void)self;
	if (!listing)
		abort();
	if (!status && !place.is_drives) {
		int fd = openat(place.folder, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		listing->dir = fd < 0 ? NULL : fdopendir(fd);
		status = last(listing->dir != NULL);
	}
	leave(&place);
	*dir = listing;
	if (status)
		free(listing);
	return status;
}

static enum sftp_status win_readdir(void *self, void *dir, char *name, struct sftp_attrs *attrs)
{
	struct listing *listing = dir;
	struct dirent *e;
	struct stat st;

	(void)self;
	if (!listing->dir) {
		if (listing->drives_told)
			return SFTP_EOF;
		listing->drives_told = true;
		snprintf(name, SFTP_PATH_MAX, "C:");
		*attrs = (struct sftp_attrs){.has = SFTP_HAS_MODE, .mode = DRIVE_MODE};
		return SFTP_OK;
	}
	do
		e = readdir(listing->dir);
	while (e && fstatat(dirfd(listing->dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0);
	if (!e)
		return SFTP_EOF;
	snprintf(name, SFTP_PATH_MAX, "%s", e->d_name);
	fill_attrs(attrs, &st);
	return SFTP_OK;
}

static void win_closedir(void *self, void *dir)
{
	struct listing *listing = dir;

	(void)self;
	if (listing->dir)
		closedir(listing->dir);
	free(listing);
}

static enum sftp_status win_remove(void *self, const char *path)
{
	struct place place;
	enum sftp_status status = find(path, &place);

	(void)self;
	if (!status && (is_read_only(&place) || is_held(&place) || (place.exists && S_ISDIR(place.st.st_mode))))
		status = SFTP_PERMISSION_DENIED;
	if (!status)
		status = last(unlinkat(place.folder, place.name, 0) == 0);
	leave(&place);
	return status;
}

static enum sftp_status win_mkdir(void *self, const char *path)
{
	struct place place;
	enum sftp_status status = find(path, &place);

	(void)self;
	if (!status)
		status = place.exists ? SFTP_FAILURE : last(mkdirat(place.folder, place.name, 0755) == 0);
	leave(&place);
	return status;
}

static enum sftp_status win_rmdir(void *self, const char *path)
{
	struct place place;
	enum sftp_status status = find(path, &place);

	(void)self;
	if (!status)
		status = last(unlinkat(place.folder, place.name, AT_REMOVEDIR) == 0);
	leave(&place);
	return status;
}

/* A held file gets its second name and then does not lose the first, so that is taken back: as there. */
static enum sftp_status win_rename(void *self, const char *from, const char *to)
{
	struct place old, new;
	enum sftp_status status = find(from, &old);
	enum sftp_status other = find(to, &new);

	(void)self;
	if (!status && !old.exists)
		status = SFTP_NO_SUCH_FILE;
	if (!status)
		status = other;
	if (!status && new.exists)
		status = SFTP_FAILURE;
	if (!status && S_ISREG(old.st.st_mode) && (is_held(&old) || is_read_only(&old)))
		status = SFTP_PERMISSION_DENIED;
	if (!status)
		status = last(renameat2(old.folder, old.name, new.folder, new.name, RENAME_NOREPLACE) == 0);
	leave(&old);
	leave(&new);
	return status;
}

static const struct sftp_files windows_files = {
    .realpath = win_realpath,
    .stat = win_stat,
    .setstat = win_setstat,
    .open = win_open,
    .close = win_close,
    .read = win_read,
    .write = win_write,
    .fstat = win_fstat,
    .fsetstat = win_fsetstat,
    .opendir = win_opendir,
    .readdir = win_readdir,
    .closedir = win_closedir,
    .remove = win_remove,
    .mkdir = win_mkdir,
    .rmdir = win_rmdir,
    .rename = win_rename,
    .fsync = win_fsync,
};

static void send_all(void *to, const void *bytes, size_t size)
{
	(void)to;
	for (const char *from = bytes; size > 0;) {
		ssize_t n = write(STDOUT_FILENO, from, size);
		if (n <= 0)
			exit(1);
		from += n;
		size -= (size_t)n;
	}
}

int main(int argc, char **argv)
{
	static char bytes[SFTP_DATA_MAX];
	ssize_t n;

	setlocale(LC_CTYPE, "C.UTF-8");
	drive = argc < 2 ? -1 : open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	held_path = argc > 2 ? argv[2] : NULL;
	if (drive < 0) {
		fprintf(stderr, "win_sftp: usage: win_sftp DRIVE [HELD]; DRIVE is a folder\n");
		return 2;
	}
	struct sftp *sftp = sftp_new(&windows_files, NULL, send_all, NULL);
	bool broken = false;
	while (!broken && (n = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
		broken = !sftp_input(sftp, bytes, (size_t)n);
	if (broken)
		fprintf(stderr, "win_sftp: the client breaks the protocol\n");
	sftp_free(sftp);
	close(drive);
	return broken;
}
