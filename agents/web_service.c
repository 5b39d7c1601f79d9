/*
 * web-service: asks the vendor's directory service, with the customer's account, which users it lists for a domain: the
 * proof of the vendor's step 4. It changes nothing anywhere.
 *
 *     GET https://HOST/imhs/v1.0/en/domains/DOMAIN/users, the account's name and the service authentication key by whatever
 *     HTTP authentication the service asks for; HOST is the profile's old name or the tenant's new one, the path is the
 *     profile's (`web_service_path`)
 *
 * Who asks: the controller, or, where the inventory's web_service says `via: host`, the tenant's sync hosts: their session
 * makes the connection (struct op.via), which shows that the new service can be reached from there, and gets to services that
 * only the customer's network lets through. TLS and the login are the controller's either way. The old service is asked
 * through the first host; the new one by mode reach through each, by mode synced through the first.
 *
 * What the procedure says (`with`):
 *   mode reach    before the change: the new service answers to the account. What both services list is kept for later:
 *                 from the first run after the migration date until a host of the step `before` was changed; then it stays
 *                 as it is. A refusal means that the web services are not enabled in the new console, or that the key is
 *                 another one: a person's task, with the step's instruction
 *   mode synced   after the hosts of its own step: the new service lists as many users as the old one did (`tolerance` of the
 *                 inventory's web_service, 0 if absent), and something shows that a sync ran with the new name. The old
 *                 number is what the step `baseline` kept; only where there is none is the old service asked now
 *   when          web_service: only for tenants that have that key (the engine's)
 *
 * That a sync ran is shown by one of two things, and by nothing else: on every host of the step the client was run by us to
 * a good end with the new name (struct agent.ran), or the new service's list is another one than before the change.
 * The right number alone shows nothing: the vendor copies the users on the migration date. A service that was started with
 * the new name alone shows nothing either: it may sync once a day.
 * While a client that ran a short time ago may still be taken in, the service is asked again for some minutes.
 *
 * Before the migration date (plan) only the old service is asked. A service that does not answer at all is the engine's to
 * retry, but for the old one, which may have been switched off: then it is said that nothing can be compared. What trying
 * again cannot change (the certificate, a host that forwards nothing) is a person's in mode synced: the change stays.
 *
 * Facts (of `now`), PLACE being old, new, or again (reach, once a host was changed: seen, not kept):
 *   PLACE.state   listed | none (no address in the answer) | page | refused (401, 403) | unknown (404) | redirect |
 *                 status (any other) | silent (the service failed)
 *   PLACE.count, PLACE.sha256   of listed: agents/user_list.h
 *   PLACE.at_ms   when
 *   PLACE.why     a sentence; "" for listed
 * Kept (exports): count, sha256 and at_ms of old and new.
 */
#include "agents/agents.h"
#include "agents/script.h"
#include "agents/user_list.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "inventory/instruction.h"

#define ANSWER_MAX_BYTES ((size_t)16 << 20)
#define ASK_MAX_MS 120000
#define TAKEN_IN_MS (15 * 60 * 1000) /* how long after its run a client's list may still be on its way */
#define TAKEN_IN_POLL_MS 15000

#define WHEN_TEXT_MAX TIME_TEXT_MAX

/* ---- what the procedure and the inventory say ------------------------------------------------------------------- */

static const char *with(const struct agent_ctx *ctx, const char *key)
{
	const char *text = json_string_value(json_object_get(ctx->with, key));

	return text ? text : "";
}

static bool is_reach(const struct agent_ctx *ctx)
{
	return strcmp(with(ctx, "mode"), "reach") == 0;
}

static const char *setting(const struct agent_ctx *ctx, const char *key)
{
	return json_string_value(json_object_get(ctx->tenant->web_service, key));
}

static long tolerance(const struct agent_ctx *ctx)
{
	return (long)json_integer_value(json_object_get(ctx->tenant->web_service, "tolerance"));
}

