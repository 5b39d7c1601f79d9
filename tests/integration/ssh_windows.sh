#!/bin/sh
# The whole program against Windows hosts (deploy/demo/windows: sshd, Wine's cmd.exe, registry and service manager, two
# real services): plan, run, faults, a killed controller, resume, the second run, why, report, rollback. Three customers on
# two hosts:
#
#     found     host 1, English; services by their display names, folder by the quoted ImagePath; the Agent depends on the
#               Service; UTF-8 with BOM, line ends of both kinds, read-only
#     named     host 1 again; a service by its key name, folder by an ImagePath with blanks and arguments and no quotes;
#               UTF-16LE
#     stopped   host 2, Japanese; the Agent was stopped and disabled by somebody, the Service runs; folder by the inventory;
#               comments in CP932, value before key, host in capitals with a port
#
# and a fourth, drift, with six files on host 2 that are nobody's to change. What happened is looked at on the hosts, without
# the program. Needs root and the packages of deploy/deps.sh --windows; leaves nothing.
#
# drive: winhost_drive's; win_client, win_agent, win_service: winhost.sh's.
# shellcheck disable=SC2154
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/winhost.sh"
need_program
TAP_TIMEOUT_S=300
winhost_possible || {
	skip 'the program against Windows hosts' "$winhost_why_not"
	finish
}
started=
cleanup() {
	[ -z "$started" ] || kill -9 "$started" 2>/dev/null || true
	winhost_down >/dev/null 2>&1 || true
}

# ---- the files -----------------------------------------------------------------------------------------------------

old=us.imhs-ws.trendmicro.com
second='Old Clients/HES & Co'

# text ENCODING HOST: a file of the client, as text.
text() {
	cat <<X
<?xml version="1.0" encoding="$1"?>
<configuration>
  <!-- ソース表示: 同期クライアントの設定 -->
  <appSettings>
    <!-- <add key="WS_SERVICE_URI" value="https://$old/imhs/v1.0/en/" /> -->
    <add key="WS_ADMIN_PASSWORD" value="s3cret-of-the-file" />
    $3<add $4 />
    <add key="LOG_LEVEL" value="INFO" />
  </appSettings>
</configuration>
X
}

# config KIND HOST: its bytes.
config() {
	entry="key=\"WS_SERVICE_URI\" value=\"https://$2/imhs/v1.0/en/\""
	case $1 in
	bom)
		printf '\357\273\277'
		text utf-8 "$2" '' "$entry" | awk 'NR % 3 { printf "%s\r\n", $0; next } { printf "%s\n", $0 }' | head -c -2
		;;
	utf16)
		printf '\377\376'
		text utf-16 "$2" '' "$entry" | sed 's/$/\r/' | iconv -t UTF-16LE
		;;
	cp932)
		text utf-8 "$2" "	" "value = 'https://$2/imhs/v1.0/en/'  key='WS_SERVICE_URI'" | sed 's/$/\r/' | iconv -t CP932
		;;
	esac
}

# Of a customer: host, folder, kind of file, host name before and after.
of() {
	case $1 in
	found) n=1 folder=$win_client kind=bom was=$old new=found.hes2.example ;;
	named) n=1 folder=$second kind=utf16 was=$old new=named.hes2.example ;;
	stopped) n=2 folder=$win_client kind=cp932 was=US.IMHS-WS.TrendMicro.COM:443 new=stopped.hes2.example:443 ;;
	esac
	file=$(winhost_drive "$n")/$folder/PluginService.exe.config
}
customers='found named stopped'

# What is kept of a file beside its bytes: which file it is, its attribute, its names.
attributes() {
	of "$1"
	stat -c '%i %a %h' "$file"
}

# The bytes are those of before, or those with the new name in the place of the old one.
is_old() {
	of "$2"
	config "$kind" "$was" >"$work/wanted"
	ok "$1: $2: the file is byte for byte as before" cmp "$work/wanted" "$file"
}

