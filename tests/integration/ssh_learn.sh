#!/bin/sh
# Host keys are learnt: plan --learn-keys against real hosts (deploy/demo), two bastions in a row (sshd) and a Windows host
# (Wine, where it is here). From an inventory without a pin to a run that verifies: learn, review, name the file, bastion by
# bastion; then what must not be learnt: swapped addresses, a changed key, no answer. What OpenSSH's tools say of the file is
# compared. Needs root, namespaces and the packages of deploy/deps.sh --tests. Leaves nothing.
# address, port, user, key, name: set by what winhosts.sh prints.
# shellcheck disable=SC2154
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/bastion.sh"
. "$(dirname "$0")/../lib/winhost.sh"
need_program
TAP_TIMEOUT_S=120
fleet=$(cd "$(dirname "$0")/../.." && pwd)/deploy/demo/fleet.sh

cleanup() {
	[ -z "${windows-}" ] || winhost_down >/dev/null 2>&1 || true
	bastions_down
	"$fleet" down "$work/fleet" >/dev/null 2>&1 || true
}

if ! bastions_possible || ! unshare -m -u -i -p -f true 2>/dev/null; then
	skip 'host keys are learnt' 'needs root, namespaces and sshd'
	finish
fi
windows=
if winhost_possible; then windows=1; else skip 'the key of a Windows host is learnt' "$winhost_why_not"; fi

# ---- the inventory: nothing is pinned

# host N MORE: a host of the fleet, in a line
host() {
	read -r _ address port name _ <<X
$(sed -n "$1p" "$work/fleet/hosts.txt")
X
	printf '{ "name": "%s", "address": "%s", "port": %s, %s "identity_check": { "run": "hostname", "equals": "%s" },
	  "agents": [ { "agent": "ruby-client" } ] }' "$name" "$address" "$port" "$2" "$name"
}

windows_host() {
	[ -n "$windows" ] || return 0
	eval "$("$winhost_command" show "$winhost_dir" 1)"
	printf ',{ "id": "w", "new_fqdn": "w.hes2.example", "hosts": [ { "name": "ad1", "os": "windows", "become": "none",
	  "address": "%s", "port": %s, "user": "%s", "identity": "file:%s",
	  "identity_check": { "run": "hostname", "matches": "^%s" }, "agents": [ { "agent": "ad-sync-client" } ] } ] }\n' \
		"$address" "$port" "$user" "$key" "$name"
}

# bastion NAME ADDRESS PORT MORE
bastion() {
	printf '{ "name": "%s", "address": "%s", "port": %s, "user": "root", "identity": "file:fleet/id_ed25519", "known_hosts": "known_hosts"%s }' "$@"
}

inventory() {
	cat <<X
{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "defaults": { "user": "cutover", "identity": "file:fleet/id_ed25519", "known_hosts": "known_hosts", "become": "sudo",
    "os": "linux", "migration_date": "$(date -d yesterday +%F)", "domains": [],
    "retry": { "attempts": 2, "first_delay_s": 1, "max_delay_s": 2, "give_up_s": 5 },
    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true, "quarantine_notification": false },
    "windows": [ { "start": "$(date -d '1 hour ago' +%FT%T%:z)", "end": "$(date -d '8 hours' +%FT%T%:z)" } ] },
  "bastions": [ $(bastion outer 127.48.0.1 "$outer" ''), $(bastion inner 127.48.0.2 "$inner" ', "via": "outer"') ],
  "tenants": [
    { "id": "a", "new_fqdn": "a.hes2.example", "hosts": [ $(host 1 '') ] },
    { "id": "b", "new_fqdn": "b.hes2.example", "hosts": [ $(host 2 '') ] },
    { "id": "c", "new_fqdn": "c.hes2.example", "hosts": [ $(host 3 '"via": "inner",') ] }
    $(windows_host)
  ] }
X
}

# learn FILE MORE...: of the whole inventory unless filters say less
learn() {
	learn_to=$1
	shift
	run "$CUTOVER" plan inv.json --learn-keys "$learn_to" "$@"
}

# key_of N: the fingerprint of a host, known without the program
key_of() { cut -d' ' -f5 "$work/fleet/hosts.txt" | sed -n "$1p"; }

# lines FILE: the names for which it has a key
lines() { sed -n '/^#/d; s/ .*//p' "$1" | sort | xargs; }

