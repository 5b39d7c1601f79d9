#!/bin/sh
# The Ruby client on a Windows host (deploy/demo/windows: sshd before Wine's cmd.exe, in Japanese) through the whole program:
# plan, a Ruby that runs and is nobody's to tell, run, run again, rollback. What happened is looked at on its drive, without
# the program. A task that was disabled stays so.
#
# The ten minutes that a Ruby is waited for are ten seconds here: the program's wall clock is fast (tests/lib/hurry.c).
# address, port, user, key, known_hosts, drive: out of what winhosts.sh prints.
# shellcheck disable=SC2154
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/winhost.sh"
need_program
TAP_TIMEOUT_S=300
ruby_session='' running=''
cleanup() {
	for pid in $ruby_session $running; do kill "$pid" 2>/dev/null || true; done
	winhost_down >/dev/null 2>&1 || true
}

winhost_possible || {
	skip 'the Ruby client on a Windows host' "$winhost_why_not"
	finish
}
hurry=$CUTOVER_BUILD/tests/libhurry.so
state=$work/cutover.db
old_name=us.imhs-ws.trendmicro.com new_name=acme.hes2.example
sync='imhs-ws-client sync' halted="halted & co's"

# inventory MORE-OF-AGENT
inventory() {
	cat <<X
{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "defaults": { "os": "windows", "migration_date": "$(date -d yesterday +%F)", "domains": [],
    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true, "quarantine_notification": false },
    "windows": [ { "start": "$(date -d '1 hour ago' +%FT%T%:z)", "end": "$(date -d '8 days' +%FT%T%:z)" } ] },
  "tenants": [ { "id": "acme", "new_fqdn": "$new_name", "hosts": [ { "name": "ruby1", "address": "$address", "port": $port,
    "user": "$user", "identity": "file:$key", "known_hosts": "$known_hosts",
    "agents": [ { "agent": "ruby-client"$1 } ] } ] } ] }
X
}

# ---- the host, seen from outside

# task_is NAME true|false
task_is() {
	[ "$(iconv -f UTF-16LE -t UTF-8 "$tasks/$1" | tr -d '\r' | sed -n 's#^    <Enabled>\(.*\)</Enabled>#\1#p')" = "$2" ]
}

# The same task once more, under another name and disabled; what its author wrote into it stays.
make_halted() {
	iconv -f UTF-16LE -t UTF-8 "$tasks/$sync" | sed 's#^    <Enabled>true#    <Enabled>false#' |
		iconv -f UTF-8 -t UTF-16LE >"$tasks/$halted"
}

files() {
	(cd "$drive" && find imhs-ws-client windows/system32/Tasks -type f -exec sha256sum {} +) | sort -k 2
}

rubies() {
	winhost_exec 1 'tasklist /fo csv /nh /fi "imagename eq ruby.exe"' | tr -d '\r' | sed -n 's/^"ruby.exe","\([0-9]*\)".*/\1/p'
}

one_ruby() { [ -n "$(rubies)" ]; }
no_ruby() { [ -z "$(rubies)" ]; }

why_has() {
	run "$CUTOVER" why acme --state "$state"
	out_has "$1" "$2"
}

# ---- the night

test_plan() {
	files >"$work/before"
	run "$CUTOVER" plan "$work/inv.json" --state "$state"
	status_is 'plan: looked at' 0
	err_has 'plan: the file' "would change: C:\\imhs-ws-client\\imhs-config.rb line 10 names $old_name"
	err_has 'plan: the task is found' "task \\$sync is disabled meanwhile"
	err_has 'plan: one that is disabled stays so, by its own path' "task \\$halted is disabled and stays so"
	err_has 'plan: the command' "\`\"C:\\Ruby31-x64\\bin\\ruby.exe\" imhs-ws-client.rb\` in C:\\imhs-ws-client as Administrator"
	files >"$work/after"
	ok 'plan: nothing was changed' cmp "$work/before" "$work/after"
}

test_ruby_runs() {
	winhost_ssh 1 'ruby -e "sleep 600"' >/dev/null 2>&1 &
	ruby_session=$!
	wait_until 'busy: a Ruby runs' 60 one_ruby
	pid=$(rubies)
	LD_PRELOAD=$hurry HURRY=60 "$CUTOVER" run "$work/inv.json" --state "$state" --yes >"$work/run.said" 2>&1 </dev/null &
	running=$!
	wait_until 'busy: the task is off while it is waited for' 120 task_is "$sync" false
	status=0
	wait "$running" || status=$?
	running=
	is 'busy: the run ends, and leaves what this version does not have' "$status" 5
	"$CUTOVER" report --state "$state" --format json >"$work/report.json"
	is 'busy: a person is asked' "$(jq -r '.tenants[].steps[] | select(.target == "host:ruby1") | .state' "$work/report.json")" needs_person
	why_has 'busy: and has its number' "process $pid (ruby.exe)"
	files >"$work/after"
	ok 'busy: the task is on again, and no file was changed' cmp "$work/before" "$work/after"
	winhost_exec 1 "taskkill /f /pid $pid" >/dev/null 2>&1 || true
	wait_until 'busy: until it has ended' 60 no_ruby
	wait "$ruby_session" || true
	ruby_session=
}

test_run() {
	run "$CUTOVER" run "$work/inv.json" --state "$state" --yes
	status_is 'run: what this version does not have is left' 5
	err_has 'run: verified' 'verified acme sync-client host:ruby1'
	sed "s#^\\(ROOT_URI = .https://\\)$old_name/#\\1$new_name/#" "$work/config" >"$work/wanted"
	ok 'run: the new name, and not one byte more' cmp "$work/wanted" "$client/imhs-config.rb"
	ok 'run: the old file is beside it' cmp "$work/config" "$client/imhs-config.rb.before-cutover"
	ok 'run: the task is on' task_is "$sync" true
	ok 'run: the disabled one is off' task_is "$halted" false
	is 'run: the client ran once, with the new name' "$(grep -c "https://$new_name/.*completed" "$client/imhs-sync.log")" 1
	files >"$work/after"
	run "$CUTOVER" run "$work/inv.json" --state "$state" --yes
	status_is 'run again' 5
	files >"$work/again"
	ok 'run again: nothing was changed, nothing ran' cmp "$work/after" "$work/again"
}

test_rollback() {
	run "$CUTOVER" rollback --state "$state" --yes --tenant acme
	status_is 'rollback' 0
	ok 'rollback: the file is as it was' cmp "$work/config" "$client/imhs-config.rb"
	ok 'rollback: the task is on' task_is "$sync" true
	ok 'rollback: the disabled one is off' task_is "$halted" false
	is 'nothing of ours but the backup is left' "$(find "$drive/imhs-ws-client" -iname '*cutover*' ! -name '*.before-cutover')" ''
}

winhost_up 1 --variant 1=ruby,japanese
[ "$failed" = 0 ] || finish
eval "$("$winhost_command" show "$winhost_dir" 1)"
client=$drive/imhs-ws-client tasks=$drive/windows/system32/Tasks
make_halted
cp "$client/imhs-config.rb" "$work/config"
inventory ', "path": "C:\\imhs-ws-client"' >"$work/inv.json"
test_plan
test_ruby_runs
test_run
test_rollback
finish