is_new() {
	of "$2"
	config "$kind" "$new" >"$work/wanted"
	ok "$1: $2: the host name, and not a byte more" cmp "$work/wanted" "$file"
	config "$kind" "$was" >"$work/wanted"
	ok "$1: $2: the file as it was is beside it" cmp "$work/wanted" "$file.before-cutover"
}

# What is in the client's folder.
names_are() {
	of "$2"
	is "$1: $2: nothing of ours but the backup is in the folder" \
		"$(find "$(dirname "$file")" -iname '*cutover*' -printf '%f ')" "$3"
}

# ---- the services --------------------------------------------------------------------------------------------------

# states N KEY...: their numbers, by one session
states() {
	of_host=$1
	shift
	winhost_exec "$of_host" "$(printf 'sc.exe query %s& ' "$@")" | sed -n 's/^ *STATE *: \([0-9]*\).*/\1/p' | paste -sd ' '
}

# services_are NAME STATES: Agent, Service and Second of host 1, Agent and Service of host 2
services_are() {
	is "$1: services" "$(states 1 "$win_agent" "$win_service" Second) $(states 2 "$win_agent" "$win_service")" "$2"
}

# What the services on a host did since `note` was called: KEY EVENT, in order
note() {
	for at in 1 2; do
		winhost_log $at | wc -l >"$work/noted.$at"
	done
}

did() {
	winhost_log "$1" | tail -n "+$(($(cat "$work/noted.$1") + 1))" | grep -E ' (stop|running)$' | sed 's/ImhsAdSync//' | paste -sd ' '
}

# What the running processes have read.
has_read() {
	winhost_log "$1" | grep "^$2 config " | tail -n 1 | sed 's/.*, //'
}

# hold N: somebody has the file open, for reading and without sharing it for writing, until `let_go N`
hold() {
	of "$1"
	winhost_exec "$n" "ping -n 600 127.0.0.1 >nul <\"C:\\$(echo "$folder" | tr / \\\\)\\PluginService.exe.config\"" &
	wait_until "$1: somebody holds the file" 60 is_held "$n"
}

is_held() {
	winhost_exec "$1" 'tasklist /nh /fi "imagename eq ping.exe"' | grep -q '^ping'
}

let_go() {
	of "$1"
	winhost_exec "$n" 'taskkill /f /im ping.exe' >/dev/null
}

# ---- the inventory -------------------------------------------------------------------------------------------------

# tenant ID N AGENT...
tenant() {
	read -r _ address port name _ <<X
$(sed -n "$2p" "$winhost_dir/hosts.txt")
X
	printf '{ "id": "%s", "new_fqdn": "%s.hes2.example",\n  "hosts": [ { "name": "%s", "address": "%s", "port": %s,\n' \
		"$1" "$1" "ad$2" "$address" "$port"
	printf '    "identity_check": { "run": "hostname", "equals": "%s" },\n    "agents": [ %s ] } ] }' "$name" "$3"
}

client() {
	printf '{ "agent": "ad-sync-client"%s }' "$1"
}

drift_client() {
	client ", \"key\": \"$1\", \"path\": \"C:\\\\drift\\\\$1.config\", \"services\": [\"$win_service\"]"
}

inventory() {
	cat <<X
{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "defaults": { "os": "windows", "user": "Administrator", "identity": "file:$winhost_dir/id_ed25519",
    "known_hosts": "$winhost_dir/known_hosts", "migration_date": "$(date -d yesterday +%F)", "domains": [],
    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true, "quarantine_notification": false },
    "windows": [ { "start": "$(date -d '1 hour ago' +%FT%T%:z)", "end": "$(date -d '8 hours' +%FT%T%:z)" } ] },
  "tenants": [
$(tenant found 1 "$(client "$1")"),
$(tenant named 1 "$(client "$1, \"services\": [\"Second\"]")"),
$(tenant stopped 2 "$(client "$1, \"path\": \"C:\\\\$(echo "$win_client" | sed 's,/,\\\\,g')\"")"),
$(tenant drift 2 "$(for name in $drifts; do drift_client "$name"; done | sed 's/}{/},\n      {/g')")
  ] }
