#include "tests/unit/inventory/fixture.h"

#include "inventory/select.h"

#include "base/alloc.h"

static struct inventory *example(void)
{
	struct problems problems = { 0 };
	struct inventory *inv;

	ck_assert_int_eq(inventory_load(SOURCE_DIR "/inventory/examples/full.json", &file_source_disk, &inv, &problems,
					NULL),
			 0);
	return inv;
}

static void add(struct strings *list, const char *word)
{
	GROW_FOR_ONE(list->at, list->n);
	list->at[list->n++] = str_dup(word);
}

static char *selected(const struct selection *s, const struct inventory *inv)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < inv->tenants_n; i++)
		if (selection_tenant(s, &inv->tenants[i]))
			buf_addf(&out, "%s ", inv->tenants[i].id);
	return out.len ? buf_detach(&out) : str_dup("");
}

static void expect(struct selection *s, const struct inventory *inv, const char *wanted)
{
	char *ids = selected(s, inv);

	ck_assert_str_eq(ids, wanted);
	free(ids);
	selection_release(s);
}

START_TEST(test_tenants)
{
	struct inventory *inv = example();
	struct selection s = { 0 };

	expect(&s, inv, "acme basil cress ");
	add(&s.tenants, "acme");
	add(&s.tenants, "cress");
	expect(&s, inv, "acme cress ");
	add(&s.not_tenants, "acme");
	expect(&s, inv, "basil cress ");
	add(&s.waves, "w07");
	expect(&s, inv, "basil cress ");
	add(&s.labels, "gold");
	add(&s.labels, "silver");
	expect(&s, inv, "acme ");
	add(&s.labels, "gold");
	add(&s.waves, "w07");
	expect(&s, inv, "");
	add(&s.tenants, "acme");
	add(&s.not_tenants, "acme");
	expect(&s, inv, "");
	inventory_free(inv);
}
END_TEST

START_TEST(test_rows)
{
	struct inventory *inv = example();
	const struct tenant *acme = inventory_tenant(inv, "acme");
	const struct procedure_step *mx = procedure_step(inv->procedure, "mx"),
				    *spf = procedure_step(inv->procedure, "spf-expand");
	const struct host *dc1 = tenant_host(acme, "dc1"), *mx1 = tenant_host(acme, "mx1");
	struct selection s = { 0 };

	ck_assert(selection_step(&s, mx) && selection_host(&s, dc1) && selection_host(&s, NULL));
	ck_assert(!selection_names(&s, acme, mx, dc1));
	add(&s.hosts, "dc1");
	ck_assert(selection_host(&s, dc1) && !selection_host(&s, mx1) && !selection_host(&s, NULL));
	ck_assert(selection_names(&s, acme, mx, dc1) && !selection_names(&s, acme, mx, mx1) &&
		  !selection_names(&s, acme, mx, NULL));
	selection_release(&s);
	add(&s.steps, "mx");
	ck_assert(selection_step(&s, mx) && !selection_step(&s, spf) && selection_names(&s, acme, mx, NULL));
	selection_release(&s);
	s.phases = 1u << PHASE_PREPARE;
	ck_assert(!selection_step(&s, mx) && selection_step(&s, spf) && !selection_names(&s, acme, spf, NULL));
	add(&s.steps, "mx");
	ck_assert(!selection_step(&s, mx) && !selection_step(&s, spf));
	selection_release(&s);
	add(&s.tenants, "acme");
	ck_assert(selection_names(&s, acme, mx, NULL));
	selection_release(&s);
	inventory_free(inv);
}
END_TEST

START_TEST(test_names_must_exist)
{
	static const struct {
		size_t at;
		const char *word, *wanted;
	} rows[] = {
		{ offsetof(struct selection, tenants), "acne",
		  "--tenant acne: there is no such tenant in the inventory, did you mean \"acme\"?" },
		{ offsetof(struct selection, not_tenants), "zzz",
		  "--not-tenant zzz: there is no such tenant in the inventory" },
		{ offsetof(struct selection, waves), "w70", "did you mean \"w07\"?" },
		{ offsetof(struct selection, labels), "golt",
		  "--label golt: there is no such label in the inventory, did you mean \"gold\"?" },
		{ offsetof(struct selection, hosts), "dc", "did you mean \"dc1\"?" },
		{ offsetof(struct selection, steps), "sync_clint", "did you mean \"sync-client\"?" },
	};
	struct inventory *inv = example();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct selection s = { 0 };
		struct err err = { 0 };
		ck_assert_int_eq(selection_check(&s, inv, &err), 0);
		add((struct strings *)((char *)&s + rows[i].at), rows[i].word);
		ck_assert_int_eq(selection_check(&s, inv, &err), E_INVAL);
		ck_assert_msg(strstr(err.text, rows[i].wanted) != NULL, "%s", err.text);
		selection_release(&s);
	}
	inventory_free(inv);
}
END_TEST

START_TEST(test_json)
{
	struct selection s = { .phases = 1u << PHASE_SWITCH | 1u << PHASE_SETTLE,
			       .only = ONLY_FAILED | ONLY_UNFINISHED },
			 back;
	json_t *json, *again;
	struct err err = { 0 };

	add(&s.tenants, "acme");
	add(&s.labels, "gold");
	add(&s.labels, "東京");
	json = selection_to_json(&s);
	ck_assert_int_eq(selection_from_json(json, &back, NULL), 0);
	again = selection_to_json(&back);
	ck_assert(json_equal(json, again));
	ck_assert_uint_eq(back.phases, s.phases);
	ck_assert_uint_eq(back.only, s.only);
	ck_assert_str_eq(back.labels.at[1], "東京");
	json_object_set_new(json, "owners", json_array());
	selection_release(&back);
	ck_assert_int_eq(selection_from_json(json, &back, &err), E_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.text, "owners"));
	json_decref(json);
	json_decref(again);
	json = json_pack("{s[s]}", "phases", "later");
	ck_assert_int_eq(selection_from_json(json, &back, NULL), E_CORRUPT);
	json_decref(json);
	selection_release(&s);
}
END_TEST

SUITE(select)
{
	TEST_CASE(s, test_tenants);
	TEST_CASE(s, test_rows);
	TEST_CASE(s, test_names_must_exist);
	TEST_CASE(s, test_json);
}
