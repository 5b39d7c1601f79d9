/* Where files come from: the disk, or what was read before. */
#include "inventory/loading.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

static int disk_read(void *arg, const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	struct stat st;

	(void)arg;
	/* Room for all of it at once: a large file would be copied as often as it doubles. */
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 65536 && (size_t)st.st_size <= max_bytes)
		buf_room(out, (size_t)st.st_size + 65536);
	return file_read(path, max_bytes, out, err);
}

/* A folder that cannot be read would be tenants left out in silence. */
static int glob_failed(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* By bytes, so that the order of tenants is the same under every locale. */
static void sort(struct strings *list)
{
	qsort(list->at, list->n, sizeof(*list->at), compare_text);
}

static int disk_glob(void *arg, const char *pattern, struct strings *out, struct err *err)
{
	glob_t found = { 0 };
	int r;

	(void)arg;
	r = glob(pattern, GLOB_NOSORT, glob_failed, &found);
	if (r != 0 && r != GLOB_NOMATCH) {
		globfree(&found);
		return err_set(err, E_IO, "a folder of %s cannot be read", pattern);
	}
	out->at = NEW_N(char *, found.gl_pathc + 1);
	for (size_t i = 0; i < found.gl_pathc; i++)
		out->at[out->n++] = str_dup(found.gl_pathv[i]);
	globfree(&found);
	sort(out);
	return 0;
}

const struct file_source file_source_disk = { disk_read, disk_glob, NULL, true };

/* Hundreds of includes are looked up among hundreds of files, so by hash; made at the first look. */
static const struct source_file *stored_file(struct inventory *inv, const char *path)
{
	if (!inv->store)
		inv->store = NEW(struct inventory_store);
	for (size_t i = inv->store->files.n; i < inv->files_n; i++)
		names_add(&inv->store->files, inv->files[i].path, &inv->files[i]);
	return names_get(&inv->store->files, path);
}

static int stored_read(void *arg, const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	const struct source_file *file = stored_file(arg, path);

	if (!file)
		return err_set(err, E_NOTFOUND, "the stored revision does not hold %s", path);
	if (file->len > max_bytes)
		return err_set(err, E_LIMIT, "%s has %zu bytes, more than the %zu that are allowed", path, file->len,
			       max_bytes);
	buf_add(out, file->bytes, file->len);
	return 0;
}

static int stored_glob(void *arg, const char *pattern, struct strings *out, struct err *err)
{
	const struct inventory *inv = arg;

	(void)err;
	out->at = NEW_N(char *, inv->files_n + 1);
	for (size_t i = 0; i < inv->files_n; i++)
		if (fnmatch(pattern, inv->files[i].path, FNM_PATHNAME | FNM_PERIOD) == 0)
			out->at[out->n++] = str_dup(inv->files[i].path);
	sort(out);
	return 0;
}

struct file_source file_source_stored(struct inventory *files)
{
	return (struct file_source){ stored_read, stored_glob, files, false };
}
