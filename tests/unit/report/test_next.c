/* What would move a row, by its state and by the clock; and the commands that are shown for it. */
#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"
#include "report/escape.h"
#include "report/status.h"
#include "report/why.h"

#define HOUR INT64_C(3600000)

struct asked {
	struct fab fab;
	struct journal_reader *reader;
	struct report_query query;
	struct buf out;
};

static void begin(struct asked *a)
{
	*a = (struct asked){ 0 };
	fab_init(&a->fab);
	fab_procedure(&a->fab);
	fab_run(&a->fab, "run");
}

static const char *why_at(struct asked *a, const char *tenant, int64_t now_ms)
{
	struct err err = { 0 };

	if (!a->reader) {
		a->reader = fab_reader(&a->fab);
		a->query = fab_query(a->reader);
	}
	a->query.tenant = tenant;
	a->query.now_ms = now_ms;
	a->query.width = 1000; /* sentences in one line */
	buf_clear(&a->out);
	ck_assert_msg(why_text(&a->query, &a->out, &err) == 0, "%s", err.text);
	return buf_str(&a->out);
}

static void end(struct asked *a)
{
	journal_reader_close(a->reader);
	buf_release(&a->out);
	fab_release(&a->fab);
}

#define HAS(text, part) ck_assert_msg(strstr((text), (part)), "no \"%s\" in:\n%s", (part), (text))
#define LACKS(text, part) ck_assert_msg(!strstr((text), (part)), "\"%s\" in:\n%s", (part), (text))

/* One waiting row of switch; the clock goes over its window. */
START_TEST(windows)
{
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "acme", .name = "Acme" });
	fab_client(&a.fab, "acme", "host:sync1", FAB_WAITING);
	HAS(why_at(&a, "acme", FAB_NIGHT - 3 * HOUR), "the next window begins 2026-12-01 22:00 +09:00 (in 3 h 00 min)");
	HAS(why_at(&a, "acme", FAB_NIGHT), "a window is open until 2026-12-02 05:00 +09:00 (7 h 00 min left)");
	HAS(why_at(&a, "acme", FAB_NIGHT + 7 * HOUR), "no window is left: the last one ended 2026-12-02 05:00 +09:00");
	LACKS(why_at(&a, "acme", FAB_NIGHT + 7 * HOUR), "vendor's period");
	HAS(why_at(&a, "acme", FAB_NIGHT + 21 * FAB_DAY), "the vendor's period ended 2026-12-21 22:00 +09:00");
	HAS(why_at(&a, "acme", FAB_NIGHT - FAB_DAY), "The vendor's data migration is on 2026-12-01");
	HAS(why_at(&a, "acme", FAB_NIGHT), "$ cutover resume --wait\n");
	end(&a);
}
END_TEST

/* A row that says until when. */
START_TEST(until)
{
	const struct journal_entry e = { .kind = JOURNAL_STATE,
					 .tenant = "acme",
					 .step = "mx",
					 .target = "domain:acme.example",
					 .from = "pending",
					 .to = "waiting",
					 .text = "the old TTL has to pass",
					 .until_ms = FAB_NIGHT + 2 * HOUR };
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "acme", .name = "Acme" });
	fab_add(&a.fab, &e, NULL);
	HAS(why_at(&a, "acme", FAB_NIGHT), "It goes on at 2026-12-02 00:00 +09:00 (in 2 h 00 min)");
	HAS(why_at(&a, "acme", FAB_NIGHT + 2 * HOUR), "What it waited for has come: run again.");
	end(&a);
}
END_TEST

START_TEST(persons)
{
	const char *text;
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){
				   .id = "acme", .name = "Acme", .by = "{\"mx\":\"customer\",\"firewall\":\"isp\"}" });
	fab_move(&a.fab, "acme", "mx", "domain:acme.example", STEP_NEEDS_PERSON, NULL,
		 "set MX to mx.acme.hes2.example");
	fab_move(&a.fab, "acme", "firewall", "tenant", STEP_NEEDS_PERSON, NULL, "allow the ranges");
	fab_move(&a.fab, "acme", "template-review", "tenant", STEP_NEEDS_PERSON, NULL, "decide");
	text = why_at(&a, "acme", FAB_NOW);
	HAS(text, "This is for the customer to do.");
	HAS(text, "This is for the customer's ISP to do.");
	HAS(text, "$ cutover confirm acme mx --target domain:acme.example --result ok --by NAME\n");
	HAS(text, "$ cutover confirm acme mx --target domain:acme.example --result not-needed --by NAME\n");
	a.query.state_file = "/var/lib/cutover/tonight's.db";
	HAS(why_at(&a, "acme", FAB_NOW), "--by NAME --state '/var/lib/cutover/tonight'\\''s.db'\n");
	end(&a);
}
END_TEST

START_TEST(running)
{
	const char *text;
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "acme", .name = "Acme" });
	a.fab.at = FAB_NOW - 90000;
	fab_client(&a.fab, "acme", "host:sync1", FAB_CUT);
	text = why_at(&a, "acme", FAB_NOW);
	HAS(text, "OPEN DEBTS (1)");
	HAS(text, "did not end: the controller was killed");
	HAS(text, "The controller that worked on it is gone");
	HAS(text, "$ cutover resume\n");
	a.query.holder = "pid 4711 (root), since 2026-12-02T02:11:00+09:00";
	text = why_at(&a, "acme", FAB_NOW);
	HAS(text, "going on for 4 h 13 min: pid 4711 (root)");
	HAS(text, "the controller that holds the file puts them back");
	HAS(text, "It is being worked on, for 1 min 30 s now.");
	LACKS(text, "$ cutover resume\n");
	end(&a);
}
END_TEST

