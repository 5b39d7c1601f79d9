#!/bin/sh
# The step `firewall` by the whole program, against a mail server with a network and a packet filter of its own (a namespace,
# reached by `via: {command}`): what is missing is named with the commands that let it in; these commands are run as they
# stand, and then it is verified.
#
# Needs root, namespaces, sshd, socat and nft. Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
need_program
name='the firewall step'

cleanup() {
	[ -z "${holder:-}" ] || kill "$holder" 2>/dev/null || true
}

for tool in nft ip nsenter socat jq /usr/sbin/sshd; do
	command -v $tool >/dev/null || { skip "$name" "there is no $tool (deploy/deps.sh --tests installs it)"; finish; }
done
unshare -n -m true 2>/dev/null || { skip "$name" 'needs namespaces'; finish; }

# ---- the mail server ------------------------------------------------------------------------------------------------

mkdir "$work/bin" "$work/etc"
ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
cp "$work/key.pub" "$work/authorized_keys"
# What says that a service is enabled where there is no systemd.
cat >"$work/bin/systemctl" <<'X'
#!/bin/sh
[ "$*" = 'is-enabled nftables.service' ] && echo enabled
X
chmod 755 "$work/bin/systemctl"
cat >"$work/etc/nftables.conf" <<'X'
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established,related accept
		tcp dport 22 accept
		ip saddr 216.104.0.0/19 tcp dport 25 accept
		ip saddr 150.70.0.0/17 tcp dport { 25, 587 } accept
	}
}
X
cat >"$work/sshd_config" <<X
ListenAddress 127.0.0.1:2222
HostKey $work/host_key
AuthorizedKeysFile $work/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
X
cat >"$work/server" <<X
#!/bin/sh
set -e
mount --make-rprivate /
mkdir -p /run/sshd
mount --bind "$work/bin" /usr/local/bin
touch /etc/nftables.conf 2>/dev/null || true
mount --bind "$work/etc/nftables.conf" /etc/nftables.conf
ip link set lo up
ip link add eth0 type veth peer name far0
ip link set far0 up
ip addr add 192.0.2.25/24 dev eth0
ip link set eth0 up
ip route add default via 192.0.2.1
nft -f /etc/nftables.conf
exec /usr/sbin/sshd -D -e -f "$work/sshd_config"
X
chmod 755 "$work/server"
unshare -n -m "$work/server" 2>"$work/server.log" &
holder=$!
wait_until 'the mail server is there' 20 grep -q 'Server listening' "$work/server.log"
[ "$failed" = 0 ] || { cat "$work/server.log"; finish; }
in_server() { nsenter -t "$holder" -n -m "$@"; }

pin=$(ssh-keygen -lf "$work/host_key.pub" | awk '{ print $2 }')
cat >"$work/inv.json" <<X
{
  "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "tenants": [
    { "id": "acme", "migration_date": "2020-12-01", "new_fqdn": "acme.hes2.example",
      "windows": [ { "start": "2020-12-01T22:00:00+09:00", "end": "2099-12-02T05:00:00+09:00" } ],
      "uses": { "restricted_firewall": true, "outbound_filter": false, "directory_sync": false, "quarantine_notification": false },
      "domains": [],
      "hosts": [ { "name": "mx1", "address": "mx1.acme.example", "user": "root", "identity": "file:$work/key", "host_key": "$pin",
                   "os": "linux", "via": { "command": "nsenter -t $holder -n socat - TCP:127.0.0.1:2222" },
                   "agents": [ { "agent": "nftables-allow" } ] } ] }
  ]
}
X
chmod 600 "$work/key"
state=$work/state.db

# step KEY: what the report says of the step.
step() {
	"$CUTOVER" report --state "$state" --format json >"$work/report.json" 2>/dev/null
	jq -r --arg key "$1" '.tenants[0].steps[] | select(.step == "firewall" and .target == "host:mx1") | .[$key]' "$work/report.json"
}
has() { case $2 in *"$3"*) pass "$1" ;; *) fail "$1" "$2" ;; esac }
move() { run "$CUTOVER" run "$work/inv.json" --state "$state" --yes; }

# ---- what is missing ------------------------------------------------------------------------------------------------

run "$CUTOVER" validate "$work/inv.json"
status_is 'the inventory is valid' 0
move
is 'a person is needed' "$(step state)" needs_person
has 'it says what is dropped' "$(step text)" 'mail from 54.86.63.64/26, 54.219.191.0/25, 150.70.128.0/17, 216.99.128.0/20 is dropped on port 25'
rules_before=$(in_server nft -a list ruleset)
fix=$(step text | sed -n 's/.*As root on mx1: \(nft .*\)\. Put the same.*/\1/p')
ok 'it says a command' test -n "$fix"
is 'nothing was changed on the host' "$(in_server nft -a list ruleset)" "$rules_before"

# ---- a person does it -----------------------------------------------------------------------------------------------

ok "the command as it stands: $fix" in_server sh -c "$fix"
move
is 'still a person, since it does not survive a reboot' "$(step state)" needs_person
has 'and says so' "$(step text)" 'passes now, but is dropped after a reboot'
echo "$fix" | sed 's/^nft //' | tr -d "'" >>"$work/etc/nftables.conf"
move
is 'then it is verified' "$(step state)" verified

# ---- and it is looked at again ---------------------------------------------------------------------------------------

in_server nft insert rule inet filter input tcp dport 25 ip saddr 150.70.3.4 drop
move
is 'a rule that came later is seen' "$(step state)" needs_person
has 'with the one address that it drops' "$(step text)" 'mail from 150.70.3.4 is dropped on port 25'
in_server nft insert rule inet filter input tcp dport 25 limit rate 5/second drop
move
has 'what is not understood is not covered' "$(step text)" 'is not known: inet filter input, handle'
in_server nft flush ruleset
: >"$work/etc/nftables.conf"
move
is 'without a filter everything passes' "$(step state)" verified
finish
