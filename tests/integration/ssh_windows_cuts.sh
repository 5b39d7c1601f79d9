#!/bin/sh
# The whole program on Windows hosts (Wine's cmd.exe, real services) whose line is cut at chosen places: the fleet server
# stands in front of them (tests/fleet, os=windows). Some are cut once, while we send or while they answer: the same run
# goes on with a new connection. Some are cut each time until they are given up, and are finished by a second run. Whatever
# was cut: the file was never torn and was written once, the old one is kept beside it, both services run again with the new
# name, no debt is open.
#
# One of them talks as a host does whose default shell is PowerShell.
#
# Needs root, namespaces, Wine and mingw. Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/winhost.sh"
. "$(dirname "$0")/../lib/fleet.sh"
need_program
TAP_TIMEOUT_S=400
hosts=6 powershell=1 old_name=us.imhs-ws.trendmicro.com config=PluginService.exe.config
writes_pid=

cleanup() {
	[ -z "$writes_pid" ] || kill "$writes_pid" 2>/dev/null || true
	fleet_down
	winhost_down || true
}

winhost_possible || {
	skip 'Windows hosts whose line is cut' "$winhost_why_not"
	finish
}

# each COMMAND...: once a host, with its number behind it.
each() {
	n=1
	while [ "$n" -le "$hosts" ]; do
		"$@" "$n"
		n=$((n + 1))
	done
}

folder() { echo "$(winhost_drive "$1")/$win_client"; }
address() { echo "127.48.0.$1"; }

# ---- the fleet server in front of the Windows hosts

# What sshd's DefaultShell makes of a request if it is PowerShell (`powershell -c "REQUEST"`): a profile speaks, the progress
# of its start is XML on stderr, the output comes line by line through its hands, and stdin is left to the request (its
# ConsoleHost.cs reads it only for a command that says $input). Played, since none can be run here. SFTP is a subsystem,
# and not a shell's.
talk_like_powershell() {
	cat <<-'S'
		if [ "$SSH_ORIGINAL_COMMAND" != sftp-server.exe ]; then
			printf 'Welcome to WIN-SYNC, @everybody\r\n'
			printf '#< CLIXML\r\n<Objs Version="1.1.0.1"><Obj S="progress" RefId="0"/></Objs>' >&2
			session | sed -u 's/\r*$/\r/'
			exit
		fi
	S
}

prepare() {
	mkdir -p "$fleet_dir/hosts/$(address "$1")"
	{
		printf '#!/bin/sh\nsession() { %s session %s %s; }\n' "$winhost_command" "$winhost_dir" "$1"
		[ "$1" != "$powershell" ] || talk_like_powershell
		echo session
	} >"$fleet_dir/hosts/$(address "$1")/session"
	chmod +x "$fleet_dir/hosts/$(address "$1")/session"
	echo "$(address "$1") os=windows" >>"$fleet_dir/hosts.txt"
}

server_up() {
	mkdir -p "$fleet_dir"
	ssh-keygen -q -t ed25519 -N '' -f "$fleet_dir/key"
	each prepare
	"$CUTOVER_BUILD"/tests/fleet/fleet --port 0 --root "$fleet_dir" --hosts "$fleet_dir/hosts.txt" --log "$work/log" \
		--user-key "$fleet_dir/key.pub" >"$fleet_dir/said" 2>&1 &
	fleet_pid=$!
	wait_until 'the server listens' 30 test -e "$fleet_dir/ready"
}

# fault N [FAULT]: from the next reload on.
fault() {
	sed -i "s/^$(address "$1") .*/$(address "$1") os=windows${2:+ fault=$2}/" "$fleet_dir/hosts.txt"
}

reload() {
	rm -f "$fleet_dir/reloaded"
	kill -HUP "$fleet_pid"
	wait_until 'the server has read its faults' 20 test -e "$fleet_dir/reloaded"
}

# Sets `out_bytes` and `in_bytes`: what all hosts have sent and been sent.
traffic() {
	rm -f "$fleet_dir/stats"
	kill -USR1 "$fleet_pid"
	wait_until "the server's figures" 20 test -e "$fleet_dir/stats"
	out_bytes=$(sed -n 's/^bytes_out //p' "$fleet_dir/stats")
	in_bytes=$(sed -n 's/^bytes_in //p' "$fleet_dir/stats")
}

cuts_of() { grep -c "^[^ ]* $(address "$1") closed: cut by its fault" "$work/log"; }

# ---- the migration

tenant() {
	[ "$1" = 1 ] || printf ',\n'
	printf '{ "id": "gale%s", "new_fqdn": "gale%s.hes2.example", "hosts": [ { "name": "win%s", "os": "windows", ' "$1" "$1" "$1"
	printf '"address": "%s", "identity_check": { "run": "hostname", "equals": "WIN-SYNC-0%s" }, ' "$(address "$1")" "$1"
	printf '"agents": [ { "agent": "ad-sync-client" } ] } ] }'
}

