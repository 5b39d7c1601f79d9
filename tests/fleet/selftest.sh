#!/bin/bash
# selftest.sh FLEET WRITES: OpenSSH's client against the fleet server: what a command sees, how channels end, each fault
# as the client sees it, many sessions at once. Needs root (mount namespaces).
set -u

fleet=$(realpath "$1") writes=$(realpath "$2") here=$(dirname "$(realpath "$0")")
passed=0 failed=0 fleet_pid=

if [ "$(id -u)" != 0 ]; then
	echo "skipped: the fleet server makes mount namespaces, which needs root"
	exit 77
fi

work=$(mktemp -d)
cd "$work" || exit 1

finish() {
	[ -n "$fleet_pid" ] && kill "$fleet_pid" 2>/dev/null && wait "$fleet_pid" 2>/dev/null
	cd / && rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

ok() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $name"
	fi
}
is() { # NAME WANT GOT
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n  want: %.300s\n  got:  %.300s\n' "$1" "$2" "$3"
	fi
}
holds() { grep -q -- "$2" "$1"; }  # FILE PATTERN
lacks() { ! grep -q -- "$2" "$1"; }
await() { # COMMAND...: until it is true, 60 seconds at most
	local end=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

start() {
	rm -f root/ready
	"$fleet" --port "${port:-0}" --root root --hosts root/hosts.txt --user-key keys.pub --log log 2>>stderr &
	fleet_pid=$!
	await test -e root/ready || { echo "the fleet server did not start:"; cat stderr; exit 1; }
	port=$(cat root/port)
}
reload() {
	rm -f root/reloaded
	kill -HUP "$fleet_pid"
	await test -e root/reloaded
}
stat_of() { # NAME: a counter as it is now
	rm -f root/stats
	kill -USR1 "$fleet_pid"
	await test -e root/stats
	sed -n "s/^$1 //p" root/stats
}
fault() { # N FAULT...: adds the host 127.3.0.N
	echo "127.3.0.$1 ${*:2}" >>root/hosts.txt
}
options=(-F none -n -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes
	-o UserKnownHostsFile="$work/root/known_hosts" -o GlobalKnownHostsFile=/dev/null)
run() { # ADDRESS COMMAND...
	ssh "${options[@]}" -i id_ed25519 -p "$port" "root@127.$1" "${@:2}"
}
run_stdin() { # as run, but with a stdin
	local o=("${options[@]}")
	unset 'o[2]'
	ssh "${o[@]}" -i id_ed25519 -p "$port" "root@127.$1" "${@:2}"
}

run_exec() { # for the background: the process is ssh itself
	exec ssh "${options[@]}" -i id_ed25519 -p "$port" "root@127.$1" "${@:2}"
}

for type in ed25519 ecdsa rsa; do
	ssh-keygen -q -t $type -N '' -f id_$type
	cat id_$type.pub >>keys.pub
done
ssh-keygen -q -t ed25519 -N '' -f id_stranger
"$here/prepare.sh" root 127.2.0.1 300
"$here/prepare.sh" root 127.3.0.200 1
sed -i 's/^127.2.0.2$/& key=rsa/; s/^127.2.0.3$/& key=ecdsa/' root/hosts.txt
start

# --- what a command sees
is "exit code" 7 "$(run 2.0.1 'exit 7'; echo $?)"
is "exit code 255 of the command" 255 "$(run 2.0.1 'exit 255'; echo $?)"
run 2.0.1 'echo out; echo err >&2; echo out2; echo err2 >&2' >out 2>err
is "stdout alone" "out out2" "$(xargs <out)"
is "stderr alone" "err err2" "$(xargs <err)"
is "host name" sync-127.2.0.9 "$(run 2.0.9 hostname)"
is "environment" "/root 127.2.0.9 $port" "$(run 2.0.9 'set -- $SSH_CONNECTION; echo $HOME $3 $4')"
is "FLEET_HOST" 127.2.0.9 "$(run 2.0.9 'echo $FLEET_HOST')"
run 2.0.4 'echo mine >/opt/file; echo x >/tmp/file; echo "1 1 1 1 1 root true" >/etc/cron.d/new'
is "own files" "mine" "$(cat root/hosts/127.2.0.4/root/opt/file)"
ok "own files are nobody else's" test ! -e root/hosts/127.2.0.5/root/opt/file
is "another host does not see them" 2 "$(run 2.0.5 'ls /opt/file 2>/dev/null'; echo $?)"
ok "nothing on this machine" test ! -e /etc/cron.d/new
is "the machine's own files are read-only" 1 "$(run 2.0.4 'touch /usr/fleet-selftest 2>/dev/null'; echo $?)"
run 2.0.12 'sleep 54321 </dev/null >/dev/null 2>&1 &'
is "a daemon is seen by its host" 1 "$(run 2.0.12 'ps -e -o args | grep -c "^sleep 54321"')"
is "and by no other host" 0 "$(run 2.0.13 'ps -e -o args | grep -c "^sleep 54321"')"
run 2.0.6 /opt/imhs-ws-clinet/imhs-ws-client.rb
is "the client by shell" "sync sh https://us.imhs-ws.trendmicro.com/imhs/v1.0/en" \
	"$(cat root/hosts/127.2.0.6/root/var/log/imhs-sync.log)"
if command -v ruby >/dev/null; then
	run 2.0.7 'ruby /opt/imhs-ws-clinet/imhs-ws-client.rb'
	is "the client by ruby" "sync ruby https://us.imhs-ws.trendmicro.com/imhs/v1.0/en" \
		"$(cat root/hosts/127.2.0.7/root/var/log/imhs-sync.log)"
else
	echo "skipped: the client by ruby: ruby is not installed"
fi
echo nowhere/at-all >>root/hosts/127.3.0.200/mounts
mkdir -p root/hosts/127.3.0.200/root/nowhere/at-all
run 3.0.200 true 2>err
is "a mount point that does not exist: code" 254 $?
ok "a mount point that does not exist: message" holds err 'mount point on this machine: /nowhere/at-all'
ok "and nothing was made" test ! -e /nowhere

# --- streams and channels
head -c 20000000 /dev/urandom >big
run_stdin 2.0.1 cat <big >big.back
ok "20 MB in and out" cmp big big.back
is "stdin is read to its end" 20000000 "$(run_stdin 2.0.1 'wc -c' <big)"
is "a command that reads nothing" 0 "$(run_stdin 2.0.1 'exec <&-; exit 0' <big; echo $?)"
is "an empty stdin" 0 "$(run 2.0.1 'wc -c')"
before=$(stat_of bytes_out)
mkfifo slow
run_exec 2.0.1 'cat /dev/zero' >slow 2>/dev/null &
client=$!
exec 8<slow
stalled() {
	local a b
	a=$(stat_of bytes_out)
	sleep 0.2
	b=$(stat_of bytes_out)
	[ "$a" = "$b" ] && [ "$a" != "$before" ]
}
ok "a reader that stalls stops the command" await stalled
ok "and little is held for it" test $(($(stat_of bytes_out) - before)) -lt 8000000
kill $client
exec 8<&-
wait $client 2>/dev/null

ssh "${options[@]}" -i id_ed25519 -p "$port" -M -N -f -S "$work/mux" root@127.2.0.1
connections=$(stat_of connections_accepted)
mkfifo root/hosts/127.2.0.1/root/tmp/gate
for i in 1 2 3 4 5; do
	ssh "${options[@]}" -S "$work/mux" -p "$port" root@127.2.0.1 "read x </tmp/gate; echo channel $i; exit $i" >mux.$i &
	pids[i]=$!
done
five_run() { [ "$(stat_of children_running)" = 5 ]; }
ok "five commands at once" await five_run
exec 3<>root/hosts/127.2.0.1/root/tmp/gate
printf 'go\ngo\ngo\ngo\ngo\n' >&3
codes=
for i in 1 2 3 4 5; do
	wait "${pids[i]}"
	codes="$codes $?"
done
exec 3>&-
is "their codes" " 1 2 3 4 5" "$codes"
is "their output" "channel 1 channel 2 channel 3 channel 4 channel 5" "$(cat mux.? | xargs)"
is "on one connection" "$connections" "$(stat_of connections_accepted)"
is "stdout closed before the end" 4 "$(ssh "${options[@]}" -S "$work/mux" x 'exec >&- 2>&-; sleep 0.3; exit 4'; echo $?)"
ssh -S "$work/mux" -O exit x 2>/dev/null

run 2.0.1 -v 'kill -9 $$' 2>err
is "killed: code" 255 $?
ok "killed: exit-signal" holds err 'rtype exit-signal'

mkfifo root/hosts/127.2.0.10/root/tmp/gate
run_exec 2.0.10 '(read x </tmp/gate) & exit 3' &
client=$!
ok "a daemon holds stdout: the shell's end is noted" await grep -q '127.2.0.10 exit .*status=3' log
ok "a daemon holds stdout: the channel stays" kill -0 $client
echo go >root/hosts/127.2.0.10/root/tmp/gate
wait $client
is "a daemon holds stdout: code when it has gone" 3 $?
run 2.0.10 '(read x </tmp/gate) </dev/null >/dev/null 2>&1 & exit 3'
is "a daemon that holds nothing" 3 $?
echo go >root/hosts/127.2.0.10/root/tmp/gate

mkfifo root/hosts/127.2.0.11/root/tmp/gate
run_exec 2.0.11 'read x </tmp/gate; echo lived >/tmp/after' &
client=$!
ok "a command that waits" await grep -q '127.2.0.11 exec' log
kill $client
wait $client 2>/dev/null
ok "its client goes" await grep -q '127.2.0.11 closed' log
echo go >root/hosts/127.2.0.11/root/tmp/gate
ok "the command lives on" await grep -q lived root/hosts/127.2.0.11/root/tmp/after

# --- keys
for type in ecdsa rsa; do
	is "user key $type" yes "$(ssh "${options[@]}" -i id_$type -p "$port" root@127.2.0.1 'echo yes')"
done
ssh "${options[@]}" -i id_stranger -p "$port" root@127.2.0.1 true 2>err
is "unknown user key" 255 $?
ok "unknown user key: refused" holds err 'Permission denied (publickey)'
is "host key rsa" yes "$(run 2.0.2 'echo yes')"
is "host key ecdsa" yes "$(run 2.0.3 'echo yes')"
is "each host has its own key" 301 "$(cut -d' ' -f2 root/fingerprints | sort -u | wc -l)"
is "the fingerprint is that of known_hosts" "$(ssh-keygen -l -f root/known_hosts -F "[127.2.0.1]:$port" |
	sed -n 's/.*\(SHA256:[^ ]*\).*/\1/p')" "$(sed -n 's/^127.2.0.1 //p' root/fingerprints)"
