/* Ways through bastions (decode_bastion.c, decode_host.c). */
#include "tests/unit/inventory/fixture.h"

#include "inventory/decode.h"

#include "base/alloc.h"

static void add_bastion(struct buf *out, int i, const char *via)
{
	buf_addf(out, "%s{ 'name': 'b%d', 'address': '203.0.113.1', 'user': 'j', " HOST_KEY "%s%s%s }", i ? "," : "", i,
		 via ? ", 'via': " : "", via ? via : "", "");
}

static char *fleet(const struct buf *bastions, const char *via)
{
	char *root = str_fmt("'bastions': [ %s ], 'defaults': { 'user': 'u' },", buf_str(bastions));
	char *tenant = str_fmt(", 'hosts': [ { 'name': 'h', 'address': 'h', " HOST_KEY ", 'via': %s } ]", via);
	char *text = around(root, tenant);

	free(root);
	free(tenant);
	return text;
}

static void expect_way(const struct buf *bastions, const char *via, const char *wanted)
{
	char *text = fleet(bastions, via);
	struct inventory *inv = load_good(text);
	const struct connection *c = &inv->tenants[0].hosts[0].connection;
	struct buf way = BUF_INIT;

	for (size_t i = 0; i < c->via_n; i++)
		buf_addf(&way, "%s ", c->via[i]->name);
	ck_assert_str_eq(buf_str(&way), wanted);
	buf_release(&way);
	inventory_free(inv);
	free(text);
}

/* The first hop's own way goes before; those that are named after it are reached through it. */
START_TEST(test_ways)
{
	struct buf b = BUF_INIT;

	add_bastion(&b, 0, "'b2'");
	add_bastion(&b, 1, NULL);
	add_bastion(&b, 2, "['b1']");
	expect_way(&b, "'b1'", "b1 ");
	expect_way(&b, "'b0'", "b1 b2 b0 ");
	expect_way(&b, "['b1', 'b0']", "b1 b0 ");
	expect_way(&b, "['b2', 'b0']", "b1 b2 b0 ");
	expect_way(&b, "[]", "");
	buf_release(&b);
}
END_TEST

START_TEST(test_twice)
{
	struct buf b = BUF_INIT;
	char *text;

	add_bastion(&b, 0, NULL);
	add_bastion(&b, 1, "'b0'");
	text = fleet(&b, "['b1', 'b0']");
	refused(text, "goes through the bastion b0 twice");
	free(text);
	buf_release(&b);
}
END_TEST

/* One that leads into a circle is no part of it, but has no way either. */
START_TEST(test_circles)
{
	struct buf b = BUF_INIT;
	char *text;

	add_bastion(&b, 0, "'b1'");
	add_bastion(&b, 1, "'b2'");
	add_bastion(&b, 2, "'b1'");
	text = fleet(&b, "[]");
	refused(text, "/m/inv.json: /bastions/0/via: the way to the bastion b0 leads through 8 others or more, or in a "
		      "circle\n"
		      "/m/inv.json: /bastions/1/via: the way to the bastion b1 leads back to itself\n"
		      "/m/inv.json: /bastions/2/via: the way to the bastion b2 leads back to itself\n");
	free(text);
	buf_release(&b);
	add_bastion(&b, 0, "'b0'");
	text = fleet(&b, "[]");
	refused(text, "/bastions/0/via: the way to the bastion b0 leads back to itself");
	free(text);
	buf_release(&b);
}
END_TEST

static void row_of(struct buf *b, int n)
{
	for (int i = 0; i < n; i++) {
		char *via = str_fmt("'b%d'", i + 1);
		add_bastion(b, i, i + 1 < n ? via : NULL);
		free(via);
	}
}

START_TEST(test_long_row)
{
	struct buf b = BUF_INIT;
	char *text;

	row_of(&b, BASTIONS_IN_A_ROW_MAX);
	expect_way(&b, "'b0'", "b7 b6 b5 b4 b3 b2 b1 b0 ");
	buf_release(&b);
	row_of(&b, 20000);
	text = fleet(&b, "'b19999'");
	refused(text, "the way to the bastion b0 leads through 8 others or more");
	free(text);
	buf_release(&b);
}
END_TEST

/* A bastion a customer. */
START_TEST(test_many)
{
	struct buf b = BUF_INIT;

	for (int i = 0; i < 20000; i++)
		add_bastion(&b, i, i ? "'b0'" : NULL);
	expect_way(&b, "'b19999'", "b0 b19999 ");
	buf_release(&b);
}
END_TEST

SUITE(bastion)
{
	TEST_CASE(s, test_ways);
	TEST_CASE(s, test_twice);
	TEST_CASE(s, test_circles);
	TEST_CASE(s, test_long_row);
	TEST_CASE(s, test_many);
}
