#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"

#include <ftw.h>
#include <unistd.h>

/* So many entries go into one transaction: a fleet is made in seconds, not in an fsync for each. */
#define BATCH 2000

struct fab_entry {
	struct journal_entry entry;
	char *blob;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fab_init(struct fab *f)
{
	struct err err = { 0 };

	*f = (struct fab){ .at = FAB_NIGHT };
	snprintf(f->folder, sizeof(f->folder), "/tmp/cutover-report-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->folder));
	f->path = str_fmt("%s/cutover.db", f->folder);
	rows_init(&f->rows);
	ck_assert_msg(journal_open(NULL, f->path, JOURNAL_CREATE, &f->journal, &err) == 0, "%s", err.text);
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static void own(struct journal_entry *e)
{
	const char **texts[] = { &e->procedure, &e->tenant,	 &e->step,	&e->target, &e->action,
				 &e->item,	&e->from,	 &e->to,	&e->code,   &e->text,
				 &e->data,	&e->blob_sha256, &e->prev_hash, &e->hash };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = str_dup(*texts[i] ? *texts[i] : "");
}

static void disown(struct journal_entry *e)
{
	const char *texts[] = { e->procedure, e->tenant, e->step, e->target, e->action,	     e->item,	   e->from,
				e->to,	      e->code,	 e->text, e->data,   e->blob_sha256, e->prev_hash, e->hash };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free((char *)(uintptr_t)texts[i]);
}

static void flush(struct fab *f)
{
	struct journal_entry *entries = NEW_N(struct journal_entry, f->pending_n + 1);
	struct journal_blob *blobs = NEW_N(struct journal_blob, f->pending_n + 1);
	struct err err = { 0 };
	int rc = 0;

	for (size_t i = 0; i < f->pending_n; i++) {
		entries[i] = f->pending[i].entry;
		if (f->pending[i].blob)
			blobs[i] = (struct journal_blob){ f->pending[i].blob, strlen(f->pending[i].blob), false };
	}
	if (f->pending_n)
		rc = journal_append_now(f->journal, entries, blobs, f->pending_n, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
	for (size_t i = 0; i < f->pending_n; i++) {
		disown(&f->pending[i].entry);
		free(f->pending[i].blob);
	}
	free(f->pending);
	f->pending = NULL;
	f->pending_n = 0;
	free(entries);
	free(blobs);
}

void fab_add(struct fab *f, const struct journal_entry *entry, const char *blob)
{
	struct journal_entry e = *entry;
	struct err err = { 0 };

	if (!e.wall_ms)
		e.wall_ms = f->at;
	if (!e.run)
		e.run = f->run;
	e.procedure = "hes-1-to-2";
	own(&e);
	ck_assert_msg(rows_apply(&f->rows, &e, &err) == 0, "%s", err.text);
	GROW_FOR_ONE(f->pending, f->pending_n);
	f->pending[f->pending_n++] = (struct fab_entry){ e, str_dup(blob) };
	if (f->pending_n >= BATCH)
		flush(f);
}

void fab_close(struct fab *f)
{
	if (!f->journal)
		return;
	flush(f);
	journal_close_now(f->journal);
	f->journal = NULL;
}

void fab_release(struct fab *f)
{
	fab_close(f);
	rows_release(&f->rows);
	nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f->path);
}

/* ---- notes and runs --------------------------------------------------------------------------------------------- */

static void procedure_note(struct fab *f, const char *data)
{
	const struct journal_entry e = { .kind = JOURNAL_NOTE, .tenant = "", .action = "procedure", .data = data };

	fab_add(f, &e, NULL);
}

static const struct {
	const char *step, *vendor, *phase, *en, *ja;
} hes_steps[] = {
	{ "firewall", "1", "prepare", "Let the firewall pass mail from and to the service",
	  "ファイアウォール設定の変更" },
	{ "spf-expand", "8 (first half)", "prepare", "Add the new service to the SPF record",
	  "SPF レコードへの新システムの追加" },
	{ "mx-ttl", "9 (before)", "prepare", "Lower the TTL of the MX record",
	  "MX レコードの TTL の短縮" },
	{ "outbound-registration", "2", "ready", "Check that the sending servers are registered",
	  "送信サーバ設定の確認" },
	{ "web-service-reach", "4 (before)", "ready", "Reach the new web service with the customer's account",
	  "新 Web サービスへの接続確認" },
	{ "test-mail", "5", "ready", "Send a test mail through the new service",
	  "テストメールの送信" },
	{ "template-review", "6", "ready", "Decide on the template of the quarantine notice",
	  "隔離通知テンプレートの確認" },
	{ "template-change", "7", "ready", "Set the template of the quarantine notice",
	  "隔離通知テンプレートの変更" },
	{ "relay-host", "3", "switch", "Point the sending servers at the new relay",
	  "中継先送信メールサーバの FQDN の変更" },
	{ "sync-client", "4", "switch", "Point the directory sync clients at the new web service",
	  "Web サービスで使用している FQDN の変更" },
	{ "mx", "9", "switch", "Point the MX record at the new service",
	  "MX レコードの変更" },
	{ "mx-watch", "9", "settle", "Watch the MX record spread",
	  "MX レコードの伝播の確認" },
	{ "spf-contract", "8 (second half)", "settle", "Remove the old service from the SPF record",
	  "SPF レコードからの旧システムの削除" },
	{ "ttl-restore", "9", "settle", "Set the TTL of the MX record back",
	  "MX レコードの TTL の復元" },
	{ "clean-up", "", "settle", "Clean up",
	  "後片付け" },
};

void fab_procedure(struct fab *f)
{
	struct buf data = BUF_INIT;

	buf_adds(&data, "{\"name\":\"hes-1-to-2\",\"title\":{\"en\":\"Hosted Email Security 1.0 to 2.0\","
			"\"ja\":\"Hosted Email Security 1.0 から 2.0 への移行\"},\"steps\":[");
	for (size_t i = 0; i < ARRAY_LEN(hes_steps); i++)
		buf_addf(&data,
			 "%s{\"step\":\"%s\",\"vendor\":\"%s\",\"phase\":\"%s\",\"title\":{\"en\":\"%s\",\"ja\":\"%s\"}%s}",
			 i ? "," : "", hes_steps[i].step, hes_steps[i].vendor, hes_steps[i].phase, hes_steps[i].en,
			 hes_steps[i].ja,
			 strcmp(hes_steps[i].step, "sync-client") == 0
				 ? ",\"without\":{\"en\":\"the sync itself: no web_service\",\"ja\":\"同期そのもの (web_service なし)\"}"
				 : "");
	buf_adds(&data, "]}");
	procedure_note(f, buf_str(&data));
	buf_release(&data);
}

void fab_procedure_short(struct fab *f)
{
	procedure_note(f, "{\"name\":\"two-steps\",\"title\":{\"en\":\"Two steps\"},\"steps\":["
			  "{\"step\":\"look\",\"vendor\":\"\",\"phase\":\"ready\",\"title\":{\"en\":\"Look\"}},"
			  "{\"step\":\"leap\",\"vendor\":\"\",\"phase\":\"switch\",\"title\":{\"en\":\"Leap\"}}]}");
}

void fab_tenant(struct fab *f, const struct fab_tenant *t)
{
	int64_t start = t->window_start ? t->window_start : FAB_NIGHT;
	struct buf data = BUF_INIT;
	struct journal_entry e = { .kind = JOURNAL_NOTE, .tenant = t->id, .action = "tenant" };

	buf_addf(
		&data,
		"{\"name\":\"%s\",\"wave\":\"%s\",\"language\":\"%s\",\"offset_min\":540,"
		"\"migration_date\":\"2026-12-01\",\"migration_ms\":%lld,\"change_id\":\"%s\",\"windows\":[{\"start_ms\":%lld,"
		"\"end_ms\":%lld}],\"vendor_period\":{\"start_ms\":%lld,\"end_ms\":%lld},\"by\":%s,\"without\":[%s],\"rows\":15}",
		t->name, t->wave ? t->wave : "", t->japanese ? "ja" : "en", (long long)(FAB_NIGHT - 22 * 3600000),
		t->change_id ? t->change_id : "", (long long)start, (long long)(start + 7 * 3600000),
		(long long)(FAB_NIGHT - 22 * 3600000), (long long)(FAB_NIGHT + 20 * FAB_DAY), t->by ? t->by : "{}",
		f->web_service ? "" : "\"sync-client\"");
	e.data = buf_str(&data);
	fab_add(f, &e, NULL);
	buf_release(&data);
}

static void put_revision(struct fab *f)
{
	const struct journal_file file = { "/etc/cutover/inventory.json", "{}", 2 };
	struct err err = { 0 };
	int64_t revision;
	char sha[SHA256_HEX_MAX];

	ck_assert_msg(journal_put_revision(f->journal, sha256_hex("{}", 2, sha), &file, 1, f->at, &revision, &err) == 0,
		      "%s", err.text);
}

void fab_run(struct fab *f, const char *command)
{
	struct buf data = BUF_INIT;
	struct journal_entry e = { .kind = JOURNAL_RUN, .wall_ms = f->at };
	struct err err = { 0 };

	flush(f);
	put_revision(f);
	buf_addf(&data,
		 "{\"command\":\"%s\",\"revision\":1,\"selection\":{},\"os_user\":\"ops\","
		 "\"ssh_origin\":\"203.0.113.9\",\"pid\":4711,\"version\":\"0.1.0\",\"concurrency\":100}",
		 command);
	e.data = buf_str(&data);
	ck_assert_msg(journal_begin_run(f->journal, &e, &f->run, &err) == 0, "%s", err.text);
	e.run = f->run;
	ck_assert_int_eq(rows_apply(&f->rows, &e, &err), 0);
	buf_release(&data);
}

void fab_run_end(struct fab *f, int exit, const char *text)
{
	char data[64];
	const struct journal_entry e = { .kind = JOURNAL_RUN_END, .text = text, .data = data };

	snprintf(data, sizeof(data), "{\"exit\":%d}", exit);
	fab_add(f, &e, NULL);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

struct journal_reader *fab_reader(struct fab *f)
{
	struct journal_reader *reader;
	struct err err = { 0 };

	fab_close(f);
	ck_assert_msg(journal_reader_open(f->path, &reader, &err) == 0, "%s", err.text);
	return reader;
}

struct report_query fab_query(struct journal_reader *reader)
{
	return (struct report_query){ .reader = reader, .now_ms = FAB_NOW, .verify = true };
}

struct report *fab_report(struct fab *f, const char *tenant)
{
	struct journal_reader *reader = fab_reader(f);
	struct report_query q = fab_query(reader);
	struct report *report;
	struct err err = { 0 };

	q.tenant = tenant;
	ck_assert_msg(report_load(&q, &report, &err) == 0, "%s", err.text);
	journal_reader_close(reader);
	return report;
}
