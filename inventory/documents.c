#include "inventory/documents.h"

#include "inventory/json_text.h"

#include "base/alloc.h"
#include "base/file.h"

#include <limits.h>
#include <unistd.h>

/* ---- paths ------------------------------------------------------------------------------------------------------ */

/* Works out "//", "." and ".." of an absolute path, as text: what a stored file is called must not depend on a disk. */
static char *normalised(const char *path)
{
	char *out = mem_new(strlen(path) + 2, 1);
	size_t len = 0;

	for (const char *p = path; *p;) {
		size_t part;
		p += strspn(p, "/");
		part = strcspn(p, "/");
		if (part == 2 && strncmp(p, "..", 2) == 0) {
			while (len && out[--len] != '/')
				;
		} else if (part && !(part == 1 && *p == '.')) {
			out[len++] = '/';
			memcpy(out + len, p, part);
			len += part;
		}
		p += part;
	}
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
	return out;
}

char *path_absolute(const char *path)
{
	char *cwd, *joined, *out;

	if (*path == '/')
		return normalised(path);
	cwd = getcwd(NULL, 0);
	joined = str_fmt("%s/%s", cwd ? cwd : "", path);
	out = normalised(joined);
	free(cwd);
	free(joined);
	return out;
}

char *path_from(const char *from, const char *path)
{
	char *folder = file_dirname(from);
	char *joined = *path == '/' ? str_dup(path) : str_fmt("%s/%s", folder, path);
	char *out = normalised(joined);

	free(folder);
	free(joined);
	return out;
}

