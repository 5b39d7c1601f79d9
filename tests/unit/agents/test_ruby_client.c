/*
 * The Ruby client's tables with recorded answers: what is asked of the host, and what is made of what it says. Nothing is
 * run; the same tables on real shells and files are in tests/integration/agents.
 */
#include "tests/lib/unit.h"

#include "agents/agents.h"
#include "agents/script.h"

#include "base/alloc.h"

#include <stdarg.h>

#define OLD_TEXT "KEY = 'k'\nROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'\n"
#define NEW_TEXT "KEY = 'k'\nROOT_URI = 'https://ws.acme.hes2.example/imhs/v1.0/en'\n"
#define LINE "23 3 * * * cd /opt/imhs-ws-clinet && ruby imhs-ws-client.rb"
#define TABLE_ON "MAILTO=x\n" LINE "\n"
#define TABLE_OFF "MAILTO=x\n#CUTOVER:acme: " LINE "\n"
#define SPOOL "/var/spool/cron/crontabs/sync"

static char old_name[] = "us.imhs-ws.trendmicro.com", new_name[] = "ws.acme.hes2.example", acme[] = "acme";
static char *old_names[] = { old_name };
static struct profile profile = { .old_web_service = { old_names, 1 } };
static struct inventory inventory = { .profile = &profile };
static struct tenant tenant = { .id = acme, .new_web_service = new_name };
static struct host host;

static struct facts now, before;
static struct assessment assessment;
static struct agent_ctx ctx;
static const char *done; /* the row of apply[] that is done, or NULL */

static bool step_done(const struct agent_ctx *c, const char *step, const char *item)
{
	(void)c;
	(void)item;
	return done && strcmp(step, done) == 0;
}

static void begin(const char *params)
{
	done = NULL;
	ctx = (struct agent_ctx){
		.inventory = &inventory,
		.tenant = &tenant,
		.host = &host,
		.params = json_loads(params, 0, NULL),
		.with = json_object(),
		.now = &now,
		.before = &before,
		.wall_ms = 1000000,
		.step_done = step_done,
	};
	ck_assert_ptr_nonnull(ctx.params);
}

static void end(void)
{
	facts_release(&now);
	facts_release(&before);
	assessment_release(&assessment);
	json_decref((json_t *)ctx.params);
	json_decref((json_t *)ctx.with);
}

/* ---- asking and answering --------------------------------------------------------------------------------------- */

static const struct step *row(const struct step *table, const char *name)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	ck_assert_ptr_nonnull(table->name);
	return table;
}

static enum step_request ask(const struct step *step, int n, struct op *op, char item[ITEM_MAX])
{
	op_init(op, OP_RUN);
	return step->request(&ctx, n, op, item);
}

static struct verdict answer(const struct step *step, int n, int failure, int code, const char *out, const char *err)
{
	struct op_result r = { .started = true, .exit_code = code };
	struct verdict v;

	buf_adds(&r.out, out);
	buf_adds(&r.err, err);
	if (failure)
		err_set(&r.failure, failure, "failed so");
	r.file = (struct op_file){ .real_path = str_dup("/opt/imhs-ws-clinet/imhs-config.rb"),
				   .mode = 0640,
				   .owner = str_dup("sync"),
				   .group = str_dup("sync"),
				   .links = 1 };
	v = step->judge(&ctx, n, &r);
	op_result_release(&r);
	return v;
}

/* Frames out of pairs NAME, VALUE, ended by NULL; the caller frees. */
static char *frames(const char *first, ...)
{
	struct buf out = BUF_INIT;
	va_list args;

	va_start(args, first);
	for (const char *name = first; name; name = va_arg(args, const char *)) {
		const char *value = va_arg(args, const char *);

		buf_addf(&out, "%s %zu\n%s\n", name, strlen(value), value);
	}
	va_end(args);
	buf_adds(&out, "end 0\n\n");
	return buf_detach(&out);
}

static struct verdict answer_frames(const struct step *step, int n, char *text)
{
	struct verdict v = answer(step, n, 0, 0, text, "");

	free(text);
	return v;
}

static void is(struct verdict v, enum verdict_kind kind, const char *text)
{
	ck_assert_msg(v.kind == kind && strstr(v.text, text), "%s: %s", verdict_name(v.kind), v.text);
}

static const struct step *observe(const char *name)
{
	return row(agent_ruby_client.observe, name);
}

