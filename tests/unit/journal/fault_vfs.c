#include "fault_vfs.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

#define SECTOR 512
#define FILES_MAX 32

/* ---- what is on the disk -------------------------------------------------------------------------------------- */

/* A change that was not synced yet: bytes at a place, or a new size (bytes NULL). */
struct change {
	sqlite3_int64 at;
	size_t len;
	char *bytes;
};

struct disk_file {
	char *path;
	struct buf synced;
	struct change *changes;
	size_t changes_n;
};

static struct disk_file files[FILES_MAX];
static int files_n;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void (*on_change)(void *);
static void *on_change_arg;

static void change_image(struct buf *image, const struct change *c, size_t from, size_t len)
{
	size_t end = (size_t)c->at + from + len;

	if (!c->bytes) {
		while (image->len < (size_t)c->at)
			buf_addc(image, '\0');
		image->len = (size_t)c->at;
		return;
	}
	while (image->len < end)
		buf_addc(image, '\0');
	memcpy(image->data + c->at + from, c->bytes + from, len);
}

static void forget_changes(struct disk_file *f)
{
	for (size_t i = 0; i < f->changes_n; i++)
		free(f->changes[i].bytes);
	f->changes_n = 0;
}

/* With the mutex held. What is there already when it is first seen is taken as synced; a file that was renamed brings
   its past with it. */
static struct disk_file *disk_file(const char *path)
{
	struct disk_file *f;
	size_t len = strlen(path);
	int fd;

	for (int i = 0; i < files_n; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	for (int i = 0; i < files_n; i++) {
		if (strncmp(files[i].path, path, len) == 0 && strcmp(files[i].path + len, ".new") == 0) {
			free(files[i].path);
			files[i].path = str_dup(path);
			return &files[i];
		}
	}
	ck_assert_int_lt(files_n, FILES_MAX);
	f = &files[files_n++];
	*f = (struct disk_file){ .path = str_dup(path) };
	fd = open(path, O_RDONLY);
	for (ssize_t n = 1; fd >= 0 && n > 0;) {
		size_t room = buf_room(&f->synced, 65536);
		n = read(fd, f->synced.data + f->synced.len, room);
		f->synced.len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return f;
}

static void changed(const char *path, const void *bytes, size_t len, sqlite3_int64 at)
{
	struct disk_file *f;

	if (!path || !on_change)
		return;
	pthread_mutex_lock(&mutex);
	f = disk_file(path);
	GROW_FOR_ONE(f->changes, f->changes_n);
	f->changes[f->changes_n++] =
		(struct change){ .at = at, .len = len, .bytes = bytes ? str_ndup(bytes, len) : NULL };
	pthread_mutex_unlock(&mutex);
}

static void synced(const char *path)
{
	struct disk_file *f;

	if (!path || !on_change)
		return;
	pthread_mutex_lock(&mutex);
	f = disk_file(path);
	for (size_t i = 0; i < f->changes_n; i++)
		change_image(&f->synced, &f->changes[i], 0, f->changes[i].len);
	forget_changes(f);
	pthread_mutex_unlock(&mutex);
}

/* Each change came whole, not at all, or only some of its sectors did. */
static void add_some(struct buf *image, const struct disk_file *f, unsigned *random, unsigned seed)
{
	for (size_t i = 0; i < f->changes_n; i++) {
		const struct change *c = &f->changes[i];
		int fate = seed == 1 ? 0 : rand_r(random) % 3;
		if (fate == 0)
			change_image(image, c, 0, c->len);
		for (size_t from = 0; fate == 1 && c->bytes && from < c->len; from += SECTOR)
			if (rand_r(random) % 2)
				change_image(image, c, from, c->len - from < SECTOR ? c->len - from : SECTOR);
	}
}

static void write_image(const char *folder, const struct disk_file *f, const struct buf *image)
{
	char *path = str_fmt("%s%s", folder, strrchr(f->path, '/'));
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, buf_str(image), image->len) != (ssize_t)image->len)
		abort();
	close(fd);
	free(path);
}

