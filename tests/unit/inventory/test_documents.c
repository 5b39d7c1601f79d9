#include "tests/unit/inventory/fixture.h"

#include "inventory/documents.h"
#include "inventory/loading.h"

#include "base/alloc.h"
#include "base/file.h"

#include <unistd.h>

#define TENANT_AS(id)                                                                                                  \
	"{ 'id': '" id "', 'migration_date': '2026-12-05', 'new_fqdn': 'a.example', 'windows': [ { 'start':"           \
	" '2026-12-08T22:00:00Z', 'end': '2026-12-09T05:00:00Z' } ] }"
#define ROOT_WITH(include)                                                                                             \
	"{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'include': [" include "] }"

static char *ids_of(const struct inventory *inv)
{
	struct buf ids = BUF_INIT;

	for (size_t i = 0; i < inv->tenants_n; i++) {
		ck_assert_uint_eq(inv->tenants[i].index, i);
		buf_addf(&ids, "%s%s", i ? " " : "", inv->tenants[i].id);
	}
	return ids.len ? buf_detach(&ids) : str_dup("");
}

static struct inventory *load_from(const char *folder, struct problems *problems)
{
	char *path = folder_path(folder, "inv.json");
	struct inventory *inv;

	inventory_load(path, &file_source_disk, &inv, problems, NULL);
	free(path);
	return inv;
}

static void expect_ids(const char *folder, const char *wanted)
{
	struct problems problems = { 0 };
	struct inventory *inv = load_from(folder, &problems);
	char *said = problems_text(&problems), *ids;

	ck_assert_msg(inv != NULL, "%s", said);
	ids = ids_of(inv);
	ck_assert_str_eq(ids, wanted);
	inventory_free(inv);
	problems_release(&problems);
	free(ids);
	free(said);
}

static void expect_problem(const char *folder, const char *wanted)
{
	struct problems problems = { 0 };
	struct inventory *inv = load_from(folder, &problems);
	char *said = problems_text(&problems);

	ck_assert_msg(!inv && strstr(said, wanted), "wanted: %s\nsaid: %s", wanted, said);
	problems_release(&problems);
	free(said);
}

/* In the order of the list, globs by name, depth first; what two patterns match is read once; a file of its own folder
   starts its paths there. */
START_TEST(test_order)
{
	char *f = folder_new();

	folder_write(f, "inv.json", 0644,
		     ROOT_WITH("'t/*.json', 't/b.json', 'one.json', 'none/*.json', './t//b.json'"));
	folder_write(f, "t/b.json", 0644, "{ 'tenants': [ " TENANT_AS("b1") "," TENANT_AS("b2") " ] }");
	folder_write(f, "t/a.json", 0644,
		     "{ 'include': ['deep/*.json', '../two.json'], 'tenants': [ " TENANT_AS("a") " ] }");
	folder_write(f, "t/deep/d.json", 0644, TENANT_AS("d"));
	folder_write(f, "t/.hidden.json", 0644, "not read");
	folder_write(f, "one.json", 0644, TENANT_AS("one"));
	folder_write(f, "two.json", 0644, TENANT_AS("two"));
	expect_ids(f, "a d two b1 b2 one");
	folder_remove(f);
}
END_TEST

/* The folder's own name is no pattern. */
START_TEST(test_folder_with_brackets)
{
	char *outer = folder_new(), *f = folder_path(outer, "prod [a]*\\x");

	folder_write(f, "inv.json", 0644, ROOT_WITH("'*.t'"));
	folder_write(f, "x.t", 0644, TENANT_AS("x"));
	expect_ids(f, "x");
	free(f);
	folder_remove(outer);
}
END_TEST

START_TEST(test_links)
{
	char *outside = folder_new(), *f = folder_new();
	char *out_file = folder_path(outside, "o.json"), *link = folder_path(f, "t/link.json"),
	     *inside = folder_path(f, "real.json");

	folder_write(outside, "o.json", 0644, TENANT_AS("o"));
	folder_write(f, "inv.json", 0644, ROOT_WITH("'t/*.json'"));
	folder_write(f, "t/a.json", 0644, TENANT_AS("a"));
	folder_write(f, "real.json", 0644, TENANT_AS("real"));
	ck_assert_int_eq(symlink(out_file, link), 0);
	expect_problem(f, "is a link that leads out of the inventory's folder, to ");
	unlink(link);
	ck_assert_int_eq(symlink(inside, link), 0);
	expect_ids(f, "a real");
	unlink(link);
	ck_assert_int_eq(symlink("nowhere.json", link), 0);
	expect_problem(f, "t/link.json does not exist");
	/* A link that is the including file by another name is still a loop. */
	unlink(link);
	folder_write(f, "t/a.json", 0644, "{ 'include': ['link.json'], 'tenants': [ " TENANT_AS("a") " ] }");
	ck_assert_int_eq(symlink("a.json", link), 0);
	expect_problem(f, "/include/0: the include loops");
	free(out_file);
	free(link);
	free(inside);
	folder_remove(f);
	folder_remove(outside);
}
END_TEST