cp root/fingerprints fingerprints.before
kill "$fleet_pid"
wait "$fleet_pid"
start
ok "the same keys after a restart" cmp fingerprints.before root/fingerprints

# --- faults
fault 1 fault=refuse
fault 2 fault=hang:accept
fault 3 fault=hang:banner
fault 4 fault=hang:kex
fault 5 fault=hang:auth
fault 6 fault=hang:open
fault 7 fault=hang:exec
fault 8 fault=hang:after:100
fault 9 fault=cut:exec:1
fault 10 fault=cut:after:1000
fault 11 fault=cut:input:1000
fault 12 fault=flood
fault 13 fault=flood:200
fault 14 fault=flood:banner
fault 15 fault=garbage
fault 16 fault=exit:lie
fault 17 fault=exit:none
fault 18 fault=exit:32:4294966236
fault 19 fault=hostkey:change:3
fault 20 fault=auth:deny
fault 21 fault=slow:100
fault 22 fault=once:cut:after:2000
fault 23 fault=times:2:auth:deny
fault 24 fault=slow:20 fault=exit:lie
fault 25 fault=cut:exec:2
"$here/prepare.sh" root 127.3.0.1 25
ok "the hosts file is read again" reload

run 3.0.1 true 2>err
is "refuse: code" 255 $?
ok "refuse: reset" holds err 'Connection reset by\|Broken pipe'
# A hang is seen by its not ending; all of them wait at the same time.
hang() { # N SECONDS
	timeout "$2" ssh "${options[@]}" -v -i id_ed25519 -p "$port" "root@127.3.0.$1" \
		'echo ran >/tmp/ran; head -c 100000 /dev/zero; exit 5' >"out.$1" 2>"err.$1"
	echo $? >"code.$1"
}
for n in 2 3 4 5 6 7 8; do
	hang $n 4 &
	hangs[n]=$!
