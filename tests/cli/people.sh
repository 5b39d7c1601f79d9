#!/bin/sh
# What people do: todo, what they are told, confirmations that come too early, sheets of them. No host is contacted; a
# controller runs at the end, and waits. Needs $CUTOVER, jq for the JSON; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/inventory.sh"
need_program
cd "$work"
if ! command -v jq >/dev/null; then
	skip 'what people do' 'jq is not here (deploy/deps.sh --tests installs it)'
	finish
fi

# Two more tenants: cress reads Japanese, her data is migrated already and her window opens in a week; the data of dill is
# migrated in 2099 only.
inventory_waiting base.json
day() { date -u -d "$1" +%Y-%m-%d; }
jq --arg past "$(day '-3 days')" --arg start "$(day '+7 days')" --arg until "$(day '+8 days')" '
	def person($id; $date; $from; $to): { id: $id, name: "\($id) & sons", migration_date: $date, new_fqdn: "\($id).hes2.example",
		windows: [{ start: "\($from)T22:00:00+09:00", end: "\($to)T22:00:00+09:00" }],
		uses: { restricted_firewall: true, outbound_filter: false, directory_sync: false, quarantine_notification: true },
		domains: [], hosts: [],
		by: { firewall: "isp", "template-change": "customer" } };
	.tenants += [ person("cress"; $past; $start; $until) + { language: "ja" },
		person("dill"; "2099-12-01"; "2099-12-01"; "2099-12-02") ]' base.json >fleet.json
run "$CUTOVER" run fleet.json --yes
status_is 'a run that has to wait' 5

run "$CUTOVER" todo
status_is 'todo' 0
out_has 'todo: whose and by when' 'cress firewall tenant: needs_person, for the customer'
out_has 'todo: the exact line' '$ cutover confirm cress firewall --target tenant --result ok --by NAME'
out_has 'todo: in English unless asked' 'On the firewall, allow TCP port 25 in from'
err_is_empty 'todo: nothing else'
run "$CUTOVER" todo --lang ja --tenant cress
out_has 'todo --lang ja' '次の IP アドレスとのメール送受信 (TCP 25 番ポート) を許可してください: 216.104.0.0/19'
out_lacks 'todo --tenant: nothing of another one' dill
run "$CUTOVER" todo --owner isp --json
status_is 'todo --json' 0
is 'todo --owner' "$(jq -r '.todo, (.items[] | "\(.tenant) \(.step) \(.owner)")' "$out")" '1
cress firewall isp
dill firewall isp'
run "$CUTOVER" todo --json
is 'todo: sorted by what is due first, without a date last' "$(jq '[.items[].due // "9"] | . == sort' "$out")" true
is 'todo --json: both languages' "$(jq -r '[.items[] | select(.step == "firewall" and .owner == "isp") | .instruction | has("en") and has("ja")]' -c "$out")" '[true,true]'
is 'todo --json: the console path, from when and by when' \
	"$(jq -r '.items[] | select(.step == "template-change" and .tenant == "dill") | .from, .due, .due_when,
		(.instruction.en | test("\\[Quarantine\\] > \\[Notification settings\\]"))' "$out")" \
	'2099-12-01T00:00:00+09:00
2099-12-01T22:00:00+09:00
window_opens
true'
refuses 'todo of an unknown tenant' "cress" "$CUTOVER" todo --tenant cres
refuses 'todo for nobody' 'none of us, customer, isp' "$CUTOVER" todo --owner them
refuses 'todo without a state file' 'no state file' "$CUTOVER" todo --state nowhere.db
not_ok 'todo makes none' test -e nowhere.db

# The word that comes too early is refused at once, and one that does not is taken.
refuses 'confirm before the migration date' 'does not count' \
	"$CUTOVER" confirm dill template-change --result ok --by Ann