# place N: that host as a known_hosts file names it
place() { sed -n "$1s/^[0-9]* \([^ ]*\) \([^ ]*\) .*/[\1]:\2/p" "$work/fleet/hosts.txt"; }

# review FILE: a person has compared all of it, bastions too
review() { sed 's/^# unproved: //' "$1" >>known_hosts; }

# All that a learning could write or change here, but what the hosts themselves write.
snapshot() { find . -maxdepth 1 -type f ! -name '.std*' ! -name first -exec sha256sum {} + | sort; }

# ---- set-up
ok 'the hosts come up' "$fleet" up "$work/fleet" 3 --prefix auto --host-key 2=ecdsa
[ "$failed" = 0 ] || finish
bastion_up outer 127.48.0.1 "$work/fleet/id_ed25519.pub"
outer=$bastion_port
bastion_up inner 127.48.0.2 "$work/fleet/id_ed25519.pub"
inner=$bastion_port
[ -z "$windows" ] || winhost_up 1
cd "$work" || exit 1
inventory >inv.json
run "$CUTOVER" validate inv.json
status_is 'before: the inventory does not validate' 2
err_has 'before: since its known_hosts file is not there' 'known_hosts'

# ---- the first time
before=$(snapshot)
learn first
status_is 'learn: exit code, with a host behind a bastion that is not pinned' 1
err_has 'learn: proved' 'a/sync-01: proved: ssh-ed25519 SHA256:'
err_has 'learn: the outer bastion' 'bastion outer: unproved: ssh-ed25519'
err_has 'learn: what is behind it waits' 'c/sync-03: not looked at yet: it is behind the bastion outer'
err_lacks 'learn: the inner bastion waits, too' 'bastion inner:'
is 'learn: mode' "$(stat -c %a first)" 600
is 'learn: nothing else was written: no state file, no pin' "$(snapshot)" "$before"
wanted="$(place 1) $(place 2)"
[ -z "$windows" ] || wanted="$wanted [$(sed -n '1s/^[0-9]* \([^ ]*\) \([^ ]*\) .*/\1]:\2/p' "$winhost_dir/hosts.txt")"
is 'learn: hosts that were proved have a line, nobody else' "$(lines first)" "$(echo "$wanted" | tr ' ' '\n' | sort | xargs)"
ok 'learn: the keys are theirs' sh -c "ssh-keygen -lf first | grep -F '$(key_of 1)' && ssh-keygen -lf first | grep -F '$(key_of 2)'"
ssh-keygen -lf first >printed
sed -n 's/^# \([0-9]* SHA256:\)/\1/p' first | grep -v 127.48.0.1 >written
ok 'learn: each fingerprint is written as ssh-keygen -lf prints it' diff printed written
ok 'learn: who answered' grep -qE "^# a/sync-01 \(127\..* port .*\) answered $(date -u +%Y)-.*Z as SSH-2.0-OpenSSH_" first
ok 'learn: what was compared' grep -qxF '# proved: `hostname` says "sync-01", as identity_check wants' first
ok 'learn: who is missing, and why' grep -q '^# not looked at yet: it is behind the bastion outer' first
[ -z "$windows" ] || ok 'learn: a Windows host' grep -q '^# proved: `hostname` says "WIN-SYNC-01", as identity_check wants' first

# ---- what is there is not touched
cp first copy
learn first
status_is 'learn: a file that is there: exit code' 2
err_has 'learn: a file that is there: says so' 'is there already'
ok 'learn: and it is as it was' cmp first copy
ln -s nowhere link
refuses 'learn: a link of that name' 'is there already' "$CUTOVER" plan inv.json --learn-keys link
refuses 'learn: a folder that is not there' 'cannot write into' "$CUTOVER" plan inv.json --learn-keys no/such/file
refuses 'learn: with --out' '--learn-keys plans nothing: leave --out away' "$CUTOVER" plan inv.json --learn-keys x --out y
refuses 'learn: with --step' 'leave --step away' "$CUTOVER" plan inv.json --learn-keys x --step sync-client

