#include "tests/unit/inventory/fixture.h"

#include "inventory/show.h"

#include "base/alloc.h"
#include "base/file.h"

static struct inventory *example(void)
{
	struct problems problems = { 0 };
	struct inventory *inv;

	ck_assert_int_eq(inventory_load(SOURCE_DIR "/inventory/examples/full.json", &file_source_disk, &inv, &problems,
					NULL),
			 0);
	return inv;
}

/* The machine's own paths stand as "@" in the golden files. Alignment is not touched: such values end their columns. */
static char *without_paths(const char *text)
{
	struct buf out = BUF_INIT;
	const char *found;

	for (; (found = strstr(text, SOURCE_DIR)) != NULL; text = found + strlen(SOURCE_DIR))
		buf_addf(&out, "%.*s@", (int)(found - text), text);
	buf_adds(&out, text);
	return buf_detach(&out);
}

/* Columns are as wide as the machine's paths are long: runs of blanks count as two. */
static char *single_spaced(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++)
		if (!(p > text + 1 && p[0] == ' ' && p[-1] == ' ' && p[-2] == ' '))
			*to++ = *p;
	*to = '\0';
	return text;
}

static void compare(struct inventory *inv, const char *tenant)
{
	char *path = str_fmt(SOURCE_DIR "/tests/golden/inventory/show_%s.txt", tenant), *said, *wanted;
	struct buf out = BUF_INIT, golden = BUF_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(inventory_show(inv, tenant, &out, &err), 0);
	ck_assert_int_eq(file_read(path, 1 << 20, &golden, NULL), 0);
	said = single_spaced(without_paths(buf_str(&out)));
	wanted = single_spaced(str_dup(buf_str(&golden)));
	ck_assert_str_eq(said, wanted);
	free(said);
	free(wanted);
	free(path);
	buf_release(&out);
	buf_release(&golden);
}

START_TEST(test_golden)
{
	struct inventory *inv = example();

	compare(inv, "acme");
	compare(inv, "basil");
	compare(inv, "cress");
	inventory_free(inv);
}
END_TEST

START_TEST(test_unknown)
{
	struct inventory *inv = example();
	struct buf out = BUF_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(inventory_show(inv, "amce", &out, &err), E_NOTFOUND);
	ck_assert_str_eq(err.text, "there is no tenant \"amce\" in the inventory, did you mean \"acme\"?");
	ck_assert_uint_eq(out.len, 0);
	inventory_free(inv);
}
END_TEST

/* Every good inventory of the corpus can be shown, tenant by tenant; and twice, since nothing is used up. */
START_TEST(test_all_can_be_shown)
{
	static const char *const names[] = { "all_tenant_keys", "second_procedure",    "include_parts",
					     "bastion_chain",   "via_command",         "template",
					     "comments",        "defaults_everywhere", "dns_providers",
					     "domains_none" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = str_fmt(SOURCE_DIR "/tests/corpus/good/%s.json", names[i]);
		struct problems problems = { 0 };
		struct inventory *inv;
		ck_assert_int_eq(inventory_load(path, &file_source_disk, &inv, &problems, NULL), 0);
		for (size_t j = 0; j < 2 * inv->tenants_n; j++) {
			struct buf out = BUF_INIT;
			ck_assert_int_eq(inventory_show(inv, inv->tenants[j / 2].id, &out, NULL), 0);
			ck_assert_ptr_nonnull(strstr(buf_str(&out), "migration_date"));
			buf_release(&out);
		}
		inventory_free(inv);
		free(path);
	}
}
END_TEST

SUITE(show)
{
	TEST_CASE(s, test_golden);
	TEST_CASE(s, test_unknown);
	TEST_CASE(s, test_all_can_be_shown);
}
