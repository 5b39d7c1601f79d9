#include "tests/unit/agents/recorded.h"

#include "base/alloc.h"
#include "base/file.h"

static char range_a[] = "216.104.0.0/19", range_b[] = "150.70.0.0/16", host_name[] = "mx1";
static char *ranges[] = { range_a, range_b };

#define ENDS "]}"
#define BEGIN "{\"nftables\": ["
#define CHAIN(policy)                                                                                                  \
	"{\"chain\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"input\", \"handle\": 1, "                 \
	"\"type\": \"filter\", \"hook\": \"input\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define RULE(handle, expr)                                                                                             \
	", {\"rule\": {\"family\": \"inet\", \"table\": \"filter\", \"chain\": \"input\", \"handle\": " handle           \
	", \"expr\": [" expr "]}}"
#define ESTABLISHED                                                                                                    \
	RULE("4", "{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": [\"established\"]}}, " \
		  "{\"accept\": null}")
#define FROM_A                                                                                                         \
	RULE("7", "{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"ip\", \"field\": \"saddr\"}}, "    \
		  "\"right\": {\"prefix\": {\"addr\": \"216.104.0.0\", \"len\": 19}}}}, {\"accept\": null}")
#define FROM_ALL RULE("9", "{\"accept\": null}")

#define OPEN BEGIN CHAIN("accept") ENDS
#define PARTLY BEGIN CHAIN("drop") ESTABLISHED FROM_A ENDS
#define WHOLE BEGIN CHAIN("drop") FROM_ALL ENDS
#define NOTHING BEGIN ENDS

#define SHOWS_NOTHING "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"

static void begin(const char *params)
{
	recorded_begin(&agent_nftables_allow, params);
	rec.profile.ranges.at = ranges;
	rec.profile.ranges.n = 2;
	rec.host.name = host_name;
}

static struct verdict read_filters(char *text)
{
	return answer_frames(row(rec.agent->observe, "read-filters"), 0, text);
}

static void assessed(char *text, enum assess_state state, const char *words)
{
	begin("{}");
	is(read_filters(text), VERDICT_OK, "");
	assess_as(state, words);
	recorded_end();
}

#define ROUTES "address", "192.0.2.25", "route", "eth0\neth0\n", NULL

START_TEST(test_request)
{
	struct op op;
	char item[ITEM_MAX] = "";

	begin("{}");
	ck_assert_int_eq(ask(row(rec.agent->observe, "read-filters"), 0, &op, item), OP_DO);
	runs_script(&op, "firewall-read.sh", true, 2);
	ck_assert_str_eq(op.args[0], "216.104.0.0");
	ck_assert_str_eq(op.args[1], "150.70.0.0");
	op_release(&op);
	ck_assert_int_eq(ask(row(rec.agent->observe, "read-filters"), 1, &op, item), OP_END);
	op_release(&op);
	recorded_end();
}
END_TEST

START_TEST(test_open)
{
	assessed(frames("nft", OPEN, "boot-nft", OPEN, ROUTES), ASSESS_NEW, "port 25 passes for all 2 ranges of the service");
	assessed(frames("nft", WHOLE, "boot-nft", WHOLE, ROUTES), ASSESS_NEW, "now and after a reboot");
	assessed(frames("nft", NOTHING, "boot-nft", NOTHING, ROUTES), ASSESS_NEW, "");
	assessed(frames("iptables", SHOWS_NOTHING, "boot-iptables", SHOWS_NOTHING, ROUTES), ASSESS_NEW, "");
}
END_TEST

/* What is missing is ours where there is a file that is loaded at a boot, and all of it is understood; else a person's. */
START_TEST(test_missing)
{
	assessed(frames("nft", PARTLY, "boot-nft", OPEN, ROUTES), ASSESS_OLD, "mail from 150.70.0.0/16 is dropped on port 25");
	assessed(frames("nft", WHOLE, "boot-nft", PARTLY, ROUTES), ASSESS_PERSON,
		 "mail from 150.70.0.0/16 passes now, but is dropped after a reboot, and left to a person: the file that is loaded at a boot is "
		 "not known. Put");
	assessed(frames("iptables", "*filter\n:INPUT DROP [0:0]\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
				    "-A INPUT -s 216.104.0.0/19 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 25 -j REJECT\nCOMMIT\n", ROUTES),
		 ASSESS_PERSON, "after a reboot on port 25 is not known: nothing is known of that loads the rules at a boot (nftables.service, "
				"netfilter-persistent, iptables.service). As root on mx1: iptables -t filter -I INPUT 3 -s '150.70.0.0/16' -p tcp "
				"--dport 25 -j ACCEPT. Put the same");
	assessed(frames("nft", PARTLY, "boot-nft", OPEN, "keeper", "ufw", ROUTES), ASSESS_PERSON,
		 "is dropped on port 25, and left to a person: ufw keeps the rules here. As root on mx1: nft add rule inet filter input ip saddr "
		 "'{ 150.70.0.0/16 }' tcp dport 25 accept. Put");
	assessed(frames("iptables", "*filter\n:INPUT DROP [0:0]\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\nCOMMIT\n", ROUTES),
		 ASSESS_PERSON, "iptables -t filter -A INPUT -s '150.70.0.0/16,216.104.0.0/19' -p tcp");
}
END_TEST

/* A command is whole or it is none: 150.70.1.1 alone let in leaves sixteen prefixes of the range. And what drops the first packet
   before an accept of established connections drops the later ones as well: that is one command. */
START_TEST(test_fix_is_whole)
{
	const char *fix;

	begin("{\"direction\": [\"in\"]}");
	is(read_filters(frames("iptables", "*filter\n:INPUT DROP [0:0]\n-A INPUT -s 216.104.0.0/19 -j ACCEPT\n-A INPUT -s 150.70.1.1 -j ACCEPT\n"
					   "-A INPUT -j DROP\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\nCOMMIT\n", ROUTES)),
	   VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "iptables -t filter -I INPUT 3 -s '150.70.0.0/16,216.104.0.0/19' -p tcp --dport 25 -j ACCEPT. Put");
	fix = facts_text(&rec.now, "now.in.fix", "");
	ck_assert_ptr_null(strstr(fix, "more"));
	ck_assert_ptr_null(strstr(fix, "; "));
	recorded_end();
}
END_TEST

START_TEST(test_unknown)
{
	assessed(frames(ROUTES), ASSESS_PERSON, "neither nft nor iptables is there");
	assessed(frames("nft-failed", "Operation not permitted", ROUTES), ASSESS_PERSON,
		 "whether mail from 150.70.0.0/16, 216.104.0.0/19 passes now on port 25 is not known: nft cannot show the rules: "
		 "Operation not permitted");
	assessed(frames("nft", "hello", "boot-nft", OPEN, ROUTES), ASSESS_PERSON, "is no ruleset in JSON");
	assessed(frames("nft", OPEN, "boot-nft-failed", "/etc/nftables.conf: line 3", ROUTES), ASSESS_PERSON,
		 "passes after a reboot on port 25 is not known: nft cannot show the rules: /etc/nftables.conf: line 3");
	assessed(frames("nft", OPEN, ROUTES), ASSESS_PERSON, "nothing is known of that loads the rules at a boot");
	assessed(frames("nft", OPEN, "keeper", "firewalld", ROUTES), ASSESS_PERSON, "firewalld keeps the rules here");
	assessed(frames("iptables", "*filter\nhello\n", ROUTES), ASSESS_PERSON, "iptables-save, line 2");
}
END_TEST

/* What filters now and drops is in nothing that is loaded at a boot: who knows what is there then? */
START_TEST(test_from_elsewhere)
{
	static const char drops[] = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT\n-A INPUT -m state --state "
				    "ESTABLISHED -j ACCEPT\nCOMMIT\n";
	static const char ours[] = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\n-A INPUT -s "
				   "150.70.0.0/16 -p tcp -m tcp --dport 25 -m comment --comment cutover -j ACCEPT\n-A INPUT -s 216.104.0.0/19 "
				   "-p tcp -m tcp --dport 25 -m comment --comment cutover -j ACCEPT\nCOMMIT\n";
	static const char words[] = "passes after a reboot on port 25 is not known: the chain INPUT of the iptables table filter can drop it, and "
				    "nothing that is known to load rules at a boot (nftables.service, netfilter-persistent, iptables.service) has "
				    "it; look at it, then confirm the step";

	assessed(frames("iptables", drops, "boot-nft", OPEN, ROUTES), ASSESS_PERSON, words);
	assessed(frames("iptables", drops, "boot-nft", NOTHING, ROUTES), ASSESS_PERSON, words);
	assessed(frames("iptables", ours, "boot-nft", OPEN, ROUTES), ASSESS_PERSON, words);
	assessed(frames("legacy", drops, "boot-nft", OPEN, ROUTES), ASSESS_PERSON, "the chain INPUT of the iptables-legacy table filter can drop");
	assessed(frames("nft", WHOLE, "boot-iptables", SHOWS_NOTHING, ROUTES), ASSESS_PERSON, "the chain input of the inet table filter can drop");
	begin("{}");
	is(answer_frames(row(rec.agent->verify, "read-filters-again"), 0, frames("iptables", drops, "boot-nft", OPEN, ROUTES)), VERDICT_FAIL,
	   "on port 25 after a reboot (the chain INPUT of the iptables table filter can drop it");
	recorded_end();
}
END_TEST

#define IP_INPUT                                                                                                       \
	"{\"chain\": {\"family\": \"ip\", \"table\": \"filter\", \"name\": \"INPUT\", \"handle\": 1, \"type\": "      \
	"\"filter\", \"hook\": \"input\", \"prio\": 0, \"policy\": \"drop\"}}, {\"rule\": {\"family\": \"ip\", "       \
	"\"table\": \"filter\", \"chain\": \"INPUT\", \"handle\": 4, \"expr\": [{\"accept\": null}]}}"
#define BANS(address)                                                                                                  \
	", {\"chain\": {\"family\": \"inet\", \"table\": \"f2b-table\", \"name\": \"f2b-chain\", \"handle\": 1, "       \
	"\"type\": \"filter\", \"hook\": \"input\", \"prio\": -1, \"policy\": \"accept\"}}, {\"rule\": {\"family\": "  \
	"\"inet\", \"table\": \"f2b-table\", \"chain\": \"f2b-chain\", \"handle\": 2, \"expr\": [{\"match\": {\"op\": " \
	"\"==\", \"left\": {\"payload\": {\"protocol\": \"ip\", \"field\": \"saddr\"}}, \"right\": \"" address              \
	"\"}}, {\"drop\": null}]}}"

/* What drops nothing of the service's is nobody's trouble; and iptables shows the table ip filter of nftables as its own. */
START_TEST(test_from_elsewhere_but_harmless)
{
	assessed(frames("nft", BEGIN CHAIN("drop") FROM_ALL BANS("198.51.100.9") ENDS, "boot-nft", WHOLE, ROUTES), ASSESS_NEW, "");
	assessed(frames("iptables", "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:f2b-sshd - [0:0]\n-A INPUT -p tcp -m multiport --dports 22 "
				    "-j f2b-sshd\n-A f2b-sshd -j DROP\nCOMMIT\n", "nft", WHOLE, "boot-nft", WHOLE, ROUTES), ASSESS_NEW, "");
	assessed(frames("iptables", "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n", "boot-nft", BEGIN IP_INPUT ENDS, ROUTES),
		 ASSESS_NEW, "");
	assessed(frames("nft", BEGIN CHAIN("drop") FROM_ALL BANS("150.70.1.1") ENDS, "boot-nft", WHOLE, ROUTES), ASSESS_PERSON,
		 "is dropped on port 25, and left to a person: the chain f2b-chain of the table f2b-table is kept by a program of its own");
}
END_TEST

/* Each of several filters has to let it through; a table that iptables cannot show is read from nft. */
START_TEST(test_several)
{
	assessed(frames("nft", OPEN, "iptables", SHOWS_NOTHING, "legacy", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", ROUTES), ASSESS_PERSON,
		 "is dropped on port 25");
	assessed(frames("nft",
			BEGIN "{\"chain\": {\"family\": \"ip\", \"table\": \"filter\", \"name\": \"in\", \"handle\": 1, \"type\": "
			      "\"filter\", \"hook\": \"input\", \"prio\": 0, \"policy\": \"drop\"}}" ENDS,
			"iptables", "# Table `filter' contains incompatible base-chains, use 'nft' tool to list them.\n" SHOWS_NOTHING,
			ROUTES),
		 ASSESS_PERSON, "nft add rule ip filter in ip saddr");
	assessed(frames("nft",
			BEGIN "{\"chain\": {\"family\": \"ip\", \"table\": \"filter\", \"name\": \"INPUT\", \"handle\": 1, \"type\": "
			      "\"filter\", \"hook\": \"input\", \"prio\": 0, \"policy\": \"drop\"}}, {\"rule\": {\"family\": \"ip\", "
			      "\"table\": \"filter\", \"chain\": \"INPUT\", \"handle\": 2, \"expr\": [{\"xt\": {\"type\": \"match\", "
			      "\"name\": \"multiport\"}}, {\"accept\": null}]}}" ENDS,
			"iptables", "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
				    "-A INPUT -p tcp -m multiport --dports 25,587 -j ACCEPT\nCOMMIT\n",
			"boot-iptables", SHOWS_NOTHING, ROUTES),
		 ASSESS_NEW, "");
}
END_TEST

/* The interface is known where all ways leave by the same one. */
START_TEST(test_interface)
{
	static const char eth1[] = BEGIN CHAIN("drop") RULE(
		"3", "{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"iifname\"}}, \"right\": \"eth1\"}}, {\"accept\": null}") ENDS;

	assessed(frames("nft", eth1, "boot-nft", eth1, "address", "192.0.2.25", "route", "eth1\neth1\n", NULL), ASSESS_NEW, "");
	assessed(frames("nft", eth1, "boot-nft", eth1, "address", "192.0.2.25", "route", "eth1\neth0\n", NULL), ASSESS_PERSON,
		 "is not known: inet filter input, handle 3: the interface eth1");
	assessed(frames("nft", eth1, "boot-nft", eth1, "address", "192.0.2.25", "route", "eth1\n\n", NULL), ASSESS_PERSON, "is not known");
	assessed(frames("nft", eth1, "boot-nft", eth1, ROUTES), ASSESS_PERSON, "is dropped on port 25");
}
END_TEST

START_TEST(test_direction)
{
	static const char no_way_out[] =
		BEGIN "{\"chain\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"output\", \"handle\": 1, \"type\": \"filter\", "
		      "\"hook\": \"output\", \"prio\": 0, \"policy\": \"drop\"}}, {\"rule\": {\"family\": \"inet\", \"table\": \"filter\", "
		      "\"chain\": \"output\", \"handle\": 2, \"expr\": [{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": "
		      "\"state\"}}, \"right\": [\"established\"]}}, {\"accept\": null}]}}" ENDS;

	assessed(frames("nft", no_way_out, "boot-nft", no_way_out, ROUTES), ASSESS_PERSON,
		 "mail to 150.70.0.0/16, 216.104.0.0/19 is dropped on port 25, and left to a person: the file that is loaded at a boot is not "
		 "known. As root on mx1: nft add rule inet filter output ip daddr");
	begin("{\"direction\": [\"in\"]}");
	is(read_filters(frames("nft", no_way_out, "boot-nft", no_way_out, ROUTES)), VERDICT_OK, "");
	assess_as(ASSESS_NEW, "");
	recorded_end();
}
END_TEST

START_TEST(test_bad_answers)
{
	static char v6[] = "2001:db8::/32";
	static char *only_v6[] = { v6 };
	const struct step *step = row(agent_nftables_allow.observe, "read-filters");

	begin("{}");
	is(answer(step, 0, 0, 0, "nft 4\n", ""), VERDICT_RETRY, "is not whole");
	is(answer(step, 0, 0, 2, "", "sh: no"), VERDICT_FAIL, "ended with code 2");
	is(answer(step, 0, E_LIMIT, 0, "", ""), VERDICT_FAIL, "failed so");
	rec.profile.ranges.at = only_v6;
	rec.profile.ranges.n = 1;
	is(read_filters(frames("nft", OPEN, ROUTES)), VERDICT_PERSON, "this version knows IPv4 only");
	recorded_end();
}
END_TEST

SUITE(packet_filter)
{
	TEST_CASE(s, test_request);
	TEST_CASE(s, test_open);
	TEST_CASE(s, test_missing);
	TEST_CASE(s, test_fix_is_whole);
	TEST_CASE(s, test_unknown);
	TEST_CASE(s, test_from_elsewhere);
	TEST_CASE(s, test_from_elsewhere_but_harmless);
	TEST_CASE(s, test_several);
	TEST_CASE(s, test_interface);
	TEST_CASE(s, test_direction);
	TEST_CASE(s, test_bad_answers);
}
