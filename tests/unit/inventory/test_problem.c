#include "tests/unit/inventory/fixture.h"

#include "inventory/loading.h"

#include "base/alloc.h"

static char *pointer_of(const struct place *place)
{
	struct buf out = BUF_INIT;

	place_pointer(place, &out);
	return out.len ? buf_detach(&out) : str_dup("");
}

START_TEST(test_place)
{
	struct place root = { .file = "/m/f.json" }, list = place_key(&root, "a/b~c"), one = place_index(&list, 3);
	struct place deep = place_key(&one, "");
	char *text = pointer_of(&deep);

	ck_assert_str_eq(text, "/a~1b~0c/3/");
	ck_assert_str_eq(place_file(&deep), "/m/f.json");
	free(text);
	text = pointer_of(&root);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

static void expect(const struct place *place, const char *tenant, const char *host, const char *wanted)
{
	struct problems problems = { 0 };
	struct loading l = { .problems = &problems, .tenant = tenant, .host = host };
	char *said;

	problem_add(&l, place, "is %s", "wrong");
	said = problem_format(&problems.at[0]);
	ck_assert_str_eq(said, wanted);
	free(said);
	problems_release(&problems);
	loading_release(&l);
}

/* Whose a problem is: the names above it; for a value of a wave or template, those who take it in. */
START_TEST(test_subject)
{
	struct place root = { .file = "f" }, tenants = place_key(&root, "tenants"), t = place_index(&tenants, 0), host,
		     key, wave;

	t.tenant = "acme";
	host = place_key(&t, "h");
	host.host = "dc1";
	key = place_key(&host, "port");
	wave = place_key(&root, "waves");
	expect(&root, NULL, NULL, "f: is wrong");
	expect(&tenants, NULL, NULL, "f: /tenants: is wrong");
	expect(&t, NULL, NULL, "f: /tenants/0 (tenant acme): is wrong");
	expect(&key, NULL, NULL, "f: /tenants/0/h/port (tenant acme, host dc1): is wrong");
	expect(&key, "acme", "other", "f: /tenants/0/h/port (tenant acme, host dc1): is wrong");
	expect(&t, "acme", "dc1", "f: /tenants/0 (tenant acme, host dc1): is wrong");
	expect(&wave, "acme", "dc1", "f: /waves (tenant acme, host dc1): is wrong");
	expect(&wave, "acme", NULL, "f: /waves (tenant acme): is wrong");
	expect(&wave, "", NULL, "f: /waves: is wrong");
}
END_TEST

START_TEST(test_once)
{
	struct problems problems = { 0 };
	struct loading l = { .problems = &problems };
	struct place root = { .file = "f" }, key = place_key(&root, "a");

	problem_add(&l, &key, "x");
	problem_add(&l, &key, "x");
	problem_add(&l, &root, "x");
	problem_add(&l, &key, "y");
	problem_add_file(&l, "f", 3, 4, "z");
	ck_assert_uint_eq(problems.n, 4);
	ck_assert_int_eq(problems.at[3].line, 3);
	l.quiet = true;
	problem_add(&l, &key, "w");
	ck_assert_uint_eq(problems.n, 4);
	problems_release(&problems);
	loading_release(&l);
}
END_TEST

START_TEST(test_printable)
{
	struct problems problems = { 0 };
	struct loading l = { .problems = &problems };
	struct place root = { .file = "f" };

	problem_add(&l, &root,
		    "a\x1b[0m\n\x7f"
		    "\xC2\x9B"
		    "2J \xE3\x83 テ\xE3");
	ck_assert_str_eq(problems.at[0].text, "a?[0m????2J ?? テ?");
	problems_release(&problems);
	loading_release(&l);
}
END_TEST

START_TEST(test_excuse)
{
	struct problems problems = { 0 };
	struct loading l = { .problems = &problems };
	json_t *one = json_object(), *other = json_object();

	ck_assert(!problem_excused(&l, one, "address"));
	problem_excuse(&l, one, "address");
	ck_assert(problem_excused(&l, one, "address"));
	ck_assert(!problem_excused(&l, one, "port"));
	ck_assert(!problem_excused(&l, other, "address"));
	json_decref(one);
	json_decref(other);
	loading_release(&l);
}
END_TEST

SUITE(problem)
{
	TEST_CASE(s, test_place);
	TEST_CASE(s, test_subject);
	TEST_CASE(s, test_once);
	TEST_CASE(s, test_printable);
	TEST_CASE(s, test_excuse);
}
