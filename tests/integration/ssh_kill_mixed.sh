#!/bin/sh
# The controller is killed with SIGKILL at random moments of runs over a mixed fleet: 20 Linux hosts (the fleet server)
# behind two bastions (sshd), one of them behind the other, and 6 Windows hosts (Wine) of which three are behind the first.
# Run again each time until all is done: each value was written once (inotify counts), all services run again with the new
# name, no schedule is off, no debt is open. CUTOVER_KILLS (8, for the suite's time), CUTOVER_KILL_LINUX
# (20), CUTOVER_KILL_WINDOWS (6) set the size.
# address, port, user, key, known_hosts, name, drive: set by win, out of what winhosts.sh prints.
# shellcheck disable=SC2154
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/fleet.sh"
. "$(dirname "$0")/../lib/night.sh"
. "$(dirname "$0")/../lib/bastion.sh"
need_program
kills=${CUTOVER_KILLS:-8} linux=${CUTOVER_KILL_LINUX:-20} windows=${CUTOVER_KILL_WINDOWS:-6}
TAP_TIMEOUT_S=600
winhosts=$(dirname "$0")/../../deploy/demo/windows/winhosts.sh
client='Program Files (x86)/Trend Micro/Hosted Email Security ActiveDirectory Sync Client'
old_name=us.imhs-ws.trendmicro.com

cleanup() {
	for pid in ${writes_pids-}; do kill "$pid" 2>/dev/null || true; done
	"$winhosts" down "$work/win" >/dev/null 2>&1 || true
	bastions_down
	fleet_down
}

if ! fleet_possible || ! bastions_possible; then
	skip 'kill -9 over a mixed fleet' 'needs root, mount namespaces and sshd'
	finish
fi
if [ ! -x /usr/lib/wine/wine64 ] || ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
	skip 'kill -9 over a mixed fleet' 'no Wine or no mingw (deploy/deps.sh --windows)'
	finish
fi

state=$work/cutover.db

# ---- the fleet

# win N: sets address, port, user, key, known_hosts, pin, name and drive of that Windows host.
win() { eval "$("$winhosts" show "$work/win" "$1")"; }

each_windows() {
	n=1
	while [ "$n" -le "$windows" ]; do
		win "$n"
		"$@"
		n=$((n + 1))
	done
}

bastion_json() {
	printf '{"name": "%s", "address": "%s", "port": %s, "user": "root", "identity": "file:%s", "host_key": "%s"%s}' \
		"$1" "$2" "$3" "$fleet_dir/key" "$(bastion_pin "$1")" "${4-}"
}

windows_tenant() {
	via=
	[ $((n % 2)) = 0 ] || via='"via": "outer", '
	printf ',\n{"id": "w%d", "new_fqdn": "w%d.hes2.example", "hosts": [{"name": "ad%d", "os": "windows", %s' "$n" "$n" "$n" "$via"
	printf '"address": "%s", "port": %s, "user": "%s", "identity": "file:%s", "known_hosts": "%s", ' \
		"$address" "$port" "$user" "$key" "$known_hosts"
	printf '"identity_check": {"run": "hostname", "matches": "^(%s|%s)$"}, "agents": [{"agent": "ad-sync-client"}]}]}' "$name" "$(echo "$name" | tr '[:lower:]' '[:upper:]')"
}

# fleet_inventory's, with bastions, and every Linux host behind one of them.
inventory() {
	fleet_inventory "$work/linux.json"
	sed "s|^  \"defaults\":|  \"bastions\": [$(bastion_json outer 127.47.0.1 "$outer"),\n    $(bastion_json inner 127.47.0.2 "$inner" ', "via": "outer"')],\n&|
		s|\"hosts\": \[{\"name\": \"h[0-9]*[02468]\",|&  \"via\": \"inner\",|
		s|\"hosts\": \[{\"name\": \"h[0-9]*[13579]\",|&  \"via\": \"outer\",|" "$work/linux.json" |
		sed '$s/]}$//'
	each_windows windows_tenant
	echo ']}'
}

reset_windows() {
	sed -i "s#https://[^/]*/imhs#https://$old_name/imhs#" "$drive/$client/PluginService.exe.config"
	rm -f "$drive/$client/PluginService.exe.config.before-cutover"
	: >"$drive/$client/PluginService.exe.log"
}

