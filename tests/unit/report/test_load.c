#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "base/file.h"
#include "report/cause.h"
#include "report/status.h"
#include "report/words.h"
#include "report/why.h"

#include <sys/stat.h>

/* ---- what is read ------------------------------------------------------------------------------------------------ */

START_TEST(night)
{
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	r = fab_report(&f, NULL);
	ck_assert_uint_eq(r->tenants_n, 8);
	ck_assert_str_eq(r->tenants[0]->id, "delta"); /* open debts come before everything */
	ck_assert_str_eq(r->tenants[1]->id, "acme");
	ck_assert_int_eq(r->tenants[1]->state, TENANT_HALF_SWITCHED);
	ck_assert_str_eq(r->tenants[7]->id, "fuji");
	ck_assert_int_eq(r->tenants[7]->state, TENANT_DONE);
	ck_assert_uint_eq(r->debts_n, 1);
	ck_assert_str_eq(r->debts[0].debt->action, "enable-schedule");
	ck_assert(r->chain.checked && r->chain.intact);
	ck_assert_uint_gt(r->chain.entries, 200);
	ck_assert_uint_eq(r->runs_n, 3);
	ck_assert_int_eq(r->runs[0].exit, 1);
	ck_assert_int_eq(r->runs[2].exit, -1);
	ck_assert_str_eq(r->inventory, "/etc/cutover/inventory.json");
	ck_assert_int_eq(r->offset_min, 540);
	report_free(r);
	fab_release(&f);
}
END_TEST

START_TEST(one_tenant)
{
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	r = fab_report(&f, "echo");
	ck_assert_uint_eq(r->tenants_n, 1);
	ck_assert_str_eq(r->tenants[0]->id, "echo");
	ck_assert_str_eq(r->procedure, "hes-1-to-2");
	ck_assert_uint_eq(r->steps_n, 15);
	ck_assert_uint_eq(r->debts_n, 0);
	ck_assert_uint_eq(r->runs_n, 3);
	report_free(r);
	fab_release(&f);
}
END_TEST

/* Another procedure: nothing here knows the vendor. */
START_TEST(made_up_procedure)
{
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_procedure_short(&f);
	fab_run(&f, "run");
	fab_tenant(&f, &(struct fab_tenant){ .id = "a", .name = "A" });
	fab_move(&f, "a", "leap", "host:h2", STEP_RUNNING, NULL, NULL);
	fab_move(&f, "a", "leap", "host:h2", STEP_VERIFIED, NULL, "leapt");
	fab_move(&f, "a", "leap", "host:h10", STEP_WAITING, NULL, "waits");
	fab_move(&f, "a", "look", "tenant", STEP_RUNNING, NULL, NULL);
	fab_move(&f, "a", "look", "tenant", STEP_UNCHANGED, NULL, "looked");
	r = fab_report(&f, NULL);
	ck_assert_int_eq(r->tenants[0]->state, TENANT_HALF_SWITCHED);
	ck_assert_str_eq(r->tenants[0]->rows[0]->row->step, "look");
	ck_assert_str_eq(r->tenants[0]->rows[1]->row->target, "host:h2");
	ck_assert_str_eq(r->tenants[0]->rows[2]->row->target, "host:h10");
	ck_assert_str_eq(report_step_title(r->tenants[0]->rows[1], true),
			 "Leap"); /* no Japanese title: the English one */
	report_free(r);
	fab_release(&f);
}
END_TEST

/* A state file in which nothing has happened yet, and one without the notes, give a report, too. */
START_TEST(empty)
{
	struct buf out = BUF_INIT;
	struct report *r;
	struct fab f;

	fab_init(&f);
	r = fab_report(&f, NULL);
	ck_assert_uint_eq(r->tenants_n, 0);
	ck_assert_int_eq(report_html(r, &out, NULL), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "No tenant is recorded."));
	buf_clear(&out);
	ck_assert_int_eq(report_text(r, &out, NULL), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "no run is recorded"));
	report_free(r);
	fab_release(&f);
	buf_release(&out);
}
END_TEST

