/*
 * ad-sync-client: the directory-sync client for Active Directory, on Windows: the vendor's step 4a.
 *
 *     Stop the services "Hosted Email Security ActiveDirectory Sync Agent" and "… Sync Service"; in
 *     PluginService.exe.config put the new host name into the value of WS_SERVICE_URI (https://OLD/imhs/v1.0/en/, the
 *     slash at the end stays); start both again.
 *
 * The inventory's entry:
 *   path      the client's folder (or its PluginService.exe.config). Absent: where the services' program is, else the
 *             vendor's default
 *   services  their key names, in the order in which they are to be stopped. Absent: the two of the vendor, by their
 *             display names
 *   wait_s    how long, with the services down, a service may take to stop and a file may be held by somebody before
 *             that is given up and all is started again; 1 to 600 seconds. Absent: ten minutes for a service that makes
 *             progress, one for one that shows none, three for the file
 *
 * What ran is stopped, what depends on another one first, and started again, whatever happens: each is a debt. What was
 * found stopped or disabled is left so: the file is changed all the same, and the step is a person's then, since the
 * client does not run with the new name. Nothing is begun where it could not be put back: a service that runs but is
 * disabled, one that is paused, one that others which are not ours depend on.
 *
 * Decisions are made on numbers and exit codes; words of the host are for people.
 *
 * Facts: ad_sync_service.h (service.…), ad_sync_config.h (config.…), ad_sync_switch.h (wait.…).
 */
#include "agents/ad_sync_config.h"
#include "agents/ad_sync_service.h"
#include "agents/ad_sync_switch.h"
#include "agents/agents.h"
#include "agents/win_text.h"

#include "base/alloc.h"

/* ---- assess ----------------------------------------------------------------------------------------------------- */

/* Is one down that ran before us? */
static bool is_down_by_us(const struct agent_ctx *ctx)
{
	for (int i = 0; ctx->before->n && i < services_n(ctx->now); i++) {
		if (!service_runs(ctx->now, i) && service_ran(ctx, service_key(ctx->now, i)))
			return true;
	}
	return false;
}

/* The services run from elsewhere than the inventory says? Two spellings of one folder look like two, so it is only
 * said. */
static void note_place(const struct agent_ctx *ctx, struct assessment *out)
{
	char *folder = win_folder(facts_text(ctx->now, "config.path", ""));

	for (int i = 0; agent_param(ctx, "path") && i < services_n(ctx->now); i++) {
		const char *program = fact_at(ctx->now, "service", i, "program");
		char *other = win_folder(program);

		if (*program && !win_same(folder, other))
			assessment_note(out, "the inventory names %s (`path`); the service \"%s\" runs from %s", folder,
					service_name(ctx->now, i), other);
		free(other);
	}
	free(folder);
}

static void note_file(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *mode = facts_text(ctx->now, "config.mode", ""),
		   *name = win_name(facts_text(ctx->now, "config.path", ""));

	if (ad_config_is_read_only(mode))
		assessment_note(out, "%s is read-only: the attribute is taken off for the change and put back", name);
	assessment_note(out, "the file as it was is kept beside it as %s%s", name, AD_CONFIG_BACKUP_END);
	note_place(ctx, out);
}

/* The value is old, or our own write of it was cut: there is work. */
static void assess_work(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *path = facts_text(ctx->now, "config.path", ""), *line = facts_text(ctx->now, "config.line", "?"),
		   *host = facts_text(ctx->now, "config.host", "");

	if (!services_assess_stop(ctx, out) || !ad_config_add_change(ctx, out))
		return;
	note_file(ctx, out);
	if (ad_config_is(ctx->now, "torn"))
		assessment_set(out, ASSESS_PARTIAL,
			       "%s was cut while we wrote it; it is written again from what was there before", path);
	else if (is_down_by_us(ctx))
		assessment_set(out, ASSESS_PARTIAL, "%s line %s names %s still, and services are stopped by us", path,
			       line, host);
	else if (ad_revert_is_open(ctx))
		assessment_set(out, ASSESS_PARTIAL,
			       "%s line %s names %s again, and the services may have read the new name", path, line,
			       host);
	else
		assessment_set(out, ASSESS_OLD, "%s line %s names %s", path, line, host);
}

