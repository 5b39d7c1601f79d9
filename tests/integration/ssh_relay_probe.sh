#!/bin/sh
# The steps `outbound-registration` and `test-mail` by the whole program: a customer's mail server (sshd in a namespace of its own, reached by
# `via: {command}`) asks a relay beyond a wire, which is a real Postfix that takes mail of registered addresses and domains
# only, and which is the new MX as well: the controller asks it for the test mailbox. Nothing is sent.
#
# Needs root, namespaces, sshd, socat and Postfix. Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mail_host.sh"
need_program
name='the probe of the relay'

cleanup() {
	[ ! -d "$work/pf" ] || postfix -c "$work/pf" stop >/dev/null 2>&1 || true
	for pid in ${server:-} ${relay:-}; do kill "$pid" 2>/dev/null || true; done
}

for tool in ip nsenter socat jq postfix /usr/sbin/sshd; do
	command -v $tool >/dev/null || { skip "$name" "there is no $tool (deploy/deps.sh --tests installs it)"; finish; }
done
unshare -n -m true 2>/dev/null || { skip "$name" 'needs namespaces'; finish; }

# ---- the relay --------------------------------------------------------------------------------------------------------

mkdir -p "$work/pf" "$work/queue" "$work/data"
chown postfix "$work/data"
chmod 755 "$work"
cat >"$work/pf/main.cf" <<X
compatibility_level = 3.6
queue_directory = $work/queue
data_directory = $work/data
maillog_file = $work/pf.log
maillog_file_prefixes = $work
myhostname = relay.acme.hes2.example
mydestination =
inet_interfaces = 192.0.2.80
inet_protocols = ipv4
mynetworks = 127.0.0.1/32
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_sender_restrictions = check_sender_access texthash:$work/senders, reject
smtpd_banner = \$myhostname ESMTP
relay_domains = inside.example
relay_recipient_maps = texthash:$work/users
X
printf '%s OK\n' acme.example msp.example >"$work/senders"
echo 'probe@inside.example OK' >"$work/users"
cat >"$work/pf/master.cf" <<'X'
smtp      inet  n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
rewrite   unix  - - n - - trivial-rewrite
anvil     unix  - - n - 1 anvil
proxymap  unix  - - n - - proxymap
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
X
unshare -n sleep 1000 &
relay=$!

# ---- the mail server --------------------------------------------------------------------------------------------------

