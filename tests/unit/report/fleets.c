#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"

/* ---- one night of eight tenants ---------------------------------------------------------------------------------- */

static void tenant(struct fab *f, const struct fab_tenant *t)
{
	fab_tenant(f, t);
	fab_others(f, t->id);
}

void fab_night(struct fab *f)
{
	fab_procedure(f);
	fab_run(f, "run");
	tenant(f,
	       &(struct fab_tenant){ "acme", "ACME株式会社", "pilot", "CHG-20417", true, 0, "{\"mx\":\"customer\"}" });
	tenant(f, &(struct fab_tenant){ "basil", "Basil & Sons <Ltd>", "pilot", "CHG-20418", false, 0, NULL });
	tenant(f, &(struct fab_tenant){ "cedar", "Cedar Logistics", "pilot", "CHG-20419", false, 0, NULL });
	tenant(f, &(struct fab_tenant){ "delta", "デルタ物産", "pilot", "CHG-20420", true, 0, NULL });
	tenant(f, &(struct fab_tenant){ "echo", "Echo Foods", "pilot", "CHG-20421", false, 0, NULL });
	fab_tenant(f, &(struct fab_tenant){ "fuji", "富士商事株式会社", "pilot", "CHG-20422", true, 0, NULL });
	tenant(f, &(struct fab_tenant){ "golf", "Golf Supplies", "pilot", "CHG-20423", false, 0, NULL });
	tenant(f, &(struct fab_tenant){ "hotel", "Hotel Lumière", "w07", "CHG-20431", false, FAB_NIGHT + 7 * FAB_DAY,
					NULL });
	f->at += 4000;
	fab_client(f, "acme", "host:sync1", FAB_VERIFIED);
	fab_client(f, "acme", "host:sync2", FAB_UNCHANGED);
	fab_client(f, "basil", "host:sync1", FAB_RUN_FAILED);
	fab_client(f, "cedar", "host:ldap1", FAB_DRIFT);
	fab_client(f, "echo", "host:sync1", FAB_TIMEOUT);
	fab_client(f, "echo", "host:sync2", FAB_SUDO);
	fab_client(f, "fuji", "host:sync1", FAB_VERIFIED);
	fab_all_done(f, "fuji");
	fab_client(f, "hotel", "host:sync1", FAB_WAITING);
	fab_run_end(f, 1, "1 of 8 tenants done, 4 rows failed");
	f->at = FAB_NIGHT + 90 * 60000;
	fab_run(f, "rollback");
	fab_client(f, "golf", "host:sync1", FAB_ROLLED_BACK);
	fab_run_end(f, 0, "");
	f->at = FAB_NOW - 3 * 60000;
	fab_run(f, "resume");
	fab_client(f, "delta", "host:sync1", FAB_CUT);
}

/* ---- many -------------------------------------------------------------------------------------------------------- */

/* Most are well, one in ten is not. */
static enum fab_story story_of(size_t i)
{
	static const enum fab_story bad[] = { FAB_RUN_FAILED, FAB_DRIFT,   FAB_SUDO,
					      FAB_TIMEOUT,    FAB_REFUSED, FAB_HOST_KEY };

	if (i % 10 == 3)
		return bad[i / 10 % ARRAY_LEN(bad)];
	if (i % 10 == 7)
		return FAB_WAITING;
	return i % 10 == 9 ? FAB_UNCHANGED : FAB_VERIFIED;
}

void fab_fleet(struct fab *f, size_t tenants)
{
	fab_procedure(f);
	fab_run(f, "run");
	for (size_t i = 0; i < tenants; i++) {
		char id[32], name[64], change[32];
		const struct fab_tenant t = { id,     name,	  i % 10 == 7 ? "w07" : "pilot",
					      change, i % 3 == 0, i % 10 == 7 ? FAB_NIGHT + 7 * FAB_DAY : 0,
					      NULL };

		snprintf(id, sizeof(id), "c%05zu", i + 1);
		snprintf(name, sizeof(name), i % 3 == 0 ? "第%zu商事株式会社" : "Customer %zu Ltd", i + 1);
		snprintf(change, sizeof(change), "CHG-%zu", 30000 + i);
		fab_tenant(f, &t);
		f->at += 20;
		if (i % 10 < 2) {
			fab_client(f, id, "host:sync1", FAB_VERIFIED);
			fab_all_done(f, id);
			continue;
		}
		fab_others(f, id);
		fab_client(f, id, "host:sync1", story_of(i));
	}
	fab_run_end(f, 1, "");
}

/* ---- attacks ----------------------------------------------------------------------------------------------------- */

