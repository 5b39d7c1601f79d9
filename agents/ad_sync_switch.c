#include "agents/ad_sync_switch.h"

#include "agents/ad_sync_config.h"
#include "agents/win_tasklist.h"
#include "agents/win_text.h"

#include "base/alloc.h"

#define POLL_MS 1000
#define QUIET_MAX_MS (60 * 1000) /* without a sign of progress */
#define GONE_MAX_MS (60 * 1000)
#define GONE_POLL_MS 500
#define NOT_CHANGED "the file was not changed, and what was stopped is started again"

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static void wait_over(struct facts *f)
{
	static const char *const keys[] = {"for", "since_ms", "progress", "progress_ms", "sent", "next"};
	char key[FACT_KEY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(key, sizeof(key), "wait.%s", keys[i]);
		facts_unset(f, key);
	}
}

static bool waits_for(const struct agent_ctx *ctx, const char *what, const char *item)
{
	char both[ITEM_MAX + 32];

	snprintf(both, sizeof(both), "%s %s", what, item);
	return facts_is(ctx->now, "wait.for", both);
}

/* Begins to wait for it, unless that is so already. */
static void wait_for(const struct agent_ctx *ctx, const char *what, const char *item)
{
	if (waits_for(ctx, what, item))
		return;
	wait_over(ctx->now);
	facts_setf(ctx->now, "wait.for", "%s %s", what, item);
	facts_setf(ctx->now, "wait.since_ms", "%lld", (long long)ctx->wall_ms);
	facts_setf(ctx->now, "wait.progress_ms", "%lld", (long long)ctx->wall_ms);
}

static int64_t since(const struct agent_ctx *ctx, const char *key)
{
	return ctx->wall_ms - strtoll(facts_text(ctx->now, key, "0"), NULL, 10);
}

/* Notes what the service says of itself. False when it has had its time: `quiet` without a sign of progress, `most` in
   all. */
static bool has_time_of(const struct agent_ctx *ctx, const struct sc_status *status, int64_t quiet, int64_t most)
{
	char progress[64];

	snprintf(progress, sizeof(progress), "%d %u", (int)status->state, status->checkpoint);
	if (!facts_is(ctx->now, "wait.progress", progress)) {
		facts_set_text(ctx->now, "wait.progress", progress);
		facts_setf(ctx->now, "wait.progress_ms", "%lld", (long long)ctx->wall_ms);
	}
	if (status->wait_hint_ms > quiet)
		quiet = status->wait_hint_ms;
	return since(ctx, "wait.since_ms") < most && since(ctx, "wait.progress_ms") < quiet;
}

static bool has_time(const struct agent_ctx *ctx, const struct sc_status *status)
{
	return has_time_of(ctx, status, QUIET_MAX_MS, AD_WAIT_MAX_MS);
}

static bool has_time_to_stop(const struct agent_ctx *ctx, const struct sc_status *status)
{
	return has_time_of(ctx, status, services_patience_ms(ctx, QUIET_MAX_MS),
			   services_patience_ms(ctx, AD_WAIT_MAX_MS));
}

static long waited_s(const struct agent_ctx *ctx)
{
	return (long)(since(ctx, "wait.since_ms") / 1000);
}

/* ---- due? ------------------------------------------------------------------------------------------------------- */

/* Have the services to be down for what is still to be done? All of them or none: they depend on each other. */
typedef bool due_fn(const struct agent_ctx *ctx);

/* Is it not known of each that it was down behind the write? */
static bool is_open(const struct agent_ctx *ctx, const char *row)
{
	for (int i = 0; i < services_n(ctx->now); i++) {
		if (!ctx->step_done(ctx, row, service_key(ctx->now, i)))
			return true;
	}
	return false;
}

static bool is_due(const struct agent_ctx *ctx)
{
	if (ad_config_is(ctx->now, "old") || ad_config_is(ctx->now, "torn"))
		return true;
	return ad_config_is(ctx->before, "old") && ad_config_is(ctx->now, "new") && is_open(ctx, "stayed-down");
}