START_TEST(test_what_is_no_file)
{
	char *f = folder_new(), *fifo = folder_path(f, "t/fifo.json");

	folder_write(f, "inv.json", 0644, ROOT_WITH("'t/*.json'"));
	folder_write(f, "t/dir.json/x", 0644, "");
	expect_problem(f, "t/dir.json is no regular file");
	folder_write(f, "inv.json", 0644, ROOT_WITH("'t/fifo.json'"));
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	expect_problem(f, "/include/0: ");
	free(fifo);
	folder_remove(f);
}
END_TEST

/* A gigabyte is refused from its size; the file has no blocks and is not read. */
START_TEST(test_gigabyte)
{
	char *f = folder_new(), *path = folder_path(f, "inv.json");
	struct problems problems = { 0 };
	struct inventory *inv;
	struct err err = { 0 };

	folder_write(f, "inv.json", 0644, "");
	ck_assert_int_eq(truncate(path, 1 << 30), 0);
	ck_assert_int_eq(inventory_load(path, &file_source_disk, &inv, &problems, &err), E_LIMIT);
	ck_assert_uint_eq(problems.n, 1);
	ck_assert_ptr_nonnull(strstr(err.text, "1073741824 bytes"));
	problems_release(&problems);
	free(path);
	folder_remove(f);
}
END_TEST

START_TEST(test_nested_too_deep)
{
	char *f = folder_new();

	folder_write(f, "inv.json", 0644, ROOT_WITH("'0.json'"));
	for (int i = 0; i < DOCUMENTS_NESTED_MAX + 1; i++) {
		char *name = str_fmt("%d.json", i), *text = str_fmt("{ 'include': ['%d.json'], 'tenants': [] }", i + 1);
		folder_write(f, name, 0644, text);
		free(name);
		free(text);
	}
	expect_problem(f, "/include: includes are nested more than 8 deep");
	folder_remove(f);
}
END_TEST

/* A source that loses the n-th file between the glob and the read, and one where reading fails: a problem at the place
   that names the file, whichever it is, and no crash. */
struct vanishing {
	struct file_source under;
	int fail_at, reads;
	int code;
};

static int vanishing_read(void *arg, const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	struct vanishing *v = arg;

	if (v->reads++ == v->fail_at)
		return err_set(err, v->code, "cannot open %s: gone", path);
	return v->under.read(v->under.arg, path, max_bytes, out, err);
}

static int vanishing_glob(void *arg, const char *pattern, struct strings *out, struct err *err)
{
	struct vanishing *v = arg;

	return v->under.glob(v->under.arg, pattern, out, err);
}

START_TEST(test_vanishing_files)
{
	const struct text_file files[] = { { "/m/inv.json", ROOT_WITH("'t/*.json', 'x.json'") },
					   { "/m/t/a.json", TENANT_AS("a") },
					   { "/m/t/b.json", "{ 'include': ['../y.json'], 'tenants': [] }" },
					   { "/m/x.json", TENANT_AS("x") },
					   { "/m/y.json", TENANT_AS("y") },
					   { NULL, NULL } };
	static const int codes[] = { E_NOTFOUND, E_IO, E_PERM };

	for (size_t c = 0; c < ARRAY_LEN(codes); c++) {
		for (int fail_at = 0; fail_at <= 5; fail_at++) {
			struct vanishing v = { text_source(files), fail_at, 0, codes[c] };
			struct file_source source = { vanishing_read, vanishing_glob, &v, false };
			struct problems problems = { 0 };
			struct inventory *inv;
			struct err err = { 0 };
			int r = inventory_load("/m/inv.json", &source, &inv, &problems, &err);
			ck_assert_int_eq(r, fail_at == 5 ? 0 : fail_at == 0 ? codes[c] : E_INVAL);
			ck_assert_uint_eq(problems.n, fail_at < 5);
			ck_assert_int_eq(inv != NULL, fail_at == 5);
			inventory_free(inv);
			problems_release(&problems);
		}
	}
}
END_TEST

