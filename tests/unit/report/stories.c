#include "tests/unit/report/fabricate.h"

#include "base/alloc.h"

#define OLD_LINE "ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'"
#define BEFORE_SHA "3b7d1c0e5a9f4d2b8c6e1f0a7b5d3c9e2f4a6b8d0c1e3f5a7b9d1c3e5f7a9b0d"
#define AFTER_SHA "a41f0c2e6b8d3f5a7c9e1b3d5f7a9c1e3b5d7f9a1c3e5b7d9f1a3c5e7b9d1f3a"

void fab_move(struct fab *f, const char *tenant, const char *step, const char *target, enum step_state to,
	      const char *code, const char *text)
{
	const struct row *row = rows_find(&f->rows, tenant, step, target);
	struct journal_entry e = { .kind = JOURNAL_STATE,
				   .tenant = tenant,
				   .step = step,
				   .target = target,
				   .from = step_state_name(row ? row->state : STEP_PENDING),
				   .to = step_state_name(to),
				   .code = code,
				   .text = text,
				   .attempt = row ? row->attempt : 0 };

	e.attempt += to == STEP_RUNNING;
	fab_add(f, &e, NULL);
}

/* ---- the other steps -------------------------------------------------------------------------------------------- */

static void domain_target(const char *tenant, char *out, size_t size)
{
	snprintf(out, size, "domain:%s.example", tenant);
}

static void blocked(struct fab *f, const char *tenant, const char *step, const char *target, const char *agent)
{
	char text[128];

	snprintf(text, sizeof(text), "not in this version: %s", agent);
	fab_move(f, tenant, step, target, STEP_BLOCKED, NULL, text);
}

void fab_others(struct fab *f, const char *tenant)
{
	char domain[128];

	domain_target(tenant, domain, sizeof(domain));
	fab_move(f, tenant, "firewall", "tenant", STEP_NOT_APPLICABLE, NULL, "uses.restricted_firewall is false");
	blocked(f, tenant, "spf-expand", domain, "spf");
	blocked(f, tenant, "mx-ttl", domain, "mx");
	fab_move(f, tenant, "outbound-registration", "tenant", STEP_NOT_APPLICABLE, NULL,
		 "uses.outbound_filter is false");
	fab_move(f, tenant, "web-service-reach", "tenant", STEP_NOT_APPLICABLE, NULL,
		 "the tenant has nothing that this step works on (no web_service)");
	blocked(f, tenant, "test-mail", domain, "test-mail");
	fab_move(f, tenant, "template-review", "tenant", STEP_NEEDS_PERSON, NULL,
		 "decide whether the quarantine notice's template must be customised after the migration");
	blocked(f, tenant, "template-change", "tenant", "template-lint");
	fab_move(f, tenant, "relay-host", "tenant", STEP_NOT_APPLICABLE, NULL, "uses.outbound_filter is false");
	blocked(f, tenant, "mx", domain, "mx");
	blocked(f, tenant, "mx-watch", domain, "mx");
	blocked(f, tenant, "spf-contract", domain, "spf");
	blocked(f, tenant, "ttl-restore", domain, "mx");
	blocked(f, tenant, "clean-up", "tenant", "clean-up");
}

void fab_instruct(struct fab *f, const char *tenant, const char *step, const char *target, const char *who, const char *en,
		  const char *ja)
{
	char *rest = ja ? str_fmt(",\"ja\":\"%s\"", ja) : str_dup("");
	char *data = str_fmt("{\"en\":\"%s\"%s,\"who\":\"%s\"}", en, rest, who);
	struct journal_entry e = {
		.kind = JOURNAL_NOTE, .tenant = tenant, .step = step, .target = target, .action = "instruction", .data = data
	};

	fab_add(f, &e, NULL);
	free(rest);
	free(data);
}

