#include "tests/unit/inventory/fixture.h"

#include "inventory/instruction.h"

#include "base/alloc.h"

/* The table of the contract: what other parts and people's habits are built on. */
static const struct {
	const char *name, *vendor_step;
	enum phase phase;
	const char *governed_by;
	bool per_domain;
	const char *agents, *needs;
} steps[] = {
	{ "firewall", "1", PHASE_PREPARE, "restricted_firewall", false,
	  "nftables-allow iptables-allow firewalld-allow ufw-allow person ", "" },
	{ "spf-expand", "8 (first half)", PHASE_PREPARE, NULL, true, "spf ", "" },
	{ "mx-ttl", "9 (before)", PHASE_PREPARE, NULL, true, "mx ", "" },
	{ "outbound-registration", "2", PHASE_READY, "outbound_filter", false, "relay-probe person ", "" },
	{ "web-service-reach", "4 (before)", PHASE_READY, "directory_sync", false, "web-service ", "" },
	{ "test-mail", "5", PHASE_READY, NULL, true, "test-mail person ", "firewall " },
	{ "template-review", "6", PHASE_READY, "quarantine_notification", false, "template-lint person ", "" },
	{ "template-change", "7", PHASE_READY, "quarantine_notification", false, "person ", "template-review " },
	{ "relay-host", "3", PHASE_SWITCH, "outbound_filter", false,
	  "postfix-relay exim-relay sendmail-relay opensmtpd-relay person ",
	  "spf-expand firewall outbound-registration " },
	{ "sync-client", "4", PHASE_SWITCH, "directory_sync", false, "ad-sync-client ruby-client web-service ", "" },
	{ "mx", "9", PHASE_SWITCH, NULL, true, "mx ", "mx-ttl " },
	{ "mx-watch", "9", PHASE_SETTLE, NULL, true, "mx ", "mx " },
	{ "spf-contract", "8 (second half)", PHASE_SETTLE, NULL, true, "spf ", "mx-watch " },
	{ "ttl-restore", "9", PHASE_SETTLE, NULL, true, "mx ", "mx-watch " },
	{ "clean-up", "", PHASE_SETTLE, NULL, false, "clean-up ",
	  "firewall spf-expand mx-ttl outbound-registration web-service-reach test-mail template-review "
	  "template-change relay-host "
	  "sync-client mx mx-watch spf-contract ttl-restore " },
};

static struct inventory *example(const char *name)
{
	char *path = str_fmt(SOURCE_DIR "/%s", name);
	struct problems problems = { 0 };
	struct inventory *inv;

	ck_assert_int_eq(inventory_load(path, &file_source_disk, &inv, &problems, NULL), 0);
	free(path);
	return inv;
}

START_TEST(test_hes)
{
	struct inventory *inv = example("inventory/examples/full.json");
	const struct procedure *p = inv->procedure;

	ck_assert_str_eq(p->name, "hes-1-to-2");
	ck_assert_uint_eq(p->steps_n, ARRAY_LEN(steps));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const struct procedure_step *step = &p->steps[i];
		struct buf agents = BUF_INIT, needs = BUF_INIT;
		ck_assert_str_eq(step->name, steps[i].name);
		ck_assert_str_eq(step->vendor_step, steps[i].vendor_step);
		ck_assert_int_eq(step->phase, steps[i].phase);
		ck_assert_int_eq(step->per_domain, steps[i].per_domain);
		ck_assert_pstr_eq(step->governed_by, steps[i].governed_by);
		for (size_t j = 0; j < step->agents_n; j++)
			buf_addf(&agents, "%s ", step->agents[j].decl->name);
		for (size_t j = 0; j < step->needs_n; j++)
			buf_addf(&needs, "%s ", step->needs[j]->name);
		ck_assert_str_eq(buf_str(&agents), steps[i].agents);
		ck_assert_str_eq(buf_str(&needs), steps[i].needs);
		ck_assert_ptr_nonnull(step->title.ja);
		ck_assert(i + 1 == ARRAY_LEN(steps) || (*step->instruction.en && step->instruction.ja));
		buf_release(&agents);
		buf_release(&needs);
	}
	/* Without an account of the web service there is nobody to ask (contract: Applicability). */
	for (size_t i = 0; i < p->steps_n; i++)
		for (size_t j = 0; j < p->steps[i].agents_n; j++)
			if (strcmp(p->steps[i].agents[j].decl->name, "web-service") == 0)
				ck_assert_str_eq(json_string_value(json_object_get(p->steps[i].agents[j].with, "when")),
						 "web_service");
	inventory_free(inv);
}
END_TEST

/* MX waits for all of prepare, ready and switch before it, but template-change; a tenant's own list replaces that. */
START_TEST(test_waits_for)
{
	struct inventory *inv = example("inventory/examples/full.json");
	const struct procedure_step *mx = procedure_step(inv->procedure, "mx");
	size_t n, wanted = 0;
	const struct procedure_step *const *list = tenant_waits_for(&inv->tenants[0], mx, &n);

	for (const struct procedure_step *s = inv->procedure->steps; s < mx; s++) {
		if (strcmp(s->name, "template-change") == 0)
			continue;
		ck_assert(wanted < n && list[wanted] == s);
		wanted++;
	}
	ck_assert_uint_eq(n, wanted);
	tenant_waits_for(&inv->tenants[0], procedure_step(inv->procedure, "relay-host"), &n);
	ck_assert_uint_eq(n, 0);
	inventory_free(inv);
	inv = example("tests/corpus/good/all_tenant_keys.json");
	mx = procedure_step(inv->procedure, "mx");
	list = tenant_waits_for(&inv->tenants[0], mx, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[0]->name, "sync-client");
	tenant_waits_for(&inv->tenants[0], procedure_step(inv->procedure, "relay-host"), &n);
	ck_assert_uint_eq(n, 0);
	inventory_free(inv);
}
END_TEST

