/*
 * The tables: what each object of an inventory, a procedure and a profile may hold. schema/inventory.v1.schema.json
 * says the same to editors (tests/corpus keeps the two together). Rows are sorted by name.
 */
#include "inventory/shape.h"

#include "inventory/rules.h"
#include "inventory/text_check.h"

#include "base/alloc.h"

#define TABLE(rows)                                                                                                    \
	{                                                                                                              \
		rows, ARRAY_LEN(rows)                                                                                  \
	}

static const char *const words_language[] = { "en", "ja", NULL };
static const char *const words_end[] = { "stay", "rollback", NULL };
static const char *const words_phase[] = { "prepare", "ready", "switch", "settle", NULL };
static const char *const words_os[] = { "linux", "windows", NULL };
static const char *const words_become[] = { "none", "sudo", NULL };
static const char *const words_role[] = { "host", "gateway", NULL };
static const char *const words_host_keys[] = { "pinned", "accept-new", NULL };
static const char *const words_contact[] = { "approver", "technical", "dns", NULL };
static const char *const words_provider[] = { "rfc2136", "route53", "cloudflare", "google", "manual", NULL };
static const char *const words_ask_via[] = { "controller", "host", NULL };
static const char *const words_scope[] = { "host", "domain", "tenant", NULL };

/* ---- small objects ---------------------------------------------------------------------------------------------- */

static const struct key keys_period[] = {
	{ "end", VALUE_TEXT, KEY_REQUIRED, .text = check_text_time },
	{ "start", VALUE_TEXT, KEY_REQUIRED, .text = check_text_time },
};
static const struct shape shape_window = { .what = "a window", .tables = { TABLE(keys_period) }, .rule = rule_period };
static const struct shape shape_vendor_period = { .what = "vendor_period",
						  .tables = { TABLE(keys_period) },
						  .rule = rule_period };

static const struct key keys_new_fqdn[] = {
	{ "mx", VALUE_TEXT, .text = check_text_domain, .rule = rule_new_name },
	{ "relay", VALUE_TEXT, .text = check_text_domain, .rule = rule_new_name },
	{ "web_service", VALUE_TEXT, .text = check_text_domain, .rule = rule_new_name },
};
const struct shape shape_new_fqdn = { .what = "new_fqdn", .tables = { TABLE(keys_new_fqdn) } };

static const struct key keys_contact[] = {
	{ "email", VALUE_TEXT, .text = check_text_mailbox },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "role", VALUE_WORD, .words = words_contact },
};
static const struct shape shape_contact = { .what = "a contact", .tables = { TABLE(keys_contact) } };

static const struct key keys_web_service[] = {
	{ "account", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "api_key", VALUE_TEXT, KEY_REQUIRED | KEY_SECRET, .text = check_text_secret },
	{ "ca_file", VALUE_TEXT, KEY_PATH, .text = check_text_plain },
	{ "tolerance", VALUE_INT, .max = 1000000 },
	{ "via", VALUE_WORD, .words = words_ask_via },
};
const struct shape shape_web_service = { .what = "web_service", .tables = { TABLE(keys_web_service) } };

static const struct key keys_retry[] = {
	{ "attempts", VALUE_INT, .min = 1, .max = 100 },
	{ "first_delay_s", VALUE_NUMBER, .min = 0, .max = 3600 },
	{ "give_up_s", VALUE_NUMBER, .min = 0, .max = 86400 },
	{ "max_delay_s", VALUE_NUMBER, .min = 0, .max = 86400 },
};
static const struct shape shape_retry = { .what = "retry", .tables = { TABLE(keys_retry) } };

static const struct key keys_thresholds[] = {
	{ "max_failed", VALUE_OTHER, .rule = rule_threshold },
	{ "max_unreachable", VALUE_OTHER, .rule = rule_threshold },
};
static const struct shape shape_thresholds = { .what = "thresholds", .tables = { TABLE(keys_thresholds) } };

