/*
 * sftp-server.exe: SFTP by Win32's calls, with the access, the sharing and the error numbers that OpenSSH for Windows
 * uses (sftp-server.c and contrib/win32/win32compat in PowerShell/openssh-portable, read at version 9.8), so that a
 * file that a service holds is refused as it is on Windows, names have no case, and `C:` works as there:
 *
 *   open to read     shared with readers and writers; to write: with writers; for both: with nobody
 *   sharing violation, a rename onto what exists  FAILURE       access denied, read-only file  PERMISSION_DENIED
 *   rename           a hard link and a removal; posix-rename: MoveFileEx, which replaces
 *   setstat          the mode is the read-only bit; an owner is FAILURE
 *   stat             uid and gid 0; group has no bits in the mode, others what the ACL gives everybody (not looked at
 * here) paths            /C:/x, C:/x, C:\x, relative to the user's folder; / lists the drives
 *
 * stdin and stdout are the channel.
 */
#include "protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define EPOCH_SECONDS 11644473600ull
#define TICKS_PER_SECOND 10000000ull

/* errno_from_Win32Error and errno_to_portable there, in one. */
static enum sftp_status status_of(DWORD error)
{
	switch (error) {
	case ERROR_SUCCESS:
		return SFTP_OK;
	case ERROR_PRIVILEGE_NOT_HELD:
	case ERROR_ACCESS_DENIED:
		return SFTP_PERMISSION_DENIED;
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
	case ERROR_INVALID_NAME:
		return SFTP_NO_SUCH_FILE;
	}
	return SFTP_FAILURE;
}

/* The C library's functions there (unlink, rmdir, chmod) have another table: a sharing violation is EACCES in it. */
static enum sftp_status status_of_crt(DWORD error)
{
	return error == ERROR_SHARING_VIOLATION || error == ERROR_LOCK_VIOLATION ? SFTP_PERMISSION_DENIED
										 : status_of(error);
}

static enum sftp_status last(BOOL ok)
{
	return ok ? SFTP_OK : status_of(GetLastError());
}

/* Without the slash before a drive; "C:" is its root. False where it is no path. "" is the list of drives. */
static bool to_windows(const char *path, wchar_t wide[SFTP_PATH_MAX])
{
	wchar_t given[SFTP_PATH_MAX];

	if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, given, SFTP_PATH_MAX - 2) == 0)
		return false;
	wchar_t *p = given;
	if ((p[0] == L'/' || p[0] == L'\\') && p[1] == 0) {
		wide[0] = 0;
		return true;
	}
	if (p[0] == L'/' && p[1] && p[2] == L':')
		p++;
	if (p[1] == L':' && p[2] == 0) {
		p[2] = L'\\';
		p[3] = 0;
	}
	DWORD n = GetFullPathNameW(p, SFTP_PATH_MAX - 1, wide, NULL);
	return n > 0 && n < SFTP_PATH_MAX;
}

#define WIDE(wide, path)                                                                                               \
	wchar_t wide[SFTP_PATH_MAX];                                                                                   \
	if (!to_windows(path, wide))                                                                                   \
		return SFTP_BAD_MESSAGE;

/* /C:/Users/Administrator: as Windows writes it, whatever the case of the file is. */
static enum sftp_status win_realpath(void *self, const char *path, char *out)
{
	WIDE(wide, path)

	(void)self;
	out[0] = '/';
	if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, out + 1, SFTP_PATH_MAX - 1, NULL, NULL) == 0)
		return SFTP_BAD_MESSAGE;
	for (char *c = out; *c; c++)
		if (*c == '\\')
			*c = '/';
	size_t n = strlen(out);
	if (n > 4 && out[n - 1] == '/')
		out[n - 1] = 0;
	return SFTP_OK;
}