run "$CUTOVER" why dill
out_has 'why: says from when on it counts' '2099-12-01 00:00'
run "$CUTOVER" confirm cress template-change --result ok --by 'Ann Sato'
status_is 'confirm after the migration date' 0
run "$CUTOVER" confirm dill template-change --result not-needed --by Bob --note 'the default is fine'
status_is 'confirm --result not-needed before it' 0

# The evidence: kept whole, beside the state file's own entries, whatever becomes of the original.
printf 'a picture\000of a console' >proof.png
hash=$(sha256sum proof.png | cut -d' ' -f1)
run "$CUTOVER" confirm cress firewall --result ok --by 'Ann Sato' --note 'ticket 4711' --evidence proof.png
status_is 'confirm --evidence' 0
rm proof.png
run "$CUTOVER" report cress
out_has 'report: the evidence by name, size and hash' "(evidence: proof.png, 22 bytes, SHA-256 $(echo "$hash" | cut -c1-12))"
run "$CUTOVER" report --format evidence --out proof
status_is 'report --format evidence' 0
is 'report --format evidence: the file as it was, and private' \
	"$(cat "$out") $(sha256sum <"$(cat "$out")" | cut -d' ' -f1) $(stat -c %a "$(cat "$out")")" \
	"proof/evidence/$(echo "$hash" | cut -c1-12)-proof.png $hash 600"
refuses 'report --format evidence without a folder' 'add --out DIR' "$CUTOVER" report --format evidence
is 'the state file is private' "$(stat -c %a cutover.db)" 600
run "$CUTOVER" report cress --format json
is 'report.json: what she was told, and whose it was' \
	"$(jq -r '.tenants[0].steps[] | select(.step == "firewall") | .state, .instruction.who, (.instruction.ja | test("216.104.0.0/19"))' "$out")" 'confirmed
isp
true'
truncate -s 9M big.png
refuses 'evidence that is too large' 'big.png' "$CUTOVER" confirm acme clean-up --result ok --by Ann --evidence big.png

# The sheet: three hundred tenants more, a template to decide on for each. The whole way there and back.
jq --arg past "$(day '-3 days')" --arg start "$(day '+7 days')" --arg until "$(day '+8 days')" '
	.tenants += [ range(300) | { id: "t\(.)", name: "=cmd|\(.)", migration_date: $past, new_fqdn: "t\(.).hes2.example",
		windows: [{ start: "\($start)T22:00:00+09:00", end: "\($until)T22:00:00+09:00" }], by: { "template-change": "customer" },
		uses: { restricted_firewall: false, outbound_filter: false, directory_sync: false, quarantine_notification: true },
		domains: [], hosts: [] } ]' fleet.json >many.json
