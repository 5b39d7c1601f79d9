/*
 * postfix-relay: the relay host of Postfix: the vendor's step 3.
 *
 *     In main.cf put the new relay's name where the old one stands, and in all other places that say where mail goes; have
 *     Postfix read it; look what it says then.
 *
 * The inventory's entry:
 *   config_dir   the configuration folder of the instance that is meant. Absent: all instances of the host (postmulti -l)
 *
 * Where a relay may stand (precedence of the next hop in postconf(5)): relayhost, default_transport, relay_transport,
 * smtp_fallback_relay and the like in main.cf, what these refer to by $name, -o of a service in master.cf; transport_maps,
 * sender_dependent_relayhost_maps, sender_dependent_default_transport_maps; and as a key in smtp_sasl_password_maps and
 * smtp_tls_policy_maps, which are asked for the next hop as it is written. Only a name that is exactly an old relay of the
 * profile is replaced; brackets, port and transport stay. What names it elsewhere in these files is a person's before anything is
 * changed; tables that cannot be looked into (mysql:, ldap:, …) are a person's afterwards.
 *
 * Neither old nor new anywhere is drift. A Postfix that does not run is changed and left stopped, and the step is a person's
 * then. The order keeps mail going at every moment: new keys beside the old ones, tables, master.cf, main.cf, reload, old keys
 * away. A file that is changed owes its activation (postfix_daemon.h).
 *
 * Facts: postfix_read.h (pf.…, unread.…), postfix_file.h (file.…), postfix_keys.h (key.…); again.… is what verify saw.
 */
#include "agents/agents.h"
#include "agents/postfix_daemon.h"
#include "agents/postfix_file.h"
#include "agents/postfix_keys.h"
#include "agents/postfix_read.h"
#include "agents/script.h"

#include "base/alloc.h"

#include <string.h>

static int files_n(const struct facts *f)
{
	return fact_number(f, "file.n");
}

static bool file_is(const struct facts *f, int k, const char *state)
{
	return strcmp(fact_at(f, "file", k, "state"), state) == 0;
}

