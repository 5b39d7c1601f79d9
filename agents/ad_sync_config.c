#include "agents/ad_sync_config.h"

#include "agents/ad_sync_service.h"
#include "agents/config_left.h"
#include "agents/cut_copy.h"
#include "agents/edit/app_config.h"
#include "agents/win_text.h"

#include "base/alloc.h"

#define KEY "WS_SERVICE_URI"
#define CONFIG_MAX_BYTES ((size_t)1 << 20)
#define BUSY_MAX_MS (3 * 60 * 1000)
#define BUSY_POLL_MS 2000

static const char *path_of(const struct agent_ctx *ctx)
{
	return facts_text(ctx->now, "config.path", "");
}

bool ad_config_is(const struct facts *f, const char *state)
{
	return facts_is(f, "config.state", state);
}

/* ---- what the bytes say ----------------------------------------------------------------------------------------- */

static struct app_config_names names_of(const struct agent_ctx *ctx)
{
	const struct strings *old = &ctx->inventory->profile->old_web_service;

	return (struct app_config_names){.key = KEY,
					 .old_hosts = (const char *const *)old->at,
					 .old_n = old->n,
					 .new_host = ctx->tenant->new_web_service};
}

static const char *state_name(enum app_config_state state)
{
	switch (state) {
	case APP_CONFIG_OLD:
		return "old";
	case APP_CONFIG_NEW:
		return "new";
	case APP_CONFIG_DRIFT:
		return "drift";
	}
	abort();
}

static void set_bytes(const struct agent_ctx *ctx, struct facts *f, const char *bytes, size_t len)
{
	struct app_config_names names = names_of(ctx);
	struct app_config found;
	char sha[SHA256_HEX_MAX];

	facts_set(f, "config.bytes", bytes, len);
	facts_set_text(f, "config.sha256", sha256_hex(bytes, len, sha));
	if (!len) {
		facts_set_text(f, "config.state", "empty");
		return;
	}
	app_config_look(bytes, len, &names, &found);
	facts_set_text(f, "config.state", state_name(found.state));
	facts_setf(f, "config.line", "%ld", found.line);
	facts_set_text(f, "config.why", found.why);
	facts_set_text(f, "config.host", found.host);
	facts_set_text(f, "config.url", found.shown);
	facts_set_text(f, "config.encoding", found.encoding);
	facts_set_text(f, "config.evidence", found.evidence);
}

static void set_result(const struct agent_ctx *ctx, struct facts *f, const struct op_result *result)
{
	switch (result->failure.code) {
	case 0:
		set_bytes(ctx, f, buf_str(&result->out), result->out.len);
		facts_setf(f, "config.mode", "%04o", result->file.mode);
		break;
	case E_NOTFOUND:
		facts_set_text(f, "config.state", "missing");
		break;
	case E_LIMIT:
		facts_set_text(f, "config.state", "too-large");
		break;
	default: /* any other failure */
		facts_set_text(f, "config.state", "unreadable");
		facts_set_text(f, "config.why", result->failure.text);
		break;
	}
}

/* ---- read ------------------------------------------------------------------------------------------------------- */

static void get_op(const char *path, struct op *op)
{
	op->kind = OP_GET;
	op->elevated = true;
	op->max_out_bytes = CONFIG_MAX_BYTES;
	op->path = str_dup(path);
}

enum step_request ad_config_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n > 0 || !win_is_path(path_of(ctx)))
		return OP_END;
	get_op(path_of(ctx), op);
	return OP_DO;
}

static struct verdict is_busy(const struct agent_ctx *ctx)
{
	return verdict_retry(
	    E_BUSY,
	    "%s is held open by another process of the host (a scanner, a backup, an editor) and cannot be "
	    "read: end that, then run cutover again",
	    path_of(ctx));
}

struct verdict ad_config_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	(void)n;
	if (result->failure.code == E_BUSY)
		return is_busy(ctx);
	set_result(ctx, ctx->now, result);
	return verdict_ok();
}

/* ---- torn? ------------------------------------------------------------------------------------------------------ */

static char *backup_path(const struct agent_ctx *ctx)
{
	return str_fmt("%s%s", path_of(ctx), AD_CONFIG_BACKUP_END);
}