X
}

# ---- files that are nobody's to change -----------------------------------------------------------------------------

drifts='neither absent twice elsewhere beside secret'
uri="<add key=\"WS_SERVICE_URI\" value=\"https://$old/imhs/v1.0/en/\" />"

drift_settings() {
	case $1 in
	neither) echo "<appSettings>$uri</appSettings>" | sed "s/$old/hes-proxy.customer.example/" ;;
	absent) echo "<appSettings><!-- $uri --></appSettings>" ;;
	twice) echo "<appSettings>$uri$uri</appSettings>" ;;
	elsewhere) echo '<appSettings configSource="settings.config" />' ;;
	beside) echo "<appSettings file=\"more.config\">$uri</appSettings>" ;;
	secret) echo '<appSettings configProtectionProvider="RsaProtectedConfigurationProvider"><EncryptedData /></appSettings>' ;;
	esac
}

make_drifts() {
	mkdir "$(winhost_drive 2)/drift"
	for name in $drifts; do
		echo "<configuration>$(drift_settings "$name")</configuration>" >"$(winhost_drive 2)/drift/$name.config"
	done
}

# ---- the report ----------------------------------------------------------------------------------------------------

report_now() {
	"$CUTOVER" report --state "$state" --format json >"$work/report.now"
}

# row TENANT KEY [TARGET]: of its sync-client
row() {
	jq -r --arg t "$1" --arg k "$2" --arg g "${3-}" '.tenants[] | select(.id == $t) | .steps[] |
		select(.step == "sync-client" and (.target | startswith("host:")) and (.target | endswith($g))) | .[$k] // ""' "$work/report.now"
}

state_is() {
	is "$1: $2: state" "$(row "$2" state "${5-}")" "$3"
	[ -z "${4-}" ] || is "$1: $2: code" "$(row "$2" code "${5-}")" "$4"
}

says() {
	case $(row "$2" text "${4-}") in
	*"$3"*) pass "$1: $2: says why" ;;
	*) fail "$1: $2: says why" "wanted: $3
seen:   $(row "$2" text "${4-}")" ;;
	esac
}

# start COMMAND...: in the background; ended waits for it
start() {
	# tap.sh's.
	# shellcheck disable=SC2034
	tap_ran="$*, in the background"
	"$@" >"$out" 2>"$err" </dev/null &
	started=$!
}

ended() {
	status=0
	timeout "$TAP_TIMEOUT_S" tail --pid="$started" -f /dev/null || kill -9 "$started"
	# shellcheck disable=SC2034
	wait "$started" || status=$?
	started=
}

# event NAME TENANT ACTION TO: waits until the run's events have that outcome
event() {
	wait_until "$1" 200 has_event "$2" "$3" "$4"
}

has_event() {
	grep -F "\"tenant\":\"$1\"" "$events" | grep -F "\"action\":\"$2\"" | grep -qF "\"to\":\"$3\""
}

# ---- set-up --------------------------------------------------------------------------------------------------------

# The second client of host 1: its own folder and program.
add_second() {
	mkdir -p "$(winhost_drive 1)/$second"
	cp "$(winhost_drive 1)/$win_client/PluginService.exe" "$(winhost_drive 1)/$second/"
	winhost_exec 1 "sc.exe create Second binPath= \"C:\\Old Clients\\HES & Co\\PluginService.exe -k 7\" start= demand" >/dev/null
}

# Somebody stopped the Agent of host 2, so that it stays so.
stop_agent() {
	winhost_exec 2 "sc.exe stop $win_agent & sc.exe config $win_agent start= disabled" >/dev/null
	winhost_becomes "$win_agent is stopped" 2 $win_agent 1
}

write_file() {
	of "$1"
	config "$kind" "$was" >"$file"
	[ "$1" != found ] || chmod 444 "$file"
}

winhost_up 2 --variant 1=depends --variant 2=japanese
[ "$failed" = 0 ] || finish
cd "$work" || exit 1
add_second
stop_agent
for id in $customers; do
	write_file "$id"
