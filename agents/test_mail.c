/*
 * test-mail: does the new service take mail for this domain, before MX points at it? A part of the vendor's step 5, as far as
 * it can be shown without a mail: the new MX is asked directly, from the controller, for two mailboxes:
 *
 *     EHLO, STARTTLS where it is offered, MAIL somebody outside, RCPT the test mailbox | a mailbox of nobody, QUIT
 *
 * The test mailbox has to be accepted: where it is not, all mail of the domain would be refused from the switch on. What is
 * answered for a mailbox of nobody is recorded: a service that accepts it either knows no list of users (then the servers
 * behind it refuse, too late) or looks them up later. That a mail arrives is not shown by this: accepted and not seen is no
 * success, so the mail itself is a person's, by the console's Test button (the step's instruction).
 *
 * Facts, for MAILBOX test and nobody:
 *   MAILBOX.state, MAILBOX.said   of struct smtp_said (agents/smtp_said.h)
 */
#include "agents/agents.h"
#include "agents/script.h"
#include "agents/smtp_said.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "inventory/instruction.h"

#define LONE_HEX 12

enum mailbox { TEST, NOBODY };

static const char *const names[] = { "test", "nobody" };

static const char *test_mailbox(const struct agent_ctx *ctx)
{
	return json_string_value(json_object_get(ctx->domain->settings, "test_mailbox"));
}

/* The same at every run, so that it is the same in the service's log; and nobody's. */
static char *nobody(const struct agent_ctx *ctx)
{
	char sha[SHA256_HEX_MAX];

	return str_fmt("no-such-mailbox-%.*s@%s", LONE_HEX, sha256_hex(ctx->domain->name, strlen(ctx->domain->name), sha),
		       ctx->domain->name);
}

static const char *fact(const struct agent_ctx *ctx, enum mailbox mailbox, const char *name)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.%s", names[mailbox], name);
	return facts_text(ctx->now, key, "");
}

static bool is_in(const struct agent_ctx *ctx, enum mailbox mailbox, const char *state)
{
	return strcmp(fact(ctx, mailbox, "state"), state) == 0;
}

/* ---- asking --------------------------------------------------------------------------------------------------------- */

/* Nobody's mailbox is asked for only where the other one was accepted: else it says nothing. */
static enum step_request ask(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *from = smtp_outsider(ctx->inventory, ctx->tenant);

	if (n > NOBODY || !test_mailbox(ctx) || !from || ctx->wall_ms < ctx->tenant->migration_ms)
		return OP_END;
	if (n == NOBODY && !is_in(ctx, TEST, "accepted"))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", names[n]);
	op->kind = OP_SMTP;
	op->server = str_dup(ctx->tenant->new_mx);
	op->port = SMTP_PORT;
	op->mail_from = str_dup(from);
	op->rcpt_to = n == TEST ? str_dup(test_mailbox(ctx)) : nobody(ctx);
	return OP_DO;
}

static struct verdict judge(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct smtp_said said = smtp_said(result);
	char key[FACT_KEY_MAX];

	if (result->failure.code == E_INVAL)
		return verdict_fail(E_INVAL, "%s", result->failure.text);
	snprintf(key, sizeof(key), "%s.state", names[n]);
	facts_set_text(ctx->now, key, said.state);
	snprintf(key, sizeof(key), "%s.said", names[n]);
	facts_set_text(ctx->now, key, said.text);
	if (n == TEST && is_in(ctx, TEST, "later"))
		return verdict_wait(ctx->wall_ms + SMTP_LATER_MS, "%s does not take mail for %s now (%s): greylisting or a limit; it is asked again",
				    ctx->tenant->new_mx, test_mailbox(ctx), said.text);
	return verdict_ok();
}

/* ---- assess --------------------------------------------------------------------------------------------------------- */

static void person(const struct agent_ctx *ctx, struct assessment *out, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The sentence, and behind it the step's instruction. */
static void person(const struct agent_ctx *ctx, struct assessment *out, const char *fmt, ...)
{
	struct buf text = { .max = sizeof(out->text) - 1 };
	va_list args;

	va_start(args, fmt);
	buf_vaddf(&text, fmt, args);
	va_end(args);
	buf_adds(&text, ". ");
	instruction_write(&text, ctx->inventory, ctx->tenant, ctx->step, NULL, ctx->domain);
	assessment_set(out, ASSESS_PERSON, "%s", buf_str(&text));
	buf_release(&text);
}

static const char *of_nobody(const struct agent_ctx *ctx)
{
	if (is_in(ctx, NOBODY, "accepted"))
		return "It takes mail for a mailbox that does not exist, too: it knows no users of this domain yet, or looks them up later";
	return is_in(ctx, NOBODY, "refused") ? "It refuses a mailbox that does not exist" : "What it does with others is not known";
}

static void assess_asked(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *mx = ctx->tenant->new_mx, *mailbox = test_mailbox(ctx), *said = fact(ctx, TEST, "said");

	if (is_in(ctx, TEST, "accepted"))
		person(ctx, out, "%s would take mail for %s (%s). %s. That a mail arrives is not shown by that", mx, mailbox, said, of_nobody(ctx));
	else if (is_in(ctx, TEST, "refused"))
		person(ctx, out, "%s refuses mail for %s (%s): with MX there, mail of %s would come back. See that the domain and its users are "
				 "there in the new console, then run cutover again", mx, mailbox, said, ctx->domain->name);
	else if (is_in(ctx, TEST, "silent"))
		person(ctx, out, "%s does not answer here (%s): a provider that lets no port 25 out does the same, so nothing is known", mx, said);
	else
		person(ctx, out, "%s does not take mail from here (%s), so nothing is known of %s", mx, said, mailbox);
}

static int assess(const struct agent_ctx *ctx, struct assessment *out, struct err *err)
{
	char date[TIME_TEXT_MAX];

	(void)err;
	if (!test_mailbox(ctx))
		person(ctx, out, "the inventory names no `test_mailbox` for %s, so the new MX is not asked", ctx->domain->name);
	else if (!smtp_outsider(ctx->inventory, ctx->tenant))
		person(ctx, out, "nobody outside all tenants' domains is known that a mail could be from: add a contact of yours with an `email`, or "
				 "`probe_recipient` to the profile's `extra`");
	else if (ctx->wall_ms < ctx->tenant->migration_ms)
		assessment_set(out, ASSESS_OLD, "%s is asked from the migration date on (%s) whether it takes mail for %s", ctx->tenant->new_mx,
			       time_format(ctx->tenant->migration_ms, ctx->tenant->offset_min, date), test_mailbox(ctx));
	else
		assess_asked(ctx, out);
	return 0;
}

/* ---- the tables ------------------------------------------------------------------------------------------------------ */

static const struct step observe[] = {
	{ .name = "ask-mx", .request = ask, .judge = judge, .flags = STEP_SERVICE, .deadline_ms = SMTP_TALK_MAX_MS },
	{ 0 },
};

static const struct step nothing[] = { { 0 } };
static const char *const params[] = { NULL };

const struct agent agent_test_mail = {
	.name = "test-mail",
	.summary = "would the new MX take mail for the test mailbox? (changes nothing, sends nothing)",
	.scope = SCOPE_DOMAIN,
	.params = params,
	.observe = observe,
	.assess = assess,
	.apply = nothing,
	.restore = nothing,
	.verify = nothing,
	.revert = nothing,
};
