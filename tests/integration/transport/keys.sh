#!/bin/sh
# Every key that an operator has, against a real sshd: passphrases, ssh-agents that are good, hang, die and lie, user
# certificates, passwords. Both versions of libssh2 meet it; what the older one cannot do has to be said by name. Needs root (a
# mount namespace of its own). Leaves nothing behind.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
sshd_start

liar_bin=$CUTOVER_BUILD/tests/integration/transport/agent_liar
case $("$probe_bin" --version-of-libssh2) in
1.10.*) old=1 ;;
*) old= ;;
esac
pids=
cleanup() {
	for pid in $pids; do kill -CONT "$pid" 2>/dev/null && kill "$pid" 2>/dev/null; done
	sshd_stop
}

result() { grep "^127\.[0-9.]* $1 err=" "$out" | sed 's/.* err=\([^ ]*\) started=\([^ ]*\) exit=\([^ ]*\) .*/\1 \2 \3/'; }
logs_in() { is "$1" "$(result 0)" 'ok 1 0'; }
total_clean() {
	if grep -q 'handles=none fds=none' "$out"; then pass "$1: nothing is left"; else fail "$1: nothing is left" "$(tail -n 1 "$out")"; fi
}
# login ARGUMENTS...: the probe without a key
# shellcheck disable=SC2086 # words
login() { run "$probe_bin" $patient --user tdash --pin "$pin" --port "$port" "$@"; }
# agents that somebody forgot: folders, sockets, processes of ours
leftovers() { find "${XDG_RUNTIME_DIR:-/tmp}" "${TMPDIR:-/tmp}" /tmp -maxdepth 1 -name 'cutover-??????' 2>/dev/null | sort -u; }
connections() { grep -c 'Connection from' "$sshd_root/log.$port" || true; }
fingerprint() { ssh-keygen -lf "$1" | awk '{ print $2 }'; }
# says NAME CODE TEXT: of the last run
says() {
	if grep -q " err=$2 " "$out" && grep -qF -e "$3" "$out"; then pass "$1"; else fail "$1" "wanted: err=$2 $3
$(cat "$out")"; fi
}
refusals() { grep -c 'Failed publickey' "$sshd_root/log.$port" || true; }
leftovers_before=$(leftovers)

# --- passphrases
for key in id_ed25519 id_ecdsa id_ecdsa384 id_ecdsa521 id_rsa; do
	for format in RFC4716 PEM PKCS8; do
		case $key$format in id_ed25519P*) continue ;; esac
		cp "$keys/$key" "$work/locked"
		ssh-keygen -q -p -m $format -P '' -N 'open sesame ü' -f "$work/locked" >/dev/null
		login --key "$work/locked" --passphrase 'open sesame ü' 127.0.0.1 -- exec:true
		logs_in "passphrase: $key as $format"
		login --key "$work/locked" --passphrase 'open sesami' 127.0.0.1
		out_has "wrong passphrase: $key as $format" 'err=signing'
		out_has "wrong passphrase: $key as $format: text" 'its passphrase (identity_passphrase) is not the right one'
	done
done
openssl genpkey -algorithm ed25519 -aes256 -pass pass:hunter22 -out "$work/pkcs8" 2>/dev/null
openssl pkey -in "$work/pkcs8" -passin pass:hunter22 -out "$work/plain" 2>/dev/null
login --key "$work/pkcs8" --passphrase hunter22 127.0.0.1
# ssh-keygen cannot give the public half of that one; the server refuses a key that it does not know.
out_has 'passphrase: PKCS#8 of openssl, ed25519' 'the key ssh-ed25519 SHA256:'
cp "$keys/id_ed25519" "$work/locked"
ssh-keygen -q -p -P '' -N 'open sesame' -f "$work/locked" >/dev/null
before=$(connections)
login --key "$work/locked" 127.0.0.1
out_has 'no passphrase' 'has a passphrase: say where it is by identity_passphrase'
login --key "$work/locked" --passphrase wrong-one 127.0.0.1
is 'without a key nobody is connected to' "$(connections)" "$before"
total_clean 'wrong passphrase'
login --key "$work/locked" --passphrase 'two
lines' 127.0.0.1
out_has 'a passphrase of two lines' 'a passphrase has one line'
head -c 200 "$work/locked" >"$work/cut"
login --key "$work/cut" --passphrase 'open sesame' 127.0.0.1
out_has 'a locked key that is cut' 'err=signing'
sed '3s/^....../AAAAAA/' "$work/locked" >"$work/damaged"
login --key "$work/damaged" --passphrase 'open sesame' 127.0.0.1
out_has 'a locked key that is damaged' 'err=signing'