static const struct key keys_retain[] = {
	{ "before_images", VALUE_INT, .min = 1, .max = 36500 },
	{ "evidence", VALUE_INT, .min = 1, .max = 36500 },
	{ "output", VALUE_INT, .min = 1, .max = 36500 },
};
static const struct shape shape_retain = { .what = "retain", .tables = { TABLE(keys_retain) } };

static const struct shape shape_refs = { .what = "refs", .tables = { { NULL, 0 } }, .open = true, .rule = rule_refs };
static const struct shape shape_uses = { .what = "uses", .tables = { { NULL, 0 } }, .open = true, .rule = rule_uses };
static const struct shape shape_by = { .what = "by", .tables = { { NULL, 0 } }, .open = true, .rule = rule_by };

/* ---- domains ---------------------------------------------------------------------------------------------------- */

static const struct key keys_imap[] = {
	{ "password", VALUE_TEXT, KEY_REQUIRED | KEY_SECRET, .text = check_text_secret },
	{ "url", VALUE_TEXT, KEY_REQUIRED, .text = check_text_imap_url },
	{ "user", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
};
static const struct shape shape_imap = { .what = "imap", .tables = { TABLE(keys_imap) } };

static const struct key keys_dns[] = {
	{ "access_key", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "api_token", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "provider", VALUE_WORD, KEY_REQUIRED, .words = words_provider },
	{ "secret_key", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "server", VALUE_TEXT, .text = check_text_address },
	{ "service_account", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "tsig_key", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "zone", VALUE_TEXT, .text = check_text_domain },
};
const struct shape shape_dns = { .what = "dns", .tables = { TABLE(keys_dns) }, .rule = rule_dns };

static const struct key keys_spf[] = {
	{ "must_pass", VALUE_TEXTS, .text = check_text_ip },
};
static const struct shape shape_spf = { .what = "spf", .tables = { TABLE(keys_spf) } };

static const struct key keys_domain[] = {
	{ "dns", VALUE_OBJECT, .shape = &shape_dns },
	{ "imap", VALUE_OBJECT, .shape = &shape_imap },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_domain },
	{ "old_mx", VALUE_TEXTS, .text = check_text_domain },
	{ "spf", VALUE_OBJECT, .shape = &shape_spf },
	{ "test_mailbox", VALUE_TEXT, .text = check_text_mailbox },
};
const struct shape shape_domain = { .what = "a domain", .tables = { TABLE(keys_domain) } };

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

static const struct key keys_agent_use[] = {
	{ "agent", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "key", VALUE_TEXT, .text = check_text_name },
};
const struct shape shape_agent_use = {
	.what = "an agent", .tables = { TABLE(keys_agent_use) }, .open = true, .rule = rule_agent_use
};

static const struct key keys_verify[] = {
	{ "exit", VALUE_INT, .min = 0, .max = 2147483647 },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "run", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "stdout_matches", VALUE_TEXT, .rule = rule_pattern },
	{ "timeout_s", VALUE_NUMBER, .min = 1, .max = 3600 },
};
static const struct shape shape_verify = { .what = "a verify command", .tables = { TABLE(keys_verify) } };

static const struct key keys_identity_check[] = {
	{ "equals", VALUE_TEXT, .text = check_text_plain },
	{ "matches", VALUE_TEXT, .rule = rule_pattern },
	{ "run", VALUE_TEXT, .text = check_text_plain },
};
static const struct shape shape_identity_check = { .what = "identity_check", .tables = { TABLE(keys_identity_check) } };

static const struct key keys_mta[] = {
	{ "log", VALUE_TEXT, .text = check_text_plain },
	{ "public_ips", VALUE_TEXTS, .text = check_text_ip },
};
static const struct shape shape_mta = { .what = "mta", .tables = { TABLE(keys_mta) } };

