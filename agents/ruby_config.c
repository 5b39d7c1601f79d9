#include "agents/ruby_config.h"
#include "agents/config_left.h"
#include "agents/frames.h"
#include "agents/ruby_torn.h"
#include "agents/script.h"

#include "base/alloc.h"
#include "agents/edit/ruby_constant.h"
#include "agents/edit/url_host.h"

#define CONSTANT CONFIG_CONSTANT

static const char *path_of(const struct agent_ctx *ctx)
{
	return facts_text(ctx->now, "client.config", "");
}

/* ---- read ------------------------------------------------------------------------------------------------------- */

static void get_op(const struct agent_ctx *ctx, struct op *op)
{
	op->kind = OP_GET;
	op->elevated = true;
	op->max_out_bytes = CONFIG_MAX_BYTES;
	op->path = str_dup(path_of(ctx));
}

enum step_request config_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n > 0 || !facts_is(ctx->now, "client.n", "1"))
		return OP_END;
	get_op(ctx, op);
	return OP_DO;
}

static const char *state_of_host(const struct agent_ctx *ctx, const char *host)
{
	const struct strings *old = &ctx->inventory->profile->old_web_service;

	if (url_same_host(host, ctx->tenant->new_web_service))
		return "new";
	for (size_t i = 0; i < old->n; i++) {
		if (url_same_host(host, old->at[i]))
			return "old";
	}
	return "other";
}

static void set_lines(struct facts *f, const struct ruby_constant *found)
{
	struct buf lines = BUF_INIT;

	for (size_t i = 0; i < found->lines_n; i++)
		buf_addf(&lines, "%s%ld", i ? ", " : "", found->lines[i]);
	facts_set_text(f, "config.line", buf_str(&lines));
	buf_release(&lines);
}

/* What the bytes say, as facts. */
static void set_bytes(const struct agent_ctx *ctx, struct facts *f, const char *bytes, size_t len)
{
	struct ruby_constant found;
	char sha[SHA256_HEX_MAX];

	facts_set(f, "config.bytes", bytes, len);
	facts_set_text(f, "config.sha256", sha256_hex(bytes, len, sha));
	ruby_constant_find(bytes, len, CONSTANT, &found);
	set_lines(f, &found);
	facts_unset(f, "config.host");
	facts_unset(f, "config.url");
	facts_unset(f, "config.why");
	facts_unset(f, "config.backup");
	switch (found.state) {
	case RUBY_NONE:
		facts_set_text(f, "config.state", "none");
		return;
	case RUBY_SEVERAL:
		facts_set_text(f, "config.state", "several");
		return;
	case RUBY_UNCLEAR:
		facts_set_text(f, "config.state", "unclear");
		facts_set_text(f, "config.why", found.reason);
		return;
	case RUBY_FOUND:
		facts_set_text(f, "config.state", state_of_host(ctx, found.host));
		facts_set_text(f, "config.host", found.host);
		facts_set_text(f, "config.url", found.shown);
		return;
	}
}

static void set_file(struct facts *f, const struct op_file *file)
{
	facts_setf(f, "config.mode", "%04o", file->mode);
	facts_set_text(f, "config.owner", file->owner ? file->owner : "");
	facts_set_text(f, "config.group", file->group ? file->group : "");
	facts_setf(f, "config.links", "%lu", file->links);
	facts_set_text(f, "config.real_path", file->real_path ? file->real_path : "");
}

static void set_result(const struct agent_ctx *ctx, struct facts *f, const struct op_result *result)
{
	if (result->failure.code == E_NOTFOUND) {
		facts_set_text(f, "config.state", "missing");
	} else if (result->failure.code) {
		facts_set_text(f, "config.state", "unreadable");
		facts_set_text(f, "config.why", result->failure.text);
	} else {
		set_bytes(ctx, f, buf_str(&result->out), result->out.len);
		set_file(f, &result->file);
	}
}

struct verdict config_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	(void)n;
	if (result->failure.code == E_BUSY)
		return verdict_retry(E_BUSY,
				     "%s is held open by another process of the host (a scanner, a backup, an editor) and "
				     "cannot be read: end that, then run cutover again",
				     path_of(ctx));
	set_result(ctx, ctx->now, result);
	return verdict_ok();
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

