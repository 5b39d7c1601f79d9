/*
 * The packet filter of a host with a network of its own: real nft and iptables, whose rules and files are looked at before and
 * after, and a controller that dies at each op.
 */
#include "tests/integration/agents/drive.h"
#include "tests/integration/agents/host.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"

#include <sched.h>
#include <unistd.h>

#define NFT_FILE "/etc/nftables.conf"
#define SAVED "/etc/iptables/rules.v4"
#define ENABLED                                                                                                         \
	"#!/bin/sh\n[ \"$1\" = is-enabled ] || exit 1\ncase $2 in nftables.service|netfilter-persistent.service) echo enabled ;; esac\n"
#define INCLUDED                                                                                                        \
	"table inet filter {\n\tset friends { type ipv4_addr; flags interval; elements = { 216.104.0.0/20, 10.0.0.0/8 }; }\n"          \
	"\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tct state established accept\n"          \
	"\t\tip saddr @friends accept\n\t\ttcp dport 22 accept\n\t\ttcp dport 1-1023 reject\n\t}\n}\n"
#define CONF "flush ruleset\ninclude \"/etc/nftables.d/*.nft\"\n"
/* One that does not take our rule, as another version might. */
#define OTHER_NFT                                                                                                       \
	"#!/bin/sh\nif [ \"$*\" = '-f " NFT_FILE "' ] && grep -q cutover " NFT_FILE "; then echo 'Error: not this one' >&2; exit 1; fi\n" \
	"exec /usr/sbin/nft \"$@\"\n"
#define RULES                                                                                                           \
	"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n:MAIL - [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n" \
	"-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 25 -j MAIL\n"           \
	"-A MAIL -d 150.70.0.0/16 -j ACCEPT\n-A MAIL -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n"

static const char *missing_tool(void)
{
	static const char *const tools[] = { "nft", "iptables-nft-restore", "iptables-legacy-restore" };

	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		char *path = str_fmt("/usr/sbin/%s", tools[i]);
		bool there = access(path, X_OK) == 0;
		free(path);
		if (!there)
			return tools[i];
	}
	return host_possible();
}

/* What a command says; the caller frees. */
static char *says(const char *command)
{
	struct op op;
	struct op_result result = { 0 };
	char *text;

	op_init(&op, OP_EXEC);
	op.command = str_dup(command);
	host_do(&op, &result);
	ck_assert_msg(!result.failure.code && result.exit_code == 0, "%s: %s%s", command, result.failure.text, buf_str(&result.err));
	text = str_dup(buf_str(&result.out));
	op_result_release(&result);
	op_release(&op);
	return text;
}

static void go(const char *command)
{
	free(says(command));
}

/* All rules, with their handles; without what counts, and what iptables-save says of the time. */
static char *all_rules(void)
{
	return says("{ nft -a list ruleset; iptables-nft-save; } 2>/dev/null | sed '/^#/d; s/\\[[0-9:]*\\]//; s/packets [0-9]* bytes [0-9]*//'");
}

struct world {
	char *rules;
};

#define WORLD_OR_RETURN(w, shell)                                                                                              \
	do {                                                                                                           \
		if (missing_tool()) {                                                                                  \
			printf("SKIP: %s\n", missing_tool());                                                          \
			return;                                                                                        \
		}                                                                                                      \
		if (!world_up(w, shell))                                                                               \
			return;                                                                                        \
	} while (0)

/* Mail comes in through nftables, and goes out through iptables; each lets in some of it. */
static bool world_up(struct world *w, enum host_shell shell)
{
	if (!host_up(shell))
		return false;
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	host_write("/mnt/fake/systemctl", 0, 0755, ENABLED);
	host_write(NFT_FILE, 0, 0640, CONF);
	host_write("/etc/nftables.d/input.nft", 0, 0644, INCLUDED);
	host_write(SAVED, 0, 0600, RULES);
	go("ip link set lo up; ip addr add 192.0.2.25/24 dev lo; ip route add default via 192.0.2.1 dev lo");
	go("nft -f " NFT_FILE " && iptables-nft-restore " SAVED);
	w->rules = all_rules();
	return true;
}

static void file_is(const char *path, const char *want)
{
	char *text = host_read(path);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, want);
	free(text);
}

