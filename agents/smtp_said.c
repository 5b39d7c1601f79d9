#include "agents/smtp_said.h"

#include "inventory/model.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The last reply that decided something: QUIT's decides nothing. A view of one line. */
struct reply {
	const char *stage; /* NULL: there is none */
	int stage_len, code;
	const char *text;
	int text_len;
};

static struct reply last_reply(const struct op_result *result)
{
	struct reply r = { 0 };

	for (const char *line = buf_str(&result->out); *line;) {
		size_t len = strcspn(line, "\n"), stage = strcspn(line, " ");
		if (stage + 5 <= len && strncmp(line, "quit ", 5) != 0)
			r = (struct reply){ line, (int)stage, (int)strtol(line + stage, NULL, 10), line + stage + 5,
					    (int)(len - stage - 5) };
		line += len + (line[len] == '\n');
	}
	return r;
}

static bool is_stage(const struct reply *r, const char *name)
{
	return r->stage && (size_t)r->stage_len == strlen(name) && strncmp(r->stage, name, (size_t)r->stage_len) == 0;
}

static const char *state_of(const struct reply *r)
{
	if (is_stage(r, "tls") || !r->stage)
		return "silent";
	if (r->code / 100 == 4)
		return "later";
	if (is_stage(r, "rcpt"))
		return r->code / 100 == 2 ? "accepted" : "refused";
	return is_stage(r, "mail") ? "unknown-sender" : "shut-out";
}

static const char *state_of_failure(int code)
{
	return code == E_FORWARDING || code == E_BASTION ? "forbidden" : "silent";
}

struct smtp_said smtp_said(const struct op_result *result)
{
	struct reply r = last_reply(result);
	struct smtp_said said = { .state = result->failure.code ? state_of_failure(result->failure.code) : state_of(&r) };

	if (result->failure.code)
		snprintf(said.text, sizeof(said.text), "%.*s", SMTP_SAID_MAX - 1, result->failure.text);
	else if (r.stage)
		snprintf(said.text, sizeof(said.text), "%.*s: %03d %.*s", r.stage_len, r.stage, r.code, r.text_len, r.text);
	else
		snprintf(said.text, sizeof(said.text), "it said nothing");
	return said;
}

/* ---- who is meant -------------------------------------------------------------------------------------------------- */

/* The domain itself or one below it. */
static bool is_in(const char *host, const char *domain)
{
	size_t n = strlen(host), k = strlen(domain);

	return n >= k && strcasecmp(host + n - k, domain) == 0 && (n == k || host[n - k - 1] == '.');
}

static bool is_outside(const struct inventory *inv, const char *address)
{
	const char *at = strrchr(address, '@');

	for (size_t i = 0; at && i < inv->tenants_n; i++)
		for (size_t k = 0; k < inv->tenants[i].domains_n; k++)
			if (is_in(at + 1, inv->tenants[i].domains[k].name))
				return false;
	return at != NULL;
}

const char *smtp_outsider(const struct inventory *inv, const struct tenant *t)
{
	const char *given = json_string_value(json_object_get(inv->profile->extra, "probe_recipient"));

	if (given && is_outside(inv, given))
		return given;
	for (size_t i = 0; i < t->contacts_n; i++)
		if (t->contacts[i].email && is_outside(inv, t->contacts[i].email))
			return t->contacts[i].email;
	return NULL;
}
