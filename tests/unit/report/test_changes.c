#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "report/changes.h"

START_TEST(parse)
{
	struct changes c;

	changes_parse(
		&c,
		"{\"state\":\"old\",\"text\":\"t\",\"changes\":[{\"item\":\"config\",\"what\":\"/x\",\"line\":3,"
		"\"old_line\":\"a\",\"new_line\":{\"base64\":\"g4GDYg==\"},\"before_sha256\":\"b\",\"after_sha256\":\"c\","
		"\"edits\":[{\"offset\":7,\"old\":\"a\",\"new\":\"b\"}]}],\"notes\":[\"n\",{\"base64\":\"YQ==\"}]}");
	ck_assert_uint_eq(c.n, 1);
	ck_assert_str_eq(c.state, "old");
	ck_assert_int_eq(c.at[0].line, 3);
	ck_assert_str_eq(c.at[0].new_line, "\x83\x81\x83\x62"); /* not UTF-8: its bytes */
	ck_assert_int_eq(c.at[0].edits[0].offset, 7);
	ck_assert_str_eq(c.notes[1], "a");
	changes_release(&c);
}
END_TEST

/* What is not of that form is no change, and no fault. */
START_TEST(parse_odd)
{
	static const char *const odd[] = { "",
					   "x",
					   "[]",
					   "3",
					   "{\"changes\":3}",
					   "{\"changes\":[3]}",
					   "{\"changes\":[{\"edits\":{\"a\":1},\"line\":\"x\"}],\"notes\":\"n\"}" };

	struct changes none;

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct changes c;

		changes_parse(&c, odd[i]);
		for (size_t k = 0; k < c.n; k++)
			ck_assert_str_eq(c.at[k].old_line, "");
		changes_release(&c);
	}
	changes_parse(&none, NULL);
	ck_assert_uint_eq(none.n, 0);
	changes_release(&none);
}
END_TEST

static const struct {
	const char *old_line, *new_line;
	size_t prefix, suffix;
} table[] = {
	{ "abc", "abc", 3, 0 },
	{ "abc", "axc", 1, 1 },
	{ "", "abc", 0, 0 },
	{ "abc", "", 0, 0 },
	{ "aXa", "aa", 1, 1 },
	{ "aa", "aXa", 1, 1 },
	{ "日本", "日木", 3, 0 },		  /* one character, though two of its bytes are the same */
	{ "\xe6\x97\xa5", "\xe6\x98\xa5", 0, 0 }, /* its first and last byte are */
};

START_TEST(common)
{
	size_t prefix, suffix;

	changes_common(table[_i].old_line, table[_i].new_line, &prefix, &suffix);
	ck_assert_uint_eq(prefix, table[_i].prefix);
	ck_assert_uint_eq(suffix, table[_i].suffix);
}
END_TEST

static enum change_fate fate_of(const struct report *r, const char *id)
{
	for (size_t i = 0; i < r->tenants_n; i++)
		for (size_t k = 0; k < r->tenants[i]->rows_n; k++) {
			const struct report_row *row = r->tenants[i]->rows[k];
			struct changes c;
			enum change_fate fate;

			if (strcmp(r->tenants[i]->id, id) != 0 || !row->changes)
				continue;
			changes_parse(&c, row->changes->data);
			fate = changes_fate(row, &c.at[0]);
			changes_release(&c);
			return fate;
		}
	ck_abort_msg("%s has no changes", id);
	return CHANGE_PLANNED;
}

START_TEST(fates)
{
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	r = fab_report(&f, NULL);
	ck_assert_int_eq(fate_of(r, "acme"), CHANGE_MADE);
	ck_assert_int_eq(fate_of(r, "basil"), CHANGE_MADE);    /* written, then the client's run failed */
	ck_assert_int_eq(fate_of(r, "delta"), CHANGE_PLANNED); /* cut before its outcome */
	ck_assert_int_eq(fate_of(r, "golf"), CHANGE_UNDONE);
	report_free(r);
	fab_release(&f);
}
END_TEST

/* A row that is verified again finds nothing to change; what was changed the first time is still told. */
START_TEST(verified_again)
{
	const struct journal_entry look = {
		.kind = JOURNAL_CHANGES,
		.tenant = "a",
		.step = "sync-client",
		.target = "host:sync1",
		.data = "{\"changes\":[],\"notes\":[],\"state\":\"new\",\"text\":\"as it should be\"}"
	};
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_procedure(&f);
	fab_run(&f, "run");
	fab_client(&f, "a", "host:sync1", FAB_VERIFIED);
	fab_run(&f, "run");
	fab_move(&f, "a", "sync-client", "host:sync1", STEP_RUNNING, NULL, NULL);
	fab_add(&f, &look, NULL);
	fab_move(&f, "a", "sync-client", "host:sync1", STEP_VERIFIED, NULL, "as it should be");
	r = fab_report(&f, NULL);
	ck_assert_int_eq(fate_of(r, "a"), CHANGE_MADE);
	report_free(r);
	fab_release(&f);
}
END_TEST

SUITE(changes)
{
	TEST_CASE(s, parse);
	TEST_CASE(s, parse_odd);
	TEST_CASE_LOOP(s, common, 0, (int)ARRAY_LEN(table));
	TEST_CASE(s, fates);
	TEST_CASE(s, verified_again);
}
