#!/bin/sh
# OP_HTTP through a host's session: real sshds, and HTTPS services (lib/web_service.mjs) whose names are known on the hosts
# alone. Logins, certificates, bastions, and every fault of the way: forbidden, refused, cut, frozen; nothing is left of any.
# Needs root, node, openssl.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/../../lib/web_service.sh"
. "$(dirname "$0")/lib.sh"
need_root
service_or_skip 'OP_HTTP through a host'
http_bin=$CUTOVER_BUILD/tests/integration/transport/service_probe
account=admin@a.test api_key='sésame, "open"'

cleanup() {
	sshd_stop
	service_stop
}

service_ca
service_cert good 'DNS:ws.test'
service_cert elsewhere 'DNS:mail.elsewhere.test'
service_cert other 'DNS:ws.test' '' '' other-ca
one() { printf '{ "name": "%s", "address": "127.0.0.77", "port": 0, "cert": "%s", "auth": "%s", "account": "%s", "api_key": %s }' \
	"$1" "$2" "$3" "$account" "$(printf %s "$api_key" | jq -Rs .)"; }
service_start "[$(one basic good basic), $(one digest good digest), $(one both good both), $(one none good none),
	$(one elsewhere elsewhere none), $(one other other none)]"
for name in basic digest both none elsewhere other; do service_users $name a.test 50; done
path=/imhs/v1.0/en/domains/a.test/users
ca=$service_dir/tls/ca.pem

mkdir -p "$sshd_root"
{ grep -v '\.test$' /etc/hosts; echo '127.0.0.77 ws.test'; } >"$sshd_root/hosts"
sshd_prepare
sshd_start; host_pid=$sshd_pid
host="tdash@127.0.0.1:$port,$keys/id_ed25519,$pin"
refuses="tdash@127.0.0.1:$port,$keys/other,$pin"
stranger="tdash@127.0.0.1:$port,$keys/id_ed25519,SHA256:0000000000000000000000000000000000000000000"
host_port=$port
sshd_start 'AllowTcpForwarding no'
forbids="tdash@127.0.0.1:$port,$keys/id_ed25519,$pin"
rm "$sshd_root/hosts" # the bastion knows no such name
sshd_start
bastion="tsudo@127.0.0.1:$port,$keys/id_ed25519,$pin"
tries() { grep -c '^Connection from' "$sshd_root/log.$host_port" || true; }

# ask NAME ARGUMENTS…: the service of that name, through $way
way=$host
ask() {
	asked=$1
	shift
	run "$http_bin" --trust "$ca" --account "$account" --secret "$api_key" --timeout 20000 --through "$way" "$@" \
		"https://${at-ws.test}:$(service_port "$asked")$path"
}
nothing_left() { out_has "$1: nothing is left" 'waiting=0 twice=0 handles=none fds=none'; }
answers() {
	out_has "$1: status" "err=ok beyond=0 started=1 status=$2 "
	nothing_left "$1"
}
# fails NAME CLASS STARTED TEXT…
fails() {
	what=$1
	out_has "$what: class" "err=$2 beyond=1 started=$3 "
	shift 3
	for text in "$@"; do out_has "$what: $text" "$text"; done
	out_lacks "$what: no secret" "$api_key"
	nothing_left "$what"
}
schemes() { jq -r --arg n "$1" 'select(.name == $n) | .scheme + (if .good then "+" else "-" end)' "$service_dir/requests.log" | paste -sd ' '; }
# What serves the sessions of the host
sessions() { for child in $(pgrep -P "$host_pid"); do echo "$child"; pgrep -P "$child" || true; done; }
signal_sessions() { for pid in $(sessions); do kill "-$1" "$pid" 2>/dev/null || true; done; }
is_served() { [ -n "$(sessions)" ] && [ "$(grep -c . "$service_dir/requests.log")" -ge 1 ]; }
# ask_then SIGNAL NAME ARGUMENTS…: once the service was asked, the host's sessions get the signal
ask_then() {
	signal=$1
	shift
	: >"$service_dir/requests.log"
	(wait_until 'it was asked' 30 is_served >/dev/null; signal_sessions "$signal") &
	ask "$@"
	wait $!
	signal_sessions CONT
}

# ---- seen from there, and not from here
run "$http_bin" --trust "$ca" --timeout 8000 "https://ws.test:$(service_port none)$path"
out_has 'not from here' 'err=unreachable'
ask none --show
answers 'from there' 200
out_has 'from there: the body' 'user50@a.test'
for auth in basic digest both; do
	: >"$service_dir/requests.log"
	ask $auth
	answers $auth 200
	out_has "$auth: all of the body" " out=$(wc -c <"$service_dir/$auth/a.test") "
