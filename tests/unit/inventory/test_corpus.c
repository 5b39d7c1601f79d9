/*
 * Every inventory of tests/corpus goes through the loader. A good one loads. A bad one has exactly the problems that it
 * says it has: its comment "//" is the expected text, or a list of them; each must be part of one problem as people see
 * it, and there must be no other. What is no JSON has the text in a file beside it, NAME.expect. The same files go
 * through a JSON Schema validator in tests/cli/corpus_ajv.sh.
 */
#include "tests/lib/unit.h"

#include "inventory/load.h"

#include "base/alloc.h"
#include "base/file.h"

#include <glob.h>
#include <sys/stat.h>

#define CORPUS SOURCE_DIR "/tests/corpus"

static glob_t files_of(const char *pattern, size_t at_least)
{
	glob_t files = { 0 };

	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	ck_assert_msg(files.gl_pathc >= at_least, "%s: only %zu files", pattern, files.gl_pathc);
	return files;
}

static char *all_problems(const struct problems *problems)
{
	struct buf all = BUF_INIT;

	for (size_t i = 0; i < problems->n; i++) {
		char *text = problem_format(&problems->at[i]);
		buf_addf(&all, "\n    %s", text);
		free(text);
	}
	return all.len ? buf_detach(&all) : str_dup("");
}

START_TEST(test_good)
{
	glob_t files = files_of(CORPUS "/good/*.json", 20);

	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct problems problems = { 0 };
		struct inventory *inv;
		struct err err = { 0 };
		int r = inventory_load(files.gl_pathv[i], &file_source_disk, &inv, &problems, &err);
		char *said = all_problems(&problems);
		ck_assert_msg(r == 0 && problems.n == 0, "%s: %s%s", files.gl_pathv[i], err.text, said);
		ck_assert_uint_gt(inv->tenants_n, 0);
		inventory_free(inv);
		problems_release(&problems);
		free(said);
	}
	globfree(&files);
}
END_TEST

/* The texts that a bad inventory expects, as an array that the caller releases. */
static json_t *expected(const char *path)
{
	char *sidecar = str_fmt("%.*s.expect", (int)(strlen(path) - strlen(".json")), path);
	struct buf text = BUF_INIT;
	json_t *root, *comment, *list;

	if (file_read(sidecar, 4096, &text, NULL) == 0) {
		list = json_array();
		json_array_append_new(list, json_stringn(buf_str(&text), strcspn(buf_str(&text), "\n")));
	} else {
		root = json_load_file(path, 0, NULL);
		comment = json_object_get(root, "//");
		ck_assert_msg(comment != NULL, "%s does not say what it expects", path);
		list = json_is_array(comment) ? json_incref(comment) : json_pack("[O]", comment);
		json_decref(root);
	}
	buf_release(&text);
	free(sidecar);
	return list;
}

static size_t count_saying(const struct problems *problems, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < problems->n; i++) {
		char *said = problem_format(&problems->at[i]);
		n += strstr(said, text) != NULL;
		free(said);
	}
	return n;
}

/* What is wrong with the loader's answer to one bad inventory, added to `wrong`. */
static void check_bad(const char *path, struct buf *wrong)
{
	struct problems problems = { 0 };
	struct inventory *inv;
	struct err err = { 0 };
	json_t *texts = expected(path);
	int r = inventory_load(path, &file_source_disk, &inv, &problems, &err);
	char *said = all_problems(&problems);

	if (r != E_INVAL || inv || !*err.text)
		buf_addf(wrong, "\n%s: gave %d (%s)%s", path, r, err.text, said);
	if (problems.n != json_array_size(texts))
		buf_addf(wrong, "\n%s: %zu problems:%s", path, problems.n, said);
	for (size_t i = 0; i < json_array_size(texts); i++) {
		const char *text = json_string_value(json_array_get(texts, i));
		if (count_saying(&problems, text) != 1)
			buf_addf(wrong, "\n%s:\n    wanted: %s\n    said:%s", path, text, said);
	}
	if (strstr(said, "hunter22"))
		buf_addf(wrong, "\n%s: a secret is repeated:%s", path, said);
	inventory_free(inv);
	problems_release(&problems);
	json_decref(texts);
	free(said);
}

START_TEST(test_bad)
{
	glob_t files = files_of(CORPUS "/bad/*.json", 70);
	struct buf wrong = BUF_INIT;

	/* A checkout's own umask may have hidden it. */
	ck_assert_int_eq(chmod(CORPUS "/bad/parts/readable.key", 0644), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		check_bad(files.gl_pathv[i], &wrong);
	ck_assert_msg(wrong.len == 0, "%s", buf_str(&wrong));
	buf_release(&wrong);
	globfree(&files);
}
END_TEST

SUITE(corpus)
{
	TEST_CASE(s, test_good);
	TEST_CASE(s, test_bad);
}
