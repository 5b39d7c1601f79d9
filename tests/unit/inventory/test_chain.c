/* Nearest wins: every combination of layers that say something, against what the rule says by itself. */
#include "tests/unit/inventory/fixture.h"

#include "inventory/chain.h"

#include "base/alloc.h"

/* The layers, the nearest first: host, template, tenant, wave, defaults. Bit i of `mask`: layer i has the keys, with
   its number for each '#'. */
static char *inventory_with(unsigned mask, const char *keys)
{
	char *key[5], *text;

	for (int i = 0; i < 5; i++) {
		key[i] = str_dup(mask >> i & 1 ? keys : "");
		for (char *p = key[i]; *p; p++)
			*p = *p == '#' ? (char)('0' + i) : *p;
	}
	text = str_fmt(
		"{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'defaults': { 'migration_date':"
		" '2026-12-01' %s }, 'waves': { 'w': { 'new_fqdn': 'acme.hes2.example', 'windows': [ { 'start':"
		" '2026-12-08T22:00:00Z', 'end': '2026-12-09T05:00:00Z' } ] %s } }, 'templates': { 't': { 'os': 'linux'"
		" %s } }, 'tenants': [ { 'id': 'acme', 'wave': 'w' %s, 'hosts': [ { 'name': 'h', 'like': 't' %s } ] } "
		"] }",
		key[4], key[3], key[1], key[2], key[0]);
	for (int i = 0; i < 5; i++)
		free(key[i]);
	return text;
}

static const struct host *first_host(const struct inventory *inv)
{
	return &inv->tenants[0].hosts[0];
}

START_TEST(test_scalars)
{
	for (unsigned mask = 0; mask < 32; mask++) {
		char *text = inventory_with(mask, ", 'port': 100#, 'user': 'user#'");
		struct inventory *inv = load_good(text);
		const struct connection *c = &first_host(inv)->connection;
		int nearest = mask ? __builtin_ctz(mask) : -1;
		ck_assert_int_eq(c->port, mask ? 1000 + nearest : 22);
		if (mask)
			ck_assert_int_eq(c->user[4], '0' + nearest);
		else
			ck_assert_ptr_null(c->user);
		inventory_free(inv);
		free(text);
	}
}
END_TEST

START_TEST(test_arrays_replace)
{
	for (unsigned mask = 0; mask < 32; mask++) {
		char *text =
			inventory_with(mask, ", 'host_key': [ 'SHA256:#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',"
					     " 'ssh-rsa SHA256:#BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB' ]");
		struct inventory *inv = load_good(text);
		const struct strings *keys = &first_host(inv)->connection.host_keys;
		ck_assert_uint_eq(keys->n, mask ? 2 : 0);
		for (size_t i = 0; i < keys->n; i++)
			ck_assert_int_eq(*(strstr(keys->at[i], "SHA256:") + 7), '0' + __builtin_ctz(mask));
		inventory_free(inv);
		free(text);
	}
}
END_TEST

/* Objects merge key by key. Tenant level: tenant, wave, defaults are layers 2, 3, 4; each mask of who has which key. */
START_TEST(test_objects_merge)
{
	for (unsigned attempts = 0; attempts < 8; attempts++) {
		for (unsigned delay = 0; delay < 8; delay++) {
			char *part[3], *text;
			struct inventory *inv;
			for (unsigned i = 0; i < 3; i++)
				part[i] = str_fmt("'retry': { 'x-n': 0 %s%c %s%c }",
						  attempts >> i & 1 ? ", 'attempts': 1" : "",
						  attempts >> i & 1 ? '0' + (int)i : ' ',
						  delay >> i & 1 ? ", 'max_delay_s': 50" : "",
						  delay >> i & 1 ? '0' + (int)i : ' ');
			text = str_fmt("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', "
				       "'defaults': { %s },"
				       " 'waves': { 'w': { %s } }, 'tenants': [ { 'id': 'acme', 'wave': 'w', %s, "
				       "'migration_date':"
				       " '2026-12-05', 'new_fqdn': 'a.example', 'windows': [ { 'start': "
				       "'2026-12-08T22:00:00Z',"
				       " 'end': '2026-12-09T05:00:00Z' } ] } ] }",
				       part[2], part[1], part[0]);
			inv = load_good(text);
			ck_assert_int_eq(inv->tenants[0].retry.attempts, attempts ? 10 + __builtin_ctz(attempts) : 4);
			ck_assert_int_eq(inv->tenants[0].retry.max_delay_ms,
					 delay ? (500 + __builtin_ctz(delay)) * 1000 : 120000);
			inventory_free(inv);
			free(text);
			for (int i = 0; i < 3; i++)
				free(part[i]);
		}
	}
}
END_TEST

