#!/bin/sh
# The whole program against real SSH hosts (deploy/demo: OpenSSH's sshd, sudo, cron, Ruby): validate, plan, run,
# confirm, status, why, report, rollback, resume, and a stop. Eight hosts, a customer each, each with something of its
# own; what happened is looked at on the hosts themselves, without the program.
#
# Needs root, namespaces and the packages of deploy/deps.sh --tests. Leaves nothing: the hosts end with the test.
. "$(dirname "$0")/../lib/tap.sh"
need_program
TAP_TIMEOUT_S=120
fleet=$(cd "$(dirname "$0")/../.." && pwd)/deploy/demo/fleet.sh
hosts='1 2 3 4 5 6 7 8'
runs=

cleanup() {
	for pid in $runs; do
		kill -9 "$pid" 2>/dev/null || true
	done
	"$fleet" down "$work/fleet" 2>/dev/null || true
}

skip_all() {
	skip 'the program against real hosts' "$1"
	finish
}

[ "$(id -u)" = 0 ] || skip_all 'needs root'
unshare -m -u -i -p -f true 2>/dev/null || skip_all 'needs namespaces (in a container: --privileged)'
for tool in jq sqlite3 /usr/sbin/sshd cron sudo ruby; do
	command -v "$tool" >/dev/null || skip_all "there is no $tool (deploy/deps.sh --tests installs it)"
done

in_host() {
	"$fleet" exec "$work/fleet" "$@"
}

# What a host is, in files: name, kind, inode, mode, owner, size, times and content of all that a migration may touch.
# The time of a folder's last change is left out where temporary files of the login come and go.
snapshot() {
	in_host "$1" sh -c '
		things=$(ls -d /opt /etc/crontab /etc/cron.d /etc/passwd /etc/sudoers.d /var/spool/cron/crontabs \
			/var/log/imhs-sync.log /home /root)
		find $things -printf "%p %y %i %m %u:%g %s %T@ %C@ %l\n" | sort
		find $things -type f -exec sha256sum {} + | sort
		find /tmp /var/tmp /dev/shm -mindepth 1 | sort'
}

snapshots() {
	for n in ${2-$hosts}; do
		snapshot "$n" >"$work/$1.$n"
	done
}

# same NAME BEFORE AFTER [HOSTS]: the hosts are as they were.
same() {
	for n in ${4-$hosts}; do
		ok "$1: host $n" diff "$work/$2.$n" "$work/$3.$n"
	done
}

folder_of() {
	case $1 in
	2) echo /opt/imhs-ws-client ;;
	*) echo /opt/imhs-ws-clinet ;;
	esac
}

# Where a host has its schedule.
schedule_of() {
	case $1 in
	2) echo /etc/cron.d/imhs-sync ;;
	3) echo /etc/crontab ;;
	*) echo /var/spool/cron/crontabs/sync ;;
	esac
}

tenant_of() {
	echo "$1" | tr 12345678 abcdefgh
}

# How often somebody connected to any of the hosts.
connections() {
	for n in $hosts; do
		in_host "$n" grep -c '^Connection from' /var/log/sshd.log
	done | paste -sd ' '
}

# fetch FILE SUFFIX [HOSTS]: each host's FILE (config or schedule) into $work/N.FILE.SUFFIX
fetch() {
	for n in ${3-$hosts}; do
		case $1 in
		config) in_host "$n" cat "$(folder_of "$n")/imhs-config.rb" ;;
		schedule) in_host "$n" cat "$(schedule_of "$n")" ;;
		client-log) in_host "$n" cat /var/log/imhs-sync.log ;;
		esac >"$work/$n.$1.$2"
	done
}

# What is kept of a config beside its bytes.
attributes() {
	in_host "$1" stat -c '%a %U:%G' "$(folder_of "$1")/imhs-config.rb"
}

report_now() {
	"$CUTOVER" report --state "$state" --format json >"$work/report.now"
}

# Of a host's sync-client, by the report: row HOST KEY; state_is NAME HOST STATE [CODE]

row() {
	jq -r --arg t "$(tenant_of "$1")" --arg k "$2" \
		'.tenants[] | select(.id == $t) | .steps[] | select(.step == "sync-client" and (.target | startswith("host:"))) |
		 .[$k] // "" | if type == "string" then . else tojson end' "$work/report.now"
}

state_is() {
	is "$1" "$(row "$2" state)" "$3"
	[ -z "${4-}" ] || is "$1: code" "$(row "$2" code)" "$4"
}