done
wait "${hangs[@]}"
for n in 2 3 4 5 6 7 8; do
	is "hang $n: no end" 124 "$(cat code.$n)"
done
ok "hang:accept: connected" holds err.2 'Connection established'
ok "hang:accept: no banner" lacks err.2 'Remote protocol version'
ok "hang:banner: banner" holds err.3 'Remote protocol version 2.0'
ok "hang:banner: no more" lacks err.3 'SSH2_MSG_KEXINIT received'
ok "hang:kex: KEXINIT" holds err.4 'SSH2_MSG_KEXINIT received'
ok "hang:kex: algorithms agreed" holds err.4 'expecting SSH2_MSG_KEX_ECDH_REPLY'
ok "hang:kex: no more" lacks err.4 'SSH2_MSG_NEWKEYS received'
ok "hang:auth: service" holds err.5 'SSH2_MSG_SERVICE_ACCEPT received'
ok "hang:auth: no more" lacks err.5 'Authentications that can continue'
ok "hang:open: login" holds err.6 'Authenticated to'
ok "hang:open: no command" lacks err.6 'Sending command'
ok "hang:exec: command" holds err.7 'Sending command'
ok "hang:exec: not run" test ! -e root/hosts/127.3.0.7/root/tmp/ran
is "hang:after: so much comes" 100 "$(stat -c %s out.8)"
ok "hang:after: it ran" test -e root/hosts/127.3.0.8/root/tmp/ran