# ---- a night

begin_counting() {
	: >"$work/writes"
	"$CUTOVER_BUILD"/tests/fleet/writes --log "$work/writes" --list "$work/dirs" >"$work/writes.said" &
	writes_pids=$!
	: >"$work/wrote"
	"$CUTOVER_BUILD"/tests/fleet/writes --name PluginService.exe.config --log "$work/wrote" --list "$work/drives" >"$work/wrote.said" &
	writes_pids="$writes_pids $!"
	wait_until "night $nights: writes are counted" 20 grep -q ready "$work/writes.said"
	wait_until "night $nights: and on Windows" 20 grep -q ready "$work/wrote.said"
}

end_counting() {
	for pid in $writes_pids; do
		kill "$pid"
		wait "$pid" || true
	done
	writes_pids=
}

night() {
	rm -f "$state"*
	fleet_reset
	each_windows reset_windows
	begin_counting
	killed_run "$work/inv.json" "$state" 600
	end_counting
}

# ---- what came of it

counts() { awk -v what="$2" '$1 == what { sub(/^[a-z]* /, ""); n[$0]++ } END { for (f in n) print n[f] }' "$1" | sort | uniq -c | tr -s ' '; }

look_windows() {
	file="$drive/$client/PluginService.exe.config"
	is "night $nights: w$n: the new name, once" "$(grep -c "https://w$n\.hes2\.example/imhs" "$file")" 1
	is "night $nights: w$n: the old one is gone from the value" "$(grep -c "value=\"https://$old_name/" "$file" || true)" 0
	for service in ImhsAdSyncAgent ImhsAdSyncService; do
		ok "night $nights: w$n: $service runs" sh -c \
			"'$winhosts' exec '$work/win' $n 'sc query $service' | grep -q 'STATE *: 4'"
	done
	is "night $nights: w$n: nothing of ours but the backup lies in the client's folder" \
		"$(find "$drive/$client" -iname '*cutover*' ! -name '*.before-cutover' | wc -l)" 0
}

look() {
	status_is "night $nights: the last run ends with 5: what this version does not have is left" 5
	is "night $nights: each of $linux files was replaced once" "$(counts "$work/writes" moved)" " $linux 1"
	is "night $nights: each of $windows files was written once" "$(counts "$work/wrote" written)" " $windows 1"
	is "night $nights: no schedule is off" \
		"$(cat "$fleet_dir"/hosts/*/root/etc/cron.d/imhs-sync | grep -c '^\*/15 \* \* \* \* root /opt/')" "$linux"
	each_windows look_windows
	run "$CUTOVER" report --state "$state" --format json
	is "night $nights: all are verified" \
		"$(jq '[.tenants[].steps[] | select(.step == "sync-client" and .state == "verified")] | length' "$out")" $((linux + windows))
	is "night $nights: no debt is open" "$(jq '[.tenants[].steps[] | .open_debts // [] | length] | add' "$out")" 0
}

fleet_up 127.46.0.1 "$linux"
bastion_up outer 127.47.0.1 "$fleet_dir/key.pub"
outer=$bastion_port
bastion_up inner 127.47.0.2 "$fleet_dir/key.pub"
inner=$bastion_port
"$winhosts" up "$work/win" "$windows" --prefix auto >"$work/win.said" 2>&1 || fail 'the Windows hosts are up' "$(cat "$work/win.said")"
inventory >"$work/inv.json"
run "$CUTOVER" validate "$work/inv.json"
status_is 'the inventory is valid' 0
while read -r a _; do
	echo "$fleet_dir/hosts/$a/root/opt/imhs-ws-clinet"
done <"$fleet_dir/hosts.txt" >"$work/dirs"
: >"$work/drives"
note_drive() { echo "$drive/$client" >>"$work/drives"; }
each_windows note_drive
nights=0 killed=0 span=${CUTOVER_KILL_SPAN_S:-20}
while [ "$killed" -lt "$kills" ] && [ "$failed" = 0 ]; do
	nights=$((nights + 1))
	night
	look
done
pass "$killed kills in $nights nights"
finish
