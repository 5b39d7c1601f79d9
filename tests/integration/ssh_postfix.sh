#!/bin/sh
# The step `relay-host` by the whole program, against a real Postfix on a host of its own (namespaces, reached by `via: {command}`),
# with mail that passes to an old relay before, to the new one after, and to the old one again once it is rolled back.
#
# Needs root, namespaces, sshd, socat and Postfix (whose smtp-sink is the relays). Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/mail_host.sh"
need_program
name='relay-host with Postfix'
old=relay.sjc.mx.trendmicro.com new=relay.acme.hes2.example

cleanup() {
	[ -z "${holder:-}" ] || kill -9 "$holder" 2>/dev/null || true
}

for tool in postfix smtp-sink ip nsenter socat jq /usr/sbin/sshd; do
	command -v $tool >/dev/null || { skip "$name" "there is no $tool (deploy/deps.sh --tests installs it)"; finish; }
done
unshare -n -m -p -f true 2>/dev/null || { skip "$name" 'needs namespaces'; finish; }

# ---- the mail server ------------------------------------------------------------------------------------------------

mkdir -p "$work/etc" "$work/git" "$work/old" "$work/new"
chmod 755 "$work"
mail_host_files
cat >"$work/hosts" <<X
127.0.0.1 localhost mx1.acme.example
127.0.0.11 $old
127.0.0.12 $new
X
cp -r /etc/postfix/. "$work/etc/"
rm -f "$work/etc/main.cf" "$work/etc/master.cf"
# What Postfix comes with, without what listens, and with a service that has a relay of its own.
cat >"$work/etc/master.cf" <<X
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
flush     unix  n       -       n       1000?   0       flush
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
local     unix  -       n       n       -       -       local
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
# not for $old
bulk      unix  -       -       n       -       -       smtp
  -o syslog_name=bulk -o smtp_fallback_relay=[$old]:25
postlog   unix-dgram n  -       n       -       1       postlogd
X
# main.cf is a link into somebody's repository, and has what a main.cf has after ten years.
cat >"$work/git/main.cf" <<X
# the relay is $old, do not touch
compatibility_level = 3.6
myhostname = mx1.acme.example
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_host_lookup = native
alias_maps =
maillog_file = /var/log/mail.log
hes_old = [$old]:25
relayhost =
# in between
	\$hes_old
transport_maps = hash:/etc/postfix/transport, regexp:/etc/postfix/transport.regexp
smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
X
printf 'default_transport = smtp\r\n' >>"$work/git/main.cf"
printf 'partner.example   smtp:[Relay.SJC.mx.trendmicro.com]:25\n# %s\nintra.example smtp:[10.0.0.1]\n' "$old" >"$work/etc/transport"
printf '/^bulk@.*/ bulk:[%s]\n' "$old" >"$work/etc/transport.regexp"
printf '[%s]:25 acme:very-secret-words\nother.example x:y\n' "$old" >"$work/etc/sasl_passwd"
chmod 600 "$work/etc/sasl_passwd"
chmod 640 "$work/git/main.cf"
chown root:postfix "$work/git/main.cf"
ln -s "$work/git/main.cf" "$work/etc/main.cf"
cat >"$work/server" <<X
#!/bin/sh
set -e
mount --make-rprivate /
mkdir -p /run/sshd
mount --bind "$work/etc" /etc/postfix
mount --bind "$work/hosts" /etc/hosts
for dir in spool/postfix lib/postfix log; do
	mount -t tmpfs -o mode=755 tmpfs /var/\$dir
done
chown postfix /var/lib/postfix
ip link set lo up
cd /etc/postfix
postmap hash:transport
postmap hash:sasl_passwd
(cd "$work/old" && exec smtp-sink -u root -d %M. -h old 127.0.0.11:25 100) &
(cd "$work/new" && exec smtp-sink -u root -d %M. -h new 127.0.0.12:25 100) &
postfix start >/dev/null 2>&1
exec /usr/sbin/sshd -D -e -f "$work/sshd_config"
X
chmod 755 "$work/server"
unshare -n -m -p -f --mount-proc --kill-child "$work/server" 2>"$work/server.log" &
holder=$!
mail_host_is_there "$work/server.log"
inner=$(pgrep -P "$holder")
in_server() { nsenter -t "$inner" -n -m -p "$@"; }

