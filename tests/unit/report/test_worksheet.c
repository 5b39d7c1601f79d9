/* The worksheet: its bytes, and that what it says comes back from the reader as it was. */
#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "base/csv.h"
#include "report/escape.h"
#include "report/worksheet.h"

static void begin(struct fab *f)
{
	fab_init(f);
	fab_procedure(f);
	fab_run(f, "run");
	fab_tenant(f, &(struct fab_tenant){ .id = "acme", .name = "=Acme, Ltd", .by = "{\"template-change\":\"customer\"}" });
	fab_tenant(f, &(struct fab_tenant){ .id = "basil", .name = "バジル", .japanese = true });
	fab_instruct(f, "acme", "template-change", "tenant", "customer", "Set the template.", "設定。");
	fab_move(f, "acme", "template-change", "tenant", STEP_NEEDS_PERSON, NULL, "Set the template.");
	fab_move(f, "acme", "template-review", "tenant", STEP_NEEDS_PERSON, NULL, "decide");
	fab_instruct(f, "basil", "template-change", "tenant", "us", "Set the template.", "テンプレートを設定、確認。");
	fab_move(f, "basil", "template-change", "tenant", STEP_NEEDS_PERSON, NULL, "テンプレートを設定、確認。");
	fab_client(f, "basil", "host:sync1", FAB_DRIFT);
}

static int sheet(struct fab *f, const char *step, struct buf *out, size_t *n, struct err *err)
{
	char *name = str_dup(step), *steps[] = { name };
	struct todo_filter filter = { .steps = steps, .steps_n = 1 };
	struct journal_reader *reader = fab_reader(f);
	struct report_query query = fab_query(reader);
	int rc;

	query.now_ms = FAB_NIGHT - 3600000;
	rc = worksheet_csv(&query, &filter, out, n, err);
	journal_reader_close(reader);
	free(name);
	return rc;
}

START_TEST(test_bytes)
{
	struct buf out = BUF_INIT;
	struct err err = { 0 };
	struct fab f;
	size_t n;

	begin(&f);
	ck_assert_int_eq(sheet(&f, "template-change", &out, &n, &err), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(buf_str(&out),
			 "\xef\xbb\xbf"
			 "tenant,name,step,target,owner,state,from,due,instruction,result,by,note,evidence\r\n"
			 "acme,\"'=Acme, Ltd\",template-change,tenant,customer,needs_person,2026-12-01T00:00:00+09:00,"
			 "2026-12-01T22:00:00+09:00,Set the template.,,,,\r\n"
			 "basil,バジル,template-change,tenant,us,needs_person,2026-12-01T00:00:00+09:00,"
			 "2026-12-01T22:00:00+09:00,テンプレートを設定、確認。,,,,\r\n");
	buf_clear(&out);
	ck_assert_int_eq(sheet(&f, "sync-client", &out, &n, &err), 0); /* what went wrong is not settled by a sheet */
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(sheet(&f, "template-chang", &out, &n, &err), E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(err.text, "there is no step 'template-chang'; the procedure has firewall, "));
	buf_release(&out);
	fab_release(&f);
}
END_TEST

/* Any text of characters that are shown: written as a cell, read, and its guard taken away, it is the same. */
START_TEST(test_there_and_back)
{
	static const char *const parts[] = { "=", "+", "-", "@", "'", "\"", ",", "\n", "\t", " ", "a", "1", "表", "＝", ";" };
	unsigned seed = (unsigned)_i + 1;

	for (int turn = 0; turn < 2000; turn++) {
		struct buf texts[3] = { BUF_INIT, BUF_INIT, BUF_INIT }, line = BUF_INIT;
		struct csv csv;
		for (int k = 0; k < 3; k++) {
			for (int i = rand_r(&seed) % 6; i > 0; i--)
				buf_adds(&texts[k], parts[(size_t)rand_r(&seed) % ARRAY_LEN(parts)]);
			escape_csv(&line, buf_str(&texts[k]));
			buf_addc(&line, ',');
		}
		buf_adds(&line, "end\r\n");
		ck_assert_int_eq(csv_parse(line.data, line.len, &csv, NULL), 0);
		ck_assert_uint_eq(csv.records_n, 1);
		ck_assert_uint_eq(csv.records[0].n, 4);
		for (size_t k = 0; k < 3; k++) {
			const char *field = csv_field(&csv, &csv.records[0], k);
			ck_assert_msg(!csv_is_formula(field) || *field == '\'', "%s", field); /* no cell is a formula */
			ck_assert_str_eq(csv_unguard(field), buf_str(&texts[k]));
			buf_release(&texts[k]);
		}
		csv_release(&csv);
		buf_release(&line);
	}
}
END_TEST

SUITE(worksheet)
{
	TEST_CASE(s, test_bytes);
	TEST_CASE_LOOP(s, test_there_and_back, 0, 4);
}
