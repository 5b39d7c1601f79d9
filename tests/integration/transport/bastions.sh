#!/bin/sh
# The transport through bastions: real sshds on loopback, in a row, forbidding, lying, dead; commands as connections.
# Needs root (mount namespaces).
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
command -v socat >/dev/null || { echo "SKIP all: no socat (deploy/deps.sh --tests)"; exit 0; }

of() { grep "^[a-z0-9.]* $1 err=" "$out"; }
field() { of "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
result() { echo "$(field "$1" err) $(field "$1" started) $(field "$1" exit)"; }
total_clean() { out_has "$1: nothing is left" 'handles=none fds=none'; }
# logins PORT: how often somebody was logged in there; tries PORT: connections
logins() { grep -c 'Accepted publickey' "$sshd_root/log.$1" || true; }
tries() { grep -c '^Connection from' "$sshd_root/log.$1" || true; }

sshd_start; b1=$port
sshd_start; b2=$port
sshd_start 'AllowTcpForwarding no'; forbids=$port
SSHD_KEYSET=host2 sshd_start; other=$port other_pin=$pin
sshd_start; target=$port
via1="--via tsudo@127.0.0.1:$b1,pin=$pin"
via2="--via tnosudo@127.0.0.1:$b2,pin=$pin"

# through ARGUMENTS…: the target's port is known, the ways to it are options
through() { run "$probe_bin" --user tbash --key "$keys/id_ed25519" --pin "$pin" --port "$target" "$@"; }

# --- one, and two in a row
# shellcheck disable=SC2086
through $via1 127.0.0.1 -- 'exec:echo out; exit 9' 'exec,cap=3000000:head -c 3000000 /dev/zero' get:/etc/passwd
is 'one bastion: a command' "$(result 0)" 'ok 1 9'
is 'one bastion: much output' "$(field 1 err) $(field 1 out)" 'ok 3000000'
is 'one bastion: a file' "$(result 2)" 'ok 1 0'
total_clean 'one bastion'
# shellcheck disable=SC2086
through $via1 $via2 localhost -- 'exec:exit 9'
is 'two bastions' "$(field 0 err) $(field 0 exit)" 'ok 9'
total_clean 'two bastions'
ok 'both were logged into' test "$(logins "$b1")" -ge 2 -a "$(logins "$b2")" -ge 1

# --- a login serves all
before=$(logins "$b1")
# shellcheck disable=SC2086
through $via1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 -- exec:true
out_has 'ten hosts' 'opened=10 failed=0 ops_ok=10'
ok 'few logins serve them' test $(($(logins "$b1") - before)) -le 4
total_clean 'ten hosts'

# --- commands
through --via-command "socat - TCP:%h:%p" 127.0.0.1 -- 'exec:exit 9'
is 'a command' "$(field 0 err) $(field 0 exit)" 'ok 9'
total_clean 'a command'
through --via-command "echo a reason >&2; exit 7" 127.0.0.1
out_has 'a command that exits' 'open err=closed'
out_has 'its code and its words' 'exited with 7 and said "a reason"'
total_clean 'a command that exits'
through --budget banner=500 --budget connect=500 --via-command "sleep 4720 & sleep 4720" 127.0.0.1
out_has 'a command that does nothing' 'open err=timeout'
total_clean 'a command that does nothing'
is 'its processes are gone' "$(pgrep -c -x -f 'sleep 4720' || true)" 0
through --via-command "socat - TCP:%h:%x" 127.0.0.1
out_has 'an unknown %-sign' 'open err=invalid'

# --- forbidden, unreachable, refused
# shellcheck disable=SC2086
through --via "tsudo@127.0.0.1:$forbids,pin=$pin" 127.0.0.1
out_has 'AllowTcpForwarding no' 'open err=forwarding'
out_has 'it names the bastion' 'bastion b1: 127.0.0.1 port'
# shellcheck disable=SC2086
through $via1 --port 1 127.0.0.1
out_has 'the target refuses' 'open err=unreachable'
out_has 'it names the bastion that says so' 'bastion b1: 127.0.0.1 port 1'
before=$(tries "$b1")
through --via "tnologin@127.0.0.1:$b1,pin=$pin,key=$keys/other" 127.0.0.1 127.0.0.2 127.0.0.3
is 'the bastion refuses the login: each is told' "$(grep -c 'open err=bastion text="127.0.0.[123]: bastion b1: the login as tnologin' "$out")" 3
is 'and it was tried once' $(($(tries "$b1") - before)) 1
total_clean 'the bastion refuses the login'
through --via "tsudo@127.0.0.1:$b1,pin=$other_pin" 127.0.0.1
out_has "the bastion's host key is another one" 'open err=bastion'
out_has 'it says so' 'host key mismatch'
# shellcheck disable=SC2086
through $via1 --port "$other" 127.0.0.1
out_has "the target's host key is another one" 'open err=host-key'
through --via "tsudo@127.0.0.1:1,pin=$pin" 127.0.0.1 127.0.0.2
is 'the bastion is down: each is told' "$(grep -c 'open err=refused text="127.0.0.[12]: bastion b1: cannot connect' "$out")" 2
finish
