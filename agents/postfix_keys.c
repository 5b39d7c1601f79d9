#include "agents/postfix_keys.h"
#include "agents/frames.h"
#include "agents/postfix_file.h"
#include "agents/script.h"

#include "base/alloc.h"

#include <strings.h>

#define KEYS "postfix-keys.sh"
#define ENTRIES_MAX 500 /* the script's own limit; a host that says more is not believed */
#define SHOWN "(what is behind the key is not shown)"

static const char *fact(const struct facts *f, int k, const char *name)
{
	return fact_at(f, "key", k, name);
}

static void set(struct facts *f, int k, const char *name, const char *value)
{
	char key[FACT_KEY_MAX];

	facts_set_text(f, fact_key(key, "key", k, name), value);
}

static bool is_state(const struct facts *f, int k, const char *state)
{
	return strcmp(fact(f, k, "state"), state) == 0;
}

static int before_of(const struct agent_ctx *ctx, int k)
{
	return postfix_find(ctx->before, "key", fact(ctx->now, k, "path"));
}

bool postfix_key_was_old(const struct agent_ctx *ctx, int k)
{
	int before = before_of(ctx, k);

	return before >= 0 && is_state(ctx->before, before, "old");
}

bool postfix_key_is_back(const struct agent_ctx *ctx, int k)
{
	return strcmp(fact(ctx->now, k, "sha256"), fact(ctx->before, before_of(ctx, k), "sha256")) == 0;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* Is it HOST, [HOST], HOST:PORT, [HOST]:PORT with that host? */
static bool is_key_of(const char *key, const char *host)
{
	size_t len = strlen(host);
	bool brackets = key[0] == '[';

	if (strncasecmp(key + brackets, host, len) != 0)
		return false;
	key += brackets + len;
	if (brackets && *key++ != ']')
		return false;
	return !*key || (*key == ':' && key[1] && strspn(key + 1, "0123456789abcdefghijklmnopqrstuvwxyz-") == strlen(key + 1));
}

/* The key with the new host instead of the old one, or NULL: it is no key of an old relay. The caller frees. */
static char *new_key(const struct agent_ctx *ctx, const char *key)
{
	const struct strings *old = &ctx->inventory->profile->old_relay;

	for (size_t i = 0; i < old->n; i++) {
		if (is_key_of(key, old->at[i]))
			return str_fmt("%s%s%s", key[0] == '[' ? "[" : "", ctx->tenant->new_relay,
				       key + (key[0] == '[') + strlen(old->at[i]));
	}
	return NULL;
}

/* Without case: postmap folds the keys of a hash, and keeps the first of two that are then the same. */
static bool has_line(const char *lines, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = lines; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		if (strcspn(at, "\n") == len && strncasecmp(at, line, len) == 0)
			return true;
	}
	return false;
}

/* One `entry`: LINE OFFSET KEY. */
struct entry {
	long line;
	size_t offset;
	char *key; /* owned */
};

static bool entry_parse(const struct frame *frame, struct entry *out)
{
	char *text = frame_text(frame), *end;
	bool good;

	out->line = strtol(text, &end, 10);
	good = *end == ' ';
	out->offset = strtoull(end, &end, 10);
	good = good && *end == ' ' && end[1];
	out->key = good ? str_dup(end + 1) : NULL;
	free(text);
	return good;
}

/* What the keys found make of the table; entries in the order of the file. */
static void judge_entry(const struct agent_ctx *ctx, struct facts *f, int k, const struct entry *entry, struct buf *pairs,
			struct buf *places)
{
	struct postfix_wanted wanted = postfix_names_wanted(ctx);
	char *to = new_key(ctx, entry->key), *why;

	if (to && !has_line(fact(f, k, "keys"), to)) {
		buf_addf(pairs, "%s%s\n%s", pairs->len ? "\n" : "", entry->key, to);
		buf_addf(places, "%s%ld %zu", places->len ? "\n" : "", entry->line, entry->offset);
	} else if (is_key_of(entry->key, ctx->tenant->new_relay) && is_state(f, k, "none")) {
		set(f, k, "state", "new");
	} else if (!to && postfix_mentions(entry->key, strlen(entry->key), &wanted)) {
		why = str_fmt("line %ld has the old relay in a key that is more than a name", entry->line);
		set(f, k, "state", "odd");
		set(f, k, "why", why);
		free(why);
	}
	free(to);
}

