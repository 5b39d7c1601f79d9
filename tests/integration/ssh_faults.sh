#!/bin/sh
# The whole program against hosts with faults (tests/fleet): each faulty host ends in the state and with the code that
# its fault deserves, those that were cut once are finished by themselves, healthy hosts wait for nobody, no file is
# written twice, no schedule stays off, every row is accounted for, and the run ends in bounded time.
#
# Needs root and mount namespaces. Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/fleet.sh"
need_program
TAP_TIMEOUT_S=120
hosts=12
writes_pid=

cleanup() {
	[ -z "$writes_pid" ] || kill "$writes_pid" 2>/dev/null || true
	fleet_down
}

if ! fleet_possible; then
	skip 'hosts with faults' 'needs root and mount namespaces'
	finish
fi

address() {
	echo "127.43.0.$1"
}

# faults FAULT...: of the hosts 1, 2 …; "-" is a healthy one. The fleet has read them when this returns.
faults() {
	n=0
	for fault in "$@"; do
		n=$((n + 1))
		case $fault in
		-) address $n ;;
		*) echo "$(address $n) fault=$fault" ;;
		esac
	done >"$fleet_dir/hosts.txt"
	is "$round: each host has its line" "$n" "$hosts"
	rm -f "$fleet_dir/reloaded"
	kill -HUP "$fleet_pid"
	wait_until "$round: the fleet has read it" 20 test -e "$fleet_dir/reloaded"
}

count_writes() {
	"$CUTOVER_BUILD"/tests/fleet/writes --log "$work/writes" --list "$work/dirs" >"$work/writes.said" &
	writes_pid=$!
	wait_until "$round: the writes are counted" 20 grep -q ready "$work/writes.said"
}

# A fresh fleet, a fresh state file, one run of it.
night() {
	fleet_reset
	state=$work/$round.db
	: >"$work/writes"
	count_writes
	run "$CUTOVER" run "$work/inv.json" --yes --state "$state" --events "$work/$round.ndjson"
	kill "$writes_pid"
	wait "$writes_pid" || true
	writes_pid=
	"$CUTOVER" report --state "$state" --format json >"$work/$round.json"
}

# The host's state and code, by the report.
row_of() {
	jq -r --arg t "t$1" '.tenants[] | select(.id == $t) | .steps[] | select(.step == "sync-client") |
		.state + " " + (.code // "")' "$work/$round.json"
}

# ends NAME HOST STATE [CODE]
ends() {
	is "$round: $1" "$(row_of "$2")" "$3 ${4-}"
}

# written HOST N: how often its file was put in place.
written() {
	is "$round: host $1: its file was written $2 times" "$(grep -c "^moved .*/$(address "$1")/" "$work/writes")" "$2"
}

# When the host's row last changed its state, in ms.
last_ms() {
	sqlite3 -readonly "$state" "SELECT max(wall_ms) FROM entry WHERE kind = 'state' AND step = 'sync-client' AND tenant = 't$1'"
}

# What holds after each night, whatever the faults were.
nothing_is_left() {
	status_is "$round: exit code" "$1"
	is "$round: no schedule is off" "$(cat "$fleet_dir"/hosts/*/root/etc/cron.d/imhs-sync | grep -c '^\*/15 \* \* \* \* root /opt/')" $hosts
	is "$round: nothing of ours is left in cron.d" "$(cat "$fleet_dir"/hosts/*/root/etc/cron.d/* | cksum)" \
		"$(n=$hosts; while [ $n -gt 0 ]; do cat "$work/cron.d"; n=$((n - 1)); done | cksum)"
	is "$round: no file of ours is left in the folders" \
		"$(find "$fleet_dir"/hosts/*/root/opt "$fleet_dir"/hosts/*/root/tmp -name '*.cutover-*' | head)" ''
	is "$round: no debt is open" "$(jq '[.tenants[].steps[] | .open_debts // [] | length] | add' "$work/$round.json")" 0
	is "$round: each row is accounted for" "$(jq '[.tenants[].steps[]] | length' "$work/$round.json")" $((hosts * 15))
	is "$round: and none is on its way" "$(jq -r '.tenants[].steps[].state' "$work/$round.json" |
		grep -cE '^(running|pending|indeterminate|applied)$')" 0
	is "$round: events: each line is JSON" "$(jq -R 'fromjson | .event' "$work/$round.ndjson" | grep -cx 1)" \
		"$(wc -l <"$work/$round.ndjson")"
}

fleet_up 127.43.0.1 $hosts
cp "$fleet_dir/hosts/127.43.0.1/root/etc/cron.d/imhs-sync" "$work/cron.d"
fleet_inventory "$work/inv.json" '"retry": { "attempts": 2, "first_delay_s": 1, "max_delay_s": 2, "give_up_s": 5 },'
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	echo "$fleet_dir/hosts/$(address $n)/root/opt/imhs-ws-clinet"
done >"$work/dirs"