done
winhost_exec 1 'sc.exe start Second' >/dev/null
winhost_becomes 'the second client runs' 1 Second 4
make_drifts
inventory '' >inv.json
inventory ', "wait_s": 10' >faults.json
cp -r "$(winhost_drive 2)/drift" drift.old
for id in $customers; do
	attributes "$id"
done >attributes.old
state=$work/cutover.db
services_are 'before' '4 4 4 1 4'
note

# ---- plan ----------------------------------------------------------------------------------------------------------

run "$CUTOVER" plan inv.json --not-tenant drift
status_is 'plan' 0
for id in $customers; do
	is_old plan "$id"
	err_has "plan: $id: the line as it would be" "https://$id.hes2.example"
done
err_has 'plan: the folder out of a quoted ImagePath' "C:\\$(echo "$win_client" | tr / \\\\)\\PluginService.exe.config line 7"
err_has 'plan: the folder out of one without quotes' 'C:\Old Clients\HES & Co\PluginService.exe.config line 7'
err_has 'plan: what is stopped meanwhile' "Sync Service\" ($win_service, start type automatic) is stopped meanwhile"
err_has 'plan: what is left stopped' "Sync Agent\" ($win_agent, start type disabled) is stopped already and is left so"
err_has 'plan: a read-only file' 'PluginService.exe.config is read-only: the attribute is taken off for the change and put back'
is 'plan: no service was touched' "$(did 1) $(did 2)" ' '

# ---- faults: a file that is held and not let go, a service that does not stop; and what is nobody's to change --------

hold found
winhost_control 2 "$win_service stop-hangs"
events=faults.ndjson
start "$CUTOVER" run faults.json --yes --events $events
event 'a service that does not stop is given up' stopped stop fail
is 'and is on its way still' "$(winhost_state 2 $win_service)" 3
winhost_control 2
ended
let_go found
status_is 'the run with faults: exit code' 1
report_now
state_is 'held' found failed busy
says 'held' found 'another process of the host has held it open for'
state_is 'does not stop' stopped failed timeout
says 'does not stop' stopped "the service \"Hosted Email Security ActiveDirectory Sync Service\" has not stopped in 1"
says 'does not stop' stopped 'the file was not changed, and what was stopped is started again'
is_old 'held' found
is_old 'does not stop' stopped
names_are 'does not stop' stopped ''
is 'held: stopped and started, each in its order' "$(did 1)" 'Agent stop Service stop Service running Agent running'
is 'does not stop: once it did it was started again' "$(did 2)" 'Service stop Service running'
services_are 'after the faults' '4 4 4 1 4'
state_is 'a client beside it' named verified
for name in $drifts; do
	state_is "$name" drift drift '' "/$name"
	says "$name" drift "C:\\drift\\$name.config" "/$name"
done
ok 'drift: no file is touched' diff -r drift.old "$(winhost_drive 2)/drift"

# ---- the controller is killed between stop and start, and goes on ----------------------------------------------------

# begun TENANT: the write is about to be done, or waits for the one who holds the file
begun() {
	grep -F '"kind":"intent"' "$events" | grep -F "\"tenant\":\"$1\"" | grep -qF '"action":"write-config"'
}

hold found
hold stopped
note
events=killed.ndjson
start "$CUTOVER" run inv.json --yes --tenant found --tenant stopped --events $events
wait_until 'the run to be killed: found' 200 begun found
wait_until 'the run to be killed: stopped' 200 begun stopped
kill -9 "$started"
ended
status_is 'it is killed' 137
services_are 'killed' '1 1 4 1 1'
for id in found stopped; do
	is_old killed "$id"
done
run "$CUTOVER" status
status_is 'killed: status' 0
out_has 'killed: status names what is down' "found: sync-client host:ad1: start $win_agent"
out_lacks 'killed: but not what was so before' "stopped: sync-client host:ad2: start $win_agent"
let_go stopped
events=resumed.ndjson
start "$CUTOVER" resume --yes --events $events
wait_until 'resume: the held file is come to' 200 begun found
is_old 'resume: while somebody holds it' found
let_go found
ended
status_is 'resume: exit code' 5
services_are 'resumed' '4 4 4 1 4'
is 'resume: what ran is started, in its order' "$(did 1)" 'Agent stop Service stop Service running Agent running'
is 'resume: what was stopped before is not' "$(did 2)" 'Service stop Service running'