static const struct step *apply(const char *name)
{
	return row(agent_ruby_client.apply, name);
}

static const struct step *restore(void)
{
	return row(agent_ruby_client.restore, "schedule-on");
}

/* The usual host, with that file and that crontab (NULL: none). */
static void see(const char *text, const char *table)
{
	facts_release(&now);
	is(answer_frames(observe("find"), 0,
			 frames("folder", "/opt/imhs-ws-clinet", "real", "/opt/imhs-ws-clinet", "script",
				"imhs-ws-client.rb", "owner", "sync", "complete", "yes", NULL)),
	   VERDICT_OK, "");
	is(answer(observe("read"), 0, 0, 0, text, ""), VERDICT_OK, "");
	is(answer_frames(observe("schedule"), 0,
			 table ? frames("kind", "user", "name", "crontab:sync", "user", "sync", "path", SPOOL, "bytes",
					table, NULL)
			       : frames(NULL)),
	   VERDICT_OK, "");
	is(answer_frames(observe("running"), 0, frames(NULL)), VERDICT_OK, "");
	is(answer_frames(observe("ruby"), 0, frames("ruby", "/usr/bin/ruby", "version", "ruby 3.1", NULL)), VERDICT_OK,
	   "");
}

static void assess_as(enum assess_state state, const char *text)
{
	struct err err = { 0 };

	assessment_release(&assessment);
	ck_assert_int_eq(agent_ruby_client.assess(&ctx, &assessment, &err), 0);
	ck_assert_msg(assessment.state == state && strstr(assessment.text, text), "%s: %s",
		      assess_state_name(assessment.state), assessment.text);
	ctx.assessment = &assessment;
}

static void runs_script(const struct op *op, const char *script, bool elevated, int args)
{
	ck_assert_int_eq(op->kind, OP_RUN);
	ck_assert_str_eq(op->script->name, script);
	ck_assert_int_eq(op->elevated, elevated);
	ck_assert_int_eq(op->args_n, args);
}

static void replaces(const struct op *op, const char *from, const char *to, const char *backup)
{
	char sha[SHA256_HEX_MAX];

	ck_assert_int_eq(op->kind, OP_REPLACE);
	ck_assert(op->elevated);
	ck_assert_str_eq(op->path, "/opt/imhs-ws-clinet/imhs-config.rb");
	ck_assert_str_eq(op->expect_sha256, sha256_hex(from, strlen(from), sha));
	ck_assert_str_eq(buf_str(&op->input), to);
	if (backup)
		ck_assert_str_eq(op->backup, backup);
	else
		ck_assert_ptr_null(op->backup);
}

static void installs(const struct op *op, const char *from, const char *to)
{
	char sha[SHA256_HEX_MAX];

	runs_script(op, "cron-install.sh", true, 2);
	ck_assert_str_eq(op->args[0], SPOOL);
	ck_assert_str_eq(op->args[1], sha256_hex(from, strlen(from), sha));
	ck_assert_str_eq(buf_str(&op->input), to);
}

/* ---- observe ---------------------------------------------------------------------------------------------------- */

