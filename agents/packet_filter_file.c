#include "agents/firewall/gap.h"
#include "agents/frames.h"
#include "agents/packet_filter.h"
#include "agents/script.h"

#include "base/alloc.h"

#define TRY "firewall-try.sh"
#define TRY_MAX_BYTES ((size_t)16 << 20)
#define FILE_MAX_BYTES ((size_t)4 << 20)
#define BACKUP_SUFFIX ".before-cutover"

const char *const filter_files[FILTER_FILES] = { "nft", "iptables" };

/* ---- facts ---------------------------------------------------------------------------------------------------------- */

static const char *key_of(char key[FACT_KEY_MAX], int n, const char *name)
{
	snprintf(key, FACT_KEY_MAX, "%s.%s", filter_files[n], name);
	return key;
}

const struct fact *files_fact(const struct facts *facts, int n, const char *name)
{
	char key[FACT_KEY_MAX];

	return facts_get(facts, key_of(key, n, name));
}

static const char *text_of(const struct facts *facts, int n, const char *name)
{
	char key[FACT_KEY_MAX];

	return facts_text(facts, key_of(key, n, name), "");
}

static const char *path_of(const struct agent_ctx *ctx, int n)
{
	return text_of(ctx->now, n, "path");
}

static void set(const struct agent_ctx *ctx, int n, const char *name, const void *value, size_t len)
{
	char key[FACT_KEY_MAX];

	facts_set(ctx->now, key_of(key, n, name), value, len);
}

static void set_bytes(const struct agent_ctx *ctx, int n, const struct buf *bytes)
{
	char sha[SHA256_HEX_MAX];

	set(ctx, n, "bytes", buf_str(bytes), bytes->len);
	sha256_hex(buf_str(bytes), bytes->len, sha);
	set(ctx, n, "sha256", sha, strlen(sha));
}

/* The file without what we put into it. */
static bool without_ours(int n, const char *bytes, size_t len, struct buf *out)
{
	return n == 0 ? gaps_from_nft_file(bytes, len, out) : gaps_from_rules_file(bytes, len, out);
}

static bool has_ours(const struct agent_ctx *ctx, int n)
{
	const struct fact *bytes = files_fact(ctx->now, n, "bytes");
	struct buf rest = BUF_INIT;
	bool ours = bytes && without_ours(n, bytes->value, bytes->len, &rest);

	buf_release(&rest);
	return ours;
}

/* Another one with nothing of ours in it is somebody else's edit. */
static bool differs(const struct agent_ctx *ctx, int n)
{
	return files_fact(ctx->before, n, "sha256") &&
	       strcmp(text_of(ctx->before, n, "sha256"), text_of(ctx->now, n, "sha256")) != 0 && has_ours(ctx, n);
}

bool files_differ(const struct agent_ctx *ctx)
{
	for (int n = 0; n < FILTER_FILES; n++)
		if (differs(ctx, n))
			return true;
	return false;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static enum step_request get_op(const struct agent_ctx *ctx, int n, struct op *op)
{
	op->kind = OP_GET;
	op->elevated = true;
	op->max_out_bytes = FILE_MAX_BYTES;
	op->path = str_dup(path_of(ctx, n));
	return OP_DO;
}

enum step_request files_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	if (n >= FILTER_FILES)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", filter_files[n]);
	return *path_of(ctx, n) ? get_op(ctx, n, op) : OP_SKIP;
}

struct verdict files_were_read(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	char key[FACT_KEY_MAX];

	facts_unset(ctx->now, key_of(key, n, "bytes"));
	facts_unset(ctx->now, key_of(key, n, "sha256"));
	facts_unset(ctx->now, key_of(key, n, "why"));
	facts_unset(ctx->now, key_of(key, n, "links"));
	if (result->failure.code == E_NOTFOUND)
		set(ctx, n, "links", "0", 1);
	if (result->failure.code) {
		set(ctx, n, "why", result->failure.text, strlen(result->failure.text));
		return verdict_ok();
	}
	set_bytes(ctx, n, &result->out);
	facts_setf(ctx->now, key_of(key, n, "links"), "%lu", result->file.links);
	return verdict_ok();
}

/* ---- what it would be ----------------------------------------------------------------------------------------------- */