const char *const fab_attacks[] = {
	"<script>document.title='owned'</script>",
	"<img src=x onerror=\"document.title='owned'\">",
	"\"><svg/onload=document.title='owned'>",
	"'+alert(1)+'",
	"</style><script>document.title='owned'</script>",
	"</title><script>document.title='owned'</script>",
	"<!--<script>-->",
	"javascript:document.title='owned'",
	"\x1b]0;owned\x07\x1b[2J\x1b[31mred",
	"a\xe2\x80\xae" /* right-to-left override */ "evil\xe2\x80\xac",
	"=cmd|'/c calc'!A0",
	"+1+cmd",
	"-2+3",
	"@SUM(1)",
	"\t=1+1",
	"two\r\nlines,\"quoted\"",
	"latin-1 \xe9 and cut \xe3\x81",
	"&lt;already&gt; &amp; {{7*7}} ${7*7}",
	NULL,
};

static char *json_quote(const char *text)
{
	struct buf out = BUF_INIT;

	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_addf(&out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			buf_addf(&out, "\\u%04x", *text);
		else
			buf_addc(&out, *text);
	}
	return buf_detach(&out);
}

/* Valid UTF-8 only: what is not cannot stand in JSON. */
static const char *attack_in_json(size_t i)
{
	return strstr(fab_attacks[i], "latin-1") ? "<b>utf-8 only</b>" : fab_attacks[i];
}

static void attack(struct fab *f, size_t i)
{
	const char *bad = fab_attacks[i];
	char *json = json_quote(attack_in_json(i)), tenant_id[32], target[600], code[200];
	struct buf data = BUF_INIT;
	struct journal_entry e = { .kind = JOURNAL_NOTE, .tenant = tenant_id, .action = "tenant" };

	snprintf(tenant_id, sizeof(tenant_id), "t%zu", i);
	snprintf(target, sizeof(target), "host:%s", bad);
	snprintf(code, sizeof(code), "%s", bad);
	buf_addf(&data,
		 "{\"name\":\"%s\",\"wave\":\"%s\",\"language\":\"%s\",\"offset_min\":540,\"migration_date\":\"%s\","
		 "\"change_id\":\"%s\",\"windows\":[],\"by\":{\"mx\":\"%s\"},\"rows\":1}",
		 json, json, json, json, json, json);
	e.data = buf_str(&data);
	fab_add(f, &e, NULL);
	fab_move(f, tenant_id, "sync-client", target, STEP_RUNNING, NULL, bad);
	buf_clear(&data);
	buf_addf(&data,
		 "{\"changes\":[{\"item\":\"%s\",\"what\":\"%s\",\"line\":1,\"old_line\":\"%s old\","
		 "\"new_line\":\"%s new\",\"before_sha256\":\"%s\",\"after_sha256\":\"%s\",\"edits\":[{\"offset\":0,\"old\":\"%s\","
		 "\"new\":\"%s\"}]}],\"notes\":[\"%s\"],\"state\":\"%s\",\"text\":\"%s\"}",
		 json, json, json, json, json, json, json, json, json, json, json);
	e = (struct journal_entry){
		.kind = JOURNAL_CHANGES, .tenant = tenant_id, .step = "sync-client", .target = target
	};
	e.data = buf_str(&data);
	fab_add(f, &e, NULL);
	for (int kind = JOURNAL_INTENT; kind <= JOURNAL_EVIDENCE; kind++) {
		if (kind == JOURNAL_CHANGES || kind == JOURNAL_PAID)
			continue;
		e.kind = (enum journal_kind)kind;
		e.action = e.item = e.to = e.code = e.text = bad;
		e.data = buf_str(&data);
		fab_add(f, &e, bad);
	}
	buf_clear(&data);
	buf_addf(&data,
		 "{\"by\":\"%s\",\"note\":\"%s\",\"os_user\":\"%s\",\"result\":\"%s\",\"host_key\":\"%s\","
		 "\"banner\":\"%s\"}",
		 json, json, json, json, json, json);
	e.kind = JOURNAL_PERSON;
	e.data = buf_str(&data);
	fab_add(f, &e, NULL);
	e.kind = JOURNAL_IDENTITY;
	e.step = "";
	fab_add(f, &e, NULL);
	fab_move(f, tenant_id, "sync-client", target, i % 2 ? STEP_FAILED : STEP_DRIFT, code, bad);
	buf_release(&data);
	free(json);
}

void fab_hostile(struct fab *f)
{
	fab_procedure(f);
	fab_run(f, "run");
	for (size_t i = 0; fab_attacks[i]; i++)
		attack(f, i);
	fab_run_end(f, 1, fab_attacks[0]);
}
