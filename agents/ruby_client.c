/*
 * ruby-client: the directory-sync client in Ruby (imhs-ws-client), on Linux and on Windows: the vendor's step 4b.
 *
 *     See that it does not run, with its job of cron, timer or task off meanwhile; find its folder; in imhs-config.rb put
 *     the new host name into ROOT_URI = 'https://OLD/imhs/v1.0/en'; run the client; put the job on again.
 *
 * The inventory's entry:
 *   path      the client's folder (or its imhs-config.rb). Absent: searched, under both spellings of the vendor's
 *             (imhs-ws-clinet, sic, and imhs-ws-client); more than one found is a person's to say
 *   schedule  none, crontab:USER, cron.d:FILE, /etc/crontab, systemd:UNIT; on Windows none, schtasks:\PATH. Absent:
 *             searched in all of them; what is found in several places is handled in all. What cannot be switched off by
 *             us (cron.daily, anacron, a user's own timers) is a person's to say; at(1) is not looked at, nor on Windows
 *             what a batch file runs that a task starts
 *   run       the command that runs the client once, by /bin/sh (cmd.exe) in its folder. Absent: `ruby imhs-ws-client.rb`
 *             where that file and Ruby are there, since the vendor says to run it; else nothing is run, and the plan says
 *             so. `none`: it is not run
 *   run_as    as whom. Absent: as the user whose job its schedule is, where that is one user, else as the owner of
 *             imhs-ws-client.rb (of imhs-config.rb where that is not there): what it writes then belongs to whom it
 *             always belonged. Never by a guess as root: where that comes out, a person is asked for run_as. On Windows
 *             as the login: any other would need a password
 *
 * Running it again after a cut is harmless: the same list goes to the same service. A run that fails leaves the new
 * value in the file, puts the schedule on again and is the step's failure; the next `run` runs the client again.
 *
 * Facts (all of `now`; `before` has them as they were before our first change):
 *   client.n, .list              how many folders were found, and which, for people
 *   client.complete              no: the search was cut short; unreadable: a path is (Windows)
 *   client.folder, .real         the one folder, as found and with links resolved
 *   client.config, .script       its imhs-config.rb; its own program, "" when not there
 *   client.owner                 of that program, else of the file
 *   config.bytes                 the file. Holds credentials: never for display. What the file was is worked out
 *                                of config.host and proved by config.sha256; those of before only where it is torn
 *   config.sha256, .mode, .owner, .group, .links, .real_path
 *   config.state                 old | new | other (host neither), none, several, unclear | missing, unreadable | torn
 *   config.line, .url            of ROOT_URI: its line, its value without userinfo and query
 *   config.host, .why            its host as it is written; of unclear, unreadable: the reason
 *   config.backup                before: the file beside it is the one of before (Windows; looked at where this is neither)
 *   running.n, .list             processes of the client (Windows: of Ruby), for people
 *   idle.since_ms                when waiting for them began
 *   ruby.path, .version, .run    Ruby; on Windows the command that is run by default
 *   verify.note                  what verify saw besides
 *   schedule.…                   agents/ruby_schedule.h
 */
#include "agents/agents.h"
#include "agents/frames.h"
#include "agents/ruby_config.h"
#include "agents/ruby_schedule.h"
#include "agents/ruby_torn.h"
#include "agents/ruby_windows.h"
#include "agents/script.h"

#include "base/alloc.h"

#define IDLE_MAX_MS (10 * 60 * 1000)
#define IDLE_POLL_MS 2000
#define RUN_MAX_S (15 * 60)
#define RUNNING_SHOWN 5

static bool on_windows(const struct agent_ctx *ctx)
{
	return ctx->host->os == OS_WINDOWS;
}

/* ---- find ------------------------------------------------------------------------------------------------------- */

static enum step_request find_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *path = agent_param(ctx, "path");

	item[0] = '\0';
	if (n > 0)
		return OP_END;
	if (on_windows(ctx))
		return win_find_look(ctx, op);
	script_op(op, "client-find.sh");
	op->timeout_ms = 150000;
	op_arg(op, path ? path : "");
	return OP_DO;
}

/* Is it in the list already? The same folder may be found by two names. */
static bool is_listed(const char *list, const char *real)
{
	char *in = str_fmt(", %s, ", list), *wanted = str_fmt(", %s, ", real);
	bool found = strstr(in, wanted) != NULL;

	free(in);
	free(wanted);
	return found;
}