static const char *path(const struct agent_ctx *ctx)
{
	return json_string_value(json_object_get(ctx->inventory->profile->extra, "web_service_path"));
}

static const char *fact(const struct facts *facts, const char *place, const char *name)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.%s", place, name);
	return facts_text(facts, key, "");
}

static void set_fact(const struct agent_ctx *ctx, const char *place, const char *name, const char *text)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.%s", place, name);
	facts_set_text(ctx->now, key, text);
}

static bool is_listed(const struct facts *facts, const char *place)
{
	return strcmp(fact(facts, place, "state"), "listed") == 0;
}

/* ---- what other targets left ------------------------------------------------------------------------------------ */

struct around {
	const struct agent_ctx *ctx;
	struct facts kept; /* reach: our own of before; synced: the baseline's */
	size_t hosts;	   /* of the step that changes them */
	size_t machines;   /* of these, each once */
	size_t pick;	   /* which machine to give out … */
	const struct host *picked; /* … NULL: there is none */
	const struct host *last;
	size_t ran;	   /* of these, whose client ran with the new name */
	bool changed;	   /* one of them was begun to be changed */
	bool done;	   /* all of them are done */
	int64_t ran_ms;	   /* the latest */
	struct buf names;  /* of those that ran */
};

static void keep_own(const struct neighbour *n, void *arg)
{
	struct around *a = arg;

	if (strcmp(n->target, a->ctx->target) == 0)
		facts_copy(&a->kept, n->left);
}

static void look_at_host(const struct neighbour *n, void *arg)
{
	struct around *a = arg;

	if (!n->host || n->state == STEP_NOT_APPLICABLE || n->state == STEP_WITHDRAWN)
		return;
	a->hosts++;
	if (n->host != a->last && a->machines++ == a->pick)
		a->picked = n->host;
	a->last = n->host;
	a->changed = a->changed || n->changed;
	a->done = a->done && step_state_is_done(n->state);
	if (!n->ran_ms)
		return;
	buf_addf(&a->names, "%s%s", a->ran++ ? ", " : "", n->target);
	if (n->ran_ms > a->ran_ms)
		a->ran_ms = n->ran_ms;
}

/* pick: the machine that is to be given out, by its number. */
static struct around look_around_for(const struct agent_ctx *ctx, int pick)
{
	struct around a = { .ctx = ctx, .done = true, .pick = (size_t)pick, .names = { .max = 200 } };

	ctx->neighbours(ctx, is_reach(ctx) ? ctx->step->name : with(ctx, "baseline"), keep_own, &a);
	ctx->neighbours(ctx, is_reach(ctx) ? with(ctx, "before") : ctx->step->name, look_at_host, &a);
	return a;
}

static struct around look_around(const struct agent_ctx *ctx)
{
	return look_around_for(ctx, 0);
}

static void around_release(struct around *a)
{
	facts_release(&a->kept);
	buf_release(&a->names);
}