bool ad_revert_is_open(const struct agent_ctx *ctx)
{
	return ad_config_is(ctx->now, "old") && ctx->step_done(ctx, "revert-config", AD_CONFIG_ITEM) &&
	       is_open(ctx, "revert-stayed-down");
}

static bool revert_is_due(const struct agent_ctx *ctx)
{
	if (ad_config_is(ctx->before, "old") && (ad_config_is(ctx->now, "new") || ad_config_is(ctx->now, "torn")))
		return ad_config_can_go_back(ctx);
	return ad_revert_is_open(ctx);
}

/* ---- stop ------------------------------------------------------------------------------------------------------- */

/* A request is sent to what can take one; to what is on its way anywhere it is of no use (1061). */
static bool takes_stop(enum sc_state state)
{
	return state == SC_RUNNING || state == SC_PAUSED;
}

static bool stop_is_next(const struct agent_ctx *ctx, int i)
{
	return takes_stop(service_state(ctx->now, i)) &&
	       !(waits_for(ctx, "stop", service_key(ctx->now, i)) && facts_get(ctx->now, "wait.sent"));
}

/* What runs and is disabled would stay down for ever. */
static bool cannot_come_back(const struct agent_ctx *ctx, int i)
{
	return service_is_disabled(ctx->now, i) && stop_is_next(ctx, i);
}

static enum step_request stop(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX], due_fn *due)
{
	int i;

	if (n >= services_n(ctx->now))
		return OP_END;
	i = service_to_stop(ctx->now, n);
	snprintf(item, ITEM_MAX, "%s", service_key(ctx->now, i));
	if (service_state(ctx->now, i) == SC_STOPPED || !due(ctx))
		return OP_SKIP;
	service_op(op, stop_is_next(ctx, i) && !cannot_come_back(ctx, i) ? "stop" : "queryex", item);
	return OP_DO;
}

enum step_request ad_stop(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return stop(ctx, n, op, item, is_due);
}

enum step_request ad_revert_stop(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return stop(ctx, n, op, item, revert_is_due);
}

static struct verdict could_not_stop(const struct agent_ctx *ctx, int i, long code)
{
	char words[SC_WORDS_MAX];

	wait_over(ctx->now);
	return verdict_fail(service_failure(code), "the service \"%s\" could not be stopped: %s; " NOT_CHANGED,
			    service_name(ctx->now, i), sc_words(code, words));
}

/* What `sc stop` ended with. */
static struct verdict stop_was_sent(const struct agent_ctx *ctx, int i, const struct op_result *result)
{
	struct sc_status none = {.state = service_state(ctx->now, i)};
	char words[SC_WORDS_MAX];
	const char *name = service_name(ctx->now, i);

	wait_for(ctx, "stop", service_key(ctx->now, i));
	if (result->failure.code)
		return verdict_fail(result->failure.code, "the service \"%s\" could not be stopped: %s", name,
				    result->failure.text);
	if (sc_did_not_run(result->exit_code))
		return verdict_retry(E_IO, "the service \"%s\" could not be told to stop: %s; " NOT_CHANGED, name,
				     sc_words(result->exit_code, words));
	switch (result->exit_code) {
	case SC_OK:
	case SC_NOT_ACTIVE:
	case SC_REQUEST_TIMEOUT:
		facts_set_text(ctx->now, "wait.sent", "yes");
		return verdict_again(1, "the service \"%s\" was told to stop", name);
	case SC_CANNOT_ACCEPT:
	case SC_DATABASE_LOCKED:
		if (has_time_to_stop(ctx, &none))
			return verdict_again(POLL_MS, "the service \"%s\" takes no request just now", name);
		break;
	default: /* any other code of sc.exe */
		break;
	}
	return could_not_stop(ctx, i, result->exit_code);
}

static struct verdict revived(const struct agent_ctx *ctx, int i, const struct sc_status *status)
{
	return verdict_reread("the service \"%s\" was started by something else while it had to be down (it is %s): a "
			      "recovery setting (sc "
			      "qfailure %s), a monitoring system or a person; switch that off for the time of the "
			      "change, then run cutover "
			      "again",
			      service_name(ctx->now, i), sc_state_name(status->state), service_key(ctx->now, i));
}

