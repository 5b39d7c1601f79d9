#include "tests/unit/inventory/fixture.h"

#include "inventory/instruction.h"

#include "base/alloc.h"

START_TEST(test_check)
{
	struct err err = { 0 };

	ck_assert_int_eq(instruction_check("", NULL), 0);
	ck_assert_int_eq(instruction_check("{new_fqdn.relay} and {ranges}", NULL), 0);
	ck_assert_int_eq(instruction_check("{new_fqdn.rely}", &err), E_INVAL);
	ck_assert_str_eq(err.text, "unknown placeholder \"{new_fqdn.rely}\", did you mean \"{new_fqdn.relay}\"?");
	ck_assert_int_eq(instruction_check("{}", NULL), E_INVAL);
	ck_assert_int_eq(instruction_check("a { b", &err), E_INVAL);
	ck_assert_str_eq(err.text, "a \"{\" has no \"}\"");
}
END_TEST

static void expect(const struct inventory *inv, const struct tenant *t, const struct host *h, const struct domain *d,
		   const char *text, const char *wanted)
{
	struct procedure_step step = { .instruction = { .en = (char *)text } };
	struct buf out = BUF_INIT;

	instruction_write(&out, inv, t, &step, h, d);
	ck_assert_str_eq(buf_str(&out), wanted);
	buf_release(&out);
}

START_TEST(test_write)
{
	struct problems problems = { 0 };
	struct inventory *inv;
	const struct tenant *acme, *cress;

	ck_assert_int_eq(inventory_load(SOURCE_DIR "/inventory/examples/full.json", &file_source_disk, &inv, &problems,
					NULL),
			 0);
	acme = inventory_tenant(inv, "acme");
	cress = inventory_tenant(inv, "cress");
	expect(inv, acme, NULL, NULL, "", "");
	expect(inv, acme, NULL, NULL, "a{b", "a{b");
	expect(inv, acme, NULL, NULL, "{tenant}: {tenant.name}", "acme: ACME株式会社");
	expect(inv, acme, NULL, NULL, "{new_fqdn.relay} {new_fqdn.web_service} {new_fqdn.mx}",
	       "relay.acme.hes2.example ws.acme.hes2.example mx.acme.hes2.example");
	expect(inv, acme, NULL, NULL, "{old.relay}|{old.web_service}|{old.mx}",
	       "relay.sjc.mx.trendmicro.com|us.imhs-ws.trendmicro.com|in.sjc.mx.trendmicro.com");
	expect(inv, acme, NULL, NULL, "{host}", "dc1, sync1, mx1");
	expect(inv, acme, &acme->hosts[2], NULL, "{host} at {address}: {mta.public_ips}",
	       "mx1 at 192.168.1.25: 203.0.113.77");
	expect(inv, acme, &acme->hosts[0], NULL, "{mta.public_ips}", "(記載なし)");
	expect(inv, cress, NULL, NULL, "{domain} {domains} {test_mailbox}.",
	       "cress.example, cress-mail.example cress.example, cress-mail.example (not given).");
	expect(inv, cress, NULL, &cress->domains[1], "{domain} of {domains}",
	       "cress-mail.example of cress.example, cress-mail.example");
	expect(inv, acme, NULL, NULL, "{migration_date}, {vendor_period}",
	       "2026-12-01, 2026-12-01T00:00:00+09:00 – 2026-12-22T00:00:00+09:00");
	expect(inv, acme, NULL, NULL, "{spf_includes} {ranges}",
	       "spf.sjc.mx.trendmicro.com 216.104.0.0/19, 216.99.128.0/20, 150.70.0.0/16, 54.219.191.0/25, "
	       "54.86.63.64/26");
	inventory_free(inv);
}
END_TEST

/* What the schema tells an editor is what there is. */
START_TEST(test_schema)
{
	json_t *schema = json_load_file(SOURCE_DIR "/schema/procedure.v1.schema.json", 0, NULL);
	json_t *step = json_object_get(json_object_get(json_object_get(schema, "definitions"), "step"), "properties");
	const char *said = json_string_value(json_object_get(json_object_get(step, "instruction"), "description"));
	size_t n = 0;

	ck_assert_ptr_nonnull(said);
	ck_assert_int_eq(instruction_check(said, NULL), 0);
	for (const char *p = said; (p = strchr(p, '{')) != NULL; p++)
		n++;
	ck_assert_uint_eq(n, INSTRUCTION_PLACEHOLDERS);
	json_decref(schema);
}
END_TEST

SUITE(instruction)
{
	TEST_CASE(s, test_schema);
	TEST_CASE(s, test_check);
	TEST_CASE(s, test_write);
}