static bool key_is(const struct facts *f, int k, const char *state)
{
	return strcmp(fact_at(f, "key", k, "state"), state) == 0;
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

static bool names_new(const struct agent_ctx *ctx, const char *value)
{
	struct postfix_wanted wanted = { .old = (const char *const *)&ctx->tenant->new_relay, .old_n = 1 };

	return postfix_mentions(value, strlen(value), &wanted);
}

static bool names_old(const struct agent_ctx *ctx, const char *value)
{
	struct postfix_wanted wanted = postfix_names_wanted(ctx);

	return postfix_mentions(value, strlen(value), &wanted);
}

static bool assess_found(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *dir = agent_param(ctx, "config_dir");

	if (facts_is(ctx->now, "pf.none", "yes"))
		assessment_set(out, ASSESS_DRIFT,
			       "there is no Postfix on this host (no postconf): take postfix-relay off it in the inventory, or name what sends "
			       "its mail");
	else if (facts_is(ctx->now, "pf.n", "0"))
		assessment_set(out, ASSESS_DRIFT, "Postfix does not say which instances it has (postmulti -l): name the folder (`config_dir`)");
	else if (facts_is(ctx->now, "pf.more", "yes"))
		assessment_set(out, ASSESS_PERSON,
			       "Postfix has more instances or tables than are looked into from here%s%s: name the folder of each instance that is "
			       "meant (`config_dir`), or change them by hand and confirm the step", dir ? " in " : "", dir ? dir : "");
	else
		return true;
	return false;
}

/* Every file and table is understood, as far as it names the old relay. */
static bool assess_parts(const struct agent_ctx *ctx, struct assessment *out)
{
	for (int k = 0; k < files_n(ctx->now); k++) {
		if (!postfix_file_assess(ctx, k, out))
			return false;
	}
	for (int k = 0; k < fact_number(ctx->now, "key.n"); k++) {
		if (!postfix_key_assess(ctx, k, out))
			return false;
	}
	return true;
}

/* The instance's main.cf, or -1. */
static int main_of(const struct facts *f, int i)
{
	char *path = str_fmt("%s/main.cf", postfix_instance(f, i, "dir"));
	int k = postfix_find(f, "file", path);

	free(path);
	return k;
}

/* What Postfix reads agrees with what we found in the file: a later line may overrule one, a name may be put together. */
static bool assess_effective(const struct agent_ctx *ctx, int i, struct assessment *out)
{
	const char *value = postfix_instance(ctx->now, i, "relayhost"), *dir = postfix_instance(ctx->now, i, "dir");
	int k = main_of(ctx->now, i);

	if (k < 0 || !*value || names_new(ctx, value))
		return true;
	if (names_old(ctx, value) && !file_is(ctx->now, k, "old"))
		assessment_set(out, ASSESS_PERSON,
			       "Postfix reads relayhost of %s as %s, and %s/main.cf has that name in no place that is changed from here: change it by "
			       "hand, then run cutover again", dir, value, dir);
	else if (!names_old(ctx, value) && !strchr(value, '$') && strcmp(fact_at(ctx->now, "file", k, "where"), "relayhost") == 0)
		assessment_set(out, ASSESS_DRIFT,
			       "%s/main.cf line %s names a relay, but Postfix reads relayhost as %s, which is neither the vendor's old relay nor the "
			       "new one (%s): decide what it should be", dir, fact_at(ctx->now, "file", k, "line"), value, ctx->tenant->new_relay);
	else
		return true;
	return false;
}

/* How many places are in that state: files, and keys. */
static int count(const struct facts *f, const char *state)
{
	int n = 0;

	for (int k = 0; k < files_n(f); k++)
		n += file_is(f, k, state);
	for (int k = 0; k < fact_number(f, "key.n"); k++)
		n += key_is(f, k, state);
	return n;
}

/* How many of those that were old before us are not now. */
static int count_changed(const struct agent_ctx *ctx)
{
	int n = 0;

	for (int k = 0; k < files_n(ctx->now); k++)
		n += postfix_file_was_old(ctx, k) && !file_is(ctx->now, k, "old");
	for (int k = 0; k < fact_number(ctx->now, "key.n"); k++)
		n += postfix_key_was_old(ctx, k) && !postfix_key_is_back(ctx, k);
	return n;
}

static void note_instance(const struct agent_ctx *ctx, int i, struct assessment *out)
{
	const char *value = postfix_instance(ctx->now, i, "relayhost"), *dir = postfix_instance(ctx->now, i, "dir");
	const char *running = postfix_instance(ctx->now, i, "running");

	if (*value && !names_old(ctx, value) && !names_new(ctx, value))
		assessment_note(out, "relayhost of %s is %s and is left so", dir, value);
	if (strchr(value, '#'))
		assessment_note(out, "relayhost of %s has a # in it, which Postfix takes for a part of the value: %s", dir, value);
	if (strcmp(running, "no") == 0)
		assessment_note(out, "Postfix (%s) does not run and is not started", dir);
	assessment_note(out, "mail waiting in %s: %s; what is deferred is tried again at once after the change", dir,
			postfix_instance(ctx->now, i, "queue"));
}

static void add_notes(const struct agent_ctx *ctx, struct assessment *out)
{
	for (int i = 0; i < fact_number(ctx->now, "pf.n"); i++)
		note_instance(ctx, i, out);
	for (int i = 0; i < fact_number(ctx->now, "unread.n"); i++)
		assessment_note(out, "%s, which cannot be looked into from here: a person has to, afterwards",
				fact_at(ctx->now, "unread", i, "text"));
}

static bool is_main(const struct facts *f, int k)
{
	return strcmp(fact_at(f, "file", k, "kind"), "main") == 0;
}

/* The file to name first: a main.cf in that state, else another; or -1. */
static int first_file(const struct facts *f, const char *state)
{
	int other = -1;

	for (int k = files_n(f) - 1; k >= 0; k--) {
		if (file_is(f, k, state) && (is_main(f, k) || other < 0 || !is_main(f, other)))
			other = k;
	}
	return other;
}

/* The first place in that state, for people. */
static void say_first(const struct agent_ctx *ctx, const char *state, char *text, size_t size)
{
	int first = first_file(ctx->now, state);

	if (first >= 0) {
		snprintf(text, size, "%s line %s", fact_at(ctx->now, "file", first, "path"), fact_at(ctx->now, "file", first, "line"));
		return;
	}
	for (int k = 0; k < fact_number(ctx->now, "key.n"); k++) {
		if (key_is(ctx->now, k, state)) {
			snprintf(text, size, "a key in %s", fact_at(ctx->now, "key", k, "path"));
			return;
		}
	}
	text[0] = '\0';
}

static void assess_old(const struct agent_ctx *ctx, struct assessment *out)
{
	char first[512];
	int n = count(ctx->now, "old");

	for (int pass = 0; pass < 2; pass++) {
		for (int k = 0; k < files_n(ctx->now); k++) {
			if (is_main(ctx->now, k) == (pass == 0))
				postfix_file_add_change(ctx, k, out);
		}
	}
	for (int k = 0; k < fact_number(ctx->now, "key.n"); k++)
		postfix_key_add_change(ctx, k, out);
	add_notes(ctx, out);
	say_first(ctx, "old", first, sizeof(first));
	if (ctx->before->n && count_changed(ctx))
		assessment_set(out, ASSESS_PARTIAL, "%s names the old relay still, other places name %s by us", first, ctx->tenant->new_relay);
	else if (n > 1)
		assessment_set(out, ASSESS_OLD, "%s names the old relay, and so do %d more files", first, n - 1);
	else
		assessment_set(out, ASSESS_OLD, "%s names the old relay", first);
}

static void assess_neither(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *value = postfix_instance(ctx->now, 0, "relayhost");

	assessment_set(out, ASSESS_DRIFT,
		       "Postfix names neither the vendor's old relay nor the new one (%s) anywhere; relayhost of %s is %s%s: decide what it should be",
		       ctx->tenant->new_relay, postfix_instance(ctx->now, 0, "dir"), *value ? value : "empty",
		       *value ? "" : ", which means that it delivers by itself");
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	char first[512];

	(void)err;
	if (!assess_found(ctx, out) || !assess_parts(ctx, out))
		return 0;
	for (int i = 0; i < fact_number(ctx->now, "pf.n"); i++) {
		if (!assess_effective(ctx, i, out))
			return 0;
	}
	say_first(ctx, "new", first, sizeof(first));
	if (count(ctx->now, "old"))
		assess_old(ctx, out);
	else if (*first)
		assessment_set(out, ASSESS_NEW, "%s names %s", first, ctx->tenant->new_relay);
	else
		assess_neither(ctx, out);
	return 0;
}

/* ---- verify ----------------------------------------------------------------------------------------------------- */

/* What Postfix says now: the relay as it reads it, and whether it runs as it did. */
static struct verdict compare_instance(const struct agent_ctx *ctx, const struct facts *again, int i)
{
	const char *dir = postfix_instance(again, i, "dir"), *value = postfix_instance(again, i, "relayhost");
	const char *was = postfix_instance(ctx->now, i, "running");

	if (names_old(ctx, value))
		return verdict_fail(E_CHANGED, "Postfix reads relayhost of %s as %s still: see what sets it", dir, value);
	if (strcmp(postfix_instance(again, i, "running"), "no") != 0)
		return verdict_ok();
	if (strcmp(was, "yes") == 0)
		return verdict_person("the files of %s name %s, but Postfix, which ran before, does not run: see why, and start it", dir,
				      ctx->tenant->new_relay);
	return verdict_person("the files of %s name %s; Postfix does not run there, did not before and was not started: start it if it should "
			      "run, then run cutover again, or confirm the step", dir, ctx->tenant->new_relay);
}

static void keep_again(const struct agent_ctx *ctx, const struct facts *again, int i)
{
	char key[FACT_KEY_MAX];

	facts_set_text(ctx->now, fact_key(key, "again", i, "relayhost"), postfix_instance(again, i, "relayhost"));
	facts_set_text(ctx->now, fact_key(key, "again", i, "queue"), postfix_instance(again, i, "queue"));
	facts_set_text(ctx->now, fact_key(key, "again", i, "pid"), postfix_instance(again, i, "pid"));
}

static struct verdict look_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct facts again = { 0 };
	struct verdict verdict;

	(void)n;
	if (!script_answered(result, "postfix-read.sh", &verdict))
		return verdict;
	postfix_parse(&again, buf_str(&result->out), result->out.len);
	verdict = facts_is(&again, "pf.n", facts_text(ctx->now, "pf.n", "")) ? verdict_ok() :
									      verdict_reread("Postfix has other instances than before");
	for (int i = 0; verdict.kind == VERDICT_OK && i < fact_number(&again, "pf.n"); i++) {
		keep_again(ctx, &again, i);
		verdict = compare_instance(ctx, &again, i);
	}
	facts_release(&again);
	if (verdict.kind == VERDICT_OK && fact_number(ctx->now, "unread.n"))
		return verdict_person("the files name %s, but %s, which cannot be looked into from here: see whether it names %s, change that, then "
				      "confirm the step", ctx->tenant->new_relay, fact_at(ctx->now, "unread", 0, "text"),
				      ctx->inventory->profile->old_relay.at[0]);
	return verdict;
}