void fab_confirm(struct fab *f, const char *tenant, const char *step, const char *target, const char *by,
		 const char *note)
{
	struct buf data = BUF_INIT;
	struct journal_entry e = { .kind = JOURNAL_PERSON, .tenant = tenant, .step = step, .target = target };

	buf_addf(&data,
		 "{\"by\":\"%s\",\"note\":\"%s\",\"os_user\":\"ops\",\"result\":\"ok\",\"ssh_origin\":\"203.0.113.9\"}",
		 by, note);
	e.data = buf_str(&data);
	fab_add(f, &e, NULL);
	buf_release(&data);
	fab_move(f, tenant, step, target, STEP_CONFIRMED, NULL, note);
}

void fab_all_done(struct fab *f, const char *tenant)
{
	static const char *const ours[] = { "spf-expand", "mx-ttl",	  "test-mail",	"mx",
					    "mx-watch",	  "spf-contract", "ttl-restore" };
	char domain[128];

	domain_target(tenant, domain, sizeof(domain));
	fab_move(f, tenant, "firewall", "tenant", STEP_NOT_APPLICABLE, NULL, "uses.restricted_firewall is false");
	fab_move(f, tenant, "outbound-registration", "tenant", STEP_NOT_APPLICABLE, NULL,
		 "uses.outbound_filter is false");
	fab_move(f, tenant, "web-service-reach", "tenant", STEP_NOT_APPLICABLE, NULL, "no web_service");
	fab_move(f, tenant, "relay-host", "tenant", STEP_NOT_APPLICABLE, NULL, "uses.outbound_filter is false");
	fab_move(f, tenant, "template-change", "tenant", STEP_NOT_APPLICABLE, NULL, "the template stays as it is");
	fab_move(f, tenant, "template-review", "tenant", STEP_NEEDS_PERSON, NULL, "decide on the template");
	f->at += 60000;
	fab_confirm(f, tenant, "template-review", "tenant", "Sato Hanako", "標準テンプレートのまま。お客様了承済み");
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		fab_move(f, tenant, ours[i], domain, STEP_RUNNING, NULL, NULL);
		f->at += 1200;
		fab_move(f, tenant, ours[i], domain, STEP_VERIFIED, NULL, "seen at both name servers");
	}
	fab_move(f, tenant, "clean-up", "tenant", STEP_RUNNING, NULL, NULL);
	fab_move(f, tenant, "clean-up", "tenant", STEP_UNCHANGED, NULL, "nothing to clean up");
}

/* ---- the sync client -------------------------------------------------------------------------------------------- */

struct client {
	struct fab *f;
	const char *tenant, *target;
};

static struct journal_entry about(const struct client *c, enum journal_kind kind, const char *action, const char *item)
{
	return (struct journal_entry){ .kind = kind,
				       .tenant = c->tenant,
				       .step = "sync-client",
				       .target = c->target,
				       .action = action,
				       .item = item,
				       .attempt = 1 };
}

static void move(const struct client *c, enum step_state to, const char *code, const char *text)
{
	fab_move(c->f, c->tenant, "sync-client", c->target, to, code, text);
}

static void identity(const struct client *c)
{
	struct journal_entry e = { .kind = JOURNAL_IDENTITY, .tenant = c->tenant, .target = c->target };
	struct buf data = BUF_INIT;

	buf_addf(&data,
		 "{\"address\":\"192.168.1.11\",\"banner\":\"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\","
		 "\"host_key\":\"ssh-ed25519 SHA256:9mB0eT0Xv0aZ4uC1d3j5K7p9r1t3v5x7z9B1D3F5H7I\",\"identity\":\"%s-SYNC1\"}",
		 c->tenant);
	e.data = buf_str(&data);
	fab_add(c->f, &e, NULL);
	buf_release(&data);
}

static void intent(const struct client *c, const char *action, const char *item)
{
	const struct journal_entry e = about(c, JOURNAL_INTENT, action, item);

	fab_add(c->f, &e, NULL);
}

