#include "tests/unit/inventory/fixture.h"

#include "base/alloc.h"
#include "base/file.h"

#include <fnmatch.h>
#include <ftw.h>
#include <unistd.h>

char *quoted(const char *text)
{
	char *out = str_dup(text);

	for (char *p = out; *p; p++)
		if (*p == '\'')
			*p = '"';
	return out;
}

static int text_read(void *arg, const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	(void)max_bytes;
	for (const struct text_file *f = arg; f->path; f++) {
		char *text;
		if (strcmp(f->path, path) != 0)
			continue;
		if (!f->text)
			return err_set(err, E_IO, "cannot read %s", path);
		text = quoted(f->text);
		buf_adds(out, text);
		free(text);
		return 0;
	}
	return err_set(err, E_NOTFOUND, "no %s", path);
}

static int text_glob(void *arg, const char *pattern, struct strings *out, struct err *err)
{
	(void)err;
	for (const struct text_file *f = arg; f->path; f++) {
		if (fnmatch(pattern, f->path, FNM_PATHNAME) != 0)
			continue;
		GROW_FOR_ONE(out->at, out->n);
		out->at[out->n++] = str_dup(f->path);
	}
	return 0;
}

struct file_source text_source(const struct text_file *files)
{
	return (struct file_source){ text_read, text_glob, (void *)files, false };
}

struct inventory *load_texts(const struct text_file *files, struct problems *problems)
{
	struct file_source source = text_source(files);
	struct inventory *inv;
	struct err err = { 0 };
	int r = inventory_load("/m/inv.json", &source, &inv, problems, &err);

	ck_assert_int_eq(r == 0, inv != NULL);
	ck_assert_int_eq(r == 0, problems->n == 0);
	ck_assert_int_eq(r, err.code);
	return inv;
}

struct inventory *load_text(const char *text, struct problems *problems)
{
	const struct text_file files[] = { { "/m/inv.json", text }, { NULL, NULL } };

	return load_texts(files, problems);
}

char *problems_text(const struct problems *problems)
{
	struct buf all = BUF_INIT;

	for (size_t i = 0; i < problems->n; i++) {
		char *text = problem_format(&problems->at[i]);
		buf_addf(&all, "%s\n", text);
		free(text);
	}
	return all.len ? buf_detach(&all) : str_dup("");
}

struct inventory *load_good(const char *text)
{
	struct problems problems = { 0 };
	struct inventory *inv = load_text(text, &problems);
	char *said = problems_text(&problems);

	ck_assert_msg(inv != NULL, "%s", said);
	free(said);
	problems_release(&problems);
	return inv;
}

void refused(const char *text, const char *wanted)
{
	struct problems problems = { 0 };
	struct inventory *inv = load_text(text, &problems);
	char *said = problems_text(&problems);

	ck_assert_msg(inv == NULL && strstr(said, wanted), "wanted: %s\nsaid: %s", wanted, said);
	free(said);
	problems_release(&problems);
}

char *around(const char *root_keys, const char *tenant_keys)
{
	return str_fmt("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', %s 'tenants': [ { 'id': "
		       "'acme',"
		       " 'migration_date': '2026-12-05', 'new_fqdn': 'acme.hes2.example', 'windows': [ { 'start':"
		       " '2026-12-08T22:00:00+09:00', 'end': '2026-12-09T05:00:00+09:00' } ] %s } ] }",
		       root_keys, tenant_keys);
}

char *folder_new(void)
{
	char *folder = str_dup("/tmp/inventory-test-XXXXXX");

	ck_assert_ptr_nonnull(mkdtemp(folder));
	return folder;
}

char *folder_path(const char *folder, const char *name)
{
	return str_fmt("%s/%s", folder, name);
}

void folder_write(const char *folder, const char *name, mode_t mode, const char *text)
{
	char *path = folder_path(folder, name), *parent = file_dirname(path), *bytes = quoted(text);

	ck_assert_int_eq(file_mkdirs(parent, 0755, NULL), 0);
	ck_assert_int_eq(file_write(path, mode, bytes, strlen(bytes), NULL), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	free(bytes);
	free(parent);
	free(path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void folder_remove(char *folder)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(folder);
}