cat >"$work/inv.json" <<X
{
  "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "tenants": [
    { "id": "acme", "migration_date": "2020-12-01",
      "new_fqdn": { "relay": "$new", "web_service": "ws.acme.hes2.example", "mx": "in.acme.hes2.example" },
      "windows": [ { "start": "2020-12-01T22:00:00+09:00", "end": "2099-12-02T05:00:00+09:00" } ],
      "uses": { "restricted_firewall": false, "outbound_filter": true, "directory_sync": false, "quarantine_notification": false },
      "domains": [],
      "hosts": [ { "name": "mx1", "address": "mx1.acme.example", "user": "root", "identity": "file:$work/key", "host_key": "$pin",
                   "os": "linux", "via": { "command": "nsenter -t $inner -n socat - TCP:127.0.0.1:2222" },
                   "agents": [ { "agent": "postfix-relay" } ] } ] }
  ]
}
X
chmod 600 "$work/key"
state=$work/state.db

# step KEY: what the report says of the step.
step() { step_of relay-host host:mx1 "$1"; }
move() { run "$CUTOVER" run "$work/inv.json" --state "$state" --yes; }
# mail TO: one is sent, as root on the host does. got RELAY TO: it has come there.
mail() { printf 'Subject: x\nTo: %s\n\nbody\n' "$1" | in_server sendmail -f root@acme.example "$1"; }
got() { grep -rqs "$2" "$work/$1"; }
all_files() { (cd "$work/etc" && cat transport transport.regexp sasl_passwd master.cf main.cf); }

# what the daemon of now is: another one after a reload
manager() { in_server pgrep -x qmgr; }
back() { run "$CUTOVER" rollback acme --step relay-host --state "$state" --yes; }
same_as() { is "$1" "$(all_files | sha256sum)" "$(sha256sum <"$2")"; }
metadata() { stat -L -c '%a %U %G %n' "$work/etc/main.cf" "$work/etc/sasl_passwd" "$work/etc/sasl_passwd.db" "$work/etc/transport"; }
# Somebody puts the files back as they were.
by_hand() {
	cp -a "$work/etc.before/." "$work/etc/"
	cp -a "$work/git.before/." "$work/git/"
}
secret_is() { is "$1" "$(in_server postmap -q "$2" hash:/etc/postfix/sasl_passwd)" "$3"; }

# ---- before ---------------------------------------------------------------------------------------------------------

all_files >"$work/before.bytes"
cp -a "$work/etc" "$work/etc.before"
cp -a "$work/git" "$work/git.before"
# Comments keep the old name, and nothing else.
sed -e "/^#/!s/$old/$new/" -e "/^#/!s/Relay.SJC.mx.trendmicro.com/$new/" "$work/before.bytes" >"$work/after.bytes"
metadata >"$work/before.stat"
mail one@far.example
wait_until 'before: mail goes to the old relay' 20 got old one@far.example

run "$CUTOVER" validate "$work/inv.json"
status_is 'the inventory is valid' 0
run "$CUTOVER" plan "$work/inv.json" --step relay-host --state "$work/plan.db"
err_has 'the plan has main.cf' "+hes_old = [$new]:25"
err_has 'and the table keyed by the relay' "+[$new]:25 (what is behind the key is not shown)"
same_as 'the plan changed nothing' "$work/before.bytes"

# ---- the move -------------------------------------------------------------------------------------------------------