START_TEST(test_observe_asks)
{
	struct op op;
	char item[ITEM_MAX];

	begin("{\"path\": \"/opt/imhs-ws-clinet\", \"schedule\": \"crontab:sync\"}");
	ck_assert_int_eq(ask(observe("find"), 0, &op, item), OP_DO);
	runs_script(&op, "client-find.sh", true, 1);
	ck_assert_str_eq(op.args[0], "/opt/imhs-ws-clinet");
	op_release(&op);
	ck_assert_int_eq(ask(observe("find"), 1, &op, item), OP_END);
	/* nothing was found yet: nothing else is asked */
	ck_assert_int_eq(ask(observe("read"), 0, &op, item), OP_END);
	ck_assert_int_eq(ask(observe("schedule"), 0, &op, item), OP_END);
	ck_assert_int_eq(ask(observe("running"), 0, &op, item), OP_END);
	see(OLD_TEXT, TABLE_ON);
	ck_assert_int_eq(ask(observe("read"), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	ck_assert(op.elevated);
	ck_assert_str_eq(op.path, "/opt/imhs-ws-clinet/imhs-config.rb");
	ck_assert_uint_eq(op.max_out_bytes, 1 << 20);
	op_release(&op);
	ck_assert_int_eq(ask(observe("schedule"), 0, &op, item), OP_DO);
	runs_script(&op, "client-schedule.sh", true, 3);
	ck_assert_str_eq(op.args[0], "crontab:sync");
	op_release(&op);
	ck_assert_int_eq(ask(observe("running"), 0, &op, item), OP_DO);
	runs_script(&op, "client-running.sh", true, 2);
	op_release(&op);
	ck_assert_int_eq(ask(observe("ruby"), 0, &op, item), OP_DO);
	runs_script(&op, "ruby-find.sh", false, 0);
	op_release(&op);
	end();
}
END_TEST

START_TEST(test_schedule_none_is_not_looked_for)
{
	struct op op;
	char item[ITEM_MAX];

	begin("{\"schedule\": \"none\"}");
	see(OLD_TEXT, NULL);
	ck_assert_int_eq(ask(observe("schedule"), 0, &op, item), OP_END);
	end();
}
END_TEST

START_TEST(test_cut_answers)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer(observe("find"), 0, 0, 0, "folder 3\n/op", ""), VERDICT_RETRY, "not whole");
	is(answer(observe("schedule"), 0, 0, 0, "", ""), VERDICT_RETRY, "not whole");
	is(answer(observe("running"), 0, 0, 0, "pid 1\n1\n", ""), VERDICT_RETRY, "not whole");
	is(answer(observe("ruby"), 0, 0, 2, "", "sh: x"), VERDICT_FAIL, "ended with code 2: sh: x");
	end();
}
END_TEST

/* ---- assess ----------------------------------------------------------------------------------------------------- */

START_TEST(test_assess_old_and_new)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "line 2 names us.imhs-ws.trendmicro.com");
	ck_assert_uint_eq(assessment.changes_n, 1);
	ck_assert_str_eq(assessment.changes[0].item, "config");
	ck_assert_str_eq(assessment.notes[0], "line 2 of " SPOOL " is off meanwhile: " LINE);
	ck_assert_str_eq(assessment.notes[1],
			 "the client is run once: `ruby imhs-ws-client.rb` in /opt/imhs-ws-clinet as sync");
	see(NEW_TEXT, TABLE_ON);
	assess_as(ASSESS_NEW, "line 2 names ws.acme.hes2.example");
	ck_assert_uint_eq(assessment.changes_n, 0);
	end();
}
END_TEST

/* After a crash: before says how it was. */
START_TEST(test_assess_partial)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&before, &now);
	see(OLD_TEXT, TABLE_OFF);
	assess_as(ASSESS_PARTIAL, "still, and the schedule is off by us");
	ck_assert_uint_eq(assessment.changes_n, 1);
	see(NEW_TEXT, TABLE_OFF);
	assess_as(ASSESS_PARTIAL, "the schedule is off by us");
	see(NEW_TEXT, TABLE_ON);
	assess_as(ASSESS_PARTIAL, "the client has not run yet");
	done = "run-client";
	assess_as(ASSESS_NEW, "");
	end();
}
END_TEST

START_TEST(test_assess_other_values)
{
	begin("{}");
	see("ROOT_URI = 'https://a:b@proxy.example/'\n", TABLE_ON);
	assess_as(ASSESS_DRIFT, "line 1 names proxy.example, which is neither");
	ck_assert_ptr_null(strstr(assessment.text, "a:b"));
	see("X = 1\n", TABLE_ON);
	assess_as(ASSESS_DRIFT, "assigns no ROOT_URI");
	see("ROOT_URI ||= 'https://us.imhs-ws.trendmicro.com/'\n", TABLE_ON);
	assess_as(ASSESS_DRIFT, "line 1: it is assigned only under a condition");
	see(OLD_TEXT, "#CUTOVER:acme: " LINE "\n");
	assess_as(ASSESS_DRIFT, "knows nothing of");
	see(OLD_TEXT, LINE "\n" LINE "\n");
	assess_as(ASSESS_DRIFT, "the same line twice, lines 1 and 2");
	end();
}
END_TEST

START_TEST(test_assess_as_whom)
{
	begin("{}");
	see(OLD_TEXT, NULL);
	assess_as(ASSESS_OLD, "");
	facts_set_text(&now, "client.owner", "root");
	assess_as(ASSESS_PERSON, "run_as");
	see(OLD_TEXT, TABLE_ON);
	facts_set_text(&now, "client.owner", "root");
	assess_as(ASSESS_OLD, "");
	end();
	begin("{\"run\": \"none\"}");
	see(OLD_TEXT, NULL);
	facts_set_text(&now, "client.owner", "root");
	assess_as(ASSESS_OLD, "");
	ck_assert_str_eq(assessment.notes[1], "the client is not run: the inventory says so (run: none)");
	end();
}
END_TEST