static struct chain chain_of(json_t *const *objects, size_t n)
{
	struct chain c = { .n = 0 };

	for (size_t i = 0; i < n; i++)
		chain_add(&c, objects[i], (struct place){ .file = "f" }, NULL);
	return c;
}

/* A scalar between objects hides what is behind it. */
START_TEST(test_scalar_hides)
{
	json_t *objects[3] = { json_loads("{\"a\": {\"x\": 1}}", 0, NULL), json_loads("{\"a\": 7}", 0, NULL),
			       json_loads("{\"a\": {\"x\": 2, \"y\": 3}}", 0, NULL) };
	struct chain c = chain_of(objects, 3), sub = chain_sub(&c, "a");

	ck_assert_uint_eq(sub.n, 1);
	ck_assert_int_eq(chain_int(&sub, "x", 0), 1);
	ck_assert_int_eq(chain_int(&sub, "y", 0), 0);
	c = chain_of(objects + 1, 2);
	ck_assert_uint_eq(chain_sub(&c, "a").n, 0);
	ck_assert_int_eq(chain_int(&c, "a", 0), 7);
	for (int i = 0; i < 3; i++)
		json_decref(objects[i]);
}
END_TEST

/* Random small objects: the merged value has, for each path, what the nearest layer says. */
static json_t *random_object(int depth)
{
	static const char *const keys[] = { "a", "b", "c" };
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		int dice = rand() % 4;
		if (dice == 1)
			json_object_set_new(object, keys[i], json_integer(rand() % 100));
		else if (dice == 2)
			json_object_set_new(object, keys[i], json_pack("[i]", rand() % 100));
		else if (dice == 3 && depth)
			json_object_set_new(object, keys[i], random_object(depth - 1));
	}
	return object;
}

/* Merging two is enough to say what merging many is: from the farthest on, each nearer one is laid over it. */
static json_t *laid_over(const json_t *near, const json_t *far)
{
	json_t *out, *value;
	const char *key;

	if (!json_is_object(near) || !json_is_object(far))
		return json_deep_copy(near);
	out = json_deep_copy(far);
	json_object_foreach((json_t *)near, key, value) {
		json_t *behind = json_object_get(far, key);
		json_object_set_new(out, key, behind ? laid_over(value, behind) : json_deep_copy(value));
	}
	return out;
}

START_TEST(test_merge_random)
{
	srand(5);
	for (int round = 0; round < 3000; round++) {
		json_t *objects[CHAIN_MAX], *wanted, *merged;
		size_t n = (size_t)rand() % CHAIN_MAX + 1;
		struct chain c;
		for (size_t i = 0; i < n; i++)
			objects[i] = random_object(2);
		wanted = json_deep_copy(objects[n - 1]);
		for (size_t i = n - 1; i-- > 0;) {
			json_t *next = laid_over(objects[i], wanted);
			json_decref(wanted);
			wanted = next;
		}
		c = chain_of(objects, n);
		merged = chain_merged(&c);
		ck_assert_msg(json_equal(merged, wanted), "round %d", round);
		json_decref(merged);
		json_decref(wanted);
		for (size_t i = 0; i < n; i++)
			json_decref(objects[i]);
	}
}
END_TEST

SUITE(chain)
{
	TEST_CASE(s, test_scalars);
	TEST_CASE(s, test_arrays_replace);
	TEST_CASE(s, test_objects_merge);
	TEST_CASE(s, test_scalar_hides);
	TEST_CASE(s, test_merge_random);
}
