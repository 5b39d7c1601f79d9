#!/bin/sh
# OP_HTTP against HTTPS services with a CA of their own (lib/web_service.mjs): logins, certificates, and every fault that
# a service can have, each with its own error in its time; nothing is left of any. Needs root, node, openssl, perl.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/../../lib/web_service.sh"
probe_bin=${CUTOVER_BUILD:?}/tests/integration/transport/service_probe
account=admin@a.test api_key='sésame, "open"'
silent=

cleanup() {
	service_stop
	for pid in $silent; do kill "$pid" 2>/dev/null || true; done
}

service_or_skip 'OP_HTTP'
service_ca
service_cert good 'DNS:ws.test,DNS:*.wild.test,IP:127.0.0.1'
service_cert elsewhere 'DNS:mail.elsewhere.test,DNS:www.elsewhere.test'
service_cert expired 'DNS:ws.test' 240101000000Z 250101000000Z
service_cert early 'DNS:ws.test' 390101000000Z 400101000000Z
service_cert other 'DNS:ws.test' '' '' other-ca
one() { printf '{ "name": "%s", "address": "127.0.0.1", "port": 0, "cert": "%s", "auth": "%s", "account": "%s", "api_key": %s }' \
	"$1" "$2" "$3" "$account" "$(printf %s "$api_key" | jq -Rs .)"; }
service_start "[$(one basic good basic), $(one digest good digest), $(one both good both), $(one none good none),
	$(one elsewhere elsewhere none), $(one expired expired none), $(one early early none), $(one other other none)]"
for name in ws.test a.wild.test a.b.wild.test; do service_name $name 127.0.0.1; done
for name in basic digest both none elsewhere expired early other; do service_users $name a.test 50; done
path=/imhs/v1.0/en/domains/a.test/users
ca=$service_dir/tls/ca.pem

# ask NAME ARGUMENTS…: the service of that name, at ws.test
ask() {
	asked=$1
	shift
	with_names "$probe_bin" --trust "$ca" --account "$account" --secret "$api_key" --timeout 8000 "$@" \
		"https://${at-ws.test}:$(service_port "$asked")$path"
}
# answers NAME STATUS
answers() {
	out_has "$1: status" "err=ok beyond=0 started=1 status=$2 "
	nothing_left "$1"
}
# fails NAME CLASS TEXT
fails() {
	out_has "$1: class" "err=$2 beyond=1 "
	out_has "$1: text" "$3"
	out_lacks "$1: no secret" "$api_key"
	nothing_left "$1"
}
nothing_left() { out_has "$1: nothing is left" 'waiting=0 twice=0 handles=none fds=none'; }
# The time it took, between the two
took() {
	ms=$(sed -n 's/.* ms=\([0-9]*\) .*/\1/p' "$out" | head -n 1)
	ok "$1: $ms ms" test "$ms" -ge "$2" -a "$ms" -le "$3"
}
schemes() { jq -r --arg n "$1" 'select(.name == $n) | .scheme + (if .good then "+" else "-" end)' "$service_dir/requests.log" | paste -sd ' '; }

# ---- logins
ask none --show
answers 'no login' 200
out_has 'the body' 'user50@a.test'
out_has 'the header lines' 'Content-Type: text/plain'
ask basic
answers 'Basic' 200
out_has 'Basic: all of the body' " out=$(wc -c <"$service_dir/basic/a.test") "
is 'Basic: asked without a login first' "$(schemes basic)" '- Basic+'
ask digest
answers 'Digest' 200
is 'Digest: SHA-256 or MD5, a nonce once' "$(schemes digest)" '- Digest+'
ask both
answers 'where there is a choice' 200
is 'the better one is taken' "$(schemes both)" '- Digest+'
: >"$service_dir/requests.log"
ask basic --secret 'not this one'
answers 'a wrong key' 401
is 'a wrong key is tried once' "$(schemes basic)" '- Basic-'
ask digest --secret 'not this one'
answers 'a wrong key, Digest' 401
ask digest --show --secret 'not this one'
out_has 'the answer to it' 'log in first'
service_behave both auth:never
ask both
answers '401 for ever' 401
service_behave both
with_names "$probe_bin" --trust "$ca" "https://ws.test:$(service_port basic)$path"
answers 'no account' 401
for code in 204 403 404 429 500 503; do
	service_behave basic status:$code
	ask basic
	answers "status $code" $code
done
service_behave basic

# ---- to that service only
service_behave digest "redirect:https://ws.test:$(service_port none)$path"
: >"$service_dir/requests.log"
ask digest --show
answers 'a redirection' 302
out_has 'where to' "Location: https://ws.test:$(service_port none)"
is 'it is not followed' "$(schemes none)" ''
service_behave digest
for url in "http://ws.test:$(service_port none)/" "https://u:p@ws.test:$(service_port none)/" file:///etc/passwd ftp://ws.test/ 'https://' ''; do
	with_names "$probe_bin" --trust "$ca" "$url"
	out_has "refused: $url" 'err=invalid beyond=0 started=0 '
	nothing_left "refused: $url"
done
: >"$service_dir/requests.log"
printf 'machine ws.test login n password n\n' >"$work/.netrc"
HOME=$work https_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 ask basic
answers 'a proxy of the environment is not used' 200
is 'nor ~/.netrc' "$(schemes basic)" '- Basic+'

