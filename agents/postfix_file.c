#include "agents/postfix_file.h"
#include "agents/script.h"

#include "base/alloc.h"

static const char *file(const struct facts *f, int k, const char *name)
{
	return fact_at(f, "file", k, name);
}

static void set_file(struct facts *f, int k, const char *name, const char *value)
{
	char key[FACT_KEY_MAX];

	facts_set_text(f, fact_key(key, "file", k, name), value);
}

static const struct fact *bytes_of(const struct facts *f, int k)
{
	char key[FACT_KEY_MAX];

	return facts_get(f, fact_key(key, "file", k, "bytes"));
}

static bool is_state(const struct facts *f, int k, const char *state)
{
	return strcmp(file(f, k, "state"), state) == 0;
}

int postfix_find(const struct facts *f, const char *prefix, const char *path)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.n", prefix);
	for (int i = 0; i < fact_number(f, key); i++) {
		if (strcmp(fact_at(f, prefix, i, "path"), path) == 0)
			return i;
	}
	return -1;
}

/* Its number among the facts of before, or -1. */
static int before_of(const struct agent_ctx *ctx, int k)
{
	return postfix_find(ctx->before, "file", file(ctx->now, k, "path"));
}

bool postfix_file_was_old(const struct agent_ctx *ctx, int k)
{
	int before = before_of(ctx, k);

	return before >= 0 && is_state(ctx->before, before, "old");
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

struct postfix_wanted postfix_names_wanted(const struct agent_ctx *ctx)
{
	const struct strings *old = &ctx->inventory->profile->old_relay;

	return (struct postfix_wanted){
		.old = (const char *const *)old->at,
		.old_n = old->n,
		.new_name = ctx->tenant->new_relay,
	};
}

static enum postfix_file kind_of(const char *kind)
{
	if (strcmp(kind, "main") == 0)
		return POSTFIX_MAIN;
	if (strcmp(kind, "master") == 0)
		return POSTFIX_MASTER;
	return strcmp(kind, "patterns") == 0 ? POSTFIX_PATTERNS : POSTFIX_TABLE;
}

/* master.cf of the same instance: what it refers to in main.cf is a relay, too. */
static const struct fact *also_of(const struct facts *f, int k)
{
	for (int i = 0; i < fact_number(f, "file.n"); i++) {
		if (strcmp(file(f, i, "kind"), "master") == 0 && strcmp(file(f, i, "pf"), file(f, k, "pf")) == 0)
			return bytes_of(f, i);
	}
	return NULL;
}

/* The names in a file's bytes; the caller releases. */
static void find_names(const struct agent_ctx *ctx, const struct facts *f, int k, const char *bytes, size_t len, struct postfix_names *out)
{
	struct postfix_wanted wanted = postfix_names_wanted(ctx);
	const struct fact *also = strcmp(file(f, k, "kind"), "main") == 0 ? also_of(f, k) : NULL;

	wanted.also = also ? also->value : NULL;
	wanted.also_len = also ? also->len : 0;
	postfix_names_find(kind_of(file(f, k, "kind")), bytes, len, &wanted, out);
}

/* The places of the old names that are replaced; the caller frees. */
static struct change_spot *spots_of(const struct postfix_names *names, size_t *n)
{
	struct change_spot *spots = NULL;

	*n = 0;
	for (size_t i = 0; i < names->n; i++) {
		if (names->at[i].is_new || !names->at[i].is_relay)
			continue;
		GROW_FOR_ONE(spots, *n);
		spots[(*n)++] = (struct change_spot){ names->at[i].offset, names->at[i].len };
	}
	return spots;
}

/* ---- read ------------------------------------------------------------------------------------------------------- */

static void get_op(struct op *op, const char *path)
{
	op->kind = OP_GET;
	op->elevated = true;
	op->max_out_bytes = POSTFIX_FILE_MAX_BYTES;
	op->path = str_dup(path);
}

enum step_request postfix_file_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n >= fact_number(ctx->now, "file.n"))
		return OP_END;
	get_op(op, file(ctx->now, n, "path"));
	return OP_DO;
}

