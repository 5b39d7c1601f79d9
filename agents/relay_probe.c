/*
 * relay-probe: would the new relay take this tenant's mail from its mail servers? The proof of the vendor's step 2 (the
 * servers' public addresses and the domains are registered), before the relay is switched. Sends no mail, changes nothing.
 *
 * Each host that the step `hosts` (of `with`) works on asks for each domain, over its own session, so that the relay sees the
 * address that the mail will come from:
 *
 *     EHLO, STARTTLS where it is offered, MAIL postmaster@DOMAIN, RCPT somebody outside, QUIT
 *
 * postmaster is the one mailbox that every domain has (RFC 5321 §4.5.1); who is outside: smtp_said.h. EHLO names the host's first
 * public address, as an address literal (§4.1.3), else its address.
 *
 * What the answers mean: smtp_said.h. RCPT refused is most often an address that is not registered, or not this one (NAT,
 * several, IPv6).
 *
 * Facts, for each pair of a host and a domain that was asked for, N counting from 0:
 *   N.pair    "mx1 for acme.example"
 *   N.state, N.said   of struct smtp_said
 * They are evidence with the answers themselves; nothing is kept for later runs: a probe is of its moment.
 */
#include "agents/agents.h"
#include "agents/smtp_said.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "inventory/instruction.h"

#include <arpa/inet.h>

/* ---- whom, for what ----------------------------------------------------------------------------------------------- */

struct picking {
	int pick; /* of the hosts, each once */
	const struct host *picked, *last;
	int n;
	const struct host *closed; /* one that nobody here logs in to */
};

static void look_at_host(const struct neighbour *n, void *arg)
{
	struct picking *p = arg;

	if (!n->host || n->host == p->last || n->state == STEP_NOT_APPLICABLE || n->state == STEP_WITHDRAWN)
		return;
	p->last = n->host;
	if (!n->host->connection.identity.text && !n->host->connection.password.text)
		p->closed = n->host;
	else if (p->n++ == p->pick)
		p->picked = n->host;
}

static struct picking pick_host(const struct agent_ctx *ctx, int pick)
{
	const char *step = json_string_value(json_object_get(ctx->with, "hosts"));
	struct picking p = { .pick = pick };

	ctx->neighbours(ctx, step ? step : "", look_at_host, &p);
	return p;
}

struct pair {
	const struct host *host;
	const struct domain *domain; /* NULL: there is no n-th pair */
};

/* All domains of the first host, then of the second one … */
static struct pair pair_at(const struct agent_ctx *ctx, int n)
{
	int domains = (int)ctx->tenant->domains_n;
	struct picking p = pick_host(ctx, domains ? n / domains : 0);

	if (!domains || !p.picked)
		return (struct pair){ 0 };
	return (struct pair){ p.picked, &ctx->tenant->domains[n % domains] };
}

static int pairs(const struct agent_ctx *ctx)
{
	return pick_host(ctx, 0).n * (int)ctx->tenant->domains_n;
}

/* ---- who asks, and about what --------------------------------------------------------------------------------------- */

/* NULL: nobody outside is known. */
static const char *outsider(const struct agent_ctx *ctx)
{
	return smtp_outsider(ctx->inventory, ctx->tenant);
}

static char *hello_of(const struct host *host)
{
	const char *name = host->mta_public_ips.n ? host->mta_public_ips.at[0] : host->connection.address;
	unsigned char bytes[16];

	if (inet_pton(AF_INET, name, bytes) == 1)
		return str_fmt("[%s]", name);
	if (inet_pton(AF_INET6, name, bytes) == 1)
		return str_fmt("[IPv6:%s]", name);
	return str_dup(name);
}

static enum step_request ask(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	struct pair p = pair_at(ctx, n);
	const char *to = outsider(ctx);

	if (!p.domain || !to || ctx->wall_ms < ctx->tenant->migration_ms)
		return OP_END;
	snprintf(item, ITEM_MAX, "%.40s for %.80s", p.host->name, p.domain->name);
	op->kind = OP_SMTP;
	op->via = str_dup(p.host->name);
	op->server = str_dup(ctx->tenant->new_relay);
	op->port = SMTP_PORT;
	op->hello = hello_of(p.host);
	op->mail_from = str_fmt("postmaster@%s", p.domain->name);
	op->rcpt_to = str_dup(to);
	return OP_DO;
}

/* ---- what came back ------------------------------------------------------------------------------------------------- */

static void set_fact(const struct agent_ctx *ctx, int n, const char *name, const char *text)
{
	char key[32];

	snprintf(key, sizeof(key), "%d.%s", n, name);
	facts_set_text(ctx->now, key, text);
}

static const char *fact(const struct agent_ctx *ctx, int n, const char *name)
{
	char key[32];

	snprintf(key, sizeof(key), "%d.%s", n, name);
	return facts_text(ctx->now, key, "");
}

/* The first pair in that state; -1: none is. */
static int first_in(const struct agent_ctx *ctx, const char *state)
{
	int n = pairs(ctx);

	for (int i = 0; i < n; i++)
		if (strcmp(fact(ctx, i, "state"), state) == 0)
			return i;
	return -1;
}

static void note(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct pair p = pair_at(ctx, n);
	struct smtp_said said = smtp_said(result);
	char *pair = str_fmt("%s for %s", p.host->name, p.domain->name);

	set_fact(ctx, n, "pair", pair);
	set_fact(ctx, n, "state", said.state);
	set_fact(ctx, n, "said", said.text);
	free(pair);
}