START_TEST(test_assess_what_could_not_be_read)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer(observe("read"), 0, E_NOTFOUND, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_DRIFT, "is not there any more");
	is(answer(observe("read"), 0, E_LIMIT, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "cannot be read: failed so");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(observe("schedule"), 0, frames("unreadable", "/var/spool/cron/crontabs", NULL)), VERDICT_OK,
	   "");
	assess_as(ASSESS_PERSON, "/var/spool/cron/crontabs could not be looked into");
	is(answer_frames(observe("find"), 0, frames("complete", "no", NULL)), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "took too long");
	end();
}
END_TEST

/* ---- apply ------------------------------------------------------------------------------------------------------ */

START_TEST(test_apply_in_order)
{
	struct op op;
	char item[ITEM_MAX], first[ITEM_MAX];

	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "");
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, first), OP_DO);
	ck_assert_int_eq(strncmp(first, "crontab:sync#", 13), 0);
	installs(&op, TABLE_ON, TABLE_OFF);
	op_release(&op);
	ck_assert_int_eq(ask(apply("schedule-off"), 1, &op, item), OP_END);
	facts_copy(&before, &now);
	is(answer(apply("schedule-off"), 0, 0, 0, "", ""), VERDICT_OK, "");
	/* it is off now: a second time there is nothing to do */
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	ck_assert_str_eq(item, first);
	is(answer_frames(apply("wait-idle"), 0, frames(NULL)), VERDICT_OK, "");
	ck_assert_int_eq(ask(apply("check-syntax"), 0, &op, item), OP_DO);
	runs_script(&op, "ruby-syntax.sh", false, 0);
	ck_assert_str_eq(buf_str(&op.input), NEW_TEXT);
	op_release(&op);
	ck_assert_int_eq(ask(apply("write-config"), 0, &op, item), OP_DO);
	ck_assert_str_eq(item, "config");
	replaces(&op, OLD_TEXT, NEW_TEXT, "imhs-config.rb.before-cutover");
	op_release(&op);
	is(answer(apply("write-config"), 0, 0, 0, "", ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(apply("write-config"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(apply("check-syntax"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(apply("run-client"), 0, &op, item), OP_DO);
	runs_script(&op, "client-run.sh", true, 4);
	ck_assert_str_eq(op.args[0], "/opt/imhs-ws-clinet");
	ck_assert_str_eq(op.args[1], "sync");
	ck_assert_str_eq(op.args[3], "ruby imhs-ws-client.rb");
	op_release(&op);
	end();
}
END_TEST

START_TEST(test_somebody_was_faster)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "");
	is(answer(apply("schedule-off"), 0, 0, SCRIPT_CHANGED, "", ""), VERDICT_REREAD, "edited meanwhile");
	is(answer(apply("schedule-off"), 0, 0, SCRIPT_MISSING, "", ""), VERDICT_REREAD, "");
	is(answer(apply("write-config"), 0, E_CHANGED, 0, "", ""), VERDICT_REREAD, "edited meanwhile");
	ck_assert_str_eq(facts_text(&now, "config.state", ""), "old");
	end();
}
END_TEST

START_TEST(test_what_fails)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	assess_as(ASSESS_OLD, "");
	is(answer(apply("schedule-off"), 0, 0, SCRIPT_FAILED, "", "no space\n"), VERDICT_FAIL,
	   "could not be switched off: no space");
	is(answer(apply("write-config"), 0, E_NOSPACE, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(apply("run-client"), 0, 0, 1, "", "bad list\n"), VERDICT_FAIL, "ended with code 1: bad list");
	is(answer(apply("run-client"), 0, 0, 124, "", ""), VERDICT_FAIL, "did not end in 15 minutes");
	is(answer(apply("run-client"), 0, 0, 120, "", "no user\n"), VERDICT_FAIL, "could not be run");
	is(answer_frames(apply("check-syntax"), 0, frames("syntax", "bad", "line", "7", NULL)), VERDICT_DRIFT,
	   "(line 7)");
	is(answer_frames(apply("check-syntax"), 0, frames("syntax", "none", NULL)), VERDICT_UNCHANGED, "no Ruby");
	is(answer_frames(apply("check-syntax"), 0, frames(NULL)), VERDICT_RETRY, "no answer");
	end();
}
END_TEST

START_TEST(test_waits)
{
	const char *command = "ruby imhs-ws-client.rb --every 3600";

	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(apply("wait-idle"), 0, frames("pid", "4711", "user", "sync", "command", command, NULL)),
	   VERDICT_AGAIN, "process 4711 (sync) ruby imhs-ws-client.rb");
	ctx.wall_ms += 599999;
	is(answer_frames(apply("wait-idle"), 0, frames("pid", "4711", "user", "sync", "command", command, NULL)),
	   VERDICT_AGAIN, "");
	ctx.wall_ms += 1;
	is(answer_frames(apply("wait-idle"), 0, frames("pid", "4711", "user", "sync", "command", command, NULL)),
	   VERDICT_PERSON, "4711");
	is(answer_frames(apply("wait-idle"), 0, frames(NULL)), VERDICT_OK, "");
	end();
}
END_TEST

/* What came after our first change is not switched off: nobody would owe it. */
START_TEST(test_new_entries_stay_on)
{
	struct op op;
	char item[ITEM_MAX];

	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&before, &now);
	see(OLD_TEXT, "1 1 * * * ruby imhs-ws-client.rb\n" LINE "\n");
	assess_as(ASSESS_OLD, "");
	ck_assert_ptr_nonnull(strstr(assessment.notes[0], "is new since our first attempt and stays on"));
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(apply("schedule-off"), 1, &op, item), OP_DO);
	op_release(&op);
	end();
}
END_TEST