static void set_names(const struct agent_ctx *ctx, struct facts *f, int k, const char *bytes, size_t len)
{
	struct postfix_names names;
	const char *state = "none", *where = "";
	char key[FACT_KEY_MAX], stray[POSTFIX_WHERE_MAX + 40] = "";
	long line = 0;

	find_names(ctx, f, k, bytes, len, &names);
	for (size_t i = 0; i < names.n; i++) {
		const struct postfix_name *name = &names.at[i];

		if (!name->is_relay && !name->is_new && !stray[0])
			snprintf(stray, sizeof(stray), "line %ld%s%s%s", name->line, name->where[0] ? " (" : "", name->where,
				 name->where[0] ? ")" : "");
		if (!name->is_relay || (name->is_new && strcmp(state, "none") != 0) || strcmp(state, "old") == 0)
			continue;
		state = name->is_new ? "new" : "old";
		line = name->line;
		where = name->where;
	}
	set_file(f, k, "where", where);
	postfix_names_release(&names);
	set_file(f, k, "state", state);
	set_file(f, k, "stray", stray);
	facts_setf(f, fact_key(key, "file", k, "line"), "%ld", line);
}

/* Bytes that nothing is made of are not kept: what else is in a customer's file is nobody's business. */
static void set_bytes(const struct agent_ctx *ctx, struct facts *f, int k, const char *bytes, size_t len)
{
	char key[FACT_KEY_MAX], sha[SHA256_HEX_MAX];

	set_file(f, k, "sha256", sha256_hex(bytes, len, sha));
	set_names(ctx, f, k, bytes, len);
	fact_key(key, "file", k, "bytes");
	if (is_state(f, k, "old") || strcmp(file(f, k, "kind"), "master") == 0)
		facts_set(f, key, bytes, len);
	else
		facts_unset(f, key);
}

static void set_result(const struct agent_ctx *ctx, struct facts *f, int k, const struct op_result *result)
{
	char key[FACT_KEY_MAX];

	if (result->failure.code) {
		set_file(f, k, "state", result->failure.code == E_NOTFOUND ? "missing" : "unreadable");
		set_file(f, k, "why", result->failure.text);
		return;
	}
	facts_setf(f, fact_key(key, "file", k, "mode"), "%04o", result->file.mode);
	set_file(f, k, "owner", result->file.owner ? result->file.owner : "");
	set_file(f, k, "group", result->file.group ? result->file.group : "");
	facts_setf(f, fact_key(key, "file", k, "links"), "%lu", result->file.links);
	set_bytes(ctx, f, k, buf_str(&result->out), result->out.len);
}

struct verdict postfix_file_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	if (result->failure.code == E_BUSY)
		return verdict_retry(E_BUSY, "%s is held by another process", file(ctx->now, n, "path"));
	set_result(ctx, ctx->now, n, result);
	return verdict_ok();
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

static bool readable(const struct agent_ctx *ctx, int k, struct assessment *out)
{
	const char *path = file(ctx->now, k, "path"), *asked = file(ctx->now, k, "asked");

	if (is_state(ctx->now, k, "missing") && strcmp(file(ctx->now, k, "kind"), "master") != 0)
		assessment_set(out, *asked ? ASSESS_PERSON : ASSESS_DRIFT, "%s is not there%s%s%s", path, *asked ? ", but " : "", asked,
			       *asked ? " asks it: mend that, then run cutover again" : "");
	else if (is_state(ctx->now, k, "unreadable"))
		assessment_set(out, ASSESS_PERSON, "%s cannot be read (%s): change %s to %s in it by hand where it stands, then confirm the step",
			       path, file(ctx->now, k, "why"), ctx->inventory->profile->old_relay.at[0], ctx->tenant->new_relay);
	else
		return true;
	return false;
}

bool postfix_file_assess(const struct agent_ctx *ctx, int k, struct assessment *out)
{
	const char *path = file(ctx->now, k, "path"), *stray = file(ctx->now, k, "stray");

	if (!readable(ctx, k, out))
		return false;
	if (*stray)
		assessment_set(out, ASSESS_PERSON,
			       "%s %s names the old relay in a way that is not changed from here: put %s there by hand, or take it out, then "
			       "run cutover again", path, stray, ctx->tenant->new_relay);
	else if (is_state(ctx->now, k, "old") && strcmp(file(ctx->now, k, "links"), "1") != 0)
		assessment_set(out, ASSESS_PERSON,
			       "%s is one of %s names (hard links) of the same file: replacing it would part them; make it a file of its own, "
			       "or change it by hand", path, file(ctx->now, k, "links"));
	else if (is_state(ctx->now, k, "old") && strlen(path) >= ITEM_MAX)
		assessment_set(out, ASSESS_PERSON, "the path %s is longer than %d letters: change it by hand", path, ITEM_MAX - 1);
	else
		return true;
	return false;
}

