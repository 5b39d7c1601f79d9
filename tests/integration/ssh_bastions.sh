#!/bin/sh
# The whole program behind bastions (sshd) to the fleet server's hosts: one, two in a row, a command; and what an operator
# reads when a bastion is down, forwards nothing, is someone else, or does not let us in: one reason, which names the bastion,
# for all who are behind it, and it is not tried again for each of them.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/fleet.sh"
. "$(dirname "$0")/../lib/bastion.sh"
need_program
TAP_TIMEOUT_S=240
hosts=8

cleanup() {
	bastions_down
	fleet_down
}

if ! fleet_possible || ! bastions_possible; then
	skip 'the program behind bastions' 'needs root, mount namespaces and sshd'
	finish
fi

fleet_up 127.48.0.1 $hosts
ssh-keygen -q -t ed25519 -N '' -f "$work/other"
bastion_up good 127.48.9.1 "$fleet_dir/key.pub"; good=$bastion_port
bastion_up second 127.48.9.2 "$fleet_dir/key.pub"; second=$bastion_port
bastion_up forbids 127.48.9.3 "$fleet_dir/key.pub" 'AllowTcpForwarding no'; forbids=$bastion_port
bastion_up denies 127.48.9.4 "$work/other.pub"; denies=$bastion_port

# one NAME ADDRESS PORT PIN [MORE]: a bastion's object.
one() {
	printf '{"name": "%s", "address": "%s", "port": %s, "user": "root", "identity": "file:%s", "host_key": "%s"%s}' \
		"$1" "$2" "$3" "$fleet_dir/key" "$4" "${5-}"
}

# inventory VIA BASTION…: all hosts behind it.
inventory() {
	via=$1 all=
	shift
	for object in "$@"; do all="$all${all:+, }$object"; done
	fleet_inventory "$work/direct.json" '"retry": {"attempts": 2, "first_delay_s": 1},'
	sed "s|^  \"defaults\": {|  \"bastions\": [$all],\n& \"via\": $via,|" "$work/direct.json" >"$work/inv.json"
	rm -rf "$work"/state.db* "$work/plan"
}

plan_via() {
	inventory "$@"
	run "$CUTOVER" plan "$work/inv.json" --state "$work/state.db" --out "$work/plan"
}

would_change() { is "$1" "$(grep -c 'host:h[0-9]*: would change' "$err")" $hosts; }

# What is said of the targets, without what it is said of: how often, and what.
reasons() { sed -n 's,.*cannot know: t[0-9]*/h[0-9]*: ,,p' "$err" | sort | uniq -c | sed 's/^ *//'; }
# one_reason NAME TEXT: the same for all, and it begins so.
one_reason() {
	status_is "$1" 1
	is "$1: one reason for all" "$(reasons | wc -l)" 1
	is "$1: which names the bastion, and what it is" "$(reasons | cut -c "1-$((${#hosts} + 1 + ${#2}))")" "$hosts $2"
}

of_log() { grep -c "$2" "$work/bastion-$1/log" || true; }
pin() { bastion_pin "$1"; }

# --- ways that lead there
inventory '"second"' "$(one first 127.48.9.1 "$good" "$(pin good)")" "$(one second 127.48.9.2 "$second" "$(pin second)" ', "via": "first"')"
run "$CUTOVER" run "$work/inv.json" --state "$work/state.db" --yes
status_is 'two bastions in a row: the run ends with 5: what this version does not have is left' 5
run "$CUTOVER" report --state "$work/state.db" --format json
is 'two bastions in a row: all are verified' \
	"$(jq '[.tenants[].steps[] | select(.step == "sync-client" and .state == "verified")] | length' "$out")" $hosts
ok "two bastions in a row: few sessions carry them ($(of_log good 'Accepted publickey'), $(of_log second 'Accepted publickey'))" \
	test "$(of_log good 'Accepted publickey')" -lt $hosts -a "$(of_log second 'Accepted publickey')" -lt $hosts
is 'two bastions in a row: each host has its new name' \
	"$(cat "$fleet_dir"/hosts/*/root/opt/imhs-ws-clinet/imhs-config.rb | grep -c '^ROOT_URI.*//t[0-9]*\.hes2\.example/')" $hosts
fleet_reset
if command -v socat >/dev/null; then
	plan_via '{"command": "socat - TCP:%h:%p"}' "$(one x 127.48.9.1 "$good" "$(pin good)")"
	status_is 'a command' 0
	would_change 'a command: all are looked at'
	plan_via '{"command": "echo no way there >\&2; exit 3"}' "$(one x 127.48.9.1 "$good" "$(pin good)")"
	status_is 'a command that ends' 1
	is 'a command that ends: what it said is told of each' "$(grep -c 'cannot know: .*exited with 3 and said "no way there"' "$err")" $hosts
else
	skip 'a command as the way' 'no socat (deploy/deps.sh --tests)'
fi

# --- ways that lead nowhere
plan_via '"tokyo-1"' "$(one tokyo-1 127.48.9.1 1 "$(pin good)")"
one_reason 'it is down' 'bastion tokyo-1: cannot connect to 127.48.9.1 port 1: Connection refused; is sshd running there?'
plan_via '"tokyo-1"' "$(one tokyo-1 127.48.9.3 "$forbids" "$(pin forbids)")"
one_reason 'AllowTcpForwarding no' 'bastion tokyo-1: allows none of the connections it was asked for (administratively prohibited); see AllowTcpForwarding, '
ok "AllowTcpForwarding no: not a login for each ($(of_log forbids 'Accepted publickey'))" test "$(of_log forbids 'Accepted publickey')" -lt $hosts
before=$(of_log good 'Connection from')
plan_via '"tokyo-1"' "$(one tokyo-1 127.48.9.1 "$good" "$(pin second)")"
one_reason 'it is someone else' 'bastion tokyo-1: host key mismatch: server offers ssh-ed25519 SHA256:'
# One for each type of host key that it may have.
ok 'it is someone else: found out once' test $(($(of_log good 'Connection from') - before)) -le 3
plan_via '"tokyo-1"' "$(one tokyo-1 127.48.9.4 "$denies" "$(pin denies)")"
one_reason 'it does not let us in' 'bastion tokyo-1: the login as root with the key ssh-ed25519 SHA256:'
is 'it does not let us in: it was asked once' "$(of_log denies 'Failed publickey')" 1
plan_via '"tokyo-2"' "$(one tokyo-1 127.48.9.3 "$forbids" "$(pin forbids)")" \
	"$(one tokyo-2 127.48.9.2 "$second" "$(pin second)" ', "via": "tokyo-1"')"
one_reason 'the first of two forwards nothing' 'bastion tokyo-2: bastion tokyo-1: allows none of the connections it was asked for'
finish