# --- once, not once a host; and nobody sees it
mkdir "$work/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$@" >>%s/adds\ntr "\\0" "\\n" </proc/self/environ >>%s/environ\nexec /usr/bin/ssh-add "$@"\n' "$work" "$work" >"$work/bin/ssh-add"
chmod +x "$work/bin/ssh-add"
set --
while [ $# -lt 20 ]; do set -- "$@" 127.0.0.1; done
PATH=$work/bin:$PATH SECRET_OF_OURS=open-sesame login --key "$work/locked" --passphrase 'open sesame' "$@"
is '20 logins with a locked key' "$(grep -c ' open err=ok' "$out")" 20
is 'it was decrypted once' "$(cat "$work/adds")" '-q -'
if grep -q 'sesame' "$work/environ"; then fail 'no secret is in the environment' "$(cat "$work/environ")"; else pass 'no secret is in the environment'; fi
total_clean 'a locked key'
is 'its folder is gone' "$(leftovers)" "$leftovers_before"
# It lives while we do, whatever ends us.
mkfifo "$work/hold"
"$probe_bin" --user tdash --pin "$pin" --port "$port" --key "$work/locked" --passphrase 'open sesame' 127.0.0.1 -- \
	'exec:cat /etc/passwd; sleep 60' >/dev/null 2>&1 &
probe_pid=$!
has_folder() { [ "$(leftovers)" != "$leftovers_before" ]; }
wait_until 'the agent of ours has its folder' 30 has_folder
folder=$(leftovers | grep -vxF "${leftovers_before:-none}" | head -n 1)
is 'its folder is ours alone' "$(stat -c %a "$folder")" 700
holds_key() { SSH_AUTH_SOCK=$folder/agent ssh-add -l | grep -q SHA256; }
wait_until 'it answers' 30 holds_key
is 'the key is in it' "$(SSH_AUTH_SOCK=$folder/agent ssh-add -l | awk '{ print $2 }')" "$(fingerprint "$keys/id_ed25519.pub")"
agent_pid=$(pgrep -f "^ssh-agent -a $folder/agent" || true)
kill -9 "$probe_pid"
wait "$probe_pid" 2>/dev/null || true
wait_until 'killed with -9: the folder is gone' 30 test ! -e "$folder"
ok 'killed with -9: so is the agent' sh -c "! kill -0 ${agent_pid:-0} 2>/dev/null"

# --- an ssh-agent of the operator
# agent_start: a new one, $agent its socket, $agent_pid
agent_n=0
agent_start() {
	agent_n=$((agent_n + 1))
	agent=$work/agent.$agent_n
	ssh-agent -D -a "$agent" >/dev/null 2>&1 &
	agent_pid=$!
	pids="$pids $agent_pid"
	tries=0
	until [ -S "$agent" ] || [ $tries -gt 200 ]; do tries=$((tries + 1)) && sleep 0.05; done
}
agent_add() { SSH_AUTH_SOCK=$agent ssh-add -q "$@" 2>/dev/null; }
agent_start
agent_add "$keys/id_ed25519"
login --agent "$agent" 127.0.0.1 -- exec:true
logs_in 'agent: its only key'
for key in id_ecdsa id_ecdsa384 id_ecdsa521 id_rsa; do agent_add "$keys/$key"; done
before=$(refusals)
for key in id_ed25519 id_ecdsa id_ecdsa384 id_ecdsa521 id_rsa; do
	login --agent "$agent" --agent-key "$(fingerprint "$keys/$key.pub")" 127.0.0.1 -- exec:true
	logs_in "agent: $key by its fingerprint"
	login --agent "$agent" --key "$keys/$key.pub" 127.0.0.1 -- exec:true
	logs_in "agent: $key by its file"
done
# Three that are refused, and a server bans the controller: the right key goes first, and no other.
is 'agent with five keys: no other one was tried' "$(refusals)" "$before"
login --key "$keys/other" 127.0.0.1
refused_once() { [ "$(refusals)" = $((before + 1)) ]; }
wait_until 'one that is refused would have been seen, once' 20 refused_once
before=$(connections)
login --agent "$agent" 127.0.0.1
out_has 'agent: several keys' 'has several keys'
login --agent "$agent" --key "$keys/other.pub" 127.0.0.1
out_has 'agent: not that key' 'does not have that key; it has SHA256:'
login --agent "$work/nowhere" 127.0.0.1
out_has 'agent: nobody there' 'the ssh-agent cannot be reached: no such file'
SSH_AUTH_SOCK=$agent ssh-add -q -D 2>/dev/null
login --agent "$agent" 127.0.0.1
out_has 'agent: no keys' 'has no keys; add it there with ssh-add'
is 'agent: no key, no connection' "$(connections)" "$before"
total_clean 'agent without keys'

# --- that hangs, dies, lies
agent_add "$keys/id_ed25519"
kill -STOP "$agent_pid"
before=$(connections)
login --agent "$agent" --agent-ms 700 127.0.0.1 127.0.0.1 127.0.0.1
is 'agent hangs: all are told' "$(grep -c ' err=signing' "$out")" 3
out_has 'agent hangs: text' 'the ssh-agent did not answer within 0.7 s'
is 'agent hangs: no connection was made' "$(connections)" "$before"
total_clean 'agent hangs'
kill -CONT "$agent_pid"
login --agent "$agent" 127.0.0.1 -- exec:true
logs_in 'agent goes on'

agent_add "$keys/id_ecdsa" "$keys/id_rsa"
# liar MODE: $liar its socket
liar() {
	liar=$work/liar.$1
	: >"$work/liar.log"
	"$liar_bin" "$liar" "$agent" "$1" >"$work/liar.log" 2>&1 &
	liar_pid=$!
	pids="$pids $liar_pid"
	tries=0
	until grep -q ready "$work/liar.log" || [ $tries -gt 200 ]; do tries=$((tries + 1)) && sleep 0.05; done
}
lied() {
	mode=$1
	liar "$mode"
	login --agent "$liar" --agent-ms 700 --agent-key "$(fingerprint "$keys/${3:-id_ed25519}.pub")" 127.0.0.1
	out_has "agent lies: $mode" 'err=signing'
	out_has "agent lies: $mode: text" "$2"
	total_clean "agent lies: $mode"
	kill "$liar_pid"
}
before=$(refusals)
lied failure 'the ssh-agent refuses to sign'
lied other 'signature is not one of the key SHA256:'
lied other 'signature is not one of the key SHA256:' id_ecdsa
lied other 'signature is not one of the key SHA256:' id_rsa
lied sha1 'signed with "ssh-rsa" where "rsa-sha2-' id_rsa
lied garbage "answer is no signature"
lied long 'announces an answer of 1073741824 bytes'
lied empty 'announces an answer of 0 bytes'
lied cut 'the ssh-agent hung up'
lied hangup 'the ssh-agent hung up'
lied hang 'the ssh-agent did not answer within 0.7 s'
lied mute 'the ssh-agent did not answer within 0.7 s'
is 'no false signature has reached the host' "$(refusals)" "$before"
for mode in honest drip once; do
	liar $mode
	login --agent "$liar" --agent-key "$(fingerprint "$keys/id_ed25519.pub")" 127.0.0.1 -- exec:true
	logs_in "agent: $mode"
	kill "$liar_pid"
done
liar extra
login --agent "$liar" --agent-ms 700 --agent-key "$(fingerprint "$keys/id_ed25519.pub")" 127.0.0.1
ok 'agent says too much: it is used, or refused by name' grep -qE ' err=(ok|signing) ' "$out"
kill "$liar_pid"

# Dies while twenty wait for it: each is told, or is in; nobody hangs.
liar hang
"$probe_bin" --user tdash --pin "$pin" --port "$port" --agent "$liar" --agent-key "$(fingerprint "$keys/id_ed25519.pub")" \
	"$@" >"$out" 2>&1 &
probe_pid=$!
tries=0
until grep -q sign "$work/liar.log" || [ $tries -gt 200 ]; do tries=$((tries + 1)) && sleep 0.05; done
kill -9 "$liar_pid"
wait "$probe_pid" || true
is 'agent dies in mid-sign: all are told' "$(grep -c ' err=signing' "$out")" 20
total_clean 'agent dies'

# Whoever needs no agent is not held up by one that hangs.
liar hang
"$probe_bin" --user tdash --pin "$pin" --port "$port" --agent "$liar" --agent-key "$(fingerprint "$keys/id_ed25519.pub")" \
	--agent-ms 3000 127.0.0.1 >"$work/slow" 2>&1 &
login --key "$keys/id_ed25519" 127.0.0.1 -- exec:true
logs_in 'beside an agent that hangs'
wait $! || true
kill "$liar_pid"

# --- certificates
ca=$work/ca
ssh-keygen -q -t ed25519 -N '' -f "$ca"
ssh-keygen -q -t ed25519 -N '' -f "$work/otherca"
mkdir "$work/certs"
for type in ed25519 ecdsa rsa; do
	ssh-keygen -q -t $type -N '' -f "$work/certs/$type"
	ssh-keygen -q -s "$ca" -I "operator $type" -n tdash,tsudo -V -1h:+1h "$work/certs/$type.pub" 2>/dev/null
done
cert() { # NAME OPTIONS...: another certificate of the ed25519 key (ecdsa where that is all that the library can)
	kind=ed25519
	[ -z "$old" ] || kind=ecdsa
	name=$1
	shift
	cp "$work/certs/$kind.pub" "$work/certs/$name.pub"
	ssh-keygen -q "$@" "$work/certs/$name.pub" 2>/dev/null
}
sshd_stop
sshd_start "TrustedUserCAKeys $ca.pub"
for type in ed25519 ecdsa rsa; do
	login --key "$work/certs/$type" --certificate "$work/certs/$type-cert.pub" 127.0.0.1 -- exec:true
	if [ -n "$old" ] && [ $type != ecdsa ]; then
		says "certificate: $type: is said" signing "needs libssh2 1.11"
	else
		logs_in "certificate: $type"
	fi
	agent_add "$work/certs/$type"
	login --agent "$agent" --key "$work/certs/$type.pub" --certificate "$work/certs/$type-cert.pub" 127.0.0.1 -- exec:true
	if [ -n "$old" ] && [ $type != ecdsa ]; then
		says "certificate: $type in an agent: is said" signing "needs libssh2 1.11"
	else
		logs_in "certificate: $type in an agent"
	fi
done
kind=ed25519
[ -z "$old" ] || kind=ecdsa
cp "$work/certs/$kind" "$work/certs/locked"
ssh-keygen -q -p -P '' -N 'open sesame' -f "$work/certs/locked" >/dev/null
login --key "$work/certs/locked" --passphrase 'open sesame' --certificate "$work/certs/$kind-cert.pub" 127.0.0.1 -- exec:true
logs_in 'certificate: of a key with a passphrase'
login --key "$work/certs/ed25519" --certificate-beside "$work/certs/ed25519-cert.pub" 127.0.0.1 -- exec:true
if [ -n "$old" ]; then
	out_has 'certificate beside the key that cannot be used: the key is tried' 'err=authentication'
	out_has 'certificate beside the key: is said' 'of an ssh-ed25519 key needs libssh2 1.11'
else
	logs_in 'certificate beside the key'
fi
cert expired -s "$ca" -I late -n tdash -V -2h:-1h
login --key "$work/certs/$kind" --certificate "$work/certs/expired-cert.pub" 127.0.0.1
says 'certificate: expired' signing '("late") has expired at 20'
cert early -s "$ca" -I early -n tdash -V +1h:+2h
login --key "$work/certs/$kind" --certificate "$work/certs/early-cert.pub" 127.0.0.1
says 'certificate: not yet' signing 'is not valid before 20'
cert ahost -s "$ca" -h -I machine -n tdash
login --key "$work/certs/$kind" --certificate "$work/certs/ahost-cert.pub" 127.0.0.1
out_has 'certificate: of a host' 'is one of a host, not one of a user'
cert principal -s "$ca" -I somebody -n somebody
login --key "$work/certs/$kind" --certificate "$work/certs/principal-cert.pub" 127.0.0.1
says 'certificate: for another user' authentication 'the certificate "somebody" was refused, too'
cert untrusted -s "$work/otherca" -I alien -n tdash
login --key "$work/certs/$kind" --certificate "$work/certs/untrusted-cert.pub" 127.0.0.1
out_has 'certificate: of another CA' 'err=authentication'
login --key "$keys/id_ed25519" --certificate "$work/certs/ecdsa-cert.pub" 127.0.0.1
out_has 'certificate: of another key' 'is not for the key SHA256:'
login --key "$keys/id_ed25519" --certificate-beside "$work/certs/ecdsa-cert.pub" 127.0.0.1 -- exec:true
logs_in 'certificate of another key beside it: the key alone'
login --key "$keys/id_ed25519" --certificate "$keys/id_ed25519.pub" 127.0.0.1
out_has 'certificate: is none' 'is no certificate that can be used'
total_clean 'certificates'

# --- passwords
hash=$(openssl passwd -6 'correct horse ü')
sed "s|^tdash:[^:]*:|tdash:$hash:|; s|^tbash:[^:]*:[0-9]*|tbash:$hash:0|" "$sshd_root/shadow" >"$work/shadow"
cat "$work/shadow" >"$sshd_root/shadow"
sshd_stop
sshd_start 'PasswordAuthentication yes'
login --password 'correct horse ü' 127.0.0.1 -- exec:true
logs_in 'password alone'
login --key "$keys/other" --password 'correct horse ü' 127.0.0.1 -- exec:true
logs_in 'password after a key that is refused'
login --key "$keys/id_ed25519" --password 'not even right' 127.0.0.1 -- exec:true
logs_in 'a key that is accepted: the password is not used'
login --key "$keys/other" --password 'wrong horse' 127.0.0.1
says 'password: wrong' authentication 'the login as tdash by password was refused'
if grep -q 'wrong horse' "$out"; then fail 'the password is not told' "$(cat "$out")"; else pass 'the password is not told'; fi
login --log trace --password 'correct horse ü' 127.0.0.1
if grep -q 'correct horse' "$out"; then fail 'nor logged' "$(cat "$out")"; else pass 'nor logged'; fi
total_clean 'password'
sshd_stop
sshd_start 'PasswordAuthentication no' 'KbdInteractiveAuthentication no'
login --password 'correct horse ü' 127.0.0.1
says 'password: the server does not ask' authentication 'the server allows publickey; it does not ask for a password'
sshd_stop
sshd_start 'AuthenticationMethods publickey,password' 'PasswordAuthentication yes'
login --key "$keys/id_ed25519" --password 'correct horse ü' 127.0.0.1 -- exec:true
logs_in 'key and password, both asked for'
login --key "$keys/id_ed25519" 127.0.0.1
out_has 'key and password, and there is none' 'the server allows password'

# --- hosts that are let in as new
# stranger ARGUMENTS...: the probe without a pin
stranger() { run "$probe_bin" --user tdash --port "$port" --accept-new "$@"; }
sshd_stop
sshd_start 'PasswordAuthentication yes'
stranger --key "$keys/id_ed25519" 127.0.0.1 -- exec:true
logs_in 'a new host is let in'
stranger --key "$keys/id_ed25519" --known-hosts "$work/not/yet" 127.0.0.1 -- exec:true
logs_in 'a new host is let in: a known_hosts file that is to be written yet'
key=$(cut -d' ' -f1,2 "$sshd_root/host_ed25519.pub")
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$sshd_root/host2_ed25519.pub")" >"$work/known"
stranger --key "$keys/id_ed25519" --known-hosts "$work/known" 127.0.0.1
says 'a host that is known with another key is not' host-key 'host key mismatch'
echo "other.example $key" >"$work/known"
stranger --key "$keys/id_ed25519" --known-hosts "$work/known" 127.0.0.1
says 'nor one whose key is another host'"'"'s' host-key 'knows as that of other.example'
echo "@revoked * $key" >"$work/known"
stranger --key "$keys/id_ed25519" --known-hosts "$work/known" 127.0.0.1
says 'nor one whose key is revoked' host-key 'revoked host key'
run "$probe_bin" --user tdash --port "$port" --key "$keys/id_ed25519" 127.0.0.1
says 'nor any without being asked to' host-key 'unknown host key'
stranger --password 'correct horse ü' 127.0.0.1
says 'a new host is not given the password' authentication 'the password is not given to a host whose key nobody has confirmed'
stranger --key "$keys/other" --password 'correct horse ü' 127.0.0.1
says 'nor after the key' authentication 'the password is not given to a host whose key nobody has confirmed'
is 'it was not tried' "$(grep -c 'Failed password\|Accepted password' "$sshd_root/log.$port")" 0

# PAM's questions; its files are the test's own.
printf 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\npassword required pam_deny.so\n' >"$sshd_root/pam"
sshd_stop
SSHD_PAM=$sshd_root/pam sshd_start 'UsePAM yes' 'PasswordAuthentication no' 'KbdInteractiveAuthentication yes'
login --password 'correct horse ü' 127.0.0.1 -- exec:true
if [ -n "$old" ]; then
	out_has 'keyboard-interactive with an old libssh2: is said' 'answering questions safely needs libssh2 1.11'
else
	logs_in 'keyboard-interactive'
	login --password 'wrong horse' 127.0.0.1
	says 'keyboard-interactive: wrong' authentication 'by password was refused'
	# Its password is older than it may be: PAM asks for the current one once more, and for a new one.
	sed 's/pam_deny/pam_unix/' "$sshd_root/pam" >"$work/pam"
	cat "$work/pam" >"$sshd_root/pam"
	login --user tbash --password 'correct horse ü' 127.0.0.1
	says 'keyboard-interactive: more than a password is asked for' authentication 'asks for more than a password'
fi
total_clean 'keyboard-interactive'

is 'no private agent is left' "$(leftovers)" "$leftovers_before"
finish