/* The bytes of before with the new host; false where they were not old or are not known any more. */
static bool planned_bytes(const struct agent_ctx *ctx, struct buf *out)
{
	const struct fact *bytes = facts_get(ctx->before, "config.bytes");
	struct app_config_names names = names_of(ctx);
	struct app_config found;
	struct buf host = BUF_INIT;
	bool good;

	if (!bytes || !ad_config_is(ctx->before, "old"))
		return false;
	app_config_look(bytes->value, bytes->len, &names, &found);
	good = found.state == APP_CONFIG_OLD && found.host_len &&
	       app_config_host_bytes(&found, names.new_host, &host, NULL) == 0;
	if (good) {
		buf_add(out, bytes->value, found.host_offset);
		buf_add(out, buf_str(&host), host.len);
		buf_add(out, bytes->value + found.host_offset + found.host_len,
			bytes->len - found.host_offset - found.host_len);
	}
	buf_release(&host);
	return good;
}

static bool is_torn(const struct agent_ctx *ctx)
{
	const struct fact *seen = facts_get(ctx->now, "config.bytes"), *old = facts_get(ctx->before, "config.bytes");
	struct buf planned = BUF_INIT;
	bool torn;

	torn = seen && facts_is(ctx->now, "config.backup", "before") && planned_bytes(ctx, &planned) &&
	       (is_cut_copy(seen->value, seen->len, buf_str(&planned), planned.len, old->value, old->len) ||
		is_cut_copy(seen->value, seen->len, old->value, old->len, buf_str(&planned), planned.len));
	buf_release_secret(&planned);
	return torn;
}

/* Is it neither the file of before nor the one that we make of it, though a change of ours has begun? A mixture of the
   two may well name the new host or the old one. */
static bool is_neither(const struct agent_ctx *ctx)
{
	struct buf planned = BUF_INIT;
	bool neither = planned_bytes(ctx, &planned) && config_is_neither(ctx, &planned);

	buf_release_secret(&planned);
	return neither;
}

enum step_request ad_backup_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	char *path;

	item[0] = '\0';
	if (n > 0 || !is_neither(ctx))
		return OP_END;
	path = backup_path(ctx);
	get_op(path, op);
	free(path);
	return OP_DO;
}

struct verdict ad_backup_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	char sha[SHA256_HEX_MAX];

	(void)n;
	if (result->failure.code == E_BUSY)
		return is_busy(ctx);
	if (result->failure.code == E_NOTFOUND)
		facts_set_text(ctx->now, "config.backup", "missing");
	else if (!result->failure.code &&
		 facts_is(ctx->before, "config.sha256", sha256_hex(buf_str(&result->out), result->out.len, sha)))
		facts_set_text(ctx->now, "config.backup", "before");
	else
		facts_set_text(ctx->now, "config.backup", "other");
	if (is_torn(ctx))
		facts_set_text(ctx->now, "config.state", "torn");
	return verdict_ok();
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

/* "; the file of before our change is X beside it", where that is known. */
static char *and_backup(const struct agent_ctx *ctx)
{
	if (!facts_is(ctx->now, "config.backup", "before"))
		return str_dup("");
	return str_fmt("; as it was before our change it is kept beside it as %s%s", win_name(path_of(ctx)),
		       AD_CONFIG_BACKUP_END);
}

static void assess_drift(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct facts *f = ctx->now;
	const char *path = path_of(ctx), *line = facts_text(f, "config.line", "0");
	char *backup = and_backup(ctx);

	if (ad_config_is(f, "empty"))
		assessment_set(out, ASSESS_DRIFT, "%s is empty: repair the client's installation%s", path, backup);
	else if (strcmp(line, "0") != 0)
		assessment_set(out, ASSESS_DRIFT, "%s line %s %s%s", path, line, facts_text(f, "config.why", ""),
			       backup);
	else
		assessment_set(out, ASSESS_DRIFT, "%s %s%s", path, facts_text(f, "config.why", ""), backup);
	free(backup);
}