static bool has_gap(const char *lines, int n)
{
	struct gap g;

	for (const char *at = lines; gap_next(&at, &g);)
		if (gap_is_nft(&g) == (n == 0))
			return true;
	return false;
}

static int is_ready(const struct agent_ctx *ctx, int n, struct err *err)
{
	const struct fact *bytes = files_fact(ctx->now, n, "bytes");

	if (!*path_of(ctx, n))
		return err_set(err, E_INVAL, "the file that is loaded at a boot is not known");
	if (!bytes)
		return err_set(err, E_INVAL, "%s cannot be read: %s", path_of(ctx, n), text_of(ctx->now, n, "why"));
	if (strcmp(text_of(ctx->now, n, "links"), "1") != 0)
		return err_set(err, E_INVAL, "%s is one of %s names (hard links) of the same file, and replacing it would part them",
			       path_of(ctx, n), text_of(ctx->now, n, "links"));
	if (has_ours(ctx, n))
		return err_set(err, E_INVAL, "%s has a rule of ours already", path_of(ctx, n));
	return 0;
}

int files_new_bytes(const struct agent_ctx *ctx, int n, struct buf *out, struct err *err)
{
	const char *gaps = facts_text(ctx->now, "boot.gaps", "");
	const struct fact *bytes = files_fact(ctx->now, n, "bytes");
	int rc;

	if (!has_gap(gaps, n))
		return 1;
	rc = is_ready(ctx, n, err);
	if (rc == 0 && n == 0)
		rc = gaps_to_nft_file(gaps, bytes->value, bytes->len, out, err);
	else if (rc == 0)
		rc = gaps_to_rules_file(gaps, bytes->value, bytes->len, out, err);
	if (rc == 0 && out->truncated)
		rc = err_set(err, E_LIMIT, "%s would be larger than is allowed", path_of(ctx, n));
	return rc;
}

/* ---- trying --------------------------------------------------------------------------------------------------------- */

enum step_request files_try(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf bytes = { .max = FILE_MAX_BYTES + 4096 };
	enum step_request request = OP_SKIP;

	if (n >= FILTER_FILES)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", filter_files[n]);
	if (files_new_bytes(ctx, n, &bytes, NULL) == 0) {
		script_op(op, TRY);
		op->max_out_bytes = TRY_MAX_BYTES;
		op_arg(op, filter_files[n]);
		op_arg(op, path_of(ctx, n));
		buf_add(&op->input, buf_str(&bytes), bytes.len);
		request = OP_DO;
	}
	buf_release(&bytes);
	return request;
}

struct verdict files_were_tried(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict = verdict_ok();
	struct frame frame;
	struct err why = { 0 };
	char *words;

	if (!script_answered(result, TRY, &verdict))
		return verdict;
	if (frames_find(buf_str(&result->out), result->out.len, "tried", &frame)) {
		if (n > 0 || filters_tried(ctx, frame.value, frame.len, &why))
			return verdict_ok();
		return verdict_person("nothing was changed: %s with our rule at its end was tried, and %s; put into it by hand what lets it "
				      "pass, then run again", path_of(ctx, n), why.text);
	}
	if (!frames_find(buf_str(&result->out), result->out.len, "failed", &frame))
		return verdict_retry(E_PROTOCOL, TRY " gave no answer");
	words = frame_text(&frame);
	verdict = verdict_person("nothing was changed: %s with our rule in it cannot be loaded: %.500s; put into it by hand what lets it "
				 "pass, then run again", path_of(ctx, n), words);
	free(words);
	return verdict;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static enum step_request replace_op(const struct agent_ctx *ctx, int n, struct op *op, const struct buf *to, bool backup)
{
	const char *path = path_of(ctx, n), *slash = strrchr(path, '/');

	op->kind = OP_REPLACE;
	op->elevated = true;
	op->path = str_dup(path);
	op->backup = backup ? str_fmt("%s" BACKUP_SUFFIX, slash ? slash + 1 : path) : NULL;
	snprintf(op->expect_sha256, sizeof(op->expect_sha256), "%s", text_of(ctx->now, n, "sha256"));
	buf_add(&op->input, buf_str(to), to->len);
	return OP_DO;
}

static struct verdict write_failed(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	if (result->failure.code == E_CHANGED)
		return verdict_reread("%s was edited meanwhile", path_of(ctx, n));
	return verdict_fail(result->failure.code, "%s: %s", path_of(ctx, n), result->failure.text);
}

enum step_request files_write(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf bytes = { .max = FILE_MAX_BYTES + 4096 };
	enum step_request request = OP_SKIP;

	if (n >= FILTER_FILES)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", filter_files[n]);
	if (files_new_bytes(ctx, n, &bytes, NULL) == 0)
		request = replace_op(ctx, n, op, &bytes, true);
	buf_release(&bytes);
	return request;
}

struct verdict files_were_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf bytes = { .max = FILE_MAX_BYTES + 4096 };
	bool meant = files_new_bytes(ctx, n, &bytes, NULL) == 0;

	if (meant && !result->failure.code)
		set_bytes(ctx, n, &bytes);
	buf_release(&bytes);
	return result->failure.code ? write_failed(ctx, n, result) : verdict_ok();
}