/* All keys first: whether a new one is there decides what its old one needs. */
static void set_keys(struct facts *f, int k, const char *text, size_t len)
{
	struct buf keys = BUF_INIT;
	struct frame frame;
	struct entry entry;
	size_t at = 0;
	int n = 0;

	while (n < ENTRIES_MAX && frames_next(text, len, &at, &frame)) {
		if (!frame_is(&frame, "entry") || !entry_parse(&frame, &entry))
			continue;
		n++;
		buf_addf(&keys, "%s%s", keys.len ? "\n" : "", entry.key);
		free(entry.key);
	}
	set(f, k, "keys", buf_str(&keys));
	buf_release(&keys);
}

static void set_entries(const struct agent_ctx *ctx, struct facts *f, int k, const char *text, size_t len)
{
	struct buf pairs = BUF_INIT, places = BUF_INIT;
	struct frame frame;
	struct entry entry;
	size_t at = 0;
	int n = 0;

	set_keys(f, k, text, len);
	while (n < ENTRIES_MAX && frames_next(text, len, &at, &frame)) {
		if (!frame_is(&frame, "entry") || !entry_parse(&frame, &entry))
			continue;
		n++;
		judge_entry(ctx, f, k, &entry, &pairs, &places);
		free(entry.key);
	}
	if (n == ENTRIES_MAX) {
		set(f, k, "state", "odd");
		set(f, k, "why", "it has more keys with the relays' names than are looked at");
	}
	if (pairs.len && !is_state(f, k, "odd"))
		set(f, k, "state", "old");
	set(f, k, "pairs", buf_str(&pairs));
	set(f, k, "places", buf_str(&places));
	buf_release(&pairs);
	buf_release(&places);
}

/* ---- look ------------------------------------------------------------------------------------------------------- */

static void keys_op(struct op *op, const char *mode, const char *path, const char *expect, const char *final, const char *pairs)
{
	script_op(op, KEYS);
	op->timeout_ms = 60000;
	op_arg(op, mode);
	op_arg(op, path);
	op_arg(op, expect);
	op_arg(op, final);
	op_arg(op, pairs);
}

static void look_op(const struct agent_ctx *ctx, int n, struct op *op)
{
	const struct strings *old = &ctx->inventory->profile->old_relay;
	struct buf names = BUF_INIT;

	for (size_t i = 0; i < old->n; i++)
		buf_addf(&names, "%s\n", old->at[i]);
	buf_adds(&names, ctx->tenant->new_relay);
	keys_op(op, "look", fact(ctx->now, n, "path"), "", "", buf_str(&names));
	buf_release(&names);
}

enum step_request postfix_keys_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n >= fact_number(ctx->now, "key.n"))
		return OP_END;
	look_op(ctx, n, op);
	return OP_DO;
}

static void set_seen(const struct agent_ctx *ctx, struct facts *f, int k, const char *text, size_t len)
{
	static const struct {
		const char *frame, *fact;
	} names[] = { { "sum", "sha256" }, { "mode", "mode" }, { "owner", "owner" }, { "group", "group" }, { "links", "links" } };
	struct frame frame;
	char *value;

	set(f, k, "state", "none");
	set(f, k, "after", "");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!frames_find(text, len, names[i].frame, &frame))
			continue;
		value = frame_text(&frame);
		set(f, k, names[i].fact, value);
		free(value);
	}
	set_entries(ctx, f, k, text, len);
	if (frames_find(text, len, "odd", &frame) && (is_state(f, k, "old"))) {
		value = frame_text(&frame);
		set(f, k, "state", "odd");
		set(f, k, "why", value);
		free(value);
	}
}

static struct verdict seen(const struct agent_ctx *ctx, struct facts *f, int k, const struct op_result *result)
{
	struct verdict verdict;
	char *words;

	if (!result->failure.code && (result->exit_code == SCRIPT_MISSING || result->exit_code == SCRIPT_FAILED)) {
		words = script_words(result);
		set(f, k, "state", result->exit_code == SCRIPT_MISSING ? "missing" : "unreadable");
		set(f, k, "why", words);
		free(words);
		return verdict_ok();
	}
	if (!script_answered(result, KEYS, &verdict))
		return verdict;
	set_seen(ctx, f, k, buf_str(&result->out), result->out.len);
	return verdict_ok();
}

struct verdict postfix_keys_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	return seen(ctx, ctx->now, n, result);
}

enum step_request postfix_keys_preview(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n >= fact_number(ctx->now, "key.n"))
		return OP_END;
	if (!is_state(ctx->now, n, "old"))
		return OP_SKIP;
	keys_op(op, "preview", fact(ctx->now, n, "path"), "", "", fact(ctx->now, n, "pairs"));
	return OP_DO;
}