/* ---- restore ---------------------------------------------------------------------------------------------------- */

/* With `before` alone, as after a crash on a host that cannot be observed any more. */
START_TEST(test_restore)
{
	struct op op;
	char item[ITEM_MAX];
	const char *edited = "# new\n#CUTOVER:acme: " LINE "\nMAILTO=y";

	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&before, &now);
	facts_release(&now);
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	ck_assert_str_eq(op.path, SPOOL);
	op_release(&op);
	is(answer(restore(), 0, 0, 0, edited, ""), VERDICT_AGAIN, "");
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	installs(&op, edited, "# new\n" LINE "\nMAILTO=y");
	op_release(&op);
	/* once more edited: once more read */
	is(answer(restore(), 0, 0, SCRIPT_CHANGED, "", ""), VERDICT_AGAIN, "edited meanwhile");
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	op_release(&op);
	is(answer(restore(), 0, 0, 0, TABLE_OFF, ""), VERDICT_AGAIN, "");
	is(answer(restore(), 0, 0, 0, "", ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(restore(), 1, &op, item), OP_END);
	end();
}
END_TEST

START_TEST(test_restore_by_hand)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&before, &now);
	facts_release(&now);
	is(answer(restore(), 0, 0, 0, TABLE_ON, ""), VERDICT_UNCHANGED, "on already");
	is(answer(restore(), 0, 0, 0, "MAILTO=x\n", ""), VERDICT_FAIL, "put it back by hand: " LINE);
	is(answer(restore(), 0, 0, 0, TABLE_ON TABLE_OFF, ""), VERDICT_FAIL, "more than once");
	is(answer(restore(), 0, E_NOTFOUND, 0, "", ""), VERDICT_FAIL, "put this line back by hand: " LINE);
	is(answer(restore(), 0, E_PERM, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(restore(), 0, 0, 0, TABLE_OFF, ""), VERDICT_AGAIN, "");
	is(answer(restore(), 0, 0, SCRIPT_FAILED, "", "disk full\n"), VERDICT_FAIL, "disk full");
	end();
}
END_TEST

START_TEST(test_restore_leaves_what_was_off)
{
	struct op op;
	char item[ITEM_MAX];

	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(observe("schedule"), 0,
			 frames("timer", "imhs.timer", "service", "imhs.service", "active", "inactive", "enabled",
				"enabled", NULL)),
	   VERDICT_OK, "");
	facts_copy(&before, &now);
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_SKIP);
	ck_assert_int_eq(ask(restore(), 1, &op, item), OP_END);
	end();
}
END_TEST

/* ---- timers ----------------------------------------------------------------------------------------------------- */