static bool value_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct facts *f = ctx->now;
	const char *path = path_of(ctx), *line = facts_text(f, "config.line", "");

	if (facts_is(f, "config.state", "none"))
		assessment_set(out, ASSESS_DRIFT,
			       "%s assigns no " CONSTANT ": find out where the client has its address from", path);
	else if (facts_is(f, "config.state", "several"))
		assessment_set(out, ASSESS_DRIFT,
			       "%s assigns " CONSTANT " more than once (lines %s): leave one of them", path, line);
	else if (facts_is(f, "config.state", "unclear"))
		assessment_set(out, ASSESS_DRIFT, "%s line %s: %s; change it by hand", path, line,
			       facts_text(f, "config.why", ""));
	else if (facts_is(f, "config.state", "other"))
		assessment_set(
			out, ASSESS_DRIFT,
			"%s line %s names %s, which is neither the vendor's old name nor the new one (%s): decide what "
			"it should be",
			path, line, facts_text(f, "config.host", ""), ctx->tenant->new_web_service);
	else
		return true;
	return false;
}

bool config_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct facts *f = ctx->now;
	const char *path = path_of(ctx);

	if (!facts_get(f, "config.state") || facts_is(f, "config.state", "missing")) {
		assessment_set(out, ASSESS_DRIFT, "%s is not there any more", path);
		return false;
	}
	if (facts_is(f, "config.state", "unreadable")) {
		assessment_set(out, ASSESS_PERSON, "%s cannot be read: %s", path, facts_text(f, "config.why", ""));
		return false;
	}
	if (!value_assess(ctx, out)) {
		if (facts_is(f, "config.backup", "before")) {
			char *said = str_dup(out->text);

			assessment_set(out, ASSESS_DRIFT, "%s; as it was before our change it is kept beside it as %s",
				       said, CONFIG_BACKUP);
			free(said);
		}
		return false;
	}
	if (facts_is(f, "config.state", "old") && !facts_is(f, "config.links", "1")) {
		assessment_set(
			out, ASSESS_PERSON,
			"%s is one of %s names (hard links) of the same file: replacing it would part them; make it a "
			"file of its own, or change it by hand",
			path, facts_text(f, "config.links", "?"));
		return false;
	}
	return true;
}

/* Userinfo in front of the host may be a password, and the changed line is shown to people. */
static void hide(char **line, const char *secret, size_t len)
{
	char *at = len ? memmem(*line, strlen(*line), secret, len) : NULL, *hidden;

	if (!at)
		return;
	hidden = str_fmt("%.*s…%s", (int)(at - *line), *line, at + len);
	str_free_secret(*line);
	*line = hidden;
}

void config_add_change(const struct agent_ctx *ctx, struct assessment *out)
{
	const struct fact *bytes = config_base(ctx);
	const char *host = ctx->tenant->new_web_service;
	struct ruby_constant found;
	struct change *change;

	if (!bytes)
		return;
	ruby_constant_find(bytes->value, bytes->len, CONSTANT, &found);
	if (found.state != RUBY_FOUND)
		return;
	change = assessment_change(out, CONFIG_ITEM, path_of(ctx), bytes->value, bytes->len, found.host_offset,
				   found.host_len, host, strlen(host));
	hide(&change->old_line, bytes->value + found.userinfo_offset, found.userinfo_len);
	hide(&change->new_line, bytes->value + found.userinfo_offset, found.userinfo_len);
}

/* ---- write ------------------------------------------------------------------------------------------------------ */

static const struct change *change_of(const struct agent_ctx *ctx)
{
	for (size_t i = 0; ctx->assessment && i < ctx->assessment->changes_n; i++) {
		if (strcmp(ctx->assessment->changes[i].item, CONFIG_ITEM) == 0)
			return &ctx->assessment->changes[i];
	}
	return NULL;
}

/* The file after the change that was assessed; false when it is not what that was made for. */
static bool new_bytes(const struct agent_ctx *ctx, struct buf *out)
{
	const struct fact *bytes = config_base(ctx);
	const struct change *change = change_of(ctx);

	return bytes && change && change_apply(change, bytes->value, bytes->len, out, NULL) == 0;
}

static bool is_due(const struct agent_ctx *ctx)
{
	return (facts_is(ctx->now, "config.state", "old") || config_is_torn(ctx)) && change_of(ctx);
}

static void replace_op(const struct agent_ctx *ctx, struct op *op, const struct buf *to, const char *backup)
{
	op->kind = OP_REPLACE;
	op->elevated = true;
	op->path = str_dup(path_of(ctx));
	op->backup = backup ? str_dup(backup) : NULL;
	snprintf(op->expect_sha256, sizeof(op->expect_sha256), "%s", facts_text(ctx->now, "config.sha256", ""));
	buf_add(&op->input, buf_str(to), to->len);
}