/* What a person has to see to is told before what only has to be waited for. */
static bool is_only_later(const struct agent_ctx *ctx)
{
	int n = pairs(ctx);

	for (int i = 0; i < n; i++)
		if (strcmp(fact(ctx, i, "state"), "accepted") != 0 && strcmp(fact(ctx, i, "state"), "later") != 0)
			return false;
	return first_in(ctx, "later") >= 0;
}

static struct verdict judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	int later;

	if (result->failure.code == E_INVAL)
		return verdict_fail(E_INVAL, "%s", result->failure.text);
	note(ctx, n, result);
	if (n + 1 < pairs(ctx) || !is_only_later(ctx))
		return verdict_ok();
	later = first_in(ctx, "later");
	return verdict_wait(ctx->wall_ms + SMTP_LATER_MS, "%s does not take mail of %s now (%s): greylisting or a limit; it is asked again",
			    ctx->tenant->new_relay, fact(ctx, later, "pair"), fact(ctx, later, "said"));
}

/* ---- assess --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *state, *what;
} told[] = {
	{ "refused", "refuses mail: the public address it is sent from is probably not registered there (behind NAT look at all of them)" },
	{ "unknown-sender", "does not know the domain as a sender" },
	{ "shut-out", "does not talk to this host" },
	{ "forbidden", "cannot be asked: let the login there connect to port 25 of the relay (AllowTcpForwarding, PermitOpen), or confirm it by hand" },
	{ "silent", "does not answer: a firewall or a provider that lets no port 25 out does the same, so nothing is known of the registration" },
};

static bool assess_bad(const struct agent_ctx *ctx, struct assessment *out)
{
	struct buf todo = { .max = 500 };
	int i, n = -1;

	for (i = 0; i < (int)(sizeof(told) / sizeof(*told)); i++) {
		n = first_in(ctx, told[i].state);
		if (n >= 0)
			break;
	}
	if (n < 0)
		return false;
	instruction_write(&todo, ctx->inventory, ctx->tenant, ctx->step, NULL, NULL);
	assessment_set(out, ASSESS_PERSON, "%s, asked from %s, %s (%s). %s", ctx->tenant->new_relay, fact(ctx, n, "pair"),
		       told[i].what, fact(ctx, n, "said"), buf_str(&todo));
	buf_release(&todo);
	return true;
}

static void assess_nobody(const struct agent_ctx *ctx, const char *why, struct assessment *out)
{
	struct buf todo = { .max = 600 };

	instruction_write(&todo, ctx->inventory, ctx->tenant, ctx->step, NULL, NULL);
	assessment_set(out, ASSESS_PERSON, "%s. %s", why, buf_str(&todo));
	buf_release(&todo);
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	char date[TIME_TEXT_MAX];
	const struct host *closed = pick_host(ctx, 0).closed;
	int n = pairs(ctx), servers = pick_host(ctx, 0).n;

	(void)err;
	if (!ctx->tenant->domains_given)
		assess_nobody(ctx, "the inventory does not say which domains send (`domains`), so the relay cannot be asked", out);
	else if (!n)
		assess_nobody(ctx, "no host of the inventory is a sending server that could ask the relay", out);
	else if (!outsider(ctx))
		assess_nobody(ctx, "nobody outside all tenants' domains is known that a mail could be for: add a contact of yours with "
				   "an `email`, or `probe_recipient` to the profile's `extra`", out);
	else if (ctx->wall_ms < ctx->tenant->migration_ms)
		assessment_set(out, ASSESS_OLD, "%s is asked from the migration date on (%s), through the session%s of %d sending server%s",
			       ctx->tenant->new_relay, time_format(ctx->tenant->migration_ms, ctx->tenant->offset_min, date),
			       servers == 1 ? "" : "s", servers, servers == 1 ? "" : "s");
	else if (assess_bad(ctx, out))
		return 0;
	else if (closed)
		assessment_set(out, ASSESS_PERSON, "%s takes mail from the other sending servers, but nobody logs in to %s, so nothing "
			       "is known of that one: see that its public address is registered, then confirm the step",
			       ctx->tenant->new_relay, closed->name);
	else
		assessment_set(out, ASSESS_NEW, "%s takes mail of %zu domain%s from %d sending server%s (nothing was sent): %s, %s",
			       ctx->tenant->new_relay, ctx->tenant->domains_n, ctx->tenant->domains_n == 1 ? "" : "s", servers,
			       servers == 1 ? "" : "s", fact(ctx, 0, "pair"), fact(ctx, 0, "said"));
	return 0;
}

/* ---- the tables ------------------------------------------------------------------------------------------------------ */

static const struct step observe[] = {
	{ .name = "ask-relay", .request = ask, .judge = judge, .flags = STEP_SERVICE, .deadline_ms = SMTP_TALK_MAX_MS },
	{ 0 },
};

static const struct step nothing[] = { { 0 } };
static const char *const params[] = { "hosts", NULL };

const struct agent agent_relay_probe = {
	.name = "relay-probe",
	.summary = "would the new relay take mail from the sending servers? (changes nothing)",
	.scope = SCOPE_TENANT,
	.params = params,
	.observe = observe,
	.assess = assess,
	.apply = nothing,
	.restore = nothing,
	.verify = nothing,
	.revert = nothing,
};