# ---- who cannot be reached -----------------------------------------------------------------------------------------

round='no way'
faults refuse hang:accept hang:banner hang:kex hang:auth hang:open flood:banner garbage auth:deny - - -
began_s=$(date +%s)
night
took_s=$(($(date +%s) - began_s))
# Two tries of the slowest, and the 5 seconds of give_up_s between, for all at once.
ok "$round: it ended in bounded time ($took_s s)" test "$took_s" -lt 75
ends refuse 1 unreachable closed
ends hang:accept 2 unreachable timeout
ends hang:banner 3 unreachable timeout
ends hang:kex 4 unreachable timeout
ends hang:auth 5 unreachable timeout
ends hang:open 6 unreachable timeout
ends flood:banner 7 unreachable protocol
ends garbage 8 unreachable protocol
ends auth:deny 9 failed authentication
for n in 10 11 12; do
	ends "healthy host $n" $n verified
	written $n 1
	for other in 2 3 4 5 6; do
		ok "$round: healthy host $n did not wait for host $other" test "$(last_ms $n)" -lt "$(last_ms $other)"
	done
done
for n in 1 2 3 4 5 6 7 8 9; do
	written $n 0
done
is "$round: a refused login is not repeated" "$(grep -c '"tenant":"t9".*"step":"sync-client".*"to":"running"' "$work/$round.ndjson")" 1
nothing_is_left 1

# ---- who comes back is finished by the next run --------------------------------------------------------------------

round='back again'
faults - - - - - - - - - - - -
cp "$work/no way.db" "$work/$round.db"
state=$work/$round.db
: >"$work/writes"
count_writes
run "$CUTOVER" run "$work/inv.json" --yes --state "$state" --events "$work/$round.ndjson"
kill "$writes_pid"
wait "$writes_pid" || true
writes_pid=
"$CUTOVER" report --state "$state" --format json >"$work/$round.json"
for n in 1 2 3 4 5 6 7 8 9; do
	ends "host $n" $n verified
	written $n 1
done
for n in 10 11 12; do
	ends "host $n, again" $n verified
	written $n 0
done
nothing_is_left 5

# ---- who answers, and badly ----------------------------------------------------------------------------------------

round='bad answers'
faults hang:exec cut:exec:1 flood exit:lie exit:none hostkey:change:1 slow:20 hostkey:change:2 flood:3000 once:refuse once:hang:after:3000 -
night
ends hang:exec 1 unreachable timeout
ends cut:exec 2 unreachable closed
ends flood 3 unreachable protocol
ends exit:lie 4 verified
ends exit:none 5 verified
ends hostkey:change:1 6 failed host-key
ends slow 7 verified
ends hostkey:change:2 8 verified
ends once:refuse 10 verified
ends once:hang:after 11 verified
ends 'healthy host' 12 verified
for n in 4 5 7 8 10 11 12; do
	written $n 1
done
for n in 1 2 3 6; do
	written $n 0
done
ok "$round: the healthy host did not wait for the one that hangs" test "$(last_ms 12)" -lt "$(last_ms 1)"
nothing_is_left 1
round='another key'
run "$CUTOVER" run "$work/inv.json" --yes --state "$state" --tenant t8 --events "$work/$round.ndjson"
status_is "$round: exit code" 1
"$CUTOVER" report --state "$state" --format json >"$work/$round.json"
ends hostkey:change:2 8 failed host-key

# ---- cut once, anywhere --------------------------------------------------------------------------------------------

# cut_once KIND FIRST STEP: eleven hosts, each cut once, later and later in its connection.
cut_once() {
	kind=$1 at=$2 step=$3
	set --
	while [ $# -lt $((hosts - 1)) ]; do
		set -- "$@" "once:cut:$kind:$at"
		at=$((at + step))
	done
	faults "$@" -
	night
	n=1
	while [ $n -le $hosts ]; do
		ends "host $n" $n verified
		written $n 1
		n=$((n + 1))
	done
	nothing_is_left 5
	cut=$(grep '"kind":"state"' "$work/$round.ndjson" | grep -c 'connection was lost')
	ok "$round: some hosts were cut while they were worked on ($cut)" test "$cut" -ge 4
	half=$(grep '"to":"indeterminate"' "$work/$round.ndjson" | grep -o '[a-z-]*: the connection was lost' | sort -u)
	not_ok "$round: some of them in the middle of a change" test -z "$half"
}

# The host does what it was told, but the answer does not come: the connection is dropped behind so many bytes of ours …
round='cut while we send'
cut_once input 9000 2000
# … or behind so many of its own.
round='cut while it answers'
cut_once after 500 300
finish