struct verdict postfix_keys_previewed(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict;
	struct frame frame;
	char *sha, *words;

	if (!result->failure.code && result->exit_code == SCRIPT_FAILED) {
		words = script_words(result);
		set(ctx->now, n, "state", "odd");
		set(ctx->now, n, "why", words);
		free(words);
		return verdict_ok();
	}
	if (!script_answered(result, KEYS, &verdict))
		return verdict;
	if (!frames_find(buf_str(&result->out), result->out.len, "sum", &frame))
		return verdict_retry(E_PROTOCOL, KEYS " gave no answer");
	sha = frame_text(&frame);
	set(ctx->now, n, "after", sha);
	free(sha);
	return verdict_ok();
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

bool postfix_key_assess(const struct agent_ctx *ctx, int k, struct assessment *out)
{
	const char *path = fact(ctx->now, k, "path"), *asked = fact(ctx->now, k, "asked"), *why = fact(ctx->now, k, "why");

	if (is_state(ctx->now, k, "missing"))
		assessment_set(out, ASSESS_PERSON, "%s is not there, but %s asks it: mend that, then run cutover again", path, asked);
	else if (is_state(ctx->now, k, "unreadable"))
		assessment_set(out, ASSESS_PERSON, "%s cannot be looked into (%s): see that %s finds an entry for %s, then confirm the step", path,
			       why, asked, ctx->tenant->new_relay);
	else if (is_state(ctx->now, k, "odd"))
		assessment_set(out, ASSESS_PERSON,
			       "%s is not changed from here: %s; give %s an entry of its own there and take the old relay's out, run postmap, "
			       "then run cutover again", path, why, ctx->tenant->new_relay);
	else if (is_state(ctx->now, k, "old") && strcmp(fact(ctx->now, k, "links"), "1") != 0)
		assessment_set(out, ASSESS_PERSON, "%s is one of several names (hard links) of the same file: make it a file of its own, then run "
						   "cutover again", path);
	else if (is_state(ctx->now, k, "old") && strlen(path) >= ITEM_MAX)
		assessment_set(out, ASSESS_PERSON, "the path %s is longer than %d letters: change it by hand", path, ITEM_MAX - 1);
	else
		return true;
	return false;
}

/* The change as people see it: the keys, with their real places. */
void postfix_key_add_change(const struct agent_ctx *ctx, int k, struct assessment *out)
{
	const char *path = fact(ctx->now, k, "path");
	char *pairs = str_dup(fact(ctx->now, k, "pairs")), *places = str_dup(fact(ctx->now, k, "places"));
	char *from, *to, *rest = pairs, *spots = places, *place, *end;
	struct change *change;

	while (is_state(ctx->now, k, "old") && (from = strsep(&rest, "\n")) && (to = strsep(&rest, "\n")) && (place = strsep(&spots, "\n"))) {
		change = assessment_change(out, path, path, from, strlen(from), 0, strlen(from), to, strlen(to));
		change->line = strtol(place, &end, 10);
		change->edits[0].offset = strtoull(end, NULL, 10);
		free(change->old_line);
		free(change->new_line);
		change->old_line = str_fmt("%s " SHOWN, from);
		change->new_line = str_fmt("%s " SHOWN, to);
		snprintf(change->before_sha256, sizeof(change->before_sha256), "%s", fact(ctx->now, k, "sha256"));
		snprintf(change->after_sha256, sizeof(change->after_sha256), "%s", fact(ctx->now, k, "after"));
	}
	free(pairs);
	free(places);
}

/* ---- write ------------------------------------------------------------------------------------------------------ */

/* The pairs of before, or the same turned round; the caller frees. */
static char *pairs_of(const struct agent_ctx *ctx, int k, bool turned)
{
	int before = before_of(ctx, k);
	char *pairs = str_dup(fact(before >= 0 ? ctx->before : ctx->now, before >= 0 ? before : k, "pairs")), *rest = pairs, *from, *to;
	struct buf out = BUF_INIT;

	while ((from = strsep(&rest, "\n")) && (to = strsep(&rest, "\n")))
		buf_addf(&out, "%s%s\n%s", out.len ? "\n" : "", turned ? to : from, turned ? from : to);
	free(pairs);
	return buf_detach(&out);
}

/* Does the table have the first (or the second) key of each pair? */
static bool has_keys(const struct agent_ctx *ctx, int k, const char *pairs, bool second)
{
	char *copy = str_dup(pairs), *rest = copy, *from, *to;
	bool all = *pairs;

	while ((from = strsep(&rest, "\n")) && (to = strsep(&rest, "\n")))
		all &= has_line(fact(ctx->now, k, "keys"), second ? to : from);
	free(copy);
	return all;
}

static enum step_request write_keys(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX], const char *mode, bool turned)
{
	int before;
	char *pairs;
	const char *final;
	bool due;