bool ad_config_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct facts *f = ctx->now;
	const char *path = path_of(ctx);

	if (!facts_get(f, "config.state"))
		ad_config_assess_place(ctx, out);
	else if (ad_config_is(f, "missing"))
		assessment_set(out, ASSESS_DRIFT, "%s is not there: name the client's folder (`path`)%s", path,
			       ctx->before->n ? ", or see who took it away" : "");
	else if (ad_config_is(f, "too-large"))
		assessment_set(out, ASSESS_DRIFT, "%s is larger than 1 MiB: that is no file of the sync client's",
			       path);
	else if (ad_config_is(f, "unreadable"))
		assessment_set(out, ASSESS_PERSON, "%s cannot be read: %s", path, facts_text(f, "config.why", ""));
	else if (ad_config_is(f, "drift") || ad_config_is(f, "empty"))
		assess_drift(ctx, out);
	else
		return true;
	return false;
}

/* The bytes that the change is made for: what was seen, or of a torn file what was there before. */
static const struct fact *base_of(const struct agent_ctx *ctx)
{
	return facts_get(ad_config_is(ctx->now, "torn") ? ctx->before : ctx->now, "config.bytes");
}

/* The element is shown as it was and will be: the lines around it may hold what nobody should read. */
static void show_element(struct change *change, const struct fact *bytes, const struct app_config *found,
			 const char *host)
{
	struct buf was = BUF_INIT, will_be = BUF_INIT;

	app_config_lines(bytes->value, bytes->len, found, host, &was, &will_be);
	str_free_secret(change->old_line);
	str_free_secret(change->new_line);
	change->old_line = buf_detach(&was);
	change->new_line = buf_detach(&will_be);
	change->line = found->line;
}

static int prove(const struct app_config_names *names, const struct change *change, const struct fact *bytes,
		 struct assessment *out, struct err *err)
{
	struct buf after = BUF_INIT;
	char evidence[APP_CONFIG_TEXT_MAX];
	int rc = change_apply(change, bytes->value, bytes->len, &after, err);

	if (!rc)
		rc = app_config_prove(bytes->value, bytes->len, buf_str(&after), after.len, names, evidence, err);
	if (!rc)
		assessment_note(out, "%s", evidence);
	buf_release_secret(&after);
	return rc;
}

bool ad_config_add_change(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct fact *bytes = base_of(ctx);
	struct app_config_names names = names_of(ctx);
	struct app_config found = {0};
	struct buf host = BUF_INIT;
	struct err err = {0};
	struct change *change;
	int rc = E_INVAL;

	if (bytes)
		app_config_look(bytes->value, bytes->len, &names, &found);
	if (bytes && found.state == APP_CONFIG_OLD && found.host_len)
		rc = app_config_host_bytes(&found, names.new_host, &host, &err);
	if (!rc) {
		change = assessment_change(out, AD_CONFIG_ITEM, path_of(ctx), bytes->value, bytes->len,
					   found.host_offset, found.host_len, buf_str(&host), host.len);
		show_element(change, bytes, &found, names.new_host);
		rc = prove(&names, change, bytes, out, &err);
	}
	if (rc)
		assessment_set(out, ASSESS_DRIFT, "%s line %s: the change cannot be proved (%s); change it by hand",
			       path_of(ctx), facts_text(ctx->now, "config.line", "?"), err.text);
	buf_release(&host);
	return rc == 0;
}

/* ---- write ------------------------------------------------------------------------------------------------------ */

static const struct change *change_of(const struct agent_ctx *ctx)
{
	for (size_t i = 0; ctx->assessment && i < ctx->assessment->changes_n; i++) {
		if (strcmp(ctx->assessment->changes[i].item, AD_CONFIG_ITEM) == 0)
			return &ctx->assessment->changes[i];
	}
	return NULL;
}

/* The file after the change that was assessed; false when it is not what that was made for. */
static bool new_bytes(const struct agent_ctx *ctx, struct buf *out)
{
	const struct fact *bytes = base_of(ctx);
	const struct change *change = change_of(ctx);

	return bytes && change && change_apply(change, bytes->value, bytes->len, out, NULL) == 0;
}

static bool is_due(const struct agent_ctx *ctx)
{
	return (ad_config_is(ctx->now, "old") || ad_config_is(ctx->now, "torn")) && change_of(ctx);
}