static const struct key keys_via_command[] = {
	{ "command", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
};
const struct shape shape_via_command = { .what = "via", .tables = { TABLE(keys_via_command) } };

/* ---- the levels: which of them hold a key is what shape_elsewhere tells ---------------------------------------- */

/* How to log in: on defaults, wave, tenant, template, host. */
static const struct key keys_connection[] = {
	{ "become", VALUE_WORD, .words = words_become },
	{ "certificate", VALUE_TEXT, .text = check_text_plain },
	{ "host_key", VALUE_TEXT_OR_TEXTS, KEY_FILLED, .text = check_text_pin },
	{ "host_keys", VALUE_WORD, .words = words_host_keys },
	{ "identity", VALUE_TEXT, KEY_SECRET, .text = check_text_identity },
	{ "identity_agent", VALUE_TEXT, .text = check_text_plain },
	{ "identity_passphrase", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "known_hosts", VALUE_TEXT, .text = check_text_plain },
	{ "password", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "port", VALUE_INT, .min = 1, .max = 65535 },
	{ "user", VALUE_TEXT, .text = check_text_plain },
	{ "via", VALUE_OTHER, .rule = rule_via },
};

/* What else a host has: also on a template and defaults. */
static const struct key keys_machine[] = {
	{ "agents", VALUE_OBJECTS, .shape = &shape_agent_use, .rule = rule_agents },
	{ "identity_check", VALUE_OBJECT, .shape = &shape_identity_check },
	{ "mta", VALUE_OBJECT, .shape = &shape_mta },
	{ "os", VALUE_WORD, .words = words_os },
	{ "role", VALUE_WORD, .words = words_role },
	{ "verify", VALUE_OBJECTS, .shape = &shape_verify, .rule = rule_verify },
};

static const struct key keys_host[] = {
	{ "address", VALUE_TEXT, .text = check_text_address },
	{ "like", VALUE_TEXT, .rule = rule_like },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_name },
};
const struct shape shape_host = { .what = "a host",
				  .tables = { TABLE(keys_host), TABLE(keys_machine), TABLE(keys_connection) },
				  .is_host = true };

static const struct key keys_template[] = {
	{ "address", VALUE_TEXT, .text = check_text_address },
};
const struct shape shape_template = { .what = "a template",
				      .tables = { TABLE(keys_template), TABLE(keys_machine), TABLE(keys_connection) } };

/* What a tenant has: also on its wave and defaults. */
static const struct key keys_customer[] = {
	{ "at_window_end", VALUE_WORD, .words = words_end },
	{ "by", VALUE_OBJECT, .shape = &shape_by },
	{ "change_id", VALUE_TEXT, .text = check_text_plain },
	{ "contacts", VALUE_OBJECTS, .shape = &shape_contact },
	{ "dead_man", VALUE_BOOL, .flags = 0 },
	{ "domains", VALUE_OBJECTS, .shape = &shape_domain, .rule = rule_domains },
	{ "hosts", VALUE_OBJECTS, .shape = &shape_host, .rule = rule_hosts },
	{ "labels", VALUE_TEXTS, .text = check_text_plain },
	{ "language", VALUE_WORD, .words = words_language },
	{ "migration_date", VALUE_TEXT, .text = check_text_date },
	{ "mx_waits_for", VALUE_TEXTS, .text = check_text_plain, .rule = rule_mx_waits_for },
	{ "new_fqdn", VALUE_OTHER, .rule = rule_new_fqdn },
	{ "refs", VALUE_OBJECT, .shape = &shape_refs },
	{ "require_approval", VALUE_WORDS, .words = words_phase },
	{ "retain", VALUE_OBJECT, .shape = &shape_retain },
	{ "retry", VALUE_OBJECT, .shape = &shape_retry },
	{ "rollback_until", VALUE_TEXT, .text = check_text_time },
	{ "thresholds", VALUE_OBJECT, .shape = &shape_thresholds },
	{ "time_zone", VALUE_TEXT, .rule = rule_time_zone },
	{ "uses", VALUE_OBJECT, .shape = &shape_uses },
	{ "vendor_period", VALUE_OBJECT, .shape = &shape_vendor_period },
	{ "web_service", VALUE_OBJECT, .shape = &shape_web_service },
	{ "windows", VALUE_OBJECTS, KEY_FILLED, .shape = &shape_window, .rule = rule_windows },
};

