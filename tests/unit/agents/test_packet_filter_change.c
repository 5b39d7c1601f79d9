/* nftables-allow and iptables-allow where something is missing: what is sent, and what is made of the answers. */
#include "tests/unit/agents/recorded.h"

#include "base/alloc.h"

static char range_a[] = "216.104.0.0/19", range_b[] = "150.70.0.0/16", range_c[] = "150.70.0.0/17", host_name[] = "mx1";
static char *ranges[] = { range_a, range_b };

/* ---- a host with nftables ------------------------------------------------------------------------------------------ */

#define CHAIN(named, hook, policy)                                                                                      \
	"{\"chain\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"" named "\", \"handle\": 1, \"type\": \"filter\", "   \
	"\"hook\": \"" hook "\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define RULE_OF(named, handle, more, expr)                                                                              \
	", {\"rule\": {\"family\": \"inet\", \"table\": \"filter\", \"chain\": \"" named "\", \"handle\": " handle more ", \"expr\": [" expr "]}}"
#define RULE(handle, expr) RULE_OF("input", handle, "", expr)
#define MATCH(protocol, field, right)                                                                                   \
	"{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"" protocol "\", \"field\": \"" field "\"}}, \"right\": " right "}}"
#define PREFIX(address, len) "{\"prefix\": {\"addr\": \"" address "\", \"len\": " len "}}"
#define ESTABLISHED                                                                                                     \
	RULE("4", "{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": [\"established\"]}}, {\"accept\": null}")
#define FROM_A RULE("7", MATCH("ip", "saddr", PREFIX("216.104.0.0", "19")) ", {\"accept\": null}")
#define REJECT RULE("9", MATCH("tcp", "dport", "25") ", {\"reject\": null}")
#define MARKED(handle, right)                                                                                           \
	RULE_OF("input", handle, ", \"comment\": \"cutover\"",                                                          \
		MATCH("ip", "saddr", right) ", " MATCH("tcp", "dport", "25") ", {\"accept\": null}")
#define OURS(handle) MARKED(handle, PREFIX("150.70.0.0", "16"))
#define RULESET(list) "{\"nftables\": [" list "]}"
#define INPUT CHAIN("input", "input", "drop")

#define LACKS RULESET(INPUT ESTABLISHED FROM_A REJECT)
#define HAS(handle) RULESET(INPUT ESTABLISHED FROM_A OURS(handle) REJECT)
#define HAS_C(handle) RULESET(INPUT ESTABLISHED FROM_A MARKED(handle, PREFIX("150.70.0.0", "17")) REJECT)
#define OTHERS RULESET(INPUT ESTABLISHED FROM_A MARKED("11", PREFIX("150.70.0.0", "17")) REJECT)

#define PATH "/etc/nftables.conf"
#define FILE_OLD "flush ruleset\ninclude \"/etc/nftables.d/*.nft\"\n"
#define BLOCK BLOCK_OF("150.70.0.0/16")
#define BLOCK_OF(range)                                                                                                 \
	"# cutover: what the service's ranges need; made by cutover, taken out by its rollback\n"                       \
	"insert rule inet filter input ip saddr { " range " } tcp dport 25 accept comment \"cutover\"\n# cutover: end\n"
#define FILE_NEW FILE_OLD BLOCK

#define NFT(now, boot) frames("nft", now, "boot-nft", boot, "boot-nft-file", PATH, "address", "192.0.2.25", "route", "eth0\neth0\n", NULL)

static void begin(void)
{
	recorded_begin(&agent_nftables_allow, "{}");
	rec.profile.ranges.at = ranges;
	rec.profile.ranges.n = 2;
	rec.host.name = host_name;
	rec.file.links = 1;
}

/* What was seen is forgotten, and seen again. */
static void observe(char *text, int file, const char *bytes)
{
	facts_release(&rec.now);
	is(answer_frames(row(rec.agent->observe, "read-filters"), 0, text), VERDICT_OK, "");
	is(answer(row(rec.agent->observe, "read-files"), file, 0, 0, bytes, ""), VERDICT_OK, "");
}

/* With the first intent. */
static void begun(void)
{
	facts_copy(&rec.before, &rec.now);
}

static void skips(const struct step *table, const char *name, int n)
{
	struct op op;
	char item[ITEM_MAX] = "";

	ck_assert_int_eq(ask(row(table, name), n, &op, item), OP_SKIP);
	op_release(&op);
}

static void sends(const struct step *table, const char *name, int n, const char *script, const char *arg, const char *second,
		  const char *input)
{
	struct op op;
	char item[ITEM_MAX] = "";

	ck_assert_int_eq(ask(row(table, name), n, &op, item), OP_DO);
	runs_script(&op, script, true, 2);
	ck_assert_str_eq(item, arg);
	ck_assert_str_eq(op.args[0], arg);
	ck_assert_str_eq(op.args[1], second);
	ck_assert_str_eq(buf_str(&op.input), input);
	op_release(&op);
}

static void writes(const struct step *table, const char *name, int n, const char *path, const char *from, const char *to,
		   const char *backup)
{
	struct op op;
	char item[ITEM_MAX] = "";

	ck_assert_int_eq(ask(row(table, name), n, &op, item), OP_DO);
	replaces(&op, path, from, to, backup);
	op_release(&op);
}

static void ends(const struct step *table, const char *name, int n)
{
	struct op op;
	char item[ITEM_MAX] = "";

	ck_assert_int_eq(ask(row(table, name), n, &op, item), OP_END);
	op_release(&op);
}

#define ADD_NFT "insert rule inet filter input handle 9 ip saddr { 150.70.0.0/16 } tcp dport 25 accept comment \"cutover\"\n"

START_TEST(test_apply)
{
	const struct step *apply = agent_nftables_allow.apply;

	begin();
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_OLD, "mail from 150.70.0.0/16 is dropped on port 25");
	ck_assert_uint_eq(rec.assessment.changes_n, 2);
	ck_assert_str_eq(rec.assessment.changes[0].item, "nft");
	ck_assert_str_eq(rec.assessment.changes[0].new_line, "insert rule inet filter input handle 9 ip saddr { 150.70.0.0/16 } tcp dport 25 accept "
							     "comment \"cutover\"\n");
	ck_assert_str_eq(rec.assessment.changes[1].item, "nft-file");
	ck_assert_str_eq(rec.assessment.changes[1].what, PATH);
	sends(apply, "try-files", 0, "firewall-try.sh", "nft", PATH, FILE_NEW);
	skips(apply, "try-files", 1);
	ends(apply, "try-files", 2);
	is(answer_frames(row(apply, "try-files"), 0, frames("tried", HAS("11"), NULL)), VERDICT_OK, "");
	begun();
	sends(apply, "add-rules", 0, "firewall-change.sh", "nft", "add", ADD_NFT);
	is(answer_frames(row(apply, "add-rules"), 0, frames(NULL)), VERDICT_OK, "");
	skips(apply, "add-rules", 1);
	skips(apply, "add-rules", 2);
	ends(apply, "add-rules", 3);
	writes(apply, "write-files", 0, PATH, FILE_OLD, FILE_NEW, "nftables.conf.before-cutover");
	is(answer(row(apply, "write-files"), 0, 0, 0, "", ""), VERDICT_OK, "");
	ck_assert_str_eq(facts_text(&rec.now, "nft.bytes", ""), FILE_NEW);
	skips(apply, "write-files", 1);
	is(answer_frames(row(rec.agent->verify, "read-filters-again"), 0, NFT(HAS("11"), HAS("9"))), VERDICT_OK, "");
	recorded_end();
}
END_TEST

/* A file that does not load, or would not let it pass, or is no answer: nothing is changed. */
START_TEST(test_tried)
{
	const struct step *step = row(agent_nftables_allow.apply, "try-files");

	begin();
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_OLD, "");
	is(answer_frames(step, 0, frames("failed", PATH ":9: Error: syntax error", NULL)), VERDICT_PERSON,
	   "nothing was changed: " PATH " with our rule in it cannot be loaded: " PATH ":9: Error: syntax error;");
	is(answer_frames(step, 0, frames("tried", LACKS, NULL)), VERDICT_PERSON,
	   "nothing was changed: " PATH " with our rule at its end was tried, and it would not pass either (a later chain drops it)");
	is(answer_frames(step, 0, frames("tried", RULESET(CHAIN("input", "input", "accept") RULE("3", "{\"limit\": {\"rate\": 5}}, {\"drop\": null}")), NULL)), VERDICT_PERSON,
	   "would not pass either (inet filter input, handle 3: limit)");
	is(answer_frames(step, 0, frames("tried", "hello", NULL)), VERDICT_PERSON, "is no ruleset in JSON");
	is(answer_frames(step, 0, frames(NULL)), VERDICT_RETRY, "gave no answer");
	is(answer(step, 0, 0, 0, "tried 400\n{", ""), VERDICT_RETRY, "is not whole");
	is(answer(step, 0, E_LIMIT, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(step, 0, 0, 5, "", "mktemp: no space"), VERDICT_FAIL, "no space");
	recorded_end();
}
END_TEST

START_TEST(test_refused)
{
	const struct step *add = row(agent_nftables_allow.apply, "add-rules"), *file = row(agent_nftables_allow.apply, "write-files");

	begin();
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_OLD, "");
	is(answer(add, 0, 0, 3, "", "Error: Could not process rule: No such file or directory"), VERDICT_REREAD,
	   "nft does not take the change, so nothing was changed: Error: Could not");
	is(answer(add, 0, 0, 5, "", "Error: no memory"), VERDICT_FAIL, "no memory");
	is(answer(add, 0, 0, 0, "", ""), VERDICT_RETRY, "is not whole");
	is(answer(add, 0, E_NOTFOUND, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(file, 0, E_CHANGED, 0, "", ""), VERDICT_REREAD, PATH " was edited meanwhile");
	is(answer(file, 0, E_NOSPACE, 0, "", ""), VERDICT_FAIL, PATH ": failed so");
	ck_assert_str_eq(facts_text(&rec.now, "nft.bytes", ""), FILE_OLD);
	is(answer_frames(row(rec.agent->verify, "read-filters-again"), 0, NFT(LACKS, LACKS)), VERDICT_FAIL,
	   "mail from 150.70.0.0/16 still does not pass on port 25 (it is dropped)");
	is(answer_frames(row(rec.agent->verify, "read-filters-again"), 0, NFT(HAS("11"), LACKS)), VERDICT_FAIL, "on port 25 after a reboot");
	recorded_end();
}
END_TEST

/* What a run that died left is completed, and nothing is done twice. */
START_TEST(test_half_done)
{
	const struct step *apply = agent_nftables_allow.apply;

	begin();
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	begun();
	assess_as(ASSESS_OLD, ""); /* it died before the rule */
	observe(NFT(HAS("11"), LACKS), 0, FILE_OLD);
	assess_as(ASSESS_PARTIAL, "mail from 150.70.0.0/16 is dropped on port 25 after a reboot");
	ck_assert_uint_eq(rec.assessment.changes_n, 1);
	skips(apply, "add-rules", 0);
	sends(apply, "try-files", 0, "firewall-try.sh", "nft", PATH, FILE_NEW);
	writes(apply, "write-files", 0, PATH, FILE_OLD, FILE_NEW, "nftables.conf.before-cutover");
	observe(NFT(HAS("11"), HAS("9")), 0, FILE_NEW);
	assess_as(ASSESS_NEW, "now and after a reboot");
	skips(apply, "try-files", 0);
	skips(apply, "add-rules", 0);
	skips(apply, "write-files", 0);
	observe(NFT(LACKS, HAS("9")), 0, FILE_NEW); /* somebody has taken our rule out of the running filter */
	assess_as(ASSESS_PARTIAL, "mail from 150.70.0.0/16 is dropped on port 25");
	sends(apply, "add-rules", 0, "firewall-change.sh", "nft", "add", ADD_NFT);
	skips(apply, "write-files", 0);
	recorded_end();
}
END_TEST

/* Rules with our mark that do not let it pass are no case of ours. */
START_TEST(test_marks)
{
	begin();
	observe(NFT(OTHERS, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_PERSON, "there are rules that bear the mark cutover already");
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	begun();
	observe(NFT(OTHERS, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_DRIFT, "is dropped on port 25 though our own rules are there");
	observe(NFT(HAS("11"), LACKS), 0, FILE_NEW);
	assess_as(ASSESS_PERSON, PATH " has a rule of ours already");
	/* one in another chain is what was done before the run died */
	observe(frames("nft", HAS("11"), "boot-nft", HAS("11"), "boot-nft-file", PATH, "boot-iptables", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
		       "legacy", "*filter\n:INPUT DROP [0:0]\n-A INPUT -m state "
		       "--state ESTABLISHED -j ACCEPT\nCOMMIT\n", "address", "192.0.2.25", "route", "eth0\neth0\n", NULL), 0, FILE_NEW);
	assess_as(ASSESS_PARTIAL, "mail from 150.70.0.0/16, 216.104.0.0/19 is dropped on port 25");
	recorded_end();
}
END_TEST

/* The profile has gained a range since: the rule of then does not let it in. What the drift says to do is possible: what was let in
   then is taken out, and all of it is let in again. */
START_TEST(test_profile_grew)
{
	const struct step *revert = agent_nftables_allow.revert;

	begin();
	rec.profile.ranges.n = 1;
	ranges[0] = range_c;
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	begun();
	observe(NFT(HAS_C("11"), HAS_C("9")), 0, FILE_OLD BLOCK_OF("150.70.0.0/17"));
	assess_as(ASSESS_NEW, "");
	rec.profile.ranges.n = 2;
	observe(NFT(HAS_C("11"), HAS_C("9")), 0, FILE_OLD BLOCK_OF("150.70.0.0/17"));
	assess_as(ASSESS_DRIFT, "mail from 150.70.128.0/17 is dropped on port 25 though our own rules are there: somebody has changed the rules "
				"since, or the profile's ranges have changed; look at them: where it is the ranges, roll the step back, then "
				"run it again");
	writes(revert, "revert-files", 0, PATH, FILE_OLD BLOCK_OF("150.70.0.0/17"), FILE_OLD, NULL);
	sends(revert, "remove-rules", 0, "firewall-change.sh", "nft", "remove", "delete rule inet filter input handle 11\n");
	ranges[0] = range_a;
	recorded_end();
}
END_TEST

START_TEST(test_revert)
{
	const struct step *revert = agent_nftables_allow.revert;

	begin();
	ends(revert, "revert-files", 0);
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	begun();
	observe(NFT(HAS("11"), HAS("9")), 0, FILE_NEW);
	assess_as(ASSESS_NEW, "");
	writes(revert, "revert-files", 0, PATH, FILE_NEW, FILE_OLD, NULL);
	is(answer(row(revert, "revert-files"), 0, 0, 0, "", ""), VERDICT_OK, "");
	skips(revert, "revert-files", 0);
	skips(revert, "revert-files", 1);
	sends(revert, "remove-rules", 0, "firewall-change.sh", "nft", "remove", "delete rule inet filter input handle 11\n");
	skips(revert, "remove-rules", 1);
	skips(revert, "remove-rules", 2);
	ends(revert, "remove-rules", 3);
	is(answer(row(revert, "remove-rules"), 0, 0, 3, "", "gone"), VERDICT_REREAD, "gone");
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_OLD, "");
	skips(revert, "revert-files", 0);
	skips(revert, "remove-rules", 0);
	recorded_end();
}
END_TEST

/* A colleague's edit of the file, a rule that was there before us, and one that is not what we put in. */
START_TEST(test_not_ours)
{
	const struct step *revert = agent_nftables_allow.revert;

	begin();
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	begun();
	observe(NFT(HAS("11"), HAS("9")), 0, FILE_NEW "# a colleague\n");
	is(answer(row(revert, "revert-files"), 0, 0, 0, "", ""), VERDICT_DRIFT,
	   PATH " was edited since we changed it: take the lines that bear the mark cutover out of it by hand, then roll back again: our rules in "
		"the running filter are still there, and are taken out after it; as it was before it is kept beside it, with the ending "
		".before-cutover");
	is(answer(row(revert, "revert-files"), 0, E_CHANGED, 0, "", ""), VERDICT_DRIFT, "was edited since");
	observe(NFT(OTHERS, HAS("9")), 0, FILE_NEW);
	skips(revert, "remove-rules", 0);
	observe(NFT(HAS("11"), LACKS), 0, FILE_OLD);
	begun();
	observe(NFT(HAS("11"), HAS("9")), 0, FILE_NEW);
	skips(revert, "remove-rules", 0);
	writes(revert, "revert-files", 0, PATH, FILE_NEW, FILE_OLD, NULL);
	recorded_end();
}
END_TEST

/* A file that somebody else edited has nothing of ours in it: before it was ours to write, or since the operator took it out. It is
   left alone, and our rules in the running filter are taken out. */
START_TEST(test_nothing_of_ours)
{
	static const struct {
		const char *bytes;
		int code;
	} others[] = { { FILE_OLD "# a colleague\n", 0 }, { "flush ruleset\n", 0 }, { "", E_NOTFOUND } };
	const struct step *revert = agent_nftables_allow.revert;

	begin();
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	begun();
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		observe(NFT(HAS("11"), LACKS), 0, FILE_NEW);
		is(answer(row(rec.agent->observe, "read-files"), 0, others[i].code, 0, others[i].bytes, ""), VERDICT_OK, "");
		skips(revert, "revert-files", 0);
		sends(revert, "remove-rules", 0, "firewall-change.sh", "nft", "remove", "delete rule inet filter input handle 11\n");
	}
	observe(NFT(LACKS, LACKS), 0, FILE_OLD "# a colleague\n");
	assess_as(ASSESS_OLD, "");
	recorded_end();
}
END_TEST

/* What cannot be read may have it. */
START_TEST(test_unread_file)
{
	const struct step *revert = agent_nftables_allow.revert;
	struct op op;
	char item[ITEM_MAX] = "";

	begin();
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	begun();
	observe(NFT(LACKS, HAS("9")), 0, FILE_NEW);
	is(answer(row(rec.agent->observe, "read-files"), 0, E_PERM, 0, "", ""), VERDICT_OK, "");
	ck_assert_int_eq(ask(row(revert, "revert-files"), 0, &op, item), OP_DO);
	op_release(&op);
	is(answer(row(revert, "revert-files"), 0, E_PERM, 0, "", ""), VERDICT_DRIFT,
	   PATH " cannot be read (failed so), so whether our rules are in it is not known: see to it, then roll back again");
	recorded_end();
}
END_TEST

/* Files that are not ours to change. */
START_TEST(test_file)
{
	begin();
	rec.file.links = 2;
	observe(NFT(LACKS, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_PERSON, PATH " is one of 2 names (hard links) of the same file");
	rec.file.links = 1;
	is(answer(row(rec.agent->observe, "read-files"), 0, E_PERM, 0, "", ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, PATH " cannot be read: failed so");
	skips(rec.agent->apply, "write-files", 0);
	is(answer(row(rec.agent->observe, "read-files"), 0, 0, 0, "flush ruleset", ""), VERDICT_OK, "");
	assess_as(ASSESS_OLD, "");
	writes(rec.agent->apply, "write-files", 0, PATH, "flush ruleset", "flush ruleset\n" BLOCK, "nftables.conf.before-cutover");
	begun();
	is(answer(row(rec.agent->apply, "write-files"), 0, 0, 0, "", ""), VERDICT_OK, "");
	writes(rec.agent->revert, "revert-files", 0, PATH, "flush ruleset\n" BLOCK, "flush ruleset", NULL);
	recorded_end();
}
END_TEST

/* ---- chains that are a person's -------------------------------------------------------------------------------------- */

#define FORWARD CHAIN("forward", "forward", "drop") RULE_OF("forward", "4", "", "{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": "   \
		"\"state\"}}, \"right\": [\"established\"]}}, {\"accept\": null}")
#define DOCKER ", {\"chain\": {\"family\": \"ip\", \"table\": \"filter\", \"name\": \"DOCKER-USER\", \"handle\": 8}}"

START_TEST(test_gateway)
{
	begin();
	rec.host.gateway = true;
	observe(NFT(RULESET(FORWARD), RULESET(FORWARD)), 0, FILE_OLD);
	assess_as(ASSESS_OLD, "mail from 150.70.0.0/16, 216.104.0.0/19 is dropped");
	sends(rec.agent->apply, "add-rules", 0, "firewall-change.sh", "nft", "add",
	      "add rule inet filter forward ip saddr { 150.70.0.0/16,216.104.0.0/19 } tcp dport 25 accept comment \"cutover\"\n"
	      "add rule inet filter forward ip daddr { 150.70.0.0/16,216.104.0.0/19 } tcp dport 25 accept comment \"cutover\"\n");
	observe(NFT(RULESET(FORWARD DOCKER), RULESET(FORWARD DOCKER)), 0, FILE_OLD);
	assess_as(ASSESS_PERSON, "left to a person: a program keeps chains of its own for what is forwarded (containers, virtual machines). As root");
	recorded_end();
}
END_TEST

START_TEST(test_programs)
{
	static const char f2b[] = "{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"f2b-table\", \"name\": \"f2b-chain\", "
				  "\"handle\": 1, \"type\": \"filter\", \"hook\": \"input\", \"prio\": -1, \"policy\": \"accept\"}}, {\"rule\": "
				  "{\"family\": \"inet\", \"table\": \"f2b-table\", \"chain\": \"f2b-chain\", \"handle\": 2, \"expr\": ["
				  MATCH("ip", "saddr", "\"150.70.1.1\"") ", {\"drop\": null}]}}]}";
	static const char strange[] = "{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"a\", \"name\": \"x; flush ruleset\", "
				      "\"handle\": 1, \"type\": \"filter\", \"hook\": \"input\", \"prio\": -1, \"policy\": \"drop\"}}, {\"rule\": "
				      "{\"family\": \"inet\", \"table\": \"a\", \"chain\": \"x; flush ruleset\", \"handle\": 2, \"expr\": ["
				      "{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": [\"established\"]}}, {\"accept\": null}]}}]}";
	struct op op;
	char item[ITEM_MAX] = "";

	begin();
	observe(NFT(f2b, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_PERSON, "left to a person: the chain f2b-chain of the table f2b-table is kept by a program of its own");
	observe(NFT(strange, LACKS), 0, FILE_OLD);
	assess_as(ASSESS_PERSON, "is not written by this version");
	ck_assert_int_eq(ask(row(rec.agent->apply, "add-rules"), 0, &op, item), OP_SKIP);
	op_release(&op);
	observe(NFT(RULESET(CHAIN("output", "output", "drop") RULE_OF("output", "3", "", MATCH("tcp", "dport", "25") ", {\"accept\": null}")), LACKS), 0,
		FILE_OLD);
	assess_as(ASSESS_PERSON, "packets of established connections are dropped in the chain output");
	recorded_end();
}
END_TEST

/* ---- iptables ---------------------------------------------------------------------------------------------------------- */

#define SAVED "/etc/iptables/rules.v4"
#define HEAD "*filter\n:INPUT DROP [0:0]\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\n-A INPUT -s 216.104.0.0/19 -j ACCEPT\n"
#define TAIL "-A INPUT -p tcp -m tcp --dport 25 -j REJECT\nCOMMIT\n"
#define SPEC "-s 150.70.0.0/16 -p tcp -m tcp --dport 25 -m comment --comment cutover -j ACCEPT\n"
#define IPTABLES(kind, now, boot)                                                                                       \
	frames(kind, now, "boot-iptables", boot, "boot-iptables-file", SAVED, "address", "192.0.2.25", "route", "eth0\neth0\n", NULL)

static void iptables_goes(const char *frame, const char *tool, int n)
{
	begin();
	observe(IPTABLES(frame, HEAD TAIL, HEAD TAIL), 1, HEAD TAIL);
	assess_as(ASSESS_OLD, "mail from 150.70.0.0/16 is dropped on port 25");
	sends(rec.agent->apply, "try-files", 1, "firewall-try.sh", "iptables", SAVED, HEAD "-A INPUT " SPEC TAIL);
	is(answer_frames(row(rec.agent->apply, "try-files"), 1, frames("tried", "", NULL)), VERDICT_OK, "");
	is(answer_frames(row(rec.agent->apply, "try-files"), 1, frames("failed", "line 4 failed", NULL)), VERDICT_PERSON, "line 4 failed");
	begun();
	skips(rec.agent->apply, "add-rules", 0);
	skips(rec.agent->apply, "add-rules", 3 - n);
	sends(rec.agent->apply, "add-rules", n, "firewall-change.sh", tool, "add", "*filter\n-I INPUT 3 " SPEC "COMMIT\n");
	writes(rec.agent->apply, "write-files", 1, SAVED, HEAD TAIL, HEAD "-A INPUT " SPEC TAIL, "rules.v4.before-cutover");
	observe(IPTABLES(frame, HEAD "-A INPUT " SPEC TAIL, HEAD TAIL), 1, HEAD TAIL);
	assess_as(ASSESS_PARTIAL, "after a reboot");
	observe(IPTABLES(frame, HEAD "-A INPUT " SPEC TAIL, HEAD "-A INPUT " SPEC TAIL), 1, HEAD "-A INPUT " SPEC TAIL);
	assess_as(ASSESS_NEW, "");
	writes(rec.agent->revert, "revert-files", 1, SAVED, HEAD "-A INPUT " SPEC TAIL, HEAD TAIL, NULL);
	sends(rec.agent->revert, "remove-rules", n, "firewall-change.sh", tool, "remove", "*filter\n-D INPUT " SPEC "COMMIT\n");
	recorded_end();
}

START_TEST(test_iptables)
{
	iptables_goes("iptables", "iptables", 1);
	iptables_goes("legacy", "legacy", 2);
}
END_TEST

SUITE(packet_filter_change)
{
	TEST_CASE(s, test_apply);
	TEST_CASE(s, test_tried);
	TEST_CASE(s, test_refused);
	TEST_CASE(s, test_half_done);
	TEST_CASE(s, test_marks);
	TEST_CASE(s, test_profile_grew);
	TEST_CASE(s, test_revert);
	TEST_CASE(s, test_not_ours);
	TEST_CASE(s, test_nothing_of_ours);
	TEST_CASE(s, test_unread_file);
	TEST_CASE(s, test_file);
	TEST_CASE(s, test_gateway);
	TEST_CASE(s, test_programs);
	TEST_CASE(s, test_iptables);
}
