/*
 * Each value of an inventory, a procedure and a profile, in turn, replaced by a value of each other kind: the loader
 * says problems or loads, whatever stands where. Run under the sanitizers this is what shows that decoding trusts
 * nothing.
 */
#include "tests/unit/inventory/fixture.h"

#include "base/alloc.h"
#include "base/file.h"

/* Small, since it is read thousands of times; the steps and agents are those of inventory/examples/full.json. */
static const char procedure[] =
	"{ 'procedure': 1, 'name': 'p', 'title': { 'en': 'P', 'ja': 'P' }, 'agents': { 'person': { 'scope': ['host', "
	"'tenant'],"
	" 'params': { 'note': 'string' } }, 'ad-sync-client': { 'scope': ['host'] }, 'ruby-client': { 'scope': "
	"['host'], 'params': {"
	" 'path': { 'type': 'string', 'matches': '^/', 'hint': 'absolute' }, 'run': 'string', 'run_as': 'string', "
	"'schedule': 'string' } },"
	" 'postfix-relay': { 'scope': ['host'] }, 'nftables-allow': { 'scope': ['host'], 'params': { 'direction': "
	"'strings' } } },"
	" 'steps': [ { 'name': 'firewall', 'phase': 'prepare', 'title': { 'en': 'F' }, 'instruction': { 'en': 'Allow "
	"{ranges}' },"
	" 'governed_by': 'restricted_firewall', 'agents': [ { 'agent': 'nftables-allow' } ] },"
	" { 'name': 'relay-host', 'phase': 'switch', 'title': { 'en': 'R' }, 'governed_by': 'outbound_filter', "
	"'agents': [ { 'agent':"
	" 'postfix-relay' } ], 'needs': [ 'firewall' ] }, { 'name': 'sync-client', 'phase': 'switch', 'title': { 'en': "
	"'S' },"
	" 'governed_by': 'directory_sync', 'agents': [ { 'agent': 'ad-sync-client' }, { 'agent': 'ruby-client' } ] },"
	" { 'name': 'notice', 'phase': 'ready', 'title': { 'en': 'N' }, 'governed_by': 'quarantine_notification', "
	"'agents': [ { 'agent':"
	" 'person', 'scope': 'tenant', 'with': { 'note': 'x' } } ] }, { 'name': 'mx', 'phase': 'switch', 'title': { "
	"'en': 'M' },"
	" 'per_domain': true, 'agents': [ { 'agent': 'person', 'scope': 'tenant' } ], 'needs': [ 'firewall' ], "
	"'waits_for': [ 'relay-host' ] } ] }";
static const char profile[] =
	"{ 'profile': 1, 'name': 'q', 'old': { 'relay': ['r.old.example'], 'web_service': ['w.old.example'],"
	" 'mx': ['m.old.example'] }, 'ranges': ['192.0.2.0/24'], 'spf_includes': ['spf.old.example'],"
	" 'extra': { 'a': 1 } }";

static const char *const replacements[] = {
	"null",           "7", "-1.5", "true", "\"\"", "\"x\"", "[]", "[null]", "[[\"x\"]]", "{}", "{\"name\": \"x\"}",
	"[{\"name\": 1}]"
};

/* The value at number *n of a walk through `value` is replaced by `by`; false when there are not so many. */
static bool replace(json_t *value, size_t *n, json_t *by)
{
	const char *key;
	json_t *member;
	void *next;
	size_t i;

	json_object_foreach_safe(value, next, key, member) {
		if ((*n)-- == 0)
			return json_object_set(value, key, by) == 0;
		if (replace(member, n, by))
			return true;
	}
	json_array_foreach(value, i, member) {
		if ((*n)-- == 0)
			return json_array_set(value, i, by) == 0;
		if (replace(member, n, by))
			return true;
	}
	return false;
}

static void load_one(const json_t *root, const char *other[2], int which)
{
	char *bytes = json_dumps(root, 0);
	const struct text_file files[] = { { "/m/inv.json", which == 0 ? bytes : other[0] },
					   { "/m/p.json", which == 1   ? bytes
							  : which == 0 ? other[0]
								       : other[1] },
					   { "/m/q.json", which == 2 ? bytes : other[1] },
					   { NULL, NULL } };
	struct file_source source = text_source(files);
	struct problems problems = { 0 };
	struct inventory *inv;
	int r = inventory_load("/m/inv.json", &source, &inv, &problems, NULL);

	ck_assert_int_eq(r == 0, inv != NULL && problems.n == 0);
	inventory_free(inv);
	problems_release(&problems);
	free(bytes);
}

/* The example, with the small procedure and profile, and without its includes. */
static json_t *example(void)
{
	json_t *root = json_load_file(SOURCE_DIR "/inventory/examples/full.json", 0, NULL);

	ck_assert_ptr_nonnull(root);
	json_object_del(root, "//"); /* it holds an apostrophe, which the fixture takes for a quote */
	json_object_del(root, "include");
	json_object_set_new(root, "procedure", json_string("p.json"));
	json_object_set_new(root, "profile", json_string("q.json"));
	return root;
}

static json_t *parsed(const char *text)
{
	char *bytes = quoted(text);
	json_t *root = json_loads(bytes, 0, NULL);

	ck_assert_ptr_nonnull(root);
	free(bytes);
	return root;
}

/* Loop test: the inventory in SLICES parts, then the procedure, then the profile. */
#define SLICES 8

START_TEST(test_any_value)
{
	int which = _i < SLICES ? 0 : _i - SLICES + 1;
	json_t *inventory = example(),
	       *root = which == 0 ? json_incref(inventory) : parsed(which == 1 ? procedure : profile);
	char *inventory_bytes = json_dumps(inventory, 0);
	const char *other[2] = { which == 0 ? procedure : inventory_bytes, which == 2 ? procedure : profile };
	size_t at = which == 0 ? (size_t)_i : 0, step = which == 0 ? SLICES : 1, tried = 0;

	for (bool more = true; more; at += step) {
		for (size_t r = 0; more && r < ARRAY_LEN(replacements); r++) {
			json_t *copy = json_deep_copy(root), *by = json_loads(replacements[r], JSON_DECODE_ANY, NULL);
			size_t n = at;
			more = replace(copy, &n, by);
			tried += more;
			load_one(copy, other, which);
			json_decref(copy);
			json_decref(by);
		}
	}
	ck_assert_uint_gt(tried, 100);
	free(inventory_bytes);
	json_decref(inventory);
	json_decref(root);
}
END_TEST

/* As it stands it is valid: what is tried above is near something that loads. */
START_TEST(test_base)
{
	json_t *root = example();
	char *bytes = json_dumps(root, 0);
	const struct text_file files[] = {
		{ "/m/inv.json", bytes }, { "/m/p.json", procedure }, { "/m/q.json", profile }, { NULL, NULL }
	};
	struct problems problems = { 0 };
	struct inventory *inv = load_texts(files, &problems);
	char *said = problems_text(&problems);

	ck_assert_msg(inv != NULL, "%s", said);
	inventory_free(inv);
	problems_release(&problems);
	free(said);
	free(bytes);
	json_decref(root);
}
END_TEST

SUITE(robust)
{
	TEST_CASE(s, test_base);
	TEST_CASE_LOOP(s, test_any_value, 0, SLICES + 2);
}