sheets="--state many.db"
# shellcheck disable=SC2086
run "$CUTOVER" run many.json --yes $sheets
status_is 'a run of many' 5
# Unquoted from here: words.
# shellcheck disable=SC2086
{
	run "$CUTOVER" worksheet --step template-change --csv $sheets
	status_is 'worksheet' 0
	cp "$out" sheet.csv
	is 'worksheet: a byte order mark, a head line, a line for each' "$(head -c 3 sheet.csv | od -An -tx1 | tr -d ' ') $(wc -l <sheet.csv)" \
		'efbbbf 303'
	ok 'worksheet: no cell is a formula' grep -q "^t0,\"'=cmd|0\",template-change,tenant,customer,needs_person," sheet.csv
	refuses 'worksheet of no step' 'needs --step' "$CUTOVER" worksheet --csv $sheets
	refuses 'worksheet of an unknown step' 'no step' "$CUTOVER" worksheet --step template --csv $sheets
	refuses 'worksheet in no form' 'Add --csv' "$CUTOVER" worksheet --step template-change $sheets

	# As a spreadsheet gives it back: dill has to wait for 2099, so she is left out.
	sed 's/,,,,\(.\)$/,ok,"Sato, Hanako","seen ""all""",\1/; 1!{/^dill/s/,ok,.*/,,,,/}' sheet.csv >filled.csv
	sed 's/^t7,/t777,/; s/^t9,\(.*\),ok,/t9,\1,okay,/' filled.csv >bad.csv
	refuses 'a sheet with bad rows' 'nothing was written, 2 of its rows cannot be taken' "$CUTOVER" confirm --from bad.csv $sheets
	err_has 'a sheet with bad rows: a tenant that is not there, with its line' "(t777 template-change tenant): there is no tenant 't777'"
	err_has 'a sheet with bad rows: a result that is none' '(t9 template-change tenant): its result is none of'
	run "$CUTOVER" report --format json $sheets
	is 'a sheet with bad rows: nothing was written' "$(jq '[.tenants[].steps[] | select(.step == "template-change" and .state == "confirmed")] | length' "$out")" 0
	refuses 'a sheet before the migration date' 'does not count' \
		sh -c 'sed "/^dill/s/,,,,/,ok,Ann,,/" filled.csv >early.csv; exec "$0" confirm --from early.csv --state many.db' "$CUTOVER"
	run "$CUTOVER" confirm --from filled.csv $sheets
	status_is 'a sheet' 0
	err_has 'a sheet: what was taken' 'filled.csv: 301 taken (ok 301, wrong 0, not-needed 0); 1 rows have no result yet'
	run "$CUTOVER" report --format json $sheets
	is 'a sheet: each row with its name and note' "$(jq -r '[.tenants[].steps[] | select(.step == "template-change") | .events[] |
		select(.kind == "person") | "\(.data.by)|\(.data.note)|\(.data.sheet.sha256)"] | unique[], length' "$out")" "Sato, Hanako|seen \"all\"|$(sha256sum filled.csv | cut -d' ' -f1)
301"
	run "$CUTOVER" confirm --from filled.csv $sheets
	status_is 'the same sheet again' 0
	err_has 'the same sheet again: nothing twice' '0 taken (ok 0, wrong 0, not-needed 0), 301 were said before'
}
refuses 'a sheet and a step' 'leave them out' "$CUTOVER" confirm acme mx --from filled.csv
refuses 'a sheet that is not there' 'nowhere.csv' "$CUTOVER" confirm --from nowhere.csv
printf 'tenant,step,result,by\nacme,\203\145,ok,Ann\n' >sjis.csv
refuses 'a sheet in another encoding' 'line 2: it is not UTF-8: save the sheet as "CSV UTF-8"' "$CUTOVER" confirm --from sjis.csv

# While a controller runs: by its socket, as one append, and it goes on at once.
"$CUTOVER" run many.json --yes --wait --state many.db >run.out 2>run.err </dev/null &
controller=$!
cleanup() { kill -9 "$controller" 2>/dev/null || true; }
wait_until 'the controller listens' 20 test -S many.db.sock
printf 'tenant,step,result,by,note\ncress,firewall,ok,Ann,\ndill,firewall,not-needed,Bob,\nnobody,firewall,ok,Ann,\n' >live.csv
wait_until 'it knows that cress waits for a person' 20 sh -c "'$CUTOVER' status cress --state many.db | grep -q needs_person"
refuses 'a bad sheet beside a controller' "line 4 (nobody firewall): there is no tenant 'nobody'" \
	"$CUTOVER" confirm --from live.csv --state many.db
sed -i '$d' live.csv
run "$CUTOVER" confirm --from live.csv --state many.db
status_is 'a sheet by the controller' 0
err_has 'a sheet by the controller: what was taken' '2 taken (ok 1, wrong 0, not-needed 1)'
run "$CUTOVER" confirm --from live.csv --state many.db
err_has 'a sheet by the controller again' '2 were said before'
run "$CUTOVER" todo --tenant cress --state many.db
status_is 'todo beside a controller' 0
out_lacks 'todo beside a controller: what was said is gone' 'cress firewall'
kill -TERM "$controller"
status=0
wait "$controller" || status=$?
is 'the controller was there all the time' "$status" 4
finish