void postfix_file_add_change(const struct agent_ctx *ctx, int k, struct assessment *out)
{
	const struct fact *bytes = bytes_of(ctx->now, k);
	const char *path = file(ctx->now, k, "path"), *name = ctx->tenant->new_relay;
	struct postfix_names names;
	struct change_spot *spots;
	size_t n;

	if (!bytes || !is_state(ctx->now, k, "old"))
		return;
	find_names(ctx, ctx->now, k, bytes->value, bytes->len, &names);
	spots = spots_of(&names, &n);
	if (n)
		assessment_change_spots(out, path, path, bytes->value, bytes->len, spots, n, name, strlen(name));
	free(spots);
	postfix_names_release(&names);
}

/* ---- write ------------------------------------------------------------------------------------------------------ */

/* The file after the change that was assessed; false when it is not what that was made for. */
static bool new_bytes(const struct agent_ctx *ctx, int k, struct buf *out)
{
	const struct fact *bytes = bytes_of(ctx->now, k);
	const char *path = file(ctx->now, k, "path");

	for (size_t i = 0; bytes && ctx->assessment && i < ctx->assessment->changes_n; i++) {
		const struct change *change = &ctx->assessment->changes[i];

		if (strcmp(change->item, path) == 0)
			return change_apply(change, bytes->value, bytes->len, out, NULL) == 0;
	}
	return false;
}

static void replace_op(const struct agent_ctx *ctx, int k, struct op *op, const char *to, size_t len, bool keep)
{
	const char *path = file(ctx->now, k, "path"), *slash = strrchr(path, '/');

	op->kind = OP_REPLACE;
	op->elevated = true;
	op->path = str_dup(path);
	op->backup = keep ? str_fmt("%s" POSTFIX_BACKUP_END, slash ? slash + 1 : path) : NULL;
	snprintf(op->expect_sha256, sizeof(op->expect_sha256), "%s", file(ctx->now, k, "sha256"));
	buf_add(&op->input, to, len);
}

static enum step_request write_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf text = BUF_INIT;

	snprintf(item, ITEM_MAX, "%s", file(ctx->now, n, "path"));
	if (!is_state(ctx->now, n, "old"))
		return OP_SKIP;
	/* When it is not the file that was assessed, it is only looked at; postfix_written then says so. */
	if (new_bytes(ctx, n, &text))
		replace_op(ctx, n, op, buf_str(&text), text.len, true);
	else
		get_op(op, file(ctx->now, n, "path"));
	buf_release_secret(&text);
	return OP_DO;
}

static enum step_request write_kind(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX], const char *kind,
				    const char *other)
{
	item[0] = '\0';
	if (n >= fact_number(ctx->now, "file.n"))
		return OP_END;
	if (strcmp(file(ctx->now, n, "kind"), kind) != 0 && strcmp(file(ctx->now, n, "kind"), other) != 0)
		return OP_SKIP;
	return write_request(ctx, n, op, item);
}

enum step_request postfix_write_tables(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return write_kind(ctx, n, op, item, "table", "patterns");
}

enum step_request postfix_write_master(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return write_kind(ctx, n, op, item, "master", "");
}

enum step_request postfix_write_main(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return write_kind(ctx, n, op, item, "main", "");
}

static struct verdict write_failed(const struct agent_ctx *ctx, int k, const struct op_result *result)
{
	const char *path = file(ctx->now, k, "path");

	if (result->failure.code == E_CHANGED)
		return verdict_reread("%s was edited meanwhile", path);
	return verdict_fail(result->failure.code, "%s: %s", path, result->failure.text);
}

struct verdict postfix_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf text = BUF_INIT;
	bool meant = new_bytes(ctx, n, &text);

	if (meant && !result->failure.code) {
		set_bytes(ctx, ctx->now, n, buf_str(&text), text.len);
		set_file(ctx->now, n, "written", "yes");
	}
	buf_release_secret(&text);
	if (!meant)
		return verdict_reread("%s is not what the change was made for", file(ctx->now, n, "path"));
	return result->failure.code ? write_failed(ctx, n, result) : verdict_ok();
}

/* ---- verify ----------------------------------------------------------------------------------------------------- */

enum step_request postfix_file_read_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n >= fact_number(ctx->now, "file.n"))
		return OP_END;
	if (is_state(ctx->now, n, "missing"))
		return OP_SKIP;
	get_op(op, file(ctx->now, n, "path"));
	return OP_DO;
}

/* Mode, owner and links must be as they were before us, or else as they were seen first. */
static struct verdict compare_kept(const struct agent_ctx *ctx, int k, const struct facts *seen)
{
	static const char *const names[] = { "mode", "owner", "group", "links" };
	int before = before_of(ctx, k);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *was = before >= 0 ? file(ctx->before, before, names[i]) : file(ctx->now, k, names[i]);
		const char *is = file(seen, k, names[i]);