	item[0] = '\0';
	if (n >= fact_number(ctx->now, "key.n"))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", fact(ctx->now, n, "path"));
	before = before_of(ctx, n);
	if (!(postfix_key_was_old(ctx, n) || (before < 0 && !turned && is_state(ctx->now, n, "old"))))
		return OP_SKIP;
	pairs = pairs_of(ctx, n, turned);
	final = turned ? fact(ctx->before, before, "sha256") : fact(before >= 0 ? ctx->before : ctx->now, before >= 0 ? before : n, "after");
	due = has_keys(ctx, n, pairs, false) && has_keys(ctx, n, pairs, true) == (strcmp(mode, "drop") == 0);
	if (due)
		keys_op(op, mode, fact(ctx->now, n, "path"), fact(ctx->now, n, "sha256"), final, pairs);
	free(pairs);
	return due ? OP_DO : OP_SKIP;
}

enum step_request postfix_keys_add(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return write_keys(ctx, n, op, item, "add", false);
}

enum step_request postfix_keys_drop(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return write_keys(ctx, n, op, item, "drop", false);
}

/* After add both keys are there, after drop the second one. */
static void set_written(const struct agent_ctx *ctx, int k, const struct op_result *result, bool turned)
{
	char *pairs = pairs_of(ctx, k, turned), *rest = pairs, *from, *to, *sha;
	bool both = has_keys(ctx, k, pairs, false) && !has_keys(ctx, k, pairs, true);
	struct buf keys = BUF_INIT;
	struct frame frame;

	while ((from = strsep(&rest, "\n")) && (to = strsep(&rest, "\n")))
		buf_addf(&keys, "%s%s%s%s", keys.len ? "\n" : "", both ? from : "", both ? "\n" : "", to);
	set(ctx->now, k, "keys", buf_str(&keys));
	set(ctx->now, k, "state", turned && !both ? "old" : "new");
	set(ctx->now, k, "written", "yes");
	if (frames_find(buf_str(&result->out), result->out.len, "sum", &frame)) {
		sha = frame_text(&frame);
		set(ctx->now, k, "sha256", sha);
		free(sha);
	}
	buf_release(&keys);
	free(pairs);
}

static struct verdict written(const struct agent_ctx *ctx, int k, const struct op_result *result, bool turned)
{
	const char *path = fact(ctx->now, k, "path");
	struct verdict verdict;
	char *words;

	if (!result->failure.code && result->exit_code == SCRIPT_CHANGED && turned)
		return verdict_drift("%s was edited since we changed it: put the old relay's keys back by hand, and run postmap", path);
	if (!result->failure.code && result->exit_code == SCRIPT_CHANGED)
		return verdict_reread("%s was edited meanwhile", path);
	if (!result->failure.code && result->exit_code == SCRIPT_FAILED) {
		words = script_words(result);
		verdict = verdict_fail(E_IO, "%s", words);
		free(words);
		return verdict;
	}
	if (!script_answered(result, KEYS, &verdict))
		return verdict;
	set_written(ctx, k, result, turned);
	return verdict_ok();
}

struct verdict postfix_keys_written(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	return written(ctx, n, result, false);
}

/* ---- verify ----------------------------------------------------------------------------------------------------- */

enum step_request postfix_keys_look_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return postfix_keys_look(ctx, n, op, item);
}

struct verdict postfix_keys_seen_again(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	static const char *const names[] = { "mode", "owner", "group", "links" };
	const char *path = fact(ctx->now, n, "path");
	struct facts again = { 0 };
	struct verdict verdict;
	int before = before_of(ctx, n);

	facts_copy(&again, ctx->now);
	verdict = seen(ctx, &again, n, result);
	if (verdict.kind == VERDICT_OK && (is_state(&again, n, "old") || is_state(&again, n, "odd")))
		verdict = verdict_fail(E_CHANGED, "%s has the old relay's key and not the new one's: somebody has changed it since", path);
	for (size_t i = 0; verdict.kind == VERDICT_OK && i < ARRAY_LEN(names); i++) {
		const char *was = before >= 0 ? fact(ctx->before, before, names[i]) : fact(ctx->now, n, names[i]);

		if (strcmp(fact(&again, n, names[i]), was) != 0)
			verdict = verdict_fail(E_CHANGED, "%s has another %s than before: %s, was %s", path, names[i], fact(&again, n, names[i]), was);
	}
	facts_release(&again);
	return verdict;
}

/* ---- revert ----------------------------------------------------------------------------------------------------- */

enum step_request postfix_keys_add_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	if (!ctx->before->n)
		return OP_END;
	return write_keys(ctx, n, op, item, "add", true);
}

enum step_request postfix_keys_drop_new(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	if (!ctx->before->n)
		return OP_END;
	return write_keys(ctx, n, op, item, "drop", true);
}

struct verdict postfix_keys_reverted(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	return written(ctx, n, result, true);
}
