#!/bin/sh
# status, why and report on a state file: what goes where, in which form; and confirm without a controller. Needs
# $CUTOVER, jq for the JSON; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/inventory.sh"
need_program
cd "$work"
inventory_waiting fleet.json
# A second host of acme's, so that its sync-client has several targets.
sed -i 's|"path": "/opt/client" } ] } ] },|"path": "/opt/client" } ] },\
                 { "name": "sync2", "address": "127.0.0.1", "port": 10, "os": "linux",\
                   "host_key": "SHA256:1aB2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1U",\
                   "agents": [ { "agent": "ruby-client", "path": "/opt/client" } ] } ] },|' fleet.json
run "$CUTOVER" run fleet.json --yes
status_is 'a run that has to wait' 5

run "$CUTOVER" status
status_is 'status' 0
out_has 'status: names the tenants' basil
err_is_empty 'status: nothing else'
run "$CUTOVER" status acme
out_has 'status TENANT: its steps' sync-client
refuses 'status of an unknown tenant' "acme" "$CUTOVER" status amce
run "$CUTOVER" status --watch
status_is 'status --watch without a run ends' 0
out_has 'status --watch without a run: says it once' acme

run "$CUTOVER" why acme
status_is 'why' 0
out_has 'why: the step' sync-client
out_has 'why: the window' '2099-12-01'
refuses 'why of an unknown tenant' "acme" "$CUTOVER" why amce
run "$CUTOVER" why acme --lang ja
status_is 'why --lang ja' 0

# What this version does not have is somebody's word: the command that `why` shows is one that works.
run "$CUTOVER" why acme
out_has 'why: what this version does not do' 'do it by hand'
shown=$(sed -n 's/^ *\$ cutover \(confirm acme clean-up .*\) NAME$/\1/p' "$out")
# Unquoted: words.
# shellcheck disable=SC2086
run "$CUTOVER" $shown Ann
status_is 'why: its command works' 0
err_has 'why: its command confirms' 'confirmed, was blocked'

run "$CUTOVER" report
status_is 'report' 0
out_has 'report: text on stdout' acme
for format in json csv html; do
	run "$CUTOVER" report --format "$format"
	status_is "report --format $format" 0
	out_has "report --format $format: on stdout" acme
	err_is_empty "report --format $format: nothing else"
done
run "$CUTOVER" report --format text,json --format csv,html --out reports/one
status_is 'report --out' 0
is 'report --out: prints the paths' "$(cat "$out")" 'reports/one/report.txt
reports/one/report.json
reports/one/report.csv
reports/one/report.html'
is 'report --out: makes the files and no other' "$(ls reports/one)" 'report.csv
report.html
report.json
report.txt'
run "$CUTOVER" report acme --format json
out_lacks 'report TENANT: nothing of another one' basil
refuses 'report of an unknown tenant' 'acme' "$CUTOVER" report amce
: >file
refuses 'report --out below a file' 'file' "$CUTOVER" report --out file/x
if command -v jq >/dev/null; then
	is 'report.json: version and tenants' "$(jq -r '.report, (.tenants | map(.id) | sort | join(" "))' reports/one/report.json)" \
		'1
acme basil'
else
	skip 'report.json' 'jq is not here (deploy/deps.sh --tests installs it)'
fi

# A person's word. firewall of basil: `uses` says "unknown", so a person is needed.
refuses 'confirm: an unknown step' 'has no step' "$CUTOVER" confirm basil firewal --result ok --by Ann
refuses 'confirm: an unknown tenant' "did you mean 'basil'" "$CUTOVER" confirm bazil firewall --result ok --by Ann
refuses 'confirm: an unknown target' 'no target' "$CUTOVER" confirm basil firewall --target host:x --result ok --by Ann
refuses 'confirm: several targets' 'host:sync1 (waiting), host:sync2 (waiting)' \
	"$CUTOVER" confirm acme sync-client --result ok --by Ann
refuses 'confirm: nobody is waited for' 'is waiting' "$CUTOVER" confirm acme sync-client --target host:sync1 --result ok --by Ann
refuses 'confirm: evidence that is not there' 'nowhere.png' \
	"$CUTOVER" confirm basil firewall --result ok --by Ann --evidence nowhere.png
printf 'a picture' >proof.png
run "$CUTOVER" confirm basil firewall --result ok --by 'Ann Sato' --note 'port 25 is "open"' --evidence proof.png
status_is 'confirm' 0
err_has 'confirm: says what became of it' 'confirmed, was needs_person'
run "$CUTOVER" report basil --format json
out_has 'confirm: who' 'Ann Sato'
out_has 'confirm: the evidence by its hash' "$(sha256sum proof.png | cut -d' ' -f1)"
refuses 'confirm: twice' 'confirmed already' "$CUTOVER" confirm basil firewall --result ok --by Ann
run "$CUTOVER" confirm acme sync-client --target host:sync1 --result not-needed --by Bob
status_is 'confirm --result not-needed of what waits' 0
err_has 'confirm --result not-needed: says what became of it' 'not_applicable, was waiting'
finish
