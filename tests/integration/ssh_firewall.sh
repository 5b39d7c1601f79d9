#!/bin/sh
# The step `firewall` by the whole program, against a mail server with a network, a packet filter and an /etc of its own (a
# namespace, reached by `via: {command}`): what is missing is let in by one rule of ours, in the running filter and in the file
# that is loaded at a boot; again changes nothing; a run that is killed between the two is completed; a roll-back leaves both byte
# for byte as they were. A connection is tried from inside and outside of what misses each time: the kernel is the judge. What is
# not understood, or kept by somebody else, is left to a person, with the commands.
#
# Needs root, namespaces, sshd, socat, nft and iptables. Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mail_host.sh"
need_program
judge=$CUTOVER_BUILD/tests/integration/firewall/judge
[ -x "$judge" ] || { echo "$judge is not built" >&2; exit 2; }
name='the firewall step'

cleanup() {
	rm -f "$work/hold"
	[ -z "${started:-}" ] || kill -9 "$started" 2>/dev/null || true
	for pid in ${serves:-} ${far:-} ${holder:-}; do kill "$pid" 2>/dev/null || true; done
}

for tool in nft iptables-restore ip nsenter socat jq /usr/sbin/sshd; do
	command -v $tool >/dev/null || { skip "$name" "there is no $tool (deploy/deps.sh --tests installs it)"; finish; }
done
unshare -n -m true 2>/dev/null || { skip "$name" 'needs namespaces'; finish; }

# ---- the mail server ------------------------------------------------------------------------------------------------

mkdir "$work/bin"
cp -a /etc "$work/etc"
etc=$work/etc
mkdir -p "$etc/iptables" "$etc/nftables.d"
: >"$etc/iptables/rules.v4"
mail_host_files
# What says that a service is enabled where there is no systemd.
echo nftables.service >"$work/enabled"
cat >"$work/bin/systemctl" <<X
#!/bin/sh
[ "\$1" = is-enabled ] && grep -qx "\$2" "$work/enabled" && echo enabled
X
# A copy that waits while there is \`hold\`, and then fails: it is what a replaced file begins with.
cat >"$work/bin/cp" <<X
#!/bin/sh
if [ -e "$work/hold" ]; then
	: >"$work/held"
	while [ -e "$work/hold" ]; do sleep 0.05; done
	exit 1
fi
exec /bin/cp "\$@"
X
chmod 755 "$work/bin/systemctl" "$work/bin/cp"
cat >"$etc/nftables.conf" <<'X'
#!/usr/sbin/nft -f
flush ruleset

define mail = { 25, 587 }
include "/etc/nftables.d/*.nft"
X
cat >"$etc/nftables.d/10-input.nft" <<'X'
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established,related accept
		tcp dport 22 accept
		ip saddr 216.104.0.0/19 tcp dport 25 accept
		ip saddr 150.70.0.0/17 tcp dport $mail accept
		tcp dport 1-1023 counter reject with tcp reset
	}
}
X
cat >"$work/server" <<X
#!/bin/sh
set -e
mount --make-rprivate /
mkdir -p /run/sshd
mount --bind "$work/bin" /usr/local/bin
mount --bind "$work/etc" /etc
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
mail_host_is_there "$work/server.log"
in_server() { nsenter -t "$holder" -n -m "$@"; }