enum step_request config_write(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf text = BUF_INIT;

	if (n > 0)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", CONFIG_ITEM);
	if (config_is_left(ctx, CONFIG_ITEM)) {
		config_left_op(ctx, op, path_of(ctx));
		return OP_DO;
	}
	if (!is_due(ctx))
		return OP_SKIP;
	/* When it is not the file that was assessed, it is only looked at; config_written then says so. */
	if (new_bytes(ctx, &text))
		replace_op(ctx, op, &text, config_is_torn(ctx) ? NULL : CONFIG_BACKUP);
	else
		get_op(ctx, op);
	buf_release_secret(&text);
	return OP_DO;
}

static struct verdict write_failed(const struct agent_ctx *ctx, const struct op_result *result)
{
	if (result->failure.code == E_CHANGED)
		return verdict_reread("%s was edited meanwhile", path_of(ctx));
	return verdict_fail(result->failure.code, "%s: %s", path_of(ctx), result->failure.text);
}

struct verdict config_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf text = BUF_INIT;
	bool meant;

	(void)n;
	if (config_is_left(ctx, CONFIG_ITEM))
		return result->failure.code ? write_failed(ctx, result) : verdict_ok();
	meant = new_bytes(ctx, &text);
	if (meant && !result->failure.code)
		set_bytes(ctx, ctx->now, buf_str(&text), text.len);
	buf_release_secret(&text);
	if (!meant)
		return verdict_reread("%s is not what the change was made for", path_of(ctx));
	return result->failure.code ? write_failed(ctx, result) : verdict_ok();
}

/* ---- syntax ----------------------------------------------------------------------------------------------------- */

static void syntax_op(struct op *op, const char *bytes, size_t len)
{
	script_op(op, "ruby-syntax.sh");
	op->elevated = false;
	buf_add(&op->input, bytes, len);
}

/* Windows: the file as it is on the host, by its path (remote/ruby-syntax.cmd). Before the write that is the old one: the
   new one differs from it in the letters of a host name. */
static void syntax_of_file_op(const struct agent_ctx *ctx, struct op *op)
{
	script_op(op, "ruby-syntax.cmd");
	op_arg(op, facts_text(ctx->now, "ruby.path", ""));
	op_arg(op, path_of(ctx));
}

enum step_request config_syntax(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf text = BUF_INIT;
	enum step_request request = OP_SKIP;

	item[0] = '\0';
	if (n > 0 || !facts_get(ctx->now, "ruby.path") || config_is_torn(ctx))
		return OP_END;
	if (is_due(ctx) && new_bytes(ctx, &text)) {
		if (ctx->host->os == OS_WINDOWS)
			syntax_of_file_op(ctx, op);
		else
			syntax_op(op, buf_str(&text), text.len);
		request = OP_DO;
	}
	buf_release_secret(&text);
	return request;
}

enum step_request config_syntax_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct fact *bytes = facts_get(ctx->now, "config.bytes");

	item[0] = '\0';
	if (n > 0 || !facts_get(ctx->now, "ruby.path") || !bytes)
		return OP_END;
	if (ctx->host->os == OS_WINDOWS)
		syntax_of_file_op(ctx, op);
	else
		syntax_op(op, bytes->value, bytes->len);
	return OP_DO;
}

static struct verdict bad_syntax(const struct agent_ctx *ctx, const char *line, size_t len)
{
	return verdict_drift(
		"%s is no valid Ruby for the Ruby of this host (line %.*s), with the new name as with the old: "
		"repair it, or look whether the client has a Ruby of its own",
		path_of(ctx), (int)len, line);
}

static struct verdict syntax_of_file_seen(const struct agent_ctx *ctx, const struct op_result *result)
{
	if (result->failure.code)
		return verdict_fail(result->failure.code, "ruby-syntax.cmd: %s", result->failure.text);
	if (result->exit_code == 0)
		return verdict_ok();
	if (result->exit_code == 1)
		return bad_syntax(ctx, "?", 1);
	return verdict_unchanged("the syntax could not be checked: Ruby ended with code %ld", (long)result->exit_code);
}