/* What failed comes first, what a person owes next, what only waits last. */
START_TEST(order)
{
	const char *text, *failed, *person, *blocked;
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "acme", .name = "Acme" });
	fab_others(&a.fab, "acme");
	fab_client(&a.fab, "acme", "host:sync1", FAB_SUDO);
	text = why_at(&a, "acme", FAB_NOW);
	failed = strstr(text, "sync-client host:sync1: failed");
	person = strstr(text, "template-review tenant: needs_person");
	blocked = strstr(text, "blocked: spf-expand domain:acme.example (spf)");
	ck_assert_msg(failed && person && blocked && failed < person && person < blocked, "%s", text);
	HAS(text, "The line: LOGIN ALL=(ALL:ALL) NOPASSWD: ALL");
	HAS(text, "This version of cutover does not do it: do it by hand");
	HAS(text, "--result not-needed");
	/* one for each of the nine, since each is somebody's word */
	HAS(text, "$ cutover confirm acme spf-expand --target domain:acme.example --result ok --by NAME\n");
	HAS(text, "$ cutover confirm acme mx-watch --target domain:acme.example --result ok --by NAME\n");
	HAS(text, "$ cutover confirm acme clean-up --target tenant --result ok --by NAME\n");
	HAS(text, "4 of 15 rows are done");
	end(&a);
}
END_TEST

/* Blocked for another reason: it goes on by itself, and nobody's word is asked for. */
START_TEST(blocked)
{
	const char *text;
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "acme", .name = "Acme" });
	fab_move(&a.fab, "acme", "mx", "domain:acme.example", STEP_BLOCKED, NULL, "it needs mx-ttl, which is blocked");
	text = why_at(&a, "acme", FAB_NOW);
	HAS(text, "It goes on by itself with the next run once that is settled.");
	LACKS(text, "cutover confirm");
	end(&a);
}
END_TEST

/* Verified is not all: what nobody could look at is said, once for all targets; not where it was looked at. */
START_TEST(not_proved)
{
	const char *text;
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "acme", .name = "Acme" });
	fab_client(&a.fab, "acme", "host:sync1", FAB_VERIFIED);
	fab_client(&a.fab, "acme", "host:sync2", FAB_UNCHANGED);
	a.fab.web_service = true;
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "basil", .name = "Basil" });
	fab_client(&a.fab, "basil", "host:sync1", FAB_VERIFIED);
	a.fab.web_service = false;
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "cress", .name = "Cress" });
	fab_client(&a.fab, "cress", "host:sync1", FAB_RUN_FAILED);
	text = why_at(&a, "acme", FAB_NOW);
	HAS(text, "2 of 2 rows are done: 1 verified, 1 unchanged\n"
		  "sync-client: not proved: the sync itself: no web_service\n");
	ck_assert_ptr_null(strstr(strstr(text, "not proved") + 1, "not proved"));
	LACKS(why_at(&a, "basil", FAB_NOW), "not proved");
	LACKS(why_at(&a, "cress", FAB_NOW), "not proved");
	a.query.lang = REPORT_JA;
	HAS(why_at(&a, "acme", FAB_NOW), "sync-client: 未証明: 同期そのもの (web_service なし)\n");
	end(&a);
}
END_TEST

START_TEST(japanese)
{
	const char *text;
	struct asked a;

	begin(&a);
	fab_tenant(&a.fab, &(struct fab_tenant){ .id = "acme", .name = "ACME株式会社", .japanese = true });
	fab_others(&a.fab, "acme");
	why_at(&a, "acme", FAB_NOW);
	a.query.lang = REPORT_JA;
	text = why_at(&a, "acme", FAB_NOW);
	HAS(text, "隔離通知テンプレートの確認 (ベンダ手順 6)");
	HAS(text, "作業時間帯: 2026-12-02 05:00 +09:00 まで");
	HAS(text, "このバージョンでは実施しません。ベンダの手順に従って手作業で行い、担当者名とともに記録してください。");
	HAS(text, "$ cutover confirm acme spf-expand --target domain:acme.example --result ok --by NAME\n");
	LACKS(text, "window");
	end(&a);
}
END_TEST

/* No line of status is wider than the terminal, but for commands. */
START_TEST(width)
{
	static const int widths[] = { 60, 80, 132 };
	struct journal_reader *reader;
	struct report_query q;
	struct fab f;

	fab_init(&f);
	fab_night(&f);
	reader = fab_reader(&f);
	q = fab_query(reader);
	q.width = widths[_i];
	for (int one = 0; one < 2; one++) {
		struct buf out = BUF_INIT;
		size_t lines = 0;

		q.tenant = one ? "basil" : NULL;
		ck_assert_int_eq(status_text(&q, &out, NULL), 0);
		for (const char *at = buf_str(&out); *at; lines++) {
			size_t len = strcspn(at, "\n");
			char *line = str_ndup(at, len);

			if (!strstr(line, "$ "))
				ck_assert_msg(text_columns(line) <= (size_t)widths[_i], "%s", line);
			free(line);
			at += len + (at[len] == '\n');
		}
		ck_assert_uint_gt(lines, 15);
		buf_release(&out);
	}
	journal_reader_close(reader);
	fab_release(&f);
}
END_TEST

SUITE(next)
{
	TEST_CASE(s, windows);
	TEST_CASE(s, until);
	TEST_CASE(s, persons);
	TEST_CASE(s, running);
	TEST_CASE(s, order);
	TEST_CASE(s, blocked);
	TEST_CASE(s, not_proved);
	TEST_CASE(s, japanese);
	TEST_CASE_LOOP(s, width, 0, 3);
}