START_TEST(test_timer)
{
	struct op op;
	char item[ITEM_MAX];

	begin("{}");
	see(OLD_TEXT, NULL);
	is(answer_frames(observe("schedule"), 0,
			 frames("timer", "imhs.timer", "service", "imhs.service", "active", "active", "enabled",
				"enabled", NULL)),
	   VERDICT_OK, "");
	assess_as(ASSESS_OLD, "");
	ck_assert_str_eq(assessment.notes[0], "timer imhs.timer is stopped meanwhile");
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_DO);
	ck_assert_str_eq(item, "systemd:imhs.timer");
	runs_script(&op, "timer.sh", true, 2);
	ck_assert_str_eq(op.args[0], "stop");
	ck_assert_str_eq(op.args[1], "imhs.timer");
	op_release(&op);
	facts_copy(&before, &now);
	is(answer_frames(apply("schedule-off"), 0, frames("was", "active", "active", "inactive", NULL)), VERDICT_OK,
	   "");
	ck_assert_int_eq(ask(apply("schedule-off"), 0, &op, item), OP_SKIP);
	assess_as(ASSESS_PARTIAL, "");
	facts_release(&now);
	ck_assert_int_eq(ask(restore(), 0, &op, item), OP_DO);
	ck_assert_str_eq(op.args[0], "start");
	op_release(&op);
	is(answer_frames(restore(), 0, frames("was", "inactive", "active", "active", NULL)), VERDICT_OK, "");
	is(answer_frames(restore(), 0, frames("was", "active", "active", "active", NULL)), VERDICT_UNCHANGED,
	   "already");
	is(answer_frames(restore(), 0, frames("was", "inactive", "active", "inactive", NULL)), VERDICT_FAIL,
	   "not active");
	is(answer(restore(), 0, 0, SCRIPT_MISSING, "", ""), VERDICT_FAIL, "not there any more");
	is(answer(restore(), 0, 0, SCRIPT_FAILED, "", "masked\n"), VERDICT_FAIL, "could not be started: masked");
	end();
}
END_TEST

/* ---- verify ----------------------------------------------------------------------------------------------------- */

static const struct step *verify(const char *name)
{
	return row(agent_ruby_client.verify, name);
}

START_TEST(test_verify_file)
{
	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&before, &now);
	see(NEW_TEXT, TABLE_ON);
	is(answer(verify("read-again"), 0, 0, 0, NEW_TEXT, ""), VERDICT_OK, "");
	is(answer(verify("read-again"), 0, 0, 0, NEW_TEXT "X = 1\n", ""), VERDICT_UNCHANGED, "edited something else");
	ck_assert_ptr_nonnull(facts_get(&now, "verify.note"));
	is(answer(verify("read-again"), 0, 0, 0, OLD_TEXT, ""), VERDICT_FAIL, "does not name ws.acme.hes2.example");
	is(answer(verify("read-again"), 0, E_NOTFOUND, 0, "", ""), VERDICT_FAIL, "(it is: missing)");
	facts_set_text(&before, "config.owner", "root");
	is(answer(verify("read-again"), 0, 0, 0, NEW_TEXT, ""), VERDICT_FAIL,
	   "another owner than before: sync, was root");
	end();
}
END_TEST

START_TEST(test_verify_schedule)
{
	const struct step *step = verify("schedule-again");
	struct op op;
	char item[ITEM_MAX];

	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&before, &now);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	/* a file's bytes are no evidence, so it is fetched as one */
	ck_assert_int_eq(op.kind, OP_GET);
	ck_assert_str_eq(op.path, SPOOL);
	ck_assert_str_eq(item, "crontab:sync");
	op_release(&op);
	ck_assert_int_eq(ask(step, 1, &op, item), OP_END);
	is(answer(step, 0, 0, 0, "x\n" TABLE_ON, ""), VERDICT_OK, "");
	is(answer(step, 0, 0, 0, TABLE_OFF, ""), VERDICT_FAIL, "still switched off by us");
	is(answer(step, 0, 0, 0, TABLE_ON "#CUTOVER:acme: 1 1 * * * y\n", ""), VERDICT_FAIL, "begins with our marker");
	is(answer(step, 0, 0, 0, TABLE_ON TABLE_ON, ""), VERDICT_FAIL, "more than once");
	is(answer(step, 0, 0, 0, "", ""), VERDICT_FAIL, "not there any more");
	is(answer(step, 0, E_NOTFOUND, 0, "", ""), VERDICT_FAIL, "is gone");
	end();
}
END_TEST