move
run "$CUTOVER" confirm acme outbound-registration --result ok --by test --state "$state"
was=$(manager)
move
is 'it is verified' "$(step state)" verified
has 'it says what was changed' "$(step text)" 'changed /etc/postfix/main.cf line 10'
same_as 'the files are the old ones but for the name' "$work/after.bytes"
is 'owner and mode are as they were' "$(metadata)" "$(cat "$work/before.stat")"
ok 'main.cf is a link still' test -L "$work/etc/main.cf"
is 'Postfix reads the new relay' "$(in_server postconf -hx relayhost)" "[$new]:25"
not_ok 'and has read it again' test "$(manager)" = "$was"
secret_is 'the password is found under the new name' "[$new]:25" acme:very-secret-words
secret_is 'and no more under the old one' "[$old]:25" ''
mail two@far.example
mail three@partner.example
wait_until 'mail goes to the new relay' 20 got new two@far.example
wait_until 'the one of the table, too' 20 got new three@partner.example
move
is 'a second run finds it done' "$(step state)" verified
same_as 'and changes nothing' "$work/after.bytes"
"$CUTOVER" report --state "$state" --format html --out "$work/html" >"$work/said" 2>&1
ok 'a report was made' test -s "$work/report.json"
not_ok 'the password is in no journal, plan or report' grep -rqs very-secret "$work/state.db" "$work/state.db-wal" "$work/plan.db" \
	"$work/html" "$work/report.json" "$out" "$err" "$work/said"

# ---- back -----------------------------------------------------------------------------------------------------------

echo '# a colleague was here' >>"$work/git/main.cf"
all_files >"$work/edited.bytes"
back
is 'a file that was edited since is not put back' "$(step state)" drift
has 'and it says so' "$(step text)" 'was edited since we changed it'
same_as 'and nothing is' "$work/edited.bytes"
sed -i '$d' "$work/git/main.cf"
back
is 'it is rolled back' "$(step state)" rolled_back
same_as 'to the byte' "$work/before.bytes"
is 'with owner and mode' "$(metadata)" "$(cat "$work/before.stat")"
secret_is 'the password is under the old name again' "[$old]:25" acme:very-secret-words
mail four@far.example
wait_until 'mail goes to the old relay again' 20 got old four@far.example

# ---- a reload that fails, and a Postfix that does not run ---------------------------------------------------------------

printf '#!/bin/sh\necho "no reload today" >&2\nexit 1\n' >"$work/broken"
chmod 755 "$work/broken"
in_server mount --bind "$work/broken" /usr/sbin/postfix
was=$(manager)
run "$CUTOVER" run "$work/inv.json" --state "$state" --step relay-host --yes
is 'a reload that fails is a failure' "$(step state)" failed
has 'that names the debt' "$(step text)" 'no reload today'
is 'the daemon is the one of before' "$(manager)" "$was"
in_server umount /usr/sbin/postfix
move
is 'the debt is paid with the next run' "$(step state)" verified
not_ok 'by a reload' test "$(manager)" = "$was"
same_as 'and all is new' "$work/after.bytes"

by_hand
in_server postfix stop >/dev/null 2>&1
run "$CUTOVER" run "$work/inv.json" --state "$state" --step relay-host --yes
is 'a stopped Postfix is a person'"'"'s' "$(step state)" needs_person
has 'which says why' "$(step text)" 'does not run there'
not_ok 'and it was not started' manager
same_as 'the change was done once more, over what somebody had put back' "$work/after.bytes"

# ---- what is neither, and what cannot be looked into ------------------------------------------------------------------

by_hand
sed -i 's/^hes_old = .*/hes_old = [relay.other.example]/' "$work/git/main.cf"
rm "$work/etc/transport" "$work/etc/transport.regexp"
sed -i "s/^transport_maps = .*/transport_maps = mysql:\/etc\/postfix\/transport.cf/" "$work/git/main.cf"
sed -i "s/smtp_fallback_relay=.*/smtp_fallback_relay=/" "$work/etc/master.cf"
sed -i "s/$old/relay.other.example/" "$work/etc/sasl_passwd"
cp "$work/git/main.cf" "$work/drift.cf"
run "$CUTOVER" plan "$work/inv.json" --state "$work/plan2.db" --step relay-host
err_has 'neither old nor new is drift' 'neither the vendor'
ok 'and nothing is changed' cmp "$work/git/main.cf" "$work/drift.cf"
finish
