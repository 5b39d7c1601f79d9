#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "report/advice.h"

static const struct {
	const char *text, *want;
} table[] = {
	{ "", "" },
	{ "no answer within 10 s", "no answer within <n> s" },
	{ "192.168.1.11 port 22: refused", "<address> port <n>: refused" },
	{ "10.0.0.0/8 and 10.0.0.1:22", "<address> and <address>" },
	{ "fe80::1%eth0 and 2001:db8::5", "<address> and <address>" },
	{ "host sync1 of acme", "host <name> of <name>" },
	{ "sync10 is another name", "sync<n> is another name" },
	{ "mx.acme.example and a@b.example", "<name> and <name>" },
	{ "/opt/imhs/imhs-config.rb: two values", "<path>: two values" },
	{ "ROOT_URI is 'https://a.example/x', not \"b\"", "ROOT_URI is <value>, not <value>" },
	{ "see https://a.example/x now", "see <url> now" },
	{ "key SHA256:9mB0eT0Xv0a/ZQ+ is new", "key <hash> is new" },
	{ "sha 3b7d1c0e5a9f", "sha <hash>" },
	{ "feedback and added", "feedback and added" },
	{ "pid4711 ended", "pid<n> ended" },
	{ "at 2026-12-01T22:00:00+09:00.", "at <n>." },
	{ "it isn't closed", "it isn't closed" },
	{ "ends with a dot. Next", "ends with a dot. Next" },
	{ "日本 12 件", "日本 <n> 件" },
};

START_TEST(normal)
{
	struct buf out = BUF_INIT;

	cause_normalise(&out, table[_i].text, "acme", "sync1");
	ck_assert_str_eq(buf_str(&out), table[_i].want);
	buf_release(&out);
}
END_TEST

static const struct report_cause *cause_at(const struct report *r, enum cause_kind kind, size_t n)
{
	for (size_t i = 0; i < r->causes_n; i++)
		if (r->causes[i].kind == kind && n-- == 0)
			return &r->causes[i];
	ck_abort_msg("no such cause");
	return NULL;
}

/* One cause for two hosts that say the same with other names; another code, step or sentence is another cause. */
START_TEST(groups)
{
	struct report *r;
	struct fab f;

	fab_init(&f);
	fab_procedure(&f);
	fab_run(&f, "run");
	fab_move(&f, "acme", "mx", "domain:acme.example", STEP_RUNNING, NULL, NULL);
	fab_move(&f, "acme", "mx", "domain:acme.example", STEP_FAILED, "io", "no answer from ns1.acme.example");
	for (int i = 0; i < 3; i++) {
		char tenant[16], text[96];

		snprintf(tenant, sizeof(tenant), "t%d", i);
		snprintf(text, sizeof(text), "10.0.0.%d: no answer within %d s", i, 10 + i);
		fab_move(&f, tenant, "sync-client", "host:a", STEP_RUNNING, NULL, NULL);
		fab_move(&f, tenant, "sync-client", "host:a", STEP_UNREACHABLE, i == 2 ? "refused" : "timeout", text);
	}
	r = fab_report(&f, NULL);
	ck_assert_uint_eq(causes_rows(r, CAUSE_FAILURE), 4);
	ck_assert_uint_eq(r->causes_n, 3);
	ck_assert_uint_eq(cause_at(r, CAUSE_FAILURE, 0)->rows_n, 2);
	ck_assert_uint_eq(cause_at(r, CAUSE_FAILURE, 0)->tenants_n, 2);
	ck_assert_str_eq(cause_at(r, CAUSE_FAILURE, 0)->text, "<address>: no answer within <n> s");
	ck_assert_str_eq(cause_at(r, CAUSE_FAILURE, 1)->text, "10.0.0.2: no answer within 12 s");
	ck_assert_str_eq(cause_at(r, CAUSE_FAILURE, 2)->text, "no answer from ns1.acme.example");
	report_free(r);
	fab_release(&f);
}
END_TEST

