#!/bin/sh
# tests/bench/fleet_bench.sh [HOSTS [CONCURRENCY]]: prints the README's table. Moves HOSTS (200) hosts of the fleet server,
# CONCURRENCY (25) at a time, and does the same wire work once more by tests/bench/bare.c, on libssh2 and libuv alone.
# What is compared is the controller's own work: instructions per host (callgrind, six hosts less one, so that what a
# start costs is left out; the same each time), CPU time and peak memory. The wall time is the far side's, which shares
# this machine.
#
# Needs root, valgrind, and a release build: cmake --preset release && cmake --build --preset release --target cutover fleet bare
# Bytes and rounds of the bare run are those of one host of a cutover run (strace -e sendto,recvfrom: 34 KB there in 27
# writes, 8 KB back; 16 ops).
set -eu
cd "$(dirname "$0")/../.."
CUTOVER_BUILD=${CUTOVER_BUILD:-$PWD/build/release}
CUTOVER=${CUTOVER:-$CUTOVER_BUILD/cutover}
hosts=${1:-200} concurrency=${2:-25}
. tests/lib/tap.sh
. tests/lib/fleet.sh
for program in "$CUTOVER" "$CUTOVER_BUILD/tests/fleet/fleet" "$CUTOVER_BUILD/tests/bench/bare"; do
	[ -x "$program" ] || { echo "$program is not there: cmake --build $CUTOVER_BUILD --target cutover fleet bare" >&2; exit 1; }
done
cleanup() { fleet_down; }
fleet_script=$PWD/tests/fleet/prepare.sh
fleet_reset() { "$fleet_script" "$fleet_dir" "$fleet_first" "$fleet_count"; }

# measure FILE COMMAND...: user and system seconds, peak KiB and wall seconds into FILE. 5: steps are left that wait.
measure() {
	measure_to=$1
	shift
	/usr/bin/time -q -o "$measure_to" -f '%U %S %M %e' "$@" >"$work/said" 2>&1 || [ $? = 5 ] ||
		{ echo "failed: $*" >&2 && tail -n 20 "$work/said" >&2 && exit 1; }
}

fleet_up 127.44.0.1 "$hosts" >&2
fleet_inventory "$work/inv.json"
measure "$work/cutover" "$CUTOVER" run "$work/inv.json" --state "$work/cutover.db" --yes --concurrency "$concurrency"
"$CUTOVER" report --state "$work/cutover.db" --format json >"$work/report.json"
verified=$(jq '[.tenants[].steps[] | select(.step == "sync-client" and .state == "verified")] | length' "$work/report.json")
measure "$work/again" "$CUTOVER" run "$work/inv.json" --state "$work/cutover.db" --yes --concurrency "$concurrency"
measure "$work/bare" "$CUTOVER_BUILD/tests/bench/bare" --port "$(cat "$fleet_dir/port")" --first 127.44.0.1 --hosts "$hosts" \
	--concurrency "$concurrency" --rounds 16 --out 1950 --in 300 --key "$fleet_dir/key"

# instructions COMMAND...: of one run, in millions.
instructions() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | awk '/Collected/ { print $NF / 1e6 }'
}

run_some() {
	fleet_reset
	rm -f "$work"/some.db*
	instructions "$CUTOVER" run "$work/inv.json" --state "$work/some.db" --yes --tenant "$1"
}

bare_some() {
	instructions "$CUTOVER_BUILD/tests/bench/bare" --port "$(cat "$fleet_dir/port")" --first 127.44.0.1 --hosts "$1" \
		--concurrency 6 --rounds 16 --out 1950 --in 300 --key "$fleet_dir/key"
}

per_host() {
	awk -v one="$1" -v six="$2" 'BEGIN { printf "%.1f", (six - one) / 5 }'
}

row() {
	awk -v what="$1" -v n="$hosts" -v instr="$3" \
		'{ printf "| %s | %s | %.1f | %.1f | %.1f |\n", what, instr, ($1 + $2) * 1000 / n, $3 / 1024, $4 }' "$2"
}
printf '%s of %s hosts verified, %s at a time\n\n' "$verified" "$hosts" "$concurrency"
printf '| | instructions per host, millions | CPU per host, ms | peak memory, MiB | wall, s |\n|---|---|---|---|---|\n'
row 'cutover run: look, change, verify, journal' "$work/cutover" \
	"$(per_host "$(run_some t1)" "$(run_some t1,t2,t3,t4,t5,t6)")"
row 'cutover run again: look and verify' "$work/again" ''
row 'the same wire work on libssh2 and libuv alone' "$work/bare" "$(per_host "$(bare_some 1)" "$(bare_some 6)")"
[ "$verified" = "$hosts" ]
