/* What the journal is told of the shipped procedure and of the tenants of an example, for reports. */
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "engine/describe.h"
#include "inventory/load.h"

static struct inventory *example(void)
{
	struct problems problems = { 0 };
	struct inventory *inv = NULL;
	struct err err = { 0 };

	ck_assert_msg(inventory_load(SOURCE_DIR "/inventory/examples/full.json", &file_source_disk, &inv, &problems,
				     &err) == 0,
		      "%s", err.text);
	problems_release(&problems);
	return inv;
}

static json_t *parsed(char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json);
	free(text);
	return json;
}

START_TEST(test_procedure_says_what_is_not_proved)
{
	struct inventory *inv = example();
	json_t *note = parsed(describe_procedure(inv->procedure)), *step;
	size_t i, told = 0;

	json_array_foreach(json_object_get(note, "steps"), i, step) {
		const json_t *without = json_object_get(step, "without");

		if (!without)
			continue;
		told++;
		ck_assert_str_eq(json_string_value(json_object_get(step, "step")), "sync-client");
		ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(without, "en")), "the sync itself"));
		ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(without, "ja")), "同期そのもの"));
	}
	ck_assert_uint_eq(told, 1);
	json_decref(note);
	inventory_free(inv);
}
END_TEST

/* Without web_service nobody can look at the sync's result (contract: Applicability). */
START_TEST(test_tenant_without_web_service)
{
	struct inventory *inv = example();
	size_t with = 0;

	for (size_t i = 0; i < inv->tenants_n; i++) {
		const struct tenant *t = &inv->tenants[i];
		json_t *note = parsed(describe_tenant(t, inv->procedure, 1));
		const json_t *without = json_object_get(note, "without");

		with += t->has_web_service;
		ck_assert_uint_eq(json_array_size(without), !t->has_web_service);
		if (!t->has_web_service)
			ck_assert_str_eq(json_string_value(json_array_get(without, 0)), "sync-client");
		json_decref(note);
	}
	ck_assert(with > 0 && with < inv->tenants_n);
	inventory_free(inv);
}
END_TEST

SUITE(describe)
{
	TEST_CASE(s, test_procedure_says_what_is_not_proved);
	TEST_CASE(s, test_tenant_without_web_service);
}