struct verdict ad_stopped(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	int i = service_to_stop(ctx->now, n);
	const char *name = service_name(ctx->now, i);
	long was = service_pid(ctx->now, i);
	struct sc_status status;
	struct verdict verdict;

	if (cannot_come_back(ctx, i))
		return verdict_person(
		    "the service \"%s\" runs, but its start type is disabled: once stopped it could not be "
		    "started again; set its start type, or stop it, then run cutover again",
		    name);
	if (stop_is_next(ctx, i))
		return stop_was_sent(ctx, i, result);
	wait_for(ctx, "stop", service_key(ctx->now, i));
	if (!service_answered(ctx, service_key(ctx->now, i), result, &status, &verdict))
		return verdict;
	if (status.state == SC_STOPPED) {
		wait_over(ctx->now);
		return verdict_ok();
	}
	if (facts_get(ctx->now, "wait.sent") && status.pid && (long)status.pid != was)
		return revived(ctx, i, &status);
	if (has_time_to_stop(ctx, &status))
		return verdict_again(POLL_MS, "waiting for the service \"%s\" to stop (it is %s)", name,
				     sc_state_name(status.state));
	verdict = verdict_fail(
	    E_TIMEOUT,
	    "the service \"%s\" has not stopped in %ld s (it is %s, process %lu); " NOT_CHANGED ": see in its own log "
	    "what it is doing, then run cutover again",
	    name, waited_s(ctx), sc_state_name(status.state), (unsigned long)status.pid);
	wait_over(ctx->now);
	return verdict;
}

/* ---- the process has ended -------------------------------------------------------------------------------------- */

/* The process that it was, as far as is known: after a crash only what was there before says. */
static long pid_of(const struct agent_ctx *ctx, int i)
{
	long pid = service_pid(ctx->now, i);
	int before = service_find(ctx->before, service_key(ctx->now, i));

	return pid || before < 0 ? pid : service_pid(ctx->before, before);
}

static enum step_request wait_gone(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX], due_fn *due)
{
	if (n >= services_n(ctx->now))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", service_key(ctx->now, n));
	if (!pid_of(ctx, n) || !due(ctx))
		return OP_SKIP;
	script_op(op, "tasks.cmd");
	op_argf(op, "PID eq %ld", pid_of(ctx, n));
	return OP_DO;
}

enum step_request ad_wait_gone(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return wait_gone(ctx, n, op, item, is_due);
}

enum step_request ad_revert_wait_gone(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return wait_gone(ctx, n, op, item, revert_is_due);
}

/* Is it in the list, and still the service's program? The number may be another process's by now. */
static bool is_listed(const struct agent_ctx *ctx, int i, const char *text, size_t len)
{
	const char *program = win_name(fact_at(ctx->now, "service", i, "program"));
	struct tasklist_process process;
	size_t at = 0;

	while (tasklist_next(text, len, &at, &process)) {
		if ((long)process.pid == pid_of(ctx, i) && (!*program || win_same(process.name, program)))
			return true;
	}
	return false;
}

struct verdict ad_is_gone(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *name = service_name(ctx->now, n);
	struct verdict verdict;
	char *words;

	if (result->failure.code)
		return verdict_fail(result->failure.code, "tasks.cmd: %s", result->failure.text);
	if (result->exit_code) {
		words = script_words(result);
		verdict =
		    verdict_retry(E_IO, "tasklist.exe cannot say whether the process of \"%s\" has ended (code %d): %s",
				 name, (int)result->exit_code, words);
		free(words);
		return verdict;
	}
	wait_for(ctx, "gone", service_key(ctx->now, n));
	if (!is_listed(ctx, n, buf_str(&result->out), result->out.len)) {
		wait_over(ctx->now);
		return verdict_ok();
	}
	if (since(ctx, "wait.since_ms") < services_patience_ms(ctx, GONE_MAX_MS))
		return verdict_again(GONE_POLL_MS, "waiting for process %ld of the service \"%s\" to end",
				     pid_of(ctx, n), name);
	verdict =
	    verdict_fail(E_TIMEOUT,
			 "the service \"%s\" has stopped, but its process %ld is still there after %ld s; " NOT_CHANGED
			 ": see what it is doing, or end it, then run cutover again",
			 name, pid_of(ctx, n), waited_s(ctx));
	wait_over(ctx->now);
	return verdict;
}

