# shellcheck shell=sh
# Inventories for the shell tests; sourced behind lib/tap.sh.

# inventory_waiting FILE: valid, two tenants, one host. All of it lies in the year 2099, so that a run does nothing but
# write down that it waits, and nobody is contacted: a state file with rows in a moment. Puts a file `key` beside it.
inventory_waiting() {
	tap_folder=$(dirname "$1")
	echo "no key: nobody logs in with it" >"$tap_folder/key"
	chmod 600 "$tap_folder/key"
	cat >"$1" <<'JSON'
{
  "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "defaults": { "time_zone": "Asia/Tokyo", "user": "ops", "identity": "file:key" },
  "tenants": [
    { "id": "acme", "migration_date": "2099-12-01", "new_fqdn": "acme.hes2.example",
      "windows": [ { "start": "2099-12-01T22:00:00+09:00", "end": "2099-12-02T05:00:00+09:00" } ],
      "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true,
                "quarantine_notification": false },
      "domains": [],
      "hosts": [ { "name": "sync1", "address": "127.0.0.1", "port": 9, "os": "linux",
                   "host_key": "SHA256:1aB2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1U",
                   "agents": [ { "agent": "ruby-client", "path": "/opt/client" } ] } ] },
    { "id": "basil", "migration_date": "2099-12-01", "new_fqdn": "basil.hes2.example",
      "windows": [ { "start": "2099-12-01T22:00:00+09:00", "end": "2099-12-02T05:00:00+09:00" } ],
      "uses": { "restricted_firewall": "unknown", "outbound_filter": false, "directory_sync": false,
                "quarantine_notification": false },
      "domains": [], "hosts": [] }
  ]
}
JSON
}