		if (strcmp(was, is) != 0)
			return verdict_fail(E_CHANGED, "%s has another %s than before: %s, was %s", file(ctx->now, k, "path"), names[i], is, was);
	}
	return verdict_ok();
}

struct verdict postfix_file_was_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct facts seen = { 0 };
	struct verdict verdict = verdict_ok();
	const char *path = file(ctx->now, n, "path");

	facts_copy(&seen, ctx->now);
	set_result(ctx, &seen, n, result);
	if (is_state(&seen, n, "old") || *file(&seen, n, "stray"))
		verdict = verdict_fail(E_CHANGED, "%s names the old relay again: somebody has changed it since", path);
	else if (postfix_file_was_old(ctx, n) && !is_state(&seen, n, "new"))
		verdict = verdict_fail(E_CHANGED, "%s does not name %s any more: somebody has changed it since", path, ctx->tenant->new_relay);
	else
		verdict = compare_kept(ctx, n, &seen);
	facts_release(&seen);
	return verdict;
}

/* ---- revert ----------------------------------------------------------------------------------------------------- */

/* Is it what our change made of the bytes of before? */
static bool is_ours(const struct agent_ctx *ctx, int k, int before)
{
	const struct fact *bytes = bytes_of(ctx->before, before);
	const char *name = ctx->tenant->new_relay;
	struct assessment a = { 0 };
	struct postfix_names names;
	struct change_spot *spots;
	size_t n;
	bool ours;

	if (!bytes)
		return false;
	find_names(ctx, ctx->before, before, bytes->value, bytes->len, &names);
	spots = spots_of(&names, &n);
	assessment_change_spots(&a, "", "", bytes->value, bytes->len, spots, n, name, strlen(name));
	ours = strcmp(a.changes[0].after_sha256, file(ctx->now, k, "sha256")) == 0;
	assessment_release(&a);
	free(spots);
	postfix_names_release(&names);
	return ours;
}

/* Was it changed by us, and is not as it was before? */
static bool is_to_revert(const struct agent_ctx *ctx, int k)
{
	return postfix_file_was_old(ctx, k) &&
	       strcmp(file(ctx->now, k, "sha256"), file(ctx->before, before_of(ctx, k), "sha256")) != 0;
}

static struct verdict edited_since(const struct agent_ctx *ctx, int k)
{
	const char *path = file(ctx->now, k, "path"), *slash = strrchr(path, '/');

	return verdict_drift("%s was edited since we changed it: put the old relay back by hand; the old file is %s" POSTFIX_BACKUP_END
			     " beside it", path, slash ? slash + 1 : path);
}

enum step_request postfix_check_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n >= fact_number(ctx->now, "file.n") || !ctx->before->n)
		return OP_END;
	if (!is_to_revert(ctx, n))
		return OP_SKIP;
	get_op(op, file(ctx->now, n, "path"));
	return OP_DO;
}

struct verdict postfix_old_checked(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	char sha[SHA256_HEX_MAX];

	if (result->failure.code)
		return write_failed(ctx, n, result);
	if (strcmp(sha256_hex(buf_str(&result->out), result->out.len, sha), file(ctx->now, n, "sha256")) != 0)
		return verdict_reread("%s was edited meanwhile", file(ctx->now, n, "path"));
	return is_ours(ctx, n, before_of(ctx, n)) ? verdict_ok() : edited_since(ctx, n);
}

enum step_request postfix_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct fact *bytes;

	item[0] = '\0';
	if (n >= fact_number(ctx->now, "file.n") || !ctx->before->n)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", file(ctx->now, n, "path"));
	if (!is_to_revert(ctx, n))
		return OP_SKIP;
	bytes = bytes_of(ctx->before, before_of(ctx, n));
	if (is_ours(ctx, n, before_of(ctx, n)))
		replace_op(ctx, n, op, bytes->value, bytes->len, false);
	else
		get_op(op, file(ctx->now, n, "path"));
	return OP_DO;
}

struct verdict postfix_old_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	int before = before_of(ctx, n);

	if (!is_ours(ctx, n, before))
		return edited_since(ctx, n);
	if (result->failure.code)
		return write_failed(ctx, n, result);
	set_bytes(ctx, ctx->now, n, bytes_of(ctx->before, before)->value, bytes_of(ctx->before, before)->len);
	set_file(ctx->now, n, "written", "yes");
	return verdict_ok();
}
