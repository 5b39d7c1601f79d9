#!/bin/sh
# The transport against hosts with faults (the fleet server): each gives the right error within its budget, nothing is
# left of it, and it disturbs no other. Needs root (the fleet's mount namespaces).
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
fleet_begin 127.6.0.1 34

n=0
# fault TEXT…: the next host has it; its address in $host
fault() {
	n=$((n + 1))
	host=127.6.0.$n
	sed -i "s/^$host\$/$host $*/" "$fleet_root/hosts.txt"
}
faults_of() { sed -n "s/^$1 //p; s/^$1\$/good/p" "$fleet_root/hosts.txt"; }
fault fault=refuse; refuse=$host
fault fault=hang:accept; hang_accept=$host
fault fault=hang:banner; hang_banner=$host
fault fault=hang:kex; hang_kex=$host
fault fault=hang:auth; hang_auth=$host
fault fault=hang:open; hang_open=$host
fault fault=hang:exec; hang_exec=$host
fault fault=hang:after:2000; hang_after=$host
fault fault=cut:exec:1; cut_exec=$host
fault fault=cut:exec:2; cut_second=$host
fault fault=cut:input:1000; cut_input=$host
fault fault=flood; flood=$host
fault fault=flood:200; flood_later=$host
fault fault=flood:banner; flood_banner=$host
fault fault=garbage; garbage=$host
fault fault=exit:lie; exit_lie=$host
fault fault=exit:none; exit_none=$host
fault fault=exit:32:4294966236; exit_32=$host
fault fault=hostkey:change:2; key_change=$host
fault fault=auth:deny; auth_deny=$host
fault fault=slow:60; slow=$host
fault; good=$host
first_cut=$((n + 1))
for bytes in 65 70 90 120 130 150 170 200 250; do fault fault=cut:after:$bytes; done
fleet_up

echo 'echo out; echo err >&2; exit 7' >"$work/seven.sh"
echo 'echo begun; sleep 30' >"$work/long.sh"
budgets='--budget connect=2000 --budget banner=1500 --budget handshake=1500 --budget auth=1500 --budget shell=4000 --budget close=1000'

# opens HOST ARGUMENTS…
opens() {
	# shellcheck disable=SC2086
	fleet_probe $budgets "$@"
}
# expect NAME CLASS TEXT: of the last run's open
expect() {
	out_has "$1: class" "open err=$2 "
	out_has "$1: text" "$3"
	out_has "$1: nothing is left" 'handles=none fds=none'
}
# within NAME MS: what the run took, with room for a busy machine
within() {
	ms=$(sed -n 's/.*wall_ms=\([0-9]*\).*/\1/p' "$out")
	ok "$1: in its budget ($ms ms)" test "$ms" -lt "$2"
}

opens "$refuse"
expect refuse closed 'refuse connections from here'
opens "$hang_accept"
expect hang:accept timeout 'sent no SSH version line within '
within hang:accept 4500
opens "$hang_banner"
expect hang:banner timeout 'key exchange was not finished'
within hang:banner 4500
opens "$hang_kex"
expect hang:kex timeout 'key exchange was not finished'
within hang:kex 4500
opens "$hang_auth"
expect hang:auth timeout 'login as root was not answered'
within hang:auth 6000
opens "$hang_open"
expect hang:open timeout '/bin/sh did not come up'
within hang:open 9000
opens "$hang_exec"
expect hang:exec timeout '/bin/sh did not come up'
within hang:exec 9000
opens "$cut_exec"
expect cut:exec closed 'the connection was lost (shell)'
opens "$cut_input"
expect cut:input closed 'the connection was lost'
opens "$flood"
expect flood protocol 'floods the session'
opens "$flood_banner"
expect flood:banner protocol 'no version line in its first'
opens "$garbage"
expect garbage protocol 'no SSH server'
opens "$auth_deny"
expect auth:deny authentication 'the server allows publickey'
opens "$key_change"
out_has 'hostkey:change: before' 'open err=ok'
opens "$key_change"
expect hostkey:change host-key 'host key mismatch'