static void replace_op(const struct agent_ctx *ctx, struct op *op, const struct buf *to, bool backup)
{
	op->kind = OP_REPLACE;
	op->elevated = true;
	op->path = str_dup(path_of(ctx));
	op->backup = backup ? str_fmt("%s%s", win_name(path_of(ctx)), AD_CONFIG_BACKUP_END) : NULL;
	snprintf(op->expect_sha256, sizeof(op->expect_sha256), "%s", facts_text(ctx->now, "config.sha256", ""));
	buf_add(&op->input, buf_str(to), to->len);
}

enum step_request ad_config_write(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf text = BUF_INIT;

	if (n > 0)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", AD_CONFIG_ITEM);
	if (config_is_left(ctx, AD_CONFIG_ITEM)) {
		config_left_op(ctx, op, path_of(ctx));
		return OP_DO;
	}
	if (!is_due(ctx))
		return OP_SKIP;
	/* When it is not the file that was assessed, it is only looked at; ad_config_written then says so. */
	if (new_bytes(ctx, &text))
		replace_op(ctx, op, &text, ad_config_is(ctx->now, "old"));
	else
		get_op(path_of(ctx), op);
	buf_release_secret(&text);
	return OP_DO;
}

/* Somebody else holds the file: asked again for a while, with the services down. */
static struct verdict still_busy(const struct agent_ctx *ctx, const struct op_result *result)
{
	int64_t began = ctx->wall_ms - result->elapsed_ms, held;
	const char *since = facts_text(ctx->now, "config.busy_ms", NULL);

	if (!since)
		facts_setf(ctx->now, "config.busy_ms", "%lld", (long long)began);
	held = ctx->wall_ms - (since ? strtoll(since, NULL, 10) : began);
	if (held >= services_patience_ms(ctx, BUSY_MAX_MS)) {
		facts_unset(ctx->now, "config.busy_ms");
		return verdict_fail(E_BUSY,
				    "%s was not changed: another process of the host has held it open for %ld s (a "
				    "scanner, a backup, an editor); end that, then run cutover again",
				    path_of(ctx), (long)(held / 1000));
	}
	return verdict_again(BUSY_POLL_MS, "%s is held open by another process", path_of(ctx));
}

static struct verdict write_failed(const struct agent_ctx *ctx, const struct op_result *result)
{
	if (result->failure.code == E_CHANGED || result->failure.code == E_NOTFOUND)
		return verdict_reread("%s was edited meanwhile", path_of(ctx));
	if (result->failure.code == E_BUSY)
		return still_busy(ctx, result);
	return verdict_fail(result->failure.code, "%s: %s", path_of(ctx), result->failure.text);
}

static void now_is(const struct agent_ctx *ctx, const struct buf *text)
{
	set_bytes(ctx, ctx->now, buf_str(text), text->len);
	facts_set_text(ctx->now, "config.written", "yes");
	facts_unset(ctx->now, "config.busy_ms");
}

struct verdict ad_config_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf text = BUF_INIT;
	bool meant;

	(void)n;
	if (config_is_left(ctx, AD_CONFIG_ITEM))
		return result->failure.code ? write_failed(ctx, result) : verdict_ok();
	meant = new_bytes(ctx, &text);
	if (meant && !result->failure.code)
		now_is(ctx, &text);
	buf_release_secret(&text);
	if (!meant)
		return verdict_reread("%s is not what the change was made for", path_of(ctx));
	return result->failure.code ? write_failed(ctx, result) : verdict_ok();
}

/* ---- verify ----------------------------------------------------------------------------------------------------- */

enum step_request ad_config_read_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n > 0)
		return OP_END;
	get_op(path_of(ctx), op);
	return OP_DO;
}

bool ad_config_is_read_only(const char *mode)
{
	return *mode && !strpbrk(mode, "2367");
}

/* What is there in the place of the new name. */
static const char *words_of(const struct facts *seen)
{
	const char *url = facts_text(seen, "config.url", ""), *why = facts_text(seen, "config.why", "");

	return *url ? url : *why ? why : facts_text(seen, "config.state", "");
}

static struct verdict compare(const struct agent_ctx *ctx, const struct facts *seen)
{
	const struct facts *then = facts_get(ctx->before, "config.mode") ? ctx->before : ctx->now;
	const char *path = path_of(ctx), *mode = facts_text(seen, "config.mode", "");