static uint32_t to_unix(FILETIME t)
{
	uint64_t ticks = (uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime;

	return (uint32_t)(ticks / TICKS_PER_SECOND - EPOCH_SECONDS);
}

static FILETIME to_filetime(uint32_t seconds)
{
	uint64_t ticks = (seconds + EPOCH_SECONDS) * TICKS_PER_SECOND;

	return (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
}

static void fill_attrs(struct sftp_attrs *a, DWORD attributes, DWORD high, DWORD low, FILETIME accessed,
		       FILETIME written)
{
	*a = (struct sftp_attrs){.has = SFTP_HAS_SIZE | SFTP_HAS_OWNER | SFTP_HAS_MODE | SFTP_HAS_TIMES};
	a->size = (uint64_t)high << 32 | low;
	a->mode = attributes & FILE_ATTRIBUTE_DIRECTORY ? 0040000 | 0100 : 0100000;
	a->mode |= 0400 | (attributes & FILE_ATTRIBUTE_READONLY ? 0 : 0200);
	a->atime = to_unix(accessed);
	a->mtime = to_unix(written);
}

static enum sftp_status win_stat(void *self, const char *path, struct sftp_attrs *attrs)
{
	WIDE(wide, path)
	WIN32_FILE_ATTRIBUTE_DATA data;

	(void)self;
	if (wide[0] == 0) {
		*attrs = (struct sftp_attrs){.has = SFTP_HAS_OWNER | SFTP_HAS_MODE, .mode = 0040777};
		return SFTP_OK;
	}
	if (!GetFileAttributesExW(wide, GetFileExInfoStandard, &data))
		return status_of(GetLastError());
	fill_attrs(attrs, data.dwFileAttributes, data.nFileSizeHigh, data.nFileSizeLow, data.ftLastAccessTime,
		   data.ftLastWriteTime);
	return SFTP_OK;
}

static enum sftp_status set_mode(const wchar_t *wide, uint32_t mode)
{
	DWORD attributes = GetFileAttributesW(wide);

	if (attributes == INVALID_FILE_ATTRIBUTES)
		return status_of_crt(GetLastError());
	attributes &= ~(DWORD)FILE_ATTRIBUTE_READONLY;
	if (!(mode & 0200))
		attributes |= FILE_ATTRIBUTE_READONLY;
	return SetFileAttributesW(wide, attributes) ? SFTP_OK : status_of_crt(GetLastError());
}

static enum sftp_status set_times(HANDLE file, const struct sftp_attrs *attrs)
{
	FILETIME accessed = to_filetime(attrs->atime), written = to_filetime(attrs->mtime);

	return last(SetFileTime(file, NULL, &accessed, &written));
}

static enum sftp_status set_size(HANDLE file, uint64_t size)
{
	LARGE_INTEGER to = {.QuadPart = (LONGLONG)size};

	return last(SetFilePointerEx(file, to, NULL, FILE_BEGIN) && SetEndOfFile(file));
}

static enum sftp_status with_write_handle(const wchar_t *wide, const struct sftp_attrs *attrs)
{
	enum sftp_status status = SFTP_OK;

	HANDLE file =
	    CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_WRITE, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return status_of(GetLastError());
	if (attrs->has & SFTP_HAS_SIZE)
		status = set_size(file, attrs->size);
	if (!status && attrs->has & SFTP_HAS_TIMES)
		status = set_times(file, attrs);
	CloseHandle(file);
	return status;
}

static enum sftp_status win_setstat(void *self, const char *path, const struct sftp_attrs *attrs)
{
	WIDE(wide, path)
	enum sftp_status status = SFTP_OK;

	(void)self;
	if (attrs->has & (SFTP_HAS_SIZE | SFTP_HAS_TIMES))
		status = with_write_handle(wide, attrs);
	if (attrs->has & SFTP_HAS_MODE)
		status = set_mode(wide, attrs->mode);
	return attrs->has & SFTP_HAS_OWNER ? SFTP_FAILURE : status;
}

/* A file and its path: fsetstat's mode goes by the path, there as here. */
struct file {
	HANDLE handle;
	bool appends;
	wchar_t path[SFTP_PATH_MAX];
};

static DWORD disposition(uint32_t flags)
{
	if (!(flags & SFTP_CREATE))
		return flags & SFTP_TRUNCATE ? TRUNCATE_EXISTING : OPEN_EXISTING;
	if (flags & SFTP_EXCLUSIVE)
		return CREATE_NEW;
	return flags & SFTP_TRUNCATE ? CREATE_ALWAYS : OPEN_ALWAYS;
}

static enum sftp_status win_open(void *self, const char *path, uint32_t flags, void **out)
{
	WIDE(wide, path)
	DWORD access = 0, share = 0;

	(void)self;
	switch (flags & (SFTP_READ | SFTP_WRITE)) {
	case SFTP_READ:
		access = GENERIC_READ;
		share = FILE_SHARE_READ | FILE_SHARE_WRITE;
		break;
	case SFTP_WRITE:
		access = GENERIC_WRITE;
		share = FILE_SHARE_WRITE;
		break;
	case SFTP_READ | SFTP_WRITE:
		access = GENERIC_READ | GENERIC_WRITE;
		break;
	default:
		return SFTP_BAD_MESSAGE;
	}
	if (flags & SFTP_APPEND)
		access = FILE_APPEND_DATA;
	HANDLE handle = CreateFileW(wide, access, share, NULL, disposition(flags), FILE_FLAG_BACKUP_SEMANTICS, NULL);
	if (handle == INVALID_HANDLE_VALUE)
		return status_of(GetLastError());
	struct file *file = calloc(1, sizeof *file);
	if (!file)
		abort();
	file->handle = handle;
	file->appends = flags & SFTP_APPEND;
	memcpy(file->path, wide, sizeof wide);
	*out = file;
	return SFTP_OK;
}

static enum sftp_status win_close(void *self, void *thing)
{
	struct file *file = thing;
	enum sftp_status status = last(CloseHandle(file->handle));

	(void)self;
	free(file);
	return status;
}

static OVERLAPPED at(uint64_t offset)
{
	return (OVERLAPPED){.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
}

static enum sftp_status win_read(void *self, void *thing, uint64_t offset, void *bytes, size_t *size)
{
	struct file *file = thing;
	OVERLAPPED where = at(offset);
	DWORD n = 0;

	(void)self;
	if (!ReadFile(file->handle, bytes, (DWORD)*size, &n, &where))
		return GetLastError() == ERROR_HANDLE_EOF ? SFTP_EOF : status_of(GetLastError());
	*size = n;
	return n == 0 ? SFTP_EOF : SFTP_OK;
}

static enum sftp_status win_write(void *self, void *thing, uint64_t offset, const void *bytes, size_t size)
{
	struct file *file = thing;
	OVERLAPPED where = at(offset);
	DWORD n;

	(void)self;
	for (const char *from = bytes; size > 0; from += n, size -= n, offset += n) {
		where = at(offset);
		if (!WriteFile(file->handle, from, (DWORD)size, &n, file->appends ? NULL : &where))
			return status_of(GetLastError());
	}
	return SFTP_OK;
}

static enum sftp_status win_fstat(void *self, void *thing, struct sftp_attrs *attrs)
{
	struct file *file = thing;
	BY_HANDLE_FILE_INFORMATION data;

	(void)self;
	if (!GetFileInformationByHandle(file->handle, &data))
		return status_of(GetLastError());
	fill_attrs(attrs, data.dwFileAttributes, data.nFileSizeHigh, data.nFileSizeLow, data.ftLastAccessTime,
		   data.ftLastWriteTime);
	return SFTP_OK;
}

static enum sftp_status win_fsetstat(void *self, void *thing, const struct sftp_attrs *attrs)
{
	struct file *file = thing;
	enum sftp_status status = SFTP_OK;

	(void)self;
	if (attrs->has & SFTP_HAS_SIZE)
		status = set_size(file->handle, attrs->size);
	if (attrs->has & SFTP_HAS_MODE)
		status = set_mode(file->path, attrs->mode);
	if (attrs->has & SFTP_HAS_TIMES)
		status = set_times(file->handle, attrs);
	return attrs->has & SFTP_HAS_OWNER ? SFTP_FAILURE : status;
}

static enum sftp_status win_fsync(void *self, void *thing)
{
	struct file *file = thing;

	(void)self;
	return last(FlushFileBuffers(file->handle));
}

/* A folder that is being listed; or, with no find, the drives. */
struct dir {
	HANDLE find;
	bool first, is_drives;
	DWORD drives;
	WIN32_FIND_DATAW entry;
};

static enum sftp_status win_opendir(void *self, const char *path, void **out)
{
	WIDE(wide, path)
	struct dir *dir = calloc(1, sizeof *dir);

	(void)self;
	if (!dir)
		abort();
	*out = dir;
	dir->first = true;
	dir->is_drives = wide[0] == 0;
	dir->drives = GetLogicalDrives();
	if (dir->is_drives)
		return SFTP_OK;
	size_t n = wcslen(wide);
	_snwprintf(wide + n, SFTP_PATH_MAX - n - 1, n > 0 && wide[n - 1] == L'\\' ? L"*" : L"\\*");
	dir->find = FindFirstFileW(wide, &dir->entry);
	if (dir->find != INVALID_HANDLE_VALUE)
		return SFTP_OK;
	enum sftp_status status = status_of(GetLastError());
	free(dir);
	return status;
}

static enum sftp_status next_drive(struct dir *dir, char *name, struct sftp_attrs *attrs)
{
	for (int i = 0; i < 26; i++) {
		if (!(dir->drives & 1u << i))
			continue;
		dir->drives &= ~(1u << i);
		snprintf(name, SFTP_PATH_MAX, "%c:", 'A' + i);
		*attrs = (struct sftp_attrs){.has = SFTP_HAS_OWNER | SFTP_HAS_MODE, .mode = 0040700};
		return SFTP_OK;
	}
	return SFTP_EOF;
}

static enum sftp_status win_readdir(void *self, void *thing, char *name, struct sftp_attrs *attrs)
{
	struct dir *dir = thing;
	const WIN32_FIND_DATAW *e = &dir->entry;

	(void)self;
	if (dir->is_drives)
		return next_drive(dir, name, attrs);
	if (!dir->first && !FindNextFileW(dir->find, &dir->entry))
		return SFTP_EOF;
	dir->first = false;
	if (WideCharToMultiByte(CP_UTF8, 0, e->cFileName, -1, name, SFTP_PATH_MAX, NULL, NULL) == 0)
		return SFTP_FAILURE;
	fill_attrs(attrs, e->dwFileAttributes, e->nFileSizeHigh, e->nFileSizeLow, e->ftLastAccessTime,
		   e->ftLastWriteTime);
	return SFTP_OK;
}

static void win_closedir(void *self, void *thing)
{
	struct dir *dir = thing;

	(void)self;
	if (!dir->is_drives)
		FindClose(dir->find);
	free(dir);
}

static enum sftp_status win_remove(void *self, const char *path)
{
	WIDE(wide, path)

	(void)self;
	return DeleteFileW(wide) ? SFTP_OK : status_of_crt(GetLastError());
}

static enum sftp_status win_mkdir(void *self, const char *path)
{
	WIDE(wide, path)

	(void)self;
	return CreateDirectoryW(wide, NULL) ? SFTP_OK : status_of_crt(GetLastError());
}

static enum sftp_status win_rmdir(void *self, const char *path)
{
	WIDE(wide, path)

	(void)self;
	return RemoveDirectoryW(wide) ? SFTP_OK : status_of_crt(GetLastError());
}

/* Wine looks for the new name with its case only, so it is looked for here. */
static enum sftp_status make_link(const wchar_t *from, const wchar_t *to)
{
	if (GetFileAttributesW(to) != INVALID_FILE_ATTRIBUTES)
		return status_of(ERROR_ALREADY_EXISTS);
	return last(CreateHardLinkW(to, from, NULL));
}

static enum sftp_status win_hardlink(void *self, const char *from, const char *to)
{
	WIDE(wide_from, from)
	WIDE(wide_to, to)

	(void)self;
	return make_link(wide_from, wide_to);
}

/* A file: link, then unlink. A folder: only where nothing is in the way. */
static enum sftp_status win_rename(void *self, const char *from, const char *to)
{
	WIDE(wide_from, from)
	WIDE(wide_to, to)
	DWORD attributes = GetFileAttributesW(wide_from);

	if (attributes == INVALID_FILE_ATTRIBUTES)
		return status_of(GetLastError());
	if (attributes & FILE_ATTRIBUTE_DIRECTORY) {
		if (GetFileAttributesW(wide_to) != INVALID_FILE_ATTRIBUTES)
			return SFTP_FAILURE;
		return last(MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_COPY_ALLOWED));
	}
	enum sftp_status status = make_link(wide_from, wide_to);
	if (status)
		return status;
	status = win_remove(self, from);
	if (status)
		DeleteFileW(wide_to);
	return status;
}

/* Wine would replace a read-only file, Windows does not. */
static enum sftp_status win_posix_rename(void *self, const char *from, const char *to)
{
	WIDE(wide_from, from)
	WIDE(wide_to, to)
	DWORD attributes = GetFileAttributesW(wide_to);

	(void)self;
	if (attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_READONLY)
		return SFTP_PERMISSION_DENIED;
	return last(MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_COPY_ALLOWED));
}

static const struct sftp_files win32_files = {
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
    .posix_rename = win_posix_rename,
    .hardlink = win_hardlink,
    .fsync = win_fsync,
};

static void send_all(void *to, const void *bytes, size_t size)
{
	DWORD n;

	for (const char *from = bytes; size > 0; from += n, size -= n)
		if (!WriteFile(to, from, (DWORD)size, &n, NULL) || n == 0)
			exit(1);
}

int wmain(void)
{
	static char bytes[SFTP_DATA_MAX];
	DWORD n;

	SetCurrentDirectoryW(_wgetenv(L"USERPROFILE"));
	struct sftp *sftp = sftp_new(&win32_files, NULL, send_all, GetStdHandle(STD_OUTPUT_HANDLE));
	while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes, sizeof bytes, &n, NULL) && n > 0)
		if (!sftp_input(sftp, bytes, n))
			return 1;
	sftp_free(sftp);
	return 0;
}