static void outcome(const struct client *c, const char *action, const char *item, const char *to, int64_t ms,
		    int32_t exit_code, const char *text, const char *output)
{
	struct journal_entry e = about(c, JOURNAL_OUTCOME, action, item);

	e.to = to;
	e.elapsed_ms = ms;
	e.exit_code = exit_code;
	e.text = text;
	c->f->at += ms;
	e.wall_ms = c->f->at;
	fab_add(c->f, &e, output);
}

static void changes(const struct client *c)
{
	struct journal_entry e = about(c, JOURNAL_CHANGES, NULL, NULL);
	struct buf data = BUF_INIT;

	buf_addf(
		&data,
		"{\"changes\":[{\"after_sha256\":\"" AFTER_SHA "\",\"before_sha256\":\"" BEFORE_SHA
		"\",\"edits\":[{\"new\":\"ws.%s.hes2.example\",\"offset\":412,\"old\":\"us.imhs-ws.trendmicro.com\"}],"
		"\"item\":\"config\",\"line\":17,"
		"\"new_line\":\"ROOT_URI = 'https://ws.%s.hes2.example/imhs/v1.0/en'\",\"old_line\":\"" OLD_LINE
		"\",\"what\":\"/opt/imhs-ws-clinet/imhs-config.rb\"}],"
		"\"notes\":[\"the crontab line of sync is off meanwhile\"],"
		"\"state\":\"old\",\"text\":\"ROOT_URI names the old service\"}",
		c->tenant, c->tenant);
	e.data = buf_str(&data);
	fab_add(c->f, &e, NULL);
	buf_release(&data);
}

static void before(const struct client *c)
{
	struct journal_entry e = about(c, JOURNAL_BEFORE, NULL, NULL);

	e.data = "{\"config.content\":{\"blob\":\"" BEFORE_SHA
		 "\",\"bytes\":1208},\"config.path\":\"/opt/imhs-ws-clinet/imhs-config.rb\","
		 "\"schedule.line\":\"*/15 * * * * cd /opt/imhs-ws-clinet && ruby imhs-ws-client.rb\"}";
	fab_add(c->f, &e, NULL);
}

static void schedule_off(const struct client *c)
{
	struct journal_entry debt = about(c, JOURNAL_DEBT, "enable-schedule", "crontab:sync");

	debt.text = "the crontab line of sync is off";
	intent(c, "disable-schedule", "crontab:sync");
	fab_add(c->f, &debt, NULL);
	outcome(c, "disable-schedule", "crontab:sync", "ok", 210, 0, "", NULL);
}

static void schedule_on(const struct client *c)
{
	struct journal_entry paid = about(c, JOURNAL_PAID, "enable-schedule", "crontab:sync");

	paid.to = "ok";
	intent(c, "enable-schedule", "crontab:sync");
	outcome(c, "enable-schedule", "crontab:sync", "ok", 190, 0, "", NULL);
	fab_add(c->f, &paid, NULL);
}

static void evidence(const struct client *c)
{
	struct journal_entry look = about(c, JOURNAL_EVIDENCE, "read-config", ""),
			     command = about(c, JOURNAL_EVIDENCE, "verify-command", "client ran");

	look.data = "{\"bytes\":1196,\"group\":\"sync\",\"mode\":416,\"op\":\"get\",\"owner\":\"sync\","
		    "\"path\":\"/opt/imhs-ws-clinet/imhs-config.rb\",\"sha256\":\"" AFTER_SHA "\"}";
	look.elapsed_ms = 41;
	fab_add(c->f, &look, NULL);
	command.to = "ok";
	command.elapsed_ms = 63;
	command.data = "{\"command\":\"tail -n 1 /var/log/imhs-sync.log\",\"exit\":0,\"good\":true,\"op\":\"exec\","
		       "\"stdout\":\"2026-12-01 22:04:11 completed, 214 users\\n\",\"stdout_matches\":\"completed\","
		       "\"truncated\":false}";
	fab_add(c->f, &command, "2026-12-01 22:04:11 completed, 214 users\n");
}