static int times(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

static int times_in_file(const char *path, const char *word)
{
	char *text = host_read(path);
	int n = times(text, word);

	free(text);
	return n;
}

#define NFT_RULE "ip saddr { 150.70.0.0/16, 216.104.16.0/20 } tcp dport 25 accept comment \"cutover\""
#define OUT_RULE "-A OUTPUT -d 216.104.0.0/19 -p tcp -m tcp --dport 25 -m comment --comment cutover -j ACCEPT"

/* One rule in each filter, before the one that drops, and one in each file. */
static void is_changed(void)
{
	char *rules = all_rules();

	ck_assert_int_eq(times(rules, NFT_RULE), 1);
	ck_assert_ptr_nonnull(strstr(strstr(rules, NFT_RULE), "reject"));
	ck_assert_int_eq(times(rules, OUT_RULE "\n-A OUTPUT -p tcp -m tcp --dport 25 -j MAIL"), 1);
	ck_assert_int_eq(times(rules, "--comment cutover"), 1);
	ck_assert_int_eq(times_in_file(NFT_FILE, "comment \"cutover\""), 1);
	ck_assert_int_eq(times_in_file(SAVED, OUT_RULE "\n-A OUTPUT -p tcp -m tcp --dport 25 -j MAIL"), 1);
	file_is(NFT_FILE ".before-cutover", CONF);
	file_is(SAVED ".before-cutover", RULES);
	free(rules);
}

static void is_as_before(const struct world *w)
{
	char *rules = all_rules();

	ck_assert_str_eq(rules, w->rules);
	file_is(NFT_FILE, CONF);
	file_is(SAVED, RULES);
	free(rules);
}

#define ENDS(end, want, d) ck_assert_msg((end) == (want), "step %s: %s", (d)->step, (d)->text)
/* The ops of a run before its first change, and of a roll-back; then come four that change something. */
#define LOOKS 5
#define LOOKS_BACK 3
#define CHANGES 4

/* Killed before the first change of a run and of a roll-back, or behind the k-th (which is how a host looks before the next one), for
   every k: the next one ends as if nothing had been. */
START_TEST(test_killed_at_each_change)
{
	struct drive d;
	struct world w;

	WORLD_OR_RETURN(&w, HOST_DASH);
	drive_init(&d, "nftables-allow", "{}");
	d.crash_at = LOOKS + (_i ? _i - 1 : 0);
	d.crash_after = _i > 0;
	ENDS(drive_run(&d), DRIVE_CRASHED, &d);
	ck_assert(d.mutated);
	d.crash_at = -1;
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	is_changed();
	ck_assert_int_eq(d.replaced, 2);
	d.crash_at = LOOKS_BACK + (_i ? _i - 1 : 0);
	ENDS(drive_rollback(&d), DRIVE_CRASHED, &d);
	d.crash_at = -1;
	ENDS(drive_rollback(&d), DRIVE_DONE, &d);
	is_as_before(&w);
	drive_release(&d);
	free(w.rules);
}
END_TEST

/* Both come back at a boot, and are put back then as well. */
START_TEST(test_reboot)
{
	struct drive d;
	struct world w;

	WORLD_OR_RETURN(&w, (enum host_shell)_i);
	drive_init(&d, "iptables-allow", "{}");
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	go("nft -f " NFT_FILE " && iptables-nft-restore " SAVED);
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert(!d.mutated);
	ENDS(drive_rollback(&d), DRIVE_DONE, &d);
	file_is(NFT_FILE, CONF);
	file_is(SAVED, RULES);
	free(w.rules);
	w.rules = all_rules();
	ck_assert_int_eq(times(w.rules, "cutover"), 0);
	go("nft -f " NFT_FILE " && iptables-nft-restore " SAVED);
	drive_release(&d);
	free(w.rules);
}
END_TEST

#define LEGACY_RULES "iptables-legacy-save | sed '/^#/d; s/\\[[0-9:]*\\]//'"

START_TEST(test_legacy)
{
	struct drive d;
	struct world w;
	char *before, *rules;

	WORLD_OR_RETURN(&w, HOST_DASH);
	host_write(NFT_FILE, 0, 0640, "flush ruleset\n");
	go("nft flush ruleset && iptables-legacy-restore " SAVED);
	before = says(LEGACY_RULES);
	drive_init(&d, "iptables-allow", "{}");
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	rules = says(LEGACY_RULES);
	ck_assert_int_eq(times(rules, OUT_RULE "\n-A OUTPUT -p tcp -m tcp --dport 25 -j MAIL"), 1);
	ck_assert_int_eq(times_in_file(SAVED, OUT_RULE), 1);
	free(rules);
	ENDS(drive_rollback(&d), DRIVE_DONE, &d);
	rules = says(LEGACY_RULES);
	ck_assert_str_eq(rules, before);
	file_is(SAVED, RULES);
	drive_release(&d);
	free(rules);
	free(before);
	free(w.rules);
}
END_TEST

#define SET_RULES                                                                                                       \
	"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n-A OUTPUT -m set --match-set friends dst -j ACCEPT\n"     \
	"-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 25 -j REJECT --reject-with "            \
	"icmp-port-unreachable\nCOMMIT\n"
#define SETS "create friends hash:net family inet hashsize 1024 maxelem 65536\nadd friends 10.0.0.0/8\nadd friends 150.70.0.0/16\n"

/* Rules that ask a set of ipset are tried where that set is. */
START_TEST(test_sets)
{
	struct drive d;
	struct world w;

	WORLD_OR_RETURN(&w, HOST_DASH);
	if (access("/usr/sbin/ipset", X_OK) != 0) {
		printf("SKIP: there is no ipset (deploy/deps.sh --tests installs it)\n");
		free(w.rules);
		return;
	}
	host_write(NFT_FILE, 0, 0640, "flush ruleset\n");
	host_write(SAVED, 0, 0600, SET_RULES);
	host_write("/etc/iptables/ipsets", 0, 0600, SETS);
	go("nft flush ruleset && ipset restore </etc/iptables/ipsets && iptables-nft-restore " SAVED);
	drive_init(&d, "iptables-allow", "{\"direction\": [\"out\"]}");
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	ck_assert(d.mutated);
	ck_assert_int_ge(times_in_file(SAVED, "--comment cutover"), 1);
	ENDS(drive_rollback(&d), DRIVE_DONE, &d);
	file_is(SAVED, SET_RULES);
	file_is("/etc/iptables/ipsets", SETS);
	drive_release(&d);
	free(w.rules);
}
END_TEST

/* Somebody changes the rules between our look and our change: nothing is done on what was seen, it is looked at again. */
static void meddle(struct drive *d, const char *step, const struct op *op, bool after)
{
	(void)op;
	if (after || strcmp(step, "add-rules") != 0 || d->arg)
		return;
	d->arg = d;
	go("nft delete rule inet filter input handle $(nft -a list chain inet filter input | sed -n 's/.*reject.*# handle //p')");
	go("nft insert rule inet filter input tcp dport 25 drop");
}

START_TEST(test_meanwhile)
{
	struct drive d;
	struct world w;
	char *rules;

	WORLD_OR_RETURN(&w, HOST_DASH);
	drive_init(&d, "nftables-allow", "{\"direction\": [\"in\"]}");
	d.on_op = meddle;
	ENDS(drive_run(&d), DRIVE_DONE, &d);
	rules = all_rules();
	ck_assert_int_eq(times(rules, "cutover"), 1);
	ck_assert_ptr_nonnull(strstr(strstr(rules, "cutover"), "tcp dport 25 drop"));
	drive_release(&d);
	free(rules);
	free(w.rules);
}
END_TEST

/* A file that does not load with our rule in it: it is not written, and no rule is added. */
START_TEST(test_does_not_load)
{
	struct drive d;
	struct world w;

	WORLD_OR_RETURN(&w, HOST_DASH);
	host_write("/mnt/fake/nft", 0, 0755, OTHER_NFT);
	drive_init(&d, "nftables-allow", "{\"direction\": [\"in\"]}");
	ENDS(drive_run(&d), DRIVE_STOPPED, &d);
	ck_assert_int_eq(d.kind, VERDICT_PERSON);
	ck_assert_msg(strstr(d.text, "nothing was changed: " NFT_FILE " with our rule in it cannot be loaded: Error: not this one;"), "%s", d.text);
	is_as_before(&w);
	drive_release(&d);
	free(w.rules);
}
END_TEST

SUITE(packet_filter_on_hosts)
{
	TEST_CASE_LOOP(s, test_killed_at_each_change, 0, CHANGES + 1);
	TEST_CASE_LOOP(s, test_reboot, 0, HOST_SHELLS);
	TEST_CASE(s, test_legacy);
	TEST_CASE(s, test_sets);
	TEST_CASE(s, test_meanwhile);
	TEST_CASE(s, test_does_not_load);
}