START_TEST(without_notes)
{
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_run(&f, "run");
	fab_move(&f, "a", "leap", "host:h", STEP_RUNNING, NULL, NULL);
	fab_move(&f, "a", "leap", "host:h", STEP_VERIFIED, NULL, "leapt");
	r = fab_report(&f, NULL);
	ck_assert_str_eq(report_tenant_name(r->tenants[0]), "a");
	ck_assert_str_eq(report_step_title(r->tenants[0]->rows[0], false), "leap");
	ck_assert_ptr_null(r->tenants[0]->rows[0]->step);
	report_free(r);
	fab_release(&f);
}
END_TEST

/* A tenant that left the inventory is kept apart; the counts do not have her. */
START_TEST(withdrawn)
{
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_procedure_short(&f);
	fab_run(&f, "run");
	fab_tenant(&f, &(struct fab_tenant){ .id = "gone", .name = "Gone" });
	fab_move(&f, "gone", "leap", "host:h", STEP_WITHDRAWN, NULL, "no longer in the inventory");
	fab_tenant(&f, &(struct fab_tenant){ .id = "here", .name = "Here" });
	fab_move(&f, "here", "leap", "host:h", STEP_BLOCKED, NULL, "look comes first");
	r = fab_report(&f, NULL);
	ck_assert_uint_eq(r->withdrawn_n, 1);
	ck_assert(r->tenants[1]->withdrawn);
	ck_assert_str_eq(r->tenants[1]->id, "gone");
	ck_assert_uint_eq(r->by_state[TENANT_NOT_READY] + r->by_state[TENANT_READY], 1);
	report_free(r);
	fab_release(&f);
}
END_TEST

/* ---- what is refused, and what is told of --------------------------------------------------------------------------
 */

START_TEST(unknown_tenant)
{
	static const struct {
		const char *asked, *near;
	} table[] = { { "acne", "did you mean \"acme\"" }, { "ec", "\"echo\"" }, { "zzzzzz", "it has 8)" } };
	struct journal_reader *reader;
	struct report_query q;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	reader = fab_reader(&f);
	q = fab_query(reader);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf out = BUF_INIT;
		struct err err = { 0 };

		q.tenant = table[i].asked;
		ck_assert_int_eq(status_text(&q, &out, &err), E_NOTFOUND);
		ck_assert_msg(strstr(err.text, table[i].near), "%s", err.text);
		ck_assert_int_eq(why_text(&q, &out, &err), E_NOTFOUND);
		ck_assert_uint_eq(out.len, 0);
		buf_release(&out);
	}
	q.tenant = NULL;
	ck_assert_int_eq(why_text(&q, &(struct buf)BUF_INIT, NULL), E_INVAL);
	journal_reader_close(reader);
	fab_release(&f);
}
END_TEST

/* Somebody makes a failure a success in the file itself. */
static void forge(const char *path)
{
	struct buf bytes = BUF_INIT;
	char *at;
	struct err err = { 0 };

	ck_assert_msg(file_read(path, 64 << 20, &bytes, &err) == 0, "%s", err.text);
	at = memmem(bytes.data, bytes.len, "401 \"Unauthorized\"; the new", 27);
	ck_assert_ptr_nonnull(at);
	memcpy(at, "200 \"Authorized!!\"; ", 20);
	ck_assert_msg(file_write(path, 0600, bytes.data, bytes.len, &err) == 0, "%s", err.text);
	buf_release(&bytes);
}