START_TEST(test_verify_several_places)
{
	const struct step *step = verify("schedule-again");
	struct op op;
	char item[ITEM_MAX];

	begin("{}");
	see(OLD_TEXT, TABLE_ON);
	is(answer_frames(observe("schedule"), 0,
			 frames("kind", "user", "name", "crontab:sync", "user", "sync", "path", SPOOL, "bytes",
				"1 1 * * * ruby imhs-ws-client.rb\n" LINE "\n", "kind", "system", "name", "cron.d:x",
				"user", "", "path", "/etc/cron.d/x", "bytes", "2 2 * * * sync ruby imhs-ws-client.rb\n",
				"timer", "t.timer", "service", "t.service", "active", "active", "enabled", "static",
				NULL)),
	   VERDICT_OK, "");
	ck_assert_int_eq(fact_number(&now, "schedule.n"), 4);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	ck_assert_str_eq(item, "crontab:sync");
	op_release(&op);
	ck_assert_int_eq(ask(step, 1, &op, item), OP_DO);
	ck_assert_str_eq(item, "cron.d:x");
	op_release(&op);
	ck_assert_int_eq(ask(step, 2, &op, item), OP_DO);
	ck_assert_str_eq(item, "systemd:t.timer");
	ck_assert_str_eq(op.args[0], "show");
	op_release(&op);
	ck_assert_int_eq(ask(step, 3, &op, item), OP_END);
	is(answer_frames(step, 2, frames("was", "active", "active", "active", NULL)), VERDICT_OK, "");
	is(answer_frames(step, 2, frames("was", "failed", "active", "failed", NULL)), VERDICT_FAIL,
	   "was active before");
	is(answer(step, 1, 0, 0, "# empty\n", ""), VERDICT_FAIL, "put it back by hand");
	end();
}
END_TEST

/* ---- revert ----------------------------------------------------------------------------------------------------- */

START_TEST(test_revert)
{
	const struct step *step = row(agent_ruby_client.revert, "revert-config");
	struct op op;
	char item[ITEM_MAX];

	begin("{}");
	ck_assert_int_eq(ask(step, 0, &op, item), OP_END);
	see(OLD_TEXT, TABLE_ON);
	facts_copy(&before, &now);
	/* the bytes of before are not needed: they may have been purged */
	facts_unset(&before, "config.bytes");
	ck_assert_int_eq(ask(step, 0, &op, item), OP_SKIP);
	see(NEW_TEXT, TABLE_ON);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	replaces(&op, NEW_TEXT, OLD_TEXT, NULL);
	op_release(&op);
	is(answer(step, 0, E_CHANGED, 0, "", ""), VERDICT_REREAD, "edited meanwhile");
	is(answer(step, 0, 0, 0, "", ""), VERDICT_OK, "");
	ck_assert_str_eq(facts_text(&now, "config.state", ""), "old");
	/* edited since: only looked at, and left to a person */
	see(NEW_TEXT "X = 1\n", TABLE_ON);
	ck_assert_int_eq(ask(step, 0, &op, item), OP_DO);
	ck_assert_int_eq(op.kind, OP_GET);
	op_release(&op);
	is(answer(step, 0, 0, 0, NEW_TEXT "X = 1\n", ""), VERDICT_DRIFT, "put us.imhs-ws.trendmicro.com back by hand");
	end();
}
END_TEST

SUITE(ruby_client)
{
	TEST_CASE(s, test_observe_asks);
	TEST_CASE(s, test_schedule_none_is_not_looked_for);
	TEST_CASE(s, test_cut_answers);
	TEST_CASE(s, test_assess_old_and_new);
	TEST_CASE(s, test_assess_partial);
	TEST_CASE(s, test_assess_other_values);
	TEST_CASE(s, test_assess_as_whom);
	TEST_CASE(s, test_assess_what_could_not_be_read);
	TEST_CASE(s, test_apply_in_order);
	TEST_CASE(s, test_somebody_was_faster);
	TEST_CASE(s, test_what_fails);
	TEST_CASE(s, test_waits);
	TEST_CASE(s, test_new_entries_stay_on);
	TEST_CASE(s, test_restore);
	TEST_CASE(s, test_restore_by_hand);
	TEST_CASE(s, test_restore_leaves_what_was_off);
	TEST_CASE(s, test_timer);
	TEST_CASE(s, test_verify_file);
	TEST_CASE(s, test_verify_schedule);
	TEST_CASE(s, test_verify_several_places);
	TEST_CASE(s, test_revert);
}
