/*
 * The lock is an OFD lock on PATH.lock: it belongs to the open descriptor, so another descriptor of the file that is
 * closed in this process does not drop it, and the kernel releases it when the process dies, however it dies. The file
 * itself stays: to remove it would let two controllers lock two files of one name. Its text is for people, the lock is
 * what counts.
 */
#include "journal/journal.h"
#include "journal/place.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

static char *lock_path(const struct place *place)
{
	return str_fmt("%s.lock", place->path);
}

/* "pid 4711 (root), since 2026-12-01T22:00:03+09:00" */
static int write_holder(int fd)
{
	char stamp[TIME_TEXT_MAX], names[4096];
	int64_t now = clock_wall_ms(&clock_system);
	time_t seconds = (time_t)(now / 1000);
	struct passwd entry, *user = NULL;
	struct tm local = { 0 };
	char *text;
	int r = 0;

	localtime_r(&seconds, &local);
	time_format(now, (int)(local.tm_gmtoff / 60), stamp);
	if (getpwuid_r(geteuid(), &entry, names, sizeof(names), &user) == 0 && user)
		text = str_fmt("pid %ld (%s), since %s", (long)getpid(), user->pw_name, stamp);
	else
		text = str_fmt("pid %ld (uid %lu), since %s", (long)getpid(), (unsigned long)geteuid(), stamp);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0)
		r = -1;
	free(text);
	return r;
}

static void read_holder(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	/* Between its lock and its first byte. */
	if (!*text)
		snprintf(text, size, "a controller that has just begun");
}

int place_lock(const struct place *place, int *out, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = lock_path(place), who[256];
	int r = 0;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		r = err_errno(err, errno, "cannot open the lock %s", path);
	} else if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
		if (write_holder(fd) < 0)
			r = err_errno(err, errno, "cannot write the lock %s", path);
	} else if (errno == EAGAIN || errno == EACCES) {
		read_holder(fd, who, sizeof(who));
		r = err_set(err, E_LOCKED,
			    "another controller holds the state file %s: %s; wait until it ends, or stop it",
			    place->path, who);
	} else {
		r = err_errno(err, errno, "cannot lock %s", path);
	}
	if (r && fd >= 0)
		close(fd);
	else if (!r)
		*out = fd;
	free(path);
	return r;
}

int place_lock_holder(const struct place *place, char *text, size_t size, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = lock_path(place);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r = 0;

	if (fd < 0)
		r = err_errno(err, errno, "cannot open the lock %s", path);
	else if (fcntl(fd, F_OFD_GETLK, &whole) < 0)
		r = err_errno(err, errno, "cannot look at the lock %s", path);
	else if (whole.l_type == F_UNLCK)
		r = err_set(err, E_NOTFOUND, "nobody holds the state file %s", place->path);
	else
		read_holder(fd, text, size);
	if (fd >= 0)
		close(fd);
	free(path);
	return r;
}

int journal_lock_holder(const char *path, char *text, size_t size, struct err *err)
{
	struct place place;
	int r = place_find(path, &place, err);

	if (!r)
		r = place_lock_holder(&place, text, size, err);
	place_release(&place);
	return r;
}

char *journal_socket_path(const char *path)
{
	struct place place;
	char *text = place_find(path, &place, NULL) == 0 ? str_fmt("%s.sock", place.path) : str_fmt("%s.sock", path);

	place_release(&place);
	return text;
}
