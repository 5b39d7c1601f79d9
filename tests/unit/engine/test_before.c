#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/redact.h"
#include "engine/before.h"

#include <unistd.h>

static uv_loop_t loop;

static void stored(struct journal_append *a, int status, const struct err *err)
{
	(void)err;
	ck_assert_int_eq(status, 0);
	*(bool *)a->arg = true;
}

static void closed(void *arg)
{
	*(bool *)arg = true;
}

/* Whatever is in a fact comes back to the byte: text, binary, a secret, nothing, a megabyte. */
START_TEST(test_exact)
{
	char path[64], *json, *big = mem_new(1 << 20, 1);
	struct facts facts = { 0 }, back = { 0 };
	struct journal_blob *blobs;
	struct journal *j;
	struct journal_reader *r;
	size_t blobs_n;
	bool done = false;
	struct journal_append append = { stored, &done, NULL };

	for (int i = 0; i < 1 << 20; i++)
		big[i] = (char)(i * 7);
	redact_register("hunter2-hunter2", 15);
	facts_set_text(&facts, "text", "crontab:sync");
	facts_set(&facts, "binary", "\x00\xff\xfe", 3);
	facts_set_text(&facts, "secret", "0 * * * * sync --key hunter2-hunter2");
	facts_set_text(&facts, "empty", "");
	facts_set(&facts, "big", big, 1 << 20);
	json = before_to_json(&facts, &blobs, &blobs_n);
	ck_assert_ptr_null(strstr(json, "hunter2"));
	ck_assert_uint_eq(blobs_n, 3);

	snprintf(path, sizeof(path), "/tmp/cutover-before-%ld.db", (long)getpid());
	uv_loop_init(&loop);
	ck_assert_int_eq(journal_open(&loop, path, JOURNAL_CREATE, &j, NULL), 0);
	journal_put_blobs(j, &append, blobs, blobs_n);
	while (!done)
		uv_run(&loop, UV_RUN_ONCE);
	ck_assert_int_eq(journal_reader_open(path, &r, NULL), 0);
	ck_assert_int_eq(before_from_json(json, r, &back, NULL), 0);
	ck_assert_uint_eq(back.n, facts.n);
	for (size_t i = 0; i < facts.n; i++) {
		ck_assert_str_eq(back.at[i].key, facts.at[i].key);
		ck_assert_uint_eq(back.at[i].len, facts.at[i].len);
		ck_assert_mem_eq(back.at[i].value, facts.at[i].value, facts.at[i].len);
	}
	journal_reader_close(r);
	done = false;
	journal_close(j, closed, &done);
	while (!done)
		uv_run(&loop, UV_RUN_ONCE);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	unlink(path);
	redact_forget();
	facts_release(&facts);
	facts_release(&back);
	free(blobs);
	free(json);
	free(big);
}
END_TEST

START_TEST(test_bad_shapes)
{
	static const char *const bad[] = { "", "[]", "{", "{\"a\": 1}", "{\"a\": {\"bytes\": 3}}" };
	struct facts facts = { 0 };
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(before_from_json(bad[i], NULL, &facts, &err) == E_CORRUPT, "%s", bad[i]);
	facts_release(&facts);
}
END_TEST

SUITE(before)
{
	TEST_CASE(s, test_exact);
	TEST_CASE(s, test_bad_shapes);
}