/* ---- down, before and behind the write -------------------------------------------------------------------------- */

static enum step_request look_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX], bool wanted)
{
	if (n >= services_n(ctx->now))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", service_key(ctx->now, n));
	if (!wanted)
		return OP_SKIP;
	service_op(op, "queryex", item);
	return OP_DO;
}

enum step_request ad_still_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return look_down(ctx, n, op, item, ad_config_is(ctx->now, "old") || ad_config_is(ctx->now, "torn"));
}

enum step_request ad_revert_still_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return look_down(ctx, n, op, item, revert_is_due(ctx) && !ad_config_is(ctx->now, "old"));
}

enum step_request ad_stayed_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return look_down(ctx, n, op, item, facts_get(ctx->now, "config.written") || is_due(ctx));
}

enum step_request ad_revert_stayed_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return look_down(ctx, n, op, item, facts_get(ctx->now, "config.written") || revert_is_due(ctx));
}

struct verdict ad_is_down(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct sc_status status;
	struct verdict verdict;

	if (!service_answered(ctx, service_key(ctx->now, n), result, &status, &verdict))
		return verdict;
	if (status.state == SC_STOPPED)
		return verdict_ok();
	return revived(ctx, n, &status);
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

/* The n-th of what may be owed: the services of before, then those that came since. False behind the last. */
static bool owed(const struct agent_ctx *ctx, int n, char item[ITEM_MAX], const char **name)
{
	int before = services_n(ctx->before);
	const struct facts *f = n < before ? ctx->before : ctx->now;
	int i = n < before ? n : n - before;

	if (i >= services_n(f))
		return false;
	snprintf(item, ITEM_MAX, "%s", service_key(f, i));
	*name = service_name(f, i);
	return true;
}

/* A debt is only made for what ran when it was stopped, so each one asked for here is started: the debts say which. */
enum step_request ad_start(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *name;

	if (!owed(ctx, n, item, &name))
		return OP_END;
	if (!*item || (n >= services_n(ctx->before) && service_find(ctx->before, item) >= 0))
		return OP_SKIP;
	service_op(op, waits_for(ctx, "start", item) && facts_is(ctx->now, "wait.next", "send") ? "start" : "queryex",
		   item);
	return OP_DO;
}

static struct verdict could_not_start(const struct agent_ctx *ctx, const char *name, long code)
{
	char words[SC_WORDS_MAX];

	wait_over(ctx->now);
	return verdict_fail(service_failure(code), "the service \"%s\" could not be started: %s", name,
			    sc_words(code, words));
}

/* What `sc start` ended with. */
static struct verdict start_was_sent(const struct agent_ctx *ctx, const char *name, const struct op_result *result)
{
	struct sc_status none = {.state = SC_STOPPED};
	char words[SC_WORDS_MAX];

	if (result->failure.code) {
		wait_over(ctx->now);
		return verdict_fail(result->failure.code, "the service \"%s\" could not be started: %s", name,
				    result->failure.text);
	}
	if (sc_did_not_run(result->exit_code))
		return verdict_retry(E_IO, "the service \"%s\" could not be told to start: %s", name,
				     sc_words(result->exit_code, words));
	switch (result->exit_code) {
	case SC_OK:
	case SC_ALREADY_RUNNING:
	case SC_REQUEST_TIMEOUT: /* it may still come up: what it is decides */
		facts_unset(ctx->now, "wait.next");
		facts_set_text(ctx->now, "wait.sent", "yes");
		return verdict_again(1, "the service \"%s\" was told to start", name);
	case SC_CANNOT_ACCEPT:
	case SC_DATABASE_LOCKED:
		if (has_time(ctx, &none))
			return verdict_again(POLL_MS, "the service \"%s\" takes no request just now", name);
		break;
	default: /* any other code of sc.exe */
		break;
	}
	return could_not_start(ctx, name, result->exit_code);
}

static struct verdict is_not_up(const struct agent_ctx *ctx, const char *name, const struct sc_status *status)
{
	char words[SC_WORDS_MAX];
	struct verdict verdict;

	if (status->state == SC_STOPPED)
		verdict =
		    verdict_fail(E_IO, "the service \"%s\" was started and has ended at once (its own code %ld): %s",
				 name, status->service_exit, sc_words(status->win32_exit, words));
	else
		verdict = verdict_fail(
		    E_TIMEOUT,
		    "the service \"%s\" has not come up in %ld s (it is %s): see in its own log and in the "
		    "event log why, and start it",
		    name, waited_s(ctx), sc_state_name(status->state));
	wait_over(ctx->now);
	return verdict;
}

struct verdict ad_started(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict;
	struct sc_status status;
	char item[ITEM_MAX];
	const char *name = "";
	bool sent;

	if (!owed(ctx, n, item, &name))
		return verdict_fail(E_BUG, "there is no service %d", n);
	wait_for(ctx, "start", item);
	if (facts_is(ctx->now, "wait.next", "send"))
		return start_was_sent(ctx, name, result);
	if (!service_answered(ctx, item, result, &status, &verdict)) {
		wait_over(ctx->now);
		return verdict;
	}
	sent = facts_get(ctx->now, "wait.sent") != NULL;
	if (status.state == SC_RUNNING) {
		wait_over(ctx->now);
		return sent ? verdict_ok() : verdict_unchanged("the service \"%s\" runs already", name);
	}
	if (status.state == SC_STOPPED && !sent) {
		facts_set_text(ctx->now, "wait.next", "send");
		return verdict_again(1, "the service \"%s\" is started next", name);
	}
	if (status.state == SC_STOPPED || !has_time(ctx, &status))
		return is_not_up(ctx, name, &status);
	return verdict_again(POLL_MS, "waiting for the service \"%s\" to come up (it is %s)", name,
			     sc_state_name(status.state));
}

/* ---- looked at again -------------------------------------------------------------------------------------------- */

enum step_request ad_look_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return look_down(ctx, n, op, item, true);
}