struct verdict config_syntax_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict;
	struct frame syntax, line;
	const char *text = buf_str(&result->out);

	(void)n;
	if (ctx->host->os == OS_WINDOWS)
		return syntax_of_file_seen(ctx, result);
	if (!script_answered(result, "ruby-syntax.sh", &verdict))
		return verdict;
	if (!frames_find(text, result->out.len, "syntax", &syntax))
		return verdict_retry(E_PROTOCOL, "ruby-syntax.sh gave no answer");
	if (syntax.len == 2)
		return verdict_ok();
	if (syntax.len == 4)
		return verdict_unchanged("there is no Ruby to check the syntax with");
	if (!frames_find(text, result->out.len, "line", &line))
		line.len = 0;
	return bad_syntax(ctx, line.len ? line.value : "?", line.len ? line.len : 1);
}

/* ---- verify ----------------------------------------------------------------------------------------------------- */

enum step_request config_read_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n > 0)
		return OP_END;
	get_op(ctx, op);
	return OP_DO;
}

/* A fact of the file that must be as it was before us, or else as it was seen first. */
static bool kept(const struct agent_ctx *ctx, const struct facts *seen, const char *key)
{
	const struct facts *then = facts_get(ctx->before, key) ? ctx->before : ctx->now;

	return strcmp(facts_text(then, key, ""), facts_text(seen, key, "")) == 0;
}

static struct verdict compare(const struct agent_ctx *ctx, const struct facts *seen)
{
	static const char *const keys[] = { "config.mode", "config.owner", "config.group", "config.links" };
	const char *path = path_of(ctx), *state = facts_text(seen, "config.state", "");
	char *was;

	if (strcmp(state, "new") != 0)
		return verdict_fail(E_CHANGED,
				    "%s does not name %s in " CONSTANT " (it is: %s): somebody has changed it since",
				    path, ctx->tenant->new_web_service, facts_text(seen, "config.url", state));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (kept(ctx, seen, keys[i]))
			continue;
		was = str_dup(facts_text(facts_get(ctx->before, keys[i]) ? ctx->before : ctx->now, keys[i], ""));
		struct verdict verdict = verdict_fail(E_CHANGED, "%s has another %s than before: %s, was %s", path,
						      keys[i] + 7, facts_text(seen, keys[i], ""), was);
		free(was);
		return verdict;
	}
	if (strcmp(facts_text(ctx->now, "config.sha256", ""), facts_text(seen, "config.sha256", "")) != 0)
		return verdict_unchanged("%s names %s; somebody has edited something else in it meanwhile", path,
					 ctx->tenant->new_web_service);
	return verdict_ok();
}

struct verdict config_was_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct facts seen = { 0 };
	struct verdict verdict;

	(void)n;
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
static bool old_bytes(const struct agent_ctx *ctx, struct buf *out)
{
	const struct fact *bytes = config_base(ctx);
	const struct fact *host = facts_get(ctx->before, "config.host");
	struct ruby_constant found;
	char sha[SHA256_HEX_MAX];

	if (!bytes || !host)
		return false;
	if (config_is_torn(ctx))
		return buf_add(out, bytes->value, bytes->len);
	ruby_constant_find(bytes->value, bytes->len, CONSTANT, &found);
	if (found.state != RUBY_FOUND)
		return false;
	buf_add(out, bytes->value, found.host_offset);
	buf_add(out, host->value, host->len);
	buf_add(out, bytes->value + found.host_offset + found.host_len,
		bytes->len - found.host_offset - found.host_len);
	return facts_is(ctx->before, "config.sha256", sha256_hex(buf_str(out), out->len, sha));
}

enum step_request config_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf text = BUF_INIT;

	if (n > 0 || !ctx->before->n)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", CONFIG_ITEM);
	if (!facts_is(ctx->before, "config.state", "old") || facts_is(ctx->now, "config.state", "old"))
		return OP_SKIP;
	if (old_bytes(ctx, &text))
		replace_op(ctx, op, &text, NULL);
	else
		get_op(ctx, op);
	buf_release_secret(&text);
	return OP_DO;
}

struct verdict config_old_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf text = BUF_INIT;
	bool meant = old_bytes(ctx, &text);

	(void)n;
	if (meant && !result->failure.code)
		set_bytes(ctx, ctx->now, buf_str(&text), text.len);
	buf_release_secret(&text);
	if (!meant)
		return verdict_drift(
			"%s was edited since we changed it: put %s back by hand; the old file is %s beside it",
			path_of(ctx), facts_text(ctx->before, "config.host", "the old name"), CONFIG_BACKUP);
	return result->failure.code ? write_failed(ctx, result) : verdict_ok();
}