void client_add(struct facts *f, const char *folder, const char *real, const char *script, const char *owner)
{
	const char *list = facts_text(f, "client.list", "");
	int n = fact_number(f, "client.n");

	if (is_listed(list, real))
		return;
	facts_setf(f, "client.list", "%s%s%s", list, *list ? ", " : "", real);
	facts_setf(f, "client.n", "%d", n + 1);
	facts_set_text(f, "client.folder", folder);
	facts_set_text(f, "client.real", real);
	facts_set_text(f, "client.script", script);
	facts_set_text(f, "client.owner", owner);
	facts_setf(f, "client.config", "%s%simhs-config.rb", folder, *folder == '/' ? "/" : "\\");
}

static void add_found(struct facts *f, const struct frame found[4])
{
	char *text[4];

	for (int i = 0; i < 4; i++)
		text[i] = found[i].value ? frame_text(&found[i]) : str_dup("");
	client_add(f, text[0], text[1], text[2], text[3]);
	for (int i = 0; i < 4; i++)
		free(text[i]);
}

static struct verdict find_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	static const char *const names[] = { "folder", "real", "script", "owner" };
	const char *text = buf_str(&result->out);
	struct frame frame, found[4] = { 0 };
	struct verdict verdict;
	size_t at = 0;

	(void)n;
	if (on_windows(ctx))
		return win_found(ctx, result);
	if (!script_answered(result, "client-find.sh", &verdict))
		return verdict;
	facts_set_text(ctx->now, "client.n", "0");
	while (frames_next(text, result->out.len, &at, &frame)) {
		for (int i = 0; i < 4; i++) {
			if (frame_is(&frame, names[i]))
				found[i] = frame;
		}
		if (frame_is(&frame, "owner"))
			add_found(ctx->now, found);
		else if (frame_is(&frame, "complete"))
			facts_set(ctx->now, "client.complete", frame.value, frame.len);
	}
	return verdict_ok();
}

/* ---- running? --------------------------------------------------------------------------------------------------- */

static enum step_request running_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n > 0 || !facts_is(ctx->now, "client.n", "1"))
		return OP_END;
	if (on_windows(ctx)) {
		script_op(op, "ruby-running.cmd");
		return OP_DO;
	}
	script_op(op, "client-running.sh");
	op_arg(op, facts_text(ctx->now, "client.folder", ""));
	op_arg(op, facts_text(ctx->now, "client.real", ""));
	return OP_DO;
}

/* running.n and running.list out of the answer. */
static void set_running(struct facts *f, const char *text, size_t len)
{
	struct frame frame, pid = { .value = "" }, user = { .value = "" };
	struct buf list = { .max = 600 };
	size_t at = 0;
	int n = 0;

	while (frames_next(text, len, &at, &frame)) {
		if (frame_is(&frame, "pid"))
			pid = frame;
		else if (frame_is(&frame, "user"))
			user = frame;
		else if (frame_is(&frame, "command") && n++ < RUNNING_SHOWN)
			buf_addf(&list, "%s%.*s (%.*s) %.*s", n > 1 ? "; " : "", (int)pid.len, pid.value, (int)user.len,
				 user.value, frame.len < 120 ? (int)frame.len : 120, frame.value);
	}
	facts_setf(f, "running.n", "%d", n);
	facts_set_text(f, "running.list", buf_str(&list));
	buf_release(&list);
}

static struct verdict running_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict;

	(void)n;
	if (on_windows(ctx))
		return win_running(ctx, result);
	if (!script_answered(result, "client-running.sh", &verdict))
		return verdict;
	set_running(ctx->now, buf_str(&result->out), result->out.len);
	return verdict_ok();
}

/* Waits for it, as the vendor says; it is never stopped by us. */
static struct verdict idle_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict = running_judge(ctx, n, result);
	const char *since = facts_text(ctx->now, "idle.since_ms", NULL), *list;

	if (verdict.kind != VERDICT_OK || facts_is(ctx->now, "running.n", "0")) {
		facts_unset(ctx->now, "idle.since_ms");
		return verdict;
	}
	list = facts_text(ctx->now, "running.list", "");
	if (since && ctx->wall_ms - strtoll(since, NULL, 10) >= IDLE_MAX_MS && on_windows(ctx))
		return verdict_person(
			"Ruby has been running for 10 minutes, and whether it is the client cannot be told from here: process "
			"%s; see what they are, wait for the client or stop it, then run cutover again",
			list);
	if (since && ctx->wall_ms - strtoll(since, NULL, 10) >= IDLE_MAX_MS)
		return verdict_person(
			"the client has been running for 10 minutes and is not stopped by us: wait for it or stop "
			"it, then run cutover again; process %s",
			list);
	verdict = verdict_again(IDLE_POLL_MS, "waiting for the client to end: process %s", list);
	if (!since)
		facts_setf(ctx->now, "idle.since_ms", "%lld", (long long)ctx->wall_ms);
	return verdict;
}