of() { grep "^127\.[0-9.]* $1 err=" "$out"; }
field() { of "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
result() { echo "$(field "$1" err) $(field "$1" started) $(field "$1" exit)"; }

for host in "$exit_lie" "$exit_none" "$exit_32" "$slow" "$good"; do
	opens "$host" -- 'exec:echo out; exit 9' "run:$work/seven.sh"
	is "$(faults_of "$host"): a command's exit code is the command's" "$(result 0)" 'ok 1 9'
	is "$(faults_of "$host"): a script's, too" "$(result 1)" 'ok 1 7'
done

# Silence falls in the middle of both outputs: how many bytes come before them (numbers of processes) is the machine's affair,
# so both have begun, and wait for each other, before either says more than all of that.
# meet MINE OTHER
meet() { echo "touch /tmp/$1; until [ -e /tmp/$2 ]; do sleep 0.1; done; head -c 5000 /dev/zero | tr '[:cntrl:]' x"; }
meet script command >"$work/meet.sh"
opens --keepalive 1 "$hang_after" -- "run:$work/meet.sh" "exec:$(meet command script)"
is 'hang:after: script' "$(field 0 err) $(field 0 started)" 'closed 1'
is 'hang:after: command' "$(field 1 err) $(field 1 started)" 'closed 1'
out_has 'hang:after: text' 'no answer to keepalives'
within hang:after 12000
opens "$cut_second" -- "run:$work/seven.sh" 'exec:echo out' "run:$work/seven.sh"
is 'cut:exec:2: what ran may have begun' "$(field 0 started)" 1
is 'cut:exec:2: what waited has not' "$(field 2 err) $(field 2 started)" 'closed 0'
opens --log error "$flood_later" -- 'exec,t=2000,cap=1000:echo out; sleep 60' "run:$work/seven.sh"
ok 'flood:200: no success' test "$(field 0 err)" != ok
ok 'flood:200: bounded' test "$(field 0 out | tr -d +)" -le 1000
out_has 'flood:200: nothing is left' 'handles=none fds=none'

# Cut at every possible place of an answer: a result that came whole counts, everything else is no success.
while [ $first_cut -le $n ]; do
	host=127.6.0.$first_cut
	opens "$host" -- "run:$work/seven.sh" "run:$work/seven.sh"
	for i in 0 1; do
		case "$(result $i)" in
		'ok 1 7' | 'closed 1 '* | 'closed 0 0' | '  ') pass "$(faults_of "$host"): script $i: $(result $i)" ;;
		*) fail "cut: script $i" "$(tap_seen)" ;;
		esac
	done
	out_has "cut: nothing is left" 'handles=none fds=none'
	first_cut=$((first_cut + 1))
done

# --- no way to there
fleet_probe --budget connect=1500 192.0.2.1 203.0.113.7
ok 'no route, or no answer' grep -q 'err=unreachable' "$out"
fleet_probe no-such-name.invalid
out_has 'no such name' 'err=unreachable'
echo 'nameserver 127.9.9.9' >"$work/resolv.conf"
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.9.9.9", LocalPort => 53, Proto => "udp") or exit 1;
	print "up\n"; close STDOUT; sleep 30' >"$work/silent" &
silent_pid=$!
tries=0
while [ ! -s "$work/silent" ] && [ $tries -lt 100 ] && kill -0 $silent_pid 2>/dev/null; do
	tries=$((tries + 1))
	sleep 0.05
done
run unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"' sh "$work/resolv.conf" "$probe_bin" --user root \
	--key "$keys/id_ed25519" --known-hosts "$fleet_root/known_hosts" --port "$port" --budget resolve=700 slow.example.com \
	localhost "$good"
out_has 'a silent name server' 'no answer from the name servers for slow.example.com'
out_has 'a silent name server: class' 'slow.example.com open err=unreachable'
out_has '/etc/hosts does without' 'localhost open err=host-key'
out_has 'and so does an address' "$good open err=ok"
out_has 'a silent name server: nothing is left' 'handles=none fds=none'
kill $silent_pid 2>/dev/null
fleet_probe --budget resolve=1 '' "$good"
out_has 'no address' 'err=invalid'
out_has 'which disturbs no other' "$good open err=ok"

# --- all at once: the good one is not held up
set -- "$hang_accept" "$hang_banner" "$hang_kex" "$hang_auth" "$hang_open" "$hang_exec" "$refuse" "$flood" "$garbage" "$flood_banner"
opens "$@" "$good" -- "run:$work/seven.sh"
out_has 'beside ten others the good one works' "$good 0 err=ok started=1 exit=7"
is 'and ten fail' "$(grep -c ' open err=' "$out")" 11
out_has 'all at once: nothing is left' 'handles=none fds=none'

# --- closed by us in each phase
for host in "$hang_accept" "$hang_banner" "$hang_kex" "$hang_auth" "$hang_open" "$hang_exec"; do
	opens --close-anyway 300 "$host"
	out_has "closed in mid-phase: $(faults_of "$host")" 'open err=canceled'
	out_has 'and nothing is left' 'handles=none fds=none'
done

if command -v valgrind >/dev/null && ! ldd "$probe_bin" | grep -q asan; then
	for host in "$hang_banner" "$hang_kex" "$hang_auth" "$hang_open" "$hang_after" "$cut_second" "$garbage"; do
		# shellcheck disable=SC2086
		run valgrind -q --leak-check=full --show-leak-kinds=definite,indirect --error-exitcode=99 "$probe_bin" --user root --key "$keys/id_ed25519" \
			--known-hosts "$fleet_root/known_hosts" --port "$port" --keepalive 1 $budgets "$host" -- 'exec:echo out; sleep 1'
		ok "no memory is lost: $(faults_of "$host")" test "$status" != 99
	done
else
	skip 'no memory is lost' 'there is no valgrind, or the sanitizers look on'
fi
finish
