#!/bin/sh
# The controller is killed with SIGKILL at 50 random moments of runs over 50 hosts, and run again each time until all is
# done: each file was replaced exactly once (inotify counts), each host is verified, no schedule is off, no debt is open,
# the journal's chain is whole. CUTOVER_KILLS (50) and CUTOVER_KILL_HOSTS (50) set the size.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/fleet.sh"
. "$(dirname "$0")/../lib/night.sh"
need_program
kills=${CUTOVER_KILLS:-50} hosts=${CUTOVER_KILL_HOSTS:-50}
TAP_TIMEOUT_S=300

cleanup() {
	[ -z "${writes_pid-}" ] || kill "$writes_pid" 2>/dev/null || true
	fleet_down
}

if ! fleet_possible; then
	skip 'kill -9 at random moments' 'needs root and mount namespaces'
	finish
fi

state=$work/cutover.db

# How often was each config put in place?
count_writes() {
	awk '$1 == "moved" { n[$2]++ } END { for (f in n) print n[f] }' "$work/writes" | sort | uniq -c | tr -s ' '
}

# One fleet's night: a first run, killed at a random moment, again and again, until a run ends by itself.
night() {
	rm -f "$state"*
	fleet_reset
	: >"$work/writes"
	"$CUTOVER_BUILD"/tests/fleet/writes --log "$work/writes" --list "$work/dirs" >"$work/writes.said" &
	writes_pid=$!
	wait_until "night $nights: the writes are counted" 20 grep -q ready "$work/writes.said"
	killed_run "$work/inv.json" "$state" 300
	kill "$writes_pid"
	wait "$writes_pid" || true
	writes_pid=
}

look() {
	status_is "night $nights: the last run ends with 5: what this version does not have is left" 5
	is "night $nights: each of $hosts files was replaced once" "$(count_writes)" " $hosts 1"
	is "night $nights: each host has its own new name" \
		"$(n=0; while read -r a _; do n=$((n + 1)); grep -l "^ROOT_URI = 'https://t$n\.hes2\.example/imhs/v1\.0/en'" \
			"$fleet_dir/hosts/$a/root/opt/imhs-ws-clinet/imhs-config.rb"; done <"$fleet_dir/hosts.txt" | wc -l)" "$hosts"
	is "night $nights: no schedule is off" \
		"$(cat "$fleet_dir"/hosts/*/root/etc/cron.d/imhs-sync | grep -c '^\*/15 \* \* \* \* root /opt/')" "$hosts"
	is "night $nights: nothing of ours is left in cron.d" "$(find "$fleet_dir"/hosts/*/root/etc/cron.d -type f ! -name imhs-sync | wc -l)" 0
	run "$CUTOVER" report --state "$state" --format json
	is "night $nights: all are verified" \
		"$(jq '[.tenants[].steps[] | select(.step == "sync-client" and .state == "verified")] | length' "$out")" "$hosts"
	is "night $nights: no debt is open" "$(jq '[.tenants[].steps[] | .open_debts // [] | length] | add' "$out")" 0
}

fleet_up 127.41.0.1 "$hosts"
fleet_inventory "$work/inv.json"
while read -r a _; do
	echo "$fleet_dir/hosts/$a/root/opt/imhs-ws-clinet"
done <"$fleet_dir/hosts.txt" >"$work/dirs"
nights=0 killed=0 span=4
while [ "$killed" -lt "$kills" ] && [ "$failed" = 0 ]; do
	nights=$((nights + 1))
	night
	look
done
pass "$killed kills in $nights nights"
finish