done
is 'the better one is taken' "$(schemes both)" '- Digest+'
for auth in basic digest; do
	service_behave $auth auth:close
	: >"$service_dir/requests.log"
	ask $auth
	answers "$auth, and a service that hangs up behind its 401" 200
	is "$auth: a second connection" "$(schemes $auth | cut -d ' ' -f 1)$(schemes $auth | tr -cd +)" '-+'
	service_behave $auth
done
ask digest --secret 'not this one'
answers 'a wrong key' 401
service_behave none size:3000000
ask none --cap 4000000
answers 'a large body' 200
service_behave none endless
ask none --cap 1000000
fails 'an endless body' limit 1 'its answer is larger than'
service_behave none
ask digest --times 20
is 'twenty at once' "$(grep -c 'err=ok .* status=200 ' "$out")" 20
nothing_left 'twenty at once'
before=$(tries)
ask none --times 10
ok 'few logins serve them' test $(($(tries) - before)) -le 4
ask none --windows
answers 'a Windows host: the same' 200
ask none --through "$host" # itself is the bastion
answers 'through a host behind a bastion' 200
way=$bastion ask none --through "$host"
answers 'through a host behind another one' 200
way=$bastion ask none
fails 'the name is not known to the bastion' unreachable 0 'acme/h1: ws.test port' 'or its name is not known there'

# ---- whose certificate it is, is ours to see
ask elsewhere
fails 'a certificate for others' tls 1 \
	'ws.test through acme/h1: its certificate names mail.elsewhere.test and not ws.test (by "ca of the tests", until 20'
ask other
fails 'of another CA' tls 1 "is signed by \"other-ca of the tests\", which is not among those trusted ($ca)"
is 'nothing was asked of either' "$(schemes elsewhere)$(schemes other)" ''
at=127.0.0.77 ask none
fails 'an address that is not in the certificate' tls 1 'and not 127.0.0.77'

# ---- the way
way=$forbids ask none --times 3
fails 'AllowTcpForwarding no' forwarding 0 'acme/h1: ' 'administratively prohibited' 'see AllowTcpForwarding, '
before=$(tries)
way=$refuses ask none --times 3
fails 'the login is refused' bastion 0 'acme/h1: '
is 'and it was tried once' $(($(tries) - before)) 1
way=$stranger ask none
fails 'another host key' bastion 0 'host key mismatch'
way="tdash@127.0.0.1:1,$keys/id_ed25519,$pin" ask none
fails 'the host is down' refused 0 'acme/h1: cannot connect'
run "$http_bin" --trust "$ca" --through "$host" "https://ws.test:1$path"
fails 'nobody listens' unreachable 0 'acme/h1: ws.test port 1: cannot connect to there'
at=no-such.test ask none
fails 'no such name' unreachable 0 'acme/h1: no-such.test port'

# ---- a service that is not well
service_behave none hang:tls
ask none --timeout 1500
fails hang:tls timeout 1 'ws.test through acme/h1: it took the connection, but no TLS came about in '
service_behave none hang:answer
ask none --timeout 1500
fails hang:answer timeout 1 'it was asked and had not answered after '
service_behave none cut:accept
ask none
fails cut:accept protocol 1 'no TLS came about'
service_behave none cut:answer
ask none
fails cut:answer closed 1 'it cut the connection before its answer was there'
service_behave none cut:body
ask none
fails cut:body closed 1 'it cut the connection in the middle of its answer ('

# ---- the session is cut, or freezes, in the middle
service_behave none hang:body
ask_then KILL none
fails 'the session is killed in the middle' closed 1 'the connection to ws.test went through a session that was lost: acme/h1: '
ask_then STOP none --timeout 2500
fails 'the host freezes in the middle' timeout 1 'its answer had not come to its end after 2.5 s ('
service_behave none

# ---- given up, at any moment
for how in '' endless; do
	service_behave basic "$how"
	for after in 0 30 300; do
		ask basic --cap 1000000000 --cancel $after
		nothing_left "cancel${how:+ in $how} after $after ms"
		ask basic --cap 1000000000 --close $after
		nothing_left "close${how:+ in $how} after $after ms"
	done
	[ -z "$how" ] || out_has "given up in ${how}" 'err=canceled beyond=0 '
done
finish