START_TEST(test_profiles)
{
	struct inventory *inv = example("inventory/examples/full.json");

	ck_assert_str_eq(inv->profile->name, "hes-global");
	ck_assert_str_eq(inv->profile->old_web_service.at[0], "us.imhs-ws.trendmicro.com");
	ck_assert_str_eq(inv->profile->old_relay.at[0], "relay.sjc.mx.trendmicro.com");
	ck_assert_uint_eq(inv->profile->ranges.n, 5);
	ck_assert_str_eq(inv->profile->ranges.at[3], "54.219.191.0/25");
	ck_assert_str_eq(inv->profile->spf_includes.at[0], "spf.sjc.mx.trendmicro.com");
	ck_assert(json_is_object(json_object_get(inv->profile->extra, "digest_tokens")));
	inventory_free(inv);
	inv = load_good(
		"{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-emea', 'tenants': [ { 'id': 'acme',"
		" 'migration_date': '2026-12-05', 'new_fqdn': 'acme.hes2.example', 'windows': [ { 'start':"
		" '2026-12-08T22:00:00+09:00', 'end': '2026-12-09T05:00:00+09:00' } ] } ] }");
	ck_assert_str_eq(inv->profile->old_web_service.at[0], "imhs-ws.trendmicro.eu");
	ck_assert_uint_eq(inv->profile->ranges.n, 3);
	ck_assert_uint_eq(inv->profile->old_mx.n, 0);
	inventory_free(inv);
}
END_TEST

/* A made-up service from files: nothing in the program knows a vendor. */
START_TEST(test_second_procedure)
{
	struct inventory *inv = example("tests/corpus/good/second_procedure.json");
	const struct tenant *t = &inv->tenants[0];
	const struct agent_use *use = &t->hosts[0].agents[0];
	const struct procedure_step *scan = procedure_step(inv->procedure, "scan"),
				    *paper = procedure_step(inv->procedure, "paper");
	struct buf text = BUF_INIT;

	ck_assert_str_eq(inv->procedure->name, "printer-move");
	ck_assert_uint_eq(inv->procedure->steps_n, 4);
	ck_assert_int_eq(tenant_uses(t, "colour"), TRI_TRUE);
	ck_assert_int_eq(tenant_uses(t, "scan_to_mail"), TRI_FALSE);
	ck_assert_int_eq(tenant_uses(t, "directory_sync"), TRI_UNKNOWN);
	ck_assert_int_eq(tenant_who(t, paper), WHO_CUSTOMER);
	ck_assert_int_eq(tenant_who(t, scan), WHO_US);
	ck_assert_str_eq(scan->needs[0]->name, "queue");
	ck_assert_str_eq(json_string_value(json_object_get(paper->agents[0].with, "note")), "A3");
	ck_assert_str_eq(use->decl->name, "cups-queue");
	ck_assert_int_eq(use->decl->scope, SCOPE_HOST);
	ck_assert_uint_eq(json_array_size(json_object_get(use->params, "options")), 2);
	ck_assert_ptr_null(json_object_get(use->params, "agent"));
	ck_assert_str_eq(inv->profile->name, "printers-osaka");
	instruction_write(&text, inv, t, paper, NULL, NULL);
	ck_assert_str_eq(buf_str(&text), "Lay A3 into the printers of acme.");
	buf_release(&text);
	ck_assert_uint_eq(inv->files_n, 3);
	inventory_free(inv);
}
END_TEST

/* The placeholders of a text, sorted, each once: "domain new_fqdn.mx ". The caller frees. */
static char *placeholders(const char *text)
{
	char *names[64];
	size_t n = 0;
	struct buf out = BUF_INIT;

	for (const char *open; (open = strchr(text, '{')) != NULL; text = open + 1)
		names[n++] = str_ndup(open + 1, strcspn(open + 1, "}"));
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (strcmp(names[k], names[i]) < 0) {
				char *other = names[i];
				names[i] = names[k];
				names[k] = other;
			}
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			buf_addf(&out, "%s ", names[i]);
		if (i)
			free(names[i - 1]);
	}
	if (n)
		free(names[n - 1]);
	return buf_detach(&out);
}

/* Whoever reads it is told the same: each step that a person can do says how in both languages, with the same values. */
START_TEST(test_instructions)
{
	struct inventory *inv = example("inventory/examples/full.json");
	size_t told = 0;

	for (size_t i = 0; i < inv->procedure->steps_n; i++) {
		const struct procedure_step *s = &inv->procedure->steps[i];
		char *en, *ja;

		ck_assert_msg(s->title.ja != NULL, "%s has no Japanese title", s->name);
		if (strcmp(s->name, "clean-up") == 0)
			continue;
		ck_assert_msg(*s->instruction.en && s->instruction.ja, "%s: its instruction lacks a language", s->name);
		en = placeholders(s->instruction.en);
		ja = placeholders(s->instruction.ja);
		ck_assert_str_eq(en ? en : "", ja ? ja : "");
		told++;
		free(en);
		free(ja);
	}
	ck_assert_uint_eq(told, 14);
	inventory_free(inv);
}
END_TEST

SUITE(procedure)
{
	TEST_CASE(s, test_instructions);
	TEST_CASE(s, test_hes);
	TEST_CASE(s, test_waits_for);
	TEST_CASE(s, test_profiles);
	TEST_CASE(s, test_second_procedure);
}
