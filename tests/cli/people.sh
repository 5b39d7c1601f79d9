#!/bin/sh
# What people do: todo, what they are told, confirmations that come too early. No host is contacted and no controller runs but
# for a moment. Needs $CUTOVER, jq for the JSON; leaves nothing behind.
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
is 'the state file is private' "$(stat -c %a cutover.db)" 600
run "$CUTOVER" report cress --format json
is 'report.json: what she was told, and whose it was' \
	"$(jq -r '.tenants[0].steps[] | select(.step == "firewall") | .state, .instruction.who, (.instruction.ja | test("216.104.0.0/19"))' "$out")" 'confirmed
isp
true'
truncate -s 9M big.png
refuses 'evidence that is too large' 'big.png' "$CUTOVER" confirm acme clean-up --result ok --by Ann --evidence big.png
finish
