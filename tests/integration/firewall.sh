#!/bin/sh
# Does the kernel do what is said of a ruleset? Each ruleset of tests/golden/firewall is loaded in a network namespace that
# is the mail server; another one has the service's addresses. A connection (its first packet, a byte and its echo) must
# come about for each address that is said to be covered, and for none that is said to be missing; of what is not known
# nothing is asked. Both ways.
#
# Needs root, network namespaces, nft, iptables and ipset. Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
golden=$(cd "$(dirname "$0")/../golden/firewall" && pwd)
judge=$CUTOVER_BUILD/tests/integration/firewall/judge
addresses='216.104.0.0 216.104.1.1 216.104.4.7 216.104.31.255 216.99.128.1 216.99.143.255 150.70.0.1 150.70.1.5 150.70.255.255
54.219.191.0 54.219.191.127 54.86.63.64 54.86.63.65 54.86.63.127'
holders=

cleanup() {
	for holder in $holders; do kill "$holder" 2>/dev/null || true; done
}

[ -x "$judge" ] || { echo "$judge is not built" >&2; exit 2; }
for tool in nft iptables-restore ipset nsenter ip; do
	command -v $tool >/dev/null || { skip 'the kernel as the judge' "there is no $tool (deploy/deps.sh --tests installs it)"; finish; }
done
unshare -n true 2>/dev/null || { skip 'the kernel as the judge' 'needs network namespaces'; finish; }

# ---- two machines --------------------------------------------------------------------------------------------------

# namespace: $holder keeps it alive, and reads from a pipe until then.
mkfifo "$work/hold"
exec 9<>"$work/hold"
has_left() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
namespace() {
	unshare -n sh -c 'read -r _ <&9' &
	holder=$!
	holders="$holders $holder"
	wait_until 'a network of its own' 20 has_left "$holder"
}
namespace; near_pid=$holder
namespace; far_pid=$holder
near() { nsenter -t $near_pid -n "$@"; }
far() { nsenter -t $far_pid -n "$@"; }

ip link add eth0 netns $near_pid type veth peer name eth0 netns $far_pid 2>"$work/why" ||
	{ skip 'the kernel as the judge' "no pair of network devices: $(cat "$work/why")"; finish; }
near ip addr add 192.0.2.25/24 dev eth0
far ip addr add 192.0.2.1/24 dev eth0
for address in $addresses; do far ip addr add "$address/32" dev lo; done
for side in near far; do
	"$side" ip link set lo up
	"$side" ip link set eth0 up
done
near ip route add default via 192.0.2.1
# Behind exec nothing stands between the number that is killed at the end and the server.
for side in near far; do
	[ $side = near ] && pid=$near_pid || pid=$far_pid
	(exec nsenter -t "$pid" -n "$judge" serve) >"$work/$side.serves" 2>&1 9<&- &
	holders="$holders $!"
	wait_until "$side listens" 20 test -s "$work/$side.serves"
done

# ---- each ruleset --------------------------------------------------------------------------------------------------

# connects WAY MS: those of the addresses on stdin that are connected.
connects() {
	if [ "$1" = in ]; then
		far "$judge" connect "$2" any 192.0.2.25
	else
		near "$judge" connect "$2" 192.0.2.25 any
	fi
}

# check NAME FILE [SETS]: what is covered may take its time on a busy machine; what is missing has half a second.
check() {
	for way in in out; do
		echo "$addresses" | tr ' ' '\n' | "$judge" say "$way" "$2" ${3:+"$3"} >"$work/said"
		awk '$2 == "covered" { print $1 }' "$work/said" >"$work/covered"
		awk '$2 == "missing" { print $1 }' "$work/said" >"$work/missing"
		connects "$way" 10000 <"$work/covered" | sort >"$work/connected"
		sort "$work/covered" >"$work/wanted"
		ok "$1, $way: $(wc -l <"$work/covered") covered addresses are connected" cmp "$work/wanted" "$work/connected"
		connects "$way" 500 <"$work/missing" >"$work/connected"
		is "$1, $way: $(wc -l <"$work/missing") missing ones are not" "$(cat "$work/connected")" ''
		asked=$((${asked:-0} + $(wc -l <"$work/covered") + $(wc -l <"$work/missing")))
	done
}

near ipset restore <"$golden/iptables/ipset.save" || true
check 'no ruleset' "$golden/nft/empty.json"
for rules in "$golden"/nft/*.nft; do
	name=$(basename "$rules" .nft)
	near nft flush ruleset
	ok "nft takes $name" near nft -f "$rules"
	near nft -j list ruleset >"$work/now.json"
	check "$name" "$work/now.json"
done
near nft flush ruleset
for rules in "$golden"/iptables/*.rules; do
	name=$(basename "$rules" .rules)
	ok "iptables takes $name" near iptables-restore "$rules"
	near iptables-save >"$work/now.rules"
	near ipset save >"$work/now.sets"
	check "$name" "$work/now.rules" "$work/now.sets"
	near nft flush ruleset
done
ok 'most addresses were known' test "$asked" -ge 400
finish