run 3.0.9 'echo begun >/tmp/begun' 2>err
is "cut:exec: code" 255 $?
ok "cut:exec: the command goes on" await test -e root/hosts/127.3.0.9/root/tmp/begun
run 3.0.10 'head -c 100000 /dev/zero' >out 2>err
is "cut:after: code" 255 $?
is "cut:after: so much came" 1000 "$(stat -c %s out)"
run_stdin 3.0.11 'cat >/tmp/got' <big 2>err
is "cut:input: code" 255 $?
got() { [ "$(stat -c %s root/hosts/127.3.0.11/root/tmp/got)" = 1000 ]; }
ok "cut:input: so much arrived" await got
flooded() { # ADDRESS COMMAND BYTES: that much of an endless output
	mkfifo flood
	run_exec "$1" "$2" >flood 2>/dev/null &
	client=$!
	head -c "$3" flood >out
	kill $client
	wait $client 2>/dev/null
	rm flood
}
flooded 3.0.12 'echo never' 5000000
is "flood" 5000000 "$(stat -c %s out)"
flooded 3.0.13 'head -c 1000 /dev/zero | tr "\0" x; exit 3' 300000
is "flood:N: first the truth" 200 "$(head -c 200 out | tr -d -c x | wc -c)"
is "flood:N: then the flood" 300000 "$(stat -c %s out)"
timeout 20 ssh "${options[@]}" -i id_ed25519 -p "$port" root@127.3.0.14 true 2>err
is "flood:banner: the client gives up" 255 $?
run 3.0.15 true 2>err
is "garbage: code" 255 $?
ok "garbage: no banner" holds err 'kex_exchange_identification'
is "exit:lie" 0 "$(run 3.0.16 'exit 9'; echo $?)"
run 3.0.17 -v 'echo said; exit 9' >out 2>err
is "exit:none: code" 255 $?
is "exit:none: output" said "$(cat out)"
ok "exit:none: no status" lacks err 'rtype exit-'
run 3.0.18 -v true 2>err
ok "exit:32: all bits" holds err 'Exit status -1060'
is "hostkey:change: before" 0 "$(run 3.0.19 true; echo $?)"
is "hostkey:change: before, again" 0 "$(run 3.0.19 true; echo $?)"
run 3.0.19 true 2>err
is "hostkey:change: code" 255 $?
ok "hostkey:change: seen" holds err 'IDENTIFICATION HAS CHANGED'
run 3.0.20 true 2>err
is "auth:deny: code" 255 $?
ok "auth:deny: refused" holds err 'Permission denied (publickey)'
begin=$(date +%s%N)
out=$(run 3.0.21 'echo slowly; exit 3')
is "slow: works" "slowly 3" "$out $?"
took=$((($(date +%s%N) - begin) / 1000000))
ok "slow: takes its time" test $took -ge 500
run 3.0.22 'head -c 3000 /dev/zero' >out 2>/dev/null
is "once: the first time" "255 2000" "$? $(stat -c %s out)"
is "once: the second time" 3000 "$(run 3.0.22 'head -c 3000 /dev/zero' | wc -c)"
codes=
for i in 1 2 3; do
	run 3.0.23 true 2>/dev/null
	codes="$codes $?"