/* ---- putting back --------------------------------------------------------------------------------------------------- */

static bool is_as_before(const struct agent_ctx *ctx, int n, const struct buf *bytes)
{
	char sha[SHA256_HEX_MAX];

	return strcmp(text_of(ctx->before, n, "sha256"), sha256_hex(buf_str(bytes), bytes->len, sha)) == 0;
}

/* The bytes of before, worked out of those of now: without what is ours they have to give the old hash. A last line that had no
   newline got one. */
static bool old_bytes(const struct agent_ctx *ctx, int n, struct buf *out)
{
	const struct fact *bytes = files_fact(ctx->now, n, "bytes");

	if (!bytes || !without_ours(n, bytes->value, bytes->len, out))
		return false;
	if (is_as_before(ctx, n, out))
		return true;
	if (!out->len || out->data[out->len - 1] != '\n')
		return false;
	out->data[--out->len] = 0;
	return is_as_before(ctx, n, out);
}

/* It is there, but what is in it is not known. */
static bool is_unread(const struct agent_ctx *ctx, int n)
{
	return *path_of(ctx, n) && !files_fact(ctx->now, n, "bytes") && strcmp(text_of(ctx->now, n, "links"), "0") != 0;
}

/* Was it to be changed at all, and is what we put into it there still, or may it be? */
static bool is_changed(const struct agent_ctx *ctx, int n)
{
	return has_gap(facts_text(ctx->before, "boot.gaps", ""), n) && files_fact(ctx->before, n, "sha256") &&
	       (is_unread(ctx, n) || differs(ctx, n));
}

enum step_request files_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct buf bytes = { .max = FILE_MAX_BYTES + 4096 };
	enum step_request request = OP_SKIP;

	if (n >= FILTER_FILES || !ctx->before->n)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", filter_files[n]);
	/* Where that does not give the old file it is only looked at; old_files_were_written then says so. */
	if (is_changed(ctx, n))
		request = old_bytes(ctx, n, &bytes) ? replace_op(ctx, n, op, &bytes, false) : get_op(ctx, n, op);
	buf_release(&bytes);
	return request;
}

static struct verdict is_not_put_back(const struct agent_ctx *ctx, int n)
{
	const char *then = rules_are_ours(ctx) ? ", then roll back again: our rules in the running filter are still there, and are taken out "
						 "after it"
					       : ", then roll back again";

	if (is_unread(ctx, n))
		return verdict_drift("%s cannot be read (%s), so whether our rules are in it is not known: see to it%s", path_of(ctx, n),
				     text_of(ctx->now, n, "why"), then);
	return verdict_drift("%s was edited since we changed it: take the lines that bear the mark " GAP_MARK " out of it by hand%s; as it "
			     "was before it is kept beside it, with the ending " BACKUP_SUFFIX, path_of(ctx, n), then);
}

struct verdict old_files_were_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf bytes = { .max = FILE_MAX_BYTES + 4096 };
	bool meant = old_bytes(ctx, n, &bytes);

	if (meant && !result->failure.code)
		set_bytes(ctx, n, &bytes);
	buf_release(&bytes);
	if (!meant)
		return is_not_put_back(ctx, n);
	return result->failure.code ? write_failed(ctx, n, result) : verdict_ok();
}