static const struct key keys_tenant[] = {
	{ "id", VALUE_TEXT, KEY_REQUIRED, .text = check_text_id },
	{ "name", VALUE_TEXT, .text = check_text_plain },
	{ "wave", VALUE_TEXT, .rule = rule_wave },
};
const struct shape shape_tenant = { .what = "a tenant",
				    .tables = { TABLE(keys_tenant), TABLE(keys_customer), TABLE(keys_connection) },
				    .is_tenant = true };

static const struct key keys_defaults[] = {
	{ "wave", VALUE_TEXT, .rule = rule_wave },
};
const struct shape shape_defaults = { .what = "defaults",
				      .tables = { TABLE(keys_defaults), TABLE(keys_customer), TABLE(keys_machine),
						  TABLE(keys_connection) } };
const struct shape shape_wave = { .what = "a wave", .tables = { TABLE(keys_customer), TABLE(keys_connection) } };

static const struct key keys_bastion[] = {
	{ "address", VALUE_TEXT, KEY_REQUIRED, .text = check_text_address },
	{ "certificate", VALUE_TEXT, .text = check_text_plain },
	{ "host_key", VALUE_TEXT_OR_TEXTS, KEY_FILLED, .text = check_text_pin },
	{ "identity", VALUE_TEXT, KEY_SECRET, .text = check_text_identity },
	{ "identity_agent", VALUE_TEXT, .text = check_text_plain },
	{ "identity_passphrase", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "known_hosts", VALUE_TEXT, .text = check_text_plain },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_name },
	{ "password", VALUE_TEXT, KEY_SECRET, .text = check_text_secret },
	{ "port", VALUE_INT, .min = 1, .max = 65535 },
	{ "user", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "via", VALUE_TEXT_OR_TEXTS, KEY_FILLED, .text = check_text_name, .rule = rule_via },
};
const struct shape shape_bastion = { .what = "a bastion", .tables = { TABLE(keys_bastion) }, .rule = rule_bastion };

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* "$schema" is what editors look for. */
static const struct key keys_root[] = {
	{ "$schema", VALUE_TEXT, .flags = 0 },
	{ "bastions", VALUE_OBJECTS, .shape = &shape_bastion, .rule = rule_bastions },
	{ "defaults", VALUE_OBJECT, .shape = &shape_defaults },
	{ "include", VALUE_TEXTS, .text = check_text_plain },
	{ "inventory", VALUE_OTHER, KEY_REQUIRED, .rule = rule_version },
	{ "procedure", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "profile", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "templates", VALUE_MAP, .text = check_text_name, .shape = &shape_template },
	{ "tenants", VALUE_OBJECTS, .shape = &shape_tenant },
	{ "waves", VALUE_MAP, .text = check_text_name, .shape = &shape_wave },
};
const struct shape shape_root = { .what = "an inventory", .tables = { TABLE(keys_root) } };

static const struct key keys_include[] = {
	{ "$schema", VALUE_TEXT, .flags = 0 },
	{ "include", VALUE_TEXTS, .text = check_text_plain },
	{ "tenants", VALUE_OBJECTS, .shape = &shape_tenant },
};
const struct shape shape_include = { .what = "an included file", .tables = { TABLE(keys_include) } };

static const struct key keys_text[] = {
	{ "en", VALUE_TEXT, KEY_REQUIRED, .text = check_text_plain },
	{ "ja", VALUE_TEXT, .text = check_text_plain },
};
static const struct shape shape_text = { .what = "a text", .tables = { TABLE(keys_text) } };

static const struct key keys_agent_decl[] = {
	{ "params", VALUE_OTHER, .rule = rule_params },
	{ "scope", VALUE_WORDS, KEY_REQUIRED | KEY_FILLED, .words = words_scope },
	{ "summary", VALUE_TEXT, .text = check_text_plain },
};
static const struct shape shape_agent_decl = { .what = "an agent", .tables = { TABLE(keys_agent_decl) } };

