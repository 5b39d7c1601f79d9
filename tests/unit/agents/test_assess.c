#include "tests/lib/unit.h"

#include "agents/assess.h"

#define OLD "a\r\nhost = old # x\r\nb\n"
#define NEW "a\r\nhost = brandnew # x\r\nb\n"

static struct change *one(struct assessment *a)
{
	return assessment_change(a, "config", "/etc/x", OLD, strlen(OLD), 10, 3, "brandnew", 8);
}

START_TEST(test_change)
{
	struct assessment a = { 0 };
	struct change *c = one(&a);
	char sha[SHA256_HEX_MAX];

	ck_assert_uint_eq(a.changes_n, 1);
	ck_assert_str_eq(c->item, "config");
	ck_assert_str_eq(c->what, "/etc/x");
	ck_assert_int_eq(c->line, 2);
	ck_assert_str_eq(c->old_line, "host = old # x");
	ck_assert_str_eq(c->new_line, "host = brandnew # x");
	ck_assert_str_eq(c->before_sha256, sha256_hex(OLD, strlen(OLD), sha));
	ck_assert_str_eq(c->after_sha256, sha256_hex(NEW, strlen(NEW), sha));
	ck_assert_uint_eq(c->edits_n, 1);
	ck_assert_str_eq(c->edits[0].old_bytes, "old");
	assessment_release(&a);
}
END_TEST

START_TEST(test_apply)
{
	struct assessment a = { 0 };
	struct change *c = one(&a);
	struct buf out = BUF_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(change_apply(c, OLD, strlen(OLD), &out, &err), 0);
	ck_assert_int_eq(err.code, 0);
	ck_assert_str_eq(buf_str(&out), NEW);
	buf_clear(&out);
	/* not what it was made for: nothing comes out */
	ck_assert_int_eq(change_apply(c, NEW, strlen(NEW), &out, &err), E_CHANGED);
	ck_assert_int_eq(change_apply(c, "", 0, &out, &err), E_CHANGED);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_ptr_nonnull(strstr(err.text, "/etc/x"));
	assessment_release(&a);
	buf_release(&out);
}
END_TEST

/* A change that was damaged on its way never gives other bytes than it promises. */
START_TEST(test_damaged)
{
	struct assessment a = { 0 };
	struct change *c = one(&a);
	struct buf out = BUF_INIT;

	c->edits[0].new_bytes[0] = 'B';
	ck_assert_int_eq(change_apply(c, OLD, strlen(OLD), &out, NULL), E_BUG);
	c->edits[0].old_bytes[0] = 'O';
	ck_assert_int_eq(change_apply(c, OLD, strlen(OLD), &out, NULL), E_CHANGED);
	c->edits[0].offset = strlen(OLD) - 1;
	ck_assert_int_eq(change_apply(c, OLD, strlen(OLD), &out, NULL), E_CHANGED);
	ck_assert_uint_eq(out.len, 0);
	assessment_release(&a);
	buf_release(&out);
}
END_TEST

START_TEST(test_at_the_ends)
{
	struct assessment a = { 0 };
	struct change *c;

	c = assessment_change(&a, "x", "x", "", 0, 0, 0, "new", 3);
	ck_assert_str_eq(c->old_line, "");
	ck_assert_str_eq(c->new_line, "new");
	ck_assert_int_eq(c->line, 1);
	c = assessment_change(&a, "x", "x", "a\nb", 3, 2, 1, "", 0);
	ck_assert_str_eq(c->old_line, "b");
	ck_assert_str_eq(c->new_line, "");
	ck_assert_int_eq(c->line, 2);
	assessment_release(&a);
	ck_assert_uint_eq(a.changes_n, 0);
}
END_TEST

START_TEST(test_words)
{
	struct assessment a = { 0 };

	assessment_set(&a, ASSESS_DRIFT, "%s", "a\tb");
	ck_assert_int_eq(a.state, ASSESS_DRIFT);
	ck_assert_str_eq(a.text, "a b");
	assessment_note(&a, "%d %s", 1, "x\n");
	assessment_note(&a, "2");
	ck_assert_uint_eq(a.notes_n, 2);
	ck_assert_str_eq(a.notes[0], "1 x ");
	for (int state = ASSESS_OLD; state <= ASSESS_PERSON; state++)
		ck_assert_str_ne(assess_state_name((enum assess_state)state), "");
	assessment_release(&a);
}
END_TEST

SUITE(assess)
{
	TEST_CASE(s, test_change);
	TEST_CASE(s, test_apply);
	TEST_CASE(s, test_damaged);
	TEST_CASE(s, test_at_the_ends);
	TEST_CASE(s, test_words);
}
