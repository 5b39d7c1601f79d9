#!/bin/sh
# OP_SMTP against mail servers that say what they should not (lib/smtp_server.py), direct and through a host's session (a real
# sshd): what is asked, what is made of each answer, certificates, and every fault of a server; nothing is left of any.
# Needs root, python3, openssl.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/../../lib/web_service.sh"
. "$(dirname "$0")/lib.sh"
need_root
service_or_skip 'OP_SMTP'
command -v python3 >/dev/null || { skip 'OP_SMTP' 'there is no python3 (deploy/deps.sh --tests installs it)'; finish; }
probe_bin=$CUTOVER_BUILD/tests/integration/transport/service_probe
mail='[192.0.2.25],postmaster@acme.test,noc@msp.test'
server_pid=''

cleanup() {
	sshd_stop
	[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
}

service_ca
service_cert good 'DNS:mx.test'
service_cert elsewhere 'DNS:mail.elsewhere.test'
service_cert expired 'DNS:mx.test' 240101000000Z 250101000000Z
service_cert other 'DNS:mx.test' '' '' other-ca
cert() { printf '"cert": "%s/tls/%s.pem", "key": "%s/tls/%s.key"' "$service_dir" "$1" "$service_dir" "$1"; }
# one NAME [JSON]: listens on 127.0.0.78
list=''
one() { list="$list${list:+,} { \"name\": \"$1\", \"address\": \"127.0.0.78\"${2:+, }${2-} }"; }
said() { one "$1" "\"say\": { $2 }"; }

one plain
for name in good elsewhere expired other; do one tls-$name "$(cert $name)"; done
one tls-refused "$(cert good), \"say\": { \"starttls\": \"454 4.7.0 TLS not available\\r\\n\" }"
one tls-421 "$(cert good), \"say\": { \"starttls\": \"421 4.3.0 no more\\r\\n<CUT>\" }"
one tls-garbage "\"say\": { \"ehlo\": \"250-mx.test\\r\\n250 STARTTLS\\r\\n\", \"starttls\": \"220 go\\r\\n<HANG>\" }"
one tls-cut "\"say\": { \"ehlo\": \"250-mx.test\\r\\n250 starttls\\r\\n\", \"starttls\": \"220 go\\r\\n<CUT>\" }"
one tls-inject "\"say\": { \"ehlo\": \"250-mx.test\\r\\n250 STARTTLS\\r\\n\", \"starttls\": \"220 go\\r\\n250 injected\\r\\n<HANG>\" }"
said denied '"rcpt": "554 5.7.1 <noc@msp.test>: Relay access denied\r\n"'
said unknown '"mail": "550 5.7.1 Sender address rejected: Access denied\r\n"'
said grey '"rcpt": "450-4.2.0 Greylisted\r\n450 4.2.0 see https://mx.test/grey\r\n"'
said busy '"banner": "421 4.7.0 too many connections\r\n<CUT>"'
said shut '"banner": "554 5.7.1 go away\r\n"'
said old '"ehlo": "502 5.5.1 EHLO? in my days...\r\n"'
said bytes '"banner": "<BYTE>220-one\r\n220-two\r\n220 three\r\n", "ehlo": "<BYTE>250-a\r\n250 b\r\n"'
said eight '"banner": "220 \u00e9\u001b[2J mx\r\n"'
said midway '"mail": "421 4.3.2 shutting down\r\n<CUT>"'
said cut-banner '"banner": "<CUT>"'
said cut-half '"banner": "220-half\r\n22<CUT>"'
said cut-rcpt '"rcpt": "<CUT>"'
said cut-quit '"quit": "<CUT>"'
said hang-banner '"banner": "<HANG>"'
said hang-rcpt '"rcpt": "<HANG>"'
said hang-quit '"quit": "<HANG>"'
said no-smtp '"banner": "SSH-2.0-OpenSSH_9.2\r\n<HANG>"'
said http '"banner": "HTTP/1.1 400 Bad Request\r\n<HANG>"'
said codes '"ehlo": "250-mx.test\r\n550 no\r\n"'
said long "\"banner\": \"220 $(printf '%04000d' 0)\\r\\n\""
said line '"banner": "220 0123456789<FLOOD>"'
said lines '"ehlo": "250-more\r\n<FLOOD>"'
said eager '"ehlo": "250 mx.test\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n<HANG>"'
printf '[%s]' "$list" >"$work/servers.json"
python3 "$(dirname "$0")/../../lib/smtp_server.py" "$work/servers.json" "$work/ready" "$work/log" >"$work/server.said" 2>&1 &
server_pid=$!
wait_until 'the mail servers listen' 30 test -e "$work/ready"
service_name mx.test 127.0.0.78
port_of() { awk -v n="$1" '$1 == n { print $2 }' "$work/ready"; }
log_of() { awk -v n="$1" '$1 == n { $1 = ""; print substr($0, 2) }' "$work/log" | paste -sd '|'; }

# ask NAME ARGUMENTS…
ask() {
	asked=$1
	shift
	: >"$work/log"
	with_names "$probe_bin" --trust "$service_dir/tls/ca.pem" --mail "${words-$mail}" --timeout 8000 --show "$@" \
		"smtp://${at-mx.test}:$(port_of "$asked")"
	nothing_left "$asked"
}
nothing_left() { out_has "$1: nothing is left" 'waiting=0 twice=0 handles=none fds=none'; }
# answers NAME LINE…: it ended well, and the report has these lines
answers() {
	what=$1
	out_has "$what: it ended well" 'err=ok beyond=0 started=1 '
	shift
	for line in "$@"; do out_has "$what: $line" "$line"; done
}
# fails NAME CLASS TEXT
fails() {
	out_has "$1: class" "err=$2 beyond=1 "
	out_has "$1: text" "$3"
}

# ---- what is asked
ask plain
answers plain 'banner 220 mx.test ESMTP' 'ehlo 250 mx.test / SIZE 10240000 / 8BITMIME' 'mail 250 2.1.0 Ok' 'rcpt 250 2.1.5 Ok'
is 'no mail is handed over' "$(log_of plain)" 'EHLO [192.0.2.25]|MAIL FROM:<postmaster@acme.test>|RCPT TO:<noc@msp.test>|QUIT'
ask tls-good
answers tls-good 'starttls 220' 'tls 220 TLSv1.3' 'certificate 250 it is good' 'rcpt 250'
is 'EHLO again behind TLS' "$(log_of tls-good)" \
	'EHLO [192.0.2.25]|STARTTLS|EHLO [192.0.2.25]|MAIL FROM:<postmaster@acme.test>|RCPT TO:<noc@msp.test>|QUIT'
for text in 'a b,c@d,e@f' 'h,a@b> SIZE=1,e@f' 'h,c@d,' 'h,c@d,e@f
RSET'; do
	words=$text ask plain
	text=$(printf %s "$text" | tr '\n' '|')
	out_has "refused: $text" 'err=invalid beyond=0 started=0 '
	is "nothing was said: $text" "$(log_of plain)" ''
done

# ---- certificates: said, and no end of it
ask tls-elsewhere
answers tls-elsewhere 'certificate 550 names mail.elsewhere.test and not mx.test' 'rcpt 250'
ask tls-expired
answers tls-expired 'certificate 550 is out of date: it names mx.test, by "ca of the tests", and was good until 2025-01-01' 'rcpt 250'
ask tls-other
answers tls-other 'signed by "other-ca of the tests", which is not among those trusted' 'rcpt 250'
ask tls-refused
answers tls-refused 'starttls 454 4.7.0 TLS not available' 'rcpt 250'
ask tls-421
answers tls-421 'starttls 421'
ask tls-cut
answers tls-cut 'tls 000 '
out_lacks 'TLS broke: nothing more is asked' 'mail '
ask tls-garbage --timeout 700
fails tls-garbage timeout 'it took the connection, but TLS had not come after'
ask tls-inject
fails tls-inject protocol 'it went on talking before it was asked'

# ---- what is answered
ask denied
answers denied 'rcpt 554 5.7.1 <noc@msp.test>: Relay access denied' 'quit 221'
ask unknown
answers unknown 'mail 550 5.7.1 Sender address rejected: Access denied'
is 'RCPT is not asked then' "$(log_of unknown)" 'EHLO [192.0.2.25]|MAIL FROM:<postmaster@acme.test>|QUIT'
ask grey
answers grey 'rcpt 450 4.2.0 Greylisted / 4.2.0 see https://mx.test/grey'
ask busy
answers busy 'banner 421 4.7.0 too many connections'
is 'nothing is said to a busy one' "$(log_of busy)" ''
ask shut
answers shut 'banner 554 5.7.1 go away' 'quit 221'
ask midway
answers midway 'mail 421 4.3.2 shutting down'
ask old
answers old 'ehlo 502' 'helo 250' 'rcpt 250'
ask bytes
answers bytes 'banner 220 one / two / three' 'ehlo 250 a / b' 'rcpt 250'
ask eight
answers eight 'banner 220 ??[2J mx' 'rcpt 250'

# ---- faults
ask cut-banner
fails cut-banner closed 'mx.test: it hung up before the greeting'
ask cut-half
fails cut-half closed 'it hung up before the greeting'
ask cut-rcpt
fails cut-rcpt closed 'it hung up before the reply to RCPT'
out_has 'what was there before stays' 'mail 250'
ask cut-quit
answers cut-quit 'rcpt 250'
ask hang-banner --timeout 700
fails hang-banner timeout 'it took the connection, but the greeting had not come after'
ask hang-rcpt --timeout 700
fails hang-rcpt timeout 'but the reply to RCPT had not come after'
ask hang-quit --timeout 700
answers hang-quit 'rcpt 250'
for name in no-smtp http codes long line lines eager; do
	ask $name
	fails $name protocol 'that is no SMTP: '
done
at=127.0.0.79 ask plain
fails 'nobody listens' refused '127.0.0.79: nobody listens on port'
at=no-such-name.invalid ask plain
fails 'no such name' unreachable 'no-such-name.invalid: '
ask hang-banner --cancel 0
out_has 'given up at once' 'err=canceled beyond=0'
ask hang-banner --cancel 100
out_has 'given up later' 'err=canceled beyond=0'
ask hang-banner --close 100
out_has 'closed meanwhile' 'err=canceled beyond=0'
ask tls-garbage --cancel 200
out_has 'given up in TLS' 'err=canceled beyond=0'
ask plain --times 40
is 'many at once' "$(grep -c 'rcpt 250' "$out")" 40

# ---- through a host
mkdir -p "$sshd_root"
{ grep -v '\.test$' /etc/hosts; echo '127.0.0.78 inside.test'; } >"$sshd_root/hosts"
sshd_prepare
sshd_start
host="tdash@127.0.0.1:$port,$keys/id_ed25519,$pin"
sshd_start 'AllowTcpForwarding no'
forbids="tdash@127.0.0.1:$port,$keys/id_ed25519,$pin"
at=inside.test
ask plain --through "$host"
answers 'through a host, by a name that only it knows' 'rcpt 250'
ask tls-good --through "$host"
answers 'TLS through a host' 'tls 220' 'certificate 550 names mx.test and not inside.test' 'rcpt 250'
ask denied --through "$host"
answers 'refused, through a host' 'rcpt 554'
ask hang-rcpt --timeout 700 --through "$host"
fails 'silence through a host' timeout 'inside.test through acme/h1: it took the connection, but the reply to RCPT'
ask plain --through "$forbids"
fails 'the host forwards nothing' forwarding 'acme/h1'
at=127.0.0.79 ask plain --through "$host"
fails 'nobody listens, seen from a host' unreachable '127.0.0.79'
ask plain --times 20 --through "$host"
is 'many at once through a host' "$(grep -c 'rcpt 250' "$out")" 20
finish
