/*
 * ruby-client: the directory-sync client in Ruby (imhs-ws-client), on Linux: the vendor's step 4b.
 *
 *     See that it does not run, with its job of cron or timer off meanwhile; find its folder; in imhs-config.rb put the
 *     new host name into ROOT_URI = 'https://OLD/imhs/v1.0/en'; run the client; put the job on again.
 *
 * The inventory's entry:
 *   path      the client's folder (or its imhs-config.rb). Absent: searched, under both spellings of the vendor's
 *             (imhs-ws-clinet, sic, and imhs-ws-client); more than one found is a person's to say
 *   schedule  none, crontab:USER, cron.d:FILE, /etc/crontab, systemd:UNIT. Absent: searched in all of them; what is
 * found in several places is handled in all. What cannot be switched off by us (cron.daily, anacron, a user's own
 *             timers) is a person's to say; at(1) is not looked at
 *   run       the command that runs the client once, by /bin/sh in its folder. Absent: `ruby imhs-ws-client.rb` where
 *             that file and Ruby are there, since the vendor says to run it; else nothing is run, and the plan says so.
 *             `none`: it is not run
 *   run_as    as whom. Absent: as the user whose job its schedule is, where that is one user, else as the owner of
 *             imhs-ws-client.rb (of imhs-config.rb where that is not there): what it writes then belongs to whom it
 * always belonged. Never by a guess as root: where that comes out, a person is asked for run_as
 *
 * Running it again after a cut is harmless: the same list goes to the same service. A run that fails leaves the new
 * value in the file, puts the schedule on again and is the step's failure; the next `run` runs the client again.
 *
 * Facts (all of `now`; `before` has them as they were before our first change):
 *   client.n, client.list   how many folders were found, and which, for people; client.complete: no, when the search
 * was cut short client.folder, .real    the one folder, as found and with links resolved; .config its imhs-config.rb;
 * .script its own program, "" when not there; .owner of that, else of the file config.bytes            the file. Holds
 * credentials: never for display. Only `now` is ever needed: what the file was is worked out of config.host and proved
 * by config.sha256 config.sha256, .mode, .owner, .group, .links, .real_path config.state            old | new | other
 * (host neither), none, several, unclear | missing, unreadable config.line, .url       of ROOT_URI: its line, its value
 * without userinfo and query config.host             its host as it is written config.why              of unclear,
 * unreadable running.n, running.list processes of the client; "PID (USER) COMMAND; …" idle.since_ms           when
 * waiting for them began ruby.path, ruby.version verify.note             what verify saw besides schedule.…
 * agents/ruby_schedule.h
 */
#include "agents/agents.h"
#include "agents/frames.h"
#include "agents/ruby_config.h"
#include "agents/ruby_schedule.h"
#include "agents/script.h"

#include "base/alloc.h"

#define IDLE_MAX_MS (10 * 60 * 1000)
#define IDLE_POLL_MS 2000
#define RUN_MAX_S (15 * 60)
#define RUNNING_SHOWN 5

/* ---- find ------------------------------------------------------------------------------------------------------- */

static enum step_request find_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *path = agent_param(ctx, "path");

	item[0] = '\0';
	if (n > 0)
		return OP_END;
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

static void add_folder(struct facts *f, const struct frame found[4])
{
	char *real = frame_text(&found[1]), *folder = frame_text(&found[0]);
	const char *list = facts_text(f, "client.list", "");
	int n = fact_number(f, "client.n");

	if (!is_listed(list, real)) {
		facts_setf(f, "client.list", "%s%s%s", list, *list ? ", " : "", real);
		facts_setf(f, "client.n", "%d", n + 1);
		facts_set_text(f, "client.folder", folder);
		facts_set_text(f, "client.real", real);
		facts_set(f, "client.script", found[2].value, found[2].len);
		facts_set(f, "client.owner", found[3].value, found[3].len);
		facts_setf(f, "client.config", "%s/imhs-config.rb", folder);
	}
	free(folder);
	free(real);
}

static struct verdict find_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	static const char *const names[] = { "folder", "real", "script", "owner" };
	const char *text = buf_str(&result->out);
	struct frame frame, found[4] = { 0 };
	struct verdict verdict;
	size_t at = 0;

	(void)n;
	if (!script_answered(result, "client-find.sh", &verdict))
		return verdict;
	facts_set_text(ctx->now, "client.n", "0");
	while (frames_next(text, result->out.len, &at, &frame)) {
		for (int i = 0; i < 4; i++) {
			if (frame_is(&frame, names[i]))
				found[i] = frame;
		}
		if (frame_is(&frame, "owner"))
			add_folder(ctx->now, found);
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
	script_op(op, "ruby-find.sh");
	op->elevated = false;
	return OP_DO;
}

static struct verdict ruby_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict;
	struct frame frame;

	(void)n;
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

	return run_command(ctx, &why) && !ctx->step_done(ctx, "run-client", "");
}

static enum step_request run_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *why, *command = run_command(ctx, &why), *user = run_user(ctx);

	item[0] = '\0';
	if (n > 0 || !command || !user)
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

	if (!facts_is(ctx->now, "running.n", "0"))
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
	if (schedule_held(ctx))
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
	if (!assess_found(ctx, out) || !config_assess(ctx, out))
		return 0;
	if (facts_is(ctx->now, "config.state", "old"))
		assess_old(ctx, out);
	else
		assess_new(ctx, out);
	return 0;
}

/* ---- the vendor's procedure ------------------------------------------------------------------------------------- */

static const struct step observe[] = {
	{ .name = "find", .request = find_request, .judge = find_judge, .deadline_ms = 150000 },
	{ .name = "read", .request = config_read, .judge = config_was_read },
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

const struct agent agent_ruby_client = {
	.name = "ruby-client",
	.summary = "the directory-sync client in Ruby (imhs-ws-client) on Linux",
	.scope = SCOPE_HOST,
	.os = 1u << OS_LINUX,
	.params = params,
	.observe = observe,
	.assess = assess,
	.apply = apply,
	.restore = restore,
	.verify = verify,
	.revert = revert,
	.ran = "run-client",
};