START_TEST(test_paths)
{
	static const struct {
		const char *from, *path, *wanted;
	} rows[] = {
		{ "/a/b/inv.json", "c.json", "/a/b/c.json" },
		{ "/a/b/inv.json", "../c.json", "/a/c.json" },
		{ "/a/b/inv.json", "./c//d/./e", "/a/b/c/d/e" },
		{ "/a/b/inv.json", "/etc/x", "/etc/x" },
		{ "/a/inv.json", "../../../../x", "/x" },
		{ "/inv.json", "..", "/" },
		{ "/a/inv.json", "b/..", "/a" },
		{ "/a/inv.json", "...", "/a/..." },
		{ "/a/inv.json", "b/../../a/c", "/a/c" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *out = path_from(rows[i].from, rows[i].path);
		ck_assert_str_eq(out, rows[i].wanted);
		free(out);
	}
}
END_TEST

/* What was loaded from the disk loads again from the stored files alone, as the same revision. */
START_TEST(test_stored)
{
	char *f = folder_new(), *path = folder_path(f, "inv.json"), *ids;
	struct problems problems = { 0 };
	struct inventory *inv, *again, stored = { 0 };
	struct file_source source;

	folder_write(f, "inv.json", 0644,
		     "{ 'inventory': 1, 'procedure': 'p.json', 'profile': './q.json', 'include': ['t/*.json'] }");
	folder_write(f, "p.json", 0644,
		     "{ 'procedure': 1, 'name': 'p', 'title': { 'en': 'P' }, 'agents': { 'person': { 'scope': "
		     "['tenant'] } },"
		     " 'steps': [ { 'name': 's', 'title': { 'en': 'S' }, 'phase': 'switch', 'agents': [ { 'agent': "
		     "'person' } ] } ] }");
	folder_write(f, "q.json", 0644,
		     "{ 'profile': 1, 'name': 'q', 'old': { 'relay': [], 'web_service': [], 'mx': [] } }");
	folder_write(f, "t/b.json", 0644, TENANT_AS("b"));
	folder_write(f, "t/a.json", 0644, TENANT_AS("a"));
	inv = load_from(f, &problems);
	ck_assert_ptr_nonnull(inv);
	ck_assert_uint_eq(inv->files_n, 5);
	for (size_t i = 0; i < inv->files_n; i++)
		inventory_add_file(&stored, inv->files[i].path, inv->files[i].bytes, inv->files[i].len);
	folder_remove(f);
	source = file_source_stored(&stored);
	ck_assert_int_eq(inventory_load(path, &source, &again, &problems, NULL), 0);
	ids = ids_of(again);
	ck_assert_str_eq(ids, "a b");
	ck_assert_str_eq(again->sha256, inv->sha256);
	ck_assert_str_eq(again->procedure->name, "p");
	inventory_free(again);
	inventory_release(&stored);
	inventory_free(inv);
	free(ids);
	free(path);
}
END_TEST

/* The revision follows every byte of every file, and their names. */
START_TEST(test_revision)
{
	struct text_file files[] = { { "/m/inv.json", ROOT_WITH("'t/*.json'") },
				     { "/m/t/a.json", TENANT_AS("a") },
				     { NULL, NULL } };
	struct problems problems = { 0 };
	struct inventory *first = load_texts(files, &problems), *same = load_texts(files, &problems), *other;

	ck_assert_str_eq(first->sha256, same->sha256);
	ck_assert_uint_eq(strlen(first->sha256), 64);
	files[1].text = TENANT_AS("a") " ";
	other = load_texts(files, &problems);
	ck_assert_str_ne(first->sha256, other->sha256);
	inventory_free(other);
	files[1] = (struct text_file){ "/m/t/b.json", TENANT_AS("a") };
	other = load_texts(files, &problems);
	ck_assert_str_ne(first->sha256, other->sha256);
	inventory_free(other);
	inventory_free(first);
	inventory_free(same);
}
END_TEST

SUITE(documents)
{
	TEST_CASE(s, test_order);
	TEST_CASE(s, test_folder_with_brackets);
	TEST_CASE(s, test_links);
	TEST_CASE(s, test_what_is_no_file);
	TEST_CASE(s, test_gigabyte);
	TEST_CASE(s, test_nested_too_deep);
	TEST_CASE(s, test_vanishing_files);
	TEST_CASE(s, test_paths);
	TEST_CASE(s, test_stored);
	TEST_CASE(s, test_revision);
}