/* ---- is Ruby there? --------------------------------------------------------------------------------------------- */

static enum step_request ruby_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n > 0 || !facts_is(ctx->now, "client.n", "1"))
		return OP_END;
	script_op(op, on_windows(ctx) ? "ruby-find.cmd" : "ruby-find.sh");
	op->elevated = false;
	return OP_DO;
}

static struct verdict ruby_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict;
	struct frame frame;

	(void)n;
	if (on_windows(ctx))
		return win_ruby_found(ctx, result);
	if (!script_answered(result, "ruby-find.sh", &verdict))
		return verdict;
	if (frames_find(buf_str(&result->out), result->out.len, "ruby", &frame))
		facts_set(ctx->now, "ruby.path", frame.value, frame.len);
	if (frames_find(buf_str(&result->out), result->out.len, "version", &frame))
		facts_set(ctx->now, "ruby.version", frame.value, frame.len);
	return verdict_ok();
}

/* ---- run it ----------------------------------------------------------------------------------------------------- */

/* The command, or NULL when nothing is run; *why says why, for the plan. */
static const char *run_command(const struct agent_ctx *ctx, const char **why)
{
	const char *run = agent_param(ctx, "run");

	*why = NULL;
	if (run && strcmp(run, "none") == 0)
		*why = "the client is not run: the inventory says so (run: none)";
	else if (run)
		return run;
	else if (!*facts_text(ctx->now, "client.script", ""))
		*why = "the client is not run: its folder holds no imhs-ws-client.rb; name the command (`run`) if it "
		       "should be";
	else if (!facts_get(ctx->now, "ruby.path"))
		*why = "the client is not run: there is no Ruby on the host; name the command (`run`) if there is a "
		       "way";
	else if (on_windows(ctx))
		return facts_text(ctx->now, "ruby.run", NULL);
	else
		return strcmp(facts_text(ctx->now, "client.script", ""), "imhs-ws-clinet.rb") == 0
			       ? "ruby imhs-ws-clinet.rb"
			       : "ruby imhs-ws-client.rb";
	return NULL;
}

/* As whom, or NULL when that has to be asked: root is nobody's guess. */
static const char *run_user(const struct agent_ctx *ctx)
{
	const char *user = agent_param(ctx, "run_as");

	if (on_windows(ctx))
		return ctx->host->connection.user ? ctx->host->connection.user : "the login";
	if (user)
		return user;
	user = schedule_user(ctx->now);
	if (user)
		return user;
	user = facts_text(ctx->now, "client.owner", "");
	return *user && strcmp(user, "root") != 0 && strcmp(user, "UNKNOWN") != 0 ? user : NULL;
}

/* Has it still to be run for the value that is in the file? A rollback and a new run in between count as not run. */
static bool run_is_due(const struct agent_ctx *ctx)
{
	const char *why;

	return run_command(ctx, &why) && !ctx->step_done(ctx, on_windows(ctx) ? "run-client-windows" : "run-client", "");
}

static enum step_request run_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *why, *command = run_command(ctx, &why), *user = run_user(ctx);

	item[0] = '\0';
	if (n > 0 || !command || !user || on_windows(ctx))
		return OP_END;
	if (ctx->assessment->state != ASSESS_OLD && !run_is_due(ctx))
		return OP_SKIP;
	script_op(op, "client-run.sh");
	op->timeout_ms = (RUN_MAX_S + 60) * 1000;
	op_arg(op, facts_text(ctx->now, "client.real", ""));
	op_arg(op, user);
	op_argf(op, "%d", RUN_MAX_S);
	op_arg(op, command);
	return OP_DO;
}