static bool is_inside(const char *folder, const char *path)
{
	size_t len = strlen(folder);

	return strcmp(folder, "/") == 0 || (strncmp(folder, path, len) == 0 && path[len] == '/');
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

static void add_file(struct inventory *inv, const char *path, char *bytes, size_t len)
{
	GROW_FOR_ONE(inv->files, inv->files_n);
	inv->files[inv->files_n++] = (struct source_file){ str_dup(path), bytes, len };
}

void inventory_add_file(struct inventory *inv, const char *path, const void *bytes, size_t len)
{
	add_file(inv, path, str_ndup(bytes, len), len);
}

/* `said`: where the file is named; NULL for the inventory itself. */
static int read_failed(struct loading *l, const char *path, const struct place *said, struct err *err)
{
	if (!said)
		problem_add_file(l, path, 0, 0, err->text);
	else if (err->code == E_NOTFOUND)
		problem_add(l, said, "the file %s does not exist", path);
	else
		problem_add(l, said, "%s", err->text);
	return err->code;
}

/* Small files are read into one buffer and copied: a mapping of memory a file would be slow, and the kernel has a
 * limit. */
#define OWN_BUFFER_BYTES ((size_t)1 << 20)

static void keep_read(struct loading *l, const char *path)
{
	size_t len = l->reading.len;

	if (len < OWN_BUFFER_BYTES) {
		inventory_add_file(l->inv, path, buf_str(&l->reading), len);
		return;
	}
	add_file(l->inv, path, mem_grow(buf_detach(&l->reading), len + 1, 1), len);
}

int document_read(struct loading *l, const char *path, const struct place *said, json_t **root, struct err *err)
{
	const struct source_file *file;
	struct json_fault fault;
	struct err why = { 0 };
	int r;

	*root = NULL;
	buf_clear(&l->reading);
	l->reading.max = INVENTORY_FILE_MAX_BYTES + 1;
	r = l->source->read(l->source->arg, path, INVENTORY_FILE_MAX_BYTES, &l->reading, &why);
	if (r) {
		read_failed(l, path, said, &why);
		return err_set(err, r, "%s", why.text);
	}
	keep_read(l, path);
	file = &l->inv->files[l->inv->files_n - 1];
	*root = json_text_parse(file->bytes, file->len, &fault);
	if (*root)
		return 0;
	problem_add_file(l, path, fault.line, fault.column, fault.text);
	return err_set(err, E_INVAL, "%s: line %d column %d: %s", path, fault.line, fault.column, fault.text);
}

/* ---- the tree --------------------------------------------------------------------------------------------------- */

static const char *identity_of(struct loading *l, const char *path)
{
	char *real = l->source->is_disk ? realpath(path, NULL) : NULL;
	const char *out = arena_dup(&l->scratch, real ? real : path);

	free(real);
	return out;
}

static struct document *add_document(struct loading *l, struct documents *docs, const char *path, const char *identity,
				     const struct document *by)
{
	struct document *d = arena_alloc(&l->scratch, 1, sizeof(*d));

	d->path = arena_dup(&l->scratch, path);
	d->identity = identity;
	d->by = by;
	GROW_FOR_ONE(docs->at, docs->n);
	docs->at[docs->n++] = d;
	return d;
}

int documents_open(struct loading *l, const char *path, struct documents *docs, struct err *err)
{
	struct document *d = add_document(l, docs, path, identity_of(l, path), NULL);

	return document_read(l, path, NULL, &d->root, err);
}

struct place document_place(const struct document *d)
{
	return (struct place){ .file = d->path };
}

const json_t *document_tenants(const struct document *d, size_t *n)
{
	const json_t *tenants = d->is_tenant ? d->root : json_object_get(d->root, "tenants");

	*n = d->is_tenant ? 1 : json_array_size(tenants);
	return tenants;
}

static void include_all(struct loading *l, struct documents *docs, const struct document *by, int depth);

/* Is it read already? A file that includes itself is an error, one that two patterns match is not. */
static bool is_known(struct loading *l, const struct place *said, const struct document *by, const char *path,
		     const char *identity)
{
	for (const struct document *d = by; d; d = d->by) {
		if (strcmp(d->identity, identity) == 0) {
			problem_add(l, said, "the include loops: %s includes itself%s", path,
				    d == by ? "" : " by way of others");
			return true;
		}
	}
	return names_get(&l->included, path) != NULL;
}

static bool leaves(struct loading *l, const struct place *said, const char *path, const char *identity)
{
	if (!is_inside(l->inv->folder, path)) {
		problem_add(l, said, "%s is outside the inventory's folder %s", path, l->inv->folder);
		return true;
	}
	if (!l->real_folder)
		l->real_folder = identity_of(l, l->inv->folder);
	/* A file that is not there has no other name than its own. */
	if (strcmp(identity, path) == 0 || is_inside(l->real_folder, identity))
		return false;
	problem_add(l, said, "%s is a link that leads out of the inventory's folder, to %s", path, identity);
	return true;
}

static void include_one(struct loading *l, struct documents *docs, const struct document *by, const struct place *said,
			const char *path, int depth)
{
	const char *identity = identity_of(l, path);
	struct document *d;

	if (leaves(l, said, path, identity) || is_known(l, said, by, path, identity))
		return;
	if (docs->bytes > DOCUMENTS_TOTAL_MAX_BYTES) {
		problem_add(l, said, "the files are larger than %zu bytes together", DOCUMENTS_TOTAL_MAX_BYTES);
		return;
	}
	d = add_document(l, docs, path, identity, by);
	names_add(&l->included, d->path, d);
	if (document_read(l, path, said, &d->root, NULL) != 0)
		return;
	docs->bytes += l->inv->files[l->inv->files_n - 1].len;
	d->is_tenant = json_object_get(d->root, "id") ||
		       (!json_object_get(d->root, "tenants") && !json_object_get(d->root, "include"));
	if (json_object_get(d->root, "include"))
		include_all(l, docs, d, depth + 1);
}

/* The pattern is the operator's, the folder before it is not: what is special in it is quoted. */
static char *glob_pattern(const char *from, const char *pattern)
{
	char *folder = path_from(from, ".");
	struct buf quoted = BUF_INIT;
	char *joined, *out;

	for (const char *p = folder; *pattern != '/' && *p; p++) {
		if (strchr("*?[\\", *p))
			buf_addc(&quoted, '\\');
		buf_addc(&quoted, *p);
	}
	joined = str_fmt("%s/%s", buf_str(&quoted), pattern);
	out = normalised(joined);
	buf_release(&quoted);
	free(joined);
	free(folder);
	return out;
}

static void include_glob(struct loading *l, struct documents *docs, const struct document *by, const struct place *said,
			 const char *pattern, int depth)
{
	char *quoted = glob_pattern(by->path, pattern);
	struct strings found = { 0 };
	struct err err = { 0 };

	if (l->source->glob(l->source->arg, quoted, &found, &err) != 0)
		problem_add(l, said, "%s", err.text);
	for (size_t i = 0; i < found.n; i++) {
		include_one(l, docs, by, said, found.at[i], depth);
		free(found.at[i]);
	}
	free(found.at);
	free(quoted);
}

static void include_pattern(struct loading *l, struct documents *docs, const struct document *by,
			    const struct place *said, const char *pattern, int depth)
{
	char *path = path_from(by->path, pattern);

	if (!strpbrk(pattern, "*?["))
		include_one(l, docs, by, said, path, depth);
	else if (!is_inside(l->inv->folder, path))
		problem_add(l, said, "%s is outside the inventory's folder %s", path, l->inv->folder);
	else
		include_glob(l, docs, by, said, pattern, depth);
	free(path);
}

static void include_all(struct loading *l, struct documents *docs, const struct document *by, int depth)
{
	const json_t *list = json_object_get(by->root, "include");
	struct place root = document_place(by), include = place_key(&root, "include");

	if (depth > DOCUMENTS_NESTED_MAX) {
		problem_add(l, &include, "includes are nested more than %d deep", DOCUMENTS_NESTED_MAX);
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct place at = place_index(&include, i);
		const char *pattern = json_string_value(json_array_get(list, i));
		if (pattern && *pattern)
			include_pattern(l, docs, by, &at, pattern, depth);
	}
}

void documents_include(struct loading *l, struct documents *docs)
{
	include_all(l, docs, docs->at[0], 1);
}

void documents_release(struct documents *docs)
{
	for (size_t i = 0; i < docs->n; i++)
		json_decref(docs->at[i]->root);
	free(docs->at);
	*docs = (struct documents){ 0 };
}