# start NAME COMMAND...: in the background; its pid in $started, its output in $work/NAME.out and .err
start() {
	started_name=$1
	shift
	"$@" >"$work/$started_name.out" 2>"$work/$started_name.err" </dev/null &
	started=$!
	runs="$runs $started"
}

# The exit code of what was started.
ended() {
	status=0
	timeout "$TAP_TIMEOUT_S" tail --pid="$started" -f /dev/null || kill -9 "$started"
	wait "$started" || status=$?
	cp "$work/$started_name.out" "$out"
	cp "$work/$started_name.err" "$err"
	tap_ran="$started_name, in the background"
}

# A client that is busy, without a trace in its log.
make_busy() {
	in_host "$1" sh -c "cd $(folder_of "$1") && setsid sleep 600 </dev/null >/dev/null 2>&1 & echo \$!" >"$work/busy.$1"
}

end_busy() {
	in_host "$1" kill "$(cat "$work/busy.$1")"
}

# ---- the inventory -------------------------------------------------------------------------------------------------

# tenant N MORE-OF-TENANT MORE-OF-HOST MORE-OF-AGENT
tenant() {
	id=$(tenant_of "$1")
	read -r number address port name _ <<X
$(sed -n "$1p" "$work/fleet/hosts.txt")
X
	[ "$number" = "$1" ] || { echo "hosts.txt has no line for host $1" >&2; exit 1; }
	cat <<X
	{ "id": "$id", "name": "Customer $id", "new_fqdn": "$id.hes2.example", $2
	  "hosts": [ { "name": "$name", "address": "$address", "port": $port, $3
	    "identity_check": { "run": "hostname", "equals": "$name" },
	    "agents": [ { "agent": "ruby-client"$4 } ] } ] }
X
}

named=', "path": "/opt/imhs-ws-clinet", "run": "ruby imhs-ws-client.rb", "run_as": "sync"'

# inventory FILE START END: eight customers, a window.
inventory() {
	cat >"$1" <<X
{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "defaults": { "user": "cutover", "identity": "file:fleet/id_ed25519", "known_hosts": "fleet/known_hosts", "become": "sudo",
    "os": "linux", "migration_date": "$(date -d yesterday +%F)", "domains": [],
    "retry": { "attempts": 2, "first_delay_s": 1, "max_delay_s": 2, "give_up_s": 5 },
    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true, "quarantine_notification": false },
    "windows": [ { "start": "$2", "end": "$3" } ] },
  "tenants": [
$(tenant 1 '' '"verify": [ { "name": "says what it should not", "run": "cat /srv/secret" },
	    { "name": "the client ran", "run": "tail -n 1 /var/log/imhs-sync.log", "stdout_matches": "a\\.hes2\\.example.*completed" } ],' \
	"$named, \"schedule\": \"crontab:sync\""),
$(tenant 2 '' '' ''),
$(tenant 3 '"uses": { "restricted_firewall": "unknown" },' '' ', "path": "/opt/imhs-ws-clinet", "schedule": "/etc/crontab"'),
$(tenant 4 '' '' ''),
$(tenant 5 '' '' ''),
$(tenant 6 '' '' "$named"),
$(tenant 7 '' '' ''),
$(tenant 8 '"uses": { "restricted_firewall": "unknown" },' '' '')
  ] }
X
}

# ---- set-up --------------------------------------------------------------------------------------------------------

ok 'the hosts come up' "$fleet" up "$work/fleet" 8 --prefix auto --host-key 2=ecdsa --variant 2=cron-d,crlf,other-spelling \
	--variant 3=etc-crontab,no-ruby --variant 4=drift --variant 5=broken-client --variant 6=no-sudo \
	--variant 7=wrong-identity --variant 8=busy
[ "$failed" = 0 ] || finish
wait_until 'the busy client is there' 20 in_host 8 pgrep -u sync ruby
cd "$work" || exit 1
inventory inv.json "$(date -d '1 hour ago' +%FT%T%:z)" "$(date -d '8 hours' +%FT%T%:z)"
inventory later.json "$(date -d '2 hours' +%FT%T%:z)" "$(date -d '8 hours' +%FT%T%:z)"
fetch config old
fetch schedule old
fetch client-log old
for n in $hosts; do
	attributes "$n"