	if (!ad_config_is(seen, "new"))
		return verdict_fail(E_CHANGED, "%s does not name %s in " KEY " (%s): somebody has changed it since",
				    path, ctx->tenant->new_web_service, words_of(seen));
	if (!facts_is(then, "config.mode", mode))
		return verdict_fail(E_CHANGED,
				    "%s is %s, and was not before: set its read-only attribute as it was (attrib)",
				    path, ad_config_is_read_only(mode) ? "read-only" : "writable");
	if (!facts_is(ctx->now, "config.sha256", facts_text(seen, "config.sha256", "")))
		return verdict_unchanged("%s names %s; somebody has edited something else in it meanwhile", path,
					 ctx->tenant->new_web_service);
	return verdict_ok();
}

struct verdict ad_config_was_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct facts seen = {0};
	struct verdict verdict;

	(void)n;
	if (result->failure.code == E_BUSY)
		return is_busy(ctx);
	set_result(ctx, &seen, result);
	verdict = compare(ctx, &seen);
	facts_release(&seen);
	set_result(ctx, ctx->now, result);
	if (verdict.kind == VERDICT_UNCHANGED)
		facts_set_text(ctx->now, "verify.note", verdict.text);
	return verdict;
}

/* ---- revert ----------------------------------------------------------------------------------------------------- */

/* The bytes of before, worked out of those of now: the old host put back has to give the old hash. */
static bool host_put_back(const struct agent_ctx *ctx, struct buf *out)
{
	const struct fact *bytes = facts_get(ctx->now, "config.bytes");
	const char *host = facts_text(ctx->before, "config.host", NULL);
	struct app_config_names names = names_of(ctx);
	struct app_config found;
	struct buf old = BUF_INIT;

	if (!bytes || !host)
		return false;
	app_config_look(bytes->value, bytes->len, &names, &found);
	if (found.state != APP_CONFIG_NEW || !found.host_len || app_config_host_bytes(&found, host, &old, NULL) != 0)
		return false;
	buf_add(out, bytes->value, found.host_offset);
	buf_add(out, buf_str(&old), old.len);
	buf_add(out, bytes->value + found.host_offset + found.host_len,
		bytes->len - found.host_offset - found.host_len);
	buf_release(&old);
	return true;
}

static bool old_bytes(const struct agent_ctx *ctx, struct buf *out)
{
	const struct fact *before = facts_get(ctx->before, "config.bytes");
	char sha[SHA256_HEX_MAX];

	if (ad_config_is(ctx->now, "torn"))
		return before && buf_add(out, before->value, before->len);
	return host_put_back(ctx, out) &&
	       facts_is(ctx->before, "config.sha256", sha256_hex(buf_str(out), out->len, sha));
}

bool ad_config_can_go_back(const struct agent_ctx *ctx)
{
	struct buf text = BUF_INIT;
	bool can = old_bytes(ctx, &text);

	buf_release_secret(&text);
	return can;
}

enum step_request ad_config_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf text = BUF_INIT;

	if (n > 0 || !ctx->before->n)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", AD_CONFIG_ITEM);
	if (!ad_config_is(ctx->before, "old") || ad_config_is(ctx->now, "old"))
		return OP_SKIP;
	if (old_bytes(ctx, &text))
		replace_op(ctx, op, &text, false);
	else
		get_op(path_of(ctx), op);
	buf_release_secret(&text);
	return OP_DO;
}

static struct verdict edited_since(const struct agent_ctx *ctx)
{
	char *backup = and_backup(ctx);
	struct verdict verdict =
	    verdict_drift("%s was edited since we changed it: put %s back by hand%s", path_of(ctx),
			  facts_text(ctx->before, "config.host", "the old name"), backup);

	free(backup);
	return verdict;
}

struct verdict ad_config_old_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf text = BUF_INIT;
	bool meant = old_bytes(ctx, &text);

	(void)n;
	if (meant && !result->failure.code)
		now_is(ctx, &text);
	buf_release_secret(&text);
	if (!meant)
		return edited_since(ctx);
	return result->failure.code ? write_failed(ctx, result) : verdict_ok();
}
