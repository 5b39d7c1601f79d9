# shellcheck shell=sh
# The fleet server (tests/fleet) for shell tests; sourced behind lib/tap.sh. Needs $CUTOVER_BUILD, root, and $work.
#
#     fleet_up 127.41.0.1 50        fifty hosts, the first at that address, in $work/fleet
#     fleet_inventory inv.json      the same as fifty tenants of one host each, in a window that is open
#     fleet_reset                   each host's files as they were at the start
#     fleet_down                    also at the end, if the test's cleanup calls it

# work, out, err: tap.sh's.
# shellcheck disable=SC2154
fleet_dir=$work/fleet
fleet_pid=

# Root, and namespaces that can be made: else the test is skipped, and says so.
fleet_possible() {
	[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null
}

fleet_up() {
	fleet_first=$1 fleet_count=$2
	mkdir -p "$fleet_dir"
	[ -f "$fleet_dir/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$fleet_dir/key"
	fleet_reset
	rm -f "$fleet_dir/ready"
	"$CUTOVER_BUILD"/tests/fleet/fleet --port 0 --root "$fleet_dir" --hosts "$fleet_dir/hosts.txt" \
		--user-key "$fleet_dir/key.pub" >"$fleet_dir/said" 2>&1 &
	fleet_pid=$!
	wait_until "the fleet listens" 30 test -e "$fleet_dir/ready"
}

fleet_reset() {
	"$(dirname "$0")"/../fleet/prepare.sh "$fleet_dir" "$fleet_first" "$fleet_count"
}

fleet_down() {
	[ -z "$fleet_pid" ] || kill "$fleet_pid" 2>/dev/null || true
	[ -z "$fleet_pid" ] || wait "$fleet_pid" 2>/dev/null || true
	fleet_pid=
}

# fleet_inventory FILE [MORE]: MORE is put into the defaults ('"retry": {…},').
fleet_inventory() {
	cat >"$1.head" <<JSON
{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "defaults": { ${2-} "user": "root", "port": $(cat "$fleet_dir/port"), "identity": "file:$fleet_dir/key",
    "known_hosts": "$fleet_dir/known_hosts", "os": "linux", "migration_date": "$(date -d yesterday +%F)", "domains": [],
    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true, "quarantine_notification": false },
    "windows": [ { "start": "$(date -d '1 hour ago' +%FT%T%:z)", "end": "$(date -d '8 hours' +%FT%T%:z)" } ] },
  "tenants": [
JSON
	awk '{ n = NR
		printf "%s{\"id\": \"t%d\", \"new_fqdn\": \"t%d.hes2.example\", \"hosts\": [{\"name\": \"h%d\", \"address\": \"%s\",", \
			(n > 1 ? ",\n" : ""), n, n, n, $1
		printf " \"identity_check\": {\"run\": \"hostname\", \"equals\": \"sync-%s\"},", $1
		printf " \"agents\": [{\"agent\": \"ruby-client\", \"path\": \"/opt/imhs-ws-clinet\","
		printf " \"run\": \"./imhs-ws-client.rb\", \"schedule\": \"cron.d:imhs-sync\"}]}]}" }
		END { print "]}" }' "$fleet_dir/hosts.txt" | cat "$1.head" - >"$1"
	rm -f "$1.head"
}