void fault_power_off(const char *folder, unsigned seed)
{
	unsigned random = seed;

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < files_n; i++) {
		struct buf image = BUF_INIT;
		if (access(files[i].path, F_OK) != 0)
			continue; /* deleted */
		buf_add(&image, buf_str(&files[i].synced), files[i].synced.len);
		if (seed)
			add_some(&image, &files[i], &random, seed);
		write_image(folder, &files[i], &image);
		buf_release(&image);
	}
	pthread_mutex_unlock(&mutex);
}

void fault_on_change(void (*fn)(void *), void *arg)
{
	on_change = fn;
	on_change_arg = arg;
}

/* ---- what fails ----------------------------------------------------------------------------------------------- */

static atomic_int armed_kind, left = -1, sticky_fault, happened;

void fault_arm(enum fault_kind kind, int n, bool sticky)
{
	atomic_store(&left, -1);
	atomic_store(&armed_kind, (int)kind);
	atomic_store(&sticky_fault, sticky);
	atomic_store(&happened, 0);
	atomic_store(&left, n);
}

bool fault_happened(void)
{
	return atomic_load(&happened);
}

static bool fails(enum fault_kind kind)
{
	if (atomic_load(&left) < 0 || atomic_load(&armed_kind) != (int)kind)
		return false;
	if (atomic_load(&left) > 0) {
		atomic_fetch_sub(&left, 1);
		return false;
	}
	atomic_store(&happened, 1);
	if (!atomic_load(&sticky_fault))
		atomic_store(&left, -1);
	return true;
}

/* ---- the VFS -------------------------------------------------------------------------------------------------- */

struct file {
	sqlite3_file base;
	const char *path; /* SQLite's; NULL for a temporary file */
	sqlite3_file *real;
};

static sqlite3_vfs *machine;

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct file *)f)->real;
}

static int f_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}

static int f_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
	if (fails(FAULT_READ))
		return SQLITE_IOERR_READ;
	return real_of(f)->pMethods->xRead(real_of(f), out, n, at);
}

static void before_change(void)
{
	if (on_change)
		on_change(on_change_arg);
}

static int f_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	int rc;

	before_change();
	if (fails(FAULT_WRITE))
		return SQLITE_IOERR_WRITE;
	if (fails(FAULT_FULL))
		return SQLITE_FULL;
	rc = real_of(f)->pMethods->xWrite(real_of(f), bytes, n, at);
	if (rc == SQLITE_OK)
		changed(((struct file *)f)->path, bytes, (size_t)n, at);
	return rc;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc;

	before_change();
	if (fails(FAULT_TRUNCATE))
		return SQLITE_IOERR_TRUNCATE;
	rc = real_of(f)->pMethods->xTruncate(real_of(f), size);
	if (rc == SQLITE_OK)
		changed(((struct file *)f)->path, NULL, 0, size);
	return rc;
}

/* The machine's disk is not asked: what is synced is what the books say. */
static int f_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	before_change();
	if (fails(FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	synced(((struct file *)f)->path);
	return SQLITE_OK;
}

static int f_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int f_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int f_check_reserved(sqlite3_file *f, int *out)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int f_sector_size(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int f_characteristics(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int f_shm_unmap(sqlite3_file *f, int remove)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_file_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_check_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector_size,
	.xDeviceCharacteristics = f_characteristics,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap,
};

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags, int *out_flags)
{
	struct file *f = (struct file *)out;
	int rc;

	(void)vfs;
	f->real = (sqlite3_file *)(f + 1);
	f->path = name;
	f->base.pMethods = NULL;
	if (name && on_change) {
		pthread_mutex_lock(&mutex);
		disk_file(name);
		pthread_mutex_unlock(&mutex);
	}
	rc = machine->xOpen(machine, name, f->real, flags, out_flags);
	if (f->real->pMethods)
		f->base.pMethods = &methods;
	return rc;
}

void fault_vfs_install(void)
{
	static sqlite3_vfs vfs;

	machine = sqlite3_vfs_find(NULL);
	vfs = *machine;
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct file) + machine->szOsFile;
	vfs.xOpen = v_open;
	vfs.pNext = NULL;
	ck_assert_int_eq(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}
