#!/bin/sh
# Host keys: pins and known_hosts files against a real sshd that has several types of key. What a file's lines mean in
# detail is in the unit tests; here it is what is negotiated and how often it is connected. Needs root.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
sshd_start

fingerprint() { ssh-keygen -lf "$sshd_root/$1.pub" | awk '{ print $2 }'; }
# shellcheck disable=SC2086 # words
bare() { run "$probe_bin" $patient --user "$probe_user" --key "$probe_key" --port "$port" "$@"; }
rsa_works() { "$probe_bin" --version-of-libssh2 | awk -F. '{ exit !($1 > 1 || $2 >= 11) }'; }
logins() { grep -c 'Accepted key' "$sshd_root/log.$port" || true; }
connections() { grep -c 'Connection from' "$sshd_root/log.$port" || true; }

# pinned NAME TEXT PIN...
pinned() {
	name=$1 text=$2
	shift 2
	set -- "$@"
	args=
	for p in "$@"; do args="$args --pin '$p'"; done
	eval "bare $args 127.0.0.1"
	out_has "$name" "$text"
}

pinned 'ed25519 by type' 'err=ok' "ssh-ed25519 $(fingerprint host_ed25519)"
pinned 'ecdsa by type' 'host_key="ecdsa-sha2-nistp256' "ecdsa-sha2-nistp256 $(fingerprint host_ecdsa)"
pinned 'ed25519 without type' 'err=ok' "$(fingerprint host_ed25519)"
before=$(connections)
pinned 'ecdsa without type' 'host_key="ecdsa-sha2-nistp256' "$(fingerprint host_ecdsa)"
is 'which takes two connections' $(($(connections) - before)) 2
if rsa_works; then
	pinned 'rsa by type' 'host_key="ssh-rsa' "ssh-rsa $(fingerprint host_rsa)"
	pinned 'rsa without type' 'host_key="ssh-rsa' "$(fingerprint host_rsa)"
else
	skip 'rsa host keys' 'this libssh2 cannot do them'
	pinned 'rsa without type is named' 'an RSA host key could not be looked at' "$(fingerprint host_rsa)"
fi
pinned 'several pins' 'err=ok' "ssh-ed25519 $(fingerprint host2_ed25519)" "ssh-ed25519 $(fingerprint host_ed25519)"
before=$(connections) logins=$(logins)
pinned 'mismatch by type' 'err=host-key' "ssh-ed25519 $(fingerprint host2_ed25519)"
is 'no login is tried then' "$(logins)" "$logins"
out_has 'it names both' "but the inventory pins ssh-ed25519 $(fingerprint host2_ed25519)"
is 'which takes one connection' $(($(connections) - before)) 1
pinned 'mismatch without type' 'err=host-key' "$(fingerprint host2_ed25519)"
out_has 'each type that was shown is named' "ecdsa-sha2-nistp256 $(fingerprint host_ecdsa)"
pinned 'a type the server does not have' 'err=host-key' "ecdsa-sha2-nistp384 $(fingerprint host_ecdsa)"
out_has 'what it has instead is named' "server offers ssh-ed25519 $(fingerprint host_ed25519)"
bare 127.0.0.1
out_has 'nothing known' 'unknown host key'
out_has 'the key is shown' "$(fingerprint host_ed25519)"

# known NAME TEXT: with the file known_hosts
known() {
	bare --known-hosts "$work/known_hosts" 127.0.0.1
	out_has "$1" "$2"
}
ed=$(cut -d' ' -f1,2 "$sshd_root/host_ed25519.pub") ed2=$(cut -d' ' -f1,2 "$sshd_root/host2_ed25519.pub")
ec=$(cut -d' ' -f1,2 "$sshd_root/host_ecdsa.pub")
echo "[127.0.0.1]:$port $ed" >"$work/known_hosts"
known 'a plain line' 'err=ok'
ssh-keygen -q -H -f "$work/known_hosts" 2>/dev/null
known 'a hashed line, as ssh-keygen writes it' 'err=ok'
echo "[127.0.0.1]:$port $ec" >"$work/known_hosts"
known 'an ecdsa line only' 'host_key="ecdsa-sha2-nistp256'
printf 'garbage\r\n[127.0.0.*]:%s %s\r\n' "$port" "$ed" >"$work/known_hosts"
known 'CR LF, a bad line before, a wildcard' 'err=ok'
printf '@revoked * %s\n[127.0.0.1]:%s %s\n' "$ed" "$port" "$ed" >"$work/known_hosts"
known 'revoked' 'revoked host key'
echo "[127.0.0.1]:$port $ed2" >"$work/known_hosts"
known 'mismatch' "known_hosts:1 pins ssh-ed25519 $(fingerprint host2_ed25519)"
echo "127.0.0.1 $ed" >"$work/known_hosts"
known 'a bare name' "write [127.0.0.1]:$port there"
bare --known-hosts "$work/none" 127.0.0.1
out_has 'no such file' 'err=not-found'
bare --pin nonsense 127.0.0.1
out_has 'a pin that is none' 'err=invalid'

sshd_stop
SSHD_HOSTKEYS=rsa sshd_start
if rsa_works; then
	pinned 'a server with an RSA key only' 'host_key="ssh-rsa' "ssh-rsa $(fingerprint host_rsa)"
else
	pinned 'a server with an RSA key only' 'err=key-exchange' "ssh-rsa $(fingerprint host_rsa)"
	out_has 'it says what would help' '1.11 can'
fi
sshd_stop
sshd_start 'KexAlgorithms sntrup761x25519-sha512@openssh.com'
pinned 'no common key exchange' 'err=key-exchange' "ssh-ed25519 $(fingerprint host_ed25519)"
out_has 'the versions are named' 'OpenSSH_'
finish