done
is "times:2" " 255 255 0" "$codes"
is "two faults" 0 "$(run 3.0.24 'exit 9'; echo $?)"
sed -i 's/^127.3.0.16 .*/127.3.0.16/' root/hosts.txt
ok "the hosts file is read once more" reload
is "a fault that is gone" 9 "$(run 3.0.16 'exit 9'; echo $?)"
is "counts go on over a reload" 0 "$(run 3.0.22 true; echo $?)"

# --- many at once
mkfifo hold
exec 9<>hold
for i in $(seq 1 300); do
	n=$((i + 0))
	ssh "${options[@]:0:2}" "${options[@]:3}" -i id_ed25519 -p "$port" "root@127.2.$((n / 256)).$((n % 256))" \
		'read x; echo $FLEET_HOST' <hold >>many 2>>many.err &
	many[i]=$!
done
all_there() { [ "$(stat_of children_running)" -ge 300 ]; }
ok "300 sessions at once" await all_there
is "none was refused" "" "$(cat many.err)"
for i in $(seq 1 300); do echo go; done >&9
codes=0
exec 9>&-
for i in $(seq 1 300); do
	wait "${many[i]}" || codes=$((codes + 1))
done
is "300 sessions end well" 0 "$codes"
is "300 hosts answered" 300 "$(sort -u many | wc -l)"
gone() { [ "$(stat_of connections_open)" = 0 ]; }
ok "and all have gone" await gone
ok "the peak is counted" test "$(stat_of connections_peak)" -ge 300

# --- writes
for i in 20 21 22; do echo "root/hosts/127.2.0.$i/root/opt/imhs-ws-clinet"; done >dirs
mkfifo ready
"$writes" --log written --list dirs >ready &
writes_pid=$!
read -r word <ready
is "writes: ready" ready "$word"
run 2.0.20 'cd /opt/imhs-ws-clinet && sed s/us/eu/ imhs-config.rb >new && mv new imhs-config.rb'
run 2.0.21 'echo "# more" >>/opt/imhs-ws-clinet/imhs-config.rb'
run 2.0.22 'cat /opt/imhs-ws-clinet/imhs-config.rb >/opt/imhs-ws-clinet/other'
kill $writes_pid
wait $writes_pid
is "writes: code" 0 $?
is "writes: counted" "moved root/hosts/127.2.0.20/root/opt/imhs-ws-clinet/imhs-config.rb
written root/hosts/127.2.0.21/root/opt/imhs-ws-clinet/imhs-config.rb" "$(cat written)"

run 2.0.12 'sleep 54322 </dev/null >/dev/null 2>&1 &'
kill "$fleet_pid"
wait "$fleet_pid"
is "the server ends well" 0 $?
fleet_pid=
no_daemon() { ! pgrep -x -f 'sleep 54322' >/dev/null; }
ok "nothing outlives the server" await no_daemon
is "what the server complained of" "" "$(grep -v 127.3.0.200 stderr)"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