static const struct key keys_step_agent[] = {
	{ "agent", VALUE_TEXT, KEY_REQUIRED, .text = check_text_name },
	{ "scope", VALUE_WORD, .words = words_scope },
	{ "with", VALUE_OTHER, .rule = rule_object },
	{ "without", VALUE_OBJECT, .shape = &shape_text },
};
static const struct shape shape_step_agent = { .what = "an agent of a step", .tables = { TABLE(keys_step_agent) } };

static const struct key keys_step[] = {
	{ "agents", VALUE_OBJECTS, KEY_REQUIRED, .shape = &shape_step_agent },
	{ "governed_by", VALUE_TEXT, .text = check_text_name },
	{ "instruction", VALUE_OBJECT, .shape = &shape_text, .rule = rule_instruction },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_id },
	{ "needs", VALUE_TEXTS, .text = check_text_name },
	{ "per_domain", VALUE_BOOL, .flags = 0 },
	{ "phase", VALUE_WORD, KEY_REQUIRED, .words = words_phase },
	{ "title", VALUE_OBJECT, KEY_REQUIRED, .shape = &shape_text },
	{ "vendor_step", VALUE_TEXT, .text = check_text_plain },
	{ "waits_for", VALUE_TEXTS, .text = check_text_name },
};
static const struct shape shape_step = { .what = "a step", .tables = { TABLE(keys_step) } };

static const struct key keys_procedure[] = {
	{ "$schema", VALUE_TEXT, .flags = 0 },
	{ "agents", VALUE_MAP, KEY_REQUIRED, .text = check_text_id, .shape = &shape_agent_decl },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_name },
	{ "procedure", VALUE_OTHER, KEY_REQUIRED, .rule = rule_version },
	{ "steps", VALUE_OBJECTS, KEY_REQUIRED | KEY_FILLED, .shape = &shape_step },
	{ "title", VALUE_OBJECT, KEY_REQUIRED, .shape = &shape_text },
};
const struct shape shape_procedure = { .what = "a procedure", .tables = { TABLE(keys_procedure) } };

static const struct key keys_old[] = {
	{ "mx", VALUE_TEXTS, KEY_REQUIRED, .text = check_text_domain },
	{ "relay", VALUE_TEXTS, KEY_REQUIRED, .text = check_text_domain },
	{ "web_service", VALUE_TEXTS, KEY_REQUIRED, .text = check_text_domain },
};
static const struct shape shape_old = { .what = "old", .tables = { TABLE(keys_old) } };

static const struct key keys_profile[] = {
	{ "$schema", VALUE_TEXT, .flags = 0 },
	{ "extra", VALUE_OTHER, .rule = rule_object },
	{ "name", VALUE_TEXT, KEY_REQUIRED, .text = check_text_name },
	{ "old", VALUE_OBJECT, KEY_REQUIRED, .shape = &shape_old },
	{ "profile", VALUE_OTHER, KEY_REQUIRED, .rule = rule_version },
	{ "ranges", VALUE_TEXTS, .text = check_text_cidr },
	{ "spf_includes", VALUE_TEXTS, .text = check_text_domain },
	{ "title", VALUE_OBJECT, .shape = &shape_text },
};
const struct shape shape_profile = { .what = "a profile", .tables = { TABLE(keys_profile) } };

/* ---- keys that stand at the wrong level ------------------------------------------------------------------------- */

const char *shape_elsewhere(struct loading *l, const struct shape *shape, const char *key)
{
	static const struct shape *const levels[] = { &shape_root, &shape_defaults, &shape_wave,   &shape_tenant,
						      &shape_host, &shape_template, &shape_bastion };
	const char *list = NULL;
	bool is_level = shape == &shape_include;

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		is_level = is_level || levels[i] == shape;
	for (size_t i = 0; is_level && i < ARRAY_LEN(levels); i++)
		if (levels[i] != shape && shape_key(levels[i], key))
			list = list ? arena_fmt(&l->scratch, "%s, %s", list, levels[i]->what) : levels[i]->what;
	return list;
}