static struct verdict run_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *why, *command = run_command(ctx, &why), *user = run_user(ctx);
	const char *folder = facts_text(ctx->now, "client.real", "");
	char *words = script_words(result);
	struct verdict verdict = verdict_ok();

	(void)n;
	if (result->failure.code)
		verdict = verdict_fail(result->failure.code, "the client could not be run: %s", result->failure.text);
	else if (result->exit_code == 120 || result->exit_code == 121)
		verdict = verdict_fail(E_PERM, "the client could not be run in %s: %s", folder, words);
	else if (result->exit_code == 124)
		verdict = verdict_fail(
			E_TIMEOUT,
			"the client did not end in %d minutes and was stopped (%s); the new name is in its file: "
			"see why, then run cutover again",
			RUN_MAX_S / 60, words);
	else if (result->exit_code)
		verdict = verdict_fail(
			E_IO,
			"the client ended with code %d: %s; the new name is in its file: try `%s` in %s as %s, "
			"then run cutover again",
			(int)result->exit_code, words, command ? command : "", folder, user ? user : "its user");
	free(words);
	return verdict;
}

static enum step_request win_run_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *why, *command = run_command(ctx, &why);

	item[0] = '\0';
	if (n > 0 || !command || !on_windows(ctx))
		return OP_END;
	if (ctx->assessment->state != ASSESS_OLD && !run_is_due(ctx))
		return OP_SKIP;
	win_run_op(ctx, op, command);
	return OP_DO;
}

static struct verdict win_run_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *why, *command = run_command(ctx, &why);

	(void)n;
	return win_was_run(ctx, result, command ? command : "");
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

static bool assess_found(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *path = agent_param(ctx, "path");

	if (facts_is(ctx->now, "client.n", "0") && path)
		assessment_set(out, ASSESS_DRIFT,
			       "there is no imhs-config.rb in %s, which the inventory names (`path`)", path);
	else if (facts_is(ctx->now, "client.complete", "no"))
		assessment_set(out, ASSESS_PERSON, "the search for the client took too long: name its folder (`path`)");
	else if (facts_is(ctx->now, "client.n", "0"))
		assessment_set(
			out, ASSESS_DRIFT,
			"no imhs-config.rb was found in the usual places: name the client's folder (`path`), or take "
			"ruby-client off this host in the inventory");
	else if (!facts_is(ctx->now, "client.n", "1"))
		assessment_set(out, ASSESS_PERSON,
			       "there is more than one client: %s; name the one that is meant (`path`)",
			       facts_text(ctx->now, "client.list", ""));
	else
		return true;
	return false;
}

static void add_notes(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *why, *command = run_command(ctx, &why);

	if (!facts_is(ctx->now, "running.n", "0") && on_windows(ctx))
		assessment_note(out,
				"Ruby is running now and is waited for, 10 minutes at most, since whether it is the client cannot "
				"be told: process %s",
				facts_text(ctx->now, "running.list", "?"));
	else if (!facts_is(ctx->now, "running.n", "0"))
		assessment_note(out, "the client is running now and is waited for, 10 minutes at most: process %s",
				facts_text(ctx->now, "running.list", "?"));
	if (command)
		assessment_note(out, "the client is run once: `%s` in %s as %s", command,
				facts_text(ctx->now, "client.real", ""), run_user(ctx));
	else
		assessment_note(out, "%s", why);
	if (!facts_get(ctx->now, "ruby.path"))
		assessment_note(out, "there is no Ruby on the host to check the file's syntax with");
}

/* The value is old: there is work. */
static void assess_old(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *why, *line = facts_text(ctx->now, "config.line", ""),
			 *path = facts_text(ctx->now, "client.config", "");

	if (!schedule_assess(ctx, out))
		return;
	if (run_command(ctx, &why) && !run_user(ctx)) {
		assessment_set(
			out, ASSESS_PERSON,
			"the client belongs to root and no schedule says as whom it runs: name the user (`run_as`), or "
			"`run`: \"none\"");
		return;
	}
	add_notes(ctx, out);
	config_add_change(ctx, out);
	if (config_is_torn(ctx))
		assessment_set(out, ASSESS_PARTIAL, "%s was half written when our copy was cut, and is written anew", path);
	else if (schedule_held(ctx))
		assessment_set(out, ASSESS_PARTIAL, "%s line %s names %s still, and the schedule is off by us", path,
			       line, facts_text(ctx->now, "config.host", ""));
	else
		assessment_set(out, ASSESS_OLD, "%s line %s names %s", path, line,
			       facts_text(ctx->now, "config.host", ""));
}

