#!/bin/sh
# The transport against a real sshd: each kind of key, each login shell, what comes back of commands, scripts and files,
# how they are ended on the far side, sudo, accounts that cannot be used. Needs root (a mount namespace of its own).
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
sshd_start

# of N: the line of the last run about op N; field NAME: a field of it.
of() { grep "^127\.[0-9.]* $1 err=" "$out"; }
field() { of "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
result() { echo "$(field "$1" err) $(field "$1" started) $(field "$1" exit)"; }
total_clean() {
	if grep -q 'handles=none fds=none' "$out"; then pass "$1: nothing is left"; else fail "$1: nothing is left" "$(tail -n 1 "$out")"; fi
}
processes() { pgrep -c -f "^sleep $1" || true; }
await_no_process() {
	tries=0
	while [ "$(processes "$1")" != 0 ] && [ $tries -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	processes "$1"
}

cat >"$work/args.sh" <<'X'
printf '%s|' "$#" "$@"; cat; echo err >&2; umask; exit 5
X
echo 'exit "$1"' >"$work/exit.sh"
echo 'sleep 4711 & echo begun; sleep 4711; echo never' >"$work/long.sh"
echo 'sleep 12' >"$work/twelve.sh"
printf '\000\001\377 binary\n\n' >"$work/input"

# --- keys
for key in id_ed25519 id_ecdsa id_ecdsa384 id_ecdsa521 id_rsa id_rsa_pem; do
	probe_key=$keys/$key
	probe 127.0.0.1 -- exec:true
	is "login with $key" "$(result 0)" 'ok 1 0'
done
probe_key=$keys/other
probe 127.0.0.1
out_has 'a key that is not authorized' 'err=authentication'
out_has 'it names the key' "$(ssh-keygen -lf "$keys/other.pub" | awk '{ print $2 }')"
out_has 'it names the ways the server allows' 'the server allows publickey,password'
total_clean 'refused'
probe_key=$keys/id_ed25519

# --- login shells
for user in tdash tbash tzsh tcsh tfish tnoisy; do
	if ! grep -q "^$user:" "$sshd_root/passwd"; then
		skip "login shell of $user" 'the shell is not installed'
		continue
	fi
	probe_user=$user
	probe --show 127.0.0.1 -- "input:$work/args.sh|$work/input|it's|\$x" 'exec:echo out; echo err >&2; exit 9' get:/etc/passwd
	is "$user: a script" "$(result 0)" 'ok 1 5'
	# shellcheck disable=SC2016
	out_has "$user: its arguments and input" "2|it's|\$x|\\x00\\x01\\xff binary"
	out_has "$user: the umask is the login's" '| 0022'
	is "$user: a command" "$(result 1) $(field 1 out) $(field 1 err_out)" 'ok 1 9 4 4'
	is "$user: a file" "$(result 2) $(field 2 out)" "ok 1 0 $(stat -c %s "$sshd_root/passwd")"
	total_clean "$user"
done
probe_user=tnologin
probe 127.0.0.1
out_has 'nologin' 'err=protocol'
out_has 'nologin: what it says' 'This account is currently not available'
probe_user=tdash

# --- exit codes
set --
code=0
while [ $code -le 255 ]; do
	set -- "$@" "run:$work/exit.sh|$code"
	code=$((code + 1))
done
probe 127.0.0.1 -- "$@"
is 'exit codes 0 to 255' "$(grep -c 'err=ok started=1' "$out") $(awk '/ err=ok started/ { sub(".*exit=", ""); sub(" .*", ""); s += $0 } END { print s }' "$out")" '256 32640'
probe 127.0.0.1 -- 'exec:exit 255' 'exec:kill -9 $$' 'exec:exec true' 'exec:if' 'exec:cat' 'exec:printf x'
is 'a command that exits with 255' "$(result 0)" 'ok 1 255'
is 'a command that is killed' "$(result 1)" 'ok 1 137'
is 'a command that is replaced' "$(result 2)" 'ok 1 0'
is 'a syntax error' "$(result 3)" 'ok 1 2'
is 'stdin is empty' "$(result 4) $(field 4 out)" 'ok 1 0 0'
is 'output without newline' "$(field 5 out)" 1

# --- nothing is seen by others
probe --show 127.0.0.1 -- 'exec:ps -eo args | grep -v transport_probe | grep -c "[S]ECRETWORD"' "run:$work/args.sh|SECRETWORD"
out_has 'a command is not in ps' 'out: 0'

# --- bounds
probe 127.0.0.1 -- 'exec,cap=1000:yes | head -c 5000000' 'exec,cap=1000:yes | head -c 5000000 >&2' "get,cap=10:/etc/passwd" 'get,cap=100000:/dev/null' get:/nonexistent get:/etc/shadow get:/etc get:relative
is 'stdout is cut' "$(result 0) $(field 0 out)" 'ok 1 0 1000+'
is 'stderr is cut' "$(result 1) $(field 1 err_out)" 'ok 1 0 1000+'
is 'a file larger than asked for' "$(field 2 err) $(field 2 out)" 'limit 0'
is 'a device' "$(field 3 err)" invalid
is 'a file that is not there' "$(field 4 err)" not-found
is 'a file that may not be read' "$(field 5 err)" permission
is 'a folder' "$(field 6 err)" invalid
is 'a path that is not absolute' "$(field 7 err) $(field 7 started)" 'invalid 0'

# --- ended on the far side
probe 127.0.0.1 -- 'exec,t=300:sleep 4712; echo never' "run,t=300:$work/long.sh" "run:$work/exit.sh|3" 'exec,cancel=200:sleep 4713' "run,cancel=100:$work/long.sh"
is 'a command that takes too long' "$(field 0 err) $(field 0 started)" 'timeout 1'
is 'a script that takes too long' "$(field 1 err) $(field 1 out)" 'timeout 6'
is 'the next one runs' "$(result 2)" 'ok 1 3'
is 'a command that is cancelled' "$(field 3 err)" canceled
is 'a request that is cancelled before its turn' "$(field 4 err) $(field 4 started)" 'canceled 0'
for n in 4711 4712 4713; do is "sleep $n is gone on the host" "$(await_no_process $n)" 0; done
probe 127.0.0.1 -- "exec,t=300:trap '' TERM; sleep 4714 & trap '' TERM; while :; do sleep 0.2; done"
is 'a command that ignores TERM' "$(field 0 err)" timeout
total_clean 'killed'
probe --close-at 800 127.0.0.1 -- "run:$work/long.sh" 'exec:sleep 4715'
is 'closed while a script runs' "$(field 0 err)" canceled
is 'closed while a command runs' "$(field 1 err)" canceled
is 'sleep 4715 is gone on the host' "$(await_no_process 4715)" 0
total_clean 'closed'

# A close is over when the shell has ended, not when its time is.
begin=$(date +%s)
probe --budget close=20000 127.0.0.1 -- 'exec:true'
ok 'a close takes no longer than it must' test $(($(date +%s) - begin)) -lt 15

# --- killed by somebody else
echo 'kill -9 $PPID; sleep 1' >"$work/parricide.sh"
probe --show 127.0.0.1 -- 'exec:echo out; kill -9 $PPID; sleep 1' 'exec:exit 3'
is 'a command whose shell is killed is no success' "$(field 0 err) $(field 0 started)" 'closed 1'
out_has 'and its signal is named' 'exit signal KILL'
is 'others go on' "$(result 1)" 'ok 1 3'
probe 127.0.0.1 -- "run:$work/parricide.sh" "run:$work/exit.sh|0"
is 'the resident shell is killed: what ran' "$(field 0 err) $(field 0 started)" 'closed 1'
is 'the resident shell is killed: what waited' "$(field 1 err) $(field 1 started)" 'closed 0'
out_has 'the resident shell is killed: text' 'the shell on the host has ended'
# It could not remove its folder.
find /tmp -maxdepth 1 -name '.cutover.*' -user 61001 -exec rm -rf {} +

# --- several addresses of a name: the next one where one refuses
printf '127.0.0.99 several.test\n127.0.0.1 several.test\n' >"$work/hosts"
run unshare -m sh -c 'mount --bind "$1" /etc/hosts; shift; exec "$@"' sh "$work/hosts" "$probe_bin" --user tdash \
	--key "$probe_key" --pin "$pin" --port "$port" several.test -- exec:true
out_has 'several addresses' 'several.test 0 err=ok'

# --- daemons
begin=$(date +%s)
probe --show 127.0.0.1 -- 'exec:sleep 20 & echo begun' "run:$work/exit.sh|0"
is 'a daemon holds nobody: command' "$(result 0)" 'ok 1 0'
ok 'a daemon holds nobody: time' test $(($(date +%s) - begin)) -lt 15
out_has 'its output came' 'out: begun'

# --- sudo
probe_user=tdash
probe --sudo 127.0.0.1 -- "run,sudo:$work/exit.sh|0" 'exec,sudo:true'
is 'sudo refused: script' "$(field 0 err) $(field 0 started)" 'sudo 0'
is 'sudo refused: command' "$(field 1 err) $(field 1 started)" 'sudo 0'
out_has 'sudo says why' 'sudo: a password is required'
probe_user=tnosudo
probe --sudo 127.0.0.1 -- "run,sudo:$work/exit.sh|0"
is 'no rule: script' "$(field 0 err)" sudo
probe_user=tsudo
probe --sudo --show 127.0.0.1 -- 'exec,sudo:id -u; exit 4' "input,sudo:$work/args.sh|$work/input|x" get,sudo:/etc/shadow 'exec,sudo,t=300:sleep 4716; echo' "run,sudo,t=300:$work/long.sh" 'exec:id -u'
is 'sudo: command' "$(result 0) $(field 0 out)" 'ok 1 4 2'
is 'sudo: script' "$(result 1)" 'ok 1 5'
out_has 'sudo: its input' '1|x|\x00\x01\xff binary'
is 'sudo: file' "$(result 2)" 'ok 1 0'
is 'sudo: command too long' "$(field 3 err)" timeout
is 'sudo: script too long' "$(field 4 err)" timeout
for n in 4711 4716; do is "sudo: sleep $n is gone on the host" "$(await_no_process $n)" 0; done
probe --show 127.0.0.1 -- 'exec,sudo:id -u'
out_has 'elevated without become is the login' 'out: 61010'

# --- accounts and servers that are set up otherwise
sshd_stop
sshd_start 'ForceCommand echo only this'
probe 127.0.0.1
out_has 'ForceCommand' 'err=protocol'
out_has 'ForceCommand: what it says' 'only this'
sshd_stop
sshd_start 'MaxSessions 1'
probe 127.0.0.1 -- "run:$work/exit.sh|3" exec:true "run,t=300:$work/twelve.sh" "run:$work/exit.sh|4"
is 'MaxSessions 1: scripts run' "$(result 0)" 'ok 1 3'
is 'MaxSessions 1: a command' "$(field 1 err)" protocol
out_has 'MaxSessions 1: is named' 'MaxSessions'
is 'MaxSessions 1: what takes too long' "$(field 2 err)" timeout
total_clean 'MaxSessions 1'
sshd_stop
sshd_start 'PubkeyAuthentication no'
probe 127.0.0.1
out_has 'no public keys allowed' 'a key is not among them'
sshd_stop
sshd_start 'RekeyLimit 64K'
# libssh2 1.10 itself loses the host key, 51 bytes, at each new key exchange.
export LSAN_OPTIONS=detect_leaks=0
probe 127.0.0.1 -- 'exec,cap=4000000:head -c 3000000 /dev/zero' "run:$work/exit.sh|3"
is 'keys are exchanged again and again' "$(result 0) $(field 0 out)" 'ok 1 0 3000000'
is 'and scripts run' "$(result 1)" 'ok 1 3'
unset LSAN_OPTIONS
sshd_stop
probe 127.0.0.1
out_has 'nobody listens' 'err=refused'

# The script that could not be ended (MaxSessions 1) ends by itself.
tries=0
while [ -n "$(left_in_tmp)" ] && [ $tries -lt 200 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
is 'nothing is left on the host' "$(left_in_tmp)" ''
finish