# ---- reviewed, bastion by bastion
review first
learn second --tenant c
err_has 'the outer bastion is pinned: the inner one is next' 'bastion inner: unproved'
status_is 'and the host waits for that' 1
review second
learn third --tenant c
status_is 'both are pinned: the host' 0
err_has 'it is proved through both' 'c/sync-03: proved'
ok 'and the way is told' grep -q '^# c/sync-03 (.*, by way of bastion outer, inner) answered' third
review third
run "$CUTOVER" validate inv.json
status_is 'the inventory validates with the reviewed file' 0
learn fourth
status_is 'learn again: exit code' 0
err_has 'learn again: all are known' 'a/sync-01: known'
err_has 'learn again: nothing is new' 'nothing was written'
not_ok 'learn again: no file' test -e fourth

# "host_key" as it stands in the file is what the inventory takes.
jq --argjson pin "{$(grep -A4 '^# a/sync-01' first | sed -n 's/^# \("host_key".*\)/\1/p')}" \
	'.tenants[0].hosts[0] += $pin | .tenants[0].hosts[0].known_hosts = "empty" | .tenants |= .[:1]' inv.json >pasted.json
: >empty
run "$CUTOVER" plan pasted.json --tenant a
status_is 'the pasted host_key holds' 0

# ---- what must not be learnt
mv known_hosts pins
jq '(.tenants[0].hosts[0] | {address, port}) as $a | (.tenants[1].hosts[0] | {address, port}) as $b
	| .tenants[0].hosts[0] += $b | .tenants[1].hosts[0] += $a | .tenants |= .[:2]' inv.json >swapped.json
run "$CUTOVER" plan swapped.json --learn-keys swapped
status_is 'swapped addresses: exit code' 1
err_has 'swapped addresses: found out' 'a/sync-01: another machine: `hostname` says "sync-02"'
err_has 'swapped addresses: and who it is' 'that is what b/sync-02 should say; are the addresses swapped?'
not_ok 'swapped addresses: no file' test -e swapped
jq '.tenants[0].hosts[0].port = 9' inv.json >silent.json
run "$CUTOVER" plan silent.json --learn-keys silent --tenant a,b
status_is 'a host that does not answer: exit code' 1
is 'a host that does not answer: no line' "$(lines silent)" "$(place 2)"
ok 'a host that does not answer: why' grep -q '^# no login: a/sync-01: ' silent
mv pins known_hosts

# A host shows another key than its pin: neither learnt nor run.
sed "s|^\($(place 1 | sed 's/[][]/\\&/g') [^ ]*\) .*|\1 $(cut -d' ' -f2 "bastion-outer/host_key.pub")|" known_hosts >pins
cp known_hosts right
cp pins known_hosts
learn changed
status_is 'another key than its pin: exit code' 1
err_has 'another key than its pin: refused' 'a/sync-01: another key: '
err_has 'another key than its pin: both are named' "server offers ssh-ed25519 $(key_of 1) but"
not_ok 'another key than its pin: no file' test -e changed
run "$CUTOVER" run inv.json --yes --tenant a
status_is 'nor does a run go there' 1
err_has 'and says why' 'host key mismatch'
cp right known_hosts

# ---- the run with what was learnt
run "$CUTOVER" run inv.json --yes --tenant a,b,c
status_is 'a run with these pins: what this version does not have is left' 5
run "$CUTOVER" report --format json
is 'all hosts are verified' \
	"$(jq -c '[.tenants[] | select(.id != "w") | .steps[] | select(.step == "sync-client" and (.target | startswith("host:"))) | .state]' "$out")" \
	'["verified","verified","verified"]'

# ---- accept-new: let in by its identity, recorded, and known from then on
jq '.defaults.host_keys = "accept-new" | .defaults.known_hosts = "none" | .tenants |= .[:2]
	| .bastions = [] | .tenants[1].hosts[0].identity_check.equals = "somebody"' inv.json >new.json
run "$CUTOVER" run new.json --yes --state new.db
status_is 'accept-new: exit code, with a host that is another one' 1
run "$CUTOVER" report --state new.db --format json
is 'accept-new: the one that agrees' \
	"$(jq -r '.tenants[] | select(.id == "a") | .steps[] | select(.step == "sync-client" and (.target | startswith("host:"))) | .state' "$out")" \
	unchanged
out_has 'accept-new: its key is recorded' "$(key_of 1)"
out_lacks 'accept-new: the other one is not' "$(key_of 2)"
jq '.tenants |= .[:1]' new.json >one.json
run "$CUTOVER" plan one.json --learn-keys accepted --state new.db
status_is 'accept-new: its key can be learnt, too' 0
is 'accept-new: as the pin that a person reviews' "$(lines accepted)" "$(place 1)"
finish
