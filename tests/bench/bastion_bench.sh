#!/bin/sh
# tests/bench/bastion_bench.sh [HOSTS [CONCURRENCY]]: prints the README's table of bastions. `cutover plan` looks at HOSTS (200)
# hosts of the fleet server, CONCURRENCY (100) at a time: directly, then all of them through one sshd. Beside time and memory:
# how often the bastion was logged into, and in how many looks at the program it was seen to listen on a TCP port (it must
# never). Instructions per host are those of callgrind, nine hosts less one, so that what a start and the first session to the
# bastion cost is left out; the bastion's own work is not counted.
#
# Needs root, valgrind, ss (iproute2), sshd, and a release build: cmake --preset release && cmake --build --preset release --target cutover fleet
set -eu
cd "$(dirname "$0")/../.."
CUTOVER_BUILD=${CUTOVER_BUILD:-$PWD/build/release}
CUTOVER=${CUTOVER:-$CUTOVER_BUILD/cutover}
hosts=${1:-200} concurrency=${2:-100}
. tests/lib/tap.sh
. tests/lib/fleet.sh
. tests/lib/bastion.sh
for program in "$CUTOVER" "$CUTOVER_BUILD/tests/fleet/fleet"; do
	[ -x "$program" ] || { echo "$program is not there: cmake --build $CUTOVER_BUILD --target cutover fleet" >&2; exit 1; }
done
cleanup() { bastions_down; fleet_down; }
fleet_script=$PWD/tests/fleet/prepare.sh
fleet_reset() { "$fleet_script" "$fleet_dir" "$fleet_first" "$fleet_count"; }

{
	fleet_up 127.45.0.1 "$hosts"
	bastion_up b1 127.45.255.1 "$fleet_dir/key.pub"
} >&2
fleet_inventory "$work/direct.json"
bastion=$(printf '"bastions": [{"name": "b1", "address": "127.45.255.1", "port": %s, "user": "root", "identity": "file:%s", "host_key": "%s"}],' \
	"$bastion_port" "$fleet_dir/key" "$(bastion_pin b1)")
sed "s|^  \"defaults\": {|  $bastion\n& \"via\": \"b1\",|" "$work/direct.json" >"$work/through.json"

logins() { grep -c 'Accepted publickey' "$work/bastion-b1/log" || true; }

# look WAY FILE: user and system seconds, peak KiB and wall seconds into FILE; looks and listened.
look() {
	/usr/bin/time -q -o "$2" -f '%U %S %M %e' "$CUTOVER" plan "$work/$1.json" --state "$work/$1.db" --concurrency "$concurrency" \
		--out "$work/$1.out" >"$work/$1.said" 2>&1 &
	timer=$! looks=0 listened=0
	while kill -0 "$timer" 2>/dev/null; do
		pid=$(pgrep -P "$timer" || true)
		looks=$((looks + 1))
		if [ -n "$pid" ] && ss -Hltnp | grep -q "pid=$pid,"; then listened=$((listened + 1)); fi
		sleep 0.2
	done
	wait "$timer" || { echo "failed: plan $1" >&2 && tail -n 20 "$work/$1.said" >&2 && exit 1; }
}

# instructions WAY TENANTS: in millions.
instructions() {
	rm -f "$work"/some.db*
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$CUTOVER" plan "$work/$1.json" --state "$work/some.db" --tenant "$2" \
		--out "$work/some.out" 2>&1 | awk '/Collected/ { print $NF / 1e6 }'
}

per_host() {
	awk -v one="$(instructions "$1" t1)" -v nine="$(instructions "$1" t1,t2,t3,t4,t5,t6,t7,t8,t9)" \
		'BEGIN { printf "%.1f", (nine - one) / 8 }'
}

row() {
	awk -v what="$1" -v n="$hosts" -v instr="$3" -v logins="$4" -v listened="$5" \
		'{ printf "| %s | %s | %.1f | %.1f | %.1f | %s | %s |\n", what, instr, ($1 + $2) * 1000 / n, $3 / 1024, $4, logins, listened }' "$2"
}

look direct "$work/direct.time"
direct_listened="$listened of $looks"
look through "$work/through.time"
through_listened="$listened of $looks" sessions=$(logins)
printf '%s hosts, %s at a time\n\n' "$hosts" "$concurrency"
printf '| | instructions per host, millions | CPU per host, ms | peak memory, MiB | wall, s | sessions to the bastion | seen listening |\n'
printf '|---|---|---|---|---|---|---|\n'
row 'cutover plan, directly' "$work/direct.time" "$(per_host direct)" - "$direct_listened"
row 'cutover plan, through one bastion' "$work/through.time" "$(per_host through)" "$sessions" "$through_listened"