/* Does it run as the very process that it was before the change, which has read the old file? Where we stopped it the
   number may have come round again. */
static bool is_old_process(const struct agent_ctx *ctx, const char *key, const struct sc_status *status)
{
	int i = service_find(ctx->before, key);

	return i >= 0 && ad_config_is(ctx->before, "old") && service_runs(ctx->before, i) &&
	       (long)status->pid == service_pid(ctx->before, i) && !ctx->step_done(ctx, "stop", key);
}

/* All were looked at. */
static struct verdict found_stopped(const struct agent_ctx *ctx)
{
	char *stopped = services_not_running(ctx->now);
	struct verdict verdict = verdict_ok();

	if (*stopped)
		verdict = verdict_person(
		    "the file names %s; %s and was so before, so it was left alone: start it if it should "
		    "run, then run cutover again, or confirm the step",
		    ctx->tenant->new_web_service, stopped);
	free(stopped);
	return verdict;
}

struct verdict ad_seen_again(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *key = service_key(ctx->now, n), *name = service_name(ctx->now, n);
	bool ran = service_ran(ctx, key);
	struct sc_status status;
	struct verdict verdict;

	wait_for(ctx, "run", key);
	if (!service_answered(ctx, key, result, &status, &verdict))
		return verdict;
	if (status.state == SC_START_PENDING && has_time(ctx, &status))
		return verdict_again(POLL_MS, "waiting for the service \"%s\" to come up", name);
	if (status.state != SC_RUNNING && ran)
		return verdict_fail(
		    E_CHANGED,
		    "the service \"%s\" ran before and is %s now: see in its own log and in the event log why, "
		    "and start it",
		    name, sc_state_name(status.state));
	if (status.state == SC_RUNNING && is_old_process(ctx, key, &status))
		return verdict_fail(
		    E_CHANGED,
		    "the service \"%s\" still runs as process %lu, which has read the old file: stop it and start "
		    "it again, then run cutover again",
		    name, (unsigned long)status.pid);
	return n + 1 < services_n(ctx->now) ? verdict_ok() : found_stopped(ctx);
}