/* ---- the vendor's procedure ------------------------------------------------------------------------------------- */

#define CHANGES (STEP_MUTATES | STEP_IDEMPOTENT)
#define ACTIVATE_MS 120000

static const struct step observe[] = {
	{ .name = "read", .request = postfix_read, .judge = postfix_was_read, .deadline_ms = 60000 },
	{ .name = "read-files", .request = postfix_file_read, .judge = postfix_file_was_read },
	{ .name = "look-keys", .request = postfix_keys_look, .judge = postfix_keys_seen, .deadline_ms = 60000 },
	{ .name = "preview-keys", .request = postfix_keys_preview, .judge = postfix_keys_previewed, .deadline_ms = 60000 },
	{ 0 },
};

static const struct step apply[] = {
	{ .name = "add-keys", .request = postfix_keys_add, .judge = postfix_keys_written, .flags = CHANGES, .owes = "activate" },
	{ .name = "write-tables", .request = postfix_write_tables, .judge = postfix_written, .flags = CHANGES, .owes = "activate" },
	{ .name = "index", .request = postfix_index, .judge = postfix_indexed, .flags = CHANGES, .deadline_ms = ACTIVATE_MS },
	{ .name = "write-master", .request = postfix_write_master, .judge = postfix_written, .flags = CHANGES, .owes = "activate" },
	{ .name = "write-main", .request = postfix_write_main, .judge = postfix_written, .flags = CHANGES, .owes = "activate" },
	{ .name = "reload", .request = postfix_reload, .judge = postfix_reloaded, .flags = CHANGES, .deadline_ms = ACTIVATE_MS },
	{ .name = "drop-keys", .request = postfix_keys_drop, .judge = postfix_keys_written, .flags = CHANGES, .owes = "activate" },
	{ 0 },
};