static void assess_new(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *path = facts_text(ctx->now, "config.path", ""), *line = facts_text(ctx->now, "config.line", "?"),
		   *host = facts_text(ctx->now, "config.host", "");
	char *stopped = services_not_running(ctx->now);

	if (is_down_by_us(ctx))
		assessment_set(out, ASSESS_PARTIAL, "%s line %s names %s, and services are stopped by us", path, line,
			       host);
	else if (ctx->before->n)
		assessment_set(out, ASSESS_NEW, "%s line %s names %s%s%s", path, line, host, *stopped ? "; " : "",
			       stopped);
	else if (*stopped)
		assessment_set(
		    out, ASSESS_PERSON,
		    "%s line %s names %s already, but %s: start it if it should run, then run cutover again, or "
		    "confirm the step",
		    path, line, host, stopped);
	else
		assessment_set(
		    out, ASSESS_NEW,
		    "%s line %s names %s already and the services run; whether they were started since that was "
		    "written is not known",
		    path, line, host);
	free(stopped);
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	(void)err;
	if (!services_assess(ctx, out) || !ad_config_assess(ctx, out))
		return 0;
	if (ad_config_is(ctx->now, "new"))
		assess_new(ctx, out);
	else
		assess_work(ctx, out);
	return 0;
}

/* ---- the vendor's procedure ------------------------------------------------------------------------------------- */

#define WAIT_BUDGET_MS (AD_WAIT_MAX_MS + 60000) /* the agent's own limits are met first */

static const struct step observe[] = {
    {.name = "services", .request = services_look, .judge = services_found},
    {.name = "state", .request = state_look, .judge = state_seen},
    {.name = "settings", .request = settings_look, .judge = settings_seen},
    {.name = "dependants", .request = dependants_look, .judge = dependants_seen},
    {.name = "read", .request = ad_config_read, .judge = ad_config_was_read},
    {.name = "read-backup", .request = ad_backup_read, .judge = ad_backup_was_read},
    {0},
};

static const struct step apply[] = {
    {.name = "stop",
     .request = ad_stop,
     .judge = ad_stopped,
     .flags = STEP_MUTATES | STEP_IDEMPOTENT,
     .owes = "start",
     .budget_ms = WAIT_BUDGET_MS},
    {.name = "wait-gone", .request = ad_wait_gone, .judge = ad_is_gone},
    {.name = "still-down", .request = ad_still_down, .judge = ad_is_down},
    {.name = "write-config",
     .request = ad_config_write,
     .judge = ad_config_written,
     .flags = STEP_MUTATES | STEP_IDEMPOTENT},
    {.name = "stayed-down", .request = ad_stayed_down, .judge = ad_is_down, .flags = STEP_MUTATES | STEP_IDEMPOTENT},
    {0},
};

static const struct step restore[] = {
    {.name = "start",
     .request = ad_start,
     .judge = ad_started,
     .flags = STEP_MUTATES | STEP_IDEMPOTENT,
     .budget_ms = WAIT_BUDGET_MS},
    {0},
};

static const struct step verify[] = {
    {.name = "read-again", .request = ad_config_read_again, .judge = ad_config_was_read_again},
    {.name = "services-again", .request = ad_look_again, .judge = ad_seen_again, .budget_ms = WAIT_BUDGET_MS},
    {0},
};

static const struct step revert[] = {
    {.name = "revert-stop",
     .request = ad_revert_stop,
     .judge = ad_stopped,
     .flags = STEP_MUTATES | STEP_IDEMPOTENT,
     .owes = "start",
     .budget_ms = WAIT_BUDGET_MS},
    {.name = "revert-wait-gone", .request = ad_revert_wait_gone, .judge = ad_is_gone},
    {.name = "revert-still-down", .request = ad_revert_still_down, .judge = ad_is_down},
    {.name = "revert-config",
     .request = ad_config_write_old,
     .judge = ad_config_old_written,
     .flags = STEP_MUTATES | STEP_IDEMPOTENT},
    {.name = "revert-stayed-down",
     .request = ad_revert_stayed_down,
     .judge = ad_is_down,
     .flags = STEP_MUTATES | STEP_IDEMPOTENT},
    {0},
};

static const char *const params[] = {"path", "services", "wait_s", NULL};

const struct agent agent_ad_sync_client = {
    .name = "ad-sync-client",
    .summary = "the directory-sync client for Active Directory (PluginService) on Windows",
    .scope = SCOPE_HOST,
    .os = 1u << OS_WINDOWS,
    .params = params,
    .observe = observe,
    .assess = assess,
    .apply = apply,
    .restore = restore,
    .verify = verify,
    .revert = revert,
};