inventory() {
	cat <<-JSON
		{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
		  "defaults": { "migration_date": "$(date -d yesterday +%F)", "domains": [], "port": $(cat "$fleet_dir/port"),
		    "user": "Administrator", "identity": "file:$fleet_dir/key", "known_hosts": "$fleet_dir/known_hosts",
		    "retry": { "attempts": 3, "first_delay_s": 1, "max_delay_s": 1, "give_up_s": 10 },
		    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true,
		              "quarantine_notification": false },
		    "windows": [ { "start": "$(date -d '1 hour ago' +%FT%T%:z)", "end": "$(date -d '8 hours' +%FT%T%:z)" } ] },
		  "tenants": [
	JSON
	each tenant
	echo ' ] }'
}

migrate() {
	run "$CUTOVER" run "$work/inv.json" --yes --state "$work/cutover.db" "$@"
	"$CUTOVER" report --state "$work/cutover.db" --format json >"$work/report.json"
}

step() {
	jq -r ".tenants[] | select(.id == \"gale$1\") | .steps[] | select(.step == \"sync-client\") | $2" "$work/report.json"
}

# ---- what nobody may find otherwise

# The file is the old one or the new one, each byte of it.
whole() {
	cmp -s "$work/old.$1" "$(folder "$1")/$config" ||
		sed "s/gale$1\.hes2\.example/$old_name/" "$(folder "$1")/$config" | cmp - "$work/old.$1"
}

# Each start of a service read the one or the other.
right_starts() {
	is "host $1: no service started with another name than those two" \
		"$(winhost_log "$1" | grep ' config ' | grep -vc "$old_name\$\|gale$1\.hes2\.example\$")" 0
}

moved() {
	is "host $1 ($2): verified" "$(step "$1" .state)" verified
	is "host $1: no debt is open" "$(step "$1" '.open_debts | length')" 0
	ok "host $1: the file is whole" whole "$1"
	is "host $1: it has the new name" "$(grep -c "value=\"https://gale$1.hes2.example/imhs" "$(folder "$1")/$config")" 1
	is "host $1: and was written once" "$(grep -c "/hosts/$1/" "$work/writes")" 1
	ok "host $1: the old file is beside it" cmp "$work/old.$1" "$(folder "$1")/$config.before-cutover"
	is "host $1: nothing else of ours is" "$(find "$(folder "$1")" -iname '*cutover*' | wc -l)" 1
	is "host $1: both services run" "$(winhost_state "$1" "$win_agent") $(winhost_state "$1" "$win_service")" '4 4'
	right_starts "$1"
	is "host $1: and last with the new one" \
		"$(winhost_log "$1" | awk '/ config / { last[$1] = $NF } END { for (key in last) print last[key] }' | sort -u)" \
		"gale$1.hes2.example"
}

begin() {
	cp "$(folder "$1")/$config" "$work/old.$1"
	: >"$(folder "$1")/PluginService.exe.log"
	folder "$1" >>"$work/folders"
}

winhost_up $hosts
server_up
inventory >"$work/inv.json"
each begin
"$CUTOVER_BUILD"/tests/fleet/writes --name $config --log "$work/writes" --list "$work/folders" >"$work/writes.said" &
writes_pid=$!
wait_until 'the writes are counted' 20 grep -q ready "$work/writes.said"

# How long a run's talk is: the places to cut at are parts of it.
traffic
before_out=$out_bytes before_in=$in_bytes
migrate --tenant gale1
status_is 'a run without a cut: exit code (what this version does not have is left)' 5
moved 1 'no cut; PowerShell is its default shell'
traffic
all_out=$((out_bytes - before_out)) all_in=$((in_bytes - before_in))
echo "a run without a cut: $all_in bytes to the host, $all_out from it"

# 2 to 4 are cut once. 5 and 6 each time, at a place where their services are stopped: 5 comes far enough each time to
# be through in the end, or not; 6 is never let come to its change, and gets its services back without it.
fault 2 "once:cut:after:$((all_out / 4))"
fault 3 "once:cut:after:$((all_out * 3 / 4))"
fault 4 "once:cut:input:$((all_in * 2 / 3))"
fault 5 "cut:after:$((all_out / 2))"
fault 6 "cut:input:$((all_in / 2))"
reload
migrate
status_is 'a run that is cut: exit code' 1
moved 2 'cut once, while it answers'
moved 3 'cut once, late, while it answers'
moved 4 'cut once, while we send'
for host in 2 3 4; do
	is "host $host was cut" "$(cuts_of $host)" 1
done
ok 'host 5 was cut again and again' test "$(cuts_of 5)" -ge 2
ok 'host 6 too' test "$(cuts_of 6)" -ge 3
ok 'host 5: the file is whole' whole 5
is 'host 6 (cut each time): failed' "$(step 6 .state)" failed
is 'host 6: why' "$(step 6 .text | sed 's/:.*//')" 'given up after 3 attempts'
is 'host 6: no debt is open' "$(step 6 '.open_debts | length')" 0
ok 'host 6: the file is as it was' cmp "$work/old.6" "$(folder 6)/$config"
is 'host 6: both services run again' "$(winhost_state 6 "$win_agent") $(winhost_state 6 "$win_service")" '4 4'

fault 5
fault 6
reload
migrate --tenant gale5 --tenant gale6
status_is 'a second run, not cut: exit code' 5
moved 5 'cut each time'
moved 6 'cut each time'
finish