static const struct step restore[] = {
	{ .name = "activate", .request = postfix_activate, .judge = postfix_activated, .flags = CHANGES, .deadline_ms = ACTIVATE_MS },
	{ 0 },
};

static const struct step verify[] = {
	{ .name = "read-files-again", .request = postfix_file_read_again, .judge = postfix_file_was_read_again },
	{ .name = "look-keys-again", .request = postfix_keys_look_again, .judge = postfix_keys_seen_again, .deadline_ms = 60000 },
	{ .name = "look-again", .request = postfix_read, .judge = look_judge, .deadline_ms = 60000 },
	{ 0 },
};

static const struct step revert[] = {
	{ .name = "revert-check", .request = postfix_check_old, .judge = postfix_old_checked },
	{ .name = "revert-add-keys", .request = postfix_keys_add_old, .judge = postfix_keys_reverted, .flags = CHANGES, .owes = "activate" },
	{ .name = "revert-index-keys", .request = postfix_index, .judge = postfix_indexed, .flags = CHANGES, .deadline_ms = ACTIVATE_MS },
	{ .name = "revert-files", .request = postfix_write_old, .judge = postfix_old_written, .flags = CHANGES, .owes = "activate" },
	{ .name = "revert-index", .request = postfix_index, .judge = postfix_indexed, .flags = CHANGES, .deadline_ms = ACTIVATE_MS },
	{ .name = "revert-reload", .request = postfix_reload, .judge = postfix_reloaded, .flags = CHANGES, .deadline_ms = ACTIVATE_MS },
	{ .name = "revert-drop-keys", .request = postfix_keys_drop_new, .judge = postfix_keys_reverted, .flags = CHANGES, .owes = "activate" },
	{ 0 },
};

static const char *const params[] = { "config_dir", NULL };

const struct agent agent_postfix_relay = {
	.name = "postfix-relay",
	.summary = "the relay host of Postfix, with all that is keyed by its name",
	.scope = SCOPE_HOST,
	.os = 1u << OS_LINUX,
	.params = params,
	.observe = observe,
	.assess = assess,
	.apply = apply,
	.restore = restore,
	.verify = verify,
	.revert = revert,
};