static bool has_baseline(const struct around *a)
{
	return facts_get(&a->kept, "old.count") != NULL;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

static bool is_via_host(const struct agent_ctx *ctx)
{
	const char *via = setting(ctx, "via");

	return via && strcmp(via, "host") == 0;
}

/* via: through whom; NULL: the controller itself. */
static enum step_request ask(const struct agent_ctx *ctx, const char *host, const struct host *via, struct op *op,
			     char item[ITEM_MAX])
{
	const char *ca_file = setting(ctx, "ca_file");

	if (is_via_host(ctx) && !via)
		return OP_END;
	if (is_via_host(ctx)) {
		snprintf(item, ITEM_MAX, "%s from %s", host, via->name);
		op->via = str_dup(via->name);
	} else {
		snprintf(item, ITEM_MAX, "%s", host);
	}
	op->kind = OP_HTTP;
	op->url = str_fmt("https://%s%sdomains/%s/users", host, path(ctx), ctx->domain->name);
	op->account = str_dup(setting(ctx, "account"));
	op->secret = str_dup(setting(ctx, "api_key"));
	op->trust_file = str_dup(ca_file);
	op->max_out_bytes = ANSWER_MAX_BYTES;
	return OP_DO;
}

/* The value of a header line of the answer, for people; "" when there is none. */
static void header(const struct op_result *result, const char *name, char *text, size_t size)
{
	const char *at = buf_str(&result->err);

	text[0] = '\0';
	for (; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		if (strncasecmp(at, name, strlen(name)) != 0)
			continue;
		at += strlen(name);
		at += strspn(at, " \t");
		snprintf(text, size, "%.*s", (int)strcspn(at, "\r\n"), at);
		return;
	}
}

static void note(const struct agent_ctx *ctx, const char *place, const char *state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void note(const struct agent_ctx *ctx, const char *place, const char *state, const char *fmt, ...)
{
	char why[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	set_fact(ctx, place, "state", state);
	set_fact(ctx, place, "why", why);
}

static void note_list(const struct agent_ctx *ctx, const char *place, const char *host, const struct op_result *result)
{
	struct user_list list;
	char number[32];

	user_list_read(buf_str(&result->out), result->out.len, ctx->domain->name, &list);
	if (list.kind == USER_LIST_PAGE) {
		note(ctx, place, "page", "%s answers with a web page and not with a list", host);
		return;
	}
	if (list.kind == USER_LIST_NONE) {
		note(ctx, place, "none", "the answer of %s (%zu bytes) holds no address of %s", host, result->out.len,
		     ctx->domain->name);
		return;
	}
	note(ctx, place, "listed", "%s", "");
	snprintf(number, sizeof(number), "%zu", list.n);
	set_fact(ctx, place, "count", number);
	set_fact(ctx, place, "sha256", list.sha256);
}

/* PLACE.… out of what came back. */
static void note_answer(const struct agent_ctx *ctx, const char *place, const char *host, const struct op_result *result)
{
	int status = (int)result->exit_code;
	char number[32], where[200];

	snprintf(number, sizeof(number), "%lld", (long long)ctx->wall_ms);
	set_fact(ctx, place, "at_ms", number);
	if (result->failure.code) {
		note(ctx, place, "silent", "%s", result->failure.text);
	} else if (status == 200 || status == 204) {
		note_list(ctx, place, host, result);
	} else if (status == 401 || status == 403) {
		note(ctx, place, "refused", "%s refuses the account %s (status %d)", host, setting(ctx, "account"), status);
	} else if (status == 404) {
		note(ctx, place, "unknown", "%s does not know the domain %s (status 404)", host, ctx->domain->name);
	} else if (status >= 300 && status < 400) {
		header(result, "Location:", where, sizeof(where));
		note(ctx, place, "redirect", "%s sends on to %s (status %d), which is not followed", host,
		     *where ? where : "nowhere", status);
	} else {
		note(ctx, place, "status", "%s answers with status %d", host, status);
	}
}

/* ---- the old service -------------------------------------------------------------------------------------------- */

/* In the order of the profile, until one lists something. */
static enum step_request old_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct strings *names = &ctx->inventory->profile->old_web_service;
	struct around a = look_around(ctx);
	bool keep = has_baseline(&a) && (a.changed || !is_reach(ctx));
	bool early = !is_reach(ctx) && !a.done; /* nothing to compare with yet */

	around_release(&a);
	if ((size_t)n >= names->n || keep || early || !path(ctx) || is_listed(ctx->now, "old"))
		return OP_END;
	return ask(ctx, names->at[n], a.picked, op, item);
}

static struct verdict old_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	note_answer(ctx, "old", ctx->inventory->profile->old_web_service.at[n], result);
	return verdict_ok();
}

/* ---- the new service -------------------------------------------------------------------------------------------- */

/* Once a host was changed, what is listed now must not take the place of what was listed before. */
static const char *new_place(const struct around *a)
{
	return is_reach(a->ctx) && a->changed ? "again" : "new";
}

static bool is_good(const char *state)
{
	return strcmp(state, "listed") == 0 || strcmp(state, "none") == 0;
}

static enum step_request new_request(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct around a = look_around_for(ctx, n);
	bool early = is_reach(ctx) ? ctx->wall_ms < ctx->tenant->migration_ms : !a.done;
	/* Through the next host, as long as there is nothing to tell of those before. */
	bool more = n == 0 || (is_reach(ctx) && is_via_host(ctx) && is_good(fact(ctx->now, new_place(&a), "state")));

	around_release(&a);
	if (!more || early || !path(ctx))
		return OP_END;
	return ask(ctx, ctx->tenant->new_web_service, a.picked, op, item);
}

/* What was seen of the old service now, or else was kept. */
static const struct facts *old_facts(const struct agent_ctx *ctx, const struct around *a)
{
	return is_listed(ctx->now, "old") ? ctx->now : &a->kept;
}

static bool is_within(const struct agent_ctx *ctx, const struct facts *old)
{
	long wanted = strtol(fact(old, "old", "count"), NULL, 10), seen = strtol(fact(ctx->now, "new", "count"), NULL, 10);

	return labs(wanted - seen) <= tolerance(ctx);
}

/* A client of ours ran a short time ago, and its list is not to be seen yet. */
static bool is_on_its_way(const struct agent_ctx *ctx, const struct around *a)
{
	const struct facts *old = old_facts(ctx, a);
	bool known = *fact(old, "old", "count") != '\0';
	bool fits = is_listed(ctx->now, "new") && known && is_within(ctx, old);

	return !is_reach(ctx) && a->ran_ms && ctx->wall_ms - a->ran_ms < TAKEN_IN_MS && known && !fits;
}

/* It was not asked, or its answer was none. */
static struct verdict not_answered(const struct agent_ctx *ctx, const struct err *why)
{
	if (why->code == E_LIMIT)
		return verdict_person("%s: users of that many are not counted; compare the number with the old service's "
				      "by hand, then confirm",
				      why->text);
	if (why->code == E_FORWARDING)
		return verdict_person("%s. Allow the login there to connect to %s port 443 (PermitOpen), or let the controller ask "
				      "(web_service, \"via\": \"controller\"); then run cutover again",
				      why->text, ctx->tenant->new_web_service);
	if (why->code == E_INVAL || is_reach(ctx))
		return verdict_fail(why->code, "%s", why->text);
	return verdict_person("%s. So the sync is not proved, and the change stays; when that is mended, run cutover again", why->text);
}

static struct verdict new_judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *host = ctx->tenant->new_web_service;
	int status = (int)result->exit_code;
	struct around a;
	struct verdict v = verdict_ok();

	(void)n;
	if (result->failure.code)
		return not_answered(ctx, &result->failure);
	if (status == 429 || status >= 500)
		return verdict_retry(E_IO, "%s answers with status %d", host, status);
	a = look_around(ctx);
	note_answer(ctx, new_place(&a), host, result);
	if (is_on_its_way(ctx, &a))
		v = verdict_again(TAKEN_IN_POLL_MS, "%s lists %s users of %s, the old service listed %s", host,
				  is_listed(ctx->now, "new") ? fact(ctx->now, "new", "count") : "no", ctx->domain->name,
				  fact(old_facts(ctx, &a), "old", "count"));
	around_release(&a);
	return v;
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

/* "the old service listed 214 (2026-12-01T23:05:11+09:00)", or why that is not known. */
static void say_old(const struct agent_ctx *ctx, const struct facts *old, char *text, size_t size)
{
	const char *count = fact(old, "old", "count"), *why = fact(ctx->now, "old", "why");
	char when[WHEN_TEXT_MAX];

	if (*count)
		snprintf(text, size, "the old service listed %s (%s)", count,
			 time_format(strtoll(fact(old, "old", "at_ms"), NULL, 10), ctx->tenant->offset_min, when));
	else
		snprintf(text, size, "what the old service listed is not known%s%s", *why ? ": " : "", why);
}

#define SERVICE_TEXT_MAX 320

/* The new service, and who asked it where that was not the controller. */
static const char *new_service(const struct agent_ctx *ctx, const struct around *a, char text[SERVICE_TEXT_MAX])
{
	const char *host = ctx->tenant->new_web_service;

	if (!is_via_host(ctx) || !a->picked)
		snprintf(text, SERVICE_TEXT_MAX, "%s", host);
	else if (is_reach(ctx) && a->machines > 1)
		snprintf(text, SERVICE_TEXT_MAX, "%s (asked from %zu hosts, host:%s first)", host, a->machines, a->picked->name);
	else
		snprintf(text, SERVICE_TEXT_MAX, "%s (asked from host:%s)", host, a->picked->name);
	return text;
}

/* The new service did not list: what is to be done. Mode reach gives the step's own instruction. */
static void assess_refused(const struct agent_ctx *ctx, const char *place, struct assessment *out)
{
	struct buf todo = { .max = 700 };

	if (is_reach(ctx))
		instruction_write(&todo, ctx->inventory, ctx->tenant, ctx->step, NULL, ctx->domain);
	else
		buf_adds(&todo, "nothing is proved; see the web services in the new console, then run cutover again");
	assessment_set(out, ASSESS_PERSON, "%.300s. %s", fact(ctx->now, place, "why"), buf_str(&todo));
	buf_release(&todo);
}

static void assess_reach(const struct agent_ctx *ctx, const struct around *a, struct assessment *out)
{
	char old[ERR_TEXT_MAX / 2], date[WHEN_TEXT_MAX], service[SERVICE_TEXT_MAX];
	const char *place = new_place(a), *host = new_service(ctx, a, service), *state = fact(ctx->now, place, "state");

	say_old(ctx, old_facts(ctx, a), old, sizeof(old));
	if (!*state)
		assessment_set(out, ASSESS_OLD, "%s is asked from the migration date on (%s); %s", host,
			       time_format(ctx->tenant->migration_ms, ctx->tenant->offset_min, date), old);
	else if (strcmp(state, "listed") == 0)
		assessment_set(out, ASSESS_NEW, "%s answers to %s and lists %s users of %s; %s", host, setting(ctx, "account"),
			       fact(ctx->now, place, "count"), ctx->domain->name, old);
	else if (strcmp(state, "none") == 0)
		assessment_set(out, ASSESS_NEW, "%s answers to %s; %s; %s", host, setting(ctx, "account"),
			       fact(ctx->now, place, "why"), old);
	else
		assess_refused(ctx, place, out);
}

/* The list is another one than before the change. */
static bool is_another_list(const struct agent_ctx *ctx, const struct around *a)
{
	const char *before = fact(&a->kept, "new", "sha256");

	return *before && a->changed && strcmp(before, fact(ctx->now, "new", "sha256")) != 0;
}

static void assess_evidence(const struct agent_ctx *ctx, const struct around *a, const char *old, struct assessment *out)
{
	char when[WHEN_TEXT_MAX], service[SERVICE_TEXT_MAX];
	const char *host = new_service(ctx, a, service), *count = fact(ctx->now, "new", "count"), *domain = ctx->domain->name;

	if (a->hosts && a->ran == a->hosts)
		assessment_set(out, ASSESS_NEW, "%s lists %s users of %s, %s; the client of %s ran to its end with the new name (%s)",
			       host, count, domain, old, buf_str(&a->names),
			       time_format(a->ran_ms, ctx->tenant->offset_min, when));
	else if (is_another_list(ctx, a))
		assessment_set(out, ASSESS_NEW, "%s lists %s users of %s, %s; the list is another one than before the change", host,
			       count, domain, old);
	else
		assessment_set(out, ASSESS_PERSON,
			       "%s lists %s users of %s, %s, but nothing shows that a sync ran with the new name: the vendor may "
			       "have copied them. Start one at the client (or wait for its schedule) and run cutover again; or, "
			       "where you know that it ran, confirm it",
			       host, count, domain, old);
}

static void assess_synced(const struct agent_ctx *ctx, const struct around *a, struct assessment *out)
{
	char said[ERR_TEXT_MAX / 2], service[SERVICE_TEXT_MAX];
	const struct facts *old = old_facts(ctx, a);
	const char *host = new_service(ctx, a, service), *state = fact(ctx->now, "new", "state");
	const char *count = fact(ctx->now, "new", "count"), *domain = ctx->domain->name;

	say_old(ctx, old, said, sizeof(said));
	if (!*state)
		assessment_set(out, ASSESS_OLD, "asked once the hosts of this step have moved; then %s is to list the users of %s",
			       host, domain);
	else if (strcmp(state, "listed") != 0)
		assess_refused(ctx, "new", out);
	else if (!*fact(old, "old", "count"))
		assessment_set(out, ASSESS_PERSON, "%s lists %s users of %s; %s, so the sync is not proved: compare with the "
			       "number of users in the directory, then confirm it",
			       host, count, domain, said);
	else if (strcmp(count, "0") == 0 && strcmp(fact(old, "old", "count"), "0") == 0)
		assessment_set(out, ASSESS_PERSON, "neither service lists a user of %s: if no directory is synced for it, say so: "
			       "cutover confirm %s %s --target %s --result not-needed --by NAME",
			       domain, ctx->tenant->id, ctx->step->name, ctx->target);
	else if (!is_within(ctx, old))
		assessment_set(out, ASSESS_PERSON, "%s lists %s users of %s, %s, and %ld may be the difference: mail to whom it does "
			       "not list would be refused; see the client's log, sync again, then run cutover again",
			       host, count, domain, said, tolerance(ctx));
	else
		assess_evidence(ctx, a, said, out);
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	struct around a = look_around(ctx);

	(void)err;
	if (!path(ctx))
		assessment_set(out, ASSESS_PERSON, "the profile %s does not say where the web service's lists are: add "
			       "web_service_path to its `extra`",
			       ctx->inventory->profile->name);
	else if (is_via_host(ctx) && !a.picked)
		assessment_set(out, ASSESS_PERSON, "the inventory's web_service says \"via\": \"host\", and there is no host of the step %s "
			       "to ask from: let the controller ask (\"via\": \"controller\"), or see to it by hand and confirm it",
			       is_reach(ctx) ? with(ctx, "before") : ctx->step->name);
	else if (is_reach(ctx))
		assess_reach(ctx, &a, out);
	else
		assess_synced(ctx, &a, out);
	around_release(&a);
	return 0;
}

/* ---- the tables ------------------------------------------------------------------------------------------------- */

static const struct step observe[] = {
	{ .name = "ask-old", .request = old_request, .judge = old_judge, .flags = STEP_SERVICE, .deadline_ms = ASK_MAX_MS },
	{ .name = "ask-new",
	  .request = new_request,
	  .judge = new_judge,
	  .deadline_ms = ASK_MAX_MS,
	  .budget_ms = TAKEN_IN_MS },
	{ 0 },
};

static const struct step nothing[] = { { 0 } };

static const char *const params[] = { "mode", "when", "before", "baseline", NULL };

static const char *const exports[] = { "old.count", "old.sha256", "old.at_ms", "new.count", "new.sha256", "new.at_ms", NULL };

const struct agent agent_web_service = {
	.name = "web-service",
	.summary = "what the directory service lists, before and after (changes nothing)",
	.scope = SCOPE_DOMAIN,
	.params = params,
	.observe = observe,
	.assess = assess,
	.apply = nothing,
	.restore = nothing,
	.verify = nothing,
	.revert = nothing,
	.exports = exports,
};