START_TEST(broken_chain)
{
	struct buf out = BUF_INIT;
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	fab_close(&f);
	forge(f.path);
	r = fab_report(&f, NULL);
	ck_assert(r->chain.checked && !r->chain.intact);
	ck_assert_msg(strstr(r->chain.text, "basil"), "%s", r->chain.text);
	ck_assert_int_eq(report_html(r, &out, NULL), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "The hash chain is broken"));
	buf_clear(&out);
	ck_assert_int_eq(report_text(r, &out, NULL), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "HASH CHAIN BROKEN"));
	buf_clear(&out);
	ck_assert_int_eq(report_json(r, &out, NULL), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\"intact\":false"));
	report_free(r);
	fab_release(&f);
	buf_release(&out);
}
END_TEST

/* A format that does not fit says so: nobody gets half a report for a whole one. */
START_TEST(too_large)
{
	int (*const formats[])(const struct report *, struct buf *, struct err *) = { report_html, report_json,
										      report_csv, report_text };
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	r = fab_report(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct err err = { 0 };
		struct buf out;

		buf_init(&out, 5000);
		ck_assert_int_eq(formats[i](r, &out, &err), E_LIMIT);
		ck_assert_ptr_nonnull(strstr(err.text, "5000 bytes"));
		buf_release(&out);
	}
	report_free(r);
	fab_release(&f);
}
END_TEST

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* Each state, phase and exit code has its words in both languages. */
START_TEST(words)
{
	static const int exits[] = { 0, 1, 2, 3, 4, 5, 6, 7, 70 };

	for (int lang = 0; lang < 2; lang++) {
		for (int i = 0; i < STEP_STATES; i++) {
			ck_assert_ptr_nonnull(word_step_state((enum step_state)i, (enum report_lang)lang));
			ck_assert_ptr_nonnull(word_step_state_meaning((enum step_state)i, (enum report_lang)lang));
		}
		for (int i = 0; i < TENANT_STATES; i++) {
			ck_assert_ptr_nonnull(word_tenant_state((enum tenant_state)i, (enum report_lang)lang));
			ck_assert_ptr_nonnull(word_tenant_state_meaning((enum tenant_state)i, (enum report_lang)lang));
		}
		for (int i = 0; i < PHASES; i++)
			ck_assert_ptr_nonnull(word_phase((enum phase)i, (enum report_lang)lang));
		for (size_t i = 0; i < ARRAY_LEN(exits); i++)
			ck_assert_uint_gt(strlen(report_exit_meaning(exits[i], (enum report_lang)lang)), 5);
	}
	ck_assert_str_eq(report_exit_meaning(42, REPORT_EN), "");
}
END_TEST

START_TEST(times)
{
	char out[WHEN_MAX];

	ck_assert_str_eq(when_full(FAB_NIGHT, 540, out), "2026-12-01 22:00:00 +09:00");
	ck_assert_str_eq(when_minute(FAB_NIGHT, 0, out), "2026-12-01 13:00 UTC");
	ck_assert_str_eq(when_minute(FAB_NIGHT, -90, out), "2026-12-01 11:30 -01:30");
	ck_assert_str_eq(when_day(FAB_NIGHT, 540, out), "2026-12-01 22:00");
	ck_assert_str_eq(when_clock(FAB_NIGHT, 540, out), "22:00:00");
	ck_assert_str_eq(when_full(0, 540, out), "–");
	ck_assert_str_eq(span_text(0, out), "0.0 s");
	ck_assert_str_eq(span_text(-5, out), "0.0 s");
	ck_assert_str_eq(span_text(47 * 3600000, out), "47 h 00 min");
	ck_assert_str_eq(span_text(49 * 3600000, out), "2 days 1 h");
}
END_TEST

SUITE(load)
{
	TEST_CASE(s, night);
	TEST_CASE(s, one_tenant);
	TEST_CASE(s, made_up_procedure);
	TEST_CASE(s, empty);
	TEST_CASE(s, without_notes);
	TEST_CASE(s, withdrawn);
	TEST_CASE(s, unknown_tenant);
	TEST_CASE(s, broken_chain);
	TEST_CASE(s, too_large);
	TEST_CASE(s, words);
	TEST_CASE(s, times);
}