# ---- what is there now ---------------------------------------------------------------------------------------------

report_now
for id in $customers; do
	is_new migrated "$id"
	names_are migrated "$id" 'PluginService.exe.config.before-cutover '
	attributes "$id" >>attributes.new
done
is 'the same files, with the attributes that they had' "$(cat attributes.new)" "$(cat attributes.old)"
state_is migrated found verified
state_is migrated named verified
state_is migrated stopped needs_person
says migrated stopped "the service \"Hosted Email Security ActiveDirectory Sync Agent\" is STOPPED and disabled and was so before"
is 'the services read the new name when they were started' "$(has_read 1 $win_agent) $(has_read 2 $win_service)" \
	'found.hes2.example stopped.hes2.example'
is 'no debt is open' "$(jq '[.tenants[].steps[] | .open_debts // [] | length] | add' report.now)" 0
start_types() {
	sqlite3 -readonly "$state" "SELECT data FROM entry WHERE kind = 'before' AND tenant = '$1'" |
		jq -r '"\(."service.0.start") \(."service.1.start")"'
}
is 'the start types are kept' "$(start_types found), $(start_types stopped)" '2 2, 4 2'
run "$CUTOVER" why stopped
status_is 'why' 0
tr -s ' \n' ' ' <"$out" >why
ok 'why: what is stopped, and what to do' grep -F 'start it if it should run, then run cutover again, or confirm the step' why
for format in text json csv html; do
	run "$CUTOVER" report --format $format
	status_is "report as $format" 0
	cat "$out" >>reports
done
not_ok 'what else is in a file is in no report and no event' grep -qF s3cret-of-the-file reports ./*.ndjson

# ---- once more -----------------------------------------------------------------------------------------------------

looked() {
	for id in $customers; do
		of "$id"
		stat -c '%i %a %Y %Z' "$file"
	done
}
looked >looked.before
note
events=again.ndjson
run "$CUTOVER" run inv.json --yes --not-tenant drift --events $events
status_is 'the second run: exit code' 5
is 'the second run touches no file' "$(looked)" "$(cat looked.before)"
is 'the second run touches no service' "$(did 1) $(did 2)" ' '
is 'the second run has nothing to change' "$(grep -c '"kind":"intent"' $events)" 0

# ---- rollback ------------------------------------------------------------------------------------------------------

of stopped
cp "$file" migrated
printf '<!-- a hand that was here since -->\r\n' >>"$file"
cp "$file" edited
run "$CUTOVER" rollback --yes --tenant found --tenant stopped
status_is 'rollback, of a file too that was edited since: exit code' 1
err_has 'rollback: names it' "PluginService.exe.config was edited since we changed it: put ${was%:443} back by hand; as it was before our change it is kept beside it"
ok 'rollback: it is left as it is' cmp edited "$file"
is 'rollback: nothing is stopped for it' "$(did 2)" ''
is_old 'rollback' found
is 'rollback: the services too' "$(did 1)" 'Agent stop Service stop Service running Agent running'
is 'rollback: they read the old name' "$(has_read 1 $win_agent) $(has_read 1 $win_service)" "$old $old"
is_new 'rollback leaves the others alone' named
of stopped
cat migrated >"$file"
run "$CUTOVER" rollback --yes --tenant stopped --tenant named
status_is 'rollback: exit code' 0
for id in stopped named; do
	is_old rollback "$id"
done
services_are 'rolled back' '4 4 4 1 4'
for id in $customers; do
	attributes "$id"
done >attributes.back
ok 'rollback: the same files, with the attributes that they had' diff attributes.old attributes.back
report_now
for id in $customers; do
	state_is rollback "$id" rolled_back
done
finish
