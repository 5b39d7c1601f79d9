#include "tests/lib/unit.h"

#include "agents/firewall/gap.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define BEGIN "# cutover: what the service's ranges need; made by cutover, taken out by its rollback\n"
#define END "# cutover: end\n"
#define OURS " -p tcp -m tcp --dport 25 -m comment --comment cutover -j ACCEPT\n"

static const char nft_gaps[] = "inet filter input 12 in 216.104.0.0/19,150.70.0.0/16\n"
			       "ip mail out 0 out 54.86.63.64/26\n";
static const char table_gaps[] = "iptables filter INPUT 3 in 216.104.0.0/19,150.70.0.0/16\n"
				 "legacy raw PREROUTING 1 in 216.104.0.0/19\n"
				 "iptables filter OUTPUT 0 out 54.86.63.64\n";

static void gives(struct buf *out, const char *want)
{
	ck_assert_str_eq(buf_str(out), want);
	buf_release(out);
}

START_TEST(test_lines)
{
	struct gap g;
	const char *at = nft_gaps;
	struct buf again = BUF_INIT;

	while (gap_next(&at, &g))
		gap_add(&again, &g);
	gives(&again, nft_gaps);
	at = nft_gaps;
	ck_assert(gap_next(&at, &g));
	ck_assert(gap_is_nft(&g));
	ck_assert(g.in);
	ck_assert_int_eq(g.before, 12);
	ck_assert_str_eq(g.ranges, "216.104.0.0/19,150.70.0.0/16");
}
END_TEST

/* What stands in a command is a plain name, whatever a host says its chains are called. */
static const char *const unfit[] = {
	"", "inet filter input 12 in\n", "inet filter input 12 in 1.2.3.4", "inet filter a;b 1 in 1.2.3.4\n", "inet fil\"ter in 1 in 1.2.3.4\n",
	"inet -f input 1 in 1.2.3.4\n", "ip6 filter input 1 in 1.2.3.4\n", "arp filter input 1 in 1.2.3.4\n", "inet filter input -1 in 1.2.3.4\n",
	"inet filter input 1 in }accept\n", "iptables filter INPUT$(id) 1 in 1.2.3.4\n",
};

START_TEST(test_unfit)
{
	struct gap g;
	const char *at = unfit[_i];
	struct buf out = BUF_INIT;

	ck_assert(!gap_next(&at, &g));
	gaps_nft(unfit[_i], &out);
	gaps_restore(unfit[_i], "iptables", false, &out);
	gives(&out, "");
}
END_TEST

START_TEST(test_among)
{
	struct gap g = { .family = "iptables", .table = "filter", .chain = "INPUT", .in = true, .ranges = "150.70.0.0/16" };

	ck_assert(gap_among(&g, table_gaps));
	ck_assert(!gap_among(&g, nft_gaps));
	ck_assert(!gap_among(&g, ""));
	snprintf(g.ranges, sizeof(g.ranges), "150.70.0.0/1");
	ck_assert(!gap_among(&g, table_gaps));
	snprintf(g.ranges, sizeof(g.ranges), "150.70.0.0/16,1.2.3.4");
	ck_assert(!gap_among(&g, table_gaps));
	snprintf(g.ranges, sizeof(g.ranges), "150.70.0.0/16,216.104.0.0/19");
	ck_assert(gap_among(&g, table_gaps));
	g.in = false;
	ck_assert(!gap_among(&g, table_gaps));
}
END_TEST

START_TEST(test_running)
{
	struct buf out = BUF_INIT;

	gaps_nft(nft_gaps, &out);
	gives(&out, "insert rule inet filter input handle 12 ip saddr { 216.104.0.0/19,150.70.0.0/16 } tcp dport 25 accept comment \"cutover\"\n"
		    "add rule ip mail out ip daddr { 54.86.63.64/26 } tcp dport 25 accept comment \"cutover\"\n");
	gaps_nft_remove(nft_gaps, &out);
	gives(&out, "delete rule inet filter input handle 12\n");
	gaps_nft(table_gaps, &out);
	gaps_nft_remove(table_gaps, &out);
	gaps_restore(nft_gaps, "iptables", false, &out);
	gives(&out, "");
	gaps_restore(table_gaps, "iptables", false, &out);
	gives(&out, "*filter\n-I INPUT 3 -s 216.104.0.0/19" OURS "-I INPUT 3 -s 150.70.0.0/16" OURS "-A OUTPUT -d 54.86.63.64" OURS "COMMIT\n");
	gaps_restore(table_gaps, "legacy", false, &out);
	gives(&out, "*raw\n-I PREROUTING 1 -s 216.104.0.0/19" OURS "COMMIT\n");
	gaps_restore(table_gaps, "iptables", true, &out);
	gives(&out, "*filter\n-D INPUT -s 216.104.0.0/19" OURS "-D INPUT -s 150.70.0.0/16" OURS "-D OUTPUT -d 54.86.63.64" OURS "COMMIT\n");
}
END_TEST