# The other end of its network: addresses of the service, and one of nobody.
addresses='216.104.1.1 150.70.1.5 150.70.200.1 216.99.128.1 54.219.191.7 54.86.63.100 198.51.100.9'
all=${addresses% *}
(exec unshare -n sleep 3600) &
far=$!
in_far() { nsenter -t "$far" -n "$@"; }
has_left() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
wait_until 'the service has a network of its own' 20 has_left "$far"
in_server ip link set far0 netns "$far"
for address in $addresses; do in_far ip addr add "$address/32" dev lo; done
in_far sh -c 'ip link set lo up; ip addr add 192.0.2.1/24 dev far0; ip link set far0 up'
(exec nsenter -t "$holder" -n "$judge" serve) >"$work/serves" 2>&1 &
serves=$!
wait_until 'the mail server listens' 20 test -s "$work/serves"
# connects NAME WANTED: just these get through. One that shall not is refused, or is given half a second.
connects() {
	for address in $addresses; do
		case " $2 " in *" $address "*) limit=10000 ;; *) limit=500 ;; esac
		echo "$address" | in_far "$judge" connect $limit any 192.0.2.25
	done >"$work/connected"
	is "$1" "$(tr '\n' ' ' <"$work/connected")" "$2 "
}

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
step() { step_of firewall host:mx1 "$1"; }
# What was rolled back is done again only when it is named.
move() { run "$CUTOVER" run "$work/inv.json" --state "$state" --yes --tenant acme; }
back() { run "$CUTOVER" rollback acme --state "$state" --yes; }
# Without counters, which go on.
rules() {
	{ in_server nft -a list ruleset; in_server iptables-save; } 2>/dev/null | sed '/^#/d; s/\[[0-9:]*\]//; s/packets [0-9]* bytes [0-9]*//'
}
files() { (cd "$etc" && sha256sum nftables.conf nftables.d/* && stat -c '%a %u %g %n' nftables.conf && sha256sum iptables/rules.v4); }
# keep NAME: what there is now. same NAME WHAT: WHAT is just that.
keep() { rules >"$work/rules.$1"; files >"$work/files.$1"; }
same_rules() { rules >"$work/now"; ok "$2" cmp "$work/rules.$1" "$work/now"; }
same_files() { files >"$work/now"; ok "$2" cmp "$work/files.$1" "$work/now"; }
ours() { rules | grep -c 'cutover'; }
reboot() { in_server nft flush ruleset; in_server nft -f /etc/nftables.conf; }

# ---- one rule, now and after a reboot ---------------------------------------------------------------------------------

run "$CUTOVER" validate "$work/inv.json"
status_is 'the inventory is valid' 0
keep first
connects 'before: some of the service gets through' '216.104.1.1 150.70.1.5'
missing='54.86.63.64/26, 54.219.191.0/25, 150.70.128.0/17, 216.99.128.0/20'
rule="ip saddr { $missing } tcp dport 25 accept comment \"cutover\""
run "$CUTOVER" plan "$work/inv.json" --state "$state" --out "$work/plan"
grep -rho 'ip saddr {[^"]*accept' "$work/plan" >"$work/shown"
ok 'the plan shows what will be added' grep -qF "54.86.63.64/26,54.219.191.0/25,150.70.128.0/17,216.99.128.0/20 } tcp dport 25" "$work/shown"
same_rules first 'a plan changes no rule'
same_files first 'a plan changes no file'

move
is 'it is verified' "$(step state)" verified
rules >"$work/now"
diff "$work/rules.first" "$work/now" | sed -n 's/^[<>][[:space:]]*//p' | sed 's/ # handle.*//' >"$work/diff"
is 'one rule more, and nothing else' "$(cat "$work/diff")" "$rule"
connects 'all of the service gets through, and nobody else' "$all"
is 'before the one that drops' "$(grep -A1 cutover "$work/now" | grep -c 'reject with tcp reset')" 1
is 'the file has it once' "$(grep -c 'comment "cutover"' "$etc/nftables.conf")" 1
is 'the old file is beside it' "$(sha256sum <"$etc/nftables.conf.before-cutover" | cut -c1-64)" "$(head -1 "$work/files.first" | cut -c1-64)"
keep ours
move
is 'again: verified' "$(step state)" verified
same_rules ours 'again: no rule is changed'
same_files ours 'again: no file is changed'

back
is 'it is rolled back' "$(step state)" rolled_back
same_rules first 'the rules are as they were, with their handles'
connects 'and only some of the service gets through' '216.104.1.1 150.70.1.5'
same_files first 'the file is as it was, to the byte'

# ---- killed between the rule and the file -----------------------------------------------------------------------------

: >"$work/hold"
"$CUTOVER" run "$work/inv.json" --state "$state" --yes --tenant acme >"$work/killed" 2>&1 </dev/null &
started=$!
wait_until 'the rule is there, and the file is about to be' 60 test -e "$work/held"
kill -9 "$started"
wait "$started" 2>/dev/null
rm "$work/hold"
is 'killed: one rule is there' "$(ours)" 1
same_files first 'killed: the file is not changed'
move
is 'killed: the next run completes it' "$(step state)" verified
is 'killed: the rule is there once' "$(ours)" 1
is 'killed: the file has it once' "$(grep -c 'comment "cutover"' "$etc/nftables.conf")" 1

# ---- a reboot, and a colleague ----------------------------------------------------------------------------------------

reboot
connects 'after a reboot: all of the service gets through' "$all"
move
is 'after a reboot: verified' "$(step state)" verified
is 'after a reboot: one rule of ours' "$(ours)" 1
echo '# a colleague was here' >>"$etc/nftables.conf"
keep edited
back
is 'a file that was edited since is not put back' "$(step state)" drift
has 'and it says what to do' "$(step text)" 'nftables.conf was edited since we changed it: take the lines that bear the mark cutover out of it by hand'
same_files edited 'and is not touched'
same_rules edited 'nor is a rule'
sed -i '$d' "$etc/nftables.conf"
back
is 'without the edit it is rolled back' "$(step state)" rolled_back
same_files first 'the file is as it was once more'
is 'and no rule of ours is left' "$(ours)" 0

# ---- what is a person's -----------------------------------------------------------------------------------------------

# persons NAME TEXT: it is, and nothing is changed.
persons() {
	keep person
	move
	is "$1: a person is needed" "$(step state)" needs_person
	has "$1: and it says why" "$(step text)" "$2"
	same_rules person "$1: no rule is changed"
	same_files person "$1: no file is changed"
}
echo 'insert rule inet filter input tcp dport 25 limit rate 5/second drop' >"$etc/nftables.d/20-limit.nft"
reboot
persons 'not understood' 'is not known: inet filter input, handle'
rm "$etc/nftables.d/20-limit.nft"
reboot
mkdir -p "$etc/ufw"
echo 'ENABLED=yes' >"$etc/ufw/ufw.conf"
persons 'kept by ufw' "left to a person: ufw keeps the rules here. As root on mx1: nft insert rule inet filter input handle"
rm -rf "$etc/ufw"
echo firewalld.service >>"$work/enabled"
persons 'kept by a firewalld that is stopped' 'left to a person: firewalld keeps the rules here'
echo nftables.service >"$work/enabled"
in_server iptables -P INPUT DROP
in_server iptables -A INPUT -j ACCEPT
persons 'loaded by nobody knows whom' 'the chain INPUT of the iptables table filter can drop it'
reboot

# ---- iptables ---------------------------------------------------------------------------------------------------------

echo netfilter-persistent.service >"$work/enabled"
cat >"$etc/iptables/rules.v4" <<'X'
# Generated by iptables-save
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 216.0.0.0/8 -p tcp -m multiport --dports 25,587 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset
COMMIT
X
in_server nft flush ruleset
in_server iptables-restore /etc/iptables/rules.v4
keep iptables
connects 'iptables: before, some of the service gets through' '216.104.1.1 216.99.128.1'
move
is 'iptables: verified' "$(step state)" verified
connects 'iptables: all of the service gets through' "$all"
in_server iptables-save >"$work/now"
is 'iptables: a rule for each range that misses' "$(grep -c -- '--comment cutover -j ACCEPT' "$work/now")" 3
is 'iptables: before the one that drops' "$(grep -A1 cutover "$work/now" | grep -c 'dport 25 -j REJECT')" 1
is 'iptables: the file has them, too' "$(grep -c -- '--comment cutover -j ACCEPT' "$etc/iptables/rules.v4")" 3
keep ours
move
same_rules ours 'iptables: again, no rule is changed'
same_files ours 'iptables: again, no file is changed'
in_server iptables-restore /etc/iptables/rules.v4
connects 'iptables: after a reboot all of the service gets through' "$all"
move
is 'iptables: after a reboot verified' "$(step state)" verified
back
is 'iptables: rolled back' "$(step state)" rolled_back
rules | sed 's/ # handle.*//' >"$work/now"
sed 's/ # handle.*//' "$work/rules.iptables" >"$work/then"
ok 'iptables: the rules are as they were' cmp "$work/then" "$work/now"
same_files iptables 'iptables: the file is as it was, to the byte'

# ---- nothing filters ----------------------------------------------------------------------------------------------------

in_server nft flush ruleset
rm "$etc/iptables/rules.v4"
echo nftables.service >"$work/enabled"
: >"$etc/nftables.conf"
move
is 'without a filter everything passes' "$(step state)" unchanged
finish