/* Every class of error has a title and a way out, in both languages; nobody is told to try a refused login again and
   again. */
START_TEST(advice)
{
	static const char *const names[] = {
#define X(code, value, name, meaning) name,
		ERR_CODES(X)
#undef X
			"",
		"unknown-to-us"
	};
	static const enum step_state bad[] = { STEP_FAILED, STEP_DRIFT, STEP_UNREACHABLE, STEP_INDETERMINATE,
					       STEP_ROLLED_BACK };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			const struct advice *a = advice_find(bad[i], names[k]);

			for (int lang = 0; lang < 2; lang++) {
				ck_assert_uint_gt(strlen(a->title[lang]), 5);
				ck_assert_uint_gt(strlen(a->what[lang]), 20);
			}
		}
	ck_assert_ptr_nonnull(advice_find(STEP_FAILED, "sudo")->line);
	ck_assert_ptr_ne(advice_find(STEP_FAILED, "host-key"), advice_find(STEP_FAILED, "authentication"));
	ck_assert_ptr_ne(advice_find(STEP_FAILED, "timeout"), advice_find(STEP_UNREACHABLE, "timeout"));
}
END_TEST

static const struct {
	const char *word, *want;
} words[] = {
	{ "acme", "acme" },	  { "host:sync1/ruby", "host:sync1/ruby" }, { "", "''" },	{ "a b", "'a b'" },
	{ "it's", "'it'\\''s'" }, { "$(reboot)", "'$(reboot)'" },	    { "a;b", "'a;b'" }, { "~root", "'~root'" },
};

START_TEST(quoting)
{
	struct buf out = BUF_INIT;

	advice_quote(&out, words[_i].word);
	ck_assert_str_eq(buf_str(&out), words[_i].want);
	buf_release(&out);
}
END_TEST

/* --state is shown where the command would not find the file by itself, and only there. */
START_TEST(state_option)
{
	static const struct {
		const char *state_file, *resume, *run;
	} rows[] = {
		{ "", "cutover resume", "cutover run /etc/cutover/inventory.json --only failed" },
		{ "cutover.db", "cutover resume", "cutover run /etc/cutover/inventory.json --state cutover.db" },
		{ "/etc/cutover/cutover.db", "cutover resume --state /etc/cutover/cutover.db",
		  "cutover run /etc/cutover/inventory.json --only failed" },
		{ "a b.db", "cutover resume --state 'a b.db'",
		  "cutover run /etc/cutover/inventory.json --state 'a b.db'" },
	};
	char inventory[] = "/etc/cutover/inventory.json", id[] = "acme", step[] = "mx", target[] = "tenant";
	struct report r = { .inventory = inventory };
	struct report_tenant tenant = { .id = id };
	struct row row = { .step = step, .target = target };
	const struct report_row of = { .row = &row, .tenant = &tenant }, *list = &of;
	const struct report_cause cause = { .step = "mx", .rows = &list, .rows_n = 1, .tenants_n = 1 };
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		r.state_file = (char *)(uintptr_t)rows[i].state_file;
		buf_clear(&out);
		advice_resume(&r, &out);
		ck_assert_str_eq(buf_str(&out), rows[i].resume);
		buf_clear(&out);
		advice_commands(&r, advice_find(STEP_FAILED, "host-key"), &cause, NULL, &out);
		ck_assert_msg(strncmp(buf_str(&out), rows[i].run, strlen(rows[i].run)) == 0, "%s", buf_str(&out));
		ck_assert_msg(strstr(buf_str(&out), " --tenant acme\n"), "%s", buf_str(&out));
	}
	buf_release(&out);
}
END_TEST

SUITE(cause)
{
	TEST_CASE_LOOP(s, normal, 0, (int)ARRAY_LEN(table));
	TEST_CASE(s, groups);
	TEST_CASE(s, advice);
	TEST_CASE(s, state_option);
	TEST_CASE_LOOP(s, quoting, 0, (int)ARRAY_LEN(words));
}