#define NFT_BLOCK                                                                                                        \
	BEGIN "insert rule inet filter input ip saddr { 216.104.0.0/19,150.70.0.0/16 } tcp dport 25 accept comment \"cutover\"\n" \
	      "insert rule ip mail out ip daddr { 54.86.63.64/26 } tcp dport 25 accept comment \"cutover\"\n" END

START_TEST(test_nft_file)
{
	static const char file[] = "flush ruleset\ninclude \"/etc/nftables.d/*.nft\"\n", open[] = "flush ruleset";
	struct buf out = BUF_INIT, back = BUF_INIT;

	ck_assert_int_eq(gaps_to_nft_file(nft_gaps, file, strlen(file), &out, NULL), 0);
	ck_assert_str_eq(buf_str(&out), "flush ruleset\ninclude \"/etc/nftables.d/*.nft\"\n" NFT_BLOCK);
	ck_assert(gaps_from_nft_file(out.data, out.len, &back));
	gives(&back, file);
	buf_adds(&out, "# more\n");
	ck_assert(gaps_from_nft_file(out.data, out.len, &back));
	gives(&back, "flush ruleset\ninclude \"/etc/nftables.d/*.nft\"\n# more\n");
	buf_release(&out);
	ck_assert_int_eq(gaps_to_nft_file(nft_gaps, open, strlen(open), &out, NULL), 0);
	ck_assert_str_eq(buf_str(&out), "flush ruleset\n" NFT_BLOCK);
	out.len -= 2; /* the end mark is not whole */
	ck_assert(!gaps_from_nft_file(out.data, out.len, &back));
	buf_release(&out);
	ck_assert_int_eq(gaps_to_nft_file(table_gaps, open, strlen(open), &out, NULL), E_INVAL);
	ck_assert(!gaps_from_nft_file(open, strlen(open), &back));
	buf_release(&out);
	buf_release(&back);
}
END_TEST

#define RULES_HEAD "# saved\n*raw\n:PREROUTING ACCEPT [0:0]\n"
#define RULES_RAW "-A PREROUTING -j NOTRACK\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"           \
		  "-A INPUT_2 -j DROP\n[3:4] -A INPUT -s 1.2.3.4/32 -j ACCEPT\n"
#define RULES_DROP "-A INPUT -p tcp -j REJECT\n"
#define RULES_END "COMMIT\n# Completed"

START_TEST(test_rules_file)
{
	static const char file[] = RULES_HEAD RULES_RAW RULES_DROP RULES_END;
	struct buf out = BUF_INIT, back = BUF_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(gaps_to_rules_file(table_gaps, file, strlen(file), &out, NULL), 0);
	ck_assert_str_eq(buf_str(&out), RULES_HEAD "-A PREROUTING -s 216.104.0.0/19" OURS RULES_RAW "-A INPUT -s 216.104.0.0/19" OURS
					"-A INPUT -s 150.70.0.0/16" OURS RULES_DROP "-A OUTPUT -d 54.86.63.64" OURS RULES_END);
	ck_assert(gaps_from_rules_file(out.data, out.len, &back));
	gives(&back, file);
	buf_release(&out);
	ck_assert(!gaps_from_rules_file(file, strlen(file), &back));
	buf_release(&back);
	ck_assert_int_eq(gaps_to_rules_file("iptables filter INPUT 4 in 1.2.3.4\n", file, strlen(file), &out, &err), E_INVAL);
	ck_assert_str_eq(err.text, "the file has no rule 4 in the chain INPUT of its table filter");
	ck_assert_int_eq(gaps_to_rules_file("iptables mangle INPUT 0 in 1.2.3.4\n", file, strlen(file), &out, &err), E_INVAL);
	ck_assert_int_eq(gaps_to_rules_file(nft_gaps, file, strlen(file), &out, &err), E_INVAL);
	ck_assert_int_eq(gaps_to_rules_file(table_gaps, "", 0, &out, &err), E_INVAL);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

SUITE(gap)
{
	TEST_CASE(s, test_lines);
	TEST_CASE_LOOP(s, test_unfit, 0, (int)ARRAY_LEN(unfit));
	TEST_CASE(s, test_among);
	TEST_CASE(s, test_running);
	TEST_CASE(s, test_nft_file);
	TEST_CASE(s, test_rules_file);
}
