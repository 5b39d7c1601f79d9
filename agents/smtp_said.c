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

static bool is_ours(const struct tenant *t, const char *address)
{
	const char *at = strrchr(address, '@');

	for (size_t i = 0; at && i < t->domains_n; i++)
		if (strcasecmp(at + 1, t->domains[i].name) == 0)
			return true;
	return !at;
}

const char *smtp_outsider(const struct tenant *t, const struct profile *profile)
{
	const char *given = json_string_value(json_object_get(profile->extra, "probe_recipient"));

	for (size_t i = 0; i < t->contacts_n; i++)
		if (t->contacts[i].email && !is_ours(t, t->contacts[i].email))
			return t->contacts[i].email;
	return given && !is_ours(t, given) ? given : NULL;
}