done >attributes.old
# What nobody may ever read: the credentials in the hosts' files, and a secret of the inventory, which a verify command
# prints: here the key that we log in with.
sed -n "s/^API_KEY = '\(.*\)'.*/\1/p" ./*.config.old >secrets
is 'each host has credentials of its own' "$(sort -u secrets | wc -l)" 8
grep -v -e '-----' fleet/id_ed25519 >>secrets
in_host 1 sh -c 'cat >/srv/secret' <fleet/id_ed25519
state=$work/cutover.db
snapshots fresh
connected=$(connections)

# All that is said goes into one file, to be searched for secrets at the end.
: >said
said() {
	cat "$out" "$err" >>said
}

# ---- validate, and a window that is not open -----------------------------------------------------------------------

run "$CUTOVER" validate inv.json
said
status_is 'validate' 0
err_has 'validate: says that no host was contacted' 'no host'
not_ok 'validate: no state file' test -e cutover.db
run "$CUTOVER" validate inv.json --show a
said
status_is 'validate --show' 0
run "$CUTOVER" run later.json --yes --state later.db --events later.ndjson
said
status_is 'a window that is not open yet: exit code' 5
run "$CUTOVER" why a --state later.db
out_has 'a window that is not open yet: why names it' "$(date -d '2 hours' +%F)"
is 'none of this has contacted a host' "$(connections)" "$connected"

# ---- plan ----------------------------------------------------------------------------------------------------------

run "$CUTOVER" plan inv.json --out plan --events plan.ndjson
said
status_is 'plan: exit code, with hosts that have drifted or cannot be looked at' 1
not_ok 'plan: the hosts were contacted' test "$(connections)" = "$connected"
snapshots planned
same 'plan changes nothing' fresh planned
for n in 1 2 3 5 8; do
	id=$(tenant_of "$n")
	err_has "plan: host $n: the line as it would be" "+ROOT_URI = 'https://$id.hes2.example/imhs/v1.0/en'"
	ok "plan: host $n: its diff is a file too" grep -qF "+ROOT_URI = 'https://$id.hes2.example/" "plan/$id.diff"
	ok "plan: host $n: as JSON" jq -e . "plan/$id.json"
done
err_has 'plan: the line as it is' "-ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'"
err_has 'plan: the drift' 'hes-proxy.customer04.example'
err_has 'plan: the missing right' 'NOPASSWD'
err_has 'plan: the wrong host' 'print-server'
err_has 'plan: the busy client' 'the client is running now'
err_has 'plan: no Ruby' 'there is no Ruby'
connected=$(connections)
refuses 'run without a terminal and without --yes' '--yes' "$CUTOVER" run inv.json
is 'a run that was refused has contacted nobody' "$(connections)" "$connected"

# ---- run; one client is busy, and somebody confirms meanwhile ------------------------------------------------------

start first "$CUTOVER" run inv.json --yes --events run.ndjson
h_is_off() {
	grep '"tenant":"h"' run.ndjson | grep '"kind":"outcome"' | grep '"action":"schedule-off"' | grep -q '"to":"ok"'
}
others_are_done() {
	[ "$(grep '"kind":"state"' run.ndjson | grep '"step":"sync-client"' | grep -cE '"to":"(verified|failed|drift)"')" = 7 ]
}
wait_until 'run: the busy client: its schedule is off' 60 h_is_off
wait_until 'run: the others do not wait for it' 60 others_are_done
fetch config busy 8
ok 'run: the busy client: nothing is written while it runs' cmp 8.config.old 8.config.busy
is 'run: the busy client: it is not stopped' "$(in_host 8 pgrep -c -u sync ruby)" 1
run "$CUTOVER" status
said
status_is 'status during a run' 0
out_has 'status during a run: what is off is named' 'h: sync-client host:sync-08: schedule-on'
run "$CUTOVER" why h
said
status_is 'why during a run' 0
out_has 'why during a run: what a person can do' 'cutover confirm h firewall'
asked_ms=$(date +%s%3N)
run "$CUTOVER" confirm h firewall --result not-needed --by 'Ann Sato'
said
status_is 'confirm during a run' 0
ok 'confirm during a run: the run has it when confirm returns' grep -q '"kind":"person".*Ann Sato' run.ndjson
took_ms=$(($(sqlite3 -readonly "$state" "SELECT wall_ms FROM entry WHERE kind = 'person'") - asked_ms))
ok "confirm during a run: within a second ($took_ms ms)" test "$took_ms" -lt 1000
ok 'the run goes on' kill -0 "$started"
idle_ms=$(date +%s%3N)
in_host 8 pkill -u sync ruby
ended
said
status_is 'run: exit code, with hosts that failed' 1
wrote_ms=$(sqlite3 -readonly "$state" "SELECT wall_ms FROM entry WHERE tenant = 'h' AND kind = 'intent' AND action = 'write-config'")
ok 'run: the busy client: it was waited for' test "$wrote_ms" -gt "$idle_ms"

# ---- what the hosts are like now -----------------------------------------------------------------------------------

fetch config new
fetch schedule new
fetch client-log new
for n in $hosts; do
	attributes "$n"
done >attributes.new
report_now
for n in 1 2 3 8; do
	state_is "host $n" "$n" verified
done
# Host 5 has the new name too, and failed: its client cannot work.
for n in 1 2 3 5 8; do
	id=$(tenant_of "$n")
	LC_ALL=C sed "/^ROOT_URI/s/us\.imhs-ws\.trendmicro\.com/$id.hes2.example/" "$n.config.old" >"$n.config.wanted"
	not_ok "host $n: what is wanted is not what was" cmp -s "$n.config.old" "$n.config.wanted"
	ok "host $n: the file differs in the host name alone" cmp "$n.config.wanted" "$n.config.new"
	in_host "$n" cat "$(folder_of "$n")/imhs-config.rb.before-cutover" >"$n.config.kept"
	ok "host $n: the file as it was is kept beside it" cmp "$n.config.old" "$n.config.kept"
done
ok 'owner, group and mode are as before' diff attributes.old attributes.new
for n in $hosts; do
	ok "host $n: the schedule is byte for byte as before" cmp "$n.schedule.old" "$n.schedule.new"
done
# The log of the client on host 8 began with the busy one's line.
for n in 1 2 8; do
	ran=$(diff "$n.client-log.old" "$n.client-log.new" | grep '^[<>]')
	is "host $n: the client ran once" "$(printf '%s\n' "$ran" | wc -l)" 1
	ok "host $n: with the new name" expr "$ran" : "> .* https://$(tenant_of "$n").hes2.example/imhs/v1.0/en/domains/.*completed"
done
snapshots ran
same 'drift, no right, another host: nothing is changed' fresh ran '4 6 7'
state_is 'the host that drifted' 4 drift
state_is 'the host without the right to sudo' 6 failed sudo
state_is 'the host that is another one' 7 failed identity
state_is 'the client that cannot work' 5 failed io
for text in 'hes-proxy.customer04.example' 'NOPASSWD' 'print-server' 'users.csv line 6: not a mail address'; do
	err_has "run says why: $text" "$text"
	ok "the report says why: $text" grep -qF "$text" report.now
done
is 'no debt is open' "$(jq '[.tenants[].steps[] | .open_debts // [] | length] | add' report.now)" 0
is 'each customer and step is in the report' "$(jq '[.tenants[].steps[]] | length' report.now)" 120
is 'events: each line is JSON' "$(jq -R 'fromjson | .event' run.ndjson | grep -cx 1)" "$(wc -l <run.ndjson)"
is 'events: the run begins and ends' "$(jq -r '.kind' run.ndjson | sed -n '1p;$p' | paste -sd ' ')" 'run run-end'

# ---- once more -----------------------------------------------------------------------------------------------------

run "$CUTOVER" run inv.json --yes --events again.ndjson
said
status_is 'the second run: exit code' 1
snapshots again
same 'the second run changes nothing' ran again '1 2 3 4 6 7 8'
is 'the second run writes no file' "$(grep '"kind":"intent"' again.ndjson | grep -c '"action":"write-config"')" 0
for n in 1 2 3 8; do
	is "the second run verifies again: host $n" "$(jq -r --arg t "$(tenant_of "$n")" \
		'select(.kind == "state" and .tenant == $t and .step == "sync-client") | .to' again.ndjson | paste -sd ' ')" 'running verified'
done
fetch config again 5
fetch schedule again 5
ok 'the second run: the client that cannot work: its file' cmp 5.config.new 5.config.again
ok 'the second run: the client that cannot work: its schedule' cmp 5.schedule.old 5.schedule.again

# ---- answers, and a person's word while nothing runs ---------------------------------------------------------------

run "$CUTOVER" report --format text,json,csv,html --out report
said
status_is 'report' 0
is 'report: the formats' "$(cd report && echo *)" 'report.csv report.html report.json report.txt'
ok 'report: JSON' jq -e '.report == 1 and (.tenants | length) == 8' report/report.json
is 'report: CSV has a line a row' "$(grep -c ',sync-client,' report/report.csv)" 8
for n in $hosts; do
	ok "report: host $n is in each format" sh -c "for f in txt json csv html; do grep -q 'host:sync-0$n' report/report.\$f || exit 1; done"
done
for format in text json csv html; do
	run "$CUTOVER" report --format $format
	said
	status_is "report as $format on stdout" 0
done
run "$CUTOVER" status
said
status_is 'status' 0
run "$CUTOVER" why d
said
status_is 'why' 0
out_has 'why: names the value' 'hes-proxy.customer04.example'
refuses 'why of nobody' 'nobody' "$CUTOVER" why nobody
run "$CUTOVER" run inv.json --yes --tenant b
said
status_is 'a customer with work that this version cannot do: exit code' 5
for id in b c; do
	run "$CUTOVER" confirm $id clean-up --result ok --by 'Bob Ito' --note 'by hand'
	said
	status_is "confirm without a run: $id" 0
done
run "$CUTOVER" run inv.json --yes --tenant b
said
status_is 'a customer of whom all is done: exit code' 0
run "$CUTOVER" run inv.json --yes --tenant c
said
status_is 'a customer who waits for a person: exit code' 7

# ---- rollback ------------------------------------------------------------------------------------------------------

run "$CUTOVER" rollback a --yes --events rollback.ndjson
said
status_is 'rollback: exit code' 0
fetch config back 1
fetch schedule back 1
ok 'rollback: the file is byte for byte as before' cmp 1.config.old 1.config.back
ok 'rollback: the schedule too' cmp 1.schedule.old 1.schedule.back
is 'rollback: owner, group, mode' "$(attributes 1)" "$(sed -n 1p attributes.old)"
report_now
state_is 'rollback' 1 rolled_back
snapshots back '2 8'
same 'rollback of one leaves the others alone' again back '2 8'

# ---- a stop, a second controller, and on again ---------------------------------------------------------------------

make_busy 1
start stopped "$CUTOVER" run inv.json --yes --tenant a --events stopped.ndjson
a_is_off() {
	grep '"kind":"outcome"' stopped.ndjson | grep '"action":"schedule-off"' | grep -q '"to":"ok"'
}
wait_until 'the run to be stopped: the schedule is off' 60 a_is_off
fetch schedule off 1
not_ok 'the run to be stopped: the host shows it' grep -q '^23 3 .*imhs-ws-client.rb' 1.schedule.off
run "$CUTOVER" run inv.json --yes
said
status_is 'a second controller: exit code' 6
err_has 'a second controller: says who holds the state file' "$started"
kill -INT "$started"
ended
said
status_is 'stopped by the operator: exit code' 4
fetch schedule stopped 1
fetch config stopped 1
ok 'stopped: the schedule is on again, byte for byte' cmp 1.schedule.old 1.schedule.stopped
ok 'stopped: the file was not touched' cmp 1.config.old 1.config.stopped
run "$CUTOVER" status a
said
out_lacks 'stopped: no debt is open' 'DOWN'
end_busy 1
run "$CUTOVER" resume --yes
said
status_is 'resume: exit code' 5
fetch config resumed 1
fetch schedule resumed 1
ok 'resume: the file has the new name' cmp 1.config.wanted 1.config.resumed
ok 'resume: the schedule is as before' cmp 1.schedule.old 1.schedule.resumed
report_now
state_is 'resume' 1 verified

# ---- secrets -------------------------------------------------------------------------------------------------------

"$CUTOVER" report --format json >report.last
ok 'the verify command did print the key' grep -q 'says what it should not' report.last
for table in entry revision revision_file; do
	sqlite3 -readonly "$state" ".dump $table" >"dump.$table"
	ok "the state file's table $table is there" grep -q INSERT "dump.$table"
done
sqlite3 -readonly "$state" 'SELECT CAST(bytes AS TEXT) FROM blob WHERE NOT exact' >dump.blobs
ok 'what was kept of outputs is redacted' grep -q secret dump.entry
is 'no secret is in anything that was written' \
	"$(grep -rlFf secrets said ./*.ndjson ./*.out ./*.err report report.* plan dump.*)" ''
is 'the state file is for its owner only' "$(stat -c %a cutover.db)" 600
finish