mail_host_files
{ grep -v hes2 /etc/hosts; echo '192.0.2.80 relay.acme.hes2.example mx.acme.hes2.example'; } >"$work/hosts"
cat >"$work/server" <<X
#!/bin/sh
set -e
mount --make-rprivate /
mkdir -p /run/sshd
mount --bind "$work/hosts" /etc/hosts
ip link set lo up
ip link add eth0 type veth peer name eth0 netns $relay
ip addr add 192.0.2.25/24 dev eth0
ip link set eth0 up
nsenter -t $relay -n ip addr add 192.0.2.80/24 dev eth0
nsenter -t $relay -n ip link set eth0 up
nsenter -t $relay -n ip link set lo up
exec /usr/sbin/sshd -D -e -f "$work/sshd_config"
X
chmod 755 "$work/server"
is_apart() { [ "$(readlink /proc/"$relay"/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
wait_until 'the relay has a network of its own' 10 is_apart
unshare -n -m "$work/server" 2>"$work/server.log" &
server=$!
mail_host_is_there "$work/server.log"
in_relay() { nsenter -t "$relay" -n "$@"; }
# relay_takes NETWORKS: with these registered
relay_takes() {
	sed -i "s|^mynetworks = .*|mynetworks = 127.0.0.1/32 $1|" "$work/pf/main.cf"
	in_relay postfix -c "$work/pf" "${2-reload}" >>"$work/pf.said" 2>&1 </dev/null
}
talks() { in_relay sh -c 'echo QUIT | timeout 5 socat - TCP:192.0.2.80:25' 2>/dev/null | grep -q '^220 '; }
relay_takes '' start
wait_until 'the relay talks' 20 talks

inventory() {
	cat >"$work/inv.json" <<X
{
  "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "tenants": [
    { "id": "acme", "migration_date": "2020-12-01", "new_fqdn": { "relay": "relay.acme.hes2.example", "web_service": "ws.acme.hes2.example", "mx": "mx.acme.hes2.example" },
      "windows": [ { "start": "2020-12-01T22:00:00+09:00", "end": "2099-12-02T05:00:00+09:00" } ],
      "uses": { "restricted_firewall": false, "outbound_filter": true, "directory_sync": false, "quarantine_notification": false },
      "domains": [ { "name": "acme.example" }${1-} ], "contacts": [ { "name": "NOC", "email": "noc@msp.example", "role": "technical" } ],
      "retry": { "attempts": 1 },
      "hosts": [ { "name": "mx1", "address": "mx1.acme.example", "user": "root", "identity": "file:$work/key", "host_key": "$pin",
                   "os": "linux", "via": { "command": "nsenter -t $server -n socat - TCP:127.0.0.1:2222" },
                   "mta": { "public_ips": [ "192.0.2.25" ] }, "agents": [ { "agent": "postfix-relay" } ] } ] }
  ]
}
X
}
inventory
chmod 600 "$work/key"
state=$work/state.db

# step KEY: what the report says of the step.
step() { step_of outbound-registration tenant "$1"; }
move() { run "$CUTOVER" run "$work/inv.json" --step outbound-registration --state "$state" --yes; }

# ---- not registered ---------------------------------------------------------------------------------------------------

run "$CUTOVER" validate "$work/inv.json"
status_is 'the inventory is valid' 0
run "$CUTOVER" plan "$work/inv.json" --step outbound-registration
err_has 'plan asks as well' 'Relay access denied'
move
status_is 'a person is waited for' 7
is 'not registered: a person is needed' "$(step state)" needs_person
has 'it says what was answered' "$(step text)" 'asked from mx1 for acme.example, refuses mail'
has 'in the words of the relay' "$(step text)" 'rcpt: 554 5.7.1 <noc@msp.example>: Relay access denied'
has 'and what to enter where' "$(step text)" '192.0.2.25'

# ---- registered -------------------------------------------------------------------------------------------------------

relay_takes 192.0.2.25
move
is 'registered: it is verified' "$(step state)" verified
has 'it says what was shown' "$(step text)" 'takes mail of 1 domain from 1 sending server (nothing was sent)'
run "$CUTOVER" report --state "$state" --format html --out "$work/report"
ok 'the answers are evidence' grep -rq 'rcpt 250 2.1.5 Ok' "$work/report"

# ---- a domain that is not -----------------------------------------------------------------------------------------------

inventory ', { "name": "shop.example" }'
move
is 'one domain is not registered: a person is needed' "$(step state)" needs_person
has 'it says which' "$(step text)" 'asked from mx1 for shop.example'

# ---- the new MX -----------------------------------------------------------------------------------------------------------

# The controller is where the mail server is: that one's network and names.
ask_mx() {
	inventory ", { \"name\": \"inside.example\", \"test_mailbox\": \"$1\" }"
	run nsenter -t "$server" -n -m "$CUTOVER" run "$work/inv.json" --step firewall --step test-mail --state "$work/mx.db" --yes
	"$CUTOVER" report --state "$work/mx.db" --format json >"$work/report.json" 2>/dev/null
	mx=$(jq -r '.tenants[0].steps[] | select(.step == "test-mail" and .target == "domain:inside.example") | .state + ": " + .text' "$work/report.json")
}
ask_mx probe@inside.example
status_is 'the mail itself is a person'"'"'s' 7
has 'the test mailbox would be accepted' "$mx" 'needs_person: mx.acme.hes2.example would take mail for probe@inside.example (rcpt: 250 2.1.5 Ok)'
has 'a mailbox of nobody not' "$mx" 'It refuses a mailbox that does not exist. That a mail arrives is not shown by that. Log on'
ask_mx gone@inside.example
has 'a mailbox that is not there' "$mx" 'refuses mail for gone@inside.example (rcpt: 550 5.1.1'
has 'and what that would mean' "$mx" 'mail of inside.example would come back'
inventory

# ---- no way there -------------------------------------------------------------------------------------------------------

inventory
in_relay postfix -c "$work/pf" stop >/dev/null 2>&1
move
is 'nobody answers: a person is needed' "$(step state)" needs_person
has 'and nothing is known' "$(step text)" 'so nothing is known of the registration'
is 'no mail was handed over' "$(find "$work/queue/incoming" "$work/queue/active" "$work/queue/deferred" "$work/queue/maildrop" -type f | wc -l)" 0
finish
