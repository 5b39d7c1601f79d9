#include "journal/place.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The part behind the last slash. */
static const char *bare_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A file that is not there yet has a real path all the same: its folder's. */
static int find_new(const char *path, struct place *place, struct err *err)
{
	char *folder = file_dirname(path), *real = NULL;
	const char *name = bare_name(path);
	struct stat st;
	int r = 0;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		r = err_set(err, E_INVAL, "\"%s\" is no name for a state file", path);
	else if (lstat(path, &st) == 0)
		r = err_set(err, E_NOTFOUND, "%s is a link to nothing; remove it, or put back what it leads to", path);
	else if (!(real = realpath(folder, NULL)))
		r = err_errno(err, errno, "the folder of the state file %s", path);
	if (!r)
		place->path = str_fmt("%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
	free(real);
	free(folder);
	return r;
}

int place_find(const char *path, struct place *place, struct err *err)
{
	int r;

	*place = (struct place){ .path = realpath(path, NULL) };
	place->exists = place->path != NULL;
	if (!place->exists && errno != ENOENT)
		return err_errno(err, errno, "the state file %s", path);
	if (!place->exists && (r = find_new(path, place, err)) != 0)
		return r;
	place->folder = file_dirname(place->path);
	place->wal = str_fmt("%s-wal", place->path);
	return 0;
}

void place_release(struct place *place)
{
	free(place->path);
	free(place->folder);
	free(place->wal);
	*place = (struct place){ 0 };
}

int place_check_file(const struct place *place, struct err *err)
{
	const char *path = place->path;
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, errno, "the state file %s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, E_INVAL, "%s is a folder; name a file in it, for example %s/cutover.db", path,
			       path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, E_INVAL, "%s is no regular file, so it is no state file", path);
	if (st.st_nlink > 1)
		return err_set(
			err, E_INVAL,
			"%s has %lu names (hard links); its lock and its -wal file go by the name, so leave it one",
			path, (unsigned long)st.st_nlink);
	if (st.st_mode & 077)
		return err_set(err, E_PERM,
			       "others can use the state file %s (mode %04o), and it holds what was on the hosts: "
			       "chmod 600 %s",
			       path, (unsigned)st.st_mode & 07777, path);
	if (st.st_size == 0)
		return err_set(
			err, E_CORRUPT,
			"%s is empty, so it is no state file (or what was in it is lost); to begin anew, remove it",
			path);
	/* The smallest page. SQLite would take less for an empty file, and throw away the log that belongs to it. */
	if (st.st_size < 512)
		return err_set(err, E_CORRUPT,
			       "%s is too short to be a state file: put a copy back, or name another (--state FILE)",
			       path);
	return 0;
}

int place_check_writable(const struct place *place, struct err *err)
{
	if (place->exists && faccessat(AT_FDCWD, place->path, R_OK | W_OK, AT_EACCESS) < 0)
		return err_errno(err, errno, "the state file %s cannot be written", place->path);
	if (faccessat(AT_FDCWD, place->folder, W_OK | X_OK, AT_EACCESS) < 0)
		return err_errno(err, errno,
				 "the folder %s cannot be written, and the state file's log and lock go there",
				 place->folder);
	return 0;
}

/* The numbers are the kernel's (include/uapi/linux/magic.h and the file systems' own sources); not all of them are in
   every <linux/magic.h>. */
static const struct {
	unsigned long magic;
	const char *name;
} network_fs[] = {
	{ 0x6969, "NFS" },        { 0x517b, "SMB" },          { 0xff534d42, "CIFS" },   { 0xfe534d42, "SMB" },
	{ 0x65735546, "FUSE" },   { 0x01021997, "9P" },       { 0x00c36400, "Ceph" },   { 0x0bd00bd0, "Lustre" },
	{ 0x5346414f, "AFS" },    { 0x6b414653, "AFS" },      { 0x73757245, "Coda" },   { 0x01161970, "GFS2" },
	{ 0x7461636f, "OCFS2" },  { 0x786f4256, "vboxsf" },   { 0xbacbacbc, "vmhgfs" }, { 0x47504653, "GPFS" },
	{ 0x19830326, "BeeGFS" }, { 0x20030528, "OrangeFS" }, { 0x564c, "NCP" },
};

const char *place_network_fs(unsigned long magic)
{
	for (size_t i = 0; i < ARRAY_LEN(network_fs); i++)
		if (network_fs[i].magic == (magic & 0xffffffffUL))
			return network_fs[i].name;
	return NULL;
}

int place_check_folder(const struct place *place, struct err *err)
{
	struct statfs fs;
	const char *name;

	if (statfs(place->folder, &fs) < 0)
		return err_errno(err, errno, "the file system of %s", place->folder);
	name = place_network_fs((unsigned long)fs.f_type);
	if (!name)
		return 0;
	return err_set(err, E_INVAL,
		       "%s lies on a %s file system; SQLite's write-ahead log needs memory and locks that are shared, "
		       "which only a "
		       "local disk gives: put the state file on one (--state FILE)",
		       place->path, name);
}

long long place_wal_bytes(const struct place *place)
{
	struct stat st;

	return stat(place->wal, &st) == 0 ? (long long)st.st_size : 0;
}

int place_sync_folder(const struct place *place, struct err *err)
{
	int fd = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0 || fsync(fd) < 0)
		r = err_errno(err, errno, "the folder %s cannot be written to disk", place->folder);
	if (fd >= 0)
		close(fd);
	return r;
}