static void assess_new(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *line = facts_text(ctx->now, "config.line", ""), *path = facts_text(ctx->now, "client.config", "");
	const char *host = facts_text(ctx->now, "config.host", "");

	if ((schedule_held(ctx) || ctx->before->n) && !schedule_assess(ctx, out))
		return;
	if (ctx->before->n && schedule_held(ctx))
		assessment_set(out, ASSESS_PARTIAL, "%s line %s names %s, and the schedule is off by us", path, line,
			       host);
	else if (ctx->before->n && facts_is(ctx->before, "config.state", "old") && run_is_due(ctx))
		assessment_set(out, ASSESS_PARTIAL, "%s line %s names %s, and the client has not run yet", path, line,
			       host);
	else
		assessment_set(out, ASSESS_NEW, "%s line %s names %s", path, line, host);
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	(void)err;
	if (on_windows(ctx) && !win_assess(ctx, out))
		return 0;
	if (!assess_found(ctx, out) || !config_assess(ctx, out))
		return 0;
	if (facts_is(ctx->now, "config.state", "old") || config_is_torn(ctx))
		assess_old(ctx, out);
	else
		assess_new(ctx, out);
	return 0;
}

/* ---- the vendor's procedure ------------------------------------------------------------------------------------- */

static const struct step observe[] = {
	{ .name = "find", .request = find_request, .judge = find_judge, .deadline_ms = 150000 },
	{ .name = "read", .request = config_read, .judge = config_was_read },
	{ .name = "read-backup", .request = torn_look, .judge = torn_seen },
	{ .name = "schedule", .request = schedule_look, .judge = schedule_seen, .deadline_ms = 60000 },
	{ .name = "running", .request = running_request, .judge = running_judge },
	{ .name = "ruby", .request = ruby_request, .judge = ruby_judge },
	{ 0 },
};

static const struct step apply[] = {
	{ .name = "schedule-off",
	  .request = schedule_off,
	  .judge = schedule_is_off,
	  .flags = STEP_MUTATES | STEP_IDEMPOTENT,
	  .owes = "schedule-on" },
	{ .name = "wait-idle", .request = running_request, .judge = idle_judge, .budget_ms = IDLE_MAX_MS + 60000 },
	{ .name = "check-syntax", .request = config_syntax, .judge = config_syntax_seen },
	{ .name = "write-config",
	  .request = config_write,
	  .judge = config_written,
	  .flags = STEP_MUTATES | STEP_IDEMPOTENT },
	{ .name = "run-client",
	  .request = run_request,
	  .judge = run_judge,
	  .flags = STEP_MUTATES | STEP_IDEMPOTENT,
	  .deadline_ms = (RUN_MAX_S + 60) * 1000 },
	/* There is no timeout(1): the transport's own limit ends it, and that is not tried again by itself. */
	{ .name = "run-client-windows",
	  .request = win_run_request,
	  .judge = win_run_judge,
	  .flags = STEP_MUTATES,
	  .deadline_ms = RUN_MAX_S * 1000 },
	{ 0 },
};

static const struct step restore[] = {
	{ .name = "schedule-on",
	  .request = schedule_on,
	  .judge = schedule_is_on,
	  .flags = STEP_MUTATES | STEP_IDEMPOTENT },
	{ 0 },
};

static const struct step verify[] = {
	{ .name = "read-again", .request = config_read_again, .judge = config_was_read_again },
	{ .name = "schedule-again", .request = schedule_look_again, .judge = schedule_seen_again },
	{ .name = "syntax-again", .request = config_syntax_again, .judge = config_syntax_seen },
	{ 0 },
};

static const struct step revert[] = {
	{ .name = "revert-schedule-off",
	  .request = schedule_off,
	  .judge = schedule_is_off,
	  .flags = STEP_MUTATES | STEP_IDEMPOTENT,
	  .owes = "schedule-on" },
	{ .name = "revert-wait-idle",
	  .request = running_request,
	  .judge = idle_judge,
	  .budget_ms = IDLE_MAX_MS + 60000 },
	{ .name = "revert-config",
	  .request = config_write_old,
	  .judge = config_old_written,
	  .flags = STEP_MUTATES | STEP_IDEMPOTENT },
	{ 0 },
};

static const char *const params[] = { "path", "run", "run_as", "schedule", NULL };
static const char *const ran[] = { "run-client", "run-client-windows", NULL };

const struct agent agent_ruby_client = {
	.name = "ruby-client",
	.summary = "the directory-sync client in Ruby (imhs-ws-client)",
	.scope = SCOPE_HOST,
	.os = 1u << OS_LINUX | 1u << OS_WINDOWS,
	.params = params,
	.observe = observe,
	.assess = assess,
	.apply = apply,
	.restore = restore,
	.verify = verify,
	.revert = revert,
	.ran = ran,
};