static void change_it(const struct client *c)
{
	identity(c);
	c->f->at += 350;
	changes(c);
	before(c);
	schedule_off(c);
	intent(c, "write-config", "config");
	outcome(c, "write-config", "config", "ok", 88, 0, "", NULL);
}

static void verified(const struct client *c)
{
	move(c, STEP_RUNNING, NULL, NULL);
	change_it(c);
	intent(c, "run-client", "");
	outcome(c, "run-client", "", "ok", 4310, 0, "", "214 users sent\n");
	schedule_on(c);
	evidence(c);
	move(c, STEP_VERIFIED, NULL, "ROOT_URI names the new service, the client ran, its schedule is on");
}

static void run_failed(const struct client *c)
{
	move(c, STEP_RUNNING, NULL, NULL);
	change_it(c);
	intent(c, "run-client", "");
	outcome(c, "run-client", "", "fail", 2100, 1, "the client ended with 1",
		"imhs-ws-client.rb:88:in `post': 401 \"Unauthorized\" (RuntimeError)\n\tfrom imhs-ws-client.rb:142:in "
		"`<main>'\n");
	schedule_on(c);
	move(c, STEP_FAILED, "invalid",
	     "ruby imhs-ws-client.rb ended with 1: 401 \"Unauthorized\"; the new service does not know this account or "
	     "key");
}

static void cut(const struct client *c)
{
	move(c, STEP_RUNNING, NULL, NULL);
	identity(c);
	changes(c);
	before(c);
	schedule_off(c);
	intent(c, "write-config", "config");
}

static void rolled_back(const struct client *c)
{
	verified(c);
	c->f->at += 40 * 60000;
	move(c, STEP_RUNNING, NULL, NULL);
	schedule_off(c);
	intent(c, "put-back", "config");
	outcome(c, "put-back", "config", "ok", 95, 0, "", NULL);
	schedule_on(c);
	move(c, STEP_ROLLED_BACK, NULL, "put back by `cutover rollback`, looked at");
}

static void never(const struct client *c, enum step_state state, const char *code, const char *text)
{
	move(c, STEP_RUNNING, NULL, NULL);
	c->f->at += 10000;
	move(c, state, code, text);
}

void fab_client(struct fab *f, const char *tenant, const char *target, enum fab_story story)
{
	const struct client c = { f, tenant, target };

	switch (story) {
	case FAB_VERIFIED:
		verified(&c);
		break;
	case FAB_UNCHANGED:
		move(&c, STEP_RUNNING, NULL, NULL);
		identity(&c);
		move(&c, STEP_UNCHANGED, NULL, "ROOT_URI names the new service already");
		break;
	case FAB_RUN_FAILED:
		run_failed(&c);
		break;
	case FAB_DRIFT:
		move(&c, STEP_RUNNING, NULL, NULL);
		identity(&c);
		move(&c, STEP_DRIFT, NULL,
		     "/opt/imhs-ws-clinet/imhs-config.rb: ROOT_URI is 'https://proxy.intra.example/imhs/v1.0/en', "
		     "neither the old nor the new service");
		break;
	case FAB_SUDO:
		never(&c, STEP_FAILED, "sudo", "sudo -n was refused for cutover: a password is required");
		break;
	case FAB_TIMEOUT:
		never(&c, STEP_UNREACHABLE, "timeout", "192.168.1.11 port 22: connect: no answer within 10 s");
		break;
	case FAB_REFUSED:
		never(&c, STEP_UNREACHABLE, "refused", "192.168.1.11 port 22: connection refused");
		break;
	case FAB_HOST_KEY:
		never(&c, STEP_FAILED, "host-key",
		      "the host shows ssh-ed25519 SHA256:Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE, the inventory "
		      "pins another key");
		break;
	case FAB_CUT:
		cut(&c);
		break;
	case FAB_ROLLED_BACK:
		rolled_back(&c);
		break;
	case FAB_WAITING:
		move(&c, STEP_WAITING, NULL, "waits for the window");
		break;
	case FAB_STORIES:
		break;
	}
}