# ---- certificates
ask elsewhere
fails 'a certificate for others' tls 'ws.test: its certificate names mail.elsewhere.test, www.elsewhere.test and not ws.test (by "ca of the tests", until 20'
ask expired
fails 'out of date' tls 'is out of date: it names ws.test, by "ca of the tests", and was good until 2025-01-01 00:00 UTC'
ask early
fails 'not yet good' tls 'is good only from 2039-01-01 00:00 UTC on'
ask other
fails 'of another CA' tls "is signed by \"other-ca of the tests\", which is not among those trusted ($ca)"
is 'nothing was asked of any of them' "$(for n in elsewhere expired early other; do schemes $n; done | tr -d '\n')" ''
with_names "$probe_bin" "https://ws.test:$(service_port none)$path"
fails 'not of the machine'\''s CAs' tls "which is not among those trusted (this machine's certificates)"
at=a.wild.test ask none
answers 'a wildcard' 200
at=a.b.wild.test ask none
fails 'a wildcard is one label' tls 'and not a.b.wild.test'
at=127.0.0.1 ask none
answers 'an address that is in the certificate' 200
with_names "$probe_bin" --trust "$service_dir/tls/none.pem" "https://ws.test:$(service_port none)$path"
out_has 'a trust file that is not there' 'err=invalid beyond=0 '
out_has 'a trust file that is not there: which' "$service_dir/tls/none.pem"
with_names "$probe_bin" --trust "$service_dir/tls/index.txt" "https://ws.test:$(service_port none)$path"
not_ok 'a trust file without a certificate' grep -q 'err=ok' "$out"

# ---- a service that is not well
for how in hang:accept hang:tls; do
	service_behave none $how
	ask none --timeout 1500
	fails $how timeout 'it took the connection, but no TLS came about in '
	took $how 1400 4000
done
service_behave none hang:answer
ask none --timeout 1500
fails hang:answer timeout 'it was asked and had not answered after '
service_behave none hang:body
ask none --timeout 1500
fails hang:body timeout 'its answer had not come to its end after 1.5 s ('
service_behave none cut:accept
ask none
fails cut:accept protocol 'no TLS came about'
service_behave none cut:tls
ask none
fails cut:tls protocol 'no TLS came about'
service_behave none plain
ask none
fails 'no TLS at all' protocol 'no TLS came about'
service_behave none cut:answer
ask none
fails cut:answer closed 'it cut the connection before its answer was there'
service_behave none cut:body
ask none
fails cut:body closed 'it cut the connection in the middle of its answer ('
service_behave none garbage
ask none
fails garbage protocol 'what it answers is no HTTP'
service_behave none endless
ask none --cap 1000000
fails 'an endless body' limit 'its answer is larger than'
service_behave none endless:headers
ask none
fails 'endless header lines' protocol 'more than 64 KB of header lines'
service_behave none size:3000000
ask none --cap 2000000
fails 'a body that is too large' limit 'its answer is larger than 2000000 bytes'
ask none --cap 4000000
answers 'a large body' 200
service_behave none

# ---- nobody there
with_names "$probe_bin" --trust "$ca" https://ws.test:1/
fails 'nobody listens' refused 'nobody listens on port 1'
with_names "$probe_bin" --trust "$ca" https://no-such-name.invalid/
fails 'no such name' unreachable 'no-such-name.invalid'

# ---- given up, at any moment
for how in '' hang:accept hang:answer hang:body endless; do
	service_behave basic "$how"
	for after in 0 1 5 20 80; do
		ask basic --cap 1000000000 --cancel $after
		nothing_left "cancel${how:+ in $how} after $after ms"
		ask basic --cap 1000000000 --close $after
		nothing_left "close${how:+ in $how} after $after ms"
	done
	[ -z "$how" ] || out_has "given up in ${how}" 'err=canceled beyond=0 '
done
service_behave basic
ask digest --times 40
is 'forty at once' "$(grep -c 'err=ok .* status=200 ' "$out")" 40
nothing_left 'forty at once'

# ---- the program's own limits, side by side: a listener whose queue is full, a name server that is silent
# shellcheck disable=SC2016
perl -MIO::Socket::INET -e '
	my $full = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
	my @in = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $full->sockport, Timeout => 1) } 1 .. 3;
	my $dns = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.78.9.9", LocalPort => 53) or die;
	open my $f, ">", $ARGV[0] or die; print $f $full->sockport; close $f; sleep 300' "$work/full" 2>"$work/perl.log" &
silent=$!
wait_until 'silent ones' 20 test -s "$work/full"
echo 'nameserver 127.78.9.9' >"$work/resolv.conf"
behind() {
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind "$1" /etc/hosts; mount --bind "$2" /etc/resolv.conf; shift 2; exec "$@"' sh "$work/hosts" \
		"$work/resolv.conf" "$probe_bin" --trust "$ca" --timeout 60000 "$2" >"$work/$1.limit" 2>&1 &
	silent="$silent $!"
	waited="${waited-} $!"
}
service_behave none drip
service_behave both hang:tls
behind connect "https://127.0.0.1:$(cat "$work/full")/"
behind name https://silent.invalid/
behind tls "https://ws.test:$(service_port both)$path"
behind drip "https://ws.test:$(service_port none)$path"
for pid in $waited; do timeout 90 tail --pid="$pid" -f /dev/null; done
limit() {
	cp "$work/$1.limit" "$out"
	: >"$err"
	fails "$1" "$2" "$3"
	took "$1" "$4" "$5"
}
limit connect unreachable 'no answer on port' 19000 28000
limit name unreachable 'the name servers did not answer in 5 s' 4900 12000
limit tls timeout 'no TLS came about' 19000 28000
limit drip timeout 'its answer had not come to its end' 28000 45000
finish
